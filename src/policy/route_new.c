// SPDX-License-Identifier: Apache-2.0
/*
 * Making a route table. Three parts: the routes themselves; the roles that their rules need, and
 * each rule as a role of its own ("any of those listed"), so that one run of hf_roles_judge answers
 * all rules of a connection; and for each host that some route names the list of routes that can
 * fit it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "policy/glob.h"
#include "policy/request.h"
#include "policy/route.h"
#include "policy/route_impl.h"

enum { PATTERN_MAX = 8192, RULE_TEXT_MAX = 1 << 16 };

/* Where a role of the table comes from: of the source's roles, or a rule. */
struct origin {
    size_t role; /* SIZE_MAX: a rule */
    size_t route;
    enum hf_rule rule;
};

struct maker {
    const struct hf_route_table_source *source;
    struct hf_route_table *table;
    struct hf_route_place *place;
    struct hf_map roles_by_name; /* values: index in the source + 1 */
    bool *needed;                /* of the source's roles */
    struct hf_role_source *roles;
    struct origin *origins;
    size_t n_roles;
    struct hf_role_expr *parts; /* of all rules */
    size_t n_parts;
    char *names; /* of rules, HF_REQUEST_RULE_MAX each */
    size_t n_names;
};

static enum hf_err at(struct maker *maker, enum hf_route_part part, size_t item, enum hf_err err)
{
    if (err != HF_OK) {
        maker->place->part = part;
        maker->place->item = item;
    }
    return err;
}

/* --- The conditions of one route ----------------------------------------------------------------
 */

static enum hf_err copy_methods(struct hf_route *route, const struct hf_route_source *source)
{
    route->methods = hf_alloc_zero(source->n_methods + 1, sizeof(*route->methods));
    if (!route->methods) {
        return HF_E_NOMEM;
    }
    for (; route->n_methods < source->n_methods; route->n_methods++) {
        route->methods[route->n_methods] = hf_strdup(source->methods[route->n_methods]);
        if (!route->methods[route->n_methods]) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_err compile_paths(struct maker *maker, struct hf_route *route,
                                 const struct hf_route_source *source)
{
    route->paths = hf_alloc_zero(source->n_paths + 1, sizeof(*route->paths));
    if (!route->paths) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < source->n_paths; i++) {
        route->n_paths = i + 1;
        HF_TRY(at(maker, HF_ROUTE_PART_PATH, i,
                  hf_path_pattern_init(&route->paths[i], hf_bytes_str(source->paths[i]))));
    }
    return HF_OK;
}

static enum hf_err compile_value(struct hf_route_value *value, const struct hf_route_pair *pair)
{
    value->pattern = HF_BUF_INIT(PATTERN_MAX);
    value->name = hf_strdup(pair->name);
    return value->name ? hf_glob_compile(hf_bytes_str(pair->value), &value->pattern) : HF_E_NOMEM;
}

static enum hf_err compile_values(struct maker *maker, const struct hf_route_pair *pairs, size_t n,
                                  enum hf_route_part part, struct hf_route_value **out,
                                  size_t *out_n)
{
    *out = hf_alloc_zero(n + 1, sizeof(**out));
    if (!*out) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        *out_n = i + 1;
        HF_TRY(at(maker, part, i, compile_value(&(*out)[i], &pairs[i])));
    }
    return HF_OK;
}

static enum hf_err make_route(struct maker *maker, size_t index)
{
    const struct hf_route_source *source = &maker->source->routes[index];
    struct hf_route *route = &maker->table->routes[index];
    *maker->place = (struct hf_route_place){.route = index};
    route->any_host = source->n_hosts == 0;
    route->auth = source->auth;
    route->name = hf_strdup(source->name);
    if (!route->name) {
        return HF_E_NOMEM;
    }
    HF_TRY(copy_methods(route, source));
    HF_TRY(compile_paths(maker, route, source));
    HF_TRY(compile_values(maker, source->headers, source->n_headers, HF_ROUTE_PART_HEADER,
                          &route->headers, &route->n_headers));
    return compile_values(maker, source->queries, source->n_queries, HF_ROUTE_PART_QUERY,
                          &route->queries, &route->n_queries);
}

static enum hf_err make_routes(struct maker *maker)
{
    const struct hf_route_table_source *source = maker->source;
    struct hf_route_table *table = maker->table;
    if (source->n_routes > HF_ROUTES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d routes", HF_ROUTES_MAX);
    }
    table->routes = hf_alloc_zero(source->n_routes + 1, sizeof(*table->routes));
    if (!table->routes) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < source->n_routes; i++) {
        table->n_routes = i + 1;
        HF_TRY(make_route(maker, i));
    }
    return HF_OK;
}

/* --- The roles that rules need ------------------------------------------------------------------
 */

static bool is_word(const char *who)
{
    return strcmp(who, HF_RULE_ANYONE) == 0 || strcmp(who, HF_RULE_VERIFIED) == 0;
}

/* Marks a role and all that it uses. Cycles end where they meet; hf_roles_new tells of them. */
static void need(struct maker *maker, const struct hf_role_expr *expr);

static void need_role(struct maker *maker, const char *name)
{
    uintptr_t found = (uintptr_t)hf_map_get(&maker->roles_by_name, hf_bytes_str(name));
    if (found && !maker->needed[found - 1]) {
        maker->needed[found - 1] = true;
        need(maker, &maker->source->roles[found - 1].expr);
    }
}

static void need(struct maker *maker, const struct hf_role_expr *expr)
{
    if (expr->op == HF_ROLE_NAMED) {
        need_role(maker, expr->text);
    }
    for (size_t i = 0; i < expr->n_parts; i++) {
        need(maker, &expr->parts[i]);
    }
}

/* Roles are found by name before the first route is looked at; counts what rules will take. */
static enum hf_err survey(struct maker *maker, size_t *out_rules, size_t *out_parts)
{
    const struct hf_route_table_source *source = maker->source;
    maker->needed = hf_alloc_zero(source->n_roles + 1, sizeof(*maker->needed));
    if (!maker->needed) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < source->n_roles; i++) {
        HF_TRY(hf_map_put(&maker->roles_by_name, hf_bytes_str(source->roles[i].name),
                          (void *)(uintptr_t)(i + 1)));
    }
    for (size_t i = 0; i < source->n_routes; i++) {
        for (int rule = 0; rule < HF_RULE_N; rule++) {
            const struct hf_rule_source *list = &source->routes[i].rules[rule];
            *out_rules += list->n > 0;
            *out_parts += list->n;
            for (size_t j = 0; j < list->n; j++) {
                need_role(maker, list->who[j]);
            }
        }
    }
    return HF_OK;
}

static enum hf_err keep_text(struct hf_route_rule *rule, const struct hf_rule_source *list)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(RULE_TEXT_MAX);
    for (size_t i = 0; i < list->n; i++) {
        HF_TRY(hf_buf_printf(&text, "%s%s", i ? ", " : "", list->who[i]));
    }
    struct hf_bytes all = hf_buf_bytes(&text);
    rule->text = hf_strndup((const char *)all.ptr, all.len);
    return rule->text ? HF_OK : HF_E_NOMEM;
}

/* Makes the rule a role: any of what it lists. The words are kept apart: they need no names. */
static void join_rule(struct maker *maker, size_t route, enum hf_rule which)
{
    const struct hf_rule_source *list = &maker->source->routes[route].rules[which];
    struct hf_route_rule *rule = &maker->table->routes[route].rules[which];
    struct hf_role_expr *parts = maker->parts + maker->n_parts;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const char *who = list->who[i];
        rule->anyone |= strcmp(who, HF_RULE_ANYONE) == 0;
        rule->verified |= strcmp(who, HF_RULE_VERIFIED) == 0;
        if (!is_word(who)) {
            bool selector = hf_selector_is(hf_bytes_str(who));
            parts[n++] = (struct hf_role_expr){.op = selector ? HF_ROLE_SELECTOR : HF_ROLE_NAMED,
                                               .text = who,
                                               .tag = &list->who[i]};
        }
    }
    if (n == 0) {
        return;
    }
    char *name = maker->names + HF_REQUEST_RULE_MAX * maker->n_names++;
    snprintf(name, HF_REQUEST_RULE_MAX, "%zu/%s", route, hf_rule_name(which));
    maker->n_parts += n;
    rule->role = (uint32_t)maker->n_roles;
    maker->origins[maker->n_roles] = (struct origin){SIZE_MAX, route, which};
    maker->roles[maker->n_roles++] =
        (struct hf_role_source){name, {.op = HF_ROLE_ANY, .parts = parts, .n_parts = n}};
}

static enum hf_err make_rules(struct maker *maker)
{
    struct hf_route_table *table = maker->table;
    for (size_t i = 0; i < table->n_routes; i++) {
        struct hf_route *route = &table->routes[i];
        for (enum hf_rule rule = 0; rule < HF_RULE_N; rule++) {
            const struct hf_rule_source *list = &maker->source->routes[i].rules[rule];
            route->rules[rule] = (struct hf_route_rule){.given = list->n > 0, .role = HF_ROLE_NONE};
            if (list->n) {
                HF_TRY(keep_text(&route->rules[rule], list));
                join_rule(maker, i, rule);
            }
        }
        table->has_rules |=
            route->auth || route->rules[HF_RULE_ALLOW].given || route->rules[HF_RULE_DENY].given;
    }
    return HF_OK;
}

/* Turns a place among the joined roles into one of the source. */
static void tell_place(struct maker *maker, const struct hf_role_place *found)
{
    const struct origin *origin = &maker->origins[found->role];
    *maker->place = (struct hf_route_place){.route = origin->route, .rule = origin->rule};
    if (origin->role != SIZE_MAX) {
        maker->place->part = HF_ROUTE_PART_ROLE;
        const struct hf_role_source *role = &maker->source->roles[origin->role];
        bool top = found->expr == &maker->roles[found->role].expr; /* which is a copy */
        maker->place->role = (struct hf_role_place){origin->role, top ? &role->expr : found->expr};
        return;
    }
    const struct hf_rule_source *list = &maker->source->routes[origin->route].rules[origin->rule];
    const char *const *item = found->expr ? found->expr->tag : NULL;
    maker->place->part = HF_ROUTE_PART_RULE;
    maker->place->item = item ? (size_t)(item - list->who) : 0;
}

static enum hf_err make_roles(struct maker *maker)
{
    const struct hf_route_table_source *source = maker->source;
    struct hf_role_place found = {0};
    size_t n_rules = 0;
    size_t n_parts = 0;
    *maker->place = (struct hf_route_place){0};
    HF_TRY(survey(maker, &n_rules, &n_parts));
    maker->roles = hf_alloc_zero(source->n_roles + n_rules + 1, sizeof(*maker->roles));
    maker->origins = hf_alloc_zero(source->n_roles + n_rules + 1, sizeof(*maker->origins));
    maker->parts = hf_alloc_zero(n_parts + 1, sizeof(*maker->parts));
    maker->names = hf_alloc_zero(n_rules + 1, HF_REQUEST_RULE_MAX);
    if (!maker->roles || !maker->origins || !maker->parts || !maker->names) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < source->n_roles; i++) {
        if (maker->needed[i]) {
            maker->origins[maker->n_roles] = (struct origin){.role = i};
            maker->roles[maker->n_roles++] = source->roles[i];
        }
    }
    HF_TRY(make_rules(maker));
    enum hf_err err = hf_roles_new(maker->roles, maker->n_roles, &maker->table->roles, &found);
    if (err != HF_OK && found.role < maker->n_roles) {
        tell_place(maker, &found);
    }
    return err;
}

/* --- Hosts --------------------------------------------------------------------------------------
 */

static enum hf_err add_to_list(struct hf_route_list *list, uint32_t route)
{
    if (list->n && list->route[list->n - 1] == route) {
        return HF_OK; /* the same host twice */
    }
    if ((list->n & (list->n - 1)) == 0) {
        size_t room = list->n ? 2 * list->n : 1;
        uint32_t *more = hf_realloc(list->route, room * sizeof(*more));
        if (!more) {
            return HF_E_NOMEM;
        }
        list->route = more;
    }
    list->route[list->n++] = route;
    return HF_OK;
}

/* Merges b into a, both in order. */
static enum hf_err merge(struct hf_route_list *a, const struct hf_route_list *b)
{
    struct hf_route_list merged = {0};
    enum hf_err err = HF_OK;
    for (size_t i = 0, j = 0; err == HF_OK && (i < a->n || j < b->n);) {
        bool mine = j == b->n || (i < a->n && a->route[i] <= b->route[j]);
        err = add_to_list(&merged, mine ? a->route[i++] : b->route[j++]);
    }
    hf_free(a->route);
    *a = merged;
    return err;
}

/* The list of one pattern, made when it is first met. */
static enum hf_err list_of(struct hf_route_table *table, const char *pattern,
                           struct hf_route_list **out)
{
    *out = hf_hosts_exact(&table->by_host, pattern);
    if (*out) {
        return HF_OK;
    }
    *out = &table->lists[table->n_lists++];
    return hf_hosts_put(&table->by_host, pattern, *out);
}

static enum hf_err list_own(struct maker *maker, uint32_t route)
{
    const struct hf_route_source *source = &maker->source->routes[route];
    struct hf_route_list *list;
    for (size_t i = 0; i < source->n_hosts; i++) {
        HF_TRY(at(maker, HF_ROUTE_PART_HOST, i, list_of(maker->table, source->hosts[i], &list)));
        HF_TRY(add_to_list(list, route));
    }
    return source->n_hosts ? HF_OK : add_to_list(&maker->table->lists[0], route);
}

/* An exact name's list takes in that of the wildcard over it, and every list those of no host. */
static enum hf_err complete_lists(struct maker *maker)
{
    struct hf_route_table *table = maker->table;
    HF_CLEANUP(hf_freep) bool *done = hf_alloc_zero(table->n_lists, sizeof(*done));
    if (!done) {
        return HF_E_NOMEM;
    }
    for (int wild = 0; wild < 2; wild++) { /* wildcards last: exact names take their own routes */
        for (size_t i = 0; i < maker->source->n_routes; i++) {
            const struct hf_route_source *source = &maker->source->routes[i];
            for (size_t j = 0; j < source->n_hosts; j++) {
                const char *host = source->hosts[j];
                struct hf_route_list *list = hf_hosts_exact(&table->by_host, host);
                if ((host[0] == '*') != wild || done[list - table->lists]) {
                    continue;
                }
                done[list - table->lists] = true;
                const char *dot = wild ? NULL : strchr(host, '.');
                char over[HF_HOSTS_NAME_MAX + 2] = "";
                snprintf(over, sizeof(over), "%s%s", dot ? "*" : "", dot ? dot : "");
                const struct hf_route_list *wider = hf_hosts_exact(&table->by_host, over);
                HF_TRY(wider ? merge(list, wider) : HF_OK);
                HF_TRY(merge(list, &table->lists[0]));
            }
        }
    }
    return HF_OK;
}

static enum hf_err make_hosts(struct maker *maker)
{
    struct hf_route_table *table = maker->table;
    size_t n = 1;
    for (size_t i = 0; i < maker->source->n_routes; i++) {
        n += maker->source->routes[i].n_hosts;
    }
    table->lists = hf_alloc_zero(n, sizeof(*table->lists));
    if (!table->lists) {
        return HF_E_NOMEM;
    }
    table->n_lists = 1;
    for (uint32_t i = 0; i < maker->source->n_routes; i++) {
        *maker->place = (struct hf_route_place){.route = i};
        HF_TRY(list_own(maker, i));
    }
    return complete_lists(maker);
}

static enum hf_err make_doors(struct maker *maker)
{
    const struct hf_route_table_source *source = maker->source;
    struct hf_route_table *table = maker->table;
    table->kinds = hf_alloc_zero(source->n_doors + 1, sizeof(*table->kinds));
    if (!table->kinds) {
        return HF_E_NOMEM;
    }
    table->n_doors = source->n_doors;
    for (size_t i = 0; i < source->n_doors; i++) {
        table->kinds[i] = source->doors[i].kind;
        if (source->doors[i].pattern) {
            HF_TRY(
                hf_hosts_put(&table->doors, source->doors[i].pattern, (void *)(uintptr_t)(i + 1)));
        }
    }
    return HF_OK;
}

/* The first to name a host has it. */
static enum hf_err name(struct hf_route_table *table, const char *host, unsigned kind)
{
    if (hf_hosts_exact(&table->names, host)) {
        return HF_OK;
    }
    return hf_hosts_put(&table->names, host, (void *)((uintptr_t)kind + 1));
}

/* Only beside neighbours do the hosts that routes name say more than the doors. */
static enum hf_err make_names(struct maker *maker)
{
    const struct hf_route_table_source *source = maker->source;
    struct hf_route_table *table = maker->table;
    if (source->n_neighbours == 0) {
        return HF_OK;
    }
    for (size_t i = 1; i < source->n_doors; i++) {
        HF_TRY(name(table, source->doors[i].pattern, source->doors[i].kind));
    }
    for (size_t i = 0; i < source->n_routes; i++) {
        for (size_t j = 0; j < source->routes[i].n_hosts; j++) {
            const char *host = source->routes[i].hosts[j];
            size_t door = hf_route_table_door(table, hf_bytes_str(host));
            HF_TRY(name(table, host, table->kinds[door]));
        }
    }
    for (size_t i = 0; i < source->n_neighbours; i++) {
        HF_TRY(name(table, source->neighbours[i].pattern, source->neighbours[i].kind));
    }
    return HF_OK;
}

/* --- All of it ----------------------------------------------------------------------------------
 */

static void maker_done(struct maker *maker)
{
    hf_map_done(&maker->roles_by_name);
    hf_free(maker->needed);
    hf_free(maker->roles);
    hf_free(maker->origins);
    hf_free(maker->parts);
    hf_free(maker->names);
}

enum hf_err hf_route_table_new(const struct hf_route_table_source *source,
                               struct hf_route_table **out, struct hf_route_place *out_place)
{
    *out = NULL;
    *out_place = (struct hf_route_place){0};
    struct maker maker = {
        .source = source, .table = HF_NEW(struct hf_route_table), .place = out_place};
    if (!maker.table) {
        return HF_E_NOMEM;
    }
    enum hf_err err = make_routes(&maker);
    err = err == HF_OK ? make_roles(&maker) : err;
    err = err == HF_OK ? make_hosts(&maker) : err;
    err = err == HF_OK ? make_doors(&maker) : err;
    err = err == HF_OK ? make_names(&maker) : err;
    maker_done(&maker);
    if (err != HF_OK) {
        hf_route_table_free(maker.table);
        return err;
    }
    *out = maker.table;
    return HF_OK;
}

static void values_done(struct hf_route_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hf_free(values[i].name);
        hf_buf_done(&values[i].pattern);
    }
    hf_free(values);
}

static void route_done(struct hf_route *route)
{
    for (size_t i = 0; i < route->n_paths; i++) {
        hf_path_pattern_done(&route->paths[i]);
    }
    for (size_t i = 0; i < route->n_methods; i++) {
        hf_free(route->methods[i]);
    }
    for (size_t i = 0; i < HF_RULE_N; i++) {
        hf_free(route->rules[i].text);
    }
    values_done(route->headers, route->n_headers);
    values_done(route->queries, route->n_queries);
    hf_free(route->paths);
    hf_free(route->methods);
    hf_free(route->name);
}

void hf_route_table_free(struct hf_route_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < table->n_routes; i++) {
        route_done(&table->routes[i]);
    }
    for (size_t i = 0; i < table->n_lists; i++) {
        hf_free(table->lists[i].route);
    }
    hf_roles_free(table->roles);
    hf_hosts_done(&table->by_host);
    hf_hosts_done(&table->doors);
    hf_hosts_done(&table->names);
    hf_free(table->lists);
    hf_free(table->kinds);
    hf_free(table->routes);
    hf_free(table);
}
