// SPDX-License-Identifier: Apache-2.0
#include "ca/row_json.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/identity.h"
#include "pki/serials.h"

const char *hf_store_status_name(enum hf_store_status status)
{
    static const char *const names[HF_STATUS_N] = {
        [HF_STATUS_GOOD] = "good", [HF_STATUS_HELD] = "held", [HF_STATUS_REVOKED] = "revoked"};
    return names[status];
}

void hf_row_serial(struct hf_bytes serial, char out[static 2 * HF_STORE_SERIAL_MAX + 1])
{
    char text[2 * HF_STORE_SERIAL_MAX + 1];
    serial.len = serial.len > HF_STORE_SERIAL_MAX ? HF_STORE_SERIAL_MAX : serial.len;
    hf_hex(serial, text);
    size_t zeros = strspn(text, "0");
    snprintf(out, sizeof(text), "%s", text[zeros] ? text + zeros : "0");
}

static json_t *serial_value(struct hf_bytes serial)
{
    char text[2 * HF_STORE_SERIAL_MAX + 1];
    hf_row_serial(serial, text);
    return json_string(text);
}

json_t *hf_row_when(int64_t at)
{
    char text[HF_TIME_TEXT_SIZE];
    if (at == 0) {
        return json_null();
    }
    hf_format_time(at, text);
    return json_string(text);
}

static json_t *hex_value(const uint8_t *bytes, size_t len)
{
    char text[2 * HF_SHA256_SIZE + 1];
    hf_hex(hf_bytes_of(bytes, len), text);
    return json_string(text);
}

static json_t *text_value(const char *text)
{
    return json_string(text ? text : "");
}

static json_t *lines_value(const char *text)
{
    json_t *array = json_array();
    while (text && *text) {
        size_t n = strcspn(text, "\n");
        (void)json_array_append_new(array, json_stringn(text, n));
        text += n + (text[n] == '\n');
    }
    return array;
}

json_t *hf_row_cert(const struct hf_store_cert *row, const struct hf_authorities *set, int64_t now)
{
    const struct hf_authority *authority = set ? hf_authorities_by_id(set, row->authority) : NULL;
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:b, s:o}", "serial",
        serial_value(row->serial), "profile", text_value(row->profile), "name",
        text_value(row->identity), "subject", text_value(row->subject), "sans",
        lines_value(row->sans), "key_type", text_value(row->key_type), "sha256",
        hex_value(row->sha256, sizeof(row->sha256)), "not_before", hf_row_when(row->not_before),
        "not_after", hf_row_when(row->not_after), "issued_at", hf_row_when(row->issued_at),
        "status", hf_store_status_name(row->status), "expired", (int)(row->not_after <= now),
        "requester", text_value(row->requester), "renewed", (int)(row->replaced_by != 0),
        "last_seen", hf_row_when(row->last_seen));
    if (object && authority) {
        (void)json_object_set_new(object, "authority", json_string(authority->name));
    }
    if (object && row->status != HF_STATUS_GOOD) {
        (void)json_object_set_new(object, "revoked_at", hf_row_when(row->revoked_at));
        (void)json_object_set_new(object, "reason",
                                  text_value(hf_revoked_for_name((unsigned)row->reason)));
    }
    return object;
}

json_t *hf_row_request(const struct hf_store_request *row)
{
    json_t *object = json_pack(
        "{s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)row->id, "state",
        hf_store_request_state_name(row->state), "profile", text_value(row->profile), "name",
        text_value(row->identity), "requester", text_value(row->requester), "created_at",
        hf_row_when(row->created_at), "expires_at", hf_row_when(row->expires_at));
    if (object && row->state != HF_REQUEST_PENDING) {
        (void)json_object_set_new(object, "decider", text_value(row->decider));
        (void)json_object_set_new(object, "decided_at", hf_row_when(row->decided_at));
        (void)json_object_set_new(object, "reason", text_value(row->reason));
    }
    return object;
}

json_t *hf_row_token(const struct hf_store_token *row)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "id", (json_int_t)row->id,
                     "profile", text_value(row->profile), "name", text_value(row->limits), "note",
                     text_value(row->note), "creator", text_value(row->creator), "uses_left",
                     (json_int_t)row->uses_left, "expires_at", hf_row_when(row->expires_at),
                     "created_at", hf_row_when(row->created_at), "used_at",
                     hf_row_when(row->used_at));
}

json_t *hf_row_audit(const struct hf_store_audit *row)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "seq", (json_int_t)row->seq, "at",
                     hf_row_when(row->at), "actor", text_value(row->actor), "action",
                     text_value(row->action), "target", text_value(row->target), "detail",
                     text_value(row->detail), "hash", hex_value(row->hash, sizeof(row->hash)));
}

json_t *hf_row_authority(const struct hf_authority *authority)
{
    struct hf_identity *id = NULL;
    json_t *object = json_pack(
        "{s:s, s:s, s:b, s:b, s:b, s:b}", "name", authority->name, "state",
        hf_store_authority_state_name(authority->state), "root", (int)authority->is_root, "trusted",
        (int)(authority->is_root && !authority->settings.distrusted), "key_stored",
        (int)(authority->key_id != 0), "key_open", (int)(authority->key != NULL));
    if (object && authority->cert && hf_identity_new(authority->cert, &id) == HF_OK) {
        (void)json_object_set_new(object, "subject", json_string(id->subject));
        (void)json_object_set_new(object, "issuer", json_string(id->issuer));
        (void)json_object_set_new(object, "serial", json_string(id->serial));
        (void)json_object_set_new(object, "key_type", json_string(id->key_type));
        (void)json_object_set_new(object, "not_before", hf_row_when(id->not_before));
        (void)json_object_set_new(object, "not_after", hf_row_when(id->not_after));
        (void)json_object_set_new(object, "sha256", json_string(id->sha256));
        hf_identity_unref(id);
    }
    return object;
}
