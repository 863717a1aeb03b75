// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_H
#define HF_CA_STORE_H

/*
 * What a CA remembers: authorities, keys, certificates, requests, revocations, CRL numbers,
 * profiles, tokens and the audit chain, in SQLite (one machine) or PostgreSQL (several nodes).
 * docs/ca-store.md is the user's page. No SQL is seen outside src/ca/store.
 *
 *     struct hf_store *store;
 *     HF_TRY(hf_store_open(&(struct hf_store_options){.url = "sqlite:ca/ca.db", ...}, &store));
 *     struct hf_store_issue issue = {.op = {.kind = HF_STORE_ISSUE, .actor = "cli:root"}, .cert =
 * ...}; HF_TRY(hf_store_do(store, &issue.op));      // on the disk when this returns
 *
 * Writes are operations: structs of the caller that begin with a struct hf_store_op. One thread of
 * the store runs them, in the order given, and groups whatever has queued while the last commit ran
 * into one durable commit. `done` is called after that commit, never before. Each operation is all
 * or nothing, whatever happens to the others in its group.
 *
 * Reads use connections of their own, see what was committed, and block: they are for threads of
 * the CA and for commands, never for a worker of the proxy.
 *
 * Strings are UTF-8 (HF_E_INVALID otherwise), and NULL means "". Times are Unix seconds, 0 is none.
 * Ids are above 0, 0 is none. What a read gives to fn lives during that call.
 */

#include "base/bytes.h"
#include "base/clock.h"

struct hf_store;

/* Bytes of any text, or of a certificate; HF_E_TOO_LARGE beyond it. */
#define HF_STORE_TEXT_MAX   (64u << 10)
#define HF_STORE_SERIAL_MAX 20 /* bytes of a serial number (RFC 5280 4.1.2.2) */
#define HF_STORE_HASH_SIZE  32

struct hf_store_options {
    const char *url;              /* "sqlite:PATH", "postgres://...", "postgresql://..." */
    bool create;                  /* make database and tables where there are none */
    const struct hf_clock *clock; /* for the times in journal and audit */
    unsigned timeout_ms;          /* of one operation, of a wait for a lock; 0: 10 s */
    size_t max_queued;            /* operations that may wait; 0: 8192 */
};

/*
 * hf_store_open opens and brings the tables to this version's form. Any thread may then call
 * everything but hf_store_close. Errors: HF_E_NOT_FOUND (no database; `create` is false),
 * HF_E_PERMISSION (others may read the file), HF_E_UNSUPPORTED (made by a later version, or no
 * PostgreSQL in this build), HF_E_MALFORMED (not a store), HF_E_INVALID (url), HF_E_IO, HF_E_BUSY.
 */
enum hf_err hf_store_open(const struct hf_store_options *options,
                          struct hf_store **out) HF_MUST_CHECK;

/* hf_store_close runs what is queued, then closes. */
void hf_store_close(struct hf_store *store);

/* hf_store_id is 32 hex digits, drawn when the store was made; a backup of it has the same. */
const char *hf_store_id(const struct hf_store *store);

/* hf_store_url is the URL without any password, for sentences. */
const char *hf_store_url(const struct hf_store *store);

/* --- Writing: the common part ------------------------------------------------------------------
 */

enum hf_store_kind {
    HF_STORE_GROUP,          /* struct hf_store_group */
    HF_STORE_AUTHORITY_PUT,  /* struct hf_store_authority_put */
    HF_STORE_AUTHORITY_CERT, /* struct hf_store_authority_cert_add */
    HF_STORE_KEY_PUT,        /* struct hf_store_key_put */
    HF_STORE_ISSUE,          /* struct hf_store_issue */
    HF_STORE_REVOKE,         /* struct hf_store_revoke */
    HF_STORE_REQUEST_ADD,    /* struct hf_store_request_add */
    HF_STORE_REQUEST_DECIDE, /* struct hf_store_request_decide */
    HF_STORE_PROFILE_PUT,    /* struct hf_store_profile_put */
    HF_STORE_PROFILE_REMOVE, /* struct hf_store_profile_remove */
    HF_STORE_TOKEN_ADD,      /* struct hf_store_token_add */
    HF_STORE_TOKEN_USE,      /* struct hf_store_token_use */
    HF_STORE_TOKEN_REMOVE,   /* struct hf_store_token_remove */
    HF_STORE_CRL_NUMBER,     /* struct hf_store_crl_number */
    HF_STORE_CRL_RECORD,     /* struct hf_store_crl_record */
    HF_STORE_SEEN,           /* struct hf_store_seen */
    HF_STORE_AUDIT,          /* struct hf_store_audit_add */
    HF_STORE_N_KINDS
};

/*
 * struct hf_store_op begins every operation. The caller keeps it, and all that it points to, alive
 * and unchanged until done is called (or hf_store_do returns). An operation may be run twice, the
 * first run being undone: `before` must bear that.
 */
struct hf_store_op {
    enum hf_store_kind kind;
    const char *actor;  /* who does it, for the audit: "cli:root", "spiffe://...", "system" */
    const char *detail; /* a note for the audit; or NULL */

    /* NULL, or called on the store's thread just before the operation is run: fills it from the
     * results of earlier ones in the same group (ids). No calls into the store. */
    void (*before)(struct hf_store_op *op);

    /* Called on the store's thread after the commit, or the failure. It must be short (post to a
     * loop) and call nothing that waits; hf_store_submit is allowed. Ignored by hf_store_do. */
    void (*done)(struct hf_store_op *op);
    void *ctx; /* the caller's own */

    enum hf_err err; /* set before done */
    char why[256];   /* the sentence, when err isn't HF_OK */

    /* private */
    struct hf_store_op *next;
    int64_t queued_ns;
    int64_t given; /* the id that the caller gave, for a second run */
    void *waiter;
};

/*
 * hf_store_submit queues the operation. Errors: HF_E_BUSY (the queue is full), HF_E_CLOSED; done is
 * then not called. Errors in op->err: those of the kind, and HF_E_IO (disk full, database gone: the
 * sentence says which; nothing was stored unless it says "may"), HF_E_TIMEOUT, HF_E_BUSY (another
 * process held the lock for too long), HF_E_INVALID, HF_E_TOO_LARGE, HF_E_NOMEM.
 */
enum hf_err hf_store_submit(struct hf_store *store, struct hf_store_op *op) HF_MUST_CHECK;

/* hf_store_submit_list queues several at once, chained by `next`: the writer, which else would
 * begin with the first alone, commits them together. Errors: as hf_store_submit; then none is
 * queued. */
enum hf_err hf_store_submit_list(struct hf_store *store, struct hf_store_op *first) HF_MUST_CHECK;

/* hf_store_do submits and waits; the failure is this thread's own then. */
enum hf_err hf_store_do(struct hf_store *store, struct hf_store_op *op) HF_MUST_CHECK;

/* struct hf_store_group runs its operations in order, all or none. Groups don't nest. The error and
 * the sentence are those of the one that failed, whose index is `failed`. */
struct hf_store_group {
    struct hf_store_op op;
    struct hf_store_op *const *ops;
    size_t n_ops;
    size_t failed;
};

/* --- Authorities and keys ----------------------------------------------------------------------
 */

enum hf_store_authority_state {
    HF_AUTHORITY_PENDING, /* its CSR is out; no certificate yet */
    HF_AUTHORITY_ACTIVE,  /* issues */
    HF_AUTHORITY_RETIRED, /* issues no more; signs CRLs and OCSP until its last certificate ends */
    HF_AUTHORITY_N_STATES
};

/* hf_store_authority_state_name gives "pending", "active", "retired". */
const char *hf_store_authority_state_name(enum hf_store_authority_state state);

struct hf_store_authority {
    int64_t id;
    const char *name; /* unique; people's name of it */
    enum hf_store_authority_state state;
    int64_t parent;       /* 0: self-signed, or its issuer isn't in this store */
    int64_t key;          /* 0: the key isn't here (an offline root) */
    struct hf_bytes cert; /* DER; empty while pending */
    struct hf_bytes csr;  /* DER of the request that is out; or empty */
    const char *subject;
    int64_t not_before;
    int64_t not_after;
    int64_t created_at;
    const char *settings; /* JSON, the owner's: shards, addresses, rotation */
};

/* hf_store_authority_digest: two rows that say the same, but for the name, have the same. */
void hf_store_authority_digest(const struct hf_store_authority *row,
                               uint8_t out[static HF_STORE_HASH_SIZE]);

/* Adds (id 0: `authority.id` is set) or replaces. Errors: HF_E_EXISTS (the name), HF_E_NOT_FOUND
 * (the id, the parent or the key), HF_E_BUSY (it isn't what it was). */
struct hf_store_authority_put {
    struct hf_store_op op;
    struct hf_store_authority authority;
    const uint8_t *was; /* the digest of what is replaced; NULL: whatever is there */
};

/* A further certificate of an authority's key: cross-signed, or renewed. Twice is harmless. */
struct hf_store_authority_cert_add {
    struct hf_store_op op;
    int64_t authority;
    struct hf_bytes cert; /* DER */
};

/* hf_store_authorities gives all, oldest first. */
enum hf_err hf_store_authorities(struct hf_store *store,
                                 enum hf_err (*fn)(void *ctx, const struct hf_store_authority *a),
                                 void *ctx) HF_MUST_CHECK;

/* hf_store_authority_certs gives the further certificates of one, oldest first. */
enum hf_err hf_store_authority_certs(struct hf_store *store, int64_t authority,
                                     enum hf_err (*fn)(void *ctx, struct hf_bytes der),
                                     void *ctx) HF_MUST_CHECK;

enum hf_store_key_form {
    HF_KEY_SEALED, /* PKCS#8, encrypted; see ca/store_key.h, which makes and opens it */
    HF_KEY_PLAIN,  /* PKCS#8 as it is: whoever reads the store has the key */
    HF_KEY_PKCS11, /* a PKCS#11 URI (RFC 7512), without PIN */
    HF_KEY_N_FORMS
};

struct hf_store_key {
    int64_t id;
    enum hf_store_key_form form;
    const char *type;     /* "p256", "rsa3072" */
    struct hf_bytes data; /* the DER, or the URI's characters */
    uint8_t spki_sha256[HF_STORE_HASH_SIZE];
    int64_t created_at;
};

/* Adds (id 0: `key.id` is set) or replaces. Errors: HF_E_NOT_FOUND, HF_E_EXISTS (the same public
 * key is there). A key that left the store for good (an offline root) is not removed by this: set
 * the authority's key to 0, then `remove`. */
struct hf_store_key_put {
    struct hf_store_op op;
    struct hf_store_key key;
    bool remove; /* take key.id away; HF_E_BUSY while an authority refers to it */
};

/* hf_store_key gives one key. Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_key(struct hf_store *store, int64_t id,
                         enum hf_err (*fn)(void *ctx, const struct hf_store_key *key),
                         void *ctx) HF_MUST_CHECK;

/* --- Certificates ------------------------------------------------------------------------------
 */

enum hf_store_status { HF_STATUS_GOOD, HF_STATUS_HELD, HF_STATUS_REVOKED, HF_STATUS_N };

struct hf_store_cert {
    int64_t id; /* in the order of issue */
    int64_t authority;
    struct hf_bytes serial; /* 1 to HF_STORE_SERIAL_MAX bytes, big-endian, no leading zeros */
    struct hf_bytes der;    /* may be empty for one that was imported by number alone */
    const char *profile;
    const char *identity; /* as people know the holder: hf_identity_display */
    const char *subject;
    const char *sans; /* one a line: "DNS:x", "URI:x", "IP:x", "email:x" */
    const char *key_type;
    uint8_t sha256[HF_STORE_HASH_SIZE];
    uint8_t spki_sha256[HF_STORE_HASH_SIZE];
    int64_t not_before;
    int64_t not_after;
    int64_t issued_at; /* 0: now */
    const char *requester;
    int64_t request;     /* 0: none */
    int64_t replaces;    /* the certificate that this one renews; 0: none */
    int64_t replaced_by; /* out: likewise */
    unsigned shard;      /* of the CRL that its distribution point names */

    enum hf_store_status status; /* out, as are those below */
    int64_t revoked_at;
    int reason;        /* RFC 5280 5.3.1 */
    int64_t last_seen; /* 0: never presented, as far as known */
};

/*
 * Stores one certificate. With a token, that is used up by one in the same step; with a request,
 * that becomes issued. Errors: HF_E_EXISTS (the serial, of this authority), HF_E_NOT_FOUND (the
 * authority, request, replaced certificate or token), HF_E_DENIED (the token is used up or over;
 * the request isn't pending or approved; the replaced certificate is revoked or held; or what the
 * flags say), HF_E_INVALID (serial).
 */
struct hf_store_issue {
    struct hf_store_op op;
    struct hf_store_cert cert;
    struct hf_bytes token_hash; /* 32 bytes, or empty */
    bool only_active;           /* HF_E_DENIED where the authority isn't active (any more) */
    bool only_once;             /* HF_E_DENIED where what it replaces was replaced already */
    bool refuse_compromised;    /* HF_E_DENIED where a certificate of the same key was revoked
                                   because others have the key */
    bool compromised;           /* out: that was so */
    bool bad_token;             /* out: it failed for the token */
    int64_t id;                 /* out */
};

/* With `text` the order is that of the words found. What ends soon is best asked for by expiry. */
enum hf_store_order { HF_ORDER_NEWEST, HF_ORDER_EXPIRY };
enum hf_store_tri { HF_ANY, HF_NO, HF_YES };

#define HF_STORE_CURSOR_SIZE 192
#define HF_STORE_PAGE_MAX    1000

/* What isn't set doesn't matter. Everything that is must hold. */
struct hf_store_query {
    int64_t authority;
    int64_t newer_than; /* issued after the certificate with this id */
    struct hf_bytes serial;
    struct hf_bytes spki_sha256;
    const char *profile;
    const char *identity; /* exactly */
    const char *requester;
    const char *key_type; /* exactly, or with "*" at its end */
    const char *text;     /* a word, or the beginning of one, in identity, subject, names; any case;
                             several words: all of them */
    int64_t expires_before;
    int64_t expires_after;      /* "unexpired": now */
    enum hf_store_tri revoked;  /* held counts as revoked */
    enum hf_store_tri replaced; /* renewed by another */
    enum hf_store_tri seen;     /* HF_NO: never presented */
    enum hf_store_order order;
    size_t limit;       /* 1 to HF_STORE_PAGE_MAX; 0: 100 */
    const char *cursor; /* of the page before, also in place; NULL or "": from the beginning */
    bool with_der;
};

struct hf_store_page {
    size_t n;
    bool more;                         /* there may be more; ask with cursor */
    char cursor[HF_STORE_CURSOR_SIZE]; /* printable ASCII; belongs to the same query */
};

/*
 * hf_store_certs gives one page. A page costs a bounded amount of work whatever is asked for and
 * however many there are, so it may be short, even empty, and still say `more`: ask on.
 * Errors: HF_E_INVALID (the cursor, the limit), fn's.
 */
enum hf_err hf_store_certs(struct hf_store *store, const struct hf_store_query *query,
                           enum hf_err (*fn)(void *ctx, const struct hf_store_cert *cert),
                           void *ctx, struct hf_store_page *out) HF_MUST_CHECK;

/* hf_store_cert gives the one with this serial, DER included. Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_cert(struct hf_store *store, int64_t authority, struct hf_bytes serial,
                          enum hf_err (*fn)(void *ctx, const struct hf_store_cert *cert),
                          void *ctx) HF_MUST_CHECK;

struct hf_store_counts {
    int64_t certificates;
    int64_t unexpired; /* at the moment asked for, revoked ones too */
    int64_t revoked;   /* unexpired and revoked or held */
    int64_t replaced;  /* unexpired and renewed by another */
};

/* hf_store_count counts under one authority (0: all), at `now`. It walks an index: not for every
 * request. */
enum hf_err hf_store_count(struct hf_store *store, int64_t authority, int64_t now,
                           struct hf_store_counts *out) HF_MUST_CHECK;

/* Notes that certificates were presented: the peer inventory's way in. Unknown serials are passed
 * over; earlier times than the known ones too. Not in the audit. */
struct hf_store_sighting {
    int64_t authority;
    struct hf_bytes serial;
    int64_t at;
};
struct hf_store_seen {
    struct hf_store_op op;
    const struct hf_store_sighting *sightings;
    size_t n_sightings;
};

/* --- Revocation --------------------------------------------------------------------------------
 */

#define HF_STORE_SHOWN_SIZE 256

enum hf_store_act { HF_ACT_REVOKE, HF_ACT_HOLD, HF_ACT_RELEASE, HF_ACT_N };

/* hf_store_act_name gives "revoke", "hold", "release". */
const char *hf_store_act_name(enum hf_store_act act);

/*
 * Revokes, holds (reason certificateHold, whatever `reason` says) or releases from hold. Revoking
 * what is held makes it final. Errors: HF_E_NOT_FOUND (no such certificate, unless `unknown`),
 * HF_E_EXISTS (it is revoked, or held, already: `journal_seq` is where), HF_E_DENIED (releasing
 * what isn't held), HF_E_INVALID (reason: RFC 5280's 0 to 5, 9 and 10; certificateHold and
 * removeFromCRL are acts).
 */
struct hf_store_revoke {
    struct hf_store_op op;
    enum hf_store_act act;
    int64_t authority; /* 0: whichever has it; HF_E_INVALID when there are two. Not with unknown */
    struct hf_bytes serial;
    int reason;
    int64_t at;                         /* 0: now */
    bool unknown;                       /* the serial needn't be of a certificate in the store */
    unsigned shard;                     /* with unknown */
    int64_t not_after;                  /* with unknown; 0: stays on the CRL for ever */
    int64_t journal_seq;                /* out */
    char identity[HF_STORE_SHOWN_SIZE]; /* out: of the certificate, cut to what fits */
};

/* One line of the journal, which is only ever added to. */
struct hf_store_revocation {
    int64_t seq; /* from 1, without gaps */
    enum hf_store_act act;
    int64_t authority;
    struct hf_bytes serial;
    int reason;
    int64_t at;         /* since when it is revoked */
    int64_t written_at; /* when we were told */
    int64_t not_after;
    unsigned shard;
    int64_t cert; /* its id, 0 when unknown */
    const char *actor;
};

/* hf_store_journal gives lines after `after`, oldest first, at most `limit` (0: all). authority 0:
 * of all. */
enum hf_err hf_store_journal(struct hf_store *store, int64_t authority, int64_t after, size_t limit,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_revocation *r),
                             void *ctx) HF_MUST_CHECK;

/*
 * hf_store_revoked gives everything now revoked or held under an authority (of one shard, or of all
 * with shard -1) and not expired before unexpired_at, by shard, in the order of revocation, as of
 * one moment, whose journal seq is *out_seq. Of each: serial, at, reason, not_after, shard, act
 * (revoke or hold), seq of its journal line. Streams: memory stays the same for a million.
 */
enum hf_err hf_store_revoked(struct hf_store *store, int64_t authority, int shard,
                             int64_t unexpired_at,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_revocation *r),
                             void *ctx, int64_t *out_seq) HF_MUST_CHECK;

struct hf_store_standing {
    bool known; /* a certificate with this serial was issued (or revoked unseen) */
    enum hf_store_status status;
    int64_t revoked_at;
    int reason;
    int64_t not_after;
};

/* hf_store_standing is what OCSP asks. Unknown serials are no failure: `known` is false. */
enum hf_err hf_store_standing(struct hf_store *store, int64_t authority, struct hf_bytes serial,
                              struct hf_store_standing *out) HF_MUST_CHECK;

/* Takes the next CRL number of an authority's shard (0 where there are no shards). Full and delta
 * CRLs share them. Once given, a number never comes again, whatever crashes. */
struct hf_store_crl_number {
    struct hf_store_op op;
    int64_t authority;
    unsigned shard;
    int64_t at_least; /* 0, or the lowest acceptable (another system published up to here) */
    int64_t number;   /* out */
};

/* Records that a CRL was published. Errors: HF_E_INVALID when its number was never taken,
 * HF_E_EXISTS when it is not above the last one recorded of its kind. */
struct hf_store_crl {
    int64_t authority;
    unsigned shard;
    bool delta;
    int64_t number;
    int64_t base_number; /* of a delta */
    int64_t this_update;
    int64_t next_update;
    int64_t journal_seq; /* what it knows of */
    int64_t n_entries;
    uint8_t sha256[HF_STORE_HASH_SIZE];
};
struct hf_store_crl_record {
    struct hf_store_op op;
    struct hf_store_crl crl;
};

/* hf_store_crl_last gives the last one recorded. Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_crl_last(struct hf_store *store, int64_t authority, unsigned shard, bool delta,
                              struct hf_store_crl *out) HF_MUST_CHECK;

/* --- Requests ----------------------------------------------------------------------------------
 */

enum hf_store_request_state {
    HF_REQUEST_PENDING,
    HF_REQUEST_APPROVED,
    HF_REQUEST_DENIED,
    HF_REQUEST_ISSUED,
    HF_REQUEST_N_STATES
};

/* hf_store_request_state_name gives "pending", "approved", "denied", "issued". */
const char *hf_store_request_state_name(enum hf_store_request_state state);

struct hf_store_request {
    int64_t id;
    enum hf_store_request_state state;
    int64_t authority;
    const char *profile;
    const char *identity; /* wanted */
    struct hf_bytes csr;  /* DER */
    const char *wish;     /* JSON, the owner's: names, dates, what else was asked for */
    const char *requester;
    int64_t replaces; /* the certificate to be renewed; 0: none */
    int64_t created_at;
    int64_t expires_at;  /* nobody may approve it afterwards; 0: never */
    const char *decider; /* "" while pending */
    int64_t decided_at;
    const char *reason; /* of the decision */
    int64_t cert;       /* 0 until issued */
};

struct hf_store_request_add {
    struct hf_store_op op;
    struct hf_store_request request; /* id is set; state is pending */
};

/* Approves or denies. Errors: HF_E_NOT_FOUND, HF_E_DENIED (it isn't pending, or is over). */
struct hf_store_request_decide {
    struct hf_store_op op;
    int64_t id;
    bool approve;
    const char *reason;
};

/* hf_store_requests gives those in `state` (-1: all) after id `after`, oldest first, at most limit
 * (0: 100); hf_store_request gives one. Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_requests(struct hf_store *store, int state, int64_t after, size_t limit,
                              enum hf_err (*fn)(void *ctx, const struct hf_store_request *request),
                              void *ctx) HF_MUST_CHECK;
enum hf_err hf_store_request(struct hf_store *store, int64_t id,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_request *request),
                             void *ctx) HF_MUST_CHECK;

/* --- Profiles and tokens -----------------------------------------------------------------------
 */

struct hf_store_profile {
    const char *name;
    const char *yaml;
    int64_t version; /* from 1, counts replacements */
    int64_t updated_at;
};

/* Adds or replaces; profile.version is set. */
struct hf_store_profile_put {
    struct hf_store_op op;
    struct hf_store_profile profile;
};

/* Errors: HF_E_NOT_FOUND. */
struct hf_store_profile_remove {
    struct hf_store_op op;
    const char *name;
};

/* hf_store_profiles gives all, by name; hf_store_profile gives one. Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_profiles(struct hf_store *store,
                              enum hf_err (*fn)(void *ctx, const struct hf_store_profile *profile),
                              void *ctx) HF_MUST_CHECK;
enum hf_err hf_store_profile(struct hf_store *store, const char *name,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_profile *profile),
                             void *ctx) HF_MUST_CHECK;

/* An enrolment token. The store never sees the token itself, only its SHA-256. */
struct hf_store_token {
    int64_t id;
    uint8_t hash[HF_STORE_HASH_SIZE];
    int64_t authority; /* 0: any */
    const char *profile;
    const char *limits; /* JSON, the owner's: which names */
    const char *note;
    const char *creator;
    int64_t uses_left;
    int64_t expires_at;
    int64_t created_at;
    int64_t used_at; /* last; 0: never */
};

/* Errors: HF_E_EXISTS (the hash), HF_E_INVALID (no uses, or no end). */
struct hf_store_token_add {
    struct hf_store_op op;
    struct hf_store_token token; /* id is set */
};

/* Uses one up. Errors: HF_E_NOT_FOUND, HF_E_DENIED (used up, or over: the sentence says). */
struct hf_store_token_use {
    struct hf_store_op op;
    struct hf_bytes hash;
    bool bad_token; /* out: it failed for the token */
};
struct hf_store_token_remove {
    struct hf_store_op op;
    int64_t id;
};

/* hf_store_token_find by hash; hf_store_tokens gives those after id `after`, at most limit (0:
 * 100). Errors: HF_E_NOT_FOUND. */
enum hf_err hf_store_token_find(struct hf_store *store, struct hf_bytes hash,
                                enum hf_err (*fn)(void *ctx, const struct hf_store_token *token),
                                void *ctx) HF_MUST_CHECK;
enum hf_err hf_store_tokens(struct hf_store *store, int64_t after, size_t limit,
                            enum hf_err (*fn)(void *ctx, const struct hf_store_token *token),
                            void *ctx) HF_MUST_CHECK;

/* --- Audit -------------------------------------------------------------------------------------
 */

/*
 * Every operation above but HF_STORE_SEEN adds a line to the audit in the same commit. Lines form a
 * chain: each holds the hash of the one before, so that none can be changed, removed or put between
 * without all later hashes changing. HF_STORE_AUDIT adds a line for what changes nothing else: a
 * refusal, an export, a key ceremony.
 */
struct hf_store_audit_add {
    struct hf_store_op op; /* actor, detail */
    const char *action;    /* "denied", "export", ... */
    const char *target;
};

struct hf_store_audit {
    int64_t seq; /* from 1, without gaps */
    int64_t at;
    const char *actor;
    const char *action;
    const char *target;
    const char *detail;
    uint8_t hash[HF_STORE_HASH_SIZE];
};

/* hf_store_audits gives lines after `after`, oldest first, at most limit (0: 100). */
enum hf_err hf_store_audits(struct hf_store *store, int64_t after, size_t limit,
                            enum hf_err (*fn)(void *ctx, const struct hf_store_audit *audit),
                            void *ctx) HF_MUST_CHECK;

struct hf_store_verified {
    int64_t lines;                    /* of the chain */
    uint8_t head[HF_STORE_HASH_SIZE]; /* to be noted elsewhere: it pins everything before */
    int64_t bad_seq;                  /* 0: the chain is whole */
    char what[256];                   /* when it isn't: what is wrong there */
};

/*
 * hf_store_audit_verify walks the chain, and holds certificates and revocations against it: each
 * must have its line and each line its row. A head that was noted earlier (seq and hash; seq 0:
 * none) must be on it. A broken chain is no failure: see bad_seq and what.
 */
enum hf_err hf_store_audit_verify(struct hf_store *store, int64_t noted_seq,
                                  const uint8_t *noted_hash,
                                  struct hf_store_verified *out) HF_MUST_CHECK;

/* --- Watching ----------------------------------------------------------------------------------
 */

struct hf_store_heads {
    int64_t change;  /* counts commits of all nodes */
    int64_t journal; /* last seq */
    int64_t audit;
};

enum hf_err hf_store_heads(struct hf_store *store, struct hf_store_heads *out) HF_MUST_CHECK;

/*
 * hf_store_watch calls on_change soon after each commit, by whichever process or node; several
 * commits may become one call. Called on a thread of the store: post to a loop. Own commits are
 * told at once, others' within 0.2 s (SQLite) or as the database notifies (PostgreSQL). After a
 * lost connection it is called once more than necessary rather than less. Also called once soon
 * after hf_store_watch itself.
 */
struct hf_store_watch {
    void (*on_change)(struct hf_store_watch *watch, const struct hf_store_heads *heads);
    void *ctx;
    struct hf_store_watch *next; /* private */
};
enum hf_err hf_store_watch(struct hf_store *store, struct hf_store_watch *watch) HF_MUST_CHECK;

/* hf_store_unwatch: on_change isn't running and isn't called any more when this returns. Not from
 * within on_change. */
void hf_store_unwatch(struct hf_store *store, struct hf_store_watch *watch);

#endif
