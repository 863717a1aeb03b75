// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_OCSP_DESK_IMPL_H
#define HF_PROXY_OCSP_DESK_IMPL_H

/* The inside of ocsp_desk.c and ocsp_site.c; for nobody else. All of it is the control thread's. */

#include "base/list.h"
#include "base/map.h"
#include "pki/ocsp_request.h"
#include "proxy/ocsp_desk.h"
#include "proxy/ocsp_kept.h"

#define HF_OCSP_SITES_MAX 256

struct hf_ocsp_site;

/* How an answer is asked for and taken: copied, as the configuration may change meanwhile. */
struct hf_ocsp_terms {
    enum hf_cfg_nonce nonce;
    unsigned batch;
    int64_t timeout_ms;
    struct hf_ocsp_dates dates;
    struct hf_trust *url_trust; /* a reference; whose roots prove https; NULL: the system's do */
};

/* What is asked about one certificate. Lives from the first call that wants it to its answer. */
struct hf_ocsp_question {
    struct hf_link link; /* in its site's queue; linked in none while in flight */
    struct hf_ocsp_desk *desk;
    struct hf_ocsp_want want;
    struct hf_ocsp_id id;
    struct hf_ocsp_terms terms;
    char *urls[HF_OCSP_URIS_MAX]; /* owned; asked one after the other until one answers */
    size_t n_urls, url_at;
    struct hf_timer timer; /* until somebody must be told that it takes too long */
    struct hf_ocsp_flight *flight;
    bool alone;           /* the responder left it out of a batch */
    struct hf_link calls; /* struct hf_ocsp_asker */
};

/* One call's interest in one question. */
struct hf_ocsp_asker {
    struct hf_link link;
    struct hf_ocsp_call *call;
};

struct hf_ocsp_desk {
    struct hf_ocsp_desk_env env;
    struct hf_ocsp_memory *memory;
    struct hf_ocsp_kept *kept; /* NULL: nothing is, without a state folder */
    struct hf_fetcher *fetcher;
    struct hf_map questions; /* by key */
    struct hf_map sites;     /* by URL */
    bool stopped;
    atomic_bool change_posted;
    struct hf_task change;
    struct hf_series *requests, *failures, *refusals;
    struct hf_series *open;    /* questions */
    struct hf_series *known;   /* certificates */
    struct hf_series *said[3]; /* by enum hf_ocsp_status */
};

/* --- ocsp_desk.c --- */

/* hf_ocsp_question_end tells all who ask; the question is gone. */
void hf_ocsp_question_end(struct hf_ocsp_question *question);

/* hf_ocsp_question_fail remembers why there is no answer, then tells. Where there is another
 * responder to ask, that is asked first. */
void hf_ocsp_question_fail(struct hf_ocsp_question *question, enum hf_reason reason,
                           const char *why);

/* hf_ocsp_question_learn remembers what an answer, of these bytes, says, then tells. */
void hf_ocsp_question_learn(struct hf_ocsp_question *question, struct hf_ocsp_known *known,
                            struct hf_bytes answer);

/* --- ocsp_site.c --- */

/* hf_ocsp_site_ask puts a question to the responder at its url_at. */
void hf_ocsp_site_ask(struct hf_ocsp_question *question);

/* hf_ocsp_site_forget takes a question away from its responder. */
void hf_ocsp_site_forget(struct hf_ocsp_question *question);
void hf_ocsp_sites_done(struct hf_ocsp_desk *desk);

#endif
