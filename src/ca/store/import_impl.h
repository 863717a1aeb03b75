// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_IMPORT_IMPL_H
#define HF_CA_STORE_IMPORT_IMPL_H

/* What the importers share: authorities with their keys, and certificates as rows. */

#include "ca/store/bulk.h"
#include "ca/store_import.h"
#include "pki/cert.h"

#define HF_IMPORT_FILE_CAP (256u << 20) /* of an index, a journal or a CRL */

struct hf_importing {
    struct hf_store *store;
    const struct hf_store_import *what;
    struct hf_store_imported result;
    struct hf_bulk bulk;
};

/* hf_import_read appends dir/name. *out_found is false, and nothing failed, where it isn't there.
 */
enum hf_err hf_import_read(const char *dir, const char *name, struct hf_buf *out,
                           bool *out_found) HF_MUST_CHECK;

/* An authority to be made, unless the store has its certificate already. */
struct hf_import_authority {
    const char *name;     /* NULL: from the certificate's CN */
    struct hf_bytes cert; /* PEM or DER */
    const char *cert_label;
    struct hf_bytes key; /* PEM or DER; empty: none */
    const char *key_label;
    int64_t parent;
};

/* hf_import_authority_add gives the authority's id and its certificate, which the caller unrefs.
 * Errors: HF_E_INVALID (not a CA's certificate), HF_E_MISMATCH (the key isn't its). */
enum hf_err hf_import_authority_add(struct hf_importing *importing,
                                    const struct hf_import_authority *from, int64_t *out_id,
                                    struct hf_cert **out_cert) HF_MUST_CHECK;

/* hf_import_cert queues one certificate of that authority. issued_at 0: its notBefore. profile
 * NULL: by its extended key usage. Errors: HF_E_MISMATCH (the CA didn't sign it). */
enum hf_err hf_import_cert(struct hf_importing *importing, int64_t authority,
                           const struct hf_cert *issuer, struct hf_cert *cert, const char *profile,
                           int64_t issued_at) HF_MUST_CHECK;

/* The three kinds of folders. *out_is is false where it isn't one. */
enum hf_err hf_import_index_folder(struct hf_importing *importing, bool *out_is) HF_MUST_CHECK;
enum hf_err hf_import_handfast_folder(struct hf_importing *importing, bool *out_is) HF_MUST_CHECK;
enum hf_err hf_import_step_file(struct hf_importing *importing) HF_MUST_CHECK;

#endif
