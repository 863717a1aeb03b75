// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_WEAK_KEY_H
#define HF_CA_WEAK_KEY_H

/*
 * Keys that no certificate may be made for, though they are well formed:
 *
 *     RSA: even or tiny exponents, a modulus that is even, prime, a power or has a small factor
 *          (SP 800-89 5.3.3), two primes so close that Fermat's method finds them, the fingerprint
 *          of ROCA (CVE-2017-15361), a prime shared with another key
 *     Ed25519: points of small order, encodings that aren't canonical
 *     EC: small multiples of the generator
 *     all: keys on a list, such as Debian's of 2008 (CVE-2008-0166), and keys published as examples
 *
 * docs/ca-profiles.md says where lists come from: none comes with us but the published examples.
 */

#include "ca/public_key.h"
#include "ca/refusal.h"

/*
 * struct hf_key_list is a set of keys that are known to others. Lines of a text file: 20 hex digits
 * (as openssl-blacklist has them: the end of the SHA-1 of "Modulus=..." as `openssl rsa -modulus`
 * prints it), or 64 (SHA-256 of the SubjectPublicKeyInfo); "#" begins a comment. Immutable once it
 * is filled; any thread.
 */
struct hf_key_list;

enum hf_err hf_key_list_new(struct hf_key_list **out) HF_MUST_CHECK;
void hf_key_list_free(struct hf_key_list *list);

/* hf_key_list_add reads a file's text. Errors: HF_E_MALFORMED with file and line, HF_E_TOO_LARGE
 * (more than 16 million keys), HF_E_NOMEM. */
enum hf_err hf_key_list_add(struct hf_key_list *list, struct hf_bytes text,
                            const char *label) HF_MUST_CHECK;

/* hf_key_list_add_key adds one, such as a key whose certificate was revoked for keyCompromise. */
enum hf_err hf_key_list_add_key(struct hf_key_list *list,
                                const uint8_t spki_sha256[static 32]) HF_MUST_CHECK;
size_t hf_key_list_count(const struct hf_key_list *list);
bool hf_key_list_has(const struct hf_key_list *list, const struct hf_public_key *key);

/*
 * struct hf_moduli is the RSA moduli of all certificates of a CA, kept as products, so that a new
 * one is held against all of them at once (batch gcd). One thread at a time may add, while none
 * checks.
 */
struct hf_moduli;

enum hf_err hf_moduli_new(struct hf_moduli **out) HF_MUST_CHECK;
void hf_moduli_free(struct hf_moduli *moduli);

/* hf_moduli_add takes a modulus; id is the caller's, to find the certificate again. Errors:
 * HF_E_NOMEM. */
enum hf_err hf_moduli_add(struct hf_moduli *moduli, struct hf_bytes modulus,
                          int64_t id) HF_MUST_CHECK;
size_t hf_moduli_count(const struct hf_moduli *moduli);

/* hf_moduli_check: does the modulus share a prime with another one? *out_id is then the other's.
 * The very same modulus is no finding. Errors: HF_E_NOMEM, HF_E_CRYPTO. */
enum hf_err hf_moduli_check(const struct hf_moduli *moduli, struct hf_bytes modulus,
                            bool *out_shared, int64_t *out_id) HF_MUST_CHECK;

/* What a key is held against; both may be NULL. */
struct hf_weak_key_lists {
    const struct hf_key_list *known;
    const struct hf_moduli *moduli;
};

/* hf_weak_key_check gives HF_OK for a good key. Errors: HF_E_INVALID in words (*out_why WEAK_KEY or
 * KNOWN_KEY), HF_E_NOMEM, HF_E_CRYPTO. *out_shared_with, which may be NULL, is the id of a key that
 * shares a prime: whoever has both certificates has both private keys, so that one is to be revoked
 * too; -1: none. */
enum hf_err hf_weak_key_check(const struct hf_public_key *key,
                              const struct hf_weak_key_lists *lists, enum hf_refusal *out_why,
                              int64_t *out_shared_with) HF_MUST_CHECK;

#endif
