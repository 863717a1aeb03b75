// SPDX-License-Identifier: Apache-2.0
/* The line and the counts of an exchange that is over. */
#include "proxy/http/exchange_impl.h"

void hf_exchange_log(const struct hf_exchange *x)
{
    hf_door_http_metrics_count(&x->door->http->metrics, x);
    hf_exchange_log_access(x);
}

void hf_exchange_log_upstream(const struct hf_hub *hub, const struct hf_upstream *upstream,
                              const struct hf_server *server, const char *text)
{
    struct hf_log_line line;
    hf_log_begin(&line, hub->worker->log, HF_LOG_WARN, "upstream");
    if (!line.log) {
        return;
    }
    hf_log_str(&line, "upstream", upstream->cfg->name);
    hf_log_str(&line, "server", server ? server->cfg->text : NULL);
    hf_log_str(&line, "result", "failed");
    hf_log_str(&line, "detail", text);
    hf_log_end(&line);
}
