// SPDX-License-Identifier: Apache-2.0
/*
 * YAML to a plain tree, over libyaml's events. What YAML offers beyond maps, lists and scalars is
 * refused: aliases (a few lines of them can stand for a billion nodes), tags, and more than one
 * document. Everything that a file can make us do is bounded by the limits in the header.
 *
 * A syntax error ends the reading; duplicate keys and unset variables are findings, and reading
 * goes on, so that one run shows them all.
 */
#include "config/tree.h"

#include <string.h>
#include <yaml.h>

#include "base/map.h"

struct parser {
    yaml_parser_t yaml;
    struct hf_arena *arena;
    struct hf_findings *findings;
    size_t n_nodes;
    bool plain; /* nothing from the environment */
};

static void parser_done(struct parser *parser)
{
    yaml_parser_delete(&parser->yaml);
}

static struct hf_mark mark_of(const yaml_mark_t *mark)
{
    return (struct hf_mark){.line = (int)mark->line + 1, .column = (int)mark->column + 1};
}

static enum hf_err fail_syntax(struct parser *parser)
{
    const yaml_parser_t *yaml = &parser->yaml;
    if (yaml->error == YAML_MEMORY_ERROR) {
        return hf_fail(HF_E_NOMEM, "out of memory while reading YAML");
    }
    const char *problem = yaml->problem ? yaml->problem : "unreadable text";
    bool tab = strstr(problem, "cannot start any token");
    const char *advice =
        tab ? "indent with spaces, not tabs, and quote values that begin with @ or `"
            : "check indentation, colons and quotes here and in the lines above";
    hf_findings_add(parser->findings, HF_FINDING_YAML, mark_of(&yaml->problem_mark),
                    "not valid YAML: %s%s%s; %s", yaml->context ? yaml->context : "",
                    yaml->context ? ", " : "", problem, advice);
    return HF_E_CONFIG;
}

static enum hf_err refuse(struct parser *parser, const yaml_event_t *event, const char *what)
{
    hf_findings_add(parser->findings, HF_FINDING_YAML, mark_of(&event->start_mark), "%s", what);
    return HF_E_CONFIG;
}

static enum hf_err next_event(struct parser *parser, yaml_event_t *out)
{
    return yaml_parser_parse(&parser->yaml, out) ? HF_OK : fail_syntax(parser);
}

struct hf_node *hf_node_new(struct hf_arena *arena, enum hf_node_kind kind, struct hf_mark mark)
{
    struct hf_node *node = hf_arena_alloc(arena, 1, sizeof(*node));
    if (node) {
        node->kind = kind;
        node->mark = mark;
    }
    return node;
}

void hf_node_add(struct hf_node *parent, struct hf_node *child, const char *key)
{
    child->key = key;
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->n++;
}

const struct hf_node *hf_node_get(const struct hf_node *node, const char *key)
{
    const struct hf_node *child = node && node->kind == HF_NODE_MAP ? node->first : NULL;
    while (child && strcmp(child->key, key) != 0) {
        child = child->next;
    }
    return child;
}

/* A plain scalar that YAML reads as null. */
static bool is_null(const yaml_event_t *event)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    const char *text = (const char *)event->data.scalar.value;
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Copies a scalar's text; refuses what a C string can't hold. */
static enum hf_err copy_text(struct parser *parser, const yaml_event_t *event, const char **out)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    if (memchr(text, 0, len)) {
        return refuse(parser, event, "a NUL character inside a value; remove it");
    }
    if (len > HF_CONFIG_VALUE_MAX) {
        return refuse(parser, event, "a value longer than 64 KiB; shorten it");
    }
    *out = hf_arena_strndup(parser->arena, text, len);
    return *out ? HF_OK : HF_E_NOMEM;
}

static enum hf_err parse_scalar(struct parser *parser, const yaml_event_t *event,
                                struct hf_node *node)
{
    const char *raw;
    enum hf_err err;
    node->kind = HF_NODE_SCALAR;
    if (is_null(event)) {
        node->kind = HF_NODE_EMPTY;
        return HF_OK;
    }
    HF_TRY(copy_text(parser, event, &raw));
    if (parser->plain) {
        node->text = raw;
        return HF_OK;
    }
    node->text = hf_expand(raw, node->mark, parser->arena, parser->findings, &err);
    if (!node->text && err == HF_E_CONFIG) {
        node->kind = HF_NODE_EMPTY; /* has its finding already; the decoder passes over it */
        node->text = "";
        err = HF_OK;
    }
    return err;
}

static enum hf_err parse_node(struct parser *parser, const yaml_event_t *event, int depth,
                              struct hf_node **out);

static enum hf_err parse_list(struct parser *parser, int depth, struct hf_node *list)
{
    for (;;) {
        yaml_event_t event;
        struct hf_node *child = NULL;
        HF_TRY(next_event(parser, &event));
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        enum hf_err err = end ? HF_OK : parse_node(parser, &event, depth + 1, &child);
        yaml_event_delete(&event);
        if (end || err != HF_OK) {
            return err;
        }
        hf_node_add(list, child, NULL);
    }
}

/* Takes the event of a key; *out_key is NULL at the end of the map. */
static enum hf_err parse_key(struct parser *parser, const char **out_key, struct hf_mark *out_mark)
{
    yaml_event_t event;
    enum hf_err err = HF_OK;
    *out_key = NULL;
    HF_TRY(next_event(parser, &event));
    *out_mark = mark_of(&event.start_mark);
    if (event.type == YAML_SCALAR_EVENT) {
        err = copy_text(parser, &event, out_key);
    } else if (event.type == YAML_ALIAS_EVENT) {
        err = refuse(parser, &event, "YAML aliases are refused here; write the value out");
    } else if (event.type != YAML_MAPPING_END_EVENT) {
        err = refuse(parser, &event, "a key must be a word");
    }
    yaml_event_delete(&event);
    return err;
}

/* True when the key is new; otherwise there is a finding. */
static enum hf_err note_key(struct parser *parser, struct hf_map *seen, struct hf_node *child,
                            bool *out_new)
{
    struct hf_bytes key = hf_bytes_str(child->key);
    const struct hf_node *before = hf_map_get(seen, key);
    *out_new = before == NULL;
    if (!before) {
        return hf_map_put(seen, key, child);
    }
    hf_findings_add(parser->findings, HF_FINDING_DUPLICATE_KEY, child->key_mark,
                    "\"%.60s\" is here twice, first in line %d; remove one", child->key,
                    before->key_mark.line);
    return HF_OK;
}

static enum hf_err parse_entry(struct parser *parser, const char *key, struct hf_mark key_mark,
                               int depth, struct hf_map *seen, struct hf_node *map)
{
    yaml_event_t event;
    struct hf_node *child = NULL;
    bool is_new = false;
    HF_TRY(next_event(parser, &event));
    enum hf_err err = parse_node(parser, &event, depth + 1, &child);
    yaml_event_delete(&event);
    if (err == HF_OK) {
        child->key = key;
        child->key_mark = key_mark;
        err = note_key(parser, seen, child, &is_new);
    }
    if (err == HF_OK && is_new) {
        hf_node_add(map, child, key);
    }
    return err;
}

static enum hf_err parse_map(struct parser *parser, int depth, struct hf_node *map)
{
    HF_CLEANUP(hf_map_done) struct hf_map seen = {0};
    for (;;) {
        const char *key;
        struct hf_mark mark;
        HF_TRY(parse_key(parser, &key, &mark));
        if (!key) {
            return HF_OK;
        }
        HF_TRY(parse_entry(parser, key, mark, depth, &seen, map));
    }
}

static enum hf_err check_limits(struct parser *parser, const yaml_event_t *event, int depth)
{
    const char *what = NULL;
    if (depth > HF_CONFIG_DEPTH_MAX) {
        what = "nested too deeply; no setting is that deep";
    } else if (++parser->n_nodes > HF_CONFIG_NODES_MAX) {
        what = "more than 50000 values in one file";
    }
    if (what) {
        hf_findings_add(parser->findings, HF_FINDING_LIMIT, mark_of(&event->start_mark), "%s",
                        what);
    }
    return what ? HF_E_CONFIG : HF_OK;
}

static bool has_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag;
    default:
        return false;
    }
}

static enum hf_err parse_node(struct parser *parser, const yaml_event_t *event, int depth,
                              struct hf_node **out)
{
    HF_TRY(check_limits(parser, event, depth));
    if (has_tag(event)) {
        return refuse(parser, event, "YAML tags are refused here; write the value without one");
    }
    struct hf_node *node = hf_node_new(parser->arena, HF_NODE_MAP, mark_of(&event->start_mark));
    if (!node) {
        return HF_E_NOMEM;
    }
    *out = node;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return parse_scalar(parser, event, node);
    case YAML_SEQUENCE_START_EVENT:
        node->kind = HF_NODE_LIST;
        return parse_list(parser, depth, node);
    case YAML_MAPPING_START_EVENT:
        return parse_map(parser, depth, node);
    default:
        return refuse(parser, event, "YAML aliases are refused here; write the value out");
    }
}

/* Events in order: stream start, document start, the node, document end, stream end. */
static enum hf_err parse_stream(struct parser *parser, struct hf_node **out)
{
    for (;;) {
        yaml_event_t event;
        enum hf_err err = HF_OK;
        HF_TRY(next_event(parser, &event));
        yaml_event_type_t type = event.type;
        bool frame = type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT ||
                     type == YAML_STREAM_END_EVENT || (type == YAML_DOCUMENT_START_EVENT && !*out);
        if (type == YAML_DOCUMENT_START_EVENT && *out) {
            err = refuse(parser, &event,
                         "a second YAML document begins here; a config file holds one");
        } else if (!frame) {
            err = parse_node(parser, &event, 0, out);
        }
        yaml_event_delete(&event);
        if (err != HF_OK || type == YAML_STREAM_END_EVENT) {
            return err;
        }
    }
}

/* Editors put one in front; libyaml would count it as a column. */
static struct hf_bytes without_bom(struct hf_bytes text)
{
    bool has_bom = text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0;
    return has_bom ? hf_bytes_from(text, 3) : text;
}

static enum hf_err parse(struct hf_bytes text, bool plain, struct hf_arena *arena,
                         struct hf_findings *findings, struct hf_node **out)
{
    HF_CLEANUP(parser_done)
    struct parser parser = {.arena = arena, .findings = findings, .plain = plain};
    struct hf_node *root = NULL;
    *out = NULL;
    if (text.len > HF_CONFIG_FILE_MAX) {
        hf_findings_add(findings, HF_FINDING_LIMIT, (struct hf_mark){0},
                        "the file is larger than %u bytes", HF_CONFIG_FILE_MAX);
        return HF_OK;
    }
    if (!yaml_parser_initialize(&parser.yaml)) {
        return hf_fail(HF_E_NOMEM, "out of memory while reading YAML");
    }
    text = without_bom(text);
    yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser.yaml, text.ptr ? text.ptr : (const uint8_t *)"", text.len);
    enum hf_err err = parse_stream(&parser, &root);
    if (err == HF_E_CONFIG) {
        return HF_OK;
    }
    *out = err == HF_OK ? root : NULL;
    return err;
}

enum hf_err hf_tree_parse(struct hf_bytes text, struct hf_arena *arena,
                          struct hf_findings *findings, struct hf_node **out)
{
    return parse(text, false, arena, findings, out);
}

enum hf_err hf_tree_parse_plain(struct hf_bytes text, struct hf_arena *arena,
                                struct hf_findings *findings, struct hf_node **out)
{
    return parse(text, true, arena, findings, out);
}
