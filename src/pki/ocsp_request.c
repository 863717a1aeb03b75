// SPDX-License-Identifier: Apache-2.0
/* RFC 6960 4.1.1: no version (1 is the default), no requestor's name, no signature. */
#include "pki/ocsp_request.h"

#include "pki/der_write.h"

/* Extensions with the nonce alone: an OCTET STRING within the extension's own (RFC 9654 2.1). */
static enum hf_err write_nonce(struct hf_bytes nonce, struct hf_buf *out)
{
    enum { REQUEST_EXTENSIONS = 0xa2 };
    size_t tagged, list, extension, value;
    HF_TRY(hf_der_open(out, REQUEST_EXTENSIONS, &tagged));
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &extension));
    HF_TRY(hf_der_put(out, HF_DER_OID, hf_ocsp_oid_nonce));
    HF_TRY(hf_der_open(out, HF_DER_OCTET_STRING, &value));
    HF_TRY(hf_der_put(out, HF_DER_OCTET_STRING, nonce));
    HF_TRY(hf_der_close(out, value));
    HF_TRY(hf_der_close(out, extension));
    HF_TRY(hf_der_close(out, list));
    return hf_der_close(out, tagged);
}

enum hf_err hf_ocsp_request_write(const struct hf_ocsp_id *ids, size_t n, struct hf_bytes nonce,
                                  struct hf_buf *out)
{
    size_t whole, tbs, list, one;
    if (n == 0 || n > HF_OCSP_SERIALS_MAX || nonce.len > HF_OCSP_NONCE_MAX) {
        return hf_fail(HF_E_TOO_LARGE,
                       "an OCSP request is about 1 to %d certificates, and its "
                       "nonce has at most %d bytes",
                       HF_OCSP_SERIALS_MAX, HF_OCSP_NONCE_MAX);
    }
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &whole));
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &tbs));
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &list));
    for (size_t i = 0; i < n; i++) {
        HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &one));
        HF_TRY(hf_ocsp_id_write(&ids[i], out));
        HF_TRY(hf_der_close(out, one));
    }
    HF_TRY(hf_der_close(out, list));
    if (nonce.len) {
        HF_TRY(write_nonce(nonce, out));
    }
    HF_TRY(hf_der_close(out, tbs));
    return hf_der_close(out, whole);
}
