// SPDX-License-Identifier: Apache-2.0
/*
 *      hf_resolve --> entry (cache) --fresh or just stale--> told at the end of the loop's turn
 *                        |
 *                        +--missing or old--> one c-ares query, shared by all who wait
 *
 * c-ares tells which of its descriptors it wants watched; each gets a watch of ours. Its timers run
 * on one timer of ours.
 */
#include "os/resolve.h"

#include <ares.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum { TIMEOUT_MS = 2000, TRIES = 3, POLL_MAX_MS = 1000 };

/* One of c-ares' descriptors. */
struct ares_watch {
    struct hf_watch watch;
    struct hf_link link;
    struct hf_resolver *resolver;
};

struct hf_resolver {
    struct hf_loop *loop;
    ares_channel channel;
    struct hf_timer timer;
    struct hf_link watches;
    struct hf_link told; /* struct hf_resolve whose answer is known: told at the end of the turn */
    struct hf_task tell;
    bool tell_queued;
    bool closing;
    struct hf_map entries;
};

struct entry {
    struct hf_resolver *resolver;
    struct hf_link waiting;
    struct hf_addr addrs[HF_RESOLVE_ADDRS_MAX]; /* ports are 0 */
    size_t n_addrs;
    int64_t good_until_ms;
    bool asking;
    char host[];
};

struct hf_resolve {
    struct hf_link link; /* in entry->waiting, or resolver->told */
    struct entry *entry;
    hf_resolve_fn *fn;
    void *ctx;
    uint16_t port;
    enum hf_err err;
};

/* --- c-ares on the loop -------------------------------------------------------------------------
 */

static void rearm(struct hf_resolver *resolver)
{
    struct timeval left;
    struct timeval most = {.tv_sec = POLL_MAX_MS / 1000};
    struct timeval *next = ares_timeout(resolver->channel, &most, &left);
    if (hf_list_empty(&resolver->watches) || !next) {
        hf_timer_cancel(&resolver->timer);
        return;
    }
    hf_timer_set(resolver->loop, &resolver->timer, next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_resolver *resolver = HF_CONTAINER_OF(timer, struct hf_resolver, timer);
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    rearm(resolver);
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct ares_watch *own = HF_CONTAINER_OF(watch, struct ares_watch, watch);
    struct hf_resolver *resolver = own->resolver;
    int fd = watch->fd;
    bool readable = events & (HF_LOOP_READ | HF_LOOP_HANGUP);
    bool writable = events & (HF_LOOP_WRITE | HF_LOOP_HANGUP);
    ares_process_fd(resolver->channel, readable ? fd : ARES_SOCKET_BAD,
                    writable ? fd : ARES_SOCKET_BAD);
    rearm(resolver); /* `own` may be gone */
}

static struct ares_watch *watch_of(struct hf_resolver *resolver, int fd)
{
    HF_LIST_FOREACH (&resolver->watches, link) {
        struct ares_watch *own = HF_CONTAINER_OF(link, struct ares_watch, link);
        if (own->watch.fd == fd) {
            return own;
        }
    }
    return NULL;
}

static void unwatch(struct ares_watch *own)
{
    hf_watch_remove(own->resolver->loop, &own->watch);
    hf_link_remove(&own->link);
    hf_free(own);
}

/* c-ares has no way to be told that watching failed: the query then ends by its timeout. */
static void on_sock_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct hf_resolver *resolver = data;
    struct ares_watch *own = watch_of(resolver, fd);
    unsigned wanted = (readable ? HF_LOOP_READ : 0u) | (writable ? HF_LOOP_WRITE : 0u);
    if (own && wanted) {
        hf_watch_want(resolver->loop, &own->watch, wanted);
        return;
    }
    if (own) {
        unwatch(own);
        return;
    }
    own = wanted ? HF_NEW(struct ares_watch) : NULL;
    if (!own) {
        return;
    }
    own->resolver = resolver;
    own->watch = (struct hf_watch){.fd = fd, .wanted = wanted, .on_event = on_event};
    hf_list_push(&resolver->watches, &own->link);
    if (hf_watch_add(resolver->loop, &own->watch) != HF_OK) {
        unwatch(own);
    }
}

/* --- Telling ------------------------------------------------------------------------------------
 */

static void tell_one(struct hf_resolve *resolve)
{
    struct entry *entry = resolve->entry;
    struct hf_addr addrs[HF_RESOLVE_ADDRS_MAX];
    hf_link_remove(&resolve->link);
    size_t n = resolve->err == HF_OK ? entry->n_addrs : 0;
    for (size_t i = 0; i < n; i++) {
        addrs[i] = entry->addrs[i];
        bool v4 = addrs[i].sa.sa_family == AF_INET;
        *(v4 ? &addrs[i].in.sin_port : &addrs[i].in6.sin6_port) = htons(resolve->port);
    }
    if (resolve->err == HF_E_TIMEOUT) {
        (void)hf_fail(HF_E_TIMEOUT, "no answer from the name servers for \"%.100s\"", entry->host);
    } else if (resolve->err != HF_OK) {
        (void)hf_fail(resolve->err, "the name \"%.100s\" has no address", entry->host);
    }
    hf_resolve_fn *fn = resolve->fn;
    void *ctx = resolve->ctx;
    enum hf_err err = resolve->err;
    hf_free(resolve);
    fn(ctx, err, addrs, n);
}

static void tell_all(struct hf_task *task)
{
    struct hf_resolver *resolver = HF_CONTAINER_OF(task, struct hf_resolver, tell);
    struct hf_link now;
    resolver->tell_queued = false;
    hf_list_init(&now);
    HF_LIST_FOREACH (&resolver->told, link) {
        hf_link_remove(link);
        hf_list_push(&now, link);
    }
    while (!hf_list_empty(&now)) { /* one told may cancel another, which leaves the list then */
        tell_one(HF_CONTAINER_OF(now.next, struct hf_resolve, link));
    }
}

static void tell_soon(struct hf_resolver *resolver, struct hf_resolve *resolve, enum hf_err err)
{
    resolve->err = err;
    hf_link_remove(&resolve->link);
    hf_list_push(&resolver->told, &resolve->link);
    if (!resolver->tell_queued) {
        resolver->tell_queued = true;
        hf_loop_post(resolver->loop, &resolver->tell);
    }
}

/* --- Asking -------------------------------------------------------------------------------------
 */

static bool take_addr(const struct ares_addrinfo_node *node, struct hf_addr *out)
{
    if ((node->ai_family != AF_INET && node->ai_family != AF_INET6) ||
        node->ai_addrlen > sizeof(out->storage)) {
        return false;
    }
    *out = (struct hf_addr){.len = (socklen_t)node->ai_addrlen};
    memcpy(&out->storage, node->ai_addr, (size_t)node->ai_addrlen);
    return true;
}

static void take_answer(struct entry *entry, const struct ares_addrinfo *info)
{
    int64_t ttl_ms = HF_RESOLVE_TTL_MAX_MS;
    entry->n_addrs = 0;
    for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
        if (entry->n_addrs < HF_RESOLVE_ADDRS_MAX &&
            take_addr(node, &entry->addrs[entry->n_addrs])) {
            entry->n_addrs++;
        }
        if (node->ai_ttl * 1000ll < ttl_ms) {
            ttl_ms = node->ai_ttl * 1000ll;
        }
    }
    ttl_ms = ttl_ms < HF_RESOLVE_TTL_MIN_MS ? HF_RESOLVE_TTL_MIN_MS : ttl_ms;
    entry->good_until_ms = hf_loop_now_ms(entry->resolver->loop) + ttl_ms;
}

static enum hf_err err_of(int status)
{
    return status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED ? HF_E_TIMEOUT : HF_E_NOT_FOUND;
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct entry *entry = arg;
    struct hf_resolver *resolver = entry->resolver;
    (void)timeouts;
    entry->asking = false;
    if (resolver->closing) {
        ares_freeaddrinfo(info);
        return;
    }
    enum hf_err err = HF_OK;
    if (status == ARES_SUCCESS && info && info->nodes) {
        take_answer(entry, info);
    } else {
        /* The last good answer serves on; asked again soon, but not by every connection. */
        err = entry->n_addrs ? HF_OK : err_of(status);
        entry->good_until_ms = hf_loop_now_ms(resolver->loop) + HF_RESOLVE_TTL_MIN_MS;
    }
    ares_freeaddrinfo(info);
    HF_LIST_FOREACH (&entry->waiting, link) {
        tell_soon(resolver, HF_CONTAINER_OF(link, struct hf_resolve, link), err);
    }
}

static void ask(struct entry *entry)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};
    struct hf_resolver *resolver = entry->resolver;
    if (!entry->asking) {
        entry->asking = true;
        ares_getaddrinfo(resolver->channel, entry->host, NULL, &hints, on_answer, entry);
        rearm(resolver);
    }
}

static struct entry *entry_get(struct hf_resolver *resolver, const char *host)
{
    struct entry *entry = hf_map_get(&resolver->entries, hf_bytes_str(host));
    if (entry) {
        return entry;
    }
    size_t size = strlen(host) + 1;
    entry = hf_alloc_zero(1, sizeof(*entry) + size);
    if (!entry) {
        return NULL;
    }
    entry->resolver = resolver;
    hf_list_init(&entry->waiting);
    memcpy(entry->host, host, size);
    if (hf_map_put(&resolver->entries, hf_bytes_str(host), entry) != HF_OK) {
        hf_free(entry);
        return NULL;
    }
    return entry;
}

/* May the entry's addresses be used now? Has it refreshed when it is due. */
static bool usable(struct entry *entry)
{
    int64_t over_ms = hf_loop_now_ms(entry->resolver->loop) - entry->good_until_ms;
    if (!entry->n_addrs) {
        return false;
    }
    if (over_ms >= 0) {
        ask(entry);
    }
    return over_ms < HF_RESOLVE_STALE_MS;
}

enum hf_err hf_resolve(struct hf_resolver *resolver, const char *host, uint16_t port,
                       hf_resolve_fn *fn, void *ctx, struct hf_resolve **out)
{
    struct entry *entry = entry_get(resolver, host);
    struct hf_resolve *resolve = entry ? HF_NEW(struct hf_resolve) : NULL;
    if (!resolve) {
        return HF_E_NOMEM;
    }
    *resolve = (struct hf_resolve){.entry = entry, .fn = fn, .ctx = ctx, .port = port};
    *out = resolve;
    bool known_bad =
        !entry->n_addrs && !entry->asking && hf_loop_now_ms(resolver->loop) < entry->good_until_ms;
    if (usable(entry)) {
        tell_soon(resolver, resolve, HF_OK);
    } else if (known_bad) {
        tell_soon(resolver, resolve, HF_E_NOT_FOUND);
    } else {
        hf_list_push(&entry->waiting, &resolve->link);
        ask(entry); /* may answer at once, from /etc/hosts */
    }
    return HF_OK;
}

void hf_resolve_cancel(struct hf_resolve *resolve)
{
    hf_link_remove(&resolve->link);
    hf_free(resolve);
}

size_t hf_resolve_cached(struct hf_resolver *resolver, const char *host, uint16_t port,
                         struct hf_addr *out, size_t max)
{
    struct entry *entry = hf_map_get(&resolver->entries, hf_bytes_str(host));
    size_t n = 0;
    if (!entry || !usable(entry)) {
        return 0;
    }
    for (; n < entry->n_addrs && n < max; n++) {
        out[n] = entry->addrs[n];
        bool v4 = out[n].sa.sa_family == AF_INET;
        *(v4 ? &out[n].in.sin_port : &out[n].in6.sin6_port) = htons(port);
    }
    return n;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void init_library(void)
{
    library_status = ares_library_init(ARES_LIB_INIT_ALL);
}

static enum hf_err open_channel(struct hf_resolver *resolver,
                                const struct hf_resolver_options *options)
{
    struct ares_options ares = {
        .timeout = options && options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
        .tries = TRIES,
        .sock_state_cb = on_sock_state,
        .sock_state_cb_data = resolver,
    };
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&resolver->channel, &ares, mask);
    if (status != ARES_SUCCESS) {
        resolver->channel = NULL;
        return hf_fail(HF_E_IO, "the resolver can't start: %s", ares_strerror(status));
    }
    if (options && options->servers) {
        status = ares_set_servers_ports_csv(resolver->channel, options->servers);
        if (status != ARES_SUCCESS) {
            return hf_fail(HF_E_INVALID, "name servers \"%s\": %s", options->servers,
                           ares_strerror(status));
        }
    }
    return HF_OK;
}

enum hf_err hf_resolver_new(struct hf_loop *loop, const struct hf_resolver_options *options,
                            struct hf_resolver **out)
{
    pthread_once(&library_once, init_library);
    if (library_status != ARES_SUCCESS) {
        return hf_fail(HF_E_IO, "c-ares: %s", ares_strerror(library_status));
    }
    struct hf_resolver *resolver = HF_NEW(struct hf_resolver);
    if (!resolver) {
        return HF_E_NOMEM;
    }
    resolver->loop = loop;
    resolver->timer.on_due = on_timer;
    resolver->tell.run = tell_all;
    hf_list_init(&resolver->watches);
    hf_list_init(&resolver->told);
    enum hf_err err = open_channel(resolver, options);
    if (err != HF_OK) {
        hf_resolver_free(resolver);
        return err;
    }
    *out = resolver;
    return HF_OK;
}

static void free_all(struct hf_link *list)
{
    HF_LIST_FOREACH (list, link) {
        hf_resolve_cancel(HF_CONTAINER_OF(link, struct hf_resolve, link));
    }
}

void hf_resolver_free(struct hf_resolver *resolver)
{
    if (!resolver) {
        return;
    }
    resolver->closing = true;
    if (resolver->channel) {
        ares_destroy(resolver->channel); /* calls on_answer for what is under way */
    }
    hf_timer_cancel(&resolver->timer);
    free_all(&resolver->told);
    size_t at = 0;
    for (struct entry *entry; (entry = hf_map_next(&resolver->entries, &at));) {
        free_all(&entry->waiting);
        hf_free(entry);
    }
    hf_map_done(&resolver->entries);
    hf_free(resolver);
}
