// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BOGO_SHIM_H
#define HF_BOGO_SHIM_H

/*
 * The shim: one process a test, one or more connections to the runner. It is always the TCP client,
 * whichever TLS role it plays. Success is exit 0 with nothing on stderr; a failure prints its
 * reason, the alert sent or received and a sentence, which the ErrorMap translates.
 */

#include "flags.h"
#include "tls/tls.h"

#include "tls/native/conn.h"

/* One connection, from socket to engine. */
struct shim {
    const struct bogo_flags *flags;
    struct hf_tls_ctx *ctx;
    struct hf_tls *tls;
    bool is_resume;
    int fd;
    bool hold; /* let nothing more out than the first byte */
    bool held_first;
    bool eof;       /* the stream ended */
    bool closed_in; /* close_notify came */
    struct hf_buf in, out;
    size_t n_judged;
    bool judge_refused;
    bool staple_seen;
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void unimplemented(const char *what) __attribute__((noreturn));

/* The engine's side, for what the seam doesn't show; through the door there is less of it. */
static inline struct hf_native *shim_native(const struct shim *shim)
{
    return hf_native_of(shim->tls);
}

/* setup.c */
void shim_setup(struct shim *shim); /* makes the context */
int64_t shim_now_ms(void);
void shim_advance(int seconds);

/* sock.c: the pump between socket and engine. */
void shim_connect(struct shim *shim);
void shim_disconnect(struct shim *shim);
void shim_flush(struct shim *shim);
bool shim_fill(struct shim *shim); /* false at the end of the stream */

/* exchange.c: handshake, data, end; gives the session that came, or NULL. */
struct hf_tls_session *shim_exchange(struct shim *shim);

/* check.c: what the flags expect of the handshake; dies when it isn't so. */
void shim_check(const struct shim *shim);

#endif
