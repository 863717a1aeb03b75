// SPDX-License-Identifier: Apache-2.0
/* `ca revoke`, `ca hold`, `ca release`. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/when.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "pki/serials.h"

struct values {
    struct hf_ca_values ca;
    const char *cert, *reason, *note;
    struct hf_ca_which_values which;
    bool dry_run, all;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option revoke_options[] = {
    OPTION("cert", HF_OPT_TEXT, "FILE", cert, .doc = "the certificate, in place of its SERIAL"),
    HF_CA_OPTIONS_WHICH(struct values, which),
    OPTION("all", HF_OPT_SWITCH, NULL, all,
           .doc = "yes, revoke everything that the filter finds, when that is more than one"),
    OPTION("dry-run", HF_OPT_SWITCH, NULL, dry_run, .doc = "only say how many there are"),
    OPTION("reason", HF_OPT_TEXT, "REASON", reason,
           .doc = "unspecified (the default), keyCompromise, affiliationChanged, superseded, "
                  "cessationOfOperation, privilegeWithdrawn, cACompromise, aACompromise"),
    OPTION("note", HF_OPT_TEXT, "TEXT", note, .doc = "kept in the audit log"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option hold_options[] = {
    OPTION("cert", HF_OPT_TEXT, "FILE", cert, .doc = "the certificate, in place of its SERIAL"),
    OPTION("authority", HF_OPT_TEXT, "NAME", which.authority,
           .doc = "the CA that issued it, where two used the same number"),
    OPTION("note", HF_OPT_TEXT, "TEXT", note, .doc = "kept in the audit log"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_ca_op op;
    char *serial;
};

static void work_done(struct work *work)
{
    hf_ca_op_done(&work->op);
    hf_ca_service_close(work->service);
    hf_free(work->serial);
}

/* The names of RFC 5280, in any case and with hyphens if one likes. */
static enum hf_err read_reason(const char *text, int *out)
{
    char plain[32];
    size_t n = 0;
    for (const char *c = text ? text : "unspecified"; *c && n < sizeof(plain) - 1; c++) {
        if (*c != '-') {
            plain[n++] = *c;
        }
    }
    plain[n] = '\0';
    for (unsigned number = 0; number <= 10; number++) {
        const char *name = hf_revoked_for_name(number);
        if (name && number != HF_REVOKED_FOR_HOLD && number != HF_REVOKED_FOR_REMOVED &&
            strcasecmp(name, plain) == 0) {
            *out = (int)number;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_USAGE,
                   "\"%.40s\" is no reason; see --help (for certificateHold there is "
                   "`handfast ca hold`)",
                   text);
}

static bool has_filter(const struct hf_ca_which_values *which)
{
    return which->identity || which->profile || which->requester || which->text ||
           which->expiring_ms || which->never_seen;
}

static enum hf_err read_which(struct work *work)
{
    const struct values *values = work->values;
    bool filter = has_filter(&values->which) ||
                  (values->which.authority && !values->cert && work->cli->n_args == 0);
    int n_ways = (work->cli->n_args != 0) + (values->cert != NULL) + filter;
    if (n_ways != 1) {
        return hf_fail(HF_E_USAGE, work->op.verb == HF_CA_VERB_REVOKE
                                       ? "say which: a SERIAL, --cert FILE, or a filter"
                                       : "say which: a SERIAL or --cert FILE");
    }
    HF_TRY(hf_ca_which_read(&values->which, &work->op.which));
    if (work->cli->n_args) {
        work->op.which.serial = work->cli->args[0];
    } else if (values->cert) {
        HF_TRY(hf_ca_serial_of_file(values->cert, &work->serial));
        work->op.which.serial = work->serial;
    }
    return HF_OK;
}

static enum hf_err tell(struct work *work)
{
    const struct hf_ca_op *op = &work->op;
    if (work->values->ca.json) {
        return hf_cli_json(work->cli,
                           json_pack("{s:I, s:I, s:b, s:s}", "matched", (json_int_t)op->n_matched,
                                     "changed", (json_int_t)op->n_changed, "dry_run",
                                     (int)op->dry_run, "text", op->text));
    }
    fprintf(work->cli->out, "%s\n", op->text);
    return HF_OK;
}

/* A filter that finds more than somebody thought is the way to an outage: more than one wants
 * --all. */
static enum hf_err check_count(struct work *work)
{
    struct hf_ca_op count = work->op;
    if (work->op.which.serial || work->values->all || work->values->dry_run) {
        return HF_OK;
    }
    count.dry_run = true;
    enum hf_err err = hf_ca_cli_run(work->service, &count);
    size_t n = count.n_matched;
    hf_ca_op_done(&count);
    HF_TRY(err);
    return n <= 1 ? HF_OK
                  : hf_fail(HF_E_DENIED,
                            "that would revoke %zu certificates; look with --dry-run or `handfast "
                            "ca list`, then give --all",
                            n);
}

static enum hf_err change(struct work *work)
{
    HF_TRY(read_which(work));
    HF_TRY(read_reason(work->values->reason, &work->op.reason));
    work->op.dry_run = work->values->dry_run;
    work->op.note = work->values->note;
    HF_TRY(hf_ca_cli_open(&work->values->ca, &work->service));
    HF_TRY(check_count(work));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    return tell(work);
}

static enum hf_exit run(struct hf_cli *cli, const void *given, enum hf_ca_verb verb)
{
    HF_CLEANUP(work_done) struct work work = {.cli = cli, .values = given, .op = {.verb = verb}};
    enum hf_err err = change(&work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_revoke(struct hf_cli *cli, const void *given)
{
    return run(cli, given, HF_CA_VERB_REVOKE);
}

static enum hf_exit run_hold(struct hf_cli *cli, const void *given)
{
    return run(cli, given, HF_CA_VERB_HOLD);
}

static enum hf_exit run_release(struct hf_cli *cli, const void *given)
{
    return run(cli, given, HF_CA_VERB_RELEASE);
}

const struct hf_command hf_cmd_ca_revoke = {
    .name = "revoke",
    .summary = "revoke certificates",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Revokes one certificate, or all that a filter finds. It is on the disk when the "
             "command ends; daemons that serve this CA close the sessions of whoever it was at "
             "once. There is no way back: see `handfast ca hold` for one that has.",
    .example = "handfast ca revoke --dir ca --cert alice.pem --reason keyCompromise\n"
               "handfast ca revoke --dir ca 5f1c0a...\n"
               "handfast ca revoke --dir ca --identity spiffe://example.org/billing --dry-run\n"
               "handfast ca revoke --dir ca --requester mdm --all --reason cessationOfOperation\n",
    HF_OPTIONS(revoke_options),
    .values_size = sizeof(struct values),
    .run = run_revoke,
};

const struct hf_command hf_cmd_ca_hold = {
    .name = "hold",
    .summary = "revoke a certificate for the time being",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Puts a certificate on hold (certificateHold): it counts as revoked until it is "
             "released, or revoked for good.",
    .example = "handfast ca hold --dir ca --cert alice.pem --note 'laptop is lost, maybe'\n",
    HF_OPTIONS(hold_options),
    .values_size = sizeof(struct values),
    .run = run_hold,
};

const struct hf_command hf_cmd_ca_release = {
    .name = "release",
    .summary = "release a certificate from hold",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Makes a certificate that is on hold good again.",
    .example = "handfast ca release --dir ca --cert alice.pem\n",
    HF_OPTIONS(hold_options),
    .values_size = sizeof(struct values),
    .run = run_release,
};
