// SPDX-License-Identifier: Apache-2.0
/*
 * The message: its memory, its parts and its pool. Text is only ever appended to one buffer, from
 * whose front nothing is consumed; so an offset, once given, stays true until the reset.
 */
#include "http/msg.h"

#include <string.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/msg_impl.h"

enum { POOL_MAX = 64, POOL_TEXT_MAX = 16 << 10, TEXT_MIN = 1024 };

void hf_http_msg_init(struct hf_http_msg *msg, size_t bytes_max, uint16_t max_fields)
{
    size_t cap = bytes_max < UINT32_MAX ? bytes_max : UINT32_MAX;
    *msg = (struct hf_http_msg){.text = HF_BUF_INIT(cap), .max_fields = max_fields};
}

void hf_http_msg_done(struct hf_http_msg *msg)
{
    hf_buf_done(&msg->text);
    hf_free(msg->fields);
    *msg = (struct hf_http_msg){0};
}

void hf_http_msg_reset(struct hf_http_msg *msg)
{
    struct hf_http_msg empty = {.text = msg->text,
                                .fields = msg->fields,
                                .size_fields = msg->size_fields,
                                .max_fields = msg->max_fields};
    hf_buf_reset(&empty.text);
    *msg = empty;
}

/* --- Pool ---------------------------------------------------------------------------------------
 */

void hf_http_msg_pool_init(struct hf_http_msg_pool *pool, size_t bytes_max, uint16_t max_fields)
{
    *pool = (struct hf_http_msg_pool){.bytes_max = bytes_max, .max_fields = max_fields};
}

static struct hf_http_msg *pop(struct hf_http_msg_pool *pool)
{
    struct hf_http_msg *msg = pool->free;
    if (msg) {
        pool->free = msg->next;
        pool->n_free--;
        msg->next = NULL;
    }
    return msg;
}

static void free_msg(struct hf_http_msg *msg)
{
    hf_http_msg_done(msg);
    hf_free(msg);
}

void hf_http_msg_pool_done(struct hf_http_msg_pool *pool)
{
    struct hf_http_msg *msg;
    while ((msg = pop(pool)) != NULL) {
        free_msg(msg);
    }
}

struct hf_http_msg *hf_http_msg_pool_get(struct hf_http_msg_pool *pool)
{
    struct hf_http_msg *msg = pop(pool);
    if (!msg) {
        msg = HF_NEW(struct hf_http_msg);
        if (msg) {
            hf_http_msg_init(msg, pool->bytes_max, pool->max_fields);
        }
    }
    return msg;
}

void hf_http_msg_pool_put(struct hf_http_msg_pool *pool, struct hf_http_msg *msg)
{
    if (!msg) {
        return;
    }
    if (pool->n_free >= POOL_MAX) {
        free_msg(msg);
        return;
    }
    hf_http_msg_reset(msg);
    if (msg->text.size > POOL_TEXT_MAX) {
        hf_buf_release(&msg->text);
    }
    msg->next = pool->free;
    pool->free = msg;
    pool->n_free++;
}

/* --- Text ---------------------------------------------------------------------------------------
 */

enum hf_err hf_http_msg_room(struct hf_http_msg *msg, size_t n, struct hf_bytes **views,
                             size_t n_views)
{
    struct hf_span room;
    const uint8_t *old = msg->text.mem;
    size_t old_len = msg->text.end;
    if (!old && n < TEXT_MIN && TEXT_MIN <= msg->text.cap) {
        n = TEXT_MIN;
    }
    bool own[4];
    size_t at[4];
    for (size_t i = 0; i < n_views; i++) {
        own[i] = old && views[i]->ptr >= old && views[i]->ptr < old + old_len;
        at[i] = own[i] ? (size_t)(views[i]->ptr - old) : 0;
    }
    HF_TRY(hf_buf_reserve(&msg->text, n, &room));
    for (size_t i = 0; i < n_views; i++) {
        if (own[i]) {
            views[i]->ptr = msg->text.mem + at[i];
        }
    }
    return HF_OK;
}

struct hf_http_slice hf_http_msg_push(struct hf_http_msg *msg, struct hf_bytes bytes)
{
    struct hf_http_slice slice = {(uint32_t)msg->text.end, (uint32_t)bytes.len};
    if (bytes.len) {
        memcpy(msg->text.mem + msg->text.end, bytes.ptr, bytes.len);
        hf_buf_commit(&msg->text, bytes.len);
    }
    return slice;
}

static enum hf_err put(struct hf_http_msg *msg, struct hf_bytes bytes, struct hf_http_slice *out)
{
    struct hf_bytes *views[] = {&bytes};
    HF_TRY(hf_http_msg_room(msg, bytes.len, views, 1));
    *out = hf_http_msg_push(msg, bytes);
    return HF_OK;
}

void hf_http_msg_fill_path(struct hf_http_msg *msg)
{
    if (msg->form != HF_TARGET_ORIGIN || msg->path.len > 0) {
        return;
    }
    if (msg->method == HF_METHOD_OPTIONS && !msg->has_query) {
        msg->form = HF_TARGET_ASTERISK;
    } else {
        msg->path = hf_http_msg_push(msg, hf_bytes_str("/"));
    }
}

/* --- Parts --------------------------------------------------------------------------------------
 */

enum hf_err hf_http_msg_set_request(struct hf_http_msg *msg, struct hf_bytes method,
                                    struct hf_bytes target)
{
    struct hf_http_target parsed;
    struct hf_bytes *views[] = {&method, &target};
    HF_TRY(hf_http_msg_room(msg, method.len + target.len + 1, views, HF_N_ELEMENTS(views)));
    enum hf_http_method known = hf_http_method_find(method);
    if (method.len == 0 || hf_http_span(method, HF_CHAR_TOKEN) != method.len ||
        !hf_http_target_parse(known, target, &parsed)) {
        return hf_fail(HF_E_INVALID, "not a method and a request target of it");
    }
    msg->kind = HF_MSG_REQUEST;
    msg->method = known;
    msg->method_text = hf_http_msg_push(msg, method);
    msg->form = parsed.form == HF_TARGET_ABSOLUTE ? HF_TARGET_ORIGIN : parsed.form;
    if (parsed.scheme.len) {
        msg->scheme = hf_http_msg_push(msg, parsed.scheme);
        hf_http_msg_lower(msg, msg->scheme);
    }
    if (parsed.authority.len) {
        msg->authority = hf_http_msg_push(msg, parsed.authority);
    }
    msg->path = hf_http_msg_push(msg, parsed.path);
    msg->has_query = parsed.has_query;
    msg->query = hf_http_msg_push(msg, parsed.query);
    hf_http_msg_fill_path(msg);
    return HF_OK;
}

enum hf_err hf_http_msg_set_scheme(struct hf_http_msg *msg, struct hf_bytes scheme)
{
    if (!hf_http_eq_str(scheme, "http") && !hf_http_eq_str(scheme, "https")) {
        return hf_fail(HF_E_INVALID, "a scheme other than http and https");
    }
    HF_TRY(put(msg, scheme, &msg->scheme));
    hf_http_msg_lower(msg, msg->scheme);
    return HF_OK;
}

enum hf_err hf_http_msg_set_authority(struct hf_http_msg *msg, struct hf_bytes authority)
{
    struct hf_http_authority parsed;
    if (!hf_http_authority_parse(authority, &parsed)) {
        return hf_fail(HF_E_INVALID, "not a host with an optional port");
    }
    return put(msg, authority, &msg->authority);
}

enum hf_err hf_http_msg_set_path(struct hf_http_msg *msg, struct hf_bytes path)
{
    if (path.len == 0 || path.ptr[0] != '/' || hf_http_span(path, HF_CHAR_PATH) != path.len) {
        return hf_fail(HF_E_INVALID, "a path that does not begin with / or has bytes to be "
                                     "percent-encoded");
    }
    return put(msg, path, &msg->path);
}

enum hf_err hf_http_msg_set_query(struct hf_http_msg *msg, const struct hf_bytes *query)
{
    if (!query) {
        msg->has_query = false;
        msg->query = (struct hf_http_slice){0};
        return HF_OK;
    }
    if (hf_http_span(*query, HF_CHAR_QUERY) != query->len) {
        return hf_fail(HF_E_INVALID, "a query with bytes to be percent-encoded");
    }
    HF_TRY(put(msg, *query, &msg->query));
    msg->has_query = true;
    return HF_OK;
}

enum hf_err hf_http_msg_set_protocol(struct hf_http_msg *msg, struct hf_bytes protocol)
{
    if (hf_http_span(protocol, HF_CHAR_TOKEN) != protocol.len) {
        return hf_fail(HF_E_INVALID, "a protocol that is not a token");
    }
    return put(msg, protocol, &msg->protocol);
}

enum hf_err hf_http_msg_set_status(struct hf_http_msg *msg, unsigned status)
{
    if (status < 100 || status > 599) {
        return hf_fail(HF_E_INVALID, "a status that is none: %u", status);
    }
    msg->kind = HF_MSG_RESPONSE;
    msg->status = (uint16_t)status;
    return HF_OK;
}

enum hf_err hf_http_msg_append_target(const struct hf_http_msg *msg, struct hf_buf *out)
{
    struct hf_span room;
    struct hf_bytes query = hf_http_msg_text(msg, msg->query);
    struct hf_bytes first = msg->form == HF_TARGET_ASTERISK ? hf_bytes_str("*")
                            : msg->form == HF_TARGET_AUTHORITY
                                ? hf_http_msg_text(msg, msg->authority)
                                : hf_http_msg_text(msg, msg->path);
    size_t len = first.len + (msg->has_query ? 1 + query.len : 0);
    HF_TRY(hf_buf_reserve(out, len ? len : 1, &room));
    if (first.len) {
        memcpy(room.ptr, first.ptr, first.len);
    }
    if (msg->has_query) {
        room.ptr[first.len] = '?';
        memcpy(room.ptr + first.len + 1, query.ptr, query.len);
    }
    hf_buf_commit(out, len);
    return HF_OK;
}
