// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CERT_PROFILE_IMPL_H
#define HF_CA_CERT_PROFILE_IMPL_H

/* What the files of profiles share. */

#include "ca/cert_profile.h"

/* A profile as its YAML has it, before it is compiled. */
struct hf_profile_raw_rule {
    bool given;
    struct hf_cfg_string *allow, *deny;
    size_t n_allow, n_deny;
    unsigned min, max;
    bool max_given;
    bool wildcard;
};

struct hf_profile_raw {
    struct hf_cfg_string name, about, extends, subject;
    int kind;
    bool kind_given;
    int *keys;
    size_t n_keys;
    int *key_usage;
    size_t n_key_usage;
    struct hf_mark key_usage_mark;
    struct hf_cfg_string *eku, *policies, *authorities, *ask;
    size_t n_eku, n_policies, n_authorities, n_ask;
    struct hf_profile_raw_rule names[HF_ALT_N];
    bool host_name, host_name_given;
    bool must_staple, must_staple_given;
    unsigned path_len;
    struct hf_mark path_len_mark;
    int64_t lifetime_ms, lifetime_max_ms, backdate_ms, renew_before_ms, renew_after_ms;
    struct hf_mark lifetime_mark, lifetime_max_mark, backdate_mark, renew_before_mark,
        renew_after_mark;
    int approval;
    bool approval_given;
};

struct hf_section;
extern const struct hf_section hf_section_cert_profile;

/* hf_profile_compile fills profile, which begins as what it extends, from raw. What is wrong goes
 * to findings. Errors: HF_E_NOMEM. */
enum hf_err hf_profile_compile(const struct hf_profile_raw *raw, struct hf_findings *findings,
                               struct hf_cert_profile *profile) HF_MUST_CHECK;

/* hf_profile_inherit copies all that base has; both live on by themselves. Errors: HF_E_NOMEM. */
enum hf_err hf_profile_inherit(const struct hf_cert_profile *base,
                               struct hf_cert_profile *profile) HF_MUST_CHECK;

/* hf_name_pattern_new compiles one pattern of that kind into the arena. Errors: HF_E_INVALID in
 * words, HF_E_NOMEM. */
enum hf_err hf_name_pattern_new(enum hf_alt_kind kind, const char *text, struct hf_arena *arena,
                                struct hf_name_pattern *out) HF_MUST_CHECK;

/* hf_name_pattern_match: does the name fit? deny: the pattern forbids, so that mailboxes that
 * differ in case alone are one: nearly all who deliver take them for that. */
bool hf_name_pattern_match(enum hf_alt_kind kind, const struct hf_name_pattern *pattern,
                           struct hf_bytes name, bool deny);

/* hf_profile_field_known: may a subject's template have {field}? */
bool hf_profile_field_known(struct hf_bytes field);

#endif
