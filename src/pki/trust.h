// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_TRUST_H
#define HF_PKI_TRUST_H

/*
 * struct hf_trust is whom we believe: roots, the names of CAs told to clients, and limits.
 * Verifying a chain against it is a pure function of (trust, chain, usage, name, time). Immutable,
 * counted by references, any thread.
 */

#include "pki/identity.h"
#include "pki/reason.h"

/* The encoded certificate_authorities beyond which many clients fail. */
#define HF_TRUST_NAMES_MAX (16u << 10)

enum hf_usage { HF_USAGE_CLIENT, HF_USAGE_SERVER, HF_USAGE_ANY };
enum hf_trust_names { HF_TRUST_NAMES_FROM_ROOTS, HF_TRUST_NAMES_NONE, HF_TRUST_NAMES_FILE };

struct hf_trust;

struct hf_trust_source {
    const char *name;      /* of the trust in the config, for messages */
    struct hf_bytes roots; /* PEM, several; or one DER */
    const char *roots_label;
    enum hf_trust_names names;
    struct hf_bytes names_file; /* PEM certificates whose subjects are sent */
    const char *names_label;
    unsigned depth; /* CA certificates allowed between leaf and root, root not counted */
};

/* hf_trust_new parses. Errors: HF_E_MALFORMED, HF_E_INVALID (no CA certificate in roots). */
enum hf_err hf_trust_new(const struct hf_trust_source *source, struct hf_trust **out) HF_MUST_CHECK;
struct hf_trust *hf_trust_ref(struct hf_trust *trust);
void hf_trust_unref(struct hf_trust *trust);

const char *hf_trust_name(const struct hf_trust *trust);
const struct hf_chain *hf_trust_roots(const struct hf_trust *trust); /* may pass HF_CHAIN_MAX */

/* hf_trust_id is a hash of everything that verification depends on: roots and limits. */
const uint8_t *hf_trust_id(const struct hf_trust *trust);

/* hf_trust_names_der gives the DER Names to send, none when the mode is none or the list would pass
 * HF_TRUST_NAMES_MAX; *out_too_long says that the latter happened. */
size_t hf_trust_names_der(const struct hf_trust *trust, const struct hf_bytes **out_names,
                          bool *out_too_long);

#define HF_VERIFY_TEXT_MAX 512

struct hf_verify_result {
    enum hf_reason reason;         /* HF_REASON_OK: verified */
    int depth;                     /* of the certificate concerned: 0 is the leaf; -1 none */
    struct hf_cert *cert;          /* the certificate concerned, a reference, or NULL */
    struct hf_chain *path;         /* verified path, leaf to root; NULL on failure */
    int64_t not_after;             /* earliest end in the path; 0 on failure */
    char text[HF_VERIFY_TEXT_MAX]; /* the particulars, for people: "expired 3 d 4 h ago ..." */
};

/*
 * hf_trust_verify builds and checks the path with libcrypto (RFC 5280 6): signatures, dates at
 * now_s, CA flags, path length, name constraints, extended key usage, key and hash strength. A
 * refused chain is a result, not an error. name: host or IP that the leaf must have, or NULL.
 * Errors: HF_E_NOMEM, HF_E_CRYPTO (internal_error).
 */
enum hf_err hf_trust_verify(const struct hf_trust *trust, const struct hf_chain *chain,
                            enum hf_usage usage, const char *name, int64_t now_s,
                            struct hf_verify_result *out) HF_MUST_CHECK;
void hf_verify_result_done(struct hf_verify_result *result);

#endif
