// SPDX-License-Identifier: Apache-2.0
#include <openssl/crypto.h>

#include "cli/commands.h"

struct values {
    bool json;
};

static const struct hf_option options[] = {
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print JSON",
     .offset = offsetof(struct values, json)},
};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    const char *crypto = OpenSSL_version(OPENSSL_FULL_VERSION_STRING);
    fprintf(cli->out,
            values->json ? "{\"handfast\":\"%s\",\"openssl\":\"%s\"}\n"
                         : "handfast %s\nOpenSSL %s\n",
            HF_VERSION, crypto);
    return HF_EXIT_OK;
}

const struct hf_command hf_cmd_version = {
    .name = "version",
    .summary = "print the version of handfast and of the OpenSSL it runs with",
    .example = "handfast version --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
