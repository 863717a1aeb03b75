// SPDX-License-Identifier: Apache-2.0
/* Requests that wait for a person, and tokens that stand in for one. */
#include <stdio.h>

#include "ca/store/tx.h"

enum { WAITING_MAX = 4 }; /* requests for the renewal of one certificate */

/* --- Requests ----------------------------------------------------------------------------------
 */

static enum hf_err audit_id(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                            const char *kind, int64_t id, struct hf_detail *detail)
{
    char target[HF_TARGET_SIZE];
    snprintf(target, sizeof(target), "%s:%lld", kind, (long long)id);
    hf_detail_text(detail, "note", op->detail);
    const char *text = hf_detail_cstr(detail);
    return text ? hf_tx_audit(tx, op, action, target, text) : HF_E_NOMEM;
}

/* Who sends the same request again and again fills nobody's list. */
static enum hf_err check_few_wait(struct hf_tx *tx, int64_t replaces)
{
    int64_t n = 0;
    HF_TRY(hf_db_number_of(tx->db, &n,
                           "SELECT COUNT(*) FROM requests WHERE state = 0 AND replaces = $1"
                           " AND expires_at > $2",
                           HF_DB_ARGS(hf_db_int(replaces), hf_db_int(tx->now))));
    return n < WAITING_MAX
               ? HF_OK
               : hf_fail(HF_E_DENIED, "%d requests for this certificate wait already", WAITING_MAX);
}

enum hf_err hf_op_request_add(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_request *r = &((struct hf_store_request_add *)op)->request;
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    int64_t id = tx->id + 1;
    if (r->csr.len > HF_STORE_TEXT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a certificate request of %zu bytes", r->csr.len);
    }
    HF_TRY(hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", r->authority, "authority"));
    HF_TRY(r->replaces ? check_few_wait(tx, r->replaces) : HF_OK);
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO requests (id, state, authority, profile, identity, csr, wish, requester,"
        " replaces, created_at, expires_at, decider, decided_at, reason, certificate)"
        " VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0, '', 0)",
        HF_DB_ARGS(hf_db_int(id), hf_db_int(r->authority), hf_db_text(r->profile),
                   hf_db_text(r->identity), hf_db_blob(r->csr), hf_db_text(r->wish),
                   hf_db_text(r->requester), hf_db_int(r->replaces),
                   hf_db_int(r->created_at ? r->created_at : tx->now), hf_db_int(r->expires_at))));
    hf_detail_text(&detail, "profile", r->profile);
    hf_detail_text(&detail, "identity", r->identity);
    hf_detail_text(&detail, "requester", r->requester);
    HF_TRY(audit_id(tx, op, "request", "request", id, &detail));
    tx->id = id;
    r->id = id;
    return HF_OK;
}

static enum hf_err check_decidable(struct hf_tx *tx, int64_t id)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(tx->db, &rows, "SELECT state, expires_at FROM requests WHERE id = $1",
                     HF_DB_ARGS(hf_db_int(id))));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_NOT_FOUND, "there is no request %lld", (long long)id);
    }
    int64_t state = hf_db_number(rows, 0);
    int64_t expires_at = hf_db_number(rows, 1);
    if (state != HF_REQUEST_PENDING) {
        return hf_fail(HF_E_DENIED, "request %lld is %s already", (long long)id,
                       hf_store_request_state_name((enum hf_store_request_state)state));
    }
    if (expires_at && expires_at <= tx->now) {
        return hf_fail(HF_E_DENIED, "request %lld has waited for too long", (long long)id);
    }
    return HF_OK;
}

enum hf_err hf_op_request_decide(struct hf_tx *tx, struct hf_store_op *op)
{
    const struct hf_store_request_decide *decide = (struct hf_store_request_decide *)op;
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    HF_TRY(check_decidable(tx, decide->id));
    HF_TRY(
        hf_db_run(tx->db,
                  "UPDATE requests SET state = $1, decider = $2, decided_at = $3, reason = $4"
                  " WHERE id = $5",
                  HF_DB_ARGS(hf_db_int(decide->approve ? HF_REQUEST_APPROVED : HF_REQUEST_DENIED),
                             hf_db_text(op->actor), hf_db_int(tx->now), hf_db_text(decide->reason),
                             hf_db_int(decide->id))));
    hf_detail_text(&detail, "reason", decide->reason);
    return audit_id(tx, op, decide->approve ? "approve" : "deny", "request", decide->id, &detail);
}

/* --- Tokens ------------------------------------------------------------------------------------
 */

enum hf_err hf_op_token_add(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_token *t = &((struct hf_store_token_add *)op)->token;
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    int64_t id = tx->id + 1;
    if (t->uses_left < 1 || t->expires_at <= tx->now) {
        return hf_fail(HF_E_INVALID, "a token has at least one use and ends in the future");
    }
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO tokens (id, hash, authority, profile, limits, note, creator, uses_left,"
        " expires_at, created_at, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)"
        " ON CONFLICT (hash) DO NOTHING",
        HF_DB_ARGS(hf_db_int(id), hf_db_blob(hf_bytes_of(t->hash, HF_STORE_HASH_SIZE)),
                   hf_db_int(t->authority), hf_db_text(t->profile), hf_db_text(t->limits),
                   hf_db_text(t->note), hf_db_text(t->creator), hf_db_int(t->uses_left),
                   hf_db_int(t->expires_at), hf_db_int(t->created_at ? t->created_at : tx->now))));
    if (tx->db->changed == 0) {
        return hf_fail(HF_E_EXISTS, "the store has this token already");
    }
    hf_detail_text(&detail, "profile", t->profile);
    hf_detail_number(&detail, "uses", t->uses_left);
    hf_detail_number(&detail, "expires_at", t->expires_at);
    HF_TRY(audit_id(tx, op, "token-add", "token", id, &detail));
    tx->id = id;
    t->id = id;
    return HF_OK;
}

static enum hf_err check_token(struct hf_tx *tx, struct hf_bytes hash, int64_t *out_id)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(tx->db, &rows, "SELECT id, uses_left, expires_at FROM tokens WHERE hash = $1",
                     HF_DB_ARGS(hf_db_blob(hash))));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_NOT_FOUND, "there is no such token");
    }
    *out_id = hf_db_number(rows, 0);
    if (hf_db_number(rows, 1) < 1) {
        return hf_fail(HF_E_DENIED, "token %lld is used up", (long long)*out_id);
    }
    if (hf_db_number(rows, 2) <= tx->now) {
        return hf_fail(HF_E_DENIED, "token %lld is past its end", (long long)*out_id);
    }
    return HF_OK;
}

enum hf_err hf_token_spend(struct hf_tx *tx, struct hf_bytes hash, int64_t *out_id, bool *out_bad)
{
    enum hf_err err = check_token(tx, hash, out_id);
    *out_bad = err == HF_E_NOT_FOUND || err == HF_E_DENIED;
    HF_TRY(err);
    return hf_db_run(tx->db,
                     "UPDATE tokens SET uses_left = uses_left - 1, used_at = $1 WHERE id = $2",
                     HF_DB_ARGS(hf_db_int(tx->now), hf_db_int(*out_id)));
}

enum hf_err hf_op_token_use(struct hf_tx *tx, struct hf_store_op *op)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    int64_t id;
    struct hf_store_token_use *use = (struct hf_store_token_use *)op;
    HF_TRY(hf_token_spend(tx, use->hash, &id, &use->bad_token));
    return audit_id(tx, op, "token-use", "token", id, &detail);
}

enum hf_err hf_op_token_remove(struct hf_tx *tx, struct hf_store_op *op)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    int64_t id = ((struct hf_store_token_remove *)op)->id;
    HF_TRY(hf_tx_exists(tx, "SELECT id FROM tokens WHERE id = $1", id, "token"));
    HF_TRY(hf_db_run(tx->db, "DELETE FROM tokens WHERE id = $1", HF_DB_ARGS(hf_db_int(id))));
    return audit_id(tx, op, "token-remove", "token", id, &detail);
}
