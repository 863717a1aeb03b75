// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DESCRIBE_IMPL_H
#define HF_PKI_DESCRIBE_IMPL_H

/* Shared by the describe*.c. */

#include <openssl/x509v3.h>

#include "pki/describe.h"
#include "pki/identity.h"
#include "pki/pem.h"

struct hf_describer {
    const struct hf_describe_input *input;
    json_t *objects;
    json_t *problems;
    struct hf_cert **certs; /* in the file's order; for the chain */
    size_t n_certs;
    EVP_PKEY *key; /* the first private key that could be read */
    bool failed;   /* out of memory while the tree grew */
};

/* Setters that remember a failure rather than return it: a tree of two hundred leaves would
 * otherwise be two hundred HF_TRYs. value NULL in hf_put_text leaves the key out. */
void hf_put(struct hf_describer *d, json_t *object, const char *key, json_t *value);
void hf_put_text(struct hf_describer *d, json_t *object, const char *key, const char *value);
void hf_put_time(struct hf_describer *d, json_t *object, const char *key, int64_t when);
void hf_put_hex(struct hf_describer *d, json_t *object, const char *key, struct hf_bytes bytes);
void hf_append(struct hf_describer *d, json_t *array, json_t *value);
json_t *hf_printable(struct hf_describer *d, struct hf_bytes text);

/* hf_add_problem adds {"id", "text"}. */
void hf_add_problem(struct hf_describer *d, const char *id, const char *format, ...)
    HF_PRINTF(3, 4);

/* Each adds one object. der is exactly it. */
enum hf_err hf_describe_cert(struct hf_describer *d, struct hf_bytes der) HF_MUST_CHECK;
enum hf_err hf_describe_request(struct hf_describer *d, struct hf_bytes der) HF_MUST_CHECK;
enum hf_err hf_describe_crl(struct hf_describer *d, struct hf_bytes der) HF_MUST_CHECK;
enum hf_err hf_describe_ocsp(struct hf_describer *d, struct hf_bytes der) HF_MUST_CHECK;
enum hf_err hf_describe_public_key(struct hf_describer *d, struct hf_bytes der) HF_MUST_CHECK;

/* hf_describe_key reads text (PEM block or DER) with the input's passphrase. */
enum hf_err hf_describe_key(struct hf_describer *d, struct hf_bytes text) HF_MUST_CHECK;
void hf_describe_key_object(struct hf_describer *d, const EVP_PKEY *key, bool encrypted);

/* hf_describe_public adds type, strength and hash of a public key to object. */
void hf_describe_public(struct hf_describer *d, json_t *object, EVP_PKEY *key);

/* hf_describe_names adds the alternative names as [{"kind", "name"}] under "names". */
void hf_describe_names(struct hf_describer *d, json_t *object, const struct hf_identity *id);
void hf_describe_extensions(struct hf_describer *d, json_t *object,
                            const STACK_OF(X509_EXTENSION) * extensions);

/* hf_describe_chain looks at all certificates and the key together, and adds problems. Gives a
 * sentence about the chain, or NULL when there is nothing to say; freed with hf_free. */
char *hf_describe_chain(struct hf_describer *d) HF_MUST_CHECK;

#endif
