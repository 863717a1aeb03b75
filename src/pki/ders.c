// SPDX-License-Identifier: Apache-2.0
/* One allocation: the head, a view for each certificate, then their bytes. */
#include "pki/ders.h"

#include <string.h>

#include "base/mem.h"

static size_t size_of(const struct hf_chain *chain)
{
    size_t size = sizeof(struct hf_ders) + chain->n_certs * sizeof(struct hf_bytes);
    for (size_t i = 0; i < chain->n_certs; i++) {
        size += chain->certs[i]->der.len;
    }
    return size;
}

static struct hf_ders *make(const struct hf_chain *chain)
{
    struct hf_ders *ders = hf_alloc(size_of(chain));
    if (!ders) {
        return NULL;
    }
    atomic_init(&ders->refs, 1);
    ders->n_ders = (uint32_t)chain->n_certs;
    memcpy(ders->sha256, chain->sha256, sizeof(ders->sha256));
    uint8_t *at = (uint8_t *)&ders->der[chain->n_certs];
    for (size_t i = 0; i < chain->n_certs; i++) {
        struct hf_bytes der = chain->certs[i]->der;
        memcpy(at, der.ptr, der.len);
        ders->der[i] = hf_bytes_of(at, der.len);
        at += der.len;
    }
    return ders;
}

/* Two threads may make it at once; the first to publish wins. */
enum hf_err hf_chain_ders(struct hf_chain *chain, struct hf_ders **out)
{
    struct hf_ders *ders = atomic_load_explicit(&chain->ders, memory_order_acquire);
    *out = NULL;
    if (!ders) {
        struct hf_ders *made = make(chain);
        if (!made) {
            return HF_E_NOMEM;
        }
        if (atomic_compare_exchange_strong_explicit(&chain->ders, &ders, made, memory_order_acq_rel,
                                                    memory_order_acquire)) {
            ders = made;
        } else {
            hf_ders_unref(made);
        }
    }
    *out = hf_ders_ref(ders);
    return HF_OK;
}

struct hf_ders *hf_ders_ref(struct hf_ders *ders)
{
    atomic_fetch_add_explicit(&ders->refs, 1, memory_order_relaxed);
    return ders;
}

void hf_ders_unref(struct hf_ders *ders)
{
    if (ders && atomic_fetch_sub_explicit(&ders->refs, 1, memory_order_acq_rel) == 1) {
        hf_free(ders);
    }
}

void hf_ders_unrefp(struct hf_ders **ders)
{
    hf_ders_unref(*ders);
}
