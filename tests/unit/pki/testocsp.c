// SPDX-License-Identifier: Apache-2.0
#include "testocsp.h"

#include <openssl/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEED(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "testocsp: %s:%d failed: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

static void add_status(OCSP_BASICRESP *basic, const struct testocsp_spec *spec,
                       const struct testpki *about)
{
    int64_t from = spec->this_update ? spec->this_update : TESTPKI_NOW - 3600;
    int64_t until = spec->next_update ? spec->next_update : TESTPKI_NOW + TESTPKI_DAY;
    const EVP_MD *md = EVP_get_digestbyname(spec->hash ? spec->hash : "SHA1");
    OCSP_CERTID *id = OCSP_cert_to_id(md, about->x509, spec->issuer->x509);
    ASN1_TIME *this_update = ASN1_TIME_adj(NULL, (time_t)from, 0, 0);
    ASN1_TIME *next_update = until > 0 ? ASN1_TIME_adj(NULL, (time_t)until, 0, 0) : NULL;
    ASN1_TIME *revoked_at = spec->status == V_OCSP_CERTSTATUS_REVOKED ? this_update : NULL;
    NEED(OCSP_basic_add1_status(basic, id, spec->status, spec->reason, revoked_at, this_update,
                                next_update));
    OCSP_CERTID_free(id);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
}

static void sign(OCSP_BASICRESP *basic, const struct testocsp_spec *spec)
{
    const struct testpki *signer = spec->signer ? spec->signer : spec->issuer;
    EVP_PKEY *key = signer->key;
    unsigned long flags =
        (spec->by_key ? OCSP_RESPID_KEY : 0) | (spec->no_certs ? OCSP_NOCERTS : 0);
    if (spec->produced_at) { /* libcrypto has no other way to set it */
        const ASN1_GENERALIZEDTIME *at = OCSP_resp_get0_produced_at(basic);
        NEED(ASN1_GENERALIZEDTIME_adj((ASN1_GENERALIZEDTIME *)(uintptr_t)at,
                                      (time_t)spec->produced_at, 0, 0));
        flags |= OCSP_NOTIME;
    }
    bool pure = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    const EVP_MD *md = pure ? NULL : EVP_get_digestbyname(spec->md ? spec->md : "SHA256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    NEED(ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key));
    NEED(OCSP_basic_sign_ctx(basic, signer->x509, ctx, NULL, flags));
    EVP_MD_CTX_free(ctx);
}

void testocsp_make(const struct testocsp_spec *spec, struct hf_buf *out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    unsigned char *der = NULL;
    add_status(basic, spec, spec->about);
    if (spec->about2) {
        add_status(basic, spec, spec->about2);
    }
    if (spec->nonce) {
        NEED(OCSP_basic_add1_nonce(basic, (unsigned char *)(uintptr_t)spec->nonce,
                                   (int)strlen(spec->nonce)));
    }
    sign(basic, spec);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int len = i2d_OCSP_RESPONSE(response, &der);
    NEED(len > 0);
    NEED(hf_buf_append(out, hf_bytes_of(der, (size_t)len)) == HF_OK);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
}

struct hf_ocsp_answer *testocsp_read(const struct testocsp_spec *spec)
{
    struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    struct hf_ocsp_answer *answer = NULL;
    testocsp_make(spec, &der);
    if (hf_ocsp_answer_read(hf_buf_bytes(&der), &answer) != HF_OK) {
        fprintf(stderr, "testocsp: %s\n", hf_err_text());
        abort();
    }
    hf_buf_done(&der);
    return answer;
}

struct testpki *testocsp_signer(const struct testpki *issuer, const char *eku, bool no_check)
{
    const struct testpki_spec spec = {.cn = "Responder", .eku = eku, .no_check = no_check};
    return testpki_make(issuer, &spec);
}
