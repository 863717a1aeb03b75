// SPDX-License-Identifier: Apache-2.0
/*
 * Issue and sign. Names come from the caller with `issue` and from the CSR with `sign`; everything
 * else is the profile's. Whoever asks is let in by being local, by a token, or by the profile's
 * `ask`; where the profile wants a person to approve, the request waits in the store.
 */
#include <openssl/sha.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/issuer_impl.h"
#include "ca/service_impl.h"
#include "crypto/hash.h"
#include "pki/asn1_write.h"

enum { CN_MAX = 64 };

/* --- Who ---------------------------------------------------------------------------------------
 */

enum hf_err hf_ca_token_hash(const char *token, uint8_t out[static HF_STORE_HASH_SIZE])
{
    return SHA256((const unsigned char *)token, strlen(token), out)
               ? HF_OK
               : hf_fail(HF_E_CRYPTO, "SHA-256 failed");
}

/* What a token is good for; the names that it is limited to are one line each. */
struct token_check {
    struct hf_ca_work *work;
};

static enum hf_err check_token_row(void *ctx, const struct hf_store_token *row)
{
    struct token_check *check = ctx;
    struct hf_ca_work *work = check->work;
    const char *name = work->op->ask.name ? work->op->ask.name : "";
    if (row->expires_at <= hf_clock_wall_s(work->service->clock)) {
        return hf_ca_refuse(work, HF_CA_BAD_TOKEN, "the token has ended");
    }
    if (row->uses_left <= 0) {
        return hf_ca_refuse(work, HF_CA_BAD_TOKEN, "the token was used already");
    }
    if (work->op->ask.profile && strcmp(row->profile, work->op->ask.profile) != 0) {
        return hf_ca_refuse(work, HF_CA_BAD_TOKEN, "the token is for the profile \"%s\"",
                            row->profile);
    }
    if (row->limits && *row->limits &&
        (work->op->verb != HF_CA_VERB_ISSUE || strcmp(row->limits, name) != 0 ||
         work->op->ask.n_sans)) {
        return hf_ca_refuse(work, HF_CA_BAD_TOKEN,
                            "the token is for the name \"%s\", and for no other", row->limits);
    }
    work->token_by = hf_strdup(row->creator ? row->creator : "");
    HF_TRY(work->token_by ? HF_OK : HF_E_NOMEM);
    return work->profile ? HF_OK : hf_ca_choose_profile(work, row->profile);
}

/* It is used up in the commit that issues; here it is only looked at. */
static enum hf_err check_token(struct hf_ca_work *work, const char *token)
{
    struct token_check check = {work};
    HF_TRY(hf_ca_token_hash(token, work->token_hash));
    enum hf_err err = hf_store_token_find(work->service->store,
                                          hf_bytes_of(work->token_hash, sizeof(work->token_hash)),
                                          check_token_row, &check);
    return err == HF_E_NOT_FOUND && work->outcome == HF_CA_DONE
               ? hf_ca_refuse(work, HF_CA_BAD_TOKEN, "the token is unknown")
               : err;
}

static enum hf_err refuse_asker(struct hf_ca_work *work, const char *profile)
{
    work->why = HF_REFUSAL_WHO;
    return hf_fail(HF_E_DENIED, "the profile \"%.64s\" is not for %.200s", profile,
                   work->op->caller.name);
}

static enum hf_err check_asker(struct hf_ca_work *work)
{
    const struct hf_ca_caller *caller = &work->op->caller;
    enum hf_match match = HF_MATCH_NO;
    struct hf_identity *identity = NULL;
    if (caller->local) {
        return HF_OK;
    }
    if (caller->cert) {
        HF_TRY(hf_identity_new(caller->cert, &identity));
    }
    enum hf_err err =
        hf_cert_profile_may_ask(work->profile, identity, caller->roles, caller->n_roles, &match);
    hf_identity_unref(identity);
    HF_TRY(err);
    return match == HF_MATCH_YES ? HF_OK : refuse_asker(work, work->profile->name);
}

static enum hf_err choose_profile(struct hf_ca_work *work)
{
    const struct hf_ca_ask *ask = &work->op->ask;
    if (ask->profile || !ask->token) {
        enum hf_err err = hf_ca_choose_profile(work, ask->profile);
        if (work->outcome == HF_CA_NOT_FOUND && !hf_ca_has(work, HF_CA_MAY_READ)) {
            work->outcome = HF_CA_DONE; /* who may not see them isn't told which there are */
            return refuse_asker(work, ask->profile);
        }
        HF_TRY(err);
    }
    return ask->token ? check_token(work, ask->token) : check_asker(work);
}

/* --- What --------------------------------------------------------------------------------------
 */

static enum hf_err read_csr(struct hf_ca_work *work)
{
    const struct hf_ca_ask *ask = &work->op->ask;
    struct hf_ca_want *want = &work->want;
    HF_TRY(hf_csr_parse(ask->csr, ask->csr_label ? ask->csr_label : "the request", &want->csr,
                        &work->why));
    want->key = want->csr->key;
    return HF_OK;
}

static enum hf_err make_key(struct hf_ca_work *work)
{
    const char *word = work->op->ask.key_type;
    enum hf_key_kind kind = word ? hf_key_kind_by_word(word) : work->profile->key_default;
    if (kind == HF_KEY_KIND_N) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "\"%.30s\" is no key type; take p256, p384, p521, ed25519, rsa2048, "
                            "rsa3072 or rsa4096",
                            word);
    }
    HF_TRY(hf_key_kind_make(kind, &work->want.private_key));
    HF_TRY(hf_public_key_of(work->want.private_key, &work->want.made));
    work->want.key = work->want.made;
    return HF_OK;
}

static enum hf_err name_error(struct hf_ca_work *work, enum hf_err err)
{
    if (err == HF_E_INVALID || err == HF_E_TOO_LARGE) {
        work->why = HF_REFUSAL_NAME_INVALID;
    }
    return err;
}

/* What it is called: a host where the profile is about hosts, the CN in any case that fits. */
static enum hf_err add_name(struct hf_ca_work *work, const char *name)
{
    struct hf_ca_want *want = &work->want;
    if (work->profile->host_name) {
        HF_TRY(name_error(work, hf_alt_names_add_host(&want->names, name)));
        if (strlen(name) > CN_MAX) {
            return HF_OK;
        }
    }
    enum hf_err err = hf_subject_add(&want->subject, HF_ATTR_CN, hf_bytes_str(name));
    if (err == HF_E_INVALID) {
        work->why = HF_REFUSAL_SUBJECT;
    }
    return err;
}

static enum hf_err names_from_caller(struct hf_ca_work *work)
{
    const struct hf_ca_ask *ask = &work->op->ask;
    if (ask->name) {
        HF_TRY(add_name(work, ask->name));
    }
    for (size_t i = 0; i < ask->n_sans; i++) {
        HF_TRY(name_error(work, hf_alt_names_add_text(&work->want.names, ask->sans[i])));
    }
    if (work->want.csr) {
        work->op->n_names_left_out =
            (unsigned)(work->want.csr->names.n + work->want.csr->subject.n);
    }
    return HF_OK;
}

static enum hf_err names_from_csr(struct hf_ca_work *work)
{
    const struct hf_csr *csr = work->want.csr;
    for (size_t i = 0; i < csr->subject.n; i++) {
        HF_TRY(hf_subject_add(&work->want.subject, csr->subject.part[i].attr,
                              hf_bytes_str(csr->subject.part[i].text)));
    }
    return hf_alt_names_copy(&work->want.names, &csr->names);
}

static enum hf_err choose_dates(struct hf_ca_work *work)
{
    const struct hf_ca_ask *ask = &work->op->ask;
    if ((ask->not_before || ask->not_after) && !work->op->caller.local) {
        return hf_ca_refuse(work, HF_CA_NOT_ALLOWED,
                            "only the operator may choose dates; ask for "
                            "a lifetime");
    }
    work->want.lifetime_s = ask->lifetime_s;
    work->want.not_before = ask->not_before;
    work->want.not_after = ask->not_after;
    return HF_OK;
}

/* --- Signing -----------------------------------------------------------------------------------
 */

/* The shard of a certificate's CRL is fixed when it is issued: by its key, as the serial number is
 * not drawn yet. */
static unsigned shard_of(const struct hf_authority *authority, const struct hf_public_key *key)
{
    unsigned n = authority->settings.shards;
    return n ? (((unsigned)key->spki_sha256[0] << 16) | ((unsigned)key->spki_sha256[1] << 8) |
                key->spki_sha256[2]) %
                   n
             : 0;
}

static enum hf_err make_cert(struct hf_ca_work *work)
{
    const struct hf_ca_want *want = &work->want;
    const struct hf_authority_settings *settings = &work->authority->settings;
    const char *name = work->authority->name;
    struct hf_authority_addresses crl, ocsp, issuer;
    work->issue.cert.shard = shard_of(work->authority, want->key);
    hf_authority_addresses(settings->crl_url, name, work->issue.cert.shard, &crl);
    hf_authority_addresses(settings->ocsp_url, name, 0, &ocsp);
    hf_authority_addresses(settings->issuer_url, name, 0, &issuer);
    struct hf_cert_facts facts = {
        .key = want->key,
        .subject = &want->subject,
        .names = &want->names,
        .subject_der = want->subject_der,
        .lifetime_s = want->lifetime_s,
        .not_before = want->not_before,
        .not_after = want->not_after,
        .crl_urls = crl.url,
        .n_crl_urls = crl.n,
        .ocsp_urls = ocsp.url,
        .n_ocsp_urls = ocsp.n,
        .issuer_urls = issuer.url,
        .n_issuer_urls = issuer.n,
    };
    return hf_cert_make(work->profile, &facts, work->authority->issuer,
                        hf_clock_wall_s(work->service->clock), work->service->rng, &work->made,
                        &work->why);
}

static const char *sans_text(struct hf_ca_work *work)
{
    struct hf_buf *out = &work->text[HF_CA_TEXT_SANS];
    const struct hf_alt_names *names = &work->want.names;
    hf_buf_reset(out);
    for (size_t i = 0; i < names->n; i++) {
        if ((i && hf_buf_u8(out, '\n') != HF_OK) ||
            hf_alt_name_append(&names->item[i], out) != HF_OK) {
            return NULL;
        }
    }
    return hf_buf_cstr(out);
}

/* From what it was made of: see hf_ca_op_chain. */
static enum hf_err name_made(struct hf_ca_work *work)
{
    const struct hf_ca_want *want = &work->want;
    const struct hf_store_cert *row = &work->issue.cert;
    HF_CLEANUP(hf_buf_done) struct hf_buf names = HF_BUF_INIT(HF_MADE_DER_MAX);
    if (want->names.n) {
        struct hf_asn1 der = hf_asn1_writer(&names);
        hf_alt_names_write(&want->names, &der);
        HF_TRY(hf_asn1_end(&der));
    }
    const struct hf_identity_parts parts = {
        .subject = hf_buf_bytes(&work->made.subject),
        .issuer = hf_issuer_subject(work->authority->issuer),
        .serial = hf_bytes_of(work->made.serial, sizeof(work->made.serial)),
        .alt_names = hf_buf_bytes(&names),
        .key = want->key->key,
        .sha256 = row->sha256,
        .spki_sha256 = row->spki_sha256,
        .not_before = work->made.not_before,
        .not_after = work->made.not_after,
    };
    return hf_identity_of_parts(&parts, &work->identity);
}

static enum hf_err fill_row(struct hf_ca_work *work)
{
    struct hf_store_cert *row = &work->issue.cert;
    row->authority = work->authority->id;
    row->serial = hf_bytes_of(work->made.serial, sizeof(work->made.serial));
    row->der = hf_buf_bytes(&work->made.der);
    row->profile = work->profile->name;
    hf_hash_once(HF_HASH_SHA256, row->der, row->sha256);
    memcpy(row->spki_sha256, work->want.key->spki_sha256, sizeof(row->spki_sha256));
    HF_TRY(name_made(work));
    row->identity = hf_identity_display(work->identity);
    row->subject = work->identity->subject;
    row->key_type = work->identity->key_type;
    row->not_before = work->made.not_before;
    row->not_after = work->made.not_after;
    row->requester = work->op->caller.name;
    row->replaces = work->old.id;
    row->sans = sans_text(work);
    return row->sans ? HF_OK : HF_E_NOMEM;
}

static void say_issued(struct hf_ca_work *work)
{
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(work->made.not_after, when);
    hf_ca_says(work, "issued %s to %.200s until %s", work->issue.cert.subject,
               work->issue.cert.identity, when);
}

enum hf_err hf_ca_show_cert(struct hf_ca_work *work, struct hf_bytes der,
                            struct hf_identity *identity)
{
    struct hf_ca_op *op = work->op;
    const struct hf_authority *authority = work->authority;
    uint8_t *copy = hf_alloc(der.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, der.ptr, der.len);
    op->der = hf_bytes_of(copy, der.len);
    op->identity = hf_identity_ref(identity);
    op->above = authority && authority->chain ? hf_chain_ref(authority->chain) : NULL;
    op->root = authority && authority->root ? hf_cert_ref(authority->root) : NULL;
    return HF_OK;
}

/* The outputs are there from here on; an operation that fails after all takes them back. */
static enum hf_err show_made(struct hf_ca_work *work)
{
    struct hf_ca_op *op = work->op;
    HF_TRY(hf_ca_show_cert(work, hf_buf_bytes(&work->made.der), work->identity));
    op->key = HF_TAKE(work->want.private_key);
    op->capped = work->made.capped;
    op->profile = hf_strdup(work->profile->name);
    HF_TRY(op->profile ? HF_OK : HF_E_NOMEM);
    if (!op->made) {
        return HF_OK;
    }
    HF_TRY(hf_ca_check_compromise(work)); /* no files of what the store would refuse */
    return op->made(op);
}

enum hf_err hf_ca_sign_want(struct hf_ca_work *work)
{
    HF_TRY(make_cert(work));
    HF_TRY(fill_row(work));
    work->issue.op = (struct hf_store_op){
        .kind = HF_STORE_ISSUE,
        .actor = work->op->caller.name,
        .detail = hf_ca_detail(work),
    };
    work->issue.refuse_compromised = true;
    work->issue.only_active = work->profile->kind != HF_PROFILE_KIND_OCSP;
    work->issue.only_once = work->once;
    if (work->op->ask.token) {
        work->issue.token_hash = hf_bytes_of(work->token_hash, sizeof(work->token_hash));
    }
    work->write = &work->issue.op;
    work->stored = hf_ca_give_cert;
    say_issued(work);
    return show_made(work);
}

void hf_ca_give_cert(struct hf_ca_work *work)
{
    work->outcome = HF_CA_DONE;
}

/* --- The verbs ---------------------------------------------------------------------------------
 */

static bool waits_for_a_person(const struct hf_ca_work *work)
{
    enum hf_profile_approval approval = work->profile->approval;
    return !work->op->caller.local &&
           (approval == HF_APPROVAL_ALWAYS ||
            (approval == HF_APPROVAL_FIRST && !work->op->ask.token)); /* a token was a person's */
}

enum hf_err hf_ca_verb_issue(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    HF_TRY(choose_profile(work));
    HF_TRY(hf_ca_choose_authority(work, op->ask.authority));
    if (op->verb == HF_CA_VERB_SIGN && !op->ask.csr.ptr) {
        return hf_ca_refuse(work, HF_CA_INVALID, "there is no certificate request to sign");
    }
    HF_TRY(op->ask.csr.ptr ? read_csr(work) : make_key(work));
    HF_TRY(hf_cert_profile_check_key(work->profile, work->want.key, &work->why));
    HF_TRY(hf_ca_check_key(work, work->want.key));
    HF_TRY(op->verb == HF_CA_VERB_SIGN ? names_from_csr(work) : names_from_caller(work));
    HF_TRY(choose_dates(work));
    return waits_for_a_person(work) ? hf_ca_queue_want(work) : hf_ca_sign_want(work);
}
