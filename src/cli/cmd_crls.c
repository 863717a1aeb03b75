// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/crl_table.h"
#include "cli/table.h"

struct values {
    struct hf_admin_values admin;
    bool fetch;
};

static const struct hf_option options[] = {
    {.name = "fetch",
     .kind = HF_OPT_SWITCH,
     .doc = "ask all URLs now, and don't wait for the answers",
     .offset = offsetof(struct values, fetch)},
    HF_ADMIN_OPTIONS(struct values, admin),
};

static const struct hf_column url_columns[] = {{"URL", HF_COLUMN_LEFT},
                                               {"LISTS", HF_COLUMN_RIGHT},
                                               {"CONFIRMED", HF_COLUMN_LEFT},
                                               {"NEXT", HF_COLUMN_LEFT},
                                               {"ERROR", HF_COLUMN_LEFT}};

/* "-" where there is no such text. */
static void text_cell(struct hf_table *table, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    hf_table_cell(table, text ? text : "-");
}

static enum hf_err print_urls(struct hf_cli *cli, const json_t *urls)
{
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t at;
    const json_t *url;
    if (json_array_size(urls) == 0) {
        return HF_OK;
    }
    fputc('\n', cli->out);
    hf_table_init(&table, url_columns, HF_N_ELEMENTS(url_columns));
    json_array_foreach(urls, at, url)
    {
        text_cell(&table, url, "url");
        hf_table_cell_fmt(&table, "%lld", hf_json_number(url, "lists"));
        text_cell(&table, url, "confirmed_at");
        text_cell(&table, url, "next_at");
        text_cell(&table, url, "error");
    }
    return hf_table_print(&table, cli->out);
}

static enum hf_err print(struct hf_cli *cli, const struct values *values, const json_t *answer)
{
    if (values->fetch) {
        fprintf(cli->out, "%lld URLs are asked\n", hf_json_number(answer, "urls"));
        return HF_OK;
    }
    HF_TRY(hf_print_lists(cli, json_object_get(answer, "lists")));
    return print_urls(cli, json_object_get(answer, "urls"));
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = hf_admin_ask(cli, &values->admin, values->fetch ? "POST" : "GET",
                                   values->fetch ? "/crls/fetch" : "/crls", &answer);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    if (values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (answer.status / 100 != 2) {
        hf_cli_say(cli, "error: %s", hf_json_text(answer.json, "message"));
        return HF_EXIT_PROBLEM;
    }
    err = print(cli, values, answer.json);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_crls = {
    .name = "crls",
    .summary = "show the revocation lists that a running daemon judges by",
    .about =
        "Prints every revocation list in force, by trust: whose it is, its number, how old it "
        "is, until when it is good and where it came from; and the URLs that lists are fetched "
        "from, when they last answered, and what failed.",
    .example = "handfast crls\n"
               "handfast crls --json\n"
               "handfast crls --fetch\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
