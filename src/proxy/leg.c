// SPDX-License-Identifier: Apache-2.0
/*
 * Moving bytes. Four cases (plain or TLS on either side) share one loop:
 *
 *      socket --read--> scratch.in --open--> scratch.plain --seal--> scratch.out --write--> socket
 *                          ^  |                                          |
 *                       held_in (part of a record)                    held_out (not taken)
 *
 * Plain input is read straight to where it is needed; plain output is opened straight into
 * scratch.out. A socket is read only while the other leg holds nothing, so that a slow reader costs
 * at most one scratch of memory. A peer that makes TLS answer it (key updates) and doesn't read the
 * answers chokes its own leg: that one isn't read either until they are gone.
 */
#include "proxy/leg.h"

#include <string.h>
#include <unistd.h>

enum {
    OUT_ENOUGH = 64 << 10, /* flush once this much is ready */
    READ_ROUNDS = 4,       /* reads of one socket before others get their turn */
};

void hf_leg_init(struct hf_leg *leg, int fd)
{
    *leg = (struct hf_leg){
        .watch = {.fd = fd},
        .held_in = HF_BUF_INIT(HF_LEG_HELD_MAX),
        .held_out = HF_BUF_INIT(HF_LEG_HELD_MAX),
    };
}

void hf_leg_close(struct hf_leg *leg, struct hf_loop *loop)
{
    hf_watch_close(loop, &leg->watch);
    hf_tls_free(leg->tls);
    leg->tls = NULL;
    hf_buf_done(&leg->held_in);
    hf_buf_done(&leg->held_out);
}

/* Writes from the front of bytes until all went or the socket is full. last: FIN comes next. */
static enum hf_move write_out(struct hf_leg *leg, struct hf_bytes *bytes, bool last)
{
    while (bytes->len) {
        size_t n = 0;
        bool full = false;
        enum hf_err err = last ? hf_sock_write_last(leg->watch.fd, *bytes, &n, &full)
                               : hf_sock_write(leg->watch.fd, *bytes, &n, &full);
        if (err != HF_OK) {
            return HF_MOVE_LOST;
        }
        *bytes = hf_bytes_from(*bytes, n);
        if (full) {
            return HF_MOVE_BLOCKED;
        }
    }
    return HF_MOVE_IDLE;
}

enum hf_move hf_leg_flush(struct hf_leg *leg)
{
    struct hf_bytes rest = hf_buf_bytes(&leg->held_out);
    size_t before = rest.len;
    enum hf_move move = write_out(leg, &rest, leg->finishing && !leg->finished);
    if (before) {
        hf_buf_consume(&leg->held_out, before - rest.len);
    }
    if (move != HF_MOVE_IDLE) {
        return move;
    }
    hf_buf_release(&leg->held_out);
    if (leg->finishing && !leg->finished) {
        hf_sock_shut_write(leg->watch.fd);
        leg->finished = true;
    }
    return HF_MOVE_IDLE;
}

/* Sends what is in out; what the socket doesn't take is held. held_out is empty before. */
static enum hf_move send_or_hold(struct hf_leg *leg, struct hf_buf *out)
{
    struct hf_bytes rest = hf_buf_bytes(out);
    enum hf_move move = write_out(leg, &rest, false);
    if (move == HF_MOVE_BLOCKED && hf_buf_append(&leg->held_out, rest) != HF_OK) {
        move = HF_MOVE_NOMEM;
    }
    hf_buf_reset(out);
    return move;
}

enum hf_move hf_leg_send(struct hf_leg *leg, struct hf_bytes bytes)
{
    if (hf_buf_append(&leg->held_out, bytes) != HF_OK) {
        return HF_MOVE_NOMEM;
    }
    return hf_leg_flush(leg);
}

enum hf_move hf_leg_finish(struct hf_leg *leg)
{
    if (leg->finishing) {
        return hf_leg_flush(leg);
    }
    leg->finishing = true;
    if (leg->tls) {
        struct hf_tls_io io = {.out = &leg->held_out};
        if (hf_tls_close(leg->tls, &io) == HF_TLS_FAILED) {
            return HF_MOVE_TLS;
        }
    }
    return hf_leg_flush(leg);
}

/* Shows in scratch.in what is held, and reads more behind it when only more helps. ENDED: there is
 * something new to go on with; TRUNCATED: the peer's FIN. */
static enum hf_move load(struct hf_leg *leg, struct hf_scratch *scratch, size_t *rounds,
                         struct hf_span *out_in)
{
    size_t held = hf_buf_len(&leg->held_in);
    if (held > sizeof(scratch->in)) {
        held = sizeof(scratch->in);
    }
    *out_in = hf_span_of(scratch->in, held);
    if (held) {
        memcpy(scratch->in, hf_buf_bytes(&leg->held_in).ptr, held);
    }
    if (held && !leg->spent) {
        return HF_MOVE_ENDED; /* enough to go on with */
    }
    if (*rounds == 0) {
        return HF_MOVE_IDLE;
    }
    --*rounds;
    size_t n = 0;
    bool empty = false;
    size_t room = sizeof(scratch->in) - held;
    if (room > HF_LEG_READ_SIZE) {
        room = HF_LEG_READ_SIZE;
    }
    if (hf_sock_read(leg->watch.fd, hf_span_of(scratch->in + held, room), &n, &empty) != HF_OK) {
        return HF_MOVE_LOST;
    }
    if (empty) {
        return HF_MOVE_IDLE;
    }
    if (n == 0) {
        return HF_MOVE_TRUNCATED;
    }
    if (n < room) {
        *rounds = 0; /* the socket is empty: asking again would cost a call for nothing */
    }
    out_in->len += n;
    leg->spent = false;
    return HF_MOVE_ENDED;
}

/* Holds what was not consumed of the input that load() showed. */
static enum hf_move hold(struct hf_leg *leg, struct hf_span rest)
{
    hf_buf_reset(&leg->held_in);
    if (rest.len == 0) {
        hf_buf_release(&leg->held_in);
        return HF_MOVE_IDLE;
    }
    return hf_buf_append(&leg->held_in, hf_span_bytes(rest)) == HF_OK ? HF_MOVE_IDLE
                                                                      : HF_MOVE_NOMEM;
}

/* Seals, or copies, plaintext into out. */
static enum hf_move put(struct hf_leg *to, struct hf_bytes plain, struct hf_buf *out)
{
    to->n_out += plain.len;
    if (!to->tls) {
        return hf_buf_append(out, plain) == HF_OK ? HF_MOVE_IDLE : HF_MOVE_NOMEM;
    }
    struct hf_tls_io io = {.out = out};
    size_t n = 0;
    enum hf_tls_step step = hf_tls_write(to->tls, &io, plain, &n);
    /* out's cap leaves room for a whole scratch of plaintext, so that nothing is left over. */
    return step == HF_TLS_DONE ? HF_MOVE_IDLE : HF_MOVE_TO_TLS;
}

/* One hf_tls_read, its plaintext put into out. ENDED: something moved, go on. */
static enum hf_move move_record(struct hf_leg *from, struct hf_leg *to, struct hf_scratch *scratch,
                                struct hf_span *in)
{
    struct hf_tls_io io = {.in = *in, .out = &from->held_out};
    struct hf_span into = hf_span_of(scratch->plain, sizeof(scratch->plain));
    if (!to->tls && hf_buf_reserve(&scratch->out, HF_TLS_RECORD_MAX, &into) != HF_OK) {
        return HF_MOVE_NOMEM;
    }
    size_t n = 0;
    enum hf_tls_step step = hf_tls_read(from->tls, &io, into, &n);
    *in = io.in;
    switch (step) {
    case HF_TLS_DONE:
        from->n_in += n;
        if (!to->tls) {
            hf_buf_commit(&scratch->out, n);
            to->n_out += n;
            return HF_MOVE_ENDED;
        }
        return put(to, hf_bytes_of(into.ptr, n), &scratch->out) == HF_MOVE_IDLE ? HF_MOVE_ENDED
                                                                                : HF_MOVE_TO_TLS;
    case HF_TLS_WANT_INPUT:
        from->spent = true;
        return HF_MOVE_IDLE;
    case HF_TLS_WANT_OUTPUT:
        from->choked = true;
        return HF_MOVE_BLOCKED;
    case HF_TLS_WANT_JOB:
        hf_tls_job_run(hf_tls_job(from->tls));
        return HF_MOVE_ENDED;
    case HF_TLS_CLOSED:
        from->ended = true;
        return HF_MOVE_IDLE;
    case HF_TLS_WANT_VERDICT: /* only handshakes wait */
    case HF_TLS_FAILED:
        break;
    }
    return HF_MOVE_TLS;
}

/* Moves what `in` has through TLS, or as it is, into scratch.out until that has enough. */
static enum hf_move transfer(struct hf_leg *from, struct hf_leg *to, struct hf_scratch *scratch,
                             struct hf_span *in)
{
    if (!from->tls) {
        from->n_in += in->len;
        enum hf_move move = put(to, hf_span_bytes(*in), &scratch->out);
        in->len = 0;
        from->spent = true;
        return move;
    }
    enum hf_move move = HF_MOVE_ENDED;
    while (move == HF_MOVE_ENDED && hf_buf_len(&scratch->out) < OUT_ENOUGH) {
        move = move_record(from, to, scratch, in);
    }
    return move == HF_MOVE_ENDED ? HF_MOVE_IDLE : move;
}

/* The end of the socket's input: in order for plain bytes, a truncation for TLS. */
static enum hf_move end_of_input(struct hf_leg *from)
{
    if (from->tls) {
        return HF_MOVE_TRUNCATED;
    }
    from->ended = true;
    return HF_MOVE_ENDED;
}

/* Renames what happened to a socket by whose socket it was. */
static enum hf_move of_receiver(enum hf_move move)
{
    return move == HF_MOVE_LOST ? HF_MOVE_TO_LOST : move;
}

enum hf_move hf_leg_move(struct hf_leg *from, struct hf_leg *to, struct hf_scratch *scratch)
{
    size_t rounds = READ_ROUNDS;
    if (from->choked && hf_buf_len(&from->held_out)) {
        return HF_MOVE_BLOCKED;
    }
    from->choked = false;
    hf_buf_reset(&scratch->out);
    while (!from->ended) {
        if (hf_buf_len(&to->held_out)) {
            return HF_MOVE_BLOCKED;
        }
        struct hf_span in;
        enum hf_move loaded = load(from, scratch, &rounds, &in);
        if (loaded == HF_MOVE_TRUNCATED) {
            return end_of_input(from);
        }
        if (loaded != HF_MOVE_ENDED) {
            return loaded;
        }
        enum hf_move moved = transfer(from, to, scratch, &in);
        enum hf_move held = hold(from, in);
        enum hf_move sent = of_receiver(send_or_hold(to, &scratch->out));
        if (moved != HF_MOVE_IDLE) {
            return moved;
        }
        if (held != HF_MOVE_IDLE || sent == HF_MOVE_TO_LOST || sent == HF_MOVE_NOMEM) {
            return held != HF_MOVE_IDLE ? held : sent;
        }
    }
    return HF_MOVE_ENDED;
}

/* --- Plaintext for whoever sits on a leg -------------------------------------------------------
 */

/* The next plaintext of `in`. ENDED: *out has some; otherwise why there is none. */
static enum hf_move open_some(struct hf_leg *leg, struct hf_scratch *scratch, struct hf_span *in,
                              struct hf_bytes *out)
{
    if (!leg->tls) {
        *out = hf_span_bytes(*in);
        in->len = 0;
        leg->spent = true;
        leg->n_in += out->len;
        return out->len ? HF_MOVE_ENDED : HF_MOVE_IDLE;
    }
    for (;;) {
        struct hf_tls_io io = {.in = *in, .out = &leg->held_out};
        size_t n = 0;
        enum hf_tls_step step =
            hf_tls_read(leg->tls, &io, hf_span_of(scratch->plain, sizeof(scratch->plain)), &n);
        *in = io.in;
        switch (step) {
        case HF_TLS_DONE:
            leg->n_in += n;
            *out = hf_bytes_of(scratch->plain, n);
            return HF_MOVE_ENDED;
        case HF_TLS_WANT_INPUT:
            leg->spent = true;
            return HF_MOVE_IDLE;
        case HF_TLS_WANT_OUTPUT:
            leg->choked = true;
            return HF_MOVE_BLOCKED;
        case HF_TLS_WANT_JOB:
            hf_tls_job_run(hf_tls_job(leg->tls));
            continue;
        case HF_TLS_CLOSED:
            leg->ended = true;
            return HF_MOVE_IDLE;
        case HF_TLS_WANT_VERDICT:
        case HF_TLS_FAILED:
            return HF_MOVE_TLS;
        }
    }
}

enum hf_move hf_leg_read(struct hf_leg *leg, struct hf_scratch *scratch, hf_leg_sink *sink,
                         void *ctx)
{
    size_t rounds = READ_ROUNDS;
    if (leg->choked && hf_buf_len(&leg->held_out)) {
        return HF_MOVE_BLOCKED;
    }
    leg->choked = false;
    while (!leg->ended) {
        struct hf_span in;
        enum hf_move move = load(leg, scratch, &rounds, &in);
        if (move == HF_MOVE_TRUNCATED) {
            return end_of_input(leg);
        }
        if (move != HF_MOVE_ENDED) {
            return move;
        }
        bool more = true;
        struct hf_bytes plain;
        while (more && (move = open_some(leg, scratch, &in, &plain)) == HF_MOVE_ENDED) {
            more = sink(ctx, plain);
            if (!hf_leg_open(leg)) {
                return HF_MOVE_BLOCKED;
            }
        }
        enum hf_move held = hold(leg, in);
        if (held != HF_MOVE_IDLE || !more || move != HF_MOVE_IDLE) {
            return held != HF_MOVE_IDLE ? held : !more ? HF_MOVE_BLOCKED : move;
        }
    }
    return HF_MOVE_ENDED;
}

enum hf_move hf_leg_write(struct hf_leg *leg, struct hf_scratch *scratch, struct hf_bytes plain)
{
    bool queued = hf_buf_len(&leg->held_out) > 0;
    struct hf_buf *out = queued ? &leg->held_out : &scratch->out;
    leg->n_out += plain.len;
    if (leg->tls) {
        struct hf_tls_io io = {.out = out};
        size_t n = 0;
        hf_buf_reset(&scratch->out);
        switch (hf_tls_write(leg->tls, &io, plain, &n)) {
        case HF_TLS_DONE:
            break;
        case HF_TLS_WANT_OUTPUT: /* whoever writes must have heeded BLOCKED */
            return hf_fail(HF_E_TOO_LARGE, "more is to be sent than a connection may hold"),
                   HF_MOVE_NOMEM;
        default:
            return HF_MOVE_TLS;
        }
        return queued ? HF_MOVE_BLOCKED : send_or_hold(leg, out);
    }
    if (!queued) {
        enum hf_move move = write_out(leg, &plain, false);
        if (move != HF_MOVE_BLOCKED) {
            return move;
        }
    }
    return hf_buf_append(&leg->held_out, plain) == HF_OK ? HF_MOVE_BLOCKED : HF_MOVE_NOMEM;
}

/* --- Handshakes ---------------------------------------------------------------------------------
 */

/* One turn of the handshake with what is in `in`; ENDED: complete. */
static enum hf_move handshake_step(struct hf_leg *leg, struct hf_span *in, bool *again)
{
    struct hf_tls_io io = {.in = *in, .out = &leg->held_out};
    enum hf_tls_step step = hf_tls_handshake(leg->tls, &io);
    *in = io.in;
    *again = false;
    enum hf_move held = hold(leg, *in);
    if (held != HF_MOVE_IDLE) {
        return held;
    }
    if (step == HF_TLS_WANT_JOB) {
        hf_tls_job_run(hf_tls_job(leg->tls));
        *again = true;
        return HF_MOVE_IDLE;
    }
    enum hf_move sent = hf_leg_flush(leg);
    if (step == HF_TLS_FAILED || step == HF_TLS_CLOSED) {
        return step == HF_TLS_FAILED ? HF_MOVE_TLS : HF_MOVE_TRUNCATED;
    }
    if (sent == HF_MOVE_LOST) {
        return sent;
    }
    leg->spent = step == HF_TLS_WANT_INPUT;
    if (step == HF_TLS_WANT_VERDICT) {
        return HF_MOVE_VERDICT;
    }
    *again = step == HF_TLS_WANT_OUTPUT && sent == HF_MOVE_IDLE;
    return step == HF_TLS_DONE ? HF_MOVE_ENDED : sent;
}

enum hf_move hf_leg_handshake(struct hf_leg *leg, struct hf_scratch *scratch)
{
    size_t rounds = READ_ROUNDS;
    bool again = !leg->spent;
    enum hf_move move = HF_MOVE_IDLE;
    while (move == HF_MOVE_IDLE) {
        struct hf_span in;
        size_t no_rounds = 0;
        enum hf_move loaded = load(leg, scratch, again ? &no_rounds : &rounds, &in);
        if (!again && loaded != HF_MOVE_ENDED) {
            return loaded;
        }
        move = handshake_step(leg, &in, &again);
    }
    return move;
}
