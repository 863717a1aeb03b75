// SPDX-License-Identifier: Apache-2.0
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "ca/store/tx.h"
#include "crypto/hash.h"

static enum hf_err audit_row(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                             const char *kind, int64_t id, const char *name)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    char target[HF_TARGET_SIZE];
    snprintf(target, sizeof(target), "%s:%lld", kind, (long long)id);
    hf_detail_text(&detail, "what", name);
    hf_detail_text(&detail, "note", op->detail);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(tx, op, action, target, text) : HF_E_NOMEM;
}

/* --- Authorities -------------------------------------------------------------------------------
 */

void hf_store_authority_digest(const struct hf_store_authority *row,
                               uint8_t out[static HF_STORE_HASH_SIZE])
{
    const struct hf_bytes parts[] = {
        hf_bytes_of(&row->state, sizeof(row->state)),
        hf_bytes_of(&row->parent, sizeof(row->parent)),
        hf_bytes_of(&row->key, sizeof(row->key)),
        row->cert,
        row->csr,
        hf_bytes_str(row->settings ? row->settings : ""),
    };
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    for (size_t i = 0; i < HF_N_ELEMENTS(parts); i++) {
        hf_hash_update(&hash, hf_bytes_of(&parts[i].len, sizeof(parts[i].len)));
        hf_hash_update(&hash, parts[i]);
    }
    hf_hash_final(&hash, out);
}

/* Somebody may have changed it since it was read: retired it, say, and what is written would make
 * it active again. */
static enum hf_err check_is_what_it_was(struct hf_tx *tx, const struct hf_store_authority *a,
                                        const uint8_t *was)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    uint8_t is[HF_STORE_HASH_SIZE];
    bool row;
    HF_TRY(hf_db_ask(tx->db, &rows,
                     "SELECT state, parent, key, cert, csr, settings FROM authorities"
                     " WHERE id = $1",
                     HF_DB_ARGS(hf_db_int(a->id))));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority %lld", (long long)a->id);
    }
    const struct hf_store_authority now = {
        .state = (enum hf_store_authority_state)hf_db_number(rows, 0),
        .parent = hf_db_number(rows, 1),
        .key = hf_db_number(rows, 2),
        .cert = hf_db_bytes(rows, 3),
        .csr = hf_db_bytes(rows, 4),
        .settings = hf_db_string(rows, 5),
    };
    hf_store_authority_digest(&now, is);
    return memcmp(is, was, sizeof(is)) == 0
               ? HF_OK
               : hf_fail(HF_E_BUSY,
                         "somebody else changed the authority \"%s\" meanwhile; look at "
                         "it and try again",
                         a->name);
}

static enum hf_err check_authority(struct hf_tx *tx, const struct hf_store_authority *a)
{
    int64_t found;
    if (!a->name || !a->name[0] || a->state >= HF_AUTHORITY_N_STATES) {
        return hf_fail(HF_E_INVALID, "an authority has a name and a state");
    }
    enum hf_err err = hf_db_number_of(tx->db, &found, "SELECT id FROM authorities WHERE name = $1",
                                      HF_DB_ARGS(hf_db_text(a->name)));
    if (err == HF_OK && found != a->id) {
        return hf_fail(HF_E_EXISTS, "there is an authority named \"%s\"", a->name);
    }
    if (err != HF_OK && err != HF_E_NOT_FOUND) {
        return err;
    }
    if (a->id) {
        HF_TRY(hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", a->id, "authority"));
    }
    if (a->parent) {
        HF_TRY(
            hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", a->parent, "authority"));
    }
    return a->key ? hf_tx_exists(tx, "SELECT id FROM keys WHERE id = $1", a->key, "key") : HF_OK;
}

enum hf_err hf_op_authority_put(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_authority_put *put = (struct hf_store_authority_put *)op;
    struct hf_store_authority *a = &put->authority;
    HF_TRY(check_authority(tx, a));
    HF_TRY(put->was && a->id ? check_is_what_it_was(tx, a, put->was) : HF_OK);
    int64_t id = a->id ? a->id : tx->id + 1;
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO authorities (id, name, state, parent, key, cert, csr, subject, not_before,"
        " not_after, created_at, settings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
        " $12) ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state,"
        " parent = excluded.parent, key = excluded.key, cert = excluded.cert, csr = excluded.csr,"
        " subject = excluded.subject, not_before = excluded.not_before,"
        " not_after = excluded.not_after, settings = excluded.settings",
        HF_DB_ARGS(hf_db_int(id), hf_db_text(a->name), hf_db_int(a->state), hf_db_int(a->parent),
                   hf_db_int(a->key), hf_db_blob(a->cert), hf_db_blob(a->csr),
                   hf_db_text(a->subject), hf_db_int(a->not_before), hf_db_int(a->not_after),
                   hf_db_int(a->created_at ? a->created_at : tx->now), hf_db_text(a->settings))));
    HF_TRY(
        audit_row(tx, op, a->id ? "authority-change" : "authority-add", "authority", id, a->name));
    tx->id += a->id == 0;
    a->id = id;
    return HF_OK;
}

enum hf_err hf_op_authority_cert(struct hf_tx *tx, struct hf_store_op *op)
{
    const struct hf_store_authority_cert_add *add = (struct hf_store_authority_cert_add *)op;
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    HF_TRY(
        hf_tx_exists(tx, "SELECT id FROM authorities WHERE id = $1", add->authority, "authority"));
    SHA256(add->cert.ptr, add->cert.len, hash);
    HF_TRY(
        hf_db_run(tx->db,
                  "INSERT INTO authority_certs (authority, sha256, cert, added_at)"
                  " VALUES ($1, $2, $3, $4) ON CONFLICT (authority, sha256) DO NOTHING",
                  HF_DB_ARGS(hf_db_int(add->authority), hf_db_blob(hf_bytes_of(hash, sizeof(hash))),
                             hf_db_blob(add->cert), hf_db_int(tx->now))));
    hf_hex(hf_bytes_of(hash, sizeof(hash)), hex);
    return tx->db->changed == 0
               ? HF_OK
               : audit_row(tx, op, "authority-cert", "authority", add->authority, hex);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

static enum hf_err remove_key(struct hf_tx *tx, const struct hf_store_op *op, int64_t id)
{
    int64_t n;
    HF_TRY(hf_tx_exists(tx, "SELECT id FROM keys WHERE id = $1", id, "key"));
    HF_TRY(hf_db_number_of(tx->db, &n, "SELECT COUNT(*) FROM authorities WHERE key = $1",
                           HF_DB_ARGS(hf_db_int(id))));
    if (n) {
        return hf_fail(HF_E_BUSY, "key %lld is an authority's", (long long)id);
    }
    HF_TRY(hf_db_run(tx->db, "DELETE FROM keys WHERE id = $1", HF_DB_ARGS(hf_db_int(id))));
    return audit_row(tx, op, "key-remove", "key", id, NULL);
}

static enum hf_err check_key(struct hf_tx *tx, const struct hf_store_key *key)
{
    int64_t found;
    if (key->form >= HF_KEY_N_FORMS || key->data.len == 0) {
        return hf_fail(HF_E_INVALID, "a key has a form and data");
    }
    if (key->id) {
        HF_TRY(hf_tx_exists(tx, "SELECT id FROM keys WHERE id = $1", key->id, "key"));
    }
    enum hf_err err =
        hf_db_number_of(tx->db, &found, "SELECT id FROM keys WHERE spki = $1",
                        HF_DB_ARGS(hf_db_blob(hf_bytes_of(key->spki_sha256, HF_STORE_HASH_SIZE))));
    if (err == HF_OK && found != key->id) {
        return hf_fail(HF_E_EXISTS, "the store has this key already: key %lld", (long long)found);
    }
    return err == HF_E_NOT_FOUND ? HF_OK : err;
}

enum hf_err hf_op_key_put(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_key_put *put = (struct hf_store_key_put *)op;
    struct hf_store_key *key = &put->key;
    if (put->remove) {
        return remove_key(tx, op, key->id);
    }
    HF_TRY(check_key(tx, key));
    int64_t id = key->id ? key->id : tx->id + 1;
    HF_TRY(hf_db_run(
        tx->db,
        "INSERT INTO keys (id, form, type, data, spki, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (id) DO UPDATE SET form = excluded.form, type = excluded.type,"
        " data = excluded.data, spki = excluded.spki",
        HF_DB_ARGS(hf_db_int(id), hf_db_int(key->form), hf_db_text(key->type),
                   hf_db_blob(key->data),
                   hf_db_blob(hf_bytes_of(key->spki_sha256, HF_STORE_HASH_SIZE)),
                   hf_db_int(key->created_at ? key->created_at : tx->now))));
    HF_TRY(audit_row(tx, op, key->id ? "key-change" : "key-add", "key", id, key->type));
    tx->id += key->id == 0;
    key->id = id;
    return HF_OK;
}

/* --- Profiles ----------------------------------------------------------------------------------
 */

static enum hf_err audit_profile(struct hf_tx *tx, const struct hf_store_op *op, const char *action,
                                 const char *name, int64_t version, const char *yaml)
{
    HF_CLEANUP(hf_detail_done) struct hf_detail detail = HF_DETAIL_INIT;
    char target[HF_TARGET_SIZE + 64];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    snprintf(target, sizeof(target), "profile:%s", name);
    hf_detail_number(&detail, "version", version);
    if (yaml) {
        SHA256((const unsigned char *)yaml, strlen(yaml), hash);
        hf_detail_hex(&detail, "sha256", hf_bytes_of(hash, sizeof(hash)));
    }
    hf_detail_text(&detail, "note", op->detail);
    const char *text = hf_detail_cstr(&detail);
    return text ? hf_tx_audit(tx, op, action, target, text) : HF_E_NOMEM;
}

static enum hf_err profile_version(struct hf_tx *tx, const char *name, int64_t *out)
{
    return hf_db_number_of(tx->db, out,
                           "SELECT COALESCE(MAX(version), 0) FROM profiles WHERE name = $1",
                           HF_DB_ARGS(hf_db_text(name)));
}

enum hf_err hf_op_profile_put(struct hf_tx *tx, struct hf_store_op *op)
{
    struct hf_store_profile *profile = &((struct hf_store_profile_put *)op)->profile;
    int64_t version;
    if (!profile->name || !profile->name[0] || strlen(profile->name) > 64) {
        return hf_fail(HF_E_INVALID, "a profile's name has 1 to 64 bytes");
    }
    HF_TRY(profile_version(tx, profile->name, &version));
    version++;
    HF_TRY(hf_db_run(tx->db,
                     "INSERT INTO profiles (name, yaml, version, updated_at)"
                     " VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET"
                     " yaml = excluded.yaml, version = excluded.version,"
                     " updated_at = excluded.updated_at",
                     HF_DB_ARGS(hf_db_text(profile->name), hf_db_text(profile->yaml),
                                hf_db_int(version), hf_db_int(tx->now))));
    HF_TRY(audit_profile(tx, op, "profile-put", profile->name, version, profile->yaml));
    profile->version = version;
    return HF_OK;
}

enum hf_err hf_op_profile_remove(struct hf_tx *tx, struct hf_store_op *op)
{
    const char *name = ((struct hf_store_profile_remove *)op)->name;
    int64_t version;
    HF_TRY(profile_version(tx, name, &version));
    if (version == 0) {
        return hf_fail(HF_E_NOT_FOUND, "there is no profile \"%.64s\"", name);
    }
    HF_TRY(hf_db_run(tx->db, "DELETE FROM profiles WHERE name = $1", HF_DB_ARGS(hf_db_text(name))));
    return audit_profile(tx, op, "profile-remove", name, version, NULL);
}
