// SPDX-License-Identifier: Apache-2.0
/*
 * What services and those who carry their answers share. The fields of an answer are kept as
 * "name NUL value NUL" in one buffer: most answers have three or four.
 */
#include "http/service.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"

/* --- Services -----------------------------------------------------------------------------------
 */

void hf_service_init(struct hf_service *service, const struct hf_service_ops *ops, size_t body_max,
                     int64_t answer_ms)
{
    atomic_init(&service->refs, 1);
    service->ops = ops;
    service->body_max = body_max;
    service->answer_ms = answer_ms;
}

struct hf_service *hf_service_ref(struct hf_service *service)
{
    atomic_fetch_add_explicit(&service->refs, 1, memory_order_relaxed);
    return service;
}

void hf_service_unref(struct hf_service *service)
{
    if (service && atomic_fetch_sub_explicit(&service->refs, 1, memory_order_acq_rel) == 1) {
        service->ops->free(service);
    }
}

/* --- Requests -----------------------------------------------------------------------------------
 */

bool hf_service_header(const struct hf_service_call *call, const char *name, size_t nth,
                       struct hf_bytes *out_value)
{
    const struct hf_http_fields *headers = &call->request.headers;
    for (size_t i = 0; i < headers->n; i++) {
        const struct hf_http_field *field = &headers->field[i];
        if (hf_http_eq_str(hf_http_field_name(headers->head, field), name) && nth-- == 0) {
            *out_value = hf_http_field_value(headers->head, field);
            return true;
        }
    }
    return false;
}

/* --- Answers ------------------------------------------------------------------------------------
 */

HF_PRINTF(3, 0)
static enum hf_err append_field(struct hf_buf *fields, const char *name, const char *format,
                                va_list args)
{
    char value[1024];
    int n = vsnprintf(value, sizeof(value), format, args);
    if (n < 0 || (size_t)n >= sizeof(value)) {
        return hf_fail(HF_E_TOO_LARGE, "the field %s is too long", name);
    }
    struct hf_bytes text = hf_bytes_of(value, (size_t)n);
    struct hf_bytes token = hf_bytes_str(name);
    if (token.len == 0 || hf_http_span(token, HF_CHAR_TOKEN) < token.len ||
        hf_http_span(text, HF_CHAR_VALUE) < text.len) {
        return hf_fail(HF_E_INVALID, "the field %s can't be sent", name);
    }
    HF_TRY(hf_buf_append(fields, hf_bytes_of(name, strlen(name) + 1)));
    return hf_buf_append(fields, hf_bytes_of(value, (size_t)n + 1));
}

enum hf_err hf_service_field(struct hf_service_answer *answer, const char *name, const char *format,
                             ...)
{
    answer->fields.cap = HF_SERVICE_FIELDS_MAX;
    size_t was = hf_buf_len(&answer->fields);
    va_list args;
    va_start(args, format);
    enum hf_err err = append_field(&answer->fields, name, format, args);
    va_end(args);
    if (err != HF_OK) {
        answer->fields.end = answer->fields.start + was; /* not half of it */
    }
    return err;
}

static bool take_text(struct hf_bytes *rest, struct hf_bytes *out)
{
    const uint8_t *nul = rest->len ? memchr(rest->ptr, 0, rest->len) : NULL;
    if (!nul) {
        return false;
    }
    *out = hf_bytes_of(rest->ptr, (size_t)(nul - rest->ptr));
    *rest = hf_bytes_from(*rest, out->len + 1);
    return true;
}

enum hf_err hf_service_each_field(const struct hf_service_answer *answer, void *ctx,
                                  enum hf_err (*take)(void *ctx, struct hf_bytes name,
                                                      struct hf_bytes value))
{
    struct hf_bytes rest = hf_buf_bytes(&answer->fields);
    struct hf_bytes name;
    struct hf_bytes value;
    while (take_text(&rest, &name) && take_text(&rest, &value)) {
        HF_TRY(take(ctx, name, value));
    }
    return HF_OK;
}

static void drop_body(struct hf_service_answer *answer)
{
    if (answer->release) {
        answer->release(answer->ctx);
    }
    answer->body = hf_bytes_of(NULL, 0);
    answer->release = NULL;
    answer->ctx = NULL;
}

void hf_service_body_static(struct hf_service_answer *answer, struct hf_bytes body)
{
    drop_body(answer);
    answer->body = body;
}

static void release_buf(void *ctx)
{
    hf_buf_done(ctx);
    hf_free(ctx);
}

enum hf_err hf_service_body_buf(struct hf_service_answer *answer, struct hf_buf *buf)
{
    struct hf_buf *mine = HF_NEW(struct hf_buf);
    if (!mine) {
        return HF_E_NOMEM;
    }
    *mine = *buf;
    *buf = HF_BUF_INIT(buf->cap);
    drop_body(answer);
    answer->body = hf_buf_bytes(mine);
    answer->release = release_buf;
    answer->ctx = mine;
    return HF_OK;
}

void hf_service_answer_done(struct hf_service_answer *answer)
{
    drop_body(answer);
    hf_buf_done(&answer->fields);
}

void hf_service_answer(struct hf_service_call *call, struct hf_service_answer *answer)
{
    struct hf_service_answer given = *answer;
    *answer = (struct hf_service_answer){0};
    call->answer(call, &given);
}

void hf_service_say(struct hf_service_call *call, unsigned status, const char *text)
{
    struct hf_buf body = HF_BUF_INIT(4096);
    struct hf_service_answer answer = {.status = status,
                                       .content_type = "text/plain; charset=utf-8"};
    if (hf_buf_printf(&body, "%s\n", text) != HF_OK ||
        hf_service_body_buf(&answer, &body) != HF_OK) {
        hf_buf_done(&body);
    }
    hf_service_answer(call, &answer);
}
