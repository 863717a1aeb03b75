// SPDX-License-Identifier: Apache-2.0
/* Certificate requests of our own (PKCS#10, RFC 2986): of a CA that is signed elsewhere. */
#include "ca/cert_make_impl.h"
#include "ca/csr.h"

static void put_request_attribute(const struct hf_alt_names *names, bool for_ca,
                                  struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, HF_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"));
    hf_asn1_open(der, HF_ASN1_SET);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    if (for_ca) {
        hf_extension_open(der, HF_OID_CE("\x13"), true);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_true(der);
        hf_asn1_close(der);
        hf_extension_close(der);
    }
    if (names && names->n) {
        hf_extension_open(der, HF_OID_CE("\x11"), false);
        hf_alt_names_write(names, der);
        hf_extension_close(der);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
}

enum hf_err hf_csr_make(const struct hf_subject *subject, const struct hf_alt_names *names,
                        bool for_ca, EVP_PKEY *key, struct hf_buf *out)
{
    HF_CLEANUP(hf_public_key_freep) struct hf_public_key *public = NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf info = HF_BUF_INIT(HF_CSR_DER_MAX);
    struct hf_signer signer;
    HF_TRY(hf_public_key_of(key, &public));
    HF_TRY(hf_signer_of(key, &signer));
    struct hf_asn1 der = hf_asn1_writer(&info);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_uint(&der, 0);
    hf_subject_write(subject, &der);
    hf_asn1_raw(&der, public->spki);
    hf_asn1_open(&der, HF_DER_CONTEXT_0);
    if (for_ca || (names && names->n)) {
        put_request_attribute(names, for_ca, &der);
    }
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    HF_TRY(hf_asn1_end(&der));
    return hf_signer_seal(&signer, hf_buf_bytes(&info), out);
}
