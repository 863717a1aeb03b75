// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto.h"

/*
 * Each thread has a library context of libcrypto to itself. Everything fetched within it - key
 * managers, signatures, ciphers, the random generator - then has reference counts, method caches
 * and locks that no other thread touches. In the shared default context they are what two threads
 * collide on: on one machine key generation, derivation, signature and verification together took
 * 124 us on one thread and 141 to 172 us on each of two; in contexts of their own, 121 to 127 us.
 * A context costs 210 KiB and under 200 us, once per thread.
 *
 * The system's openssl.cnf is not read into it: it holds the default provider and nothing else.
 * Keys that live in another provider (a token, a TPM) still sign there: see sign.c.
 */

#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/tools.h"

enum hf_err hf_fail_crypto_at(const char *file, int line, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    enum hf_err err =
        code && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? HF_E_NOMEM : HF_E_CRYPTO;
    err = hf_fail_at(file, line, err, "%s: %s", what, reason ? reason : "no reason given");
    ERR_clear_error();
    return err;
}

enum hf_err hf_crypto_new(struct hf_crypto **out)
{
    *out = NULL;
    struct hf_crypto *crypto = HF_NEW(struct hf_crypto);
    if (!crypto) {
        return HF_E_NOMEM;
    }
    crypto->lib = OSSL_LIB_CTX_new();
    crypto->provider = crypto->lib ? OSSL_PROVIDER_load(crypto->lib, "default") : NULL;
    if (!crypto->provider) {
        hf_crypto_free(crypto);
        return hf_fail_crypto("libcrypto's default provider can't be loaded");
    }
    *out = crypto;
    return HF_OK;
}

void hf_crypto_free(struct hf_crypto *crypto)
{
    if (!crypto) {
        return;
    }
    hf_sign_tools_done(crypto);
    hf_verify_tools_done(crypto);
    hf_kex_tools_done(&crypto->kex);
    for (size_t i = 0; i < HF_N_ELEMENTS(crypto->ciphers); i++) {
        EVP_CIPHER_free(crypto->ciphers[i]);
    }
    if (crypto->provider) {
        (void)OSSL_PROVIDER_unload(crypto->provider);
    }
    OSSL_LIB_CTX_free(crypto->lib);
    hf_free(crypto);
}

/* --- The calling thread's own -------------------------------------------------------------------
 */

static _Thread_local struct hf_crypto *here;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static pthread_key_t end_key; /* its destructor runs when a thread ends */
static int end_key_failed;

static void at_thread_end(void *crypto)
{
    here = NULL;
    hf_crypto_free(crypto);
}

static void make_end_key(void)
{
    end_key_failed = pthread_key_create(&end_key, at_thread_end);
}

struct hf_crypto *hf_crypto_here(void)
{
    if (here) {
        return here;
    }
    (void)pthread_once(&end_once, make_end_key);
    if (end_key_failed) {
        (void)hf_fail(HF_E_NOMEM, "no thread-specific key is left");
        return NULL;
    }
    struct hf_crypto *crypto;
    if (hf_crypto_new(&crypto) != HF_OK) {
        return NULL;
    }
    if (pthread_setspecific(end_key, crypto) != 0) {
        hf_crypto_free(crypto);
        (void)hf_fail(HF_E_NOMEM, "the thread's tools can't be remembered");
        return NULL;
    }
    here = crypto;
    return here;
}

void hf_crypto_here_done(void)
{
    if (here) {
        (void)pthread_setspecific(end_key, NULL);
        hf_crypto_free(HF_TAKE(here));
    }
}
