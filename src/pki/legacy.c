// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pemerr.h>

#include "pki/key_impl.h"
#include "pki/ossl.h"

bool hf_ossl_is_unsupported(void)
{
    /* Not ERR_R_UNSUPPORTED of the decoders: that is what they say of rubbish, too. */
    static const struct {
        int library;
        int reason;
    } marks[] = {
        {ERR_LIB_EVP, ERR_R_UNSUPPORTED},
        {ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM},
        {ERR_LIB_EVP, EVP_R_UNSUPPORTED_CIPHER},
        {ERR_LIB_EVP, EVP_R_UNKNOWN_CIPHER},
        {ERR_LIB_EVP, EVP_R_UNKNOWN_DIGEST},
        {ERR_LIB_EVP, EVP_R_UNKNOWN_PBE_ALGORITHM},
        {ERR_LIB_EVP, EVP_R_UNSUPPORTED_PRF},
        {ERR_LIB_EVP, EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION},
        {ERR_LIB_PEM, PEM_R_UNSUPPORTED_CIPHER},
        {ERR_LIB_PEM, PEM_R_UNSUPPORTED_ENCRYPTION},
    };
    bool found = false;
    for (unsigned long code; (code = ERR_get_error()) != 0;) {
        for (size_t i = 0; i < HF_N_ELEMENTS(marks); i++) {
            found = found || (marks[i].library == ERR_GET_LIB(code) &&
                              marks[i].reason == ERR_GET_REASON(code));
        }
    }
    return found;
}

enum hf_err hf_legacy_open(struct hf_legacy *legacy, const char *label)
{
    *legacy = (struct hf_legacy){.libctx = OSSL_LIB_CTX_new()};
    if (legacy->libctx) {
        legacy->modern = OSSL_PROVIDER_load(legacy->libctx, "default");
        legacy->old = OSSL_PROVIDER_load(legacy->libctx, "legacy");
    }
    hf_ossl_forget();
    if (legacy->modern && legacy->old) {
        return HF_OK;
    }
    hf_legacy_close(legacy);
    return hf_fail(HF_E_UNSUPPORTED,
                   "%s: encrypted with an old cipher (RC2 or DES) that needs OpenSSL's legacy "
                   "provider, which is not installed here; encrypt it anew with AES",
                   label);
}

void hf_legacy_close(struct hf_legacy *legacy)
{
    if (legacy->old) {
        OSSL_PROVIDER_unload(legacy->old);
    }
    if (legacy->modern) {
        OSSL_PROVIDER_unload(legacy->modern);
    }
    OSSL_LIB_CTX_free(legacy->libctx);
    *legacy = (struct hf_legacy){0};
}
