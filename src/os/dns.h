// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_DNS_H
#define HF_OS_DNS_H

/*
 * struct hf_dns asks for the addresses of names over c-ares on a loop: A and AAAA together,
 * /etc/hosts and the search list of resolv.conf as the system has them. Nothing waits; nothing is
 * cached: that is os/resolve.h, which most code wants.
 */

#include "os/loop.h"
#include "os/sock.h"

/* More addresses than this of one name are left out. */
#define HF_DNS_ADDRS_MAX 32

struct hf_dns;

struct hf_dns_options {
    const char *servers; /* "127.0.0.1:5353,[::1]:53"; NULL: those of /etc/resolv.conf */
    int timeout_ms;      /* of the first try; doubles with each; 0: 2000 */
    int tries;           /* 0: 3 */
};

struct hf_dns_answer {
    enum hf_err err; /* HF_E_NOT_FOUND, HF_E_TIMEOUT, HF_E_NOMEM, HF_E_IO for the rest */
    const char *reason;
    int64_t ttl_ms;                         /* the least of all records; 0 from /etc/hosts */
    size_t n;                               /* at least 1 when err is HF_OK */
    struct hf_addr addrs[HF_DNS_ADDRS_MAX]; /* port 0; the order is the one to try (RFC 6724) */
};

/* hf_dns_new reads resolv.conf once: a new one is made to see a changed file. options may be NULL.
 * Errors: HF_E_NOMEM, HF_E_INVALID for servers, HF_E_IO. */
enum hf_err hf_dns_new(struct hf_loop *loop, const struct hf_dns_options *options,
                       struct hf_dns **out) HF_MUST_CHECK;

/* hf_dns_free forgets all questions: their callbacks are not called. Not from within a callback. */
void hf_dns_free(struct hf_dns *dns);

/* hf_dns_ask calls on_answer once, possibly before it returns. Errors: HF_E_NOMEM; then it doesn't.
 */
enum hf_err hf_dns_ask(struct hf_dns *dns, const char *name,
                       void (*on_answer)(void *ctx, const struct hf_dns_answer *answer),
                       void *ctx) HF_MUST_CHECK;

#endif
