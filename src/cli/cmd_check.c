// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "config/ledger.h"
#include "config/lint.h"
#include "config/tls_settings.h"
#include "os/clock.h"
#include "proxy/crl_kept.h"

struct values {
    const char *config;
    bool json;
    bool strict;
};

static const struct hf_option options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the config file",
     .required = true,
     .offset = offsetof(struct values, config)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print an array of findings as JSON",
     .offset = offsetof(struct values, json)},
    {.name = "strict",
     .kind = HF_OPT_SWITCH,
     .doc = "exit with 1 for warnings too",
     .offset = offsetof(struct values, strict)},
};

static enum hf_err print_json(FILE *to, struct hf_findings *findings)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16u << 20);
    HF_TRY(hf_findings_json(findings, &text));
    fwrite(hf_buf_bytes(&text).ptr, 1, hf_buf_len(&text), to);
    return HF_OK;
}

static enum hf_exit print(struct hf_cli *cli, const struct values *values,
                          struct hf_findings *findings)
{
    bool bad = findings->n_errors || (values->strict && findings->n);
    if (values->json) {
        enum hf_err err = print_json(cli->out, findings);
        return err != HF_OK ? hf_cli_fail(cli, err) : bad ? HF_EXIT_PROBLEM : HF_EXIT_OK;
    }
    hf_cli_print_findings(cli->out, findings);
    size_t n_warnings = findings->n - findings->n_errors;
    if (!bad && n_warnings) {
        hf_cli_say(cli, "%s has no errors, but %zu warning%s", values->config, n_warnings,
                   n_warnings == 1 ? "" : "s");
    } else if (!bad) {
        hf_cli_say(cli, "%s is fine", values->config);
    }
    return bad ? HF_EXIT_PROBLEM : HF_EXIT_OK;
}

static enum hf_err examine_lists(const struct hf_config *config,
                                 const struct hf_materials *materials, struct hf_findings *findings)
{
    HF_CLEANUP(hf_crl_kept_freep) struct hf_crl_kept *kept = NULL;
    struct hf_ledger_known known = {0};
    struct hf_ledger *ledger = NULL;
    int64_t now_s = hf_clock_wall_s(&hf_os_clock);
    HF_TRY(hf_crl_kept_read(config, materials, findings, &known, &kept));
    HF_TRY(hf_ledger_load(config, NULL, &known, HF_LEDGER_STRICT, now_s, findings, &ledger));
    hf_ledger_lint(ledger, config, materials, now_s, findings);
    hf_ledger_unref(ledger);
    return HF_OK;
}

/* Adds everything that is wrong with the file and what it names. */
static enum hf_err examine(const char *path, struct hf_findings *findings)
{
    struct hf_config *config = NULL;
    struct hf_materials *materials = NULL;
    HF_TRY(hf_config_load(path, findings, &config));
    enum hf_err err = hf_materials_load(config, findings, &materials);
    if (materials) {
        hf_tls_settings_check(config, materials, findings);
        hf_lint(config, materials, hf_clock_wall_s(&hf_os_clock), findings);
        enum hf_err ledger_err = examine_lists(config, materials, findings);
        err = err == HF_OK ? ledger_err : err;
    }
    hf_materials_unref(materials);
    hf_config_free(config);
    return err;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    enum hf_err err = examine(values->config, &findings);
    return err == HF_OK || err == HF_E_CONFIG ? print(cli, values, &findings)
                                              : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_check = {
    .name = "check",
    .summary = "check a config file and everything that it names",
    .about = "Reports everything that 'handfast run' would refuse in a config file, in the "
             "certificates, keys and roots that it names and in their permissions; and what run "
             "would accept but somebody would regret: certificates that have expired or soon "
             "will, chains that are incomplete or out of order, certificates used for what they "
             "are not for, doors that stand wider open than they look.\n\n"
             "Each finding has its line and column. Exit status 1 means that there are errors; "
             "with --strict, warnings count too.",
    .example = "handfast check -c handfast.yaml\n"
               "handfast check -c handfast.yaml --strict --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
