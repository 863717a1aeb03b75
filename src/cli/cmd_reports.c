// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/table.h"

struct values {
    struct hf_admin_values admin;
};

static const struct hf_option options[] = {HF_ADMIN_OPTIONS(struct values, admin)};

static const struct hf_column columns[] = {
    {"LISTENER", HF_COLUMN_LEFT}, {"CLIENT", HF_COLUMN_LEFT}, {"CODE", HF_COLUMN_LEFT},
    {"TIMES", HF_COLUMN_RIGHT},   {"LAST", HF_COLUMN_LEFT},   {"PEER", HF_COLUMN_LEFT},
    {"ID", HF_COLUMN_LEFT},
};

static enum hf_err print(struct hf_cli *cli, const json_t *answer)
{
    const json_t *reports = json_object_get(answer, "reports");
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t index;
    const json_t *row;
    if (json_array_size(reports) == 0) {
        fputs("nobody would have been refused\n", cli->out);
        return HF_OK;
    }
    hf_table_init(&table, columns, HF_N_ELEMENTS(columns));
    json_array_foreach(reports, index, row)
    {
        hf_table_cell(&table, hf_json_text(row, "listener"));
        hf_table_cell(&table, hf_json_text(row, "client"));
        hf_table_cell(&table, hf_json_text(row, "code"));
        hf_table_cell_fmt(&table, "%lld", hf_json_number(row, "times"));
        hf_table_cell(&table, hf_json_text(row, "last"));
        hf_table_cell(&table, hf_json_text(row, "peer"));
        hf_table_cell(&table, hf_json_text(row, "id"));
    }
    HF_TRY(hf_table_print(&table, cli->out));
    if (hf_json_number(answer, "forgotten")) {
        fprintf(cli->out, "and %lld more, not seen for longer than these\n",
                hf_json_number(answer, "forgotten"));
    }
    return HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = hf_admin_ask(cli, &values->admin, "GET", "/reports", &answer);
    if (err == HF_OK && values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    err = err == HF_OK ? print(cli, answer.json) : err;
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_reports = {
    .name = "reports",
    .summary = "show whom listeners with report-only would refuse",
    .about = "A listener with `report-only: true` lets everybody in and reports whom it would have "
             "refused, and why. This lists them by client, the last seen first, since the daemon "
             "began; `handfast explain ID` tells one in full. When nobody is left whom you would "
             "miss, take report-only out.",
    .example = "handfast reports\n"
               "handfast reports -c handfast.yaml --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
