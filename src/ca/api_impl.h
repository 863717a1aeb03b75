// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_API_IMPL_H
#define HF_CA_API_IMPL_H

/*
 * Inside the API. A request is a struct hf_api_job from the moment its route was found:
 *
 *     worker                       CA thread                      store's thread
 *     route, who, JSON  --verb-->  the operation  -------------->  committed: answer, but what was
 *                                                                  revoked waits until it is obeyed
 *                       --read-->  a page of the store: answer
 */

#include <jansson.h>
#include <pthread.h>

#include "ca/api.h"
#include "ca/crew.h"

enum { HF_API_KNOWN = 64 };

struct hf_ca_api {
    struct hf_service service;
    pthread_mutex_t lock;                /* of known, for a look or a change */
    struct hf_cert *known[HF_API_KNOWN]; /* clients' certificates that were parsed before: they ask
                                            often, and parsing costs as much as a signature */
    struct hf_ca_service *ca;
    struct hf_obeyed *obeyed;          /* NULL: nothing waits for that */
    struct hf_roles *roles;            /* the config's, then one for each right that somebody has */
    size_t n_named;                    /* how many are the config's */
    size_t right_role[HF_CA_N_RIGHTS]; /* SIZE_MAX: nobody by role */
    bool right_verified[HF_CA_N_RIGHTS]; /* everybody with a verified certificate */
};

/* What a body may say. Texts belong to the job's JSON. */
#define HF_API_FIELD_TABLE(X) \
    X(PROFILE, "profile", TEXT, profile) \
    X(AUTHORITY, "authority", TEXT, authority) \
    X(NAME, "name", TEXT, name) \
    X(NAMES, "names", TEXTS, names) \
    X(KEY_TYPE, "key_type", TEXT, key_type) \
    X(CSR, "csr", TEXT, csr) \
    X(LIFETIME, "lifetime", DURATION, lifetime_s) \
    X(TOKEN, "token", TEXT, token) \
    X(NOTE, "note", TEXT, note) \
    X(REASON, "reason", REASON, reason) \
    X(REVOKE_OLD, "revoke_old", BOOL, revoke_old) \
    X(DRY_RUN, "dry_run", BOOL, dry_run) \
    X(IDENTITY, "identity", TEXT, identity) \
    X(REQUESTER, "requester", TEXT, requester) \
    X(TEXT, "text", TEXT, text) \
    X(EXPIRES_BEFORE, "expires_before", TIME, expires_before) \
    X(NEVER_SEEN, "never_seen", BOOL, never_seen) \
    X(VALID, "valid", BOOL, valid) \
    X(USES, "uses", COUNT, uses)

#define HF_API_FIELD_ENUM(id, name, kind, member) HF_API_##id,
enum hf_api_field { HF_API_FIELD_TABLE(HF_API_FIELD_ENUM) HF_API_N_FIELDS };
#undef HF_API_FIELD_ENUM

#define HF_API_NAMES_MAX 256

struct hf_api_names {
    const char *item[HF_API_NAMES_MAX];
    size_t n;
};

struct hf_api_input {
    const char *profile, *authority, *name, *key_type, *csr, *token, *note;
    const char *identity, *requester, *text;
    struct hf_api_names names;
    int64_t lifetime_s, expires_before, uses;
    int reason;
    bool revoke_old, dry_run, never_seen, valid;
};

struct hf_api_job;

struct hf_api_route {
    enum hf_http_method method;
    const char *path; /* "{}" stands for one segment, the job's param */
    uint32_t fields; /* bits of enum hf_api_field that its body may have; 0: no body is looked at */
    uint32_t required; /* bits of those that it must have */
    unsigned rights;   /* that a read needs; operations check their own */

    enum hf_ca_verb verb;
    /* One of these. prepare fills the operation beside what the input gives of itself. */
    enum hf_err (*prepare)(struct hf_api_job *job);
    enum hf_err (*read)(struct hf_api_job *job, json_t **out);
};

struct hf_api_job {
    struct hf_ca_op op;
    struct hf_crew_task task;
    struct hf_obeyed_wait obeyed;
    struct hf_service_call *call;
    struct hf_ca_api *api; /* a reference */
    const struct hf_api_route *route;
    struct hf_cert *cert;
    char *name;
    const char **roles;
    char param[160];
    json_t *body;
    struct hf_api_input input;
    struct hf_buf text;         /* of a read that gives no JSON */
    const char *content_type;   /* of that */
    enum hf_ca_outcome outcome; /* of a failure where it isn't op's */
};

extern const struct hf_api_route hf_api_routes[];
extern const size_t hf_api_n_routes;

/* hf_api_fail(job, HF_CA_x, ...) is hf_fail that also says how the request ends. */
#define hf_api_fail(job, outcome_, ...) \
    ((job)->outcome = (outcome_), hf_fail(HF_E_DENIED, __VA_ARGS__))

/* hf_api_forget wipes what may hold a private key, and frees it. */
static inline void hf_api_forget(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* hf_api_read_body reads the body into job->input by the route's fields. */
enum hf_err hf_api_read_body(struct hf_api_job *job) HF_MUST_CHECK;

/* hf_api_query gives a parameter of the URL; *out_found is false when there is none. Errors: those
 * of a malformed query. */
enum hf_err hf_api_query(struct hf_api_job *job, const char *name, bool *out_found,
                         struct hf_buf *out) HF_MUST_CHECK;

/* hf_api_check_query refuses parameters that aren't among these (ending with NULL). */
enum hf_err hf_api_check_query(struct hf_api_job *job, const char *const *known) HF_MUST_CHECK;

/* JSON of one thing; all NULL when out of memory. */
json_t *hf_api_show_time(int64_t unix_s);
json_t *hf_api_show_cert(const struct hf_authorities *set, const struct hf_store_cert *row);

/* hf_api_write_op appends what an operation gave, as a JSON object. A private key may be in it. */
enum hf_err hf_api_write_op(const struct hf_ca_op *op, struct hf_buf *out) HF_MUST_CHECK;

/* The reads. */
enum hf_err hf_api_info(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_roots(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_authorities(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_profiles(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_certs(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_cert(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_journal(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_requests(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_tokens(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;
enum hf_err hf_api_audit(struct hf_api_job *job, json_t **out) HF_MUST_CHECK;

#endif
