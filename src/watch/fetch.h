// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_FETCH_H
#define HF_WATCH_FETCH_H

/*
 * Fetching small things over HTTP for the daemon itself: key sets, revocation lists, OCSP answers.
 * On one loop, over libcurl; nothing waits, and every size and time is bounded.
 *
 * TLS is 1.2 or later and always verified, against the system's roots or those that are given.
 * Redirects are followed within the same scheme, host and port only. No proxy is used, whatever the
 * environment says, no compression is accepted, no connection is kept, and names are looked up by
 * our own resolver, so that no thread is ever held up by DNS.
 */

#include "os/loop.h"
#include "os/resolve.h"

struct hf_fetcher;
struct hf_fetch;

/* Takes a piece of the answer's body, as it comes. Anything but HF_OK ends the fetch with it and
 * its sentence. */
typedef enum hf_err hf_fetch_sink_fn(void *ctx, struct hf_bytes piece);

/* Everything is copied. */
struct hf_fetch_ask {
    const char *url;           /* https://..., without user and password */
    bool allow_plain;          /* http:// too, for what is signed by itself */
    struct hf_bytes roots_pem; /* empty: the system's */
    struct hf_bytes cert_pem;  /* that we show, with its chain; empty: none */
    struct hf_bytes key_pem;   /* its key */
    const char *accept;        /* NULL: anything */
    struct hf_bytes post;      /* with post_type: POST this */
    const char *post_type;     /* its Content-Type; NULL: GET */
    const char *etag;          /* of what is there already: fetch if it has changed. NULL: none */
    const char *last_modified; /* likewise */
    size_t max_bytes;          /* of the answer's body */
    int64_t timeout_ms;        /* for all together */
    hf_fetch_sink_fn *sink;    /* takes the body of a 200 with fn's ctx; NULL: it is kept whole */
};

/* struct hf_fetch_answer is valid for the call. */
struct hf_fetch_answer {
    bool unchanged;            /* 304: what is there already is still right */
    struct hf_bytes body;      /* of a 200; empty with a sink */
    const char *etag;          /* NULL: none; likewise */
    const char *last_modified; /* to be given when asking again */
    int64_t fresh_s;           /* that it may be kept, by Cache-Control; -1: not said */
};

/* err HF_OK: answer has it. Otherwise answer is NULL, and hf_err_text() says what failed, beginning
 * with the URL: HF_E_NOT_FOUND, HF_E_TIMEOUT, HF_E_IO, HF_E_DENIED (the server's certificate),
 * HF_E_TOO_LARGE, HF_E_PEER (another status, a redirect elsewhere, no HTTP), HF_E_NOMEM. */
typedef void hf_fetch_fn(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer);

/* hf_fetcher_new: the loop is borrowed. Errors: HF_E_NOMEM, those of hf_resolver_new. */
enum hf_err hf_fetcher_new(struct hf_loop *loop, struct hf_fetcher **out) HF_MUST_CHECK;

/* hf_fetcher_free cancels what is under way. Not from within an hf_fetch_fn; before hf_loop_free.
 * NULL is fine. */
void hf_fetcher_free(struct hf_fetcher *fetcher);

/* hf_fetch_start asks; fn is called once, later, from the loop, unless cancelled, and *out is then
 * gone. Errors: HF_E_INVALID for a URL that is refused, HF_E_NOMEM. */
enum hf_err hf_fetch_start(struct hf_fetcher *fetcher, const struct hf_fetch_ask *ask,
                           hf_fetch_fn *fn, void *ctx, struct hf_fetch **out) HF_MUST_CHECK;

/* hf_fetch_cancel: fn won't be called. NULL is fine. */
void hf_fetch_cancel(struct hf_fetch *fetch);

/* hf_fetch_is_at: does the URL lead to the scheme, host and port of this other one? Both must be
 * such as hf_fetch_start takes. Any thread. */
bool hf_fetch_is_at(const char *url, const char *origin);

/* hf_fetch_check_url says what hf_fetch_start would say of the URL. Any thread. */
enum hf_err hf_fetch_check_url(const char *url, bool allow_plain) HF_MUST_CHECK;

#endif
