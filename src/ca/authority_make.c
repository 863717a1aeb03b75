// SPDX-License-Identifier: Apache-2.0
/*
 * Making authorities. A new one is up to three rows - key, authority, and the certificate in its
 * parent's list - in one group, so that a crash leaves all or none; the later rows learn the ids of
 * the earlier ones in `before`.
 */
#include "ca/authority_make.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "ca/csr.h"
#include "ca/service_impl.h"
#include "ca/store_key.h"
#include "ca/weak_key.h"
#include "pki/ossl.h"
#include "pki/write.h"

enum { DER_MAX = 16 << 10, TYPE_SIZE = 32 };

/* What is being made, and the writes that make it. */
struct making {
    struct hf_ca_service *service;
    const char *actor;
    const struct hf_authority_new *what;
    struct hf_authorities *set;
    struct hf_cert_profile *profile;
    EVP_PKEY *key;
    struct hf_public_key *public_key;
    struct hf_made_cert made;
    struct hf_cert *cert;
    struct hf_buf key_data;
    char type[TYPE_SIZE];
    char *settings;
    struct hf_authority_addresses crl, ocsp, issuer;

    struct hf_store_key_put key_put;
    struct hf_store_authority_put put;
    struct hf_store_issue issue;
    struct hf_store_authority_cert_add cross;
    struct hf_store_group group;
    struct hf_store_op *ops[3];
};

static void making_done(struct making *making)
{
    hf_authorities_unref(making->set);
    hf_cert_profile_unref(making->profile);
    EVP_PKEY_free(making->key);
    hf_public_key_free(making->public_key);
    hf_made_cert_done(&making->made);
    hf_cert_unref(making->cert);
    hf_buf_wipe(&making->key_data);
    hf_buf_done(&making->key_data);
    hf_free(making->settings);
}

static struct making making_of(struct hf_ca_service *service, const char *actor)
{
    hf_ca_reload(service); /* what another command changed a moment ago counts */
    return (struct making){
        .service = service,
        .actor = actor,
        .set = hf_ca_authorities(service),
        .key_data = HF_BUF_INIT(DER_MAX),
    };
}

static struct hf_store_op op_of(const struct making *making, enum hf_store_kind kind)
{
    return (struct hf_store_op){.kind = kind, .actor = making->actor};
}

static enum hf_err commit(struct making *making, size_t n)
{
    making->group = (struct hf_store_group){
        .op = op_of(making, HF_STORE_GROUP), .ops = making->ops, .n_ops = n};
    HF_TRY(hf_store_do(hf_ca_store(making->service), &making->group.op));
    hf_ca_reload(making->service);
    return HF_OK;
}

enum hf_err hf_authority_name_check(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t n = strlen(name);
    if (n == 0 || n > HF_AUTHORITY_NAME_MAX || strspn(name, good) != n ||
        hf_byte_in((uint8_t)name[0], "-_.")) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" can't name an authority: 1 to %d of a-z, 0-9, \"-\", \"_\", "
                       "\".\", beginning with a letter or digit",
                       name, HF_AUTHORITY_NAME_MAX);
    }
    return HF_OK;
}

/* --- Keys --------------------------------------------------------------------------------------
 */

static enum hf_err get_key(struct making *making)
{
    const struct hf_authority_new *what = making->what;
    if (what->pkcs11) {
        HF_TRY(hf_store_key_pkcs11(what->pkcs11, what->pin, &making->key));
    } else {
        const char *word = what->key_type ? what->key_type : "p256";
        enum hf_key_kind kind = hf_key_kind_by_word(word);
        if (kind == HF_KEY_KIND_N) {
            return hf_fail(HF_E_INVALID,
                           "\"%.30s\" is no key type; take p256, p384, p521, ed25519, rsa3072 or "
                           "rsa4096",
                           word);
        }
        HF_TRY(hf_key_kind_make(kind, &making->key));
    }
    return hf_public_key_of(making->key, &making->public_key);
}

static enum hf_err plain_key(const EVP_PKEY *key, struct hf_buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "the key can't be written");
    }
    enum hf_err err = hf_buf_append(out, hf_bytes_of(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return err;
}

static enum hf_err store_key(struct making *making, const char *pkcs11)
{
    struct hf_store_key *row = &making->key_put.key;
    const struct hf_ca_service *service = making->service;
    making->key_put.op = op_of(making, HF_STORE_KEY_PUT);
    HF_TRY(hf_store_key_describe(making->key, making->type, row));
    if (pkcs11) {
        row->form = HF_KEY_PKCS11;
        row->data = hf_bytes_str(pkcs11);
        return HF_OK;
    }
    struct hf_bytes passphrase = hf_bytes_of(service->passphrase.ptr, service->passphrase.len);
    row->form = service->has_passphrase ? HF_KEY_SEALED : HF_KEY_PLAIN;
    HF_TRY(service->has_passphrase ? hf_store_key_seal(making->key, passphrase, &making->key_data)
                                   : plain_key(making->key, &making->key_data));
    row->data = hf_buf_bytes(&making->key_data);
    return HF_OK;
}

/* --- Certificates ------------------------------------------------------------------------------
 */

static enum hf_err find_signer(const struct making *making, const char *name,
                               const struct hf_authority **out)
{
    const struct hf_authority *found = hf_authorities_find(making->set, name);
    if (!found) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
    }
    if (!found->issuer) {
        return hf_fail(HF_E_NOT_FOUND,
                       making->set->locked
                           ? "the key of \"%s\" is encrypted: give the passphrase"
                           : "the key of \"%s\" isn't here: put it back with `handfast ca "
                             "authority add-key`, or have it sign a request where it is",
                       found->name);
    }
    *out = found;
    return HF_OK;
}

static enum hf_err make_self_signed(struct making *making, struct hf_cert_facts *facts)
{
    enum hf_refusal why;
    HF_TRY(hf_ca_profile(making->service, "root", &making->profile));
    HF_TRY(hf_cert_make_root(making->profile, facts, making->key,
                             hf_clock_wall_s(making->service->clock), making->service->rng,
                             &making->made, &why));
    return hf_cert_from_der(hf_buf_bytes(&making->made.der), &making->cert);
}

/* Signs, and fills the row in the list of what the signer issued. */
static enum hf_err make_signed(struct making *making, const struct hf_authority *by,
                               struct hf_cert_facts *facts)
{
    struct hf_store_cert *row = &making->issue.cert;
    const struct hf_authority_settings *from = &by->settings;
    enum hf_refusal why;
    struct hf_identity *id = NULL;
    /* CA certificates are few: those of a sharded list are all in its first shard. */
    hf_authority_addresses(from->crl_url, by->name, 0, &making->crl);
    hf_authority_addresses(from->ocsp_url, by->name, 0, &making->ocsp);
    hf_authority_addresses(from->issuer_url, by->name, 0, &making->issuer);
    facts->crl_urls = making->crl.url;
    facts->n_crl_urls = making->crl.n;
    facts->ocsp_urls = making->ocsp.url;
    facts->n_ocsp_urls = making->ocsp.n;
    facts->issuer_urls = making->issuer.url;
    facts->n_issuer_urls = making->issuer.n;
    HF_TRY(hf_ca_profile(making->service, "ca", &making->profile));
    HF_TRY(hf_cert_make(making->profile, facts, by->issuer, hf_clock_wall_s(making->service->clock),
                        making->service->rng, &making->made, &why));
    HF_TRY(hf_cert_from_der(hf_buf_bytes(&making->made.der), &making->cert));
    HF_TRY(hf_identity_new(making->cert, &id));
    hf_identity_unref(id);
    making->issue.op = op_of(making, HF_STORE_ISSUE);
    *row = (struct hf_store_cert){
        .authority = by->id,
        .serial = hf_bytes_of(making->made.serial, sizeof(making->made.serial)),
        .der = making->cert->der,
        .profile = making->profile->name,
        .identity = hf_identity_display(id),
        .subject = id->subject,
        .key_type = id->key_type,
        .not_before = making->made.not_before,
        .not_after = making->made.not_after,
        .requester = making->actor,
    };
    memcpy(row->sha256, making->cert->sha256, sizeof(row->sha256));
    memcpy(row->spki_sha256, making->cert->spki_sha256, sizeof(row->spki_sha256));
    return HF_OK;
}

static struct hf_cert_facts facts_of(const struct making *making)
{
    const struct hf_authority_new *what = making->what;
    return (struct hf_cert_facts){
        .key = making->public_key,
        .subject = what->subject,
        .lifetime_s = what->lifetime_s,
        .constraints = what->constraints.n_permitted || what->constraints.n_excluded
                           ? &what->constraints
                           : NULL,
        .path_len = what->path_len == HF_PATH_LEN_STANDARD ? NULL : &what->path_len,
    };
}

/* --- Rows --------------------------------------------------------------------------------------
 */

static void take_key_id(struct hf_store_op *op)
{
    struct making *making = op->ctx;
    making->put.authority.key = making->key_put.key.id;
}

static enum hf_err fill_row(struct making *making, enum hf_store_authority_state state,
                            int64_t parent, const char *subject)
{
    HF_TRY(hf_authority_settings_write(&making->what->settings, &making->settings));
    making->put = (struct hf_store_authority_put){
        .op = op_of(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.name = making->what->name,
                      .state = state,
                      .parent = parent,
                      .subject = subject,
                      .settings = making->settings},
    };
    making->put.op.before = take_key_id;
    making->put.op.ctx = making;
    if (making->cert) {
        making->put.authority.cert = making->cert->der;
        making->put.authority.not_before = making->cert->not_before;
        making->put.authority.not_after = making->cert->not_after;
    }
    return HF_OK;
}

enum hf_err hf_authority_make(struct hf_ca_service *service, const char *actor,
                              const struct hf_authority_new *what)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    const struct hf_authority *parent = NULL;
    struct hf_identity *id = NULL;
    making.what = what;
    HF_TRY(hf_authority_name_check(what->name));
    if (what->parent) {
        HF_TRY(find_signer(&making, what->parent, &parent));
    }
    HF_TRY(get_key(&making));
    struct hf_cert_facts facts = facts_of(&making);
    HF_TRY(parent ? make_signed(&making, parent, &facts) : make_self_signed(&making, &facts));
    HF_TRY(hf_identity_new(making.cert, &id));
    hf_identity_unref(id);
    HF_TRY(store_key(&making, what->pkcs11));
    HF_TRY(fill_row(&making, HF_AUTHORITY_ACTIVE, parent ? parent->id : 0, id->subject));
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    making.ops[2] = &making.issue.op;
    return commit(&making, parent ? 3 : 2);
}

enum hf_err hf_authority_request(struct hf_ca_service *service, const char *actor,
                                 const struct hf_authority_new *what, struct hf_buf *out_csr)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(DER_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf subject = HF_BUF_INIT(DER_MAX);
    making.what = what;
    HF_TRY(hf_authority_name_check(what->name));
    HF_TRY(get_key(&making));
    HF_TRY(hf_csr_make(what->subject, NULL, true, making.key, &csr));
    HF_TRY(hf_subject_append(what->subject, &subject));
    HF_TRY(store_key(&making, what->pkcs11));
    HF_TRY(fill_row(&making, HF_AUTHORITY_PENDING, 0, hf_buf_cstr(&subject)));
    making.put.authority.csr = hf_buf_bytes(&csr);
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    HF_TRY(commit(&making, 2));
    return hf_buf_append(out_csr, hf_buf_bytes(&csr));
}

/* --- Signing for others ------------------------------------------------------------------------
 */

static struct hf_bytes subject_of(const struct hf_cert *cert)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    (void)X509_NAME_get0_der(X509_get_subject_name(cert->x509), &der, &len);
    return hf_bytes_of(der, len);
}

/* The key identifier and the path length stay those of the certificate that is signed again: what
 * is below it names the one and relies on the other. */
static void same_again(const struct hf_cert *cert, struct hf_cert_facts *facts, int *path_len)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(cert->x509);
    facts->subject_der = subject_of(cert);
    if (key_id) {
        facts->key_id =
            hf_bytes_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id));
    }
    if (*path_len == HF_PATH_LEN_STANDARD) {
        *path_len = (int)X509_get_pathlen(cert->x509);
        facts->path_len = path_len;
    }
}

static const struct hf_authority *holder_of(const struct hf_authorities *set,
                                            const struct hf_cert *cert)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->item[i]->cert &&
            memcmp(set->item[i]->cert->spki_sha256, cert->spki_sha256, HF_SHA256_SIZE) == 0) {
            return set->item[i];
        }
    }
    return NULL;
}

static enum hf_err end_with(const struct making *making, const struct hf_cert *cert,
                            struct hf_cert_facts *facts)
{
    int64_t now = hf_clock_wall_s(making->service->clock);
    if (!cert->is_ca) {
        return hf_fail(HF_E_INVALID, "what is to be cross-signed is no CA's certificate");
    }
    if (cert->not_after <= now) {
        return hf_fail(HF_E_INVALID, "the certificate to be cross-signed has ended");
    }
    if (!facts->lifetime_s || now + facts->lifetime_s > cert->not_after) {
        facts->not_after = cert->not_after;
    }
    return HF_OK;
}

static enum hf_err sign_it(struct making *making, const struct hf_authority *by,
                           const struct hf_authority_sign *what, const struct hf_csr *csr)
{
    int path_len = what->path_len;
    struct hf_cert_facts facts = {
        .key = csr ? csr->key : making->public_key,
        .subject = csr ? &csr->subject : NULL,
        .lifetime_s = what->lifetime_s,
        .constraints = what->constraints.n_permitted || what->constraints.n_excluded
                           ? &what->constraints
                           : NULL,
        .path_len = path_len == HF_PATH_LEN_STANDARD ? NULL : &path_len,
    };
    if (what->cert) {
        same_again(what->cert, &facts, &path_len);
        HF_TRY(end_with(making, what->cert, &facts));
    }
    return make_signed(making, by, &facts);
}

enum hf_err hf_authority_sign(struct hf_ca_service *service, const char *actor,
                              const struct hf_authority_sign *what, struct hf_cert **out)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    HF_CLEANUP(hf_csr_freep) struct hf_csr *csr = NULL;
    const struct hf_weak_key_lists lists = {.known = service->known_keys};
    const struct hf_authority *by = NULL;
    enum hf_refusal why;
    HF_TRY(find_signer(&making, what->by, &by));
    if (what->cert) {
        HF_TRY(hf_public_key_of(X509_get0_pubkey(what->cert->x509), &making.public_key));
    } else {
        HF_TRY(hf_csr_parse(what->csr, what->label, &csr, &why));
    }
    HF_TRY(hf_weak_key_check(csr ? csr->key : making.public_key, &lists, &why, NULL));
    HF_TRY(sign_it(&making, by, what, csr));
    size_t n = 0;
    making.ops[n++] = &making.issue.op;
    const struct hf_authority *holder = what->cert ? holder_of(making.set, what->cert) : NULL;
    if (holder) {
        making.cross = (struct hf_store_authority_cert_add){
            .op = op_of(&making, HF_STORE_AUTHORITY_CERT),
            .authority = holder->id,
            .cert = making.cert->der,
        };
        making.ops[n++] = &making.cross.op;
    }
    HF_TRY(commit(&making, n));
    *out = HF_TAKE(making.cert);
    return HF_OK;
}

/* --- Changing ----------------------------------------------------------------------------------
 */

static enum hf_err find_any(const struct making *making, const char *name,
                            const struct hf_authority **out)
{
    *out = hf_authorities_find(making->set, name);
    return *out ? HF_OK : hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
}

/* The row as it is, to be changed in parts. */
static enum hf_err same_row(struct making *making, const struct hf_authority *authority)
{
    struct hf_identity *id = NULL;
    HF_TRY(hf_authority_settings_write(&authority->settings, &making->settings));
    making->put = (struct hf_store_authority_put){
        .op = op_of(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.id = authority->id,
                      .name = authority->name,
                      .state = authority->state,
                      .parent = authority->parent,
                      .key = authority->key_id,
                      .csr = authority->csr,
                      .created_at = authority->created_at,
                      .settings = making->settings},
        .was = authority->digest,
    };
    if (authority->cert) {
        HF_TRY(hf_identity_new(authority->cert, &id));
        hf_identity_unref(id);
        making->put.authority.cert = authority->cert->der;
        making->put.authority.subject = id->subject;
        making->put.authority.not_before = authority->cert->not_before;
        making->put.authority.not_after = authority->cert->not_after;
    }
    making->ops[0] = &making->put.op;
    return HF_OK;
}

enum hf_err hf_authority_change(struct hf_ca_service *service, const char *actor,
                                const struct hf_authority *was, enum hf_store_authority_state state,
                                const struct hf_authority_settings *settings)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    HF_TRY(same_row(&making, was));
    making.put.authority.state = state;
    hf_free(HF_TAKE(making.settings));
    HF_TRY(hf_authority_settings_write(settings, &making.settings));
    making.put.authority.settings = making.settings;
    return commit(&making, 1);
}

enum hf_err hf_authority_key_pem(struct hf_ca_service *service, const char *name,
                                 struct hf_bytes passphrase, struct hf_buf *out)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, "");
    const struct hf_authority *authority = NULL;
    HF_TRY(find_signer(&making, name, &authority));
    return hf_key_write_pem(authority->key, passphrase, out);
}

enum hf_err hf_authority_drop_key(struct hf_ca_service *service, const char *actor,
                                  const char *name)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    const struct hf_authority *authority = NULL;
    HF_TRY(find_any(&making, name, &authority));
    if (!authority->key_id) {
        return hf_fail(HF_E_NOT_FOUND, "the key of \"%s\" isn't in the store", authority->name);
    }
    HF_TRY(same_row(&making, authority));
    making.put.authority.key = 0;
    making.key_put = (struct hf_store_key_put){
        .op = op_of(&making, HF_STORE_KEY_PUT),
        .key = {.id = authority->key_id},
        .remove = true,
    };
    making.ops[1] = &making.key_put.op;
    return commit(&making, 2);
}

enum hf_err hf_authority_add_key(struct hf_ca_service *service, const char *actor, const char *name,
                                 EVP_PKEY *key)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    const struct hf_authority *authority = NULL;
    HF_TRY(find_any(&making, name, &authority));
    if (authority->key_id) {
        return hf_fail(HF_E_EXISTS, "the key of \"%s\" is in the store", authority->name);
    }
    if (!authority->cert || EVP_PKEY_eq(key, X509_get0_pubkey(authority->cert->x509)) != 1) {
        return hf_fail_ossl(HF_E_MISMATCH, "this is not the key of \"%s\"", authority->name);
    }
    if (!EVP_PKEY_up_ref(key)) {
        return HF_E_NOMEM;
    }
    making.key = key;
    HF_TRY(store_key(&making, NULL));
    HF_TRY(same_row(&making, authority));
    making.put.op.before = take_key_id;
    making.put.op.ctx = &making;
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    return commit(&making, 2);
}

enum hf_err hf_authority_add_cert(struct hf_ca_service *service, const char *actor,
                                  const struct hf_cert *cert)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    const struct hf_authority *holder = holder_of(making.set, cert);
    if (!holder) {
        return hf_fail(HF_E_MISMATCH, "the certificate is for no key of an authority here");
    }
    if (!cert->is_ca || !hf_bytes_eq(subject_of(cert), subject_of(holder->cert))) {
        return hf_fail(HF_E_MISMATCH,
                       "the certificate isn't one of \"%s\": it is no CA, or has "
                       "another subject",
                       holder->name);
    }
    making.cross = (struct hf_store_authority_cert_add){
        .op = op_of(&making, HF_STORE_AUTHORITY_CERT),
        .authority = holder->id,
        .cert = cert->der,
    };
    making.ops[0] = &making.cross.op;
    return commit(&making, 1);
}

/* --- A certificate from elsewhere --------------------------------------------------------------
 */

static bool signs(const struct hf_cert *issuer, const struct hf_cert *cert)
{
    bool good =
        X509_NAME_cmp(X509_get_subject_name(issuer->x509), X509_get_issuer_name(cert->x509)) == 0 &&
        X509_verify(cert->x509, X509_get0_pubkey(issuer->x509)) == 1;
    hf_ossl_forget();
    return good;
}

static const struct hf_cert *find_root(const struct hf_chain *certs)
{
    for (size_t i = 0; i < certs->n_certs; i++) {
        if (certs->certs[i]->is_ca && signs(certs->certs[i], certs->certs[i])) {
            return certs->certs[i];
        }
    }
    return NULL;
}

static enum hf_err find_own(const struct hf_authority *authority, const struct hf_chain *certs,
                            struct hf_cert **out)
{
    for (size_t i = 0; i < certs->n_certs; i++) {
        if (authority->key &&
            EVP_PKEY_eq(authority->key, X509_get0_pubkey(certs->certs[i]->x509)) == 1) {
            *out = certs->certs[i];
            return HF_OK;
        }
    }
    hf_ossl_forget();
    return hf_fail(HF_E_MISMATCH,
                   authority->key ? "none of the %zu certificates is for the key of \"%s\""
                                  : "%zu certificates, but the key of \"%s\" is locked: give the "
                                    "passphrase",
                   certs->n_certs, authority->name);
}

/* The parent of what is installed: an authority in the store, or the root that came with it, which
 * is then put there in the same commit. */
struct parenting {
    struct making *making;
    struct hf_store_authority_put root;
};

static void take_root_id(struct hf_store_op *op)
{
    const struct parenting *parenting = op->ctx;
    parenting->making->put.authority.parent = parenting->root.authority.id;
}

static enum hf_err add_root(struct parenting *parenting, const struct hf_cert *root,
                            const char *name)
{
    struct making *making = parenting->making;
    struct hf_identity *id = NULL;
    HF_TRY(hf_authority_name_check(name));
    HF_TRY(hf_identity_new(root, &id));
    hf_identity_unref(id);
    parenting->root = (struct hf_store_authority_put){
        .op = op_of(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.name = name,
                      .state = HF_AUTHORITY_ACTIVE,
                      .cert = root->der,
                      .subject = id->subject,
                      .not_before = root->not_before,
                      .not_after = root->not_after,
                      .settings = ""},
    };
    making->put.op.before = take_root_id;
    making->put.op.ctx = parenting;
    making->ops[0] = &parenting->root.op;
    making->ops[1] = &making->put.op;
    return commit(making, 2);
}

static enum hf_err install(struct making *making, const struct hf_cert *cert,
                           const struct hf_chain *certs, const char *root_name)
{
    struct hf_store_authority *row = &making->put.authority;
    struct hf_identity *id = NULL;
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id);
    row->cert = cert->der;
    row->csr = hf_bytes_of(NULL, 0);
    row->state = HF_AUTHORITY_ACTIVE;
    row->subject = id->subject;
    row->not_before = cert->not_before;
    row->not_after = cert->not_after;
    const struct hf_authority *parent = hf_authorities_by_leaf(making->set, cert);
    if (parent) {
        row->parent = parent->id;
        return commit(making, 1);
    }
    const struct hf_cert *root = find_root(certs);
    if (!root || !signs(root, cert)) {
        return hf_fail(HF_E_MISMATCH, "the root that signed it isn't in the store and didn't come "
                                      "with it: put both certificates into the file");
    }
    struct parenting parenting = {.making = making};
    return add_root(&parenting, root, root_name);
}

enum hf_err hf_authority_install(struct hf_ca_service *service, const char *actor, const char *name,
                                 const struct hf_chain *certs, const char *root_name)
{
    HF_CLEANUP(making_done) struct making making = making_of(service, actor);
    const struct hf_authority *authority = NULL;
    struct hf_cert *cert = NULL;
    HF_TRY(find_any(&making, name, &authority));
    if (authority->state != HF_AUTHORITY_PENDING) {
        return hf_fail(HF_E_INVALID, "the authority \"%s\" has its certificate already",
                       authority->name);
    }
    HF_TRY(find_own(authority, certs, &cert));
    if (!cert->is_ca || !(X509_get_key_usage(cert->x509) & KU_KEY_CERT_SIGN)) {
        return hf_fail(HF_E_INVALID, "the certificate for \"%s\" is not that of a CA",
                       authority->name);
    }
    if (cert->not_after <= hf_clock_wall_s(service->clock)) {
        return hf_fail(HF_E_INVALID, "the certificate for \"%s\" has ended", authority->name);
    }
    HF_TRY(same_row(&making, authority));
    return install(&making, cert, certs, root_name);
}
