// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

#include <string.h>

#include "base/mem.h"
#include "tls/native/psk.h"
#include "tls/ticket.h"

/*
 * NewSessionTicket (RFC 8446 4.6.1). A ticket ends with its lifetime, with the first certificate of
 * its holder that ends, and, when the connection was itself a resumption, with the ticket that it
 * came by: renewing doesn't lengthen.
 */

enum { LIFETIME_MAX_S = 7 * 24 * 3600, TICKET_PLAIN_MAX = HF_TICKET_CHAIN_MAX + 1024 };

/* --- Server -------------------------------------------------------------------------------------
 */

static void set_ders(struct hf_ticket *ticket, const struct hf_chain *chain)
{
    ticket->n_ders = chain ? chain->n_certs : 0;
    for (size_t i = 0; i < ticket->n_ders; i++) {
        ticket->ders[i] = chain->certs[i]->der;
    }
}

static size_t chain_size(const struct hf_chain *chain)
{
    size_t total = 0;
    for (size_t i = 0; chain && i < chain->n_certs; i++) {
        total += chain->certs[i]->der.len;
    }
    return total;
}

static enum hf_err write_plain(const struct hf_native *conn, int64_t expires_at,
                               struct hf_bytes nonce, struct hf_buf *out)
{
    struct hf_ticket ticket = {.expires_at = expires_at};
    struct hf_secret psk;
    memcpy(ticket.realm, conn->policy->realm, sizeof(ticket.realm));
    set_ders(&ticket, conn->base.peer_chain);
    hf_ticket_psk(conn->suite->hash, &conn->resumption, nonce, &psk);
    enum hf_err err = hf_buf_u16(out, conn->suite->id);
    err = err ? err : hf_buf_u8(out, (uint8_t)psk.len);
    err = err ? err : hf_buf_append(out, hf_secret_bytes(&psk));
    err = err ? err : hf_ticket_encode(&ticket, out);
    hf_secret_done(&psk);
    return err;
}

static enum hf_err write_ticket(struct hf_native *conn, int64_t expires_at, struct hf_bytes nonce,
                                struct hf_buf *out)
{
    struct hf_buf plain HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(TICKET_PLAIN_MAX);
    struct hf_crypto *crypto = hf_crypto_here();
    struct hf_buf_vec vec;
    if (!crypto) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    enum hf_err err = write_plain(conn, expires_at, nonce, &plain);
    err = err ? err : hf_native_ticket_make(hf_native_ctx(conn), crypto, hf_buf_bytes(&plain), out);
    hf_buf_wipe(&plain);
    return err ? err : hf_buf_vec_close(out, vec);
}

/* When a ticket given now ends, 0: none is to be given. */
static int64_t ticket_end(const struct hf_native *conn, int64_t now)
{
    const struct hf_native_hs *hs = conn->hs;
    int64_t end = hf_ticket_end(now, hf_native_ctx(conn)->ticket_lifetime_s, conn->base.peer_chain);
    if (hs->psk_until_s && hs->psk_until_s < end) {
        end = hs->psk_until_s;
    }
    return end > now && chain_size(conn->base.peer_chain) <= HF_TICKET_CHAIN_MAX ? end : 0;
}

enum hf_err hf_new_session_ticket_write(struct hf_native *conn, unsigned number)
{
    struct hf_buf *out = &conn->hs->out;
    int64_t now = hf_clock_wall_s(conn->base.ctx->clock);
    int64_t end = ticket_end(conn, now);
    const uint8_t nonce[1] = {(uint8_t)number};
    uint8_t age_add[4];
    struct hf_buf_vec length;
    uint32_t sent;
    if (end == 0) {
        return HF_OK;
    }
    HF_TRY(hf_rng_fill(conn->base.ctx->rng, hf_span_of(age_add, sizeof(age_add))));
    HF_TRY(hf_buf_u8(out, HF_MSG_NEW_SESSION_TICKET));
    HF_TRY(hf_buf_vec_open(out, 3, &length));
    HF_TRY(hf_buf_u32(out, (uint32_t)(end - now)));
    HF_TRY(hf_buf_append(out, hf_bytes_of(age_add, sizeof(age_add))));
    HF_TRY(hf_buf_u8(out, sizeof(nonce)));
    HF_TRY(hf_buf_append(out, hf_bytes_of(nonce, sizeof(nonce))));
    HF_TRY(write_ticket(conn, end, hf_bytes_of(nonce, sizeof(nonce)), out));
    HF_TRY(hf_ext_write(conn, HF_EXT_IN_NST, out, &sent));
    return hf_buf_vec_close(out, length); /* not part of any transcript (4.4.1) */
}

/* --- Client -------------------------------------------------------------------------------------
 */

struct fields {
    uint32_t lifetime_s;
    uint32_t age_add;
    struct hf_bytes nonce;
    struct hf_bytes ticket;
};

static enum hf_err read_fields(struct hf_native *conn, struct hf_bytes body, struct fields *out)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes block;
    struct hf_ext_set set;
    HF_TRY(hf_read_u32(&reader, &out->lifetime_s));
    HF_TRY(hf_read_u32(&reader, &out->age_add));
    HF_TRY(hf_read_vec8(&reader, &out->nonce));
    HF_TRY(hf_read_vec16(&reader, &out->ticket));
    HF_TRY(hf_read_vec16(&reader, &block));
    HF_TRY(hf_read_end(&reader));
    if (out->ticket.len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty ticket");
    }
    return hf_ext_split(conn, HF_EXT_IN_NST, block, 0, &set);
}

/* A client keeps no ticket longer than seven days, nor longer than the server's certificates. */
static int64_t keep_until_ms(const struct hf_chain *chain, uint32_t lifetime_s, int64_t now_ms)
{
    int64_t lifetime = lifetime_s < LIFETIME_MAX_S ? lifetime_s : LIFETIME_MAX_S;
    return hf_ticket_end(now_ms / 1000, lifetime, chain) * 1000;
}

static enum hf_err make_session(struct hf_native *conn, const struct fields *fields,
                                struct hf_native_session **out)
{
    const struct hf_clock *clock = conn->base.ctx->clock;
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    HF_TRY(hf_tls_get_peer_chain(&conn->base, &chain));
    struct hf_native_session *session = hf_alloc_zero(1, sizeof(*session) + fields->ticket.len);
    if (!session) {
        return HF_E_NOMEM;
    }
    session->base.ops = conn->base.ops;
    atomic_init(&session->refs, 1);
    session->suite = conn->suite;
    session->age_add = fields->age_add;
    session->received_ms = clock->wall_ms(clock->ctx);
    session->expires_ms = keep_until_ms(chain, fields->lifetime_s, session->received_ms);
    session->chain = HF_TAKE(chain);
    session->ticket_len = fields->ticket.len;
    memcpy(session->ticket, fields->ticket.ptr, fields->ticket.len);
    hf_ticket_psk(conn->suite->hash, &conn->resumption, fields->nonce, &session->psk);
    session->sni = conn->sni ? hf_strdup(conn->sni) : NULL;
    if (conn->sni && !session->sni) {
        hf_native_session_unref(session);
        return HF_E_NOMEM;
    }
    *out = session;
    return HF_OK;
}

enum hf_err hf_new_session_ticket_read(struct hf_native *conn, const struct hf_msg *msg)
{
    struct fields fields;
    struct hf_native_session *session;
    HF_TRY(read_fields(conn, msg->body, &fields));
    if (fields.lifetime_s == 0) {
        return HF_OK; /* to be discarded at once (4.6.1) */
    }
    HF_TRY(make_session(conn, &fields, &session));
    hf_native_session_unref(conn->session);
    conn->session = session;
    return HF_OK;
}
