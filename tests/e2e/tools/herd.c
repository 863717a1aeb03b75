// SPDX-License-Identifier: Apache-2.0
/*
 * herd: many TLS clients in one thread, and the echo server behind the proxy that they talk to.
 *
 *     herd echo PORT
 *     herd clients --port P --roots FILE --sni NAME [--cert FILE --key FILE] --n N
 *                  [--at-once K] [--bytes B] [--together] [--hold]
 *
 * Each client connects, proves with a few bytes there and back that it was let in, sends B bytes of
 * a stream that only it has, and compares every byte that comes back. --at-once bounds how many are
 * unfinished at a time. With --together nobody goes on before all are open; with --hold they then
 * stay, idle, until stdin ends. Progress is one line each on stdout ("ready", "open"), the outcome
 * one line of JSON; the exit status is 0 when every client fared well and 77 when this machine does
 * not allow that many descriptors.
 *
 * A client is one struct with one state; epoll drives it. It writes as far as it may and reads as
 * far as it can on each event, so neither direction can wait for the other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_BYTES 32
#define CHUNK       16384

enum state { UNBORN, CONNECTING, HANDSHAKING, GREETING, OPEN, TALKING, CLOSING, GONE };

struct client {
    unsigned index;
    enum state state;
    int fd;
    SSL *ssl;
    uint64_t sent, received, goal;
    bool wants_write;
};

static struct {
    int port, epoll_fd;
    unsigned n, at_once;
    uint64_t bytes;
    bool together, hold, stdin_ended;
    const char *roots, *cert, *key, *sni;
    SSL_CTX *ctx;
    struct client *client;
    unsigned n_born, n_unfinished, n_open, n_gone, n_failed;
    uint64_t n_bytes;
    char first_error[256];
} herd = {.at_once = 200, .sni = "server.example"};

static void die(const char *what)
{
    fprintf(stderr, "herd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- The streams ------------------------------------------------------------------------------*/

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The bytes of a client's stream from an offset on: a function of both, so nothing is kept. */
static void stream_fill(unsigned index, uint64_t offset, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t at = offset + i;
        out[i] = (uint8_t)(mix(((uint64_t)index << 40) ^ (at / 8)) >> (8 * (at % 8)));
    }
}

/* --- Descriptors ------------------------------------------------------------------------------*/

static void raise_nofile(unsigned need)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= need) {
        return;
    }
    limit.rlim_cur = need;
    if (limit.rlim_max < need) {
        limit.rlim_max = need;
    }
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        fprintf(stderr, "herd: %u descriptors are not allowed: %s\n", need, strerror(errno));
        exit(77);
    }
}

static void watch(int op, int fd, unsigned events, void *ptr)
{
    struct epoll_event event = {.events = events, .data.ptr = ptr};
    if (epoll_ctl(herd.epoll_fd, op, fd, &event) != 0) {
        die("epoll_ctl");
    }
}

/* --- Clients ----------------------------------------------------------------------------------*/

static void leave(struct client *client, const char *error)
{
    if (error) {
        herd.n_failed++;
        if (!herd.first_error[0]) {
            const char *reason = ERR_reason_error_string(ERR_peek_error());
            snprintf(herd.first_error, sizeof(herd.first_error), "client %u: %s: %s", client->index,
                     error, reason ? reason : strerror(errno));
        }
    }
    if (client->state < OPEN) {
        herd.n_unfinished--;
        herd.n_open += herd.together; /* counted, so that the others don't wait for it */
    } else if (!herd.together) {
        herd.n_unfinished--;
    }
    ERR_clear_error();
    herd.n_gone++;
    client->state = GONE;
    SSL_free(client->ssl);
    client->ssl = NULL;
    if (client->fd >= 0) {
        close(client->fd);
    }
    client->fd = -1;
}

static void be_born(struct client *client)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)herd.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->state = CONNECTING;
    client->goal = HELLO_BYTES;
    herd.n_born++;
    herd.n_unfinished++;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    client->ssl = SSL_new(herd.ctx);
    if (client->fd < 0 || !client->ssl || SSL_set_fd(client->ssl, client->fd) != 1 ||
        SSL_set_tlsext_host_name(client->ssl, herd.sni) != 1 ||
        SSL_set1_host(client->ssl, herd.sni) != 1) {
        leave(client, "socket");
        return;
    }
    SSL_set_connect_state(client->ssl);
    if (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
        leave(client, "connect");
        return;
    }
    client->wants_write = true;
    watch(EPOLL_CTL_ADD, client->fd, EPOLLIN | EPOLLOUT, client);
}

static void want_write(struct client *client, bool wants)
{
    if (client->wants_write != wants) {
        client->wants_write = wants;
        watch(EPOLL_CTL_MOD, client->fd, wants ? EPOLLIN | EPOLLOUT : EPOLLIN, client);
    }
}

/* Both directions, as far as they go; false when the client has left. */
static bool talk(struct client *client)
{
    uint8_t chunk[CHUNK], expected[CHUNK];
    bool blocked = false;
    while (client->sent < client->goal && !blocked) {
        uint64_t left = client->goal - client->sent;
        size_t n = left < CHUNK ? (size_t)left : CHUNK, written = 0;
        stream_fill(client->index, client->sent, chunk, n);
        if (SSL_write_ex(client->ssl, chunk, n, &written) == 1) {
            client->sent += written;
        } else if (SSL_get_error(client->ssl, 0) == SSL_ERROR_WANT_WRITE) {
            blocked = true;
        } else {
            leave(client, "write");
            return false;
        }
    }
    want_write(client, blocked);
    for (;;) {
        size_t n = 0;
        if (SSL_read_ex(client->ssl, chunk, sizeof(chunk), &n) == 1) {
            stream_fill(client->index, client->received, expected, n);
            if (memcmp(chunk, expected, n) != 0 || client->received + n > client->sent) {
                errno = EBADMSG;
                leave(client, "the bytes that came back differ");
                return false;
            }
            client->received += n;
            continue;
        }
        int error = SSL_get_error(client->ssl, 0);
        if (error == SSL_ERROR_WANT_READ) {
            return true;
        }
        bool orderly = error == SSL_ERROR_ZERO_RETURN;
        bool wanted = client->state == CLOSING && client->received == client->goal;
        leave(client, orderly && wanted ? NULL : orderly ? "closed too early" : "read");
        return false;
    }
}

static void finish(struct client *client)
{
    herd.n_bytes += client->received;
    client->state = CLOSING;
    SSL_shutdown(client->ssl);
    shutdown(client->fd, SHUT_WR);
    talk(client);
}

static void start_talking(struct client *client)
{
    client->state = TALKING;
    client->goal += herd.bytes;
    if (talk(client) && client->received == client->goal) {
        finish(client);
    }
}

static void on_open(struct client *client)
{
    client->state = OPEN;
    herd.n_open++;
    if (herd.together) {
        herd.n_unfinished--;
    } else {
        start_talking(client);
    }
}

static void on_event(struct client *client)
{
    if (client->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof(error);
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            errno = error;
            leave(client, "connect");
            return;
        }
        client->state = HANDSHAKING;
    }
    if (client->state == HANDSHAKING) {
        int result = SSL_do_handshake(client->ssl);
        if (result != 1) {
            int error = SSL_get_error(client->ssl, result);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
                leave(client, "handshake");
            } else {
                want_write(client, error == SSL_ERROR_WANT_WRITE);
            }
            return;
        }
        client->state = GREETING;
    }
    if (!talk(client)) {
        return;
    }
    if (client->state == GREETING && client->received == client->goal) {
        on_open(client);
    } else if (client->state == TALKING && client->received == client->goal) {
        finish(client);
    }
}

/* --- The herd ---------------------------------------------------------------------------------*/

static void set_up(void)
{
    herd.ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(herd.ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(herd.ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(herd.ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_locations(herd.ctx, herd.roots, NULL) != 1 ||
        (herd.cert && (SSL_CTX_use_certificate_chain_file(herd.ctx, herd.cert) != 1 ||
                       SSL_CTX_use_PrivateKey_file(herd.ctx, herd.key, SSL_FILETYPE_PEM) != 1))) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    herd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    herd.client = calloc(herd.n, sizeof(*herd.client));
    for (unsigned i = 0; i < herd.n; i++) {
        herd.client[i] = (struct client){.index = i, .fd = -1};
    }
}

static void turn(void)
{
    struct epoll_event events[256];
    while (herd.n_born < herd.n && herd.n_unfinished < herd.at_once) {
        be_born(&herd.client[herd.n_born]);
    }
    int n = epoll_wait(herd.epoll_fd, events, 256, -1);
    for (int i = 0; i < n; i++) {
        struct client *client = events[i].data.ptr;
        if (!client) {
            char byte;
            herd.stdin_ended = read(0, &byte, 1) <= 0;
        } else if (client->state != GONE) {
            on_event(client);
        }
    }
}

static void release_all(void)
{
    for (unsigned i = 0; i < herd.n; i++) {
        if (herd.client[i].state == OPEN) {
            start_talking(&herd.client[i]);
        }
    }
}

static void run_clients(void)
{
    bool released = !herd.together, told = false;
    set_up();
    if (herd.hold) {
        watch(EPOLL_CTL_ADD, 0, EPOLLIN, NULL);
    }
    while (herd.n_gone < herd.n) {
        turn();
        if (released || herd.n_open < herd.n) {
            continue;
        }
        if (herd.hold && !told) {
            told = true;
            printf("open %u\n", herd.n - herd.n_gone);
            fflush(stdout);
        }
        if (!herd.hold || herd.stdin_ended) {
            released = true;
            release_all();
        }
    }
    printf("{\"clients\": %u, \"failed\": %u, \"bytes\": %llu, \"error\": \"%s\"}\n", herd.n,
           herd.n_failed, (unsigned long long)herd.n_bytes, herd.first_error);
    free(herd.client);
    SSL_CTX_free(herd.ctx);
}

/* --- The echo server --------------------------------------------------------------------------*/

struct guest {
    int fd;
    size_t start, end;
    bool ended;
    uint8_t bytes[8192];
};

static void guest_leave(struct guest *guest)
{
    close(guest->fd);
    free(guest);
}

/* Reads when there is nothing left to send back, so one small buffer is enough. */
static void guest_turn(struct guest *guest)
{
    for (;;) {
        if (guest->start < guest->end) {
            ssize_t n = send(guest->fd, guest->bytes + guest->start, guest->end - guest->start, 0);
            if (n < 0 && errno == EAGAIN) {
                watch(EPOLL_CTL_MOD, guest->fd, EPOLLOUT, guest);
                return;
            }
            if (n < 0) {
                guest_leave(guest);
                return;
            }
            guest->start += (size_t)n;
            continue;
        }
        ssize_t n = recv(guest->fd, guest->bytes, sizeof(guest->bytes), 0);
        if (n < 0 && errno == EAGAIN) {
            watch(EPOLL_CTL_MOD, guest->fd, EPOLLIN, guest);
            return;
        }
        if (n <= 0) {
            guest_leave(guest);
            return;
        }
        guest->start = 0;
        guest->end = (size_t)n;
    }
}

static void run_echo(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 4096) != 0) {
        die("listen");
    }
    herd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, &herd);
    watch(EPOLL_CTL_ADD, 0, EPOLLIN, NULL);
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(herd.epoll_fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr) {
                exit(0); /* stdin ended: the test is over */
            }
            if (events[i].data.ptr != &herd) {
                guest_turn(events[i].data.ptr);
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                struct guest *guest = calloc(1, sizeof(*guest));
                guest->fd = fd;
                watch(EPOLL_CTL_ADD, fd, EPOLLIN, guest);
            }
        }
    }
}

/* --- The command line -------------------------------------------------------------------------*/

static const struct option_row {
    const char *name;
    bool *flag;
    const char **text;
    unsigned *number;
} options[] = {
    {"--together", &herd.together, NULL, NULL},
    {"--hold", &herd.hold, NULL, NULL},
    {"--roots", NULL, &herd.roots, NULL},
    {"--cert", NULL, &herd.cert, NULL},
    {"--key", NULL, &herd.key, NULL},
    {"--sni", NULL, &herd.sni, NULL},
    {"--n", NULL, NULL, &herd.n},
    {"--at-once", NULL, NULL, &herd.at_once},
};

static void usage(void)
{
    fputs("usage: herd echo PORT | herd clients --port P --roots FILE --n N ...\n", stderr);
    exit(2);
}

static void take_option(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(name, options[i].name) == 0) {
            if (options[i].text) {
                *options[i].text = value;
            } else {
                *options[i].number = (unsigned)strtoul(value, NULL, 10);
            }
            return;
        }
    }
    if (strcmp(name, "--port") == 0) {
        herd.port = (int)strtol(value, NULL, 10);
    } else if (strcmp(name, "--bytes") == 0) {
        herd.bytes = strtoull(value, NULL, 10);
    } else {
        usage();
    }
}

static bool take_flag(const char *name)
{
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (options[i].flag && strcmp(name, options[i].name) == 0) {
            *options[i].flag = true;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "echo") == 0) {
        raise_nofile(20000);
        run_echo((int)strtol(argv[2], NULL, 10));
    }
    if (argc < 2 || strcmp(argv[1], "clients") != 0) {
        usage();
    }
    for (int i = 2; i < argc; i++) {
        if (take_flag(argv[i])) {
            continue;
        }
        if (i + 1 == argc) {
            usage();
        }
        take_option(argv[i], argv[i + 1]);
        i++;
    }
    if (!herd.port || !herd.roots || !herd.n) {
        usage();
    }
    raise_nofile(herd.n + 64);
    run_clients();
    return herd.n_failed ? 1 : 0;
}
