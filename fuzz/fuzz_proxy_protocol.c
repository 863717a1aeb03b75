// SPDX-License-Identifier: Apache-2.0
/*
 * PROXY headers: what is read is a prefix of the input; every shorter prefix wants more; and what
 * was read comes out the same when written and read again. An input that begins with "hex:" is
 * taken as hex digits, so that the corpus is text.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proxy/proxy_protocol.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Decodes what lies in a block of exactly its size. */
static enum hf_proxy_step decode(struct hf_bytes in, uint8_t **block, struct hf_proxy_header *out,
                                 size_t *used)
{
    *block = malloc(in.len ? in.len : 1);
    need(*block);
    if (in.len) {
        memcpy(*block, in.ptr, in.len);
    }
    enum hf_proxy_step step = hf_proxy_decode(hf_bytes_of(*block, in.len), out, used);
    need(step == HF_PROXY_DONE ? *used > 0 && *used <= in.len : *used == 0);
    return step;
}

static bool same_addr(const struct hf_addr *a, const struct hf_addr *b)
{
    return a->len == 0 || b->len == 0 ? a->len == b->len : hf_addr_eq(a, b);
}

static bool same_tls(const struct hf_proxy_tls *a, const struct hf_proxy_tls *b)
{
    return a->client == b->client && (a->client == 0 || a->verify == b->verify);
}

static void check_round_trip(const struct hf_proxy_header *header)
{
    struct hf_buf buf = HF_BUF_INIT(HF_PROXY_HEADER_SIZE_MAX);
    struct hf_proxy_header back;
    size_t used;
    if (hf_proxy_encode_v2(header, &buf) == HF_OK) {
        need(hf_proxy_decode(hf_buf_bytes(&buf), &back, &used) == HF_PROXY_DONE);
        need(used == hf_buf_len(&buf) && back.local == header->local);
        need(same_addr(&back.source, &header->source));
        need(same_addr(&back.destination, &header->destination));
        need(hf_bytes_eq(back.alpn, header->alpn));
        need(hf_bytes_eq(back.authority, header->authority));
        need(hf_bytes_eq(back.unique_id, header->unique_id));
        need(same_tls(&back.tls, &header->tls));
        need(header->tls.client == 0 || hf_bytes_eq(back.tls.cn, header->tls.cn));
    }
    hf_buf_done(&buf);
}

static void check(struct hf_bytes in)
{
    struct hf_proxy_header header, cut;
    uint8_t *block, *cut_block;
    size_t used, cut_used;
    if (decode(in, &block, &header, &used) == HF_PROXY_DONE) {
        need(decode(hf_bytes_of(in.ptr, used - 1), &cut_block, &cut, &cut_used) == HF_PROXY_MORE);
        free(cut_block);
        check_round_trip(&header);
    }
    free(block);
}

/* Hex digits as far as they go; an odd one at the end is left out. */
static size_t from_hex(struct hf_bytes digits, uint8_t *out, size_t size)
{
    size_t n = 0;
    for (; n < size && 2 * n + 1 < digits.len; n++) {
        char pair[3] = {(char)digits.ptr[2 * n], (char)digits.ptr[2 * n + 1]};
        if (hf_unhex(pair, hf_span_of(out + n, 1)) != HF_OK) {
            break;
        }
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[HF_PROXY_HEADER_SIZE_MAX + 100];
    struct hf_bytes in = hf_bytes_of(data, size);
    if (size >= 4 && memcmp(data, "hex:", 4) == 0) {
        in = hf_bytes_of(bytes, from_hex(hf_bytes_from(in, 4), bytes, sizeof(bytes)));
    }
    check(in);
    return 0;
}
