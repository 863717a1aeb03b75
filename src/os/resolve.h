// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_RESOLVE_H
#define HF_OS_RESOLVE_H

/*
 * struct hf_resolver gives the addresses of names and remembers them. One a loop, used by its
 * thread alone; nothing waits.
 *
 *   fresh  younger than the TTL of its records, clamped: given at once
 *   stale  since at most stale_ms: given at once, and asked for again behind the scenes
 *   old    asked for again while whoever wants it waits
 *
 * Asking again and failing changes nothing for those who want a name: its last good answer stays
 * for as long as there is no better one. Only a name that never had an address fails.
 */

#include "os/dns.h"

#define HF_RESOLVE_TTL_MIN_MS 1000
#define HF_RESOLVE_TTL_MAX_MS (60 * 60 * 1000)
#define HF_RESOLVE_STALE_MS   30000
#define HF_RESOLVE_ADDRS_MAX  HF_DNS_ADDRS_MAX /* kept of one name */
#define HF_RESOLVE_NAMES_MAX  4096             /* remembered, unless more are in use */

struct hf_resolver;
struct hf_resolve;

struct hf_resolver_options {
    const char *servers; /* "127.0.0.1:5353,..." in place of resolv.conf's; NULL: those */
    int timeout_ms;      /* of the first try; 0: 2 s */
    int tries;           /* 0: 3 */
    int64_t min_ttl_ms;  /* also between attempts after a failure; 0: HF_RESOLVE_TTL_MIN_MS */
    int64_t max_ttl_ms;  /* 0: HF_RESOLVE_TTL_MAX_MS */
    int64_t stale_ms;    /* 0: HF_RESOLVE_STALE_MS */

    /* on_result hears of every answer and failure, for logs and metrics; may be NULL. It must not
     * free the resolver. kept: an earlier answer covers the failure. */
    void (*on_result)(void *ctx, const char *host, const struct hf_dns_answer *answer, bool kept);
    void *ctx;
};

/* hf_resolver_new: options may be NULL. Errors: those of hf_dns_new. */
enum hf_err hf_resolver_new(struct hf_loop *loop, const struct hf_resolver_options *options,
                            struct hf_resolver **out) HF_MUST_CHECK;

/* hf_resolver_free forgets what is asked without calling anybody; its struct hf_resolve are gone.
 * From within fn, too. Before hf_loop_free. NULL is fine. */
void hf_resolver_free(struct hf_resolver *resolver);

/* addrs are in order of preference (RFC 6724) with the port filled in, valid for the call. err is
 * HF_OK with n > 0, or HF_E_NOT_FOUND, HF_E_TIMEOUT, HF_E_NOMEM, HF_E_IO with hf_err_text() naming
 * the host. */
typedef void hf_resolve_fn(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n);

/* hf_resolve asks; fn is called once, later, from the loop, unless cancelled, and *out is then
 * gone. Errors: HF_E_NOMEM; HF_E_INVALID for what can't be a host name. */
enum hf_err hf_resolve(struct hf_resolver *resolver, const char *host, uint16_t port,
                       hf_resolve_fn *fn, void *ctx, struct hf_resolve **out) HF_MUST_CHECK;
void hf_resolve_cancel(struct hf_resolve *resolve);

/* hf_resolve_cached gives the addresses that are fresh or stale; 0: use hf_resolve. */
size_t hf_resolve_cached(struct hf_resolver *resolver, const char *host, uint16_t port,
                         struct hf_addr *out, size_t max);

#endif
