// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_FOLLOW_H
#define HF_CA_FOLLOW_H

/*
 * struct hf_ca_follow follows the feed (ca/feed.h) of a CA in another process or on another
 * machine, and keeps the same view of it that a CA of this process gives. One request is always
 * under way; what it brings is in force at once.
 *
 * While nothing is known, or the feed has been silent for longer than lost_ms, the view is lost
 * (pki/live.h): whoever asks is told that nobody knows. A thread of its own.
 */

#include "base/clock.h"
#include "base/log.h"
#include "pki/credential.h"
#include "pki/live.h"

struct hf_ca_follow;

struct hf_ca_follow_options {
    const char *name;               /* of the CA, in logs and sentences */
    const char *url;                /* https://.../feed/ */
    struct hf_credential *identity; /* that we show; a reference is taken. NULL: none */
    struct hf_bytes roots_pem;      /* that the server is verified against */
    int64_t lost_ms;                /* silence after which nobody knows */
    const struct hf_clock *clock;
    struct hf_log *log;
    void (*on_live)(void *ctx, struct hf_live *live); /* as in ca/host.h */
    void *ctx;
};

/* hf_ca_follow_open begins; what the feed says is there when it has answered. */
enum hf_err hf_ca_follow_open(const struct hf_ca_follow_options *options,
                              struct hf_ca_follow **out) HF_MUST_CHECK;
struct hf_live *hf_ca_follow_live(struct hf_ca_follow *follow);
void hf_ca_follow_close(struct hf_ca_follow *follow);

/* --- What a feed says ---------------------------------------------------------------------------
 */

/* struct hf_feed_reader takes a feed's answer in pieces. It belongs to one answer. */
struct hf_feed_state {
    struct hf_live_book *book; /* what is known; owned */
    char store[64];            /* of the CA; "": nothing is known */
    int64_t seq;
};

/*
 * hf_feed_read brings *state up to what the answer says; it is left as it was on failure. Errors:
 * HF_E_TRUNCATED (no `end`), HF_E_MALFORMED, HF_E_MISMATCH (it begins elsewhere than where we are),
 * HF_E_NOMEM.
 */
enum hf_err hf_feed_read(struct hf_bytes answer, const char *name,
                         struct hf_feed_state *state) HF_MUST_CHECK;
void hf_feed_state_done(struct hf_feed_state *state);

#endif
