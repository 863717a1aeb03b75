// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_KEYLOG_H
#define HF_TLS_KEYLOG_H

#include "base/bytes.h"

/*
 * struct hf_keylog writes session secrets in the NSS key log format, for `unsafe-keylog` alone: who
 * has the file reads the traffic. The one place under src/tls that touches a descriptor. Any
 * thread: each line is one append.
 */
struct hf_keylog {
    int fd; /* -1: off */
};

#define HF_KEYLOG_OFF ((struct hf_keylog){-1})

/* hf_keylog_open creates the file with mode 0600 or appends. path NULL: off. Errors: HF_E_IO ... */
enum hf_err hf_keylog_open(struct hf_keylog *keylog, const char *path) HF_MUST_CHECK;
void hf_keylog_done(struct hf_keylog *keylog);

/* hf_keylog_line appends line and a newline; a full disk is nobody's handshake's problem. */
void hf_keylog_line(const struct hf_keylog *keylog, const char *line);

#endif
