// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates and all else that `cert show` reads. Whatever the bytes: what is said of them is
 * printable and within its limits, a certificate that parses is the same when parsed again, and
 * none of them is admitted by a trust whose key nobody has.
 */
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "pki/describe.h"
#include "pki/trust.h"

enum { NOW_S = 1800000000 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_text(const char *text)
{
    struct hf_bytes rest = hf_bytes_str(text);
    while (rest.len) {
        size_t n = hf_printable_len(rest);
        need(n != 0);
        rest = hf_bytes_from(rest, n);
    }
}

static void check_names(const struct hf_names_list *names)
{
    need(names->n <= HF_IDENTITY_NAMES_MAX);
    for (size_t i = 0; i < names->n; i++) {
        check_text(names->name[i]);
        need(strlen(names->name[i]) <= HF_IDENTITY_TEXT_MAX);
    }
}

static void check_identity(const struct hf_identity *id)
{
    const char *const texts[] = {id->subject, id->issuer, id->cn,       id->o,     id->ou,
                                 id->serial,  id->spiffe, id->key_type, id->sha256};
    for (size_t i = 0; i < HF_N_ELEMENTS(texts); i++) {
        if (texts[i]) {
            check_text(texts[i]);
            need(strlen(texts[i]) <= HF_IDENTITY_TEXT_MAX);
        }
    }
    check_names(&id->dns);
    check_names(&id->uri);
    check_names(&id->email);
    check_names(&id->ip);
    check_names(&id->other);
    need(!id->spiffe || hf_spiffe_check(hf_bytes_str(id->spiffe)) == HF_OK);
    check_text(hf_identity_display(id));
    (void)hf_cert_names_host(id, "www.example.org");
}

/* A root whose key was thrown away. */
static struct hf_trust *strangers_trust(void)
{
    static struct hf_trust *trust;
    if (trust) {
        return trust;
    }
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *x509 = X509_new();
    struct hf_cert *cert = NULL;
    need(key && x509 && X509_set_version(x509, 2) && X509_set_pubkey(x509, key));
    X509_NAME *name = X509_get_subject_name(x509);
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Root", -1, -1,
                                    0) &&
         X509_set_issuer_name(x509, name) && ASN1_TIME_set(X509_getm_notBefore(x509), 0) &&
         ASN1_TIME_set(X509_getm_notAfter(x509), NOW_S * (time_t)2));
    BASIC_CONSTRAINTS ca = {.ca = 0xff};
    need(X509_add1_ext_i2d(x509, NID_basic_constraints, &ca, 1, 0) == 1 &&
         X509_sign(x509, key, EVP_sha256()) && hf_cert_from_x509(x509, &cert) == HF_OK);
    struct hf_trust_source source = {
        .name = "fuzz", .roots = cert->der, .roots_label = "root", .depth = 5};
    need(hf_trust_new(&source, &trust) == HF_OK);
    hf_cert_unref(cert);
    X509_free(x509);
    EVP_PKEY_free(key);
    return trust;
}

static void check_refused(struct hf_cert *cert)
{
    static const enum hf_usage usages[] = {HF_USAGE_CLIENT, HF_USAGE_SERVER, HF_USAGE_ANY};
    struct hf_cert *const twice[] = {cert, cert};
    struct hf_chain *chain = NULL;
    need(hf_chain_new(twice, 2, &chain) == HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(usages); i++) {
        struct hf_verify_result result;
        need(hf_trust_verify(strangers_trust(), chain, usages[i], "www.example.org", NOW_S,
                             &result) == HF_OK);
        need(result.reason != HF_REASON_OK && !result.path);
        check_text(result.text);
        need(result.text[0] && strlen(result.text) < HF_VERIFY_TEXT_MAX);
        hf_verify_result_done(&result);
    }
    hf_chain_unref(chain);
}

static void try_certificate(struct hf_bytes der)
{
    struct hf_cert *cert = NULL;
    struct hf_cert *again = NULL;
    struct hf_identity *id = NULL;
    if (hf_cert_from_der(der, &cert) != HF_OK) {
        need(!cert);
        return;
    }
    need(hf_bytes_eq(cert->der, der));
    need(hf_cert_from_x509(cert->x509, &again) == HF_OK);
    need(memcmp(cert->sha256, again->sha256, HF_SHA256_SIZE) == 0);
    if (hf_identity_new(cert, &id) == HF_OK) {
        check_identity(id);
    }
    check_refused(cert);
    hf_identity_unref(id);
    hf_cert_unref(again);
    hf_cert_unref(cert);
}

static void try_description(struct hf_bytes text)
{
    struct hf_describe_input input = {.text = text, .label = "fuzz", .now_s = NOW_S};
    json_t *tree = NULL;
    enum hf_err err = hf_describe(&input, &tree);
    need((err == HF_OK) == (tree != NULL));
    if (tree) {
        char *dump = json_dumps(tree, JSON_COMPACT);
        need(dump != NULL);
        check_text(dump);
        free(dump);
        json_decref(tree);
    } else {
        check_text(hf_err_text());
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_certificate(hf_bytes_of(data, size));
    try_description(hf_bytes_of(data, size));
    need(ERR_peek_error() == 0);
    return 0;
}
