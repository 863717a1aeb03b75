// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_WHEN_H
#define HF_CA_WHEN_H

#include <stdint.h>

#include "base/err.h"

/* hf_ca_parse_time reads RFC 3339, "2026-11-20T23:06:00Z" or with an offset, or a date alone, which
 * means midnight in UTC. Errors: HF_E_INVALID. */
enum hf_err hf_ca_parse_time(const char *text, int64_t *out) HF_MUST_CHECK;

#endif
