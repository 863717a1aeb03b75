// SPDX-License-Identifier: Apache-2.0
/*
 * Importing: authorities with their keys first, each in one step; then certificates and revocations
 * in bulk; a published CRL last, for it may know of more. Nothing is believed that can be checked:
 * a key must be its certificate's, a certificate must be signed by the CA that lists it.
 */
#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "ca/store/import_impl.h"
#include "ca/store_key.h"
#include "os/file.h"
#include "pki/identity.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/pem.h"

enum { KEY_CAP = 64 << 10, SANS_CAP = 60 << 10, NAME_MAX_LEN = 64 };

enum hf_err hf_import_read(const char *dir, const char *name, struct hf_buf *out, bool *out_found)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, name);
    if (!path) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_file_read(path, out);
    *out_found = err == HF_OK;
    return err == HF_E_NOT_FOUND ? HF_OK : err;
}

/* --- Authorities -------------------------------------------------------------------------------
 */

/* "Example Issuing CA" becomes example-issuing-ca. */
static void slug(const char *text, char out[static NAME_MAX_LEN + 1])
{
    size_t n = 0;
    for (; *text && n < NAME_MAX_LEN; text++) {
        bool good = isalnum((unsigned char)*text) != 0;
        if (good || (n && out[n - 1] != '-')) {
            out[n++] = good ? (char)tolower((unsigned char)*text) : '-';
        }
    }
    while (n && out[n - 1] == '-') {
        n--;
    }
    out[n] = '\0';
    if (n == 0) {
        strcpy(out, "imported");
    }
}

struct sought {
    struct hf_bytes der;
    int64_t id;
};

static enum hf_err same_cert(void *ctx, const struct hf_store_authority *a)
{
    struct sought *sought = ctx;
    if (hf_bytes_eq(a->cert, sought->der)) {
        sought->id = a->id;
    }
    return HF_OK;
}

static void link_key(struct hf_store_op *op)
{
    struct hf_store_key_put *key = op->ctx;
    ((struct hf_store_authority_put *)op)->authority.key = key->key.id;
}

static enum hf_err plain_key(const EVP_PKEY *key, struct hf_buf *out)
{
    unsigned char *der = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    enum hf_err err = len > 0 ? hf_buf_append(out, hf_bytes_of(der, (size_t)len))
                              : hf_fail_ossl(HF_E_CRYPTO, "the key can't be written");
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return err;
}

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err put_both(struct hf_importing *importing,
                            struct hf_store_authority_put *authority, const EVP_PKEY *key)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf data = HF_BUF_INIT(KEY_CAP);
    char type[32];
    struct hf_bytes seal = importing->what->seal;
    struct hf_store_key_put put = {
        .op = {.kind = HF_STORE_KEY_PUT, .actor = authority->op.actor, .detail = "imported"},
        .key = {.form = seal.ptr ? HF_KEY_SEALED : HF_KEY_PLAIN},
    };
    struct hf_store_op *const ops[] = {&put.op, &authority->op};
    struct hf_store_group group = {
        .op = {.kind = HF_STORE_GROUP, .actor = authority->op.actor}, .ops = ops, .n_ops = 2};
    HF_TRY(hf_store_key_describe(key, type, &put.key));
    HF_TRY(seal.ptr ? hf_store_key_seal(key, seal, &data) : plain_key(key, &data));
    put.key.data = hf_buf_bytes(&data);
    authority->op.before = link_key;
    authority->op.ctx = &put;
    HF_TRY(hf_store_do(importing->store, &group.op));
    importing->result.keys++;
    return HF_OK;
}

static enum hf_err put_authority(struct hf_importing *importing,
                                 const struct hf_import_authority *from, const struct hf_cert *cert,
                                 const EVP_PKEY *key, int64_t *out_id)
{
    struct hf_identity *id = NULL;
    char name[NAME_MAX_LEN + 1];
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id); /* the certificate keeps it */
    slug(id->cn ? id->cn : id->subject, name);
    struct hf_store_authority_put put = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT,
               .actor = importing->what->actor,
               .detail = "imported"},
        .authority = {.name = from->name ? from->name : name,
                      .state = HF_AUTHORITY_ACTIVE,
                      .parent = from->parent,
                      .cert = cert->der,
                      .subject = id->subject,
                      .not_before = cert->not_before,
                      .not_after = cert->not_after},
    };
    HF_TRY(key ? put_both(importing, &put, key) : hf_store_do(importing->store, &put.op));
    importing->result.authorities++;
    *out_id = put.authority.id;
    return HF_OK;
}

static enum hf_err read_key(const struct hf_importing *importing,
                            const struct hf_import_authority *from, const struct hf_cert *cert,
                            EVP_PKEY **out)
{
    struct hf_locked locked = {from->key, from->key_label, importing->what->passphrase};
    HF_TRY(hf_key_parse(&locked, out));
    if (EVP_PKEY_eq(X509_get0_pubkey(cert->x509), *out) != 1) {
        EVP_PKEY_free(*out);
        *out = NULL;
        return hf_fail_ossl(HF_E_MISMATCH, "%s is not the key of %s", from->key_label,
                            from->cert_label);
    }
    return HF_OK;
}

static enum hf_err add_new(struct hf_importing *importing, const struct hf_import_authority *from,
                           const struct hf_cert *cert, int64_t *out_id)
{
    EVP_PKEY *key = NULL;
    if (!cert->is_ca) {
        return hf_fail(HF_E_INVALID, "%s is not the certificate of a CA", from->cert_label);
    }
    if (from->key.len && !importing->what->without_key) {
        HF_TRY(read_key(importing, from, cert, &key));
    }
    enum hf_err err = put_authority(importing, from, cert, key, out_id);
    EVP_PKEY_free(key);
    return err;
}

enum hf_err hf_import_authority_add(struct hf_importing *importing,
                                    const struct hf_import_authority *from, int64_t *out_id,
                                    struct hf_cert **out_cert)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_TRY(hf_certs_parse(from->cert, from->cert_label, HF_CHAIN_MAX, &chain));
    struct hf_cert *cert = chain->certs[0];
    struct sought sought = {.der = cert->der};
    HF_TRY(hf_store_authorities(importing->store, same_cert, &sought));
    if (sought.id) {
        *out_id = sought.id;
    } else {
        HF_TRY(add_new(importing, from, cert, out_id));
    }
    *out_cert = hf_cert_ref(cert);
    return HF_OK;
}

/* --- Certificates ------------------------------------------------------------------------------
 */

static enum hf_err append_names(struct hf_buf *out, const char *kind,
                                const struct hf_names_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        HF_TRY(hf_buf_printf(out, "%s%s:%s", hf_buf_len(out) ? "\n" : "", kind, names->name[i]));
    }
    return HF_OK;
}

static enum hf_err append_sans(struct hf_buf *out, const struct hf_identity *id)
{
    HF_TRY(append_names(out, "DNS", &id->dns));
    HF_TRY(append_names(out, "URI", &id->uri));
    HF_TRY(append_names(out, "IP", &id->ip));
    return append_names(out, "email", &id->email);
}

static const char *profile_of(const struct hf_cert *cert)
{
    uint32_t usage = X509_get_extended_key_usage(cert->x509);
    if (cert->is_ca) {
        return "ca";
    }
    return usage == UINT32_MAX        ? "imported"
           : usage & XKU_SSL_SERVER   ? "server"
           : (usage & XKU_SSL_CLIENT) ? "user"
                                      : "imported";
}

static enum hf_err queue(struct hf_importing *importing, struct hf_store_issue *issue,
                         const struct hf_cert *cert)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf sans = HF_BUF_INIT(SANS_CAP);
    struct hf_identity *id = NULL;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id); /* the certificate keeps it */
    HF_TRY(append_sans(&sans, id));
    const char *names = hf_buf_cstr(&sans);
    if (!names) {
        return HF_E_NOMEM;
    }
    if (ASN1_STRING_type(serial) & V_ASN1_NEG) {
        return hf_fail(HF_E_INVALID, "a certificate with a negative serial number");
    }
    issue->cert.serial =
        hf_bytes_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    issue->cert.der = cert->der;
    issue->cert.identity = hf_identity_display(id);
    issue->cert.subject = id->subject;
    issue->cert.sans = names;
    issue->cert.key_type = id->key_type;
    issue->cert.not_before = cert->not_before;
    issue->cert.not_after = cert->not_after;
    memcpy(issue->cert.sha256, cert->sha256, HF_STORE_HASH_SIZE);
    memcpy(issue->cert.spki_sha256, cert->spki_sha256, HF_STORE_HASH_SIZE);
    return hf_bulk_issue(&importing->bulk, issue);
}

enum hf_err hf_import_cert(struct hf_importing *importing, int64_t authority,
                           const struct hf_cert *issuer, struct hf_cert *cert, const char *profile,
                           int64_t issued_at)
{
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = importing->what->actor, .detail = "imported"},
        .cert = {.authority = authority,
                 .profile = profile ? profile : profile_of(cert),
                 .issued_at = issued_at ? issued_at : cert->not_before},
    };
    if (X509_verify(cert->x509, X509_get0_pubkey(issuer->x509)) != 1) {
        return hf_fail_ossl(HF_E_MISMATCH, "this certificate was not signed by the CA");
    }
    return queue(importing, &issue, cert);
}

/* --- Which of them it is -----------------------------------------------------------------------
 */

static enum hf_err import_folder(struct hf_importing *importing)
{
    bool is;
    HF_TRY(hf_import_handfast_folder(importing, &is));
    if (!is) {
        HF_TRY(hf_import_index_folder(importing, &is));
    }
    return is ? HF_OK
              : hf_fail(HF_E_NOT_FOUND,
                        "%s: neither ca.json nor index.txt is in it: no CA of handfast, easy-rsa "
                        "or openssl",
                        importing->what->path);
}

enum hf_err hf_store_import(struct hf_store *store, const struct hf_store_import *what,
                            struct hf_store_imported *out)
{
    struct hf_importing importing = {.store = store, .what = what};
    struct stat st;
    if (stat(what->path, &st) != 0) {
        return hf_fail_errno("%s", what->path);
    }
    HF_TRY(hf_bulk_init(&importing.bulk, store));
    enum hf_err err =
        S_ISDIR(st.st_mode) ? import_folder(&importing) : hf_import_step_file(&importing);
    if (err == HF_OK) {
        err = hf_bulk_done(&importing.bulk);
    } else {
        HF_CLEANUP(hf_freep) char *why = hf_strdup(hf_err_text());
        enum hf_err ignored = hf_bulk_done(&importing.bulk);
        (void)ignored;
        err = hf_fail(err, "%s", why ? why : "");
    }
    importing.result.certificates += importing.bulk.n_issued;
    importing.result.revocations += importing.bulk.n_revoked;
    importing.result.known += importing.bulk.n_known;
    *out = importing.result;
    return err;
}
