// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_H2_IMPL_H
#define HF_HTTP_H2_IMPL_H

/* The inside of an HTTP/2 connection, shared by the h2_*.c files and by nobody else. */

#include <nghttp2/nghttp2.h>

#include "base/list.h"
#include "http/h2.h"

enum hf_h2_type {
    HF_H2_DATA,
    HF_H2_HEADERS,
    HF_H2_PRIORITY,
    HF_H2_RST_STREAM,
    HF_H2_SETTINGS,
    HF_H2_PUSH_PROMISE,
    HF_H2_PING,
    HF_H2_GOAWAY,
    HF_H2_WINDOW_UPDATE,
    HF_H2_CONTINUATION,
    HF_H2_N_TYPES,
};

enum hf_h2_flag {
    HF_H2_END_STREAM = 0x01,
    HF_H2_ACK = 0x01,
    HF_H2_END_HEADERS = 0x04,
    HF_H2_PADDED = 0x08,
    HF_H2_PRIORITY_FLAG = 0x20,
};

enum hf_h2_setting {
    HF_H2_SET_TABLE_SIZE = 1,
    HF_H2_SET_ENABLE_PUSH = 2,
    HF_H2_SET_MAX_STREAMS = 3,
    HF_H2_SET_WINDOW = 4,
    HF_H2_SET_FRAME_SIZE = 5,
    HF_H2_SET_HEAD_SIZE = 6,
    HF_H2_SET_CONNECT_PROTOCOL = 8, /* RFC 8441 */
    HF_H2_SET_NO_PRIORITIES = 9,    /* RFC 9218 */
};

enum {
    HF_H2_FRAME_HEAD = 9,
    HF_H2_PREFACE_LEN = 24,
    HF_H2_WINDOW_DEFAULT = 65535,
    HF_H2_FRAME_DEFAULT = 16384,
    HF_H2_TABLE_DEFAULT = 4096,
    HF_H2_N_BUCKETS = 16,
};
#define HF_H2_ID_MAX     0x7fffffffu
#define HF_H2_WINDOW_MAX 0x7fffffff

enum hf_h2_state {
    HF_H2_ST_PREFACE,
    HF_H2_ST_HEAD,   /* of a frame */
    HF_H2_ST_PREFIX, /* pad length and priority of HEADERS and DATA */
    HF_H2_ST_FIXED,  /* a payload, or part of one, that is held until complete */
    HF_H2_ST_BLOCK,  /* a field section's fragment */
    HF_H2_ST_DATA,
    HF_H2_ST_SKIP,
};

/* What is counted per interval; the order is that of hf_h2_floods in h2_flood.c. */
enum hf_h2_flood {
    HF_H2_FLOOD_RESETS,
    HF_H2_FLOOD_ERRORS,
    HF_H2_FLOOD_SETTINGS,
    HF_H2_FLOOD_PINGS,
    HF_H2_FLOOD_PRIORITIES,
    HF_H2_FLOOD_WINDOW_UPDATES,
    HF_H2_FLOOD_EMPTY,
    HF_H2_N_FLOODS,
};

/* struct hf_h2_frame is the frame being read; left counts payload not yet read, padding aside. */
struct hf_h2_frame {
    uint32_t left;
    uint32_t id;
    uint8_t type;
    uint8_t flags;
    uint8_t pad;
};

enum hf_h2_block_kind {
    HF_H2_BLOCK_NONE,
    HF_H2_BLOCK_SINK, /* decoded for the table's sake only */
    HF_H2_BLOCK_REFUSED,
    HF_H2_BLOCK_REQUEST,
    HF_H2_BLOCK_RESPONSE,
    HF_H2_BLOCK_TRAILERS,
};

/* struct hf_h2_block is a field section on its way in. */
struct hf_h2_block {
    uint8_t kind; /* enum hf_h2_block_kind */
    bool end_stream;
    bool extended;  /* :protocol was there */
    bool regular;   /* a field that isn't a pseudo one was there */
    bool malformed; /* RFC 9113 8.1.1: the stream is reset, without an answer */
    uint8_t seen;   /* pseudo fields and those that may come once */
    uint8_t fault;  /* enum hf_http_fault: the first thing that was wrong */
    uint16_t n_continuations;
    uint16_t n_fields;
    uint32_t id;
    uint32_t size; /* of the section, as RFC 9113 6.5.2 counts */
    struct hf_http_slice host;
    struct hf_http_slice path; /* :path, whole */
    struct hf_http_msg *msg;
};

struct hf_h2_stream {
    struct hf_h2 *h2;
    struct hf_h2_stream *next; /* in its bucket */
    struct hf_link link;       /* among those with something to take, or those waiting for window */
    void *user;
    uint32_t id;
    bool remote_end;   /* the peer's direction has ended */
    bool local_end;    /* hf_h2_finish, or an end with the head */
    bool end_sent;     /* END_STREAM is in the output */
    bool head_sent;    /* the final head */
    bool head_came;    /* the final head, or the request */
    bool bodiless;     /* the peer's message has no body, whatever its length says */
    bool out_bodiless; /* ours hasn't */
    bool bad;          /* on_bad_head: its body is thrown away */
    bool wants_room;
    bool upgrade; /* an extended CONNECT */
    bool has_length;
    bool out_has_length;
    uint8_t asked; /* enum hf_http_method of the request */
    int32_t send_window;
    int32_t recv_window; /* what the peer may still send */
    uint32_t held;       /* given to on_data, not consumed */
    uint32_t credit;     /* consumed, not yet told */
    uint64_t left;       /* of the peer's Content-Length */
    uint64_t out_left;   /* of ours */
    struct hf_buf out;
    struct hf_http_msg *trailers; /* to be sent after out */
};

struct hf_h2 {
    const struct hf_h2_config *config;
    void *ctx;

    /* reading */
    uint8_t state;
    uint8_t need; /* bytes to hold before the step goes on */
    uint8_t n_held;
    uint8_t held[HF_H2_PREFACE_LEN];
    uint8_t n_settings_in_frame;
    struct hf_h2_frame frame;
    struct hf_h2_block block;
    nghttp2_hd_inflater *inflater;

    /* writing */
    struct hf_buf out; /* whole frames, in order */
    nghttp2_hd_deflater *deflater;
    struct hf_link ready;   /* streams that hf_h2_take can go on with */
    struct hf_link blocked; /* streams waiting for the connection's window */
    uint64_t out_total;     /* bytes ever put into out */
    uint64_t tail_at;       /* where in that count the last DATA frame began ... */
    uint32_t tail_id;       /* ... if it was the last frame, and whose */

    /* state */
    bool dead;
    bool settings_came;
    bool settings_acked;
    bool goaway_came;
    bool fault_by_peer;
    bool peer_takes_upgrades;
    bool in_callback;
    uint8_t closing; /* 1: a graceful GOAWAY was said; 2: the final one */
    uint8_t n_pings; /* of ours, unanswered */
    uint32_t fault_code;
    const char *fault_text;

    struct hf_h2_stream *bucket[HF_H2_N_BUCKETS];
    uint32_t n_streams;
    uint32_t last_id;     /* the highest that the peer opened (server) */
    uint32_t next_id;     /* ours (client) */
    uint64_t opened_mask; /* bit i: stream last_id - 2i was opened */
    uint64_t reset_mask;  /* the same: was reset by us */

    int32_t send_window;
    int32_t recv_window;
    uint32_t credit;
    uint32_t peer_frame_max;
    uint32_t peer_window;
    uint32_t peer_n_streams_max;
    uint32_t peer_head_max;
    uint32_t peer_table;

    int64_t interval_at_ms;
    uint32_t counts[HF_H2_N_FLOODS];
};

/* --- h2.c --- */
/* hf_h2_fail ends the connection with GOAWAY. The first failure counts. */
void hf_h2_fail(struct hf_h2 *h2, enum hf_h2_code code, const char *text);

/* --- h2_flood.c --- */
void hf_h2_flood_tick(struct hf_h2 *h2, int64_t now_ms);
/* hf_h2_flood_count counts one; false, and the connection has failed, when it is too many. */
bool hf_h2_flood_count(struct hf_h2 *h2, enum hf_h2_flood which);
/* hf_h2_flood_earn: we sent a frame of substance, which may be answered. */
void hf_h2_flood_earn(struct hf_h2 *h2);

/* --- h2_read.c --- */
/* hf_h2_read takes some bytes off the front and says how many. */
size_t hf_h2_read(struct hf_h2 *h2, struct hf_bytes in);

/* --- h2_control.c: frames of fixed size, complete in h2->held --- */
void hf_h2_on_priority(struct hf_h2 *h2);
void hf_h2_on_rst_stream(struct hf_h2 *h2);
void hf_h2_on_setting(struct hf_h2 *h2);
void hf_h2_on_settings_end(struct hf_h2 *h2);
void hf_h2_on_ping(struct hf_h2 *h2);
void hf_h2_on_goaway(struct hf_h2 *h2);
void hf_h2_on_window_update(struct hf_h2 *h2);

/* --- h2_section.c: field sections coming in --- */
void hf_h2_block_begin(struct hf_h2 *h2, enum hf_h2_block_kind kind);
void hf_h2_block_feed(struct hf_h2 *h2, struct hf_bytes fragment, bool final);
void hf_h2_block_drop(struct hf_h2 *h2);

/* --- h2_field.c: what they mean --- */
void hf_h2_field(struct hf_h2 *h2, struct hf_bytes name, struct hf_bytes value, bool secret);
void hf_h2_fields_end(struct hf_h2 *h2);

/* --- h2_stream.c --- */
struct hf_h2_stream *hf_h2_stream_find(const struct hf_h2 *h2, uint32_t id);
struct hf_h2_stream *hf_h2_stream_open(struct hf_h2 *h2, uint32_t id) HF_MUST_CHECK;
/* hf_h2_stream_drop frees it, silently; hf_h2_stream_close tells on_close first. */
void hf_h2_stream_drop(struct hf_h2_stream *stream);
void hf_h2_stream_close(struct hf_h2_stream *stream, const struct hf_h2_close *why);
/* hf_h2_stream_error resets a stream, whether there is one or not, and counts it. */
void hf_h2_stream_error(struct hf_h2 *h2, uint32_t id, enum hf_h2_code code,
                        enum hf_http_fault fault);
/* hf_h2_stream_settle closes the stream when both directions are done; true: it is gone. */
bool hf_h2_stream_settle(struct hf_h2_stream *stream);
/* hf_h2_stream_wake puts it among those that hf_h2_take looks at. */
void hf_h2_stream_wake(struct hf_h2_stream *stream);

enum hf_h2_past { HF_H2_PAST_IDLE, HF_H2_PAST_SKIPPED, HF_H2_PAST_CLOSED, HF_H2_PAST_RESET };
/* hf_h2_past: what became of a stream that isn't there. */
enum hf_h2_past hf_h2_past(const struct hf_h2 *h2, uint32_t id);

/* --- h2_flow.c: bodies and windows --- */
/* The frame's head was read; false when its data is to be thrown away. */
bool hf_h2_data_begin(struct hf_h2 *h2, uint32_t payload);
void hf_h2_data_piece(struct hf_h2 *h2, struct hf_bytes piece);
void hf_h2_data_end(struct hf_h2 *h2);
/* hf_h2_credit gives n bytes back to the connection's window. */
void hf_h2_credit(struct hf_h2 *h2, size_t n);
void hf_h2_remote_end(struct hf_h2_stream *stream, struct hf_http_msg *trailers);

/* --- h2_write.c: frames going out --- */
/* hf_h2_put_frame makes a frame in the output and gives its payload to be filled. */
enum hf_err hf_h2_put_frame(struct hf_h2 *h2, enum hf_h2_type type, unsigned flags, uint32_t id,
                            size_t len, uint8_t **out_payload) HF_MUST_CHECK;
/* hf_h2_put_u32 is a frame of one number: RST_STREAM, WINDOW_UPDATE. A failure ends the connection.
 */
void hf_h2_put_u32(struct hf_h2 *h2, enum hf_h2_type type, uint32_t id, uint32_t value);
void hf_h2_put_ping(struct hf_h2 *h2, bool ack, const uint8_t payload[static 8]);
void hf_h2_put_goaway(struct hf_h2 *h2, uint32_t last_id, uint32_t code, const char *text);
void hf_h2_put_settings(struct hf_h2 *h2);
void hf_h2_put_settings_ack(struct hf_h2 *h2);

/* --- h2_encode.c: field sections going out --- */
enum hf_err hf_h2_put_head(struct hf_h2_stream *stream, const struct hf_http_msg *msg,
                           bool end) HF_MUST_CHECK;

static inline uint32_t hf_h2_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void hf_h2_u32_write(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* The allocator of the HPACK coders: ours. */
extern nghttp2_mem hf_h2_mem;

#endif
