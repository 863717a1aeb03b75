// SPDX-License-Identifier: Apache-2.0
#include "crypto/verify.h"

/*
 * A thread keeps contexts for the public keys that it met last, found by the key's number and
 * scheme. Numbers are never used twice, so a slot needs no reference to its key. When an ECDSA key
 * takes the slot of another of the same curve, only the point is exchanged: 1.9 us instead of 19
 * (libcrypto makes the group anew for each key), beside a verification of 46.
 */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/prepared.h"

enum { POINT_MAX = 133 };

struct hf_verify_key {
    atomic_uint refs;
    uint64_t id;
    enum hf_key_type type;
    uint32_t schemes;
    EVP_PKEY *key;
    size_t point_len; /* EC only; 0 otherwise */
    uint8_t point[POINT_MAX];
};

static atomic_uint_fast64_t last_id;

static bool is_ec(enum hf_key_type type)
{
    return type == HF_KEY_P256 || type == HF_KEY_P384 || type == HF_KEY_P521;
}

enum hf_err hf_verify_key_new(EVP_PKEY *key, struct hf_verify_key **out)
{
    *out = NULL;
    uint32_t fitting = hf_schemes_fitting(key);
    if (!fitting) {
        return hf_fail(HF_E_UNSUPPORTED, "no signature scheme of TLS 1.3 fits a key of type %s",
                       EVP_PKEY_get0_type_name(key));
    }
    struct hf_verify_key *made = HF_NEW(struct hf_verify_key);
    if (!made) {
        return HF_E_NOMEM;
    }
    atomic_init(&made->refs, 1);
    made->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    made->type = hf_key_type_of(key);
    made->schemes = fitting;
    bool ok = !is_ec(made->type) ||
              EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, made->point,
                                              sizeof(made->point), &made->point_len) == 1;
    if (!ok || !EVP_PKEY_up_ref(key)) {
        hf_free(made);
        return hf_fail_crypto("a public key can't be taken over");
    }
    made->key = key;
    *out = made;
    return HF_OK;
}

struct hf_verify_key *hf_verify_key_ref(struct hf_verify_key *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void hf_verify_key_unref(struct hf_verify_key *key)
{
    if (key && atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) == 1) {
        EVP_PKEY_free(key->key);
        hf_free(key);
    }
}

enum hf_key_type hf_verify_key_type(const struct hf_verify_key *key)
{
    return key->type;
}

bool hf_verify_key_fits(const struct hf_verify_key *key, uint16_t scheme)
{
    const struct hf_scheme *row = hf_scheme_find(scheme);
    return row && (key->schemes & hf_scheme_bit(row));
}

/* --- Slots --------------------------------------------------------------------------------------
 */

static void empty_slot(struct hf_verify_slot *slot)
{
    hf_prepared_done(&slot->prepared);
    *slot = (struct hf_verify_slot){0};
}

void hf_verify_tools_done(struct hf_crypto *crypto)
{
    for (size_t i = 0; i < HF_VERIFY_SLOTS; i++) {
        empty_slot(&crypto->verify[i]);
    }
}

static enum hf_err fill_slot(struct hf_crypto *crypto, struct hf_verify_slot *slot,
                             const struct hf_verify_key *key, const struct hf_scheme *scheme)
{
    enum hf_err err;
    if (slot->scheme == scheme->number && slot->prepared.ctx && is_ec(key->type)) {
        err = hf_prepared_repoint(&slot->prepared, scheme, hf_bytes_of(key->point, key->point_len));
    } else {
        empty_slot(slot);
        err = hf_prepared_make(crypto, key->key, scheme, HF_PREPARED_VERIFY, &slot->prepared);
    }
    if (err != HF_OK) {
        empty_slot(slot);
        return err;
    }
    slot->key_id = key->id;
    slot->scheme = scheme->number;
    return HF_OK;
}

static enum hf_err ready_slot(struct hf_crypto *crypto, const struct hf_verify_key *key,
                              const struct hf_scheme *scheme, struct hf_verify_slot **out)
{
    struct hf_verify_slot *slot = &crypto->verify[key->id & (HF_VERIFY_SLOTS - 1)];
    if (slot->key_id != key->id || slot->scheme != scheme->number) {
        HF_TRY(fill_slot(crypto, slot, key, scheme));
    }
    *out = slot;
    return HF_OK;
}

/* --- Verifying ----------------------------------------------------------------------------------
 */

static bool verify_digest(const struct hf_prepared *prepared, enum hf_hash_alg hash,
                          struct hf_bytes message, struct hf_bytes signature)
{
    uint8_t digest[HF_HASH_MAX];
    hf_hash_once(hash, message, digest);
    return EVP_PKEY_verify(prepared->ctx, signature.ptr, signature.len, digest,
                           hf_hash_size(hash)) == 1;
}

static bool verify_whole(const struct hf_prepared *prepared, struct hf_bytes message,
                         struct hf_bytes signature)
{
    return EVP_DigestVerifyInit_ex(prepared->whole, NULL, NULL, NULL, NULL, NULL, NULL) == 1 &&
           EVP_DigestVerify(prepared->whole, signature.ptr, signature.len, message.ptr,
                            message.len) == 1;
}

/* libcrypto says the same of a wrong signature and of a failure of its own: both refuse the peer.
 */
enum hf_err hf_verify(struct hf_crypto *crypto, const struct hf_verify_key *key, uint16_t scheme,
                      struct hf_bytes message, struct hf_bytes signature)
{
    const struct hf_scheme *row = hf_scheme_find(scheme);
    if (!row || !(key->schemes & hf_scheme_bit(row))) {
        return hf_fail(HF_E_UNSUPPORTED, "the key doesn't fit signature scheme %04x", scheme);
    }
    struct hf_verify_slot *slot;
    HF_TRY(ready_slot(crypto, key, row, &slot));
    bool ok = row->key == HF_KEY_ED25519
                  ? verify_whole(&slot->prepared, message, signature)
                  : verify_digest(&slot->prepared, row->hash, message, signature);
    if (!ok) {
        ERR_clear_error();
        return hf_fail(HF_E_MISMATCH, "the signature (%s) is wrong", row->name);
    }
    return HF_OK;
}
