// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum {
    TAIL_ROOM = 16,      /* kept free at the end of every line for `,"cut":true}` and the newline */
    FORMATTED_MAX = 2048 /* a longer formatted value ends in "..." */
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *hf_log_level_name(enum hf_log_level level)
{
    return level_names[level];
}

/* Adds the piece, or gives false when it would not fit. */
static bool put(struct hf_log_line *line, struct hf_bytes piece)
{
    if (piece.len > sizeof(line->text) - TAIL_ROOM - line->len) {
        return false;
    }
    if (piece.len) {
        memcpy(line->text + line->len, piece.ptr, piece.len);
    }
    line->len += piece.len;
    return true;
}

static bool put_str(struct hf_log_line *line, const char *text)
{
    return put(line, hf_bytes_str(text));
}

static bool put_quoted(struct hf_log_line *line, struct hf_bytes value)
{
    char scratch[HF_JSON_ESCAPE_SIZE];
    bool fits = put_str(line, "\"");
    while (fits && value.len) {
        fits = put(line, hf_json_piece(&value, scratch));
    }
    return fits && put_str(line, "\"");
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

static bool put_key(struct hf_log_line *line, const char *key)
{
    bool json = line->log->format == HF_LOG_JSON;
    return put_str(line, json ? ",\"" : " ") && put_str(line, key) &&
           put_str(line, json ? "\":" : "=");
}

/* Once a field didn't fit no other is added, so that what is missing is always the end; a cut never
 * leaves half a field. */
static void add_field(struct hf_log_line *line, const char *key, struct hf_bytes value, bool quote)
{
    if (!line->log || line->cut) {
        return;
    }
    size_t before = line->len;
    bool quoted = quote && (line->log->format == HF_LOG_JSON || text_needs_quotes(value));
    if (!put_key(line, key) || !(quoted ? put_quoted(line, value) : put(line, value))) {
        line->len = before;
        line->cut = true;
    }
}

/* The first fields need no escapes: we chose them. */
static bool put_head(struct hf_log_line *line, const char *when, const char *level,
                     const char *event)
{
    bool json = line->log->format == HF_LOG_JSON;
    return put_str(line, json ? "{\"time\":\"" : "") && put_str(line, when) &&
           put_str(line, json ? "\",\"level\":\"" : " ") && put_str(line, level) &&
           put_str(line, json ? "\",\"event\":\"" : " ") && put_str(line, event) &&
           put_str(line, json ? "\"" : "");
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
    char seconds[HF_TIME_TEXT_SIZE];
    char when[HF_TIME_TEXT_SIZE + 8];
    hf_format_time(ms / 1000, seconds);
    snprintf(when, sizeof(when), "%.19s.%03dZ", seconds, (int)(ms % 1000));
    if (!put_head(line, when, level_names[level], event)) {
        line->log = NULL; /* an event's name of four kilobytes is nobody's */
    }
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
    char text[FORMATTED_MAX];
    int n = vsnprintf(text, sizeof(text), format, args);
    if (n >= (int)sizeof(text)) {
        memcpy(text + sizeof(text) - 4, "...", 4);
    }
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
