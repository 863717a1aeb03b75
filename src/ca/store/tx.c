// SPDX-License-Identifier: Apache-2.0
/*
 * The heads, commits in doubt, and the audit chain.
 *
 * Where the database is far, the answer to a commit may be lost on its way. So each such commit
 * leaves a token of its own in `commits`, which has a row for each of the last SLOTS changes. The
 * database's own number of a transaction would not do: a server that crashes before it has written
 * anything of a transaction gives its number to another one afterwards.
 *
 * A line's hash covers the hash of the line before it and its own fields, each with its length in
 * front, so that no two different lines give the same bytes:
 *
 *     SHA-256(before(32) | seq(8) | at(8) | len(4) actor | len(4) action | len(4) target | len(4)
 * detail)
 */
#include "ca/store/tx.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"

enum { SLOTS = 16384 };

enum hf_err hf_tx_begin(struct hf_tx *tx, struct hf_db *db, int64_t now)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_begin(db));
    *tx = (struct hf_tx){.db = db, .now = now};
    HF_TRY(hf_db_ask(db, &rows,
                     "SELECT change, certificate, journal, audit, id, audit_hash FROM heads"
                     " WHERE one = 1 {lock}",
                     HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_MALFORMED, "the store has lost its heads");
    }
    tx->change = hf_db_number(rows, 0);
    tx->certificate = hf_db_number(rows, 1);
    tx->journal = hf_db_number(rows, 2);
    tx->audit = hf_db_number(rows, 3);
    tx->id = hf_db_number(rows, 4);
    hf_db_hash(rows, 5, tx->audit_hash);
    return db->backend->far ? hf_rng_fill(&hf_os_rng, hf_span_of(tx->token, sizeof(tx->token)))
                            : HF_OK;
}

static enum hf_err leave_token(const struct hf_tx *tx)
{
    int64_t change = tx->change + 1;
    return hf_db_run(tx->db,
                     "INSERT INTO commits (slot, change, token) VALUES ($1, $2, $3)"
                     " ON CONFLICT (slot) DO UPDATE SET change = excluded.change,"
                     " token = excluded.token",
                     HF_DB_ARGS(hf_db_int(change % SLOTS), hf_db_int(change),
                                hf_db_blob(hf_bytes_of(tx->token, sizeof(tx->token)))));
}

enum hf_err hf_tx_save(struct hf_tx *tx)
{
    HF_TRY(hf_db_run(tx->db,
                     "UPDATE heads SET change = $1, certificate = $2, journal = $3, audit = $4,"
                     " id = $5, audit_hash = $6 WHERE one = 1",
                     HF_DB_ARGS(hf_db_int(tx->change + 1), hf_db_int(tx->certificate),
                                hf_db_int(tx->journal), hf_db_int(tx->audit), hf_db_int(tx->id),
                                hf_db_blob(hf_bytes_of(tx->audit_hash, HF_STORE_HASH_SIZE)))));
    if (tx->db->backend->far) {
        HF_TRY(leave_token(tx));
    }
    return tx->db->backend->notify ? hf_db_script(tx->db, tx->db->backend->notify) : HF_OK;
}

static enum hf_err find_token(struct hf_db *db, const struct hf_tx *lost, bool *out_committed)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    int64_t change = lost->change + 1;
    bool row;
    HF_TRY(hf_db_ask(db, &rows, "SELECT change, token FROM commits WHERE slot = $1",
                     HF_DB_ARGS(hf_db_int(change % SLOTS))));
    HF_TRY(hf_db_next(rows, &row));
    if (row && hf_db_number(rows, 0) > change) {
        return hf_fail(HF_E_IO, "%d others have committed since", SLOTS);
    }
    *out_committed =
        row && hf_db_number(rows, 0) == change &&
        hf_bytes_eq(hf_db_bytes(rows, 1), hf_bytes_of(lost->token, sizeof(lost->token)));
    return HF_OK;
}

enum hf_err hf_tx_settle(struct hf_db *db, const struct hf_tx *lost, bool *out_committed)
{
    struct hf_tx now;
    enum hf_err err = hf_tx_begin(&now, db, 0);
    if (err == HF_OK) {
        err = find_token(db, lost, out_committed);
    }
    hf_db_rollback(db);
    return err;
}

/* --- Audit -------------------------------------------------------------------------------------
 */

static void put_number(EVP_MD_CTX *ctx, uint64_t value, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    }
    EVP_DigestUpdate(ctx, bytes, n);
}

static void put_text(EVP_MD_CTX *ctx, const char *text)
{
    size_t len = strlen(text);
    put_number(ctx, len, 4);
    EVP_DigestUpdate(ctx, text, len);
}

void hf_audit_hash(const struct hf_store_audit *line, const uint8_t before[static 32],
                   uint8_t out[static 32])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        abort(); /* without SHA-256 there is no chain; nothing must look like one */
    }
    EVP_DigestUpdate(ctx, before, HF_STORE_HASH_SIZE);
    put_number(ctx, (uint64_t)line->seq, 8);
    put_number(ctx, (uint64_t)line->at, 8);
    put_text(ctx, line->actor);
    put_text(ctx, line->action);
    put_text(ctx, line->target);
    put_text(ctx, line->detail);
    if (EVP_DigestFinal_ex(ctx, out, NULL) != 1) {
        abort();
    }
    EVP_MD_CTX_free(ctx);
}

enum hf_err hf_tx_audit(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                        const char *target, const char *detail)
{
    struct hf_store_audit line = {
        .seq = tx->audit + 1,
        .at = tx->now,
        .actor = op->actor ? op->actor : "",
        .action = action,
        .target = target ? target : "",
        .detail = detail ? detail : "",
    };
    uint8_t hash[HF_STORE_HASH_SIZE];
    hf_audit_hash(&line, tx->audit_hash, hash);
    HF_TRY(hf_db_run(tx->db,
                     "INSERT INTO audit (seq, at, actor, action, target, detail, hash)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                     HF_DB_ARGS(hf_db_int(line.seq), hf_db_int(line.at), hf_db_text(line.actor),
                                hf_db_text(line.action), hf_db_text(line.target),
                                hf_db_text(line.detail),
                                hf_db_blob(hf_bytes_of(hash, sizeof(hash))))));
    tx->audit = line.seq;
    memcpy(tx->audit_hash, hash, sizeof(hash));
    return HF_OK;
}

enum hf_err hf_op_audit(struct hf_tx *tx, struct hf_store_op *op)
{
    const struct hf_store_audit_add *add = (const struct hf_store_audit_add *)op;
    return hf_tx_audit(tx, op, add->action, add->target, op->detail);
}

/* --- Small things ------------------------------------------------------------------------------
 */

enum hf_err hf_tx_exists(struct hf_tx *tx, const char *sql, int64_t id, const char *what)
{
    int64_t found;
    enum hf_err err = hf_db_number_of(tx->db, &found, sql, HF_DB_ARGS(hf_db_int(id)));
    return err == HF_E_NOT_FOUND
               ? hf_fail(HF_E_NOT_FOUND, "there is no %s %lld", what, (long long)id)
               : err;
}

enum hf_err hf_serial_check(struct hf_bytes serial)
{
    if (serial.len == 0 || serial.len > HF_STORE_SERIAL_MAX ||
        (serial.len > 1 && serial.ptr[0] == 0)) {
        return hf_fail(HF_E_INVALID,
                       "a serial number has 1 to %d bytes and no zeros in front (it has %zu)",
                       HF_STORE_SERIAL_MAX, serial.len);
    }
    return HF_OK;
}

void hf_target_cert(int64_t authority, struct hf_bytes serial, char out[static HF_TARGET_SIZE])
{
    int n = snprintf(out, HF_TARGET_SIZE, "cert:%lld:", (long long)authority);
    hf_hex(serial, out + n);
}

void hf_detail_done(struct hf_detail *detail)
{
    hf_buf_done(&detail->text);
}

static void open_member(struct hf_detail *detail, const char *key)
{
    if (detail->err == HF_OK) {
        detail->err =
            hf_buf_printf(&detail->text, "%c\"%s\":", hf_buf_len(&detail->text) ? ',' : '{', key);
    }
}

void hf_detail_text(struct hf_detail *detail, const char *key, const char *value)
{
    if (value && value[0]) {
        open_member(detail, key);
        if (detail->err == HF_OK) {
            detail->err = hf_append_json_string(&detail->text, hf_bytes_str(value));
        }
    }
}

void hf_detail_number(struct hf_detail *detail, const char *key, int64_t value)
{
    open_member(detail, key);
    if (detail->err == HF_OK) {
        detail->err = hf_buf_printf(&detail->text, "%lld", (long long)value);
    }
}

void hf_detail_hex(struct hf_detail *detail, const char *key, struct hf_bytes value)
{
    char hex[2 * 64 + 1];
    hf_hex(hf_bytes_of(value.ptr, value.len < 64 ? value.len : 64), hex);
    hf_detail_text(detail, key, hex);
}

const char *hf_detail_cstr(struct hf_detail *detail)
{
    if (detail->err == HF_OK) {
        detail->err = hf_buf_len(&detail->text) ? hf_buf_u8(&detail->text, '}')
                                                : hf_buf_append_str(&detail->text, "{}");
    }
    return detail->err == HF_OK ? hf_buf_cstr(&detail->text) : NULL;
}
