// SPDX-License-Identifier: Apache-2.0
#include "ca/store/words.h"

#include <stdlib.h>
#include <string.h>

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static size_t word_len(const char *text)
{
    size_t n = 0;
    while (is_word_byte(text[n])) {
        n++;
    }
    return n;
}

/* "CN=" and "DNS:" say what follows; "example.org:8443" and "spiffe://" don't lose a word by it
 * that anybody would search for. */
static bool is_label(const char *text, size_t len)
{
    static const char *const labels[] = {"CN",  "O",   "OU",  "C",  "L",  "ST",    "DC",
                                         "UID", "DNS", "URI", "IP", "SN", "email", "spiffe"};
    if (text[len] != '=' && text[len] != ':') {
        return false;
    }
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (strlen(labels[i]) == len && memcmp(labels[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

static void add_one(struct hf_store_words *words, const char *text, size_t len)
{
    if (words->n == HF_WORDS_MAX) {
        return;
    }
    while (len > HF_WORD_SIZE_MAX || (len && ((unsigned char)text[len] & 0xc0) == 0x80)) {
        len--; /* never within a character */
    }
    char *out = words->word[words->n++].text;
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    out[len] = '\0';
}

void hf_store_words_add(struct hf_store_words *words, const char *text)
{
    while (text && *text) {
        size_t len = word_len(text);
        if (len > 1 && !is_label(text, len)) {
            add_one(words, text, len);
        }
        text += len ? len : 1;
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

void hf_store_words_sort(struct hf_store_words *words)
{
    qsort(words->word, words->n, sizeof(words->word[0]), compare);
    size_t kept = 0;
    for (size_t i = 0; i < words->n; i++) {
        if (kept == 0 || strcmp(words->word[kept - 1].text, words->word[i].text) != 0) {
            words->word[kept++] = words->word[i];
        }
    }
    words->n = kept;
}

enum hf_err hf_store_words_join(const struct hf_store_words *words, struct hf_buf *out)
{
    for (size_t i = 0; i < words->n; i++) {
        HF_TRY(hf_buf_u8(out, ' '));
        HF_TRY(hf_buf_append_str(out, words->word[i].text));
    }
    return hf_buf_u8(out, ' ');
}
