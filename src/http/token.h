// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_TOKEN_H
#define HF_HTTP_TOKEN_H

/*
 * The signed token: a JWT (RFC 7519, ES256) that tells a backend who the client is, for backends
 * that don't trust the network between us. They check it with the key set that
 * hf_signer_jwks gives, which the proxy serves at a path.
 *
 *     {"alg":"ES256","kid":"<RFC 7638 thumbprint>","typ":"JWT"}
 *     {"iss":"https://edge.example.org","aud":"app","sub":"spiffe://example.org/ops","iat":...,
 *      "exp":...,"jti":"...","cnf":{"x5t#S256":"..."},"spiffe":"...","dn":"...","cn":"...",
 *      "dns":[...],"uri":[...],"email":[...],"ip":[...],"serial":"...","issuer":"...",
 *      "listener":"api"}
 *
 * struct hf_signer is immutable once made, counted by references, any thread; signing uses the
 * calling thread's struct hf_crypto.
 */

#include <openssl/evp.h>

#include "base/buf.h"
#include "http/facts.h"

#define HF_TOKEN_MAX       (8u << 10)
#define HF_SIGNER_KEYS_MAX 8

struct hf_signer;

struct hf_signer_options {
    EVP_PKEY *const *keys; /* EC P-256; the first signs, all are published. Referenced. */
    size_t n_keys;
    const char *issuer;
    int64_t lifetime_s;
    const struct hf_rng *rng; /* outlives the signer */
};

/* hf_signer_new. Errors: HF_E_INVALID in words (no key, a key that isn't P-256, too many),
 * HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_signer_new(const struct hf_signer_options *options,
                          struct hf_signer **out) HF_MUST_CHECK;
struct hf_signer *hf_signer_ref(struct hf_signer *signer);
void hf_signer_unref(struct hf_signer *signer);

/* hf_signer_jwks is the public key set (RFC 7517) as JSON; lives as long as the signer. Serve it as
 * application/jwk-set+json. */
struct hf_bytes hf_signer_jwks(const struct hf_signer *signer);

/* hf_signer_kid names the key that signs. */
const char *hf_signer_kid(const struct hf_signer *signer);

struct hf_token {
    char *text;       /* freed with hf_free */
    int64_t renew_at; /* Unix seconds: make a new one from then on */
};

/* hf_token_new signs a token for facts->identity, which must be verified. Errors: HF_E_INVALID
 * (nobody to vouch for), HF_E_TOO_LARGE beyond HF_TOKEN_MAX, HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_token_new(const struct hf_signer *signer, const struct hf_facts *facts,
                         const char *audience, struct hf_token *out) HF_MUST_CHECK;

#endif
