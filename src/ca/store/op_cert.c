// SPDX-License-Identifier: Apache-2.0
/* Storing a certificate, and what is noted of it later. Every question is asked before anything is
 * written, so that an operation that must fail fails alone. */
#include <stdio.h>
#include <string.h>

#include "ca/store/tx.h"
#include "ca/store/words.h"

/* In the text of a statement: a partial index is found by its own words alone. 1 is keyCompromise
 * of RFC 5280 5.3.1. */
_Static_assert(HF_STATUS_REVOKED == 2, "the statement below says so");

/* It was good when the new one was made; somebody may have revoked it since, and that is for the
 * new one as well. */
static enum hf_err check_replaced(struct hf_tx *tx, int64_t id, bool only_once)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(tx->db, &rows, "SELECT status, replaced_by FROM certificates WHERE id = $1",
                     HF_DB_ARGS(hf_db_int(id))));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_NOT_FOUND, "there is no certificate %lld", (long long)id);
    }
    int64_t status = hf_db_number(rows, 0);
    if (status != HF_STATUS_GOOD) {
        return hf_fail(HF_E_DENIED, "the certificate is %s",
                       status == HF_STATUS_HELD ? "on hold" : "revoked");
    }
    return only_once && hf_db_number(rows, 1)
               ? hf_fail(HF_E_DENIED, "the certificate was renewed already")
               : HF_OK;
}

/* Likewise: it was active when it signed, perhaps as another process saw it. */
static enum hf_err check_authority(struct hf_tx *tx, int64_t id, bool only_active)
{
    int64_t state;
    enum hf_err err = hf_db_number_of(tx->db, &state, "SELECT state FROM authorities WHERE id = $1",
                                      HF_DB_ARGS(hf_db_int(id)));
    if (err == HF_E_NOT_FOUND) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority %lld", (long long)id);
    }
    HF_TRY(err);
    return only_active && state != HF_AUTHORITY_ACTIVE
               ? hf_fail(HF_E_DENIED, "authority %lld is %s and issues nothing", (long long)id,
                         hf_store_authority_state_name((enum hf_store_authority_state)state))
               : HF_OK;
}

/* What must be true of the things that the certificate refers to. */
static enum hf_err check_references(struct hf_tx *tx, const struct hf_store_issue *issue)
{
    const struct hf_store_cert *cert = &issue->cert;
    HF_TRY(check_authority(tx, cert->authority, issue->only_active));
    if (cert->replaces) {
        HF_TRY(check_replaced(tx, cert->replaces, issue->only_once));
    }
    if (cert->request) {
        int64_t state;
        enum hf_err err =
            hf_db_number_of(tx->db, &state, "SELECT state FROM requests WHERE id = $1",
                            HF_DB_ARGS(hf_db_int(cert->request)));
        if (err != HF_OK) {
            return hf_fail_context(err, "request %lld", (long long)cert->request);
        }
        if (state != HF_REQUEST_PENDING && state != HF_REQUEST_APPROVED) {
            return hf_fail(HF_E_DENIED, "request %lld is %s already", (long long)cert->request,
                           hf_store_request_state_name((enum hf_store_request_state)state));
        }
    }
    return HF_OK;
}

/* Here and not before the signature, so that nobody can slip between the question and the commit.
 */
static enum hf_err check_compromise(struct hf_tx *tx, struct hf_store_issue *issue)
{
    int64_t id;
    issue->compromised = false;
    if (!issue->refuse_compromised) {
        return HF_OK;
    }
    enum hf_err err = hf_db_number_of(
        tx->db, &id,
        "SELECT id FROM certificates WHERE spki = $1 AND reason = 1 AND status = 2 LIMIT 1",
        HF_DB_ARGS(hf_db_blob(hf_bytes_of(issue->cert.spki_sha256, HF_STORE_HASH_SIZE))));
    if (err != HF_OK) {
        return err == HF_E_NOT_FOUND ? HF_OK : err;
    }
    issue->compromised = true;
    return hf_fail(HF_E_DENIED, "a certificate of this key was revoked because others have the "
                                "key: make a new one");
}

static enum hf_err insert(struct hf_tx *tx, const struct hf_store_cert *cert, int64_t id,
                          const char *words)
{
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO certificates (id, authority, serial, profile, identity, subject, sans,"
        " key_type, sha256, spki, not_before, not_after, issued_at, requester, request, replaces,"
        " replaced_by, shard, status, revoked_at, reason, journal, last_seen, words, der)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17,"
        " 0, 0, 0, 0, 0, $18, $19) ON CONFLICT (authority, serial) DO NOTHING",
        HF_DB_ARGS(hf_db_int(id), hf_db_int(cert->authority), hf_db_blob(cert->serial),
                   hf_db_text(cert->profile), hf_db_text(cert->identity), hf_db_text(cert->subject),
                   hf_db_text(cert->sans), hf_db_text(cert->key_type),
                   hf_db_blob(hf_bytes_of(cert->sha256, HF_STORE_HASH_SIZE)),
                   hf_db_blob(hf_bytes_of(cert->spki_sha256, HF_STORE_HASH_SIZE)),
                   hf_db_int(cert->not_before), hf_db_int(cert->not_after),
                   hf_db_int(cert->issued_at ? cert->issued_at : tx->now),
                   hf_db_text(cert->requester), hf_db_int(cert->request), hf_db_int(cert->replaces),
                   hf_db_int(cert->shard), hf_db_text(words), hf_db_blob(cert->der))));
    if (tx->db->changed == 0) {
        char hex[2 * HF_STORE_SERIAL_MAX + 1];
        hf_hex(cert->serial, hex);
        return hf_fail(HF_E_EXISTS, "authority %lld has issued a certificate with the serial %s",
                       (long long)cert->authority, hex);
    }
    return HF_OK;
}

static enum hf_err insert_words(struct hf_tx *tx, const struct hf_store_words *words, int64_t id)
{
    for (size_t i = 0; i < words->n; i++) {
        HF_TRY(hf_db_run(tx->db, "INSERT INTO words (word, certificate) VALUES ($1, $2)",
                         HF_DB_ARGS(hf_db_text(words->word[i].text), hf_db_int(id))));
    }
    return HF_OK;
}

static enum hf_err insert_all(struct hf_tx *tx, const struct hf_store_cert *cert, int64_t id)
{
    struct hf_store_words words = {.n = 0};
    hf_store_words_add(&words, cert->identity);
    hf_store_words_add(&words, cert->subject);
    hf_store_words_add(&words, cert->sans);
    hf_store_words_sort(&words);
    HF_CLEANUP(hf_buf_done) struct hf_buf joined = HF_BUF_INIT(HF_STORE_TEXT_MAX);
    HF_TRY(hf_store_words_join(&words, &joined));
    const char *text = hf_buf_cstr(&joined);
    if (!text) {
        return HF_E_NOMEM;
    }
    HF_TRY(insert(tx, cert, id, text));
    return insert_words(tx, &words, id);
}

static enum hf_err note_relatives(struct hf_tx *tx, const struct hf_store_cert *cert, int64_t id)
{
    if (cert->replaces) {
        HF_TRY(hf_db_run(tx->db, "UPDATE certificates SET replaced_by = $1 WHERE id = $2",
                         HF_DB_ARGS(hf_db_int(id), hf_db_int(cert->replaces))));
    }
    if (cert->request) {
        HF_TRY(hf_db_run(
            tx->db, "UPDATE requests SET state = $1, certificate = $2 WHERE id = $3",
            HF_DB_ARGS(hf_db_int(HF_REQUEST_ISSUED), hf_db_int(id), hf_db_int(cert->request))));
    }
    return HF_OK;
}

static enum hf_err audit_issue(struct hf_tx *tx, const struct hf_store_op *op,
                               const struct hf_store_cert *cert, int64_t token)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    char target[HF_TARGET_SIZE];
    hf_target_cert(cert->authority, cert->serial, target);
    hf_detail_hex(&detail, "sha256", hf_bytes_of(cert->sha256, HF_STORE_HASH_SIZE));
    hf_detail_text(&detail, "profile", cert->profile);
    hf_detail_text(&detail, "identity", cert->identity);
    hf_detail_number(&detail, "not_after", cert->not_after);
    hf_detail_text(&detail, "requester", cert->requester);
    if (cert->request) {
        hf_detail_number(&detail, "request", cert->request);
    }
    if (cert->replaces) {
        hf_detail_number(&detail, "replaces", cert->replaces);
    }
    if (token) {
        hf_detail_number(&detail, "token", token);
    }
    hf_detail_text(&detail, "note", op->detail);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(tx, op, "issue", target, text) : HF_E_NOMEM;
}

enum hf_err hf_op_issue(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_issue *issue = (struct hf_store_issue *)op;
    const struct hf_store_cert *cert = &issue->cert;
    int64_t id = tx->certificate + 1;
    int64_t token = 0;
    HF_TRY(hf_serial_check(cert->serial));
    if (cert->der.len > HF_STORE_TEXT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a certificate of %zu bytes", cert->der.len);
    }
    HF_TRY(check_references(tx, issue));
    HF_TRY(check_compromise(tx, issue));
    if (issue->token_hash.len) {
        HF_TRY(hf_token_spend(tx, issue->token_hash, &token, &issue->bad_token));
    }
    HF_TRY(insert_all(tx, cert, id));
    HF_TRY(note_relatives(tx, cert, id));
    HF_TRY(audit_issue(tx, op, cert, token));
    tx->certificate = id;
    issue->id = id;
    return HF_OK;
}

enum hf_err hf_op_seen(struct hf_tx *tx, struct hf_store_op *op)
{
    const struct hf_store_seen *seen = (const struct hf_store_seen *)op;
    for (size_t i = 0; i < seen->n_sightings; i++) {
        const struct hf_store_sighting *one = &seen->sightings[i];
        HF_TRY(hf_db_run(
            tx->db,
            "UPDATE certificates SET last_seen = $1 WHERE authority = $2"
            " AND serial = $3 AND last_seen < $1",
            HF_DB_ARGS(hf_db_int(one->at), hf_db_int(one->authority), hf_db_blob(one->serial))));
    }
    return HF_OK;
}
