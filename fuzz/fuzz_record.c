// SPDX-License-Identifier: Apache-2.0
/*
 * The record layer. The first three bytes choose settings; the rest is, by the first one,
 *
 *      bytes from the wire       opened until they end or are refused
 *      inner plaintexts          (length of 2 bytes, contents) each protected with the right keys
 * and opened; what comes of it is held against a second, simple reader contents (the same) sealed
 * by the record layer, and opened to the same
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pki/alert.h"
#include "tls/native/record.h"
#include "tls/native/schedule.h"

enum { WIRE_MAX = 1 << 16, SETTINGS_LEN = 3 };

static struct hf_crypto *crypto;
static const uint16_t suites[] = {HF_SUITE_AES_128_GCM_SHA256, HF_SUITE_AES_256_GCM_SHA384,
                                  HF_SUITE_CHACHA20_POLY1305_SHA256};

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void settle(const uint8_t *settings, struct hf_record *in, struct hf_record *out)
{
    const struct hf_suite *suite = hf_suite_find(suites[settings[1] % 3]);
    struct hf_secret secret = {.len = hf_hash_size(suite->hash)};
    hf_record_init(in);
    hf_record_init(out);
    if (settings[0] & 0x10) {
        hf_record_set_in(in, suite, &secret);
        hf_record_set_out(out, suite, &secret);
    }
    in->allow_ccs = settings[0] & 0x20;
    in->allow_plain_alert = settings[0] & 0x40;
    in->early = (enum hf_record_early)((settings[1] >> 4) % 3);
    in->early_left = HF_RECORD_EARLY_MAX;
    in->in_limit = settings[2] & 1 ? (uint16_t)(HF_RECORD_LIMIT_MIN + settings[2]) : 0;
    out->out_limit = in->in_limit;
    out->pad_to = settings[2] & 2 ? settings[2] : 0;
    out->first_hello = settings[2] & 4;
}

static bool lies_within(struct hf_span inner, struct hf_span outer)
{
    return inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len;
}

/* Opens one record and checks what must hold whatever came. Every other one goes to memory apart.
 */
static enum hf_record_step open_one(struct hf_record *record, struct hf_span *in,
                                    struct hf_record_in *out)
{
    static uint8_t apart[HF_RECORD_PLAIN_MAX];
    static size_t n;
    struct hf_span before = *in, into = hf_span_of(apart, n++ % 2 ? sizeof(apart) : 0);
    enum hf_record_step step = hf_record_open_into(record, crypto, in, into, out);
    need(in->ptr + in->len == before.ptr + before.len && in->len <= before.len);
    need((step == HF_RECORD_FAILED) == (out->alert != HF_ALERT_NONE));
    if (step == HF_RECORD_GOT) {
        need(in->len < before.len);
        before.len -= in->len;
        need(lies_within(out->content, before) || lies_within(out->content, into));
        need(out->content.len <= HF_RECORD_PLAIN_MAX);
        need(out->content.len > 0 || out->type == HF_RECORD_DATA);
        need(out->was_protected || record->in.suite == NULL || out->type == HF_RECORD_ALERT);
    }
    return step;
}

static void feed_wire(struct hf_record *record, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    need(copy);
    if (size) {
        memcpy(copy, data, size);
    }
    struct hf_span in = hf_span_of(copy, size);
    struct hf_record_in out;
    while (open_one(record, &in, &out) == HF_RECORD_GOT) {
        hf_record_quiet(record);
    }
    free(copy);
}

/* Takes a length and that many bytes, or what is left, off the front. */
static struct hf_bytes take_piece(struct hf_bytes *rest)
{
    size_t len = (size_t)rest->ptr[0] << 8 | rest->ptr[1];
    *rest = hf_bytes_from(*rest, 2);
    struct hf_bytes piece = hf_bytes_of(rest->ptr, len < rest->len ? len : rest->len);
    *rest = hf_bytes_from(*rest, piece.len);
    return piece;
}

/* Protects an inner plaintext without the record layer's help; `at` has room for it. */
static size_t protect(struct hf_record_dir *dir, struct hf_bytes inner, uint8_t *at)
{
    struct hf_aead aead;
    uint8_t key[HF_AEAD_KEY_MAX], iv[12];
    size_t key_len = hf_aead_key_len(dir->suite->aead), len = inner.len + HF_AEAD_TAG_LEN;
    hf_traffic_keys(dir->suite->hash, &dir->secret, hf_span_of(key, key_len), iv);
    for (size_t i = 0; i < 8; i++) {
        iv[11 - i] ^= (uint8_t)(dir->seq >> (8 * i));
    }
    const uint8_t header[5] = {23, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(at, header, sizeof(header));
    need(hf_aead_init(&aead, crypto, dir->suite->aead, HF_AEAD_SEAL, hf_bytes_of(key, key_len)) ==
         HF_OK);
    need(hf_aead_seal(&aead, iv, hf_bytes_of(header, 5), inner, hf_bytes_of(NULL, 0), at + 5) ==
         HF_OK);
    hf_aead_done(&aead);
    return 5 + len;
}

/* The second reader: type and length of content, or false when it must be refused. */
static bool read_inner(const struct hf_record *record, struct hf_bytes inner, uint8_t *out_type,
                       size_t *out_len)
{
    size_t limit = record->in_limit ? record->in_limit : HF_RECORD_PLAIN_MAX + 1, last = 0;
    for (size_t i = 0; i < inner.len; i++) {
        last = inner.ptr[i] ? i + 1 : last;
    }
    *out_type = last ? inner.ptr[last - 1] : 0;
    *out_len = last ? last - 1 : 0;
    bool is_data = *out_type == 23, is_other = *out_type == 21 || *out_type == 22;
    return inner.len <= limit && (is_data || (is_other && *out_len > 0));
}

static void feed_inner(struct hf_record *record, struct hf_bytes rest)
{
    static uint8_t wire[WIRE_MAX + 64];
    while (rest.len >= 2) {
        struct hf_bytes inner = take_piece(&rest);
        struct hf_span in = hf_span_of(wire, protect(&record->in, inner, wire));
        struct hf_record_in out;
        uint8_t type;
        size_t len;
        bool good = read_inner(record, inner, &type, &len);
        bool one_empty_too_many = record->n_empty >= HF_RECORD_EMPTY_MAX && len == 0;
        bool overflow = inner.len + HF_AEAD_TAG_LEN > HF_RECORD_PLAIN_MAX + HF_RECORD_EXPANSION;
        good = good && !one_empty_too_many && !overflow;
        enum hf_record_step step = open_one(record, &in, &out);
        need(step == (good ? HF_RECORD_GOT : HF_RECORD_FAILED));
        if (!good) {
            return;
        }
        need(out.type == type && out.content.len == len && out.was_protected);
        need(len == 0 || memcmp(out.content.ptr, inner.ptr, len) == 0);
    }
}

static void feed_contents(struct hf_record *to, struct hf_record *from, struct hf_bytes rest)
{
    struct hf_buf wire = HF_BUF_INIT(8 * WIRE_MAX);
    to->early = HF_RECORD_EARLY_NONE;
    while (rest.len >= 3) {
        enum hf_record_type type =
            (enum hf_record_type)(21 + rest.ptr[0] % (from->out.suite ? 3 : 2));
        rest = hf_bytes_from(rest, 1);
        struct hf_bytes content = take_piece(&rest), left = content;
        need(hf_record_seal_all(from, crypto, type, content, &wire) == HF_OK);
        need(hf_buf_len(&wire) == hf_record_sealed_len(from, type, content.len));
        struct hf_span in = hf_span_of(wire.mem, hf_buf_len(&wire));
        struct hf_record_in out;
        while (left.len > 0) {
            need(open_one(to, &in, &out) == HF_RECORD_GOT && out.type == type);
            need(out.content.len > 0 && out.content.len <= left.len &&
                 memcmp(out.content.ptr, left.ptr, out.content.len) == 0);
            left = hf_bytes_from(left, out.content.len);
        }
        if (to->in.suite && content.len % 3 == 0) {
            hf_buf_reset(&wire);
            need(hf_record_update_out(from, crypto, false, &wire) == HF_OK);
            hf_record_update_in(to);
        }
        hf_buf_reset(&wire);
    }
    hf_buf_done(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_record in, out;
    if (size < SETTINGS_LEN || size > WIRE_MAX) {
        return 0;
    }
    crypto = hf_crypto_here();
    need(crypto);
    settle(data, &in, &out);
    struct hf_bytes rest = hf_bytes_of(data + SETTINGS_LEN, size - SETTINGS_LEN);
    unsigned way = data[0] & 3;
    if (way == 0 || (way == 1 && !in.in.suite)) {
        feed_wire(&in, rest.ptr, rest.len);
    } else if (way == 1) {
        feed_inner(&in, rest);
    } else {
        feed_contents(&in, &out, rest);
    }
    hf_record_done(&in);
    hf_record_done(&out);
    return 0;
}
