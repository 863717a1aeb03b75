// SPDX-License-Identifier: Apache-2.0
/*
 * Probes: what a load balancer may ask without a certificate. That it may, and what, the verdict
 * has said; here is what it hears. No server is asked: what is told is what this worker knows.
 *
 *      live        it answers: that is all
 *      ready       not draining, and every upstream in `needs` has a server
 *      upstream    of those that this listener's routes go to
 */
#include <stdio.h>
#include <string.h>

#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"

enum { TEXT_MAX = 160 };

struct told {
    unsigned status;
    char text[TEXT_MAX];
};

void hf_exchange_vitals(const struct hf_exchange *x, struct hf_vital_paths *room,
                        struct hf_request_input *input)
{
    const struct hf_cfg_probes *probes = &x->door->cfg->probes;
    *room =
        (struct hf_vital_paths){probes->live.value, probes->ready.value, probes->upstreams.value};
    input->vitals = x->down->may_probe ? room : NULL;
    input->vitals_only = x->session->vitals_only;
}

static size_t count_up(const struct hf_upstream *upstream)
{
    size_t n = 0;
    for (size_t i = 0; i < upstream->n_servers; i++) {
        n += atomic_load_explicit(&upstream->servers[i].state->standing, memory_order_relaxed) == 0;
    }
    return n;
}

static void tell_upstream(const struct hf_upstream *upstream, struct told *out)
{
    size_t n = count_up(upstream);
    out->status = n ? 200 : 503;
    snprintf(out->text, sizeof(out->text), "%s: %zu of %zu servers up\n", upstream->cfg->name, n,
             upstream->n_servers);
}

static void tell_ready(const struct hf_exchange *x, struct told *out)
{
    const struct hf_cfg_probes *probes = &x->door->cfg->probes;
    const struct hf_snapshot *snapshot = x->gen->snapshot;
    *out = (struct told){200, "ready\n"};
    if (x->hub->worker->leaving) {
        *out = (struct told){503, "draining\n"};
        return;
    }
    for (size_t i = 0; i < probes->n_needs && out->status == 200; i++) {
        size_t at = (size_t)(probes->needs[i] - snapshot->config->upstreams);
        if (count_up(&snapshot->upstreams[at]) == 0) {
            tell_upstream(&snapshot->upstreams[at], out);
        }
    }
}

static const struct hf_upstream *upstream_named(const struct hf_exchange *x, struct hf_bytes name)
{
    for (size_t i = 0; i < x->door->cfg->n_routes; i++) {
        const struct hf_upstream *upstream = x->door->http->to[i];
        if (upstream && hf_bytes_eq_str(name, upstream->cfg->name)) {
            return upstream;
        }
    }
    return NULL;
}

static void tell(const struct hf_exchange *x, struct told *out)
{
    const struct hf_upstream *upstream = upstream_named(x, x->verdict.vital_of);
    switch (x->verdict.vital) {
    case HF_VITAL_READY:
        tell_ready(x, out);
        return;
    case HF_VITAL_UPSTREAM:
        *out = (struct told){404, "no route of this listener goes to such an upstream\n"};
        if (upstream) {
            tell_upstream(upstream, out);
        }
        return;
    default:
        *out = (struct told){200, "live\n"};
    }
}

void hf_exchange_vital(struct hf_exchange *x)
{
    static char name[] = "cache-control";
    static char value[] = "no-store";
    struct hf_cfg_pair field = {name, value, {0}};
    struct told told;
    tell(x, &told);
    struct hf_cfg_respond respond = {.status = told.status, .headers = {&field, 1}};
    respond.body.value = told.text;
    hf_exchange_respond(x, &respond);
}
