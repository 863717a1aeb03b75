// SPDX-License-Identifier: Apache-2.0
/*
 * Files of lists: DER as it is, or PEM. PEM is taken apart line by line as it comes, so that a list
 * of 50 MB is never in memory as a whole.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "pki/crl_impl.h"

enum { PEM_LINE_MAX = 4096 };

enum form { UNKNOWN, DER, PEM };
enum where { OUTSIDE, INSIDE, SKIPPING };

struct hf_crl_reader {
    struct hf_crl_limits limits;
    char *label;
    enum form form;
    enum where where;
    int line_number;
    int begun_at; /* line of the BEGIN */
    struct hf_buf line;
    EVP_ENCODE_CTX *base64;
    struct hf_crl_der *der;
    struct hf_crl *done; /* the list of this block or file, complete */
    struct hf_crl_lists lists;
    bool failed;
};

enum hf_err hf_crl_reader_new(const struct hf_crl_limits *limits, const char *label,
                              struct hf_crl_reader **out)
{
    struct hf_crl_reader *reader = HF_NEW(struct hf_crl_reader);
    if (!reader) {
        return HF_E_NOMEM;
    }
    reader->limits = *limits;
    reader->line = HF_BUF_INIT(PEM_LINE_MAX);
    reader->label = hf_strdup(label);
    reader->base64 = hf_alloc_checked(EVP_ENCODE_CTX_new(), 1);
    if (!reader->label || !reader->base64) {
        hf_crl_reader_free(reader);
        return HF_E_NOMEM;
    }
    *out = reader;
    return HF_OK;
}

void hf_crl_lists_done(struct hf_crl_lists *lists)
{
    for (size_t i = 0; i < lists->n; i++) {
        hf_crl_unref(lists->item[i]);
    }
    hf_free(lists->item);
    *lists = (struct hf_crl_lists){0};
}

void hf_crl_reader_free(struct hf_crl_reader *reader)
{
    if (!reader) {
        return;
    }
    hf_crl_der_free(reader->der);
    hf_crl_unref(reader->done);
    hf_crl_lists_done(&reader->lists);
    hf_buf_done(&reader->line);
    EVP_ENCODE_CTX_free(reader->base64);
    hf_free(reader->label);
    hf_free(reader);
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static enum hf_err begin_list(struct hf_crl_reader *reader)
{
    if (reader->lists.n >= reader->limits.n_lists_max) {
        return hf_fail(HF_E_TOO_LARGE, "more than %zu lists in one file",
                       reader->limits.n_lists_max);
    }
    return hf_crl_der_new(&reader->limits, reader->label, &reader->der);
}

static enum hf_err feed_list(struct hf_crl_reader *reader, struct hf_bytes bytes)
{
    struct hf_crl *crl = NULL;
    HF_TRY(hf_crl_der_feed(reader->der, bytes, &crl));
    if (crl) {
        reader->done = crl;
    }
    return HF_OK;
}

static enum hf_err end_list(struct hf_crl_reader *reader)
{
    if (!reader->done) {
        return hf_fail(HF_E_TRUNCATED, "the list ends before its own lengths say so");
    }
    size_t n = reader->lists.n;
    struct hf_crl **item = hf_realloc(reader->lists.item, (n + 1) * sizeof(*item));
    if (!item) {
        return HF_E_NOMEM;
    }
    item[n] = HF_TAKE(reader->done);
    reader->lists = (struct hf_crl_lists){item, n + 1};
    hf_crl_der_free(HF_TAKE(reader->der));
    return HF_OK;
}

/* --- PEM ----------------------------------------------------------------------------------------
 */

static bool starts(struct hf_bytes line, const char *with)
{
    size_t len = strlen(with);
    return line.len >= len && memcmp(line.ptr, with, len) == 0;
}

static enum hf_err on_base64(struct hf_crl_reader *reader, struct hf_bytes line)
{
    uint8_t out[PEM_LINE_MAX];
    int n = 0;
    if (EVP_DecodeUpdate(reader->base64, out, &n, line.ptr, (int)line.len) < 0) {
        return hf_fail(HF_E_MALFORMED, "what is between BEGIN and END is not base64");
    }
    return n > 0 ? feed_list(reader, hf_bytes_of(out, (size_t)n)) : HF_OK;
}

static enum hf_err on_end(struct hf_crl_reader *reader)
{
    uint8_t out[64];
    int n = 0;
    if (EVP_DecodeFinal(reader->base64, out, &n) < 0) {
        return hf_fail(HF_E_MALFORMED, "the base64 is cut short");
    }
    if (n > 0) {
        HF_TRY(feed_list(reader, hf_bytes_of(out, (size_t)n)));
    }
    reader->where = OUTSIDE;
    return end_list(reader);
}

static enum hf_err on_line(struct hf_crl_reader *reader, struct hf_bytes line)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    switch (reader->where) {
    case OUTSIDE:
        if (starts(line, "-----BEGIN X509 CRL-----")) {
            reader->where = INSIDE;
            reader->begun_at = reader->line_number;
            EVP_DecodeInit(reader->base64);
            return begin_list(reader);
        }
        reader->where = starts(line, begin) ? SKIPPING : OUTSIDE;
        return HF_OK;
    case SKIPPING:
        reader->where = starts(line, end) ? OUTSIDE : SKIPPING;
        return HF_OK;
    case INSIDE:
        if (starts(line, begin) || (starts(line, end) && !starts(line, "-----END X509 CRL-----"))) {
            return hf_fail(HF_E_MALFORMED, "the block has no END line of its own");
        }
        return starts(line, end) ? on_end(reader) : on_base64(reader, line);
    }
    return HF_OK;
}

static enum hf_err flush_line(struct hf_crl_reader *reader, struct hf_bytes line)
{
    enum hf_err err = on_line(reader, line);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "line %d", reader->line_number);
}

/* Whole lines are used where they lie; the last piece of one waits for its end. */
static enum hf_err feed_pem(struct hf_crl_reader *reader, struct hf_bytes bytes)
{
    while (bytes.len) {
        const uint8_t *newline = memchr(bytes.ptr, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.ptr) + 1 : bytes.len;
        struct hf_bytes piece = hf_bytes_of(bytes.ptr, len);
        bytes = hf_bytes_from(bytes, len);
        if (hf_buf_len(&reader->line) || !newline) {
            if (hf_buf_append(&reader->line, piece) != HF_OK) {
                return hf_fail_context(HF_E_TOO_LARGE, "line %d", reader->line_number + 1);
            }
            piece = hf_buf_bytes(&reader->line);
        }
        if (newline) {
            reader->line_number++;
            HF_TRY(flush_line(reader, piece));
            hf_buf_reset(&reader->line);
        }
    }
    return HF_OK;
}

/* --- Files --------------------------------------------------------------------------------------
 */

static enum hf_err feed(struct hf_crl_reader *reader, struct hf_bytes bytes)
{
    if (reader->form == UNKNOWN && bytes.len) {
        reader->form = bytes.ptr[0] == HF_DER_SEQUENCE ? DER : PEM;
        if (reader->form == DER) {
            HF_TRY(begin_list(reader));
        }
    }
    return reader->form == DER ? feed_list(reader, bytes) : feed_pem(reader, bytes);
}

enum hf_err hf_crl_reader_feed(struct hf_crl_reader *reader, struct hf_bytes bytes)
{
    if (reader->failed) {
        return hf_fail(HF_E_MALFORMED, "%s: found to be malformed before", reader->label);
    }
    enum hf_err err = feed(reader, bytes);
    if (err != HF_OK) {
        reader->failed = true;
        return hf_fail_context(err, "%s", reader->label);
    }
    return HF_OK;
}

static enum hf_err end_file(struct hf_crl_reader *reader)
{
    if (reader->form == DER) {
        return end_list(reader);
    }
    if (hf_buf_len(&reader->line)) { /* the last line has no newline */
        reader->line_number++;
        HF_TRY(flush_line(reader, hf_buf_bytes(&reader->line)));
    }
    if (reader->where != OUTSIDE) {
        return hf_fail(HF_E_TRUNCATED, "the block that begins at line %d has no END",
                       reader->begun_at);
    }
    return reader->lists.n ? HF_OK
                           : hf_fail(HF_E_NOT_FOUND, "no revocation list is in it: neither DER "
                                                     "nor a PEM block X509 CRL");
}

enum hf_err hf_crl_reader_end(struct hf_crl_reader *reader, struct hf_crl_lists *out)
{
    enum hf_err err =
        reader->failed ? hf_fail(HF_E_MALFORMED, "found to be malformed before") : end_file(reader);
    if (err != HF_OK) {
        reader->failed = true;
        return hf_fail_context(err, "%s", reader->label);
    }
    *out = reader->lists;
    reader->lists = (struct hf_crl_lists){0};
    return HF_OK;
}
