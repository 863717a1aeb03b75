// SPDX-License-Identifier: Apache-2.0
/*
 * SQLite. WAL, so that readers and the writer don't wait for each other, and synchronous=FULL: a
 * commit is on the disk, not just in the kernel, when it returns.
 *
 * The file is made 0600 before SQLite sees it; SQLite gives its -wal and -shm the same mode. One
 * that others may read is refused, as a key file would be: it holds keys.
 *
 * Other processes hear of a commit by the file's times: whoever commits sets them, which inotify
 * tells who watches. Where there is no inotify to be had, and of writers that don't set them, it is
 * looked at every 0.2 s. The file is never opened beside SQLite: to close it again would let go of
 * SQLite's locks (fcntl(2)).
 *
 * A file that isn't there any more under its name, or is another one, is out of reach: what SQLite
 * would still write into the old one is lost, and the new one may have forgotten what was revoked.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/store/db.h"
#include "os/file.h"
#include "os/sock.h"

enum { POLL_MS = 200 };

struct sqlite_db {
    struct hf_db base;
    sqlite3 *handle;
    char *path;
    int notices; /* inotify's; -1: nobody watches, or it can't be had */
};

struct sqlite_rows {
    struct hf_rows base;
    sqlite3_stmt *statement;
};

static struct sqlite_db *of_db(struct hf_db *db)
{
    return (struct sqlite_db *)db;
}

static struct sqlite_rows *of_rows(struct hf_rows *rows)
{
    return (struct sqlite_rows *)rows;
}

static sqlite3_stmt *statement_of(const struct hf_rows *rows)
{
    return ((const struct sqlite_rows *)rows)->statement;
}

/* --- Errors ------------------------------------------------------------------------------------
 */

static enum hf_err fail(struct hf_db *base, int code)
{
    static const struct {
        int code;
        enum hf_err err;
        const char *what;
    } table[] = {
        {SQLITE_FULL, HF_E_IO, "the disk is full"},
        {SQLITE_IOERR, HF_E_IO, "the disk refused it"},
        {SQLITE_BUSY, HF_E_BUSY, "another process holds the lock"},
        {SQLITE_LOCKED, HF_E_BUSY, "another process holds the lock"},
        {SQLITE_NOMEM, HF_E_NOMEM, "out of memory"},
        {SQLITE_READONLY, HF_E_PERMISSION, "it can't be written"},
        {SQLITE_CANTOPEN, HF_E_IO, "it can't be opened"},
        {SQLITE_PERM, HF_E_PERMISSION, "it can't be opened"},
        {SQLITE_CORRUPT, HF_E_MALFORMED, "it is damaged; restore a backup"},
        {SQLITE_NOTADB, HF_E_MALFORMED, "it is no SQLite database"},
    };
    struct sqlite_db *db = of_db(base);
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (table[i].code == (code & 0xff)) {
            return hf_fail(table[i].err, "%s: %s (%s)", db->path, table[i].what,
                           sqlite3_errstr(code));
        }
    }
    return hf_fail(HF_E_INTERNAL, "%s: %s", db->path, sqlite3_errmsg(db->handle));
}

/* --- The place ---------------------------------------------------------------------------------
 */

static enum hf_err fail_moved(const char *path)
{
    return hf_fail(HF_E_IO,
                   "%s was moved, deleted or replaced while it was in use; put it back, or start "
                   "anew to take what is there now",
                   path);
}

static enum hf_err sqlite_check(struct hf_db *base)
{
    struct sqlite_db *db = of_db(base);
    int moved = 0;
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        !moved) {
        return HF_OK;
    }
    base->lost = true;
    return fail_moved(db->path);
}

static struct hf_db_place place_of(const struct stat *st)
{
    return (struct hf_db_place){.device = st->st_dev, .inode = st->st_ino};
}

static bool is_there(const struct hf_db_place *place, const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_dev == place->device && st.st_ino == place->inode;
}

/* --- Statements --------------------------------------------------------------------------------
 */

static enum hf_err sqlite_script(struct hf_db *base, const char *sql)
{
    int code = sqlite3_exec(of_db(base)->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? HF_OK : fail(base, code);
}

/* SQLite numbers $N by where they first appear, PostgreSQL by N: they must be the same. */
static bool in_order(sqlite3_stmt *statement, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        char name[16];
        snprintf(name, sizeof(name), "$%zu", i);
        const char *given = sqlite3_bind_parameter_name(statement, (int)i);
        if (!given || strcmp(given, name) != 0) {
            return false;
        }
    }
    return sqlite3_bind_parameter_count(statement) == (int)n;
}

static enum hf_err sqlite_prepare(struct hf_db *base, const char *sql, struct hf_db_args args,
                                  struct hf_rows **out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v3(of_db(base)->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &statement, NULL);
    if (code != SQLITE_OK) {
        return fail(base, code);
    }
    struct sqlite_rows *rows = HF_NEW(struct sqlite_rows);
    if (!rows || !in_order(statement, args.n)) {
        sqlite3_finalize(statement);
        hf_free(rows);
        return rows ? hf_fail(HF_E_INTERNAL, "parameters out of order: %.80s", sql) : HF_E_NOMEM;
    }
    rows->statement = statement;
    *out = &rows->base;
    return HF_OK;
}

static int bind_one(sqlite3_stmt *statement, int at, const struct hf_db_value *value)
{
    /* A NULL pointer would bind NULL. */
    const void *ptr = value->bytes.ptr ? (const void *)value->bytes.ptr : "";
    switch (value->type) {
    case HF_DB_INT:
        return sqlite3_bind_int64(statement, at, value->number);
    case HF_DB_TEXT:
        return sqlite3_bind_text(statement, at, ptr, (int)value->bytes.len, SQLITE_STATIC);
    case HF_DB_BLOB:
        break;
    }
    return sqlite3_bind_blob(statement, at, ptr, (int)value->bytes.len, SQLITE_STATIC);
}

static enum hf_err sqlite_start(struct hf_rows *base, struct hf_db_args args, bool stream)
{
    (void)stream;
    for (size_t i = 0; i < args.n; i++) {
        int code = bind_one(statement_of(base), (int)i + 1, &args.value[i]);
        if (code != SQLITE_OK) {
            return fail(base->db, code);
        }
    }
    return HF_OK;
}

static enum hf_err sqlite_next(struct hf_rows *base, bool *out_row)
{
    sqlite3_stmt *statement = statement_of(base);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *out_row = true;
        return HF_OK;
    }
    if (code != SQLITE_DONE) {
        return fail(base->db, code);
    }
    if (!sqlite3_stmt_readonly(statement)) {
        base->db->changed = sqlite3_changes64(of_db(base->db)->handle);
    }
    return HF_OK;
}

static void sqlite_end(struct hf_rows *base)
{
    sqlite3_reset(statement_of(base));
    sqlite3_clear_bindings(statement_of(base));
}

static void sqlite_drop(struct hf_rows *base)
{
    sqlite3_finalize(of_rows(base)->statement);
    hf_free(base);
}

static int64_t sqlite_number(const struct hf_rows *base, int column)
{
    return sqlite3_column_int64(statement_of(base), column);
}

static struct hf_bytes sqlite_bytes(const struct hf_rows *base, int column)
{
    sqlite3_stmt *statement = statement_of(base);
    const void *ptr = sqlite3_column_type(statement, column) == SQLITE_TEXT
                          ? (const void *)sqlite3_column_text(statement, column)
                          : sqlite3_column_blob(statement, column);
    return hf_bytes_of(ptr ? ptr : "", (size_t)sqlite3_column_bytes(statement, column));
}

/* --- Watching ----------------------------------------------------------------------------------
 */

static void sqlite_committed(struct hf_db *base)
{
    (void)utimensat(AT_FDCWD, of_db(base)->path, NULL, 0);
}

static enum hf_err sqlite_listen(struct hf_db *base)
{
    struct sqlite_db *db = of_db(base);
    hf_closep(&db->notices);
    db->notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (db->notices >= 0 && inotify_add_watch(db->notices, db->path, IN_ATTRIB) < 0) {
        hf_closep(&db->notices);
    }
    return HF_OK;
}

static enum hf_err sqlite_wait(struct hf_db *base, int wake_fd, int timeout_ms)
{
    struct sqlite_db *db = of_db(base);
    _Alignas(struct inotify_event) char notices[1024];
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
                           {.fd = db->notices, .events = POLLIN}};
    (void)poll(fds, 2, timeout_ms < POLL_MS ? timeout_ms : POLL_MS);
    while (db->notices >= 0 && read(db->notices, notices, sizeof(notices)) > 0) {
    }
    return HF_OK;
}

/* --- Opening -----------------------------------------------------------------------------------
 */

static void sqlite_close(struct hf_db *base)
{
    struct sqlite_db *db = of_db(base);
    sqlite3_close(db->handle);
    hf_closep(&db->notices);
    hf_free(db->path);
    hf_free(db);
}

static const char *const words[][2] = {
    {"blob", "BLOB"},   {"id", "INTEGER"}, {"keyed", "WITHOUT ROWID"},
    {"instr", "instr"}, {"lock", ""},      {"bytes", ""},
    {NULL, NULL},
};

static const struct hf_db_backend sqlite_backend = {
    .name = "sqlite",
    .words = words,
    .begin_write = "BEGIN IMMEDIATE",
    .begin_migration = "BEGIN IMMEDIATE",
    .begin_snapshot = "BEGIN",
    .close = sqlite_close,
    .script = sqlite_script,
    .prepare = sqlite_prepare,
    .start = sqlite_start,
    .next = sqlite_next,
    .end = sqlite_end,
    .drop = sqlite_drop,
    .number = sqlite_number,
    .bytes = sqlite_bytes,
    .wait = sqlite_wait,
    .listen = sqlite_listen,
    .committed = sqlite_committed,
    .check = sqlite_check,
};

static enum hf_err make_file(const char *path)
{
    HF_CLEANUP(hf_closep) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) {
        return hf_fail_errno("%s", path);
    }
    return HF_OK;
}

static enum hf_err check_file(const struct hf_db_options *options, const char *path,
                              struct hf_db_place *out)
{
    struct stat st;
    if (options->place.inode) {
        *out = options->place;
        return is_there(out, path) ? hf_file_check_private(path) : fail_moved(path);
    }
    if (options->create) {
        HF_TRY(make_file(path));
    }
    if (stat(path, &st) != 0) {
        return errno == ENOENT ? hf_fail(HF_E_NOT_FOUND, "%s: there is no such database", path)
                               : hf_fail_errno("%s", path);
    }
    *out = place_of(&st);
    return hf_file_check_private(path);
}

static enum hf_err set_up(struct sqlite_db *db, const struct hf_db_options *options)
{
    sqlite3_busy_timeout(db->handle, (int)db->base.timeout_ms);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (options->read_only) {
        return HF_OK;
    }
    HF_TRY(sqlite_script(&db->base, "PRAGMA journal_mode=WAL;"
                                    "PRAGMA synchronous=FULL;"
                                    "PRAGMA foreign_keys=ON;"
                                    "PRAGMA journal_size_limit=67108864;"));
    return sqlite_script(&db->base, options->small_cache ? "PRAGMA cache_size=-4096"
                                                         : "PRAGMA cache_size=-8192");
}

enum hf_err hf_db_sqlite_open(const struct hf_db_options *options, struct hf_db **out)
{
    struct sqlite_db *db = HF_NEW(struct sqlite_db);
    if (!db) {
        return HF_E_NOMEM;
    }
    db->notices = -1;
    db->base.backend = &sqlite_backend;
    db->base.timeout_ms = options->timeout_ms;
    db->path = hf_strdup(options->url + strlen("sqlite:"));
    enum hf_err err = db->path ? check_file(options, db->path, &db->base.place) : HF_E_NOMEM;
    if (err == HF_OK) {
        int mode = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
        int code = sqlite3_open_v2(db->path, &db->handle, mode | SQLITE_OPEN_NOMUTEX, NULL);
        err = code == SQLITE_OK ? set_up(db, options) : fail(&db->base, code);
    }
    if (err == HF_OK && !is_there(&db->base.place, db->path)) {
        err = fail_moved(db->path);
    }
    if (err != HF_OK) {
        sqlite_close(&db->base);
        return err;
    }
    *out = &db->base;
    return HF_OK;
}
