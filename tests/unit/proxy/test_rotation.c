// SPDX-License-Identifier: Apache-2.0
/* Ticket keys of a snapshot: which rotate, how often, and that old ones are kept for their time. */
#include "proxy/snapshot.h"

#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/file.h"
#include "pki/write.h"
#include "tls/ticket_keys.h"

enum { MINUTE = 60000 };

static char folder[] = "/tmp/hf-rotation-XXXXXX";
static struct hf_metrics *metrics;

static void put(const char *name, const struct hf_buf *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(hf_file_write_atomic(path, hf_buf_bytes(text), 0600), HF_OK);
}

static void put_materials(void)
{
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "a.example", HF_USAGE_SERVER, "DNS:a.example");
    struct hf_tls_ticket_keys keys = {.n_keys = 0};
    struct hf_buf buf = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_cert_write_pem(root->cert, &buf), HF_OK);
    put("ca.pem", &buf);
    hf_buf_reset(&buf);
    assert_int_equal(hf_cert_write_pem(leaf->cert, &buf), HF_OK);
    put("server.pem", &buf);
    hf_buf_reset(&buf);
    assert_int_equal(hf_key_write_pem(leaf->key, hf_bytes_of(NULL, 0), &buf), HF_OK);
    put("server.key", &buf);
    hf_buf_reset(&buf);
    assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
    assert_int_equal(hf_ticket_keys_encode(&keys, &buf), HF_OK);
    put("tickets.keys", &buf);
    hf_buf_done(&buf);
    testpki_free(leaf);
    testpki_free(root);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    put_materials();
    return hf_metrics_new(1, HF_METRICS_SERIES_DEFAULT, &metrics) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"ca.pem", "server.pem", "server.key", "tickets.keys"};
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    hf_metrics_free(metrics);
    return 0;
}

#define LISTENER(name, port, tls) \
    "  " name ": {listen: [\"127.0.0.1:" port "\"], identities: [web], trust: partners, to: app, " \
    "tls: {" tls "}}\n"

static struct hf_snapshot *snapshot_of(struct hf_snapshot_env *env, const char *listeners)
{
    char text[2048];
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    struct hf_snapshot *snapshot = NULL;
    snprintf(text, sizeof(text),
             "identities: {web: {cert: server.pem, key: server.key}}\n"
             "trust: {partners: {roots: ca.pem}}\n"
             "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n"
             "listeners:\n%s",
             listeners);
    assert_int_equal(hf_config_parse(hf_bytes_str(text), "t.yaml", folder, &findings, &config),
                     HF_OK);
    assert_int_equal(hf_snapshot_env_init(env, &hf_os_clock, &hf_os_rng, metrics), HF_OK);
    assert_int_equal(hf_snapshot_new(env, config, 1, &findings, &snapshot), HF_OK);
    hf_findings_done(&findings);
    return snapshot;
}

static void a_key_seals_for_half_the_longest_lifetime(void **state)
{
    (void)state;
    static const struct {
        const char *listeners;
        int64_t ms;
    } cases[] = {
        {LISTENER("a", "18001", ""), 60 * MINUTE},
        {LISTENER("a", "18001", "ticket-lifetime: 30m"), 15 * MINUTE},
        {LISTENER("a", "18001", "ticket-lifetime: 30m")
             LISTENER("b", "18002", "ticket-lifetime: 4h"),
         120 * MINUTE},
        {LISTENER("a", "18001", "tickets: false"), 0},
        {LISTENER("a", "18001", "ticket-keys: tickets.keys"), 0},
        {LISTENER("a", "18001", "ticket-keys: tickets.keys, ticket-lifetime: 4h")
             LISTENER("b", "18002", "ticket-lifetime: 10m"),
         5 * MINUTE},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_snapshot_env env;
        struct hf_snapshot *snapshot = snapshot_of(&env, cases[i].listeners);
        assert_int_equal(hf_snapshot_rotation_ms(snapshot), cases[i].ms);
        hf_snapshot_unref(snapshot);
        hf_snapshot_env_done(&env);
    }
}

static void the_three_newest_keys_are_held(void **state)
{
    (void)state;
    struct hf_snapshot_env env;
    struct hf_snapshot *snapshot =
        snapshot_of(&env, LISTENER("a", "18001", "") LISTENER("b", "18002", "engine: libssl")
                              LISTENER("c", "18003", "ticket-keys: tickets.keys")
                                  LISTENER("d", "18004", "tickets: false"));
    uint8_t names[5][16];
    for (size_t i = 0; i < 5; i++) {
        memcpy(names[i], env.ticket_keys.key[0].name, sizeof(names[i]));
        for (size_t j = 0; j < env.ticket_keys.n_keys; j++) {
            assert_memory_equal(env.ticket_keys.key[j].name, names[i - j], sizeof(names[i]));
        }
        assert_int_equal(env.ticket_keys.n_keys, i < 2 ? i + 1 : 3);
        assert_int_equal(hf_snapshot_rotate(&env, snapshot), HF_OK);
    }
    hf_snapshot_unref(snapshot);
    hf_snapshot_env_done(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_seals_for_half_the_longest_lifetime),
        cmocka_unit_test(the_three_newest_keys_are_held),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
