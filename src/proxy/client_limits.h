// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CLIENT_LIMITS_H
#define HF_PROXY_CLIENT_LIMITS_H

/*
 * struct hf_limits counts what each client of a listener takes: requests and connections, by
 * address and by identity. Outlives reloads, with the listener's struct hf_state, so that a reload
 * forgives nothing. Any thread.
 */

#include "config/config.h"
#include "policy/rate.h"

struct hf_limits {
    struct hf_rate *addresses; /* requests; NULL: never limited; likewise */
    struct hf_rate *identities;
    struct hf_tally *connections; /* of both kinds */
};

/* hf_limits_extend makes what the config asks for and isn't there yet, in *limits. On the control
 * thread, before workers see the config. Errors: HF_E_NOMEM. */
enum hf_err hf_limits_extend(struct hf_limits *limits,
                             const struct hf_cfg_limits *cfg) HF_MUST_CHECK;
void hf_limits_done(struct hf_limits *limits);

/* struct hf_limit_key is what a client is counted by. */
struct hf_limit_key {
    size_t len;
    uint8_t bytes[1 + 32];
};

/* hf_limit_place_of: an IPv4 address, an IPv6 /64 (what one customer has), all of a unix socket. */
void hf_limit_place_of(const struct hf_addr *addr, struct hf_limit_key *out);

/* hf_limit_identity_of: the name that people know a verified peer by, and which CA gave it. */
void hf_limit_identity_of(const struct hf_identity *identity, struct hf_limit_key *out);

/* hf_limit_user_of: the user of a password (issuer NULL), or the subject of a token. */
void hf_limit_user_of(const char *issuer, const char *user, struct hf_limit_key *out);

static inline struct hf_bytes hf_limit_key_bytes(const struct hf_limit_key *key)
{
    return hf_bytes_of(key->bytes, key->len);
}

/* hf_limit_take takes one request from a bucket. True where there is no limit. *out_retry_s: when
 * there will be one, at least 1. */
bool hf_limit_take(struct hf_rate *rate, const struct hf_cfg_rate *cfg,
                   const struct hf_limit_key *key, int64_t now_ns, int64_t *out_retry_s);

#endif
