// SPDX-License-Identifier: Apache-2.0
/*
 * The cork holds plaintext, so that a head and a small body are one record and one write. What is
 * large and has nothing before it goes straight to the leg and is copied by nobody.
 */
#include "proxy/http/wire.h"

#include "proxy/http/hub.h"

enum {
    CORK_ENOUGH = 32 << 10, /* pulled at once when it holds this much */
    PASS_MIN = 8 << 10,     /* worth a write of its own */
};

static void run_turn(struct hf_task *task)
{
    struct hf_wire *wire = HF_CONTAINER_OF(task, struct hf_wire, task);
    wire->kicked = false;
    if (wire->leg) {
        wire->ops->turn(wire);
    }
}

void hf_wire_kick(struct hf_wire *wire)
{
    if (wire->leg && !wire->kicked) {
        wire->kicked = true;
        wire->task.run = run_turn;
        hf_loop_defer(wire->hub->worker->loop, &wire->task);
    }
}

static void write_now(struct hf_wire *wire, struct hf_bytes bytes)
{
    if (!wire->leg || wire->broken != HF_MOVE_IDLE || bytes.len == 0) {
        return;
    }
    enum hf_move move = hf_leg_write(wire->leg, &wire->hub->worker->scratch, bytes);
    if (move == HF_MOVE_BLOCKED) {
        hf_wire_want(wire);
    } else if (move != HF_MOVE_IDLE) {
        wire->broken = move;
        hf_wire_kick(wire);
    }
}

void hf_wire_pull(struct hf_hub *hub)
{
    struct hf_wire *wire = HF_TAKE(hub->corked);
    if (wire) {
        write_now(wire, hf_buf_bytes(&hub->cork));
        hf_buf_reset(&hub->cork);
    }
}

void hf_wire_open(struct hf_wire *wire, struct hf_hub *hub, struct hf_leg *leg,
                  const struct hf_wire_ops *ops)
{
    *wire = (struct hf_wire){.leg = leg, .hub = hub, .ops = ops, .broken = HF_MOVE_IDLE};
}

void hf_wire_close(struct hf_wire *wire)
{
    if (wire->leg) {
        if (wire->hub->corked == wire) {
            hf_wire_pull(wire->hub);
        }
        wire->leg = NULL;
    }
}

struct hf_buf *hf_wire_out(struct hf_wire *wire, size_t n)
{
    struct hf_hub *hub = wire->hub;
    if (hub->corked && (hub->corked != wire || hf_buf_room(&hub->cork) < n)) {
        hf_wire_pull(hub);
    }
    return &hub->cork;
}

void hf_wire_wrote(struct hf_wire *wire)
{
    struct hf_hub *hub = wire->hub;
    if (hf_buf_len(&hub->cork) == 0) {
        return;
    }
    hub->corked = wire;
    if (hf_buf_len(&hub->cork) >= CORK_ENOUGH) {
        hf_wire_pull(hub);
    } else {
        hf_hub_settle_later(hub);
    }
}

void hf_wire_pass(struct hf_wire *wire, struct hf_bytes bytes)
{
    struct hf_buf *out = hf_wire_out(wire, bytes.len);
    if (hf_buf_len(out) == 0 && bytes.len >= PASS_MIN) {
        write_now(wire, bytes);
        return;
    }
    if (hf_buf_append(out, bytes) != HF_OK) {
        wire->broken = HF_MOVE_NOMEM;
        hf_wire_kick(wire);
        return;
    }
    hf_wire_wrote(wire);
}

void hf_wire_want(struct hf_wire *wire)
{
    struct hf_leg *leg = wire->leg;
    if (!leg || !hf_leg_open(leg)) {
        return;
    }
    unsigned wanted = 0;
    if (!wire->paused && !leg->ended && !leg->choked) {
        wanted |= HF_LOOP_READ;
    }
    if (hf_buf_len(&leg->held_out) || leg->choked) {
        wanted |= HF_LOOP_WRITE;
    }
    if (leg->watch.active) {
        hf_watch_want(wire->hub->worker->loop, &leg->watch, wanted);
    }
}
