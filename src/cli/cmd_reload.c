// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"

struct values {
    struct hf_admin_values admin;
};

static const struct hf_option options[] = {HF_ADMIN_OPTIONS(struct values, admin)};

/* The words come from a config file: nothing in them reaches the terminal raw. */
static enum hf_err append_finding(const json_t *finding, struct hf_buf *out)
{
    const char *const keys[] = {"file", "level", "text"};
    enum { TEXT_MAX = 2048 };
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        HF_TRY(hf_append_printable(out, hf_bytes_str(hf_json_text(finding, keys[i])), TEXT_MAX));
        if (i == 0 && hf_json_number(finding, "line")) {
            HF_TRY(hf_buf_printf(out, ":%lld:%lld", hf_json_number(finding, "line"),
                                 hf_json_number(finding, "column")));
        }
        HF_TRY(hf_buf_append_str(out, i + 1 < HF_N_ELEMENTS(keys) ? ": " : "\n"));
    }
    return HF_OK;
}

static void print_findings(struct hf_cli *cli, const json_t *findings)
{
    size_t index;
    const json_t *finding;
    json_array_foreach(findings, index, finding)
    {
        HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(16384);
        if (append_finding(finding, &line) == HF_OK) {
            fwrite(hf_buf_bytes(&line).ptr, 1, hf_buf_len(&line), cli->err);
        }
    }
}

static enum hf_exit report(struct hf_cli *cli, const struct hf_admin_answer *answer)
{
    print_findings(cli, json_object_get(answer->json, "findings"));
    if (answer->status / 100 == 2) {
        long long generation = hf_json_number(answer->json, "generation");
        if (generation) {
            fprintf(cli->out, "reloaded: generation %lld\n", generation);
        } else {
            fputs("reloaded\n", cli->out);
        }
        return HF_EXIT_OK;
    }
    const char *message = hf_json_text(answer->json, "message");
    hf_cli_say(cli, "error: the reload was refused, the old config stays in force%s%s",
               message[0] == '-' ? "" : ": ", message[0] == '-' ? "" : message);
    return HF_EXIT_PROBLEM;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = hf_admin_ask(cli, &values->admin, "POST", "/reload", &answer);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    return values->admin.json ? hf_admin_print(cli, &answer) : report(cli, &answer);
}

const struct hf_command hf_cmd_reload = {
    .name = "reload",
    .summary = "make a running daemon read its config and certificates again",
    .about = "No connection is dropped. When something in the config, or in a file that it names, "
             "is wrong, the daemon says what and where and stays as it was; the exit status is "
             "then 1.",
    .example = "handfast reload\n"
               "handfast reload --admin unix:/run/handfast/admin.sock\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
