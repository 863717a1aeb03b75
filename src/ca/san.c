// SPDX-License-Identifier: Apache-2.0
/*
 * Names that a certificate is asked for. libcrypto's own reader of such strings is a configuration
 * language (commas, "@section", "email:copy"), which is no thing to hand a user's text to; the four
 * kinds are read here, and held to what relying parties can match.
 */
#include "ca/san.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "pki/ossl.h"

enum { DNS_MAX = 253, LABEL_MAX = 63, URI_MAX = 2048, EMAIL_MAX = 254 };

void hf_ca_sans_done(struct hf_ca_sans *sans)
{
    GENERAL_NAMES_free(sans->names);
    *sans = (struct hf_ca_sans){0};
}

/* --- Checks ------------------------------------------------------------------------------------
 */

static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_') {
            return false;
        }
    }
    return true;
}

static size_t count_labels(const char *name)
{
    size_t n = 0;
    for (const char *at = name; *at;) {
        size_t len = strcspn(at, ".");
        if (!is_label(at, len)) {
            return 0;
        }
        n++;
        at += len;
        if (*at == '.' && *++at == '\0') {
            return 0;
        }
    }
    return n;
}

static enum hf_err check_dns(const char *name)
{
    bool wildcard = strncmp(name, "*.", 2) == 0;
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c >= 0x80) {
            return hf_fail(HF_E_INVALID,
                           "a DNS name is written in ASCII; write \"%.60s\" in its \"xn--\" form",
                           name);
        }
    }
    size_t n = strlen(name) <= DNS_MAX ? count_labels(wildcard ? name + 2 : name) : 0;
    if (n == 0) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" is not a DNS name (letters, digits and hyphens between dots, at "
                       "most 253 in all; \"*\" as the whole first label only)",
                       name);
    }
    if (wildcard && n < 2) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" is too wide: clients match a wildcard only above two labels, as "
                       "in *.example.org",
                       name);
    }
    return HF_OK;
}

static enum hf_err check_uri(const char *uri)
{
    size_t scheme =
        strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    bool good = scheme > 0 && isalpha((unsigned char)uri[0]) && uri[scheme] == ':' &&
                uri[scheme + 1] != '\0' && strlen(uri) <= URI_MAX;
    for (const char *c = uri; good && *c; c++) {
        good = *c > 0x20 && *c < 0x7f && !strchr("\"<>\\^`{|}", *c);
    }
    if (!good) {
        return hf_fail(HF_E_INVALID, "\"%.80s\" is not a URI with a scheme in plain ASCII", uri);
    }
    if (strncasecmp(uri, "spiffe:", 7) == 0) {
        enum hf_err err = hf_spiffe_check(hf_bytes_str(uri));
        return err == HF_OK ? HF_OK : hf_fail_context(err, "\"%.200s\"", uri);
    }
    return HF_OK;
}

static enum hf_err check_email(const char *email)
{
    const char *at = strrchr(email, '@');
    bool good = at && at > email && strlen(email) <= EMAIL_MAX &&
                memchr(email, '@', (size_t)(at - email)) == NULL;
    for (const char *c = email; good && c < at; c++) {
        good = isalnum((unsigned char)*c) || strchr("!#$%&'*+-/=?^_`{|}~.", *c);
    }
    if (!good || strncmp(at + 1, "*.", 2) == 0 || check_dns(at + 1) != HF_OK) {
        return hf_fail(HF_E_INVALID, "\"%.80s\" is not an email address", email);
    }
    return HF_OK;
}

/* --- Adding ------------------------------------------------------------------------------------
 */

static bool is_there(const struct hf_ca_sans *sans, GENERAL_NAME *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(sans->names); i++) {
        if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(sans->names, i), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes over value, which belongs to the name of that type. */
static enum hf_err add(struct hf_ca_sans *sans, int type, void *value)
{
    GENERAL_NAME *name = value ? GENERAL_NAME_new() : NULL;
    if (!name) {
        return hf_fail_ossl(HF_E_NOMEM, "a name");
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (!sans->names) {
        sans->names = GENERAL_NAMES_new();
    }
    if (is_there(sans, name)) {
        GENERAL_NAME_free(name);
        return HF_OK;
    }
    if (sk_GENERAL_NAME_num(sans->names) >= HF_CA_SANS_MAX) {
        GENERAL_NAME_free(name);
        return hf_fail(HF_E_INVALID, "more than %d alternative names", HF_CA_SANS_MAX);
    }
    if (!sans->names || !sk_GENERAL_NAME_push(sans->names, name)) {
        GENERAL_NAME_free(name);
        return hf_fail_ossl(HF_E_NOMEM, "a name");
    }
    return HF_OK;
}

static enum hf_err add_text(struct hf_ca_sans *sans, int type, const char *text, bool lower)
{
    ASN1_IA5STRING *value = ASN1_IA5STRING_new();
    if (!value || !ASN1_STRING_set(value, text, (int)strlen(text))) {
        ASN1_IA5STRING_free(value);
        return hf_fail_ossl(HF_E_NOMEM, "a name");
    }
    uint8_t *bytes = (uint8_t *)(uintptr_t)ASN1_STRING_get0_data(value);
    for (int i = 0; lower && i < ASN1_STRING_length(value); i++) {
        bytes[i] = (uint8_t)tolower(bytes[i]);
    }
    return add(sans, type, value);
}

static enum hf_err add_dns(struct hf_ca_sans *sans, const char *text)
{
    HF_TRY(check_dns(text));
    return add_text(sans, GEN_DNS, text, true);
}

static enum hf_err add_uri(struct hf_ca_sans *sans, const char *text)
{
    HF_TRY(check_uri(text));
    HF_TRY(add_text(sans, GEN_URI, text, false));
    sans->n_uris++;
    sans->spiffe = sans->spiffe || strncasecmp(text, "spiffe:", 7) == 0;
    return HF_OK;
}

static enum hf_err add_email(struct hf_ca_sans *sans, const char *text)
{
    HF_TRY(check_email(text));
    return add_text(sans, GEN_EMAIL, text, false);
}

static enum hf_err add_ip(struct hf_ca_sans *sans, const char *text)
{
    if (!hf_is_address(text)) {
        return hf_fail(HF_E_INVALID, "\"%.60s\" is not an IP address", text);
    }
    return add(sans, GEN_IPADD, a2i_IPADDRESS(text));
}

static const struct {
    const char *kind;
    enum hf_err (*add)(struct hf_ca_sans *sans, const char *text);
} kinds[] = {
    {"DNS:", add_dns},
    {"URI:", add_uri},
    {"IP:", add_ip},
    {"email:", add_email},
};

enum hf_err hf_ca_sans_add(struct hf_ca_sans *sans, const char *text)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        size_t len = strlen(kinds[i].kind);
        if (strncasecmp(text, kinds[i].kind, len) == 0) {
            return kinds[i].add(sans, text + len);
        }
    }
    return hf_fail(HF_E_INVALID,
                   "\"%.80s\" has no kind; write DNS:name, URI:uri, IP:address or email:address",
                   text);
}

enum hf_err hf_ca_sans_add_host(struct hf_ca_sans *sans, const char *host)
{
    return hf_is_address(host) ? add_ip(sans, host) : add_dns(sans, host);
}

enum hf_err hf_ca_sans_check(const struct hf_ca_sans *sans)
{
    if (sans->spiffe && sans->n_uris > 1) {
        return hf_fail(HF_E_INVALID,
                       "a certificate with a SPIFFE ID may carry no other URI (X509-SVID 2)");
    }
    return HF_OK;
}
