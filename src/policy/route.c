// SPDX-License-Identifier: Apache-2.0
/* Choosing a route, and what a table tells of itself. policy/route_new.c makes tables,
 * policy/requester.c knows who asks. */
#include "policy/route.h"

#include "policy/glob.h"
#include "policy/params.h"
#include "policy/route_impl.h"

static const char *const rule_names[HF_RULE_N] = {
    [HF_RULE_MATCH] = "identity",
    [HF_RULE_DENY] = "deny",
    [HF_RULE_ALLOW] = "allow",
    [HF_RULE_REPORT] = "report",
};

const char *hf_rule_name(enum hf_rule rule)
{
    return (unsigned)rule < HF_RULE_N ? rule_names[rule] : "unknown";
}

size_t hf_route_table_count(const struct hf_route_table *table)
{
    return table->n_routes;
}

const char *hf_route_table_name(const struct hf_route_table *table, size_t route)
{
    return route < table->n_routes ? table->routes[route].name : "";
}

const struct hf_roles *hf_route_table_roles(const struct hf_route_table *table)
{
    return table->roles;
}

size_t hf_route_table_door(const struct hf_route_table *table, struct hf_bytes host)
{
    uintptr_t found = (uintptr_t)hf_hosts_get(&table->doors, host);
    return found ? (size_t)found - 1 : 0;
}

unsigned hf_route_table_kind(const struct hf_route_table *table, struct hf_bytes host)
{
    uintptr_t kind = (uintptr_t)hf_hosts_get(&table->names, host);
    return kind ? (unsigned)(kind - 1) : table->kinds[hf_route_table_door(table, host)];
}

/* --- Conditions ---------------------------------------------------------------------------------
 */

static bool fits_method(const struct hf_route *route, struct hf_bytes method)
{
    for (size_t i = 0; i < route->n_methods; i++) {
        if (hf_bytes_eq_str(method, route->methods[i])) {
            return true;
        }
    }
    return route->n_methods == 0;
}

static bool fits_path(const struct hf_route *route, struct hf_bytes path, size_t *out_len)
{
    for (size_t i = 0; i < route->n_paths; i++) {
        if (hf_path_pattern_match(&route->paths[i], path, out_len)) {
            return true;
        }
    }
    *out_len = HF_PATH_WHOLE;
    return route->n_paths == 0;
}

/* Some field of the name has a value that fits. */
static bool fits_header(const struct hf_route_value *wanted, const struct hf_request *request)
{
    struct hf_bytes value;
    for (size_t i = 0;
         request->header && request->header(request->header_ctx, wanted->name, i, &value); i++) {
        if (hf_glob_match(hf_buf_bytes(&wanted->pattern), value, 0)) {
            return true;
        }
    }
    return false;
}

static bool fits_values(const struct hf_route *route, const struct hf_request *request)
{
    for (size_t i = 0; i < route->n_headers; i++) {
        if (!fits_header(&route->headers[i], request)) {
            return false;
        }
    }
    for (size_t i = 0; i < route->n_queries; i++) {
        const struct hf_route_value *wanted = &route->queries[i];
        if (!hf_params_match(request->query, hf_bytes_str(wanted->name),
                             hf_buf_bytes(&wanted->pattern))) {
            return false;
        }
    }
    return true;
}

/* The routes that can fit the host. */
static const struct hf_route_list *candidates(const struct hf_route_table *table,
                                              struct hf_bytes host)
{
    const struct hf_route_list *list = hf_hosts_get(&table->by_host, host);
    return list ? list : &table->lists[0];
}

struct hf_route_choice hf_route_choose(const struct hf_route_table *table,
                                       const struct hf_requester *requester,
                                       const struct hf_request *request)
{
    const struct hf_route_list *list = candidates(table, request->host);
    for (size_t i = 0; i < list->n; i++) {
        struct hf_route_choice choice = {.route = list->route[i]};
        const struct hf_route *route = &table->routes[choice.route];
        if (!fits_method(route, request->method) ||
            !fits_path(route, request->path, &choice.path_len) || !fits_values(route, request)) {
            continue;
        }
        enum hf_match who = route->rules[HF_RULE_MATCH].given
                                ? hf_requester_rule(requester, table, choice.route, HF_RULE_MATCH)
                                : HF_MATCH_YES;
        if (who != HF_MATCH_NO) {
            choice.undecided = who != HF_MATCH_YES;
            return choice;
        }
    }
    return (struct hf_route_choice){.route = HF_ROUTE_NONE};
}
