// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_OUTPUT_H
#define HF_OS_OUTPUT_H

/*
 * struct hf_output is where log bytes go: standard error, standard output or a file. Writing
 * doesn't wait for a reader, even on a descriptor that is shared with other programs and so must
 * stay in blocking mode.
 */

#include "base/bytes.h"

enum hf_output_kind { HF_OUTPUT_FILE, HF_OUTPUT_STREAM, HF_OUTPUT_SOCKET };

struct hf_output {
    int fd;
    enum hf_output_kind kind;
    char *path; /* owned; NULL: the descriptor is borrowed */
};

enum hf_output_step { HF_OUTPUT_MOVED, HF_OUTPUT_BLOCKED, HF_OUTPUT_FAILED };

/* hf_output_open takes "stderr", "stdout" or a path, made with mode 0640 and appended to. Errors:
 * those of open, with the path in the sentence. */
enum hf_err hf_output_open(struct hf_output *output, const char *to) HF_MUST_CHECK;
void hf_output_done(struct hf_output *output);

/* hf_output_reopen opens the path again, as after log rotation. On failure the old file stays in
 * use. Nothing happens for stderr and stdout. */
enum hf_err hf_output_reopen(struct hf_output *output) HF_MUST_CHECK;

/* hf_output_write moves what it can of bytes, at least one byte when it says MOVED. FAILED: errno
 * says why. The calling thread blocks SIGPIPE and SIGXFSZ. */
enum hf_output_step hf_output_write(struct hf_output *output, struct hf_bytes bytes, size_t *out_n);

#endif
