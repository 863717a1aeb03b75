// SPDX-License-Identifier: Apache-2.0
#include "tls/native/ticket_seal.h"

/*
 * Each ticket has its own AES-256-GCM key and nonce, expanded from the ticket key and 32 random
 * bytes. AES-GCM under one key with random nonces would be spent after 2^32 tickets (SP 800-38D
 * 8.3), which a farm of servers that share a key file can reach; this way there is no such number.
 */

#include <string.h>

#include "crypto/aead.h"
#include "crypto/hkdf.h"

enum { KEY_LEN = 32, SECRET_MIN = 32, PREFIX_LEN = HF_TICKET_NAME_LEN + HF_TICKET_SALT_LEN };

static const char info_text[] = "handfast ticket v1";

struct ticket_key {
    uint8_t key[KEY_LEN];
    uint8_t nonce[HF_AEAD_NONCE_LEN];
};

_Static_assert(sizeof(struct ticket_key) == KEY_LEN + HF_AEAD_NONCE_LEN, "no padding");
_Static_assert(PREFIX_LEN + HF_AEAD_TAG_LEN == HF_TICKET_OVERHEAD, "the layout adds up");

static enum hf_err add_key(struct hf_ticket_seal *seal, const struct hf_tls_ticket_key *key)
{
    if (key->secret.len < SECRET_MIN) {
        return hf_fail(HF_E_INVALID, "a ticket key has %zu bytes, at least %d are needed",
                       key->secret.len, SECRET_MIN);
    }
    for (size_t i = 0; i < seal->n_keys; i++) {
        if (memcmp(seal->key[i].name, key->name, HF_TICKET_NAME_LEN) == 0) {
            return hf_fail(HF_E_INVALID, "two ticket keys have the same name");
        }
    }
    struct hf_secret prk;
    hf_hkdf_extract(HF_HASH_SHA256, hf_bytes_of(NULL, 0), hf_secret_bytes(&key->secret), &prk);
    memcpy(seal->key[seal->n_keys].name, key->name, HF_TICKET_NAME_LEN);
    hf_hmac_init(&seal->key[seal->n_keys].prk, HF_HASH_SHA256, hf_secret_bytes(&prk));
    seal->n_keys++;
    hf_secret_done(&prk);
    return HF_OK;
}

enum hf_err hf_ticket_seal_init(struct hf_ticket_seal *seal, const struct hf_tls_ticket_keys *keys)
{
    *seal = (struct hf_ticket_seal){.n_keys = 0};
    if (keys->n_keys > HF_TLS_TICKET_KEYS) {
        return hf_fail(HF_E_INVALID, "%zu ticket keys were given, at most %d are held",
                       keys->n_keys, HF_TLS_TICKET_KEYS);
    }
    for (size_t i = 0; i < keys->n_keys; i++) {
        enum hf_err err = add_key(seal, &keys->key[i]);
        if (err != HF_OK) {
            hf_ticket_seal_done(seal);
            return err;
        }
    }
    return HF_OK;
}

void hf_ticket_seal_done(struct hf_ticket_seal *seal)
{
    hf_wipe(seal, sizeof(*seal));
}

static enum hf_err expand_key(const struct hf_hmac *prk, const uint8_t *salt,
                              struct ticket_key *out)
{
    uint8_t info[sizeof(info_text) + HF_TICKET_SALT_LEN];
    memcpy(info, info_text, sizeof(info_text));
    memcpy(info + sizeof(info_text), salt, HF_TICKET_SALT_LEN);
    return hf_hkdf_expand(prk, hf_bytes_of(info, sizeof(info)), hf_span_of(out, sizeof(*out)));
}

static enum hf_err start(struct hf_aead *aead, struct hf_crypto *crypto, enum hf_aead_dir dir,
                         const struct ticket_key *key)
{
    return hf_aead_init(aead, crypto, HF_AEAD_AES_256_GCM, dir, hf_bytes_of(key->key, KEY_LEN));
}

/* Writes a whole ticket at `at`. */
static enum hf_err write_ticket(const struct hf_ticket_seal *seal, struct hf_crypto *crypto,
                                const struct hf_rng *rng, struct hf_bytes plain, uint8_t *at)
{
    uint8_t *salt = at + HF_TICKET_NAME_LEN;
    memcpy(at, seal->key[0].name, HF_TICKET_NAME_LEN);
    HF_TRY(hf_rng_fill(rng, hf_span_of(salt, HF_TICKET_SALT_LEN)));
    struct ticket_key key;
    struct hf_aead aead;
    enum hf_err err = expand_key(&seal->key[0].prk, salt, &key);
    if (err == HF_OK) {
        err = start(&aead, crypto, HF_AEAD_SEAL, &key);
    }
    if (err == HF_OK) {
        err = hf_aead_seal(&aead, key.nonce, hf_bytes_of(at, PREFIX_LEN), plain,
                           hf_bytes_of(NULL, 0), at + PREFIX_LEN);
        hf_aead_done(&aead);
    }
    hf_wipe(&key, sizeof(key));
    return err;
}

enum hf_err hf_ticket_seal_make(const struct hf_ticket_seal *seal, struct hf_crypto *crypto,
                                const struct hf_rng *rng, struct hf_bytes plain, struct hf_buf *out)
{
    if (seal->n_keys == 0) {
        return hf_fail(HF_E_INVALID, "there is no ticket key to seal with");
    }
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, plain.len + HF_TICKET_OVERHEAD, &room));
    HF_TRY(write_ticket(seal, crypto, rng, plain, room.ptr));
    hf_buf_commit(out, room.len);
    return HF_OK;
}

static enum hf_err find_key(const struct hf_ticket_seal *seal, const uint8_t *name, size_t *out)
{
    for (size_t i = 0; i < seal->n_keys; i++) {
        if (memcmp(seal->key[i].name, name, HF_TICKET_NAME_LEN) == 0) {
            *out = i;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_NOT_FOUND, "no ticket key has the ticket's name");
}

/* Decrypts the sealed part in place. */
static enum hf_err open_sealed(const struct hf_hmac *prk, struct hf_crypto *crypto,
                               const uint8_t *prefix, struct hf_span sealed)
{
    struct ticket_key key;
    struct hf_aead aead;
    enum hf_err err = expand_key(prk, prefix + HF_TICKET_NAME_LEN, &key);
    if (err == HF_OK) {
        err = start(&aead, crypto, HF_AEAD_OPEN, &key);
    }
    if (err == HF_OK) {
        err = hf_aead_open(&aead, key.nonce, hf_bytes_of(prefix, PREFIX_LEN), sealed);
        hf_aead_done(&aead);
    }
    hf_wipe(&key, sizeof(key));
    return err;
}

enum hf_err hf_ticket_seal_open(const struct hf_ticket_seal *seal, struct hf_crypto *crypto,
                                struct hf_bytes ticket, struct hf_buf *out, bool *out_old_key)
{
    if (ticket.len < HF_TICKET_OVERHEAD) {
        return hf_fail(HF_E_TRUNCATED, "a ticket has at least %d bytes, this one %zu",
                       HF_TICKET_OVERHEAD, ticket.len);
    }
    size_t i;
    HF_TRY(find_key(seal, ticket.ptr, &i));
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, ticket.len - PREFIX_LEN, &room));
    memcpy(room.ptr, ticket.ptr + PREFIX_LEN, room.len);
    HF_TRY(open_sealed(&seal->key[i].prk, crypto, ticket.ptr, room));
    hf_buf_commit(out, room.len - HF_AEAD_TAG_LEN);
    *out_old_key = i != 0;
    return HF_OK;
}
