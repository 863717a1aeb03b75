// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_UP_H
#define HF_PROXY_HTTP_UP_H

/*
 * struct hf_up is a connection to a server of an upstream, from dialling to its end. Once its
 * protocol is known it is of a kind: HTTP/1.1 serves one exchange at a time, HTTP/2 many.
 *
 *      dial --> handshake --> ready --> closed
 *
 * It belongs to a pool (pool.h), which hands it to exchanges.
 */

#include "proxy/http/exchange.h"
#include "proxy/server_check.h"
#include "proxy/upstream.h"

struct hf_pool;
struct hf_up_h2;

enum hf_up_state { HF_UP_DIAL, HF_UP_HANDSHAKE, HF_UP_READY, HF_UP_CLOSED };

struct hf_up_kind {
    struct hf_up_ops ops;
    bool is_h2;
    void (*event)(struct hf_up *up, unsigned events);

    /* Exchanges that could be given to it now. */
    size_t (*room)(const struct hf_up *up);

    /* Takes one: x->up and x->up_stream are set on success. */
    enum hf_err (*take)(struct hf_up *up, struct hf_exchange *x);

    /* Gives everything back but the struct; it serves nobody any more. */
    void (*done)(struct hf_up *up);
};

struct hf_up {
    struct hf_link link; /* in its pool */
    struct hf_pool *pool;
    struct hf_hub *hub;
    const struct hf_server *server;
    const struct hf_up_kind *kind; /* NULL until it is ready */
    struct hf_fsm fsm;
    struct hf_leg leg;
    struct hf_wire wire;
    struct hf_timer timer; /* of the handshake, or of idleness */
    struct hf_task free_task;
    struct hf_dial *dial;
    struct hf_server_check *check; /* until it is ready */
    struct hf_link waiters;        /* exchanges, until it is ready */
    uint64_t epoch;                /* of the worker, when its TLS began */
    unsigned n_served;
    bool resting;    /* in its pool's idle list */
    int64_t idle_ms; /* loop time since when it serves nobody */

    /* HTTP/1.1 */
    struct hf_exchange *x;
    struct hf_h1 h1;
    struct hf_h1_writer writer;
    struct hf_buf in;
    struct hf_http_field *fields;
    bool answering; /* the head of the answer has been read */
    bool stalled;   /* the exchange doesn't take more */

    /* HTTP/2 */
    struct hf_up_h2 *h2;
};

/* hf_up_open begins to connect; the server's connection has been counted (hf_server_open). NULL:
 * out of memory, and it is counted no more. */
struct hf_up *hf_up_open(struct hf_pool *pool, const struct hf_server *server) HF_MUST_CHECK;

/* hf_up_close ends it. It serves nobody: exchanges have been told. */
void hf_up_close(struct hf_up *up);

/* hf_up_h1_start and hf_up_h2_start make a connection ready for its protocol. */
void hf_up_h1_start(struct hf_up *up);
enum hf_err hf_up_h2_start(struct hf_up *up) HF_MUST_CHECK;

#endif
