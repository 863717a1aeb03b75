// SPDX-License-Identifier: Apache-2.0
/*
 * A public key out of its JSON (RFC 7517, RFC 7518 6, RFC 8037 2). The parameters go to libcrypto
 * as they are; it says whether a point is on its curve. What a key may be used for is decided here
 * once, from its kind, its curve, "use", "key_ops" and "alg", and kept as a set of algorithms:
 * nothing later looks at names again.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "policy/jws.h"

enum {
    PARAM_MAX = 1024 + 1, /* RSA of 8192 bits, and a leading zero that some write */
    KID_MAX = 512,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    RSA_E_BYTES_MAX = 8, /* a large exponent makes each check slow */
};

#define RSA_ALGS \
    (1u << HF_JWS_RS256 | 1u << HF_JWS_RS384 | 1u << HF_JWS_RS512 | 1u << HF_JWS_PS256 | \
     1u << HF_JWS_PS384 | 1u << HF_JWS_PS512)

static const struct curve {
    const char *kty, *crv;
    const char *name; /* libcrypto's, of the group or the key type */
    size_t len;       /* of a coordinate, or of the whole key */
    uint32_t algs;
} curves[] = {
    {"EC", "P-256", "prime256v1", 32, 1u << HF_JWS_ES256},
    {"EC", "P-384", "secp384r1", 48, 1u << HF_JWS_ES384},
    {"EC", "P-521", "secp521r1", 66, 1u << HF_JWS_ES512},
    {"OKP", "Ed25519", "ED25519", 32, 1u << HF_JWS_EDDSA},
    {"OKP", "Ed448", "ED448", 57, 1u << HF_JWS_EDDSA},
};

/* A member that is a string without NUL; NULL when it isn't there or is something else. */
static const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

/* A base64url member of 1 to PARAM_MAX bytes. */
static enum hf_err bytes_of(const json_t *json, const char *name, struct hf_buf *out)
{
    const char *text = text_of(json, name);
    if (!text || !*text) {
        return hf_fail(HF_E_MALFORMED, "no \"%s\"", name);
    }
    *out = HF_BUF_INIT(PARAM_MAX);
    enum hf_err err = hf_base64url_decode(hf_bytes_str(text), out);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "\"%s\"", name);
}

/* Makes the key from what was gathered. Takes bld; its parameters borrow memory of the caller. */
static enum hf_err build(const char *type, OSSL_PARAM_BLD *bld, bool ready, EVP_PKEY **out)
{
    OSSL_PARAM *params = ready ? OSSL_PARAM_BLD_to_param(bld) : NULL;
    EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    bool started = ctx && EVP_PKEY_fromdata_init(ctx) > 0;
    bool made = started && EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) > 0;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    ERR_clear_error();
    return made      ? HF_OK
           : started ? hf_fail(HF_E_INVALID, "not a public %s key", type)
                     : hf_fail(HF_E_NOMEM, "libcrypto could not begin to make a key");
}

static enum hf_err build_rsa(struct hf_bytes n, struct hf_bytes e, EVP_PKEY **out)
{
    BIGNUM *n_bn = BN_bin2bn(n.ptr, (int)n.len, NULL);
    BIGNUM *e_bn = BN_bin2bn(e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    enum hf_err err = HF_OK;
    if (!n_bn || !e_bn || !bld) {
        err = hf_fail(HF_E_NOMEM, "out of memory");
    } else if (BN_num_bits(n_bn) < RSA_BITS_MIN || BN_num_bits(n_bn) > RSA_BITS_MAX) {
        err = hf_fail(HF_E_INVALID, "an RSA key of %d bits, outside %d to %d", BN_num_bits(n_bn),
                      RSA_BITS_MIN, RSA_BITS_MAX);
    } else if (!BN_is_odd(n_bn) || !BN_is_odd(e_bn) || BN_is_one(e_bn) ||
               BN_num_bytes(e_bn) > RSA_E_BYTES_MAX) {
        err = hf_fail(HF_E_INVALID, "an RSA key whose modulus or exponent can't be");
    }
    if (err == HF_OK) {
        bool ready = OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n_bn) &&
                     OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e_bn);
        err = build("RSA", bld, ready, out);
        bld = NULL;
    }
    OSSL_PARAM_BLD_free(bld);
    BN_free(n_bn);
    BN_free(e_bn);
    return err;
}

static enum hf_err read_rsa(const json_t *json, struct hf_jwk *jwk)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf n = HF_BUF_INIT(0);
    HF_CLEANUP(hf_buf_done) struct hf_buf e = HF_BUF_INIT(0);
    HF_TRY(bytes_of(json, "n", &n));
    HF_TRY(bytes_of(json, "e", &e));
    HF_TRY(build_rsa(hf_buf_bytes(&n), hf_buf_bytes(&e), &jwk->key));
    jwk->algs = RSA_ALGS;
    return HF_OK;
}

static enum hf_err read_coordinate(const json_t *json, const char *name, size_t len,
                                   struct hf_buf *point)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(0);
    HF_TRY(bytes_of(json, name, &bytes));
    if (hf_buf_len(&bytes) != len) { /* RFC 7518 6.2.1.2: the full length, no less */
        return hf_fail(HF_E_MALFORMED, "\"%s\" has %zu bytes instead of %zu", name,
                       hf_buf_len(&bytes), len);
    }
    return hf_buf_append(point, hf_buf_bytes(&bytes));
}

static enum hf_err read_ec(const json_t *json, const struct curve *curve, struct hf_jwk *jwk)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf point = HF_BUF_INIT(PARAM_MAX);
    HF_TRY(hf_buf_u8(&point, POINT_CONVERSION_UNCOMPRESSED));
    HF_TRY(read_coordinate(json, "x", curve->len, &point));
    HF_TRY(read_coordinate(json, "y", curve->len, &point));
    struct hf_bytes bytes = hf_buf_bytes(&point);
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    bool ready =
        bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) &&
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, bytes.ptr, bytes.len);
    return build("EC", bld, ready, &jwk->key);
}

static enum hf_err read_okp(const json_t *json, const struct curve *curve, struct hf_jwk *jwk)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf x = HF_BUF_INIT(PARAM_MAX);
    HF_TRY(read_coordinate(json, "x", curve->len, &x));
    jwk->key =
        EVP_PKEY_new_raw_public_key_ex(NULL, curve->name, NULL, hf_buf_bytes(&x).ptr, curve->len);
    ERR_clear_error();
    return jwk->key ? HF_OK : hf_fail(HF_E_INVALID, "not a public %s key", curve->name);
}

static enum hf_err read_curve(const json_t *json, const char *kty, struct hf_jwk *jwk)
{
    const char *crv = text_of(json, "crv");
    if (!crv) {
        return hf_fail(HF_E_MALFORMED, "no \"crv\"");
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(curves); i++) {
        if (strcmp(curves[i].kty, kty) == 0 && strcmp(curves[i].crv, crv) == 0) {
            jwk->algs = curves[i].algs;
            return strcmp(kty, "EC") == 0 ? read_ec(json, &curves[i], jwk)
                                          : read_okp(json, &curves[i], jwk);
        }
    }
    return hf_fail(HF_E_UNSUPPORTED, "a curve that is not among ours");
}

/* "key_ops": must name "verify" where it is there. */
static bool ops_allow(const json_t *ops)
{
    size_t i;
    json_t *op;
    bool found = false;
    json_array_foreach(ops, i, op)
    {
        const char *text = json_string_value(op);
        found = found || (text && strcmp(text, "verify") == 0);
    }
    return found;
}

static enum hf_err check_purpose(const json_t *json)
{
    const json_t *use = json_object_get(json, "use");
    const json_t *ops = json_object_get(json, "key_ops");
    if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0)) {
        return hf_fail(HF_E_UNSUPPORTED, "a key that is not for signatures");
    }
    if (ops && !ops_allow(ops)) {
        return hf_fail(HF_E_UNSUPPORTED, "a key that is not for checking signatures");
    }
    if (json_object_get(json, "d")) {
        return hf_fail(HF_E_INVALID, "a private key where public ones belong; whoever can read it "
                                     "can sign: make a new one");
    }
    return HF_OK;
}

/* "alg" narrows what the key may check (RFC 7517 4.4). */
static enum hf_err narrow(const json_t *json, struct hf_jwk *jwk)
{
    const json_t *alg = json_object_get(json, "alg");
    if (!alg) {
        return HF_OK;
    }
    enum hf_jws_alg found =
        json_is_string(alg) ? hf_jws_find(hf_bytes_str(json_string_value(alg))) : HF_JWS_N;
    jwk->algs &= found == HF_JWS_N ? 0 : hf_jws_bit(found);
    return jwk->algs ? HF_OK
                     : hf_fail(HF_E_UNSUPPORTED, "its \"alg\" is none of ours for its kind of key");
}

static enum hf_err read_kid(const json_t *json, struct hf_jwk *jwk)
{
    const json_t *kid = json_object_get(json, "kid");
    if (!kid) {
        return HF_OK;
    }
    if (!json_is_string(kid) || json_string_length(kid) > KID_MAX) {
        return hf_fail(HF_E_MALFORMED, "a \"kid\" that is no string of at most %d bytes", KID_MAX);
    }
    jwk->kid = hf_strdup(json_string_value(kid));
    return jwk->kid ? HF_OK : HF_E_NOMEM;
}

static enum hf_err read_key(const json_t *json, struct hf_jwk *jwk)
{
    const char *kty = text_of(json, "kty");
    if (!kty) {
        return hf_fail(HF_E_MALFORMED, "no \"kty\"");
    }
    if (strcmp(kty, "RSA") == 0) {
        return read_rsa(json, jwk);
    }
    if (strcmp(kty, "EC") == 0 || strcmp(kty, "OKP") == 0) {
        return read_curve(json, kty, jwk);
    }
    return hf_fail(HF_E_UNSUPPORTED, "a key of a kind that is not RSA, EC or OKP");
}

enum hf_err hf_jwk_init(struct hf_jwk *jwk, const json_t *json)
{
    HF_CLEANUP(hf_jwk_done) struct hf_jwk made = {0};
    if (!json_is_object(json)) {
        return hf_fail(HF_E_MALFORMED, "a key that is no JSON object");
    }
    HF_TRY(check_purpose(json));
    HF_TRY(read_kid(json, &made));
    HF_TRY(read_key(json, &made));
    HF_TRY(narrow(json, &made));
    *jwk = made;
    made = (struct hf_jwk){0};
    return HF_OK;
}
