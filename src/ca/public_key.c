// SPDX-License-Identifier: Apache-2.0
/*
 * SubjectPublicKeyInfo, read by hand: the general decoder of libcrypto 3.0 takes 90 us for a P-256
 * key, and takes forms that no certificate should have. Here each algorithm has one form (RFC 5480
 * 2, RFC 8410 3, RFC 3279 2.3.1), and a key costs 4 us.
 *
 *      SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING key }
 */
#include "ca/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "pki/asn1_write.h"
#include "pki/ossl.h"

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8192, ED25519_SIZE = 32 };

static const struct {
    const char *word, *text;
    unsigned bits;
} kinds[] = {
#define ROW(id, word, text, bits) [HF_KEY_KIND_##id] = {word, text, bits},
    HF_KEY_KIND_TABLE(ROW)
#undef ROW
};

const char *hf_key_kind_word(enum hf_key_kind kind)
{
    return kinds[kind].word;
}

const char *hf_key_kind_text(enum hf_key_kind kind)
{
    return kinds[kind].text;
}

enum hf_key_kind hf_key_kind_by_word(const char *word)
{
    size_t i = 0;
    while (i < HF_KEY_KIND_N && strcmp(kinds[i].word, word) != 0) {
        i++;
    }
    return (enum hf_key_kind)i;
}

/* --- Algorithms ---------------------------------------------------------------------------------
 *
 * An AlgorithmIdentifier has one encoding each, so it is compared whole. */

static enum hf_err read_ec(struct hf_public_key *key);
static enum hf_err read_ed25519(struct hf_public_key *key);
static enum hf_err read_rsa(struct hf_public_key *key);

static const struct algorithm {
    struct hf_bytes whole; /* AlgorithmIdentifier */
    enum hf_key_kind kind;
    unsigned bits;
    const char *group;
    enum hf_err (*read)(struct hf_public_key *key);
} algorithms[] = {
#define EC_ALGORITHM(head, curve) HF_OID_INIT(head "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" curve)
    {EC_ALGORITHM("\x30\x13", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), HF_KEY_KIND_P256, 256,
     "P-256", read_ec},
    {EC_ALGORITHM("\x30\x10", "\x06\x05\x2b\x81\x04\x00\x22"), HF_KEY_KIND_P384, 384, "P-384",
     read_ec},
    {EC_ALGORITHM("\x30\x10", "\x06\x05\x2b\x81\x04\x00\x23"), HF_KEY_KIND_P521, 521, "P-521",
     read_ec},
    {HF_OID_INIT("\x30\x05\x06\x03\x2b\x65\x70"), HF_KEY_KIND_ED25519, 256, NULL, read_ed25519},
    {HF_OID_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
     HF_KEY_KIND_RSA2048, 0, NULL, read_rsa},
};

static const struct algorithm *find_algorithm(struct hf_bytes whole)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(algorithms); i++) {
        if (hf_bytes_eq(algorithms[i].whole, whole)) {
            return &algorithms[i];
        }
    }
    return NULL;
}

static const struct algorithm *algorithm_of(enum hf_key_kind kind)
{
    size_t i = 0;
    while (algorithms[i].kind != kind) {
        i++;
    }
    return &algorithms[i];
}

/* --- EC -----------------------------------------------------------------------------------------
 *
 * A group is made once and copied: libcrypto takes 11 us to make one. */

static EVP_PKEY *templates[HF_KEY_KIND_P521 + 1];

static EVP_PKEY *make_template(const char *group)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (!ctx || EVP_PKEY_paramgen_init(ctx) <= 0 || EVP_PKEY_CTX_set_group_name(ctx, group) <= 0 ||
        EVP_PKEY_paramgen(ctx, &key) <= 0) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Two threads may make it at once; the first to publish its own wins. */
static EVP_PKEY *template_of(const struct algorithm *algorithm)
{
    EVP_PKEY **slot = &templates[algorithm->kind];
    EVP_PKEY *key = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!key) {
        EVP_PKEY *made = make_template(algorithm->group);
        if (__atomic_compare_exchange_n(slot, &key, made, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            return made;
        }
        EVP_PKEY_free(made);
    }
    return key;
}

static enum hf_err make_ec(struct hf_public_key *key, const struct algorithm *algorithm)
{
    EVP_PKEY *parameters = template_of(algorithm);
    key->key = parameters ? EVP_PKEY_new() : NULL;
    if (!key->key || EVP_PKEY_copy_parameters(key->key, parameters) != 1) {
        return hf_fail_ossl(HF_E_CRYPTO, "a curve can't be set up");
    }
    if (EVP_PKEY_set1_encoded_public_key(key->key, key->point.ptr, key->point.len) != 1) {
        hf_ossl_forget();
        return hf_fail(HF_E_INVALID, "the public key is no point on %s", algorithm->group);
    }
    return HF_OK;
}

/* RFC 5480 2.2 allows compressed points; TLS 1.3 doesn't, and neither do many verifiers. */
static enum hf_err read_ec(struct hf_public_key *key)
{
    const struct algorithm *algorithm = algorithm_of(key->kind);
    size_t field = (algorithm->bits + 7) / 8;
    key->point = key->contents;
    if (key->point.len == field + 1 && (key->point.ptr[0] == 2 || key->point.ptr[0] == 3)) {
        return hf_fail(HF_E_UNSUPPORTED, "an EC key with a compressed point; give it uncompressed");
    }
    if (key->point.len != 2 * field + 1 || key->point.ptr[0] != 4) {
        return hf_fail(HF_E_MALFORMED, "an EC key of %zu bytes is none on %s", key->point.len,
                       algorithm->group);
    }
    return make_ec(key, algorithm);
}

static enum hf_err read_ed25519(struct hf_public_key *key)
{
    key->point = key->contents;
    if (key->point.len != ED25519_SIZE) {
        return hf_fail(HF_E_MALFORMED, "an Ed25519 key of %zu bytes", key->point.len);
    }
    key->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->point.ptr, key->point.len);
    return key->key ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "an Ed25519 key can't be set up");
}

/* --- RSA --------------------------------------------------------------------------------------*/

/* A positive INTEGER; out is its magnitude. */
static enum hf_err read_positive(struct hf_reader *reader, struct hf_bytes *out)
{
    struct hf_der integer;
    HF_TRY(hf_der_expect(reader, HF_DER_INTEGER, &integer));
    struct hf_bytes value = integer.value;
    if (value.len == 0 || value.ptr[0] & 0x80 ||
        (value.len > 1 && value.ptr[0] == 0 && value.ptr[1] < 0x80) ||
        (value.len == 1 && value.ptr[0] == 0)) {
        return hf_fail(HF_E_MALFORMED,
                       "an RSA key with a number that isn't positive, or isn't DER");
    }
    *out = value.ptr[0] == 0 ? hf_bytes_from(value, 1) : value;
    return HF_OK;
}

static unsigned bits_of(struct hf_bytes magnitude)
{
    unsigned top = 0;
    while (top < 8 && magnitude.ptr[0] >> top) {
        top++;
    }
    return (unsigned)(magnitude.len - 1) * 8 + top;
}

static bool build_rsa(struct hf_public_key *key)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(key->modulus.ptr, (int)key->modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(key->exponent.ptr, (int)key->exponent.len, NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool good = build && n && e && ctx && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
                OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
                (params = OSSL_PARAM_BLD_to_param(build)) && EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &key->key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return good;
}

static enum hf_err read_rsa(struct hf_public_key *key)
{
    struct hf_reader reader = hf_reader_of(key->contents);
    struct hf_der list;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    HF_TRY(read_positive(&reader, &key->modulus));
    HF_TRY(read_positive(&reader, &key->exponent));
    HF_TRY(hf_read_end(&reader));
    key->bits = bits_of(key->modulus);
    if (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX || key->exponent.len > 32) {
        return hf_fail(HF_E_UNSUPPORTED, "an RSA key of %u bits, with an exponent of %zu bytes",
                       key->bits, key->exponent.len);
    }
    for (enum hf_key_kind kind = HF_KEY_KIND_RSA2048; kind < HF_KEY_KIND_N; kind++) {
        key->kind = key->bits >= kinds[kind].bits ? kind : key->kind;
    }
    return build_rsa(key) ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "an RSA key can't be set up");
}

/* --- The whole --------------------------------------------------------------------------------*/

static enum hf_err take_spki(struct hf_public_key *key, struct hf_bytes spki)
{
    if (spki.len > HF_SPKI_MAX) {
        return hf_fail(HF_E_UNSUPPORTED, "a public key of %zu bytes", spki.len);
    }
    uint8_t *copy = hf_alloc(spki.len ? spki.len : 1);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, spki.ptr, spki.len);
    key->spki = hf_bytes_of(copy, spki.len);
    return HF_OK;
}

static enum hf_err read_spki(struct hf_public_key *key)
{
    struct hf_reader reader = hf_reader_of(key->spki);
    struct hf_der list, algorithm, bits;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(hf_der_expect(&reader, HF_DER_BIT_STRING, &bits));
    HF_TRY(hf_read_end(&reader));
    if (bits.value.len < 2 || bits.value.ptr[0] != 0) {
        return hf_fail(HF_E_MALFORMED, "a public key that is not a whole number of bytes");
    }
    const struct algorithm *known = find_algorithm(algorithm.whole);
    if (!known) {
        return hf_fail(HF_E_UNSUPPORTED, "a public key of a kind that is not handled; give one of "
                                         "P-256, P-384, P-521, Ed25519 or RSA");
    }
    key->contents = hf_bytes_from(bits.value, 1);
    key->kind = known->kind;
    key->bits = known->bits;
    return known->read(key);
}

static void hash(struct hf_public_key *key)
{
    hf_hash_once(HF_HASH_SHA256, key->spki, key->spki_sha256);
    SHA1(key->contents.ptr, key->contents.len, key->key_id);
}

enum hf_err hf_public_key_parse(struct hf_bytes spki, struct hf_public_key **out)
{
    *out = NULL;
    struct hf_public_key *key = HF_NEW(struct hf_public_key);
    if (!key) {
        return HF_E_NOMEM;
    }
    enum hf_err err = take_spki(key, spki);
    if (err == HF_OK) {
        err = read_spki(key);
    }
    if (err == HF_E_TRUNCATED) {
        err = hf_fail(HF_E_MALFORMED, "a public key that is cut off");
    }
    if (err != HF_OK) {
        hf_public_key_free(key);
        return err;
    }
    hash(key);
    *out = key;
    return HF_OK;
}

enum hf_err hf_public_key_of(const EVP_PKEY *key, struct hf_public_key **out)
{
    *out = NULL;
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "the public half of a key can't be had");
    }
    enum hf_err err = hf_public_key_parse(hf_bytes_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return err;
}

void hf_public_key_free(struct hf_public_key *key)
{
    if (key) {
        EVP_PKEY_free(key->key);
        hf_free((void *)(uintptr_t)key->spki.ptr);
        hf_free(key);
    }
}

void hf_public_key_freep(struct hf_public_key **key)
{
    hf_public_key_free(*key);
}

enum hf_err hf_key_kind_make(enum hf_key_kind kind, EVP_PKEY **out)
{
    if (kinds[kind].bits) {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)kinds[kind].bits);
    } else if (kind == HF_KEY_KIND_ED25519) {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        *out = EVP_PKEY_Q_keygen(NULL, NULL, "EC", algorithm_of(kind)->group);
    }
    return *out ? HF_OK
                : hf_fail_ossl(HF_E_CRYPTO, "a key of type %s can't be made", kinds[kind].text);
}
