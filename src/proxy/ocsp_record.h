// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_OCSP_RECORD_H
#define HF_PROXY_OCSP_RECORD_H

/*
 * struct hf_ocsp_record is an answer about a peer as proxy/ocsp_kept.h writes it to a file:
 *
 *     record:  "HFo1"  length of body (4)  SHA-256 of body  body
 *     body:    flags (1)  key (32)  got at (8)  from <2>  certificate <3>  issuer <3>  answer <3>
 *
 * Whatever a file holds, nothing in it is believed but what a signature proves. No I/O.
 */

#include "base/buf.h"
#include "pki/ocsp_memory.h"

#define HF_OCSP_RECORD_MAX  (2 * HF_CERT_DER_MAX + HF_OCSP_ANSWER_MAX + 1024) /* of a body */
#define HF_OCSP_RECORD_HEAD 40

struct hf_ocsp_record {
    struct hf_ocsp_key key;
    bool nonce;   /* the answer had ours */
    bool revoked; /* what it says, for who looks for these; not believed either */
    int64_t got_at;
    struct hf_bytes from, cert, issuer, answer; /* borrowed: DER, but for from */
};

/* hf_ocsp_record_write appends a body, hf_ocsp_record_frame the record of a body. Errors:
 * HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_ocsp_record_write(const struct hf_ocsp_record *record,
                                 struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_ocsp_record_frame(struct hf_bytes body, struct hf_buf *out) HF_MUST_CHECK;

/* hf_ocsp_record_next takes a record off the front, and gives its body, which is as it was written.
 * hf_ocsp_record_read reads a body; *out points into it. Errors: HF_E_TRUNCATED, HF_E_MALFORMED. */
enum hf_err hf_ocsp_record_next(struct hf_reader *reader, struct hf_bytes *out_body) HF_MUST_CHECK;
enum hf_err hf_ocsp_record_read(struct hf_bytes body, struct hf_ocsp_record *out) HF_MUST_CHECK;

/* hf_ocsp_record_believe takes what it says as if it had just come: key, signature and signer are
 * checked. Errors: HF_E_MISMATCH (another certificate than its key says), those of
 * hf_cert_from_der, hf_ocsp_answer_read and hf_ocsp_known_new. */
enum hf_err hf_ocsp_record_believe(const struct hf_ocsp_record *record, int64_t now_s,
                                   struct hf_ocsp_known **out) HF_MUST_CHECK;

#endif
