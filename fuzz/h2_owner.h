// SPDX-License-Identifier: Apache-2.0
#ifndef HF_FUZZ_H2_OWNER_H
#define HF_FUZZ_H2_OWNER_H

/*
 * An owner of HTTP/2 connections for fuzzing: writes down what it is told, so that two runs can be
 * compared, and looks that every message it is given is one: it must survive being written as
 * HTTP/1.1 and read again, strictly.
 */

#include "http/h2.h"

struct h2_owner {
    struct hf_h2_config config;
    struct hf_http_msg_pool msgs;
    struct hf_h2 *h2;
    struct hf_buf events; /* heads, ends, closes */
    struct hf_buf bodies;
    struct hf_buf out; /* what was taken */
    unsigned n_open;
    bool answers;
};

void h2_owner_init(struct h2_owner *owner, bool server, bool answers);
void h2_owner_done(struct h2_owner *owner);

/* h2_owner_ask sends a request with a body to come (client). */
void h2_owner_ask(struct h2_owner *owner, const char *method);

/* h2_owner_feed feeds in portions, and takes everything afterwards, or after each portion. */
void h2_owner_feed(struct h2_owner *owner, struct hf_bytes in, size_t portion, bool take_often);

/* need ends the program when the condition doesn't hold. */
void need(bool condition);

/* same_after_h1 writes the message as HTTP/1.1, reads it, and compares. */
void same_after_h1(const struct hf_http_msg *msg, struct hf_http_msg_pool *msgs,
                   enum hf_http_method asked);

#endif
