// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_BULK_H
#define HF_CA_STORE_BULK_H

/*
 * Many operations at once: they are queued as they come, with copies of what they point to, and
 * commit in groups. What is in the store already (HF_E_EXISTS) is counted and passed over; any
 * other failure ends the whole, at the next call.
 */

#include <pthread.h>

#include "ca/store.h"

#define HF_BULK_MAX 512 /* in flight */

struct hf_bulk {
    struct hf_store *store;
    pthread_mutex_t lock;
    pthread_cond_t less;
    size_t in_flight;
    enum hf_err err; /* the first failure */
    char why[256];
    int64_t n_issued;
    int64_t n_revoked;
    int64_t n_known; /* certificates */
};

enum hf_err hf_bulk_init(struct hf_bulk *bulk, struct hf_store *store) HF_MUST_CHECK;

/* Both wait while HF_BULK_MAX are in flight. Operations of one bulk are run in their order. */
enum hf_err hf_bulk_issue(struct hf_bulk *bulk, const struct hf_store_issue *issue) HF_MUST_CHECK;
enum hf_err hf_bulk_revoke(struct hf_bulk *bulk,
                           const struct hf_store_revoke *revoke) HF_MUST_CHECK;

/* hf_bulk_wait waits until nothing is in flight; gives the first failure. */
enum hf_err hf_bulk_wait(struct hf_bulk *bulk) HF_MUST_CHECK;

/* hf_bulk_done waits for all; gives the first failure. */
enum hf_err hf_bulk_done(struct hf_bulk *bulk) HF_MUST_CHECK;

#endif
