// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_STRIP_H
#define HF_HTTP_STRIP_H

/*
 * struct hf_strip is the set of headers that only a proxy may set: those in which this proxy and
 * others tell a backend who the client is, and those that the config adds. Names are compared as a
 * CGI-like backend sees them: without regard to case, and with every byte that is no letter or
 * digit as "-", so that X_Forwarded_For and X.Forwarded.For are X-Forwarded-For.
 *
 * Immutable once built, counted by references, any thread.
 */

#include "base/bytes.h"

struct hf_http_msg;
struct hf_strip;

#define HF_STRIP_NAME_MAX 128 /* bytes of a configured name */

/* hf_strip_new makes the set of the names that everybody's proxies use. Errors: HF_E_NOMEM. */
enum hf_err hf_strip_new(struct hf_strip **out) HF_MUST_CHECK;

/* hf_strip_add adds a name, or all names with a beginning ("X-Acme-*"), before the set is shared.
 * Errors: HF_E_INVALID in words (no header name, or one that a message can't do without),
 * HF_E_NOMEM. */
enum hf_err hf_strip_add(struct hf_strip *strip, const char *pattern) HF_MUST_CHECK;
struct hf_strip *hf_strip_ref(struct hf_strip *strip);
void hf_strip_unref(struct hf_strip *strip);

/* hf_strip_has: is the name in the set? */
bool hf_strip_has(const struct hf_strip *strip, struct hf_bytes name);

/* hf_strip_apply removes every field of the set from the message; the number removed. */
size_t hf_strip_apply(const struct hf_strip *strip, struct hf_http_msg *msg);

/* hf_strip_builtin walks the names that hf_strip_new puts in, for the docs: NULL at the end. */
const char *hf_strip_builtin(size_t at);

#endif
