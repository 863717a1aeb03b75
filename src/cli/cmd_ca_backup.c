// SPDX-License-Identifier: Apache-2.0
/* `ca backup` and `ca restore`. */
#include <stdio.h>

#include "ca/store_backup.h"
#include "cli/ca_target.h"
#include "os/file.h"

enum { CRL_MAX = 512 << 20 };

struct values {
    struct hf_ca_values ca;
    const char *out, *from;
    struct hf_texts crl;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option backup_options[] = {
    OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "the file to make", .required = true),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option restore_options[] = {
    OPTION("from", HF_OPT_TEXT, "FILE", from, .doc = "the backup", .required = true),
    OPTION("crl", HF_OPT_TEXTS, "FILE", crl,
           .doc = "a CRL that this CA published after the backup: what is on it stays revoked; may "
                  "be given several times"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* --- Backup and restore ------------------------------------------------------------------------
 */

static enum hf_err backup(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    HF_TRY(hf_store_backup(store, values->out));
    if (values->ca.json) {
        return hf_cli_json(cli, json_pack("{s:s}", "file", values->out));
    }
    fprintf(cli->out, "wrote %s\n", values->out);
    return HF_OK;
}

static enum hf_err adopt(struct hf_store *store, const struct values *values, const char *actor,
                         int64_t *out_n)
{
    for (size_t i = 0; i < values->crl.n; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf crl = HF_BUF_INIT(CRL_MAX);
        int64_t n = 0;
        HF_TRY(hf_file_read(values->crl.item[i], &crl));
        HF_TRY(hf_store_adopt_crl(store, hf_buf_bytes(&crl), values->crl.item[i], 0, actor, &n));
        *out_n += n;
    }
    return HF_OK;
}

static enum hf_err restore(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_target_done) struct hf_ca_target target = HF_CA_TARGET_NONE;
    struct hf_store_restored restored = {0};
    char actor[HF_CA_ACTOR_SIZE];
    int64_t n_adopted = 0;
    hf_ca_actor(actor);
    HF_TRY(hf_ca_target_open(&values->ca, &target));
    HF_TRY(hf_store_restore(target.store, values->from, actor, &restored));
    HF_TRY(adopt(target.store, values, actor, &n_adopted));
    HF_TRY(hf_ca_target_finish(&values->ca, &target));
    if (values->ca.json) {
        return hf_cli_json(
            cli, json_pack("{s:b, s:I, s:I, s:I, s:I}", "merged", (int)restored.merged,
                           "certificates", (json_int_t)restored.certificates, "revocations",
                           (json_int_t)restored.revocations, "kept", (json_int_t)restored.kept,
                           "from_crls", (json_int_t)n_adopted));
    }
    fprintf(cli->out, "restored %lld certificates and %lld revocations%s\n",
            (long long)restored.certificates, (long long)restored.revocations,
            restored.merged ? "; what was in the store was kept" : "");
    if (values->crl.n) {
        fprintf(cli->out, "revoked %lld more, by the CRLs\n", (long long)n_adopted);
    } else if (!restored.merged) {
        hf_cli_say(cli, "what was revoked after the backup isn't known; --crl takes it from a CRL "
                        "that was published since");
    }
    return HF_OK;
}

static enum hf_exit run_backup(struct hf_cli *cli, const void *given)
{
    enum hf_err err = backup(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_restore(struct hf_cli *cli, const void *given)
{
    enum hf_err err = restore(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- The commands ------------------------------------------------------------------------------
 */

const struct hf_command hf_cmd_ca_backup = {
    .name = "backup",
    .summary = "copy the whole store into a file, while it is in use",
    .about = "Makes one file with everything, keys included as the store has them (encrypted ones "
             "stay encrypted). It may be restored into SQLite or PostgreSQL.",
    .example = "handfast ca backup --dir ca --out ca-$(date +%F).backup\n",
    HF_OPTIONS(backup_options),
    .values_size = sizeof(struct values),
    .run = run_backup,
};

const struct hf_command hf_cmd_ca_restore = {
    .name = "restore",
    .summary = "take a backup back, without forgetting a revocation",
    .about = "Into a folder that isn't there yet, or an empty database, everything is restored, "
             "and CRL numbers rise so that none comes twice. Into the CA that the backup is of, "
             "only what it lacks is added: nothing that was revoked becomes good again.",
    .example = "handfast ca restore --dir ca --from ca-2026-11-20.backup --crl published.crl\n",
    HF_OPTIONS(restore_options),
    .values_size = sizeof(struct values),
    .run = run_restore,
};
