// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

/*
 * The libssl door. A listener may allow TLS 1.2; then the records of the ClientHello are kept until
 * it is known to offer 1.3. One that doesn't is handed over byte for byte: a connection of libssl
 * is made, reads these bytes first, and has every call from then on. What the seam looks for in the
 * base of the connection, chain and failure, is carried over after each.
 */

enum hf_tls_step hf_native_door_step(struct hf_native *conn, enum hf_tls_step step)
{
    struct hf_tls *door = conn->door;
    if (door->peer_chain != conn->base.peer_chain) {
        hf_tls_set_peer_chain(&conn->base,
                              door->peer_chain ? hf_chain_ref(door->peer_chain) : NULL);
    }
    if (door->failure && !conn->base.failure) {
        conn->base.failure = HF_TAKE(door->failure);
    }
    return step;
}

enum hf_tls_step hf_native_door_handshake(struct hf_native *conn, struct hf_tls_io *io)
{
    struct hf_tls *door = conn->door;
    struct hf_buf *held = conn->hs ? &conn->hs->hello : NULL;
    if (held && hf_buf_len(held)) {
        struct hf_tls_io first = {hf_span_of(held->mem + held->start, hf_buf_len(held)), io->out};
        enum hf_tls_step step = door->ops->handshake(door, &first);
        hf_buf_consume(held, hf_buf_len(held) - first.in.len);
        if (step != HF_TLS_WANT_INPUT || first.in.len) {
            return hf_native_door_step(conn, step);
        }
    }
    if (conn->hs) {
        hf_native_hs_free(conn);
        hf_buf_release(&conn->in);
    }
    return hf_native_door_step(conn, door->ops->handshake(door, io));
}
