// SPDX-License-Identifier: Apache-2.0
/*
 * One pass over a request on its way out: strip, identity, address, the operator's headers, ids.
 * The order matters: whatever is set after the strip is ours, or was let through because a listed
 * proxy said it.
 *
 * Every value is rendered into one scratch buffer and then set whole, so that a value that doesn't
 * fit fails the request and is never cut.
 */
#include "http/forward.h"

#include <stdatomic.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "http/chars.h"
#include "http/encode.h"
#include "http/forward_impl.h"
#include "http/template.h"
#include "http/trace.h"
#include "http/xfcc.h"

struct header {
    char *name;
    struct hf_template *value;
};

struct hf_forward {
    atomic_uint refs;
    struct hf_forward_options options; /* without what pointed to the caller's */
    char *token_header;
    char *token_audience;
    bool bearer;
    struct header *headers;
    size_t n_headers;
};

/* --- Compiling ---------------------------------------------------------------------------------*/

/* Fields that frame or route a message, or that are somebody else's to say. */
enum hf_err hf_forward_check_name(const char *name)
{
    static const char *const refused[] = {"cookie", "expect",       "date",
                                          "via",    "content-type", "content-encoding"};
    struct hf_bytes text = hf_bytes_str(name);
    uint8_t traits = 0;
    enum hf_http_name known = hf_http_name_find(text, &traits);
    bool bad = known != HF_HTTP_OTHER && traits & (HF_FIELD_HOP | HF_FIELD_FRAMING);
    for (size_t i = 0; i < HF_N_ELEMENTS(refused); i++) {
        bad = bad || hf_http_eq_str(text, refused[i]);
    }
    if (!text.len || text.len > HF_STRIP_NAME_MAX ||
        hf_http_span(text, HF_CHAR_TOKEN) != text.len) {
        return hf_fail(HF_E_INVALID, "\"%.140s\" is not the name of a header", name);
    }
    return bad ? hf_fail(HF_E_INVALID, "the header %s may not be set to tell who a client is", name)
               : HF_OK;
}

static enum hf_err take_header(struct hf_forward *forward, const struct hf_forward_header *from)
{
    struct header *to = &forward->headers[forward->n_headers++];
    HF_TRY(hf_forward_check_name(from->name));
    to->name = hf_strdup(from->name);
    if (!to->name) {
        return HF_E_NOMEM;
    }
    return hf_template_new(from->value, HF_TEMPLATE_HEADER, &to->value);
}

static enum hf_err take_token(struct hf_forward *forward, const struct hf_forward_options *options)
{
    const char *name = options->token_header ? options->token_header : HF_TOKEN_HEADER;
    if (!options->signer) {
        return hf_fail(HF_E_INVALID, "a token is to be told, and there is nothing to sign it with");
    }
    HF_TRY(hf_forward_check_name(name));
    forward->bearer = hf_http_eq_str(hf_bytes_str(name), "authorization");
    forward->token_header = hf_strdup(name);
    forward->token_audience = hf_strdup(options->token_audience ? options->token_audience : "");
    forward->options.signer = hf_signer_ref(options->signer);
    return forward->token_header && forward->token_audience ? HF_OK : HF_E_NOMEM;
}

static enum hf_err compile(struct hf_forward *forward, const struct hf_forward_options *options)
{
    forward->headers = hf_alloc_zero(options->n_headers + 1, sizeof(struct header));
    if (!forward->headers) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < options->n_headers; i++) {
        HF_TRY(take_header(forward, &options->headers[i]));
    }
    return options->identity & 1u << HF_SPELL_TOKEN ? take_token(forward, options) : HF_OK;
}

enum hf_err hf_forward_new(const struct hf_forward_options *options, struct hf_forward **out)
{
    *out = NULL;
    struct hf_forward *forward = HF_NEW(struct hf_forward);
    if (!forward) {
        return HF_E_NOMEM;
    }
    atomic_init(&forward->refs, 1);
    forward->options = *options;
    forward->options.signer = NULL;
    forward->options.strip = hf_strip_ref(options->strip);
    if (!forward->options.value_max) {
        forward->options.value_max = HF_FORWARD_VALUE_MAX;
    }
    enum hf_err err = compile(forward, options);
    if (err != HF_OK) {
        hf_forward_unref(forward);
        return err;
    }
    *out = forward;
    return HF_OK;
}

bool hf_forward_wants_chain(const struct hf_forward *forward)
{
    unsigned whole = 1u << HF_SPELL_CLIENT_CERT | 1u << HF_SPELL_CLIENT_CERT_CHAIN;
    unsigned parts = 1u << HF_XFCC_PART_CERT | 1u << HF_XFCC_PART_CHAIN;
    const struct hf_forward_options *options = &forward->options;
    bool wants = options->identity & whole ||
                 (options->identity & 1u << HF_SPELL_XFCC && options->xfcc_parts & parts);
    for (size_t i = 0; i < forward->n_headers && !wants; i++) {
        wants = hf_template_wants_chain(forward->headers[i].value);
    }
    return wants;
}

struct hf_forward *hf_forward_ref(struct hf_forward *forward)
{
    atomic_fetch_add_explicit(&forward->refs, 1, memory_order_relaxed);
    return forward;
}

void hf_forward_unref(struct hf_forward *forward)
{
    if (!forward || atomic_fetch_sub_explicit(&forward->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < forward->n_headers; i++) {
        hf_free(forward->headers[i].name);
        hf_template_free(forward->headers[i].value);
    }
    hf_free(forward->headers);
    hf_free(forward->token_header);
    hf_free(forward->token_audience);
    hf_signer_unref(forward->options.signer);
    hf_strip_unref(forward->options.strip);
    hf_free(forward);
}

/* --- Setting fields ----------------------------------------------------------------------------*/

enum hf_err hf_forwarding_set(struct hf_forwarding *to, const char *name)
{
    struct hf_bytes value = hf_http_trim(hf_buf_bytes(&to->value));
    if (!value.len) {
        hf_http_msg_remove_str(to->msg, name);
        return HF_OK;
    }
    return hf_fail_context(hf_http_msg_set(to->msg, hf_bytes_str(name), value), "%s", name);
}

enum hf_err hf_forwarding_set_name(struct hf_forwarding *to, enum hf_http_name name)
{
    struct hf_bytes value = hf_http_trim(hf_buf_bytes(&to->value));
    if (!value.len) {
        hf_http_msg_remove_name(to->msg, name);
        return HF_OK;
    }
    return hf_fail_context(hf_http_msg_set_name(to->msg, name, value), "%s",
                           hf_http_name_text(name));
}

enum hf_err hf_forwarding_lines(struct hf_forwarding *to, enum hf_http_name name)
{
    const struct hf_http_field *field = NULL;
    hf_buf_reset(&to->value);
    while ((field = hf_http_msg_find_name(to->msg, name, field))) {
        HF_TRY(hf_buf_append_str(&to->value, hf_buf_len(&to->value) ? ", " : ""));
        HF_TRY(hf_buf_append(&to->value, hf_http_msg_value(to->msg, field)));
    }
    return HF_OK;
}

/* --- What a connection remembers ---------------------------------------------------------------*/

/* What doesn't change from request to request of a client, by upstream. */
struct memo_entry {
    struct hf_forward *forward;
    char sha256[2 * HF_SHA256_SIZE + 1]; /* of the certificate */
    struct hf_token token;               /* text NULL: none */
    char *xfcc;                          /* an element; NULL: none */
    size_t xfcc_len;
    const struct hf_identity *xfcc_own; /* only compared */
};

struct hf_forward_memo {
    struct memo_entry entry[HF_FORWARD_MEMO_MAX];
    size_t next; /* to be replaced */
};

static void entry_done(struct memo_entry *entry)
{
    hf_forward_unref(entry->forward);
    hf_free(entry->token.text);
    hf_free(entry->xfcc);
    *entry = (struct memo_entry){0};
}

void hf_forward_memo_free(struct hf_forward_memo *memo)
{
    for (size_t i = 0; memo && i < HF_FORWARD_MEMO_MAX; i++) {
        entry_done(&memo->entry[i]);
    }
    hf_free(memo);
}

static struct memo_entry *recall(const struct hf_forward *forward, const struct hf_facts *facts)
{
    struct hf_forward_memo *memo = facts->memo ? *facts->memo : NULL;
    for (size_t i = 0; memo && i < HF_FORWARD_MEMO_MAX; i++) {
        struct memo_entry *entry = &memo->entry[i];
        if (entry->forward == forward && strcmp(entry->sha256, facts->identity->sha256) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* The entry to remember in, perhaps in another's place; NULL: there is no memory for it. */
static struct memo_entry *remember(struct hf_forward *forward, const struct hf_facts *facts)
{
    struct memo_entry *entry = recall(forward, facts);
    if (entry || !facts->memo) {
        return entry;
    }
    if (!*facts->memo) {
        *facts->memo = HF_NEW(struct hf_forward_memo);
    }
    struct hf_forward_memo *memo = *facts->memo;
    if (!memo) {
        return NULL;
    }
    size_t at = memo->next;
    for (size_t i = 0; i < HF_FORWARD_MEMO_MAX; i++) {
        at = memo->entry[i].forward == forward ? i : at;
    }
    memo->next = at == memo->next ? (at + 1) % HF_FORWARD_MEMO_MAX : memo->next;
    entry = &memo->entry[at];
    entry_done(entry);
    entry->forward = hf_forward_ref(forward);
    memcpy(entry->sha256, facts->identity->sha256, sizeof(entry->sha256));
    return entry;
}

/* --- Identity ----------------------------------------------------------------------------------*/

/* The element tells of two certificates and nothing else: it is made once for a connection. */
static enum hf_err append_element(struct hf_forward *forward, struct hf_forwarding *to)
{
    const struct hf_facts *facts = to->facts;
    struct memo_entry *entry = recall(forward, facts);
    if (entry && entry->xfcc && entry->xfcc_own == facts->own) {
        return hf_buf_append(&to->value, hf_bytes_of(entry->xfcc, entry->xfcc_len));
    }
    size_t before = hf_buf_len(&to->value);
    HF_TRY(hf_xfcc_append(&to->value, facts, forward->options.xfcc_parts));
    size_t len = hf_buf_len(&to->value) - before;
    entry = remember(forward, facts);
    if (entry) {
        hf_free(entry->xfcc);
        entry->xfcc = hf_alloc(len ? len : 1); /* without memory it is made again */
        entry->xfcc_len = len;
        entry->xfcc_own = facts->own;
        if (entry->xfcc && len) {
            memcpy(entry->xfcc, hf_buf_bytes(&to->value).ptr + before, len);
        }
    }
    return HF_OK;
}

static enum hf_err set_xfcc(struct hf_forward *forward, struct hf_forwarding *to)
{
    const enum hf_http_name name = HF_HTTP_X_FORWARDED_CLIENT_CERT;
    hf_buf_reset(&to->value);
    if (forward->options.xfcc_mode == HF_XFCC_APPEND) {
        HF_TRY(hf_forwarding_lines(to, name));
    }
    size_t before = hf_buf_len(&to->value);
    if (before) {
        HF_TRY(hf_xfcc_check(hf_buf_bytes(&to->value)));
    }
    if (forward->options.xfcc_mode != HF_XFCC_SANITIZE && hf_facts_peer(to->facts)) {
        HF_TRY(hf_buf_append_str(&to->value, before ? "," : ""));
        HF_TRY(append_element(forward, to));
    }
    return hf_forwarding_set_name(to, name);
}

static enum hf_err append_item(struct hf_buf *value, struct hf_bytes der)
{
    HF_TRY(hf_buf_append_str(value, hf_buf_len(value) ? ", :" : ":"));
    HF_TRY(hf_base64_encode(der, value));
    return hf_buf_append_str(value, ":");
}

/* RFC 9440. The two go together: a chain beside somebody else's certificate would say nothing true,
 * so what a listed proxy sent is either kept whole or replaced whole. */
static enum hf_err set_client_cert(const struct hf_forward *forward, struct hf_forwarding *to)
{
    const struct hf_ders *chain = hf_facts_peer(to->facts) ? to->facts->chain : NULL;
    if (hf_http_msg_find_name(to->msg, HF_HTTP_CLIENT_CERT, NULL)) {
        return HF_OK; /* by a listed proxy */
    }
    hf_buf_reset(&to->value);
    if (chain && chain->n_ders) {
        HF_TRY(append_item(&to->value, chain->der[0]));
    }
    HF_TRY(hf_forwarding_set_name(to, HF_HTTP_CLIENT_CERT));
    hf_buf_reset(&to->value);
    bool whole = forward->options.identity & 1u << HF_SPELL_CLIENT_CERT_CHAIN;
    for (size_t i = 1; whole && chain && i < chain->n_ders; i++) {
        HF_TRY(append_item(&to->value, chain->der[i]));
    }
    return hf_forwarding_set_name(to, HF_HTTP_CLIENT_CERT_CHAIN);
}

/* --- Tokens ------------------------------------------------------------------------------------*/

static enum hf_err put_token(const struct hf_forward *forward, struct hf_forwarding *to,
                             const char *text)
{
    hf_buf_reset(&to->value);
    HF_TRY(hf_buf_append_str(&to->value, forward->bearer ? "Bearer " : ""));
    HF_TRY(hf_buf_append_str(&to->value, text));
    return hf_forwarding_set(to, forward->token_header);
}

/* The token's header is ours alone, also when there's nobody to vouch for. */
static enum hf_err set_token(struct hf_forward *forward, struct hf_forwarding *to)
{
    const struct hf_facts *facts = to->facts;
    if (!facts->identity || !facts->verified) {
        hf_http_msg_remove_str(to->msg, forward->token_header);
        return HF_OK;
    }
    struct memo_entry *entry = recall(forward, facts);
    if (entry && entry->token.text && facts->now_ms / 1000 < entry->token.renew_at) {
        return put_token(forward, to, entry->token.text);
    }
    struct hf_token token;
    HF_TRY(hf_token_new(forward->options.signer, facts, forward->token_audience, &token));
    enum hf_err err = put_token(forward, to, token.text);
    entry = remember(forward, facts);
    if (entry) {
        hf_free(entry->token.text);
        entry->token = token;
    } else {
        hf_free(token.text);
    }
    return err;
}

static enum hf_err set_identity(struct hf_forward *forward, struct hf_forwarding *to)
{
    unsigned chosen = forward->options.identity;
    if (chosen & 1u << HF_SPELL_XFCC) {
        HF_TRY(set_xfcc(forward, to));
    }
    if (chosen & (1u << HF_SPELL_CLIENT_CERT | 1u << HF_SPELL_CLIENT_CERT_CHAIN)) {
        HF_TRY(set_client_cert(forward, to));
    }
    return chosen & 1u << HF_SPELL_TOKEN ? set_token(forward, to) : HF_OK;
}

/* --- The rest ----------------------------------------------------------------------------------*/

static enum hf_err set_address(const struct hf_forward *forward, struct hf_forwarding *to)
{
    unsigned chosen = forward->options.address;
    if (chosen & 1u << HF_ADDRESS_X_FORWARDED) {
        HF_TRY(hf_forwarding_x_forwarded(to));
    }
    if (chosen & 1u << HF_ADDRESS_FORWARDED) {
        HF_TRY(hf_forwarding_forwarded(to));
    }
    return chosen & 1u << HF_ADDRESS_X_REAL_IP ? hf_forwarding_x_real_ip(to) : HF_OK;
}

static enum hf_err set_headers(const struct hf_forward *forward, struct hf_forwarding *to)
{
    for (size_t i = 0; i < forward->n_headers; i++) {
        bool known;
        hf_buf_reset(&to->value);
        HF_TRY(hf_template_render(forward->headers[i].value, to->facts, &to->value, &known));
        if (!known) {
            hf_buf_reset(&to->value);
        }
        HF_TRY(hf_forwarding_set(to, forward->headers[i].name));
    }
    return HF_OK;
}

static enum hf_err set_trace(const struct hf_forward *forward, struct hf_forwarding *to)
{
    const struct hf_request_ids *ids = to->facts->ids;
    enum hf_trace_mode mode = forward->options.trace;
    if (mode == HF_TRACE_OFF || ids->fresh) {
        hf_http_msg_remove_name(to->msg, HF_HTTP_TRACEPARENT);
        hf_http_msg_remove_str(to->msg, "tracestate");
    }
    if (mode != HF_TRACE_SPAN) {
        return HF_OK;
    }
    char text[HF_TRACEPARENT_SIZE];
    hf_traceparent_format(ids, text);
    return hf_http_msg_set_name(to->msg, HF_HTTP_TRACEPARENT, hf_bytes_str(text));
}

static enum hf_err set_ids(const struct hf_forward *forward, struct hf_forwarding *to)
{
    if (!to->facts->ids) {
        return HF_OK;
    }
    hf_http_msg_remove_name(to->msg, HF_HTTP_X_REQUEST_ID);
    if (forward->options.request_id) {
        HF_TRY(hf_http_msg_set_name(to->msg, HF_HTTP_X_REQUEST_ID,
                                    hf_bytes_str(to->facts->ids->request)));
    }
    return set_trace(forward, to);
}

/* Facts may view the message, whose text moves as it grows: what they view is copied first. */
static enum hf_err keep_views(struct hf_facts *facts, struct hf_buf *views)
{
    struct hf_bytes *const all[] = {&facts->method, &facts->scheme, &facts->host, &facts->path,
                                    &facts->query};
    struct hf_span room;
    size_t total = 1;
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        total += all[i]->len;
    }
    *views = HF_BUF_INIT(total);
    HF_TRY(hf_buf_reserve(views, total, &room));
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        if (all[i]->len) {
            memcpy(room.ptr, all[i]->ptr, all[i]->len);
        }
        all[i]->ptr = room.ptr;
        room.ptr += all[i]->len;
    }
    return HF_OK;
}

enum hf_err hf_forward_apply(struct hf_forward *forward, const struct hf_facts *facts,
                             struct hf_http_msg *msg)
{
    struct hf_facts told = *facts;
    told.tell_unverified = forward->options.unverified;
    HF_CLEANUP(hf_buf_done) struct hf_buf views = HF_BUF_INIT(0);
    HF_TRY(keep_views(&told, &views));
    struct hf_forwarding to = {
        .facts = &told, .msg = msg, .value = HF_BUF_INIT(forward->options.value_max)};
    if (!facts->trusted) {
        hf_strip_apply(forward->options.strip, msg);
    }
    enum hf_err err = set_identity(forward, &to);
    err = err != HF_OK ? err : set_address(forward, &to);
    err = err != HF_OK ? err : set_headers(forward, &to);
    err = err != HF_OK ? err : set_ids(forward, &to);
    hf_buf_done(&to.value);
    return err;
}

void hf_forward_trailers(const struct hf_forward *forward, struct hf_http_msg *trailers)
{
    hf_strip_apply(forward->options.strip, trailers);
    if (forward->token_header) {
        hf_http_msg_remove_str(trailers, forward->token_header);
    }
}
