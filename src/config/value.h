// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_VALUE_H
#define HF_CONFIG_VALUE_H

/* Decoders of single values, one a kind, and what they share. For config/kinds.c. */

#include "config/decode.h"

/* hf_value_refuse adds a finding with the sentence of this thread's last failure; out of memory is
 * noted in the decoder instead. */
void hf_value_refuse(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, enum hf_err err);

/* hf_value_refuse_word adds a finding with the key's words, and the one that may have been meant.
 * last: what is accepted besides the words, or NULL. */
void hf_value_refuse_word(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, const char *last);

/* hf_value_keep copies text into the config; NULL when out of memory, which is noted. */
char *hf_value_keep(struct hf_decoder *decoder, const char *text);

/* hf_value_set makes *at, a struct hf_cfg_string, a copy of text with the node's mark. */
void hf_value_set(struct hf_decoder *decoder, const struct hf_node *node, const char *text,
                  void *at);

const struct hf_word *hf_word_find(const struct hf_word *words, const char *text);

/* Any text that isn't empty. */
hf_decode_fn hf_decode_text;

/* hf_value_is_name: [a-z0-9][a-z0-9_-]{0,62}, safe in paths, metric labels and URLs. */
bool hf_value_is_name(const char *name);

/* hf_value_is_host: LDH labels, the underscore too, and no label of digits alone at the end. */
bool hf_value_is_host(const char *text);

hf_decode_fn hf_decode_bool;
hf_decode_fn hf_decode_uint;
hf_decode_fn hf_decode_duration;
hf_decode_fn hf_decode_enum;
hf_decode_fn hf_decode_fallback;
hf_decode_fn hf_decode_env;
hf_decode_fn hf_decode_file;
hf_decode_fn hf_decode_path;
hf_decode_fn hf_decode_names;
hf_decode_fn hf_decode_host;
hf_decode_fn hf_decode_sni;
hf_decode_fn hf_decode_pattern;
hf_decode_fn hf_decode_alpn;
hf_decode_fn hf_decode_address;
hf_decode_fn hf_decode_unix;
hf_decode_fn hf_decode_server;
hf_decode_fn hf_decode_cidr;
hf_decode_fn hf_decode_size;
hf_decode_fn hf_decode_label;
hf_decode_fn hf_decode_hosts;
hf_decode_fn hf_decode_paths;
hf_decode_fn hf_decode_plain_path;
hf_decode_fn hf_decode_authority;
hf_decode_fn hf_decode_location;
hf_decode_fn hf_decode_method;
hf_decode_fn hf_decode_field;
hf_decode_fn hf_decode_fields;
hf_decode_fn hf_decode_field_patterns;
hf_decode_fn hf_decode_param_patterns;
hf_decode_fn hf_decode_who;
hf_decode_fn hf_decode_roles;
hf_decode_fn hf_decode_hash_by;
hf_decode_fn hf_decode_auth;
hf_decode_fn hf_decode_claims;
hf_decode_fn hf_decode_keyset;
hf_decode_fn hf_decode_rate;
hf_decode_fn hf_decode_status;
hf_decode_fn hf_decode_url;
hf_decode_fn hf_decode_origin;
hf_decode_fn hf_decode_ref;
hf_decode_fn hf_decode_service;
hf_decode_fn hf_decode_versions;
hf_decode_fn hf_decode_tls_words;

#endif
