// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * Connections. Each call of the seam lends its io to the BIO, makes one or more calls of libssl,
 * and turns the outcome into a step. libssl runs everything inline, so there are no jobs.
 *
 *   handshake --complete and admitted--> open --failure, abort--> over
 *       +---------failure, refusal, abort---------------------------^
 *
 * While the judge waits, libssl is not called. What it does in the call in which the wait began,
 * it does in vain or for later (bio.c).
 *
 * A refusal by the judge mutes libssl at once (peer.c); when the call returns, whatever it
 * returns, refuse() sends the judge's alert and ends the connection. Nothing is complete that the
 * judge has not admitted: finish() checks again, so that a path that forgot to ask fails closed.
 */

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"

enum {
    PLAIN_MAX = 16384,
    OVERHEAD_MAX = 512,   /* of a record, and of a KeyUpdate or alert that may go before or after */
    WRITE_MIN = 4096,     /* smaller records than this only at the end of what is to be written */
    KEY_UPDATES_MAX = 32, /* of the peer, in a row */
};

/* --- Lifecycle --- */

static void conn_free(struct hf_tls *tls)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    SSL_free(conn->ssl);
    hf_tls_session_free(conn->session);
    hf_free(conn->sni);
    hf_free(conn->offers);
    hf_wipe(&conn->epoch, sizeof(conn->epoch));
    hf_wipe(&conn->epoch_waiting, sizeof(conn->epoch_waiting));
    hf_tls_base_done(&conn->base);
    hf_free(conn);
}

/* The SSL, with this connection as its app data and as the end of its BIO. */
static enum hf_err conn_init(struct hf_ls_conn *conn)
{
    conn->ssl = SSL_new(conn->ctx->ssl_ctx[0]);
    BIO *bio = conn->ssl ? BIO_new(hf_ls_bio_method()) : NULL;
    if (!bio || SSL_set_app_data(conn->ssl, conn) != 1) {
        BIO_free(bio);
        return hf_ls_library_error("a TLS connection");
    }
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_bio(conn->ssl, bio, bio); /* owns it */
    return HF_OK;
}

static enum hf_err conn_new(struct hf_tls_ctx *ctx, void *conn_ctx, struct hf_ls_conn **out)
{
    struct hf_ls_conn *conn = HF_NEW(struct hf_ls_conn);
    if (!conn) {
        return HF_E_NOMEM;
    }
    hf_tls_base_init(&conn->base, ctx, conn_ctx);
    conn->ctx = hf_ls_ctx_of(ctx);
    conn->alert_sent = conn->alert_received = HF_ALERT_NONE;
    conn->hint = HF_REASON_OK;
    enum hf_err err = conn_init(conn);
    if (err) {
        conn_free(&conn->base);
        return err;
    }
    *out = conn;
    return HF_OK;
}

static enum hf_err new_server(struct hf_tls_ctx *ctx, void *conn_ctx, struct hf_tls **out)
{
    struct hf_ls_conn *conn;
    HF_TRY(conn_new(ctx, conn_ctx, &conn));
    SSL_set_accept_state(conn->ssl);
    conn->policy = &conn->ctx->picker.policies[0];
    conn->identities = &conn->ctx->picker.first;
    *out = &conn->base;
    return HF_OK;
}

static enum hf_err client_init(struct hf_ls_conn *conn, const char *sni,
                               const struct hf_tls_session *session)
{
    conn->client = true;
    SSL_set_connect_state(conn->ssl);
    if (sni) {
        conn->sni = hf_strdup(sni);
        if (!conn->sni) {
            return HF_E_NOMEM;
        }
        if (SSL_set_tlsext_host_name(conn->ssl, sni) != 1) {
            return hf_ls_library_error("server name");
        }
    }
    return hf_ls_offer_session(conn, session);
}

static enum hf_err new_client(struct hf_tls_ctx *ctx, void *conn_ctx, const char *sni,
                              const struct hf_tls_session *session, struct hf_tls **out)
{
    struct hf_ls_conn *conn;
    HF_TRY(conn_new(ctx, conn_ctx, &conn));
    enum hf_err err = client_init(conn, sni, session);
    if (err) {
        conn_free(&conn->base);
        return err;
    }
    *out = &conn->base;
    return HF_OK;
}

/* --- Calls into libssl --- */

static void enter(struct hf_ls_conn *conn, struct hf_tls_io *io)
{
    conn->io = io;
    ERR_clear_error();
}

static enum hf_tls_step leave(struct hf_ls_conn *conn, enum hf_tls_step step)
{
    conn->io = NULL;
    ERR_clear_error();
    return step;
}

/* A connection that failed leaves no session behind (RFC 5246 7.2.2). */
static enum hf_tls_step ended(struct hf_ls_conn *conn)
{
    conn->state = HF_LS_OVER;
    hf_tls_session_free(HF_TAKE(conn->session));
    return HF_TLS_FAILED;
}

static enum hf_tls_step over(struct hf_ls_conn *conn)
{
    hf_ls_fail(conn);
    return ended(conn);
}

static enum hf_tls_step over_because(struct hf_ls_conn *conn, enum hf_reason reason,
                                     const char *text)
{
    hf_tls_set_failure(&conn->base, reason, "%s", text);
    return ended(conn);
}

/* What a call of libssl that didn't succeed means. */
static enum hf_tls_step step_of(struct hf_ls_conn *conn, int ret)
{
    switch (SSL_get_error(conn->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        return HF_TLS_WANT_INPUT;
    case SSL_ERROR_WANT_WRITE:
        return conn->no_memory ? over(conn) : HF_TLS_WANT_OUTPUT;
    case SSL_ERROR_ZERO_RETURN:
        conn->closed_by_peer = true;
        return HF_TLS_CLOSED;
    default:
        return over(conn);
    }
}

/* --- Handshake --- */

static const char *alpn_of(const struct hf_ls_conn *conn)
{
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(conn->ssl, &chosen, &len);
    for (char **name = conn->ctx->alpn_names; len && name && *name; name++) {
        if (hf_bytes_eq_str(hf_bytes_of(chosen, len), *name)) {
            return *name;
        }
    }
    return NULL;
}

static enum hf_tls_step refuse(struct hf_ls_conn *conn)
{
    hf_ls_alert(conn, conn->io, conn->deny_alert);
    return over_because(conn, HF_REASON_OK, "refused by the verdict");
}

/* libssl takes whatever name the server answers (RFC 7301 3.1 leaves it one of ours). */
static bool alpn_not_offered(const struct hf_ls_conn *conn)
{
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(conn->ssl, &chosen, &len);
    return len > 0 && !alpn_of(conn);
}

static enum hf_tls_step finish(struct hf_ls_conn *conn)
{
    bool asked = conn->client || conn->policy->ask != HF_TLS_ASK_NONE;
    bool needed = conn->client || conn->policy->ask == HF_TLS_ASK_REQUIRED;
    if ((asked && !conn->admitted) || (needed && !conn->base.peer_chain)) {
        hf_ls_alert(conn, conn->io, HF_ALERT_INTERNAL_ERROR);
        return over_because(conn, HF_REASON_INTERNAL, "the handshake ended without a verdict");
    }
    if (conn->chain_of_ticket && !SSL_session_reused(conn->ssl)) {
        hf_tls_set_peer_chain(&conn->base, NULL); /* of a ticket that libssl passed over */
    }
    if (conn->client && alpn_not_offered(conn)) {
        hf_ls_alert(conn, conn->io, HF_ALERT_ILLEGAL_PARAMETER);
        return over_because(conn, HF_REASON_PROTOCOL, "the server chose an ALPN name not offered");
    }
    if (conn->client && SSL_version(conn->ssl) == TLS1_2_VERSION && SSL_session_reused(conn->ssl)) {
        (void)hf_ls_on_session(conn->ssl, SSL_get_session(conn->ssl));
    }
    hf_free(HF_TAKE(conn->offers));
    conn->state = HF_LS_OPEN;
    conn->was_open = true;
    return HF_TLS_DONE;
}

/* What follows the chain in its own record, libssl has read: a proof that is wrong ends it at once.
 * Its own alert is behind what can't go out any more; what is left to check fails as this one. */
static enum hf_tls_step wait_on(struct hf_ls_conn *conn, int ret)
{
    int error = SSL_get_error(conn->ssl, ret);
    if (error != SSL_ERROR_SSL && error != SSL_ERROR_SYSCALL) {
        return HF_TLS_WANT_VERDICT;
    }
    hf_ls_fail(conn);
    conn->epoch = conn->epoch_waiting;
    hf_ls_alert(conn, conn->io, HF_ALERT_DECRYPT_ERROR);
    return ended(conn);
}

static enum hf_tls_step conn_handshake(struct hf_tls *tls, struct hf_tls_io *io)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (conn->state != HF_LS_HANDSHAKE) {
        return conn->state == HF_LS_OPEN ? HF_TLS_DONE : HF_TLS_FAILED;
    }
    enter(conn, io);
    if (conn->client && SSL_in_before(conn->ssl)) {
        hf_ls_judge_offered(conn);
    }
    if (conn->waits) {
        hf_ls_judge_again(conn);
        if (conn->waits) {
            return leave(conn, HF_TLS_WANT_VERDICT);
        }
    }
    int ret = conn->denied ? -1 : SSL_do_handshake(conn->ssl);
    if (conn->denied) {
        return leave(conn, refuse(conn));
    }
    if (conn->waits) {
        return leave(conn, wait_on(conn, ret));
    }
    if (ret == 1) {
        return leave(conn, finish(conn));
    }
    enum hf_tls_step step = step_of(conn, ret);
    if (step == HF_TLS_WANT_INPUT && conn->in_taken > HF_TLS_PEER_FLIGHT_MAX) {
        hf_ls_alert(conn, io, HF_ALERT_ILLEGAL_PARAMETER);
        step = over_because(conn, HF_REASON_PROTOCOL, "a handshake longer than any should be");
    }
    if (step == HF_TLS_CLOSED) {
        step = over_because(conn, HF_REASON_PEER_CLOSED,
                            "the peer sent close_notify during the handshake");
    }
    return leave(conn, step);
}

/* --- Plaintext --- */

/* May the connection carry data? A call too early is the caller's bug, and fails closed. */
static bool is_open(struct hf_ls_conn *conn)
{
    if (conn->state == HF_LS_HANDSHAKE) {
        (void)over_because(conn, HF_REASON_INTERNAL, "data before the handshake was complete");
    }
    return conn->state == HF_LS_OPEN;
}

/* Is there anything for SSL_read to do? Asking it costs it a buffer. */
static bool readable(struct hf_ls_conn *conn)
{
    return SSL_pending(conn->ssl) > 0 || SSL_want_write(conn->ssl) || hf_ls_bio_has_record(conn);
}

static enum hf_tls_step read_records(struct hf_ls_conn *conn, struct hf_span into, size_t *out_n)
{
    /* after the first record only as long as a whole one more fits: no rest stays in libssl */
    while (*out_n == 0 || into.len - *out_n >= PLAIN_MAX) {
        size_t n = 0;
        if (!readable(conn)) {
            return HF_TLS_WANT_INPUT;
        }
        int ret = SSL_read_ex(conn->ssl, into.ptr + *out_n, into.len - *out_n, &n);
        if (conn->n_key_updates > KEY_UPDATES_MAX) {
            hf_ls_alert(conn, conn->io, HF_ALERT_UNEXPECTED_MESSAGE);
            return over_because(conn, HF_REASON_PROTOCOL,
                                "too many key updates in a row without data between");
        }
        if (ret != 1) {
            return step_of(conn, ret);
        }
        conn->n_key_updates = 0;
        *out_n += n;
    }
    return HF_TLS_DONE;
}

static enum hf_tls_step conn_read(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                                  size_t *out_n)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (conn->closed_by_peer) {
        return HF_TLS_CLOSED;
    }
    if (!is_open(conn)) {
        return HF_TLS_FAILED;
    }
    enter(conn, io);
    enum hf_tls_step step = read_records(conn, into, out_n);
    /* what stopped us behind some data is met again at the next call */
    return leave(conn, *out_n > 0 ? HF_TLS_DONE : step);
}

/* How much of len bytes of plaintext surely fits, encrypted, so that libssl never keeps a rest. */
static size_t fitting(const struct hf_tls_io *io, size_t len)
{
    size_t room = hf_buf_room(io->out);
    size_t wanted = len < PLAIN_MAX ? len : PLAIN_MAX;
    size_t least = wanted < WRITE_MIN ? wanted : WRITE_MIN;
    if (room < least + OVERHEAD_MAX) {
        return 0;
    }
    room -= OVERHEAD_MAX;
    return wanted < room ? wanted : room;
}

static enum hf_tls_step write_records(struct hf_ls_conn *conn, struct hf_bytes plain, size_t *out_n)
{
    while (*out_n < plain.len) {
        size_t n = fitting(conn->io, plain.len - *out_n);
        if (n == 0) {
            return HF_TLS_WANT_OUTPUT;
        }
        int ret = SSL_write_ex(conn->ssl, plain.ptr + *out_n, n, &n);
        if (ret != 1) {
            return step_of(conn, ret);
        }
        *out_n += n;
    }
    return HF_TLS_DONE;
}

static enum hf_tls_step conn_write(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                                   size_t *out_n)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (!is_open(conn)) {
        return HF_TLS_FAILED;
    }
    if (conn->closed_by_us) {
        return over_because(conn, HF_REASON_INTERNAL, "data after our close_notify");
    }
    enter(conn, io);
    return leave(conn, write_records(conn, plain, out_n));
}

/* --- Ends --- */

static enum hf_tls_step conn_close(struct hf_tls *tls, struct hf_tls_io *io)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (conn->state == HF_LS_OVER) {
        return HF_TLS_FAILED;
    }
    if (conn->state == HF_LS_HANDSHAKE || conn->closed_by_us) {
        return HF_TLS_DONE; /* there is nothing to close yet, or nothing left */
    }
    enter(conn, io);
    int ret = SSL_shutdown(conn->ssl);
    if (ret < 0) {
        return leave(conn, step_of(conn, ret));
    }
    conn->closed_by_us = true;
    return leave(conn, HF_TLS_DONE);
}

static void conn_abort(struct hf_tls *tls, struct hf_tls_io *io, uint8_t alert)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (conn->state == HF_LS_OVER) {
        return;
    }
    enter(conn, io);
    if (!SSL_want_write(conn->ssl) && !conn->closed_by_us) {
        hf_ls_alert(conn, io, alert);
    }
    hf_tls_set_failure(tls, HF_REASON_OK, "we ended the connection (alert %s)",
                       hf_alert_name(alert));
    (void)leave(conn, ended(conn));
}

static void conn_quiet(struct hf_tls *tls)
{
    (void)SSL_free_buffers(hf_ls_conn_of(tls)->ssl); /* refuses when they hold something */
}

/* --- What is known --- */

static struct hf_credential *identity_in_use(const struct hf_ls_conn *conn)
{
    const X509 *leaf = SSL_get_certificate(conn->ssl);
    const struct hf_pick_set *set = conn->identities;
    for (size_t i = 0; leaf && set && i < set->n_identities; i++) {
        if (set->identity[i]->chain->certs[0]->x509 == leaf) {
            return set->identity[i];
        }
    }
    for (size_t i = 0; leaf && conn->client && i < conn->ctx->n_identities; i++) {
        struct hf_credential *credential = conn->ctx->identities[i].credential;
        if (credential->chain->certs[0]->x509 == leaf) {
            return credential;
        }
    }
    return NULL;
}

static void conn_info(const struct hf_tls *tls, struct hf_tls_info *out)
{
    const struct hf_ls_conn *conn = hf_ls_conn_of((struct hf_tls *)(uintptr_t)tls);
    const SSL_CIPHER *suite = SSL_get_current_cipher(conn->ssl);
    out->complete = conn->was_open;
    out->asked = conn->client || conn->policy->ask != HF_TLS_ASK_NONE;
    out->sni = conn->sni;
    out->alert_sent = conn->alert_sent;
    out->alert_received = conn->alert_received;
    if (suite) {
        out->version = SSL_get_version(conn->ssl);
        out->suite = SSL_CIPHER_standard_name(suite);
        out->group = hf_ls_group_name((int)SSL_get_negotiated_group(conn->ssl));
        out->alpn = alpn_of(conn);
        out->identity = identity_in_use(conn);
    }
    out->resumed = out->complete && SSL_session_reused(conn->ssl);
}

static enum hf_err conn_export(struct hf_tls *tls, const char *label, struct hf_bytes context,
                               struct hf_span out)
{
    struct hf_ls_conn *conn = hf_ls_conn_of(tls);
    if (conn->state != HF_LS_OPEN) {
        return hf_fail(HF_E_INVALID, "keying material is exported after the handshake");
    }
    ERR_clear_error();
    if (SSL_export_keying_material(conn->ssl, out.ptr, out.len, label, strlen(label), context.ptr,
                                   context.len, context.ptr != NULL) != 1) {
        return hf_ls_library_error("keying material");
    }
    return HF_OK;
}

const struct hf_tls_ops hf_tls_libssl = {
    .name = "libssl",
    .server_ctx_new = hf_ls_server_ctx_new,
    .client_ctx_new = hf_ls_client_ctx_new,
    .ctx_free = hf_ls_ctx_free,
    .set_ticket_keys = hf_ls_set_ticket_keys,
    .set_staple = hf_ls_set_staple,
    .new_server = new_server,
    .new_client = new_client,
    .free = conn_free,
    .handshake = conn_handshake,
    .read = conn_read,
    .write = conn_write,
    .close = conn_close,
    .abort = conn_abort,
    .quiet = conn_quiet,
    .info = conn_info,
    .export_key = conn_export,
    .take_session = hf_ls_take_session,
    .session_free = hf_ls_session_free,
};
