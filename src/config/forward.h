// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_FORWARD_H
#define HF_CONFIG_FORWARD_H

/*
 * The typed configuration of what backends and the access log are told of clients. Part of
 * config/config.h, whose rules hold here too.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/parts.h"
#include "http/forward.h"

/* A list of words, as decoded; the word `none` is HF_CFG_NOTHING. */
#define HF_CFG_NOTHING (-1)
struct hf_cfg_words {
    int *item;
    size_t n;
};

/* hf_cfg_words_bits gives the words as bits, 1 << word. */
static inline unsigned hf_cfg_words_bits(const struct hf_cfg_words *words)
{
    unsigned bits = 0;
    for (size_t i = 0; i < words->n; i++) {
        bits |= words->item[i] == HF_CFG_NOTHING ? 0 : 1u << words->item[i];
    }
    return bits;
}

/* Where the signed token goes. */
struct hf_cfg_token {
    struct hf_cfg_string header;   /* lower case */
    struct hf_cfg_string audience; /* absent: the upstream's name */
};

/* An upstream's `forward`. */
struct hf_cfg_forward {
    struct hf_cfg_words identity; /* enum hf_spelling */
    enum hf_xfcc_mode xfcc_mode;
    struct hf_mark xfcc_mark;       /* line 0: the default; likewise */
    struct hf_cfg_words xfcc_parts; /* enum hf_xfcc_part */
    struct hf_mark xfcc_parts_mark;
    struct hf_cfg_words address; /* enum hf_address_spelling */
    struct hf_cfg_pairs headers; /* values are templates */
    struct hf_cfg_strings strip;
    struct hf_cfg_token token;
    struct hf_mark token_mark;
    enum hf_trace_mode trace;
    bool request_id;
    uint64_t value_max;
    bool unsafe_unverified;
    struct hf_mark unsafe_unverified_mark;
};

/* How tokens are signed. */
struct hf_cfg_signing {
    struct hf_cfg_strings keys; /* files; none: a key is made at the start */
    struct hf_cfg_string issuer;
    int64_t lifetime_ms;
};

/* A listener's `access-log`. */
enum hf_cfg_access_format {
    HF_CFG_ACCESS_LOG, /* like the log's other lines */
    HF_CFG_ACCESS_JSON,
    HF_CFG_ACCESS_TEXT,
    HF_CFG_ACCESS_COMBINED,
    HF_CFG_ACCESS_OFF,
};

struct hf_cfg_access {
    enum hf_cfg_access_format format;
    struct hf_cfg_string tmpl; /* absent: by format */
    struct hf_cfg_string to;   /* absent: the log's place */
};

#endif
