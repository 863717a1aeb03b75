// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_STORE_H
#define HF_PROXY_CRL_STORE_H

/*
 * Fetched revocation lists on disk, in the folder `crls` of the state folder. For each URL, by the
 * SHA-256 of its text:
 *
 *     HASH.crl    the last good answer, byte for byte
 *     HASH.json   the URL, what to ask with next time, and the certificates that proved the lists
 *
 * The list is put in place before what is said of it, whole and flushed to the disk. What is said
 * names the list by its own hash, so that a crash between the two only makes us ask again.
 */

#include "pki/crl.h"

#define HF_CRL_VALIDATOR_MAX 256
#define HF_CRL_PROVERS_MAX   8

/* What is said of a kept answer. */
struct hf_crl_note {
    char etag[HF_CRL_VALIDATOR_MAX]; /* "": none */
    char last_modified[HF_CRL_VALIDATOR_MAX];
    int64_t fetched_at;                         /* Unix seconds; last seen to be the server's own */
    uint8_t sha256[HF_SHA256_SIZE];             /* of the answer */
    struct hf_cert *prover[HF_CRL_PROVERS_MAX]; /* references: who signed */
    size_t n_provers;
};

void hf_crl_note_done(struct hf_crl_note *note);

/* hf_crl_store_make makes the folder in the state folder, for this user alone. Errors: HF_E_IO,
 * HF_E_PERMISSION (others can write in it), HF_E_NOMEM. */
enum hf_err hf_crl_store_make(const char *state) HF_MUST_CHECK;

/* hf_crl_store_read reads the lists that were kept for a URL, and what is said of them. A note that
 * can't be read, or is of another list, is left zeroed but for the hash: the list counts, and is
 * asked for anew. Errors: HF_E_NOT_FOUND (none was kept), those of hf_crl_reader. */
enum hf_err hf_crl_store_read(const char *state, const char *url,
                              const struct hf_crl_limits *limits, struct hf_crl_lists *out,
                              struct hf_crl_note *out_note) HF_MUST_CHECK;

/* hf_crl_store_urls calls fn with each URL that something is kept for. Errors: HF_E_IO,
 * HF_E_NOMEM, fn's. */
typedef enum hf_err hf_crl_store_url_fn(void *ctx, const char *url);
enum hf_err hf_crl_store_urls(const char *state, hf_crl_store_url_fn *fn, void *ctx) HF_MUST_CHECK;

/* hf_crl_store_note replaces what is said of a URL's list. Errors: HF_E_IO, HF_E_NOMEM. */
enum hf_err hf_crl_store_note(const char *state, const char *url,
                              const struct hf_crl_note *note) HF_MUST_CHECK;

/* hf_crl_store_drop forgets a URL. */
void hf_crl_store_drop(const char *state, const char *url);

/* --- An answer that is coming in ----------------------------------------------------------------
 * It is written as it comes, into a file without a name that anybody reads. When the disk fails,
 * the draft is broken: the list may still be used, and is not kept.
 */

struct hf_crl_draft;

enum hf_err hf_crl_draft_new(const char *state, const char *url,
                             struct hf_crl_draft **out) HF_MUST_CHECK;

/* hf_crl_draft_add takes a piece. */
void hf_crl_draft_add(struct hf_crl_draft *draft, struct hf_bytes piece);

/* hf_crl_draft_hash gives the hash of all that was added. Once. */
void hf_crl_draft_hash(struct hf_crl_draft *draft, uint8_t out[static HF_SHA256_SIZE]);

/* hf_crl_draft_keep puts the answer in the place of the one before, with its note. Errors: HF_E_IO:
 * the one before is still there, or the new one without its note. */
enum hf_err hf_crl_draft_keep(struct hf_crl_draft *draft,
                              const struct hf_crl_note *note) HF_MUST_CHECK;
void hf_crl_draft_free(struct hf_crl_draft *draft);

#endif
