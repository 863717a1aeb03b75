// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

/*
 * struct hf_buf is a growable byte queue: appended at the end, consumed from the front. Its cap is
 * given when it is made and never passed (HF_E_TOO_LARGE). A zeroed one is valid and has cap 0.
 *
 * On any failure the contents are as before the call. One thread at a time.
 */

#include <stdarg.h>

#include "base/bytes.h"

struct hf_buf {
    uint8_t *mem;
    size_t start; /* the first byte not yet consumed */
    size_t end;   /* one past the last byte */
    size_t size;  /* allocated */
    size_t cap;   /* most that may be held */
};

#define HF_BUF_INIT(limit) ((struct hf_buf){.cap = (limit)})

void hf_buf_done(struct hf_buf *buf);

/* hf_buf_wipe clears the memory before it is given back, for buffers that held secrets. */
void hf_buf_wipe(struct hf_buf *buf);

/* hf_buf_reset forgets the contents and keeps the memory; hf_buf_release gives it back as well. */
void hf_buf_reset(struct hf_buf *buf);
void hf_buf_release(struct hf_buf *buf);

static inline size_t hf_buf_len(const struct hf_buf *buf)
{
    return buf->end - buf->start;
}

static inline size_t hf_buf_room(const struct hf_buf *buf)
{
    return buf->cap - hf_buf_len(buf);
}

static inline struct hf_bytes hf_buf_bytes(const struct hf_buf *buf)
{
    return hf_bytes_of(buf->mem ? buf->mem + buf->start : NULL, hf_buf_len(buf));
}

/* hf_buf_reserve makes n bytes of room at the end and shows where; hf_buf_commit keeps the first n.
 */
enum hf_err hf_buf_reserve(struct hf_buf *buf, size_t n, struct hf_span *out) HF_MUST_CHECK;
void hf_buf_commit(struct hf_buf *buf, size_t n);

enum hf_err hf_buf_append(struct hf_buf *buf, struct hf_bytes bytes) HF_MUST_CHECK;
enum hf_err hf_buf_append_str(struct hf_buf *buf, const char *text) HF_MUST_CHECK;
enum hf_err hf_buf_printf(struct hf_buf *buf, const char *format, ...) HF_MUST_CHECK
    HF_PRINTF(2, 3);
void hf_buf_consume(struct hf_buf *buf, size_t n);

/* Big-endian fields, for wire formats. */
enum hf_err hf_buf_u8(struct hf_buf *buf, uint8_t value) HF_MUST_CHECK;
enum hf_err hf_buf_u16(struct hf_buf *buf, uint16_t value) HF_MUST_CHECK;
enum hf_err hf_buf_u24(struct hf_buf *buf, uint32_t value) HF_MUST_CHECK;
enum hf_err hf_buf_u32(struct hf_buf *buf, uint32_t value) HF_MUST_CHECK;
enum hf_err hf_buf_u64(struct hf_buf *buf, uint64_t value) HF_MUST_CHECK;

/*
 * hf_buf_vec_open leaves room for a length of len_size bytes (1, 2, 3); hf_buf_vec_close fills it
 * in with what was appended since. Vectors nest. Errors of close: HF_E_TOO_LARGE when it doesn't
 * fit.
 */
struct hf_buf_vec {
    size_t at; /* offset of the length field from buf->start */
    size_t len_size;
};
enum hf_err hf_buf_vec_open(struct hf_buf *buf, size_t len_size,
                            struct hf_buf_vec *out) HF_MUST_CHECK;
enum hf_err hf_buf_vec_close(struct hf_buf *buf, struct hf_buf_vec vec) HF_MUST_CHECK;

/* hf_buf_cstr appends a NUL that is not counted and gives the contents as a C string. NULL when
 * out of memory. Valid until the next change. */
const char *hf_buf_cstr(struct hf_buf *buf) HF_MUST_CHECK;

#endif
