// SPDX-License-Identifier: Apache-2.0
/*
 * OCSP signers: for each authority with a key, a key pair that lives in memory alone, and a
 * certificate that the authority issues for it, as it issues others: recorded, audited. Made again
 * when half of its time is gone, and whenever the daemon starts; to the authority's own end, also
 * when it is retired.
 */
#include <stdio.h>

#include "ca/host_impl.h"

enum {
    FAR_MS = 60 * 60 * 1000,
    NAME_SIZE = 65, /* of a CN */
};

static enum hf_err take(struct hf_host_authority *owner, struct hf_ca_op *op)
{
    struct hf_ocsp_signer *signer = NULL;
    const struct hf_chain *chain;
    if (op->outcome != HF_CA_DONE) {
        return hf_fail(HF_E_DENIED, "%s", op->text);
    }
    HF_TRY(hf_ca_op_chain(op, &chain));
    HF_TRY(hf_ocsp_signer_new(chain->certs[0], op->key, owner->authority->cert, &signer));
    hf_ocsp_signer_unref(owner->signer);
    owner->signer = signer;
    owner->signer_until =
        signer->cert->not_before + (signer->cert->not_after - signer->cert->not_before) / 2;
    return HF_OK;
}

static void wait_longer(const struct hf_ca_host *host, struct hf_host_authority *owner)
{
    owner->signer_pause_ms = hf_host_longer(owner->signer_pause_ms);
    owner->signer_quiet_ms = hf_loop_now_ms(host->loop) + owner->signer_pause_ms;
}

static void delegate(struct hf_ca_host *host, struct hf_host_authority *owner)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof(name), "OCSP of %.50s", owner->authority->name);
    struct hf_ca_op op = {
        .verb = HF_CA_VERB_ISSUE,
        .caller = {.name = "system", .rights = HF_CA_MAY_ALL, .local = true},
        .ask = {.profile = "ocsp-signer",
                .authority = owner->authority->name,
                .name = name,
                .key_type = "p256"},
    };
    hf_ca_run(host->service, &op);
    enum hf_err err = take(owner, &op);
    if (err == HF_OK) {
        host->stale = true;
        owner->signer_pause_ms = 0;
        hf_log_say(host->options.log, HF_LOG_INFO, "ocsp", "%s of the CA %s has a new OCSP signer",
                   owner->authority->name, host->name);
    } else {
        wait_longer(host, owner);
        hf_log_say(host->options.log, HF_LOG_ERROR, "ocsp",
                   "%s of the CA %s has no new OCSP signer: %s", owner->authority->name, host->name,
                   hf_err_text());
    }
    hf_ca_op_done(&op);
}

/* Until the signer is to be another one. */
static int64_t due_of(const struct hf_ca_host *host, const struct hf_host_authority *owner)
{
    int64_t now = hf_host_now_s(host);
    int64_t left = owner->signer_until - now;
    bool began = owner->signer && owner->signer->cert->not_before <= now; /* or the clock was set */
    int64_t due = began && left > 0 ? left * 1000 : 0;
    int64_t quiet = owner->signer_quiet_ms - hf_loop_now_ms(host->loop);
    return due > quiet ? due : quiet;
}

int64_t hf_host_ocsp_due(struct hf_ca_host *host)
{
    int64_t next = FAR_MS;
    for (size_t i = 0; i < host->n_authorities; i++) {
        struct hf_host_authority *owner = &host->authorities[i];
        const struct hf_issuer *issuer = owner->authority->issuer;
        if (!issuer || hf_issuer_end(issuer) <= hf_host_now_s(host)) {
            continue;
        }
        if (due_of(host, owner) == 0) {
            delegate(host, owner);
        }
        int64_t due = due_of(host, owner);
        next = due < next ? due : next;
    }
    return next;
}
