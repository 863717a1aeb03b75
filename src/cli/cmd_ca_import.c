// SPDX-License-Identifier: Apache-2.0
/* `ca import` and `ca export`: other programs' CAs. */
#include <stdio.h>

#include "ca/store_import.h"
#include "cli/ca_target.h"
#include "cli/passphrase.h"

struct values {
    struct hf_ca_values ca;
    const char *out, *from, *authority, *name;
    struct hf_passphrase_from from_passphrase;
    bool without_key;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option export_options[] = {
    OPTION("out", HF_OPT_TEXT, "FOLDER", out, .doc = "the folder to make", .required = true),
    OPTION("authority", HF_OPT_TEXT, "NAME", authority,
           .doc = "whose certificates (default: the CA that issues)"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option import_options[] = {
    OPTION("from", HF_OPT_TEXT, "PATH", from,
           .doc = "a folder of easy-rsa, of `openssl ca`, of an older handfast, or the JSON of "
                  "`step-ca export`",
           .required = true),
    OPTION("name", HF_OPT_TEXT, "NAME", name,
           .doc = "what the CA is called here (default: from its own name)"),
    OPTION("from-passphrase-file", HF_OPT_TEXT, "FILE", from_passphrase.file,
           .doc = "opens the old CA's key: the first line of FILE"),
    OPTION("from-passphrase-env", HF_OPT_TEXT, "VARIABLE", from_passphrase.env,
           .doc = "opens it: what the environment variable holds"),
    OPTION("without-key", HF_OPT_SWITCH, NULL, without_key, .doc = "leave its key where it is"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* --- Export and import -------------------------------------------------------------------------
 */

static enum hf_err export_one(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    int64_t n = 0;
    HF_TRY(hf_ca_cli_open(&values->ca, &service));
    struct hf_authorities *set = hf_ca_authorities(service);
    const struct hf_authority *one = values->authority ? hf_authorities_find(set, values->authority)
                                                       : hf_authorities_issuing(set);
    int64_t id = one ? one->id : 0;
    hf_authorities_unref(set);
    if (!id) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"",
                       values->authority ? values->authority : "that issues");
    }
    HF_TRY(hf_store_export(hf_ca_store(service), id, values->out, &n));
    if (values->ca.json) {
        return hf_cli_json(
            cli, json_pack("{s:s, s:I}", "folder", values->out, "certificates", (json_int_t)n));
    }
    fprintf(cli->out, "wrote %lld certificates to %s\n", (long long)n, values->out);
    return HF_OK;
}

static enum hf_err tell_imported(struct hf_cli *cli, bool json,
                                 const struct hf_store_imported *imported)
{
    if (json) {
        return hf_cli_json(
            cli, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "format", imported->format,
                           "authorities", (json_int_t)imported->authorities, "keys",
                           (json_int_t)imported->keys, "certificates",
                           (json_int_t)imported->certificates, "revocations",
                           (json_int_t)imported->revocations, "known", (json_int_t)imported->known,
                           "without_file", (json_int_t)imported->without_file));
    }
    fprintf(cli->out,
            "took over from %s: %lld CAs, %lld keys, %lld certificates, %lld revocations\n",
            imported->format, (long long)imported->authorities, (long long)imported->keys,
            (long long)imported->certificates, (long long)imported->revocations);
    if (imported->without_file) {
        fprintf(cli->out, "of %lld more only the serial number is known\n",
                (long long)imported->without_file);
    }
    return HF_OK;
}

static enum hf_err import(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_target_done) struct hf_ca_target target = HF_CA_TARGET_NONE;
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text theirs = {0};
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text ours = {0};
    struct hf_store_imported imported = {0};
    char actor[HF_CA_ACTOR_SIZE];
    hf_ca_actor(actor);
    HF_TRY(hf_passphrase_read(&values->from_passphrase, &theirs));
    HF_TRY(hf_store_passphrase_read(&values->ca.passphrase, &ours));
    HF_TRY(hf_ca_target_open(&values->ca, &target));
    const struct hf_store_import what = {
        .path = values->from,
        .name = values->name,
        .passphrase = hf_passphrase_bytes(&theirs),
        .seal = hf_passphrase_bytes(&ours),
        .without_key = values->without_key,
        .actor = actor,
    };
    HF_TRY(hf_store_import(target.store, &what, &imported));
    HF_TRY(hf_ca_target_finish(&values->ca, &target));
    return tell_imported(cli, values->ca.json, &imported);
}

static enum hf_exit run_export(struct hf_cli *cli, const void *given)
{
    enum hf_err err = export_one(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_import(struct hf_cli *cli, const void *given)
{
    enum hf_err err = import(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_export = {
    .name = "export",
    .summary = "write the certificates of a CA as `openssl ca` keeps them",
    .about = "Makes a folder with cacert.pem, index.txt, newcerts, crlnumber and serial, as "
             "`openssl ca` reads them; without any key.",
    .example = "handfast ca export --dir ca --out ca-openssl\n",
    HF_OPTIONS(export_options),
    .values_size = sizeof(struct values),
    .run = run_export,
};

const struct hf_command hf_cmd_ca_import = {
    .name = "import",
    .summary = "take over a CA of easy-rsa, openssl, step-ca or an old handfast",
    .about = "Takes a CA's certificate, key, list of certificates and revocations into a store, "
             "which is made where there is none. What is in it already is passed over.",
    .example = "handfast ca import --dir ca --from /etc/openvpn/easy-rsa/pki\n"
               "handfast ca import --dir ca --from old-ca --passphrase-file ca.pass\n",
    HF_OPTIONS(import_options),
    .values_size = sizeof(struct values),
    .run = run_import,
};
