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
#include "http/forward.h"
#include "http/xfcc.h"
#include "testpki.h"

enum { ALL = (1 << HF_XFCC_PART_N) - 1, BY = 1 << HF_XFCC_PART_BY, HASH = 1 << HF_XFCC_PART_HASH };
enum { CERT = 1 << HF_XFCC_PART_CERT, CHAIN = 1 << HF_XFCC_PART_CHAIN };
enum { SUBJECT = 1 << HF_XFCC_PART_SUBJECT, URI = 1 << HF_XFCC_PART_URI };
enum { DNS = 1 << HF_XFCC_PART_DNS };

static void expect(const struct hf_facts *facts, unsigned parts, const char *wanted)
{
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_xfcc_append(&out, facts, parts), HF_OK);
    if (hf_buf_len(&out)) {
        assert_int_equal(hf_xfcc_check(hf_buf_bytes(&out)), HF_OK);
    }
    expect_buf(&out, wanted);
}

/* The examples of Envoy's manual, "x-forwarded-client-cert". */
static void envoys_examples(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_identity own = alice();
    struct hf_facts facts = facts_of(&peer);
    facts.own = &own;
    own.uri = LIST(T("http://frontend.lyft.com"));
    peer.subject = T("");
    peer.uri = LIST(T("http://testclient.lyft.com"));
    expect(&facts, BY | HASH | SUBJECT | URI,
           "By=http://frontend.lyft.com;Hash=" SHA256_TEXT
           ";Subject=\"\";URI=http://testclient.lyft.com");
    peer.subject = T("CN=Test Client,OU=Lyft,L=San Francisco,ST=CA,C=US");
    expect(&facts, BY | HASH | SUBJECT | URI,
           "By=http://frontend.lyft.com;Hash=" SHA256_TEXT
           ";Subject=\"CN=Test Client,OU=Lyft,L=San Francisco,ST=CA,C=US\""
           ";URI=http://testclient.lyft.com");
    peer.dns = LIST(T("lyft.com"), T("www.lyft.com"));
    expect(&facts, BY | HASH | SUBJECT | URI | DNS,
           "By=http://frontend.lyft.com;Hash=" SHA256_TEXT
           ";Subject=\"CN=Test Client,OU=Lyft,L=San Francisco,ST=CA,C=US\""
           ";URI=http://testclient.lyft.com;DNS=lyft.com;DNS=www.lyft.com");
}

static void keys_are_there_as_in_envoy(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    expect(&facts, ALL, "Hash=" SHA256_TEXT ";Subject=\"CN=alice,O=Example\";URI=");
    peer.uri = LIST(T("spiffe://a/b"), T("https://c/d"));
    expect(&facts, URI, "URI=spiffe://a/b;URI=https://c/d");
    expect(&facts, 0, "");
}

static void certificates_are_pem_escaped_in_quotes(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, "DNS:a.example");
    struct hf_cert *certs[] = {leaf->cert, root->cert};
    struct hf_chain *chain = NULL;
    struct hf_ders *ders = NULL;
    struct hf_identity *identity = NULL;
    assert_int_equal(hf_chain_new(certs, 2, &chain), HF_OK);
    assert_int_equal(hf_identity_new(leaf->cert, &identity), HF_OK);
    struct hf_facts facts = facts_of(identity);
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    static const char begin[] = "-----BEGIN%20CERTIFICATE-----%0A";
    assert_int_equal(hf_chain_ders(chain, &ders), HF_OK);
    facts.chain = ders;
    assert_int_equal(hf_xfcc_append(&out, &facts, CERT | CHAIN), HF_OK);
    const char *text = hf_buf_cstr(&out);
    assert_int_equal(strncmp(text, "Cert=\"", 6), 0);
    const char *second = strstr(text, ";Chain=\"");
    assert_non_null(second);
    /* the chain has the leaf first, as Envoy's has */
    size_t len = (size_t)(second - text) - strlen("Cert=\"\"");
    assert_memory_equal(text + 6, second + 8, len);
    assert_non_null(strstr(second + 9, begin)); /* and then the root */
    assert_int_equal(text[strlen(text) - 1], '"');
    assert_int_equal(hf_xfcc_check(hf_buf_bytes(&out)), HF_OK);
    hf_buf_done(&out);
    hf_identity_unref(identity);
    hf_ders_unref(ders);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(root);
}

static void subjects_can_not_end_their_quotes(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.subject = T("CN=x\\\";URI=spiffe://example.org/admin\\\",O=a\\\\");
    expect(&facts, SUBJECT, "Subject=\"CN=x\\22;URI=spiffe://example.org/admin\\22,O=a\\5C\"");
}

static void names_that_are_none_are_left_out(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.uri = LIST(T("https://a/\";By=x"), T("https://b/c d"), T("https://e/\\\\"),
                    T("https://f/\xc3\xbc"), T(""), T("https://g/h"));
    peer.dns =
        LIST(T("a;URI=x"), T("b,c"), T("d e"), T("f\"g"), T("h\\\\i"), T(""), T("*.example.org"));
    expect(&facts, URI | DNS, "URI=https://g/h;DNS=*.example.org");
    peer.uri = LIST(T("https://a/b,c;d=e"));
    expect(&facts, URI, "URI=\"https://a/b,c;d=e\"");
}

static void only_who_can_be_told_is_told(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    peer.dns = LIST(T("a.example.org"));
    peer.mangled = true;
    expect(&facts, ALL, "Hash=" SHA256_TEXT ";Subject=\"\";URI=");
    facts.verified = false;
    expect(&facts, ALL, "");
    struct hf_facts nobody = facts_of(NULL);
    expect(&nobody, ALL, "");
    struct hf_identity own = alice();
    facts.verified = true;
    facts.own = &own;
    own.uri = LIST(T("spiffe://example.org/edge"));
    own.mangled = true;
    expect(&facts, BY, "");
}

static void values_of_others_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"By=a",
                                       "By=a;Hash=b",
                                       "By=a,By=b",
                                       "By=a, By=b",
                                       "URI=",
                                       "Subject=\"\"",
                                       "Subject=\"a,b;c=d\";URI=e",
                                       "Subject=\"CN=a\\,b\"",
                                       "Subject=\"a\\22\"",
                                       "New=1"};
    static const char *const bad[] = {"",
                                      ",",
                                      ";",
                                      "a",
                                      "=a",
                                      "By=a;",
                                      "By=a,",
                                      "By=a;;By=b",
                                      "By=a,,By=b",
                                      "By-x=a",
                                      "By =a",
                                      " By=a",
                                      "Subject=\"",
                                      "Subject=\"a",
                                      "Subject=\"a\\\"",
                                      "Subject=\"a\\\";URI=b",
                                      "Subject=\"a\\\"b\"",
                                      "Subject=\"a\\\\\"",
                                      "Subject=\"a\"b",
                                      "Subject=\"a\" ;URI=b",
                                      "URI=a\"b",
                                      "URI=a\\",
                                      "URI=a\"b\";URI=c"};
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        if (hf_xfcc_check(hf_bytes_str(good[i])) != HF_OK) {
            fail_msg("%s: %s", good[i], hf_err_text());
        }
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        if (hf_xfcc_check(hf_bytes_str(bad[i])) != HF_E_MALFORMED) {
            fail_msg("%s passes", bad[i]);
        }
    }
}

/* However it is cut, what passes still ends outside of quotes: an element appended is seen. */
static void cut_anywhere_it_stays_whole_or_fails(void **state)
{
    (void)state;
    static const char text[] = "By=a;Subject=\"CN=x\\,y\";URI=b, Hash=c;Cert=\"%0A\"";
    for (size_t n = 0; n < sizeof(text); n++) {
        size_t quotes = 0;
        for (size_t i = 0; i < n; i++) {
            quotes += text[i] == '"';
        }
        if (hf_xfcc_check(hf_bytes_of(text, n)) == HF_OK) {
            assert_int_equal(quotes % 2, 0);
        }
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_buf out = HF_BUF_INIT(1 << 16);
        hf_alloc_fail_after(n);
        err = hf_xfcc_append(&out, &facts, ALL);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envoys_examples),
        cmocka_unit_test(keys_are_there_as_in_envoy),
        cmocka_unit_test(certificates_are_pem_escaped_in_quotes),
        cmocka_unit_test(subjects_can_not_end_their_quotes),
        cmocka_unit_test(names_that_are_none_are_left_out),
        cmocka_unit_test(only_who_can_be_told_is_told),
        cmocka_unit_test(values_of_others_are_checked),
        cmocka_unit_test(cut_anywhere_it_stays_whole_or_fails),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
