// SPDX-License-Identifier: Apache-2.0
/*
 * Learning from a published CRL what the store doesn't know (any more): a backup that was restored
 * is older than the last CRL, and an imported CA has published some of its own.
 */
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/store/bulk.h"
#include "ca/store/store_impl.h"
#include "ca/store_backup.h"
#include "pki/ossl.h"
#include "pki/pem.h"

enum { CRL_CAP = 512 << 20 };

struct adopting {
    X509_CRL *crl;
    int64_t authority; /* who signed it; 0: nobody here */
};

static X509_CRL *parse(struct hf_bytes text)
{
    if (hf_looks_like_pem(text)) {
        BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
        X509_CRL *crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
        return crl;
    }
    const unsigned char *at = text.ptr;
    return d2i_X509_CRL(NULL, &at, (long)text.len);
}

static enum hf_err try_authority(void *ctx, const struct hf_store_authority *a)
{
    struct adopting *adopting = ctx;
    const unsigned char *at = a->cert.ptr;
    X509 *cert = a->cert.len ? d2i_X509(NULL, &at, (long)a->cert.len) : NULL;
    if (cert && adopting->authority == 0 &&
        X509_NAME_cmp(X509_get_subject_name(cert), X509_CRL_get_issuer(adopting->crl)) == 0 &&
        X509_CRL_verify(adopting->crl, X509_get0_pubkey(cert)) == 1) {
        adopting->authority = a->id;
    }
    X509_free(cert);
    hf_ossl_forget();
    return HF_OK;
}

static int64_t unix_time(const ASN1_TIME *time)
{
    struct tm tm = {0};
    return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* CRL numbers of others may have 20 bytes; those of this store have 63 bits. */
static enum hf_err number_of(X509_CRL *crl, int64_t *out)
{
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    enum hf_err err = HF_OK;
    *out = 0;
    if (number && (ASN1_INTEGER_get_int64(out, number) != 1 || *out < 0 || *out == INT64_MAX)) {
        err = hf_fail_ossl(HF_E_UNSUPPORTED, "its CRL number is beyond 63 bits");
    }
    ASN1_INTEGER_free(number);
    return err;
}

static int reason_of(const X509_REVOKED *entry)
{
    ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    int64_t value = 0;
    if (reason && ASN1_ENUMERATED_get_int64(&value, reason) != 1) {
        value = 0;
    }
    ASN1_ENUMERATED_free(reason);
    hf_ossl_forget();
    return (int)value;
}

static enum hf_err revoke_entry(struct hf_bulk *bulk, const X509_REVOKED *entry, int64_t authority,
                                unsigned shard, const char *actor)
{
    const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(entry);
    int reason = reason_of(entry);
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = actor, .detail = "from a published CRL"},
        .act = reason == 6 ? HF_ACT_HOLD : HF_ACT_REVOKE,
        .authority = authority,
        .serial = hf_bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)),
        .reason = reason == 6 || reason == 8 ? 0 : reason,
        .at = unix_time(X509_REVOKED_get0_revocationDate(entry)),
        .unknown = true,
        .shard = shard,
    };
    return reason == 8 ? HF_OK : hf_bulk_revoke(bulk, &revoke); /* 8: removed from a delta */
}

static enum hf_err take_entries(struct hf_store *store, const struct adopting *adopting,
                                unsigned shard, const char *actor, int64_t *out_n)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(adopting->crl);
    struct hf_bulk bulk;
    enum hf_err err = hf_bulk_init(&bulk, store);
    for (int i = 0; err == HF_OK && i < sk_X509_REVOKED_num(entries); i++) {
        err = revoke_entry(&bulk, sk_X509_REVOKED_value(entries, i), adopting->authority, shard,
                           actor);
    }
    enum hf_err last = hf_bulk_done(&bulk);
    *out_n = bulk.n_revoked;
    return err == HF_OK ? last : err;
}

static enum hf_err adopt(struct hf_store *store, struct adopting *adopting, const char *label,
                         unsigned shard, const char *actor, int64_t *out_n)
{
    int64_t number;
    HF_TRY(number_of(adopting->crl, &number));
    HF_TRY(hf_store_authorities(store, try_authority, adopting));
    if (adopting->authority == 0) {
        return hf_fail(HF_E_MISMATCH, "%s: no authority of this store signed it", label);
    }
    /* The number first: should it end half way, no CRL can have one that was used. */
    struct hf_store_crl_number take = {
        .op = {.kind = HF_STORE_CRL_NUMBER, .actor = actor, .detail = "above a published CRL"},
        .authority = adopting->authority,
        .shard = shard,
        .at_least = number + 1,
    };
    HF_TRY(hf_store_do(store, &take.op));
    return take_entries(store, adopting, shard, actor, out_n);
}

enum hf_err hf_store_adopt_crl(struct hf_store *store, struct hf_bytes crl, const char *label,
                               unsigned shard, const char *actor, int64_t *out_n)
{
    struct adopting adopting = {.crl = crl.len <= CRL_CAP ? parse(crl) : NULL};
    *out_n = 0;
    if (!adopting.crl) {
        return hf_fail_ossl(HF_E_MALFORMED, "%s: not a CRL", label);
    }
    enum hf_err err = adopt(store, &adopting, label, shard, actor, out_n);
    X509_CRL_free(adopting.crl);
    return err == HF_OK || err == HF_E_MISMATCH ? err : hf_fail_context(err, "%s", label);
}
