// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/refusal.h"

struct answer {
    unsigned status;
    struct hf_buf fields; /* "name: value\n" each */
    struct hf_buf body;
};

static void answer_done(struct answer *answer)
{
    hf_buf_done(&answer->fields);
    hf_buf_done(&answer->body);
}

static enum hf_err keep(void *ctx, const char *name, struct hf_bytes value)
{
    struct answer *answer = ctx;
    assert_int_equal(hf_http_value_span(value), value.len); /* never a header of its own */
    HF_TRY(hf_buf_printf(&answer->fields, "%s: ", name));
    HF_TRY(hf_buf_append(&answer->fields, value));
    return hf_buf_append_str(&answer->fields, "\n");
}

static enum hf_err answer_of(struct answer *out, const struct hf_refusal *refusal,
                             enum hf_refusal_form form)
{
    *out = (struct answer){.fields = HF_BUF_INIT(32 << 10), .body = HF_BUF_INIT(16 << 10)};
    return hf_refusal_write(refusal, form, keep, out, &out->status, &out->body);
}

static void form_follows_what_the_client_accepts(void **state)
{
    (void)state;
    static const struct {
        const char *content_type, *accept;
        enum hf_refusal_form form;
    } table[] = {
        {"", "", HF_REFUSAL_JSON},
        {"", "*/*", HF_REFUSAL_JSON},
        {"", "text/html", HF_REFUSAL_HTML},
        {"", "TEXT/HTML;level=1", HF_REFUSAL_HTML},
        {"", "text/*", HF_REFUSAL_HTML},
        {"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", HF_REFUSAL_HTML},
        {"", "text/html, application/json", HF_REFUSAL_HTML},
        {"", "text/html;q=0.5, application/json", HF_REFUSAL_JSON},
        {"", "text/html;q=0.5, application/json;q=0.4", HF_REFUSAL_HTML},
        {"", "text/html;q=0, */*", HF_REFUSAL_JSON},
        {"", "text/html;q=0", HF_REFUSAL_JSON},
        {"", "application/problem+json, text/html;q=0.9", HF_REFUSAL_JSON},
        {"", "application/json;q=0, text/*;q=0.1", HF_REFUSAL_HTML},
        {"", "image/png", HF_REFUSAL_JSON},
        {"", "text/html;q=2, application/json;q=0.1", HF_REFUSAL_JSON},
        {"", "text/html;q=, application/json;q=.5", HF_REFUSAL_JSON},
        {"", ",;,;q,;q=1", HF_REFUSAL_JSON},
        {"application/grpc", "text/html", HF_REFUSAL_GRPC},
        {"application/grpc+proto", "", HF_REFUSAL_GRPC},
        {"Application/GRPC; x=y", "", HF_REFUSAL_GRPC},
        {"application/grpc-web", "", HF_REFUSAL_GRPC_WEB},
        {"application/grpc-web+proto", "", HF_REFUSAL_GRPC_WEB},
        {"application/grpc-web-text+proto", "", HF_REFUSAL_GRPC_WEB_TEXT},
        {"application/grpcx", "", HF_REFUSAL_JSON},
        {"application/json", "", HF_REFUSAL_JSON},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(
            hf_refusal_form_of(hf_bytes_str(table[i].content_type), hf_bytes_str(table[i].accept)),
            table[i].form);
    }
}

static const struct hf_refusal forbidden = {
    .status = 403, .code = "route-denied", .text = "Not for <you> & \"him\"", .id = "00ab"};

static void json_is_a_problem(void **state)
{
    (void)state;
    struct answer answer;
    assert_int_equal(answer_of(&answer, &forbidden, HF_REFUSAL_JSON), HF_OK);
    assert_int_equal(answer.status, 403);
    assert_string_equal(hf_buf_cstr(&answer.body),
                        "{\"status\":403,\"title\":\"Forbidden\",\"detail\":\"Not for <you> & "
                        "\\\"him\\\"\",\"code\":\"route-denied\",\"id\":\"00ab\"}\n");
    assert_string_equal(hf_buf_cstr(&answer.fields), "content-type: application/problem+json\n"
                                                     "cache-control: no-store\n"
                                                     "x-content-type-options: nosniff\n");
    answer_done(&answer);
}

static void html_is_escaped(void **state)
{
    (void)state;
    struct answer answer;
    assert_int_equal(answer_of(&answer, &forbidden, HF_REFUSAL_HTML), HF_OK);
    assert_int_equal(answer.status, 403);
    assert_string_equal(
        hf_buf_cstr(&answer.body),
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>403 "
        "Forbidden</title></head>\n<body><h1>403 Forbidden</h1>\n<p>Not for &lt;you&gt; &amp; "
        "&quot;him&quot;</p>\n<p>code <code>route-denied</code>, id "
        "<code>00ab</code></p></body></html>\n");
    assert_string_equal(hf_buf_cstr(&answer.fields),
                        "content-type: text/html; charset=utf-8\ncache-control: no-store\n"
                        "x-content-type-options: nosniff\n"
                        "content-security-policy: default-src 'none'; frame-ancestors 'none'\n");
    answer_done(&answer);
}

static void grpc_ends_in_the_head(void **state)
{
    (void)state;
    struct answer answer;
    struct hf_refusal refusal = {.status = 429,
                                 .code = "rate-limited",
                                 .text = "100% of it\nis used: \xc3\xa9",
                                 .id = "1",
                                 .retry_after_s = 3};
    assert_int_equal(answer_of(&answer, &refusal, HF_REFUSAL_GRPC), HF_OK);
    assert_int_equal(answer.status, 200);
    assert_int_equal(hf_buf_len(&answer.body), 0);
    assert_string_equal(hf_buf_cstr(&answer.fields),
                        "content-type: application/grpc\ngrpc-status: 8\n"
                        "grpc-message: 100%25 of it\\x0ais used: %C3%A9 (rate-limited, id 1)\n"
                        "grpc-retry-pushback-ms: 3000\n");
    answer_done(&answer);
    assert_int_equal(answer_of(&answer, &forbidden, HF_REFUSAL_GRPC_WEB), HF_OK);
    assert_non_null(strstr(hf_buf_cstr(&answer.fields), "content-type: application/grpc-web\n"));
    answer_done(&answer);
}

static void grpc_status_follows_the_specification(void **state)
{
    (void)state;
    static const unsigned table[][2] = {
        {400, 13}, {401, 16}, {403, 7}, {404, 12}, {429, 8}, {502, 14},
        {503, 14}, {504, 14}, {500, 2}, {302, 2},  {413, 8}, {421, 2},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_refusal_grpc_status(table[i][0]), table[i][1]);
    }
}

static void challenges_are_written_as_their_rfcs_say(void **state)
{
    (void)state;
    struct hf_challenge challenges[] = {
        {.scheme = HF_CHALLENGE_BEARER},
        {.scheme = HF_CHALLENGE_BEARER,
         .realm = "a \"b\" \\",
         .error = HF_BEARER_INVALID_TOKEN,
         .description = "The \"token\"\r\nX: y has expired\\"},
        {.scheme = HF_CHALLENGE_BEARER, .error = HF_BEARER_INSUFFICIENT_SCOPE, .scope = "a b"},
        {.scheme = HF_CHALLENGE_BEARER, .description = "without an error, no description"},
        {.scheme = HF_CHALLENGE_BASIC},
        {.scheme = HF_CHALLENGE_BASIC, .realm = "Staff\x80"},
    };
    struct hf_refusal refusal = {.status = 401,
                                 .code = "unauthenticated",
                                 .retry_after_s = 7,
                                 .challenges = challenges,
                                 .n_challenges = HF_N_ELEMENTS(challenges)};
    struct answer answer;
    assert_int_equal(answer_of(&answer, &refusal, HF_REFUSAL_JSON), HF_OK);
    assert_string_equal(
        strstr(hf_buf_cstr(&answer.fields), "www"),
        "www-authenticate: Bearer\n"
        "www-authenticate: Bearer realm=\"a \\\"b\\\" \\\\\", error=\"invalid_token\", "
        "error_description=\"The 'token'X: y has expired'\"\n"
        "www-authenticate: Bearer error=\"insufficient_scope\", scope=\"a b\"\n"
        "www-authenticate: Bearer\n"
        "www-authenticate: Basic realm=\"restricted\", charset=\"UTF-8\"\n"
        "www-authenticate: Basic realm=\"Staff\", charset=\"UTF-8\"\n"
        "retry-after: 7\n");
    assert_string_equal(
        hf_buf_cstr(&answer.body),
        "{\"status\":401,\"title\":\"Unauthorized\",\"code\":\"unauthenticated\"}\n");
    answer_done(&answer);
}

/* Every byte, in every place where text goes, in every form. */
static void no_byte_breaks_out(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b', 0};
        struct hf_challenge challenge = {.scheme = HF_CHALLENGE_BEARER,
                                         .realm = text,
                                         .error = HF_BEARER_INVALID_REQUEST,
                                         .description = text,
                                         .scope = text};
        struct hf_refusal refusal = {.status = 401,
                                     .code = text,
                                     .text = text,
                                     .id = text,
                                     .challenges = &challenge,
                                     .n_challenges = 1};
        for (int form = HF_REFUSAL_JSON; form <= HF_REFUSAL_GRPC_WEB_TEXT; form++) {
            struct answer answer;
            assert_int_equal(answer_of(&answer, &refusal, (enum hf_refusal_form)form), HF_OK);
            struct hf_bytes body = hf_buf_bytes(&answer.body);
            for (size_t i = 0; i < body.len; i++) {
                assert_true(body.ptr[i] >= ' ' || body.ptr[i] == '\n');
            }
            answer_done(&answer);
        }
    }
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    char text[3000];
    memset(text, '\'', sizeof(text));
    text[sizeof(text) - 1] = 0;
    struct hf_refusal refusal = {.status = 400, .code = "c", .text = text};
    struct answer answer;
    assert_int_equal(answer_of(&answer, &refusal, HF_REFUSAL_HTML), HF_OK);
    assert_non_null(strstr(hf_buf_cstr(&answer.body), "...</p>"));
    answer_done(&answer);
    assert_int_equal(answer_of(&answer, &refusal, HF_REFUSAL_GRPC), HF_OK);
    answer_done(&answer);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    struct hf_challenge challenge = {.scheme = HF_CHALLENGE_BASIC};
    struct hf_refusal refusal = {.status = 401,
                                 .code = "c",
                                 .text = "t",
                                 .retry_after_s = 1,
                                 .challenges = &challenge,
                                 .n_challenges = 1};
    for (int form = HF_REFUSAL_JSON; form <= HF_REFUSAL_GRPC; form++) {
        enum hf_err err = HF_E_NOMEM;
        for (size_t n = 1; err != HF_OK; n++) {
            struct answer answer;
            hf_alloc_fail_after(n);
            err = answer_of(&answer, &refusal, (enum hf_refusal_form)form);
            hf_alloc_fail_after(0);
            assert_true(err == HF_OK || err == HF_E_NOMEM);
            assert_true(n < 100);
            answer_done(&answer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form_follows_what_the_client_accepts),
        cmocka_unit_test(json_is_a_problem),
        cmocka_unit_test(html_is_escaped),
        cmocka_unit_test(grpc_ends_in_the_head),
        cmocka_unit_test(grpc_status_follows_the_specification),
        cmocka_unit_test(challenges_are_written_as_their_rfcs_say),
        cmocka_unit_test(no_byte_breaks_out),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
