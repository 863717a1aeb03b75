// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_HOSTS_H
#define HF_POLICY_HOSTS_H

/*
 * struct hf_hosts finds what belongs to a host name: patterns are exact names, or "*.example.org"
 * for exactly one label before the rest. Patterns are in lower case; names that are looked up may
 * be in any case and may end in a dot. A zeroed one is valid and empty.
 */

#include "base/map.h"

#define HF_HOSTS_NAME_MAX 255

struct hf_hosts {
    struct hf_map by_pattern;
};

void hf_hosts_done(struct hf_hosts *hosts);

/* hf_hosts_put: value must not be NULL. Errors: HF_E_EXISTS, HF_E_NOMEM. */
enum hf_err hf_hosts_put(struct hf_hosts *hosts, const char *pattern, void *value) HF_MUST_CHECK;

/* hf_hosts_get gives the value of the exact name, else of the wildcard over it, else NULL. */
void *hf_hosts_get(const struct hf_hosts *hosts, struct hf_bytes name);

/* hf_hosts_exact gives the value put under this very pattern, or NULL. */
void *hf_hosts_exact(const struct hf_hosts *hosts, const char *pattern);

/* hf_hosts_covers: does pattern a match all that pattern b matches? */
bool hf_hosts_covers(const char *a, const char *b);

#endif
