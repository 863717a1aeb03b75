// SPDX-License-Identifier: Apache-2.0
/*
 * What an exchange asks beside the certificate, and how much its client may ask at all. Limits come
 * first, since they cost least; a client without a certificate is counted by its token or user once
 * that is known. Credentials are looked at when the verdict wants them: no route, no look.
 */
#include "http/refusal.h"
#include "proxy/auth.h"
#include "proxy/client_limits.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"

/* --- Limits -------------------------------------------------------------------------------------
 */

static void refuse_for(struct hf_exchange *x, enum hf_reason reason)
{
    x->verdict.allow = false;
    x->verdict.reason = reason;
    x->verdict.status = hf_request_status(reason);
    hf_exchange_refuse(x, HF_MISHAP_REFUSED);
}

static bool take(struct hf_exchange *x, struct hf_rate *rate, const struct hf_cfg_rate *cfg,
                 const struct hf_limit_key *key)
{
    return hf_limit_take(rate, cfg, key, hf_clock_mono_ns(x->hub->worker->clock),
                         &x->retry_after_s);
}

bool hf_exchange_within_limits(struct hf_exchange *x)
{
    const struct hf_cfg_limits *cfg = &x->door->cfg->limits;
    const struct hf_limits *limits = &x->door->state->limits;
    const struct hf_session *session = x->session;
    struct hf_limit_key key;
    bool within = true;
    if (cfg->per_address.rule.interval_ns) {
        struct hf_addr peer;
        hf_session_peer(session, &peer);
        hf_limit_place_of(&peer, &key);
        within = take(x, limits->addresses, &cfg->per_address, &key);
    }
    if (within && cfg->per_identity.rule.interval_ns && session->verified && session->identity) {
        hf_limit_identity_of(session->identity, &key);
        within = take(x, limits->identities, &cfg->per_identity, &key);
    }
    if (!within) {
        refuse_for(x, HF_REASON_RATE_LIMITED);
    }
    return within;
}

/* Those whom no certificate names are counted by what they showed. */
static bool user_within_limits(struct hf_exchange *x, const struct hf_auth_answer *answer)
{
    const struct hf_cfg_limits *cfg = &x->door->cfg->limits;
    bool named = x->session->verified && x->session->identity;
    struct hf_limit_key key;
    if (named || !answer->user || !cfg->per_identity.rule.interval_ns) {
        return true;
    }
    hf_limit_user_of(answer->issuer, answer->user, &key);
    return take(x, x->door->state->limits.identities, &cfg->per_identity, &key);
}

/* --- Credentials --------------------------------------------------------------------------------
 */

static bool nth_field(void *ctx, const char *name, size_t nth, struct hf_bytes *out_value)
{
    const struct hf_http_msg *msg = ctx;
    const struct hf_http_field *field = NULL;
    do {
        field = hf_http_msg_find(msg, hf_bytes_str(name), field);
    } while (field && nth-- > 0);
    if (field) {
        *out_value = hf_http_msg_value(msg, field);
    }
    return field != NULL;
}

static void use_answer(struct hf_exchange *x)
{
    const struct hf_auth_answer *answer = hf_auth_answer(x->auth);
    x->auth_waits = false;
    if (answer->reason == HF_REASON_OK && !user_within_limits(x, answer)) {
        refuse_for(x, HF_REASON_RATE_LIMITED);
        return;
    }
    x->retry_after_s = answer->retry_after_s;
    bool passed = answer->reason == HF_REASON_OK;
    hf_exchange_judge(x, passed ? HF_AUTH_PASSED : HF_AUTH_FAILED, answer->reason);
}

static void on_done(void *ctx)
{
    use_answer(ctx);
}

void hf_exchange_authenticate(struct hf_exchange *x)
{
    const struct hf_session *session = x->session;
    const struct hf_cfg_route *route = &x->door->cfg->routes[x->verdict.route];
    struct hf_addr peer;
    uint8_t cert[32];
    bool shown = session->identity &&
                 hf_unhex(session->identity->sha256, hf_span_of(cert, sizeof(cert))) == HF_OK;
    hf_session_peer(session, &peer);
    if (!x->gen->snapshot->auth || !route->auth) {
        refuse_for(x, HF_REASON_INTERNAL);
        return;
    }
    struct hf_auth_ask ask = {
        .service = x->gen->snapshot->auth_service,
        .set = x->gen->snapshot->auth,
        .expr = route->auth,
        .worker = x->hub->worker->index,
        .loop = x->hub->worker->loop,
        .cert_sha256 = shown ? cert : NULL,
        .address = &peer,
        .header = nth_field,
        .header_ctx = x->request,
        .on_done = on_done,
        .ctx = x,
    };
    enum hf_auth_step step = hf_auth_begin(&ask, &x->auth);
    if (!x->auth) {
        refuse_for(x, HF_REASON_INTERNAL);
    } else if (step == HF_AUTH_DONE) {
        use_answer(x);
    } else {
        x->auth_waits = true;
    }
}

void hf_exchange_auth_strip(struct hf_exchange *x)
{
    const struct hf_auth_answer *answer = x->auth ? hf_auth_answer(x->auth) : NULL;
    for (size_t i = 0; answer && i < answer->n_strip; i++) {
        (void)hf_http_msg_remove_str(x->request, answer->strip[i]);
    }
}

void hf_exchange_auth_cancel(struct hf_exchange *x)
{
    if (x->auth_waits) {
        hf_exchange_auth_done(x);
    }
}

void hf_exchange_auth_done(struct hf_exchange *x)
{
    x->auth_waits = false;
    hf_auth_end(HF_TAKE(x->auth));
}

void hf_exchange_auth_describe(const struct hf_exchange *x, struct hf_refusal *out)
{
    const struct hf_auth_answer *answer = x->auth ? hf_auth_answer(x->auth) : NULL;
    out->retry_after_s = x->retry_after_s;
    if (answer && out->status != 429 && out->status != 503) {
        out->challenges = answer->challenges;
        out->n_challenges = answer->n_challenges;
    }
}

const char *hf_exchange_auth_user(const struct hf_exchange *x)
{
    return x->auth && !x->auth_waits ? hf_auth_answer(x->auth)->user_text : NULL;
}
