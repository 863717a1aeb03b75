// SPDX-License-Identifier: Apache-2.0
#include "config/semantics.h"

#include <string.h>

#include "config/decode.h"
#include "config/proxies.h"
#include "config/routes.h"
#include "config/semantics_impl.h"

/* --- Identities --------------------------------------------------------------------------------*/

void hf_check_identity(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_identity *identity = object;
    if (hf_is_given(node, "passphrase-file") && hf_is_given(node, "passphrase-env")) {
        hf_conflict(decoder, hf_key_mark(node, "passphrase-env"),
                    "identity \"%s\" has both passphrase-file and passphrase-env; keep one",
                    identity->name);
    }
    if (identity->fetch_staple && hf_is_given(node, "staple")) {
        hf_conflict(decoder, hf_key_mark(node, "staple"),
                    "identity \"%s\" has both a staple in a file and fetch-staple; keep one",
                    identity->name);
    }
    if (!identity->fetch_staple && hf_is_given(node, "staple-responder")) {
        hf_conflict(decoder, hf_key_mark(node, "staple-responder"),
                    "identity \"%s\" has a staple-responder and no fetch-staple: true, so that it "
                    "isn't asked",
                    identity->name);
    }
}

/* --- Upstreams ---------------------------------------------------------------------------------*/

static void check_upstream_name(struct hf_decoder *decoder, const struct hf_cfg_upstream *upstream)
{
    for (size_t i = 0; i < upstream->n_servers; i++) {
        if (upstream->servers[i].is_address && !upstream->servers[i].host) {
            hf_conflict(decoder, upstream->servers[i].mark,
                        "upstream \"%s\" speaks TLS with %s, which has no host name to check; add "
                        "name under tls",
                        upstream->name, upstream->servers[i].text);
            return;
        }
    }
}

/* HTTP/2 is agreed by ALPN in TLS; in plain text both sides must know. */
static void check_protocol(struct hf_decoder *decoder, const struct hf_cfg_upstream *upstream)
{
    bool needs_tls = upstream->protocol == HF_PROTOCOL_H2 || upstream->protocol == HF_PROTOCOL_AUTO;
    if (needs_tls && !upstream->tls_on) {
        hf_conflict(
            decoder, upstream->protocol_mark,
            "upstream \"%s\" has no tls, in which %s is agreed; add tls, or write protocol: "
            "h2c for HTTP/2 in plain text",
            upstream->name, upstream->protocol == HF_PROTOCOL_H2 ? "h2" : "a protocol");
    }
    if (upstream->protocol == HF_PROTOCOL_H2C && upstream->tls_on) {
        hf_conflict(decoder, upstream->protocol_mark,
                    "upstream \"%s\" has tls, and h2c is HTTP/2 in plain text; write protocol: h2",
                    upstream->name);
    }
}

void hf_check_upstream(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_upstream *upstream = object;
    const struct hf_node *tls = hf_node_get(node, "tls");
    check_protocol(decoder, upstream);
    hf_check_balance(decoder, node, upstream);
    if (!tls || tls->kind != HF_NODE_MAP) {
        return;
    }
    hf_check_tls(decoder, tls, &upstream->tls, true);
    bool skip = upstream->unsafe_skip_verify;
    if (!skip && !hf_is_given(tls, "trust")) {
        hf_conflict(decoder, tls->key_mark,
                    "upstream \"%s\" speaks TLS but has nothing to verify the backend with; add "
                    "trust under tls",
                    upstream->name);
    }
    if (skip && upstream->tls_send_names) {
        hf_conflict(decoder, hf_key_mark(tls, "send-names"),
                    "upstream \"%s\" has no trust whose names could be sent; remove send-names",
                    upstream->name);
    }
    if (skip && hf_is_given(tls, "trust")) {
        hf_conflict(decoder, hf_key_mark(tls, "unsafe-skip-verify"),
                    "upstream \"%s\" has both trust and unsafe-skip-verify; remove one of them",
                    upstream->name);
    }
    if (skip && hf_is_given(tls, "name")) {
        hf_conflict(
            decoder, hf_key_mark(tls, "name"),
            "upstream \"%s\" checks no name while unsafe-skip-verify is on; remove name, or "
            "write it as sni",
            upstream->name);
    }
    if (!skip && !hf_is_given(tls, "name")) {
        check_upstream_name(decoder, upstream);
    }
}

/* --- Listeners ---------------------------------------------------------------------------------*/

static bool needs_trust(enum hf_client_mode mode)
{
    return mode == HF_CLIENT_REQUIRE || mode == HF_CLIENT_REQUEST;
}

/* A plain listener speaks no TLS, so nothing about TLS may be said of it. */
static void check_plain(struct hf_decoder *decoder, const struct hf_node *node,
                        struct hf_cfg_listener *listener)
{
    static const char *const tls_keys[] = {"identities", "client", "trust",  "sni",
                                           "strict-sni", "tls",    "refuse", "report-only"};
    for (size_t i = 0; i < HF_N_ELEMENTS(tls_keys); i++) {
        if (hf_is_given(node, tls_keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, tls_keys[i]),
                        "listener \"%s\" is plain, so %s has no effect; remove it, or plain",
                        listener->name, tls_keys[i]);
        }
    }
    listener->client = HF_CLIENT_NONE;
}

/* What an SNI rule leaves out it takes from the listener. */
static void inherit(const struct hf_node *node, const struct hf_cfg_listener *listener,
                    struct hf_cfg_sni *sni)
{
    sni->mark = node->mark;
    if (!hf_is_given(node, "client")) {
        sni->client = listener->client;
    }
    if (!hf_is_given(node, "trust")) {
        sni->trust = listener->trust;
    }
}

static void check_sni_rule(struct hf_decoder *decoder, const struct hf_node *listener_node,
                           const struct hf_node *node, const struct hf_cfg_listener *listener,
                           size_t at)
{
    const struct hf_cfg_sni *sni = &listener->sni[at];
    const char *pattern = sni->pattern.value ? sni->pattern.value : "";
    if (needs_trust(sni->client) && !hf_is_given(node, "trust") &&
        !hf_is_given(listener_node, "trust")) {
        hf_conflict(
            decoder, node->mark,
            "the rule for \"%s\" needs a trust to verify clients with; add trust to it or to "
            "the listener",
            pattern);
    }
    if (sni->client == HF_CLIENT_NONE && hf_is_given(node, "trust")) {
        hf_conflict(
            decoder, hf_key_mark(node, "trust"),
            "the rule for \"%s\" asks for no certificate, so trust has no effect; remove it, "
            "or write client: require",
            pattern);
    }
    if (!hf_is_given(node, "client") && !hf_is_given(node, "trust")) {
        hf_conflict(
            decoder, node->mark,
            "the rule for \"%s\" says nothing else than the listener; add client or trust, or "
            "remove it",
            pattern);
    }
    for (size_t i = 0; i < at; i++) {
        if (*pattern && listener->sni[i].pattern.value &&
            strcmp(pattern, listener->sni[i].pattern.value) == 0) {
            hf_findings_add(decoder->findings, HF_FINDING_DUPLICATE_KEY, sni->pattern.mark,
                            "there are two rules for \"%s\", the first in line %d; remove one",
                            pattern, listener->sni[i].mark.line);
        }
    }
}

/* True when some rule verifies clients with the listener's own trust. */
static bool rules_use_trust(const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_sni; i++) {
        if (listener->sni[i].client != HF_CLIENT_NONE &&
            listener->sni[i].trust == listener->trust) {
            return true;
        }
    }
    return false;
}

static bool asks_anybody(const struct hf_cfg_listener *listener)
{
    bool asks = needs_trust(listener->client);
    for (size_t i = 0; i < listener->n_sni; i++) {
        asks |= needs_trust(listener->sni[i].client);
    }
    return asks;
}

/* What is done with those whom a certificate keeps out. */
static void check_refusals(struct hf_decoder *decoder, const struct hf_node *node,
                           const struct hf_cfg_listener *listener)
{
    static const char *const keys[] = {"refuse", "report-only"};
    if (listener->refuse == HF_REFUSE_PAGE && listener->mode != HF_MODE_HTTP) {
        hf_conflict(
            decoder, hf_key_mark(node, "refuse"),
            "listener \"%s\" relays bytes and has no pages to show; write refuse: alert, or "
            "mode: http",
            listener->name);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(keys) && !asks_anybody(listener); i++) {
        if (hf_is_given(node, keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, keys[i]),
                        "listener \"%s\" refuses nobody for a certificate, so %s has no effect; "
                        "remove it, or write client: require",
                        listener->name, keys[i]);
        }
    }
}

static void check_client(struct hf_decoder *decoder, const struct hf_node *node,
                         const struct hf_cfg_listener *listener)
{
    check_refusals(decoder, node, listener);
    bool has_trust = hf_is_given(node, "trust");
    if (needs_trust(listener->client) && !has_trust) {
        hf_conflict(decoder, hf_is_given(node, "client") ? listener->client_mark : node->key_mark,
                    "listener \"%s\" verifies clients (client: %s) but has no trust; add trust, or "
                    "write client: none",
                    listener->name, hf_client_mode_name(listener->client));
    }
    if (listener->client == HF_CLIENT_NONE && has_trust && !rules_use_trust(listener)) {
        hf_conflict(
            decoder, hf_key_mark(node, "trust"),
            "listener \"%s\" asks for no certificate, so trust has no effect; remove it, or "
            "write client: require",
            listener->name);
    }
}

static void check_twice(struct hf_decoder *decoder, const struct hf_node *node,
                        const struct hf_cfg_listener *listener)
{
    const struct hf_node *list = hf_node_get(node, "identities");
    const struct hf_node *item = list ? list->first : NULL;
    for (size_t i = 0; i < listener->n_identities && item; i++, item = item->next) {
        for (size_t j = 0; j < i && listener->identities[i]; j++) {
            if (listener->identities[i] == listener->identities[j]) {
                hf_findings_add(decoder->findings, HF_FINDING_DUPLICATE_KEY, item->mark,
                                "identity \"%s\" is in the list twice; remove one",
                                listener->identities[i]->name);
                break;
            }
        }
    }
}

static void check_tls_listener(struct hf_decoder *decoder, const struct hf_node *node,
                               struct hf_cfg_listener *listener)
{
    const struct hf_node *rules = hf_node_get(node, "sni");
    const struct hf_node *rule = rules && rules->kind == HF_NODE_LIST ? rules->first : NULL;
    if (!hf_is_given(node, "identities")) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->key_mark,
                        "listener \"%s\" has no identities; add them, or plain: true where TLS is "
                        "not wanted",
                        listener->name);
    }
    for (size_t i = 0; i < listener->n_sni && rule; i++, rule = rule->next) {
        inherit(rule, listener, &listener->sni[i]);
        check_sni_rule(decoder, node, rule, listener, i);
    }
    check_client(decoder, node, listener);
    check_twice(decoder, node, listener);
    hf_check_tls(decoder, hf_node_get(node, "tls"), &listener->tls, false);
}

static void check_tcp(struct hf_decoder *decoder, const struct hf_node *node,
                      const struct hf_cfg_listener *listener)
{
    static const char *const keys[] = {"routes",          "http",      "trusted-proxies",
                                       "trusted-clients", "jwks-path", "access-log",
                                       "probes"};
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        if (hf_is_given(node, keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, keys[i]),
                        "listener \"%s\" relays bytes, so %s has no effect; write mode: http, or "
                        "remove it",
                        listener->name, keys[i]);
        }
    }
    if (!hf_is_given(node, "to") && !hf_is_given(node, "routes")) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->key_mark,
                        "listener \"%s\" has no to; add to, such as app", listener->name);
    }
}

void hf_check_listener(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    struct hf_cfg_listener *listener = object;
    hf_check_hash_by(decoder, node, listener);
    hf_check_limits(decoder, listener);
    if (listener->mode == HF_MODE_HTTP) {
        hf_check_http_listener(decoder, node, listener);
    } else {
        check_tcp(decoder, node, listener);
    }
    if (listener->plain) {
        check_plain(decoder, node, listener);
    } else {
        check_tls_listener(decoder, node, listener);
    }
}

/* --- The whole ---------------------------------------------------------------------------------*/

struct used_address {
    const struct hf_cfg_addr *addr;
    const char *what;
    const char *name;
};

static void check_address(struct hf_decoder *decoder, const struct used_address *used, size_t n,
                          const struct used_address *mine)
{
    bool is_unix = mine->addr->addr.sa.sa_family == AF_UNIX;
    if (!mine->addr->text || (!is_unix && hf_addr_port(&mine->addr->addr) == 0)) {
        return; /* refused, or any free port */
    }
    for (size_t i = 0; i < n; i++) {
        if (used[i].addr->text && hf_addr_eq(&used[i].addr->addr, &mine->addr->addr)) {
            hf_findings_add(decoder->findings, HF_FINDING_DUPLICATE_ADDRESS, mine->addr->mark,
                            "%s is taken by %s%s%s already; choose another address",
                            mine->addr->text, used[i].what, *used[i].name ? " " : "", used[i].name);
            return;
        }
    }
}

static void check_addresses(struct hf_decoder *decoder)
{
    const struct hf_config *config = decoder->config;
    size_t n = 2;
    for (size_t i = 0; i < config->n_listeners; i++) {
        n += config->listeners[i].n_listen;
    }
    struct used_address *used = hf_arena_alloc(decoder->arena, n, sizeof(*used));
    if (!used) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    used[0] = (struct used_address){&config->admin, "admin", ""};
    used[1] = (struct used_address){&config->metrics, "metrics", ""};
    n = 1;
    check_address(decoder, used, n++, &used[1]);
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct hf_cfg_listener *listener = &config->listeners[i];
        for (size_t j = 0; j < listener->n_listen; j++) {
            used[n] = (struct used_address){&listener->listen[j], "listener",
                                            listener->name ? listener->name : ""};
            check_address(decoder, used, n, &used[n]);
            n++;
        }
    }
}

void hf_check_config(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_config *config = object;
    const struct hf_node *listeners = hf_node_get(node, "listeners");
    if (listeners && listeners->kind == HF_NODE_MAP && config->n_listeners == 0) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, listeners->key_mark,
                        "there are no listeners, so nothing to do; define one");
    }
    check_addresses(decoder);
    hf_check_crl_state(decoder, node);
    hf_check_staple_state(decoder, node);
    for (size_t i = 0; i < config->n_listeners && decoder->findings->n_errors == 0; i++) {
        if (config->listeners[i].mode == HF_MODE_HTTP && decoder->err == HF_OK) {
            hf_routes_check(decoder, &config->listeners[i]);
            hf_proxies_check(decoder, &config->listeners[i]);
        }
    }
}
