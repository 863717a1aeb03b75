// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_OBEYED_H
#define HF_CA_OBEYED_H

/*
 * How far the doors of this process obey the journal of revocations; and who waits for that. An
 * answer that says "revoked" waits until nobody here lets the client in any more.
 *
 *     store: committed, line 17 --> answer waits for 17
 *     host: live view with 17 --> proxy: all workers judged anew --> hf_obeyed_tell(17) --> answer
 *
 * The revocation holds whether or not the wait ends well, so it is short: HF_OBEYED_WAIT_MS. Any
 * thread.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

#define HF_OBEYED_WAIT_MS 10000

/* done is called once, by who tells or sweeps, with no lock held; the wait is the caller's again.
 */
struct hf_obeyed_wait {
    struct hf_link link;
    int64_t seq, until_ns;
    void (*done)(struct hf_obeyed_wait *wait);
};

struct hf_obeyed {
    const struct hf_clock *clock;
    pthread_mutex_t mutex;
    int64_t seq;
    bool closed;
    struct hf_link waits;
};

void hf_obeyed_init(struct hf_obeyed *obeyed, const struct hf_clock *clock);
void hf_obeyed_done(struct hf_obeyed *obeyed);

/* hf_obeyed_wait: false when the line is obeyed already, or nobody will tell any more; done isn't
 * called then. wait->seq and wait->done are set. */
bool hf_obeyed_wait(struct hf_obeyed *obeyed, struct hf_obeyed_wait *wait);

/* hf_obeyed_tell: everybody here obeys the journal up to seq, which never goes back. */
void hf_obeyed_tell(struct hf_obeyed *obeyed, int64_t seq);

/* hf_obeyed_sweep ends the waits that have lasted too long; a second or so apart. all: every one,
 * and nobody waits any more. */
void hf_obeyed_sweep(struct hf_obeyed *obeyed, bool all);

#endif
