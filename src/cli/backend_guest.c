// SPDX-License-Identifier: Apache-2.0
/*
 * Between socket and HTTP: first the PROXY header, then TLS, each where it was asked for.
 *
 *     [PROXY v2: alice came from 192.0.2.7 by TLSv1.3][TLS: the proxy's own certificate][HTTP ...]
 */
#include <stdio.h>

#include "base/mem.h"
#include "cli/backend.h"
#include "policy/verdict.h"

enum { PLAIN_PORTION = 16384 };

static enum hf_err open_guest(void *ctx, const struct hf_addr *peer, void **out_state)
{
    struct hf_backend *backend = ctx;
    struct hf_backend_guest *guest = HF_NEW(struct hf_backend_guest);
    if (!guest) {
        return HF_E_NOMEM;
    }
    guest->backend = backend;
    guest->peer = *peer;
    guest->header_bytes = HF_BUF_INIT(HF_PROXY_HEADER_SIZE_MAX);
    if (backend->tls) {
        enum hf_err err = hf_tls_new_server(backend->tls, guest, &guest->tls);
        if (err != HF_OK) {
            hf_free(guest);
            return err;
        }
    }
    *out_state = guest;
    return HF_OK;
}

static void close_guest(void *state)
{
    struct hf_backend_guest *guest = state;
    hf_tls_free(guest->tls);
    hf_identity_unref(guest->told);
    hf_identity_unref(guest->shown);
    hf_buf_done(&guest->header_bytes);
    hf_free(guest);
}

static void say(const struct hf_backend_guest *guest, const char *what, const char *why)
{
    char line[1024];
    char peer[HF_ADDR_TEXT_SIZE];
    hf_addr_format(&guest->peer, peer);
    snprintf(line, sizeof(line), "%s: %s: %s", peer, what, why);
    guest->backend->say(guest->backend->say_ctx, line);
}

/* --- The PROXY header ---------------------------------------------------------------------------
 */

/* A certificate that can't be read leaves the guest without a name, and is said. */
static void take_told(struct hf_backend_guest *guest)
{
    struct hf_cert *cert = NULL;
    if (guest->header.tls.cert.len == 0) {
        return;
    }
    if (hf_cert_from_der(guest->header.tls.cert, &cert) != HF_OK ||
        hf_identity_new(cert, &guest->told) != HF_OK) {
        say(guest, "the certificate in the PROXY header can't be read", hf_err_text());
    }
    hf_cert_unref(cert);
}

/* The header is kept, for what was read from it are views. */
static enum hf_filter_step read_header(struct hf_backend_guest *guest, struct hf_buf *net_in)
{
    size_t used;
    enum hf_proxy_step step = hf_proxy_decode(hf_buf_bytes(net_in), &guest->header, &used);
    if (step == HF_PROXY_MORE) {
        return HF_FILTER_OK;
    }
    if (step == HF_PROXY_BAD) {
        say(guest, "no good PROXY header", hf_err_text());
        return HF_FILTER_FAILED;
    }
    if (hf_buf_append(&guest->header_bytes, hf_bytes_of(hf_buf_bytes(net_in).ptr, used)) != HF_OK ||
        hf_proxy_decode(hf_buf_bytes(&guest->header_bytes), &guest->header, &used) !=
            HF_PROXY_DONE) {
        return HF_FILTER_FAILED;
    }
    hf_buf_consume(net_in, used);
    guest->has_header = true;
    take_told(guest);
    return HF_FILTER_OK;
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_backend_guest *guest = conn_ctx;
    struct hf_verdict verdict;
    struct hf_judge_input input = {
        .mode = guest->backend->trust ? HF_CLIENT_REQUIRE : HF_CLIENT_NONE,
        .trust = guest->backend->trust,
        .chain = peer->chain,
        .usage = HF_USAGE_CLIENT,
        .now_s = hf_clock_wall_s(hf_loop_clock(guest->backend->loop)),
    };
    hf_verdict_judge(&input, &verdict);
    snprintf(guest->refusal, sizeof(guest->refusal), "%s", verdict.text);
    return (struct hf_tls_answer){verdict.allow, verdict.alert};
}

const struct hf_tls_judge hf_backend_judge = {judge};

static enum hf_filter_step failed(struct hf_backend_guest *guest)
{
    const struct hf_tls_failure *failure = hf_tls_failure(guest->tls);
    bool judged = failure->reason == HF_REASON_OK;
    say(guest, "TLS refused", judged ? guest->refusal : failure->text);
    return HF_FILTER_FAILED;
}

/* The view of net_in that a TLS call consumes from. */
static struct hf_tls_io tls_io(struct hf_httpd_pipes *pipes)
{
    struct hf_buf *in = pipes->net_in;
    return (struct hf_tls_io){hf_span_of(in->mem ? in->mem + in->start : NULL, hf_buf_len(in)),
                              pipes->net_out};
}

static void consumed(struct hf_httpd_pipes *pipes, const struct hf_tls_io *io)
{
    hf_buf_consume(pipes->net_in, hf_buf_len(pipes->net_in) - io->in.len);
}

static enum hf_filter_step shake_hands(struct hf_backend_guest *guest, struct hf_httpd_pipes *pipes)
{
    struct hf_tls_io io = tls_io(pipes);
    enum hf_tls_step step;
    while ((step = hf_tls_handshake(guest->tls, &io)) == HF_TLS_WANT_JOB) {
        hf_tls_job_run(hf_tls_job(guest->tls));
    }
    consumed(pipes, &io);
    if (step == HF_TLS_FAILED) {
        return failed(guest);
    }
    if (step == HF_TLS_DONE) {
        struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
        guest->ready = true;
        if (hf_tls_get_peer_chain(guest->tls, &chain) != HF_OK ||
            (chain && hf_identity_new(chain->certs[0], &guest->shown) != HF_OK)) {
            say(guest, "the client's certificate can't be shown", hf_err_text());
        }
    }
    return step == HF_TLS_CLOSED ? HF_FILTER_CLOSED : HF_FILTER_OK;
}

static enum hf_filter_step decrypt(struct hf_backend_guest *guest, struct hf_httpd_pipes *pipes)
{
    enum hf_tls_step step = HF_TLS_DONE;
    while (step == HF_TLS_DONE && hf_buf_room(pipes->in) >= PLAIN_PORTION) {
        struct hf_tls_io io = tls_io(pipes);
        struct hf_span room;
        size_t n;
        if (hf_buf_reserve(pipes->in, PLAIN_PORTION, &room) != HF_OK) {
            return HF_FILTER_FAILED;
        }
        step = hf_tls_read(guest->tls, &io, room, &n);
        consumed(pipes, &io);
        hf_buf_commit(pipes->in, n);
    }
    if (step == HF_TLS_FAILED) {
        return failed(guest);
    }
    return step == HF_TLS_CLOSED ? HF_FILTER_CLOSED : HF_FILTER_OK;
}

static enum hf_filter_step encrypt(struct hf_backend_guest *guest, struct hf_httpd_pipes *pipes)
{
    enum hf_tls_step step = HF_TLS_DONE;
    struct hf_tls_io io = tls_io(pipes);
    while (step == HF_TLS_DONE && hf_buf_len(pipes->out)) {
        size_t n = 0;
        step = hf_tls_write(guest->tls, &io, hf_buf_bytes(pipes->out), &n);
        hf_buf_consume(pipes->out, n);
    }
    bool last = pipes->finish && hf_buf_len(pipes->out) == 0 && !guest->closed;
    if (step == HF_TLS_DONE && last) {
        step = hf_tls_close(guest->tls, &io);
        guest->closed = step == HF_TLS_DONE;
    }
    return step == HF_TLS_FAILED ? failed(guest) : HF_FILTER_OK;
}

/* --- Both ---------------------------------------------------------------------------------------
 */

static enum hf_filter_step move(struct hf_buf *from, struct hf_buf *to)
{
    size_t n = hf_buf_len(from) < hf_buf_room(to) ? hf_buf_len(from) : hf_buf_room(to);
    if (hf_buf_append(to, hf_bytes_of(hf_buf_bytes(from).ptr, n)) != HF_OK) {
        return HF_FILTER_FAILED;
    }
    hf_buf_consume(from, n);
    return HF_FILTER_OK;
}

static enum hf_filter_step run(void *state, struct hf_httpd_pipes *pipes)
{
    struct hf_backend_guest *guest = state;
    enum hf_filter_step step = HF_FILTER_OK;
    if (guest->backend->proxy_protocol && !guest->has_header) {
        step = read_header(guest, pipes->net_in);
        if (step != HF_FILTER_OK || !guest->has_header) {
            return step;
        }
    }
    if (!guest->tls) {
        step = move(pipes->net_in, pipes->in);
        return step == HF_FILTER_OK ? move(pipes->out, pipes->net_out) : step;
    }
    if (!guest->ready) {
        step = shake_hands(guest, pipes);
        if (step != HF_FILTER_OK || !guest->ready) {
            return step;
        }
    }
    step = decrypt(guest, pipes);
    enum hf_filter_step sent = step == HF_FILTER_FAILED ? step : encrypt(guest, pipes);
    return sent == HF_FILTER_FAILED ? sent : step;
}

struct hf_httpd_filter hf_backend_filter(struct hf_backend *backend)
{
    return (struct hf_httpd_filter){open_guest, run, close_guest, backend};
}
