// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_COOKIE_H
#define HF_TLS_NATIVE_COOKIE_H

/*
 * The cookie of a HelloRetryRequest that a listener asks for (RFC 8446 4.2.2): everything that the
 * server must remember of the first ClientHello, sealed, so that it remembers nothing.
 */

#include "base/err.h"

struct hf_native;

/* hf_cookie_make puts a cookie for the first ClientHello, which is all of the transcript, into
 * hs->cookie. Errors: HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_cookie_make(struct hf_native *conn) HF_MUST_CHECK;

/* hf_cookie_take opens hs->cookie as the client sent it back, and puts suite, group and transcript
 * in the state that they had after the HelloRetryRequest. Alert: illegal_parameter. */
enum hf_err hf_cookie_take(struct hf_native *conn) HF_MUST_CHECK;

#endif
