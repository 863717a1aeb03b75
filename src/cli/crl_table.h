// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CRL_TABLE_H
#define HF_CLI_CRL_TABLE_H

/* The revocation lists of a running daemon as a table: `handfast crls` and `handfast status`. */

#include <jansson.h>

#include "cli/cli.h"

/* hf_print_lists writes a row for each list of the admin socket's array. */
enum hf_err hf_print_lists(struct hf_cli *cli, const json_t *lists) HF_MUST_CHECK;

#endif
