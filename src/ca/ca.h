// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CA_H
#define HF_CA_CA_H

/*
 * A certification authority in a folder: a root, an issuing CA under it, and a journal of all that
 * was issued. docs/ca.md describes the folder, which a CA with a database can take over as it is.
 *
 * One process at a time may issue; any number may read. One thread at a time per struct hf_ca.
 */

#include "base/clock.h"
#include "pki/credential.h"

#define HF_CA_NAME_MAX 48  /* bytes; "NAME Issuing CA" must fit a CN of 64 */
#define HF_CA_SANS_MAX 256 /* of one certificate */

/* The world as a CA sees it. */
struct hf_ca_world {
    const struct hf_clock *clock;
    const struct hf_rng *rng;
};

struct hf_ca_new {
    const char *dir;            /* must not exist, or be empty; its parent must exist */
    const char *name;           /* 1 to HF_CA_NAME_MAX bytes of printable UTF-8 */
    struct hf_bytes passphrase; /* of both keys; ptr NULL: the keys are not encrypted */
    struct hf_ca_world world;
};

/*
 * hf_ca_init makes the folder: it grows under another name and takes its own in one step, so that
 * there is a whole CA or none. Errors: HF_E_EXISTS, HF_E_INVALID, HF_E_BUSY (another init of the
 * same folder), and those of files.
 */
enum hf_err hf_ca_init(const struct hf_ca_new *what) HF_MUST_CHECK;

struct hf_ca;

/* hf_ca_open reads the folder. Errors: HF_E_NOT_FOUND (there is no CA), HF_E_MALFORMED,
 * HF_E_UNSUPPORTED (made by a later version). */
enum hf_err hf_ca_open(const char *dir, struct hf_ca_world world, struct hf_ca **out) HF_MUST_CHECK;

/*
 * hf_ca_unlock takes the folder's lock, loads the issuing key and repairs a journal whose last line
 * was cut by a crash. Errors: HF_E_BUSY (another process has the lock and `wait` is false),
 * HF_E_PASSPHRASE, HF_E_PERMISSION (others may read the key), HF_E_MISMATCH.
 */
enum hf_err hf_ca_unlock(struct hf_ca *ca, struct hf_bytes passphrase, bool wait) HF_MUST_CHECK;
void hf_ca_close(struct hf_ca *ca);

const char *hf_ca_name(const struct hf_ca *ca);
const struct hf_cert *hf_ca_root(const struct hf_ca *ca);
const struct hf_cert *hf_ca_issuing(const struct hf_ca *ca);

/* --- Issuing -----------------------------------------------------------------------------------
 */

enum hf_ca_profile { HF_CA_SERVER, HF_CA_CLIENT };

struct hf_ca_request {
    enum hf_ca_profile profile;
    const char *name;        /* server: DNS name or IP address; client: its CN */
    const char *const *sans; /* "DNS:x", "URI:x", "IP:x", "email:x" */
    size_t n_sans;
    const char *key_type; /* "p256", "p384", "ed25519", "rsa2048", "rsa3072"; NULL with csr */
    struct hf_bytes csr;  /* PKCS#10, PEM or DER: only its key is used; ptr NULL: none */
    const char *csr_label;
    unsigned days;      /* from now, or from a later not_before; 0: not_after says it */
    int64_t not_before; /* 0: five minutes ago */
    int64_t not_after;  /* 0: `days` says it */
};

struct hf_ca_leaf {
    struct hf_cert *cert;
    struct hf_chain *chain; /* cert and the issuing CA */
    EVP_PKEY *key;          /* NULL when it came by csr: we never had it */
    struct hf_identity *identity;
    bool capped;             /* ends earlier than asked, with the CA */
    unsigned n_names_in_csr; /* that were not copied */
};

/*
 * hf_ca_sign makes a certificate and touches no file: nothing has been issued until hf_ca_record
 * says so. Errors: HF_E_INVALID in words (a name, a date, a weak key), HF_E_MALFORMED (csr).
 */
enum hf_err hf_ca_sign(struct hf_ca *ca, const struct hf_ca_request *request,
                       struct hf_ca_leaf *out) HF_MUST_CHECK;

/* hf_ca_record puts the certificate into issued/ and the journal. It is on the disk when this
 * returns; on failure both are as before. */
enum hf_err hf_ca_record(struct hf_ca *ca, const struct hf_ca_request *request,
                         const struct hf_ca_leaf *leaf) HF_MUST_CHECK;
void hf_ca_leaf_done(struct hf_ca_leaf *leaf);

/* --- What was issued ---------------------------------------------------------------------------
 */

struct hf_ca_entry {
    int64_t issued_at;
    const char *serial;
    const char *profile; /* "server" or "client" */
    const char *name;
    const char *subject;
    const char *key_type;
    const char *sha256;
    const char *const *sans;
    size_t n_sans;
    int64_t not_before;
    int64_t not_after;
};

/* hf_ca_each calls fn with every certificate issued, oldest first; what it is given lives during
 * the call. Stops at fn's first failure. Errors: HF_E_MALFORMED with the line. */
enum hf_err hf_ca_each(const struct hf_ca *ca,
                       enum hf_err (*fn)(void *ctx, const struct hf_ca_entry *entry),
                       void *ctx) HF_MUST_CHECK;

/* hf_ca_parse_time reads RFC 3339, "2026-11-20T23:06:00Z" or with an offset, or a date alone, which
 * means midnight in UTC. Errors: HF_E_INVALID. */
enum hf_err hf_ca_parse_time(const char *text, int64_t *out) HF_MUST_CHECK;

#endif
