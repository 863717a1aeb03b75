// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <stdio.h>
#include <string.h>

#include "pki/alert.h"

/*
 * Handshake, data and end of one connection. Every operation of the engine is repeated until it is
 * done, and in between the pump moves bytes or a job is run. With -async bytes come one at a time,
 * and each job is first left lying: the operation must ask for the same job again.
 */

static void report(struct shim *shim)
{
    const struct hf_tls_failure *failure = hf_tls_failure(shim->tls);
    struct hf_tls_info info;
    hf_tls_info(shim->tls, &info);
    shim_flush(shim);
    if (failure && failure->reason == HF_REASON_OK) {
        fprintf(stderr, "refused by the judge; ");
    }
    if (info.alert_sent != HF_ALERT_NONE) {
        fprintf(stderr, "sent alert %s; ", hf_alert_name(info.alert_sent));
    }
    if (info.alert_received != HF_ALERT_NONE) {
        fprintf(stderr, "received alert %s; ", hf_alert_name(info.alert_received));
    }
    fprintf(stderr, "%s: %s\n", failure ? hf_reason_code(failure->reason) : "?",
            failure ? failure->text : "?");
}

static void fail(struct shim *shim)
{
    report(shim);
    shim_disconnect(shim);
    die("the connection failed");
}

/* Does what a step asks for. False: the stream ended. */
static bool serve(struct shim *shim, enum hf_tls_step step, bool *job_seen)
{
    switch (step) {
    case HF_TLS_WANT_INPUT:
        return shim_fill(shim);
    case HF_TLS_WANT_OUTPUT:
        shim_flush(shim);
        return true;
    case HF_TLS_WANT_JOB:
        if (shim->flags->async && !*job_seen) {
            *job_seen = true;
            return true;
        }
        *job_seen = false;
        hf_tls_job_run(hf_tls_job(shim->tls));
        return true;
    default:
        return true;
    }
}

static struct hf_tls_io io_of(struct shim *shim)
{
    return (struct hf_tls_io){.in = hf_span_of(shim->in.mem ? shim->in.mem + shim->in.start : NULL,
                                               hf_buf_len(&shim->in)),
                              .out = &shim->out};
}

static void consumed(struct shim *shim, const struct hf_tls_io *io)
{
    hf_buf_consume(&shim->in, hf_buf_len(&shim->in) - io->in.len);
}

static void handshake(struct shim *shim)
{
    bool job_seen = false;
    for (;;) {
        struct hf_tls_io io = io_of(shim);
        enum hf_tls_step step = hf_tls_handshake(shim->tls, &io);
        consumed(shim, &io);
        shim_flush(shim);
        if (step == HF_TLS_DONE) {
            return;
        }
        if (step == HF_TLS_FAILED || step == HF_TLS_CLOSED) {
            fail(shim);
        }
        if (!serve(shim, step, &job_seen)) {
            die("the peer closed the connection during the handshake");
        }
    }
}

static void write_all(struct shim *shim, struct hf_bytes plain)
{
    bool job_seen = false;
    for (;;) {
        struct hf_tls_io io = io_of(shim);
        size_t n = 0;
        enum hf_tls_step step = hf_tls_write(shim->tls, &io, plain, &n);
        plain = hf_bytes_from(plain, n);
        shim_flush(shim);
        if (step == HF_TLS_DONE) {
            return;
        }
        if (step == HF_TLS_FAILED) {
            fail(shim);
        }
        if (!serve(shim, step, &job_seen)) {
            die("the peer closed the connection");
        }
    }
}

/* 0: the peer has closed, in order or not. */
static size_t read_some(struct shim *shim, struct hf_span into)
{
    bool job_seen = false;
    for (;;) {
        struct hf_tls_io io = io_of(shim);
        size_t n = 0;
        enum hf_tls_step step = hf_tls_read(shim->tls, &io, into, &n);
        consumed(shim, &io);
        shim_flush(shim);
        if (step == HF_TLS_DONE) {
            return n;
        }
        if (step == HF_TLS_FAILED) {
            fail(shim);
        }
        shim->closed_in = shim->closed_in || step == HF_TLS_CLOSED;
        if (step == HF_TLS_CLOSED || !serve(shim, step, &job_seen)) {
            return 0;
        }
    }
}

/* --- What the flags ask for after the handshake
 * ---------------------------------------------------- */

static void export_key(struct shim *shim, size_t len, bool send)
{
    const struct bogo_flags *flags = shim->flags;
    static uint8_t out[16384];
    const char *label = flags->export_label ? flags->export_label : "";
    const char *context = flags->use_export_context ? flags->export_context : NULL;
    struct hf_bytes view = context ? hf_bytes_str(context) : hf_bytes_of(NULL, 0);
    if (hf_tls_export(shim->tls, label, view, hf_span_of(out, len)) != HF_OK) {
        die("failed to export keying material: %s", hf_err_text());
    }
    if (send) {
        write_all(shim, hf_bytes_of(out, len));
    }
}

static void export_secrets(struct shim *shim)
{
    const struct hf_native *conn = shim_native(shim);
    if (conn->door) {
        unimplemented("traffic secrets of libssl");
    }
    size_t len = conn->record.in.secret.len;
    const uint8_t prefix[2] = {(uint8_t)len, (uint8_t)(len >> 8)};
    write_all(shim, hf_bytes_of(prefix, 2));
    write_all(shim, hf_secret_bytes(&conn->record.in.secret));
    write_all(shim, hf_secret_bytes(&conn->record.out.secret));
}

static void write_sizes(struct shim *shim)
{
    static const size_t sizes[] = {0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769};
    static uint8_t bytes[32769];
    memset(bytes, 0x42, sizeof(bytes));
    for (size_t i = 0; i < HF_N_ELEMENTS(sizes); i++) {
        write_all(shim, hf_bytes_of(bytes, sizes[i]));
    }
}

static void echo(struct shim *shim)
{
    enum { READ_SIZE = 512 };
    const struct bogo_flags *flags = shim->flags;
    static uint8_t bytes[1 << 16];
    size_t size = flags->read_size > 0 ? (size_t)flags->read_size : READ_SIZE;
    for (;;) {
        size_t n = read_some(shim, hf_span_of(bytes, size));
        if (n == 0) {
            return;
        }
        shim->hold = false;
        shim_flush(shim);
        if (flags->use_exporter_between_reads) {
            export_key(shim, 1, false);
        }
        shim_native(shim)->update_owed |= flags->key_update;
        for (size_t i = 0; i < n; i++) {
            bytes[i] ^= 0xff;
        }
        write_all(shim, hf_bytes_of(bytes, n));
    }
}

static void say_first(struct shim *shim)
{
    if (shim->flags->read_with_unfinished_write) {
        shim->hold = true;
    }
    if (shim->flags->read_with_unfinished_write || shim->flags->shim_writes_first) {
        write_all(shim, hf_bytes_str("hello"));
    }
}

static void say_goodbye(struct shim *shim)
{
    if (!shim->flags->check_close_notify) {
        return; /* the runner then wants us to leave without a word */
    }
    struct hf_tls_io io = io_of(shim);
    if (hf_tls_close(shim->tls, &io) != HF_TLS_DONE) {
        fail(shim);
    }
    shim_flush(shim);
    uint8_t byte;
    if (!shim->eof && read_some(shim, hf_span_of(&byte, 1)) != 0) {
        die("application data on shutdown");
    }
    if (!shim->closed_in) {
        die("unclean shutdown: no close_notify came");
    }
}

static void after_handshake(struct shim *shim)
{
    const struct bogo_flags *flags = shim->flags;
    if (flags->no_op_extra_handshake) {
        handshake(shim);
    }
    if (flags->export_keying_material > 0) {
        export_key(shim, (size_t)flags->export_keying_material, true);
    }
    if (flags->export_traffic_secrets) {
        export_secrets(shim);
    }
}

static void check_session(const struct shim *shim, const struct hf_tls_session *session)
{
    bool wanted = !shim->flags->expect_no_session && !shim->flags->shim_shuts_down;
    if (!shim->flags->server && (session != NULL) != wanted) {
        die("new session was%s cached, but we expected the opposite", session ? "" : " not");
    }
}

struct hf_tls_session *shim_exchange(struct shim *shim)
{
    enum { DECOMPRESSION_FAILURE = 30 };
    const struct bogo_flags *flags = shim->flags;
    if (flags->max_send_fragment) {
        shim_native(shim)->record.out_limit = (uint16_t)(flags->max_send_fragment + 1);
    }
    handshake(shim);
    shim_check(shim);
    after_handshake(shim);
    if (flags->send_alert) {
        struct hf_tls_io io = io_of(shim);
        hf_tls_abort(shim->tls, &io, DECOMPRESSION_FAILURE);
        shim_flush(shim);
        return NULL;
    }
    if (flags->write_different_record_sizes) {
        write_sizes(shim);
    } else {
        say_first(shim);
        if (!flags->shim_shuts_down) {
            echo(shim);
        }
    }
    struct hf_tls_session *session = hf_tls_take_session(shim->tls);
    check_session(shim, session);
    say_goodbye(shim);
    return session;
}
