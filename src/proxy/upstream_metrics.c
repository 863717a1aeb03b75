// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstream_metrics.h"

/* A scrape has no loop's time: an ejection that is over, but that no pick has noticed, still shows
 * until one does. */
static double read_up(void *ctx)
{
    struct hf_server_state *state = ctx;
    return atomic_load_explicit(&state->standing, memory_order_relaxed) == 0;
}

static double read_open(void *ctx)
{
    struct hf_server_state *state = ctx;
    return atomic_load_explicit(&state->open, memory_order_relaxed);
}

static double read_active(void *ctx)
{
    struct hf_server_state *state = ctx;
    return atomic_load_explicit(&state->active, memory_order_relaxed);
}

static double read_latency(void *ctx)
{
    struct hf_server_state *state = ctx;
    return (double)(atomic_load_explicit(&state->latency, memory_order_relaxed) >> 32) * 1e-6;
}

static double read_ejections(void *ctx)
{
    struct hf_server_state *state = ctx;
    return (double)atomic_load_explicit(&state->ejected_total, memory_order_relaxed);
}

static const struct {
    const char *name;
    const char *help;
    double (*read)(void *ctx);
    size_t offset; /* in struct hf_server_metrics */
} gauges[] = {
    {"handfast_upstream_server_up", "1: the server gets new connections and requests.", read_up,
     offsetof(struct hf_server_metrics, up)},
    {"handfast_upstream_server_connections", "Connections to the server that are open.", read_open,
     offsetof(struct hf_server_metrics, open)},
    {"handfast_upstream_server_active",
     "Requests that the server is working on; in TCP mode, connections.", read_active,
     offsetof(struct hf_server_metrics, active)},
    {"handfast_upstream_server_latency_seconds",
     "Moving average of the time to an answer's head; in TCP mode, to a connection.", read_latency,
     offsetof(struct hf_server_metrics, latency)},
};

static struct hf_series **gauge_of(struct hf_server_metrics *metrics, size_t i)
{
    return (struct hf_series **)(void *)((char *)metrics + gauges[i].offset);
}

void hf_server_metrics_make(struct hf_metrics *m, struct hf_server *server)
{
    const char *upstream = server->upstream->cfg->name;
    const char *name = server->cfg->text;
    struct hf_server_metrics *metrics = &server->metrics;
    for (int i = 0; i < HF_OUTCOME_N; i++) {
        metrics->outcomes[i] = hf_metrics_counter(
            m, "handfast_upstream_server_requests_total",
            "What came of requests to the server; in TCP mode, of connections.", "upstream",
            upstream, "server", name, "outcome", hf_outcome_name((enum hf_server_outcome)i), NULL);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(gauges); i++) {
        struct hf_metrics_source source = {gauges[i].read, server->state};
        *gauge_of(metrics, i) = hf_metrics_gauge_from(m, gauges[i].name, gauges[i].help, source,
                                                      "upstream", upstream, "server", name, NULL);
    }
    metrics->ejections = hf_metrics_counter_from(
        m, "handfast_upstream_server_ejections_total", "Times that the server was ejected.",
        (struct hf_metrics_source){read_ejections, server->state}, "upstream", upstream, "server",
        name, NULL);
    for (int i = 0; i < 2 && server->upstream->cfg->check_on; i++) {
        metrics->checks[i] = hf_metrics_counter(
            m, "handfast_upstream_server_checks_total", "Active checks of the server.", "upstream",
            upstream, "server", name, "result", i ? "good" : "bad", NULL);
    }
}

void hf_server_metrics_release(struct hf_metrics *m, struct hf_server *server)
{
    for (int i = 0; i < HF_OUTCOME_N; i++) {
        hf_metrics_release(m, server->metrics.outcomes[i]);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(gauges); i++) {
        hf_metrics_release(m, *gauge_of(&server->metrics, i));
    }
    hf_metrics_release(m, server->metrics.ejections);
    hf_metrics_release(m, server->metrics.checks[0]);
    hf_metrics_release(m, server->metrics.checks[1]);
}
