// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_POLICY_JOSE_H
#define TESTS_POLICY_JOSE_H

/* An issuer of tokens for tests: keys of every kind, their JWKs, and whatever the test wants said,
 * signed. Everything that fails here ends the test. */

#include "base/buf.h"
#include "policy/jws.h"

struct issuer_key {
    const char *kid;
    const char *crv; /* "P-256" ..., "Ed25519", "RSA" */
    EVP_PKEY *key;
};

struct issuer_key issuer_key_new(const char *kid, const char *crv);
void issuer_key_done(struct issuer_key *key);

/* issuer_jwk appends the public key as a JWK, with more, such as ,"use":"sig", at its end. */
void issuer_jwk(const struct issuer_key *key, const char *more, struct hf_buf *out);

/* issuer_jwks gives {"keys":[...]} of these. The caller frees. */
char *issuer_jwks(const struct issuer_key *keys, size_t n);

/* issuer_token signs header and claims, as they are, by alg. The caller frees. */
char *issuer_token(const struct issuer_key *key, enum hf_jws_alg alg, const char *header,
                   const char *claims);

/* issuer_token_of is the usual header: alg, and the kid when the key has one. */
char *issuer_token_of(const struct issuer_key *key, enum hf_jws_alg alg, const char *claims);

/* issuer_part gives base64url of a text. The caller frees. */
char *issuer_part(const char *text);

#endif
