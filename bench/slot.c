// SPDX-License-Identifier: Apache-2.0
#include "load.h"

/* One connection of the load client, and the operations on it. */

#include <stdlib.h>
#include <string.h>

enum { READ_CHUNK = 65536, IN_CAP = 128 << 10, OUT_CAP = 128 << 10, HEAD_CAP = 4096 };

static uint8_t chunk[READ_CHUNK]; /* plaintext of whichever slot is at work */

static void on_event(struct hf_watch *watch, unsigned events);

/* --- Connecting --- */

static void fail(struct slot *slot, enum hf_err err, const char *where)
{
    load_fail(slot->load, err, where);
}

/* A handshake or a stream that broke: the seam's words come along. */
static void fail_tls(struct slot *slot, const char *where)
{
    const struct hf_tls_failure *failure = hf_tls_failure(slot->tls);
    fail(slot, hf_fail(HF_E_PEER, "%s", failure ? failure->text : "closed by the server"), where);
}

static enum hf_err connect_slot(struct slot *slot)
{
    struct load *load = slot->load;
    const struct hf_tls_session *session = load->mode == LOAD_RESUME ? slot->session : NULL;
    struct hf_tls_ctx *ctx;
    HF_TRY(load_ctx(load, slot, &ctx));
    enum hf_err err = hf_tls_new_client(ctx, slot, load->sni, session, &slot->tls);
    hf_tls_ctx_unref(ctx);
    HF_TRY(err);
    HF_TRY(hf_sock_connect(&load->server, &slot->watch.fd));
    slot->watch.wanted = HF_LOOP_READ | HF_LOOP_WRITE;
    slot->watch.on_event = on_event;
    slot->state = SLOT_CONNECTING;
    slot->ended = false;
    return hf_watch_add(load->loop, &slot->watch);
}

void slot_start(struct slot *slot)
{
    slot->in = HF_BUF_INIT(IN_CAP);
    slot->out = HF_BUF_INIT(OUT_CAP);
    slot->head = HF_BUF_INIT(HEAD_CAP);
    enum hf_err err = connect_slot(slot);
    if (err) {
        fail(slot, err, "connect");
    }
}

/* Reset and not FIN, so that tens of thousands of ports don't stay in TIME_WAIT. */
static void disconnect(struct slot *slot)
{
    if (slot->watch.active) {
        hf_watch_remove(slot->load->loop, &slot->watch);
        hf_sock_reset(slot->watch.fd);
        hf_closep(&slot->watch.fd);
    }
    hf_tls_free(slot->tls);
    slot->tls = NULL;
    hf_buf_reset(&slot->in);
    hf_buf_reset(&slot->out);
    slot->state = SLOT_CLOSED;
}

void slot_done(struct slot *slot)
{
    disconnect(slot);
    hf_tls_session_free(slot->session);
    hf_buf_done(&slot->in);
    hf_buf_done(&slot->out);
    hf_buf_done(&slot->head);
}

/* --- One request --- */

static enum hf_err begin(struct slot *slot)
{
    const struct load *load = slot->load;
    static const char host[] = "Host: bench.example";
    struct hf_buf request HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HEAD_CAP);
    bool warm = slot->n_done == 0; /* the first one is small, whatever the mode */
    slot->up_left = 0;
    if (load->mode == LOAD_DOWN && !warm) {
        HF_TRY(hf_buf_printf(&request, "GET /down/%llu HTTP/1.1\r\n%s\r\n\r\n",
                             (unsigned long long)load->bytes, host));
    } else if (load->mode == LOAD_UP && !warm) {
        slot->up_left = load->bytes;
        HF_TRY(hf_buf_printf(&request, "POST /up HTTP/1.1\r\n%s\r\nContent-Length: %llu\r\n\r\n",
                             host, (unsigned long long)load->bytes));
    } else {
        HF_TRY(hf_buf_printf(&request, "GET / HTTP/1.1\r\n%s\r\n\r\n", host));
    }
    struct hf_tls_io io = {{NULL, 0}, &slot->out};
    size_t n;
    if (hf_tls_write(slot->tls, &io, hf_buf_bytes(&request), &n) != HF_TLS_DONE) {
        return hf_fail(HF_E_INTERNAL, "a request doesn't fit the buffer");
    }
    slot->head_done = false;
    hf_buf_reset(&slot->head);
    slot->state = SLOT_BUSY;
    return HF_OK;
}

/* Encrypts more of the request's body while there's room. */
static enum hf_err push_body(struct slot *slot)
{
    struct hf_tls_io io = {{NULL, 0}, &slot->out};
    while (slot->up_left > 0) {
        size_t len = slot->up_left < READ_CHUNK ? (size_t)slot->up_left : READ_CHUNK;
        size_t n;
        enum hf_tls_step step = hf_tls_write(slot->tls, &io, hf_bytes_of(chunk, len), &n);
        slot->up_left -= n;
        slot->load->n_bytes += slot->load->measuring ? n : 0;
        if (step != HF_TLS_DONE) {
            return step == HF_TLS_WANT_OUTPUT ? HF_OK : hf_fail(HF_E_PEER, "write failed");
        }
    }
    return HF_OK;
}

static enum hf_err read_head(struct slot *slot, const char *head)
{
    const char *length = strcasestr(head, "content-length:");
    if (strncmp(head, "HTTP/1.1 200", 12) != 0 || !length) {
        return hf_fail(HF_E_PEER, "answer: %.60s", head);
    }
    slot->answer_left = strtoull(length + 15, NULL, 10);
    slot->head_done = true;
    return HF_OK;
}

/* Takes one byte at a time until the blank line; heads are short. */
static enum hf_err take_head(struct slot *slot, struct hf_bytes *plain)
{
    while (!slot->head_done && plain->len > 0) {
        HF_TRY(hf_buf_append(&slot->head, hf_bytes_of(plain->ptr, 1)));
        *plain = hf_bytes_from(*plain, 1);
        struct hf_bytes head = hf_buf_bytes(&slot->head);
        if (head.len >= 4 && memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0) {
            const char *text = hf_buf_cstr(&slot->head);
            HF_TRY(text ? read_head(slot, text) : HF_E_NOMEM);
        }
    }
    return HF_OK;
}

static enum hf_err take_answer(struct slot *slot, struct hf_bytes plain)
{
    if (slot->load->mode != LOAD_UP) {
        slot->load->n_bytes += slot->load->measuring ? plain.len : 0;
    }
    HF_TRY(take_head(slot, &plain));
    if (plain.len > 0 && plain.len > slot->answer_left) {
        return hf_fail(HF_E_PEER, "more came than was asked for");
    }
    slot->answer_left -= plain.len;
    return HF_OK;
}

static bool answered(const struct slot *slot)
{
    return slot->head_done && slot->answer_left == 0 && slot->up_left == 0;
}

/* --- Between operations --- */

static void keep_session(struct slot *slot)
{
    struct hf_tls_session *newest =
        slot->load->mode == LOAD_RESUME ? hf_tls_take_session(slot->tls) : NULL;
    if (newest) {
        hf_tls_session_free(slot->session);
        slot->session = newest;
    }
}

static void note(struct slot *slot)
{
    struct load *load = slot->load;
    struct hf_tls_info info;
    hf_tls_info(slot->tls, &info);
    load->n_resumed += load->measuring && info.resumed;
    if (!load->version[0]) {
        snprintf(load->version, sizeof(load->version), "%s", info.version ? info.version : "?");
        snprintf(load->suite, sizeof(load->suite), "%s", info.suite ? info.suite : "?");
    }
}

static void rest(struct slot *slot)
{
    slot->state = SLOT_RESTING;
    if (slot->tls) {
        hf_watch_want(slot->load->loop, &slot->watch, HF_LOOP_READ);
        hf_tls_quiet(slot->tls);
        if (hf_buf_len(&slot->in) == 0) {
            hf_buf_release(&slot->in);
        }
        hf_buf_release(&slot->out);
        hf_buf_release(&slot->head);
    }
}

void slot_go(struct slot *slot)
{
    enum hf_err err = slot->tls ? begin(slot) : connect_slot(slot);
    if (err) {
        fail(slot, err, "next operation");
    } else if (slot->tls && slot->state == SLOT_BUSY) {
        hf_watch_want(slot->load->loop, &slot->watch, HF_LOOP_READ | HF_LOOP_WRITE);
    }
}

/* The answer is whole: one operation done. */
static void finish(struct slot *slot)
{
    bool kept = slot->load->mode != LOAD_HANDSHAKE && slot->load->mode != LOAD_RESUME;
    note(slot);
    keep_session(slot);
    slot->n_done++;
    if (!kept) {
        disconnect(slot);
    }
    if (load_done_one(slot)) {
        slot_go(slot);
    } else {
        rest(slot);
    }
}

/* --- Moving --- */

static enum hf_err flush(struct slot *slot, bool *blocked)
{
    *blocked = false;
    while (hf_buf_len(&slot->out) > 0 && !*blocked) {
        size_t n;
        HF_TRY(hf_sock_write(slot->watch.fd, hf_buf_bytes(&slot->out), &n, blocked));
        hf_buf_consume(&slot->out, n);
        slot->load->n_progress += n;
    }
    return HF_OK;
}

static enum hf_err fill(struct slot *slot, bool *blocked)
{
    struct hf_span room;
    size_t want = hf_buf_room(&slot->in) < READ_CHUNK ? hf_buf_room(&slot->in) : READ_CHUNK;
    size_t n;
    HF_TRY(hf_buf_reserve(&slot->in, want, &room));
    HF_TRY(hf_sock_read(slot->watch.fd, room, &n, blocked));
    hf_buf_commit(&slot->in, n);
    slot->ended = n == 0 && !*blocked;
    slot->load->n_progress += n;
    return HF_OK;
}

static enum hf_tls_step call(struct slot *slot, size_t *out_n)
{
    struct hf_bytes in = hf_buf_bytes(&slot->in);
    struct hf_tls_io io = {hf_span_of((uint8_t *)(uintptr_t)in.ptr, in.len), &slot->out};
    enum hf_tls_step step;
    *out_n = 0;
    for (;;) {
        step = slot->state == SLOT_SHAKING
                   ? hf_tls_handshake(slot->tls, &io)
                   : hf_tls_read(slot->tls, &io, hf_span_of(chunk, sizeof(chunk)), out_n);
        if (step != HF_TLS_WANT_JOB) {
            break;
        }
        hf_tls_job_run(hf_tls_job(slot->tls));
    }
    hf_buf_consume(&slot->in, in.len - io.in.len);
    return step;
}

/* One step of TLS with what has arrived; false: more input is needed, or it is over. */
static bool advance(struct slot *slot)
{
    size_t n;
    enum hf_tls_step step = call(slot, &n);
    enum hf_err err = HF_OK;
    if (step == HF_TLS_DONE && slot->state == SLOT_SHAKING) {
        err = begin(slot);
    } else if (step == HF_TLS_DONE) {
        err = take_answer(slot, hf_bytes_of(chunk, n));
    } else if (step == HF_TLS_FAILED || step == HF_TLS_CLOSED) {
        fail_tls(slot, slot->state == SLOT_SHAKING ? "handshake" : "read");
        return false;
    }
    if (err) {
        fail(slot, err, "answer");
        return false;
    }
    return step == HF_TLS_DONE;
}

/* Works until the socket blocks, or the operation is done. */
static void pump(struct slot *slot)
{
    bool in_blocked = false, out_blocked = false;
    while (!in_blocked && !slot->load->err) {
        while (advance(slot)) {
            if (slot->state == SLOT_BUSY && answered(slot)) {
                finish(slot);
                return; /* the next operation has its own event */
            }
        }
        enum hf_err err = slot->load->err;
        err = err || slot->state != SLOT_BUSY ? err : push_body(slot);
        err = err ? err : flush(slot, &out_blocked);
        err = err ? err : fill(slot, &in_blocked);
        if (!err && slot->ended) {
            err = hf_fail(HF_E_CLOSED, "the server closed the connection");
        }
        if (err) {
            fail(slot, err, "transfer");
            return;
        }
    }
    bool more = hf_buf_len(&slot->out) > 0 || slot->up_left > 0;
    hf_watch_want(slot->load->loop, &slot->watch,
                  more ? HF_LOOP_READ | HF_LOOP_WRITE : HF_LOOP_READ);
}

/* At rest only what TLS has to say for itself may come, such as a late ticket. */
static void stir(struct slot *slot)
{
    bool blocked;
    size_t n;
    enum hf_err err = fill(slot, &blocked);
    if (!err && (slot->ended || call(slot, &n) != HF_TLS_WANT_INPUT)) {
        err = hf_fail(HF_E_PEER, "the server ended a connection at rest, or sent data on it");
    }
    if (err) {
        fail(slot, err, "rest");
        return;
    }
    rest(slot);
}

bool slot_was_told(struct slot *slot)
{
    bool blocked = false;
    struct hf_tls_info info;
    size_t n;
    enum hf_err err = HF_OK;
    while (!err && !blocked && !slot->ended) {
        err = fill(slot, &blocked);
    }
    (void)call(slot, &n);
    hf_tls_info(slot->tls, &info);
    bool told = !err && slot->ended && info.alert_received != HF_ALERT_NONE &&
                info.alert_received != HF_ALERT_CLOSE_NOTIFY;
    disconnect(slot);
    return told;
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct slot *slot = HF_CONTAINER_OF(watch, struct slot, watch);
    (void)events;
    if (slot->state == SLOT_CONNECTING) {
        enum hf_err err = hf_sock_connect_result(watch->fd);
        if (err) {
            fail(slot, err, "connect");
            return;
        }
        slot->state = SLOT_SHAKING;
    }
    if (slot->state == SLOT_SHAKING || slot->state == SLOT_BUSY) {
        pump(slot);
    } else if (slot->state == SLOT_RESTING) {
        stir(slot);
    }
}
