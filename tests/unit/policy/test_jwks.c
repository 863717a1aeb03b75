// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "jose.h"
#include "policy/jwks.h"

#define VECTORS HF_VECTORS "/jose.json"

/* A point of P-256 (RFC 7515 A.3), for texts that are written by hand. */
#define X    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define P256 "\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y

static enum hf_err parse(const char *text, struct hf_jwks **out)
{
    return hf_jwks_new(hf_bytes_str(text), out);
}

/* --- Published vectors: RFC 7515 A, RFC 7520 4, RFC 8037 A -------------------------------------
 */

static void decode(const char *text, size_t len, struct hf_buf *out)
{
    *out = HF_BUF_INIT(4096);
    assert_int_equal(hf_base64url_decode(hf_bytes_of(text, len), out), HF_OK);
}

static void check_vector(const json_t *vector)
{
    struct hf_jwk jwk = {0};
    const char *compact = json_string_value(json_object_get(vector, "compact"));
    const char *end = strrchr(compact, '.');
    struct hf_buf header, signature;
    decode(compact, strcspn(compact, "."), &header);
    decode(end + 1, strlen(end + 1), &signature);
    json_t *json =
        json_loadb((const char *)hf_buf_bytes(&header).ptr, hf_buf_len(&header), 0, NULL);
    enum hf_jws_alg alg =
        hf_jws_find(hf_bytes_str(json_string_value(json_object_get(json, "alg"))));
    assert_int_not_equal(alg, HF_JWS_N);
    assert_int_equal(hf_jwk_init(&jwk, json_object_get(vector, "key")), HF_OK);
    struct hf_bytes message = hf_bytes_of(compact, (size_t)(end - compact));
    assert_int_equal(hf_jwk_verify(&jwk, alg, message, hf_buf_bytes(&signature)), HF_OK);
    for (size_t i = 0; i < hf_buf_len(&signature); i++) { /* no bit may be another */
        signature.mem[signature.start + i] ^= 1;
        assert_int_equal(hf_jwk_verify(&jwk, alg, message, hf_buf_bytes(&signature)),
                         HF_E_MISMATCH);
        signature.mem[signature.start + i] ^= 1;
    }
    message.len--;
    assert_int_equal(hf_jwk_verify(&jwk, alg, message, hf_buf_bytes(&signature)), HF_E_MISMATCH);
    for (int other = 0; other < HF_JWS_N; other++) {
        if (other != (int)alg) {
            assert_int_not_equal(
                hf_jwk_verify(&jwk, (enum hf_jws_alg)other, message, hf_buf_bytes(&signature)),
                HF_OK);
        }
    }
    json_decref(json);
    hf_jwk_done(&jwk);
    hf_buf_done(&header);
    hf_buf_done(&signature);
}

static void published_vectors_hold(void **state)
{
    (void)state;
    json_t *vectors = json_load_file(VECTORS, 0, NULL);
    size_t i;
    json_t *vector;
    assert_int_equal(json_array_size(vectors), 7);
    json_array_foreach(vectors, i, vector)
    {
        check_vector(vector);
    }
    json_decref(vectors);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

static void a_key_checks_what_its_kind_and_members_say(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t algs; /* 0: passed over */
    } table[] = {
        {"{" P256 "}", 1u << HF_JWS_ES256},
        {"{" P256 ",\"alg\":\"ES256\"}", 1u << HF_JWS_ES256},
        {"{" P256 ",\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"]}", 1u << HF_JWS_ES256},
        {"{" P256 ",\"x5c\":[],\"unknown\":{}}", 1u << HF_JWS_ES256},
        {"{" P256 ",\"alg\":\"ES384\"}", 0},
        {"{" P256 ",\"alg\":\"HS256\"}", 0},
        {"{" P256 ",\"alg\":\"none\"}", 0},
        {"{" P256 ",\"alg\":7}", 0},
        {"{" P256 ",\"use\":\"enc\"}", 0},
        {"{" P256 ",\"use\":[\"sig\"]}", 0},
        {"{" P256 ",\"key_ops\":[\"sign\"]}", 0},
        {"{" P256 ",\"key_ops\":[]}", 0},
        {"{" P256 ",\"key_ops\":\"verify\"}", 0},
        {"{" P256 ",\"kid\":7}", 0},
        {"{" P256 ",\"d\":\"AQ\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X "," Y "}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X
         ",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X "}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X
         ",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5Q\"}",
         0},
        {"{\"kty\":\"EC\"," X "," Y "}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"P-256\"," X "," Y "}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         0},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
         1u << HF_JWS_EDDSA},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
         "7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
         0},
        {"{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}", 0},
        {"{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\",\"alg\":\"HS256\"}", 0},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", 0},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", 0},
        {"{\"kty\":\"RSA\",\"n\":\"A+/=\",\"e\":\"AQAB\"}", 0},
        {"{\"kty\":7}", 0},
        {"{}", 0},
        {"7", 0},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_buf text = HF_BUF_INIT(4096);
        struct hf_jwks *set = NULL;
        assert_int_equal(hf_buf_printf(&text, "{\"keys\":[%s]}", table[i].key), HF_OK);
        enum hf_err err = hf_jwks_new(hf_buf_bytes(&text), &set);
        assert_int_equal(err, table[i].algs ? HF_OK : HF_E_INVALID);
        assert_int_equal(set ? set->keys[0].algs : 0, table[i].algs);
        hf_jwks_unref(set);
        hf_buf_done(&text);
    }
}

static enum hf_err rsa_of(int bits, const char *e, struct hf_jwks **out)
{
    BIGNUM *n = BN_new();
    uint8_t bytes[2048];
    struct hf_buf text = HF_BUF_INIT(8192);
    assert_true(BN_set_bit(n, bits - 1) && BN_set_bit(n, 0));
    size_t len = (size_t)BN_bn2bin(n, bytes);
    assert_int_equal(hf_buf_append_str(&text, "{\"keys\":[{\"kty\":\"RSA\",\"n\":\""), HF_OK);
    assert_int_equal(hf_base64url_encode(hf_bytes_of(bytes, len), &text), HF_OK);
    assert_int_equal(hf_buf_printf(&text, "\",\"e\":\"%s\"}]}", e), HF_OK);
    enum hf_err err = hf_jwks_new(hf_buf_bytes(&text), out);
    BN_free(n);
    hf_buf_done(&text);
    return err;
}

static void rsa_keys_have_bounds(void **state)
{
    (void)state;
    static const struct {
        int bits;
        const char *e;
        enum hf_err err;
    } table[] = {
        {2047, "AQAB", HF_E_INVALID},
        {2048, "AQAB", HF_OK},
        {8192, "AQAB", HF_OK},
        {8193, "AQAB", HF_E_INVALID},
        {2048, "Aw", HF_OK},
        {2048, "AQ", HF_E_INVALID},
        {2048, "Ag", HF_E_INVALID},
        {2048, "AA", HF_E_INVALID},
        {2048, "AQAAAAAAAAAB", HF_E_INVALID},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwks *set = NULL;
        assert_int_equal(rsa_of(table[i].bits, table[i].e, &set), table[i].err);
        hf_jwks_unref(set);
    }
}

/* --- Sets --------------------------------------------------------------------------------------
 */

static void what_is_not_a_set_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_err err;
    } table[] = {
        {"", HF_E_MALFORMED},
        {"[]", HF_E_MALFORMED},
        {"{}", HF_E_MALFORMED},
        {"{\"keys\":{}}", HF_E_MALFORMED},
        {"{\"keys\":[]}", HF_E_INVALID},
        {"{\"keys\":[{}]}", HF_E_INVALID},
        {"{\"keys\":[{" P256 "}]} x", HF_E_MALFORMED},
        {"{\"keys\":[{" P256 "}],\"keys\":[]}", HF_E_MALFORMED},
        {"{\"keys\":[{" P256 ",\"crv\":\"P-384\"}]}", HF_E_MALFORMED},
        {"{\"keys\":[{" P256 ",\"kid\":\"a\\u0000b\"}]}", HF_E_MALFORMED},
        {"<html>", HF_E_MALFORMED},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwks *set = NULL;
        assert_int_equal(parse(table[i].text, &set), table[i].err);
        assert_null(set);
    }
}

static void keys_of_no_use_are_passed_over(void **state)
{
    (void)state;
    struct hf_jwks *set = NULL;
    assert_int_equal(parse("{\"keys\":[{\"kty\":\"AKP\",\"kid\":\"new\"},{" P256
                           ",\"kid\":\"a\"},{\"kty\":\"oct\",\"k\":\"AA\"}],\"more\":1}",
                           &set),
                     HF_OK);
    assert_int_equal(set->n_keys, 1);
    assert_int_equal(set->n_skipped, 2);
    assert_string_equal(set->keys[0].kid, "a");
    assert_string_equal(set->skipped, "key 3: a key of a kind that is not RSA, EC or OKP");
    hf_jwks_unref(set);
}

static void sets_are_bounded(void **state)
{
    (void)state;
    struct hf_jwks *set = NULL;
    struct hf_buf text = HF_BUF_INIT(2 << 20);
    assert_int_equal(hf_buf_append_str(&text, "{\"keys\":[0"), HF_OK);
    for (int i = 1; i < HF_JWKS_KEYS_MAX + 1; i++) {
        assert_int_equal(hf_buf_append_str(&text, ",0"), HF_OK);
    }
    assert_int_equal(hf_buf_append_str(&text, "]}"), HF_OK);
    assert_int_equal(hf_jwks_new(hf_buf_bytes(&text), &set), HF_E_TOO_LARGE);
    hf_buf_reset(&text);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(hf_buf_append_str(&text, "{\"keys\":["), HF_OK);
    }
    assert_int_equal(hf_jwks_new(hf_buf_bytes(&text), &set), HF_E_MALFORMED);
    assert_string_equal(hf_err_text(), "JSON nested deeper than 32");
    hf_buf_reset(&text);
    struct hf_span room;
    assert_int_equal(hf_buf_reserve(&text, HF_JWKS_MAX + 1, &room), HF_OK);
    memset(room.ptr, ' ', room.len);
    hf_buf_commit(&text, HF_JWKS_MAX + 1);
    assert_int_equal(hf_jwks_new(hf_buf_bytes(&text), &set), HF_E_TOO_LARGE);
    hf_buf_done(&text);
}

static void cut_and_flipped_sets_do_no_harm(void **state)
{
    (void)state;
    char text[] = "{\"keys\":[{" P256 ",\"kid\":\"a\",\"use\":\"sig\"}]}";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        struct hf_jwks *set = NULL;
        assert_int_equal(hf_jwks_new(hf_bytes_of(text, i), &set), HF_E_MALFORMED);
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            enum hf_err err = hf_jwks_new(hf_bytes_of(text, sizeof(text) - 1), &set);
            assert_int_equal(err == HF_OK, set != NULL);
            hf_jwks_unref(set);
            set = NULL;
            text[i] ^= (char)(1 << bit);
        }
    }
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_jwks *set = NULL;
        hf_alloc_fail_after(n);
        err = parse("{\"keys\":[{" P256 ",\"kid\":\"a\"}]}", &set);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_true(n < 50);
        hf_jwks_unref(set);
    }
}

/* --- ECDSA's two numbers -----------------------------------------------------------------------
 */

static void ecdsa_signatures_have_one_length(void **state)
{
    (void)state;
    struct issuer_key key = issuer_key_new("k", "P-256");
    struct hf_buf text = HF_BUF_INIT(1024), signature;
    issuer_jwk(&key, "", &text);
    json_t *json = json_loads(hf_buf_cstr(&text), 0, NULL);
    struct hf_jwk jwk = {0};
    assert_int_equal(hf_jwk_init(&jwk, json), HF_OK);
    char *token = issuer_token_of(&key, HF_JWS_ES256, "{}");
    const char *end = strrchr(token, '.');
    struct hf_bytes message = hf_bytes_of(token, (size_t)(end - token));
    decode(end + 1, strlen(end + 1), &signature);
    struct hf_bytes good = hf_buf_bytes(&signature);
    assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, good), HF_OK);

    uint8_t bytes[200] = {0};
    for (size_t len = 0; len <= 140; len++) {
        memcpy(bytes, good.ptr, 64);
        assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, hf_bytes_of(bytes, len)),
                         len == 64 ? HF_OK : HF_E_MISMATCH);
    }
    memset(bytes, 0, 64); /* R and S of 0: true for any message where they aren't refused */
    assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, hf_bytes_of(bytes, 64)),
                     HF_E_MISMATCH);
    memcpy(bytes, good.ptr, 32);
    assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, hf_bytes_of(bytes, 64)),
                     HF_E_MISMATCH);
    memset(bytes, 0xff, 64); /* beyond the group's order */
    assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, hf_bytes_of(bytes, 64)),
                     HF_E_MISMATCH);
    uint8_t der[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    assert_int_equal(hf_jwk_verify(&jwk, HF_JWS_ES256, message, hf_bytes_of(der, sizeof(der))),
                     HF_E_MISMATCH);
    hf_free(token);
    json_decref(json);
    hf_jwk_done(&jwk);
    hf_buf_done(&signature);
    hf_buf_done(&text);
    issuer_key_done(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(a_key_checks_what_its_kind_and_members_say),
        cmocka_unit_test(rsa_keys_have_bounds),
        cmocka_unit_test(what_is_not_a_set_is_refused),
        cmocka_unit_test(keys_of_no_use_are_passed_over),
        cmocka_unit_test(sets_are_bounded),
        cmocka_unit_test(cut_and_flipped_sets_do_no_harm),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(ecdsa_signatures_have_one_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
