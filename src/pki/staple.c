// SPDX-License-Identifier: Apache-2.0
/* A response may be about several certificates; ours is found by its serial and, where the chain
 * holds the issuer, by the issuer too. */
#include "pki/staple.h"

#include <openssl/ocsp.h>

#include "pki/cert_impl.h"
#include "pki/ossl.h"

/* Does the id name the leaf? Its issuer's name and key are hashed as the id says. */
static bool names_leaf(const OCSP_CERTID *id, const struct hf_chain *chain)
{
    ASN1_OBJECT *digest = NULL;
    ASN1_INTEGER *serial = NULL;
    X509 *leaf = chain->certs[0]->x509;
    OCSP_id_get0_info(NULL, &digest, NULL, &serial, (OCSP_CERTID *)(uintptr_t)id);
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0) {
        return false;
    }
    if (chain->n_certs < 2) {
        return true;
    }
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    OCSP_CERTID *wanted = md ? OCSP_cert_to_id(md, leaf, chain->certs[1]->x509) : NULL;
    bool same = wanted && OCSP_id_cmp(wanted, id) == 0;
    OCSP_CERTID_free(wanted);
    return same;
}

static enum hf_err read_times(OCSP_SINGLERESP *single, struct hf_staple *out)
{
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int status = OCSP_single_get0_status(single, NULL, NULL, &from, &until);
    out->revoked = status == V_OCSP_CERTSTATUS_REVOKED;
    out->ends_at = INT64_MAX;
    HF_TRY(hf_time_from_asn1(from, &out->made_at));
    return until ? hf_time_from_asn1(until, &out->ends_at) : HF_OK;
}

static enum hf_err read_basic(OCSP_BASICRESP *basic, const struct hf_chain *chain,
                              struct hf_staple *out)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (names_leaf(OCSP_SINGLERESP_get0_id(single), chain)) {
            return read_times(single, out);
        }
    }
    return hf_fail(HF_E_MISMATCH, "the OCSP response is about other certificates");
}

enum hf_err hf_staple_read(struct hf_bytes der, const struct hf_chain *chain, struct hf_staple *out)
{
    const unsigned char *at = der.ptr;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
    OCSP_BASICRESP *basic = NULL;
    struct hf_staple staple = {0};
    enum hf_err err = HF_E_MALFORMED;
    if (response && at == der.ptr + der.len &&
        OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        basic = OCSP_response_get1_basic(response);
    }
    err = basic ? read_basic(basic, chain, &staple)
                : hf_fail(HF_E_MALFORMED, "not a successful OCSP response in DER");
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    hf_ossl_forget();
    if (err == HF_OK) {
        *out = staple;
    }
    return err;
}
