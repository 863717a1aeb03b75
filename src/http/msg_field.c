// SPDX-License-Identifier: Apache-2.0
/*
 * The fields of a message. What goes in is checked here, once, so that everybody after can rely on
 * it; whatever changes is made ready first and published last, so that a failure leaves no half.
 */
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/eight.h"
#include "http/msg_impl.h"

enum { FIELDS_MIN = 24 };

void hf_http_msg_lower(struct hf_http_msg *msg, struct hf_http_slice slice)
{
    uint8_t *text = msg->text.mem + slice.at;
    size_t i = 0;
    for (; i + 8 <= slice.len; i += 8) {
        hf_eight_store(text + i, hf_eight_lower(hf_eight_load(text + i)));
    }
    for (; i < slice.len; i++) {
        text[i] |= (uint8_t)((text[i] >= 'A' && text[i] <= 'Z') << 5);
    }
}

enum hf_err hf_http_msg_field_room(struct hf_http_msg *msg, size_t n)
{
    size_t wanted = msg->n_fields + n;
    if (wanted > msg->max_fields) {
        return hf_fail(HF_E_TOO_LARGE, "more than %u fields", msg->max_fields);
    }
    if (wanted <= msg->size_fields) {
        return HF_OK;
    }
    size_t size = msg->size_fields ? msg->size_fields * 2u : FIELDS_MIN;
    size = size > wanted ? size : wanted;
    size = size < msg->max_fields ? size : msg->max_fields;
    struct hf_http_field *fields = hf_realloc(msg->fields, size * sizeof(*fields));
    if (!fields) {
        return HF_E_NOMEM;
    }
    msg->fields = fields;
    msg->size_fields = (uint16_t)size;
    return HF_OK;
}

bool hf_http_msg_is_kept_out(enum hf_http_name name, unsigned traits)
{
    return (traits & (HF_FIELD_FRAMING | HF_FIELD_HOP)) != 0 || name == HF_HTTP_EXPECT;
}

bool hf_http_msg_may_hold(struct hf_bytes name)
{
    uint8_t traits;
    enum hf_http_name known = hf_http_name_find(name, &traits);
    return name.len > 0 && name.len <= UINT16_MAX &&
           hf_http_span(name, HF_CHAR_TOKEN) == name.len && !hf_http_msg_is_kept_out(known, traits);
}

/* Which known name it is comes out beside: looking it up is what this costs most. */
static enum hf_err check_field(struct hf_bytes name, struct hf_bytes value,
                               struct hf_http_field *out)
{
    int shown = (int)(name.len < 64 ? name.len : 64);
    if (name.len == 0 || hf_http_span(name, HF_CHAR_TOKEN) != name.len) {
        return hf_fail(HF_E_INVALID, "a field name that is not a token");
    }
    uint8_t traits;
    enum hf_http_name known = hf_http_name_find(name, &traits);
    if (name.len > UINT16_MAX || hf_http_msg_is_kept_out(known, traits)) {
        return hf_fail(HF_E_INVALID,
                       "field %.*s frames the message or is for one hop: it can't be "
                       "set",
                       shown, (const char *)name.ptr);
    }
    if (hf_http_value_span(value) != value.len) {
        return hf_fail(HF_E_INVALID, "field %.*s: a control character in its value", shown,
                       (const char *)name.ptr);
    }
    out->name = (uint8_t)known;
    out->traits = traits;
    return HF_OK;
}

/* Checks, makes room for `more` bytes beside name and value, pushes the name. */
static enum hf_err begin_field(struct hf_http_msg *msg, struct hf_bytes name,
                               struct hf_bytes *value, size_t more, struct hf_http_field *out)
{
    struct hf_bytes *views[] = {&name, value};
    *value = hf_http_trim(*value);
    HF_TRY(check_field(name, *value, out));
    HF_TRY(hf_http_msg_room(msg, name.len + value->len + more, views, HF_N_ELEMENTS(views)));
    struct hf_http_slice place = hf_http_msg_push(msg, name);
    hf_http_msg_lower(msg, place);
    out->name_at = place.at;
    out->name_len = (uint16_t)place.len;
    return HF_OK;
}

static void push_value(struct hf_http_msg *msg, struct hf_bytes value, struct hf_http_field *field)
{
    struct hf_http_slice place = hf_http_msg_push(msg, value);
    field->value_at = place.at;
    field->value_len = place.len;
}

enum hf_err hf_http_msg_add(struct hf_http_msg *msg, struct hf_bytes name, struct hf_bytes value)
{
    struct hf_http_field field;
    HF_TRY(hf_http_msg_field_room(msg, 1));
    HF_TRY(begin_field(msg, name, &value, 0, &field));
    push_value(msg, value, &field);
    msg->fields[msg->n_fields++] = field;
    return HF_OK;
}

enum hf_err hf_http_msg_add_str(struct hf_http_msg *msg, const char *name, const char *value)
{
    return hf_http_msg_add(msg, hf_bytes_str(name), hf_bytes_str(value));
}

/* --- Removal ------------------------------------------------------------------------------------
 */

struct match {
    bool (*fits)(const struct hf_http_msg *msg, const struct hf_http_field *field,
                 const struct match *match);
    struct hf_bytes name;
    enum hf_http_name known;
    unsigned traits;
};

/* Removes the fields from index `from` on that fit. */
static size_t remove_from(struct hf_http_msg *msg, size_t from, const struct match *match)
{
    size_t kept = from;
    for (size_t i = from; i < msg->n_fields; i++) {
        if (!match->fits(msg, &msg->fields[i], match)) {
            msg->fields[kept++] = msg->fields[i];
        }
    }
    size_t removed = msg->n_fields - kept;
    msg->n_fields = (uint16_t)kept;
    return removed;
}

static bool folds_alike(struct hf_bytes a, struct hf_bytes b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (hf_http_folded[a.ptr[i]] != hf_http_folded[b.ptr[i]]) {
            return false;
        }
    }
    return true;
}

static bool fits_name(const struct hf_http_msg *msg, const struct hf_http_field *field,
                      const struct match *match)
{
    return field->name_len == match->name.len &&
           folds_alike(hf_http_msg_name(msg, field), match->name, match->name.len);
}

static bool fits_prefix(const struct hf_http_msg *msg, const struct hf_http_field *field,
                        const struct match *match)
{
    return field->name_len >= match->name.len &&
           folds_alike(hf_http_msg_name(msg, field), match->name, match->name.len);
}

static bool fits_known(const struct hf_http_msg *msg, const struct hf_http_field *field,
                       const struct match *match)
{
    (void)msg;
    return field->name == match->known;
}

static bool fits_traits(const struct hf_http_msg *msg, const struct hf_http_field *field,
                        const struct match *match)
{
    (void)msg;
    return (field->traits & match->traits) != 0;
}

size_t hf_http_msg_remove(struct hf_http_msg *msg, struct hf_bytes name)
{
    return remove_from(msg, 0, &(struct match){.fits = fits_name, .name = name});
}

size_t hf_http_msg_remove_str(struct hf_http_msg *msg, const char *name)
{
    return hf_http_msg_remove(msg, hf_bytes_str(name));
}

size_t hf_http_msg_remove_name(struct hf_http_msg *msg, enum hf_http_name name)
{
    return remove_from(msg, 0, &(struct match){.fits = fits_known, .known = name});
}

size_t hf_http_msg_remove_prefix(struct hf_http_msg *msg, struct hf_bytes prefix)
{
    return remove_from(msg, 0, &(struct match){.fits = fits_prefix, .name = prefix});
}

size_t hf_http_msg_remove_traits(struct hf_http_msg *msg, unsigned traits)
{
    return remove_from(msg, 0, &(struct match){.fits = fits_traits, .traits = traits});
}

/* --- Replacing ----------------------------------------------------------------------------------
 */

/* Puts a finished field in the place of the first that fits, or at the end; the others go. There is
 * room for one more. */
static void publish(struct hf_http_msg *msg, const struct match *match, struct hf_http_field field)
{
    size_t i = 0;
    while (i < msg->n_fields && !match->fits(msg, &msg->fields[i], match)) {
        i++;
    }
    if (i == msg->n_fields) {
        msg->n_fields++;
    }
    msg->fields[i] = field;
    (void)remove_from(msg, i + 1, match);
}

/* The message may be full, when the field is there already. */
static enum hf_err room_to_publish(struct hf_http_msg *msg, struct match *match)
{
    for (size_t i = 0; i < msg->n_fields; i++) {
        if (match->fits(msg, &msg->fields[i], match)) {
            return HF_OK;
        }
    }
    return hf_http_msg_field_room(msg, 1);
}

enum hf_err hf_http_msg_set(struct hf_http_msg *msg, struct hf_bytes name, struct hf_bytes value)
{
    struct hf_http_field field;
    struct match match = {.fits = fits_name, .name = name};
    HF_TRY(room_to_publish(msg, &match));
    HF_TRY(begin_field(msg, name, &value, 0, &field));
    push_value(msg, value, &field);
    match.name = hf_http_msg_name(msg, &field);
    publish(msg, &match, field);
    return HF_OK;
}

enum hf_err hf_http_msg_set_name(struct hf_http_msg *msg, enum hf_http_name name,
                                 struct hf_bytes value)
{
    struct hf_bytes text = hf_bytes_str(hf_http_name_text(name));
    struct hf_bytes *views[] = {&value};
    struct hf_http_field field = {.name = (uint8_t)name, .traits = hf_http_name_traits(name)};
    value = hf_http_trim(value);
    if (text.len == 0 || hf_http_msg_is_kept_out(name, field.traits)) {
        return hf_fail(HF_E_INVALID, "field %s frames the message or is for one hop",
                       (const char *)text.ptr);
    }
    if (hf_http_value_span(value) != value.len) {
        return hf_fail(HF_E_INVALID, "field %s: a control character in its value",
                       (const char *)text.ptr);
    }
    size_t at = 0;
    while (at < msg->n_fields && msg->fields[at].name != name) {
        at++;
    }
    bool is_new = at == msg->n_fields;
    HF_TRY(is_new ? hf_http_msg_field_room(msg, 1) : HF_OK);
    HF_TRY(hf_http_msg_room(msg, text.len + value.len, views, HF_N_ELEMENTS(views)));
    struct hf_http_slice place = hf_http_msg_push(msg, text);
    field.name_at = place.at;
    field.name_len = (uint16_t)place.len;
    push_value(msg, value, &field);
    msg->n_fields = (uint16_t)(msg->n_fields + is_new);
    msg->fields[at] = field;
    (void)remove_from(msg, at + 1, &(struct match){.fits = fits_known, .known = name});
    return HF_OK;
}

enum hf_err hf_http_msg_set_str(struct hf_http_msg *msg, const char *name, const char *value)
{
    return hf_http_msg_set(msg, hf_bytes_str(name), hf_bytes_str(value));
}

static bool fits_exactly(const struct hf_http_msg *msg, const struct hf_http_field *field,
                         const struct match *match)
{
    return hf_http_eq(hf_http_msg_name(msg, field), match->name);
}

/* Makes one field of all that fit and value (NULL: of those alone), a separator between. */
static enum hf_err join(struct hf_http_msg *msg, struct hf_bytes name, const struct hf_bytes *value,
                        const char *separator)
{
    struct hf_http_field field;
    struct hf_bytes last = value ? *value : hf_bytes_of("", 0);
    struct hf_bytes between = hf_bytes_str(separator);
    struct match match = {.fits = fits_exactly, .name = name};
    size_t more = 0;
    HF_TRY(room_to_publish(msg, &match));
    for (size_t i = 0; i < msg->n_fields; i++) {
        if (fits_exactly(msg, &msg->fields[i], &match)) {
            more += msg->fields[i].value_len + between.len;
        }
    }
    HF_TRY(begin_field(msg, name, &last, more, &field));
    match.name = hf_http_msg_name(msg, &field);
    size_t start = msg->text.end;
    for (size_t i = 0; i < msg->n_fields; i++) {
        if (fits_exactly(msg, &msg->fields[i], &match) && msg->fields[i].value_len) {
            (void)hf_http_msg_push(msg, msg->text.end > start ? between : hf_bytes_of("", 0));
            (void)hf_http_msg_push(msg, hf_http_msg_value(msg, &msg->fields[i]));
        }
    }
    if (last.len) {
        (void)hf_http_msg_push(msg, msg->text.end > start ? between : hf_bytes_of("", 0));
        (void)hf_http_msg_push(msg, last);
    }
    field.value_at = (uint32_t)start;
    field.value_len = (uint32_t)(msg->text.end - start);
    publish(msg, &match, field);
    return HF_OK;
}

enum hf_err hf_http_msg_append(struct hf_http_msg *msg, struct hf_bytes name, struct hf_bytes value)
{
    return join(msg, name, &value, ", ");
}

enum hf_err hf_http_msg_join_cookies(struct hf_http_msg *msg)
{
    const struct hf_http_field *first = hf_http_msg_find_name(msg, HF_HTTP_COOKIE, NULL);
    if (!first || !hf_http_msg_find_name(msg, HF_HTTP_COOKIE, first)) {
        return HF_OK;
    }
    return join(msg, hf_bytes_str("cookie"), NULL, "; ");
}

/* --- Finding ------------------------------------------------------------------------------------
 */

const struct hf_http_field *hf_http_msg_find(const struct hf_http_msg *msg, struct hf_bytes name,
                                             const struct hf_http_field *after)
{
    for (size_t i = after ? (size_t)(after - msg->fields) + 1 : 0; i < msg->n_fields; i++) {
        if (msg->fields[i].name_len == name.len &&
            hf_http_eq(hf_http_msg_name(msg, &msg->fields[i]), name)) {
            return &msg->fields[i];
        }
    }
    return NULL;
}

const struct hf_http_field *hf_http_msg_find_name(const struct hf_http_msg *msg,
                                                  enum hf_http_name name,
                                                  const struct hf_http_field *after)
{
    for (size_t i = after ? (size_t)(after - msg->fields) + 1 : 0; i < msg->n_fields; i++) {
        if (msg->fields[i].name == name && !(msg->fields[i].traits & HF_FIELD_ALIAS)) {
            return &msg->fields[i];
        }
    }
    return NULL;
}

bool hf_http_msg_get_str(const struct hf_http_msg *msg, const char *name,
                         struct hf_bytes *out_value)
{
    const struct hf_http_field *field = hf_http_msg_find(msg, hf_bytes_str(name), NULL);
    if (field) {
        *out_value = hf_http_msg_value(msg, field);
    }
    return field != NULL;
}

bool hf_http_msg_has_token(const struct hf_http_msg *msg, enum hf_http_name name, const char *token)
{
    const struct hf_http_field *field = NULL;
    while ((field = hf_http_msg_find_name(msg, name, field)) != NULL) {
        struct hf_bytes rest = hf_http_msg_value(msg, field);
        struct hf_bytes element;
        while (hf_http_list_next(&rest, &element)) {
            if (hf_http_eq_str(element, token)) {
                return true;
            }
        }
    }
    return false;
}
