// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

/*
 * The one file that uses libcrypto's low-level SHA-2. These calls are marked deprecated since 3.0,
 * which is a recommendation of EVP, not a notice of removal; what they give and EVP can't is a
 * running hash that is plain memory: cloned by assignment, no allocation, no reference count, no
 * lock. A handshake takes some seventy compressions and five forks of the transcript.
 *
 * Measured on one AVX-512 machine with SHA extensions, ns per operation, libcrypto 3.0:
 *
 *                                  16 bytes   128 bytes   fork and digest
 *      low-level SHA-256                 54         120                50
 *      EVP, fetched once, reused        115         186               163
 *      IPsec-MB, one shot               341         954                 -  (and can't run on)
 *
 * Both libcrypto's doors end in the same assembly. Should a libcrypto come without these calls
 * (built no-deprecated), the build stops at this file and says so.
 */

#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED

#include <assert.h>
#include <openssl/sha.h>

#include "base/secret.h"

#ifdef OPENSSL_NO_DEPRECATED_3_0
#error "this libcrypto was built without SHA256_Init and its kin, which crypto/hash.c needs"
#endif

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct hf_hash *)0)->state), "SHA256_CTX fits");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct hf_hash *)0)->state), "SHA512_CTX fits");
_Static_assert(_Alignof(SHA512_CTX) <= _Alignof(uint64_t), "SHA512_CTX is aligned");

static SHA256_CTX *sha256(struct hf_hash *hash)
{
    return (SHA256_CTX *)(void *)hash->state;
}

static SHA512_CTX *sha512(struct hf_hash *hash)
{
    return (SHA512_CTX *)(void *)hash->state;
}

static const struct {
    const char *name;
    uint8_t size;
    uint8_t block;
} algs[] = {
    [HF_HASH_SHA256] = {"SHA256", SHA256_DIGEST_LENGTH, SHA256_CBLOCK},
    [HF_HASH_SHA384] = {"SHA384", SHA384_DIGEST_LENGTH, SHA512_CBLOCK},
    [HF_HASH_SHA512] = {"SHA512", SHA512_DIGEST_LENGTH, SHA512_CBLOCK},
};

size_t hf_hash_size(enum hf_hash_alg alg)
{
    return algs[alg].size;
}

size_t hf_hash_block(enum hf_hash_alg alg)
{
    return algs[alg].block;
}

const char *hf_hash_name(enum hf_hash_alg alg)
{
    return algs[alg].name;
}

/* The low-level calls return 1 always; were that to change, going on would be worse than to stop.
 */
static void must(int ok)
{
    assert(ok == 1);
    (void)ok;
}

void hf_hash_init(struct hf_hash *hash, enum hf_hash_alg alg)
{
    hash->alg = alg;
    switch (alg) {
    case HF_HASH_SHA256:
        must(SHA256_Init(sha256(hash)));
        return;
    case HF_HASH_SHA384:
        must(SHA384_Init(sha512(hash)));
        return;
    case HF_HASH_SHA512:
        must(SHA512_Init(sha512(hash)));
        return;
    }
}

void hf_hash_update(struct hf_hash *hash, struct hf_bytes bytes)
{
    if (bytes.len == 0) {
        return;
    }
    if (hash->alg == HF_HASH_SHA256) {
        must(SHA256_Update(sha256(hash), bytes.ptr, bytes.len));
    } else {
        must(SHA512_Update(sha512(hash), bytes.ptr, bytes.len));
    }
}

void hf_hash_final(struct hf_hash *hash, uint8_t *out)
{
    if (hash->alg == HF_HASH_SHA256) {
        must(SHA256_Final(out, sha256(hash)));
    } else {
        must(SHA512_Final(out, sha512(hash)));
    }
    hf_hash_done(hash);
}

void hf_hash_peek(const struct hf_hash *hash, uint8_t *out)
{
    struct hf_hash fork = *hash;
    hf_hash_final(&fork, out);
}

void hf_hash_done(struct hf_hash *hash)
{
    hf_wipe(hash, sizeof(*hash));
}

void hf_hash_once(enum hf_hash_alg alg, struct hf_bytes bytes, uint8_t *out)
{
    struct hf_hash hash;
    hf_hash_init(&hash, alg);
    hf_hash_update(&hash, bytes);
    hf_hash_final(&hash, out);
}
