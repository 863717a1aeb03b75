// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "jose.h"
#include "pki/pem.h"
#include "policy/jwt.h"

#define NOW INT64_C(1700000000)
#define ALL ((1u << HF_JWS_N) - 1)

/* The issuer: a key of each kind, all in one set. */
static struct issuer_key keys[] = {
    {"ec", "P-256", NULL}, {"ec384", "P-384", NULL}, {"ec521", "P-521", NULL},
    {"rsa", "RSA", NULL},  {"ed", "Ed25519", NULL},  {"ed448", "Ed448", NULL},
};
static struct hf_jwks *set;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        keys[i] = issuer_key_new(keys[i].kid, keys[i].crv);
    }
    char *text = issuer_jwks(keys, HF_N_ELEMENTS(keys));
    assert_int_equal(hf_jwks_new(hf_bytes_str(text), &set), HF_OK);
    assert_int_equal(set->n_keys, HF_N_ELEMENTS(keys));
    hf_free(text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_jwks_unref(set);
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        issuer_key_done(&keys[i]);
    }
    return 0;
}

static struct hf_jwt_result open_with(const char *token, uint32_t algs, struct hf_cache *cache,
                                      struct hf_jwt **out)
{
    struct hf_jwt_result result;
    hf_jwt_open(hf_bytes_str(token), set, algs, cache, &result, out);
    assert_int_equal(result.reason == HF_REASON_OK, *out != NULL);
    return result;
}

/* The reason, the token forgotten. */
static enum hf_reason opened(const char *token)
{
    struct hf_jwt *jwt;
    struct hf_jwt_result result = open_with(token, ALL, NULL, &jwt);
    hf_jwt_unref(jwt);
    return result.reason;
}

/* --- Signatures --------------------------------------------------------------------------------
 */

static void every_algorithm_is_checked_with_its_key(void **state)
{
    (void)state;
    static const struct {
        size_t key;
        enum hf_jws_alg alg;
    } table[] = {
        {0, HF_JWS_ES256}, {1, HF_JWS_ES384}, {2, HF_JWS_ES512}, {3, HF_JWS_RS256},
        {3, HF_JWS_RS384}, {3, HF_JWS_RS512}, {3, HF_JWS_PS256}, {3, HF_JWS_PS384},
        {3, HF_JWS_PS512}, {4, HF_JWS_EDDSA}, {5, HF_JWS_EDDSA},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwt *jwt;
        char *token = issuer_token_of(&keys[table[i].key], table[i].alg, "{\"sub\":\"alice\"}");
        assert_int_equal(open_with(token, hf_jws_bit(table[i].alg), NULL, &jwt).reason,
                         HF_REASON_OK);
        assert_int_equal(jwt->alg, table[i].alg);
        assert_string_equal(hf_jwt_text(jwt, "sub"), "alice");
        hf_jwt_unref(jwt);
        assert_int_equal(open_with(token, ALL & ~hf_jws_bit(table[i].alg), NULL, &jwt).reason,
                         HF_REASON_TOKEN_ALGORITHM);
        hf_free(token);
    }
}

/* Headers that lie, over a signature that is good for what they say. */
static void headers_choose_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum hf_reason reason;
        bool newer_keys;
    } table[] = {
        {"{\"alg\":\"ES256\",\"kid\":\"ec\"}", HF_REASON_OK, false},
        {"{\"alg\":\"ES256\"}", HF_REASON_OK, false},
        {"{\"alg\":\"ES256\",\"jku\":\"https://evil\",\"x5u\":\"https://evil\",\"jwk\":{},"
         "\"x5c\":[\"AA\"],\"kid\":\"ec\"}",
         HF_REASON_OK, false},
        {"{\"alg\":\"ES256\",\"kid\":\"unknown\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"EC\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"../../dev/null\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"ec' OR '1'='1\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"ec384\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":\"rsa\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES256\",\"kid\":7}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\",\"kid\":null}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\",\"kid\":\"e\\u0000c\"}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\",\"typ\":7}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"none\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"None\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"HS256\",\"kid\":\"ec\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"HS256\",\"kid\":\"rsa\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"es256\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"ES256K\"}", HF_REASON_TOKEN_ALGORITHM, false},
        {"{\"alg\":\"ES384\",\"kid\":\"ec\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"ES384\"}", HF_REASON_TOKEN_SIGNATURE, true},
        {"{\"alg\":\"ES384\",\"kid\":\"ec384\"}", HF_REASON_TOKEN_SIGNATURE, false},
        {"{\"alg\":\"RS256\",\"kid\":\"ec\"}", HF_REASON_TOKEN_KEY, true},
        {"{\"alg\":\"RS256\"}", HF_REASON_TOKEN_SIGNATURE, true},
        {"{\"alg\":\"EdDSA\"}", HF_REASON_TOKEN_SIGNATURE, true},
        {"{\"alg\":[\"ES256\"]}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"kid\":\"ec\"}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\",\"alg\":\"none\"}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"none\",\"alg\":\"ES256\"}", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}", HF_REASON_TOKEN_CRITICAL, false},
        {"{\"alg\":\"ES256\",\"crit\":[]}", HF_REASON_TOKEN_CRITICAL, false},
        {"{\"alg\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}", HF_REASON_TOKEN_CRITICAL, false},
        {"{\"alg\":\"ES256\",\"b64\":false}", HF_REASON_TOKEN_CRITICAL, false},
        {"[\"ES256\"]", HF_REASON_TOKEN_MALFORMED, false},
        {"{\"alg\":\"ES256\"}{}", HF_REASON_TOKEN_MALFORMED, false},
        {"", HF_REASON_TOKEN_MALFORMED, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwt *jwt;
        char *token = issuer_token(&keys[0], HF_JWS_ES256, table[i].header, "{}");
        struct hf_jwt_result result = open_with(token, ALL, NULL, &jwt);
        if (result.reason != table[i].reason || result.newer_keys != table[i].newer_keys) {
            fail_msg("%s: %s", table[i].header, hf_reason_code(result.reason));
        }
        hf_jwt_unref(jwt);
        hf_free(token);
    }
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    char *good = issuer_token_of(&keys[0], HF_JWS_ES256, "{}");
    char *none = issuer_part("{\"alg\":\"none\"}");
    static const char *const forms[] = {
        "%s.", ".%s", "%s.AA", "%s=", " %s", "%s ", "%s\n", "%s.AA.AA", "%s?",
    };
    char text[2048];
    assert_int_equal(opened(good), HF_REASON_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(forms); i++) {
        char *at = strstr(strcpy(text, forms[i]), "%s");
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - text), forms[i], good,
                 forms[i] + (at - text) + 2);
        assert_int_equal(opened(text), HF_REASON_TOKEN_MALFORMED);
    }
    static const char *const others[] = {
        "",         ".",       "..",
        "...",      "a.b.c",   "a",
        "e30.e30.", "e30..AA", "{\"payload\":\"\",\"signatures\":[]}"};
    for (size_t i = 0; i < HF_N_ELEMENTS(others); i++) {
        assert_int_equal(opened(others[i]), HF_REASON_TOKEN_MALFORMED);
    }
    snprintf(text, sizeof(text), "%s.e30.", none); /* unsecured, as RFC 7519 6 has it */
    assert_int_equal(opened(text), HF_REASON_TOKEN_MALFORMED);
    snprintf(text, sizeof(text), "%s.e30.AA", none);
    assert_int_equal(opened(text), HF_REASON_TOKEN_ALGORITHM);
    hf_free(none);
    hf_free(good);
}

static void claims_are_an_object_said_once(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        enum hf_reason reason;
    } table[] = {
        {"{}", HF_REASON_OK},
        {"{\"a\":{\"b\":[1,2]}}", HF_REASON_OK},
        {"", HF_REASON_TOKEN_MALFORMED},
        {"[]", HF_REASON_TOKEN_MALFORMED},
        {"\"text\"", HF_REASON_TOKEN_MALFORMED},
        {"{\"exp\":1,\"exp\":2}", HF_REASON_TOKEN_MALFORMED},
        {"{\"cnf\":{\"x5t#S256\":\"a\",\"x5t#S256\":\"b\"}}", HF_REASON_TOKEN_MALFORMED},
        {"{\"exp\":1,\"e\\u0078p\":2}", HF_REASON_TOKEN_MALFORMED},
        {"{\"sub\":\"a\\u0000b\"}", HF_REASON_TOKEN_MALFORMED},
        {"{\"sub\":\"\xff\"}", HF_REASON_TOKEN_MALFORMED},
        {"{\"exp\":99999999999999999999999999}", HF_REASON_TOKEN_MALFORMED},
        {"{\"exp\":1e999}", HF_REASON_TOKEN_MALFORMED},
        {"{} {}", HF_REASON_TOKEN_MALFORMED},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
         HF_REASON_TOKEN_MALFORMED},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        char *token = issuer_token_of(&keys[4], HF_JWS_EDDSA, table[i].claims);
        assert_int_equal(opened(token), table[i].reason);
        hf_free(token);
    }
}

static void cut_and_flipped_tokens_never_pass(void **state)
{
    (void)state;
    char *token = issuer_token_of(&keys[4], HF_JWS_EDDSA, "{\"exp\":1700000100}");
    size_t len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        struct hf_jwt *jwt = NULL;
        struct hf_jwt_result result;
        hf_jwt_open(hf_bytes_of(token, i), set, ALL, NULL, &result, &jwt);
        assert_int_not_equal(result.reason, HF_REASON_OK);
        for (int bit = 0; bit < 8; bit++) {
            token[i] ^= (char)(1 << bit);
            hf_jwt_open(hf_bytes_of(token, len), set, ALL, NULL, &result, &jwt);
            assert_int_not_equal(result.reason, HF_REASON_OK);
            assert_int_not_equal(result.reason, HF_REASON_INTERNAL);
            token[i] ^= (char)(1 << bit);
        }
    }
    hf_free(token);
}

static void size_is_bounded(void **state)
{
    (void)state;
    char *claims = hf_alloc(20000);
    memset(claims, ' ', 20000);
    claims[0] = '{';
    memcpy(claims + 12000, "}", 2);
    char *token = issuer_token_of(&keys[4], HF_JWS_EDDSA, claims);
    assert_true(strlen(token) < HF_JWT_MAX && strlen(token) > 16000);
    assert_int_equal(opened(token), HF_REASON_OK);
    hf_free(token);
    memcpy(claims + 12000, "     ", 5);
    memcpy(claims + 13000, "}", 2);
    token = issuer_token_of(&keys[4], HF_JWS_EDDSA, claims);
    assert_true(strlen(token) > HF_JWT_MAX);
    assert_int_equal(opened(token), HF_REASON_TOKEN_MALFORMED);
    hf_free(token);
    hf_free(claims);
}

static void tokens_without_kid_try_few_keys(void **state)
{
    (void)state;
    struct issuer_key many[HF_JWT_TRIES_MAX + 1];
    struct hf_jwt_result result;
    struct hf_jwt *jwt;
    for (size_t i = 0; i < HF_N_ELEMENTS(many); i++) {
        many[i] = issuer_key_new(NULL, "P-256");
    }
    char *text = issuer_jwks(many, HF_N_ELEMENTS(many));
    struct hf_jwks *few;
    assert_int_equal(hf_jwks_new(hf_bytes_str(text), &few), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(many); i++) {
        char *token = issuer_token_of(&many[i], HF_JWS_ES256, "{}");
        hf_jwt_open(hf_bytes_str(token), few, ALL, NULL, &result, &jwt);
        assert_int_equal(result.reason,
                         i < HF_JWT_TRIES_MAX ? HF_REASON_OK : HF_REASON_TOKEN_SIGNATURE);
        hf_jwt_unref(jwt);
        hf_free(token);
    }
    /* a key without kid is not for tokens with one */
    char *token = issuer_token(&many[0], HF_JWS_ES256, "{\"alg\":\"ES256\",\"kid\":\"x\"}", "{}");
    hf_jwt_open(hf_bytes_str(token), few, ALL, NULL, &result, &jwt);
    assert_int_equal(result.reason, HF_REASON_TOKEN_KEY);
    hf_free(token);
    hf_free(text);
    hf_jwks_unref(few);
    for (size_t i = 0; i < HF_N_ELEMENTS(many); i++) {
        issuer_key_done(&many[i]);
    }
}

/* --- What is remembered ------------------------------------------------------------------------
 */

static void good_signatures_are_remembered_for_their_key_set(void **state)
{
    (void)state;
    struct hf_cache *cache;
    struct hf_jwt *first, *again, *other;
    struct hf_jwks *fewer;
    struct hf_jwt_result result;
    assert_int_equal(hf_jwt_cache_new(64, &cache), HF_OK);
    char *token = issuer_token_of(&keys[0], HF_JWS_ES256, "{}");
    assert_int_equal(open_with(token, ALL, cache, &first).reason, HF_REASON_OK);
    assert_int_equal(open_with(token, ALL, cache, &again).reason, HF_REASON_OK);
    assert_ptr_equal(first, again);
    /* remembered or not, the algorithm must be accepted */
    assert_int_equal(open_with(token, hf_jws_bit(HF_JWS_RS256), cache, &other).reason,
                     HF_REASON_TOKEN_ALGORITHM);
    /* and a set without the key knows nothing of what another found */
    char *text = issuer_jwks(keys + 1, 2);
    assert_int_equal(hf_jwks_new(hf_bytes_str(text), &fewer), HF_OK);
    hf_jwt_open(hf_bytes_str(token), fewer, ALL, cache, &result, &other);
    assert_int_equal(result.reason, HF_REASON_TOKEN_KEY);
    hf_jwt_unref(first);
    hf_jwt_unref(again);
    hf_jwks_unref(fewer);
    hf_free(text);
    hf_free(token);
    hf_cache_free(cache);
}

static void refusals_are_not_remembered(void **state)
{
    (void)state;
    struct hf_cache *cache;
    struct hf_jwt *jwt;
    assert_int_equal(hf_jwt_cache_new(64, &cache), HF_OK);
    char *token = issuer_token_of(&keys[0], HF_JWS_ES256, "{}");
    char *last = token + strlen(token) - 2;
    char was = *last;
    *last = was == 'A' ? 'B' : 'A';
    assert_int_equal(open_with(token, ALL, cache, &jwt).reason, HF_REASON_TOKEN_SIGNATURE);
    assert_int_equal(open_with(token, ALL, cache, &jwt).reason, HF_REASON_TOKEN_SIGNATURE);
    *last = was;
    assert_int_equal(open_with(token, ALL, cache, &jwt).reason, HF_REASON_OK);
    hf_jwt_unref(jwt);
    hf_free(token);
    hf_cache_free(cache);
}

/* --- Claims ------------------------------------------------------------------------------------
 */

static struct hf_jwt *jwt_of(const char *claims, const char *header)
{
    struct hf_jwt *jwt;
    char *token =
        issuer_token(&keys[4], HF_JWS_EDDSA, header ? header : "{\"alg\":\"EdDSA\"}", claims);
    assert_int_equal(open_with(token, ALL, NULL, &jwt).reason, HF_REASON_OK);
    hf_free(token);
    return jwt;
}

static enum hf_reason checked(const char *claims, const struct hf_jwt_rules *rules)
{
    struct hf_jwt *jwt = jwt_of(claims, NULL);
    enum hf_reason reason = hf_jwt_check(jwt, rules, NOW, NULL);
    hf_jwt_unref(jwt);
    return reason;
}

static void dates_are_kept_to_the_second(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        int64_t leeway_s, max_age_s;
        enum hf_reason reason;
    } table[] = {
        {"{\"exp\":1700000001}", 0, 0, HF_REASON_OK},
        {"{\"exp\":1700000000}", 0, 0, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":1699999971}", 30, 0, HF_REASON_OK},
        {"{\"exp\":1699999970}", 30, 0, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":1700000001.5}", 0, 0, HF_REASON_OK},
        {"{\"exp\":1700000000.9}", 0, 0, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":1.7000001e9}", 0, 0, HF_REASON_OK},
        {"{\"exp\":0}", 0, 0, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":-1}", 0, 0, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":9007199254740993}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":1e300}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":\"1700000001\"}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":null}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":true}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":1700000001,\"nbf\":1700000000}", 0, 0, HF_REASON_OK},
        {"{\"exp\":1700000009,\"nbf\":1700000001}", 0, 0, HF_REASON_TOKEN_EARLY},
        {"{\"exp\":1700000099,\"nbf\":1700000030}", 30, 0, HF_REASON_OK},
        {"{\"exp\":1700000099,\"nbf\":1700000031}", 30, 0, HF_REASON_TOKEN_EARLY},
        {"{\"exp\":1700000099,\"nbf\":\"0\"}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":1700000099,\"iat\":1700000031}", 30, 0, HF_REASON_TOKEN_EARLY},
        {"{\"exp\":1700000099,\"iat\":{}}", 0, 0, HF_REASON_TOKEN_DATES},
        {"{\"exp\":1700000099,\"iat\":1699999900}", 0, 100, HF_REASON_OK},
        {"{\"exp\":1700000099,\"iat\":1699999899}", 0, 100, HF_REASON_TOKEN_EXPIRED},
        {"{\"exp\":1700000099,\"iat\":1699999899}", 1, 100, HF_REASON_OK},
        {"{\"exp\":1700000099}", 0, 100, HF_REASON_TOKEN_DATES},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwt_rules rules = {.leeway_s = table[i].leeway_s,
                                     .max_age_s = table[i].max_age_s};
        enum hf_reason reason = checked(table[i].claims, &rules);
        if (reason != table[i].reason) {
            fail_msg("%s: %s", table[i].claims, hf_reason_code(reason));
        }
    }
}

#define EXP "\"exp\":1700000100"

static void issuer_audience_and_scopes_must_fit(void **state)
{
    (void)state;
    static const char *const issuers[] = {"https://idp", "https://old"};
    static const char *const audiences[] = {"api", "https://api.example"};
    static const char *const scopes[] = {"read", "write"};
    static const struct {
        const char *claims;
        enum hf_reason reason;
    } table[] = {
        {"{" EXP ",\"iss\":\"https://old\",\"aud\":\"api\",\"scope\":\"write x read\"}",
         HF_REASON_OK},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":[\"x\",\"api\"],\"scp\":[\"read\",\"write\"]}",
         HF_REASON_OK},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scp\":\"read write\"}", HF_REASON_OK},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scp\":[\"read\"],\"scope\":\"write\"}",
         HF_REASON_OK},
        {"{" EXP ",\"aud\":\"api\",\"scope\":\"read write\"}", HF_REASON_TOKEN_ISSUER},
        {"{" EXP ",\"iss\":\"https://idp/\",\"aud\":\"api\"}", HF_REASON_TOKEN_ISSUER},
        {"{" EXP ",\"iss\":[\"https://idp\"],\"aud\":\"api\"}", HF_REASON_TOKEN_ISSUER},
        {"{" EXP ",\"iss\":\"https://idp\"}", HF_REASON_TOKEN_AUDIENCE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":[]}", HF_REASON_TOKEN_AUDIENCE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"API\"}", HF_REASON_TOKEN_AUDIENCE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":[\"api\",7]}", HF_REASON_TOKEN_AUDIENCE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":{\"api\":1}}", HF_REASON_TOKEN_AUDIENCE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\"}", HF_REASON_TOKEN_SCOPE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scope\":\"read\"}",
         HF_REASON_TOKEN_SCOPE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scope\":\"reader writer\"}",
         HF_REASON_TOKEN_SCOPE},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scope\":[\"read\",\"write\"]}",
         HF_REASON_OK},
        {"{" EXP ",\"iss\":\"https://idp\",\"aud\":\"api\",\"scope\":\"read,write\"}",
         HF_REASON_TOKEN_SCOPE},
    };
    struct hf_jwt_rules rules = {.issuers = issuers,
                                 .n_issuers = 2,
                                 .audiences = audiences,
                                 .n_audiences = 2,
                                 .scopes = scopes,
                                 .n_scopes = 2};
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        enum hf_reason reason = checked(table[i].claims, &rules);
        if (reason != table[i].reason) {
            fail_msg("%s: %s", table[i].claims, hf_reason_code(reason));
        }
    }
}

static void claims_are_compared_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *claims, *name, *value;
        bool holds;
    } table[] = {
        {"{" EXP ",\"t\":\"acme\"}", "t", "acme", true},
        {"{" EXP ",\"t\":\"acme\"}", "t", "Acme", false},
        {"{" EXP ",\"t\":\"acme\"}", "t", "", false},
        {"{" EXP ",\"t\":7}", "t", "7", true},
        {"{" EXP ",\"t\":7.0}", "t", "7", false},
        {"{" EXP ",\"t\":true}", "t", "true", true},
        {"{" EXP ",\"t\":false}", "t", "true", false},
        {"{" EXP ",\"t\":null}", "t", "null", false},
        {"{" EXP ",\"t\":[\"a\",\"b\"]}", "t", "b", true},
        {"{" EXP ",\"t\":[\"a\",[\"b\"]]}", "t", "b", false},
        {"{" EXP ",\"t\":{\"b\":1}}", "t", "b", false},
        {"{" EXP ",\"a\":{\"b\":{\"c\":[\"x\"]}}}", "/a/b/c", "x", true},
        {"{" EXP ",\"a\":{\"b\":\"x\"}}", "/a/b/", "x", false},
        {"{" EXP ",\"a\":[{\"b\":\"x\"}]}", "/a/0/b", "x", true},
        {"{" EXP ",\"a\":[{\"b\":\"x\"}]}", "/a/00/b", "x", false},
        {"{" EXP ",\"a\":[{\"b\":\"x\"}]}", "/a/1/b", "x", false},
        {"{" EXP ",\"a\":[{\"b\":\"x\"}]}", "/a/-/b", "x", false},
        {"{" EXP ",\"a/b\":{\"c~d\":\"x\"}}", "/a~1b/c~0d", "x", true},
        {"{" EXP ",\"https://e/r\":[\"x\"]}", "https://e/r", "x", true},
        {"{" EXP ",\"a\":\"x\"}", "/a/b", "x", false},
        {"{" EXP "}", "t", "acme", false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        const char *const values[] = {"other", table[i].value};
        struct hf_jwt_claim claim = {table[i].name, values, 2};
        struct hf_jwt_rules rules = {.claims = &claim, .n_claims = 1};
        enum hf_reason reason = checked(table[i].claims, &rules);
        if (reason != (table[i].holds ? HF_REASON_OK : HF_REASON_TOKEN_CLAIM)) {
            fail_msg("%s %s: %s", table[i].claims, table[i].name, hf_reason_code(reason));
        }
    }
}

static void types_are_compared_as_media_types(void **state)
{
    (void)state;
    static const char *const types[] = {"at+jwt"};
    static const struct {
        const char *header;
        enum hf_reason reason;
    } table[] = {
        {"{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", HF_REASON_OK},
        {"{\"alg\":\"EdDSA\",\"typ\":\"application/AT+JWT\"}", HF_REASON_OK},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", HF_REASON_TOKEN_TYPE},
        {"{\"alg\":\"EdDSA\"}", HF_REASON_TOKEN_TYPE},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_jwt *jwt = jwt_of("{" EXP "}", table[i].header);
        struct hf_jwt_rules rules = {.types = types, .n_types = 1};
        assert_int_equal(hf_jwt_check(jwt, &rules, NOW, NULL), table[i].reason);
        rules.n_types = 0;
        assert_int_equal(hf_jwt_check(jwt, &rules, NOW, NULL), HF_REASON_OK);
        hf_jwt_unref(jwt);
    }
}

/* RFC 8705 appendix A: its certificate, and the thumbprint that a token bound to it has. */
static const char rfc8705_cert[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx\n"
    "ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG\n"
    "SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ\n"
    "/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID\n"
    "SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV\n"
    "bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=\n"
    "-----END CERTIFICATE-----\n";
#define THUMBPRINT "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"

static void tokens_are_bound_to_certificates(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        bool with_cert;
        enum hf_reason require, if_present;
    } table[] = {
        {"{" EXP ",\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "\"}}", true, HF_REASON_OK, HF_REASON_OK},
        {"{" EXP ",\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "\"}}", false, HF_REASON_TOKEN_BINDING,
         HF_REASON_TOKEN_BINDING},
        {"{" EXP ",\"cnf\":{\"x5t#S256\":\"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2\"}}", true,
         HF_REASON_TOKEN_BINDING, HF_REASON_TOKEN_BINDING},
        {"{" EXP ",\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "=\"}}", true, HF_REASON_TOKEN_BINDING,
         HF_REASON_TOKEN_BINDING},
        {"{" EXP ",\"cnf\":{\"x5t#S256\":\"\"}}", true, HF_REASON_TOKEN_BINDING,
         HF_REASON_TOKEN_BINDING},
        {"{" EXP ",\"cnf\":{\"x5t#S256\":7}}", true, HF_REASON_TOKEN_UNBOUND,
         HF_REASON_TOKEN_UNBOUND},
        {"{" EXP ",\"cnf\":{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}}", true,
         HF_REASON_TOKEN_UNBOUND, HF_REASON_TOKEN_UNBOUND},
        {"{" EXP ",\"cnf\":\"" THUMBPRINT "\"}", true, HF_REASON_TOKEN_UNBOUND,
         HF_REASON_TOKEN_UNBOUND},
        {"{" EXP ",\"cnf\":{}}", true, HF_REASON_TOKEN_UNBOUND, HF_REASON_TOKEN_UNBOUND},
        {"{" EXP "}", true, HF_REASON_TOKEN_UNBOUND, HF_REASON_OK},
        {"{" EXP "}", false, HF_REASON_TOKEN_UNBOUND, HF_REASON_OK},
    };
    struct hf_chain *chain = NULL;
    assert_int_equal(hf_certs_parse(hf_bytes_str(rfc8705_cert), "rfc8705", 1, &chain), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        const uint8_t *cert = table[i].with_cert ? chain->certs[0]->sha256 : NULL;
        struct hf_jwt *jwt = jwt_of(table[i].claims, NULL);
        struct hf_jwt_rules rules = {.bound = HF_JWT_BOUND_REQUIRE};
        assert_int_equal(hf_jwt_check(jwt, &rules, NOW, cert), table[i].require);
        rules.bound = HF_JWT_BOUND_IF_PRESENT;
        assert_int_equal(hf_jwt_check(jwt, &rules, NOW, cert), table[i].if_present);
        rules.bound = HF_JWT_BOUND_OFF;
        assert_int_equal(hf_jwt_check(jwt, &rules, NOW, cert), HF_REASON_OK);
        hf_jwt_unref(jwt);
    }
    hf_chain_unref(chain);
}

static void no_memory_is_no_admission(void **state)
{
    (void)state;
    char *token = issuer_token(&keys[4], HF_JWS_EDDSA, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
                               "{" EXP ",\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "\"}}");
    enum hf_reason reason = HF_REASON_INTERNAL;
    for (size_t n = 1; reason != HF_REASON_OK; n++) {
        struct hf_jwt *jwt = NULL;
        struct hf_jwt_result result;
        hf_alloc_fail_after(n);
        hf_jwt_open(hf_bytes_str(token), set, ALL, NULL, &result, &jwt);
        hf_alloc_fail_after(0);
        reason = result.reason;
        assert_true(reason == HF_REASON_OK || reason == HF_REASON_INTERNAL);
        assert_int_equal(jwt != NULL, reason == HF_REASON_OK);
        assert_true(n < 50);
        hf_jwt_unref(jwt);
    }
    hf_free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_checked_with_its_key),
        cmocka_unit_test(headers_choose_and_no_more),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(claims_are_an_object_said_once),
        cmocka_unit_test(cut_and_flipped_tokens_never_pass),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(tokens_without_kid_try_few_keys),
        cmocka_unit_test(good_signatures_are_remembered_for_their_key_set),
        cmocka_unit_test(refusals_are_not_remembered),
        cmocka_unit_test(dates_are_kept_to_the_second),
        cmocka_unit_test(issuer_audience_and_scopes_must_fit),
        cmocka_unit_test(claims_are_compared_by_value),
        cmocka_unit_test(types_are_compared_as_media_types),
        cmocka_unit_test(tokens_are_bound_to_certificates),
        cmocka_unit_test(no_memory_is_no_admission),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
