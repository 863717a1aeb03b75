// SPDX-License-Identifier: Apache-2.0
/*
 * Known names are looked up by length and then compared: few share a length, and most differ in
 * their first letter. "_" counts as "-", because a backend that reads fields from CGI variables
 * can't tell the two apart: X_Forwarded_For is X-Forwarded-For to it, and must be to us.
 */
#include "http/field.h"

#include <string.h>

#include "http/chars.h"
#include "http/eight.h"

enum { NAME_LEN_MAX = 24 };

static const struct known {
    const char *text;
    uint8_t len;
    uint8_t traits;
} known[HF_HTTP_NAME_N] = {[HF_HTTP_OTHER] = {"", 0, 0},
#define NAME_ROW(id, name, traits) [HF_HTTP_##id] = {name, sizeof(name) - 1, traits},
                           HF_HTTP_NAME_TABLE(NAME_ROW)
#undef NAME_ROW
};

/* Names by length: by_length[n] lists the ids of that length, ended by HF_HTTP_OTHER. */
#define LIST(...) \
    { \
        __VA_ARGS__, HF_HTTP_OTHER \
    }
static const uint8_t by_length[NAME_LEN_MAX + 1][8] = {
    [2] = LIST(HF_HTTP_TE),
    [3] = LIST(HF_HTTP_VIA),
    [4] = LIST(HF_HTTP_HOST, HF_HTTP_DATE, HF_HTTP_VARY),
    [5] = LIST(HF_HTTP_ALLOW, HF_HTTP_RANGE),
    [6] = LIST(HF_HTTP_ACCEPT, HF_HTTP_COOKIE, HF_HTTP_EXPECT, HF_HTTP_SERVER),
    [7] = LIST(HF_HTTP_UPGRADE, HF_HTTP_TRAILER),
    [8] = LIST(HF_HTTP_LOCATION),
    [9] = LIST(HF_HTTP_FORWARDED, HF_HTTP_X_REAL_IP),
    [10] = LIST(HF_HTTP_CONNECTION, HF_HTTP_USER_AGENT, HF_HTTP_SET_COOKIE, HF_HTTP_KEEP_ALIVE),
    [11] = LIST(HF_HTTP_CLIENT_CERT, HF_HTTP_TRACEPARENT, HF_HTTP_RETRY_AFTER),
    [12] = LIST(HF_HTTP_CONTENT_TYPE, HF_HTTP_MAX_FORWARDS, HF_HTTP_X_REQUEST_ID),
    [13] = LIST(HF_HTTP_AUTHORIZATION, HF_HTTP_CACHE_CONTROL, HF_HTTP_CONTENT_RANGE),
    [14] = LIST(HF_HTTP_CONTENT_LENGTH),
    [15] = LIST(HF_HTTP_ACCEPT_ENCODING, HF_HTTP_X_FORWARDED_FOR),
    [16] = LIST(HF_HTTP_CONTENT_ENCODING, HF_HTTP_PROXY_CONNECTION, HF_HTTP_WWW_AUTHENTICATE,
                HF_HTTP_X_FORWARDED_HOST, HF_HTTP_X_FORWARDED_PORT),
    [17] = LIST(HF_HTTP_TRANSFER_ENCODING, HF_HTTP_CLIENT_CERT_CHAIN, HF_HTTP_X_FORWARDED_PROTO),
    [18] = LIST(HF_HTTP_PROXY_AUTHENTICATE, HF_HTTP_X_FORWARDED_PREFIX),
    [19] = LIST(HF_HTTP_PROXY_AUTHORIZATION),
    [23] = LIST(HF_HTTP_X_FORWARDED_CLIENT_CERT),
};
#undef LIST

/* Lower case, and "-" for "_"; true: there was one. What is behind the name in out is zero. */
static bool fold(struct hf_bytes name, uint8_t out[static NAME_LEN_MAX])
{
    uint64_t any = 0;
    memset(out, 0, NAME_LEN_MAX);
    memcpy(out, name.ptr, name.len);
    for (size_t i = 0; i < name.len; i += 8) {
        uint64_t eight = hf_eight_lower(hf_eight_load(out + i));
        uint64_t bars = hf_eight_between(eight, '_', '_');
        hf_eight_store(out + i, eight ^ (bars >> 7) * ('_' ^ '-'));
        any |= bars;
    }
    return any != 0;
}

enum hf_http_name hf_http_name_find(struct hf_bytes name, uint8_t *out_traits)
{
    *out_traits = 0;
    if (name.len > NAME_LEN_MAX || by_length[name.len][0] == HF_HTTP_OTHER) {
        return HF_HTTP_OTHER;
    }
    uint8_t folded[NAME_LEN_MAX];
    bool alias = fold(name, folded);
    for (const uint8_t *id = by_length[name.len]; *id != HF_HTTP_OTHER; id++) {
        const char *text = known[*id].text;
        if (folded[0] == (uint8_t)text[0] && memcmp(folded, text, name.len) == 0) {
            *out_traits = (uint8_t)(known[*id].traits | (alias ? HF_FIELD_ALIAS : 0));
            return (enum hf_http_name) * id;
        }
    }
    return HF_HTTP_OTHER;
}

uint8_t hf_http_name_traits(enum hf_http_name name)
{
    return (unsigned)name < HF_HTTP_NAME_N ? known[name].traits : 0;
}

const char *hf_http_name_text(enum hf_http_name name)
{
    return (unsigned)name < HF_HTTP_NAME_N ? known[name].text : "";
}

bool hf_http_fields_find(const struct hf_http_fields *fields, enum hf_http_name name,
                         struct hf_bytes *out_value)
{
    for (size_t i = 0; i < fields->n; i++) {
        if (fields->field[i].name == name && !(fields->field[i].traits & HF_FIELD_ALIAS)) {
            *out_value = hf_http_field_value(fields->head, &fields->field[i]);
            return true;
        }
    }
    return false;
}

bool hf_http_fields_find_str(const struct hf_http_fields *fields, const char *name,
                             struct hf_bytes *out_value)
{
    struct hf_bytes wanted = hf_bytes_str(name);
    for (size_t i = 0; i < fields->n; i++) {
        if (hf_http_eq(hf_http_field_name(fields->head, &fields->field[i]), wanted)) {
            *out_value = hf_http_field_value(fields->head, &fields->field[i]);
            return true;
        }
    }
    return false;
}
