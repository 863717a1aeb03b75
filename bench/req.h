// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BENCH_REQ_H
#define HF_BENCH_REQ_H

/*
 * The request generator: what main (hfreq.c), connections (req_conn.c) and the two versions of HTTP
 * (req_h1.c, req_h2.c) share. One thread, one loop, small GET requests on kept connections.
 *
 *     closed   every answer brings the next request: how dear is a request
 *     open     requests begin at times of their own, answers or not: how long do they take. What
 *              finds no connection free waits, and that wait counts.
 *     idle     one request on each connection, then rest
 */

#include "os/loop.h"
#include "os/sock.h"
#include "tls/tls.h"

struct req_load;
struct req_conn;

/* struct req_version is HTTP/1.1 or HTTP/2 on a connection. */
struct req_version {
    const char *const *alpn;
    enum hf_err (*start)(struct req_conn *conn);
    /* began_ns comes back in req_answered, which receive calls and which may call request */
    enum hf_err (*request)(struct req_conn *conn, int64_t began_ns);
    enum hf_err (*send)(struct req_conn *conn); /* writes what it has made ready */
    enum hf_err (*receive)(struct req_conn *conn, struct hf_bytes plain);
    void (*done)(struct req_conn *conn);
};

extern const struct req_version req_h1, req_h2;

enum req_state { REQ_CLOSED, REQ_CONNECTING, REQ_SHAKING, REQ_OPEN };

struct req_conn {
    struct req_load *load;
    struct hf_watch watch;
    enum req_state state;
    struct hf_tls *tls;
    struct hf_buf in, out;
    bool ended, receiving;
    size_t n_flying; /* requests without an answer yet */
    uint64_t n_done;

    struct hf_buf head; /* HTTP/1.1: of the answer, until its blank line */
    uint64_t body_left;
    bool head_done;
    int64_t began_ns;

    void *h2; /* nghttp2_session */
};

/* Whole requests to be sent in turn, in place of a plain GET (HTTP/1.1). */
struct req_script {
    struct hf_buf text;
    struct hf_bytes *item; /* within it */
    size_t n, at;
    bool once; /* each is sent once; the run ends with the last */
};

/* req_script_read reads a file: each request after a line with its length. */
enum hf_err req_script_read(const char *path, struct req_script *out) HF_MUST_CHECK;
void req_script_done(struct req_script *script);

/* req_script_next gives the next one. */
struct hf_bytes req_script_next(struct req_script *script);

struct req_load {
    struct req_script script; /* n 0: GET / */
    const struct req_version *version;
    struct hf_loop *loop;
    struct hf_tls_ctx *ctx; /* NULL: without TLS */
    struct hf_addr server;
    const char *sni;
    struct req_conn *conns;
    size_t n_conns, n_started;
    size_t n_streams; /* requests at a time on one connection */
    bool measuring, stopping, open_loop, idle;
    size_t n_warm;
    uint64_t n_operations, n_progress;
    struct req_pace *pace; /* open loop */
    enum hf_err err;       /* the first failure ends the run */
};

/* req_conn_start connects; req_conn_request begins one request on an open connection that has room
 * for it (req_conn_has_room) and sends what it can. */
void req_conn_start(struct req_conn *conn);
bool req_conn_has_room(const struct req_conn *conn);
void req_conn_request(struct req_conn *conn, int64_t began_ns);
void req_conn_rest(struct req_conn *conn);
void req_conn_done(struct req_conn *conn);

/* req_conn_write encrypts bytes for the connection; they go out when its turn ends. */
enum hf_err req_conn_write(struct req_conn *conn, struct hf_bytes bytes) HF_MUST_CHECK;

/* req_answered is called by the versions for each whole answer. */
void req_answered(struct req_conn *conn, int64_t began_ns);
void req_fail(struct req_load *load, enum hf_err err, const char *where);

/* --- Pace of an open loop (req_pace.c) --- */

/* req_pace_new: `rate` requests a second at exponential distances, always the same ones. */
enum hf_err req_pace_new(struct req_load *load, double rate, struct req_pace **out) HF_MUST_CHECK;
void req_pace_free(struct req_pace *pace);
enum hf_err req_pace_start(struct req_pace *pace) HF_MUST_CHECK;
void req_pace_stop(struct req_pace *pace);
/* req_pace_answered notes how long it took, and gives conn a request that waits, if any. */
void req_pace_answered(struct req_pace *pace, struct req_conn *conn, int64_t began_ns);

/* req_pace_write writes a line for each answer: when its request was due (ns, CLOCK_MONOTONIC), and
 * how long it took from then (us). */
enum hf_err req_pace_write(const struct req_pace *pace, const char *path) HF_MUST_CHECK;

/* req_pace_times sorts them: the last call. */
struct req_times {
    double p50_us, p99_us, p999_us, max_us;
    uint64_t n, n_waiting; /* n_waiting: had not begun at the end */
};
void req_pace_times(struct req_pace *pace, struct req_times *out);

#endif
