// SPDX-License-Identifier: Apache-2.0
/* What came out of a simulation, as text and as JSON. */
#include <jansson.h>

#include "base/text.h"
#include "cli/explain_text.h"
#include "cli/simulate.h"
#include "proxy/account.h"

static const char *request_code(const struct hf_simulation *sim)
{
    return sim->bad_path ? "bad-path" : hf_reason_code(sim->request.reason);
}

static unsigned request_status(const struct hf_simulation *sim)
{
    return sim->bad_path ? 400 : sim->request.status;
}

static void print_row(FILE *out, const char *label, const char *text)
{
    if (text && *text) {
        fprintf(out, "  %-9s%s\n", label, text);
    }
}

static void print_roles(const struct hf_simulation *sim, FILE *out)
{
    fprintf(out, "  %-9s", "roles");
    for (size_t i = 0; i < sim->n_roles; i++) {
        fprintf(out, "%s%s", i ? ", " : "", sim->roles[i]);
    }
    fputs(sim->n_roles ? "\n" : "none\n", out);
}

static void print_request(const struct hf_simulation *sim, FILE *out)
{
    bool allow = !sim->bad_path && sim->request.allow;
    if (allow) {
        fprintf(out, "request: allowed: %s\n", sim->text);
    } else {
        fprintf(out, "request: refused with %u (%s): %s\n", request_status(sim), request_code(sim),
                sim->text);
    }
    if (!sim->bad_path) {
        print_row(out, "route", hf_route_table_name(sim->table, sim->request.route));
        bool decided = sim->request.rule != HF_RULE_MATCH || sim->request.vital;
        print_row(out, "rule", decided ? sim->rule : NULL);
    }
}

/* What `handfast explain` would tell of it. NULL: out of memory. */
static json_t *explanation(const struct hf_simulation *sim)
{
    const struct hf_verdict *verdict = &sim->handshake;
    struct hf_account *account = hf_account_new(HF_ABOUT_HANDSHAKE);
    if (!account) {
        return NULL;
    }
    account->result = verdict->reported ? HF_RESULT_REPORTED
                      : verdict->allow  ? HF_RESULT_ADMITTED
                                        : HF_RESULT_REFUSED;
    account->at_ms = sim->now_s * 1000;
    hf_account_set_reason(account, verdict->reason, verdict->text);
    account->alert_sent = verdict->alert;
    account->depth = verdict->depth;
    account->lapse = verdict->lapse == HF_REASON_OK ? NULL : hf_reason_code(verdict->lapse);
    account->judged = true;
    account->mode = sim->client;
    account->identity = sim->identity ? hf_identity_ref(sim->identity) : NULL;
    account->chain = sim->chain ? hf_chain_ref(sim->chain) : NULL;
    account->trust =
        sim->trust ? hf_trust_ref(hf_materials_trust(sim->materials, sim->trust)) : NULL;
    account->ledger = hf_ledger_ref(sim->ledger);
    account->notes = sim->notes;
    snprintf(account->listener, sizeof(account->listener), "%s", sim->listener->name);
    json_t *json = hf_account_json(account);
    hf_account_free(account);
    return json;
}

static void print_explanation(const struct hf_simulation *sim, FILE *out)
{
    json_t *verdict = explanation(sim);
    if (!sim->handshake.allow || sim->handshake.reported) {
        print_row(out, "do", hf_reason_todo(sim->handshake.reason));
    }
    hf_explain_print_evidence(verdict, out);
    json_decref(verdict);
}

static void print_text(const struct hf_simulation *sim, FILE *out)
{
    const struct hf_verdict *verdict = &sim->handshake;
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(sim->now_s, when);
    fprintf(out, "handshake: %s (%s): %s\n", verdict->allow ? "admitted" : "refused",
            hf_reason_code(verdict->reason), verdict->text);
    print_row(out, "client", sim->identity ? hf_identity_display(sim->identity) : "no certificate");
    print_row(out, "listener", sim->listener->name);
    print_row(out, "sni rule", sim->door ? sim->listener->sni[sim->door - 1].pattern.value : NULL);
    print_row(out, "asked", hf_client_mode_name(sim->client));
    print_row(out, "trust", sim->trust ? sim->trust->name : NULL);
    print_row(out, "at", when);
    if (sim->config->n_roles) {
        print_roles(sim, out);
    }
    if (sim->asked) {
        print_request(sim, out);
    } else if (sim->listener->mode == HF_MODE_HTTP && verdict->allow) {
        fprintf(out, "request: not judged; --path and its likes tell one\n");
    }
    print_explanation(sim, out);
}

static json_t *handshake_json(const struct hf_simulation *sim)
{
    const struct hf_verdict *verdict = &sim->handshake;
    return json_pack("{s:b, s:b, s:s, s:s, s:s, s:i, s:s, s:s, s:s?, s:s?}", "allow",
                     verdict->allow, "verified", verdict->verified, "code",
                     hf_reason_code(verdict->reason), "step", hf_step_name(verdict->step), "text",
                     verdict->text, "depth", verdict->depth, "concerns", verdict->concerns,
                     "client", hf_client_mode_name(sim->client), "trust",
                     sim->trust ? sim->trust->name : NULL, "sni_rule",
                     sim->door ? sim->listener->sni[sim->door - 1].pattern.value : NULL);
}

static json_t *request_json(const struct hf_simulation *sim)
{
    const struct hf_request_verdict *verdict = &sim->request;
    const char *route = sim->bad_path ? "" : hf_route_table_name(sim->table, verdict->route);
    bool allow = !sim->bad_path && verdict->allow;
    return json_pack("{s:b, s:b, s:i, s:s, s:s?, s:s?, s:s}", "allow", allow, "would_refuse",
                     verdict->would_refuse, "status", (int)request_status(sim), "code",
                     request_code(sim), "route", *route ? route : NULL, "rule",
                     *sim->rule ? sim->rule : NULL, "text", sim->text);
}

static json_t *tree_of(const struct hf_simulation *sim)
{
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(sim->now_s, when);
    json_t *roles = json_array();
    for (size_t i = 0; i < sim->n_roles; i++) {
        json_array_append_new(roles, json_string(sim->roles[i]));
    }
    json_t *tree = json_pack("{s:b, s:s, s:s, s:s?, s:o, s:o}", "allow", hf_simulation_allowed(sim),
                             "listener", sim->listener->name, "at", when, "identity",
                             sim->identity ? hf_identity_display(sim->identity) : NULL, "roles",
                             roles, "handshake", handshake_json(sim));
    if (sim->asked) {
        json_object_set_new(tree, "request", request_json(sim));
    }
    json_object_set_new(tree, "explanation", explanation(sim));
    return tree;
}

void hf_simulation_tell(const struct hf_simulation *sim, FILE *out)
{
    if (sim->values->json) {
        json_t *tree = tree_of(sim);
        json_dumpf(tree, out, JSON_INDENT(2));
        fputc('\n', out);
        json_decref(tree);
    } else {
        print_text(sim, out);
    }
}
