// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_WIRE_H
#define HF_PROXY_HTTP_WIRE_H

/*
 * struct hf_wire is a leg that HTTP sits on. It adds two things to the leg:
 *
 *   - a cork: bytes that are written within one turn of the loop leave together. There is one cork
 * a worker (hub.h); who writes to another wire, or much, or at the end of the turn, pulls it.
 *   - turns: work that must not be done from within somebody else's callback is done at the end of
 *     the loop's turn (hf_wire_kick). Breaking in writing is told that way, too.
 *
 * While the socket doesn't take what was written, the wire is full: whoever feeds it must stop
 * after the piece at hand. hf_wire_drained comes when all has left.
 */

#include "proxy/leg.h"

struct hf_hub;
struct hf_wire;

struct hf_wire_ops {
    /* turn does what was put off. wire->broken: writing failed, and how. */
    void (*turn)(struct hf_wire *wire);
};

struct hf_wire {
    struct hf_leg *leg; /* NULL: closed */
    struct hf_hub *hub;
    const struct hf_wire_ops *ops;
    struct hf_task task;
    bool kicked;
    bool paused;         /* its input isn't wanted now */
    enum hf_move broken; /* HF_MOVE_IDLE: it isn't */
};

/* hf_wire_open takes the leg, whose watch has been added or is about to be; hf_wire_close pulls the
 * cork and lets the leg go, which its owner then closes. */
void hf_wire_open(struct hf_wire *wire, struct hf_hub *hub, struct hf_leg *leg,
                  const struct hf_wire_ops *ops);
void hf_wire_close(struct hf_wire *wire);

static inline bool hf_wire_is_open(const struct hf_wire *wire)
{
    return wire->leg != NULL;
}

/* hf_wire_out gives the cork, for at least n bytes to be appended to; never NULL. Call
 * hf_wire_wrote when done. */
struct hf_buf *hf_wire_out(struct hf_wire *wire, size_t n);
void hf_wire_wrote(struct hf_wire *wire);

/* hf_wire_pass sends bytes as they are, past the cork when that is empty. */
void hf_wire_pass(struct hf_wire *wire, struct hf_bytes bytes);

/* hf_wire_full: what was written before hasn't left. */
static inline bool hf_wire_full(const struct hf_wire *wire)
{
    return wire->leg && hf_buf_len(&wire->leg->held_out) > 0;
}

/* hf_wire_kick asks for ops->turn at the end of this turn of the loop. */
void hf_wire_kick(struct hf_wire *wire);

/* hf_wire_want tells the loop what to wait for. */
void hf_wire_want(struct hf_wire *wire);

/* hf_wire_pull sends what the hub's cork holds. */
void hf_wire_pull(struct hf_hub *hub);

#endif
