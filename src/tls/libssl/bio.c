// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * A BIO that reads straight from io.in and appends straight to io.out of the call under way. Its
 * data is the connection.
 *
 * Reading hands out whole records only: an incomplete one stays in io.in, so that libssl never
 * holds a buffer for a connection that waits, and SSL_read isn't even called for half a record.
 * What can't become a record (not TLS, or longer than any) is handed out as it comes, for libssl
 * to refuse.
 *
 * Writing takes what fits. The last HF_LS_ALERT_ROOM bytes are for small writes alone: when
 * the peer makes us fail while io.out is full, the alert still goes out.
 */

#include <pthread.h>
#include <string.h>

enum {
    RECORD_HEADER = 5,
    RECORD_TYPE_FIRST = 20, /* change_cipher_spec */
    RECORD_TYPE_LAST = 23,  /* application_data */
    RECORD_BODY_MAX = HF_TLS_RECORD_MAX - RECORD_HEADER,
};

/* How many bytes at the front of in libssl may have; 0: an incomplete record. */
static size_t grant(struct hf_span in)
{
    if (in.len == 0) {
        return 0;
    }
    bool record = in.ptr[0] >= RECORD_TYPE_FIRST && in.ptr[0] <= RECORD_TYPE_LAST &&
                  (in.len < 2 || in.ptr[1] == 3);
    if (!record) {
        return in.len;
    }
    if (in.len < RECORD_HEADER) {
        return 0;
    }
    size_t body = (size_t)in.ptr[3] << 8 | in.ptr[4];
    if (body > RECORD_BODY_MAX) {
        return in.len;
    }
    return in.len >= RECORD_HEADER + body ? RECORD_HEADER + body : 0;
}

static bool refill(struct hf_ls_conn *conn)
{
    if (conn->in_granted == 0) {
        conn->in_granted = grant(conn->io->in);
    }
    return conn->in_granted > 0 && conn->io->in.len > 0;
}

bool hf_ls_bio_has_record(struct hf_ls_conn *conn)
{
    return refill(conn);
}

/* Keeps the connection's first bytes, which tell plain HTTP from garbage. */
static void keep_first(struct hf_ls_conn *conn, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && conn->n_first < HF_LS_FIRST_BYTES; i++) {
        conn->first[conn->n_first++] = bytes[i];
    }
}

static int bio_read(BIO *bio, char *out, int len)
{
    struct hf_ls_conn *conn = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0 || !conn->io || conn->waits || !refill(conn)) {
        BIO_set_retry_read(bio);
        return -1;
    }
    struct hf_span *in = &conn->io->in;
    size_t n = (size_t)len;
    n = n < conn->in_granted ? n : conn->in_granted;
    n = n < in->len ? n : in->len;
    keep_first(conn, in->ptr, n);
    memcpy(out, in->ptr, n);
    in->ptr += n;
    in->len -= n;
    conn->in_granted -= n;
    conn->in_taken += conn->state == HF_LS_HANDSHAKE ? n : 0;
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct hf_ls_conn *conn = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0 || conn->muted) {
        return len;
    }
    if (!conn->io || conn->waits) {
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t n = (size_t)len;
    size_t room = hf_buf_room(conn->io->out);
    size_t kept = n > HF_LS_ALERT_ROOM ? HF_LS_ALERT_ROOM : 0;
    room = room > kept ? room - kept : 0;
    if (room == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    n = n < room ? n : room;
    if (hf_buf_append(conn->io->out, hf_bytes_of(bytes, n)) != HF_OK) {
        conn->no_memory = true;
        return -1;
    }
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method;

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "handfast");
    if (made && BIO_meth_set_read(made, bio_read) && BIO_meth_set_write(made, bio_write) &&
        BIO_meth_set_ctrl(made, bio_ctrl)) {
        method = made;
    } else {
        BIO_meth_free(made);
    }
}

BIO_METHOD *hf_ls_bio_method(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_method);
    return method;
}
