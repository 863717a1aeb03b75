// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_MSG_H
#define HF_HTTP_MSG_H

/*
 * One message head, or one trailer section, whatever version it came in: what routes, rules and
 * header edits see, and what is written to the other side.
 *
 * What frames or routes the message is not among the fields but has a place of its own: Host and
 * :authority are `authority`, Content-Length and Transfer-Encoding are `body` and `length`,
 * Upgrade and :protocol are `protocol`, "TE: trailers" is `te_trailers`, Expect is
 * `expect_continue`. So it can't be said twice. What is for one hop only (Connection, what it
 * nominates, Keep-Alive, Proxy-*; RFC 9110 7.6.1) never gets in. An upgrade is a GET with
 * `protocol`, in either version: the extended CONNECT of RFC 8441 is only how HTTP/2 spells it.
 *
 * Every name is a token in lower case, every value is free of control bytes and of white space at
 * its ends: what is not so never gets in (HF_E_INVALID). All text is in one buffer; slices are
 * offsets into it. Views are good until the next change of the message. Passing a view of the
 * message itself to one of its own functions is allowed.
 *
 * Text that was replaced or removed still counts toward the limit until hf_http_msg_reset.
 * Errors of all that add: HF_E_INVALID, HF_E_TOO_LARGE (bytes or fields), HF_E_NOMEM; the message
 * is then as before. One thread at a time.
 */

#include "base/buf.h"
#include "http/h1.h"

enum hf_http_kind { HF_MSG_REQUEST, HF_MSG_RESPONSE, HF_MSG_TRAILERS };

enum hf_http_body {
    HF_BODY_NONE,   /* no body follows; `length` may still be told (answers to HEAD, 304) */
    HF_BODY_LENGTH, /* `length` bytes */
    HF_BODY_STREAM, /* until its end is marked; trailers may follow. CONNECT: the tunnel */
};

struct hf_http_msg {
    enum hf_http_kind kind;

    /* requests; what the form hasn't is empty */
    enum hf_http_method method;
    enum hf_http_form form; /* never HF_TARGET_ABSOLUTE: its parts are taken apart */
    bool has_query;
    struct hf_http_slice method_text;
    struct hf_http_slice scheme;    /* "http" or "https" */
    struct hf_http_slice authority; /* host[:port]; empty only in HTTP/1.0 */
    struct hf_http_slice path;      /* with its leading "/" */
    struct hf_http_slice query;     /* without the "?" */
    struct hf_http_slice protocol;  /* "websocket": the request asks for, the 101 or 200 grants */
    bool te_trailers;               /* the client understands trailers */
    bool expect_continue;

    /* responses */
    uint16_t status; /* an upgrade's success is 101 in either version */

    /* both */
    enum hf_http_body body;
    bool has_length;
    uint64_t length;

    /* to be read through the functions below, and changed by nothing else */
    struct hf_buf text;
    struct hf_http_field *fields; /* in the order they came */
    uint16_t n_fields;
    uint16_t size_fields;
    uint16_t max_fields;
    struct hf_http_msg *next; /* in a pool */
};

/* hf_http_msg_init: bytes_max bounds all text, max_fields the fields. Both should be above what is
 * accepted from peers, so that there is room for what we add. Allocates nothing yet. */
void hf_http_msg_init(struct hf_http_msg *msg, size_t bytes_max, uint16_t max_fields);
void hf_http_msg_done(struct hf_http_msg *msg);

/* hf_http_msg_reset makes it an empty request again and keeps the memory. */
void hf_http_msg_reset(struct hf_http_msg *msg);

/*
 * struct hf_http_msg_pool lends messages: one a worker, so that a connection at rest holds none.
 * A few are kept with their memory, unless it grew large.
 */
struct hf_http_msg_pool {
    size_t bytes_max;
    uint16_t max_fields;
    uint16_t n_free;
    struct hf_http_msg *free;
};

void hf_http_msg_pool_init(struct hf_http_msg_pool *pool, size_t bytes_max, uint16_t max_fields);
void hf_http_msg_pool_done(struct hf_http_msg_pool *pool);

/* hf_http_msg_pool_get lends an empty message; NULL when out of memory. hf_http_msg_pool_put takes
 * it back (NULL is fine). */
struct hf_http_msg *hf_http_msg_pool_get(struct hf_http_msg_pool *pool) HF_MUST_CHECK;
void hf_http_msg_pool_put(struct hf_http_msg_pool *pool, struct hf_http_msg *msg);

/* --- Parts --- */

static inline struct hf_bytes hf_http_msg_text(const struct hf_http_msg *msg,
                                               struct hf_http_slice slice)
{
    return slice.len ? hf_bytes_of(msg->text.mem + slice.at, slice.len) : hf_bytes_of("", 0);
}

/* hf_http_msg_set_request parses a request target of this method and sets method, form, path,
 * query, and scheme and authority where the target has them. */
enum hf_err hf_http_msg_set_request(struct hf_http_msg *msg, struct hf_bytes method,
                                    struct hf_bytes target) HF_MUST_CHECK;
enum hf_err hf_http_msg_set_scheme(struct hf_http_msg *msg, struct hf_bytes scheme) HF_MUST_CHECK;
enum hf_err hf_http_msg_set_authority(struct hf_http_msg *msg,
                                      struct hf_bytes authority) HF_MUST_CHECK;
/* The path begins with "/" and has no "?". */
enum hf_err hf_http_msg_set_path(struct hf_http_msg *msg, struct hf_bytes path) HF_MUST_CHECK;
/* NULL: no query at all, not even "?". */
enum hf_err hf_http_msg_set_query(struct hf_http_msg *msg,
                                  const struct hf_bytes *query) HF_MUST_CHECK;
enum hf_err hf_http_msg_set_protocol(struct hf_http_msg *msg,
                                     struct hf_bytes protocol) HF_MUST_CHECK;
/* hf_http_msg_set_status makes the message a response. 100-599. */
enum hf_err hf_http_msg_set_status(struct hf_http_msg *msg, unsigned status) HF_MUST_CHECK;

/* hf_http_msg_append_target appends path[?query], "*" or host:port, as a request line has it. */
enum hf_err hf_http_msg_append_target(const struct hf_http_msg *msg,
                                      struct hf_buf *out) HF_MUST_CHECK;

/* --- Fields --- */

static inline struct hf_http_fields hf_http_msg_fields(const struct hf_http_msg *msg)
{
    return (struct hf_http_fields){hf_buf_bytes(&msg->text), msg->fields, msg->n_fields};
}

static inline struct hf_bytes hf_http_msg_name(const struct hf_http_msg *msg,
                                               const struct hf_http_field *field)
{
    return hf_bytes_of(msg->text.mem + field->name_at, field->name_len);
}

static inline struct hf_bytes hf_http_msg_value(const struct hf_http_msg *msg,
                                                const struct hf_http_field *field)
{
    return hf_bytes_of(msg->text.mem + field->value_at, field->value_len);
}

/* hf_http_msg_may_hold: the name is a token that can be a field here. Not so: what has a place of
 * its own, and what is for one hop only. */
bool hf_http_msg_may_hold(struct hf_bytes name);

/* hf_http_msg_add adds a field at the end; the name in any case. HF_E_INVALID also for the names
 * that never are fields here: hf_http_msg_may_hold. */
enum hf_err hf_http_msg_add(struct hf_http_msg *msg, struct hf_bytes name,
                            struct hf_bytes value) HF_MUST_CHECK;
enum hf_err hf_http_msg_add_str(struct hf_http_msg *msg, const char *name,
                                const char *value) HF_MUST_CHECK;

/* hf_http_msg_set is remove and add. */
enum hf_err hf_http_msg_set(struct hf_http_msg *msg, struct hf_bytes name,
                            struct hf_bytes value) HF_MUST_CHECK;
/* hf_http_msg_set_name is the same for a known name; cheaper, since there is nothing to look up. */
enum hf_err hf_http_msg_set_name(struct hf_http_msg *msg, enum hf_http_name name,
                                 struct hf_bytes value) HF_MUST_CHECK;
enum hf_err hf_http_msg_set_str(struct hf_http_msg *msg, const char *name,
                                const char *value) HF_MUST_CHECK;

/* hf_http_msg_append makes the field "what there was, value": all its lines become one. Adds it
 * when there was none. For fields that are lists. */
enum hf_err hf_http_msg_append(struct hf_http_msg *msg, struct hf_bytes name,
                               struct hf_bytes value) HF_MUST_CHECK;

/*
 * hf_http_msg_find gives the next field of this name after `after` (NULL: the first), or NULL. The
 * name is matched exactly but for case: "x_a" is not "x-a".
 */
const struct hf_http_field *hf_http_msg_find(const struct hf_http_msg *msg, struct hf_bytes name,
                                             const struct hf_http_field *after);
const struct hf_http_field *hf_http_msg_find_name(const struct hf_http_msg *msg,
                                                  enum hf_http_name name,
                                                  const struct hf_http_field *after);

/* hf_http_msg_get_str gives the first field's value; false when there is none. */
bool hf_http_msg_get_str(const struct hf_http_msg *msg, const char *name,
                         struct hf_bytes *out_value);

/* hf_http_msg_has_token: some field of this name, read as a list, has the token (any case). */
bool hf_http_msg_has_token(const struct hf_http_msg *msg, enum hf_http_name name,
                           const char *token);

/*
 * What removes is generous: "_" counts as "-", for a backend that reads fields as CGI variables
 * can't tell them apart. They return how many fields went.
 */
size_t hf_http_msg_remove(struct hf_http_msg *msg, struct hf_bytes name);
size_t hf_http_msg_remove_str(struct hf_http_msg *msg, const char *name);
size_t hf_http_msg_remove_name(struct hf_http_msg *msg, enum hf_http_name name);
size_t hf_http_msg_remove_prefix(struct hf_http_msg *msg, struct hf_bytes prefix);
/* any of these enum hf_http_trait */
size_t hf_http_msg_remove_traits(struct hf_http_msg *msg, unsigned traits);

/* hf_http_msg_join_cookies makes one Cookie of several (RFC 9113 8.2.3). */
enum hf_err hf_http_msg_join_cookies(struct hf_http_msg *msg) HF_MUST_CHECK;

/* --- Versions --- */

/*
 * hf_http_msg_from_h1 copies the head that hf_h1_head has just accepted; head is its bytes.
 * scheme is the connection's ("https" under TLS); one in the target goes before it. An Upgrade that
 * is not of one protocol, or not of a GET without a body, is as if it weren't there.
 */
enum hf_err hf_http_msg_from_h1(struct hf_http_msg *msg, const struct hf_h1 *h1,
                                struct hf_bytes head, const char *scheme) HF_MUST_CHECK;

/* hf_http_msg_trailers_from_h1: after HF_H1_END of a chunked message; in as hf_h1_body got it. */
enum hf_err hf_http_msg_trailers_from_h1(struct hf_http_msg *msg, const struct hf_h1 *h1,
                                         struct hf_bytes in) HF_MUST_CHECK;

/*
 * hf_http_msg_check says whether the message means one thing, and the same in every version: call
 * it before it is written to the other side, after all edits. HF_HTTP_FAULT_NONE: it may go.
 */
enum hf_http_fault hf_http_msg_check(const struct hf_http_msg *msg) HF_MUST_CHECK;

/* hf_http_msg_check_line is the part of it that isn't about fields: for a message as its reader,
 * who has looked at each field, gave it. */
enum hf_http_fault hf_http_msg_check_line(const struct hf_http_msg *msg) HF_MUST_CHECK;

#endif
