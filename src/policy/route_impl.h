// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_ROUTE_IMPL_H
#define HF_POLICY_ROUTE_IMPL_H

/* What the files of policy/route.h share. */

#include "policy/hosts.h"
#include "policy/route.h"

#define HF_ROLE_NONE UINT32_MAX

struct hf_route_rule {
    bool given;
    bool anyone;
    bool verified;
    uint32_t role; /* of the table's roles: all that the rule names, joined; or HF_ROLE_NONE */
    char *text;    /* as written, for sentences: "ops, cn:alice" */
};

struct hf_route_value {
    char *name;
    struct hf_buf pattern; /* compiled, policy/glob.h */
};

struct hf_route {
    char *name;
    bool any_host;
    bool auth;
    struct hf_path_pattern *paths;
    size_t n_paths;
    char **methods;
    size_t n_methods;
    struct hf_route_value *headers;
    size_t n_headers;
    struct hf_route_value *queries;
    size_t n_queries;
    struct hf_route_rule rules[HF_RULE_N];
};

/* Routes that can fit a host, in order. */
struct hf_route_list {
    uint32_t *route;
    size_t n;
};

struct hf_route_table {
    struct hf_route *routes;
    size_t n_routes;
    bool has_rules; /* some route allows, denies or asks for auth: without a rule nobody gets in */
    struct hf_roles *roles;
    struct hf_hosts by_host;     /* struct hf_route_list */
    struct hf_route_list *lists; /* [0]: of hosts that no route names */
    size_t n_lists;
    struct hf_hosts doors; /* values: index in kinds + 1 */
    unsigned *kinds;
    struct hf_hosts names; /* with neighbours: hosts of all, and kind + 1; empty without */
    size_t n_doors;
};

#endif
