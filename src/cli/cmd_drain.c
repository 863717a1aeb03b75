// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"

struct values {
    struct hf_admin_values admin;
};

static const struct hf_option options[] = {HF_ADMIN_OPTIONS(struct values, admin)};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    char timeout[64];
    enum hf_err err = hf_admin_ask(cli, &values->admin, "POST", "/drain", &answer);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    if (values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (answer.status / 100 != 2) {
        hf_cli_say(cli, "error: the daemon refuses: %s", hf_json_text(answer.json, "message"));
        return HF_EXIT_PROBLEM;
    }
    hf_format_duration(hf_json_number(answer.json, "timeout_ms"), timeout, sizeof(timeout));
    fprintf(cli->out, "draining: %lld connections are open and have %s to finish\n",
            hf_json_number(answer.json, "open"), timeout);
    return HF_EXIT_OK;
}

const struct hf_command hf_cmd_drain = {
    .name = "drain",
    .summary = "make a running daemon stop accepting, finish what is open, and end",
    .about = "Does what SIGTERM does: no connection is accepted any more, those that are open have "
             "`drain-timeout` to finish, then the daemon ends. Doesn't wait for it.",
    .example = "handfast drain\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
