// SPDX-License-Identifier: Apache-2.0
/* Checks on what is not in an extension: version, serial, algorithms, dates, subject, key. */
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/text.h"
#include "ca/lint_impl.h"
#include "ca/subject.h"
#include "pki/dn.h"

enum {
    SERIAL_MAX_OCTETS = 20,
    SERIAL_MIN_OCTETS = 8, /* 64 bits (CA/Browser Forum BR 7.1) */
    SERVER_DAYS_MAX = 825, /* that Apple's systems take, from private CAs too */
    RSA_BITS_MIN = 2048,
    SIZE_MAX_BYTES = 10 << 10,
};

#define DAY_S INT64_C(86400)

/* --- Version, serial, algorithms --------------------------------------------------------------*/

static void version(struct hf_lint_view *view)
{
    if (view->version != 3) {
        hf_lint_found(view, "it is of version %u", view->version);
    }
}

static void serial_positive(struct hf_lint_view *view)
{
    struct hf_bytes serial = view->serial;
    bool zero = true;
    for (size_t i = 0; i < serial.len; i++) {
        zero = zero && serial.ptr[i] == 0;
    }
    if (zero || serial.ptr[0] & 0x80) {
        hf_lint_found(view, "the serial number is %s", zero ? "zero" : "negative");
    }
}

static void serial_length(struct hf_lint_view *view)
{
    if (view->serial.len > SERIAL_MAX_OCTETS) {
        hf_lint_found(view, "the serial number has %zu octets", view->serial.len);
    }
}

static void serial_shortest(struct hf_lint_view *view)
{
    struct hf_bytes s = view->serial;
    if (s.len == 0 || (s.len > 1 && ((s.ptr[0] == 0 && s.ptr[1] < 0x80) ||
                                     (s.ptr[0] == 0xff && s.ptr[1] >= 0x80)))) {
        hf_lint_found(view, "the serial number has octets that DER leaves out");
    }
}

static void serial_random(struct hf_lint_view *view)
{
    size_t len = view->serial.len - (view->serial.len && view->serial.ptr[0] == 0);
    if (len < SERIAL_MIN_OCTETS) {
        hf_lint_found(view, "the serial number has %zu octets, which can be guessed", len);
    }
}

static void algorithm_known(struct hf_lint_view *view)
{
    if (!hf_sig_alg_find(view->algorithm)) {
        hf_lint_found(view, "the signature algorithm, or the form of its parameters, isn't known");
    }
}

static void algorithm_strong(struct hf_lint_view *view)
{
    const struct hf_sig_alg *alg = hf_sig_alg_find(view->algorithm);
    if (alg && alg->weak) {
        hf_lint_found(view, "it is signed by %s", alg->name);
    }
}

static void algorithms_agree(struct hf_lint_view *view)
{
    if (!hf_bytes_eq(view->algorithm, view->outer_algorithm)) {
        hf_lint_found(view, "the algorithm inside differs from that beside the signature");
    }
}

static void algorithm_fits(struct hf_lint_view *view)
{
    const struct hf_sig_alg *alg = hf_sig_alg_find(view->algorithm);
    EVP_PKEY *key = X509_get0_pubkey(view->against->issuer->x509);
    static const struct {
        int type;
        enum hf_key_kind kind;
    } types[] = {{EVP_PKEY_EC, HF_KEY_KIND_P256},
                 {EVP_PKEY_ED25519, HF_KEY_KIND_ED25519},
                 {EVP_PKEY_RSA, HF_KEY_KIND_RSA2048}};
    bool fits = false;
    for (size_t i = 0; alg && key && i < HF_N_ELEMENTS(types); i++) {
        fits = fits ||
               (EVP_PKEY_get_base_id(key) == types[i].type && hf_sig_alg_fits(alg, types[i].kind));
    }
    if (alg && !fits) {
        hf_lint_found(view, "%s is not for the key of the issuer", alg->name);
    }
}

/* --- Issuer -----------------------------------------------------------------------------------*/

static void issuer_not_empty(struct hf_lint_view *view)
{
    if (view->issuer.len <= 2) {
        hf_lint_found(view, "the issuer's name is empty");
    }
}

static void issuer_is_ca(struct hf_lint_view *view)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(view->against->issuer->x509), &der);
    if (len <= 0 || !hf_bytes_eq(view->issuer, hf_bytes_of(der, (size_t)len))) {
        hf_lint_found(view, "the issuer's name is not the subject of the CA, byte for byte");
    }
    OPENSSL_free(der);
}

static void no_unique_ids(struct hf_lint_view *view)
{
    if (view->has_unique_id) {
        hf_lint_found(view, "there is a unique identifier of the issuer or subject");
    }
}

/* --- Dates ------------------------------------------------------------------------------------*/

static void date_form(struct hf_lint_view *view, const struct hf_der *date, const char *which)
{
    int64_t when;
    if (hf_der_time(date, &when) != HF_OK) {
        hf_lint_found(view, "%s is not YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", which);
    } else if (date->tag == HF_DER_GENERALIZED_TIME && when < INT64_C(2524608000)) {
        hf_lint_found(view, "%s is before 2050, and no UTCTime", which);
    }
}

static void validity_form(struct hf_lint_view *view)
{
    date_form(view, &view->not_before_der, "notBefore");
    date_form(view, &view->not_after_der, "notAfter");
}

static void validity_order(struct hf_lint_view *view)
{
    if (view->not_after < view->not_before) {
        hf_lint_found(view, "it ends before it begins");
    }
}

static void validity_in_issuer(struct hf_lint_view *view)
{
    char end[HF_TIME_TEXT_SIZE];
    if (view->not_after > view->against->issuer->not_after) {
        hf_format_time(view->against->issuer->not_after, end);
        hf_lint_found(view, "it ends after its issuer, which ends at %s", end);
    }
}

static void begins_in_issuer(struct hf_lint_view *view)
{
    if (view->not_before < view->against->issuer->not_before) {
        hf_lint_found(view, "it begins before its issuer begins");
    }
}

static void now_valid(struct hf_lint_view *view)
{
    char when[HF_TIME_TEXT_SIZE];
    if (view->not_after < view->against->now) {
        hf_format_time(view->not_after, when);
        hf_lint_found(view, "it expired at %s", when);
    } else if (view->not_before > view->against->now) {
        hf_format_time(view->not_before, when);
        hf_lint_found(view, "it begins at %s", when);
    }
}

static void server_life(struct hf_lint_view *view)
{
    int64_t days = (view->not_after - view->not_before) / DAY_S;
    if (days > SERVER_DAYS_MAX) {
        hf_lint_found(view, "it is for servers and lasts %lld days", (long long)days);
    }
}

/* --- Subject ----------------------------------------------------------------------------------*/

static void ca_has_subject(struct hf_lint_view *view)
{
    if (view->n_attrs == 0) {
        hf_lint_found(view, "a CA without a subject");
    }
}

static void has_identity(struct hf_lint_view *view)
{
    if (view->n_attrs == 0 && view->n_names == 0) {
        hf_lint_found(view, "it names nobody: no subject and no alternative names");
    }
}

static void empty_subject_critical_san(struct hf_lint_view *view)
{
    if (view->n_attrs == 0 && !view->ext[HF_EXT_SAN]->critical) {
        hf_lint_found(view, "the subject is empty and subjectAltName is not critical");
    }
}

static const char *attr_word(const struct hf_lint_attr *attr)
{
    enum hf_attr known = hf_attr_by_oid(attr->oid);
    return known == HF_ATTR_N ? "an attribute" : hf_attr_word(known);
}

static void subject_strings(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        const struct hf_lint_attr *attr = &view->attr[i];
        enum hf_attr known = hf_attr_by_oid(attr->oid);
        uint8_t wanted =
            known == HF_ATTR_C || known == HF_ATTR_SERIAL_NUMBER || known == HF_ATTR_DN_QUALIFIER
                ? HF_ASN1_PRINTABLE_STRING
            : known == HF_ATTR_DC || known == HF_ATTR_EMAIL ? HF_ASN1_IA5_STRING
                                                            : HF_ASN1_UTF8_STRING;
        bool good = attr->tag == wanted ||
                    (wanted == HF_ASN1_UTF8_STRING && attr->tag == HF_ASN1_PRINTABLE_STRING);
        if (known != HF_ATTR_N && !good) {
            hf_lint_found(view, "the subject's %s is a string with tag %02x", attr_word(attr),
                          attr->tag);
        }
    }
}

static size_t count_chars(struct hf_bytes text)
{
    size_t n = 0;
    while (text.len) {
        size_t len = hf_utf8_len(text);
        text = hf_bytes_from(text, len ? len : 1);
        n++;
    }
    return n;
}

static void subject_lengths(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        enum hf_attr known = hf_attr_by_oid(view->attr[i].oid);
        size_t n = count_chars(view->attr[i].value);
        if (known != HF_ATTR_N && n > hf_attr_max(known)) {
            hf_lint_found(view, "the subject's %s has %zu characters, more than %zu",
                          hf_attr_word(known), n, hf_attr_max(known));
        }
    }
}

static void subject_not_blank(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        struct hf_bytes value = view->attr[i].value;
        size_t n = 0;
        while (n < value.len && value.ptr[n] == ' ') {
            n++;
        }
        if (n == value.len) {
            hf_lint_found(view, "the subject's %s is empty", attr_word(&view->attr[i]));
        } else if (n || value.ptr[value.len - 1] == ' ') {
            hf_lint_found(view, "the subject's %s has blanks around it", attr_word(&view->attr[i]));
        }
    }
}

static void subject_printable(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        struct hf_bytes rest = view->attr[i].value;
        size_t len = 1;
        bool text = view->attr[i].tag == HF_ASN1_UTF8_STRING ||
                    view->attr[i].tag == HF_ASN1_PRINTABLE_STRING ||
                    view->attr[i].tag == HF_ASN1_IA5_STRING;
        while (text && rest.len && (len = hf_printable_len(rest))) {
            rest = hf_bytes_from(rest, len);
        }
        if (len == 0) {
            hf_lint_found(view, "the subject's %s has control characters, or broken UTF-8",
                          attr_word(&view->attr[i]));
        }
    }
}

static void country(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        struct hf_bytes value = view->attr[i].value;
        bool letters = value.len == 2 && value.ptr[0] >= 'A' && value.ptr[0] <= 'Z' &&
                       value.ptr[1] >= 'A' && value.ptr[1] <= 'Z';
        if (hf_attr_by_oid(view->attr[i].oid) == HF_ATTR_C && !letters) {
            hf_lint_found(view, "the subject's C is not two capital letters");
        }
    }
}

static void subject_single(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        if (view->attr[i].shared) {
            hf_lint_found(view, "the subject has several attributes in one part");
            return;
        }
    }
}

static void one_cn(struct hf_lint_view *view)
{
    size_t n = 0;
    for (size_t i = 0; i < view->n_attrs; i++) {
        n += hf_attr_by_oid(view->attr[i].oid) == HF_ATTR_CN;
    }
    if (n > 1) {
        hf_lint_found(view, "the subject has %zu CNs; programs differ in which they take", n);
    }
}

/* --- Key --------------------------------------------------------------------------------------*/

static void key_readable(struct hf_lint_view *view)
{
    if (!view->key) {
        hf_lint_found(view, "%s", view->key_problem);
    }
}

static void rsa_size(struct hf_lint_view *view)
{
    if (view->key->bits < RSA_BITS_MIN) {
        hf_lint_found(view, "the RSA key has %u bits", view->key->bits);
    } else if (view->key->bits % 8) {
        hf_lint_found(view, "the RSA key has %u bits, which is no whole number of octets",
                      view->key->bits);
    }
}

static bool is_small(struct hf_bytes magnitude)
{
    return magnitude.len < 3 ||
           (magnitude.len == 3 && magnitude.ptr[0] == 1 && !magnitude.ptr[1] && !magnitude.ptr[2]);
}

static void rsa_exponent(struct hf_lint_view *view)
{
    struct hf_bytes e = view->key->exponent;
    if (!(e.ptr[e.len - 1] & 1) || (e.len == 1 && e.ptr[0] == 1)) {
        hf_lint_found(view, "the RSA exponent is even, or 1");
    }
}

static void rsa_exponent_size(struct hf_lint_view *view)
{
    if (is_small(view->key->exponent)) {
        hf_lint_found(view, "the RSA exponent is less than 65537");
    }
}

static void rsa_modulus_odd(struct hf_lint_view *view)
{
    struct hf_bytes n = view->key->modulus;
    if (!(n.ptr[n.len - 1] & 1)) {
        hf_lint_found(view, "the RSA modulus is even");
    }
}

static void size(struct hf_lint_view *view)
{
    if (view->tbs.len > SIZE_MAX_BYTES) {
        hf_lint_found(view, "it has %zu bytes; a TLS handshake with it takes more round trips",
                      view->tbs.len);
    }
}

static const struct hf_lint_row rows[] = {
    {{"version-3", HF_LINT_ERROR, "RFC 5280 4.1.2.1", "The version is 3"}, HF_LINT_ALWAYS, version},
    {{"serial-positive", HF_LINT_ERROR, "RFC 5280 4.1.2.2", "The serial number is positive"},
     HF_LINT_ALWAYS,
     serial_positive},
    {{"serial-length", HF_LINT_ERROR, "RFC 5280 4.1.2.2",
      "The serial number has at most 20 octets"},
     HF_LINT_ALWAYS,
     serial_length},
    {{"serial-shortest", HF_LINT_ERROR, "X.690 8.3.2", "The serial number is encoded in DER"},
     HF_LINT_ALWAYS,
     serial_shortest},
    {{"serial-random", HF_LINT_WARNING, "CA/B BR 7.1",
      "The serial number is long enough to be unguessable"},
     HF_LINT_ALWAYS,
     serial_random},
    {{"signature-known", HF_LINT_ERROR, "RFC 5280 4.1.2.3",
      "The signature algorithm is known, its parameters are as they must be"},
     HF_LINT_ALWAYS,
     algorithm_known},
    {{"signature-strong", HF_LINT_ERROR, "RFC 9155 2", "It is not signed with SHA-1 or MD5"},
     HF_LINT_ALWAYS,
     algorithm_strong},
    {{"signature-agrees", HF_LINT_ERROR, "RFC 5280 4.1.1.2",
      "The algorithm inside is that beside the signature"},
     HF_LINT_CERT,
     algorithms_agree},
    {{"signature-fits-issuer", HF_LINT_ERROR, "RFC 5280 4.1.1.2",
      "The algorithm is for a key such as the issuer's"},
     HF_LINT_ISSUER,
     algorithm_fits},
    {{"issuer-not-empty", HF_LINT_ERROR, "RFC 5280 4.1.2.4", "The issuer has a name"},
     HF_LINT_ALWAYS,
     issuer_not_empty},
    {{"issuer-is-subject-of-ca", HF_LINT_ERROR, "RFC 5280 4.1.2.6",
      "The issuer's name is the CA's subject, byte for byte"},
     HF_LINT_ISSUER,
     issuer_is_ca},
    {{"no-unique-ids", HF_LINT_ERROR, "RFC 5280 4.1.2.8", "There are no unique identifiers"},
     HF_LINT_ALWAYS,
     no_unique_ids},
    {{"validity-form", HF_LINT_ERROR, "RFC 5280 4.1.2.5",
      "Dates are UTCTime through 2049, GeneralizedTime later, in UTC with seconds"},
     HF_LINT_ALWAYS,
     validity_form},
    {{"validity-order", HF_LINT_ERROR, "RFC 5280 4.1.2.5", "It ends after it begins"},
     HF_LINT_DATES,
     validity_order},
    {{"validity-within-issuer", HF_LINT_ERROR, "RFC 5280 6.1.3",
      "It does not end after its issuer"},
     HF_LINT_DATES | HF_LINT_ISSUER | HF_LINT_NOT_SELF,
     validity_in_issuer},
    {{"begins-within-issuer", HF_LINT_WARNING, "RFC 5280 6.1.3",
      "It does not begin before its issuer"},
     HF_LINT_DATES | HF_LINT_ISSUER | HF_LINT_NOT_SELF,
     begins_in_issuer},
    {{"valid-now", HF_LINT_WARNING, "RFC 5280 6.1.3", "It has begun and not ended"},
     HF_LINT_DATES | HF_LINT_NOW,
     now_valid},
    {{"server-lifetime", HF_LINT_WARNING, "Apple HT210176",
      "A server's certificate lasts at most 825 days: some clients refuse longer ones"},
     HF_LINT_DATES | HF_LINT_SERVER | HF_LINT_LEAF,
     server_life},
    {{"subject-of-ca", HF_LINT_ERROR, "RFC 5280 4.1.2.6", "A CA has a subject"},
     HF_LINT_CA,
     ca_has_subject},
    {{"has-identity", HF_LINT_ERROR, "RFC 5280 4.1.2.6",
      "There is a subject or an alternative name"},
     HF_LINT_ALWAYS,
     has_identity},
    {{"empty-subject-critical-names", HF_LINT_ERROR, "RFC 5280 4.2.1.6",
      "With an empty subject subjectAltName is critical"},
     HF_LINT_HAS_SAN,
     empty_subject_critical_san},
    {{"subject-strings", HF_LINT_WARNING, "RFC 5280 4.1.2.4",
      "The subject is in UTF8String or PrintableString, in IA5String where it must be"},
     HF_LINT_ALWAYS,
     subject_strings},
    {{"subject-lengths", HF_LINT_ERROR, "RFC 5280 A.1", "No part of the subject is too long"},
     HF_LINT_ALWAYS,
     subject_lengths},
    {{"subject-not-blank", HF_LINT_WARNING, "X.520 6.1",
      "No part of the subject is empty, or has blanks around it"},
     HF_LINT_ALWAYS,
     subject_not_blank},
    {{"subject-printable", HF_LINT_ERROR, "RFC 5280 4.1.2.4",
      "The subject has no control characters and no broken UTF-8"},
     HF_LINT_ALWAYS,
     subject_printable},
    {{"subject-country", HF_LINT_ERROR, "RFC 5280 A.1", "C is a country's two letters"},
     HF_LINT_ALWAYS,
     country},
    {{"subject-single", HF_LINT_WARNING, "RFC 4514 2.2",
      "Each part of the subject is one attribute"},
     HF_LINT_ALWAYS,
     subject_single},
    {{"subject-one-cn", HF_LINT_WARNING, "RFC 9525 2", "The subject has at most one CN"},
     HF_LINT_ALWAYS,
     one_cn},
    {{"key-readable", HF_LINT_ERROR, "RFC 5480 2, RFC 8410 3, RFC 3279 2.3.1",
      "The key is RSA, EC on a named curve, or Ed25519, in its one form"},
     HF_LINT_ALWAYS,
     key_readable},
    {{"rsa-size", HF_LINT_ERROR, "SP 800-131A 3",
      "An RSA key has at least 2048 bits, in whole octets"},
     HF_LINT_RSA,
     rsa_size},
    {{"rsa-exponent", HF_LINT_ERROR, "RFC 8017 3.1", "The RSA exponent is odd, and not 1"},
     HF_LINT_RSA,
     rsa_exponent},
    {{"rsa-exponent-size", HF_LINT_WARNING, "FIPS 186-5 5.1", "The RSA exponent is at least 65537"},
     HF_LINT_RSA,
     rsa_exponent_size},
    {{"rsa-modulus-odd", HF_LINT_ERROR, "SP 800-89 5.3.3", "The RSA modulus is odd"},
     HF_LINT_RSA,
     rsa_modulus_odd},
    {{"size", HF_LINT_NOTICE, "RFC 9000 8.1", "The certificate has at most 10 KiB"},
     HF_LINT_ALWAYS,
     size},
};

const struct hf_lint_table hf_lint_basics = {rows, HF_N_ELEMENTS(rows)};
