// SPDX-License-Identifier: Apache-2.0
/*
 * The writer's thread: one transaction for whatever has queued while the last one was committed.
 *
 * Nearly always all operations of a batch succeed, or fail before they have written anything (a
 * serial that exists, a token that is used up), which doesn't disturb the others. When one fails
 * after it has written, or the database itself refuses a statement, the whole batch is undone and
 * each operation is run again in a transaction of its own; so no operation depends on its
 * neighbours, and no savepoints are paid for.
 *
 * A connection that is lost before the commit is opened again and the batch repeated, until the
 * operations' time is over. One that is lost during the commit leaves a question, which the
 * database is asked afterwards (settle). If it can't be reached even then, the operations fail with
 * a sentence that says "may": what it did is unknown, and nobody was told that it was done.
 */
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "ca/store/store_impl.h"
#include "ca/store/tx.h"

enum { BATCH_MAX = 1024, RETRY_MS = 100 };

static hf_op_run *const runs[HF_STORE_N_KINDS] = {
    [HF_STORE_AUTHORITY_PUT] = hf_op_authority_put,
    [HF_STORE_AUTHORITY_CERT] = hf_op_authority_cert,
    [HF_STORE_KEY_PUT] = hf_op_key_put,
    [HF_STORE_ISSUE] = hf_op_issue,
    [HF_STORE_REVOKE] = hf_op_revoke,
    [HF_STORE_REQUEST_ADD] = hf_op_request_add,
    [HF_STORE_REQUEST_DECIDE] = hf_op_request_decide,
    [HF_STORE_PROFILE_PUT] = hf_op_profile_put,
    [HF_STORE_PROFILE_REMOVE] = hf_op_profile_remove,
    [HF_STORE_TOKEN_ADD] = hf_op_token_add,
    [HF_STORE_TOKEN_USE] = hf_op_token_use,
    [HF_STORE_TOKEN_REMOVE] = hf_op_token_remove,
    [HF_STORE_CRL_NUMBER] = hf_op_crl_number,
    [HF_STORE_CRL_RECORD] = hf_op_crl_record,
    [HF_STORE_SEEN] = hf_op_seen,
    [HF_STORE_AUDIT] = hf_op_audit,
};

struct batch {
    struct hf_store_op *op[BATCH_MAX];
    size_t n;
};

/* --- Running -----------------------------------------------------------------------------------
 */

static int64_t *id_of(struct hf_store_op *op)
{
    return op->kind == HF_STORE_AUTHORITY_PUT ? &((struct hf_store_authority_put *)op)->authority.id
           : op->kind == HF_STORE_KEY_PUT     ? &((struct hf_store_key_put *)op)->key.id
                                              : NULL;
}

/* Where an id is both given and set, a second run must see what was given. */
static void remember_given(struct hf_store_op *op)
{
    int64_t *id = id_of(op);
    op->given = id ? *id : 0;
}

static enum hf_err run_one(struct hf_tx *tx, struct hf_store_op *op)
{
    int64_t *id = id_of(op);
    if (id) {
        *id = op->given;
    }
    if (op->before) {
        op->before(op);
    }
    if (op->kind >= HF_STORE_N_KINDS || !runs[op->kind]) {
        return hf_fail(HF_E_INTERNAL, "no such operation of the store: %d", (int)op->kind);
    }
    return runs[op->kind](tx, op);
}

static enum hf_err run(struct hf_tx *tx, struct hf_store_op *op)
{
    if (op->kind != HF_STORE_GROUP) {
        return run_one(tx, op);
    }
    struct hf_store_group *group = (struct hf_store_group *)op;
    for (group->failed = 0; group->failed < group->n_ops; group->failed++) {
        HF_TRY(run_one(tx, group->ops[group->failed]));
    }
    return HF_OK;
}

static void settle_op(struct hf_store_op *op, enum hf_err err)
{
    op->err = err;
    snprintf(op->why, sizeof(op->why), "%s", err == HF_OK ? "" : hf_err_text());
}

static int64_t age_ms(const struct hf_store *store, const struct hf_store_op *op)
{
    return (hf_clock_mono_ns(store->clock) - op->queued_ns) / 1000000;
}

/*
 * Runs some operations in the transaction that has begun, the heads of which a failed one must not
 * move. False: the transaction is spoilt (whatever was run so far must be run again, each by
 * itself).
 */
static bool run_all(struct hf_tx *tx, struct hf_store_op *const *ops, size_t n,
                    enum hf_err *out_err)
{
    for (size_t i = 0; i < n; i++) {
        struct hf_tx before = *tx;
        uint64_t writes = tx->db->n_writes;
        *out_err = run(tx, ops[i]);
        settle_op(ops[i], *out_err);
        if (*out_err != HF_OK) {
            *tx = before;
            if (tx->db->n_writes != writes || tx->db->failed) {
                return false;
            }
        }
    }
    return true;
}

/* --- Committing --------------------------------------------------------------------------------
 */

enum outcome {
    DONE,   /* committed, or nothing to commit; each operation has its result */
    SPOILT, /* rolled back; one of several is to blame */
    LOST,   /* the connection is gone, and nothing was committed: err says why */
    FAILED, /* rolled back: err says why */
};

static enum hf_err reconnect(struct hf_store *store)
{
    if (store->db && !store->db->lost) {
        return HF_OK;
    }
    hf_db_closep(&store->db);
    return hf_store_connect(store, &store->db);
}

/* Before the database is tried again. */
static void pause_a_little(void)
{
    (void)poll(NULL, 0, RETRY_MS);
}

static enum outcome lost_or_failed(const struct hf_store *store)
{
    return store->db->lost ? LOST : FAILED;
}

static enum outcome in_doubt(enum hf_err *out_err)
{
    *out_err = hf_fail_context(HF_E_IO, "the database was lost while it committed, this may have "
                                        "been stored");
    return FAILED;
}

/* The answer to a commit was lost: what became of it? Asked for as long as an operation may take.
 * A file that was taken away can't be asked. */
static enum outcome find_out(struct hf_store *store, const struct hf_tx *lost, enum hf_err *out_err)
{
    if (!store->db->backend->far) {
        return in_doubt(out_err);
    }
    int64_t until = hf_clock_mono_ns(store->clock) + store->timeout_ms * INT64_C(1000000);
    for (;;) {
        bool committed;
        if (reconnect(store) == HF_OK && hf_tx_settle(store->db, lost, &committed) == HF_OK) {
            return committed ? DONE : LOST;
        }
        if (hf_clock_mono_ns(store->clock) > until) {
            return in_doubt(out_err);
        }
        pause_a_little();
    }
}

static enum outcome commit(struct hf_store *store, struct hf_tx *tx, enum hf_err *out_err)
{
    *out_err = hf_tx_save(tx);
    if (*out_err == HF_OK) {
        *out_err = hf_db_commit(store->db);
        if (*out_err == HF_OK) {
            return DONE;
        }
        if (store->db->lost) {
            return find_out(store, tx, out_err);
        }
    }
    hf_db_rollback(store->db);
    return lost_or_failed(store);
}

static enum outcome attempt(struct hf_store *store, struct hf_store_op *const *ops, size_t n,
                            enum hf_err *out_err)
{
    struct hf_tx tx;
    *out_err = reconnect(store);
    if (*out_err != HF_OK) {
        return LOST;
    }
    struct hf_db *db = store->db;
    *out_err = hf_tx_begin(&tx, db, hf_clock_wall_s(store->clock));
    if (*out_err != HF_OK) {
        hf_db_rollback(db);
        return lost_or_failed(store);
    }
    uint64_t writes = db->n_writes;
    if (!run_all(&tx, ops, n, out_err)) {
        hf_db_rollback(db);
        return db->lost ? LOST : SPOILT;
    }
    if (db->n_writes == writes) {
        hf_db_rollback(db);
        return DONE;
    }
    return commit(store, &tx, out_err);
}

/* Those that have failed by themselves keep their own reason. */
static void fail_rest(struct hf_store_op *const *ops, size_t n, enum hf_err err)
{
    for (size_t i = 0; i < n; i++) {
        if (ops[i]->err == HF_OK) {
            settle_op(ops[i], err);
        }
    }
}

/* Until it is committed, refused, or out of time. */
static enum outcome persist(struct hf_store *store, struct hf_store_op *const *ops, size_t n)
{
    for (;;) {
        enum hf_err err;
        for (size_t i = 0; i < n; i++) {
            settle_op(ops[i], HF_OK);
        }
        enum outcome outcome = attempt(store, ops, n, &err);
        bool late = age_ms(store, ops[0]) >= store->timeout_ms;
        if (outcome == FAILED || (outcome == LOST && late)) {
            fail_rest(ops, n, err);
        }
        if (outcome != LOST || late) {
            snprintf(store->trouble, sizeof(store->trouble), "%s",
                     outcome == LOST || outcome == FAILED ? hf_err_text() : "");
            return outcome;
        }
        pause_a_little();
    }
}

/* Sets aside those whose time was over before their turn came; gives how many are left. */
static size_t drop_late(struct hf_store *store, struct batch *batch, struct hf_store_op **ops)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->n; i++) {
        if (age_ms(store, batch->op[i]) < store->timeout_ms) {
            ops[n++] = batch->op[i];
        } else {
            settle_op(batch->op[i],
                      hf_fail(HF_E_TIMEOUT, "%s: too slow: it waited for %u ms%s%s", store->shown,
                              store->timeout_ms, store->trouble[0] ? ": " : "", store->trouble));
        }
    }
    return n;
}

static void run_batch(struct hf_store *store, struct batch *batch)
{
    struct hf_store_op *ops[BATCH_MAX];
    size_t n = drop_late(store, batch, ops);
    if (n && persist(store, ops, n) == SPOILT && n > 1) {
        for (size_t i = 0; i < n; i++) {
            (void)persist(store, &ops[i], 1);
        }
    }
    hf_store_watchers_wake(store);
    for (size_t i = 0; i < batch->n; i++) {
        struct hf_store_op *op = batch->op[i];
        if (op->waiter) {
            sem_post(op->waiter);
        } else if (op->done) {
            op->done(op);
        }
    }
}

/* --- The queue ---------------------------------------------------------------------------------
 */

static bool take_batch(struct hf_store_queue *queue, struct batch *batch)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->first && !queue->closing) {
        pthread_cond_wait(&queue->more, &queue->lock);
    }
    for (batch->n = 0; queue->first && batch->n < BATCH_MAX; queue->n--) {
        struct hf_store_op *op = queue->first;
        queue->first = op->next;
        batch->op[batch->n++] = op;
    }
    if (!queue->first) {
        queue->last = &queue->first;
    }
    pthread_mutex_unlock(&queue->lock);
    return batch->n != 0;
}

void hf_store_writer_run(void *arg)
{
    struct hf_store *store = arg;
    struct batch batch;
    while (take_batch(&store->queue, &batch)) {
        run_batch(store, &batch);
    }
}

static void prepare(struct hf_store *store, struct hf_store_op *op)
{
    op->queued_ns = hf_clock_mono_ns(store->clock);
    remember_given(op);
    if (op->kind == HF_STORE_GROUP) {
        struct hf_store_group *group = (struct hf_store_group *)op;
        for (size_t i = 0; i < group->n_ops; i++) {
            remember_given(group->ops[i]);
        }
    }
}

/* Prepares the chain of them; gives its last, and how many they are. */
static struct hf_store_op *prepare_all(struct hf_store *store, struct hf_store_op *first,
                                       size_t *out_n)
{
    struct hf_store_op *last = first;
    *out_n = 1;
    for (prepare(store, first); last->next; ++*out_n) {
        last = last->next;
        prepare(store, last);
    }
    return last;
}

static enum hf_err submit(struct hf_store *store, struct hf_store_op *first)
{
    struct hf_store_queue *queue = &store->queue;
    enum hf_err err = HF_OK;
    size_t n;
    struct hf_store_op *last = prepare_all(store, first, &n);
    pthread_mutex_lock(&queue->lock);
    if (queue->closing) {
        err = hf_fail(HF_E_CLOSED, "the store is being closed");
    } else if (queue->n + n > store->max_queued) {
        err = hf_fail(HF_E_BUSY, "%zu writes are waiting for the store", queue->n);
    } else {
        *queue->last = first;
        queue->last = &last->next;
        queue->n += n;
        pthread_cond_signal(&queue->more);
    }
    pthread_mutex_unlock(&queue->lock);
    return err;
}

enum hf_err hf_store_submit(struct hf_store *store, struct hf_store_op *op)
{
    op->next = NULL;
    op->waiter = NULL;
    return submit(store, op);
}

enum hf_err hf_store_submit_list(struct hf_store *store, struct hf_store_op *first)
{
    for (struct hf_store_op *op = first; op; op = op->next) {
        op->waiter = NULL;
    }
    return submit(store, first);
}

enum hf_err hf_store_do(struct hf_store *store, struct hf_store_op *op)
{
    sem_t done;
    sem_init(&done, 0, 0);
    op->next = NULL;
    op->waiter = &done;
    enum hf_err err = submit(store, op);
    if (err == HF_OK) {
        while (sem_wait(&done) != 0) {
        }
        err = op->err == HF_OK ? HF_OK : hf_fail(op->err, "%s", op->why);
    }
    sem_destroy(&done);
    op->waiter = NULL;
    return err;
}
