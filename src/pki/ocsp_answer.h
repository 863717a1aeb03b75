// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_OCSP_ANSWER_H
#define HF_PKI_OCSP_ANSWER_H

/*
 * OCSP answers: read strictly, and turned into what is known of one certificate.
 *
 *     hf_ocsp_answer_read(der, &answer)                      bytes, believed by nobody yet
 *     hf_ocsp_known_new(answer, cert, issuer, ..., &known)   signature and signer checked
 *     hf_ocsp_known_at(known, now, &dates, &aged)            fresh, stale, of the future
 *
 * Who may sign: the issuer itself, or one to whom it has issued a certificate with the extended key
 * usage OCSPSigning (RFC 6960 4.2.2.2). Nobody else, whatever is configured.
 */

#include "pki/crl_signature.h"
#include "pki/ocsp.h"

#define HF_OCSP_CERTS_MAX 8 /* that an answer may bring along */

struct hf_ocsp_single {
    struct hf_ocsp_id id;
    struct hf_ocsp_said said;
};

/* struct hf_ocsp_answer is immutable, counted by references, any thread. */
struct hf_ocsp_answer {
    atomic_uint refs;
    struct hf_span der; /* owned; what follows views it */
    int64_t produced_at;
    struct hf_bytes nonce;   /* empty: none */
    struct hf_bytes by_name; /* who answers: a Name in DER ... */
    struct hf_bytes by_key;  /* ... or the SHA-1 of a key; the other is empty */
    struct hf_ocsp_single single[HF_OCSP_SERIALS_MAX];
    size_t n_singles;
    size_t n_strange; /* more, named by a hash that isn't ours */
    struct hf_cert *cert[HF_OCSP_CERTS_MAX];
    size_t n_certs;
    struct hf_crl_signature *signature;
};

/* hf_ocsp_answer_read: bytes are copied. Errors in words: HF_E_MALFORMED and HF_E_TRUNCATED (no
 * such answer in DER), HF_E_TOO_LARGE, HF_E_PEER (the responder says that it can't answer),
 * HF_E_UNSUPPORTED (a critical extension, a signature algorithm that is weak or unknown),
 * HF_E_NOMEM. */
enum hf_err hf_ocsp_answer_read(struct hf_bytes der, struct hf_ocsp_answer **out) HF_MUST_CHECK;
struct hf_ocsp_answer *hf_ocsp_answer_ref(struct hf_ocsp_answer *answer);
void hf_ocsp_answer_unref(struct hf_ocsp_answer *answer);
void hf_ocsp_answer_unrefp(struct hf_ocsp_answer **answer);

/* hf_ocsp_answer_find gives what is said of a certificate, or NULL. Where it is named twice, the
 * worse counts: revoked, unknown, good. */
const struct hf_ocsp_said *hf_ocsp_answer_find(const struct hf_ocsp_answer *answer,
                                               const struct hf_cert *cert,
                                               const struct hf_cert *issuer);

/* hf_ocsp_answer_signer finds the certificate whose key has signed the answer: the issuer, or one
 * that it has let sign, which may hold a reference of the answer's. Dates are not looked at. Errors
 * in words: HF_E_DENIED. */
enum hf_err hf_ocsp_answer_signer(const struct hf_ocsp_answer *answer, struct hf_cert *issuer,
                                  struct hf_cert **out) HF_MUST_CHECK;

/* --- What is known ------------------------------------------------------------------------------
 */

#define HF_OCSP_FROM_MAX 200

/* struct hf_ocsp_known is what an answer, found good, says of one certificate. Immutable, counted
 * by references, any thread. */
struct hf_ocsp_known {
    atomic_uint refs;
    struct hf_ocsp_said said;
    int64_t produced_at;
    struct hf_cert *signer; /* a reference; NULL: the issuer itself */
    bool signer_unchecked;  /* by ocsp-nocheck: nobody need ask whether the signer is revoked */
    bool nonce;             /* the answer was to our question and no other */
    bool stapled;
    int64_t got_at;
    uint8_t sha256[HF_SHA256_SIZE]; /* of the answer in DER */
    char from[HF_OCSP_FROM_MAX];    /* "stapled", or the URL that was asked */
};

struct hf_ocsp_origin {
    const char *from;
    int64_t got_at;
    bool nonce;
    bool stapled;
};

/* Errors in words: HF_E_MISMATCH (the answer is about other certificates), those of
 * hf_ocsp_answer_signer, HF_E_NOMEM. */
enum hf_err hf_ocsp_known_new(const struct hf_ocsp_answer *answer, struct hf_cert *cert,
                              struct hf_cert *issuer, const struct hf_ocsp_origin *origin,
                              struct hf_ocsp_known **out) HF_MUST_CHECK;
struct hf_ocsp_known *hf_ocsp_known_ref(struct hf_ocsp_known *known);
void hf_ocsp_known_unref(struct hf_ocsp_known *known);
void hf_ocsp_known_unrefp(struct hf_ocsp_known **known);

/* hf_ocsp_known_overrules: is what `known` says to be kept, though `later` came after it? It is
 * when it was true at a later moment; at the same moment, when it was signed later; and of two that
 * were signed together, when it is the worse. Some responders round their moments to the hour. */
bool hf_ocsp_known_overrules(const struct hf_ocsp_known *known, const struct hf_ocsp_known *later);

/* How dates are taken. */
struct hf_ocsp_dates {
    int64_t skew_s; /* that our clock and the responder's may differ by */
    int64_t open_s; /* how long an answer without a next update holds */
};

enum hf_ocsp_age { HF_OCSP_FRESH, HF_OCSP_STALE, HF_OCSP_NOT_YET };

struct hf_ocsp_aged {
    enum hf_ocsp_age age;
    int64_t age_s;       /* since this update */
    int64_t stale_s;     /* STALE: since it went out of date */
    int64_t fresh_until; /* FRESH: the last moment at which it is; INT64_MAX: none */
};

/* hf_ocsp_known_at: an answer ends with its next update, or with its signer's certificate. */
void hf_ocsp_known_at(const struct hf_ocsp_known *known, int64_t now_s,
                      const struct hf_ocsp_dates *dates, struct hf_ocsp_aged *out);

#endif
