// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_POLICY_ROUTES_H
#define HF_TEST_POLICY_ROUTES_H

/* Short spellings for tables of routes, and a few clients. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/request.h"

#define LIST(...) \
    (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)
#define HOSTS(...)   .hosts = (const char *const[]){__VA_ARGS__}, .n_hosts = COUNT(__VA_ARGS__)
#define PATHS(...)   .paths = (const char *const[]){__VA_ARGS__}, .n_paths = COUNT(__VA_ARGS__)
#define METHODS(...) .methods = (const char *const[]){__VA_ARGS__}, .n_methods = COUNT(__VA_ARGS__)
#define COUNT(...)   (sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define HEADERS(...) \
    .headers = (const struct hf_route_pair[]){__VA_ARGS__}, \
    .n_headers = \
        sizeof((const struct hf_route_pair[]){__VA_ARGS__}) / sizeof(struct hf_route_pair)
#define QUERIES(...) \
    .queries = (const struct hf_route_pair[]){__VA_ARGS__}, \
    .n_queries = \
        sizeof((const struct hf_route_pair[]){__VA_ARGS__}) / sizeof(struct hf_route_pair)
#define RULE(rule, ...) .rules[HF_RULE_##rule] = {LIST(__VA_ARGS__)}

/* Names in identities are not const, though nobody changes them. */
#define T(text) ((char[]){text})

static const struct hf_identity alice __attribute__((unused)) = {
    .subject = T("CN=alice,OU=Ops"), .issuer = T("CN=CA"), .cn = T("alice"), .serial = T("1f")};
static const struct hf_identity bob __attribute__((unused)) = {
    .subject = T("CN=bob,OU=Interns"), .issuer = T("CN=CA"), .cn = T("bob"), .serial = T("2f")};
static const struct hf_identity mangled __attribute__((unused)) = {
    .subject = T("CN=x"), .issuer = T("CN=CA"), .cn = T("x"), .serial = T("3f"), .mangled = true};

static const struct hf_role_source test_roles[] = {
    {"ops", {.op = HF_ROLE_SELECTOR, .text = "ou:Ops"}},
    {"interns", {.op = HF_ROLE_SELECTOR, .text = "ou:Interns"}},
    {"staff",
     {.op = HF_ROLE_ANY,
      .parts = (const struct hf_role_expr[]){{.op = HF_ROLE_NAMED, .text = "ops"},
                                             {.op = HF_ROLE_NAMED, .text = "interns"}},
      .n_parts = 2}},
    {"unused", {.op = HF_ROLE_SELECTOR, .text = "cn:nobody"}},
};

static const struct hf_route_door one_door[] = {{NULL, 0}};

static inline struct hf_route_table_source table_source(const struct hf_route_source *routes,
                                                        size_t n)
{
    return (struct hf_route_table_source){.routes = routes,
                                          .n_routes = n,
                                          .roles = test_roles,
                                          .n_roles = HF_N_ELEMENTS(test_roles),
                                          .doors = one_door,
                                          .n_doors = 1};
}

static inline struct hf_route_table *table_of(const struct hf_route_source *routes, size_t n)
{
    struct hf_route_table_source source = table_source(routes, n);
    struct hf_route_place place;
    struct hf_route_table *table = NULL;
    if (hf_route_table_new(&source, &table, &place) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return table;
}

static inline void requester_of(const struct hf_route_table *table,
                                const struct hf_identity *identity, struct hf_requester *out)
{
    assert_int_equal(hf_requester_init(out, table, identity), HF_OK);
}

/* "METHOD host/path?query" */
static inline struct hf_request request_of(const char *text)
{
    struct hf_request request = {0};
    const char *host = strchr(text, ' ') + 1;
    const char *path = strchr(host, '/');
    const char *query = strchr(path, '?');
    request.method = hf_bytes_of(text, (size_t)(host - 1 - text));
    request.host = hf_bytes_of(host, (size_t)(path - host));
    request.path = hf_bytes_of(path, query ? (size_t)(query - path) : strlen(path));
    request.query = hf_bytes_str(query ? query + 1 : "");
    return request;
}

#endif
