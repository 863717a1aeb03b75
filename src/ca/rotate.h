// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_ROTATE_H
#define HF_CA_ROTATE_H

/*
 * Guided rotation of a root, so that nobody is locked out on the way:
 *
 *     start     a new root and an issuing CA below it; the old root cross-signs the new one. From
 *               now on certificates come from the new issuing CA, with a chain that leads to either
 *               root; both roots are handed out
 *     status    how many certificates are left below each root, and how many of those were seen
 *     finish    the old root is no longer handed out. Refused while certificates below it are good
 *
 * Every step can be repeated: one that was interrupted is taken up where it stopped.
 */

#include "ca/service.h"

struct hf_rotate_plan {
    const char *key_type;       /* of the new CAs; NULL: those of the old ones */
    int64_t root_lifetime_s;    /* 0: the profile's */
    int64_t issuing_lifetime_s; /* 0: the profile's */
    bool issuing_only;          /* the root stays */
    bool no_cross;              /* for when the old root's key is out of reach */
};

/* hf_rotate_start. Errors: HF_E_EXISTS (it was started already, and all is done), HF_E_NOT_FOUND
 * (no root, or its key), those of making authorities. */
enum hf_err hf_rotate_start(struct hf_ca_service *service, const char *actor,
                            const struct hf_rotate_plan *plan) HF_MUST_CHECK;

/* One root, and what is below it in this store. */
struct hf_rotate_root {
    const struct hf_authority *root;      /* lives as long as the status */
    const struct hf_authority *successor; /* NULL: none */
    int64_t good;                         /* certificates neither revoked nor past their end */
    int64_t renewed;                      /* of them: have been renewed by another one */
    int64_t seen;      /* of them: presented since the successor was made, as far as known; the
                          inventory of the proxies writes that into the store */
    int64_t last_ends; /* the end of the one that ends last; 0: there is none */
};

struct hf_rotate_status {
    struct hf_authorities *set;
    struct hf_rotate_root *roots;
    size_t n_roots;
};

/* hf_rotate_status walks the certificates that haven't ended. */
enum hf_err hf_rotate_status(struct hf_ca_service *service,
                             struct hf_rotate_status *out) HF_MUST_CHECK;
void hf_rotate_status_done(struct hf_rotate_status *status);

/* hf_rotate_finish stops handing out the root of this name, or (NULL) the one that has a successor.
 * Errors: HF_E_DENIED (certificates are left; not with force), HF_E_NOT_FOUND (none to finish). */
enum hf_err hf_rotate_finish(struct hf_ca_service *service, const char *actor, const char *root,
                             bool force, char **out_name) HF_MUST_CHECK;

#endif
