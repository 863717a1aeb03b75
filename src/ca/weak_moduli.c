// SPDX-License-Identifier: Apache-2.0
/*
 * Batch gcd (Heninger and others, "Mining your Ps and Qs", 2012), for moduli that come one by one:
 * the known ones are kept in chunks, each with its product. A new modulus n is held against the
 * product of all, reduced modulo n chunk by chunk; one gcd at the end tells whether it shares a
 * prime with any. Only then the chunks are looked into.
 *
 *      per chunk: product mod n (about 0.5 us per modulus of 2048 bits)
 *      once:      gcd(product of the rests, n)
 *
 * n itself may be among them, as when a certificate is renewed with its key: it's divided out
 * first.
 */
#include <openssl/bn.h>

#include "base/map.h"
#include "base/mem.h"
#include "ca/weak_impl.h"
#include "pki/ossl.h"

enum { CHUNK = 256 };

struct one {
    BIGNUM *n;
    int64_t id;
};

struct chunk {
    BIGNUM *product;
    struct one one[CHUNK];
    size_t n;
};

struct hf_moduli {
    struct chunk **chunk;
    size_t n_chunks, size;
    struct hf_map seen; /* by modulus */
    size_t n;
};

enum hf_err hf_moduli_new(struct hf_moduli **out)
{
    *out = HF_NEW(struct hf_moduli);
    return *out ? HF_OK : HF_E_NOMEM;
}

void hf_moduli_free(struct hf_moduli *moduli)
{
    if (!moduli) {
        return;
    }
    for (size_t i = 0; i < moduli->n_chunks; i++) {
        struct chunk *chunk = moduli->chunk[i];
        for (size_t j = 0; j < chunk->n; j++) {
            BN_free(chunk->one[j].n);
        }
        BN_free(chunk->product);
        hf_free(chunk);
    }
    hf_free(moduli->chunk);
    hf_map_done(&moduli->seen);
    hf_free(moduli);
}

size_t hf_moduli_count(const struct hf_moduli *moduli)
{
    return moduli->n;
}

/* --- Adding -----------------------------------------------------------------------------------*/

/* The chunk with room. */
static enum hf_err last_chunk(struct hf_moduli *moduli, struct chunk **out)
{
    if (moduli->n_chunks && moduli->chunk[moduli->n_chunks - 1]->n < CHUNK) {
        *out = moduli->chunk[moduli->n_chunks - 1];
        return HF_OK;
    }
    if (moduli->n_chunks == moduli->size) {
        size_t size = moduli->size ? 2 * moduli->size : 8;
        struct chunk **grown = hf_realloc(moduli->chunk, size * sizeof(struct chunk *));
        if (!grown) {
            return HF_E_NOMEM;
        }
        moduli->chunk = grown;
        moduli->size = size;
    }
    struct chunk *chunk = HF_NEW(struct chunk);
    if (!chunk) {
        return HF_E_NOMEM;
    }
    chunk->product = BN_new();
    if (!chunk->product || !BN_one(chunk->product)) {
        BN_free(chunk->product);
        hf_free(chunk);
        return hf_fail_ossl(HF_E_NOMEM, "a number");
    }
    moduli->chunk[moduli->n_chunks++] = chunk;
    *out = chunk;
    return HF_OK;
}

static bool multiply(BIGNUM *product, const BIGNUM *by)
{
    BN_CTX *ctx = BN_CTX_new();
    bool good = ctx && BN_mul(product, product, by, ctx);
    BN_CTX_free(ctx);
    return good;
}

enum hf_err hf_moduli_add(struct hf_moduli *moduli, struct hf_bytes modulus, int64_t id)
{
    struct chunk *chunk = NULL;
    if (hf_map_get(&moduli->seen, modulus)) {
        return HF_OK;
    }
    HF_TRY(last_chunk(moduli, &chunk));
    BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    if (!n || BN_is_zero(n)) {
        BN_free(n);
        return hf_fail_ossl(HF_E_NOMEM, "a number");
    }
    enum hf_err err = hf_map_put(&moduli->seen, modulus, moduli);
    if (err == HF_OK && !multiply(chunk->product, n)) {
        hf_map_remove(&moduli->seen, modulus);
        err = hf_fail_ossl(HF_E_NOMEM, "a number");
    }
    if (err != HF_OK) {
        BN_free(n);
        return err;
    }
    chunk->one[chunk->n++] = (struct one){n, id};
    moduli->n++;
    return HF_OK;
}

/* --- Checking ---------------------------------------------------------------------------------*/

struct check {
    BN_CTX *ctx;
    BIGNUM *n, *rest, *all, *quotient, *gcd;
};

/* c->rest = product of the chunk, without n itself, modulo n. */
static bool reduce(struct check *c, const struct chunk *chunk)
{
    return BN_div(c->quotient, c->rest, chunk->product, c->n, c->ctx) &&
           (!BN_is_zero(c->rest) || BN_mod(c->rest, c->quotient, c->n, c->ctx));
}

static bool reduce_all(struct check *c, const struct hf_moduli *moduli)
{
    bool good = BN_one(c->all);
    for (size_t i = 0; good && i < moduli->n_chunks; i++) {
        good = reduce(c, moduli->chunk[i]) && BN_mod_mul(c->all, c->all, c->rest, c->n, c->ctx);
    }
    return good && BN_gcd(c->gcd, c->all, c->n, c->ctx);
}

/* Which one it is; there is one. */
static bool find(struct check *c, const struct hf_moduli *moduli, int64_t *out_id)
{
    for (size_t i = 0; i < moduli->n_chunks; i++) {
        const struct chunk *chunk = moduli->chunk[i];
        for (size_t j = 0; j < chunk->n; j++) {
            if (BN_cmp(chunk->one[j].n, c->n) == 0) {
                continue;
            }
            if (!BN_gcd(c->gcd, chunk->one[j].n, c->n, c->ctx)) {
                return false;
            }
            if (!BN_is_one(c->gcd)) {
                *out_id = chunk->one[j].id;
                return true;
            }
        }
    }
    return true;
}

static bool run(struct check *c, const struct hf_moduli *moduli, struct hf_bytes modulus,
                bool *out_shared, int64_t *out_id)
{
    if (!c->gcd || !BN_bin2bn(modulus.ptr, (int)modulus.len, c->n) || !reduce_all(c, moduli)) {
        return false;
    }
    *out_shared = !BN_is_one(c->gcd);
    return !*out_shared || find(c, moduli, out_id);
}

enum hf_err hf_moduli_check(const struct hf_moduli *moduli, struct hf_bytes modulus,
                            bool *out_shared, int64_t *out_id)
{
    struct check c = {.ctx = BN_CTX_new()};
    bool good = false;
    *out_shared = false;
    *out_id = -1;
    if (moduli->n == 0) {
        BN_CTX_free(c.ctx);
        return HF_OK;
    }
    if (c.ctx) {
        BN_CTX_start(c.ctx);
        c.n = BN_CTX_get(c.ctx);
        c.rest = BN_CTX_get(c.ctx);
        c.all = BN_CTX_get(c.ctx);
        c.quotient = BN_CTX_get(c.ctx);
        c.gcd = BN_CTX_get(c.ctx);
        good = run(&c, moduli, modulus, out_shared, out_id);
        BN_CTX_end(c.ctx);
        BN_CTX_free(c.ctx);
    }
    return good ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "an RSA key can't be held against the others");
}
