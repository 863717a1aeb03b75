// SPDX-License-Identifier: Apache-2.0
/*
 * Revoking, holding, releasing. The journal is the truth; `revoked` (what CRLs list) and the
 * certificate's own columns (what OCSP and lists ask) are kept beside it in the same commit.
 *
 *     good --hold--> held --release--> good
 *     good --revoke--> revoked <--revoke-- held
 *
 * A serial that was revoked unseen gets a row among the certificates, without DER, so that every
 * question about a serial has one place where it is answered.
 */
#include <stdio.h>
#include <string.h>

#include "ca/store/tx.h"

enum { REASON_HOLD = 6 };

struct subject {
    int64_t authority;
    int64_t id; /* 0: unknown */
    enum hf_store_status status;
    int64_t not_after;
    int64_t shard;
    int64_t journal; /* the line that made it what it is; 0: good */
};

static void take_identity(struct hf_store_revoke *revoke, struct hf_bytes identity)
{
    size_t n = identity.len < HF_STORE_SHOWN_SIZE ? identity.len : HF_STORE_SHOWN_SIZE - 1;
    while (n && n < identity.len && (identity.ptr[n] & 0xc0) == 0x80) {
        n--; /* not within a character */
    }
    memcpy(revoke->identity, identity.ptr, n);
    revoke->identity[n] = '\0';
}

static void take_row(const struct hf_rows *rows, struct hf_store_revoke *revoke,
                     struct subject *out)
{
    *out = (struct subject){.authority = hf_db_number(rows, 0),
                            .id = hf_db_number(rows, 1),
                            .status = (enum hf_store_status)hf_db_number(rows, 2),
                            .not_after = hf_db_number(rows, 3),
                            .shard = hf_db_number(rows, 4),
                            .journal = hf_db_number(rows, 5)};
    take_identity(revoke, hf_db_bytes(rows, 6));
}

#define COLUMNS "SELECT authority, id, status, not_after, shard, journal, identity"

static enum hf_err find(struct hf_tx *tx, struct hf_store_revoke *revoke, struct subject *out)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    *out = (struct subject){
        .authority = revoke->authority, .not_after = revoke->not_after, .shard = revoke->shard};
    revoke->identity[0] = '\0';
    if (revoke->authority) {
        HF_TRY(hf_db_ask(tx->db, &rows,
                         COLUMNS " FROM certificates WHERE authority = $1 AND serial = $2",
                         HF_DB_ARGS(hf_db_int(revoke->authority), hf_db_blob(revoke->serial))));
    } else {
        HF_TRY(hf_db_ask(tx->db, &rows,
                         COLUMNS " FROM certificates WHERE authority IN"
                                 " (SELECT id FROM authorities) AND serial = $1 LIMIT 2",
                         HF_DB_ARGS(hf_db_blob(revoke->serial))));
    }
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return HF_OK;
    }
    take_row(rows, revoke, out);
    HF_TRY(hf_db_next(rows, &row));
    return row ? hf_fail(HF_E_INVALID, "more than one authority issued this serial: name the "
                                       "authority")
               : HF_OK;
}

static enum hf_err refuse_known(struct hf_store_revoke *revoke, const struct subject *subject)
{
    revoke->journal_seq = subject->journal;
    return hf_fail(HF_E_EXISTS, "it is %s already",
                   subject->status == HF_STATUS_HELD ? "held" : "revoked");
}

static enum hf_err check_reason(const struct hf_store_revoke *revoke)
{
    bool good =
        (revoke->reason >= 0 && revoke->reason <= 5) || revoke->reason == 9 || revoke->reason == 10;
    return revoke->act != HF_ACT_REVOKE || good
               ? HF_OK
               : hf_fail(HF_E_INVALID, "%d is no reason for a revocation (RFC 5280 5.3.1)",
                         revoke->reason);
}

static enum hf_err check(struct hf_store_revoke *revoke, const struct subject *subject)
{
    HF_TRY(check_reason(revoke));
    if (subject->id == 0 &&
        (!revoke->unknown || !revoke->authority || revoke->act == HF_ACT_RELEASE)) {
        char hex[2 * HF_STORE_SERIAL_MAX + 1];
        hf_hex(revoke->serial, hex);
        if (!revoke->authority) {
            return hf_fail(HF_E_NOT_FOUND, "there is no certificate with the serial %s", hex);
        }
        return hf_fail(HF_E_NOT_FOUND, "authority %lld has no certificate with the serial %s",
                       (long long)revoke->authority, hex);
    }
    if (revoke->act == HF_ACT_RELEASE) {
        return subject->status == HF_STATUS_HELD
                   ? HF_OK
                   : hf_fail(HF_E_DENIED, "it is %s: only what is held can be released",
                             subject->status == HF_STATUS_GOOD ? "not held" : "revoked for good");
    }
    if (subject->status == HF_STATUS_REVOKED ||
        (subject->status == HF_STATUS_HELD && revoke->act == HF_ACT_HOLD)) {
        return refuse_known(revoke, subject);
    }
    return HF_OK;
}

/* --- Writing -----------------------------------------------------------------------------------
 */

static enum hf_err add_unknown(struct hf_tx *tx, const struct hf_store_revoke *revoke,
                               struct subject *subject)
{
    static const uint8_t zeros[HF_STORE_HASH_SIZE];
    struct hf_bytes none = hf_bytes_of("", 0);
    struct hf_bytes hash = hf_bytes_of(zeros, sizeof(zeros));
    int64_t id = tx->certificate + 1;
    HF_TRY(hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", revoke->authority,
                        "authority"));
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO certificates (id, authority, serial, profile, identity, subject, sans,"
        " key_type, sha256, spki, not_before, not_after, issued_at, requester, request, replaces,"
        " replaced_by, shard, status, revoked_at, reason, journal, last_seen, words, der)"
        " VALUES ($1, $2, $3, '', '', '', '', '', $4, $4, 0, $5, 0, '', 0, 0, 0, $6, 0, 0, 0, 0,"
        " 0, ' ', $7)",
        HF_DB_ARGS(hf_db_int(id), hf_db_int(revoke->authority), hf_db_blob(revoke->serial),
                   hf_db_blob(hash), hf_db_int(revoke->not_after), hf_db_int(revoke->shard),
                   hf_db_blob(none))));
    tx->certificate = id;
    subject->id = id;
    return HF_OK;
}

/* The list is in the order of the journal: a line more costs the same however many there are. */
static enum hf_err list(struct hf_tx *tx, const struct hf_store_revoke *revoke,
                        const struct subject *subject, int64_t at, int reason, int64_t seq)
{
    if (subject->journal) {
        HF_TRY(hf_db_run(tx->db,
                         "DELETE FROM revoked WHERE authority = $1 AND shard = $2 AND seq = $3",
                         HF_DB_ARGS(hf_db_int(subject->authority), hf_db_int(subject->shard),
                                    hf_db_int(subject->journal))));
    }
    if (revoke->act == HF_ACT_RELEASE) {
        return HF_OK;
    }
    return hf_db_run(
        tx->db,
        "INSERT INTO revoked (authority, shard, serial, at, reason, act, not_after, seq)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        HF_DB_ARGS(hf_db_int(subject->authority), hf_db_int(subject->shard),
                   hf_db_blob(revoke->serial), hf_db_int(at), hf_db_int(reason),
                   hf_db_int(revoke->act), hf_db_int(subject->not_after), hf_db_int(seq)));
}

static enum hf_err mark(struct hf_tx *tx, const struct hf_store_revoke *revoke, int64_t id,
                        int64_t at, int reason, int64_t seq)
{
    static const enum hf_store_status becomes[] = {
        [HF_ACT_REVOKE] = HF_STATUS_REVOKED,
        [HF_ACT_HOLD] = HF_STATUS_HELD,
        [HF_ACT_RELEASE] = HF_STATUS_GOOD,
    };
    bool good = revoke->act == HF_ACT_RELEASE;
    return hf_db_run(tx->db,
                     "UPDATE certificates SET status = $1, revoked_at = $2, reason = $3,"
                     " journal = $4 WHERE id = $5",
                     HF_DB_ARGS(hf_db_int(becomes[revoke->act]), hf_db_int(good ? 0 : at),
                                hf_db_int(good ? 0 : reason), hf_db_int(good ? 0 : seq),
                                hf_db_int(id)));
}

static enum hf_err write_journal(struct hf_tx *tx, const struct hf_store_revoke *revoke,
                                 const struct subject *subject, int64_t at, int reason, int64_t seq)
{
    return hf_db_run(
        tx->db,
        "INSERT INTO journal (seq, act, authority, serial, reason, at, written_at, not_after,"
        " shard, certificate, actor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        HF_DB_ARGS(hf_db_int(seq), hf_db_int(revoke->act), hf_db_int(subject->authority),
                   hf_db_blob(revoke->serial), hf_db_int(reason), hf_db_int(at), hf_db_int(tx->now),
                   hf_db_int(subject->not_after), hf_db_int(subject->shard), hf_db_int(subject->id),
                   hf_db_text(revoke->op.actor)));
}

static enum hf_err audit(struct hf_tx *tx, const struct hf_store_revoke *revoke,
                         const struct subject *subject, int64_t at, int reason, int64_t seq)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    char target[HF_TARGET_SIZE];
    hf_target_cert(subject->authority, revoke->serial, target);
    hf_detail_number(&detail, "journal", seq);
    hf_detail_number(&detail, "reason", reason);
    hf_detail_number(&detail, "at", at);
    hf_detail_text(&detail, "note", revoke->op.detail);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(tx, &revoke->op, hf_store_act_name(revoke->act), target, text)
                : HF_E_NOMEM;
}

enum hf_err hf_op_revoke(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_revoke *revoke = (struct hf_store_revoke *)op;
    struct subject subject;
    if (revoke->act >= HF_ACT_N) {
        return hf_fail(HF_E_INTERNAL, "no such act");
    }
    HF_TRY(hf_serial_check(revoke->serial));
    HF_TRY(find(tx, revoke, &subject));
    HF_TRY(check(revoke, &subject));
    int64_t at = revoke->at ? revoke->at : tx->now;
    int64_t seq = tx->journal + 1;
    int reason = revoke->act == HF_ACT_REVOKE ? revoke->reason : REASON_HOLD;
    if (subject.id == 0) {
        HF_TRY(add_unknown(tx, revoke, &subject));
    }
    HF_TRY(list(tx, revoke, &subject, at, reason, seq));
    HF_TRY(mark(tx, revoke, subject.id, at, reason, seq));
    HF_TRY(write_journal(tx, revoke, &subject, at, reason, seq));
    HF_TRY(audit(tx, revoke, &subject, at, reason, seq));
    tx->journal = seq;
    revoke->journal_seq = seq;
    return HF_OK;
}

/* --- CRL numbers -------------------------------------------------------------------------------
 */

static enum hf_err last_number(struct hf_tx *tx, int64_t authority, unsigned shard, int64_t *out)
{
    return hf_db_number_of(tx->db, out,
                           "SELECT COALESCE(MAX(number), 0) FROM crl_numbers WHERE authority = $1"
                           " AND shard = $2",
                           HF_DB_ARGS(hf_db_int(authority), hf_db_int(shard)));
}

static enum hf_err audit_crl(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                             int64_t authority, unsigned shard, int64_t number)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    char target[HF_TARGET_SIZE];
    snprintf(target, sizeof(target), "crl:%lld:%u", (long long)authority, shard);
    hf_detail_number(&detail, "number", number);
    hf_detail_text(&detail, "note", op->detail);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(tx, op, action, target, text) : HF_E_NOMEM;
}

enum hf_err hf_op_crl_number(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_crl_number *take = (struct hf_store_crl_number *)op;
    int64_t number;
    HF_TRY(
        hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", take->authority, "authority"));
    HF_TRY(last_number(tx, take->authority, take->shard, &number));
    if (number == INT64_MAX || take->at_least < 0) {
        return hf_fail(HF_E_INVALID, "there is no CRL number after %lld", (long long)number);
    }
    number = number + 1 > take->at_least ? number + 1 : take->at_least;
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO crl_numbers (authority, shard, number) VALUES ($1, $2, $3)"
        " ON CONFLICT (authority, shard) DO UPDATE SET number = excluded.number",
        HF_DB_ARGS(hf_db_int(take->authority), hf_db_int(take->shard), hf_db_int(number))));
    HF_TRY(audit_crl(tx, op, "crl-number", take->authority, take->shard, number));
    take->number = number;
    return HF_OK;
}

static enum hf_err check_crl(struct hf_tx *tx, const struct hf_store_crl *crl)
{
    int64_t taken;
    int64_t before;
    HF_TRY(last_number(tx, crl->authority, crl->shard, &taken));
    HF_TRY(hf_db_number_of(
        tx->db, &before,
        "SELECT COALESCE(MAX(number), 0) FROM crls WHERE authority = $1"
        " AND shard = $2 AND delta = $3",
        HF_DB_ARGS(hf_db_int(crl->authority), hf_db_int(crl->shard), hf_db_int(crl->delta))));
    if (crl->number > taken) {
        return hf_fail(HF_E_INVALID,
                       "a CRL numbered %lld can't be recorded: %lld was the last number given out",
                       (long long)crl->number, (long long)taken);
    }
    if (crl->number <= before) {
        return hf_fail(HF_E_EXISTS, "the CRL numbered %lld comes too late: %lld is recorded",
                       (long long)crl->number, (long long)before);
    }
    return HF_OK;
}

enum hf_err hf_op_crl_record(struct hf_tx *tx, struct hf_store_op *op)
{
    const struct hf_store_crl *crl = &((struct hf_store_crl_record *)op)->crl;
    HF_TRY(check_crl(tx, crl));
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO crls (authority, shard, delta, number, base_number, this_update, next_update,"
        " journal_seq, n_entries, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (authority, shard, delta) DO UPDATE SET number = excluded.number,"
        " base_number = excluded.base_number, this_update = excluded.this_update,"
        " next_update = excluded.next_update, journal_seq = excluded.journal_seq,"
        " n_entries = excluded.n_entries, sha256 = excluded.sha256",
        HF_DB_ARGS(hf_db_int(crl->authority), hf_db_int(crl->shard), hf_db_int(crl->delta),
                   hf_db_int(crl->number), hf_db_int(crl->base_number), hf_db_int(crl->this_update),
                   hf_db_int(crl->next_update), hf_db_int(crl->journal_seq),
                   hf_db_int(crl->n_entries),
                   hf_db_blob(hf_bytes_of(crl->sha256, HF_STORE_HASH_SIZE)))));
    return audit_crl(tx, op, crl->delta ? "crl-delta" : "crl", crl->authority, crl->shard,
                     crl->number);
}
