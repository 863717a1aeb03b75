// SPDX-License-Identifier: Apache-2.0
/* When somebody is asked, and when not: a question that ended while a call was on its way has
 * answered the call as well. Responders themselves are proved end to end. */
#include "proxy/ocsp_desk_impl.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/clock.h"
#include "testocsp.h"

#include <cmocka.h>

static struct testpki *root, *leaf;
static struct hf_ocsp_key key;
static struct hf_loop *loop;
static struct hf_metrics *metrics;
static struct hf_ocsp_desk *desk;
static struct hf_log quiet;
static struct hf_cfg_ocsp cfg;
static size_t n_changes;
static char nobody[] = "http://127.0.0.1:1/";

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return hf_clock_mono_ns(&hf_os_clock);
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return TESTPKI_NOW * 1000;
}

static const struct hf_clock test_clock = {.mono_ns = mono_ns, .wall_ms = wall_ms};

static void write_nothing(void *ctx, struct hf_bytes line)
{
    (void)ctx, (void)line;
}

static const struct hf_cfg_ocsp *terms(void *ctx, const char *trust)
{
    (void)ctx;
    return strcmp(trust, "clients") == 0 ? &cfg : NULL;
}

static struct hf_trust *no_trust(void *ctx, const struct hf_cfg_ocsp *of)
{
    (void)ctx;
    assert_ptr_equal(of, &cfg);
    return NULL;
}

static void on_change(void *ctx)
{
    (void)ctx;
    n_changes++;
}

static int begin(void **state)
{
    (void)state;
    root = testpki_root("Root");
    leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    hf_ocsp_key_of(leaf->cert, root->cert, &key);
    quiet = (struct hf_log){.level = HF_LOG_ERROR, .clock = &test_clock, .write = write_nothing};
    cfg = (struct hf_cfg_ocsp){
        .given = true,
        .responder = {.value = nobody},
        .timeout_ms = 20000,
        .max_age_ms = 600000,
        .batch = 1,
    };
    n_changes = 0;
    assert_int_equal(hf_loop_new(&hf_os_clock, &loop), HF_OK);
    assert_int_equal(hf_metrics_new(1, 1000, &metrics), HF_OK);
    const struct hf_ocsp_desk_env env = {.loop = loop,
                                         .clock = &test_clock,
                                         .rng = &hf_os_rng,
                                         .log = &quiet,
                                         .metrics = metrics,
                                         .terms = terms,
                                         .url_trust = no_trust,
                                         .on_change = on_change};
    assert_int_equal(hf_ocsp_desk_new(&env, &desk), HF_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hf_ocsp_desk_stop(desk);
    hf_loop_free(loop);
    hf_ocsp_desk_free(desk);
    hf_metrics_free(metrics);
    testpki_free(leaf);
    testpki_free(root);
    return 0;
}

static uint64_t stamp(void)
{
    struct hf_ocsp_recall recall;
    (void)hf_ocsp_memory_get(hf_ocsp_desk_memory(desk), &key, &recall);
    uint64_t found = recall.stamp;
    hf_ocsp_recall_done(&recall);
    return found;
}

static void learn(struct testocsp_spec spec, bool nonce, bool stapled)
{
    const struct hf_ocsp_origin origin = {
        .from = "http://ocsp.example/", .got_at = TESTPKI_NOW, .nonce = nonce, .stapled = stapled};
    spec.about = leaf;
    spec.issuer = root;
    spec.reason = -1;
    struct hf_ocsp_answer *answer = testocsp_read(&spec);
    struct hf_ocsp_known *known = NULL;
    bool changed;
    assert_int_equal(hf_ocsp_known_new(answer, leaf->cert, root->cert, &origin, &known), HF_OK);
    assert_int_equal(hf_ocsp_memory_put(hf_ocsp_desk_memory(desk), &key, known, &changed), HF_OK);
    hf_ocsp_known_unref(known);
    hf_ocsp_answer_unref(answer);
}

static void on_answer(struct hf_desk_wait *wait)
{
    assert_null(wait->call);
    hf_loop_stop(loop);
}

static int64_t n_requests(void)
{
    struct hf_series *series = hf_metrics_counter(metrics, "handfast_ocsp_requests_total",
                                                  "Requests to OCSP responders.", NULL);
    int64_t n = hf_series_sum(metrics, series);
    hf_metrics_release(metrics, series);
    return n;
}

/* Asks as a verdict does that had looked when the memory's stamp was this; waits for the answer. */
static void ask(const char *trust, uint64_t seen)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    struct hf_ocsp_wants wants = {.n = 1};
    wants.want[0] =
        (struct hf_ocsp_want){key, hf_cert_ref(leaf->cert), hf_cert_ref(root->cert), seen};
    assert_int_equal(hf_ocsp_desk_ask(desk, loop, trust, &wants, &wait), HF_OK);
    assert_int_equal(wants.n, 0);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static void what_nobody_knows_is_asked(void **state)
{
    (void)state;
    ask("clients", 0);
    assert_int_equal(n_requests(), 1);
    struct hf_ocsp_recall recall;
    assert_true(hf_ocsp_memory_get(hf_ocsp_desk_memory(desk), &key, &recall));
    assert_null(recall.known);
    assert_int_equal(recall.reason, HF_REASON_OCSP_UNREACHABLE);
    hf_ocsp_recall_done(&recall);
}

static void an_answer_after_the_verdict_looked_is_used(void **state)
{
    (void)state;
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD}, false, false);
    ask("clients", 0);
    assert_int_equal(n_requests(), 0);
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD}, false, true);
    ask("clients", stamp() - 1);
    assert_int_equal(n_requests(), 0);
}

static void a_failure_after_the_verdict_looked_is_used(void **state)
{
    (void)state;
    hf_ocsp_memory_fail(hf_ocsp_desk_memory(desk), &key, TESTPKI_NOW, HF_REASON_OCSP_UNREACHABLE,
                        "down");
    ask("clients", 0);
    assert_int_equal(n_requests(), 0);
}

static void what_the_verdict_has_seen_is_asked_anew(void **state)
{
    (void)state;
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD}, false, false);
    ask("clients", stamp());
    assert_int_equal(n_requests(), 1);
}

static void what_does_not_serve_this_trust_is_asked_anew(void **state)
{
    (void)state;
    cfg.nonce = HF_CFG_NONCE_REQUIRE;
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD}, false, false);
    ask("clients", 0);
    assert_int_equal(n_requests(), 1);
}

static void a_stale_staple_is_no_answer(void **state)
{
    (void)state;
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD,
                                 .this_update = TESTPKI_NOW - 7200,
                                 .next_update = TESTPKI_NOW - 3600},
          false, true);
    ask("clients", 0);
    assert_int_equal(n_requests(), 1);
}

static void a_trust_that_no_longer_asks_is_told(void **state)
{
    (void)state;
    ask("gone", 0);
    assert_int_equal(n_requests(), 0);
    struct hf_ocsp_recall recall;
    assert_true(hf_ocsp_memory_get(hf_ocsp_desk_memory(desk), &key, &recall));
    assert_int_equal(recall.reason, HF_REASON_OCSP_MISSING);
    assert_non_null(strstr(recall.why, "its trust \"gone\" doesn't ask any more"));
    hf_ocsp_recall_done(&recall);
}

/* Rather than by the system's roots. */
static void without_its_url_trust_nobody_is_asked(void **state)
{
    (void)state;
    struct hf_cfg_trust *named = hf_alloc_zero(1, sizeof(*named));
    struct hf_ocsp_recall recall;
    cfg.url_trust = named;
    ask("clients", 0);
    hf_free(named);
    assert_int_equal(n_requests(), 0);
    assert_true(hf_ocsp_memory_get(hf_ocsp_desk_memory(desk), &key, &recall));
    assert_int_equal(recall.reason, HF_REASON_OCSP_MISSING);
    assert_string_equal(recall.why, "the url-trust of its trust \"clients\" is not there");
    hf_ocsp_recall_done(&recall);
}

static void stamps_grow_with_what_is_learnt(void **state)
{
    (void)state;
    assert_int_equal(stamp(), 0);
    learn((struct testocsp_spec){.status = V_OCSP_CERTSTATUS_GOOD}, false, false);
    uint64_t first = stamp();
    assert_true(first > 0);
    hf_ocsp_memory_fail(hf_ocsp_desk_memory(desk), &key, TESTPKI_NOW, HF_REASON_OCSP_UNREACHABLE,
                        "down");
    assert_true(stamp() > first);
}

/* Asks about another certificate, whose responders are those that it names. */
static void ask_about(const struct testpki *about)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    struct hf_ocsp_wants wants = {.n = 1};
    struct hf_ocsp_want *want = &wants.want[0];
    *want = (struct hf_ocsp_want){
        .cert = hf_cert_ref(about->cert), .issuer = hf_cert_ref(root->cert), .seen = 0};
    hf_ocsp_key_of(about->cert, root->cert, &want->key);
    assert_int_equal(hf_ocsp_desk_ask(desk, loop, "clients", &wants, &wait), HF_OK);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static struct testpki *at_responders(const char *aia)
{
    return testpki_make(root, &(struct testpki_spec){.cn = "x", .aia = aia, .eku = "clientAuth"});
}

/* The table of responders is full, and the second responder of a certificate makes room while the
 * first one's questions are told that it is left alone. */
static void a_responder_that_is_being_told_of_makes_no_room(void **state)
{
    (void)state;
    struct hf_cfg_string place = {.value = nobody};
    char aia[160];
    cfg.responder.value = NULL;
    cfg.from.item = &place;
    cfg.from.n = 1;
    for (int i = HF_OCSP_SITES_MAX - 1; i >= 0; i--) {
        snprintf(aia, sizeof(aia), "OCSP;URI:http://127.0.0.1:1/%d", i);
        struct testpki *one = at_responders(aia);
        ask_about(one);
        testpki_free(one);
    }
    struct testpki *two =
        at_responders("OCSP;URI:http://127.0.0.1:1/0,OCSP;URI:http://127.0.0.1:1/new");
    ask_about(two);
    struct hf_ocsp_recall recall;
    struct hf_ocsp_key its;
    hf_ocsp_key_of(two->cert, root->cert, &its);
    assert_true(hf_ocsp_memory_get(hf_ocsp_desk_memory(desk), &its, &recall));
    assert_int_equal(recall.reason, HF_REASON_OCSP_UNREACHABLE);
    assert_non_null(strstr(recall.why, "http://127.0.0.1:1/new"));
    hf_ocsp_recall_done(&recall);
    testpki_free(two);
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(what_nobody_knows_is_asked),
        ONE(an_answer_after_the_verdict_looked_is_used),
        ONE(a_failure_after_the_verdict_looked_is_used),
        ONE(what_the_verdict_has_seen_is_asked_anew),
        ONE(what_does_not_serve_this_trust_is_asked_anew),
        ONE(a_stale_staple_is_no_answer),
        ONE(a_trust_that_no_longer_asks_is_told),
        ONE(without_its_url_trust_nobody_is_asked),
        ONE(stamps_grow_with_what_is_learnt),
        ONE(a_responder_that_is_being_told_of_makes_no_room),
    };
    return cmocka_run_group_tests_name("proxy/ocsp_desk", tests, NULL, NULL);
}
