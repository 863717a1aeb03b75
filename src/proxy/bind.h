// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_BIND_H
#define HF_PROXY_BIND_H

/*
 * The listening sockets of a plan, made by the control thread. On TCP each worker has a socket of
 * its own for an address (SO_REUSEPORT), so that the kernel spreads connections; unix sockets and
 * those handed over by systemd exist once and are shared.
 *
 * A reload keeps the sockets of addresses that stay, so that their queues lose nothing.
 */

#include "os/activation.h"
#include "proxy/worker.h"

struct hf_binds {
    struct hf_bound *item;
    size_t n;
    unsigned n_workers;
};

/*
 * hf_binds_make gives every address of every listener its sockets: those of `old` where the address
 * is there already, those that systemd gave, and new ones. What can't be bound goes to findings.
 * `old` is unchanged; on failure the new sockets are closed again.
 */
enum hf_err hf_binds_make(const struct hf_binds *old, const struct hf_snapshot *snapshot,
                          unsigned n_workers, struct hf_activation *activation,
                          struct hf_findings *findings, struct hf_binds *out) HF_MUST_CHECK;

/* hf_binds_replace makes now the current list, once all workers run it. Sockets that only old has
 * belong to the workers, who have closed them; shared ones are closed here. */
void hf_binds_replace(struct hf_binds *now, struct hf_binds *next);

/* hf_binds_refuse has those who connect to a unix socket of ours refused from now on, while workers
 * still hold it; TCP sockets are the workers' own, and they close them. */
void hf_binds_refuse(const struct hf_binds *binds);

/* hf_binds_done forgets the list; with close_all it also closes the sockets (no worker has them).
 */
void hf_binds_done(struct hf_binds *binds, bool close_all);

#endif
