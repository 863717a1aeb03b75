// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tls/native/conn.h"
#include "tls/native/peer.h"
#include "tls/native/psk.h"

/* The native engine behind the seam: connections made and freed, what is known of them, and the
 * table of operations. */

/* --- Handshake state -----------------------------------------------------------------------------
 */

enum hf_err hf_native_hs_new(struct hf_native *conn)
{
    conn->hs = HF_NEW(struct hf_native_hs);
    if (!conn->hs) {
        return HF_E_NOMEM;
    }
    conn->hs->out = HF_BUF_INIT(HF_NATIVE_FLIGHT_MAX);
    conn->hs->hello = HF_BUF_INIT(HF_TLS_PEER_FLIGHT_MAX);
    return HF_OK;
}

void hf_native_hs_free(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    if (!hs) {
        return;
    }
    hf_native_ca_staples_free(conn);
    hf_buf_done(&hs->out);
    hf_buf_done(&hs->hello);
    hf_native_session_unref(hs->session);
    hf_wipe(hs, sizeof(*hs));
    hf_free(hs);
    conn->hs = NULL;
}

/* --- Lifecycle
 * ------------------------------------------------------------------------------------ */

static void conn_free(struct hf_tls *tls)
{
    struct hf_native *conn = hf_native_of(tls);
    hf_tls_free(conn->door);
    hf_native_hs_free(conn);
    hf_native_session_unref(conn->session);
    hf_record_done(&conn->record);
    hf_buf_wipe(&conn->plain);
    hf_buf_done(&conn->plain);
    hf_buf_done(&conn->in);
    hf_buf_done(&conn->staple);
    hf_free(conn->after);
    hf_free(conn->sni);
    hf_tls_base_done(&conn->base);
    hf_wipe(conn, sizeof(*conn));
    hf_free(conn);
}

static enum hf_err conn_new(struct hf_tls_ctx *ctx, void *conn_ctx,
                            const struct hf_native_role *role, struct hf_native **out)
{
    struct hf_native *conn = HF_NEW(struct hf_native);
    if (!conn) {
        return HF_E_NOMEM;
    }
    hf_tls_base_init(&conn->base, ctx, conn_ctx);
    conn->server = role == &hf_native_server;
    conn->role = role;
    conn->in = HF_BUF_INIT(HF_TLS_PEER_FLIGHT_MAX + HF_MSG_HEADER_LEN);
    conn->alert = conn->alert_sent = conn->alert_received = HF_ALERT_NONE;
    hf_fsm_init(&conn->fsm, role->states, role->n_states, role->first);
    hf_record_init(&conn->record);
    conn->record.pad_to = hf_native_ctx(conn)->pad_to;
    enum hf_err err = hf_native_hs_new(conn);
    if (err != HF_OK) {
        conn_free(&conn->base);
        return err;
    }
    *out = conn;
    return HF_OK;
}

static enum hf_err new_server(struct hf_tls_ctx *ctx, void *conn_ctx, struct hf_tls **out)
{
    struct hf_native *conn;
    HF_TRY(conn_new(ctx, conn_ctx, &hf_native_server, &conn));
    conn->policy = &hf_native_ctx(conn)->picker.policies[0];
    *out = &conn->base;
    return HF_OK;
}

static enum hf_err take_name(struct hf_native *conn, const char *sni)
{
    conn->sni = sni ? hf_strdup(sni) : NULL;
    return sni && !conn->sni ? HF_E_NOMEM : HF_OK;
}

static void offer(struct hf_native *conn, const struct hf_tls_session *session)
{
    if (!session) {
        return;
    }
    conn->hs->session = HF_CONTAINER_OF((struct hf_tls_session *)(uintptr_t)session,
                                        struct hf_native_session, base);
    atomic_fetch_add_explicit(&conn->hs->session->refs, 1, memory_order_relaxed);
}

static enum hf_err new_client(struct hf_tls_ctx *ctx, void *conn_ctx, const char *sni,
                              const struct hf_tls_session *session, struct hf_tls **out)
{
    struct hf_native *conn;
    HF_TRY(conn_new(ctx, conn_ctx, &hf_native_client, &conn));
    enum hf_err err = take_name(conn, sni);
    if (err != HF_OK) {
        conn_free(&conn->base);
        return err;
    }
    offer(conn, session);
    *out = &conn->base;
    return HF_OK;
}

/* --- Operations
 * ----------------------------------------------------------------------------------- */

static enum hf_tls_step conn_handshake(struct hf_tls *tls, struct hf_tls_io *io)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->failed) {
        return HF_TLS_FAILED;
    }
    enum hf_tls_step step = conn->door ? HF_TLS_DONE : hf_native_drive(conn, io);
    return conn->door ? hf_native_door_handshake(conn, io) : step;
}

static void conn_abort(struct hf_tls *tls, struct hf_tls_io *io, uint8_t alert)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        conn->door->ops->abort(conn->door, io, alert);
        (void)hf_native_door_step(conn, HF_TLS_FAILED);
        return;
    }
    if (conn->failed) {
        return;
    }
    hf_native_set_alert(conn, alert, HF_REASON_OK);
    (void)hf_native_fail_out(
        conn, io, hf_fail(HF_E_PEER, "we ended the connection (alert %s)", hf_alert_name(alert)));
    if (alert == HF_ALERT_USER_CANCELED) { /* which by itself ends nothing (RFC 8446 6.1) */
        hf_native_send_alert(conn, io, HF_ALERT_CLOSE_NOTIFY);
        conn->alert_sent = alert;
    }
}

static void conn_quiet(struct hf_tls *tls)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        conn->door->ops->quiet(conn->door);
        return;
    }
    hf_record_quiet(&conn->record);
    if (hf_buf_len(&conn->in) == conn->in_taken) {
        conn->in_taken = 0;
        hf_buf_release(&conn->in);
    }
}

static void own_info(const struct hf_native *conn, struct hf_tls_info *out)
{
    out->version = conn->suite ? "TLSv1.3" : NULL;
    out->suite = conn->suite ? conn->suite->name : NULL;
    out->group = conn->group ? hf_kex_name(conn->group) : NULL;
    out->alpn = conn->alpn;
    out->sni = conn->server ? conn->sni : NULL;
    out->complete = conn->complete;
    out->asked = !conn->policy || conn->policy->ask != HF_TLS_ASK_NONE;
    out->resumed = conn->resumed;
    out->retried = conn->retried;
    out->peer_scheme = conn->peer_scheme;
    out->alert_sent = conn->alert_sent;
    out->alert_received = conn->alert_received;
    out->n_post_auths = conn->n_post_auths;
    out->identity = conn->own ? conn->own->credential : NULL;
}

static void conn_info(const struct hf_tls *tls, struct hf_tls_info *out)
{
    const struct hf_native *conn =
        HF_CONTAINER_OF((struct hf_tls *)(uintptr_t)tls, struct hf_native, base);
    if (conn->door) {
        out->engine = conn->door->ops->name;
        conn->door->ops->info(conn->door, out);
        return;
    }
    own_info(conn, out);
}

static enum hf_err conn_export(struct hf_tls *tls, const char *label, struct hf_bytes context,
                               struct hf_span out)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        return conn->door->ops->export_key(conn->door, label, context, out);
    }
    if (!conn->complete) {
        return hf_fail(HF_E_INVALID, "no keying material before the end of the handshake");
    }
    return hf_exporter(conn->suite->hash, &conn->exporter, hf_bytes_str(label), context, out);
}

static struct hf_tls_session *conn_take_session(struct hf_tls *tls)
{
    struct hf_native *conn = hf_native_of(tls);
    struct hf_native_session *session = HF_TAKE(conn->session);
    return session ? &session->base : NULL;
}

static void session_free(struct hf_tls_session *session)
{
    hf_native_session_unref(HF_CONTAINER_OF(session, struct hf_native_session, base));
}

static enum hf_err conn_ask(struct hf_tls *tls, struct hf_tls_io *io)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door || !conn->server || !conn->after) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "the peer can't be asked for a certificate after the handshake");
    }
    if (conn->failed || conn->hs) {
        return hf_fail(HF_E_BUSY, "the peer is being asked already");
    }
    HF_TRY(hf_native_server_ask(conn));
    enum hf_tls_step step = hf_native_drive(conn, io); /* WANT_OUTPUT: the next call goes on */
    return step == HF_TLS_FAILED ? HF_E_INTERNAL : HF_OK;
}

const struct hf_tls_ops hf_tls_native = {
    .name = "native",
    .server_ctx_new = hf_native_server_ctx_new,
    .client_ctx_new = hf_native_client_ctx_new,
    .ctx_free = hf_native_ctx_free,
    .set_ticket_keys = hf_native_set_ticket_keys,
    .set_staple = hf_native_set_staple,
    .new_server = new_server,
    .new_client = new_client,
    .free = conn_free,
    .handshake = conn_handshake,
    .read = hf_native_read,
    .write = hf_native_write,
    .close = hf_native_close,
    .abort = conn_abort,
    .quiet = conn_quiet,
    .job = hf_native_job,
    .job_run = hf_native_job_run,
    .info = conn_info,
    .export_key = conn_export,
    .take_session = conn_take_session,
    .session_free = session_free,
    .ask = conn_ask,
    .unpack = hf_peer_unpack,
};
