// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_HTTPD_CONN_H
#define HF_WATCH_HTTPD_CONN_H

/* The inside of the small HTTP server, shared by its files and by nobody else. */

#include "base/buf.h"
#include "base/fsm.h"
#include "base/list.h"
#include "http/h1_write.h"
#include "watch/httpd.h"

enum {
    HF_CONN_FIELDS = 64, /* of a request */
    HF_CONN_TRAILERS = 8,
    HF_CONN_ROUNDS = 64,       /* before other connections get their turn */
    HF_CONN_IN_MAX = 64 << 10, /* not yet parsed */
    HF_CONN_OUT_MAX = 256 << 10,
    HF_CONN_OUT_FULL = 64 << 10, /* enough to wait for the client */
    HF_CONN_LINGER_MS = 1000,
};

enum hf_conn_phase {
    HF_CONN_IDLE,      /* between requests */
    HF_CONN_READING,   /* a request has begun */
    HF_CONN_PENDING,   /* its handler holds the call */
    HF_CONN_SENDING,   /* the answer is being made */
    HF_CONN_CLOSING,   /* what is in out is the last */
    HF_CONN_LINGERING, /* all is sent; wait for the peer to have read it */
    HF_CONN_CLOSED,
};

struct hf_httpd {
    struct hf_httpd_config config;
    struct hf_httpd_limits limits;
    struct hf_h1_limits h1_limits;
    struct hf_link conns; /* the one that moved least recently first */
    size_t n_conns;
    struct hf_link ports;
    struct hf_timer retry; /* after descriptors ran out */
    struct hf_buf piece;   /* what a source makes at a time */
};

/* A request with its answer. */
struct hf_httpd_call {
    struct hf_httpd_request request;
    const struct hf_httpd_route *route;
    struct hf_buf head; /* the request's; the fields point into it */
    struct hf_buf body;
    struct hf_buf extra; /* fields of the answer: name NUL value NUL ... */
    struct hf_h1_writer writer;
    struct hf_httpd_source source; /* next NULL: none */
    struct hf_buf whole;           /* an answer in one piece */
    bool held;                     /* a handler will answer */
    bool keep_alive;
    bool waiting; /* the source said so */
};

struct hf_httpd_conn {
    struct hf_link link;
    struct hf_httpd *httpd; /* NULL: gone, as the connection is then */
    struct hf_loop *loop;
    struct hf_fsm phase;
    struct hf_watch watch;
    struct hf_timer timer;
    struct hf_addr peer;
    const struct hf_httpd_filter *filter;
    void *filter_state;
    struct hf_buf net_in, in, out, net_out; /* net_* only with a filter */
    bool eof;                               /* the peer will send no more */
    bool filter_failed;
    bool running;
    bool resuming; /* `resume` is queued */
    struct hf_task resume;
    bool in_body;
    struct hf_h1 h1;
    struct hf_http_field fields[HF_CONN_FIELDS];
    struct hf_http_field trailers[HF_CONN_TRAILERS];
    struct hf_httpd_call call;
};

/* --- httpd_conn.c: the socket, the filter, the clock --------------------------------------------
 */

/* hf_conn_new takes fd over, on failure too. */
enum hf_err hf_conn_new(struct hf_httpd *httpd, int fd, const struct hf_addr *peer) HF_MUST_CHECK;

/* hf_conn_run does everything that can be done now. The connection may be gone afterwards. */
void hf_conn_run(struct hf_httpd_conn *conn);

/* hf_conn_close ends it at once; its memory goes when nothing uses it any more. */
void hf_conn_close(struct hf_httpd_conn *conn);

/* hf_conn_reap frees a closed connection whose call isn't held. */
void hf_conn_reap(struct hf_httpd_conn *conn);

void hf_conn_move(struct hf_httpd_conn *conn, enum hf_conn_phase phase);

static inline enum hf_conn_phase hf_conn_phase(const struct hf_httpd_conn *conn)
{
    return (enum hf_conn_phase)conn->phase.state;
}

/* --- httpd_http.c: requests from bytes, answers to bytes ----------------------------------------
 */

/* hf_conn_http goes one step; false when it waits for something. */
bool hf_conn_http(struct hf_httpd_conn *conn);

/* hf_conn_answer begins the answer; the source is the connection's to end. */
void hf_conn_answer(struct hf_httpd_conn *conn, unsigned status, const char *content_type,
                    uint64_t length, struct hf_httpd_source source);

/* hf_conn_answer_whole answers with call.whole. */
void hf_conn_answer_whole(struct hf_httpd_conn *conn, unsigned status, const char *content_type);

/* hf_conn_say_error answers with the JSON body of errors. */
void hf_conn_say_error(struct hf_httpd_conn *conn, unsigned status, const char *code,
                       const char *message);

/* hf_conn_refuse answers a request that no handler will see, and closes. */
void hf_conn_refuse(struct hf_httpd_conn *conn, unsigned status, const char *code,
                    const char *message);

/* hf_conn_end_call ends what is left of an answer, and of the request unless a handler holds it. */
void hf_conn_end_call(struct hf_httpd_conn *conn);

#endif
