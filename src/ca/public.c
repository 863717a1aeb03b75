// SPDX-License-Identifier: Apache-2.0
/*
 * Documents: found by path, answered with what caches want to know, on the worker's thread. Nothing
 * is copied but a reference.
 */
#include "ca/public.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/public_impl.h"
#include "http/chars.h"
#include "http/status.h"

enum {
    ANSWER_MS = 30 * 1000,
    FRESH_S = 24 * 60 * 60, /* what doesn't end */
    FRESH_MAX_S = 5 * 60,   /* what a revocation may replace at any moment */
};

/* --- Views --------------------------------------------------------------------------------------
 */

struct hf_public_view *hf_public_view_new(void)
{
    struct hf_public_view *view = HF_NEW(struct hf_public_view);
    if (view) {
        atomic_init(&view->refs, 1);
    }
    return view;
}

static void doc_done(struct hf_public_doc *doc)
{
    hf_free(doc->path);
    hf_blob_unref(doc->blob);
}

enum hf_err hf_public_view_add(struct hf_public_view *view, const char *path, const char *type,
                               struct hf_blob *blob, const uint8_t sha256[static HF_SHA256_SIZE],
                               int64_t modified_at, int64_t fresh_until)
{
    if (view->n_docs == HF_PUBLIC_DOCS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %u documents of a CA", HF_PUBLIC_DOCS_MAX);
    }
    struct hf_public_doc *grown =
        hf_realloc(view->docs, (view->n_docs + 1) * sizeof(struct hf_public_doc));
    if (!grown) {
        return HF_E_NOMEM;
    }
    view->docs = grown;
    struct hf_public_doc *doc = &view->docs[view->n_docs];
    *doc = (struct hf_public_doc){.path = hf_strdup(path),
                                  .type = type,
                                  .modified_at = modified_at,
                                  .fresh_until = fresh_until};
    if (!doc->path) {
        return HF_E_NOMEM;
    }
    doc->blob = hf_blob_ref(blob);
    doc->etag[0] = '"';
    for (size_t i = 0; i < HF_SHA256_SIZE; i++) {
        snprintf(doc->etag + 1 + 2 * i, 3, "%02x", sha256[i]);
    }
    doc->etag[1 + 2 * HF_SHA256_SIZE] = '"';
    view->n_docs++;
    return HF_OK;
}

enum hf_err hf_public_view_respond(struct hf_public_view *view, int64_t authority,
                                   struct hf_ocsp_signer *signer)
{
    struct hf_public_responder *grown =
        hf_realloc(view->responders, (view->n_responders + 1) * sizeof(*grown));
    if (!grown) {
        return HF_E_NOMEM;
    }
    view->responders = grown;
    view->responders[view->n_responders++] =
        (struct hf_public_responder){authority, hf_ocsp_signer_ref(signer)};
    return HF_OK;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct hf_public_doc *)a)->path, ((const struct hf_public_doc *)b)->path);
}

void hf_public_view_sort(struct hf_public_view *view)
{
    if (view->n_docs) {
        qsort(view->docs, view->n_docs, sizeof(view->docs[0]), by_path);
    }
}

struct hf_public_view *hf_public_view_ref(struct hf_public_view *view)
{
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void hf_public_view_unref(struct hf_public_view *view)
{
    if (!view || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < view->n_docs; i++) {
        doc_done(&view->docs[i]);
    }
    for (size_t i = 0; i < view->n_responders; i++) {
        hf_ocsp_signer_unref(view->responders[i].signer);
    }
    hf_live_unref(view->live);
    hf_free(view->docs);
    hf_free(view->responders);
    hf_free(view);
}

static const struct hf_public_doc *find_doc(const struct hf_public_view *view, struct hf_bytes path)
{
    size_t low = 0;
    size_t high = view->n_docs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct hf_public_doc *doc = &view->docs[middle];
        size_t len = strlen(doc->path);
        int order = memcmp(doc->path, path.ptr, len < path.len ? len : path.len);
        order = order ? order : len < path.len ? -1 : len > path.len;
        if (order == 0) {
            return doc;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* --- Answering ----------------------------------------------------------------------------------
 */

static bool lists_tag(struct hf_bytes list, const char *etag)
{
    struct hf_bytes item;
    while (hf_http_list_next(&list, &item)) {
        if (item.len > 2 && memcmp(item.ptr, "W/", 2) == 0) {
            item = hf_bytes_from(item, 2); /* GET compares weakly (13.1.2) */
        }
        if (hf_bytes_eq_str(item, etag) || hf_bytes_eq_str(item, "*")) {
            return true;
        }
    }
    return false;
}

bool hf_public_not_changed(const struct hf_service_call *call, const char *etag,
                           const char *modified)
{
    struct hf_bytes value;
    bool tagged = false;
    for (size_t i = 0; hf_service_header(call, "if-none-match", i, &value); i++) {
        tagged = true;
        if (lists_tag(value, etag)) {
            return true;
        }
    }
    /* Whoever has the date has it from us: another one isn't worth reading. */
    return !tagged && hf_service_header(call, "if-modified-since", 0, &value) &&
           hf_bytes_eq_str(value, modified);
}

static int64_t max_age(const struct hf_public_doc *doc, int64_t now)
{
    if (!doc->fresh_until) {
        return FRESH_S;
    }
    int64_t left = doc->fresh_until > now ? doc->fresh_until - now : 0;
    return left < FRESH_MAX_S ? left : FRESH_MAX_S;
}

static enum hf_err describe(const struct hf_public_doc *doc, int64_t now, const char *modified,
                            struct hf_service_answer *answer)
{
    HF_TRY(hf_service_field(answer, "etag", "%s", doc->etag));
    HF_TRY(hf_service_field(answer, "last-modified", "%s", modified));
    return hf_service_field(answer, "cache-control", "public, max-age=%lld, must-revalidate",
                            (long long)max_age(doc, now));
}

static void give_doc(const struct hf_public *public, struct hf_service_call *call,
                     const struct hf_public_doc *doc)
{
    char modified[HF_HTTP_DATE_SIZE];
    struct hf_service_answer answer = {.status = 200, .content_type = doc->type};
    hf_http_date(doc->modified_at, modified);
    if (describe(doc, hf_clock_wall_s(public->options.clock), modified, &answer) != HF_OK) {
        hf_service_answer_done(&answer);
        hf_service_say(call, 500, "out of memory");
        return;
    }
    if (hf_public_not_changed(call, doc->etag, modified)) {
        answer.status = 304;
        answer.content_type = NULL;
    } else {
        answer.body = doc->blob->bytes;
        answer.release = hf_blob_release;
        answer.ctx = hf_blob_ref(doc->blob);
    }
    hf_service_answer(call, &answer);
}

static void refuse_method(struct hf_service_call *call, const char *allow)
{
    struct hf_service_answer answer = {.status = 405};
    if (hf_service_field(&answer, "allow", "%s", allow) != HF_OK) {
        answer.status = 500;
    }
    hf_service_answer(call, &answer);
}

/* What follows "/ocsp", or false: it is another path. The raw one, for base64 has slashes. */
static bool is_ocsp(const struct hf_service_request *request, struct hf_bytes *out_rest)
{
    static const char name[] = "/ocsp";
    size_t before = request->full_path.len - request->path.len;
    size_t len = sizeof(name) - 1;
    struct hf_bytes path = hf_bytes_from(request->raw_path, before);
    if (path.len < len || memcmp(path.ptr, name, len) != 0 ||
        (path.len > len && path.ptr[len] != '/')) {
        return false;
    }
    *out_rest = hf_bytes_from(path, len);
    return true;
}

static void serve(struct hf_service *service, struct hf_service_call *call)
{
    struct hf_public *public = HF_CONTAINER_OF(service, struct hf_public, service);
    const struct hf_service_request *request = &call->request;
    bool reads = request->method == HF_METHOD_GET || request->method == HF_METHOD_HEAD;
    struct hf_bytes rest;
    if (is_ocsp(request, &rest)) {
        if (reads || request->method == HF_METHOD_POST) {
            hf_public_ocsp(public, call, rest);
        } else {
            refuse_method(call, "GET, HEAD, POST");
        }
        return;
    }
    struct hf_public_view *view = hf_public_now(public);
    const struct hf_public_doc *doc = view ? find_doc(view, request->path) : NULL;
    if (!doc) {
        hf_service_say(call, view ? 404 : 503, view ? "not here" : "not ready yet");
    } else if (!reads) {
        refuse_method(call, "GET, HEAD");
    } else {
        give_doc(public, call, doc);
    }
    hf_public_view_unref(view);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void free_public(struct hf_service *service)
{
    struct hf_public *public = HF_CONTAINER_OF(service, struct hf_public, service);
    hf_public_view_unref(public->view);
    hf_cache_free(public->answers);
    pthread_mutex_destroy(&public->mutex);
    hf_free(public);
}

static const struct hf_service_ops ops = {serve, free_public};

enum hf_err hf_public_new(const struct hf_public_options *options, struct hf_public **out)
{
    struct hf_public *public = HF_NEW(struct hf_public);
    if (!public) {
        return HF_E_NOMEM;
    }
    public->options = *options;
    enum hf_err err = hf_public_cache_new(&public->answers);
    if (err != HF_OK) {
        hf_free(public);
        return err;
    }
    pthread_mutex_init(&public->mutex, NULL);
    hf_service_init(&public->service, &ops, HF_OCSP_REQUEST_MAX, ANSWER_MS);
    *out = public;
    return HF_OK;
}

struct hf_service *hf_public_service(struct hf_public *public)
{
    return &public->service;
}

struct hf_public_view *hf_public_now(struct hf_public *public)
{
    pthread_mutex_lock(&public->mutex);
    struct hf_public_view *view = public->view ? hf_public_view_ref(public->view) : NULL;
    pthread_mutex_unlock(&public->mutex);
    return view;
}

void hf_public_show(struct hf_public *public, struct hf_public_view *view)
{
    pthread_mutex_lock(&public->mutex);
    struct hf_public_view *was = public->view;
    public->view = view;
    pthread_mutex_unlock(&public->mutex);
    hf_public_view_unref(was);
}

enum hf_err hf_public_work(struct hf_public *public, struct hf_crew_task *task)
{
    pthread_mutex_lock(&public->mutex);
    enum hf_err err = public->closed ? hf_fail(HF_E_BUSY, "the CA is being closed")
                                     : hf_crew_add(public->options.crew, task);
    pthread_mutex_unlock(&public->mutex);
    return err;
}

void hf_public_close(struct hf_public *public)
{
    pthread_mutex_lock(&public->mutex);
    public->closed = true;
    pthread_mutex_unlock(&public->mutex);
}
