// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_PASSPHRASE_H
#define HF_CLI_PASSPHRASE_H

#include "base/secret.h"

/* Where a command was told to find a passphrase; both NULL: nowhere. */
struct hf_passphrase_from {
    const char *file; /* its first line; refused when others can read it */
    const char *env;  /* the name of a variable */
};

/* hf_passphrase_read fills out; left empty with ptr NULL when there is none. Errors: HF_E_USAGE
 * (both given, or the variable isn't set), those of hf_file_read_private. */
enum hf_err hf_passphrase_read(const struct hf_passphrase_from *from,
                               struct hf_secret_text *out) HF_MUST_CHECK;

/* hf_passphrase_bytes views it as functions of src/pki take it: ptr NULL for none. */
static inline struct hf_bytes hf_passphrase_bytes(const struct hf_secret_text *passphrase)
{
    return hf_bytes_of(passphrase->ptr, passphrase->len);
}

#endif
