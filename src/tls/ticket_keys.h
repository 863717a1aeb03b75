// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_TICKET_KEYS_H
#define HF_TLS_TICKET_KEYS_H

/*
 * Ticket keys as they are drawn, replaced in turn, and written to the file that nodes share:
 *
 *     # comment
 *     <name: 32 hex digits> <secret: 64 hex digits>
 *
 * One line a key, one to HF_TLS_TICKET_KEYS of them; the first seals, all open.
 */

#include "tls/tls.h"

#define HF_TICKET_KEYS_FILE_MAX 4096

/* hf_ticket_keys_draw puts one new key first; the last goes when there are too many. */
enum hf_err hf_ticket_keys_draw(struct hf_tls_ticket_keys *keys,
                                const struct hf_rng *rng) HF_MUST_CHECK;

/* hf_ticket_keys_encode appends the text. What it is put into holds secrets: wipe it. */
enum hf_err hf_ticket_keys_encode(const struct hf_tls_ticket_keys *keys,
                                  struct hf_buf *out) HF_MUST_CHECK;

/* hf_ticket_keys_decode. Errors: HF_E_MALFORMED in words, with the line; *out is then empty. */
enum hf_err hf_ticket_keys_decode(struct hf_bytes text,
                                  struct hf_tls_ticket_keys *out) HF_MUST_CHECK;

void hf_ticket_keys_wipe(struct hf_tls_ticket_keys *keys);

#endif
