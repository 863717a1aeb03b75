// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FORWARDED_H
#define HF_HTTP_FORWARDED_H

/*
 * The header Forwarded (RFC 7239), and the walk back along proxies to the client.
 *
 *     Forwarded: for=192.0.2.43, for="[2001:db8:cafe::17]";host=example.com;proto=https
 */

#include "base/buf.h"

struct hf_forwarded_element {
    struct hf_bytes address; /* IPv4 or IPv6 without brackets; empty: unknown */
    struct hf_bytes host;    /* empty: not told; likewise proto */
    struct hf_bytes proto;
};

/* hf_forwarded_append appends one element, values quoted where they must be. Errors: HF_E_INVALID
 * (a control character), those of out. */
enum hf_err hf_forwarded_append(struct hf_buf *out,
                                const struct hf_forwarded_element *element) HF_MUST_CHECK;

/* hf_forwarded_check applies the grammar of section 4 to a whole value: no parameter twice in an
 * element, tokens and quoted strings that end. Errors: HF_E_MALFORMED in words. */
enum hf_err hf_forwarded_check(struct hf_bytes value) HF_MUST_CHECK;

/*
 * hf_forwarded_last takes the last address off the end of an X-Forwarded-For list: without port and
 * brackets, trimmed; what it's made of isn't checked. False when there's none left.
 */
bool hf_forwarded_last(struct hf_bytes *list, struct hf_bytes *out);

#endif
