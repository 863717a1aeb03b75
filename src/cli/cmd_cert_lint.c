// SPDX-License-Identifier: Apache-2.0
/* What src/ca/lint.h finds in the certificates of a file, as lines or as JSON. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ca/cert_profile.h"
#include "ca/lint.h"
#include "cli/cert_commands.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/dn.h"
#include "pki/pem.h"

enum { CERTS_MAX = 256 };

struct values {
    const char *issuer;
    const char *profile;
    bool list;
    bool json;
};

static const struct hf_option options[] = {
    {.name = "issuer",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the CA that signed it; otherwise it is looked for in the file itself",
     .offset = offsetof(struct values, issuer)},
    {.name = "profile",
     .kind = HF_OPT_TEXT,
     .value = "NAME|FILE",
     .doc = "hold it against a profile, one that comes with handfast or a YAML file",
     .offset = offsetof(struct values, profile)},
    {.name = "list",
     .kind = HF_OPT_SWITCH,
     .doc = "list all checks",
     .offset = offsetof(struct values, list)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print it as JSON",
     .offset = offsetof(struct values, json)},
};

/* --- The checks -------------------------------------------------------------------------------*/

static void list_checks(FILE *out, bool json)
{
    json_t *all = json_array();
    for (size_t i = 0; hf_lint_check_at(i); i++) {
        const struct hf_lint_check *check = hf_lint_check_at(i);
        if (!json) {
            fprintf(out, "%-28s %-8s %s (%s)\n", check->name, hf_lint_level_name(check->level),
                    check->says, check->source);
            continue;
        }
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "name", check->name, "level",
                                             hf_lint_level_name(check->level), "source",
                                             check->source, "says", check->says));
    }
    if (json) {
        json_dumpf(all, out, JSON_INDENT(2));
        fputc('\n', out);
    }
    json_decref(all);
}

/* --- Files ------------------------------------------------------------------------------------*/

static enum hf_err read_certs(const char *path, struct hf_chain **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    HF_TRY(hf_file_read(path, &text));
    return hf_certs_parse(hf_buf_bytes(&text), path, CERTS_MAX, out);
}

static enum hf_err read_profile(struct hf_cli *cli, const char *name, struct hf_cert_profile **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_PROFILE_YAML_MAX);
    struct hf_findings findings = {0};
    if (hf_cert_profile_builtin_yaml(name)) {
        return hf_cert_profile_builtin(name, out);
    }
    HF_TRY(hf_file_read(name, &text));
    enum hf_err err = hf_cert_profile_parse(hf_buf_bytes(&text), name, &findings, out);
    if (err == HF_E_CONFIG) {
        hf_cli_print_findings(cli->err, &findings);
    }
    hf_findings_done(&findings);
    return err;
}

/* Who signed it: the one given, or whichever of the same file has its issuer's name. */
static const struct hf_cert *issuer_of(const struct hf_cert *cert, const struct hf_chain *given,
                                       const struct hf_chain *file)
{
    const struct hf_chain *among = given ? given : file;
    const X509_NAME *issuer = X509_get_issuer_name(cert->x509);
    for (size_t i = 0; i < among->n_certs; i++) {
        if (X509_NAME_cmp(issuer, X509_get_subject_name(among->certs[i]->x509)) == 0) {
            return among->certs[i];
        }
    }
    return NULL;
}

/* --- Results ----------------------------------------------------------------------------------*/

static void print_text(FILE *out, size_t number, const char *subject,
                       const struct hf_lint_result *result, const struct hf_cert *issuer)
{
    fprintf(out, "certificate %zu: %s: ", number, *subject ? subject : "(no subject)");
    if (result->n == 0) {
        fprintf(out, "nothing to complain about in %zu checks%s\n", result->n_run,
                issuer ? "" : ", without its issuer");
        return;
    }
    fprintf(out, "%zu error%s, %zu warning%s in %zu checks%s\n", result->n_errors,
            result->n_errors == 1 ? "" : "s", result->n_warnings,
            result->n_warnings == 1 ? "" : "s", result->n_run,
            issuer ? "" : ", without its issuer");
    for (size_t i = 0; i < result->n; i++) {
        const struct hf_lint_finding *finding = &result->finding[i];
        fprintf(out, "  %-8s %s: %s (%s)\n", hf_lint_level_name(finding->check->level),
                finding->check->name, finding->text, finding->check->source);
    }
}

static json_t *to_json(size_t number, const char *subject, const struct hf_lint_result *result,
                       const struct hf_cert *issuer)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < result->n; i++) {
        const struct hf_lint_check *check = result->finding[i].check;
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s, s:s}", "name", check->name, "level",
                                        hf_lint_level_name(check->level), "source", check->source,
                                        "text", result->finding[i].text));
    }
    return json_pack("{s:I, s:s, s:b, s:I, s:I, s:I, s:o}", "certificate", (json_int_t)number,
                     "subject", subject, "issuer_known", issuer != NULL, "checks",
                     (json_int_t)result->n_run, "errors", (json_int_t)result->n_errors, "warnings",
                     (json_int_t)result->n_warnings, "findings", findings);
}

/* --- The command ------------------------------------------------------------------------------*/

struct given {
    struct hf_chain *certs, *issuers;
    struct hf_cert_profile *profile;
};

static enum hf_err lint_all(struct hf_cli *cli, const struct given *given, bool json,
                            size_t *out_n_errors)
{
    json_t *all = json_array();
    enum hf_err err = HF_OK;
    for (size_t i = 0; err == HF_OK && i < given->certs->n_certs; i++) {
        const struct hf_cert *cert = given->certs->certs[i];
        struct hf_lint_against against = {
            .issuer = issuer_of(cert, given->issuers, given->certs),
            .profile = i == 0 ? given->profile : NULL,
            .now = hf_clock_wall_s(&hf_os_clock),
        };
        struct hf_lint_result result;
        char subject[512];
        hf_dn_text(X509_get_subject_name(cert->x509), subject, sizeof(subject));
        err = hf_lint_cert(cert->der, &against, &result);
        if (err == HF_OK && json) {
            json_array_append_new(all, to_json(i + 1, subject, &result, against.issuer));
        } else if (err == HF_OK) {
            print_text(cli->out, i + 1, subject, &result, against.issuer);
        }
        *out_n_errors += err == HF_OK ? result.n_errors : 0;
    }
    if (err == HF_OK && json) {
        json_dumpf(all, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
    }
    json_decref(all);
    return err;
}

static enum hf_err lint_file(struct hf_cli *cli, const struct values *values, struct given *given,
                             size_t *out_n_errors)
{
    HF_TRY(read_certs(cli->args[0], &given->certs));
    if (values->issuer) {
        HF_TRY(read_certs(values->issuer, &given->issuers));
    }
    if (values->profile) {
        HF_TRY(read_profile(cli, values->profile, &given->profile));
    }
    return lint_all(cli, given, values->json, out_n_errors);
}

static enum hf_exit run(struct hf_cli *cli, const void *opaque)
{
    const struct values *values = opaque;
    struct given given = {0};
    size_t n_errors = 0;
    if (values->list && cli->n_args == 0) {
        list_checks(cli->out, values->json);
        return HF_EXIT_OK;
    }
    if (values->list || cli->n_args == 0) {
        return hf_cli_usage(cli, values->list ? "--list stands alone" : "FILE is missing");
    }
    enum hf_err err = lint_file(cli, values, &given, &n_errors);
    hf_chain_unref(given.certs);
    hf_chain_unref(given.issuers);
    hf_cert_profile_unref(given.profile);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    return n_errors ? HF_EXIT_PROBLEM : HF_EXIT_OK;
}

const struct hf_command hf_cmd_cert_lint = {
    .name = "lint",
    .summary = "hold certificates to the rules",
    .args = "[FILE]",
    .max_args = 1,
    .about =
        "Runs the checks that a CA of handfast runs before it signs: against RFC 5280 and what "
        "follows it, against the certificate of the issuer, and with --profile against a "
        "profile, to which the first certificate of the file is held. Every check has a name "
        "that stays, and a source; --list shows them all.\n\n"
        "Exit status 1 means that at least one certificate breaks a rule (an error); warnings "
        "and notices don't change it.",
    .example = "handfast cert lint server.pem --issuer ca.pem\n"
               "handfast cert lint alice.pem --profile user --json\n"
               "handfast cert lint --list\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
