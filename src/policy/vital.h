// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_VITAL_H
#define HF_POLICY_VITAL_H

/*
 * Vital signs: what the daemon itself tells of its health at a few paths, to those whom the config
 * names by address. The step `probe` of the verdict on requests (request.h) finds them here.
 */

#include "base/bytes.h"

enum hf_vital {
    HF_VITAL_NONE,
    HF_VITAL_LIVE,     /* it runs */
    HF_VITAL_READY,    /* new work is welcome */
    HF_VITAL_UPSTREAM, /* one upstream has a server: its name is the rest of the path */
};

/* struct hf_vital_paths is where they are; NULL: nowhere. In normal form, `upstreams` without a
 * slash at its end. Borrowed. */
struct hf_vital_paths {
    const char *live;
    const char *ready;
    const char *upstreams;
};

/* hf_vital_find says what a request is for: GET or HEAD of one of the paths, in normal form. With
 * HF_VITAL_UPSTREAM out_name is the upstream's. */
enum hf_vital hf_vital_find(const struct hf_vital_paths *paths, struct hf_bytes method,
                            struct hf_bytes path, struct hf_bytes *out_name);

const char *hf_vital_name(enum hf_vital vital); /* "live"; "" for NONE */

#endif
