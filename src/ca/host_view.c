// SPDX-License-Identifier: Apache-2.0
/* What the public part shows, put together from what there is. */
#include <stdio.h>

#include "ca/host_impl.h"
#include "pki/pem.h"

enum { PATH_SIZE = 256 };

#define TYPE_CRL  "application/pkix-crl"
#define TYPE_CERT "application/pkix-cert"
#define TYPE_PEM  "application/x-pem-file"

static enum hf_err add_crl(struct hf_public_view *view, const struct hf_host_crl *crl,
                           const char *path)
{
    return crl->blob ? hf_public_view_add(view, path, TYPE_CRL, crl->blob, crl->sha256,
                                          crl->this_update, crl->next_update)
                     : HF_OK;
}

static enum hf_err add_shard(struct hf_public_view *view, const struct hf_host_authority *owner,
                             unsigned shard)
{
    const struct hf_authority *authority = owner->authority;
    char path[PATH_SIZE], number[16] = "";
    if (authority->settings.shards) {
        snprintf(number, sizeof(number), "-%u", shard);
    }
    snprintf(path, sizeof(path), "/crl/%s%s.crl", authority->name, number);
    HF_TRY(add_crl(view, &owner->shards[shard].full, path));
    snprintf(path, sizeof(path), "/crl/%s%s-delta.crl", authority->name, number);
    return add_crl(view, &owner->shards[shard].delta, path);
}

static enum hf_err add_bytes(struct hf_public_view *view, const char *path, const char *type,
                             struct hf_bytes bytes, int64_t modified_at)
{
    struct hf_blob *blob = NULL;
    uint8_t digest[HF_SHA256_SIZE];
    HF_TRY(hf_blob_copy(bytes, &blob));
    hf_hash_once(HF_HASH_SHA256, bytes, digest);
    enum hf_err err = hf_public_view_add(view, path, type, blob, digest, modified_at, 0);
    hf_blob_unref(blob);
    return err;
}

static enum hf_err add_authority(struct hf_public_view *view, const struct hf_host_authority *owner)
{
    const struct hf_authority *authority = owner->authority;
    char path[PATH_SIZE];
    if (!authority->cert) {
        return HF_OK;
    }
    snprintf(path, sizeof(path), "/ca/%s.crt", authority->name);
    HF_TRY(add_bytes(view, path, TYPE_CERT, authority->cert->der, authority->created_at));
    for (unsigned s = 0; s < owner->n_shards; s++) {
        HF_TRY(add_shard(view, owner, s));
    }
    return owner->signer ? hf_public_view_respond(view, authority->id, owner->signer) : HF_OK;
}

static enum hf_err add_roots(struct hf_public_view *view, struct hf_ca_host *host)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(16 << 20);
    struct hf_authorities *set = hf_ca_authorities(host->service);
    int64_t newest = 0;
    if (!set) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_authorities_roots(set, &pem);
    for (size_t i = 0; i < set->n; i++) {
        newest = set->item[i]->created_at > newest ? set->item[i]->created_at : newest;
    }
    hf_authorities_unref(set);
    HF_TRY(err);
    return hf_buf_len(&pem) ? add_bytes(view, "/ca/roots.pem", TYPE_PEM, hf_buf_bytes(&pem), newest)
                            : HF_OK;
}

static enum hf_err fill(struct hf_public_view *view, struct hf_ca_host *host)
{
    for (size_t i = 0; i < host->n_authorities; i++) {
        HF_TRY(add_authority(view, &host->authorities[i]));
    }
    HF_TRY(add_roots(view, host));
    view->live = hf_ca_host_live(host);
    hf_public_view_sort(view);
    return HF_OK;
}

enum hf_err hf_host_show(struct hf_ca_host *host)
{
    struct hf_public_view *view = hf_public_view_new();
    if (!view) {
        return HF_E_NOMEM;
    }
    enum hf_err err = fill(view, host);
    if (err != HF_OK) {
        hf_public_view_unref(view);
        return err;
    }
    hf_public_show(host->public, view);
    return HF_OK;
}
