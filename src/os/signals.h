// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_SIGNALS_H
#define HF_OS_SIGNALS_H

/*
 * struct hf_signals turns SIGTERM, SIGINT, SIGHUP and SIGUSR1 into calls on a loop, where anything
 * may be done. SIGPIPE and SIGXFSZ are ignored from then on: writing to a closed pipe or a full
 * file is an error of that write. Opened by the main thread before others start.
 */

#include <signal.h>

#include "os/loop.h"

struct hf_signals {
    struct hf_watch watch;
    struct hf_loop *loop;
    sigset_t mask_before;
    /* sender is the process that sent it, 0 when the kernel did (a terminal's ^C). */
    void (*on_signal)(struct hf_signals *signals, int number, pid_t sender);
};

/* hf_signals_open: the struct stays where it is until closed. Errors: those of signalfd and epoll.
 */
enum hf_err hf_signals_open(struct hf_signals *signals, struct hf_loop *loop,
                            void (*on_signal)(struct hf_signals *signals, int number,
                                              pid_t sender)) HF_MUST_CHECK;

/* hf_signals_hold makes hf_signals_close leave the signals blocked: for a process that is ending,
 * in which a second SIGTERM must not cut short what is being flushed. */
void hf_signals_hold(struct hf_signals *signals);

/* hf_signals_close stops watching and gives the signals their former effect. Harmless when zeroed.
 */
void hf_signals_close(struct hf_signals *signals);

#endif
