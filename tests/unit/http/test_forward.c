// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "facts_fixture.h"
#include "http/forward.h"
#include "testpki.h"

#define BIT(n) (1u << (n))

/* clang-format off */
/* The certificates of RFC 9440 Appendix A: client, intermediate, root. */
#define RFC9440_LEAF \
    "MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBB" \
    "dXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAx" \
    "MTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZI" \
    "zj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p" \
    "5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIw" \
    "ADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMC" \
    "BsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1w" \
    "bGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMje" \
    "SkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk="
#define RFC9440_INTERMEDIATE \
    "MIIB5jCCAYugAwIBAgIBFjAKBggqhkjOPQQDAjBWMQswCQYDVQQGEwJVUzEbMBkG" \
    "A1UECgwSTGV0J3MgQXV0aGVudGljYXRlMSowKAYDVQQDDCFMZXQncyBBdXRoZW50" \
    "aWNhdGUgUm9vdCBBdXRob3JpdHkwHhcNMjAwMTE0MjEzMjMwWhcNMzAwMTExMjEz" \
    "MjMwWjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxB" \
    "IEludGVybWVkaWF0ZSBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJf+aA54" \
    "RC5pyLAR5yfXVYmNpgd+CGUTDp2KOGhc0gK91zxhHesEYkdXkpS2UN8Kati+yHtW" \
    "CV3kkhCngGyv7RqjZjBkMB0GA1UdDgQWBBRm3WjLa38lbEYCuiCPct0ZaSED2DAf" \
    "BgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDASBgNVHRMBAf8ECDAGAQH/" \
    "AgEAMA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNJADBGAiEA5pLvaFwRRkxo" \
    "mIAtDIwg9D7gC1xzxBl4r28EzmSO1pcCIQCJUShpSXO9HDIQMUgH69fNDEMHXD3R" \
    "RX5gP7kuu2KGMg=="
#define RFC9440_ROOT \
    "MIICBjCCAaygAwIBAgIJAKS0yiqKtlhoMAoGCCqGSM49BAMCMFYxCzAJBgNVBAYT" \
    "AlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdz" \
    "IEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTAeFw0yMDAxMTQyMTI1NDVaFw00" \
    "MDAxMDkyMTI1NDVaMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRo" \
    "ZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhv" \
    "cml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFoaHU+Z5bPKmGzlYXtCf+E6" \
    "HYj62fORaHDOrt+yyh3H/rTcs7ynFfGn+gyFsrSP3Ez88rajv+U2NfD0o0uZ4Pmj" \
    "YzBhMB0GA1UdDgQWBBTEA2Q6eecKu9g9yb5glbkhhVINGDAfBgNVHSMEGDAWgBTE" \
    "A2Q6eecKu9g9yb5glbkhhVINGDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQE" \
    "AwIBhjAKBggqhkjOPQQDAgNIADBFAiEAmAeg1ycKHriqHnaD4M/UDBpQRpkmdcRF" \
    "YGMg1Qyrkx4CIB4ivz3wQcQkGhcsUZ1SOImd/lq1Q0FLf09rGfLQPWDc"
/* clang-format on */

static enum hf_err fill(void *ctx, struct hf_span out)
{
    uint8_t *next = ctx;
    memset(out.ptr, ++*next, out.len);
    return HF_OK;
}

static uint8_t drawn;
static const struct hf_rng rng = {&drawn, fill};

struct fixture {
    struct hf_strip *strip;
    struct hf_http_msg msg;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    assert_int_equal(hf_strip_new(&fixture.strip), HF_OK);
    hf_http_msg_init(&fixture.msg, 64 << 10, 64);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    hf_strip_unref(fixture->strip);
    hf_http_msg_done(&fixture->msg);
    return 0;
}

static void add(struct fixture *fixture, const char *name, const char *value)
{
    assert_int_equal(hf_http_msg_add_str(&fixture->msg, name, value), HF_OK);
}

static struct hf_forward *make(struct fixture *fixture, struct hf_forward_options options)
{
    struct hf_forward *forward = NULL;
    options.strip = fixture->strip;
    if (hf_forward_new(&options, &forward) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return forward;
}

static enum hf_err apply(struct fixture *fixture, struct hf_forward_options options,
                         const struct hf_facts *facts)
{
    struct hf_forward *forward = make(fixture, options);
    enum hf_err err = hf_forward_apply(forward, facts, &fixture->msg);
    hf_forward_unref(forward);
    return err;
}

static void expect(struct fixture *fixture, const char *name, const char *value)
{
    expect_field(&fixture->msg, name, value);
}

/* --- Certificates
 * ---------------------------------------------------------------------------------
 */

static struct hf_ders *rfc9440_chain(void)
{
    static const char *const texts[] = {RFC9440_LEAF, RFC9440_INTERMEDIATE, RFC9440_ROOT};
    struct hf_buf bufs[3];
    struct hf_bytes ders[3];
    struct hf_chain *chain = NULL;
    struct hf_ders *out = NULL;
    for (size_t i = 0; i < 3; i++) {
        bufs[i] = HF_BUF_INIT(4096);
        assert_int_equal(hf_base64_decode(hf_bytes_str(texts[i]), &bufs[i]), HF_OK);
        ders[i] = hf_buf_bytes(&bufs[i]);
    }
    assert_int_equal(hf_chain_from_ders(ders, 3, &chain), HF_OK);
    assert_int_equal(hf_chain_ders(chain, &out), HF_OK);
    hf_chain_unref(chain);
    for (size_t i = 0; i < 3; i++) {
        hf_buf_done(&bufs[i]);
    }
    return out;
}

static void client_cert_is_the_example_of_its_rfc(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ders *chain = rfc9440_chain();
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_CLIENT_CERT) |
                                                     BIT(HF_SPELL_CLIENT_CERT_CHAIN)};
    facts.chain = chain;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "client-cert", ":" RFC9440_LEAF ":");
    expect(fixture, "client-cert-chain", ":" RFC9440_INTERMEDIATE ":, :" RFC9440_ROOT ":");
    options.identity = BIT(HF_SPELL_CLIENT_CERT);
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "client-cert", ":" RFC9440_LEAF ":");
    expect(fixture, "client-cert-chain", NULL);
    /* section 2.3: the chain isn't there without the certificate */
    options.identity = BIT(HF_SPELL_CLIENT_CERT_CHAIN);
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "client-cert", ":" RFC9440_LEAF ":");
    hf_ders_unref(chain);
}

static void client_cert_of_a_listed_proxy_is_kept_whole(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ders *chain = rfc9440_chain();
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_CLIENT_CERT_CHAIN)};
    facts.chain = chain;
    facts.trusted = true;
    add(fixture, "client-cert-chain", ":QUJD:");
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "client-cert", ":" RFC9440_LEAF ":");
    expect(fixture, "client-cert-chain", ":" RFC9440_INTERMEDIATE ":, :" RFC9440_ROOT ":");
    assert_int_equal(hf_http_msg_set_str(&fixture->msg, "client-cert", ":QUJD:"), HF_OK);
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "client-cert", ":QUJD:");
    hf_ders_unref(chain);
}

static void who_wants_the_chain_says_so(void **state)
{
    struct fixture *fixture = *state;
    const struct hf_forward_header plain = {"x-dn", "{peer.dn}"};
    const struct hf_forward_header whole = {"x-cert", "{peer.cert_base64}"};
    const struct {
        struct hf_forward_options options;
        bool wants;
    } table[] = {
        {{0}, false},
        {{.identity = BIT(HF_SPELL_CLIENT_CERT)}, true},
        {{.identity = BIT(HF_SPELL_CLIENT_CERT_CHAIN)}, true},
        {{.identity = BIT(HF_SPELL_XFCC), .xfcc_parts = BIT(HF_XFCC_PART_HASH)}, false},
        {{.identity = BIT(HF_SPELL_XFCC), .xfcc_parts = BIT(HF_XFCC_PART_CERT)}, true},
        {{.identity = BIT(HF_SPELL_XFCC), .xfcc_parts = BIT(HF_XFCC_PART_CHAIN)}, true},
        {{.headers = &plain, .n_headers = 1}, false},
        {{.headers = &whole, .n_headers = 1}, true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_forward *forward = make(fixture, table[i].options);
        assert_int_equal(hf_forward_wants_chain(forward), table[i].wants);
        hf_forward_unref(forward);
    }
}

/* --- x-forwarded-client-cert
 * ----------------------------------------------------------------------
 */

static void xfcc_follows_its_mode(void **state)
{
    static const struct {
        enum hf_xfcc_mode mode;
        bool trusted;
        const char *wanted;
    } table[] = {
        {HF_XFCC_SET, false, "Hash=" SHA256_TEXT},
        {HF_XFCC_SET, true, "Hash=" SHA256_TEXT},
        {HF_XFCC_APPEND, false, "Hash=" SHA256_TEXT},
        {HF_XFCC_APPEND, true, "Hash=00, Hash=01,Hash=" SHA256_TEXT},
        {HF_XFCC_SANITIZE, false, NULL},
        {HF_XFCC_SANITIZE, true, NULL},
    };
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_facts facts = facts_of(&peer);
        facts.trusted = table[i].trusted;
        hf_http_msg_reset(&fixture->msg);
        add(fixture, "x-forwarded-client-cert", "Hash=00");
        add(fixture, "x-forwarded-client-cert", "Hash=01");
        struct hf_forward_options options = {.identity = BIT(HF_SPELL_XFCC),
                                             .xfcc_mode = table[i].mode,
                                             .xfcc_parts = BIT(HF_XFCC_PART_HASH)};
        assert_int_equal(apply(fixture, options, &facts), HF_OK);
        expect(fixture, "x-forwarded-client-cert", table[i].wanted);
    }
}

static void xfcc_that_can_not_be_appended_to_fails_the_request(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    facts.trusted = true;
    add(fixture, "x-forwarded-client-cert", "Subject=\"CN=a\\\"");
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_XFCC),
                                         .xfcc_mode = HF_XFCC_APPEND,
                                         .xfcc_parts = BIT(HF_XFCC_PART_HASH)};
    assert_int_equal(apply(fixture, options, &facts), HF_E_MALFORMED);
    options.xfcc_mode = HF_XFCC_SET;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-client-cert", "Hash=" SHA256_TEXT);
}

static void a_listed_proxy_without_a_certificate_passes_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct hf_facts facts = facts_of(NULL);
    facts.trusted = true;
    add(fixture, "x-forwarded-client-cert", "Hash=00");
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_XFCC),
                                         .xfcc_mode = HF_XFCC_APPEND,
                                         .xfcc_parts = BIT(HF_XFCC_PART_HASH)};
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-client-cert", "Hash=00");
}

/* --- Addresses
 * ------------------------------------------------------------------------------------
 */

static void addresses_are_set_for_strangers(void **state)
{
    struct fixture *fixture = *state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_forward_options options = {.address = BIT(HF_ADDRESS_N) - 1};
    add(fixture, "x-forwarded-for", "10.0.0.1");
    add(fixture, "x-forwarded-proto", "http");
    add(fixture, "forwarded", "for=10.0.0.1");
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-for", "192.0.2.43");
    expect(fixture, "x-forwarded-proto", "https");
    expect(fixture, "x-forwarded-host", "api.example.org:8443");
    expect(fixture, "x-forwarded-port", "8443");
    expect(fixture, "forwarded", "for=192.0.2.43;host=\"api.example.org:8443\";proto=https");
    expect(fixture, "x-real-ip", "192.0.2.43");
}

static void addresses_go_on_from_proxies(void **state)
{
    struct fixture *fixture = *state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_forward_options options = {.address = BIT(HF_ADDRESS_N) - 1};
    facts.trusted = true;
    facts.peer_address = "2001:db8::1";
    facts.client_address = "192.0.2.60";
    add(fixture, "x-forwarded-for", "192.0.2.60");
    add(fixture, "x-forwarded-for", "192.0.2.61");
    add(fixture, "x-forwarded-proto", "http");
    add(fixture, "x-forwarded-host", "public.example");
    add(fixture, "x-forwarded-port", "80");
    add(fixture, "forwarded", "for=192.0.2.60;proto=http");
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-for", "192.0.2.60, 192.0.2.61, 2001:db8::1");
    expect(fixture, "x-forwarded-proto", "http");
    expect(fixture, "x-forwarded-host", "public.example");
    expect(fixture, "x-forwarded-port", "80");
    expect(fixture, "forwarded",
           "for=192.0.2.60;proto=http, "
           "for=\"[2001:db8::1]\";host=\"api.example.org:8443\";proto=https");
    expect(fixture, "x-real-ip", "192.0.2.60");
}

static void nonsense_of_proxies_is_replaced_or_refused(void **state)
{
    struct fixture *fixture = *state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_forward_options options = {.address = BIT(HF_ADDRESS_X_FORWARDED)};
    facts.trusted = true;
    add(fixture, "x-forwarded-proto", "https, http");
    add(fixture, "x-forwarded-host", "a, b");
    add(fixture, "x-forwarded-port", "8443x");
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-proto", "https");
    expect(fixture, "x-forwarded-host", "api.example.org:8443");
    expect(fixture, "x-forwarded-port", "8443");
    options.address = BIT(HF_ADDRESS_FORWARDED);
    add(fixture, "forwarded", "for=\"a");
    assert_int_equal(apply(fixture, options, &facts), HF_E_MALFORMED);
}

static void a_unix_socket_has_no_address(void **state)
{
    struct fixture *fixture = *state;
    struct hf_facts facts = facts_of(NULL);
    struct hf_forward_options options = {.address = BIT(HF_ADDRESS_N) - 1};
    facts.peer_address = facts.client_address = NULL;
    facts.server_port = 0;
    facts.host.len = 0;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-forwarded-for", NULL);
    expect(fixture, "x-forwarded-host", NULL);
    expect(fixture, "x-forwarded-port", NULL);
    expect(fixture, "x-real-ip", NULL);
    expect(fixture, "forwarded", "for=unknown;proto=https");
}

/* --- Headers of the operator's own
 * ----------------------------------------------------------------
 */

static void facts_may_view_the_message(void **state)
{
    struct fixture *fixture = *state;
    struct hf_http_msg *msg = &fixture->msg;
    struct hf_facts facts = facts_of(NULL);
    const struct hf_forward_header header = {"x-what", "{request.method} {request.target}"};
    struct hf_forward_options options = {
        .address = BIT(HF_ADDRESS_N) - 1, .headers = &header, .n_headers = 1};
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("/x?y")),
                     HF_OK);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("https")), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a.example")), HF_OK);
    for (int moved = 0; moved < 3;) {
        const uint8_t *was = msg->text.mem;
        facts.method = hf_http_msg_text(msg, msg->method_text);
        facts.scheme = hf_http_msg_text(msg, msg->scheme);
        facts.host = hf_http_msg_text(msg, msg->authority);
        facts.path = hf_http_msg_text(msg, msg->path);
        facts.query = hf_http_msg_text(msg, msg->query);
        assert_int_equal(apply(fixture, options, &facts), HF_OK);
        expect(fixture, "x-forwarded-host", "a.example");
        expect(fixture, "x-forwarded-proto", "https");
        expect(fixture, "forwarded", "for=192.0.2.43;host=a.example;proto=https");
        expect(fixture, "x-what", "GET /x?y");
        moved += msg->text.mem != was;
    }
}

static void own_headers_are_ours_whoever_asks(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    const struct hf_forward_header headers[] = {
        {"x-dn", "{peer.dn}"}, {"x-ou", "{peer.ou}"}, {"x-via", " handfast "}};
    struct hf_forward_options options = {.headers = headers, .n_headers = 3};
    for (int trusted = 0; trusted < 2; trusted++) {
        struct hf_facts facts = facts_of(&peer);
        facts.trusted = trusted;
        hf_http_msg_reset(&fixture->msg);
        add(fixture, "x-dn", "CN=admin");
        add(fixture, "X_DN", "CN=admin");
        add(fixture, "x-ou", "admins");
        assert_int_equal(apply(fixture, options, &facts), HF_OK);
        expect(fixture, "x-dn", "CN=alice,O=Example");
        expect(fixture, "x_dn", NULL);
        expect(fixture, "x-ou", NULL);
        expect(fixture, "x-via", "handfast");
    }
}

static void headers_that_mean_something_else_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {
        "",   "a b",    "host", "Content-Length", "transfer_encoding", "connection",
        "TE", "cookie", "via",  "Content-Type"};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        const struct hf_forward_header header = {names[i], "x"};
        struct hf_forward_options options = {
            .headers = &header, .n_headers = 1, .strip = fixture->strip};
        struct hf_forward *forward = NULL;
        assert_int_equal(hf_forward_new(&options, &forward), HF_E_INVALID);
        assert_null(forward);
    }
    const struct hf_forward_header header = {"x-a", "{status}"};
    struct hf_forward_options options = {
        .headers = &header, .n_headers = 1, .strip = fixture->strip};
    struct hf_forward *forward = NULL;
    assert_int_equal(hf_forward_new(&options, &forward), HF_E_INVALID);
}

static void values_that_do_not_fit_fail_the_request(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    const struct hf_forward_header header = {"x-dn", "{peer.dn}{peer.dn}{peer.dn}"};
    struct hf_forward_options options = {.headers = &header, .n_headers = 1, .value_max = 53};
    assert_int_equal(apply(fixture, options, &facts), HF_E_TOO_LARGE);
    options.value_max = 54;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    hf_http_msg_done(&fixture->msg);
    hf_http_msg_init(&fixture->msg, 40, 64);
    assert_int_equal(apply(fixture, options, &facts), HF_E_TOO_LARGE);
}

static void unverified_identities_are_told_by_order_alone(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    const struct hf_forward_header header = {"x-cn", "{peer.cn}"};
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_XFCC),
                                         .xfcc_parts = BIT(HF_XFCC_PART_HASH),
                                         .headers = &header,
                                         .n_headers = 1};
    facts.verified = false;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-cn", NULL);
    expect(fixture, "x-forwarded-client-cert", NULL);
    options.unverified = true;
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    expect(fixture, "x-cn", "alice");
    expect(fixture, "x-forwarded-client-cert", "Hash=" SHA256_TEXT);
}

/* --- Ids
 * ------------------------------------------------------------------------------------------
 */

static void ids_follow_the_options(void **state)
{
    static const struct {
        enum hf_trace_mode mode;
        bool fresh;
        bool request_id;
        const char *parent;
        const char *tracestate;
    } table[] = {
        {HF_TRACE_SPAN, false, true, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
         "a=1"},
        {HF_TRACE_SPAN, true, false, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
         NULL},
        {HF_TRACE_PASS, false, true, "as it came", "a=1"},
        {HF_TRACE_PASS, true, true, NULL, NULL},
        {HF_TRACE_OFF, false, true, NULL, NULL},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_facts facts = facts_of(NULL);
        struct hf_request_ids ids = fixture_ids;
        ids.fresh = table[i].fresh;
        facts.ids = &ids;
        hf_http_msg_reset(&fixture->msg);
        add(fixture, "traceparent", "as it came");
        add(fixture, "tracestate", "a=1");
        add(fixture, "x-request-id", "theirs");
        struct hf_forward_options options = {.trace = table[i].mode,
                                             .request_id = table[i].request_id};
        assert_int_equal(apply(fixture, options, &facts), HF_OK);
        expect(fixture, "traceparent", table[i].parent);
        expect(fixture, "tracestate", table[i].tracestate);
        expect(fixture, "x-request-id", table[i].request_id ? "00c0ffee00000002" : NULL);
    }
}

/* --- Tokens
 * ---------------------------------------------------------------------------------------
 */

static struct hf_signer *signer_of(EVP_PKEY *key)
{
    struct hf_signer *signer = NULL;
    struct hf_signer_options options = {
        .keys = &key, .n_keys = 1, .issuer = "us", .lifetime_s = 60, .rng = &rng};
    assert_int_equal(hf_signer_new(&options, &signer), HF_OK);
    return signer;
}

static void get(struct fixture *fixture, const char *name, char out[static 2048])
{
    struct hf_bytes value = {NULL, 0};
    assert_true(hf_http_msg_get_str(&fixture->msg, name, &value));
    snprintf(out, 2048, "%.*s", (int)value.len, (const char *)value.ptr);
}

static void tokens_are_remembered_until_near_their_end(void **state)
{
    struct fixture *fixture = *state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = signer_of(key);
    struct hf_identity peer = alice();
    struct hf_identity other = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_forward_memo *memo = NULL;
    struct hf_forward *forward = make(
        fixture, (struct hf_forward_options){.identity = BIT(HF_SPELL_TOKEN), .signer = signer});
    char first[2048];
    char second[2048];
    facts.memo = &memo;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, HF_TOKEN_HEADER, first);
    facts.now_ms += 44000;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, HF_TOKEN_HEADER, second);
    assert_string_equal(first, second);
    facts.now_ms += 1000;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, HF_TOKEN_HEADER, second);
    assert_string_not_equal(first, second);
    /* another certificate on the same connection: never the token of the one before */
    memset(other.sha256, 'a', sizeof(other.sha256) - 1);
    facts.identity = &other;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, HF_TOKEN_HEADER, first);
    assert_string_not_equal(first, second);
    hf_forward_memo_free(memo);
    hf_forward_unref(forward);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void the_element_is_made_once_for_a_certificate(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_identity other = alice();
    struct hf_identity own = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_forward_memo *memo = NULL;
    struct hf_forward *forward =
        make(fixture, (struct hf_forward_options){.identity = BIT(HF_SPELL_XFCC),
                                                  .xfcc_mode = HF_XFCC_SET,
                                                  .xfcc_parts = BIT(HF_XFCC_PART_SUBJECT) |
                                                                BIT(HF_XFCC_PART_BY) |
                                                                BIT(HF_XFCC_PART_HASH)});
    char fresh[2048];
    char again[2048];
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, "x-forwarded-client-cert", fresh);
    facts.memo = &memo;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
        get(fixture, "x-forwarded-client-cert", again);
        assert_string_equal(again, fresh);
        assert_non_null(memo);
    }
    /* never that of another certificate, of theirs or of ours, nor of one that may not be told */
    memset(other.sha256, 'a', sizeof(other.sha256) - 1);
    facts.identity = &other;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, "x-forwarded-client-cert", again);
    assert_non_null(strstr(again, "Hash=aaaa"));
    facts.identity = &peer;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, "x-forwarded-client-cert", again);
    assert_string_equal(again, fresh);
    own.uri = LIST(T("spiffe://example.org/edge"));
    facts.own = &own;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    get(fixture, "x-forwarded-client-cert", again);
    assert_non_null(strstr(again, "By=spiffe://example.org/edge"));
    facts.verified = false;
    assert_int_equal(hf_forward_apply(forward, &facts, &fixture->msg), HF_OK);
    assert_null(hf_http_msg_find_name(&fixture->msg, HF_HTTP_X_FORWARDED_CLIENT_CERT, NULL));
    hf_forward_memo_free(memo);
    hf_forward_unref(forward);
}

static void a_memo_has_so_many_places(void **state)
{
    struct fixture *fixture = *state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = signer_of(key);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_forward_memo *memo = NULL;
    facts.memo = &memo;
    for (size_t i = 0; i < 3 * HF_FORWARD_MEMO_MAX; i++) {
        struct hf_forward_options options = {.identity = BIT(HF_SPELL_TOKEN), .signer = signer};
        assert_int_equal(apply(fixture, options, &facts), HF_OK);
    }
    hf_forward_memo_free(memo);
    hf_forward_memo_free(NULL);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

static void a_bearer_token_takes_the_clients_place(void **state)
{
    struct fixture *fixture = *state;
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = signer_of(key);
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_facts nobody = facts_of(NULL);
    char text[2048];
    struct hf_forward_options options = {
        .identity = BIT(HF_SPELL_TOKEN), .signer = signer, .token_header = "Authorization"};
    add(fixture, "authorization", "Basic Zm9vOmJhcg==");
    assert_int_equal(apply(fixture, options, &facts), HF_OK);
    get(fixture, "authorization", text);
    assert_int_equal(strncmp(text, "Bearer eyJ", 10), 0);
    assert_int_equal(apply(fixture, options, &nobody), HF_OK);
    expect(fixture, "authorization", NULL);
    options.signer = NULL;
    options.strip = fixture->strip;
    struct hf_forward *forward = NULL;
    assert_int_equal(hf_forward_new(&options, &forward), HF_E_INVALID);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

/* --- All
 * ------------------------------------------------------------------------------------------
 */

static void trailers_lose_what_heads_lose(void **state)
{
    struct fixture *fixture = *state;
    struct hf_forward *forward = make(fixture, (struct hf_forward_options){0});
    fixture->msg.kind = HF_MSG_TRAILERS;
    add(fixture, "x-ssl-client-cn", "admin");
    add(fixture, "x-checksum", "7");
    hf_forward_trailers(forward, &fixture->msg);
    expect(fixture, "x-ssl-client-cn", NULL);
    expect(fixture, "x-checksum", "7");
    hf_forward_unref(forward);
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *fixture = *state;
    struct hf_identity peer = alice();
    struct hf_ders *chain = rfc9440_chain();
    EVP_PKEY *key = testpki_key("P-256");
    struct hf_signer *signer = signer_of(key);
    const struct hf_forward_header header = {"x-dn", "{peer.dn} {request.header.a}"};
    struct hf_forward_options options = {.identity = BIT(HF_SPELL_N) - 1,
                                         .xfcc_mode = HF_XFCC_APPEND,
                                         .xfcc_parts = BIT(HF_XFCC_PART_N) - 1,
                                         .address = BIT(HF_ADDRESS_N) - 1,
                                         .headers = &header,
                                         .n_headers = 1,
                                         .signer = signer,
                                         .strip = fixture->strip,
                                         .request_id = true};
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_forward_memo *memo = NULL;
        struct hf_forward *forward = NULL;
        struct hf_facts facts = facts_of(&peer);
        facts.chain = chain;
        facts.memo = &memo;
        facts.trusted = true;
        hf_http_msg_done(&fixture->msg);
        hf_http_msg_init(&fixture->msg, 64 << 10, 64);
        add(fixture, "x-forwarded-for", "192.0.2.1");
        hf_alloc_fail_after(n);
        err = hf_forward_new(&options, &forward);
        err = err != HF_OK ? err : hf_forward_apply(forward, &facts, &fixture->msg);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM || err == HF_E_CRYPTO);
        hf_forward_unref(forward);
        hf_forward_memo_free(memo);
        if (err == HF_OK && !memo) {
            err = HF_E_NOMEM; /* only the memo failed, which nobody misses */
        }
    }
    hf_ders_unref(chain);
    hf_signer_unref(signer);
    EVP_PKEY_free(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_cert_is_the_example_of_its_rfc),
        TEST(client_cert_of_a_listed_proxy_is_kept_whole),
        TEST(who_wants_the_chain_says_so),
        TEST(xfcc_follows_its_mode),
        TEST(xfcc_that_can_not_be_appended_to_fails_the_request),
        TEST(a_listed_proxy_without_a_certificate_passes_its_own),
        TEST(addresses_are_set_for_strangers),
        TEST(addresses_go_on_from_proxies),
        TEST(nonsense_of_proxies_is_replaced_or_refused),
        TEST(a_unix_socket_has_no_address),
        TEST(facts_may_view_the_message),
        TEST(own_headers_are_ours_whoever_asks),
        TEST(headers_that_mean_something_else_are_refused),
        TEST(values_that_do_not_fit_fail_the_request),
        TEST(unverified_identities_are_told_by_order_alone),
        TEST(ids_follow_the_options),
        TEST(tokens_are_remembered_until_near_their_end),
        TEST(the_element_is_made_once_for_a_certificate),
        TEST(a_memo_has_so_many_places),
        TEST(a_bearer_token_takes_the_clients_place),
        TEST(trailers_lose_what_heads_lose),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
