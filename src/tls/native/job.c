// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

#include <assert.h>
#include <stdio.h>

/* Running jobs. hf_err_text() belongs to a thread, and a job may run in another one than its
 * connection, so that the answer carries its sentence. */

void hf_native_job_ask(struct hf_native *conn, enum hf_native_job_kind kind)
{
    struct hf_native_job *job = &conn->hs->job;
    assert(job->state == HF_JOB_IDLE);
    job->base.ops = conn->base.ops;
    job->kind = kind;
    job->state = HF_JOB_ASKED;
}

enum hf_err hf_native_job_take(struct hf_native *conn)
{
    struct hf_native_job *job = &conn->hs->job;
    assert(job->state == HF_JOB_ANSWERED);
    job->state = HF_JOB_IDLE;
    return job->result == HF_OK ? HF_OK : hf_fail(job->result, "%s", job->text);
}

struct hf_tls_job *hf_native_job(struct hf_tls *tls)
{
    struct hf_native *conn = hf_native_of(tls);
    bool asked = conn->hs && conn->hs->job.state == HF_JOB_ASKED;
    return asked ? &conn->hs->job.base : NULL;
}

static enum hf_err run_keygen(struct hf_crypto *crypto, struct hf_native_job *job)
{
    for (size_t i = 0; i < job->keygen.n_pairs; i++) {
        struct hf_kex *pair = &job->keygen.pair[i];
        HF_TRY(hf_kex_generate(crypto, pair->group, job->keygen.rng, pair));
    }
    return HF_OK;
}

static enum hf_err run_derive(struct hf_crypto *crypto, struct hf_native_job *job)
{
    return hf_kex_derive(crypto, job->derive.pair, job->derive.peer, job->derive.shared);
}

static enum hf_err run_sign(struct hf_crypto *crypto, struct hf_native_job *job)
{
    return hf_sign(crypto, job->sign.key, job->sign.scheme,
                   hf_bytes_of(job->sign.message, job->sign.message_len),
                   hf_span_of(job->sign.sig, sizeof(job->sign.sig)), &job->sign.sig_len);
}

static enum hf_err run_verify(struct hf_crypto *crypto, struct hf_native_job *job)
{
    return hf_verify(crypto, job->verify.key, job->verify.scheme,
                     hf_bytes_of(job->verify.message, job->verify.message_len),
                     hf_bytes_of(job->verify.sig, job->verify.sig_len));
}

static enum hf_err (*const runners[])(struct hf_crypto *crypto, struct hf_native_job *job) = {
    [HF_JOB_KEYGEN] = run_keygen,
    [HF_JOB_DERIVE] = run_derive,
    [HF_JOB_SIGN] = run_sign,
    [HF_JOB_VERIFY] = run_verify,
};

void hf_native_job_run(struct hf_tls_job *base)
{
    struct hf_native_job *job = HF_CONTAINER_OF(base, struct hf_native_job, base);
    assert(job->state == HF_JOB_ASKED);
    struct hf_crypto *crypto = hf_crypto_here();
    job->result = crypto ? runners[job->kind](crypto, job) : HF_E_NOMEM;
    if (job->result != HF_OK) {
        snprintf(job->text, sizeof(job->text), "%s", hf_err_text());
    }
    job->state = HF_JOB_ANSWERED;
}
