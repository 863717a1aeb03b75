// SPDX-License-Identifier: Apache-2.0
#include "proxy/crl_admin.h"

#include <jansson.h>

#include "base/text.h"
#include "os/clock.h"
#include "proxy/crl_sources.h"
#include "proxy/daemon_impl.h"

static void set_time(json_t *json, const char *key, int64_t at)
{
    char text[HF_TIME_TEXT_SIZE];
    if (at) {
        hf_format_time(at, text);
        json_object_set_new(json, key, json_string(text));
    }
}

static const char *state_of(const struct hf_crl *crl, int64_t now_s)
{
    return crl->this_update > now_s                       ? "not-yet"
           : crl->next_update && crl->next_update < now_s ? "stale"
                                                          : "fresh";
}

static json_t *list_json(const char *trust, const struct hf_crl *crl, int64_t now_s)
{
    char number[HF_CRL_NUMBER_TEXT];
    hf_crl_number_text(crl, number);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:s}", "trust", trust, "source",
                  crl->label, "issuer", crl->issuer_text, "number", number, "delta", crl->is_delta,
                  "shard", crl->has_point, "entries", (json_int_t)hf_serials_count(crl->serials),
                  "age_s", (json_int_t)(now_s - crl->this_update), "state", state_of(crl, now_s));
    if (json) {
        set_time(json, "this_update", crl->this_update);
        set_time(json, "next_update", crl->next_update);
    }
    return json;
}

json_t *hf_crl_lists_json(const struct hf_daemon *daemon)
{
    int64_t now_s = hf_clock_wall_s(&hf_os_clock);
    const struct hf_config *config = daemon->snapshot->config;
    json_t *array = json_array();
    for (size_t i = 0; i < config->n_trusts; i++) {
        const char *trust = config->trusts[i].name;
        const struct hf_revoked *lists = hf_ledger_lists(daemon->ledger, trust);
        for (size_t k = 0; lists && k < hf_revoked_count(lists); k++) {
            json_array_append_new(array, list_json(trust, hf_revoked_list(lists, k), now_s));
        }
    }
    return array;
}

static json_t *url_json(const struct hf_crl_feed *feed)
{
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:b, s:s?}", "url", feed->url, "lists",
                  (json_int_t)feed->lists.n, "failures", (json_int_t)feed->n_failures, "fetching",
                  feed->fetch != NULL, "error", feed->error[0] ? feed->error : NULL);
    if (json) {
        set_time(json, "confirmed_at", feed->note.fetched_at);
        set_time(json, "asked_at", feed->asked_at);
        set_time(json, "next_at", feed->next_at);
    }
    return json;
}

static json_t *urls_json(const struct hf_daemon *daemon)
{
    json_t *array = json_array();
    size_t at = 0;
    const struct hf_crl_feed *feed = NULL;
    while (daemon->sources && (feed = hf_crl_sources_next(daemon->sources, &at))) {
        json_array_append_new(array, url_json(feed));
    }
    return array;
}

void hf_admin_crls(void *ctx, struct hf_httpd_call *call)
{
    const struct hf_daemon *daemon = ctx;
    hf_httpd_json(
        call, 200,
        json_pack("{s:o, s:o}", "lists", hf_crl_lists_json(daemon), "urls", urls_json(daemon)));
}

void hf_admin_crls_fetch(void *ctx, struct hf_httpd_call *call)
{
    const struct hf_daemon *daemon = ctx;
    json_t *urls = urls_json(daemon);
    json_int_t n = (json_int_t)json_array_size(urls);
    json_decref(urls);
    if (daemon->sources) {
        hf_crl_sources_ask(daemon->sources);
    }
    hf_httpd_json(call, 202, json_pack("{s:I}", "urls", n));
}
