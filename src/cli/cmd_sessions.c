// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "http/query.h"

struct values {
    struct hf_admin_values admin;
    const char *listener;
    unsigned limit;
};

static const struct hf_option options[] = {
    HF_ADMIN_OPTIONS(struct values, admin),
    {.name = "listener",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "only those of this listener",
     .offset = offsetof(struct values, listener)},
    {.name = "limit",
     .kind = HF_OPT_UINT,
     .value = "N",
     .doc = "at most so many",
     .standard = "1000",
     .min = 1,
     .max = 1000000,
     .offset = offsetof(struct values, limit)},
};

static const struct hf_column columns[] = {
    {"ID", HF_COLUMN_LEFT},       {"LISTENER", HF_COLUMN_LEFT}, {"PEER", HF_COLUMN_LEFT},
    {"IDENTITY", HF_COLUMN_LEFT}, {"TLS", HF_COLUMN_LEFT},      {"UPSTREAM", HF_COLUMN_LEFT},
    {"SINCE", HF_COLUMN_LEFT},    {"IN", HF_COLUMN_RIGHT},      {"OUT", HF_COLUMN_RIGHT},
    {"STATE", HF_COLUMN_LEFT},
};

static void add_session(struct hf_table *table, const json_t *session)
{
    static const char *const before[] = {"id",      "listener", "peer", "identity",
                                         "version", "upstream", "since"};
    for (size_t i = 0; i < HF_N_ELEMENTS(before); i++) {
        hf_table_cell(table, hf_json_text(session, before[i]));
    }
    hf_table_cell_fmt(table, "%lld", hf_json_number(session, "bytes_in"));
    hf_table_cell_fmt(table, "%lld", hf_json_number(session, "bytes_out"));
    hf_table_cell(table, hf_json_text(session, "state"));
}

static enum hf_err print_sessions(struct hf_cli *cli, const json_t *answer)
{
    HF_CLEANUP(hf_table_done) struct hf_table table;
    const json_t *sessions = json_object_get(answer, "sessions");
    long long total = hf_json_number(answer, "total");
    size_t index;
    const json_t *session;
    hf_table_init(&table, columns, HF_N_ELEMENTS(columns));
    json_array_foreach(sessions, index, session)
    {
        add_session(&table, session);
    }
    HF_TRY(hf_table_print(&table, cli->out));
    if (total > (long long)json_array_size(sessions)) {
        hf_cli_say(cli, "%zu of %lld sessions; --limit shows more", json_array_size(sessions),
                   total);
    }
    return HF_OK;
}

static enum hf_err make_target(const struct values *values, struct hf_buf *out)
{
    HF_TRY(hf_buf_printf(out, "/sessions?limit=%u", values->limit));
    if (values->listener) {
        HF_TRY(hf_buf_append_str(out, "&listener="));
        HF_TRY(hf_http_percent_encode(hf_bytes_str(values->listener), out));
    }
    return HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf target = HF_BUF_INIT(4096);
    enum hf_err err = make_target(values, &target);
    const char *text = err == HF_OK ? hf_buf_cstr(&target) : NULL;
    if (!text) {
        return hf_cli_fail(cli, err == HF_OK ? HF_E_NOMEM : err);
    }
    err = hf_admin_ask(cli, &values->admin, "GET", text, &answer);
    if (err == HF_OK && values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (err == HF_OK) {
        err = print_sessions(cli, answer.json);
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_sessions = {
    .name = "sessions",
    .summary = "list the open connections of a running daemon, and whose they are",
    .about = "Asks the daemon through its admin socket. IDENTITY is the name that people know the "
             "client by: its SPIFFE ID, common name, or what else its certificate has. IN and OUT "
             "are bytes from and to the client.",
    .example = "handfast sessions\n"
               "handfast sessions --listener api --limit 100000 --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
