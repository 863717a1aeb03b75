// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_PARTS_H
#define HF_CONFIG_PARTS_H

/* What the structs of a config are made of: places in the file, and text with its place. */

#include <stddef.h>

struct hf_mark {
    int line; /* from 1; 0: not from a file (a default, or a flag) */
    int column;
    const char *flag; /* "--cert" where a flag said it; NULL otherwise. Static. */
};

struct hf_cfg_string {
    char *value;
    struct hf_mark mark;
};

struct hf_cfg_strings {
    struct hf_cfg_string *item;
    size_t n;
};

/* A mapping of names to text: header fields, query parameters. In file order. */
struct hf_cfg_pair {
    char *name;
    char *value;
    struct hf_mark mark; /* of the name */
};

struct hf_cfg_pairs {
    struct hf_cfg_pair *item;
    size_t n;
};

#endif
