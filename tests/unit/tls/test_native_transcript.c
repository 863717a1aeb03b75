// SPDX-License-Identifier: Apache-2.0
#include "tls/native/transcript.h"

#include "vectors.h"

static const enum hf_hash_alg algs[] = {HF_HASH_SHA256, HF_HASH_SHA384};

static const uint8_t hello[] = {1, 0, 0, 3, 'a', 'b', 'c'};
static const uint8_t retry[] = {2, 0, 0, 1, 'r'};

static void the_hash_is_over_all_messages_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        struct hf_transcript transcript;
        uint8_t got[HF_HASH_MAX], expected[HF_HASH_MAX];
        const uint8_t both[] = {1, 0, 0, 3, 'a', 'b', 'c', 2, 0, 0, 1, 'r'};
        hf_transcript_init(&transcript, algs[i]);
        hf_transcript_add(&transcript, hf_bytes_of(hello, 3));
        hf_transcript_add(&transcript, hf_bytes_of(hello + 3, sizeof(hello) - 3));
        hf_transcript_add(&transcript, hf_bytes_of(retry, sizeof(retry)));
        struct hf_bytes hash = hf_transcript_peek(&transcript, got);
        hf_hash_once(algs[i], hf_bytes_of(both, sizeof(both)), expected);
        assert_int_equal(hash.len, hf_hash_size(algs[i]));
        assert_ptr_equal(hash.ptr, got);
        assert_memory_equal(got, expected, hash.len);
    }
}

static void peeking_does_not_end_it(void **state)
{
    (void)state;
    struct hf_transcript transcript;
    uint8_t first[HF_HASH_MAX], again[HF_HASH_MAX], later[HF_HASH_MAX];
    hf_transcript_init(&transcript, HF_HASH_SHA256);
    hf_transcript_add(&transcript, hf_bytes_of(hello, sizeof(hello)));
    (void)hf_transcript_peek(&transcript, first);
    (void)hf_transcript_peek(&transcript, again);
    hf_transcript_add(&transcript, hf_bytes_of(retry, sizeof(retry)));
    (void)hf_transcript_peek(&transcript, later);
    assert_memory_equal(first, again, 32);
    assert_memory_not_equal(first, later, 32);
}

/* RFC 8446 4.4.1: ClientHello1 is replaced by 254, a length of three bytes, and its hash. */
static void a_retry_replaces_the_hello_by_its_hash(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        size_t len = hf_hash_size(algs[i]);
        uint8_t synthetic[4 + HF_HASH_MAX + sizeof(retry)] = {254, 0, 0, (uint8_t)len};
        hf_hash_once(algs[i], hf_bytes_of(hello, sizeof(hello)), synthetic + 4);
        memcpy(synthetic + 4 + len, retry, sizeof(retry));
        uint8_t expected[HF_HASH_MAX], got[HF_HASH_MAX];
        hf_hash_once(algs[i], hf_bytes_of(synthetic, 4 + len + sizeof(retry)), expected);

        struct hf_transcript transcript;
        hf_transcript_init(&transcript, algs[i]);
        hf_transcript_add(&transcript, hf_bytes_of(hello, sizeof(hello)));
        hf_transcript_retry(&transcript);
        hf_transcript_add(&transcript, hf_bytes_of(retry, sizeof(retry)));
        (void)hf_transcript_peek(&transcript, got);
        assert_memory_equal(got, expected, len);
    }
}

static void a_stateless_server_resumes_from_the_hash_in_its_cookie(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        struct hf_transcript kept, stateless;
        uint8_t hash[HF_HASH_MAX], a[HF_HASH_MAX], b[HF_HASH_MAX];
        hf_hash_once(algs[i], hf_bytes_of(hello, sizeof(hello)), hash);
        hf_transcript_init(&kept, algs[i]);
        hf_transcript_add(&kept, hf_bytes_of(hello, sizeof(hello)));
        hf_transcript_retry(&kept);
        hf_transcript_resume(&stateless, algs[i], hash);
        (void)hf_transcript_peek(&kept, a);
        (void)hf_transcript_peek(&stateless, b);
        assert_memory_equal(a, b, hf_hash_size(algs[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_over_all_messages_in_order),
        cmocka_unit_test(peeking_does_not_end_it),
        cmocka_unit_test(a_retry_replaces_the_hello_by_its_hash),
        cmocka_unit_test(a_stateless_server_resumes_from_the_hash_in_its_cookie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
