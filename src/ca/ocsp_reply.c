// SPDX-License-Identifier: Apache-2.0
/*
 *     OCSPResponse { successful, [0] { basic, OCTET STRING {
 *         BasicOCSPResponse { ResponseData, algorithm, signature, [0] { signer's certificate } } }
 * } } ResponseData { [2] key hash, produced at, { SingleResponse ... }, [1] { nonce }? }
 *     SingleResponse { CertID, status, this update, [0] next update }
 *
 * Names of certificates go back byte for byte as they were asked for: clients compare.
 */
#include "ca/ocsp_reply.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "pki/asn1_write.h"
#include "pki/key.h"
#include "pki/ossl.h"

enum { DATA_MAX = HF_OCSP_ANSWER_MAX };

/* --- The signer ---------------------------------------------------------------------------------
 */

static enum hf_err hash_key(const struct hf_cert *cert, uint8_t out[static 20])
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert->x509);
    if (!key || !EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), out, NULL,
                            EVP_sha1(), NULL)) {
        return hf_fail_ossl(HF_E_CRYPTO, "a signer's key could not be hashed");
    }
    return HF_OK;
}

static enum hf_err signer_fill(struct hf_ocsp_signer *signer, EVP_PKEY *key,
                               const struct hf_cert *issuer)
{
    if (X509_check_private_key(signer->cert->x509, key) != 1) {
        return hf_fail_ossl(HF_E_MISMATCH, "the OCSP signer's key isn't its certificate's");
    }
    HF_TRY(hf_sign_key_new(key, &signer->key));
    if (!hf_sign_key_fits(signer->key, HF_SCHEME_ECDSA_SECP256R1_SHA256)) {
        return hf_fail(HF_E_UNSUPPORTED, "an OCSP signer has a P-256 key");
    }
    memcpy(signer->issuer_spki, issuer->spki_sha256, HF_SHA256_SIZE);
    HF_TRY(hash_key(signer->cert, signer->key_hash));
    HF_TRY(hf_ocsp_id_of_issuer(issuer, HF_OCSP_SHA1, &signer->issuer[HF_OCSP_SHA1]));
    return hf_ocsp_id_of_issuer(issuer, HF_OCSP_SHA256, &signer->issuer[HF_OCSP_SHA256]);
}

enum hf_err hf_ocsp_signer_new(struct hf_cert *cert, EVP_PKEY *key, const struct hf_cert *issuer,
                               struct hf_ocsp_signer **out)
{
    struct hf_ocsp_signer *signer = HF_NEW(struct hf_ocsp_signer);
    if (!signer) {
        return HF_E_NOMEM;
    }
    atomic_init(&signer->refs, 1);
    signer->cert = hf_cert_ref(cert);
    enum hf_err err = signer_fill(signer, key, issuer);
    if (err != HF_OK) {
        hf_ocsp_signer_unref(signer);
        return err;
    }
    *out = signer;
    return HF_OK;
}

struct hf_ocsp_signer *hf_ocsp_signer_ref(struct hf_ocsp_signer *signer)
{
    atomic_fetch_add_explicit(&signer->refs, 1, memory_order_relaxed);
    return signer;
}

void hf_ocsp_signer_unref(struct hf_ocsp_signer *signer)
{
    if (signer && atomic_fetch_sub_explicit(&signer->refs, 1, memory_order_acq_rel) == 1) {
        hf_sign_key_unref(signer->key);
        hf_cert_unref(signer->cert);
        hf_free(signer);
    }
}

/* --- Answers ------------------------------------------------------------------------------------
 */

static void put_status(struct hf_asn1 *der, const struct hf_ocsp_said *said)
{
    uint8_t why = (uint8_t)said->why;
    if (said->status != HF_OCSP_REVOKED) {
        hf_asn1_put(der, HF_ASN1_CONTEXT(said->status), hf_bytes_of(NULL, 0));
        return;
    }
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(HF_OCSP_REVOKED));
    hf_asn1_general_time(der, said->revoked_at);
    if (said->gives_why) {
        hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
        hf_asn1_put(der, HF_DER_ENUMERATED, hf_bytes_of(&why, 1));
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
}

static void put_single(struct hf_asn1 *der, struct hf_bytes id, const struct hf_ocsp_said *said)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_raw(der, id);
    put_status(der, said);
    hf_asn1_general_time(der, said->this_update);
    if (said->next_update) {
        hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
        hf_asn1_general_time(der, said->next_update);
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
}

static void put_nonce(struct hf_asn1 *der, struct hf_bytes nonce)
{
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(1));
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, hf_ocsp_oid_nonce);
    hf_asn1_open(der, HF_DER_OCTET_STRING);
    hf_asn1_put(der, HF_DER_OCTET_STRING, nonce);
    for (int i = 0; i < 4; i++) {
        hf_asn1_close(der);
    }
}

static enum hf_err put_data(const struct hf_ocsp_signer *signer, const struct hf_ocsp_ask *ask,
                            const struct hf_ocsp_said *said, int64_t produced_at,
                            struct hf_buf *out)
{
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_open(&der, HF_ASN1_CONTEXT_CONSTRUCTED(2));
    hf_asn1_put(&der, HF_DER_OCTET_STRING, hf_bytes_of(signer->key_hash, sizeof(signer->key_hash)));
    hf_asn1_close(&der);
    hf_asn1_general_time(&der, produced_at);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < ask->n; i++) {
        put_single(&der, ask->one[i].whole, &said[i]);
    }
    hf_asn1_close(&der);
    if (ask->nonce.ptr) {
        put_nonce(&der, ask->nonce);
    }
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

static void put_algorithm(struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, HF_OID("\x2a\x86\x48\xce\x3d\x04\x03\x02")); /* ecdsa-with-SHA256 */
    hf_asn1_close(der);
}

static enum hf_err put_answer(const struct hf_ocsp_signer *signer, struct hf_bytes data,
                              struct hf_bytes signature, struct hf_buf *out)
{
    static const uint8_t successful = HF_OCSP_RESPONSE_SUCCESSFUL;
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_put(&der, HF_DER_ENUMERATED, hf_bytes_of(&successful, 1));
    hf_asn1_open(&der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_oid(&der, hf_ocsp_oid_basic);
    hf_asn1_open(&der, HF_DER_OCTET_STRING);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, data);
    put_algorithm(&der);
    hf_asn1_open_bits(&der);
    hf_asn1_raw(&der, signature);
    hf_asn1_close(&der);
    hf_asn1_open(&der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, signer->cert->der);
    for (int i = 0; i < 7; i++) {
        hf_asn1_close(&der);
    }
    return hf_asn1_end(&der);
}

enum hf_err hf_ocsp_reply_write(struct hf_crypto *crypto, const struct hf_ocsp_signer *signer,
                                const struct hf_ocsp_ask *ask, const struct hf_ocsp_said *said,
                                int64_t produced_at, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf data = HF_BUF_INIT(DATA_MAX);
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t len;
    HF_TRY(put_data(signer, ask, said, produced_at, &data));
    HF_TRY(hf_sign(crypto, signer->key, HF_SCHEME_ECDSA_SECP256R1_SHA256, hf_buf_bytes(&data),
                   hf_span_of(signature, sizeof(signature)), &len));
    return put_answer(signer, hf_buf_bytes(&data), hf_bytes_of(signature, len), out);
}

struct hf_bytes hf_ocsp_reply_error(enum hf_ocsp_response response)
{
    static const uint8_t answers[][5] = {
        {0x30, 3, HF_DER_ENUMERATED, 1, 0}, {0x30, 3, HF_DER_ENUMERATED, 1, 1},
        {0x30, 3, HF_DER_ENUMERATED, 1, 2}, {0x30, 3, HF_DER_ENUMERATED, 1, 3},
        {0x30, 3, HF_DER_ENUMERATED, 1, 4}, {0x30, 3, HF_DER_ENUMERATED, 1, 5},
        {0x30, 3, HF_DER_ENUMERATED, 1, 6}};
    return hf_bytes_of(answers[response], sizeof(answers[response]));
}
