// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_DB_H
#define HF_CA_STORE_DB_H

/*
 * A connection to a database, the same for SQLite and PostgreSQL: statements with $1, $2, ... whose
 * values are integers, text or bytes, never NULL. One thread at a time.
 *
 * Statements are written once for both. Parameters appear in the order of their numbers (a repeated
 * one may stand anywhere later). What differs is a word in braces, which each back end replaces:
 *
 *     {blob}      BLOB | BYTEA                 {id}     INTEGER | BIGINT, of a primary key
 *     {keyed}     WITHOUT ROWID | nothing      {instr}  instr | strpos
 *     {lock}      nothing | FOR UPDATE         {bytes}  COLLATE BINARY | COLLATE "C"
 *
 * Prepared statements are kept by their text for as long as the connection lives.
 */

#include "base/bytes.h"
#include "base/map.h"

enum hf_db_type { HF_DB_INT, HF_DB_TEXT, HF_DB_BLOB };

struct hf_db_value {
    enum hf_db_type type;
    int64_t number;
    struct hf_bytes bytes; /* of text and blob; text is checked to be UTF-8 */
};

static inline struct hf_db_value hf_db_int(int64_t number)
{
    return (struct hf_db_value){.type = HF_DB_INT, .number = number};
}

/* hf_db_text: NULL is "". */
struct hf_db_value hf_db_text(const char *text);

static inline struct hf_db_value hf_db_blob(struct hf_bytes bytes)
{
    return (struct hf_db_value){.type = HF_DB_BLOB, .bytes = bytes};
}

#define HF_DB_MAX_ARGS 32

struct hf_db_args {
    const struct hf_db_value *value;
    size_t n;
};

#define HF_DB_ARGS(...) \
    ((struct hf_db_args){(const struct hf_db_value[]){__VA_ARGS__}, \
                         sizeof((const struct hf_db_value[]){__VA_ARGS__}) / \
                             sizeof(struct hf_db_value)})
#define HF_DB_NONE ((struct hf_db_args){NULL, 0})

struct hf_db;
struct hf_rows;

/* Which file a database is; zeros: it isn't one. */
struct hf_db_place {
    uint64_t device, inode;
};

struct hf_db_options {
    const char *url;
    struct hf_db_place place; /* the only one that it may be; zeros: any */
    bool create;
    bool read_only;   /* SQLite only: the file is left as it is */
    bool small_cache; /* SQLite only: 4 MiB of pages rather than 8 */
    unsigned timeout_ms;
};

/* What a back end is. Errors of all: HF_E_IO (with db->lost when the connection is gone), HF_E_BUSY
 * (a lock), HF_E_TIMEOUT, HF_E_NOMEM, HF_E_INTERNAL (a statement of ours is wrong). */
struct hf_db_backend {
    const char *name;                    /* "sqlite", "postgres" */
    const char *const (*words)[2];       /* what stands for each word in braces; ends with NULL */
    const char *begin_write;             /* takes the lock that writers share, or waits for it */
    const char *begin_migration;         /* keeps others from migrating at the same time */
    const char *begin_snapshot;          /* for several reads of one moment */
    const char *notify;                  /* run within each commit; NULL: nothing */
    void (*committed)(struct hf_db *db); /* run after each commit; NULL: nothing */
    bool far;                            /* the answer to a commit may be lost on its way */
    void (*close)(struct hf_db *db);
    enum hf_err (*script)(struct hf_db *db, const char *sql); /* several statements, no results */
    /* out is cached by the caller; n_args: their types are those of args */
    enum hf_err (*prepare)(struct hf_db *db, const char *sql, struct hf_db_args args,
                           struct hf_rows **out);
    enum hf_err (*start)(struct hf_rows *rows, struct hf_db_args args, bool stream);
    enum hf_err (*next)(struct hf_rows *rows, bool *out_row);
    void (*end)(struct hf_rows *rows);
    void (*drop)(struct hf_rows *rows);
    int64_t (*number)(const struct hf_rows *rows, int column);
    struct hf_bytes (*bytes)(const struct hf_rows *rows, int column); /* NUL after it */
    /* waits until somebody may have written, wake_fd is readable, or the time is over */
    enum hf_err (*wait)(struct hf_db *db, int wake_fd, int timeout_ms);
    enum hf_err (*listen)(struct hf_db *db); /* before the first wait */
    enum hf_err (*check)(struct hf_db *db);  /* see hf_db_check; NULL: always there */
};

struct hf_db {
    const struct hf_db_backend *backend;
    struct hf_db_place place;
    struct hf_map prepared; /* text to struct hf_rows */
    bool lost;              /* the connection is of no use any more */
    bool failed;            /* a statement has failed since begin: only rollback helps */
    uint64_t n_writes;      /* statements that changed something */
    int64_t changed;        /* rows that the last one changed */
    unsigned timeout_ms;
};

/* The common part of a running statement; back ends embed it first. */
struct hf_rows {
    struct hf_db *db;
    bool busy; /* between start and end */
};

/* hf_db_open connects. Errors: as hf_store_open's. */
enum hf_err hf_db_open(const struct hf_db_options *options, struct hf_db **out) HF_MUST_CHECK;
void hf_db_close(struct hf_db *db);
void hf_db_closep(struct hf_db **db);

/* hf_db_check: is the database still what goes by its name? A file may have been moved, deleted or
 * replaced under us, and what is written into it be lost. Errors: HF_E_IO, with db->lost. */
enum hf_err hf_db_check(struct hf_db *db) HF_MUST_CHECK;

/* hf_db_script runs several statements without parameters or results. */
enum hf_err hf_db_script(struct hf_db *db, const char *sql) HF_MUST_CHECK;

/* hf_db_run runs a statement without results; db->changed says how many rows it changed. */
enum hf_err hf_db_run(struct hf_db *db, const char *sql, struct hf_db_args args) HF_MUST_CHECK;

/*
 * hf_db_ask starts a query, whose rows hf_db_next steps through and hf_db_end ends. Only one at a
 * time per connection. hf_db_stream is for results of any size; hf_db_ask may hold them whole.
 */
enum hf_err hf_db_ask(struct hf_db *db, struct hf_rows **out, const char *sql,
                      struct hf_db_args args) HF_MUST_CHECK;
enum hf_err hf_db_stream(struct hf_db *db, struct hf_rows **out, const char *sql,
                         struct hf_db_args args) HF_MUST_CHECK;
enum hf_err hf_db_next(struct hf_rows *rows, bool *out_row) HF_MUST_CHECK;
void hf_db_end(struct hf_rows *rows);
void hf_db_endp(struct hf_rows **rows);

/* Columns of the row, from 0; they live until the next step. */
int64_t hf_db_number(const struct hf_rows *rows, int column);
const char *hf_db_string(const struct hf_rows *rows, int column);
struct hf_bytes hf_db_bytes(const struct hf_rows *rows, int column);

/* hf_db_hash copies a column of exactly 32 bytes; anything else gives zeros. */
void hf_db_hash(const struct hf_rows *rows, int column, uint8_t out[static 32]);

/* hf_db_number_of runs a query that gives one number. Errors: HF_E_NOT_FOUND: no row. */
enum hf_err hf_db_number_of(struct hf_db *db, int64_t *out, const char *sql,
                            struct hf_db_args args) HF_MUST_CHECK;

/* hf_db_begin, hf_db_begin_snapshot and hf_db_commit check. Where that fails after the commit,
 * nobody knows what became of it. */
enum hf_err hf_db_begin(struct hf_db *db) HF_MUST_CHECK;
enum hf_err hf_db_begin_snapshot(struct hf_db *db) HF_MUST_CHECK;
enum hf_err hf_db_commit(struct hf_db *db) HF_MUST_CHECK;
void hf_db_rollback(struct hf_db *db);

/* The two back ends' doors. hf_db_pg_open says HF_E_UNSUPPORTED in a build without libpq. */
enum hf_err hf_db_sqlite_open(const struct hf_db_options *options,
                              struct hf_db **out) HF_MUST_CHECK;
enum hf_err hf_db_pg_open(const struct hf_db_options *options, struct hf_db **out) HF_MUST_CHECK;

/* hf_db_template puts the back end's words into a statement; the result is the caller's (hf_free).
 */
char *hf_db_template(const char *sql, const char *const (*words)[2]) HF_MUST_CHECK;

#endif
