// SPDX-License-Identifier: Apache-2.0
#include "proxy/revoke_admin.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "proxy/daemon_impl.h"
#include "proxy/denials.h"

/* A call that waits for the workers. */
struct revoking {
    struct hf_daemon *daemon;
    struct hf_httpd_call *call;
    uint64_t id;
};

static void say(struct hf_daemon *daemon, const char *event, uint64_t id, const char *selector,
                size_t n_closed)
{
    struct hf_log_line line;
    hf_log_begin(&line, &daemon->log, HF_LOG_WARN, event);
    hf_log_int(&line, "entry", (int64_t)id);
    hf_log_str(&line, "selector", selector);
    hf_log_int(&line, "closed", (int64_t)n_closed);
    hf_log_end(&line);
}

static const struct hf_deny_entry *find(const struct hf_daemon *daemon, uint64_t id)
{
    const struct hf_denylist *list = hf_denials_list(daemon->denials);
    for (size_t i = 0; i < hf_denylist_count(list); i++) {
        if (hf_denylist_at(list, i)->id == id) {
            return hf_denylist_at(list, i);
        }
    }
    return NULL;
}

static void on_taught(void *ctx, size_t n_closed)
{
    struct revoking *revoking = ctx;
    const struct hf_deny_entry *entry = find(revoking->daemon, revoking->id);
    const char *selector = entry ? entry->selector : NULL; /* undone meanwhile */
    say(revoking->daemon, "revoke", revoking->id, selector, n_closed);
    hf_httpd_json(revoking->call, 200,
                  json_pack("{s:I, s:s?, s:I}", "id", (json_int_t)revoking->id, "selector",
                            selector, "closed", (json_int_t)n_closed));
    hf_free(revoking);
}

/* Has the workers judge by the list as it is now. Without memory they are told at the next change,
 * which is said: the entry itself is safe on disk. */
static void teach(struct hf_daemon *daemon, hf_daemon_taught_fn *on_end, void *ctx,
                  struct hf_httpd_call *call)
{
    struct hf_ledger *ledger = NULL;
    enum hf_err err = hf_ledger_deny(daemon->ledger, hf_denials_list(daemon->denials), &ledger);
    if (err == HF_OK) {
        err = hf_daemon_teach(daemon, ledger, on_end, ctx);
    }
    if (err != HF_OK) {
        memset(daemon->lists_seen, 0, sizeof(daemon->lists_seen)); /* at the next look */
        hf_httpd_error(call, 503, hf_err_name(err),
                       "the entry is on the list; sessions will be judged within seconds: %s",
                       hf_err_text());
        hf_free(ctx);
    }
}

static bool has_list(struct hf_daemon *daemon, struct hf_httpd_call *call)
{
    if (!daemon->denials) {
        hf_httpd_error(call, 409, "no-state",
                       "the config names no folder to keep a deny list in: set `state`");
    }
    return daemon->denials != NULL;
}

static unsigned status_of(enum hf_err err)
{
    return err == HF_E_INVALID || err == HF_E_TOO_LARGE ? 400 : err == HF_E_NOT_FOUND ? 404 : 500;
}

void hf_admin_revoke(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    char selector[HF_SELECTOR_MAX + 1], reason[HF_DENYLIST_REASON_MAX + 1] = "", until_text[24];
    uint64_t until = 0;
    if (!has_list(daemon, call)) {
        return;
    }
    if (!hf_httpd_param(call, "selector", selector, sizeof(selector))) {
        hf_httpd_error(call, 400, "usage", "say whom, as in selector=serial:1f2e");
        return;
    }
    (void)hf_httpd_param(call, "reason", reason, sizeof(reason));
    if (hf_httpd_param(call, "until", until_text, sizeof(until_text)) &&
        hf_parse_uint(until_text, INT64_MAX, &until) != HF_OK) {
        hf_httpd_error(call, 400, "usage", "until is in Unix seconds");
        return;
    }
    struct revoking *revoking = HF_NEW(struct revoking);
    uint64_t id = 0;
    enum hf_err err = revoking ? hf_denials_add(daemon->denials, selector, reason, (int64_t)until,
                                                hf_clock_wall_s(&hf_os_clock), &id)
                               : HF_E_NOMEM;
    if (err != HF_OK) {
        hf_free(revoking);
        hf_httpd_error(call, status_of(err), hf_err_name(err), "%s", hf_err_text());
        return;
    }
    *revoking = (struct revoking){daemon, call, id};
    teach(daemon, on_taught, revoking, call);
}

static void on_undone(void *ctx, size_t n_closed)
{
    struct revoking *revoking = ctx;
    say(revoking->daemon, "undo-revoke", revoking->id, NULL, n_closed);
    hf_httpd_json(revoking->call, 200, json_pack("{s:I}", "id", (json_int_t)revoking->id));
    hf_free(revoking);
}

void hf_admin_undo(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    char text[24];
    uint64_t id = 0;
    if (!has_list(daemon, call)) {
        return;
    }
    if (!hf_httpd_param(call, "id", text, sizeof(text)) ||
        hf_parse_uint(text, UINT64_MAX, &id) != HF_OK) {
        hf_httpd_error(call, 400, "usage", "say which entry, as in id=7");
        return;
    }
    struct revoking *revoking = HF_NEW(struct revoking);
    enum hf_err err = revoking ? hf_denials_undo(daemon->denials, id) : HF_E_NOMEM;
    if (err != HF_OK) {
        hf_free(revoking);
        hf_httpd_error(call, status_of(err), hf_err_name(err), "%s", hf_err_text());
        return;
    }
    *revoking = (struct revoking){daemon, call, id};
    teach(daemon, on_undone, revoking, call);
}

void hf_admin_revocations(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    if (!has_list(daemon, call)) {
        return;
    }
    const struct hf_denylist *list = hf_denials_list(daemon->denials);
    json_t *entries = json_array();
    for (size_t i = 0; i < hf_denylist_count(list); i++) {
        const struct hf_deny_entry *entry = hf_denylist_at(list, i);
        json_array_append_new(
            entries, json_pack("{s:I, s:s, s:s, s:I, s:I}", "id", (json_int_t)entry->id, "selector",
                               entry->selector, "reason", entry->reason, "created_at",
                               (json_int_t)entry->created_at, "until", (json_int_t)entry->until));
    }
    hf_httpd_json(call, 200, json_pack("{s:o}", "entries", entries));
}
