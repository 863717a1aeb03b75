// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BENCH_LOAD_H
#define HF_BENCH_LOAD_H

/*
 * The load client: what main (hfload.c) and connections (slot.c) share. One thread, one loop. Each
 * slot is one connection at a time, and does operations one after the other:
 *
 *     handshake   connect, full handshake, one small request, close with a reset
 *     resume      the same with the newest ticket of the slot
 *     requests    one small request on a kept connection
 *     down, up    one body of `bytes` in this direction on a kept connection
 *     idle        nothing more, once the connection is open and has carried one request
 *     cut         the same, and then it waits for the server to end the connection
 *
 * First every slot warms up. Then the driver is told, reads the servers' CPU time, and says go.
 */

#include <stdio.h>

#include "fleet.h"
#include "os/loop.h"
#include "os/sock.h"
#include "tls/tls.h"

enum load_mode {
    LOAD_HANDSHAKE,
    LOAD_RESUME,
    LOAD_REQUESTS,
    LOAD_DOWN,
    LOAD_UP,
    LOAD_IDLE,
    LOAD_CUT,
};

struct load;

enum slot_state { SLOT_CLOSED, SLOT_CONNECTING, SLOT_SHAKING, SLOT_BUSY, SLOT_RESTING };

struct slot {
    struct load *load;
    struct hf_watch watch;
    enum slot_state state;
    struct hf_tls *tls;
    struct hf_tls_session *session;
    struct hf_buf in, out;
    struct hf_buf head;    /* of the answer, until its blank line */
    uint64_t up_left;      /* of the request's body */
    uint64_t answer_left;  /* of the answer's body */
    bool head_done, ended; /* ended: the server's FIN came */
    unsigned n_done;       /* operations */
};

struct load {
    enum load_mode mode;
    struct hf_loop *loop;
    enum hf_tls_engine engine;
    struct hf_tls_ctx *ctx; /* NULL: each slot makes one */
    struct fleet *fleet;    /* NULL: all show one certificate */
    struct hf_addr server;
    const char *sni;
    uint64_t bytes; /* of a body, modes down and up */
    struct slot *slots;
    size_t n_slots;
    size_t n_started;
    uint64_t limit; /* operations of the measured run */
    /* counted */
    bool measuring, stopping;
    size_t n_warm, n_warm_wanted;
    uint64_t n_operations, n_bytes, n_resumed;
    uint64_t n_cut, n_told; /* ended by the server; by an alert and then FIN */
    int64_t first_cut_ns, middle_cut_ns, last_cut_ns; /* by CLOCK_MONOTONIC, as the driver's */
    uint64_t n_progress;                              /* grows as long as anything moves */
    char version[16], suite[64];
    enum hf_err err; /* the first failure ends the run */
};

/* slot_start begins the slot's first connection; slot_go the next operation of a resting one. */
void slot_start(struct slot *slot);
void slot_go(struct slot *slot);
void slot_done(struct slot *slot);

/* load_done_one is called by slots after each operation; false: the slot is to rest. */
bool load_done_one(struct slot *slot);
/* slot_was_told reads what had come before the server ended a slot at rest: an alert that says so,
 * and FIN? The slot is then closed. */
bool slot_was_told(struct slot *slot);

/* cuts_wait takes all slots out of the loop and waits until the server has ended load->limit of
 * them. Errors: HF_E_TIMEOUT. */
enum hf_err cuts_wait(struct load *load, unsigned long seconds) HF_MUST_CHECK;

/* cuts_read then counts those that were told of it, and closes all. */
void cuts_read(struct load *load);
/* load_ctx gives a reference to the context that this slot connects by. */
enum hf_err load_ctx(struct load *load, const struct slot *slot, struct hf_tls_ctx **out);
void load_fail(struct load *load, enum hf_err err, const char *where);

#endif
