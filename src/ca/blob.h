// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_BLOB_H
#define HF_CA_BLOB_H

/* struct hf_blob is bytes that many may hold: a published list, a certificate, an answer. Counted
 * by references, immutable, any thread. */

#include <stdatomic.h>

#include "base/bytes.h"

struct hf_blob {
    atomic_uint refs;
    struct hf_bytes bytes;
    bool mapped;
};

enum hf_err hf_blob_copy(struct hf_bytes bytes, struct hf_blob **out) HF_MUST_CHECK;

/* hf_blob_mapped takes over what mmap gave. */
enum hf_err hf_blob_mapped(struct hf_bytes bytes, struct hf_blob **out) HF_MUST_CHECK;
struct hf_blob *hf_blob_ref(struct hf_blob *blob);
void hf_blob_unref(struct hf_blob *blob); /* NULL is fine */

/* hf_blob_release is hf_blob_unref for those who know it as void *. */
void hf_blob_release(void *blob);

#endif
