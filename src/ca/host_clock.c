// SPDX-License-Identifier: Apache-2.0
/*
 * When the clock is set back, what was read by the wrong time is read again: certificates that were
 * taken for expired are wanted again, in the live view, on the feed, and on lists. Lists and OCSP
 * signers that are dated ahead are made anew, whichever way the clock was set.
 */
#include "ca/host_impl.h"

enum { STEP_S = 10 }; /* less is drift */

static int64_t ahead_s(const struct hf_ca_host *host)
{
    const struct hf_clock *clock = host->options.service.clock;
    return hf_clock_wall_s(clock) - hf_clock_mono_ns(clock) / 1000000000;
}

void hf_host_clock_begin(struct hf_ca_host *host)
{
    host->ahead_s = ahead_s(host);
}

static void want_lists(struct hf_ca_host *host)
{
    for (size_t i = 0; i < host->n_authorities; i++) {
        for (unsigned s = 0; s < host->authorities[i].n_shards; s++) {
            host->authorities[i].shards[s].again = true;
        }
    }
}

bool hf_host_clock_look(struct hf_ca_host *host)
{
    int64_t now = ahead_s(host);
    int64_t step = now - host->ahead_s;
    if (step > -STEP_S && step < STEP_S) {
        return false;
    }
    host->ahead_s = now;
    want_lists(host);
    return step < 0;
}
