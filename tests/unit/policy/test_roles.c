// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/roles.h"

/* An expression in few letters: S("cn:a"), R("ops"), ANY(...), ALL(...), NOT(x). */
#define S(t) ((struct hf_role_expr){.op = HF_ROLE_SELECTOR, .text = (t)})
#define R(t) ((struct hf_role_expr){.op = HF_ROLE_NAMED, .text = (t)})
#define LIST(o, ...) \
    ((struct hf_role_expr){.op = (o), \
                           .parts = (const struct hf_role_expr[]){__VA_ARGS__}, \
                           .n_parts = sizeof((const struct hf_role_expr[]){__VA_ARGS__}) / \
                                      sizeof(struct hf_role_expr)})
#define ANY(...) LIST(HF_ROLE_ANY, __VA_ARGS__)
#define ALL(...) LIST(HF_ROLE_ALL, __VA_ARGS__)
#define NOT(...) LIST(HF_ROLE_NOT, __VA_ARGS__)

/* Names in identities are not const, though nobody changes them. */
#define T(text) ((char[]){text})

static const struct hf_identity alice = {
    .subject = T("CN=alice,OU=Ops"), .issuer = T("CN=CA"), .cn = T("alice"), .serial = T("1f")};
static const struct hf_identity bob = {
    .subject = T("CN=bob,OU=Interns"), .issuer = T("CN=CA"), .cn = T("bob"), .serial = T("2f")};
static const struct hf_identity mangled = {
    .subject = T("CN=x"), .issuer = T("CN=CA"), .cn = T("x"), .serial = T("3f"), .mangled = true};

static struct hf_roles *make(const struct hf_role_source *sources, size_t n)
{
    struct hf_roles *roles = NULL;
    struct hf_role_place place;
    if (hf_roles_new(sources, n, &roles, &place) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return roles;
}

/* What the only role says of alice, bob, the mangled one and nobody: "YNUN", say. */
static void expect(struct hf_role_expr expr, const char *answers)
{
    static const struct hf_identity *const who[] = {&alice, &bob, &mangled, NULL};
    struct hf_role_source source = {"r", expr};
    struct hf_roles *roles = make(&source, 1);
    for (size_t i = 0; i < HF_N_ELEMENTS(who); i++) {
        enum hf_match got;
        assert_int_equal(hf_roles_judge(roles, who[i], &got), HF_OK);
        if ("NYU"[got] != answers[i]) {
            fail_msg("identity %zu: %c in place of %c", i, "NYU"[got], answers[i]);
        }
    }
    hf_roles_free(roles);
}

static void selectors_alone(void **state)
{
    (void)state;
    expect(S("cn:alice"), "YNUN");
    expect(S("cn:carol"), "NNUN");
    expect(S("serial:3f"), "NNYN");
}

static void and_or_not(void **state)
{
    (void)state;
    expect(ANY(S("cn:alice"), S("cn:bob")), "YYUN");
    expect(ANY(S("cn:carol")), "NNUN");
    expect(ALL(S("cn:*"), S("ou:Ops")), "YNUN");
    expect(ALL(S("cn:alice")), "YNUN");
    expect(NOT(S("ou:Interns")), "YNUN");
    expect(ALL(S("issuer:CN=CA"), NOT(ANY(S("ou:Interns"), S("cn:carol")))), "YNUN");
    expect(NOT(NOT(S("cn:alice"))), "YNUN");
    expect(ANY(ALL(S("cn:alice"), S("ou:Ops")), ALL(S("cn:bob"), NOT(S("ou:Ops")))), "YYUN");
}

static void unknown_stays_unknown_unless_something_else_decides(void **state)
{
    (void)state;
    expect(ANY(S("cn:x"), S("serial:3f")), "NNYN");
    expect(ANY(S("cn:x"), S("serial:4f")), "NNUN");
    expect(ALL(S("cn:*"), S("serial:3f")), "NNUN");
    expect(ALL(S("cn:*"), S("serial:4f")), "NNNN");
    expect(NOT(S("cn:alice")), "NYUN");
    expect(NOT(S("serial:3f")), "YYNN");
}

static void nobody_has_no_role(void **state)
{
    (void)state;
    expect(NOT(S("serial:9f")), "YYYN");
    expect(NOT(ANY(S("serial:1f"), S("serial:2f"))), "NNYN");
}

static void roles_in_roles_in_any_order(void **state)
{
    (void)state;
    const struct hf_role_source sources[] = {
        {"admins", ALL(R("ops"), NOT(R("interns")))},
        {"everyone", ANY(R("admins"), R("interns"), R("ops"))},
        {"interns", S("ou:Interns")},
        {"ops", ANY(S("ou:Ops"), S("cn:bob"))},
        {"same", R("ops")},
    };
    static const char *const expected[] = {"YNUN", "YYUN", "NYUN", "YYUN", "YYUN"};
    static const struct hf_identity *const who[] = {&alice, &bob, &mangled, NULL};
    struct hf_roles *roles = make(sources, HF_N_ELEMENTS(sources));
    assert_int_equal(hf_roles_count(roles), 5);
    for (size_t i = 0; i < HF_N_ELEMENTS(who); i++) {
        enum hf_match got[5];
        assert_int_equal(hf_roles_judge(roles, who[i], got), HF_OK);
        for (size_t role = 0; role < 5; role++) {
            assert_int_equal("NYU"[got[role]], expected[role][i]);
        }
    }
    for (size_t role = 0; role < 5; role++) {
        assert_string_equal(hf_roles_name(roles, role), sources[role].name);
        assert_int_equal(hf_roles_find(roles, sources[role].name), role);
    }
    assert_true(hf_roles_find(roles, "nobody") == SIZE_MAX);
    hf_roles_free(roles);
}

static void no_roles_at_all(void **state)
{
    (void)state;
    struct hf_roles *roles = make(NULL, 0);
    assert_int_equal(hf_roles_count(roles), 0);
    assert_int_equal(hf_roles_judge(roles, &alice, NULL), HF_OK);
    hf_roles_free(roles);
    hf_roles_free(NULL);
}

static void refuse(const struct hf_role_source *sources, size_t n, enum hf_err err,
                   const char *words, size_t role, const struct hf_role_expr *expr)
{
    struct hf_roles *roles = NULL;
    struct hf_role_place place;
    assert_int_equal(hf_roles_new(sources, n, &roles, &place), err);
    assert_null(roles);
    if (!strstr(hf_err_text(), words)) {
        fail_msg("\"%s\" has no \"%s\"", hf_err_text(), words);
    }
    assert_int_equal(place.role, role);
    assert_ptr_equal(place.expr, expr);
}

static void cycles_are_refused_step_by_step(void **state)
{
    (void)state;
    const struct hf_role_source self[] = {{"a", R("a")}};
    refuse(self, 1, HF_E_INVALID, "leads back to itself: a uses a", 0, &self[0].expr);

    const struct hf_role_source two[] = {{"a", ANY(S("cn:x"), NOT(R("b")))}, {"b", R("a")}};
    struct hf_roles *roles = NULL;
    struct hf_role_place place;
    assert_int_equal(hf_roles_new(two, 2, &roles, &place), HF_E_INVALID);
    assert_true(strstr(hf_err_text(), "a uses b uses a") ||
                strstr(hf_err_text(), "b uses a uses b"));

    const struct hf_role_source tail[] = {
        {"in", ANY(R("c"), R("good"))}, {"good", S("cn:x")}, {"c", R("d")}, {"d", R("c")}};
    assert_int_equal(hf_roles_new(tail, 4, &roles, &place), HF_E_INVALID);
    assert_true(strstr(hf_err_text(), "c uses d uses c") ||
                strstr(hf_err_text(), "d uses c uses d"));
    assert_true(place.role == 2 || place.role == 3);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    const struct hf_role_source unknown[] = {{"ops", S("cn:x")}, {"b", ANY(S("cn:y"), R("opps"))}};
    refuse(unknown, 2, HF_E_INVALID, "there is no role \"opps\"; did you mean \"ops\"?", 1,
           &unknown[1].expr.parts[1]);

    const struct hf_role_source selector[] = {{"a", S("cn:x")}, {"b", ALL(S("cn:y"), S("cn"))}};
    refuse(selector, 2, HF_E_INVALID, "KIND:PATTERN", 1, &selector[1].expr.parts[1]);

    const struct hf_role_source twice[] = {{"a", S("cn:x")}, {"a", S("cn:y")}};
    refuse(twice, 2, HF_E_EXISTS, "\"a\" is there already", 1, NULL);

    const struct hf_role_source empty[] = {{"a", {.op = HF_ROLE_ALL}}};
    refuse(empty, 1, HF_E_INVALID, "empty list", 0, &empty[0].expr);

    const struct hf_role_source none[] = {{"a", NOT(S("cn:x"), S("cn:y"))}};
    refuse(none, 1, HF_E_INVALID, "\"not\" takes one", 0, &none[0].expr);
}

static void depth_is_limited(void **state)
{
    (void)state;
    struct hf_role_expr nest[HF_ROLE_DEPTH_MAX + 2];
    size_t last = HF_ROLE_DEPTH_MAX + 1;
    nest[last] = S("cn:x");
    for (size_t i = last; i > 0; i--) {
        nest[i - 1] = (struct hf_role_expr){.op = HF_ROLE_NOT, .parts = &nest[i], .n_parts = 1};
    }
    struct hf_role_source deep = {"a", nest[0]};
    struct hf_role_source fits = {"a", nest[1]};
    refuse(&deep, 1, HF_E_TOO_LARGE, "deeper than", 0, &nest[HF_ROLE_DEPTH_MAX]);
    hf_roles_free(make(&fits, 1));
}

/* Each role uses the one before it twice: judged by recursion this would take 2^4000 steps. */
static void a_long_chain_of_roles_is_judged_once_each(void **state)
{
    (void)state;
    enum { N = 4000 };
    static char names[N][8];
    static struct hf_role_source sources[N];
    static struct hf_role_expr parts[N][2];
    static enum hf_match got[N];
    for (size_t i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "r%zu", i);
        sources[i] = (struct hf_role_source){names[i], S("cn:alice")};
        if (i + 1 < N) {
            parts[i][0] = parts[i][1] = R(names[i + 1]);
            sources[i].expr =
                (struct hf_role_expr){.op = HF_ROLE_ALL, .parts = parts[i], .n_parts = 2};
        }
        snprintf(names[i], sizeof(names[i]), "r%zu", i);
    }
    for (size_t i = 0; i + 1 < N; i++) {
        parts[i][0].text = parts[i][1].text = names[i + 1];
    }
    struct hf_roles *roles = make(sources, N);
    assert_int_equal(hf_roles_judge(roles, &alice, got), HF_OK);
    assert_int_equal(got[0], HF_MATCH_YES);
    assert_int_equal(hf_roles_judge(roles, &bob, got), HF_OK);
    assert_int_equal(got[0], HF_MATCH_NO);
    hf_roles_free(roles);
}

static void counts_are_limited(void **state)
{
    (void)state;
    struct hf_role_expr *parts = calloc(HF_ROLE_PARTS_MAX, sizeof(*parts));
    struct hf_role_source *sources = calloc(HF_ROLES_MAX + 1, sizeof(*sources));
    struct hf_roles *roles = NULL;
    struct hf_role_place place;
    for (size_t i = 0; i < HF_ROLE_PARTS_MAX; i++) {
        parts[i] = S("cn:x");
    }
    struct hf_role_source big = {"a",
                                 {.op = HF_ROLE_ANY, .parts = parts, .n_parts = HF_ROLE_PARTS_MAX}};
    assert_int_equal(hf_roles_new(&big, 1, &roles, &place), HF_E_TOO_LARGE);
    big.expr.n_parts--;
    hf_roles_free(make(&big, 1));
    assert_int_equal(hf_roles_new(sources, HF_ROLES_MAX + 1, &roles, &place), HF_E_TOO_LARGE);
    free(parts);
    free(sources);
}

static void allocation_failure_is_told(void **state)
{
    (void)state;
    const struct hf_role_source sources[] = {
        {"admins", ALL(R("ops"), NOT(R("interns")))},
        {"interns", S("ou:Interns")},
        {"ops", ANY(S("dn:OU=Ops"), S("cn:bob"))},
    };
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_roles *roles = NULL;
        struct hf_role_place place;
        assert_true(n < 100);
        hf_alloc_fail_after(n);
        err = hf_roles_new(sources, 3, &roles, &place);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_int_equal(err == HF_OK, roles != NULL);
        hf_roles_free(roles);
    }
}

static void without_memory_to_judge_everything_is_unknown(void **state)
{
    (void)state;
    const struct hf_role_source source = {"a", S("cn:alice")};
    struct hf_roles *roles = make(&source, 1);
    enum hf_match got = HF_MATCH_YES;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_roles_judge(roles, &alice, &got), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_int_equal(got, HF_MATCH_UNKNOWN);
    hf_roles_free(roles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_alone),
        cmocka_unit_test(and_or_not),
        cmocka_unit_test(unknown_stays_unknown_unless_something_else_decides),
        cmocka_unit_test(nobody_has_no_role),
        cmocka_unit_test(roles_in_roles_in_any_order),
        cmocka_unit_test(no_roles_at_all),
        cmocka_unit_test(cycles_are_refused_step_by_step),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(a_long_chain_of_roles_is_judged_once_each),
        cmocka_unit_test(counts_are_limited),
        cmocka_unit_test(allocation_failure_is_told),
        cmocka_unit_test(without_memory_to_judge_everything_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
