// SPDX-License-Identifier: Apache-2.0
/*
 * Reads requests to our responder, from whoever likes to send something:
 *
 *     OCSPRequest { tbs { [0] version?, [1] requestorName?, { Request ... }, [2] extensions? },
 *                   [0] signature? }
 *     Request { CertID, [0] extensions? }
 */
#include "ca/ocsp_ask.h"

#include "pki/der.h"

/* --- Extensions ---------------------------------------------------------------------------------
 */

struct extension {
    struct hf_bytes oid;
    bool critical;
    struct hf_bytes value;
};

static enum hf_err next_extension(struct hf_reader *reader, struct extension *out)
{
    struct hf_der whole, oid, critical, value;
    HF_TRY(hf_der_expect(reader, HF_DER_SEQUENCE, &whole));
    struct hf_reader parts = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&parts, HF_DER_OID, &oid));
    out->critical = false;
    if (hf_der_peek(&parts) == HF_DER_BOOLEAN) {
        HF_TRY(hf_der_expect(&parts, HF_DER_BOOLEAN, &critical));
        if (critical.value.len != 1 || (critical.value.ptr[0] != 0xff && critical.value.ptr[0])) {
            return hf_fail(HF_E_MALFORMED, "a BOOLEAN that is neither");
        }
        out->critical = critical.value.ptr[0] != 0;
    }
    HF_TRY(hf_der_expect(&parts, HF_DER_OCTET_STRING, &value));
    HF_TRY(hf_read_end(&parts));
    out->oid = oid.value;
    out->value = value.value;
    return HF_OK;
}

/* RFC 9654 2.1: an OCTET STRING of 1 to 128 bytes within the extension's own. */
static enum hf_err read_nonce(struct hf_bytes value, struct hf_bytes *out)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der nonce;
    HF_TRY(hf_der_expect(&reader, HF_DER_OCTET_STRING, &nonce));
    HF_TRY(hf_read_end(&reader));
    if (out->ptr || nonce.value.len == 0 || nonce.value.len > HF_OCSP_NONCE_MAX) {
        return hf_fail(HF_E_MALFORMED, "two nonces, or one of %zu bytes", nonce.value.len);
    }
    *out = nonce.value;
    return HF_OK;
}

/* content: of the explicit tag. nonce NULL: none belongs here. */
static enum hf_err read_extensions(struct hf_bytes content, struct hf_bytes *nonce)
{
    struct hf_reader outer = hf_reader_of(content);
    struct hf_der list;
    HF_TRY(hf_der_expect(&outer, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&outer));
    struct hf_reader reader = hf_reader_of(list.value);
    if (!reader.rest.len) {
        return hf_fail(HF_E_MALFORMED, "extensions without one");
    }
    while (reader.rest.len) {
        struct extension extension;
        HF_TRY(next_extension(&reader, &extension));
        if (nonce && hf_bytes_eq(extension.oid, hf_ocsp_oid_nonce)) {
            HF_TRY(read_nonce(extension.value, nonce));
        } else if (extension.critical) {
            return hf_fail(HF_E_UNSUPPORTED, "a critical extension that isn't known");
        }
    }
    return HF_OK;
}

/* --- The request --------------------------------------------------------------------------------
 */

static enum hf_err read_one(struct hf_reader *reader, struct hf_ocsp_ask *ask)
{
    struct hf_der whole, extensions;
    if (ask->n == HF_OCSP_SERIALS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d certificates in one request",
                       HF_OCSP_SERIALS_MAX);
    }
    HF_TRY(hf_der_expect(reader, HF_DER_SEQUENCE, &whole));
    struct hf_reader parts = hf_reader_of(whole.value);
    struct hf_bytes before = parts.rest;
    enum hf_err err = hf_ocsp_id_read(&parts, &ask->one[ask->n].id);
    if (err != HF_OK && err != HF_E_UNSUPPORTED) {
        return err;
    }
    ask->one[ask->n].known_hash = err == HF_OK;
    ask->one[ask->n].whole = hf_bytes_of(before.ptr, before.len - parts.rest.len);
    ask->n++;
    if (parts.rest.len) {
        HF_TRY(hf_der_expect(&parts, HF_DER_CONTEXT_0, &extensions));
        HF_TRY(read_extensions(extensions.value, NULL));
    }
    return hf_read_end(&parts);
}

static enum hf_err read_version(struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der version;
    HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &version));
    HF_TRY(hf_read_end(&reader));
    return version.value.len == 1 && version.value.ptr[0] == 0
               ? HF_OK
               : hf_fail(HF_E_UNSUPPORTED, "a request of another version than 1");
}

static enum hf_err read_list(struct hf_bytes content, struct hf_ocsp_ask *ask)
{
    struct hf_reader reader = hf_reader_of(content);
    if (!reader.rest.len) {
        return hf_fail(HF_E_MALFORMED, "a request about no certificate");
    }
    while (reader.rest.len) {
        HF_TRY(read_one(&reader, ask));
    }
    return HF_OK;
}

static enum hf_err read_tbs(struct hf_bytes content, struct hf_ocsp_ask *ask)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der part;
    if (hf_der_peek(&reader) == HF_DER_CONTEXT_0) {
        HF_TRY(hf_der_next(&reader, &part));
        HF_TRY(read_version(part.value));
    }
    if (hf_der_peek(&reader) == HF_DER_CONTEXT_0 + 1) {
        HF_TRY(hf_der_next(&reader, &part)); /* whoever it says it is may ask */
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &part));
    HF_TRY(read_list(part.value, ask));
    if (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_CONTEXT_0 + 2, &part));
        HF_TRY(read_extensions(part.value, &ask->nonce));
    }
    return hf_read_end(&reader);
}

enum hf_err hf_ocsp_ask_read(struct hf_bytes der, struct hf_ocsp_ask *out)
{
    struct hf_reader reader = hf_reader_of(der);
    struct hf_der whole, tbs, signature;
    out->n = 0;
    out->nonce = hf_bytes_of(NULL, 0);
    if (der.len > HF_OCSP_REQUEST_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a request of %zu bytes", der.len);
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &whole));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &tbs));
    if (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_CONTEXT_0, &signature));
    }
    HF_TRY(hf_read_end(&reader));
    return read_tbs(tbs.value, out);
}
