// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_COMMANDS_H
#define HF_CLI_CA_COMMANDS_H

#include "cli/cli.h"

/* The commands under `handfast ca`; each is in its cmd_ca_<name>.c. */
extern const struct hf_command hf_cmd_ca_init;
extern const struct hf_command hf_cmd_ca_issue;
extern const struct hf_command hf_cmd_ca_sign;
extern const struct hf_command hf_cmd_ca_renew;
extern const struct hf_command hf_cmd_ca_rekey;
extern const struct hf_command hf_cmd_ca_revoke;
extern const struct hf_command hf_cmd_ca_hold;
extern const struct hf_command hf_cmd_ca_release;
extern const struct hf_command hf_cmd_ca_list;
extern const struct hf_command hf_cmd_ca_show;
extern const struct hf_command hf_cmd_ca_requests;
extern const struct hf_command hf_cmd_ca_approve;
extern const struct hf_command hf_cmd_ca_deny;
extern const struct hf_command hf_cmd_ca_token;
extern const struct hf_command hf_cmd_ca_rotate;
extern const struct hf_command hf_cmd_ca_audit;
extern const struct hf_command hf_cmd_ca_profile;
extern const struct hf_command hf_cmd_ca_backup;
extern const struct hf_command hf_cmd_ca_restore;
extern const struct hf_command hf_cmd_ca_export;
extern const struct hf_command hf_cmd_ca_import;
extern const struct hf_command hf_cmd_ca_crl;
extern const struct hf_command hf_cmd_ca_authority;
extern const struct hf_command hf_cmd_ca_cross_sign;

/* hf_cli_when writes "2027-02-13T08:00:00Z (expires in 89 d)", "(expired 3 d ago)" or "(never)". */
#define HF_CLI_WHEN_SIZE 96
void hf_cli_when(int64_t not_after, int64_t now_s, char out[static HF_CLI_WHEN_SIZE]);

#endif
