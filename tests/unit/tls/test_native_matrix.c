// SPDX-License-Identifier: Apache-2.0
/*
 * The native engine over the product of what a handshake can be: who plays which role, suite, group
 * with and without a retry, how the client is asked, full and resumed, all bytes at once and one by
 * one, jobs within the call and jobs left lying.
 *
 * Several connections run side by side. Where jobs are handed out they gather in a pool, and one
 * taken at random is run only when no connection can go on without: so answers come late, and in
 * another order than they were asked for.
 */

#include "suite_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_PAIRS = 3, N_ROUNDS_MAX = 200000 };

struct combination {
    enum hf_tls_engine server, client;
    const char *suite_name;
    const char *group;
    bool retry;
    enum hf_tls_ask ask;
    size_t chunk;
    bool separate_jobs;
};

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_CHACHA20_POLY1305_SHA256"};
static const char *const groups[] = {"X25519", "P-256", "P-384"};

static const struct {
    enum hf_tls_engine server, client;
} roles[] = {
    {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_NATIVE},
    {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_LIBSSL},
    {HF_TLS_ENGINE_LIBSSL, HF_TLS_ENGINE_NATIVE},
};

/* --- Running pairs side by side -----------------------------------------------------------------
 */

static enum hf_tls_step step(struct side *side)
{
    struct hf_bytes in = hf_buf_bytes(&side->in);
    struct hf_tls_io io = {hf_span_of((uint8_t *)(uintptr_t)in.ptr, in.len), &side->out};
    side->step = hf_tls_handshake(side->tls, &io);
    hf_buf_consume(&side->in, in.len - io.in.len);
    hf_tls_info(side->tls, &side->info);
    return side->step;
}

static bool move_bytes(struct side *from, struct side *to, size_t chunk)
{
    struct hf_bytes bytes = hf_buf_bytes(&from->out);
    bytes.len = chunk && bytes.len > chunk ? chunk : bytes.len;
    side_feed(to, bytes);
    hf_buf_consume(&from->out, bytes.len);
    return bytes.len > 0;
}

/* One round over all sides: true when anything moved. */
static bool round_over(struct pair *pairs, struct side **waiting, size_t *n_waiting)
{
    bool moved = false;
    *n_waiting = 0;
    for (size_t i = 0; i < 2 * N_PAIRS; i++) {
        struct pair *pair = &pairs[i / 2];
        struct side *side = i % 2 ? &pair->server : &pair->client;
        struct side *other = i % 2 ? &pair->client : &pair->server;
        if (!side->info.complete && step(side) == HF_TLS_WANT_JOB) {
            waiting[(*n_waiting)++] = side;
        }
        assert_int_not_equal(side->step, HF_TLS_FAILED);
        moved = move_bytes(side, other, pair->chunk) || moved;
    }
    return moved;
}

static void shake_all(struct pair *pairs)
{
    struct side *waiting[2 * N_PAIRS];
    size_t n_waiting;
    for (size_t round = 0; round < N_ROUNDS_MAX; round++) {
        if (round_over(pairs, waiting, &n_waiting)) {
            continue;
        }
        if (n_waiting == 0) {
            return;
        }
        struct side *chosen = waiting[(size_t)rand() % n_waiting];
        struct hf_tls_job *job = hf_tls_job(chosen->tls);
        assert_non_null(job);
        assert_int_equal(step(chosen), HF_TLS_WANT_JOB); /* asking again changes nothing */
        assert_ptr_equal(hf_tls_job(chosen->tls), job);
        hf_tls_job_run(job);
        assert_null(hf_tls_job(chosen->tls));
    }
    fail_msg("the handshakes don't end");
}

/* --- One combination -----------------------------------------------------------------------------
 */

static void set_up(struct pair *pair, const struct combination *with, char *client_groups)
{
    pair_init(pair);
    const char *other = strcmp(with->group, "X25519") == 0 ? "P-384" : "X25519";
    sprintf(client_groups, "%s%s%s", with->retry ? other : "", with->retry ? ":" : "", with->group);
    struct hf_tls_common *commons[] = {&pair->server_config.common, &pair->client_config.common};
    for (size_t i = 0; i < 2; i++) {
        commons[i]->engine = i ? with->client : with->server;
        commons[i]->min_version = commons[i]->max_version = HF_TLS_1_3;
        commons[i]->suites = with->suite_name;
        commons[i]->groups = i ? client_groups : with->group;
        commons[i]->separate_jobs = with->separate_jobs;
    }
    pair->policy[0].ask = with->ask;
    pair->server_config.tickets = true;
    pair->chunk = with->chunk;
}

static void check(struct pair *pair, const struct combination *with, bool resumed)
{
    bool asked = with->ask != HF_TLS_ASK_NONE;
    assert_true(pair->client.info.complete && pair->server.info.complete);
    assert_int_equal(pair->client.info.resumed, resumed);
    assert_int_equal(pair->server.info.resumed, resumed);
    assert_string_equal(pair->client.info.suite, with->suite_name);
    assert_string_equal(pair->server.info.suite, with->suite_name);
    assert_string_equal(pair->client.info.group, pair->server.info.group);
    if (with->server == HF_TLS_ENGINE_NATIVE) {
        assert_int_equal(pair->server.info.retried, with->retry);
    }
    if (with->client == HF_TLS_ENGINE_NATIVE) {
        assert_int_equal(pair->client.info.retried, with->retry);
    }
    assert_int_equal(side_chain(&pair->server) != NULL, asked);
    bool twice = resumed && with->retry && with->server == HF_TLS_ENGINE_LIBSSL;
    assert_int_equal(pair->server.n_judged, asked && twice ? 2 : asked); /* libssl: at each hello */
    assert_int_equal(pair->client.n_judged, 1);
    assert_carries_data(pair);
}

static void run(const struct combination *with)
{
    struct pair pairs[N_PAIRS];
    char client_groups[32];
    for (size_t i = 0; i < N_PAIRS; i++) {
        set_up(&pairs[i], with, client_groups);
        pair_start(&pairs[i]);
    }
    shake_all(pairs);
    for (size_t i = 0; i < N_PAIRS; i++) {
        check(&pairs[i], with, false);
        pair_settle(&pairs[i]);
        pairs[i].session = hf_tls_take_session(pairs[i].client.tls);
        assert_non_null(pairs[i].session);
        pair_again(&pairs[i]);
    }
    shake_all(pairs);
    for (size_t i = 0; i < N_PAIRS; i++) {
        check(&pairs[i], with, true);
        pair_done(&pairs[i]);
    }
}

/* --- The product
 * ---------------------------------------------------------------------------------- */

static void over_asks(struct combination with)
{
    for (int ask = HF_TLS_ASK_NONE; ask <= HF_TLS_ASK_REQUIRED; ask++) {
        with.ask = (enum hf_tls_ask)ask;
        with.separate_jobs = true;
        with.chunk = 0;
        run(&with);
        with.separate_jobs = false;
        run(&with);
        with.chunk = 1;
        run(&with);
    }
}

static void over_choices(enum hf_tls_engine server, enum hf_tls_engine client)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(suites) * HF_N_ELEMENTS(groups) * 2; i++) {
        over_asks((struct combination){.server = server,
                                       .client = client,
                                       .suite_name = suites[i % 3],
                                       .group = groups[i / 3 % 3],
                                       .retry = i / 9});
    }
}

static void test_native_server_and_client(void **state)
{
    (void)state;
    over_choices(roles[0].server, roles[0].client);
}

static void test_native_server(void **state)
{
    (void)state;
    over_choices(roles[1].server, roles[1].client);
}

static void test_native_client(void **state)
{
    (void)state;
    over_choices(roles[2].server, roles[2].client);
}

static int make(void **state)
{
    (void)state;
    world_make();
    srand(1);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native_server_and_client),
        cmocka_unit_test(test_native_server),
        cmocka_unit_test(test_native_client),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
