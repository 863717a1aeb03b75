// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/backend.h"

enum { SLOW_MAX_MS = 60000, WORD_MAX = 256 };

static const struct hf_backend_guest *guest_of(const struct hf_httpd_call *call)
{
    return hf_httpd_request(call)->filter_state;
}

/* --- Who are you? -------------------------------------------------------------------------------
 */

/* Bytes that a peer chose, as a string that is safe to print. */
static const char *word(struct hf_bytes text, char out[static WORD_MAX])
{
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(2 * WORD_MAX);
    const char *printable = NULL;
    if (text.len && hf_append_printable(&safe, text, WORD_MAX / 2) == HF_OK) {
        printable = hf_buf_cstr(&safe);
    }
    snprintf(out, WORD_MAX, "%s", printable ? printable : "");
    return out[0] ? out : NULL;
}

/* The client as far as it is known: by the PROXY header, or else by our own TLS. */
struct who {
    const struct hf_identity *identity;
    const char *cn; /* told without a certificate */
    const char *version;
    const char *cipher;
    const char *by;
    bool verified;
    char words[3][WORD_MAX];
};

static void look_at_header(const struct hf_backend_guest *guest, struct who *who)
{
    const struct hf_proxy_tls *tls = &guest->header.tls;
    who->by = "proxy-protocol";
    who->identity = guest->told;
    who->cn = word(tls->cn, who->words[0]);
    who->version = word(tls->version, who->words[1]);
    who->cipher = word(tls->cipher, who->words[2]);
    who->verified = (tls->client & HF_PP2_CLIENT_CERT_SESS) && tls->verify == 0;
}

static void look_at_tls(const struct hf_backend_guest *guest, struct who *who)
{
    struct hf_tls_info info;
    hf_tls_info(guest->tls, &info);
    who->by = "tls";
    who->identity = guest->shown;
    who->version = info.version;
    who->cipher = info.suite;
    who->verified = guest->shown && guest->backend->trust;
}

static void look_at(const struct hf_backend_guest *guest, struct who *who)
{
    *who = (struct who){.by = "nothing"};
    if (guest->has_header) {
        look_at_header(guest, who);
    } else if (guest->tls) {
        look_at_tls(guest, who);
    }
}

static const char *name_of(const struct who *who)
{
    if (who->identity) {
        return who->identity->cn ? who->identity->cn : hf_identity_display(who->identity);
    }
    return who->cn ? who->cn : "stranger";
}

/* "hello alice (CN=alice,O=Example, serial 1f, TLSv1.3, TLS_AES_128_GCM_SHA256)" */
static enum hf_err greet(const struct who *who, struct hf_buf *out)
{
    const struct hf_identity *identity = who->identity;
    HF_TRY(hf_buf_printf(out, "hello %s (", name_of(who)));
    if (identity) {
        HF_TRY(hf_buf_printf(out, "%s, serial %s", identity->subject, identity->serial));
    } else {
        HF_TRY(hf_buf_append_str(out, who->cn ? "by name only" : "no client certificate"));
    }
    if ((identity || who->cn) && !who->verified) {
        HF_TRY(hf_buf_append_str(out, ", not verified"));
    }
    HF_TRY(hf_buf_printf(out, "%s%s%s%s", who->version ? ", " : "",
                         who->version ? who->version : "", who->cipher ? ", " : "",
                         who->cipher ? who->cipher : ""));
    return hf_buf_append_str(out, ")\n");
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value) {
        json_object_set_new(object, key, json_string(value));
    }
}

static void set_address(json_t *object, const char *key, const struct hf_addr *addr)
{
    char text[HF_ADDR_TEXT_SIZE];
    if (addr->len) {
        hf_addr_format(addr, text);
        set_text(object, key, text);
    }
}

static json_t *headers_json(const struct hf_http_fields *fields)
{
    json_t *headers = json_array();
    for (size_t i = 0; i < fields->n; i++) {
        char name[WORD_MAX];
        char value[WORD_MAX];
        (void)word(hf_http_field_name(fields->head, &fields->field[i]), name);
        (void)word(hf_http_field_value(fields->head, &fields->field[i]), value);
        json_array_append_new(headers, json_sprintf("%s: %s", name, value));
    }
    return headers;
}

static json_t *who_json(const struct hf_httpd_request *request, const struct who *who)
{
    const struct hf_backend_guest *guest = request->filter_state;
    const struct hf_identity *identity = who->identity;
    char path[WORD_MAX];
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name_of(who), "known_by", who->by,
                  "verified", who->verified, "method", hf_http_method_text(request->method),
                  "headers", headers_json(&request->fields));
    if (!json) {
        return NULL;
    }
    set_text(json, "path", word(request->path, path));
    if (identity) {
        set_text(json, "identity", hf_identity_display(identity));
        set_text(json, "subject", identity->subject);
        set_text(json, "issuer", identity->issuer);
        set_text(json, "serial", identity->serial);
        set_text(json, "spiffe", identity->spiffe);
        set_text(json, "sha256", identity->sha256);
    }
    set_text(json, "version", who->version);
    set_text(json, "cipher", who->cipher);
    set_address(json, "peer", &guest->peer);
    if (guest->has_header) {
        char sni[WORD_MAX];
        set_address(json, "client", &guest->header.source);
        set_text(json, "sni", word(guest->header.authority, sni));
    }
    if (guest->has_header && guest->shown) {
        set_text(json, "proxy", hf_identity_display(guest->shown));
    }
    return json;
}

static void on_any(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    struct who who;
    look_at(guest_of(call), &who);
    if (hf_httpd_prefers_json(call)) {
        hf_httpd_json(call, 200, who_json(hf_httpd_request(call), &who));
        return;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16384);
    if (greet(&who, &text) != HF_OK) {
        hf_httpd_error(call, 500, "internal", "%s", hf_err_text());
        return;
    }
    hf_httpd_buf(call, 200, "text/plain; charset=utf-8", &text);
}

/* --- Bytes --------------------------------------------------------------------------------------
 */

static const char pattern[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+\n";

struct bytes {
    uint64_t at;
    uint64_t end;
};

static enum hf_httpd_flow next_bytes(void *ctx, struct hf_buf *out)
{
    struct bytes *bytes = ctx;
    const size_t period = sizeof(pattern) - 1;
    while (bytes->at < bytes->end && hf_buf_len(out) < HF_HTTPD_PIECE) {
        size_t from = bytes->at % period;
        uint64_t left = bytes->end - bytes->at;
        size_t n = period - from < left ? period - from : (size_t)left;
        if (hf_buf_append(out, hf_bytes_of(pattern + from, n)) != HF_OK) {
            return HF_HTTPD_BREAK;
        }
        bytes->at += n;
    }
    return bytes->at < bytes->end ? HF_HTTPD_MORE : HF_HTTPD_END;
}

static void on_bytes(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    char number[32];
    struct hf_bytes rest = hf_httpd_rest(call);
    uint64_t n;
    snprintf(number, sizeof(number), "%.*s", (int)(rest.len < 31 ? rest.len : 31),
             (const char *)rest.ptr);
    if (hf_parse_uint(number, UINT64_C(1) << 50, &n) != HF_OK) {
        hf_httpd_error(call, 400, "bad-number", "/bytes/N: %s", hf_err_text());
        return;
    }
    struct bytes *bytes = HF_NEW(struct bytes);
    if (!bytes) {
        hf_httpd_error(call, 500, "internal", "out of memory");
        return;
    }
    bytes->end = n;
    struct hf_httpd_source source = {next_bytes, hf_free, bytes};
    hf_httpd_stream(call, 200, "application/octet-stream", n, source);
}

static void on_echo(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    char type[WORD_MAX] = "";
    struct hf_bytes given;
    const struct hf_httpd_request *request = hf_httpd_request(call);
    if (hf_http_fields_find(&request->fields, HF_HTTP_CONTENT_TYPE, &given)) {
        (void)word(given, type);
    }
    hf_httpd_text(call, 200, type[0] ? type : "application/octet-stream", request->body);
}

/* --- Later --------------------------------------------------------------------------------------
 */

struct slow {
    struct hf_link link;
    struct hf_timer timer;
    struct hf_httpd_call *call;
    unsigned ms;
};

static void end_slow(struct slow *slow)
{
    char text[64];
    snprintf(text, sizeof(text), "that took %u ms\n", slow->ms);
    hf_link_remove(&slow->link);
    hf_timer_cancel(&slow->timer);
    hf_httpd_text(slow->call, 200, "text/plain", hf_bytes_str(text));
    hf_free(slow);
}

static void on_slow_due(struct hf_timer *timer)
{
    end_slow(HF_CONTAINER_OF(timer, struct slow, timer));
}

void hf_backend_end_slow(struct hf_backend *backend)
{
    HF_LIST_FOREACH (&backend->slow, link) {
        end_slow(HF_CONTAINER_OF(link, struct slow, link));
    }
}

static void on_slow(void *ctx, struct hf_httpd_call *call)
{
    struct hf_backend *backend = ctx;
    char number[16] = "1000";
    uint64_t ms;
    (void)hf_httpd_param(call, "ms", number, sizeof(number));
    if (hf_parse_uint(number, SLOW_MAX_MS, &ms) != HF_OK) {
        hf_httpd_error(call, 400, "bad-number", "/slow?ms=: %s", hf_err_text());
        return;
    }
    struct slow *slow = HF_NEW(struct slow);
    if (!slow) {
        hf_httpd_error(call, 500, "internal", "out of memory");
        return;
    }
    slow->call = call;
    slow->ms = (unsigned)ms;
    slow->timer.on_due = on_slow_due;
    hf_list_push(&backend->slow, &slow->link);
    hf_timer_set(backend->loop, &slow->timer, (int64_t)ms);
}

static const struct hf_httpd_route routes[] = {
    {HF_METHOD_GET, "/bytes/*", on_bytes}, {HF_METHOD_POST, "/echo", on_echo},
    {HF_METHOD_PUT, "/echo", on_echo},     {HF_METHOD_GET, "/slow", on_slow},
    {HF_METHOD_GET, "/*", on_any},         {HF_METHOD_POST, "/*", on_any},
};

const struct hf_httpd_route *hf_backend_routes(size_t *out_n)
{
    *out_n = HF_N_ELEMENTS(routes);
    return routes;
}
