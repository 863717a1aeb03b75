// SPDX-License-Identifier: Apache-2.0
/*
 * A header in which a proxy says who its client is must not come from the client. Which headers
 * those are depends on the backend, and an operator who moves here from another proxy has backends
 * that still read that one's. So the built-in set is everybody's: it errs on the side of taking out
 * what an honest client never sends.
 *
 * Names are folded before they are compared: backends behind CGI, FastCGI, WSGI and the like see
 * "-" and "_" as one, and some of them every other mark, too.
 */
#include "http/strip.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/field.h"
#include "http/msg.h"

/* Lower case, "-" for every mark; a "*" at the end stands for any rest. */
static const char *const builtin[] = {
    /* RFC 9440, RFC 7239, and what came before it */
    "client-cert",
    "client-cert-*",
    "forwarded",
    "x-forwarded-*",
    "x-forwarded",
    "x-original-forwarded-*",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip*",
    "fastly-client-ip",
    "x-remote-*",
    "remote-user",
    "remote-email",
    "remote-groups",
    "remote-name",
    "x-webauth-*",
    "x-auth-request-*",
    "x-authenticated-*",
    /* nginx's and ingress-nginx's, HAProxy's, Apache's */
    "ssl-client-*",
    "ssl-cert*",
    "x-ssl-*",
    "x-ssl",
    "x-tls-*",
    "x-client-cert*",
    "x-client-dn*",
    "x-client-s-dn*",
    "x-client-i-dn*",
    "x-client-cn*",
    "x-client-san*",
    "x-client-subject*",
    "x-client-issuer*",
    "x-client-serial*",
    "x-client-fingerprint*",
    "x-client-verif*",
    "x-client-identity*",
    "x-client-spiffe*",
    "x-client-tls*",
    "x-client-ssl*",
    "x-peer-*",
    "x-spiffe-*",
    /* WebLogic's and WebSphere's plug-ins ($WSCC ...) */
    "wl-proxy-*",
    "proxy-client-ip",
    "-ws*",
    /* load balancers of the clouds */
    "x-amzn-mtls-*",
    "x-amzn-tls-*",
    "x-arr-clientcert",
    "x-arr-ssl",
    "cf-client-cert*",
    "x-envoy-*",
    "x-handfast-*",
};

struct pattern {
    char *text; /* folded, without the star */
    uint8_t len;
    bool prefix;
};

struct hf_strip {
    atomic_uint refs;
    size_t n;
    struct pattern *patterns;
    uint32_t first;             /* bit c: some pattern begins with this letter, a being 0 */
    bool known[HF_HTTP_NAME_N]; /* the answer for names that the parser knows */
};

static uint8_t fold(uint8_t c)
{
    uint8_t lower = hf_http_folded[c];
    bool word = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    return word ? lower : '-';
}

static uint32_t first_bit(uint8_t folded)
{
    return folded >= 'a' && folded <= 'z' ? 1u << (folded - 'a') : 1u << 31;
}

static enum hf_err add(struct hf_strip *strip, struct hf_bytes name)
{
    bool prefix = name.len && name.ptr[name.len - 1] == '*';
    size_t len = name.len - prefix;
    struct pattern *grown = hf_realloc(strip->patterns, (strip->n + 1) * sizeof(struct pattern));
    if (!grown) {
        return HF_E_NOMEM;
    }
    strip->patterns = grown;
    char *text = hf_strndup((const char *)name.ptr, len);
    if (!text) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)fold((uint8_t)text[i]);
    }
    strip->patterns[strip->n++] = (struct pattern){text, (uint8_t)len, prefix};
    strip->first |= first_bit((uint8_t)text[0]);
    return HF_OK;
}

static void look_up_known(struct hf_strip *strip)
{
    for (size_t i = HF_HTTP_OTHER + 1; i < HF_HTTP_NAME_N; i++) {
        const char *name = hf_http_name_text((enum hf_http_name)i);
        strip->known[i] = hf_strip_has(strip, hf_bytes_str(name));
    }
}

enum hf_err hf_strip_new(struct hf_strip **out)
{
    *out = NULL;
    struct hf_strip *strip = HF_NEW(struct hf_strip);
    if (!strip) {
        return HF_E_NOMEM;
    }
    atomic_init(&strip->refs, 1);
    for (size_t i = 0; i < HF_N_ELEMENTS(builtin); i++) {
        if (add(strip, hf_bytes_str(builtin[i])) != HF_OK) {
            hf_strip_unref(strip);
            return HF_E_NOMEM;
        }
    }
    look_up_known(strip);
    *out = strip;
    return HF_OK;
}

struct hf_strip *hf_strip_ref(struct hf_strip *strip)
{
    atomic_fetch_add_explicit(&strip->refs, 1, memory_order_relaxed);
    return strip;
}

void hf_strip_unref(struct hf_strip *strip)
{
    if (!strip || atomic_fetch_sub_explicit(&strip->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < strip->n; i++) {
        hf_free(strip->patterns[i].text);
    }
    hf_free(strip->patterns);
    hf_free(strip);
}

static bool pattern_covers(const struct pattern *pattern, struct hf_bytes name)
{
    if (pattern->prefix ? name.len < pattern->len : name.len != pattern->len) {
        return false;
    }
    for (size_t i = 0; i < pattern->len; i++) {
        if (fold(name.ptr[i]) != (uint8_t)pattern->text[i]) {
            return false;
        }
    }
    return true;
}

bool hf_strip_has(const struct hf_strip *strip, struct hf_bytes name)
{
    if (!name.len || !(strip->first & first_bit(fold(name.ptr[0])))) {
        return false;
    }
    for (size_t i = 0; i < strip->n; i++) {
        if (pattern_covers(&strip->patterns[i], name)) {
            return true;
        }
    }
    return false;
}

/* Headers without which a message isn't itself: a pattern that covers one is a mistake. */
static enum hf_err check_harmless(const struct pattern *pattern, const char *text)
{
    static const char *const needed[] = {"accept",
                                         "accept-encoding",
                                         "authorization",
                                         "connection",
                                         "content-encoding",
                                         "content-type",
                                         "content-length",
                                         "cookie",
                                         "date",
                                         "expect",
                                         "host",
                                         "transfer-encoding",
                                         "te",
                                         "trailer",
                                         "upgrade",
                                         "user-agent"};
    for (size_t i = 0; i < HF_N_ELEMENTS(needed); i++) {
        if (pattern_covers(pattern, hf_bytes_str(needed[i]))) {
            return hf_fail(HF_E_INVALID, "\"%s\" would take out %s", text, needed[i]);
        }
    }
    return HF_OK;
}

enum hf_err hf_strip_add(struct hf_strip *strip, const char *text)
{
    struct hf_bytes name = hf_bytes_str(text);
    bool prefix = name.len > 1 && name.ptr[name.len - 1] == '*';
    size_t len = name.len - prefix;
    if (len == 0 || len > HF_STRIP_NAME_MAX ||
        hf_http_span(hf_bytes_of(text, len), HF_CHAR_TOKEN) != len || memchr(text, '*', len)) {
        return hf_fail(HF_E_INVALID,
                       "\"%.140s\" is not the name of a header, nor the beginning of one and *",
                       text);
    }
    HF_TRY(add(strip, name));
    enum hf_err err = check_harmless(&strip->patterns[strip->n - 1], text);
    if (err != HF_OK) {
        hf_free(strip->patterns[--strip->n].text);
    }
    look_up_known(strip);
    return err;
}

static bool is_listed(const struct hf_strip *strip, const struct hf_http_msg *msg, size_t at)
{
    const struct hf_http_field *field = &msg->fields[at];
    return field->name == HF_HTTP_OTHER ? hf_strip_has(strip, hf_http_msg_name(msg, field))
                                        : strip->known[field->name];
}

size_t hf_strip_apply(const struct hf_strip *strip, struct hf_http_msg *msg)
{
    size_t n_removed = 0;
    for (size_t i = 0; i < msg->n_fields;) {
        struct hf_bytes name = hf_http_msg_name(msg, &msg->fields[i]);
        size_t n = is_listed(strip, msg, i) ? hf_http_msg_remove(msg, name) : 0;
        n_removed += n;
        i = n ? 0 : i + 1;
    }
    return n_removed;
}

const char *hf_strip_builtin(size_t at)
{
    return at < HF_N_ELEMENTS(builtin) ? builtin[at] : NULL;
}
