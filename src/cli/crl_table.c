// SPDX-License-Identifier: Apache-2.0
#include "cli/crl_table.h"

#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/table.h"

static const struct hf_column list_columns[] = {
    {"TRUST", HF_COLUMN_LEFT}, {"ISSUER", HF_COLUMN_LEFT},   {"NUMBER", HF_COLUMN_RIGHT},
    {"KIND", HF_COLUMN_LEFT},  {"ENTRIES", HF_COLUMN_RIGHT}, {"AGE", HF_COLUMN_LEFT},
    {"STATE", HF_COLUMN_LEFT}, {"UNTIL", HF_COLUMN_LEFT},    {"SOURCE", HF_COLUMN_LEFT}};

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* "-" where there is no such text. */
static void text_cell(struct hf_table *table, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    hf_table_cell(table, text ? text : "-");
}

static void list_row(struct hf_table *table, const json_t *list)
{
    char age[32];
    long long age_s = hf_json_number(list, "age_s");
    hf_format_duration(age_s > 0 ? age_s * 1000 : 0, age, sizeof(age));
    text_cell(table, list, "trust");
    text_cell(table, list, "issuer");
    text_cell(table, list, "number");
    hf_table_cell_fmt(table, "%s%s", is_true(list, "delta") ? "delta" : "full",
                      is_true(list, "shard") ? ", shard" : "");
    hf_table_cell_fmt(table, "%lld", hf_json_number(list, "entries"));
    hf_table_cell(table, age);
    text_cell(table, list, "state");
    text_cell(table, list, "next_update");
    text_cell(table, list, "source");
}

enum hf_err hf_print_lists(struct hf_cli *cli, const json_t *lists)
{
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t at;
    const json_t *list;
    hf_table_init(&table, list_columns, HF_N_ELEMENTS(list_columns));
    json_array_foreach(lists, at, list)
    {
        list_row(&table, list);
    }
    return hf_table_print(&table, cli->out);
}
