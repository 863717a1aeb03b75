// SPDX-License-Identifier: Apache-2.0
#include "tls/native/record.h"

#include <stdlib.h>

#include "base/mem.h"
#include "crypto/hkdf.h"
#include "pki/alert.h"
#include "vectors.h"

enum { IN_MAX = 4 * HF_RECORD_PLAIN_MAX };

static const uint16_t all_suites[] = {HF_SUITE_AES_128_GCM_SHA256, HF_SUITE_AES_256_GCM_SHA384,
                                      HF_SUITE_CHACHA20_POLY1305_SHA256};

/* Two ends of one direction: `from` seals, `to` opens. */
struct fixture {
    struct hf_crypto *crypto;
    struct hf_record from, to;
    struct hf_buf wire;
    uint8_t *memory; /* plaintexts of any size */
};

static struct hf_secret traffic_secret(const struct hf_suite *suite)
{
    struct hf_secret secret = {.len = hf_hash_size(suite->hash)};
    for (size_t i = 0; i < secret.len; i++) {
        secret.byte[i] = (uint8_t)(3 * i + suite->id);
    }
    return secret;
}

static void protect(struct fixture *f, uint16_t suite_id)
{
    const struct hf_suite *suite = hf_suite_find(suite_id);
    struct hf_secret secret = traffic_secret(suite);
    hf_record_set_out(&f->from, suite, &secret);
    hf_record_set_in(&f->to, suite, &secret);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(hf_crypto_new(&f->crypto), HF_OK);
    hf_record_init(&f->from);
    hf_record_init(&f->to);
    f->wire = HF_BUF_INIT(2 * IN_MAX);
    f->memory = malloc(IN_MAX);
    assert_non_null(f->memory);
    for (size_t i = 0; i < IN_MAX; i++) {
        f->memory[i] = (uint8_t)(i * 13 + 5);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_record_done(&f->from);
    hf_record_done(&f->to);
    hf_buf_done(&f->wire);
    hf_crypto_free(f->crypto);
    free(f->memory);
    free(f);
    return 0;
}

static void seal(struct fixture *f, enum hf_record_type type, struct hf_bytes content)
{
    assert_int_equal(hf_record_seal_all(&f->from, f->crypto, type, content, &f->wire), HF_OK);
}

static void seal_text(struct fixture *f, const char *text)
{
    seal(f, HF_RECORD_DATA, hf_bytes_str(text));
}

static struct hf_span wire(struct fixture *f)
{
    return hf_span_of(f->wire.mem + f->wire.start, hf_buf_len(&f->wire));
}

static enum hf_record_step open_from(struct fixture *f, struct hf_span *in,
                                     struct hf_record_in *out)
{
    return hf_record_open(&f->to, f->crypto, in, out);
}

/* Opens the front of the wire and takes it off. */
static enum hf_record_step open_one(struct fixture *f, struct hf_record_in *out)
{
    struct hf_span in = wire(f);
    size_t before = in.len;
    enum hf_record_step step = open_from(f, &in, out);
    hf_buf_consume(&f->wire, before - in.len);
    return step;
}

static void assert_opens(struct fixture *f, enum hf_record_type type, struct hf_bytes content)
{
    struct hf_record_in in;
    assert_int_equal(open_one(f, &in), HF_RECORD_GOT);
    assert_int_equal(in.type, type);
    assert_int_equal(in.content.len, content.len);
    assert_memory_equal(in.content.ptr, content.ptr, content.len);
}

static void assert_fails(struct fixture *f, uint8_t alert)
{
    struct hf_record_in out;
    struct hf_span in = wire(f), before = in;
    assert_int_equal(open_from(f, &in, &out), HF_RECORD_FAILED);
    assert_int_equal(out.alert, alert);
    assert_ptr_equal(in.ptr, before.ptr); /* the failing record stays to be looked at */
    assert_int_equal(in.len, before.len);
    hf_buf_reset(&f->wire);
}

static void put(struct fixture *f, const char *digits)
{
    struct vector bytes = hex(digits);
    assert_int_equal(hf_buf_append(&f->wire, view(&bytes)), HF_OK);
}

/* --- There and back -----------------------------------------------------------------------------
 */

static void content_of_any_size_comes_back(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 15, 16, 17, 1023, 1024, 1025, 16383, 16384};
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        protect(f, all_suites[s]);
        for (size_t i = 0; i < HF_N_ELEMENTS(sizes); i++) {
            struct hf_bytes content = hf_bytes_of(f->memory, sizes[i]);
            seal(f, HF_RECORD_DATA, content);
            assert_int_equal(hf_buf_len(&f->wire), 5 + sizes[i] + 1 + 16);
            assert_opens(f, HF_RECORD_DATA, content);
        }
    }
}

static void each_type_comes_back(void **state)
{
    struct fixture *f = *state;
    static const enum hf_record_type types[] = {HF_RECORD_ALERT, HF_RECORD_HANDSHAKE,
                                                HF_RECORD_DATA};
    for (int protected_too = 0; protected_too < 2; protected_too++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(types) - !protected_too; i++) {
            seal(f, types[i], hf_bytes_str("content"));
            assert_opens(f, types[i], hf_bytes_str("content"));
        }
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
    }
}

static void long_content_is_cut_into_full_records(void **state)
{
    struct fixture *f = *state;
    for (int protected_too = 0; protected_too < 2; protected_too++) {
        struct hf_bytes content = hf_bytes_of(f->memory, 2 * HF_RECORD_PLAIN_MAX + 100);
        seal(f, HF_RECORD_HANDSHAKE, content);
        assert_int_equal(hf_buf_len(&f->wire),
                         hf_record_sealed_len(&f->from, HF_RECORD_HANDSHAKE, content.len));
        for (size_t at = 0; at < content.len; at += HF_RECORD_PLAIN_MAX) {
            size_t len = content.len - at;
            len = len < HF_RECORD_PLAIN_MAX ? len : HF_RECORD_PLAIN_MAX;
            assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of(content.ptr + at, len));
        }
        protect(f, HF_SUITE_AES_256_GCM_SHA384);
    }
}

static void sealing_takes_what_has_room(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    struct hf_bytes content = hf_bytes_of(f->memory, 3 * HF_RECORD_PLAIN_MAX);
    size_t taken, full = 5 + HF_RECORD_PLAIN_MAX + 1 + 16;
    f->wire.cap = 2 * full + 100;
    assert_int_equal(hf_record_seal(&f->from, f->crypto, HF_RECORD_DATA, content, &f->wire, &taken),
                     HF_OK);
    assert_int_equal(taken, 2 * HF_RECORD_PLAIN_MAX);
    assert_int_equal(hf_buf_len(&f->wire), 2 * full);
    assert_int_equal(hf_record_seal_all(&f->from, f->crypto, HF_RECORD_DATA, content, &f->wire),
                     HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_len(&f->wire), 2 * full);
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(content.ptr, HF_RECORD_PLAIN_MAX));
}

static void nothing_to_send_is_nothing_but_an_empty_data_record(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in in;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    seal(f, HF_RECORD_HANDSHAKE, hf_bytes_of(NULL, 0));
    assert_int_equal(hf_buf_len(&f->wire), 0);
    seal(f, HF_RECORD_DATA, hf_bytes_of(NULL, 0));
    assert_int_equal(hf_buf_len(&f->wire), 5 + 1 + 16);
    assert_int_equal(open_one(f, &in), HF_RECORD_GOT);
    assert_int_equal(in.type, HF_RECORD_DATA);
    assert_int_equal(in.content.len, 0);
}

static void headers_are_those_of_the_rfc(void **state)
{
    struct fixture *f = *state;
    f->from.first_hello = true;
    seal(f, HF_RECORD_HANDSHAKE, hf_bytes_str("x"));
    assert_memory_equal(wire(f).ptr, "\x16\x03\x01\x00\x01x", 6);
    hf_buf_reset(&f->wire);
    f->from.first_hello = false;
    seal(f, HF_RECORD_ALERT, hf_bytes_str("x"));
    assert_memory_equal(wire(f).ptr, "\x15\x03\x03\x00\x01x", 6);
    hf_buf_reset(&f->wire);
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    seal(f, HF_RECORD_HANDSHAKE, hf_bytes_str("x"));
    assert_memory_equal(wire(f).ptr, "\x17\x03\x03\x00\x12", 5);
}

/* --- In pieces, and spoiled ---------------------------------------------------------------------
 */

static void an_incomplete_record_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in out;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    seal_text(f, "content");
    for (size_t len = 0; len < hf_buf_len(&f->wire); len++) {
        struct hf_span in = hf_span_of(wire(f).ptr, len);
        assert_int_equal(open_from(f, &in, &out), HF_RECORD_MORE);
        assert_int_equal(in.len, len);
    }
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("content"));
}

static void several_records_come_off_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_CHACHA20_POLY1305_SHA256);
    seal_text(f, "one");
    seal_text(f, "two");
    seal_text(f, "three");
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("one"));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("two"));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("three"));
    assert_int_equal(hf_buf_len(&f->wire), 0);
}

/* Every bit of the header and of the body: bad_record_mac where nothing else is wrong. */
static void every_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        uint8_t copy[64];
        struct hf_record_in out;
        protect(f, all_suites[s]);
        seal_text(f, "content");
        size_t len = hf_buf_len(&f->wire);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            memcpy(copy, wire(f).ptr, len);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            struct hf_span in = hf_span_of(copy, len);
            enum hf_record_step step = open_from(f, &in, &out);
            if (bit / 8 == 3 || bit / 8 == 4) {
                assert_int_not_equal(step, HF_RECORD_GOT); /* a length: too much or too little */
            } else {
                assert_int_equal(step, HF_RECORD_FAILED);
            }
            if (bit / 8 == 2 || bit / 8 >= 5) {
                assert_int_equal(out.alert, HF_ALERT_BAD_RECORD_MAC);
            }
        }
        assert_opens(f, HF_RECORD_DATA, hf_bytes_str("content"));
    }
}

static void records_out_of_order_or_twice_are_refused(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    seal_text(f, "one");
    hf_buf_reset(&f->wire);
    seal_text(f, "two");
    assert_fails(f, HF_ALERT_BAD_RECORD_MAC);

    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    uint8_t first[5 + 4 + 16];
    seal_text(f, "one");
    assert_int_equal(hf_buf_len(&f->wire), sizeof(first));
    memcpy(first, wire(f).ptr, sizeof(first));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("one"));
    assert_int_equal(hf_buf_append(&f->wire, hf_bytes_of(first, sizeof(first))), HF_OK);
    assert_fails(f, HF_ALERT_BAD_RECORD_MAC);
}

static void a_record_shorter_than_a_tag_is_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t len = 0; len <= 16; len++) {
        const uint8_t header[5 + 16] = {23, 3, 3, 0, (uint8_t)len};
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
        assert_int_equal(hf_buf_append(&f->wire, hf_bytes_of(header, 5 + len)), HF_OK);
        assert_fails(f, HF_ALERT_BAD_RECORD_MAC);
    }
}

/* Content goes to the reader's memory when it fits there, whole, and stays in the input otherwise.
 */
static void content_goes_where_the_reader_wants_it(void **state)
{
    struct fixture *f = *state;
    static const size_t lens[] = {1, 100, 1024, 1025, 4000, HF_RECORD_PLAIN_MAX};
    uint8_t *into = malloc(HF_RECORD_PLAIN_MAX);
    assert_non_null(into);
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        for (size_t i = 0; i < 4 * HF_N_ELEMENTS(lens); i++) {
            size_t len = lens[i / 4], room = i % 2 ? len : len - 1;
            bool fits = room >= len;
            struct hf_record_in out;
            protect(f, all_suites[s]);
            f->from.pad_to = 0;
            seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, len));
            struct hf_span in = wire(f), before = in;
            assert_int_equal(
                hf_record_open_into(&f->to, f->crypto, &in, hf_span_of(into, room), &out),
                HF_RECORD_GOT);
            assert_int_equal(out.content.len, len);
            assert_memory_equal(out.content.ptr, f->memory, len);
            assert_ptr_equal(out.content.ptr, fits ? into : before.ptr + HF_RECORD_HEADER_LEN);
            hf_buf_reset(&f->wire);
        }
    }
    free(into);
}

static void padding_is_taken_off_in_the_readers_memory_too(void **state)
{
    struct fixture *f = *state;
    uint8_t into[300];
    struct hf_record_in out;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->from.pad_to = 256;
    seal(f, HF_RECORD_HANDSHAKE, hf_bytes_of(f->memory, 100));
    struct hf_span in = wire(f);
    assert_int_equal(
        hf_record_open_into(&f->to, f->crypto, &in, hf_span_of(into, sizeof(into)), &out),
        HF_RECORD_GOT);
    assert_int_equal(out.type, HF_RECORD_HANDSHAKE);
    assert_ptr_equal(out.content.ptr, into);
    assert_int_equal(out.content.len, 100);
    assert_memory_equal(into, f->memory, 100);
}

static void a_forged_record_leaves_nothing_in_the_readers_memory(void **state)
{
    struct fixture *f = *state;
    static const size_t lens[] = {100, 2000};
    static uint8_t into[2000], zeros[2000];
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        for (size_t i = 0; i < HF_N_ELEMENTS(lens); i++) {
            struct hf_record_in out;
            protect(f, all_suites[s]);
            memset(into, 0, sizeof(into));
            seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, lens[i]));
            f->wire.mem[f->wire.end - 1] ^= 1;
            struct hf_span in = wire(f);
            assert_int_equal(
                hf_record_open_into(&f->to, f->crypto, &in, hf_span_of(into, sizeof(into)), &out),
                HF_RECORD_FAILED);
            assert_int_equal(out.alert, HF_ALERT_BAD_RECORD_MAC);
            assert_memory_equal(into, zeros, sizeof(into));
            hf_buf_reset(&f->wire);
        }
    }
}

/* --- What may come when -------------------------------------------------------------------------
 */

static const struct {
    const char *what;
    const char *bytes;
    bool with_keys;
    uint8_t alert;
} refused[] = {
    {"HTTP", "474554202f20485454", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"HTTP, with keys", "474554202f20485454", true, HF_ALERT_UNEXPECTED_MESSAGE},
    {"SSL 2 hello", "802e0100020015000000", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"type 24, heartbeat", "180303000101", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"type 19", "130303000101", true, HF_ALERT_UNEXPECTED_MESSAGE},
    {"major version 2", "160203000101", false, HF_ALERT_PROTOCOL_VERSION},
    {"major version 4, with keys", "170403001200", true, HF_ALERT_PROTOCOL_VERSION},
    {"plain record of 2^14 + 1", "1603034001", false, HF_ALERT_RECORD_OVERFLOW},
    {"protected record of 2^14 + 257", "1703034101", true, HF_ALERT_RECORD_OVERFLOW},
    {"longest length there is", "170303ffff", true, HF_ALERT_RECORD_OVERFLOW},
    {"data without keys", "170303000100", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"plain handshake with keys", "160303000401000000", true, HF_ALERT_UNEXPECTED_MESSAGE},
    {"plain alert with keys", "15030300020228", true, HF_ALERT_UNEXPECTED_MESSAGE},
    {"empty handshake record", "1603030000", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"empty alert record", "1503030000", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"change_cipher_spec out of place", "140303000101", false, HF_ALERT_UNEXPECTED_MESSAGE},
    {"the same, with keys", "140303000101", true, HF_ALERT_UNEXPECTED_MESSAGE},
};

static void what_the_table_does_not_allow_is_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < HF_N_ELEMENTS(refused); i++) {
        hf_record_done(&f->to);
        hf_record_init(&f->to);
        if (refused[i].with_keys) {
            protect(f, HF_SUITE_AES_128_GCM_SHA256);
        }
        put(f, refused[i].bytes);
        assert_fails(f, refused[i].alert);
    }
}

static void any_minor_version_is_accepted(void **state)
{
    struct fixture *f = *state;
    put(f, "1603000001aa");
    assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of("\xaa", 1));
    put(f, "1603ff0001bb");
    assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of("\xbb", 1));
}

static void change_cipher_spec_is_dropped_where_allowed(void **state)
{
    struct fixture *f = *state;
    f->to.allow_ccs = true;
    for (int protected_too = 0; protected_too < 2; protected_too++) {
        assert_int_equal(hf_record_ccs(&f->wire), HF_OK);
        assert_int_equal(hf_record_ccs(&f->wire), HF_OK);
        seal(f, HF_RECORD_HANDSHAKE, hf_bytes_str("x"));
        assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_str("x"));
        /* alone, it leaves nothing to wait with */
        struct hf_record_in in;
        assert_int_equal(hf_record_ccs(&f->wire), HF_OK);
        assert_int_equal(open_one(f, &in), HF_RECORD_MORE);
        assert_int_equal(hf_buf_len(&f->wire), 0);
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
    }
}

static void malformed_change_cipher_specs_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const malformed[] = {"140303000100", "140303000102", "14030300020101",
                                            "1403030000"};
    f->to.allow_ccs = true;
    for (size_t i = 0; i < HF_N_ELEMENTS(malformed); i++) {
        put(f, malformed[i]);
        assert_fails(f, HF_ALERT_UNEXPECTED_MESSAGE);
    }
}

static void a_plain_alert_comes_through_where_allowed(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in in;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->to.allow_plain_alert = true;
    put(f, "15030300020228");
    assert_int_equal(open_one(f, &in), HF_RECORD_GOT);
    assert_int_equal(in.type, HF_RECORD_ALERT);
    assert_false(in.was_protected);
    assert_memory_equal(in.content.ptr, "\x02\x28", 2);
    put(f, "1503030003022800");
    assert_fails(f, HF_ALERT_UNEXPECTED_MESSAGE);
}

/* --- Inner plaintexts ---------------------------------------------------------------------------
 */

/* Seals an inner plaintext of one's own making, type and padding included. */
static void seal_inner(struct fixture *f, struct hf_bytes inner)
{
    const struct hf_suite *suite = f->to.in.suite;
    struct hf_aead aead;
    struct hf_hmac hmac;
    uint8_t key[32], iv[12], header[5] = {23, 3, 3};
    size_t key_len = hf_aead_key_len(suite->aead), total = inner.len + 16;
    struct hf_span room;
    hf_hmac_init(&hmac, suite->hash, hf_secret_bytes(&f->to.in.secret));
    assert_int_equal(hf_hkdf_expand_label(&hmac, hf_bytes_str("key"), hf_bytes_of(NULL, 0),
                                          hf_span_of(key, key_len)),
                     HF_OK);
    assert_int_equal(
        hf_hkdf_expand_label(&hmac, hf_bytes_str("iv"), hf_bytes_of(NULL, 0), hf_span_of(iv, 12)),
        HF_OK);
    for (size_t i = 0; i < 8; i++) {
        iv[11 - i] ^= (uint8_t)(f->to.in.seq >> (8 * i));
    }
    header[3] = (uint8_t)(total >> 8);
    header[4] = (uint8_t)total;
    assert_int_equal(
        hf_aead_init(&aead, f->crypto, suite->aead, HF_AEAD_SEAL, hf_bytes_of(key, key_len)),
        HF_OK);
    assert_int_equal(hf_buf_append(&f->wire, hf_bytes_of(header, 5)), HF_OK);
    assert_int_equal(hf_buf_reserve(&f->wire, total, &room), HF_OK);
    assert_int_equal(
        hf_aead_seal(&aead, iv, hf_bytes_of(header, 5), inner, hf_bytes_of(NULL, 0), room.ptr),
        HF_OK);
    hf_buf_commit(&f->wire, total);
    hf_aead_done(&aead);
}

static const struct {
    const char *what;
    const char *inner;
} refused_inner[] = {
    {"nothing at all", ""},
    {"padding alone", "00000000"},
    {"inner change_cipher_spec", "0114"},
    {"inner type 24", "0118"},
    {"inner type 1", "aa01"},
    {"inner type 255, padded", "aaff0000"},
    {"empty handshake", "16"},
    {"empty handshake, padded", "1600000000"},
    {"empty alert", "15"},
};

static void broken_inner_plaintexts_are_refused(void **state)
{
    struct fixture *f = *state;
    f->to.allow_ccs = true; /* which is for the outer type */
    for (size_t i = 0; i < HF_N_ELEMENTS(refused_inner); i++) {
        struct vector inner = hex(refused_inner[i].inner);
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
        seal_inner(f, view(&inner));
        assert_fails(f, HF_ALERT_UNEXPECTED_MESSAGE);
    }
}

static void padding_is_taken_off(void **state)
{
    struct fixture *f = *state;
    uint8_t inner[HF_RECORD_PLAIN_MAX + 1] = {'a', 0, 'b', 0, 23};
    static const size_t lens[] = {5, 6, 100, HF_RECORD_PLAIN_MAX + 1};
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    for (size_t i = 0; i < HF_N_ELEMENTS(lens); i++) {
        seal_inner(f, hf_bytes_of(inner, lens[i]));
        assert_opens(f, HF_RECORD_DATA, hf_bytes_of("a\0b", 4));
    }
}

/* RFC 8446 5.4: content, type and padding are at most 2^14 + 1, though the record may be longer. */
static void too_much_padding_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t inner[HF_RECORD_PLAIN_MAX + 2] = {'a', 23};
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    seal_inner(f, hf_bytes_of(inner, sizeof(inner)));
    assert_fails(f, HF_ALERT_RECORD_OVERFLOW);
}

static void padding_is_put_on(void **state)
{
    struct fixture *f = *state;
    static const struct {
        size_t pad_to, len, sealed;
    } cases[] = {
        {0, 10, 5 + 11 + 16},          {1, 10, 5 + 11 + 16},   {64, 10, 5 + 64 + 16},
        {64, 63, 5 + 64 + 16},         {64, 64, 5 + 128 + 16}, {4096, 1, 5 + 4096 + 16},
        {4096, 16384, 5 + 16385 + 16}, /* the record is full: no room for padding */
        {60000, 1, 5 + 16385 + 16},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
        f->from.pad_to = (uint16_t)cases[i].pad_to;
        seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, cases[i].len));
        assert_int_equal(hf_buf_len(&f->wire), cases[i].sealed);
        assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory, cases[i].len));
    }
}

/* --- record_size_limit (RFC 8449) ---------------------------------------------------------------
 */

static void the_peers_limit_bounds_what_is_sent(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->from.out_limit = HF_RECORD_LIMIT_MIN;
    f->from.pad_to = 100; /* padding counts, too */
    f->to.in_limit = HF_RECORD_LIMIT_MIN;
    seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, 150));
    assert_int_equal(hf_buf_len(&f->wire), 3 * (5 + 64 + 16));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory, 63));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory + 63, 63));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory + 126, 24));
}

static void plaintext_records_know_no_limit(void **state)
{
    struct fixture *f = *state;
    f->from.out_limit = f->to.in_limit = HF_RECORD_LIMIT_MIN;
    seal(f, HF_RECORD_HANDSHAKE, hf_bytes_of(f->memory, 1000));
    assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of(f->memory, 1000));
}

static void our_own_limit_is_held_to(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->to.in_limit = HF_RECORD_LIMIT_MIN;
    seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, 64));
    assert_fails(f, HF_ALERT_RECORD_OVERFLOW);
}

static void a_limit_beyond_the_protocols_changes_nothing(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->from.out_limit = UINT16_MAX;
    seal(f, HF_RECORD_DATA, hf_bytes_of(f->memory, HF_RECORD_PLAIN_MAX + 1));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory, HF_RECORD_PLAIN_MAX));
    assert_opens(f, HF_RECORD_DATA, hf_bytes_of(f->memory + HF_RECORD_PLAIN_MAX, 1));
}

/* --- Records that carry nothing -----------------------------------------------------------------
 */

static void empty_records_are_borne_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in in;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < HF_RECORD_EMPTY_MAX; i++) {
            seal(f, HF_RECORD_DATA, hf_bytes_of(NULL, 0));
            assert_int_equal(open_one(f, &in), HF_RECORD_GOT);
        }
        seal_text(f, "x"); /* starts the count over */
        assert_opens(f, HF_RECORD_DATA, hf_bytes_str("x"));
    }
    for (int i = 0; i < HF_RECORD_EMPTY_MAX; i++) {
        seal(f, HF_RECORD_DATA, hf_bytes_of(NULL, 0));
        assert_int_equal(open_one(f, &in), HF_RECORD_GOT);
    }
    seal(f, HF_RECORD_DATA, hf_bytes_of(NULL, 0));
    assert_fails(f, HF_ALERT_UNEXPECTED_MESSAGE);
}

static void change_cipher_specs_are_borne_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in out;
    f->to.allow_ccs = true;
    for (int i = 0; i <= HF_RECORD_EMPTY_MAX; i++) {
        assert_int_equal(hf_record_ccs(&f->wire), HF_OK);
    }
    struct hf_span in = wire(f);
    assert_int_equal(open_from(f, &in, &out), HF_RECORD_FAILED);
    assert_int_equal(out.alert, HF_ALERT_UNEXPECTED_MESSAGE);
}

/* --- Early data that was refused ----------------------------------------------------------------
 */

static void early_data_is_skipped_after_a_retry(void **state)
{
    struct fixture *f = *state;
    f->to.early = HF_RECORD_EARLY_OUTER;
    f->to.early_left = HF_RECORD_EARLY_MAX;
    put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    put(f, "1703030014bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    put(f, "160303000101");
    assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of("\x01", 1));
    assert_int_equal(f->to.early_left, HF_RECORD_EARLY_MAX - 40);
}

static void early_data_is_skipped_until_a_record_opens(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    f->to.early = HF_RECORD_EARLY_TRIAL;
    f->to.early_left = HF_RECORD_EARLY_MAX;
    put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    put(f, "1703030000");
    seal_text(f, "finished");
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("finished"));
    assert_int_equal(f->to.early, HF_RECORD_EARLY_NONE);
    put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_fails(f, HF_ALERT_BAD_RECORD_MAC);
}

static void too_much_early_data_is_refused(void **state)
{
    struct fixture *f = *state;
    static const enum hf_record_early ways[] = {HF_RECORD_EARLY_OUTER, HF_RECORD_EARLY_TRIAL};
    for (size_t i = 0; i < HF_N_ELEMENTS(ways); i++) {
        struct hf_record_in in;
        f->to.early = ways[i];
        f->to.early_left = 40;
        put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_int_equal(open_one(f, &in), HF_RECORD_MORE);
        put(f, "1703030001aa");
        assert_fails(f, HF_ALERT_UNEXPECTED_MESSAGE);
        protect(f, HF_SUITE_AES_128_GCM_SHA256);
    }
}

/* --- Keys: quiet, updates, limits ---------------------------------------------------------------
 */

static void a_quiet_connection_holds_no_keys_and_goes_on(void **state)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        protect(f, all_suites[s]);
        for (int i = 0; i < 3; i++) {
            seal_text(f, "content");
            assert_opens(f, HF_RECORD_DATA, hf_bytes_str("content"));
            assert_non_null(f->from.out.keys);
            hf_record_quiet(&f->from);
            hf_record_quiet(&f->to);
            hf_record_quiet(&f->to); /* once more is fine */
            assert_null(f->from.out.keys);
            assert_null(f->to.in.keys);
        }
    }
}

static void keys_are_updated_in_step(void **state)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < HF_N_ELEMENTS(all_suites); s++) {
        protect(f, all_suites[s]);
        for (int ask = 0; ask < 2; ask++) {
            seal_text(f, "before");
            assert_opens(f, HF_RECORD_DATA, hf_bytes_str("before"));
            assert_int_equal(hf_record_update_out(&f->from, f->crypto, ask, &f->wire), HF_OK);
            assert_int_equal(f->from.out.seq, 0);
            const uint8_t message[] = {24, 0, 0, 1, (uint8_t)ask};
            assert_opens(f, HF_RECORD_HANDSHAKE, hf_bytes_of(message, sizeof(message)));
            hf_record_update_in(&f->to);
            seal_text(f, "after");
            assert_opens(f, HF_RECORD_DATA, hf_bytes_str("after"));
        }
    }
}

static void old_keys_do_not_open_new_records(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    assert_int_equal(hf_record_update_out(&f->from, f->crypto, false, &f->wire), HF_OK);
    hf_buf_reset(&f->wire);
    seal_text(f, "x");
    assert_fails(f, HF_ALERT_BAD_RECORD_MAC);
}

static void an_update_is_due_before_the_limit_and_sealing_stops_at_it(void **state)
{
    struct fixture *f = *state;
    uint64_t limit = hf_suite_find(HF_SUITE_AES_128_GCM_SHA256)->seal_limit;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    assert_false(hf_record_update_due(&f->from));
    f->from.out.seq = limit - 1025;
    assert_false(hf_record_update_due(&f->from));
    f->from.out.seq = limit - 1024;
    assert_true(hf_record_update_due(&f->from));
    f->from.out.seq = limit - 1;
    seal_text(f, "the last");
    size_t len = hf_buf_len(&f->wire);
    assert_int_equal(
        hf_record_seal_all(&f->from, f->crypto, HF_RECORD_DATA, hf_bytes_str("x"), &f->wire),
        HF_E_CRYPTO);
    assert_int_equal(hf_buf_len(&f->wire), len);
}

static void the_peer_is_asked_once_when_its_keys_near_the_limit(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    struct hf_secret secret = traffic_secret(f->to.in.suite);
    hf_record_set_out(&f->to, f->to.in.suite, &secret);
    assert_false(hf_record_update_wanted(&f->to));
    f->to.in.seq = f->to.in.suite->seal_limit;
    assert_true(hf_record_update_wanted(&f->to));
    assert_int_equal(hf_record_update_out(&f->to, f->crypto, true, &f->wire), HF_OK);
    assert_false(hf_record_update_wanted(&f->to));
    hf_record_update_in(&f->to);
    assert_false(hf_record_update_wanted(&f->to));
    f->to.in.seq = f->to.in.suite->seal_limit;
    assert_true(hf_record_update_wanted(&f->to));
}

static void sequence_numbers_do_not_wrap(void **state)
{
    struct fixture *f = *state;
    protect(f, HF_SUITE_CHACHA20_POLY1305_SHA256);
    f->from.out.seq = f->to.in.seq = UINT64_MAX - 1;
    seal_text(f, "the last");
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("the last"));
    assert_int_equal(
        hf_record_seal_all(&f->from, f->crypto, HF_RECORD_DATA, hf_bytes_str("x"), &f->wire),
        HF_E_CRYPTO);
    put(f, "1703030014aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_fails(f, HF_ALERT_INTERNAL_ERROR);
}

static void done_wipes_the_secrets(void **state)
{
    struct fixture *f = *state;
    struct hf_record zero;
    memset(&zero, 0, sizeof(zero));
    protect(f, HF_SUITE_AES_256_GCM_SHA384);
    seal_text(f, "x");
    hf_record_done(&f->from);
    assert_memory_equal(&f->from, &zero, sizeof(zero));
}

static void failed_allocations_are_told_and_survived(void **state)
{
    struct fixture *f = *state;
    struct hf_record_in out;
    protect(f, HF_SUITE_AES_128_GCM_SHA256);
    for (size_t n = 1; n <= 2; n++) {
        hf_alloc_fail_after(n);
        assert_int_equal(
            hf_record_seal_all(&f->from, f->crypto, HF_RECORD_DATA, hf_bytes_str("text"), &f->wire),
            HF_E_NOMEM);
        hf_alloc_fail_after(0);
        assert_int_equal(hf_buf_len(&f->wire), 0);
    }
    seal_text(f, "text");
    struct hf_span in = wire(f);
    hf_alloc_fail_after(1);
    assert_int_equal(open_from(f, &in, &out), HF_RECORD_FAILED);
    assert_int_equal(out.alert, HF_ALERT_INTERNAL_ERROR);
    hf_alloc_fail_after(0);
    assert_opens(f, HF_RECORD_DATA, hf_bytes_str("text"));
}

static void suites_are_found_by_number_and_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(all_suites); i++) {
        const struct hf_suite *suite = hf_suite_find(all_suites[i]);
        assert_int_equal(suite->id, all_suites[i]);
        assert_ptr_equal(hf_suite_named(hf_bytes_str(suite->name)), suite);
    }
    assert_null(hf_suite_find(0x1304));
    assert_null(hf_suite_named(hf_bytes_str("TLS_AES_128_CCM_SHA256")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(content_of_any_size_comes_back),
        CASE(each_type_comes_back),
        CASE(long_content_is_cut_into_full_records),
        CASE(sealing_takes_what_has_room),
        CASE(nothing_to_send_is_nothing_but_an_empty_data_record),
        CASE(headers_are_those_of_the_rfc),
        CASE(an_incomplete_record_is_left_alone),
        CASE(several_records_come_off_one_after_the_other),
        CASE(every_flipped_bit_is_refused),
        CASE(records_out_of_order_or_twice_are_refused),
        CASE(a_record_shorter_than_a_tag_is_refused),
        CASE(content_goes_where_the_reader_wants_it),
        CASE(padding_is_taken_off_in_the_readers_memory_too),
        CASE(a_forged_record_leaves_nothing_in_the_readers_memory),
        CASE(what_the_table_does_not_allow_is_refused),
        CASE(any_minor_version_is_accepted),
        CASE(change_cipher_spec_is_dropped_where_allowed),
        CASE(malformed_change_cipher_specs_are_refused),
        CASE(a_plain_alert_comes_through_where_allowed),
        CASE(broken_inner_plaintexts_are_refused),
        CASE(padding_is_taken_off),
        CASE(too_much_padding_is_refused),
        CASE(padding_is_put_on),
        CASE(the_peers_limit_bounds_what_is_sent),
        CASE(plaintext_records_know_no_limit),
        CASE(our_own_limit_is_held_to),
        CASE(a_limit_beyond_the_protocols_changes_nothing),
        CASE(empty_records_are_borne_up_to_a_limit),
        CASE(change_cipher_specs_are_borne_up_to_a_limit),
        CASE(early_data_is_skipped_after_a_retry),
        CASE(early_data_is_skipped_until_a_record_opens),
        CASE(too_much_early_data_is_refused),
        CASE(a_quiet_connection_holds_no_keys_and_goes_on),
        CASE(keys_are_updated_in_step),
        CASE(old_keys_do_not_open_new_records),
        CASE(an_update_is_due_before_the_limit_and_sealing_stops_at_it),
        CASE(the_peer_is_asked_once_when_its_keys_near_the_limit),
        CASE(sequence_numbers_do_not_wrap),
        CASE(done_wipes_the_secrets),
        CASE(failed_allocations_are_told_and_survived),
        cmocka_unit_test(suites_are_found_by_number_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
