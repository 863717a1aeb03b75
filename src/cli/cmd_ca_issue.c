// SPDX-License-Identifier: Apache-2.0
/* `ca issue`, whose names come from the command line, and `ca sign`, whose names are a request's.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/when.h"
#include "cli/ca_files.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "os/file.h"

enum { FILE_CAP = 1 << 20, DAYS_MAX = 3650 };

struct values {
    struct hf_ca_values ca;
    struct hf_ca_file_values files;
    const char *server, *client, *profile, *name, *authority;
    struct hf_texts sans;
    unsigned days;
    int64_t lifetime_ms;
    const char *not_before, *not_after;
    const char *key_type;
    const char *csr;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

#define OPTIONS_DATES \
    OPTION("days", HF_OPT_UINT, "N", days, \
           .doc = "how long it is valid, at most as long as the CA (default: the profile's)", \
           .min = 1, .max = DAYS_MAX), \
        OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms, \
               .doc = "likewise, as 12h or 30d, within what the profile allows"), \
        OPTION("not-before", HF_OPT_TEXT, "TIME", not_before, \
               .doc = "when it begins, as 2026-11-20T23:06:00Z or 2026-11-20 (default: a little " \
                      "ago)"), \
        OPTION("not-after", HF_OPT_TEXT, "TIME", not_after, \
               .doc = "when it ends, in place of --days; may lie in the past, to test with"), \
        OPTION("authority", HF_OPT_TEXT, "NAME", authority, \
               .doc = "which CA signs (default: the first one, or its successor)")

static const struct hf_option issue_options[] = {
    OPTION("server", HF_OPT_TEXT, "NAME", server,
           .doc = "for a server with this DNS name or IP address: --profile server --name NAME"),
    OPTION("client", HF_OPT_TEXT, "NAME", client,
           .doc = "for a client with this common name: --profile user --name NAME"),
    OPTION("profile", HF_OPT_TEXT, "PROFILE", profile,
           .doc = "what kind of certificate; `handfast ca profile list` shows them"),
    OPTION("name", HF_OPT_TEXT, "NAME", name, .doc = "what it is called, with --profile"),
    OPTION("san", HF_OPT_TEXTS, "KIND:NAME", sans,
           .doc = "a further name: DNS:host, URI:uri (spiffe://... too), IP:address, "
                  "email:address, UPN:user@realm; may be given several times"),
    OPTIONS_DATES,
    OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type,
           .doc = "p256, p384, p521, ed25519, rsa2048, rsa3072 or rsa4096 (default: the "
                  "profile's first)"),
    OPTION("csr", HF_OPT_TEXT, "FILE", csr,
           .doc = "certify the key of this request, whose holder keeps it; the names in it are not "
                  "copied"),
    HF_CA_OPTIONS_FILES(struct values, files),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_KNOWN(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option sign_options[] = {
    OPTION("csr", HF_OPT_TEXT, "FILE", csr, .doc = "the request, PEM or DER", .required = true),
    OPTION("profile", HF_OPT_TEXT, "PROFILE", profile,
           .doc = "what kind of certificate; `handfast ca profile list` shows them",
           .required = true),
    OPTIONS_DATES,
    OPTION("out", HF_OPT_TEXT, "PREFIX", files.out, .doc = "write PREFIX.pem (default: the name)"),
    HF_CA_OPTIONS_FORMAT(struct values, files),
    OPTION("force", HF_OPT_SWITCH, NULL, files.force, .doc = "replace output files that exist"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_KNOWN(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* Everything on the way from the flags to the files. */
struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_ca_op op;
    struct hf_buf csr;
    struct hf_ca_files files;
};

static void work_done(struct work *work)
{
    hf_ca_op_done(&work->op);
    hf_ca_service_close(work->service);
    hf_ca_files_done(&work->files);
    hf_buf_done(&work->csr);
}

/* --- Flags -------------------------------------------------------------------------------------
 */

static enum hf_err check_flags(const struct values *values)
{
    const struct hf_ca_file_values *files = &values->files;
    const struct {
        bool first, second;
        const char *first_name, *second_name;
    } pairs[] = {
        {values->server, values->client, "server", "client"},
        {values->server, values->profile, "server", "profile"},
        {values->client, values->profile, "client", "profile"},
        {values->server, values->name, "server", "name"},
        {values->client, values->name, "client", "name"},
        {values->csr, values->key_type, "csr", "key-type"},
        {values->csr, files->p12_legacy, "csr", "p12-legacy"},
        {values->csr, files->p12_passphrase.file, "csr", "p12-passphrase-file"},
        {values->csr, files->p12_passphrase.env, "csr", "p12-passphrase-env"},
        {values->csr, files->no_p12, "csr", "no-p12"},
        {values->days, values->not_after, "days", "not-after"},
        {values->days, values->lifetime_ms, "days", "lifetime"},
        {values->lifetime_ms, values->not_after, "lifetime", "not-after"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(pairs); i++) {
        if (pairs[i].first && pairs[i].second) {
            return hf_fail(HF_E_USAGE, "--%s and --%s exclude each other", pairs[i].first_name,
                           pairs[i].second_name);
        }
    }
    return HF_OK;
}

static enum hf_err read_dates(struct work *work)
{
    const struct values *values = work->values;
    struct hf_ca_ask *ask = &work->op.ask;
    ask->lifetime_s = values->lifetime_ms / 1000;
    if (values->not_before) {
        HF_TRY(hf_ca_parse_time(values->not_before, &ask->not_before));
    }
    if (values->not_after) {
        HF_TRY(hf_ca_parse_time(values->not_after, &ask->not_after));
    }
    if (values->days) {
        int64_t now = hf_clock_wall_s(&hf_os_clock);
        int64_t from = ask->not_before > now ? ask->not_before : now;
        ask->not_after = from + values->days * INT64_C(86400);
    }
    return HF_OK;
}

static enum hf_err read_csr(struct work *work)
{
    if (work->values->csr) {
        HF_TRY(hf_file_read(work->values->csr, &work->csr));
        work->op.ask.csr = hf_buf_bytes(&work->csr);
        work->op.ask.csr_label = work->values->csr;
    }
    return HF_OK;
}

static enum hf_err read_issue_flags(struct work *work)
{
    const struct values *values = work->values;
    struct hf_ca_ask *ask = &work->op.ask;
    HF_TRY(check_flags(values));
    ask->profile = values->server ? "server" : values->client ? "user" : values->profile;
    ask->name = values->server ? values->server : values->client ? values->client : values->name;
    if (!ask->profile || !ask->name) {
        return hf_fail(HF_E_USAGE, "say --server NAME or --client NAME, or --profile PROFILE and "
                                   "--name NAME");
    }
    ask->sans = values->sans.item;
    ask->n_sans = values->sans.n;
    ask->key_type = values->key_type;
    return hf_ca_files_init(&work->files, &values->files, ask->name);
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err on_made(struct hf_ca_op *op)
{
    struct work *work = HF_CONTAINER_OF(op, struct work, op);
    return hf_ca_files_add(&work->files, op);
}

static enum hf_err issue(struct work *work)
{
    work->op.made = on_made;
    work->op.ask.authority = work->values->authority;
    HF_TRY(read_dates(work));
    HF_TRY(read_csr(work));
    HF_TRY(hf_ca_cli_open(&work->values->ca, &work->service));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    HF_TRY(hf_outputs_publish(&work->files.outputs));
    if (work->op.n_names_left_out) {
        hf_cli_say(work->cli, "note: the %u names in %s were not copied; --san adds names",
                   work->op.n_names_left_out, work->values->csr);
    }
    return hf_ca_files_tell(work->cli, &work->files, &work->op, work->values->ca.json);
}

static enum hf_exit run_issue(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done)
    struct work work = {.cli = cli,
                        .values = given,
                        .op = {.verb = HF_CA_VERB_ISSUE},
                        .csr = HF_BUF_INIT(FILE_CAP)};
    enum hf_err err = read_issue_flags(&work);
    err = err == HF_OK ? issue(&work) : err;
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* The default prefix is the request's file without its ending. */
static enum hf_err init_sign_files(struct work *work)
{
    const char *slash = strrchr(work->values->csr, '/');
    const char *name = slash ? slash + 1 : work->values->csr;
    const char *dot = strrchr(name, '.');
    HF_CLEANUP(hf_freep)
    char *stem = hf_strndup(name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
    return stem ? hf_ca_files_init(&work->files, &work->values->files, stem) : HF_E_NOMEM;
}

static enum hf_exit run_sign(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done)
    struct work work = {
        .cli = cli, .values = given, .op = {.verb = HF_CA_VERB_SIGN}, .csr = HF_BUF_INIT(FILE_CAP)};
    work.op.ask.profile = work.values->profile;
    enum hf_err err = check_flags(work.values);
    err = err == HF_OK ? init_sign_files(&work) : err;
    err = err == HF_OK ? issue(&work) : err;
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_issue = {
    .name = "issue",
    .summary = "issue a certificate",
    .about =
        "Issues a certificate by a profile and writes PREFIX.pem (with the issuing CA's), "
        "PREFIX.key (mode 0600) and PREFIX.p12, which browsers import. What was issued is in the "
        "CA's store, on the disk, before the files get their names; when something fails, such as "
        "a full disk, nothing was issued.\n\n"
        "A certificate that has expired, to try things with, is made by --not-before and "
        "--not-after with times in the past.",
    .example =
        "handfast ca issue --dir ca --server api.example.org --san IP:192.0.2.1 --out server\n"
        "handfast ca issue --dir ca --client alice --san URI:spiffe://example.org/ops/alice\n"
        "handfast ca issue --dir ca --profile service --name billing --san "
        "URI:spiffe://example.org/billing\n"
        "handfast ca issue --dir ca --client bob --csr bob.csr --days 30\n",
    HF_OPTIONS(issue_options),
    .values_size = sizeof(struct values),
    .run = run_issue,
};

const struct hf_command hf_cmd_ca_sign = {
    .name = "sign",
    .summary = "sign a certificate request, names and all",
    .about = "Issues a certificate with the key, the subject and the names of a request (PKCS#10), "
             "as far as the profile allows them; a name that it doesn't allow is an error. Other "
             "wishes in the request, such as key usages, are the profile's to fulfil.",
    .example = "handfast ca sign --dir ca --profile server --csr www.csr --out www\n",
    HF_OPTIONS(sign_options),
    .values_size = sizeof(struct values),
    .run = run_sign,
};
