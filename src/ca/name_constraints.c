// SPDX-License-Identifier: Apache-2.0
/*
 * A form of names that has permitted subtrees must fall into one of them, and into no excluded one;
 * a form without any is free. Names that are compared here were checked before: ASCII, no NUL.
 */
#include "ca/name_constraints.h"

#include <ctype.h>
#include <string.h>

#include "ca/subject.h"
#include "os/sock.h"

enum {
    TAG_OTHER = 0xa0,
    TAG_EMAIL = 0x81,
    TAG_DNS = 0x82,
    TAG_DIRECTORY = 0xa4,
    TAG_URI = 0x86,
    TAG_IP = 0x87
};

/* --- Reading ----------------------------------------------------------------------------------*/

/* A Name: a list of sets, and nothing behind it. */
static enum hf_err check_directory(struct hf_bytes value)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der list, set;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    while (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_ASN1_SET, &set));
    }
    return HF_OK;
}

static enum hf_err read_subtrees(struct hf_bytes content, bool excluded,
                                 struct hf_name_constraints *out)
{
    struct hf_reader reader = hf_reader_of(content);
    if (!reader.rest.len) {
        return hf_fail(HF_E_MALFORMED, "name constraints with an empty list");
    }
    while (reader.rest.len) {
        struct hf_der tree, base;
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &tree));
        struct hf_reader inside = hf_reader_of(tree.value);
        HF_TRY(hf_der_next(&inside, &base));
        if (inside.rest.len) {
            return hf_fail(HF_E_UNSUPPORTED, "name constraints with a minimum or maximum");
        }
        if (out->n == HF_CONSTRAINTS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "more than %d name constraints", HF_CONSTRAINTS_MAX);
        }
        if (base.tag == TAG_IP && base.value.len != 8 && base.value.len != 32) {
            return hf_fail(HF_E_MALFORMED, "a name constraint of %zu bytes on addresses",
                           base.value.len);
        }
        if (base.tag == TAG_DIRECTORY) {
            HF_TRY(check_directory(base.value));
        }
        out->item[out->n++] = (struct hf_subtree){base.tag, base.value, excluded};
    }
    return HF_OK;
}

enum hf_err hf_name_constraints_parse(struct hf_bytes value, struct hf_name_constraints *out)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der list, part;
    out->n = 0;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    if (!reader.rest.len) {
        return hf_fail(HF_E_MALFORMED, "name constraints that are empty");
    }
    if (hf_der_peek(&reader) == HF_ASN1_CONTEXT_CONSTRUCTED(0)) {
        HF_TRY(hf_der_next(&reader, &part));
        HF_TRY(read_subtrees(part.value, false, out));
    }
    if (hf_der_peek(&reader) == HF_ASN1_CONTEXT_CONSTRUCTED(1)) {
        HF_TRY(hf_der_next(&reader, &part));
        HF_TRY(read_subtrees(part.value, true, out));
    }
    return hf_read_end(&reader);
}

/* --- Matching ---------------------------------------------------------------------------------*/

static bool ends_with(struct hf_bytes text, struct hf_bytes end)
{
    return text.len >= end.len && strncasecmp((const char *)text.ptr + (text.len - end.len),
                                              (const char *)end.ptr, end.len) == 0;
}

static bool same_text(struct hf_bytes a, struct hf_bytes b)
{
    return a.len == b.len && ends_with(a, b);
}

/* A name and all below it; a dot in front, which some write, means only those below it. Nothing is
 * everything. */
static bool within_dns(struct hf_bytes tree, struct hf_bytes name)
{
    if (tree.len == 0 || (tree.ptr[0] == '.' && name.len > tree.len && ends_with(name, tree))) {
        return true;
    }
    return tree.ptr[0] != '.' &&
           (same_text(tree, name) || (name.len > tree.len && ends_with(name, tree) &&
                                      name.ptr[name.len - tree.len - 1] == '.'));
}

/* A host, or with a dot in front all hosts below a domain. */
static bool within_host(struct hf_bytes tree, struct hf_bytes host)
{
    return tree.len && tree.ptr[0] == '.' ? host.len > tree.len && ends_with(host, tree)
                                          : same_text(tree, host);
}

static bool within_email(struct hf_bytes tree, struct hf_bytes email)
{
    const uint8_t *at = memrchr(email.ptr, '@', email.len);
    const uint8_t *tree_at = tree.len ? memrchr(tree.ptr, '@', tree.len) : NULL;
    size_t local = at ? (size_t)(at - email.ptr) : 0;
    if (!at) {
        return false;
    }
    if (!tree_at) {
        return within_host(tree, hf_bytes_from(email, local + 1));
    }
    size_t tree_local = (size_t)(tree_at - tree.ptr);
    return hf_bytes_eq(hf_bytes_of(tree.ptr, tree_local), hf_bytes_of(email.ptr, local)) &&
           same_text(hf_bytes_from(tree, tree_local + 1), hf_bytes_from(email, local + 1));
}

/* The host of scheme://user@host:port/; empty where there is none, or where it is an address. */
static struct hf_bytes host_of(struct hf_bytes uri)
{
    const uint8_t *colon = memchr(uri.ptr, ':', uri.len);
    struct hf_bytes rest = colon ? hf_bytes_from(uri, (size_t)(colon - uri.ptr) + 1) : uri;
    if (rest.len < 2 || memcmp(rest.ptr, "//", 2) != 0) {
        return hf_bytes_of(NULL, 0);
    }
    rest = hf_bytes_from(rest, 2);
    size_t len = 0;
    while (len < rest.len && !hf_byte_in(rest.ptr[len], "/?#")) {
        len++;
    }
    struct hf_bytes host = hf_bytes_of(rest.ptr, len);
    for (size_t i = len; i > 0; i--) {
        if (host.ptr[i - 1] == '@') { /* user and password */
            host = hf_bytes_from(host, i);
            break;
        }
    }
    const uint8_t *port = host.len ? memchr(host.ptr, ':', host.len) : NULL;
    host.len = port ? (size_t)(port - host.ptr) : host.len;
    bool number = host.len && isdigit(host.ptr[host.len - 1]);
    return host.len && host.ptr[0] != '[' && !number ? host : hf_bytes_of(NULL, 0);
}

static bool within_ip(struct hf_bytes tree, struct hf_bytes address)
{
    if (tree.len != 2 * address.len) {
        return false;
    }
    for (size_t i = 0; i < address.len; i++) {
        uint8_t mask = tree.ptr[address.len + i];
        if ((address.ptr[i] & mask) != (tree.ptr[i] & mask)) {
            return false;
        }
    }
    return true;
}

/* --- Directory names ----------------------------------------------------------------------------
 *
 * RFC 5280 7.1: strings are compared without their case, and with blanks as one. */

static size_t next_char(struct hf_bytes text, size_t at, uint8_t *out)
{
    if (text.ptr[at] == ' ') {
        while (at < text.len && text.ptr[at] == ' ') {
            at++;
        }
        *out = at < text.len ? ' ' : 0; /* at the end they don't count */
        return at;
    }
    *out = (uint8_t)tolower(text.ptr[at]);
    return at + 1;
}

static bool same_string(struct hf_bytes a, struct hf_bytes b)
{
    size_t i = 0, j = 0;
    while (i < a.len && a.ptr[i] == ' ') {
        i++;
    }
    while (j < b.len && b.ptr[j] == ' ') {
        j++;
    }
    while (i < a.len || j < b.len) {
        uint8_t x = 0, y = 0;
        i = i < a.len ? next_char(a, i, &x) : i;
        j = j < b.len ? next_char(b, j, &y) : j;
        if (x != y) {
            return false;
        }
    }
    return true;
}

/* One RDN of one attribute each; with several they must be the same bytes. */
static bool same_rdn(const struct hf_der *a, const struct hf_der *b)
{
    struct hf_reader readers[2] = {hf_reader_of(a->value), hf_reader_of(b->value)};
    struct hf_der oid[2], text[2];
    if (hf_bytes_eq(a->whole, b->whole)) {
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        struct hf_der pair;
        if (hf_der_expect(&readers[i], HF_DER_SEQUENCE, &pair) != HF_OK || readers[i].rest.len) {
            return false;
        }
        readers[i] = hf_reader_of(pair.value);
        if (hf_der_expect(&readers[i], HF_DER_OID, &oid[i]) != HF_OK ||
            hf_der_next(&readers[i], &text[i]) != HF_OK) {
            return false;
        }
    }
    return hf_bytes_eq(oid[0].value, oid[1].value) && same_string(text[0].value, text[1].value);
}

/* Is the subject the tree's name, or one that begins with it? tree and name are Names in DER. */
static bool within_directory(struct hf_bytes tree, struct hf_bytes name)
{
    struct hf_reader tree_reader = hf_reader_of(tree), name_reader = hf_reader_of(name);
    struct hf_der tree_list, name_list, a, b;
    if (hf_der_expect(&tree_reader, HF_DER_SEQUENCE, &tree_list) != HF_OK ||
        hf_der_expect(&name_reader, HF_DER_SEQUENCE, &name_list) != HF_OK) {
        return false;
    }
    tree_reader = hf_reader_of(tree_list.value);
    name_reader = hf_reader_of(name_list.value);
    while (tree_reader.rest.len) {
        if (hf_der_next(&tree_reader, &a) != HF_OK || !name_reader.rest.len ||
            hf_der_next(&name_reader, &b) != HF_OK || !same_rdn(&a, &b)) {
            return false;
        }
    }
    return true;
}

/* --- Judging ----------------------------------------------------------------------------------*/

static bool within(const struct hf_subtree *tree, struct hf_bytes name)
{
    switch (tree->tag) {
    case TAG_DNS:
        return within_dns(tree->value, name);
    case TAG_EMAIL:
        return within_email(tree->value, name);
    case TAG_URI:
        return within_host(tree->value, host_of(name));
    case TAG_IP:
        return within_ip(tree->value, name);
    case TAG_DIRECTORY:
        return within_directory(tree->value, name);
    default: /* not known: permits nothing and excludes everything */
        return tree->excluded;
    }
}

/* "*.example.org" stands for names on both sides of "a.example.org": what is excluded must not
 * lie below the wildcard either. */
static bool covers_tree(const struct hf_subtree *tree, struct hf_bytes name)
{
    return tree->tag == TAG_DNS && name.len > 2 && name.ptr[0] == '*' && tree->value.len &&
           within_dns(hf_bytes_from(name, 1), tree->value);
}

/* NULL: permitted. */
static const char *why_not(const struct hf_name_constraints *constraints, uint8_t tag,
                           struct hf_bytes name)
{
    bool limited = false, permitted = false;
    for (size_t i = 0; i < constraints->n; i++) {
        const struct hf_subtree *tree = &constraints->item[i];
        if (tree->tag != tag) {
            continue;
        }
        bool judged = tag != TAG_URI || host_of(name).len != 0;
        if (tree->excluded && (!judged || within(tree, name) || covers_tree(tree, name))) {
            return "excludes";
        }
        limited = limited || !tree->excluded;
        permitted = permitted || (!tree->excluded && judged && within(tree, name));
    }
    return limited && !permitted ? "does not permit" : NULL;
}

static enum hf_err check(const struct hf_name_constraints *constraints, uint8_t tag,
                         const struct hf_alt_name *name)
{
    const char *why = why_not(constraints, tag, name->value);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 * HF_ALT_TEXT_MAX);
    if (!why) {
        return HF_OK;
    }
    HF_TRY(hf_alt_name_append(name, &text));
    const char *shown = hf_buf_cstr(&text);
    return hf_fail(shown ? HF_E_INVALID : HF_E_NOMEM,
                   "%.300s: the CA's certificate %s it, by its name constraints",
                   shown ? shown : "", why);
}

static enum hf_err check_subject(const struct hf_name_constraints *constraints,
                                 struct hf_bytes name)
{
    struct hf_subject subject = {0};
    struct hf_reader reader = hf_reader_of(name);
    struct hf_der list;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    const char *why = list.value.len ? why_not(constraints, TAG_DIRECTORY, name) : NULL;
    if (why) {
        return hf_fail(HF_E_INVALID, "the CA's certificate %s the subject, by its name constraints",
                       why);
    }
    if (hf_subject_from_der(name, &subject) != HF_OK) {
        return HF_OK; /* a name copied from another CA: it has no email address that we'd write */
    }
    enum hf_err err = HF_OK;
    const char *email;
    for (size_t i = 0; err == HF_OK && (email = hf_subject_get(&subject, HF_ATTR_EMAIL, i)); i++) {
        err =
            check(constraints, TAG_EMAIL, &(struct hf_alt_name){HF_ALT_EMAIL, hf_bytes_str(email)});
    }
    hf_subject_done(&subject);
    return err;
}

enum hf_err hf_name_constraints_permit(const struct hf_name_constraints *constraints,
                                       struct hf_bytes subject, const struct hf_alt_names *names)
{
    static const uint8_t tags[] = {
        [HF_ALT_DNS] = TAG_DNS, [HF_ALT_EMAIL] = TAG_EMAIL, [HF_ALT_URI] = TAG_URI,
        [HF_ALT_IP] = TAG_IP,   [HF_ALT_UPN] = TAG_OTHER,
    };
    if (constraints->n == 0) {
        return HF_OK;
    }
    for (size_t i = 0; i < names->n; i++) {
        HF_TRY(check(constraints, tags[names->item[i].kind], &names->item[i]));
    }
    return check_subject(constraints, subject);
}

/* --- Writing ----------------------------------------------------------------------------------*/

static enum hf_err write_network(const char *text, struct hf_asn1 *der)
{
    struct hf_cidr network;
    uint8_t bytes[32] = {0};
    HF_TRY(hf_cidr_parse(text, &network));
    if (network.family == AF_UNIX) {
        return hf_fail(HF_E_INVALID, "\"%.60s\" is no network of addresses", text);
    }
    size_t size = network.family == AF_INET ? 4 : 16;
    memcpy(bytes, network.prefix, size);
    for (size_t i = 0; i < network.bits; i++) {
        bytes[size + i / 8] |= (uint8_t)(0x80 >> (i % 8));
    }
    hf_asn1_put(der, TAG_IP, hf_bytes_of(bytes, 2 * size));
    return HF_OK;
}

static enum hf_err write_directory(const char *text, struct hf_asn1 *der)
{
    struct hf_subject subject = {0};
    HF_TRY(hf_subject_parse(text, &subject));
    hf_asn1_open(der, TAG_DIRECTORY);
    hf_subject_write(&subject, der);
    hf_asn1_close(der);
    hf_subject_done(&subject);
    return HF_OK;
}

/* A domain, with or without a dot in front; for email also a mailbox. */
static enum hf_err write_domain(uint8_t tag, const char *text, struct hf_asn1 *der)
{
    const char *at = tag == TAG_EMAIL ? strrchr(text, '@') : NULL;
    const char *domain = at ? at + 1 : text + (*text == '.');
    HF_TRY(hf_alt_name_check(HF_ALT_DNS, hf_bytes_str(domain)));
    if (*domain == '*') {
        return hf_fail(HF_E_INVALID, "\"%.60s\": a constraint covers all below it without a star",
                       text);
    }
    hf_asn1_text(der, tag, text);
    return HF_OK;
}

static enum hf_err write_tree(const char *text, struct hf_asn1 *der)
{
    static const struct {
        const char *prefix;
        uint8_t tag;
    } forms[] = {
        {"DNS:", TAG_DNS}, {"email:", TAG_EMAIL},  {"URI:", TAG_URI},
        {"IP:", TAG_IP},   {"dn:", TAG_DIRECTORY},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(forms); i++) {
        size_t len = strlen(forms[i].prefix);
        if (strncasecmp(text, forms[i].prefix, len) != 0) {
            continue;
        }
        switch (forms[i].tag) {
        case TAG_IP:
            return write_network(text + len, der);
        case TAG_DIRECTORY:
            return write_directory(text + len, der);
        default:
            return write_domain(forms[i].tag, text + len, der);
        }
    }
    return hf_fail(HF_E_INVALID,
                   "\"%.60s\" is no name constraint; write DNS:example.org, email:example.org, "
                   "URI:example.org, IP:10.0.0.0/8 or dn:O=Example",
                   text);
}

static void write_list(const char *const *texts, size_t n, uint8_t tag, struct hf_asn1 *der)
{
    if (n == 0) {
        return;
    }
    hf_asn1_open(der, tag);
    for (size_t i = 0; i < n && der->err == HF_OK; i++) {
        hf_asn1_open(der, HF_DER_SEQUENCE);
        enum hf_err err = write_tree(texts[i], der);
        der->err = der->err == HF_OK ? err : der->err;
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
}

void hf_name_constraints_write(const char *const *permitted, size_t n_permitted,
                               const char *const *excluded, size_t n_excluded, struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    write_list(permitted, n_permitted, HF_ASN1_CONTEXT_CONSTRUCTED(0), der);
    write_list(excluded, n_excluded, HF_ASN1_CONTEXT_CONSTRUCTED(1), der);
    hf_asn1_close(der);
}
