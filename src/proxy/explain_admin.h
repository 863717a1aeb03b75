// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_EXPLAIN_ADMIN_H
#define HF_PROXY_EXPLAIN_ADMIN_H

/* Stored verdicts: which of them somebody asks for, from a running daemon or its file. */

#include <jansson.h>

#include "proxy/recorder.h"
#include "watch/httpd.h"

/* What is asked for. Zeroed: all refusals, the newest first. */
struct hf_verdict_query {
    char id[72];   /* of a handshake or a request, or the id that a request came with; "": any */
    char peer[80]; /* address, with or without port; "": any */
    bool all;      /* admissions and noise too; so with an id or a peer */
    size_t limit;  /* 0: HF_VERDICT_QUERY_DEFAULT */
};

#define HF_VERDICT_QUERY_DEFAULT 20
#define HF_VERDICT_QUERY_MAX     2000

/* A walk with a query: give hf_verdict_query_found and this to whatever tells verdicts. */
struct hf_verdict_search {
    const struct hf_verdict_query *query;
    json_t *found; /* array; the caller's */
};
bool hf_verdict_query_found(void *ctx, enum hf_verdict_kind kind, uint64_t number,
                            struct hf_bytes text);

/* GET /verdicts?id=&peer=&all=1&limit= of the admin socket: {"verdicts": [...]}. */
void hf_admin_verdicts(void *ctx, struct hf_httpd_call *call);

/* GET /reports: what listeners with report-only would have refused (proxy/reports.h). */
void hf_admin_reports(void *ctx, struct hf_httpd_call *call);

#endif
