// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_services.h"
#include "cli/commands.h"
#include "proxy/daemon.h"

struct values {
    const char *config;
};

static const struct hf_option options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the config file",
     .required = true,
     .offset = offsetof(struct values, config)},
};

static enum hf_err serve(struct hf_config *config, const char *path)
{
    struct hf_ca_services *cas = NULL;
    enum hf_err err = hf_ca_services_new(&cas);
    if (err != HF_OK) {
        hf_config_free(config);
        return err;
    }
    struct hf_daemon_options daemon = {.config_path = path, .services = hf_ca_services_source(cas)};
    err = hf_daemon_run(config, &daemon);
    hf_ca_services_free(cas);
    return err;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    enum hf_err err = hf_config_load(values->config, &findings, &config);
    hf_cli_print_findings(cli->err, &findings);
    if (err == HF_OK) {
        err = serve(config, values->config);
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_run = {
    .name = "run",
    .summary = "run everything that a config file names",
    .about =
        "Runs the listeners of a config file until SIGTERM or SIGINT, then lets open "
        "connections finish for at most `drain-timeout`; a second signal ends them at once.\n"
        "\n"
        "SIGHUP reads the config and its files again without dropping a connection; when "
        "something in them is wrong it is logged and the old ones stay in force. SIGUSR1 opens "
        "the log file again, for log rotation.\n"
        "\n"
        "Under systemd it notifies readiness (Type=notify-reload), and takes listening sockets "
        "from socket units whose addresses are those of listeners.",
    .example = "handfast run -c handfast.yaml\n"
               "kill -HUP $(pidof handfast)\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
