// SPDX-License-Identifier: Apache-2.0
/* What routes are made of: hosts, paths, methods, header fields, and who may come in. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "config/value.h"
#include "http/chars.h"
#include "http/field.h"
#include "http/target.h"
#include "policy/glob.h"
#include "policy/rewrite.h"

enum { FIELD_NAME_MAX = 256, FIELD_VALUE_MAX = 8192 };

static void lower(char *text)
{
    for (; text && *text; text++) {
        *text = (char)tolower((unsigned char)*text);
    }
}

static bool is_token(const char *text)
{
    struct hf_bytes bytes = hf_bytes_str(text);
    return bytes.len && hf_http_span(bytes, HF_CHAR_TOKEN) == bytes.len;
}

/* --- Where a request goes -----------------------------------------------------------------------
 */

void hf_decode_hosts(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    struct in6_addr address;
    struct hf_cfg_string *out = at;
    const char *text = node->text;
    bool is_address =
        inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
    if (!is_address && !hf_value_is_host(strncmp(text, "*.", 2) == 0 ? text + 2 : text)) {
        hf_complain(
            decoder, HF_FINDING_BAD_VALUE, key, node->mark,
            "\"%.80s\" is not a host of requests; write one such as api.example.org or "
            "\"*.example.org\", which is one label before the rest, without scheme and port",
            text);
        return;
    }
    hf_value_set(decoder, node, text, out);
    lower(out->value);
}

void hf_decode_paths(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    struct hf_path_pattern pattern;
    enum hf_err err = hf_path_pattern_init(&pattern, hf_bytes_str(node->text));
    hf_path_pattern_done(&pattern);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}

void hf_decode_method(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    if (!is_token(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is not a method; write one such as GET", node->text);
        return;
    }
    for (const char *c = node->text; *c; c++) {
        if (islower((unsigned char)*c)) {
            hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                        "\"%.60s\" would never match: methods count their case, and all known ones "
                        "are in capitals",
                        node->text);
            return;
        }
    }
    hf_value_set(decoder, node, node->text, at);
}

/* --- Header fields ------------------------------------------------------------------------------
 */

/* Fields that aren't for routes to change: what frames and routes a message, and who the client is
 * by its certificate. */
static const char *why_not_ours(const char *name)
{
    uint8_t traits = 0;
    switch (hf_http_name_find(hf_bytes_str(name), &traits)) {
    case HF_HTTP_CLIENT_CERT:
    case HF_HTTP_CLIENT_CERT_CHAIN:
    case HF_HTTP_X_FORWARDED_CLIENT_CERT:
        return "says who the client is, which only the proxy itself may write";
    case HF_HTTP_HOST:
        return "is changed with rewrite: {host: ...}";
    default:
        return traits & (HF_FIELD_HOP | HF_FIELD_FRAMING) ? "belongs to the connection, not to the "
                                                            "request or answer"
                                                          : NULL;
    }
}

/* A name as it will be sent, in lower case, into out. */
static bool take_name(struct hf_decoder *decoder, const struct hf_key *key, const char *name,
                      struct hf_mark mark, char **out)
{
    if (!is_token(name) || strlen(name) > FIELD_NAME_MAX) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, mark,
                    "\"%.60s\" is not the name of a header; write one such as x-team", name);
        return false;
    }
    *out = hf_value_keep(decoder, name);
    lower(*out);
    return *out != NULL;
}

static bool take_own_name(struct hf_decoder *decoder, const struct hf_key *key, const char *name,
                          struct hf_mark mark, char **out)
{
    if (!take_name(decoder, key, name, mark, out)) {
        return false;
    }
    const char *why = why_not_ours(*out);
    if (why) {
        hf_complain(decoder, HF_FINDING_CONFLICT, key, mark, "%.60s %s", *out, why);
    }
    return !why;
}

void hf_decode_field(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    struct hf_cfg_string *out = at;
    out->mark = node->mark;
    if (!take_own_name(decoder, key, node->text, node->mark, &out->value)) {
        out->value = NULL;
    }
}

static bool is_field_value(const char *text)
{
    struct hf_bytes bytes = hf_bytes_str(text);
    return bytes.len <= FIELD_VALUE_MAX && hf_http_value_span(bytes) == bytes.len &&
           hf_http_trim(bytes).len == bytes.len;
}

typedef bool take_pair(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, struct hf_cfg_pair *out);

/* A mapping of names to single values. */
static void decode_pairs(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, take_pair *take, struct hf_cfg_pairs *out)
{
    if (node->kind != HF_NODE_MAP || node->n == 0) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be a mapping of names to text, such as %s", key->example);
        return;
    }
    out->item = hf_arena_alloc(decoder->arena, node->n, sizeof(*out->item));
    if (!out->item) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (const struct hf_node *child = node->first; child; child = child->next) {
        struct hf_cfg_pair *pair = &out->item[out->n];
        pair->mark = child->key_mark;
        if (child->kind == HF_NODE_EMPTY && child->text) {
            continue; /* an expansion that failed: said already */
        }
        if (child->kind != HF_NODE_SCALAR) {
            hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, child->key_mark,
                        "%.60s must be a single value, in quotes where it is empty", child->key);
            continue;
        }
        out->n += take(decoder, key, child, pair);
    }
}

static bool take_field(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, struct hf_cfg_pair *out)
{
    if (!take_own_name(decoder, key, node->key, node->key_mark, &out->name)) {
        return false;
    }
    if (!is_field_value(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "the value of %.60s can't be sent: no line breaks, other control characters or "
                    "spaces at its ends, and at most %d bytes",
                    node->key, FIELD_VALUE_MAX);
        return false;
    }
    out->value = hf_value_keep(decoder, node->text);
    return out->value != NULL;
}

void hf_decode_fields(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    decode_pairs(decoder, key, node, take_field, at);
}

/* The pattern of a value; the name is taken by the caller. */
static bool take_value_pattern(struct hf_decoder *decoder, const struct hf_key *key,
                               const struct hf_node *node, struct hf_cfg_pair *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf compiled = HF_BUF_INIT(FIELD_VALUE_MAX);
    enum hf_err err = hf_glob_compile(hf_bytes_str(node->text), &compiled);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return false;
    }
    out->value = hf_value_keep(decoder, node->text);
    return out->name && out->value;
}

static bool take_param(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, struct hf_cfg_pair *out)
{
    out->name = hf_value_keep(decoder, node->key);
    return take_value_pattern(decoder, key, node, out);
}

static bool take_field_pattern(struct hf_decoder *decoder, const struct hf_key *key,
                               const struct hf_node *node, struct hf_cfg_pair *out)
{
    return take_name(decoder, key, node->key, node->key_mark, &out->name) &&
           take_value_pattern(decoder, key, node, out);
}

void hf_decode_param_patterns(struct hf_decoder *decoder, const struct hf_key *key,
                              const struct hf_node *node, void *at)
{
    decode_pairs(decoder, key, node, take_param, at);
}

void hf_decode_field_patterns(struct hf_decoder *decoder, const struct hf_key *key,
                              const struct hf_node *node, void *at)
{
    decode_pairs(decoder, key, node, take_field_pattern, at);
}

/* --- What a route makes of a request ------------------------------------------------------------
 */

void hf_decode_plain_path(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, void *at)
{
    struct hf_path_pattern pattern;
    enum hf_err err = hf_path_pattern_init(&pattern, hf_bytes_str(node->text));
    bool stars = pattern.stars;
    hf_path_pattern_done(&pattern);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
    } else if (stars || strchr(node->text, '\\')) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "this is the path itself, not a pattern; write it without stars");
    } else {
        hf_value_set(decoder, node, node->text, at);
    }
}

void hf_decode_authority(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *at)
{
    struct hf_cfg_string *out = at;
    struct hf_http_authority authority;
    if (!hf_http_authority_parse(hf_bytes_str(node->text), &authority)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a host; write one such as app.example.org or "
                    "app.example.org:8080",
                    node->text);
        return;
    }
    hf_value_set(decoder, node, node->text, out);
    lower(out->value);
}

void hf_decode_location(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    enum hf_err err = hf_location_check(hf_bytes_str(node->text));
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}
