// SPDX-License-Identifier: Apache-2.0
#include "proxy/explain_admin.h"

#include <string.h>

#include "base/text.h"
#include "proxy/daemon_impl.h"
#include "proxy/reports.h"

static bool is_text(const json_t *object, const char *key, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && strcmp(text, wanted) == 0;
}

static bool has_id(const json_t *verdict, const char *id)
{
    return is_text(verdict, "id", id) || is_text(verdict, "connection", id) ||
           is_text(json_object_get(verdict, "request"), "id", id);
}

/* "192.0.2.7" is "192.0.2.7:1234" too, and "::1" is "[::1]:1234". */
static bool is_peer(const json_t *verdict, const char *wanted)
{
    const char *peer = json_string_value(json_object_get(verdict, "peer"));
    size_t len = strlen(wanted);
    if (!peer) {
        return false;
    }
    if (strcmp(peer, wanted) == 0) {
        return true;
    }
    const char *host = peer[0] == '[' && wanted[0] != '[' ? peer + 1 : peer;
    return strncmp(host, wanted, len) == 0 && (host[len] == ':' || host[len] == ']') &&
           !strchr(host + len + (host[len] == ']') + 1, ':');
}

static bool is_wanted(const struct hf_verdict_query *query, const json_t *verdict)
{
    return (!query->id[0] || has_id(verdict, query->id)) &&
           (!query->peer[0] || is_peer(verdict, query->peer));
}

bool hf_verdict_query_found(void *ctx, enum hf_verdict_kind kind, uint64_t number,
                            struct hf_bytes text)
{
    struct hf_verdict_search *search = ctx;
    const struct hf_verdict_query *query = search->query;
    bool any = query->all || query->id[0] || query->peer[0];
    (void)number;
    if (!any && kind != HF_VERDICT_REFUSED) {
        return true;
    }
    json_t *verdict = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(verdict) && is_wanted(query, verdict)) {
        json_array_append(search->found, verdict);
    }
    json_decref(verdict);
    return json_array_size(search->found) <
           (query->limit ? query->limit : HF_VERDICT_QUERY_DEFAULT);
}

void hf_admin_verdicts(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    struct hf_verdict_query query = {0};
    char text[16];
    uint64_t limit;
    (void)hf_httpd_param(call, "id", query.id, sizeof(query.id));
    (void)hf_httpd_param(call, "peer", query.peer, sizeof(query.peer));
    query.all = hf_httpd_param(call, "all", text, sizeof(text));
    if (hf_httpd_param(call, "limit", text, sizeof(text)) &&
        hf_parse_uint(text, HF_VERDICT_QUERY_MAX, &limit) == HF_OK) {
        query.limit = limit;
    }
    struct hf_verdict_search search = {&query, json_array()};
    if (!search.found || hf_recorder_each(daemon->recorder, hf_verdict_query_found, &search)) {
        json_decref(search.found);
        hf_httpd_error(call, 500, "verdicts", "%s", hf_err_text());
        return;
    }
    hf_httpd_json(call, 200, json_pack("{s:o}", "verdicts", search.found));
}

void hf_admin_reports(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    hf_httpd_json(call, 200, hf_reports_json(daemon->reports));
}
