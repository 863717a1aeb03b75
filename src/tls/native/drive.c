// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/peer.h"
#include "tls/native/psk.h"

#include <string.h>

/*
 * The drive turns records into messages, messages into calls by the role's rules, and states into
 * acts, until the machine needs something or is connected.
 *
 *      io.in -> record -> conn->in -> rule -> handler \
 *                                                      > state -> act -> hs->out -> record ->
 * io.out job answered ---------/
 *
 * A flight gathers in hs->out and is sealed at once: when an act says that keys change or the
 * flight ends (hs->flush), or when nothing is left to do but wait for the peer. So messages share
 * records as far as RFC 8446 5.1 lets them, and pausing for a job doesn't split a flight.
 */

static bool is_connected(const struct hf_native *conn)
{
    return conn->fsm.state == conn->role->connected;
}

void hf_native_move(struct hf_native *conn, uint8_t state)
{
    hf_fsm_move(&conn->fsm, state);
}

/* --- Failing ------------------------------------------------------------------------------------
 */

void hf_native_set_alert(struct hf_native *conn, uint8_t alert, enum hf_reason reason)
{
    conn->alert = alert;
    conn->reason = reason;
}

static void classify(struct hf_native *conn, enum hf_err err)
{
    if (err == HF_E_PEER) {
        return; /* the failing place said it */
    }
    bool form = err == HF_E_TRUNCATED || err == HF_E_MALFORMED;
    hf_native_set_alert(conn, form ? HF_ALERT_DECODE_ERROR : HF_ALERT_INTERNAL_ERROR,
                        form ? HF_REASON_PROTOCOL : HF_REASON_INTERNAL);
}

void hf_native_send_alert(struct hf_native *conn, struct hf_tls_io *io, uint8_t alert)
{
    enum { LEVEL_WARNING = 1, LEVEL_FATAL = 2 };
    bool warning = alert == HF_ALERT_CLOSE_NOTIFY || alert == HF_ALERT_USER_CANCELED;
    const uint8_t content[2] = {warning ? LEVEL_WARNING : LEVEL_FATAL, alert};
    struct hf_crypto *crypto = hf_crypto_here();
    if (crypto && hf_record_seal_all(&conn->record, crypto, HF_RECORD_ALERT,
                                     hf_bytes_of(content, sizeof(content)), io->out) == HF_OK) {
        conn->alert_sent = alert;
    }
}

/* In compatibility mode nothing protected comes before change_cipher_spec, an alert neither (RFC
 * 8446 D.4). */
static bool send_due_ccs(struct hf_native *conn, struct hf_tls_io *io)
{
    const struct hf_native_hs *hs = conn->hs;
    bool due = hs && hs->session_id_len && !hs->ccs_sent && !conn->complete;
    return !due || !conn->record.out.suite || hf_record_ccs(io->out) == HF_OK;
}

/* Part of a flight is out and the rest waits for room: an alert between would make no sense. */
static bool is_cut(const struct hf_native *conn)
{
    return conn->hs && conn->hs->flush && hf_buf_len(&conn->hs->out);
}

enum hf_tls_step hf_native_fail_out(struct hf_native *conn, struct hf_tls_io *io, enum hf_err err)
{
    if (conn->failed) {
        return HF_TLS_FAILED;
    }
    classify(conn, err);
    hf_tls_set_failure(&conn->base, conn->reason, "%s", hf_err_text());
    conn->failed = true;
    if (conn->alert != HF_ALERT_NONE && !conn->closed_out && !is_cut(conn) &&
        send_due_ccs(conn, io)) {
        hf_native_send_alert(conn, io, conn->alert);
    }
    hf_native_hs_free(conn);
    hf_native_session_unref(HF_TAKE(conn->session)); /* not to be resumed (RFC 8446 6.2) */
    return HF_TLS_FAILED;
}

/* --- Sending a flight ---------------------------------------------------------------------------
 */

static enum hf_tls_step flush_ccs(struct hf_native *conn, struct hf_tls_io *io)
{
    enum { CCS_RECORD_LEN = HF_RECORD_HEADER_LEN + 1 };
    if (hf_buf_room(io->out) < CCS_RECORD_LEN) {
        return HF_TLS_WANT_OUTPUT;
    }
    enum hf_err err = hf_record_ccs(io->out);
    conn->hs->ccs_due = false;
    conn->hs->ccs_sent = true;
    return err == HF_OK ? HF_TLS_DONE : hf_native_fail_out(conn, io, err);
}

static enum hf_tls_step flush_flight(struct hf_native *conn, struct hf_tls_io *io)
{
    struct hf_buf *flight = &conn->hs->out;
    struct hf_crypto *crypto = hf_crypto_here();
    size_t taken;
    enum hf_err err = crypto ? hf_record_seal(&conn->record, crypto, HF_RECORD_HANDSHAKE,
                                              hf_buf_bytes(flight), io->out, &taken)
                             : HF_E_NOMEM;
    if (err != HF_OK) {
        return hf_native_fail_out(conn, io, err);
    }
    hf_buf_consume(flight, taken);
    return hf_buf_len(flight) ? HF_TLS_WANT_OUTPUT : HF_TLS_DONE;
}

enum hf_tls_step hf_native_flush(struct hf_native *conn, struct hf_tls_io *io)
{
    if (!conn->hs) {
        return HF_TLS_DONE;
    }
    enum hf_tls_step step = conn->hs->ccs_due ? flush_ccs(conn, io) : HF_TLS_DONE;
    if (step == HF_TLS_DONE && hf_buf_len(&conn->hs->out)) {
        step = flush_flight(conn, io);
    }
    if (step == HF_TLS_DONE) {
        conn->hs->flush = false;
        conn->record.first_hello = false;
    }
    return step;
}

/* --- Alerts that come ---------------------------------------------------------------------------
 */

static enum hf_err received_fatal(struct hf_native *conn, uint8_t alert)
{
    conn->alert_received = alert;
    hf_native_set_alert(conn, HF_ALERT_NONE, hf_reason_of_peer_alert(alert));
    return hf_fail(HF_E_PEER, "the %s %s%s (alert %s)",
                   hf_native_ctx(conn)->server ? "client" : "server",
                   hf_alert_is_about_certificate(alert) ? "rejected our certificate: it " : "",
                   hf_alert_text(alert), hf_alert_name(alert));
}

static enum hf_err on_user_canceled(struct hf_native *conn)
{
    if (++conn->n_user_canceled > HF_NATIVE_USER_CANCELED) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR,
                              "too many alerts user_canceled in a row");
    }
    return HF_OK;
}

/* RFC 8446 6: the level is no longer meaningful, but the two that there are stay all there are. */
static enum hf_err on_alert(struct hf_native *conn, struct hf_bytes content)
{
    enum { ALERT_LEN = 2, LEVEL_WARNING = 1, LEVEL_FATAL = 2 };
    if (content.len != ALERT_LEN) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR, "an alert of %zu bytes", content.len);
    }
    uint8_t level = content.ptr[0];
    uint8_t alert = content.ptr[1];
    if (level != LEVEL_WARNING && level != LEVEL_FATAL) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "an alert of unknown level %u",
                              level);
    }
    if (alert == HF_ALERT_CLOSE_NOTIFY) {
        conn->closed_in = true;
        return HF_OK;
    }
    if (alert == HF_ALERT_USER_CANCELED) {
        return on_user_canceled(conn);
    }
    if (level == LEVEL_WARNING) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR,
                              "alert %s with level warning, which TLS 1.3 hasn't",
                              hf_alert_name(alert));
    }
    return received_fatal(conn, alert);
}

enum hf_tls_step hf_native_on_alert(struct hf_native *conn, struct hf_tls_io *io,
                                    struct hf_bytes content)
{
    enum hf_err err = on_alert(conn, content);
    if (err == HF_OK && conn->closed_in && !conn->complete) {
        hf_native_set_alert(conn, HF_ALERT_NONE, HF_REASON_PEER_CLOSED);
        err = hf_fail(HF_E_PEER, "the peer closed the connection during the handshake");
    }
    if (err != HF_OK) {
        return hf_native_fail_out(conn, io, err);
    }
    return conn->closed_in ? HF_TLS_CLOSED : HF_TLS_DONE;
}

/* --- Messages -----------------------------------------------------------------------------------
 */

enum hf_err hf_native_take_handshake(struct hf_native *conn, struct hf_bytes content)
{
    conn->n_user_canceled = 0;
    if (conn->hs) {
        conn->hs->n_in += content.len;
    }
    size_t in_flight = conn->hs ? conn->hs->n_in : content.len;
    if (in_flight > HF_TLS_PEER_FLIGHT_MAX || content.len > hf_buf_room(&conn->in)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a flight of more than %u bytes",
                              HF_TLS_PEER_FLIGHT_MAX);
    }
    return hf_buf_append(&conn->in, content);
}

static const struct hf_native_rule *find_rule(const struct hf_native *conn, uint8_t type)
{
    for (size_t i = 0; i < conn->role->n_rules; i++) {
        const struct hf_native_rule *rule = &conn->role->rules[i];
        if (rule->state == conn->fsm.state && rule->type == type) {
            return rule;
        }
    }
    return NULL;
}

/* Looks at the next message. *out_rule is NULL when it isn't whole yet. A message that may not come
 * now, or is too long, is refused by its header. */
static enum hf_err next_message(struct hf_native *conn, struct hf_msg *out,
                                const struct hf_native_rule **out_rule)
{
    hf_buf_consume(&conn->in, conn->in_taken);
    conn->in_taken = 0;
    *out_rule = NULL;
    struct hf_bytes held = hf_buf_bytes(&conn->in);
    if (held.len < HF_MSG_HEADER_LEN) {
        return HF_OK;
    }
    size_t len = (size_t)held.ptr[1] << 16 | (size_t)held.ptr[2] << 8 | held.ptr[3];
    const struct hf_native_rule *rule = find_rule(conn, held.ptr[0]);
    if (!rule) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE, "%s may not come in state %s",
                              hf_msg_name(held.ptr[0]), hf_fsm_name(&conn->fsm));
    }
    if (len > hf_msg_max(rule->type)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "%s of %zu bytes is too long",
                              hf_msg_name(rule->type), len);
    }
    if (held.len - HF_MSG_HEADER_LEN < len) {
        return HF_OK;
    }
    *out = (struct hf_msg){.type = rule->type,
                           .body = hf_bytes_of(held.ptr + HF_MSG_HEADER_LEN, len),
                           .raw = hf_bytes_of(held.ptr, HF_MSG_HEADER_LEN + len)};
    if (rule->ends && out->raw.len != held.len) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                              "excess handshake data behind %s, where keys change",
                              hf_msg_name(rule->type));
    }
    *out_rule = rule;
    return HF_OK;
}

static void move_on(struct hf_native *conn, uint8_t next)
{
    if (next) {
        hf_native_move(conn, next);
    }
}

/* Handles one message if there is a whole one. */
static enum hf_err handle_message(struct hf_native *conn, bool *out_handled)
{
    struct hf_msg msg;
    const struct hf_native_rule *rule;
    *out_handled = false;
    HF_TRY(next_message(conn, &msg, &rule));
    if (!rule) {
        return HF_OK;
    }
    *out_handled = true;
    conn->in_taken = msg.raw.len;
    enum hf_err err = rule->on(conn, &msg);
    if (err != HF_OK) {
        return hf_fail_context(err, "%s", hf_msg_name(msg.type));
    }
    move_on(conn, rule->next);
    return HF_OK;
}

enum hf_err hf_native_record_failed(struct hf_native *conn, const struct hf_record_in *got)
{
    hf_native_set_alert(conn, got->alert,
                        got->alert == HF_ALERT_INTERNAL_ERROR ? HF_REASON_INTERNAL
                                                              : HF_REASON_PROTOCOL);
    return HF_E_PEER;
}

/* What came first, when it can't be TLS: told apart for whoever reads the log. */
static enum hf_err refuse_stranger(struct hf_native *conn, struct hf_bytes first)
{
    static const char *const methods[] = {"GET ", "POST", "PUT ", "HEAD", "HTTP",
                                          "CONN", "OPTI", "DELE", "PATC", "PRI "};
    for (size_t i = 0; i < HF_N_ELEMENTS(methods); i++) {
        if (first.len >= 4 && memcmp(first.ptr, methods[i], 4) == 0) {
            return hf_native_refuse(conn, HF_REASON_PLAIN_HTTP, "plain HTTP came instead of TLS");
        }
    }
    return hf_native_refuse(conn, HF_REASON_NOT_TLS, "what came is not TLS");
}

/* A first record that isn't one: of no type of TLS, or of no version 3.x. */
static bool is_stranger(const struct hf_native *conn, struct hf_bytes first)
{
    enum { MAJOR = 3 };
    if (!conn->hs || conn->hs->n_in || conn->greeted || first.len < HF_RECORD_HEADER_LEN) {
        return false;
    }
    return first.ptr[0] < HF_RECORD_CHANGE_CIPHER_SPEC || first.ptr[0] > HF_RECORD_DATA ||
           first.ptr[1] != MAJOR;
}

/* Until the client is known to offer TLS 1.3, what it sent is kept as it came (door.c). */
static enum hf_err keep_for_door(struct hf_native *conn, struct hf_bytes before,
                                 struct hf_span after)
{
    if (!conn->server || conn->fsm.state != conn->role->first || !hf_native_ctx(conn)->door) {
        return HF_OK;
    }
    return hf_buf_append(&conn->hs->hello, hf_bytes_of(before.ptr, before.len - after.len));
}

/* Refused early data comes before the second ClientHello, and not within it. */
static void end_outer_early_data(struct hf_native *conn)
{
    if (conn->record.early == HF_RECORD_EARLY_OUTER) {
        conn->record.early = HF_RECORD_EARLY_NONE;
    }
}

/* Takes one record while a handshake runs. */
static enum hf_tls_step take_record(struct hf_native *conn, struct hf_tls_io *io)
{
    struct hf_crypto *crypto = hf_crypto_here();
    struct hf_record_in got;
    struct hf_bytes first = hf_span_bytes(io->in);
    enum hf_err err = HF_OK;
    if (!crypto) {
        return hf_native_fail_out(conn, io, HF_E_NOMEM);
    }
    if (is_stranger(conn, first)) {
        return hf_native_fail_out(conn, io, refuse_stranger(conn, first));
    }
    switch (hf_record_open(&conn->record, crypto, &io->in, &got)) {
    case HF_RECORD_MORE:
        return HF_TLS_WANT_INPUT;
    case HF_RECORD_FAILED:
        return hf_native_fail_out(conn, io, hf_native_record_failed(conn, &got));
    case HF_RECORD_GOT:
        break;
    }
    conn->greeted = true;
    err = keep_for_door(conn, first, io->in);
    if (got.was_protected) {
        conn->record.allow_plain_alert = false;
    }
    if (got.type == HF_RECORD_ALERT) {
        return hf_native_on_alert(conn, io, hf_span_bytes(got.content));
    }
    if (err != HF_OK) {
        return hf_native_fail_out(conn, io, err);
    }
    if (got.type == HF_RECORD_HANDSHAKE) {
        end_outer_early_data(conn);
        err = hf_native_take_handshake(conn, hf_span_bytes(got.content));
    } else {
        err = hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                             "application data instead of handshake messages in state %s",
                             hf_fsm_name(&conn->fsm));
    }
    return err == HF_OK ? HF_TLS_DONE : hf_native_fail_out(conn, io, err);
}

/* --- The loop -----------------------------------------------------------------------------------
 */

static bool waits_for_job(struct hf_native *conn)
{
    if (!conn->hs || conn->hs->job.state != HF_JOB_ASKED) {
        return false;
    }
    if (hf_native_ctx(conn)->inline_jobs) {
        hf_native_job_run(&conn->hs->job.base);
        return false;
    }
    return true;
}

static bool waits_for_verdict(const struct hf_native *conn)
{
    return conn->hs && conn->hs->verdict_due;
}

/* One step of the machine; *out_idle when there is nothing to do without the peer. */
static enum hf_err turn(struct hf_native *conn, bool *out_idle)
{
    const struct hf_native_act_of *of = &conn->role->acts[conn->fsm.state];
    *out_idle = false;
    if (of->act) {
        HF_TRY(of->act(conn));
        move_on(conn, of->next);
        return HF_OK;
    }
    bool handled;
    HF_TRY(handle_message(conn, &handled));
    *out_idle = !handled;
    return HF_OK;
}

/* The handshake state goes when its flight is out, unless an answer to it is still to come; with it
 * goes the parsed chain, of which the context's memory has what comes again. */
static enum hf_tls_step settle(struct hf_native *conn, struct hf_tls_io *io)
{
    enum hf_tls_step step = hf_native_flush(conn, io);
    if (step == HF_TLS_DONE && conn->hs && !conn->hs->keep) {
        hf_native_hs_free(conn);
        hf_tls_pack_peer(&conn->base);
    }
    if (step == HF_TLS_DONE && hf_buf_len(&conn->in) == 0) {
        hf_buf_release(&conn->in);
    }
    return step;
}

enum hf_tls_step hf_native_drive(struct hf_native *conn, struct hf_tls_io *io)
{
    if (waits_for_verdict(conn)) {
        enum hf_err err = hf_peer_judge(conn);
        if (err != HF_OK) {
            return hf_native_fail_out(conn, io, err);
        }
        if (waits_for_verdict(conn)) {
            return HF_TLS_WANT_VERDICT;
        }
    }
    for (;;) {
        if (conn->hs && conn->hs->flush) {
            enum hf_tls_step step = hf_native_flush(conn, io);
            if (step != HF_TLS_DONE) {
                return step;
            }
        }
        if (waits_for_job(conn)) {
            return HF_TLS_WANT_JOB;
        }
        bool idle;
        enum hf_err err = turn(conn, &idle);
        if (err == HF_OK && waits_for_verdict(conn)) {
            return HF_TLS_WANT_VERDICT;
        }
        if (err != HF_OK) {
            return hf_native_fail_out(conn, io, err);
        }
        if (!idle || conn->door) {
            if (conn->door) {
                return HF_TLS_DONE;
            }
            continue;
        }
        if (is_connected(conn)) {
            return settle(conn, io);
        }
        enum hf_tls_step step = hf_native_flush(conn, io);
        step = step == HF_TLS_DONE ? take_record(conn, io) : step;
        if (step != HF_TLS_DONE) {
            return step;
        }
    }
}
