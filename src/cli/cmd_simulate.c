// SPDX-License-Identifier: Apache-2.0
/*
 * The verdicts of a listener, offline: the same functions that the daemon calls, with the same
 * config and files, on a certificate from a file. First the handshake's (hf_verdict_judge), then,
 * when a request is told, the request's (hf_request_judge).
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/when.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "config/ledger.h"
#include "config/materials.h"
#include "http/chars.h"
#include "http/target.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/pem.h"
#include "policy/request.h"
#include "proxy/account.h"
#include "proxy/crl_kept.h"
#include "proxy/denials.h"

enum { PATH_TEXT_MAX = 3 * 8192, SENTENCE_MAX = 512 };

struct values {
    const char *config;
    const char *listener;
    const char *cert;
    const char *sni;
    const char *method;
    const char *host;
    const char *path;
    struct hf_texts headers;
    const char *address;
    const char *at;
    const char *crl;
    const char *ocsp;
    bool authenticated;
    bool json;
};

static const struct hf_option options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the config file",
     .required = true,
     .offset = offsetof(struct values, config)},
    {.name = "listener",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "the listener that the client connects to",
     .required = true,
     .offset = offsetof(struct values, listener)},
    {.name = "cert",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the client's certificate, with what it sends behind it, in PEM or DER; without it the "
            "client has none",
     .offset = offsetof(struct values, cert)},
    {.name = "sni",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "the server name that the client asks for; without it that of --host",
     .offset = offsetof(struct values, sni)},
    {.name = "method",
     .kind = HF_OPT_TEXT,
     .value = "METHOD",
     .doc = "the request's method",
     .standard = "GET",
     .offset = offsetof(struct values, method)},
    {.name = "host",
     .kind = HF_OPT_TEXT,
     .value = "HOST",
     .doc = "the request's host; without it the server name",
     .offset = offsetof(struct values, host)},
    {.name = "path",
     .kind = HF_OPT_TEXT,
     .value = "PATH",
     .doc = "the request's path, with a query where there is one; without it no request is judged",
     .offset = offsetof(struct values, path)},
    {.name = "header",
     .kind = HF_OPT_TEXTS,
     .value = "NAME:VALUE",
     .doc = "a header of the request; may be given several times",
     .offset = offsetof(struct values, headers)},
    {.name = "authenticated",
     .kind = HF_OPT_SWITCH,
     .doc = "as if the client had shown the token or password that the route asks for",
     .offset = offsetof(struct values, authenticated)},
    {.name = "address",
     .kind = HF_OPT_TEXT,
     .value = "ADDRESS",
     .doc = "the client's address, which decides whether it may ask the listener's probes",
     .offset = offsetof(struct values, address)},
    {.name = "at",
     .kind = HF_OPT_TEXT,
     .value = "TIME",
     .doc = "as if it were then: 2026-11-20T23:06:00Z, or 2026-11-20; without it now",
     .offset = offsetof(struct values, at)},
    {.name = "crl",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "as if the trust had this file of revocation lists too",
     .offset = offsetof(struct values, crl)},
    {.name = "ocsp",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc =
         "as if the client showed this OCSP answer, in DER, with its certificate; no responder is "
         "asked",
     .offset = offsetof(struct values, ocsp)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print it as JSON",
     .offset = offsetof(struct values, json)},
};

/* One simulation: what it is made of, and what came out. */
struct simulation {
    const struct values *values;
    struct hf_config *config;
    struct hf_materials *materials;
    struct hf_cfg_string *crl_files; /* with --crl: those of the trust, and one */
    struct hf_ledger *ledger;
    const struct hf_cfg_listener *listener;
    struct hf_route_table *doors; /* where the listener has no routes */
    const struct hf_route_table *table;
    struct hf_chain *chain;
    struct hf_identity *identity;
    int64_t now_s;
    size_t door;
    bool may_probe; /* the listener's probes are for the client's address */
    enum hf_client_mode client;
    const struct hf_cfg_trust *trust;
    struct hf_verdict handshake;
    struct hf_buf ocsp_der; /* with --ocsp */
    struct hf_judge_ocsp ocsp;
    struct hf_notes notes; /* of the sources of revocation */
    bool asked;            /* a request was judged */
    bool bad_path;
    struct hf_buf path;
    struct hf_requester requester;
    struct hf_request_verdict request;
    char rule[HF_REQUEST_RULE_MAX];
    char text[SENTENCE_MAX];
    const char **roles; /* that the client has; n_roles of them */
    size_t n_roles;
};

static void simulation_done(struct simulation *sim)
{
    hf_requester_done(&sim->requester);
    hf_buf_done(&sim->path);
    hf_buf_done(&sim->ocsp_der);
    hf_ocsp_wants_done(&sim->ocsp.wants);
    hf_ocsp_memory_free(sim->ocsp.memory);
    hf_identity_unref(sim->identity);
    hf_chain_unref(sim->chain);
    hf_route_table_free(sim->doors);
    hf_materials_unref(sim->materials);
    hf_ledger_unref(sim->ledger);
    hf_free(sim->roles);
    hf_config_free(sim->config);
    hf_free(sim->crl_files);
}

/* --- What is given ------------------------------------------------------------------------------
 */

static enum hf_err find_listener(struct simulation *sim)
{
    const struct hf_config *config = sim->config;
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (strcmp(config->listeners[i].name, sim->values->listener) == 0) {
            sim->listener = &config->listeners[i];
            return HF_OK;
        }
    }
    HF_CLEANUP(hf_freep)
    const char **names = hf_alloc_zero(config->n_listeners + 1, sizeof(*names));
    for (size_t i = 0; names && i < config->n_listeners; i++) {
        names[i] = config->listeners[i].name;
    }
    const char *closest = names ? hf_closest(sim->values->listener, names) : NULL;
    return hf_fail(HF_E_NOT_FOUND, "%s has no listener \"%.63s\"%s%s%s", config->path,
                   sim->values->listener, closest ? "; did you mean \"" : "",
                   closest ? closest : "", closest ? "\"?" : "");
}

static enum hf_err read_chain(struct simulation *sim)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    if (!sim->values->cert) {
        return HF_OK;
    }
    HF_TRY(hf_file_read(sim->values->cert, &text));
    HF_TRY(hf_certs_parse(hf_buf_bytes(&text), sim->values->cert, HF_CHAIN_MAX, &sim->chain));
    return hf_identity_new(sim->chain->certs[0], &sim->identity);
}

static bool is_loaded(const struct simulation *sim, const struct hf_cfg_trust *trust)
{
    return !trust || hf_materials_trust(sim->materials, trust);
}

/* Only the listener's roots are needed: keys that this user may not read are no obstacle. */
static enum hf_err load_trusts(struct simulation *sim, struct hf_findings *findings)
{
    enum hf_err err = hf_materials_load(sim->config, findings, &sim->materials);
    if (!sim->materials) {
        return err;
    }
    bool whole = is_loaded(sim, sim->listener->trust);
    for (size_t i = 0; i < sim->listener->n_sni; i++) {
        whole = whole && is_loaded(sim, sim->listener->sni[i].trust);
    }
    return whole ? HF_OK : err;
}

/* The table that tells which SNI rule a name belongs to; of an HTTP listener its routes' own. */
static enum hf_err make_doors(struct simulation *sim)
{
    const struct hf_cfg_listener *listener = sim->listener;
    struct hf_route_place place;
    sim->table = listener->route_table;
    if (sim->table) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep)
    struct hf_route_door *doors = hf_alloc_zero(listener->n_sni + 1, sizeof(*doors));
    if (!doors) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < listener->n_sni; i++) {
        doors[i + 1] = (struct hf_route_door){listener->sni[i].pattern.value, (unsigned)i + 1};
    }
    const struct hf_route_table_source source = {.doors = doors, .n_doors = listener->n_sni + 1};
    HF_TRY(hf_route_table_new(&source, &sim->doors, &place));
    sim->table = sim->doors;
    return HF_OK;
}

/* --- Judging ------------------------------------------------------------------------------------
 */

/* The host without its port; the text where it can't be taken apart. */
static struct hf_bytes bare_host(const char *text)
{
    struct hf_http_authority authority;
    struct hf_bytes bytes = hf_bytes_str(text ? text : "");
    return hf_http_authority_parse(bytes, &authority) ? authority.host : bytes;
}

static void choose_door(struct simulation *sim)
{
    const struct hf_cfg_listener *listener = sim->listener;
    const char *name = sim->values->sni ? sim->values->sni : sim->values->host;
    sim->door = hf_route_table_door(sim->table, bare_host(name));
    sim->client = sim->door ? listener->sni[sim->door - 1].client : listener->client;
    sim->trust = sim->door ? listener->sni[sim->door - 1].trust : listener->trust;
}

/* --crl: the trust that judges has one file more. */
static enum hf_err add_crl(struct simulation *sim)
{
    if (!sim->values->crl) {
        return HF_OK;
    }
    if (!sim->trust) {
        return hf_fail(HF_E_USAGE, "--crl: the listener has no trust to hold a list against");
    }
    struct hf_cfg_crl *crl = &sim->config->trusts[sim->trust - sim->config->trusts].crl;
    sim->crl_files = hf_alloc_zero(crl->n_files + 1, sizeof(*sim->crl_files));
    if (!sim->crl_files) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < crl->n_files; i++) {
        sim->crl_files[i] = crl->files[i];
    }
    sim->crl_files[crl->n_files].value = (char *)(uintptr_t)sim->values->crl; /* only read */
    crl->files = sim->crl_files;
    crl->n_files++;
    crl->given = true;
    return HF_OK;
}

/* --ocsp: a trust that doesn't ask takes the answer about the client's own certificate. */
static enum hf_err add_ocsp(struct simulation *sim)
{
    enum { SKEW_MS = 60000, MAX_AGE_MS = 600000 };
    if (!sim->values->ocsp) {
        return HF_OK;
    }
    if (!sim->trust) {
        return hf_fail(HF_E_USAGE, "--ocsp: the listener has no trust to hold an answer against");
    }
    struct hf_cfg_ocsp *cfg = &sim->config->trusts[sim->trust - sim->config->trusts].ocsp;
    if (!cfg->given) {
        *cfg = (struct hf_cfg_ocsp){
            .given = true, .leaf_only = true, .skew_ms = SKEW_MS, .max_age_ms = MAX_AGE_MS};
    }
    sim->ocsp_der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    HF_TRY(hf_file_read(sim->values->ocsp, &sim->ocsp_der));
    HF_TRY(hf_ocsp_memory_new(HF_OCSP_WANTS_MAX, &sim->ocsp.memory));
    sim->ocsp.staple = hf_buf_bytes(&sim->ocsp_der);
    sim->ocsp.first = true;
    return HF_OK;
}

/* What a daemon with this config would know of revocation. */
static enum hf_err load_ledger(struct simulation *sim, struct hf_findings *findings)
{
    HF_CLEANUP(hf_crl_kept_freep) struct hf_crl_kept *kept = NULL;
    struct hf_ledger_known known = {0};
    HF_TRY(add_crl(sim));
    HF_TRY(add_ocsp(sim));
    if (sim->config->state.value) {
        HF_TRY(hf_crl_kept_read(sim->config, sim->materials, findings, &known, &kept));
        HF_TRY(hf_denials_read(sim->config->state.value, sim->now_s, &known.deny));
    }
    enum hf_err err = hf_ledger_load(sim->config, NULL, &known, HF_LEDGER_STRICT, sim->now_s,
                                     findings, &sim->ledger);
    hf_denylist_unref(known.deny);
    return err;
}

static enum hf_err read_address(struct simulation *sim)
{
    const struct hf_cfg_probes *probes = &sim->listener->probes;
    struct hf_addr addr;
    if (!sim->values->address) {
        return HF_OK;
    }
    HF_TRY(hf_addr_parse_ip(sim->values->address, 0, &addr));
    for (size_t i = 0; sim->listener->probes_on && i < probes->n_from; i++) {
        sim->may_probe |= hf_cidr_contains(&probes->from[i], &addr);
    }
    return HF_OK;
}

static void judge_handshake(struct simulation *sim)
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

static const struct hf_identity *verified_identity(const struct simulation *sim)
{
    return sim->handshake.verified ? sim->identity : NULL;
}

/* All roles of the config, whether a rule of this listener needs them or not. */
static enum hf_err find_roles(struct simulation *sim)
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
static enum hf_err read_target(struct simulation *sim, struct hf_request *request)
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

static enum hf_err judge_request(struct simulation *sim)
{
    const struct values *values = sim->values;
    struct hf_request request = {
        .method = hf_bytes_str(values->method),
        .host = bare_host(values->host ? values->host : values->sni),
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

static bool allowed(const struct simulation *sim)
{
    return sim->handshake.allow && (!sim->asked || (!sim->bad_path && sim->request.allow));
}

static enum hf_err simulate(struct simulation *sim, struct hf_findings *findings)
{
    sim->now_s = hf_clock_wall_s(&hf_os_clock);
    if (sim->values->at) {
        HF_TRY(hf_ca_parse_time(sim->values->at, &sim->now_s));
    }
    HF_TRY(hf_config_load(sim->values->config, findings, &sim->config));
    HF_TRY(find_listener(sim));
    HF_TRY(read_chain(sim));
    HF_TRY(read_address(sim));
    HF_TRY(load_trusts(sim, findings));
    HF_TRY(make_doors(sim));
    choose_door(sim);
    HF_TRY(load_ledger(sim, findings));
    judge_handshake(sim);
    HF_TRY(find_roles(sim));
    bool asks = sim->values->path && sim->handshake.allow;
    return asks ? judge_request(sim) : HF_OK;
}

/* --- Telling ------------------------------------------------------------------------------------
 */

static const char *request_code(const struct simulation *sim)
{
    return sim->bad_path ? "bad-path" : hf_reason_code(sim->request.reason);
}

static unsigned request_status(const struct simulation *sim)
{
    return sim->bad_path ? 400 : sim->request.status;
}

static void print_row(FILE *out, const char *label, const char *text)
{
    if (text && *text) {
        fprintf(out, "  %-9s%s\n", label, text);
    }
}

static void print_roles(const struct simulation *sim, FILE *out)
{
    fprintf(out, "  %-9s", "roles");
    for (size_t i = 0; i < sim->n_roles; i++) {
        fprintf(out, "%s%s", i ? ", " : "", sim->roles[i]);
    }
    fputs(sim->n_roles ? "\n" : "none\n", out);
}

static void print_request(const struct simulation *sim, FILE *out)
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
static json_t *explanation(const struct simulation *sim)
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

static void print_explanation(const struct simulation *sim, FILE *out)
{
    json_t *verdict = explanation(sim);
    if (!sim->handshake.allow || sim->handshake.reported) {
        print_row(out, "do", hf_reason_todo(sim->handshake.reason));
    }
    hf_explain_print_evidence(verdict, out);
    json_decref(verdict);
}

static void print_text(const struct simulation *sim, FILE *out)
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

static json_t *handshake_json(const struct simulation *sim)
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

static json_t *request_json(const struct simulation *sim)
{
    const struct hf_request_verdict *verdict = &sim->request;
    const char *route = sim->bad_path ? "" : hf_route_table_name(sim->table, verdict->route);
    bool allow = !sim->bad_path && verdict->allow;
    return json_pack("{s:b, s:b, s:i, s:s, s:s?, s:s?, s:s}", "allow", allow, "would_refuse",
                     verdict->would_refuse, "status", (int)request_status(sim), "code",
                     request_code(sim), "route", *route ? route : NULL, "rule",
                     *sim->rule ? sim->rule : NULL, "text", sim->text);
}

static json_t *tree_of(const struct simulation *sim)
{
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(sim->now_s, when);
    json_t *roles = json_array();
    for (size_t i = 0; i < sim->n_roles; i++) {
        json_array_append_new(roles, json_string(sim->roles[i]));
    }
    json_t *tree = json_pack("{s:b, s:s, s:s, s:s?, s:o, s:o}", "allow", allowed(sim), "listener",
                             sim->listener->name, "at", when, "identity",
                             sim->identity ? hf_identity_display(sim->identity) : NULL, "roles",
                             roles, "handshake", handshake_json(sim));
    if (sim->asked) {
        json_object_set_new(tree, "request", request_json(sim));
    }
    json_object_set_new(tree, "explanation", explanation(sim));
    return tree;
}

static enum hf_exit tell(struct hf_cli *cli, const struct simulation *sim)
{
    if (sim->values->json) {
        json_t *tree = tree_of(sim);
        json_dumpf(tree, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
        json_decref(tree);
    } else {
        print_text(sim, cli->out);
    }
    return allowed(sim) ? HF_EXIT_OK : HF_EXIT_PROBLEM;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(simulation_done) struct simulation sim = {.values = given};
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    for (size_t i = 0; i < sim.values->headers.n; i++) {
        if (!strchr(sim.values->headers.item[i], ':')) {
            return hf_cli_usage(cli, "--header is NAME:VALUE, not \"%.60s\"",
                                sim.values->headers.item[i]);
        }
    }
    enum hf_err err = simulate(&sim, &findings);
    if (err != HF_OK) {
        hf_cli_print_findings(cli->err, &findings);
        return hf_cli_fail(cli, err);
    }
    if (sim.values->path && sim.listener->mode != HF_MODE_HTTP) {
        return hf_cli_usage(cli,
                            "listener \"%s\" relays bytes and judges no requests; leave --path "
                            "out",
                            sim.listener->name);
    }
    return tell(cli, &sim);
}

const struct hf_command hf_cmd_simulate = {
    .name = "simulate",
    .summary = "say what a listener's verdict on a client would be",
    .about = "Judges a client by a config, without a connection: may somebody with this "
             "certificate come in at this listener, and have that path? It asks the functions that "
             "the daemon asks. Nothing is sent, and no private key is needed.\n\n"
             "What a certificate can't show is taken for granted: that the client holds its key, "
             "and that client and listener agree on a version of TLS.\n\n"
             "Exit status 0 means that the client would be let in, 1 that it would be refused.",
    .example =
        "handfast simulate -c handfast.yaml --listener api --cert alice.pem\n"
        "handfast simulate -c handfast.yaml --listener api --cert alice.pem \\\n"
        "    --host api.example.org --path /admin/users --method POST\n"
        "handfast simulate -c handfast.yaml --listener api --cert alice.pem --at 2027-01-01\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
