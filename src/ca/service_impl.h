// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_SERVICE_IMPL_H
#define HF_CA_SERVICE_IMPL_H

/*
 * Inside the service. One struct hf_ca_work carries an operation through:
 *
 *     verb(work)     on a CA thread: checks, makes, and leaves the write in work->write; or fails,
 *                    which becomes a line in the audit log
 *     stored(work)   on the store's thread, after the commit: tells what became of it
 *
 * What is borrowed from the view (authority, profile) lives as long as the work.
 */

#include <pthread.h>

#include "base/secret.h"
#include "ca/cert_make.h"
#include "ca/csr.h"
#include "ca/service.h"
#include "ca/weak_key.h"

/* One that can't be read is nobody's, rather than the one built in that has its name. */
struct hf_ca_broken {
    char *name, *why;
};

/* What the store says about authorities and profiles, as it was at one moment. Immutable. */
struct hf_ca_view {
    atomic_uint refs;
    struct hf_authorities *authorities;
    struct hf_cert_profile **profiles; /* of the store */
    size_t n_profiles;
    struct hf_ca_broken *broken; /* profiles of the store that this version can't read */
    size_t n_broken;
};

struct hf_ca_service {
    struct hf_store *store;
    struct hf_secret_text passphrase;
    bool has_passphrase;
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_crew *crew;

    pthread_mutex_t held_lock; /* of the two below */
    struct {
        struct hf_store_op *first, **last; /* a chain */
        size_t n;
        int64_t since_ns;
    } held; /* writes that are made and not yet given to the store: see service.c */

    pthread_mutex_t view_lock; /* of the four below */
    struct hf_ca_view *view;
    bool stale;        /* the store has changed since it was looked at */
    bool looking;      /* a thread is at it */
    int64_t looked_ns; /* when that was */
    struct hf_store_watch watch;
    bool watching;

    struct hf_key_list *known_keys;
    pthread_mutex_t moduli_lock; /* of the two below */
    struct hf_moduli *moduli;
    int64_t moduli_until; /* the last certificate whose key is among them */
};

/* hf_ca_view_take gives the present view, with a reference; NULL when it was never read. */
struct hf_ca_view *hf_ca_view_take(struct hf_ca_service *service);
void hf_ca_view_unref(struct hf_ca_view *view);

/* hf_ca_view_broken says why the profile can't be read; NULL: it can, or isn't in the store. */
const char *hf_ca_view_broken(const struct hf_ca_view *view, const char *name);

/* hf_ca_view_read reads the first one. */
enum hf_err hf_ca_view_read(struct hf_ca_service *service) HF_MUST_CHECK;

/* A certificate as it was found in the store: a copy. */
struct hf_ca_found {
    int64_t id, authority, request;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    size_t serial_len;
    struct hf_cert *cert; /* NULL: imported by its number alone */
    char *profile, *identity, *requester;
    int64_t not_after;
    int64_t replaced_by;
    enum hf_store_status status;
    int64_t revoked_at;
    int reason;
};

void hf_ca_found_done(struct hf_ca_found *found);

/* hf_ca_found_copy is for reads of the store; ctx is a struct hf_ca_found, emptied before. */
enum hf_err hf_ca_found_copy(void *ctx, const struct hf_store_cert *row);

/* What is to be issued. */
struct hf_ca_want {
    struct hf_csr *csr;         /* NULL: none was sent */
    EVP_PKEY *private_key;      /* made here; NULL: it wasn't */
    struct hf_public_key *made; /* its public half, or the old certificate's key */
    const struct hf_public_key *key;
    struct hf_subject subject;
    struct hf_bytes subject_der; /* of the old certificate, which must stay the same bytes */
    struct hf_alt_names names;
    int64_t lifetime_s, not_before, not_after;
};

/* Many at once; see op_revoke.c. */
struct hf_ca_many;
void hf_ca_many_free(struct hf_ca_many *many);

#define HF_CA_REQUEST_SECRET 16 /* bytes; the hex of it is the part of an id behind the dot */

enum hf_ca_text_of {
    HF_CA_TEXT_SAYS,
    HF_CA_TEXT_DETAIL,
    HF_CA_TEXT_ACTION,
    HF_CA_TEXT_TARGET,
    HF_CA_TEXT_SANS,
    HF_CA_TEXT_WISH,
    HF_CA_N_TEXTS
};

struct hf_ca_work {
    struct hf_ca_op *op;
    struct hf_ca_service *service;
    struct hf_ca_view *view;
    const struct hf_authority *authority;
    struct hf_cert_profile *profile; /* a reference */
    struct hf_ca_want want;
    struct hf_ca_found old; /* id 0: none */
    bool late;              /* the old one has ended */
    bool once;              /* its CSR alone is the proof: it is renewed once */
    enum hf_refusal why;
    enum hf_ca_outcome outcome; /* of a failure, where it was said; DONE: by the error */

    /* made, and given to op once it is stored */
    struct hf_made_cert made;
    struct hf_identity *identity;
    char *id, *token, *requester;
    char *token_by; /* who made the token that was sent */

    /* the write */
    struct hf_store_op *write;              /* NULL: nothing to write */
    void (*begin)(struct hf_ca_work *work); /* or this writes by itself, and calls hf_ca_finish */
    void (*stored)(struct hf_ca_work *work);
    struct hf_store_issue issue;
    struct hf_store_request_add request;
    struct hf_store_request_decide decide;
    struct hf_store_revoke revoke;
    struct hf_store_token_add token_add;
    struct hf_store_token_use token_use;
    struct hf_store_token_remove token_remove;
    struct hf_store_audit_add audit;
    struct hf_store_group group;
    struct hf_store_op *ops[3];
    uint8_t token_hash[HF_STORE_HASH_SIZE];
    struct hf_buf text[HF_CA_N_TEXTS]; /* of the write, and the sentence for op->text */
    struct hf_ca_many *many;           /* revoke by filter */
};

/* hf_ca_refuse(work, HF_CA_x, "format", ...) is hf_fail that also says how the operation ends. */
#define hf_ca_refuse(work, outcome_, ...) \
    ((work)->outcome = (outcome_), hf_fail(HF_E_DENIED, __VA_ARGS__))

/* hf_ca_text puts a text into the buffer, in place of what was there, at most 2047 bytes; what may
 * not be shown becomes \xNN, so that it is always UTF-8. NULL when out of memory. */
const char *hf_ca_text(struct hf_buf *buf, const char *format, ...) HF_PRINTF(2, 3);

/* hf_ca_says is the sentence that the operation ends with, when it is stored. */
#define hf_ca_says(work, ...) ((void)hf_ca_text(&(work)->text[HF_CA_TEXT_SAYS], __VA_ARGS__))

/* hf_ca_detail is the note that goes into the audit with a write: where it came from. */
const char *hf_ca_detail(struct hf_ca_work *work);

/* hf_ca_has: may the caller do this: locally, or by its rights? */
bool hf_ca_has(const struct hf_ca_work *work, enum hf_ca_right right);

/* hf_ca_choose_authority finds who signs, when the profile is known: named, as far as the profile
 * lets the caller; the profile's first; or the one that issues. */
enum hf_err hf_ca_choose_authority(struct hf_ca_work *work, const char *name) HF_MUST_CHECK;
enum hf_err hf_ca_choose_profile(struct hf_ca_work *work, const char *name) HF_MUST_CHECK;

/* hf_ca_find_row finds by the number of the authority; HF_E_NOT_FOUND otherwise. */
enum hf_err hf_ca_find_row(struct hf_ca_work *work, int64_t authority, struct hf_bytes serial,
                           struct hf_ca_found *out) HF_MUST_CHECK;

/* hf_ca_find_one finds the one certificate that which.serial (and authority) names. */
enum hf_err hf_ca_find_one(struct hf_ca_work *work, const struct hf_ca_which *which,
                           struct hf_ca_found *out) HF_MUST_CHECK;

/* hf_ca_names_own: is this the serial number of the certificate that the caller came with?
 * hf_ca_came_with_old: is work->old that certificate? */
bool hf_ca_names_own(const struct hf_ca_work *work, const char *serial);
bool hf_ca_came_with_old(const struct hf_ca_work *work);

/* hf_ca_want_old takes key (unless there is one) and names from the old certificate, and checks
 * that it is still good. */
enum hf_err hf_ca_want_old(struct hf_ca_work *work) HF_MUST_CHECK;

/* hf_ca_check_key holds a key against all lists of weak ones. */
enum hf_err hf_ca_check_key(struct hf_ca_work *work, const struct hf_public_key *key) HF_MUST_CHECK;

/* hf_ca_check_compromise asks the store, before it does so itself when it issues, whether others
 * are known to have the key. */
enum hf_err hf_ca_check_compromise(struct hf_ca_work *work) HF_MUST_CHECK;

/* hf_ca_sign_want makes the certificate and leaves the write: work->issue. */
enum hf_err hf_ca_sign_want(struct hf_ca_work *work) HF_MUST_CHECK;

/* hf_ca_revoke_old fills work->revoke, which revokes the old certificate as superseded. */
struct hf_store_op *hf_ca_revoke_old(struct hf_ca_work *work);

/* hf_ca_queue_want leaves a write that stores the request, for a person to decide. */
enum hf_err hf_ca_queue_want(struct hf_ca_work *work) HF_MUST_CHECK;

/* hf_ca_give_cert is `stored` of whatever issued: it hands over what was made. */
void hf_ca_give_cert(struct hf_ca_work *work);

/* hf_ca_show_cert gives a certificate of work->authority to op, which takes its own copy and
 * references. */
enum hf_err hf_ca_show_cert(struct hf_ca_work *work, struct hf_bytes der,
                            struct hf_identity *identity) HF_MUST_CHECK;

/* hf_ca_finish ends an operation whose verb does its own writing: work->outcome and the sentence
 * are what it ends with. The work is gone when this returns. */
void hf_ca_finish(struct hf_ca_work *work);

/* hf_ca_token_hash is what the store knows a token by. */
enum hf_err hf_ca_token_hash(const char *token,
                             uint8_t out[static HF_STORE_HASH_SIZE]) HF_MUST_CHECK;

/* The verbs. */
enum hf_err hf_ca_verb_issue(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_renew(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_revoke(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_decide(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_pick_up(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_token(struct hf_ca_work *work) HF_MUST_CHECK;
enum hf_err hf_ca_verb_untoken(struct hf_ca_work *work) HF_MUST_CHECK;

#endif
