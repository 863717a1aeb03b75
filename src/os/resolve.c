// SPDX-License-Identifier: Apache-2.0
/*
 *   hf_resolve --> entry.waiting --answer--> resolver.told --deferred task--> fn
 *
 * One entry per name: its last good answer (n > 0) or its last failure, and until when that is
 * fresh. All who want a name while it is asked for wait in its entry, so there's one question for
 * them.
 *
 * Answers are told by a deferred task, so that fn never runs within the call that asked, nor within
 * c-ares: it may ask, cancel and free whatever it likes.
 */
#include "os/resolve.h"

#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum { HOST_MAX = 253 };

struct entry {
    struct hf_resolver *resolver;
    struct hf_link waiting; /* struct hf_resolve that wait for the answer under way */
    int64_t fresh_until_ms;
    bool asking;
    enum hf_err err;
    const char *reason; /* a constant */
    size_t n;
    struct hf_addr *addrs; /* ports are 0 */
    char host[HOST_MAX + 1];
};

struct hf_resolver {
    struct hf_loop *loop;
    struct hf_dns *dns;
    struct hf_resolver_options options;
    struct hf_map entries;
    struct hf_link told; /* struct hf_resolve to be told by the task */
    struct hf_link now;  /* those that it is telling */
    struct hf_task task;
    bool task_queued;
    bool dying;
};

struct hf_resolve {
    struct hf_link link; /* in entry->waiting, resolver->told or resolver->now */
    struct entry *entry;
    hf_resolve_fn *fn;
    void *ctx;
    uint16_t port;
};

static struct hf_resolve *resolve_of(struct hf_link *link)
{
    return HF_CONTAINER_OF(link, struct hf_resolve, link);
}

/* --- Telling -------------------------------------------------------------------------------- */

static size_t copy_addrs(const struct entry *entry, uint16_t port, struct hf_addr *out, size_t max)
{
    size_t n = entry->n < max ? entry->n : max;
    for (size_t i = 0; i < n; i++) {
        out[i] = entry->addrs[i];
        hf_addr_set_port(&out[i], port);
    }
    return n;
}

static void tell(struct hf_resolve *resolve)
{
    struct hf_addr addrs[HF_RESOLVE_ADDRS_MAX];
    const struct entry *entry = resolve->entry;
    hf_resolve_fn *fn = resolve->fn;
    void *ctx = resolve->ctx;
    size_t n = copy_addrs(entry, resolve->port, addrs, HF_RESOLVE_ADDRS_MAX);
    enum hf_err err = HF_OK;
    if (n == 0) {
        err = hf_fail(entry->err, "the name \"%s\" can't be looked up: %s", entry->host,
                      entry->reason);
    }
    hf_resolve_cancel(resolve);
    fn(ctx, err, addrs, n);
}

static void destroy(struct hf_resolver *resolver);

static void run_task(struct hf_task *task)
{
    struct hf_resolver *resolver = HF_CONTAINER_OF(task, struct hf_resolver, task);
    resolver->task_queued = false;
    hf_list_take(&resolver->told, &resolver->now); /* what fn asks for is told the next turn */
    while (!hf_list_empty(&resolver->now)) {
        tell(resolve_of(resolver->now.next));
    }
    if (resolver->dying && !resolver->task_queued) {
        destroy(resolver);
    }
}

static void queue_task(struct hf_resolver *resolver)
{
    if (!resolver->task_queued) {
        resolver->task_queued = true;
        hf_loop_defer(resolver->loop, &resolver->task);
    }
}

static void tell_soon(struct hf_resolver *resolver, struct hf_resolve *resolve)
{
    hf_list_push(&resolver->told, &resolve->link);
    queue_task(resolver);
}

/* --- Asking --------------------------------------------------------------------------------- */

/* Takes over a good answer; false: out of memory. */
static bool store(struct entry *entry, const struct hf_dns_answer *answer)
{
    struct hf_addr *addrs = hf_alloc(answer->n * sizeof(*addrs));
    if (!addrs) {
        return false;
    }
    memcpy(addrs, answer->addrs, answer->n * sizeof(*addrs));
    hf_free(entry->addrs);
    entry->addrs = addrs;
    entry->n = answer->n;
    return true;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void take_answer(struct entry *entry, const struct hf_dns_answer *answer)
{
    const struct hf_resolver_options *options = &entry->resolver->options;
    int64_t hold_ms = options->min_ttl_ms;
    entry->err = answer->err;
    entry->reason = answer->reason;
    entry->asking = false;
    if (answer->err == HF_OK && !store(entry, answer)) {
        entry->err = HF_E_NOMEM;
        entry->reason = "out of memory";
    } else if (answer->err == HF_OK) {
        hold_ms = clamp(answer->ttl_ms, options->min_ttl_ms, options->max_ttl_ms);
    }
    entry->fresh_until_ms = hf_loop_now_ms(entry->resolver->loop) + hold_ms;
}

static void on_answer(void *ctx, const struct hf_dns_answer *answer)
{
    struct entry *entry = ctx;
    struct hf_resolver *resolver = entry->resolver;
    take_answer(entry, answer);
    HF_LIST_FOREACH (&entry->waiting, link) {
        hf_link_remove(link);
        tell_soon(resolver, resolve_of(link));
    }
    if (resolver->options.on_result) {
        bool kept = entry->err != HF_OK && entry->n > 0;
        resolver->options.on_result(resolver->options.ctx, entry->host, answer, kept);
    }
}

static enum hf_err ask(struct entry *entry)
{
    if (entry->asking) {
        return HF_OK;
    }
    entry->asking = true;
    enum hf_err err = hf_dns_ask(entry->resolver->dns, entry->host, on_answer, entry);
    if (err != HF_OK) {
        entry->asking = false;
    }
    return err;
}

/* How long the entry has been stale; negative: it's fresh. */
static int64_t stale_for_ms(const struct entry *entry)
{
    return hf_loop_now_ms(entry->resolver->loop) - entry->fresh_until_ms;
}

/* May the entry's answer be given now? A stale one is asked for again on the way; when there's no
 * memory to ask, the next one who wants it tries. */
static bool is_usable(struct entry *entry)
{
    if (stale_for_ms(entry) < 0) {
        return true;
    }
    if (entry->n == 0 || stale_for_ms(entry) >= entry->resolver->options.stale_ms) {
        return false;
    }
    enum hf_err err = ask(entry);
    (void)err;
    return true;
}

/* --- Entries -------------------------------------------------------------------------------- */

static void free_entry(struct entry *entry)
{
    hf_free(entry->addrs);
    hf_free(entry);
}

/* Names compare without case. A final dot says that no search list applies, so it stays. */
static enum hf_err fold(const char *host, char out[static HOST_MAX + 1])
{
    size_t len = strlen(host);
    if (len == 0 || len > HOST_MAX) {
        return hf_fail(HF_E_INVALID, "\"%.40s\" can't be a host name: it has %zu bytes", host, len);
    }
    for (size_t i = 0; i <= len; i++) {
        out[i] = (char)tolower((unsigned char)host[i]);
    }
    return HF_OK;
}

static bool is_in(struct hf_link *list, const struct entry *entry)
{
    HF_LIST_FOREACH (list, link) {
        if (resolve_of(link)->entry == entry) {
            return true;
        }
    }
    return false;
}

static bool is_in_use(struct hf_resolver *resolver, const struct entry *entry)
{
    return entry->asking || stale_for_ms(entry) < 0 || is_in(&resolver->told, entry) ||
           is_in(&resolver->now, entry);
}

/* Forgets a name whose answer isn't fresh and that nobody waits for, when there are many. */
static void make_room(struct hf_resolver *resolver)
{
    size_t at = 0;
    struct entry *entry;
    if (resolver->entries.n_entries < HF_RESOLVE_NAMES_MAX) {
        return;
    }
    while ((entry = hf_map_next(&resolver->entries, &at))) {
        if (!is_in_use(resolver, entry)) {
            hf_map_remove(&resolver->entries, hf_bytes_str(entry->host));
            free_entry(entry);
            return;
        }
    }
}

static enum hf_err find_or_add(struct hf_resolver *resolver, const char *host, struct entry **out)
{
    *out = hf_map_get(&resolver->entries, hf_bytes_str(host));
    if (*out) {
        return HF_OK;
    }
    make_room(resolver);
    struct entry *entry = HF_NEW(struct entry);
    if (!entry || hf_map_put(&resolver->entries, hf_bytes_str(host), entry) != HF_OK) {
        hf_free(entry);
        return HF_E_NOMEM;
    }
    entry->resolver = resolver;
    entry->fresh_until_ms = INT64_MIN / 2;
    hf_list_init(&entry->waiting);
    strcpy(entry->host, host);
    *out = entry;
    return HF_OK;
}

/* --- Wanting -------------------------------------------------------------------------------- */

size_t hf_resolve_cached(struct hf_resolver *resolver, const char *host, uint16_t port,
                         struct hf_addr *out, size_t max)
{
    char folded[HOST_MAX + 1];
    if (fold(host, folded) != HF_OK) {
        return 0;
    }
    struct entry *entry = hf_map_get(&resolver->entries, hf_bytes_str(folded));
    return entry && is_usable(entry) ? copy_addrs(entry, port, out, max) : 0;
}

static enum hf_err want(struct hf_resolver *resolver, struct hf_resolve *resolve)
{
    if (is_usable(resolve->entry)) {
        tell_soon(resolver, resolve);
        return HF_OK;
    }
    hf_list_push(&resolve->entry->waiting, &resolve->link);
    return ask(resolve->entry);
}

enum hf_err hf_resolve(struct hf_resolver *resolver, const char *host, uint16_t port,
                       hf_resolve_fn *fn, void *ctx, struct hf_resolve **out)
{
    char folded[HOST_MAX + 1];
    struct entry *entry;
    HF_TRY(fold(host, folded));
    HF_TRY(find_or_add(resolver, folded, &entry));
    struct hf_resolve *resolve = HF_NEW(struct hf_resolve);
    if (!resolve) {
        return HF_E_NOMEM;
    }
    *resolve = (struct hf_resolve){.entry = entry, .fn = fn, .ctx = ctx, .port = port};
    enum hf_err err = want(resolver, resolve);
    if (err != HF_OK) {
        hf_resolve_cancel(resolve);
        return err;
    }
    *out = resolve;
    return HF_OK;
}

void hf_resolve_cancel(struct hf_resolve *resolve)
{
    if (resolve) {
        hf_link_remove(&resolve->link);
        hf_free(resolve);
    }
}

/* --- Beginning and end ---------------------------------------------------------------------- */

static void set_default(int64_t *value, int64_t fallback)
{
    *value = *value ? *value : fallback;
}

enum hf_err hf_resolver_new(struct hf_loop *loop, const struct hf_resolver_options *options,
                            struct hf_resolver **out)
{
    struct hf_resolver *resolver = HF_NEW(struct hf_resolver);
    if (!resolver) {
        return HF_E_NOMEM;
    }
    resolver->loop = loop;
    resolver->options = options ? *options : (struct hf_resolver_options){0};
    set_default(&resolver->options.min_ttl_ms, HF_RESOLVE_TTL_MIN_MS);
    set_default(&resolver->options.max_ttl_ms, HF_RESOLVE_TTL_MAX_MS);
    set_default(&resolver->options.stale_ms, HF_RESOLVE_STALE_MS);
    resolver->task.run = run_task;
    hf_list_init(&resolver->told);
    hf_list_init(&resolver->now);
    struct hf_dns_options dns = {.servers = resolver->options.servers,
                                 .timeout_ms = resolver->options.timeout_ms,
                                 .tries = resolver->options.tries};
    enum hf_err err = hf_dns_new(loop, &dns, &resolver->dns);
    if (err != HF_OK) {
        hf_free(resolver);
        return err;
    }
    *out = resolver;
    return HF_OK;
}

static void drop_all(struct hf_link *list)
{
    HF_LIST_FOREACH (list, link) {
        hf_resolve_cancel(resolve_of(link));
    }
}

static void destroy(struct hf_resolver *resolver)
{
    size_t at = 0;
    struct entry *entry;
    while ((entry = hf_map_next(&resolver->entries, &at))) {
        free_entry(entry);
    }
    hf_map_done(&resolver->entries);
    hf_free(resolver);
}

/* The memory goes with the task at the end of the turn, which may be telling somebody right now. */
void hf_resolver_free(struct hf_resolver *resolver)
{
    if (!resolver) {
        return;
    }
    size_t at = 0;
    struct entry *entry;
    hf_dns_free(resolver->dns);
    drop_all(&resolver->told);
    drop_all(&resolver->now);
    while ((entry = hf_map_next(&resolver->entries, &at))) {
        drop_all(&entry->waiting);
    }
    resolver->dying = true;
    queue_task(resolver);
}
