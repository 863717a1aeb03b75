// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_KIN_H
#define HF_PROXY_KIN_H

/*
 * struct hf_kin is what all clients of a worker have in common whose paths lead over the same CA
 * certificates to a root of the same trust. With it a session can be judged again by its serial
 * alone (policy/revocation_stands.h): the CA certificates once for all, each leaf by a look into
 * the lists.
 *
 * One thread. Kept for as long as a session points to it.
 */

#include "policy/revocation_stands.h"
#include "proxy/worker.h"

struct hf_kin;

/* hf_kin_of gives the kin of a verified path, with a reference. NULL: there is none for it (the
 * leaf is a CA or stands alone, or memory ran out): its sessions are then judged in full. */
struct hf_kin *hf_kin_of(struct hf_worker *worker, const struct hf_trust *trust,
                         const struct hf_chain *path);
void hf_kin_unref(struct hf_worker *worker, struct hf_kin *kin);

/* hf_kin_standing: is a leaf of this kin, found good before, still so by what the worker knows now?
 * Outputs as hf_revocation_standing_leaf. */
enum hf_standing hf_kin_standing(struct hf_worker *worker, struct hf_kin *kin,
                                 const struct hf_identity *leaf, int64_t now_s,
                                 struct hf_notes *notes, struct hf_verdict *out,
                                 int64_t *out_until);

#endif
