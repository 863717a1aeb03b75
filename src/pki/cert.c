// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates and chains as immutable, counted objects.
 *
 * A certificate is accepted in DER only: when libcrypto, having parsed it, would write other bytes,
 * it is refused. Otherwise one certificate would have many fingerprints, and a fingerprint is what
 * caches and deny lists go by. The libcrypto object is made to compute all that it computes lazily
 * here, once, so that later readers on any thread find it unchanging.
 */
#include "pki/cert.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "pki/cert_impl.h"
#include "pki/ders.h"
#include "pki/ossl.h"

enum hf_err hf_time_from_asn1(const ASN1_TIME *from, int64_t *out)
{
    struct tm tm;
    if (!from || !ASN1_TIME_to_tm(from, &tm)) {
        return hf_fail_ossl(HF_E_MALFORMED, "a date can't be parsed");
    }
    *out = (int64_t)timegm(&tm);
    return HF_OK;
}

static enum hf_err read_dates(struct hf_cert *cert)
{
    HF_TRY(hf_time_from_asn1(X509_get0_notBefore(cert->x509), &cert->not_before));
    HF_TRY(hf_time_from_asn1(X509_get0_notAfter(cert->x509), &cert->not_after));
    if (cert->not_after == HF_NO_END_TIME) {
        cert->not_after = INT64_MAX;
    }
    return HF_OK;
}

static enum hf_err sha256(struct hf_bytes bytes, uint8_t out[static HF_SHA256_SIZE])
{
    if (!EVP_Digest(bytes.ptr, bytes.len, out, NULL, EVP_sha256(), NULL)) {
        return hf_fail_ossl(HF_E_CRYPTO, "SHA-256 failed");
    }
    return HF_OK;
}

static enum hf_err hash_spki(struct hf_cert *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "the public key can't be encoded");
    }
    enum hf_err err = sha256(hf_bytes_of(der, (size_t)len), cert->spki_sha256);
    OPENSSL_free(der);
    return err;
}

/* Takes the encoding that libcrypto would write; compares it with what was read, if that's given.
 */
static enum hf_err take_der(struct hf_cert *cert, const struct hf_bytes *read)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert->x509, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "a certificate can't be encoded");
    }
    enum hf_err err = HF_OK;
    if ((size_t)len > HF_CERT_DER_MAX) {
        err = hf_fail(HF_E_TOO_LARGE, "a certificate of %d bytes passes the limit of %u", len,
                      HF_CERT_DER_MAX);
    } else if (read && !hf_bytes_eq(*read, hf_bytes_of(der, (size_t)len))) {
        err = hf_fail(HF_E_MALFORMED, "a certificate is not in DER: its encoding is ambiguous");
    } else {
        uint8_t *copy = hf_alloc((size_t)len);
        if (copy) {
            memcpy(copy, der, (size_t)len);
            cert->der = hf_bytes_of(copy, (size_t)len);
        }
        err = copy ? HF_OK : HF_E_NOMEM;
    }
    OPENSSL_free(der);
    return err;
}

static enum hf_err fill(struct hf_cert *cert, const struct hf_bytes *read)
{
    HF_TRY(take_der(cert, read));
    HF_TRY(sha256(cert->der, cert->sha256));
    HF_TRY(hash_spki(cert));
    HF_TRY(read_dates(cert));
    int ca = X509_check_ca(cert->x509);
    cert->is_ca = ca == HF_CHECK_CA_V3 || ca == HF_CHECK_CA_V1_ROOT;
    /* What is wrong inside an extension is for the verifier to tell; the queue must not keep it. */
    hf_ossl_forget();
    return HF_OK;
}

/* Takes over the caller's reference to x509, also on failure. */
static enum hf_err cert_new(X509 *x509, const struct hf_bytes *read, struct hf_cert **out)
{
    struct hf_cert *cert = HF_NEW(struct hf_cert);
    if (!cert) {
        X509_free(x509);
        return HF_E_NOMEM;
    }
    atomic_init(&cert->refs, 1);
    cert->x509 = x509;
    enum hf_err err = fill(cert, read);
    if (err != HF_OK) {
        hf_cert_unref(cert);
        return err;
    }
    *out = cert;
    return HF_OK;
}

enum hf_err hf_cert_from_der(struct hf_bytes der, struct hf_cert **out)
{
    *out = NULL;
    if (der.len > HF_CERT_DER_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a certificate of %zu bytes passes the limit of %u", der.len,
                       HF_CERT_DER_MAX);
    }
    const unsigned char *at = der.ptr;
    X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
    if (!x509) {
        return hf_fail_ossl(HF_E_MALFORMED, "not a certificate");
    }
    if (at != der.ptr + der.len) {
        X509_free(x509);
        return hf_fail(HF_E_MALFORMED, "%zu bytes too many after a certificate",
                       (size_t)(der.ptr + der.len - at));
    }
    return cert_new(x509, &der, out);
}

enum hf_err hf_cert_from_x509(X509 *x509, struct hf_cert **out)
{
    *out = NULL;
    X509_up_ref(x509);
    return cert_new(x509, NULL, out);
}

struct hf_cert *hf_cert_ref(struct hf_cert *cert)
{
    atomic_fetch_add_explicit(&cert->refs, 1, memory_order_relaxed);
    return cert;
}

void hf_cert_unref(struct hf_cert *cert)
{
    if (cert && atomic_fetch_sub_explicit(&cert->refs, 1, memory_order_acq_rel) == 1) {
        hf_verify_key_unref(atomic_load_explicit(&cert->key, memory_order_relaxed));
        hf_identity_unref(atomic_load_explicit(&cert->identity, memory_order_relaxed));
        X509_free(cert->x509);
        hf_free((void *)(uintptr_t)cert->der.ptr);
        hf_free(cert);
    }
}

void hf_cert_unrefp(struct hf_cert **cert)
{
    hf_cert_unref(*cert);
}

/* Two threads may make it at once; the first to publish its key wins. */
enum hf_err hf_cert_verify_key(struct hf_cert *cert, const struct hf_verify_key **out)
{
    struct hf_verify_key *key = atomic_load_explicit(&cert->key, memory_order_acquire);
    if (!key) {
        EVP_PKEY *pkey = X509_get0_pubkey(cert->x509);
        if (!pkey) {
            return hf_fail_ossl(HF_E_MALFORMED, "the public key can't be parsed");
        }
        struct hf_verify_key *made = NULL;
        HF_TRY(hf_verify_key_new(pkey, &made));
        if (atomic_compare_exchange_strong_explicit(&cert->key, &key, made, memory_order_acq_rel,
                                                    memory_order_acquire)) {
            key = made;
        } else {
            hf_verify_key_unref(made);
        }
    }
    *out = key;
    return HF_OK;
}

/* --- Chains ------------------------------------------------------------------------------------
 */

static void add_der(struct hf_hash *hash, struct hf_bytes der)
{
    const uint8_t len[4] = {(uint8_t)(der.len >> 24), (uint8_t)(der.len >> 16),
                            (uint8_t)(der.len >> 8), (uint8_t)der.len};
    hf_hash_update(hash, hf_bytes_of(len, sizeof(len)));
    hf_hash_update(hash, der);
}

void hf_chain_hash(const struct hf_bytes *ders, size_t n, uint8_t out[static HF_SHA256_SIZE])
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    for (size_t i = 0; i < n; i++) {
        add_der(&hash, ders[i]);
    }
    hf_hash_final(&hash, out);
}

static void hash_chain(struct hf_chain *chain)
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    for (size_t i = 0; i < chain->n_certs; i++) {
        add_der(&hash, chain->certs[i]->der);
    }
    hf_hash_final(&hash, chain->sha256);
}

enum hf_err hf_chain_new_any(struct hf_cert *const *certs, size_t n, struct hf_chain **out)
{
    *out = NULL;
    struct hf_chain *chain = hf_alloc_zero(1, sizeof(*chain) + n * sizeof(chain->certs[0]));
    if (!chain) {
        return HF_E_NOMEM;
    }
    atomic_init(&chain->refs, 1);
    for (size_t i = 0; i < n; i++) {
        chain->certs[i] = hf_cert_ref(certs[i]);
    }
    chain->n_certs = n;
    hash_chain(chain);
    *out = chain;
    return HF_OK;
}

static enum hf_err check_length(size_t n)
{
    if (n > HF_CHAIN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a chain of %zu certificates passes the limit of %d", n,
                       HF_CHAIN_MAX);
    }
    return HF_OK;
}

enum hf_err hf_chain_new(struct hf_cert *const *certs, size_t n, struct hf_chain **out)
{
    *out = NULL;
    HF_TRY(check_length(n));
    return hf_chain_new_any(certs, n, out);
}

enum hf_err hf_chain_from_ders(const struct hf_bytes *ders, size_t n, struct hf_chain **out)
{
    *out = NULL;
    HF_TRY(check_length(n));
    struct hf_cert *certs[HF_CHAIN_MAX] = {0};
    enum hf_err err = HF_OK;
    for (size_t i = 0; err == HF_OK && i < n; i++) {
        err = hf_cert_from_der(ders[i], &certs[i]);
        if (err != HF_OK) {
            err = hf_fail_context(err, "certificate %zu of %zu", i + 1, n);
        }
    }
    if (err == HF_OK) {
        err = hf_chain_new_any(certs, n, out);
    }
    for (size_t i = 0; i < n; i++) {
        hf_cert_unref(certs[i]);
    }
    return err;
}

struct hf_chain *hf_chain_ref(struct hf_chain *chain)
{
    atomic_fetch_add_explicit(&chain->refs, 1, memory_order_relaxed);
    return chain;
}

void hf_chain_unref(struct hf_chain *chain)
{
    if (chain && atomic_fetch_sub_explicit(&chain->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < chain->n_certs; i++) {
            hf_cert_unref(chain->certs[i]);
        }
        hf_ders_unref(atomic_load_explicit(&chain->ders, memory_order_relaxed));
        hf_free(chain);
    }
}

void hf_chain_unrefp(struct hf_chain **chain)
{
    hf_chain_unref(*chain);
}
