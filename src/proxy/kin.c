// SPDX-License-Identifier: Apache-2.0
#include "proxy/kin.h"

#include <string.h>

#include "base/mem.h"

enum { NAME_MAX_LEN = 64, KEY_MAX = NAME_MAX_LEN + HF_SHA256_SIZE * (HF_CHAIN_MAX + 2) };

struct hf_kin {
    size_t refs;
    struct hf_chain *above; /* the leaf's issuer first, the root last */
    char trust[NAME_MAX_LEN];
    uint64_t epoch; /* of the worker, that what follows was found in; 0: none */
    enum hf_standing above_standing;
    struct hf_verdict fallen; /* where it has fallen */
    struct hf_notes notes;
    struct hf_standing_memo memo; /* of leaves */
    int64_t until;
    size_t key_len;
    uint8_t key[KEY_MAX];
};

/* The trust's name and what it is made of, and the CA certificates. 0: too long. */
static size_t make_key(const struct hf_trust *trust, const struct hf_chain *path,
                       uint8_t out[static KEY_MAX])
{
    const char *name = hf_trust_name(trust);
    size_t len = strlen(name) + 1;
    if (len > NAME_MAX_LEN || path->n_certs > HF_CHAIN_MAX + 1) {
        return 0;
    }
    memcpy(out, name, len);
    memcpy(out + len, hf_trust_id(trust), HF_SHA256_SIZE);
    len += HF_SHA256_SIZE;
    for (size_t i = 1; i < path->n_certs; i++, len += HF_SHA256_SIZE) {
        memcpy(out + len, path->certs[i]->sha256, HF_SHA256_SIZE);
    }
    return len;
}

static struct hf_kin *make(struct hf_worker *worker, const struct hf_trust *trust,
                           const struct hf_chain *path, struct hf_bytes key)
{
    struct hf_kin *kin = HF_NEW(struct hf_kin);
    if (!kin) {
        return NULL;
    }
    kin->key_len = key.len;
    memcpy(kin->key, key.ptr, key.len);
    memcpy(kin->trust, key.ptr, strlen(hf_trust_name(trust)) + 1);
    if (hf_chain_new(&path->certs[1], path->n_certs - 1, &kin->above) != HF_OK ||
        hf_map_put(&worker->kins, key, kin) != HF_OK) {
        hf_chain_unref(kin->above);
        hf_free(kin);
        return NULL;
    }
    return kin;
}

struct hf_kin *hf_kin_of(struct hf_worker *worker, const struct hf_trust *trust,
                         const struct hf_chain *path)
{
    uint8_t key[KEY_MAX];
    size_t len = path->n_certs > 1 && !path->certs[0]->is_ca ? make_key(trust, path, key) : 0;
    if (len == 0) {
        return NULL;
    }
    struct hf_kin *kin = hf_map_get(&worker->kins, hf_bytes_of(key, len));
    kin = kin ? kin : make(worker, trust, path, hf_bytes_of(key, len));
    if (kin) {
        kin->refs++;
    }
    return kin;
}

void hf_kin_unref(struct hf_worker *worker, struct hf_kin *kin)
{
    if (kin && --kin->refs == 0) {
        hf_map_remove(&worker->kins, hf_bytes_of(kin->key, kin->key_len));
        hf_chain_unref(kin->above);
        hf_free(kin);
    }
}

/* Those above are asked once for all. */
static void look_above(struct hf_worker *worker, struct hf_kin *kin,
                       const struct hf_revocation *revocation, int64_t now_s)
{
    if (kin->epoch != worker->epoch) {
        kin->epoch = worker->epoch;
        kin->notes.n = 0;
        kin->memo.entry = NULL;
        kin->above_standing = hf_revocation_standing_above(revocation, kin->above, now_s,
                                                           &kin->notes, &kin->fallen, &kin->until);
    }
}

enum hf_standing hf_kin_standing(struct hf_worker *worker, struct hf_kin *kin,
                                 const struct hf_identity *leaf, int64_t now_s,
                                 struct hf_notes *notes, struct hf_verdict *out, int64_t *out_until)
{
    const struct hf_revocation *revocation = hf_ledger_of(worker->ledger, kin->trust);
    look_above(worker, kin, revocation, now_s);
    if (kin->above_standing == HF_STANDING_UNSURE || kin->until <= now_s) {
        return HF_STANDING_UNSURE;
    }
    enum hf_standing standing = hf_revocation_standing_leaf(
        revocation, leaf, kin->above->certs[0], now_s, &kin->memo, notes, out, out_until);
    if (standing == HF_STANDING_GOOD && kin->above_standing == HF_STANDING_FALLEN) {
        *out = kin->fallen;
        *notes = kin->notes;
        return HF_STANDING_FALLEN;
    }
    *out_until = kin->until < *out_until ? kin->until : *out_until;
    return standing;
}
