// SPDX-License-Identifier: Apache-2.0
/*
 * Reads the names out of a certificate, once, into text that is safe everywhere.
 *
 * Every string is made by take_text() or hf_dn_append(): there is no other way from a certificate
 * into an identity. Both say when what they wrote is not what the certificate holds.
 *
 * The object is built under one owner, part by part, and published as one block of memory with all
 * its text: there is one for each peer, and small parts cost more than what is in them.
 */
#include "pki/identity.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/cert_impl.h"
#include "pki/dn.h"
#include "pki/key_type.h"
#include "pki/ossl.h"

enum { TEXT_CAP = HF_IDENTITY_TEXT_MAX + 16 };

static void names_done(struct hf_names_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        hf_free(names->name[i]);
    }
    hf_free(names->name);
    *names = (struct hf_names_list){0};
}

enum { N_STRINGS = 8, N_LISTS = 5 };

static char **string_of(struct hf_identity *id, size_t i)
{
    char **const all[N_STRINGS] = {&id->subject, &id->issuer, &id->cn,     &id->o,
                                   &id->ou,      &id->serial, &id->spiffe, &id->key_type};
    return all[i];
}

static struct hf_names_list *list_of(struct hf_identity *id, size_t i)
{
    struct hf_names_list *const all[N_LISTS] = {&id->dns, &id->uri, &id->email, &id->ip,
                                                &id->other};
    return all[i];
}

/* Of one that is being built. */
static void parts_done(struct hf_identity *id)
{
    for (size_t i = 0; i < N_STRINGS; i++) {
        hf_free(*string_of(id, i));
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        names_done(list_of(id, i));
    }
}

/* --- One block ---------------------------------------------------------------------------------
 */

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t packed_size(struct hf_identity *id)
{
    size_t size = sizeof(*id);
    for (size_t i = 0; i < N_STRINGS; i++) {
        size += text_size(*string_of(id, i));
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        const struct hf_names_list *list = list_of(id, i);
        size += list->n * sizeof(*list->name);
        for (size_t j = 0; j < list->n; j++) {
            size += text_size(list->name[j]);
        }
    }
    return size;
}

static char *move_text(char **at, const char *text)
{
    size_t size = text_size(text);
    char *moved = text ? memcpy(*at, text, size) : NULL;
    *at += size;
    return moved;
}

/* The struct, the lists' pointers, then all text. */
static enum hf_err pack(struct hf_identity *parts, struct hf_identity **out)
{
    struct hf_identity *id = hf_alloc(packed_size(parts));
    if (!id) {
        return HF_E_NOMEM;
    }
    *id = *parts;
    atomic_init(&id->refs, 1);
    char **names = (char **)(id + 1);
    for (size_t i = 0; i < N_LISTS; i++) {
        list_of(id, i)->name = names;
        names += list_of(id, i)->n;
    }
    char *at = (char *)names;
    for (size_t i = 0; i < N_STRINGS; i++) {
        *string_of(id, i) = move_text(&at, *string_of(parts, i));
    }
    for (size_t i = 0; i < N_LISTS; i++) {
        for (size_t j = 0; j < list_of(parts, i)->n; j++) {
            list_of(id, i)->name[j] = move_text(&at, list_of(parts, i)->name[j]);
        }
    }
    *out = id;
    return HF_OK;
}

/* --- Text --------------------------------------------------------------------------------------
 */

static enum hf_err buf_to_string(struct hf_buf *buf, char **out)
{
    struct hf_bytes bytes = hf_buf_bytes(buf);
    *out = hf_strndup((const char *)bytes.ptr, bytes.len);
    return *out ? HF_OK : HF_E_NOMEM;
}

static bool needs_escape(struct hf_bytes text)
{
    while (text.len) {
        size_t n = hf_printable_len(text);
        if (n == 0) {
            return true;
        }
        text = hf_bytes_from(text, n);
    }
    return false;
}

/* Appends foreign bytes as printable text; tells when it isn't all of them as they are. */
static enum hf_err append_text(struct hf_identity *id, struct hf_buf *buf, struct hf_bytes text)
{
    size_t room = HF_IDENTITY_TEXT_MAX - hf_buf_len(buf);
    if (text.len > room || needs_escape(text)) {
        id->mangled = true;
        return hf_append_printable(buf, text, room - 3);
    }
    return hf_append_printable(buf, text, room);
}

static enum hf_err take_text(struct hf_identity *id, const char *prefix, struct hf_bytes text,
                             char **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(TEXT_CAP);
    HF_TRY(hf_buf_append_str(&buf, prefix));
    HF_TRY(append_text(id, &buf, text));
    return buf_to_string(&buf, out);
}

static enum hf_err take_dn(struct hf_identity *id, const char *prefix, const X509_NAME *name,
                           char **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(TEXT_CAP);
    HF_TRY(hf_buf_append_str(&buf, prefix));
    HF_TRY(hf_dn_append(&buf, name, HF_IDENTITY_TEXT_MAX - strlen(prefix), &id->mangled));
    return buf_to_string(&buf, out);
}

/* The most specific attribute is the last one in the encoding. */
static enum hf_err take_attribute(struct hf_identity *id, const X509_NAME *name, int nid,
                                  char **out)
{
    int at = -1;
    for (int next; (next = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
        at = next;
    }
    if (at < 0) {
        return HF_OK;
    }
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len < 0) {
        hf_ossl_forget();
        id->mangled = true; /* not a character string: there is nothing to show */
        return HF_OK;
    }
    enum hf_err err = take_text(id, "", hf_bytes_of(utf8, (size_t)len), out);
    OPENSSL_free(utf8);
    return err;
}

static enum hf_err take_serial(struct hf_identity *id, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    BN_free(number);
    if (!hex) {
        return hf_fail_ossl(HF_E_MALFORMED, "the serial number can't be read");
    }
    char *digits = hex;
    bool negative = *digits == '-';
    digits += negative;
    while (digits[0] == '0' && digits[1] != '\0') {
        digits++;
    }
    for (char *c = digits; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    enum hf_err err = take_text(id, negative ? "-" : "", hf_bytes_str(digits), &id->serial);
    OPENSSL_free(hex);
    return err;
}

/* --- Subject alternative names -----------------------------------------------------------------
 */

/* Makes room for one more name; NULL with HF_OK when there are too many already. */
static enum hf_err names_slot(struct hf_identity *id, struct hf_names_list *names, char ***out)
{
    *out = NULL;
    if (names->n == HF_IDENTITY_NAMES_MAX) {
        id->mangled = true;
        return HF_OK;
    }
    if ((names->n & (names->n - 1)) == 0) {
        size_t room = names->n ? 2 * names->n : 1;
        char **name = hf_realloc(names->name, room * sizeof(*name));
        if (!name) {
            return HF_E_NOMEM;
        }
        names->name = name;
    }
    *out = &names->name[names->n];
    return HF_OK;
}

static enum hf_err add_name(struct hf_identity *id, struct hf_names_list *names, const char *prefix,
                            struct hf_bytes text)
{
    char **slot;
    HF_TRY(names_slot(id, names, &slot));
    if (slot) {
        HF_TRY(take_text(id, prefix, text, slot));
        names->n++;
    }
    return HF_OK;
}

static enum hf_err add_string(struct hf_identity *id, struct hf_names_list *names,
                              const ASN1_STRING *text)
{
    return add_name(id, names, "",
                    hf_bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
}

static enum hf_err add_dns(struct hf_identity *id, const GENERAL_NAME *san)
{
    size_t before = id->dns.n;
    HF_TRY(add_string(id, &id->dns, san->d.dNSName));
    for (char *c = id->dns.n > before ? id->dns.name[before] : NULL; c && *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return HF_OK;
}

static enum hf_err add_uri(struct hf_identity *id, const GENERAL_NAME *san)
{
    return add_string(id, &id->uri, san->d.uniformResourceIdentifier);
}

static enum hf_err add_email(struct hf_identity *id, const GENERAL_NAME *san)
{
    return add_string(id, &id->email, san->d.rfc822Name);
}

static enum hf_err add_ip(struct hf_identity *id, const GENERAL_NAME *san)
{
    const ASN1_OCTET_STRING *ip = san->d.iPAddress;
    int len = ASN1_STRING_length(ip);
    char text[INET6_ADDRSTRLEN];
    if (len != 4 && len != 16) {
        id->mangled = true;
        return HF_OK;
    }
    inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof(text));
    return add_name(id, &id->ip, "", hf_bytes_str(text));
}

static enum hf_err add_directory(struct hf_identity *id, const GENERAL_NAME *san)
{
    char **slot;
    HF_TRY(names_slot(id, &id->other, &slot));
    if (slot) {
        HF_TRY(take_dn(id, "dn:", san->d.directoryName, slot));
        id->other.n++;
    }
    return HF_OK;
}

static enum hf_err add_rid(struct hf_identity *id, const GENERAL_NAME *san)
{
    char oid[256];
    OBJ_obj2txt(oid, sizeof(oid), san->d.registeredID, 1);
    return add_name(id, &id->other, "rid:", hf_bytes_str(oid));
}

/* otherName of a form that isn't known: its OID and the value's DER in hex. */
static enum hf_err add_other_hex(struct hf_identity *id, const OTHERNAME *other)
{
    char oid[256];
    OBJ_obj2txt(oid, sizeof(oid) - 3, other->type_id, 1);
    strcat(oid, ":#");
    unsigned char *der = NULL;
    int len = i2d_ASN1_TYPE(other->value, &der);
    size_t shown = len < 0 ? 0 : (size_t)len;
    if (shown > HF_IDENTITY_TEXT_MAX / 2 - sizeof(oid)) {
        shown = HF_IDENTITY_TEXT_MAX / 2 - sizeof(oid);
        id->mangled = true;
    }
    char *hex = hf_alloc(2 * shown + 1);
    enum hf_err err = HF_E_NOMEM;
    if (hex) {
        hf_hex(hf_bytes_of(der, shown), hex);
        err = add_name(id, &id->other, oid, hf_bytes_str(hex));
    }
    hf_free(hex);
    OPENSSL_free(der);
    hf_ossl_forget();
    return err;
}

static enum hf_err add_other(struct hf_identity *id, const GENERAL_NAME *san)
{
    static const struct {
        int nid;
        const char *prefix;
    } forms[] = {
        {NID_ms_upn, "upn:"},
        {NID_id_on_SmtpUTF8Mailbox, "mailbox:"},
        {NID_XmppAddr, "xmpp:"},
    };
    const OTHERNAME *other = san->d.otherName;
    int nid = OBJ_obj2nid(other->type_id);
    for (size_t i = 0; i < HF_N_ELEMENTS(forms); i++) {
        if (forms[i].nid == nid && other->value->type == V_ASN1_UTF8STRING) {
            const ASN1_UTF8STRING *text = other->value->value.utf8string;
            return add_name(
                id, &id->other, forms[i].prefix,
                hf_bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
        }
    }
    return add_other_hex(id, other);
}

static enum hf_err add_san(struct hf_identity *id, const GENERAL_NAME *san)
{
    static enum hf_err (*const adders[])(struct hf_identity *, const GENERAL_NAME *) = {
        [GEN_DNS] = add_dns,           [GEN_URI] = add_uri, [GEN_EMAIL] = add_email,
        [GEN_IPADD] = add_ip,          [GEN_RID] = add_rid, [GEN_OTHERNAME] = add_other,
        [GEN_DIRNAME] = add_directory,
    };
    if (san->type < 0 || (size_t)san->type >= HF_N_ELEMENTS(adders) || !adders[san->type]) {
        id->mangled = true; /* x400Address, ediPartyName: nobody has ever used them */
        return HF_OK;
    }
    return adders[san->type](id, san);
}

/* X509-SVID section 2: exactly one URI, and that is the SPIFFE ID. Looks at the bytes, not at the
 * text made of them. */
static enum hf_err take_spiffe(struct hf_identity *id, const GENERAL_NAMES *sans)
{
    const ASN1_STRING *uri = NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(sans); i++) {
        const GENERAL_NAME *san = sk_GENERAL_NAME_value(sans, i);
        if (san->type == GEN_URI && uri) {
            return HF_OK;
        }
        uri = san->type == GEN_URI ? san->d.uniformResourceIdentifier : uri;
    }
    struct hf_bytes text = hf_bytes_of(NULL, 0);
    if (uri) {
        text = hf_bytes_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
    }
    if (!uri || hf_spiffe_check(text) != HF_OK) {
        return HF_OK;
    }
    id->spiffe = hf_strndup((const char *)text.ptr, text.len);
    return id->spiffe ? HF_OK : HF_E_NOMEM;
}

/* Takes over sans; critical is what libcrypto said of the extension, -1: there is none. */
static enum hf_err take_sans(struct hf_identity *id, GENERAL_NAMES *sans, int critical)
{
    if (!sans) {
        hf_ossl_forget();
        id->mangled = id->mangled || critical != -1;
        return HF_OK;
    }
    enum hf_err err = HF_OK;
    for (int i = 0; err == HF_OK && i < sk_GENERAL_NAME_num(sans); i++) {
        err = add_san(id, sk_GENERAL_NAME_value(sans, i));
    }
    if (err == HF_OK) {
        err = take_spiffe(id, sans);
    }
    GENERAL_NAMES_free(sans);
    return err;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err take_subject(struct hf_identity *id, const X509_NAME *subject)
{
    HF_TRY(take_dn(id, "", subject, &id->subject));
    HF_TRY(take_attribute(id, subject, NID_commonName, &id->cn));
    HF_TRY(take_attribute(id, subject, NID_organizationName, &id->o));
    return take_attribute(id, subject, NID_organizationalUnitName, &id->ou);
}

static enum hf_err take_names(struct hf_identity *id, const X509_NAME *subject,
                              const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
    HF_TRY(take_subject(id, subject));
    HF_TRY(take_dn(id, "", issuer, &id->issuer));
    return take_serial(id, serial);
}

static enum hf_err take_key_type(struct hf_identity *id, const EVP_PKEY *key)
{
    char key_type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, key_type);
    hf_ossl_forget();
    return take_text(id, "", hf_bytes_str(key_type), &id->key_type);
}

static enum hf_err fill(struct hf_identity *id, const struct hf_cert *cert)
{
    const X509 *x509 = cert->x509;
    HF_TRY(take_names(id, X509_get_subject_name(x509), X509_get_issuer_name(x509),
                      X509_get0_serialNumber(x509)));
    int critical;
    GENERAL_NAMES *sans = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    HF_TRY(take_sans(id, sans, critical));
    HF_TRY(take_key_type(id, X509_get0_pubkey(x509)));
    hf_hex(hf_bytes_of(cert->sha256, HF_SHA256_SIZE), id->sha256);
    hf_hex(hf_bytes_of(cert->spki_sha256, HF_SHA256_SIZE), id->spki_sha256);
    id->not_before = cert->not_before;
    id->not_after = cert->not_after;
    return HF_OK;
}

static enum hf_err make(const struct hf_cert *cert, struct hf_identity **out)
{
    struct hf_identity parts = {0};
    enum hf_err err = fill(&parts, cert);
    err = err ? err : pack(&parts, out);
    parts_done(&parts);
    return err;
}

/* Two threads may make one at once; the first to publish its own wins. What is kept is never
 * replaced while the certificate lives, so that a load is enough to take a reference. */
enum hf_err hf_identity_new(const struct hf_cert *cert, struct hf_identity **out)
{
    struct hf_cert *keeper = (struct hf_cert *)(uintptr_t)cert;
    struct hf_identity *kept = atomic_load_explicit(&keeper->identity, memory_order_acquire);
    *out = NULL;
    if (!kept) {
        struct hf_identity *made = NULL;
        HF_TRY(make(cert, &made));
        if (atomic_compare_exchange_strong_explicit(&keeper->identity, &kept, made,
                                                    memory_order_acq_rel, memory_order_acquire)) {
            kept = made;
        } else {
            hf_identity_unref(made);
        }
    }
    *out = hf_identity_ref(kept);
    return HF_OK;
}

/* --- Of parts ----------------------------------------------------------------------------------
 */

/* libcrypto's objects of the parts. */
struct parsed {
    X509_NAME *subject, *issuer;
    ASN1_INTEGER *serial;
    GENERAL_NAMES *sans;
};

static void parsed_done(struct parsed *parsed)
{
    X509_NAME_free(parsed->subject);
    X509_NAME_free(parsed->issuer);
    ASN1_INTEGER_free(parsed->serial);
    GENERAL_NAMES_free(parsed->sans);
}

static enum hf_err parse(const struct hf_identity_parts *from, struct parsed *out)
{
    const unsigned char *subject = from->subject.ptr, *issuer = from->issuer.ptr;
    const unsigned char *sans = from->alt_names.ptr;
    BIGNUM *number = BN_bin2bn(from->serial.ptr, (int)from->serial.len, NULL);
    out->serial = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    BN_free(number);
    out->subject = d2i_X509_NAME(NULL, &subject, (long)from->subject.len);
    out->issuer = d2i_X509_NAME(NULL, &issuer, (long)from->issuer.len);
    out->sans =
        from->alt_names.len ? d2i_GENERAL_NAMES(NULL, &sans, (long)from->alt_names.len) : NULL;
    if (!out->serial || !out->subject || !out->issuer || (from->alt_names.len && !out->sans)) {
        return hf_fail_ossl(HF_E_MALFORMED, "a certificate's names can't be read");
    }
    return HF_OK;
}

static enum hf_err fill_from_parts(struct hf_identity *id, const struct hf_identity_parts *from)
{
    HF_CLEANUP(parsed_done) struct parsed parsed = {0};
    HF_TRY(parse(from, &parsed));
    HF_TRY(take_names(id, parsed.subject, parsed.issuer, parsed.serial));
    HF_TRY(take_sans(id, HF_TAKE(parsed.sans), -1));
    HF_TRY(take_key_type(id, from->key));
    hf_hex(hf_bytes_of(from->sha256, HF_SHA256_SIZE), id->sha256);
    hf_hex(hf_bytes_of(from->spki_sha256, HF_SHA256_SIZE), id->spki_sha256);
    id->not_before = from->not_before;
    id->not_after = from->not_after == HF_NO_END_TIME ? INT64_MAX : from->not_after;
    return HF_OK;
}

enum hf_err hf_identity_of_parts(const struct hf_identity_parts *from, struct hf_identity **out)
{
    *out = NULL;
    struct hf_identity parts = {0};
    enum hf_err err = fill_from_parts(&parts, from);
    err = err ? err : pack(&parts, out);
    parts_done(&parts);
    return err;
}

static enum hf_err fill_from_request(struct hf_identity *id, X509_REQ *csr)
{
    int critical = -1;
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    GENERAL_NAMES *sans = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    HF_TRY(take_sans(id, sans, critical));
    HF_TRY(take_subject(id, X509_REQ_get_subject_name(csr)));
    char **const none[] = {&id->issuer, &id->serial, &id->key_type};
    for (size_t i = 0; i < HF_N_ELEMENTS(none); i++) {
        *none[i] = hf_strdup("");
        if (!*none[i]) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

enum hf_err hf_identity_of_request(X509_REQ *csr, struct hf_identity **out)
{
    *out = NULL;
    struct hf_identity parts = {0};
    enum hf_err err = fill_from_request(&parts, csr);
    err = err ? err : pack(&parts, out);
    parts_done(&parts);
    return err;
}

struct hf_identity *hf_identity_ref(struct hf_identity *identity)
{
    atomic_fetch_add_explicit(&identity->refs, 1, memory_order_relaxed);
    return identity;
}

void hf_identity_unref(struct hf_identity *identity)
{
    if (identity && atomic_fetch_sub_explicit(&identity->refs, 1, memory_order_acq_rel) == 1) {
        hf_free(identity);
    }
}

const char *hf_identity_display(const struct hf_identity *identity)
{
    const char *const choices[] = {
        identity->spiffe,
        identity->cn,
        identity->dns.n ? identity->dns.name[0] : NULL,
        identity->email.n ? identity->email.name[0] : NULL,
        identity->uri.n ? identity->uri.name[0] : NULL,
        identity->subject,
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(choices); i++) {
        if (choices[i] && *choices[i]) {
            return choices[i];
        }
    }
    return identity->sha256;
}
