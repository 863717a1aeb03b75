// SPDX-License-Identifier: Apache-2.0
/* Reading revocations: the journal, the list of what is revoked now, one serial's standing. */
#include <stdio.h>
#include <string.h>

#include "ca/store/store_impl.h"

struct revocation_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_revocation *r);
    void *ctx;
};

/* --- The journal -------------------------------------------------------------------------------
 */

static enum hf_err give_line(void *ctx, const struct hf_rows *rows)
{
    const struct revocation_ctx *to = ctx;
    struct hf_store_revocation line = {
        .seq = hf_db_number(rows, 0),
        .act = (enum hf_store_act)hf_db_number(rows, 1),
        .authority = hf_db_number(rows, 2),
        .serial = hf_db_bytes(rows, 3),
        .reason = (int)hf_db_number(rows, 4),
        .at = hf_db_number(rows, 5),
        .written_at = hf_db_number(rows, 6),
        .not_after = hf_db_number(rows, 7),
        .shard = (unsigned)hf_db_number(rows, 8),
        .cert = hf_db_number(rows, 9),
        .actor = hf_db_string(rows, 10),
    };
    return to->fn(to->ctx, &line);
}

#define JOURNAL_COLUMNS \
    "SELECT seq, act, authority, serial, reason, at, written_at, not_after, shard, certificate," \
    " actor FROM journal"

enum hf_err hf_store_journal(struct hf_store *store, int64_t authority, int64_t after, size_t limit,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_revocation *r),
                             void *ctx)
{
    struct revocation_ctx to = {fn, ctx};
    int64_t most = limit ? (int64_t)limit : INT64_MAX;
    if (authority == 0) {
        return hf_store_read(store, JOURNAL_COLUMNS " WHERE seq > $1 ORDER BY seq LIMIT $2",
                             HF_DB_ARGS(hf_db_int(after), hf_db_int(most)), give_line, &to, NULL);
    }
    return hf_store_read(
        store, JOURNAL_COLUMNS " WHERE seq > $1 AND authority = $2 ORDER BY seq LIMIT $3",
        HF_DB_ARGS(hf_db_int(after), hf_db_int(authority), hf_db_int(most)), give_line, &to, NULL);
}

/* --- What is revoked ---------------------------------------------------------------------------
 */

#define REVOKED_COLUMNS "SELECT serial, at, reason, act, not_after, shard, seq FROM revoked"

struct list_ctx {
    struct revocation_ctx to;
    int64_t authority;
};

static enum hf_err give_entry(const struct list_ctx *list, const struct hf_rows *rows)
{
    struct hf_store_revocation entry = {
        .authority = list->authority,
        .serial = hf_db_bytes(rows, 0),
        .at = hf_db_number(rows, 1),
        .reason = (int)hf_db_number(rows, 2),
        .act = (enum hf_store_act)hf_db_number(rows, 3),
        .not_after = hf_db_number(rows, 4),
        .shard = (unsigned)hf_db_number(rows, 5),
        .seq = hf_db_number(rows, 6),
        .actor = "",
    };
    return list->to.fn(list->to.ctx, &entry);
}

static enum hf_err stream_entries(struct hf_db *db, const struct list_ctx *list, int shard,
                                  int64_t unexpired_at)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    if (shard >= 0) {
        HF_TRY(hf_db_stream(
            db, &rows,
            REVOKED_COLUMNS " WHERE authority = $1 AND shard = $2 AND"
                            " (not_after = 0 OR not_after >= $3) ORDER BY seq",
            HF_DB_ARGS(hf_db_int(list->authority), hf_db_int(shard), hf_db_int(unexpired_at))));
    } else {
        HF_TRY(hf_db_stream(db, &rows,
                            REVOKED_COLUMNS
                            " WHERE authority = $1 AND (not_after = 0 OR not_after >= $2)"
                            " ORDER BY shard, seq",
                            HF_DB_ARGS(hf_db_int(list->authority), hf_db_int(unexpired_at))));
    }
    for (;;) {
        HF_TRY(hf_db_next(rows, &row));
        if (!row) {
            return HF_OK;
        }
        HF_TRY(give_entry(list, rows));
    }
}

static enum hf_err read_snapshot(struct hf_db *db, const struct list_ctx *list, int shard,
                                 int64_t unexpired_at, int64_t *out_seq)
{
    HF_TRY(hf_db_number_of(db, out_seq, "SELECT journal FROM heads WHERE one = 1", HF_DB_NONE));
    return stream_entries(db, list, shard, unexpired_at);
}

enum hf_err hf_store_revoked(struct hf_store *store, int64_t authority, int shard,
                             int64_t unexpired_at,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_revocation *r),
                             void *ctx, int64_t *out_seq)
{
    struct list_ctx list = {{fn, ctx}, authority};
    struct hf_db *db;
    HF_TRY(hf_store_snapshot(store, &db));
    enum hf_err err = read_snapshot(db, &list, shard, unexpired_at, out_seq);
    hf_store_snapshot_end(store, db);
    return err;
}

/* --- One serial --------------------------------------------------------------------------------
 */

static enum hf_err give_standing(void *ctx, const struct hf_rows *rows)
{
    *(struct hf_store_standing *)ctx = (struct hf_store_standing){
        .known = true,
        .status = (enum hf_store_status)hf_db_number(rows, 0),
        .revoked_at = hf_db_number(rows, 1),
        .reason = (int)hf_db_number(rows, 2),
        .not_after = hf_db_number(rows, 3),
    };
    return HF_OK;
}

enum hf_err hf_store_standing(struct hf_store *store, int64_t authority, struct hf_bytes serial,
                              struct hf_store_standing *out)
{
    struct hf_store_standing standing = {0};
    HF_TRY(hf_store_read(store,
                         "SELECT status, revoked_at, reason, not_after FROM certificates"
                         " WHERE authority = $1 AND serial = $2",
                         HF_DB_ARGS(hf_db_int(authority), hf_db_blob(serial)), give_standing,
                         &standing, NULL));
    *out = standing;
    return HF_OK;
}

/* --- CRLs --------------------------------------------------------------------------------------
 */

static enum hf_err give_crl(void *ctx, const struct hf_rows *rows)
{
    struct hf_store_crl *crl = ctx;
    *crl = (struct hf_store_crl){
        .authority = hf_db_number(rows, 0),
        .shard = (unsigned)hf_db_number(rows, 1),
        .delta = hf_db_number(rows, 2) != 0,
        .number = hf_db_number(rows, 3),
        .base_number = hf_db_number(rows, 4),
        .this_update = hf_db_number(rows, 5),
        .next_update = hf_db_number(rows, 6),
        .journal_seq = hf_db_number(rows, 7),
        .n_entries = hf_db_number(rows, 8),
    };
    hf_db_hash(rows, 9, crl->sha256);
    return HF_OK;
}

enum hf_err hf_store_crl_last(struct hf_store *store, int64_t authority, unsigned shard, bool delta,
                              struct hf_store_crl *out)
{
    size_t n;
    HF_TRY(hf_store_read(
        store,
        "SELECT authority, shard, delta, number, base_number, this_update, next_update,"
        " journal_seq, n_entries, sha256 FROM crls WHERE authority = $1 AND shard = $2"
        " AND delta = $3",
        HF_DB_ARGS(hf_db_int(authority), hf_db_int(shard), hf_db_int(delta)), give_crl, out, &n));
    return n ? HF_OK
             : hf_fail(HF_E_NOT_FOUND, "no CRL of authority %lld has been recorded",
                       (long long)authority);
}
