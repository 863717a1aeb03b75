// SPDX-License-Identifier: Apache-2.0
#include "ca/weak_key.h"

#include "ca/weak_impl.h"

static enum hf_err check_known(const struct hf_public_key *key, const struct hf_key_list *list)
{
    const char *where = hf_published_key(key->spki_sha256);
    if (where) {
        return hf_fail(HF_E_INVALID, "the private key was published, in %s; make a new one", where);
    }
    if (list && hf_key_list_has(list, key)) {
        return hf_fail(HF_E_INVALID,
                       "the key is on the list of keys that are known to others; make "
                       "a new one");
    }
    return HF_OK;
}

static enum hf_err check_kind(const struct hf_public_key *key)
{
    if (key->modulus.len) {
        return hf_weak_rsa(key);
    }
    return key->kind == HF_KEY_KIND_ED25519 ? hf_weak_ed25519(key) : hf_weak_ec(key);
}

static enum hf_err check_shared(const struct hf_public_key *key, const struct hf_moduli *moduli,
                                int64_t *out_shared_with)
{
    bool shared = false;
    int64_t with = -1;
    if (!moduli || !key->modulus.len) {
        return HF_OK;
    }
    HF_TRY(hf_moduli_check(moduli, key->modulus, &shared, &with));
    if (!shared) {
        return HF_OK;
    }
    if (out_shared_with) {
        *out_shared_with = with;
    }
    return hf_fail(HF_E_INVALID, "the RSA key shares a prime with another one of this CA, so both "
                                 "private keys can be computed; make a new one where randomness is "
                                 "better");
}

enum hf_err hf_weak_key_check(const struct hf_public_key *key,
                              const struct hf_weak_key_lists *lists, enum hf_refusal *out_why,
                              int64_t *out_shared_with)
{
    enum hf_refusal why = HF_REFUSAL_KNOWN_KEY;
    if (out_shared_with) {
        *out_shared_with = -1;
    }
    enum hf_err err = check_known(key, lists ? lists->known : NULL);
    if (err == HF_OK) {
        why = HF_REFUSAL_WEAK_KEY;
        err = check_kind(key);
    }
    if (err == HF_OK) {
        err = check_shared(key, lists ? lists->moduli : NULL, out_shared_with);
    }
    if (err != HF_OK) {
        *out_why = err == HF_E_INVALID ? why : HF_REFUSAL_NONE;
    }
    return err;
}
