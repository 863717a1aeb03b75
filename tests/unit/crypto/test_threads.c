// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto.h"

#include <pthread.h>

#include "crypto/hmac.h"
#include "crypto/kex.h"
#include "crypto/sign.h"
#include "crypto/verify.h"
#include "vectors.h"

#include "keys.h"

/* Run under ThreadSanitizer these say whether sharing keys races. Workers report by return value:
 * cmocka's asserts belong to the main thread. */

enum { N_THREADS = 4, ROUNDS = 40 };

struct shared {
    struct hf_sign_key *sign;
    struct hf_verify_key *verify;
    struct hf_hmac hmac;
};

static void *use_shared_keys(void *arg)
{
    struct shared *shared = arg;
    struct counting_rng counter = {.state = 4};
    struct hf_rng rng = counting_rng(&counter);
    for (int i = 0; i < ROUNDS; i++) {
        struct hf_crypto *crypto = hf_crypto_here();
        uint8_t sig[HF_SIGNATURE_MAX], mac[HF_HASH_MAX];
        size_t len;
        struct hf_kex a, b;
        struct hf_secret secret;
        hf_hmac_once(&shared->hmac, hf_bytes_str("message"), mac);
        if (!crypto ||
            hf_sign(crypto, shared->sign, HF_SCHEME_ECDSA_SECP256R1_SHA256, hf_bytes_str("message"),
                    hf_span_of(sig, sizeof(sig)), &len) != HF_OK ||
            hf_verify(crypto, shared->verify, HF_SCHEME_ECDSA_SECP256R1_SHA256,
                      hf_bytes_str("message"), hf_bytes_of(sig, len)) != HF_OK ||
            hf_kex_generate(crypto, HF_KEX_X25519, &rng, &a) != HF_OK ||
            hf_kex_generate(crypto, HF_KEX_X25519, &rng, &b) != HF_OK ||
            hf_kex_derive(crypto, &a, hf_bytes_of(b.public_key, b.public_len), &secret) != HF_OK) {
            return shared;
        }
        if (i == ROUNDS / 2) {
            hf_crypto_here_done(); /* a new handle in the middle is fine */
        }
    }
    return NULL;
}

static void run_threads(void *(*work)(void *), void *arg)
{
    pthread_t threads[N_THREADS];
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, work, arg), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

static void threads_share_keys(void **state)
{
    (void)state;
    EVP_PKEY *key = key_of(HF_KEY_P256);
    struct shared shared;
    assert_int_equal(hf_sign_key_new(key, &shared.sign), HF_OK);
    assert_int_equal(hf_verify_key_new(key, &shared.verify), HF_OK);
    hf_hmac_init(&shared.hmac, HF_HASH_SHA256, hf_bytes_str("key"));
    EVP_PKEY_free(key);
    run_threads(use_shared_keys, &shared);
    hf_sign_key_unref(shared.sign);
    hf_verify_key_unref(shared.verify);
}

/* The last owner lets go while threads still hold the key in their slots. */
static void *sign_and_let_go(void *arg)
{
    struct hf_sign_key *key = arg;
    uint8_t sig[HF_SIGNATURE_MAX];
    size_t len;
    struct hf_crypto *crypto = hf_crypto_here();
    enum hf_err err = crypto ? hf_sign(crypto, key, HF_SCHEME_ED25519, hf_bytes_str("m"),
                                       hf_span_of(sig, sizeof(sig)), &len)
                             : HF_E_NOMEM;
    hf_sign_key_unref(key);
    return err == HF_OK ? NULL : arg;
}

static void owners_let_go_on_any_thread(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        EVP_PKEY *key = key_of(HF_KEY_ED25519);
        struct hf_sign_key *signer;
        assert_int_equal(hf_sign_key_new(key, &signer), HF_OK);
        EVP_PKEY_free(key);
        for (size_t i = 0; i < N_THREADS; i++) {
            (void)hf_sign_key_ref(signer);
        }
        hf_sign_key_unref(signer);
        run_threads(sign_and_let_go, signer);
    }
}

static void a_thread_keeps_its_handle(void **state)
{
    (void)state;
    struct hf_crypto *first = hf_crypto_here();
    assert_non_null(first);
    assert_ptr_equal(hf_crypto_here(), first);
    hf_crypto_here_done();
    hf_crypto_here_done(); /* nothing to do */
    assert_non_null(hf_crypto_here());
    hf_crypto_here_done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_keys),
        cmocka_unit_test(owners_let_go_on_any_thread),
        cmocka_unit_test(a_thread_keeps_its_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
