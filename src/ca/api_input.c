// SPDX-License-Identifier: Apache-2.0
/* What a request says: its body by the table of fields, and the parameters of its URL. Nothing
 * that isn't known is passed over: a misspelt "reason" must not revoke without one. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/api_impl.h"
#include "ca/when.h"
#include "http/query.h"
#include "pki/serials.h"

enum { URL_VALUE_MAX = 4096, USES_MAX = 1000000 };

enum kind {
    KIND_TEXT,     /* a string */
    KIND_TEXTS,    /* a list of strings */
    KIND_DURATION, /* "30d", seconds out */
    KIND_TIME,     /* RFC 3339 */
    KIND_REASON,   /* as RFC 5280 spells it */
    KIND_BOOL,
    KIND_COUNT,
};

static const struct {
    const char *name;
    enum kind kind;
    size_t offset;
} fields[HF_API_N_FIELDS] = {
#define FIELD_ROW(id, name, kind, member) \
    [HF_API_##id] = {name, KIND_##kind, offsetof(struct hf_api_input, member)},
    HF_API_FIELD_TABLE(FIELD_ROW)
#undef FIELD_ROW
};

/* --- Values -------------------------------------------------------------------------------------
 */

static enum hf_err refuse_value(struct hf_api_job *job, const char *name, const char *wanted)
{
    return hf_api_fail(job, HF_CA_MALFORMED, "\"%s\" must be %s", name, wanted);
}

static enum hf_err read_texts(struct hf_api_job *job, const char *name, const json_t *value,
                              struct hf_api_names *out)
{
    size_t at;
    const json_t *item;
    if (!json_is_array(value) || json_array_size(value) > HF_API_NAMES_MAX) {
        return refuse_value(job, name, "a list of at most 256 strings");
    }
    json_array_foreach(value, at, item)
    {
        if (!json_is_string(item)) {
            return refuse_value(job, name, "a list of strings");
        }
        out->item[out->n++] = json_string_value(item);
    }
    return HF_OK;
}

static enum hf_err read_reason(struct hf_api_job *job, const char *text, int *out)
{
    for (unsigned number = 0; number <= HF_REVOKED_FOR_AA_COMPROMISE; number++) {
        const char *name = hf_revoked_for_name(number);
        if (name && strcmp(name, text) == 0) {
            *out = (int)number;
            return HF_OK;
        }
    }
    return hf_api_fail(job, HF_CA_INVALID,
                       "\"%.40s\" is no reason; RFC 5280 has keyCompromise, superseded, "
                       "cessationOfOperation, privilegeWithdrawn, affiliationChanged ...",
                       text);
}

static enum hf_err read_text(struct hf_api_job *job, enum kind kind, const char *name,
                             const char *text, void *at)
{
    int64_t ms = 0;
    switch (kind) {
    case KIND_DURATION:
        if (hf_parse_duration(text, &ms) != HF_OK || ms < 1000) {
            return refuse_value(job, name, "a duration of at least a second, such as \"30d\"");
        }
        *(int64_t *)at = ms / 1000;
        return HF_OK;
    case KIND_TIME:
        return hf_ca_parse_time(text, at) == HF_OK
                   ? HF_OK
                   : refuse_value(job, name, "a time, such as \"2026-11-20T23:06:00Z\"");
    case KIND_REASON:
        return read_reason(job, text, at);
    default:
        *(const char **)at = text;
        return HF_OK;
    }
}

static enum hf_err read_value(struct hf_api_job *job, size_t field, const json_t *value)
{
    const char *name = fields[field].name;
    enum kind kind = fields[field].kind;
    void *at = (char *)&job->input + fields[field].offset;
    if (kind == KIND_TEXTS) {
        return read_texts(job, name, value, at);
    }
    if (kind == KIND_BOOL) {
        *(bool *)at = json_is_true(value);
        return json_is_boolean(value) ? HF_OK : refuse_value(job, name, "true or false");
    }
    if (kind == KIND_COUNT) {
        *(int64_t *)at = json_integer_value(value);
        bool good = json_is_integer(value) && *(int64_t *)at > 0 && *(int64_t *)at <= USES_MAX;
        return good ? HF_OK : refuse_value(job, name, "a number from 1 to 1000000");
    }
    if (!json_is_string(value)) {
        return refuse_value(job, name, "a string");
    }
    return read_text(job, kind, name, json_string_value(value), at);
}

/* --- The body -----------------------------------------------------------------------------------
 */

static enum hf_err refuse_member(struct hf_api_job *job, const char *name)
{
    const char *known[HF_API_N_FIELDS + 1];
    size_t n = 0;
    for (size_t i = 0; i < HF_API_N_FIELDS; i++) {
        if (job->route->fields & 1u << i) {
            known[n++] = fields[i].name;
        }
    }
    known[n] = NULL;
    const char *closest = hf_closest(name, known);
    return hf_api_fail(job, HF_CA_MALFORMED, "\"%.60s\" is nothing that can be said here%s%s%s",
                       name, closest ? "; did you mean \"" : "", closest ? closest : "",
                       closest ? "\"?" : "");
}

static enum hf_err read_member(struct hf_api_job *job, const char *name, const json_t *value,
                               uint32_t *seen)
{
    for (size_t i = 0; i < HF_API_N_FIELDS; i++) {
        if (job->route->fields & 1u << i && strcmp(name, fields[i].name) == 0) {
            *seen |= 1u << i;
            return read_value(job, i, value);
        }
    }
    return refuse_member(job, name);
}

static bool is_json(const struct hf_api_job *job)
{
    struct hf_bytes type;
    if (!hf_service_header(job->call, "content-type", 0, &type)) {
        return false;
    }
    size_t n = 0;
    while (n < type.len && type.ptr[n] != ';' && type.ptr[n] != ' ') {
        n++;
    }
    return hf_bytes_eq_str(hf_bytes_of(type.ptr, n), "application/json");
}

static enum hf_err parse(struct hf_api_job *job)
{
    struct hf_bytes body = job->call->request.body;
    json_error_t error;
    if (!is_json(job)) {
        return hf_api_fail(job, HF_CA_MALFORMED,
                           "a body is wanted as JSON, with Content-Type: application/json");
    }
    job->body = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
    if (!job->body) {
        return hf_api_fail(job, HF_CA_MALFORMED, "the body is no JSON: line %d, column %d: %.100s",
                           error.line, error.column, error.text);
    }
    return json_is_object(job->body)
               ? HF_OK
               : hf_api_fail(job, HF_CA_MALFORMED, "the body must be a JSON object");
}

static enum hf_err check_required(struct hf_api_job *job, uint32_t seen)
{
    for (size_t i = 0; i < HF_API_N_FIELDS; i++) {
        if (job->route->required & ~seen & 1u << i) {
            return hf_api_fail(job, HF_CA_MALFORMED, "\"%s\" is missing", fields[i].name);
        }
    }
    return HF_OK;
}

enum hf_err hf_api_read_body(struct hf_api_job *job)
{
    const char *name;
    json_t *value;
    uint32_t seen = 0;
    job->input.reason = 0;
    if (!job->call->request.body.len) {
        return check_required(job, 0);
    }
    if (!job->route->fields) {
        return hf_api_fail(job, HF_CA_MALFORMED, "no body is wanted here");
    }
    HF_TRY(parse(job));
    json_object_foreach(job->body, name, value)
    {
        HF_TRY(read_member(job, name, value, &seen));
    }
    return check_required(job, seen);
}

/* --- The URL ------------------------------------------------------------------------------------
 */

enum hf_err hf_api_query(struct hf_api_job *job, const char *name, bool *out_found,
                         struct hf_buf *out)
{
    *out = HF_BUF_INIT(URL_VALUE_MAX);
    HF_TRY(hf_http_query_get(job->call->request.query, name, out_found, out));
    return memchr(hf_buf_bytes(out).ptr ? hf_buf_bytes(out).ptr : (const uint8_t *)"", 0,
                  hf_buf_len(out))
               ? hf_api_fail(job, HF_CA_MALFORMED, "a NUL in the parameter \"%s\"", name)
               : HF_OK;
}

/* Where it is in the list; of those that aren't known, SIZE_MAX. */
static size_t find_known(struct hf_bytes name, const char *const *known)
{
    for (size_t i = 0; known[i]; i++) {
        if (hf_bytes_eq_str(name, known[i])) {
            return i;
        }
    }
    return SIZE_MAX;
}

enum hf_err hf_api_check_query(struct hf_api_job *job, const char *const *known)
{
    struct hf_bytes rest = job->call->request.query;
    uint32_t seen = 0; /* none has as many as 32 parameters */
    while (rest.len) {
        size_t n = 0;
        while (n < rest.len && rest.ptr[n] != '&') {
            n++;
        }
        struct hf_bytes pair = hf_bytes_of(rest.ptr, n);
        size_t name_len = 0;
        while (name_len < pair.len && pair.ptr[name_len] != '=') {
            name_len++;
        }
        struct hf_bytes name = hf_bytes_of(pair.ptr, name_len);
        size_t at = find_known(name, known);
        if (name.len && (at == SIZE_MAX || seen >> at & 1)) {
            return hf_api_fail(job, HF_CA_MALFORMED, "the parameter \"%.*s\" is %s",
                               (int)(name.len < 60 ? name.len : 60), (const char *)name.ptr,
                               at == SIZE_MAX ? "not known here" : "there two times");
        }
        seen |= name.len ? UINT32_C(1) << at : 0;
        rest = hf_bytes_from(rest, n + 1);
    }
    return HF_OK;
}
