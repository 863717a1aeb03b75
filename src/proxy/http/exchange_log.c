// SPDX-License-Identifier: Apache-2.0
/* The line and the counts of an exchange that is over. */
#include "proxy/http/exchange_impl.h"
#include "proxy/http/pool.h"
#include "proxy/http/up.h"
#include "proxy/session_log.h"

void hf_exchange_log(const struct hf_exchange *x)
{
    hf_door_http_metrics_count(&x->door->http->metrics, x);
    hf_exchange_log_access(x);
}

static void add_whom(struct hf_log_line *line, const struct hf_upstream *upstream,
                     const struct hf_server *server)
{
    hf_log_str(line, "upstream", upstream->cfg->name);
    hf_log_str(line, "server", server ? server->cfg->text : NULL);
    hf_log_str(line, "result", "failed");
}

void hf_exchange_log_upstream(const struct hf_hub *hub, const struct hf_upstream *upstream,
                              const struct hf_server *server, const char *text)
{
    struct hf_log_line line;
    hf_log_begin(&line, hub->worker->log, HF_LOG_WARN, "upstream");
    add_whom(&line, upstream, server);
    hf_log_str(&line, "detail", text);
    hf_log_end(&line);
}

void hf_exchange_log_distrust(const struct hf_up *up, uint64_t id, const struct hf_denial *denial)
{
    struct hf_log_line line;
    hf_log_begin(&line, up->hub->worker->log, HF_LOG_WARN, "upstream");
    hf_log_fmt(&line, "id", "%016llx", (unsigned long long)id);
    add_whom(&line, up->pool->upstream, up->server);
    hf_log_denial(&line, denial, up->leg.tls);
    hf_log_end(&line);
}
