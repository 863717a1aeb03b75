// SPDX-License-Identifier: Apache-2.0
/*
 * RSA moduli that can be factored, or exponents that make signatures easy to forge.
 *
 * libcrypto's check of a public key by SP 800-89 5.3.3 (odd, no small factor, neither prime nor a
 * prime's power) takes 2.6 ms for 2048 bits: by far the most of it all, and paid for RSA only.
 */
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "ca/weak_impl.h"
#include "pki/ossl.h"

enum { BITS_MIN = 2048, EXPONENT_BYTES_MAX = 32, FERMAT_ROUNDS = 100 };

/* --- ROCA ---------------------------------------------------------------------------------------
 *
 * Infineon's library made primes k*M + (65537^a mod M), M being the product of the first primes. So
 * modulo each of these the modulus is a power of 65537 (Nemec and others, CCS 2017). */

static const uint8_t roca_primes[] = {
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

static unsigned modulo(struct hf_bytes number, unsigned by)
{
    unsigned rest = 0;
    for (size_t i = 0; i < number.len; i++) {
        rest = (rest << 8 | number.ptr[i]) % by;
    }
    return rest;
}

static bool is_power_of_65537(unsigned rest, unsigned prime)
{
    unsigned power = 1;
    do {
        if (power == rest) {
            return true;
        }
        power = power * (65537 % prime) % prime;
    } while (power != 1);
    return false;
}

bool hf_has_roca_fingerprint(struct hf_bytes modulus)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(roca_primes); i++) {
        if (!is_power_of_65537(modulo(modulus, roca_primes[i]), roca_primes[i])) {
            return false;
        }
    }
    return true;
}

/* --- Close primes -------------------------------------------------------------------------------
 *
 * n = a^2 - b^2 with a near the root of n, if the primes are near each other (Fermat, 1643). */

/* The whole part of the root of n, by Newton. */
static bool root(BIGNUM *out, const BIGNUM *n, BIGNUM *next, BN_CTX *ctx)
{
    BN_zero(out);
    if (BN_is_zero(n)) {
        return true;
    }
    if (!BN_set_bit(out, (BN_num_bits(n) + 1) / 2)) {
        return false;
    }
    for (;;) {
        if (!BN_div(next, NULL, n, out, ctx) || !BN_add(next, next, out) ||
            !BN_rshift1(next, next)) {
            return false;
        }
        if (BN_cmp(next, out) >= 0) {
            return true;
        }
        if (!BN_copy(out, next)) {
            return false;
        }
    }
}

/* Squares are 0, 1, 4 or 9 modulo 16: three of four others are told apart by that. */
static bool may_be_square(const BIGNUM *n)
{
    unsigned low = (unsigned)BN_is_bit_set(n, 0) | (unsigned)BN_is_bit_set(n, 1) << 1 |
                   (unsigned)BN_is_bit_set(n, 2) << 2 | (unsigned)BN_is_bit_set(n, 3) << 3;
    return low == 0 || low == 1 || low == 4 || low == 9;
}

struct fermat {
    BN_CTX *ctx;
    BIGNUM *n, *a, *b2, *b, *t;
};

/* One round: is a^2 - n a square? 1 yes, 0 no, -1 failure. */
static int try_root(struct fermat *f)
{
    if (!BN_sqr(f->b2, f->a, f->ctx) || !BN_sub(f->b2, f->b2, f->n)) {
        return -1;
    }
    if (BN_is_negative(f->b2) || !may_be_square(f->b2)) {
        return 0;
    }
    if (!root(f->b, f->b2, f->t, f->ctx) || !BN_sqr(f->b, f->b, f->ctx)) {
        return -1;
    }
    return BN_cmp(f->b, f->b2) == 0;
}

static int search(struct fermat *f)
{
    if (!root(f->a, f->n, f->t, f->ctx)) {
        return -1;
    }
    for (int i = 0; i < FERMAT_ROUNDS; i++) {
        int found = try_root(f);
        if (found) {
            return found;
        }
        if (!BN_add_word(f->a, 1)) {
            return -1;
        }
    }
    return 0;
}

static enum hf_err check_close_primes(struct hf_bytes modulus)
{
    struct fermat f = {.ctx = BN_CTX_new()};
    int found = -1;
    if (f.ctx) {
        BN_CTX_start(f.ctx);
        f.a = BN_CTX_get(f.ctx);
        f.b = BN_CTX_get(f.ctx);
        f.b2 = BN_CTX_get(f.ctx);
        f.n = BN_CTX_get(f.ctx);
        f.t = BN_CTX_get(f.ctx);
        if (f.t && BN_bin2bn(modulus.ptr, (int)modulus.len, f.n)) {
            found = search(&f);
        }
        BN_CTX_end(f.ctx);
        BN_CTX_free(f.ctx);
    }
    if (found < 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "an RSA key can't be checked");
    }
    return found
               ? hf_fail(HF_E_INVALID, "the RSA key's two primes are so close that Fermat's method "
                                       "finds them; make a new key")
               : HF_OK;
}

/* --- The rest ---------------------------------------------------------------------------------*/

static enum hf_err check_exponent(struct hf_bytes e)
{
    bool small = e.len < 3 || (e.len == 3 && e.ptr[0] == 1 && !e.ptr[1] && !e.ptr[2]);
    if (small || !(e.ptr[e.len - 1] & 1) || e.len > EXPONENT_BYTES_MAX) {
        return hf_fail(HF_E_INVALID,
                       "the RSA exponent must be odd and between 65537 and 2^256 (FIPS "
                       "186-5 5.1); make the key with 65537");
    }
    return HF_OK;
}

static enum hf_err check_modulus(const struct hf_public_key *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->key, NULL);
    int good = ctx ? EVP_PKEY_public_check(ctx) : -1;
    EVP_PKEY_CTX_free(ctx);
    if (!ctx) {
        return hf_fail_ossl(HF_E_NOMEM, "an RSA key");
    }
    hf_ossl_forget();
    return good == 1
               ? HF_OK
               : hf_fail(HF_E_INVALID, "the RSA modulus is even, prime, a power, or has a small "
                                       "factor (SP 800-89 5.3.3); make a new key");
}

enum hf_err hf_weak_rsa(const struct hf_public_key *key)
{
    if (key->bits < BITS_MIN) {
        return hf_fail(HF_E_INVALID, "an RSA key of %u bits is too weak; take %d or more",
                       key->bits, BITS_MIN);
    }
    HF_TRY(check_exponent(key->exponent));
    if (hf_has_roca_fingerprint(key->modulus)) {
        return hf_fail(HF_E_INVALID,
                       "the RSA key has the fingerprint of ROCA (CVE-2017-15361): the "
                       "chip or library that made it makes keys that can be factored");
    }
    HF_TRY(check_close_primes(key->modulus));
    return check_modulus(key);
}
