// SPDX-License-Identifier: Apache-2.0
#include "ca/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "ca/lint_impl.h"

static const struct hf_lint_table *const tables[] = {&hf_lint_basics, &hf_lint_names,
                                                     &hf_lint_extensions, &hf_lint_profiles};

static const struct hf_lint_check unreadable = {"der", HF_LINT_ERROR, "RFC 5280 4.1",
                                                "The certificate is DER of the right structure"};

const char *hf_lint_level_name(enum hf_lint_level level)
{
    static const char *const names[] = {
        [HF_LINT_NOTICE] = "notice", [HF_LINT_WARNING] = "warning", [HF_LINT_ERROR] = "error"};
    return names[level];
}

const struct hf_lint_check *hf_lint_check_at(size_t i)
{
    if (i == 0) {
        return &unreadable;
    }
    i--;
    for (size_t t = 0; t < HF_N_ELEMENTS(tables); t++) {
        if (i < tables[t]->n) {
            return &tables[t]->row[i].check;
        }
        i -= tables[t]->n;
    }
    return NULL;
}

/* Foreign bytes may be in the text: they are made printable. */
static void put_text(struct hf_lint_finding *finding, const char *text)
{
    size_t len = 0;
    struct hf_bytes rest = hf_bytes_str(text);
    while (rest.len && len + 5 < sizeof(finding->text)) {
        size_t n = hf_printable_len(rest);
        if (n == 0) {
            finding->text[len++] = '?';
            rest = hf_bytes_from(rest, 1);
            continue;
        }
        memcpy(finding->text + len, rest.ptr, n);
        len += n;
        rest = hf_bytes_from(rest, n);
    }
    finding->text[len] = '\0';
}

/* The worst first; among equals in the order of the tables. */
void hf_lint_found(struct hf_lint_view *view, const char *format, ...)
{
    struct hf_lint_result *result = view->result;
    char text[2 * HF_LINT_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    enum hf_lint_level level = view->check->level;
    result->n_errors += level == HF_LINT_ERROR;
    result->n_warnings += level == HF_LINT_WARNING;
    size_t at = 0;
    while (at < result->n && result->finding[at].check->level >= level) {
        at++;
    }
    if (at == HF_LINT_FINDINGS_MAX) {
        return;
    }
    result->n += result->n < HF_LINT_FINDINGS_MAX;
    memmove(&result->finding[at + 1], &result->finding[at],
            (result->n - at - 1) * sizeof(result->finding[0]));
    result->finding[at].check = view->check;
    put_text(&result->finding[at], text);
}

static void run_tables(struct hf_lint_view *view)
{
    for (size_t t = 0; t < HF_N_ELEMENTS(tables); t++) {
        for (size_t i = 0; i < tables[t]->n; i++) {
            const struct hf_lint_row *row = &tables[t]->row[i];
            if ((view->is & row->when) == row->when) {
                view->check = &row->check;
                view->result->n_run++;
                row->run(view);
            }
        }
    }
}

static enum hf_err lint(struct hf_lint_view *view, struct hf_bytes tbs)
{
    view->check = &unreadable;
    view->result->n_run++;
    enum hf_err err = hf_lint_view_read(tbs, view);
    if (err == HF_E_NOMEM || err == HF_E_CRYPTO) {
        return err;
    }
    if (err != HF_OK) {
        hf_lint_found(view, "it can't be read: %s", hf_err_text());
        return HF_OK;
    }
    run_tables(view);
    return HF_OK;
}

/* The view is large; it lives on the heap for the time of one run. */
static enum hf_err lint_in(struct hf_bytes tbs, struct hf_bytes outer_algorithm, bool whole,
                           const struct hf_lint_against *against, struct hf_lint_result *out)
{
    struct hf_lint_view *view = HF_NEW(struct hf_lint_view);
    if (!view) {
        return HF_E_NOMEM;
    }
    memset(out, 0, sizeof(*out));
    view->against = against;
    view->result = out;
    view->outer_algorithm = outer_algorithm;
    view->is = whole ? HF_LINT_CERT : 0;
    enum hf_err err = lint(view, tbs);
    hf_lint_view_done(view);
    hf_free(view);
    return err;
}

enum hf_err hf_lint_tbs(struct hf_bytes tbs, const struct hf_lint_against *against,
                        struct hf_lint_result *out)
{
    return lint_in(tbs, hf_bytes_of(NULL, 0), false, against, out);
}

static enum hf_err split(struct hf_bytes der, struct hf_der *tbs, struct hf_der *algorithm)
{
    struct hf_reader reader = hf_reader_of(der);
    struct hf_der list, signature;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, tbs));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, algorithm));
    HF_TRY(hf_der_expect(&reader, HF_DER_BIT_STRING, &signature));
    return hf_read_end(&reader);
}

enum hf_err hf_lint_cert(struct hf_bytes der, const struct hf_lint_against *against,
                         struct hf_lint_result *out)
{
    struct hf_der tbs = {0}, algorithm = {0};
    if (split(der, &tbs, &algorithm) == HF_OK) {
        return lint_in(tbs.whole, algorithm.whole, true, against, out);
    }
    struct hf_lint_view view = {.check = &unreadable, .result = out};
    memset(out, 0, sizeof(*out));
    out->n_run = 1;
    hf_lint_found(&view, "it can't be read: %s", hf_err_text());
    return HF_OK;
}
