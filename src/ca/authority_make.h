// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_AUTHORITY_MAKE_H
#define HF_CA_AUTHORITY_MAKE_H

/*
 * Making and changing authorities: rare, by a person, one at a time. All of it waits for the store
 * and for key generation; for the command line, never for a loop. Each change is one commit with
 * its audit record, and holds from the next operation of the service on.
 *
 * A certificate that one authority signs for another is recorded like any other that it issues, so
 * that it is listed, and can be revoked by its signer's CRL.
 */

#include "ca/cert_make.h"
#include "ca/service.h"

struct hf_authority_new {
    const char *name; /* in the store; see HF_AUTHORITY_NAME_MAX */
    const struct hf_subject *subject;
    const char *parent;   /* who signs it; NULL: itself, a root */
    const char *key_type; /* "p256", "p384", "ed25519", "rsa3072" ...; NULL: "p256" */
    const char *pkcs11;   /* the URI of a key in a token, in place of making one; NULL: none */
    struct hf_bytes pin;  /* of the token; ptr NULL: as the URI says */
    int64_t lifetime_s;   /* 0: the profile's */
    int path_len;         /* of CAs below it; -1: no limit; HF_PATH_LEN_STANDARD */
    struct hf_made_constraints constraints;
    struct hf_authority_settings settings;
};

#define HF_PATH_LEN_STANDARD (-2) /* root: none; issuing: 0 */

/* hf_authority_name_check: may an authority be called that? Errors: HF_E_INVALID. */
enum hf_err hf_authority_name_check(const char *name) HF_MUST_CHECK;

/* hf_authority_make makes key and certificate. actor is for the audit. Errors: HF_E_EXISTS (the
 * name), HF_E_NOT_FOUND (the parent, or its key), HF_E_DENIED (the parent is retired),
 * HF_E_INVALID, those of the store and of keys. */
enum hf_err hf_authority_make(struct hf_ca_service *service, const char *actor,
                              const struct hf_authority_new *what) HF_MUST_CHECK;

/* hf_authority_request makes a key and a request for it, which is appended in DER; the authority
 * then is pending. what->parent is not used. */
enum hf_err hf_authority_request(struct hf_ca_service *service, const char *actor,
                                 const struct hf_authority_new *what,
                                 struct hf_buf *out_csr) HF_MUST_CHECK;

/*
 * hf_authority_install gives a pending authority its certificate, which must be for its key. A root
 * among the certificates that come with it is taken into the store as an authority without key,
 * under root_name, unless it is there. Errors: HF_E_NOT_FOUND, HF_E_MISMATCH (another key, or
 * nothing signed it), HF_E_INVALID (not a CA, ended).
 */
enum hf_err hf_authority_install(struct hf_ca_service *service, const char *actor, const char *name,
                                 const struct hf_chain *certs, const char *root_name) HF_MUST_CHECK;

/* What an authority signs for somebody else's request (CSR) or certificate (cross-signing). */
struct hf_authority_sign {
    const char *by;             /* name of who signs */
    struct hf_bytes csr;        /* PEM or DER; or: */
    const struct hf_cert *cert; /* whose subject and key are certified again */
    const char *label;          /* of either, for messages */
    int64_t lifetime_s; /* 0: the profile's; a cross certificate ends with cert at the latest */
    int path_len;       /* as in hf_authority_new; cross: that of cert by default */
    struct hf_made_constraints constraints;
};

/* hf_authority_sign gives a CA certificate. Where `cert` is that of an authority in this store, it
 * is kept there too, and sent with its chain. Errors: as hf_authority_make's. */
enum hf_err hf_authority_sign(struct hf_ca_service *service, const char *actor,
                              const struct hf_authority_sign *what,
                              struct hf_cert **out) HF_MUST_CHECK;

/* hf_authority_add_cert keeps a certificate that somebody else signed for an authority here (a
 * cross-signed one), and sends it with its chain. Errors: HF_E_MISMATCH. */
enum hf_err hf_authority_add_cert(struct hf_ca_service *service, const char *actor,
                                  const struct hf_cert *cert) HF_MUST_CHECK;

/* hf_authority_key_pem appends the key of an authority, to keep it elsewhere; encrypted unless
 * passphrase.ptr is NULL. */
enum hf_err hf_authority_key_pem(struct hf_ca_service *service, const char *name,
                                 struct hf_bytes passphrase, struct hf_buf *out) HF_MUST_CHECK;

/* hf_authority_drop_key removes it from the store; hf_authority_add_key puts it (back) in, by the
 * service's passphrase. Errors: HF_E_MISMATCH (the key of something else). */
enum hf_err hf_authority_drop_key(struct hf_ca_service *service, const char *actor,
                                  const char *name) HF_MUST_CHECK;
enum hf_err hf_authority_add_key(struct hf_ca_service *service, const char *actor, const char *name,
                                 EVP_PKEY *key) HF_MUST_CHECK;

/* hf_authority_change sets state and settings of one that still is what it was. Errors: HF_E_BUSY
 * (somebody has changed it since). */
enum hf_err hf_authority_change(struct hf_ca_service *service, const char *actor,
                                const struct hf_authority *was, enum hf_store_authority_state state,
                                const struct hf_authority_settings *settings) HF_MUST_CHECK;

#endif
