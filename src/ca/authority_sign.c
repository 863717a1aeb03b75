// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates that an authority signs for another one: a new one below it, somebody else's
 * request, or a certificate once more (cross-signing).
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make_impl.h"
#include "ca/csr.h"
#include "ca/weak_key.h"

/* Signs, and fills the row in the list of what the signer issued. */
enum hf_err hf_making_sign(struct hf_making *making, const struct hf_authority *by,
                           struct hf_cert_facts *facts)
{
    struct hf_store_cert *row = &making->issue.cert;
    if (by->state != HF_AUTHORITY_ACTIVE) {
        return hf_fail(HF_E_DENIED, "the authority \"%s\" is %s and issues nothing", by->name,
                       hf_store_authority_state_name(by->state));
    }
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
    making->issue.op = hf_making_op(making, HF_STORE_ISSUE);
    making->issue.only_active = true;
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

struct hf_bytes hf_making_subject(const struct hf_cert *cert)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    (void)X509_NAME_get0_der(X509_get_subject_name(cert->x509), &der, &len);
    return hf_bytes_of(der, len);
}

const struct hf_authority *hf_making_holder(const struct hf_authorities *set,
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

/* The key identifier and the path length stay those of the certificate that is signed again: what
 * is below it names the one and relies on the other. */
static void same_again(const struct hf_cert *cert, struct hf_cert_facts *facts, int *path_len)
{
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id(cert->x509);
    facts->subject_der = hf_making_subject(cert);
    if (key_id) {
        facts->key_id =
            hf_bytes_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id));
    }
    if (*path_len == HF_PATH_LEN_STANDARD) {
        *path_len = (int)X509_get_pathlen(cert->x509);
        facts->path_len = path_len;
    }
}

static enum hf_err end_with(const struct hf_making *making, const struct hf_cert *cert,
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

static enum hf_err sign_it(struct hf_making *making, const struct hf_authority *by,
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
    return hf_making_sign(making, by, &facts);
}

enum hf_err hf_authority_sign(struct hf_ca_service *service, const char *actor,
                              const struct hf_authority_sign *what, struct hf_cert **out)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    HF_CLEANUP(hf_csr_freep) struct hf_csr *csr = NULL;
    const struct hf_weak_key_lists lists = {.known = service->known_keys};
    const struct hf_authority *by = NULL;
    enum hf_refusal why;
    HF_TRY(hf_making_find_signer(&making, what->by, &by));
    if (what->cert) {
        HF_TRY(hf_public_key_of(X509_get0_pubkey(what->cert->x509), &making.public_key));
    } else {
        HF_TRY(hf_csr_parse(what->csr, what->label, &csr, &why));
    }
    HF_TRY(hf_weak_key_check(csr ? csr->key : making.public_key, &lists, &why, NULL));
    HF_TRY(sign_it(&making, by, what, csr));
    size_t n = 0;
    making.ops[n++] = &making.issue.op;
    const struct hf_authority *holder =
        what->cert ? hf_making_holder(making.set, what->cert) : NULL;
    if (holder) {
        making.cross = (struct hf_store_authority_cert_add){
            .op = hf_making_op(&making, HF_STORE_AUTHORITY_CERT),
            .authority = holder->id,
            .cert = making.cert->der,
        };
        making.ops[n++] = &making.cross.op;
    }
    HF_TRY(hf_making_commit(&making, n));
    *out = HF_TAKE(making.cert);
    return HF_OK;
}
