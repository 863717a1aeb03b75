// SPDX-License-Identifier: Apache-2.0
/*
 * Why somebody was refused. Verdicts come from a running daemon through its admin socket, or, with
 * --state, from the file that one left; a code is looked up in the tables of this program.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/codes.h"
#include "cli/commands.h"
#include "cli/explain_text.h"
#include "os/clock.h"
#include "proxy/explain_admin.h"

struct values {
    struct hf_admin_values admin;
    const char *peer;
    const char *state;
    bool last;
    bool list;
    bool all;
    unsigned limit;
    bool codes;
};

static const struct hf_option options[] = {
    {.name = "last",
     .kind = HF_OPT_SWITCH,
     .doc = "the newest refusal",
     .offset = offsetof(struct values, last)},
    {.name = "peer",
     .kind = HF_OPT_TEXT,
     .value = "ADDR",
     .doc = "the newest verdict on a client at this address, with or without its port",
     .offset = offsetof(struct values, peer)},
    {.name = "list",
     .kind = HF_OPT_SWITCH,
     .doc = "a line for each refusal, the newest first; with --peer, those on it",
     .offset = offsetof(struct values, list)},
    {.name = "all",
     .kind = HF_OPT_SWITCH,
     .doc = "with --last and --list: admissions too, and connections that came to nothing",
     .offset = offsetof(struct values, all)},
    {.name = "limit",
     .kind = HF_OPT_UINT,
     .value = "N",
     .doc = "with --list: how many lines at most",
     .standard = "20",
     .min = 1,
     .max = HF_VERDICT_QUERY_MAX,
     .offset = offsetof(struct values, limit)},
    {.name = "codes",
     .kind = HF_OPT_SWITCH,
     .doc = "list every code there is",
     .offset = offsetof(struct values, codes)},
    {.name = "state",
     .kind = HF_OPT_TEXT,
     .value = "DIR",
     .doc = "read the verdicts in this state folder, without a daemon",
     .offset = offsetof(struct values, state)},
    HF_ADMIN_OPTIONS(struct values, admin)};

/* --- Codes --------------------------------------------------------------------------------------
 */

static json_t *code_json(const struct hf_code *code)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s}", "code", code->code, "family", code->family,
                  "step", code->step, "alert", code->alert, "means", code->text, "do", code->todo);
    if (object && code->status) {
        json_object_set_new(object, "status", json_integer(code->status));
    }
    return object;
}

static void print_json(struct hf_cli *cli, json_t *json)
{
    json_dumpf(json, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(json);
}

static void print_code(struct hf_cli *cli, const struct hf_code *code)
{
    fprintf(cli->out, "%s: %s\n", code->code, code->text);
    if (code->alert) {
        fprintf(cli->out, "  becomes   TLS alert %s\n", code->alert);
    } else if (code->status) {
        fprintf(cli->out, "  becomes   HTTP status %u\n", code->status);
    }
    fprintf(cli->out, "  do        %s\n", code->todo);
}

static enum hf_exit list_codes(struct hf_cli *cli, bool json)
{
    struct hf_code code;
    json_t *array = json ? json_array() : NULL;
    for (size_t i = 0; hf_code_at(i, &code); i++) {
        if (json) {
            json_array_append_new(array, code_json(&code));
        } else {
            fprintf(cli->out, "%-26s %s\n", code.code, code.text);
        }
    }
    if (json) {
        print_json(cli, json_pack("{s:o}", "codes", array));
    }
    return HF_EXIT_OK;
}

static enum hf_exit explain_code(struct hf_cli *cli, const struct hf_code *code, bool json)
{
    if (json) {
        print_json(cli, code_json(code));
    } else {
        print_code(cli, code);
    }
    return HF_EXIT_OK;
}

/* --- Verdicts -----------------------------------------------------------------------------------
 */

/* Those that the query asks for, newest first, from the file of a state folder. */
static enum hf_err read_state(const char *folder, const struct hf_verdict_query *query,
                              json_t **out)
{
    HF_CLEANUP(hf_freep) char *path = hf_recorder_path(folder);
    struct hf_verdict_file *file = NULL;
    struct hf_verdict_search search = {query, json_array()};
    enum hf_err err = path && search.found ? hf_verdict_file_read(path, &file) : HF_E_NOMEM;
    if (err == HF_OK) {
        err = hf_verdict_file_each(file, hf_verdict_query_found, &search);
    }
    hf_verdict_file_free(file);
    if (err != HF_OK) {
        json_decref(search.found);
        return err;
    }
    *out = search.found;
    return HF_OK;
}

/* Percent-encodes what isn't plain. */
static void add_param(char *target, size_t size, const char *name, const char *value)
{
    size_t len = strlen(target);
    len +=
        (size_t)snprintf(target + len, size - len, "%c%s=", strchr(target, '?') ? '&' : '?', name);
    for (const char *at = value; *at && len + 4 < size; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                     (*at >= 'A' && *at <= 'Z') || *at == '-' || *at == '.';
        len +=
            (size_t)snprintf(target + len, size - len, plain ? "%c" : "%%%02X", (unsigned char)*at);
    }
}

static enum hf_err ask_daemon(struct hf_cli *cli, const struct values *values,
                              const struct hf_verdict_query *query, json_t **out)
{
    char target[1024] = "/verdicts";
    char limit[24];
    struct hf_admin_values admin = values->admin;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    snprintf(limit, sizeof(limit), "%zu", query->limit);
    add_param(target, sizeof(target), "limit", limit);
    if (query->id[0]) {
        add_param(target, sizeof(target), "id", query->id);
    }
    if (query->peer[0]) {
        add_param(target, sizeof(target), "peer", query->peer);
    }
    if (query->all) {
        add_param(target, sizeof(target), "all", "1");
    }
    admin.json = false; /* an answer that is a refusal is one here too */
    HF_TRY(hf_admin_ask(cli, &admin, "GET", target, &answer));
    *out = json_incref(json_object_get(answer.json, "verdicts"));
    return *out ? HF_OK : hf_fail(HF_E_PEER, "the daemon's answer has no verdicts in it");
}

static json_int_t at_of(const json_t *verdict)
{
    return json_integer_value(json_object_get(verdict, "at_ms"));
}

/* Newest first, by when it was; records are numbered in the order in which they were written. */
static void sort(json_t *verdicts)
{
    for (size_t i = 1; i < json_array_size(verdicts); i++) {
        for (size_t j = i; j > 0; j--) {
            json_t *here = json_array_get(verdicts, j);
            json_t *before = json_array_get(verdicts, j - 1);
            if (at_of(here) <= at_of(before)) {
                break;
            }
            json_incref(before);
            json_array_set(verdicts, j - 1, here);
            json_array_set_new(verdicts, j, before);
        }
    }
}

static enum hf_exit tell(struct hf_cli *cli, const struct values *values, const json_t *verdicts)
{
    size_t n = json_array_size(verdicts);
    if (values->admin.json) {
        json_dumpf(verdicts, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
    } else if (values->list) {
        hf_explain_print_list(verdicts, cli->out);
    } else {
        int64_t now_s = hf_clock_wall_s(&hf_os_clock);
        for (size_t i = n; i-- > 0;) { /* of one id: in the order in which it happened */
            const json_t *verdict = json_array_get(verdicts, i);
            (i ? hf_explain_print_brief : hf_explain_print)(verdict, now_s, cli->out);
        }
    }
    if (n == 0 && !values->list) {
        hf_cli_say(cli, "no such verdict is kept; the newest are: see --list");
    }
    return n || values->list ? HF_EXIT_OK : HF_EXIT_PROBLEM;
}

static enum hf_exit explain_verdicts(struct hf_cli *cli, const struct values *values)
{
    struct hf_verdict_query query = {.all = values->all};
    const char *id = cli->n_args ? cli->args[0] : "";
    json_t *verdicts = NULL;
    snprintf(query.id, sizeof(query.id), "%s", id);
    snprintf(query.peer, sizeof(query.peer), "%s", values->peer ? values->peer : "");
    query.limit = values->list || *id ? values->limit : 1;
    enum hf_err err = values->state ? read_state(values->state, &query, &verdicts)
                                    : ask_daemon(cli, values, &query, &verdicts);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    sort(verdicts);
    enum hf_exit status = tell(cli, values, verdicts);
    json_decref(verdicts);
    return status;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    struct hf_code code;
    unsigned asked =
        (cli->n_args > 0) + values->last + values->codes + (values->peer != NULL || values->list);
    if (asked != 1) {
        return hf_cli_usage(cli, "say one of ID, CODE, --last, --peer, --list and --codes");
    }
    if (values->codes) {
        return list_codes(cli, values->admin.json);
    }
    if (cli->n_args && hf_code_find(cli->args[0], &code)) {
        return explain_code(cli, &code, values->admin.json);
    }
    return explain_verdicts(cli, values);
}

const struct hf_command hf_cmd_explain = {
    .name = "explain",
    .summary = "say why a client was refused, and what to do about it",
    .args = "[ID|CODE]",
    .max_args = 1,
    .about =
        "Every handshake and every request that was refused has an id: it is in the log, and in "
        "what an HTTP client was answered. The daemon keeps the newest verdicts, also over "
        "restarts when its config names a folder (`state`). Without a daemon, --state reads that "
        "folder.\n\n"
        "Instead of an id, a code tells what it means: see --codes.\n\n"
        "Exit status 1 means that no such verdict is kept.",
    .example = "handfast explain --last\n"
               "handfast explain 0056ad1400000007\n"
               "handfast explain --peer 192.0.2.7 --list -c handfast.yaml\n"
               "handfast explain --last --state /var/lib/handfast\n"
               "handfast explain unknown-ca\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
