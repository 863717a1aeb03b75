// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign.h"

/*
 * A struct hf_sign_key has two counts. Owners are the contexts that use it; when the last lets go
 * the key is retired. Holders are the owners together, and each thread's slot that has prepared it;
 * when the last lets go its memory goes. A thread sweeps retired keys, with the copies that it made
 * of them, whenever it prepares another one. So no lock, and no thread reaches into another's
 * slots.
 */

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/prepared.h"

struct hf_sign_key {
    atomic_uint owners;
    atomic_uint holders;
    atomic_bool retired;
    uint32_t schemes; /* that fit: bits of hf_scheme_bit */
    EVP_PKEY *key;
};

enum hf_err hf_sign_key_new(EVP_PKEY *key, struct hf_sign_key **out)
{
    *out = NULL;
    uint32_t fitting = hf_schemes_fitting(key);
    if (!fitting) {
        return hf_fail(HF_E_UNSUPPORTED, "no signature scheme of TLS 1.3 fits a key of type %s",
                       EVP_PKEY_get0_type_name(key));
    }
    struct hf_sign_key *made = HF_NEW(struct hf_sign_key);
    if (!made) {
        return HF_E_NOMEM;
    }
    if (!EVP_PKEY_up_ref(key)) {
        hf_free(made);
        return hf_fail_crypto("a private key can't be shared");
    }
    made->key = key;
    made->schemes = fitting;
    atomic_init(&made->owners, 1);
    atomic_init(&made->holders, 1);
    *out = made;
    return HF_OK;
}

struct hf_sign_key *hf_sign_key_ref(struct hf_sign_key *key)
{
    atomic_fetch_add_explicit(&key->owners, 1, memory_order_relaxed);
    return key;
}

static void release(struct hf_sign_key *key)
{
    if (atomic_fetch_sub_explicit(&key->holders, 1, memory_order_acq_rel) == 1) {
        EVP_PKEY_free(key->key);
        hf_free(key);
    }
}

void hf_sign_key_unref(struct hf_sign_key *key)
{
    if (key && atomic_fetch_sub_explicit(&key->owners, 1, memory_order_acq_rel) == 1) {
        atomic_store_explicit(&key->retired, true, memory_order_release);
        release(key);
    }
}

bool hf_sign_key_fits(const struct hf_sign_key *key, uint16_t scheme)
{
    const struct hf_scheme *row = hf_scheme_find(scheme);
    return row && (key->schemes & hf_scheme_bit(row));
}

/* --- Slots --------------------------------------------------------------------------------------
 */

static void empty_slot(struct hf_sign_slot *slot)
{
    if (slot->key) {
        hf_prepared_done(&slot->prepared);
        release(slot->key);
        *slot = (struct hf_sign_slot){0};
    }
}

void hf_sign_tools_done(struct hf_crypto *crypto)
{
    for (size_t i = 0; i < HF_SIGN_SLOTS; i++) {
        empty_slot(&crypto->sign[i]);
    }
}

static struct hf_sign_slot *find_slot(struct hf_crypto *crypto, const struct hf_sign_key *key,
                                      uint16_t scheme)
{
    for (size_t i = 0; i < HF_SIGN_SLOTS; i++) {
        struct hf_sign_slot *slot = &crypto->sign[i];
        if (slot->key == key && slot->scheme == scheme) {
            return slot;
        }
    }
    return NULL;
}

/* Empties the slots of retired keys, and gives a free slot or the one least recently used. */
static struct hf_sign_slot *make_room(struct hf_crypto *crypto)
{
    struct hf_sign_slot *oldest = &crypto->sign[0];
    for (size_t i = 0; i < HF_SIGN_SLOTS; i++) {
        struct hf_sign_slot *slot = &crypto->sign[i];
        if (slot->key && atomic_load_explicit(&slot->key->retired, memory_order_acquire)) {
            empty_slot(slot);
        }
        if (slot->used_at < oldest->used_at) {
            oldest = slot;
        }
    }
    empty_slot(oldest);
    return oldest;
}

static enum hf_err fill_slot(struct hf_crypto *crypto, struct hf_sign_key *key,
                             const struct hf_scheme *scheme, struct hf_sign_slot **out)
{
    struct hf_sign_slot *slot = make_room(crypto);
    HF_TRY(hf_prepared_make(crypto, key->key, scheme, HF_PREPARED_SIGN, &slot->prepared));
    atomic_fetch_add_explicit(&key->holders, 1, memory_order_relaxed);
    slot->key = key;
    slot->scheme = scheme->number;
    *out = slot;
    return HF_OK;
}

/* --- Signing ------------------------------------------------------------------------------------
 */

static bool sign_digest(const struct hf_prepared *prepared, enum hf_hash_alg hash,
                        struct hf_bytes message, uint8_t *sig, size_t *len)
{
    uint8_t digest[HF_HASH_MAX];
    hf_hash_once(hash, message, digest);
    return EVP_PKEY_sign(prepared->ctx, sig, len, digest, hf_hash_size(hash)) == 1;
}

/* Initialising again without a key makes the context fit for one more message. */
static bool sign_whole(const struct hf_prepared *prepared, struct hf_bytes message, uint8_t *sig,
                       size_t *len)
{
    return EVP_DigestSignInit_ex(prepared->whole, NULL, NULL, NULL, NULL, NULL, NULL) == 1 &&
           EVP_DigestSign(prepared->whole, sig, len, message.ptr, message.len) == 1;
}

enum hf_err hf_sign(struct hf_crypto *crypto, struct hf_sign_key *key, uint16_t scheme,
                    struct hf_bytes message, struct hf_span sig, size_t *out_len)
{
    const struct hf_scheme *row = hf_scheme_find(scheme);
    if (!row || !(key->schemes & hf_scheme_bit(row))) {
        return hf_fail(HF_E_UNSUPPORTED, "the key can't sign by scheme %04x", scheme);
    }
    struct hf_sign_slot *slot = find_slot(crypto, key, scheme);
    if (!slot) {
        HF_TRY(fill_slot(crypto, key, row, &slot));
    }
    slot->used_at = ++crypto->n_signed;
    size_t len = sig.len;
    bool ok = row->key == HF_KEY_ED25519
                  ? sign_whole(&slot->prepared, message, sig.ptr, &len)
                  : sign_digest(&slot->prepared, row->hash, message, sig.ptr, &len);
    if (!ok) {
        empty_slot(slot);
        return hf_fail_crypto("a signature can't be made");
    }
    *out_len = len;
    return HF_OK;
}
