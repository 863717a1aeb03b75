// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_TEMPLATE_H
#define HF_HTTP_TEMPLATE_H

/*
 * Text with variables: "CN={peer.cn}, from {client.address}". "{{" and "}}" are braces that mean
 * themselves. What may stand in braces is one table, in template_table.c; docs/config.md
 * lists it.
 *
 * Where the result goes decides how values are made safe:
 *
 *   header  visible ASCII and inner spaces pass; any other byte, and a space at either end of a
 *           value, becomes \xNN, a backslash becomes \\ . A value can't end the header or begin
 *           another one.
 *   log     one line of text: the same, but UTF-8 passes, and a quote becomes \x22, so that fields
 * in quotes hold together; what is unknown is "-".
 *
 * Values that are lists are joined with ","; a comma within an element becomes \x2c.
 *
 * Immutable once made; any thread.
 */

#include "base/buf.h"
#include "http/facts.h"

enum hf_template_use {
    HF_TEMPLATE_HEADER = 1, /* towards a backend: what is known before the answer */
    HF_TEMPLATE_LOG = 2,    /* when the exchange is over */
};

#define HF_TEMPLATE_MAX 4096 /* bytes of one, as written */

struct hf_template;

/* hf_template_new compiles. Errors: HF_E_INVALID in words (an unknown variable, with the one
 * that may have been meant; one that isn't known yet where it's used; a brace alone; a byte that
 * may not stand in a header), HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_template_new(const char *text, enum hf_template_use use,
                            struct hf_template **out) HF_MUST_CHECK;
void hf_template_free(struct hf_template *tmpl);

/* hf_template_wants_chain: does some variable look at facts->chain? */
bool hf_template_wants_chain(const struct hf_template *tmpl);

/*
 * hf_template_render appends the text for these facts. *out_known: some variable had a value, or
 * there is none in the template; a header of which nothing is known is better left out. Errors:
 * those of out.
 */
enum hf_err hf_template_render(const struct hf_template *tmpl, const struct hf_facts *facts,
                               struct hf_buf *out, bool *out_known) HF_MUST_CHECK;

/* The table's rows, for the docs: false at the end. */
struct hf_template_doc {
    const char *name;
    const char *doc;
    unsigned uses;
};
bool hf_template_doc(size_t at, struct hf_template_doc *out);

#endif
