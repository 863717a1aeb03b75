// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_ESCAPE_H
#define HF_BASE_ESCAPE_H

/* Foreign bytes, made safe to print and to parse. Included by base/text.h. */

#include "base/buf.h"

/* hf_utf8_decode reads the character at the front and gives its length, or 0 when it is broken: an
 * overlong form, a surrogate, beyond U+10FFFF, cut off (RFC 3629). out_point may be NULL. */
size_t hf_utf8_decode(struct hf_bytes text, uint32_t *out_point);

/* hf_utf8_len gives the length of the valid UTF-8 character at the front, 0 when it's broken. */
static inline size_t hf_utf8_len(struct hf_bytes text)
{
    return hf_utf8_decode(text, NULL);
}

/* hf_printable_len gives the length of the character at the front when it may be shown as it is, 0
 * when hf_append_printable would escape it (a backslash may be shown). text isn't empty. */
size_t hf_printable_len(struct hf_bytes text);

/*
 * hf_append_printable appends foreign bytes as text that is safe in a log line or terminal: valid
 * UTF-8 passes, control characters, NUL, DEL, bidirectional controls, invisible characters and
 * broken UTF-8 become \xNN, a backslash becomes \\. Stops after max bytes of output with "..." .
 * Errors: those of hf_buf.
 */
enum hf_err hf_append_printable(struct hf_buf *buf, struct hf_bytes text, size_t max) HF_MUST_CHECK;

/* hf_append_shown does the same for sentences: a backslash stays one, so the result is to be read
 * by people, not to be parsed. */
enum hf_err hf_append_shown(struct hf_buf *buf, struct hf_bytes text) HF_MUST_CHECK;

/* hf_append_json_string appends text with quotes and escapes (RFC 8259); broken UTF-8 and control
 * characters become escapes, so the result is always valid JSON. Characters that hide or reorder
 * text are escaped too. */
enum hf_err hf_append_json_string(struct hf_buf *buf, struct hf_bytes text) HF_MUST_CHECK;

/* hf_json_piece takes the longest piece off the front of text (not empty) that is copied as it is,
 * or else one character as its escape, made in scratch. The result points into text or scratch. */
#define HF_JSON_ESCAPE_SIZE 13
struct hf_bytes hf_json_piece(struct hf_bytes *text, char scratch[static HF_JSON_ESCAPE_SIZE]);

#endif
