// SPDX-License-Identifier: Apache-2.0
#include "crypto/kex.h"

/*
 * Key pairs are kept as bytes, so that a pair made by a job on one thread can be used by another
 * and wiped by one call.
 *
 * P-256 and P-384 go straight to libcrypto's EC_POINT functions: one multiplication for a pair, one
 * for a secret, by the same code that its EVP door ends in (constant time for a single secret
 * scalar), without making a group and a key object around each. Measured on one machine, ns:
 * P-256 pair 24,400 by EVP_PKEY_Q_keygen and 9,500 here; secret 38,200 and 35,500.
 * The peer's point is checked to be on the curve and not infinity; these curves have cofactor 1, so
 * that this is the whole of public-key validation (SP 800-56A 5.6.2.3.4).
 *
 * X25519 has no door but EVP. Importing private and public half together spares the base point
 * multiplication that importing the private one alone costs: a secret is 31 us, of which 28 are its
 * multiplication; the naive way is 35. The peer's key object is kept and gets each peer's bytes.
 */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/tools.h"

enum { X25519_LEN = 32, UNCOMPRESSED = 4, SCALAR_TRIES = 64 };

static const struct group {
    enum hf_kex_group id;
    const char *name;
    uint8_t public_len;
    uint8_t private_len;
    int nid; /* 0: not a short Weierstrass curve */
} groups[] = {
    {HF_KEX_X25519, "x25519", X25519_LEN, X25519_LEN, 0},
    {HF_KEX_P256, "secp256r1", 65, 32, NID_X9_62_prime256v1},
    {HF_KEX_P384, "secp384r1", 97, 48, NID_secp384r1},
};

static const struct group *find_group(unsigned id)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
        if (groups[i].id == id) {
            return &groups[i];
        }
    }
    return NULL;
}

size_t hf_kex_public_len(unsigned group)
{
    const struct group *found = find_group(group);
    return found ? found->public_len : 0;
}

const char *hf_kex_name(unsigned group)
{
    const struct group *found = find_group(group);
    return found ? found->name : NULL;
}

void hf_kex_done(struct hf_kex *kex)
{
    hf_wipe(kex, sizeof(*kex));
}

/* --- Tools --------------------------------------------------------------------------------------
 */

static void curve_done(struct hf_kex_curve *curve)
{
    BN_clear_free(curve->x);
    BN_clear_free(curve->scalar);
    EC_POINT_clear_free(curve->point);
    EC_GROUP_free(curve->group);
}

void hf_kex_tools_done(struct hf_kex_tools *tools)
{
    EVP_PKEY_free(tools->x25519_peer);
    EVP_PKEY_CTX_free(tools->x25519_import);
    curve_done(&tools->p256);
    curve_done(&tools->p384);
    BN_CTX_free(tools->numbers);
    *tools = (struct hf_kex_tools){0};
}

static enum hf_err ready_curve(struct hf_crypto *crypto, const struct group *group,
                               struct hf_kex_curve **out)
{
    struct hf_kex_tools *tools = &crypto->kex;
    struct hf_kex_curve *curve = group->id == HF_KEX_P256 ? &tools->p256 : &tools->p384;
    *out = curve;
    if (curve->x) {
        return HF_OK;
    }
    if (!tools->numbers) {
        tools->numbers = BN_CTX_secure_new_ex(crypto->lib);
    }
    struct hf_kex_curve made = {
        .group = EC_GROUP_new_by_curve_name_ex(crypto->lib, NULL, group->nid),
        .scalar = BN_secure_new(),
        .x = BN_secure_new(),
    };
    made.point = made.group ? EC_POINT_new(made.group) : NULL;
    if (!tools->numbers || !made.point || !made.scalar || !made.x) {
        curve_done(&made);
        return hf_fail_crypto("an elliptic curve can't be made ready");
    }
    BN_set_flags(made.scalar, BN_FLG_CONSTTIME);
    *curve = made;
    return HF_OK;
}

/* Parameters of an import aren't const in libcrypto's types, so the bytes are copied on the way.
 * private_key: NULL for a public key alone. NULL on failure. */
static EVP_PKEY *x25519_import(const struct hf_kex_tools *tools, const uint8_t *private_key,
                               const uint8_t *public_key)
{
    uint8_t public_copy[X25519_LEN], private_copy[X25519_LEN] = {0};
    OSSL_PARAM params[3];
    size_t n = 0;
    if (public_key) {
        memcpy(public_copy, public_key, X25519_LEN);
        params[n++] =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public_copy, X25519_LEN);
    }
    if (private_key) {
        memcpy(private_copy, private_key, X25519_LEN);
        params[n++] =
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, private_copy, X25519_LEN);
    }
    params[n] = OSSL_PARAM_construct_end();
    EVP_PKEY *key = NULL;
    int selection = private_key ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (EVP_PKEY_fromdata(tools->x25519_import, &key, selection, params) != 1) {
        key = NULL;
    }
    hf_wipe(private_copy, sizeof(private_copy));
    return key;
}

static enum hf_err ready_x25519(struct hf_crypto *crypto)
{
    static const uint8_t base_point[X25519_LEN] = {9};
    struct hf_kex_tools *tools = &crypto->kex;
    if (tools->x25519_peer) {
        return HF_OK;
    }
    if (!tools->x25519_import) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto->lib, "X25519", NULL);
        if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1) {
            EVP_PKEY_CTX_free(ctx);
            return hf_fail_crypto("X25519 can't be made ready");
        }
        tools->x25519_import = ctx;
    }
    tools->x25519_peer = x25519_import(tools, NULL, base_point);
    return tools->x25519_peer ? HF_OK : hf_fail_crypto("X25519 can't be made ready");
}

/* --- Key pairs ----------------------------------------------------------------------------------
 */

static enum hf_err x25519_generate(struct hf_crypto *crypto, const struct hf_rng *rng,
                                   struct hf_kex *out)
{
    HF_TRY(ready_x25519(crypto));
    HF_TRY(hf_rng_fill(rng, hf_span_of(out->private_key, X25519_LEN)));
    EVP_PKEY *key = x25519_import(&crypto->kex, out->private_key, NULL);
    size_t len = X25519_LEN;
    bool ok = key && EVP_PKEY_get_raw_public_key(key, out->public_key, &len) == 1;
    EVP_PKEY_free(key);
    return ok ? HF_OK : hf_fail_crypto("an X25519 key pair can't be made");
}

/* Takes bytes until they are a number between 1 and the order, as FIPS 186-5 A.2.2 has it; one
 * round in 2^32 or fewer needs a second. */
static enum hf_err draw_scalar(const struct hf_kex_curve *curve, const struct hf_rng *rng,
                               struct hf_span bytes)
{
    const BIGNUM *order = EC_GROUP_get0_order(curve->group);
    for (int i = 0; i < SCALAR_TRIES; i++) {
        HF_TRY(hf_rng_fill(rng, bytes));
        if (!BN_bin2bn(bytes.ptr, (int)bytes.len, curve->scalar)) {
            return hf_fail_crypto("a private key can't be drawn");
        }
        if (!BN_is_zero(curve->scalar) && BN_ucmp(curve->scalar, order) < 0) {
            return HF_OK;
        }
    }
    return hf_fail(HF_E_CRYPTO, "the random source gives no usable private key");
}

/* The point that was worked with is a secret after a derivation: nothing of it stays. */
static void forget(const struct hf_kex_curve *curve)
{
    BN_clear(curve->scalar);
    BN_clear(curve->x);
    (void)EC_POINT_copy(curve->point, EC_GROUP_get0_generator(curve->group));
}

static enum hf_err curve_generate(struct hf_crypto *crypto, const struct group *group,
                                  const struct hf_rng *rng, struct hf_kex *out)
{
    struct hf_kex_curve *curve;
    HF_TRY(ready_curve(crypto, group, &curve));
    BN_CTX *numbers = crypto->kex.numbers;
    enum hf_err err = draw_scalar(curve, rng, hf_span_of(out->private_key, group->private_len));
    if (err == HF_OK &&
        (EC_POINT_mul(curve->group, curve->point, curve->scalar, NULL, NULL, numbers) != 1 ||
         EC_POINT_point2oct(curve->group, curve->point, POINT_CONVERSION_UNCOMPRESSED,
                            out->public_key, group->public_len, numbers) != group->public_len)) {
        err = hf_fail_crypto("an elliptic curve key pair can't be made");
    }
    forget(curve);
    return err;
}

enum hf_err hf_kex_generate(struct hf_crypto *crypto, enum hf_kex_group group,
                            const struct hf_rng *rng, struct hf_kex *out)
{
    const struct group *found = find_group(group);
    *out = (struct hf_kex){.group = group};
    if (!found) {
        return hf_fail(HF_E_INVALID, "key exchange group %u isn't ours", group);
    }
    out->public_len = found->public_len;
    enum hf_err err =
        found->nid ? curve_generate(crypto, found, rng, out) : x25519_generate(crypto, rng, out);
    if (err != HF_OK) {
        hf_kex_done(out);
    }
    return err;
}

/* --- Shared secrets -----------------------------------------------------------------------------
 */

/* libcrypto refuses an all-zero result itself (RFC 7748 6.1), which is the one thing that a peer
 * can make fail here. */
static enum hf_err x25519_derive(struct hf_crypto *crypto, const struct hf_kex *kex,
                                 struct hf_bytes peer, uint8_t *out)
{
    HF_TRY(ready_x25519(crypto));
    EVP_PKEY *public_key = crypto->kex.x25519_peer;
    EVP_PKEY *key = x25519_import(&crypto->kex, kex->private_key, kex->public_key);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(crypto->lib, key, NULL) : NULL;
    enum hf_err err = HF_OK;
    size_t len = X25519_LEN;
    if (!ctx || EVP_PKEY_set1_encoded_public_key(public_key, peer.ptr, peer.len) != 1 ||
        EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, public_key, 0) != 1) {
        err = hf_fail_crypto("an X25519 secret can't be derived");
    } else if (EVP_PKEY_derive(ctx, out, &len) != 1) {
        ERR_clear_error();
        err = hf_fail(HF_E_INVALID, "the peer's X25519 share is a point of small order");
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return err;
}

static enum hf_err multiply(const struct hf_kex_curve *curve, BN_CTX *numbers, struct hf_bytes peer,
                            const struct group *group, const struct hf_kex *kex, uint8_t *out)
{
    if (EC_POINT_oct2point(curve->group, curve->point, peer.ptr, peer.len, numbers) != 1) {
        ERR_clear_error();
        return hf_fail(HF_E_INVALID, "the peer's share isn't a point of %s", group->name);
    }
    if (!BN_bin2bn(kex->private_key, group->private_len, curve->scalar) ||
        EC_POINT_mul(curve->group, curve->point, NULL, curve->point, curve->scalar, numbers) != 1 ||
        EC_POINT_get_affine_coordinates(curve->group, curve->point, curve->x, NULL, numbers) != 1 ||
        BN_bn2binpad(curve->x, out, group->private_len) != group->private_len) {
        return hf_fail_crypto("an elliptic curve secret can't be derived");
    }
    return HF_OK;
}

static enum hf_err curve_derive(struct hf_crypto *crypto, const struct group *group,
                                const struct hf_kex *kex, struct hf_bytes peer, uint8_t *out)
{
    struct hf_kex_curve *curve;
    HF_TRY(ready_curve(crypto, group, &curve));
    if (peer.ptr[0] != UNCOMPRESSED) {
        return hf_fail(HF_E_INVALID, "the peer's %s share isn't an uncompressed point",
                       group->name);
    }
    enum hf_err err = multiply(curve, crypto->kex.numbers, peer, group, kex, out);
    forget(curve);
    return err;
}

enum hf_err hf_kex_derive(struct hf_crypto *crypto, const struct hf_kex *kex, struct hf_bytes peer,
                          struct hf_secret *out_shared)
{
    const struct group *group = find_group(kex->group);
    hf_secret_done(out_shared);
    if (!group) {
        return hf_fail(HF_E_INVALID, "key exchange group %u isn't ours", kex->group);
    }
    if (peer.len != group->public_len) {
        return hf_fail(HF_E_INVALID, "the peer's %s share has %zu bytes and not %u", group->name,
                       peer.len, group->public_len);
    }
    HF_TRY(group->nid ? curve_derive(crypto, group, kex, peer, out_shared->byte)
                      : x25519_derive(crypto, kex, peer, out_shared->byte));
    out_shared->len = group->private_len;
    return HF_OK;
}
