// SPDX-License-Identifier: Apache-2.0
/* A CA as a daemon serves it: its live view, its public part and its feed, asked as workers ask. */
#include "ca/host.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/authority_make.h"
#include "ca/feed.h"
#include "ca/follow.h"
#include "ca/init.h"
#include "ca/public.h"
#include "os/clock.h"
#include "store_world.h"

#define assert_ok(expr) assert_int_equal((expr), HF_OK)

static struct hf_ca_host *host;
static int64_t issuing;
static struct hf_log quiet = {.level = HF_LOG_ERROR, .clock = &hf_os_clock};

static atomic_int n_errors;

static void drop_line(void *ctx, struct hf_bytes line)
{
    (void)ctx;
    (void)line;
    atomic_fetch_add(&n_errors, 1);
}

/* Asks again and again, for what tells nobody; a bug alone makes it last. */
#define until(condition) \
    for (int tries_ = 0; !(condition); tries_++) { \
        assert_true(tries_ < 6000); \
        (void)poll(NULL, 0, 10); \
    }

static struct hf_ca_service_options service_options(void)
{
    return (struct hf_ca_service_options){
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng};
}

static enum hf_err find_issuing(void *ctx, const struct hf_store_authority *row)
{
    (void)ctx;
    issuing = strcmp(row->name, "issuing") == 0 ? row->id : issuing;
    return HF_OK;
}

static void open_host(void)
{
    const struct hf_ca_host_options how = {.name = "main",
                                           .service = service_options(),
                                           .log = &quiet,
                                           .crl_lifetime_s = 86400,
                                           .ocsp_lifetime_s = 3600,
                                           .lost_ms = 1};
    assert_ok(hf_ca_host_open(&how, &host));
}

static int set_up(void **state)
{
    (void)state;
    struct hf_ca_service *service = NULL;
    struct hf_ca_service_options options = service_options();
    const struct hf_ca_new what = {.name = "Example"};
    struct hf_buf none = HF_BUF_INIT(0);
    world_reset();
    options.create = true;
    assert_ok(hf_ca_service_open(&options, &service));
    assert_ok(hf_ca_init(service, "test", &what, &none));
    assert_ok(hf_store_authorities(hf_ca_store(service), find_issuing, NULL));
    hf_ca_service_close(service);
    quiet.write = drop_line;
    open_host();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_ca_host_close(host);
    host = NULL;
    return 0;
}

static struct hf_store *store(void)
{
    return hf_ca_store(hf_ca_host_service(host));
}

static void act(enum hf_store_act act, unsigned number)
{
    struct hf_store_revoke revoke = {.op = {.kind = HF_STORE_REVOKE, .actor = "test"},
                                     .act = act,
                                     .authority = issuing,
                                     .serial = world_serial(number),
                                     .reason = 1,
                                     .unknown = true};
    assert_ok(hf_store_do(store(), &revoke.op));
}

/* --- Calls --------------------------------------------------------------------------------------
 */

struct asked {
    struct hf_service_call call;
    struct hf_http_field field;
    char head[160];
    sem_t done;
    unsigned status;
    char etag[80], modified[64], allow[32];
    char *text;
    size_t len;
};

static enum hf_err take_field(void *ctx, struct hf_bytes name, struct hf_bytes value)
{
    struct asked *asked = ctx;
    char *to = hf_bytes_eq_str(name, "etag")            ? asked->etag
               : hf_bytes_eq_str(name, "last-modified") ? asked->modified
               : hf_bytes_eq_str(name, "allow")         ? asked->allow
                                                        : NULL;
    if (to) {
        memcpy(to, value.ptr, value.len);
        to[value.len] = '\0';
    }
    return HF_OK;
}

static void on_answer(struct hf_service_call *call, struct hf_service_answer *answer)
{
    struct asked *asked = HF_CONTAINER_OF(call, struct asked, call);
    asked->status = answer->status;
    assert_ok(hf_service_each_field(answer, asked, take_field));
    asked->len = answer->body.len;
    asked->text = hf_strndup((const char *)answer->body.ptr, answer->body.len);
    hf_service_answer_done(answer);
    sem_post(&asked->done);
}

/* One field of the request, or none. */
static void begin(struct asked *asked, struct hf_service *service, const char *line,
                  const char *name, const char *value)
{
    size_t method_len = strcspn(line, " ");
    const char *target = line + method_len + 1;
    size_t path_len = strcspn(target, "?");
    *asked = (struct asked){0};
    sem_init(&asked->done, 0, 0);
    int n =
        snprintf(asked->head, sizeof(asked->head), "%s%s", name ? name : "", value ? value : "");
    uint16_t name_len = (uint16_t)(name ? strlen(name) : 0);
    asked->field = (struct hf_http_field){
        .name_len = name_len, .value_at = name_len, .value_len = (uint32_t)n - name_len};
    asked->call = (struct hf_service_call){
        .request = {.method = hf_http_method_find(hf_bytes_of(line, method_len)),
                    .method_text = hf_bytes_of(line, method_len),
                    .full_path = hf_bytes_of(target, path_len),
                    .raw_path = hf_bytes_of(target, path_len),
                    .path = hf_bytes_of(target, path_len),
                    .query = hf_bytes_str(target[path_len] ? target + path_len + 1 : ""),
                    .id = "0",
                    .listener = "in",
                    .client_address = "192.0.2.7",
                    .headers = {hf_bytes_of(asked->head, (size_t)n), &asked->field, name ? 1 : 0}},
        .answer = on_answer,
    };
    service->ops->serve(service, &asked->call);
}

static unsigned wait_for(struct asked *asked)
{
    while (sem_wait(&asked->done) != 0) {
    }
    return asked->status;
}

static void done(struct asked *asked)
{
    hf_free(asked->text);
    sem_destroy(&asked->done);
    *asked = (struct asked){0};
}

static unsigned ask_once(struct hf_service *service, const char *line, const char *name,
                         const char *value)
{
    struct asked asked;
    begin(&asked, service, line, name, value);
    unsigned status = wait_for(&asked);
    done(&asked);
    return status;
}

/* --- The live view ------------------------------------------------------------------------------
 */

static enum hf_live_answer standing(unsigned number)
{
    struct hf_authorities *set = hf_ca_authorities(hf_ca_host_service(host));
    struct hf_live *live = hf_ca_host_live(host);
    struct hf_bytes bytes = world_serial(number);
    struct hf_serial serial = {.len = (uint8_t)bytes.len};
    memcpy(serial.byte, bytes.ptr, bytes.len);
    const struct hf_authority *one = hf_authorities_by_id(set, issuing);
    enum hf_live_answer answer = hf_live_find(live, one->cert->spki_sha256, &serial, NULL);
    hf_live_unref(live);
    hf_authorities_unref(set);
    return answer;
}

static void what_is_revoked_held_and_released_is_known(void **state)
{
    (void)state;
    assert_int_equal(standing(1), HF_LIVE_GOOD);
    act(HF_ACT_REVOKE, 1);
    until(standing(1) == HF_LIVE_REVOKED);
    act(HF_ACT_REVOKE, 2);
    act(HF_ACT_HOLD, 3);
    until(standing(3) == HF_LIVE_REVOKED);
    assert_int_equal(standing(2), HF_LIVE_REVOKED);
    act(HF_ACT_RELEASE, 3);
    until(standing(3) == HF_LIVE_GOOD);
    assert_int_equal(standing(1), HF_LIVE_REVOKED);
}

static void a_store_that_cannot_be_read_makes_the_view_lost_until_it_can(void **state)
{
    (void)state;
    act(HF_ACT_REVOKE, 1);
    until(standing(1) == HF_LIVE_REVOKED);
    world_sql("ALTER TABLE journal RENAME TO elsewhere");
    until(standing(2) == HF_LIVE_LOST);
    assert_int_equal(standing(1), HF_LIVE_REVOKED);
    world_sql("ALTER TABLE elsewhere RENAME TO journal");
    until(standing(2) == HF_LIVE_GOOD);
    assert_int_equal(standing(1), HF_LIVE_REVOKED);
    struct hf_live *live = hf_ca_host_live(host);
    assert_true(hf_live_heard_ns(live) > 0);
    hf_live_unref(live);
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static struct hf_store_crl last_list(void)
{
    struct hf_store_crl crl = {0};
    enum hf_err err = hf_store_crl_last(store(), issuing, 0, false, &crl);
    assert_true(err == HF_OK || err == HF_E_NOT_FOUND);
    return crl;
}

static void lists_follow_revocations_and_are_never_dated_back(void **state)
{
    (void)state;
    until(last_list().number > 0);
    struct hf_store_crl before = last_list();
    assert_int_equal(before.n_entries, 0);
    act(HF_ACT_REVOKE, 1);
    until(last_list().n_entries == 1);
    struct hf_store_crl first = last_list();
    assert_true(first.number > before.number);
    assert_int_equal(first.next_update - first.this_update, 86400);
    world_now -= 86400;
    until(last_list().number > first.number);
    struct hf_store_crl held = last_list();
    assert_true(held.this_update >= first.this_update);
    assert_int_equal(held.n_entries, 1);
    world_now += 86400 + 365 * 86400;
    until(last_list().this_update == world_now);
    struct hf_store_crl ahead = last_list();
    world_now -= 365 * 86400;
    until(last_list().number > ahead.number);
    assert_int_equal(last_list().this_update, world_now);
    assert_int_equal(last_list().n_entries, 1);
}

/* --- OCSP signers -------------------------------------------------------------------------------
 */

static enum hf_err count_signer(void *ctx, const struct hf_store_cert *row)
{
    size_t *n = ctx;
    *n += strcmp(row->profile, "ocsp-signer") == 0;
    return HF_OK;
}

static size_t n_signers(void)
{
    const struct hf_store_query query = {.authority = issuing, .limit = 100};
    struct hf_store_page page;
    size_t n = 0;
    assert_ok(hf_store_certs(store(), &query, count_signer, &n, &page));
    return n;
}

static void a_signer_that_could_not_be_had_is_asked_for_again_soon(void **state)
{
    (void)state;
    until(n_signers() == 1);
    hf_ca_host_close(host);
    world_sql("ALTER TABLE words RENAME TO elsewhere");
    atomic_store(&n_errors, 0);
    open_host();
    until(atomic_load(&n_errors) > 0);
    world_sql("ALTER TABLE elsewhere RENAME TO words");
    until(n_signers() == 2);
}

static void a_retired_authority_goes_on_answering_ocsp(void **state)
{
    (void)state;
    struct hf_ca_service *service = hf_ca_host_service(host);
    struct hf_authorities *set = hf_ca_authorities(service);
    until(n_signers() == 1);
    assert_ok(hf_authority_change(service, "test", hf_authorities_find(set, "issuing"),
                                  HF_AUTHORITY_RETIRED,
                                  &hf_authorities_find(set, "issuing")->settings));
    hf_authorities_unref(set);
    hf_ca_host_close(host);
    open_host();
    until(n_signers() == 2);
}

static void an_authority_that_has_ended_is_asked_for_no_signer(void **state)
{
    (void)state;
    until(n_signers() == 1);
    hf_ca_host_close(host);
    world_now += 5 * 365 * 86400; /* beyond issuing's end, and not the root's */
    atomic_store(&n_errors, 0);
    open_host();
    until(last_list().this_update == world_now); /* signers come before lists are ready */
    assert_int_equal(n_signers(), 1);
    assert_int_equal(atomic_load(&n_errors), 0);
}

/* --- The public part ----------------------------------------------------------------------------
 */

static void documents_are_shown_as_http_wants_them(void **state)
{
    (void)state;
    struct hf_service *public = hf_ca_host_public(host);
    struct asked asked;
    until(ask_once(public, "GET /crl/issuing.crl", NULL, NULL) == 200);
    begin(&asked, public, "GET /crl/issuing.crl", NULL, NULL);
    assert_int_equal(wait_for(&asked), 200);
    char etag[80], weak[84], both[96], modified[64];
    snprintf(etag, sizeof(etag), "%s", asked.etag);
    snprintf(weak, sizeof(weak), "W/%s", etag);
    snprintf(both, sizeof(both), "\"x\", %s", etag);
    snprintf(modified, sizeof(modified), "%s", asked.modified);
    assert_true(asked.len > 100);
    done(&asked);
    static const char line[] = "GET /crl/issuing.crl";
    assert_int_equal(ask_once(public, line, "if-none-match", etag), 304);
    assert_int_equal(ask_once(public, line, "if-none-match", weak), 304);
    assert_int_equal(ask_once(public, line, "if-none-match", both), 304);
    assert_int_equal(ask_once(public, line, "if-none-match", "*"), 304);
    assert_int_equal(ask_once(public, line, "if-none-match", "\"x\""), 200);
    assert_int_equal(ask_once(public, line, "if-modified-since", modified), 304);
    assert_int_equal(ask_once(public, line, "if-modified-since", "yesterday"), 200);
    assert_int_equal(ask_once(public, "HEAD /ca/issuing.crt", NULL, NULL), 200);
    assert_int_equal(ask_once(public, "GET /ca/roots.pem", NULL, NULL), 200);
    static const char *const absent[] = {
        "GET /",    "GET /crl/issuing.cr", "GET /crl/issuing.crl2", "GET /crl/issuing-delta.crl",
        "GET /ca/", "GET /ocspx"};
    for (size_t i = 0; i < HF_N_ELEMENTS(absent); i++) {
        assert_int_equal(ask_once(public, absent[i], NULL, NULL), 404);
    }
    begin(&asked, public, "POST /ca/issuing.crt", NULL, NULL);
    assert_int_equal(wait_for(&asked), 405);
    assert_string_equal(asked.allow, "GET, HEAD");
    done(&asked);
    begin(&asked, public, "DELETE /ocsp", NULL, NULL);
    assert_int_equal(wait_for(&asked), 405);
    assert_string_equal(asked.allow, "GET, HEAD, POST");
    done(&asked);
    assert_int_equal(ask_once(public, "POST /ocsp", "content-type", "text/plain"), 415);
}

static void before_anything_is_shown_it_is_not_ready(void **state)
{
    (void)state;
    struct hf_crew *crew = NULL;
    struct hf_public *public = NULL;
    const struct hf_public_options options = {.store = store(), .clock = &world_clock};
    assert_ok(hf_crew_new(1, 8, &crew));
    struct hf_public_options with_crew = options;
    with_crew.crew = crew;
    assert_ok(hf_public_new(&with_crew, &public));
    assert_int_equal(ask_once(hf_public_service(public), "GET /crl/issuing.crl", NULL, NULL), 503);
    hf_public_close(public);
    hf_crew_free(crew);
    hf_service_unref(hf_public_service(public));
}

/* --- The feed -----------------------------------------------------------------------------------
 */

static void follow(struct hf_feed_state *state, const char *more)
{
    char line[256];
    struct asked asked;
    snprintf(line, sizeof(line), "GET /feed/?store=%s&since=%lld%s", state->store,
             (long long)state->seq, more);
    begin(&asked, hf_ca_host_feed(host), line, NULL, NULL);
    assert_int_equal(wait_for(&asked), 200);
    assert_ok(hf_feed_read(hf_bytes_of(asked.text, asked.len), "main", state));
    done(&asked);
}

static void the_feed_tells_all_then_what_is_new(void **state)
{
    (void)state;
    struct hf_feed_state known = {0};
    act(HF_ACT_REVOKE, 1);
    follow(&known, "");
    assert_int_equal(known.seq, 1);
    assert_string_equal(known.store, hf_store_id(store()));
    act(HF_ACT_REVOKE, 2);
    follow(&known, "&wait=50"); /* is there already */
    assert_int_equal(known.seq, 2);
    follow(&known, "");
    assert_int_equal(known.seq, 2);
    hf_feed_state_done(&known);
}

static void who_waits_is_told_when_there_is_news(void **state)
{
    (void)state;
    char line[256];
    struct asked asked;
    snprintf(line, sizeof(line), "GET /feed/?store=%s&since=0&wait=50", hf_store_id(store()));
    begin(&asked, hf_ca_host_feed(host), line, NULL, NULL);
    int waits = -1;
    sem_getvalue(&asked.done, &waits);
    assert_int_equal(waits, 0);
    act(HF_ACT_REVOKE, 1);
    assert_int_equal(wait_for(&asked), 200);
    assert_non_null(strstr(asked.text, "\nend 1\n"));
    done(&asked);
    snprintf(line, sizeof(line), "GET /feed/?store=%s&since=1&wait=50", hf_store_id(store()));
    begin(&asked, hf_ca_host_feed(host), line, NULL, NULL);
    hf_ca_host_drain(host);
    assert_int_equal(wait_for(&asked), 200);
    done(&asked);
}

static void after_the_clock_was_set_back_all_is_told_anew(void **state)
{
    (void)state;
    struct hf_feed_state known = {0};
    char before[64];
    act(HF_ACT_REVOKE, 1);
    follow(&known, "");
    snprintf(before, sizeof(before), "%s", known.store);
    world_now -= 86400;
    until((follow(&known, ""), strcmp(known.store, before) != 0));
    assert_int_equal(known.seq, 1);
    assert_int_equal(strncmp(known.store, before, strlen(before)), 0);
    struct hf_live *live = NULL;
    assert_ok(hf_live_book_take(known.book, known.seq, &live));
    assert_int_equal(hf_live_count(live), 1);
    hf_live_unref(live);
    hf_feed_state_done(&known);
}

static void what_no_feed_is_asked_is_refused(void **state)
{
    (void)state;
    struct hf_service *feed = hf_ca_host_feed(host);
    assert_int_equal(ask_once(feed, "POST /feed/", NULL, NULL), 405);
    static const char *const bad[] = {"GET /?since=x",
                                      "GET /?since=-1",
                                      "GET /?wait=56",
                                      "GET /?wait=1s",
                                      "GET /?since=99999999999999999999",
                                      "GET /?store=%zz"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(ask_once(feed, bad[i], NULL, NULL), 400);
    }
    assert_int_equal(ask_once(feed, "GET /", NULL, NULL), 200);
}

#define host_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        host_test(what_is_revoked_held_and_released_is_known),
        host_test(a_store_that_cannot_be_read_makes_the_view_lost_until_it_can),
        host_test(lists_follow_revocations_and_are_never_dated_back),
        host_test(a_signer_that_could_not_be_had_is_asked_for_again_soon),
        host_test(a_retired_authority_goes_on_answering_ocsp),
        host_test(an_authority_that_has_ended_is_asked_for_no_signer),
        host_test(documents_are_shown_as_http_wants_them),
        host_test(before_anything_is_shown_it_is_not_ready),
        host_test(the_feed_tells_all_then_what_is_new),
        host_test(who_waits_is_told_when_there_is_news),
        host_test(after_the_clock_was_set_back_all_is_told_anew),
        host_test(what_no_feed_is_asked_is_refused),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
