// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_PATH_PATTERN_H
#define HF_POLICY_PATH_PATTERN_H

// Patterns of request paths:
//
//     /login               this path and no other
//     /admin/              /admin, /admin/ and everything beneath; "/" is every path
//     /users/x-*           a star stands for part of one segment; alone for one that isn't empty
//     /users/*/keys/       both together
//     /**/keys             two stars that are a whole segment stand for any number of segments
//
// Paths are in the normal form of http/path.h: what matches here is what the backend gets. Case
// counts. "\*" is a star that means itself.

#include "base/buf.h"

#define HF_PATH_PATTERN_MAX 4096 /* bytes of one, as written */

struct hf_path_pattern {
    struct hf_buf text; /* compiled, as in policy/glob.h; without the slash that ends a subtree */
    bool subtree;
    bool stars;
};

/* hf_path_pattern_init compiles. Errors: HF_E_INVALID in words for what no path in normal form can
 * match; HF_E_TOO_LARGE, HF_E_NOMEM. A zeroed pattern is fit for _done. */
enum hf_err hf_path_pattern_init(struct hf_path_pattern *pattern,
                                 struct hf_bytes text) HF_MUST_CHECK;
void hf_path_pattern_done(struct hf_path_pattern *pattern);

#define HF_PATH_WHOLE SIZE_MAX

/*
 * hf_path_pattern_match: does the pattern cover the path? *out_len: of a subtree, how much of the
 * path stands before the slash that leads beneath, or all of it; HF_PATH_WHOLE otherwise. Steps: at
 * most pattern length times path length.
 */
bool hf_path_pattern_match(const struct hf_path_pattern *pattern, struct hf_bytes path,
                           size_t *out_len);

/* hf_path_pattern_covers: does a cover every path that b covers? False where that isn't plain to
 * see: with stars on either side and different text. */
bool hf_path_pattern_covers(const struct hf_path_pattern *a, const struct hf_path_pattern *b);

#endif
