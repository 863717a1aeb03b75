// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_KEYS_IMPL_H
#define HF_CONFIG_KEYS_IMPL_H

/*
 * What the files of the key table (keys_*.c, one for each section of the config) share: the
 * spelling of a row's offsets, and the sections that other sections hold.
 *
 * Wording: `doc` is for the reference page, so it's Markdown and says what the key does for its
 * user, not how.
 */

#include <stddef.h>

#include "base/attr.h"
#include "config/config.h"
#include "config/keys.h"

#define HF_KEY_FIELD(type, member) .offset = offsetof(struct type, member)
#define HF_KEY_ARRAY(type, member) \
    .list = true, HF_KEY_FIELD(type, member), .n_offset = offsetof(struct type, n_##member)
#define HF_KEY_NAMED(member) \
    HF_KEY_FIELD(hf_config, member), .n_offset = offsetof(struct hf_config, n_##member)
#define HF_SECTION_KEYS(keys_) .keys = (keys_), .n_keys = HF_N_ELEMENTS(keys_)

#define HF_MINUTE_MS (60 * (int64_t)1000)
#define HF_DAY_MS    (24 * 60 * HF_MINUTE_MS)

extern const struct hf_section hf_section_log;
extern const struct hf_section hf_section_identity;
extern const struct hf_section hf_section_trust;
extern const struct hf_section hf_section_crl;
extern const struct hf_section hf_section_ocsp;
extern const struct hf_section hf_section_listener_tls;
extern const struct hf_section hf_section_upstream_tls;
extern const struct hf_section hf_section_server;
extern const struct hf_section hf_section_eject;
extern const struct hf_section hf_section_check;
extern const struct hf_section hf_section_upstream;
extern const struct hf_section hf_section_listener;
extern const struct hf_section hf_section_http;
extern const struct hf_section hf_section_route;
extern const struct hf_section hf_section_auth;
extern const struct hf_section hf_section_ca;
extern const struct hf_section hf_section_limits;
extern const struct hf_section hf_section_probes;
extern const struct hf_section hf_section_forward;
extern const struct hf_section hf_section_access;
extern const struct hf_section hf_section_signing;

#endif
