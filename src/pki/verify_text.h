// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_VERIFY_TEXT_H
#define HF_PKI_VERIFY_TEXT_H

/* Sentences of hf_trust_verify: what is wrong with which certificate, with particulars. */

#include "pki/trust.h"

/* What a refusal is about. */
struct hf_finding_cert {
    const struct hf_trust *trust;
    const struct hf_chain *chain; /* as sent */
    X509 *x509;                   /* the certificate concerned */
    int depth;
    enum hf_usage usage;
    int64_t now_s;
    int error; /* X509_V_ERR_ */
};

/* hf_verify_explain writes the reason and the sentence for what libcrypto refused. */
enum hf_reason hf_verify_explain(const struct hf_finding_cert *finding,
                                 char text[static HF_VERIFY_TEXT_MAX]);

/* hf_verify_explain_usage writes why the certificate may not be used as finding->usage says. */
void hf_verify_explain_usage(const struct hf_finding_cert *finding,
                             char text[static HF_VERIFY_TEXT_MAX]);

/* hf_verify_explain_name writes whom the certificate is for, when it isn't for name. */
void hf_verify_explain_name(const struct hf_finding_cert *finding, const char *name,
                            char text[static HF_VERIFY_TEXT_MAX]);

/* hf_verify_subject writes `"CN=x"` with what the certificate is in front: the certificate, the CA
 * certificate. */
#define HF_VERIFY_SUBJECT_SIZE 200
void hf_verify_subject(const struct hf_finding_cert *finding,
                       char out[static HF_VERIFY_SUBJECT_SIZE]);

#endif
