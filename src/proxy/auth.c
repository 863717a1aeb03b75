// SPDX-License-Identifier: Apache-2.0
/*
 * One request's credentials, held against what its route asks for. Each verifier in the expression
 * has a slot that is filled at most once; the expression is evaluated over the slots from the top,
 * as often as a slot that was waited for gets known. A verifier is looked at only when the answer
 * depends on it: with {any: [token, password]} and a good token, nothing is hashed.
 */
#include "proxy/auth.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "http/chars.h"
#include "policy/request.h"
#include "proxy/auth_impl.h"

enum { RETRY_S = 5, USER_TEXT_MAX = 512 };

/* --- Fields -------------------------------------------------------------------------------------
 */

bool hf_auth_field(const struct hf_auth_call *call, const char *name, struct hf_bytes *out,
                   bool *out_several)
{
    struct hf_bytes second;
    const struct hf_auth_ask *ask = &call->ask;
    *out_several = ask->header(ask->header_ctx, name, 1, &second);
    return !*out_several && ask->header(ask->header_ctx, name, 0, out);
}

bool hf_auth_scheme(struct hf_bytes *field, const char *scheme)
{
    size_t len = strlen(scheme);
    if (field->len <= len || field->ptr[len] != ' ' ||
        !hf_http_eq_str(hf_bytes_of(field->ptr, len), scheme)) {
        return false;
    }
    *field = hf_http_trim(hf_bytes_from(*field, len));
    return true;
}

/* --- Evaluating ---------------------------------------------------------------------------------
 */

enum outcome { HOLDS, FAILS, WAITS };

struct result {
    enum outcome outcome;
    enum hf_reason reason; /* with FAILS */
};

static struct hf_auth_slot *slot_of(struct hf_auth_call *call, const struct hf_cfg_auth *verifier)
{
    size_t i = 0;
    while (i < call->n_slots && call->slots[i].verifier != verifier) {
        i++;
    }
    if (i == call->n_slots) {
        call->slots[call->n_slots++] = (struct hf_auth_slot){.verifier = verifier};
    }
    return &call->slots[i];
}

static const char *user_of(const struct hf_auth_slot *slot)
{
    return slot->jwt ? hf_jwt_text(slot->jwt, "sub") : slot->user;
}

/* What the route asks of what the verifier found. */
static enum hf_reason check_conditions(const struct hf_cfg_auth_expr *use,
                                       const struct hf_auth_slot *slot)
{
    const char *user = user_of(slot);
    bool named = use->n_users == 0;
    for (size_t i = 0; user && i < use->n_users && !named; i++) {
        named = strcmp(use->users[i], user) == 0;
    }
    if (!named) {
        return HF_REASON_WRONG_USER;
    }
    if ((use->n_scopes || use->claims.n) && !slot->jwt) {
        return HF_REASON_TOKEN_CLAIM;
    }
    for (size_t i = 0; i < use->claims.n; i++) {
        if (!hf_jwt_has_claim(slot->jwt, &use->claims.item[i])) {
            return HF_REASON_TOKEN_CLAIM;
        }
    }
    return use->n_scopes == 0 || hf_jwt_has_scopes(slot->jwt, use->scopes, use->n_scopes)
               ? HF_REASON_OK
               : HF_REASON_TOKEN_SCOPE;
}

static struct result evaluate_use(struct hf_auth_call *call, const struct hf_cfg_auth_expr *use)
{
    struct hf_auth_slot *slot = slot_of(call, use->verifier);
    if (slot->found == HF_AUTH_UNKNOWN) {
        if (use->verifier->jwt_on) {
            hf_auth_check_jwt(call, slot);
        } else {
            hf_auth_check_basic(call, slot);
        }
    }
    if (slot->found == HF_AUTH_WAITING) {
        return (struct result){WAITS, HF_REASON_INTERNAL};
    }
    enum hf_reason reason =
        slot->reason == HF_REASON_OK ? check_conditions(use, slot) : slot->reason;
    return (struct result){reason == HF_REASON_OK ? HOLDS : FAILS, reason};
}

static struct result evaluate(struct hf_auth_call *call, const struct hf_cfg_auth_expr *expr)
{
    bool any = expr->op == HF_AUTH_ANY;
    struct result worst = {any ? FAILS : HOLDS, any ? HF_REASON_AUTH_REQUIRED : HF_REASON_OK};
    if (expr->op == HF_AUTH_USE) {
        return evaluate_use(call, expr);
    }
    for (size_t i = 0; i < expr->n_parts; i++) {
        struct result part = evaluate(call, &expr->parts[i]);
        if (part.outcome == WAITS || part.outcome == (any ? HOLDS : FAILS)) {
            return part;
        }
        /* of several reasons, that of a credential which was shown says more */
        if (any && worst.reason == HF_REASON_AUTH_REQUIRED) {
            worst.reason = part.reason;
        }
    }
    return worst;
}

/* --- The answer ---------------------------------------------------------------------------------
 */

static enum hf_bearer_error bearer_error(enum hf_reason reason)
{
    switch (reason) {
    case HF_REASON_OK:
    case HF_REASON_AUTH_REQUIRED:
        return HF_BEARER_NONE;
    case HF_REASON_BAD_CREDENTIAL:
        return HF_BEARER_INVALID_REQUEST;
    case HF_REASON_TOKEN_SCOPE:
    case HF_REASON_TOKEN_CLAIM:
    case HF_REASON_WRONG_USER:
        return HF_BEARER_INSUFFICIENT_SCOPE;
    default:
        return HF_BEARER_INVALID_TOKEN;
    }
}

/* The scopes that a verifier and the route ask for, as one text. */
static void collect_scopes(struct hf_auth_call *call, const struct hf_cfg_auth_expr *expr,
                           const struct hf_cfg_auth *verifier)
{
    size_t len = strlen(call->scopes);
    for (size_t i = 0; expr->verifier == verifier && i < expr->n_scopes; i++) {
        int n = snprintf(call->scopes + len, sizeof(call->scopes) - len, "%s%s", len ? " " : "",
                         expr->scopes[i]);
        len += n > 0 && (size_t)n < sizeof(call->scopes) - len ? (size_t)n : 0;
    }
    for (size_t i = 0; i < expr->n_parts; i++) {
        collect_scopes(call, &expr->parts[i], verifier);
    }
}

static const char *scopes_of(struct hf_auth_call *call, const struct hf_cfg_auth *verifier)
{
    struct hf_cfg_auth_expr own = {.verifier = NULL,
                                   .scopes = verifier->jwt.rules.scopes,
                                   .n_scopes = verifier->jwt.rules.n_scopes};
    call->scopes[0] = '\0';
    collect_scopes(call, &own, NULL);
    collect_scopes(call, call->ask.expr, verifier);
    return call->scopes[0] ? call->scopes : NULL;
}

static void challenge(struct hf_auth_call *call, const struct hf_auth_slot *slot,
                      enum hf_reason final)
{
    struct hf_challenge *out = &call->challenges[call->answer.n_challenges++];
    const struct hf_cfg_auth *verifier = slot->verifier;
    /* what the route asks beyond the verifier is only known of the whole */
    enum hf_reason reason = slot->reason == HF_REASON_OK ? final : slot->reason;
    if (verifier->basic_on) {
        *out = (struct hf_challenge){.scheme = HF_CHALLENGE_BASIC,
                                     .realm = verifier->basic.realm.value};
        return;
    }
    *out = (struct hf_challenge){.scheme = HF_CHALLENGE_BEARER,
                                 .realm = verifier->jwt.realm.value,
                                 .error = bearer_error(reason),
                                 .description = hf_reason_text(reason)};
    if (reason == HF_REASON_TOKEN_SCOPE) {
        out->scope = scopes_of(call, verifier);
    }
}

/* RFC 9110 15.5.2: each 401 names all that would do. 403 goes with a challenge for a token that is
 * good and not enough (RFC 6750 3.1), and with no other. */
static void challenge_all(struct hf_auth_call *call, enum hf_reason reason)
{
    uint16_t status = hf_request_status(reason);
    for (size_t i = 0; i < call->n_slots; i++) {
        const struct hf_auth_slot *slot = &call->slots[i];
        bool in_authorization = slot->verifier->basic_on ||
                                strcmp(slot->verifier->jwt.header.value, "authorization") == 0;
        bool enough = status == 401 || status == 400 || (status == 403 && slot->jwt);
        if (in_authorization && enough) {
            challenge(call, slot, reason);
        }
    }
    call->answer.challenges = call->challenges;
}

static void note_use(struct hf_auth_call *call, const struct hf_auth_slot *slot)
{
    const struct hf_cfg_auth *verifier = slot->verifier;
    bool forward = verifier->jwt_on ? verifier->jwt.forward : verifier->basic.forward;
    bool good = slot->found == HF_AUTH_KNOWN && slot->reason == HF_REASON_OK;
    if (good && !forward) {
        call->strip[call->answer.n_strip++] =
            verifier->jwt_on ? verifier->jwt.header.value : "authorization";
    }
    if (good && !call->answer.user) {
        call->answer.user = user_of(slot);
        call->answer.issuer = slot->jwt ? hf_jwt_text(slot->jwt, "iss") : NULL;
    }
}

/* For the log and for backends. Without memory there is none: telling nobody is safe. */
static void show_user(struct hf_auth_call *call)
{
    const char *user = call->answer.user;
    call->user_text = HF_BUF_INIT(USER_TEXT_MAX + 8);
    if (user && *user &&
        hf_append_printable(&call->user_text, hf_bytes_str(user), USER_TEXT_MAX) == HF_OK) {
        call->answer.user_text = hf_buf_cstr(&call->user_text);
    }
}

static void conclude(struct hf_auth_call *call, struct result result)
{
    call->answer.reason = result.outcome == HOLDS ? HF_REASON_OK : result.reason;
    call->answer.strip = call->strip;
    for (size_t i = 0; i < call->n_slots; i++) {
        note_use(call, &call->slots[i]);
    }
    if (result.outcome == HOLDS) {
        show_user(call);
        return;
    }
    bool ours = result.reason == HF_REASON_KEYS_UNAVAILABLE || result.reason == HF_REASON_AUTH_BUSY;
    if (ours) {
        call->answer.retry_after_s = RETRY_S;
    }
    challenge_all(call, result.reason);
}

/* --- The call -----------------------------------------------------------------------------------
 */

/* Every verifier has its slot from the start, so that each is among the challenges. */
static void make_slots(struct hf_auth_call *call, const struct hf_cfg_auth_expr *expr)
{
    if (expr->op == HF_AUTH_USE) {
        (void)slot_of(call, expr->verifier);
    }
    for (size_t i = 0; i < expr->n_parts; i++) {
        make_slots(call, &expr->parts[i]);
    }
}

/* Slots that were not looked at count as not shown. */
static enum hf_auth_step look(struct hf_auth_call *call)
{
    struct result result = evaluate(call, call->ask.expr);
    if (result.outcome == WAITS) {
        return HF_AUTH_WAIT;
    }
    for (size_t i = 0; i < call->n_slots; i++) {
        if (call->slots[i].found == HF_AUTH_UNKNOWN) {
            call->slots[i].reason = HF_REASON_AUTH_REQUIRED;
        }
    }
    conclude(call, result);
    return HF_AUTH_DONE;
}

void hf_auth_go_on(struct hf_auth_call *call)
{
    if (look(call) == HF_AUTH_DONE) {
        call->ask.on_done(call->ask.ctx);
    }
}

enum hf_auth_step hf_auth_begin(const struct hf_auth_ask *ask, struct hf_auth_call **out)
{
    struct hf_auth_call *call = HF_NEW(struct hf_auth_call);
    *out = call;
    if (!call) {
        return HF_AUTH_DONE;
    }
    call->ask = *ask;
    call->has_cert = ask->cert_sha256 != NULL;
    if (call->has_cert) {
        memcpy(call->cert_sha256, ask->cert_sha256, sizeof(call->cert_sha256));
    }
    hf_limit_place_of(ask->address, &call->place);
    make_slots(call, ask->expr);
    return look(call);
}

const struct hf_auth_answer *hf_auth_answer(const struct hf_auth_call *call)
{
    return &call->answer;
}

void hf_auth_end(struct hf_auth_call *call)
{
    if (!call) {
        return;
    }
    hf_link_remove(&call->waiter.link);
    if (call->job) {
        hf_auth_job_leave(call->job);
    }
    for (size_t i = 0; i < call->n_slots; i++) {
        hf_jwt_unref(call->slots[i].jwt);
        hf_free(call->slots[i].user);
    }
    hf_buf_done(&call->user_text);
    hf_free(call);
}
