// SPDX-License-Identifier: Apache-2.0
/*
 * The session's lines in the log. The fields are part of the interface: docs/operations.md lists
 * them, and tools parse them.
 */
#include "proxy/session_log.h"

#include "base/text.h"

static void begin(struct hf_log_line *line, const struct hf_session *session,
                  enum hf_log_level level, const char *event)
{
    hf_log_begin(line, session->worker->log, level, event);
    if (!line->log) {
        return;
    }
    char id[HF_SESSION_ID_SIZE];
    char peer[HF_ADDR_TEXT_SIZE];
    struct hf_addr addr;
    hf_session_id_format(session, id);
    hf_session_peer(session, &addr);
    hf_addr_format(&addr, peer);
    hf_log_str(line, "id", id);
    hf_log_str(line, "listener", session->door->cfg->name);
    hf_log_str(line, "peer", peer);
}

/* Load balancers probe every few seconds, day and night. */
static enum hf_log_level ordinary(const struct hf_session *session)
{
    return session->vitals_only ? HF_LOG_DEBUG : HF_LOG_INFO;
}

static void add_tls(struct hf_log_line *line, const struct hf_tls *tls)
{
    if (!tls) {
        return;
    }
    struct hf_tls_info info;
    hf_tls_info(tls, &info);
    hf_log_str(line, "sni", info.sni);
    hf_log_str(line, "alpn", info.alpn);
    hf_log_str(line, "version", info.version);
    hf_log_str(line, "suite", info.suite);
    hf_log_str(line, "group", info.group);
    if (info.complete) {
        hf_log_bool(line, "resumed", info.resumed);
    }
}

static void add_alerts(struct hf_log_line *line, const struct hf_tls *tls)
{
    if (!tls) {
        return;
    }
    struct hf_tls_info info;
    hf_tls_info(tls, &info);
    if (info.alert_sent != HF_ALERT_NONE) {
        hf_log_str(line, "alert_sent", hf_alert_name(info.alert_sent));
    }
    if (info.alert_received != HF_ALERT_NONE) {
        hf_log_str(line, "alert_received", hf_alert_name(info.alert_received));
    }
}

static void add_identity(struct hf_log_line *line, const struct hf_identity *identity)
{
    if (!identity) {
        return;
    }
    char until[HF_TIME_TEXT_SIZE];
    hf_log_str(line, "identity", hf_identity_display(identity));
    hf_log_str(line, "subject", identity->subject);
    hf_log_str(line, "serial", identity->serial);
    hf_log_str(line, "issuer", identity->issuer);
    if (identity->not_after != INT64_MAX) {
        hf_format_time(identity->not_after, until);
        hf_log_str(line, "not_after", until);
    }
}

static void add_took(struct hf_log_line *line, const struct hf_session *session)
{
    int64_t now = hf_clock_mono_ns(session->worker->clock);
    hf_log_int(line, "took_us", (now - session->arrival->accepted_ns) / 1000);
}

void hf_session_log_accepted(const struct hf_session *session)
{
    struct hf_log_line line;
    bool reported = session->arrival->verdict.reported;
    begin(&line, session, reported ? HF_LOG_WARN : ordinary(session), "handshake");
    if (!line.log) {
        return;
    }
    const struct hf_verdict *verdict = &session->arrival->verdict;
    hf_log_str(&line, "result", "accepted");
    add_tls(&line, session->client.tls);
    add_identity(&line, session->identity);
    if (session->identity) {
        hf_log_bool(&line, "verified", session->verified);
    }
    if (verdict->reason != HF_REASON_OK) { /* let in all the same: request-unverified */
        hf_log_str(&line, "reason", hf_reason_code(verdict->reason));
        hf_log_str(&line, "detail", verdict->text);
    }
    if (verdict->reported) {
        hf_log_bool(&line, "report_only", true);
    }
    add_took(&line, session);
    hf_log_end(&line);
}

void hf_log_denial(struct hf_log_line *line, const struct hf_denial *denial,
                   const struct hf_tls *tls)
{
    hf_log_str(line, "reason", hf_reason_code(denial->reason));
    hf_log_str(line, "step", hf_step_name(denial->step));
    hf_log_str(line, "detail", denial->text);
    if (denial->concerns && *denial->concerns) {
        hf_log_str(line, "concerns", denial->concerns);
    }
    add_alerts(line, tls);
}

void hf_session_log_refused(const struct hf_session *session, const struct hf_denial *refusal)
{
    struct hf_log_line line;
    begin(&line, session, HF_LOG_WARN, "handshake");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "result", "refused");
    hf_log_denial(&line, refusal, session->client.tls);
    hf_log_str(&line, "answer", session->bar ? "page" : NULL);
    add_tls(&line, session->client.tls);
    add_identity(&line, session->identity);
    add_took(&line, session);
    hf_log_end(&line);
}

void hf_session_log_upstream(const struct hf_session *session, const struct hf_denial *refusal,
                             const char *why)
{
    struct hf_log_line line;
    begin(&line, session, HF_LOG_WARN, "upstream");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "upstream", session->door->to->cfg->name);
    hf_log_str(&line, "server", session->upstream ? session->upstream->cfg->text : NULL);
    hf_log_str(&line, "result", "failed");
    if (refusal) {
        hf_log_denial(&line, refusal, session->server.tls);
    } else {
        hf_log_str(&line, "detail", why);
    }
    hf_log_end(&line);
}

void hf_session_log_no_longer(const struct hf_session *session, const struct hf_verdict *verdict)
{
    struct hf_log_line line;
    begin(&line, session, HF_LOG_WARN, "no-longer-admitted");
    if (!line.log) {
        return;
    }
    if (session->identity) {
        hf_log_str(&line, "identity", hf_identity_display(session->identity));
        hf_log_str(&line, "serial", session->identity->serial);
    }
    hf_log_str(&line, "reason", hf_reason_code(verdict->reason));
    hf_log_str(&line, "step", hf_step_name(verdict->step));
    hf_log_str(&line, "text", verdict->text);
    if (verdict->concerns[0]) {
        hf_log_str(&line, "concerns", verdict->concerns);
    }
    hf_log_end(&line);
}

void hf_session_log_http2(const struct hf_session *session, uint32_t stream, const char *code,
                          const char *text)
{
    struct hf_log_line line;
    begin(&line, session, HF_LOG_INFO, "http2");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "result", stream ? "reset" : "ended");
    if (stream) {
        hf_log_int(&line, "stream", (int64_t)stream);
    }
    hf_log_str(&line, "reason", code);
    hf_log_str(&line, "detail", text);
    if (session->identity) {
        hf_log_str(&line, "identity", hf_identity_display(session->identity));
    }
    hf_log_end(&line);
}

void hf_session_log_end(const struct hf_session *session, enum hf_cause cause)
{
    struct hf_log_line line;
    begin(&line, session, ordinary(session), "connection");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "cause", hf_cause_name(cause));
    if (session->identity) {
        hf_log_str(&line, "identity", hf_identity_display(session->identity));
        hf_log_str(&line, "serial", session->identity->serial);
    }
    hf_log_str(&line, "upstream", session->upstream ? session->upstream->cfg->text : NULL);
    hf_log_int(&line, "bytes_in", (int64_t)session->client.n_in);
    hf_log_int(&line, "bytes_out", (int64_t)session->client.n_out);
    hf_log_int(&line, "duration_ms", hf_loop_now_ms(session->worker->loop) - session->since_ms);
    add_alerts(&line, session->client.tls);
    hf_log_end(&line);
}

struct hf_denial hf_session_refusal(const struct hf_leg *leg, bool judged,
                                    const struct hf_verdict *verdict)
{
    if (judged && !verdict->allow) {
        return (struct hf_denial){verdict->reason, verdict->step, verdict->text, verdict->concerns};
    }
    const struct hf_tls_failure *failure = hf_tls_failure(leg->tls);
    enum hf_reason reason = failure->reason == HF_REASON_OK ? HF_REASON_INTERNAL : failure->reason;
    return (struct hf_denial){reason, hf_reason_step(reason), failure->text, NULL};
}
