// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_DN_PARTS_H
#define HF_POLICY_DN_PARTS_H

/* Distinguished names taken apart again from their RFC 4514 text, to be compared attribute by
 * attribute. */

#include "base/buf.h"

#define HF_DN_PARTS_MAX 64

struct hf_dn_part {
    struct hf_bytes type;  /* "CN"; points into the text */
    struct hf_bytes value; /* without escapes; points into storage */
    bool joined;           /* in the same relative name as the part before it ("+") */
};

struct hf_dn_parts {
    struct hf_dn_part part[HF_DN_PARTS_MAX];
    size_t n;
};

/*
 * hf_dn_parts_parse takes text apart; values are written to storage, which must have room for
 * text.len bytes and stay as long as the parts. stars: the text is a pattern, whose unescaped stars
 * become HF_GLOB_STAR, and which may have spaces after its commas. Errors: HF_E_MALFORMED in words,
 * HF_E_TOO_LARGE beyond HF_DN_PARTS_MAX.
 */
enum hf_err hf_dn_parts_parse(struct hf_bytes text, bool stars, uint8_t *storage,
                              struct hf_dn_parts *out) HF_MUST_CHECK;

/* hf_dn_parts_cover: is every attribute of the pattern among those of the name, in any order? */
bool hf_dn_parts_cover(const struct hf_dn_parts *pattern, const struct hf_dn_parts *name);

/* hf_dn_parts_equal: are they the same attributes in the same order, no more and no less? */
bool hf_dn_parts_equal(const struct hf_dn_parts *pattern, const struct hf_dn_parts *name);

#endif
