// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_AUTH_IMPL_H
#define HF_PROXY_AUTH_IMPL_H

/* The inside of auth*.c. */

#include "os/sock.h"
#include "policy/jwt.h"
#include "proxy/auth.h"
#include "proxy/client_limits.h"

enum hf_auth_found {
    HF_AUTH_UNKNOWN, /* not looked at yet */
    HF_AUTH_WAITING,
    HF_AUTH_KNOWN,
};

/* What one verifier found; the same whatever the parts of the expression ask of it. */
struct hf_auth_slot {
    const struct hf_cfg_auth *verifier;
    enum hf_auth_found found;
    enum hf_reason reason; /* KNOWN: HF_REASON_OK, or why not */
    bool wished;           /* newer keys were asked for, once */
    struct hf_jwt *jwt;
    char *user; /* of Basic */
};

struct hf_auth_job;

struct hf_auth_call {
    struct hf_auth_ask ask;
    bool has_cert;
    uint8_t cert_sha256[32];
    struct hf_limit_key place; /* that wrong passwords are counted by */
    struct hf_auth_slot slots[HF_CFG_AUTH_USES_MAX];
    size_t n_slots;
    bool wants_turn; /* a slot became known while others wait */

    /* waiting */
    struct hf_jwks_waiter waiter;
    struct hf_auth_slot *waiting_keys;
    struct hf_auth_job *job;

    struct hf_auth_answer answer;
    struct hf_challenge challenges[HF_CFG_AUTH_USES_MAX];
    const char *strip[HF_CFG_AUTH_USES_MAX];
    char scopes[512]; /* that would have done */
    struct hf_buf user_text;
};

static inline const struct hf_auth_item *hf_auth_item_of(const struct hf_auth_call *call,
                                                         const struct hf_cfg_auth *verifier)
{
    return &call->ask.set->items[verifier - call->ask.set->config->auth];
}

/* hf_auth_go_on looks again after a slot became known, and calls on_done when all is. */
void hf_auth_go_on(struct hf_auth_call *call);

/* Each looks at a slot that is UNKNOWN and makes it KNOWN or WAITING. */
void hf_auth_check_jwt(struct hf_auth_call *call, struct hf_auth_slot *slot);
void hf_auth_check_basic(struct hf_auth_call *call, struct hf_auth_slot *slot);

/* hf_auth_job_leave: nobody waits for the job's answer any more. */
void hf_auth_job_leave(struct hf_auth_job *job);

/* hf_auth_field finds the one field of this name. False: none, or several (*out_several). */
bool hf_auth_field(const struct hf_auth_call *call, const char *name, struct hf_bytes *out,
                   bool *out_several);

/* hf_auth_scheme takes the scheme and the spaces after it off an Authorization field. */
bool hf_auth_scheme(struct hf_bytes *field, const char *scheme);

static inline void hf_auth_known(struct hf_auth_slot *slot, enum hf_reason reason)
{
    slot->found = HF_AUTH_KNOWN;
    slot->reason = reason;
}

#endif
