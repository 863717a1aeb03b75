// SPDX-License-Identifier: Apache-2.0
/* What a simulation is made of: the config, the client's certificate, lists and answers. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/when.h"
#include "cli/simulate.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/pem.h"
#include "proxy/crl_kept.h"
#include "proxy/denials.h"

/* --- The client and its listener ----------------------------------------------------------------
 */

static enum hf_err find_listener(struct hf_simulation *sim)
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

static enum hf_err read_chain(struct hf_simulation *sim)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    if (!sim->values->cert) {
        return HF_OK;
    }
    HF_TRY(hf_file_read(sim->values->cert, &text));
    HF_TRY(hf_certs_parse(hf_buf_bytes(&text), sim->values->cert, HF_CHAIN_MAX, &sim->chain));
    return hf_identity_new(sim->chain->certs[0], &sim->identity);
}

static bool is_loaded(const struct hf_simulation *sim, const struct hf_cfg_trust *trust)
{
    return !trust || hf_materials_trust(sim->materials, trust);
}

/* Only the listener's roots are needed: keys that this user may not read are no obstacle. */
static enum hf_err load_trusts(struct hf_simulation *sim, struct hf_findings *findings)
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
static enum hf_err make_doors(struct hf_simulation *sim)
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

static void choose_door(struct hf_simulation *sim)
{
    const struct hf_cfg_listener *listener = sim->listener;
    const char *name = sim->values->sni ? sim->values->sni : sim->values->host;
    sim->door = hf_route_table_door(sim->table, hf_simulated_host(name));
    sim->client = sim->door ? listener->sni[sim->door - 1].client : listener->client;
    sim->trust = sim->door ? listener->sni[sim->door - 1].trust : listener->trust;
}

static enum hf_err read_address(struct hf_simulation *sim)
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

/* --- What is known of revocation ----------------------------------------------------------------
 */

/* --crl: the trust that judges has one file more. */
static enum hf_err add_crl(struct hf_simulation *sim)
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
static enum hf_err add_ocsp(struct hf_simulation *sim)
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
static enum hf_err load_ledger(struct hf_simulation *sim, struct hf_findings *findings)
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

/* --- All of it ----------------------------------------------------------------------------------
 */

enum hf_err hf_simulation_prepare(struct hf_simulation *sim, struct hf_findings *findings)
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
    return load_ledger(sim, findings);
}

void hf_simulation_done(struct hf_simulation *sim)
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
