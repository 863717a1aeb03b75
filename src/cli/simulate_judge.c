// SPDX-License-Identifier: Apache-2.0
/* The verdicts: first the handshake's (hf_verdict_judge), then, when a request is told, the
 * request's (hf_request_judge). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/simulate.h"
#include "http/chars.h"
#include "http/target.h"

enum { PATH_TEXT_MAX = 3 * 8192 };

struct hf_bytes hf_simulated_host(const char *text)
{
    struct hf_http_authority authority;
    struct hf_bytes bytes = hf_bytes_str(text ? text : "");
    return hf_http_authority_parse(bytes, &authority) ? authority.host : bytes;
}

static void judge_handshake(struct hf_simulation *sim)
{
    hf_verdict_judge(
        &(struct hf_judge_input){
            .mode = sim->client,
            .trust = sim->trust ? hf_materials_trust(sim->materials, sim->trust) : NULL,
            .chain = sim->chain,
            .usage = HF_USAGE_CLIENT,
            .now_s = sim->now_s,
            .vitals = sim->may_probe,
            .report_only = sim->listener->report_only,
            .revocation = sim->trust ? hf_ledger_of(sim->ledger, sim->trust->name) : NULL,
            .ocsp = sim->values->ocsp ? &sim->ocsp : NULL,
            .notes = &sim->notes,
        },
        &sim->handshake);
}

static const struct hf_identity *verified_identity(const struct hf_simulation *sim)
{
    return sim->handshake.verified ? sim->identity : NULL;
}

/* All roles of the config, whether a rule of this listener needs them or not. */
static enum hf_err find_roles(struct hf_simulation *sim)
{
    const struct hf_config *config = sim->config;
    size_t n = config->n_roles;
    HF_CLEANUP(hf_freep) struct hf_role_source *sources = hf_alloc_zero(n + 1, sizeof(*sources));
    HF_CLEANUP(hf_freep) enum hf_match *answers = hf_alloc_zero(n + 1, sizeof(*answers));
    struct hf_role_place place;
    struct hf_roles *roles = NULL;
    sim->roles = hf_alloc_zero(n + 1, sizeof(*sim->roles));
    if (!sources || !answers || !sim->roles) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        sources[i] = (struct hf_role_source){config->roles[i].name, config->roles[i].expr};
    }
    HF_TRY(hf_roles_new(sources, n, &roles, &place));
    enum hf_err err = hf_roles_judge(roles, verified_identity(sim), answers);
    hf_roles_free(roles);
    for (size_t i = 0; err == HF_OK && i < n; i++) {
        if (answers[i] == HF_MATCH_YES) {
            sim->roles[sim->n_roles++] = config->roles[i].name;
        }
    }
    return err;
}

/* "Name: value": the name in any case, white space around the value. */
static bool header(void *ctx, const char *name, size_t nth, struct hf_bytes *out_value)
{
    const struct hf_texts *headers = ctx;
    for (size_t i = 0; i < headers->n; i++) {
        const char *colon = strchr(headers->item[i], ':');
        size_t len = colon ? (size_t)(colon - headers->item[i]) : 0;
        if (colon && hf_http_eq_str(hf_bytes_of(headers->item[i], len), name) && nth-- == 0) {
            *out_value = hf_http_trim(hf_bytes_str(colon + 1));
            return true;
        }
    }
    return false;
}

/* The path in the form that routes match, and the query behind it. */
static enum hf_err read_target(struct hf_simulation *sim, struct hf_request *request)
{
    const char *text = sim->values->path;
    const char *query = strchr(text, '?');
    struct hf_bytes path = hf_bytes_of(text, query ? (size_t)(query - text) : strlen(text));
    sim->path = HF_BUF_INIT(PATH_TEXT_MAX);
    enum hf_err err = hf_http_path_normalise(path, &sim->listener->http.paths, &sim->path);
    sim->bad_path = err == HF_E_INVALID;
    request->path = hf_buf_bytes(&sim->path);
    request->query = hf_bytes_str(query ? query + 1 : "");
    return sim->bad_path ? HF_OK : err;
}

static enum hf_err judge_request(struct hf_simulation *sim)
{
    const struct hf_simulate_values *values = sim->values;
    struct hf_request request = {
        .method = hf_bytes_str(values->method),
        .host = hf_simulated_host(values->host ? values->host : values->sni),
        .header = header,
        .header_ctx = (void *)(uintptr_t)&values->headers,
    };
    sim->asked = true;
    HF_TRY(read_target(sim, &request));
    if (sim->bad_path) {
        snprintf(sim->text, sizeof(sim->text), "%s", hf_err_text());
        return HF_OK;
    }
    HF_TRY(hf_requester_init(&sim->requester, sim->table, verified_identity(sim)));
    const struct hf_cfg_probes *probes = &sim->listener->probes;
    const struct hf_vital_paths vitals = {probes->live.value, probes->ready.value,
                                          probes->upstreams.value};
    hf_request_judge(
        &(struct hf_request_input){
            .table = sim->table,
            .requester = &sim->requester,
            .request = &request,
            .door = sim->door,
            .vitals = sim->may_probe ? &vitals : NULL,
            .vitals_only = sim->handshake.vitals_only,
            .auth = values->authenticated ? HF_AUTH_PASSED : HF_AUTH_NOT_LOOKED,
        },
        &sim->request);
    hf_request_rule_name(sim->table, &sim->request, sim->rule);
    hf_request_verdict_text(sim->table, &sim->request, sim->text, sizeof(sim->text));
    return HF_OK;
}

bool hf_simulation_allowed(const struct hf_simulation *sim)
{
    return sim->handshake.allow && (!sim->asked || (!sim->bad_path && sim->request.allow));
}

enum hf_err hf_simulation_judge(struct hf_simulation *sim)
{
    judge_handshake(sim);
    HF_TRY(find_roles(sim));
    bool asks = sim->values->path && sim->handshake.allow;
    return asks ? judge_request(sim) : HF_OK;
}
