// SPDX-License-Identifier: Apache-2.0
#include "req.h"

#include <string.h>

/* One connection of the request generator: TCP, TLS, and whichever version moves in it. */

enum { READ_CHUNK = 65536, IN_CAP = 128 << 10, OUT_CAP = 1 << 20, HEAD_CAP = 4096 };

static uint8_t chunk[READ_CHUNK]; /* plaintext of whichever connection is at work */

static void on_event(struct hf_watch *watch, unsigned events);

static void fail_tls(struct req_conn *conn, const char *where)
{
    const struct hf_tls_failure *failure = hf_tls_failure(conn->tls);
    req_fail(conn->load, hf_fail(HF_E_PEER, "%s", failure ? failure->text : "closed by the server"),
             where);
}

static enum hf_err connect_to(struct req_conn *conn)
{
    struct req_load *load = conn->load;
    if (load->ctx) {
        HF_TRY(hf_tls_new_client(load->ctx, conn, load->sni, NULL, &conn->tls));
    }
    HF_TRY(hf_sock_connect(&load->server, &conn->watch.fd));
    conn->watch.wanted = HF_LOOP_READ | HF_LOOP_WRITE;
    conn->watch.on_event = on_event;
    conn->state = REQ_CONNECTING;
    return hf_watch_add(load->loop, &conn->watch);
}

void req_conn_start(struct req_conn *conn)
{
    conn->in = HF_BUF_INIT(IN_CAP);
    conn->out = HF_BUF_INIT(OUT_CAP);
    conn->head = HF_BUF_INIT(HEAD_CAP);
    enum hf_err err = connect_to(conn);
    if (err) {
        req_fail(conn->load, err, "connect");
    }
}

void req_conn_done(struct req_conn *conn)
{
    if (conn->watch.active) {
        hf_watch_remove(conn->load->loop, &conn->watch);
        hf_sock_reset(conn->watch.fd);
        hf_closep(&conn->watch.fd);
    }
    conn->load->version->done(conn);
    hf_tls_free(conn->tls);
    conn->tls = NULL;
    hf_buf_done(&conn->in);
    hf_buf_done(&conn->out);
    hf_buf_done(&conn->head);
    conn->state = REQ_CLOSED;
}

enum hf_err req_conn_write(struct req_conn *conn, struct hf_bytes bytes)
{
    struct hf_tls_io io = {{NULL, 0}, &conn->out};
    size_t n;
    if (!conn->tls) {
        return hf_buf_append(&conn->out, bytes);
    }
    if (hf_tls_write(conn->tls, &io, bytes, &n) != HF_TLS_DONE || n != bytes.len) {
        return hf_fail(HF_E_INTERNAL, "requests don't fit the buffer");
    }
    return HF_OK;
}

static enum hf_err flush(struct req_conn *conn)
{
    bool blocked = false;
    if (conn->state == REQ_OPEN) {
        HF_TRY(conn->load->version->send(conn));
    }
    while (hf_buf_len(&conn->out) > 0 && !blocked) {
        size_t n;
        HF_TRY(hf_sock_write(conn->watch.fd, hf_buf_bytes(&conn->out), &n, &blocked));
        hf_buf_consume(&conn->out, n);
        conn->load->n_progress += n;
    }
    hf_watch_want(conn->load->loop, &conn->watch,
                  blocked ? HF_LOOP_READ | HF_LOOP_WRITE : HF_LOOP_READ);
    return HF_OK;
}

static enum hf_err fill(struct req_conn *conn, bool *blocked)
{
    struct hf_span room;
    size_t want = hf_buf_room(&conn->in) < READ_CHUNK ? hf_buf_room(&conn->in) : READ_CHUNK;
    size_t n;
    HF_TRY(hf_buf_reserve(&conn->in, want, &room));
    HF_TRY(hf_sock_read(conn->watch.fd, room, &n, blocked));
    hf_buf_commit(&conn->in, n);
    conn->ended = n == 0 && !*blocked;
    conn->load->n_progress += n;
    return HF_OK;
}

static enum hf_tls_step take_plain(struct req_conn *conn, size_t *out_n)
{
    struct hf_bytes in = hf_buf_bytes(&conn->in);
    size_t n = in.len < sizeof(chunk) ? in.len : sizeof(chunk);
    if (n) {
        memcpy(chunk, in.ptr, n);
        hf_buf_consume(&conn->in, n);
    }
    *out_n = n;
    return n ? HF_TLS_DONE : HF_TLS_WANT_INPUT;
}

static enum hf_tls_step call(struct req_conn *conn, size_t *out_n)
{
    if (!conn->tls) {
        return take_plain(conn, out_n);
    }
    struct hf_bytes in = hf_buf_bytes(&conn->in);
    struct hf_tls_io io = {hf_span_of((uint8_t *)(uintptr_t)in.ptr, in.len), &conn->out};
    enum hf_tls_step step;
    *out_n = 0;
    for (;;) {
        step = conn->state == REQ_SHAKING
                   ? hf_tls_handshake(conn->tls, &io)
                   : hf_tls_read(conn->tls, &io, hf_span_of(chunk, sizeof(chunk)), out_n);
        if (step != HF_TLS_WANT_JOB) {
            break;
        }
        hf_tls_job_run(hf_tls_job(conn->tls));
    }
    hf_buf_consume(&conn->in, in.len - io.in.len);
    return step;
}

static enum hf_err begin(struct req_conn *conn)
{
    conn->state = REQ_OPEN;
    HF_TRY(conn->load->version->start(conn));
    conn->n_flying = 1;
    return conn->load->version->request(conn, 0); /* warms up */
}

/* One step of TLS with what has arrived; false: more input is needed, or it is over. */
static bool advance(struct req_conn *conn)
{
    size_t n;
    enum hf_tls_step step = call(conn, &n);
    enum hf_err err = HF_OK;
    if (step == HF_TLS_FAILED || step == HF_TLS_CLOSED) {
        fail_tls(conn, conn->state == REQ_SHAKING ? "handshake" : "read");
        return false;
    }
    if (step == HF_TLS_DONE) {
        conn->receiving = true;
        err = conn->state == REQ_SHAKING
                  ? begin(conn)
                  : conn->load->version->receive(conn, hf_bytes_of(chunk, n));
        conn->receiving = false;
    }
    if (err) {
        req_fail(conn->load, err, "answer");
        return false;
    }
    return step == HF_TLS_DONE;
}

static void pump(struct req_conn *conn)
{
    bool blocked = false;
    enum hf_err err = HF_OK;
    if (!conn->tls && conn->state == REQ_SHAKING) {
        err = begin(conn);
    }
    while (!blocked && !err && !conn->load->err) {
        err = fill(conn, &blocked);
        while (!err && advance(conn)) {
        }
        if (!err && conn->ended) {
            err = hf_fail(HF_E_CLOSED, "the server closed the connection");
        }
    }
    err = err ? err : flush(conn);
    if (err) {
        req_fail(conn->load, err, "transfer");
    }
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct req_conn *conn = HF_CONTAINER_OF(watch, struct req_conn, watch);
    (void)events;
    if (conn->state == REQ_CONNECTING) {
        enum hf_err err = hf_sock_connect_result(watch->fd);
        if (err) {
            req_fail(conn->load, err, "connect");
            return;
        }
        conn->state = REQ_SHAKING;
        if (conn->tls) {
            (void)advance(conn); /* the ClientHello */
        }
    }
    pump(conn);
    if (conn->load->idle && conn->state == REQ_OPEN && conn->n_flying == 0) {
        req_conn_rest(conn);
    }
}

bool req_conn_has_room(const struct req_conn *conn)
{
    return conn->state == REQ_OPEN && conn->n_flying < conn->load->n_streams;
}

void req_conn_request(struct req_conn *conn, int64_t began_ns)
{
    conn->n_flying++;
    enum hf_err err = conn->load->version->request(conn, began_ns);
    err = err || conn->receiving ? err : flush(conn);
    if (err) {
        req_fail(conn->load, err, "request");
    }
}

void req_conn_rest(struct req_conn *conn)
{
    if (conn->tls) {
        hf_tls_quiet(conn->tls);
    }
    if (hf_buf_len(&conn->in) == 0) {
        hf_buf_release(&conn->in);
    }
    hf_buf_release(&conn->out);
    hf_buf_release(&conn->head);
}
