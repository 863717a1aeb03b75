// SPDX-License-Identifier: Apache-2.0
/* `ca requests`, `ca approve`, `ca deny`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_files.h"
#include "cli/ca_listing.h"

struct values {
    struct hf_ca_values ca;
    struct hf_ca_file_values files;
    const char *note, *state;
    bool all;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

/* --- Listing -----------------------------------------------------------------------------------
 */

static const struct hf_option list_options[] = {
    OPTION("all", HF_OPT_SWITCH, NULL, all, .doc = "those that were decided, too"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static enum hf_err add_row(void *ctx, const struct hf_store_request *row)
{
    struct hf_ca_listing *listing = ctx;
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(row->created_at, when);
    HF_TRY(hf_ca_listing_add(listing, row->id, hf_row_request(row)));
    hf_table_cell_fmt(&listing->table, "%lld", (long long)row->id);
    hf_table_cell(&listing->table, hf_store_request_state_name(row->state));
    hf_table_cell(&listing->table, row->profile);
    hf_table_cell(&listing->table, row->identity);
    hf_table_cell(&listing->table, row->requester);
    hf_table_cell(&listing->table, when);
    return HF_OK;
}

static enum hf_err page(struct hf_ca_listing *listing, struct hf_store *store, size_t limit)
{
    const struct values *values = listing->values;
    return hf_store_requests(store, values->all ? -1 : HF_REQUEST_PENDING, listing->last, limit,
                             add_row, listing);
}

static enum hf_exit run_list(struct hf_cli *cli, const void *given)
{
    static const struct hf_column columns[] = {
        {"ID", HF_COLUMN_RIGHT},  {"STATE", HF_COLUMN_LEFT},    {"PROFILE", HF_COLUMN_LEFT},
        {"NAME", HF_COLUMN_LEFT}, {"ASKED BY", HF_COLUMN_LEFT}, {"SINCE", HF_COLUMN_LEFT},
    };
    static const struct hf_ca_listing_kind kind = {columns, HF_N_ELEMENTS(columns),
                                                   "no request is waiting", page};
    const struct values *values = given;
    return hf_ca_listing_run(cli, &kind, &values->ca, values);
}

const struct hf_command hf_cmd_ca_requests = {
    .name = "requests",
    .summary = "list the requests that wait for a person",
    .about = "Lists requests for certificates whose profile wants a person to approve.",
    .example = "handfast ca requests --dir ca\n",
    HF_OPTIONS(list_options),
    .values_size = sizeof(struct values),
    .run = run_list,
};

/* --- Deciding ----------------------------------------------------------------------------------
 */

static const struct hf_option approve_options[] = {
    OPTION("note", HF_OPT_TEXT, "TEXT", note, .doc = "kept with the request"),
    OPTION("out", HF_OPT_TEXT, "PREFIX", files.out,
           .doc = "also write PREFIX.pem; who asked fetches it in any case"),
    OPTION("force", HF_OPT_SWITCH, NULL, files.force, .doc = "replace PREFIX.pem if it exists"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option deny_options[] = {
    OPTION("note", HF_OPT_TEXT, "TEXT", note, .doc = "why; who asked is told"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_ca_op op;
    struct hf_ca_files files;
};

static void work_done(struct work *work)
{
    hf_ca_op_done(&work->op);
    hf_ca_service_close(work->service);
    hf_ca_files_done(&work->files);
}

static enum hf_err on_made(struct hf_ca_op *op)
{
    struct work *work = HF_CONTAINER_OF(op, struct work, op);
    return work->values->files.out ? hf_ca_files_add(&work->files, op) : HF_OK;
}

static enum hf_err decide(struct work *work)
{
    const struct values *values = work->values;
    HF_TRY(hf_ca_files_init(&work->files, &values->files, "certificate"));
    work->op.request = work->cli->args[0];
    work->op.note = values->note;
    work->op.made = on_made;
    HF_TRY(hf_ca_cli_open(&values->ca, &work->service));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    HF_TRY(hf_outputs_publish(&work->files.outputs));
    if (work->op.identity) {
        return hf_ca_files_tell(work->cli, &work->files, &work->op, values->ca.json);
    }
    if (values->ca.json) {
        return hf_cli_json(work->cli,
                           json_pack("{s:s, s:s}", "request", work->op.id, "text", work->op.text));
    }
    fprintf(work->cli->out, "%s\n", work->op.text);
    return HF_OK;
}

static enum hf_exit run_decide(struct hf_cli *cli, const void *given, enum hf_ca_verb verb)
{
    HF_CLEANUP(work_done) struct work work = {.cli = cli, .values = given, .op = {.verb = verb}};
    enum hf_err err = decide(&work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_approve(struct hf_cli *cli, const void *given)
{
    return run_decide(cli, given, HF_CA_VERB_APPROVE);
}

static enum hf_exit run_deny(struct hf_cli *cli, const void *given)
{
    return run_decide(cli, given, HF_CA_VERB_DENY);
}

const struct hf_command hf_cmd_ca_approve = {
    .name = "approve",
    .summary = "approve a request, which issues its certificate",
    .args = "ID",
    .min_args = 1,
    .max_args = 1,
    .about = "Approves a request of `handfast ca requests` and issues its certificate in the same "
             "step, by the profile as it is now.",
    .example = "handfast ca approve --dir ca 17 --note 'seen the device'\n",
    HF_OPTIONS(approve_options),
    .values_size = sizeof(struct values),
    .run = run_approve,
};

const struct hf_command hf_cmd_ca_deny = {
    .name = "deny",
    .summary = "deny a request",
    .args = "ID",
    .min_args = 1,
    .max_args = 1,
    .about = "Denies a request of `handfast ca requests`. Nothing is issued for it any more.",
    .example = "handfast ca deny --dir ca 17 --note 'not one of ours'\n",
    HF_OPTIONS(deny_options),
    .values_size = sizeof(struct values),
    .run = run_deny,
};
