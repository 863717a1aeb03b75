// SPDX-License-Identifier: Apache-2.0
/*
 * GET, or grpc.health.v1.Health/Check, over HTTP/2.
 *
 * The two messages of the health protocol are small enough to be written and read by hand: the
 * request is field 1, the service's name; the response is field 1, an enum of which 1 is SERVING.
 * Each goes behind the five bytes of a gRPC message: not compressed, and its length.
 */
#include <string.h>

#include "proxy/probe_impl.h"

enum {
    BODY_MAX = 4096,
    PREFIX = 5,
    TAG_STRING_1 = 1 << 3 | 2, /* field 1, length-delimited */
    TAG_VARINT_1 = 1 << 3,     /* field 1, varint */
    SERVING = 1,
};

static struct hf_probe *probe_of(void *ctx)
{
    return ctx;
}

static bool is_grpc(const struct hf_probe *probe)
{
    return probe->cfg->type == HF_CHECK_GRPC;
}

/* --- The gRPC answer ----------------------------------------------------------------------------
 */

/* A varint of at most 10 bytes off the front of in; false: there is none. */
static bool take_varint(struct hf_bytes *in, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < in->len && i < 10; i++) {
        *out |= (uint64_t)(in->ptr[i] & 0x7f) << (7 * i);
        if (!(in->ptr[i] & 0x80)) {
            *in = hf_bytes_from(*in, i + 1);
            return true;
        }
    }
    return false;
}

/* Passes over a field of another number or kind; false: the message is malformed. */
static bool skip_field(struct hf_bytes *in, uint64_t tag)
{
    uint64_t n = 0;
    switch (tag & 7) {
    case 0:
        return take_varint(in, &n);
    case 1:
        n = 8;
        break;
    case 2:
        if (!take_varint(in, &n)) {
            return false;
        }
        break;
    case 5:
        n = 4;
        break;
    default:
        return false;
    }
    if (n > in->len) {
        return false;
    }
    *in = hf_bytes_from(*in, n);
    return true;
}

/* Proto3 leaves zero (UNKNOWN) out, and the last of several counts. */
int hf_probe_serving_status(struct hf_bytes body)
{
    uint64_t status = 0;
    if (body.len < PREFIX || body.ptr[0] != 0) {
        return -1;
    }
    size_t len = (size_t)body.ptr[1] << 24 | (size_t)body.ptr[2] << 16 | (size_t)body.ptr[3] << 8 |
                 body.ptr[4];
    struct hf_bytes message = hf_bytes_from(body, PREFIX);
    if (len != message.len) {
        return -1;
    }
    for (uint64_t tag; message.len;) {
        if (!take_varint(&message, &tag)) {
            return -1;
        }
        bool ours = tag == TAG_VARINT_1;
        if (ours ? !take_varint(&message, &status) : !skip_field(&message, tag)) {
            return -1;
        }
    }
    return status <= 3 ? (int)status : 0;
}

static void judge_grpc(struct hf_probe *probe, const struct hf_http_msg *trailers)
{
    static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    struct hf_bytes code;
    if (!trailers || !hf_http_msg_get_str(trailers, "grpc-status", &code)) {
        hf_probe_bad(probe, "the answer has no grpc-status (HTTP status %u)", probe->status);
        return;
    }
    if (code.len != 1 || code.ptr[0] != '0') {
        hf_probe_bad(probe, "the health check answered grpc-status %.*s", (int)code.len,
                     (const char *)code.ptr);
        return;
    }
    int status = hf_probe_serving_status(hf_buf_bytes(&probe->body));
    if (status == SERVING) {
        hf_probe_good(probe);
    } else {
        hf_probe_bad(probe, "the health check answered %s",
                     status < 0 ? "with a malformed message" : names[status]);
    }
}

/* --- What comes ---------------------------------------------------------------------------------
 */

static void on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool last)
{
    (void)stream;
    struct hf_probe *probe = probe_of(ctx);
    if (msg->status >= 200) {
        probe->status = msg->status;
        if (!is_grpc(probe)) {
            hf_probe_judge_status(probe, msg->status);
        } else if (last) { /* "trailers only": an error, most likely */
            judge_grpc(probe, msg);
        }
    }
    hf_http_msg_pool_put(&probe->env->msgs, msg);
}

static void on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct hf_probe *probe = probe_of(ctx);
    if (is_grpc(probe) && hf_buf_append(&probe->body, data) != HF_OK) {
        hf_probe_bad(probe, "the answer is too large for a health check's");
    }
    hf_h2_consume(stream, data.len);
}

static void on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    (void)stream;
    struct hf_probe *probe = probe_of(ctx);
    if (is_grpc(probe)) {
        judge_grpc(probe, trailers);
    }
    hf_http_msg_pool_put(&probe->env->msgs, trailers);
}

static void on_room(void *ctx, struct hf_h2_stream *stream)
{
    (void)ctx;
    (void)stream; /* the question is written at once, and small */
}

static void on_close(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    (void)stream;
    struct hf_probe *probe = probe_of(ctx);
    probe->stream = NULL;
    hf_probe_bad(probe, "the stream ended without an answer: %s", hf_h2_code_text(why->code));
}

const struct hf_h2_events hf_probe_h2_events = {
    .on_head = on_head,
    .on_data = on_data,
    .on_end = on_end,
    .on_room = on_room,
    .on_close = on_close,
};

/* --- What goes ----------------------------------------------------------------------------------
 */

static void send_frames(struct hf_probe *probe)
{
    uint8_t room[4096];
    size_t len = 0;
    do {
        if (hf_h2_take(probe->h2, hf_span_of(room, sizeof(room)), &len) != HF_OK) {
            hf_probe_bad(probe, "%s", hf_err_text());
            return;
        }
        if (len) {
            hf_probe_write(probe, hf_bytes_of(room, len));
        }
    } while (len && !probe->ended);
}

static enum hf_err set_request(const struct hf_probe *probe, struct hf_http_msg *msg)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf host = HF_BUF_INIT(512);
    bool grpc = is_grpc(probe);
    HF_TRY(hf_http_msg_set_request(
        msg, hf_bytes_str(grpc ? "POST" : "GET"),
        hf_bytes_str(grpc ? "/grpc.health.v1.Health/Check" : probe->cfg->path.value)));
    HF_TRY(hf_probe_authority(probe, &host));
    HF_TRY(hf_http_msg_set_scheme(msg, hf_bytes_str(probe->leg.tls ? "https" : "http")));
    HF_TRY(hf_http_msg_set_authority(msg, hf_buf_bytes(&host)));
    HF_TRY(hf_http_msg_add_str(msg, "user-agent", "handfast-check"));
    if (grpc) {
        msg->te_trailers = true;
        msg->body = HF_BODY_STREAM;
        HF_TRY(hf_http_msg_add_str(msg, "content-type", "application/grpc"));
    }
    return HF_OK;
}

/* The service's name has at most 255 bytes, so that its length may take two bytes. */
static size_t write_question(const struct hf_probe *probe, uint8_t out[static 512])
{
    const char *service = probe->cfg->service.value ? probe->cfg->service.value : "";
    struct hf_bytes name = hf_bytes_str(service);
    size_t n = name.len;
    size_t len = PREFIX;
    memset(out, 0, PREFIX);
    if (n) {
        out[len++] = TAG_STRING_1;
        if (n > 0x7f) {
            out[len++] = (uint8_t)(n | 0x80);
        }
        out[len++] = (uint8_t)(n > 0x7f ? n >> 7 : n);
        memcpy(out + len, name.ptr, n);
        len += n;
    }
    out[3] = (uint8_t)((len - PREFIX) >> 8);
    out[4] = (uint8_t)(len - PREFIX);
    return len;
}

static enum hf_err ask(struct hf_probe *probe, struct hf_http_msg *msg)
{
    uint8_t question[512];
    size_t taken = 0;
    HF_TRY(set_request(probe, msg));
    HF_TRY(hf_h2_request(probe->h2, &probe->stream, msg, !is_grpc(probe), NULL));
    if (!is_grpc(probe)) {
        return HF_OK;
    }
    size_t len = write_question(probe, question);
    HF_TRY(hf_h2_write(probe->stream, hf_bytes_of(question, len), &taken));
    return hf_h2_finish(probe->stream, NULL);
}

static void start(struct hf_probe *probe)
{
    probe->body = HF_BUF_INIT(BODY_MAX);
    struct hf_http_msg *msg = hf_http_msg_pool_get(&probe->env->msgs);
    enum hf_err err = msg ? hf_h2_new(&probe->h2, &probe->env->h2, probe) : HF_E_NOMEM;
    err = err == HF_OK ? ask(probe, msg) : err;
    hf_http_msg_pool_put(&probe->env->msgs, msg);
    if (err != HF_OK) {
        hf_probe_bad(probe, "%s", hf_err_text());
        return;
    }
    send_frames(probe);
}

static void take(struct hf_probe *probe, struct hf_bytes bytes)
{
    if (hf_h2_feed(probe->h2, bytes, hf_loop_now_ms(probe->env->loop)) != HF_OK) {
        hf_probe_bad(probe, "the answer isn't HTTP/2: %s", hf_h2_fault(probe->h2).text);
        return;
    }
    if (!probe->ended) {
        send_frames(probe);
    }
}

static void eof(struct hf_probe *probe)
{
    hf_probe_bad(probe, "the server closed without an answer");
}

static void done(struct hf_probe *probe)
{
    hf_h2_free(probe->h2); /* calls on_close; the probe has ended */
    hf_buf_done(&probe->body);
}

const struct hf_probe_speech hf_probe_h2 = {start, take, eof, done};
