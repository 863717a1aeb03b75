// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_DECODE_H
#define HF_CONFIG_DECODE_H

#include "config/keys.h"

/* struct hf_decoder is one run from a tree to a struct hf_config. */
struct hf_decoder {
    struct hf_config *config;
    struct hf_arena *arena; /* of the config */
    struct hf_findings *findings;
    const char *dir; /* for relative paths */
    enum hf_err err; /* sticky: out of memory */
};

/* hf_decode fills decoder->config from the tree. What is wrong with the tree goes to findings.
 * Errors: HF_E_NOMEM. */
enum hf_err hf_decode(struct hf_decoder *decoder, const struct hf_node *root) HF_MUST_CHECK;

/* hf_decode_section fills object, which begins as its defaults where the keys have none, by the
 * keys of a section, for files that are not the configuration: decoder->config may then be NULL, if
 * no key refers to it. Look at decoder->err after. */
void hf_decode_section(struct hf_decoder *decoder, const struct hf_section *section,
                       const struct hf_node *node, void *object);

typedef void hf_decode_fn(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, void *at);

/*
 * struct hf_kind_info is what is known of one kind of value. decode puts a scalar at `at`; what
 * is wrong with it becomes a finding, and `at` stays as it was. NULL for sections and their likes.
 */
struct hf_kind_info {
    const char *noun;   /* "an address" */
    const char *schema; /* JSON Schema of one; NULL: made from the key's words */
    size_t size;        /* of one in an array */
    void (*decode)(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at);
};

extern const struct hf_kind_info hf_kinds[HF_KIND_N];

/* hf_complain adds a finding about a key's value: "key: text", or just the text for a flag. */
void hf_complain(struct hf_decoder *decoder, enum hf_finding_id id, const struct hf_key *key,
                 struct hf_mark mark, const char *format, ...) HF_PRINTF(5, 6);

/* hf_words_join writes "a, b or c" into out, for messages. */
void hf_words_join(const struct hf_word *words, const char *last, char *out, size_t out_size);

#endif
