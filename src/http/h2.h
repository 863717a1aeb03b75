// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_H2_H
#define HF_HTTP_H2_H

/*
 * HTTP/2 connections (RFC 9113), both roles, extended CONNECT (RFC 8441) included. Sans-I/O: bytes
 * are fed and taken, time is a parameter, what happened is told through callbacks.
 *
 *     hf_h2_new(&h2, &config, ctx)
 *     bytes came:       hf_h2_feed(h2, bytes, now)           callbacks run in here
 *     room to write:    hf_h2_take(h2, room, &len) while it gives something; send them
 *     server:           on_head -> hf_h2_respond, hf_h2_write ..., hf_h2_finish
 *     client:           hf_h2_request, hf_h2_write ..., hf_h2_finish -> on_head, on_data, on_end
 *     body consumed:    hf_h2_consume(stream, n)             the peer may send n bytes more
 *     hf_h2_free(h2)
 *
 * Life of a stream: from on_head (server) or hf_h2_request (client) until on_close returns or
 * hf_h2_reset is called, whichever is first; after that the handle is dead. Every stream ends by
 * exactly one of the two. on_close comes when both directions have ended and all that was written
 * has been taken, on a reset, an error, and from hf_h2_free. A server that has answered before the
 * request's end resets the stream itself when it won't read on (RFC 9113 8.1); one without a user
 * pointer is reset at once.
 *
 * Callbacks may call everything here except hf_h2_feed, hf_h2_take and hf_h2_free, but for the
 * stream that on_close is about only hf_h2_stream_*.
 *
 * Memory that a peer can make us hold is bounded: per stream by the stream window (bytes given to
 * on_data and not yet consumed) and by out_max (written and not yet taken); for the connection by
 * n_streams_max and control_max. A connection at rest, after hf_h2_quiet, holds about 3 KiB.
 *
 * Errors of actions: HF_E_INVALID for what would break the message (data after the end, a head that
 * hf_http_msg_check refuses), HF_E_CLOSED once the connection is over, HF_E_NOMEM, and those named.
 * One thread at a time.
 */

#include "http/msg.h"

struct hf_h2;
struct hf_h2_stream;

/* The error codes of RFC 9113 7: name, number, stable text. */
#define HF_H2_CODE_TABLE(X) \
    X(NO_ERROR, 0, "no-error") \
    X(PROTOCOL_ERROR, 1, "protocol-error") \
    X(INTERNAL_ERROR, 2, "internal-error") \
    X(FLOW_CONTROL_ERROR, 3, "flow-control-error") \
    X(SETTINGS_TIMEOUT, 4, "settings-timeout") \
    X(STREAM_CLOSED, 5, "stream-closed") \
    X(FRAME_SIZE_ERROR, 6, "frame-size-error") \
    X(REFUSED_STREAM, 7, "refused-stream") \
    X(CANCEL, 8, "cancel") \
    X(COMPRESSION_ERROR, 9, "compression-error") \
    X(CONNECT_ERROR, 10, "connect-error") \
    X(ENHANCE_YOUR_CALM, 11, "enhance-your-calm") \
    X(INADEQUATE_SECURITY, 12, "inadequate-security") \
    X(HTTP_1_1_REQUIRED, 13, "http-1.1-required")

#define HF_H2_CODE_ENUM(id, number, text) HF_H2_##id = number,
enum hf_h2_code { HF_H2_CODE_TABLE(HF_H2_CODE_ENUM) };
#undef HF_H2_CODE_ENUM

/* hf_h2_code_text gives the stable name; "unknown" for other numbers. */
const char *hf_h2_code_text(uint32_t code);

/*
 * struct hf_h2_limits: what a peer may do. Passing one that counts frames per interval, or
 * continuations, ends the connection with ENHANCE_YOUR_CALM. What we send ourselves earns the peer
 * that many PING and WINDOW_UPDATE frames more.
 */
struct hf_h2_limits {
    uint32_t n_streams_max;        /* open at a time; more are answered REFUSED_STREAM */
    uint32_t head_max;             /* bytes of a field section (RFC 9113 6.5.2): 431 */
    uint16_t n_fields_max;         /* of a field section, crumbs of cookies included: 431 */
    uint16_t n_continuations_max;  /* frames of one field section */
    uint32_t table_max;            /* HPACK table, each direction */
    uint32_t frame_max;            /* payload of a frame that we take: 16384 to 2^24-1 */
    uint32_t stream_window;        /* bytes of body that a stream may have unconsumed */
    uint32_t connection_window;    /* all streams together; at least 65535 */
    uint32_t out_max;              /* bytes written to a stream that wait to be taken */
    uint32_t control_max;          /* bytes of answers that wait: beyond, hf_h2_wants_read is no */
    uint32_t interval_ms;          /* of the counts below */
    uint32_t n_resets_max;         /* streams that the peer opened and reset (CVE-2023-44487) */
    uint32_t n_errors_max;         /* streams that we had to reset for the peer's mistakes */
    uint32_t n_settings_max;       /* SETTINGS frames */
    uint32_t n_pings_max;          /* PING frames to be answered */
    uint32_t n_priorities_max;     /* PRIORITY and unknown frames */
    uint32_t n_window_updates_max; /* WINDOW_UPDATE frames */
    uint32_t n_empty_max;          /* DATA and HEADERS frames that carry nothing */
};

extern const struct hf_h2_limits hf_h2_limits_default;

struct hf_h2_close {
    uint32_t code;    /* enum hf_h2_code; NO_ERROR: the stream is complete */
    bool by_peer;     /* the peer reset it, or closed the connection */
    bool unprocessed; /* client: the server has not acted on it; any request may be retried */
    enum hf_http_fault fault; /* what was malformed, or HF_HTTP_FAULT_NONE */
};

struct hf_h2_events {
    /* A request (server), or a response, interim ones included (client). msg has passed
     * hf_http_msg_check and is from now on the callee's, of config's pool. end: no body follows. */
    void (*on_head)(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool end);
    /* Server: a request that is to be answered with hf_http_fault_status(fault). Without a
     * hf_h2_respond in here the stream is reset. Its body is thrown away; on_close is still to
     * come. */
    void (*on_bad_head)(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault);
    void (*on_data)(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data);
    /* The peer's direction has ended; trailers NULL, or from now on the callee's. Not called when
     * on_head said so already. */
    void (*on_end)(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers);
    /* After a hf_h2_write that took less than it was given: there is room again. */
    void (*on_room)(void *ctx, struct hf_h2_stream *stream);
    void (*on_close)(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why);
    /* Server, may be NULL: a malformed request (RFC 9113 8.1.1) was reset before anybody was told
     * of it. For the log. */
    void (*on_malformed)(void *ctx, uint32_t stream_id, enum hf_http_fault fault);
};

/* struct hf_h2_config is shared by connections and outlives them. */
struct hf_h2_config {
    bool server;
    bool connect_protocol; /* server: offers extended CONNECT */
    struct hf_h2_limits limits;
    const struct hf_h2_events *events; /* all set but as said there; on_bad_head in servers only */
    struct hf_http_msg_pool *msgs;
};

/* hf_h2_new: the preface and SETTINGS are there to be taken. ctx goes to the callbacks. */
enum hf_err hf_h2_new(struct hf_h2 **out, const struct hf_h2_config *config,
                      void *ctx) HF_MUST_CHECK;
void hf_h2_free(struct hf_h2 *h2);

/*
 * hf_h2_feed takes all the bytes. now_ms is any clock that doesn't go back. HF_E_PEER: the
 * connection is over (hf_h2_fault says why); take what is left, a GOAWAY among it, and close.
 * HF_E_NOMEM: the same.
 */
enum hf_err hf_h2_feed(struct hf_h2 *h2, struct hf_bytes bytes, int64_t now_ms) HF_MUST_CHECK;

/* hf_h2_take writes frames into room; *out_len 0: nothing to send, or the room is too small. Give
 * 16 KiB or more for bulk; anything from 256 bytes makes progress. */
enum hf_err hf_h2_take(struct hf_h2 *h2, struct hf_span room, size_t *out_len) HF_MUST_CHECK;

/* hf_h2_wants_read is false while answers pile up that the peer doesn't read: don't feed. */
bool hf_h2_wants_read(const struct hf_h2 *h2);
/* hf_h2_wants_write: hf_h2_take would give something. */
bool hf_h2_wants_write(const struct hf_h2 *h2);
/* hf_h2_is_over: nothing will happen any more, close once everything is taken. After an error, or a
 * GOAWAY of either side when the last stream has closed. */
bool hf_h2_is_over(const struct hf_h2 *h2);

/* struct hf_h2_fault: why the connection failed. by_peer: its GOAWAY had this code. */
struct hf_h2_fault {
    uint32_t code;
    bool by_peer;
    const char *text; /* static; "" while nothing is wrong */
};
struct hf_h2_fault hf_h2_fault(const struct hf_h2 *h2);

/* hf_h2_quiet gives back the memory that a connection without streams can do without. Call it when
 * one has been silent for a while; it costs a little on the next message. */
void hf_h2_quiet(struct hf_h2 *h2);

/* hf_h2_shutdown begins a graceful end: the peer is told to open no more streams, those in flight
 * are served, then GOAWAY names the last (RFC 9113 6.8). Harmless when repeated. */
enum hf_err hf_h2_shutdown(struct hf_h2 *h2) HF_MUST_CHECK;
/* hf_h2_terminate says GOAWAY with this code at once; the connection is over. */
enum hf_err hf_h2_terminate(struct hf_h2 *h2, enum hf_h2_code code) HF_MUST_CHECK;

/* hf_h2_ping asks for a sign of life. hf_h2_is_ponged: no PING of ours is unanswered. */
enum hf_err hf_h2_ping(struct hf_h2 *h2) HF_MUST_CHECK;
bool hf_h2_is_ponged(const struct hf_h2 *h2);

/* hf_h2_is_settled: the peer's SETTINGS have come, and it has acknowledged ours. */
bool hf_h2_is_settled(const struct hf_h2 *h2);

uint32_t hf_h2_n_streams(const struct hf_h2 *h2);
/* hf_h2_n_openable (client): how many requests could be sent now. 0 after a GOAWAY. */
uint32_t hf_h2_n_openable(const struct hf_h2 *h2);
/* hf_h2_takes_upgrades (client): the server has offered extended CONNECT. */
bool hf_h2_takes_upgrades(const struct hf_h2 *h2);

/*
 * hf_h2_request opens a stream (client). end: no body follows. A msg with `protocol` becomes an
 * extended CONNECT. msg stays the caller's. Errors: HF_E_BUSY when hf_h2_n_openable is 0;
 * HF_E_UNSUPPORTED for an upgrade that the server hasn't offered; HF_E_TOO_LARGE when the server
 * has said that it takes no head of this size.
 */
enum hf_err hf_h2_request(struct hf_h2 *h2, struct hf_h2_stream **out,
                          const struct hf_http_msg *msg, bool end, void *user) HF_MUST_CHECK;

/* hf_h2_respond sends a head (server): any number of interim ones (1xx), then one final. A 101
 * grants an extended CONNECT and is sent as 200. */
enum hf_err hf_h2_respond(struct hf_h2_stream *stream, const struct hf_http_msg *msg,
                          bool end) HF_MUST_CHECK;

/* hf_h2_stream_is_sent: all that was written, the end included, has been taken. */
bool hf_h2_stream_is_sent(const struct hf_h2_stream *stream);

/* hf_h2_room: how many bytes hf_h2_write would take now. */
size_t hf_h2_room(const struct hf_h2_stream *stream);
/* hf_h2_write copies as much of data as there is room for; *out_taken says how much. */
enum hf_err hf_h2_write(struct hf_h2_stream *stream, struct hf_bytes data,
                        size_t *out_taken) HF_MUST_CHECK;

/* hf_h2_finish ends our direction, after what was written. trailers NULL, or from now on the
 * connection's, also on failure. HF_E_INVALID when less was written than Content-Length said. */
enum hf_err hf_h2_finish(struct hf_h2_stream *stream, struct hf_http_msg *trailers) HF_MUST_CHECK;

/* hf_h2_consume: n bytes that on_data gave are done with. */
void hf_h2_consume(struct hf_h2_stream *stream, size_t n);

/* hf_h2_reset ends the stream at once; on_close is not called, the handle is dead. */
void hf_h2_reset(struct hf_h2_stream *stream, enum hf_h2_code code);

uint32_t hf_h2_stream_id(const struct hf_h2_stream *stream);
struct hf_h2 *hf_h2_stream_h2(const struct hf_h2_stream *stream);
void *hf_h2_stream_user(const struct hf_h2_stream *stream);
void hf_h2_stream_set_user(struct hf_h2_stream *stream, void *user);
/* hf_h2_stream_n_held: bytes given to on_data and not yet consumed. */
size_t hf_h2_stream_n_held(const struct hf_h2_stream *stream);

#endif
