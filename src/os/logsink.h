// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_LOGSINK_H
#define HF_OS_LOGSINK_H

/*
 * struct hf_logsink takes log lines from any thread without ever making it wait, and writes them to
 * stderr, stdout or a file from a thread of its own.
 *
 * Each writing thread has a queue of HF_LOGSINK_QUEUE bytes. When it's full, because the disk is
 * full or the reader of a pipe is stuck, lines are dropped and counted; when writing works again a
 * line `log-dropped` says how many, and `log-recovered` what was wrong for how long. The lines of
 * one thread keep their order; those of different threads may differ by some milliseconds.
 */

#include "base/log.h"

#define HF_LOGSINK_QUEUE (256u << 10)

struct hf_logsink;

/* hf_logsink_open: to is "stderr", "stdout" or a path (appended to, made with mode 0640). format is
 * that of the sink's own lines. The clock is borrowed. Errors: those of open, HF_E_NOMEM,
 * HF_E_BUSY. */
enum hf_err hf_logsink_open(const char *to, enum hf_log_format format, const struct hf_clock *clock,
                            struct hf_logsink **out) HF_MUST_CHECK;

/* hf_logsink_log gives a log that writes to the sink; copies are as good. Any thread. */
struct hf_log hf_logsink_log(struct hf_logsink *sink, enum hf_log_level level);

/* hf_logsink_reopen has the file opened again by its path, for log rotation. When that fails the
 * old file stays in use and a line `log-reopen-failed` says why. Any thread. */
void hf_logsink_reopen(struct hf_logsink *sink);

struct hf_logsink_stats {
    uint64_t lines;   /* taken into a queue */
    uint64_t dropped; /* lost since a queue was full, or cut in half by a reopen on a full disk */
    uint64_t write_errors;
};
void hf_logsink_stats(struct hf_logsink *sink, struct hf_logsink_stats *out); /* any thread */

/* hf_logsink_close writes what is queued, for at most timeout_ms, and frees the sink. No thread may
 * write any more. Errors: HF_E_TIMEOUT when lines were left unwritten. */
enum hf_err hf_logsink_close(struct hf_logsink *sink, int64_t timeout_ms);

#endif
