// SPDX-License-Identifier: Apache-2.0
/*
 * Templates of headers and log lines. The first line is the template, the rest is every name and
 * text that it can ask for.
 *
 * Whatever it is made of, a header is visible ASCII and spaces, and a log line is one line without
 * control characters.
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "fuzz.h"
#include "http/template.h"

enum { TEXT_MAX_LEN = 2000 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* A name as struct hf_identity has it: printable, backslashes doubled. */
static char *name_of(struct hf_bytes text)
{
    struct hf_buf buf = HF_BUF_INIT(4 * TEXT_MAX_LEN + 4);
    need(hf_append_printable(&buf, text, 4 * TEXT_MAX_LEN) == HF_OK);
    const char *made = hf_buf_cstr(&buf);
    char *copy = strdup(made ? made : "");
    hf_buf_done(&buf);
    return copy;
}

static void check(const char *text, enum hf_template_use use, const struct hf_facts *facts)
{
    struct hf_template *tmpl = NULL;
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    bool known;
    if (hf_template_new(text, use, &tmpl) == HF_OK &&
        hf_template_render(tmpl, facts, &out, &known) == HF_OK) {
        struct hf_bytes made = hf_buf_bytes(&out);
        for (size_t i = 0; i < made.len; i++) {
            uint8_t c = made.ptr[i];
            bool literal = memchr(text, c, strlen(text)) != NULL; /* what the operator wrote */
            need(literal || (c >= ' ' && c != 0x7f));
            need(literal || c < 0x80 || use == HF_TEMPLATE_LOG);
            need(c != '\n' && c != '\r' && c != '\0');
        }
    }
    hf_buf_done(&out);
    hf_template_free(tmpl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    struct hf_bytes rest = hf_bytes_from(hf_bytes_of(data, size), end ? n + 1 : n);
    rest.len = rest.len < TEXT_MAX_LEN ? rest.len : TEXT_MAX_LEN;
    char *text = strndup((const char *)data, n);
    char *raw = strndup((const char *)rest.ptr, rest.len);
    char *name = name_of(rest);
    char *names[] = {name, name};
    char serial[] = "1f";
    const struct hf_identity identity = {.subject = name,
                                         .issuer = name,
                                         .cn = name,
                                         .serial = serial,
                                         .spiffe = name,
                                         .dns = {names, 2},
                                         .email = {names, 1}};
    const struct hf_facts facts = {.identity = &identity,
                                   .verified = size % 2,
                                   .tell_unverified = size % 3,
                                   .sni = raw,
                                   .route = raw,
                                   .method = rest,
                                   .host = rest,
                                   .path = rest,
                                   .query = rest,
                                   .has_query = true};
    check(text, HF_TEMPLATE_HEADER, &facts);
    check(text, HF_TEMPLATE_LOG, &facts);
    check("{peer.cn}|{peer.dn}|{peer.dns}|{peer.id}|{tls.sni}|{request.target}", HF_TEMPLATE_HEADER,
          &facts);
    free(text);
    free(raw);
    free(name);
    return 0;
}
