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
    &hf_cmd_ca_init,
    &hf_cmd_ca_issue,
    &hf_cmd_ca_sign,
    &hf_cmd_ca_renew,
    &hf_cmd_ca_rekey,
    &hf_cmd_ca_revoke,
    &hf_cmd_ca_hold,
    &hf_cmd_ca_release,
    &hf_cmd_ca_list,
    &hf_cmd_ca_show,
    &hf_cmd_ca_requests,
    &hf_cmd_ca_approve,
    &hf_cmd_ca_deny,
    &hf_cmd_ca_token,
    &hf_cmd_ca_rotate,
    &hf_cmd_ca_audit,
    &hf_cmd_ca_authority,
    &hf_cmd_ca_cross_sign,
    &hf_cmd_ca_profile,
    &hf_cmd_ca_crl,
    &hf_cmd_ca_backup,
    &hf_cmd_ca_restore,
    &hf_cmd_ca_export,
    &hf_cmd_ca_import,
    NULL,
};

const struct hf_command hf_cmd_ca = {
    .name = "ca",
    .summary = "run a private CA",
    .about = "A certification authority: a root, issuing CAs below it, and a store of everything "
             "that was issued and revoked, in a folder (SQLite) or in PostgreSQL. docs/ca.md goes "
             "from nothing to rotated roots.",
    .example = "handfast ca init --dir ca --name Example\n"
               "handfast ca issue --dir ca --server api.example.org --out server\n"
               "handfast ca issue --dir ca --client alice --out alice\n"
               "handfast ca list --dir ca --expiring 30d\n"
               "handfast ca revoke --dir ca --cert alice.pem --reason keyCompromise\n",
    .below = below,
};
