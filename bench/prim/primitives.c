// SPDX-License-Identifier: Apache-2.0
#include "primitives.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "crypto/hkdf.h"
#include "crypto/kex.h"
#include "crypto/sign.h"
#include "crypto/verify.h"
#include "os/clock.h"
#include "tls/native/schedule.h"

enum { RECORD_MAX = 16384, ROUNDS = 9, ROUND_NS = 5000000 };

struct bench_kit {
    struct hf_crypto *crypto;
    struct hf_sign_key *sign[HF_KEY_RSA_PSS + 1];
    struct hf_verify_key *verify[HF_KEY_RSA_PSS + 1];
    EVP_PKEY *key[HF_KEY_RSA_PSS + 1];
    EVP_PKEY_CTX *raw_sign[HF_KEY_RSA_PSS + 1], *raw_verify[HF_KEY_RSA_PSS + 1];
    uint8_t sig[HF_KEY_RSA_PSS + 1][HF_SIGNATURE_MAX];
    size_t sig_len[HF_KEY_RSA_PSS + 1];
    struct hf_kex kex[3], peer[3];
    EVP_PKEY_CTX *raw_generate[3], *raw_derive[3];
    EVP_PKEY *raw_pair[3];
    struct hf_aead seal[3], open[3];
    EVP_CIPHER_CTX *raw_seal[3];
    EVP_CIPHER *cipher[3];
    struct hf_hmac hmac;
    struct hf_hash hash;
    EVP_MD *md;
    EVP_MD_CTX *md_ctx;
    uint8_t plain[RECORD_MAX], text[RECORD_MAX + 64];
};

/* A failure here is a broken machine: there is nothing to measure. */
static void need(bool ok)
{
    if (!ok) {
        fprintf(stderr, "hfprim: a primitive failed: %s\n", hf_err_text());
        exit(1);
    }
}

static const uint8_t nonce[HF_AEAD_NONCE_LEN] = {1};
static const uint8_t message[130] = {0x20}; /* as long as what a CertificateVerify covers */
static const enum hf_kex_group groups[] = {HF_KEX_X25519, HF_KEX_P256, HF_KEX_P384};
static const uint16_t schemes[] = {
    [HF_KEY_P256] = HF_SCHEME_ECDSA_SECP256R1_SHA256,
    [HF_KEY_P384] = HF_SCHEME_ECDSA_SECP384R1_SHA384,
    [HF_KEY_ED25519] = HF_SCHEME_ED25519,
    [HF_KEY_RSA] = HF_SCHEME_RSA_PSS_RSAE_SHA256,
};

/* --- Ours ---------------------------------------------------------------------------------------
 */

static void sign(struct bench_kit *kit, enum hf_key_type type)
{
    need(hf_sign(kit->crypto, kit->sign[type], schemes[type], hf_bytes_of(message, sizeof(message)),
                 hf_span_of(kit->sig[type], HF_SIGNATURE_MAX), &kit->sig_len[type]) == HF_OK);
}

static void verify(struct bench_kit *kit, enum hf_key_type type)
{
    need(hf_verify(kit->crypto, kit->verify[type], schemes[type],
                   hf_bytes_of(message, sizeof(message)),
                   hf_bytes_of(kit->sig[type], kit->sig_len[type])) == HF_OK);
}

static void generate(struct bench_kit *kit, size_t i)
{
    need(hf_kex_generate(kit->crypto, groups[i], &hf_os_rng, &kit->kex[i]) == HF_OK);
}

static void derive(struct bench_kit *kit, size_t i)
{
    struct hf_secret shared;
    need(hf_kex_derive(kit->crypto, &kit->kex[i],
                       hf_bytes_of(kit->peer[i].public_key, kit->peer[i].public_len),
                       &shared) == HF_OK);
}

/* A record's head and its type byte; the same key and nonce each time, since nobody listens. */
static void seal(struct bench_kit *kit, enum hf_aead_alg alg, size_t len)
{
    need(hf_aead_seal(&kit->seal[alg], nonce, hf_bytes_of(message, 5), hf_bytes_of(kit->plain, len),
                      hf_bytes_of("\x17", 1), kit->text) == HF_OK);
}

static void seal_and_open(struct bench_kit *kit, enum hf_aead_alg alg, size_t len)
{
    seal(kit, alg, len);
    need(hf_aead_open(&kit->open[alg], nonce, hf_bytes_of(message, 5),
                      hf_span_of(kit->text, len + 1 + HF_AEAD_TAG_LEN)) == HF_OK);
}

static void raw_seal(struct bench_kit *kit, enum hf_aead_alg alg, size_t len)
{
    EVP_CIPHER_CTX *ctx = kit->raw_seal[alg];
    int n;
    need(EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &n, message, 5) == 1 &&
         EVP_EncryptUpdate(ctx, kit->text, &n, kit->plain, (int)len) == 1 &&
         EVP_EncryptFinal_ex(ctx, kit->text + len, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, kit->text + len) == 1);
}

static void rekey(struct bench_kit *kit, enum hf_aead_alg alg)
{
    hf_aead_done(&kit->seal[alg]);
    need(hf_aead_init(&kit->seal[alg], kit->crypto, alg, HF_AEAD_SEAL,
                      hf_bytes_of(kit->plain, hf_aead_key_len(alg))) == HF_OK);
}

/* The key schedule of one full handshake: all secrets, all keys, both Finished. */
static void schedule(struct bench_kit *kit, enum hf_hash_alg alg, size_t key_len)
{
    struct hf_schedule s;
    struct hf_secret client, server, exporter, resumption;
    uint8_t out[HF_HASH_MAX], iv[12];
    struct hf_bytes hash = hf_bytes_of(kit->plain, hf_hash_size(alg));
    hf_schedule_init(&s, alg);
    for (int stage = 0; stage < 2; stage++) {
        if (stage == 0) {
            hf_schedule_handshake(&s, hash, hash, &client, &server);
            hf_finished_mac(alg, &client, hash, out);
            hf_finished_mac(alg, &server, hash, out);
        } else {
            hf_schedule_master(&s, hash, &client, &server, &exporter);
        }
        hf_traffic_keys(alg, &client, hf_span_of(out, key_len), iv);
        hf_traffic_keys(alg, &server, hf_span_of(out, key_len), iv);
    }
    hf_schedule_resumption(&s, hash, &resumption);
    hf_schedule_done(&s);
}

/* --- libcrypto's, prepared ----------------------------------------------------------------------
 */

static void raw_sign(struct bench_kit *kit, enum hf_key_type type)
{
    uint8_t sig[HF_SIGNATURE_MAX];
    size_t len = sizeof(sig);
    need(EVP_PKEY_sign(kit->raw_sign[type], sig, &len, message, 32) == 1);
}

static void raw_verify(struct bench_kit *kit, enum hf_key_type type)
{
    uint8_t digest[32];
    hf_hash_once(HF_HASH_SHA256, hf_bytes_of(message, sizeof(message)), digest);
    need(EVP_PKEY_verify(kit->raw_verify[type], kit->sig[type], kit->sig_len[type], digest, 32) ==
         1);
}

static void raw_generate(struct bench_kit *kit, size_t i)
{
    EVP_PKEY *key = NULL;
    need(EVP_PKEY_generate(kit->raw_generate[i], &key) == 1);
    EVP_PKEY_free(key);
}

static void raw_derive(struct bench_kit *kit, size_t i)
{
    uint8_t shared[66];
    size_t len = sizeof(shared);
    need(EVP_PKEY_derive(kit->raw_derive[i], shared, &len) == 1);
}

/* --- The table ----------------------------------------------------------------------------------
 */

#define RUN(name, call) \
    static void name(struct bench_kit *kit) \
    { \
        call; \
    }

RUN(sign_p256, sign(kit, HF_KEY_P256))
RUN(sign_ed25519, sign(kit, HF_KEY_ED25519))
RUN(sign_rsa, sign(kit, HF_KEY_RSA))
RUN(verify_p256, verify(kit, HF_KEY_P256))
RUN(verify_ed25519, verify(kit, HF_KEY_ED25519))
RUN(verify_rsa, verify(kit, HF_KEY_RSA))
RUN(raw_sign_p256, raw_sign(kit, HF_KEY_P256))
RUN(raw_sign_rsa, raw_sign(kit, HF_KEY_RSA))
RUN(raw_verify_p256, raw_verify(kit, HF_KEY_P256))
RUN(raw_verify_rsa, raw_verify(kit, HF_KEY_RSA))
RUN(generate_x25519, generate(kit, 0))
RUN(generate_p256, generate(kit, 1))
RUN(generate_p384, generate(kit, 2))
RUN(raw_generate_x25519, raw_generate(kit, 0))
RUN(raw_generate_p256, raw_generate(kit, 1))
RUN(raw_generate_p384, raw_generate(kit, 2))
RUN(derive_x25519, derive(kit, 0))
RUN(derive_p256, derive(kit, 1))
RUN(derive_p384, derive(kit, 2))
RUN(raw_derive_x25519, raw_derive(kit, 0))
RUN(raw_derive_p256, raw_derive(kit, 1))
RUN(raw_derive_p384, raw_derive(kit, 2))
RUN(schedule_sha256, schedule(kit, HF_HASH_SHA256, 16))
RUN(schedule_sha384, schedule(kit, HF_HASH_SHA384, 32))
RUN(fork_hash, { hf_hash_peek(&kit->hash, kit->text); })
RUN(raw_fork_hash, {
    unsigned n;
    need(EVP_DigestInit_ex2(kit->md_ctx, kit->md, NULL) == 1 &&
         EVP_DigestFinal_ex(kit->md_ctx, kit->text, &n) == 1);
})
RUN(hash_2k, hf_hash_once(HF_HASH_SHA256, hf_bytes_of(kit->plain, 2048), kit->text))
RUN(key_gcm, rekey(kit, HF_AEAD_AES_128_GCM))
RUN(gcm_100, seal(kit, HF_AEAD_AES_128_GCM, 100))
RUN(gcm_16k, seal(kit, HF_AEAD_AES_128_GCM, RECORD_MAX))
RUN(gcm_16k_both, seal_and_open(kit, HF_AEAD_AES_128_GCM, RECORD_MAX))
RUN(chacha_100, seal(kit, HF_AEAD_CHACHA20_POLY1305, 100))
RUN(chacha_16k, seal(kit, HF_AEAD_CHACHA20_POLY1305, RECORD_MAX))
RUN(raw_gcm_100, raw_seal(kit, HF_AEAD_AES_128_GCM, 100))
RUN(raw_gcm_16k, raw_seal(kit, HF_AEAD_AES_128_GCM, RECORD_MAX))
RUN(raw_chacha_100, raw_seal(kit, HF_AEAD_CHACHA20_POLY1305, 100))
RUN(raw_chacha_16k, raw_seal(kit, HF_AEAD_CHACHA20_POLY1305, RECORD_MAX))

const struct bench_primitive bench_primitives[] = {
    {"ECDSA P-256 sign", sign_p256, raw_sign_p256},
    {"ECDSA P-256 verify", verify_p256, raw_verify_p256},
    {"X25519 generate", generate_x25519, raw_generate_x25519},
    {"X25519 derive", derive_x25519, raw_derive_x25519},
    {"P-256 generate", generate_p256, raw_generate_p256},
    {"P-256 derive", derive_p256, raw_derive_p256},
    {"P-384 generate", generate_p384, raw_generate_p384},
    {"P-384 derive", derive_p384, raw_derive_p384},
    {"Ed25519 sign", sign_ed25519, NULL},
    {"Ed25519 verify", verify_ed25519, NULL},
    {"RSA-PSS 2048 sign", sign_rsa, raw_sign_rsa},
    {"RSA-PSS 2048 verify", verify_rsa, raw_verify_rsa},
    {"key schedule, SHA-256", schedule_sha256, NULL},
    {"key schedule, SHA-384", schedule_sha384, NULL},
    {"transcript fork and digest", fork_hash, raw_fork_hash},
    {"SHA-256 of 2 KiB", hash_2k, NULL},
    {"AES-128-GCM expand key", key_gcm, NULL},
    {"AES-128-GCM seal 100 B", gcm_100, raw_gcm_100},
    {"AES-128-GCM seal 16 KiB", gcm_16k, raw_gcm_16k},
    {"AES-128-GCM seal and open 16 KiB", gcm_16k_both, NULL},
    {"ChaCha20-Poly1305 seal 100 B", chacha_100, raw_chacha_100},
    {"ChaCha20-Poly1305 seal 16 KiB", chacha_16k, raw_chacha_16k},
    {NULL, NULL, NULL},
};

/* --- Kits ---------------------------------------------------------------------------------------
 */

static EVP_PKEY *make_key(enum hf_key_type type)
{
    switch (type) {
    case HF_KEY_P256:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case HF_KEY_P384:
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
    case HF_KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case HF_KEY_RSA:
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    default:
        return NULL;
    }
}

static EVP_PKEY_CTX *raw_ctx(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    need(ctx && init(ctx) == 1);
    if (EVP_PKEY_is_a(key, "RSA")) {
        need(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
    }
    need(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1);
    return ctx;
}

static void add_signatures(struct bench_kit *kit)
{
    static const enum hf_key_type types[] = {HF_KEY_P256, HF_KEY_ED25519, HF_KEY_RSA};
    for (size_t i = 0; i < HF_N_ELEMENTS(types); i++) {
        enum hf_key_type type = types[i];
        kit->key[type] = make_key(type);
        need(kit->key[type] && hf_sign_key_new(kit->key[type], &kit->sign[type]) == HF_OK &&
             hf_verify_key_new(kit->key[type], &kit->verify[type]) == HF_OK);
        sign(kit, type);
        if (type != HF_KEY_ED25519) {
            kit->raw_sign[type] = raw_ctx(kit->key[type], EVP_PKEY_sign_init);
            kit->raw_verify[type] = raw_ctx(kit->key[type], EVP_PKEY_verify_init);
        }
    }
}

static void add_exchanges(struct bench_kit *kit)
{
    static const char *const curves[] = {NULL, "P-256", "P-384"};
    for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, curves[i] ? "EC" : "X25519", NULL);
        need(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
             (!curves[i] || EVP_PKEY_CTX_set_group_name(ctx, curves[i]) == 1) &&
             EVP_PKEY_generate(ctx, &kit->raw_pair[i]) == 1);
        kit->raw_generate[i] = ctx;
        kit->raw_derive[i] = EVP_PKEY_CTX_new_from_pkey(NULL, kit->raw_pair[i], NULL);
        need(EVP_PKEY_derive_init(kit->raw_derive[i]) == 1 &&
             EVP_PKEY_derive_set_peer(kit->raw_derive[i], kit->raw_pair[i]) == 1);
        generate(kit, i);
        need(hf_kex_generate(kit->crypto, groups[i], &hf_os_rng, &kit->peer[i]) == HF_OK);
    }
}

static void add_aeads(struct bench_kit *kit)
{
    static const char *const names[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
    for (size_t alg = 0; alg < HF_N_ELEMENTS(names); alg++) {
        rekey(kit, (enum hf_aead_alg)alg);
        need(hf_aead_init(&kit->open[alg], kit->crypto, (enum hf_aead_alg)alg, HF_AEAD_OPEN,
                          hf_bytes_of(kit->plain, hf_aead_key_len((enum hf_aead_alg)alg))) ==
             HF_OK);
        kit->cipher[alg] = EVP_CIPHER_fetch(NULL, names[alg], NULL);
        kit->raw_seal[alg] = EVP_CIPHER_CTX_new();
        need(kit->cipher[alg] && EVP_EncryptInit_ex2(kit->raw_seal[alg], kit->cipher[alg],
                                                     kit->plain, nonce, NULL) == 1);
    }
}

enum hf_err bench_kit_new(struct bench_kit **out)
{
    struct bench_kit *kit = HF_NEW(struct bench_kit);
    if (!kit) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_crypto_new(&kit->crypto);
    if (err != HF_OK) {
        hf_free(kit);
        return err;
    }
    add_signatures(kit);
    add_exchanges(kit);
    add_aeads(kit);
    hf_hash_init(&kit->hash, HF_HASH_SHA256);
    kit->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    kit->md_ctx = EVP_MD_CTX_new();
    need(kit->md && kit->md_ctx);
    *out = kit;
    return HF_OK;
}

void bench_kit_free(struct bench_kit *kit)
{
    if (!kit) {
        return;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(kit->key); i++) {
        EVP_PKEY_CTX_free(kit->raw_sign[i]);
        EVP_PKEY_CTX_free(kit->raw_verify[i]);
        hf_sign_key_unref(kit->sign[i]);
        hf_verify_key_unref(kit->verify[i]);
        EVP_PKEY_free(kit->key[i]);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
        EVP_PKEY_CTX_free(kit->raw_generate[i]);
        EVP_PKEY_CTX_free(kit->raw_derive[i]);
        EVP_PKEY_free(kit->raw_pair[i]);
        hf_aead_done(&kit->seal[i]);
        hf_aead_done(&kit->open[i]);
        EVP_CIPHER_CTX_free(kit->raw_seal[i]);
        EVP_CIPHER_free(kit->cipher[i]);
    }
    EVP_MD_CTX_free(kit->md_ctx);
    EVP_MD_free(kit->md);
    hf_crypto_free(kit->crypto);
    hf_free(kit);
}

/* --- Measuring ----------------------------------------------------------------------------------
 */

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_ns(void (*run)(struct bench_kit *kit), struct bench_kit *kit)
{
    double best = 0, start = cpu_ns();
    run(kit);
    double once = cpu_ns() - start;
    size_t n = once < ROUND_NS ? (size_t)(ROUND_NS / (once + 50)) + 1 : 1;
    for (int round = 0; round < ROUNDS; round++) {
        start = cpu_ns();
        for (size_t i = 0; i < n; i++) {
            run(kit);
        }
        double each = (cpu_ns() - start) / (double)n;
        best = round == 0 || each < best ? each : best;
    }
    return best;
}

enum hf_err bench_sum_of_primitives(struct bench_sum *out)
{
    struct bench_kit *kit;
    HF_TRY(bench_kit_new(&kit));
    out->sign = bench_ns(raw_sign_p256, kit);
    out->verify = bench_ns(raw_verify_p256, kit);
    out->generate = bench_ns(raw_generate_x25519, kit);
    out->derive = bench_ns(raw_derive_x25519, kit);
    out->total = out->sign + out->verify + out->generate + out->derive;
    bench_kit_free(kit);
    return HF_OK;
}
