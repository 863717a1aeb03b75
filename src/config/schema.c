// SPDX-License-Identifier: Apache-2.0
/*
 * The key table as JSON Schema (draft 2020-12), for editors and for checks without the program.
 * It says what single values may be. What needs a second look - references, files, settings that
 * contradict each other - only `handfast check` can say.
 */
#include <string.h>

#include "base/text.h"
#include "config/decode.h"

enum { SCHEMA_MAX = 1 << 20 };

#define NAME_PATTERN "^[a-z0-9][a-z0-9_-]{0,62}$"

/* A role: a selector or the name of a role, a list of which one must hold, or any, all, not. */
#define ROLE_SCHEMA \
    "\"role\":{\"anyOf\":[{\"type\":\"string\",\"minLength\":1}," \
    "{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/role\"}}," \
    "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,\"additionalProperties\":false," \
    "\"properties\":{" \
    "\"any\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/role\"}}," \
    "\"all\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/role\"}}," \
    "\"not\":{\"$ref\":\"#/$defs/role\"}}}]}"

/* Texts, claims, and what a route asks for. */
#define AUTH_SCHEMA \
    "\"texts\":{\"anyOf\":[{\"type\":[\"string\",\"number\",\"boolean\"]}," \
    "{\"type\":\"array\",\"minItems\":1," \
    "\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}]}," \
    "\"claims\":{\"type\":\"object\",\"minProperties\":1," \
    "\"additionalProperties\":{\"$ref\":\"#/$defs/texts\"}}," \
    "\"auths\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/auth\"}}," \
    "\"auth\":{\"anyOf\":[{\"type\":\"string\",\"minLength\":1},{\"$ref\":\"#/$defs/auths\"}," \
    "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,\"additionalProperties\":false," \
    "\"properties\":{\"any\":{\"$ref\":\"#/$defs/auths\"},\"all\":{\"$ref\":\"#/$defs/auths\"}}}," \
    "{\"type\":\"object\",\"required\":[\"use\"],\"additionalProperties\":false," \
    "\"properties\":{\"use\":{\"type\":\"string\",\"minLength\":1}," \
    "\"users\":{\"$ref\":\"#/$defs/texts\"},\"scopes\":{\"$ref\":\"#/$defs/texts\"}," \
    "\"claims\":{\"$ref\":\"#/$defs/claims\"}}}]}"

static enum hf_err put_section(struct hf_buf *out, const struct hf_section *section);

static enum hf_err put_string(struct hf_buf *out, const char *text)
{
    return hf_append_json_string(out, hf_bytes_str(text));
}

/* "require","request",... */
static enum hf_err put_words(struct hf_buf *out, const struct hf_word *words)
{
    for (size_t i = 0; words[i].word; i++) {
        HF_TRY(hf_buf_append_str(out, i ? "," : ""));
        HF_TRY(put_string(out, words[i].word));
        if (words[i].word[strspn(words[i].word, "0123456789")] == '\0') { /* YAML's 308 */
            HF_TRY(hf_buf_printf(out, ",%s", words[i].word));
        }
    }
    return HF_OK;
}

static enum hf_err put_number(struct hf_buf *out, const struct hf_key *key)
{
    HF_TRY(hf_buf_printf(out, "{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld}",
                         (long long)key->min, (long long)key->max));
    HF_TRY(hf_buf_append_str(out, ",{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"}"));
    if (key->words) {
        HF_TRY(hf_buf_append_str(out, ",{\"enum\":["));
        HF_TRY(put_words(out, key->words));
        HF_TRY(hf_buf_append_str(out, "]}"));
    }
    return HF_OK;
}

/* "[a, \"b\"]", a list as the table has it, as JSON. */
static enum hf_err put_list(struct hf_buf *out, const char *list)
{
    const char *separator = "[";
    for (const char *at = list + 1; *at && *at != ']';) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ",]");
        bool quoted = len >= 2 && at[0] == '"';
        HF_TRY(hf_buf_append_str(out, separator));
        HF_TRY(hf_append_json_string(out, hf_bytes_of(at + quoted, len - 2 * (size_t)quoted)));
        separator = ",";
        at += len;
    }
    return hf_buf_append_str(out, "]");
}

/* One value; a variable may stand for any. */
static enum hf_err put_scalar(struct hf_buf *out, const struct hf_key *key)
{
    HF_TRY(hf_buf_append_str(out, "{\"anyOf\":["));
    if (key->kind == HF_KIND_UINT) {
        HF_TRY(put_number(out, key));
    } else if (key->kind == HF_KIND_ENUM) {
        HF_TRY(hf_buf_append_str(out, "{\"enum\":["));
        HF_TRY(put_words(out, key->words));
        HF_TRY(hf_buf_append_str(out, "]}"));
    } else {
        HF_TRY(hf_buf_append_str(out, hf_kinds[key->kind].schema));
    }
    return hf_buf_append_str(out, ",{\"$ref\":\"#/$defs/variable\"}]}");
}

static bool takes_list(const struct hf_key *key)
{
    return key->list || key->kind == HF_KIND_VERSIONS || key->kind == HF_KIND_TLS_WORD;
}

/* A mapping that its decoder takes whole. */
static bool is_whole(const struct hf_key *key)
{
    return key->kind == HF_KIND_FIELDS || key->kind == HF_KIND_FIELD_PATTERNS ||
           key->kind == HF_KIND_PARAM_PATTERNS || key->kind == HF_KIND_ROLES ||
           key->kind == HF_KIND_AUTH || key->kind == HF_KIND_CLAIMS;
}

/* Objects that may be written short: one alone, or a list of short and long ones. */
static enum hf_err put_short_objects(struct hf_buf *out, const struct hf_key *key)
{
    const struct hf_key *first = &key->section->keys[0];
    HF_TRY(hf_buf_append_str(out, "\"anyOf\":["));
    HF_TRY(put_scalar(out, first));
    HF_TRY(hf_buf_append_str(out, ",{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":["));
    HF_TRY(put_scalar(out, first));
    HF_TRY(hf_buf_append_str(out, ",{"));
    HF_TRY(put_section(out, key->section));
    return hf_buf_append_str(out, "}]}}]");
}

static enum hf_err put_value(struct hf_buf *out, const struct hf_key *key)
{
    switch (key->kind) {
    case HF_KIND_SECTION:
        return put_section(out, key->section);
    case HF_KIND_OBJECTS:
        if (key->shorthand) {
            return put_short_objects(out, key);
        }
        HF_TRY(hf_buf_append_str(out, "\"type\":\"array\",\"minItems\":1,\"items\":{"));
        HF_TRY(put_section(out, key->section));
        return hf_buf_append_str(out, "}");
    case HF_KIND_NAMED:
        HF_TRY(hf_buf_append_str(out, "\"type\":\"object\",\"additionalProperties\":false,"
                                      "\"patternProperties\":{\"" NAME_PATTERN "\":{"));
        HF_TRY(put_section(out, key->section));
        HF_TRY(hf_buf_append_str(out, "}}"));
        return key->required ? hf_buf_append_str(out, ",\"minProperties\":1") : HF_OK;
    default:
        break;
    }
    if (is_whole(key)) { /* its schema is an object's */
        const char *schema = hf_kinds[key->kind].schema;
        return hf_buf_append(out, hf_bytes_of(schema + 1, strlen(schema) - 2));
    }
    HF_TRY(hf_buf_append_str(out, "\"anyOf\":["));
    HF_TRY(put_scalar(out, key));
    if (takes_list(key)) {
        HF_TRY(hf_buf_append_str(out, ",{\"type\":\"array\",\"minItems\":1,\"items\":"));
        HF_TRY(put_scalar(out, key));
        HF_TRY(hf_buf_append_str(out, "}"));
    }
    return hf_buf_append_str(out, "]");
}

static enum hf_err put_key(struct hf_buf *out, const struct hf_key *key)
{
    HF_TRY(put_string(out, key->name));
    HF_TRY(hf_buf_append_str(out, ":{\"description\":"));
    HF_TRY(put_string(out, key->doc));
    if (key->standard && key->standard[0] != '[') {
        HF_TRY(hf_buf_append_str(out, ",\"default\":"));
        bool raw = key->kind == HF_KIND_BOOL || (key->kind == HF_KIND_UINT && !key->words) ||
                   strcmp(key->standard, "0") == 0;
        HF_TRY(raw ? hf_buf_append_str(out, key->standard) : put_string(out, key->standard));
    } else if (key->standard) {
        HF_TRY(hf_buf_append_str(out, ",\"default\":"));
        HF_TRY(put_list(out, key->standard));
    }
    HF_TRY(hf_buf_append_str(out, ","));
    HF_TRY(put_value(out, key));
    return hf_buf_append_str(out, "}");
}

/* The inside of an object's schema, without its braces. */
static enum hf_err put_section(struct hf_buf *out, const struct hf_section *section)
{
    bool first = true;
    HF_TRY(hf_buf_append_str(out, "\"type\":\"object\",\"additionalProperties\":false,"
                                  "\"properties\":{"));
    for (size_t i = 0; i < section->n_keys; i++) {
        HF_TRY(hf_buf_append_str(out, i ? "," : ""));
        HF_TRY(put_key(out, &section->keys[i]));
    }
    HF_TRY(hf_buf_append_str(out, "},\"required\":["));
    for (size_t i = 0; i < section->n_keys; i++) {
        if (section->keys[i].required) {
            HF_TRY(hf_buf_append_str(out, first ? "" : ","));
            HF_TRY(put_string(out, section->keys[i].name));
            first = false;
        }
    }
    return hf_buf_append_str(out, "]");
}

static enum hf_err put_break(struct hf_buf *out, size_t depth)
{
    HF_TRY(hf_buf_u8(out, '\n'));
    for (size_t i = 0; i < depth; i++) {
        HF_TRY(hf_buf_append_str(out, "  "));
    }
    return HF_OK;
}

/* Appends compact JSON with line breaks and indentation; the insides of strings stay. */
static enum hf_err put_pretty(struct hf_buf *out, struct hf_bytes json)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = (char)json.ptr[i];
        bool escaped = i && json.ptr[i - 1] == '\\' && !(i > 1 && json.ptr[i - 2] == '\\');
        quoted ^= c == '"' && !escaped;
        if (!quoted && (c == '}' || c == ']')) {
            HF_TRY(put_break(out, --depth));
        }
        HF_TRY(hf_buf_u8(out, (uint8_t)c));
        if (!quoted && c == ':') {
            HF_TRY(hf_buf_u8(out, ' '));
        } else if (!quoted && (c == '{' || c == '[')) {
            HF_TRY(put_break(out, ++depth));
        } else if (!quoted && c == ',') {
            HF_TRY(put_break(out, depth));
        }
    }
    return hf_buf_u8(out, '\n');
}

enum hf_err hf_config_schema(struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf json = HF_BUF_INIT(SCHEMA_MAX);
    HF_TRY(hf_buf_append_str(&json, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                                    "\"title\":\"Handfast configuration\",\"$defs\":{\"variable\":{"
                                    "\"description\":\"a value with environment variables in it\","
                                    "\"type\":\"string\",\"pattern\":\"[$][{]\"}," ROLE_SCHEMA
                                    "," AUTH_SCHEMA "},"));
    HF_TRY(put_section(&json, &hf_section_config));
    HF_TRY(hf_buf_append_str(&json, "}"));
    return put_pretty(out, hf_buf_bytes(&json));
}
