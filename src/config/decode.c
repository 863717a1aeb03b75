// SPDX-License-Identifier: Apache-2.0
/*
 * The driver of the key table: walks the rows of a section beside a map of the tree. It decodes
 * everything that it can and reports everything that it can't; a value that was refused leaves its
 * field zero, which nobody sees because a config with findings is not handed out.
 *
 * References are pointers into arrays that are complete before anything refers to them: the table's
 * order at the top of the file, not the file's, is the order of decoding, and all names of a class
 * are known before the first object of it is looked into.
 */
#include "config/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* What all named objects begin with. */
struct named {
    char *name;
    struct hf_mark mark;
};
_Static_assert(offsetof(struct hf_cfg_identity, mark) == offsetof(struct named, mark), "named");
_Static_assert(offsetof(struct hf_cfg_trust, mark) == offsetof(struct named, mark), "named");
_Static_assert(offsetof(struct hf_cfg_upstream, mark) == offsetof(struct named, mark), "named");
_Static_assert(offsetof(struct hf_cfg_auth, mark) == offsetof(struct named, mark), "named");
_Static_assert(offsetof(struct hf_cfg_listener, mark) == offsetof(struct named, mark), "named");

enum { KEYS_MAX = 32 };

static void *at_offset(void *object, size_t offset)
{
    return (char *)object + offset;
}

void hf_complain(struct hf_decoder *decoder, enum hf_finding_id id, const struct hf_key *key,
                 struct hf_mark mark, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (key && !mark.flag) {
        hf_findings_add(decoder->findings, id, mark, "%s: %s", key->name, text);
    } else {
        hf_findings_add(decoder->findings, id, mark, "%s", text);
    }
}

void hf_words_join(const struct hf_word *words, const char *last, char *out, size_t out_size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; (words && words[i].word) || last; i++) {
        bool from_words = words && words[i].word;
        bool is_last = from_words ? !words[i + 1].word && !last : true;
        int n = snprintf(out + len, out_size - len, "%s%s",
                         i == 0    ? ""
                         : is_last ? " or "
                                   : ", ",
                         from_words ? words[i].word : last);
        len += n > 0 && (size_t)n < out_size - len ? (size_t)n : 0;
        if (!from_words) {
            return;
        }
    }
}

/* --- Shapes ------------------------------------------------------------------------------------*/

static const char *const node_words[] = {
    [HF_NODE_EMPTY] = "nothing",
    [HF_NODE_SCALAR] = "a single value",
    [HF_NODE_LIST] = "a list",
    [HF_NODE_MAP] = "a mapping",
};

static void complain_shape(struct hf_decoder *decoder, const struct hf_key *key,
                           const struct hf_node *node, const char *wanted)
{
    const char *name = key ? key->name : "the file";
    if (node->kind == HF_NODE_EMPTY && node->text) {
        return; /* an expansion that failed: said already */
    }
    if (node->kind == HF_NODE_EMPTY) {
        hf_findings_add(decoder->findings, HF_FINDING_WRONG_TYPE, node->mark,
                        "%s has no value; give it %s%s%s, or remove the key", name, wanted,
                        key && key->example ? ", such as " : "",
                        key && key->example ? key->example : "");
        return;
    }
    bool bare = node->kind == HF_NODE_LIST && node->n == 0;
    hf_findings_add(
        decoder->findings, HF_FINDING_WRONG_TYPE, node->mark, "%s must be %s, not %s%s%s", name,
        wanted, bare ? "an empty list" : node_words[node->kind],
        key && key->example ? "; write it like " : "", key && key->example ? key->example : "");
}

static void decode_scalar(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, void *at)
{
    if (node->kind != HF_NODE_SCALAR) {
        complain_shape(decoder, key, node, hf_kinds[key->kind].noun);
        return;
    }
    hf_kinds[key->kind].decode(decoder, key, node, at);
}

static void publish_array(const struct hf_key *key, void *object, void *array, size_t n)
{
    memcpy(at_offset(object, key->offset), &array, sizeof(array));
    memcpy(at_offset(object, key->n_offset), &n, sizeof(n));
}

/* An array for n elements; NULL when out of memory, which is noted. */
static void *new_array(struct hf_decoder *decoder, size_t n, size_t size)
{
    void *array = hf_arena_alloc(decoder->arena, n, size);
    if (!array) {
        decoder->err = HF_E_NOMEM;
    }
    return array;
}

static void decode_list(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *object)
{
    bool bare = node->kind == HF_NODE_SCALAR;
    size_t size = hf_kinds[key->kind].size;
    size_t n = bare ? 1 : node->n;
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "a list with at least one entry, each %s",
             hf_kinds[key->kind].noun);
    if ((!bare && node->kind != HF_NODE_LIST) || n == 0) {
        complain_shape(decoder, key, node, wanted);
        return;
    }
    char *array = new_array(decoder, n, size);
    if (!array) {
        return;
    }
    const struct hf_node *child = bare ? node : node->first;
    for (size_t i = 0; i < n; i++, child = child->next) {
        decode_scalar(decoder, key, child, array + i * size);
    }
    publish_array(key, object, array, n);
}

/* --- Objects -----------------------------------------------------------------------------------*/

static void decode_standard(struct hf_decoder *decoder, const struct hf_key *key, void *object);

/* An object written as the value of its first key; the others have their defaults. */
static void decode_short(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *object)
{
    const struct hf_section *section = key->section;
    const struct hf_key *first = &section->keys[0];
    hf_kinds[first->kind].decode(decoder, key, node, at_offset(object, first->offset));
    for (size_t i = 1; i < section->n_keys && decoder->err == HF_OK; i++) {
        decode_standard(decoder, &section->keys[i], object);
    }
}

static void decode_objects(struct hf_decoder *decoder, const struct hf_key *key,
                           const struct hf_node *node, void *object)
{
    size_t size = key->section->size;
    bool bare = key->shorthand && node->kind == HF_NODE_SCALAR;
    size_t n = bare ? 1 : node->n;
    if ((!bare && node->kind != HF_NODE_LIST) || n == 0) {
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "a list with at least one entry, each %s",
                 hf_kinds[key->section->keys[0].kind].noun);
        complain_shape(decoder, key, node, key->shorthand ? wanted : "a list of mappings");
        return;
    }
    char *array = new_array(decoder, n, size);
    size_t i = 0;
    for (const struct hf_node *child = bare ? node : node->first; array && i < n;
         child = child->next, i++) {
        if (key->shorthand && child->kind == HF_NODE_SCALAR) {
            decode_short(decoder, key, child, array + size * i);
        } else {
            hf_decode_section(decoder, key->section, child, array + size * i);
        }
    }
    publish_array(key, object, array, i);
}

static void name_object(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, struct named *out)
{
    out->mark = node->key_mark;
    out->name = hf_arena_strdup(decoder->arena, node->key);
    if (!out->name) {
        decoder->err = HF_E_NOMEM;
    }
    if (!hf_value_is_name(node->key)) {
        hf_findings_add(decoder->findings, HF_FINDING_BAD_NAME, node->key_mark,
                        "\"%.80s\" can't be the name of one of the %s; use 1 to 63 of a-z, 0-9, _ "
                        "and -, beginning with a letter or digit",
                        node->key, key->name);
    }
}

static void decode_named(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *object)
{
    size_t size = key->section->size;
    char wanted[96];
    snprintf(wanted, sizeof(wanted), "a mapping of names to %s", key->name);
    if (node->kind != HF_NODE_MAP) {
        complain_shape(decoder, key, node, wanted);
        return;
    }
    char *array = new_array(decoder, node->n, size);
    size_t i = 0;
    for (const struct hf_node *child = node->first; array && child; child = child->next, i++) {
        name_object(decoder, key, child, (struct named *)(void *)(array + size * i));
    }
    publish_array(key, object, array, i);
    i = 0;
    for (const struct hf_node *child = node->first; array && child; child = child->next, i++) {
        hf_decode_section(decoder, key->section, child, array + size * i);
    }
}

/* --- Rows --------------------------------------------------------------------------------------*/

static void decode_value(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *object)
{
    void *at = at_offset(object, key->offset);
    switch (key->kind) {
    case HF_KIND_SECTION:
        hf_decode_section(decoder, key->section, node, at);
        break;
    case HF_KIND_OBJECTS:
        decode_objects(decoder, key, node, object);
        break;
    case HF_KIND_NAMED:
        decode_named(decoder, key, node, object);
        break;
    case HF_KIND_VERSIONS:
    case HF_KIND_TLS_WORD: /* these take lists or mappings whole */
    case HF_KIND_FIELDS:
    case HF_KIND_FIELD_PATTERNS:
    case HF_KIND_PARAM_PATTERNS:
    case HF_KIND_ROLES:
    case HF_KIND_AUTH:
    case HF_KIND_CLAIMS:
        hf_kinds[key->kind].decode(decoder, key, node, at);
        break;
    default:
        if (key->list) {
            decode_list(decoder, key, node, object);
        } else {
            decode_scalar(decoder, key, node, at);
        }
    }
}

/* A row that the file says nothing about: its default goes through the same decoder as a value. */
static void decode_standard(struct hf_decoder *decoder, const struct hf_key *key, void *object)
{
    static const struct hf_node nothing = {.kind = HF_NODE_MAP};
    struct hf_node scalar = {.kind = HF_NODE_SCALAR, .text = key->standard};
    struct hf_node *value = &scalar;
    if (key->kind == HF_KIND_SECTION && !key->set_offset) {
        hf_decode_section(decoder, key->section, &nothing, at_offset(object, key->offset));
        return;
    }
    if (!key->standard) {
        return;
    }
    if (key->standard[0] == '[') {
        decoder->err =
            hf_tree_parse(hf_bytes_str(key->standard), decoder->arena, decoder->findings, &value);
    }
    if (value) {
        decode_value(decoder, key, value, object);
    }
}

static void decode_row(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *object)
{
    if (key->set_offset) {
        memcpy(at_offset(object, key->set_offset), &(bool){true}, sizeof(bool));
    }
    if (key->mark_offset) {
        memcpy(at_offset(object, key->mark_offset), &node->mark, sizeof(node->mark));
    }
    decode_value(decoder, key, node, object);
}

static const struct hf_key *find_key(const struct hf_section *section, const char *name)
{
    for (size_t i = 0; i < section->n_keys; i++) {
        if (strcmp(section->keys[i].name, name) == 0) {
            return &section->keys[i];
        }
    }
    return NULL;
}

static void complain_unknown(struct hf_decoder *decoder, const struct hf_section *section,
                             const struct hf_node *node)
{
    struct hf_word words[KEYS_MAX + 1] = {{0}};
    const char *names[KEYS_MAX + 1] = {0};
    char all[512];
    for (size_t i = 0; i < section->n_keys && i < KEYS_MAX; i++) {
        words[i].word = names[i] = section->keys[i].name;
    }
    const char *closest = hf_closest(node->key, names);
    if (closest) {
        hf_findings_add(decoder->findings, HF_FINDING_UNKNOWN_KEY, node->key_mark,
                        "unknown key \"%.60s\"; did you mean \"%s\"?", node->key, closest);
        return;
    }
    hf_words_join(words, NULL, all, sizeof(all));
    hf_findings_add(decoder->findings, HF_FINDING_UNKNOWN_KEY, node->key_mark,
                    "unknown key \"%.60s\"; remove it, or use one of %s", node->key, all);
}

/* "upstream "app" has no servers", "check has no type": a key that is the noun isn't said twice. */
static void complain_missing(struct hf_decoder *decoder, const struct hf_section *section,
                             const struct hf_key *key, const struct hf_node *node)
{
    bool named = node->key && strcmp(node->key, section->noun) != 0;
    const char *quote = named ? "\"" : "";
    hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY,
                    node->key ? node->key_mark : node->mark, "%s %s%.63s%s%shas no %s; add %s%s%s",
                    section->noun, quote, named ? node->key : "", quote, named ? " " : "",
                    key->name, key->name, key->example ? ", such as " : "",
                    key->example ? key->example : "");
}

void hf_decode_section(struct hf_decoder *decoder, const struct hf_section *section,
                       const struct hf_node *node, void *object)
{
    if (node->kind != HF_NODE_MAP) {
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "a mapping with keys such as %s", section->keys[0].name);
        complain_shape(decoder, &(struct hf_key){.name = node->key ? node->key : section->noun},
                       node, wanted);
        return;
    }
    for (const struct hf_node *child = node->first; child; child = child->next) {
        if (!find_key(section, child->key)) {
            complain_unknown(decoder, section, child);
        }
    }
    for (size_t i = 0; i < section->n_keys && decoder->err == HF_OK; i++) {
        const struct hf_key *key = &section->keys[i];
        const struct hf_node *child = hf_node_get(node, key->name);
        if (child) {
            decode_row(decoder, key, child, object);
        } else if (key->required) {
            complain_missing(decoder, section, key, node);
        } else {
            decode_standard(decoder, key, object);
        }
    }
    if (section->check && decoder->err == HF_OK) {
        section->check(decoder, node, object);
    }
}

enum hf_err hf_decode(struct hf_decoder *decoder, const struct hf_node *root)
{
    hf_decode_section(decoder, &hf_section_config, root, decoder->config);
    return decoder->err;
}
