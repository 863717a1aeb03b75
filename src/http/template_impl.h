// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_TEMPLATE_IMPL_H
#define HF_HTTP_TEMPLATE_IMPL_H

/* The table of variables, between template.c that uses it and template_table.c that has it. */

#include "http/template.h"

/* How a variable's value is got, and so how it is made safe. */
enum hf_variable_kind {
    HF_VARIABLE_TEXT,   /* anybody's bytes */
    HF_VARIABLE_NAME,   /* a name of struct hf_identity: escaped already */
    HF_VARIABLE_DN,     /* likewise, RFC 4514 */
    HF_VARIABLE_NAMES,  /* a list of names */
    HF_VARIABLE_NUMBER, /* -1: unknown */
    HF_VARIABLE_TARGET, /* path and query */
    HF_VARIABLE_WRITE,  /* writes itself, in safe characters; nothing: unknown */
};

struct hf_variable {
    const char *name; /* ends with "*" where the rest is an argument */
    const char *doc;
    uint8_t uses; /* bits of enum hf_template_use */
    uint8_t kind; /* enum hf_variable_kind */
    bool chain;   /* looks at facts->chain */
    union {
        struct hf_bytes (*text)(const struct hf_facts *facts, const char *argument);
        const char *(*name)(const struct hf_identity *identity);
        const struct hf_names_list *(*names)(const struct hf_identity *identity);
        int64_t (*number)(const struct hf_facts *facts);
        enum hf_err (*write)(const struct hf_facts *facts, struct hf_buf *out);
    } get;
};

extern const struct hf_variable hf_variables[];
extern const size_t hf_n_variables;

#endif
