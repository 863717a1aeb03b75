// SPDX-License-Identifier: Apache-2.0
/*
 * Loads whom we believe. Verification is in verify.c.
 *
 * The roots are kept as a plain stack rather than in an X509_STORE: nothing in it ever changes, so
 * there is no lock in it, where a store takes its own for each issuer that is looked up. On two
 * cores there is no difference to be measured (tests/unit/pki/bench_verify.c: about 100 us of CPU
 * for a chain of two, one thread or four, either way); the stack is also the simpler object.
 */
#include "pki/trust.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "pki/cert_impl.h"
#include "pki/dn.h"
#include "pki/ossl.h"
#include "pki/pem.h"
#include "pki/trust_impl.h"

enum { ROOTS_MAX = 4096, DEPTH_MAX = HF_CHAIN_MAX - 2 };

static void trust_free(struct hf_trust *trust)
{
    for (size_t i = 0; i < trust->n_names; i++) {
        hf_free((void *)(uintptr_t)trust->names[i].ptr);
    }
    hf_free(trust->names);
    hf_cache_free(trust->verified);
    sk_X509_free(trust->stack);
    hf_chain_unref(trust->roots);
    hf_free(trust->name);
    hf_free(trust);
}

/* A path must end at a CA certificate that is signed by itself; without one nothing would pass. */
static enum hf_err check_roots(const struct hf_chain *roots, const char *label)
{
    size_t n_cas = 0;
    for (size_t i = 0; i < roots->n_certs; i++) {
        if (roots->certs[i]->is_ca && X509_self_signed(roots->certs[i]->x509, 0) == 1) {
            return HF_OK;
        }
        n_cas += roots->certs[i]->is_ca;
    }
    hf_ossl_forget();
    char subject[160];
    hf_dn_text(X509_get_subject_name(roots->certs[0]->x509), subject, sizeof(subject));
    if (n_cas) {
        return hf_fail(HF_E_INVALID,
                       "%s: no root in it, only intermediate CAs such as \"%s\"; add the "
                       "self-signed certificate that they lead to",
                       label, subject);
    }
    return hf_fail(HF_E_INVALID,
                   "%s: no CA certificate in it: \"%s\" may not sign others; put the "
                   "certificate of the CA here",
                   label, subject);
}

static enum hf_err make_stack(struct hf_trust *trust)
{
    trust->stack = sk_X509_new_reserve(NULL, (int)trust->roots->n_certs);
    if (!trust->stack) {
        return hf_fail_ossl(HF_E_NOMEM, "no list of roots");
    }
    for (size_t i = 0; i < trust->roots->n_certs; i++) {
        if (!sk_X509_push(trust->stack, trust->roots->certs[i]->x509)) {
            return hf_fail_ossl(HF_E_NOMEM, "no list of roots");
        }
    }
    return HF_OK;
}

static void make_id(struct hf_trust *trust)
{
    static const char domain[] = "handfast trust 1";
    const uint8_t depth[4] = {(uint8_t)(trust->depth >> 24), (uint8_t)(trust->depth >> 16),
                              (uint8_t)(trust->depth >> 8), (uint8_t)trust->depth};
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(domain, sizeof(domain)));
    hf_hash_update(&hash, hf_bytes_of(depth, sizeof(depth)));
    hf_hash_update(&hash, hf_bytes_of(trust->roots->sha256, HF_SHA256_SIZE));
    hf_hash_final(&hash, trust->id);
}

/* --- Names told to clients ---------------------------------------------------------------------
 */

static enum hf_err add_name(struct hf_trust *trust, struct hf_map *seen, const struct hf_cert *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(cert->x509), &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "a CA's name can't be encoded");
    }
    struct hf_bytes name = hf_bytes_of(der, (size_t)len);
    enum hf_err err = HF_OK;
    if (!hf_map_get(seen, name)) {
        uint8_t *copy = hf_alloc(name.len);
        err = copy ? hf_map_put(seen, name, trust) : HF_E_NOMEM;
        if (err == HF_OK) {
            memcpy(copy, name.ptr, name.len);
            trust->names[trust->n_names++] = hf_bytes_of(copy, name.len);
        } else {
            hf_free(copy);
        }
    }
    OPENSSL_free(der);
    return err;
}

static enum hf_err add_names(struct hf_trust *trust, const struct hf_chain *certs, bool only_cas)
{
    trust->names = hf_alloc_zero(certs->n_certs, sizeof(trust->names[0]));
    if (!trust->names) {
        return HF_E_NOMEM;
    }
    HF_CLEANUP(hf_map_done) struct hf_map seen = {0};
    for (size_t i = 0; i < certs->n_certs; i++) {
        if (!only_cas || certs->certs[i]->is_ca) {
            HF_TRY(add_name(trust, &seen, certs->certs[i]));
        }
    }
    return HF_OK;
}

static enum hf_err load_names(struct hf_trust *trust, const struct hf_trust_source *source)
{
    if (source->names == HF_TRUST_NAMES_NONE) {
        return HF_OK;
    }
    if (source->names == HF_TRUST_NAMES_FILE) {
        HF_CLEANUP(hf_chain_unrefp) struct hf_chain *certs = NULL;
        HF_TRY(hf_certs_parse(source->names_file, source->names_label, ROOTS_MAX, &certs));
        HF_TRY(add_names(trust, certs, false));
    } else {
        HF_TRY(add_names(trust, trust->roots, true));
    }
    size_t size = 0;
    for (size_t i = 0; i < trust->n_names; i++) {
        size += 2 + trust->names[i].len;
    }
    trust->names_too_long = size > HF_TRUST_NAMES_MAX;
    return HF_OK;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err fill(struct hf_trust *trust, const struct hf_trust_source *source)
{
    if (source->depth > DEPTH_MAX) {
        return hf_fail(HF_E_INVALID, "depth %u is more than %d", source->depth, DEPTH_MAX);
    }
    trust->depth = source->depth;
    trust->name = hf_strdup(source->name);
    if (!trust->name) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_certs_parse(source->roots, source->roots_label, ROOTS_MAX, &trust->roots));
    HF_TRY(check_roots(trust->roots, source->roots_label));
    HF_TRY(make_stack(trust));
    make_id(trust);
    HF_TRY(hf_verified_new(&trust->verified));
    return load_names(trust, source);
}

enum hf_err hf_trust_new(const struct hf_trust_source *source, struct hf_trust **out)
{
    *out = NULL;
    struct hf_trust *trust = HF_NEW(struct hf_trust);
    if (!trust) {
        return HF_E_NOMEM;
    }
    atomic_init(&trust->refs, 1);
    enum hf_err err = fill(trust, source);
    if (err != HF_OK) {
        trust_free(trust);
        return err;
    }
    *out = trust;
    return HF_OK;
}

struct hf_trust *hf_trust_ref(struct hf_trust *trust)
{
    atomic_fetch_add_explicit(&trust->refs, 1, memory_order_relaxed);
    return trust;
}

void hf_trust_unref(struct hf_trust *trust)
{
    if (trust && atomic_fetch_sub_explicit(&trust->refs, 1, memory_order_acq_rel) == 1) {
        trust_free(trust);
    }
}

const char *hf_trust_name(const struct hf_trust *trust)
{
    return trust->name;
}

const struct hf_chain *hf_trust_roots(const struct hf_trust *trust)
{
    return trust->roots;
}

const uint8_t *hf_trust_id(const struct hf_trust *trust)
{
    return trust->id;
}

size_t hf_trust_names_der(const struct hf_trust *trust, const struct hf_bytes **out_names,
                          bool *out_too_long)
{
    *out_too_long = trust->names_too_long;
    *out_names = trust->names;
    return trust->names_too_long ? 0 : trust->n_names;
}
