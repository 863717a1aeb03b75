// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <string.h>

struct hf_bytes hf_bytes_str(const char *text)
{
    return hf_bytes_of(text, strlen(text));
}

bool hf_bytes_eq(struct hf_bytes a, struct hf_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool hf_bytes_eq_str(struct hf_bytes a, const char *text)
{
    return hf_bytes_eq(a, hf_bytes_str(text));
}

struct hf_bytes hf_bytes_from(struct hf_bytes bytes, size_t n)
{
    if (n > bytes.len || !bytes.ptr) {
        return hf_bytes_of(NULL, 0);
    }
    return hf_bytes_of(bytes.ptr + n, bytes.len - n);
}

enum hf_err hf_read_bytes(struct hf_reader *reader, size_t len, struct hf_bytes *out)
{
    if (reader->rest.len < len) {
        return hf_fail(HF_E_TRUNCATED, "%zu bytes wanted where %zu are left", len,
                       reader->rest.len);
    }
    *out = hf_bytes_of(reader->rest.ptr, len);
    reader->rest = hf_bytes_from(reader->rest, len);
    return HF_OK;
}

static enum hf_err read_uint(struct hf_reader *reader, size_t len, uint64_t *out)
{
    struct hf_bytes field;
    HF_TRY(hf_read_bytes(reader, len, &field));
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | field.ptr[i];
    }
    *out = value;
    return HF_OK;
}

enum hf_err hf_read_u8(struct hf_reader *reader, uint8_t *out)
{
    uint64_t value;
    HF_TRY(read_uint(reader, 1, &value));
    *out = (uint8_t)value;
    return HF_OK;
}

enum hf_err hf_read_u16(struct hf_reader *reader, uint16_t *out)
{
    uint64_t value;
    HF_TRY(read_uint(reader, 2, &value));
    *out = (uint16_t)value;
    return HF_OK;
}

enum hf_err hf_read_u24(struct hf_reader *reader, uint32_t *out)
{
    uint64_t value;
    HF_TRY(read_uint(reader, 3, &value));
    *out = (uint32_t)value;
    return HF_OK;
}

enum hf_err hf_read_u32(struct hf_reader *reader, uint32_t *out)
{
    uint64_t value;
    HF_TRY(read_uint(reader, 4, &value));
    *out = (uint32_t)value;
    return HF_OK;
}

enum hf_err hf_read_u64(struct hf_reader *reader, uint64_t *out)
{
    return read_uint(reader, 8, out);
}

static enum hf_err read_vec(struct hf_reader *reader, size_t len_size, struct hf_bytes *out)
{
    struct hf_reader ahead = *reader;
    uint64_t len;
    HF_TRY(read_uint(&ahead, len_size, &len));
    HF_TRY(hf_read_bytes(&ahead, len, out));
    *reader = ahead;
    return HF_OK;
}

enum hf_err hf_read_vec8(struct hf_reader *reader, struct hf_bytes *out)
{
    return read_vec(reader, 1, out);
}

enum hf_err hf_read_vec16(struct hf_reader *reader, struct hf_bytes *out)
{
    return read_vec(reader, 2, out);
}

enum hf_err hf_read_vec24(struct hf_reader *reader, struct hf_bytes *out)
{
    return read_vec(reader, 3, out);
}

enum hf_err hf_read_end(const struct hf_reader *reader)
{
    if (reader->rest.len != 0) {
        return hf_fail(HF_E_MALFORMED, "%zu bytes too many", reader->rest.len);
    }
    return HF_OK;
}

void hf_hex(struct hf_bytes bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        *out++ = digits[bytes.ptr[i] >> 4];
        *out++ = digits[bytes.ptr[i] & 15];
    }
    *out = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum hf_err hf_unhex(const char *digits, struct hf_span out)
{
    if (strlen(digits) != out.len * 2) {
        return hf_fail(HF_E_MALFORMED, "%zu hex digits wanted, %zu given", out.len * 2,
                       strlen(digits));
    }
    for (size_t i = 0; i < out.len; i++) {
        int high = nibble(digits[2 * i]);
        int low = nibble(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            return hf_fail(HF_E_MALFORMED, "not a hex digit in \"%.16s\"", digits + 2 * i);
        }
        out.ptr[i] = (uint8_t)(high << 4 | low);
    }
    return HF_OK;
}
