// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

enum { BUF_SIZE_MIN = 256 };

void hf_buf_done(struct hf_buf *buf)
{
    hf_free(buf->mem);
    *buf = (struct hf_buf){0};
}

void hf_buf_wipe(struct hf_buf *buf)
{
    if (buf->mem) {
        hf_wipe(buf->mem, buf->size);
    }
    buf->start = buf->end = 0;
}

void hf_buf_reset(struct hf_buf *buf)
{
    buf->start = buf->end = 0;
}

void hf_buf_release(struct hf_buf *buf)
{
    hf_free(buf->mem);
    *buf = HF_BUF_INIT(buf->cap);
}

/* The next size of the block: doubled until len bytes fit, but never beyond the cap without need.
 */
static size_t grown_size(const struct hf_buf *buf, size_t len)
{
    size_t size = buf->size ? buf->size : BUF_SIZE_MIN;
    while (size < len && size <= SIZE_MAX / 2) {
        size *= 2;
    }
    size = size < buf->cap ? size : buf->cap;
    return size > len ? size : len;
}

static enum hf_err grow(struct hf_buf *buf, size_t n)
{
    size_t len = hf_buf_len(buf);
    size_t size = grown_size(buf, len + n);
    uint8_t *mem = hf_alloc(size);
    if (!mem) {
        return HF_E_NOMEM;
    }
    if (len) {
        memcpy(mem, buf->mem + buf->start, len);
    }
    hf_free(buf->mem);
    *buf = (struct hf_buf){.mem = mem, .end = len, .size = size, .cap = buf->cap};
    return HF_OK;
}

/*
 * Makes n bytes of room at the end. Sliding the contents to the front needs no memory, but is only
 * cheap when much was consumed before; growing otherwise keeps a queue that is fed and drained by
 * small pieces from moving all its bytes each time.
 */
static enum hf_err make_room(struct hf_buf *buf, size_t n)
{
    size_t len = hf_buf_len(buf);
    bool fits = n <= buf->size - len;
    bool cheap = buf->start >= len / 4;
    if (!fits || (!cheap && buf->size < buf->cap)) {
        return grow(buf, n);
    }
    memmove(buf->mem, buf->mem + buf->start, len);
    buf->start = 0;
    buf->end = len;
    return HF_OK;
}

enum hf_err hf_buf_reserve(struct hf_buf *buf, size_t n, struct hf_span *out)
{
    if (n > hf_buf_room(buf)) {
        return hf_fail(HF_E_TOO_LARGE, "%zu bytes more would pass the limit of %zu", n, buf->cap);
    }
    if (n > buf->size - buf->end) {
        HF_TRY(make_room(buf, n));
    }
    *out = hf_span_of(buf->mem + buf->end, n);
    return HF_OK;
}

void hf_buf_commit(struct hf_buf *buf, size_t n)
{
    assert(n <= buf->size - buf->end);
    buf->end += n;
}

enum hf_err hf_buf_append(struct hf_buf *buf, struct hf_bytes bytes)
{
    if (bytes.len == 0) {
        return HF_OK;
    }
    struct hf_span room;
    HF_TRY(hf_buf_reserve(buf, bytes.len, &room));
    memcpy(room.ptr, bytes.ptr, bytes.len);
    hf_buf_commit(buf, bytes.len);
    return HF_OK;
}

enum hf_err hf_buf_append_str(struct hf_buf *buf, const char *text)
{
    return hf_buf_append(buf, hf_bytes_str(text));
}

enum hf_err hf_buf_printf(struct hf_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        return hf_fail(HF_E_INVALID, "text can't be formatted");
    }
    if ((size_t)n > hf_buf_room(buf)) {
        return hf_fail(HF_E_TOO_LARGE, "%d bytes more would pass the limit of %zu", n, buf->cap);
    }
    if ((size_t)n + 1 > buf->size - buf->end) {
        HF_TRY(make_room(buf, (size_t)n + 1));
    }
    va_start(args, format);
    vsnprintf((char *)buf->mem + buf->end, (size_t)n + 1, format, args);
    va_end(args);
    buf->end += (size_t)n;
    return HF_OK;
}

void hf_buf_consume(struct hf_buf *buf, size_t n)
{
    assert(n <= hf_buf_len(buf));
    buf->start += n;
    if (buf->start == buf->end) {
        buf->start = buf->end = 0;
    }
}

static enum hf_err append_uint(struct hf_buf *buf, uint64_t value, size_t size)
{
    uint8_t field[8];
    for (size_t i = 0; i < size; i++) {
        field[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    return hf_buf_append(buf, hf_bytes_of(field, size));
}

enum hf_err hf_buf_u8(struct hf_buf *buf, uint8_t value)
{
    return append_uint(buf, value, 1);
}

enum hf_err hf_buf_u16(struct hf_buf *buf, uint16_t value)
{
    return append_uint(buf, value, 2);
}

enum hf_err hf_buf_u24(struct hf_buf *buf, uint32_t value)
{
    return append_uint(buf, value, 3);
}

enum hf_err hf_buf_u32(struct hf_buf *buf, uint32_t value)
{
    return append_uint(buf, value, 4);
}

enum hf_err hf_buf_u64(struct hf_buf *buf, uint64_t value)
{
    return append_uint(buf, value, 8);
}

enum hf_err hf_buf_vec_open(struct hf_buf *buf, size_t len_size, struct hf_buf_vec *out)
{
    *out = (struct hf_buf_vec){.at = hf_buf_len(buf), .len_size = len_size};
    return append_uint(buf, 0, len_size);
}

enum hf_err hf_buf_vec_close(struct hf_buf *buf, struct hf_buf_vec vec)
{
    size_t len = hf_buf_len(buf) - vec.at - vec.len_size;
    if (len >> (8 * vec.len_size)) {
        return hf_fail(HF_E_TOO_LARGE, "a vector of %zu bytes needs more than %zu bytes of length",
                       len, vec.len_size);
    }
    for (size_t i = 0; i < vec.len_size; i++) {
        buf->mem[buf->start + vec.at + i] = (uint8_t)(len >> (8 * (vec.len_size - 1 - i)));
    }
    return HF_OK;
}

const char *hf_buf_cstr(struct hf_buf *buf)
{
    if (buf->size == buf->end && make_room(buf, 1) != HF_OK) {
        return NULL;
    }
    buf->mem[buf->end] = '\0';
    return (const char *)buf->mem + buf->start;
}
