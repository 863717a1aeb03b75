// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_KEYLOG_H
#define HF_OS_KEYLOG_H

#include "base/err.h"

/*
 * struct hf_keylog is a file for TLS session secrets in the NSS key log format, for `unsafe-keylog`
 * alone: who has the file reads the traffic. Any thread: each line is one append.
 *
 * It fits struct hf_tls_keylog of tls/tls.h: {.ctx = &keylog, .line = hf_keylog_line}.
 */
struct hf_keylog {
    int fd; /* -1: off */
};

#define HF_KEYLOG_OFF ((struct hf_keylog){-1})

/* hf_keylog_open creates the file with mode 0600 or appends. Errors: those of open(2), named. */
enum hf_err hf_keylog_open(struct hf_keylog *keylog, const char *path) HF_MUST_CHECK;
void hf_keylog_done(struct hf_keylog *keylog);

/* hf_keylog_line appends line and a newline; a full disk is nobody's handshake's problem. */
void hf_keylog_line(void *keylog, const char *line);

#endif
