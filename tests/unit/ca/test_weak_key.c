// SPDX-License-Identifier: Apache-2.0
#include "ca/weak_key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/weak_impl.h"
#include "pki/asn1_write.h"

/* --- Keys of any numbers ------------------------------------------------------------------------
 */

static struct hf_public_key *parse(struct hf_buf *spki)
{
    struct hf_public_key *key = NULL;
    if (hf_public_key_parse(hf_buf_bytes(spki), &key) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    hf_buf_done(spki);
    return key;
}

static struct hf_public_key *rsa(const BIGNUM *n, unsigned long e)
{
    uint8_t bytes[1024];
    int len = BN_bn2bin(n, bytes);
    struct hf_buf spki = HF_BUF_INIT(4096);
    struct hf_asn1 der = hf_asn1_writer(&spki);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, HF_OID("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"));
    hf_asn1_open_bits(&der);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_magnitude(&der, hf_bytes_of(bytes, (size_t)len));
    hf_asn1_uint(&der, e);
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    assert_int_equal(hf_asn1_end(&der), HF_OK);
    return parse(&spki);
}

static BIGNUM *product(const BIGNUM *p, const BIGNUM *q)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();
    assert_true(BN_mul(n, p, q, ctx));
    BN_CTX_free(ctx);
    return n;
}

static BIGNUM *prime(int bits)
{
    BIGNUM *p = BN_new();
    assert_true(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL));
    return p;
}

/* Refused for that, with this word in the sentence; NULL: taken. */
static void judge(struct hf_public_key *key, const struct hf_weak_key_lists *lists,
                  enum hf_refusal refusal, const char *word)
{
    enum hf_refusal why = HF_REFUSAL_NONE;
    enum hf_err err = hf_weak_key_check(key, lists, &why, NULL);
    if (!word) {
        if (err != HF_OK) {
            fail_msg("refused: %s", hf_err_text());
        }
    } else {
        if (err != HF_E_INVALID || why != refusal || !strstr(hf_err_text(), word)) {
            fail_msg("wanted \"%s\": %s, %s, %s", word, hf_err_name(err), hf_refusal_name(why),
                     hf_err_text());
        }
    }
    hf_public_key_free(key);
}

/* --- RSA --------------------------------------------------------------------------------------*/

static BIGNUM *p1, *p2, *p3;

static int make_primes(void **state)
{
    (void)state;
    p1 = prime(1024);
    p2 = prime(1024);
    p3 = prime(1024);
    return 0;
}

static int free_primes(void **state)
{
    (void)state;
    BN_free(p1);
    BN_free(p2);
    BN_free(p3);
    return 0;
}

static void good_keys_of_each_kind_pass(void **state)
{
    (void)state;
    for (enum hf_key_kind kind = 0; kind < HF_KEY_KIND_RSA4096; kind++) {
        EVP_PKEY *key = NULL;
        struct hf_public_key *public = NULL;
        assert_int_equal(hf_key_kind_make(kind, &key), HF_OK);
        assert_int_equal(hf_public_key_of(key, &public), HF_OK);
        assert_int_equal(public->kind, kind);
        judge(public, NULL, HF_REFUSAL_NONE, NULL);
        EVP_PKEY_free(key);
    }
}

static void exponents_are_odd_and_not_small(void **state)
{
    (void)state;
    BIGNUM *n = product(p1, p2);
    judge(rsa(n, 1), NULL, HF_REFUSAL_WEAK_KEY, "exponent");
    judge(rsa(n, 3), NULL, HF_REFUSAL_WEAK_KEY, "exponent");
    judge(rsa(n, 65535), NULL, HF_REFUSAL_WEAK_KEY, "exponent");
    judge(rsa(n, 65536), NULL, HF_REFUSAL_WEAK_KEY, "exponent");
    judge(rsa(n, 65538), NULL, HF_REFUSAL_WEAK_KEY, "exponent");
    judge(rsa(n, 65537), NULL, HF_REFUSAL_NONE, NULL);
    BN_free(n);
}

static void small_moduli_are_refused(void **state)
{
    (void)state;
    BIGNUM *p = prime(512), *q = prime(512);
    BIGNUM *n = product(p, q);
    judge(rsa(n, 65537), NULL, HF_REFUSAL_WEAK_KEY, "too weak");
    BN_free(n);
    BN_free(p);
    BN_free(q);
}

static void moduli_that_are_no_product_of_two_primes_are_refused(void **state)
{
    (void)state;
    BIGNUM *one_prime = prime(2048);
    BIGNUM *square = product(p1, p1);
    BIGNUM *even = product(p1, p2);
    BIGNUM *small = BN_dup(p1);
    BIGNUM *big = prime(1020);
    BIGNUM *smooth = product(p1, big);
    assert_true(BN_sub_word(even, 1));
    assert_true(BN_mul_word(smooth, 13));
    judge(rsa(one_prime, 65537), NULL, HF_REFUSAL_WEAK_KEY, "SP 800-89");
    judge(rsa(even, 65537), NULL, HF_REFUSAL_WEAK_KEY, "SP 800-89");
    judge(rsa(smooth, 65537), NULL, HF_REFUSAL_WEAK_KEY, "");
    judge(rsa(square, 65537), NULL, HF_REFUSAL_WEAK_KEY, "Fermat");
    BN_free(one_prime);
    BN_free(square);
    BN_free(even);
    BN_free(small);
    BN_free(big);
    BN_free(smooth);
}

static void close_primes_are_found_by_fermat(void **state)
{
    (void)state;
    BIGNUM *next = BN_dup(p1);
    BN_CTX *ctx = BN_CTX_new();
    assert_true(BN_set_bit(next, 0) && BN_add_word(next, 100000));
    while (BN_check_prime(next, ctx, NULL) != 1) {
        assert_true(BN_add_word(next, 2));
    }
    BIGNUM *n = product(p1, next);
    judge(rsa(n, 65537), NULL, HF_REFUSAL_WEAK_KEY, "Fermat");
    BN_CTX_free(ctx);
    BN_free(n);
    BN_free(next);
}

/* A key made as the library made them: p = k*M + (65537^a mod M). */
static BIGNUM *roca_prime(void)
{
    static const unsigned primes[] = {
        2,  3,  5,  7,  11, 13,  17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67, 71,
        73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = BN_new(), *p = BN_new(), *k = BN_new(), *a = BN_new(), *g = BN_new();
    assert_true(BN_one(m) && BN_set_word(g, 65537));
    for (size_t i = 0; i < HF_N_ELEMENTS(primes); i++) {
        assert_true(BN_mul_word(m, primes[i]));
    }
    do {
        assert_true(BN_rand(k, 1025 - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY));
        assert_true(BN_rand(a, 64, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
        assert_true(BN_mod_exp(p, g, a, m, ctx) && BN_mul(k, k, m, ctx) && BN_add(p, p, k));
    } while (BN_check_prime(p, ctx, NULL) != 1);
    BN_free(m);
    BN_free(k);
    BN_free(a);
    BN_free(g);
    BN_CTX_free(ctx);
    return p;
}

static void keys_with_the_fingerprint_of_roca_are_refused(void **state)
{
    (void)state;
    BIGNUM *p = roca_prime(), *q = roca_prime();
    BIGNUM *n = product(p, q);
    judge(rsa(n, 65537), NULL, HF_REFUSAL_WEAK_KEY, "ROCA");
    BIGNUM *half = product(p, p1); /* one such prime alone doesn't make the fingerprint */
    struct hf_public_key *key = rsa(half, 65537);
    assert_false(hf_has_roca_fingerprint(key->modulus));
    hf_public_key_free(key);
    BN_free(half);
    BN_free(n);
    BN_free(p);
    BN_free(q);
}

/* --- Shared primes ----------------------------------------------------------------------------*/

static struct hf_bytes bytes_of(const BIGNUM *n, uint8_t out[static 1024])
{
    return hf_bytes_of(out, (size_t)BN_bn2bin(n, out));
}

static void a_shared_prime_is_found_among_many(void **state)
{
    (void)state;
    struct hf_moduli *moduli = NULL;
    uint8_t bytes[1024];
    BIGNUM *a = product(p1, p2), *b = product(p1, p3), *c = product(p2, p3);
    assert_int_equal(hf_moduli_new(&moduli), HF_OK);
    struct hf_weak_key_lists lists = {.moduli = moduli};
    judge(rsa(a, 65537), &lists, HF_REFUSAL_NONE, NULL); /* none is known */
    BIGNUM *filler = BN_new();
    for (int i = 0; i < 600; i++) { /* more than two chunks; no primes of ours in them */
        assert_true(BN_rand(filler, 2048, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD));
        if (i == 300) {
            assert_int_equal(hf_moduli_add(moduli, bytes_of(a, bytes), 4711), HF_OK);
        }
        BN_CTX *ctx = BN_CTX_new();
        BIGNUM *gcd = BN_new();
        assert_true(BN_gcd(gcd, filler, c, ctx)); /* random numbers may well share small factors */
        bool coprime = BN_is_one(gcd);
        BN_free(gcd);
        BN_CTX_free(ctx);
        if (coprime) {
            assert_int_equal(hf_moduli_add(moduli, bytes_of(filler, bytes), i), HF_OK);
        }
    }
    BN_free(filler);
    enum hf_refusal why = HF_REFUSAL_NONE;
    int64_t with = 0;
    struct hf_public_key *key = rsa(b, 65537);
    assert_int_equal(hf_weak_key_check(key, &lists, &why, &with), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_WEAK_KEY);
    assert_int_equal(with, 4711);
    assert_non_null(strstr(hf_err_text(), "shares a prime"));
    hf_public_key_free(key);

    key = rsa(a, 65537); /* the same key again, as at a renewal */
    assert_int_equal(hf_weak_key_check(key, &lists, &why, &with), HF_OK);
    assert_int_equal(with, -1);
    hf_public_key_free(key);
    size_t n = hf_moduli_count(moduli);
    assert_int_equal(hf_moduli_add(moduli, bytes_of(a, bytes), 1), HF_OK);
    assert_int_equal(hf_moduli_count(moduli), n); /* known already */

    /* with b known too, even a known key is found to share */
    assert_int_equal(hf_moduli_add(moduli, bytes_of(b, bytes), 4712), HF_OK);
    key = rsa(a, 65537);
    assert_int_equal(hf_weak_key_check(key, &lists, &why, &with), HF_E_INVALID);
    assert_int_equal(with, 4712);
    hf_public_key_free(key);
    hf_moduli_free(moduli);
    BN_free(a);
    BN_free(b);
    BN_free(c);
}

/* --- Lists ------------------------------------------------------------------------------------*/

static struct hf_public_key *key_of(const char *private_hex, int type)
{
    uint8_t raw[32];
    EVP_PKEY *key = NULL;
    struct hf_public_key *public = NULL;
    assert_int_equal(hf_unhex(private_hex, hf_span_of(raw, sizeof(raw))), HF_OK);
    key = EVP_PKEY_new_raw_private_key(type, NULL, raw, sizeof(raw));
    assert_int_equal(hf_public_key_of(key, &public), HF_OK);
    EVP_PKEY_free(key);
    return public;
}

static void keys_from_documents_are_refused(void **state)
{
    (void)state;
    judge(key_of("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                 EVP_PKEY_ED25519),
          NULL, HF_REFUSAL_KNOWN_KEY, "RFC 8032 7.1");
}

static void lists_are_read_and_asked(void **state)
{
    (void)state;
    struct hf_key_list *list = NULL;
    assert_int_equal(hf_key_list_new(&list), HF_OK);
    EVP_PKEY *key = NULL;
    struct hf_public_key *public = NULL;
    assert_int_equal(hf_key_kind_make(HF_KEY_KIND_P256, &key), HF_OK);
    assert_int_equal(hf_public_key_of(key, &public), HF_OK);
    char hex[65], text[400];
    hf_hex(hf_bytes_of(public->spki_sha256, 32), hex);
    snprintf(text, sizeof(text), "# compromised\n\n  %s  # by accident\r\n%064d\n", hex, 7);
    assert_false(hf_key_list_has(list, public));
    assert_int_equal(hf_key_list_add(list, hf_bytes_str(text), "keys.txt"), HF_OK);
    assert_int_equal(hf_key_list_count(list), 2);
    struct hf_weak_key_lists lists = {.known = list};
    enum hf_refusal why = HF_REFUSAL_NONE;
    assert_int_equal(hf_weak_key_check(public, &lists, &why, NULL), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_KNOWN_KEY);
    hf_public_key_free(public);
    EVP_PKEY_free(key);

    static const struct {
        const char *text, *says;
    } bad[] = {
        {"0123\n", "keys.txt:1"},
        {"# x\nzz345678901234567890\n", "keys.txt:2"},
        {"01234567890123456789012345678901234567890123456789012345678901234567890\n", "keys.txt:1"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_key_list_add(list, hf_bytes_str(bad[i].text), "keys.txt"),
                         HF_E_MALFORMED);
        assert_non_null(strstr(hf_err_text(), bad[i].says));
        assert_int_equal(hf_key_list_count(list), 2);
    }
    hf_key_list_free(list);
}

/* The list of Debian's package has the end of SHA-1 over what `openssl rsa -modulus` prints. The
 * number below is 2^2047 + 1's line, by printf and sha1sum. */
static void debian_lists_are_matched_by_modulus(void **state)
{
    (void)state;
    struct hf_key_list *list = NULL;
    BIGNUM *n = BN_new();
    assert_true(BN_one(n) && BN_lshift(n, n, 2047) && BN_add_word(n, 1));
    struct hf_public_key *key = rsa(n, 65537);
    assert_int_equal(hf_key_list_new(&list), HF_OK);
    assert_int_equal(hf_key_list_add(list, hf_bytes_str("00000000000000000000\n"), "x"), HF_OK);
    assert_false(hf_key_list_has(list, key));
    assert_int_equal(hf_key_list_add(list, hf_bytes_str("8ea792e1bab21748033f\n"), "x"), HF_OK);
    assert_true(hf_key_list_has(list, key));
    hf_public_key_free(key);
    hf_key_list_free(list);
    BN_free(n);
}

static void keys_are_added_one_by_one(void **state)
{
    (void)state;
    struct hf_key_list *list = NULL;
    assert_int_equal(hf_key_list_new(&list), HF_OK);
    EVP_PKEY *keys[20];
    struct hf_public_key *publics[20];
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(hf_key_kind_make(HF_KEY_KIND_ED25519, &keys[i]), HF_OK);
        assert_int_equal(hf_public_key_of(keys[i], &publics[i]), HF_OK);
        assert_false(hf_key_list_has(list, publics[i]));
        assert_int_equal(hf_key_list_add_key(list, publics[i]->spki_sha256), HF_OK);
    }
    for (size_t i = 0; i < 20; i++) {
        assert_true(hf_key_list_has(list, publics[i]));
        hf_public_key_free(publics[i]);
        EVP_PKEY_free(keys[i]);
    }
    hf_key_list_free(list);
}

/* --- Curves -----------------------------------------------------------------------------------*/

static struct hf_public_key *ec_multiple(unsigned long k, bool minus)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *d = BN_new();
    uint8_t bytes[65];
    assert_true(BN_set_word(d, k) && EC_POINT_mul(group, point, d, NULL, NULL, NULL));
    assert_true(!minus || EC_POINT_invert(group, point, NULL));
    assert_int_equal(
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes, sizeof(bytes), NULL),
        sizeof(bytes));
    struct hf_buf spki = HF_BUF_INIT(4096);
    struct hf_asn1 der = hf_asn1_writer(&spki);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, HF_OID("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce"
                             "\x3d\x03\x01\x07"));
    hf_asn1_open_bits(&der);
    hf_asn1_raw(&der, hf_bytes_of(bytes, sizeof(bytes)));
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    BN_free(d);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return parse(&spki);
}

static void small_multiples_of_the_generator_are_refused(void **state)
{
    (void)state;
    judge(ec_multiple(1, false), NULL, HF_REFUSAL_WEAK_KEY, "private key is 1,");
    judge(ec_multiple(16, false), NULL, HF_REFUSAL_WEAK_KEY, "private key is 16,");
    judge(ec_multiple(3, true), NULL, HF_REFUSAL_WEAK_KEY, "or minus that");
    judge(ec_multiple(4711, false), NULL, HF_REFUSAL_NONE, NULL);
}

static struct hf_public_key *ed25519(const char *hex)
{
    uint8_t raw[32];
    assert_int_equal(hf_unhex(hex, hf_span_of(raw, sizeof(raw))), HF_OK);
    struct hf_buf spki = HF_BUF_INIT(4096);
    struct hf_asn1 der = hf_asn1_writer(&spki);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, HF_OID("\x30\x05\x06\x03\x2b\x65\x70"));
    hf_asn1_open_bits(&der);
    hf_asn1_raw(&der, hf_bytes_of(raw, sizeof(raw)));
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    return parse(&spki);
}

static void ed25519_points_of_small_order_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *word;
    } cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", "small order"},
        {"0000000000000000000000000000000000000000000000000000000000000080", "small order"},
        {"0100000000000000000000000000000000000000000000000000000000000000", "small order"},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small order"},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "small order"},
        {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small order"},
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "small order"},
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "one encoding"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "one encoding"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        judge(ed25519(cases[i].hex), NULL, HF_REFUSAL_WEAK_KEY, cases[i].word);
    }
}

/* --- Reading ----------------------------------------------------------------------------------*/

static void points_off_the_curve_are_refused(void **state)
{
    (void)state;
    struct hf_public_key *key = ec_multiple(4711, false), *out = NULL;
    uint8_t spki[128];
    memcpy(spki, key->spki.ptr, key->spki.len);
    for (size_t i = key->spki.len - 64; i < key->spki.len; i++) {
        spki[i] ^= 1;
        assert_int_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len), &out), HF_E_INVALID);
        assert_null(out);
        spki[i] ^= 1;
    }
    /* infinity, compressed, hybrid, and coordinates beyond the field */
    spki[key->spki.len - 65] = 2;
    assert_int_not_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len), &out), HF_OK);
    spki[key->spki.len - 65] = 6;
    assert_int_not_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len), &out), HF_OK);
    spki[key->spki.len - 65] = 4;
    memset(spki + key->spki.len - 64, 0xff, 64);
    assert_int_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len), &out), HF_E_INVALID);
    hf_public_key_free(key);
}

static void keys_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct hf_public_key *key = ec_multiple(4711, false), *out = NULL;
    uint8_t spki[128] = {0};
    memcpy(spki, key->spki.ptr, key->spki.len);
    for (size_t len = 0; len < key->spki.len; len++) {
        assert_int_not_equal(hf_public_key_parse(hf_bytes_of(spki, len), &out), HF_OK);
        assert_null(out);
    }
    assert_int_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len + 1), &out),
                     HF_E_MALFORMED);
    for (size_t bit = 0; bit < 8 * (key->spki.len - 65); bit++) {
        spki[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(hf_public_key_parse(hf_bytes_of(spki, key->spki.len), &out), HF_OK);
        spki[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    hf_public_key_free(key);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    BIGNUM *a = product(p1, p2), *b = product(p2, p3);
    uint8_t bytes[1024];
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK && n < 100; n++) {
        struct hf_moduli *moduli = NULL;
        struct hf_key_list *list = NULL;
        hf_alloc_fail_after(n);
        err = hf_moduli_new(&moduli);
        err = err == HF_OK ? hf_moduli_add(moduli, bytes_of(a, bytes), 1) : err;
        err = err == HF_OK ? hf_moduli_add(moduli, bytes_of(b, bytes), 2) : err;
        err = err == HF_OK ? hf_key_list_new(&list) : err;
        err = err == HF_OK ? hf_key_list_add_key(list, bytes) : err;
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_moduli_free(moduli);
        hf_key_list_free(list);
    }
    assert_int_equal(err, HF_OK);
    BN_free(a);
    BN_free(b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_keys_of_each_kind_pass),
        cmocka_unit_test(exponents_are_odd_and_not_small),
        cmocka_unit_test(small_moduli_are_refused),
        cmocka_unit_test(moduli_that_are_no_product_of_two_primes_are_refused),
        cmocka_unit_test(close_primes_are_found_by_fermat),
        cmocka_unit_test(keys_with_the_fingerprint_of_roca_are_refused),
        cmocka_unit_test(a_shared_prime_is_found_among_many),
        cmocka_unit_test(keys_from_documents_are_refused),
        cmocka_unit_test(lists_are_read_and_asked),
        cmocka_unit_test(debian_lists_are_matched_by_modulus),
        cmocka_unit_test(keys_are_added_one_by_one),
        cmocka_unit_test(small_multiples_of_the_generator_are_refused),
        cmocka_unit_test(ed25519_points_of_small_order_are_refused),
        cmocka_unit_test(points_off_the_curve_are_refused),
        cmocka_unit_test(keys_are_read_whole_or_not_at_all),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, make_primes, free_primes);
}
