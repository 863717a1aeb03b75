// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

int main(int argc, char **argv)
{
    return hf_cli_run(&hf_cmd_root, argc, (const char *const *)argv, stdout, stderr);
}
