// SPDX-License-Identifier: Apache-2.0
/*
 * probe PORT CERT KEY REQUEST [SUITE GROUP]: the native engine as a client of a server on loopback,
 * twice: in full, then with the ticket that came. Prints for each whether it was resumed, suite,
 * group, and what the server answered. It offers everything, or this suite or group alone ("any":
 * all). It believes any server: whether chains are good is tested elsewhere.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "tls/tls.h"

enum { CAP = 1 << 20 };

static void need(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "probe: %s: %s\n", what, hf_err_text());
        exit(1);
    }
}

static struct hf_tls_answer admit(void *conn_ctx, const struct hf_tls_peer *peer)
{
    (void)conn_ctx;
    return (struct hf_tls_answer){.admit = peer->chain != NULL};
}

static struct hf_bytes read_file(const char *path)
{
    static uint8_t files[2][65536];
    static size_t n_files;
    FILE *file = fopen(path, "rb");
    need(file != NULL, path);
    uint8_t *bytes = files[n_files++ % 2];
    size_t n = fread(bytes, 1, sizeof(files[0]), file);
    fclose(file);
    return hf_bytes_of(bytes, n);
}

static const char *only(const char *word)
{
    return strcmp(word, "any") == 0 ? NULL : word;
}

static struct hf_tls_ctx *make_context(const char *cert, const char *key, const char *suites,
                                       const char *groups)
{
    const struct hf_credential_source source = {
        .cert = read_file(cert), .cert_label = cert, .key = read_file(key), .key_label = key};
    struct hf_credential *credential;
    struct hf_tls_ctx *ctx;
    need(hf_credential_new(&source, &credential) == HF_OK, "credential");
    const struct hf_tls_client_config config = {
        .common = {.engine = HF_TLS_ENGINE_NATIVE,
                   .min_version = HF_TLS_1_3,
                   .max_version = HF_TLS_1_3,
                   .suites = suites,
                   .groups = groups,
                   .clock = &hf_os_clock,
                   .rng = &hf_os_rng},
        .identities = &credential,
        .n_identities = 1,
        .judge = {admit},
    };
    need(hf_tls_client_ctx_new(&config, &ctx) == HF_OK, "context");
    hf_credential_unref(credential);
    return ctx;
}

struct probe {
    struct hf_tls *tls;
    struct hf_buf in, out;
    int fd;
    bool eof;
};

static void flush(struct probe *probe)
{
    struct hf_bytes bytes = hf_buf_bytes(&probe->out);
    if (bytes.len) {
        need(write(probe->fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len, "write");
        hf_buf_reset(&probe->out);
    }
}

static void fill(struct probe *probe)
{
    struct hf_span room;
    need(hf_buf_reserve(&probe->in, 16384, &room) == HF_OK, "buffer");
    ssize_t n = read(probe->fd, room.ptr, room.len);
    probe->eof = n <= 0;
    hf_buf_commit(&probe->in, n > 0 ? (size_t)n : 0);
}

/* Reads when `into` has room, else shakes hands. */
static enum hf_tls_step go_on(struct probe *probe, struct hf_span into, size_t *n)
{
    struct hf_tls_io io = {
        hf_span_of(probe->in.mem ? probe->in.mem + probe->in.start : NULL, hf_buf_len(&probe->in)),
        &probe->out};
    enum hf_tls_step step =
        into.len ? hf_tls_read(probe->tls, &io, into, n) : hf_tls_handshake(probe->tls, &io);
    hf_buf_consume(&probe->in, hf_buf_len(&probe->in) - io.in.len);
    flush(probe);
    if (step == HF_TLS_FAILED) {
        fprintf(stderr, "probe: %s\n", hf_tls_failure(probe->tls)->text);
        exit(1);
    }
    if (step == HF_TLS_WANT_INPUT) {
        fill(probe);
    }
    return step;
}

static int connect_to(const char *port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(port)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(connect(fd, (const void *)&address, sizeof(address)) == 0, "connect");
    return fd;
}

static void answer(struct probe *probe, const char *request)
{
    static uint8_t bytes[16384];
    struct hf_tls_io io = {{NULL, 0}, &probe->out};
    size_t n = 0;
    need(hf_tls_write(probe->tls, &io, hf_bytes_str(request), &n) == HF_TLS_DONE, "request");
    flush(probe);
    for (enum hf_tls_step step = HF_TLS_DONE; step != HF_TLS_CLOSED && !probe->eof;) {
        n = 0;
        step = go_on(probe, hf_span_of(bytes, sizeof(bytes)), &n);
        fwrite(bytes, 1, n, stdout);
    }
}

static struct hf_tls_session *run(struct hf_tls_ctx *ctx, const char *port, const char *request,
                                  struct hf_tls_session *offer)
{
    struct probe probe = {.in = HF_BUF_INIT(CAP), .out = HF_BUF_INIT(CAP), .fd = connect_to(port)};
    struct hf_tls_info info;
    need(hf_tls_new_client(ctx, NULL, "server.example", offer, &probe.tls) == HF_OK, "connection");
    hf_tls_session_free(offer);
    while (go_on(&probe, hf_span_of(NULL, 0), NULL) != HF_TLS_DONE) {
        need(!probe.eof, "the server closed during the handshake");
    }
    hf_tls_info(probe.tls, &info);
    printf("%s %s %s\n", info.resumed ? "resumed" : "full", info.suite, info.group);
    answer(&probe, request);
    struct hf_tls_session *session = hf_tls_take_session(probe.tls);
    hf_tls_free(probe.tls);
    hf_buf_done(&probe.in);
    hf_buf_done(&probe.out);
    close(probe.fd);
    return session;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 7) {
        fprintf(stderr, "usage: probe PORT CERT KEY REQUEST [SUITE GROUP]\n");
        return 2;
    }
    struct hf_tls_ctx *ctx = make_context(argv[2], argv[3], argc > 5 ? only(argv[5]) : NULL,
                                          argc > 6 ? only(argv[6]) : NULL);
    struct hf_tls_session *session = run(ctx, argv[1], argv[4], NULL);
    hf_tls_session_free(run(ctx, argv[1], argv[4], session));
    hf_tls_ctx_unref(ctx);
    return 0;
}
