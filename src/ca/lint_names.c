// SPDX-License-Identifier: Apache-2.0
/* Checks on alternative names, and on what they are held to. */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/escape.h"
#include "ca/lint_impl.h"
#include "ca/subject.h"
#include "pki/ossl.h"

enum { TAG_EMAIL = 0x81, TAG_DNS = 0x82, TAG_URI = 0x86, TAG_IP = 0x87 };

static void not_empty(struct hf_lint_view *view)
{
    if (view->broken[HF_EXT_SAN][0]) {
        hf_lint_found(view, "subjectAltName %s", view->broken[HF_EXT_SAN]);
    } else if (view->n_names == 0) {
        hf_lint_found(view, "subjectAltName is empty");
    }
}

static void check_kind(struct hf_lint_view *view, uint8_t tag, enum hf_alt_kind kind)
{
    for (size_t i = 0; i < view->n_names; i++) {
        if (view->name[i].tag == tag && hf_alt_name_check(kind, view->name[i].value) != HF_OK) {
            hf_lint_found(view, "%s", hf_err_text());
        }
    }
}

static void dns(struct hf_lint_view *view)
{
    check_kind(view, TAG_DNS, HF_ALT_DNS);
}

static void email(struct hf_lint_view *view)
{
    check_kind(view, TAG_EMAIL, HF_ALT_EMAIL);
}

static void uri(struct hf_lint_view *view)
{
    check_kind(view, TAG_URI, HF_ALT_URI);
}

static void ip(struct hf_lint_view *view)
{
    check_kind(view, TAG_IP, HF_ALT_IP);
}

static void unique(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_names; i++) {
        for (size_t j = 0; j < i; j++) {
            if (hf_bytes_eq(view->name[i].whole, view->name[j].whole)) {
                hf_lint_found(view, "name %zu is the same as name %zu", i + 1, j + 1);
                return;
            }
        }
    }
}

static bool is_spiffe(const struct hf_der *name)
{
    return name->tag == TAG_URI && name->value.len >= 7 &&
           strncasecmp((const char *)name->value.ptr, "spiffe:", 7) == 0;
}

static void spiffe(struct hf_lint_view *view)
{
    size_t n_uris = 0, n_spiffe = 0;
    for (size_t i = 0; i < view->n_names; i++) {
        n_uris += view->name[i].tag == TAG_URI;
        n_spiffe += is_spiffe(&view->name[i]);
    }
    if (n_spiffe && n_uris > 1) {
        hf_lint_found(view, "beside a SPIFFE ID there are %zu other URIs", n_uris - 1);
    }
}

/* A user principal name is an otherName; it is known, and so counted among the names. */
static void common_kinds(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_names && view->names.n != view->n_names; i++) {
        uint8_t tag = view->name[i].tag;
        if (tag != TAG_DNS && tag != TAG_EMAIL && tag != TAG_URI && tag != TAG_IP) {
            hf_lint_found(view, "name %zu is of a kind (tag %02x) that hardly any program uses",
                          i + 1, tag);
        }
    }
}

static void server_has_host(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_names; i++) {
        if (view->name[i].tag == TAG_DNS || view->name[i].tag == TAG_IP ||
            view->name[i].tag == TAG_URI) {
            return;
        }
    }
    hf_lint_found(view, "it is for servers, and has no name that clients look at");
}

/* A CN that looks like a host and isn't among the names: old programs believe it. */
static void cn_among_names(struct hf_lint_view *view)
{
    for (size_t i = 0; i < view->n_attrs; i++) {
        struct hf_bytes cn = view->attr[i].value;
        bool host = hf_attr_by_oid(view->attr[i].oid) == HF_ATTR_CN &&
                    memchr(cn.ptr, '.', cn.len) && hf_alt_name_check(HF_ALT_DNS, cn) == HF_OK;
        if (host && !hf_alt_names_have(&view->names, HF_ALT_DNS, cn)) {
            hf_lint_found(view, "the CN looks like a host name and is not among the names");
        }
    }
}

/* The issuer's own constraints; those of CAs above it aren't known here. */
static void within_constraints(struct hf_lint_view *view)
{
    X509 *issuer = view->against->issuer->x509;
    int at = X509_get_ext_by_NID(issuer, NID_name_constraints, -1);
    struct hf_name_constraints constraints;
    if (at < 0) {
        return;
    }
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(issuer, at));
    if (hf_name_constraints_parse(
            hf_bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
            &constraints) != HF_OK) {
        hf_lint_found(view, "the issuer's name constraints can't be read");
    } else if (hf_name_constraints_permit(&constraints, view->subject, &view->names) != HF_OK) {
        hf_lint_found(view, "%s", hf_err_text());
    }
}

static const struct hf_lint_row rows[] = {
    {{"names-not-empty", HF_LINT_ERROR, "RFC 5280 4.2.1.6", "subjectAltName holds names"},
     HF_LINT_HAS_SAN,
     not_empty},
    {{"names-dns", HF_LINT_ERROR, "RFC 5280 4.2.1.6, RFC 1034 3.5, RFC 9525 6.3",
      "DNS names are host names; a star is the whole first label, above two others"},
     HF_LINT_HAS_SAN,
     dns},
    {{"names-email", HF_LINT_ERROR, "RFC 5280 4.2.1.6, RFC 5321 4.1.2",
      "Email addresses are mailboxes alone"},
     HF_LINT_HAS_SAN,
     email},
    {{"names-uri", HF_LINT_ERROR, "RFC 5280 4.2.1.6, RFC 3986 3, SPIFFE-ID 2",
      "URIs are absolute and in ASCII; SPIFFE IDs follow SPIFFE's rules"},
     HF_LINT_HAS_SAN,
     uri},
    {{"names-ip", HF_LINT_ERROR, "RFC 5280 4.2.1.6", "IP addresses have 4 or 16 octets"},
     HF_LINT_HAS_SAN,
     ip},
    {{"names-unique", HF_LINT_WARNING, "X.509 9.3.2.1", "No name is there two times"},
     HF_LINT_HAS_SAN,
     unique},
    {{"names-one-spiffe-id", HF_LINT_ERROR, "X509-SVID 2", "A SPIFFE ID is the only URI"},
     HF_LINT_HAS_SAN,
     spiffe},
    {{"names-common", HF_LINT_NOTICE, "RFC 9525 2", "Names are of kinds that programs use"},
     HF_LINT_HAS_SAN,
     common_kinds},
    {{"server-has-host", HF_LINT_WARNING, "RFC 9525 6.2",
      "What is for servers has a DNS name, an address or a URI"},
     HF_LINT_SERVER | HF_LINT_LEAF,
     server_has_host},
    {{"server-cn-among-names", HF_LINT_WARNING, "RFC 9525 2, CA/B BR 7.1.4.3",
      "A CN that looks like a host name is among the names"},
     HF_LINT_SERVER | HF_LINT_LEAF,
     cn_among_names},
    {{"names-within-constraints", HF_LINT_ERROR, "RFC 5280 4.2.1.10",
      "Names and subject are within the issuer's name constraints"},
     HF_LINT_ISSUER | HF_LINT_NOT_SELF,
     within_constraints},
};

const struct hf_lint_table hf_lint_names = {rows, HF_N_ELEMENTS(rows)};
