// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

struct values {
    bool man;
};

static const struct hf_option options[] = {
    {.name = "man",
     .kind = HF_OPT_SWITCH,
     .doc = "print the man page (for the build)",
     .hidden = true,
     .offset = offsetof(struct values, man)},
};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    const struct hf_command *command = cli->root;
    char path[HF_CLI_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s", command->name);
    for (size_t i = 0; i < cli->n_args; i++) {
        const struct hf_command *below = hf_cli_find(command, cli->args[i]);
        if (!below) {
            return hf_cli_usage(cli, "%s has no command \"%.40s\"", path, cli->args[i]);
        }
        command = below;
        len += snprintf(path + len, sizeof(path) - (size_t)len, " %s", command->name);
    }
    (values->man ? hf_cli_man : hf_cli_help)(command, path, cli->out);
    return HF_EXIT_OK;
}

const struct hf_command hf_cmd_help = {
    .name = "help",
    .summary = "show the help of a command",
    .args = "[COMMAND]...",
    .max_args = 4,
    .example = "handfast help check\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
