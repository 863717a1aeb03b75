// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "routes.h"

/* What the verdict is: "allow", "would refuse: CODE", or "STATUS CODE"; then the rule. */
static const char *judge_as(const struct hf_request_input *base, const struct hf_identity *who,
                            const char *text)
{
    static char out[256];
    char rule[HF_REQUEST_RULE_MAX];
    struct hf_requester requester;
    struct hf_request request = request_of(text);
    struct hf_request_verdict verdict;
    struct hf_request_input input = *base;
    requester_of(base->table, who, &requester);
    input.requester = &requester;
    input.request = &request;
    hf_request_judge(&input, &verdict);
    hf_requester_done(&requester);
    hf_request_rule_name(base->table, &verdict, rule);
    assert_int_equal(verdict.allow, verdict.status == 0);
    assert_int_equal(verdict.would_refuse, verdict.allow && verdict.reason != HF_REASON_OK);
    if (verdict.allow) {
        snprintf(out, sizeof(out), "%s%s%s%s", verdict.would_refuse ? "would refuse: " : "allow",
                 verdict.would_refuse ? hf_reason_code(verdict.reason) : "", *rule ? " " : "",
                 rule);
    } else {
        snprintf(out, sizeof(out), "%u %s%s%s", verdict.status, hf_reason_code(verdict.reason),
                 *rule ? " " : "", rule);
    }
    return out;
}

static const char *judge(const struct hf_route_table *table, const struct hf_identity *who,
                         const char *text)
{
    return judge_as(&(struct hf_request_input){.table = table}, who, text);
}

static void without_any_rule_everybody_gets_in(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a", PATHS("/a/")}};
    struct hf_route_table *table = table_of(routes, 1);
    assert_string_equal(judge(table, &alice, "GET h/a/1"), "allow a");
    assert_string_equal(judge(table, NULL, "GET h/a"), "allow a");
    assert_string_equal(judge(table, &mangled, "GET h/a"), "allow a");
    assert_string_equal(judge(table, &alice, "GET h/b"), "404 no-route");
    hf_route_table_free(table);
}

static void allow_names_those_who_get_in(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "ops", PATHS("/ops/"), RULE(ALLOW, "ops")},
        {.name = "two", PATHS("/two/"), RULE(ALLOW, "ops", "cn:bob")},
        {.name = "all", PATHS("/all/"), RULE(ALLOW, "verified")},
        {.name = "open", PATHS("/open/"), RULE(ALLOW, "anyone")},
        {.name = "bare", PATHS("/bare/")},
    };
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    assert_string_equal(judge(table, &alice, "GET h/ops"), "allow ops/allow");
    assert_string_equal(judge(table, &bob, "GET h/ops"), "403 not-allowed ops/allow");
    assert_string_equal(judge(table, &mangled, "GET h/ops"), "403 unreliable-names ops/allow");
    assert_string_equal(judge(table, NULL, "GET h/ops"), "403 not-verified ops/allow");
    assert_string_equal(judge(table, &alice, "GET h/two"), "allow two/allow");
    assert_string_equal(judge(table, &bob, "GET h/two"), "allow two/allow");
    assert_string_equal(judge(table, &bob, "GET h/all"), "allow all/allow");
    assert_string_equal(judge(table, &mangled, "GET h/all"), "allow all/allow");
    assert_string_equal(judge(table, NULL, "GET h/all"), "403 not-verified all/allow");
    assert_string_equal(judge(table, NULL, "GET h/open"), "allow open/allow");
    assert_string_equal(judge(table, &alice, "GET h/bare"), "403 no-rule bare");
    assert_string_equal(judge(table, NULL, "GET h/bare"), "403 no-rule bare");
    hf_route_table_free(table);
}

static void deny_comes_before_allow(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", PATHS("/a"), RULE(ALLOW, "staff"), RULE(DENY, "interns")},
        {.name = "b", PATHS("/b"), RULE(ALLOW, "anyone"), RULE(DENY, "serial:2f")},
        {.name = "c", PATHS("/c"), RULE(ALLOW, "anyone"), RULE(DENY, "verified")},
        {.name = "d", PATHS("/d"), RULE(DENY, "interns")},
    };
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    assert_string_equal(judge(table, &alice, "GET h/a"), "allow a/allow");
    assert_string_equal(judge(table, &bob, "GET h/a"), "403 denied a/deny");
    assert_string_equal(judge(table, &mangled, "GET h/a"), "403 unreliable-names a/deny");
    assert_string_equal(judge(table, NULL, "GET h/a"), "403 not-verified a/allow");
    assert_string_equal(judge(table, &bob, "GET h/b"), "403 denied b/deny");
    assert_string_equal(judge(table, &mangled, "GET h/b"), "allow b/allow");
    assert_string_equal(judge(table, NULL, "GET h/b"), "allow b/allow");
    assert_string_equal(judge(table, &alice, "GET h/c"), "403 denied c/deny");
    assert_string_equal(judge(table, NULL, "GET h/c"), "allow c/allow");
    assert_string_equal(judge(table, &alice, "GET h/d"), "403 no-rule d");
    assert_string_equal(judge(table, &bob, "GET h/d"), "403 denied d/deny");
    hf_route_table_free(table);
}

static void a_rule_on_trial_refuses_nobody(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", PATHS("/a"), RULE(REPORT, "ops")},
        {.name = "b", PATHS("/b"), RULE(ALLOW, "verified"), RULE(REPORT, "ops")},
        {.name = "c",
         PATHS("/c"),
         RULE(ALLOW, "verified"),
         RULE(DENY, "interns"),
         RULE(REPORT, "ops")},
    };
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    assert_string_equal(judge(table, &alice, "GET h/a"), "allow a");
    assert_string_equal(judge(table, &bob, "GET h/a"), "would refuse: not-allowed a/report");
    assert_string_equal(judge(table, NULL, "GET h/a"), "would refuse: not-verified a/report");
    assert_string_equal(judge(table, &mangled, "GET h/a"),
                        "would refuse: unreliable-names a/report");
    assert_string_equal(judge(table, &alice, "GET h/b"), "allow b/allow");
    assert_string_equal(judge(table, &bob, "GET h/b"), "would refuse: not-allowed b/report");
    assert_string_equal(judge(table, NULL, "GET h/b"), "403 not-verified b/allow");
    assert_string_equal(judge(table, &bob, "GET h/c"), "403 denied c/deny");
    hf_route_table_free(table);
}

static void a_trial_alone_closes_no_other_route(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a", PATHS("/a"), RULE(REPORT, "ops")},
                                             {.name = "b", PATHS("/b")}};
    struct hf_route_table *table = table_of(routes, 2);
    assert_string_equal(judge(table, NULL, "GET h/b"), "allow b");
    hf_route_table_free(table);
}

static void identities_that_cannot_be_told_are_refused(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a", RULE(MATCH, "interns")}, {.name = "b"}};
    struct hf_route_table *table = table_of(routes, 2);
    assert_string_equal(judge(table, &mangled, "GET h/"), "403 unreliable-names a");
    assert_string_equal(judge(table, &alice, "GET h/"), "allow b");
    hf_route_table_free(table);
}

static void other_credentials(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", PATHS("/a"), .auth = true},
        {.name = "b", PATHS("/b"), .auth = true, RULE(ALLOW, "ops")},
        {.name = "c", PATHS("/c")},
    };
    struct hf_route_table *table = table_of(routes, 3);
    struct hf_request_input input = {.table = table};
    assert_string_equal(judge_as(&input, NULL, "GET h/a"), "401 auth-required a");
    assert_string_equal(judge_as(&input, &bob, "GET h/b"), "403 not-allowed b/allow");
    assert_string_equal(judge_as(&input, &alice, "GET h/b"), "401 auth-required b");
    assert_string_equal(judge_as(&input, &alice, "GET h/c"), "403 no-rule c");
    input.auth = HF_AUTH_PASSED;
    assert_string_equal(judge_as(&input, NULL, "GET h/a"), "allow a");
    assert_string_equal(judge_as(&input, &bob, "GET h/b"), "403 not-allowed b/allow");
    assert_string_equal(judge_as(&input, &alice, "GET h/b"), "allow b/allow");
    assert_string_equal(judge_as(&input, &alice, "GET h/c"), "403 no-rule c");
    input.auth = HF_AUTH_FAILED;
    assert_string_equal(judge_as(&input, NULL, "GET h/a"), "401 auth-required a");
    input.auth_reason = HF_REASON_EXPIRED;
    assert_string_equal(judge_as(&input, NULL, "GET h/a"), "403 expired a");
    hf_route_table_free(table);
}

static void wants_auth_only_until_somebody_looked(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a", .auth = true}};
    struct hf_route_table *table = table_of(routes, 1);
    struct hf_requester nobody = {0};
    struct hf_request request = request_of("GET h/a");
    struct hf_request_verdict verdict;
    struct hf_request_input input = {.table = table, .requester = &nobody, .request = &request};
    hf_request_judge(&input, &verdict);
    assert_true(verdict.wants_auth);
    assert_int_equal(verdict.route, 0);
    input.auth = HF_AUTH_FAILED;
    hf_request_judge(&input, &verdict);
    assert_false(verdict.wants_auth);
    hf_route_table_free(table);
}

static void hosts_of_another_door_are_misdirected(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a"}};
    const struct hf_route_door doors[] = {
        {NULL, 0}, {"strict.example.org", 1}, {"*.strict.example.org", 1}, {"same.example.org", 0}};
    struct hf_route_table_source source = table_source(routes, 1);
    struct hf_route_place place;
    struct hf_route_table *table;
    source.doors = doors;
    source.n_doors = HF_N_ELEMENTS(doors);
    assert_int_equal(hf_route_table_new(&source, &table, &place), HF_OK);
    assert_int_equal(hf_route_table_door(table, hf_bytes_str("Strict.Example.org.")), 1);
    assert_int_equal(hf_route_table_door(table, hf_bytes_str("x.strict.example.org")), 2);
    assert_int_equal(hf_route_table_door(table, hf_bytes_str("elsewhere")), 0);
    struct hf_request_input input = {.table = table, .door = 0};
    assert_string_equal(judge_as(&input, NULL, "GET elsewhere/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET same.example.org/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET /"), "allow a");
    assert_string_equal(judge_as(&input, &alice, "GET strict.example.org/"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET STRICT.example.org./"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET x.strict.example.org/"), "421 misdirected");
    input.door = 1;
    assert_string_equal(judge_as(&input, NULL, "GET strict.example.org/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET x.strict.example.org/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET elsewhere/"), "421 misdirected");
    input.door = 3;
    assert_string_equal(judge_as(&input, NULL, "GET elsewhere/"), "allow a");
    input.door = 4;
    assert_string_equal(judge_as(&input, NULL, "GET elsewhere/"), "500 internal");
    hf_route_table_free(table);
}

/* A host that another listener of the same port names is that one's, but for those named here. */
static void hosts_of_a_neighbour_are_misdirected(void **state)
{
    (void)state;
    static const char *const hosts[] = {"both.example.org", "in.wide.example.org"};
    const struct hf_route_source routes[] = {{.name = "b", .hosts = hosts, .n_hosts = 2},
                                             {.name = "a"}};
    const struct hf_route_door doors[] = {{NULL, 0}, {"*.own.example.org", 1}};
    const struct hf_route_door neighbours[] = {
        {"strict.example.org", 2}, {"both.example.org", 2},   {"*.wide.example.org", 2},
        {"like.example.org", 0},   {"strict.example.org", 0}, {"x.own.example.org", 2},
    };
    struct hf_route_table_source source = table_source(routes, 2);
    struct hf_route_place place;
    struct hf_route_table *table;
    source.doors = doors;
    source.n_doors = HF_N_ELEMENTS(doors);
    source.neighbours = neighbours;
    source.n_neighbours = HF_N_ELEMENTS(neighbours);
    assert_int_equal(hf_route_table_new(&source, &table, &place), HF_OK);
    struct hf_request_input input = {.table = table, .door = 0};
    assert_string_equal(judge_as(&input, &alice, "GET strict.example.org/"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET Strict.example.org./"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET x.wide.example.org/"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET y.own.example.org/"), "421 misdirected");
    assert_string_equal(judge_as(&input, &alice, "GET x.own.example.org/"), "421 misdirected");
    assert_string_equal(judge_as(&input, NULL, "GET both.example.org/"), "allow b");
    assert_string_equal(judge_as(&input, NULL, "GET in.wide.example.org/"), "allow b");
    assert_string_equal(judge_as(&input, NULL, "GET like.example.org/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET elsewhere/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET /"), "allow a");
    /* which door a server name leads to is ours alone to say */
    assert_int_equal(hf_route_table_door(table, hf_bytes_str("strict.example.org")), 0);
    assert_int_equal(hf_route_table_door(table, hf_bytes_str("x.own.example.org")), 1);
    input.door = 1;
    assert_string_equal(judge_as(&input, NULL, "GET y.own.example.org/"), "allow a");
    assert_string_equal(judge_as(&input, NULL, "GET x.own.example.org/"), "421 misdirected");
    hf_route_table_free(table);
}

static void told(const struct hf_route_table *table, const struct hf_identity *who,
                 const char *text, const char *wanted)
{
    char out[256];
    struct hf_requester requester;
    struct hf_request request = request_of(text);
    struct hf_request_verdict verdict;
    requester_of(table, who, &requester);
    hf_request_judge(
        &(struct hf_request_input){.table = table, .requester = &requester, .request = &request},
        &verdict);
    hf_requester_done(&requester);
    hf_request_verdict_text(table, &verdict, out, sizeof(out));
    assert_string_equal(out, wanted);
}

/* Before everything else, and, for who came in for them alone, instead of everything else. */
static void probes(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "open", PATHS("/open/"), RULE(ALLOW, "anyone")},
        {.name = "ops", PATHS("/"), RULE(ALLOW, "ops")},
    };
    const struct hf_vital_paths paths = {"/healthz", "/open/ready", "/up"};
    struct hf_route_table *table = table_of(routes, 2);
    const struct hf_request_input may = {.table = table, .vitals = &paths};
    const struct hf_request_input only = {.table = table, .vitals = &paths, .vitals_only = true};
    const struct hf_request_input lost = {.table = table, .vitals_only = true};
    const struct {
        const char *request, *others, *may, *only, *lost;
    } rows[] = {
        {"GET h/healthz", "403 not-verified ops/allow", "allow probe/live", "allow probe/live",
         "403 probes-only"},
        {"HEAD h/open/ready", "allow open/allow", "allow probe/ready", "allow probe/ready",
         "403 probes-only"},
        {"GET h/up/app", "403 not-verified ops/allow", "allow probe/upstream",
         "allow probe/upstream", "403 probes-only"},
        {"POST h/healthz", "403 not-verified ops/allow", "403 not-verified ops/allow",
         "403 probes-only", "403 probes-only"},
        {"GET h/open/x", "allow open/allow", "allow open/allow", "403 probes-only",
         "403 probes-only"},
        {"GET h/healthz/", "403 not-verified ops/allow", "403 not-verified ops/allow",
         "403 probes-only", "403 probes-only"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        assert_string_equal(judge(table, NULL, rows[i].request), rows[i].others);
        assert_string_equal(judge_as(&may, NULL, rows[i].request), rows[i].may);
        assert_string_equal(judge_as(&only, NULL, rows[i].request), rows[i].only);
        assert_string_equal(judge_as(&lost, NULL, rows[i].request), rows[i].lost);
    }
    assert_string_equal(judge_as(&may, &alice, "GET h/x"), "allow ops/allow");
    hf_route_table_free(table);
}

static void the_probe_step_alone_decides_nothing_else(void **state)
{
    (void)state;
    const struct hf_vital_paths paths = {"/healthz", "/readyz", NULL};
    struct hf_request request = request_of("GET h/x");
    struct hf_request_input input = {.request = &request, .vitals = &paths};
    struct hf_request_verdict verdict = {.status = 999};
    assert_false(hf_request_judge_vital(&input, &verdict));
    assert_int_equal(verdict.status, 999);
    input.vitals_only = true;
    assert_true(hf_request_judge_vital(&input, &verdict));
    assert_false(verdict.allow);
    assert_int_equal(verdict.reason, HF_REASON_PROBES_ONLY);
    request = request_of("GET h/readyz");
    assert_true(hf_request_judge_vital(&input, &verdict));
    assert_true(verdict.allow);
    assert_int_equal(verdict.vital, HF_VITAL_READY);
    assert_int_equal(verdict.route, HF_ROUTE_NONE);
}

static void sentences(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a",
         PATHS("/a"),
         RULE(ALLOW, "staff", "cn:carol"),
         RULE(DENY, "interns"),
         RULE(REPORT, "cn:carol")},
        {.name = "b", PATHS("/b")},
        {.name = "c", PATHS("/c"), RULE(ALLOW, "ops")},
        {.name = "d", PATHS("/d"), RULE(MATCH, "ops"), RULE(ALLOW, "anyone")},
    };
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    told(table, &alice, "GET h/a",
         "route \"a\" lets the client in, but the rule on trial (report: cn:carol) would not");
    told(table, &bob, "GET h/a", "route \"a\" denies the client (deny: interns)");
    told(table, NULL, "GET h/a",
         "route \"a\" doesn't allow clients without a verified certificate (allow: staff, "
         "cn:carol)");
    told(table, &mangled, "GET h/a",
         "route \"a\" judges names (deny: interns), and those in the client's certificate can't be "
         "relied on");
    told(table, &alice, "GET h/b",
         "route \"b\" allows nobody: other routes of the listener have rules, and this one has "
         "none");
    told(table, &alice, "GET h/c", "route \"c\" allows the client (allow: ops)");
    told(table, &bob, "GET h/c", "route \"c\" doesn't allow the client (allow: ops)");
    told(table, &mangled, "GET h/d",
         "route \"d\" judges names (identity: ops), and those in the client's certificate can't be "
         "relied on");
    told(table, &bob, "GET h/d", "no route is for this request");
    hf_route_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_any_rule_everybody_gets_in),
        cmocka_unit_test(allow_names_those_who_get_in),
        cmocka_unit_test(deny_comes_before_allow),
        cmocka_unit_test(a_rule_on_trial_refuses_nobody),
        cmocka_unit_test(a_trial_alone_closes_no_other_route),
        cmocka_unit_test(identities_that_cannot_be_told_are_refused),
        cmocka_unit_test(other_credentials),
        cmocka_unit_test(wants_auth_only_until_somebody_looked),
        cmocka_unit_test(hosts_of_another_door_are_misdirected),
        cmocka_unit_test(hosts_of_a_neighbour_are_misdirected),
        cmocka_unit_test(probes),
        cmocka_unit_test(the_probe_step_alone_decides_nothing_else),
        cmocka_unit_test(sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
