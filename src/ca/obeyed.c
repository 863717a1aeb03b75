// SPDX-License-Identifier: Apache-2.0
#include "ca/obeyed.h"

void hf_obeyed_init(struct hf_obeyed *obeyed, const struct hf_clock *clock)
{
    *obeyed = (struct hf_obeyed){.clock = clock};
    pthread_mutex_init(&obeyed->mutex, NULL);
    hf_list_init(&obeyed->waits);
}

void hf_obeyed_done(struct hf_obeyed *obeyed)
{
    hf_obeyed_sweep(obeyed, true);
    pthread_mutex_destroy(&obeyed->mutex);
}

bool hf_obeyed_wait(struct hf_obeyed *obeyed, struct hf_obeyed_wait *wait)
{
    wait->until_ns = hf_clock_mono_ns(obeyed->clock) + HF_OBEYED_WAIT_MS * INT64_C(1000000);
    pthread_mutex_lock(&obeyed->mutex);
    bool waits = !obeyed->closed && wait->seq > obeyed->seq;
    if (waits) {
        hf_list_push(&obeyed->waits, &wait->link);
    }
    pthread_mutex_unlock(&obeyed->mutex);
    return waits;
}

/* Ends those that are over: they leave the list under the lock, and are told without it. */
static void release(struct hf_obeyed *obeyed, bool all, int64_t now_ns)
{
    struct hf_link over;
    hf_list_init(&over);
    pthread_mutex_lock(&obeyed->mutex);
    HF_LIST_FOREACH (&obeyed->waits, link) {
        const struct hf_obeyed_wait *wait = HF_CONTAINER_OF(link, struct hf_obeyed_wait, link);
        if (all || wait->seq <= obeyed->seq || wait->until_ns <= now_ns) {
            hf_link_remove(link);
            hf_list_push(&over, link);
        }
    }
    pthread_mutex_unlock(&obeyed->mutex);
    HF_LIST_FOREACH (&over, link) {
        struct hf_obeyed_wait *wait = HF_CONTAINER_OF(link, struct hf_obeyed_wait, link);
        hf_link_remove(link);
        wait->done(wait);
    }
}

void hf_obeyed_tell(struct hf_obeyed *obeyed, int64_t seq)
{
    pthread_mutex_lock(&obeyed->mutex);
    bool news = seq > obeyed->seq;
    obeyed->seq = news ? seq : obeyed->seq;
    pthread_mutex_unlock(&obeyed->mutex);
    if (news) {
        release(obeyed, false, INT64_MIN);
    }
}

void hf_obeyed_sweep(struct hf_obeyed *obeyed, bool all)
{
    pthread_mutex_lock(&obeyed->mutex);
    obeyed->closed |= all;
    pthread_mutex_unlock(&obeyed->mutex);
    release(obeyed, all, hf_clock_mono_ns(obeyed->clock));
}
