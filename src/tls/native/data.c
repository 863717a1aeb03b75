// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "tls/native/conn.h"

/*
 * Reading, writing and closing once the handshake is complete. Reading goes on through records as
 * long as a whole one more fits; what else comes (tickets, key updates, requests for a certificate)
 * goes the drive's way. An answer to a key update that the peer asked for goes out before our next
 * data (RFC 8446 4.6.3), once for however many requests.
 */

/* --- Key updates that we send --------------------------------------------------------------------
 */

/* HF_TLS_WANT_OUTPUT leaves the update owed. */
static enum hf_tls_step send_update(struct hf_native *conn, struct hf_tls_io *io, bool ask)
{
    struct hf_crypto *crypto = hf_crypto_here();
    enum hf_tls_step step = hf_native_flush(conn, io); /* not between the records of a flight */
    if (step != HF_TLS_DONE) {
        return step;
    }
    enum hf_err err =
        crypto ? hf_record_update_out(&conn->record, crypto, ask, io->out) : HF_E_NOMEM;
    if (err == HF_E_TOO_LARGE) {
        return HF_TLS_WANT_OUTPUT;
    }
    if (err != HF_OK) {
        return hf_native_fail_out(conn, io, err);
    }
    conn->update_owed = false;
    conn->update_asked = conn->update_asked || ask;
    return HF_TLS_DONE;
}

static enum hf_tls_step pay_updates(struct hf_native *conn, struct hf_tls_io *io)
{
    bool ask = hf_record_update_wanted(&conn->record) && !conn->update_asked;
    bool due = conn->update_owed || ask || hf_record_update_due(&conn->record);
    return due && !conn->closed_out ? send_update(conn, io, ask) : HF_TLS_DONE;
}

/* --- Reading -------------------------------------------------------------------------------------
 */

/* Records are opened where the reader wants them, when they fit; then there is nothing to copy. */
static void deliver(struct hf_bytes from, struct hf_span into, size_t *out_n)
{
    uint8_t *to = into.ptr + *out_n;
    if (from.len && from.ptr != to) {
        memcpy(to, from.ptr, from.len);
    }
    *out_n += from.len;
}

/* What the reader has no room for is kept; that is at most one record. */
static enum hf_err on_data(struct hf_native *conn, struct hf_bytes content, struct hf_span into,
                           size_t *out_n)
{
    size_t fits = into.len - *out_n < content.len ? into.len - *out_n : content.len;
    if (hf_buf_len(&conn->in) > conn->in_taken) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                              "application data within a handshake message");
    }
    conn->n_key_updates = 0;
    conn->n_user_canceled = 0;
    deliver(hf_bytes_of(content.ptr, fits), into, out_n);
    conn->plain.cap = HF_RECORD_PLAIN_MAX;
    return hf_buf_append(&conn->plain, hf_bytes_from(content, fits));
}

static enum hf_tls_step on_record(struct hf_native *conn, struct hf_tls_io *io,
                                  const struct hf_record_in *got, struct hf_span into,
                                  size_t *out_n)
{
    struct hf_bytes content = hf_span_bytes(got->content);
    if (got->type == HF_RECORD_ALERT) {
        return hf_native_on_alert(conn, io, content);
    }
    enum hf_err err = got->type == HF_RECORD_DATA ? on_data(conn, content, into, out_n)
                                                  : hf_native_take_handshake(conn, content);
    return err == HF_OK ? HF_TLS_DONE : hf_native_fail_out(conn, io, err);
}

static enum hf_tls_step read_record(struct hf_native *conn, struct hf_tls_io *io,
                                    struct hf_span into, size_t *out_n)
{
    struct hf_crypto *crypto = hf_crypto_here();
    struct hf_record_in got;
    if (!crypto) {
        return hf_native_fail_out(conn, io, HF_E_NOMEM);
    }
    struct hf_span room = hf_span_of(into.ptr + *out_n, into.len - *out_n);
    switch (hf_record_open_into(&conn->record, crypto, &io->in, room, &got)) {
    case HF_RECORD_MORE:
        return HF_TLS_WANT_INPUT;
    case HF_RECORD_FAILED:
        return hf_native_fail_out(conn, io, hf_native_record_failed(conn, &got));
    case HF_RECORD_GOT:
        break;
    }
    return on_record(conn, io, &got, into, out_n);
}

static void read_kept(struct hf_native *conn, struct hf_span into, size_t *out_n)
{
    struct hf_bytes kept = hf_buf_bytes(&conn->plain);
    kept.len = kept.len < into.len ? kept.len : into.len;
    deliver(kept, into, out_n);
    hf_buf_consume(&conn->plain, kept.len);
    if (hf_buf_len(&conn->plain) == 0) {
        hf_buf_release(&conn->plain);
    }
}

static enum hf_tls_step read_records(struct hf_native *conn, struct hf_tls_io *io,
                                     struct hf_span into, size_t *out_n)
{
    read_kept(conn, into, out_n);
    while (*out_n == 0 || into.len - *out_n >= HF_RECORD_PLAIN_MAX) {
        if (conn->closed_in) {
            return HF_TLS_CLOSED;
        }
        enum hf_tls_step step = hf_native_drive(conn, io);
        step = step == HF_TLS_DONE ? read_record(conn, io, into, out_n) : step;
        if (step != HF_TLS_DONE) {
            return step;
        }
    }
    return HF_TLS_DONE;
}

/* May the connection carry data? A call too early is the caller's bug, and fails closed. */
static bool is_open(struct hf_native *conn, struct hf_tls_io *io)
{
    if (!conn->failed && !conn->complete) {
        hf_native_set_alert(conn, HF_ALERT_NONE, HF_REASON_INTERNAL);
        (void)hf_native_fail_out(conn, io,
                                 hf_fail(HF_E_PEER, "data before the handshake was complete"));
    }
    return !conn->failed;
}

enum hf_tls_step hf_native_read(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                                size_t *out_n)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        return hf_native_door_step(conn, conn->door->ops->read(conn->door, io, into, out_n));
    }
    if (!is_open(conn, io)) {
        return HF_TLS_FAILED;
    }
    enum hf_tls_step step = read_records(conn, io, into, out_n);
    if (!conn->failed && hf_record_update_wanted(&conn->record)) {
        (void)pay_updates(conn, io); /* without room it is tried again */
    }
    return *out_n ? HF_TLS_DONE : step; /* what stopped us behind data is met again */
}

/* --- Writing -------------------------------------------------------------------------------------
 */

static enum hf_tls_step write_some(struct hf_native *conn, struct hf_tls_io *io,
                                   struct hf_bytes plain, size_t *out_taken)
{
    *out_taken = 0;
    enum hf_tls_step step = conn->hs && conn->hs->flush ? hf_native_flush(conn, io) : HF_TLS_DONE;
    step = step == HF_TLS_DONE ? pay_updates(conn, io) : step;
    if (step != HF_TLS_DONE) {
        return step;
    }
    struct hf_crypto *crypto = hf_crypto_here();
    enum hf_err err =
        crypto ? hf_record_seal(&conn->record, crypto, HF_RECORD_DATA, plain, io->out, out_taken)
               : HF_E_NOMEM;
    if (err != HF_OK) {
        return hf_native_fail_out(conn, io, err);
    }
    return *out_taken ? HF_TLS_DONE : HF_TLS_WANT_OUTPUT;
}

enum hf_tls_step hf_native_write(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                                 size_t *out_n)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        return hf_native_door_step(conn, conn->door->ops->write(conn->door, io, plain, out_n));
    }
    if (!is_open(conn, io)) {
        return HF_TLS_FAILED;
    }
    if (conn->closed_out) {
        hf_native_set_alert(conn, HF_ALERT_NONE, HF_REASON_INTERNAL);
        return hf_native_fail_out(conn, io, hf_fail(HF_E_PEER, "data after our close_notify"));
    }
    while (*out_n < plain.len) {
        size_t taken;
        enum hf_tls_step step = write_some(conn, io, hf_bytes_from(plain, *out_n), &taken);
        if (step != HF_TLS_DONE) {
            return step;
        }
        *out_n += taken;
    }
    return HF_TLS_DONE;
}

/* --- Closing -------------------------------------------------------------------------------------
 */

enum hf_tls_step hf_native_close(struct hf_tls *tls, struct hf_tls_io *io)
{
    struct hf_native *conn = hf_native_of(tls);
    if (conn->door) {
        return hf_native_door_step(conn, conn->door->ops->close(conn->door, io));
    }
    if (conn->failed) {
        return HF_TLS_FAILED;
    }
    if (!conn->complete || conn->closed_out) {
        return HF_TLS_DONE; /* there is nothing to close yet, or nothing left */
    }
    enum hf_tls_step step = conn->hs && conn->hs->flush ? hf_native_flush(conn, io) : HF_TLS_DONE;
    if (step != HF_TLS_DONE) {
        return step;
    }
    if (hf_buf_room(io->out) < hf_record_sealed_len(&conn->record, HF_RECORD_ALERT, 2)) {
        return HF_TLS_WANT_OUTPUT;
    }
    uint8_t before = conn->alert_sent;
    hf_native_send_alert(conn, io, HF_ALERT_CLOSE_NOTIFY);
    conn->alert_sent = before; /* close_notify isn't counted */
    conn->closed_out = true;
    return HF_TLS_DONE;
}
