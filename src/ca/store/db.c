// SPDX-License-Identifier: Apache-2.0
/*
 * What both back ends share: words in braces, prepared statements kept by their text, and the
 * checks that keep the two alike. SQLite takes any bytes for text, PostgreSQL only UTF-8; so UTF-8
 * is demanded here, before either sees it.
 */
#include "ca/store/db.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/store.h"

enum { SQL_MAX = 64 << 10 };

struct hf_db_value hf_db_text(const char *text)
{
    return (struct hf_db_value){.type = HF_DB_TEXT, .bytes = hf_bytes_str(text ? text : "")};
}

static enum hf_err check_text(struct hf_bytes text)
{
    if (text.len > HF_STORE_TEXT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a text of %zu bytes; at most %u can be stored", text.len,
                       HF_STORE_TEXT_MAX);
    }
    while (text.len) {
        size_t n = hf_utf8_len(text);
        if (n == 0) {
            return hf_fail(HF_E_INVALID, "a text to be stored is not UTF-8");
        }
        text = hf_bytes_from(text, n);
    }
    return HF_OK;
}

static enum hf_err check_args(struct hf_db_args args)
{
    for (size_t i = 0; i < args.n; i++) {
        if (args.value[i].type == HF_DB_TEXT) {
            HF_TRY(check_text(args.value[i].bytes));
        }
    }
    return HF_OK;
}

/* --- Words in braces ---------------------------------------------------------------------------
 */

static const char *word_for(const char *at, size_t len, const char *const (*words)[2])
{
    for (; (*words)[0]; words++) {
        if (strlen((*words)[0]) == len && memcmp((*words)[0], at, len) == 0) {
            return (*words)[1];
        }
    }
    return NULL;
}

char *hf_db_template(const char *sql, const char *const (*words)[2])
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(SQL_MAX);
    while (*sql) {
        size_t plain = strcspn(sql, "{");
        if (hf_buf_append(&out, hf_bytes_of(sql, plain)) != HF_OK) {
            return NULL;
        }
        sql += plain;
        if (!*sql) {
            break;
        }
        size_t len = strcspn(sql + 1, "}");
        const char *word = word_for(sql + 1, len, words);
        if (!word) {
            (void)hf_fail(HF_E_INTERNAL, "no word for {%.*s}", (int)len, sql + 1);
            return NULL;
        }
        if (hf_buf_append_str(&out, word) != HF_OK) {
            return NULL;
        }
        sql += len + 2;
    }
    const char *text = hf_buf_cstr(&out);
    return text ? hf_strdup(text) : NULL;
}

/* --- Connections -------------------------------------------------------------------------------
 */

enum hf_err hf_db_open(const struct hf_db_options *options, struct hf_db **out)
{
    *out = NULL;
    if (strncmp(options->url, "sqlite:", 7) == 0 && options->url[7]) {
        return hf_db_sqlite_open(options, out);
    }
    if (strncmp(options->url, "postgres://", 11) == 0 ||
        strncmp(options->url, "postgresql://", 13) == 0) {
        return hf_db_pg_open(options, out);
    }
    return hf_fail(HF_E_INVALID, "a store is sqlite:PATH or postgres://USER@HOST/DATABASE");
}

void hf_db_close(struct hf_db *db)
{
    if (db) {
        size_t at = 0;
        struct hf_rows *rows;
        while ((rows = hf_map_next(&db->prepared, &at))) {
            db->backend->drop(rows);
        }
        hf_map_done(&db->prepared);
        db->backend->close(db);
    }
}

void hf_db_closep(struct hf_db **db)
{
    hf_db_close(*db);
    *db = NULL;
}

enum hf_err hf_db_check(struct hf_db *db)
{
    return db->backend->check ? db->backend->check(db) : HF_OK;
}

/* --- Statements --------------------------------------------------------------------------------
 */

static enum hf_err prepared(struct hf_db *db, const char *sql, struct hf_db_args args,
                            struct hf_rows **out)
{
    struct hf_bytes key = hf_bytes_str(sql);
    *out = hf_map_get(&db->prepared, key);
    if (*out) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep) char *text = hf_db_template(sql, db->backend->words);
    if (!text) {
        return HF_E_NOMEM;
    }
    HF_TRY(db->backend->prepare(db, text, args, out));
    (*out)->db = db;
    enum hf_err err = hf_map_put(&db->prepared, key, *out);
    if (err != HF_OK) {
        db->backend->drop(*out);
        *out = NULL;
    }
    return err;
}

static enum hf_err start(struct hf_db *db, struct hf_rows **out, const char *sql,
                         struct hf_db_args args, bool stream)
{
    *out = NULL;
    struct hf_rows *rows;
    HF_TRY(check_args(args));
    HF_TRY(prepared(db, sql, args, &rows));
    if (rows->busy) {
        return hf_fail(HF_E_INTERNAL, "a statement within itself: %.80s", sql);
    }
    HF_TRY(db->backend->start(rows, args, stream));
    rows->busy = true;
    *out = rows;
    return HF_OK;
}

enum hf_err hf_db_ask(struct hf_db *db, struct hf_rows **out, const char *sql,
                      struct hf_db_args args)
{
    enum hf_err err = start(db, out, sql, args, false);
    db->failed |= err != HF_OK;
    return err;
}

enum hf_err hf_db_stream(struct hf_db *db, struct hf_rows **out, const char *sql,
                         struct hf_db_args args)
{
    enum hf_err err = start(db, out, sql, args, true);
    db->failed |= err != HF_OK;
    return err;
}

enum hf_err hf_db_next(struct hf_rows *rows, bool *out_row)
{
    *out_row = false;
    enum hf_err err = rows->db->backend->next(rows, out_row);
    rows->db->failed |= err != HF_OK;
    return err;
}

void hf_db_end(struct hf_rows *rows)
{
    if (rows && rows->busy) {
        rows->busy = false;
        rows->db->backend->end(rows);
    }
}

void hf_db_endp(struct hf_rows **rows)
{
    hf_db_end(*rows);
    *rows = NULL;
}

enum hf_err hf_db_run(struct hf_db *db, const char *sql, struct hf_db_args args)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    db->changed = 0;
    HF_TRY(hf_db_ask(db, &rows, sql, args));
    HF_TRY(hf_db_next(rows, &row));
    db->n_writes += db->changed > 0;
    return HF_OK;
}

enum hf_err hf_db_script(struct hf_db *db, const char *sql)
{
    HF_CLEANUP(hf_freep) char *text = hf_db_template(sql, db->backend->words);
    return text ? db->backend->script(db, text) : HF_E_NOMEM;
}

enum hf_err hf_db_number_of(struct hf_db *db, int64_t *out, const char *sql, struct hf_db_args args)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(db, &rows, sql, args));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_NOT_FOUND, "there is no such thing in the store");
    }
    *out = hf_db_number(rows, 0);
    return HF_OK;
}

/* --- Columns -----------------------------------------------------------------------------------
 */

int64_t hf_db_number(const struct hf_rows *rows, int column)
{
    return rows->db->backend->number(rows, column);
}

struct hf_bytes hf_db_bytes(const struct hf_rows *rows, int column)
{
    return rows->db->backend->bytes(rows, column);
}

const char *hf_db_string(const struct hf_rows *rows, int column)
{
    struct hf_bytes bytes = hf_db_bytes(rows, column);
    return bytes.ptr ? (const char *)bytes.ptr : "";
}

void hf_db_hash(const struct hf_rows *rows, int column, uint8_t out[static 32])
{
    struct hf_bytes bytes = hf_db_bytes(rows, column);
    memset(out, 0, 32);
    if (bytes.len == 32) {
        memcpy(out, bytes.ptr, 32);
    }
}

/* --- Transactions ------------------------------------------------------------------------------
 */

enum hf_err hf_db_begin(struct hf_db *db)
{
    db->failed = false;
    HF_TRY(hf_db_check(db));
    return db->backend->script(db, db->backend->begin_write);
}

enum hf_err hf_db_begin_snapshot(struct hf_db *db)
{
    db->failed = false;
    HF_TRY(hf_db_check(db));
    return db->backend->script(db, db->backend->begin_snapshot);
}

enum hf_err hf_db_commit(struct hf_db *db)
{
    HF_TRY(db->backend->script(db, "COMMIT"));
    HF_TRY(hf_db_check(db));
    if (db->backend->committed) {
        db->backend->committed(db);
    }
    return HF_OK;
}

/* The reason why something is rolled back is more interesting than this, should it fail too. */
void hf_db_rollback(struct hf_db *db)
{
    if (!db->lost) {
        HF_CLEANUP(hf_freep) char *why = hf_strdup(hf_err_text());
        enum hf_err ignored = db->backend->script(db, "ROLLBACK");
        (void)ignored;
        if (why) {
            ignored = hf_fail_at(__FILE__, __LINE__, HF_E_IO, "%s", why);
        }
    }
    db->failed = false;
}
