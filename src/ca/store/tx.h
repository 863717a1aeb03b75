// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_TX_H
#define HF_CA_STORE_TX_H

/*
 * A transaction of the writer: the heads, read when it begins and written back when it commits, and
 * what every kind of operation needs.
 */

#include "base/buf.h"
#include "ca/store.h"
#include "ca/store/db.h"

#define HF_TX_TOKEN_SIZE 16

struct hf_tx {
    struct hf_db *db;
    int64_t now; /* Unix seconds */
    int64_t change;
    int64_t certificate;
    int64_t journal;
    int64_t audit;
    int64_t id; /* of everything else */
    uint8_t audit_hash[HF_STORE_HASH_SIZE];
    uint8_t token[HF_TX_TOKEN_SIZE]; /* drawn anew; what this commit is known by where it is far */
};

/* hf_tx_begin takes the writers' lock and reads the heads. */
enum hf_err hf_tx_begin(struct hf_tx *tx, struct hf_db *db, int64_t now) HF_MUST_CHECK;

/* hf_tx_save writes the heads back: the last thing before the commit. */
enum hf_err hf_tx_save(struct hf_tx *tx) HF_MUST_CHECK;

/*
 * hf_tx_settle tells what became of a commit whose answer was lost: asked of another connection
 * than lost->db, in a transaction of its own, which waits for the lost one to end. Errors: HF_E_IO
 * (it can't be told any more: too many others have committed since), HF_E_BUSY (it hasn't ended),
 * the database's.
 */
enum hf_err hf_tx_settle(struct hf_db *db, const struct hf_tx *lost,
                         bool *out_committed) HF_MUST_CHECK;

/* hf_tx_audit adds a line. detail may be NULL. */
enum hf_err hf_tx_audit(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                        const char *target, const char *detail) HF_MUST_CHECK;

/* hf_audit_hash is the hash of a line that follows one with the hash `before`. */
void hf_audit_hash(const struct hf_store_audit *line, const uint8_t before[static 32],
                   uint8_t out[static 32]);

/* hf_tx_exists fails with HF_E_NOT_FOUND and this sentence's beginning unless the row is there. */
enum hf_err hf_tx_exists(struct hf_tx *tx, const char *sql, int64_t id,
                         const char *what) HF_MUST_CHECK;

/* hf_serial_check: 1 to HF_STORE_SERIAL_MAX bytes without leading zeros. Errors: HF_E_INVALID. */
enum hf_err hf_serial_check(struct hf_bytes serial) HF_MUST_CHECK;

/* hf_target_cert writes "cert:AUTHORITY:SERIAL", as the audit names a certificate. */
#define HF_TARGET_SIZE 96
void hf_target_cert(int64_t authority, struct hf_bytes serial, char out[static HF_TARGET_SIZE]);

/* A JSON object for the audit's detail, written member by member. */
struct hf_detail {
    struct hf_buf text;
    enum hf_err err;
};
#define HF_DETAIL_INIT ((struct hf_detail){.text = HF_BUF_INIT(HF_STORE_TEXT_MAX)})
void hf_detail_done(struct hf_detail *detail);
void hf_detail_text(struct hf_detail *detail, const char *key, const char *value); /* not if "" */
void hf_detail_number(struct hf_detail *detail, const char *key, int64_t value);
void hf_detail_hex(struct hf_detail *detail, const char *key, struct hf_bytes value);

/* hf_detail_cstr ends the object. NULL when anything failed: the failure is recorded. */
const char *hf_detail_cstr(struct hf_detail *detail);

/* What each kind of operation does. Nothing is given out to the caller but through op. An operation
 * that fails before it has written anything fails alone. */
typedef enum hf_err hf_op_run(struct hf_tx *tx, struct hf_store_op *op);
hf_op_run hf_op_authority_put;
hf_op_run hf_op_authority_cert;
hf_op_run hf_op_key_put;
hf_op_run hf_op_issue;
hf_op_run hf_op_revoke;
hf_op_run hf_op_request_add;
hf_op_run hf_op_request_decide;
hf_op_run hf_op_profile_put;
hf_op_run hf_op_profile_remove;
hf_op_run hf_op_token_add;
hf_op_run hf_op_token_use;
hf_op_run hf_op_token_remove;
hf_op_run hf_op_crl_number;
hf_op_run hf_op_crl_record;
hf_op_run hf_op_seen;
hf_op_run hf_op_audit;

/* hf_token_spend is the step that hf_op_token_use and hf_op_issue share. *out_bad: it is the token
 * that isn't good, and not the store. */
enum hf_err hf_token_spend(struct hf_tx *tx, struct hf_bytes hash, int64_t *out_id,
                           bool *out_bad) HF_MUST_CHECK;

#endif
