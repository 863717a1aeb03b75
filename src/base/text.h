// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_TEXT_H
#define HF_BASE_TEXT_H

/* Text that people wrote or will read: units, spelling, and making foreign bytes safe to print. */

#include "base/escape.h"

/*
 * hf_parse_duration reads "250ms", "30s", "5m", "24h", "7d" or "1h30m" into milliseconds. A bare
 * number other than 0 is refused: its unit would be a guess. Errors: HF_E_INVALID, the sentence
 * says what was expected.
 */
enum hf_err hf_parse_duration(const char *text, int64_t *out_ms) HF_MUST_CHECK;

/* hf_parse_size reads "512", "64KiB", "10MB", "1GiB" into bytes. Errors: HF_E_INVALID. */
enum hf_err hf_parse_size(const char *text, uint64_t *out_bytes) HF_MUST_CHECK;

/* hf_parse_uint reads a decimal number of at most max. Errors: HF_E_INVALID. */
enum hf_err hf_parse_uint(const char *text, uint64_t max, uint64_t *out) HF_MUST_CHECK;

/* hf_format_duration writes "3 d 4 h", "12 min", "1.5 s", "340 ms"; at most two units. */
void hf_format_duration(int64_t ms, char *out, size_t out_size);

/* hf_format_uint writes a number in base 10 or 16, in lower case, and a NUL; it yields the length.
 * For places that are passed with each request: printf costs twenty times as much. */
#define HF_UINT_TEXT_SIZE 21
size_t hf_format_uint(uint64_t number, unsigned base, char out[static HF_UINT_TEXT_SIZE]);

/* hf_format_id writes 16 hex digits, zeros before them, and a NUL. */
#define HF_ID_TEXT_SIZE 17
void hf_format_id(uint64_t id, char out[static HF_ID_TEXT_SIZE]);

/* hf_format_time writes Unix seconds as RFC 3339 in UTC, "2026-11-20T23:06:00Z". */
#define HF_TIME_TEXT_SIZE 32
void hf_format_time(int64_t unix_s, char out[static HF_TIME_TEXT_SIZE]);

/* hf_edit_distance counts insertions, deletions, changes and swaps of neighbours between two short
 * words; anything longer than 64 bytes is far from everything. */
size_t hf_edit_distance(const char *a, const char *b);

/* hf_closest picks the word most like text, or NULL when none is near enough to suggest. Words end
 * with NULL. */
const char *hf_closest(const char *text, const char *const *words);

#endif
