// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_REFUSAL_H
#define HF_HTTP_REFUSAL_H

/*
 * What a client reads when we answer in place of a backend: the status, a sentence, the stable code
 * and the id under which the log has the rest. Nothing of our insides, and nothing that isn't
 * escaped for the form that it is told in.
 *
 *     HTML    for whom prefers text/html
 *     JSON    for everybody else: a problem (RFC 9457), with "code" and "id" as members
 *     gRPC    for requests of application/grpc or grpc-web: status 200 and no body, with
 * grpc-status and grpc-message in the head, which is then also the end ("Trailers-Only")
 */

#include "base/buf.h"

enum hf_refusal_form {
    HF_REFUSAL_JSON,
    HF_REFUSAL_HTML,
    HF_REFUSAL_GRPC,
    HF_REFUSAL_GRPC_WEB,
    HF_REFUSAL_GRPC_WEB_TEXT,
};

/* The errors of RFC 6750 3.1; NONE where the client showed no token at all. */
enum hf_bearer_error {
    HF_BEARER_NONE,
    HF_BEARER_INVALID_REQUEST,
    HF_BEARER_INVALID_TOKEN,
    HF_BEARER_INSUFFICIENT_SCOPE,
};

enum hf_challenge_scheme { HF_CHALLENGE_BASIC, HF_CHALLENGE_BEARER };

/* struct hf_challenge becomes one WWW-Authenticate field (RFC 9110 11.6.1). */
struct hf_challenge {
    enum hf_challenge_scheme scheme;
    const char *realm;          /* NULL: none for Bearer, "restricted" for Basic */
    enum hf_bearer_error error; /* Bearer only, like the two after it */
    const char *description;    /* of the error; NULL: none */
    const char *scope;          /* that would do, space-separated; NULL: none */
};

struct hf_refusal {
    unsigned status;       /* 300 to 599 */
    const char *code;      /* stable, as in the log */
    const char *text;      /* one sentence for the client; NULL: none */
    const char *id;        /* of the request in the log; NULL: none */
    int64_t retry_after_s; /* 0: no Retry-After */
    const struct hf_challenge *challenges;
    size_t n_challenges;
};

/* hf_refusal_form picks by the request's content-type and accept (several fields joined with ", "
 * as one; both may be empty). */
enum hf_refusal_form hf_refusal_form_of(struct hf_bytes content_type, struct hf_bytes accept);

/* hf_refusal_add_fn takes one field of the answer's head: name in lower case, a value that needs no
 * further escaping. Content-Length is not among them: it's for whoever writes the head to say. */
typedef enum hf_err hf_refusal_add_fn(void *ctx, const char *name, struct hf_bytes value);

/*
 * hf_refusal_write gives the answer: its status, its fields one by one, and its body, appended to
 * body (empty for gRPC; left out by the caller for HEAD). Under 8 KiB in all for texts under
 * 512 bytes. Errors: those of hf_buf and of add.
 */
enum hf_err hf_refusal_write(const struct hf_refusal *refusal, enum hf_refusal_form form,
                             hf_refusal_add_fn *add, void *ctx, unsigned *out_status,
                             struct hf_buf *body) HF_MUST_CHECK;

/* hf_refusal_is_grpc: the answer has no body, and its head ends the stream. */
static inline bool hf_refusal_is_grpc(enum hf_refusal_form form)
{
    return form >= HF_REFUSAL_GRPC;
}

/* hf_refusal_grpc_status maps an HTTP status to gRPC's, as its specification says for answers that
 * don't speak gRPC; but 429, 413 and 431 are RESOURCE_EXHAUSTED, as nothing was unavailable. */
unsigned hf_refusal_grpc_status(unsigned http_status);

#endif
