// SPDX-License-Identifier: Apache-2.0
/* Flags into a config: the same settings and the same messages as from a file, each at its flag. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/tunnel.h"

static char cert[128];
static char key[128];
static char ca[128];
static const char *const one_server[] = {"db.example:8443"};
static const char *const one_backend[] = {"127.0.0.1:5432"};

static int make_paths(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    snprintf(cert, sizeof(cert), "%s/server.pem", folder);
    snprintf(key, sizeof(key), "%s/server.key", folder);
    snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
    return 0;
}

static struct hf_tunnel_flags client_flags(void)
{
    return (struct hf_tunnel_flags){.listen = "127.0.0.1:5432",
                                    .to = one_server,
                                    .n_to = 1,
                                    .cert = cert,
                                    .key = key,
                                    .roots = ca};
}

static struct hf_tunnel_flags server_flags(void)
{
    return (struct hf_tunnel_flags){.server = true,
                                    .listen = "0.0.0.0:8443",
                                    .to = one_backend,
                                    .n_to = 1,
                                    .cert = cert,
                                    .key = key,
                                    .roots = ca};
}

/* What is said of these flags; "" when they are good. */
static const char *said_of(const struct hf_tunnel_flags *flags, struct hf_config **out)
{
    static char said[4096];
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    struct hf_buf lines = HF_BUF_INIT(sizeof(said) - 1);
    enum hf_err err = hf_config_from_tunnel(flags, &findings, &config);
    assert_int_equal(err, findings.n_errors ? HF_E_CONFIG : HF_OK);
    assert_true((config != NULL) == (err == HF_OK));
    assert_int_equal(hf_findings_format(&findings, &lines), HF_OK);
    snprintf(said, sizeof(said), "%.*s", (int)hf_buf_len(&lines),
             lines.mem ? (const char *)lines.mem + lines.start : "");
    hf_buf_done(&lines);
    hf_findings_done(&findings);
    if (out) {
        *out = config;
    } else {
        hf_config_free(config);
    }
    return said;
}

static void client_side_is_plain_in_and_tls_out(void **state)
{
    struct hf_config *config;
    struct hf_tunnel_flags flags = client_flags();
    (void)state;
    flags.name = "db.internal";
    flags.sni = "front.example";
    flags.log_format = "json";
    assert_string_equal(said_of(&flags, &config), "");
    const struct hf_cfg_listener *listener = &config->listeners[0];
    const struct hf_cfg_upstream *upstream = &config->upstreams[0];
    assert_string_equal(config->path, "command line");
    assert_true(listener->plain);
    assert_int_equal(listener->client, HF_CLIENT_NONE);
    assert_int_equal(hf_addr_port(&listener->listen[0].addr), 5432);
    assert_ptr_equal(listener->to, upstream);
    assert_true(upstream->tls_on);
    assert_ptr_equal(upstream->tls_identities[0], &config->identities[0]);
    assert_ptr_equal(upstream->tls_trust, &config->trusts[0]);
    assert_string_equal(upstream->servers[0].host, "db.example");
    assert_string_equal(upstream->tls_name.value, "db.internal");
    assert_string_equal(upstream->tls_sni.value, "front.example");
    assert_string_equal(config->identities[0].cert.value, cert);
    assert_string_equal(config->identities[0].cert.mark.flag, "--cert");
    assert_int_equal(config->log.format, HF_LOG_JSON);
    hf_config_free(config);
}

static void server_side_requires_client_certificates(void **state)
{
    struct hf_config *config;
    struct hf_tunnel_flags flags = server_flags();
    (void)state;
    flags.proxy_protocol = "v2-tls";
    assert_string_equal(said_of(&flags, &config), "");
    const struct hf_cfg_listener *listener = &config->listeners[0];
    assert_false(listener->plain);
    assert_int_equal(listener->client, HF_CLIENT_REQUIRE);
    assert_ptr_equal(listener->trust, &config->trusts[0]);
    assert_ptr_equal(listener->identities[0], &config->identities[0]);
    assert_false(config->upstreams[0].tls_on);
    assert_int_equal(config->upstreams[0].proxy_out, HF_PROXY_OUT_V2_TLS);
    hf_config_free(config);
}

static void defaults_are_those_of_a_file(void **state)
{
    struct hf_config *from_flags;
    struct hf_config *from_file = NULL;
    struct hf_tunnel_flags flags = server_flags();
    (void)state;
    assert_string_equal(said_of(&flags, &from_flags), "");
    assert_string_equal(findings_of(HEAD API, &from_file), "");
    const struct hf_cfg_listener *a = &from_flags->listeners[0];
    const struct hf_cfg_listener *b = &from_file->listeners[0];
    assert_int_equal(a->tls.min_version, b->tls.min_version);
    assert_int_equal(a->tls.ticket_lifetime_ms, b->tls.ticket_lifetime_ms);
    assert_int_equal(a->handshake_timeout_ms, b->handshake_timeout_ms);
    assert_int_equal(a->idle_timeout_ms, b->idle_timeout_ms);
    assert_int_equal(from_flags->drain_timeout_ms, from_file->drain_timeout_ms);
    assert_int_equal(from_flags->trusts[0].depth, from_file->trusts[0].depth);
    hf_config_free(from_flags);
    hf_config_free(from_file);
}

static void a_client_may_come_without_a_certificate_of_its_own(void **state)
{
    struct hf_config *config;
    struct hf_tunnel_flags flags = client_flags();
    (void)state;
    flags.cert = flags.key = NULL;
    assert_string_equal(said_of(&flags, &config), "");
    assert_int_equal(config->upstreams[0].n_tls_identities, 0);
    hf_config_free(config);
}

static void flags_that_contradict_are_named(void **state)
{
    struct hf_tunnel_flags flags = server_flags();
    (void)state;
    flags.cert = flags.key = flags.roots = NULL;
    flags.name = "x";
    assert_string_equal(
        said_of(&flags, NULL),
        "--cert: error: is missing; name the server's certificate\n"
        "--roots: error: is missing; name the CA certificates that clients are verified against\n"
        "--name: error: is for the client side, which checks a server; remove it, or --server\n");
    flags = client_flags();
    flags.roots = NULL;
    assert_string_equal(said_of(&flags, NULL), "--roots: error: is missing; name the CA "
                                               "certificates that the server is verified "
                                               "against\n");
    flags = client_flags();
    flags.unsafe_skip_verify = true;
    assert_string_equal(said_of(&flags, NULL), "--roots: error: has no effect with "
                                               "--unsafe-skip-verify; remove one of them\n");
    flags = client_flags();
    flags.to = (const char *const[]){"unix:/run/x"};
    assert_string_equal(said_of(&flags, NULL),
                        "--name: error: is missing; a unix socket has no host name, so say which "
                        "name the server's certificate must have\n");
    flags = client_flags();
    flags.proxy_protocol = "v2-tls";
    assert_string_equal(said_of(&flags, NULL),
                        "--proxy-protocol: error: v2-tls tells of a client's certificate, and "
                        "clients of this side show none; write v2\n");
    flags = client_flags();
    flags.cert = NULL;
    assert_string_equal(said_of(&flags, NULL), "--key: error: needs --cert beside it\n");
}

static void wrong_values_are_told_at_their_flag_all_at_once(void **state)
{
    struct hf_tunnel_flags flags = client_flags();
    (void)state;
    flags.listen = "localhost:1";
    flags.to = (const char *const[]){"db.example"};
    flags.cert = "/nonexistent/c.pem";
    flags.idle_timeout = "5";
    flags.log_level = "loud";
    flags.proxy_protocol = "v3";
    const char *said = said_of(&flags, NULL);
    assert_non_null(strstr(said, "--listen: error: \"localhost:1\" is not an address"));
    assert_non_null(strstr(said, "--to: error: \"db.example\" is not a server"));
    assert_non_null(strstr(said, "--cert: error: /nonexistent/c.pem does not exist"));
    assert_non_null(strstr(said, "--idle-timeout: error: \"5\" is not a duration"));
    assert_non_null(strstr(said, "--log-level: error: \"loud\" is not accepted"));
    assert_non_null(strstr(said, "--proxy-protocol: error: \"v3\" is not accepted; did you mean"));
}

static void allocation_failure_is_clean(void **state)
{
    struct hf_tunnel_flags flags = client_flags();
    (void)state;
    for (size_t n = 1;; n++) {
        struct hf_findings findings = {0};
        struct hf_config *config = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_config_from_tunnel(&flags, &findings, &config);
        hf_alloc_fail_after(0);
        hf_findings_done(&findings);
        if (err == HF_OK) {
            hf_config_free(config);
            assert_true(n > 30);
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
        assert_null(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_side_is_plain_in_and_tls_out),
        cmocka_unit_test(server_side_requires_client_certificates),
        cmocka_unit_test(defaults_are_those_of_a_file),
        cmocka_unit_test(a_client_may_come_without_a_certificate_of_its_own),
        cmocka_unit_test(flags_that_contradict_are_named),
        cmocka_unit_test(wrong_values_are_told_at_their_flag_all_at_once),
        cmocka_unit_test(allocation_failure_is_clean),
    };
    return cmocka_run_group_tests(tests, make_paths, drop_folder);
}
