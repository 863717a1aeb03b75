// SPDX-License-Identifier: Apache-2.0
#include "config/neighbours.h"

#include <string.h>

#include "policy/hosts.h"

unsigned hf_kind_of_door(const struct hf_config *config, const struct hf_cfg_listener *listener,
                         size_t door)
{
    enum hf_client_mode client = door ? listener->sni[door - 1].client : listener->client;
    const struct hf_cfg_trust *trust = door ? listener->sni[door - 1].trust : listener->trust;
    bool trusts = client != HF_CLIENT_NONE && trust;
    size_t n_modes = HF_CLIENT_NONE + 1;
    return (unsigned)(trusts ? (size_t)(trust - config->trusts + 1) * n_modes + client : client);
}

static bool are_neighbours(const struct hf_cfg_listener *a, const struct hf_cfg_listener *b)
{
    for (size_t i = 0; a != b && i < a->n_listen; i++) {
        for (size_t j = 0; j < b->n_listen; j++) {
            if (hf_addr_overlaps(&a->listen[i].addr, &b->listen[j].addr)) {
                return true;
            }
        }
    }
    return false;
}

/* --- Names --------------------------------------------------------------------------------------
 */

static size_t count_names(const struct hf_cfg_listener *listener)
{
    size_t n = listener->n_sni;
    for (size_t i = 0; i < listener->n_routes; i++) {
        n += listener->routes[i].match.host.n;
    }
    return n;
}

/* The door of a listener that a host of its routes belongs to. */
static size_t door_of(const struct hf_cfg_listener *listener, const char *host)
{
    size_t wide = 0;
    for (size_t i = 0; i < listener->n_sni; i++) {
        const char *pattern = listener->sni[i].pattern.value;
        if (strcmp(pattern, host) == 0) {
            return i + 1;
        }
        wide = hf_hosts_covers(pattern, host) ? i + 1 : wide;
    }
    return wide;
}

static size_t add_names(const struct hf_config *config, const struct hf_cfg_listener *listener,
                        struct hf_route_door *out)
{
    size_t n = 0;
    for (size_t i = 0; i < listener->n_sni; i++) {
        out[n++] = (struct hf_route_door){listener->sni[i].pattern.value,
                                          hf_kind_of_door(config, listener, i + 1)};
    }
    for (size_t i = 0; i < listener->n_routes; i++) {
        const struct hf_cfg_strings *hosts = &listener->routes[i].match.host;
        for (size_t j = 0; j < hosts->n; j++) {
            const char *host = hosts->item[j].value;
            out[n++] = (struct hf_route_door){
                host, hf_kind_of_door(config, listener, door_of(listener, host))};
        }
    }
    return n;
}

enum hf_err hf_neighbours(struct hf_decoder *decoder, const struct hf_cfg_listener *listener,
                          const struct hf_route_door **out, size_t *out_n)
{
    const struct hf_config *config = decoder->config;
    size_t n = 0;
    for (size_t i = 0; i < config->n_listeners; i++) {
        n += count_names(&config->listeners[i]);
    }
    struct hf_route_door *names = hf_arena_alloc(decoder->arena, n ? n : 1, sizeof(*names));
    if (!names) {
        return HF_E_NOMEM;
    }
    n = 0;
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (are_neighbours(listener, &config->listeners[i])) {
            n += add_names(config, &config->listeners[i], names + n);
        }
    }
    *out = names;
    *out_n = n;
    return HF_OK;
}
