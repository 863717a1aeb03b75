// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_DOWN_H
#define HF_PROXY_HTTP_DOWN_H

/*
 * struct hf_down is a client's connection in HTTP mode, beside its session: HTTP/1.1 or HTTP/2 by
 * ALPN. The session keeps the socket, the identity and the deadlines of the connection; requests
 * are exchanges.
 */

#include "proxy/http/exchange.h"

struct hf_down_kind {
    struct hf_down_ops ops;

    /* The client's socket has something to say, or takes something again. */
    void (*event)(struct hf_down *down, unsigned events);

    /* No more requests after those under way: the connection ends when they have. */
    void (*retire)(struct hf_down *down);

    /* Says goodbye, as the protocol has it, before the connection is cut. NULL: it can't. */
    void (*leave)(struct hf_down *down);

    /* Nothing moved for a while: gives back what can be remade. NULL: nothing to give. */
    void (*quiet)(struct hf_down *down);

    /* Gives everything back but the struct; all exchanges have been aborted. */
    void (*done)(struct hf_down *down);
};

struct hf_down {
    const struct hf_down_kind *kind;
    struct hf_session *session;
    struct hf_hub *hub;
    struct hf_wire wire;
    struct hf_link exchanges;
    struct hf_task free_task;
    struct hf_gen *gen;            /* that its next request is judged by */
    const struct hf_door *door;    /* of gen */
    enum hf_reason barred;         /* it is let in no more; HF_REASON_OK: it is */
    struct hf_requester requester; /* who rules say it is */
    size_t policy;                 /* of the door, by the server name */
    enum hf_reason judged;         /* what the verdict on its certificate was */
    bool may_probe;                /* the listener's probes are for its address */
    bool trusted;                  /* a listed proxy: its word about its clients is believed */
    char address[HF_CLIENT_ADDRESS_SIZE]; /* the client's, without port; "": a unix socket */
    uint16_t port, door_port;             /* its port, and the one that it came to; 0: none */
    struct hf_forward_memo *memo;         /* what forwarding remembers of it; NULL: nothing */
    unsigned n_requests;
    bool retiring;
    bool gone; /* the session has ended */
};

/* hf_down_start begins to serve the client of a session whose handshake is over. On failure the
 * session has been ended. */
void hf_down_start(struct hf_session *session);
void hf_down_event(struct hf_session *session, unsigned events);

/* hf_down_busy: a request is under way. */
bool hf_down_busy(const struct hf_session *session);

/* hf_down_retire ends the connection after the requests under way; at once when there are none. */
void hf_down_retire(struct hf_session *session);

/* hf_down_bar does so, and answers what still comes 403: the client is no longer admitted. */
void hf_down_bar(struct hf_session *session, enum hf_reason reason);

/* hf_down_leave says goodbye to a client that is about to be cut. */
void hf_down_leave(struct hf_session *session);

/* hf_down_end ends a session that has served its last request: in order, or with the alert that a
 * client gets who is no longer admitted. */
void hf_down_end(struct hf_down *down);

/* hf_down_quiet gives back what a silent connection can do without. */
void hf_down_quiet(struct hf_session *session);

/* hf_down_close breaks off what is under way; for the session's end. Nothing is answered. */
void hf_down_close(struct hf_session *session, enum hf_mishap why);

/* The kinds. */
enum hf_err hf_down_h1_new(struct hf_session *session, struct hf_hub *hub,
                           struct hf_down **out) HF_MUST_CHECK;
enum hf_err hf_down_h2_new(struct hf_session *session, struct hf_hub *hub,
                           struct hf_down **out) HF_MUST_CHECK;

#endif
