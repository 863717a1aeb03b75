// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "policy/route.h"

#define UPSTREAM(forward) \
    "identities: {web: {cert: server.pem, key: server.key}}\n" \
    "trust: {partners: {roots: ca.pem}}\n" \
    "upstreams: {app: {servers: [\"127.0.0.1:8080\"], forward: " forward "}}\n"
#define HTTP(more) \
    "roles: {edge: \"spiffe://example.org/edge\"}\n" \
    "listeners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, mode: http, to: " \
    "app" more "}\n"

static struct hf_config *load(const char *text)
{
    struct hf_config *config = NULL;
    const char *said = findings_of(text, &config);
    if (!config) {
        fail_msg("%s", said);
    }
    return config;
}

static void what_is_told_without_a_word(void **state)
{
    (void)state;
    struct hf_config *config = load(HEAD HTTP(""));
    const struct hf_cfg_forward *forward = &config->upstreams[0].forward;
    assert_int_equal(hf_cfg_words_bits(&forward->identity), 1 << HF_SPELL_XFCC);
    assert_int_equal(forward->xfcc_mode, HF_XFCC_APPEND);
    assert_int_equal(hf_cfg_words_bits(&forward->xfcc_parts),
                     1 << HF_XFCC_PART_BY | 1 << HF_XFCC_PART_HASH | 1 << HF_XFCC_PART_SUBJECT |
                         1 << HF_XFCC_PART_URI | 1 << HF_XFCC_PART_DNS);
    assert_int_equal(hf_cfg_words_bits(&forward->address), 1 << HF_ADDRESS_X_FORWARDED);
    assert_int_equal(forward->headers.n, 0);
    assert_int_equal(forward->strip.n, 0);
    assert_string_equal(forward->token.header.value, "x-handfast-token");
    assert_null(forward->token.audience.value);
    assert_int_equal(forward->trace, HF_TRACE_SPAN);
    assert_true(forward->request_id);
    assert_int_equal(forward->value_max, 16 << 10);
    assert_false(forward->unsafe_unverified);
    const struct hf_cfg_listener *listener = &config->listeners[0];
    assert_int_equal(listener->n_trusted_proxies, 0);
    assert_null(listener->trusted_table);
    assert_null(listener->jwks_path.value);
    assert_false(listener->probes_on);
    assert_int_equal(config->drain_delay_ms, 0);
    assert_int_equal(listener->access.format, HF_CFG_ACCESS_LOG);
    assert_null(listener->access.tmpl.value);
    assert_null(listener->access.to.value);
    assert_int_equal(config->signing.keys.n, 0);
    assert_string_equal(config->signing.issuer.value, "handfast");
    assert_int_equal(config->signing.lifetime_ms, 60000);
    hf_config_free(config);
}

static void all_of_it_can_be_said(void **state)
{
    (void)state;
    struct hf_config *config =
        load("token-signing: {keys: [server.key], issuer: me, lifetime: 5m}\n" UPSTREAM(
            "{identity: [client-cert, client-cert-chain, token, x-forwarded-client-cert], xfcc: "
            "set, xfcc-parts: [cert, chain], address: [forwarded, x-real-ip], headers: {X-DN: "
            "\"{peer.dn}\", ssl-client-verify: \"{peer.verify}\"}, strip: [x-acme-user, "
            "\"x-acme-*\"], token: {header: Authorization, audience: orders}, trace: pass, "
            "request-id: false, max-value: 8KiB, unsafe-unverified: true}")
                 HTTP(", trusted-proxies: [10.0.0.0/8, \"::1\"], trusted-clients: [edge, "
                      "\"cn:lb\"], jwks-path: /keys, access-log: {template: \"{status}\", to: "
                      "stdout}"));
    const struct hf_cfg_forward *forward = &config->upstreams[0].forward;
    assert_int_equal(hf_cfg_words_bits(&forward->identity), (1 << HF_SPELL_N) - 1);
    assert_int_equal(forward->xfcc_mode, HF_XFCC_SET);
    assert_int_equal(hf_cfg_words_bits(&forward->xfcc_parts),
                     1 << HF_XFCC_PART_CERT | 1 << HF_XFCC_PART_CHAIN);
    assert_int_equal(hf_cfg_words_bits(&forward->address),
                     1 << HF_ADDRESS_FORWARDED | 1 << HF_ADDRESS_X_REAL_IP);
    assert_int_equal(forward->headers.n, 2);
    assert_string_equal(forward->headers.item[0].name, "x-dn");
    assert_string_equal(forward->headers.item[0].value, "{peer.dn}");
    assert_string_equal(forward->strip.item[1].value, "x-acme-*");
    assert_string_equal(forward->token.header.value, "authorization");
    assert_string_equal(forward->token.audience.value, "orders");
    assert_int_equal(forward->trace, HF_TRACE_PASS);
    assert_false(forward->request_id);
    assert_int_equal(forward->value_max, 8 << 10);
    assert_true(forward->unsafe_unverified);
    const struct hf_cfg_listener *listener = &config->listeners[0];
    assert_int_equal(listener->n_trusted_proxies, 2);
    assert_int_equal(hf_route_table_count(listener->trusted_table), 1);
    assert_string_equal(listener->jwks_path.value, "/keys");
    assert_string_equal(listener->access.tmpl.value, "{status}");
    assert_string_equal(listener->access.to.value, "stdout");
    assert_int_equal(config->signing.keys.n, 1);
    assert_string_equal(config->signing.issuer.value, "me");
    assert_int_equal(config->signing.lifetime_ms, 300000);
    hf_config_free(config);
}

static void probes_have_paths(void **state)
{
    (void)state;
    struct hf_config *config = load(HEAD HTTP(", probes: {from: 10.0.0.0/8}"));
    const struct hf_cfg_probes *probes = &config->listeners[0].probes;
    assert_true(config->listeners[0].probes_on);
    assert_int_equal(probes->n_from, 1);
    assert_string_equal(probes->live.value, "/healthz");
    assert_string_equal(probes->ready.value, "/readyz");
    assert_null(probes->upstreams.value);
    assert_int_equal(probes->n_needs, 0);
    hf_config_free(config);
    config = load("drain-delay: 15s\n" HEAD HTTP(", probes: {from: [10.0.0.1, \"::1\"], live: /l, "
                                                 "ready: /r, upstreams: /u, needs: app}"));
    probes = &config->listeners[0].probes;
    assert_int_equal(probes->n_from, 2);
    assert_string_equal(probes->live.value, "/l");
    assert_string_equal(probes->ready.value, "/r");
    assert_string_equal(probes->upstreams.value, "/u");
    assert_ptr_equal(probes->needs[0], &config->upstreams[0]);
    assert_int_equal(config->drain_delay_ms, 15000);
    hf_config_free(config);
}

static void none_is_nothing(void **state)
{
    (void)state;
    struct hf_config *config = load(UPSTREAM("{identity: none, address: [none]}") HTTP(""));
    assert_int_equal(hf_cfg_words_bits(&config->upstreams[0].forward.identity), 0);
    assert_int_equal(hf_cfg_words_bits(&config->upstreams[0].forward.address), 0);
    hf_config_free(config);
}

static void expect(const char *text, const char *says)
{
    assert_string_equal(findings_of(text, NULL), says);
}

static void mistakes_of_forward_are_told(void **state)
{
    (void)state;
    expect(UPSTREAM("{identity: [none, token]}") HTTP(""),
           "t.yaml:3:58: error: identity has none and others; keep one of them\n");
    expect(UPSTREAM("{identity: [token, token]}") HTTP(""),
           "t.yaml:3:58: error: identity has a word twice; remove one\n");
    expect(UPSTREAM("{identity: token, xfcc: set}") HTTP(""),
           "t.yaml:3:81: error: xfcc has no effect, as identity doesn't have "
           "x-forwarded-client-cert; add it there, or remove this\n");
    expect(UPSTREAM("{token: {audience: a}}") HTTP(""),
           "t.yaml:3:65: error: token has no effect, as identity doesn't have token; add it there, "
           "or remove this\n");
    expect(UPSTREAM("{headers: {x-dn: \"{peer.dm}\"}}") HTTP(""),
           "t.yaml:3:68: error: there is no variable {peer.dm}; is {peer.dn} meant?\n");
    expect(UPSTREAM("{headers: {x-dn: \"{status}\"}}") HTTP(""),
           "t.yaml:3:68: error: {status} isn't known before the answer; it is for access logs\n");
    expect(UPSTREAM("{headers: {cookie: \"{peer.dn}\"}}") HTTP(""),
           "t.yaml:3:68: error: the header cookie may not be set to tell who a client is\n");
    expect(UPSTREAM("{strip: [\"h*\"]}") HTTP(""),
           "t.yaml:3:66: error: \"h*\" would take out host\n");
}

static void mistakes_of_listeners_are_told(void **state)
{
    (void)state;
    expect(HEAD HTTP(", access-log: {format: json, template: \"{status}\"}"),
           "t.yaml:6:121: error: access-log has both format and template; keep one\n");
    expect(HEAD HTTP(", access-log: {format: off, to: stdout}"),
           "t.yaml:6:120: error: the access log is off, so to has no effect; remove it\n");
    expect(HEAD HTTP(", access-log: {template: \"{stat}\"}"),
           "t.yaml:6:117: error: there is no variable {stat}; is {status} meant?\n");
    expect(HEAD HTTP(", probes: {}"), "t.yaml:6:94: error: probes has no from; add from, such as "
                                      "[10.0.0.0/8, 127.0.0.1]\n");
    expect(HEAD HTTP(", probes: {from: 10.0.0.1, live: /readyz}"),
           "t.yaml:6:119: error: live and ready are both /readyz; give each a path of its own\n");
    expect(HEAD HTTP(", probes: {from: 10.0.0.1, upstreams: /u/}"),
           "t.yaml:6:130: error: upstreams: names follow behind a slash; write it without the one "
           "at its end\n");
    expect(HEAD HTTP(", trusted-clients: [anyone]"),
           "t.yaml:6:112: error: trusted-clients has anyone, so that every client could say that "
           "it is somebody else; name the roles of your proxies\n");
    expect(HEAD HTTP(", trusted-clients: [nobody]"),
           "t.yaml:6:112: error: trusted-clients: there is no role \"nobody\"; define it under "
           "roles, or "
           "write a selector such as cn:alice, or verified, or anyone\n");
}

static void nothing_of_it_is_for_tcp(void **state)
{
    (void)state;
    static const char *const keys[][2] = {{"trusted-proxies", "[10.0.0.0/8]"},
                                          {"trusted-clients", "[\"cn:a\"]"},
                                          {"jwks-path", "/keys"},
                                          {"access-log", "{format: json}"},
                                          {"probes", "{from: 10.0.0.1}"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        char text[1024];
        char says[256];
        snprintf(text, sizeof(text),
                 HEAD "listeners:\n"
                      "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, "
                      "to: app, %s: %s}\n",
                 keys[i][0], keys[i][1]);
        snprintf(says, sizeof(says),
                 "error: listener \"api\" relays bytes, so %s has no effect; write mode: http, or "
                 "remove it\n",
                 keys[i][0]);
        assert_non_null(strstr(findings_of(text, NULL), says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_without_a_word),
        cmocka_unit_test(all_of_it_can_be_said),
        cmocka_unit_test(probes_have_paths),
        cmocka_unit_test(none_is_nothing),
        cmocka_unit_test(mistakes_of_forward_are_told),
        cmocka_unit_test(mistakes_of_listeners_are_told),
        cmocka_unit_test(nothing_of_it_is_for_tcp),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
