// SPDX-License-Identifier: Apache-2.0
#include "watch/httpc.h"

#include <poll.h>

#include "http/h1_write.h"
#include "os/clock.h"

enum { HEAD_ROOM = 48 << 10, FIELDS = 64, PORTION = 16 << 10 };

struct exchange {
    int fd;
    int64_t deadline_ns;
    struct hf_buf in;
    struct hf_h1 h1;
    struct hf_http_field fields[FIELDS];
    bool eof;
    bool in_body;
};

static void exchange_done(struct exchange *exchange)
{
    hf_closep(&exchange->fd);
    hf_buf_done(&exchange->in);
}

static enum hf_err wait_for(const struct exchange *exchange, short events)
{
    int64_t left_ms = (exchange->deadline_ns - hf_clock_mono_ns(&hf_os_clock)) / 1000000;
    struct pollfd poll_fd = {.fd = exchange->fd, .events = events};
    if (left_ms > 0 && poll(&poll_fd, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) > 0) {
        return HF_OK;
    }
    /* A signal ends poll early; without one left, the deadline has passed. */
    return hf_clock_mono_ns(&hf_os_clock) < exchange->deadline_ns
               ? HF_OK
               : hf_fail(HF_E_TIMEOUT, "no answer in time");
}

static enum hf_err open_connection(struct exchange *exchange, const struct hf_addr *addr)
{
    HF_TRY(hf_sock_connect(addr, &exchange->fd));
    HF_TRY(wait_for(exchange, POLLOUT));
    return hf_sock_connect_result(exchange->fd);
}

static enum hf_err send_request(struct exchange *exchange, const char *method, const char *target)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HEAD_ROOM);
    struct hf_h1_writer writer;
    struct hf_h1_plan plan = {.connection = HF_H1_CONNECTION_CLOSE};
    HF_TRY(hf_h1_write_request(&writer, &out, hf_bytes_str(method), hf_bytes_str(target)));
    HF_TRY(hf_h1_write_field_str(&writer, &out, "Host", "localhost"));
    HF_TRY(hf_h1_write_field_str(&writer, &out, "User-Agent", "handfast/" HF_VERSION));
    HF_TRY(hf_h1_write_head_end(&writer, &out, &plan));
    while (hf_buf_len(&out)) {
        size_t n;
        bool would_block;
        HF_TRY(hf_sock_write(exchange->fd, hf_buf_bytes(&out), &n, &would_block));
        hf_buf_consume(&out, n);
        if (would_block) {
            HF_TRY(wait_for(exchange, POLLOUT));
        }
    }
    return HF_OK;
}

static enum hf_err receive(struct exchange *exchange)
{
    struct hf_span room;
    size_t n;
    bool would_block = true;
    HF_TRY(hf_buf_reserve(&exchange->in, PORTION, &room));
    while (would_block) {
        HF_TRY(wait_for(exchange, POLLIN));
        HF_TRY(hf_sock_read(exchange->fd, room, &n, &would_block));
    }
    hf_buf_commit(&exchange->in, n);
    exchange->eof = n == 0;
    return HF_OK;
}

/* One step of the reader; *out_step tells the caller whether to come again. */
static enum hf_err parse(struct exchange *exchange, struct hf_httpc_answer *out,
                         enum hf_h1_step *out_step)
{
    struct hf_bytes in = hf_buf_bytes(&exchange->in);
    size_t used = 0;
    struct hf_bytes data = {0};
    *out_step = exchange->in_body ? hf_h1_body(&exchange->h1, in, &used, &data)
                                  : hf_h1_head(&exchange->h1, in);
    if (*out_step == HF_H1_HEAD) {
        exchange->in_body = true;
        used = exchange->h1.head.len;
        out->status = exchange->h1.head.status;
    }
    HF_TRY(hf_buf_append(&out->body, data));
    hf_buf_consume(&exchange->in, used);
    if (*out_step == HF_H1_END && exchange->h1.head.interim) {
        hf_h1_next(&exchange->h1);
        exchange->in_body = false;
        *out_step = HF_H1_HEAD;
    }
    if (*out_step == HF_H1_MORE && exchange->eof) {
        *out_step = hf_h1_eof(&exchange->h1);
    }
    if (*out_step == HF_H1_FAILED || (*out_step == HF_H1_END && !exchange->in_body)) {
        return hf_fail(HF_E_PEER, "what answers doesn't speak proper HTTP: %s",
                       exchange->h1.fault ? hf_http_fault_text(exchange->h1.fault)
                                          : "it closed without an answer");
    }
    return HF_OK;
}

static enum hf_err read_answer(struct exchange *exchange, struct hf_httpc_answer *out)
{
    enum hf_h1_step step = HF_H1_MORE;
    while (step != HF_H1_END) {
        if (step == HF_H1_MORE) {
            HF_TRY(receive(exchange));
        }
        HF_TRY(parse(exchange, out, &step));
    }
    return HF_OK;
}

enum hf_err hf_httpc_ask(const struct hf_addr *addr, const char *method, const char *target,
                         int64_t timeout_ms, struct hf_httpc_answer *out)
{
    HF_CLEANUP(exchange_done)
    struct exchange exchange = {.fd = -1, .in = HF_BUF_INIT(HEAD_ROOM + PORTION)};
    exchange.deadline_ns = hf_clock_mono_ns(&hf_os_clock) + timeout_ms * 1000000;
    hf_h1_init(&exchange.h1, HF_H1_RESPONSES, &hf_h1_limits_default, exchange.fields, FIELDS);
    hf_h1_expect(&exchange.h1, hf_http_method_find(hf_bytes_str(method)), false);
    HF_TRY(open_connection(&exchange, addr));
    HF_TRY(send_request(&exchange, method, target));
    return read_answer(&exchange, out);
}
