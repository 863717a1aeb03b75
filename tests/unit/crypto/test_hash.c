// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <stdlib.h>

#include "vectors.h"

/* FIPS 180-4 examples (NIST, "SHA256.pdf", "SHA384.pdf", "SHA512.pdf"), and the empty message. */
static const struct {
    enum hf_hash_alg alg;
    const char *message;
    const char *digest;
} examples[] = {
    {HF_HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HF_HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {HF_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {HF_HASH_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {HF_HASH_SHA384, "",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
     "274edebfe76f65fbd51ad2f14898b95b"},
    {HF_HASH_SHA384,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
     "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
     "fcc7c71a557e2db966c3e9fa91746039"},
    {HF_HASH_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void digests_are_those_of_fips_180(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(examples); i++) {
        uint8_t out[HF_HASH_MAX];
        hf_hash_once(examples[i].alg, hf_bytes_str(examples[i].message), out);
        assert_hex(out, hf_hash_size(examples[i].alg), examples[i].digest);
    }
}

static void pieces_of_any_size_give_the_same_digest(void **state)
{
    (void)state;
    uint8_t message[300];
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)i;
    }
    for (enum hf_hash_alg alg = HF_HASH_SHA256; alg <= HF_HASH_SHA512; alg++) {
        uint8_t whole[HF_HASH_MAX], parts[HF_HASH_MAX];
        hf_hash_once(alg, hf_bytes_of(message, sizeof(message)), whole);
        for (size_t cut = 0; cut <= sizeof(message); cut++) {
            struct hf_hash hash;
            hf_hash_init(&hash, alg);
            hf_hash_update(&hash, hf_bytes_of(message, cut));
            hf_hash_update(&hash, hf_bytes_of(message + cut, sizeof(message) - cut));
            hf_hash_final(&hash, parts);
            assert_memory_equal(whole, parts, hf_hash_size(alg));
        }
    }
}

static void peeking_does_not_end_a_hash(void **state)
{
    (void)state;
    struct hf_hash hash;
    uint8_t out[HF_HASH_MAX];
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_peek(&hash, out);
    assert_hex(out, 32, examples[1].digest);
    hf_hash_update(&hash, hf_bytes_str("ab"));
    hf_hash_peek(&hash, out);
    hf_hash_update(&hash, hf_bytes_str("c"));
    hf_hash_peek(&hash, out);
    assert_hex(out, 32, examples[0].digest);
    hf_hash_final(&hash, out);
    assert_hex(out, 32, examples[0].digest);
}

static void an_assigned_struct_is_a_clone(void **state)
{
    (void)state;
    struct hf_hash hash, clone;
    uint8_t a[HF_HASH_MAX], b[HF_HASH_MAX];
    hf_hash_init(&hash, HF_HASH_SHA384);
    hf_hash_update(&hash, hf_bytes_str("a"));
    clone = hash;
    hf_hash_update(&hash, hf_bytes_str("xx"));
    hf_hash_update(&clone, hf_bytes_str("bc"));
    hf_hash_final(&hash, a);
    hf_hash_final(&clone, b);
    assert_hex(b, 48, examples[3].digest);
    assert_memory_not_equal(a, b, 48);
}

static void final_wipes_the_context(void **state)
{
    (void)state;
    struct hf_hash hash, zero = {0};
    uint8_t out[HF_HASH_MAX];
    memset(&hash, 0xff, sizeof(hash));
    memset(&zero, 0, sizeof(zero));
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_str("secret"));
    hf_hash_final(&hash, out);
    assert_memory_equal(&hash, &zero, sizeof(hash));
}

static void sizes_are_the_algorithms(void **state)
{
    (void)state;
    assert_int_equal(hf_hash_size(HF_HASH_SHA256), 32);
    assert_int_equal(hf_hash_size(HF_HASH_SHA384), 48);
    assert_int_equal(hf_hash_size(HF_HASH_SHA512), 64);
    assert_int_equal(hf_hash_block(HF_HASH_SHA256), 64);
    assert_int_equal(hf_hash_block(HF_HASH_SHA384), 128);
    assert_int_equal(hf_hash_block(HF_HASH_SHA512), 128);
    assert_string_equal(hf_hash_name(HF_HASH_SHA384), "SHA384");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180),
        cmocka_unit_test(pieces_of_any_size_give_the_same_digest),
        cmocka_unit_test(peeking_does_not_end_a_hash),
        cmocka_unit_test(an_assigned_struct_is_a_clone),
        cmocka_unit_test(final_wipes_the_context),
        cmocka_unit_test(sizes_are_the_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
