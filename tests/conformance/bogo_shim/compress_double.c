// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tls/native/compress.h"

/*
 * The runner tests certificate compression with three made-up algorithms. They stand here in the
 * place of the engine's compress.c, which the linker then leaves out: what is tested is the
 * protocol around them.
 *
 *   0xff01 "shorter"  leaves off the two zero bytes that the message begins with
 *   0xff02 "longer"   puts 1 2 3 4 before it
 *   0xff03 "random"   puts a byte before it
 */

enum { SHORTER = 0xff01, LONGER = 0xff02, RANDOM = 0xff03 };

static const uint8_t mark[4] = {1, 2, 3, 4};

uint16_t hf_compression_find(struct hf_bytes name)
{
    return hf_bytes_eq_str(name, "shorter")  ? SHORTER
           : hf_bytes_eq_str(name, "longer") ? LONGER
           : hf_bytes_eq_str(name, "random") ? RANDOM
                                             : 0;
}

bool hf_compression_known(uint16_t algorithm)
{
    return algorithm >= SHORTER && algorithm <= RANDOM;
}

enum hf_err hf_compress(uint16_t algorithm, struct hf_bytes plain, struct hf_buf *out)
{
    size_t skip = algorithm == SHORTER ? 2 : 0;
    size_t add = algorithm == LONGER ? sizeof(mark) : algorithm == RANDOM ? 1 : 0;
    HF_TRY(hf_buf_append(out, hf_bytes_of(mark, add)));
    return hf_buf_append(out, hf_bytes_from(plain, skip));
}

enum hf_err hf_decompress(uint16_t algorithm, struct hf_bytes packed, struct hf_span out)
{
    size_t add = algorithm == SHORTER ? 2 : 0;
    size_t skip = algorithm == LONGER ? sizeof(mark) : algorithm == RANDOM ? 1 : 0;
    bool marked = algorithm != LONGER ||
                  (packed.len >= sizeof(mark) && memcmp(packed.ptr, mark, sizeof(mark)) == 0);
    if (!marked || packed.len < skip || packed.len - skip + add != out.len) {
        return hf_fail(HF_E_MALFORMED, "not made by algorithm %u", algorithm);
    }
    memset(out.ptr, 0, add);
    memcpy(out.ptr + add, packed.ptr + skip, packed.len - skip);
    return HF_OK;
}
