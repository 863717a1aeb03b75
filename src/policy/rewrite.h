// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REWRITE_H
#define HF_POLICY_REWRITE_H

/* The texts that routes make of a request: another path, and where a redirect leads. */

#include "policy/route.h"

/*
 * hf_rewrite_path appends the path that a backend gets. to: from the config; path_len: of the route
 * choice. Where the route is for a subtree, `to` takes the place of the matched part and what
 * stands beneath is kept; else `to` is the whole path. Errors: those of hf_buf.
 */
enum hf_err hf_rewrite_path(struct hf_bytes to, struct hf_bytes path, size_t path_len,
                            struct hf_buf *out) HF_MUST_CHECK;

/* hf_location_check: is text fit for a redirect: a URL (http, https), a path, or {path} first, with
 * no other variables than {host}, {path} and {query}? Errors: HF_E_INVALID in words. */
enum hf_err hf_location_check(struct hf_bytes text) HF_MUST_CHECK;

/*
 * hf_location_make appends the Location of a redirect. A result that begins with a path never
 * begins with two slashes, which would lead to another host. A host is put in as the client wrote
 * it, in brackets where it has colons. Errors: those of hf_buf.
 */
enum hf_err hf_location_make(struct hf_bytes text, const struct hf_request *request,
                             struct hf_buf *out) HF_MUST_CHECK;

#endif
