// SPDX-License-Identifier: Apache-2.0
/* The line and the counts of an exchange that is over. */
#include <stdio.h>

#include "proxy/http/exchange_impl.h"
#include "proxy/session.h"

enum { SENTENCE_MAX = 512 };

static void add_part(struct hf_log_line *line, const char *key, const struct hf_http_msg *msg,
                     struct hf_http_slice slice)
{
    if (slice.len) {
        hf_log_bytes(line, key, hf_http_msg_text(msg, slice));
    }
}

static const char *cause_of(const struct hf_exchange *x)
{
    if (x->mishap == HF_MISHAP_REFUSED) {
        return hf_reason_code(x->verdict.reason);
    }
    return x->fault ? hf_http_fault_code(x->fault) : hf_mishap_code(x->mishap);
}

void hf_exchange_log(const struct hf_exchange *x)
{
    struct hf_log_line line;
    char id[HF_SESSION_ID_SIZE];
    hf_log_begin(&line, x->hub->worker->log, HF_LOG_INFO, "request");
    if (!line.log) {
        return;
    }
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)x->id);
    hf_log_str(&line, "id", id);
    hf_session_id_format(x->session, id);
    hf_log_str(&line, "connection", id);
    hf_log_str(&line, "listener", x->door->cfg->name);
    if (x->request) {
        add_part(&line, "method", x->request, x->request->method_text);
        add_part(&line, "host", x->request, x->authority);
        add_part(&line, "path", x->request, x->path);
    }
    if (x->session->identity) {
        hf_log_str(&line, "identity", hf_identity_display(x->session->identity));
    }
    char rule[HF_REQUEST_RULE_MAX];
    hf_request_rule_name(x->door->cfg->route_table, &x->verdict, rule);
    hf_log_str(&line, "rule", *rule ? rule : NULL);
    hf_log_int(&line, "status", x->status);
    if (x->mishap != HF_MISHAP_NONE) {
        hf_log_str(&line, "cause", cause_of(x));
    }
    if (x->mishap == HF_MISHAP_REFUSED || x->verdict.would_refuse) {
        char text[SENTENCE_MAX];
        hf_request_verdict_text(x->door->cfg->route_table, &x->verdict, text, sizeof(text));
        hf_log_str(&line, "would_refuse",
                   x->verdict.would_refuse ? hf_reason_code(x->verdict.reason) : NULL);
        hf_log_str(&line, "detail", text);
    }
    hf_log_str(&line, "upstream", x->server ? x->server->cfg->text : NULL);
    hf_log_int(&line, "bytes_in", (int64_t)x->n_in);
    hf_log_int(&line, "bytes_out", (int64_t)x->n_out);
    hf_log_int(&line, "took_us", (hf_clock_mono_ns(x->hub->worker->clock) - x->since_ns) / 1000);
    hf_log_end(&line);
}

void hf_exchange_log_upstream(const struct hf_hub *hub, const struct hf_upstream *upstream,
                              const struct hf_server *server, const char *text)
{
    struct hf_log_line line;
    hf_log_begin(&line, hub->worker->log, HF_LOG_WARN, "upstream");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "upstream", upstream->cfg->name);
    hf_log_str(&line, "server", server ? server->cfg->text : NULL);
    hf_log_str(&line, "result", "failed");
    hf_log_str(&line, "detail", text);
    hf_log_end(&line);
}
