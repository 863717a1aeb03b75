// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/door_http.h"

#include "base/mem.h"
#include "http/service.h"
#include "proxy/http/hub.h"
#include "proxy/snapshot.h"

static void set_limits(const struct hf_cfg_http *cfg, struct hf_h1_limits *out)
{
    *out = hf_h1_limits_default;
    out->head_max = (uint32_t)cfg->max_header_size;
    out->line_max = out->head_max;
    out->field_max = out->head_max;
    out->trailers_max = out->head_max;
    out->n_fields_max =
        cfg->max_headers < HF_HUB_FIELDS ? (uint16_t)cfg->max_headers : HF_HUB_FIELDS;
    out->body_max = 0; /* a route may have a limit of its own: the exchange counts */
}

enum hf_err hf_door_http_new(const struct hf_snapshot *snapshot, const struct hf_cfg_listener *cfg,
                             struct hf_metrics *metrics, struct hf_door_http **out)
{
    struct hf_door_http *http = HF_NEW(struct hf_door_http);
    if (!http) {
        return HF_E_NOMEM;
    }
    set_limits(&cfg->http, &http->h1);
    http->to = hf_alloc_zero(cfg->n_routes, sizeof(*http->to));
    http->services = hf_alloc_zero(cfg->n_routes, sizeof(*http->services));
    http->n_routes = cfg->n_routes;
    if (!http->to || !http->services ||
        hf_door_http_metrics_make(metrics, cfg, &http->metrics) != HF_OK) {
        hf_door_http_free(http, metrics);
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < cfg->n_routes; i++) {
        if (cfg->routes[i].to) {
            http->to[i] = &snapshot->upstreams[cfg->routes[i].to - snapshot->config->upstreams];
        }
        if (cfg->routes[i].action == HF_ROUTE_SERVICE) {
            http->services[i] = hf_services_find(snapshot->services, &cfg->routes[i].service);
        }
        if (cfg->routes[i].action == HF_ROUTE_SERVICE && !http->services[i]) {
            hf_door_http_free(http, metrics);
            return hf_fail(HF_E_CONFIG, "there is no service %s here", cfg->routes[i].service.text);
        }
    }
    *out = http;
    return HF_OK;
}

void hf_door_http_free(struct hf_door_http *http, struct hf_metrics *metrics)
{
    if (http) {
        hf_door_http_metrics_release(metrics, &http->metrics);
        for (size_t i = 0; http->services && i < http->n_routes; i++) {
            hf_service_unref(http->services[i]);
        }
        hf_free(http->services);
        hf_free(http->to);
        hf_free(http);
    }
}
