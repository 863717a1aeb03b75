// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_TRACE_H
#define HF_HTTP_TRACE_H

/* What a request is called: its id, and its place in a trace (W3C Trace Context, level 1). */

#include "http/facts.h"

/*
 * hf_request_ids_init names a request as soon as its head is there. Its id is own, unless a trusted
 * proxy sent an X-Request-Id of at most HF_REQUEST_ID_SIZE - 1 letters, digits and -_.:=+/@ . The
 * trace is that of a valid traceparent, whoever sent it, or a new one; the span is always new.
 * Errors: HF_E_CRYPTO from rng.
 */
enum hf_err hf_request_ids_init(struct hf_request_ids *ids, const struct hf_http_msg *msg,
                                bool trusted, const char *own,
                                const struct hf_rng *rng) HF_MUST_CHECK;

/* struct hf_traceparent is a parsed traceparent; the texts point into it. */
struct hf_traceparent {
    struct hf_bytes trace;  /* 32 hex digits, not all zero */
    struct hf_bytes parent; /* 16, not all zero */
    uint8_t flags;
};

/* hf_traceparent_parse applies the rules of version 00, and of later versions as far as they are
 * known (section 4.3). Errors: HF_E_MALFORMED. */
enum hf_err hf_traceparent_parse(struct hf_bytes text, struct hf_traceparent *out) HF_MUST_CHECK;

#define HF_TRACEPARENT_SIZE 56 /* with NUL */
void hf_traceparent_format(const struct hf_request_ids *ids, char out[static HF_TRACEPARENT_SIZE]);

#endif
