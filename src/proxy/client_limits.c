// SPDX-License-Identifier: Apache-2.0
#include "proxy/client_limits.h"

#include <string.h>

#include "crypto/hash.h"

enum { KIND_PLACE = 'a', KIND_IDENTITY = 'i', KIND_USER = 'u' };

enum hf_err hf_limits_extend(struct hf_limits *limits, const struct hf_cfg_limits *cfg)
{
    if (cfg->per_address.rule.interval_ns && !limits->addresses) {
        HF_TRY(hf_rate_new(&limits->addresses));
    }
    if (cfg->per_identity.rule.interval_ns && !limits->identities) {
        HF_TRY(hf_rate_new(&limits->identities));
    }
    bool counts = cfg->connections_per_address || cfg->connections_per_identity;
    return counts && !limits->connections ? hf_tally_new(&limits->connections) : HF_OK;
}

void hf_limits_done(struct hf_limits *limits)
{
    hf_rate_free(limits->addresses);
    hf_rate_free(limits->identities);
    hf_tally_free(limits->connections);
    *limits = (struct hf_limits){0};
}

/* --- Keys ---------------------------------------------------------------------------------------
 */

void hf_limit_place_of(const struct hf_addr *addr, struct hf_limit_key *out)
{
    struct hf_addr plain = *addr;
    hf_addr_unmap(&plain);
    *out = (struct hf_limit_key){.len = 2, .bytes = {KIND_PLACE, (uint8_t)plain.sa.sa_family}};
    if (plain.sa.sa_family == AF_INET) {
        memcpy(out->bytes + 2, &plain.in.sin_addr, 4);
        out->len += 4;
    } else if (plain.sa.sa_family == AF_INET6) {
        memcpy(out->bytes + 2, &plain.in6.sin6_addr, 8);
        out->len += 8;
    }
}

/* Both texts with their NUL, so that none can be moved from one to the other. */
static void hash_two(uint8_t kind, const char *one, const char *two, struct hf_limit_key *out)
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(one, strlen(one) + 1));
    hf_hash_update(&hash, hf_bytes_of(two, strlen(two) + 1));
    out->bytes[0] = kind;
    hf_hash_final(&hash, out->bytes + 1);
    out->len = sizeof(out->bytes);
}

void hf_limit_identity_of(const struct hf_identity *identity, struct hf_limit_key *out)
{
    hash_two(KIND_IDENTITY, hf_identity_display(identity), identity->issuer, out);
}

void hf_limit_user_of(const char *issuer, const char *user, struct hf_limit_key *out)
{
    hash_two(KIND_USER, issuer ? issuer : "", user, out);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

bool hf_limit_take(struct hf_rate *rate, const struct hf_cfg_rate *cfg,
                   const struct hf_limit_key *key, int64_t now_ns, int64_t *out_retry_s)
{
    int64_t wait_ns;
    *out_retry_s = 0;
    if (!rate || !cfg->rule.interval_ns ||
        hf_rate_take(rate, &cfg->rule, hf_limit_key_bytes(key), now_ns, &wait_ns)) {
        return true;
    }
    *out_retry_s = (wait_ns + INT64_C(999999999)) / INT64_C(1000000000);
    return false;
}
