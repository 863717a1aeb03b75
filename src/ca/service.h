// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_SERVICE_H
#define HF_CA_SERVICE_H

/*
 * struct hf_ca_service is an open CA: its store, authorities and profiles, and the threads that do
 * its work. What the command line, the API and the enrolment protocols ask of a CA is one
 * struct hf_ca_op each:
 *
 *     submit --> CA thread: who may, CSR, profile, lint, sign --> store's writer: one durable
 * commit for many --> done(op), on a thread of the CA
 *
 * An operation that is done has been committed, with its audit record, or has changed nothing.
 * Refusals are written to the audit log too.
 */

#include "ca/authority.h"
#include "ca/cert_profile.h"
#include "ca/crew.h"
#include "pki/identity.h"

struct hf_ca_service;

/* --- How an operation ends ---------------------------------------------------------------------
 *
 * id, stable name (problem type, JSON, audit), HTTP status, title of the problem document.
 */
#define HF_CA_OUTCOME_TABLE(X) \
    X(DONE, "done", 200, "done") \
    X(PENDING, "pending", 202, "a person must approve this request") \
    X(MALFORMED, "malformed", 400, "the request can't be read") \
    X(INVALID, "invalid", 422, "a value in the request is outside what is accepted") \
    X(WEAK_KEY, "weak-key", 422, "the key is weak or known to others") \
    X(NOT_ALLOWED, "not-allowed", 422, "the profile does not allow this") \
    X(LINT, "lint", 422, "the certificate would break a rule, and was not signed") \
    X(FORBIDDEN, "forbidden", 403, "who asks may not do this") \
    X(BAD_TOKEN, "bad-token", 403, "the token is unknown, used up or has ended") \
    X(NOT_FOUND, "not-found", 404, "there is no such thing") \
    X(CONFLICT, "conflict", 409, "its state does not allow this") \
    X(WINDOW, "window", 409, "it is too early or too late for this") \
    X(NO_SIGNER, "no-signer", 503, "no authority with a key can sign this now") \
    X(BUSY, "busy", 503, "too much is waiting; try again") \
    X(STORE, "store", 503, "the store failed; nothing was changed") \
    X(INTERNAL, "internal", 500, "an error of the CA")

#define HF_CA_OUTCOME_ENUM(id, name, status, title) HF_CA_##id,
enum hf_ca_outcome { HF_CA_OUTCOME_TABLE(HF_CA_OUTCOME_ENUM) HF_CA_N_OUTCOMES };
#undef HF_CA_OUTCOME_ENUM

const char *hf_ca_outcome_name(enum hf_ca_outcome outcome);
const char *hf_ca_outcome_title(enum hf_ca_outcome outcome);
unsigned hf_ca_outcome_status(enum hf_ca_outcome outcome);

/* --- Who asks ----------------------------------------------------------------------------------
 */

/* What somebody may do beside asking for certificates, which is the profiles' to say. */
enum hf_ca_right {
    HF_CA_MAY_READ = 1 << 0,    /* list, show, requests, audit */
    HF_CA_MAY_REVOKE = 1 << 1,  /* revoke, hold, release */
    HF_CA_MAY_APPROVE = 1 << 2, /* approve, deny */
    HF_CA_MAY_TOKEN = 1 << 3,   /* make and cancel tokens */
    HF_CA_MAY_ALL = 0xf,
};

/* Views; they live until the operation is done. */
struct hf_ca_caller {
    const char *name; /* for the audit log: "root (uid 0)", "spiffe://example.org/ops/alice" */
    /* of a client whose certificate was verified in this connection; NULL: none. What it signed
     * with in the handshake proves possession of that key. */
    const struct hf_cert *cert;
    const char *const *roles; /* that the proxy's config gives it */
    size_t n_roles;
    unsigned rights;        /* of enum hf_ca_right */
    bool local;             /* the command line beside the store: may ask for any profile */
    const char *address;    /* NULL: local */
    const char *request_id; /* of the HTTP request; NULL: none */
};

/* --- Operations --------------------------------------------------------------------------------
 */

/* verb, its name in JSON and in the audit log */
#define HF_CA_VERB_TABLE(X) \
    X(ISSUE, "issue")     /* names from the caller; the key is made here, or a CSR's */ \
    X(SIGN, "sign")       /* names from the CSR, as far as the profile allows */ \
    X(RENEW, "renew")     /* the same names and key, new dates */ \
    X(REKEY, "rekey")     /* the same names, another key */ \
    X(REVOKE, "revoke")   /* one, or by filter */ \
    X(HOLD, "hold")       /* one; can be released */ \
    X(RELEASE, "release") /* one that is on hold */ \
    X(APPROVE, "approve") /* a request; it is issued at once */ \
    X(DENY, "deny")       /* a request */ \
    X(TOKEN, "token")     /* makes one */ \
    X(UNTOKEN, "untoken") /* cancels one */ \
    X(PICK_UP, "pick-up") /* what became of a request */

#define HF_CA_VERB_ENUM(id, name) HF_CA_VERB_##id,
enum hf_ca_verb { HF_CA_VERB_TABLE(HF_CA_VERB_ENUM) HF_CA_N_VERBS };
#undef HF_CA_VERB_ENUM

const char *hf_ca_verb_name(enum hf_ca_verb verb);

/* What a certificate is asked for by. Views, as all inputs. */
struct hf_ca_ask {
    const char *profile;   /* NULL with renew and rekey: that of the old certificate */
    const char *authority; /* NULL: the one that issues */
    const char *name;      /* issue: what it is called; server: a DNS name or address, else a CN */
    const char *const *sans; /* issue: "DNS:x", "URI:x", "IP:x", "email:x" */
    size_t n_sans;
    const char *key_type;  /* of the key made here, "p256" ...; NULL: the profile's first */
    struct hf_bytes csr;   /* PKCS#10, PEM or DER; ptr NULL: the key is made here */
    const char *csr_label; /* names it in messages */
    int64_t lifetime_s;    /* 0: the profile's */
    int64_t not_before;    /* operator only; 0: now, less the profile's skew */
    int64_t not_after;     /* operator only, may lie in the past; 0: by lifetime_s */
    const char *token;     /* a one-time enrolment token, in place of the profile's `ask` */
};

/* Which certificates: by serial (and authority), or by everything else that is set, all of which
 * must hold. */
struct hf_ca_which {
    const char *serial;     /* hex, any case, colons allowed */
    const char *authority;  /* name */
    const char *identity;   /* exactly this display name: "spiffe://...", "alice", "a.example" */
    const char *profile;    /* name */
    const char *requester;  /* exactly */
    const char *text;       /* words in subject and names */
    int64_t expires_before; /* 0: any; only those not yet expired */
    bool never_seen;        /* not presented to a proxy so far */
    bool revoked;           /* only those revoked or on hold */
    bool valid;             /* only those neither revoked nor past their end */
};

struct hf_ca_op {
    enum hf_ca_verb verb;
    struct hf_ca_caller caller;
    void (*done)(struct hf_ca_op *op); /* on a thread of the CA; short, may not wait */

    /* NULL, or called on a thread of the CA when a certificate was made and before it is stored:
     * der, identity, above, root and key are set. A failure ends the operation, and nothing is
     * stored: where the files can't be written nothing was issued. */
    enum hf_err (*made)(struct hf_ca_op *op);

    /* in; what the verb doesn't use is zero */
    struct hf_ca_ask ask;     /* issue, sign, renew, rekey */
    struct hf_ca_which which; /* renew, rekey (the old one), revoke, hold, release */
    int reason;               /* revoke: CRLReason of RFC 5280 5.3.1 */
    bool dry_run;             /* revoke: only count */
    bool revoke_old;          /* rekey: revoke the old one, as superseded, in the same step */
    const char *request;      /* approve, deny, pick-up: its id */
    const char *note;         /* approve, deny, revoke: a person's words; NULL */
    int64_t token_lifetime_s; /* token: 0: an hour */
    unsigned token_uses;      /* token: 0: once */

    /* out; hf_ca_op_done frees it */
    enum hf_ca_outcome outcome;
    enum hf_refusal why;          /* what is wrong with what was asked, for programs */
    char *text;                   /* a sentence for people; never NULL once it is done */
    struct hf_bytes der;          /* what was issued; ptr NULL: nothing was. Owned */
    struct hf_identity *identity; /* whom it names; NULL: nothing was issued */
    struct hf_chain *above;       /* what is to be sent behind it; NULL: nothing */
    struct hf_chain *chain;       /* once hf_ca_op_chain was asked */
    struct hf_cert *root;         /* where that ends; NULL when it isn't in the store */
    EVP_PKEY *key;                /* made here; NULL otherwise. It is nowhere else */
    char *profile;                /* that it was issued by */
    char *id;                  /* of a request ("17.secret": who holds it may pick up) or a token */
    char *token;               /* the new token, shown this once */
    bool capped;               /* it ends earlier than asked, with its CA */
    unsigned n_names_left_out; /* of the CSR */
    size_t n_matched;          /* revoke by filter */
    size_t n_changed;
    int64_t journal_seq; /* the last line of the journal that it wrote; 0: none */

    void *ctx; /* the caller's own */

    /* private */
    struct hf_crew_task task;
    struct hf_ca_service *service;
};

/* hf_ca_op_done frees what is in the outputs, and leaves the inputs. */
void hf_ca_op_done(struct hf_ca_op *op);

/* hf_ca_op_chain gives what was issued and what is to be sent behind it as objects, which are op's.
 * They are made at the first call: libcrypto takes as long to parse a certificate as to sign two,
 * and who only passes bytes on needs none. Errors: those of hf_cert_from_der; HF_E_NOT_FOUND
 * (nothing was issued). */
enum hf_err hf_ca_op_chain(struct hf_ca_op *op, const struct hf_chain **out) HF_MUST_CHECK;

struct hf_ca_service_options {
    const char *store; /* "sqlite:PATH" or "postgres://..." */
    struct hf_bytes passphrase;
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    unsigned n_threads;           /* 0: one */
    size_t max_queued;            /* operations that wait; more end as BUSY. 0: 4096 */
    bool create;                  /* make the store where there is none */
    const char *const *key_lists; /* files of keys known to others (ca/weak_key.h) */
    size_t n_key_lists;
};

/* hf_ca_service_open opens the store, the authorities' keys and the profiles, and starts the
 * threads. Errors: those of the store and of hf_authorities_load. */
enum hf_err hf_ca_service_open(const struct hf_ca_service_options *options,
                               struct hf_ca_service **out) HF_MUST_CHECK;

/* hf_ca_service_close waits for the operations that are under way; those that wait end as BUSY. */
void hf_ca_service_close(struct hf_ca_service *service);

/* hf_ca_submit takes the operation, which stays where it is until done(op) was called; any thread.
 * It never waits. done may be called before this returns. */
void hf_ca_submit(struct hf_ca_service *service, struct hf_ca_op *op);

/* hf_ca_run submits and waits, for the command line. */
void hf_ca_run(struct hf_ca_service *service, struct hf_ca_op *op);

/* The store stays the service's. Lists, pages and the journal of revocations are read from it. */
struct hf_store *hf_ca_store(struct hf_ca_service *service);

/* hf_ca_authorities gives the present set, with a reference. It is another one within a second of a
 * change by whatever process. Reads the store, so not for a loop's thread. */
struct hf_authorities *hf_ca_authorities(struct hf_ca_service *service);

/* hf_ca_reload reads authorities and profiles again at the next use; after changing them. */
void hf_ca_reload(struct hf_ca_service *service);

/* hf_ca_profile gives a profile by name, the store's own before those built in. Errors:
 * HF_E_NOT_FOUND. */
enum hf_err hf_ca_profile(struct hf_ca_service *service, const char *name,
                          struct hf_cert_profile **out) HF_MUST_CHECK;

/* hf_ca_query fills what hf_store_certs asks, for lists. serial is room for the number; what is
 * borrowed are the texts of which. Errors: HF_E_NOT_FOUND (the authority), HF_E_INVALID (serial).
 */
enum hf_err hf_ca_query(struct hf_ca_service *service, const struct hf_ca_which *which,
                        uint8_t serial[static HF_STORE_SERIAL_MAX],
                        struct hf_store_query *out) HF_MUST_CHECK;

/* hf_ca_serial reads a serial number as people write it, without leading zeros. Errors:
 * HF_E_INVALID. */
enum hf_err hf_ca_serial(const char *text, uint8_t out[static HF_STORE_SERIAL_MAX],
                         size_t *out_len) HF_MUST_CHECK;

const struct hf_clock *hf_ca_clock(const struct hf_ca_service *service);
const struct hf_rng *hf_ca_rng(const struct hf_ca_service *service);

#endif
