// SPDX-License-Identifier: Apache-2.0
/* What decoders of values share, the plain values, and references to named objects. */
#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { WORDS_MAX = 8 };

/* Adds the finding with the sentence of this thread's last failure. */
void hf_value_refuse(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, enum hf_err err)
{
    if (err == HF_E_NOMEM) {
        decoder->err = err;
        return;
    }
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark, "%s", hf_err_text());
}

char *hf_value_keep(struct hf_decoder *decoder, const char *text)
{
    char *copy = hf_arena_strdup(decoder->arena, text);
    if (!copy) {
        decoder->err = HF_E_NOMEM;
    }
    return copy;
}

void hf_value_set(struct hf_decoder *decoder, const struct hf_node *node, const char *text,
                  void *at)
{
    *(struct hf_cfg_string *)at = (struct hf_cfg_string){hf_value_keep(decoder, text), node->mark};
}

const struct hf_word *hf_word_find(const struct hf_word *words, const char *text)
{
    for (; words && words->word; words++) {
        if (strcmp(words->word, text) == 0) {
            return words;
        }
    }
    return NULL;
}

/* last: what is accepted besides the words, or NULL. */
void hf_value_refuse_word(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, const char *last)
{
    const char *names[WORDS_MAX + 1] = {0};
    char all[256];
    for (size_t i = 0; i < WORDS_MAX && key->words[i].word; i++) {
        names[i] = key->words[i].word;
    }
    const char *closest = key->hint ? NULL : hf_closest(node->text, names);
    hf_words_join(key->words, last, all, sizeof(all));
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                "\"%.60s\" is not accepted; %s%s%s%s%s%s", node->text,
                closest ? "did you mean \"" : "", closest ? closest : "",
                closest ? "\"? It can be " : "write ", all, key->hint ? ": " : "",
                key->hint ? key->hint : "");
}

bool hf_value_is_name(const char *name)
{
    enum { NAME_MAX_LEN = 63 };
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return len > 0 && len <= NAME_MAX_LEN && name[len] == '\0' && name[0] != '_' && name[0] != '-';
}

/* --- Plain values ------------------------------------------------------------------------------*/

void hf_decode_text(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    if (!*node->text) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "is empty; give it %s or remove the key", hf_kinds[key->kind].noun);
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}

void hf_decode_bool(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    bool is_true = strcmp(node->text, "true") == 0;
    if (!is_true && strcmp(node->text, "false") != 0) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is not accepted; write true or false", node->text);
        return;
    }
    *(bool *)at = is_true;
}

void hf_decode_uint(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    uint64_t value = 0;
    const struct hf_word *word = hf_word_find(key->words, node->text);
    if (word) {
        *(unsigned *)at = (unsigned)word->value;
        return;
    }
    if (hf_parse_uint(node->text, (uint64_t)key->max, &value) != HF_OK ||
        value < (uint64_t)key->min) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is not accepted; write a whole number from %lld to %lld%s%s",
                    node->text, (long long)key->min, (long long)key->max, key->words ? ", or " : "",
                    key->words ? key->words[0].word : "");
        return;
    }
    *(unsigned *)at = (unsigned)value;
}

void hf_decode_duration(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    int64_t ms;
    enum hf_err err = hf_parse_duration(node->text, &ms);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    if (ms < key->min || ms > key->max) {
        char least[32];
        char most[32];
        hf_format_duration(key->min, least, sizeof(least));
        hf_format_duration(key->max, most, sizeof(most));
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is out of range; it can be %s to %s", node->text, least, most);
        return;
    }
    *(int64_t *)at = ms;
}

void hf_decode_fallback(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    struct hf_cfg_fallback fallback = {.mark = node->mark};
    const struct hf_word *word = hf_word_find(key->words, node->text);
    int64_t ms = 0;
    if (word) {
        fallback.what = (enum hf_revoked_fallback)word->value;
    } else if (hf_parse_duration(node->text, &ms) == HF_OK) {
        fallback.what = HF_REVOKED_GRACE;
        hf_decode_duration(decoder, key, node, &fallback.grace_ms);
    } else {
        hf_value_refuse_word(decoder, key, node, "a duration such as 24h");
        return;
    }
    *(struct hf_cfg_fallback *)at = fallback;
}

void hf_decode_size(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    uint64_t bytes;
    enum hf_err err = hf_parse_size(node->text, &bytes);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    if (bytes < (uint64_t)key->min || bytes > (uint64_t)key->max) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is out of range; it can be %lld to %lld bytes", node->text,
                    (long long)key->min, (long long)key->max);
        return;
    }
    *(uint64_t *)at = bytes;
}

void hf_decode_label(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    if (!hf_value_is_name(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_NAME, key, node->mark,
                    "\"%.80s\" can't be a name; use 1 to 63 of a-z, 0-9, _ and -, beginning with a "
                    "letter or digit",
                    node->text);
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}

void hf_decode_enum(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    const struct hf_word *word = hf_word_find(key->words, node->text);
    if (!word) {
        hf_value_refuse_word(decoder, key, node, NULL);
        return;
    }
    memcpy(at, &word->value, sizeof(word->value));
}

void hf_decode_env(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    if (!*node->text || node->text[strspn(node->text, allowed)] ||
        isdigit((unsigned char)node->text[0])) {
        /* not quoted: it may well be the passphrase itself */
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "this is not the name of an environment variable; write its name, not its "
                    "value");
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}

/* --- References --------------------------------------------------------------------------------*/

/* All objects that a reference may mean begin with their name. */
static char *object_name(void *object)
{
    char *name;
    memcpy(&name, object, sizeof(name));
    return name;
}

static void complain_reference(struct hf_decoder *decoder, const struct hf_key *key,
                               const struct hf_node *node, char *objects, size_t n)
{
    enum { SUGGEST_MAX = 256 };
    const char *names[SUGGEST_MAX + 1] = {0};
    for (size_t i = 0; i < n && i < SUGGEST_MAX; i++) {
        names[i] = object_name(objects + i * key->ref->size);
    }
    const char *closest = hf_closest(node->text, names);
    hf_complain(decoder, HF_FINDING_UNKNOWN_REFERENCE, key, node->mark,
                "there is no %s \"%.63s\"; %s%s%s%s", key->ref->noun, node->text,
                closest ? "did you mean \"" : "define it under ", closest ? closest : key->ref->key,
                closest ? "\"?" : "", n ? "" : ", which is empty");
}

void hf_decode_ref(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at)
{
    char *objects;
    size_t n;
    memcpy(&objects, (char *)decoder->config + key->ref->offset, sizeof(objects));
    memcpy(&n, (char *)decoder->config + key->ref->n_offset, sizeof(n));
    for (size_t i = 0; i < n; i++) {
        char *object = objects + i * key->ref->size;
        if (strcmp(object_name(object), node->text) == 0) {
            memcpy(at, &object, sizeof(object));
            return;
        }
    }
    complain_reference(decoder, key, node, objects, n);
}
