// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_EXPLAIN_TEXT_H
#define HF_CLI_EXPLAIN_TEXT_H

/* A verdict as proxy/account.h writes it, told to people. What is missing, or of another kind than
 * it should be, is passed over: the file that it comes from may hold anything. */

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* hf_explain_print writes it whole. now_s: how long ago is told from then. */
void hf_explain_print(const json_t *verdict, int64_t now_s, FILE *out);

/* hf_explain_print_brief writes what happened, and why. */
void hf_explain_print_brief(const json_t *verdict, int64_t now_s, FILE *out);

/* hf_explain_print_evidence writes only the certificates, the steps and the sources. */
void hf_explain_print_evidence(const json_t *verdict, FILE *out);

/* hf_explain_print_list writes a table of verdicts, one line each. */
void hf_explain_print_list(const json_t *verdicts, FILE *out);

#endif
