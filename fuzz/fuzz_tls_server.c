// SPDX-License-Identifier: Apache-2.0
/*
 * What a client may send to a server before there are keys, and after: the first byte says whether
 * TLS 1.2 is allowed, the rest is the stream. Fed whole, and again one byte at a time: the server
 * must come to the same end.
 */
#include <string.h>

#include "fuzz.h"
#include "tls_pair.h"

static void feed(struct fuzz_side *side, const uint8_t *data, size_t size, size_t chunk)
{
    for (size_t at = 0; at < size; at += chunk) {
        size_t n = size - at < chunk ? size - at : chunk;
        fuzz_need(hf_buf_append(&side->in, hf_bytes_of(data + at, n)) == HF_OK);
        fuzz_side_step(side);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_side whole, bytes;
    if (size < 2 || size > 20000) {
        return 0;
    }
    bool door = data[0] & 1;
    fuzz_server_init(&whole, door);
    feed(&whole, data + 1, size - 1, size);
    fuzz_server_init(&bytes, door);
    feed(&bytes, data + 1, size - 1, 1);
    fuzz_need(whole.step == bytes.step);
    fuzz_side_done(&whole);
    fuzz_side_done(&bytes);
    return 0;
}
