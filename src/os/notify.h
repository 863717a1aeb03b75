// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_NOTIFY_H
#define HF_OS_NOTIFY_H

/*
 * Telling systemd what we are doing (sd_notify(3), Type=notify-reload): one datagram of NAME=value
 * lines to the socket in NOTIFY_SOCKET. Written here because libsystemd would bring four more
 * libraries for it. Without that variable every call does nothing and succeeds.
 */

#include "base/clock.h"
#include "os/sock.h"

struct hf_notify {
    struct hf_addr addr; /* len 0: nobody wants to know */
};

/* hf_notify_open reads and clears NOTIFY_SOCKET: a path, or "@name" for an abstract socket. Called
 * once, before threads start. Errors: HF_E_INVALID. */
enum hf_err hf_notify_open(struct hf_notify *out) HF_MUST_CHECK;

/*
 * What to tell; status, when not NULL, is the sentence that systemctl status shows. Control
 * characters in it become spaces: a newline would start another field. Waits for at most a second.
 * Errors: those of the socket, to be logged and otherwise ignored.
 */
enum hf_err hf_notify_ready(const struct hf_notify *notify, const char *status) HF_MUST_CHECK;
enum hf_err hf_notify_reloading(const struct hf_notify *notify, const struct hf_clock *clock,
                                const char *status) HF_MUST_CHECK;
enum hf_err hf_notify_stopping(const struct hf_notify *notify, const char *status) HF_MUST_CHECK;
enum hf_err hf_notify_status(const struct hf_notify *notify, const char *status) HF_MUST_CHECK;

#endif
