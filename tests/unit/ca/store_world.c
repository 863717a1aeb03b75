// SPDX-License-Identifier: Apache-2.0
#include "store_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "ca/store/db.h"
#include "os/clock.h"
#include "tree.h"

int64_t world_now = 1700000000;
static char url[512];
static unsigned n_worlds;

static int64_t world_mono_ns(void *ctx)
{
    return hf_os_clock.mono_ns(ctx);
}

static int64_t world_wall_ms(void *ctx)
{
    (void)ctx;
    return world_now * 1000;
}

const struct hf_clock world_clock = {NULL, world_mono_ns, world_wall_ms};

int world_set_up(void **state)
{
    return tree_set_up(state);
}

int world_tear_down(void **state)
{
    return tree_tear_down(state);
}

const char *world_path(const char *name)
{
    return tree(name);
}

bool world_is_postgres(void)
{
    return getenv("HF_TEST_POSTGRES") != NULL;
}

const char *world_url(void)
{
    return url;
}

/* A PostgreSQL world is a schema of its own, which is the first on its connections' path. */
static void make_schema(const char *server)
{
    char sql[128];
    snprintf(url, sizeof(url), "%s", server);
    snprintf(sql, sizeof(sql), "CREATE SCHEMA world_%d_%u", getpid(), n_worlds);
    world_sql(sql);
    snprintf(url, sizeof(url), "%s%coptions=-csearch_path%%3Dworld_%d_%u", server,
             strchr(server, '?') ? '&' : '?', getpid(), n_worlds);
}

void world_reset(void)
{
    n_worlds++;
    world_now = 1700000000;
    if (world_is_postgres()) {
        make_schema(getenv("HF_TEST_POSTGRES"));
    } else {
        char name[32];
        snprintf(name, sizeof(name), "world-%u.db", n_worlds);
        snprintf(url, sizeof(url), "sqlite:%s", tree(name));
    }
}

enum hf_err world_open(bool create, struct hf_store **out)
{
    struct hf_store_options options = {.url = url, .create = create, .clock = &world_clock};
    return hf_store_open(&options, out);
}

struct hf_store *world_store(void)
{
    struct hf_store *store = NULL;
    if (world_open(true, &store) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return store;
}

void world_sql(const char *sql)
{
    struct hf_db_options options = {.url = url, .timeout_ms = 5000};
    struct hf_db *db = NULL;
    if (hf_db_open(&options, &db) != HF_OK || hf_db_script(db, sql) != HF_OK) {
        fail_msg("%s: %s", sql, hf_err_text());
    }
    hf_db_close(db);
}

int64_t world_authority(struct hf_store *store, const char *name)
{
    struct hf_store_authority_put put = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT, .actor = "test"},
        .authority = {.name = name,
                      .state = HF_AUTHORITY_ACTIVE,
                      .cert = hf_bytes_str("a certificate"),
                      .subject = name,
                      .not_after = world_now + 1000000,
                      .settings = "{}"},
    };
    if (hf_store_do(store, &put.op) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return put.authority.id;
}

struct hf_bytes world_serial(unsigned number)
{
    static uint8_t bytes[8][5];
    static unsigned at;
    uint8_t *out = bytes[at++ % 8];
    out[0] = 1;
    for (int i = 0; i < 4; i++) {
        out[1 + i] = (uint8_t)(number >> (24 - 8 * i));
    }
    return hf_bytes_of(out, 5);
}

struct hf_store_cert world_cert(int64_t authority, unsigned serial)
{
    static char identity[64];
    static char subject[96];
    static char sans[96];
    static char der[64];
    snprintf(identity, sizeof(identity), "user%u", serial);
    snprintf(subject, sizeof(subject), "CN=user%u,O=Example", serial);
    snprintf(sans, sizeof(sans), "email:user%u@example.org", serial);
    snprintf(der, sizeof(der), "certificate %lld %u", (long long)authority, serial);
    struct hf_store_cert cert = {
        .authority = authority,
        .serial = world_serial(serial),
        .der = hf_bytes_str(der),
        .profile = "user",
        .identity = identity,
        .subject = subject,
        .sans = sans,
        .key_type = "p256",
        .not_before = world_now,
        .not_after = world_now + 10000 + serial,
        .requester = "test",
    };
    SHA256(cert.der.ptr, cert.der.len, cert.sha256);
    SHA256(cert.serial.ptr, cert.serial.len, cert.spki_sha256);
    return cert;
}

enum hf_err world_issue(struct hf_store *store, const struct hf_store_cert *cert, int64_t *out_id)
{
    struct hf_store_issue issue = {.op = {.kind = HF_STORE_ISSUE, .actor = "test"}, .cert = *cert};
    enum hf_err err = hf_store_do(store, &issue.op);
    if (out_id) {
        *out_id = issue.id;
    }
    return err;
}

enum hf_err world_act(struct hf_store *store, enum hf_store_act act, int64_t authority,
                      unsigned serial, int reason)
{
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "test"},
        .act = act,
        .authority = authority,
        .serial = world_serial(serial),
        .reason = reason,
    };
    return hf_store_do(store, &revoke.op);
}

void world_verify(struct hf_store *store)
{
    struct hf_store_verified verified;
    if (hf_store_audit_verify(store, 0, NULL, &verified) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    assert_string_equal(verified.what, "");
    assert_int_equal(verified.bad_seq, 0);
}

enum hf_err world_ignore_cert(void *ctx, const struct hf_store_cert *cert)
{
    (void)ctx;
    (void)cert;
    return HF_OK;
}
