// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_SERVICE_H
#define HF_HTTP_SERVICE_H

/*
 * struct hf_service is what answers requests inside this process, in place of a server: routes name
 * it with `service:`. It knows nothing of connections and versions of HTTP, and those who carry its
 * answers know nothing of what it does.
 *
 *     static void serve(struct hf_service *service, struct hf_service_call *call)
 *     {
 *         struct hf_service_answer answer = {.status = 200, .content_type = "text/plain"};
 *         hf_service_body_static(&answer, hf_bytes_str("here\n"));
 *         hf_service_answer(call, &answer);
 *     }
 *
 * serve is called on a worker's thread, on which nothing may block, by many workers at a time. It
 * answers at once, or keeps the call and has it answered by any thread, later. Every call is
 * answered exactly once, even when its client has gone meanwhile: then the answer is dropped. What
 * the request shows stays valid until then.
 *
 * The whole body of the request has come when serve is called: a larger one than body_max was
 * refused (413). An answer that takes longer than answer_ms is given up (504).
 */

#include <stdatomic.h>

#include "base/buf.h"
#include "http/h1.h"
#include "pki/ders.h"
#include "pki/identity.h"

struct hf_service;
struct hf_service_answer;
struct hf_service_call;

struct hf_service_ops {
    void (*serve)(struct hf_service *service, struct hf_service_call *call);

    /* free gives it back with the last reference, on any thread. */
    void (*free)(struct hf_service *service);
};

/* Embedded in its owner's struct. Counted by references; immutable to those who call. */
struct hf_service {
    atomic_uint refs;
    const struct hf_service_ops *ops;
    size_t body_max;   /* of a request, in bytes */
    int64_t answer_ms; /* that an answer may take; 0: for ever */
};

/* hf_service_init sets the first reference. */
void hf_service_init(struct hf_service *service, const struct hf_service_ops *ops, size_t body_max,
                     int64_t answer_ms);
struct hf_service *hf_service_ref(struct hf_service *service);
void hf_service_unref(struct hf_service *service); /* NULL is fine */

/* --- Requests -----------------------------------------------------------------------------------
 */

/* Texts that nobody gave are empty. */
struct hf_service_request {
    enum hf_http_method method;
    struct hf_bytes method_text;
    struct hf_bytes host;      /* of Host or :authority, with its port if it had one */
    struct hf_bytes full_path; /* in normal form */
    struct hf_bytes path;      /* the same beneath the route's own path: always begins with "/" */
    struct hf_bytes raw_path;  /* as it came */
    struct hf_bytes query;     /* as it came, without "?" */
    struct hf_bytes body;
    const char *id;                /* of the request, for logs and answers */
    const char *listener;          /* that it came through */
    bool plain;                    /* without TLS */
    const char *client_address;    /* without port; "": a unix socket */
    struct hf_identity *identity;  /* of the client's certificate; NULL: it sent none */
    struct hf_ders *chain;         /* that the client sent, leaf first; NULL likewise */
    bool verified;                 /* both may be relied on */
    struct hf_http_fields headers; /* hf_service_header reads them */
};

struct hf_service_call {
    struct hf_service_request request;

    /* For those who carry it. */
    void (*answer)(struct hf_service_call *call, struct hf_service_answer *answer);
    atomic_bool gone;
};

/* hf_service_header gives the nth field of this name (any case); false when there are fewer. */
bool hf_service_header(const struct hf_service_call *call, const char *name, size_t nth,
                       struct hf_bytes *out_value);

/* hf_service_gone: nobody waits for the answer any more, so it needn't be worked for. Any thread.
 */
static inline bool hf_service_gone(const struct hf_service_call *call)
{
    return atomic_load_explicit(&call->gone, memory_order_relaxed);
}

/* --- Answers ------------------------------------------------------------------------------------
 * A zeroed answer with a status is valid. Whoever gives it has it taken from him.
 */

#define HF_SERVICE_FIELDS_MAX (8u << 10) /* bytes of an answer's own fields */

struct hf_service_answer {
    unsigned status;
    const char *content_type; /* static; NULL: none */
    struct hf_buf fields;     /* of hf_service_field */

    /* The body is read where it is, on the worker's thread, until release (NULL: nothing to do) is
     * called there. For HEAD it's what GET would give. */
    struct hf_bytes body;
    void (*release)(void *ctx);
    void *ctx;
};

/* hf_service_field adds a header field; Content-Type and Content-Length aren't among them. Errors:
 * HF_E_INVALID, HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_service_field(struct hf_service_answer *answer, const char *name, const char *format,
                             ...) HF_MUST_CHECK HF_PRINTF(3, 4);

/* hf_service_each_field hands the fields out, in their order; stops at the first failure. */
enum hf_err hf_service_each_field(const struct hf_service_answer *answer, void *ctx,
                                  enum hf_err (*take)(void *ctx, struct hf_bytes name,
                                                      struct hf_bytes value)) HF_MUST_CHECK;

/* The body: bytes that live for ever; or the contents of buf, whose memory is taken. */
void hf_service_body_static(struct hf_service_answer *answer, struct hf_bytes body);
enum hf_err hf_service_body_buf(struct hf_service_answer *answer, struct hf_buf *buf) HF_MUST_CHECK;

void hf_service_answer_done(struct hf_service_answer *answer);

/* hf_service_answer ends the call, whose pointer is then gone, and takes what is in answer. */
void hf_service_answer(struct hf_service_call *call, struct hf_service_answer *answer);

/* hf_service_say answers with a line of text. */
void hf_service_say(struct hf_service_call *call, unsigned status, const char *text);

#endif
