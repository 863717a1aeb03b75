// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_SEMANTICS_IMPL_H
#define HF_CONFIG_SEMANTICS_IMPL_H

/* What the files of config/semantics.h share. */

#include "config/decode.h"
#include "config/semantics.h"

/* hf_key_mark is the place of a key, or of the object where it isn't given. */
static inline struct hf_mark hf_key_mark(const struct hf_node *node, const char *key)
{
    const struct hf_node *child = hf_node_get(node, key);
    return !child ? node->key_mark : child->key ? child->key_mark : child->mark;
}

static inline bool hf_is_given(const struct hf_node *node, const char *key)
{
    return hf_node_get(node, key) != NULL;
}

#define hf_conflict(decoder, mark, ...) \
    hf_findings_add((decoder)->findings, HF_FINDING_CONFLICT, (mark), __VA_ARGS__)

/* hf_check_http_listener is the part of hf_check_listener that is about `mode: http`. */
void hf_check_http_listener(struct hf_decoder *decoder, const struct hf_node *node,
                            struct hf_cfg_listener *listener);

/* hf_check_staple_state: so do staples. */
void hf_check_staple_state(struct hf_decoder *decoder, const struct hf_node *root);

/* hf_check_crl_state: lists that are fetched need a folder to be kept in. */
void hf_check_crl_state(struct hf_decoder *decoder, const struct hf_node *root);

/* hf_check_tls looks at the section `tls` of a listener or an upstream. */
void hf_check_tls(struct hf_decoder *decoder, const struct hf_node *tls,
                  const struct hf_cfg_tls *config, bool upstream);

/* Balance, servers and queue of an upstream; and an upstream's hash-by for a listener that only
 * relays bytes, which have no headers. */
void hf_check_balance(struct hf_decoder *decoder, const struct hf_node *node,
                      const struct hf_cfg_upstream *upstream);
void hf_check_hash_by(struct hf_decoder *decoder, const struct hf_node *node,
                      const struct hf_cfg_listener *listener);

/* Limits that count what the listener's clients don't do or have. */
void hf_check_limits(struct hf_decoder *decoder, const struct hf_cfg_listener *listener);

#endif
