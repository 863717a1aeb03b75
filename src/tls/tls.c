// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_impl.h"

/*
 * The seam's own part: it checks what every engine would have to check, picks the engine of a
 * context, and passes calls on through the table of operations that each object begins with. What
 * is common to all engines' connections - the peer's chain, the judge, the failure - lives here.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { TICKET_LIFETIME_MAX_S = 7 * 24 * 3600, TICKET_SECRET_MIN = 32, ALPN_LIST_MAX = 65535 };

static const struct {
    const char *name;
    const struct hf_tls_ops *ops; /* NULL: not in this build */
} engines[] = {
    [HF_TLS_ENGINE_AUTO] = {"auto", &hf_tls_native},
    [HF_TLS_ENGINE_LIBSSL] = {"libssl", &hf_tls_libssl},
    [HF_TLS_ENGINE_NATIVE] = {"native", &hf_tls_native},
};

/* --- Contexts --- */

/* least: the version below which the native engine isn't fit for the role. */
static enum hf_err pick_engine(enum hf_tls_engine engine, enum hf_tls_version least,
                               const struct hf_tls_ops **out)
{
    if ((unsigned)engine >= HF_N_ELEMENTS(engines)) {
        return hf_fail(HF_E_INVALID, "TLS engine number %d doesn't exist", (int)engine);
    }
    if (!engines[engine].ops) {
        return hf_fail(HF_E_UNSUPPORTED, "this build has no %s TLS engine", engines[engine].name);
    }
    *out = least < HF_TLS_1_3 ? &hf_tls_libssl : engines[engine].ops;
    return HF_OK;
}

/* Was something asked for that libssl would pass over? */
static bool wants_native(const struct hf_tls_common *common)
{
    return common->signatures || common->own_signatures || common->cert_compression ||
           common->record_size_limit || common->record_padding;
}

/* Left to choose, we choose the engine that can do what is asked: libssl knows more groups and
 * kinds of keys. When it can't either, its words are the ones to say. */
static bool leaves_it_to_libssl(const struct hf_tls_common *common, const struct hf_tls_ops *tried,
                                enum hf_err err)
{
    return common->engine == HF_TLS_ENGINE_AUTO && !wants_native(common) &&
           tried != &hf_tls_libssl && (err == HF_E_UNSUPPORTED || err == HF_E_INVALID);
}

static bool is_version(enum hf_tls_version version)
{
    return version == HF_TLS_1_2 || version == HF_TLS_1_3;
}

static enum hf_err check_common(struct hf_tls_common *common, const struct hf_tls_judge *judge)
{
    common->min_version = common->min_version ? common->min_version : HF_TLS_1_2;
    common->max_version = common->max_version ? common->max_version : HF_TLS_1_3;
    if (!is_version(common->min_version) || !is_version(common->max_version)) {
        return hf_fail(HF_E_INVALID, "TLS versions are 1.2 and 1.3, nothing else");
    }
    if (common->min_version > common->max_version) {
        return hf_fail(HF_E_INVALID, "the least TLS version is newer than the greatest");
    }
    if (!judge->judge || !common->clock || !common->rng) {
        return hf_fail(HF_E_INVALID, "a TLS context needs a judge, a clock and a random source");
    }
    struct hf_buf alpn HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(ALPN_LIST_MAX);
    return hf_tls_alpn_encode(common->alpn, &alpn);
}

static enum hf_err check_ticket_keys(const struct hf_tls_ticket_keys *keys)
{
    if (keys->n_keys == 0 || keys->n_keys > HF_TLS_TICKET_KEYS) {
        return hf_fail(HF_E_INVALID, "tickets need 1 to %d ticket keys, not %zu",
                       HF_TLS_TICKET_KEYS, keys->n_keys);
    }
    for (size_t i = 0; i < keys->n_keys; i++) {
        if (keys->key[i].secret.len < TICKET_SECRET_MIN) {
            return hf_fail(HF_E_INVALID, "a ticket key is shorter than %d bytes",
                           TICKET_SECRET_MIN);
        }
    }
    return HF_OK;
}

static enum hf_err check_tickets(const struct hf_tls_server_config *config)
{
    if (!config->tickets) {
        return HF_OK;
    }
    HF_TRY(check_ticket_keys(&config->ticket_keys));
    if (config->ticket_lifetime_s <= 0 || config->ticket_lifetime_s > TICKET_LIFETIME_MAX_S) {
        return hf_fail(HF_E_INVALID, "a ticket lives more than 0 s and at most 7 days");
    }
    return HF_OK;
}

static enum hf_err check_server(const struct hf_tls_server_config *config)
{
    if (config->n_identities == 0) {
        return hf_fail(HF_E_INVALID, "a TLS server needs an identity");
    }
    if (config->n_policies == 0) {
        return hf_fail(HF_E_INVALID, "a TLS server needs a policy for client certificates");
    }
    for (size_t i = 1; i < config->n_policies; i++) {
        if (!config->policies[i].sni) {
            return hf_fail(HF_E_INVALID, "policy %zu has no server name; only the first may", i);
        }
    }
    return check_tickets(config);
}

enum hf_err hf_tls_server_ctx_new(const struct hf_tls_server_config *config,
                                  struct hf_tls_ctx **out)
{
    *out = NULL;
    struct hf_tls_server_config checked = *config;
    const struct hf_tls_ops *ops = NULL;
    enum hf_err err = check_common(&checked.common, &checked.judge);
    err = err ? err : check_server(&checked);
    err = err ? err : pick_engine(checked.common.engine, checked.common.max_version, &ops);
    bool fit = !err;
    err = err ? err : ops->server_ctx_new(&checked, out);
    fit = fit && !checked.cookie && !checked.post_handshake_auth; /* the native engine's too */
    if (fit && leaves_it_to_libssl(&checked.common, ops, err)) {
        err = hf_tls_libssl.server_ctx_new(&checked, out);
    }
    hf_wipe(&checked.ticket_keys, sizeof(checked.ticket_keys));
    return err;
}

enum hf_err hf_tls_client_ctx_new(const struct hf_tls_client_config *config,
                                  struct hf_tls_ctx **out)
{
    *out = NULL;
    struct hf_tls_client_config checked = *config;
    const struct hf_tls_ops *ops = NULL;
    HF_TRY(check_common(&checked.common, &checked.judge));
    HF_TRY(pick_engine(checked.common.engine, checked.common.min_version, &ops));
    enum hf_err err = ops->client_ctx_new(&checked, out);
    bool fit = !checked.n_ca_names && !checked.post_handshake_auth;
    if (fit && leaves_it_to_libssl(&checked.common, ops, err)) {
        err = hf_tls_libssl.client_ctx_new(&checked, out);
    }
    return err;
}

struct hf_tls_ctx *hf_tls_ctx_ref(struct hf_tls_ctx *ctx)
{
    atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return ctx;
}

enum hf_err hf_tls_ctx_set_ticket_keys(struct hf_tls_ctx *ctx,
                                       const struct hf_tls_ticket_keys *keys)
{
    HF_TRY(check_ticket_keys(keys));
    return ctx->ops->set_ticket_keys(ctx, keys);
}

enum hf_err hf_tls_ctx_set_staple(struct hf_tls_ctx *ctx, const struct hf_credential *credential,
                                  struct hf_bytes staple)
{
    return ctx->ops->set_staple(ctx, credential, staple);
}

void hf_tls_ctx_unref(struct hf_tls_ctx *ctx)
{
    if (ctx && atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) == 1) {
        ctx->ops->ctx_free(ctx);
    }
}

/* --- For engines --- */

void hf_tls_ctx_base_init(struct hf_tls_ctx *base, const struct hf_tls_ops *ops,
                          const struct hf_tls_common *common, const struct hf_tls_judge *judge)
{
    base->ops = ops;
    atomic_init(&base->refs, 1);
    base->judge = *judge;
    base->clock = common->clock;
    base->rng = common->rng;
    base->keylog = common->keylog;
}

/* What hf_tls_failure shows when there was no memory for the particulars. Never written. */
static struct hf_tls_failure out_of_memory = {HF_REASON_INTERNAL, "out of memory"};

void hf_tls_base_init(struct hf_tls *base, struct hf_tls_ctx *ctx, void *conn_ctx)
{
    base->ops = ctx->ops;
    base->ctx = hf_tls_ctx_ref(ctx);
    base->conn_ctx = conn_ctx;
}

void hf_tls_base_done(struct hf_tls *base)
{
    hf_tls_set_peer_chain(base, NULL);
    if (base->failure != &out_of_memory) {
        hf_free(base->failure);
    }
    hf_tls_ctx_unref(base->ctx);
    *base = (struct hf_tls){0};
}

void hf_tls_set_failure(struct hf_tls *tls, enum hf_reason reason, const char *format, ...)
{
    if (tls->failure) {
        return;
    }
    tls->failure = HF_NEW(struct hf_tls_failure);
    if (!tls->failure) {
        tls->failure = &out_of_memory;
        return;
    }
    tls->failure->reason = reason;
    va_list args;
    va_start(args, format);
    vsnprintf(tls->failure->text, sizeof(tls->failure->text), format, args);
    va_end(args);
}

void hf_tls_set_peer_chain(struct hf_tls *tls, struct hf_chain *chain)
{
    hf_chain_unref(tls->peer_chain);
    hf_ders_unref(HF_TAKE(tls->peer_ders));
    tls->peer_chain = chain;
}

void hf_tls_pack_peer(struct hf_tls *tls)
{
    struct hf_ders *ders;
    if (tls->peer_chain && hf_chain_ders(tls->peer_chain, &ders) == HF_OK) {
        hf_tls_set_peer_chain(tls, NULL);
        tls->peer_ders = ders;
    }
}

struct hf_tls_answer hf_tls_judge_peer(struct hf_tls *tls, const struct hf_tls_policy *policy,
                                       const char *sni, bool resumed)
{
    const struct hf_tls_peer peer = {.chain = tls->peer_chain,
                                     .policy = policy,
                                     .sni = sni,
                                     .resumed = resumed,
                                     .staple = tls->peer_staple,
                                     .ca_staples = tls->peer_ca_staples};
    struct hf_tls_answer answer = tls->ctx->judge.judge(tls->conn_ctx, &peer);
    answer.wait = answer.wait && !answer.admit && !resumed && peer.chain;
    if (!answer.admit && answer.alert == HF_ALERT_NONE) {
        answer.alert = HF_ALERT_HANDSHAKE_FAILURE;
    }
    return answer;
}

enum hf_err hf_tls_alpn_encode(const char *const *alpn, struct hf_buf *out)
{
    for (; alpn && *alpn; alpn++) {
        size_t len = strlen(*alpn);
        if (len == 0 || len > 255) {
            return hf_fail(HF_E_INVALID, "an ALPN name has 1 to 255 bytes, not %zu", len);
        }
        HF_TRY(hf_buf_u8(out, (uint8_t)len));
        HF_TRY(hf_buf_append_str(out, *alpn));
    }
    return HF_OK;
}

/* --- Connections --- */

enum hf_err hf_tls_new_server(struct hf_tls_ctx *ctx, void *conn_ctx, struct hf_tls **out)
{
    *out = NULL;
    return ctx->ops->new_server(ctx, conn_ctx, out);
}

enum hf_err hf_tls_new_client(struct hf_tls_ctx *ctx, void *conn_ctx, const char *sni,
                              const struct hf_tls_session *session, struct hf_tls **out)
{
    *out = NULL;
    bool ours = session && session->ops == ctx->ops;
    return ctx->ops->new_client(ctx, conn_ctx, sni, ours ? session : NULL, out);
}

void hf_tls_free(struct hf_tls *tls)
{
    if (tls) {
        tls->ops->free(tls);
    }
}

enum hf_tls_step hf_tls_handshake(struct hf_tls *tls, struct hf_tls_io *io)
{
    return tls->ops->handshake(tls, io);
}

enum hf_tls_step hf_tls_read(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                             size_t *out_n)
{
    *out_n = 0;
    return tls->ops->read(tls, io, into, out_n);
}

enum hf_tls_step hf_tls_write(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                              size_t *out_n)
{
    *out_n = 0;
    return tls->ops->write(tls, io, plain, out_n);
}

enum hf_tls_step hf_tls_close(struct hf_tls *tls, struct hf_tls_io *io)
{
    return tls->ops->close(tls, io);
}

enum hf_err hf_tls_ask_certificate(struct hf_tls *tls, struct hf_tls_io *io)
{
    if (!tls->ops->ask) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "the %s engine can't ask for a certificate after the "
                       "handshake",
                       tls->ops->name);
    }
    return tls->ops->ask(tls, io);
}

void hf_tls_abort(struct hf_tls *tls, struct hf_tls_io *io, uint8_t alert)
{
    tls->ops->abort(tls, io, alert);
}

void hf_tls_quiet(struct hf_tls *tls)
{
    tls->ops->quiet(tls);
}

struct hf_tls_job *hf_tls_job(struct hf_tls *tls)
{
    return tls->ops->job ? tls->ops->job(tls) : NULL;
}

void hf_tls_job_run(struct hf_tls_job *job)
{
    job->ops->job_run(job);
}

void hf_tls_info(const struct hf_tls *tls, struct hf_tls_info *out)
{
    *out = (struct hf_tls_info){
        .engine = tls->ops->name, .alert_sent = HF_ALERT_NONE, .alert_received = HF_ALERT_NONE};
    tls->ops->info(tls, out);
}

enum hf_err hf_tls_get_peer_chain(struct hf_tls *tls, struct hf_chain **out)
{
    *out = NULL;
    if (tls->peer_ders) {
        return tls->ops->unpack(tls, tls->peer_ders, out);
    }
    *out = tls->peer_chain ? hf_chain_ref(tls->peer_chain) : NULL;
    return HF_OK;
}

enum hf_err hf_tls_get_peer_ders(struct hf_tls *tls, struct hf_ders **out)
{
    *out = tls->peer_ders ? hf_ders_ref(tls->peer_ders) : NULL;
    return tls->peer_chain ? hf_chain_ders(tls->peer_chain, out) : HF_OK;
}

const struct hf_tls_failure *hf_tls_failure(const struct hf_tls *tls)
{
    return tls->failure;
}

enum hf_err hf_tls_export(struct hf_tls *tls, const char *label, struct hf_bytes context,
                          struct hf_span out)
{
    return tls->ops->export_key(tls, label, context, out);
}

struct hf_tls_session *hf_tls_take_session(struct hf_tls *tls)
{
    return tls->ops->take_session(tls);
}

void hf_tls_session_free(struct hf_tls_session *session)
{
    if (session) {
        session->ops->session_free(session);
    }
}
