// SPDX-License-Identifier: Apache-2.0
#include "policy/json_text.h"

/* The deepest nesting, strings passed over. Counts only: whether it is JSON is for the parser. */
static size_t depth_of(struct hf_bytes text)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (in_string) {
            i += byte == '\\';
            in_string = byte != '"';
        } else if (byte == '[' || byte == '{') {
            deepest = ++depth > deepest ? depth : deepest;
        } else if (byte == ']' || byte == '}') {
            depth -= depth > 0;
        } else {
            in_string = byte == '"';
        }
    }
    return deepest;
}

enum hf_err hf_json_object(struct hf_bytes text, json_t **out)
{
    json_error_t error;
    if (depth_of(text) > HF_JSON_DEPTH_MAX) {
        return hf_fail(HF_E_MALFORMED, "JSON nested deeper than %d", HF_JSON_DEPTH_MAX);
    }
    json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json && json_error_code(&error) == json_error_out_of_memory) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    if (!json_is_object(json)) {
        json_decref(json);
        return hf_fail(HF_E_MALFORMED, "not a JSON object in which each name comes once");
    }
    *out = json;
    return HF_OK;
}
