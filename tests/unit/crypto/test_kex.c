// SPDX-License-Identifier: Apache-2.0
#include "crypto/kex.h"

#include "base/mem.h"
#include "vectors.h"

static const enum hf_kex_group all_groups[] = {HF_KEX_X25519, HF_KEX_P256, HF_KEX_P384};

static int set_up(void **state)
{
    struct hf_crypto *crypto;
    assert_int_equal(hf_crypto_new(&crypto), HF_OK);
    *state = crypto;
    return 0;
}

static int tear_down(void **state)
{
    hf_crypto_free(*state);
    return 0;
}

/* A random source that gives these bytes first, for known private keys. */
struct fixed_rng {
    struct vector bytes;
    size_t at;
};

static enum hf_err fixed_fill(void *ctx, struct hf_span out)
{
    struct fixed_rng *rng = ctx;
    if (out.len > rng->bytes.len - rng->at) {
        return hf_fail(HF_E_CRYPTO, "no more random bytes");
    }
    memcpy(out.ptr, rng->bytes.byte + rng->at, out.len);
    rng->at += out.len;
    return HF_OK;
}

static enum hf_err generate_from(struct hf_crypto *crypto, enum hf_kex_group group,
                                 const char *bytes, struct hf_kex *out)
{
    struct fixed_rng fixed = {.bytes = hex(bytes)};
    struct hf_rng rng = {.ctx = &fixed, .fill = fixed_fill};
    return hf_kex_generate(crypto, group, &rng, out);
}

/* A pair with a known private key; derivation doesn't look at the public half. */
static struct hf_kex pair_of(enum hf_kex_group group, const char *private_key)
{
    struct vector bytes = hex(private_key);
    struct hf_kex kex = {.group = group, .public_len = (uint8_t)hf_kex_public_len(group)};
    memcpy(kex.private_key, bytes.byte, bytes.len);
    return kex;
}

static enum hf_err derive(struct hf_crypto *crypto, enum hf_kex_group group,
                          const char *private_key, const char *peer, struct hf_secret *out)
{
    struct hf_kex kex = pair_of(group, private_key);
    struct vector share = hex(peer);
    memset(out, 0xee, sizeof(*out));
    return hf_kex_derive(crypto, &kex, view(&share), out);
}

/* --- Published vectors --------------------------------------------------------------------------
 */

static const struct {
    enum hf_kex_group group;
    const char *private_key, *peer, *shared;
} shared_secrets[] = {
    /* RFC 7748 5.2 */
    {HF_KEX_X25519, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
    {HF_KEX_X25519, "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    /* RFC 7748 6.1 */
    {HF_KEX_X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    /* NIST CAVP, ECC CDH primitive (SP 800-56A 5.7.1.2), P-256 count 0 */
    {HF_KEX_P256, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
     "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
     "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
     "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"},
    /* the same, P-384 count 0 */
    {HF_KEX_P384,
     "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b15618b6818a661774"
     "ad463b205da88cf699ab4d43c9cf98a1",
     "04a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272"
     "734466b400091adbf2d68c58e0c50066"
     "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915e"
     "d0905a32b060992b468c64766fc8437a",
     "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f40ba7fcead493b457"
     "e5621e766c40a2e3d4d6a04b25e533f1"},
};

static void shared_secrets_are_those_published(void **state)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(shared_secrets); i++) {
        struct hf_secret shared;
        assert_int_equal(derive(*state, shared_secrets[i].group, shared_secrets[i].private_key,
                                shared_secrets[i].peer, &shared),
                         HF_OK);
        assert_hex(shared.byte, shared.len, shared_secrets[i].shared);
    }
}

static const struct {
    enum hf_kex_group group;
    const char *private_key, *public_key;
} pairs[] = {
    /* RFC 7748 6.1, both sides */
    {HF_KEX_X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
    {HF_KEX_X25519, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
    /* RFC 8448 3, server's and client's ephemeral keys */
    {HF_KEX_X25519, "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e",
     "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f"},
    {HF_KEX_X25519, "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",
     "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c"},
    /* NIST CAVP as above, the IUT's pair */
    {HF_KEX_P256, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
     "04ead218590119e8876b29146ff89ca61770c4edbbf97d38ce385ed281d8a6b230"
     "28af61281fd35e2fa7002523acc85a429cb06ee6648325389f59edfce1405141"},
    {HF_KEX_P384,
     "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b15618b6818a661774"
     "ad463b205da88cf699ab4d43c9cf98a1",
     "049803807f2f6d2fd966cdd0290bd410c0190352fbec7ff6247de1302df86f25d3"
     "4fe4a97bef60cff548355c015dbb3e5f"
     "ba26ca69ec2f5b5d9dad20cc9da711383a9dbe34ea3fa5a2af75b46502629ad5"
     "4dd8b7d73a8abb06a3a3be47d650cc99"},
};

static void public_keys_are_those_published(void **state)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(pairs); i++) {
        struct hf_kex kex;
        assert_int_equal(generate_from(*state, pairs[i].group, pairs[i].private_key, &kex), HF_OK);
        assert_hex(kex.public_key, kex.public_len, pairs[i].public_key);
        hf_kex_done(&kex);
    }
}

/* --- Own pairs ----------------------------------------------------------------------------------
 */

static void both_sides_agree(void **state)
{
    struct counting_rng counter = {.state = 1};
    struct hf_rng rng = counting_rng(&counter);
    for (size_t g = 0; g < HF_N_ELEMENTS(all_groups); g++) {
        for (int round = 0; round < 20; round++) {
            struct hf_kex a, b;
            struct hf_secret x, y;
            assert_int_equal(hf_kex_generate(*state, all_groups[g], &rng, &a), HF_OK);
            assert_int_equal(hf_kex_generate(*state, all_groups[g], &rng, &b), HF_OK);
            assert_memory_not_equal(a.public_key, b.public_key, a.public_len);
            assert_int_equal(hf_kex_derive(*state, &a, hf_bytes_of(b.public_key, b.public_len), &x),
                             HF_OK);
            assert_int_equal(hf_kex_derive(*state, &b, hf_bytes_of(a.public_key, a.public_len), &y),
                             HF_OK);
            assert_int_equal(x.len, y.len);
            assert_memory_equal(x.byte, y.byte, x.len);
        }
    }
}

static void a_pair_may_move_and_change_threads(void **state)
{
    struct counting_rng counter = {.state = 2};
    struct hf_rng rng = counting_rng(&counter);
    struct hf_crypto *other;
    assert_int_equal(hf_crypto_new(&other), HF_OK);
    for (size_t g = 0; g < HF_N_ELEMENTS(all_groups); g++) {
        struct hf_kex a, b;
        struct hf_secret x, y;
        assert_int_equal(hf_kex_generate(*state, all_groups[g], &rng, &a), HF_OK);
        assert_int_equal(hf_kex_generate(*state, all_groups[g], &rng, &b), HF_OK);
        struct hf_kex moved = a;
        hf_kex_done(&a);
        struct hf_bytes peer = hf_bytes_of(b.public_key, b.public_len);
        assert_int_equal(hf_kex_derive(*state, &moved, peer, &x), HF_OK);
        assert_int_equal(hf_kex_derive(other, &moved, peer, &y), HF_OK);
        assert_memory_equal(x.byte, y.byte, x.len);
    }
    hf_crypto_free(other);
}

static void scalars_outside_the_order_are_drawn_again(void **state)
{
    /* n itself, n + 1 and zero first, then a good one */
    static const char p256[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
                               "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552"
                               "0000000000000000000000000000000000000000000000000000000000000000"
                               "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534";
    struct hf_kex kex;
    assert_int_equal(generate_from(*state, HF_KEX_P256, p256, &kex), HF_OK);
    assert_hex(kex.public_key, kex.public_len, pairs[4].public_key);
}

static enum hf_err zero_fill(void *ctx, struct hf_span out)
{
    (void)ctx;
    memset(out.ptr, 0, out.len);
    return HF_OK;
}

static void a_broken_random_source_fails(void **state)
{
    struct hf_kex kex, zero;
    memset(&zero, 0, sizeof(zero));
    struct hf_rng stuck = {.fill = zero_fill};
    assert_int_equal(hf_kex_generate(*state, HF_KEX_P256, &stuck, &kex), HF_E_CRYPTO);
    assert_memory_equal(&kex, &zero, sizeof(kex));
    for (size_t g = 0; g < HF_N_ELEMENTS(all_groups); g++) {
        assert_int_equal(generate_from(*state, all_groups[g], "", &kex), HF_E_CRYPTO);
        assert_memory_equal(&kex, &zero, sizeof(kex));
    }
}

/* --- Bad shares ---------------------------------------------------------------------------------
 */

#define P256_KEY "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534"
#define P256_X   "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
#define P256_Y   "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac"
#define P256_P   "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define ZERO_32  "0000000000000000000000000000000000000000000000000000000000000000"
#define X_KEY    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"

static const struct {
    const char *what;
    enum hf_kex_group group;
    const char *private_key, *peer;
} bad_shares[] = {
    {"point not on the curve: y + 1", HF_KEX_P256, P256_KEY,
     "04" P256_X "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ad"},
    {"origin, which is not on the curve", HF_KEX_P256, P256_KEY, "04" ZERO_32 ZERO_32},
    {"hybrid form of a good point", HF_KEX_P256, P256_KEY, "06" P256_X P256_Y},
    {"the other hybrid form", HF_KEX_P256, P256_KEY, "07" P256_X P256_Y},
    {"form 05", HF_KEX_P256, P256_KEY, "05" P256_X P256_Y},
    {"compressed", HF_KEX_P256, P256_KEY, "02" P256_X},
    {"infinity", HF_KEX_P256, P256_KEY, "00"},
    {"infinity, padded", HF_KEX_P256, P256_KEY, "00" ZERO_32 ZERO_32},
    {"x is the field's prime", HF_KEX_P256, P256_KEY, "04" P256_P P256_Y},
    {"y is the field's prime", HF_KEX_P256, P256_KEY, "04" ZERO_32 P256_P},
    {"x beyond the field", HF_KEX_P256, P256_KEY,
     "04ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" P256_Y},
    {"one byte short", HF_KEX_P256, P256_KEY,
     "04" P256_X "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4"},
    {"one byte long", HF_KEX_P256, P256_KEY, "04" P256_X P256_Y "00"},
    {"empty", HF_KEX_P256, P256_KEY, ""},
    {"a P-256 share for P-384", HF_KEX_P384, P256_KEY, "04" P256_X P256_Y},
    /* points of small order on Curve25519 and its twist; the result is zero (RFC 7748 6.1) */
    {"zero", HF_KEX_X25519, X_KEY, ZERO_32},
    {"one", HF_KEX_X25519, X_KEY,
     "0100000000000000000000000000000000000000000000000000000000000000"},
    {"order 8", HF_KEX_X25519, X_KEY,
     "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
    {"order 8, the other", HF_KEX_X25519, X_KEY,
     "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
    {"p - 1", HF_KEX_X25519, X_KEY,
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"p", HF_KEX_X25519, X_KEY, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"p + 1", HF_KEX_X25519, X_KEY,
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
    {"zero with the high bit set", HF_KEX_X25519, X_KEY,
     "0000000000000000000000000000000000000000000000000000000000000080"},
    {"short", HF_KEX_X25519, X_KEY,
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c"},
    {"long", HF_KEX_X25519, X_KEY,
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c00"},
    {"empty", HF_KEX_X25519, X_KEY, ""},
};

static void bad_shares_are_refused(void **state)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(bad_shares); i++) {
        struct hf_secret shared;
        assert_int_equal(derive(*state, bad_shares[i].group, bad_shares[i].private_key,
                                bad_shares[i].peer, &shared),
                         HF_E_INVALID);
        assert_int_equal(shared.len, 0);
    }
    /* and a good share still works after each of them */
    shared_secrets_are_those_published(state);
}

/* RFC 7748 5: the high bit of a share is ignored, numbers beyond the field are reduced. */
static void x25519_takes_shares_as_the_rfc_says(void **state)
{
    struct hf_secret plain, high_bit;
    assert_int_equal(derive(*state, HF_KEX_X25519, X_KEY, shared_secrets[0].peer, &plain), HF_OK);
    assert_int_equal(derive(*state, HF_KEX_X25519, X_KEY,
                            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1ccc",
                            &high_bit),
                     HF_OK);
    assert_memory_equal(plain.byte, high_bit.byte, 32);
}

static void groups_are_known_by_number_and_name(void **state)
{
    (void)state;
    assert_int_equal(hf_kex_public_len(29), 32);
    assert_int_equal(hf_kex_public_len(23), 65);
    assert_int_equal(hf_kex_public_len(24), 97);
    assert_int_equal(hf_kex_public_len(25), 0);
    assert_string_equal(hf_kex_name(29), "x25519");
    assert_string_equal(hf_kex_name(23), "secp256r1");
    assert_null(hf_kex_name(0x11ec));
}

static void an_unknown_group_is_refused(void **state)
{
    struct hf_kex kex;
    struct hf_secret shared;
    struct counting_rng counter = {.state = 3};
    struct hf_rng rng = counting_rng(&counter);
    assert_int_equal(hf_kex_generate(*state, (enum hf_kex_group)25, &rng, &kex), HF_E_INVALID);
    kex.group = (enum hf_kex_group)25;
    assert_int_equal(hf_kex_derive(*state, &kex, hf_bytes_of(NULL, 0), &shared), HF_E_INVALID);
}

static void a_handle_that_cannot_be_made_says_so(void **state)
{
    (void)state;
    struct hf_crypto *crypto;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_crypto_new(&crypto), HF_E_NOMEM);
    assert_null(crypto);
    hf_crypto_free(crypto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shared_secrets_are_those_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(public_keys_are_those_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_sides_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pair_may_move_and_change_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scalars_outside_the_order_are_drawn_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broken_random_source_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_shares_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(x25519_takes_shares_as_the_rfc_says, set_up, tear_down),
        cmocka_unit_test(groups_are_known_by_number_and_name),
        cmocka_unit_test_setup_teardown(an_unknown_group_is_refused, set_up, tear_down),
        cmocka_unit_test(a_handle_that_cannot_be_made_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
