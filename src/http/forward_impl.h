// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FORWARD_IMPL_H
#define HF_HTTP_FORWARD_IMPL_H

/* Between forward.c and forward_address.c. */

#include "http/forward.h"
#include "http/msg.h"

/* One application: where to, from what, with room for a value. */
struct hf_forwarding {
    const struct hf_facts *facts;
    struct hf_http_msg *msg;
    struct hf_buf value; /* scratch; its cap is value_max */
};

/* hf_forwarding_set makes the value the field's, which replaces what there was. */
enum hf_err hf_forwarding_set(struct hf_forwarding *to, const char *name) HF_MUST_CHECK;

enum hf_err hf_forwarding_set_name(struct hf_forwarding *to, enum hf_http_name name) HF_MUST_CHECK;

/* hf_forwarding_lines joins the field's lines with ", " into to->value; empty: there's none. */
enum hf_err hf_forwarding_lines(struct hf_forwarding *to, enum hf_http_name name) HF_MUST_CHECK;

/* The address's spellings. */
enum hf_err hf_forwarding_x_forwarded(struct hf_forwarding *to) HF_MUST_CHECK;
enum hf_err hf_forwarding_forwarded(struct hf_forwarding *to) HF_MUST_CHECK;
enum hf_err hf_forwarding_x_real_ip(struct hf_forwarding *to) HF_MUST_CHECK;

#endif
