// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_JWT_H
#define HF_POLICY_JWT_H

/*
 * Bearer tokens that are JWTs (RFC 7519) in a compact JWS (RFC 7515), in two steps:
 *
 *     hf_jwt_open    takes the token apart and checks its signature: slow, remembered
 *     hf_jwt_check   checks what it says: dates, issuer, audience, scopes, claims, and the
 *                    certificate that it is bound to (RFC 8705): quick, made each time
 *
 * The header chooses among the keys of the set that was configured, and nothing else: "jku",
 * "x5u", "jwk" and "x5c" are not looked at, "crit" is refused (RFC 7515 4.1.11), as is "b64".
 *
 * Any thread. Results are enum hf_reason: HF_REASON_OK, one of the TOKEN_ ones, or INTERNAL.
 */

#include "base/cache.h"
#include "pki/reason.h"
#include "policy/jwks.h"

#define HF_JWT_MAX 16384 /* bytes of a token */

/* struct hf_jwt is a token whose signature was good. Immutable, counted by references. What it says
 * is from a client: escape it before it is printed. */
struct hf_jwt {
    atomic_uint refs;
    enum hf_jws_alg alg;
    char *typ;      /* NULL: none */
    json_t *claims; /* owned; read only */
};

struct hf_jwt *hf_jwt_ref(struct hf_jwt *jwt);
void hf_jwt_unref(struct hf_jwt *jwt);

/* hf_jwt_cache_new makes the memory of good signatures, about n_tokens of them. What is remembered
 * goes with the key set that it was checked against: a key that was taken away is forgotten.
 * Errors: HF_E_NOMEM. */
enum hf_err hf_jwt_cache_new(size_t n_tokens, struct hf_cache **out) HF_MUST_CHECK;

struct hf_jwt_result {
    enum hf_reason reason;
    bool newer_keys; /* a newer key set may know the key: ask for one */
};

/*
 * hf_jwt_open. algs: those that are accepted; cache may be NULL. A token without "kid" is tried
 * with at most HF_JWT_TRIES_MAX keys. *out: a reference, NULL unless the reason is OK.
 */
#define HF_JWT_TRIES_MAX 4
void hf_jwt_open(struct hf_bytes token, const struct hf_jwks *set, uint32_t algs,
                 struct hf_cache *cache, struct hf_jwt_result *out_result, struct hf_jwt **out);

/* Must the token be bound to the client's certificate? */
enum hf_jwt_bound {
    HF_JWT_BOUND_IF_PRESENT, /* where it says so; other kinds of proof than x5t#S256 are refused */
    HF_JWT_BOUND_REQUIRE,
    HF_JWT_BOUND_OFF,
};

/* A claim, by its name, or by a JSON pointer (RFC 6901) when that begins with "/"; and the values
 * of which it must have one: as text, number, true or false; of a list, one member. */
struct hf_jwt_claim {
    const char *name;
    const char *const *values;
    size_t n_values;
};

/* struct hf_jwt_rules is what is asked of a token. Lists that are empty ask nothing. */
struct hf_jwt_rules {
    const char *const *issuers; /* "iss" is one of them */
    size_t n_issuers;
    const char *const *audiences; /* "aud" has one of them */
    size_t n_audiences;
    const char *const *types; /* "typ" is one of them; any case, without "application/" */
    size_t n_types;
    const char *const *scopes; /* "scope" or "scp" has all of them */
    size_t n_scopes;
    const struct hf_jwt_claim *claims; /* all of them hold */
    size_t n_claims;
    int64_t leeway_s;
    int64_t max_age_s; /* since "iat", which must then be there; 0: no limit */
    enum hf_jwt_bound bound;
};

/* hf_jwt_check. cert_sha256: of the certificate whose key the client proved to hold; NULL: none.
 * "exp" must be there, always. */
enum hf_reason hf_jwt_check(const struct hf_jwt *jwt, const struct hf_jwt_rules *rules,
                            int64_t now_s, const uint8_t *cert_sha256);

/* hf_jwt_has_scopes and hf_jwt_has_claim ask for more, after hf_jwt_check. */
bool hf_jwt_has_scopes(const struct hf_jwt *jwt, const char *const *scopes, size_t n_scopes);
bool hf_jwt_has_claim(const struct hf_jwt *jwt, const struct hf_jwt_claim *claim);

/* hf_jwt_text gives a claim that is a string; NULL otherwise. Lives as long as jwt. */
const char *hf_jwt_text(const struct hf_jwt *jwt, const char *name);

#endif
