// SPDX-License-Identifier: Apache-2.0
/*
 * From a request to a certificate. Nothing of a certification request but its key is used: names
 * come from whoever runs the command, who may read those in the request first.
 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/folder.h"
#include "ca/profile.h"
#include "ca/san.h"
#include "pki/key_type.h"
#include "pki/ossl.h"
#include "pki/pem.h"

enum { CN_MAX = 64, BACKDATE_S = 5 * 60, CSR_DER_MAX = 64 << 10, SECURITY_BITS_MIN = 112 };

static const int64_t last_date = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */

void hf_ca_leaf_done(struct hf_ca_leaf *leaf)
{
    hf_identity_unref(leaf->identity);
    hf_chain_unref(leaf->chain);
    hf_cert_unref(leaf->cert);
    EVP_PKEY_free(leaf->key);
    *leaf = (struct hf_ca_leaf){0};
}

/* --- The key -----------------------------------------------------------------------------------
 */

static enum hf_err make_key(const char *type, EVP_PKEY **out)
{
    static const struct {
        const char *name, *algorithm, *curve;
        size_t bits;
    } types[] = {
        {"p256", "EC", "P-256", 0},      {"p384", "EC", "P-384", 0},
        {"ed25519", "ED25519", NULL, 0}, {"rsa2048", "RSA", NULL, 2048},
        {"rsa3072", "RSA", NULL, 3072},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].name, type) != 0) {
            continue;
        }
        *out = types[i].bits    ? EVP_PKEY_Q_keygen(NULL, NULL, types[i].algorithm, types[i].bits)
               : types[i].curve ? EVP_PKEY_Q_keygen(NULL, NULL, types[i].algorithm, types[i].curve)
                                : EVP_PKEY_Q_keygen(NULL, NULL, types[i].algorithm);
        return *out ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "a key could not be made");
    }
    return hf_fail(HF_E_INVALID,
                   "\"%.30s\" is no key type; take p256, p384, ed25519, rsa2048 or rsa3072", type);
}

static enum hf_err decode_request(const struct hf_ca_request *request, struct hf_buf *der)
{
    if (!hf_looks_like_pem(request->csr)) {
        return hf_buf_append(der, request->csr);
    }
    struct hf_pem_reader reader = hf_pem_reader_of(request->csr, request->csr_label);
    for (;;) {
        struct hf_pem_block block;
        HF_TRY(hf_pem_next(&reader, &block));
        if (block.type.len == 0) {
            return hf_fail(HF_E_MALFORMED, "%s: no certificate request in it", request->csr_label);
        }
        if (hf_bytes_eq_str(block.type, "CERTIFICATE REQUEST") ||
            hf_bytes_eq_str(block.type, "NEW CERTIFICATE REQUEST")) {
            return hf_pem_decode(&block, request->csr_label, der);
        }
    }
}

static unsigned count_names(X509_REQ *csr)
{
    unsigned n = (unsigned)X509_NAME_entry_count(X509_REQ_get_subject_name(csr));
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    n += names ? (unsigned)sk_GENERAL_NAME_num(names) : 0;
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    hf_ossl_forget();
    return n;
}

static enum hf_err check_request_key(EVP_PKEY *key, const char *label)
{
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, type);
    if (!hf_key_can_sign(key)) {
        return hf_fail(HF_E_INVALID, "%s: a key of type %s can't be used for TLS", label, type);
    }
    if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN) {
        return hf_fail(HF_E_INVALID, "%s: the key (%s) is too weak; RSA needs 2048 bits or more",
                       label, type);
    }
    return HF_OK;
}

/* The request's own signature shows that its maker has the private key (RFC 2986 3). */
static enum hf_err request_key(const struct hf_ca_request *request, EVP_PKEY **out,
                               unsigned *out_n_names)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(2 * CSR_DER_MAX);
    HF_TRY(decode_request(request, &der));
    const unsigned char *at = hf_buf_bytes(&der).ptr;
    X509_REQ *csr = d2i_X509_REQ(NULL, &at, (long)hf_buf_len(&der));
    EVP_PKEY *key = csr ? X509_REQ_get_pubkey(csr) : NULL;
    enum hf_err err = HF_OK;
    if (!key) {
        err = hf_fail_ossl(HF_E_MALFORMED, "%s: not a certificate request", request->csr_label);
    } else if (X509_REQ_verify(csr, key) != 1) {
        err = hf_fail_ossl(HF_E_INVALID, "%s: the request's own signature is wrong",
                           request->csr_label);
    } else {
        err = check_request_key(key, request->csr_label);
        *out_n_names = count_names(csr);
    }
    X509_REQ_free(csr);
    if (err != HF_OK) {
        EVP_PKEY_free(key);
        return err;
    }
    *out = key;
    return HF_OK;
}

/* --- Names and dates ---------------------------------------------------------------------------
 */

static enum hf_err check_cn(const char *name)
{
    struct hf_bytes rest = hf_bytes_str(name);
    bool good = rest.len != 0 && rest.len <= CN_MAX;
    while (good && rest.len) {
        size_t n = hf_printable_len(rest);
        good = n != 0;
        rest = hf_bytes_from(rest, n);
    }
    if (!good) {
        return hf_fail(HF_E_INVALID,
                       "a client's name is 1 to %d bytes of printable text; longer names go into "
                       "--san",
                       CN_MAX);
    }
    return HF_OK;
}

static enum hf_err gather_names(const struct hf_ca_request *request, struct hf_ca_sans *sans,
                                const char **out_cn)
{
    if (request->profile == HF_CA_SERVER) {
        HF_TRY(hf_ca_sans_add_host(sans, request->name));
        *out_cn = strlen(request->name) <= CN_MAX ? request->name : NULL;
    } else {
        HF_TRY(check_cn(request->name));
        *out_cn = request->name;
    }
    for (size_t i = 0; i < request->n_sans; i++) {
        HF_TRY(hf_ca_sans_add(sans, request->sans[i]));
    }
    return hf_ca_sans_check(sans);
}

static enum hf_err choose_dates(const struct hf_ca *ca, const struct hf_ca_request *request,
                                int64_t *out_from, int64_t *out_until, bool *out_capped)
{
    int64_t now = hf_clock_wall_s(ca->world.clock);
    int64_t end =
        ca->issuing->not_after < ca->root->not_after ? ca->issuing->not_after : ca->root->not_after;
    int64_t from = request->not_before ? request->not_before : now - BACKDATE_S;
    int64_t start = from > now ? from : now; /* of the days */
    int64_t until =
        request->not_after ? request->not_after : start + request->days * INT64_C(86400);
    if (end <= now) {
        char when[HF_TIME_TEXT_SIZE];
        hf_format_time(end, when);
        return hf_fail(HF_E_INVALID, "the CA in %s ended at %s and can't issue any more", ca->dir,
                       when);
    }
    *out_capped = until > end;
    until = until > end ? end : until;
    if (from < 0 || from > last_date || until <= from) {
        return hf_fail(HF_E_INVALID, "the certificate would end before it begins");
    }
    *out_from = from;
    *out_until = until;
    return HF_OK;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err sign_leaf(struct hf_ca *ca, const struct hf_ca_request *request,
                             EVP_PKEY *subject_key, struct hf_ca_sans *sans, struct hf_ca_leaf *out)
{
    struct hf_certificate_plan plan = {
        .profile = request->profile == HF_CA_SERVER ? HF_PROFILE_SERVER : HF_PROFILE_CLIENT,
        .sans = sans,
        .subject_key = subject_key,
        .issuer = ca->issuing->x509,
        .issuer_key = ca->signer->key,
        .rng = ca->world.rng,
    };
    HF_TRY(gather_names(request, sans, &plan.cn));
    HF_TRY(choose_dates(ca, request, &plan.not_before, &plan.not_after, &out->capped));
    HF_TRY(hf_certificate_make(&plan, &out->cert));
    struct hf_cert *const certs[] = {out->cert, ca->issuing};
    HF_TRY(hf_chain_new(certs, HF_N_ELEMENTS(certs), &out->chain));
    return hf_identity_new(out->cert, &out->identity);
}

enum hf_err hf_ca_sign(struct hf_ca *ca, const struct hf_ca_request *request,
                       struct hf_ca_leaf *out)
{
    *out = (struct hf_ca_leaf){0};
    if (!ca->signer) {
        return hf_fail(HF_E_INTERNAL, "the CA is locked");
    }
    EVP_PKEY *subject_key = NULL;
    HF_TRY(request->csr.ptr ? request_key(request, &subject_key, &out->n_names_in_csr)
                            : make_key(request->key_type, &subject_key));
    struct hf_ca_sans sans = {0};
    enum hf_err err = sign_leaf(ca, request, subject_key, &sans, out);
    hf_ca_sans_done(&sans);
    if (err != HF_OK || request->csr.ptr) {
        EVP_PKEY_free(subject_key);
    } else {
        out->key = subject_key;
    }
    if (err != HF_OK) {
        hf_ca_leaf_done(out);
    }
    return err;
}
