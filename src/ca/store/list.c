// SPDX-License-Identifier: Apache-2.0
/*
 * Pages of certificates. One index, the driver, is walked in its order from where the cursor
 * points, at most SCAN rows of it; what the driver doesn't say is asked of those rows. So a page
 * costs the same among a hundred certificates as among a million, and where matches are rare it is
 * short and says "more" rather than taking long:
 *
 *     SELECT ... FROM (SELECT d.id, d.k FROM (driver, from the cursor on, at most SCAN) d
 *                      JOIN certificates r ... WHERE the rest, at most limit) h
 *     JOIN certificates c ...
 *
 * The cursor is the driver's key at the last row looked at, in text.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ca/store/store_impl.h"
#include "ca/store/words.h"

/* Rows of the driver that one page looks at: fewer where each is in another place of the table. */
enum { SCAN = 1000, SCAN_EXPIRY = 500, SCAN_WORDS = 250, SQL_CAP = 16 << 10, PAGE = 100 };

enum driver { BY_ID, BY_EXPIRY, BY_WORD };

/* A statement as it is being written, with its values. */
struct sql {
    struct hf_buf text;
    struct hf_db_value value[HF_DB_MAX_ARGS];
    size_t n;
    enum hf_err err;
};

struct plan {
    const struct hf_store_query *query;
    enum driver driver;
    const char *used; /* the filter that the driver answers; NULL: none */
    struct hf_store_words words;
    size_t lead; /* the word that is the driver */
    char above[HF_WORD_SIZE_MAX + 8];
    char prefix[HF_WORDS_MAX][HF_WORD_SIZE_MAX + 2]; /* " word" */
    char key_type[64];                               /* without its "*" */
    /* from the cursor */
    bool goes_on;
    int64_t after_number;
    char after_word[HF_WORD_SIZE_MAX + 1];
    int64_t after_id;
    size_t limit;
};

static int64_t scan_of(const struct plan *plan)
{
    static const int64_t rows[] = {
        [BY_ID] = SCAN, [BY_EXPIRY] = SCAN_EXPIRY, [BY_WORD] = SCAN_WORDS};
    return rows[plan->driver];
}

/* --- Writing SQL -------------------------------------------------------------------------------
 */

static void put(struct sql *sql, const char *text)
{
    if (sql->err == HF_OK) {
        sql->err = hf_buf_append_str(&sql->text, text);
    }
}

/* Appends text with "?" standing for the next parameter, which is value. */
static void put_value(struct sql *sql, const char *text, struct hf_db_value value)
{
    const char *mark = strchr(text, '?');
    if (sql->err == HF_OK && sql->n == HF_DB_MAX_ARGS) {
        sql->err = hf_fail(HF_E_INVALID, "too much is asked for at once");
    }
    if (sql->err == HF_OK) {
        sql->value[sql->n++] = value;
        sql->err =
            hf_buf_printf(&sql->text, "%.*s$%zu%s", (int)(mark - text), text, sql->n, mark + 1);
    }
}

/* --- The driver --------------------------------------------------------------------------------
 */

static void put_word_driver(struct sql *sql, const struct plan *plan)
{
    const char *word = plan->words.word[plan->lead].text;
    put(sql, "SELECT certificate AS id, word AS k FROM words");
    put_value(sql, " WHERE word >= ?", hf_db_text(word));
    put_value(sql, " AND word < ?", hf_db_text(plan->above));
    if (plan->goes_on) {
        put_value(sql, " AND (word, certificate) > (?", hf_db_text(plan->after_word));
        put_value(sql, ", ?)", hf_db_int(plan->after_id));
    }
    put(sql, " ORDER BY word, certificate");
}

static void put_expiry_driver(struct sql *sql, const struct plan *plan)
{
    const struct hf_store_query *q = plan->query;
    put_value(sql, "SELECT id, not_after AS k FROM certificates WHERE not_after >= ?",
              hf_db_int(q->expires_after ? q->expires_after : INT64_MIN));
    put_value(sql, " AND not_after < ?",
              hf_db_int(q->expires_before ? q->expires_before : INT64_MAX));
    if (plan->goes_on) {
        put_value(sql, " AND (not_after, id) > (?", hf_db_int(plan->after_number));
        put_value(sql, ", ?)", hf_db_int(plan->after_id));
    }
    put(sql, " ORDER BY not_after, id");
}

/* What may lead when the newest come first: the first of these that is asked for. */
static void put_id_driver(struct sql *sql, struct plan *plan)
{
    const struct hf_store_query *q = plan->query;
    put(sql, "SELECT id, 0 AS k FROM certificates WHERE ");
    if (q->serial.len) {
        plan->used = "serial";
        put_value(sql, "authority IN (SELECT id FROM authorities) AND serial = ?",
                  hf_db_blob(q->serial));
    } else if (q->spki_sha256.len) {
        plan->used = "spki";
        put_value(sql, "spki = ?", hf_db_blob(q->spki_sha256));
    } else if (q->identity) {
        plan->used = "identity";
        put_value(sql, "identity = ?", hf_db_text(q->identity));
    } else if (q->requester) {
        plan->used = "requester";
        put_value(sql, "requester = ?", hf_db_text(q->requester));
    } else if (q->revoked == HF_YES) {
        plan->used = "revoked";
        put(sql, "status <> 0");
    } else if (q->replaced == HF_YES) {
        plan->used = "replaced";
        put(sql, "replaced_by <> 0");
    } else if (q->seen == HF_NO) {
        plan->used = "seen";
        put(sql, "last_seen = 0");
    } else if (q->profile) {
        plan->used = "profile";
        put_value(sql, "profile = ?", hf_db_text(q->profile));
    } else {
        put(sql, "id > 0");
    }
    if (q->newer_than) {
        put_value(sql, " AND id > ?", hf_db_int(q->newer_than));
    }
    if (plan->goes_on) {
        put_value(sql, " AND id < ?", hf_db_int(plan->after_id));
    }
    put(sql, " ORDER BY id DESC");
}

static void put_driver(struct sql *sql, struct plan *plan)
{
    switch (plan->driver) {
    case BY_ID:
        put_id_driver(sql, plan);
        return;
    case BY_EXPIRY:
        put_expiry_driver(sql, plan);
        return;
    case BY_WORD:
        put_word_driver(sql, plan);
        return;
    }
}

/* --- What is asked of each row -----------------------------------------------------------------
 */

static bool is_used(const struct plan *plan, const char *filter)
{
    return plan->used && strcmp(plan->used, filter) == 0;
}

static void put_tri(struct sql *sql, const struct plan *plan, const char *filter,
                    enum hf_store_tri tri, const char *column)
{
    if (tri != HF_ANY && !is_used(plan, filter)) {
        put(sql, " AND r.");
        put(sql, column);
        put(sql, tri == HF_YES ? " <> 0" : " = 0");
    }
}

static void put_text_filter(struct sql *sql, const struct plan *plan, const char *filter,
                            const char *text, const char *condition)
{
    if (text && !is_used(plan, filter)) {
        put_value(sql, condition, hf_db_text(text));
    }
}

/* A certificate in which two words begin alike is found by the first of them alone. */
static void put_words(struct sql *sql, const struct plan *plan)
{
    for (size_t i = 0; i < plan->words.n; i++) {
        if (i == plan->lead) {
            put_value(sql, " AND {instr}(r.words, ?)", hf_db_text(plan->prefix[i]));
            put(sql, " = {instr}(r.words, ' ' || d.k || ' ')");
        } else {
            put_value(sql, " AND {instr}(r.words, ?) > 0", hf_db_text(plan->prefix[i]));
        }
    }
}

static void put_key_type(struct sql *sql, const struct plan *plan)
{
    const char *wanted = plan->query->key_type;
    if (!wanted) {
        return;
    }
    if (strchr(wanted, '*')) {
        char cut[64];
        snprintf(cut, sizeof(cut), " AND substr(r.key_type, 1, %zu) = ?", strlen(plan->key_type));
        put_value(sql, cut, hf_db_text(plan->key_type));
    } else {
        put_value(sql, " AND r.key_type = ?", hf_db_text(plan->key_type));
    }
}

static void put_residual(struct sql *sql, const struct plan *plan)
{
    const struct hf_store_query *q = plan->query;
    if (q->newer_than && plan->driver != BY_ID) {
        put_value(sql, " AND r.id > ?", hf_db_int(q->newer_than));
    }
    if (q->authority) {
        put_value(sql, " AND r.authority = ?", hf_db_int(q->authority));
    }
    if (q->serial.len && !is_used(plan, "serial")) {
        put_value(sql, " AND r.serial = ?", hf_db_blob(q->serial));
    }
    if (q->spki_sha256.len && !is_used(plan, "spki")) {
        put_value(sql, " AND r.spki = ?", hf_db_blob(q->spki_sha256));
    }
    put_text_filter(sql, plan, "identity", q->identity, " AND r.identity = ?");
    put_text_filter(sql, plan, "requester", q->requester, " AND r.requester = ?");
    put_text_filter(sql, plan, "profile", q->profile, " AND r.profile = ?");
    put_key_type(sql, plan);
    if (q->expires_before && plan->driver != BY_EXPIRY) {
        put_value(sql, " AND r.not_after < ?", hf_db_int(q->expires_before));
    }
    if (q->expires_after && plan->driver != BY_EXPIRY) {
        put_value(sql, " AND r.not_after >= ?", hf_db_int(q->expires_after));
    }
    put_tri(sql, plan, "revoked", q->revoked, "status");
    put_tri(sql, plan, "replaced", q->replaced, "replaced_by");
    put_tri(sql, plan, "seen", q->seen == HF_ANY ? HF_ANY : q->seen, "last_seen");
    put_words(sql, plan);
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static const char *order_of(const struct plan *plan, const char *newest, const char *other)
{
    return plan->driver == BY_ID ? newest : other;
}

/* Is there anything to ask that the driver doesn't answer? The driver has been written. */
static bool has_residual(const struct plan *plan)
{
    struct sql probe = {.text = HF_BUF_INIT(SQL_CAP)};
    put_residual(&probe, plan);
    bool has = probe.err != HF_OK || hf_buf_len(&probe.text) != 0;
    hf_buf_done(&probe.text);
    return has;
}

/* The driver's rows that match, in its order; where all do, no row is looked at for that. */
static void put_hits(struct sql *sql, struct plan *plan)
{
    put(sql, "SELECT d.id AS id, d.k AS k FROM (");
    put_driver(sql, plan);
    if (!has_residual(plan)) {
        put_value(sql, " LIMIT ?) AS d", hf_db_int((int64_t)plan->limit));
        return;
    }
    put_value(sql, " LIMIT ?) AS d JOIN certificates AS r ON r.id = d.id WHERE 1 = 1",
              hf_db_int(scan_of(plan)));
    put_residual(sql, plan);
    put(sql, order_of(plan, " ORDER BY d.id DESC", " ORDER BY d.k, d.id"));
    put_value(sql, " LIMIT ?", hf_db_int((int64_t)plan->limit));
}

static void put_page(struct sql *sql, struct plan *plan)
{
    put(sql, "SELECT c.id, c.authority, c.serial, c.profile, c.identity, c.subject, c.sans,"
             " c.key_type, c.sha256, c.spki, c.not_before, c.not_after, c.issued_at, c.requester,"
             " c.request, c.replaces, c.replaced_by, c.shard, c.status, c.revoked_at, c.reason,"
             " c.last_seen, ");
    put(sql, plan->query->with_der ? "c.der" : "CAST('' AS {blob})");
    put(sql, plan->driver == BY_WORD ? ", h.k" : "");
    put(sql, " FROM (");
    put_hits(sql, plan);
    put(sql, ") AS h JOIN certificates AS c ON c.id = h.id");
    put(sql, order_of(plan, " ORDER BY h.id DESC", " ORDER BY h.k, h.id"));
}

struct page_ctx {
    const struct plan *plan;
    enum hf_err (*fn)(void *ctx, const struct hf_store_cert *cert);
    void *ctx;
    struct hf_store_page *page;
};

static void write_cursor(char *out, enum driver driver, int64_t number, const char *word,
                         int64_t id)
{
    char hex[2 * HF_WORD_SIZE_MAX + 1];
    switch (driver) {
    case BY_ID:
        snprintf(out, HF_STORE_CURSOR_SIZE, "n.%" PRId64, id);
        return;
    case BY_EXPIRY:
        snprintf(out, HF_STORE_CURSOR_SIZE, "e%" PRId64 ".%" PRId64, number, id);
        return;
    case BY_WORD:
        hf_hex(hf_bytes_of(word, strnlen(word, HF_WORD_SIZE_MAX)), hex);
        snprintf(out, HF_STORE_CURSOR_SIZE, "w%s.%" PRId64, hex, id);
        return;
    }
}

static void read_cert(const struct hf_rows *rows, struct hf_store_cert *out)
{
    *out = (struct hf_store_cert){
        .id = hf_db_number(rows, 0),
        .authority = hf_db_number(rows, 1),
        .serial = hf_db_bytes(rows, 2),
        .profile = hf_db_string(rows, 3),
        .identity = hf_db_string(rows, 4),
        .subject = hf_db_string(rows, 5),
        .sans = hf_db_string(rows, 6),
        .key_type = hf_db_string(rows, 7),
        .not_before = hf_db_number(rows, 10),
        .not_after = hf_db_number(rows, 11),
        .issued_at = hf_db_number(rows, 12),
        .requester = hf_db_string(rows, 13),
        .request = hf_db_number(rows, 14),
        .replaces = hf_db_number(rows, 15),
        .replaced_by = hf_db_number(rows, 16),
        .shard = (unsigned)hf_db_number(rows, 17),
        .status = (enum hf_store_status)hf_db_number(rows, 18),
        .revoked_at = hf_db_number(rows, 19),
        .reason = (int)hf_db_number(rows, 20),
        .last_seen = hf_db_number(rows, 21),
        .der = hf_db_bytes(rows, 22),
    };
    hf_db_hash(rows, 8, out->sha256);
    hf_db_hash(rows, 9, out->spki_sha256);
}

static enum hf_err give_cert(void *ctx, const struct hf_rows *rows)
{
    struct page_ctx *to = ctx;
    struct hf_store_cert cert;
    read_cert(rows, &cert);
    write_cursor(to->page->cursor, to->plan->driver, cert.not_after,
                 to->plan->driver == BY_WORD ? hf_db_string(rows, 23) : "", cert.id);
    to->page->n++;
    return to->fn(to->ctx, &cert);
}

static enum hf_err give_end(void *ctx, const struct hf_rows *rows)
{
    struct page_ctx *to = ctx;
    enum driver driver = to->plan->driver;
    write_cursor(to->page->cursor, driver, driver == BY_EXPIRY ? hf_db_number(rows, 1) : 0,
                 driver == BY_WORD ? hf_db_string(rows, 1) : "", hf_db_number(rows, 0));
    return HF_OK;
}

/* The page isn't full: did the driver end, or only the rows that may be looked at? */
static enum hf_err find_end(struct hf_store *store, struct plan *plan, struct page_ctx *to)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SQL_CAP);
    struct sql sql = {.text = text};
    size_t n = 0;
    put_driver(&sql, plan);
    put_value(&sql, " LIMIT 1 OFFSET ?", hf_db_int(scan_of(plan) - 1));
    text = sql.text;
    HF_TRY(sql.err);
    const char *statement = hf_buf_cstr(&text);
    if (!statement) {
        return HF_E_NOMEM;
    }
    HF_TRY(
        hf_store_read(store, statement, (struct hf_db_args){sql.value, sql.n}, give_end, to, &n));
    to->page->more = n != 0;
    return HF_OK;
}

/* --- Reading the question ----------------------------------------------------------------------
 */

/* Reads a number that ends with this character, and steps over both. */
static bool take_number(const char **at, char last, int64_t *out)
{
    char *end = NULL;
    bool begins = **at == '-' || (**at >= '0' && **at <= '9');
    errno = 0;
    *out = begins ? strtoll(*at, &end, 10) : 0;
    if (!begins || errno != 0 || *end != last) {
        return false;
    }
    *at = last ? end + 1 : end;
    return true;
}

static bool take_word(const char **at, char out[static HF_WORD_SIZE_MAX + 1])
{
    char hex[2 * HF_WORD_SIZE_MAX + 1];
    size_t len = strcspn(*at, ".");
    if (len % 2 || len >= sizeof(hex)) {
        return false;
    }
    memcpy(hex, *at, len);
    hex[len] = '\0';
    out[len / 2] = '\0';
    *at += len + ((*at)[len] == '.');
    return hf_unhex(hex, hf_span_of(out, len / 2)) == HF_OK;
}

static bool take_key(struct plan *plan, const char **at)
{
    switch (plan->driver) {
    case BY_ID:
        return *(*at)++ == '.';
    case BY_EXPIRY:
        return take_number(at, '.', &plan->after_number);
    case BY_WORD:
        break;
    }
    return take_word(at, plan->after_word);
}

static enum hf_err read_cursor(struct plan *plan)
{
    static const char letters[] = {[BY_ID] = 'n', [BY_EXPIRY] = 'e', [BY_WORD] = 'w'};
    const char *at = plan->query->cursor;
    if (!at || !at[0]) {
        return HF_OK;
    }
    plan->goes_on = true;
    if (*at++ != letters[plan->driver] || !take_key(plan, &at) ||
        !take_number(&at, '\0', &plan->after_id)) {
        return hf_fail(HF_E_INVALID, "the cursor isn't one that this list gave");
    }
    return HF_OK;
}

static enum hf_err plan_words(struct plan *plan)
{
    hf_store_words_add(&plan->words, plan->query->text);
    if (plan->words.n == 0) {
        return hf_fail(HF_E_INVALID, "\"%.64s\" has no word of two letters or more to search for",
                       plan->query->text);
    }
    for (size_t i = 0; i < plan->words.n; i++) {
        const char *word = plan->words.word[i].text;
        snprintf(plan->prefix[i], sizeof(plan->prefix[i]), " %s", word);
        if (strlen(word) > strlen(plan->words.word[plan->lead].text)) {
            plan->lead = i;
        }
    }
    /* Every word that begins with this one is below it followed by the last of all characters. */
    snprintf(plan->above, sizeof(plan->above), "%s\xf4\x8f\xbf\xbf",
             plan->words.word[plan->lead].text);
    return HF_OK;
}

static enum hf_err make_plan(struct plan *plan)
{
    const struct hf_store_query *q = plan->query;
    plan->limit = q->limit ? q->limit : PAGE;
    if (plan->limit > HF_STORE_PAGE_MAX) {
        return hf_fail(HF_E_INVALID, "a page has at most %d certificates", HF_STORE_PAGE_MAX);
    }
    plan->driver = q->text && q->text[0]         ? BY_WORD
                   : q->order == HF_ORDER_EXPIRY ? BY_EXPIRY
                                                 : BY_ID;
    if (q->key_type) {
        snprintf(plan->key_type, sizeof(plan->key_type), "%.*s", (int)strcspn(q->key_type, "*"),
                 q->key_type);
    }
    if (plan->driver == BY_WORD) {
        HF_TRY(plan_words(plan));
    }
    return read_cursor(plan);
}

enum hf_err hf_store_certs(struct hf_store *store, const struct hf_store_query *query,
                           enum hf_err (*fn)(void *ctx, const struct hf_store_cert *cert),
                           void *ctx, struct hf_store_page *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SQL_CAP);
    struct plan plan = {.query = query};
    struct page_ctx to = {&plan, fn, ctx, out};
    struct sql sql = {.text = text};
    enum hf_err err = make_plan(&plan);
    *out = (struct hf_store_page){0}; /* not before: the cursor may be the one in it */
    HF_TRY(err);
    put_page(&sql, &plan);
    text = sql.text;
    HF_TRY(sql.err);
    const char *statement = hf_buf_cstr(&text);
    if (!statement) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_store_read(store, statement, (struct hf_db_args){sql.value, sql.n}, give_cert, &to,
                         NULL));
    out->more = out->n == plan.limit;
    return out->more ? HF_OK : find_end(store, &plan, &to);
}

/* --- One, and counts ---------------------------------------------------------------------------
 */

enum hf_err hf_store_cert(struct hf_store *store, int64_t authority, struct hf_bytes serial,
                          enum hf_err (*fn)(void *ctx, const struct hf_store_cert *cert), void *ctx)
{
    struct hf_store_query query = {
        .authority = authority, .serial = serial, .limit = 1, .with_der = true};
    struct hf_store_page page;
    if (serial.len == 0) {
        return hf_fail(HF_E_NOT_FOUND, "a serial number has at least one byte");
    }
    HF_TRY(hf_store_certs(store, &query, fn, ctx, &page));
    return page.n ? HF_OK : hf_fail(HF_E_NOT_FOUND, "there is no certificate with this serial");
}

static enum hf_err give_counts(void *ctx, const struct hf_rows *rows)
{
    *(struct hf_store_counts *)ctx = (struct hf_store_counts){
        hf_db_number(rows, 0), hf_db_number(rows, 1), hf_db_number(rows, 2), hf_db_number(rows, 3)};
    return HF_OK;
}

enum hf_err hf_store_count(struct hf_store *store, int64_t authority, int64_t now,
                           struct hf_store_counts *out)
{
    return hf_store_read(
        store,
        "SELECT (SELECT COUNT(*) FROM certificates WHERE $1 IN (0, authority)),"
        " (SELECT COUNT(*) FROM certificates WHERE $1 IN (0, authority) AND not_after >= $2),"
        " (SELECT COUNT(*) FROM revoked WHERE $1 IN (0, authority) AND not_after >= $2),"
        " (SELECT COUNT(*) FROM certificates WHERE replaced_by <> 0 AND $1 IN (0, authority)"
        " AND not_after >= $2)",
        HF_DB_ARGS(hf_db_int(authority), hf_db_int(now)), give_counts, out, NULL);
}
