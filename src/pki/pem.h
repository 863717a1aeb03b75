// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_PEM_H
#define HF_PKI_PEM_H

/*
 * PEM as files hold it (RFC 7468, and RFC 1421 headers as OpenSSL writes them): a scanner over
 * memory that says where something is wrong, by line. Text between the blocks is skipped.
 */

#include "base/buf.h"
#include "pki/cert.h"

struct hf_pem_reader {
    struct hf_bytes rest;
    const char *label; /* names the file in messages */
    int line;          /* of the next byte, from 1 */
};

struct hf_pem_block {
    struct hf_bytes type; /* "CERTIFICATE" */
    struct hf_bytes text; /* the whole block with its BEGIN and END lines */
    struct hf_bytes body; /* between them: headers, if any, and base64 */
    int line;             /* of BEGIN */
    bool encrypted;       /* a key that needs a passphrase */
};

static inline struct hf_pem_reader hf_pem_reader_of(struct hf_bytes text, const char *label)
{
    return (struct hf_pem_reader){text, label, 1};
}

/* hf_pem_next gives the next block; type.len is 0 when there is none. Errors: HF_E_TRUNCATED (no
 * END), HF_E_MALFORMED (another END). */
enum hf_err hf_pem_next(struct hf_pem_reader *reader, struct hf_pem_block *out) HF_MUST_CHECK;

/* hf_pem_decode appends the bytes that the base64 stands for. Errors: HF_E_MALFORMED,
 * HF_E_UNSUPPORTED (it has headers, so it is encrypted the old way). */
enum hf_err hf_pem_decode(const struct hf_pem_block *block, const char *label,
                          struct hf_buf *out) HF_MUST_CHECK;

/* hf_looks_like_pem: does it have a "-----BEGIN " anywhere? */
bool hf_looks_like_pem(struct hf_bytes text);

/*
 * hf_certs_parse reads all certificates of a file of ours: PEM, other kinds of blocks skipped, or
 * one in DER; at most max. Errors: HF_E_MALFORMED (also: there is none), HF_E_TOO_LARGE; each says
 * file and line.
 */
enum hf_err hf_certs_parse(struct hf_bytes text, const char *label, size_t max,
                           struct hf_chain **out) HF_MUST_CHECK;

#endif
