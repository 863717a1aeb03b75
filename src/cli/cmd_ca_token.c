// SPDX-License-Identifier: Apache-2.0
/* `ca token new|list|cancel`: one-time enrolment tokens. */
#include <stdio.h>

#include "base/text.h"
#include "cli/ca_listing.h"

struct values {
    struct hf_ca_values ca;
    const char *profile, *name, *note;
    int64_t lifetime_ms;
    unsigned uses;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option new_options[] = {
    OPTION("profile", HF_OPT_TEXT, "PROFILE", profile, .doc = "what it may be used to ask for",
           .required = true),
    OPTION("name", HF_OPT_TEXT, "NAME", name,
           .doc = "the one name that it may be used for (default: any that the profile allows)"),
    OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms,
           .doc = "how long it is good (default: 1h)"),
    OPTION("uses", HF_OPT_UINT, "N", uses, .doc = "how often (default: once)", .min = 1,
           .max = 1000000),
    OPTION("note", HF_OPT_TEXT, "TEXT", note, .doc = "kept with it"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option plain_options[] = {
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

struct work {
    struct hf_ca_service *service;
    struct hf_ca_op op;
};

static void work_done(struct work *work)
{
    hf_ca_op_done(&work->op);
    hf_ca_service_close(work->service);
}

/* --- New and cancel ----------------------------------------------------------------------------
 */

static enum hf_err make(struct hf_cli *cli, const struct values *values, struct work *work)
{
    work->op.verb = HF_CA_VERB_TOKEN;
    work->op.ask.profile = values->profile;
    work->op.ask.name = values->name;
    work->op.note = values->note;
    work->op.token_lifetime_s = values->lifetime_ms / 1000;
    work->op.token_uses = values->uses;
    HF_TRY(hf_ca_cli_open(&values->ca, &work->service));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    if (values->ca.json) {
        return hf_cli_json(cli,
                           json_pack("{s:s, s:s}", "id", work->op.id, "token", work->op.token));
    }
    fprintf(cli->out, "%s\n", work->op.token);
    hf_cli_say(cli, "%s; it is shown this once", work->op.text);
    return HF_OK;
}

static enum hf_err cancel(struct hf_cli *cli, const struct values *values, struct work *work)
{
    work->op.verb = HF_CA_VERB_UNTOKEN;
    work->op.request = cli->args[0];
    HF_TRY(hf_ca_cli_open(&values->ca, &work->service));
    HF_TRY(hf_ca_cli_run(work->service, &work->op));
    if (values->ca.json) {
        return hf_cli_json(cli, json_pack("{s:s, s:s}", "id", cli->args[0], "text", work->op.text));
    }
    fprintf(cli->out, "%s\n", work->op.text);
    return HF_OK;
}

static enum hf_exit run_new(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done) struct work work = {0};
    enum hf_err err = make(cli, given, &work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static enum hf_exit run_cancel(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done) struct work work = {0};
    enum hf_err err = cancel(cli, given, &work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- List --------------------------------------------------------------------------------------
 */

static enum hf_err add_row(void *ctx, const struct hf_store_token *row)
{
    struct hf_ca_listing *listing = ctx;
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(row->expires_at, when);
    HF_TRY(hf_ca_listing_add(listing, row->id, hf_row_token(row)));
    hf_table_cell_fmt(&listing->table, "%lld", (long long)row->id);
    hf_table_cell(&listing->table, row->profile);
    hf_table_cell(&listing->table, row->limits && *row->limits ? row->limits : "any");
    hf_table_cell_fmt(&listing->table, "%lld", (long long)row->uses_left);
    hf_table_cell(&listing->table, when);
    hf_table_cell(&listing->table, row->creator);
    return HF_OK;
}

static enum hf_err page(struct hf_ca_listing *listing, struct hf_store *store, size_t limit)
{
    return hf_store_tokens(store, listing->last, limit, add_row, listing);
}

static enum hf_exit run_list(struct hf_cli *cli, const void *given)
{
    static const struct hf_column columns[] = {
        {"ID", HF_COLUMN_RIGHT},   {"PROFILE", HF_COLUMN_LEFT}, {"NAME", HF_COLUMN_LEFT},
        {"USES", HF_COLUMN_RIGHT}, {"ENDS", HF_COLUMN_LEFT},    {"MADE BY", HF_COLUMN_LEFT},
    };
    static const struct hf_ca_listing_kind kind = {columns, HF_N_ELEMENTS(columns),
                                                   "there are no tokens", page};
    const struct values *values = given;
    return hf_ca_listing_run(cli, &kind, &values->ca, values);
}

/* --- The commands ------------------------------------------------------------------------------
 */

static const struct hf_command new_command = {
    .name = "new",
    .summary = "make a token",
    .about = "Prints a token, with which somebody without a certificate may ask for one over the "
             "API. The CA keeps only its hash.",
    .example = "handfast ca token new --dir ca --profile device --name sensor-17\n",
    HF_OPTIONS(new_options),
    .values_size = sizeof(struct values),
    .run = run_new,
};

static const struct hf_command list_command = {
    .name = "list",
    .summary = "list the tokens",
    .example = "handfast ca token list --dir ca\n",
    HF_OPTIONS(plain_options),
    .values_size = sizeof(struct values),
    .run = run_list,
};

static const struct hf_command cancel_command = {
    .name = "cancel",
    .summary = "cancel a token",
    .args = "ID",
    .min_args = 1,
    .max_args = 1,
    .example = "handfast ca token cancel --dir ca 3\n",
    HF_OPTIONS(plain_options),
    .values_size = sizeof(struct values),
    .run = run_cancel,
};

static const struct hf_command *const below[] = {&new_command, &list_command, &cancel_command,
                                                 NULL};

const struct hf_command hf_cmd_ca_token = {
    .name = "token",
    .summary = "one-time tokens, for who has no certificate yet",
    .example = "handfast ca token new --dir ca --profile device --name sensor-17\n",
    .below = below,
};
