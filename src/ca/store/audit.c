// SPDX-License-Identifier: Apache-2.0
/*
 * Reading the audit, and verifying it.
 *
 * The chain proves that no line was changed, removed or put between. That its end wasn't cut off is
 * proved by the heads, which hold the last hash, and by a head that somebody noted elsewhere. That
 * the other tables weren't changed behind its back is proved by holding them against it: every
 * certificate has its "issue" line with its SHA-256 and what lists and searches say of it, every
 * line of the journal its own, what was revoked or held still is, for the same reason, CRL numbers
 * are no lower than they were, and profiles are as they were put.
 */
#include <jansson.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/store/store_impl.h"
#include "ca/store/tx.h"

#define AUDIT_COLUMNS "SELECT seq, at, actor, action, target, detail, hash FROM audit"

struct audit_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_audit *audit);
    void *ctx;
};

static void read_line(const struct hf_rows *rows, struct hf_store_audit *out)
{
    *out = (struct hf_store_audit){
        .seq = hf_db_number(rows, 0),
        .at = hf_db_number(rows, 1),
        .actor = hf_db_string(rows, 2),
        .action = hf_db_string(rows, 3),
        .target = hf_db_string(rows, 4),
        .detail = hf_db_string(rows, 5),
    };
    hf_db_hash(rows, 6, out->hash);
}

static enum hf_err give_line(void *ctx, const struct hf_rows *rows)
{
    const struct audit_ctx *to = ctx;
    struct hf_store_audit line;
    read_line(rows, &line);
    return to->fn(to->ctx, &line);
}

enum hf_err hf_store_audits(struct hf_store *store, int64_t after, size_t limit,
                            enum hf_err (*fn)(void *ctx, const struct hf_store_audit *audit),
                            void *ctx)
{
    struct audit_ctx to = {fn, ctx};
    return hf_store_read(store, AUDIT_COLUMNS " WHERE seq > $1 ORDER BY seq LIMIT $2",
                         HF_DB_ARGS(hf_db_int(after), hf_db_int(limit ? (int64_t)limit : 100)),
                         give_line, &to, NULL);
}

/* --- The chain ---------------------------------------------------------------------------------
 */

struct walk {
    struct hf_store_verified *out;
    struct hf_db *beside; /* for looking up what a line speaks of */
    int64_t noted_seq;
    const uint8_t *noted_hash;
    int64_t n_issued;
    int64_t n_acts;
};

HF_PRINTF(3, 4)
static void broken(struct walk *walk, int64_t seq, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(walk->out->what, sizeof(walk->out->what), format, args);
    va_end(args);
    walk->out->bad_seq = seq;
}

static void check_link(struct walk *walk, const struct hf_store_audit *line)
{
    struct hf_store_verified *out = walk->out;
    uint8_t hash[HF_STORE_HASH_SIZE];
    if (line->seq != out->lines + 1) {
        broken(walk, out->lines + 1, "line %lld is missing", (long long)out->lines + 1);
        return;
    }
    hf_audit_hash(line, out->head, hash);
    if (memcmp(hash, line->hash, sizeof(hash)) != 0) {
        broken(walk, line->seq, "line %lld was changed, or the one before it",
               (long long)line->seq);
        return;
    }
    if (line->seq == walk->noted_seq && memcmp(hash, walk->noted_hash, sizeof(hash)) != 0) {
        broken(walk, line->seq, "line %lld is not the one that was noted", (long long)line->seq);
        return;
    }
    memcpy(out->head, hash, sizeof(hash));
    out->lines = line->seq;
}

/* --- What a line speaks of ---------------------------------------------------------------------
 */

struct named {
    int64_t authority;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    size_t serial_len;
};

static bool read_target(const char *target, struct named *out)
{
    char *at = NULL;
    if (strncmp(target, "cert:", 5) != 0) {
        return false;
    }
    out->authority = strtoll(target + 5, &at, 10);
    out->serial_len = strlen(at) / 2;
    return *at == ':' && out->serial_len <= sizeof(out->serial) &&
           hf_unhex(at + 1, hf_span_of(out->serial, out->serial_len)) == HF_OK;
}

static int64_t member_number(const json_t *detail, const char *key)
{
    return json_integer_value(json_object_get(detail, key));
}

static bool member_hash(const json_t *detail, uint8_t out[static HF_STORE_HASH_SIZE])
{
    const char *hex = json_string_value(json_object_get(detail, "sha256"));
    return hex && hf_unhex(hex, hf_span_of(out, HF_STORE_HASH_SIZE)) == HF_OK;
}

/* What is empty was left out of the line. */
static bool is_member(const json_t *detail, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(detail, key));
    return strcmp(value ? value : "", text ? text : "") == 0;
}

/* The certificate must be there, its DER (if it isn't stored by number alone) must have the hash
 * that the line has, and what is kept beside the DER must be what the line says. */
static enum hf_err check_issue(struct walk *walk, const struct hf_store_audit *line,
                               const json_t *detail)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    struct named cert;
    uint8_t hash[HF_STORE_HASH_SIZE];
    bool row;
    if (!read_target(line->target, &cert) || !member_hash(detail, hash)) {
        broken(walk, line->seq, "line %lld names no certificate", (long long)line->seq);
        return HF_OK;
    }
    HF_TRY(hf_db_ask(walk->beside, &rows,
                     "SELECT der, sha256, profile, identity, requester, not_after"
                     " FROM certificates WHERE authority = $1 AND serial = $2",
                     HF_DB_ARGS(hf_db_int(cert.authority),
                                hf_db_blob(hf_bytes_of(cert.serial, cert.serial_len)))));
    HF_TRY(hf_db_next(rows, &row));
    uint8_t found[SHA256_DIGEST_LENGTH] = {0};
    if (row) {
        struct hf_bytes der = hf_db_bytes(rows, 0);
        hf_db_hash(rows, 1, found);
        if (der.len) {
            SHA256(der.ptr, der.len, found);
        }
    }
    if (!row || memcmp(found, hash, sizeof(hash)) != 0) {
        broken(walk, line->seq, "line %lld: its certificate %s", (long long)line->seq,
               row ? "was changed" : "is missing");
    } else if (!is_member(detail, "profile", hf_db_string(rows, 2)) ||
               !is_member(detail, "identity", hf_db_string(rows, 3)) ||
               !is_member(detail, "requester", hf_db_string(rows, 4)) ||
               member_number(detail, "not_after") != hf_db_number(rows, 5)) {
        broken(walk, line->seq, "line %lld: what is stored beside its certificate was changed",
               (long long)line->seq);
    }
    return HF_OK;
}

/* What was held is held, on the list, or was released or revoked later; by the journal's lines of
 * it, which are looked for only where it seems good. */
static enum hf_err is_still_bad(struct walk *walk, const struct named *cert, int64_t act,
                                int64_t seq, const struct hf_rows *rows, bool *out)
{
    int64_t journal = hf_db_number(rows, 3);
    int64_t status = act == HF_ACT_HOLD ? HF_STATUS_HELD : HF_STATUS_REVOKED;
    int64_t later = 0;
    *out = journal == seq ? hf_db_number(rows, 1) == status && hf_db_number(rows, 2) == 1
                          : act == HF_ACT_HOLD && journal > seq;
    if (*out || act != HF_ACT_HOLD) {
        return HF_OK;
    }
    HF_TRY(hf_db_number_of(
        walk->beside, &later,
        "SELECT COUNT(*) FROM journal WHERE seq > $1 AND authority = $2 AND serial = $3"
        " AND act = $4",
        HF_DB_ARGS(hf_db_int(seq), hf_db_int(cert->authority),
                   hf_db_blob(hf_bytes_of(cert->serial, cert->serial_len)),
                   hf_db_int(HF_ACT_RELEASE))));
    *out = later > 0 && journal == 0;
    return HF_OK;
}

/* Its line of the journal must be there; and what is revoked for good, or held, on the list. */
static enum hf_err check_act(struct walk *walk, const struct hf_store_audit *line,
                             const json_t *detail)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    struct named cert;
    bool row;
    if (!read_target(line->target, &cert)) {
        broken(walk, line->seq, "line %lld names no certificate", (long long)line->seq);
        return HF_OK;
    }
    HF_TRY(hf_db_ask(
        walk->beside, &rows,
        "SELECT j.act, c.status, (SELECT COUNT(*) FROM revoked AS r"
        " WHERE r.authority = c.authority AND r.shard = c.shard"
        " AND r.seq = c.journal AND r.serial = c.serial AND r.reason = j.reason AND r.at = j.at"
        " AND c.reason = j.reason AND c.revoked_at = j.at), c.journal, j.reason, j.at"
        " FROM journal AS j JOIN certificates AS c"
        " ON c.authority = j.authority AND c.serial = j.serial"
        " WHERE j.seq = $1 AND j.authority = $2 AND j.serial = $3",
        HF_DB_ARGS(hf_db_int(member_number(detail, "journal")), hf_db_int(cert.authority),
                   hf_db_blob(hf_bytes_of(cert.serial, cert.serial_len)))));
    HF_TRY(hf_db_next(rows, &row));
    int64_t act = row ? hf_db_number(rows, 0) : HF_ACT_N;
    if (!row || strcmp(hf_store_act_name((enum hf_store_act)act), line->action) != 0 ||
        hf_db_number(rows, 4) != member_number(detail, "reason") ||
        hf_db_number(rows, 5) != member_number(detail, "at")) {
        broken(walk, line->seq, "line %lld: the journal's line of it is missing or changed",
               (long long)line->seq);
        return HF_OK;
    }
    bool good = act == HF_ACT_RELEASE;
    HF_TRY(good ? HF_OK
                : is_still_bad(walk, &cert, act, member_number(detail, "journal"), rows, &good));
    if (!good) {
        broken(walk, line->seq, "line %lld: it was %s, and is not any more", (long long)line->seq,
               act == HF_ACT_HOLD ? "put on hold" : "revoked");
    }
    return HF_OK;
}

/* Whoever got this number must never see a lower one (RFC 5280 5.2.3). */
static enum hf_err check_crl_number(struct walk *walk, const struct hf_store_audit *line,
                                    const json_t *detail)
{
    int64_t number = 0;
    char *at = NULL;
    int64_t authority =
        strncmp(line->target, "crl:", 4) == 0 ? strtoll(line->target + 4, &at, 10) : 0;
    int64_t shard = at && *at == ':' ? strtoll(at + 1, NULL, 10) : 0;
    enum hf_err err = hf_db_number_of(
        walk->beside, &number, "SELECT number FROM crl_numbers WHERE authority = $1 AND shard = $2",
        HF_DB_ARGS(hf_db_int(authority), hf_db_int(shard)));
    if (err != HF_OK && err != HF_E_NOT_FOUND) {
        return err;
    }
    if (err == HF_E_NOT_FOUND || number < member_number(detail, "number")) {
        broken(walk, line->seq, "line %lld: the CRL number was lowered since",
               (long long)line->seq);
    }
    return HF_OK;
}

static enum hf_err check_line(struct walk *walk, const struct hf_store_audit *line)
{
    static const struct {
        const char *action;
        enum hf_err (*check)(struct walk *walk, const struct hf_store_audit *line,
                             const json_t *detail);
    } kinds[] = {{"issue", check_issue},
                 {"revoke", check_act},
                 {"hold", check_act},
                 {"release", check_act},
                 {"crl-number", check_crl_number}};
    check_link(walk, line);
    for (size_t i = 0; walk->out->bad_seq == 0 && i < HF_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].action, line->action) == 0) {
            json_t *detail = json_loads(line->detail, 0, NULL);
            walk->n_issued += kinds[i].check == check_issue;
            walk->n_acts += kinds[i].check == check_act;
            enum hf_err err = kinds[i].check(walk, line, detail);
            json_decref(detail);
            HF_TRY(err);
        }
    }
    return HF_OK;
}

static enum hf_err walk_chain(struct hf_db *db, struct walk *walk)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_stream(db, &rows, AUDIT_COLUMNS " ORDER BY seq", HF_DB_NONE));
    while (walk->out->bad_seq == 0) {
        struct hf_store_audit line;
        HF_TRY(hf_db_next(rows, &row));
        if (!row) {
            return HF_OK;
        }
        read_line(rows, &line);
        HF_TRY(check_line(walk, &line));
    }
    return HF_OK;
}

/* --- The end, and what has no line -------------------------------------------------------------
 */

static enum hf_err check_end(struct hf_db *db, struct walk *walk)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    uint8_t head[HF_STORE_HASH_SIZE];
    bool row;
    HF_TRY(hf_db_ask(db, &rows, "SELECT audit, audit_hash FROM heads WHERE one = 1", HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_MALFORMED, "the store has lost its heads");
    }
    hf_db_hash(rows, 1, head);
    if (hf_db_number(rows, 0) != walk->out->lines ||
        memcmp(head, walk->out->head, sizeof(head)) != 0) {
        broken(walk, walk->out->lines + 1, "the chain ends at line %lld, and should at line %lld",
               (long long)walk->out->lines, (long long)hf_db_number(rows, 0));
    } else if (walk->noted_seq > walk->out->lines) {
        broken(walk, walk->out->lines + 1, "line %lld, which was noted, is missing",
               (long long)walk->noted_seq);
    }
    return HF_OK;
}

/* Each line was found to have its row; so, where there are as many rows, each row has its line. */
static enum hf_err check_counts(struct hf_db *db, struct walk *walk)
{
    int64_t certs;
    int64_t acts;
    HF_TRY(hf_db_number_of(db, &certs, "SELECT COUNT(*) FROM certificates WHERE issued_at <> 0",
                           HF_DB_NONE));
    HF_TRY(hf_db_number_of(db, &acts, "SELECT COUNT(*) FROM journal", HF_DB_NONE));
    if (certs != walk->n_issued) {
        broken(walk, walk->out->lines + 1, "%lld certificates were issued, and %lld are stored",
               (long long)walk->n_issued, (long long)certs);
    } else if (acts != walk->n_acts) {
        broken(walk, walk->out->lines + 1,
               "the audit knows of %lld revocations, the journal of %lld", (long long)walk->n_acts,
               (long long)acts);
    }
    return HF_OK;
}

/* The last line that put it; lines of older versions have no hash. */
static enum hf_err check_profile(struct walk *walk, const char *name, const char *yaml)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    uint8_t hash[HF_STORE_HASH_SIZE], found[SHA256_DIGEST_LENGTH];
    char target[96];
    bool row;
    snprintf(target, sizeof(target), "profile:%s", name);
    HF_TRY(hf_db_ask(walk->beside, &rows,
                     "SELECT seq, detail FROM audit WHERE action = 'profile-put' AND target = $1"
                     " ORDER BY seq DESC LIMIT 1",
                     HF_DB_ARGS(hf_db_text(target))));
    HF_TRY(hf_db_next(rows, &row));
    json_t *detail = row ? json_loads(hf_db_string(rows, 1), 0, NULL) : NULL;
    bool has_hash = member_hash(detail, hash);
    json_decref(detail);
    SHA256((const unsigned char *)yaml, strlen(yaml), found);
    if (!row || (has_hash && memcmp(hash, found, sizeof(hash)) != 0)) {
        broken(walk, row ? hf_db_number(rows, 0) : walk->out->lines + 1,
               "the profile \"%s\" is not as it was put", name);
    }
    return HF_OK;
}

static enum hf_err check_profiles(struct hf_db *db, struct walk *walk)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(db, &rows, "SELECT name, yaml FROM profiles ORDER BY name", HF_DB_NONE));
    for (;;) {
        HF_TRY(hf_db_next(rows, &row));
        if (!row || walk->out->bad_seq) {
            return HF_OK;
        }
        HF_TRY(check_profile(walk, hf_db_string(rows, 0), hf_db_string(rows, 1)));
    }
}

static enum hf_err verify(struct hf_db *db, struct walk *walk)
{
    HF_TRY(walk_chain(db, walk));
    if (walk->out->bad_seq == 0) {
        HF_TRY(check_end(db, walk));
    }
    if (walk->out->bad_seq == 0) {
        HF_TRY(check_counts(db, walk));
    }
    return walk->out->bad_seq == 0 ? check_profiles(db, walk) : HF_OK;
}

enum hf_err hf_store_audit_verify(struct hf_store *store, int64_t noted_seq,
                                  const uint8_t *noted_hash, struct hf_store_verified *out)
{
    struct hf_store_verified verified = {0};
    struct walk walk = {.out = &verified, .noted_seq = noted_seq, .noted_hash = noted_hash};
    struct hf_db *db;
    HF_TRY(hf_store_snapshot(store, &db));
    /* Begun later, so that it sees whatever the first one does. */
    enum hf_err err = hf_store_snapshot(store, &walk.beside);
    if (err == HF_OK) {
        err = verify(db, &walk);
        hf_store_snapshot_end(store, walk.beside);
    }
    hf_store_snapshot_end(store, db);
    if (err == HF_OK) {
        *out = verified;
    }
    return err;
}
