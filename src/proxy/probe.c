// SPDX-License-Identifier: Apache-2.0
/*
 * A probe's connection. Its end is told once: whatever ends it first (the answer, a failure, the
 * deadline) cancels the rest. Memory goes at the end of the loop's turn, since the speech may be
 * deep in a callback of its own when the answer comes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/probe_impl.h"
#include "proxy/proxy_protocol.h"

enum { MSG_BYTES_MAX = 64 << 10, MSG_FIELDS_MAX = 120 };

void hf_probe_env_init(struct hf_probe_env *env)
{
    hf_http_msg_pool_init(&env->msgs, MSG_BYTES_MAX, MSG_FIELDS_MAX);
    env->h2 = (struct hf_h2_config){
        .limits = hf_h2_limits_default, .events = &hf_probe_h2_events, .msgs = &env->msgs};
}

void hf_probe_env_done(struct hf_probe_env *env)
{
    hf_http_msg_pool_done(&env->msgs);
}

/* --- Ending -------------------------------------------------------------------------------------
 */

static void end(struct hf_probe *probe, bool good)
{
    if (probe->ended) {
        return;
    }
    probe->ended = true;
    hf_timer_cancel(&probe->deadline);
    probe->on_end(probe->ctx, good, probe->why); /* may free the probe, after this turn */
}

void hf_probe_good(struct hf_probe *probe)
{
    probe->why[0] = '\0';
    end(probe, true);
}

void hf_probe_bad(struct hf_probe *probe, const char *format, ...)
{
    if (probe->ended) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(probe->why, sizeof(probe->why), format, args);
    va_end(args);
    end(probe, false);
}

static void free_later(struct hf_task *task)
{
    struct hf_probe *probe = HF_CONTAINER_OF(task, struct hf_probe, free_task);
    if (probe->speech) {
        probe->speech->done(probe);
    }
    hf_free(probe);
}

void hf_probe_free(struct hf_probe *probe)
{
    if (!probe) {
        return;
    }
    probe->ended = true;
    hf_timer_cancel(&probe->deadline);
    hf_dial_free(HF_TAKE(probe->dial));
    if (hf_leg_open(&probe->leg)) {
        hf_sock_reset(probe->leg.watch.fd); /* no TIME_WAIT for what was only a question */
    }
    hf_server_check_done(&probe->check);
    hf_leg_close(&probe->leg, probe->env->loop);
    probe->free_task.run = free_later;
    hf_loop_defer(probe->env->loop, &probe->free_task);
}

static void on_deadline(struct hf_timer *timer)
{
    struct hf_probe *probe = HF_CONTAINER_OF(timer, struct hf_probe, deadline);
    const char *where = probe->dial          ? "connecting"
                        : probe->handshaking ? "the TLS handshake"
                                             : "the answer";
    hf_probe_bad(probe, "%s timed out", where);
}

/* --- Speaking -----------------------------------------------------------------------------------
 */

void hf_probe_write(struct hf_probe *probe, struct hf_bytes bytes)
{
    enum hf_move move = hf_leg_write(&probe->leg, probe->env->scratch, bytes);
    if (move != HF_MOVE_IDLE && move != HF_MOVE_BLOCKED) {
        hf_probe_bad(probe, "%s", hf_err_text());
    }
}

enum hf_err hf_probe_authority(const struct hf_probe *probe, struct hf_buf *out)
{
    const struct hf_cfg_server *cfg = &probe->target_cfg;
    if (probe->cfg->host.value) {
        return hf_buf_append_str(out, probe->cfg->host.value);
    }
    const char *host = cfg->host ? cfg->host : "localhost";
    bool bracket = strchr(host, ':') != NULL;
    unsigned usual = probe->target.upstream->tls ? 443 : 80;
    HF_TRY(hf_buf_printf(out, "%s%s%s", bracket ? "[" : "", host, bracket ? "]" : ""));
    return cfg->port && cfg->port != usual ? hf_buf_printf(out, ":%u", cfg->port) : HF_OK;
}

void hf_probe_judge_status(struct hf_probe *probe, unsigned status)
{
    for (size_t i = 0; i < probe->cfg->n_expect; i++) {
        if (status >= probe->cfg->expect[i].first && status <= probe->cfg->expect[i].last) {
            hf_probe_good(probe);
            return;
        }
    }
    hf_probe_bad(probe, "GET %s answered %u", probe->cfg->path.value, status);
}

static bool take(void *ctx, struct hf_bytes plain)
{
    struct hf_probe *probe = ctx;
    probe->speech->read(probe, plain);
    return !probe->ended;
}

static void want(struct hf_probe *probe)
{
    unsigned write = hf_buf_len(&probe->leg.held_out) ? HF_LOOP_WRITE : 0;
    hf_watch_want(probe->env->loop, &probe->leg.watch, HF_LOOP_READ | write);
}

static void read_more(struct hf_probe *probe)
{
    if (hf_buf_len(&probe->leg.held_out) && hf_leg_flush(&probe->leg) == HF_MOVE_LOST) {
        hf_probe_bad(probe, "%s", hf_err_text());
        return;
    }
    enum hf_move move = hf_leg_read(&probe->leg, probe->env->scratch, take, probe);
    if (probe->ended) {
        return;
    }
    switch (move) {
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        want(probe);
        return;
    case HF_MOVE_ENDED:
    case HF_MOVE_TRUNCATED:
        probe->speech->eof(probe);
        return;
    case HF_MOVE_TLS: {
        const struct hf_tls_failure *failure = hf_tls_failure(probe->leg.tls);
        hf_probe_bad(probe, "%s", failure ? failure->text : "TLS went no further");
        return;
    }
    default:
        hf_probe_bad(probe, "%s", hf_err_text());
    }
}

/* Is it HTTP/2 on this connection? By ALPN in TLS, by the upstream's protocol in plain text. */
static bool is_h2(const struct hf_probe *probe)
{
    if (!probe->leg.tls) {
        return probe->cfg->type == HF_CHECK_GRPC ||
               probe->target.upstream->cfg->protocol == HF_PROTOCOL_H2C;
    }
    struct hf_tls_info info;
    hf_tls_info(probe->leg.tls, &info);
    return info.alpn && strcmp(info.alpn, "h2") == 0;
}

static void ready(struct hf_probe *probe)
{
    probe->handshaking = false;
    if (probe->cfg->type == HF_CHECK_TCP || probe->cfg->type == HF_CHECK_TLS) {
        hf_probe_good(probe);
        return;
    }
    bool h2 = is_h2(probe);
    if (probe->cfg->type == HF_CHECK_GRPC && !h2) {
        hf_probe_bad(probe, "the server doesn't agree on h2, which gRPC needs");
        return;
    }
    if (probe->target.upstream->cfg->protocol == HF_PROTOCOL_H2 && !h2) {
        hf_probe_bad(probe, "the server doesn't speak HTTP/2 (ALPN)"); /* traffic says so too */
        return;
    }
    probe->speech = h2 ? &hf_probe_h2 : &hf_probe_h1;
    probe->speech->start(probe);
    if (!probe->ended) {
        read_more(probe);
    }
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

static void handshake(struct hf_probe *probe)
{
    enum hf_move move = hf_leg_handshake(&probe->leg, probe->env->scratch);
    switch (move) {
    case HF_MOVE_ENDED:
        ready(probe);
        return;
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        want(probe);
        return;
    case HF_MOVE_VERDICT: /* the check's deadline holds meanwhile */
        hf_watch_want(probe->env->loop, &probe->leg.watch,
                      hf_buf_len(&probe->leg.held_out) ? HF_LOOP_WRITE : 0);
        return;
    case HF_MOVE_TLS: {
        const struct hf_tls_failure *failure = hf_tls_failure(probe->leg.tls);
        bool refused = probe->check.judged && !probe->check.verdict.allow;
        hf_probe_bad(probe, "%s", refused ? probe->check.verdict.text : failure->text);
        return;
    }
    case HF_MOVE_TRUNCATED:
        hf_probe_bad(probe, "the server closed during the TLS handshake");
        return;
    default:
        hf_probe_bad(probe, "%s", hf_err_text());
    }
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_probe *probe = HF_CONTAINER_OF(leg, struct hf_probe, leg);
    if (events & HF_LOOP_HANGUP && hf_server_check_waits(&probe->check)) {
        hf_probe_bad(probe, "the server closed during the TLS handshake");
        return;
    }
    if (probe->ended) {
        hf_watch_want(probe->env->loop, watch, 0);
    } else if (probe->handshaking) {
        handshake(probe);
    } else if (probe->speech) {
        read_more(probe);
    }
}

static void on_verdict(struct hf_server_check *check)
{
    handshake(check->owner);
}

static void start_tls(struct hf_probe *probe)
{
    probe->handshaking = true;
    probe->leg.spent = false; /* it is for us to begin */
    probe->check = (struct hf_server_check){
        .clock = probe->env->clock,
        .ledger = probe->env->ledger,
        .server = &probe->target,
        .desk = probe->env->desk,
        .crl_desk = probe->env->crl_desk,
        .loop = probe->env->loop,
        .resume = on_verdict,
        .owner = probe,
    };
    if (hf_tls_new_client(probe->target.upstream->tls, &probe->check, probe->target.tls_sni, NULL,
                          &probe->leg.tls) != HF_OK) {
        hf_probe_bad(probe, "%s", hf_err_text());
        return;
    }
    handshake(probe);
}

/* --- Connecting ---------------------------------------------------------------------------------
 */

/* A backend that expects a PROXY header gets one that says that this is our own connection. */
static enum hf_err send_proxy_header(struct hf_probe *probe)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_PROXY_HEADER_SIZE_MAX);
    struct hf_proxy_header header = {.local = true};
    enum hf_cfg_proxy_out version = probe->target.upstream->cfg->proxy_out;
    if (version == HF_PROXY_OUT_NONE) {
        return HF_OK;
    }
    HF_TRY(version == HF_PROXY_OUT_V1 ? hf_proxy_encode_v1(&header, &out)
                                      : hf_proxy_encode_v2(&header, &out));
    return hf_leg_send(&probe->leg, hf_buf_bytes(&out)) == HF_MOVE_LOST ? HF_E_IO : HF_OK;
}

/* "10.0.0.1:80: connect: Connection refused" without what the reader knows. */
static const char *without_server(const struct hf_probe *probe, const char *why)
{
    size_t len = strlen(probe->target_cfg.text);
    bool begins =
        strncmp(why, probe->target_cfg.text, len) == 0 && strncmp(why + len, ": ", 2) == 0;
    return begins ? why + len + 2 : why;
}

static void on_dialled(void *ctx, const struct hf_dial_result *result)
{
    struct hf_probe *probe = ctx;
    if (result->end == HF_DIAL_EXHAUSTED) {
        hf_probe_bad(probe, "%s", without_server(probe, result->why));
        return;
    }
    hf_leg_init(&probe->leg, -1);
    probe->leg.spent = true;
    probe->leg.watch.on_event = on_event;
    probe->leg.watch.wanted = HF_LOOP_READ;
    hf_watch_move(probe->env->loop, result->watch, &probe->leg.watch);
    hf_dial_free(HF_TAKE(probe->dial));
    if (send_proxy_header(probe) != HF_OK) {
        hf_probe_bad(probe, "%s", hf_err_text());
    } else if (probe->target.upstream->tls && probe->cfg->type != HF_CHECK_TCP) {
        start_tls(probe);
    } else {
        ready(probe);
    }
}

static void set_target(struct hf_probe *probe, const struct hf_server *server)
{
    probe->target_cfg = *server->cfg;
    probe->target = *server;
    probe->target.cfg = &probe->target_cfg;
    if (probe->cfg->port && server->cfg->addr.sa.sa_family != AF_UNIX) {
        probe->target_cfg.port = (uint16_t)probe->cfg->port;
        if (server->cfg->is_address) {
            hf_addr_set_port(&probe->target_cfg.addr, (uint16_t)probe->cfg->port);
        }
    }
}

enum hf_err hf_probe_start(struct hf_probe_env *env, const struct hf_server *server,
                           hf_probe_fn *on_end, void *ctx, struct hf_probe **out)
{
    struct hf_dial_env dial_env = {env->loop, env->resolver, env->shard, .keep_watch = true};
    struct hf_probe *probe = HF_NEW(struct hf_probe);
    if (!probe) {
        return HF_E_NOMEM;
    }
    probe->env = env;
    probe->cfg = &server->upstream->cfg->check;
    probe->on_end = on_end;
    probe->ctx = ctx;
    probe->leg.watch.fd = -1;
    probe->deadline.on_due = on_deadline;
    set_target(probe, server);
    enum hf_err err = hf_dial_to(&dial_env, &probe->target, on_dialled, probe, &probe->dial);
    if (err != HF_OK) {
        hf_free(probe);
        return err;
    }
    hf_timer_set(env->loop, &probe->deadline, probe->cfg->timeout_ms);
    *out = probe;
    return HF_OK;
}
