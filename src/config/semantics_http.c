// SPDX-License-Identifier: Apache-2.0
/* What no single value shows of HTTP mode: a route's keys beside each other, and the listener's. */
#include <string.h>

#include "config/semantics_impl.h"

/* --- Routes ------------------------------------------------------------------------------------*/

static void check_actions(struct hf_decoder *decoder, const struct hf_node *node,
                          struct hf_cfg_route *route)
{
    static const char *const actions[] = {"to", "respond", "redirect", "service"};
    const char *first = NULL;
    for (size_t i = 0; i < HF_N_ELEMENTS(actions); i++) {
        if (!hf_is_given(node, actions[i])) {
            continue;
        }
        if (first) {
            hf_conflict(decoder, hf_key_mark(node, actions[i]),
                        "a route has either %s or %s; remove one of them", first, actions[i]);
        }
        first = first ? first : actions[i];
        route->action = (enum hf_cfg_route_action)i;
    }
    if (!first) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->mark,
                        "the route leads nowhere; add to, service, respond or redirect");
    }
}

/* Settings about a backend, on a route that has none. */
static void check_backend_keys(struct hf_decoder *decoder, const struct hf_node *node)
{
    static const char *const keys[] = {"rewrite", "timeout", "retries", "max-body"};
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        if (!hf_is_given(node, "to") && hf_is_given(node, keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, keys[i]),
                        "the route goes to no upstream, so %s has no effect; remove it", keys[i]);
        }
    }
}

static void check_rewrite(struct hf_decoder *decoder, const struct hf_cfg_route *route)
{
    const char *path = route->rewrite.path.value;
    bool slash = path && path[strlen(path) - 1] == '/';
    for (size_t i = 0; path && !slash && i < route->match.path.n; i++) {
        const char *pattern = route->match.path.item[i].value;
        if (pattern && pattern[strlen(pattern) - 1] == '/') {
            hf_conflict(
                decoder, route->rewrite.path.mark,
                "the route is for everything beneath %s, and \"%s\" leaves no place for it; "
                "write \"%s/\"",
                pattern, path, path);
            return;
        }
    }
}

static bool is_status_without_body(unsigned status)
{
    return status == 204 || status == 205 || status == 304;
}

void hf_check_route(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    struct hf_cfg_route *route = object;
    route->mark = node->mark;
    check_actions(decoder, node, route);
    check_backend_keys(decoder, node);
    check_rewrite(decoder, route);
    if (route->deny.n && !route->allow.n && !hf_is_given(node, "auth")) {
        hf_conflict(decoder, hf_key_mark(node, "deny"),
                    "the route denies some and allows nobody, so everybody is refused; add allow: "
                    "[verified], or allow: [anyone]");
    }
    if (route->respond_on && route->respond.body.value &&
        is_status_without_body(route->respond.status)) {
        hf_conflict(decoder, route->respond.body.mark,
                    "an answer with status %u has no body; remove it, or write another status",
                    route->respond.status);
    }
}

/* --- Probes ------------------------------------------------------------------------------------*/

void hf_check_probes(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_probes *probes = object;
    const char *live = probes->live.value;
    const char *ready = probes->ready.value;
    const char *upstreams = probes->upstreams.value;
    if (live && ready && strcmp(live, ready) == 0) {
        hf_conflict(decoder, hf_key_mark(node, hf_is_given(node, "ready") ? "ready" : "live"),
                    "live and ready are both %s; give each a path of its own", live);
    }
    if (upstreams && upstreams[strlen(upstreams) - 1] == '/') {
        hf_conflict(decoder, probes->upstreams.mark,
                    "upstreams: names follow behind a slash; write it without the one at its end");
    }
}

/* `to` in HTTP mode is one route for everything. */
static void make_only_route(struct hf_decoder *decoder, const struct hf_node *node,
                            struct hf_cfg_listener *listener)
{
    struct hf_cfg_route *route = hf_arena_alloc(decoder->arena, 1, sizeof(*route));
    if (!route) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    route->mark = hf_key_mark(node, "to");
    route->to = listener->to;
    listener->to = NULL;
    listener->routes = route;
    listener->n_routes = 1;
}

/* The protocols of HTTP mode are offered where the file says nothing. */
static void check_alpn(struct hf_decoder *decoder, struct hf_cfg_listener *listener)
{
    static const char *const known[] = {"h2", "http/1.1"};
    struct hf_cfg_strings *alpn = &listener->tls.alpn;
    for (size_t i = 0; i < alpn->n; i++) {
        const char *name = alpn->item[i].value;
        if (name && strcmp(name, known[0]) != 0 && strcmp(name, known[1]) != 0) {
            hf_conflict(decoder, alpn->item[i].mark,
                        "listener \"%s\" speaks HTTP, so alpn can be h2 and http/1.1, not \"%s\"",
                        listener->name, name);
        }
    }
    if (alpn->n == 0 && !listener->plain) {
        alpn->item = hf_arena_alloc(decoder->arena, HF_N_ELEMENTS(known), sizeof(*alpn->item));
        for (; alpn->item && alpn->n < HF_N_ELEMENTS(known); alpn->n++) {
            alpn->item[alpn->n].value = hf_arena_strdup(decoder->arena, known[alpn->n]);
        }
        bool whole = alpn->item && alpn->item[0].value && alpn->item[1].value;
        decoder->err = whole ? decoder->err : HF_E_NOMEM;
    }
}

/* One connection of an upstream carries the requests of several clients. */
static void check_route_upstreams(struct hf_decoder *decoder,
                                  const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_routes; i++) {
        const struct hf_cfg_upstream *to = listener->routes[i].to;
        if (to && to->proxy_out != HF_PROXY_OUT_NONE) {
            hf_conflict(decoder, listener->routes[i].mark,
                        "upstream \"%s\" has proxy-protocol, which tells of one client for a whole "
                        "connection, and in mode: http connections are shared; remove it",
                        to->name);
        }
    }
}

/* What isn't for everybody is for clients with a certificate. */
static void check_route_services(struct hf_decoder *decoder, const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_routes; i++) {
        const struct hf_cfg_service *service = &listener->routes[i].service;
        if (service->ca && service->part != HF_CA_PART_PUBLIC && listener->plain) {
            hf_conflict(decoder, service->mark,
                        "listener \"%s\" is plain, so nobody can show who he is, and %s is not for "
                        "everybody; serve it on a listener with TLS",
                        listener->name, service->text);
        }
    }
}

void hf_check_http_listener(struct hf_decoder *decoder, const struct hf_node *node,
                            struct hf_cfg_listener *listener)
{
    bool to = hf_is_given(node, "to");
    bool routes = hf_is_given(node, "routes");
    if (to && routes) {
        hf_conflict(decoder, hf_key_mark(node, "to"),
                    "listener \"%s\" has both to and routes; write to in a last route",
                    listener->name);
    } else if (!to && !routes) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->key_mark,
                        "listener \"%s\" has no routes; add them, or to for a single upstream",
                        listener->name);
    } else if (to && listener->to) {
        make_only_route(decoder, node, listener);
    }
    check_alpn(decoder, listener);
    check_route_upstreams(decoder, listener);
    check_route_services(decoder, listener);
}
