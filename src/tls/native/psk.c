// SPDX-License-Identifier: Apache-2.0
#include "tls/native/psk.h"

#include <string.h>

#include "base/mem.h"
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"
#include "tls/native/peer.h"
#include "tls/ticket.h"

/*
 * A ticket that doesn't fit is no error: the handshake becomes a full one. A binder that doesn't
 * fit its ticket is one (RFC 8446 4.2.11). The judge is asked before anything is promised, since
 * once a PSK is selected there is no way back to certificates.
 */

enum { BINDER_MIN = 32, BINDERS_OVERHEAD = 3 }; /* the list's length and one binder's */

/* --- psk_key_exchange_modes (4.2.9) -------------------------------------------------------------
 */

enum { PSK_DHE_KE = 1 };

enum hf_err hf_ext_psk_modes_write(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)conn;
    *out_include = true;
    HF_TRY(hf_buf_u8(body, 1));
    return hf_buf_u8(body, PSK_DHE_KE);
}

enum hf_err hf_ext_psk_modes_read(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes modes;
    HF_TRY(hf_read_vec8(&reader, &modes));
    HF_TRY(hf_read_end(&reader));
    if (modes.len == 0) {
        return hf_fail(HF_E_MALFORMED, "no modes");
    }
    conn->hs->psk_dhe = memchr(modes.ptr, PSK_DHE_KE, modes.len) != NULL;
    return HF_OK;
}

/* --- Client -------------------------------------------------------------------------------------
 */

void hf_native_session_unref(struct hf_native_session *session)
{
    if (!session || atomic_fetch_sub_explicit(&session->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    hf_secret_done(&session->psk);
    hf_chain_unref(session->chain);
    hf_free(session->sni);
    hf_free(session);
}

static bool same_name(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool offers_suite(const struct hf_native_ctx *ctx, enum hf_hash_alg hash)
{
    for (size_t i = 0; i < ctx->n_suites; i++) {
        if (ctx->suites[i]->hash == hash) {
            return true;
        }
    }
    return false;
}

bool hf_psk_usable(const struct hf_native *conn, const struct hf_native_session *session)
{
    const struct hf_clock *clock = conn->base.ctx->clock;
    int64_t now = clock->wall_ms(clock->ctx);
    enum hf_hash_alg hash = session->suite->hash;
    return same_name(session->sni, conn->sni) && now >= session->received_ms &&
           now < session->expires_ms && offers_suite(hf_native_ctx(conn), hash) &&
           (!conn->hs->retried || conn->suite->hash == hash);
}

enum hf_err hf_ext_psk_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    static const uint8_t zeros[HF_HASH_MAX];
    const struct hf_native_session *session = conn->hs->session;
    struct hf_buf_vec list, item;
    *out_include = conn->hs->psk_offered = session && hf_psk_usable(conn, session);
    if (!*out_include) {
        return HF_OK;
    }
    const struct hf_clock *clock = conn->base.ctx->clock;
    int64_t age = clock->wall_ms(clock->ctx) - session->received_ms;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    HF_TRY(hf_buf_vec_open(body, 2, &item));
    HF_TRY(hf_buf_append(body, hf_bytes_of(session->ticket, session->ticket_len)));
    HF_TRY(hf_buf_vec_close(body, item));
    HF_TRY(hf_buf_u32(body, (uint32_t)age + session->age_add));
    HF_TRY(hf_buf_vec_close(body, list));
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    HF_TRY(hf_buf_vec_open(body, 1, &item));
    HF_TRY(hf_buf_append(body, hf_bytes_of(zeros, hf_hash_size(session->suite->hash))));
    HF_TRY(hf_buf_vec_close(body, item));
    return hf_buf_vec_close(body, list);
}

/* The transcript before this ClientHello: nothing, or message_hash and HelloRetryRequest. */
static struct hf_transcript before_hello(const struct hf_native *conn, enum hf_hash_alg hash)
{
    struct hf_transcript transcript;
    if (conn->hs->retried) {
        return conn->hs->transcript;
    }
    hf_transcript_init(&transcript, hash);
    return transcript;
}

static void compute_binder(const struct hf_native *conn, const struct hf_schedule *schedule,
                           struct hf_bytes truncated, uint8_t out[static HF_HASH_MAX])
{
    uint8_t digest[HF_HASH_MAX];
    struct hf_transcript transcript = before_hello(conn, schedule->alg);
    hf_transcript_add(&transcript, truncated);
    hf_schedule_binder(schedule, hf_transcript_peek(&transcript, digest), out);
}

void hf_psk_bind(struct hf_native *conn, struct hf_span message)
{
    const struct hf_native_session *session = conn->hs->session;
    size_t len = hf_hash_size(session->suite->hash);
    uint8_t binder[HF_HASH_MAX];
    struct hf_schedule schedule;
    hf_schedule_init_psk(&schedule, session->suite->hash, hf_secret_bytes(&session->psk));
    compute_binder(conn, &schedule, hf_bytes_of(message.ptr, message.len - len - BINDERS_OVERHEAD),
                   binder);
    memcpy(message.ptr + message.len - len, binder, len);
    hf_schedule_done(&schedule);
}

enum hf_err hf_ext_psk_read_sh(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    uint16_t selected;
    HF_TRY(hf_read_u16(&reader, &selected));
    HF_TRY(hf_read_end(&reader));
    if (selected != 0) { /* we offered one */
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "PSK identity not found: the server selected number %u", selected);
    }
    conn->hs->psk_accepted = true;
    return HF_OK;
}

/* --- Server -------------------------------------------------------------------------------------
 */

enum hf_err hf_ext_psk_write_sh(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    *out_include = conn->hs->psk_accepted;
    return hf_buf_u16(body, conn->hs->psk_index);
}

struct offer {
    struct hf_bytes identities; /* lists without their lengths */
    struct hf_bytes binders;
    struct hf_bytes truncated; /* the ClientHello up to the list of binders */
    size_t n;
};

static enum hf_err count_identities(struct hf_bytes list, size_t *out)
{
    struct hf_reader reader = hf_reader_of(list);
    for (*out = 0; reader.rest.len; ++*out) {
        struct hf_bytes identity;
        uint32_t age;
        HF_TRY(hf_read_vec16(&reader, &identity));
        HF_TRY(hf_read_u32(&reader, &age));
        if (identity.len == 0) {
            return hf_fail(HF_E_MALFORMED, "an empty PSK identity");
        }
    }
    return HF_OK;
}

static enum hf_err count_binders(struct hf_bytes list, size_t *out)
{
    struct hf_reader reader = hf_reader_of(list);
    for (*out = 0; reader.rest.len; ++*out) {
        struct hf_bytes binder;
        HF_TRY(hf_read_vec8(&reader, &binder));
        if (binder.len < BINDER_MIN) {
            return hf_fail(HF_E_MALFORMED, "a binder of %zu bytes", binder.len);
        }
    }
    return HF_OK;
}

static enum hf_err read_offer(struct hf_native *conn, const struct hf_msg *msg,
                              struct hf_bytes body, struct offer *out)
{
    struct hf_reader reader = hf_reader_of(body);
    size_t n_binders;
    HF_TRY(hf_read_vec16(&reader, &out->identities));
    out->truncated = hf_bytes_of(msg->raw.ptr, (size_t)(reader.rest.ptr - msg->raw.ptr));
    HF_TRY(hf_read_vec16(&reader, &out->binders));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(count_identities(out->identities, &out->n));
    HF_TRY(count_binders(out->binders, &n_binders));
    if (out->n == 0 || n_binders == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty list of PSKs or binders");
    }
    if (out->n != n_binders) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the count of PSK identities and of binders is a mismatch: "
                              "%zu and %zu",
                              out->n, n_binders);
    }
    return HF_OK;
}

/* What a ticket of the engine holds before the part that all engines share (tls/ticket.h). */
static enum hf_err read_ticket(struct hf_bytes plain, const struct hf_suite **out_suite,
                               struct hf_bytes *out_psk, struct hf_ticket *out)
{
    struct hf_reader reader = hf_reader_of(plain);
    uint16_t suite;
    HF_TRY(hf_read_u16(&reader, &suite));
    HF_TRY(hf_read_vec8(&reader, out_psk));
    *out_suite = hf_suite_find(suite);
    return hf_ticket_decode(reader.rest, out);
}

/* May this ticket stand for a handshake under the policy that the client's name chose now? */
static bool ticket_fits(const struct hf_native *conn, const struct hf_suite *suite,
                        struct hf_bytes psk, const struct hf_ticket *ticket)
{
    const struct hf_tls_policy *policy = conn->policy;
    return suite && suite->hash == conn->suite->hash && psk.len == hf_hash_size(suite->hash) &&
           memcmp(ticket->realm, policy->realm, sizeof(ticket->realm)) == 0 &&
           hf_clock_wall_s(conn->base.ctx->clock) < ticket->expires_at &&
           (policy->ask != HF_TLS_ASK_REQUIRED || ticket->n_ders);
}

static enum hf_err check_binder(struct hf_native *conn, const struct offer *offer,
                                struct hf_bytes binder)
{
    uint8_t wanted[HF_HASH_MAX];
    compute_binder(conn, &conn->hs->schedule, offer->truncated, wanted);
    if (!hf_ct_eq(binder, hf_bytes_of(wanted, hf_hash_size(conn->suite->hash)))) {
        return hf_native_fail(conn, HF_ALERT_DECRYPT_ERROR,
                              "digest check failed: a PSK binder is wrong");
    }
    return HF_OK;
}

/* The judge says whether the holder may still come in; it isn't asked where certificates aren't. */
static enum hf_err judge_ticket(struct hf_native *conn, const struct hf_ticket *ticket,
                                bool *out_admit)
{
    HF_TRY(hf_peer_restore(conn, ticket->ders, ticket->n_ders));
    *out_admit = conn->policy->ask == HF_TLS_ASK_NONE ||
                 hf_tls_judge_peer(&conn->base, conn->policy, conn->sni, true).admit;
    if (*out_admit) {
        hf_peer_remember(conn);
    } else {
        hf_tls_set_peer_chain(&conn->base, NULL);
    }
    conn->admitted = *out_admit;
    return HF_OK;
}

static enum hf_err try_ticket(struct hf_native *conn, const struct offer *offer,
                              struct hf_bytes identity, struct hf_bytes binder, bool *out_taken)
{
    struct hf_buf plain HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(UINT16_MAX);
    struct hf_crypto *crypto = hf_crypto_here();
    const struct hf_suite *suite = NULL;
    struct hf_ticket ticket;
    struct hf_bytes psk;
    *out_taken = false;
    if (!crypto) {
        return HF_E_NOMEM;
    }
    if (hf_native_ticket_open(hf_native_ctx(conn), crypto, identity, &plain) ||
        read_ticket(hf_buf_bytes(&plain), &suite, &psk, &ticket) ||
        !ticket_fits(conn, suite, psk, &ticket)) {
        hf_buf_wipe(&plain);
        return HF_OK;
    }
    hf_schedule_init_psk(&conn->hs->schedule, suite->hash, psk);
    enum hf_err err = check_binder(conn, offer, binder);
    err = err ? err : judge_ticket(conn, &ticket, out_taken);
    conn->hs->psk_until_s = *out_taken ? ticket.expires_at : 0;
    hf_buf_wipe(&plain);
    return err;
}

enum hf_err hf_psk_choose(struct hf_native *conn, const struct hf_msg *msg, struct hf_bytes body)
{
    struct hf_native_hs *hs = conn->hs;
    struct offer offer;
    HF_TRY(read_offer(conn, msg, body, &offer));
    if (!hf_native_ctx(conn)->tickets || !hs->psk_dhe) {
        return HF_OK;
    }
    struct hf_reader identities = hf_reader_of(offer.identities);
    struct hf_reader binders = hf_reader_of(offer.binders);
    for (uint16_t i = 0; i < offer.n && i < HF_NATIVE_PSK_TRIES && !hs->psk_accepted; i++) {
        struct hf_bytes identity, binder;
        uint32_t age;
        HF_TRY(hf_read_vec16(&identities, &identity));
        HF_TRY(hf_read_u32(&identities, &age)); /* of use for early data only */
        HF_TRY(hf_read_vec8(&binders, &binder));
        HF_TRY(try_ticket(conn, &offer, identity, binder, &hs->psk_accepted));
        hs->psk_index = i;
    }
    conn->resumed = hs->psk_accepted;
    return HF_OK;
}
