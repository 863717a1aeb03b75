// SPDX-License-Identifier: Apache-2.0
/* What no single value of an upstream shows, but for its TLS. */
#include <string.h>

#include "config/semantics_impl.h"

void hf_check_eject(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_eject *eject = object;
    if (eject->max_time_ms < eject->time_ms) {
        hf_conflict(decoder, hf_key_mark(node, hf_is_given(node, "max-time") ? "max-time" : "time"),
                    "time is longer than max-time; raise max-time, or lower time");
    }
}

/* --- Checks ------------------------------------------------------------------------------------*/

enum { SERVICE_MAX = 255 };

void hf_check_health(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    static const struct {
        const char *key;
        unsigned types; /* for which it means something */
    } rows[] = {
        {"path", 1 << HF_CHECK_HTTP},
        {"expect", 1 << HF_CHECK_HTTP},
        {"host", 1 << HF_CHECK_HTTP | 1 << HF_CHECK_GRPC},
        {"service", 1 << HF_CHECK_GRPC},
    };
    const struct hf_cfg_check *check = object;
    for (size_t i = 0; i < HF_N_ELEMENTS(rows) && hf_is_given(node, "type"); i++) {
        if (hf_is_given(node, rows[i].key) && !(rows[i].types >> check->type & 1)) {
            hf_conflict(decoder, hf_key_mark(node, rows[i].key),
                        "a check of this type has no use for %s; remove it", rows[i].key);
        }
    }
    if (check->service.value && strlen(check->service.value) > SERVICE_MAX) {
        hf_conflict(decoder, check->service.mark, "service has more than %d bytes", SERVICE_MAX);
    }
}

static void check_checks(struct hf_decoder *decoder, const struct hf_node *node,
                         const struct hf_cfg_upstream *upstream)
{
    if (upstream->check_on && upstream->check.type == HF_CHECK_TLS && !upstream->tls_on &&
        hf_node_get(hf_node_get(node, "check"), "type")) {
        hf_conflict(decoder, hf_key_mark(node, "check"),
                    "upstream \"%s\" has no tls to check; add tls, or write type: tcp",
                    upstream->name);
    }
}

/* --- Servers -----------------------------------------------------------------------------------*/

static bool is_same(const struct hf_cfg_server *a, const struct hf_cfg_server *b)
{
    return a->text && b->text && strcmp(a->text, b->text) == 0;
}

static void check_servers(struct hf_decoder *decoder, const struct hf_cfg_upstream *upstream)
{
    const struct hf_cfg_server *servers = upstream->servers;
    if (upstream->n_servers > HF_UPSTREAM_SERVERS_MAX) {
        hf_conflict(decoder, servers[HF_UPSTREAM_SERVERS_MAX].mark,
                    "upstream \"%s\" has more than %d servers; put a load balancer of their own in "
                    "front of some",
                    upstream->name, HF_UPSTREAM_SERVERS_MAX);
        return;
    }
    for (size_t i = 0; i < upstream->n_servers; i++) {
        for (size_t j = 0; j < i; j++) {
            if (is_same(&servers[i], &servers[j])) {
                hf_findings_add(decoder->findings, HF_FINDING_DUPLICATE_KEY, servers[i].mark,
                                "server %s is in the list twice; remove one, or give one a weight",
                                servers[i].text);
                break;
            }
        }
    }
}

static bool has_caps(const struct hf_cfg_upstream *upstream)
{
    for (size_t i = 0; i < upstream->n_servers; i++) {
        if (upstream->servers[i].max_connections || upstream->servers[i].max_requests) {
            return true;
        }
    }
    return false;
}

/* --- Settings that go with another one, which isn't there --------------------------------------*/

static void check_hash(struct hf_decoder *decoder, const struct hf_node *node,
                       const struct hf_cfg_upstream *upstream)
{
    static const char *const hash_keys[] = {"hash-by", "hash-load-limit"};
    for (size_t i = 0; i < HF_N_ELEMENTS(hash_keys); i++) {
        if (hf_is_given(node, hash_keys[i]) && upstream->balance != HF_BALANCE_HASH) {
            hf_conflict(decoder, hf_key_mark(node, hash_keys[i]),
                        "upstream \"%s\" doesn't balance by hash, so %s has no effect; remove it, "
                        "or write balance: hash",
                        upstream->name, hash_keys[i]);
        }
    }
    if (upstream->hash_load_limit && upstream->hash_load_limit <= 100) {
        hf_conflict(decoder, hf_key_mark(node, "hash-load-limit"),
                    "with a hash-load-limit of %u the servers can't take everything; write more "
                    "than 100, such as 125",
                    upstream->hash_load_limit);
    }
}

static void check_queue(struct hf_decoder *decoder, const struct hf_node *node,
                        const struct hf_cfg_upstream *upstream)
{
    if (upstream->max_queue && !has_caps(upstream)) {
        hf_conflict(decoder, hf_key_mark(node, "max-queue"),
                    "upstream \"%s\" has no server with max-connections or max-requests, so nobody "
                    "will ever wait in its queue; remove max-queue, or add one of them to a server",
                    upstream->name);
    }
    if (hf_is_given(node, "queue-timeout") && !upstream->max_queue) {
        hf_conflict(decoder, hf_key_mark(node, "queue-timeout"),
                    "upstream \"%s\" has no queue, so queue-timeout has no effect; remove it, or "
                    "add max-queue",
                    upstream->name);
    }
}

void hf_check_balance(struct hf_decoder *decoder, const struct hf_node *node,
                      const struct hf_cfg_upstream *upstream)
{
    check_servers(decoder, upstream);
    check_hash(decoder, node, upstream);
    check_queue(decoder, node, upstream);
    check_checks(decoder, node, upstream);
}

void hf_check_hash_by(struct hf_decoder *decoder, const struct hf_node *node,
                      const struct hf_cfg_listener *listener)
{
    const struct hf_cfg_upstream *to = listener->to;
    if (listener->mode == HF_MODE_TCP && to && to->balance == HF_BALANCE_HASH && to->hash_name) {
        hf_conflict(decoder, hf_key_mark(node, "to"),
                    "listener \"%s\" relays bytes, and upstream \"%s\" hashes by a header or "
                    "cookie; hash by identity or address, or write mode: http",
                    listener->name, to->name);
    }
}
