// SPDX-License-Identifier: Apache-2.0
/* What a route asks for, evaluated: any, all, conditions, waiting for a password, and running out
 * of memory at every step. Key sets are files; URLs are proved end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <crypt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "jose.h"
#include "os/clock.h"
#include "os/file.h"
#include "proxy/auth.h"

static char folder[64];
static struct issuer_key key;
static struct hf_loop *loop;
static struct hf_metrics *metrics;
static struct hf_log quiet;
static struct hf_auth_service *service;
static struct hf_config *config;
static struct hf_materials *materials;
static struct hf_auth_set *set;

static void put(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(hf_file_write_atomic(path, hf_bytes_str(text), 0600), HF_OK);
}

static const char text[] =
    "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n"
    "auth:\n"
    "  idp: {jwt: {jwks: keys, issuer: i, audience: a, forward: false}}\n"
    "  id: {jwt: {jwks: keys, issuer: i, audience: b, header: x-id}}\n"
    "  staff: {basic: {htpasswd: users, failures: 1/h burst 2}}\n"
    "listeners:\n"
    "  in:\n"
    "    listen: [\"127.0.0.1:1\"]\n"
    "    plain: true\n"
    "    mode: http\n"
    "    routes:\n"
    "      - {to: app, match: {path: /0}, auth: idp}\n"
    "      - {to: app, match: {path: /1}, auth: [staff, idp]}\n"
    "      - {to: app, match: {path: /2}, auth: {all: [staff, id]}}\n"
    "      - {to: app, match: {path: /3}, auth: {use: idp, users: [s], scopes: [x, y], claims: {t: "
    "1}}}\n"
    "      - {to: app, match: {path: /4}, auth: {all: [{any: [staff, idp]}, id]}}\n";

static int set_up(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    char line[CRYPT_OUTPUT_SIZE + 16], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};
    strcpy(folder, "/tmp/hf-auth-XXXXXX");
    assert_non_null(mkdtemp(folder));
    key = issuer_key_new("k", "P-256");
    char *keys = issuer_jwks(&key, 1);
    put("keys", keys);
    hf_free(keys);
    assert_non_null(crypt_gensalt_rn("$2b$", 4, "0123456789abcdef", 16, setting, sizeof(setting)));
    snprintf(line, sizeof(line), "alice:%s\n", crypt_r("secret", setting, &data));
    put("users", line);
    assert_int_equal(hf_config_parse(hf_bytes_str(text), "t.yaml", folder, &findings, &config),
                     HF_OK);
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_OK);
    hf_findings_done(&findings);
    assert_int_equal(hf_metrics_new(2, 1000, &metrics), HF_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[128];
    hf_metrics_free(metrics);
    hf_materials_unref(materials);
    hf_config_free(config);
    issuer_key_done(&key);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, i ? "keys" : "users");
        unlink(path);
    }
    rmdir(folder);
    return 0;
}

/* Each test has a service of its own, whose memory is empty. */
static int begin(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    assert_int_equal(hf_loop_new(&hf_os_clock, &loop), HF_OK);
    assert_int_equal(hf_auth_service_new(&hf_os_clock, &hf_os_rng, &quiet, metrics, 1, &service),
                     HF_OK);
    assert_int_equal(hf_auth_set_new(service, config, materials, &findings, &set), HF_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hf_auth_service_stop(service);
    hf_loop_free(loop);
    hf_auth_set_free(set);
    hf_auth_service_free(service);
    return 0;
}

/* --- A request ---------------------------------------------------------------------------------
 */

struct fields {
    const char *authorization[2];
    const char *id;
};

static bool nth(void *ctx, const char *name, size_t n, struct hf_bytes *out)
{
    const struct fields *fields = ctx;
    const char *value = strcmp(name, "authorization") == 0 && n < 2 ? fields->authorization[n]
                        : strcmp(name, "x-id") == 0 && n == 0       ? fields->id
                                                                    : NULL;
    *out = value ? hf_bytes_str(value) : *out;
    return value != NULL;
}

static void on_done(void *ctx)
{
    *(bool *)ctx = true;
    hf_loop_stop(loop);
}

/* The whole check; *out_waited says whether it had to wait. */
static enum hf_reason ask(size_t route, struct fields fields, struct hf_auth_call **out_call,
                          bool *out_waited)
{
    struct hf_addr peer;
    bool done = false;
    assert_int_equal(hf_addr_parse("192.0.2.7:1", &peer), HF_OK);
    struct hf_auth_ask question = {
        .service = service,
        .set = set,
        .expr = config->listeners[0].routes[route].auth,
        .loop = loop,
        .address = &peer,
        .header = nth,
        .header_ctx = &fields,
        .on_done = on_done,
        .ctx = &done,
    };
    enum hf_auth_step step = hf_auth_begin(&question, out_call);
    *out_waited = step == HF_AUTH_WAIT;
    if (step == HF_AUTH_WAIT) {
        assert_int_equal(hf_loop_run(loop), HF_OK);
        assert_true(done);
    }
    return *out_call ? hf_auth_answer(*out_call)->reason : HF_REASON_INTERNAL;
}

static char *bearer(const char *aud, const char *more)
{
    char claims[256];
    static char value[2048];
    snprintf(claims, sizeof(claims), "{\"iss\":\"i\",\"aud\":\"%s\",\"exp\":4102444800%s}", aud,
             more);
    char *token = issuer_token_of(&key, HF_JWS_ES256, claims);
    snprintf(value, sizeof(value), "Bearer %s", token);
    hf_free(token);
    return hf_strdup(value);
}

#define RIGHT "Basic YWxpY2U6c2VjcmV0" /* alice:secret */
#define WRONG "bAsIc YWxpY2U6d3Jvbmc=" /* alice:wrong */

static void check(size_t route, struct fields fields, enum hf_reason wanted)
{
    struct hf_auth_call *call;
    bool waited;
    enum hf_reason reason = ask(route, fields, &call, &waited);
    if (reason != wanted) {
        fail_msg("route %zu: %s instead of %s", route, hf_reason_code(reason),
                 hf_reason_code(wanted));
    }
    hf_auth_end(call);
}

static void one_of_several_will_do(void **state)
{
    (void)state;
    char *token = bearer("a", "");
    check(1, (struct fields){.authorization = {token}}, HF_REASON_OK);
    check(1, (struct fields){.authorization = {RIGHT}}, HF_REASON_OK);
    check(1, (struct fields){.authorization = {WRONG}}, HF_REASON_WRONG_PASSWORD);
    check(1, (struct fields){.authorization = {"Digest x"}}, HF_REASON_AUTH_REQUIRED);
    check(1, (struct fields){.authorization = {"Bearer x"}}, HF_REASON_TOKEN_MALFORMED);
    check(1, (struct fields){.authorization = {"Bearer "}}, HF_REASON_BAD_CREDENTIAL);
    check(1, (struct fields){.authorization = {token, token}}, HF_REASON_BAD_CREDENTIAL);
    check(1, (struct fields){{0}}, HF_REASON_AUTH_REQUIRED);
    check(0, (struct fields){.authorization = {RIGHT}}, HF_REASON_AUTH_REQUIRED);
    hf_free(token);
}

static void all_must_be_shown(void **state)
{
    (void)state;
    char *good = bearer("b", ""), *other = bearer("a", "");
    check(2, (struct fields){.authorization = {RIGHT}, .id = good}, HF_REASON_OK);
    check(2, (struct fields){.authorization = {RIGHT}, .id = good + 7}, HF_REASON_OK);
    check(2, (struct fields){.authorization = {RIGHT}}, HF_REASON_AUTH_REQUIRED);
    check(2, (struct fields){.id = good}, HF_REASON_AUTH_REQUIRED);
    check(2, (struct fields){.authorization = {RIGHT}, .id = other}, HF_REASON_TOKEN_AUDIENCE);
    check(2, (struct fields){.authorization = {WRONG}, .id = good}, HF_REASON_WRONG_PASSWORD);
    check(4, (struct fields){.authorization = {other}, .id = good}, HF_REASON_OK);
    check(4, (struct fields){.authorization = {RIGHT}, .id = good}, HF_REASON_OK);
    check(4, (struct fields){.authorization = {good}, .id = good}, HF_REASON_TOKEN_AUDIENCE);
    hf_free(good);
    hf_free(other);
}

static void routes_have_conditions_of_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        enum hf_reason reason;
    } table[] = {
        {",\"sub\":\"s\",\"scope\":\"y x\",\"t\":1", HF_REASON_OK},
        {",\"sub\":\"r\",\"scope\":\"y x\",\"t\":1", HF_REASON_WRONG_USER},
        {",\"scope\":\"y x\",\"t\":1", HF_REASON_WRONG_USER},
        {",\"sub\":\"s\",\"scope\":\"x\",\"t\":1", HF_REASON_TOKEN_SCOPE},
        {",\"sub\":\"s\",\"scope\":\"y x\",\"t\":2", HF_REASON_TOKEN_CLAIM},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        char *token = bearer("a", table[i].claims);
        check(3, (struct fields){.authorization = {token}}, table[i].reason);
        hf_free(token);
    }
}

static void the_answer_says_what_would_have_done(void **state)
{
    (void)state;
    struct hf_auth_call *call;
    bool waited;
    char *token = bearer("a", ",\"sub\":\"s\",\"scope\":\"x\",\"t\":1");
    assert_int_equal(ask(3, (struct fields){.authorization = {token}}, &call, &waited),
                     HF_REASON_TOKEN_SCOPE);
    const struct hf_auth_answer *answer = hf_auth_answer(call);
    assert_int_equal(answer->n_challenges, 1);
    assert_int_equal(answer->challenges[0].error, HF_BEARER_INSUFFICIENT_SCOPE);
    assert_string_equal(answer->challenges[0].scope, "x y");
    hf_auth_end(call);
    assert_int_equal(ask(1, (struct fields){{0}}, &call, &waited), HF_REASON_AUTH_REQUIRED);
    answer = hf_auth_answer(call);
    assert_int_equal(answer->n_challenges, 2);
    assert_int_equal(answer->challenges[0].scheme, HF_CHALLENGE_BASIC);
    assert_int_equal(answer->challenges[1].scheme, HF_CHALLENGE_BEARER);
    assert_int_equal(answer->challenges[1].error, HF_BEARER_NONE);
    hf_auth_end(call);
    assert_int_equal(ask(0, (struct fields){.authorization = {token}}, &call, &waited),
                     HF_REASON_OK);
    answer = hf_auth_answer(call);
    assert_string_equal(answer->user, "s");
    assert_string_equal(answer->issuer, "i");
    assert_int_equal(answer->n_strip, 1); /* forward: false */
    assert_string_equal(answer->strip[0], "authorization");
    hf_auth_end(call);
    hf_free(token);
}

static void a_right_password_is_hashed_once(void **state)
{
    (void)state;
    struct hf_auth_call *call;
    bool waited;
    assert_int_equal(ask(1, (struct fields){.authorization = {RIGHT}}, &call, &waited),
                     HF_REASON_OK);
    assert_true(waited);
    hf_auth_end(call);
    assert_int_equal(ask(1, (struct fields){.authorization = {RIGHT}}, &call, &waited),
                     HF_REASON_OK);
    assert_false(waited);
    assert_string_equal(hf_auth_answer(call)->strip[0], "authorization");
    hf_auth_end(call);
}

static void wrong_passwords_are_counted(void **state)
{
    (void)state;
    struct hf_auth_call *call;
    bool waited;
    check(1, (struct fields){.authorization = {WRONG}}, HF_REASON_WRONG_PASSWORD);
    check(1, (struct fields){.authorization = {WRONG}}, HF_REASON_WRONG_PASSWORD);
    assert_int_equal(ask(1, (struct fields){.authorization = {RIGHT}}, &call, &waited),
                     HF_REASON_TOO_MANY_FAILURES);
    assert_false(waited);
    assert_true(hf_auth_answer(call)->retry_after_s > 3500);
    assert_int_equal(hf_auth_answer(call)->n_challenges, 0);
    hf_auth_end(call);
}

static void a_call_may_be_ended_while_it_waits(void **state)
{
    (void)state;
    struct hf_addr peer;
    bool done = false;
    struct fields fields = {.authorization = {RIGHT}};
    assert_int_equal(hf_addr_parse("192.0.2.7:1", &peer), HF_OK);
    struct hf_auth_ask question = {
        .service = service,
        .set = set,
        .expr = config->listeners[0].routes[1].auth,
        .loop = loop,
        .address = &peer,
        .header = nth,
        .header_ctx = &fields,
        .on_done = on_done,
        .ctx = &done,
    };
    struct hf_auth_call *call;
    assert_int_equal(hf_auth_begin(&question, &call), HF_AUTH_WAIT);
    hf_auth_end(call);
    hf_auth_service_stop(service); /* the job ends, and tells nobody */
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_false(done);
}

static void no_memory_is_no_admission(void **state)
{
    (void)state;
    char *good = bearer("b", "");
    enum hf_reason reason = HF_REASON_INTERNAL;
    for (size_t n = 1; reason != HF_REASON_OK; n++) {
        struct hf_auth_call *call;
        bool waited;
        hf_alloc_fail_after(n);
        reason = ask(2, (struct fields){.authorization = {RIGHT}, .id = good}, &call, &waited);
        hf_alloc_fail_after(0);
        assert_true(reason == HF_REASON_OK || reason == HF_REASON_INTERNAL ||
                    reason == HF_REASON_AUTH_BUSY);
        assert_true(n < 60);
        hf_auth_end(call);
    }
    hf_free(good);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_of_several_will_do),
        TEST(all_must_be_shown),
        TEST(routes_have_conditions_of_their_own),
        TEST(the_answer_says_what_would_have_done),
        TEST(a_right_password_is_hashed_once),
        TEST(wrong_passwords_are_counted),
        TEST(a_call_may_be_ended_while_it_waits),
        TEST(no_memory_is_no_admission),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
