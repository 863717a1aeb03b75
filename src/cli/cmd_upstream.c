// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "http/query.h"

struct values {
    struct hf_admin_values admin;
};

static const struct hf_option options[] = {HF_ADMIN_OPTIONS(struct values, admin)};

static const struct hf_column columns[] = {
    {"UPSTREAM", HF_COLUMN_LEFT}, {"SERVER", HF_COLUMN_LEFT},    {"STATE", HF_COLUMN_LEFT},
    {"WEIGHT", HF_COLUMN_RIGHT},  {"OPEN", HF_COLUMN_RIGHT},     {"ACTIVE", HF_COLUMN_RIGHT},
    {"TOTAL", HF_COLUMN_RIGHT},   {"FAILURES", HF_COLUMN_RIGHT}, {"EJECTIONS", HF_COLUMN_RIGHT},
    {"LATENCY", HF_COLUMN_RIGHT},
};

/* --- Asking -------------------------------------------------------------------------------------
 */

/* "/upstreams/drain?upstream=app&server=127.0.0.1%3A8080", of what was given */
static enum hf_err make_target(const struct hf_cli *cli, const char *path, struct hf_buf *out)
{
    static const char *const names[] = {"upstream", "server"};
    HF_TRY(hf_buf_append_str(out, path));
    for (size_t i = 0; i < cli->n_args; i++) {
        HF_TRY(hf_buf_printf(out, "%s%s=", i ? "&" : "?", names[i]));
        HF_TRY(hf_http_percent_encode(hf_bytes_str(cli->args[i]), out));
    }
    return HF_OK;
}

static enum hf_err ask(struct hf_cli *cli, const struct values *values, const char *method,
                       const char *path, struct hf_admin_answer *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf target = HF_BUF_INIT(4096);
    HF_TRY(make_target(cli, path, &target));
    const char *text = hf_buf_cstr(&target);
    return text ? hf_admin_ask(cli, &values->admin, method, text, out) : HF_E_NOMEM;
}

/* --- status -------------------------------------------------------------------------------------
 */

static void add_server(struct hf_table *table, const json_t *upstream, const json_t *server)
{
    static const char *const numbers[] = {"weight", "open",     "active",
                                          "total",  "failures", "ejections"};
    long long latency_us = hf_json_number(server, "latency_us");
    hf_table_cell(table, hf_json_text(upstream, "name"));
    hf_table_cell(table, hf_json_text(server, "address"));
    hf_table_cell(table, hf_json_text(server, "state"));
    for (size_t i = 0; i < HF_N_ELEMENTS(numbers); i++) {
        hf_table_cell_fmt(table, "%lld", hf_json_number(server, numbers[i]));
    }
    hf_table_cell_fmt(table, "%lld.%03lldms", latency_us / 1000, latency_us % 1000);
}

static enum hf_err print_upstreams(struct hf_cli *cli, const json_t *answer)
{
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t at_upstream;
    size_t at_server;
    const json_t *upstream;
    const json_t *server;
    hf_table_init(&table, columns, HF_N_ELEMENTS(columns));
    json_array_foreach(json_object_get(answer, "upstreams"), at_upstream, upstream)
    {
        json_array_foreach(json_object_get(upstream, "servers"), at_server, server)
        {
            add_server(&table, upstream, server);
        }
    }
    return hf_table_print(&table, cli->out);
}

static enum hf_exit run_status(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = ask(cli, values, "GET", "/upstreams", &answer);
    if (err == HF_OK && values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (err == HF_OK) {
        err = print_upstreams(cli, answer.json);
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

static const struct hf_command cmd_status = {
    .name = "status",
    .summary = "show the servers of an upstream, or of all",
    .args = "[UPSTREAM]",
    .max_args = 1,
    .about = "STATE is up; returning, which gets less than its share for a while; down, by its "
             "checks; ejected, resting after failures; or drained.",
    .example = "handfast upstream status\n"
               "handfast upstream status app --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_status,
};

/* --- drain, enable ------------------------------------------------------------------------------
 */

static enum hf_exit change(struct hf_cli *cli, const struct values *values, const char *path)
{
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = ask(cli, values, "POST", path, &answer);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    if (values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    fprintf(cli->out, "%s is %s; %lld connections are open\n", hf_json_text(answer.json, "address"),
            hf_json_text(answer.json, "state"), hf_json_number(answer.json, "open"));
    return HF_EXIT_OK;
}

static enum hf_exit run_drain(struct hf_cli *cli, const void *given)
{
    return change(cli, given, "/upstreams/drain");
}

static enum hf_exit run_enable(struct hf_cli *cli, const void *given)
{
    return change(cli, given, "/upstreams/enable");
}

static const struct hf_command cmd_drain = {
    .name = "drain",
    .summary = "give a server nothing new, and let it finish what it has",
    .args = "UPSTREAM SERVER",
    .min_args = 2,
    .max_args = 2,
    .about = "SERVER is written as in the config. It stays drained over reloads, until it is "
             "enabled again or the daemon is restarted.",
    .example = "handfast upstream drain app 127.0.0.1:8080\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_drain,
};

static const struct hf_command cmd_enable = {
    .name = "enable",
    .summary = "take a drained or ejected server back",
    .args = "UPSTREAM SERVER",
    .min_args = 2,
    .max_args = 2,
    .about = "It grows into its share over the upstream's slow-start. One that its checks say is "
             "down stays down.",
    .example = "handfast upstream enable app 127.0.0.1:8080\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_enable,
};

static const struct hf_command *const below[] = {&cmd_status, &cmd_drain, &cmd_enable, NULL};

const struct hf_command hf_cmd_upstream = {
    .name = "upstream",
    .summary = "show the servers of upstreams, and take one out of use or back",
    .about = "Asks the daemon through its admin socket.",
    .example = "handfast upstream status\n"
               "handfast upstream drain app 127.0.0.1:8080\n"
               "handfast upstream enable app 127.0.0.1:8080\n",
    .below = below,
};
