// SPDX-License-Identifier: Apache-2.0
/* Legs over socket pairs, without TLS: order, half-close, pressure, resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/leg.h"
#include "tls/tls_impl.h"

struct fixture {
    struct hf_leg a, b; /* the proxy's two legs */
    int far_a, far_b;   /* the peers' ends */
    struct hf_scratch scratch;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int pair[2];
    assert_non_null(f);
    f->scratch.out = HF_BUF_INIT(512 << 10);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    hf_leg_init(&f->a, pair[0]);
    f->far_a = pair[1];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    hf_leg_init(&f->b, pair[0]);
    f->far_b = pair[1];
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_leg_close(&f->a, NULL);
    hf_leg_close(&f->b, NULL);
    hf_closep(&f->far_a);
    hf_closep(&f->far_b);
    hf_buf_done(&f->scratch.out);
    free(f);
    return 0;
}

static void test_bytes_arrive_in_order(void **state)
{
    struct fixture *f = *state;
    char got[16] = {0};
    assert_int_equal(write(f->far_a, "hello", 5), 5);
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_IDLE);
    assert_int_equal(write(f->far_a, " you", 4), 4);
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_IDLE);
    assert_int_equal(read(f->far_b, got, sizeof(got)), 9);
    assert_string_equal(got, "hello you");
    assert_int_equal(f->a.n_in, 9);
    assert_int_equal(f->b.n_out, 9);
}

static void test_an_idle_leg_holds_no_memory(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write(f->far_a, "x", 1), 1);
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_IDLE);
    assert_null(f->a.held_in.mem);
    assert_null(f->b.held_out.mem);
}

static void test_fin_passes_one_way_only(void **state)
{
    struct fixture *f = *state;
    char got[8];
    assert_int_equal(write(f->far_a, "bye", 3), 3);
    shutdown(f->far_a, SHUT_WR);
    enum hf_move move = hf_leg_move(&f->a, &f->b, &f->scratch);
    if (move == HF_MOVE_IDLE) { /* the data first, the end with the next event */
        move = hf_leg_move(&f->a, &f->b, &f->scratch);
    }
    assert_int_equal(move, HF_MOVE_ENDED);
    assert_true(f->a.ended);
    assert_int_equal(hf_leg_finish(&f->b), HF_MOVE_IDLE);
    assert_true(f->b.finished);
    assert_int_equal(read(f->far_b, got, sizeof(got)), 3);
    assert_int_equal(read(f->far_b, got, sizeof(got)), 0);
    assert_int_equal(write(f->far_b, "still", 5), 5);
    assert_int_equal(hf_leg_move(&f->b, &f->a, &f->scratch), HF_MOVE_IDLE);
    assert_int_equal(read(f->far_a, got, sizeof(got)), 5);
}

/* Fills until a reader that reads nothing stops the flow; gives how many bytes went in. */
static size_t fill(struct fixture *f)
{
    static char block[8192];
    size_t total = 0;
    for (int i = 0; i < 10000; i++) {
        ssize_t n = write(f->far_a, block, sizeof(block));
        if (n > 0) {
            total += (size_t)n;
        }
        enum hf_move move = hf_leg_move(&f->a, &f->b, &f->scratch);
        if (move == HF_MOVE_BLOCKED && n < 0) {
            return total;
        }
        assert_true(move == HF_MOVE_IDLE || move == HF_MOVE_BLOCKED);
    }
    fail_msg("nothing ever stopped the sender");
    return 0;
}

static void test_a_slow_reader_costs_bounded_memory(void **state)
{
    struct fixture *f = *state;
    size_t total = fill(f);
    assert_true(hf_buf_len(&f->b.held_out) <= HF_LEG_READ_SIZE);
    assert_true(f->a.held_in.size <= 2 * HF_LEG_READ_SIZE);

    /* And once it reads, nothing is missing. */
    static char sink[65536];
    size_t got = 0;
    while (got < total) {
        ssize_t n = read(f->far_b, sink, sizeof(sink));
        got += n > 0 ? (size_t)n : 0;
        enum hf_move flushed = hf_leg_flush(&f->b);
        assert_true(flushed == HF_MOVE_IDLE || flushed == HF_MOVE_BLOCKED);
        if (flushed == HF_MOVE_IDLE) {
            enum hf_move move = hf_leg_move(&f->a, &f->b, &f->scratch);
            assert_true(move == HF_MOVE_IDLE || move == HF_MOVE_BLOCKED);
        }
    }
    assert_int_equal(got, total);
    assert_null(f->b.held_out.mem);
}

static void test_fin_waits_for_held_output(void **state)
{
    struct fixture *f = *state;
    (void)fill(f);
    assert_int_equal(hf_leg_finish(&f->b), HF_MOVE_BLOCKED);
    assert_true(f->b.finishing);
    assert_false(f->b.finished);
}

static void test_a_broken_receiver_is_told_from_a_broken_sender(void **state)
{
    struct fixture *f = *state;
    hf_closep(&f->far_b);
    assert_int_equal(write(f->far_a, "x", 1), 1);
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_TO_LOST);
}

/* --- TLS that must answer ------------------------------------------------------------------------
 */

/* Takes one byte of input a call and owes an answer of ten bytes for it, like a key update. */
static enum hf_tls_step owe_answers(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                                    size_t *out_n)
{
    (void)tls;
    (void)into;
    (void)out_n;
    if (io->in.len == 0) {
        return HF_TLS_WANT_INPUT;
    }
    if (hf_buf_room(io->out) < 10) {
        return HF_TLS_WANT_OUTPUT;
    }
    assert_int_equal(hf_buf_append_str(io->out, "0123456789"), HF_OK);
    io->in = hf_span_of(io->in.ptr + 1, io->in.len - 1);
    return io->in.len ? owe_answers(tls, io, into, out_n) : HF_TLS_WANT_INPUT;
}

static void just_free(struct hf_tls *tls)
{
    free(tls);
}

static void test_peer_that_reads_no_answers_is_not_read(void **state)
{
    static const struct hf_tls_ops ops = {.name = "debtor", .read = owe_answers, .free = just_free};
    static const char many[60000];
    struct fixture *f = *state;
    f->a.tls = calloc(1, sizeof(*f->a.tls));
    assert_non_null(f->a.tls);
    f->a.tls->ops = &ops;
    f->a.spent = true;
    assert_int_equal(write(f->far_a, many, sizeof(many)), sizeof(many));
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_BLOCKED);
    assert_true(f->a.choked);
    size_t held = hf_buf_len(&f->a.held_in);
    assert_true(held > 0);
    assert_int_equal(hf_leg_move(&f->a, &f->b, &f->scratch), HF_MOVE_BLOCKED);
    assert_int_equal(hf_buf_len(&f->a.held_in), held);
    /* once the answers are gone it goes on with what it holds, though nothing new comes */
    while (hf_leg_flush(&f->a) == HF_MOVE_BLOCKED) {
        static char answers[65536];
        assert_true(read(f->far_a, answers, sizeof(answers)) > 0);
    }
    enum hf_move move = hf_leg_move(&f->a, &f->b, &f->scratch);
    assert_true(move == HF_MOVE_BLOCKED || move == HF_MOVE_IDLE);
    assert_true(hf_buf_len(&f->a.held_in) < held);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_bytes_arrive_in_order),
        CASE(test_an_idle_leg_holds_no_memory),
        CASE(test_fin_passes_one_way_only),
        CASE(test_a_slow_reader_costs_bounded_memory),
        CASE(test_fin_waits_for_held_output),
        CASE(test_a_broken_receiver_is_told_from_a_broken_sender),
        CASE(test_peer_that_reads_no_answers_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
