// SPDX-License-Identifier: Apache-2.0
/*
 * From a listener's routes to the table that judges requests. What single values get wrong was said
 * before; here is what only all routes together show: names given twice, routes that no request
 * can reach, and what hf_route_table_new refuses.
 */
#include "config/routes.h"

#include <stdio.h>
#include <string.h>

#include "config/neighbours.h"
#include "policy/hosts.h"
#include "policy/route.h"

/* --- From the config's structs to the table's ---------------------------------------------------
 */

struct build {
    struct hf_decoder *decoder;
    struct hf_cfg_listener *listener;
};

static void *take(struct build *build, size_t n, size_t size)
{
    void *made = hf_arena_alloc(build->decoder->arena, n ? n : 1, size);
    if (!made) {
        build->decoder->err = HF_E_NOMEM;
    }
    return made;
}

static const char *const *texts(struct build *build, const struct hf_cfg_strings *strings)
{
    const char **out = take(build, strings->n, sizeof(*out));
    for (size_t i = 0; out && i < strings->n; i++) {
        out[i] = strings->item[i].value;
    }
    return out;
}

static const struct hf_route_pair *pairs(struct build *build, const struct hf_cfg_pairs *from)
{
    struct hf_route_pair *out = take(build, from->n, sizeof(*out));
    for (size_t i = 0; out && i < from->n; i++) {
        out[i] = (struct hf_route_pair){from->item[i].name, from->item[i].value};
    }
    return out;
}

static const struct hf_cfg_strings *rule_of(const struct hf_cfg_route *route, enum hf_rule rule)
{
    const struct hf_cfg_strings *const lists[HF_RULE_N] = {
        [HF_RULE_MATCH] = &route->match.identity,
        [HF_RULE_DENY] = &route->deny,
        [HF_RULE_ALLOW] = &route->allow,
        [HF_RULE_REPORT] = &route->report,
    };
    return lists[rule];
}

static void fill_route(struct build *build, const struct hf_cfg_route *route,
                       struct hf_route_source *out)
{
    const struct hf_cfg_match *match = &route->match;
    *out = (struct hf_route_source){
        .name = route->name.value,
        .hosts = texts(build, &match->host),
        .n_hosts = match->host.n,
        .paths = texts(build, &match->path),
        .n_paths = match->path.n,
        .methods = texts(build, &match->method),
        .n_methods = match->method.n,
        .headers = pairs(build, &match->header),
        .n_headers = match->header.n,
        .queries = pairs(build, &match->query),
        .n_queries = match->query.n,
        .auth = route->auth != NULL,
    };
    for (enum hf_rule rule = 0; rule < HF_RULE_N; rule++) {
        const struct hf_cfg_strings *list = rule_of(route, rule);
        out->rules[rule] = (struct hf_rule_source){texts(build, list), list->n};
    }
}

static const struct hf_route_door *doors_of(struct build *build)
{
    const struct hf_cfg_listener *listener = build->listener;
    struct hf_route_door *doors = take(build, listener->n_sni + 1, sizeof(*doors));
    for (size_t i = 0; doors && i <= listener->n_sni; i++) {
        doors[i] = (struct hf_route_door){i ? listener->sni[i - 1].pattern.value : NULL,
                                          hf_kind_of_door(build->decoder->config, listener, i)};
    }
    return doors;
}

static const struct hf_role_source *roles_of(struct build *build)
{
    const struct hf_config *config = build->decoder->config;
    struct hf_role_source *roles = take(build, config->n_roles, sizeof(*roles));
    for (size_t i = 0; roles && i < config->n_roles; i++) {
        roles[i] = (struct hf_role_source){config->roles[i].name, config->roles[i].expr};
    }
    return roles;
}

/* --- What it refuses ----------------------------------------------------------------------------
 */

static struct hf_mark mark_of(const struct build *build, const struct hf_route_place *place)
{
    const struct hf_cfg_route *route = &build->listener->routes[place->route];
    const struct hf_mark *role = place->role.expr ? place->role.expr->tag : NULL;
    switch (place->part) {
    case HF_ROUTE_PART_HOST:
        return route->match.host.item[place->item].mark;
    case HF_ROUTE_PART_PATH:
        return route->match.path.item[place->item].mark;
    case HF_ROUTE_PART_HEADER:
        return route->match.header.item[place->item].mark;
    case HF_ROUTE_PART_QUERY:
        return route->match.query.item[place->item].mark;
    case HF_ROUTE_PART_RULE:
        return rule_of(route, place->rule)->item[place->item].mark;
    case HF_ROUTE_PART_ROLE:
        return role ? *role : build->decoder->config->roles[place->role.role].mark;
    case HF_ROUTE_PART_ROUTE:
        break;
    }
    return route->mark;
}

static void compile(struct build *build)
{
    struct hf_cfg_listener *listener = build->listener;
    struct hf_route_source *routes = take(build, listener->n_routes, sizeof(*routes));
    for (size_t i = 0; routes && i < listener->n_routes; i++) {
        fill_route(build, &listener->routes[i], &routes[i]);
    }
    struct hf_route_table_source source = {
        .routes = routes,
        .n_routes = listener->n_routes,
        .roles = roles_of(build),
        .n_roles = build->decoder->config->n_roles,
        .doors = doors_of(build),
        .n_doors = listener->n_sni + 1,
    };
    struct hf_route_place place;
    if (build->decoder->err == HF_OK) {
        build->decoder->err =
            hf_neighbours(build->decoder, listener, &source.neighbours, &source.n_neighbours);
    }
    if (build->decoder->err != HF_OK) {
        return;
    }
    enum hf_err err = hf_route_table_new(&source, &listener->route_table, &place);
    if (err == HF_E_NOMEM) {
        build->decoder->err = err;
    } else if (err != HF_OK) {
        hf_findings_add(build->decoder->findings, HF_FINDING_BAD_VALUE, mark_of(build, &place),
                        "route \"%s\": %s", listener->routes[place.route].name.value,
                        hf_err_text());
    }
}

/* --- Names and reach ----------------------------------------------------------------------------
 */

static void name_routes(struct build *build)
{
    struct hf_cfg_listener *listener = build->listener;
    for (size_t i = 0; i < listener->n_routes; i++) {
        struct hf_cfg_string *name = &listener->routes[i].name;
        char text[32];
        snprintf(text, sizeof(text), "route-%zu", i + 1);
        if (!name->value) {
            name->value = hf_arena_strdup(build->decoder->arena, text);
            name->mark = listener->routes[i].mark;
        }
        if (!name->value) {
            build->decoder->err = HF_E_NOMEM;
            return;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(listener->routes[j].name.value, name->value) == 0) {
                hf_findings_add(build->decoder->findings, HF_FINDING_DUPLICATE_KEY, name->mark,
                                "there are two routes \"%s\" in listener \"%s\"; give one another "
                                "name",
                                name->value, listener->name);
                break;
            }
        }
    }
}

/* Is every text of the narrow list covered by one of the wide list? An empty list is everything. */
static bool list_covers(const struct hf_cfg_strings *wide, const struct hf_cfg_strings *narrow,
                        bool (*covers)(const char *a, const char *b))
{
    for (size_t i = 0; wide->n && i < narrow->n; i++) {
        size_t j = 0;
        while (j < wide->n && !covers(wide->item[j].value, narrow->item[i].value)) {
            j++;
        }
        if (j == wide->n) {
            return false;
        }
    }
    return wide->n == 0 || narrow->n > 0;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool path_covers(const char *a, const char *b)
{
    struct hf_path_pattern wide;
    struct hf_path_pattern narrow = {0};
    bool covers = hf_path_pattern_init(&wide, hf_bytes_str(a)) == HF_OK &&
                  hf_path_pattern_init(&narrow, hf_bytes_str(b)) == HF_OK &&
                  hf_path_pattern_covers(&wide, &narrow);
    hf_path_pattern_done(&wide);
    hf_path_pattern_done(&narrow);
    return covers;
}

static bool route_covers(const struct hf_cfg_match *wide, const struct hf_cfg_match *narrow)
{
    bool plain = wide->header.n == 0 && wide->query.n == 0 && wide->identity.n == 0;
    return plain && list_covers(&wide->host, &narrow->host, hf_hosts_covers) &&
           list_covers(&wide->method, &narrow->method, same_text) &&
           list_covers(&wide->path, &narrow->path, path_covers);
}

static void check_reach(struct build *build)
{
    const struct hf_cfg_listener *listener = build->listener;
    for (size_t i = 1; i < listener->n_routes; i++) {
        const struct hf_cfg_route *route = &listener->routes[i];
        for (size_t j = 0; j < i; j++) {
            const struct hf_cfg_route *earlier = &listener->routes[j];
            if (route_covers(&earlier->match, &route->match)) {
                hf_findings_add(build->decoder->findings, HF_FINDING_UNREACHABLE_ROUTE, route->mark,
                                "no request reaches route \"%s\": \"%s\" in line %d takes all of "
                                "them; put it before that one, or remove it",
                                route->name.value, earlier->name.value, earlier->mark.line);
                break;
            }
        }
    }
}

void hf_routes_check(struct hf_decoder *decoder, struct hf_cfg_listener *listener)
{
    struct build build = {decoder, listener};
    name_routes(&build);
    if (decoder->err == HF_OK) {
        check_reach(&build);
        compile(&build);
    }
}
