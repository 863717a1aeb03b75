// SPDX-License-Identifier: Apache-2.0
/*
 * The tables, and how a store of an earlier version comes to have them. A migration, once released,
 * is never changed: a new one is added below it.
 *
 *     heads           one row: what was given out last, and the end of the audit chain. It is also
 *                     the lock that writers of all nodes take, so that numbers come in the order of
 *                     commits and a reader who has seen N has seen all before N
 *     certificates    also stands for serials that were revoked unseen: der is then empty
 *     revoked         what a CRL lists, as the journal has it; only ever added to at its end
 *     journal, audit  only ever added to
 *     commits         not a part of what the CA remembers, so backups don't have it
 *     words           every word in a certificate's names, for searching by the beginning of a word
 */
#include "ca/store/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/clock.h"

static const char *const version_1[] = {
    "CREATE TABLE heads (one {id} PRIMARY KEY CHECK (one = 1), change BIGINT NOT NULL,"
    " certificate BIGINT NOT NULL, journal BIGINT NOT NULL, audit BIGINT NOT NULL,"
    " id BIGINT NOT NULL, audit_hash {blob} NOT NULL);",

    "CREATE TABLE keys (id {id} PRIMARY KEY, form BIGINT NOT NULL, type TEXT NOT NULL,"
    " data {blob} NOT NULL, spki {blob} NOT NULL UNIQUE, created_at BIGINT NOT NULL);",

    "CREATE TABLE authorities (id {id} PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " state BIGINT NOT NULL, parent BIGINT NOT NULL, key BIGINT NOT NULL, cert {blob} NOT NULL,"
    " csr {blob} NOT NULL, subject TEXT NOT NULL, not_before BIGINT NOT NULL,"
    " not_after BIGINT NOT NULL, created_at BIGINT NOT NULL, settings TEXT NOT NULL);",

    "CREATE TABLE authority_certs (authority BIGINT NOT NULL REFERENCES authorities (id),"
    " sha256 {blob} NOT NULL, cert {blob} NOT NULL, added_at BIGINT NOT NULL,"
    " PRIMARY KEY (authority, sha256)) {keyed};",

    "CREATE TABLE certificates (id {id} PRIMARY KEY,"
    " authority BIGINT NOT NULL REFERENCES authorities (id), serial {blob} NOT NULL,"
    " profile TEXT NOT NULL, identity TEXT NOT NULL {bytes}, subject TEXT NOT NULL,"
    " sans TEXT NOT NULL, key_type TEXT NOT NULL, sha256 {blob} NOT NULL, spki {blob} NOT NULL,"
    " not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, issued_at BIGINT NOT NULL,"
    " requester TEXT NOT NULL {bytes}, request BIGINT NOT NULL, replaces BIGINT NOT NULL,"
    " replaced_by BIGINT NOT NULL, shard BIGINT NOT NULL, status BIGINT NOT NULL,"
    " revoked_at BIGINT NOT NULL, reason BIGINT NOT NULL, journal BIGINT NOT NULL,"
    " last_seen BIGINT NOT NULL,"
    " words TEXT NOT NULL, der {blob} NOT NULL);",
    "CREATE UNIQUE INDEX certificates_serial ON certificates (authority, serial);",
    "CREATE INDEX certificates_identity ON certificates (identity, id);",
    "CREATE INDEX certificates_requester ON certificates (requester, id);",
    "CREATE INDEX certificates_profile ON certificates (profile, id);",
    "CREATE INDEX certificates_spki ON certificates (spki, id);",
    "CREATE INDEX certificates_expiry ON certificates (not_after, id);",
    "CREATE INDEX certificates_end ON certificates (authority, not_after);",
    "CREATE INDEX certificates_bad ON certificates (id) WHERE status <> 0;",
    "CREATE INDEX certificates_replaced ON certificates (id) WHERE replaced_by <> 0;",
    "CREATE INDEX certificates_unseen ON certificates (id) WHERE last_seen = 0;",

    "CREATE TABLE words (word TEXT NOT NULL {bytes}, certificate BIGINT NOT NULL,"
    " PRIMARY KEY (word, certificate)) {keyed};",

    "CREATE TABLE revoked (authority BIGINT NOT NULL, shard BIGINT NOT NULL,"
    " serial {blob} NOT NULL, at BIGINT NOT NULL, reason BIGINT NOT NULL, act BIGINT NOT NULL,"
    " not_after BIGINT NOT NULL, seq BIGINT NOT NULL,"
    " PRIMARY KEY (authority, shard, seq)) {keyed};",

    "CREATE TABLE journal (seq {id} PRIMARY KEY, act BIGINT NOT NULL, authority BIGINT NOT NULL,"
    " serial {blob} NOT NULL, reason BIGINT NOT NULL, at BIGINT NOT NULL,"
    " written_at BIGINT NOT NULL, not_after BIGINT NOT NULL, shard BIGINT NOT NULL,"
    " certificate BIGINT NOT NULL, actor TEXT NOT NULL);",

    "CREATE TABLE crl_numbers (authority BIGINT NOT NULL, shard BIGINT NOT NULL,"
    " number BIGINT NOT NULL, PRIMARY KEY (authority, shard)) {keyed};",

    "CREATE TABLE crls (authority BIGINT NOT NULL, shard BIGINT NOT NULL, delta BIGINT NOT NULL,"
    " number BIGINT NOT NULL, base_number BIGINT NOT NULL, this_update BIGINT NOT NULL,"
    " next_update BIGINT NOT NULL, journal_seq BIGINT NOT NULL, n_entries BIGINT NOT NULL,"
    " sha256 {blob} NOT NULL, PRIMARY KEY (authority, shard, delta)) {keyed};",

    "CREATE TABLE requests (id {id} PRIMARY KEY, state BIGINT NOT NULL, authority BIGINT NOT NULL,"
    " profile TEXT NOT NULL, identity TEXT NOT NULL, csr {blob} NOT NULL, wish TEXT NOT NULL,"
    " requester TEXT NOT NULL, replaces BIGINT NOT NULL, created_at BIGINT NOT NULL,"
    " expires_at BIGINT NOT NULL, decider TEXT NOT NULL, decided_at BIGINT NOT NULL,"
    " reason TEXT NOT NULL, certificate BIGINT NOT NULL);",
    "CREATE INDEX requests_state ON requests (state, id);",

    "CREATE TABLE profiles (name TEXT PRIMARY KEY, yaml TEXT NOT NULL, version BIGINT NOT NULL,"
    " updated_at BIGINT NOT NULL);",

    "CREATE TABLE tokens (id {id} PRIMARY KEY, hash {blob} NOT NULL UNIQUE,"
    " authority BIGINT NOT NULL, profile TEXT NOT NULL, limits TEXT NOT NULL, note TEXT NOT NULL,"
    " creator TEXT NOT NULL, uses_left BIGINT NOT NULL, expires_at BIGINT NOT NULL,"
    " created_at BIGINT NOT NULL, used_at BIGINT NOT NULL);",

    "CREATE TABLE audit (seq {id} PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL,"
    " action TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL, hash {blob} NOT NULL);",
    NULL,
};

/* What the last commits are known by, where the answer to one may be lost. */
static const char *const version_2[] = {
    "CREATE TABLE commits (slot {id} PRIMARY KEY, change BIGINT NOT NULL, token {blob} NOT NULL);",
    NULL,
};

/* Keys that others have are few, whatever the number of certificates of one key. */
static const char *const version_3[] = {
    "CREATE INDEX certificates_compromised ON certificates (spki) WHERE reason = 1;",
    NULL,
};

static const char *const *const migrations[] = {version_1, version_2, version_3};

const struct hf_schema_table hf_schema_tables[] = {
    {"keys", "id, form, type, data, spki, created_at", "iitbbi", "id"},
    {"authorities",
     "id, name, state, parent, key, cert, csr, subject, not_before, not_after, created_at, "
     "settings",
     "itiiibbtiiit", "id"},
    {"authority_certs", "authority, sha256, cert, added_at", "ibbi", "authority, sha256"},
    {"certificates",
     "id, authority, serial, profile, identity, subject, sans, key_type, sha256, spki, not_before, "
     "not_after, issued_at, requester, request, replaces, replaced_by, shard, status, revoked_at, "
     "reason, journal, last_seen, words, der",
     "iibtttttbbiiitiiiiiiiiitb", "id"},
    {"words", "word, certificate", "ti", "word, certificate"},
    {"revoked", "authority, shard, serial, at, reason, act, not_after, seq", "iibiiiii",
     "authority, shard, seq"},
    {"journal",
     "seq, act, authority, serial, reason, at, written_at, not_after, shard, certificate, actor",
     "iiibiiiiiit", "seq"},
    {"crl_numbers", "authority, shard, number", "iii", "authority, shard"},
    {"crls",
     "authority, shard, delta, number, base_number, this_update, next_update, journal_seq, "
     "n_entries, sha256",
     "iiiiiiiiib", "authority, shard, delta"},
    {"requests",
     "id, state, authority, profile, identity, csr, wish, requester, replaces, created_at, "
     "expires_at, decider, decided_at, reason, certificate",
     "iiittbttiiitiiti", "id"},
    {"profiles", "name, yaml, version, updated_at", "ttii", "name"},
    {"tokens",
     "id, hash, authority, profile, limits, note, creator, uses_left, expires_at, created_at, "
     "used_at",
     "ibittttiiii", "id"},
    {"audit", "seq, at, actor, action, target, detail, hash", "iittttb", "seq"},
    {"heads", "one, change, certificate, journal, audit, id, audit_hash", "iiiiiib", "one"},
    {NULL, NULL, NULL, NULL},
};

int64_t hf_schema_version(void)
{
    return HF_N_ELEMENTS(migrations);
}

static enum hf_err set_meta(struct hf_db *db, const char *name, const char *value)
{
    return hf_db_run(db,
                     "INSERT INTO handfast_meta (name, value) VALUES ($1, $2)"
                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     HF_DB_ARGS(hf_db_text(name), hf_db_text(value)));
}

/* A store that says nothing about its version has none: 0. */
static enum hf_err version_of(struct hf_db *db, int64_t *out)
{
    return hf_db_number_of(db, out,
                           "SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM handfast_meta"
                           " WHERE name = 'version'",
                           HF_DB_NONE);
}

static enum hf_err make_heads(struct hf_db *db)
{
    static const uint8_t zeros[32];
    uint8_t random[16];
    char id[2 * sizeof(random) + 1];
    HF_TRY(hf_rng_fill(&hf_os_rng, hf_span_of(random, sizeof(random))));
    hf_hex(hf_bytes_of(random, sizeof(random)), id);
    HF_TRY(set_meta(db, "store", id));
    return hf_db_run(db,
                     "INSERT INTO heads (one, change, certificate, journal, audit, id, audit_hash)"
                     " VALUES (1, 0, 0, 0, 0, 0, $1)",
                     HF_DB_ARGS(hf_db_blob(hf_bytes_of(zeros, sizeof(zeros)))));
}

static enum hf_err migrate(struct hf_db *db, int64_t from)
{
    for (int64_t version = from; version < hf_schema_version(); version++) {
        char text[24];
        snprintf(text, sizeof(text), "%lld", (long long)version + 1);
        for (const char *const *sql = migrations[version]; *sql; sql++) {
            HF_TRY(hf_db_script(db, *sql));
        }
        HF_TRY(set_meta(db, "version", text));
    }
    return from == 0 ? make_heads(db) : HF_OK;
}

static enum hf_err bring_up_locked(struct hf_db *db)
{
    int64_t version = 0;
    HF_TRY(hf_db_script(db, "CREATE TABLE IF NOT EXISTS handfast_meta"
                            " (name TEXT PRIMARY KEY, value TEXT NOT NULL)"));
    HF_TRY(version_of(db, &version));
    return migrate(db, version);
}

/* Under a lock, so that of several nodes that start at once, one migrates and the others find it
 * done. */
static enum hf_err bring_up(struct hf_db *db)
{
    HF_TRY(hf_db_script(db, db->backend->begin_migration));
    enum hf_err err = bring_up_locked(db);
    if (err == HF_OK) {
        return hf_db_commit(db);
    }
    hf_db_rollback(db);
    return err;
}

/* A database without our tables is of version 0. */
static enum hf_err look(struct hf_db *db, int64_t *out_version)
{
    enum hf_err err = version_of(db, out_version);
    if (err == HF_E_NOT_FOUND || err == HF_E_INTERNAL) {
        *out_version = 0;
        return HF_OK;
    }
    return err;
}

enum hf_err hf_schema_prepare(struct hf_db *db, bool create)
{
    int64_t version;
    HF_TRY(look(db, &version));
    if (version > hf_schema_version()) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "the store is of version %lld, made by a later handfast; this one knows "
                       "%lld",
                       (long long)version, (long long)hf_schema_version());
    }
    if (version == 0 && !create) {
        return hf_fail(HF_E_NOT_FOUND, "there is no CA in it");
    }
    return version == hf_schema_version() ? HF_OK : bring_up(db);
}
