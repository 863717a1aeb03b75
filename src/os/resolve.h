// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_RESOLVE_H
#define HF_OS_RESOLVE_H

/*
 * Names to addresses without blocking: c-ares on an event loop, with a cache. One resolver a loop,
 * used by its thread alone.
 *
 * An answer is kept for its TTL (at least HF_RESOLVE_TTL_MIN_MS, at most HF_RESOLVE_TTL_MAX_MS).
 * Just after that it still serves while it is asked for again; when asking fails, the last good
 * answer serves on. /etc/hosts and /etc/resolv.conf are honoured; the latter is read when the
 * resolver is made.
 */

#include "os/loop.h"
#include "os/sock.h"

#define HF_RESOLVE_TTL_MIN_MS 1000
#define HF_RESOLVE_TTL_MAX_MS (60 * 60 * 1000)
#define HF_RESOLVE_STALE_MS   30000 /* how long an old answer serves while a new one is fetched */
#define HF_RESOLVE_ADDRS_MAX  16    /* kept of one name */

struct hf_resolver;
struct hf_resolve;

struct hf_resolver_options {
    const char *servers; /* "127.0.0.1:5353,..." in place of resolv.conf's; NULL: those */
    int timeout_ms;      /* of the first try; 0: the default of 2 s, 3 tries */
};

/* options may be NULL. Errors: HF_E_NOMEM, HF_E_IO, HF_E_INVALID. */
enum hf_err hf_resolver_new(struct hf_loop *loop, const struct hf_resolver_options *options,
                            struct hf_resolver **out) HF_MUST_CHECK;

/* hf_resolver_free drops what is under way without calling anybody. NULL is fine. */
void hf_resolver_free(struct hf_resolver *resolver);

/* addrs are in order of preference (RFC 6724) with the port filled in, valid for the call. err is
 * HF_OK with n > 0, HF_E_NOT_FOUND or HF_E_TIMEOUT, with hf_err_text() naming the host. */
typedef void hf_resolve_fn(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n);

/* hf_resolve asks; fn is called once, later, from the loop, unless cancelled. */
enum hf_err hf_resolve(struct hf_resolver *resolver, const char *host, uint16_t port,
                       hf_resolve_fn *fn, void *ctx, struct hf_resolve **out) HF_MUST_CHECK;
void hf_resolve_cancel(struct hf_resolve *resolve);

/* hf_resolve_cached gives what the cache has (0: nothing) and has it refreshed when it is due. */
size_t hf_resolve_cached(struct hf_resolver *resolver, const char *host, uint16_t port,
                         struct hf_addr *out, size_t max);

#endif
