// SPDX-License-Identifier: Apache-2.0
/*
 * c-ares brings the protocol and no loop. It tells which of its sockets it wants to read or write
 * (on_sock_state) and when it next needs to be called (ares_timeout); we call it back for both.
 *
 * Watches are kept for reuse and freed with the rest: c-ares closes sockets while it handles an
 * event of theirs, when their watch is still in use by the loop.
 *
 * /etc/hosts is read by c-ares with each question, from the page cache; questions are rare, since
 * answers are kept (os/resolve.h).
 */
#include "os/dns.h"

#include <ares.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { TIMEOUT_MS = 2000, TRIES = 3 };

struct sock {
    struct sock *next;
    struct hf_dns *dns;
    struct hf_watch watch; /* not active: free for reuse */
};

struct hf_dns {
    struct hf_loop *loop;
    ares_channel channel;
    struct sock *socks;
    struct hf_timer timer;
    bool dying;
};

struct question {
    struct hf_dns *dns;
    void (*on_answer)(void *ctx, const struct hf_dns_answer *answer);
    void *ctx;
};

/* --- Between c-ares and the loop ------------------------------------------------------------ */

static void set_timer(struct hf_dns *dns)
{
    struct timeval left;
    if (!ares_timeout(dns->channel, NULL, &left)) {
        hf_timer_cancel(&dns->timer);
        return;
    }
    hf_timer_set(dns->loop, &dns->timer, (int64_t)left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_dns *dns = HF_CONTAINER_OF(timer, struct hf_dns, timer);
    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(dns);
}

/* A hangup is read, which tells c-ares what happened. */
static void on_event(struct hf_watch *watch, unsigned events)
{
    struct sock *sock = HF_CONTAINER_OF(watch, struct sock, watch);
    struct hf_dns *dns = sock->dns;
    int fd = watch->fd;
    bool read = events & (HF_LOOP_READ | HF_LOOP_HANGUP);
    bool write = events & HF_LOOP_WRITE;
    ares_process_fd(dns->channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    set_timer(dns);
}

static struct sock *find_sock(struct hf_dns *dns, int fd)
{
    for (struct sock *sock = dns->socks; sock; sock = sock->next) {
        if (sock->watch.active && sock->watch.fd == fd) {
            return sock;
        }
    }
    return NULL;
}

static struct sock *unused_sock(struct hf_dns *dns)
{
    for (struct sock *sock = dns->socks; sock; sock = sock->next) {
        if (!sock->watch.active) {
            return sock;
        }
    }
    struct sock *sock = HF_NEW(struct sock);
    if (sock) {
        sock->next = dns->socks;
        sock->dns = dns;
        dns->socks = sock;
    }
    return sock;
}

/* A socket that can't be watched, for want of memory, stays silent; its question times out. */
static void watch_socket(struct hf_dns *dns, int fd, unsigned wanted)
{
    struct sock *sock = unused_sock(dns);
    if (!sock) {
        return;
    }
    sock->watch = (struct hf_watch){.fd = fd, .wanted = wanted, .on_event = on_event};
    enum hf_err err = hf_watch_add(dns->loop, &sock->watch);
    (void)err;
}

static void on_sock_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct hf_dns *dns = data;
    struct sock *sock = find_sock(dns, fd);
    unsigned wanted = (readable ? HF_LOOP_READ : 0u) | (writable ? HF_LOOP_WRITE : 0u);
    if (sock && wanted == 0) {
        hf_watch_remove(dns->loop, &sock->watch);
    } else if (sock) {
        hf_watch_want(dns->loop, &sock->watch, wanted);
    } else if (wanted) {
        watch_socket(dns, fd, wanted);
    }
}

/* --- Answers -------------------------------------------------------------------------------- */

static enum hf_err err_of_status(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return HF_OK;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
    case ARES_EBADNAME:
        return HF_E_NOT_FOUND;
    case ARES_ETIMEOUT:
        return HF_E_TIMEOUT;
    case ARES_ENOMEM:
        return HF_E_NOMEM;
    default:
        return HF_E_IO;
    }
}

static bool has_addr(const struct hf_dns_answer *answer, const struct hf_addr *addr)
{
    for (size_t i = 0; i < answer->n; i++) {
        if (hf_addr_eq(&answer->addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

static void add_addr(struct hf_dns_answer *answer, const struct ares_addrinfo_node *node)
{
    struct hf_addr addr = {.len = node->ai_addrlen};
    bool ip = node->ai_family == AF_INET || node->ai_family == AF_INET6;
    if (!ip || node->ai_addrlen > sizeof(addr.storage)) {
        return;
    }
    memcpy(&addr.storage, node->ai_addr, node->ai_addrlen);
    hf_addr_set_port(&addr, 0);
    if (answer->n < HF_DNS_ADDRS_MAX && !has_addr(answer, &addr)) {
        answer->addrs[answer->n++] = addr;
    }
}

static void fill(struct hf_dns_answer *answer, const struct ares_addrinfo *info)
{
    int64_t ttl = INT64_MAX;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        add_addr(answer, node);
        ttl = node->ai_ttl < ttl ? node->ai_ttl : ttl;
    }
    for (const struct ares_addrinfo_cname *name = info->cnames; name; name = name->next) {
        ttl = name->ttl < ttl ? name->ttl : ttl;
    }
    answer->ttl_ms = ttl > 0 && ttl <= INT32_MAX ? ttl * 1000 : 0;
    if (answer->n == 0) {
        answer->err = HF_E_NOT_FOUND;
        answer->reason = ares_strerror(ARES_ENODATA);
    }
}

static void on_ares_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    struct question *question = arg;
    struct hf_dns_answer answer = {.err = err_of_status(status), .reason = ares_strerror(status)};
    if (answer.err == HF_OK) {
        fill(&answer, info);
    }
    ares_freeaddrinfo(info);
    if (!question->dns->dying) {
        question->on_answer(question->ctx, &answer);
    }
    hf_free(question);
}

enum hf_err hf_dns_ask(struct hf_dns *dns, const char *name,
                       void (*on_answer)(void *ctx, const struct hf_dns_answer *answer), void *ctx)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};
    struct hf_dns_answer answer = {.reason = ares_strerror(ARES_SUCCESS), .n = 1};
    if (hf_addr_parse_ip(name, 0, &answer.addrs[0]) == HF_OK) {
        on_answer(ctx, &answer); /* c-ares 1.18 would ask a server for its IPv6 address */
        return HF_OK;
    }
    struct question *question = HF_NEW(struct question);
    if (!question) {
        return HF_E_NOMEM;
    }
    *question = (struct question){dns, on_answer, ctx};
    ares_getaddrinfo(dns->channel, name, NULL, &hints, on_ares_answer, question);
    set_timer(dns);
    return HF_OK;
}

/* --- Beginning and end ---------------------------------------------------------------------- */

static int library_status;

static void init_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static enum hf_err fail_status(int status, const char *what)
{
    enum hf_err err = err_of_status(status);
    return hf_fail(err == HF_E_NOMEM ? err : HF_E_IO, "%s: %s", what, ares_strerror(status));
}

static enum hf_err open_channel(struct hf_dns *dns, const struct hf_dns_options *given)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ares_options options = {
        .timeout = given->timeout_ms ? given->timeout_ms : TIMEOUT_MS,
        .tries = given->tries ? given->tries : TRIES,
        .sock_state_cb = on_sock_state,
        .sock_state_cb_data = dns,
    };
    pthread_once(&once, init_library);
    if (library_status != ARES_SUCCESS) {
        return fail_status(library_status, "ares_library_init");
    }
    int status = ares_init_options(&dns->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        dns->channel = NULL;
        return fail_status(status, "the resolver can't start");
    }
    if (given->servers &&
        ares_set_servers_ports_csv(dns->channel, given->servers) != ARES_SUCCESS) {
        return hf_fail(HF_E_INVALID, "\"%.100s\" is no list of name servers", given->servers);
    }
    return HF_OK;
}

enum hf_err hf_dns_new(struct hf_loop *loop, const struct hf_dns_options *options,
                       struct hf_dns **out)
{
    static const struct hf_dns_options defaults;
    struct hf_dns *dns = HF_NEW(struct hf_dns);
    if (!dns) {
        return HF_E_NOMEM;
    }
    dns->loop = loop;
    dns->timer.on_due = on_timer;
    enum hf_err err = open_channel(dns, options ? options : &defaults);
    if (err != HF_OK) {
        hf_dns_free(dns);
        return err;
    }
    *out = dns;
    return HF_OK;
}

void hf_dns_free(struct hf_dns *dns)
{
    if (!dns) {
        return;
    }
    dns->dying = true;
    if (dns->channel) {
        ares_destroy(dns->channel);
    }
    hf_timer_cancel(&dns->timer);
    for (struct sock *sock = dns->socks; sock;) {
        struct sock *next = sock->next;
        hf_watch_remove(dns->loop, &sock->watch);
        hf_free(sock);
        sock = next;
    }
    hf_free(dns);
}
