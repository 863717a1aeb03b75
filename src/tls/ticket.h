// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_TICKET_H
#define HF_TLS_TICKET_H

/*
 * What a session ticket of ours carries besides the engine's own secrets, so that whoever comes
 * back with it can be judged again as if newly come: the realm under which it was given, when it
 * ends, and the client's chain. Sealed by the engine; the client can't read or change it.
 */

#include "base/buf.h"
#include "pki/cert.h"

#define HF_TICKET_REALM_SIZE 32
#define HF_TICKET_CHAIN_MAX  (8u << 10) /* DER bytes; clients with more get no ticket */

struct hf_ticket {
    uint8_t realm[HF_TICKET_REALM_SIZE];
    int64_t expires_at; /* Unix seconds; renewing a ticket doesn't move it */
    size_t n_ders;
    struct hf_bytes ders[HF_CHAIN_MAX]; /* borrowed, leaf first; none: no certificate */
};

/* hf_ticket_encode appends the ticket. Errors: HF_E_TOO_LARGE beyond HF_TICKET_CHAIN_MAX. */
enum hf_err hf_ticket_encode(const struct hf_ticket *ticket, struct hf_buf *out) HF_MUST_CHECK;

/* hf_ticket_decode views bytes. Errors: HF_E_TRUNCATED, HF_E_MALFORMED, HF_E_UNSUPPORTED (written
 * by another version): the ticket is then ignored. */
enum hf_err hf_ticket_decode(struct hf_bytes bytes, struct hf_ticket *out) HF_MUST_CHECK;

/* hf_ticket_end is when a ticket given now to the holder of chain (may be NULL) must end: after
 * lifetime_s, and not after any of its certificates. */
int64_t hf_ticket_end(int64_t now_s, int64_t lifetime_s, const struct hf_chain *chain);

#endif
