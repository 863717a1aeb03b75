// SPDX-License-Identifier: Apache-2.0
/* Which OCSP answers are kept, for how long, and which are signed before anybody asks. The HTTP
 * around the responder is played here, and the clock is the test's. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "base/mem.h"
#include "ca/public.h"
#include "testocsp.h"
#include "tree.h"

enum { LIFETIME = 3600, QUARTER = LIFETIME / 4, LAST_FOURTH = QUARTER - QUARTER / 4 };

static int64_t now;
static struct testpki *root, *alice, *delegate;
static struct hf_ocsp_signer *signer;
static struct hf_store *store;
static struct hf_crew *crew;
static struct hf_public *public;
static int64_t ca;

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return now * 1000000000;
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return now * 1000;
}

static const struct hf_clock test_clock = {.mono_ns = mono_ns, .wall_ms = wall_ms};

/* --- The responder ------------------------------------------------------------------------------
 */

static void put_alice(void)
{
    struct hf_store_authority_put put = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT, .actor = "test"},
        .authority = {.name = "root", .state = HF_AUTHORITY_ACTIVE},
    };
    assert_int_equal(hf_store_do(store, &put.op), HF_OK);
    ca = put.authority.id;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(alice->cert->x509);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = "test"},
        .cert = {.authority = ca,
                 .serial =
                     hf_bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
                 .der = alice->cert->der,
                 .profile = "user",
                 .identity = "alice",
                 .not_after = alice->cert->not_after},
    };
    assert_int_equal(hf_store_do(store, &issue.op), HF_OK);
}

static int set_up(void **state)
{
    char url[128];
    if (tree_set_up(state) != 0) {
        return -1;
    }
    now = (TESTPKI_NOW / QUARTER + 1) * QUARTER; /* a quarter begins */
    root = testpki_root("Root");
    alice = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    delegate = testocsp_signer(root, "OCSPSigning", true);
    assert_int_equal(hf_ocsp_signer_new(delegate->cert, delegate->key, root->cert, &signer), HF_OK);
    snprintf(url, sizeof(url), "sqlite:%s", tree("ca.db"));
    const struct hf_store_options options = {.url = url, .create = true, .clock = &test_clock};
    assert_int_equal(hf_store_open(&options, &store), HF_OK);
    put_alice();
    assert_int_equal(hf_crew_new(1, 1024, &crew), HF_OK);
    const struct hf_public_options what = {
        .store = store, .crew = crew, .clock = &test_clock, .ocsp_lifetime_s = LIFETIME};
    assert_int_equal(hf_public_new(&what, &public), HF_OK);
    struct hf_public_view *view = hf_public_view_new();
    assert_non_null(view);
    assert_int_equal(hf_public_view_respond(view, ca, signer), HF_OK);
    hf_public_show(public, view);
    return 0;
}

static int tear_down(void **state)
{
    hf_public_close(public);
    hf_crew_free(crew);
    hf_service_unref(hf_public_service(public));
    hf_store_close(store);
    hf_ocsp_signer_unref(signer);
    testpki_free(delegate);
    testpki_free(alice);
    testpki_free(root);
    return tree_tear_down(state);
}

struct marker {
    struct hf_crew_task task;
    sem_t passed;
};

static void pass(struct hf_crew_task *task, bool dropped)
{
    (void)dropped;
    sem_post(&HF_CONTAINER_OF(task, struct marker, task)->passed);
}

/* Until the crew's one thread has done all that it was given. */
static void wait_for_crew(void)
{
    struct marker marker = {.task = {.run = pass}};
    sem_init(&marker.passed, 0, 0);
    assert_int_equal(hf_crew_add(crew, &marker.task), HF_OK);
    while (sem_wait(&marker.passed) != 0) {
    }
    sem_destroy(&marker.passed);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

/* About alice n times, by SHA-256 where the bit of `form` is set and by SHA-1 where not: so many
 * different requests about one certificate. */
static struct hf_bytes request_of(unsigned n, unsigned form, const char *nonce)
{
    static uint8_t der[4096];
    uint8_t *at = der;
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    for (unsigned i = 0; i < n; i++) {
        const EVP_MD *md = form >> i & 1 ? EVP_sha256() : EVP_sha1();
        OCSP_CERTID *id = OCSP_cert_to_id(md, alice->cert->x509, root->cert->x509);
        assert_non_null(OCSP_request_add0_id(request, id));
    }
    if (nonce) {
        OCSP_request_add1_nonce(request, (unsigned char *)(uintptr_t)nonce, (int)strlen(nonce));
    }
    int len = i2d_OCSP_REQUEST(request, NULL);
    assert_in_range(len, 1, sizeof(der));
    i2d_OCSP_REQUEST(request, &at);
    OCSP_REQUEST_free(request);
    return hf_bytes_of(der, (size_t)len);
}

struct asked {
    struct hf_service_call call;
    struct hf_http_field field;
    sem_t done;
    pthread_t asker;
    bool at_once; /* on the asker's own thread */
    uint8_t answer[4096];
    size_t len;
};

static void on_answer(struct hf_service_call *call, struct hf_service_answer *answer)
{
    struct asked *asked = HF_CONTAINER_OF(call, struct asked, call);
    assert_int_equal(answer->status, 200);
    assert_in_range(answer->body.len, 100, sizeof(asked->answer));
    memcpy(asked->answer, answer->body.ptr, answer->body.len);
    asked->len = answer->body.len;
    hf_service_answer_done(answer);
    asked->at_once = pthread_equal(asked->asker, pthread_self());
    sem_post(&asked->done);
}

/* True: the answer was kept, so that it came at once. */
static bool ask(struct hf_bytes request, struct asked *asked)
{
    static const char head[] = "content-typeapplication/ocsp-request";
    struct hf_service *service = hf_public_service(public);
    memset(asked, 0, sizeof(*asked));
    sem_init(&asked->done, 0, 0);
    asked->field =
        (struct hf_http_field){.name_at = 0, .name_len = 12, .value_at = 12, .value_len = 24};
    asked->call = (struct hf_service_call){
        .request = {.method = HF_METHOD_POST,
                    .full_path = hf_bytes_str("/ocsp"),
                    .path = hf_bytes_str("/ocsp"),
                    .raw_path = hf_bytes_str("/ocsp"),
                    .body = request,
                    .headers = {hf_bytes_str(head), &asked->field, 1}},
        .answer = on_answer,
    };
    asked->asker = pthread_self();
    service->ops->serve(service, &asked->call);
    while (sem_wait(&asked->done) != 0) {
    }
    sem_destroy(&asked->done);
    return asked->at_once;
}

static bool same(const struct asked *a, const struct asked *b)
{
    return hf_bytes_eq(hf_bytes_of(a->answer, a->len), hf_bytes_of(b->answer, b->len));
}

/* --- What is kept -------------------------------------------------------------------------------
 */

static void test_an_answer_is_kept_for_a_quarter(void **state)
{
    (void)state;
    struct asked first, next;
    assert_false(ask(request_of(1, 0, NULL), &first));
    assert_true(ask(request_of(1, 0, NULL), &next));
    assert_true(same(&first, &next));
    assert_false(ask(request_of(1, 1, NULL), &next)); /* another question */
    now += LAST_FOURTH - 1;
    assert_true(ask(request_of(1, 0, NULL), &next));
    assert_true(same(&first, &next));
    wait_for_crew();
    now += QUARTER - LAST_FOURTH + 1;
    assert_false(ask(request_of(1, 0, NULL), &next)); /* nobody asked late enough */
    assert_false(same(&first, &next));
}

static void test_an_answer_to_a_nonce_is_not_kept(void **state)
{
    (void)state;
    struct asked first, next;
    assert_false(ask(request_of(1, 0, "eight by"), &first));
    assert_false(ask(request_of(1, 0, "eight by"), &next));
    assert_false(ask(request_of(1, 0, NULL), &next));
    now += LAST_FOURTH;
    assert_false(ask(request_of(1, 0, "eight by"), &next));
    wait_for_crew();
    now += QUARTER - LAST_FOURTH;
    assert_false(ask(request_of(1, 0, NULL), &next)); /* nor does one have the next signed */
}

static void test_who_asks_late_has_the_next_signed_ahead(void **state)
{
    (void)state;
    struct asked first, late, next, again;
    assert_false(ask(request_of(1, 0, NULL), &first));
    now += LAST_FOURTH;
    assert_true(ask(request_of(1, 0, NULL), &late));
    assert_true(same(&first, &late));
    wait_for_crew();
    now++;
    assert_true(ask(request_of(1, 0, NULL), &late)); /* the quarter's own until its end */
    assert_true(same(&first, &late));
    wait_for_crew();
    now += QUARTER - LAST_FOURTH - 1;
    assert_true(ask(request_of(1, 0, NULL), &next));
    assert_false(same(&first, &next));
    now += LAST_FOURTH;
    assert_true(ask(request_of(1, 0, NULL), &again)); /* and so on */
    wait_for_crew();
    now += QUARTER - LAST_FOURTH;
    assert_true(ask(request_of(1, 0, NULL), &again));
    assert_false(same(&next, &again));
}

static void test_an_answer_signed_ahead_says_what_is_true_then(void **state)
{
    (void)state;
    struct asked asked;
    assert_false(ask(request_of(1, 0, NULL), &asked));
    const ASN1_INTEGER *serial = X509_get0_serialNumber(alice->cert->x509);
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "test"},
        .act = HF_ACT_REVOKE,
        .authority = ca,
        .serial = hf_bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
        .reason = 4,
    };
    assert_int_equal(hf_store_do(store, &revoke.op), HF_OK);
    now += LAST_FOURTH;
    assert_true(ask(request_of(1, 0, NULL), &asked)); /* the view hasn't heard of it */
    wait_for_crew();
    now += QUARTER - LAST_FOURTH;
    assert_true(ask(request_of(1, 0, NULL), &asked));
    const unsigned char *at = asked.answer;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)asked.len);
    assert_non_null(response);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    int reason = -1;
    assert_int_equal(OCSP_single_get0_status(OCSP_resp_get0(basic, 0), &reason, NULL, NULL, NULL),
                     V_OCSP_CERTSTATUS_REVOKED);
    assert_int_equal(reason, 4);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
}

/* 256 answers, all asked for in the same second. */
static void test_so_many_are_signed_ahead_in_a_second(void **state)
{
    enum { N_IDS = 8, N = 1 << N_IDS, PER_SECOND = 200 };
    (void)state;
    struct asked asked;
    unsigned n_ahead = 0;
    for (unsigned form = 0; form < N; form++) {
        assert_false(ask(request_of(N_IDS, form, NULL), &asked));
    }
    now += LAST_FOURTH;
    for (unsigned form = 0; form < N; form++) {
        assert_true(ask(request_of(N_IDS, form, NULL), &asked));
    }
    wait_for_crew();
    now += QUARTER - LAST_FOURTH;
    for (unsigned form = 0; form < N; form++) {
        n_ahead += ask(request_of(N_IDS, form, NULL), &asked);
    }
    assert_int_equal(n_ahead, PER_SECOND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_kept_for_a_quarter),
        TEST(an_answer_to_a_nonce_is_not_kept),
        TEST(who_asks_late_has_the_next_signed_ahead),
        TEST(an_answer_signed_ahead_says_what_is_true_then),
        TEST(so_many_are_signed_ahead_in_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
