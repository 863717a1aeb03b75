// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_INIT_H
#define HF_CA_INIT_H

/* A new CA in an empty store. */

#include "ca/authority_make.h"

#define HF_CA_NAME_MAX 48 /* bytes; "NAME Issuing CA" must fit a CN of 64 */

struct hf_ca_new {
    const char *name;        /* 1 to HF_CA_NAME_MAX bytes of printable UTF-8 */
    const char *key_type;    /* of both; NULL: p256 */
    const char *root_pkcs11; /* the URIs of keys in tokens; NULL: made here */
    const char *issuing_pkcs11;
    int64_t root_lifetime_s;                /* 0: the profile's */
    int64_t issuing_lifetime_s;             /* likewise */
    struct hf_made_constraints constraints; /* of the issuing CA */
    struct hf_authority_settings settings;  /* of both */
    bool root_only;                         /* "root" alone: an offline one */
    bool issuing_only; /* "issuing" alone, with a request for a root that is elsewhere */
};

/* hf_ca_init makes the authorities "root" and "issuing". With issuing_only the request is appended
 * to out_csr, in DER. Errors: HF_E_EXISTS (the store has authorities), HF_E_INVALID, those of
 * hf_authority_make. */
enum hf_err hf_ca_init(struct hf_ca_service *service, const char *actor,
                       const struct hf_ca_new *what, struct hf_buf *out_csr) HF_MUST_CHECK;

/* hf_ca_name_check: may a CA be called that? */
enum hf_err hf_ca_name_check(const char *name) HF_MUST_CHECK;

#endif
