// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_OCSP_H
#define HF_CONFIG_OCSP_H

/* How a trust asks by OCSP. */

#include "config/parts.h"
#include "policy/ocsp_policy.h"

struct hf_cfg_trust;

/* What to do where no fresh revocation list answers: a word, or a duration, which is a grace. */
struct hf_cfg_fallback {
    enum hf_revoked_fallback what;
    int64_t grace_ms;
    struct hf_mark mark; /* line 0: the default */
};

enum hf_cfg_nonce { HF_CFG_NONCE_SEND, HF_CFG_NONCE_REQUIRE, HF_CFG_NONCE_OFF };

struct hf_cfg_ocsp {
    bool given;
    struct hf_mark mark;
    struct hf_cfg_string responder; /* URL; absent: none */
    struct hf_cfg_trust *url_trust; /* borrowed; for https; NULL: the system's roots */
    struct hf_cfg_strings from;     /* scheme://host:port of responders that certificates name */
    enum hf_staple_use staple;
    bool leaf_only;
    enum hf_cfg_nonce nonce;
    int64_t timeout_ms;
    int64_t refresh_ms;
    int64_t max_age_ms; /* of an answer without a next update */
    int64_t skew_ms;
    unsigned batch; /* certificates in one request */
    struct hf_cfg_fallback when_stale, when_missing;
};

/* hf_cfg_ocsp_asks: is anybody asked, besides the peer? */
static inline bool hf_cfg_ocsp_asks(const struct hf_cfg_ocsp *cfg)
{
    return cfg->responder.value || cfg->from.n;
}

#endif
