// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DESCRIBE_H
#define HF_PKI_DESCRIBE_H

/*
 * What is in a file, in words: certificates, chains, keys (public facts only), requests, CRLs,
 * OCSP answers, PKCS#7, PKCS#12, in PEM or DER, found out from the contents. Reads no files.
 *
 * The answer is a tree:
 *
 *     {"file": "server.pem", "format": "PEM",
 *      "what": "2 certificates, 1 private key",
 *      "objects": [{"kind": "certificate", "what": "a server certificate for a.example", ...}],
 *      "problems": [{"id": "expired", "text": "certificate 1 expired 3 d ago"}]}
 *
 * All text in it is safe to print. Keys and ids are stable; docs/cert-show.md lists them.
 */

#include <jansson.h>

#include "base/bytes.h"

struct hf_describe_input {
    struct hf_bytes text;
    const char *label;          /* names the file */
    struct hf_bytes passphrase; /* ptr NULL: none given */
    int64_t now_s;
};

#define HF_DESCRIBE_OBJECTS_MAX 4096

/*
 * hf_describe gives the tree, freed with json_decref. Errors: HF_E_MALFORMED (nothing known, or
 * broken), HF_E_PASSPHRASE (PKCS#12), HF_E_TOO_LARGE, HF_E_NOMEM. A key that is encrypted and has
 * no passphrase is described as that, and is no error.
 */
enum hf_err hf_describe(const struct hf_describe_input *input, json_t **out) HF_MUST_CHECK;

#endif
