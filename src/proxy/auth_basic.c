// SPDX-License-Identifier: Apache-2.0
/*
 * A user and a password. Hashing is slow on purpose, so it happens on the threads of the service
 * (os/jobs.h), and what was right is remembered for a while under a keyed hash of everything that
 * it depends on: the stored hash, the user, the password, and the period. The period is in the key
 * because nothing is ever taken out: when the next one begins, the old memories are found no more.
 *
 * An address that guesses wrong too often is refused before anything is hashed, but not before the
 * memory is asked: those who are in stay in when a neighbour behind the same address guesses. For
 * an unknown user, the hash of some other user is checked and the result thrown away.
 */
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "policy/basic.h"
#include "proxy/auth_impl.h"

struct hf_auth_job {
    struct hf_job job;
    struct hf_auth_call *call; /* NULL: nobody waits any more */
    struct hf_auth_slot *slot;
    struct hf_auth_service *service;
    char *hash;
    struct hf_secret_text password;
    bool known; /* the user */
    uint8_t memory[HF_CACHE_KEY_LEN];
    bool remember;
    enum hf_err result;
};

static void job_free(struct hf_auth_job *job)
{
    hf_secret_text_done(&job->password);
    hf_free(job->hash);
    hf_free(job);
}

void hf_auth_job_leave(struct hf_auth_job *job)
{
    job->call = NULL;
}

/* The key of the memory: HMAC over hash, user, password (each with its NUL) and period. */
static void key_of(const struct hf_auth_call *call, const struct hf_auth_slot *slot,
                   const char *hash, const struct hf_basic *basic,
                   uint8_t out[static HF_CACHE_KEY_LEN])
{
    const struct hf_hmac *hmac = &call->ask.service->password_key;
    int64_t period_ns = slot->verifier->basic.cache_ms * INT64_C(1000000);
    int64_t period =
        period_ns ? hf_clock_mono_ns(call->ask.service->clock) / period_ns : INT64_C(-1);
    struct hf_hash running = hf_hmac_begin(hmac);
    hf_hash_update(&running, hf_bytes_of(hash, strlen(hash) + 1));
    hf_hash_update(&running, hf_bytes_of(basic->user.ptr, basic->user.len + 1));
    hf_hash_update(&running, hf_bytes_of(basic->password.ptr, basic->password.len + 1));
    hf_hash_update(&running, hf_bytes_of(&period, sizeof(period)));
    hf_hmac_end(hmac, &running, out);
}

static void run(struct hf_job *base)
{
    struct hf_auth_job *job = HF_CONTAINER_OF(base, struct hf_auth_job, job);
    job->result = hf_password_check(job->hash, job->password.ptr);
    if (job->result == HF_OK && !job->known) {
        job->result = HF_E_MISMATCH;
    }
}

static enum hf_reason reason_of(const struct hf_auth_job *job)
{
    return job->job.dropped               ? HF_REASON_AUTH_BUSY
           : job->result == HF_OK         ? HF_REASON_OK
           : job->result == HF_E_NOMEM    ? HF_REASON_AUTH_BUSY
           : job->result == HF_E_MISMATCH ? HF_REASON_WRONG_PASSWORD
                                          : HF_REASON_INTERNAL;
}

static const struct hf_rate_rule *rule_of(const struct hf_auth_slot *slot)
{
    return &slot->verifier->basic.failures.rule;
}

/* What the cache remembers is the key alone; any value will do. */
static char right;

static void done(struct hf_job *base)
{
    struct hf_auth_job *job = HF_CONTAINER_OF(base, struct hf_auth_job, job);
    struct hf_auth_call *call = job->call;
    enum hf_reason reason = reason_of(job);
    if (reason == HF_REASON_OK && job->remember) {
        hf_cache_put(job->service->passwords, job->memory, &right);
    }
    if (call) {
        int64_t wait_ns;
        if (reason == HF_REASON_WRONG_PASSWORD) {
            (void)hf_rate_take(job->service->failures, rule_of(job->slot),
                               hf_limit_key_bytes(&call->place),
                               hf_clock_mono_ns(job->service->clock), &wait_ns);
        }
        call->job = NULL;
        hf_auth_known(job->slot, reason);
    }
    job_free(job);
    if (call) {
        hf_auth_go_on(call);
    }
}

static enum hf_err make_job(struct hf_auth_call *call, struct hf_auth_slot *slot, const char *hash,
                            const struct hf_basic *basic, struct hf_auth_job **out)
{
    struct hf_auth_job *job = HF_NEW(struct hf_auth_job);
    if (!job) {
        return HF_E_NOMEM;
    }
    *job = (struct hf_auth_job){
        .job = {.run = run, .done = done, .loop = call->ask.loop},
        .call = call,
        .slot = slot,
        .service = call->ask.service,
        .hash = hf_strdup(hash),
        .remember = slot->verifier->basic.cache_ms > 0,
    };
    if (!job->hash ||
        hf_secret_text_set(&job->password, hf_bytes_of(basic->password.ptr, basic->password.len)) !=
            HF_OK) {
        job_free(job);
        return HF_E_NOMEM;
    }
    *out = job;
    return HF_OK;
}

static void hash_it(struct hf_auth_call *call, struct hf_auth_slot *slot, const char *hash,
                    const struct hf_basic *basic, bool known,
                    const uint8_t key[static HF_CACHE_KEY_LEN])
{
    struct hf_auth_job *job = NULL;
    enum hf_err err = make_job(call, slot, hash, basic, &job);
    if (err == HF_OK) {
        job->known = known;
        memcpy(job->memory, key, sizeof(job->memory));
        err = hf_jobs_add(call->ask.service->jobs, &job->job);
    }
    if (err != HF_OK) {
        if (job) {
            job_free(job);
        }
        hf_auth_known(slot, HF_REASON_AUTH_BUSY);
        return;
    }
    slot->found = HF_AUTH_WAITING;
    call->job = job;
}

static void check(struct hf_auth_call *call, struct hf_auth_slot *slot,
                  const struct hf_basic *basic)
{
    struct hf_auth_service *service = call->ask.service;
    const struct hf_htpasswd *users = hf_auth_item_of(call, slot->verifier)->users;
    uint8_t key[HF_CACHE_KEY_LEN];
    int64_t wait_ns;
    bool known;
    const char *hash = hf_htpasswd_find(users, basic->user.ptr, &known);
    key_of(call, slot, hash, basic, key);
    if (known && slot->verifier->basic.cache_ms && hf_cache_get(service->passwords, key)) {
        hf_auth_known(slot, HF_REASON_OK);
    } else if (!hf_rate_peek(service->failures, rule_of(slot), hf_limit_key_bytes(&call->place),
                             hf_clock_mono_ns(service->clock), &wait_ns)) {
        call->answer.retry_after_s = wait_ns / INT64_C(1000000000) + 1;
        hf_auth_known(slot, HF_REASON_TOO_MANY_FAILURES);
    } else {
        hash_it(call, slot, hash, basic, known, key);
    }
    hf_wipe(key, sizeof(key));
}

void hf_auth_check_basic(struct hf_auth_call *call, struct hf_auth_slot *slot)
{
    HF_CLEANUP(hf_basic_done) struct hf_basic basic = {0};
    struct hf_bytes field;
    bool several;
    if (!hf_auth_field(call, "authorization", &field, &several) ||
        !hf_auth_scheme(&field, "Basic")) {
        hf_auth_known(slot, several ? HF_REASON_BAD_CREDENTIAL : HF_REASON_AUTH_REQUIRED);
        return;
    }
    enum hf_err err = hf_basic_parse(field, &basic);
    slot->user = err == HF_OK ? hf_strdup(basic.user.ptr) : NULL;
    if (err != HF_OK || !slot->user) {
        hf_auth_known(slot, err == HF_OK || err == HF_E_NOMEM ? HF_REASON_INTERNAL
                                                              : HF_REASON_BAD_CREDENTIAL);
        return;
    }
    check(call, slot, &basic);
}
