// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_HTTPC_H
#define HF_WATCH_HTTPC_H

/* One HTTP/1.1 request over a socket of its own, blocking: for commands that talk to a daemon. */

#include "base/buf.h"
#include "os/sock.h"

struct hf_httpc_answer {
    unsigned status;
    struct hf_buf body;
};

/*
 * hf_httpc_ask connects, sends a request without a body and reads the whole answer into
 * out->body, whose cap the caller has set. timeout_ms is for everything together. Errors:
 * HF_E_NOT_FOUND, HF_E_PERMISSION, HF_E_BUSY, HF_E_CLOSED, HF_E_IO from connecting; HF_E_TIMEOUT,
 * HF_E_TOO_LARGE, HF_E_PEER for what isn't HTTP.
 */
enum hf_err hf_httpc_ask(const struct hf_addr *addr, const char *method, const char *target,
                         int64_t timeout_ms, struct hf_httpc_answer *out) HF_MUST_CHECK;

#endif
