// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_H
#define HF_PROXY_SESSION_H

/*
 * struct hf_session is one client's connection from accept to close: a state machine over two legs.
 * Nothing else holds its sockets.
 *
 *      proxy-header --> handshake --> dial --> upstream-handshake --> relay --> closed
 *            \              \  \        \             \                /
 *             \              \  \--> http \             \              /
 *              \--------------\--------\--+-------------\--> linger --/
 *
 * The states that don't apply are passed over (no PROXY header expected, plain sides). Linger keeps
 * a refused client's socket open for a moment after the alert, reading what it still sends: closing
 * at once would answer those bytes with a reset, which overtakes the alert.
 */

#include "base/fsm.h"
#include "policy/notes.h"
#include "proxy/leg.h"
#include "proxy/server_check.h"
#include "proxy/upstream.h"
#include "proxy/worker.h"

#define HF_SESSION_ID_SIZE 17 /* 16 hex digits and NUL */

enum hf_session_state {
    HF_SESSION_PROXY_HEADER,
    HF_SESSION_HANDSHAKE,
    HF_SESSION_DIAL,
    HF_SESSION_UPSTREAM_HANDSHAKE,
    HF_SESSION_RELAY,
    HF_SESSION_HTTP,
    HF_SESSION_LINGER,
    HF_SESSION_CLOSED,
};

/* Why a session ended: id, name in logs. */
#define HF_CAUSE_TABLE(X) \
    X(FINISHED, "finished") \
    X(REFUSED, "refused") \
    X(CLIENT_RESET, "client-reset") \
    X(CLIENT_TRUNCATED, "client-truncated") \
    X(CLIENT_TLS, "client-tls-error") \
    X(UPSTREAM_UNREACHABLE, "upstream-unreachable") \
    X(UPSTREAM_RESET, "upstream-reset") \
    X(UPSTREAM_TRUNCATED, "upstream-truncated") \
    X(UPSTREAM_TLS, "upstream-tls-error") \
    X(IDLE_TIMEOUT, "idle-timeout") \
    X(TOTAL_TIMEOUT, "total-timeout") \
    X(DRAIN_TIMEOUT, "drain-timeout") \
    X(NO_LONGER_ADMITTED, "no-longer-admitted") \
    X(UPSTREAM_NO_LONGER_TRUSTED, "upstream-no-longer-trusted") \
    X(INTERNAL, "internal")

#define HF_CAUSE_ENUM(id, name) HF_CAUSE_##id,
enum hf_cause { HF_CAUSE_TABLE(HF_CAUSE_ENUM) HF_CAUSE_N };
#undef HF_CAUSE_ENUM

const char *hf_cause_name(enum hf_cause cause);

/* Who the client is, and where it connected to, by the word of a proxy in front of us. */
struct hf_told {
    struct hf_addr source;
    struct hf_addr destination;
};

/* What is known only until the relay starts; freed then. */
struct hf_arrival {
    int64_t accepted_ns;
    bool judged;                   /* the client was */
    struct hf_verdict verdict;     /* on the client */
    struct hf_notes notes;         /* of the sources of revocation that were asked */
    struct hf_server_check server; /* of the upstream server that was tried last */
};

struct hf_down;
struct hf_fall;
struct hf_kin;
struct hf_session_wait;

/* Why a client is refused that has completed its handshake all the same (refuse: page). Once it is
 * there, the session never comes in: a later verdict is for another connection. */
struct hf_bar {
    enum hf_reason reason;
    char text[HF_VERIFY_TEXT_MAX];
};

struct hf_session {
    struct hf_link link;
    struct hf_worker *worker;
    struct hf_gen *gen;
    const struct hf_door *door;
    const struct hf_door_policy *policy; /* that the client was judged by; NULL: it was not */
    struct hf_fsm fsm;
    struct hf_leg client;
    struct hf_leg server;
    struct hf_timer timer;
    struct hf_task free_task;
    struct hf_dial *dial;
    struct hf_arrival *arrival;
    struct hf_session_wait *wait; /* of its handshake, for OCSP answers; NULL: there was none */
    struct hf_identity *identity; /* of the client; NULL: none sent */
    struct hf_kin *kin;           /* of a verified client; NULL: it is always judged in full */
    int64_t expires_at;           /* with kin: the first certificate of its chain does */
    const struct hf_server *upstream;
    struct hf_down *http; /* HTTP mode; NULL: not there yet, or any more */
    struct hf_fall *fall; /* it was cut, and is to be buried: session_fall.h; NULL: not */
    struct hf_bar *bar;   /* it was refused, and gets pages that say so, nothing else; NULL: not */
    uint64_t id;
    uint64_t epoch;             /* of the worker, that it was judged at last */
    int64_t good_until_ms;      /* loop time at which it must be judged again; 0: never */
    int64_t asked_until_ms;     /* then what a review asked for decides, or silence; 0: nothing */
    int64_t server_until_ms;    /* likewise of the server; TCP mode */
    int64_t retire_ms;          /* loop time to be told to end, in HTTP mode; 0: never */
    int64_t cut_ms;             /* it is no longer admitted, and ends by then; 0: it is */
    uint8_t cut_alert;          /* with cut_ms */
    int64_t since_ms;           /* loop time of accept */
    int64_t active_ms;          /* loop time of the last byte */
    uint64_t tallies[2];        /* that client limits count it in; 0: not */
    bool verified;              /* identity may be relied on */
    bool vitals_only;           /* let in for the listener's probes, and nothing else */
    bool unsure;                /* a review began during its handshake: judge it again */
    bool counted;               /* in the door's open connections */
    bool quiet;                 /* has given back what TLS can remake */
    enum hf_cause cause;        /* while lingering: how it ended */
    struct hf_told *told;       /* what a PROXY header said; NULL: there was none */
    struct sockaddr_in6 socket; /* who connected: IPv6, IPv4, or AF_UNIX with nothing more */
};

/* hf_session_start takes over the accepted socket. On failure it is closed and said. */
void hf_session_start(struct hf_worker *worker, const struct hf_door *door, int fd,
                      const struct hf_addr *peer);

/* hf_session_cut ends it at once; the session is gone at the end of the loop's turn. */
void hf_session_cut(struct hf_session *session, enum hf_cause cause);

/* hf_session_peer is the client's address: as a PROXY header named it, or its socket's. */
void hf_session_peer(const struct hf_session *session, struct hf_addr *out);

void hf_session_id_format(const struct hf_session *session, char out[static HF_SESSION_ID_SIZE]);

#endif
