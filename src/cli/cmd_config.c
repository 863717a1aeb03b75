// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "config/config.h"

enum { PAGE_MAX = 4 << 20 };

static enum hf_exit print(struct hf_cli *cli, enum hf_err (*make)(struct hf_buf *out))
{
    HF_CLEANUP(hf_buf_done) struct hf_buf page = HF_BUF_INIT(PAGE_MAX);
    enum hf_err err = make(&page);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    struct hf_bytes bytes = hf_buf_bytes(&page);
    fwrite(bytes.ptr, 1, bytes.len, cli->out);
    return HF_EXIT_OK;
}

static enum hf_exit run_schema(struct hf_cli *cli, const void *values)
{
    (void)values;
    return print(cli, hf_config_schema);
}

static enum hf_exit run_reference(struct hf_cli *cli, const void *values)
{
    (void)values;
    return print(cli, hf_config_reference);
}

static const struct hf_command schema = {
    .name = "schema",
    .summary = "print the JSON Schema of the config file",
    .about = "Prints the JSON Schema (draft 2020-12) of the config file, for editors and for "
             "checks without this program.",
    .example = "handfast config schema > handfast.schema.json\n",
    .run = run_schema,
};

static const struct hf_command reference = {
    .name = "reference",
    .summary = "print the reference page of the config file",
    .about = "Prints every key of the config file with its values, default and meaning, in "
             "Markdown.",
    .example = "handfast config reference | less\n",
    .run = run_reference,
};

static const struct hf_command *const below[] = {&schema, &reference, NULL};

const struct hf_command hf_cmd_config = {
    .name = "config",
    .summary = "print the schema or the reference of the config file",
    .example = "handfast config schema\n"
               "handfast config reference\n",
    .below = below,
};
