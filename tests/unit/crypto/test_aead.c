// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <stdlib.h>

#include "vectors.h"

/* Each case runs on each backend that this machine has. */

static const struct vector_case {
    const char *source;
    enum hf_aead_alg alg;
    const char *key, *nonce, *aad, *plain, *sealed; /* sealed: ciphertext and tag */
} vectors[] = {
    /* The Galois/Counter Mode of Operation (McGrew, Viega), appendix B; adopted by SP 800-38D */
    {"GCM 1", HF_AEAD_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000",
     "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM 2", HF_AEAD_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"GCM 3", HF_AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"GCM 4", HF_AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM 13", HF_AEAD_AES_256_GCM,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM 14", HF_AEAD_AES_256_GCM,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"GCM 16", HF_AEAD_AES_256_GCM,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    /* RFC 8439 2.8.2 */
    {"RFC 8439 2.8.2", HF_AEAD_CHACHA20_POLY1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116"
     "1ae10b594f09e26a7e902ecbd0600691"},
    /* RFC 8439 A.5 */
    {"RFC 8439 A.5", HF_AEAD_CHACHA20_POLY1305,
     "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", "000000000102030405060708",
     "f33388860000000000004e91",
     "496e7465726e65742d4472616674732061726520647261667420646f63756d65"
     "6e74732076616c696420666f722061206d6178696d756d206f6620736978206d"
     "6f6e74687320616e64206d617920626520757064617465642c207265706c6163"
     "65642c206f72206f62736f6c65746564206279206f7468657220646f63756d65"
     "6e747320617420616e792074696d652e20497420697320696e617070726f7072"
     "6961746520746f2075736520496e7465726e65742d4472616674732061732072"
     "65666572656e6365206d6174657269616c206f7220746f206369746520746865"
     "6d206f74686572207468616e206173202fe2809c776f726b20696e2070726f67"
     "726573732e2fe2809d",
     "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
     "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
     "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
     "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
     "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
     "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
     "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
     "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
     "a6ad5cb4022b02709b"
     "eead9d67890cbb22392336fea1851f38"},
};

struct fixture {
    struct hf_crypto *crypto;
    const struct hf_aead_backend *const *backends;
    size_t n_backends;
    struct hf_aead seal, open;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(hf_crypto_new(&f->crypto), HF_OK);
    f->backends = hf_aead_backends(&f->n_backends);
    assert_true(f->n_backends >= 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_aead_done(&f->seal);
    hf_aead_done(&f->open);
    hf_crypto_free(f->crypto);
    free(f);
    return 0;
}

static void rekey(struct fixture *f, size_t backend, enum hf_aead_alg alg, struct hf_bytes key)
{
    hf_aead_done(&f->seal);
    hf_aead_done(&f->open);
    assert_int_equal(
        hf_aead_init_with(&f->seal, f->backends[backend], f->crypto, alg, HF_AEAD_SEAL, key),
        HF_OK);
    assert_int_equal(
        hf_aead_init_with(&f->open, f->backends[backend], f->crypto, alg, HF_AEAD_OPEN, key),
        HF_OK);
}

/* Keys of the algorithms for tests that have no vector. */
static void rekey_any(struct fixture *f, size_t backend, enum hf_aead_alg alg)
{
    uint8_t key[HF_AEAD_KEY_MAX];
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)(7 * i + alg);
    }
    rekey(f, backend, alg, hf_bytes_of(key, hf_aead_key_len(alg)));
}

static void published_vectors_seal_and_open(void **state)
{
    struct fixture *f = *state;
    for (size_t b = 0; b < f->n_backends; b++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(vectors); i++) {
            const struct vector_case *v = &vectors[i];
            struct vector key = hex(v->key), nonce = hex(v->nonce), aad = hex(v->aad);
            struct vector plain = hex(v->plain);
            uint8_t out[VECTOR_MAX];
            rekey(f, b, v->alg, view(&key));
            assert_int_equal(hf_aead_seal(&f->seal, nonce.byte, view(&aad), view(&plain),
                                          hf_bytes_of(NULL, 0), out),
                             HF_OK);
            assert_hex(out, plain.len + HF_AEAD_TAG_LEN, v->sealed);
            assert_int_equal(hf_aead_open(&f->open, nonce.byte, view(&aad),
                                          hf_span_of(out, plain.len + HF_AEAD_TAG_LEN)),
                             HF_OK);
            assert_memory_equal(out, plain.byte, plain.len);
        }
    }
}

/* A head and a tail are one plaintext, wherever the cut is and whether in place or not. */
static void head_and_tail_are_one_plaintext(void **state)
{
    struct fixture *f = *state;
    for (size_t b = 0; b < f->n_backends; b++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(vectors); i++) {
            const struct vector_case *v = &vectors[i];
            struct vector key = hex(v->key), nonce = hex(v->nonce), aad = hex(v->aad);
            struct vector plain = hex(v->plain);
            rekey(f, b, v->alg, view(&key));
            for (size_t cut = 0; cut <= plain.len; cut++) {
                uint8_t out[VECTOR_MAX];
                assert_int_equal(hf_aead_seal(&f->seal, nonce.byte, view(&aad),
                                              hf_bytes_of(plain.byte, cut),
                                              hf_bytes_from(view(&plain), cut), out),
                                 HF_OK);
                assert_hex(out, plain.len + HF_AEAD_TAG_LEN, v->sealed);
                memcpy(out, plain.byte, cut);
                assert_int_equal(hf_aead_seal(&f->seal, nonce.byte, view(&aad),
                                              hf_bytes_of(out, cut),
                                              hf_bytes_from(view(&plain), cut), out),
                                 HF_OK);
                assert_hex(out, plain.len + HF_AEAD_TAG_LEN, v->sealed);
            }
        }
    }
}

/* Lengths around block, copy and record sizes: all backends agree with the first. */
static void backends_agree_at_every_size(void **state)
{
    struct fixture *f = *state;
    enum { MOST = 16384 + 256 };
    uint8_t *plain = malloc(MOST), *first = malloc(MOST + 16), *other = malloc(MOST + 16);
    assert_true(plain && first && other);
    for (size_t i = 0; i < MOST; i++) {
        plain[i] = (uint8_t)(i * 31 + 7);
    }
    static const size_t sizes[] = {0,    1,    15,   16,   17,    63,    64,    65,
                                   255,  256,  257,  1023, 1024,  1025,  1040,  4095,
                                   4096, 4097, 8191, 8192, 16383, 16384, 16385, MOST - 17};
    static const size_t tails[] = {0, 1, 16, 17};
    const uint8_t nonce[12] = {1, 2, 3};
    struct hf_bytes aad = hf_bytes_of("\x17\x03\x03\x40\x11", 5);
    for (enum hf_aead_alg alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(sizes) * HF_N_ELEMENTS(tails); i++) {
            size_t head = sizes[i / HF_N_ELEMENTS(tails)], tail = tails[i % HF_N_ELEMENTS(tails)];
            for (size_t b = 0; b < f->n_backends; b++) {
                uint8_t *out = b ? other : first;
                rekey_any(f, b, alg);
                assert_int_equal(hf_aead_seal(&f->seal, nonce, aad, hf_bytes_of(plain, head),
                                              hf_bytes_of(plain + head, tail), out),
                                 HF_OK);
                assert_memory_equal(first, out, head + tail + 16);
                if (b + 1 < f->n_backends) {
                    continue;
                }
                assert_int_equal(
                    hf_aead_open(&f->open, nonce, aad, hf_span_of(out, head + tail + 16)), HF_OK);
                assert_memory_equal(out, plain, head + tail);
            }
        }
    }
    free(plain);
    free(first);
    free(other);
}

/* Seals 40 bytes, spoils one bit by `spoil`, and expects a refusal that shows no plaintext. */
static void assert_refused(struct fixture *f, uint8_t *nonce, uint8_t *aad, uint8_t *text,
                           size_t len)
{
    assert_int_equal(hf_aead_open(&f->open, nonce, hf_bytes_of(aad, 5), hf_span_of(text, len)),
                     HF_E_MISMATCH);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(text[i], 0);
    }
}

static void every_flipped_bit_is_refused_and_wiped(void **state)
{
    struct fixture *f = *state;
    enum { LEN = 40 };
    for (size_t b = 0; b < f->n_backends; b++) {
        for (enum hf_aead_alg alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg++) {
            rekey_any(f, b, alg);
            uint8_t plain[LEN], good[LEN + 16], nonce[12] = {9}, aad[5] = {23, 3, 3, 0, LEN + 16};
            memset(plain, 0x5a, sizeof(plain));
            assert_int_equal(hf_aead_seal(&f->seal, nonce, hf_bytes_of(aad, 5),
                                          hf_bytes_of(plain, LEN), hf_bytes_of(NULL, 0), good),
                             HF_OK);
            for (size_t bit = 0; bit < 8 * (sizeof(good) + sizeof(nonce) + sizeof(aad)); bit++) {
                uint8_t all[LEN + 16 + 12 + 5];
                memcpy(all, good, sizeof(good));
                memcpy(all + sizeof(good), nonce, sizeof(nonce));
                memcpy(all + sizeof(good) + sizeof(nonce), aad, sizeof(aad));
                all[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_refused(f, all + sizeof(good), all + sizeof(good) + sizeof(nonce), all,
                               sizeof(good));
            }
            assert_int_equal(
                hf_aead_open(&f->open, nonce, hf_bytes_of(aad, 5), hf_span_of(good, sizeof(good))),
                HF_OK);
        }
    }
}

static void every_truncation_is_refused_and_wiped(void **state)
{
    struct fixture *f = *state;
    enum { LEN = 40 };
    for (size_t b = 0; b < f->n_backends; b++) {
        for (enum hf_aead_alg alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg++) {
            rekey_any(f, b, alg);
            for (size_t len = 0; len < LEN + 16; len++) {
                uint8_t plain[LEN] = {0}, out[LEN + 16], nonce[12] = {0}, aad[5] = {0};
                assert_int_equal(hf_aead_seal(&f->seal, nonce, hf_bytes_of(aad, 5),
                                              hf_bytes_of(plain, LEN), hf_bytes_of(NULL, 0), out),
                                 HF_OK);
                assert_refused(f, nonce, aad, out, len);
            }
        }
    }
}

static void another_key_does_not_open(void **state)
{
    struct fixture *f = *state;
    for (size_t b = 0; b < f->n_backends; b++) {
        for (enum hf_aead_alg alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg++) {
            rekey_any(f, b, alg);
            uint8_t key[32] = {1}, nonce[12] = {0}, aad[5] = {0}, out[4 + 16];
            assert_int_equal(hf_aead_seal(&f->seal, nonce, hf_bytes_of(aad, 5),
                                          hf_bytes_str("text"), hf_bytes_of(NULL, 0), out),
                             HF_OK);
            hf_aead_done(&f->open);
            assert_int_equal(hf_aead_init_with(&f->open, f->backends[b], f->crypto, alg,
                                               HF_AEAD_OPEN,
                                               hf_bytes_of(key, hf_aead_key_len(alg))),
                             HF_OK);
            assert_refused(f, nonce, aad, out, sizeof(out));
        }
    }
}

static void a_key_works_at_any_address(void **state)
{
    struct fixture *f = *state;
    const uint8_t key[32] = {3}, nonce[12] = {0};
    uint8_t *block = malloc(sizeof(struct hf_aead) + 64), out[2][4 + 16];
    assert_non_null(block);
    for (size_t shift = 0; shift < 64; shift += 8) {
        struct hf_aead *aead = (struct hf_aead *)(void *)(block + shift);
        memset(aead, 0, sizeof(*aead));
        assert_int_equal(
            hf_aead_init(aead, f->crypto, HF_AEAD_AES_128_GCM, HF_AEAD_SEAL, hf_bytes_of(key, 16)),
            HF_OK);
        assert_int_equal(hf_aead_seal(aead, nonce, hf_bytes_of(NULL, 0), hf_bytes_str("text"),
                                      hf_bytes_of(NULL, 0), out[shift != 0]),
                         HF_OK);
        assert_memory_equal(out[0], out[shift != 0], sizeof(out[0]));
        hf_aead_done(aead);
    }
    free(block);
}

static void done_wipes_the_key(void **state)
{
    struct fixture *f = *state;
    for (size_t b = 0; b < f->n_backends; b++) {
        struct hf_aead zero;
        memset(&zero, 0, sizeof(zero));
        rekey_any(f, b, HF_AEAD_CHACHA20_POLY1305);
        hf_aead_done(&f->seal);
        assert_memory_equal(&f->seal, &zero, sizeof(zero));
        hf_aead_done(&f->seal); /* once more is fine */
    }
}

static void a_backend_is_chosen_and_named(void **state)
{
    (void)state;
    for (enum hf_aead_alg alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg++) {
        assert_non_null(hf_aead_backend_name(alg));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_vectors_seal_and_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_and_tail_are_one_plaintext, set_up, tear_down),
        cmocka_unit_test_setup_teardown(backends_agree_at_every_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_refused_and_wiped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_truncation_is_refused_and_wiped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_key_does_not_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_works_at_any_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(done_wipes_the_key, set_up, tear_down),
        cmocka_unit_test(a_backend_is_chosen_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
