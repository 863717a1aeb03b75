// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/msg.h"
#include "http/trace.h"

#define GOOD "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* Counts up from 1, after as many zeros as it's told. */
struct counter {
    size_t zeros;
    uint8_t next;
};

static enum hf_err fill(void *ctx, struct hf_span out)
{
    struct counter *counter = ctx;
    for (size_t i = 0; i < out.len; i++) {
        if (counter->zeros) {
            out.ptr[i] = 0;
            counter->zeros--;
        } else {
            out.ptr[i] = ++counter->next;
        }
    }
    return HF_OK;
}

static enum hf_err refuse(void *ctx, struct hf_span out)
{
    (void)ctx;
    (void)out;
    return hf_fail(HF_E_CRYPTO, "no more");
}

static struct hf_request_ids ids_for(const char *name, const char *value, const char *more,
                                     bool trusted)
{
    struct counter counter = {0};
    struct hf_rng rng = {&counter, fill};
    struct hf_http_msg msg;
    struct hf_request_ids ids;
    hf_http_msg_init(&msg, 4096, 8);
    if (value) {
        assert_int_equal(hf_http_msg_add_str(&msg, name, value), HF_OK);
    }
    if (more) {
        assert_int_equal(hf_http_msg_add_str(&msg, name, more), HF_OK);
    }
    assert_int_equal(hf_request_ids_init(&ids, &msg, trusted, "00c0ffee00000026", &rng), HF_OK);
    hf_http_msg_done(&msg);
    return ids;
}

static void a_trace_goes_on(void **state)
{
    (void)state;
    struct hf_request_ids ids = ids_for("traceparent", GOOD, NULL, false);
    char text[HF_TRACEPARENT_SIZE];
    assert_string_equal(ids.trace, "0af7651916cd43dd8448eb211c80319c");
    assert_string_equal(ids.parent, "b7ad6b7169203331");
    assert_string_equal(ids.span, "0102030405060708");
    assert_false(ids.fresh);
    hf_traceparent_format(&ids, text);
    assert_string_equal(text, "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01");
}

static void a_trace_begins(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{NULL, NULL}, {"nonsense", NULL}, {GOOD, GOOD}};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_request_ids ids = ids_for("traceparent", bad[i][0], bad[i][1], true);
        char text[HF_TRACEPARENT_SIZE];
        assert_true(ids.fresh);
        assert_string_equal(ids.parent, "");
        hf_traceparent_format(&ids, text);
        assert_string_equal(text, "00-090a0b0c0d0e0f101112131415161718-0102030405060708-01");
    }
}

/* The rules of W3C Trace Context 3.2.2 and 4.3. */
static void traceparent_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint8_t flags;
    } table[] = {
        {GOOD, true, 1},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, 0},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true, 1},
        {"cc-12345678901234567890123456789012-1234567890123456-01", true, 1},
        {"cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
         true, 1},
        {"cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
         false, 0},
        {"00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
         false, 0},
        {"ff-12345678901234567890123456789012-1234567890123456-01", false, 0},
        {".0-12345678901234567890123456789012-1234567890123456-01", false, 0},
        {"0-12345678901234567890123456789012-1234567890123456-01", false, 0},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false, 0},
        {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false, 0},
        {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false, 0},
        {"00-.23456789012345678901234567890aa-b7ad6b7169203331-01", false, 0},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.0", false, 0},
        {"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, 0},
        {"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", false, 0},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_traceparent out = {.flags = 0};
        enum hf_err err = hf_traceparent_parse(hf_bytes_str(table[i].text), &out);
        if (err != (table[i].good ? HF_OK : HF_E_MALFORMED)) {
            fail_msg("%s", table[i].text);
        }
        assert_int_equal(out.flags, table[i].flags);
    }
}

static void cut_or_flipped_it_is_no_traceparent(void **state)
{
    (void)state;
    struct hf_traceparent out;
    for (size_t n = 0; n < strlen(GOOD); n++) {
        char flipped[] = GOOD;
        assert_int_equal(hf_traceparent_parse(hf_bytes_of(GOOD, n), &out), HF_E_MALFORMED);
        flipped[n] = 'x';
        assert_int_equal(hf_traceparent_parse(hf_bytes_str(flipped), &out), HF_E_MALFORMED);
    }
}

static void request_ids_are_made(void **state)
{
    (void)state;
    assert_string_equal(ids_for("x-request-id", NULL, NULL, false).request, "00c0ffee00000026");
    assert_string_equal(ids_for("x-request-id", "mine", NULL, false).request, "00c0ffee00000026");
}

static void request_ids_are_taken_from_proxies(void **state)
{
    (void)state;
    char longest[HF_REQUEST_ID_SIZE];
    char longer[HF_REQUEST_ID_SIZE + 1];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    static const char *const bad[] = {"a b", "a\"b", "a,b", "a;b", "{a}", "\xc3\xbc"};
    static const char uuid[] = "8f14e45f-ceea-467f-a8f0-3d3b1f7c2d11";
    assert_string_equal(ids_for("x-request-id", uuid, NULL, true).request, uuid);
    assert_string_equal(ids_for("x-request-id", "A/b+c=_.:@", NULL, true).request, "A/b+c=_.:@");
    assert_string_equal(ids_for("x-request-id", longest, NULL, true).request, longest);
    assert_string_equal(ids_for("x-request-id", longer, NULL, true).request, "00c0ffee00000026");
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_string_equal(ids_for("x-request-id", bad[i], NULL, true).request,
                            "00c0ffee00000026");
    }
}

static void ids_of_zeros_are_drawn_again(void **state)
{
    (void)state;
    struct counter counter = {.zeros = 8};
    struct hf_rng rng = {&counter, fill};
    struct hf_http_msg msg;
    struct hf_request_ids ids;
    hf_http_msg_init(&msg, 4096, 8);
    assert_int_equal(hf_request_ids_init(&ids, &msg, false, "c", &rng), HF_OK);
    assert_string_equal(ids.span, "0102030405060708");
    hf_http_msg_done(&msg);
}

static void without_randomness_there_are_no_ids(void **state)
{
    (void)state;
    struct hf_rng rng = {NULL, refuse};
    struct hf_http_msg msg;
    struct hf_request_ids ids = {.request = "untouched"};
    hf_http_msg_init(&msg, 4096, 8);
    assert_int_equal(hf_request_ids_init(&ids, &msg, false, "c", &rng), HF_E_CRYPTO);
    assert_string_equal(ids.request, "untouched");
    hf_http_msg_done(&msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_goes_on),
        cmocka_unit_test(a_trace_begins),
        cmocka_unit_test(traceparent_is_read_strictly),
        cmocka_unit_test(cut_or_flipped_it_is_no_traceparent),
        cmocka_unit_test(request_ids_are_made),
        cmocka_unit_test(request_ids_are_taken_from_proxies),
        cmocka_unit_test(ids_of_zeros_are_drawn_again),
        cmocka_unit_test(without_randomness_there_are_no_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
