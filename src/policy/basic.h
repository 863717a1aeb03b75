// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_BASIC_H
#define HF_POLICY_BASIC_H

/*
 * HTTP Basic (RFC 7617): what the client sends, and the file of users that it's held against.
 *
 * Hashes are those that are slow on purpose: bcrypt ($2a$, $2b$, $2y$), yescrypt ($y$) and
 * sha512-crypt ($6$). Everything else that htpasswd can write (MD5, SHA-1, DES, plain text) is
 * refused when the file is read, and so are hashes that would take longer than about a second.
 */

#include <stdatomic.h>

#include "base/buf.h"
#include "base/secret.h"

#define HF_BASIC_MAX      1024 /* bytes of user and password together */
#define HF_HTPASSWD_MAX   (16u << 20)
#define HF_HTPASSWD_USERS 100000
#define HF_BASIC_USER_MAX 255

/* struct hf_basic is what a client claims. hf_basic_done wipes it. */
struct hf_basic {
    struct hf_secret_text user;
    struct hf_secret_text password;
};

void hf_basic_done(struct hf_basic *basic);

/* hf_basic_parse reads the part of Authorization that follows "Basic ". Errors: HF_E_MALFORMED for
 * what isn't base64 of user ":" password, or holds control characters; HF_E_TOO_LARGE;
 * HF_E_NOMEM. */
enum hf_err hf_basic_parse(struct hf_bytes credentials, struct hf_basic *out) HF_MUST_CHECK;

/* struct hf_htpasswd is the users of a file. Immutable, counted by references, any thread. */
struct hf_htpasswd;

/* hf_htpasswd_new parses lines of user ":" hash; empty ones and those that begin with "#" are
 * passed over. Errors, in words that begin with "label:line:" and quote no hash: HF_E_MALFORMED,
 * HF_E_UNSUPPORTED (a kind of hash that is refused), HF_E_EXISTS (a user twice), HF_E_INVALID (no
 * user at all), HF_E_TOO_LARGE; HF_E_NOMEM. */
enum hf_err hf_htpasswd_new(struct hf_bytes text, const char *label,
                            struct hf_htpasswd **out) HF_MUST_CHECK;
struct hf_htpasswd *hf_htpasswd_ref(struct hf_htpasswd *users);
void hf_htpasswd_unref(struct hf_htpasswd *users);

/*
 * hf_htpasswd_find gives the hash to check the password against. An unknown user gets that of some
 * user, always the same one: checking takes as long as for a known user, and *out_known says that
 * it was for nothing. Never NULL; lives as long as users.
 */
const char *hf_htpasswd_find(const struct hf_htpasswd *users, const char *user, bool *out_known);

/*
 * hf_password_check hashes the password as `hash` was made and compares, in constant time. Slow: a
 * tenth of a second, and up to 256 MiB for yescrypt at its limit. Errors: HF_E_MISMATCH,
 * HF_E_NOMEM, HF_E_CRYPTO (crypt(3) refused).
 */
enum hf_err hf_password_check(const char *hash, const char *password) HF_MUST_CHECK;

#endif
