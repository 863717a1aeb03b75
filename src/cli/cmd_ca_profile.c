// SPDX-License-Identifier: Apache-2.0
/* `ca profile list|show|check|put|remove`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/cert_profile.h"
#include "cli/ca_open.h"
#include "cli/table.h"
#include "os/file.h"

struct values {
    struct hf_ca_values ca;
};

static const struct hf_option options[] = {
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* --- List --------------------------------------------------------------------------------------
 */

struct listing {
    struct hf_table table;
    json_t *array;
};

static void listing_done(struct listing *listing)
{
    hf_table_done(&listing->table);
    json_decref(listing->array);
}

static enum hf_err add(struct listing *listing, const struct hf_cert_profile *profile,
                       const char *from)
{
    char lifetime[40];
    hf_format_duration(profile->lifetime_s * 1000, lifetime, sizeof(lifetime));
    hf_table_cell(&listing->table, profile->name);
    hf_table_cell(&listing->table, from);
    hf_table_cell(&listing->table, lifetime);
    hf_table_cell(&listing->table, profile->about);
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:s}", "name", profile->name, "from", from, "lifetime",
                  (json_int_t)profile->lifetime_s, "about", profile->about);
    return json_array_append_new(listing->array, object) == 0
               ? HF_OK
               : hf_fail(HF_E_NOMEM, "out of memory");
}

static enum hf_err add_own(void *ctx, const struct hf_store_profile *row)
{
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    HF_CLEANUP(hf_cert_profile_unrefp) struct hf_cert_profile *profile = NULL;
    HF_TRY(hf_cert_profile_parse(hf_bytes_str(row->yaml), row->name, &findings, &profile));
    return add(ctx, profile, "store");
}

static enum hf_err list(struct hf_cli *cli, const struct values *values, struct listing *listing)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    HF_TRY(hf_store_profiles(store, add_own, listing));
    for (size_t i = 0; hf_cert_profile_words[i]; i++) {
        HF_CLEANUP(hf_cert_profile_unrefp) struct hf_cert_profile *profile = NULL;
        HF_TRY(hf_cert_profile_builtin(hf_cert_profile_words[i], &profile));
        HF_TRY(add(listing, profile, "built in"));
    }
    return values->ca.json ? hf_cli_json(cli, HF_TAKE(listing->array))
                           : hf_table_print(&listing->table, cli->out);
}

static enum hf_exit run_list(struct hf_cli *cli, const void *given)
{
    static const struct hf_column columns[] = {{"PROFILE", HF_COLUMN_LEFT},
                                               {"FROM", HF_COLUMN_LEFT},
                                               {"LIFETIME", HF_COLUMN_RIGHT},
                                               {"ABOUT", HF_COLUMN_LEFT}};
    HF_CLEANUP(listing_done) struct listing listing = {.array = json_array()};
    hf_table_init(&listing.table, columns, HF_N_ELEMENTS(columns));
    enum hf_err err = list(cli, given, &listing);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- Show --------------------------------------------------------------------------------------
 */

static enum hf_err tell_yaml(struct hf_cli *cli, bool json, const char *name, const char *yaml)
{
    if (json) {
        return hf_cli_json(cli, json_pack("{s:s, s:s}", "name", name, "yaml", yaml));
    }
    fputs(yaml, cli->out);
    return HF_OK;
}

struct showing {
    struct hf_cli *cli;
    bool json;
};

static enum hf_err show_row(void *ctx, const struct hf_store_profile *row)
{
    const struct showing *showing = ctx;
    return tell_yaml(showing->cli, showing->json, row->name, row->yaml);
}

static enum hf_err show(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    struct showing showing = {cli, values->ca.json};
    const char *name = cli->args[0];
    const char *builtin = hf_cert_profile_builtin_yaml(name);
    enum hf_err err = HF_E_NOT_FOUND;
    if (values->ca.dir || values->ca.store) { /* those built in are everywhere */
        HF_TRY(hf_ca_store_open(&values->ca, &store));
        err = hf_store_profile(store, name, show_row, &showing);
    }
    if (err == HF_E_NOT_FOUND) {
        return builtin ? tell_yaml(cli, values->ca.json, name, builtin)
                       : hf_fail(err, "there is no profile \"%.64s\"", name);
    }
    return err;
}

static enum hf_exit run_show(struct hf_cli *cli, const void *given)
{
    enum hf_err err = show(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- Check and put -----------------------------------------------------------------------------
 */

static enum hf_err parse_file(struct hf_cli *cli, const char *path, struct hf_buf *yaml,
                              struct hf_cert_profile **out)
{
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    HF_TRY(hf_file_read(path, yaml));
    enum hf_err err = hf_cert_profile_parse(hf_buf_bytes(yaml), path, &findings, out);
    hf_cli_print_findings(cli->err, &findings);
    return err;
}

static enum hf_err check(struct hf_cli *cli, bool json)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(HF_PROFILE_YAML_MAX);
    HF_CLEANUP(hf_cert_profile_unrefp) struct hf_cert_profile *profile = NULL;
    HF_TRY(parse_file(cli, cli->args[0], &yaml, &profile));
    if (json) {
        return hf_cli_json(cli, json_pack("{s:s}", "name", profile->name));
    }
    fprintf(cli->out, "%s: the profile \"%s\" is good\n", cli->args[0], profile->name);
    return HF_OK;
}

static enum hf_err put(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf yaml = HF_BUF_INIT(HF_PROFILE_YAML_MAX);
    HF_CLEANUP(hf_cert_profile_unrefp) struct hf_cert_profile *profile = NULL;
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    char actor[HF_CA_ACTOR_SIZE];
    HF_TRY(parse_file(cli, cli->args[0], &yaml, &profile));
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    hf_ca_actor(actor);
    struct hf_store_profile_put write = {
        .op = {.kind = HF_STORE_PROFILE_PUT, .actor = actor},
        .profile = {.name = profile->name, .yaml = hf_buf_cstr(&yaml)},
    };
    HF_TRY(hf_store_do(store, &write.op));
    if (values->ca.json) {
        return hf_cli_json(cli, json_pack("{s:s, s:I}", "name", profile->name, "version",
                                          (json_int_t)write.profile.version));
    }
    fprintf(cli->out, "the profile \"%s\" is in the store, version %lld\n", profile->name,
            (long long)write.profile.version);
    return HF_OK;
}

static enum hf_err remove_one(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    char actor[HF_CA_ACTOR_SIZE];
    hf_ca_actor(actor);
    struct hf_store_profile_remove write = {.op = {.kind = HF_STORE_PROFILE_REMOVE, .actor = actor},
                                            .name = cli->args[0]};
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    HF_TRY(hf_store_do(store, &write.op));
    if (values->ca.json) {
        return hf_cli_json(cli, json_pack("{s:s}", "name", cli->args[0]));
    }
    fprintf(cli->out, "the profile \"%s\" is removed\n", cli->args[0]);
    return HF_OK;
}

static enum hf_exit run_check(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    enum hf_err err = check(cli, values->ca.json);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_put(struct hf_cli *cli, const void *given)
{
    enum hf_err err = put(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_remove(struct hf_cli *cli, const void *given)
{
    enum hf_err err = remove_one(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- The commands ------------------------------------------------------------------------------
 */

static const struct hf_option check_options[] = {HF_CA_OPTIONS_JSON(struct values, ca)};

static const struct hf_command list_command = {
    .name = "list",
    .summary = "list the profiles, one's own and those built in",
    .example = "handfast ca profile list --dir ca\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_list,
};

static const struct hf_command show_command = {
    .name = "show",
    .summary = "print a profile as YAML, to begin one's own with",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .example = "handfast ca profile show server\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_show,
};

static const struct hf_command check_command = {
    .name = "check",
    .summary = "check a profile's file",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .example = "handfast ca profile check laptop.yaml\n",
    HF_OPTIONS(check_options),
    .values_size = sizeof(struct values),
    .run = run_check,
};

static const struct hf_command put_command = {
    .name = "put",
    .summary = "add a profile, or replace it",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .about = "Puts a profile into the store, from where every node takes it within a second. One "
             "of the same name as one built in takes its place.",
    .example = "handfast ca profile put --dir ca laptop.yaml\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_put,
};

static const struct hf_command remove_command = {
    .name = "remove",
    .summary = "remove a profile of one's own",
    .args = "NAME",
    .min_args = 1,
    .max_args = 1,
    .example = "handfast ca profile remove --dir ca laptop\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_remove,
};

static const struct hf_command *const below[] = {&list_command, &show_command,   &check_command,
                                                 &put_command,  &remove_command, NULL};

const struct hf_command hf_cmd_ca_profile = {
    .name = "profile",
    .summary = "what certificates look like, and who may have them",
    .about = "docs/ca-profiles.md describes the file.",
    .example = "handfast ca profile show device > laptop.yaml\n"
               "handfast ca profile put --dir ca laptop.yaml\n",
    .below = below,
};
