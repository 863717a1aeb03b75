// SPDX-License-Identifier: Apache-2.0
#include "tls/native/compress.h"

#include <string.h>
#include <zlib.h>
#ifdef HF_HAVE_BROTLI
#include <brotli/decode.h>
#include <brotli/encode.h>
#endif
#ifdef HF_HAVE_ZSTD
#include <zstd.h>
#endif

/*
 * One row an algorithm: how much room the packed form may need, and the two directions. Each packer
 * returns the packed size, 0 on failure; each unpacker says whether it filled the room exactly. The
 * size that the peer claims bounds the work, so a small message can't unpack into a large one.
 */

struct algorithm {
    uint16_t number;
    const char *name;
    size_t (*bound)(size_t plain_len);
    size_t (*pack)(struct hf_bytes plain, struct hf_span out);
    bool (*unpack)(struct hf_bytes packed, struct hf_span out);
};

static size_t zlib_bound(size_t plain_len)
{
    return compressBound((uLong)plain_len);
}

static size_t zlib_pack(struct hf_bytes plain, struct hf_span out)
{
    uLongf len = (uLongf)out.len;
    return compress2(out.ptr, &len, plain.ptr, (uLong)plain.len, Z_BEST_COMPRESSION) == Z_OK ? len
                                                                                             : 0;
}

static bool zlib_unpack(struct hf_bytes packed, struct hf_span out)
{
    uLongf len = (uLongf)out.len;
    uLong used = (uLong)packed.len;
    return uncompress2(out.ptr, &len, packed.ptr, &used) == Z_OK && len == out.len &&
           used == packed.len;
}

#ifdef HF_HAVE_BROTLI
static size_t brotli_bound(size_t plain_len)
{
    return BrotliEncoderMaxCompressedSize(plain_len);
}

static size_t brotli_pack(struct hf_bytes plain, struct hf_span out)
{
    size_t len = out.len;
    return BrotliEncoderCompress(BROTLI_DEFAULT_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC,
                                 plain.len, plain.ptr, &len, out.ptr)
               ? len
               : 0;
}

static bool brotli_unpack(struct hf_bytes packed, struct hf_span out)
{
    size_t len = out.len;
    return BrotliDecoderDecompress(packed.len, packed.ptr, &len, out.ptr) ==
               BROTLI_DECODER_RESULT_SUCCESS &&
           len == out.len;
}
#endif

#ifdef HF_HAVE_ZSTD
static size_t zstd_bound(size_t plain_len)
{
    return ZSTD_compressBound(plain_len);
}

static size_t zstd_pack(struct hf_bytes plain, struct hf_span out)
{
    size_t len = ZSTD_compress(out.ptr, out.len, plain.ptr, plain.len, ZSTD_CLEVEL_DEFAULT);
    return ZSTD_isError(len) ? 0 : len;
}

static bool zstd_unpack(struct hf_bytes packed, struct hf_span out)
{
    size_t len = ZSTD_decompress(out.ptr, out.len, packed.ptr, packed.len);
    return !ZSTD_isError(len) && len == out.len;
}
#endif

static const struct algorithm algorithms[] = {
    {HF_COMPRESSION_ZLIB, "zlib", zlib_bound, zlib_pack, zlib_unpack},
#ifdef HF_HAVE_BROTLI
    {HF_COMPRESSION_BROTLI, "brotli", brotli_bound, brotli_pack, brotli_unpack},
#endif
#ifdef HF_HAVE_ZSTD
    {HF_COMPRESSION_ZSTD, "zstd", zstd_bound, zstd_pack, zstd_unpack},
#endif
};

static const struct algorithm *find(uint16_t number)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(algorithms); i++) {
        if (algorithms[i].number == number) {
            return &algorithms[i];
        }
    }
    return NULL;
}

uint16_t hf_compression_find(struct hf_bytes name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(algorithms); i++) {
        if (hf_bytes_eq_str(name, algorithms[i].name)) {
            return algorithms[i].number;
        }
    }
    return HF_COMPRESSION_NONE;
}

bool hf_compression_known(uint16_t algorithm)
{
    return find(algorithm) != NULL;
}

enum hf_err hf_compress(uint16_t algorithm, struct hf_bytes plain, struct hf_buf *out)
{
    const struct algorithm *with = find(algorithm);
    if (!with) {
        return hf_fail(HF_E_UNSUPPORTED, "compression algorithm %u is not built in", algorithm);
    }
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, with->bound(plain.len), &room));
    size_t len = with->pack(plain, room);
    if (len == 0) {
        return hf_fail(HF_E_CRYPTO, "%s could not compress %zu bytes", with->name, plain.len);
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

enum hf_err hf_decompress(uint16_t algorithm, struct hf_bytes packed, struct hf_span out)
{
    const struct algorithm *with = find(algorithm);
    if (!with) {
        return hf_fail(HF_E_UNSUPPORTED, "compression algorithm %u is not built in", algorithm);
    }
    if (!with->unpack(packed, out)) {
        return hf_fail(HF_E_MALFORMED, "%s data does not unpack to the %zu bytes that it claims",
                       with->name, out.len);
    }
    return HF_OK;
}
