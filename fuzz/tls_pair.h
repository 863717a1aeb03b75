// SPDX-License-Identifier: Apache-2.0
#ifndef HF_FUZZ_TLS_PAIR_H
#define HF_FUZZ_TLS_PAIR_H

/*
 * A server and a client of the native engine for the fuzz targets: with everything switched on, a
 * clock that stands still and a random source that starts over at each input, so that the same
 * bytes do the same thing. Judges admit everybody, and count.
 */

#include "tls/native/conn.h"

struct fuzz_side {
    struct hf_tls *tls;
    struct hf_buf in, out;
    enum hf_tls_step step;
    unsigned n_judged;
};

void fuzz_need(bool condition); /* ends the program: a bug of ours */

/* fuzz_side_init makes a connection. door: the server allows TLS 1.2 too. session: the client
 * offers the ticket of an earlier connection, once there was one. */
void fuzz_server_init(struct fuzz_side *side, bool door);
void fuzz_client_init(struct fuzz_side *side, bool resume);
void fuzz_side_done(struct fuzz_side *side);

/* fuzz_side_step goes on with handshake or reading over what is in side->in. */
void fuzz_side_step(struct fuzz_side *side);

/* fuzz_pass_records moves up to n records from one side to the other; gives how many it was. */
size_t fuzz_pass_records(struct fuzz_side *from, struct fuzz_side *to, size_t n);

/* fuzz_check holds a side to what must be true whatever came. */
void fuzz_check(const struct fuzz_side *side);

#endif
