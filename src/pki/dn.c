// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 4514: the relative names in reverse order, joined with ","; the values of one joined with
 * "+". Attribute types that have a registered short name use it, all others are a dotted OID with
 * "#" and the value in hex (section 2.4), which no reader can misunderstand.
 */
#include "pki/dn.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/ossl.h"

/* Short names of the IANA "LDAP Object Identifier Descriptors" registry. */
static const struct {
    int nid;
    const char *name;
} attribute_types[] = {
    {NID_commonName, "CN"},
    {NID_surname, "SN"},
    {NID_serialNumber, "serialNumber"},
    {NID_countryName, "C"},
    {NID_localityName, "L"},
    {NID_stateOrProvinceName, "ST"},
    {NID_streetAddress, "STREET"},
    {NID_organizationName, "O"},
    {NID_organizationalUnitName, "OU"},
    {NID_title, "title"},
    {NID_description, "description"},
    {NID_businessCategory, "businessCategory"},
    {NID_postalCode, "postalCode"},
    {NID_givenName, "givenName"},
    {NID_initials, "initials"},
    {NID_generationQualifier, "generationQualifier"},
    {NID_x500UniqueIdentifier, "x500UniqueIdentifier"},
    {NID_dnQualifier, "dnQualifier"},
    {NID_pseudonym, "pseudonym"},
    {NID_organizationIdentifier, "organizationIdentifier"},
    {NID_userId, "UID"},
    {NID_domainComponent, "DC"},
    {NID_pkcs9_emailAddress, "emailAddress"},
    {NID_pkcs9_unstructuredName, "unstructuredName"},
};

/* Appends pieces until the first that would pass the limit; that one becomes "...". */
struct writer {
    struct hf_buf *out;
    size_t limit; /* of hf_buf_len(out), with room kept for "..." */
    bool cut;
    bool *mangled;
};

static enum hf_err put(struct writer *w, struct hf_bytes piece)
{
    if (w->cut) {
        return HF_OK;
    }
    if (hf_buf_len(w->out) + piece.len > w->limit) {
        w->cut = *w->mangled = true;
        return hf_buf_append_str(w->out, "...");
    }
    return hf_buf_append(w->out, piece);
}

static enum hf_err put_str(struct writer *w, const char *text)
{
    return put(w, hf_bytes_str(text));
}

/* Section 2.4: these need a backslash anywhere; "#" and a space at the start, a space at the end.
 */
static bool is_special(const uint8_t *c, bool first, bool last)
{
    return strchr("\"+,;<>\\", *c) != NULL || (first && (*c == '#' || *c == ' ')) ||
           (last && *c == ' ');
}

static enum hf_err put_value_text(struct writer *w, struct hf_bytes text)
{
    for (bool first = true; text.len && !w->cut; first = false) {
        size_t n = hf_printable_len(text);
        char escaped[4];
        struct hf_bytes piece = hf_bytes_of(text.ptr, n);
        if (n == 0) {
            snprintf(escaped, sizeof(escaped), "\\%02X", text.ptr[0]);
            piece = hf_bytes_str(escaped);
            *w->mangled = true;
            n = 1;
        } else if (n == 1 && is_special(text.ptr, first, text.len == 1)) {
            snprintf(escaped, sizeof(escaped), "\\%c", text.ptr[0]);
            piece = hf_bytes_str(escaped);
        }
        HF_TRY(put(w, piece));
        text = hf_bytes_from(text, n);
    }
    return HF_OK;
}

static enum hf_err put_value_hex(struct writer *w, const ASN1_STRING *value)
{
    ASN1_TYPE any = {.type = ASN1_STRING_type(value)};
    any.value.asn1_string = (ASN1_STRING *)(uintptr_t)value;
    unsigned char *der = NULL;
    int len = i2d_ASN1_TYPE(&any, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "a value in a name can't be encoded");
    }
    enum hf_err err = put_str(w, "#");
    for (int i = 0; i < len && err == HF_OK && !w->cut; i++) {
        char digits[3];
        hf_hex(hf_bytes_of(der + i, 1), digits);
        err = put_str(w, digits);
    }
    OPENSSL_free(der);
    return err;
}

static const char *short_name(const ASN1_OBJECT *type)
{
    int nid = OBJ_obj2nid(type);
    for (size_t i = 0; nid != NID_undef && i < HF_N_ELEMENTS(attribute_types); i++) {
        if (attribute_types[i].nid == nid) {
            return attribute_types[i].name;
        }
    }
    return NULL;
}

/* Only the character string types have a text form; -1 from libcrypto also means broken UTF-8. */
static int value_to_utf8(const ASN1_STRING *value, unsigned char **out)
{
    switch (ASN1_STRING_type(value)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
    case V_ASN1_T61STRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_UNIVERSALSTRING:
        return ASN1_STRING_to_UTF8(out, value);
    default:
        return -1;
    }
}

static enum hf_err put_attribute(struct writer *w, const X509_NAME_ENTRY *entry)
{
    const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const char *name = short_name(type);
    char oid[128];
    if (!name) {
        OBJ_obj2txt(oid, sizeof(oid), type, 1);
    }
    HF_TRY(put_str(w, name ? name : oid));
    HF_TRY(put_str(w, "="));
    unsigned char *utf8 = NULL;
    int len = name ? value_to_utf8(value, &utf8) : -1;
    if (len < 0) {
        hf_ossl_forget();
        *w->mangled = *w->mangled || name;
        return put_value_hex(w, value);
    }
    enum hf_err err = put_value_text(w, hf_bytes_of(utf8, (size_t)len));
    OPENSSL_free(utf8);
    return err;
}

static int set_of(const X509_NAME *name, int i)
{
    return X509_NAME_ENTRY_set(X509_NAME_get_entry(name, i));
}

enum hf_err hf_dn_append(struct hf_buf *out, const X509_NAME *name, size_t max, bool *mangled)
{
    struct writer w = {.out = out, .limit = hf_buf_len(out) + max - 3, .mangled = mangled};
    for (int end = X509_NAME_entry_count(name); end > 0 && !w.cut;) {
        int start = end - 1;
        while (start > 0 && set_of(name, start - 1) == set_of(name, end - 1)) {
            start--;
        }
        for (int i = start; i < end; i++) {
            HF_TRY(put_attribute(&w, X509_NAME_get_entry(name, i)));
            bool more = i + 1 < end || start > 0;
            HF_TRY(put_str(&w, !more ? "" : i + 1 < end ? "+" : ","));
        }
        end = start;
    }
    return HF_OK;
}

void hf_dn_text(const X509_NAME *name, char *out, size_t out_size)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(out_size);
    bool mangled = false;
    const char *text = NULL;
    if (hf_dn_append(&buf, name, out_size - 1, &mangled) == HF_OK) {
        text = hf_buf_cstr(&buf);
    }
    snprintf(out, out_size, "%s", text ? text : "(name)");
}
