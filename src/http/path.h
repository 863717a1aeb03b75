// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_PATH_H
#define HF_HTTP_PATH_H

/*
 * The one form of a path that routes are matched with and that backends get. Two readers of the
 * same path must not come to different conclusions, so what servers read in different ways is made
 * the same, or refused (RFC 3986 6.2.2):
 *
 *      /a/%7Ebob    ->  /a/~bob         percent-encoding of what needs none
 *      /a/%c3%a9    ->  /a/%C3%A9       upper-case digits
 *      /a/./b/../c  ->  /a/c            dot segments, spelled %2e or not
 *      /a//b        ->  /a/b            unless kept
 *      /a/%2Fb, \   ->  refused         unless kept
 *      /a/..;x/b    ->  refused         dot segments with parameters, which some servers resolve
 *      /a/%00       ->  refused         control characters
 */

#include "base/buf.h"

enum hf_http_path_choice {
    HF_PATH_REFUSE,
    HF_PATH_RESOLVE, /* dot segments, double slashes: into what they stand for */
    HF_PATH_KEEP,
};

struct hf_http_path_rules {
    enum hf_http_path_choice dots;            /* REFUSE or RESOLVE */
    enum hf_http_path_choice encoded_slashes; /* REFUSE or KEEP: %2F, %5C and "\" */
    enum hf_http_path_choice double_slashes;  /* all three */
};

/* hf_http_path_is_normal: nothing in it could be changed or refused. Cheap, and may say no of a
 * path that turns out to be normal. */
bool hf_http_path_is_normal(struct hf_bytes path);

/* hf_http_path_normalise appends the normal form, which is never longer than three times the path.
 * Errors: HF_E_INVALID (refused, or a broken percent-encoding), those of hf_buf. */
enum hf_err hf_http_path_normalise(struct hf_bytes path, const struct hf_http_path_rules *rules,
                                   struct hf_buf *out) HF_MUST_CHECK;

#endif
