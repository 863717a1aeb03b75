// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_ACTIVATION_H
#define HF_OS_ACTIVATION_H

/*
 * Listening sockets that systemd opened for us (socket activation, sd_listen_fds(3)): descriptors
 * from 3 on, counted by LISTEN_FDS, named by LISTEN_FDNAMES, meant for the process LISTEN_PID.
 */

#include "os/sock.h"

struct hf_activated {
    int fd; /* -1 once taken */
    struct hf_addr addr;
    char *name; /* "unknown" when systemd gave none */
};

struct hf_activation {
    struct hf_activated *item;
    size_t n;
};

/* More are refused: nobody has that many listeners, and the number is the environment's. */
#define HF_ACTIVATION_MAX 1024

/*
 * hf_activation_open takes over the sockets, makes them non-blocking and close-on-exec, and clears
 * the variables, so that no child thinks they are for it. n is 0 when none are meant for this
 * process. Called once, before threads start. Errors: HF_E_INVALID when the variables make no sense
 * or a descriptor isn't a listening stream socket; HF_E_NOMEM.
 */
enum hf_err hf_activation_open(struct hf_activation *out) HF_MUST_CHECK;

/* hf_activation_take hands over the socket that listens on addr; -1 when there is none (any more).
 */
int hf_activation_take(struct hf_activation *activation, const struct hf_addr *addr);

/* hf_activation_has: is there one to take? */
bool hf_activation_has(const struct hf_activation *activation, const struct hf_addr *addr);

/* hf_activation_done closes what wasn't taken. */
void hf_activation_done(struct hf_activation *activation);

#endif
