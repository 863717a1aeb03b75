// SPDX-License-Identifier: Apache-2.0
/*
 * Renew and rekey: the names of a certificate that is there, with new dates, and the same key or
 * another one.
 *
 *     who asks                              renew            rekey
 *     the operator                          yes              yes
 *     came in with that certificate         yes              yes
 *     sent a CSR signed with that key       once             no: it proves nothing of the old key
 *
 * A CSR is no secret, and whoever has it can send it again: so it renews a certificate that wasn't
 * renewed yet. The store asks that again when it issues, as two may come at the same time.
 *
 * After its end a certificate no longer opens the door, so only the CSR is left; and a person must
 * approve, within the window that the profile gives.
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/service_impl.h"
#include "pki/ossl.h"

/* --- The old one -------------------------------------------------------------------------------
 */

static enum hf_err find_own(struct hf_ca_work *work)
{
    const struct hf_cert *cert = work->op->caller.cert;
    const struct hf_authority *authority =
        cert ? hf_authorities_by_leaf(work->view->authorities, cert) : NULL;
    if (!authority) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "say which certificate by its serial number, or come with it");
    }
    struct hf_identity *id = NULL;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    size_t len = 0;
    HF_TRY(hf_identity_new(cert, &id));
    enum hf_err err = hf_ca_serial(id->serial, serial, &len);
    hf_identity_unref(id);
    HF_TRY(err);
    return hf_ca_find_row(work, authority->id, hf_bytes_of(serial, len), &work->old);
}

static bool same_key(const struct hf_ca_work *work)
{
    return work->want.csr && work->old.cert &&
           memcmp(work->want.csr->key->spki_sha256, work->old.cert->spki_sha256, HF_SHA256_SIZE) ==
               0;
}

/* Who has no proof of it is told the same of a certificate that is there and of one that isn't. */
static enum hf_err refuse_unproven(struct hf_ca_work *work)
{
    return hf_ca_refuse(work, HF_CA_FORBIDDEN,
                        "nothing shows that who asks has the key of this certificate: come with "
                        "it, or send a request signed with its key");
}

static enum hf_err find_old(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    if (!op->which.serial) {
        return find_own(work);
    }
    enum hf_err err = hf_ca_find_one(work, &op->which, &work->old);
    bool tells = hf_ca_has(work, HF_CA_MAY_READ) || hf_ca_names_own(work, op->which.serial);
    bool found = err != HF_E_NOT_FOUND && err != HF_E_DENIED; /* one, or it can't be known */
    return found || tells ? err : refuse_unproven(work);
}

static bool is_proven(const struct hf_ca_work *work)
{
    return work->op->caller.local || hf_ca_came_with_old(work) ||
           (work->op->verb == HF_CA_VERB_RENEW && same_key(work));
}

static enum hf_err check_proof(struct hf_ca_work *work)
{
    if (!is_proven(work) && !hf_ca_has(work, HF_CA_MAY_READ)) {
        return refuse_unproven(work);
    }
    if (work->op->verb == HF_CA_VERB_RENEW && work->want.csr && !same_key(work)) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "the request holds another key than the certificate; a new key is "
                            "for rekey");
    }
    if (work->op->verb == HF_CA_VERB_REKEY && same_key(work)) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "the request holds the old key; rekey wants "
                            "another one");
    }
    if (!is_proven(work)) {
        return refuse_unproven(work);
    }
    work->once = !work->op->caller.local && !hf_ca_came_with_old(work);
    return work->once && work->old.replaced_by
               ? hf_ca_refuse(work, HF_CA_CONFLICT,
                              "it was renewed already; to renew it again come with it, or renew "
                              "the new one")
               : HF_OK;
}

enum hf_err hf_ca_want_old(struct hf_ca_work *work)
{
    struct hf_ca_want *want = &work->want;
    if (work->old.status != HF_STATUS_GOOD) {
        return hf_ca_refuse(work, HF_CA_CONFLICT, "the certificate is %s",
                            work->old.status == HF_STATUS_HELD ? "on hold" : "revoked");
    }
    if (!work->old.cert) {
        return hf_ca_refuse(work, HF_CA_CONFLICT,
                            "of this certificate only the number is known, so that it can't be "
                            "renewed: issue a new one");
    }
    X509 *x509 = work->old.cert->x509;
    const unsigned char *subject = NULL;
    size_t subject_len = 0;
    if (!X509_NAME_get0_der(X509_get_subject_name(x509), &subject, &subject_len)) {
        return hf_fail_ossl(HF_E_MALFORMED, "the old certificate's subject");
    }
    want->subject_der = hf_bytes_of(subject, subject_len);
    int at = X509_get_ext_by_NID(x509, NID_subject_alt_name, -1);
    if (at >= 0) {
        const ASN1_OCTET_STRING *names = X509_EXTENSION_get_data(X509_get_ext(x509, at));
        HF_TRY(hf_alt_names_add_der(&want->names, hf_bytes_of(ASN1_STRING_get0_data(names),
                                                              (size_t)ASN1_STRING_length(names))));
    }
    if (!want->key) {
        HF_TRY(hf_public_key_of(X509_get0_pubkey(x509), &want->made));
        want->key = want->made;
    }
    return HF_OK;
}

/* --- When --------------------------------------------------------------------------------------
 */

static enum hf_err check_window(struct hf_ca_work *work)
{
    int64_t now = hf_clock_wall_s(work->service->clock);
    const struct hf_cert_profile *profile = work->profile;
    char when[HF_TIME_TEXT_SIZE];
    if (hf_cert_profile_renewable(profile, work->old.not_after, now, &work->late) ||
        work->op->caller.local) {
        return HF_OK;
    }
    if (now < work->old.not_after) {
        hf_format_time(work->old.not_after - profile->renew_before_s, when);
        return hf_ca_refuse(work, HF_CA_WINDOW, "it may be renewed from %s on", when);
    }
    hf_format_time(work->old.not_after + profile->renew_after_s, when);
    return hf_ca_refuse(work, HF_CA_WINDOW,
                        "it could be renewed until %s, and no longer: ask for "
                        "a new certificate",
                        when);
}

/* --- The verbs ---------------------------------------------------------------------------------
 */

static enum hf_err read_csr(struct hf_ca_work *work)
{
    const struct hf_ca_ask *ask = &work->op->ask;
    if (!ask->csr.ptr) {
        return HF_OK;
    }
    HF_TRY(hf_csr_parse(ask->csr, ask->csr_label ? ask->csr_label : "the request", &work->want.csr,
                        &work->why));
    work->want.key = work->want.csr->key;
    return HF_OK;
}

static enum hf_err make_new_key(struct hf_ca_work *work)
{
    const char *word = work->op->ask.key_type;
    enum hf_key_kind kind = word ? hf_key_kind_by_word(word) : work->profile->key_default;
    if (work->op->verb != HF_CA_VERB_REKEY || work->want.csr) {
        return HF_OK;
    }
    if (kind == HF_KEY_KIND_N) {
        return hf_ca_refuse(work, HF_CA_INVALID, "\"%.30s\" is no key type", word);
    }
    HF_TRY(hf_key_kind_make(kind, &work->want.private_key));
    HF_TRY(hf_public_key_of(work->want.private_key, &work->want.made));
    work->want.key = work->want.made;
    return HF_OK;
}

struct hf_store_op *hf_ca_revoke_old(struct hf_ca_work *work)
{
    enum { SUPERSEDED = 4 };
    work->revoke = (struct hf_store_revoke){
        .op = {.kind = HF_STORE_REVOKE, .actor = work->op->caller.name, .detail = "rekeyed"},
        .act = HF_ACT_REVOKE,
        .authority = work->old.authority,
        .serial = hf_bytes_of(work->old.serial, work->old.serial_len),
        .reason = SUPERSEDED,
    };
    return &work->revoke.op;
}

/* In the same commit as the new one: never neither, never both good. */
static void issue_and_revoke(struct hf_ca_work *work)
{
    work->ops[0] = &work->issue.op;
    work->ops[1] = hf_ca_revoke_old(work);
    work->group = (struct hf_store_group){
        .op = {.kind = HF_STORE_GROUP, .actor = work->op->caller.name},
        .ops = work->ops,
        .n_ops = 2,
    };
    work->write = &work->group.op;
}

enum hf_err hf_ca_verb_renew(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    const char *profile = op->ask.profile;
    HF_TRY(read_csr(work));
    HF_TRY(find_old(work));
    HF_TRY(check_proof(work));
    if (profile && !op->caller.local && strcmp(profile, work->old.profile) != 0) {
        return hf_ca_refuse(work, HF_CA_NOT_ALLOWED, "renewing keeps the profile, which is \"%s\"",
                            work->old.profile);
    }
    HF_TRY(hf_ca_choose_profile(work, profile ? profile : work->old.profile));
    HF_TRY(check_window(work));
    HF_TRY(hf_ca_choose_authority(work, op->ask.authority));
    HF_TRY(make_new_key(work));
    HF_TRY(hf_ca_want_old(work));
    HF_TRY(hf_cert_profile_check_key(work->profile, work->want.key, &work->why));
    if (op->verb == HF_CA_VERB_REKEY) {
        HF_TRY(hf_ca_check_key(work, work->want.key));
    }
    work->want.lifetime_s = op->ask.lifetime_s;
    if (!op->caller.local && (work->late || work->profile->approval == HF_APPROVAL_ALWAYS)) {
        return hf_ca_queue_want(work);
    }
    HF_TRY(hf_ca_sign_want(work));
    if (op->verb == HF_CA_VERB_REKEY && op->revoke_old) {
        issue_and_revoke(work);
    }
    return HF_OK;
}
