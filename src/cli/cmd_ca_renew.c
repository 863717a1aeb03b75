// SPDX-License-Identifier: Apache-2.0
/* `ca renew` and `ca rekey`: the names of a certificate that was issued, once more. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/ca_files.h"
#include "cli/ca_open.h"
#include "os/file.h"

enum { FILE_CAP = 1 << 20 };

struct values {
    struct hf_ca_values ca;
    struct hf_ca_file_values files;
    const char *cert, *csr, *key_type, *authority;
    int64_t lifetime_ms;
    bool revoke_old;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

#define OPTIONS_BOTH \
    OPTION("cert", HF_OPT_TEXT, "FILE", cert, \
           .doc = "the certificate, in place of its serial number"), \
        OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms, \
               .doc = "how long the new one is valid (default: the profile's)"), \
        OPTION("authority", HF_OPT_TEXT, "NAME", authority, \
               .doc = "which CA signs (default: the first one, or its successor)"), \
        HF_CA_OPTIONS_WHERE(struct values, ca), HF_CA_OPTIONS_KEYS(struct values, ca), \
        HF_CA_OPTIONS_JSON(struct values, ca)

static const struct hf_option renew_options[] = {
    OPTION("out", HF_OPT_TEXT, "PREFIX", files.out,
           .doc = "write PREFIX.pem (default: the serial number)"),
    HF_CA_OPTIONS_FORMAT(struct values, files),
    OPTION("force", HF_OPT_SWITCH, NULL, files.force, .doc = "replace output files that exist"),
    OPTIONS_BOTH,
};

static const struct hf_option rekey_options[] = {
    OPTION("csr", HF_OPT_TEXT, "FILE", csr,
           .doc = "a request with the new key, whose holder keeps it; without it the key is made "
                  "here"),
    OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type, .doc = "of the key made here"),
    OPTION("revoke-old", HF_OPT_SWITCH, NULL, revoke_old,
           .doc = "revoke the old certificate (superseded) in the same step"),
    HF_CA_OPTIONS_FILES(struct values, files),
    HF_CA_OPTIONS_KNOWN(struct values, ca),
    OPTIONS_BOTH,
};

struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_ca_op op;
    struct hf_buf csr;
    char *serial;
    struct hf_ca_files files;
};

static void work_done(struct work *work)
{
    hf_ca_op_done(&work->op);
    hf_ca_service_close(work->service);
    hf_ca_files_done(&work->files);
    hf_buf_done(&work->csr);
    hf_free(work->serial);
}

static enum hf_err find_serial(struct work *work)
{
    const char *path = work->values->cert;
    if (!path == (work->cli->n_args == 0)) {
        return hf_fail(HF_E_USAGE, "say which certificate: its SERIAL, or --cert FILE");
    }
    if (!path) {
        work->serial = hf_strdup(work->cli->args[0]);
        return work->serial ? HF_OK : HF_E_NOMEM;
    }
    return hf_ca_serial_of_file(path, &work->serial);
}

static enum hf_err on_made(struct hf_ca_op *op)
{
    struct work *work = HF_CONTAINER_OF(op, struct work, op);
    return hf_ca_files_add(&work->files, op);
}

static enum hf_err renew(struct work *work)
{
    const struct values *values = work->values;
    HF_TRY(find_serial(work));
    if (values->csr && values->key_type) {
        return hf_fail(HF_E_USAGE, "--csr and --key-type exclude each other");
    }
    HF_TRY(hf_ca_files_init(&work->files, &values->files, work->serial));
    if (values->csr) {
        HF_TRY(hf_file_read(values->csr, &work->csr));
        work->op.ask.csr = hf_buf_bytes(&work->csr);
        work->op.ask.csr_label = values->csr;
    }
    work->op.which.serial = work->serial;
    work->op.ask.key_type = values->key_type;
    work->op.ask.authority = values->authority;
    work->op.ask.lifetime_s = values->lifetime_ms / 1000;
    work->op.revoke_old = values->revoke_old;
    work->op.made = on_made;
    HF_TRY(hf_ca_cli_open(&values->ca, &work->service));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    HF_TRY(hf_outputs_publish(&work->files.outputs));
    return hf_ca_files_tell(work->cli, &work->files, &work->op, values->ca.json);
}

static enum hf_exit run(struct hf_cli *cli, const void *given, enum hf_ca_verb verb)
{
    HF_CLEANUP(work_done)
    struct work work = {
        .cli = cli, .values = given, .op = {.verb = verb}, .csr = HF_BUF_INIT(FILE_CAP)};
    enum hf_err err = renew(&work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_renew(struct hf_cli *cli, const void *given)
{
    return run(cli, given, HF_CA_VERB_RENEW);
}

static enum hf_exit run_rekey(struct hf_cli *cli, const void *given)
{
    return run(cli, given, HF_CA_VERB_REKEY);
}

const struct hf_command hf_cmd_ca_renew = {
    .name = "renew",
    .summary = "renew a certificate: the same names and key, new dates",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Issues a certificate with the names and the key of an earlier one, by the profile as "
             "it is now. The old one stays good until it ends. One that is revoked or on hold "
             "isn't renewed.",
    .example = "handfast ca renew --dir ca --cert server.pem --out server --force\n"
               "handfast ca renew --dir ca 5f1c0a... --lifetime 30d --out server\n",
    HF_OPTIONS(renew_options),
    .values_size = sizeof(struct values),
    .run = run_renew,
};

const struct hf_command hf_cmd_ca_rekey = {
    .name = "rekey",
    .summary = "renew a certificate with another key",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Issues a certificate with the names of an earlier one and a new key, which is made "
             "here or comes in a request. With --revoke-old the old one is revoked in the same "
             "step: live sessions with it end.",
    .example = "handfast ca rekey --dir ca --cert alice.pem --out alice-2\n"
               "handfast ca rekey --dir ca --cert alice.pem --csr new.csr --revoke-old\n",
    HF_OPTIONS(rekey_options),
    .values_size = sizeof(struct values),
    .run = run_rekey,
};
