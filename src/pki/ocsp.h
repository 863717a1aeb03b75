// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_OCSP_H
#define HF_PKI_OCSP_H

/*
 * What asking about a certificate by OCSP (RFC 6960, 5019, 9654) and answering have in common: the
 * name of a certificate, what is said of it, and limits. pki/ocsp_answer.h reads answers,
 * pki/ocsp_request.h writes requests. No I/O.
 */

#include "base/buf.h"
#include "pki/cert.h"
#include "pki/serials.h"

#define HF_OCSP_HASH_MAX    32
#define HF_OCSP_NONCE_LEN   32  /* that we send (RFC 9654 2.1) */
#define HF_OCSP_NONCE_MAX   128 /* that is taken */
#define HF_OCSP_SERIALS_MAX 64  /* certificates in one request or answer */
#define HF_OCSP_REQUEST_MAX (16u << 10)
#define HF_OCSP_ANSWER_MAX  (64u << 10)

#define HF_OCSP_REQUEST_TYPE "application/ocsp-request"
#define HF_OCSP_ANSWER_TYPE  "application/ocsp-response"

/* The identifiers of OCSP as the content of an OBJECT IDENTIFIER. */
extern const struct hf_bytes hf_ocsp_oid_basic; /* id-pkix-ocsp-basic */
extern const struct hf_bytes hf_ocsp_oid_nonce; /* id-pkix-ocsp-nonce */

/* OCSPResponseStatus (RFC 6960 4.2.1): id, number, name as in the RFC. */
#define HF_OCSP_RESPONSE_TABLE(X) \
    X(SUCCESSFUL, 0, "successful") \
    X(MALFORMED_REQUEST, 1, "malformedRequest") \
    X(INTERNAL_ERROR, 2, "internalError") \
    X(TRY_LATER, 3, "tryLater") \
    X(SIG_REQUIRED, 5, "sigRequired") \
    X(UNAUTHORIZED, 6, "unauthorized")

#define HF_OCSP_RESPONSE_ENUM(id, number, name) HF_OCSP_RESPONSE_##id = (number),
enum hf_ocsp_response { HF_OCSP_RESPONSE_TABLE(HF_OCSP_RESPONSE_ENUM) };
#undef HF_OCSP_RESPONSE_ENUM

/* hf_ocsp_response_name gives NULL for a number that the RFC doesn't define. */
const char *hf_ocsp_response_name(unsigned number);

/* CertStatus; the numbers are those of its tags. */
enum hf_ocsp_status { HF_OCSP_GOOD = 0, HF_OCSP_REVOKED = 1, HF_OCSP_UNKNOWN = 2 };
const char *hf_ocsp_status_name(enum hf_ocsp_status status);

/* What is said of one certificate. */
struct hf_ocsp_said {
    enum hf_ocsp_status status;
    int64_t revoked_at;      /* REVOKED: Unix seconds */
    enum hf_revoked_for why; /* REVOKED */
    bool gives_why;          /* the answer has a reason in it; UNSPECIFIED otherwise */
    int64_t this_update;
    int64_t next_update; /* 0: newer information is there all the time */
};

/* --- The name of a certificate (CertID) ---------------------------------------------------------
 */

enum hf_ocsp_hash { HF_OCSP_SHA1, HF_OCSP_SHA256 };
size_t hf_ocsp_hash_size(enum hf_ocsp_hash hash);
const char *hf_ocsp_hash_name(enum hf_ocsp_hash hash); /* "SHA-1" */

struct hf_ocsp_id {
    enum hf_ocsp_hash hash;
    uint8_t issuer_name[HF_OCSP_HASH_MAX]; /* of the issuer's name in DER */
    uint8_t issuer_key[HF_OCSP_HASH_MAX];  /* of its public key, without tag, length, unused bits */
    struct hf_serial serial;
};

/* hf_ocsp_id_of_issuer names the issuer, and no certificate of it: serial is 0. Errors:
 * HF_E_CRYPTO. */
enum hf_err hf_ocsp_id_of_issuer(const struct hf_cert *issuer, enum hf_ocsp_hash hash,
                                 struct hf_ocsp_id *out) HF_MUST_CHECK;

/* hf_ocsp_id_of names a certificate. Errors also: HF_E_TOO_LARGE (its serial). */
enum hf_err hf_ocsp_id_of(const struct hf_cert *cert, const struct hf_cert *issuer,
                          enum hf_ocsp_hash hash, struct hf_ocsp_id *out) HF_MUST_CHECK;
bool hf_ocsp_id_eq(const struct hf_ocsp_id *a, const struct hf_ocsp_id *b);
bool hf_ocsp_id_same_issuer(const struct hf_ocsp_id *a, const struct hf_ocsp_id *b);

/* hf_ocsp_id_read takes a CertID off the front. Errors: HF_E_TRUNCATED, HF_E_MALFORMED,
 * HF_E_TOO_LARGE, HF_E_UNSUPPORTED (another hash: *reader is then behind the CertID all the same,
 * and who answers may say "unknown" of it). */
enum hf_err hf_ocsp_id_read(struct hf_reader *reader, struct hf_ocsp_id *out) HF_MUST_CHECK;

/* hf_ocsp_id_write appends a CertID; the hash's parameters are NULL, as RFC 5019 has it. */
enum hf_err hf_ocsp_id_write(const struct hf_ocsp_id *id, struct hf_buf *out) HF_MUST_CHECK;

/* --- What certificates say of OCSP ---------------------------------------------------------------
 */

#define HF_OCSP_URIS_MAX 4
#define HF_OCSP_URI_SIZE 512

struct hf_ocsp_uris {
    char uri[HF_OCSP_URIS_MAX][HF_OCSP_URI_SIZE];
    size_t n;
};

/* hf_ocsp_uris_of reads the responders that the certificate names (authorityInfoAccess), in its
 * order; what is too long, or has bytes that no URI has, is passed over. */
void hf_ocsp_uris_of(const struct hf_cert *cert, struct hf_ocsp_uris *out);

/* hf_ocsp_must_staple: is an answer to be shown with the certificate (RFC 7633)? */
bool hf_ocsp_must_staple(const struct hf_cert *cert);

#endif
