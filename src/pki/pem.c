// SPDX-License-Identifier: Apache-2.0
#include "pki/pem.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert_impl.h"
#include "pki/ossl.h"

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

static bool starts_with(struct hf_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.ptr, prefix, len) == 0;
}

/* Takes a line without its end (LF, CRLF, or that of the text) and spaces at its end. */
static struct hf_bytes take_line(struct hf_pem_reader *reader)
{
    const uint8_t *lf = memchr(reader->rest.ptr, '\n', reader->rest.len);
    size_t n = lf ? (size_t)(lf - reader->rest.ptr) : reader->rest.len;
    struct hf_bytes line = hf_bytes_of(reader->rest.ptr, n);
    reader->rest = hf_bytes_from(reader->rest, lf ? n + 1 : n);
    reader->line += lf != NULL;
    while (line.len && strchr(" \t\r", line.ptr[line.len - 1]) && line.ptr[line.len - 1]) {
        line.len--;
    }
    return line;
}

/* The label of "-----BEGIN label-----"; empty when the line is nothing of the kind. */
static struct hf_bytes mark_label(struct hf_bytes line, const char *mark)
{
    size_t mark_len = strlen(mark);
    size_t tail = sizeof(dashes) - 1;
    if (!starts_with(line, mark) || line.len <= mark_len + tail ||
        memcmp(line.ptr + line.len - tail, dashes, tail) != 0) {
        return hf_bytes_of(NULL, 0);
    }
    return hf_bytes_of(line.ptr + mark_len, line.len - mark_len - tail);
}

static enum hf_err read_body(struct hf_pem_reader *reader, struct hf_pem_block *block)
{
    const uint8_t *start = reader->rest.ptr;
    while (reader->rest.len) {
        struct hf_bytes line = take_line(reader);
        if (starts_with(line, "Proc-Type:") && memmem(line.ptr, line.len, "ENCRYPTED", 9)) {
            block->encrypted = true;
        }
        if (!starts_with(line, dashes)) {
            continue;
        }
        if (!hf_bytes_eq(mark_label(line, end_mark), block->type)) {
            return hf_fail(HF_E_MALFORMED,
                           "%s:%d: the PEM block that begins on line %d is not ended by "
                           "\"-----END %.*s-----\"",
                           reader->label, reader->line - 1, block->line, (int)block->type.len,
                           (const char *)block->type.ptr);
        }
        block->body = hf_bytes_of(start, (size_t)(line.ptr - start));
        block->text.len = (size_t)(reader->rest.ptr ? reader->rest.ptr - block->text.ptr
                                                    : line.ptr + line.len - block->text.ptr);
        return HF_OK;
    }
    return hf_fail(HF_E_TRUNCATED, "%s:%d: the PEM block \"%.*s\" has no end: the file is cut",
                   reader->label, block->line, (int)block->type.len, (const char *)block->type.ptr);
}

/* A label goes into messages: what is longer or stranger than any known one isn't one. */
static bool is_label(struct hf_bytes label)
{
    for (size_t i = 0; i < label.len; i++) {
        if (label.ptr[i] < 0x20 || label.ptr[i] > 0x7e) {
            return false;
        }
    }
    return label.len != 0 && label.len <= 64;
}

enum hf_err hf_pem_next(struct hf_pem_reader *reader, struct hf_pem_block *out)
{
    *out = (struct hf_pem_block){0};
    while (reader->rest.len) {
        int number = reader->line;
        struct hf_bytes line = take_line(reader);
        struct hf_bytes label = mark_label(line, begin_mark);
        if (is_label(label)) {
            *out = (struct hf_pem_block){.type = label, .text = line, .line = number};
            out->encrypted = hf_bytes_eq_str(label, "ENCRYPTED PRIVATE KEY");
            return read_body(reader, out);
        }
    }
    return HF_OK;
}

enum hf_err hf_pem_decode(const struct hf_pem_block *block, const char *label, struct hf_buf *out)
{
    if (block->body.len && memchr(block->body.ptr, ':', block->body.len)) {
        return hf_fail(HF_E_UNSUPPORTED, "%s:%d: a PEM block with headers where none may be", label,
                       block->line);
    }
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, block->body.len + 64, &room));
    EVP_ENCODE_CTX *decoder = EVP_ENCODE_CTX_new();
    if (!decoder) {
        return hf_fail_ossl(HF_E_NOMEM, "no base64 decoder");
    }
    EVP_DecodeInit(decoder);
    int n = 0;
    int tail = 0;
    bool good =
        EVP_DecodeUpdate(decoder, room.ptr, &n, block->body.ptr, (int)block->body.len) >= 0 &&
        EVP_DecodeFinal(decoder, room.ptr + n, &tail) >= 0;
    EVP_ENCODE_CTX_free(decoder);
    hf_ossl_forget();
    if (!good || n + tail <= 0) {
        return hf_fail(HF_E_MALFORMED, "%s:%d: the base64 of the PEM block \"%.*s\" is broken",
                       label, block->line, (int)block->type.len, (const char *)block->type.ptr);
    }
    hf_buf_commit(out, (size_t)(n + tail));
    return HF_OK;
}

bool hf_looks_like_pem(struct hf_bytes text)
{
    return text.len && memmem(text.ptr, text.len, begin_mark, sizeof(begin_mark) - 1) != NULL;
}

/* --- Certificates ------------------------------------------------------------------------------
 */

struct cert_list {
    struct hf_cert **certs;
    size_t n;
    size_t max;
};

static void cert_list_done(struct cert_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        hf_cert_unref(list->certs[i]);
    }
    hf_free(list->certs);
}

static enum hf_err cert_list_add(struct cert_list *list, struct hf_bytes der, const char *label)
{
    if (list->n == list->max) {
        return hf_fail(HF_E_TOO_LARGE, "%s: more than %zu certificates", label, list->max);
    }
    if ((list->n & (list->n - 1)) == 0) {
        size_t room = list->n ? 2 * list->n : 1;
        struct hf_cert **certs = hf_realloc(list->certs, room * sizeof(struct hf_cert *));
        if (!certs) {
            return HF_E_NOMEM;
        }
        list->certs = certs;
    }
    HF_TRY(hf_cert_from_der(der, &list->certs[list->n]));
    list->n++;
    return HF_OK;
}

static enum hf_err add_block(struct cert_list *list, const struct hf_pem_block *block,
                             const char *label)
{
    if (hf_bytes_eq_str(block->type, "TRUSTED CERTIFICATE")) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s:%d: an OpenSSL \"TRUSTED CERTIFICATE\" carries settings that would be "
                       "ignored; convert it with: openssl x509 -in FILE -out FILE.pem",
                       label, block->line);
    }
    if (!hf_bytes_eq_str(block->type, "CERTIFICATE") &&
        !hf_bytes_eq_str(block->type, "X509 CERTIFICATE")) {
        return HF_OK;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(2 * HF_CERT_DER_MAX);
    HF_TRY(hf_pem_decode(block, label, &der));
    enum hf_err err = cert_list_add(list, hf_buf_bytes(&der), label);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "%s:%d", label, block->line);
}

static enum hf_err add_all(struct cert_list *list, struct hf_bytes text, const char *label)
{
    if (!hf_looks_like_pem(text)) {
        enum hf_err err = cert_list_add(list, text, label);
        return err == HF_OK ? HF_OK : hf_fail_context(err, "%s", label);
    }
    struct hf_pem_reader reader = hf_pem_reader_of(text, label);
    for (;;) {
        struct hf_pem_block block;
        HF_TRY(hf_pem_next(&reader, &block));
        if (block.type.len == 0) {
            return HF_OK;
        }
        HF_TRY(add_block(list, &block, label));
    }
}

enum hf_err hf_certs_parse(struct hf_bytes text, const char *label, size_t max,
                           struct hf_chain **out)
{
    *out = NULL;
    HF_CLEANUP(cert_list_done) struct cert_list list = {.max = max};
    HF_TRY(add_all(&list, text, label));
    if (list.n == 0) {
        return hf_fail(HF_E_MALFORMED, "%s: no certificate in it", label);
    }
    return hf_chain_new_any(list.certs, list.n, out);
}
