// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tls/native/client_choose.h"
#include "tls/native/conn.h"
#include "tls/native/peer.h"
#include "tls/native/psk.h"
#include "tls/native/secrets.h"

/*
 * The client's machine (RFC 8446 A.1), as tables like the server's.
 *
 *   START --> SEND_HELLO --> RECV_HELLO --------> KEYS --> RECV_PARAMS --> RECV_CERT_OR_REQUEST
 *                |  ^            | retry             ^          | ticket      |          |
 *                |  +-- REKEYED <+                   |          |         RECV_CERT <----+
 *                +--------> RECV_HELLO_2 ------------+          |             |
 *                                                               |        RECV_VERIFY --> VERIFIED
 *   CONNECTED <-- APP_KEYS <-- SEND_FINISHED <-- ANSWER <-- RECV_FINISHED <--------------+
 *       ^ |                          ^            |
 *       | POST_ANSWER ...            SEND_VERIFY <+ with a certificate
 */

enum {
    START,
    SEND_HELLO,
    RECV_HELLO,
    REKEYED,
    RECV_HELLO_2,
    KEYS,
    RECV_PARAMS,
    RECV_CERT_OR_REQUEST,
    RECV_CERT,
    RECV_VERIFY,
    VERIFIED,
    RECV_FINISHED,
    ANSWER,
    SEND_VERIFY,
    SEND_FINISHED,
    APP_KEYS,
    CONNECTED,
    POST_ANSWER,
    POST_VERIFY,
    POST_FINISHED,
    N_STATES
};

#define TO HF_FSM_TO
static const struct hf_fsm_state states[N_STATES] = {
    [START] = {"starting", TO(SEND_HELLO), 0},
    [SEND_HELLO] = {"sending ClientHello", TO(RECV_HELLO) | TO(RECV_HELLO_2), 0},
    [RECV_HELLO] = {"waiting for ServerHello", TO(REKEYED) | TO(KEYS), 0},
    [REKEYED] = {"after HelloRetryRequest", TO(SEND_HELLO), 0},
    [RECV_HELLO_2] = {"waiting for ServerHello after a retry", TO(KEYS), 0},
    [KEYS] = {"deriving the shared secret", TO(RECV_PARAMS), 0},
    [RECV_PARAMS] = {"waiting for EncryptedExtensions",
                     TO(RECV_CERT_OR_REQUEST) | TO(RECV_FINISHED), 0},
    [RECV_CERT_OR_REQUEST] = {"waiting for Certificate or CertificateRequest",
                              TO(RECV_CERT) | TO(RECV_VERIFY), 0},
    [RECV_CERT] = {"waiting for Certificate", TO(RECV_VERIFY), 0},
    [RECV_VERIFY] = {"waiting for CertificateVerify", TO(VERIFIED), 0},
    [VERIFIED] = {"checking CertificateVerify", TO(RECV_FINISHED), 0},
    [RECV_FINISHED] = {"waiting for Finished", TO(ANSWER), 0},
    [ANSWER] = {"sending Certificate", TO(SEND_VERIFY) | TO(SEND_FINISHED), 0},
    [SEND_VERIFY] = {"sending CertificateVerify", TO(SEND_FINISHED), 0},
    [SEND_FINISHED] = {"sending Finished", TO(APP_KEYS), 0},
    [APP_KEYS] = {"changing to application keys", TO(CONNECTED), 0},
    [CONNECTED] = {"connected", TO(POST_ANSWER), 0},
    [POST_ANSWER] = {"sending Certificate after the handshake", TO(POST_VERIFY) | TO(POST_FINISHED),
                     0},
    [POST_VERIFY] = {"sending CertificateVerify after the handshake", TO(POST_FINISHED), 0},
    [POST_FINISHED] = {"sending Finished after the handshake", TO(CONNECTED), 0},
};
#undef TO

/* --- ClientHello --------------------------------------------------------------------------------
 */

static void ask_keygen(struct hf_native *conn, const uint16_t *groups, size_t n)
{
    struct hf_native_hs *hs = conn->hs;
    hf_wipe(hs->kex, sizeof(hs->kex));
    for (size_t i = 0; i < n; i++) {
        hs->kex[i].group = (enum hf_kex_group)groups[i];
    }
    hs->n_kex = (uint8_t)n;
    hs->job.keygen.rng = conn->base.ctx->rng;
    hs->job.keygen.pair = hs->kex;
    hs->job.keygen.n_pairs = n;
    hf_native_job_ask(conn, HF_JOB_KEYGEN);
}

/* The judge is asked about a session's chain before it is offered: one that it no longer admits
 * isn't, and the handshake is a full one. */
static void judge_session(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    if (!hs->session) {
        return;
    }
    hf_tls_set_peer_chain(&conn->base, hf_chain_ref(hs->session->chain));
    bool usable = hf_psk_usable(conn, hs->session);
    if (!usable || !hf_tls_judge_peer(&conn->base, NULL, conn->sni, true).admit) {
        hf_native_session_unref(hs->session);
        hs->session = NULL;
    }
    hf_tls_set_peer_chain(&conn->base, NULL);
}

static enum hf_err act_start(struct hf_native *conn)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_native_hs *hs = conn->hs;
    judge_session(conn);
    hs->session_id_len = ctx->compat ? sizeof(hs->session_id) : 0;
    HF_TRY(
        hf_rng_fill(conn->base.ctx->rng, hf_span_of(hs->client_random, sizeof(hs->client_random))));
    HF_TRY(hf_rng_fill(conn->base.ctx->rng, hf_span_of(hs->session_id, hs->session_id_len)));
    ask_keygen(conn, ctx->groups, ctx->n_shares);
    return HF_OK;
}

static enum hf_err act_send_hello(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    if (hs->job.state == HF_JOB_ANSWERED) { /* a retry may be for the cookie alone */
        HF_TRY(hf_native_job_take(conn));
    }
    conn->record.first_hello = !hs->retried;
    HF_TRY(hf_client_hello_write(conn));
    hs->flush = true;
    conn->record.allow_ccs = true;
    hf_native_move(conn, hs->retried ? RECV_HELLO_2 : RECV_HELLO);
    return HF_OK;
}

/* --- HelloRetryRequest, ServerHello -------------------------------------------------------------
 */

/* The hash is known now: the transcript begins. */
static void start_transcript(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hf_transcript_init(&hs->transcript, conn->suite->hash);
    hf_transcript_add(&hs->transcript, hf_buf_bytes(&hs->hello));
    hf_buf_release(&hs->hello);
}

static enum hf_err on_retry(struct hf_native *conn, const struct hf_msg *msg,
                            const struct hf_server_hello *hello)
{
    struct hf_native_hs *hs = conn->hs;
    if (hs->retried) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE, "a second HelloRetryRequest");
    }
    HF_TRY(hf_client_choose_retry(conn, hello));
    start_transcript(conn);
    hf_transcript_retry(&hs->transcript);
    hf_transcript_add(&hs->transcript, msg->raw);
    hs->retried = conn->retried = true;
    hs->ccs_due = hs->session_id_len != 0;
    if (hs->retry_group) {
        ask_keygen(conn, &hs->retry_group, 1);
    }
    hf_native_move(conn, REKEYED);
    return HF_OK;
}

static const struct hf_kex *pair_of(const struct hf_native_hs *hs, uint16_t group)
{
    const struct hf_kex *pair = hs->kex;
    while (pair->group != (enum hf_kex_group)group) {
        pair++;
    }
    return pair;
}

static enum hf_err on_hello(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_server_hello hello;
    HF_TRY(hf_server_hello_read(conn, msg, &hello));
    if (hello.retry) {
        return on_retry(conn, msg, &hello);
    }
    HF_TRY(hf_client_choose(conn, &hello));
    if (!hs->retried) {
        start_transcript(conn);
    }
    hf_transcript_add(&hs->transcript, msg->raw);
    hf_native_ask_derive(conn, pair_of(hs, hs->share_group));
    hf_native_move(conn, KEYS);
    return HF_OK;
}

static enum hf_err act_keys(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    HF_TRY(hf_native_take_derived(conn));
    if (hs->psk_accepted) {
        hf_schedule_init_psk(&hs->schedule, conn->suite->hash, hf_secret_bytes(&hs->session->psk));
        hf_tls_set_peer_chain(&conn->base, hf_chain_ref(hs->session->chain));
        conn->resumed = conn->admitted = true; /* judged before it was offered */
    }
    hf_native_handshake_secrets(conn);
    hf_record_set_in(&conn->record, conn->suite, &hs->server_secret);
    hf_record_set_out(&conn->record, conn->suite, &hs->client_secret);
    return HF_OK;
}

/* --- The server's flight ------------------------------------------------------------------------
 */

static enum hf_err on_params(struct hf_native *conn, const struct hf_msg *msg)
{
    HF_TRY(hf_encrypted_extensions_read(conn, msg));
    hf_native_move(conn, conn->hs->psk_accepted ? RECV_FINISHED : RECV_CERT_OR_REQUEST);
    return HF_OK;
}

static enum hf_err on_request(struct hf_native *conn, const struct hf_msg *msg)
{
    HF_TRY(hf_certificate_request_read(conn, msg));
    hf_client_choose_identity(conn);
    return HF_OK;
}

static enum hf_err on_certificate(struct hf_native *conn, const struct hf_msg *msg)
{
    HF_TRY(hf_certificate_read(conn, msg));
    if (!conn->hs->cert_seen) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR,
                              "the server did not return a certificate (RFC 8446 4.4.2.4)");
    }
    return HF_OK;
}

static enum hf_err on_finished(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_native_hs *hs = conn->hs;
    HF_TRY(hf_finished_read(conn, msg, &hs->server_secret));
    hf_native_master_secrets(conn);
    hf_record_set_in(&conn->record, conn->suite, &hs->server_app);
    conn->record.allow_ccs = false;
    return HF_OK;
}

/* --- Our flight ---------------------------------------------------------------------------------
 */

static enum hf_err write_answer(struct hf_native *conn, uint8_t verify, uint8_t finished)
{
    if (conn->hs->cert_asked) {
        HF_TRY(hf_certificate_write(conn));
    }
    if (conn->hs->cert_sent) {
        HF_TRY(hf_certificate_verify_sign(conn));
    }
    hf_native_move(conn, conn->hs->cert_sent ? verify : finished);
    return HF_OK;
}

static enum hf_err act_answer(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    hs->ccs_due = hs->session_id_len && !hs->ccs_sent;
    return write_answer(conn, SEND_VERIFY, SEND_FINISHED);
}

static enum hf_err act_send_finished(struct hf_native *conn)
{
    HF_TRY(hf_finished_write(conn, &conn->hs->client_secret));
    hf_native_resumption_secret(conn);
    conn->hs->flush = true;
    return HF_OK;
}

static enum hf_err act_app_keys(struct hf_native *conn)
{
    hf_record_set_out(&conn->record, conn->suite, &conn->hs->client_app);
    if (hf_native_ctx(conn)->post_auth) {
        HF_TRY(hf_native_keep_transcript(conn));
    }
    HF_TRY(hf_native_complete(conn));
    return HF_OK;
}

/* --- After the handshake ------------------------------------------------------------------------
 */

static enum hf_err on_post_request(struct hf_native *conn, const struct hf_msg *msg)
{
    if (!conn->after) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                              "post_handshake_auth was not offered");
    }
    HF_TRY(hf_native_hs_new(conn));
    conn->hs->transcript = *conn->after;
    HF_TRY(hf_certificate_request_read(conn, msg));
    hf_client_choose_identity(conn);
    return HF_OK;
}

static enum hf_err act_post_answer(struct hf_native *conn)
{
    return write_answer(conn, POST_VERIFY, POST_FINISHED);
}

static enum hf_err act_post_finished(struct hf_native *conn)
{
    HF_TRY(hf_finished_write(conn, &conn->record.out.secret));
    conn->hs->flush = true;
    return HF_OK;
}

/* --- The tables ---------------------------------------------------------------------------------
 */

/* After a retry the job for another key has to be answered first. */
static enum hf_err act_rekeyed(struct hf_native *conn)
{
    (void)conn;
    return HF_OK;
}

static const struct hf_native_act_of acts[N_STATES] = {
    [START] = {act_start, SEND_HELLO},
    [SEND_HELLO] = {act_send_hello, 0},
    [REKEYED] = {act_rekeyed, SEND_HELLO},
    [KEYS] = {act_keys, RECV_PARAMS},
    [VERIFIED] = {hf_peer_verified, RECV_FINISHED},
    [ANSWER] = {act_answer, 0},
    [SEND_VERIFY] = {hf_certificate_verify_write, SEND_FINISHED},
    [SEND_FINISHED] = {act_send_finished, APP_KEYS},
    [APP_KEYS] = {act_app_keys, CONNECTED},
    [POST_ANSWER] = {act_post_answer, 0},
    [POST_VERIFY] = {hf_certificate_verify_write, POST_FINISHED},
    [POST_FINISHED] = {act_post_finished, CONNECTED},
};

static const struct hf_native_rule rules[] = {
    {RECV_HELLO, HF_MSG_SERVER_HELLO, true, on_hello, 0},
    {RECV_HELLO_2, HF_MSG_SERVER_HELLO, true, on_hello, 0},
    {RECV_PARAMS, HF_MSG_ENCRYPTED_EXTENSIONS, false, on_params, 0},
    {RECV_CERT_OR_REQUEST, HF_MSG_CERTIFICATE_REQUEST, false, on_request, RECV_CERT},
    {RECV_CERT_OR_REQUEST, HF_MSG_CERTIFICATE, false, on_certificate, RECV_VERIFY},
    {RECV_CERT_OR_REQUEST, HF_MSG_COMPRESSED_CERTIFICATE, false, on_certificate, RECV_VERIFY},
    {RECV_CERT, HF_MSG_CERTIFICATE, false, on_certificate, RECV_VERIFY},
    {RECV_CERT, HF_MSG_COMPRESSED_CERTIFICATE, false, on_certificate, RECV_VERIFY},
    {RECV_VERIFY, HF_MSG_CERTIFICATE_VERIFY, false, hf_certificate_verify_read, VERIFIED},
    {RECV_FINISHED, HF_MSG_FINISHED, true, on_finished, ANSWER},
    {CONNECTED, HF_MSG_NEW_SESSION_TICKET, false, hf_new_session_ticket_read, 0},
    {CONNECTED, HF_MSG_KEY_UPDATE, true, hf_key_update_read, 0},
    {CONNECTED, HF_MSG_CERTIFICATE_REQUEST, false, on_post_request, POST_ANSWER},
};

const struct hf_native_role hf_native_client = {
    .states = states,
    .acts = acts,
    .n_states = N_STATES,
    .first = START,
    .connected = CONNECTED,
    .rules = rules,
    .n_rules = HF_N_ELEMENTS(rules),
};
