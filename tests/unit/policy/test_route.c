// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "routes.h"

static size_t choose(const struct hf_route_table *table, const struct hf_identity *who,
                     const char *text)
{
    struct hf_requester requester;
    struct hf_request request = request_of(text);
    requester_of(table, who, &requester);
    struct hf_route_choice choice = hf_route_choose(table, &requester, &request);
    hf_requester_done(&requester);
    assert_false(choice.undecided);
    return choice.route;
}

static void first_match_wins(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", HOSTS("api.example.org"), PATHS("/admin/")},
        {.name = "b", HOSTS("*.example.org", "192.0.2.1"), METHODS("GET", "HEAD")},
        {.name = "c", PATHS("/x", "/y/")},
        {.name = "d", HOSTS("api.example.org")},
        {.name = "e", HOSTS("b.example.org", "api.example.org")},
        {.name = "f", METHODS("PURGE")},
    };
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    assert_int_equal(hf_route_table_count(table), 6);
    assert_string_equal(hf_route_table_name(table, 3), "d");
    assert_string_equal(hf_route_table_name(table, HF_ROUTE_NONE), "");
    assert_int_equal(choose(table, NULL, "GET api.example.org/admin/x"), 0);
    assert_int_equal(choose(table, NULL, "GET API.EXAMPLE.ORG./admin"), 0);
    assert_int_equal(choose(table, NULL, "GET api.example.org/"), 1);
    assert_int_equal(choose(table, NULL, "HEAD z.example.org/"), 1);
    assert_int_equal(choose(table, NULL, "get z.example.org/"), HF_ROUTE_NONE);
    assert_int_equal(choose(table, NULL, "POST api.example.org/x"), 2);
    assert_int_equal(choose(table, NULL, "POST api.example.org/z"), 3);
    assert_int_equal(choose(table, NULL, "POST b.example.org/z"), 4);
    assert_int_equal(choose(table, NULL, "GET 192.0.2.1/"), 1);
    assert_int_equal(choose(table, NULL, "GET elsewhere/y/1"), 2);
    assert_int_equal(choose(table, NULL, "PURGE elsewhere/"), 5);
    assert_int_equal(choose(table, NULL, "PURGE a.example.org/"), 5);
    assert_int_equal(choose(table, NULL, "GET elsewhere/"), HF_ROUTE_NONE);
    assert_int_equal(choose(table, NULL, "PURGE /"), 5);
    hf_route_table_free(table);
}

struct fields {
    const char *const (*item)[2];
    size_t n;
};

static bool header(void *ctx, const char *name, size_t nth, struct hf_bytes *out)
{
    const struct fields *fields = ctx;
    for (size_t i = 0; i < fields->n; i++) {
        if (strcmp(fields->item[i][0], name) == 0 && nth-- == 0) {
            *out = hf_bytes_str(fields->item[i][1]);
            return true;
        }
    }
    return false;
}

static void headers_and_queries_must_all_fit(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", HEADERS({"x-a", "1"}, {"x-b", "*"}), QUERIES({"q", "2*"})},
        {.name = "b", HEADERS({"x-a", "1"})},
        {.name = "c", QUERIES({"q", "2"}, {"r", ""})},
    };
    static const char *const both[][2] = {{"x-a", "0"}, {"x-a", "1"}, {"x-b", ""}};
    struct hf_route_table *table = table_of(routes, HF_N_ELEMENTS(routes));
    struct hf_requester nobody = {0};
    struct fields fields = {both, 3};
    struct hf_request request = request_of("GET h/?q=25");
    request.header = header;
    request.header_ctx = &fields;
    assert_int_equal(hf_route_choose(table, &nobody, &request).route, 0);
    fields.n = 2;
    assert_int_equal(hf_route_choose(table, &nobody, &request).route, 1);
    fields.n = 1;
    assert_int_equal(hf_route_choose(table, &nobody, &request).route, HF_ROUTE_NONE);
    request.query = hf_bytes_str("r&q=2");
    assert_int_equal(hf_route_choose(table, &nobody, &request).route, 2);
    request.header = NULL;
    assert_int_equal(hf_route_choose(table, &nobody, &request).route, 2);
    hf_route_table_free(table);
}

static void routes_for_some_identities(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", RULE(MATCH, "ops", "serial:77")},
        {.name = "b", RULE(MATCH, "verified"), PATHS("/v")},
        {.name = "c", RULE(MATCH, "serial:3f")},
        {.name = "d"},
    };
    struct hf_route_table *table = table_of(routes, 4);
    struct hf_requester requester;
    struct hf_request request = request_of("GET h/v");
    assert_int_equal(choose(table, &alice, "GET h/v"), 0);
    assert_int_equal(choose(table, &bob, "GET h/v"), 1);
    assert_int_equal(choose(table, &bob, "GET h/"), 3);
    assert_int_equal(choose(table, NULL, "GET h/v"), 3);
    requester_of(table, &mangled, &requester);
    struct hf_route_choice choice = hf_route_choose(table, &requester, &request);
    assert_int_equal(choice.route, 0);
    assert_true(choice.undecided);
    hf_requester_done(&requester);
    hf_route_table_free(table);
}

static void roles_are_those_that_rules_need(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a", RULE(ALLOW, "staff", "cn:carol"), RULE(DENY, "interns")},
        {.name = "b", RULE(ALLOW, "anyone"), RULE(REPORT, "verified")},
    };
    struct hf_route_table *table = table_of(routes, 2);
    const struct hf_roles *roles = hf_route_table_roles(table);
    struct hf_requester requester;
    assert_int_equal(hf_roles_count(roles), 5);
    assert_int_equal(hf_roles_find(roles, "unused"), SIZE_MAX);
    requester_of(table, &alice, &requester);
    assert_int_equal(hf_requester_role(&requester, hf_roles_find(roles, "ops")), HF_MATCH_YES);
    assert_int_equal(hf_requester_role(&requester, hf_roles_find(roles, "interns")), HF_MATCH_NO);
    assert_int_equal(hf_requester_role(&requester, 5), HF_MATCH_UNKNOWN);
    assert_int_equal(hf_requester_rule(&requester, table, 0, HF_RULE_ALLOW), HF_MATCH_YES);
    assert_int_equal(hf_requester_rule(&requester, table, 0, HF_RULE_DENY), HF_MATCH_NO);
    assert_int_equal(hf_requester_rule(&requester, table, 0, HF_RULE_REPORT), HF_MATCH_NO);
    assert_int_equal(hf_requester_rule(&requester, table, 1, HF_RULE_REPORT), HF_MATCH_YES);
    hf_requester_done(&requester);
    requester_of(table, NULL, &requester);
    assert_int_equal(hf_requester_role(&requester, 0), HF_MATCH_NO);
    assert_int_equal(hf_requester_rule(&requester, table, 1, HF_RULE_ALLOW), HF_MATCH_YES);
    assert_int_equal(hf_requester_rule(&requester, table, 1, HF_RULE_REPORT), HF_MATCH_NO);
    hf_requester_done(&requester);
    hf_route_table_free(table);
}

static void many_roles_fit_in_few_bytes(void **state)
{
    (void)state;
    enum { N = 100 };
    static char selectors[N][16];
    struct hf_route_source routes[N];
    const char *who[N];
    char names[N][8];
    assert_true(sizeof(struct hf_requester) <= 24);
    for (int i = 0; i < N; i++) {
        snprintf(selectors[i], sizeof(selectors[i]), "serial:%x", 0x1f + (i % 3 ? 0 : 1));
        snprintf(names[i], sizeof(names[i]), "r%d", i);
        who[i] = selectors[i];
        routes[i] =
            (struct hf_route_source){.name = names[i], .rules[HF_RULE_ALLOW] = {&who[i], 1}};
    }
    struct hf_route_table *table = table_of(routes, N);
    struct hf_requester requester;
    requester_of(table, &alice, &requester);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(hf_requester_rule(&requester, table, i, HF_RULE_ALLOW),
                         i % 3 ? HF_MATCH_YES : HF_MATCH_NO);
    }
    hf_requester_done(&requester);
    hf_route_table_free(table);
}

static void a_requester_of_another_table_has_nothing(void **state)
{
    (void)state;
    const struct hf_route_source small[] = {{.name = "a"}};
    const struct hf_route_source large[] = {{.name = "a", RULE(ALLOW, "ops")}};
    struct hf_route_table *old = table_of(small, 1);
    struct hf_route_table *new = table_of(large, 1);
    struct hf_requester requester;
    requester_of(old, &alice, &requester);
    assert_int_equal(hf_requester_rule(&requester, new, 0, HF_RULE_ALLOW), HF_MATCH_UNKNOWN);
    hf_requester_done(&requester);
    hf_route_table_free(old);
    hf_route_table_free(new);
}

/* --- What is refused ---------------------------------------------------------------------------*/

static struct hf_route_place refused(const struct hf_route_table_source *source, const char *why)
{
    struct hf_route_place place;
    struct hf_route_table *table;
    enum hf_err err = hf_route_table_new(source, &table, &place);
    if (err == HF_OK || !strstr(hf_err_text(), why)) {
        fail_msg("%d: %s", err, hf_err_text());
    }
    assert_null(table);
    return place;
}

static struct hf_route_place route_refused(const struct hf_route_source *bad, const char *why)
{
    const struct hf_route_source routes[] = {{.name = "fine"}, *bad};
    struct hf_route_table_source source = table_source(routes, 2);
    struct hf_route_place place = refused(&source, why);
    assert_int_equal(place.route, 1);
    return place;
}

static void places_of_what_is_wrong(void **state)
{
    (void)state;
    struct hf_route_place place;
    place = route_refused(&(struct hf_route_source){.name = "b", PATHS("/a", "b")}, "begins with");
    assert_int_equal(place.part, HF_ROUTE_PART_PATH);
    assert_int_equal(place.item, 1);
    place = route_refused(&(struct hf_route_source){.name = "b", HEADERS({"a", "x"}, {"b", "**"})},
                          "**");
    assert_int_equal(place.part, HF_ROUTE_PART_HEADER);
    assert_int_equal(place.item, 1);
    place =
        route_refused(&(struct hf_route_source){.name = "b", QUERIES({"b", "\\x"})}, "backslash");
    assert_int_equal(place.part, HF_ROUTE_PART_QUERY);
    assert_int_equal(place.item, 0);
    place = route_refused(
        &(struct hf_route_source){.name = "b", RULE(DENY, "anyone", "ops", "ip:300.1.1.1")}, "");
    assert_int_equal(place.part, HF_ROUTE_PART_RULE);
    assert_int_equal(place.rule, HF_RULE_DENY);
    assert_int_equal(place.item, 2);
    place = route_refused(&(struct hf_route_source){.name = "b", RULE(ALLOW, "intern")},
                          "there is no role \"intern\"");
    assert_int_equal(place.part, HF_ROUTE_PART_RULE);
    assert_int_equal(place.item, 0);
}

static void bad_roles_are_told_by_their_place(void **state)
{
    (void)state;
    static const struct hf_role_source roles[] = {
        {"fine", {.op = HF_ROLE_SELECTOR, .text = "cn:x"}},
        {"bad", {.op = HF_ROLE_NAMED, .text = "worse"}},
        {"worse", {.op = HF_ROLE_NAMED, .text = "bad"}},
    };
    const struct hf_route_source routes[] = {{.name = "a", RULE(ALLOW, "worse")}};
    struct hf_route_table_source source = table_source(routes, 1);
    source.roles = roles;
    source.n_roles = 3;
    struct hf_route_place place = refused(&source, "leads back to itself");
    assert_int_equal(place.part, HF_ROUTE_PART_ROLE);
    assert_true(place.role.role == 1 || place.role.role == 2);
    assert_ptr_equal(place.role.expr, &roles[place.role.role].expr);
}

static void doors_given_twice_are_refused(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {{.name = "a"}};
    const struct hf_route_door doors[] = {{NULL, 0}, {"a.org", 1}, {"a.org", 2}};
    struct hf_route_table_source source = table_source(routes, 1);
    source.doors = doors;
    source.n_doors = 3;
    refused(&source, "there already");
}

/* --- Against the slow way ----------------------------------------------------------------------*/

static bool host_fits(const char *pattern, const char *host)
{
    const char *dot = strchr(host, '.');
    return strcmp(pattern, host) == 0 ||
           (pattern[0] == '*' && dot && dot != host && strcmp(pattern + 1, dot) == 0);
}

static size_t slow(const struct hf_route_source *routes, size_t n, const char *host,
                   const char *path)
{
    for (size_t i = 0; i < n; i++) {
        bool fits = routes[i].n_hosts == 0;
        for (size_t j = 0; j < routes[i].n_hosts; j++) {
            fits |= host_fits(routes[i].hosts[j], host);
        }
        if (fits && (routes[i].n_paths == 0 || strcmp(routes[i].paths[0], path) == 0)) {
            return i;
        }
    }
    return HF_ROUTE_NONE;
}

static void the_index_of_hosts_changes_nothing(void **state)
{
    (void)state;
    static const char *const patterns[] = {"a.x.org", "b.x.org",   "*.x.org", "x.org",
                                           "*.org",   "*.a.x.org", "y",       "a.b.x.org"};
    static const char *const hosts[] = {"a.x.org",   "b.x.org", "c.x.org",   "x.org", "y.org",
                                        "b.a.x.org", "y",       "a.b.x.org", "z",     "org"};
    static const char *const paths[] = {"/1", "/2", "/3"};
    enum { N = 12, ROUNDS = 400 };
    unsigned seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        struct hf_route_source routes[N];
        const char *chosen[N][3];
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j < 3; j++) {
                seed = seed * 1103515245u + 12345u;
                chosen[i][j] = patterns[(seed >> 16) % HF_N_ELEMENTS(patterns)];
            }
            routes[i] = (struct hf_route_source){.name = "r",
                                                 .hosts = chosen[i],
                                                 .n_hosts = (seed >> 20) % 4,
                                                 .paths = &paths[(seed >> 24) % 3],
                                                 .n_paths = (seed >> 22) % 2};
        }
        struct hf_route_table *table = table_of(routes, N);
        for (size_t h = 0; h < HF_N_ELEMENTS(hosts); h++) {
            for (size_t p = 0; p < HF_N_ELEMENTS(paths); p++) {
                char text[64];
                snprintf(text, sizeof(text), "GET %s%s", hosts[h], paths[p]);
                assert_int_equal(choose(table, NULL, text), slow(routes, N, hosts[h], paths[p]));
            }
        }
        hf_route_table_free(table);
    }
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    const struct hf_route_source routes[] = {
        {.name = "a",
         HOSTS("a.org", "*.org"),
         PATHS("/a/*/"),
         METHODS("GET"),
         HEADERS({"a", "b"}),
         QUERIES({"c", "d"}),
         RULE(ALLOW, "staff", "cn:a")},
        {.name = "b", HOSTS("a.org")},
        {.name = "c"},
    };
    const struct hf_route_door doors[] = {{NULL, 0}, {"a.org", 1}};
    struct hf_route_table_source source = table_source(routes, 3);
    source.doors = doors;
    source.n_doors = 2;
    for (size_t n = 1;; n++) {
        struct hf_route_table *table;
        struct hf_route_place place;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_route_table_new(&source, &table, &place);
        struct hf_requester requester = {0};
        enum hf_err judged = err == HF_OK ? hf_requester_init(&requester, table, &alice) : err;
        hf_alloc_fail_after(0);
        if (judged != HF_OK) {
            assert_int_equal(judged, HF_E_NOMEM);
            assert_false(requester.verified);
        }
        hf_requester_done(&requester);
        hf_route_table_free(table);
        if (judged == HF_OK) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_match_wins),
        cmocka_unit_test(headers_and_queries_must_all_fit),
        cmocka_unit_test(routes_for_some_identities),
        cmocka_unit_test(roles_are_those_that_rules_need),
        cmocka_unit_test(many_roles_fit_in_few_bytes),
        cmocka_unit_test(a_requester_of_another_table_has_nothing),
        cmocka_unit_test(places_of_what_is_wrong),
        cmocka_unit_test(bad_roles_are_told_by_their_place),
        cmocka_unit_test(doors_given_twice_are_refused),
        cmocka_unit_test(the_index_of_hosts_changes_nothing),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
