// SPDX-License-Identifier: Apache-2.0
/*
 * Roles, and the lists of roles and selectors in routes. A role is written as
 *
 *     "cn:alice"                            a selector, or the name of another role
 *     [ops, "cn:alice"]                     any of these
 *     {any: [...]}  {all: [...]}  {not: X}  the same and its likes, within each other
 *
 * All names are known before the first role is looked into, so that roles may be in any order.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"
#include "policy/route.h"

enum { SUGGEST_MAX = 256, DEPTH_MAX = HF_ROLE_DEPTH_MAX };

static const struct hf_cfg_role *find_role(const struct hf_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_roles; i++) {
        if (strcmp(config->roles[i].name, name) == 0) {
            return &config->roles[i];
        }
    }
    return NULL;
}

static void refuse_name(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, const char *words)
{
    const struct hf_config *config = decoder->config;
    const char *names[SUGGEST_MAX + 1] = {0};
    for (size_t i = 0; i < config->n_roles && i < SUGGEST_MAX; i++) {
        names[i] = config->roles[i].name;
    }
    const char *closest = hf_closest(node->text, names);
    hf_complain(decoder, HF_FINDING_UNKNOWN_REFERENCE, key, node->mark,
                "there is no role \"%.63s\"; %s%s%s", node->text,
                closest ? "did you mean \"" : "define it under roles, or write ",
                closest ? closest : words, closest ? "\"?" : "");
}

/* A selector that is fit for use, or the name of a role; otherwise there is a finding. */
static bool check_who(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, const char *words)
{
    if (!hf_selector_is(hf_bytes_str(node->text))) {
        bool known = find_role(decoder->config, node->text) != NULL;
        if (!known) {
            refuse_name(decoder, key, node, words);
        }
        return known;
    }
    struct hf_selector *selector;
    enum hf_err err = hf_selector_new(hf_bytes_str(node->text), &selector);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return false;
    }
    hf_selector_free(selector);
    return true;
}

void hf_decode_who(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at)
{
    bool word =
        strcmp(node->text, HF_RULE_ANYONE) == 0 || strcmp(node->text, HF_RULE_VERIFIED) == 0;
    if (word ||
        check_who(decoder, key, node, "a selector such as cn:alice, or verified, or anyone")) {
        hf_value_set(decoder, node, node->text, at);
    }
}

/* --- Roles --------------------------------------------------------------------------------------
 */

static const struct {
    const char *word;
    enum hf_role_op op;
} operators[] = {{"any", HF_ROLE_ANY}, {"all", HF_ROLE_ALL}, {"not", HF_ROLE_NOT}};

static void decode_expr(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, size_t depth, struct hf_role_expr *out);

static void decode_name(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, struct hf_role_expr *out)
{
    if (check_who(decoder, key, node, "a selector such as cn:alice")) {
        out->op = hf_selector_is(hf_bytes_str(node->text)) ? HF_ROLE_SELECTOR : HF_ROLE_NAMED;
        out->text = hf_value_keep(decoder, node->text);
    }
}

static void decode_parts(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *list, size_t depth, struct hf_role_expr *out)
{
    struct hf_role_expr *parts = hf_arena_alloc(decoder->arena, list->n, sizeof(*parts));
    if (!parts) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    size_t i = 0;
    for (const struct hf_node *child = list->first; child; child = child->next) {
        decode_expr(decoder, key, child, depth + 1, &parts[i++]);
    }
    out->parts = parts;
    out->n_parts = i;
}

static void decode_not(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, size_t depth, struct hf_role_expr *out)
{
    struct hf_role_expr *part = hf_arena_alloc(decoder->arena, 1, sizeof(*part));
    if (!part) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    decode_expr(decoder, key, node, depth + 1, part);
    out->parts = part;
    out->n_parts = 1;
}

static void complain_role(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node)
{
    hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                "a role is a selector such as \"cn:alice\", the name of another role, a list of "
                "these, or one of {any: [...]}, {all: [...]}, {not: ...}");
}

static void decode_operator(struct hf_decoder *decoder, const struct hf_key *key,
                            const struct hf_node *map, size_t depth, struct hf_role_expr *out)
{
    const struct hf_node *node = map->first;
    size_t i = 0;
    while (map->n == 1 && i < HF_N_ELEMENTS(operators) &&
           strcmp(operators[i].word, node->key) != 0) {
        i++;
    }
    if (map->n != 1 || i == HF_N_ELEMENTS(operators)) {
        complain_role(decoder, key, map);
        return;
    }
    out->op = operators[i].op;
    if (out->op == HF_ROLE_NOT) {
        decode_not(decoder, key, node, depth, out);
    } else if (node->kind == HF_NODE_LIST && node->n) {
        decode_parts(decoder, key, node, depth, out);
    } else {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "%s takes a list with at least one role or selector", node->key);
    }
}

static void decode_expr(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, size_t depth, struct hf_role_expr *out)
{
    struct hf_mark *mark = hf_arena_alloc(decoder->arena, 1, sizeof(*mark));
    if (!mark) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    *mark = node->mark;
    out->tag = mark;
    if (depth > DEPTH_MAX) {
        hf_complain(decoder, HF_FINDING_LIMIT, key, node->mark,
                    "lists within lists, deeper than %d; give the inner ones a role of their own",
                    (int)DEPTH_MAX);
        return;
    }
    if (node->kind == HF_NODE_SCALAR) {
        decode_name(decoder, key, node, out);
    } else if (node->kind == HF_NODE_LIST && node->n) {
        out->op = HF_ROLE_ANY;
        decode_parts(decoder, key, node, depth, out);
    } else if (node->kind == HF_NODE_MAP) {
        decode_operator(decoder, key, node, depth, out);
    } else if (node->kind != HF_NODE_EMPTY || !node->text) {
        complain_role(decoder, key, node);
    }
}

static void name_role(struct hf_decoder *decoder, const struct hf_node *node,
                      struct hf_cfg_role *out)
{
    bool word = strcmp(node->key, HF_RULE_ANYONE) == 0 || strcmp(node->key, HF_RULE_VERIFIED) == 0;
    *out = (struct hf_cfg_role){.name = hf_value_keep(decoder, node->key), .mark = node->key_mark};
    if (word || !hf_value_is_name(node->key)) {
        hf_findings_add(decoder->findings, HF_FINDING_BAD_NAME, node->key_mark,
                        "\"%.80s\" can't be the name of a role; %s", node->key,
                        word
                            ? "the word means something else already"
                            : "use 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit");
    }
}

/* What only all roles together show: cycles. */
static void check_roles(struct hf_decoder *decoder)
{
    const struct hf_config *config = decoder->config;
    struct hf_role_source *sources =
        hf_arena_alloc(decoder->arena, config->n_roles, sizeof(*sources));
    struct hf_role_place place;
    struct hf_roles *roles;
    if (!sources) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        sources[i] = (struct hf_role_source){config->roles[i].name, config->roles[i].expr};
    }
    enum hf_err err = hf_roles_new(sources, config->n_roles, &roles, &place);
    if (err == HF_E_NOMEM) {
        decoder->err = err;
    } else if (err != HF_OK) {
        const struct hf_mark *mark = place.expr ? place.expr->tag : NULL;
        hf_findings_add(decoder->findings, HF_FINDING_BAD_VALUE,
                        mark ? *mark : config->roles[place.role].mark, "roles: %s", hf_err_text());
    } else {
        hf_roles_free(roles);
    }
}

void hf_decode_roles(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    (void)at;
    struct hf_config *config = decoder->config;
    size_t errors = decoder->findings->n_errors;
    if (node->kind != HF_NODE_MAP || node->n == 0) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be a mapping of names to roles, such as %s", key->example);
        return;
    }
    config->roles = hf_arena_alloc(decoder->arena, node->n, sizeof(*config->roles));
    if (!config->roles) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (const struct hf_node *child = node->first; child && decoder->err == HF_OK;
         child = child->next) {
        name_role(decoder, child, &config->roles[config->n_roles++]);
    }
    struct hf_cfg_role *role = config->roles;
    for (const struct hf_node *child = node->first; child && decoder->err == HF_OK;
         child = child->next) {
        decode_expr(decoder, key, child, 0, &role++->expr);
    }
    if (decoder->err == HF_OK && decoder->findings->n_errors == errors) {
        check_roles(decoder);
    }
}
