// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define NEED(condition) \
    do { \
        if (!(condition)) { \
            die(#condition, __LINE__); \
        } \
    } while (0)

static void die(const char *what, int line)
{
    fprintf(stderr, "testpki.c:%d: %s (%s)\n", line, what, hf_err_text());
    ERR_print_errors_fp(stderr);
    abort();
}

EVP_PKEY *testpki_key(const char *kind)
{
    EVP_PKEY *key;
    unsigned bits;
    if (!kind) {
        kind = "P-256";
    }
    if (sscanf(kind, "RSA-%u", &bits) == 1) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    } else if (strncmp(kind, "P-", 2) == 0 || strncmp(kind, "secp", 4) == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    } else {
        key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
    }
    NEED(key);
    return key;
}

static void set_name(X509 *x509, const struct testpki_spec *spec)
{
    X509_NAME *name = X509_NAME_new();
    NEED(name);
    if (spec->o) {
        NEED(X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
                                        (const unsigned char *)spec->o, -1, -1, 0));
    }
    if (spec->cn) {
        NEED(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                        (const unsigned char *)spec->cn, -1, -1, 0));
    }
    if (spec->cn_raw.ptr) {
        int type = spec->cn_type ? spec->cn_type : V_ASN1_UTF8STRING;
        NEED(X509_NAME_add_entry_by_NID(name, NID_commonName, type, spec->cn_raw.ptr,
                                        (int)spec->cn_raw.len, -1, 0));
    }
    NEED(X509_set_subject_name(x509, spec->name ? spec->name : name));
    X509_NAME_free(name);
}

static void add_ext(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
    if (!value || !*value) {
        return;
    }
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    NEED(extension);
    NEED(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static void add_critical(X509 *x509, const char *oid)
{
    if (!oid) {
        return;
    }
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    NEED(data && object);
    NEED(ASN1_OCTET_STRING_set(data, (const unsigned char *)"\x05\x00", 2));
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, data);
    NEED(extension && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(data);
}

static void add_extensions(X509 *x509, X509 *issuer, const struct testpki_spec *spec)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, X509V3_CTX_REPLACE);
    char bc[64] = "critical,CA:FALSE";
    if (spec->ca) {
        snprintf(bc, sizeof(bc), "critical,CA:TRUE");
    }
    if (spec->ca && spec->path_len) {
        snprintf(bc, sizeof(bc), "critical,CA:TRUE,pathlen:%d", spec->path_len - 1);
    }
    const char *ku = spec->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
    add_ext(x509, &ctx, NID_basic_constraints, spec->bc ? spec->bc : bc);
    add_ext(x509, &ctx, NID_key_usage, spec->ku ? spec->ku : ku);
    add_ext(x509, &ctx, NID_ext_key_usage, spec->eku);
    add_ext(x509, &ctx, NID_subject_alt_name, spec->san);
    add_ext(x509, &ctx, NID_subject_alt_name, spec->san_twice ? spec->san : NULL);
    add_ext(x509, &ctx, NID_name_constraints, spec->nc);
    add_ext(x509, &ctx, NID_crl_distribution_points, spec->cdp);
    add_ext(x509, &ctx, NID_info_access, spec->aia);
    add_ext(x509, &ctx, NID_id_pkix_OCSP_noCheck, spec->no_check ? "ignored" : NULL);
    add_ext(x509, &ctx, NID_tlsfeature, spec->must_staple ? "status_request" : NULL);
    add_critical(x509, spec->critical);
    if (!spec->no_key_ids) {
        add_ext(x509, &ctx, NID_subject_key_identifier, "hash");
        if (issuer != x509 && X509_get0_subject_key_id(issuer)) {
            add_ext(x509, &ctx, NID_authority_key_identifier, "keyid");
        }
    }
}

static void set_serial(X509 *x509)
{
    unsigned char bytes[16];
    NEED(RAND_bytes(bytes, sizeof(bytes)));
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    NEED(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)));
    BN_free(number);
}

static void set_dates(X509 *x509, const struct testpki_spec *spec)
{
    int64_t end = TESTPKI_NOW + (spec->ca ? 3650 : 100) * TESTPKI_DAY;
    time_t from = (time_t)(spec->not_before ? spec->not_before : TESTPKI_NOW - 10 * TESTPKI_DAY);
    time_t until = (time_t)(spec->not_after ? spec->not_after : end);
    NEED(ASN1_TIME_set(X509_getm_notBefore(x509), from));
    NEED(ASN1_TIME_set(X509_getm_notAfter(x509), until));
}

static void sign(X509 *x509, EVP_PKEY *key, const char *md)
{
    bool edwards = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    NEED(X509_sign(x509, key, edwards ? NULL : EVP_get_digestbyname(md ? md : "SHA256")));
}

struct testpki *testpki_make(const struct testpki *issuer, const struct testpki_spec *spec)
{
    struct testpki *pki = calloc(1, sizeof(*pki));
    NEED(pki);
    pki->issuer = issuer;
    pki->key = spec->with_key ? spec->with_key : testpki_key(spec->key);
    if (spec->with_key) {
        EVP_PKEY_up_ref(pki->key);
    }
    pki->x509 = X509_new();
    NEED(pki->x509 && X509_set_version(pki->x509, spec->v1 ? 0 : 2));
    set_serial(pki->x509);
    set_dates(pki->x509, spec);
    set_name(pki->x509, spec);
    X509 *signer = issuer ? issuer->x509 : pki->x509;
    NEED(X509_set_issuer_name(pki->x509, X509_get_subject_name(signer)));
    NEED(X509_set_pubkey(pki->x509, pki->key));
    if (!spec->v1) {
        add_extensions(pki->x509, signer, spec);
    }
    sign(pki->x509, issuer ? issuer->key : pki->key, spec->md);
    /* Read again what was written, so that no state of the making stays behind. */
    unsigned char *der = NULL;
    int len = i2d_X509(pki->x509, &der);
    const unsigned char *at = der;
    X509 *fresh = d2i_X509(NULL, &at, len);
    NEED(len > 0 && fresh);
    OPENSSL_free(der);
    X509_free(pki->x509);
    pki->x509 = fresh;
    if (hf_cert_from_x509(pki->x509, &pki->cert) != HF_OK) {
        pki->cert = NULL; /* meant to be unreadable */
    }
    ERR_clear_error();
    return pki;
}

struct testpki *testpki_root(const char *cn)
{
    return testpki_make(NULL, &(struct testpki_spec){.cn = cn, .ca = true});
}

struct testpki *testpki_intermediate(const struct testpki *issuer, const char *cn)
{
    return testpki_make(issuer, &(struct testpki_spec){.cn = cn, .ca = true});
}

struct testpki *testpki_leaf(const struct testpki *issuer, const char *cn, enum hf_usage usage,
                             const char *san)
{
    static const char *const usages[] = {
        [HF_USAGE_CLIENT] = "clientAuth", [HF_USAGE_SERVER] = "serverAuth", [HF_USAGE_ANY] = NULL};
    return testpki_make(issuer, &(struct testpki_spec){.cn = cn, .eku = usages[usage], .san = san});
}

void testpki_free(struct testpki *pki)
{
    if (pki) {
        hf_cert_unref(pki->cert);
        X509_free(pki->x509);
        EVP_PKEY_free(pki->key);
        free(pki);
    }
}

struct hf_chain *testpki_chain(const struct testpki *leaf)
{
    struct hf_cert *certs[HF_CHAIN_MAX];
    struct hf_chain *chain = NULL;
    size_t n = 0;
    for (const struct testpki *at = leaf; at && (at->issuer || at == leaf); at = at->issuer) {
        NEED(n < HF_CHAIN_MAX && at->cert);
        certs[n++] = at->cert;
    }
    NEED(hf_chain_new(certs, n, &chain) == HF_OK);
    return chain;
}

struct hf_chain *testpki_chain_of(const struct testpki *first, ...)
{
    struct hf_cert *certs[HF_CHAIN_MAX];
    struct hf_chain *chain = NULL;
    size_t n = 0;
    va_list args;
    va_start(args, first);
    for (const struct testpki *at = first; at; at = va_arg(args, const struct testpki *)) {
        NEED(n < HF_CHAIN_MAX && at->cert);
        certs[n++] = at->cert;
    }
    va_end(args);
    NEED(hf_chain_new(certs, n, &chain) == HF_OK);
    return chain;
}

struct hf_trust *testpki_trust(const struct testpki *root, unsigned depth)
{
    struct hf_trust *trust = NULL;
    struct hf_trust_source source = {
        .name = "partners",
        .roots = root->cert->der,
        .roots_label = "roots.pem",
        .depth = depth,
    };
    NEED(hf_trust_new(&source, &trust) == HF_OK);
    return trust;
}

struct hf_credential *testpki_credential(const struct testpki *leaf)
{
    struct hf_credential *credential = NULL;
    char *cert = testpki_chain_pem(leaf);
    char *key = testpki_key_pem(leaf->key, NULL);
    struct hf_credential_source source = {
        .cert = hf_bytes_str(cert),
        .cert_label = "test.pem",
        .key = hf_bytes_str(key),
        .key_label = "test.key",
    };
    NEED(hf_credential_new(&source, &credential) == HF_OK);
    testpki_text_free(cert);
    testpki_text_free(key);
    return credential;
}

static char *bio_text(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)len);
    NEED(text);
    BIO_free(bio);
    return text;
}

char *testpki_cert_pem(const struct testpki *pki)
{
    BIO *bio = BIO_new(BIO_s_mem());
    NEED(bio && PEM_write_bio_X509(bio, pki->x509));
    return bio_text(bio);
}

char *testpki_chain_pem(const struct testpki *leaf)
{
    BIO *bio = BIO_new(BIO_s_mem());
    for (const struct testpki *at = leaf; at && (at->issuer || at == leaf); at = at->issuer) {
        NEED(bio && PEM_write_bio_X509(bio, at->x509));
    }
    return bio_text(bio);
}

char *testpki_key_pem(const EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    NEED(bio &&
         PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                                       passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
    return bio_text(bio);
}

void testpki_text_free(char *text)
{
    free(text);
}
