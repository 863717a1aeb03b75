// SPDX-License-Identifier: Apache-2.0

/*
 * hfbackend PORT: the plain HTTP/1.1 server behind every proxy that script/bench measures.
 *
 *     GET /             two bytes
 *     GET /down/N       N bytes
 *     POST /up          takes what Content-Length says, then answers with two bytes
 *
 * Connections are kept until the other side closes. It trusts its one client, understands nothing
 * else, and ends when its standard input does, so that it never outlives the driver.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/sock.h"

enum { HEAD_MAX = 4096, BODY_CHUNK = 65536 };

struct conn {
    struct hf_watch watch;
    struct hf_task drop; /* frees it at the end of the turn */
    struct hf_buf in;    /* head of a request */
    struct hf_buf out;   /* head of an answer */
    uint64_t up_left;    /* of a request's body */
    uint64_t down_left;  /* of an answer's body */
    bool answer_after_body;
};

static struct hf_loop *loop;
static uint8_t body[BODY_CHUNK];

/* --- One connection --- */

static void drop(struct hf_task *task)
{
    struct conn *conn = HF_CONTAINER_OF(task, struct conn, drop);
    hf_buf_done(&conn->in);
    hf_buf_done(&conn->out);
    hf_free(conn);
}

static void end(struct conn *conn)
{
    if (conn->watch.active) {
        hf_watch_remove(loop, &conn->watch);
        hf_closep(&conn->watch.fd);
        conn->drop.run = drop;
        hf_loop_defer(loop, &conn->drop);
    }
}

static enum hf_err answer(struct conn *conn, uint64_t len)
{
    conn->down_left = len;
    return hf_buf_printf(&conn->out, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
                         (unsigned long long)len);
}

/* The head of one request, as a string with an end. */
static enum hf_err take_request(struct conn *conn, const char *head)
{
    const char *length = strcasestr(head, "content-length:");
    if (strncmp(head, "GET /down/", 10) == 0) {
        return answer(conn, strtoull(head + 10, NULL, 10));
    }
    if (strncmp(head, "POST /up ", 9) == 0 && length) {
        conn->up_left = strtoull(length + 15, NULL, 10);
        conn->answer_after_body = true;
        return HF_OK;
    }
    if (strncmp(head, "GET / ", 6) == 0) {
        return answer(conn, 2);
    }
    return hf_fail(HF_E_PEER, "unexpected request");
}

/* Takes bodies and heads off the in-buffer until it is empty or a head is incomplete. */
static enum hf_err take_input(struct conn *conn)
{
    while (hf_buf_len(&conn->in) > 0) {
        if (conn->up_left > 0) {
            size_t n = hf_buf_len(&conn->in);
            n = n < conn->up_left ? n : (size_t)conn->up_left;
            hf_buf_consume(&conn->in, n);
            conn->up_left -= n;
        } else {
            const char *head = hf_buf_cstr(&conn->in);
            char *blank = head ? strstr(head, "\r\n\r\n") : NULL;
            if (!blank) {
                return head ? HF_OK : HF_E_NOMEM;
            }
            blank[2] = '\0';
            HF_TRY(take_request(conn, head));
            hf_buf_consume(&conn->in, (size_t)(blank + 4 - head));
        }
        if (conn->answer_after_body && conn->up_left == 0) {
            conn->answer_after_body = false;
            HF_TRY(answer(conn, 2));
        }
    }
    return HF_OK;
}

/* Large bodies don't pass the in-buffer: they are read into nothing. */
static enum hf_err read_some(struct conn *conn, bool *would_block, bool *ended)
{
    static uint8_t sink[BODY_CHUNK];
    struct hf_span into = hf_span_of(sink, sizeof(sink));
    bool in_body = conn->up_left > sizeof(sink);
    size_t n;
    if (!in_body) {
        into.len = hf_buf_room(&conn->in);
    }
    HF_TRY(hf_sock_read(conn->watch.fd, into, &n, would_block));
    *ended = n == 0 && !*would_block;
    if (in_body) {
        conn->up_left -= n;
        return HF_OK;
    }
    HF_TRY(hf_buf_append(&conn->in, hf_bytes_of(sink, n)));
    return take_input(conn);
}

static enum hf_err write_some(struct conn *conn)
{
    bool would_block = false;
    size_t n;
    while (!would_block && hf_buf_len(&conn->out) > 0) {
        HF_TRY(hf_sock_write(conn->watch.fd, hf_buf_bytes(&conn->out), &n, &would_block));
        hf_buf_consume(&conn->out, n);
    }
    while (!would_block && conn->down_left > 0) {
        size_t len = conn->down_left < BODY_CHUNK ? (size_t)conn->down_left : BODY_CHUNK;
        HF_TRY(hf_sock_write(conn->watch.fd, hf_bytes_of(body, len), &n, &would_block));
        conn->down_left -= n;
    }
    return HF_OK;
}

static void on_conn(struct hf_watch *watch, unsigned events)
{
    struct conn *conn = HF_CONTAINER_OF(watch, struct conn, watch);
    bool would_block = false, ended = false;
    enum hf_err err = HF_OK;
    while (!err && !would_block && !ended && (events & HF_LOOP_READ) && conn->down_left == 0) {
        err = read_some(conn, &would_block, &ended);
        err = err ? err : write_some(conn);
    }
    err = err ? err : write_some(conn);
    if (err || ended || (events & HF_LOOP_HANGUP)) {
        end(conn);
        return;
    }
    bool waiting = hf_buf_len(&conn->out) > 0 || conn->down_left > 0;
    hf_watch_want(loop, watch, waiting ? HF_LOOP_WRITE : HF_LOOP_READ);
}

/* --- Listening --- */

static enum hf_err take_connection(int fd)
{
    struct conn *conn = HF_NEW(struct conn);
    if (!conn) {
        hf_closep(&fd);
        return HF_E_NOMEM;
    }
    conn->in = HF_BUF_INIT(BODY_CHUNK);
    conn->out = HF_BUF_INIT(HEAD_MAX);
    conn->watch = (struct hf_watch){.fd = fd, .wanted = HF_LOOP_READ, .on_event = on_conn};
    enum hf_err err = hf_watch_add(loop, &conn->watch);
    if (err) {
        hf_closep(&fd);
        hf_free(conn);
    }
    return err;
}

static void on_listener(struct hf_watch *watch, unsigned events)
{
    (void)events;
    int fd;
    struct hf_addr peer;
    while (hf_sock_accept(watch->fd, &fd, &peer) == HF_OK && fd >= 0) {
        if (take_connection(fd)) {
            fprintf(stderr, "hfbackend: %s\n", hf_err_text());
            return;
        }
    }
}

static void on_stdin(struct hf_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
    hf_loop_stop(loop);
}

static enum hf_err run(const char *where)
{
    struct hf_addr addr;
    struct hf_watch listener = {.wanted = HF_LOOP_READ, .on_event = on_listener};
    struct hf_watch input = {.fd = 0, .wanted = HF_LOOP_READ, .on_event = on_stdin};
    HF_TRY(hf_addr_parse(where, &addr));
    HF_TRY(hf_loop_new(&hf_os_clock, &loop));
    HF_TRY(hf_sock_listen(&addr, 4096, 0600, &listener.fd));
    HF_TRY(hf_watch_add(loop, &listener));
    HF_TRY(hf_watch_add(loop, &input));
    puts("ready");
    fflush(stdout);
    return hf_loop_run(loop); /* the process ends with it: nothing is given back */
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: hfbackend ADDRESS:PORT\n");
        return 2;
    }
    memset(body, 'x', sizeof(body));
    if (run(argv[1])) {
        fprintf(stderr, "hfbackend: %s\n", hf_err_text());
        return 1;
    }
    return 0;
}
