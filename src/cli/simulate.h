// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_SIMULATE_H
#define HF_CLI_SIMULATE_H

/*
 * `handfast simulate`, in three steps: what is given is read (simulate_given.c), the same functions
 * that the daemon calls judge by it (simulate_judge.c), and what came out is told
 * (simulate_tell.c).
 */

#include <stdio.h>

#include "cli/cli.h"
#include "config/ledger.h"
#include "config/materials.h"
#include "policy/request.h"

enum { HF_SIMULATE_TEXT_MAX = 512 };

/* The command line. */
struct hf_simulate_values {
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

/* One simulation: what it is made of, and what came out. */
struct hf_simulation {
    const struct hf_simulate_values *values;
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
    char text[HF_SIMULATE_TEXT_MAX];
    const char **roles; /* that the client has; n_roles of them */
    size_t n_roles;
};

/* hf_simulation_prepare reads what sim->values name. Errors: in words, with what is wrong in the
 * config in findings. hf_simulation_done gives it all back. */
enum hf_err hf_simulation_prepare(struct hf_simulation *sim,
                                  struct hf_findings *findings) HF_MUST_CHECK;
void hf_simulation_done(struct hf_simulation *sim);

/* hf_simulation_judge makes the verdicts: on the handshake, then on the request, if one is told. */
enum hf_err hf_simulation_judge(struct hf_simulation *sim) HF_MUST_CHECK;
bool hf_simulation_allowed(const struct hf_simulation *sim);

/* hf_simulated_host is the host without its port; the text where it can't be taken apart. */
struct hf_bytes hf_simulated_host(const char *text);

/* hf_simulation_tell prints them. */
void hf_simulation_tell(const struct hf_simulation *sim, FILE *out);

#endif
