// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_TICKET_SEAL_H
#define HF_TLS_NATIVE_TICKET_SEAL_H

/*
 * Stateless tickets: what a ticket holds, encrypted and authenticated under keys that nodes may
 * share. The first key seals, all open.
 *
 *      name (16) | salt (32) | AES-256-GCM of the contents | tag (16)
 *
 * Key and nonce are HKDF-SHA256 of the ticket key with the salt, so that no two tickets share them;
 * name and salt are authenticated. Knows nothing of the contents. Immutable once made; any thread.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "crypto/hmac.h"
#include "tls/tls.h"

#define HF_TICKET_NAME_LEN 16
#define HF_TICKET_SALT_LEN 32
#define HF_TICKET_OVERHEAD (HF_TICKET_NAME_LEN + HF_TICKET_SALT_LEN + 16)

struct hf_ticket_seal {
    struct {
        uint8_t name[HF_TICKET_NAME_LEN];
        struct hf_hmac prk;
    } key[HF_TLS_TICKET_KEYS];
    size_t n_keys;
};

/* hf_ticket_seal_init. Errors: HF_E_INVALID for a key of less than 32 bytes, two keys of one name,
 * or more keys than HF_TLS_TICKET_KEYS. None at all is fine: nothing seals, nothing opens. */
enum hf_err hf_ticket_seal_init(struct hf_ticket_seal *seal,
                                const struct hf_tls_ticket_keys *keys) HF_MUST_CHECK;
void hf_ticket_seal_done(struct hf_ticket_seal *seal);

/* hf_ticket_seal_make appends a ticket: plain.len + HF_TICKET_OVERHEAD bytes. Errors: HF_E_INVALID
 * without keys, HF_E_CRYPTO, those of hf_buf. */
enum hf_err hf_ticket_seal_make(const struct hf_ticket_seal *seal, struct hf_crypto *crypto,
                                const struct hf_rng *rng, struct hf_bytes plain,
                                struct hf_buf *out) HF_MUST_CHECK;

/*
 * hf_ticket_seal_open appends the contents to out and tells whether the key was one that no longer
 * seals (so that a new ticket is due). Errors: HF_E_NOT_FOUND (no key of that name),
 * HF_E_TRUNCATED, HF_E_MISMATCH (forged): each means a full handshake, not an alert. HF_E_CRYPTO,
 * those of hf_buf.
 */
enum hf_err hf_ticket_seal_open(const struct hf_ticket_seal *seal, struct hf_crypto *crypto,
                                struct hf_bytes ticket, struct hf_buf *out,
                                bool *out_old_key) HF_MUST_CHECK;

#endif
