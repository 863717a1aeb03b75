// SPDX-License-Identifier: Apache-2.0
/*
 * A name out of a certificate was chosen by somebody else, and header values have no type. So
 * everything here is made such that no byte of a value can end it, and that two values never come
 * out as one text.
 */
#include "http/encode.h"

#include "base/base64.h"
#include "base/escape.h"
#include "http/chars.h"

enum { PEM_LINE_BYTES = 48 };

static enum hf_err append_percent(struct hf_buf *out, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len;) {
        size_t plain = hf_http_span(hf_bytes_from(text, i), HF_CHAR_PLAIN);
        HF_TRY(hf_buf_append(out, hf_bytes_of(text.ptr + i, plain)));
        i += plain;
        if (i < text.len) {
            HF_TRY(hf_buf_printf(out, "%%%02X", text.ptr[i++]));
        }
    }
    return HF_OK;
}

enum hf_err hf_append_pem_escaped(struct hf_buf *out, struct hf_bytes der)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(2 * PEM_LINE_BYTES);
    HF_TRY(hf_buf_append_str(out, "-----BEGIN%20CERTIFICATE-----%0A"));
    while (der.len) {
        size_t n = der.len < PEM_LINE_BYTES ? der.len : PEM_LINE_BYTES;
        hf_buf_reset(&line);
        HF_TRY(hf_base64_encode(hf_bytes_of(der.ptr, n), &line));
        HF_TRY(append_percent(out, hf_buf_bytes(&line)));
        HF_TRY(hf_buf_append_str(out, "%0A"));
        der = hf_bytes_from(der, n);
    }
    return hf_buf_append_str(out, "-----END%20CERTIFICATE-----%0A");
}

/* Length of the character at the front if it passes as it is; 0: its first byte is to be escaped.
 */
static size_t pass_len(struct hf_bytes text, unsigned flags)
{
    uint8_t c = text.ptr[0];
    if (c >= 0x80) {
        return flags & HF_TEXT_UTF8 ? hf_printable_len(text) : 0;
    }
    bool refused = c < ' ' || c == 0x7f || (c == '"' && flags & HF_TEXT_QUOTED) ||
                   (c == ',' && flags & HF_TEXT_ELEMENT) ||
                   (c == '\\' && !(flags & (HF_TEXT_ESCAPED | HF_TEXT_DN)));
    return refused ? 0 : 1;
}

static enum hf_err append_escape(struct hf_buf *out, uint8_t c, unsigned flags)
{
    if (c == '\\') {
        return hf_buf_append_str(out, "\\\\");
    }
    return hf_buf_printf(out, flags & HF_TEXT_DN ? "\\%02X" : "\\x%02x", c);
}

static size_t run_len(struct hf_bytes text, unsigned flags)
{
    size_t run = 0;
    for (size_t n = 1; n && run < text.len; run += n) {
        n = pass_len(hf_bytes_from(text, run), flags);
    }
    return run;
}

/* A space at the end of a DN has its backslash already (RFC 4514 2.4). */
static enum hf_err append_edge_space(struct hf_buf *out, const uint8_t *before, unsigned flags)
{
    bool escaped = flags & HF_TEXT_DN && before && *before == '\\';
    return escaped ? hf_buf_append_str(out, "20") : append_escape(out, ' ', flags);
}

enum hf_err hf_append_safe(struct hf_buf *out, struct hf_bytes text, unsigned flags)
{
    size_t begin = 0;
    size_t end = text.len;
    while (end && text.ptr[end - 1] == ' ') {
        end--;
    }
    while (begin < end && text.ptr[begin] == ' ') {
        begin++;
    }
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        if (i < begin || i >= end) {
            HF_TRY(append_edge_space(out, i ? &text.ptr[i - 1] : NULL, flags));
            i++;
        } else if ((n = run_len(hf_bytes_of(text.ptr + i, end - i), flags)) != 0) {
            HF_TRY(hf_buf_append(out, hf_bytes_of(text.ptr + i, n)));
            i += n;
        } else {
            HF_TRY(append_escape(out, text.ptr[i++], flags));
        }
    }
    return HF_OK;
}

static bool is_hex(uint8_t c)
{
    return hf_http_is(c, HF_CHAR_HEX);
}

enum hf_err hf_append_dn_strict(struct hf_buf *out, struct hf_bytes dn)
{
    for (size_t i = 0; i < dn.len; i++) {
        uint8_t c = dn.ptr[i];
        bool escape = c == '\\' && i + 1 < dn.len;
        if (escape && i + 2 < dn.len && is_hex(dn.ptr[i + 1]) && is_hex(dn.ptr[i + 2])) {
            HF_TRY(hf_buf_append(out, hf_bytes_of(dn.ptr + i, 3)));
            i += 2;
        } else if (escape) {
            HF_TRY(hf_buf_printf(out, "\\%02X", dn.ptr[++i]));
        } else if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') {
            HF_TRY(hf_buf_printf(out, "\\%02X", c));
        } else {
            HF_TRY(hf_buf_u8(out, c));
        }
    }
    return HF_OK;
}
