// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "facts_fixture.h"
#include "http/template.h"

static void expect_as(enum hf_template_use use, const struct hf_facts *facts, const char *text,
                      const char *wanted, bool wanted_known)
{
    struct hf_template *tmpl = NULL;
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    bool known = false;
    if (hf_template_new(text, use, &tmpl) != HF_OK) {
        fail_msg("%s: %s", text, hf_err_text());
    }
    assert_int_equal(hf_template_render(tmpl, facts, &out, &known), HF_OK);
    assert_int_equal(known, wanted_known);
    expect_buf(&out, wanted);
    hf_template_free(tmpl);
}

static void expect(const struct hf_facts *facts, const char *text, const char *wanted)
{
    expect_as(HF_TEMPLATE_HEADER, facts, text, wanted, true);
}

static void expect_none(const struct hf_facts *facts, const char *text)
{
    expect_as(HF_TEMPLATE_HEADER, facts, text, "", false);
}

static void variables_of_the_peer(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.spiffe = T("spiffe://example.org/ops");
    peer.ou = T("Ops");
    peer.dns = LIST(T("a.example.org"), T("b.example.org"));
    peer.uri = LIST(T("spiffe://example.org/ops"));
    peer.email = LIST(T("alice@example.org"));
    peer.ip = LIST(T("192.0.2.1"), T("2001:db8::1"));
    expect(&facts, "{peer.id}", "spiffe://example.org/ops");
    expect(&facts, "{peer.spiffe}", "spiffe://example.org/ops");
    expect(&facts, "{peer.dn}", "CN=alice,O=Example");
    expect(&facts, "{peer.issuer}", "CN=Example CA");
    expect(&facts, "{peer.cn}/{peer.o}/{peer.ou}", "alice/Example/Ops");
    expect(&facts, "{peer.dns}", "a.example.org,b.example.org");
    expect(&facts, "{peer.uri}", "spiffe://example.org/ops");
    expect(&facts, "{peer.email}", "alice@example.org");
    expect(&facts, "{peer.ip}", "192.0.2.1,2001:db8::1");
    expect(&facts, "{peer.serial}", "1f2e");
    expect(&facts, "{peer.fingerprint}", SHA256_TEXT);
    expect(&facts, "{peer.spki}", SPKI_TEXT);
    expect(&facts, "{peer.not_before}", "2026-11-20T22:06:00Z");
    expect(&facts, "{peer.not_after}", "2026-11-21T23:06:00Z");
    expect(&facts, "{peer.verified} {peer.verify}", "true SUCCESS");
    peer.not_after = INT64_MAX;
    expect(&facts, "{peer.not_after}", "9999-12-31T23:59:59Z");
}

static void variables_of_connection_and_request(void **state)
{
    (void)state;
    struct hf_facts facts = facts_of(NULL);
    expect(&facts, "{tls.version} {tls.cipher}", "TLSv1.3 TLS_AES_128_GCM_SHA256");
    expect(&facts, "{tls.sni} {tls.alpn} {tls.resumed}", "api.example.org http/1.1 false");
    expect(&facts, "{client.address}:{client.port}", "192.0.2.43:47011");
    expect(&facts, "{connection.address} {connection.id}", "192.0.2.43 00c0ffee00000001");
    expect(&facts, "{listener} {listener.port} {route}", "api 8443 main");
    expect(&facts, "{request.id}", "00c0ffee00000002");
    expect(&facts, "{request.method} {request.target} {request.protocol}", "GET /a/b?c=d HTTP/1.1");
    expect(&facts, "{request.scheme}://{request.host}{request.path}",
           "https://api.example.org:8443/a/b");
    expect(&facts, "{request.query}", "c=d");
    expect(&facts, "{trace.id} {trace.span}", "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331");
    expect_none(&facts, "{trace.parent}");
    expect(&facts, "{time} {time.unix} {time.ms}", "2026-11-20T23:06:00Z 1795215960 1795215960000");
    expect(&facts, "{time.clf}", "20/Nov/2026:23:06:00 +0000");
    facts.path = hf_bytes_str("*");
    facts.query.len = 0;
    facts.has_query = false;
    expect(&facts, "{request.path} {request.target}", "* *");
    expect_none(&facts, "{request.query}");
    facts.has_query = true;
    expect(&facts, "{request.target}", "*?");
    facts.has_query = false;
    facts.path = hf_bytes_of(NULL, 0);
    expect_none(&facts, "{request.path}{request.query}{request.target}");
}

static void headers_of_the_request(void **state)
{
    (void)state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_http_msg msg;
    hf_http_msg_init(&msg, 4096, 16);
    assert_int_equal(hf_http_msg_add_str(&msg, "user-agent", "curl \\ \xc3\xbc"), HF_OK);
    expect_none(&facts, "{request.header.user-agent}");
    facts.request = &msg;
    expect(&facts, "{request.header.User-Agent}", "curl \\\\ \\xc3\\xbc");
    expect_none(&facts, "{request.header.referer}");
    hf_http_msg_done(&msg);
}

static void nobody_is_told_as_nothing(void **state)
{
    (void)state;
    struct hf_facts facts = facts_of(NULL);
    expect_none(&facts, "{peer.id}{peer.spiffe}{peer.dn}{peer.issuer}{peer.cn}{peer.o}{peer.ou}"
                        "{peer.dns}{peer.uri}{peer.email}{peer.ip}{peer.serial}{peer.fingerprint}"
                        "{peer.fingerprint_sha1}{peer.spki}{peer.not_before}{peer.not_after}"
                        "{peer.cert_pem_urlencoded}{peer.cert_base64}{peer.chain_pem_urlencoded}");
    expect(&facts, "{peer.verified} {peer.verify}", "false NONE");
    expect_as(HF_TEMPLATE_HEADER, &facts, "CN={peer.cn}", "CN=", false);
    expect(&facts, "constant", "constant");
}

static void who_was_not_verified_is_nobody_unless_told_even_so(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    facts.verified = false;
    facts.verdict = HF_REASON_EXPIRED;
    expect_none(&facts, "{peer.id}{peer.dn}{peer.cn}{peer.serial}{peer.fingerprint}{peer.spki}");
    expect(&facts, "{peer.verified} {peer.verify}", "false FAILED:expired");
    facts.tell_unverified = true;
    expect(&facts, "{peer.cn} {peer.serial}", "alice 1f2e");
    expect(&facts, "{peer.verified} {peer.verify}", "false FAILED:expired");
}

static void mangled_names_are_not_told(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.mangled = true;
    peer.spiffe = T("spiffe://example.org/ops");
    peer.dns = LIST(T("a.example.org"));
    expect_none(&facts, "{peer.spiffe}{peer.dn}{peer.issuer}{peer.cn}{peer.o}{peer.dns}");
    expect(&facts, "{peer.serial} {peer.fingerprint}", "1f2e " SHA256_TEXT);
    expect(&facts, "{peer.id}", "cert-sha256:" SHA256_TEXT);
}

static void ids_of_two_kinds_never_meet(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.cn = T("spiffe://example.org/ops");
    peer.subject = T("CN=spiffe://example.org/ops");
    expect(&facts, "{peer.id}", "dn:CN=spiffe://example.org/ops");
    peer.subject = T("");
    peer.dns = LIST(T("a.example.org"));
    expect(&facts, "{peer.id}", "dns:a.example.org");
    peer.dns.n = 0;
    peer.email = LIST(T("alice@example.org"));
    expect(&facts, "{peer.id}", "email:alice@example.org");
    peer.email.n = 0;
    peer.uri = LIST(T("https://example.org/"));
    expect(&facts, "{peer.id}", "uri:https://example.org/");
    peer.uri.n = 0;
    expect(&facts, "{peer.id}", "cert-sha256:" SHA256_TEXT);
}

static void names_can_not_break_out(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.cn = T(" J\xc3\xbcrgen\\\\ \"x\" ");
    peer.subject = T("CN=J\xc3\xbcrgen\\\\,O=a\\ ");
    peer.dns = LIST(T("a,b"), T(" c"));
    expect(&facts, "[{peer.cn}]", "[\\x20J\\xc3\\xbcrgen\\\\ \"x\"\\x20]");
    expect(&facts, "{peer.dn}", "CN=J\\C3\\BCrgen\\\\,O=a\\20");
    expect(&facts, "{peer.dns}", "a\\x2cb,\\x20c");
    facts.sni = "a\nb";
    expect(&facts, "{tls.sni}", "a\\x0ab");
    peer.cn = T("{peer.serial}");
    expect(&facts, "{peer.cn}", "{peer.serial}");
    expect_as(HF_TEMPLATE_LOG, &facts, "\"{tls.sni}\" {peer.o}", "\"a\\x0ab\" Example", true);
    peer.cn = T("J\xc3\xbcrgen \"x\"");
    expect_as(HF_TEMPLATE_LOG, &facts, "{peer.cn}", "J\xc3\xbcrgen \\x22x\\x22", true);
}

static void braces_can_be_meant(void **state)
{
    (void)state;
    struct hf_facts facts = facts_of(NULL);
    expect(&facts, "{{{listener}}}", "{api}");
    expect(&facts, "{{}}", "{}");
    expect(&facts, "a{{b}}c{listener}", "a{b}capi");
    expect_as(HF_TEMPLATE_HEADER, &facts, "", "", true);
}

static void log_lines_have_the_outcome(void **state)
{
    (void)state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_ending outcome = {.verdict = HF_REASON_OK,
                                .status = 200,
                                .upstream = "app",
                                .server = "127.0.0.1:8080",
                                .upstream_status = 200,
                                .tries = 2,
                                .bytes_in = 10,
                                .bytes_out = 2000,
                                .total_us = 812,
                                .connect_us = -1,
                                .first_byte_us = 700};
    static const char text[] = "{status} {verdict} {rule} {upstream} {upstream.server} "
                               "{upstream.status} {upstream.tries} {bytes.in} {bytes.out} "
                               "{took.us} {took.connect_us} {took.first_byte_us} {cause}";
    expect_as(HF_TEMPLATE_LOG, &facts, text, "- - - - - - - - - - - - -", false);
    facts.outcome = &outcome;
    expect_as(HF_TEMPLATE_LOG, &facts, text,
              "200 ok - app 127.0.0.1:8080 200 2 10 2000 812 - 700 -", true);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *says;
    } table[] = {
        {"{", "a brace is opened and not closed; write {{ for a brace"},
        {"{peer.cn", "a brace is opened and not closed; write {{ for a brace"},
        {"}", "a brace is closed and wasn't opened; write }} for a brace"},
        {"{peer.cn}}", "a brace is closed and wasn't opened; write }} for a brace"},
        {"{peer.cnn}", "there is no variable {peer.cnn}; is {peer.cn} meant?"},
        {"{}", "there is no variable {}; docs/config.md lists them"},
        {"{zzzzzzzzzzzzzzzz}",
         "there is no variable {zzzzzzzzzzzzzzzz}; docs/config.md lists them"},
        {"{peer.name}", "{peer.name} isn't known before the answer; it is for access logs"},
        {"{status}", "{status} isn't known before the answer; it is for access logs"},
        {"{request.header.}", "{request.header.} must end with the name of a header"},
        {"{request.header.a b}", "{request.header.a b} must end with the name of a header"},
        {"a\nb", "a template may have no control characters"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_template *tmpl = NULL;
        assert_int_equal(hf_template_new(table[i].text, HF_TEMPLATE_HEADER, &tmpl), HF_E_INVALID);
        assert_string_equal(hf_err_text(), table[i].says);
        assert_null(tmpl);
    }
}

static void sizes_are_limited(void **state)
{
    (void)state;
    static char text[HF_TEMPLATE_MAX + 2];
    struct hf_template *tmpl = NULL;
    memset(text, 'a', HF_TEMPLATE_MAX + 1);
    assert_int_equal(hf_template_new(text, HF_TEMPLATE_LOG, &tmpl), HF_E_TOO_LARGE);
    text[HF_TEMPLATE_MAX] = '\0';
    assert_int_equal(hf_template_new(text, HF_TEMPLATE_LOG, &tmpl), HF_OK);
    hf_template_free(tmpl);
    text[0] = '\0';
    for (size_t i = 0; i < 200; i++) {
        strcat(text, "{time}");
    }
    assert_int_equal(hf_template_new(text, HF_TEMPLATE_LOG, &tmpl), HF_E_TOO_LARGE);
}

static void cut_anywhere_it_fails_or_compiles(void **state)
{
    (void)state;
    static const char text[] = "a{{b{peer.cn}c}}{request.header.x-y} {time}";
    struct hf_facts facts = facts_of(NULL);
    for (size_t n = 0; n < sizeof(text); n++) {
        char cut[sizeof(text)];
        struct hf_template *tmpl = NULL;
        snprintf(cut, n + 1, "%s", text);
        if (hf_template_new(cut, HF_TEMPLATE_HEADER, &tmpl) == HF_OK) {
            struct hf_buf out = HF_BUF_INIT(1024);
            bool known;
            assert_int_equal(hf_template_render(tmpl, &facts, &out, &known), HF_OK);
            hf_buf_done(&out);
        }
        hf_template_free(tmpl);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_template *tmpl = NULL;
        hf_alloc_fail_after(n);
        err = hf_template_new("a{request.header.b}", HF_TEMPLATE_HEADER, &tmpl);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_int_equal(tmpl != NULL, err == HF_OK);
        hf_template_free(tmpl);
    }
}

static void the_table_documents_itself(void **state)
{
    (void)state;
    struct hf_template_doc doc;
    size_t n = 0;
    while (hf_template_doc(n, &doc)) {
        assert_true(*doc.name && *doc.doc && doc.uses & HF_TEMPLATE_LOG);
        n++;
    }
    assert_in_range(n, 50, 96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_of_the_peer),
        cmocka_unit_test(variables_of_connection_and_request),
        cmocka_unit_test(headers_of_the_request),
        cmocka_unit_test(nobody_is_told_as_nothing),
        cmocka_unit_test(who_was_not_verified_is_nobody_unless_told_even_so),
        cmocka_unit_test(mangled_names_are_not_told),
        cmocka_unit_test(ids_of_two_kinds_never_meet),
        cmocka_unit_test(names_can_not_break_out),
        cmocka_unit_test(braces_can_be_meant),
        cmocka_unit_test(log_lines_have_the_outcome),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(cut_anywhere_it_fails_or_compiles),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_table_documents_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
