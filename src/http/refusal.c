// SPDX-License-Identifier: Apache-2.0
/*
 * Refusals in words. Three things matter here: that whatever is told can't become markup, a header
 * or a second field (code, text and id are ours, but a realm is from the config and a sentence may
 * quote what the client sent); that the form is one the client can show; and that no cache keeps
 * it. The choice between HTML and JSON is by the weights of Accept (RFC 9110 12.5.1), with JSON for
 * those who take anything.
 */
#include "http/refusal.h"

#include "base/escape.h"
#include "http/chars.h"
#include "http/status.h"

enum {
    VALUE_MAX = 4096,
    TEXT_MAX = 1024, /* of a sentence, once escaped */
};

/* --- Which form --------------------------------------------------------------------------------
 */

/* The text up to the first ";", and what follows it. */
static struct hf_bytes cut(struct hf_bytes text, uint8_t at, struct hf_bytes *rest)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == at) {
            *rest = hf_bytes_from(text, i + 1);
            return hf_bytes_of(text.ptr, i);
        }
    }
    *rest = hf_bytes_of(NULL, 0);
    return text;
}

/* "0.25" in thousandths; what isn't a weight counts as none. */
static unsigned weight_of(struct hf_bytes text)
{
    static const unsigned scale[] = {1000, 0, 100, 10, 1};
    unsigned weight = 0;
    if (text.len == 0 || text.len > HF_N_ELEMENTS(scale)) {
        return 0;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = hf_http_is(text.ptr[i], HF_CHAR_DIGIT);
        if (i == 1 ? text.ptr[i] != '.' : !is_digit) {
            return 0;
        }
        weight += i == 1 ? 0 : (text.ptr[i] - '0') * scale[i];
    }
    return weight <= 1000 ? weight : 0;
}

static unsigned weight_among(struct hf_bytes params)
{
    while (params.len) {
        struct hf_bytes value;
        struct hf_bytes name = cut(hf_http_trim(cut(params, ';', &params)), '=', &value);
        if (hf_http_eq_str(hf_http_trim(name), "q")) {
            return weight_of(hf_http_trim(value));
        }
    }
    return 1000;
}

static enum hf_refusal_form by_accept(struct hf_bytes accept)
{
    static const struct {
        const char *type;
        unsigned precision;
        bool html, json;
    } ranges[] = {
        {"text/html", 3, true, false},
        {"application/xhtml+xml", 2, true, false},
        {"text/*", 1, true, false},
        {"application/problem+json", 3, false, true},
        {"application/json", 2, false, true},
        {"application/*", 1, false, true},
        {"*/*", 0, true, true},
    };
    unsigned html = 0, json = 0;
    unsigned html_by = 0, json_by = 0;
    struct hf_bytes range;
    while (hf_http_list_next(&accept, &range)) {
        struct hf_bytes params;
        struct hf_bytes type = hf_http_trim(cut(range, ';', &params));
        unsigned weight = weight_among(params);
        for (size_t i = 0; i < HF_N_ELEMENTS(ranges); i++) {
            if (!hf_http_eq_str(type, ranges[i].type)) {
                continue;
            }
            if (ranges[i].html && ranges[i].precision >= html_by) {
                html = weight;
                html_by = ranges[i].precision;
            }
            if (ranges[i].json && ranges[i].precision >= json_by) {
                json = weight;
                json_by = ranges[i].precision;
            }
        }
    }
    bool html_wins = html > json || (html && html == json && html_by > json_by);
    return html_wins ? HF_REFUSAL_HTML : HF_REFUSAL_JSON;
}

enum hf_refusal_form hf_refusal_form_of(struct hf_bytes content_type, struct hf_bytes accept)
{
    static const struct {
        const char *type;
        enum hf_refusal_form form;
    } families[] = {
        {"application/grpc", HF_REFUSAL_GRPC},
        {"application/grpc-web", HF_REFUSAL_GRPC_WEB},
        {"application/grpc-web-text", HF_REFUSAL_GRPC_WEB_TEXT},
    };
    struct hf_bytes rest;
    struct hf_bytes type = hf_http_trim(cut(content_type, ';', &rest));
    type = cut(type, '+', &rest); /* "application/grpc+proto" */
    for (size_t i = 0; i < HF_N_ELEMENTS(families); i++) {
        if (hf_http_eq_str(type, families[i].type)) {
            return families[i].form;
        }
    }
    return by_accept(accept);
}

/* --- gRPC --------------------------------------------------------------------------------------
 */

unsigned hf_refusal_grpc_status(unsigned http_status)
{
    enum { UNKNOWN = 2, PERMISSION_DENIED = 7, RESOURCE_EXHAUSTED = 8, UNIMPLEMENTED = 12 };
    enum { INTERNAL = 13, UNAVAILABLE = 14, UNAUTHENTICATED = 16 };
    static const struct {
        unsigned http, grpc;
    } table[] = {
        {400, INTERNAL},           {401, UNAUTHENTICATED},    {403, PERMISSION_DENIED},
        {404, UNIMPLEMENTED},      {413, RESOURCE_EXHAUSTED}, {429, RESOURCE_EXHAUSTED},
        {431, RESOURCE_EXHAUSTED}, {502, UNAVAILABLE},        {503, UNAVAILABLE},
        {504, UNAVAILABLE},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (table[i].http == http_status) {
            return table[i].grpc;
        }
    }
    return UNKNOWN;
}

/* Percent-encoding of grpc-message: everything but printable ASCII, and "%". */
static enum hf_err append_grpc_text(struct hf_buf *out, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        bool plain = byte >= ' ' && byte <= '~' && byte != '%';
        HF_TRY(plain ? hf_buf_u8(out, byte) : hf_buf_printf(out, "%%%02X", byte));
    }
    return HF_OK;
}

/* "a sentence (code), id 0123" */
static enum hf_err append_line(struct hf_buf *out, const struct hf_refusal *refusal)
{
    const char *text = refusal->text ? refusal->text : hf_http_status_text(refusal->status);
    HF_TRY(hf_append_printable(out, hf_bytes_str(text), TEXT_MAX));
    HF_TRY(hf_buf_append_str(out, " ("));
    HF_TRY(hf_append_printable(out, hf_bytes_str(refusal->code), TEXT_MAX));
    if (refusal->id) {
        HF_TRY(hf_buf_append_str(out, ", id "));
        HF_TRY(hf_append_printable(out, hf_bytes_str(refusal->id), TEXT_MAX));
    }
    return hf_buf_append_str(out, ")");
}

static enum hf_err write_grpc(const struct hf_refusal *refusal, enum hf_refusal_form form,
                              hf_refusal_add_fn *add, void *ctx)
{
    static const char *const types[] = {
        [HF_REFUSAL_GRPC] = "application/grpc",
        [HF_REFUSAL_GRPC_WEB] = "application/grpc-web",
        [HF_REFUSAL_GRPC_WEB_TEXT] = "application/grpc-web-text",
    };
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(VALUE_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf value = HF_BUF_INIT(VALUE_MAX * 3);
    HF_TRY(append_line(&line, refusal));
    HF_TRY(add(ctx, "content-type", hf_bytes_str(types[form])));
    HF_TRY(hf_buf_printf(&value, "%u", hf_refusal_grpc_status(refusal->status)));
    HF_TRY(add(ctx, "grpc-status", hf_buf_bytes(&value)));
    hf_buf_reset(&value);
    HF_TRY(append_grpc_text(&value, hf_buf_bytes(&line)));
    HF_TRY(add(ctx, "grpc-message", hf_buf_bytes(&value)));
    if (refusal->retry_after_s > 0) { /* gRPC A6: when a client may try again */
        hf_buf_reset(&value);
        HF_TRY(hf_buf_printf(&value, "%lld", (long long)refusal->retry_after_s * 1000));
        HF_TRY(add(ctx, "grpc-retry-pushback-ms", hf_buf_bytes(&value)));
    }
    return HF_OK;
}

/* --- Bodies ------------------------------------------------------------------------------------
 */

static enum hf_err json_member(struct hf_buf *body, const char *name, const char *value)
{
    if (!value) {
        return HF_OK;
    }
    HF_TRY(hf_buf_printf(body, ",\"%s\":", name));
    return hf_append_json_string(body, hf_bytes_str(value));
}

static enum hf_err write_json(const struct hf_refusal *refusal, struct hf_buf *body)
{
    HF_TRY(hf_buf_printf(body, "{\"status\":%u", refusal->status));
    HF_TRY(json_member(body, "title", hf_http_status_text(refusal->status)));
    HF_TRY(json_member(body, "detail", refusal->text));
    HF_TRY(json_member(body, "code", refusal->code));
    HF_TRY(json_member(body, "id", refusal->id));
    return hf_buf_append_str(body, "}\n");
}

static enum hf_err append_html(struct hf_buf *out, const char *text)
{
    static const struct {
        char mark;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(VALUE_MAX);
    HF_TRY(hf_append_printable(&safe, hf_bytes_str(text), TEXT_MAX));
    struct hf_bytes bytes = hf_buf_bytes(&safe);
    for (size_t i = 0; i < bytes.len; i++) {
        const char *entity = NULL;
        for (size_t j = 0; j < HF_N_ELEMENTS(entities); j++) {
            entity = bytes.ptr[i] == (uint8_t)entities[j].mark ? entities[j].entity : entity;
        }
        HF_TRY(entity ? hf_buf_append_str(out, entity) : hf_buf_u8(out, bytes.ptr[i]));
    }
    return HF_OK;
}

static enum hf_err write_html(const struct hf_refusal *refusal, struct hf_buf *body)
{
    const char *title = hf_http_status_text(refusal->status);
    HF_TRY(hf_buf_printf(body,
                         "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<title>%u %s</title></head>\n<body><h1>%u %s</h1>\n",
                         refusal->status, title, refusal->status, title));
    if (refusal->text) {
        HF_TRY(hf_buf_append_str(body, "<p>"));
        HF_TRY(append_html(body, refusal->text));
        HF_TRY(hf_buf_append_str(body, "</p>\n"));
    }
    HF_TRY(hf_buf_append_str(body, "<p>code <code>"));
    HF_TRY(append_html(body, refusal->code));
    HF_TRY(hf_buf_append_str(body, "</code>"));
    if (refusal->id) {
        HF_TRY(hf_buf_append_str(body, ", id <code>"));
        HF_TRY(append_html(body, refusal->id));
        HF_TRY(hf_buf_append_str(body, "</code>"));
    }
    return hf_buf_append_str(body, "</p></body></html>\n");
}

/* --- Fields ------------------------------------------------------------------------------------
 */

/* name="value", with what a quoted string can't hold left out (RFC 9110 5.6.4). scopes and
 * descriptions of RFC 6750 may not even hold quoted pairs, so a quote becomes "'". */
static enum hf_err append_param(struct hf_buf *out, const char *separator, const char *name,
                                const char *value, bool pairs)
{
    HF_TRY(hf_buf_printf(out, "%s%s=\"", separator, name));
    for (const char *at = value; *at; at++) {
        bool special = *at == '"' || *at == '\\';
        if (*at < ' ' || *at > '~') {
            continue;
        }
        if (special && !pairs) {
            HF_TRY(hf_buf_u8(out, '\''));
            continue;
        }
        HF_TRY(special ? hf_buf_u8(out, '\\') : HF_OK);
        HF_TRY(hf_buf_u8(out, (uint8_t)*at));
    }
    return hf_buf_u8(out, '"');
}

static enum hf_err append_bearer(struct hf_buf *out, const struct hf_challenge *challenge)
{
    static const char *const errors[] = {
        [HF_BEARER_INVALID_REQUEST] = "invalid_request",
        [HF_BEARER_INVALID_TOKEN] = "invalid_token",
        [HF_BEARER_INSUFFICIENT_SCOPE] = "insufficient_scope",
    };
    const struct {
        const char *name, *value;
        bool pairs;
    } params[] = {
        {"realm", challenge->realm, true},
        {"error", challenge->error ? errors[challenge->error] : NULL, false},
        {"error_description", challenge->error ? challenge->description : NULL, false},
        {"scope", challenge->scope, false},
    };
    const char *separator = " ";
    HF_TRY(hf_buf_append_str(out, "Bearer"));
    for (size_t i = 0; i < HF_N_ELEMENTS(params); i++) {
        if (params[i].value) {
            HF_TRY(append_param(out, separator, params[i].name, params[i].value, params[i].pairs));
            separator = ", ";
        }
    }
    return HF_OK;
}

static enum hf_err add_challenge(const struct hf_challenge *challenge, hf_refusal_add_fn *add,
                                 void *ctx)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf value = HF_BUF_INIT(VALUE_MAX);
    if (challenge->scheme == HF_CHALLENGE_BEARER) {
        HF_TRY(append_bearer(&value, challenge));
    } else {
        const char *realm = challenge->realm ? challenge->realm : "restricted";
        HF_TRY(append_param(&value, "", "Basic realm", realm, true));
        HF_TRY(hf_buf_append_str(&value, ", charset=\"UTF-8\""));
    }
    return add(ctx, "www-authenticate", hf_buf_bytes(&value));
}

static enum hf_err add_fields(const struct hf_refusal *refusal, enum hf_refusal_form form,
                              hf_refusal_add_fn *add, void *ctx)
{
    bool html = form == HF_REFUSAL_HTML;
    HF_TRY(add(ctx, "content-type",
               hf_bytes_str(html ? "text/html; charset=utf-8" : "application/problem+json")));
    HF_TRY(add(ctx, "cache-control", hf_bytes_str("no-store")));
    HF_TRY(add(ctx, "x-content-type-options", hf_bytes_str("nosniff")));
    if (html) {
        HF_TRY(add(ctx, "content-security-policy",
                   hf_bytes_str("default-src 'none'; frame-ancestors 'none'")));
    }
    for (size_t i = 0; i < refusal->n_challenges; i++) {
        HF_TRY(add_challenge(&refusal->challenges[i], add, ctx));
    }
    if (refusal->retry_after_s > 0) {
        HF_CLEANUP(hf_buf_done) struct hf_buf value = HF_BUF_INIT(32);
        HF_TRY(hf_buf_printf(&value, "%lld", (long long)refusal->retry_after_s));
        HF_TRY(add(ctx, "retry-after", hf_buf_bytes(&value)));
    }
    return HF_OK;
}

enum hf_err hf_refusal_write(const struct hf_refusal *refusal, enum hf_refusal_form form,
                             hf_refusal_add_fn *add, void *ctx, unsigned *out_status,
                             struct hf_buf *body)
{
    if (hf_refusal_is_grpc(form)) {
        HF_TRY(write_grpc(refusal, form, add, ctx));
        *out_status = 200;
        return HF_OK;
    }
    HF_TRY(add_fields(refusal, form, add, ctx));
    HF_TRY(form == HF_REFUSAL_HTML ? write_html(refusal, body) : write_json(refusal, body));
    *out_status = refusal->status;
    return HF_OK;
}
