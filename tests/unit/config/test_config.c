// SPDX-License-Identifier: Apache-2.0
/* Right configs: every key arrives in its field, and what is left out has its default. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/mem.h"

static struct hf_config *good(const char *text)
{
    struct hf_config *config = NULL;
    assert_string_equal(findings_of(text, &config), "");
    assert_non_null(config);
    return config;
}

static void assert_in_folder(const char *path, const char *name)
{
    char expected[256];
    snprintf(expected, sizeof(expected), "%s/%s", folder, name);
    assert_string_equal(path, expected);
}

static void smallest_config_has_secure_defaults(void **state)
{
    (void)state;
    struct hf_config *config = good(HEAD API);
    const struct hf_cfg_listener *api = &config->listeners[0];
    assert_int_equal(config->n_listeners, 1);
    assert_string_equal(api->name, "api");
    assert_int_equal(api->client, HF_CLIENT_REQUIRE);
    assert_int_equal(api->client_mark.line, 0);
    assert_ptr_equal(api->trust, &config->trusts[0]);
    assert_ptr_equal(api->identities[0], &config->identities[0]);
    assert_ptr_equal(api->to, &config->upstreams[0]);
    assert_int_equal(api->tls.min_version, HF_TLS_1_2);
    assert_int_equal(api->tls.max_version, HF_TLS_1_3);
    assert_true(api->tls.tickets);
    assert_int_equal(api->tls.ticket_lifetime_ms, 2 * 3600 * 1000);
    assert_null(api->tls.suites.value);
    assert_int_equal(api->handshake_timeout_ms, 10000);
    assert_int_equal(api->idle_timeout_ms, 3600 * 1000);
    assert_int_equal(api->total_timeout_ms, 0);
    assert_int_equal(api->max_connections, 0);
    assert_false(api->plain);
    assert_false(api->strict_sni);
    assert_int_equal(config->workers, 0);
    assert_int_equal(config->drain_timeout_ms, 30000);
    assert_null(config->admin.text);
    assert_null(config->metrics.text);
    assert_string_equal(config->log.to.value, "stderr");
    assert_int_equal(config->log.level, HF_LOG_INFO);
    assert_int_equal(config->trusts[0].names, HF_TRUST_NAMES_FROM_ROOTS);
    assert_int_equal(config->trusts[0].depth, 3);
    assert_false(config->upstreams[0].tls_on);
    assert_int_equal(config->upstreams[0].connect_timeout_ms, 5000);
    assert_int_equal(config->upstreams[0].proxy_out, HF_PROXY_OUT_NONE);
    hf_config_free(config);
}

static void top_keys_arrive(void **state)
{
    (void)state;
    struct hf_config *config = good("admin: unix:/run/hf.sock\n"
                                    "metrics: 127.0.0.1:9464\n"
                                    "log: {format: json, level: debug, to: hf.log}\n"
                                    "workers: 4\n"
                                    "drain-timeout: 1m30s\n" HEAD API);
    assert_string_equal(config->admin.text, "unix:/run/hf.sock");
    assert_int_equal(config->admin.addr.sa.sa_family, AF_UNIX);
    assert_int_equal(hf_addr_port(&config->metrics.addr), 9464);
    assert_int_equal(config->log.format, HF_LOG_JSON);
    assert_int_equal(config->log.level, HF_LOG_DEBUG);
    assert_in_folder(config->log.to.value, "hf.log");
    assert_int_equal(config->workers, 4);
    assert_int_equal(config->drain_timeout_ms, 90000);
    hf_config_free(config);
}

static void identity_and_trust_keys_arrive_with_marks(void **state)
{
    (void)state;
    struct hf_config *config = good("identities:\n"
                                    "  web:\n"
                                    "    cert: server.pem\n"
                                    "    key: server.key\n"
                                    "    chain: ca.pem\n"
                                    "    passphrase-file: pass\n"
                                    "  other: {cert: server.pem, passphrase-env: KEY_PASS}\n"
                                    "trust:\n"
                                    "  partners: {roots: ca.pem, names: ./server.pem, depth: 0}\n"
                                    "  quiet: {roots: ca.pem, names: none}\n"
                                    "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n" API);
    const struct hf_cfg_identity *web = &config->identities[0];
    assert_in_folder(web->cert.value, "server.pem");
    assert_in_folder(web->key.value, "server.key");
    assert_in_folder(web->chain.value, "ca.pem");
    assert_in_folder(web->passphrase_file.value, "pass");
    assert_null(web->passphrase_env.value);
    assert_int_equal(web->mark.line, 2);
    assert_int_equal(web->mark.column, 3);
    assert_int_equal(web->cert.mark.line, 3);
    assert_int_equal(web->cert.mark.column, 11);
    assert_string_equal(config->identities[1].passphrase_env.value, "KEY_PASS");
    assert_null(config->identities[1].key.value);
    assert_int_equal(config->trusts[0].names, HF_TRUST_NAMES_FILE);
    assert_non_null(config->trusts[0].names_file.value);
    assert_int_equal(config->trusts[0].depth, 0);
    assert_int_equal(config->trusts[1].names, HF_TRUST_NAMES_NONE);
    hf_config_free(config);
}

static void listener_keys_arrive(void **state)
{
    (void)state;
    struct hf_config *config = good(HEAD "listeners:\n"
                                         "  api:\n"
                                         "    listen: [\"[::1]:8443\", \"unix:/tmp/x\", \":0\"]\n"
                                         "    identities: web\n"
                                         "    client: request\n"
                                         "    trust: partners\n"
                                         "    sni:\n"
                                         "      - {name: \"*.Example.org\", client: none}\n"
                                         "      - {name: a.b, trust: partners}\n"
                                         "    strict-sni: true\n"
                                         "    mode: tcp\n"
                                         "    to: app\n"
                                         "    proxy-protocol-from: [10.0.0.0/8, \"::1\"]\n"
                                         "    handshake-timeout: 500ms\n"
                                         "    idle-timeout: 0\n"
                                         "    total-timeout: 7d\n"
                                         "    max-connections: 5000\n");
    const struct hf_cfg_listener *api = &config->listeners[0];
    assert_int_equal(api->n_listen, 3);
    assert_int_equal(hf_addr_port(&api->listen[0].addr), 8443);
    assert_int_equal(api->n_identities, 1);
    assert_int_equal(api->client, HF_CLIENT_REQUEST);
    assert_int_equal(api->client_mark.line, 8);
    assert_int_equal(api->n_sni, 2);
    assert_string_equal(api->sni[0].pattern.value, "*.example.org");
    assert_int_equal(api->sni[0].client, HF_CLIENT_NONE);
    assert_ptr_equal(api->sni[0].trust, api->trust);
    assert_int_equal(api->sni[1].client, HF_CLIENT_REQUEST);
    assert_true(api->strict_sni);
    assert_int_equal(api->n_proxy_from, 2);
    assert_int_equal(api->proxy_from[0].bits, 8);
    assert_int_equal(api->proxy_from[1].family, AF_INET6);
    assert_int_equal(api->handshake_timeout_ms, 500);
    assert_int_equal(api->idle_timeout_ms, 0);
    assert_int_equal(api->total_timeout_ms, 7 * 24 * 3600 * INT64_C(1000));
    assert_int_equal(api->max_connections, 5000);
    hf_config_free(config);
}

static void listener_tls_keys_arrive(void **state)
{
    (void)state;
    struct hf_config *config =
        good(HEAD API "  b:\n"
                      "    listen: 127.0.0.1:9443\n"
                      "    identities: [web]\n"
                      "    client: none\n"
                      "    to: app\n"
                      "    tls:\n"
                      "      versions: [1.3]\n"
                      "      suites: [TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]\n"
                      "      groups: X25519:P-256\n"
                      "      alpn: [h2, http/1.1]\n"
                      "      tickets: true\n"
                      "      ticket-lifetime: 5m\n"
                      "      unsafe-keylog: keys.log\n");
    const struct hf_cfg_tls *tls = &config->listeners[1].tls;
    assert_int_equal(tls->min_version, HF_TLS_1_3);
    assert_int_equal(tls->max_version, HF_TLS_1_3);
    assert_string_equal(tls->suites.value, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256");
    assert_string_equal(tls->groups.value, "X25519:P-256");
    assert_int_equal(tls->alpn.n, 2);
    assert_string_equal(tls->alpn.item[1].value, "http/1.1");
    assert_int_equal(tls->ticket_lifetime_ms, 5 * 60 * 1000);
    assert_in_folder(tls->unsafe_keylog.value, "keys.log");
    hf_config_free(config);
}

static void upstream_keys_arrive(void **state)
{
    (void)state;
    struct hf_config *config =
        good("identities: {web: {cert: server.pem, key: server.key}}\n"
             "trust: {partners: {roots: ca.pem}}\n"
             "upstreams:\n"
             "  app:\n"
             "    servers: [\"db_1.example:5432\", \"[2001:db8::1]:443\", \"10.0.0.1:80\"]\n"
             "    balance: least-connections\n"
             "    connect-timeout: 2s\n"
             "    proxy-protocol: v2-tls\n"
             "    tls:\n"
             "      identity: web\n"
             "      trust: partners\n"
             "      name: DB.example\n"
             "      sni: front.example\n"
             "      versions: [\"1.2\"]\n"
             "      ciphers: [ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256]\n"
             "      alpn: postgresql\n"
             "  plain: {servers: \"unix:/run/db.sock\"}\n"
             "  trusting: {servers: \"a:1\", tls: {unsafe-skip-verify: true}}\n" API);
    const struct hf_cfg_upstream *app = &config->upstreams[0];
    assert_int_equal(app->n_servers, 3);
    assert_string_equal(app->servers[0].host, "db_1.example");
    assert_int_equal(app->servers[0].port, 5432);
    assert_false(app->servers[0].is_address);
    assert_string_equal(app->servers[1].host, "2001:db8::1");
    assert_int_equal(app->servers[1].port, 443);
    assert_true(app->servers[1].is_address);
    assert_string_equal(app->servers[2].host, "10.0.0.1");
    assert_int_equal(app->balance, HF_BALANCE_LEAST_CONNECTIONS);
    assert_int_equal(app->connect_timeout_ms, 2000);
    assert_int_equal(app->proxy_out, HF_PROXY_OUT_V2_TLS);
    assert_true(app->tls_on);
    assert_int_equal(app->n_tls_identities, 1);
    assert_ptr_equal(app->tls_identities[0], &config->identities[0]);
    assert_ptr_equal(app->tls_trust, &config->trusts[0]);
    assert_string_equal(app->tls_name.value, "db.example");
    assert_string_equal(app->tls_sni.value, "front.example");
    assert_int_equal(app->tls.max_version, HF_TLS_1_2);
    assert_string_equal(app->tls.ciphers.value,
                        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
    assert_int_equal(app->tls.alpn.n, 1);
    assert_false(app->unsafe_skip_verify);
    assert_true(config->upstreams[1].servers[0].is_address);
    assert_null(config->upstreams[1].servers[0].host);
    assert_true(config->upstreams[2].unsafe_skip_verify);
    assert_int_equal(config->upstreams[2].unsafe_skip_verify_mark.line, 18);
    hf_config_free(config);
}

static void servers_may_be_short_or_long(void **state)
{
    (void)state;
    struct hf_config *config =
        good("identities: {web: {cert: server.pem, key: server.key}}\n"
             "trust: {partners: {roots: ca.pem}}\n"
             "upstreams:\n"
             "  app:\n"
             "    servers:\n"
             "      - \"a:1\"\n"
             "      - {address: \"b:1\", weight: 3, max-connections: 7, max-requests: 9}\n"
             "    balance: hash\n"
             "    hash-by: \"header:X-User\"\n"
             "    hash-load-limit: 125\n"
             "    slow-start: 1m\n"
             "    check: {type: http, path: /up, host: \"App:81\", expect: [200-204, 401], "
             "interval: 1s, rise: 4}\n"
             "    max-queue: 5\n"
             "    queue-timeout: 3s\n"
             "    eject: {after: 2, within: 4s, answers: 5xx, time: 1s, max-time: 8s, "
             "max-percent: 30}\n"
             "  one: {servers: \"c:1\"}\n"
             "listeners:\n"
             "  l: {listen: \":1\", plain: true, to: one}\n");
    const struct hf_cfg_upstream *app = &config->upstreams[0];
    assert_int_equal(app->n_servers, 2);
    assert_string_equal(app->servers[0].text, "a:1");
    assert_int_equal(app->servers[0].mark.line, 6);
    assert_int_equal(app->servers[0].weight, 1);
    assert_int_equal(app->servers[0].max_connections, 0);
    assert_string_equal(app->servers[1].text, "b:1");
    assert_int_equal(app->servers[1].weight, 3);
    assert_int_equal(app->servers[1].max_connections, 7);
    assert_int_equal(app->servers[1].max_requests, 9);
    assert_int_equal(app->balance, HF_BALANCE_HASH);
    assert_int_equal(app->hash_by, HF_HASH_BY_HEADER);
    assert_string_equal(app->hash_name, "x-user");
    assert_int_equal(app->hash_load_limit, 125);
    assert_int_equal(app->slow_start_ms, 60000);
    assert_int_equal(app->max_queue, 5);
    assert_int_equal(app->queue_timeout_ms, 3000);
    assert_int_equal(app->eject.after, 2);
    assert_int_equal(app->eject.within_ms, 4000);
    assert_int_equal(app->eject.answers, HF_EJECT_ANSWERS_5XX);
    assert_int_equal(app->eject.time_ms, 1000);
    assert_int_equal(app->eject.max_time_ms, 8000);
    assert_int_equal(app->eject.max_percent, 30);
    assert_true(app->check_on);
    assert_int_equal(app->check.type, HF_CHECK_HTTP);
    assert_string_equal(app->check.path.value, "/up");
    assert_string_equal(app->check.host.value, "app:81");
    assert_int_equal(app->check.n_expect, 2);
    assert_int_equal(app->check.expect[0].first, 200);
    assert_int_equal(app->check.expect[0].last, 204);
    assert_int_equal(app->check.expect[1].first, 401);
    assert_int_equal(app->check.expect[1].last, 401);
    assert_int_equal(app->check.interval_ms, 1000);
    assert_int_equal(app->check.timeout_ms, 2000);
    assert_int_equal(app->check.rise, 4);
    assert_int_equal(app->check.fall, 3);
    const struct hf_cfg_upstream *one = &config->upstreams[1];
    assert_false(one->check_on);
    assert_int_equal(one->n_servers, 1);
    assert_int_equal(one->hash_by, HF_HASH_BY_ADDRESS);
    assert_int_equal(one->eject.after, 5);
    assert_int_equal(one->eject.max_percent, 50);
    assert_int_equal(one->slow_start_ms, 10000);
    hf_config_free(config);
}

static void plain_listener_asks_nobody(void **state)
{
    (void)state;
    struct hf_config *config =
        good(HEAD "listeners: {in: {listen: \"127.0.0.1:1\", plain: true, to: app}}\n");
    assert_true(config->listeners[0].plain);
    assert_int_equal(config->listeners[0].client, HF_CLIENT_NONE);
    assert_null(config->listeners[0].trust);
    hf_config_free(config);
}

static void variables_are_put_in(void **state)
{
    (void)state;
    setenv("HF_TEST_ADDR", "127.0.0.1", 1);
    setenv("HF_TEST_EMPTY", "", 1);
    unsetenv("HF_TEST_UNSET");
    struct hf_config *config = good("metrics: \"${HF_TEST_ADDR}:${HF_TEST_UNSET:-9464}\"\n"
                                    "workers: ${HF_TEST_EMPTY:-3}\n"
                                    "log: {to: '$${x}$$y${HF_TEST_EMPTY}'}\n" HEAD API);
    assert_string_equal(config->metrics.text, "127.0.0.1:9464");
    assert_int_equal(config->workers, 3);
    assert_in_folder(config->log.to.value, "${x}$$y");
    hf_config_free(config);
}

static void allocation_failure_is_clean_everywhere(void **state)
{
    (void)state;
    size_t n = 1;
    for (;; n++) {
        struct hf_findings findings = {0};
        struct hf_config *config = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err =
            hf_config_parse(hf_bytes_str(HEAD API), "t.yaml", folder, &findings, &config);
        hf_alloc_fail_after(0);
        hf_findings_done(&findings);
        if (err == HF_OK) {
            hf_config_free(config);
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
        assert_null(config);
    }
    assert_true(n > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_config_has_secure_defaults),
        cmocka_unit_test(top_keys_arrive),
        cmocka_unit_test(identity_and_trust_keys_arrive_with_marks),
        cmocka_unit_test(listener_keys_arrive),
        cmocka_unit_test(listener_tls_keys_arrive),
        cmocka_unit_test(upstream_keys_arrive),
        cmocka_unit_test(servers_may_be_short_or_long),
        cmocka_unit_test(plain_listener_asks_nobody),
        cmocka_unit_test(variables_are_put_in),
        cmocka_unit_test(allocation_failure_is_clean_everywhere),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
