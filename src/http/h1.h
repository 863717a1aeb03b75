// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_H1_H
#define HF_HTTP_H1_H

/*
 * Reading HTTP/1.1 messages (RFC 9112), requests and responses, strictly: what could be read in two
 * ways is refused. Sans-I/O and incremental: any split of the input gives the same result.
 *
 *     step = hf_h1_head(&h1, bytes)             bytes start at the head; HF_H1_MORE: come back with
 *                                               the same bytes and more behind them
 *     HF_H1_HEAD: look at h1.head and h1.fields, then consume h1.head.len bytes
 *     step = hf_h1_body(&h1, bytes, &used, &data)     until HF_H1_END; consume `used` each time
 *     hf_h1_next(&h1)                           and the next message
 *
 * The head stays in the caller's buffer; h1.head and h1.fields are offsets into it. Nothing is
 * allocated: the array for the fields is the caller's, and is needed from the head's first byte to
 * HF_H1_HEAD and again for trailers.
 *
 * After HF_H1_FAILED the parser stays failed: answer with hf_http_fault_status(h1.fault), close.
 * One thread at a time. A zeroed struct is not valid: hf_h1_init.
 */

#include "http/target.h"

/* struct hf_h1_limits: sizes are in bytes. Passing one is the fault named. */
struct hf_h1_limits {
    uint32_t line_max;       /* request or status line (LINE_TOO_LONG) */
    uint32_t field_max;      /* one field line (FIELD_TOO_LONG) */
    uint32_t head_max;       /* the whole head; bounds the caller's buffer (HEAD_TOO_LARGE) */
    uint16_t method_max;     /* a method we don't know (METHOD) */
    uint16_t n_fields_max;   /* also bounded by the caller's array (TOO_MANY_FIELDS) */
    uint32_t trailers_max;   /* the whole trailer section (TRAILERS_TOO_LARGE) */
    uint32_t extension_max;  /* extensions of one chunk (CHUNK_EXTENSION) */
    uint32_t extensions_max; /* of all chunks, beyond one byte per byte of data (same) */
    uint64_t body_max;       /* 0: no limit (BODY_TOO_LARGE) */
    uint16_t n_interim_max;  /* 1xx responses before the final one (TOO_MANY_INTERIM) */
};

/* 8 KiB lines, 32 KiB heads of at most 100 fields, 8 KiB trailers, no limit on bodies. */
extern const struct hf_h1_limits hf_h1_limits_default;

enum hf_h1_role { HF_H1_REQUESTS, HF_H1_RESPONSES };

enum hf_h1_step {
    HF_H1_MORE,   /* needs more bytes than were given */
    HF_H1_HEAD,   /* the head is complete */
    HF_H1_DATA,   /* a piece of the body */
    HF_H1_END,    /* the message is complete */
    HF_H1_FAILED, /* h1.fault says why */
};

enum hf_h1_framing {
    HF_H1_NONE,    /* no body */
    HF_H1_LENGTH,  /* head.length bytes */
    HF_H1_CHUNKED, /* chunks and trailers */
    HF_H1_CLOSE,   /* until the peer closes: responses only */
    HF_H1_TUNNEL,  /* no longer HTTP: 101, or 2xx to CONNECT */
};

struct hf_h1_head {
    uint32_t len; /* of the head with its empty line: to be consumed */

    /* requests; slices are into the head, empty where the form hasn't the part */
    enum hf_http_method method;
    enum hf_http_form form;
    struct hf_http_slice method_text;
    struct hf_http_slice target;
    struct hf_http_slice path;
    struct hf_http_slice query; /* without the "?" */
    bool has_query;
    struct hf_http_slice authority; /* of the target, or else of Host; empty in HTTP/1.0 at most */

    /* responses */
    uint16_t status;
    struct hf_http_slice reason;
    bool interim; /* 1xx but not 101: another response follows */

    /* both */
    uint8_t minor;   /* HTTP/1.minor: 0 or 1 */
    bool keep_alive; /* the sender would send or take another message after this one */
    bool expect_continue;
    bool upgrade; /* Upgrade, nominated by Connection, in HTTP/1.1 */
    enum hf_h1_framing framing;
    bool has_length; /* Content-Length was there, though HEAD or 304 may leave the body out */
    uint64_t length;
};

struct hf_h1 {
    /* for the caller to read */
    enum hf_http_fault fault;
    struct hf_h1_head head;
    struct hf_http_field *fields; /* n_fields of the head, or of the trailers at HF_H1_END */
    uint16_t n_fields;
    uint64_t body_len; /* data bytes so far */

    /* private */
    const struct hf_h1_limits *limits;
    enum hf_h1_role role;
    uint8_t state;
    uint8_t seen; /* which of the fields that may come once have come */
    uint16_t max_fields;
    uint16_t n_interim;
    uint32_t line_at; /* the first line not yet parsed */
    uint32_t scan_at; /* its end was looked for up to here */
    struct hf_http_slice host;
    uint64_t left; /* of the body or chunk */
    uint64_t extensions;
    uint32_t chunk_line; /* bytes of the extension, digits of the size */
    bool chunked;
    bool close_token, keep_token, upgrade_token;
    enum hf_http_method asked; /* responses: by the request */
    bool asked_upgrade;
};

/* hf_h1_init: limits and fields are borrowed for as long as the parser is used. */
void hf_h1_init(struct hf_h1 *h1, enum hf_h1_role role, const struct hf_h1_limits *limits,
                struct hf_http_field *fields, size_t n_fields);

/* hf_h1_set_fields lends another array, between messages or before trailers: one array can serve
 * all connections of a worker that have no head half-read. */
void hf_h1_set_fields(struct hf_h1 *h1, struct hf_http_field *fields, size_t n_fields);

/* hf_h1_expect says what the coming response answers; call it before each response's head. */
void hf_h1_expect(struct hf_h1 *h1, enum hf_http_method method, bool upgrade);

enum hf_h1_step hf_h1_head(struct hf_h1 *h1, struct hf_bytes in) HF_MUST_CHECK;

/*
 * hf_h1_body: *out_used bytes of in are done with and are to be consumed, whatever the step; with
 * HF_H1_DATA, *out_data views the body bytes among them. HF_H1_MORE may leave bytes unused (half a
 * line of trailers). With HF_H1_END of a chunked message, h1.fields are the trailers, with offsets
 * from in.ptr.
 */
enum hf_h1_step hf_h1_body(struct hf_h1 *h1, struct hf_bytes in, size_t *out_used,
                           struct hf_bytes *out_data) HF_MUST_CHECK;

/* hf_h1_eof: the peer closed and every byte was taken. HF_H1_END: in order (between messages, or
 * the end of a body that lasts until then); HF_H1_FAILED: within a message (TRUNCATED). */
enum hf_h1_step hf_h1_eof(struct hf_h1 *h1) HF_MUST_CHECK;

/* hf_h1_next makes ready for the next message, after HF_H1_END. What hf_h1_expect said is kept
 * after an interim response and forgotten otherwise. */
void hf_h1_next(struct hf_h1 *h1);

/* hf_h1_tunnel: the other direction agreed to switch protocols; all that follows is HF_H1_DATA. */
void hf_h1_tunnel(struct hf_h1 *h1);

/* hf_h1_idle: no byte of a message has been looked at since the last one ended. */
bool hf_h1_idle(const struct hf_h1 *h1);

static inline struct hf_http_fields hf_h1_fields(const struct hf_h1 *h1, struct hf_bytes head)
{
    return (struct hf_http_fields){head, h1->fields, h1->n_fields};
}

#endif
