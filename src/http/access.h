// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_ACCESS_H
#define HF_HTTP_ACCESS_H

/*
 * The access log: one line per request, when its exchange is over. Lines go to a struct hf_log,
 * whose sink never blocks.
 *
 *   fields    a line like the log's other ones, event "request", in the log's format (JSON or text)
 *   combined  Apache's and nginx's combined format
 *   template  the operator's own (http/template.h)
 *
 * Immutable, any thread.
 */

#include "base/log.h"
#include "http/facts.h"

enum hf_access_format { HF_ACCESS_OFF, HF_ACCESS_FIELDS, HF_ACCESS_COMBINED, HF_ACCESS_TEMPLATE };

#define HF_ACCESS_LINE_MAX 8192

struct hf_access;

/* hf_access_new: `tmpl` is for HF_ACCESS_TEMPLATE, NULL otherwise. Errors: HF_E_INVALID in words,
 * HF_E_NOMEM. */
enum hf_err hf_access_new(enum hf_access_format format, const char *tmpl,
                          struct hf_access **out) HF_MUST_CHECK;
void hf_access_free(struct hf_access *access);

/* hf_access_is_on: does hf_access_write write? NULL: no. */
bool hf_access_is_on(const struct hf_access *access);

/* hf_access_wants_chain: does it look at facts->chain? NULL: no. */
bool hf_access_wants_chain(const struct hf_access *access);

/*
 * hf_access_write writes the line of an exchange that is over: facts->outcome is set. The log's
 * level doesn't matter: an access log that is on is written. A line that would pass
 * HF_ACCESS_LINE_MAX is cut, and says so where its format can. NULL access: nothing.
 */
void hf_access_write(const struct hf_access *access, const struct hf_log *log,
                     const struct hf_facts *facts);

#endif
