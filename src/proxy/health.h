// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HEALTH_H
#define HF_PROXY_HEALTH_H

/*
 * Active checks: each server of an upstream with `check` is asked at its interval, and taken out or
 * back by what it answers. They run on the control thread's loop, one probe (probe.h) a server at a
 * time, nothing waits for anything; workers see the outcome in the server's standing.
 */

#include "os/resolve.h"
#include "proxy/snapshot.h"

/* --- The rule -----------------------------------------------------------------------------------
 */

enum hf_health_change { HF_HEALTH_SAME, HF_HEALTH_UP, HF_HEALTH_DOWN };

/*
 * hf_health_note counts the outcome of a check. The first decides alone; after that `fall` bad ones
 * in a row take down, `rise` good ones up. A first good one is SAME: until then a server is taken
 * to be up.
 */
enum hf_health_change hf_health_note(struct hf_health *health, const struct hf_cfg_check *cfg,
                                     bool good);

/* --- The checker --------------------------------------------------------------------------------
 */

struct hf_checker;

struct hf_checker_env {
    struct hf_loop *loop;
    const struct hf_clock *clock;
    struct hf_ocsp_desk *desk;       /* NULL: nobody is asked by OCSP */
    struct hf_crl_desk *crl_desk;    /* NULL: no lists are on their way */
    struct hf_ledger *const *ledger; /* the thread's, of what is known of revocation now */
    const struct hf_rng *rng;        /* spreads the checks in time */
    struct hf_log *log;
    unsigned shard; /* of the thread, for counters */
};

enum hf_err hf_checker_new(const struct hf_checker_env *env, struct hf_checker **out) HF_MUST_CHECK;

/* hf_checker_set begins with the checks of a snapshot, of which it keeps a reference, and ends
 * those of the one before. What is known of a server stays; one that is no longer checked is up.
 * Errors: HF_E_NOMEM, those of hf_resolver_new: the checks of before go on. */
enum hf_err hf_checker_set(struct hf_checker *checker, struct hf_snapshot *snapshot) HF_MUST_CHECK;

void hf_checker_free(struct hf_checker *checker);

#endif
