// SPDX-License-Identifier: Apache-2.0
#include "http/xfcc.h"

#include <string.h>

#include "http/chars.h"
#include "http/encode.h"
#include "http/forward.h"

/* --- Writing -----------------------------------------------------------------------------------*/

struct writer {
    struct hf_buf *out;
    const struct hf_facts *facts;
    const struct hf_identity *peer;
    const struct hf_identity *names; /* the same, or NULL where they can't be told */
    size_t begin;
};

/* Characters of RFC 3986 that XFCC's readers can't mistake: not , ; = " which want quotes. */
static bool is_plain_uri(const char *uri)
{
    static const char marks[] = "-._~:/?#[]@!$&'()*+%";
    for (const char *c = uri; *c; c++) {
        if (!hf_http_is((uint8_t)*c, HF_CHAR_PLAIN) && !strchr(marks, *c)) {
            return false;
        }
    }
    return *uri != '\0';
}

/* The same with , ; = which stand between quotes. */
static bool is_quotable_uri(const char *uri)
{
    for (const char *c = uri; *c; c++) {
        char one[2] = {*c, '\0'};
        if (!strchr(",;=", *c) && !is_plain_uri(one)) {
            return false;
        }
    }
    return *uri != '\0';
}

static bool is_plain_dns(const char *name)
{
    struct hf_bytes text = hf_bytes_str(name);
    return text.len && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._*") == text.len;
}

static enum hf_err put_key(struct writer *w, const char *key)
{
    HF_TRY(hf_buf_append_str(w->out, hf_buf_len(w->out) > w->begin ? ";" : ""));
    HF_TRY(hf_buf_append_str(w->out, key));
    return hf_buf_append_str(w->out, "=");
}

static enum hf_err put_uris(struct writer *w, const char *key, const struct hf_names_list *uris,
                            size_t *out_n)
{
    *out_n = 0;
    for (size_t i = 0; i < uris->n; i++) {
        bool plain = is_plain_uri(uris->name[i]);
        if (!plain && !is_quotable_uri(uris->name[i])) {
            continue;
        }
        HF_TRY(put_key(w, key));
        HF_TRY(hf_buf_append_str(w->out, plain ? "" : "\""));
        HF_TRY(hf_buf_append_str(w->out, uris->name[i]));
        HF_TRY(hf_buf_append_str(w->out, plain ? "" : "\""));
        (*out_n)++;
    }
    return HF_OK;
}

static enum hf_err put_by(struct writer *w)
{
    const struct hf_identity *own = w->facts->own;
    size_t n;
    return own && !own->mangled ? put_uris(w, "By", &own->uri, &n) : HF_OK;
}

static enum hf_err put_hash(struct writer *w)
{
    HF_TRY(put_key(w, "Hash"));
    return hf_buf_append_str(w->out, w->peer->sha256);
}

static enum hf_err put_certs(struct writer *w, const char *key, size_t n)
{
    const struct hf_ders *chain = w->facts->chain;
    if (!chain || !chain->n_ders) {
        return HF_OK;
    }
    HF_TRY(put_key(w, key));
    HF_TRY(hf_buf_append_str(w->out, "\""));
    for (size_t i = 0; i < n && i < chain->n_ders; i++) {
        HF_TRY(hf_append_pem_escaped(w->out, chain->der[i]));
    }
    return hf_buf_append_str(w->out, "\"");
}

static enum hf_err put_cert(struct writer *w)
{
    return put_certs(w, "Cert", 1);
}

static enum hf_err put_chain(struct writer *w)
{
    return put_certs(w, "Chain", SIZE_MAX);
}

/* Envoy has the key even where there's no subject; so have we. */
static enum hf_err put_subject(struct writer *w)
{
    HF_TRY(put_key(w, "Subject"));
    HF_TRY(hf_buf_append_str(w->out, "\""));
    if (w->names) {
        HF_TRY(hf_append_dn_strict(w->out, hf_bytes_str(w->names->subject)));
    }
    return hf_buf_append_str(w->out, "\"");
}

/* Likewise. */
static enum hf_err put_uri(struct writer *w)
{
    size_t n = 0;
    if (w->names) {
        HF_TRY(put_uris(w, "URI", &w->names->uri, &n));
    }
    return n ? HF_OK : put_key(w, "URI");
}

static enum hf_err put_dns(struct writer *w)
{
    for (size_t i = 0; w->names && i < w->names->dns.n; i++) {
        if (is_plain_dns(w->names->dns.name[i])) {
            HF_TRY(put_key(w, "DNS"));
            HF_TRY(hf_buf_append_str(w->out, w->names->dns.name[i]));
        }
    }
    return HF_OK;
}

enum hf_err hf_xfcc_append(struct hf_buf *out, const struct hf_facts *facts, unsigned parts)
{
    static enum hf_err (*const put[HF_XFCC_PART_N])(struct writer * w) = {
        [HF_XFCC_PART_BY] = put_by,           [HF_XFCC_PART_HASH] = put_hash,
        [HF_XFCC_PART_CERT] = put_cert,       [HF_XFCC_PART_CHAIN] = put_chain,
        [HF_XFCC_PART_SUBJECT] = put_subject, [HF_XFCC_PART_URI] = put_uri,
        [HF_XFCC_PART_DNS] = put_dns,
    };
    struct writer w = {out, facts, hf_facts_peer(facts), hf_facts_names(facts), hf_buf_len(out)};
    for (size_t i = 0; w.peer && i < HF_XFCC_PART_N; i++) {
        if (parts & 1u << i) {
            HF_TRY(put[i](&w));
        }
    }
    return HF_OK;
}

/* --- Checking ----------------------------------------------------------------------------------*/

static enum hf_err malformed(const char *what)
{
    return hf_fail(HF_E_MALFORMED, "x-forwarded-client-cert: %s", what);
}

/* Takes a quoted value off the front. A backslash before anything but a hex digit or one of the
 * characters that RFC 4514 escapes is read in two ways by those who read it; before a quote, or
 * before itself, that makes two different ends. */
static enum hf_err take_quoted(struct hf_bytes *rest)
{
    size_t i = 1;
    while (i < rest->len && rest->ptr[i] != '"') {
        uint8_t next = i + 1 < rest->len ? rest->ptr[i + 1] : '"';
        if (rest->ptr[i] == '\\' && (next == '"' || next == '\\')) {
            return malformed("a backslash before a quote or a backslash");
        }
        i++;
    }
    if (i >= rest->len) {
        return malformed("a quote that doesn't end");
    }
    *rest = hf_bytes_from(*rest, i + 1);
    return HF_OK;
}

static enum hf_err take_bare(struct hf_bytes *rest)
{
    size_t i = 0;
    while (i < rest->len && !hf_byte_in(rest->ptr[i], ",;")) {
        if (hf_byte_in(rest->ptr[i], "\"\\")) {
            return malformed("a quote or a backslash within a value without quotes");
        }
        i++;
    }
    *rest = hf_bytes_from(*rest, i);
    return HF_OK;
}

static enum hf_err take_pair(struct hf_bytes *rest)
{
    size_t n = 0;
    while (n < rest->len && ((rest->ptr[n] | 0x20) >= 'a' && (rest->ptr[n] | 0x20) <= 'z')) {
        n++;
    }
    if (n == 0 || n >= rest->len || rest->ptr[n] != '=') {
        return malformed("a part that isn't Key=value");
    }
    *rest = hf_bytes_from(*rest, n + 1);
    return rest->len && rest->ptr[0] == '"' ? take_quoted(rest) : take_bare(rest);
}

enum hf_err hf_xfcc_check(struct hf_bytes value)
{
    struct hf_bytes rest = value;
    for (;;) {
        HF_TRY(take_pair(&rest));
        if (!rest.len) {
            return HF_OK;
        }
        bool element = rest.ptr[0] == ',';
        if (!element && rest.ptr[0] != ';') {
            return malformed("something between a closing quote and the next part");
        }
        rest = hf_bytes_from(rest, 1);
        while (element && rest.len && hf_http_trim(hf_bytes_of(rest.ptr, 1)).len == 0) {
            rest = hf_bytes_from(rest, 1);
        }
    }
}
