// SPDX-License-Identifier: Apache-2.0
#include "proxy/ocsp_record.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

enum { NONCE = 1, REVOKED = 2 }; /* flags */

static const uint8_t magic[4] = {'H', 'F', 'o', '1'};

/* --- Writing ------------------------------------------------------------------------------------
 */

static enum hf_err put_vec(struct hf_buf *out, size_t size, struct hf_bytes bytes)
{
    struct hf_buf_vec vec;
    HF_TRY(hf_buf_vec_open(out, size, &vec));
    HF_TRY(hf_buf_append(out, bytes));
    return hf_buf_vec_close(out, vec);
}

enum hf_err hf_ocsp_record_write(const struct hf_ocsp_record *record, struct hf_buf *out)
{
    HF_TRY(hf_buf_u8(out, (record->nonce ? NONCE : 0) | (record->revoked ? REVOKED : 0)));
    HF_TRY(hf_buf_append(out, hf_bytes_of(record->key.hash, sizeof(record->key.hash))));
    HF_TRY(hf_buf_u64(out, (uint64_t)record->got_at));
    HF_TRY(put_vec(out, 2, record->from));
    HF_TRY(put_vec(out, 3, record->cert));
    HF_TRY(put_vec(out, 3, record->issuer));
    return put_vec(out, 3, record->answer);
}

enum hf_err hf_ocsp_record_frame(struct hf_bytes body, struct hf_buf *out)
{
    uint8_t sha256[HF_SHA256_SIZE];
    hf_hash_once(HF_HASH_SHA256, body, sha256);
    HF_TRY(hf_buf_append(out, hf_bytes_of(magic, sizeof(magic))));
    HF_TRY(hf_buf_u32(out, (uint32_t)body.len));
    HF_TRY(hf_buf_append(out, hf_bytes_of(sha256, sizeof(sha256))));
    return hf_buf_append(out, body);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

enum hf_err hf_ocsp_record_next(struct hf_reader *reader, struct hf_bytes *out_body)
{
    struct hf_bytes mark, sum, body;
    uint8_t sha256[HF_SHA256_SIZE];
    uint32_t len;
    HF_TRY(hf_read_bytes(reader, sizeof(magic), &mark));
    HF_TRY(hf_read_u32(reader, &len));
    HF_TRY(hf_read_bytes(reader, sizeof(sha256), &sum));
    HF_TRY(hf_read_bytes(reader, len, &body));
    hf_hash_once(HF_HASH_SHA256, body, sha256);
    if (!hf_bytes_eq(mark, hf_bytes_of(magic, sizeof(magic))) ||
        !hf_bytes_eq(sum, hf_bytes_of(sha256, sizeof(sha256)))) {
        return hf_fail(HF_E_MALFORMED, "it is not as it was written");
    }
    *out_body = body;
    return HF_OK;
}

enum hf_err hf_ocsp_record_read(struct hf_bytes body, struct hf_ocsp_record *out)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes key;
    uint64_t got_at;
    uint8_t flags;
    HF_TRY(hf_read_u8(&reader, &flags));
    HF_TRY(hf_read_bytes(&reader, sizeof(out->key.hash), &key));
    HF_TRY(hf_read_u64(&reader, &got_at));
    HF_TRY(hf_read_vec16(&reader, &out->from));
    HF_TRY(hf_read_vec24(&reader, &out->cert));
    HF_TRY(hf_read_vec24(&reader, &out->issuer));
    HF_TRY(hf_read_vec24(&reader, &out->answer));
    HF_TRY(hf_read_end(&reader));
    memcpy(out->key.hash, key.ptr, sizeof(out->key.hash));
    out->nonce = flags & NONCE;
    out->revoked = flags & REVOKED;
    out->got_at = (int64_t)got_at;
    return HF_OK;
}

enum hf_err hf_ocsp_record_believe(const struct hf_ocsp_record *record, int64_t now_s,
                                   struct hf_ocsp_known **out)
{
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = NULL;
    struct hf_cert *cert = NULL, *issuer = NULL;
    char from[HF_OCSP_FROM_MAX];
    struct hf_ocsp_key key = {{0}};
    snprintf(from, sizeof(from), "%.*s", (int)record->from.len, (const char *)record->from.ptr);
    const struct hf_ocsp_origin origin = {
        .from = from,
        .got_at = record->got_at < now_s ? record->got_at : now_s, /* clocks are set back */
        .nonce = record->nonce,
    };
    enum hf_err err = hf_cert_from_der(record->cert, &cert);
    err = err == HF_OK ? hf_cert_from_der(record->issuer, &issuer) : err;
    if (err == HF_OK) {
        hf_ocsp_key_of(cert, issuer, &key);
        err = memcmp(&key, &record->key, sizeof(key)) == 0
                  ? hf_ocsp_answer_read(record->answer, &answer)
                  : hf_fail(HF_E_MISMATCH, "it is about another certificate than it says");
    }
    err = err == HF_OK ? hf_ocsp_known_new(answer, cert, issuer, &origin, out) : err;
    hf_cert_unref(cert);
    hf_cert_unref(issuer);
    return err;
}
