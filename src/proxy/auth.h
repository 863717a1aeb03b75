// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_AUTH_H
#define HF_PROXY_AUTH_H

/*
 * Checking what a request shows beside its certificate. struct hf_auth_call is one request's check:
 * most end within hf_auth_begin; those that wait (for a password to be hashed, for newer keys) call
 * back, on the worker's thread.
 *
 *     enum hf_auth_step step = hf_auth_begin(call, ...);     HF_AUTH_DONE: read hf_auth_answer
 *                                                            HF_AUTH_WAIT: on_done comes
 *     ... hf_auth_end(call)                                  at the end, or to cancel
 *
 * Whatever goes wrong on our side (no memory, a full queue, no keys) refuses.
 */

#include "config/config.h"
#include "http/refusal.h"
#include "proxy/auth_service.h"

struct hf_auth_call;

enum hf_auth_step { HF_AUTH_DONE, HF_AUTH_WAIT };

/* What is asked, and by whom. Borrowed until hf_auth_end, but for cert_sha256 and address, which
 * are copied. */
struct hf_auth_ask {
    struct hf_auth_service *service;
    const struct hf_auth_set *set; /* of the snapshot that expr is of */
    const struct hf_cfg_auth_expr *expr;
    unsigned worker;
    struct hf_loop *loop;
    const uint8_t *cert_sha256;    /* of the client's certificate, 32 bytes; NULL: none shown */
    const struct hf_addr *address; /* the client's */

    /* gives the nth field of this name (lower case); false when there are fewer */
    bool (*header)(void *ctx, const char *name, size_t nth, struct hf_bytes *out_value);
    void *header_ctx;

    void (*on_done)(void *ctx); /* after HF_AUTH_WAIT, once */
    void *ctx;
};

/* struct hf_auth_answer is valid until hf_auth_end. */
struct hf_auth_answer {
    enum hf_reason reason; /* HF_REASON_OK: shown */
    int64_t retry_after_s; /* 0: not said */
    const struct hf_challenge *challenges;
    size_t n_challenges;
    const char *user_text;    /* of what was good, safe to print; NULL: none */
    const char *user;         /* of Basic, or "sub" of a token; NULL: none. From the client */
    const char *issuer;       /* "iss" of that token; NULL: none. From the client */
    const char *const *strip; /* names of fields that must not go to the backend */
    size_t n_strip;
};

/* hf_auth_begin makes a call in *out, NULL when out of memory (and the step is DONE: refuse). */
enum hf_auth_step hf_auth_begin(const struct hf_auth_ask *ask, struct hf_auth_call **out);
const struct hf_auth_answer *hf_auth_answer(const struct hf_auth_call *call);
void hf_auth_end(struct hf_auth_call *call);

#endif
