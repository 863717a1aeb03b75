// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_EXCHANGE_H
#define HF_PROXY_HTTP_EXCHANGE_H

/*
 * struct hf_exchange is one request and its answer. It stands between two sides that know nothing
 * of each other, and each of which is HTTP/1.1 or HTTP/2:
 *
 *      client's connection                                   connection to a server
 *      struct hf_down  ---- hf_exchange_request, _body --->  struct hf_up
 *      (down_h1.c,     <--- down->ops: head, data, end ----  (up_h1.c, up_h2.c)
 *       down_h2.c)
 *                      head --> judge --> reach --> wait --> answer --> done
 *                                   \--------------/             /
 *                                                       \--> tunnel -->/
 *
 * Where a service of this process answers (exchange_service.c), there is no `up`.
 *
 * Data is pushed: whoever has some gives it to the exchange, which gives it to the other side at
 * once. "False" in return means that the other side is full: nothing more is given after this piece
 * until `resume`. So what an exchange holds is bounded by what one read of a socket gives.
 *
 * Rules of life. An exchange is over when both sides have let go of it (down and up are NULL); its
 * memory goes at the end of the loop's turn, so that whoever is further up the stack may still look
 * at it. Ops never call back into the exchange: what they find out, they tell in a turn of their
 * own (hf_wire_kick).
 */

#include "base/fsm.h"
#include "http/facts.h"
#include "http/h1_write.h"
#include "policy/request.h"
#include "proxy/balance_queue.h"
#include "proxy/http/hub.h"
#include "proxy/http/mishap.h"
#include "proxy/session.h"

struct hf_down;
struct hf_serving;
struct hf_h2_stream;
struct hf_up;
struct hf_door;
struct hf_upstream;
struct hf_server;

enum hf_exchange_phase {
    HF_X_HEAD,   /* the head of the request isn't whole */
    HF_X_JUDGE,  /* may it come in? */
    HF_X_REACH,  /* waits for a connection to a server */
    HF_X_WAIT,   /* the request has gone out, or goes to a service; the answer hasn't begun */
    HF_X_ANSWER, /* the head of the answer has gone to the client */
    HF_X_TUNNEL, /* it was an upgrade: bytes go both ways until both ends have ended */
    HF_X_DONE,
};

/* What answers go through. Not called any more once x->down is NULL. */
struct hf_down_ops {
    void (*interim)(struct hf_exchange *x, const struct hf_http_msg *msg);

    /* last: neither body nor trailers follow; `end` comes all the same */
    void (*head)(struct hf_exchange *x, const struct hf_http_msg *msg, bool last);
    bool (*data)(struct hf_exchange *x, struct hf_bytes data);

    /* The answer is whole; trailers may be NULL. The side lets go of the exchange. */
    void (*end)(struct hf_exchange *x, const struct hf_http_msg *trailers);

    /* The answer can't be finished: the client must see that. The side lets go. */
    void (*abort)(struct hf_exchange *x);
    void (*resume)(struct hf_exchange *x); /* the request's body is wanted again */
};

/* What requests go through, likewise. */
struct hf_up_ops {
    void (*head)(struct hf_exchange *x, const struct hf_http_msg *msg);
    bool (*data)(struct hf_exchange *x, struct hf_bytes data);
    void (*end)(struct hf_exchange *x, const struct hf_http_msg *trailers);
    void (*abort)(struct hf_exchange *x); /* nobody wants the answer. The side lets go. */
    void (*resume)(struct hf_exchange *x);
};

#define HF_CLIENT_ADDRESS_SIZE 64 /* an address without its port, with NUL */

struct hf_exchange {
    struct hf_link link; /* of its client's connection; spare or ended in the hub */
    struct hf_hub *hub;
    struct hf_session *session;
    struct hf_gen *gen;         /* that it is judged by */
    const struct hf_door *door; /* of gen */
    struct hf_fsm fsm;
    struct hf_timer timer;
    uint64_t id;

    struct hf_down *down;
    int32_t down_stream;
    bool asked;     /* the request is whole */
    bool answered;  /* the answer is whole, or was given up */
    bool down_full; /* the client doesn't take more of the answer now */

    bool reaching; /* known to the pool */
    struct hf_up *up;
    int32_t up_stream;
    bool up_reused;     /* the connection has served others before */
    bool up_full;       /* the upstream doesn't take more of the request now */
    bool up_begun;      /* a byte of an answer has come */
    bool body_begun;    /* a byte of the body has gone to a server: can't be sent again */
    bool sent_end;      /* the request went out whole */
    unsigned n_tries;   /* of servers */
    unsigned n_retries; /* allowed */

    /* Who it is for, as its connection knew: the log wants it when that is gone. */
    enum hf_reason judged;                     /* its certificate */
    bool trusted;                              /* by a listed proxy */
    char down_address[HF_CLIENT_ADDRESS_SIZE]; /* who is connected; "": a unix socket */
    char client[HF_ADDR_TEXT_SIZE];            /* by the word of a listed proxy; "": none */
    uint16_t down_port, door_port;
    struct hf_request_ids ids;

    struct hf_request_verdict verdict;
    struct hf_auth_call *auth;  /* what else the client showed; NULL: nobody asked */
    bool auth_waits;            /* for its outcome */
    bool opaque;                /* its path isn't what the client sent: only a service reads that */
    int64_t retry_after_s;      /* that a refusal tells; 0: nothing */
    struct hf_serving *serving; /* in place of up: a service answers; NULL: none does */
    struct hf_http_msg *request;
    struct hf_http_msg *trailers;                /* of the request, while they wait to go out */
    struct hf_http_slice path, query, authority; /* as they came: places in request's text */
    const struct hf_upstream *upstream;
    const struct hf_server *server;
    struct hf_tried tried;
    struct hf_waiter waiter;   /* for a place at a server */
    struct hf_link reach_link; /* of those that wait for a connection to be made */
    bool retrying;             /* counts against the upstream's budget */
    char socket_key[25];       /* of WebSocket; "": there is none */
    bool socket_key_ours;      /* the client has none */
    bool placed;               /* holds a place at server */
    bool has_hash;             /* of what the upstream's balance goes by */
    uint64_t hash;
    enum hf_mishap reach_mishap; /* why the last server wasn't reached */
    uint64_t body_max;           /* 0: none */
    int64_t total_ms;            /* from the head to the end; 0: none */

    /* What the log and the counters want to know. */
    enum hf_mishap mishap;    /* HF_MISHAP_NONE: all went well */
    enum hf_http_fault fault; /* with HF_MISHAP_BAD_REQUEST */
    uint16_t status;          /* that the client got; 0: none */
    uint16_t up_status;
    uint64_t n_in, n_out; /* body bytes from and to the client */
    int64_t since_ns;     /* monotonic: the first byte of the head */
    int64_t reach_ns, sent_ns, first_ns;
    int64_t since_ms;  /* loop time: the same instant */
    int64_t active_ms; /* loop time of the last byte of body, either way */

    /* Of an HTTP/2 client */
    struct hf_h2_stream *down_h2; /* NULL: it is closed */
    struct hf_buf held;           /* of the request's body, until somebody takes it */
    size_t unconsumed;            /* of what was taken, not yet told to the stream */
    size_t n_drained;             /* of a body nobody wants */
    bool drained_enough;          /* no more of it is read; the client has a moment to stop */
    bool stop_upload;             /* that has passed */
    struct hf_buf down_rest;      /* of the answer, that the stream had no room for */
    bool held_end;                /* the request's end waits behind what is held */
    bool down_end;                /* the answer's behind down_rest */
    bool down_last;               /* it was said with the head */
    bool resumed;                 /* the connection's turn is to look at it */
    struct hf_http_msg *held_trailers;
    struct hf_http_msg *down_trailers;

    /* Of an HTTP/2 server */
    struct hf_h2_stream *up_h2;
    struct hf_link up_link; /* of its connection */
    struct hf_buf up_rest;
    size_t up_unconsumed;
    bool up_end;
    bool up_last;
    bool up_unsent;  /* the request waits for the server's SETTINGS */
    bool up_refused; /* the request couldn't be sent: the connection's turn says so */
    struct hf_http_msg *up_trailers;

    /* Of an HTTP/1.1 client */
    struct hf_h1 h1;
    struct hf_h1_writer writer;
    struct hf_http_field *fields; /* for a head or trailers that come in pieces */
};

/* --- For the client's side ----------------------------------------------------------------------
 */

/* hf_exchange_new begins one, in HF_X_HEAD. NULL: out of memory. */
struct hf_exchange *hf_exchange_new(struct hf_down *down, int32_t stream) HF_MUST_CHECK;

/* hf_exchange_head_begun: a part of the head has come, the clock for the rest runs. */
void hf_exchange_head_begun(struct hf_exchange *x);

/* hf_exchange_request: x->request is the head. Judges it, and goes on as far as it can: by the
 * return the answer may have been given. */
void hf_exchange_request(struct hf_exchange *x);

/* hf_exchange_body passes a piece of the request's body on. False: wait for `resume`. What comes
 * after the answer was given is thrown away. */
bool hf_exchange_body(struct hf_exchange *x, struct hf_bytes data) HF_MUST_CHECK;
void hf_exchange_body_end(struct hf_exchange *x, struct hf_http_msg *trailers);

/* hf_exchange_takes_body: may the body be given now? */
bool hf_exchange_takes_body(const struct hf_exchange *x);

/* hf_exchange_bad: what the client sends is no good. Answered when no answer has begun; otherwise
 * the exchange is broken off. */
void hf_exchange_bad(struct hf_exchange *x, enum hf_http_fault fault);

/* hf_exchange_leave_down: the side has let go, after `end` or `abort`. */
void hf_exchange_leave_down(struct hf_exchange *x);

/* hf_exchange_client_gone: there is nobody to answer to any more. The side has let go with it. */
void hf_exchange_client_gone(struct hf_exchange *x, enum hf_mishap why);

/* hf_exchange_down_drained: the client takes more. */
void hf_exchange_down_drained(struct hf_exchange *x);

/* --- For the upstream's side --------------------------------------------------------------------
 */

/* hf_exchange_reached: x->up is set and ready; not from within hf_pool_reach.
 * hf_exchange_unreached: there will be none. */
void hf_exchange_reached(struct hf_exchange *x);
void hf_exchange_unreached(struct hf_exchange *x, enum hf_mishap why);

/* The answer's parts. msg is the exchange's to change. */
void hf_exchange_interim(struct hf_exchange *x, struct hf_http_msg *msg);
void hf_exchange_answer(struct hf_exchange *x, struct hf_http_msg *msg, bool last);
bool hf_exchange_answer_data(struct hf_exchange *x, struct hf_bytes data) HF_MUST_CHECK;
void hf_exchange_answer_end(struct hf_exchange *x, struct hf_http_msg *trailers);

/* hf_exchange_leave_up: the side has let go, after the answer's end or `abort`. */
void hf_exchange_leave_up(struct hf_exchange *x);

/* hf_exchange_up_failed: the connection broke, or what came over it is no answer. The side has let
 * go with it. untouched: the server has certainly not acted on the request. */
void hf_exchange_up_failed(struct hf_exchange *x, enum hf_mishap why, bool untouched);
void hf_exchange_up_drained(struct hf_exchange *x);

/* --- For all ------------------------------------------------------------------------------------
 */

/* hf_exchange_refuse answers in place of a server. Not after an answer has begun. */
void hf_exchange_refuse(struct hf_exchange *x, enum hf_mishap why);

/* hf_exchange_abort breaks it off, whatever has been answered. */
void hf_exchange_abort(struct hf_exchange *x, enum hf_mishap why);

static inline enum hf_exchange_phase hf_exchange_phase(const struct hf_exchange *x)
{
    return (enum hf_exchange_phase)x->fsm.state;
}

/* hf_exchange_sweep takes back what has ended; hf_exchange_free_spare gives memory back. */
void hf_exchange_sweep(struct hf_hub *hub);
void hf_exchange_free_spare(struct hf_hub *hub);

#endif
