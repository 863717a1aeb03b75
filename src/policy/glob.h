// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_GLOB_H
#define HF_POLICY_GLOB_H

/*
 * Patterns of names. In a compiled pattern a zero byte is the star, so that a star in a name
 * ("*.example.org" is a real SAN) and a star that stands for anything can't be confused. Names hold
 * no zero bytes: one that did is never matched.
 */

#include "base/buf.h"

#define HF_GLOB_STAR '\0'

enum { HF_GLOB_FOLD = 1 }; /* ASCII letters are the same in either case */

/*
 * hf_glob_compile appends the compiled form of a pattern as people write it: "*" is the star, "\*"
 * and "\\" are a star and a backslash that mean themselves. Errors: HF_E_INVALID in words ("**", a
 * backslash before anything else).
 */
enum hf_err hf_glob_compile(struct hf_bytes pattern, struct hf_buf *out) HF_MUST_CHECK;

/* hf_glob_match: does the compiled pattern cover the whole text? The star stands for any number of
 * bytes, none included. Takes at most pattern.len * text.len steps. */
bool hf_glob_match(struct hf_bytes pattern, struct hf_bytes text, unsigned flags);

/*
 * hf_glob_match_segments is the same for names with structure: pattern and text are cut at the
 * separators, which must be the same ones, and are matched segment by segment; a star never stands
 * for a separator. A segment that is nothing but stars needs at least one byte.
 */
bool hf_glob_match_segments(struct hf_bytes pattern, struct hf_bytes text, const char *separators,
                            unsigned flags);

/* hf_glob_has_star: is there a star at all? */
bool hf_glob_has_star(struct hf_bytes pattern);

#endif
