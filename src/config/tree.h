// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_TREE_H
#define HF_CONFIG_TREE_H

/*
 * struct hf_node is a YAML file as a plain tree, every node with its place in the file. Nodes live
 * in the arena they were parsed into. Scalars are text whatever they look like, with environment
 * variables put in; the key table decides what they mean.
 */

#include "config/arena.h"
#include "config/config.h"

#define HF_CONFIG_FILE_MAX  (1u << 20)
#define HF_CONFIG_DEPTH_MAX 16
#define HF_CONFIG_NODES_MAX 50000u
#define HF_CONFIG_VALUE_MAX (64u << 10) /* of one scalar, after expansion */

enum hf_node_kind { HF_NODE_EMPTY, HF_NODE_SCALAR, HF_NODE_LIST, HF_NODE_MAP };

struct hf_node {
    enum hf_node_kind kind;
    struct hf_mark mark;
    const char *text;      /* of a scalar; NULL otherwise, but "" for one that can't be had:
                              EMPTY then, and there is a finding already */
    struct hf_node *first; /* child of a list or map */
    struct hf_node *last;
    size_t n;             /* children */
    struct hf_node *next; /* sibling */
    const char *key;      /* as a child of a map; NULL otherwise */
    struct hf_mark key_mark;
};

/*
 * hf_tree_parse reads one document. A syntax error, which ends the reading, and every unset
 * variable and duplicate key, which don't, go to findings. *out is NULL when there is no tree:
 * after a syntax error (HF_OK then too), or when the file is empty. Errors: HF_E_NOMEM.
 */
enum hf_err hf_tree_parse(struct hf_bytes text, struct hf_arena *arena,
                          struct hf_findings *findings, struct hf_node **out) HF_MUST_CHECK;

/* hf_tree_parse_plain is the same for text that comes from elsewhere: nothing is put in from the
 * environment. */
enum hf_err hf_tree_parse_plain(struct hf_bytes text, struct hf_arena *arena,
                                struct hf_findings *findings, struct hf_node **out) HF_MUST_CHECK;

/* hf_node_get gives the value of a key, or NULL; node may be NULL or no map. */
const struct hf_node *hf_node_get(const struct hf_node *node, const char *key);

/* hf_node_new makes a node; hf_node_add appends it to a list, or to a map under key. For trees that
 * come from flags. */
struct hf_node *hf_node_new(struct hf_arena *arena, enum hf_node_kind kind,
                            struct hf_mark mark) HF_MUST_CHECK;
void hf_node_add(struct hf_node *parent, struct hf_node *child, const char *key);

/*
 * hf_expand puts environment variables into text: "${VAR}", "${VAR:-default}"; "$${" is a literal
 * "${". The result is text itself where there is nothing to do, and NULL after a finding or when
 * out of memory (*err tells which).
 */
const char *hf_expand(const char *text, struct hf_mark mark, struct hf_arena *arena,
                      struct hf_findings *findings, enum hf_err *err) HF_MUST_CHECK;

#endif
