// SPDX-License-Identifier: Apache-2.0
/*
 * journal.jsonl, which handfast kept in a folder before it had a store: a line for each thing that
 * was done, of which those that issued are wanted.
 *
 *     {"at": "2026-01-02T03:04:05Z", "event": "issue", "profile": "client", "der": "MIIB..."}
 *
 * A last line without an end was cut by a crash: nobody was given its certificate.
 */
#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "ca/store_import.h"
#include "ca/when.h"
#include "pki/cert.h"

struct parsing {
    enum hf_err (*fn)(void *ctx, const struct hf_old_issue *issue);
    void *ctx;
};

static enum hf_err give(const struct parsing *parsing, const json_t *line)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(HF_CERT_DER_MAX);
    const char *text = json_string_value(json_object_get(line, "der"));
    const char *at = json_string_value(json_object_get(line, "at"));
    const char *profile = json_string_value(json_object_get(line, "profile"));
    struct hf_old_issue issue = {.profile = profile};
    if (!text || !at || !profile) {
        return hf_fail(HF_E_MALFORMED, "it should have \"der\", \"at\" and \"profile\"");
    }
    HF_TRY(hf_ca_parse_time(at, &issue.issued_at));
    HF_TRY(hf_base64_decode(hf_bytes_str(text), &der));
    issue.der = hf_buf_bytes(&der);
    return parsing->fn(parsing->ctx, &issue);
}

static enum hf_err read_line(const struct parsing *parsing, struct hf_bytes text)
{
    json_error_t where;
    json_t *line = json_loadb((const char *)text.ptr, text.len, 0, &where);
    if (!line) {
        return hf_fail(HF_E_MALFORMED, "%s", where.text);
    }
    const char *event = json_string_value(json_object_get(line, "event"));
    enum hf_err err = event && strcmp(event, "issue") == 0 ? give(parsing, line) : HF_OK;
    json_decref(line);
    return err;
}

enum hf_err hf_old_journal_parse(struct hf_bytes text, const char *label,
                                 enum hf_err (*fn)(void *ctx, const struct hf_old_issue *issue),
                                 void *ctx)
{
    const struct parsing parsing = {fn, ctx};
    for (int number = 1; text.len; number++) {
        const uint8_t *lf = memchr(text.ptr, '\n', text.len);
        if (!lf) {
            return HF_OK;
        }
        enum hf_err err = read_line(&parsing, hf_bytes_of(text.ptr, (size_t)(lf - text.ptr)));
        if (err != HF_OK) {
            return hf_fail_context(err, "%s:%d", label, number);
        }
        text = hf_bytes_from(text, (size_t)(lf - text.ptr) + 1);
    }
    return HF_OK;
}
