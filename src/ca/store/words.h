// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_WORDS_H
#define HF_CA_STORE_WORDS_H

#include "base/buf.h"

/*
 * The words that a certificate can be found by: pieces of letters and digits of its names, in small
 * letters (ASCII; other letters stay as they are), sorted, each once. Labels such as "CN=" or
 * "DNS:" are left out. One-letter words too.
 */
#define HF_WORDS_MAX     32
#define HF_WORD_SIZE_MAX 64 /* longer ones are cut, at a character */

struct hf_store_words {
    struct {
        char text[HF_WORD_SIZE_MAX + 1];
    } word[HF_WORDS_MAX];
    size_t n;
};

/* hf_store_words_add adds those of a text; what is beyond HF_WORDS_MAX is left out. */
void hf_store_words_add(struct hf_store_words *words, const char *text);

/* hf_store_words_sort sorts and drops doubles; then hf_store_words_join appends " a b c ". */
void hf_store_words_sort(struct hf_store_words *words);
enum hf_err hf_store_words_join(const struct hf_store_words *words,
                                struct hf_buf *out) HF_MUST_CHECK;

#endif
