// SPDX-License-Identifier: Apache-2.0
/*
 * What a proxy in front of us sent, with ours appended. The first byte says which header: even,
 * x-forwarded-client-cert; odd, Forwarded. The first line is what came, the rest our client's
 * names.
 *
 * What passes the check and has ours behind it is read by readers that differ on quotes: for all of
 * them the last element must be ours, whole, and the number of elements one more than before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "fuzz.h"
#include "http/forward.h"
#include "http/forwarded.h"
#include "http/xfcc.h"

enum { NAMES_MAX = 1000 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* How a reader sees a backslash between quotes. */
enum reader { ESCAPES_ANYTHING, ESCAPES_QUOTES, ESCAPES_NOTHING };

/* Where the last element begins, by this reader. */
static size_t last_element(struct hf_bytes text, enum reader reader)
{
    bool quoted = false;
    size_t begin = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        bool escape = quoted && text.ptr[i] == '\\' &&
                      (reader == ESCAPES_ANYTHING || (reader == ESCAPES_QUOTES && next == '"'));
        if (escape) {
            i++;
        } else if (text.ptr[i] == '"') {
            quoted = !quoted;
        } else if (text.ptr[i] == ',' && !quoted) {
            begin = i + 1;
        }
    }
    need(!quoted);
    return begin;
}

static char *printable(struct hf_bytes text)
{
    struct hf_buf buf = HF_BUF_INIT(4 * NAMES_MAX + 4);
    need(hf_append_printable(&buf, text, 4 * NAMES_MAX) == HF_OK);
    const char *made = hf_buf_cstr(&buf);
    char *copy = strdup(made ? made : "");
    hf_buf_done(&buf);
    return copy;
}

static void check_xfcc(struct hf_bytes came, struct hf_bytes rest)
{
    if (hf_xfcc_check(came) != HF_OK) {
        return;
    }
    char *name = printable(rest);
    char *names[] = {name};
    const struct hf_identity identity = {
        .subject = name, .uri = {names, 1}, .dns = {names, 1}, .sha256 = "00"};
    const struct hf_facts facts = {.identity = &identity, .verified = true, .own = &identity};
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    need(hf_buf_append(&out, came) == HF_OK && hf_buf_append_str(&out, ",") == HF_OK);
    size_t ours = hf_buf_len(&out);
    need(hf_xfcc_append(&out, &facts, (1u << HF_XFCC_PART_N) - 1) == HF_OK);
    need(hf_xfcc_check(hf_buf_bytes(&out)) == HF_OK);
    need(last_element(hf_buf_bytes(&out), ESCAPES_ANYTHING) == ours);
    need(last_element(hf_buf_bytes(&out), ESCAPES_QUOTES) == ours);
    need(last_element(hf_buf_bytes(&out), ESCAPES_NOTHING) == ours);
    hf_buf_done(&out);
    free(name);
}

/* Quoted strings here have one grammar (RFC 9110 5.6.4). */
static void check_forwarded(struct hf_bytes came, struct hf_bytes rest)
{
    if (hf_forwarded_check(came) != HF_OK) {
        return;
    }
    struct hf_forwarded_element element = {.address = hf_bytes_str("2001:db8::1"), .host = rest};
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    need(hf_buf_append(&out, came) == HF_OK && hf_buf_append_str(&out, ",") == HF_OK);
    size_t ours = hf_buf_len(&out);
    if (hf_forwarded_append(&out, &element) == HF_OK) {
        need(hf_forwarded_check(hf_buf_bytes(&out)) == HF_OK);
        need(last_element(hf_buf_bytes(&out), ESCAPES_ANYTHING) == ours);
    }
    hf_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct hf_bytes came = hf_bytes_of(data + 1, size - 1);
    const uint8_t *end = came.len ? memchr(came.ptr, '\n', came.len) : NULL;
    struct hf_bytes rest = {NULL, 0};
    if (end) {
        size_t n = (size_t)(end - came.ptr);
        rest = hf_bytes_from(came, n + 1);
        rest.len = rest.len < NAMES_MAX ? rest.len : NAMES_MAX;
        came.len = n;
    }
    struct hf_bytes list = came;
    struct hf_bytes address;
    while (hf_forwarded_last(&list, &address)) {
        need(address.ptr >= came.ptr && address.ptr + address.len <= came.ptr + came.len);
    }
    (data[0] % 2 ? check_forwarded : check_xfcc)(came, rest);
    return 0;
}
