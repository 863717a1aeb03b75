// SPDX-License-Identifier: Apache-2.0
/* The verdict on a request, given to the recorder. The query isn't told: it may hold secrets. */
#include <stdio.h>

#include "base/text.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/recorder.h"
#include "proxy/session_account.h"

/* Copies foreign text so that it can be shown; what doesn't fit is cut. */
static void copy(char *out, size_t size, struct hf_bytes text)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(size + 8);
    if (hf_append_printable(&safe, text, size - 4) == HF_OK) {
        snprintf(out, size, "%.*s", (int)hf_buf_len(&safe), (const char *)hf_buf_bytes(&safe).ptr);
    }
}

static void add_request(struct hf_account *account, const struct hf_exchange *x)
{
    const struct hf_http_msg *msg = x->request;
    const struct hf_route_table *table = x->door->cfg->route_table;
    if (msg) {
        copy(account->method, sizeof(account->method), hf_http_msg_text(msg, msg->method_text));
        copy(account->host, sizeof(account->host), hf_http_msg_text(msg, x->authority));
        copy(account->path, sizeof(account->path), hf_http_msg_text(msg, x->path));
    }
    copy(account->request_id, sizeof(account->request_id), hf_bytes_str(x->ids.request));
    if (x->verdict.route != HF_ROUTE_NONE && table) {
        snprintf(account->route, sizeof(account->route), "%s",
                 hf_route_table_name(table, x->verdict.route));
        hf_request_rule_name(table, &x->verdict, account->rule);
    }
}

static void add_why(struct hf_account *account, const struct hf_exchange *x, enum hf_mishap why)
{
    if (why == HF_MISHAP_REFUSED) {
        const struct hf_bar *bar = x->down ? x->down->session->bar : NULL;
        hf_account_set_reason(account, x->verdict.reason, bar ? bar->text : NULL);
        if (x->verdict.route != HF_ROUTE_NONE) {
            hf_request_verdict_text(x->door->cfg->route_table, &x->verdict, account->text,
                                    sizeof(account->text));
        }
        account->status = x->verdict.status;
        account->kind = HF_VERDICT_REFUSED;
        return;
    }
    bool bad = why == HF_MISHAP_BAD_REQUEST;
    account->code = bad ? hf_http_fault_code(x->fault) : hf_mishap_code(why);
    account->todo = hf_mishap_todo(why);
    account->status = bad ? hf_http_fault_status(x->fault) : hf_mishap_status(why);
    snprintf(account->text, sizeof(account->text), "%s",
             bad ? hf_http_fault_text(x->fault) : hf_mishap_text(why));
    account->kind = HF_VERDICT_NOISE;
}

void hf_exchange_account(const struct hf_exchange *x, enum hf_mishap why)
{
    struct hf_recorder *recorder = x->hub->worker->recorder;
    struct hf_account *account = recorder ? hf_account_new(HF_ABOUT_REQUEST) : NULL;
    if (!account) {
        return;
    }
    account->id = x->id;
    if (x->down) {
        account->connection = x->down->session->id;
        hf_account_add_client(account, x->down->session);
    }
    add_request(account, x);
    add_why(account, x, why);
    hf_recorder_give(recorder, account);
}
