// SPDX-License-Identifier: Apache-2.0
#include "pki/der.h"

static enum hf_err read_length(struct hf_reader *reader, size_t *out)
{
    enum { LENGTH_BYTES_MAX = 4 };
    uint8_t first;
    HF_TRY(hf_read_u8(reader, &first));
    if (first < 0x80) {
        *out = first;
        return HF_OK;
    }
    size_t n = first & 0x7fu;
    struct hf_bytes bytes;
    if (n == 0 || n > LENGTH_BYTES_MAX) {
        return hf_fail(HF_E_MALFORMED, "a DER length of %zu bytes", n);
    }
    HF_TRY(hf_read_bytes(reader, n, &bytes));
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len = len << 8 | bytes.ptr[i];
    }
    if (len < 0x80 || bytes.ptr[0] == 0) {
        return hf_fail(HF_E_MALFORMED, "a DER length that is not in its shortest form");
    }
    *out = len;
    return HF_OK;
}

enum hf_err hf_der_next(struct hf_reader *reader, struct hf_der *out)
{
    struct hf_reader ahead = *reader;
    struct hf_der element = {0};
    size_t len = 0;
    HF_TRY(hf_read_u8(&ahead, &element.tag));
    if ((element.tag & 0x1f) == 0x1f) {
        return hf_fail(HF_E_MALFORMED, "a DER tag of more than one byte");
    }
    HF_TRY(read_length(&ahead, &len));
    HF_TRY(hf_read_bytes(&ahead, len, &element.value));
    element.whole =
        hf_bytes_of(reader->rest.ptr, (size_t)(ahead.rest.len ? ahead.rest.ptr - reader->rest.ptr
                                                              : (ptrdiff_t)reader->rest.len));
    *reader = ahead;
    *out = element;
    return HF_OK;
}

enum hf_err hf_der_expect(struct hf_reader *reader, uint8_t tag, struct hf_der *out)
{
    struct hf_reader ahead = *reader;
    struct hf_der element;
    HF_TRY(hf_der_next(&ahead, &element));
    if (element.tag != tag) {
        return hf_fail(HF_E_MALFORMED, "DER tag %02x where %02x belongs", element.tag, tag);
    }
    *reader = ahead;
    *out = element;
    return HF_OK;
}

uint8_t hf_der_peek(const struct hf_reader *reader)
{
    return reader->rest.len ? reader->rest.ptr[0] : 0;
}
