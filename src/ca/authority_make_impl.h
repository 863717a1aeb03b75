// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_AUTHORITY_MAKE_IMPL_H
#define HF_CA_AUTHORITY_MAKE_IMPL_H

/* Shared by the files that make and change authorities; for nobody else. */

#include "ca/authority_make.h"
#include "ca/service_impl.h"

enum { HF_MAKING_DER_MAX = 16 << 10, HF_MAKING_TYPE_SIZE = 32 };

/* What is being made, and the writes that make it. */
struct hf_making {
    struct hf_ca_service *service;
    const char *actor;
    const struct hf_authority_new *what;
    struct hf_authorities *set;
    struct hf_cert_profile *profile;
    EVP_PKEY *key;
    struct hf_public_key *public_key;
    struct hf_made_cert made;
    struct hf_cert *cert;
    struct hf_buf key_data;
    char type[HF_MAKING_TYPE_SIZE];
    char *settings;
    struct hf_authority_addresses crl, ocsp, issuer;

    struct hf_store_key_put key_put;
    struct hf_store_authority_put put;
    struct hf_store_issue issue;
    struct hf_store_authority_cert_add cross;
    struct hf_store_group group;
    struct hf_store_op *ops[3];
};

/* hf_making_of begins with the authorities as they are now: what another command changed a moment
 * ago counts. */
struct hf_making hf_making_of(struct hf_ca_service *service, const char *actor);
void hf_making_done(struct hf_making *making);

/* hf_making_op begins an operation of the store; hf_making_commit runs the first n of `ops` as one
 * group. */
struct hf_store_op hf_making_op(const struct hf_making *making, enum hf_store_kind kind);
enum hf_err hf_making_commit(struct hf_making *making, size_t n) HF_MUST_CHECK;

/* hf_making_find and hf_making_find_signer (which has its key here) find by name. Errors:
 * HF_E_NOT_FOUND. */
enum hf_err hf_making_find(const struct hf_making *making, const char *name,
                           const struct hf_authority **out) HF_MUST_CHECK;
enum hf_err hf_making_find_signer(const struct hf_making *making, const char *name,
                                  const struct hf_authority **out) HF_MUST_CHECK;

/* hf_making_store_key fills key_put with `key`: sealed, or the URI of a token. Its id is known in
 * `before` of what follows: hf_making_take_key_id. */
enum hf_err hf_making_store_key(struct hf_making *making, const char *pkcs11) HF_MUST_CHECK;
void hf_making_take_key_id(struct hf_store_op *op);

/* hf_making_sign makes `cert`, and fills the row in the list of what its signer issued. Errors:
 * HF_E_DENIED (it isn't active). */
enum hf_err hf_making_sign(struct hf_making *making, const struct hf_authority *by,
                           struct hf_cert_facts *facts) HF_MUST_CHECK;

/* hf_making_same_row fills `put` with the row as it is, to be changed in parts. */
enum hf_err hf_making_same_row(struct hf_making *making,
                               const struct hf_authority *authority) HF_MUST_CHECK;

/* hf_making_holder gives whose key the certificate is for; NULL: nobody's here. */
const struct hf_authority *hf_making_holder(const struct hf_authorities *set,
                                            const struct hf_cert *cert);

/* hf_making_subject gives the subject's DER, a view. */
struct hf_bytes hf_making_subject(const struct hf_cert *cert);

#endif
