// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/rewrite.h"

static void rewritten(const char *to, const char *path, size_t path_len, const char *wanted)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_rewrite_path(hf_bytes_str(to), hf_bytes_str(path), path_len, &out), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), wanted);
}

static void paths(void **state)
{
    (void)state;
    rewritten("/new", "/old", HF_PATH_WHOLE, "/new");
    rewritten("/new/", "/old", HF_PATH_WHOLE, "/new/");
    rewritten("/v2/", "/v1", 3, "/v2");
    rewritten("/v2/", "/v1/", 3, "/v2/");
    rewritten("/v2/", "/v1/a/b", 3, "/v2/a/b");
    rewritten("/", "/v1/a/b", 3, "/a/b");
    rewritten("/", "/v1", 3, "/");
    rewritten("/", "/v1/", 3, "/");
    rewritten("/v2/", "/", 0, "/v2/");
    rewritten("/v2/", "/a", 0, "/v2/a");
}

static void full_buffers_are_told(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(5);
    assert_int_equal(hf_rewrite_path(hf_bytes_str("/v2/"), hf_bytes_str("/v1/abc"), 3, &out),
                     HF_E_TOO_LARGE);
}

static void leads(const char *to, const char *host, const char *path, const char *query,
                  const char *wanted)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(4096);
    const struct hf_request request = {
        .host = hf_bytes_str(host), .path = hf_bytes_str(path), .query = hf_bytes_str(query)};
    assert_int_equal(hf_location_check(hf_bytes_str(to)), HF_OK);
    assert_int_equal(hf_location_make(hf_bytes_str(to), &request, &out), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), wanted);
}

static void redirects(void **state)
{
    (void)state;
    leads("https://new.example.org{path}{query}", "h", "/a", "x=1",
          "https://new.example.org/a?x=1");
    leads("https://new.example.org{path}{query}", "h", "/a", "", "https://new.example.org/a");
    leads("https://{host}/x", "h.org", "/a", "", "https://h.org/x");
    leads("https://{host}:8443{path}", "::1", "/a", "", "https://[::1]:8443/a");
    leads("/fixed", "h", "/a", "q", "/fixed");
    leads("{path}/", "h", "/a", "", "/a/");
}

static void a_path_never_leads_to_another_host(void **state)
{
    (void)state;
    leads("{path}", "h", "//evil.example", "", "/evil.example");
    leads("{path}", "h", "////evil.example", "", "/evil.example");
    leads("{path}{query}", "h", "/", "", "/");
}

static void refused(const char *text)
{
    if (hf_location_check(hf_bytes_str(text)) != HF_E_INVALID) {
        fail_msg("%s was accepted", text);
    }
}

static void unfit_redirects_are_refused(void **state)
{
    (void)state;
    refused("");
    refused("x");
    refused("ftp://x");
    refused("javascript:alert(1)");
    refused("//evil.example");
    refused("/{path}");
    refused("{host}/x");
    refused("/{peer.cn}");
    refused("/{path");
    refused("/a}");
    refused("/a b");
    refused("/a\r\nset-cookie:x");
    refused("/\xc3\xa9");
    refused("https://x/\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(full_buffers_are_told),
        cmocka_unit_test(redirects),
        cmocka_unit_test(a_path_never_leads_to_another_host),
        cmocka_unit_test(unfit_redirects_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
