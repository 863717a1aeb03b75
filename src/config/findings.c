// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

/* A file with thousands of mistakes is told about this many of them. */
enum { FINDINGS_MAX = 1000, FINDING_TEXT_MAX = 2048 };

static const struct {
    const char *name;
    enum hf_finding_level level;
    const char *by;
    const char *doc;
} kinds[HF_FINDING_N] = {
#define FINDING_ROW(id, name, level, by, doc) \
    [HF_FINDING_##id] = {name, HF_FINDING_##level, by, doc},
    HF_FINDING_TABLE(FINDING_ROW)
#undef FINDING_ROW
};

static const char *const level_names[] = {
    [HF_FINDING_ERROR] = "error",
    [HF_FINDING_WARNING] = "warning",
};

const char *hf_finding_name(enum hf_finding_id id)
{
    return kinds[id].name;
}

enum hf_finding_level hf_finding_level(enum hf_finding_id id)
{
    return kinds[id].level;
}

const char *hf_finding_by(enum hf_finding_id id)
{
    return kinds[id].by;
}

const char *hf_finding_doc(enum hf_finding_id id)
{
    return kinds[id].doc;
}

void hf_findings_done(struct hf_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        hf_free(findings->item[i].text);
    }
    hf_free(findings->item);
    hf_free(findings->file);
    *findings = (struct hf_findings){0};
}

enum hf_err hf_findings_file(struct hf_findings *findings, const char *file)
{
    char *copy = hf_strdup(file);
    if (!copy) {
        return HF_E_NOMEM;
    }
    hf_free(findings->file);
    findings->file = copy;
    return HF_OK;
}

/* Room for one more, in steps of powers of two. */
static bool grow(struct hf_findings *findings)
{
    if (findings->n & (findings->n - 1)) {
        return true;
    }
    size_t wanted = findings->n ? 2 * findings->n : 1;
    struct hf_finding *item = hf_realloc(findings->item, wanted * sizeof(*item));
    if (item) {
        findings->item = item;
    }
    return item != NULL;
}

/* Values of the file are quoted in the text: what they hold must not reach a terminal raw. */
static char *printable(const char *text)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(2 * FINDING_TEXT_MAX);
    const char *line = NULL;
    if (hf_append_printable(&safe, hf_bytes_str(text), FINDING_TEXT_MAX) == HF_OK) {
        line = hf_buf_cstr(&safe);
    }
    return line ? hf_strdup(line) : NULL;
}

void hf_findings_add(struct hf_findings *findings, enum hf_finding_id id, struct hf_mark mark,
                     const char *format, ...)
{
    char text[FINDING_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool is_error = kinds[id].level == HF_FINDING_ERROR;
    findings->n_errors += is_error;
    if (findings->n >= FINDINGS_MAX) {
        return;
    }
    char *copy = printable(text);
    if (!copy || !grow(findings)) {
        hf_free(copy);
        findings->n_errors += !is_error && !findings->out_of_memory;
        findings->out_of_memory = true;
        return;
    }
    findings->item[findings->n++] = (struct hf_finding){.id = id, .mark = mark, .text = copy};
}

static int compare_marks(const struct hf_mark *a, const struct hf_mark *b)
{
    return a->line != b->line ? (a->line < b->line ? -1 : 1)
                              : (a->column > b->column) - (a->column < b->column);
}

/* Insertion sort: stable, and there are few. */
void hf_findings_sort(struct hf_findings *findings)
{
    for (size_t i = 1; i < findings->n; i++) {
        struct hf_finding moving = findings->item[i];
        size_t at = i;
        for (; at > 0 && compare_marks(&findings->item[at - 1].mark, &moving.mark) > 0; at--) {
            findings->item[at] = findings->item[at - 1];
        }
        findings->item[at] = moving;
    }
}

static enum hf_err format_place(const struct hf_findings *findings, const struct hf_mark *mark,
                                struct hf_buf *out)
{
    const char *file = findings->file ? findings->file : "config";
    if (mark->flag) {
        return hf_buf_append_str(out, mark->flag);
    }
    if (mark->line) {
        return hf_buf_printf(out, "%s:%d:%d", file, mark->line, mark->column);
    }
    return hf_buf_append_str(out, file);
}

enum hf_err hf_findings_format(struct hf_findings *findings, struct hf_buf *out)
{
    hf_findings_sort(findings);
    for (size_t i = 0; i < findings->n; i++) {
        const struct hf_finding *finding = &findings->item[i];
        HF_TRY(format_place(findings, &finding->mark, out));
        HF_TRY(
            hf_buf_printf(out, ": %s: %s\n", level_names[kinds[finding->id].level], finding->text));
    }
    if (findings->out_of_memory) {
        HF_TRY(hf_buf_append_str(out, "out of memory: some findings are missing\n"));
    }
    if (findings->n >= FINDINGS_MAX) {
        HF_TRY(hf_buf_append_str(out, "too many findings: the rest is left out\n"));
    }
    return HF_OK;
}

static enum hf_err json_place(const struct hf_findings *findings, const struct hf_mark *mark,
                              struct hf_buf *out)
{
    if (mark->flag) {
        HF_TRY(hf_buf_append_str(out, "\"flag\":"));
        HF_TRY(hf_append_json_string(out, hf_bytes_str(mark->flag)));
        return HF_OK;
    }
    HF_TRY(hf_buf_append_str(out, "\"file\":"));
    HF_TRY(hf_append_json_string(out, hf_bytes_str(findings->file ? findings->file : "config")));
    return mark->line ? hf_buf_printf(out, ",\"line\":%d,\"column\":%d", mark->line, mark->column)
                      : HF_OK;
}

enum hf_err hf_findings_json(struct hf_findings *findings, struct hf_buf *out)
{
    hf_findings_sort(findings);
    HF_TRY(hf_buf_append_str(out, "["));
    for (size_t i = 0; i < findings->n; i++) {
        const struct hf_finding *finding = &findings->item[i];
        HF_TRY(hf_buf_append_str(out, i ? ",\n {" : "\n {"));
        HF_TRY(json_place(findings, &finding->mark, out));
        HF_TRY(hf_buf_printf(out, ",\"level\":\"%s\",\"id\":\"%s\",\"text\":",
                             level_names[kinds[finding->id].level], kinds[finding->id].name));
        HF_TRY(hf_append_json_string(out, hf_bytes_str(finding->text)));
        HF_TRY(hf_buf_append_str(out, "}"));
    }
    return hf_buf_append_str(out, findings->n ? "\n]\n" : "]\n");
}
