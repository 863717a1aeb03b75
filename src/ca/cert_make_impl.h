// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CERT_MAKE_IMPL_H
#define HF_CA_CERT_MAKE_IMPL_H

/* Shared by the files that make certificates and requests; for nobody else. */

#include "ca/cert_make.h"
#include "ca/issuer_impl.h"
#include "ca/oid.h"
#include "pki/asn1_write.h"

/* One certificate on its way. */
struct hf_cert_making {
    const struct hf_cert_profile *profile;
    const struct hf_cert_facts *facts;
    const struct hf_issuer *issuer; /* NULL: it signs itself */
    const struct hf_signer *signer;
    int64_t now;
    const struct hf_alt_names *names;
    struct hf_subject subject;
    int path_len;
    enum hf_refusal why;
    struct hf_made_cert *out;
};

/* hf_cert_making_refuse notes why, and gives err. */
enum hf_err hf_cert_making_refuse(struct hf_cert_making *m, enum hf_refusal why,
                                  enum hf_err err) HF_MUST_CHECK;

/* hf_cert_making_check holds what is asked for against the profile and the issuer, and fills the
 * subject, the dates and the path length. Errors: HF_E_INVALID, with why. */
enum hf_err hf_cert_making_check(struct hf_cert_making *m) HF_MUST_CHECK;

/* hf_cert_making_extensions writes them, with their tag. */
void hf_cert_making_extensions(const struct hf_cert_making *m, struct hf_asn1 *der);

/* An extension: its value is what is written in between. */
void hf_extension_open(struct hf_asn1 *der, struct hf_bytes oid, bool critical);
void hf_extension_close(struct hf_asn1 *der);

#define HF_OID_CE(last) HF_OID("\x55\x1d" last)
#define HF_OID_PE(last) HF_OID("\x2b\x06\x01\x05\x05\x07\x01" last)
#define HF_OID_AD(last) HF_OID("\x2b\x06\x01\x05\x05\x07\x30" last)

#endif
