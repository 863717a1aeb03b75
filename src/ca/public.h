// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_PUBLIC_H
#define HF_CA_PUBLIC_H

/*
 * The part of a CA that everybody may ask, over plain HTTP as well: revocation lists, CA
 * certificates, OCSP. Paths beneath the route's own:
 *
 *     /crl/NAME.crl  /crl/NAME-SHARD.crl  /crl/NAME-delta.crl ...   lists, DER
 *     /ca/NAME.crt   /ca/roots.pem                                  CA certificates
 *     /ocsp          POST an OCSPRequest; GET /ocsp/BASE64           OCSP (RFC 6960, 5019, 9654)
 *
 * What is shown changes as a whole, by hf_public_show; who is being served goes on with what he
 * began with. Documents are answered on the worker's thread, as are OCSP answers that are signed
 * already; others are signed on the CA's own threads, and kept for those who ask the same.
 */

#include "ca/blob.h"
#include "ca/crew.h"
#include "ca/ocsp_reply.h"
#include "ca/store.h"
#include "http/service.h"
#include "pki/live.h"

#define HF_PUBLIC_DOCS_MAX (64u << 10)

/* A document and what its answers say. */
struct hf_public_doc {
    char *path; /* "/crl/issuing.crl" */
    const char *type;
    struct hf_blob *blob;
    char etag[2 * HF_SHA256_SIZE + 3]; /* with its quotes */
    int64_t modified_at;
    int64_t fresh_until; /* caches may keep it so long, and five minutes at most; 0: a day */
};

/* An authority that OCSP speaks for. */
struct hf_public_responder {
    int64_t authority;
    struct hf_ocsp_signer *signer;
};

/* struct hf_public_view is what is shown at one moment. Built by one, then immutable, counted by
 * references, any thread. */
struct hf_public_view {
    atomic_uint refs;
    struct hf_public_doc *docs; /* sorted by path */
    size_t n_docs;
    struct hf_public_responder *responders;
    size_t n_responders;
    struct hf_live *live; /* NULL: nothing is known */
};

struct hf_public_view *hf_public_view_new(void) HF_MUST_CHECK;

/* hf_public_view_add adds a document; path is copied, the blob, whose hash is sha256, gets a
 * reference. Call hf_public_view_sort when all are there. */
enum hf_err hf_public_view_add(struct hf_public_view *view, const char *path, const char *type,
                               struct hf_blob *blob, const uint8_t sha256[static HF_SHA256_SIZE],
                               int64_t modified_at, int64_t fresh_until) HF_MUST_CHECK;
enum hf_err hf_public_view_respond(struct hf_public_view *view, int64_t authority,
                                   struct hf_ocsp_signer *signer) HF_MUST_CHECK;
void hf_public_view_sort(struct hf_public_view *view);
struct hf_public_view *hf_public_view_ref(struct hf_public_view *view);
void hf_public_view_unref(struct hf_public_view *view);

struct hf_public;

struct hf_public_options {
    struct hf_store *store; /* borrowed, as crew and clock: longer than the calls live */
    struct hf_crew *crew;
    const struct hf_clock *clock;
    int64_t ocsp_lifetime_s; /* of answers */
};

enum hf_err hf_public_new(const struct hf_public_options *options,
                          struct hf_public **out) HF_MUST_CHECK;

/* hf_public_service gives the service, whose last reference frees it all. */
struct hf_service *hf_public_service(struct hf_public *public);

/* hf_public_show takes the view. */
void hf_public_show(struct hf_public *public, struct hf_public_view *view);

/* hf_public_close: the store and the crew are about to go. Documents are still shown. */
void hf_public_close(struct hf_public *public);

#endif
