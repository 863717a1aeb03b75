// SPDX-License-Identifier: Apache-2.0
/*
 * Why a certificate was refused, in words that let somebody act. A table maps each of libcrypto's
 * codes to our reason and to the function that writes the sentence; what isn't in the table breaks
 * a rule of RFC 5280 that libcrypto has a phrase for.
 */
#include "pki/verify_text.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/dn.h"
#include "pki/key_type.h"

enum {
    NAME_SIZE = 140,  /* of a subject or issuer in a sentence */
    KEY_ID_SIZE = 65, /* hex of at most 32 bytes */
};

void hf_verify_subject(const struct hf_finding_cert *finding,
                       char out[static HF_VERIFY_SUBJECT_SIZE])
{
    char name[NAME_SIZE];
    const X509_NAME *subject = X509_get_subject_name(finding->x509);
    bool leaf = finding->depth == 0;
    hf_dn_text(subject, name, sizeof(name));
    if (name[0] == '\0') {
        snprintf(out, HF_VERIFY_SUBJECT_SIZE, "%s", leaf ? "the certificate" : "a CA certificate");
        return;
    }
    snprintf(out, HF_VERIFY_SUBJECT_SIZE, "%s \"%s\"",
             leaf ? "the certificate" : "the CA certificate", name);
}

static void issuer_text(const struct hf_finding_cert *finding, char out[static NAME_SIZE])
{
    hf_dn_text(X509_get_issuer_name(finding->x509), out, NAME_SIZE);
}

/* How long ago (or ahead), without overflow for dates in year 9999. */
static void gap_text(int64_t from_s, int64_t to_s, char *out, size_t out_size)
{
    int64_t gap = to_s - from_s;
    int64_t most = INT64_MAX / 1000;
    hf_format_duration((gap > most ? most : gap) * 1000, out, out_size);
}

/* --- A sentence per kind -----------------------------------------------------------------------
 */

static enum hf_reason say_expired(const struct hf_finding_cert *finding, const char *subject,
                                  char *text)
{
    struct hf_cert *cert = NULL;
    char ago[48] = "0 s";
    char when[HF_TIME_TEXT_SIZE] = "";
    if (hf_cert_from_x509(finding->x509, &cert) == HF_OK) {
        if (finding->now_s != cert->not_after) {
            gap_text(cert->not_after, finding->now_s, ago, sizeof(ago));
        }
        hf_format_time(cert->not_after, when);
    }
    hf_cert_unref(cert);
    snprintf(text, HF_VERIFY_TEXT_MAX, "%s expired %s ago, at %s", subject, ago, when);
    return HF_REASON_EXPIRED;
}

static enum hf_reason say_not_yet(const struct hf_finding_cert *finding, const char *subject,
                                  char *text)
{
    struct hf_cert *cert = NULL;
    char ahead[48] = "";
    char when[HF_TIME_TEXT_SIZE] = "";
    if (hf_cert_from_x509(finding->x509, &cert) == HF_OK) {
        gap_text(finding->now_s, cert->not_before, ahead, sizeof(ahead));
        hf_format_time(cert->not_before, when);
    }
    hf_cert_unref(cert);
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "%s is not valid for another %s, until %s; check the clock on both sides", subject,
             ahead, when);
    return HF_REASON_NOT_YET_VALID;
}

static const X509 *root_named(const struct hf_trust *trust, const X509_NAME *name)
{
    const struct hf_chain *roots = hf_trust_roots(trust);
    for (size_t i = 0; i < roots->n_certs; i++) {
        if (X509_NAME_cmp(X509_get_subject_name(roots->certs[i]->x509), name) == 0) {
            return roots->certs[i]->x509;
        }
    }
    return NULL;
}

/* --- The nearest root --------------------------------------------------------------------------
 *
 * Who reads of an unknown CA wants to know which of the roots was meant: the one of the key that
 * the certificate names, else of the same name, else of the same organization; of one root alone,
 * that one.
 */

static void key_id_text(const ASN1_OCTET_STRING *id, char out[static KEY_ID_SIZE])
{
    int len = id ? ASN1_STRING_length(id) : 0;
    const unsigned char *bytes = id ? ASN1_STRING_get0_data(id) : NULL;
    snprintf(out, KEY_ID_SIZE, "none");
    for (int i = 0; i < len && 2 * i + 2 < KEY_ID_SIZE; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static const X509 *root_with_key(const struct hf_trust *trust, X509 *x509)
{
    const struct hf_chain *roots = hf_trust_roots(trust);
    const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(x509);
    for (size_t i = 0; wanted && i < roots->n_certs; i++) {
        const ASN1_OCTET_STRING *has = X509_get0_subject_key_id(roots->certs[i]->x509);
        if (has && ASN1_OCTET_STRING_cmp(has, wanted) == 0) {
            return roots->certs[i]->x509;
        }
    }
    return NULL;
}

static const X509 *root_of_organization(const struct hf_trust *trust, const X509_NAME *issuer)
{
    char wanted[128];
    char found[128];
    if (X509_NAME_get_text_by_NID(issuer, NID_organizationName, wanted, sizeof(wanted)) <= 0) {
        return NULL;
    }
    const struct hf_chain *roots = hf_trust_roots(trust);
    for (size_t i = 0; i < roots->n_certs; i++) {
        const X509_NAME *name = X509_get_subject_name(roots->certs[i]->x509);
        if (X509_NAME_get_text_by_NID(name, NID_organizationName, found, sizeof(found)) > 0 &&
            strcmp(wanted, found) == 0) {
            return roots->certs[i]->x509;
        }
    }
    return NULL;
}

static const X509 *nearest_root(const struct hf_finding_cert *finding)
{
    const struct hf_trust *trust = finding->trust;
    const struct hf_chain *roots = hf_trust_roots(trust);
    const X509_NAME *issuer = X509_get_issuer_name(finding->x509);
    const X509 *root = root_with_key(trust, finding->x509);
    root = root ? root : root_named(trust, issuer);
    root = root ? root : root_of_organization(trust, issuer);
    return root || roots->n_certs != 1 ? root : roots->certs[0]->x509;
}

/* Adds "; the nearest root there is ..." to the sentence; both key ids, for they are what differs
 * where names don't. */
static void add_nearest(const struct hf_finding_cert *finding, char *text)
{
    char name[NAME_SIZE], has[KEY_ID_SIZE], wanted[KEY_ID_SIZE];
    const X509 *root = nearest_root(finding);
    size_t len = strlen(text);
    if (!root) {
        return;
    }
    hf_dn_text(X509_get_subject_name(root), name, sizeof(name));
    key_id_text(X509_get0_subject_key_id((X509 *)(uintptr_t)root), has); /* only read */
    key_id_text(X509_get0_authority_key_id(finding->x509), wanted);
    snprintf(text + len, HF_VERIFY_TEXT_MAX - len,
             "; the nearest root there is \"%s\", key id %s, where %s is asked for", name, has,
             wanted);
}

/* An extension that can't be parsed, or is there twice: libcrypto then takes the certificate for
 * nobody's, which says nothing to anybody. */
static bool is_broken(X509 *x509)
{
    return (X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0;
}

static X509 *broken_one(const struct hf_finding_cert *finding)
{
    if (is_broken(finding->x509)) {
        return finding->x509;
    }
    const X509_NAME *issuer = X509_get_issuer_name(finding->x509);
    for (size_t i = 1; i < finding->chain->n_certs; i++) {
        X509 *sent = finding->chain->certs[i]->x509;
        if (is_broken(sent) && X509_NAME_cmp(X509_get_subject_name(sent), issuer) == 0) {
            return sent;
        }
    }
    return NULL;
}

static enum hf_reason say_broken(X509 *x509, char *text)
{
    char name[NAME_SIZE];
    hf_dn_text(X509_get_subject_name(x509), name, sizeof(name));
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "the certificate \"%s\" is broken: an extension can't be parsed, or is there twice",
             name);
    return HF_REASON_BAD_CERTIFICATE;
}

/*
 * Nobody can know whether an issuer that nobody has is a stranger or an intermediate that the peer
 * forgot to send. An issuer of the same organization as a root is taken for the latter; the answer
 * to the peer is the same either way.
 */
static enum hf_reason say_no_issuer(const struct hf_finding_cert *finding, const char *subject,
                                    char *text)
{
    const X509_NAME *issuer = X509_get_issuer_name(finding->x509);
    const char *trust = hf_trust_name(finding->trust);
    char name[NAME_SIZE];
    X509 *broken = broken_one(finding);
    if (broken) {
        return say_broken(broken, text);
    }
    issuer_text(finding, name);
    if (root_named(finding->trust, issuer)) {
        snprintf(text, HF_VERIFY_TEXT_MAX,
                 "%s names its issuer \"%s\", and trust %s has a CA of that name but with another "
                 "key: was the CA made anew?",
                 subject, name, trust);
        add_nearest(finding, text);
        return HF_REASON_UNKNOWN_CA;
    }
    if (root_of_organization(finding->trust, issuer)) {
        snprintf(text, HF_VERIFY_TEXT_MAX,
                 "%s was issued by \"%s\", whose own certificate was not sent: the peer must send "
                 "its intermediate CA certificates too",
                 subject, name);
        return HF_REASON_MISSING_INTERMEDIATE;
    }
    snprintf(
        text, HF_VERIFY_TEXT_MAX,
        "%s was issued by \"%s\", which is not in trust %s and was not sent as an intermediate",
        subject, name, trust);
    add_nearest(finding, text);
    return HF_REASON_UNKNOWN_CA;
}

static enum hf_reason say_self_signed(const struct hf_finding_cert *finding, const char *subject,
                                      char *text)
{
    if (is_broken(finding->x509)) {
        return say_broken(finding->x509, text);
    }
    snprintf(text, HF_VERIFY_TEXT_MAX, "%s is signed by itself and is not among the roots of %s",
             subject, hf_trust_name(finding->trust));
    return HF_REASON_SELF_SIGNED;
}

static enum hf_reason say_unknown_root(const struct hf_finding_cert *finding, const char *subject,
                                       char *text)
{
    bool twin = root_named(finding->trust, X509_get_subject_name(finding->x509)) != NULL;
    snprintf(text, HF_VERIFY_TEXT_MAX, "the chain leads to %s, which is not in trust %s%s", subject,
             hf_trust_name(finding->trust),
             twin ? "; a CA of that name with another key is: was the CA made anew?" : "");
    add_nearest(finding, text);
    return HF_REASON_UNKNOWN_CA;
}

static enum hf_reason say_too_deep(const struct hf_finding_cert *finding, const char *subject,
                                   char *text)
{
    const struct hf_trust *trust = finding->trust;
    (void)subject;
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "more CA certificates between leaf and root than the depth that trust %s allows",
             hf_trust_name(trust));
    return HF_REASON_PATH_TOO_DEEP;
}

static enum hf_reason say_bad_signature(const struct hf_finding_cert *finding, const char *subject,
                                        char *text)
{
    char name[NAME_SIZE];
    issuer_text(finding, name);
    snprintf(text, HF_VERIFY_TEXT_MAX, "the signature of \"%s\" on %s is wrong", name, subject);
    return HF_REASON_BAD_SIGNATURE;
}

static enum hf_reason say_bad_key(const struct hf_finding_cert *finding, const char *subject,
                                  char *text)
{
    (void)finding;
    snprintf(text, HF_VERIFY_TEXT_MAX, "the public key in %s can't be used", subject);
    return HF_REASON_BAD_CERTIFICATE;
}

static enum hf_reason say_bad_date(const struct hf_finding_cert *finding, const char *subject,
                                   char *text)
{
    (void)finding;
    snprintf(text, HF_VERIFY_TEXT_MAX, "a date in %s is not one that RFC 5280 allows", subject);
    return HF_REASON_BAD_CERTIFICATE;
}

static enum hf_reason say_not_a_ca(const struct hf_finding_cert *finding, const char *subject,
                                   char *text)
{
    bool leafy = finding->error == X509_V_ERR_KEYUSAGE_NO_CERTSIGN;
    snprintf(text, HF_VERIFY_TEXT_MAX, "%s has signed another one but %s", subject,
             leafy ? "its key usage lacks keyCertSign" : "it is not a CA certificate");
    return HF_REASON_NOT_A_CA;
}

static enum hf_reason say_path_length(const struct hf_finding_cert *finding, const char *subject,
                                      char *text)
{
    long allowed = X509_get_pathlen(finding->x509);
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "%s allows at most %ld CA certificates below it, and there are more", subject,
             allowed < 0 ? 0 : allowed);
    return HF_REASON_PATH_LENGTH;
}

static enum hf_reason say_name_constraint(const struct hf_finding_cert *finding,
                                          const char *subject, char *text)
{
    static const struct {
        int error;
        const char *what;
    } forms[] = {
        {X509_V_ERR_PERMITTED_VIOLATION, "is outside the names that a CA above it may certify"},
        {X509_V_ERR_EXCLUDED_VIOLATION, "is among the names that a CA above it must not certify"},
    };
    const char *what = "meets a name constraint of a CA above it that can't be checked";
    for (size_t i = 0; i < HF_N_ELEMENTS(forms); i++) {
        what = forms[i].error == finding->error ? forms[i].what : what;
    }
    snprintf(text, HF_VERIFY_TEXT_MAX, "a name in %s %s", subject, what);
    return HF_REASON_NAME_CONSTRAINT;
}

/* The first critical extension that libcrypto doesn't handle. */
static enum hf_reason say_critical(const struct hf_finding_cert *finding, const char *subject,
                                   char *text)
{
    char name[80] = "one";
    for (int i = 0; i < X509_get_ext_count(finding->x509); i++) {
        X509_EXTENSION *extension = X509_get_ext(finding->x509, i);
        if (X509_EXTENSION_get_critical(extension) && !X509_supported_extension(extension)) {
            OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 0);
            break;
        }
    }
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "%s has a critical extension that is not understood here: %s", subject, name);
    return HF_REASON_CRITICAL_EXTENSION;
}

static enum hf_reason say_weak_key(const struct hf_finding_cert *finding, const char *subject,
                                   char *text)
{
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(X509_get0_pubkey(finding->x509), type);
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "%s has a weak key (%s); RSA needs 2048 bits or more, EC a curve of 224 or more",
             subject, type);
    return HF_REASON_WEAK_KEY;
}

static enum hf_reason say_weak_signature(const struct hf_finding_cert *finding, const char *subject,
                                         char *text)
{
    const char *name = OBJ_nid2ln(X509_get_signature_nid(finding->x509));
    snprintf(text, HF_VERIFY_TEXT_MAX,
             "%s is signed with a weak hash (%s); SHA-256 or better is needed", subject,
             name ? name : "unknown");
    return HF_REASON_WEAK_SIGNATURE;
}

static enum hf_reason say_other(const struct hf_finding_cert *finding, const char *subject,
                                char *text)
{
    snprintf(text, HF_VERIFY_TEXT_MAX, "%s breaks a rule of RFC 5280: %s", subject,
             X509_verify_cert_error_string(finding->error));
    return HF_REASON_INVALID_CHAIN;
}

typedef enum hf_reason say_fn(const struct hf_finding_cert *finding, const char *subject,
                              char *text);

static const struct {
    int error;
    say_fn *say;
} sayings[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, say_no_issuer},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, say_no_issuer},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, say_no_issuer},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, say_self_signed},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, say_unknown_root},
    {X509_V_ERR_CERT_UNTRUSTED, say_unknown_root},
    {X509_V_ERR_CERT_REJECTED, say_unknown_root},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, say_too_deep},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, say_bad_signature},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, say_bad_signature},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, say_bad_signature},
    {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, say_bad_signature},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, say_bad_key},
    {X509_V_ERR_NO_ISSUER_PUBLIC_KEY, say_bad_key},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, say_bad_date},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, say_bad_date},
    {X509_V_ERR_CERT_HAS_EXPIRED, say_expired},
    {X509_V_ERR_CERT_NOT_YET_VALID, say_not_yet},
    {X509_V_ERR_INVALID_CA, say_not_a_ca},
    {X509_V_ERR_INVALID_NON_CA, say_not_a_ca},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, say_not_a_ca},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, say_path_length},
    {X509_V_ERR_PERMITTED_VIOLATION, say_name_constraint},
    {X509_V_ERR_EXCLUDED_VIOLATION, say_name_constraint},
    {X509_V_ERR_SUBTREE_MINMAX, say_name_constraint},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, say_name_constraint},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, say_name_constraint},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, say_name_constraint},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, say_critical},
    {X509_V_ERR_EE_KEY_TOO_SMALL, say_weak_key},
    {X509_V_ERR_CA_KEY_TOO_SMALL, say_weak_key},
    {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, say_weak_key},
    {X509_V_ERR_CA_MD_TOO_WEAK, say_weak_signature},
};

enum hf_reason hf_verify_explain(const struct hf_finding_cert *finding,
                                 char text[static HF_VERIFY_TEXT_MAX])
{
    char subject[HF_VERIFY_SUBJECT_SIZE];
    hf_verify_subject(finding, subject);
    for (size_t i = 0; i < HF_N_ELEMENTS(sayings); i++) {
        if (sayings[i].error == finding->error) {
            return sayings[i].say(finding, subject, text);
        }
    }
    return say_other(finding, subject, text);
}

/* --- Usage -------------------------------------------------------------------------------------
 */

static void list_usages(uint32_t usages, char *out, size_t out_size)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {
        {XKU_SSL_SERVER, "serverAuth"},      {XKU_SSL_CLIENT, "clientAuth"},
        {XKU_SMIME, "emailProtection"},      {XKU_CODE_SIGN, "codeSigning"},
        {XKU_OCSP_SIGN, "OCSPSigning"},      {XKU_TIMESTAMP, "timeStamping"},
        {XKU_ANYEKU, "anyExtendedKeyUsage"},
    };
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        if ((usages & names[i].bit) && len < out_size) {
            int n = snprintf(out + len, out_size - len, "%s%s", len ? ", " : "", names[i].name);
            len += (size_t)n;
        }
    }
    if (len == 0) {
        snprintf(out, out_size, "other uses");
    }
}

void hf_verify_explain_usage(const struct hf_finding_cert *finding,
                             char text[static HF_VERIFY_TEXT_MAX])
{
    bool client = finding->usage == HF_USAGE_CLIENT;
    uint32_t wanted = client ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    uint32_t other = client ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
    uint32_t usages = X509_get_extended_key_usage(finding->x509); /* all ones when absent */
    const char *missing = client ? "clientAuth" : "serverAuth";
    char subject[HF_VERIFY_SUBJECT_SIZE];
    hf_verify_subject(finding, subject);
    if (usages & wanted) {
        snprintf(text, HF_VERIFY_TEXT_MAX, "%s may not be used for TLS: its key usage lacks %s",
                 subject, finding->depth ? "keyCertSign" : "digitalSignature");
    } else if (usages & other) {
        snprintf(text, HF_VERIFY_TEXT_MAX, "%s is for %s only: its extended key usage lacks %s",
                 subject, client ? "servers" : "clients", missing);
    } else {
        char listed[120];
        list_usages(usages, listed, sizeof(listed));
        snprintf(text, HF_VERIFY_TEXT_MAX, "%s is for %s: its extended key usage lacks %s", subject,
                 listed, missing);
    }
}

/* --- Name --------------------------------------------------------------------------------------
 */

/* The first few names, with how many more there are. */
static void list_names(const struct hf_names_list *names, char *out, size_t out_size)
{
    enum { SHOWN = 4, ONE_MAX = 60 };
    size_t len = 0;
    size_t i = 0;
    out[0] = '\0';
    for (; i < names->n && i < SHOWN && strlen(names->name[i]) <= ONE_MAX; i++) {
        int n = snprintf(out + len, out_size - len, "%s%s", i ? ", " : "", names->name[i]);
        len += (size_t)n;
    }
    if (i < names->n) {
        snprintf(out + len, out_size - len, "%s%zu %s", i ? " and " : "", names->n - i,
                 i ? "more" : "long ones");
    }
}

void hf_verify_explain_name(const struct hf_finding_cert *finding, const char *name,
                            char text[static HF_VERIFY_TEXT_MAX])
{
    bool address = hf_is_address(name);
    const char *kind = address ? "IP address" : "DNS name";
    struct hf_identity *id = NULL;
    char subject[HF_VERIFY_SUBJECT_SIZE];
    hf_verify_subject(finding, subject);
    if (hf_identity_new(finding->chain->certs[0], &id) != HF_OK) {
        snprintf(text, HF_VERIFY_TEXT_MAX, "%s is not for %.100s", subject, name);
        return;
    }
    const struct hf_names_list *names = address ? &id->ip : &id->dns;
    if (names->n == 0) {
        snprintf(text, HF_VERIFY_TEXT_MAX,
                 "%s is not for %.100s: it has no %s in its subjectAltName (a CN does not count)",
                 subject, name, kind);
    } else {
        char listed[4 * 64 + 32];
        list_names(names, listed, sizeof(listed));
        snprintf(text, HF_VERIFY_TEXT_MAX, "%.180s is for %.220s, not for %.60s", subject, listed,
                 name);
    }
    hf_identity_unref(id);
}
