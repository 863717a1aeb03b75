// SPDX-License-Identifier: Apache-2.0
/*
 * OCSP responses beside certificates. Ours go with the identity that was chosen, in TLS 1.2 and
 * 1.3. A server's comes in time for the judge in TLS 1.3 only: in 1.2 libssl shows the chain
 * first and the response later, so that it isn't asked for there.
 */
#include <string.h>

#include "base/mem.h"
#include "tls/libssl/libssl.h"

static enum hf_err copy_bytes(struct hf_bytes from, struct hf_bytes *out)
{
    *out = (struct hf_bytes){0};
    if (from.len == 0) {
        return HF_OK;
    }
    uint8_t *copy = hf_alloc(from.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, from.ptr, from.len);
    *out = hf_bytes_of(copy, from.len);
    return HF_OK;
}

enum hf_err hf_ls_set_staple(struct hf_tls_ctx *base, const struct hf_credential *credential,
                             struct hf_bytes staple)
{
    struct hf_ls_ctx *ctx = hf_ls_ctx_of(base);
    struct hf_bytes fresh;
    for (size_t i = 0; i < ctx->n_identities; i++) {
        struct hf_ls_identity *identity = &ctx->identities[i];
        if (identity->credential != credential) {
            continue;
        }
        HF_TRY(copy_bytes(staple, &fresh));
        (void)pthread_rwlock_wrlock(&ctx->staple_lock);
        struct hf_bytes old = identity->staple;
        identity->staple = fresh;
        (void)pthread_rwlock_unlock(&ctx->staple_lock);
        hf_free((uint8_t *)(uintptr_t)old.ptr);
    }
    return HF_OK;
}

/* libssl frees what it is given. */
static uint8_t *copy_for_libssl(struct hf_ls_ctx *ctx, const X509 *leaf, size_t *out_len)
{
    uint8_t *copy = NULL;
    (void)pthread_rwlock_rdlock(&ctx->staple_lock);
    for (size_t i = 0; i < ctx->n_identities && !copy; i++) {
        const struct hf_ls_identity *identity = &ctx->identities[i];
        if (identity->credential->chain->certs[0]->x509 == leaf && identity->staple.len) {
            copy = OPENSSL_memdup(identity->staple.ptr, identity->staple.len);
            *out_len = identity->staple.len;
        }
    }
    (void)pthread_rwlock_unlock(&ctx->staple_lock);
    return copy;
}

int hf_ls_on_status_wanted(SSL *ssl, void *arg)
{
    (void)arg;
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    size_t len = 0;
    uint8_t *copy = copy_for_libssl(conn->ctx, SSL_get_certificate(ssl), &len);
    if (!copy) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)len);
    return SSL_TLSEXT_ERR_OK;
}

void hf_ls_take_staple(struct hf_ls_conn *conn)
{
    const uint8_t *response = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(conn->ssl, &response);
    bool came = conn->client && len > 0 && response;
    conn->base.peer_staple = came ? hf_bytes_of(response, (size_t)len) : (struct hf_bytes){0};
}
