// SPDX-License-Identifier: Apache-2.0
/*
 * Points whose private key anybody finds: small multiples of an EC generator, and Ed25519 points of
 * small order, for which a signature of zeros is good for many messages. That a point is on its
 * curve was checked when it was read.
 */
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "base/mem.h"
#include "ca/weak_impl.h"
#include "pki/ossl.h"

enum { SMALL_MULTIPLES = 16, ED25519_SIZE = 32, FIELD_MAX = 66 };

/* --- EC ---------------------------------------------------------------------------------------*/

/* The x coordinates of G, 2G, 3G ...; k and -k have the same. */
struct multiples {
    size_t field; /* bytes of one */
    uint8_t x[SMALL_MULTIPLES][FIELD_MAX];
};

static bool fill(EC_GROUP *group, struct multiples *out)
{
    const EC_POINT *generator = EC_GROUP_get0_generator(group);
    EC_POINT *point = EC_POINT_dup(generator, group);
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *x = BN_new();
    bool good = point && ctx && x;
    for (int k = 0; good && k < SMALL_MULTIPLES; k++) {
        good = EC_POINT_get_affine_coordinates(group, point, x, NULL, ctx) &&
               BN_bn2binpad(x, out->x[k], (int)out->field) > 0 &&
               EC_POINT_add(group, point, point, generator, ctx);
    }
    BN_free(x);
    BN_CTX_free(ctx);
    EC_POINT_free(point);
    return good;
}

/* Made at first use, per curve. Two threads may make the same; one copy stays. */
static struct multiples *multiples_of(enum hf_key_kind kind)
{
    static const struct {
        int nid;
        size_t field;
    } curves[] = {
        [HF_KEY_KIND_P256] = {NID_X9_62_prime256v1, 32},
        [HF_KEY_KIND_P384] = {NID_secp384r1, 48},
        [HF_KEY_KIND_P521] = {NID_secp521r1, 66},
    };
    static struct multiples *made[HF_N_ELEMENTS(curves)];
    struct multiples *have = __atomic_load_n(&made[kind], __ATOMIC_ACQUIRE);
    if (have) {
        return have;
    }
    EC_GROUP *group = EC_GROUP_new_by_curve_name(curves[kind].nid);
    struct multiples *mine = HF_NEW(struct multiples);
    if (mine) {
        mine->field = curves[kind].field;
    }
    bool good = group && mine && fill(group, mine);
    EC_GROUP_free(group);
    if (good && __atomic_compare_exchange_n(&made[kind], &have, mine, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE)) {
        return mine;
    }
    hf_free(mine);
    return good ? have : NULL;
}

enum hf_err hf_weak_ec(const struct hf_public_key *key)
{
    const struct multiples *multiples = multiples_of(key->kind);
    if (!multiples) {
        return hf_fail_ossl(HF_E_CRYPTO, "an EC key can't be checked");
    }
    for (size_t k = 0; k < SMALL_MULTIPLES; k++) {
        if (memcmp(multiples->x[k], key->point.ptr + 1, multiples->field) == 0) {
            return hf_fail(HF_E_INVALID,
                           "the EC key is a small multiple of the generator: its "
                           "private key is %zu, or minus that; make a new one",
                           k + 1);
        }
    }
    return HF_OK;
}

/* --- Ed25519 ------------------------------------------------------------------------------------
 *
 * y of the points of order 1, 2, 4 and 8, little-endian. The top bit is the sign of x. */

static const uint8_t small_order[][ED25519_SIZE] = {
    {0x00},
    {0x01},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* RFC 8032 5.1.3: y is less than p = 2^255 - 19. */
static bool is_canonical(const uint8_t y[static ED25519_SIZE])
{
    if (y[ED25519_SIZE - 1] != 0x7f || y[0] < 0xed) {
        return true;
    }
    for (size_t i = 1; i < ED25519_SIZE - 1; i++) {
        if (y[i] != 0xff) {
            return true;
        }
    }
    return false;
}

enum hf_err hf_weak_ed25519(const struct hf_public_key *key)
{
    uint8_t y[ED25519_SIZE];
    memcpy(y, key->point.ptr, sizeof(y));
    y[ED25519_SIZE - 1] &= 0x7f;
    if (!is_canonical(y)) {
        return hf_fail(HF_E_INVALID, "the Ed25519 key is not in its one encoding (RFC 8032 5.1.3)");
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(small_order); i++) {
        if (memcmp(small_order[i], y, sizeof(y)) == 0) {
            return hf_fail(HF_E_INVALID,
                           "the Ed25519 key is a point of small order: anybody can sign "
                           "for it; make a new one");
        }
    }
    return HF_OK;
}
