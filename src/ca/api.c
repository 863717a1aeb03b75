// SPDX-License-Identifier: Apache-2.0
/* A request's way: route, who asks, what it says, the operation or the read, the answer. */
#include "ca/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/map.h"
#include "base/mem.h"
#include "ca/api_impl.h"
#include "ca/service_impl.h"
#include "http/facts.h"
#include "pki/write.h"

enum {
    BODY_MAX = 256 << 10,
    ANSWER_MS = 30000,
    ANSWER_MAX = 32 << 20,  /* a page of a thousand certificates */
    ISSUED_SIZE = 8 << 10,  /* that the answer with a certificate seldom passes */
    SECRET_SIZE = 64 << 10, /* nor one with a private key, which growing would leave behind */
    SEGMENTS_MAX = 8,
    RETRY_AFTER_S = 2,
    DETAIL_MAX = 2048,
};

/* --- Jobs ---------------------------------------------------------------------------------------
 */

static void job_free(struct hf_api_job *job)
{
    hf_ca_op_done(&job->op);
    hf_cert_unref(job->cert);
    hf_free(job->name);
    hf_free(job->roles);
    json_decref(job->body);
    hf_api_forget(&job->text);
    hf_service_unref(&job->api->service);
    hf_free(job);
}

/* --- Answers ------------------------------------------------------------------------------------
 */

/* What is in the answer goes out, and the job goes. Where even that fails, a bare status does. */
static void give(struct hf_api_job *job, struct hf_service_answer *answer, enum hf_err err)
{
    err = err == HF_OK ? hf_service_field(answer, "cache-control", "no-store") : err;
    if (err != HF_OK) {
        hf_service_answer_done(answer);
        *answer = (struct hf_service_answer){.status = 500};
    }
    hf_service_answer(job->call, answer);
    job_free(job);
}

static void release_body(void *ctx)
{
    hf_api_forget(ctx);
    hf_free(ctx);
}

/* Takes the buffer's memory, which is wiped afterwards: a private key may be in it. */
static enum hf_err put_body(struct hf_service_answer *answer, struct hf_buf *buf)
{
    struct hf_buf *mine = HF_NEW(struct hf_buf);
    if (!mine) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    *mine = *buf;
    *buf = HF_BUF_INIT(buf->cap);
    answer->body = hf_buf_bytes(mine);
    answer->release = release_body;
    answer->ctx = mine;
    return HF_OK;
}

static enum hf_err put_json(struct hf_service_answer *answer, json_t *value, const char *type)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(value);
    if (!text) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    HF_CLEANUP(hf_api_forget) struct hf_buf body = HF_BUF_INIT(ANSWER_MAX);
    enum hf_err err = hf_buf_append_str(&body, text);
    hf_wipe(text, strlen(text));
    free(text);
    HF_TRY(err);
    answer->content_type = type;
    return put_body(answer, &body);
}

/* RFC 9457 (7807): `type` is for programs, `detail` for people. */
static void give_problem(struct hf_api_job *job, unsigned status, const char *name,
                         const char *title, const char *detail)
{
    struct hf_service_answer answer = {.status = status};
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(8 * DETAIL_MAX);
    char type[96];
    bool told = *detail && hf_append_printable(&safe, hf_bytes_str(detail), DETAIL_MAX) == HF_OK;
    snprintf(type, sizeof(type), "urn:handfast:problem:%s", name);
    json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s*, s:s}", "type", type, "title", title, "status", (int)status,
                  "detail", told ? hf_buf_cstr(&safe) : NULL, "request_id", job->call->request.id);
    if (problem && job->op.why != HF_REFUSAL_NONE) {
        (void)json_object_set_new(problem, "reason", json_string(hf_refusal_name(job->op.why)));
    }
    enum hf_err err = put_json(&answer, problem, "application/problem+json");
    if (err == HF_OK && status == 503) {
        err = hf_service_field(&answer, "retry-after", "%d", RETRY_AFTER_S);
    }
    give(job, &answer, err);
}

static void give_outcome(struct hf_api_job *job, enum hf_ca_outcome outcome, const char *detail)
{
    give_problem(job, hf_ca_outcome_status(outcome), hf_ca_outcome_name(outcome),
                 hf_ca_outcome_title(outcome), detail);
}

/* After hf_fail or hf_api_fail. */
static void give_failure(struct hf_api_job *job, enum hf_err err)
{
    enum hf_ca_outcome outcome = job->outcome            ? job->outcome
                                 : err == HF_E_NOT_FOUND ? HF_CA_NOT_FOUND
                                 : err == HF_E_INVALID   ? HF_CA_INVALID
                                 : err == HF_E_MALFORMED ? HF_CA_MALFORMED
                                 : err == HF_E_TOO_LARGE ? HF_CA_INVALID
                                 : err == HF_E_BUSY      ? HF_CA_BUSY
                                 : err == HF_E_IO        ? HF_CA_STORE
                                 : err == HF_E_TIMEOUT   ? HF_CA_STORE
                                 : err == HF_E_CLOSED    ? HF_CA_STORE
                                                         : HF_CA_INTERNAL;
    give_outcome(job, outcome, hf_err_text());
}

/* --- Operations ---------------------------------------------------------------------------------
 */

static bool wants_pem(const struct hf_api_job *job)
{
    struct hf_bytes accept;
    return hf_service_header(job->call, "accept", 0, &accept) &&
           hf_bytes_eq_str(accept, "application/pem-certificate-chain");
}

static enum hf_err put_pem(struct hf_service_answer *answer, const struct hf_ca_op *op)
{
    HF_CLEANUP(hf_api_forget) struct hf_buf pem = HF_BUF_INIT(ANSWER_MAX);
    if (op->key) {
        HF_TRY(hf_key_write_pem(op->key, hf_bytes_of(NULL, 0), &pem));
    }
    HF_TRY(hf_pem_block("CERTIFICATE", op->der, &pem));
    HF_TRY(op->above ? hf_chain_write_pem(op->above, &pem) : HF_OK);
    answer->content_type = "application/pem-certificate-chain";
    return put_body(answer, &pem);
}

static enum hf_err put_op(struct hf_service_answer *answer, const struct hf_ca_op *op)
{
    HF_CLEANUP(hf_api_forget) struct hf_buf body = HF_BUF_INIT(ANSWER_MAX);
    struct hf_span room;
    HF_TRY(hf_buf_reserve(&body, op->key ? SECRET_SIZE : op->der.ptr ? ISSUED_SIZE : 1, &room));
    HF_TRY(hf_api_write_op(op, &body));
    answer->content_type = "application/json";
    return put_body(answer, &body);
}

/* Whether what is done made a certificate or a token, which then has a place of its own. */
static enum hf_err put_place(struct hf_service_answer *answer, const struct hf_api_job *job)
{
    const struct hf_ca_op *op = &job->op;
    struct hf_bytes full = job->call->request.full_path;
    struct hf_bytes path = job->call->request.path;
    int prefix = full.len >= path.len ? (int)(full.len - path.len) : 0;
    if (op->identity) {
        return hf_service_field(answer, "location", "%.*s/v1/certificates/%s", prefix,
                                (const char *)full.ptr, op->identity->serial);
    }
    return op->outcome == HF_CA_PENDING && op->id
               ? hf_service_field(answer, "location", "%.*s/v1/requests/%s", prefix,
                                  (const char *)full.ptr, op->id)
               : HF_OK;
}

static void give_done(struct hf_api_job *job)
{
    const struct hf_ca_op *op = &job->op;
    struct hf_service_answer answer = {.status = op->outcome == HF_CA_PENDING ? 202
                                                 : op->der.ptr || op->token   ? 201
                                                                              : 200};
    enum hf_err err = put_place(&answer, job);
    if (err == HF_OK) {
        err = op->der.ptr && wants_pem(job) ? put_pem(&answer, op) : put_op(&answer, op);
    }
    give(job, &answer, err);
}

static void on_obeyed(struct hf_obeyed_wait *wait)
{
    give_done(HF_CONTAINER_OF(wait, struct hf_api_job, obeyed));
}

static void on_done(struct hf_ca_op *op)
{
    struct hf_api_job *job = HF_CONTAINER_OF(op, struct hf_api_job, op);
    if (op->outcome != HF_CA_DONE && op->outcome != HF_CA_PENDING) {
        give_outcome(job, op->outcome, op->text);
        return;
    }
    job->obeyed = (struct hf_obeyed_wait){.seq = op->journal_seq, .done = on_obeyed};
    if (!job->api->obeyed || !hf_obeyed_wait(job->api->obeyed, &job->obeyed)) {
        give_done(job);
    }
}

static void fill_op(struct hf_api_job *job)
{
    const struct hf_api_input *in = &job->input;
    struct hf_ca_op *op = &job->op;
    op->verb = job->route->verb;
    op->done = on_done;
    op->ask = (struct hf_ca_ask){
        .profile = in->profile,
        .authority = in->authority,
        .name = in->name,
        .sans = in->names.item,
        .n_sans = in->names.n,
        .key_type = in->key_type,
        .csr = in->csr ? hf_bytes_str(in->csr) : hf_bytes_of(NULL, 0),
        .csr_label = "csr",
        .lifetime_s = in->lifetime_s,
        .token = in->token,
    };
    op->reason = in->reason;
    op->dry_run = in->dry_run;
    op->revoke_old = in->revoke_old;
    op->note = in->note;
}

/* --- Reads --------------------------------------------------------------------------------------
 */

static void run_read(struct hf_crew_task *task, bool dropped)
{
    struct hf_api_job *job = HF_CONTAINER_OF(task, struct hf_api_job, task);
    struct hf_service_answer answer = {.status = 200};
    json_t *value = NULL;
    if (dropped) {
        give_outcome(job, HF_CA_BUSY, "the CA is being stopped");
        return;
    }
    enum hf_err err = job->route->read(job, &value);
    if (err != HF_OK) {
        json_decref(value);
        give_failure(job, err);
    } else if (job->content_type) {
        answer.content_type = job->content_type;
        give(job, &answer, put_body(&answer, &job->text));
    } else {
        give(job, &answer, put_json(&answer, value, "application/json"));
    }
}

/* --- Who asks -----------------------------------------------------------------------------------
 */

static enum hf_err name_caller(struct hf_api_job *job)
{
    const struct hf_service_request *request = &job->call->request;
    const struct hf_facts facts = {.identity = request->identity, .verified = request->verified};
    struct hf_peer_id id = hf_facts_id(&facts);
    HF_CLEANUP(hf_buf_done) struct hf_buf name = HF_BUF_INIT(HF_IDENTITY_TEXT_MAX + 32);
    HF_TRY(hf_buf_append_str(&name, id.name ? id.prefix : "anonymous"));
    HF_TRY(hf_buf_append_str(&name, id.name ? id.name : ""));
    job->name = hf_strdup(hf_buf_cstr(&name));
    job->op.caller.name = job->name;
    return job->name ? HF_OK : HF_E_NOMEM;
}

static enum hf_err take_roles(struct hf_api_job *job, const struct hf_identity *identity)
{
    const struct hf_ca_api *api = job->api;
    struct hf_ca_caller *caller = &job->op.caller;
    size_t n = hf_roles_count(api->roles);
    HF_CLEANUP(hf_freep) enum hf_match *has = hf_alloc_zero(n + 1, sizeof(*has));
    job->roles = hf_alloc_zero(n + 1, sizeof(*job->roles));
    if (!has || !job->roles) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_roles_judge(api->roles, identity, has));
    for (size_t i = 0; i < api->n_named; i++) {
        if (has[i] == HF_MATCH_YES) {
            job->roles[caller->n_roles++] = hf_roles_name(api->roles, i);
        }
    }
    caller->roles = job->roles;
    for (size_t right = 0; right < HF_CA_N_RIGHTS; right++) {
        size_t role = api->right_role[right];
        if (api->right_verified[right] || (role != SIZE_MAX && has[role] == HF_MATCH_YES)) {
            caller->rights |= 1u << right;
        }
    }
    return HF_OK;
}

static enum hf_err parse_once(struct hf_ca_api *api, struct hf_bytes der, struct hf_cert **out)
{
    struct hf_cert **place = &api->known[hf_hash64(der) % HF_API_KNOWN];
    *out = NULL;
    pthread_mutex_lock(&api->lock);
    if (*place && hf_bytes_eq((*place)->der, der)) {
        *out = hf_cert_ref(*place);
    }
    pthread_mutex_unlock(&api->lock);
    if (*out) {
        return HF_OK;
    }
    HF_TRY(hf_cert_from_der(der, out));
    pthread_mutex_lock(&api->lock);
    struct hf_cert *before = *place;
    *place = hf_cert_ref(*out);
    pthread_mutex_unlock(&api->lock);
    hf_cert_unref(before);
    return HF_OK;
}

static enum hf_err take_caller(struct hf_api_job *job)
{
    const struct hf_service_request *request = &job->call->request;
    struct hf_ca_caller *caller = &job->op.caller;
    caller->address = *request->client_address ? request->client_address : NULL;
    caller->request_id = request->id;
    HF_TRY(name_caller(job));
    if (!request->verified || !request->identity || !request->chain) {
        return HF_OK;
    }
    HF_TRY(parse_once(job->api, request->chain->der[0], &job->cert));
    caller->cert = job->cert;
    return take_roles(job, request->identity);
}

/* --- Routes -------------------------------------------------------------------------------------
 */

/* Takes a segment off the front of a path. */
static bool take_segment(struct hf_bytes *rest, struct hf_bytes *out)
{
    size_t n = 1;
    if (!rest->len || rest->ptr[0] != '/') {
        return false;
    }
    while (n < rest->len && rest->ptr[n] != '/') {
        n++;
    }
    *out = hf_bytes_of(rest->ptr + 1, n - 1);
    *rest = hf_bytes_from(*rest, n);
    return true;
}

static bool fits(const char *pattern, struct hf_bytes path, struct hf_bytes *out_param)
{
    struct hf_bytes want = hf_bytes_str(pattern);
    struct hf_bytes a, b;
    *out_param = hf_bytes_of(NULL, 0);
    while (take_segment(&want, &a)) {
        if (!take_segment(&path, &b) || !b.len) {
            return false;
        }
        if (hf_bytes_eq_str(a, "{}")) {
            *out_param = b;
        } else if (!hf_bytes_eq(a, b)) {
            return false;
        }
    }
    return path.len == 0;
}

/* NULL: none of this method; *out_allow then lists the methods that the path has. */
static const struct hf_api_route *find_route(const struct hf_service_request *request,
                                             struct hf_bytes *out_param, char *allow, size_t size)
{
    enum hf_http_method method =
        request->method == HF_METHOD_HEAD ? HF_METHOD_GET : request->method;
    size_t len = 0;
    *allow = '\0';
    for (size_t i = 0; i < hf_api_n_routes; i++) {
        const struct hf_api_route *route = &hf_api_routes[i];
        if (!fits(route->path, request->path, out_param)) {
            continue;
        }
        if (route->method == method) {
            return route;
        }
        int n = snprintf(allow + len, size - len, "%s%s", len ? ", " : "",
                         hf_http_method_text(route->method));
        len += n > 0 && (size_t)n < size - len ? (size_t)n : 0;
    }
    return NULL;
}

static void refuse_route(struct hf_api_job *job, const char *allow)
{
    struct hf_service_answer answer = {.status = *allow ? 405 : 404};
    const char *title = *allow ? "this can't be done to it" : "there is nothing here";
    json_t *problem = json_pack(
        "{s:s, s:s, s:i, s:s}", "type",
        *allow ? "urn:handfast:problem:method" : "urn:handfast:problem:not-found", "title", title,
        "status", (int)answer.status, "request_id", job->call->request.id);
    enum hf_err err = *allow ? hf_service_field(&answer, "allow", "%s", allow) : HF_OK;
    give(job, &answer, err == HF_OK ? put_json(&answer, problem, "application/problem+json") : err);
}

static enum hf_err check_rights(struct hf_api_job *job)
{
    unsigned needs = job->route->rights;
    if ((job->op.caller.rights & needs) == needs) {
        return HF_OK;
    }
    return hf_api_fail(job, HF_CA_FORBIDDEN, "%.300s may not read this", job->op.caller.name);
}

static enum hf_err begin(struct hf_api_job *job)
{
    HF_TRY(take_caller(job));
    HF_TRY(hf_api_read_body(job));
    if (job->route->read) {
        HF_TRY(check_rights(job));
        job->task = (struct hf_crew_task){.run = run_read};
        return hf_crew_add(job->api->ca->crew, &job->task);
    }
    fill_op(job);
    HF_TRY(job->route->prepare ? job->route->prepare(job) : HF_OK);
    hf_ca_submit(job->api->ca, &job->op);
    return HF_OK;
}

static void serve(struct hf_service *service, struct hf_service_call *call)
{
    struct hf_bytes param = hf_bytes_of(NULL, 0);
    char allow[64];
    struct hf_api_job *job = HF_NEW(struct hf_api_job);
    if (!job) {
        hf_service_say(call, 500, "out of memory\n");
        return;
    }
    hf_service_ref(service);
    job->api = HF_CONTAINER_OF(service, struct hf_ca_api, service);
    job->call = call;
    job->text = HF_BUF_INIT(ANSWER_MAX);
    job->route = find_route(&call->request, &param, allow, sizeof(allow));
    if (!job->route || param.len >= sizeof(job->param)) {
        refuse_route(job, allow);
        return;
    }
    memcpy(job->param, param.ptr ? param.ptr : (const uint8_t *)"", param.len);
    enum hf_err err = begin(job);
    if (err != HF_OK) {
        give_failure(job, err);
    }
}

/* --- Making it ----------------------------------------------------------------------------------
 */

static void api_free(struct hf_service *service)
{
    struct hf_ca_api *api = HF_CONTAINER_OF(service, struct hf_ca_api, service);
    for (size_t i = 0; i < HF_API_KNOWN; i++) {
        hf_cert_unref(api->known[i]);
    }
    pthread_mutex_destroy(&api->lock);
    hf_roles_free(api->roles);
    hf_free(api);
}

/* One role for each right, of everybody who has it; named so as no config could. */
static const char *const right_names[HF_CA_N_RIGHTS] = {
#define RIGHT_NAME(id, name, doc) "right/" name,
    HF_CA_RIGHT_TABLE(RIGHT_NAME)
#undef RIGHT_NAME
};

struct compiling {
    struct hf_role_source *sources;
    struct hf_role_expr *parts; /* of the rights, one after another */
};

static void compiling_done(struct compiling *compiling)
{
    hf_free(compiling->sources);
    hf_free(compiling->parts);
}

static size_t take_right(struct hf_ca_api *api, size_t right, const struct hf_ca_api_who *who,
                         struct hf_role_expr *parts)
{
    size_t n = 0;
    for (size_t i = 0; i < who->n; i++) {
        const char *text = who->who[i];
        if (strcmp(text, HF_CA_API_VERIFIED) == 0) {
            api->right_verified[right] = true;
            continue;
        }
        bool selector = hf_selector_is(hf_bytes_str(text));
        parts[n++] =
            (struct hf_role_expr){.op = selector ? HF_ROLE_SELECTOR : HF_ROLE_NAMED, .text = text};
    }
    return n;
}

static enum hf_err compile(struct hf_ca_api *api, const struct hf_ca_api_options *options)
{
    HF_CLEANUP(compiling_done) struct compiling compiling = {0};
    struct hf_role_place place;
    size_t n = options->n_roles;
    size_t n_parts = 0;
    size_t at = 0;
    for (size_t right = 0; right < HF_CA_N_RIGHTS; right++) {
        n_parts += options->rights[right].n;
    }
    compiling.sources = hf_alloc_zero(n + HF_CA_N_RIGHTS, sizeof(*compiling.sources));
    compiling.parts = hf_alloc_zero(n_parts + 1, sizeof(*compiling.parts));
    if (!compiling.sources || !compiling.parts) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        compiling.sources[i] = options->roles[i];
    }
    api->n_named = n;
    for (size_t right = 0; right < HF_CA_N_RIGHTS; right++) {
        size_t took = take_right(api, right, &options->rights[right], compiling.parts + at);
        api->right_role[right] = SIZE_MAX;
        if (took) {
            api->right_role[right] = n;
            compiling.sources[n++] = (struct hf_role_source){
                .name = right_names[right],
                .expr = {.op = HF_ROLE_ANY, .parts = compiling.parts + at, .n_parts = took}};
        }
        at += took;
    }
    return hf_roles_new(compiling.sources, n, &api->roles, &place);
}

enum hf_err hf_ca_api_new(const struct hf_ca_api_options *options, struct hf_service **out)
{
    static const struct hf_service_ops ops = {.serve = serve, .free = api_free};
    *out = NULL;
    struct hf_ca_api *api = HF_NEW(struct hf_ca_api);
    if (!api) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&api->lock, NULL);
    hf_service_init(&api->service, &ops, BODY_MAX, ANSWER_MS);
    api->ca = options->service;
    api->obeyed = options->obeyed;
    enum hf_err err = compile(api, options);
    if (err != HF_OK) {
        api_free(&api->service);
        return err;
    }
    *out = &api->service;
    return HF_OK;
}
