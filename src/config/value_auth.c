// SPDX-License-Identifier: Apache-2.0
/*
 * Values about credentials: what a route asks for, claims, key sets and rates. An expression is
 *
 *     idp                               the verifier of that name
 *     [idp, staff]   {any: [...]}       one of these
 *     {all: [...]}                      each of these
 *     {use: idp, scopes: [admin], users: [alice], claims: {tenant: acme}}
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

enum { SUGGEST_MAX = 64 };

/* --- Lists of text ------------------------------------------------------------------------------
 */

static void complain_texts(struct hf_decoder *decoder, const struct hf_key *key,
                           const struct hf_node *node)
{
    hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                "%s takes a text, or a list of at least one", node->key ? node->key : "it");
}

/* A text, or a list of texts. */
static void decode_texts(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, const char *const **out, size_t *out_n)
{
    bool one = node->kind == HF_NODE_SCALAR;
    size_t n = one ? 1 : node->n;
    if ((!one && node->kind != HF_NODE_LIST) || n == 0) {
        complain_texts(decoder, key, node);
        return;
    }
    const char **texts = hf_arena_alloc(decoder->arena, n, sizeof(*texts));
    const struct hf_node *child = one ? node : node->first;
    for (size_t i = 0; texts && i < n; i++, child = child->next) {
        if (child->kind != HF_NODE_SCALAR) {
            complain_texts(decoder, key, child);
            return;
        }
        texts[i] = hf_value_keep(decoder, child->text);
    }
    if (!texts) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    *out = texts;
    *out_n = n;
}

void hf_decode_claims(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    struct hf_cfg_claims *claims = at;
    if (node->kind != HF_NODE_MAP || node->n == 0) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be a mapping of claims to values, such as {tenant: acme}");
        return;
    }
    claims->item = hf_arena_alloc(decoder->arena, node->n, sizeof(*claims->item));
    if (!claims->item) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (const struct hf_node *child = node->first; child; child = child->next) {
        struct hf_jwt_claim *claim = &claims->item[claims->n++];
        claim->name = hf_value_keep(decoder, child->key);
        decode_texts(decoder, key, child, &claim->values, &claim->n_values);
    }
}

/* --- What a route asks for ----------------------------------------------------------------------
 */

static void decode_expr(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, size_t depth, struct hf_cfg_auth_expr *out);

static void decode_name(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, struct hf_cfg_auth_expr *out)
{
    const struct hf_config *config = decoder->config;
    const char *names[SUGGEST_MAX + 1] = {0};
    out->op = HF_AUTH_USE;
    for (size_t i = 0; i < config->n_auth; i++) {
        if (strcmp(config->auth[i].name, node->text) == 0) {
            out->verifier = &config->auth[i];
            return;
        }
        names[i < SUGGEST_MAX ? i : SUGGEST_MAX] = i < SUGGEST_MAX ? config->auth[i].name : NULL;
    }
    const char *closest = hf_closest(node->text, names);
    hf_complain(decoder, HF_FINDING_UNKNOWN_REFERENCE, key, node->mark,
                "there is no auth \"%.63s\"; %s%s%s", node->text,
                closest ? "did you mean \"" : "define it under auth", closest ? closest : "",
                closest ? "\"?" : "");
}

static void decode_parts(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *list, size_t depth, struct hf_cfg_auth_expr *out)
{
    if (list->kind != HF_NODE_LIST || list->n == 0) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, list->mark,
                    "any and all take a list with at least one name");
        return;
    }
    out->parts = hf_arena_alloc(decoder->arena, list->n, sizeof(*out->parts));
    if (!out->parts) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (const struct hf_node *child = list->first; child; child = child->next) {
        decode_expr(decoder, key, child, depth + 1, &out->parts[out->n_parts++]);
    }
}

static void decode_use(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *map, struct hf_cfg_auth_expr *out)
{
    for (const struct hf_node *child = map->first; child; child = child->next) {
        if (strcmp(child->key, "use") == 0 && child->kind == HF_NODE_SCALAR) {
            decode_name(decoder, key, child, out);
        } else if (strcmp(child->key, "users") == 0) {
            decode_texts(decoder, key, child, &out->users, &out->n_users);
        } else if (strcmp(child->key, "scopes") == 0) {
            decode_texts(decoder, key, child, &out->scopes, &out->n_scopes);
        } else if (strcmp(child->key, "claims") == 0) {
            hf_decode_claims(decoder, key, child, &out->claims);
        } else {
            hf_complain(decoder, HF_FINDING_UNKNOWN_KEY, key, child->key_mark,
                        "unknown key \"%.60s\"; beside use there can be users, scopes and claims",
                        child->key);
        }
    }
    if (out->verifier && out->verifier->basic_on && (out->n_scopes || out->claims.n)) {
        hf_complain(decoder, HF_FINDING_CONFLICT, key, map->mark,
                    "a password has neither scopes nor claims; remove them, or name a jwt");
    }
}

static void decode_map(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *map, size_t depth, struct hf_cfg_auth_expr *out)
{
    const struct hf_node *first = map->first;
    bool any = map->n == 1 && strcmp(first->key, "any") == 0;
    bool all = map->n == 1 && strcmp(first->key, "all") == 0;
    if (any || all) {
        out->op = any ? HF_AUTH_ANY : HF_AUTH_ALL;
        decode_parts(decoder, key, first, depth, out);
    } else if (hf_node_get(map, "use")) {
        decode_use(decoder, key, map, out);
    } else {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, map->mark,
                    "write the name of an auth, {any: [...]}, {all: [...]}, or {use: NAME, scopes: "
                    "[...]}");
    }
}

static void decode_expr(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, size_t depth, struct hf_cfg_auth_expr *out)
{
    out->mark = node->mark;
    if (depth > HF_CFG_AUTH_DEPTH_MAX) {
        hf_complain(decoder, HF_FINDING_LIMIT, key, node->mark,
                    "lists within lists, deeper than %d", HF_CFG_AUTH_DEPTH_MAX);
    } else if (node->kind == HF_NODE_SCALAR) {
        decode_name(decoder, key, node, out);
    } else if (node->kind == HF_NODE_MAP && node->n) {
        decode_map(decoder, key, node, depth, out);
    } else if (node->kind == HF_NODE_LIST && node->n) {
        out->op = HF_AUTH_ANY;
        decode_parts(decoder, key, node, depth, out);
    } else if (node->kind != HF_NODE_EMPTY || !node->text) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be the name of an auth, or a list of names");
    }
}

/* Different verifiers in an expression. */
static size_t count_uses(const struct hf_cfg_auth_expr *expr)
{
    size_t n = expr->op == HF_AUTH_USE;
    for (size_t i = 0; i < expr->n_parts; i++) {
        n += count_uses(&expr->parts[i]);
    }
    return n;
}

void hf_decode_auth(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    struct hf_cfg_auth_expr *expr = hf_arena_alloc(decoder->arena, 1, sizeof(*expr));
    if (!expr) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    decode_expr(decoder, key, node, 0, expr);
    if (count_uses(expr) > HF_CFG_AUTH_USES_MAX) {
        hf_complain(decoder, HF_FINDING_LIMIT, key, node->mark, "more than %d names in one route",
                    HF_CFG_AUTH_USES_MAX);
    }
    memcpy(at, &expr, sizeof(expr));
}

/* --- Key sets -----------------------------------------------------------------------------------
 */

void hf_decode_keyset(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    static const char secure[] = "https://";
    const char *rest = node->text + strlen(secure);
    if (!strstr(node->text, "://")) {
        hf_decode_file(decoder, key, node, at);
        return;
    }
    if (strncmp(node->text, secure, strlen(secure)) != 0 || !*rest || *rest == '/') {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.200s\" is neither a file nor a URL that begins with https://", node->text);
    } else if (memchr(rest, '@', strcspn(rest, "/?#")) || strpbrk(rest, " \t\r\n")) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "the URL has a user name or white space in it; write it without");
    } else {
        hf_decode_text(decoder, key, node, at);
    }
}

/* --- Rates --------------------------------------------------------------------------------------
 */

static bool parse_count(const char **at, uint64_t max, uint64_t *out)
{
    char digits[16];
    size_t n = strspn(*at, "0123456789");
    if (n == 0 || n >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, *at, n);
    digits[n] = '\0';
    *at += n;
    return hf_parse_uint(digits, max, out) == HF_OK && *out > 0;
}

/* "100/s", "10/m", "1000/h", and perhaps " burst 200" after it. */
static bool parse_rate(const char *text, struct hf_rate_rule *out)
{
    static const struct {
        const char *word;
        int64_t ns;
    } units[] = {{"/s", INT64_C(1000000000)},
                 {"/m", 60 * INT64_C(1000000000)},
                 {"/h", 3600 * INT64_C(1000000000)}};
    static const char burst_word[] = " burst ";
    uint64_t count = 0, burst = 0;
    int64_t unit = 0;
    if (!parse_count(&text, 10000000, &count)) {
        return false;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(units); i++) {
        unit = strncmp(text, units[i].word, 2) == 0 ? units[i].ns : unit;
    }
    if (!unit) {
        return false;
    }
    text += 2;
    burst = count;
    if (strncmp(text, burst_word, strlen(burst_word)) == 0) {
        text += strlen(burst_word);
        if (!parse_count(&text, 10000000, &burst)) {
            return false;
        }
    }
    *out = (struct hf_rate_rule){unit / (int64_t)count, (unsigned)burst};
    return *text == '\0';
}

void hf_decode_rate(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    struct hf_cfg_rate *rate = at;
    rate->mark = node->mark;
    if (!parse_rate(node->text, &rate->rule)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is no rate; write it like 100/s, 10/m or 100/s burst 200",
                    node->text);
    }
}
