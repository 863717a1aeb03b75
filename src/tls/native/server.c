// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tls/native/conn.h"
#include "tls/native/cookie.h"
#include "tls/native/peer.h"
#include "tls/native/secrets.h"
#include "tls/native/server_choose.h"

/*
 * The server's machine (RFC 8446 A.2). `states` says which state may follow which, `acts` what is
 * done on entering one, `rules` which message may come in one. Jobs are asked for by the act before
 * the state that reads their answer.
 *
 *   RECV_HELLO --> SEND_RETRY --> AFTER_RETRY --> RECV_HELLO_2
 *       |                                              |
 *       +--> KEYGEN --> DERIVE --> SEND_HELLO --> SEND_PARAMS <-+ (keys: handshake)
 *                                                  | certificate   | ticket
 *                                            SEND_VERIFY --> SEND_FINISHED --> APP_KEYS
 *       APP_KEYS --> RECV_CERT --> RECV_VERIFY --> VERIFIED --> RECV_FINISHED --> TICKETS
 *       TICKETS --> CONNECTED <--> ASK, POST_VERIFY, POST_VERIFIED, POST_FINISHED
 */

enum {
    RECV_HELLO,
    SEND_RETRY,
    AFTER_RETRY,
    RECV_HELLO_2,
    KEYGEN,
    DERIVE,
    SEND_HELLO,
    SEND_PARAMS,
    SEND_VERIFY,
    SEND_FINISHED,
    APP_KEYS,
    RECV_CERT,
    RECV_VERIFY,
    VERIFIED,
    RECV_FINISHED,
    TICKETS,
    CONNECTED,
    ASK,
    POST_VERIFY,
    POST_VERIFIED,
    POST_FINISHED,
    N_STATES
};

#define TO HF_FSM_TO
static const struct hf_fsm_state states[N_STATES] = {
    [RECV_HELLO] = {"waiting for ClientHello", TO(SEND_RETRY) | TO(KEYGEN), 0},
    [SEND_RETRY] = {"sending HelloRetryRequest", TO(AFTER_RETRY), 0},
    [AFTER_RETRY] = {"after HelloRetryRequest", TO(RECV_HELLO_2), 0},
    [RECV_HELLO_2] = {"waiting for the second ClientHello", TO(KEYGEN), 0},
    [KEYGEN] = {"generating a key", TO(DERIVE), 0},
    [DERIVE] = {"deriving the shared secret", TO(SEND_HELLO), 0},
    [SEND_HELLO] = {"sending ServerHello", TO(SEND_PARAMS), 0},
    [SEND_PARAMS] = {"sending EncryptedExtensions", TO(SEND_VERIFY) | TO(SEND_FINISHED), 0},
    [SEND_VERIFY] = {"sending CertificateVerify", TO(SEND_FINISHED), 0},
    [SEND_FINISHED] = {"sending Finished", TO(APP_KEYS), 0},
    [APP_KEYS] = {"changing to application keys", TO(RECV_CERT) | TO(RECV_FINISHED), 0},
    [RECV_CERT] = {"waiting for Certificate", TO(RECV_VERIFY) | TO(RECV_FINISHED), 0},
    [RECV_VERIFY] = {"waiting for CertificateVerify", TO(VERIFIED), 0},
    [VERIFIED] = {"checking CertificateVerify", TO(RECV_FINISHED), 0},
    [RECV_FINISHED] = {"waiting for Finished", TO(TICKETS), 0},
    [TICKETS] = {"sending tickets", TO(CONNECTED), 0},
    [CONNECTED] = {"connected", TO(ASK) | TO(POST_VERIFY) | TO(POST_FINISHED), 0},
    [ASK] = {"asking for a certificate after the handshake", TO(CONNECTED), 0},
    [POST_VERIFY] = {"waiting for CertificateVerify after the handshake", TO(POST_VERIFIED), 0},
    [POST_VERIFIED] = {"checking CertificateVerify after the handshake", TO(POST_FINISHED), 0},
    [POST_FINISHED] = {"waiting for Finished after the handshake", TO(CONNECTED), 0},
};
#undef TO

/* --- ClientHello --------------------------------------------------------------------------------
 */

static enum hf_err hand_over(struct hf_native *conn)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    if (!ctx->door || conn->hs->retried) {
        return hf_native_refuse(
            conn, HF_REASON_NO_COMMON_VERSION,
            "no shared version: the client offers TLS 1.%d at most, and the listener TLS 1.3 alone",
            (int)conn->hs->newest - 0x0301);
    }
    return ctx->door->ops->new_server(ctx->door, conn->base.conn_ctx, &conn->door);
}

static void add_hello(struct hf_native *conn, const struct hf_msg *msg)
{
    if (!conn->hs->retried) {
        hf_transcript_init(&conn->hs->transcript, conn->suite->hash);
    }
    hf_transcript_add(&conn->hs->transcript, msg->raw);
}

static enum hf_err on_hello(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_client_hello hello;
    bool is_1_3, retry;
    HF_TRY(hf_client_hello_read(conn, msg, &hello));
    HF_TRY(hf_server_choose_version(conn, &hello, &is_1_3));
    if (!is_1_3) {
        return hand_over(conn);
    }
    HF_TRY(hf_server_choose(conn, msg, &hello, &retry));
    conn->hs->authorities = hf_bytes_of(NULL, 0); /* it views the message */
    add_hello(conn, msg);
    conn->record.allow_ccs = true;
    hf_native_move(conn, retry ? SEND_RETRY : KEYGEN);
    return HF_OK;
}

/* --- HelloRetryRequest --------------------------------------------------------------------------
 */

static enum hf_err act_send_retry(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    if (hf_native_ctx(conn)->cookie) {
        HF_TRY(hf_cookie_make(conn));
    }
    hf_transcript_retry(&hs->transcript);
    HF_TRY(hf_server_hello_write(conn, true));
    hs->retried = conn->retried = true;
    hs->flush = true;
    return HF_OK;
}

/* Where the state is in the cookie, none of it stays here. */
static enum hf_err act_after_retry(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hs->ccs_due = hs->session_id_len != 0;
    hs->flush = true;
    if (hf_native_ctx(conn)->cookie) {
        hf_wipe(&hs->transcript, sizeof(hs->transcript));
        hs->cookie_len = 0;
    }
    if (hs->early_offered) {
        conn->record.early = HF_RECORD_EARLY_OUTER;
        conn->record.early_left = HF_RECORD_EARLY_MAX;
        hs->early_offered = false;
    }
    return HF_OK;
}

/* --- Key exchange, ServerHello ------------------------------------------------------------------
 */

static enum hf_err act_keygen(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hs->kex[0].group = (enum hf_kex_group)hs->share_group;
    hs->job.keygen.rng = conn->base.ctx->rng;
    hs->job.keygen.pair = &hs->kex[0];
    hs->job.keygen.n_pairs = 1;
    hf_native_job_ask(conn, HF_JOB_KEYGEN);
    return HF_OK;
}

static enum hf_err act_derive(struct hf_native *conn)
{
    HF_TRY(hf_native_job_take(conn));
    hf_native_ask_derive(conn, &conn->hs->kex[0]);
    return HF_OK;
}

static enum hf_err act_send_hello(struct hf_native *conn)
{
    HF_TRY(hf_native_take_derived(conn));
    HF_TRY(hf_server_hello_write(conn, false));
    conn->hs->flush = true;
    return HF_OK;
}

/* --- EncryptedExtensions to Finished ------------------------------------------------------------
 */

static void expect_early_data(struct hf_native *conn)
{
    conn->record.early = conn->hs->early_offered ? HF_RECORD_EARLY_TRIAL : HF_RECORD_EARLY_NONE;
    conn->record.early_left = HF_RECORD_EARLY_MAX;
}

static enum hf_err act_send_params(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hs->ccs_due = hs->session_id_len && !hs->ccs_sent;
    hf_native_handshake_secrets(conn);
    hf_record_set_out(&conn->record, conn->suite, &hs->server_secret);
    hf_record_set_in(&conn->record, conn->suite, &hs->client_secret);
    conn->record.allow_plain_alert = true;
    expect_early_data(conn);
    HF_TRY(hf_encrypted_extensions_write(conn));
    if (hs->psk_accepted) {
        hf_native_move(conn, SEND_FINISHED);
        return HF_OK;
    }
    if (conn->policy->ask != HF_TLS_ASK_NONE) {
        HF_TRY(hf_certificate_request_write(conn));
    }
    HF_TRY(hf_certificate_write(conn));
    HF_TRY(hf_certificate_verify_sign(conn));
    hf_native_move(conn, SEND_VERIFY);
    return HF_OK;
}

static enum hf_err act_send_finished(struct hf_native *conn)
{
    HF_TRY(hf_finished_write(conn, &conn->hs->server_secret));
    hf_native_master_secrets(conn);
    conn->hs->flush = true;
    return HF_OK;
}

static enum hf_err act_app_keys(struct hf_native *conn)
{
    hf_record_set_out(&conn->record, conn->suite, &conn->hs->server_app);
    hf_native_move(conn, conn->hs->cert_asked ? RECV_CERT : RECV_FINISHED);
    return HF_OK;
}

/* --- The client's flight ------------------------------------------------------------------------
 */

/* An empty Certificate goes to the judge as well; whatever it says, `required` means required. */
static enum hf_err judge_none(struct hf_native *conn)
{
    hf_tls_set_peer_chain(&conn->base, NULL);
    HF_TRY(hf_peer_judge(conn));
    if (conn->policy->ask == HF_TLS_ASK_REQUIRED) {
        return hf_native_refuse(conn, HF_REASON_NO_CERTIFICATE,
                                "the peer did not return a certificate");
    }
    return HF_OK;
}

static enum hf_err take_certificate(struct hf_native *conn, const struct hf_msg *msg,
                                    uint8_t verify, uint8_t finished)
{
    HF_TRY(hf_certificate_read(conn, msg));
    if (!conn->hs->cert_seen) {
        HF_TRY(judge_none(conn));
    }
    hf_native_move(conn, conn->hs->cert_seen ? verify : finished);
    return HF_OK;
}

static enum hf_err on_certificate(struct hf_native *conn, const struct hf_msg *msg)
{
    return take_certificate(conn, msg, RECV_VERIFY, RECV_FINISHED);
}

static enum hf_err on_finished(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_native_hs *hs = conn->hs;
    HF_TRY(hf_finished_read(conn, msg, &hs->client_secret));
    hf_record_set_in(&conn->record, conn->suite, &hs->client_app);
    conn->record.allow_ccs = false;
    conn->record.early = HF_RECORD_EARLY_NONE;
    return HF_OK;
}

static enum hf_err act_tickets(struct hf_native *conn)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    unsigned n = conn->resumed ? 1 : ctx->n_tickets; /* a client spends one a resumption */
    if (ctx->tickets && conn->hs->psk_dhe) {
        hf_native_resumption_secret(conn);
        for (unsigned i = 0; i < n; i++) {
            HF_TRY(hf_new_session_ticket_write(conn, i));
        }
        hf_secret_done(&conn->resumption);
    }
    if (conn->post_auth && ctx->post_auth) {
        HF_TRY(hf_native_keep_transcript(conn));
    }
    HF_TRY(hf_native_complete(conn));
    return HF_OK;
}

/* --- After the handshake ------------------------------------------------------------------------
 */

static enum hf_err act_ask(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hs->transcript = *conn->after;
    HF_TRY(hf_rng_fill(conn->base.ctx->rng, hf_span_of(hs->context, 16)));
    hs->context_len = 16;
    HF_TRY(hf_certificate_request_write(conn));
    hs->keep = true;
    return HF_OK;
}

static enum hf_err on_post_certificate(struct hf_native *conn, const struct hf_msg *msg)
{
    if (!conn->hs || !conn->hs->keep) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                              "a certificate that was not asked for");
    }
    return take_certificate(conn, msg, POST_VERIFY, POST_FINISHED);
}

/* The MAC is under the client's application traffic secret of the moment (RFC 8446 4.4). */
static enum hf_err on_post_finished(struct hf_native *conn, const struct hf_msg *msg)
{
    HF_TRY(hf_finished_read(conn, msg, &conn->record.in.secret));
    conn->hs->keep = false;
    conn->n_post_auths++;
    return HF_OK;
}

enum hf_err hf_native_server_ask(struct hf_native *conn)
{
    HF_TRY(hf_native_hs_new(conn));
    hf_native_move(conn, ASK);
    return HF_OK;
}

/* --- The tables ---------------------------------------------------------------------------------
 */

static const struct hf_native_act_of acts[N_STATES] = {
    [SEND_RETRY] = {act_send_retry, AFTER_RETRY},
    [AFTER_RETRY] = {act_after_retry, RECV_HELLO_2},
    [KEYGEN] = {act_keygen, DERIVE},
    [DERIVE] = {act_derive, SEND_HELLO},
    [SEND_HELLO] = {act_send_hello, SEND_PARAMS},
    [SEND_PARAMS] = {act_send_params, 0},
    [SEND_VERIFY] = {hf_certificate_verify_write, SEND_FINISHED},
    [SEND_FINISHED] = {act_send_finished, APP_KEYS},
    [APP_KEYS] = {act_app_keys, 0},
    [VERIFIED] = {hf_peer_verified, RECV_FINISHED},
    [TICKETS] = {act_tickets, CONNECTED},
    [ASK] = {act_ask, CONNECTED},
    [POST_VERIFIED] = {hf_peer_verified, POST_FINISHED},
};

static const struct hf_native_rule rules[] = {
    {RECV_HELLO, HF_MSG_CLIENT_HELLO, true, on_hello, 0},
    {RECV_HELLO_2, HF_MSG_CLIENT_HELLO, true, on_hello, 0},
    {RECV_CERT, HF_MSG_CERTIFICATE, false, on_certificate, 0},
    {RECV_CERT, HF_MSG_COMPRESSED_CERTIFICATE, false, on_certificate, 0},
    {RECV_VERIFY, HF_MSG_CERTIFICATE_VERIFY, false, hf_certificate_verify_read, VERIFIED},
    {RECV_FINISHED, HF_MSG_FINISHED, true, on_finished, TICKETS},
    {CONNECTED, HF_MSG_KEY_UPDATE, true, hf_key_update_read, 0},
    {CONNECTED, HF_MSG_CERTIFICATE, false, on_post_certificate, 0},
    {CONNECTED, HF_MSG_COMPRESSED_CERTIFICATE, false, on_post_certificate, 0},
    {POST_VERIFY, HF_MSG_CERTIFICATE_VERIFY, false, hf_certificate_verify_read, POST_VERIFIED},
    {POST_FINISHED, HF_MSG_FINISHED, false, on_post_finished, CONNECTED},
};

const struct hf_native_role hf_native_server = {
    .states = states,
    .acts = acts,
    .n_states = N_STATES,
    .first = RECV_HELLO,
    .connected = CONNECTED,
    .rules = rules,
    .n_rules = HF_N_ELEMENTS(rules),
};
