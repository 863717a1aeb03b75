// SPDX-License-Identifier: Apache-2.0
/*
 * What a listener in HTTP mode accepts and somebody will regret: routes that stand open or let
 * nobody in, roles that nobody has, server names whose clients are asked less than their
 * neighbours, and ways around the headers that tell a backend who the client is.
 */
#include <string.h>

#include "config/lint_impl.h"
#include "policy/hosts.h"
#include "policy/route.h"

#define add(lint, id, mark, ...) hf_findings_add((lint)->findings, (id), (mark), __VA_ARGS__)

/* --- Who can come in at all ---------------------------------------------------------------------
 */

static bool verifies(enum hf_client_mode client, const struct hf_cfg_trust *trust)
{
    return client != HF_CLIENT_NONE && trust;
}

/* Is there a door at which a client's certificate is verified? */
static bool verifies_somewhere(const struct hf_cfg_listener *listener)
{
    bool found = verifies(listener->client, listener->trust);
    for (size_t i = 0; i < listener->n_sni; i++) {
        found |= verifies(listener->sni[i].client, listener->sni[i].trust);
    }
    return found && !listener->plain;
}

static bool lets_strangers_in(enum hf_client_mode client)
{
    return client == HF_CLIENT_REQUEST || client == HF_CLIENT_REQUEST_UNVERIFIED;
}

/* The mark of what lets in clients without a good certificate although they are asked for one;
 * NULL where nothing does. */
static const struct hf_mark *strangers_at(const struct hf_cfg_listener *listener,
                                          enum hf_client_mode *out)
{
    if (lets_strangers_in(listener->client)) {
        *out = listener->client;
        return &listener->client_mark;
    }
    for (size_t i = 0; i < listener->n_sni; i++) {
        if (lets_strangers_in(listener->sni[i].client)) {
            *out = listener->sni[i].client;
            return &listener->sni[i].mark;
        }
    }
    return NULL;
}

static bool names(const struct hf_cfg_strings *list, const char *word)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->item[i].value, word) == 0) {
            return true;
        }
    }
    return false;
}

/* --- Rules --------------------------------------------------------------------------------------
 */

static bool any_rule(const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_routes; i++) {
        if (hf_cfg_route_is_closed(&listener->routes[i])) {
            return true;
        }
    }
    return false;
}

static void lint_bare(const struct hf_lint *lint, const struct hf_cfg_listener *listener,
                      const struct hf_cfg_route *route)
{
    enum hf_client_mode client;
    const struct hf_mark *strangers = strangers_at(listener, &client);
    if (any_rule(listener)) {
        add(lint, HF_FINDING_REFUSES_ALL, route->mark,
            "route \"%s\" lets nobody in: other routes of listener \"%s\" have rules and it has "
            "none; add allow: [verified], or allow: [anyone]",
            route->name.value, listener->name);
    } else if (strangers) {
        add(lint, HF_FINDING_RULE_MISSING, route->mark,
            "route \"%s\" has no rule, and listener \"%s\" lets in clients without a good "
            "certificate (client: %s in line %d); add allow: [verified], allow: [anyone] if that "
            "is meant, or write client: require",
            route->name.value, listener->name, hf_client_mode_name(client), strangers->line);
    }
}

static void lint_allow(const struct hf_lint *lint, const struct hf_cfg_listener *listener,
                       const struct hf_cfg_route *route)
{
    if (route->allow.n && !names(&route->allow, HF_RULE_ANYONE) && !verifies_somewhere(listener)) {
        add(lint, HF_FINDING_NOBODY, route->allow.item[0].mark,
            "nobody is let in by route \"%s\": listener \"%s\" verifies no certificates, so no "
            "client has a role; give it client: require and a trust, or write allow: [anyone]",
            route->name.value, listener->name);
    }
    if (route->allow.n > 1 && names(&route->allow, HF_RULE_ANYONE)) {
        add(lint, HF_FINDING_ROLE_IDLE, route->allow.item[0].mark,
            "route \"%s\" allows anyone, so the others that it names make no difference; remove "
            "them, or anyone",
            route->name.value);
    }
    if (route->report.n && !route->allow.n) {
        add(lint, HF_FINDING_TRIAL, route->report.item[0].mark,
            "route \"%s\" has a rule on trial only, so everybody is let in; once the log shows no "
            "\"would_refuse\" that matters, write allow in place of report",
            route->name.value);
    }
}

static void lint_rules(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_routes; i++) {
        const struct hf_cfg_route *route = &listener->routes[i];
        if (!hf_cfg_route_is_closed(route) && !route->report.n) {
            lint_bare(lint, listener, route);
        }
        lint_allow(lint, listener, route);
    }
}

/* --- Roles --------------------------------------------------------------------------------------
 */

/* Is it of a kind of which an identity has one at most, and which is spelled in one way? */
static bool is_single(const char *text)
{
    static const char *const kinds[] = {"spiffe:", "cn:"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (strncmp(text, kinds[i], strlen(kinds[i])) == 0) {
            return !strpbrk(text, "*\\");
        }
    }
    return false;
}

/* Do two parts of "all" contradict each other? */
static bool contradict(const struct hf_role_expr *a, const struct hf_role_expr *b)
{
    if (a->op == HF_ROLE_NOT && b->op != HF_ROLE_NOT) {
        return contradict(b, a);
    }
    if (b->op == HF_ROLE_NOT) {
        const struct hf_role_expr *inner = b->parts;
        return a->op == inner->op && a->text && inner->text && strcmp(a->text, inner->text) == 0;
    }
    size_t kind = a->op == HF_ROLE_SELECTOR ? strcspn(a->text, ":") + 1 : 0;
    return a->op == HF_ROLE_SELECTOR && b->op == HF_ROLE_SELECTOR && is_single(a->text) &&
           is_single(b->text) && strncmp(a->text, b->text, kind) == 0 &&
           strcasecmp(a->text, b->text) != 0;
}

static bool is_impossible(const struct hf_role_expr *expr)
{
    if (expr->op == HF_ROLE_ANY) {
        bool all = true;
        for (size_t i = 0; i < expr->n_parts; i++) {
            all = all && is_impossible(&expr->parts[i]);
        }
        return all;
    }
    for (size_t i = 0; expr->op == HF_ROLE_ALL && i < expr->n_parts; i++) {
        bool alone = is_impossible(&expr->parts[i]);
        for (size_t j = 0; !alone && j < i; j++) {
            alone = contradict(&expr->parts[j], &expr->parts[i]);
        }
        if (alone) {
            return true;
        }
    }
    return false;
}

static bool expr_names(const struct hf_role_expr *expr, const char *role)
{
    if (expr->op == HF_ROLE_NAMED && strcmp(expr->text, role) == 0) {
        return true;
    }
    for (size_t i = 0; i < expr->n_parts; i++) {
        if (expr_names(&expr->parts[i], role)) {
            return true;
        }
    }
    return false;
}

static bool route_names(const struct hf_cfg_route *route, const char *role)
{
    return names(&route->allow, role) || names(&route->deny, role) || names(&route->report, role) ||
           names(&route->match.identity, role);
}

/* The profiles of a CA, which are in its store, may ask for roles as its rights do. */
static bool serves_ca(const struct hf_config *config)
{
    for (size_t i = 0; i < config->n_cas; i++) {
        if (config->cas[i].store.value) {
            return true;
        }
    }
    return false;
}

static bool role_is_used(const struct hf_config *config, const char *role)
{
    if (serves_ca(config)) {
        return true;
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        if (expr_names(&config->roles[i].expr, role)) {
            return true;
        }
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        for (size_t j = 0; j < config->listeners[i].n_routes; j++) {
            if (route_names(&config->listeners[i].routes[j], role)) {
                return true;
            }
        }
    }
    return false;
}

static void lint_roles(const struct hf_lint *lint)
{
    for (size_t i = 0; i < lint->config->n_roles; i++) {
        const struct hf_cfg_role *role = &lint->config->roles[i];
        if (is_impossible(&role->expr)) {
            add(lint, HF_FINDING_NOBODY, role->mark,
                "nobody can have the role \"%s\": what it wants at once contradicts itself; for "
                "one or the other write any",
                role->name);
        }
        if (!role_is_used(lint->config, role->name)) {
            add(lint, HF_FINDING_UNUSED, role->mark,
                "no rule and no role uses the role \"%s\"; remove it", role->name);
        }
    }
}

/* --- Server names -------------------------------------------------------------------------------
 */

/* How much is asked of clients: more is stricter. */
static int strictness(enum hf_client_mode client)
{
    static const int levels[] = {
        [HF_CLIENT_REQUIRE] = 3,
        [HF_CLIENT_REQUEST] = 2,
        [HF_CLIENT_REQUEST_UNVERIFIED] = 1,
        [HF_CLIENT_NONE] = 0,
    };
    return levels[client];
}

/* Two rules that one name falls under: are its clients judged otherwise by the narrow one? */
static void lint_overlap(const struct hf_lint *lint, const struct hf_cfg_sni *wide,
                         const struct hf_cfg_sni *narrow)
{
    if (strictness(narrow->client) < strictness(wide->client)) {
        add(lint, HF_FINDING_SNI_OVERLAP, narrow->mark,
            "clients who ask for %s are asked for less (client: %s) than those of all "
            "other names under %s (client: %s, line %d); give them the same, or make sure "
            "that it is meant",
            narrow->pattern.value, hf_client_mode_name(narrow->client), wide->pattern.value,
            hf_client_mode_name(wide->client), wide->mark.line);
    } else if (verifies(narrow->client, narrow->trust) && verifies(wide->client, wide->trust) &&
               narrow->trust != wide->trust) {
        add(lint, HF_FINDING_SNI_OVERLAP, narrow->mark,
            "clients who ask for %s are judged by trust \"%s\", those of all other names under %s "
            "by trust \"%s\" (line %d): who picks the name picks the trust; make sure that it is "
            "meant",
            narrow->pattern.value, narrow->trust->name, wide->pattern.value, wide->trust->name,
            wide->mark.line);
    }
}

static void lint_names(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_sni; i++) {
        const struct hf_cfg_sni *wide = &listener->sni[i];
        for (size_t j = 0; wide->pattern.value[0] == '*' && j < listener->n_sni; j++) {
            const struct hf_cfg_sni *narrow = &listener->sni[j];
            if (i != j && hf_hosts_covers(wide->pattern.value, narrow->pattern.value)) {
                lint_overlap(lint, wide, narrow);
            }
        }
    }
}

/* --- Ways around the headers --------------------------------------------------------------------
 */

/* A listener in HTTP mode that tells the upstream who the client is. */
static const struct hf_cfg_listener *teller(const struct hf_config *config,
                                            const struct hf_cfg_upstream *upstream)
{
    if (hf_cfg_words_bits(&upstream->forward.identity) == 0) {
        return NULL;
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        for (size_t j = 0; j < config->listeners[i].n_routes; j++) {
            if (config->listeners[i].routes[j].to == upstream) {
                return &config->listeners[i];
            }
        }
    }
    return NULL;
}

static void lint_bypass(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    const struct hf_cfg_listener *other = listener->to ? teller(lint->config, listener->to) : NULL;
    if (other) {
        add(lint, HF_FINDING_IDENTITY_FORGED, listener->mark,
            "upstream \"%s\" is told by listener \"%s\" who the client is, and listener \"%s\" "
            "passes on what clients write into the same headers; write mode: http here too, or "
            "give it another upstream",
            listener->to->name, other->name, listener->name);
    }
}

void hf_lint_http(const struct hf_lint *lint)
{
    lint_roles(lint);
    for (size_t i = 0; i < lint->config->n_listeners; i++) {
        const struct hf_cfg_listener *listener = &lint->config->listeners[i];
        lint_names(lint, listener);
        if (listener->mode == HF_MODE_HTTP) {
            lint_rules(lint, listener);
        } else {
            lint_bypass(lint, listener);
        }
    }
}
