// SPDX-License-Identifier: Apache-2.0
/*
 * Chain verification: libcrypto builds the path and checks signatures, dates, CA flags, path
 * lengths, name constraints and strength; what it is lax or silent about is checked here, on the
 * path that it found:
 *
 *   chain and dates (libcrypto)  ->  CA rules (check_path)  ->  usage  ->  name
 *
 * Usage and name come last because a refusal names the first step that failed, and steps have an
 * order (HF_STEP_TABLE). The decision on usage and name is still libcrypto's.
 *
 * X509_V_FLAG_X509_STRICT is not set. It refuses chains that are in daily use: roots made by
 * `openssl req -x509` have no keyUsage, those of older easy-rsa have basicConstraints that isn't
 * critical, leaves of either may lack an authority key identifier; test_verify.c has a case for
 * each. The rules of that flag that keep somebody out who should stay out are in check_path: an
 * issuer must say in basicConstraints that it is a CA, and no key may bring its own curve.
 */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "pki/cert_impl.h"
#include "pki/key_type.h"
#include "pki/ossl.h"
#include "pki/trust_impl.h"
#include "pki/verify_text.h"

/* 112 bits: RSA and DH from 2048, curves from 224, no SHA-1 in a signature. */
enum { SECURITY_LEVEL = 2 };

struct check {
    const struct hf_trust *trust;
    const struct hf_chain *chain;
    enum hf_usage usage;
    const char *name;
    int64_t now_s;
    struct hf_verify_result *out;
};

static struct hf_finding_cert finding_of(const struct check *check, X509 *x509, int depth,
                                         int error)
{
    return (struct hf_finding_cert){
        .trust = check->trust,
        .chain = check->chain,
        .x509 = x509,
        .depth = depth,
        .usage = check->usage,
        .now_s = check->now_s,
        .error = error,
    };
}

/* Our object around libcrypto's, which is one of the chain's or one of the roots'. */
static enum hf_err cert_of(const struct check *check, X509 *x509, struct hf_cert **out)
{
    const struct hf_chain *const places[] = {check->chain, check->trust->roots};
    for (size_t p = 0; p < HF_N_ELEMENTS(places); p++) {
        for (size_t i = 0; i < places[p]->n_certs; i++) {
            if (places[p]->certs[i]->x509 == x509) {
                *out = hf_cert_ref(places[p]->certs[i]);
                return HF_OK;
            }
        }
    }
    return hf_cert_from_x509(x509, out);
}

static enum hf_err refuse(const struct check *check, enum hf_reason reason, X509 *x509, int depth)
{
    check->out->reason = reason;
    check->out->depth = depth;
    return x509 ? cert_of(check, x509, &check->out->cert) : HF_OK;
}

static bool is_refused(const struct check *check)
{
    return check->out->depth >= 0;
}

/* --- Rules beyond libcrypto's ------------------------------------------------------------------
 */

/* RFC 5280 6.1.4 (k): whoever signs says that it is a CA. A root may be of version 1. */
static bool may_sign(X509 *x509, bool is_root)
{
    int ca = X509_check_ca(x509);
    return ca == HF_CHECK_CA_V3 || (is_root && ca == HF_CHECK_CA_V1_ROOT);
}

static enum hf_err check_path(const struct check *check, STACK_OF(X509) * path)
{
    int n = sk_X509_num(path);
    char *text = check->out->text;
    for (int i = n - 1; i >= 0; i--) {
        X509 *x509 = sk_X509_value(path, i);
        struct hf_finding_cert finding = finding_of(check, x509, i, X509_V_OK);
        char subject[HF_VERIFY_SUBJECT_SIZE];
        if (i > 0 && !may_sign(x509, i == n - 1)) {
            hf_verify_subject(&finding, subject);
            snprintf(text, HF_VERIFY_TEXT_MAX,
                     "%s has signed another one but does not say in basicConstraints that it is a "
                     "CA",
                     subject);
            return refuse(check, HF_REASON_NOT_A_CA, x509, i);
        }
        if (hf_key_has_explicit_curve(X509_get0_pubkey(x509))) {
            hf_verify_subject(&finding, subject);
            snprintf(text, HF_VERIFY_TEXT_MAX,
                     "%s has a key with curve parameters of its own instead of a named curve",
                     subject);
            return refuse(check, HF_REASON_WEAK_KEY, x509, i);
        }
    }
    return HF_OK;
}

/* RFC 5280 4.2.1.12, and as everybody reads it: a CA's own list limits what it may certify. */
static enum hf_err check_usage(const struct check *check, STACK_OF(X509) * path)
{
    if (check->usage == HF_USAGE_ANY) {
        return HF_OK;
    }
    int purpose =
        check->usage == HF_USAGE_CLIENT ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
    for (int i = 0; i < sk_X509_num(path); i++) {
        X509 *x509 = sk_X509_value(path, i);
        if (X509_check_purpose(x509, purpose, i > 0) <= 0) {
            struct hf_finding_cert finding = finding_of(check, x509, i, X509_V_ERR_INVALID_PURPOSE);
            hf_verify_explain_usage(&finding, check->out->text);
            return refuse(check, HF_REASON_WRONG_USAGE, x509, i);
        }
    }
    return HF_OK;
}

enum { NAME_FLAGS = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS };

static enum hf_err check_name(const struct check *check, STACK_OF(X509) * path)
{
    X509 *leaf = sk_X509_value(path, 0);
    if (!check->name) {
        return HF_OK;
    }
    size_t len = strlen(check->name);
    len -= len > 1 && check->name[len - 1] == '.'; /* "fully qualified"; no certificate has it */
    int matches = hf_is_address(check->name)
                      ? X509_check_ip_asc(leaf, check->name, NAME_FLAGS)
                      : X509_check_host(leaf, check->name, len, NAME_FLAGS, NULL);
    if (len != 0 && matches == 1) {
        return HF_OK;
    }
    struct hf_finding_cert finding = finding_of(check, leaf, 0, X509_V_ERR_HOSTNAME_MISMATCH);
    hf_verify_explain_name(&finding, check->name, check->out->text);
    return refuse(check, HF_REASON_WRONG_NAME, leaf, 0);
}

/* --- libcrypto's part --------------------------------------------------------------------------
 */

static enum hf_err make_context(const struct check *check, STACK_OF(X509) * untrusted,
                                X509_STORE_CTX **out)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || !X509_STORE_CTX_init(ctx, NULL, check->chain->certs[0]->x509, untrusted)) {
        X509_STORE_CTX_free(ctx);
        return hf_fail_ossl(HF_E_CRYPTO, "no verification context");
    }
    X509_STORE_CTX_set0_trusted_stack(ctx, check->trust->stack);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_depth(param, (int)check->trust->depth);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    X509_VERIFY_PARAM_set_time(param, (time_t)check->now_s);
    X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    *out = ctx;
    return HF_OK;
}

static enum hf_err make_path(const struct check *check, STACK_OF(X509) * path)
{
    struct hf_cert *certs[HF_CHAIN_MAX + 2] = {0};
    size_t n = (size_t)sk_X509_num(path);
    if (n > HF_N_ELEMENTS(certs)) {
        return hf_fail(HF_E_INTERNAL, "a verified path of %zu certificates", n);
    }
    enum hf_err err = HF_OK;
    int64_t not_after = INT64_MAX;
    for (size_t i = 0; err == HF_OK && i < n; i++) {
        err = cert_of(check, sk_X509_value(path, (int)i), &certs[i]);
        if (err == HF_OK && certs[i]->not_after < not_after) {
            not_after = certs[i]->not_after;
        }
    }
    if (err == HF_OK) {
        err = hf_chain_new_any(certs, n, &check->out->path);
    }
    for (size_t i = 0; i < n; i++) {
        hf_cert_unref(certs[i]);
    }
    if (err == HF_OK) {
        check->out->not_after = not_after;
        check->out->reason = HF_REASON_OK;
    }
    return err;
}

static enum hf_err explain(const struct check *check, X509_STORE_CTX *ctx)
{
    int error = X509_STORE_CTX_get_error(ctx);
    if (error == X509_V_ERR_OUT_OF_MEM) {
        return hf_fail_ossl(HF_E_NOMEM, "chain verification");
    }
    hf_ossl_forget();
    X509 *x509 = X509_STORE_CTX_get_current_cert(ctx);
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    if (!x509) {
        x509 = check->chain->certs[0]->x509;
        depth = 0;
    }
    struct hf_finding_cert finding = finding_of(check, x509, depth, error);
    enum hf_reason reason = hf_verify_explain(&finding, check->out->text);
    return refuse(check, reason, x509, depth);
}

static enum hf_err (*const steps[])(const struct check *, STACK_OF(X509) *) = {
    check_path,
    check_usage,
    check_name,
};

/* out->reason becomes HF_REASON_OK in make_path alone, which is reached by passing all steps. */
static enum hf_err verify_in(const struct check *check, X509_STORE_CTX *ctx)
{
    int result = X509_verify_cert(ctx);
    if (result != 1 || X509_STORE_CTX_get_error(ctx) != X509_V_OK) {
        return explain(check, ctx);
    }
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    for (size_t i = 0; i < HF_N_ELEMENTS(steps); i++) {
        HF_TRY(steps[i](check, path));
        if (is_refused(check)) {
            return HF_OK;
        }
    }
    hf_ossl_forget();
    return make_path(check, path);
}

/* --- Several ways up ---------------------------------------------------------------------------
 *
 * libcrypto takes the first certificate that fits as an issuer and never goes back. A peer whose
 * issuing CA is certified by an old root and by a new one sends both certificates, and which comes
 * first must not matter. So a path that ends in nothing is tried again without its last
 * certificate, as long as that leaves another way: at most once for each certificate that was sent.
 */

static X509 *dead_end_of(X509_STORE_CTX *ctx)
{
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        return X509_STORE_CTX_get_error_depth(ctx) > 0 ? X509_STORE_CTX_get_current_cert(ctx)
                                                       : NULL;
    default:
        return NULL;
    }
}

/* Is there another certificate of that CA, or is it a root, which its CA can do without? */
static bool can_do_without(STACK_OF(X509) * untrusted, int at)
{
    X509 *cert = sk_X509_value(untrusted, at);
    if (X509_self_signed(cert, 0) == 1) {
        return true;
    }
    for (int i = 0; i < sk_X509_num(untrusted); i++) {
        const X509_NAME *subject = X509_get_subject_name(sk_X509_value(untrusted, i));
        if (i != at && X509_NAME_cmp(subject, X509_get_subject_name(cert)) == 0) {
            return true;
        }
    }
    return false;
}

static bool leave_out(STACK_OF(X509) * untrusted, const X509 *dead_end)
{
    for (int i = 0; dead_end && i < sk_X509_num(untrusted); i++) {
        if (sk_X509_value(untrusted, i) == dead_end && can_do_without(untrusted, i)) {
            (void)sk_X509_delete(untrusted, i);
            return true;
        }
    }
    return false;
}

static enum hf_err attempt(const struct check *check, STACK_OF(X509) * untrusted,
                           const X509 **out_dead_end)
{
    X509_STORE_CTX *ctx = NULL;
    *out_dead_end = NULL;
    HF_TRY(make_context(check, untrusted, &ctx));
    enum hf_err err = verify_in(check, ctx);
    if (err == HF_OK && is_refused(check)) {
        *out_dead_end = dead_end_of(ctx);
    }
    X509_STORE_CTX_free(ctx);
    return err;
}

/* A refusal is explained by the first way, the one that the peer meant. */
static enum hf_err try_ways(const struct check *check, STACK_OF(X509) * untrusted)
{
    const X509 *dead_end = NULL;
    HF_TRY(attempt(check, untrusted, &dead_end));
    if (!leave_out(untrusted, dead_end)) {
        return HF_OK;
    }
    struct hf_verify_result first = *check->out;
    enum hf_err err;
    do {
        *check->out = (struct hf_verify_result){.reason = HF_REASON_INTERNAL, .depth = -1};
        err = attempt(check, untrusted, &dead_end);
        if (err == HF_OK && check->out->reason == HF_REASON_OK) {
            hf_verify_result_done(&first);
            return HF_OK;
        }
        hf_verify_result_done(check->out);
    } while (err == HF_OK && leave_out(untrusted, dead_end));
    *check->out = first;
    return err;
}

static enum hf_err verify(const struct check *check)
{
    const struct hf_chain *chain = check->chain;
    STACK_OF(X509) *untrusted = sk_X509_new_reserve(NULL, (int)chain->n_certs);
    if (!untrusted) {
        return hf_fail_ossl(HF_E_NOMEM, "chain verification");
    }
    for (size_t i = 1; i < chain->n_certs; i++) {
        sk_X509_push(untrusted, chain->certs[i]->x509); /* has room */
    }
    enum hf_err err = try_ways(check, untrusted);
    sk_X509_free(untrusted);
    hf_ossl_forget();
    return err;
}

enum hf_err hf_trust_verify(const struct hf_trust *trust, const struct hf_chain *chain,
                            enum hf_usage usage, const char *name, int64_t now_s,
                            struct hf_verify_result *out)
{
    *out = (struct hf_verify_result){.reason = HF_REASON_INTERNAL, .depth = -1};
    struct check check = {trust, chain, usage, name, now_s, out};
    if (chain->n_certs == 0) {
        out->reason = HF_REASON_NO_CERTIFICATE;
        snprintf(out->text, sizeof(out->text), "the chain is empty");
        return HF_OK;
    }
    const struct hf_verify_question question = {chain, usage, name};
    if (hf_verified_recall(trust, &question, now_s, out)) {
        return HF_OK;
    }
    enum hf_err err = verify(&check);
    if (err != HF_OK) {
        hf_verify_result_done(out);
    } else if (out->reason == HF_REASON_OK) {
        hf_verified_remember(trust, &question, out);
    }
    return err;
}

void hf_verify_result_done(struct hf_verify_result *result)
{
    hf_cert_unref(result->cert);
    hf_chain_unref(result->path);
    *result = (struct hf_verify_result){.reason = HF_REASON_INTERNAL, .depth = -1};
}
