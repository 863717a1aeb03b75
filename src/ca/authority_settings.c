// SPDX-License-Identifier: Apache-2.0
/* The settings of an authority as JSON in its row. Unknown keys are of later versions; they are
 * refused rather than lost at the next write. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/authority.h"

enum { URL_MAX = 1024, SHARDS_MAX = 65536 };

static const struct {
    const char *key;
    size_t offset;
} url_lists[] = {
    {"crl", offsetof(struct hf_authority_settings, crl_url)},
    {"ocsp", offsetof(struct hf_authority_settings, ocsp_url)},
    {"issuer", offsetof(struct hf_authority_settings, issuer_url)},
};

static char **list_of(const struct hf_authority_settings *settings, size_t at)
{
    return (char **)(uintptr_t)((const char *)settings + url_lists[at].offset);
}

void hf_authority_settings_done(struct hf_authority_settings *settings)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(url_lists); i++) {
        for (size_t j = 0; j < HF_AUTHORITY_URLS_MAX; j++) {
            hf_free(list_of(settings, i)[j]);
        }
    }
    hf_free(settings->successor_of);
    *settings = (struct hf_authority_settings){0};
}

enum hf_err hf_authority_settings_copy(const struct hf_authority_settings *from,
                                       struct hf_authority_settings *out)
{
    HF_CLEANUP(hf_freep) char *text = NULL;
    HF_TRY(hf_authority_settings_write(from, &text));
    return hf_authority_settings_read(text, out);
}

/* Puts value in for the first `field` in text. */
static void put_field(char text[static HF_AUTHORITY_URL_SIZE], const char *field, const char *value)
{
    char rest[HF_AUTHORITY_URL_SIZE];
    char *at = strstr(text, field);
    if (at) {
        snprintf(rest, sizeof(rest), "%s", at + strlen(field));
        snprintf(at, HF_AUTHORITY_URL_SIZE - (size_t)(at - text), "%s%s", value, rest);
    }
}

void hf_authority_addresses(char *const *list, const char *authority, unsigned shard,
                            struct hf_authority_addresses *out)
{
    char number[16];
    snprintf(number, sizeof(number), "%u", shard);
    for (out->n = 0; out->n < HF_AUTHORITY_URLS_MAX && list[out->n]; out->n++) {
        char *text = out->text[out->n];
        snprintf(text, HF_AUTHORITY_URL_SIZE, "%s", list[out->n]);
        put_field(text, "{authority}", authority);
        put_field(text, "{shard}", number);
        out->url[out->n] = text;
    }
}

static enum hf_err read_urls(const char *key, const json_t *array, char **out)
{
    size_t at;
    const json_t *url;
    if (json_array_size(array) > HF_AUTHORITY_URLS_MAX) {
        return hf_fail(HF_E_MALFORMED, "settings: \"%s\" has more than %d addresses", key,
                       HF_AUTHORITY_URLS_MAX);
    }
    json_array_foreach(array, at, url)
    {
        if (!json_is_string(url) || json_string_length(url) > URL_MAX) {
            return hf_fail(HF_E_MALFORMED, "settings: \"%s\" has something else than addresses",
                           key);
        }
        out[at] = hf_strdup(json_string_value(url));
        if (!out[at]) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_err read_key(const char *key, const json_t *value, struct hf_authority_settings *out)
{
    if (strcmp(key, "distrusted") == 0 && json_is_boolean(value)) {
        out->distrusted = json_is_true(value);
        return HF_OK;
    }
    if (strcmp(key, "shards") == 0 && json_is_integer(value) && json_integer_value(value) >= 0 &&
        json_integer_value(value) <= SHARDS_MAX) {
        out->shards = (unsigned)json_integer_value(value);
        return HF_OK;
    }
    if (strcmp(key, "successor-of") == 0 && json_is_string(value)) {
        out->successor_of = hf_strdup(json_string_value(value));
        return out->successor_of ? HF_OK : HF_E_NOMEM;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(url_lists); i++) {
        if (strcmp(key, url_lists[i].key) == 0 && json_is_array(value)) {
            return read_urls(key, value, list_of(out, i));
        }
    }
    return hf_fail(HF_E_MALFORMED, "settings: \"%.40s\" is not understood", key);
}

enum hf_err hf_authority_settings_read(const char *json, struct hf_authority_settings *out)
{
    *out = (struct hf_authority_settings){0};
    if (!json || !*json) {
        return HF_OK;
    }
    json_error_t where;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object)) {
        json_decref(object);
        return hf_fail(HF_E_MALFORMED, "settings: not a JSON object");
    }
    enum hf_err err = HF_OK;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        err = err == HF_OK ? read_key(key, value, out) : err;
    }
    json_decref(object);
    if (err != HF_OK) {
        hf_authority_settings_done(out);
    }
    return err;
}

static json_t *urls_value(char *const *urls)
{
    json_t *array = json_array();
    for (size_t i = 0; i < HF_AUTHORITY_URLS_MAX && urls[i]; i++) {
        (void)json_array_append_new(array, json_string(urls[i]));
    }
    return array;
}

enum hf_err hf_authority_settings_write(const struct hf_authority_settings *settings, char **out)
{
    *out = NULL;
    json_t *object = json_pack("{s:b, s:i}", "distrusted", (int)settings->distrusted, "shards",
                               (int)settings->shards);
    for (size_t i = 0; object && i < HF_N_ELEMENTS(url_lists); i++) {
        (void)json_object_set_new(object, url_lists[i].key, urls_value(list_of(settings, i)));
    }
    if (object && settings->successor_of) {
        (void)json_object_set_new(object, "successor-of", json_string(settings->successor_of));
    }
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(object);
    *out = text ? hf_strdup(text) : NULL;
    free(text);
    return *out ? HF_OK : hf_fail(HF_E_NOMEM, "out of memory");
}
