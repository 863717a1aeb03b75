// SPDX-License-Identifier: Apache-2.0
/* What is only looked at. All of these run on a thread of the CA, for the store may make them wait.
 * Lists are paged; an answer says `next` while there is more. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/api_impl.h"
#include "ca/service_impl.h"
#include "ca/when.h"
#include "pki/serials.h"
#include "pki/write.h"

enum { LIMIT_STANDARD = 100, PEM_MAX = 2 << 20 };

static enum hf_err out_of_memory(void)
{
    return hf_fail(HF_E_NOMEM, "out of memory");
}

static enum hf_err given(json_t *value, json_t **out)
{
    *out = value;
    return value ? HF_OK : out_of_memory();
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

/* --- Parameters ---------------------------------------------------------------------------------
 */

/* A text parameter that lives in buf; *out stays NULL when there is none, or it is empty. */
static enum hf_err text_param(struct hf_api_job *job, const char *name, struct hf_buf *buf,
                              const char **out)
{
    bool found = false;
    HF_TRY(hf_api_query(job, name, &found, buf));
    if (found && hf_buf_len(buf)) {
        *out = hf_buf_cstr(buf);
        return *out ? HF_OK : out_of_memory();
    }
    return HF_OK;
}

static enum hf_err number_param(struct hf_api_job *job, const char *name, uint64_t max,
                                uint64_t *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(0);
    const char *text = NULL;
    HF_TRY(text_param(job, name, &buf, &text));
    if (text && hf_parse_uint(text, max, out) != HF_OK) {
        return hf_api_fail(job, HF_CA_MALFORMED, "the parameter \"%s\" must be a number up to %llu",
                           name, (unsigned long long)max);
    }
    return HF_OK;
}

static enum hf_err bool_param(struct hf_api_job *job, const char *name, bool *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(0);
    const char *text = NULL;
    HF_TRY(text_param(job, name, &buf, &text));
    if (!text) {
        return HF_OK;
    }
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0
               ? HF_OK
               : hf_api_fail(job, HF_CA_MALFORMED, "the parameter \"%s\" must be true or false",
                             name);
}

/* A time, or how far away it is: "2027-01-01T00:00:00Z", "30d". */
static enum hf_err time_param(struct hf_api_job *job, const char *name, int64_t *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(0);
    const char *text = NULL;
    int64_t ms;
    HF_TRY(text_param(job, name, &buf, &text));
    if (!text || hf_ca_parse_time(text, out) == HF_OK) {
        return HF_OK;
    }
    if (hf_parse_duration(text, &ms) == HF_OK && ms > 0) {
        *out = hf_clock_wall_s(hf_ca_clock(job->api->ca)) + ms / 1000;
        return HF_OK;
    }
    return hf_api_fail(job, HF_CA_MALFORMED,
                       "the parameter \"%s\" must be a time, or a duration such as 30d", name);
}

/* --- What the CA is -----------------------------------------------------------------------------
 */

enum hf_err hf_api_info(struct hf_api_job *job, json_t **out)
{
    static const char *const none[] = {NULL};
    json_t *rights = json_array();
    static const char *const names[] = {
#define NAME(id, name, doc) name,
        HF_CA_RIGHT_TABLE(NAME)
#undef NAME
    };
    HF_TRY(hf_api_check_query(job, none));
    for (size_t i = 0; i < HF_CA_N_RIGHTS; i++) {
        if (job->op.caller.rights & 1u << i) {
            (void)json_array_append_new(rights, json_string(names[i]));
        }
    }
    return given(json_pack("{s:s, s:s, s:o}", "ca", hf_store_id(hf_ca_store(job->api->ca)), "you",
                           job->op.caller.name, "rights", rights),
                 out);
}

enum hf_err hf_api_roots(struct hf_api_job *job, json_t **out)
{
    struct hf_authorities *set = hf_ca_authorities(job->api->ca);
    (void)out;
    if (!set) {
        return out_of_memory();
    }
    enum hf_err err = hf_authorities_roots(set, &job->text);
    hf_authorities_unref(set);
    job->content_type = "application/pem-certificate-chain";
    return err;
}

static json_t *show_authority(const struct hf_authorities *set, const struct hf_authority *one)
{
    const struct hf_authority *parent = hf_authorities_by_id(set, one->parent);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    struct hf_identity *identity = NULL;
    if (one->cert && (hf_cert_write_pem(one->cert, &pem) != HF_OK ||
                      hf_identity_new(one->cert, &identity) != HF_OK)) {
        return NULL;
    }
    json_t *shown = json_pack(
        "{s:s, s:s, s:b, s:s*, s:s*, s:s*, s:o*, s:o*, s:b, s:s*}", "name", one->name, "state",
        hf_store_authority_state_name(one->state), "root", (int)one->is_root, "parent",
        parent ? parent->name : NULL, "subject", identity ? identity->subject : NULL, "serial",
        identity ? identity->serial : NULL, "not_before",
        one->cert ? hf_api_show_time(one->cert->not_before) : NULL, "not_after",
        one->cert ? hf_api_show_time(one->cert->not_after) : NULL, "can_sign",
        (int)(one->issuer != NULL), "certificate", one->cert ? hf_buf_cstr(&pem) : NULL);
    hf_identity_unref(identity);
    return shown;
}

enum hf_err hf_api_authorities(struct hf_api_job *job, json_t **out)
{
    json_t *list = json_array();
    struct hf_authorities *set = hf_ca_authorities(job->api->ca);
    if (!set) {
        json_decref(list);
        return out_of_memory();
    }
    for (size_t i = 0; i < set->n; i++) {
        (void)json_array_append_new(list, show_authority(set, set->item[i]));
    }
    hf_authorities_unref(set);
    return given(json_pack("{s:o}", "authorities", list), out);
}

static json_t *show_profile(const struct hf_cert_profile *profile)
{
    return json_pack("{s:s, s:s, s:s}", "name", profile->name, "about", profile->about, "yaml",
                     text_of(profile->yaml));
}

static bool has_name(const json_t *list, const char *name)
{
    size_t at;
    const json_t *item;
    json_array_foreach(list, at, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0) {
            return true;
        }
    }
    return false;
}

/* The store's own before those built in, which they may stand in place of. */
enum hf_err hf_api_profiles(struct hf_api_job *job, json_t **out)
{
    json_t *list = json_array();
    struct hf_ca_view *view = hf_ca_view_take(job->api->ca);
    for (size_t i = 0; view && i < view->n_profiles; i++) {
        (void)json_array_append_new(list, show_profile(view->profiles[i]));
    }
    hf_ca_view_unref(view);
    for (const char *const *word = hf_cert_profile_words; *word; word++) {
        struct hf_cert_profile *profile;
        if (!has_name(list, *word) && hf_cert_profile_builtin(*word, &profile) == HF_OK) {
            (void)json_array_append_new(list, show_profile(profile));
            hf_cert_profile_unref(profile);
        }
    }
    return given(json_pack("{s:o}", "profiles", list), out);
}

/* --- Certificates -------------------------------------------------------------------------------
 */

struct listing {
    json_t *list;
    const struct hf_authorities *set;
    int64_t last; /* id or number of the last one */
};

static enum hf_err add_cert(void *ctx, const struct hf_store_cert *row)
{
    struct listing *listing = ctx;
    return json_array_append_new(listing->list, hf_api_show_cert(listing->set, row)) == 0
               ? HF_OK
               : out_of_memory();
}

enum { TEXT_PARAMS = 6 };

struct cert_params {
    struct hf_buf buf[TEXT_PARAMS];
    struct hf_ca_which which;
    const char *cursor;
    uint64_t limit;
};

static void cert_params_done(struct cert_params *params)
{
    for (size_t i = 0; i < TEXT_PARAMS; i++) {
        hf_buf_done(&params->buf[i]);
    }
}

static enum hf_err read_params(struct hf_api_job *job, struct cert_params *out)
{
    static const char *const known[] = {"authority",  "identity", "profile", "requester",
                                        "text",       "cursor",   "limit",   "expires_before",
                                        "never_seen", "revoked",  "valid",   NULL};
    struct hf_ca_which *which = &out->which;
    const struct {
        const char *name;
        const char **to;
    } texts[TEXT_PARAMS] = {{"authority", &which->authority}, {"identity", &which->identity},
                            {"profile", &which->profile},     {"requester", &which->requester},
                            {"text", &which->text},           {"cursor", &out->cursor}};
    HF_TRY(hf_api_check_query(job, known));
    for (size_t i = 0; i < TEXT_PARAMS; i++) {
        HF_TRY(text_param(job, texts[i].name, &out->buf[i], texts[i].to));
    }
    out->limit = LIMIT_STANDARD;
    HF_TRY(number_param(job, "limit", HF_STORE_PAGE_MAX, &out->limit));
    HF_TRY(time_param(job, "expires_before", &which->expires_before));
    HF_TRY(bool_param(job, "never_seen", &which->never_seen));
    HF_TRY(bool_param(job, "revoked", &which->revoked));
    return bool_param(job, "valid", &which->valid);
}

enum hf_err hf_api_certs(struct hf_api_job *job, json_t **out)
{
    HF_CLEANUP(cert_params_done) struct cert_params params = {.cursor = NULL};
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_store_query query;
    struct hf_store_page page = {0};
    HF_TRY(read_params(job, &params));
    HF_TRY(hf_ca_query(job->api->ca, &params.which, serial, &query));
    query.limit = params.limit ? params.limit : LIMIT_STANDARD;
    query.cursor = params.cursor;
    struct hf_authorities *set = hf_ca_authorities(job->api->ca);
    struct listing listing = {json_array(), set, 0};
    enum hf_err err =
        set ? hf_store_certs(hf_ca_store(job->api->ca), &query, add_cert, &listing, &page)
            : out_of_memory();
    hf_authorities_unref(set);
    if (err != HF_OK) {
        json_decref(listing.list);
        return err;
    }
    return given(json_pack("{s:o, s:s*}", "certificates", listing.list, "next",
                           page.more ? page.cursor : NULL),
                 out);
}

struct one {
    json_t *shown;
    const struct hf_authorities *set;
    struct hf_cert *cert;
    unsigned n;
};

static enum hf_err take_one(void *ctx, const struct hf_store_cert *row)
{
    struct one *one = ctx;
    one->n++;
    json_decref(one->shown);
    one->shown = hf_api_show_cert(one->set, row);
    hf_cert_unref(one->cert);
    one->cert = NULL;
    HF_TRY(row->der.len ? hf_cert_from_der(row->der, &one->cert) : HF_OK);
    return one->shown ? HF_OK : out_of_memory();
}

static enum hf_err find_one(struct hf_api_job *job, const struct hf_ca_which *which,
                            struct one *out)
{
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_store_query query;
    struct hf_store_page page = {.more = true};
    HF_TRY(hf_ca_query(job->api->ca, which, serial, &query));
    query.limit = 2;
    query.with_der = true;
    while (page.more && out->n < 2) {
        query.cursor = page.cursor;
        HF_TRY(hf_store_certs(hf_ca_store(job->api->ca), &query, take_one, out, &page));
    }
    if (out->n == 1) {
        return HF_OK;
    }
    return out->n ? hf_api_fail(job, HF_CA_INVALID,
                                "more than one authority issued the serial %.64s: name it with "
                                "?authority=",
                                job->param)
                  : hf_api_fail(job, HF_CA_NOT_FOUND,
                                "there is no certificate with the serial "
                                "%.64s",
                                job->param);
}

/* Everybody may see the certificate that they came with. */
static bool is_own(const struct hf_api_job *job, const struct hf_cert *cert)
{
    return job->cert && cert && memcmp(job->cert->sha256, cert->sha256, HF_SHA256_SIZE) == 0;
}

enum hf_err hf_api_cert(struct hf_api_job *job, json_t **out)
{
    static const char *const known[] = {"authority", "format", NULL};
    HF_CLEANUP(hf_buf_done) struct hf_buf authority = HF_BUF_INIT(0);
    HF_CLEANUP(hf_buf_done) struct hf_buf format = HF_BUF_INIT(0);
    const char *wanted = "json";
    struct hf_ca_which which = {.serial = job->param};
    struct one one = {0};
    HF_TRY(hf_api_check_query(job, known));
    HF_TRY(text_param(job, "authority", &authority, &which.authority));
    HF_TRY(text_param(job, "format", &format, &wanted));
    if (strcmp(wanted, "json") != 0 && strcmp(wanted, "pem") != 0 && strcmp(wanted, "der") != 0) {
        return hf_api_fail(job, HF_CA_INVALID, "the parameter \"format\" is json, pem or der");
    }
    struct hf_authorities *set = hf_ca_authorities(job->api->ca);
    one.set = set;
    enum hf_err err = set ? find_one(job, &which, &one) : out_of_memory();
    hf_authorities_unref(set);
    if (!(job->op.caller.rights & HF_CA_MAY_READ) && !is_own(job, one.cert)) {
        /* whether there is such a certificate isn't told */
        err = hf_api_fail(job, HF_CA_FORBIDDEN, "%.300s may not read this", job->op.caller.name);
    } else if (err == HF_OK && *wanted != 'j' && !one.cert) {
        err = hf_api_fail(job, HF_CA_NOT_FOUND, "only the number of this certificate is known");
    } else if (err == HF_OK && *wanted == 'p') {
        job->content_type = "application/pem-certificate-chain";
        err = hf_cert_write_pem(one.cert, &job->text);
    } else if (err == HF_OK && *wanted == 'd') {
        job->content_type = "application/pkix-cert";
        err = hf_buf_append(&job->text, one.cert->der);
    }
    hf_cert_unref(one.cert);
    if (err != HF_OK || job->content_type) {
        json_decref(one.shown);
        return err;
    }
    return given(one.shown, out);
}

/* --- Lists by number ----------------------------------------------------------------------------
 */

struct numbered {
    uint64_t after, limit;
};

static enum hf_err numbered_params(struct hf_api_job *job, struct numbered *out)
{
    *out = (struct numbered){.limit = LIMIT_STANDARD};
    HF_TRY(number_param(job, "after", INT64_MAX, &out->after));
    HF_TRY(number_param(job, "limit", HF_STORE_PAGE_MAX, &out->limit));
    out->limit = out->limit ? out->limit : LIMIT_STANDARD;
    return HF_OK;
}

static enum hf_err add_shown(struct listing *listing, int64_t number, json_t *shown)
{
    listing->last = number;
    return json_array_append_new(listing->list, shown) == 0 ? HF_OK : out_of_memory();
}

/* `next` is the number to go on after. */
static enum hf_err give_list(enum hf_err err, const char *name, struct listing *listing,
                             uint64_t limit, json_t **out)
{
    if (err != HF_OK) {
        json_decref(listing->list);
        return err;
    }
    bool more = json_array_size(listing->list) >= limit;
    json_t *whole = json_pack("{s:o}", name, listing->list);
    if (whole && more) {
        (void)json_object_set_new(whole, "next", json_integer(listing->last));
    }
    return given(whole, out);
}

static enum hf_err add_revocation(void *ctx, const struct hf_store_revocation *row)
{
    struct listing *listing = ctx;
    const struct hf_authority *authority = hf_authorities_by_id(listing->set, row->authority);
    char serial[2 * HF_STORE_SERIAL_MAX + 1];
    hf_hex(row->serial, serial);
    return add_shown(
        listing, row->seq,
        json_pack("{s:I, s:s, s:s*, s:s, s:s*, s:o*, s:o*, s:s*}", "seq", (json_int_t)row->seq,
                  "act", hf_store_act_name(row->act), "authority",
                  authority ? authority->name : NULL, "serial",
                  serial + (serial[0] == '0' && serial[1]), "reason",
                  row->act == HF_ACT_RELEASE ? NULL : hf_revoked_for_name((unsigned)row->reason),
                  "at", hf_api_show_time(row->at), "written_at", hf_api_show_time(row->written_at),
                  "actor", row->actor));
}

enum hf_err hf_api_journal(struct hf_api_job *job, json_t **out)
{
    static const char *const known[] = {"after", "limit", NULL};
    struct numbered page;
    HF_TRY(hf_api_check_query(job, known));
    HF_TRY(numbered_params(job, &page));
    struct hf_authorities *set = hf_ca_authorities(job->api->ca);
    if (!set) {
        return out_of_memory();
    }
    struct listing listing = {json_array(), set, 0};
    enum hf_err err = hf_store_journal(hf_ca_store(job->api->ca), 0, (int64_t)page.after,
                                       page.limit, add_revocation, &listing);
    hf_authorities_unref(set);
    return give_list(err, "revocations", &listing, page.limit, out);
}

static enum hf_err add_request(void *ctx, const struct hf_store_request *row)
{
    return add_shown(
        ctx, row->id,
        json_pack(
            "{s:I, s:s, s:s*, s:s*, s:s*, s:o*, s:o*, s:s*, s:o*, s:s*}", "id", (json_int_t)row->id,
            "state", hf_store_request_state_name(row->state), "profile", row->profile, "identity",
            row->identity, "requester", row->requester, "created_at",
            hf_api_show_time(row->created_at), "expires_at", hf_api_show_time(row->expires_at),
            "decider", *text_of(row->decider) ? row->decider : NULL, "decided_at",
            hf_api_show_time(row->decided_at), "note", *text_of(row->reason) ? row->reason : NULL));
}

static enum hf_err state_param(struct hf_api_job *job, int *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(0);
    const char *text = NULL;
    HF_TRY(text_param(job, "state", &buf, &text));
    *out = -1;
    for (int i = 0; text && i < HF_REQUEST_N_STATES; i++) {
        if (strcmp(text, hf_store_request_state_name((enum hf_store_request_state)i)) == 0) {
            *out = i;
        }
    }
    return !text || *out >= 0
               ? HF_OK
               : hf_api_fail(job, HF_CA_INVALID,
                             "the parameter \"state\" is pending, approved, denied or issued");
}

enum hf_err hf_api_requests(struct hf_api_job *job, json_t **out)
{
    static const char *const known[] = {"after", "limit", "state", NULL};
    struct listing listing = {0};
    struct numbered page;
    int state;
    HF_TRY(hf_api_check_query(job, known));
    HF_TRY(numbered_params(job, &page));
    HF_TRY(state_param(job, &state));
    listing.list = json_array();
    enum hf_err err = hf_store_requests(hf_ca_store(job->api->ca), state, (int64_t)page.after,
                                        page.limit, add_request, &listing);
    return give_list(err, "requests", &listing, page.limit, out);
}

static enum hf_err add_token(void *ctx, const struct hf_store_token *row)
{
    return add_shown(
        ctx, row->id,
        json_pack("{s:I, s:s*, s:s*, s:s*, s:s*, s:I, s:o*, s:o*, s:o*}", "id", (json_int_t)row->id,
                  "profile", row->profile, "name", *text_of(row->limits) ? row->limits : NULL,
                  "note", *text_of(row->note) ? row->note : NULL, "creator", row->creator,
                  "uses_left", (json_int_t)row->uses_left, "expires_at",
                  hf_api_show_time(row->expires_at), "created_at",
                  hf_api_show_time(row->created_at), "used_at", hf_api_show_time(row->used_at)));
}

enum hf_err hf_api_tokens(struct hf_api_job *job, json_t **out)
{
    static const char *const known[] = {"after", "limit", NULL};
    struct listing listing = {0};
    struct numbered page;
    HF_TRY(hf_api_check_query(job, known));
    HF_TRY(numbered_params(job, &page));
    listing.list = json_array();
    enum hf_err err = hf_store_tokens(hf_ca_store(job->api->ca), (int64_t)page.after, page.limit,
                                      add_token, &listing);
    return give_list(err, "tokens", &listing, page.limit, out);
}

static enum hf_err add_audit(void *ctx, const struct hf_store_audit *row)
{
    char hash[2 * HF_STORE_HASH_SIZE + 1];
    hf_hex(hf_bytes_of(row->hash, HF_STORE_HASH_SIZE), hash);
    return add_shown(ctx, row->seq,
                     json_pack("{s:I, s:o*, s:s*, s:s*, s:s*, s:s*, s:s}", "seq",
                               (json_int_t)row->seq, "at", hf_api_show_time(row->at), "actor",
                               row->actor, "action", row->action, "target",
                               *text_of(row->target) ? row->target : NULL, "detail",
                               *text_of(row->detail) ? row->detail : NULL, "hash", hash));
}

enum hf_err hf_api_audit(struct hf_api_job *job, json_t **out)
{
    static const char *const known[] = {"after", "limit", NULL};
    struct listing listing = {0};
    struct numbered page;
    HF_TRY(hf_api_check_query(job, known));
    HF_TRY(numbered_params(job, &page));
    listing.list = json_array();
    enum hf_err err = hf_store_audits(hf_ca_store(job->api->ca), (int64_t)page.after, page.limit,
                                      add_audit, &listing);
    return give_list(err, "audit", &listing, page.limit, out);
}
