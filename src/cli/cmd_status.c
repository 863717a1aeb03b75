// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/crl_table.h"
#include "cli/table.h"

struct values {
    struct hf_admin_values admin;
};

static const struct hf_option options[] = {HF_ADMIN_OPTIONS(struct values, admin)};

static const struct hf_column listener_columns[] = {
    {"LISTENER", HF_COLUMN_LEFT}, {"ADDRESS", HF_COLUMN_LEFT},   {"OPEN", HF_COLUMN_RIGHT},
    {"TOTAL", HF_COLUMN_RIGHT},   {"ACCEPTED", HF_COLUMN_RIGHT}, {"RESUMED", HF_COLUMN_RIGHT},
    {"REFUSED", HF_COLUMN_RIGHT},
};

static const struct hf_column reason_columns[] = {
    {"REFUSED AT", HF_COLUMN_LEFT},
    {"REASON", HF_COLUMN_LEFT},
    {"TIMES", HF_COLUMN_RIGHT},
};

static const struct hf_column server_columns[] = {
    {"UPSTREAM", HF_COLUMN_LEFT}, {"SERVER", HF_COLUMN_LEFT}, {"STATE", HF_COLUMN_LEFT},
    {"OPEN", HF_COLUMN_RIGHT},    {"TOTAL", HF_COLUMN_RIGHT}, {"FAILURES", HF_COLUMN_RIGHT},
};

static void add_number(struct hf_table *table, long long number)
{
    hf_table_cell_fmt(table, "%lld", number);
}

static long long sum_of(json_t *object)
{
    const char *key;
    json_t *value;
    long long sum = 0;
    json_object_foreach(object, key, value)
    {
        sum += json_integer_value(value);
    }
    return sum;
}

/* "127.0.0.1:8443, [::1]:8443" */
static void add_addresses(struct hf_table *table, const json_t *addresses)
{
    char text[200] = "";
    size_t index;
    const json_t *address;
    json_array_foreach(addresses, index, address)
    {
        size_t len = strlen(text);
        const char *one = json_string_value(address);
        snprintf(text + len, sizeof(text) - len, "%s%s", len ? ", " : "", one ? one : "-");
    }
    hf_table_cell(table, text);
}

static void add_listener(struct hf_table *table, const json_t *listener)
{
    const json_t *connections = json_object_get(listener, "connections");
    const json_t *handshakes = json_object_get(listener, "handshakes");
    hf_table_cell(table, hf_json_text(listener, "name"));
    add_addresses(table, json_object_get(listener, "addresses"));
    add_number(table, hf_json_number(connections, "open"));
    add_number(table, hf_json_number(connections, "total"));
    add_number(table, hf_json_number(handshakes, "accepted"));
    add_number(table, hf_json_number(handshakes, "resumed"));
    add_number(table, sum_of(json_object_get(handshakes, "refused")));
}

static void add_reasons(struct hf_table *table, const json_t *listener)
{
    json_t *refused = json_object_get(json_object_get(listener, "handshakes"), "refused");
    const char *reason;
    json_t *times;
    json_object_foreach(refused, reason, times)
    {
        hf_table_cell(table, hf_json_text(listener, "name"));
        hf_table_cell(table, reason);
        add_number(table, json_integer_value(times));
    }
}

static void add_upstream(struct hf_table *table, const json_t *upstream)
{
    size_t index;
    const json_t *server;
    json_array_foreach(json_object_get(upstream, "servers"), index, server)
    {
        hf_table_cell(table, hf_json_text(upstream, "name"));
        hf_table_cell(table, hf_json_text(server, "address"));
        hf_table_cell(table, hf_json_text(server, "state"));
        add_number(table, hf_json_number(server, "open"));
        add_number(table, hf_json_number(server, "total"));
        add_number(table, hf_json_number(server, "failures"));
    }
}

/* One table of everything in an array; nothing where there is nothing to show. */
static enum hf_err print_table(struct hf_cli *cli, const json_t *array,
                               const struct hf_column *columns, size_t n_columns,
                               void (*add)(struct hf_table *table, const json_t *item))
{
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t index;
    const json_t *item;
    hf_table_init(&table, columns, n_columns);
    json_array_foreach(array, index, item)
    {
        add(&table, item);
    }
    if (table.n_cells == 0 && table.err == HF_OK) {
        return HF_OK;
    }
    fputc('\n', cli->out);
    return hf_table_print(&table, cli->out);
}

static void print_summary(struct hf_cli *cli, const json_t *status)
{
    const json_t *config = json_object_get(status, "config");
    const json_t *log = json_object_get(status, "log");
    char uptime[64];
    hf_format_duration(hf_json_number(status, "uptime_s") * 1000, uptime, sizeof(uptime));
    fprintf(cli->out, "handfast %s, %s for %s, pid %lld, %lld workers\n",
            hf_json_text(status, "version"), hf_json_text(status, "state"), uptime,
            hf_json_number(status, "pid"), hf_json_number(status, "workers"));
    fprintf(cli->out, "config %s, generation %lld, loaded %s\n", hf_json_text(config, "file"),
            hf_json_number(config, "generation"), hf_json_text(config, "loaded_at"));
    if (hf_json_number(log, "dropped")) {
        fprintf(cli->out, "log: %lld lines were dropped, for they could not be written in time\n",
                hf_json_number(log, "dropped"));
    }
}

static enum hf_err print_revocation(struct hf_cli *cli, const json_t *revocation)
{
    const json_t *ocsp = json_object_get(revocation, "ocsp");
    json_t *answers = json_object_get(ocsp, "answers");
    json_t *lists = json_object_get(revocation, "lists");
    long long denied = hf_json_number(revocation, "deny_list");
    if (denied) {
        fprintf(cli->out, "\ndeny list: %lld %s (handfast revoke --list)\n", denied,
                denied == 1 ? "entry" : "entries");
    }
    if (hf_json_number(ocsp, "known") || sum_of(answers)) {
        fprintf(cli->out,
                "\nOCSP: %lld certificates known; answers: %lld good, %lld revoked, %lld unknown, "
                "%lld failed, %lld untrusted; %lld open\n",
                hf_json_number(ocsp, "known"), hf_json_number(answers, "good"),
                hf_json_number(answers, "revoked"), hf_json_number(answers, "unknown"),
                hf_json_number(answers, "failed"), hf_json_number(answers, "untrusted"),
                hf_json_number(ocsp, "open"));
    }
    if (json_array_size(lists) == 0) {
        return HF_OK;
    }
    fputc('\n', cli->out);
    return hf_print_lists(cli, lists);
}

static enum hf_err print_status(struct hf_cli *cli, const json_t *status)
{
    const json_t *listeners = json_object_get(status, "listeners");
    print_summary(cli, status);
    HF_TRY(print_table(cli, listeners, listener_columns, HF_N_ELEMENTS(listener_columns),
                       add_listener));
    HF_TRY(print_table(cli, listeners, reason_columns, HF_N_ELEMENTS(reason_columns), add_reasons));
    HF_TRY(print_table(cli, json_object_get(status, "upstreams"), server_columns,
                       HF_N_ELEMENTS(server_columns), add_upstream));
    return print_revocation(cli, json_object_get(status, "revocation"));
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = hf_admin_ask(cli, &values->admin, "GET", "/status", &answer);
    if (err == HF_OK && values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (err == HF_OK) {
        err = print_status(cli, answer.json);
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_status = {
    .name = "status",
    .summary = "show what a running daemon is doing",
    .about =
        "Asks the daemon through its admin socket, and prints its listeners with their "
        "connections and handshakes, what was refused and why, its upstreams, and what it knows "
        "of revocation: the lists in force, what OCSP responders have answered, and the size "
        "of the deny list.",
    .example = "handfast status\n"
               "handfast status -c handfast.yaml --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
