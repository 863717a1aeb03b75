// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_MEET_H
#define HF_PROXY_CRL_MEET_H

/*
 * What a worker tells the control thread of the certificates that it believes: CA certificates that
 * it hasn't told of yet, and those with distribution points that it hasn't. A fleet of clients
 * whose certificates name the same list costs a look at that name each.
 */

#include "policy/ocsp_policy.h"
#include "proxy/worker.h"

#define HF_CRL_MET_MAX 4096 /* remembered; then all is forgotten, and told again */

struct hf_crl_met;

/* hf_worker_meet tells of a path that was verified up to a root of this trust, if there is anything
 * new in it. Without memory it is told another time. */
void hf_worker_meet(struct hf_worker *worker, const struct hf_trust *trust, struct hf_chain *path);

/* hf_worker_judge asks the verdict. Where it lacks lists, and the path is new or lists are on their
 * way, input->ocsp->unlisted is to be told to worker->crl_desk; otherwise the verdict is final. */
void hf_worker_judge(struct hf_worker *worker, struct hf_judge_input *input,
                     struct hf_verdict *out);

/* hf_worker_met_reset forgets what was told: others may want to hear of it now. */
void hf_worker_met_reset(struct hf_worker *worker);

#endif
