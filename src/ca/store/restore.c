// SPDX-License-Identifier: Apache-2.0
/*
 * The way back from a backup. What a CA has said can't be unsaid: a certificate is out, a
 * revocation was promised, a CRL number was used. So a restore only ever adds to what the store
 * knows, by the same operations that add at other times, and into the same audit.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/store/copy.h"
#include "ca/store/schema.h"
#include "ca/store/store_impl.h"
#include "ca/store/tx.h"
#include "ca/store_backup.h"

struct restore {
    struct hf_db *from;
    struct hf_tx tx;
    const char *actor;
    struct hf_store_restored result;
};

static enum hf_err number(struct hf_db *db, int64_t *out, const char *sql)
{
    return hf_db_number_of(db, out, sql, HF_DB_NONE);
}

/* --- Into an empty store -----------------------------------------------------------------------
 */

static enum hf_err audit_restore(struct restore *r)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    struct hf_store_op op = {.kind = HF_STORE_AUDIT, .actor = r->actor};
    hf_detail_text(&detail, "into",
                   r->result.merged ? "the store it was made of" : "an empty store");
    hf_detail_number(&detail, "certificates", r->result.certificates);
    hf_detail_number(&detail, "revocations", r->result.revocations);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(&r->tx, &op, "restore", "store", text) : HF_E_NOMEM;
}

/* hf_tx_begin has read the empty store's heads: those of the backup take their place. */
static enum hf_err take_heads(struct hf_tx *tx)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(tx->db, &rows,
                     "SELECT change, certificate, journal, audit, id, audit_hash FROM heads",
                     HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_MALFORMED, "the backup has no heads");
    }
    tx->change = hf_db_number(rows, 0);
    tx->certificate = hf_db_number(rows, 1);
    tx->journal = hf_db_number(rows, 2);
    tx->audit = hf_db_number(rows, 3);
    tx->id = hf_db_number(rows, 4);
    hf_db_hash(rows, 5, tx->audit_hash);
    return HF_OK;
}

static enum hf_err fill_empty(struct restore *r)
{
    HF_TRY(hf_copy_tables(r->from, r->tx.db));
    HF_TRY(take_heads(&r->tx));
    HF_TRY(hf_db_run(r->tx.db, "UPDATE crl_numbers SET number = number + $1",
                     HF_DB_ARGS(hf_db_int(HF_STORE_RESTORE_GAP))));
    HF_TRY(number(r->tx.db, &r->result.certificates,
                  "SELECT COUNT(*) FROM certificates WHERE issued_at <> 0"));
    HF_TRY(number(r->tx.db, &r->result.revocations, "SELECT COUNT(*) FROM revoked"));
    return audit_restore(r);
}

/* --- Into the store that it was made of --------------------------------------------------------
 */

static enum hf_err has(struct hf_db *db, const char *sql, struct hf_db_args args, bool *out)
{
    int64_t n;
    HF_TRY(hf_db_number_of(db, &n, sql, args));
    *out = n != 0;
    return HF_OK;
}

static enum hf_err add_key(struct restore *r, const struct hf_rows *rows)
{
    return hf_db_run(
        r->tx.db,
        "INSERT INTO keys (id, form, type, data, spki, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
        HF_DB_ARGS(hf_db_int(hf_db_number(rows, 11)), hf_db_int(hf_db_number(rows, 12)),
                   hf_db_text(hf_db_string(rows, 13)), hf_db_blob(hf_db_bytes(rows, 14)),
                   hf_db_blob(hf_db_bytes(rows, 15)), hf_db_int(hf_db_number(rows, 16))));
}

/* An authority that the store lacks comes with its key. */
static enum hf_err add_authority(struct restore *r, const struct hf_rows *rows)
{
    int64_t id = hf_db_number(rows, 0);
    bool known;
    HF_TRY(has(r->tx.db, "SELECT COUNT(*) FROM authorities WHERE id = $1",
               HF_DB_ARGS(hf_db_int(id)), &known));
    if (known) {
        return HF_OK;
    }
    if (hf_db_number(rows, 11)) {
        HF_TRY(add_key(r, rows));
    }
    r->tx.id = id > r->tx.id ? id : r->tx.id;
    return hf_db_run(
        r->tx.db,
        "INSERT INTO authorities (id, name, state, parent, cert, csr, subject, not_before,"
        " not_after, created_at, settings, key)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        HF_DB_ARGS(hf_db_int(id), hf_db_text(hf_db_string(rows, 1)),
                   hf_db_int(hf_db_number(rows, 2)), hf_db_int(hf_db_number(rows, 3)),
                   hf_db_blob(hf_db_bytes(rows, 4)), hf_db_blob(hf_db_bytes(rows, 5)),
                   hf_db_text(hf_db_string(rows, 6)), hf_db_int(hf_db_number(rows, 7)),
                   hf_db_int(hf_db_number(rows, 8)), hf_db_int(hf_db_number(rows, 9)),
                   hf_db_text(hf_db_string(rows, 10)), hf_db_int(hf_db_number(rows, 11))));
}

static enum hf_err add_cert(struct restore *r, const struct hf_rows *rows)
{
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = r->actor, .detail = "from a backup"},
        .cert = {.authority = hf_db_number(rows, 0),
                 .serial = hf_db_bytes(rows, 1),
                 .profile = hf_db_string(rows, 2),
                 .identity = hf_db_string(rows, 3),
                 .subject = hf_db_string(rows, 4),
                 .sans = hf_db_string(rows, 5),
                 .key_type = hf_db_string(rows, 6),
                 .not_before = hf_db_number(rows, 9),
                 .not_after = hf_db_number(rows, 10),
                 .issued_at = hf_db_number(rows, 11),
                 .requester = hf_db_string(rows, 12),
                 .shard = (unsigned)hf_db_number(rows, 13),
                 .der = hf_db_bytes(rows, 14)},
    };
    hf_db_hash(rows, 7, issue.cert.sha256);
    hf_db_hash(rows, 8, issue.cert.spki_sha256);
    bool known;
    HF_TRY(has(r->tx.db, "SELECT COUNT(*) FROM certificates WHERE authority = $1 AND serial = $2",
               HF_DB_ARGS(hf_db_int(issue.cert.authority), hf_db_blob(issue.cert.serial)), &known));
    if (known) {
        return HF_OK;
    }
    r->result.certificates++;
    return hf_op_issue(&r->tx, &issue.op);
}

static enum hf_err each(struct restore *r, const char *sql,
                        enum hf_err (*fn)(struct restore *r, const struct hf_rows *rows))
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_stream(r->from, &rows, sql, HF_DB_NONE));
    for (;;) {
        HF_TRY(hf_db_next(rows, &row));
        if (!row) {
            return HF_OK;
        }
        HF_TRY(fn(r, rows));
    }
}

/* What is revoked in the backup must be so here; a hold only if it wasn't released since. */
static enum hf_err add_revocation(struct restore *r, const struct hf_rows *rows)
{
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = r->actor, .detail = "from a backup"},
        .authority = hf_db_number(rows, 0),
        .shard = (unsigned)hf_db_number(rows, 1),
        .serial = hf_db_bytes(rows, 2),
        .at = hf_db_number(rows, 3),
        .reason = (int)hf_db_number(rows, 4),
        .act = (enum hf_store_act)hf_db_number(rows, 5),
        .not_after = hf_db_number(rows, 6),
        .unknown = true,
    };
    bool known;
    HF_TRY(has(
        r->tx.db,
        "SELECT COUNT(*) FROM journal WHERE authority = $1 AND serial = $2"
        " AND (act = $3 OR act <> 1)",
        HF_DB_ARGS(hf_db_int(revoke.authority), hf_db_blob(revoke.serial), hf_db_int(revoke.act)),
        &known));
    if (known && revoke.act == HF_ACT_HOLD) {
        return HF_OK; /* the journal knows of the hold, or of more */
    }
    enum hf_err err = hf_op_revoke(&r->tx, &revoke.op);
    r->result.revocations += err == HF_OK;
    return err == HF_E_EXISTS ? HF_OK : err;
}

static enum hf_err raise_number(struct restore *r, const struct hf_rows *rows)
{
    return hf_db_run(r->tx.db,
                     "INSERT INTO crl_numbers (authority, shard, number) VALUES ($1, $2, $3)"
                     " ON CONFLICT (authority, shard) DO UPDATE SET number = excluded.number"
                     " WHERE excluded.number > crl_numbers.number",
                     HF_DB_ARGS(hf_db_int(hf_db_number(rows, 0)), hf_db_int(hf_db_number(rows, 1)),
                                hf_db_int(hf_db_number(rows, 2))));
}

static enum hf_err merge(struct restore *r)
{
    int64_t before;
    r->result.merged = true;
    HF_TRY(number(r->tx.db, &before, "SELECT COUNT(*) FROM certificates WHERE issued_at <> 0"));
    HF_TRY(each(r,
                "SELECT a.id, a.name, a.state, a.parent, a.cert, a.csr, a.subject, a.not_before,"
                " a.not_after, a.created_at, a.settings, a.key, COALESCE(k.form, 0),"
                " COALESCE(k.type, ''), COALESCE(k.data, a.csr), COALESCE(k.spki, a.csr),"
                " COALESCE(k.created_at, 0) FROM authorities AS a LEFT JOIN keys AS k"
                " ON k.id = a.key ORDER BY a.id",
                add_authority));
    HF_TRY(
        each(r,
             "SELECT authority, serial, profile, identity, subject, sans, key_type, sha256, spki,"
             " not_before, not_after, issued_at, requester, shard, der FROM certificates"
             " WHERE issued_at <> 0 ORDER BY id",
             add_cert));
    HF_TRY(each(r,
                "SELECT authority, shard, serial, at, reason, act, not_after FROM revoked"
                " ORDER BY seq",
                add_revocation));
    HF_TRY(each(r, "SELECT authority, shard, number FROM crl_numbers", raise_number));
    int64_t in_backup;
    HF_TRY(number(r->from, &in_backup, "SELECT COUNT(*) FROM certificates WHERE issued_at <> 0"));
    r->result.kept = before + r->result.certificates - in_backup;
    return audit_restore(r);
}

/* --- Both --------------------------------------------------------------------------------------
 */

static enum hf_err store_id(struct hf_db *db, char out[static 33])
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(
        hf_db_ask(db, &rows, "SELECT value FROM handfast_meta WHERE name = 'store'", HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    snprintf(out, 33, "%s", row ? hf_db_string(rows, 0) : "");
    return HF_OK;
}

static enum hf_err check_version(struct hf_db *from)
{
    int64_t version;
    HF_TRY(number(from, &version,
                  "SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM handfast_meta"
                  " WHERE name = 'version'"));
    return version >= HF_SCHEMA_COPIED_SINCE && version <= hf_schema_version()
               ? HF_OK
               : hf_fail(HF_E_UNSUPPORTED,
                         "the backup is of version %lld, and this handfast knows %lld",
                         (long long)version, (long long)hf_schema_version());
}

static enum hf_err fill_or_merge(struct hf_store *store, struct restore *r)
{
    char id[33];
    bool used;
    HF_TRY(store_id(r->from, id));
    HF_TRY(has(r->tx.db, "SELECT COUNT(*) FROM audit", HF_DB_NONE, &used));
    if (used && strcmp(id, store->id) != 0) {
        return hf_fail(HF_E_MISMATCH, "the backup is of another CA (%s) than this store is (%s)",
                       id, store->id);
    }
    HF_TRY(used ? merge(r) : fill_empty(r));
    memcpy(store->id, id, sizeof(id));
    return hf_tx_save(&r->tx);
}

static enum hf_err run(struct hf_store *store, struct restore *r)
{
    HF_CLEANUP(hf_db_closep) struct hf_db *to = NULL;
    HF_TRY(hf_store_connect(store, &to));
    HF_TRY(hf_db_begin_snapshot(r->from));
    HF_TRY(check_version(r->from));
    enum hf_err err = hf_tx_begin(&r->tx, to, hf_clock_wall_s(store->clock));
    if (err == HF_OK) {
        err = fill_or_merge(store, r);
    }
    if (err == HF_OK) {
        return hf_db_commit(to);
    }
    hf_db_rollback(to);
    return err;
}

enum hf_err hf_store_restore(struct hf_store *store, const char *path, const char *actor,
                             struct hf_store_restored *out)
{
    HF_CLEANUP(hf_db_closep) struct hf_db *from = NULL;
    HF_CLEANUP(hf_freep) char *url = hf_alloc(strlen(path) + 8);
    if (!url) {
        return HF_E_NOMEM;
    }
    sprintf(url, "sqlite:%s", path);
    struct hf_db_options options = {.url = url, .read_only = true, .timeout_ms = store->timeout_ms};
    HF_TRY(hf_db_open(&options, &from));
    struct restore r = {.from = from, .actor = actor};
    enum hf_err err = run(store, &r);
    hf_db_rollback(from);
    if (err == HF_OK) {
        hf_store_watchers_wake(store);
        *out = r.result;
    }
    return err;
}
