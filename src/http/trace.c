// SPDX-License-Identifier: Apache-2.0
/*
 * Ids are compared and grepped for by people and machines, so whatever comes from outside is taken
 * only where it looks like an id. W3C Trace Context lets anybody continue a trace; a request id
 * from a stranger would let him write under somebody else's in our log.
 */
#include "http/trace.h"

#include <assert.h>
#include <string.h>

#include "http/chars.h"
#include "http/msg.h"

enum { TRACE_LEN = 32, SPAN_LEN = 16, PARENT_LEN = 55 };

/* --- traceparent -------------------------------------------------------------------------------*/

/* Lower case alone (section 3.2.2.3: an upper-case one is invalid). */
static bool is_hex(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

static bool is_id(struct hf_bytes text)
{
    size_t zeros = 0;
    while (zeros < text.len && text.ptr[zeros] == '0') {
        zeros++;
    }
    return is_hex(text) && zeros < text.len;
}

/* Version ff is for ever invalid; 00 ends here, a later one may go on after a dash. */
static bool is_version(struct hf_bytes text)
{
    bool current = memcmp(text.ptr, "00", 2) == 0;
    return is_hex(hf_bytes_of(text.ptr, 2)) && memcmp(text.ptr, "ff", 2) != 0 &&
           (text.len == PARENT_LEN || (!current && text.ptr[PARENT_LEN] == '-'));
}

enum hf_err hf_traceparent_parse(struct hf_bytes text, struct hf_traceparent *out)
{
    if (text.len < PARENT_LEN || !is_version(text) || text.ptr[2] != '-' || text.ptr[35] != '-' ||
        text.ptr[52] != '-') {
        return hf_fail(HF_E_MALFORMED, "traceparent has a wrong form");
    }
    struct hf_bytes trace = hf_bytes_of(text.ptr + 3, TRACE_LEN);
    struct hf_bytes parent = hf_bytes_of(text.ptr + 36, SPAN_LEN);
    struct hf_bytes flags = hf_bytes_of(text.ptr + 53, 2);
    if (!is_id(trace) || !is_id(parent) || !is_hex(flags)) {
        return hf_fail(HF_E_MALFORMED, "traceparent has an id that isn't one");
    }
    uint8_t low = (uint8_t)hf_http_hex_digit(flags.ptr[1]);
    *out = (struct hf_traceparent){trace, parent, low & 1};
    return HF_OK;
}

void hf_traceparent_format(const struct hf_request_ids *ids, char out[static HF_TRACEPARENT_SIZE])
{
    const struct hf_bytes parts[] = {hf_bytes_str("00-"), hf_bytes_of(ids->trace, TRACE_LEN),
                                     hf_bytes_str("-"), hf_bytes_of(ids->span, SPAN_LEN),
                                     hf_bytes_str(ids->flags & 1u ? "-01" : "-00")};
    for (size_t i = 0; i < HF_N_ELEMENTS(parts); i++) {
        memcpy(out, parts[i].ptr, parts[i].len);
        out += parts[i].len;
    }
    *out = '\0';
}

/* --- A request's ids ---------------------------------------------------------------------------*/

static bool is_zero(const uint8_t *bytes, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static enum hf_err draw(const struct hf_rng *rng, char *out, size_t n_bytes)
{
    uint8_t bytes[TRACE_LEN / 2];
    do {
        HF_TRY(hf_rng_fill(rng, hf_span_of(bytes, n_bytes)));
        hf_hex(hf_bytes_of(bytes, n_bytes), out);
    } while (is_zero(bytes, n_bytes));
    return HF_OK;
}

static void copy(char *out, struct hf_bytes text)
{
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static enum hf_err set_trace(struct hf_request_ids *ids, const struct hf_http_msg *msg,
                             const struct hf_rng *rng)
{
    struct hf_traceparent given;
    const struct hf_http_field *field = hf_http_msg_find_name(msg, HF_HTTP_TRACEPARENT, NULL);
    bool single = field && !hf_http_msg_find_name(msg, HF_HTTP_TRACEPARENT, field);
    HF_TRY(draw(rng, ids->span, SPAN_LEN / 2));
    if (single && hf_traceparent_parse(hf_http_msg_value(msg, field), &given) == HF_OK) {
        copy(ids->trace, given.trace);
        copy(ids->parent, given.parent);
        ids->flags = given.flags;
        return HF_OK;
    }
    ids->fresh = true;
    ids->flags = 1; /* our log has it; an unsampled parent would switch tracing off behind us */
    return draw(rng, ids->trace, TRACE_LEN / 2);
}

static bool is_request_id(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!hf_http_is(c, HF_CHAR_DIGIT) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            !hf_byte_in(c, "-_.:=+/@")) {
            return false;
        }
    }
    return text.len && text.len < HF_REQUEST_ID_SIZE;
}

enum hf_err hf_request_ids_init(struct hf_request_ids *ids, const struct hf_http_msg *msg,
                                bool trusted, const char *own, const struct hf_rng *rng)
{
    struct hf_bytes given;
    struct hf_request_ids made = {.flags = 0};
    if (trusted && hf_http_msg_get_str(msg, "x-request-id", &given) && is_request_id(given)) {
        copy(made.request, given);
    } else {
        assert(strlen(own) < sizeof(made.request));
        copy(made.request, hf_bytes_str(own));
    }
    HF_TRY(set_trace(&made, msg, rng));
    *ids = made;
    return HF_OK;
}
