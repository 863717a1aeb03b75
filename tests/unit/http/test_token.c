// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "base/mem.h"
#include "facts_fixture.h"
#include "http/token.h"
#include "testpki.h"

static enum hf_err fill(void *ctx, struct hf_span out)
{
    (void)ctx;
    memset(out.ptr, 0x5a, out.len);
    return HF_OK;
}

static enum hf_err refuse(void *ctx, struct hf_span out)
{
    (void)ctx;
    (void)out;
    return hf_fail(HF_E_CRYPTO, "no more");
}

static const struct hf_rng rng = {NULL, fill};
static const struct hf_rng no_rng = {NULL, refuse};

static struct hf_signer *make(EVP_PKEY *const *keys, size_t n)
{
    struct hf_signer *signer = NULL;
    struct hf_signer_options options = {.keys = keys,
                                        .n_keys = n,
                                        .issuer = "https://edge.example.org",
                                        .lifetime_s = 60,
                                        .rng = &rng};
    if (hf_signer_new(&options, &signer) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return signer;
}

static json_t *decode(struct hf_bytes text)
{
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_base64url_decode(text, &out), HF_OK);
    json_error_t error;
    json_t *json = json_loadb((const char *)hf_buf_bytes(&out).ptr, hf_buf_len(&out),
                              JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        fail_msg("%s", error.text);
    }
    hf_buf_done(&out);
    return json;
}

/* Verifies by libcrypto's own interface, with the published key. */
static bool signature_holds(struct hf_bytes input, struct hf_bytes signature, EVP_PKEY *key)
{
    struct hf_buf raw = HF_BUF_INIT(256);
    assert_int_equal(hf_base64url_decode(signature, &raw), HF_OK);
    assert_int_equal(hf_buf_len(&raw), 64);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    const uint8_t *bytes = hf_buf_bytes(&raw).ptr;
    assert_true(ECDSA_SIG_set0(sig, BN_bin2bn(bytes, 32, NULL), BN_bin2bn(bytes + 32, 32, NULL)));
    unsigned char *der = NULL;
    int len = i2d_ECDSA_SIG(sig, &der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_true(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key));
    bool good = EVP_DigestVerify(ctx, der, (size_t)len, input.ptr, input.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    hf_buf_done(&raw);
    return good;
}

struct parts {
    struct hf_bytes head, claims, signature, input;
};

static struct parts split(const char *token)
{
    const char *first = strchr(token, '.');
    const char *second = strchr(first + 1, '.');
    assert_null(strchr(second + 1, '.'));
    return (struct parts){hf_bytes_of(token, (size_t)(first - token)),
                          hf_bytes_of(first + 1, (size_t)(second - first) - 1),
                          hf_bytes_str(second + 1), hf_bytes_of(token, (size_t)(second - token))};
}

static void claims_text(const json_t *json, const char *key, const char *value)
{
    const char *is = json_string_value(json_object_get(json, key));
    if (!is) {
        fail_msg("%s is missing", key);
    }
    assert_string_equal(is, value);
}

static void claims_list(const json_t *json, const char *key, const char *first, size_t n)
{
    const json_t *list = json_object_get(json, key);
    assert_int_equal(json_array_size(list), n);
    assert_string_equal(json_string_value(json_array_get(list, 0)), first);
}

static void the_token_says_who_the_client_is(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = make(&key, 1);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    peer.spiffe = T("spiffe://example.org/ops");
    peer.cn = T("al\\\\ice \"x\" \xc3\xbc");
    peer.subject = T("CN=al\\\\ice\\, Dr.,O=Example");
    peer.dns = LIST(T("a.example.org"), T("b.example.org"));
    peer.uri = LIST(T("spiffe://example.org/ops"));
    peer.email = LIST(T("alice@example.org"));
    peer.ip = LIST(T("192.0.2.1"));
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_OK);
    struct parts parts = split(token.text);
    json_t *head = decode(parts.head);
    json_t *claims = decode(parts.claims);
    assert_int_equal(json_object_size(head), 3);
    claims_text(head, "alg", "ES256");
    claims_text(head, "typ", "JWT");
    claims_text(head, "kid", hf_signer_kid(signer));
    claims_text(claims, "iss", "https://edge.example.org");
    claims_text(claims, "aud", "app");
    claims_text(claims, "sub", "spiffe://example.org/ops");
    claims_text(claims, "jti", "WlpaWlpaWlpaWlpaWlpaWg");
    claims_text(claims, "listener", "api");
    claims_text(claims, "serial", "1f2e");
    claims_text(claims, "spiffe", "spiffe://example.org/ops");
    claims_text(claims, "cn", "al\\ice \"x\" \xc3\xbc");
    claims_text(claims, "dn", "CN=al\\\\ice\\, Dr.,O=Example");
    claims_text(claims, "issuer", "CN=Example CA");
    claims_list(claims, "dns", "a.example.org", 2);
    claims_list(claims, "uri", "spiffe://example.org/ops", 1);
    claims_list(claims, "email", "alice@example.org", 1);
    claims_list(claims, "ip", "192.0.2.1", 1);
    claims_text(json_object_get(claims, "cnf"), "x5t#S256",
                "Ro7TO-dO7mVW2QwBScEwnpumHWQlMDRDwHSKAt2N5og");
    int64_t now = NOW_MS / 1000;
    assert_int_equal(json_integer_value(json_object_get(claims, "iat")), now);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), now + 60);
    assert_int_equal(token.renew_at, now + 45);
    assert_true(signature_holds(parts.input, parts.signature, key));
    json_decref(head);
    json_decref(claims);
    hf_free(token.text);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void it_ends_with_the_certificate(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = make(&key, 1);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    peer.not_after = NOW_MS / 1000 + 20;
    assert_int_equal(hf_token_new(signer, &facts, "", &token), HF_OK);
    json_t *claims = decode(split(token.text).claims);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), NOW_MS / 1000 + 20);
    assert_null(json_object_get(claims, "aud"));
    assert_int_equal(token.renew_at, NOW_MS / 1000 + 15);
    json_decref(claims);
    hf_free(token.text);
    peer.not_after = NOW_MS / 1000;
    assert_int_equal(hf_token_new(signer, &facts, "", &token), HF_E_INVALID);
    assert_null(token.text);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void names_that_can_not_be_relied_on_are_not_claimed(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = make(&key, 1);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    peer.mangled = true;
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_OK);
    json_t *claims = decode(split(token.text).claims);
    claims_text(claims, "sub", "cert-sha256:" SHA256_TEXT);
    assert_null(json_object_get(claims, "cn"));
    assert_null(json_object_get(claims, "dn"));
    json_decref(claims);
    hf_free(token.text);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void nobody_gets_no_token(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = make(&key, 1);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    facts.verified = false;
    facts.tell_unverified = true;
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_E_INVALID);
    facts = facts_of(NULL);
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_E_INVALID);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void all_keys_are_published_and_the_first_signs(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {testpki_key("P-256"), testpki_key("P-256")};
    struct hf_signer *signer = make(keys, 2);
    struct hf_bytes text = hf_signer_jwks(signer);
    json_t *jwks = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(jwks, "keys");
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *jwk = json_array_get(list, i);
        assert_int_equal(json_object_size(jwk), 7);
        claims_text(jwk, "kty", "EC");
        claims_text(jwk, "crv", "P-256");
        claims_text(jwk, "alg", "ES256");
        claims_text(jwk, "use", "sig");
        assert_int_equal(strlen(json_string_value(json_object_get(jwk, "x"))), 43);
        assert_int_equal(strlen(json_string_value(json_object_get(jwk, "y"))), 43);
    }
    claims_text(json_array_get(list, 0), "kid", hf_signer_kid(signer));
    json_decref(jwks);
    hf_signer_unref(signer);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static EVP_PKEY *public_key(const char *x, const char *y)
{
    struct hf_buf point = HF_BUF_INIT(65);
    assert_int_equal(hf_buf_u8(&point, 4), HF_OK); /* not compressed */
    assert_int_equal(hf_base64url_decode(hf_bytes_str(x), &point), HF_OK);
    assert_int_equal(hf_base64url_decode(hf_bytes_str(y), &point), HF_OK);
    char curve[] = "prime256v1";
    struct hf_bytes bytes = hf_buf_bytes(&point);
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
                           OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                   (uint8_t *)(uintptr_t)bytes.ptr, bytes.len),
                           OSSL_PARAM_END};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    hf_buf_done(&point);
    return key;
}

/* The EC key of RFC 7517 A.1, as a JWK again, and hashed as RFC 7638 3 says. */
static void a_key_is_published_as_it_is_known(void **state)
{
    (void)state;
    EVP_PKEY *key = public_key("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                               "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    struct hf_signer *signer = make(&key, 1);
    assert_string_equal(hf_signer_kid(signer), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    static const char jwks[] = "{\"keys\":[{\"crv\":\"P-256\",\"kty\":\"EC\","
                               "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                               "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\","
                               "\"alg\":\"ES256\",\"use\":\"sig\","
                               "\"kid\":\"cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s\"}]}";
    assert_true(hf_bytes_eq_str(hf_signer_jwks(signer), jwks));
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-384", "ED25519", "RSA-2048"};
    struct hf_signer *signer = NULL;
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        EVP_PKEY *key = testpki_key(kinds[i]);
        struct hf_signer_options options = {
            .keys = &key, .n_keys = 1, .issuer = "x", .lifetime_s = 60, .rng = &rng};
        assert_int_equal(hf_signer_new(&options, &signer), HF_E_INVALID);
        assert_null(signer);
        EVP_PKEY_free(key);
    }
    struct hf_signer_options none = {.issuer = "x", .lifetime_s = 60, .rng = &rng};
    assert_int_equal(hf_signer_new(&none, &signer), HF_E_INVALID);
    none.n_keys = HF_SIGNER_KEYS_MAX + 1;
    assert_int_equal(hf_signer_new(&none, &signer), HF_E_INVALID);
}

static void without_randomness_there_is_no_token(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = NULL;
    struct hf_signer_options options = {
        .keys = &key, .n_keys = 1, .issuer = "x", .lifetime_s = 60, .rng = &no_rng};
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    assert_int_equal(hf_signer_new(&options, &signer), HF_OK);
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_E_CRYPTO);
    assert_null(token.text);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void a_token_has_a_limit(void **state)
{
    (void)state;
    static char name[HF_IDENTITY_TEXT_MAX];
    memset(name, 'a', sizeof(name) - 1);
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = make(&key, 1);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_token token;
    peer.dns = LIST(name, name, name, name, name);
    assert_int_equal(hf_token_new(signer, &facts, "app", &token), HF_E_TOO_LARGE);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    enum hf_err err = HF_E_NOMEM;
    struct hf_signer_options options = {
        .keys = &key, .n_keys = 1, .issuer = "x", .lifetime_s = 60, .rng = &rng};
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_signer *signer = NULL;
        struct hf_token token = {0};
        hf_alloc_fail_after(n);
        err = hf_signer_new(&options, &signer);
        err = err != HF_OK ? err : hf_token_new(signer, &facts, "app", &token);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM || err == HF_E_CRYPTO);
        hf_free(token.text);
        hf_signer_unref(signer);
    }
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_says_who_the_client_is),
        cmocka_unit_test(it_ends_with_the_certificate),
        cmocka_unit_test(names_that_can_not_be_relied_on_are_not_claimed),
        cmocka_unit_test(nobody_gets_no_token),
        cmocka_unit_test(all_keys_are_published_and_the_first_signs),
        cmocka_unit_test(a_key_is_published_as_it_is_known),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(without_randomness_there_is_no_token),
        cmocka_unit_test(a_token_has_a_limit),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
