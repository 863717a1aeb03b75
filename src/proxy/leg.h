// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_LEG_H
#define HF_PROXY_LEG_H

/*
 * struct hf_leg is one side of a session: a socket with, perhaps, TLS on it. A session has two.
 *
 * An idle leg holds no buffers. Bytes are read into the worker's scratch memory and leave it within
 * the same call; what can't leave is held in the leg: held_in (part of a record) and held_out (what
 * the socket didn't take). Both are bounded, and while one leg holds output the other isn't read.
 */

#include "os/loop.h"
#include "os/sock.h"
#include "tls/tls.h"

#define HF_LEG_READ_SIZE (64u << 10)  /* bytes taken from a socket at once */
#define HF_LEG_HELD_MAX  (256u << 10) /* cap of held_in and of held_out */

/* Memory that every session of a worker uses within one call, and none across calls. */
struct hf_scratch {
    uint8_t in[HF_LEG_READ_SIZE + HF_TLS_RECORD_MAX];
    uint8_t plain[HF_LEG_READ_SIZE];
    struct hf_buf out;
};

struct hf_leg {
    struct hf_watch watch;
    struct hf_tls *tls; /* NULL: plain */
    struct hf_buf held_in;
    struct hf_buf held_out;
    uint64_t n_in;  /* application bytes that came */
    uint64_t n_out; /* application bytes that were passed to TLS or the socket */
    bool ended;     /* the peer has said its last byte, in order */
    bool finishing; /* we have: FIN follows held_out */
    bool finished;  /* and FIN was sent */
    bool spent;     /* held_in has no whole record: only more input helps */
    bool choked;    /* its TLS must answer, and held_out is full: not read until that has drained */
};

/* What came of moving bytes. */
enum hf_move {
    HF_MOVE_IDLE,      /* nothing more now: wait for the socket */
    HF_MOVE_VERDICT,   /* of a handshake: wait for the judge, not for the socket */
    HF_MOVE_BLOCKED,   /* the receiving leg must drain first */
    HF_MOVE_ENDED,     /* the sending peer has ended in order */
    HF_MOVE_TRUNCATED, /* TLS ended by FIN without close_notify: perhaps an attacker's */
    HF_MOVE_LOST,      /* the socket of `from` broke; hf_err_text() says how */
    HF_MOVE_TO_LOST,   /* the socket of `to` broke */
    HF_MOVE_TLS,       /* TLS of `from` failed: see hf_tls_failure */
    HF_MOVE_TO_TLS,    /* TLS of `to` failed */
    HF_MOVE_NOMEM,
};

void hf_leg_init(struct hf_leg *leg, int fd);

/* hf_leg_close closes the socket and gives everything back. Accepts a zeroed leg. */
void hf_leg_close(struct hf_leg *leg, struct hf_loop *loop);

static inline bool hf_leg_open(const struct hf_leg *leg)
{
    return leg->watch.fd >= 0;
}

/* hf_leg_move carries application bytes from one leg to the other until one of them must wait. */
enum hf_move hf_leg_move(struct hf_leg *from, struct hf_leg *to, struct hf_scratch *scratch);

/*
 * hf_leg_sink is given plaintext as it comes; the view is into the worker's scratch. False: no more
 * until asked again; what is left stays held. A sink may close the leg.
 */
typedef bool hf_leg_sink(void *ctx, struct hf_bytes plain);

/* hf_leg_read gives what comes to sink, until the socket has no more. BLOCKED: sink has enough, or
 * closed the leg, or the leg is choked. Never TO_LOST, TO_TLS. */
enum hf_move hf_leg_read(struct hf_leg *leg, struct hf_scratch *scratch, hf_leg_sink *sink,
                         void *ctx);

/* hf_leg_write seals, or takes as they are, application bytes and sends them. BLOCKED: the socket
 * didn't take all, the rest is held. LOST, TLS, NOMEM: the leg is of no more use for writing. Uses
 * scratch.out alone, so that plain may view the rest of the scratch. */
enum hf_move hf_leg_write(struct hf_leg *leg, struct hf_scratch *scratch, struct hf_bytes plain);

/* hf_leg_has_held: whole input may wait that no event of the socket will tell of. */
static inline bool hf_leg_has_held(const struct hf_leg *leg)
{
    return hf_buf_len(&leg->held_in) && !leg->spent;
}

/* hf_leg_handshake goes on with TLS over the socket. IDLE: waits for the socket; ENDED: the
 * handshake is complete; VERDICT: the judge waits; TLS: it failed; TRUNCATED: the peer left; LOST:
 * the socket broke. */
enum hf_move hf_leg_handshake(struct hf_leg *leg, struct hf_scratch *scratch);

/* hf_leg_flush sends held_out, then FIN when finishing. IDLE: all sent, BLOCKED: not all, LOST. */
enum hf_move hf_leg_flush(struct hf_leg *leg);

/* hf_leg_send queues raw bytes (a PROXY header) and flushes. */
enum hf_move hf_leg_send(struct hf_leg *leg, struct hf_bytes bytes);

/* hf_leg_finish says that no more application bytes go to this leg: close_notify, then FIN. */
enum hf_move hf_leg_finish(struct hf_leg *leg);

#endif
