// SPDX-License-Identifier: Apache-2.0
/* `ca rotate start|status|finish`. */
#include <stdio.h>

#include "base/mem.h"
#include "ca/rotate.h"
#include "cli/ca_open.h"
#include "os/clock.h"

struct values {
    struct hf_ca_values ca;
    const char *key_type, *root;
    int64_t root_lifetime_ms, issuing_lifetime_ms;
    bool issuing_only, no_cross, force;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option start_options[] = {
    OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type,
           .doc = "of the new CAs' keys (default: those of the old ones)"),
    OPTION("root-lifetime", HF_OPT_DURATION, "TIME", root_lifetime_ms,
           .doc = "how long the new root is valid (default: 3650d)"),
    OPTION("issuing-lifetime", HF_OPT_DURATION, "TIME", issuing_lifetime_ms,
           .doc = "how long the new issuing CA is valid (default: 1095d)"),
    OPTION("issuing-only", HF_OPT_SWITCH, NULL, issuing_only,
           .doc = "a new issuing CA below the same root"),
    OPTION("no-cross-sign", HF_OPT_SWITCH, NULL, no_cross,
           .doc = "the old root doesn't sign the new one: who knows only the old root refuses new "
                  "certificates"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option status_options[] = {
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option finish_options[] = {
    OPTION("root", HF_OPT_TEXT, "NAME", root,
           .doc = "which root to give up (default: the one that has a successor)"),
    OPTION("force", HF_OPT_SWITCH, NULL, force,
           .doc = "even while certificates below it are good; they stop working where the root is "
                  "taken out"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* --- Status ------------------------------------------------------------------------------------
 */

static json_t *root_value(const struct hf_rotate_root *root)
{
    json_t *object = hf_row_authority(root->root);
    if (object) {
        (void)json_object_set_new(object, "successor",
                                  root->successor ? json_string(root->successor->name)
                                                  : json_null());
        (void)json_object_set_new(object, "good", json_integer(root->good));
        (void)json_object_set_new(object, "renewed", json_integer(root->renewed));
        (void)json_object_set_new(object, "seen", json_integer(root->seen));
        (void)json_object_set_new(object, "last_ends", hf_row_when(root->last_ends));
    }
    return object;
}

static void print_root(FILE *out, const struct hf_rotate_root *root)
{
    char ends[HF_CLI_WHEN_SIZE];
    const struct hf_authority *one = root->root;
    hf_cli_when(root->last_ends, hf_clock_wall_s(&hf_os_clock), ends);
    fprintf(out, "%s%s%s\n", one->name,
            one->settings.distrusted ? "  (not handed out any more)"
            : root->successor        ? "  to be given up, for "
                                     : "",
            root->successor && !one->settings.distrusted ? root->successor->name : "");
    fprintf(out, "  good certificates below it  %lld\n", (long long)root->good);
    if (root->good) {
        fprintf(out, "  of them renewed by now      %lld\n", (long long)root->renewed);
        fprintf(out, "  of them %-18s  %lld\n", root->successor ? "seen since then" : "seen",
                (long long)root->seen);
        fprintf(out, "  the last of them ends       %s\n", ends);
    }
}

static enum hf_err tell(struct hf_cli *cli, struct hf_ca_service *service, bool json)
{
    HF_CLEANUP(hf_rotate_status_done) struct hf_rotate_status status = {0};
    HF_TRY(hf_rotate_status(service, &status));
    if (json) {
        json_t *array = json_array();
        for (size_t i = 0; i < status.n_roots; i++) {
            (void)json_array_append_new(array, root_value(&status.roots[i]));
        }
        return hf_cli_json(cli, json_pack("{s:o}", "roots", array));
    }
    for (size_t i = 0; i < status.n_roots; i++) {
        print_root(cli->out, &status.roots[i]);
    }
    return HF_OK;
}

/* --- The steps ---------------------------------------------------------------------------------
 */

static enum hf_err start(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    char actor[HF_CA_ACTOR_SIZE];
    const struct hf_rotate_plan plan = {
        .key_type = values->key_type,
        .root_lifetime_s = values->root_lifetime_ms / 1000,
        .issuing_lifetime_s = values->issuing_lifetime_ms / 1000,
        .issuing_only = values->issuing_only,
        .no_cross = values->no_cross,
    };
    hf_ca_actor(actor);
    HF_TRY(hf_ca_cli_open(&values->ca, &service));
    HF_TRY(hf_rotate_start(service, actor, &plan));
    HF_TRY(hf_ca_folder_roots(&values->ca, service));
    if (!values->ca.json && !values->issuing_only) {
        fprintf(cli->out,
                "the rotation has begun: certificates now come from the new CA\n"
                "  1. hand out both roots%s%s%s\n"
                "  2. have certificates renewed, or wait until they are\n"
                "  3. handfast ca rotate finish, when status shows none below the old root\n",
                values->ca.dir ? ": " : "", values->ca.dir ? values->ca.dir : "",
                values->ca.dir ? "/root.pem" : " (handfast ca authority roots)");
    }
    return tell(cli, service, values->ca.json);
}

static enum hf_err status(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    HF_TRY(hf_ca_cli_open(&values->ca, &service));
    return tell(cli, service, values->ca.json);
}

static enum hf_err finish(struct hf_cli *cli, const struct values *values)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    HF_CLEANUP(hf_freep) char *name = NULL;
    char actor[HF_CA_ACTOR_SIZE];
    hf_ca_actor(actor);
    HF_TRY(hf_ca_cli_open(&values->ca, &service));
    HF_TRY(hf_rotate_finish(service, actor, values->root, values->force, &name));
    HF_TRY(hf_ca_folder_roots(&values->ca, service));
    if (values->ca.json) {
        return tell(cli, service, true);
    }
    fprintf(cli->out, "the root \"%s\" is given up; hand out the others%s%s%s\n", name,
            values->ca.dir ? ": " : "", values->ca.dir ? values->ca.dir : "",
            values->ca.dir ? "/root.pem" : "");
    return HF_OK;
}

static enum hf_exit run_start(struct hf_cli *cli, const void *given)
{
    enum hf_err err = start(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_status(struct hf_cli *cli, const void *given)
{
    enum hf_err err = status(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_finish(struct hf_cli *cli, const void *given)
{
    enum hf_err err = finish(cli, given);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- The commands ------------------------------------------------------------------------------
 */

static const struct hf_command start_command = {
    .name = "start",
    .summary = "make the next root and go over to it",
    .about = "Makes a new root and an issuing CA below it, has the old root cross-sign the new "
             "one, and issues from the new CA from then on. Chains lead to both roots, so that "
             "nobody is locked out while the new root is handed out. A start that was interrupted "
             "goes on where it stopped.",
    .example = "handfast ca rotate start --dir ca\n"
               "handfast ca rotate start --dir ca --issuing-only\n",
    HF_OPTIONS(start_options),
    .values_size = sizeof(struct values),
    .run = run_start,
};

static const struct hf_command status_command = {
    .name = "status",
    .summary = "count what is left below each root",
    .about = "Shows for each root how many certificates below it are good, how many of those have "
             "been renewed already, and how many were seen by the proxies.",
    .example = "handfast ca rotate status --dir ca\n",
    HF_OPTIONS(status_options),
    .values_size = sizeof(struct values),
    .run = run_status,
};

static const struct hf_command finish_command = {
    .name = "finish",
    .summary = "give the old root up",
    .about = "Takes the old root out of the roots that are handed out, and its cross-signature out "
             "of the chains. Refused while certificates below it are good.",
    .example = "handfast ca rotate finish --dir ca\n",
    HF_OPTIONS(finish_options),
    .values_size = sizeof(struct values),
    .run = run_finish,
};

static const struct hf_command *const below[] = {&start_command, &status_command, &finish_command,
                                                 NULL};

const struct hf_command hf_cmd_ca_rotate = {
    .name = "rotate",
    .summary = "replace a root, step by step and without an outage",
    .example = "handfast ca rotate start --dir ca\n"
               "handfast ca rotate status --dir ca\n"
               "handfast ca rotate finish --dir ca\n",
    .below = below,
};
