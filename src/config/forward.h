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
#include "http/access.h"
#include "http/forward.h"

/* Lists of words, as decoded. */
struct hf_cfg_ints {
    int *item;
    size_t n;
};

/* Where the signed token goes. */
struct hf_cfg_token {
    struct hf_cfg_string header;   /* lower case */
    struct hf_cfg_string audience; /* absent: the upstream's name */
};

/* An upstream's `forward`. */
struct hf_cfg_forward {
    struct hf_cfg_ints identity; /* enum hf_spelling */
    enum hf_xfcc_mode xfcc_mode;
    struct hf_cfg_ints xfcc_parts; /* enum hf_xfcc_part */
    struct hf_cfg_ints address;    /* enum hf_address_spelling */
    struct hf_cfg_pairs headers;   /* values are templates */
    struct hf_cfg_strings strip;
    struct hf_cfg_token token;
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
struct hf_cfg_access {
    enum hf_access_format format;
    int lines;                   /* enum hf_log_format, with HF_ACCESS_FIELDS; -1: the log's */
    struct hf_cfg_string tmpl;   /* absent: by format */
    struct hf_cfg_string to;     /* absent: the log's place */
};

#endif
