// SPDX-License-Identifier: Apache-2.0
#include "tlspair.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct world world;

enum { ROUNDS_MAX = 100000, IN_CAP = 1 << 20, PLAIN_CAP = 8 << 20 };

static const char *const key_names[] = {"P-256", "RSA-2048", "ED25519"};

const char *key_kind_name(enum key_kind kind)
{
    return key_names[kind];
}

/* --- The world --- */

static int64_t stopped_mono(void *ctx)
{
    (void)ctx;
    return world.now_s * 1000000000;
}

static int64_t stopped_wall(void *ctx)
{
    (void)ctx;
    return world.now_s * 1000;
}

static int64_t late_wall(void *ctx)
{
    (void)ctx;
    return (world.now_s + world.late_s) * 1000;
}

struct hf_credential *world_credential(const struct testpki *issuer,
                                       const struct testpki_spec *spec)
{
    struct testpki *leaf = testpki_make(issuer, spec);
    struct hf_credential *credential = testpki_credential(leaf);
    testpki_free(leaf);
    return credential;
}

static struct hf_credential *make(const struct testpki *issuer, const char *cn, const char *san,
                                  const char *eku, const char *key)
{
    const struct testpki_spec spec = {.cn = cn, .san = san, .eku = eku, .key = key};
    return world_credential(issuer, &spec);
}

void world_make(void)
{
    world.now_s = TESTPKI_NOW;
    world.clock = (struct hf_clock){.mono_ns = stopped_mono, .wall_ms = stopped_wall};
    world.late_clock = (struct hf_clock){.mono_ns = stopped_mono, .wall_ms = late_wall};
    world.root = testpki_root("Root");
    world.other_root = testpki_root("Other");
    world.intermediate = testpki_intermediate(world.root, "Issuing");
    for (int kind = 0; kind < KEY_N; kind++) {
        world.server[kind] = make(world.intermediate, "www.example.org", "DNS:www.example.org",
                                  "serverAuth", key_names[kind]);
        world.client[kind] =
            make(world.intermediate, "alice", "DNS:alice.example", "clientAuth", key_names[kind]);
    }
    world.stranger = make(world.other_root, "mallory", "DNS:m.example", "clientAuth", "P-256");
}

void world_free(void)
{
    for (int kind = 0; kind < KEY_N; kind++) {
        hf_credential_unref(world.server[kind]);
        hf_credential_unref(world.client[kind]);
    }
    hf_credential_unref(world.stranger);
    testpki_free(world.intermediate);
    testpki_free(world.other_root);
    testpki_free(world.root);
}

struct hf_credential *world_long_credential(size_t n)
{
    const struct hf_credential *base = world.client[KEY_P256];
    struct hf_chain *chain =
        hf_alloc_zero(1, sizeof(struct hf_chain) + n * sizeof(struct hf_cert *));
    struct hf_credential *credential = HF_NEW(struct hf_credential);
    assert_non_null(chain);
    assert_non_null(credential);
    for (size_t i = 0; i < n; i++) {
        chain->certs[i] = base->chain->certs[i ? 1 : 0];
    }
    chain->n_certs = n;
    atomic_init(&credential->refs, 1);
    credential->chain = chain;
    credential->identity = base->identity;
    credential->key = base->key;
    return credential;
}

void world_long_credential_free(struct hf_credential *credential)
{
    assert_int_equal(atomic_load(&credential->refs), 1);
    hf_free(credential->chain);
    hf_free(credential);
}

/* --- The judge --- */

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct side *side = conn_ctx;
    assert_true(side->n_judged < SIDE_SEEN_MAX);
    if (side->n_waited < side->waits && !peer->resumed) {
        side->n_waited++;
        return (struct hf_tls_answer){.wait = true};
    }
    size_t i = side->n_judged++;
    side->judged[i].resumed = peer->resumed;
    side->judged[i].had_chain = peer->chain != NULL;
    side->judged[i].tag = peer->policy ? peer->policy->tag : NULL;
    if (peer->chain) {
        memcpy(side->judged[i].chain, peer->chain->sha256, HF_SHA256_SIZE);
    }
    snprintf(side->judged[i].sni, sizeof(side->judged[i].sni), "%s", peer->sni ? peer->sni : "-");
    return peer->resumed ? side->answer_resumed : side->answer;
}

/* --- Lifecycle --- */

static void set_ticket_key(struct hf_tls_ticket_keys *keys)
{
    keys->n_keys = 1;
    memset(keys->key[0].name, 'k', sizeof(keys->key[0].name));
    memset(keys->key[0].secret.byte, 's', 32);
    keys->key[0].secret.len = 32;
}

void pair_init(struct pair *pair)
{
    world.late_s = 0;
    *pair = (struct pair){.sni = "www.example.org", .out_cap = HF_TLS_OUT_MIN};
    const struct hf_tls_common common = {.clock = &world.clock, .rng = &hf_os_rng};
    pair->policy[0] = (struct hf_tls_policy){.ask = HF_TLS_ASK_REQUIRED};
    pair->server_identity[0] = world.server[KEY_P256];
    pair->client_identity[0] = world.client[KEY_P256];
    pair->server_config = (struct hf_tls_server_config){
        .common = common,
        .identities = pair->server_identity,
        .n_identities = 1,
        .policies = pair->policy,
        .n_policies = 1,
        .ticket_lifetime_s = 3600,
        .judge = {judge},
    };
    set_ticket_key(&pair->server_config.ticket_keys);
    pair->client_config = (struct hf_tls_client_config){
        .common = common,
        .identities = pair->client_identity,
        .n_identities = 1,
        .judge = {judge},
    };
    pair->server.answer = pair->client.answer = (struct hf_tls_answer){.admit = true};
    pair->server.answer_resumed = pair->client.answer_resumed = pair->server.answer;
}

static void side_reset(struct pair *pair, struct side *side)
{
    hf_tls_free(side->tls);
    side->tls = NULL;
    hf_buf_done(&side->in);
    hf_buf_done(&side->out);
    hf_buf_done(&side->plain);
    side->in = HF_BUF_INIT(IN_CAP);
    side->out = HF_BUF_INIT(pair->out_cap);
    side->plain = HF_BUF_INIT(PLAIN_CAP);
    side->n_judged = 0;
    side->n_waited = 0;
    side->info = (struct hf_tls_info){0};
    side->step = HF_TLS_WANT_INPUT;
}

void pair_again(struct pair *pair)
{
    side_reset(pair, &pair->server);
    side_reset(pair, &pair->client);
    assert_int_equal(hf_tls_new_server(pair->server.ctx, &pair->server, &pair->server.tls), HF_OK);
    assert_int_equal(hf_tls_new_client(pair->client.ctx, &pair->client, pair->sni, pair->session,
                                       &pair->client.tls),
                     HF_OK);
}

static void new_server_ctx(struct pair *pair)
{
    if (hf_tls_server_ctx_new(&pair->server_config, &pair->server.ctx)) {
        fail_msg("server context: %s", hf_err_text());
    }
}

void pair_new_server(struct pair *pair)
{
    hf_tls_ctx_unref(pair->server.ctx);
    new_server_ctx(pair);
    pair_again(pair);
}

void pair_start(struct pair *pair)
{
    new_server_ctx(pair);
    enum hf_err err = hf_tls_client_ctx_new(&pair->client_config, &pair->client.ctx);
    if (err) {
        fail_msg("client context: %s", hf_err_text());
    }
    pair_again(pair);
}

static void side_done(struct side *side)
{
    hf_tls_free(side->tls);
    hf_tls_ctx_unref(side->ctx);
    hf_buf_done(&side->in);
    hf_buf_done(&side->out);
    hf_buf_done(&side->plain);
}

void pair_done(struct pair *pair)
{
    hf_tls_session_free(pair->session);
    side_done(&pair->server);
    side_done(&pair->client);
}

/* --- Moving bytes --- */

/* Runs one call of the seam over the side's buffers. */
static enum hf_tls_step with_io(struct side *side,
                                enum hf_tls_step (*call)(struct side *side, struct hf_tls_io *io))
{
    struct hf_bytes in = hf_buf_bytes(&side->in);
    struct hf_tls_io io = {hf_span_of((uint8_t *)(uintptr_t)in.ptr, in.len), &side->out};
    enum hf_tls_step step = call(side, &io);
    assert_true(io.in.len <= in.len);
    hf_buf_consume(&side->in, in.len - io.in.len);
    assert_int_equal(ERR_peek_error(), 0);
    if (step == HF_TLS_FAILED) {
        assert_non_null(hf_tls_failure(side->tls));
    }
    if (step == HF_TLS_WANT_JOB) {
        assert_non_null(hf_tls_job(side->tls));
        hf_tls_job_run(hf_tls_job(side->tls));
        return with_io(side, call);
    }
    hf_tls_info(side->tls, &side->info);
    return side->step = step;
}

static enum hf_tls_step call_handshake(struct side *side, struct hf_tls_io *io)
{
    return hf_tls_handshake(side->tls, io);
}

static enum hf_tls_step call_read(struct side *side, struct hf_tls_io *io)
{
    struct hf_span into;
    size_t n = 99;
    assert_int_equal(hf_buf_reserve(&side->plain, 16384, &into), HF_OK);
    enum hf_tls_step step = hf_tls_read(side->tls, io, into, &n);
    assert_int_equal(step == HF_TLS_DONE, n > 0);
    hf_buf_commit(&side->plain, n);
    return step;
}

static enum hf_tls_step call_close(struct side *side, struct hf_tls_io *io)
{
    return hf_tls_close(side->tls, io);
}

enum hf_tls_step side_handshake(struct side *side)
{
    return with_io(side, call_handshake);
}

enum hf_tls_step side_read(struct side *side)
{
    return with_io(side, call_read);
}

void side_close(struct side *side)
{
    assert_int_equal(with_io(side, call_close), HF_TLS_DONE);
}

void side_feed(struct side *side, struct hf_bytes bytes)
{
    assert_int_equal(hf_buf_append(&side->in, bytes), HF_OK);
}

static bool deliver(struct side *from, struct side *to, size_t chunk)
{
    struct hf_bytes bytes = hf_buf_bytes(&from->out);
    if (chunk && bytes.len > chunk) {
        bytes.len = chunk;
    }
    side_feed(to, bytes);
    hf_buf_consume(&from->out, bytes.len);
    return bytes.len > 0;
}

void pair_shake(struct pair *pair)
{
    bool moved = true;
    for (size_t round = 0; moved; round++) {
        assert_true(round < ROUNDS_MAX);
        moved = false;
        struct side *sides[] = {&pair->client, &pair->server};
        for (size_t i = 0; i < 2; i++) {
            struct side *side = sides[i];
            if (!side->info.complete && side->step != HF_TLS_FAILED) {
                side_handshake(side);
                moved =
                    moved || side->step == HF_TLS_WANT_OUTPUT || side->step == HF_TLS_WANT_VERDICT;
            }
            moved = deliver(side, sides[1 - i], pair->chunk) || moved;
        }
    }
}

void pair_first_flight(struct pair *pair, struct hf_bytes filler)
{
    struct side *client = &pair->client, *server = &pair->server;
    assert_int_equal(side_handshake(client), HF_TLS_WANT_INPUT);
    deliver(client, server, 0);
    assert_int_equal(hf_buf_append(&server->out, filler), HF_OK);
    assert_int_equal(side_handshake(server), HF_TLS_WANT_OUTPUT);
    hf_buf_consume(&server->out, filler.len);
}

bool pair_shake_failing(struct pair *pair, size_t n)
{
    /* the pair's own buffers must not be what fails */
    struct hf_span room;
    struct hf_buf *bufs[] = {&pair->server.in, &pair->client.in};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hf_buf_reserve(bufs[i], IN_CAP, &room), HF_OK);
    }
    hf_alloc_fail_after(n);
    pair_shake(pair);
    bool fewer = false;
    for (size_t i = 0; i < n && !fewer; i++) { /* is the failure still to come? */
        void *probe = hf_alloc(1);
        fewer = probe == NULL;
        hf_free(probe);
    }
    hf_alloc_fail_after(0);
    return fewer;
}

/* Flips a bit of the record that begins at *n records from here; *n counts down to there. */
static bool change_record(struct hf_bytes records, size_t *n)
{
    while (records.len >= 5) {
        size_t len = 5 + ((size_t)records.ptr[3] << 8 | records.ptr[4]);
        assert_true(len <= records.len);
        if ((*n)-- == 0) {
            ((uint8_t *)(uintptr_t)records.ptr)[len - 1] ^= 1;
            return true;
        }
        records = hf_bytes_from(records, len);
    }
    return false;
}

bool pair_shake_changing(struct pair *pair, size_t n, bool of_client)
{
    bool changed = false;
    struct side *sides[] = {&pair->client, &pair->server};
    for (size_t round = 0; round < 20; round++) {
        struct side *side = sides[round % 2];
        if (!side->info.complete && side->step != HF_TLS_FAILED) {
            side_handshake(side);
        }
        if (!changed && (side == &pair->client) == of_client) {
            changed = change_record(hf_buf_bytes(&side->out), &n);
        }
        deliver(side, sides[1 - round % 2], 0);
    }
    pair_settle(pair);
    return changed;
}

void pair_settle(struct pair *pair)
{
    bool moved = true;
    for (size_t round = 0; moved; round++) {
        assert_true(round < ROUNDS_MAX);
        moved = false;
        struct side *sides[] = {&pair->client, &pair->server};
        for (size_t i = 0; i < 2; i++) {
            struct side *side = sides[i];
            if (side->info.complete && side->step != HF_TLS_FAILED && side->step != HF_TLS_CLOSED) {
                side_read(side);
                moved = moved || side->step == HF_TLS_DONE || side->step == HF_TLS_WANT_OUTPUT;
            }
            moved = deliver(side, sides[1 - i], pair->chunk) || moved;
        }
    }
}

void side_send(struct pair *pair, struct side *from, struct hf_bytes plain)
{
    struct side *to = from == &pair->server ? &pair->client : &pair->server;
    for (size_t round = 0; plain.len > 0; round++) {
        assert_true(round < ROUNDS_MAX);
        struct hf_tls_io io = {{NULL, 0}, &from->out};
        size_t n = 0;
        enum hf_tls_step step = hf_tls_write(from->tls, &io, plain, &n);
        assert_true(step == HF_TLS_DONE || step == HF_TLS_WANT_OUTPUT);
        plain = hf_bytes_from(plain, n);
        assert_int_equal(step == HF_TLS_DONE, plain.len == 0);
        while (deliver(from, to, pair->chunk)) {
            do {
                side_read(to);
            } while (to->step == HF_TLS_DONE);
        }
    }
}

enum hf_reason side_reason(const struct side *side)
{
    const struct hf_tls_failure *failure = hf_tls_failure(side->tls);
    assert_non_null(failure);
    return failure->reason;
}

struct hf_chain *side_chain(const struct side *side)
{
    struct hf_chain *chain;
    assert_int_equal(hf_tls_get_peer_chain(side->tls, &chain), HF_OK);
    hf_chain_unref(chain); /* the connection holds it too */
    return chain;
}
