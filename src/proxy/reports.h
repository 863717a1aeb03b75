// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_REPORTS_H
#define HF_PROXY_REPORTS_H

/*
 * struct hf_reports counts whom listeners with report-only would have refused, by client and
 * reason: the list that somebody works through before report-only goes. At most HF_REPORTS_MAX
 * rows; the one not seen for longest makes room. Any thread; the lock is held for a look-up alone.
 */

#include <jansson.h>

#include "base/err.h"
#include "pki/reason.h"

#define HF_REPORTS_MAX 2048

struct hf_reports;

struct hf_report {
    const char *listener;
    const char *client; /* name in its certificate, or its address where it has none */
    const char *serial; /* of its certificate; NULL: none */
    const char *peer;   /* where it came from this time */
    const char *text;   /* why */
    enum hf_reason reason;
    uint64_t id;
    int64_t at_s;
};

enum hf_err hf_reports_new(struct hf_reports **out) HF_MUST_CHECK;
void hf_reports_free(struct hf_reports *reports);

/* hf_reports_add counts it. Without memory, or with NULL for reports, it isn't listed. */
void hf_reports_add(struct hf_reports *reports, const struct hf_report *report);

/* hf_reports_json gives {"reports": [...], "forgotten": N}, the last seen first. NULL: no memory.
 */
json_t *hf_reports_json(struct hf_reports *reports);

#endif
