// SPDX-License-Identifier: Apache-2.0
/*
 * One key where two should be: of two identities (whoever steals one has the other), of an identity
 * and a CA that is trusted (the CA's key lies here, and whoever serves can certify), of an identity
 * and what signs tokens.
 */
#include <string.h>

#include "config/lint_impl.h"

#define add(lint, id, mark, ...) hf_findings_add((lint)->findings, (id), (mark), __VA_ARGS__)

static const struct hf_cert *leaf_of(const struct hf_lint *lint,
                                     const struct hf_cfg_identity *identity)
{
    const struct hf_credential *credential = hf_materials_identity(lint->materials, identity);
    return credential ? credential->chain->certs[0] : NULL;
}

static bool same_key(const struct hf_cert *a, const struct hf_cert *b)
{
    return memcmp(a->spki_sha256, b->spki_sha256, HF_SHA256_SIZE) == 0;
}

/* The same certificate under two names is one thing with two names. */
static void lint_twins(const struct hf_lint *lint, size_t at)
{
    const struct hf_config *config = lint->config;
    const struct hf_cfg_identity *identity = &config->identities[at];
    const struct hf_cert *leaf = leaf_of(lint, identity);
    for (size_t i = 0; leaf && i < at; i++) {
        const struct hf_cert *other = leaf_of(lint, &config->identities[i]);
        if (other && same_key(leaf, other) &&
            memcmp(leaf->sha256, other->sha256, HF_SHA256_SIZE) != 0) {
            add(lint, HF_FINDING_KEY_REUSED, identity->cert.mark,
                "identities \"%s\" and \"%s\" have different certificates for one key: whoever "
                "gets it has both; make a key for each",
                config->identities[i].name, identity->name);
            return;
        }
    }
}

static void lint_ca_key(const struct hf_lint *lint, const struct hf_cfg_identity *identity)
{
    const struct hf_cert *leaf = leaf_of(lint, identity);
    for (size_t i = 0; leaf && i < lint->config->n_trusts; i++) {
        const struct hf_cfg_trust *cfg = &lint->config->trusts[i];
        const struct hf_trust *trust = hf_materials_trust(lint->materials, cfg);
        const struct hf_chain *roots = trust ? hf_trust_roots(trust) : NULL;
        for (size_t j = 0; roots && j < roots->n_certs; j++) {
            if (same_key(leaf, roots->certs[j]) && roots->certs[j]->is_ca) {
                add(lint, HF_FINDING_KEY_REUSED, identity->cert.mark,
                    "identity \"%s\" serves with the key of a CA that trust \"%s\" believes: "
                    "whoever gets it can certify anybody; make another key for it",
                    identity->name, cfg->name);
                return;
            }
        }
    }
}

static void lint_token_key(const struct hf_lint *lint, const struct hf_cfg_identity *identity)
{
    EVP_PKEY *const *keys;
    const struct hf_cert *leaf = leaf_of(lint, identity);
    size_t n = hf_materials_token_keys(lint->materials, &keys);
    for (size_t i = 0; leaf && i < n; i++) {
        if (EVP_PKEY_eq(keys[i], X509_get0_pubkey(leaf->x509)) == 1) {
            add(lint, HF_FINDING_KEY_REUSED, identity->cert.mark,
                "identity \"%s\" has the key that signs tokens: one key, one use; make another for "
                "token-signing",
                identity->name);
            return;
        }
    }
}

void hf_lint_keys(const struct hf_lint *lint)
{
    for (size_t i = 0; i < lint->config->n_identities; i++) {
        lint_twins(lint, i);
        lint_ca_key(lint, &lint->config->identities[i]);
        lint_token_key(lint, &lint->config->identities[i]);
    }
}
