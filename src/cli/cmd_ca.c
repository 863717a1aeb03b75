// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "base/text.h"
#include "cli/ca_commands.h"
#include "cli/commands.h"

void hf_cli_when(int64_t not_after, int64_t now_s, char out[static HF_CLI_WHEN_SIZE])
{
    char when[HF_TIME_TEXT_SIZE];
    char gap[40];
    if (not_after == INT64_MAX) {
        snprintf(out, HF_CLI_WHEN_SIZE, "never");
        return;
    }
    hf_format_time(not_after, when);
    bool over = not_after <= now_s;
    int64_t gap_s = over ? now_s - not_after : not_after - now_s;
    hf_format_duration((gap_s > INT64_MAX / 1000 ? INT64_MAX / 1000 : gap_s) * 1000, gap,
                       sizeof(gap));
    snprintf(out, HF_CLI_WHEN_SIZE, over ? "%s (expired %s ago)" : "%s (expires in %s)", when, gap);
}

static const struct hf_command *const below[] = {
    &hf_cmd_ca_init, &hf_cmd_ca_issue, &hf_cmd_ca_list, &hf_cmd_ca_show, NULL,
};

const struct hf_command hf_cmd_ca = {
    .name = "ca",
    .summary = "run a private CA out of a folder",
    .about = "A small certification authority in files: a root, an issuing CA below it, and a "
             "journal of everything that was issued. docs/ca.md describes the folder.",
    .example = "handfast ca init --dir ca --name Example\n"
               "handfast ca issue --dir ca --server api.example.org --out server\n"
               "handfast ca issue --dir ca --client alice --out alice\n"
               "handfast ca list --dir ca\n",
    .below = below,
};
