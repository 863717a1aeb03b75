// SPDX-License-Identifier: Apache-2.0
#include "ca/store.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "ca/store/tx.h"
#include "os/file.h"
#include "store_world.h"

static struct hf_store *store;
static int64_t ca;

static int set_up(void **state)
{
    (void)state;
    world_reset();
    store = world_store();
    ca = world_authority(store, "Example Issuing CA");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_store_close(store);
    store = NULL;
    return 0;
}

static void reopen(void)
{
    hf_store_close(store);
    store = world_store();
}

#define assert_ok(expr) \
    do { \
        enum hf_err err_ = (expr); \
        if (err_ != HF_OK) { \
            fail_msg("%s: %s", hf_err_name(err_), hf_err_text()); \
        } \
    } while (0)

/* --- Issuing -----------------------------------------------------------------------------------
 */

struct got {
    struct hf_store_cert cert;
    char identity[64];
    char sans[128];
    char der[64];
    size_t n;
    int64_t ids[1100];
};

static enum hf_err take_cert(void *ctx, const struct hf_store_cert *cert)
{
    struct got *got = ctx;
    got->cert = *cert;
    snprintf(got->identity, sizeof(got->identity), "%s", cert->identity);
    snprintf(got->sans, sizeof(got->sans), "%s", cert->sans);
    snprintf(got->der, sizeof(got->der), "%.*s", (int)cert->der.len, (const char *)cert->der.ptr);
    if (got->n < 1100) {
        got->ids[got->n] = cert->id;
    }
    got->n++;
    return HF_OK;
}

static void what_is_issued_is_found_by_its_serial_also_after_reopening(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 7);
    int64_t id;
    assert_ok(world_issue(store, &cert, &id));
    reopen();
    struct got got = {.n = 0};
    assert_ok(hf_store_cert(store, ca, world_serial(7), take_cert, &got));
    assert_int_equal(got.n, 1);
    assert_int_equal(got.cert.id, id);
    assert_int_equal(got.cert.authority, ca);
    assert_string_equal(got.identity, "user7");
    assert_string_equal(got.sans, "email:user7@example.org");
    assert_string_equal(got.der, "certificate 1 7");
    assert_int_equal(got.cert.not_after, world_now + 10007);
    assert_int_equal(got.cert.issued_at, world_now);
    assert_int_equal(got.cert.status, HF_STATUS_GOOD);
    assert_memory_equal(got.cert.sha256, cert.sha256, 32);
    assert_int_equal(hf_store_cert(store, ca, world_serial(8), take_cert, &got), HF_E_NOT_FOUND);
    world_verify(store);
}

static void a_serial_is_issued_once_and_the_second_leaves_no_trace(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    struct hf_store_heads before;
    struct hf_store_heads after;
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(hf_store_heads(store, &before));
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_EXISTS);
    assert_string_equal(hf_err_text(),
                        "authority 1 has issued a certificate with the serial 0100000001");
    assert_ok(hf_store_heads(store, &after));
    assert_int_equal(before.audit, after.audit);
    assert_int_equal(before.change, after.change);
}

static void serials_of_wrong_form_are_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[21] = {0};
    static const uint8_t long_one[21] = {1};
    struct hf_store_cert cert = world_cert(ca, 1);
    cert.serial = hf_bytes_of(zeros, 0);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_INVALID);
    cert.serial = hf_bytes_of(zeros, 2);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_INVALID);
    cert.serial = hf_bytes_of(long_one, 21);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_INVALID);
    cert.serial = hf_bytes_of(long_one, 20);
    assert_ok(world_issue(store, &cert, NULL));
}

static void text_that_is_not_utf8_is_refused_alike(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    cert.identity = "caf\xe9";
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_INVALID);
    cert.identity = "caf\xc3\xa9";
    assert_ok(world_issue(store, &cert, NULL));
}

static void an_unknown_authority_issues_nothing(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(77, 1);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_NOT_FOUND);
    assert_string_equal(hf_err_text(), "there is no authority 77");
}

static void a_renewal_links_both_certificates(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    int64_t first;
    int64_t second;
    assert_ok(world_issue(store, &cert, &first));
    cert = world_cert(ca, 2);
    cert.replaces = first;
    assert_ok(world_issue(store, &cert, &second));
    struct got got = {.n = 0};
    assert_ok(hf_store_cert(store, ca, world_serial(1), take_cert, &got));
    assert_int_equal(got.cert.replaced_by, second);
    assert_ok(hf_store_cert(store, ca, world_serial(2), take_cert, &got));
    assert_int_equal(got.cert.replaces, first);
    cert = world_cert(ca, 3);
    cert.replaces = 99;
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_NOT_FOUND);
}

/* The renewal was made while it was good, and is stored after somebody revoked it. */
static void what_was_revoked_meanwhile_is_not_renewed(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    struct hf_store_counts before, after;
    int64_t first;
    assert_ok(world_issue(store, &cert, &first));
    cert = world_cert(ca, 2);
    cert.replaces = first;
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 1, 0));
    assert_ok(hf_store_count(store, 0, world_now, &before));
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_DENIED);
    assert_string_equal(hf_err_text(), "the certificate is on hold");
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 1, 1));
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_DENIED);
    assert_string_equal(hf_err_text(), "the certificate is revoked");
    assert_ok(hf_store_count(store, 0, world_now, &after));
    assert_int_equal(after.certificates, before.certificates);
}

/* --- Groups ------------------------------------------------------------------------------------
 */

static struct hf_store_key_put *key_of_group;

static void fill_key(struct hf_store_op *op)
{
    ((struct hf_store_authority_put *)op)->authority.key = key_of_group->key.id;
}

static void a_group_is_all_or_nothing_and_hands_ids_on(void **state)
{
    (void)state;
    struct hf_store_key_put key = {
        .op = {.kind = HF_STORE_KEY_PUT, .actor = "test"},
        .key = {.form = HF_KEY_PLAIN,
                .type = "p256",
                .data = hf_bytes_str("k"),
                .spki_sha256 = {9}},
    };
    struct hf_store_authority_put authority = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT, .actor = "test", .before = fill_key},
        .authority = {.name = "Example Issuing CA"}, /* which is taken */
    };
    struct hf_store_op *const ops[] = {&key.op, &authority.op};
    struct hf_store_group group = {.op = {.kind = HF_STORE_GROUP}, .ops = ops, .n_ops = 2};
    key_of_group = &key;
    assert_int_equal(hf_store_do(store, &group.op), HF_E_EXISTS);
    assert_int_equal(group.failed, 1);
    key.key.id = 0;
    authority.authority.name = "Another";
    assert_ok(hf_store_do(store, &group.op));
    assert_true(key.key.id > 0);
    assert_int_equal(authority.authority.key, key.key.id);
    world_verify(store);
}

static void done(struct hf_store_op *op)
{
    sem_post(op->ctx);
}

/* One that fails after it has written spoils a transaction: the others must not notice. */
static void operations_of_one_commit_dont_depend_on_each_other(void **state)
{
    (void)state;
    enum { N = 200 };
    static struct hf_store_issue issue[N];
    static uint8_t serial[N][4];
    sem_t all;
    sem_init(&all, 0, 0);
    struct hf_store_audit_add line = {.op = {.kind = HF_STORE_AUDIT}, .action = "note"};
    struct hf_store_audit_add bad = {.op = {.kind = HF_STORE_AUDIT, .detail = "\xff"},
                                     .action = "note"};
    struct hf_store_op *const ops[] = {&line.op, &bad.op};
    struct hf_store_group group = {
        .op = {.kind = HF_STORE_GROUP, .done = done, .ctx = &all}, .ops = ops, .n_ops = 2};
    for (unsigned i = 0; i < N; i++) {
        unsigned number = i / 2 + 1; /* every one twice */
        issue[i] = (struct hf_store_issue){.op = {.kind = HF_STORE_ISSUE}};
        issue[i].cert = world_cert(ca, number);
        serial[i][0] = 1;
        serial[i][1] = (uint8_t)number;
        issue[i].cert.serial = hf_bytes_of(serial[i], 2);
        issue[i].cert.identity = "somebody"; /* the others live in one place */
        issue[i].cert.subject = issue[i].cert.sans = "";
        issue[i].cert.der = issue[i].cert.serial;
        SHA256(serial[i], 2, issue[i].cert.sha256);
        issue[i].op.done = done;
        issue[i].op.ctx = &all;
        assert_ok(hf_store_submit(store, &issue[i].op));
        if (i == N / 2) {
            assert_ok(hf_store_submit(store, &group.op));
        }
    }
    for (int i = 0; i < N + 1; i++) {
        sem_wait(&all);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(issue[i].op.err, i % 2 ? HF_E_EXISTS : HF_OK);
    }
    assert_int_equal(group.op.err, HF_E_INVALID);
    struct hf_store_counts counts;
    assert_ok(hf_store_count(store, 0, world_now, &counts));
    assert_int_equal(counts.certificates, N / 2);
    world_verify(store);
    sem_destroy(&all);
}

/* --- Revoking ----------------------------------------------------------------------------------
 */

struct lines {
    struct hf_store_revocation line[16];
    size_t n;
};

static enum hf_err take_line(void *ctx, const struct hf_store_revocation *line)
{
    struct lines *lines = ctx;
    if (lines->n < 16) {
        lines->line[lines->n] = *line;
    }
    lines->n++;
    return HF_OK;
}

static void holding_releasing_and_revoking_move_as_the_table_says(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    assert_int_equal(world_act(store, HF_ACT_RELEASE, ca, 1, 0), HF_E_DENIED);
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 1, 0));
    assert_int_equal(world_act(store, HF_ACT_HOLD, ca, 1, 0), HF_E_EXISTS);
    assert_string_equal(hf_err_text(), "it is held already");
    assert_ok(world_act(store, HF_ACT_RELEASE, ca, 1, 0));
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 1, 0));
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 1, 1));
    assert_int_equal(world_act(store, HF_ACT_RELEASE, ca, 1, 0), HF_E_DENIED);
    assert_int_equal(world_act(store, HF_ACT_REVOKE, ca, 1, 1), HF_E_EXISTS);
    assert_string_equal(hf_err_text(), "it is revoked already");
    struct lines lines = {.n = 0};
    assert_ok(hf_store_journal(store, ca, 0, 0, take_line, &lines));
    assert_int_equal(lines.n, 4);
    static const enum hf_store_act acts[] = {HF_ACT_HOLD, HF_ACT_RELEASE, HF_ACT_HOLD,
                                             HF_ACT_REVOKE};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lines.line[i].seq, i + 1);
        assert_int_equal(lines.line[i].act, acts[i]);
    }
    assert_int_equal(lines.line[3].reason, 1);
    world_verify(store);
}

static void only_reasons_of_the_standard_are_taken(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    static const int bad[] = {-1, 6, 7, 8, 11};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(world_act(store, HF_ACT_REVOKE, ca, 1, bad[i]), HF_E_INVALID);
    }
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 1, 10));
}

static void standing_follows_and_the_list_holds_what_has_not_expired(void **state)
{
    (void)state;
    struct hf_store_standing standing;
    for (unsigned i = 1; i <= 4; i++) {
        struct hf_store_cert cert = world_cert(ca, i);
        cert.shard = i % 2;
        assert_ok(world_issue(store, &cert, NULL));
    }
    assert_ok(hf_store_standing(store, ca, world_serial(9), &standing));
    assert_false(standing.known);
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 3, 4));
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 1, 0));
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 2, 1));
    assert_ok(hf_store_standing(store, ca, world_serial(3), &standing));
    assert_true(standing.known);
    assert_int_equal(standing.status, HF_STATUS_REVOKED);
    assert_int_equal(standing.reason, 4);
    assert_int_equal(standing.revoked_at, world_now);
    assert_ok(hf_store_standing(store, ca, world_serial(4), &standing));
    assert_int_equal(standing.status, HF_STATUS_GOOD);

    struct lines lines = {.n = 0};
    int64_t seq;
    assert_ok(hf_store_revoked(store, ca, -1, world_now, take_line, &lines, &seq));
    assert_int_equal(lines.n, 3);
    assert_int_equal(seq, 3);
    lines.n = 0;
    assert_ok(hf_store_revoked(store, ca, 1, world_now, take_line, &lines, &seq));
    assert_int_equal(lines.n, 2);
    assert_int_equal(lines.line[0].reason, 4);
    assert_int_equal(lines.line[1].act, HF_ACT_HOLD);
    assert_int_equal(lines.line[1].reason, 6);
    lines.n = 0;
    assert_ok(hf_store_revoked(store, ca, 1, world_now + 10003, take_line, &lines, &seq));
    assert_int_equal(lines.n, 1);
    lines.n = 0;
    assert_ok(hf_store_revoked(store, ca + 1, -1, 0, take_line, &lines, &seq));
    assert_int_equal(lines.n, 0);
}

static void a_serial_may_be_revoked_unseen_when_told_so(void **state)
{
    (void)state;
    struct hf_store_standing standing;
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "test"},
        .act = HF_ACT_REVOKE,
        .authority = ca,
        .serial = world_serial(50),
    };
    assert_int_equal(hf_store_do(store, &revoke.op), HF_E_NOT_FOUND);
    revoke.unknown = true;
    assert_ok(hf_store_do(store, &revoke.op));
    assert_int_equal(hf_store_do(store, &revoke.op), HF_E_EXISTS);
    assert_int_equal(revoke.journal_seq, 1);
    assert_ok(hf_store_standing(store, ca, world_serial(50), &standing));
    assert_int_equal(standing.status, HF_STATUS_REVOKED);
    struct hf_store_cert cert = world_cert(ca, 50);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_EXISTS);
    world_verify(store);
}

static void a_serial_is_revoked_with_whichever_authority_has_it(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 60);
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "test"},
        .act = HF_ACT_HOLD,
        .serial = world_serial(60),
    };
    int64_t other = world_authority(store, "other");
    assert_int_equal(hf_store_do(store, &revoke.op), HF_E_NOT_FOUND);
    revoke.unknown = true; /* of which authority it would be unknown is the question */
    assert_int_equal(hf_store_do(store, &revoke.op), HF_E_NOT_FOUND);
    revoke.unknown = false;
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(hf_store_do(store, &revoke.op));
    assert_string_equal(revoke.identity, cert.identity);
    assert_int_equal(revoke.authority, 0);
    struct hf_store_cert twin = world_cert(other, 60);
    assert_ok(world_issue(store, &twin, NULL));
    revoke.act = HF_ACT_RELEASE;
    assert_int_equal(hf_store_do(store, &revoke.op), HF_E_INVALID);
    revoke.authority = ca;
    assert_ok(hf_store_do(store, &revoke.op));
    world_verify(store);
}

/* 300 bytes of an identity, of which the 256th is within a character. */
static void an_identity_is_cut_between_characters(void **state)
{
    (void)state;
    char identity[301];
    struct hf_store_cert cert = world_cert(ca, 61);
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "test"},
        .act = HF_ACT_REVOKE,
        .authority = ca,
        .serial = world_serial(61),
    };
    for (size_t i = 0; i < 300; i += 2) {
        memcpy(identity + i, "\xc3\xa9", 3);
    }
    cert.identity = identity;
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(hf_store_do(store, &revoke.op));
    assert_int_equal(strlen(revoke.identity), 254);
    assert_memory_equal(revoke.identity, identity, 254);
}

static void a_key_that_others_have_gets_no_certificate(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 62);
    struct hf_store_issue issue = {.op = {.kind = HF_STORE_ISSUE, .actor = "test"},
                                   .refuse_compromised = true};
    uint8_t key[HF_STORE_HASH_SIZE];
    memcpy(key, cert.spki_sha256, sizeof(key));
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 62, 0)); /* isn't told to be in others' hands */
    issue.cert = world_cert(ca, 63);
    memcpy(issue.cert.spki_sha256, key, sizeof(key));
    assert_ok(hf_store_do(store, &issue.op));
    assert_false(issue.compromised);
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 62, 1));
    issue.cert = world_cert(ca, 64);
    memcpy(issue.cert.spki_sha256, key, sizeof(key));
    assert_int_equal(hf_store_do(store, &issue.op), HF_E_DENIED);
    assert_true(issue.compromised);
    issue.refuse_compromised = false;
    assert_ok(hf_store_do(store, &issue.op));
    assert_false(issue.compromised);
    world_verify(store);
}

static void crl_numbers_only_rise(void **state)
{
    (void)state;
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER}, .authority = ca};
    for (int64_t i = 1; i <= 3; i++) {
        assert_ok(hf_store_do(store, &take.op));
        assert_int_equal(take.number, i);
    }
    take.at_least = 100;
    assert_ok(hf_store_do(store, &take.op));
    assert_int_equal(take.number, 100);
    take.at_least = 50;
    assert_ok(hf_store_do(store, &take.op));
    assert_int_equal(take.number, 101);
    take.shard = 3;
    take.at_least = 0;
    assert_ok(hf_store_do(store, &take.op));
    assert_int_equal(take.number, 1);
    reopen();
    take.shard = 0;
    assert_ok(hf_store_do(store, &take.op));
    assert_int_equal(take.number, 102);

    struct hf_store_crl_record record = {
        .op = {.kind = HF_STORE_CRL_RECORD},
        .crl = {.authority = ca, .number = 102, .this_update = 5, .next_update = 9, .n_entries = 3},
    };
    struct hf_store_crl last;
    assert_int_equal(hf_store_crl_last(store, ca, 0, false, &last), HF_E_NOT_FOUND);
    assert_ok(hf_store_do(store, &record.op));
    assert_int_equal(hf_store_do(store, &record.op), HF_E_EXISTS);
    record.crl.number = 101;
    assert_int_equal(hf_store_do(store, &record.op), HF_E_EXISTS);
    record.crl.number = 103;
    assert_int_equal(hf_store_do(store, &record.op), HF_E_INVALID);
    record.crl.delta = true;
    record.crl.number = 101;
    assert_ok(hf_store_do(store, &record.op));
    assert_ok(hf_store_crl_last(store, ca, 0, false, &last));
    assert_int_equal(last.number, 102);
    assert_int_equal(last.n_entries, 3);
    world_verify(store);
}

/* --- Lists -------------------------------------------------------------------------------------
 */

static size_t count_all(struct hf_store_query query, struct got *got)
{
    struct hf_store_page page = {.more = true};
    got->n = 0;
    while (page.more) {
        query.cursor = page.cursor; /* in place, as everybody does */
        assert_ok(hf_store_certs(store, &query, take_cert, got, &page));
    }
    return got->n;
}

static void fill_lists(void)
{
    for (unsigned i = 1; i <= 250; i++) {
        struct hf_store_cert cert = world_cert(ca, i);
        cert.profile = i % 10 == 0 ? "server" : "user";
        cert.identity = i % 25 == 0 ? "alice" : cert.identity;
        cert.key_type = i % 5 == 0 ? "rsa2048" : "p256";
        cert.not_after = world_now + 100 * (int64_t)(i % 50) + 1;
        assert_ok(world_issue(store, &cert, NULL));
    }
    for (unsigned i = 1; i <= 9; i++) {
        assert_ok(world_act(store, HF_ACT_REVOKE, ca, 10 * i, 0));
    }
}

static void every_filter_finds_all_of_its_own_and_each_once(void **state)
{
    (void)state;
    struct got got;
    fill_lists();
    static const struct {
        struct hf_store_query query;
        size_t n;
    } cases[] = {
        {{.limit = 7}, 250},
        {{.limit = 1000}, 250},
        {{.profile = "server", .limit = 4}, 25},
        {{.identity = "alice", .limit = 3}, 10},
        {{.identity = "nobody"}, 0},
        {{.requester = "test"}, 250},
        {{.requester = "tes"}, 0},
        {{.revoked = HF_YES, .limit = 2}, 9},
        {{.revoked = HF_NO, .limit = 50}, 241},
        {{.revoked = HF_YES, .profile = "user"}, 0},
        {{.seen = HF_NO}, 250},
        {{.seen = HF_YES}, 0},
        {{.replaced = HF_YES}, 0},
        {{.key_type = "rsa*", .limit = 11}, 50},
        {{.key_type = "rsa*", .profile = "server"}, 25},
        {{.key_type = "rsa"}, 0},
        {{.order = HF_ORDER_EXPIRY, .limit = 13}, 250},
        {{.order = HF_ORDER_EXPIRY, .expires_before = 1700000000 + 301, .limit = 4}, 15},
        {{.order = HF_ORDER_EXPIRY, .expires_after = 1700000000 + 4801, .limit = 4}, 10},
        {{.expires_before = 1700000000 + 301}, 15},
        {{.text = "user12", .limit = 3}, 11},
        {{.text = "USER120"}, 1},
        {{.text = "exam user7"}, 11},
        {{.text = "alice", .limit = 4}, 10},
        {{.text = "nothing"}, 0},
        {{.text = "alice", .profile = "server"}, 5},
        {{.authority = 4711}, 0},
        {{.newer_than = 240, .limit = 3}, 10},
        {{.newer_than = 240, .key_type = "rsa*"}, 2},
        {{.newer_than = 240, .order = HF_ORDER_EXPIRY}, 10},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        size_t n = count_all(cases[i].query, &got);
        if (n != cases[i].n) {
            fail_msg("case %zu: %zu, not %zu", i, n, cases[i].n);
        }
        for (size_t a = 0; a < n; a++) {
            for (size_t b = a + 1; b < n; b++) {
                assert_int_not_equal(got.ids[a], got.ids[b]);
            }
        }
    }
}

static void the_newest_come_first_or_those_that_end_first(void **state)
{
    (void)state;
    struct got got;
    fill_lists();
    assert_int_equal(count_all((struct hf_store_query){.limit = 9}, &got), 250);
    for (size_t i = 1; i < got.n; i++) {
        assert_true(got.ids[i] < got.ids[i - 1]);
    }
    struct hf_store_page page;
    got.n = 0;
    assert_ok(hf_store_certs(store, &(struct hf_store_query){.order = HF_ORDER_EXPIRY, .limit = 1},
                             take_cert, &got, &page));
    assert_int_equal(got.cert.not_after, world_now + 1);
    assert_true(page.more);
}

static void a_page_with_rare_matches_is_short_and_goes_on(void **state)
{
    (void)state;
    struct got got = {.n = 0};
    struct hf_store_page page;
    for (unsigned i = 1; i <= 1200; i += 300) { /* four groups are quicker than single ones */
        static struct hf_store_issue issue[300];
        static uint8_t serial[300][3];
        static struct hf_store_op *ops[300];
        for (unsigned k = 0; k < 300; k++) {
            issue[k] = (struct hf_store_issue){.op = {.kind = HF_STORE_ISSUE}};
            issue[k].cert = world_cert(ca, i + k);
            memcpy(serial[k], (uint8_t[]){1, (uint8_t)((i + k) >> 8), (uint8_t)(i + k)}, 3);
            issue[k].cert.serial = hf_bytes_of(serial[k], 3);
            issue[k].cert.key_type = i + k == 1 ? "odd" : "p256";
            ops[k] = &issue[k].op;
        }
        struct hf_store_group group = {.op = {.kind = HF_STORE_GROUP}, .ops = ops, .n_ops = 300};
        assert_ok(hf_store_do(store, &group.op));
    }
    struct hf_store_query query = {.key_type = "odd"};
    assert_ok(hf_store_certs(store, &query, take_cert, &got, &page));
    assert_int_equal(page.n, 0);
    assert_true(page.more);
    assert_int_equal(count_all(query, &got), 1);
}

static void a_strange_cursor_is_refused(void **state)
{
    (void)state;
    static const char *const cursors[] = {"x", "n", "n.", "n.1x", "e1.2", "w61.1", "n1", ".1"};
    struct hf_store_page page;
    struct got got = {.n = 0};
    for (size_t i = 0; i < HF_N_ELEMENTS(cursors); i++) {
        struct hf_store_query query = {.cursor = cursors[i]};
        assert_int_equal(hf_store_certs(store, &query, take_cert, &got, &page), HF_E_INVALID);
    }
    struct hf_store_query words = {.text = "aa", .cursor = "w6.1"};
    assert_int_equal(hf_store_certs(store, &words, take_cert, &got, &page), HF_E_INVALID);
    words.cursor = "wzz.1";
    assert_int_equal(hf_store_certs(store, &words, take_cert, &got, &page), HF_E_INVALID);
    struct hf_store_query big = {.limit = HF_STORE_PAGE_MAX + 1};
    assert_int_equal(hf_store_certs(store, &big, take_cert, &got, &page), HF_E_INVALID);
    struct hf_store_query blank = {.text = "-"};
    assert_int_equal(hf_store_certs(store, &blank, take_cert, &got, &page), HF_E_INVALID);
}

static void what_was_presented_is_seen(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    struct hf_store_sighting sightings[] = {{ca, world_serial(1), 500}, {ca, world_serial(2), 600}};
    struct hf_store_seen seen = {
        .op = {.kind = HF_STORE_SEEN}, .sightings = sightings, .n_sightings = 2};
    assert_ok(hf_store_do(store, &seen.op));
    sightings[0].at = 400;
    assert_ok(hf_store_do(store, &seen.op));
    struct got got = {.n = 0};
    assert_int_equal(count_all((struct hf_store_query){.seen = HF_YES}, &got), 1);
    assert_int_equal(got.cert.last_seen, 500);
}

/* --- Requests, tokens, profiles ----------------------------------------------------------------
 */

static enum hf_err take_request(void *ctx, const struct hf_store_request *request)
{
    *(struct hf_store_request *)ctx = *request;
    return HF_OK;
}

static int64_t add_request(int64_t expires_at)
{
    struct hf_store_request_add add = {
        .op = {.kind = HF_STORE_REQUEST_ADD, .actor = "test"},
        .request = {.authority = ca,
                    .profile = "user",
                    .csr = hf_bytes_str("csr"),
                    .requester = "alice",
                    .expires_at = expires_at},
    };
    assert_ok(hf_store_do(store, &add.op));
    return add.request.id;
}

static enum hf_err decide(int64_t id, bool approve)
{
    struct hf_store_request_decide decide = {
        .op = {.kind = HF_STORE_REQUEST_DECIDE, .actor = "bob"},
        .id = id,
        .approve = approve,
        .reason = "known person",
    };
    return hf_store_do(store, &decide.op);
}

static void a_request_is_decided_once_and_issued_once(void **state)
{
    (void)state;
    int64_t id = add_request(0);
    assert_ok(decide(id, true));
    assert_int_equal(decide(id, false), HF_E_DENIED);
    struct hf_store_cert cert = world_cert(ca, 1);
    int64_t cert_id;
    cert.request = id;
    assert_ok(world_issue(store, &cert, &cert_id));
    struct hf_store_request request;
    assert_ok(hf_store_request(store, id, take_request, &request));
    assert_int_equal(request.state, HF_REQUEST_ISSUED);
    assert_int_equal(request.cert, cert_id);
    cert.serial = world_serial(2);
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_DENIED);
    int64_t denied = add_request(0);
    assert_ok(decide(denied, false));
    cert.request = denied;
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_DENIED);
    assert_string_equal(strchr(hf_err_text(), 'i'), "is denied already");
    int64_t late = add_request(world_now + 10);
    world_now += 10;
    assert_int_equal(decide(late, true), HF_E_DENIED);
    assert_int_equal(decide(4711, true), HF_E_NOT_FOUND);
}

static void a_token_is_used_up_with_the_certificate(void **state)
{
    (void)state;
    struct hf_store_token_add add = {
        .op = {.kind = HF_STORE_TOKEN_ADD},
        .token = {.hash = {1, 2, 3},
                  .profile = "user",
                  .uses_left = 1,
                  .expires_at = world_now + 9},
    };
    assert_ok(hf_store_do(store, &add.op));
    assert_int_equal(hf_store_do(store, &add.op), HF_E_EXISTS);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE},
        .cert = world_cert(ca, 1),
        .token_hash = hf_bytes_of(add.token.hash, 32),
    };
    struct hf_store_cert other = world_cert(ca, 1);
    assert_ok(world_issue(store, &other, NULL));
    /* a serial that exists: neither a certificate nor a use */
    assert_int_equal(hf_store_do(store, &issue.op), HF_E_EXISTS);
    issue.cert = world_cert(ca, 2);
    assert_ok(hf_store_do(store, &issue.op));
    issue.cert = world_cert(ca, 3);
    assert_int_equal(hf_store_do(store, &issue.op), HF_E_DENIED);
    struct got got = {.n = 0};
    assert_int_equal(hf_store_cert(store, ca, world_serial(3), take_cert, &got), HF_E_NOT_FOUND);
    struct hf_store_token_use use = {.op = {.kind = HF_STORE_TOKEN_USE},
                                     .hash = hf_bytes_of("00000000000000000000000000000000", 32)};
    assert_int_equal(hf_store_do(store, &use.op), HF_E_NOT_FOUND);
    add.token.hash[0] = 9;
    add.token.uses_left = 5;
    assert_ok(hf_store_do(store, &add.op));
    use.hash = hf_bytes_of(add.token.hash, 32);
    assert_ok(hf_store_do(store, &use.op));
    world_now += 9;
    assert_int_equal(hf_store_do(store, &use.op), HF_E_DENIED);
    world_verify(store);
}

static enum hf_err take_profile(void *ctx, const struct hf_store_profile *profile)
{
    snprintf(ctx, 64, "%s=%s/%lld", profile->name, profile->yaml, (long long)profile->version);
    return HF_OK;
}

static void profiles_are_replaced_and_counted(void **state)
{
    (void)state;
    char text[64];
    struct hf_store_profile_put put = {
        .op = {.kind = HF_STORE_PROFILE_PUT},
        .profile = {.name = "user", .yaml = "a: 1"},
    };
    assert_ok(hf_store_do(store, &put.op));
    put.profile.yaml = "a: 2";
    assert_ok(hf_store_do(store, &put.op));
    assert_int_equal(put.profile.version, 2);
    assert_ok(hf_store_profile(store, "user", take_profile, text));
    assert_string_equal(text, "user=a: 2/2");
    struct hf_store_profile_remove remove = {.op = {.kind = HF_STORE_PROFILE_REMOVE},
                                             .name = "user"};
    assert_ok(hf_store_do(store, &remove.op));
    assert_int_equal(hf_store_do(store, &remove.op), HF_E_NOT_FOUND);
    assert_int_equal(hf_store_profile(store, "user", take_profile, text), HF_E_NOT_FOUND);
}

static void a_key_in_use_stays(void **state)
{
    (void)state;
    struct hf_store_key_put key = {
        .op = {.kind = HF_STORE_KEY_PUT},
        .key = {.form = HF_KEY_PKCS11, .data = hf_bytes_str("pkcs11:x"), .spki_sha256 = {5}},
    };
    assert_ok(hf_store_do(store, &key.op));
    struct hf_store_authority_put root = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT},
        .authority = {.name = "Root", .state = HF_AUTHORITY_ACTIVE, .key = key.key.id},
    };
    assert_ok(hf_store_do(store, &root.op));
    key.remove = true;
    assert_int_equal(hf_store_do(store, &key.op), HF_E_BUSY);
    root.authority.key = 0;
    assert_ok(hf_store_do(store, &root.op));
    assert_ok(hf_store_do(store, &key.op));
    assert_int_equal(hf_store_do(store, &key.op), HF_E_NOT_FOUND);
}

/* --- Audit -------------------------------------------------------------------------------------
 */

static void expect_broken(int64_t seq, const char *what)
{
    struct hf_store_verified verified;
    assert_ok(hf_store_audit_verify(store, 0, NULL, &verified));
    assert_string_equal(verified.what, what);
    assert_int_equal(verified.bad_seq, seq);
}

static void fill_audit(void)
{
    for (unsigned i = 1; i <= 3; i++) {
        struct hf_store_cert cert = world_cert(ca, i);
        assert_ok(world_issue(store, &cert, NULL));
    }
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 2, 1)); /* line 5; 1 is the authority's */
    world_verify(store);
}

static void a_changed_line_breaks_the_chain(void **state)
{
    (void)state;
    fill_audit();
    world_sql("UPDATE audit SET actor = 'somebody else' WHERE seq = 3");
    expect_broken(3, "line 3 was changed, or the one before it");
}

static void a_removed_line_breaks_the_chain(void **state)
{
    (void)state;
    fill_audit();
    world_sql("DELETE FROM audit WHERE seq = 2");
    expect_broken(2, "line 2 is missing");
}

static void a_cut_end_is_noticed_by_the_heads_and_by_a_noted_head(void **state)
{
    (void)state;
    struct hf_store_verified noted;
    struct hf_store_verified verified;
    fill_audit();
    assert_ok(hf_store_audit_verify(store, 0, NULL, &noted));
    assert_int_equal(noted.lines, 5);
    world_sql("DELETE FROM audit WHERE seq = 5");
    expect_broken(5, "the chain ends at line 4, and should at line 5");
    uint8_t other[32] = {1};
    assert_ok(hf_store_audit_verify(store, 3, other, &verified));
    assert_string_equal(verified.what, "line 3 is not the one that was noted");
}

static void a_revocation_undone_behind_the_back_is_noticed(void **state)
{
    (void)state;
    fill_audit();
    world_sql("UPDATE certificates SET status = 0 WHERE id = 2");
    expect_broken(5, "line 5: it was revoked, and is not any more");
    world_sql("UPDATE certificates SET status = 2 WHERE id = 2");
    world_verify(store);
    world_sql("DELETE FROM revoked");
    expect_broken(5, "line 5: it was revoked, and is not any more");
}

static void a_certificate_slipped_in_or_changed_is_noticed(void **state)
{
    (void)state;
    fill_audit();
    world_sql("UPDATE certificates SET der = sha256 WHERE id = 3");
    expect_broken(4, "line 4: its certificate was changed");
    world_sql("DELETE FROM certificates WHERE id = 3");
    expect_broken(4, "line 4: its certificate is missing");
}

/* --- Watching ----------------------------------------------------------------------------------
 */

struct eye {
    struct hf_store_watch watch;
    sem_t seen;
    int64_t until;
};

static void on_change(struct hf_store_watch *watch, const struct hf_store_heads *heads)
{
    struct eye *eye = (struct eye *)watch;
    if (heads->journal >= eye->until) {
        sem_post(&eye->seen);
    }
}

static void a_commit_of_another_process_is_told(void **state)
{
    (void)state;
    struct hf_store *other = world_store();
    struct eye eye = {.watch = {.on_change = on_change}, .until = 1};
    struct timespec deadline;
    sem_init(&eye.seen, 0, 0);
    assert_ok(hf_store_watch(store, &eye.watch));
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(other, &cert, NULL));
    assert_ok(world_act(other, HF_ACT_REVOKE, ca, 1, 0));
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    assert_int_equal(sem_timedwait(&eye.seen, &deadline), 0);
    hf_store_unwatch(store, &eye.watch);
    hf_store_close(other);
    sem_destroy(&eye.seen);
}

/* --- Opening -----------------------------------------------------------------------------------
 */

static void what_is_no_store_is_refused(void **state)
{
    (void)state;
    struct hf_store *none = NULL;
    struct hf_store_options options = {.clock = &world_clock};
    static const struct {
        const char *url;
        enum hf_err err;
    } cases[] = {
        {"mysql://x", HF_E_INVALID},
        {"sqlite:", HF_E_INVALID},
        {"", HF_E_INVALID},
        {"sqlite:/nonexistent/ca.db", HF_E_NOT_FOUND},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        options.url = cases[i].url;
        assert_int_equal(hf_store_open(&options, &none), cases[i].err);
        assert_null(none);
    }
    world_reset();
    assert_int_equal(world_open(false, &none), HF_E_NOT_FOUND);
}

static void a_store_of_a_later_version_is_left_alone(void **state)
{
    (void)state;
    struct hf_store *none = NULL;
    world_sql("UPDATE handfast_meta SET value = '4711' WHERE name = 'version'");
    assert_int_equal(world_open(true, &none), HF_E_UNSUPPORTED);
    assert_non_null(strstr(hf_err_text(), "made by a later handfast"));
    assert_int_equal(world_open(false, &none), HF_E_UNSUPPORTED);
}

static void a_store_of_version_1_gets_what_it_lacks(void **state)
{
    (void)state;
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    hf_store_close(store);
    store = NULL;
    world_sql("DROP TABLE commits");
    world_sql("DROP INDEX certificates_compromised");
    world_sql("UPDATE handfast_meta SET value = '1' WHERE name = 'version'");
    assert_ok(world_open(false, &store));
    cert = world_cert(ca, 2);
    assert_ok(world_issue(store, &cert, NULL));
    world_verify(store);
    world_sql("INSERT INTO commits (slot, change, token) VALUES (-1, 0, '')");
    reopen();
    world_verify(store);
}

static void a_password_is_not_shown(void **state)
{
    (void)state;
    assert_null(strstr(hf_store_url(store), "secret"));
    assert_int_equal(strlen(hf_store_id(store)), 32);
}

/* --- Time and turns ----------------------------------------------------------------------------
 */

static void a_clock_that_steps_back_takes_nothing_back(void **state)
{
    (void)state;
    struct hf_store_standing standing;
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER}, .authority = ca};
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 1, 1));
    assert_ok(hf_store_do(store, &take.op));
    world_now -= 365 * 86400;
    reopen();
    cert = world_cert(ca, 2);
    assert_ok(world_issue(store, &cert, NULL));
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 2, 1));
    assert_ok(hf_store_do(store, &take.op));
    assert_int_equal(take.number, 2);
    assert_ok(hf_store_standing(store, ca, world_serial(1), &standing));
    assert_int_equal(standing.status, HF_STATUS_REVOKED);
    struct hf_store_heads heads;
    assert_ok(hf_store_heads(store, &heads));
    assert_int_equal(heads.journal, 2);
    world_verify(store);
}

static struct hf_db *hold_the_lock(void)
{
    struct hf_db_options options = {.url = world_url(), .timeout_ms = 5000};
    struct hf_db *db = NULL;
    assert_ok(hf_db_open(&options, &db));
    assert_ok(hf_db_begin(db));
    assert_ok(hf_db_script(db, "UPDATE heads SET change = change"));
    return db;
}

static void open_impatient(size_t max_queued)
{
    struct hf_store_options options = {
        .url = world_url(), .clock = &world_clock, .timeout_ms = 200, .max_queued = max_queued};
    hf_store_close(store);
    assert_ok(hf_store_open(&options, &store));
}

static void a_lock_that_another_keeps_is_not_waited_for_for_ever(void **state)
{
    (void)state;
    open_impatient(0);
    struct hf_db *other = hold_the_lock();
    struct hf_store_cert cert = world_cert(ca, 1);
    enum hf_err err = world_issue(store, &cert, NULL);
    assert_true(err == HF_E_BUSY || err == HF_E_TIMEOUT); /* whose patience ended first */
    hf_db_rollback(other);
    hf_db_close(other);
    reopen();
    assert_ok(world_issue(store, &cert, NULL));
}

static void a_full_queue_takes_no_more_and_the_late_are_told(void **state)
{
    (void)state;
    enum { N = 8 };
    static struct hf_store_audit_add lines[N];
    sem_t all;
    int taken = 0;
    sem_init(&all, 0, 0);
    open_impatient(3);
    struct hf_db *other = hold_the_lock();
    for (; taken < N; taken++) {
        lines[taken] = (struct hf_store_audit_add){
            .op = {.kind = HF_STORE_AUDIT, .done = done, .ctx = &all}, .action = "note"};
        if (hf_store_submit(store, &lines[taken].op) != HF_OK) {
            break;
        }
    }
    assert_in_range(taken, 3, 2 * 3); /* those that wait, and those that are being tried */
    assert_string_equal(hf_err_text(), "3 writes are waiting for the store");
    for (int i = 0; i < taken; i++) {
        sem_wait(&all);
        assert_true(lines[i].op.err == HF_E_BUSY || lines[i].op.err == HF_E_TIMEOUT);
        assert_string_not_equal(lines[i].op.why, "");
    }
    hf_db_rollback(other);
    hf_db_close(other);
    reopen();
    assert_ok(hf_store_do(store, &lines[0].op));
    world_verify(store);
    sem_destroy(&all);
}

static void an_allocation_that_fails_is_told(void **state)
{
    (void)state;
    struct got got = {.n = 0};
    struct hf_store_page page;
    struct hf_store_query query = {.text = "alice", .profile = "user"};
    size_t n = 0;
    for (enum hf_err err = HF_E_NOMEM; err != HF_OK; n++) {
        struct hf_store *other = NULL;
        hf_alloc_fail_after(n + 1);
        err = world_open(false, &other);
        if (err == HF_OK) {
            err = hf_store_certs(other, &query, take_cert, &got, &page);
        }
        hf_alloc_fail_after(0);
        hf_store_close(other);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
    }
    assert_true(n > 10);
}

/* --- SQLite ------------------------------------------------------------------------------------
 */

static const char *file(const char *suffix)
{
    static char path[2][600];
    static unsigned at;
    char *out = path[at++ % 2];
    snprintf(out, sizeof(path[0]), "%s%s", world_url() + strlen("sqlite:"), suffix);
    return out;
}

static void take_away(struct hf_store_op *op)
{
    (void)op;
    assert_int_equal(rename(file(""), file(".away")), 0);
}

static void put_back(void)
{
    assert_int_equal(rename(file(".away"), file("")), 0);
}

static void put_a_copy_in_its_place(void)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(64 << 20);
    assert_ok(hf_file_read(file(".away"), &bytes));
    assert_ok(hf_file_create(file(""), hf_buf_bytes(&bytes), 0600));
}

static void assert_out_of_reach(void)
{
    struct hf_store_cert cert = world_cert(ca, 2);
    struct hf_store_page page;
    struct got got = {.n = 0};
    assert_int_equal(world_issue(store, &cert, NULL), HF_E_IO);
    assert_non_null(strstr(hf_err_text(), "moved, deleted or replaced"));
    assert_int_equal(
        hf_store_certs(store, &(struct hf_store_query){.limit = 9}, take_cert, &got, &page),
        HF_E_IO);
    assert_non_null(strstr(hf_err_text(), "moved, deleted or replaced"));
}

static void a_file_that_is_taken_away_or_replaced_is_out_of_reach(void **state)
{
    (void)state;
    struct got got = {.n = 0};
    if (world_is_postgres()) {
        return;
    }
    open_impatient(0);
    struct hf_store_cert cert = world_cert(ca, 1);
    assert_ok(world_issue(store, &cert, NULL));
    assert_int_equal(count_all((struct hf_store_query){.limit = 9}, &got), 1);
    take_away(NULL);
    assert_out_of_reach();
    put_a_copy_in_its_place();
    assert_out_of_reach();
    put_back();
    cert = world_cert(ca, 2);
    assert_ok(world_issue(store, &cert, NULL));
    cert = world_cert(ca, 3);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = "test", .before = take_away}, .cert = cert};
    assert_int_equal(hf_store_do(store, &issue.op), HF_E_IO); /* whatever became of it */
    assert_non_null(strstr(hf_err_text(), "moved, deleted or replaced"));
    put_back();
    reopen();
    size_t n = count_all((struct hf_store_query){.limit = 9}, &got);
    assert_in_range(n, 2, 3);
    world_verify(store);
}

/* --- PostgreSQL --------------------------------------------------------------------------------
 */

/* Runs a transaction up to its commit, which the caller makes or not. */
static void begin_commit(struct hf_tx *tx, struct hf_db *db)
{
    assert_ok(hf_tx_begin(tx, db, 0));
    assert_ok(hf_tx_save(tx));
}

static bool settled(struct hf_db *db, const struct hf_tx *tx)
{
    bool committed = !tx; /* neither */
    assert_ok(hf_tx_settle(db, tx, &committed));
    return committed;
}

/* What the writer asks when the answer to its COMMIT was lost. */
static void a_commit_in_doubt_can_be_asked_about(void **state)
{
    (void)state;
    struct hf_db_options options = {.url = world_url(), .timeout_ms = 5000};
    struct hf_db *db = NULL;
    struct hf_tx committed;
    struct hf_tx undone;
    struct hf_tx other;
    if (!world_is_postgres()) {
        return; /* SQLite's are never in doubt */
    }
    assert_ok(hf_db_open(&options, &db));
    begin_commit(&committed, db);
    assert_ok(hf_db_commit(db));
    assert_true(settled(db, &committed));
    begin_commit(&undone, db);
    hf_db_rollback(db);
    assert_false(settled(db, &undone));
    begin_commit(&other, db);
    assert_ok(hf_db_commit(db));
    assert_int_equal(other.change, undone.change);
    assert_true(settled(db, &other));
    assert_false(settled(db, &undone)); /* the same change, by somebody else */
    assert_true(settled(db, &committed));
    world_sql("UPDATE commits SET change = change + 16384");
    bool unknown;
    assert_int_equal(hf_tx_settle(db, &undone, &unknown), HF_E_IO);
    hf_db_close(db);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_is_issued_is_found_by_its_serial_also_after_reopening),
        store_test(a_serial_is_issued_once_and_the_second_leaves_no_trace),
        store_test(serials_of_wrong_form_are_refused),
        store_test(text_that_is_not_utf8_is_refused_alike),
        store_test(an_unknown_authority_issues_nothing),
        store_test(a_renewal_links_both_certificates),
        store_test(what_was_revoked_meanwhile_is_not_renewed),
        store_test(a_group_is_all_or_nothing_and_hands_ids_on),
        store_test(operations_of_one_commit_dont_depend_on_each_other),
        store_test(holding_releasing_and_revoking_move_as_the_table_says),
        store_test(only_reasons_of_the_standard_are_taken),
        store_test(standing_follows_and_the_list_holds_what_has_not_expired),
        store_test(a_serial_may_be_revoked_unseen_when_told_so),
        store_test(a_serial_is_revoked_with_whichever_authority_has_it),
        store_test(an_identity_is_cut_between_characters),
        store_test(a_key_that_others_have_gets_no_certificate),
        store_test(crl_numbers_only_rise),
        store_test(every_filter_finds_all_of_its_own_and_each_once),
        store_test(the_newest_come_first_or_those_that_end_first),
        store_test(a_page_with_rare_matches_is_short_and_goes_on),
        store_test(a_strange_cursor_is_refused),
        store_test(what_was_presented_is_seen),
        store_test(a_request_is_decided_once_and_issued_once),
        store_test(a_token_is_used_up_with_the_certificate),
        store_test(profiles_are_replaced_and_counted),
        store_test(a_key_in_use_stays),
        store_test(a_changed_line_breaks_the_chain),
        store_test(a_removed_line_breaks_the_chain),
        store_test(a_cut_end_is_noticed_by_the_heads_and_by_a_noted_head),
        store_test(a_revocation_undone_behind_the_back_is_noticed),
        store_test(a_certificate_slipped_in_or_changed_is_noticed),
        store_test(a_commit_of_another_process_is_told),
        store_test(what_is_no_store_is_refused),
        store_test(a_store_of_a_later_version_is_left_alone),
        store_test(a_store_of_version_1_gets_what_it_lacks),
        store_test(a_password_is_not_shown),
        store_test(a_clock_that_steps_back_takes_nothing_back),
        store_test(a_lock_that_another_keeps_is_not_waited_for_for_ever),
        store_test(a_full_queue_takes_no_more_and_the_late_are_told),
        store_test(an_allocation_that_fails_is_told),
        store_test(a_file_that_is_taken_away_or_replaced_is_out_of_reach),
        store_test(a_commit_in_doubt_can_be_asked_about),
    };
    return cmocka_run_group_tests_name("ca/store", tests, world_set_up, world_tear_down);
}
