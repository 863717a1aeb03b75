// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include "vectors.h"

/* RFC 5869 A.1 to A.3. */
static const struct {
    const char *ikm, *salt, *info, *prk, *okm;
} rfc5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
     "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
     "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
     "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void outputs_are_those_of_rfc_5869(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(rfc5869); i++) {
        struct vector ikm = hex(rfc5869[i].ikm), salt = hex(rfc5869[i].salt);
        struct vector info = hex(rfc5869[i].info), okm = hex(rfc5869[i].okm);
        struct hf_secret prk;
        hf_hkdf_extract(HF_HASH_SHA256, view(&salt), view(&ikm), &prk);
        assert_hex(prk.byte, prk.len, rfc5869[i].prk);
        struct hf_hmac hmac;
        hf_hmac_init(&hmac, HF_HASH_SHA256, hf_secret_bytes(&prk));
        for (size_t len = 0; len <= okm.len; len++) {
            uint8_t out[VECTOR_MAX] = {0};
            assert_int_equal(hf_hkdf_expand(&hmac, view(&info), hf_span_of(out, len)), HF_OK);
            assert_memory_equal(out, okm.byte, len);
            assert_int_equal(out[len], 0);
        }
    }
}

/* RFC 8448 section 3: {server} derive write traffic keys for handshake data. */
static void labels_are_encoded_as_in_rfc_8448(void **state)
{
    (void)state;
    struct vector secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, HF_HASH_SHA256, view(&secret));
    uint8_t out[16];
    assert_int_equal(
        hf_hkdf_expand_label(&hmac, hf_bytes_str("key"), hf_bytes_of(NULL, 0), hf_span_of(out, 16)),
        HF_OK);
    assert_hex(out, 16, "3fce516009c21727d0f2e4e86ee403bc");
    assert_int_equal(
        hf_hkdf_expand_label(&hmac, hf_bytes_str("iv"), hf_bytes_of(NULL, 0), hf_span_of(out, 12)),
        HF_OK);
    assert_hex(out, 12, "5d313eb2671276ee13000b30");
}

static void too_much_output_is_refused(void **state)
{
    (void)state;
    static uint8_t out[255 * 32 + 1];
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, HF_HASH_SHA256, hf_bytes_str("k"));
    struct hf_bytes none = {0};
    assert_int_equal(hf_hkdf_expand(&hmac, none, hf_span_of(out, 255 * 32)), HF_OK);
    assert_int_equal(hf_hkdf_expand(&hmac, none, hf_span_of(out, 255 * 32 + 1)), HF_E_INVALID);
}

static void labels_and_contexts_outside_their_length_are_refused(void **state)
{
    (void)state;
    static const uint8_t filler[256];
    uint8_t out[32];
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, HF_HASH_SHA256, hf_bytes_str("k"));
    static const struct {
        size_t label, context;
        enum hf_err err;
    } cases[] = {
        {1, 0, HF_OK},          {HF_HKDF_LABEL_MAX, 255, HF_OK},
        {0, 0, HF_E_INVALID},   {HF_HKDF_LABEL_MAX + 1, 0, HF_E_INVALID},
        {1, 256, HF_E_INVALID},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        assert_int_equal(hf_hkdf_expand_label(&hmac, hf_bytes_of(filler, cases[i].label),
                                              hf_bytes_of(filler, cases[i].context),
                                              hf_span_of(out, sizeof(out))),
                         cases[i].err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_rfc_5869),
        cmocka_unit_test(labels_are_encoded_as_in_rfc_8448),
        cmocka_unit_test(too_much_output_is_refused),
        cmocka_unit_test(labels_and_contexts_outside_their_length_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
