// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_LOG_H
#define HF_BASE_LOG_H

/*
 * Log lines: built on the stack, handed whole to a sink that never blocks.
 *
 *     struct hf_log_line line;
 *     hf_log_begin(&line, log, HF_LOG_INFO, "handshake");
 *     hf_log_str(&line, "peer", "127.0.0.1:4711");
 *     hf_log_int(&line, "took_us", 812);
 *     hf_log_end(&line);
 *
 * gives {"time":"...","level":"info","event":"handshake","peer":"127.0.0.1:4711","took_us":812} or,
 * as text, `2026-11-20T23:06:00.123Z info handshake peer=127.0.0.1:4711 took_us=812`. Values are
 * escaped, whatever their bytes. A line that would pass HF_LOG_LINE_MAX loses its later fields and
 * says so with "cut":true. Lines below the log's level cost one comparison.
 */

#include "base/buf.h"
#include "base/clock.h"

enum hf_log_level { HF_LOG_ERROR, HF_LOG_WARN, HF_LOG_INFO, HF_LOG_DEBUG };
enum hf_log_format { HF_LOG_TEXT, HF_LOG_JSON };

#define HF_LOG_LINE_MAX 4096

struct hf_log {
    enum hf_log_level level;
    enum hf_log_format format;
    const struct hf_clock *clock;
    void *ctx;
    /* write takes a whole line with its newline; must not block and not keep the bytes */
    void (*write)(void *ctx, struct hf_bytes line);
    /* whether this thread's lines come faster than they are written; NULL: that isn't known */
    bool (*behind)(void *ctx);
};

struct hf_log_line {
    struct hf_log *log; /* NULL: below the level, every call is a no-op */
    size_t len;
    bool cut;
    char text[HF_LOG_LINE_MAX];
};

void hf_log_begin(struct hf_log_line *line, struct hf_log *log, enum hf_log_level level,
                  const char *event);
void hf_log_str(struct hf_log_line *line, const char *key, const char *value); /* NULL: left out */
void hf_log_bytes(struct hf_log_line *line, const char *key, struct hf_bytes value);
void hf_log_int(struct hf_log_line *line, const char *key, int64_t value);
void hf_log_bool(struct hf_log_line *line, const char *key, bool value);
void hf_log_fmt(struct hf_log_line *line, const char *key, const char *format, ...) HF_PRINTF(3, 4);
void hf_log_end(struct hf_log_line *line);

/* hf_log_say writes a line with one field, "text". */
void hf_log_say(struct hf_log *log, enum hf_log_level level, const char *event, const char *format,
                ...) HF_PRINTF(4, 5);

/* hf_log_behind: who has many lines to write that may wait had better let this thread's be written
 * first; beyond some point lines are dropped. */
static inline bool hf_log_behind(const struct hf_log *log)
{
    return log->behind && log->behind(log->ctx);
}

const char *hf_log_level_name(enum hf_log_level level);

#endif
