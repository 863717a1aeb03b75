// SPDX-License-Identifier: Apache-2.0
/*
 * The OCSP responder. A request is read on the worker's thread; what was asked before, and is
 * answered alike, is answered at once. The rest goes to the CA's threads, which ask the store and
 * sign:
 *
 *     request --> whose certificates? --> status by the live view --> cache --> answer
 *                        \--> unauthorized                   \--> crew: store, sign --> answer
 *
 * The key of the cache is a hash of all that the answer depends on: the request, the signer, what
 * the live view says of each certificate, and a quarter of an answer's lifetime, so that nobody
 * gets an answer that is older than that. So a revocation needs no sweeping: it makes another key.
 * An answer to a nonce is for one client, and "unknown" may be wrong a moment later, when the
 * certificate has been issued: neither is kept.
 *
 * At the end of a quarter all keys change at once. So who is given a kept answer in the last fourth
 * of it has the next one signed ahead, by the crew, RENEW_PER_S at most; what nobody asks for is
 * left to be forgotten.
 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "ca/public_impl.h"
#include "http/chars.h"
#include "http/status.h"

enum { CACHED_MAX = 16384, GET_MAX = 1024, RENEW_PER_S = 200 };

#define NO_RESPONDER SIZE_MAX

/* An answer that is signed. */
struct cached {
    atomic_uint refs;
    struct hf_blob *blob;
    int64_t this_update, next_update;
    atomic_bool renewed; /* the next one is being signed */
    char etag[2 * HF_SHA256_SIZE + 3];
};

static void cached_ref(void *value)
{
    struct cached *cached = value;
    atomic_fetch_add_explicit(&cached->refs, 1, memory_order_relaxed);
}

static void cached_unref(void *value)
{
    struct cached *cached = value;
    if (cached && atomic_fetch_sub_explicit(&cached->refs, 1, memory_order_acq_rel) == 1) {
        hf_blob_unref(cached->blob);
        hf_free(cached);
    }
}

enum hf_err hf_public_cache_new(struct hf_cache **out)
{
    static const struct hf_cache_ops ops = {cached_ref, cached_unref};
    return hf_cache_new(CACHED_MAX, &ops, out);
}

/* A request on its way. What ask points at is in the call, or in der. */
struct job {
    struct hf_crew_task task;
    struct hf_public *public;
    struct hf_service_call *call; /* NULL: signed ahead */
    struct hf_public_view *view;
    struct hf_ocsp_ask ask;
    size_t by[HF_OCSP_SERIALS_MAX]; /* the responder of each; NO_RESPONDER */
    size_t signer;                  /* the first of them */
    struct hf_buf der;              /* of GET, or a copy */
    uint8_t key[HF_CACHE_KEY_LEN];
    bool is_get;
};

static void job_free(struct job *job)
{
    hf_buf_done(&job->der);
    hf_public_view_unref(job->view);
    hf_service_unref(&job->public->service);
    hf_free(job);
}

/* --- Answers over HTTP --------------------------------------------------------------------------
 */

static void give_error(struct hf_service_call *call, enum hf_ocsp_response response)
{
    struct hf_service_answer answer = {.status = 200, .content_type = HF_OCSP_ANSWER_TYPE};
    hf_service_body_static(&answer, hf_ocsp_reply_error(response));
    if (hf_service_field(&answer, "cache-control", "no-store") != HF_OK) {
        answer.status = 500;
    }
    hf_service_answer(call, &answer);
}

/* RFC 5019 6.2. */
static enum hf_err describe(const struct cached *cached, bool keep, int64_t now,
                            const char *modified, struct hf_service_answer *answer)
{
    char expires[HF_HTTP_DATE_SIZE];
    if (!keep) {
        return hf_service_field(answer, "cache-control", "no-store");
    }
    int64_t left = cached->next_update > now ? cached->next_update - now : 0;
    hf_http_date(cached->next_update, expires);
    HF_TRY(hf_service_field(answer, "etag", "%s", cached->etag));
    HF_TRY(hf_service_field(answer, "last-modified", "%s", modified));
    HF_TRY(hf_service_field(answer, "expires", "%s", expires));
    return hf_service_field(answer, "cache-control",
                            "max-age=%lld, public, no-transform, must-revalidate", (long long)left);
}

static void give(const struct job *job, const struct cached *cached)
{
    char modified[HF_HTTP_DATE_SIZE];
    bool keep = job->is_get && !job->ask.nonce.ptr;
    struct hf_service_answer answer = {.status = 200, .content_type = HF_OCSP_ANSWER_TYPE};
    hf_http_date(cached->this_update, modified);
    int64_t now = hf_clock_wall_s(job->public->options.clock);
    if (describe(cached, keep, now, modified, &answer) != HF_OK) {
        hf_service_answer_done(&answer);
        give_error(job->call, HF_OCSP_RESPONSE_INTERNAL_ERROR);
        return;
    }
    if (keep && hf_public_not_changed(job->call, cached->etag, modified)) {
        answer.status = 304;
        answer.content_type = NULL;
    } else {
        answer.body = cached->blob->bytes;
        answer.release = hf_blob_release;
        answer.ctx = hf_blob_ref(cached->blob);
    }
    hf_service_answer(job->call, &answer);
}

/* --- Signing ------------------------------------------------------------------------------------
 */

static enum hf_err look(const struct job *job, size_t at, int64_t now, struct hf_ocsp_said *out,
                        bool *out_unknown)
{
    struct hf_store_standing standing = {.known = false};
    const struct hf_serial *serial = &job->ask.one[at].id.serial;
    int64_t lifetime = job->public->options.ocsp_lifetime_s;
    if (job->by[at] != NO_RESPONDER && !serial->negative && serial->len) {
        HF_TRY(hf_store_standing(job->public->options.store,
                                 job->view->responders[job->by[at]].authority,
                                 hf_bytes_of(serial->byte, serial->len), &standing));
    }
    *out = (struct hf_ocsp_said){
        .status = HF_OCSP_UNKNOWN, .this_update = now, .next_update = now + lifetime};
    *out_unknown |= !standing.known;
    if (standing.known) {
        out->status = standing.status == HF_STATUS_GOOD ? HF_OCSP_GOOD : HF_OCSP_REVOKED;
        out->revoked_at = standing.revoked_at < now ? standing.revoked_at : now;
        out->why = standing.status == HF_STATUS_HELD ? HF_REVOKED_FOR_HOLD
                                                     : (enum hf_revoked_for)standing.reason;
        out->gives_why = out->why != HF_REVOKED_FOR_UNSPECIFIED;
    }
    return HF_OK;
}

/* Nothing is said beyond the signer's own end. */
static enum hf_err limit(const struct hf_ocsp_signer *signer, int64_t now, size_t n,
                         struct hf_ocsp_said *said)
{
    int64_t end = signer->cert->not_after;
    if (end <= now || signer->cert->not_before > now) {
        return hf_fail(HF_E_CRYPTO, "the OCSP signer's certificate isn't good now");
    }
    for (size_t i = 0; i < n; i++) {
        said[i].next_update = said[i].next_update < end ? said[i].next_update : end;
    }
    return HF_OK;
}

static enum hf_err cached_new(struct hf_bytes der, const struct hf_ocsp_said *said,
                              struct cached **out)
{
    uint8_t digest[HF_SHA256_SIZE];
    struct cached *cached = HF_NEW(struct cached);
    if (!cached) {
        return HF_E_NOMEM;
    }
    atomic_init(&cached->refs, 1);
    cached->this_update = said->this_update;
    cached->next_update = said->next_update;
    hf_hash_once(HF_HASH_SHA256, der, digest);
    cached->etag[0] = '"';
    for (size_t i = 0; i < sizeof(digest); i++) {
        static const char hex[] = "0123456789abcdef";
        cached->etag[1 + 2 * i] = hex[digest[i] >> 4];
        cached->etag[2 + 2 * i] = hex[digest[i] & 15];
    }
    cached->etag[1 + 2 * sizeof(digest)] = '"';
    enum hf_err err = hf_blob_copy(der, &cached->blob);
    if (err != HF_OK) {
        cached_unref(cached);
        return err;
    }
    *out = cached;
    return HF_OK;
}

static enum hf_err sign(struct job *job, struct cached **out, bool *out_unknown)
{
    struct hf_ocsp_said said[HF_OCSP_SERIALS_MAX];
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    const struct hf_ocsp_signer *signer = job->view->responders[job->signer].signer;
    struct hf_crypto *crypto = hf_crypto_here();
    int64_t now = hf_clock_wall_s(job->public->options.clock);
    for (size_t i = 0; i < job->ask.n; i++) {
        HF_TRY(look(job, i, now, &said[i], out_unknown));
    }
    HF_TRY(limit(signer, now, job->ask.n, said));
    if (!crypto) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_ocsp_reply_write(crypto, signer, &job->ask, said, now, &der));
    return cached_new(hf_buf_bytes(&der), said, out);
}

static void run(struct hf_crew_task *task, bool dropped)
{
    struct job *job = HF_CONTAINER_OF(task, struct job, task);
    struct cached *cached = NULL;
    bool unknown = false;
    if (dropped || hf_service_gone(job->call) || sign(job, &cached, &unknown) != HF_OK) {
        give_error(job->call, HF_OCSP_RESPONSE_TRY_LATER);
    } else {
        if (!unknown && !job->ask.nonce.ptr) {
            hf_cache_put(job->public->answers, job->key, cached);
        }
        give(job, cached);
    }
    cached_unref(cached);
    job_free(job);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

/* base64 in a path, percent-encoded or not (RFC 6960 A.1). */
static enum hf_err decode_path(struct hf_bytes rest, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(GET_MAX);
    if (rest.len < 2 || rest.len > GET_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a request of %zu characters in a path", rest.len);
    }
    for (size_t i = 1; i < rest.len; i++) {
        uint8_t byte = rest.ptr[i];
        if (byte == '%') {
            if (rest.len - i < 3 || !hf_http_is(rest.ptr[i + 1], HF_CHAR_HEX) ||
                !hf_http_is(rest.ptr[i + 2], HF_CHAR_HEX)) {
                return hf_fail(HF_E_MALFORMED, "a broken percent-encoding");
            }
            byte = (uint8_t)(hf_http_hex_digit(rest.ptr[i + 1]) << 4 |
                             hf_http_hex_digit(rest.ptr[i + 2]));
            i += 2;
        }
        HF_TRY(hf_buf_u8(&text, byte));
    }
    return hf_base64_decode(hf_buf_bytes(&text), out);
}

/* Whose certificates are asked about. False: none of ours. */
static bool find_responders(struct job *job)
{
    job->signer = NO_RESPONDER;
    for (size_t i = 0; i < job->ask.n; i++) {
        job->by[i] = NO_RESPONDER;
        for (size_t r = 0; r < job->view->n_responders && job->ask.one[i].known_hash; r++) {
            const struct hf_ocsp_id *id = &job->ask.one[i].id;
            if (hf_ocsp_id_same_issuer(id, &job->view->responders[r].signer->issuer[id->hash])) {
                job->by[i] = r;
                break;
            }
        }
        job->signer = job->signer == NO_RESPONDER ? job->by[i] : job->signer;
    }
    return job->signer != NO_RESPONDER;
}

static int64_t quarter_of(const struct hf_public *public)
{
    int64_t quarter = public->options.ocsp_lifetime_s / 4;
    return quarter > 0 ? quarter : 1;
}

static void make_key(struct job *job, int64_t slot)
{
    struct hf_hash hash;
    const struct hf_ocsp_signer *signer = job->view->responders[job->signer].signer;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(&slot, sizeof(slot)));
    hf_hash_update(&hash, hf_bytes_of(signer->cert->spki_sha256, HF_SHA256_SIZE));
    for (size_t i = 0; i < job->ask.n; i++) {
        struct hf_revocation_entry entry = {.at = 0};
        enum hf_live_answer answer = HF_LIVE_NOT_OURS;
        if (job->by[i] != NO_RESPONDER && job->view->live) {
            answer =
                hf_live_find(job->view->live, job->view->responders[job->by[i]].signer->issuer_spki,
                             &job->ask.one[i].id.serial, &entry);
        }
        uint8_t said[2] = {(uint8_t)answer, answer == HF_LIVE_REVOKED ? (uint8_t)entry.why : 0};
        hf_hash_update(&hash, hf_bytes_of(said, sizeof(said)));
        hf_hash_update(&hash, job->ask.one[i].whole);
    }
    hf_hash_final(&hash, job->key);
}

/* --- Signing ahead ------------------------------------------------------------------------------
 */

static void run_ahead(struct hf_crew_task *task, bool dropped)
{
    struct job *job = HF_CONTAINER_OF(task, struct job, task);
    struct cached *cached = NULL;
    bool unknown = false;
    if (!dropped && sign(job, &cached, &unknown) == HF_OK && !unknown) {
        hf_cache_put(job->public->answers, job->key, cached);
    }
    cached_unref(cached);
    job_free(job);
}

/* So many in a second that the crew has time for those who wait. */
static bool may_renew(struct hf_public *public, int64_t now)
{
    int64_t was = atomic_load_explicit(&public->renewing_s, memory_order_relaxed);
    if (was != now && atomic_compare_exchange_strong(&public->renewing_s, &was, now)) {
        atomic_store(&public->n_renewing, 0);
    }
    return atomic_load_explicit(&public->n_renewing, memory_order_relaxed) < RENEW_PER_S &&
           atomic_fetch_add(&public->n_renewing, 1) < RENEW_PER_S;
}

/* A job of its own: what was asked lives no longer than its call. */
static enum hf_err copy_job(const struct job *asked, struct job **out)
{
    struct job *job = HF_NEW(struct job);
    if (!job) {
        return HF_E_NOMEM;
    }
    *job = (struct job){.task = {.run = run_ahead},
                        .public = asked->public,
                        .view = hf_public_view_ref(asked->view),
                        .signer = asked->signer,
                        .der = HF_BUF_INIT(HF_OCSP_REQUEST_MAX)};
    hf_service_ref(&job->public->service);
    memcpy(job->by, asked->by, sizeof(job->by));
    enum hf_err err = hf_buf_append(&job->der, asked->is_get ? hf_buf_bytes(&asked->der)
                                                             : asked->call->request.body);
    err = err ? err : hf_ocsp_ask_read(hf_buf_bytes(&job->der), &job->ask);
    if (err != HF_OK) {
        job_free(job);
        return err;
    }
    *out = job;
    return HF_OK;
}

/* Where it fails, the next answer is signed when it is asked for. */
static void renew(const struct job *asked, struct cached *cached, int64_t now)
{
    struct hf_public *public = asked->public;
    int64_t quarter = quarter_of(public);
    struct job *job = NULL;
    if (now % quarter < quarter - quarter / 4 || atomic_load(&cached->renewed) ||
        !may_renew(public, now) || atomic_exchange(&cached->renewed, true) ||
        copy_job(asked, &job) != HF_OK) {
        return;
    }
    make_key(job, now / quarter + 1);
    if (hf_public_work(public, &job->task) != HF_OK) {
        job_free(job);
    }
}

/* --- The request --------------------------------------------------------------------------------
 */

static bool is_for_us(const struct hf_service_call *call)
{
    struct hf_bytes type;
    static const size_t len = sizeof(HF_OCSP_REQUEST_TYPE) - 1;
    return hf_service_header(call, "content-type", 0, &type) && type.len >= len &&
           hf_http_eq_str(hf_bytes_of(type.ptr, len), HF_OCSP_REQUEST_TYPE) &&
           (type.len == len || type.ptr[len] == ';' || type.ptr[len] == ' ');
}

static enum hf_err read_ask(struct job *job, struct hf_bytes rest)
{
    if (!job->is_get) {
        return hf_ocsp_ask_read(job->call->request.body, &job->ask);
    }
    HF_TRY(decode_path(rest, &job->der));
    return hf_ocsp_ask_read(hf_buf_bytes(&job->der), &job->ask);
}

/* True: the job has been answered, or refused. */
static bool answer_now(struct job *job, struct hf_bytes rest)
{
    struct cached *cached = NULL;
    enum hf_err err = read_ask(job, rest);
    if (err != HF_OK) {
        give_error(job->call, err == HF_E_NOMEM ? HF_OCSP_RESPONSE_INTERNAL_ERROR
                                                : HF_OCSP_RESPONSE_MALFORMED_REQUEST);
        return true;
    }
    if (!find_responders(job)) {
        give_error(job->call, HF_OCSP_RESPONSE_UNAUTHORIZED);
        return true;
    }
    int64_t now = hf_clock_wall_s(job->public->options.clock);
    make_key(job, now / quarter_of(job->public));
    if (!job->ask.nonce.ptr) {
        cached = hf_cache_get(job->public->answers, job->key);
    }
    if (cached) {
        renew(job, cached, now);
        give(job, cached);
        cached_unref(cached);
    }
    return cached != NULL;
}

void hf_public_ocsp(struct hf_public *public, struct hf_service_call *call, struct hf_bytes rest)
{
    bool is_get = call->request.method != HF_METHOD_POST;
    struct hf_public_view *view = NULL;
    if (!is_get && !is_for_us(call)) {
        hf_service_say(call, 415, "the body must be " HF_OCSP_REQUEST_TYPE);
        return;
    }
    view = hf_public_now(public);
    struct job *job = view ? HF_NEW(struct job) : NULL;
    if (!job) {
        hf_public_view_unref(view);
        give_error(call, HF_OCSP_RESPONSE_TRY_LATER);
        return;
    }
    hf_service_ref(&public->service);
    *job = (struct job){.task = {.run = run},
                        .public = public,
                        .call = call,
                        .view = view,
                        .is_get = is_get,
                        .der = HF_BUF_INIT(HF_OCSP_REQUEST_MAX)};
    if (answer_now(job, rest)) {
        job_free(job);
    } else if (hf_public_work(public, &job->task) != HF_OK) {
        give_error(call, HF_OCSP_RESPONSE_TRY_LATER);
        job_free(job);
    }
}
