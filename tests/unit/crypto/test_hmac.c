// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.h"

#include "vectors.h"

/* RFC 4231, sections 4.2 to 4.8 (4.6 is a truncation and is left out). */
static const struct {
    const char *key, *data, *sha256, *sha384, *sha512;
} rfc4231[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
     "faea9ea9076ede7f4af152e8b2fa9cb6",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
     "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
     "8e2240ca5e69e2c78b3239ecfab21649",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
     "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
     "2a5ab39dc13814b94e3ab6e101a34f27",
     "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
     "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
     "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e"
     "6801dd23c4a7d679ccf8a386c674cffb",
     "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
     "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
};

/* 4.7: a key longer than the block of each hash. */
static void long_keys_are_hashed_first(void **state)
{
    (void)state;
    uint8_t key[131], mac[HF_HASH_MAX];
    memset(key, 0xaa, sizeof(key));
    struct hf_bytes data = hf_bytes_str("Test Using Larger Than Block-Size Key - Hash Key First");
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, HF_HASH_SHA256, hf_bytes_of(key, sizeof(key)));
    hf_hmac_once(&hmac, data, mac);
    assert_hex(mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hf_hmac_init(&hmac, HF_HASH_SHA384, hf_bytes_of(key, sizeof(key)));
    hf_hmac_once(&hmac, data, mac);
    assert_hex(mac, 48,
               "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
               "0c2ef6ab4030fe8296248df163f44952");
    hf_hmac_done(&hmac);
}

static void macs_are_those_of_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(rfc4231); i++) {
        struct vector key = hex(rfc4231[i].key), data = hex(rfc4231[i].data);
        const char *expected[] = {rfc4231[i].sha256, rfc4231[i].sha384, rfc4231[i].sha512};
        for (enum hf_hash_alg alg = HF_HASH_SHA256; alg <= HF_HASH_SHA512; alg++) {
            struct hf_hmac hmac;
            uint8_t mac[HF_HASH_MAX];
            hf_hmac_init(&hmac, alg, view(&key));
            hf_hmac_once(&hmac, view(&data), mac);
            assert_hex(mac, hf_hash_size(alg), expected[alg]);
            hf_hmac_done(&hmac);
        }
    }
}

static void a_key_serves_many_messages_in_pieces(void **state)
{
    (void)state;
    struct vector key = hex(rfc4231[1].key), data = hex(rfc4231[1].data);
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, HF_HASH_SHA256, view(&key));
    for (size_t cut = 0; cut <= data.len; cut++) {
        uint8_t mac[HF_HASH_MAX];
        struct hf_hash running = hf_hmac_begin(&hmac);
        hf_hash_update(&running, hf_bytes_of(data.byte, cut));
        hf_hash_update(&running, hf_bytes_from(view(&data), cut));
        hf_hmac_end(&hmac, &running, mac);
        assert_hex(mac, 32, rfc4231[1].sha256);
    }
    hf_hmac_done(&hmac);
}

static void done_wipes_the_key(void **state)
{
    (void)state;
    struct hf_hmac hmac, zero;
    memset(&zero, 0, sizeof(zero));
    hf_hmac_init(&hmac, HF_HASH_SHA384, hf_bytes_str("key"));
    hf_hmac_done(&hmac);
    assert_memory_equal(&hmac, &zero, sizeof(hmac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_are_those_of_rfc_4231),
        cmocka_unit_test(long_keys_are_hashed_first),
        cmocka_unit_test(a_key_serves_many_messages_in_pieces),
        cmocka_unit_test(done_wipes_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
