// SPDX-License-Identifier: Apache-2.0
#include "ca/store/bulk.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* One operation, with its texts and bytes behind it. */
struct item {
    union {
        struct hf_store_op op;
        struct hf_store_issue issue;
        struct hf_store_revoke revoke;
    };
    size_t used;
    uint8_t bytes[];
};

enum hf_err hf_bulk_init(struct hf_bulk *bulk, struct hf_store *store)
{
    *bulk = (struct hf_bulk){.store = store};
    return pthread_mutex_init(&bulk->lock, NULL) == 0 && pthread_cond_init(&bulk->less, NULL) == 0
               ? HF_OK
               : hf_fail(HF_E_NOMEM, "out of memory");
}

/* --- Copies ------------------------------------------------------------------------------------
 */

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static void copy_text(struct item *item, const char **text)
{
    if (*text) {
        size_t size = strlen(*text) + 1;
        memcpy(item->bytes + item->used, *text, size);
        *text = (const char *)item->bytes + item->used;
        item->used += size;
    }
}

static void copy_bytes(struct item *item, struct hf_bytes *bytes)
{
    if (bytes->len) {
        memcpy(item->bytes + item->used, bytes->ptr, bytes->len);
        bytes->ptr = item->bytes + item->used;
        item->used += bytes->len;
    }
}

static struct item *new_item(size_t size)
{
    return hf_alloc_zero(1, sizeof(struct item) + size);
}

static struct item *issue_item(const struct hf_store_issue *from)
{
    const struct hf_store_cert *c = &from->cert;
    struct item *item =
        new_item(text_size(from->op.actor) + text_size(from->op.detail) + text_size(c->profile) +
                 text_size(c->identity) + text_size(c->subject) + text_size(c->sans) +
                 text_size(c->key_type) + text_size(c->requester) + c->serial.len + c->der.len);
    if (item) {
        struct hf_store_cert *to = &item->issue.cert;
        item->issue = *from;
        copy_text(item, &item->issue.op.actor);
        copy_text(item, &item->issue.op.detail);
        copy_text(item, &to->profile);
        copy_text(item, &to->identity);
        copy_text(item, &to->subject);
        copy_text(item, &to->sans);
        copy_text(item, &to->key_type);
        copy_text(item, &to->requester);
        copy_bytes(item, &to->serial);
        copy_bytes(item, &to->der);
    }
    return item;
}

static struct item *revoke_item(const struct hf_store_revoke *from)
{
    struct item *item =
        new_item(text_size(from->op.actor) + text_size(from->op.detail) + from->serial.len);
    if (item) {
        item->revoke = *from;
        copy_text(item, &item->revoke.op.actor);
        copy_text(item, &item->revoke.op.detail);
        copy_bytes(item, &item->revoke.serial);
    }
    return item;
}

/* --- In flight ---------------------------------------------------------------------------------
 */

static void count(struct hf_bulk *bulk, const struct hf_store_op *op)
{
    bool issue = op->kind == HF_STORE_ISSUE;
    bulk->n_issued += issue && op->err == HF_OK;
    bulk->n_revoked += !issue && op->err == HF_OK;
    bulk->n_known += issue && op->err == HF_E_EXISTS;
    if (op->err != HF_OK && op->err != HF_E_EXISTS && bulk->err == HF_OK) {
        bulk->err = op->err;
        memcpy(bulk->why, op->why, sizeof(bulk->why));
    }
}

static void done(struct hf_store_op *op)
{
    struct hf_bulk *bulk = op->ctx;
    pthread_mutex_lock(&bulk->lock);
    count(bulk, op);
    bulk->in_flight--;
    pthread_cond_signal(&bulk->less);
    pthread_mutex_unlock(&bulk->lock);
    hf_free(op);
}

static enum hf_err submit(struct hf_bulk *bulk, struct item *item)
{
    if (!item) {
        return HF_E_NOMEM;
    }
    item->op.done = done;
    item->op.ctx = bulk;
    pthread_mutex_lock(&bulk->lock);
    while (bulk->in_flight >= HF_BULK_MAX) {
        pthread_cond_wait(&bulk->less, &bulk->lock);
    }
    enum hf_err err = bulk->err == HF_OK ? HF_OK : hf_fail(bulk->err, "%s", bulk->why);
    bulk->in_flight += err == HF_OK;
    pthread_mutex_unlock(&bulk->lock);
    if (err != HF_OK) {
        hf_free(item);
        return err;
    }
    err = hf_store_submit(bulk->store, &item->op);
    if (err != HF_OK) {
        pthread_mutex_lock(&bulk->lock);
        bulk->in_flight--;
        pthread_mutex_unlock(&bulk->lock);
        hf_free(item);
    }
    return err;
}

enum hf_err hf_bulk_issue(struct hf_bulk *bulk, const struct hf_store_issue *issue)
{
    return submit(bulk, issue_item(issue));
}

enum hf_err hf_bulk_revoke(struct hf_bulk *bulk, const struct hf_store_revoke *revoke)
{
    return submit(bulk, revoke_item(revoke));
}

enum hf_err hf_bulk_wait(struct hf_bulk *bulk)
{
    pthread_mutex_lock(&bulk->lock);
    while (bulk->in_flight) {
        pthread_cond_wait(&bulk->less, &bulk->lock);
    }
    pthread_mutex_unlock(&bulk->lock);
    return bulk->err == HF_OK ? HF_OK : hf_fail(bulk->err, "%s", bulk->why);
}

enum hf_err hf_bulk_done(struct hf_bulk *bulk)
{
    enum hf_err err = hf_bulk_wait(bulk);
    pthread_mutex_destroy(&bulk->lock);
    pthread_cond_destroy(&bulk->less);
    return err;
}
