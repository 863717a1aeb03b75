// SPDX-License-Identifier: Apache-2.0
/* Checks on the other extensions. */
#include <openssl/x509v3.h>
#include <string.h>

#include "ca/lint_impl.h"
#include "ca/oid.h"
#include "pki/ossl.h"

enum { TAG_URI = 0x86 };

/* --- All of them ------------------------------------------------------------------------------*/

static void extensions_unique(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_extensions; i++) {
        for (size_t j = 0; j < i; j++) {
            if (hf_bytes_eq(view->extension[i].oid, view->extension[j].oid)) {
                char oid[HF_OID_TEXT_SIZE];
                hf_oid_text(view->extension[i].oid, oid);
                hf_lint_found(view, "the extension %s is there two times", oid);
            }
        }
    }
}

static void extensions_der(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_extensions; i++) {
        const struct hf_lint_extension *extension = &view->extension[i];
        struct hf_reader reader = hf_reader_of(extension->value);
        struct hf_der element;
        char oid[HF_OID_TEXT_SIZE];
        hf_oid_text(extension->oid, oid);
        if (extension->false_written) {
            hf_lint_found(
                view, "the extension %s says that it is not critical, which DER leaves out", oid);
        }
        if (extension->known >= 0 && (hf_der_next(&reader, &element) != HF_OK || reader.rest.len)) {
            hf_lint_found(view, "the value of the extension %s is not one element", oid);
        }
    }
}

static void critical_known(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_extensions; i++) {
        if (view->extension[i].critical && view->extension[i].known < 0) {
            char oid[HF_OID_TEXT_SIZE];
            hf_oid_text(view->extension[i].oid, oid);
            hf_lint_found(view, "the extension %s is critical and not known", oid);
        }
    }
}

/* Extensions that MUST NOT, or MUST, be critical. */
static void criticality(struct hf_lint_view *view)
{
    static const struct {
        enum hf_lint_ext ext;
        bool critical;
        const char *name;
    } rules[] = {
        {HF_EXT_AKI, false, "authorityKeyIdentifier"},
        {HF_EXT_SKI, false, "subjectKeyIdentifier"},
        {HF_EXT_AIA, false, "authorityInfoAccess"},
        {HF_EXT_SIA, false, "subjectInfoAccess"},
        {HF_EXT_FRESHEST, false, "freshestCRL"},
        {HF_EXT_NC, true, "nameConstraints"},
        {HF_EXT_POLICY_CONSTRAINTS, true, "policyConstraints"},
        {HF_EXT_INHIBIT_ANY, true, "inhibitAnyPolicy"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(rules); i++) {
        const struct hf_lint_extension *extension = view->ext[rules[i].ext];
        if (extension && extension->critical != rules[i].critical) {
            hf_lint_found(view, "%s is %scritical", rules[i].name,
                          extension->critical ? "" : "not ");
        }
    }
}

static void criticality_usual(struct hf_lint_view *view)
{
    if (view->ext[HF_EXT_CDP] && view->ext[HF_EXT_CDP]->critical) {
        hf_lint_found(view, "cRLDistributionPoints is critical");
    }
    if (view->ext[HF_EXT_KU] && !view->ext[HF_EXT_KU]->critical) {
        hf_lint_found(view, "keyUsage is not critical");
    }
}

/* --- Key identifiers --------------------------------------------------------------------------*/

/* The keyIdentifier of AuthorityKeyIdentifier; ptr NULL: there is none. */
static struct hf_bytes authority_key_id(const struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_AKI]->value);
    struct hf_der list, id;
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK) {
        return hf_bytes_of(NULL, 0);
    }
    reader = hf_reader_of(list.value);
    return hf_der_expect(&reader, HF_ASN1_CONTEXT(0), &id) == HF_OK ? id.value
                                                                    : hf_bytes_of(NULL, 0);
}

static void aki_there(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_AKI] || !authority_key_id(view).ptr) {
        hf_lint_found(view, "there is no authorityKeyIdentifier with a key identifier");
    }
}

static void aki_of_issuer(struct hf_lint_view *view)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(view->against->issuer->x509);
    struct hf_bytes own = authority_key_id(view);
    hf_ossl_forget();
    if (id && own.ptr &&
        !hf_bytes_eq(own, hf_bytes_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)))) {
        hf_lint_found(view, "authorityKeyIdentifier is not the issuer's subjectKeyIdentifier");
    }
}

static void ski_of_ca(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_SKI]) {
        hf_lint_found(view, "a CA without subjectKeyIdentifier");
    }
}

static void ski_of_leaf(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_SKI]) {
        hf_lint_found(view, "there is no subjectKeyIdentifier");
    }
}

/* --- Usage ------------------------------------------------------------------------------------*/

static void ku_of_ca(struct hf_lint_view *view)
{
    if (!(view->key_usage & HF_KEY_USAGE_CERT_SIGN)) {
        hf_lint_found(view, "a CA whose keyUsage has no keyCertSign");
    }
}

static void ku_form(struct hf_lint_view *view)
{
    if (view->broken[HF_EXT_KU][0]) {
        hf_lint_found(view, "keyUsage %s", view->broken[HF_EXT_KU]);
    }
}

static void ku_not_empty(struct hf_lint_view *view)
{
    if (view->key_usage == 0) {
        hf_lint_found(view, "keyUsage has no bit set");
    }
}

static void ku_there(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_KU]) {
        hf_lint_found(view, "there is no keyUsage: the key is good for everything");
    }
}

static void cert_sign_is_ca(struct hf_lint_view *view)
{
    if (view->key_usage & HF_KEY_USAGE_CERT_SIGN) {
        hf_lint_found(view, "keyUsage has keyCertSign, and it is no CA");
    }
}

static void ku_fits_key(struct hf_lint_view *view)
{
    const struct hf_cert_profile all = {.key_usage = 0x1ff};
    if (view->key_usage & ~hf_cert_profile_usage(&all, view->key->kind)) {
        hf_lint_found(view, "keyUsage has bits (%03x) that a key of type %s can't be used for",
                      view->key_usage & ~hf_cert_profile_usage(&all, view->key->kind),
                      hf_key_kind_text(view->key->kind));
    }
}

static void ku_only_bits(struct hf_lint_view *view)
{
    if (view->key_usage & (HF_KEY_USAGE_ENCIPHER_ONLY | HF_KEY_USAGE_DECIPHER_ONLY) &&
        !(view->key_usage & HF_KEY_USAGE_KEY_AGREEMENT)) {
        hf_lint_found(view, "encipherOnly or decipherOnly without keyAgreement means nothing");
    }
}

static void eku_form(struct hf_lint_view *view)
{
    if (view->broken[HF_EXT_EKU][0]) {
        hf_lint_found(view, "extKeyUsage %s", view->broken[HF_EXT_EKU]);
    } else if (view->n_eku == 0) {
        hf_lint_found(view, "extKeyUsage is empty");
    }
}

static void eku_there(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_EKU]) {
        hf_lint_found(view, "there is no extKeyUsage: a client could pass for a server");
    }
}

static void eku_no_any(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_eku; i++) {
        if (hf_bytes_eq(view->eku[i], HF_OID("\x55\x1d\x25\x00"))) {
            hf_lint_found(view, "extKeyUsage has anyExtendedKeyUsage");
        }
    }
}

static void eku_unique(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_eku; i++) {
        for (size_t j = 0; j < i; j++) {
            if (hf_bytes_eq(view->eku[i], view->eku[j])) {
                hf_lint_found(view, "an extended key usage is there two times");
                return;
            }
        }
    }
}

/* RFC 5280 4.2.1.12: both extensions are to be satisfied, so together they must allow something. */
static void eku_fits_ku(struct hf_lint_view *view)
{
    const uint32_t tls = HF_KEY_USAGE_DIGITAL_SIGNATURE | HF_KEY_USAGE_KEY_AGREEMENT;
    bool client = hf_lint_has_eku(view, "client-auth");
    bool server = hf_lint_has_eku(view, "server-auth");
    if (client && !(view->key_usage & tls)) {
        hf_lint_found(view, "it is for clients, and its keyUsage allows no signature");
    } else if (server && !(view->key_usage & (tls | HF_KEY_USAGE_KEY_ENCIPHERMENT))) {
        hf_lint_found(view, "it is for servers, and its keyUsage allows nothing that TLS does");
    }
}

/* --- Basic and name constraints ---------------------------------------------------------------*/

static void bc_form(struct hf_lint_view *view)
{
    if (view->broken[HF_EXT_BC][0]) {
        hf_lint_found(view, "basicConstraints %s", view->broken[HF_EXT_BC]);
    } else if (view->bc_false_written) {
        hf_lint_found(view, "basicConstraints says that it is no CA, which DER leaves out");
    }
}

static void bc_critical(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_BC]->critical) {
        hf_lint_found(view, "basicConstraints of a CA is not critical");
    }
}

static void path_len_of_ca(struct hf_lint_view *view)
{
    if (view->path_len >= 0 && !view->is_ca) {
        hf_lint_found(view, "there is a path length, and it is no CA");
    }
}

static void path_len_in_issuer(struct hf_lint_view *view)
{
    long above = X509_get_pathlen(view->against->issuer->x509);
    hf_ossl_forget();
    if (above < 0) {
        return;
    }
    if (above == 0) {
        hf_lint_found(view, "its issuer has path length 0: no CA may follow");
    } else if (view->path_len < 0 || view->path_len >= above) {
        hf_lint_found(view, "its path length is not less than its issuer's, %ld", above);
    }
}

static void nc_of_ca(struct hf_lint_view *view)
{
    if (!view->is_ca) {
        hf_lint_found(view, "name constraints, and it is no CA");
    }
}

static void nc_form(struct hf_lint_view *view)
{
    struct hf_name_constraints constraints;
    if (hf_name_constraints_parse(view->ext[HF_EXT_NC]->value, &constraints) != HF_OK) {
        hf_lint_found(view, "%s", hf_err_text());
    }
}

/* --- Where to ask -----------------------------------------------------------------------------*/

static bool is_http(struct hf_bytes uri)
{
    return uri.len > 7 && strncasecmp((const char *)uri.ptr, "http://", 7) == 0;
}

/* Looks at one DistributionPoint; gives what is wrong, or NULL. *has_http grows. */
static const char *look_at_point(struct hf_bytes content, bool *has_http)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der part, name, uri;
    bool named = false;
    while (reader.rest.len) {
        if (hf_der_next(&reader, &part) != HF_OK) {
            return "can't be read";
        }
        named = named || part.tag == HF_ASN1_CONTEXT_CONSTRUCTED(0) ||
                part.tag == HF_ASN1_CONTEXT_CONSTRUCTED(2);
        struct hf_reader inside = hf_reader_of(part.value);
        if (part.tag != HF_ASN1_CONTEXT_CONSTRUCTED(0) || hf_der_next(&inside, &name) != HF_OK) {
            continue;
        }
        inside = hf_reader_of(name.value);
        while (inside.rest.len && hf_der_next(&inside, &uri) == HF_OK) {
            *has_http = *has_http || (uri.tag == TAG_URI && is_http(uri.value));
        }
    }
    return named ? NULL : "has neither a name nor an issuer";
}

static void cdp_form(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_CDP]->value);
    struct hf_der list, point;
    bool has_http = false;
    const char *wrong = "is empty";
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK) {
        hf_lint_found(view, "cRLDistributionPoints can't be read");
        return;
    }
    reader = hf_reader_of(list.value);
    while (reader.rest.len) {
        wrong = hf_der_expect(&reader, HF_DER_SEQUENCE, &point) == HF_OK
                    ? look_at_point(point.value, &has_http)
                    : "can't be read";
        if (wrong) {
            break;
        }
    }
    if (wrong) {
        hf_lint_found(view, "a point of cRLDistributionPoints %s", wrong);
    }
}

static void cdp_http(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_CDP]->value);
    struct hf_der list, point;
    bool has_http = false;
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK) {
        return;
    }
    reader = hf_reader_of(list.value);
    while (reader.rest.len && hf_der_expect(&reader, HF_DER_SEQUENCE, &point) == HF_OK) {
        (void)look_at_point(point.value, &has_http);
    }
    if (!has_http) {
        hf_lint_found(view, "cRLDistributionPoints has no http URL");
    }
}

static void aia_form(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_AIA]->value);
    struct hf_der list, access, oid, place;
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK || list.value.len == 0) {
        hf_lint_found(view, "authorityInfoAccess is empty, or can't be read");
        return;
    }
    reader = hf_reader_of(list.value);
    while (reader.rest.len) {
        struct hf_reader inside = {0};
        bool good = hf_der_expect(&reader, HF_DER_SEQUENCE, &access) == HF_OK;
        inside = hf_reader_of(good ? access.value : hf_bytes_of(NULL, 0));
        good = good && hf_der_expect(&inside, HF_DER_OID, &oid) == HF_OK &&
               hf_der_next(&inside, &place) == HF_OK && !inside.rest.len;
        if (!good) {
            hf_lint_found(view, "authorityInfoAccess can't be read");
            return;
        }
        if (place.tag == TAG_URI && hf_alt_name_check(HF_ALT_URI, place.value) != HF_OK) {
            hf_lint_found(view, "authorityInfoAccess: %s", hf_err_text());
        }
    }
}

/* Who fetches a certificate to verify a certificate over TLS goes round in circles (RFC 5280 8). */
static void aia_http(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_AIA]->value);
    struct hf_der list, access, oid, place;
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK) {
        return;
    }
    reader = hf_reader_of(list.value);
    while (reader.rest.len && hf_der_expect(&reader, HF_DER_SEQUENCE, &access) == HF_OK) {
        struct hf_reader inside = hf_reader_of(access.value);
        if (hf_der_expect(&inside, HF_DER_OID, &oid) == HF_OK &&
            hf_der_next(&inside, &place) == HF_OK && place.tag == TAG_URI &&
            !is_http(place.value)) {
            hf_lint_found(view, "authorityInfoAccess has a URL that is not http");
        }
    }
}

/* --- Policies, OCSP ---------------------------------------------------------------------------*/

static void policies_unique(struct hf_lint_view *view)
{
    struct hf_bytes seen[HF_LINT_LIST_MAX];
    size_t n = 0;
    struct hf_reader reader = hf_reader_of(view->ext[HF_EXT_POLICIES]->value);
    struct hf_der list, policy, oid;
    if (hf_der_expect(&reader, HF_DER_SEQUENCE, &list) != HF_OK || list.value.len == 0) {
        hf_lint_found(view, "certificatePolicies is empty, or can't be read");
        return;
    }
    reader = hf_reader_of(list.value);
    while (reader.rest.len && n < HF_LINT_LIST_MAX) {
        struct hf_reader inside = {0};
        if (hf_der_expect(&reader, HF_DER_SEQUENCE, &policy) == HF_OK) {
            inside = hf_reader_of(policy.value);
        }
        if (hf_der_expect(&inside, HF_DER_OID, &oid) != HF_OK) {
            hf_lint_found(view, "certificatePolicies can't be read");
            return;
        }
        for (size_t i = 0; i < n; i++) {
            if (hf_bytes_eq(seen[i], oid.value)) {
                hf_lint_found(view, "a policy is there two times");
            }
        }
        seen[n++] = oid.value;
    }
}

static void ocsp_no_check(struct hf_lint_view *view)
{
    if (!view->ext[HF_EXT_NO_CHECK]) {
        hf_lint_found(view, "it signs OCSP answers, and has no ocsp-nocheck: clients would ask for "
                            "its own state, without end");
    }
}

static void ocsp_alone(struct hf_lint_view *view)
{
    if (view->n_eku > 1) {
        hf_lint_found(view, "a key that signs OCSP answers is good for something else too");
    }
}

static void no_check_of_signer(struct hf_lint_view *view)
{
    if (view->ext[HF_EXT_NO_CHECK] && !(view->is & HF_LINT_OCSP)) {
        hf_lint_found(view,
                      "ocsp-nocheck, and it does not sign OCSP answers: it could not be revoked");
    }
}

static const struct hf_lint_row rows[] = {
    {{"extensions-unique", HF_LINT_ERROR, "RFC 5280 4.2", "No extension is there two times"},
     HF_LINT_ALWAYS,
     extensions_unique},
    {{"extensions-der", HF_LINT_ERROR, "RFC 5280 4.2, X.690 11.5",
      "Extensions are DER, and each value of a known one is one element"},
     HF_LINT_ALWAYS,
     extensions_der},
    {{"critical-known", HF_LINT_ERROR, "RFC 5280 4.2", "What is critical is known"},
     HF_LINT_ALWAYS,
     critical_known},
    {{"criticality", HF_LINT_ERROR, "RFC 5280 4.2.1, 4.2.2",
      "Extensions are critical, or not, where they must be"},
     HF_LINT_ALWAYS,
     criticality},
    {{"criticality-usual", HF_LINT_WARNING, "RFC 5280 4.2.1.3, 4.2.1.13",
      "keyUsage is critical, cRLDistributionPoints is not"},
     HF_LINT_ALWAYS,
     criticality_usual},
    {{"authority-key-id", HF_LINT_ERROR, "RFC 5280 4.2.1.1",
      "What isn't signed by itself has an authorityKeyIdentifier"},
     HF_LINT_NOT_SELF,
     aki_there},
    {{"authority-key-id-of-issuer", HF_LINT_ERROR, "RFC 5280 4.2.1.1",
      "It is the issuer's subjectKeyIdentifier"},
     HF_LINT_HAS_AKI | HF_LINT_ISSUER,
     aki_of_issuer},
    {{"subject-key-id-of-ca", HF_LINT_ERROR, "RFC 5280 4.2.1.2", "A CA has a subjectKeyIdentifier"},
     HF_LINT_CA,
     ski_of_ca},
    {{"subject-key-id", HF_LINT_WARNING, "RFC 5280 4.2.1.2", "A leaf has a subjectKeyIdentifier"},
     HF_LINT_LEAF,
     ski_of_leaf},
    {{"key-usage-of-ca", HF_LINT_ERROR, "RFC 5280 4.2.1.3", "A CA's keyUsage has keyCertSign"},
     HF_LINT_CA,
     ku_of_ca},
    {{"key-usage-there", HF_LINT_WARNING, "RFC 5280 4.2.1.3", "A leaf has a keyUsage"},
     HF_LINT_LEAF,
     ku_there},
    {{"key-usage-der", HF_LINT_ERROR, "X.690 11.2.2",
      "keyUsage is encoded without zeros at its end"},
     HF_LINT_HAS_KU,
     ku_form},
    {{"key-usage-not-empty", HF_LINT_ERROR, "RFC 5280 4.2.1.3", "keyUsage has a bit set"},
     HF_LINT_HAS_KU,
     ku_not_empty},
    {{"cert-sign-is-ca", HF_LINT_ERROR, "RFC 5280 4.2.1.9", "Only a CA has keyCertSign"},
     HF_LINT_LEAF,
     cert_sign_is_ca},
    {{"key-usage-fits-key", HF_LINT_ERROR, "RFC 5480 3, RFC 8410 5, RFC 3279 2.3.1",
      "keyUsage asks nothing of the key that it can't do"},
     HF_LINT_HAS_KU | HF_LINT_KEY,
     ku_fits_key},
    {{"key-usage-only-bits", HF_LINT_WARNING, "RFC 5280 4.2.1.3",
      "encipherOnly and decipherOnly come with keyAgreement"},
     HF_LINT_HAS_KU,
     ku_only_bits},
    {{"extended-key-usage-there", HF_LINT_WARNING, "RFC 5280 4.2.1.12",
      "A leaf has an extKeyUsage"},
     HF_LINT_LEAF,
     eku_there},
    {{"extended-key-usage-form", HF_LINT_ERROR, "RFC 5280 4.2.1.12",
      "extKeyUsage is a list of identifiers that isn't empty"},
     HF_LINT_HAS_EKU,
     eku_form},
    {{"extended-key-usage-not-any", HF_LINT_WARNING, "RFC 5280 4.2.1.12",
      "A leaf does not have anyExtendedKeyUsage"},
     HF_LINT_HAS_EKU | HF_LINT_LEAF,
     eku_no_any},
    {{"extended-key-usage-unique", HF_LINT_WARNING, "RFC 5280 4.2.1.12",
      "No extended key usage is there two times"},
     HF_LINT_HAS_EKU,
     eku_unique},
    {{"extended-key-usage-fits", HF_LINT_ERROR, "RFC 5280 4.2.1.12",
      "keyUsage and extKeyUsage together allow something"},
     HF_LINT_HAS_EKU | HF_LINT_HAS_KU,
     eku_fits_ku},
    {{"basic-constraints-der", HF_LINT_ERROR, "RFC 5280 4.2.1.9, X.690 11.5",
      "basicConstraints is of the right form"},
     HF_LINT_HAS_BC,
     bc_form},
    {{"basic-constraints-critical", HF_LINT_ERROR, "RFC 5280 4.2.1.9",
      "basicConstraints of a CA is critical"},
     HF_LINT_CA | HF_LINT_HAS_BC,
     bc_critical},
    {{"path-length-of-ca", HF_LINT_ERROR, "RFC 5280 4.2.1.9", "Only a CA has a path length"},
     HF_LINT_HAS_BC,
     path_len_of_ca},
    {{"path-length-within-issuer", HF_LINT_ERROR, "RFC 5280 4.2.1.9",
      "A CA's path length is less than its issuer's"},
     HF_LINT_CA | HF_LINT_ISSUER | HF_LINT_NOT_SELF,
     path_len_in_issuer},
    {{"name-constraints-of-ca", HF_LINT_ERROR, "RFC 5280 4.2.1.10",
      "Only a CA has name constraints"},
     HF_LINT_HAS_NC,
     nc_of_ca},
    {{"name-constraints-form", HF_LINT_ERROR, "RFC 5280 4.2.1.10",
      "Name constraints are not empty, without minimum and maximum"},
     HF_LINT_HAS_NC,
     nc_form},
    {{"crl-points-form", HF_LINT_ERROR, "RFC 5280 4.2.1.13",
      "A distribution point has a name or an issuer"},
     HF_LINT_HAS_CDP,
     cdp_form},
    {{"crl-points-http", HF_LINT_WARNING, "RFC 5280 4.2.1.13",
      "There is an http URL among the distribution points"},
     HF_LINT_HAS_CDP,
     cdp_http},
    {{"authority-access-form", HF_LINT_ERROR, "RFC 5280 4.2.2.1",
      "authorityInfoAccess is a list of places that isn't empty"},
     HF_LINT_HAS_AIA,
     aia_form},
    {{"authority-access-http", HF_LINT_WARNING, "RFC 5280 4.2.2.1, 8",
      "Places of OCSP and issuers are http URLs, which need no certificate themselves"},
     HF_LINT_HAS_AIA,
     aia_http},
    {{"policies-unique", HF_LINT_ERROR, "RFC 5280 4.2.1.4",
      "certificatePolicies is not empty, and has no policy two times"},
     HF_LINT_HAS_POLICIES,
     policies_unique},
    {{"ocsp-signer-no-check", HF_LINT_WARNING, "RFC 6960 4.2.2.2.1",
      "Who signs OCSP answers has ocsp-nocheck"},
     HF_LINT_OCSP | HF_LINT_LEAF,
     ocsp_no_check},
    {{"ocsp-signer-alone", HF_LINT_WARNING, "RFC 6960 4.2.2.2",
      "Who signs OCSP answers does nothing else"},
     HF_LINT_OCSP | HF_LINT_LEAF,
     ocsp_alone},
    {{"no-check-of-signer", HF_LINT_ERROR, "RFC 6960 4.2.2.2.1",
      "Only who signs OCSP answers has ocsp-nocheck"},
     HF_LINT_ALWAYS,
     no_check_of_signer},
};

const struct hf_lint_table hf_lint_extensions = {rows, HF_N_ELEMENTS(rows)};
