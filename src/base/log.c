// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Kept free at the end of every line for `,"cut":true}` and the newline. */
enum { TAIL_ROOM = 16 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *hf_log_level_name(enum hf_log_level level)
{
    return level_names[level];
}

/* Adds the piece whole or, when it would not fit, marks the line as cut. */
static void add(struct hf_log_line *line, struct hf_bytes piece)
{
    if (line->cut || line->len + piece.len > sizeof(line->text) - TAIL_ROOM) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, piece.ptr, piece.len);
    line->len += piece.len;
}

static bool text_needs_quotes(struct hf_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f) {
            return true;
        }
    }
    return value.len == 0;
}

/* A field: key and value are added together, so that a cut never leaves half of one. */
static void add_field(struct hf_log_line *line, const char *key, struct hf_bytes value, bool quote)
{
    if (!line->log) {
        return;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf piece = HF_BUF_INIT(7 * HF_LOG_LINE_MAX);
    bool json = line->log->format == HF_LOG_JSON;
    bool quoted = quote && (json || text_needs_quotes(value));
    enum hf_err err =
        json ? hf_buf_printf(&piece, ",\"%s\":", key) : hf_buf_printf(&piece, " %s=", key);
    if (err == HF_OK) {
        err = quoted ? hf_append_json_string(&piece, value) : hf_buf_append(&piece, value);
    }
    if (err != HF_OK) {
        line->cut = true;
        return;
    }
    add(line, hf_buf_bytes(&piece));
}

void hf_log_begin(struct hf_log_line *line, struct hf_log *log, enum hf_log_level level,
                  const char *event)
{
    line->log = log && level <= log->level ? log : NULL;
    line->len = 0;
    line->cut = false;
    if (!line->log) {
        return;
    }
    int64_t ms = log->clock->wall_ms(log->clock->ctx);
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(ms / 1000, when);
    const char *name = level_names[level];
    int part = (int)(ms % 1000);
    int n = log->format == HF_LOG_JSON
                ? snprintf(line->text, sizeof(line->text),
                           "{\"time\":\"%.19s.%03dZ\",\"level\":\"%s\",\"event\":\"%s\"", when,
                           part, name, event)
                : snprintf(line->text, sizeof(line->text), "%.19s.%03dZ %s %s", when, part, name,
                           event);
    line->len = n > 0 ? (size_t)n : 0;
}

void hf_log_bytes(struct hf_log_line *line, const char *key, struct hf_bytes value)
{
    add_field(line, key, value, true);
}

void hf_log_str(struct hf_log_line *line, const char *key, const char *value)
{
    if (value) {
        add_field(line, key, hf_bytes_str(value), true);
    }
}

void hf_log_int(struct hf_log_line *line, const char *key, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%lld", (long long)value);
    add_field(line, key, hf_bytes_str(digits), false);
}

void hf_log_bool(struct hf_log_line *line, const char *key, bool value)
{
    add_field(line, key, hf_bytes_str(value ? "true" : "false"), false);
}

HF_PRINTF(3, 0)
static void add_formatted(struct hf_log_line *line, const char *key, const char *format,
                          va_list args)
{
    char text[1024];
    int n = vsnprintf(text, sizeof(text), format, args);
    if (n >= 0) {
        hf_log_str(line, key, text);
    }
}

void hf_log_fmt(struct hf_log_line *line, const char *key, const char *format, ...)
{
    if (!line->log) {
        return;
    }
    va_list args;
    va_start(args, format);
    add_formatted(line, key, format, args);
    va_end(args);
}

void hf_log_end(struct hf_log_line *line)
{
    if (!line->log) {
        return;
    }
    bool json = line->log->format == HF_LOG_JSON;
    const char *tail = line->cut ? (json ? ",\"cut\":true}\n" : " cut=true\n")
                       : json    ? "}\n"
                                 : "\n";
    memcpy(line->text + line->len, tail, strlen(tail));
    line->len += strlen(tail);
    line->log->write(line->log->ctx, hf_bytes_of(line->text, line->len));
}

void hf_log_say(struct hf_log *log, enum hf_log_level level, const char *event, const char *format,
                ...)
{
    struct hf_log_line line;
    hf_log_begin(&line, log, level, event);
    if (!line.log) {
        return;
    }
    va_list args;
    va_start(args, format);
    add_formatted(&line, "text", format, args);
    va_end(args);
    hf_log_end(&line);
}
