// SPDX-License-Identifier: Apache-2.0
#include "os/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "os/sock.h"

static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
static const int ignored[] = {SIGPIPE, SIGXFSZ};

static void on_readable(struct hf_watch *watch, unsigned events)
{
    (void)events;
    struct hf_signals *signals = HF_CONTAINER_OF(watch, struct hf_signals, watch);
    struct signalfd_siginfo info;
    /* One a turn: the callback may close us. The next one shows again, as the watch is
     * level-triggered.
     */
    if (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        signals->on_signal(signals, (int)info.ssi_signo, (pid_t)info.ssi_pid);
    }
}

static void ignore(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < HF_N_ELEMENTS(ignored); i++) {
        (void)sigaction(ignored[i], &action, NULL);
    }
}

enum hf_err hf_signals_open(struct hf_signals *signals, struct hf_loop *loop,
                            void (*on_signal)(struct hf_signals *signals, int number, pid_t sender))
{
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < HF_N_ELEMENTS(watched); i++) {
        sigaddset(&mask, watched[i]);
    }
    int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        return hf_fail_errno("signalfd");
    }
    *signals = (struct hf_signals){.loop = loop, .on_signal = on_signal};
    signals->watch = (struct hf_watch){.fd = fd, .wanted = HF_LOOP_READ, .on_event = on_readable};
    enum hf_err err = hf_watch_add(loop, &signals->watch);
    if (err != HF_OK) {
        hf_closep(&fd);
        *signals = (struct hf_signals){0};
        return err;
    }
    pthread_sigmask(SIG_BLOCK, &mask, &signals->mask_before);
    ignore();
    return HF_OK;
}

void hf_signals_hold(struct hf_signals *signals)
{
    pthread_sigmask(SIG_SETMASK, NULL, &signals->mask_before);
}

void hf_signals_close(struct hf_signals *signals)
{
    if (!signals->loop) {
        return;
    }
    hf_watch_remove(signals->loop, &signals->watch);
    hf_closep(&signals->watch.fd);
    pthread_sigmask(SIG_SETMASK, &signals->mask_before, NULL);
    *signals = (struct hf_signals){0};
}
