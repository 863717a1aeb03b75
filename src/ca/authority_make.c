// SPDX-License-Identifier: Apache-2.0
/* A new authority: by itself, below another one here, or as a request for one elsewhere. */
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make_impl.h"
#include "ca/csr.h"
#include "ca/store_key.h"

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

static enum hf_err get_key(struct hf_making *making)
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

static enum hf_err make_self_signed(struct hf_making *making, struct hf_cert_facts *facts)
{
    enum hf_refusal why;
    HF_TRY(hf_ca_profile(making->service, "root", &making->profile));
    HF_TRY(hf_cert_make_root(making->profile, facts, making->key,
                             hf_clock_wall_s(making->service->clock), making->service->rng,
                             &making->made, &why));
    return hf_cert_from_der(hf_buf_bytes(&making->made.der), &making->cert);
}

static struct hf_cert_facts facts_of(const struct hf_making *making)
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

static enum hf_err fill_row(struct hf_making *making, enum hf_store_authority_state state,
                            int64_t parent, const char *subject)
{
    HF_TRY(hf_authority_settings_write(&making->what->settings, &making->settings));
    making->put = (struct hf_store_authority_put){
        .op = hf_making_op(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.name = making->what->name,
                      .state = state,
                      .parent = parent,
                      .subject = subject,
                      .settings = making->settings},
    };
    making->put.op.before = hf_making_take_key_id;
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
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    const struct hf_authority *parent = NULL;
    struct hf_identity *id = NULL;
    making.what = what;
    HF_TRY(hf_authority_name_check(what->name));
    if (what->parent) {
        HF_TRY(hf_making_find_signer(&making, what->parent, &parent));
    }
    HF_TRY(get_key(&making));
    struct hf_cert_facts facts = facts_of(&making);
    HF_TRY(parent ? hf_making_sign(&making, parent, &facts) : make_self_signed(&making, &facts));
    HF_TRY(hf_identity_new(making.cert, &id));
    hf_identity_unref(id);
    HF_TRY(hf_making_store_key(&making, what->pkcs11));
    HF_TRY(fill_row(&making, HF_AUTHORITY_ACTIVE, parent ? parent->id : 0, id->subject));
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    making.ops[2] = &making.issue.op;
    return hf_making_commit(&making, parent ? 3 : 2);
}

enum hf_err hf_authority_request(struct hf_ca_service *service, const char *actor,
                                 const struct hf_authority_new *what, struct hf_buf *out_csr)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(HF_MAKING_DER_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf subject = HF_BUF_INIT(HF_MAKING_DER_MAX);
    making.what = what;
    HF_TRY(hf_authority_name_check(what->name));
    HF_TRY(get_key(&making));
    HF_TRY(hf_csr_make(what->subject, NULL, true, making.key, &csr));
    HF_TRY(hf_subject_append(what->subject, &subject));
    HF_TRY(hf_making_store_key(&making, what->pkcs11));
    HF_TRY(fill_row(&making, HF_AUTHORITY_PENDING, 0, hf_buf_cstr(&subject)));
    making.put.authority.csr = hf_buf_bytes(&csr);
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    HF_TRY(hf_making_commit(&making, 2));
    return hf_buf_append(out_csr, hf_buf_bytes(&csr));
}
