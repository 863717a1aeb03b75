// SPDX-License-Identifier: Apache-2.0
#include "ca/blob.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/* The bytes of a copy stand behind the struct. */
enum hf_err hf_blob_copy(struct hf_bytes bytes, struct hf_blob **out)
{
    struct hf_blob *blob = hf_alloc_zero(1, sizeof(*blob) + bytes.len);
    if (!blob) {
        return HF_E_NOMEM;
    }
    atomic_init(&blob->refs, 1);
    if (bytes.len) {
        memcpy(blob + 1, bytes.ptr, bytes.len);
    }
    blob->bytes = hf_bytes_of(blob + 1, bytes.len);
    *out = blob;
    return HF_OK;
}

enum hf_err hf_blob_mapped(struct hf_bytes bytes, struct hf_blob **out)
{
    struct hf_blob *blob = HF_NEW(struct hf_blob);
    if (!blob) {
        return HF_E_NOMEM;
    }
    atomic_init(&blob->refs, 1);
    blob->bytes = bytes;
    blob->mapped = true;
    *out = blob;
    return HF_OK;
}

struct hf_blob *hf_blob_ref(struct hf_blob *blob)
{
    atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}

void hf_blob_unref(struct hf_blob *blob)
{
    if (blob && atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) == 1) {
        if (blob->mapped) {
            munmap((void *)(uintptr_t)blob->bytes.ptr, blob->bytes.len);
        }
        hf_free(blob);
    }
}

void hf_blob_release(void *blob)
{
    hf_blob_unref(blob);
}
