// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "os/thread.h"

int main(int argc, char **argv)
{
    hf_core_none();
    return hf_cli_run(&hf_cmd_root, argc, (const char *const *)argv, stdout, stderr);
}
