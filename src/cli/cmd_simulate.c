// SPDX-License-Identifier: Apache-2.0
/*
 * The verdicts of a listener, offline: the same functions that the daemon calls, with the same
 * config and files, on a certificate from a file.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/simulate.h"

static const struct hf_option options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the config file",
     .required = true,
     .offset = offsetof(struct hf_simulate_values, config)},
    {.name = "listener",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "the listener that the client connects to",
     .required = true,
     .offset = offsetof(struct hf_simulate_values, listener)},
    {.name = "cert",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the client's certificate, with what it sends behind it, in PEM or DER; without it the "
            "client has none",
     .offset = offsetof(struct hf_simulate_values, cert)},
    {.name = "sni",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "the server name that the client asks for; without it that of --host",
     .offset = offsetof(struct hf_simulate_values, sni)},
    {.name = "method",
     .kind = HF_OPT_TEXT,
     .value = "METHOD",
     .doc = "the request's method",
     .standard = "GET",
     .offset = offsetof(struct hf_simulate_values, method)},
    {.name = "host",
     .kind = HF_OPT_TEXT,
     .value = "HOST",
     .doc = "the request's host; without it the server name",
     .offset = offsetof(struct hf_simulate_values, host)},
    {.name = "path",
     .kind = HF_OPT_TEXT,
     .value = "PATH",
     .doc = "the request's path, with a query where there is one; without it no request is judged",
     .offset = offsetof(struct hf_simulate_values, path)},
    {.name = "header",
     .kind = HF_OPT_TEXTS,
     .value = "NAME:VALUE",
     .doc = "a header of the request; may be given several times",
     .offset = offsetof(struct hf_simulate_values, headers)},
    {.name = "authenticated",
     .kind = HF_OPT_SWITCH,
     .doc = "as if the client had shown the token or password that the route asks for",
     .offset = offsetof(struct hf_simulate_values, authenticated)},
    {.name = "address",
     .kind = HF_OPT_TEXT,
     .value = "ADDRESS",
     .doc = "the client's address, which decides whether it may ask the listener's probes",
     .offset = offsetof(struct hf_simulate_values, address)},
    {.name = "at",
     .kind = HF_OPT_TEXT,
     .value = "TIME",
     .doc = "as if it were then: 2026-11-20T23:06:00Z, or 2026-11-20; without it now",
     .offset = offsetof(struct hf_simulate_values, at)},
    {.name = "crl",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "as if the trust had this file of revocation lists too",
     .offset = offsetof(struct hf_simulate_values, crl)},
    {.name = "ocsp",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc =
         "as if the client showed this OCSP answer, in DER, with its certificate; no responder is "
         "asked",
     .offset = offsetof(struct hf_simulate_values, ocsp)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print it as JSON",
     .offset = offsetof(struct hf_simulate_values, json)},
};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(hf_simulation_done) struct hf_simulation sim = {.values = given};
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    for (size_t i = 0; i < sim.values->headers.n; i++) {
        if (!strchr(sim.values->headers.item[i], ':')) {
            return hf_cli_usage(cli, "--header is NAME:VALUE, not \"%.60s\"",
                                sim.values->headers.item[i]);
        }
    }
    enum hf_err err = hf_simulation_prepare(&sim, &findings);
    err = err == HF_OK ? hf_simulation_judge(&sim) : err;
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
    hf_simulation_tell(&sim, cli->out);
    return hf_simulation_allowed(&sim) ? HF_EXIT_OK : HF_EXIT_PROBLEM;
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
    .values_size = sizeof(struct hf_simulate_values),
    .run = run,
};
