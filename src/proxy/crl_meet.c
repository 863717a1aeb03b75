// SPDX-License-Identifier: Apache-2.0
#include "proxy/crl_meet.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "policy/notes.h"
#include "proxy/crl_desk.h"
#include "proxy/crl_points.h"

enum { SLOTS = 2 * HF_CRL_MET_MAX };

/* Hashes of what was told, by open addressing; 0 is a free slot. */
struct hf_crl_met {
    size_t n;
    uint64_t slot[SLOTS];
};

struct meeting {
    struct hf_task task;
    hf_worker_meet_fn *on_meet;
    void *ctx; /* not the worker, which may be gone by then */
    struct hf_chain *path;
    char trust[]; /* its name */
};

static void on_meeting(struct hf_task *task)
{
    struct meeting *meeting = HF_CONTAINER_OF(task, struct meeting, task);
    meeting->on_meet(meeting->ctx, meeting->trust, meeting->path);
    hf_chain_unref(meeting->path);
    hf_free(meeting);
}

/* True: it wasn't there. */
static bool remember(struct hf_crl_met *met, uint64_t hash)
{
    hash += hash == 0;
    if (met->n >= HF_CRL_MET_MAX) {
        memset(met, 0, sizeof(*met));
    }
    size_t at = hash % SLOTS;
    while (met->slot[at] && met->slot[at] != hash) {
        at = (at + 1) % SLOTS;
    }
    bool is_new = met->slot[at] == 0;
    met->slot[at] = hash;
    met->n += is_new;
    return is_new;
}

/* 0: nobody wants to hear of it. */
static uint64_t interest(const struct hf_chain *path, size_t at)
{
    uint64_t hash = 0;
    if (at > 0) {
        memcpy(&hash, path->certs[at]->sha256, sizeof(hash));
        return hash;
    }
    return hf_crl_points_hash(path->certs[at]);
}

static bool is_new(struct hf_worker *worker, const struct hf_trust *trust,
                   const struct hf_chain *path)
{
    uint64_t salt = 0;
    bool any = false;
    memcpy(&salt, hf_trust_id(trust), sizeof(salt));
    for (size_t i = 0; i < path->n_certs; i++) {
        uint64_t hash = interest(path, i);
        any = (hash && remember(worker->met, hash ^ salt)) || any;
    }
    return any;
}

/* True: there is something new in it, which is now remembered. */
static bool meets(struct hf_worker *worker, const struct hf_trust *trust,
                  const struct hf_chain *path)
{
    if (!worker->met) {
        worker->met = HF_NEW(struct hf_crl_met);
    }
    return worker->met && worker->on_meet && is_new(worker, trust, path);
}

void hf_worker_judge(struct hf_worker *worker, struct hf_judge_input *input, struct hf_verdict *out)
{
    struct hf_judge_ocsp *ocsp = input->ocsp;
    hf_verdict_judge(input, out);
    if (!ocsp || !ocsp->unlisted || meets(worker, input->trust, ocsp->unlisted) ||
        hf_crl_desk_busy(worker->crl_desk, worker->n_learnt)) {
        return;
    }
    hf_judge_ocsp_reset(ocsp);
    ocsp->may_fetch = false;
    if (input->notes) {
        input->notes->n = 0;
    }
    if (input->out_path) {
        hf_chain_unref(HF_TAKE(*input->out_path));
    }
    hf_verdict_judge(input, out);
}

void hf_worker_meet(struct hf_worker *worker, const struct hf_trust *trust, struct hf_chain *path)
{
    if (!meets(worker, trust, path)) {
        return;
    }
    const char *name = hf_trust_name(trust);
    struct meeting *meeting = hf_alloc_zero(1, sizeof(*meeting) + strlen(name) + 1);
    if (!meeting) {
        hf_worker_met_reset(worker);
        return;
    }
    meeting->task.run = on_meeting;
    meeting->on_meet = worker->on_meet;
    meeting->ctx = worker->control_ctx;
    meeting->path = hf_chain_ref(path);
    memcpy(meeting->trust, name, strlen(name) + 1);
    hf_loop_post(worker->control, &meeting->task);
}

void hf_worker_met_reset(struct hf_worker *worker)
{
    hf_free(HF_TAKE(worker->met));
}
