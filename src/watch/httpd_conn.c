// SPDX-License-Identifier: Apache-2.0
/*
 * A connection of the small HTTP server: bytes and time.
 *
 *     socket -> net_in -> filter -> in  -> httpd_http.c
 *     socket <- net_out <- filter <- out <-
 *
 * Without a filter the inner pair is the outer one. hf_conn_run goes round these stages until none
 * of them moves; whatever happened (an event, a timer, an answer from a handler) ends there.
 *
 * A connection that was closed while a handler holds its call lives on, without a socket and off
 * its server's list, until the handler answers.
 */
#include "watch/httpd_conn.h"
#include "base/mem.h"

enum { READ_SIZE = 16 << 10 };

#define TO(phase)  HF_FSM_TO(HF_CONN_##phase)
#define TO_THE_END (TO(CLOSING) | TO(CLOSED))

static const struct hf_fsm_state phases[] = {
    [HF_CONN_IDLE] = {"idle", TO(READING) | TO_THE_END, 0},
    [HF_CONN_READING] = {"reading", TO(PENDING) | TO(SENDING) | TO_THE_END, 0},
    [HF_CONN_PENDING] = {"pending", TO(SENDING) | TO_THE_END, 0},
    [HF_CONN_SENDING] = {"sending", TO(IDLE) | TO_THE_END, 0},
    [HF_CONN_CLOSING] = {"closing", TO(LINGERING) | TO(CLOSED), 0},
    [HF_CONN_LINGERING] = {"lingering", TO(CLOSED), 0},
    [HF_CONN_CLOSED] = {"closed", 0, 0},
};

static struct hf_buf *net_in(struct hf_httpd_conn *conn)
{
    return conn->filter ? &conn->net_in : &conn->in;
}

static struct hf_buf *net_out(struct hf_httpd_conn *conn)
{
    return conn->filter ? &conn->net_out : &conn->out;
}

/* --- Time ---------------------------------------------------------------------------------------
 */

static int64_t phase_ms(const struct hf_httpd_conn *conn)
{
    const struct hf_httpd_limits *limits = &conn->httpd->limits;
    switch (hf_conn_phase(conn)) {
    case HF_CONN_IDLE:
        return limits->idle_ms;
    case HF_CONN_READING:
        return limits->request_ms;
    case HF_CONN_PENDING:
        return limits->answer_ms;
    case HF_CONN_SENDING:
        return conn->call.waiting ? limits->answer_ms : limits->write_ms;
    case HF_CONN_CLOSING:
        return limits->write_ms;
    default:
        return HF_CONN_LINGER_MS;
    }
}

void hf_conn_move(struct hf_httpd_conn *conn, enum hf_conn_phase phase)
{
    hf_fsm_move(&conn->phase, (uint8_t)phase);
    hf_timer_set(conn->loop, &conn->timer, phase_ms(conn));
}

static void on_due(struct hf_timer *timer)
{
    struct hf_httpd_conn *conn = HF_CONTAINER_OF(timer, struct hf_httpd_conn, timer);
    switch (hf_conn_phase(conn)) {
    case HF_CONN_READING:
        hf_conn_refuse(conn, 408, "timeout", "the request took too long to arrive");
        break;
    case HF_CONN_PENDING:
        hf_conn_refuse(conn, 504, "timeout", "the answer took too long to make");
        break;
    default:
        hf_conn_close(conn);
        break;
    }
    hf_conn_run(conn);
}

/* --- Beginning and end --------------------------------------------------------------------------
 */

void hf_conn_close(struct hf_httpd_conn *conn)
{
    if (hf_conn_phase(conn) == HF_CONN_CLOSED) {
        return;
    }
    hf_fsm_move(&conn->phase, HF_CONN_CLOSED);
    hf_watch_remove(conn->loop, &conn->watch);
    hf_timer_cancel(&conn->timer);
    hf_closep(&conn->watch.fd);
    hf_link_remove(&conn->link);
    conn->httpd->n_conns--;
    conn->httpd = NULL;
    if (conn->filter_state) {
        conn->filter->close(HF_TAKE(conn->filter_state));
        conn->call.request.filter_state = NULL;
    }
    hf_conn_end_call(conn);
}

void hf_conn_reap(struct hf_httpd_conn *conn)
{
    if (hf_conn_phase(conn) != HF_CONN_CLOSED || conn->call.held || conn->running ||
        conn->resuming) {
        return;
    }
    hf_conn_end_call(conn);
    hf_buf_done(&conn->net_in);
    hf_buf_done(&conn->in);
    hf_buf_done(&conn->out);
    hf_buf_done(&conn->net_out);
    hf_free(conn);
}

/* --- Bytes --------------------------------------------------------------------------------------
 */

/* Reads what there is room for; true when something came. */
static bool receive(struct hf_httpd_conn *conn)
{
    struct hf_buf *buf = net_in(conn);
    size_t room = hf_buf_room(buf) < READ_SIZE ? hf_buf_room(buf) : READ_SIZE;
    struct hf_span into;
    size_t n = 0;
    bool would_block = false;
    if (conn->eof || room == 0) {
        return false;
    }
    if (hf_buf_reserve(buf, room, &into) != HF_OK ||
        hf_sock_read(conn->watch.fd, into, &n, &would_block) != HF_OK) {
        hf_conn_close(conn);
        return false;
    }
    hf_buf_commit(buf, n);
    conn->eof = n == 0 && !would_block;
    return n > 0 || conn->eof;
}

/* Runs the filter; true when it moved something. */
static bool filter(struct hf_httpd_conn *conn)
{
    bool closing = hf_conn_phase(conn) == HF_CONN_CLOSING;
    struct hf_httpd_pipes pipes = {&conn->net_in, &conn->in, &conn->out, &conn->net_out, closing};
    if (!conn->filter || conn->filter_failed || hf_conn_phase(conn) == HF_CONN_LINGERING) {
        return false;
    }
    size_t before[] = {hf_buf_len(&conn->net_in), hf_buf_len(&conn->in), hf_buf_len(&conn->out),
                       hf_buf_len(&conn->net_out)};
    enum hf_filter_step step = conn->filter->run(conn->filter_state, &pipes);
    bool moved = before[0] != hf_buf_len(&conn->net_in) || before[1] != hf_buf_len(&conn->in) ||
                 before[2] != hf_buf_len(&conn->out) || before[3] != hf_buf_len(&conn->net_out);
    if (step == HF_FILTER_FAILED) {
        conn->filter_failed = true;
        hf_buf_reset(&conn->out);
        if (!closing) {
            hf_conn_move(conn, HF_CONN_CLOSING);
        }
        return true;
    }
    if (step == HF_FILTER_CLOSED && !conn->eof) {
        conn->eof = true;
        return true;
    }
    return moved;
}

/* Writes what the socket takes; true when it took something. */
static bool flush(struct hf_httpd_conn *conn)
{
    struct hf_buf *buf = net_out(conn);
    size_t n = 0;
    bool would_block;
    if (hf_buf_len(buf) == 0) {
        return false;
    }
    if (hf_sock_write(conn->watch.fd, hf_buf_bytes(buf), &n, &would_block) != HF_OK) {
        hf_conn_close(conn);
        return false;
    }
    hf_buf_consume(buf, n);
    enum hf_conn_phase phase = hf_conn_phase(conn);
    if (n > 0 && (phase == HF_CONN_SENDING || phase == HF_CONN_CLOSING)) {
        hf_timer_set(conn->loop, &conn->timer, phase_ms(conn));
    }
    return n > 0;
}

/*
 * The last steps. Closing a socket with unread bytes in it makes the kernel reset the connection,
 * and the reset may overtake our answer; so say that no more comes and read on for a moment.
 */
static bool finish(struct hf_httpd_conn *conn)
{
    bool sent = hf_buf_len(&conn->out) == 0 && hf_buf_len(net_out(conn)) == 0;
    if (hf_conn_phase(conn) == HF_CONN_CLOSING && sent) {
        hf_sock_shut_write(conn->watch.fd);
        hf_conn_move(conn, HF_CONN_LINGERING);
        return true;
    }
    if (hf_conn_phase(conn) == HF_CONN_LINGERING) {
        hf_buf_reset(net_in(conn));
        if (conn->eof) {
            hf_conn_close(conn);
        }
    }
    return false;
}

static bool (*const stages[])(struct hf_httpd_conn *conn) = {
    receive, filter, hf_conn_http, filter, flush, finish,
};

static void want(struct hf_httpd_conn *conn)
{
    bool reads = !conn->eof && hf_buf_room(net_in(conn)) > 0;
    bool writes = hf_buf_len(net_out(conn)) > 0;
    hf_watch_want(conn->loop, &conn->watch,
                  (reads ? HF_LOOP_READ : 0u) | (writes ? HF_LOOP_WRITE : 0u));
}

static void on_resume(struct hf_task *task)
{
    struct hf_httpd_conn *conn = HF_CONTAINER_OF(task, struct hf_httpd_conn, resume);
    conn->resuming = false;
    hf_conn_run(conn);
}

static void resume_later(struct hf_httpd_conn *conn)
{
    if (!conn->resuming) {
        conn->resuming = true;
        conn->resume.run = on_resume;
        hf_loop_defer(conn->loop, &conn->resume);
    }
}

void hf_conn_run(struct hf_httpd_conn *conn)
{
    if (conn->running) {
        return;
    }
    conn->running = true;
    bool moved = true;
    for (int round = 0; moved && hf_conn_phase(conn) != HF_CONN_CLOSED; round++) {
        if (round == HF_CONN_ROUNDS) {
            resume_later(conn);
            break;
        }
        moved = false;
        for (size_t i = 0; i < HF_N_ELEMENTS(stages) && hf_conn_phase(conn) != HF_CONN_CLOSED;
             i++) {
            moved = stages[i](conn) || moved;
        }
    }
    conn->running = false;
    if (hf_conn_phase(conn) == HF_CONN_CLOSED) {
        hf_conn_reap(conn);
    } else {
        want(conn);
    }
}

/* Hung up in both directions: there is nobody left to answer. */
static void on_event(struct hf_watch *watch, unsigned events)
{
    struct hf_httpd_conn *conn = HF_CONTAINER_OF(watch, struct hf_httpd_conn, watch);
    if (events & HF_LOOP_HANGUP) {
        hf_conn_close(conn);
    } else {
        hf_link_remove(&conn->link);
        hf_list_push(&conn->httpd->conns, &conn->link);
    }
    hf_conn_run(conn);
}

static struct hf_httpd_conn *conn_make(struct hf_httpd *httpd, int fd, const struct hf_addr *peer)
{
    struct hf_httpd_conn *conn = HF_NEW(struct hf_httpd_conn);
    if (!conn) {
        return NULL;
    }
    conn->httpd = httpd;
    conn->loop = httpd->config.loop;
    conn->filter = httpd->config.filter;
    conn->peer = *peer;
    conn->watch = (struct hf_watch){.fd = fd, .wanted = HF_LOOP_READ, .on_event = on_event};
    conn->timer.on_due = on_due;
    conn->net_in = conn->in = HF_BUF_INIT(HF_CONN_IN_MAX);
    conn->net_out = conn->out = HF_BUF_INIT(HF_CONN_OUT_MAX);
    conn->call.head = HF_BUF_INIT(httpd->h1_limits.head_max);
    conn->call.body = HF_BUF_INIT(httpd->limits.body_max);
    conn->call.extra = HF_BUF_INIT(4096);
    hf_fsm_init(&conn->phase, phases, HF_N_ELEMENTS(phases), HF_CONN_IDLE);
    hf_h1_init(&conn->h1, HF_H1_REQUESTS, &httpd->h1_limits, conn->fields, HF_CONN_FIELDS);
    return conn;
}

enum hf_err hf_conn_new(struct hf_httpd *httpd, int fd, const struct hf_addr *peer)
{
    enum hf_err err = HF_OK;
    struct hf_httpd_conn *conn = conn_make(httpd, fd, peer);
    if (!conn) {
        hf_closep(&fd);
        return HF_E_NOMEM;
    }
    if (conn->filter) {
        err = conn->filter->open(conn->filter->ctx, peer, &conn->filter_state);
    }
    if (err == HF_OK) {
        err = hf_watch_add(conn->loop, &conn->watch);
    }
    hf_list_push(&httpd->conns, &conn->link);
    httpd->n_conns++;
    if (err != HF_OK) {
        hf_conn_close(conn);
        hf_conn_reap(conn);
        return err;
    }
    hf_timer_set(conn->loop, &conn->timer, phase_ms(conn));
    return HF_OK;
}
