// SPDX-License-Identifier: Apache-2.0
/*
 * A backup is the store's tables, row by row, as one moment showed them, in a SQLite file that is
 * put together under another name. Row by row rather than page by page, so that it is the same
 * whatever the store is in.
 */
#include "ca/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/store/copy.h"
#include "ca/store/schema.h"
#include "ca/store/store_impl.h"
#include "os/file.h"
#include "os/sock.h"

/* --- Copying a table ---------------------------------------------------------------------------
 */

static enum hf_err make_insert(const struct hf_schema_table *table, struct hf_buf *out)
{
    HF_TRY(hf_buf_printf(out, "INSERT INTO %s (%s) VALUES (", table->name, table->columns));
    for (size_t i = 0; table->types[i]; i++) {
        HF_TRY(hf_buf_printf(out, "%s$%zu", i ? ", " : "", i + 1));
    }
    return hf_buf_append_str(out, ")");
}

static struct hf_db_value column(const struct hf_rows *rows, char type, int at)
{
    struct hf_bytes bytes;
    switch (type) {
    case 'i':
        return hf_db_int(hf_db_number(rows, at));
    case 't':
        bytes = hf_db_bytes(rows, at);
        return (struct hf_db_value){.type = HF_DB_TEXT, .bytes = bytes};
    default:
        return hf_db_blob(hf_db_bytes(rows, at));
    }
}

static enum hf_err copy_rows(struct hf_rows *from, struct hf_db *to, const char *insert,
                             const struct hf_schema_table *table)
{
    for (;;) {
        struct hf_db_value values[HF_DB_MAX_ARGS];
        size_t n = strlen(table->types);
        bool row;
        HF_TRY(hf_db_next(from, &row));
        if (!row) {
            return HF_OK;
        }
        for (size_t i = 0; i < n; i++) {
            values[i] = column(from, table->types[i], (int)i);
        }
        HF_TRY(hf_db_run(to, insert, (struct hf_db_args){values, n}));
    }
}

static enum hf_err copy_table(struct hf_db *from, struct hf_db *to,
                              const struct hf_schema_table *table)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf insert = HF_BUF_INIT(4096);
    HF_CLEANUP(hf_buf_done) struct hf_buf select = HF_BUF_INIT(4096);
    HF_TRY(make_insert(table, &insert));
    HF_TRY(hf_buf_printf(&select, "SELECT %s FROM %s ORDER BY %s", table->columns, table->name,
                         table->order));
    const char *insert_text = hf_buf_cstr(&insert);
    const char *select_text = hf_buf_cstr(&select);
    if (!insert_text || !select_text) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_db_stream(from, &rows, select_text, HF_DB_NONE));
    return copy_rows(rows, to, insert_text, table);
}

enum hf_err hf_copy_meta(struct hf_db *from, struct hf_db *to)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    char id[64];
    bool row;
    HF_TRY(
        hf_db_ask(from, &rows, "SELECT value FROM handfast_meta WHERE name = 'store'", HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    snprintf(id, sizeof(id), "%s", row ? hf_db_string(rows, 0) : "");
    return hf_db_run(to, "UPDATE handfast_meta SET value = $1 WHERE name = 'store'",
                     HF_DB_ARGS(hf_db_text(id)));
}

enum hf_err hf_copy_tables(struct hf_db *from, struct hf_db *to)
{
    HF_TRY(hf_db_run(to, "DELETE FROM heads", HF_DB_NONE));
    for (const struct hf_schema_table *table = hf_schema_tables; table->name; table++) {
        HF_TRY(copy_table(from, to, table));
    }
    return hf_copy_meta(from, to);
}

/* --- The file ----------------------------------------------------------------------------------
 */

static enum hf_err fill(struct hf_db *from, struct hf_db *to)
{
    /* One transaction into a file that nobody sees yet; it is synced when it is whole. */
    HF_TRY(hf_db_script(to, "PRAGMA synchronous=OFF"));
    HF_TRY(hf_schema_prepare(to, true));
    HF_TRY(hf_db_begin(to));
    enum hf_err err = hf_copy_tables(from, to);
    if (err != HF_OK) {
        hf_db_rollback(to);
        return err;
    }
    HF_TRY(hf_db_commit(to));
    /* One file, without the two beside it that WAL wants. */
    return hf_db_script(to, "PRAGMA journal_mode=DELETE");
}

static enum hf_err fill_file(struct hf_store *store, const char *part)
{
    HF_CLEANUP(hf_freep) char *url = hf_alloc(strlen(part) + 8);
    HF_CLEANUP(hf_db_closep) struct hf_db *to = NULL;
    struct hf_db *from;
    if (!url) {
        return HF_E_NOMEM;
    }
    sprintf(url, "sqlite:%s", part);
    struct hf_db_options options = {.url = url, .create = true, .timeout_ms = store->timeout_ms};
    HF_TRY(hf_db_open(&options, &to));
    HF_TRY(hf_store_snapshot(store, &from));
    enum hf_err err = fill(from, to);
    hf_store_snapshot_end(store, from);
    return err;
}

static enum hf_err sync_file(const char *path)
{
    HF_CLEANUP(hf_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? hf_fail_errno("%s", path) : HF_OK;
}

/* The name appears once, with all of the file behind it. */
static enum hf_err publish(const char *part, const char *path)
{
    HF_CLEANUP(hf_freep) char *dir = hf_path_dir(path);
    if (!dir) {
        return HF_E_NOMEM;
    }
    HF_TRY(sync_file(part));
    if (link(part, path) != 0) {
        return hf_fail_errno("%s", path);
    }
    return sync_file(dir);
}

static void remove_part(const char *part)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < HF_N_ELEMENTS(ends); i++) {
        char name[4096];
        snprintf(name, sizeof(name), "%s%s", part, ends[i]);
        (void)unlink(name);
    }
}

enum hf_err hf_store_backup(struct hf_store *store, const char *path)
{
    char part[4096];
    if (snprintf(part, sizeof(part), "%s.part-%d", path, (int)getpid()) >= (int)sizeof(part)) {
        return hf_fail(HF_E_TOO_LARGE, "the path is too long: %.80s...", path);
    }
    if (access(path, F_OK) == 0) {
        return hf_fail(HF_E_EXISTS, "%s: it exists; a backup never replaces a file", path);
    }
    remove_part(part);
    enum hf_err err = fill_file(store, part);
    if (err == HF_OK) {
        err = publish(part, path);
    }
    remove_part(part);
    return err;
}
