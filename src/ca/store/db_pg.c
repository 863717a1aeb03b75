// SPDX-License-Identifier: Apache-2.0
/*
 * PostgreSQL, by libpq's asynchronous calls, so that no server can keep us for longer than
 * timeout_ms: a connection that doesn't answer in time is given up.
 *
 * Parameters and results are binary: numbers are int8, big-endian; text and bytea are their bytes.
 * A parameter's type is fixed when its statement is first prepared.
 *
 * Every commit runs NOTIFY, which the watcher of each node LISTENs for.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "ca/store/db.h"

enum { OID_INT8 = 20, OID_TEXT = 25, OID_BYTEA = 17, BINARY = 1, LEFT_MAX = 1000 };

struct pg_db {
    struct hf_db base;
    PGconn *conn;
    unsigned n_prepared;
};

struct pg_rows {
    struct hf_rows base;
    char name[16];
    PGresult *result; /* the rows that are here: all, or one in a stream */
    int at;           /* the row that is shown, -1 before the first */
    bool streaming;   /* more results are to come */
};

static struct pg_db *of_db(struct hf_db *db)
{
    return (struct pg_db *)db;
}

static struct pg_rows *of_rows(struct hf_rows *rows)
{
    return (struct pg_rows *)rows;
}

static const struct pg_rows *of_rows_const(const struct hf_rows *rows)
{
    return (const struct pg_rows *)rows;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* --- Errors ------------------------------------------------------------------------------------
 */

static void first_line(const char *text, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static enum hf_err fail_lost(struct pg_db *db, const char *what)
{
    char why[300];
    db->base.lost = true;
    first_line(db->conn ? PQerrorMessage(db->conn) : "", why, sizeof(why));
    return hf_fail(HF_E_IO, "the database %s%s%s", what, why[0] ? ": " : "", why);
}

static enum hf_err fail_slow(struct pg_db *db)
{
    db->base.lost = true;
    return hf_fail(HF_E_TIMEOUT, "the database has not answered for %u ms", db->base.timeout_ms);
}

/* By SQLSTATE (PostgreSQL, Appendix A); a state of five letters or its class of two. */
static enum hf_err fail_result(struct pg_db *db, const PGresult *result)
{
    static const struct {
        const char *state;
        enum hf_err err;
        bool lost;
        const char *what; /* to be said before the database's own words */
    } table[] = {
        {"53100", HF_E_IO, false, "the database's disk is full: "},
        {"53200", HF_E_NOMEM, false, NULL},      /* out of memory */
        {"53", HF_E_BUSY, true, NULL},           /* too many connections */
        {"55P03", HF_E_BUSY, false, NULL},       /* a lock was not to be had */
        {"57014", HF_E_TIMEOUT, false, NULL},    /* statement_timeout */
        {"57", HF_E_IO, true, NULL},             /* it is being shut down */
        {"58", HF_E_IO, false, NULL},            /* its disk */
        {"40", HF_E_BUSY, false, NULL},          /* a deadlock */
        {"25006", HF_E_PERMISSION, false, NULL}, /* read only: a standby */
        {"42501", HF_E_PERMISSION, false, NULL}, /* the role may not */
        {"42P01", HF_E_NOT_FOUND, false, NULL},  /* no such table: no store */
    };
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (PQstatus(db->conn) == CONNECTION_BAD) {
        return fail_lost(db, "was lost");
    }
    for (size_t i = 0; state && i < HF_N_ELEMENTS(table); i++) {
        if (strncmp(state, table[i].state, strlen(table[i].state)) == 0) {
            db->base.lost |= table[i].lost;
            return hf_fail(table[i].err, "%s%s (%s)",
                           table[i].what ? table[i].what : "the database says: ", text ? text : "",
                           state);
        }
    }
    return hf_fail(HF_E_INTERNAL, "the database says: %s (%s)", text ? text : "?",
                   state ? state : "?");
}

/* --- Waiting -----------------------------------------------------------------------------------
 */

/* Waits for the socket until the deadline. False: the time is over. */
static bool wait_socket(struct pg_db *db, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd fd = {.fd = PQsocket(db->conn), .events = events};
        if (left <= 0) {
            return false;
        }
        int n = poll(&fd, 1, (int)left);
        if (n != 0 && !(n < 0 && errno == EINTR)) {
            return true;
        }
    }
}

static enum hf_err flush(struct pg_db *db, int64_t deadline)
{
    for (;;) {
        int left = PQflush(db->conn);
        if (left == 0) {
            return HF_OK;
        }
        if (left < 0) {
            return fail_lost(db, "was lost");
        }
        if (!wait_socket(db, POLLIN | POLLOUT, deadline)) {
            return fail_slow(db);
        }
        if (!PQconsumeInput(db->conn)) {
            return fail_lost(db, "was lost");
        }
    }
}

/* The next result of what was sent; NULL when that was all. */
static enum hf_err next_result(struct pg_db *db, PGresult **out)
{
    int64_t deadline = now_ms() + db->base.timeout_ms;
    *out = NULL;
    HF_TRY(flush(db, deadline));
    while (PQisBusy(db->conn)) {
        if (!wait_socket(db, POLLIN, deadline)) {
            return fail_slow(db);
        }
        if (!PQconsumeInput(db->conn)) {
            return fail_lost(db, "was lost");
        }
    }
    *out = PQgetResult(db->conn);
    return HF_OK;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

/* Takes all results of what was sent; the first failure counts. out (or NULL) is the last one. */
static enum hf_err finish(struct pg_db *db, PGresult **out)
{
    enum hf_err err = HF_OK;
    PGresult *last = NULL;
    for (;;) {
        PGresult *result;
        enum hf_err broken = next_result(db, &result);
        if (broken != HF_OK || !result) {
            err = err == HF_OK ? broken : err;
            break;
        }
        if (err == HF_OK && !is_good(result)) {
            err = fail_result(db, result);
        }
        PQclear(last);
        last = result;
    }
    if (err == HF_OK && out) {
        *out = last;
    } else {
        PQclear(last);
    }
    return err;
}

/* --- Statements --------------------------------------------------------------------------------
 */

static enum hf_err pg_script(struct hf_db *base, const char *sql)
{
    struct pg_db *db = of_db(base);
    if (base->lost) {
        return hf_fail(HF_E_IO, "the database was lost");
    }
    if (!PQsendQuery(db->conn, sql)) {
        return fail_lost(db, "was lost");
    }
    return finish(db, NULL);
}

static enum hf_err pg_prepare(struct hf_db *base, const char *sql, struct hf_db_args args,
                              struct hf_rows **out)
{
    static const Oid oids[] = {
        [HF_DB_INT] = OID_INT8, [HF_DB_TEXT] = OID_TEXT, [HF_DB_BLOB] = OID_BYTEA};
    struct pg_db *db = of_db(base);
    Oid types[HF_DB_MAX_ARGS];
    if (args.n > HF_DB_MAX_ARGS) {
        return hf_fail(HF_E_INTERNAL, "too many parameters: %.80s", sql);
    }
    for (size_t i = 0; i < args.n; i++) {
        types[i] = oids[args.value[i].type];
    }
    struct pg_rows *rows = HF_NEW(struct pg_rows);
    if (!rows) {
        return HF_E_NOMEM;
    }
    snprintf(rows->name, sizeof(rows->name), "s%u", db->n_prepared++);
    enum hf_err err = PQsendPrepare(db->conn, rows->name, sql, (int)args.n, types)
                          ? finish(db, NULL)
                          : fail_lost(db, "was lost");
    if (err != HF_OK) {
        hf_free(rows);
        return err;
    }
    *out = &rows->base;
    return HF_OK;
}

struct values {
    const char *ptr[HF_DB_MAX_ARGS];
    int len[HF_DB_MAX_ARGS];
    int format[HF_DB_MAX_ARGS];
    uint8_t number[HF_DB_MAX_ARGS][8];
};

static void encode(struct hf_db_args args, struct values *out)
{
    for (size_t i = 0; i < args.n; i++) {
        const struct hf_db_value *value = &args.value[i];
        out->format[i] = BINARY;
        if (value->type == HF_DB_INT) {
            for (int b = 0; b < 8; b++) {
                out->number[i][b] = (uint8_t)((uint64_t)value->number >> (56 - 8 * b));
            }
            out->ptr[i] = (const char *)out->number[i];
            out->len[i] = 8;
        } else {
            out->ptr[i] = value->bytes.ptr ? (const char *)value->bytes.ptr : "";
            out->len[i] = (int)value->bytes.len;
        }
    }
}

static enum hf_err pg_start(struct hf_rows *base, struct hf_db_args args, bool stream)
{
    struct pg_rows *rows = of_rows(base);
    struct pg_db *db = of_db(base->db);
    struct values values;
    encode(args, &values);
    if (!PQsendQueryPrepared(db->conn, rows->name, (int)args.n, values.ptr, values.len,
                             values.format, BINARY)) {
        return fail_lost(db, "was lost");
    }
    rows->at = -1;
    rows->streaming = stream;
    if (stream) {
        PQsetSingleRowMode(db->conn);
        return HF_OK;
    }
    HF_TRY(finish(db, &rows->result));
    const char *changed = rows->result ? PQcmdTuples(rows->result) : "";
    bool reads = rows->result && PQresultStatus(rows->result) == PGRES_TUPLES_OK;
    base->db->changed = reads ? 0 : strtoll(changed, NULL, 10);
    return HF_OK;
}

/* In a stream each result is a row, but the last, which is empty. */
static enum hf_err next_streamed(struct pg_rows *rows, bool *out_row)
{
    struct pg_db *db = of_db(rows->base.db);
    PQclear(rows->result);
    rows->result = NULL;
    rows->at = 0;
    HF_TRY(next_result(db, &rows->result));
    if (rows->result && !is_good(rows->result)) {
        rows->streaming = false;
        enum hf_err err = fail_result(db, rows->result);
        enum hf_err ignored = finish(db, NULL);
        (void)ignored;
        return err;
    }
    *out_row = rows->result && PQntuples(rows->result) > 0;
    if (!*out_row) {
        rows->streaming = false;
        return rows->result ? finish(db, NULL) : HF_OK;
    }
    return HF_OK;
}

static enum hf_err pg_next(struct hf_rows *base, bool *out_row)
{
    struct pg_rows *rows = of_rows(base);
    if (rows->streaming) {
        return next_streamed(rows, out_row);
    }
    if (rows->result && rows->at + 1 < PQntuples(rows->result)) {
        rows->at++;
        *out_row = true;
    }
    return HF_OK;
}

/* What is left of a stream that is left early is thrown away, and where that is much, so is the
 * connection. To cancel it (PQcancel) would take a connection more, and wait for it without end. */
static void leave_stream(struct pg_rows *rows)
{
    struct pg_db *db = of_db(rows->base.db);
    PGresult *result = NULL;
    int n = 0;
    while (!db->base.lost && n < LEFT_MAX && next_result(db, &result) == HF_OK && result) {
        PQclear(result);
        n++;
    }
    db->base.lost |= n == LEFT_MAX;
    rows->streaming = false;
}

static void pg_end(struct hf_rows *base)
{
    struct pg_rows *rows = of_rows(base);
    if (rows->streaming) {
        leave_stream(rows);
    }
    PQclear(rows->result);
    rows->result = NULL;
}

static void pg_drop(struct hf_rows *base)
{
    PQclear(of_rows(base)->result);
    hf_free(base);
}

static struct hf_bytes pg_bytes(const struct hf_rows *base, int column)
{
    const struct pg_rows *rows = of_rows_const(base);
    return hf_bytes_of(PQgetvalue(rows->result, rows->at, column),
                       (size_t)PQgetlength(rows->result, rows->at, column));
}

/* int8 or, of a constant, int4. */
static int64_t pg_number(const struct hf_rows *base, int column)
{
    struct hf_bytes bytes = pg_bytes(base, column);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len && i < 8; i++) {
        value = value << 8 | bytes.ptr[i];
    }
    return bytes.len == 4 ? (int64_t)(int32_t)value : (int64_t)value;
}

/* --- Watching ----------------------------------------------------------------------------------
 */

static enum hf_err pg_listen(struct hf_db *base)
{
    return pg_script(base, "LISTEN handfast_ca");
}

static enum hf_err pg_wait(struct hf_db *base, int wake_fd, int timeout_ms)
{
    struct pg_db *db = of_db(base);
    struct pollfd fds[] = {{.fd = wake_fd, .events = POLLIN},
                           {.fd = PQsocket(db->conn), .events = POLLIN}};
    PGnotify *notify = PQnotifies(db->conn);
    if (!notify) {
        (void)poll(fds, 2, timeout_ms);
        if (!PQconsumeInput(db->conn)) {
            return fail_lost(db, "was lost");
        }
        notify = PQnotifies(db->conn);
    }
    for (; notify; notify = PQnotifies(db->conn)) {
        PQfreemem(notify);
    }
    return HF_OK;
}

/* --- Opening -----------------------------------------------------------------------------------
 */

static void pg_close(struct hf_db *base)
{
    PQfinish(of_db(base)->conn);
    hf_free(base);
}

static const char *const words[][2] = {
    {"blob", "BYTEA"},      {"id", "BIGINT"},           {"keyed", ""}, {"instr", "strpos"},
    {"lock", "FOR UPDATE"}, {"bytes", "COLLATE \"C\""}, {NULL, NULL},
};

static const struct hf_db_backend pg_backend = {
    .name = "postgres",
    .words = words,
    .begin_write = "BEGIN",
    .begin_migration = "BEGIN; SELECT pg_advisory_xact_lock(7521962093)", /* any number of ours */
    .begin_snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .notify = "NOTIFY handfast_ca",
    .far = true,
    .close = pg_close,
    .script = pg_script,
    .prepare = pg_prepare,
    .start = pg_start,
    .next = pg_next,
    .end = pg_end,
    .drop = pg_drop,
    .number = pg_number,
    .bytes = pg_bytes,
    .wait = pg_wait,
    .listen = pg_listen,
};

static void be_quiet(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

static enum hf_err connect_pg(struct pg_db *db, const char *url)
{
    static const char *const keys[] = {"dbname", "application_name", "client_encoding",
                                       "keepalives_idle", NULL};
    const char *const values[] = {url, "handfast", "UTF8", "30", NULL};
    int64_t deadline = now_ms() + db->base.timeout_ms;
    db->conn = PQconnectStartParams(keys, values, 1);
    if (!db->conn) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING;;) {
        if (PQstatus(db->conn) == CONNECTION_BAD || next == PGRES_POLLING_FAILED) {
            return fail_lost(db, "can't be reached");
        }
        if (next == PGRES_POLLING_OK) {
            PQsetNoticeReceiver(db->conn, be_quiet, NULL);
            return PQsetnonblocking(db->conn, 1) == 0 ? HF_OK : fail_lost(db, "was lost");
        }
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_socket(db, events, deadline)) {
            return fail_slow(db);
        }
        next = PQconnectPoll(db->conn);
    }
}

/* synchronous_commit could be off in the server's configuration: a commit must be on its disk. The
 * server gives up a lock before we give up the server. */
static enum hf_err set_up(struct pg_db *db)
{
    char sql[256];
    if (PQserverVersion(db->conn) < 130000) {
        return hf_fail(HF_E_UNSUPPORTED, "the database is PostgreSQL %d; it takes 13 or later",
                       PQserverVersion(db->conn) / 10000);
    }
    snprintf(sql, sizeof(sql),
             "SET synchronous_commit = on; SET lock_timeout = %u; SET statement_timeout = 0;"
             " SET idle_in_transaction_session_timeout = %u; SET bytea_output = hex",
             db->base.timeout_ms * 3 / 4, 6 * db->base.timeout_ms);
    return pg_script(&db->base, sql);
}

enum hf_err hf_db_pg_open(const struct hf_db_options *options, struct hf_db **out)
{
    struct pg_db *db = HF_NEW(struct pg_db);
    if (!db) {
        return HF_E_NOMEM;
    }
    db->base.backend = &pg_backend;
    db->base.timeout_ms = options->timeout_ms;
    enum hf_err err = connect_pg(db, options->url);
    if (err == HF_OK) {
        err = set_up(db);
    }
    if (err != HF_OK) {
        pg_close(&db->base);
        return err;
    }
    *out = &db->base;
    return HF_OK;
}
