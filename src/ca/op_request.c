// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that wait for a person. What was asked for is kept as text (the wish) and, where a key
 * was sent, as the CSR with its proof; approving makes the certificate from these, by the profile
 * as it is then, in the same commit as the decision.
 *
 *     {"verb": "issue", "subject": "CN=alice", "names": ["DNS:a.example"], "lifetime": 0,
 *      "old": "1f2e", "old_authority": 2, "revoke_old": false, "token_by": "",
 *      "secret": "<SHA-256 of what is behind the dot of the id>"}
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/service_impl.h"

enum { WAITS_S = 30 * 86400 };

/* --- Into the store ----------------------------------------------------------------------------
 */

static json_t *names_value(const struct hf_alt_names *names)
{
    json_t *array = json_array();
    for (size_t i = 0; i < names->n; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 * HF_ALT_TEXT_MAX);
        if (hf_alt_name_append(&names->item[i], &text) == HF_OK) {
            (void)json_array_append_new(array, json_string(hf_buf_cstr(&text)));
        }
    }
    return array;
}

static enum hf_err write_wish(struct hf_ca_work *work, const char *secret_hash, char **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf subject = HF_BUF_INIT(HF_STORE_TEXT_MAX);
    char old[2 * HF_STORE_SERIAL_MAX + 1] = "";
    HF_TRY(hf_subject_append(&work->want.subject, &subject));
    hf_hex(hf_bytes_of(work->old.serial, work->old.serial_len), old);
    json_t *wish =
        json_pack("{s:s, s:s, s:o, s:I, s:s, s:I, s:b, s:s, s:s}", "verb",
                  hf_ca_verb_name(work->op->verb), "subject", hf_buf_cstr(&subject), "names",
                  names_value(&work->want.names), "lifetime", (json_int_t)work->want.lifetime_s,
                  "old", old, "old_authority", (json_int_t)work->old.authority, "revoke_old",
                  work->op->verb == HF_CA_VERB_REKEY && work->op->revoke_old, "token_by",
                  work->token_by ? work->token_by : "", "secret", secret_hash);
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;
    json_decref(wish);
    *out = text ? hf_strdup(text) : NULL;
    free(text);
    return *out ? HF_OK : hf_fail(HF_E_NOMEM, "out of memory");
}

static const char *wanted_name(const struct hf_ca_work *work)
{
    const char *cn = hf_subject_get(&work->want.subject, HF_ATTR_CN, 0);
    const struct hf_alt_name *dns = hf_alt_names_first(&work->want.names, HF_ALT_DNS);
    return work->old.id         ? work->old.identity
           : work->op->ask.name ? work->op->ask.name
           : cn                 ? cn
           : dns                ? (const char *)dns->value.ptr
                                : "";
}

static void told_waiting(struct hf_ca_work *work)
{
    char id[24 + 2 * HF_CA_REQUEST_SECRET];
    work->outcome = HF_CA_PENDING;
    snprintf(id, sizeof(id), "%lld.%s", (long long)work->request.request.id, work->id);
    work->op->id = hf_strdup(id);
    hf_ca_says(work, "request %lld waits for a person to approve it",
               (long long)work->request.request.id);
}

static enum hf_err draw_secret(struct hf_ca_work *work, char hash_hex[static 65])
{
    uint8_t secret[HF_CA_REQUEST_SECRET];
    uint8_t hash[HF_STORE_HASH_SIZE];
    char text[2 * sizeof(secret) + 1];
    HF_TRY(hf_rng_fill(work->service->rng, hf_span_of(secret, sizeof(secret))));
    hf_hex(hf_bytes_of(secret, sizeof(secret)), text);
    work->id = hf_strdup(text);
    HF_TRY(work->id ? hf_ca_token_hash(text, hash) : HF_E_NOMEM);
    hf_hex(hf_bytes_of(hash, sizeof(hash)), hash_hex);
    return HF_OK;
}

enum hf_err hf_ca_queue_want(struct hf_ca_work *work)
{
    char hash[65];
    HF_CLEANUP(hf_freep) char *wish = NULL;
    if (work->want.private_key) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "this profile wants a person's approval, and a key made here can't "
                            "wait for it: send a certificate request");
    }
    HF_TRY(hf_ca_check_compromise(work));
    HF_TRY(draw_secret(work, hash));
    HF_TRY(write_wish(work, hash, &wish));
    struct hf_buf *text = &work->text[HF_CA_TEXT_WISH];
    hf_buf_reset(text);
    HF_TRY(hf_buf_append_str(text, wish));
    int64_t now = hf_clock_wall_s(work->service->clock);
    work->request = (struct hf_store_request_add){
        .op = {.kind = HF_STORE_REQUEST_ADD,
               .actor = work->op->caller.name,
               .detail = hf_ca_detail(work)},
        .request = {.authority = work->authority->id,
                    .profile = work->profile->name,
                    .identity = wanted_name(work),
                    .csr = work->want.csr ? work->want.csr->der : hf_bytes_of(NULL, 0),
                    .wish = hf_buf_cstr(text),
                    .requester = work->op->caller.name,
                    .replaces = work->old.id,
                    .expires_at = now + WAITS_S},
    };
    work->write = &work->request.op;
    work->stored = told_waiting;
    if (!work->op->ask.token) {
        return HF_OK;
    }
    work->token_use = (struct hf_store_token_use){
        .op = {.kind = HF_STORE_TOKEN_USE, .actor = work->op->caller.name},
        .hash = hf_bytes_of(work->token_hash, sizeof(work->token_hash)),
    };
    work->ops[0] = &work->token_use.op;
    work->ops[1] = &work->request.op;
    work->group = (struct hf_store_group){
        .op = {.kind = HF_STORE_GROUP, .actor = work->op->caller.name},
        .ops = work->ops,
        .n_ops = 2,
    };
    work->write = &work->group.op;
    return HF_OK;
}

/* --- Out of the store --------------------------------------------------------------------------
 */

struct waiting {
    int64_t id, authority, replaces, expires_at;
    enum hf_store_request_state state;
    char *profile, *identity, *requester, *decider, *reason;
    json_t *wish;
    struct hf_csr *csr;
};

static void waiting_done(struct waiting *waiting)
{
    hf_free(waiting->profile);
    hf_free(waiting->identity);
    hf_free(waiting->requester);
    hf_free(waiting->decider);
    hf_free(waiting->reason);
    json_decref(waiting->wish);
    hf_csr_free(waiting->csr);
}

static enum hf_err copy_text(const char *from, char **out)
{
    *out = hf_strdup(from ? from : "");
    return *out ? HF_OK : HF_E_NOMEM;
}

static enum hf_err take_row(void *ctx, const struct hf_store_request *row)
{
    struct waiting *waiting = ctx;
    enum hf_refusal why;
    waiting->id = row->id;
    waiting->authority = row->authority;
    waiting->replaces = row->replaces;
    waiting->expires_at = row->expires_at;
    waiting->state = row->state;
    HF_TRY(copy_text(row->profile, &waiting->profile));
    HF_TRY(copy_text(row->identity, &waiting->identity));
    HF_TRY(copy_text(row->requester, &waiting->requester));
    HF_TRY(copy_text(row->decider, &waiting->decider));
    HF_TRY(copy_text(row->reason, &waiting->reason));
    waiting->wish = json_loads(row->wish && *row->wish ? row->wish : "{}", 0, NULL);
    if (!waiting->wish) {
        return hf_fail(HF_E_MALFORMED, "request %lld in the store can't be read",
                       (long long)row->id);
    }
    return row->csr.len ? hf_csr_parse(row->csr, "the request", &waiting->csr, &why) : HF_OK;
}

/* "17" or "17.secret". */
static enum hf_err read_request(struct hf_ca_work *work, struct waiting *out,
                                const char **out_secret)
{
    char digits[24];
    const char *text = work->op->request ? work->op->request : "";
    size_t n = strcspn(text, ".");
    uint64_t id = 0;
    if (n == 0 || n >= sizeof(digits)) {
        return hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no request \"%.60s\"", text);
    }
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (hf_parse_uint(digits, INT64_MAX, &id) != HF_OK) {
        return hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no request \"%.60s\"", text);
    }
    *out_secret = text[n] ? text + n + 1 : "";
    enum hf_err err = hf_store_request(work->service->store, (int64_t)id, take_row, out);
    return err == HF_E_NOT_FOUND
               ? hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no request %s", digits)
               : err;
}

static const char *wish_text(const struct waiting *waiting, const char *key)
{
    const char *text = json_string_value(json_object_get(waiting->wish, key));
    return text ? text : "";
}

/* --- Deciding ----------------------------------------------------------------------------------
 */

static enum hf_err find_old(struct hf_ca_work *work, const struct waiting *waiting)
{
    int64_t authority = json_integer_value(json_object_get(waiting->wish, "old_authority"));
    uint8_t serial[HF_STORE_SERIAL_MAX];
    size_t len = 0;
    HF_TRY(hf_ca_serial(wish_text(waiting, "old"), serial, &len));
    return hf_ca_find_row(work, authority, hf_bytes_of(serial, len), &work->old);
}

static enum hf_err load_old(struct hf_ca_work *work, const struct waiting *waiting)
{
    HF_TRY(find_old(work, waiting));
    return hf_ca_want_old(work);
}

static enum hf_err load_names(struct hf_ca_work *work, const struct waiting *waiting)
{
    size_t at;
    const json_t *name;
    HF_TRY(hf_subject_parse(wish_text(waiting, "subject"), &work->want.subject));
    json_array_foreach(json_object_get(waiting->wish, "names"), at, name)
    {
        const char *text = json_string_value(name);
        HF_TRY(hf_alt_names_add_text(&work->want.names, text ? text : ""));
    }
    return HF_OK;
}

static enum hf_err load_want(struct hf_ca_work *work, struct waiting *waiting)
{
    const struct hf_authority *authority =
        hf_authorities_by_id(work->view->authorities, waiting->authority);
    HF_TRY(hf_ca_choose_profile(work, waiting->profile));
    /* The one that was to sign may have retired meanwhile; its successor does it then. Where the
     * profile lists none, that is the one that issues now. */
    bool named =
        authority && authority->state == HF_AUTHORITY_ACTIVE && work->profile->n_authorities;
    HF_TRY(hf_ca_choose_authority(work, named ? authority->name : NULL));
    work->want.csr = HF_TAKE(waiting->csr);
    work->want.key = work->want.csr ? work->want.csr->key : NULL;
    work->want.lifetime_s = json_integer_value(json_object_get(waiting->wish, "lifetime"));
    HF_TRY(waiting->replaces ? load_old(work, waiting) : load_names(work, waiting));
    if (!work->want.key) {
        return hf_fail(HF_E_MALFORMED, "request %lld in the store has no key",
                       (long long)waiting->id);
    }
    HF_TRY(hf_cert_profile_check_key(work->profile, work->want.key, &work->why));
    return hf_ca_check_key(work, work->want.key);
}

static void told_approved(struct hf_ca_work *work)
{
    hf_ca_give_cert(work);
    work->op->id = HF_TAKE(work->id);
}

static void told_denied(struct hf_ca_work *work)
{
    work->outcome = HF_CA_DONE;
    work->op->id = HF_TAKE(work->id);
    hf_ca_says(work, "request %lld is denied", (long long)work->decide.id);
}

static enum hf_err approve(struct hf_ca_work *work, struct waiting *waiting)
{
    HF_TRY(load_want(work, waiting));
    HF_TRY(hf_ca_sign_want(work));
    work->requester = HF_TAKE(waiting->requester);
    work->issue.cert.requester = work->requester;
    work->issue.cert.request = waiting->id;
    work->ops[0] = &work->decide.op;
    work->ops[1] = &work->issue.op;
    bool revokes = json_is_true(json_object_get(waiting->wish, "revoke_old")) && work->old.id;
    if (revokes) {
        work->ops[2] = hf_ca_revoke_old(work);
    }
    work->group = (struct hf_store_group){
        .op = {.kind = HF_STORE_GROUP, .actor = work->op->caller.name},
        .ops = work->ops,
        .n_ops = revokes ? 3 : 2,
    };
    work->write = &work->group.op;
    work->stored = told_approved;
    return HF_OK;
}

/* A token is handed to somebody: whoever made it may be the one who used it. */
static bool asked_themselves(const char *name, const struct waiting *waiting)
{
    return strcmp(name, waiting->requester) == 0 ||
           strcmp(name, wish_text(waiting, "token_by")) == 0;
}

enum hf_err hf_ca_verb_decide(struct hf_ca_work *work)
{
    HF_CLEANUP(waiting_done) struct waiting waiting = {0};
    const struct hf_ca_op *op = work->op;
    const char *secret;
    char id[24];
    if (!hf_ca_has(work, HF_CA_MAY_APPROVE)) {
        return hf_ca_refuse(work, HF_CA_FORBIDDEN, "%.200s may not decide on requests",
                            op->caller.name);
    }
    HF_TRY(read_request(work, &waiting, &secret));
    if (waiting.state != HF_REQUEST_PENDING) {
        return hf_ca_refuse(work, HF_CA_CONFLICT, "request %lld is %s already%s%.200s",
                            (long long)waiting.id, hf_store_request_state_name(waiting.state),
                            *waiting.decider ? ", by " : "", waiting.decider);
    }
    if (op->verb == HF_CA_VERB_APPROVE && !op->caller.local &&
        asked_themselves(op->caller.name, &waiting)) {
        return hf_ca_refuse(
            work, HF_CA_FORBIDDEN,
            "nobody approves what they asked for themselves, or made the token for");
    }
    snprintf(id, sizeof(id), "%lld", (long long)waiting.id);
    work->id = hf_strdup(id);
    work->decide = (struct hf_store_request_decide){
        .op = {.kind = HF_STORE_REQUEST_DECIDE,
               .actor = op->caller.name,
               .detail = hf_ca_detail(work)},
        .id = waiting.id,
        .approve = op->verb == HF_CA_VERB_APPROVE,
        .reason = op->note,
    };
    work->write = &work->decide.op;
    work->stored = told_denied;
    return work->decide.approve ? approve(work, &waiting) : HF_OK;
}

/* --- Picking up --------------------------------------------------------------------------------
 */

static bool may_pick_up(const struct hf_ca_work *work, const struct waiting *waiting,
                        const char *secret)
{
    uint8_t hash[HF_STORE_HASH_SIZE];
    char hex[2 * HF_STORE_HASH_SIZE + 1];
    if (hf_ca_has(work, HF_CA_MAY_READ) ||
        (work->op->caller.cert && strcmp(work->op->caller.name, waiting->requester) == 0)) {
        return true;
    }
    if (hf_ca_token_hash(secret, hash) != HF_OK) {
        return false;
    }
    hf_hex(hf_bytes_of(hash, sizeof(hash)), hex);
    return hf_ct_eq(hf_bytes_str(hex), hf_bytes_str(wish_text(waiting, "secret")));
}

struct picking {
    int64_t request;
    struct hf_ca_found *found;
};

static enum hf_err pick_row(void *ctx, const struct hf_store_cert *row)
{
    struct picking *picking = ctx;
    return row->request == picking->request ? hf_ca_found_copy(picking->found, row) : HF_OK;
}

/* By the key, of which there are few certificates. */
static enum hf_err find_issued(struct hf_ca_work *work, struct waiting *waiting,
                               struct hf_ca_found *out)
{
    struct picking picking = {waiting->id, out};
    struct hf_store_page page = {.more = true};
    if (!waiting->csr) {
        HF_TRY(find_old(work, waiting));
    }
    const uint8_t *key = waiting->csr     ? waiting->csr->key->spki_sha256
                         : work->old.cert ? work->old.cert->spki_sha256
                                          : NULL;
    if (!key) {
        return hf_fail(HF_E_NOT_FOUND, "its certificate isn't there");
    }
    struct hf_store_query query = {.spki_sha256 = hf_bytes_of(key, HF_SHA256_SIZE),
                                   .with_der = true};
    while (page.more && !out->id) {
        query.cursor = page.cursor;
        HF_TRY(hf_store_certs(work->service->store, &query, pick_row, &picking, &page));
    }
    return out->id && out->cert ? HF_OK : hf_fail(HF_E_NOT_FOUND, "its certificate isn't there");
}

static enum hf_err show_found(struct hf_ca_work *work, const struct hf_ca_found *found)
{
    HF_TRY(hf_identity_new(found->cert, &work->identity));
    work->op->profile = hf_strdup(found->profile);
    HF_TRY(work->op->profile ? HF_OK : HF_E_NOMEM);
    return hf_ca_show_cert(work, found->cert->der, work->identity);
}

static enum hf_err give_issued(struct hf_ca_work *work, struct waiting *waiting)
{
    struct hf_ca_found found = {0};
    enum hf_err err = find_issued(work, waiting, &found);
    if (err == HF_OK) {
        work->authority = hf_authorities_by_id(work->view->authorities, found.authority);
        err = show_found(work, &found);
    }
    hf_ca_found_done(&found);
    return err;
}

static void told_state(struct hf_ca_work *work)
{
    work->op->id = HF_TAKE(work->id);
}

enum hf_err hf_ca_verb_pick_up(struct hf_ca_work *work)
{
    HF_CLEANUP(waiting_done) struct waiting waiting = {0};
    const char *secret;
    enum hf_err err = read_request(work, &waiting, &secret);
    bool absent = err != HF_OK && work->outcome == HF_CA_NOT_FOUND;
    if (absent ? !hf_ca_has(work, HF_CA_MAY_READ)
               : err == HF_OK && !may_pick_up(work, &waiting, secret)) {
        return hf_ca_refuse(work, HF_CA_FORBIDDEN,
                            "the request \"%.60s\" is somebody else's, or there is none",
                            work->op->request ? work->op->request : "");
    }
    HF_TRY(err);
    if (waiting.state == HF_REQUEST_DENIED) {
        return hf_ca_refuse(work, HF_CA_CONFLICT, "request %lld was denied by %.200s%s%.300s",
                            (long long)waiting.id, waiting.decider, *waiting.reason ? ": " : "",
                            waiting.reason);
    }
    work->id = hf_strdup(work->op->request);
    work->stored = told_state;
    if (waiting.state == HF_REQUEST_PENDING && waiting.expires_at &&
        waiting.expires_at <= hf_clock_wall_s(work->service->clock)) {
        return hf_ca_refuse(work, HF_CA_CONFLICT,
                            "nobody decided on request %lld in time: ask again",
                            (long long)waiting.id);
    }
    if (waiting.state != HF_REQUEST_ISSUED) {
        hf_ca_says(work, "request %lld waits for a person to approve it", (long long)waiting.id);
        work->outcome = HF_CA_PENDING;
        return HF_OK;
    }
    hf_ca_says(work, "request %lld was approved by %.200s", (long long)waiting.id, waiting.decider);
    return give_issued(work, &waiting);
}
