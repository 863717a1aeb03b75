// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_COMPRESS_H
#define HF_TLS_NATIVE_COMPRESS_H

/* Certificate compression (RFC 8879): the three algorithms, each there when its library was. */

#include "base/buf.h"

enum hf_compression {
    HF_COMPRESSION_NONE,
    HF_COMPRESSION_ZLIB = 1,
    HF_COMPRESSION_BROTLI = 2,
    HF_COMPRESSION_ZSTD = 3,
};

/* hf_compression_find: the number of "zlib", "brotli" or "zstd"; HF_COMPRESSION_NONE when unknown
 * or not built in. */
uint16_t hf_compression_find(struct hf_bytes name);
bool hf_compression_known(uint16_t algorithm);

/* hf_compress appends the compressed form. Errors: HF_E_UNSUPPORTED, HF_E_TOO_LARGE, HF_E_CRYPTO
 * (the library failed), HF_E_NOMEM. */
enum hf_err hf_compress(uint16_t algorithm, struct hf_bytes plain,
                        struct hf_buf *out) HF_MUST_CHECK;

/* hf_decompress fills exactly out.len bytes and never writes more. Errors: HF_E_MALFORMED when the
 * input is broken or has another length (bad_certificate), HF_E_UNSUPPORTED. */
enum hf_err hf_decompress(uint16_t algorithm, struct hf_bytes packed,
                          struct hf_span out) HF_MUST_CHECK;

#endif
