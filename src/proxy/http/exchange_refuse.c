// SPDX-License-Identifier: Apache-2.0
/* Answers of our own: refusals that the client can read. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/refusal.h"
#include "http/status.h"
#include "pki/reason.h"
#include "policy/rewrite.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"

enum { BODY_MAX = 16 << 10 };

static struct hf_bytes field_of(const struct hf_exchange *x, const char *name)
{
    struct hf_bytes value = hf_bytes_str("");
    if (x->request) {
        (void)hf_http_msg_get_str(x->request, name, &value);
    }
    return value;
}

static enum hf_err add_field(void *ctx, const char *name, struct hf_bytes value)
{
    return hf_http_msg_add(ctx, hf_bytes_str(name), value);
}

/* Fills msg and body; the form decides what they look like. */
static enum hf_err compose(struct hf_exchange *x, const struct hf_refusal *refusal,
                           enum hf_refusal_form form, struct hf_http_msg *msg, struct hf_buf *body)
{
    unsigned status = 0;
    char date[HF_HTTP_DATE_SIZE];
    HF_TRY(hf_http_msg_set_status(msg, refusal->status));
    HF_TRY(hf_refusal_write(refusal, form, add_field, msg, &status, body));
    HF_TRY(hf_http_msg_set_status(msg, status));
    hf_http_date(hf_clock_wall_s(x->hub->worker->clock), date);
    HF_TRY(hf_http_msg_set_str(msg, "date", date));
    msg->body = hf_buf_len(body) ? HF_BODY_LENGTH : HF_BODY_NONE;
    if (!hf_refusal_is_grpc(form)) {
        msg->body = HF_BODY_LENGTH;
        msg->has_length = true;
        msg->length = hf_buf_len(body);
    }
    return HF_OK;
}

static void send_answer(struct hf_exchange *x, const struct hf_http_msg *msg, struct hf_bytes body)
{
    bool head_only = x->request && x->request->method == HF_METHOD_HEAD;
    const struct hf_down_ops *ops = &x->down->kind->ops;
    ops->head(x, msg, head_only || body.len == 0);
    if (x->down && body.len && !head_only) {
        x->n_out += body.len;
        (void)ops->data(x, body);
    }
    x->answered = true;
    if (x->down) {
        ops->end(x, NULL);
    }
}

/* Gives the answer that msg and body are; msg goes back. */
static void give(struct hf_exchange *x, enum hf_err err, struct hf_http_msg *msg,
                 struct hf_bytes body)
{
    if (err != HF_OK) {
        hf_http_msg_pool_put(&x->hub->msgs, msg);
        hf_exchange_abort(x, HF_MISHAP_INTERNAL);
        return;
    }
    if (x->request && x->request->method == HF_METHOD_HEAD) {
        msg->body = HF_BODY_NONE; /* its length is told all the same */
    }
    hf_fsm_move(&x->fsm, HF_X_ANSWER);
    x->status = msg->status;
    hf_exchange_arm(x);
    send_answer(x, msg, body);
    hf_http_msg_pool_put(&x->hub->msgs, msg);
}

static void describe(const struct hf_exchange *x, enum hf_mishap why, struct hf_refusal *out)
{
    *out = (struct hf_refusal){hf_mishap_status(why), hf_mishap_code(why), hf_mishap_text(why)};
    if (why == HF_MISHAP_BAD_REQUEST) {
        out->status = hf_http_fault_status(x->fault);
        out->code = hf_http_fault_code(x->fault);
    } else if (why == HF_MISHAP_REFUSED) {
        out->status = x->verdict.status;
        out->code = hf_reason_code(x->verdict.reason);
        out->text = hf_reason_text(x->verdict.reason);
        hf_exchange_auth_describe(x, out);
    }
}

void hf_exchange_answer_ourselves(struct hf_exchange *x, enum hf_mishap why)
{
    char id[HF_SESSION_ID_SIZE];
    struct hf_refusal refusal;
    if (!x->down) {
        return;
    }
    describe(x, why, &refusal);
    hf_exchange_account(x, why);
    hf_format_id(x->id, id);
    refusal.id = *x->ids.request ? x->ids.request : id;
    HF_CLEANUP(hf_buf_done) struct hf_buf body = HF_BUF_INIT(BODY_MAX);
    struct hf_http_msg *msg = hf_http_msg_pool_get(&x->hub->msgs);
    enum hf_refusal_form form =
        hf_refusal_form_of(field_of(x, "content-type"), field_of(x, "accept"));
    enum hf_err err = msg ? compose(x, &refusal, form, msg, &body) : HF_E_NOMEM;
    give(x, err, msg, hf_buf_bytes(&body));
}

/* --- What routes answer -------------------------------------------------------------------------
 */

static enum hf_err begin(struct hf_exchange *x, unsigned status, struct hf_bytes body,
                         struct hf_http_msg *msg)
{
    char date[HF_HTTP_DATE_SIZE];
    bool bare = status == 204 || status == 304;
    hf_http_date(hf_clock_wall_s(x->hub->worker->clock), date);
    HF_TRY(hf_http_msg_set_status(msg, status));
    HF_TRY(hf_http_msg_add_str(msg, "date", date));
    msg->body = bare ? HF_BODY_NONE : HF_BODY_LENGTH;
    msg->has_length = !bare;
    msg->length = body.len;
    return HF_OK;
}

static enum hf_err compose_respond(struct hf_exchange *x, const struct hf_cfg_respond *respond,
                                   struct hf_bytes body, struct hf_http_msg *msg)
{
    bool typed = body.len == 0;
    HF_TRY(begin(x, respond->status, body, msg));
    for (size_t i = 0; i < respond->headers.n; i++) {
        HF_TRY(hf_http_msg_add_str(msg, respond->headers.item[i].name,
                                   respond->headers.item[i].value));
        typed |= strcmp(respond->headers.item[i].name, "content-type") == 0;
    }
    if (!typed) {
        HF_TRY(hf_http_msg_add_str(msg, "content-type", "text/plain; charset=utf-8"));
    }
    hf_exchange_judge_answer(x, msg);
    return HF_OK;
}

void hf_exchange_respond(struct hf_exchange *x, const struct hf_cfg_respond *respond)
{
    bool bare = respond->status == 204 || respond->status == 304;
    struct hf_bytes body = hf_bytes_str(respond->body.value && !bare ? respond->body.value : "");
    struct hf_http_msg *msg = hf_http_msg_pool_get(&x->hub->msgs);
    give(x, msg ? compose_respond(x, respond, body, msg) : HF_E_NOMEM, msg, body);
}

/* {host}, {path} and {query} stand for what the client asked for. */
static enum hf_err expand(const struct hf_exchange *x, const char *text, struct hf_buf *out)
{
    const struct hf_http_msg *msg = x->request;
    struct hf_http_authority authority;
    bool good = hf_http_authority_parse(hf_http_msg_text(msg, x->authority), &authority);
    const struct hf_request request = {
        .host = good ? authority.host : hf_bytes_str(""),
        .path = hf_http_msg_text(msg, msg->path),
        .query = hf_http_msg_text(msg, x->query),
    };
    return hf_location_make(hf_bytes_str(text), &request, out);
}

static enum hf_err compose_redirect(struct hf_exchange *x, const struct hf_cfg_redirect *redirect,
                                    struct hf_http_msg *msg)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf to = HF_BUF_INIT(64 << 10);
    HF_TRY(expand(x, redirect->to.value, &to));
    HF_TRY(begin(x, redirect->status, hf_bytes_str(""), msg));
    HF_TRY(hf_http_msg_add(msg, hf_bytes_str("location"), hf_buf_bytes(&to)));
    hf_exchange_judge_answer(x, msg);
    return HF_OK;
}

void hf_exchange_redirect(struct hf_exchange *x, const struct hf_cfg_redirect *redirect)
{
    struct hf_http_msg *msg = hf_http_msg_pool_get(&x->hub->msgs);
    give(x, msg ? compose_redirect(x, redirect, msg) : HF_E_NOMEM, msg, hf_bytes_str(""));
}
