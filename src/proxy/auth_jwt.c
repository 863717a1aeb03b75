// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "proxy/auth_impl.h"

/* The token, or why there is none. */
static enum hf_reason find_token(const struct hf_auth_call *call, const struct hf_cfg_jwt *jwt,
                                 struct hf_bytes *out)
{
    bool several;
    if (!hf_auth_field(call, jwt->header.value, out, &several)) {
        return several ? HF_REASON_BAD_CREDENTIAL : HF_REASON_AUTH_REQUIRED;
    }
    bool bearer = hf_auth_scheme(out, "Bearer");
    if (!bearer && strcmp(jwt->header.value, "authorization") == 0) {
        return HF_REASON_AUTH_REQUIRED; /* of another scheme */
    }
    return out->len ? HF_REASON_OK : HF_REASON_BAD_CREDENTIAL;
}

static void on_wake(struct hf_jwks_waiter *waiter)
{
    struct hf_auth_call *call = HF_CONTAINER_OF(waiter, struct hf_auth_call, waiter);
    call->waiting_keys->found = HF_AUTH_UNKNOWN; /* look again, with what keys there are now */
    call->waiting_keys = NULL;
    hf_auth_go_on(call);
}

/* Waits for newer keys, once, and for one verifier at a time: the expression stops where it waits.
 */
static bool wish(struct hf_auth_call *call, struct hf_auth_slot *slot, struct hf_jwks_feed *feed)
{
    if (slot->wished || !feed) {
        return false;
    }
    slot->wished = true;
    slot->found = HF_AUTH_WAITING;
    call->waiting_keys = slot;
    call->waiter.wake = on_wake;
    hf_jwks_feed_wish(feed, call->ask.worker, &call->waiter);
    return true;
}

static void check_with(struct hf_auth_call *call, struct hf_auth_slot *slot, struct hf_bytes token,
                       const struct hf_jwks *keys)
{
    const struct hf_cfg_jwt *jwt = &slot->verifier->jwt;
    const struct hf_auth_item *item = hf_auth_item_of(call, slot->verifier);
    struct hf_jwt_result result;
    hf_jwt_open(token, keys, jwt->algs, call->ask.service->tokens, &result, &slot->jwt);
    if (result.newer_keys && wish(call, slot, item->feed)) {
        return;
    }
    if (slot->jwt) {
        result.reason =
            hf_jwt_check(slot->jwt, &jwt->rules, hf_clock_wall_s(call->ask.service->clock),
                         call->has_cert ? call->cert_sha256 : NULL);
    }
    hf_auth_known(slot, result.reason);
}

void hf_auth_check_jwt(struct hf_auth_call *call, struct hf_auth_slot *slot)
{
    const struct hf_auth_item *item = hf_auth_item_of(call, slot->verifier);
    struct hf_bytes token = {0};
    enum hf_reason reason = find_token(call, &slot->verifier->jwt, &token);
    if (reason != HF_REASON_OK) {
        hf_auth_known(slot, reason);
        return;
    }
    const struct hf_jwks *keys =
        item->feed ? hf_jwks_feed_keys(item->feed, call->ask.worker) : item->keys;
    if (keys) {
        check_with(call, slot, token, keys);
    } else if (!wish(call, slot, item->feed)) {
        hf_auth_known(slot, HF_REASON_KEYS_UNAVAILABLE);
    }
}
