// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/h2_wire.h"

enum { TAKE_ROOM = 17 << 10 }; /* a whole frame of the usual size with its header */

void hf_h2_wire_dirty(struct hf_h2_wire *pipe)
{
    if (pipe->h2 && !hf_link_linked(&pipe->dirty)) {
        hf_list_push(&pipe->wire->hub->dirty, &pipe->dirty);
        hf_hub_settle_later(pipe->wire->hub);
    }
}

/* One piece of frames. False: there was none. */
static bool take_some(struct hf_h2_wire *pipe)
{
    struct hf_wire *wire = pipe->wire;
    struct hf_buf *out = hf_wire_out(wire, TAKE_ROOM);
    struct hf_span room;
    size_t len = 0;
    if (hf_buf_reserve(out, TAKE_ROOM, &room) != HF_OK ||
        hf_h2_take(pipe->h2, room, &len) != HF_OK) {
        wire->broken = HF_MOVE_NOMEM;
        hf_wire_kick(wire);
        return false;
    }
    hf_buf_commit(out, len);
    hf_wire_wrote(wire);
    return len > 0;
}

void hf_h2_wire_flush(struct hf_h2_wire *pipe)
{
    struct hf_wire *wire = pipe->wire;
    hf_link_remove(&pipe->dirty);
    while (pipe->h2 && wire->leg && wire->broken == HF_MOVE_IDLE && !hf_wire_full(wire) &&
           take_some(pipe)) {
    }
    if (pipe->h2 && hf_h2_is_over(pipe->h2) && !hf_h2_wants_write(pipe->h2)) {
        hf_wire_kick(wire);
    }
}

void hf_h2_wire_flush_all(struct hf_hub *hub)
{
    while (!hf_list_empty(&hub->dirty)) {
        hf_h2_wire_flush(HF_CONTAINER_OF(hub->dirty.next, struct hf_h2_wire, dirty));
    }
}

void hf_h2_wire_close(struct hf_h2_wire *pipe)
{
    hf_link_remove(&pipe->dirty);
    hf_h2_free(HF_TAKE(pipe->h2));
}

struct hf_http_msg *hf_h2_wire_copy(struct hf_hub *hub, const struct hf_http_msg *trailers)
{
    struct hf_http_msg *copy = hf_http_msg_pool_get(&hub->msgs);
    if (!copy) {
        return NULL;
    }
    copy->kind = HF_MSG_TRAILERS;
    for (size_t i = 0; i < trailers->n_fields; i++) {
        const struct hf_http_field *field = &trailers->fields[i];
        if (hf_http_msg_add(copy, hf_http_msg_name(trailers, field),
                            hf_http_msg_value(trailers, field)) != HF_OK) {
            hf_http_msg_pool_put(&hub->msgs, copy);
            return NULL;
        }
    }
    return copy;
}
