// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "facts_fixture.h"
#include "http/strip.h"

static struct hf_strip *make(void)
{
    struct hf_strip *strip = NULL;
    assert_int_equal(hf_strip_new(&strip), HF_OK);
    return strip;
}

static void known_headers_in_every_spelling(void **state)
{
    (void)state;
    struct hf_strip *strip = make();
    static const char *const listed[] = {"X-Forwarded-Client-Cert",
                                         "x_forwarded_client_cert",
                                         "X_Forwarded-Client.Cert",
                                         "Client-Cert",
                                         "CLIENT_CERT",
                                         "Client-Cert-Chain",
                                         "client-cert-anything",
                                         "Forwarded",
                                         "X-Forwarded-For",
                                         "X-Forwarded-Proto",
                                         "X-Forwarded-Host",
                                         "X-Forwarded-Port",
                                         "X-Forwarded-Tls-Client-Cert-Info",
                                         "x-real-ip",
                                         "X~Real~IP",
                                         "ssl-client-subject-dn",
                                         "SSL_CLIENT_S_DN",
                                         "ssl-client-verify",
                                         "X-SSL-Client-CN",
                                         "X-SSL-CERT",
                                         "X-Client-Cert",
                                         "X-Client-DN",
                                         "X-Client-Verified",
                                         "x-client-subject-dn",
                                         "X-Amzn-Mtls-Clientcert-Leaf",
                                         "X-ARR-ClientCert",
                                         "Cf-Client-Cert-Der-Base64",
                                         "Remote-User",
                                         "X-Remote-Group",
                                         "X-Envoy-External-Address",
                                         "$WSCC",
                                         "WL-Proxy-Client-Cert",
                                         "True-Client-IP",
                                         "X-Handfast-Token"};
    static const char *const innocent[] = {"Host",
                                           "Cookie",
                                           "Authorization",
                                           "Content-Type",
                                           "Content-Length",
                                           "Accept",
                                           "Origin",
                                           "X-Client-Version",
                                           "X-Client",
                                           "X-Forward",
                                           "Client-Certified",
                                           "clientcert",
                                           "Forwarder",
                                           "X-Requested-With",
                                           "X-Request-Id",
                                           "traceparent",
                                           "SSL",
                                           "x",
                                           "_",
                                           "-",
                                           "Sec-WebSocket-Key"};
    for (size_t i = 0; i < HF_N_ELEMENTS(listed); i++) {
        if (!hf_strip_has(strip, hf_bytes_str(listed[i]))) {
            fail_msg("%s passes", listed[i]);
        }
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(innocent); i++) {
        if (hf_strip_has(strip, hf_bytes_str(innocent[i]))) {
            fail_msg("%s is taken out", innocent[i]);
        }
    }
    assert_false(hf_strip_has(strip, hf_bytes_str("")));
    hf_strip_unref(strip);
}

static void names_are_added(void **state)
{
    (void)state;
    struct hf_strip *strip = make();
    assert_int_equal(hf_strip_add(strip, "X-Acme-User"), HF_OK);
    assert_int_equal(hf_strip_add(strip, "Acme-*"), HF_OK);
    assert_int_equal(hf_strip_add(strip, "Range"), HF_OK);
    assert_true(hf_strip_has(strip, hf_bytes_str("x_acme_user")));
    assert_false(hf_strip_has(strip, hf_bytes_str("x-acme-users")));
    assert_true(hf_strip_has(strip, hf_bytes_str("ACME_Anything")));
    assert_true(hf_strip_has(strip, hf_bytes_str("acme-")));
    assert_false(hf_strip_has(strip, hf_bytes_str("acme")));
    struct hf_http_msg msg;
    hf_http_msg_init(&msg, 4096, 16);
    assert_int_equal(hf_http_msg_add_str(&msg, "range", "bytes=0-1"), HF_OK);
    assert_int_equal(hf_http_msg_add_str(&msg, "via", "1.1 a"), HF_OK);
    assert_int_equal(hf_strip_apply(strip, &msg), 1);
    assert_int_equal(msg.n_fields, 1);
    hf_http_msg_done(&msg);
    hf_strip_unref(strip);
}

static void what_a_message_needs_can_not_be_added(void **state)
{
    (void)state;
    struct hf_strip *strip = make();
    static const struct {
        const char *pattern;
        const char *says;
    } table[] = {
        {"", "\"\" is not the name of a header, nor the beginning of one and *"},
        {"*", "\"*\" is not the name of a header, nor the beginning of one and *"},
        {"a b", "\"a b\" is not the name of a header, nor the beginning of one and *"},
        {"a*b", "\"a*b\" is not the name of a header, nor the beginning of one and *"},
        {"a**", "\"a**\" is not the name of a header, nor the beginning of one and *"},
        {"cookie", "\"cookie\" would take out cookie"},
        {"Content_Length", "\"Content_Length\" would take out content-length"},
        {"h*", "\"h*\" would take out host"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_strip_add(strip, table[i].pattern), HF_E_INVALID);
        assert_string_equal(hf_err_text(), table[i].says);
    }
    assert_false(hf_strip_has(strip, hf_bytes_str("cookie")));
    assert_false(hf_strip_has(strip, hf_bytes_str("host")));
    hf_strip_unref(strip);
}

static void fields_leave_the_message(void **state)
{
    (void)state;
    struct hf_strip *strip = make();
    struct hf_http_msg msg;
    hf_http_msg_init(&msg, 4096, 32);
    static const char *const fields[][2] = {{"x-forwarded-for", "10.0.0.1"},
                                            {"accept", "*/*"},
                                            {"X_Forwarded_For", "10.0.0.2"},
                                            {"x.forwarded.for", "10.0.0.3"},
                                            {"cookie", "a=b"},
                                            {"SSL_CLIENT_VERIFY", "SUCCESS"},
                                            {"x-real-ip", "10.0.0.4"},
                                            {"x-real-ip", "10.0.0.5"},
                                            {"x-client-version", "7"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(fields); i++) {
        assert_int_equal(hf_http_msg_add_str(&msg, fields[i][0], fields[i][1]), HF_OK);
    }
    assert_int_equal(hf_strip_apply(strip, &msg), 6);
    assert_int_equal(msg.n_fields, 3);
    expect_field(&msg, "accept", "*/*");
    expect_field(&msg, "cookie", "a=b");
    expect_field(&msg, "x-client-version", "7");
    assert_int_equal(hf_strip_apply(strip, &msg), 0);
    hf_http_msg_done(&msg);
    hf_strip_unref(strip);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_strip *strip = NULL;
        hf_alloc_fail_after(n);
        err = hf_strip_new(&strip);
        err = err != HF_OK ? err : hf_strip_add(strip, "X-Acme-*");
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_strip_unref(strip);
    }
}

static void the_list_can_be_walked(void **state)
{
    (void)state;
    size_t n = 0;
    while (hf_strip_builtin(n)) {
        n++;
    }
    assert_in_range(n, 40, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_headers_in_every_spelling),
        cmocka_unit_test(names_are_added),
        cmocka_unit_test(what_a_message_needs_can_not_be_added),
        cmocka_unit_test(fields_leave_the_message),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_list_can_be_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
