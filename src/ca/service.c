// SPDX-License-Identifier: Apache-2.0
/* Opening and closing, and the way of an operation through the threads. What each verb does is in
 * op_<verb>.c. */
#include "ca/service.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/service_impl.h"
#include "os/file.h"

enum {
    QUEUED_STANDARD = 4096,
    KEY_LIST_MAX = 512 << 20,
    HOLD_MAX = 32,
    HOLD_NS = 2 * 1000 * 1000,
};

/* --- Ending an operation -----------------------------------------------------------------------
 */

static void take_back_cert(struct hf_ca_op *op)
{
    hf_free((void *)(uintptr_t)op->der.ptr);
    hf_identity_unref(op->identity);
    hf_chain_unref(op->above);
    hf_chain_unref(op->chain);
    hf_cert_unref(op->root);
    EVP_PKEY_free(op->key);
    op->der = hf_bytes_of(NULL, 0);
    op->identity = NULL;
    op->above = op->chain = NULL;
    op->root = NULL;
    op->key = NULL;
}

static enum hf_err make_chain(const struct hf_ca_op *op, struct hf_cert *cert,
                              struct hf_chain **out)
{
    struct hf_cert *certs[HF_CHAIN_MAX] = {cert};
    size_t n = 1;
    for (size_t i = 0; op->above && i < op->above->n_certs && n < HF_CHAIN_MAX; i++) {
        certs[n++] = op->above->certs[i];
    }
    return hf_chain_new(certs, n, out);
}

enum hf_err hf_ca_op_chain(struct hf_ca_op *op, const struct hf_chain **out)
{
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    *out = NULL;
    if (!op->der.ptr) {
        return hf_fail(HF_E_NOT_FOUND, "no certificate was issued");
    }
    if (!op->chain) {
        HF_TRY(hf_cert_from_der(op->der, &cert));
        HF_TRY(make_chain(op, cert, &op->chain));
    }
    *out = op->chain;
    return HF_OK;
}

void hf_ca_op_done(struct hf_ca_op *op)
{
    take_back_cert(op);
    hf_free(op->text);
    hf_free(op->profile);
    hf_free(op->id);
    if (op->token) {
        hf_wipe(op->token, strlen(op->token));
    }
    hf_free(op->token);
    op->text = op->profile = op->id = op->token = NULL;
}

static void want_done(struct hf_ca_want *want)
{
    hf_csr_free(want->csr);
    EVP_PKEY_free(want->private_key);
    hf_public_key_free(want->made);
    hf_subject_done(&want->subject);
    hf_alt_names_done(&want->names);
}

static void work_free(struct hf_ca_work *work)
{
    want_done(&work->want);
    hf_made_cert_done(&work->made);
    hf_ca_found_done(&work->old);
    hf_ca_many_free(work->many);
    hf_identity_unref(work->identity);
    hf_free(work->id);
    hf_free(work->requester);
    hf_free(work->token_by);
    if (work->token) {
        hf_wipe(work->token, strlen(work->token));
    }
    hf_free(work->token);
    for (size_t i = 0; i < HF_CA_N_TEXTS; i++) {
        hf_buf_done(&work->text[i]);
    }
    hf_cert_profile_unref(work->profile);
    hf_ca_view_unref(work->view);
    hf_free(work);
}

static void end(struct hf_ca_op *op, enum hf_ca_outcome outcome, const char *text)
{
    op->outcome = outcome;
    op->text = op->text ? op->text : hf_strdup(text);
    if (!op->text) {
        op->text = hf_strdup(""); /* an allocation of one byte fails only where all is lost */
    }
    op->done(op);
}

static void finish(struct hf_ca_work *work, enum hf_ca_outcome outcome, const char *text)
{
    struct hf_ca_op *op = work->op;
    op->why = work->why;
    if (outcome != HF_CA_DONE) {
        take_back_cert(op);
    }
    op->text = op->text ? op->text : hf_strdup(text); /* it may be the work's */
    work_free(work);
    end(op, outcome, "");
}

void hf_ca_finish(struct hf_ca_work *work)
{
    const char *says = hf_buf_cstr(&work->text[HF_CA_TEXT_SAYS]);
    work->op->text = hf_strdup(says ? says : "");
    finish(work, work->outcome, "");
}

/* How a failure ends the operation, where the verb didn't say. */
static enum hf_ca_outcome outcome_of(enum hf_err err, enum hf_refusal why)
{
    static const enum hf_ca_outcome by_refusal[HF_REFUSAL_N] = {
        [HF_REFUSAL_CSR_MALFORMED] = HF_CA_MALFORMED,
        [HF_REFUSAL_CSR_SIGNATURE] = HF_CA_MALFORMED,
        [HF_REFUSAL_CSR_UNSUPPORTED] = HF_CA_MALFORMED,
        [HF_REFUSAL_KEY_TYPE] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_WEAK_KEY] = HF_CA_WEAK_KEY,
        [HF_REFUSAL_KNOWN_KEY] = HF_CA_WEAK_KEY,
        [HF_REFUSAL_SUBJECT] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_NAME_INVALID] = HF_CA_INVALID,
        [HF_REFUSAL_NAME_DENIED] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_NAME_MISSING] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_NAME_CONSTRAINTS] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_LIFETIME] = HF_CA_NOT_ALLOWED,
        [HF_REFUSAL_ISSUER_ENDED] = HF_CA_NO_SIGNER,
        [HF_REFUSAL_ISSUER] = HF_CA_NO_SIGNER,
        [HF_REFUSAL_WHO] = HF_CA_FORBIDDEN,
        [HF_REFUSAL_LINT] = HF_CA_LINT,
    };
    if (why != HF_REFUSAL_NONE) {
        return by_refusal[why];
    }
    switch (err) {
    case HF_E_NOT_FOUND:
        return HF_CA_NOT_FOUND;
    case HF_E_MALFORMED:
    case HF_E_TRUNCATED:
        return HF_CA_MALFORMED;
    case HF_E_INVALID:
    case HF_E_TOO_LARGE:
    case HF_E_UNSUPPORTED:
        return HF_CA_INVALID;
    case HF_E_EXISTS:
    case HF_E_DENIED:
        return HF_CA_CONFLICT;
    case HF_E_BUSY:
        return HF_CA_BUSY;
    case HF_E_IO:
    case HF_E_TIMEOUT:
    case HF_E_CLOSED:
        return HF_CA_STORE;
    default:
        return HF_CA_INTERNAL;
    }
}

static void on_refused(struct hf_store_op *write)
{
    hf_ca_finish(write->ctx);
}

static const char *target_of(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    const char *named = op->ask.name         ? op->ask.name
                        : op->which.serial   ? op->which.serial
                        : op->which.identity ? op->which.identity
                        : op->request        ? op->request
                                             : "";
    const char *profile = work->profile ? work->profile->name : op->ask.profile;
    return hf_ca_text(&work->text[HF_CA_TEXT_TARGET], "%s%s%.200s", profile ? profile : "",
                      profile && *named ? " " : "", named);
}

/* The answer, which is in TEXT_SAYS, waits until the refusal is in the audit log; where it can't be
 * written, the refusal holds all the same. */
static void audit_refusal(struct hf_ca_work *work)
{
    const char *says = hf_buf_cstr(&work->text[HF_CA_TEXT_SAYS]);
    const char *action =
        hf_ca_text(&work->text[HF_CA_TEXT_ACTION], "%s refused", hf_ca_verb_name(work->op->verb));
    const char *from = hf_ca_detail(work);
    const char *detail = hf_ca_text(&work->text[HF_CA_TEXT_DETAIL], "%s: %.500s%s%s",
                                    hf_ca_outcome_name(work->outcome), says ? says : "",
                                    from && *from ? ", " : "", from ? from : "");
    work->audit = (struct hf_store_audit_add){
        .op = {.kind = HF_STORE_AUDIT,
               .actor = work->op->caller.name,
               .detail = detail,
               .done = on_refused,
               .ctx = work},
        .action = action,
        .target = target_of(work),
    };
    if (!says || !action || !detail ||
        hf_store_submit(work->service->store, &work->audit.op) != HF_OK) {
        on_refused(&work->audit.op);
    }
}

static void refuse(struct hf_ca_work *work, enum hf_err err)
{
    work->outcome = work->outcome == HF_CA_DONE ? outcome_of(err, work->why) : work->outcome;
    hf_ca_says(work, "%s", hf_err_text());
    audit_refusal(work);
}

/* --- The way through ---------------------------------------------------------------------------
 */

static enum hf_err (*const verbs[HF_CA_N_VERBS])(struct hf_ca_work *work) = {
    [HF_CA_VERB_ISSUE] = hf_ca_verb_issue,     [HF_CA_VERB_SIGN] = hf_ca_verb_issue,
    [HF_CA_VERB_RENEW] = hf_ca_verb_renew,     [HF_CA_VERB_REKEY] = hf_ca_verb_renew,
    [HF_CA_VERB_REVOKE] = hf_ca_verb_revoke,   [HF_CA_VERB_HOLD] = hf_ca_verb_revoke,
    [HF_CA_VERB_RELEASE] = hf_ca_verb_revoke,  [HF_CA_VERB_APPROVE] = hf_ca_verb_decide,
    [HF_CA_VERB_DENY] = hf_ca_verb_decide,     [HF_CA_VERB_TOKEN] = hf_ca_verb_token,
    [HF_CA_VERB_UNTOKEN] = hf_ca_verb_untoken, [HF_CA_VERB_PICK_UP] = hf_ca_verb_pick_up,
};

static void on_stored(struct hf_store_op *write)
{
    struct hf_ca_work *work = write->ctx;
    if (write->err != HF_OK) {
        work->why = work->issue.compromised ? HF_REFUSAL_KNOWN_KEY : HF_REFUSAL_NONE;
        work->outcome = work->issue.bad_token || work->token_use.bad_token
                            ? HF_CA_BAD_TOKEN
                            : outcome_of(write->err, work->why);
        hf_ca_says(work, "%s", write->why);
        if (work->outcome == HF_CA_STORE || work->outcome == HF_CA_BUSY) {
            hf_ca_finish(work); /* the audit log can't be written either */
        } else {
            audit_refusal(work);
        }
        return;
    }
    work->stored(work);
    hf_ca_finish(work);
}

/* A commit costs as much as what is in it. Where more operations wait for this thread, what it has
 * made is held back for what is made next, and both are committed together: at most HOLD_MAX
 * operations, none that may take long after one is held, and none begun when HOLD_NS have passed.
 * Nobody is told anything before the commit, so nothing but time is at stake. */
static void hold(struct hf_ca_service *service, struct hf_store_op *write)
{
    write->next = NULL;
    pthread_mutex_lock(&service->held_lock);
    if (service->held.n++ == 0) {
        service->held.last = &service->held.first;
        service->held.since_ns = hf_clock_mono_ns(service->clock);
    }
    *service->held.last = write;
    service->held.last = &write->next;
    pthread_mutex_unlock(&service->held_lock);
}

static void let_go(struct hf_ca_service *service)
{
    pthread_mutex_lock(&service->held_lock);
    struct hf_store_op *write = HF_TAKE(service->held.first);
    service->held.n = 0;
    pthread_mutex_unlock(&service->held_lock);
    enum hf_err err = write ? hf_store_submit_list(service->store, write) : HF_OK;
    if (err == HF_OK) {
        return;
    }
    char why[sizeof(write->why)];
    snprintf(why, sizeof(why), "%s", hf_err_text());
    for (struct hf_store_op *next; write; write = next) {
        next = write->next;
        write->err = err;
        memcpy(write->why, why, sizeof(why));
        on_stored(write);
    }
}

static bool may_hold(struct hf_ca_service *service)
{
    pthread_mutex_lock(&service->held_lock);
    bool may = service->held.n < HOLD_MAX &&
               hf_clock_mono_ns(service->clock) - service->held.since_ns < HOLD_NS;
    pthread_mutex_unlock(&service->held_lock);
    return may;
}

/* Making a key may take seconds, and what a filter finds, too. */
static bool is_quick(const struct hf_ca_op *op)
{
    switch (op->verb) {
    case HF_CA_VERB_ISSUE:
    case HF_CA_VERB_SIGN:
    case HF_CA_VERB_REKEY:
        return op->ask.csr.ptr && !op->made;
    case HF_CA_VERB_RENEW:
        return !op->made;
    case HF_CA_VERB_REVOKE:
    case HF_CA_VERB_HOLD:
    case HF_CA_VERB_RELEASE:
        return op->which.serial != NULL;
    default:
        return false;
    }
}

static void run_task(struct hf_crew_task *task, bool dropped);

static void between(void *ctx, struct hf_crew_task *next)
{
    struct hf_ca_service *service = ctx;
    bool keep = next && next->run == run_task &&
                is_quick(HF_CONTAINER_OF(next, struct hf_ca_op, task)) && may_hold(service);
    if (!keep) {
        let_go(service);
    }
}

/* work->outcome is about failures until here; what is stored ends as DONE, or PENDING. */
static void submit(struct hf_ca_work *work)
{
    work->write->done = on_stored;
    work->write->ctx = work;
    hold(work->service, work->write);
}

static void run_work(struct hf_ca_work *work)
{
    enum hf_err err = verbs[work->op->verb](work);
    if (err != HF_OK) {
        refuse(work, err);
    } else if (work->begin) {
        work->begin(work);
    } else if (work->write) {
        submit(work);
    } else {
        work->stored(work);
        hf_ca_finish(work);
    }
}

static struct hf_ca_work *work_new(struct hf_ca_op *op)
{
    struct hf_ca_work *work = HF_NEW(struct hf_ca_work);
    if (work) {
        for (size_t i = 0; i < HF_CA_N_TEXTS; i++) {
            work->text[i] = HF_BUF_INIT(HF_STORE_TEXT_MAX);
        }
        work->op = op;
        work->service = op->service;
        work->view = hf_ca_view_take(op->service);
    }
    return work;
}

static void run_task(struct hf_crew_task *task, bool dropped)
{
    struct hf_ca_op *op = HF_CONTAINER_OF(task, struct hf_ca_op, task);
    if (dropped) {
        end(op, HF_CA_BUSY, "the CA is being stopped");
        return;
    }
    struct hf_ca_work *work = work_new(op);
    if (!work) {
        end(op, HF_CA_INTERNAL, "out of memory");
        return;
    }
    run_work(work);
}

void hf_ca_submit(struct hf_ca_service *service, struct hf_ca_op *op)
{
    op->service = service;
    op->task = (struct hf_crew_task){.run = run_task};
    if (hf_crew_add(service->crew, &op->task) != HF_OK) {
        end(op, HF_CA_BUSY, hf_err_text());
    }
}

struct waiting {
    sem_t done;
    void (*inner)(struct hf_ca_op *op);
    void *ctx;
};

static void wake(struct hf_ca_op *op)
{
    struct waiting *waiting = op->ctx;
    sem_post(&waiting->done);
}

void hf_ca_run(struct hf_ca_service *service, struct hf_ca_op *op)
{
    struct waiting waiting = {.inner = op->done, .ctx = op->ctx};
    sem_init(&waiting.done, 0, 0);
    op->done = wake;
    op->ctx = &waiting;
    hf_ca_submit(service, op);
    while (sem_wait(&waiting.done) != 0) {
    }
    sem_destroy(&waiting.done);
    op->done = waiting.inner;
    op->ctx = waiting.ctx;
}

/* --- Opening and closing -----------------------------------------------------------------------
 */

static void on_change(struct hf_store_watch *watch, const struct hf_store_heads *heads)
{
    struct hf_ca_service *service = watch->ctx;
    (void)heads;
    pthread_mutex_lock(&service->view_lock);
    service->stale = true;
    pthread_mutex_unlock(&service->view_lock);
}

static enum hf_err read_key_lists(struct hf_ca_service *service,
                                  const struct hf_ca_service_options *options)
{
    HF_TRY(hf_key_list_new(&service->known_keys));
    for (size_t i = 0; i < options->n_key_lists; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(KEY_LIST_MAX);
        HF_TRY(hf_file_read(options->key_lists[i], &text));
        HF_TRY(hf_key_list_add(service->known_keys, hf_buf_bytes(&text), options->key_lists[i]));
    }
    return HF_OK;
}

static enum hf_err open_all(struct hf_ca_service *service,
                            const struct hf_ca_service_options *options)
{
    struct hf_store_options store = {
        .url = options->store, .create = options->create, .clock = options->clock};
    if (options->passphrase.ptr) {
        HF_TRY(hf_secret_text_set(&service->passphrase, options->passphrase));
        service->has_passphrase = true;
    }
    HF_TRY(read_key_lists(service, options));
    HF_TRY(hf_store_open(&store, &service->store));
    HF_TRY(hf_ca_view_read(service));
    HF_TRY(hf_crew_new(options->n_threads,
                       options->max_queued ? options->max_queued : QUEUED_STANDARD,
                       &service->crew));
    hf_crew_between(service->crew, between, service);
    service->watch = (struct hf_store_watch){.on_change = on_change, .ctx = service};
    HF_TRY(hf_store_watch(service->store, &service->watch));
    service->watching = true;
    return HF_OK;
}

enum hf_err hf_ca_service_open(const struct hf_ca_service_options *options,
                               struct hf_ca_service **out)
{
    *out = NULL;
    struct hf_ca_service *service = HF_NEW(struct hf_ca_service);
    if (!service) {
        return HF_E_NOMEM;
    }
    service->clock = options->clock;
    service->rng = options->rng;
    pthread_mutex_init(&service->held_lock, NULL);
    pthread_mutex_init(&service->view_lock, NULL);
    pthread_mutex_init(&service->moduli_lock, NULL);
    enum hf_err err = open_all(service, options);
    if (err != HF_OK) {
        hf_ca_service_close(service);
        return err;
    }
    *out = service;
    return HF_OK;
}

void hf_ca_service_close(struct hf_ca_service *service)
{
    if (!service) {
        return;
    }
    hf_crew_free(service->crew); /* no operation begins any more */
    if (service->watching) {
        hf_store_unwatch(service->store, &service->watch);
    }
    hf_store_close(service->store); /* those under way are stored, and done */
    hf_ca_view_unref(service->view);
    hf_moduli_free(service->moduli);
    hf_key_list_free(service->known_keys);
    pthread_mutex_destroy(&service->moduli_lock);
    pthread_mutex_destroy(&service->view_lock);
    pthread_mutex_destroy(&service->held_lock);
    hf_secret_text_done(&service->passphrase);
    hf_free(service);
}

struct hf_store *hf_ca_store(struct hf_ca_service *service)
{
    return service->store;
}

const struct hf_clock *hf_ca_clock(const struct hf_ca_service *service)
{
    return service->clock;
}

const struct hf_rng *hf_ca_rng(const struct hf_ca_service *service)
{
    return service->rng;
}
