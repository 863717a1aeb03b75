// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CODES_H
#define HF_CLI_CODES_H

/* The codes that the product refuses with, as `handfast explain` lists them: those of verdicts
 * (pki/reason.h), of requests that went wrong (proxy/http/mishap.h) and of messages that aren't
 * HTTP (http/fault.h). */

#include <stdbool.h>
#include <stddef.h>

struct hf_code {
    const char *code;
    const char *family; /* "verdict", "request" or "message" */
    const char *step;   /* of verdicts; NULL for others */
    const char *alert;  /* that it becomes in TLS; NULL: none */
    unsigned status;    /* that it becomes in HTTP; 0: none */
    const char *text;   /* what it means */
    const char *todo;   /* what to do about it */
};

/* hf_code_at gives them one after the other. False: there are no more. */
bool hf_code_at(size_t at, struct hf_code *out);

/* hf_code_find looks one up; where families share a code, the verdict's. */
bool hf_code_find(const char *code, struct hf_code *out);

#endif
