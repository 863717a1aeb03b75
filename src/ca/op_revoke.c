// SPDX-License-Identifier: Apache-2.0
/*
 * Revoke, hold and release. One by its serial number, which is one write; or, for revoking only,
 * all that a filter finds. Those are gathered first, so that what is counted by a dry run is what
 * is revoked, and then written CHUNK at a time, which the store makes few commits of. Somebody may
 * have revoked one of them meanwhile; that is passed over.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/row_json.h"
#include "ca/service_impl.h"
#include "pki/ossl.h"

enum { CHUNK = 256, MANY_MAX = 2000000 };

struct target {
    int64_t authority;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    uint8_t serial_len;
};

struct hf_ca_many {
    struct target *target;
    const char *detail; /* the work's: read by the store's thread while more is being written */
    size_t n, size, at; /* at: the next to be written */
    struct hf_store_revoke writes[CHUNK];
    atomic_size_t n_left; /* of the chunk */
    size_t n_changed;
    atomic_int err; /* enum hf_err, the first */
    char why[256];  /* by who set it; read after the last of the chunk */
};

void hf_ca_many_free(struct hf_ca_many *many)
{
    if (many) {
        hf_free(many->target);
        hf_free(many);
    }
}

/* --- Many --------------------------------------------------------------------------------------
 */

static enum hf_err add_target(void *ctx, const struct hf_store_cert *row)
{
    struct hf_ca_many *many = ctx;
    if (row->status == HF_STATUS_REVOKED || row->serial.len > HF_STORE_SERIAL_MAX) {
        return HF_OK;
    }
    if (many->n == many->size) {
        size_t size = many->size ? 2 * many->size : 256;
        struct target *grown =
            many->n < MANY_MAX ? hf_realloc(many->target, size * sizeof(struct target)) : NULL;
        if (!grown) {
            return hf_fail(HF_E_TOO_LARGE, "more than %zu certificates at once", many->n);
        }
        many->target = grown;
        many->size = size;
    }
    struct target *target = &many->target[many->n++];
    target->authority = row->authority;
    target->serial_len = (uint8_t)row->serial.len;
    memcpy(target->serial, row->serial.ptr, row->serial.len);
    return HF_OK;
}

static enum hf_err gather(struct hf_ca_work *work)
{
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_store_query query;
    struct hf_store_page page = {.more = true};
    HF_TRY(hf_ca_query(work->service, &work->op->which, serial, &query));
    query.expires_after = hf_clock_wall_s(work->service->clock); /* what is over needs no CRL */
    query.limit = HF_STORE_PAGE_MAX;
    while (page.more) {
        query.cursor = page.cursor;
        HF_TRY(hf_store_certs(work->service->store, &query, add_target, work->many, &page));
    }
    return HF_OK;
}

static void write_chunk(struct hf_ca_work *work);

static void many_done(struct hf_ca_work *work)
{
    struct hf_ca_many *many = work->many;
    work->op->n_changed = many->n_changed;
    work->outcome = many->err == HF_OK ? HF_CA_DONE : HF_CA_STORE;
    if (many->err != HF_OK) {
        hf_ca_says(work, "%zu of %zu certificates were revoked, then: %s", many->n_changed, many->n,
                   many->why);
    } else {
        hf_ca_says(work, "revoked %zu certificates", many->n_changed);
    }
    hf_ca_finish(work);
}

static void on_one_of_many(struct hf_store_op *op)
{
    struct hf_ca_work *work = op->ctx;
    struct hf_ca_many *many = work->many;
    int none = HF_OK;
    if (op->err == HF_OK) {
        many->n_changed++;
        int64_t seq = HF_CONTAINER_OF(op, struct hf_store_revoke, op)->journal_seq;
        work->op->journal_seq = seq > work->op->journal_seq ? seq : work->op->journal_seq;
    } else if (op->err != HF_E_EXISTS &&
               atomic_compare_exchange_strong(&many->err, &none, op->err)) {
        memcpy(many->why, op->why, sizeof(many->why));
    }
    if (atomic_fetch_sub(&many->n_left, 1) == 1) {
        if (many->err == HF_OK && many->at < many->n) {
            write_chunk(work);
        } else {
            many_done(work);
        }
    }
}

/* n_left starts at one more, which is ours, so that the chunk can't end while it is being given. */
static void write_chunk(struct hf_ca_work *work)
{
    struct hf_ca_many *many = work->many;
    struct hf_store_op ours = {.ctx = work, .err = HF_E_EXISTS};
    size_t n = many->n - many->at < CHUNK ? many->n - many->at : CHUNK;
    atomic_store(&many->n_left, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct target *target = &many->target[many->at++];
        many->writes[i] = (struct hf_store_revoke){
            .op = {.kind = HF_STORE_REVOKE,
                   .actor = work->op->caller.name,
                   .detail = many->detail,
                   .done = on_one_of_many,
                   .ctx = work},
            .act = HF_ACT_REVOKE,
            .authority = target->authority,
            .serial = hf_bytes_of(target->serial, target->serial_len),
            .reason = work->op->reason,
        };
        enum hf_err err = hf_store_submit(work->service->store, &many->writes[i].op);
        if (err != HF_OK) {
            many->writes[i].op.err = err;
            memcpy(many->writes[i].op.why, "the store takes no more", 24);
            on_one_of_many(&many->writes[i].op);
        }
    }
    on_one_of_many(&ours);
}

static void counted(struct hf_ca_work *work)
{
    work->outcome = HF_CA_DONE;
    hf_ca_says(work, "%zu certificates would be revoked", work->op->n_matched);
}

static bool is_empty(const struct hf_ca_which *which)
{
    return !which->authority && !which->identity && !which->profile && !which->requester &&
           !which->text && !which->expires_before && !which->never_seen;
}

static enum hf_err revoke_many(struct hf_ca_work *work)
{
    if (is_empty(&work->op->which)) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "say which certificates: by serial number, or by a filter");
    }
    work->many = HF_NEW(struct hf_ca_many);
    if (!work->many || !(work->many->detail = hf_ca_detail(work))) {
        return HF_E_NOMEM;
    }
    HF_TRY(gather(work));
    work->op->n_matched = work->many->n;
    if (work->op->dry_run) {
        work->stored = counted;
        work->audit = (struct hf_store_audit_add){
            .op = {.kind = HF_STORE_AUDIT, .actor = work->op->caller.name},
            .action = "revoke dry-run",
            .target = "",
        };
        work->write = &work->audit.op;
        return HF_OK;
    }
    work->begin = write_chunk;
    return HF_OK;
}

/* --- One ---------------------------------------------------------------------------------------
 */

/* The certificate that the caller came with. Nobody else's is looked up for who may not revoke: the
 * answer must not tell which serial numbers there are. */
static enum hf_err find_own(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    if (op->verb == HF_CA_VERB_REVOKE && hf_ca_names_own(work, op->which.serial)) {
        enum hf_err err = hf_ca_find_one(work, &op->which, &work->old);
        if (err != HF_E_DENIED && err != HF_E_NOT_FOUND) {
            HF_TRY(err);
        }
        if (err == HF_OK && hf_ca_came_with_old(work)) {
            return HF_OK;
        }
    }
    return hf_ca_refuse(work, HF_CA_FORBIDDEN, "%.200s may not revoke", op->caller.name);
}

static void told(struct hf_ca_work *work)
{
    static const char *const did[HF_ACT_N] = {
        [HF_ACT_REVOKE] = "revoked", [HF_ACT_HOLD] = "put on hold", [HF_ACT_RELEASE] = "released"};
    char serial[2 * HF_STORE_SERIAL_MAX + 1];
    hf_row_serial(work->revoke.serial, serial);
    work->outcome = HF_CA_DONE;
    work->op->n_matched = work->op->n_changed = 1;
    work->op->journal_seq = work->revoke.journal_seq;
    hf_ca_says(work, "%s %s (%s)", did[work->revoke.act], serial, work->revoke.identity);
}

static void told_dry(struct hf_ca_work *work)
{
    work->outcome = HF_CA_DONE;
    work->op->n_matched = work->old.status == HF_STATUS_REVOKED ? 0 : 1;
    hf_ca_says(work, "%zu certificates would be revoked", work->op->n_matched);
}

/* The store finds the certificate when it revokes; it is looked at before only where that decides
 * who may. */
static enum hf_err find_one(struct hf_ca_work *work)
{
    const struct hf_ca_which *which = &work->op->which;
    if (!hf_ca_has(work, HF_CA_MAY_REVOKE)) {
        return find_own(work);
    }
    if (work->op->dry_run) {
        return hf_ca_find_one(work, which, &work->old);
    }
    if (which->authority) {
        const struct hf_authority *authority =
            work->view ? hf_authorities_find(work->view->authorities, which->authority) : NULL;
        if (!authority) {
            return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", which->authority);
        }
        work->old.authority = authority->id;
    }
    return hf_ca_serial(which->serial, work->old.serial, &work->old.serial_len);
}

static enum hf_err change_one(struct hf_ca_work *work)
{
    static const enum hf_store_act acts[HF_CA_N_VERBS] = {
        [HF_CA_VERB_REVOKE] = HF_ACT_REVOKE,
        [HF_CA_VERB_HOLD] = HF_ACT_HOLD,
        [HF_CA_VERB_RELEASE] = HF_ACT_RELEASE,
    };
    HF_TRY(find_one(work));
    if (work->op->dry_run) {
        work->stored = told_dry;
        return HF_OK;
    }
    work->revoke = (struct hf_store_revoke){
        .op = {.kind = HF_STORE_REVOKE,
               .actor = work->op->caller.name,
               .detail = hf_ca_detail(work)},
        .act = acts[work->op->verb],
        .authority = work->old.authority,
        .serial = hf_bytes_of(work->old.serial, work->old.serial_len),
        .reason = work->op->reason,
    };
    work->write = &work->revoke.op;
    work->stored = told;
    return HF_OK;
}

static bool is_reason(int reason)
{
    return (reason >= 0 && reason <= 5) || reason == 9 || reason == 10;
}

enum hf_err hf_ca_verb_revoke(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    if (op->verb == HF_CA_VERB_REVOKE && !is_reason(op->reason)) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "%d is no reason to revoke for (RFC 5280 5.3.1: 0 to 5, 9, 10)",
                            op->reason);
    }
    if (op->which.serial) {
        return change_one(work);
    }
    if (op->verb != HF_CA_VERB_REVOKE) {
        return hf_ca_refuse(work, HF_CA_INVALID, "say which certificate by its serial number");
    }
    if (!hf_ca_has(work, HF_CA_MAY_REVOKE)) {
        return hf_ca_refuse(work, HF_CA_FORBIDDEN, "%.200s may not revoke", op->caller.name);
    }
    return revoke_many(work);
}
