// SPDX-License-Identifier: Apache-2.0
/*
 * When connections at rest are ended by the server.
 *
 * Client and server share a machine here and not in life, so that what the client does while ends
 * come in must cost next to nothing: it sleeps for LOOK_NS, takes all ends that came meanwhile, and
 * stamps them with the time of then, which is late by LOOK_NS at most. What had come before the end
 * - the alert - is read and held against the protocol when the driver has seen the daemon's end of
 * it.
 *
 * A client's kernel doesn't acknowledge FIN at once, but from a timer 40 ms later. With thousands
 * of clients in one kernel that is hundreds each tick, in an interrupt of more than a millisecond
 * on the cores that the server and those whose requests are timed have, too. So each end is
 * acknowledged as it is seen, which is what reading it would do.
 */
#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "os/clock.h"

enum { BATCH = 512, LOOK_NS = 500 * 1000 };

struct cuts {
    struct load *load;
    int epoll_fd;
    int64_t *at_ns; /* by slot; 0: not yet */
};

static enum hf_err watch_slot(struct cuts *cuts, size_t i)
{
    struct slot *slot = &cuts->load->slots[i];
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.u64 = i};
    hf_watch_remove(cuts->load->loop, &slot->watch);
    return epoll_ctl(cuts->epoll_fd, EPOLL_CTL_ADD, slot->watch.fd, &event) == 0
               ? HF_OK
               : hf_fail_errno("epoll_ctl");
}

static void acknowledge(const struct slot *slot)
{
    const int on = 1;
    (void)setsockopt(slot->watch.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void stamp(struct cuts *cuts, const struct epoll_event *events, int n, int64_t now_ns)
{
    struct load *load = cuts->load;
    for (int i = 0; i < n; i++) {
        int64_t *at_ns = &cuts->at_ns[events[i].data.u64];
        if (*at_ns == 0) {
            *at_ns = now_ns;
            load->first_cut_ns = load->n_cut++ ? load->first_cut_ns : now_ns;
            load->last_cut_ns = now_ns;
            acknowledge(&load->slots[events[i].data.u64]);
        }
    }
}

static void take_all(struct cuts *cuts)
{
    struct epoll_event events[BATCH];
    for (int n = BATCH; n == BATCH;) {
        n = epoll_wait(cuts->epoll_fd, events, BATCH, 0);
        stamp(cuts, events, n, hf_clock_mono_ns(&hf_os_clock));
    }
}

static enum hf_err wait_for_all(struct cuts *cuts, int64_t until_ns)
{
    const struct timespec look = {.tv_nsec = LOOK_NS};
    for (take_all(cuts); cuts->load->n_cut < cuts->load->limit; take_all(cuts)) {
        if (hf_clock_mono_ns(&hf_os_clock) > until_ns) {
            return hf_fail(HF_E_TIMEOUT, "%llu of %llu connections were ended in time",
                           (unsigned long long)cuts->load->n_cut,
                           (unsigned long long)cuts->load->limit);
        }
        (void)ppoll(NULL, 0, &look, NULL);
    }
    return HF_OK;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Half of them had ended by then. */
static int64_t middle_ns(struct cuts *cuts)
{
    qsort(cuts->at_ns, cuts->load->n_slots, sizeof(*cuts->at_ns), by_time);
    return cuts->at_ns[cuts->load->n_slots / 2];
}

static enum hf_err run(struct cuts *cuts, int64_t until_ns)
{
    struct load *load = cuts->load;
    for (size_t i = 0; i < load->n_slots; i++) {
        HF_TRY(watch_slot(cuts, i));
    }
    puts("waiting");
    fflush(stdout);
    HF_TRY(wait_for_all(cuts, until_ns));
    load->middle_cut_ns = middle_ns(cuts);
    return HF_OK;
}

void cuts_read(struct load *load)
{
    for (size_t i = 0; i < load->n_slots; i++) {
        load->n_told += slot_was_told(&load->slots[i]);
    }
}

enum hf_err cuts_wait(struct load *load, unsigned long seconds)
{
    struct cuts cuts = {load, epoll_create1(EPOLL_CLOEXEC),
                        hf_alloc_zero(load->n_slots, sizeof(*cuts.at_ns))};
    enum hf_err err = !cuts.at_ns         ? HF_E_NOMEM
                      : cuts.epoll_fd < 0 ? hf_fail_errno("epoll_create1")
                                          : HF_OK;
    err = err ? err : run(&cuts, hf_clock_mono_ns(&hf_os_clock) + (int64_t)seconds * 1000000000);
    hf_free(cuts.at_ns);
    hf_closep(&cuts.epoll_fd);
    return err;
}
