// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "tls/native/conn.h"
#include "tls/native/peer.h"
#include "tlspair.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/*
 * Peers that come back. What a context remembers shows by the chain: the very object of the
 * connection before. The judge is asked each time all the same.
 */

static void native_pair(struct pair *pair, struct hf_credential *client)
{
    pair_init(pair);
    pair->server_config.common.engine = pair->client_config.common.engine = HF_TLS_ENGINE_NATIVE;
    pair->server_config.common.min_version = HF_TLS_1_3;
    pair->client_config.common.min_version = HF_TLS_1_3;
    pair->client_identity[0] = client;
    pair_start(pair);
}

/* Shakes hands on new connections; the server's chain object, for comparison only. */
static const struct hf_chain *shake_again(struct pair *pair)
{
    pair_again(pair);
    pair_shake(pair);
    assert_int_equal(pair->server.step, HF_TLS_DONE);
    assert_int_equal(pair->client.step, HF_TLS_DONE);
    return side_chain(&pair->server);
}

static void a_peer_that_was_admitted_is_known(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    const struct hf_chain *first = shake_again(&pair);
    const struct hf_chain *server = side_chain(&pair.client);
    assert_ptr_equal(shake_again(&pair), first);
    assert_ptr_equal(side_chain(&pair.client), server);
    assert_ptr_equal(shake_again(&pair), first);
    pair_done(&pair);
}

static void the_judge_is_asked_each_time(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    for (int i = 0; i < 3; i++) {
        (void)shake_again(&pair);
        assert_int_equal(pair.server.n_judged, 1);
        assert_true(pair.server.judged[0].had_chain);
    }
    pair.server.answer = (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_ACCESS_DENIED};
    pair_again(&pair);
    pair_shake(&pair);
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(pair.server.info.alert_sent, HF_ALERT_ACCESS_DENIED);
    pair_done(&pair);
}

/* A known chain is no proof: whoever shows it must hold its key. */
static void a_known_chain_without_its_key_is_refused(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    (void)shake_again(&pair);
    struct hf_credential liar = *world.client[KEY_P256];
    liar.key = world.server[KEY_P256]->key;
    atomic_init(&liar.refs, 2);
    struct pair other;
    native_pair(&other, &liar);
    hf_tls_ctx_unref(other.server.ctx);
    other.server.ctx = hf_tls_ctx_ref(pair.server.ctx);
    pair_again(&other);
    pair_shake(&other);
    assert_int_equal(other.server.step, HF_TLS_FAILED);
    assert_int_equal(other.server.info.alert_sent, HF_ALERT_DECRYPT_ERROR);
    assert_int_equal(side_reason(&other.server), HF_REASON_BAD_PROOF);
    pair_done(&other);
    pair_done(&pair);
}

static void a_peer_that_was_refused_leaves_nothing(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    pair.server.answer = (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_ACCESS_DENIED};
    pair_again(&pair);
    pair_shake(&pair);
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    struct hf_chain *refused =
        hf_chain_ref(side_chain(&pair.server)); /* held, lest its address be used again */
    pair.server.answer = (struct hf_tls_answer){.admit = true};
    const struct hf_chain *first = shake_again(&pair);
    assert_ptr_not_equal(first, refused);
    assert_ptr_equal(shake_again(&pair), first);
    hf_chain_unref(refused);
    pair_done(&pair);
}

static void another_context_does_not_know_the_peer(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    struct hf_chain *first = hf_chain_ref((struct hf_chain *)(uintptr_t)shake_again(&pair));
    pair_new_server(&pair);
    assert_ptr_not_equal(shake_again(&pair), first);
    hf_chain_unref(first);
    pair_done(&pair);
}

/* Each kind of key, in turn and again: none is taken for another. */
static void several_peers_are_told_apart(void **state)
{
    (void)state;
    struct pair pairs[KEY_N];
    const struct hf_chain *first[KEY_N];
    for (int kind = 0; kind < KEY_N; kind++) {
        native_pair(&pairs[kind], world.client[kind]);
        if (kind > 0) {
            hf_tls_ctx_unref(pairs[kind].server.ctx);
            pairs[kind].server.ctx = hf_tls_ctx_ref(pairs[0].server.ctx);
        }
    }
    for (int round = 0; round < 3; round++) {
        for (int kind = 0; kind < KEY_N; kind++) {
            const struct hf_chain *chain = shake_again(&pairs[kind]);
            assert_memory_equal(chain->sha256, world.client[kind]->chain->sha256, HF_SHA256_SIZE);
            first[kind] = round ? first[kind] : chain;
            assert_ptr_equal(chain, first[kind]);
        }
    }
    for (int kind = 0; kind < KEY_N; kind++) {
        pair_done(&pairs[kind]);
    }
}

static struct hf_chain *get_chain(struct side *side)
{
    struct hf_chain *chain;
    assert_int_equal(hf_tls_get_peer_chain(side->tls, &chain), HF_OK);
    return chain;
}

static void a_connection_gives_the_known_chain(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    const struct hf_chain *known = shake_again(&pair);
    assert_null(pair.server.tls->peer_chain);
    struct hf_chain *chain = get_chain(&pair.server);
    assert_ptr_equal(chain, known);
    hf_chain_unref(chain);
    struct hf_ders *ders;
    assert_int_equal(hf_tls_get_peer_ders(pair.server.tls, &ders), HF_OK);
    assert_ptr_equal(ders, pair.server.tls->peer_ders);
    assert_memory_equal(ders->sha256, known->sha256, HF_SHA256_SIZE);
    hf_ders_unref(ders);
    pair_done(&pair);
}

static void forget_chains(struct side *side)
{
    struct hf_native_ctx *ctx = HF_CONTAINER_OF(side->ctx, struct hf_native_ctx, base);
    hf_cache_free(ctx->known_chains);
    assert_int_equal(hf_peer_chains_new(&ctx->known_chains), HF_OK);
}

/* Out of memory is an error then, and not a peer without a certificate. */
static void a_chain_that_was_forgotten_is_parsed_again(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    (void)shake_again(&pair);
    forget_chains(&pair.server);
    struct hf_chain *chain;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_tls_get_peer_chain(pair.server.tls, &chain), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_null(chain);
    chain = get_chain(&pair.server);
    assert_memory_equal(chain->sha256, world.client[KEY_P256]->chain->sha256, HF_SHA256_SIZE);
    hf_chain_unref(chain);
    pair_done(&pair);
}

static void a_chain_out_of_a_ticket_is_known_too(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    pair.server_config.tickets = true;
    pair_new_server(&pair);
    pair_shake(&pair);
    pair_settle(&pair);
    pair.session = hf_tls_take_session(pair.client.tls);
    assert_non_null(pair.session);
    pair_new_server(&pair);
    pair_shake(&pair);
    assert_true(pair.server.info.resumed);
    struct hf_chain *first = get_chain(&pair.server);
    struct hf_chain *again = get_chain(&pair.server);
    assert_ptr_equal(first, again);
    hf_chain_unref(first);
    hf_chain_unref(again);
    pair_done(&pair);
}

static void without_a_certificate_there_is_no_chain(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair, world.client[KEY_P256]);
    pair.client_config.n_identities = 0;
    pair.policy[0].ask = HF_TLS_ASK_OPTIONAL;
    hf_tls_ctx_unref(pair.client.ctx);
    assert_int_equal(hf_tls_client_ctx_new(&pair.client_config, &pair.client.ctx), HF_OK);
    pair_new_server(&pair);
    pair_shake(&pair);
    assert_null(get_chain(&pair.server));
    struct hf_ders *ders;
    assert_int_equal(hf_tls_get_peer_ders(pair.server.tls, &ders), HF_OK);
    assert_null(ders);
    pair_done(&pair);
}

static int make_world(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_was_admitted_is_known),
        cmocka_unit_test(the_judge_is_asked_each_time),
        cmocka_unit_test(a_known_chain_without_its_key_is_refused),
        cmocka_unit_test(a_peer_that_was_refused_leaves_nothing),
        cmocka_unit_test(another_context_does_not_know_the_peer),
        cmocka_unit_test(several_peers_are_told_apart),
        cmocka_unit_test(a_connection_gives_the_known_chain),
        cmocka_unit_test(a_chain_that_was_forgotten_is_parsed_again),
        cmocka_unit_test(a_chain_out_of_a_ticket_is_known_too),
        cmocka_unit_test(without_a_certificate_there_is_no_chain),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
