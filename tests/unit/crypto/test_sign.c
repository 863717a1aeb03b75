// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign.h"

#include <stdlib.h>

#include "crypto/verify.h"
#include "vectors.h"

#include "keys.h"

#define SCHEME_NUMBER(id, number, name, key, hash) number,
static const uint16_t all_schemes[] = {HF_SCHEME_TABLE(SCHEME_NUMBER)};
#undef SCHEME_NUMBER

enum { N_TYPES = HF_KEY_RSA_PSS + 1 };

/* One key of each type for all tests: making RSA keys is slow. */
static EVP_PKEY *keys[N_TYPES];

struct fixture {
    struct hf_crypto *crypto;
    struct hf_sign_key *sign[N_TYPES];
    struct hf_verify_key *verify[N_TYPES];
};

static int make_keys(void **state)
{
    (void)state;
    for (int type = HF_KEY_P256; type < N_TYPES; type++) {
        keys[type] = key_of((enum hf_key_type)type);
    }
    return 0;
}

static int free_keys(void **state)
{
    (void)state;
    for (int type = HF_KEY_P256; type < N_TYPES; type++) {
        EVP_PKEY_free(keys[type]);
    }
    return 0;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(hf_crypto_new(&f->crypto), HF_OK);
    for (int type = HF_KEY_P256; type < N_TYPES; type++) {
        assert_int_equal(hf_sign_key_new(keys[type], &f->sign[type]), HF_OK);
        assert_int_equal(hf_verify_key_new(keys[type], &f->verify[type]), HF_OK);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int type = HF_KEY_P256; type < N_TYPES; type++) {
        hf_sign_key_unref(f->sign[type]);
        hf_verify_key_unref(f->verify[type]);
    }
    hf_crypto_free(f->crypto);
    free(f);
    return 0;
}

struct signature {
    uint8_t byte[HF_SIGNATURE_MAX];
    size_t len;
};

static struct hf_bytes sig_view(const struct signature *sig)
{
    return hf_bytes_of(sig->byte, sig->len);
}

static enum hf_err sign(struct fixture *f, struct hf_sign_key *key, uint16_t scheme,
                        const char *message, struct signature *out)
{
    return hf_sign(f->crypto, key, scheme, hf_bytes_str(message),
                   hf_span_of(out->byte, sizeof(out->byte)), &out->len);
}

static enum hf_err verify(struct fixture *f, const struct hf_verify_key *key, uint16_t scheme,
                          const char *message, struct hf_bytes sig)
{
    return hf_verify(f->crypto, key, scheme, hf_bytes_str(message), sig);
}

static void each_scheme_signs_and_verifies_again_and_again(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(all_schemes); i++) {
            enum hf_key_type type = hf_scheme_find(all_schemes[i])->key;
            struct signature sig;
            assert_int_equal(sign(f, f->sign[type], all_schemes[i], "message", &sig), HF_OK);
            assert_int_equal(verify(f, f->verify[type], all_schemes[i], "message", sig_view(&sig)),
                             HF_OK);
            assert_int_equal(verify(f, f->verify[type], all_schemes[i], "Message", sig_view(&sig)),
                             HF_E_MISMATCH);
            assert_int_equal(verify(f, f->verify[type], all_schemes[i], "message", sig_view(&sig)),
                             HF_OK);
        }
    }
}

/* The plain EVP way, with nothing prepared, agrees with what was signed. */
static void signatures_are_what_libcrypto_expects(void **state)
{
    struct fixture *f = *state;
    struct signature sig;
    assert_int_equal(
        sign(f, f->sign[HF_KEY_P256], HF_SCHEME_ECDSA_SECP256R1_SHA256, "message", &sig), HF_OK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, keys[HF_KEY_P256], NULL), 1);
    assert_int_equal(EVP_DigestVerify(ctx, sig.byte, sig.len, (const unsigned char *)"message", 7),
                     1);
    EVP_MD_CTX_free(ctx);
}

static void a_scheme_that_does_not_fit_is_refused(void **state)
{
    struct fixture *f = *state;
    for (int type = HF_KEY_P256; type < N_TYPES; type++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(all_schemes); i++) {
            bool fits = (int)hf_scheme_find(all_schemes[i])->key == type;
            struct signature sig = {.len = 64};
            assert_int_equal(hf_sign_key_fits(f->sign[type], all_schemes[i]), fits);
            assert_int_equal(hf_verify_key_fits(f->verify[type], all_schemes[i]), fits);
            if (!fits) {
                assert_int_equal(sign(f, f->sign[type], all_schemes[i], "m", &sig),
                                 HF_E_UNSUPPORTED);
                assert_int_equal(verify(f, f->verify[type], all_schemes[i], "m", sig_view(&sig)),
                                 HF_E_UNSUPPORTED);
            }
        }
        assert_int_equal(hf_verify_key_type(f->verify[type]), type);
    }
}

static void schemes_outside_the_table_are_refused(void **state)
{
    struct fixture *f = *state;
    /* rsa_pkcs1_sha256, ecdsa_sha1, ed448, nothing */
    static const uint16_t foreign[] = {0x0401, 0x0203, 0x0808, 0x0000, 0xffff};
    for (size_t i = 0; i < HF_N_ELEMENTS(foreign); i++) {
        struct signature sig = {.len = 64};
        assert_null(hf_scheme_find(foreign[i]));
        assert_false(hf_sign_key_fits(f->sign[HF_KEY_RSA], foreign[i]));
        assert_false(hf_verify_key_fits(f->verify[HF_KEY_RSA], foreign[i]));
        assert_int_equal(sign(f, f->sign[HF_KEY_RSA], foreign[i], "m", &sig), HF_E_UNSUPPORTED);
        assert_int_equal(verify(f, f->verify[HF_KEY_RSA], foreign[i], "m", sig_view(&sig)),
                         HF_E_UNSUPPORTED);
    }
}

static void every_flipped_bit_and_truncation_is_refused(void **state)
{
    struct fixture *f = *state;
    static const uint16_t schemes[] = {HF_SCHEME_ECDSA_SECP256R1_SHA256, HF_SCHEME_ED25519,
                                       HF_SCHEME_RSA_PSS_RSAE_SHA256};
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        enum hf_key_type type = hf_scheme_find(schemes[i])->key;
        struct signature good;
        assert_int_equal(sign(f, f->sign[type], schemes[i], "message", &good), HF_OK);
        for (size_t bit = 0; bit < 8 * good.len; bit++) {
            struct signature bad = good;
            bad.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(verify(f, f->verify[type], schemes[i], "message", sig_view(&bad)),
                             HF_E_MISMATCH);
        }
        for (size_t len = 0; len < good.len; len++) {
            assert_int_equal(
                verify(f, f->verify[type], schemes[i], "message", hf_bytes_of(good.byte, len)),
                HF_E_MISMATCH);
        }
        good.byte[good.len++] = 0;
        assert_int_equal(verify(f, f->verify[type], schemes[i], "message", sig_view(&good)),
                         HF_E_MISMATCH);
    }
}

/* Keys that share a slot must not verify for each other, in any order. */
static void a_slot_that_changes_keys_forgets_the_old_one(void **state)
{
    struct fixture *f = *state;
    enum { N = 40 };
    static const enum hf_key_type types[] = {HF_KEY_P256, HF_KEY_P384, HF_KEY_ED25519};
    static const uint16_t schemes[] = {HF_SCHEME_ECDSA_SECP256R1_SHA256,
                                       HF_SCHEME_ECDSA_SECP384R1_SHA384, HF_SCHEME_ED25519};
    struct hf_verify_key *verifiers[N];
    struct signature sigs[N];
    for (size_t i = 0; i < N; i++) {
        EVP_PKEY *key = key_of(types[i % 3]);
        struct hf_sign_key *signer;
        assert_int_equal(hf_sign_key_new(key, &signer), HF_OK);
        assert_int_equal(hf_verify_key_new(key, &verifiers[i]), HF_OK);
        assert_int_equal(sign(f, signer, schemes[i % 3], "message", &sigs[i]), HF_OK);
        hf_sign_key_unref(signer);
        EVP_PKEY_free(key);
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = i % 3; j < N; j += 3) {
            assert_int_equal(verify(f, verifiers[i], schemes[i % 3], "message", sig_view(&sigs[j])),
                             i == j ? HF_OK : HF_E_MISMATCH);
        }
    }
    for (size_t i = 0; i < N; i++) {
        hf_verify_key_unref(verifiers[i]);
    }
}

static void a_signing_key_outlives_its_owners_only_in_the_slots(void **state)
{
    struct fixture *f = *state;
    struct signature sig;
    for (int i = 0; i < 40; i++) { /* more than there are slots */
        EVP_PKEY *key = key_of(HF_KEY_P256);
        struct hf_sign_key *signer;
        assert_int_equal(hf_sign_key_new(key, &signer), HF_OK);
        hf_sign_key_unref(hf_sign_key_ref(signer));
        assert_int_equal(sign(f, signer, HF_SCHEME_ECDSA_SECP256R1_SHA256, "m", &sig), HF_OK);
        hf_sign_key_unref(signer);
        EVP_PKEY_free(key);
    }
    /* many that live at once push each other out and still sign right */
    struct hf_sign_key *signers[40];
    struct hf_verify_key *verifiers[40];
    for (size_t i = 0; i < 40; i++) {
        EVP_PKEY *key = key_of(HF_KEY_P256);
        assert_int_equal(hf_sign_key_new(key, &signers[i]), HF_OK);
        assert_int_equal(hf_verify_key_new(key, &verifiers[i]), HF_OK);
        EVP_PKEY_free(key);
    }
    for (size_t i = 0; i < 120; i++) {
        size_t n = i * 7 % 40;
        assert_int_equal(sign(f, signers[n], HF_SCHEME_ECDSA_SECP256R1_SHA256, "m", &sig), HF_OK);
        assert_int_equal(
            verify(f, verifiers[n], HF_SCHEME_ECDSA_SECP256R1_SHA256, "m", sig_view(&sig)), HF_OK);
    }
    for (size_t i = 0; i < 40; i++) {
        hf_sign_key_unref(signers[i]);
        hf_verify_key_unref(verifiers[i]);
    }
}

/* --- Which keys fit -----------------------------------------------------------------------------
 */

static uint32_t bits_of(const uint16_t *schemes, size_t n)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        bits |= hf_scheme_bit(hf_scheme_find(schemes[i]));
    }
    return bits;
}

static void a_restricted_pss_key_fits_its_own_hash(void **state)
{
    struct fixture *f = *state;
    char sha384[] = "SHA384";
    static const uint16_t own[] = {HF_SCHEME_RSA_PSS_PSS_SHA384};
    EVP_PKEY *key = pss_key(sha384, 48);
    assert_int_equal(hf_schemes_fitting(key), bits_of(own, 1));
    struct hf_sign_key *signer;
    struct hf_verify_key *verifier;
    struct signature sig;
    assert_int_equal(hf_sign_key_new(key, &signer), HF_OK);
    assert_int_equal(hf_verify_key_new(key, &verifier), HF_OK);
    assert_int_equal(sign(f, signer, own[0], "m", &sig), HF_OK);
    assert_int_equal(verify(f, verifier, own[0], "m", sig_view(&sig)), HF_OK);
    assert_int_equal(sign(f, signer, HF_SCHEME_RSA_PSS_PSS_SHA256, "m", &sig), HF_E_UNSUPPORTED);
    hf_sign_key_unref(signer);
    hf_verify_key_unref(verifier);
    EVP_PKEY_free(key);
}

static void a_pss_key_that_wants_a_longer_salt_fits_nothing(void **state)
{
    (void)state;
    char sha256[] = "SHA256";
    EVP_PKEY *key = pss_key(sha256, 33);
    assert_int_equal(hf_schemes_fitting(key), 0);
    EVP_PKEY_free(key);
}

static void a_short_rsa_key_has_no_room_for_sha512(void **state)
{
    (void)state;
    static const uint16_t two[] = {HF_SCHEME_RSA_PSS_RSAE_SHA256, HF_SCHEME_RSA_PSS_RSAE_SHA384};
    EVP_PKEY *key = rsa_key(1024);
    assert_int_equal(hf_schemes_fitting(key), bits_of(two, 2));
    EVP_PKEY_free(key);
}

static void keys_that_no_scheme_fits_are_refused(void **state)
{
    (void)state;
    char p224[] = "P-224";
    const OSSL_PARAM none[] = {OSSL_PARAM_construct_end()};
    EVP_PKEY *foreign[] = {ec_key(p224), make_key("X25519", none), make_key("ED448", none),
                           rsa_key(768)};
    for (size_t i = 0; i < HF_N_ELEMENTS(foreign); i++) {
        struct hf_sign_key *signer;
        struct hf_verify_key *verifier;
        assert_int_equal(hf_sign_key_new(foreign[i], &signer), HF_E_UNSUPPORTED);
        assert_int_equal(hf_verify_key_new(foreign[i], &verifier), HF_E_UNSUPPORTED);
        assert_null(signer);
        assert_null(verifier);
        EVP_PKEY_free(foreign[i]);
    }
}

/* --- Published signatures, and malformed ones ---------------------------------------------------
 */

static struct hf_verify_key *public_key(const char *type, char *group, const char *point)
{
    struct vector bytes = hex(point);
    OSSL_PARAM params[3];
    size_t n = 0;
    if (group) {
        params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    }
    params[n++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes.byte, bytes.len);
    params[n] = OSSL_PARAM_construct_end();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    struct hf_verify_key *out;
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    assert_int_equal(hf_verify_key_new(key, &out), HF_OK);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    return out;
}

/* RFC 8032 7.1, TEST 2. */
static void ed25519_verifies_that_of_rfc_8032(void **state)
{
    struct fixture *f = *state;
    struct hf_verify_key *key = public_key(
        "ED25519", NULL, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    struct vector sig = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_int_equal(verify(f, key, HF_SCHEME_ED25519, "r", view(&sig)), HF_OK);
    /* S + L is the same point but not canonical (RFC 8032 5.1.7) */
    struct vector high = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                             "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10");
    assert_int_equal(verify(f, key, HF_SCHEME_ED25519, "r", view(&high)), HF_E_MISMATCH);
    hf_verify_key_unref(key);
}

#define ECDSA_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define ECDSA_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define ORDER   "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define R_DER   "022100" ECDSA_R
#define S_DER   "022100" ECDSA_S

/* RFC 6979 A.2.5, P-256, SHA-256, "sample"; the rest are malformations of it. */
static const struct {
    const char *what;
    const char *der;
    enum hf_err err;
} ecdsa_cases[] = {
    {"as published", "3046" R_DER S_DER, HF_OK},
    {"r is zero", "3026020100" S_DER, HF_E_MISMATCH},
    {"s is zero", "3026" R_DER "020100", HF_E_MISMATCH},
    {"both are zero", "3006020100020100", HF_E_MISMATCH},
    {"r is the order", "3046022100" ORDER S_DER, HF_E_MISMATCH},
    {"s is the order", "3046" R_DER "022100" ORDER, HF_E_MISMATCH},
    {"r and s are one", "3006020101020101", HF_E_MISMATCH},
    {"r plus the order",
     "3046022101efd48b29acb6a8fe1140dd9cd45e81d65a138228fdc29816b706d96b4b125c67" S_DER,
     HF_E_MISMATCH},
    {"r is negative", "30450220" ECDSA_R S_DER, HF_E_MISMATCH},
    {"s is negative", "3045" R_DER "0220" ECDSA_S, HF_E_MISMATCH},
    {"r has a needless zero", "304702220000" ECDSA_R S_DER, HF_E_MISMATCH},
    {"length in the long form", "308146" R_DER S_DER, HF_E_MISMATCH},
    {"indefinite length", "3080" R_DER S_DER "0000", HF_E_MISMATCH},
    {"s is missing", "3023" R_DER, HF_E_MISMATCH},
    {"empty sequence", "3000", HF_E_MISMATCH},
    {"a third number", "3049" R_DER S_DER "020100", HF_E_MISMATCH},
    {"bytes behind", "3046" R_DER S_DER "00", HF_E_MISMATCH},
    {"a set", "3146" R_DER S_DER, HF_E_MISMATCH},
    {"r is an octet string", "3046042100" ECDSA_R S_DER, HF_E_MISMATCH},
    {"r is empty", "30250200" S_DER, HF_E_MISMATCH},
    {"r and s exchanged", "3046" S_DER R_DER, HF_E_MISMATCH},
    {"the bare numbers", ECDSA_R ECDSA_S, HF_E_MISMATCH},
    {"nothing", "", HF_E_MISMATCH},
};

static void ecdsa_takes_the_published_signature_and_no_other_form(void **state)
{
    struct fixture *f = *state;
    char p256[] = "P-256";
    struct hf_verify_key *key =
        public_key("EC", p256,
                   "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                   "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
    for (size_t i = 0; i < HF_N_ELEMENTS(ecdsa_cases); i++) {
        struct vector sig = hex(ecdsa_cases[i].der);
        enum hf_err err = verify(f, key, HF_SCHEME_ECDSA_SECP256R1_SHA256, "sample", view(&sig));
        if (err != ecdsa_cases[i].err) {
            fail_msg("%s: %s", ecdsa_cases[i].what, hf_err_name(err));
        }
    }
    hf_verify_key_unref(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_scheme_signs_and_verifies_again_and_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(signatures_are_what_libcrypto_expects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_scheme_that_does_not_fit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schemes_outside_the_table_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_and_truncation_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_slot_that_changes_keys_forgets_the_old_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_signing_key_outlives_its_owners_only_in_the_slots, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_restricted_pss_key_fits_its_own_hash, set_up, tear_down),
        cmocka_unit_test(a_pss_key_that_wants_a_longer_salt_fits_nothing),
        cmocka_unit_test(a_short_rsa_key_has_no_room_for_sha512),
        cmocka_unit_test(keys_that_no_scheme_fits_are_refused),
        cmocka_unit_test_setup_teardown(ed25519_verifies_that_of_rfc_8032, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ecdsa_takes_the_published_signature_and_no_other_form,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
