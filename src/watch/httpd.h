// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_HTTPD_H
#define HF_WATCH_HTTPD_H

/*
 * A small HTTP/1.1 server on one loop: for the admin socket, the metrics and the demo backend. Not
 * the proxy: one request of a connection at a time, bodies gathered in memory, every size, count
 * and time bounded.
 *
 *     static void on_status(void *ctx, struct hf_httpd_call *call)
 *     {
 *         hf_httpd_json(call, 200, json_pack(...));
 *     }
 *     static const struct hf_httpd_route routes[] = {{HF_METHOD_GET, "/status", on_status}, ...};
 *
 * A handler answers its call exactly once, at once or later: until then it holds the call, whose
 * request stays valid, even when the client has gone meanwhile (the answer is then dropped) or the
 * server was freed. Everything happens on the loop's thread: work done elsewhere comes back with
 * hf_loop_post and is answered there.
 *
 * HEAD is answered wherever GET is. An unknown path is 404, a path without the method 405 with
 * Allow; these, and what the parser refuses, have a JSON body {"error": code, "message": words}.
 */

#include <jansson.h>

#include "base/log.h"
#include "http/h1.h"
#include "os/loop.h"
#include "os/sock.h"

struct hf_httpd;
struct hf_httpd_call;

/* A path ends with "*" to match everything that begins with what is before it. */
struct hf_httpd_route {
    enum hf_http_method method;
    const char *path;
    void (*handle)(void *ctx, struct hf_httpd_call *call);
};

struct hf_httpd_limits {
    size_t n_connections; /* at the limit, the longest idle one makes room, or the new one goes */
    size_t body_max;      /* of a request (413) */
    int64_t idle_ms;      /* between requests */
    int64_t request_ms;   /* from a request's first byte to its last (408) */
    int64_t answer_ms;    /* that a handler may take (504) */
    int64_t write_ms;     /* without the client taking a byte */
};

/* 64 connections, 64 KiB bodies, 60 s idle, 10 s for a request, 60 s to answer, 30 s to write. */
extern const struct hf_httpd_limits hf_httpd_limits_default;

/* The most that an answer of one piece may hold; hf_httpd_stream has no limit. */
#define HF_HTTPD_ANSWER_MAX (256u << 20)

/*
 * struct hf_httpd_filter stands between the socket and HTTP: a PROXY header, TLS. run moves what it
 * can of net_in to in and of out to net_out, and may be called at any time. `finish`: nothing will
 * follow what is in out; say goodbye once it is gone.
 */
enum hf_filter_step {
    HF_FILTER_OK,
    HF_FILTER_CLOSED, /* the peer will send no more */
    HF_FILTER_FAILED, /* send what is in net_out, then close */
};

struct hf_httpd_pipes {
    struct hf_buf *net_in, *in, *out, *net_out;
    bool finish;
};

struct hf_httpd_filter {
    enum hf_err (*open)(void *ctx, const struct hf_addr *peer, void **out_state);
    enum hf_filter_step (*run)(void *state, struct hf_httpd_pipes *pipes);
    void (*close)(void *state);
    void *ctx;
};

struct hf_httpd_config {
    struct hf_loop *loop;
    const struct hf_httpd_route *routes; /* borrowed, like everything here */
    size_t n_routes;
    void *ctx;                            /* for the handlers */
    const struct hf_httpd_limits *limits; /* NULL: the default */
    const struct hf_httpd_filter *filter; /* NULL: none */
    bool same_user_only; /* unix sockets: refuse peers that are neither our user nor root */
    struct hf_log *log;  /* NULL: says nothing */
};

enum hf_err hf_httpd_new(const struct hf_httpd_config *config, struct hf_httpd **out) HF_MUST_CHECK;

/* hf_httpd_listen serves a listening socket, which stays the caller's to close, after
 * hf_httpd_free. May be called for several. */
enum hf_err hf_httpd_listen(struct hf_httpd *httpd, int listen_fd) HF_MUST_CHECK;

/* hf_httpd_free closes every connection. Calls that are held are answered into the void. */
void hf_httpd_free(struct hf_httpd *httpd);

/* hf_httpd_n_connections counts those that are open now. */
size_t hf_httpd_n_connections(const struct hf_httpd *httpd);

/* --- Requests -----------------------------------------------------------------------------------
 */

struct hf_httpd_request {
    enum hf_http_method method;
    struct hf_bytes path;  /* as sent, percent-encoded */
    struct hf_bytes query; /* without the "?" */
    struct hf_bytes body;
    struct hf_http_fields fields;
    const struct hf_addr *peer;
    void *filter_state; /* what the filter's open gave */
};

const struct hf_httpd_request *hf_httpd_request(const struct hf_httpd_call *call);

/* hf_httpd_rest gives what "*" in the route stood for. */
struct hf_bytes hf_httpd_rest(const struct hf_httpd_call *call);

/* hf_httpd_param reads a query parameter into out, with a NUL: true when it is there, false when
 * not, or when it is malformed or doesn't fit. */
bool hf_httpd_param(const struct hf_httpd_call *call, const char *name, char *out, size_t size);

/* hf_httpd_prefers_json: does Accept name application/json before it names text or anything? */
bool hf_httpd_prefers_json(const struct hf_httpd_call *call);

/* --- Answers: each ends the call, whose pointer is then gone ------------------------------------
 */

/* hf_httpd_field adds a field to the answer that will be given. What can't be sent is dropped. */
void hf_httpd_field(struct hf_httpd_call *call, const char *name, const char *value);

/* hf_httpd_text answers with bytes that are copied. */
void hf_httpd_text(struct hf_httpd_call *call, unsigned status, const char *content_type,
                   struct hf_bytes body);

/* hf_httpd_buf answers with the contents of body, whose memory is taken. */
void hf_httpd_buf(struct hf_httpd_call *call, unsigned status, const char *content_type,
                  struct hf_buf *body);

/* hf_httpd_json takes the reference to value; NULL (out of memory) becomes a 500. */
void hf_httpd_json(struct hf_httpd_call *call, unsigned status, json_t *value);

/* hf_httpd_error answers {"error": code, "message": ...}. */
void hf_httpd_error(struct hf_httpd_call *call, unsigned status, const char *code,
                    const char *format, ...) HF_PRINTF(4, 5);

/*
 * struct hf_httpd_source makes an answer piece by piece: next appends some bytes to out (about
 * HF_HTTPD_PIECE at a time, never more than out has room for) when the client has taken what was
 * there. HF_HTTPD_WAIT: nothing now, hf_httpd_wake will be called. HF_HTTPD_BREAK: end the
 * connection, so that the client can tell that the answer is not whole. done is called once, at the
 * end or when the client has gone; the call is over then.
 */
#define HF_HTTPD_PIECE (32u << 10)

enum hf_httpd_flow { HF_HTTPD_MORE, HF_HTTPD_WAIT, HF_HTTPD_END, HF_HTTPD_BREAK };

struct hf_httpd_source {
    enum hf_httpd_flow (*next)(void *ctx, struct hf_buf *out);
    void (*done)(void *ctx);
    void *ctx;
};

/* length: of the whole body, or HF_HTTPD_UNKNOWN. */
#define HF_HTTPD_UNKNOWN UINT64_MAX
void hf_httpd_stream(struct hf_httpd_call *call, unsigned status, const char *content_type,
                     uint64_t length, struct hf_httpd_source source);

/* hf_httpd_wake goes on with a stream after HF_HTTPD_WAIT. Not from within next. */
void hf_httpd_wake(struct hf_httpd_call *call);

#endif
