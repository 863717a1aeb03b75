// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SERVER_STATE_H
#define HF_PROXY_SERVER_STATE_H

/*
 * What all workers and all generations know of one server of an upstream, and of the upstream as a
 * whole: atomics, found again by name after a reload. Any thread may touch them; nothing locks.
 * balance.h is how to use them; only src/proxy/balance*.c and health*.c write the fields directly.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Why a server gets nothing new. Zero: it does. */
enum hf_server_standing {
    HF_SERVER_DOWN = 1,    /* by its checks */
    HF_SERVER_EJECTED = 2, /* by what came of its traffic; until ejected_until_ms */
    HF_SERVER_DRAINED = 4, /* by its operator */
};

/* What the checks of a server have found so far. Zeroed: nothing yet. */
struct hf_health {
    bool known;     /* one has ended */
    bool down;      /* what they say together */
    bool last_good; /* what the last one said */
    unsigned run;   /* checks in a row that speak against what they say together */
    int64_t at_ms;  /* loop time of the last one's end */
    char why[200];  /* of the last bad one */
};

struct hf_server_state {
    /* Written by every request. */
    atomic_uint open;          /* connections now, those being made included */
    atomic_uint active;        /* places taken: requests in flight; in TCP mode connections */
    atomic_ulong total;        /* connections ever made */
    atomic_ulong failed;       /* attempts and requests that failed */
    _Atomic(uint64_t) latency; /* moving average: microseconds << 32 | loop time in ms */
    char apart[64];

    /* Read by every pick, written when something changes. */
    atomic_uint standing;              /* enum hf_server_standing, or-ed */
    _Atomic(int64_t) ramp_from_ms;     /* since when its share grows again; 0: it is whole */
    _Atomic(int64_t) ejected_until_ms; /* loop time */
    _Atomic(uint64_t) run;             /* failures in a row << 48 | loop time of the first */
    atomic_uint ejections;             /* in near succession: each lasts longer than the last */
    atomic_ulong ejected_total;        /* ever */
    struct hf_health health;           /* of the control thread alone */
    atomic_uint refs;
};

/* What came of a request, or of a TCP connection: id, name in metrics. */
#define HF_OUTCOME_TABLE(X) \
    X(OK, "ok")               /* an answer below 500; a TCP connection that was made */ \
    X(ERROR, "error")         /* an answer of 500 and more, but those of GATEWAY */ \
    X(GATEWAY, "gateway")     /* 502, 503, 504 */ \
    X(CONNECT, "connect")     /* refused, unreachable, its TLS or certificate no good */ \
    X(TIMEOUT, "timeout")     /* in connecting, or in answering */ \
    X(RESET, "reset")         /* broke before its answer was whole; what isn't HTTP */ \
    X(CANCELLED, "cancelled") /* the client went, or we gave up: says nothing of the server */

#define HF_OUTCOME_ENUM(id, name) HF_OUTCOME_##id,
enum hf_server_outcome { HF_OUTCOME_TABLE(HF_OUTCOME_ENUM) HF_OUTCOME_N };
#undef HF_OUTCOME_ENUM

const char *hf_outcome_name(enum hf_server_outcome outcome);

struct hf_queue;

#define HF_BALANCE_WORKERS_MAX 256

struct hf_upstream_state {
    atomic_uint refs;
    atomic_uint turn;      /* round robin; also what chance is made of */
    atomic_uint active;    /* of all servers together */
    atomic_uint waiting;   /* in the queues of all workers */
    atomic_uint wake_turn; /* whose queue is woken next */
    atomic_uint n_queues;  /* queue[] is empty from here on */
    atomic_uint retries;   /* under way */
    _Atomic(struct hf_queue *) queue[HF_BALANCE_WORKERS_MAX]; /* one a worker, once it has waited */
};

#endif
