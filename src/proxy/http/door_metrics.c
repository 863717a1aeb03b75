// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/door_metrics.h"

#include "base/mem.h"
#include "proxy/http/exchange.h"

static void make_route(struct hf_metrics *m, const char *listener, const char *route,
                       struct hf_route_metrics *out)
{
    static const char *const classes[HF_STATUS_CLASSES] = {"none", "1xx", "2xx",
                                                           "3xx",  "4xx", "5xx"};
    for (size_t i = 0; i < HF_STATUS_CLASSES; i++) {
        out->answers[i] =
            hf_metrics_counter(m, "handfast_http_requests_total", "Requests by what was answered.",
                               "listener", listener, "route", route, "status", classes[i], NULL);
    }
    out->trial = hf_metrics_counter(m, "handfast_http_trial_refusals_total",
                                    "Requests that a rule on trial would have refused.", "listener",
                                    listener, "route", route, NULL);
}

enum hf_err hf_door_http_metrics_make(struct hf_metrics *m, const struct hf_cfg_listener *cfg,
                                      struct hf_door_http_metrics *out)
{
    out->routes = hf_alloc_zero(cfg->n_routes + 1, sizeof(*out->routes));
    if (!out->routes) {
        return HF_E_NOMEM;
    }
    out->n_routes = cfg->n_routes + 1;
    for (size_t i = 0; i < cfg->n_routes; i++) {
        make_route(m, cfg->name, hf_route_table_name(cfg->route_table, i), &out->routes[i]);
    }
    make_route(m, cfg->name, "", &out->routes[cfg->n_routes]);
    for (int i = 1; i < HF_MISHAP_N; i++) {
        out->mishaps[i] = hf_metrics_counter(
            m, "handfast_http_failures_total", "Requests that ended otherwise than they should.",
            "listener", cfg->name, "cause", hf_mishap_code((enum hf_mishap)i), NULL);
    }
    out->seconds = hf_metrics_histogram(m, "handfast_http_request_duration_seconds",
                                        "From a request's first byte to its answer's last.",
                                        &hf_buckets_us, "listener", cfg->name, NULL);
    return HF_OK;
}

void hf_door_http_metrics_release(struct hf_metrics *m, struct hf_door_http_metrics *metrics)
{
    for (size_t i = 0; i < metrics->n_routes; i++) {
        for (size_t k = 0; k < HF_STATUS_CLASSES; k++) {
            hf_metrics_release(m, metrics->routes[i].answers[k]);
        }
        hf_metrics_release(m, metrics->routes[i].trial);
    }
    for (int i = 1; i < HF_MISHAP_N; i++) {
        hf_metrics_release(m, metrics->mishaps[i]);
    }
    hf_metrics_release(m, metrics->seconds);
    hf_free(metrics->routes);
}

void hf_door_http_metrics_count(const struct hf_door_http_metrics *metrics,
                                const struct hf_exchange *x)
{
    const struct hf_worker *worker = x->hub->worker;
    size_t route = x->verdict.route == HF_ROUTE_NONE ? metrics->n_routes - 1 : x->verdict.route;
    size_t class = x->status / 100 < HF_STATUS_CLASSES ? x->status / 100 : 0;
    int64_t took = hf_clock_mono_ns(worker->clock) - x->since_ns;
    hf_series_add(metrics->routes[route].answers[class], worker->index, 1);
    hf_series_observe(metrics->seconds, worker->index, took > 0 ? (uint64_t)took / 1000 : 0);
    if (x->verdict.would_refuse) {
        hf_series_add(metrics->routes[route].trial, worker->index, 1);
    }
    if (x->mishap != HF_MISHAP_NONE) {
        hf_series_add(metrics->mishaps[x->mishap], worker->index, 1);
    }
}
