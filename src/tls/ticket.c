// SPDX-License-Identifier: Apache-2.0
#include "tls/ticket.h"

#include <string.h>

/* The version byte changes with the layout, so that tickets sealed by an older or newer Handfast
 * under the same keys are ignored and not misread. */
enum { TICKET_VERSION = 1 };

enum hf_err hf_ticket_encode(const struct hf_ticket *ticket, struct hf_buf *out)
{
    size_t total = 0;
    for (size_t i = 0; i < ticket->n_ders; i++) {
        total += ticket->ders[i].len;
    }
    if (total > HF_TICKET_CHAIN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a chain of %zu bytes is too long for a ticket", total);
    }
    HF_TRY(hf_buf_u8(out, TICKET_VERSION));
    HF_TRY(hf_buf_append(out, hf_bytes_of(ticket->realm, sizeof(ticket->realm))));
    HF_TRY(hf_buf_u64(out, (uint64_t)ticket->expires_at));
    for (size_t i = 0; i < ticket->n_ders; i++) {
        HF_TRY(hf_buf_u24(out, (uint32_t)ticket->ders[i].len));
        HF_TRY(hf_buf_append(out, ticket->ders[i]));
    }
    return HF_OK;
}

enum hf_err hf_ticket_decode(struct hf_bytes bytes, struct hf_ticket *out)
{
    *out = (struct hf_ticket){0};
    struct hf_reader reader = hf_reader_of(bytes);
    uint8_t version;
    HF_TRY(hf_read_u8(&reader, &version));
    if (version != TICKET_VERSION) {
        return hf_fail(HF_E_UNSUPPORTED, "ticket of version %d", version);
    }
    struct hf_bytes realm;
    HF_TRY(hf_read_bytes(&reader, sizeof(out->realm), &realm));
    memcpy(out->realm, realm.ptr, realm.len);
    uint64_t expires_at;
    HF_TRY(hf_read_u64(&reader, &expires_at));
    out->expires_at = (int64_t)expires_at;
    while (reader.rest.len > 0) {
        if (out->n_ders == HF_CHAIN_MAX) {
            return hf_fail(HF_E_MALFORMED, "a ticket with more than %d certificates", HF_CHAIN_MAX);
        }
        HF_TRY(hf_read_vec24(&reader, &out->ders[out->n_ders]));
        out->n_ders++;
    }
    return HF_OK;
}

int64_t hf_ticket_end(int64_t now_s, int64_t lifetime_s, const struct hf_chain *chain)
{
    int64_t end = now_s + lifetime_s;
    for (size_t i = 0; chain && i < chain->n_certs; i++) {
        if (chain->certs[i]->not_after < end) {
            end = chain->certs[i]->not_after;
        }
    }
    return end;
}
