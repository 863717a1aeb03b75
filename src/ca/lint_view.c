// SPDX-License-Identifier: Apache-2.0
/*
 * A TBSCertificate taken apart for the checks. Structure that is broken ends the reading; what is
 * broken inside an extension is noted with the extension, and the rest is read on.
 */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "ca/lint_impl.h"
#include "ca/oid.h"

static const struct {
    struct hf_bytes oid;
    enum hf_lint_ext ext;
    unsigned when;
} known[] = {
#define CE(last) HF_OID_INIT("\x55\x1d" last)
#define PE(last) HF_OID_INIT("\x2b\x06\x01\x05\x05\x07\x01" last)
    {CE("\x0e"), HF_EXT_SKI, 0},
    {CE("\x0f"), HF_EXT_KU, HF_LINT_HAS_KU},
    {CE("\x11"), HF_EXT_SAN, HF_LINT_HAS_SAN},
    {CE("\x12"), HF_EXT_IAN, 0},
    {CE("\x13"), HF_EXT_BC, HF_LINT_HAS_BC},
    {CE("\x1e"), HF_EXT_NC, HF_LINT_HAS_NC},
    {CE("\x1f"), HF_EXT_CDP, HF_LINT_HAS_CDP},
    {CE("\x20"), HF_EXT_POLICIES, HF_LINT_HAS_POLICIES},
    {CE("\x21"), HF_EXT_MAPPINGS, 0},
    {CE("\x23"), HF_EXT_AKI, HF_LINT_HAS_AKI},
    {CE("\x24"), HF_EXT_POLICY_CONSTRAINTS, 0},
    {CE("\x25"), HF_EXT_EKU, HF_LINT_HAS_EKU},
    {CE("\x2e"), HF_EXT_FRESHEST, 0},
    {CE("\x36"), HF_EXT_INHIBIT_ANY, 0},
    {PE("\x01"), HF_EXT_AIA, HF_LINT_HAS_AIA},
    {PE("\x0b"), HF_EXT_SIA, 0},
    {PE("\x18"), HF_EXT_TLS_FEATURE, 0},
    {HF_OID_INIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), HF_EXT_NO_CHECK, 0},
};

bool hf_lint_has_eku(const struct hf_lint_view *view, const char *word)
{
    struct hf_bytes oid = hf_eku_by_word(word);
    for (size_t i = 0; i < view->n_eku; i++) {
        if (hf_bytes_eq(view->eku[i], oid)) {
            return true;
        }
    }
    return false;
}

/* --- Inside of extensions ---------------------------------------------------------------------*/

static void broken(struct hf_lint_view *view, enum hf_lint_ext ext, const char *what)
{
    if (!view->broken[ext][0]) {
        snprintf(view->broken[ext], sizeof(view->broken[ext]), "%s", what);
    }
}

/* The one element that an extension's value is. */
static bool enter(struct hf_lint_view *view, enum hf_lint_ext ext, uint8_t tag,
                  struct hf_reader *out)
{
    struct hf_reader reader = hf_reader_of(view->ext[ext]->value);
    struct hf_der element;
    if (hf_der_expect(&reader, tag, &element) != HF_OK || reader.rest.len) {
        broken(view, ext, "is not of the right form");
        return false;
    }
    *out = hf_reader_of(element.value);
    return true;
}

static void read_key_usage(struct hf_lint_view *view)
{
    struct hf_reader bits;
    if (!enter(view, HF_EXT_KU, HF_DER_BIT_STRING, &bits)) {
        return;
    }
    struct hf_bytes value = bits.rest;
    if (value.len < 1 || value.len > 3 || value.ptr[0] > 7 || (value.len == 1 && value.ptr[0])) {
        broken(view, HF_EXT_KU, "has no bits that can be read");
        return;
    }
    for (size_t i = 0; i < (value.len - 1) * 8; i++) {
        if (value.ptr[1 + i / 8] & (0x80 >> (i % 8))) {
            view->key_usage |= UINT32_C(1) << i;
        }
    }
    /* X.690 11.2.2: the last bit that is there is a one */
    bool ends_in_one = value.len == 1 || value.ptr[value.len - 1] & (1 << value.ptr[0]);
    if (!ends_in_one || (value.len > 1 && value.ptr[value.len - 1] & ((1 << value.ptr[0]) - 1))) {
        broken(view, HF_EXT_KU, "has zeros at its end, which DER leaves out");
    }
}

static void read_basic_constraints(struct hf_lint_view *view)
{
    struct hf_reader list;
    struct hf_der element;
    if (!enter(view, HF_EXT_BC, HF_DER_SEQUENCE, &list)) {
        return;
    }
    if (hf_der_peek(&list) == HF_DER_BOOLEAN && hf_der_next(&list, &element) == HF_OK) {
        view->is_ca = element.value.len == 1 && element.value.ptr[0];
        view->bc_false_written = !view->is_ca;
    }
    if (list.rest.len) {
        bool good = hf_der_expect(&list, HF_DER_INTEGER, &element) == HF_OK && !list.rest.len &&
                    element.value.len == 1 && element.value.ptr[0] < 0x80;
        view->path_len = good ? element.value.ptr[0] : -1;
        if (!good) {
            broken(view, HF_EXT_BC, "has a path length that can't be read");
        }
    }
}

static void read_eku(struct hf_lint_view *view)
{
    struct hf_reader list;
    struct hf_der oid;
    if (!enter(view, HF_EXT_EKU, HF_DER_SEQUENCE, &list)) {
        return;
    }
    while (list.rest.len) {
        if (hf_der_expect(&list, HF_DER_OID, &oid) != HF_OK || view->n_eku == HF_LINT_LIST_MAX) {
            broken(view, HF_EXT_EKU, "is no list of identifiers, or too long");
            return;
        }
        view->eku[view->n_eku++] = oid.value;
    }
}

static void read_names(struct hf_lint_view *view)
{
    struct hf_reader list;
    if (!enter(view, HF_EXT_SAN, HF_DER_SEQUENCE, &list)) {
        return;
    }
    while (list.rest.len) {
        if (view->n_names == HF_ALT_NAMES_MAX ||
            hf_der_next(&list, &view->name[view->n_names]) != HF_OK) {
            broken(view, HF_EXT_SAN, "is no list of names, or too long");
            return;
        }
        view->n_names++;
    }
}

/* Those well made, as a list for profiles and constraints: all at once, or else one by one. */
static enum hf_err keep_names(struct hf_lint_view *view)
{
    enum hf_err err =
        view->n_names ? hf_alt_names_add_der(&view->names, view->ext[HF_EXT_SAN]->value) : HF_OK;
    if (err == HF_OK || err == HF_E_NOMEM) {
        return err;
    }
    hf_alt_names_done(&view->names);
    for (size_t i = 0; i < view->n_names; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf one = HF_BUF_INIT(HF_CERT_DER_MAX);
        HF_TRY(hf_der_put(&one, HF_DER_SEQUENCE, view->name[i].whole));
        if (hf_alt_names_add_der(&view->names, hf_buf_bytes(&one)) == HF_E_NOMEM) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

/* --- Subject and key --------------------------------------------------------------------------*/

static enum hf_err read_rdn(struct hf_lint_view *view, struct hf_bytes set)
{
    struct hf_reader reader = hf_reader_of(set);
    size_t first = view->n_attrs;
    while (reader.rest.len) {
        struct hf_der pair, oid, text;
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &pair));
        struct hf_reader inside = hf_reader_of(pair.value);
        HF_TRY(hf_der_expect(&inside, HF_DER_OID, &oid));
        HF_TRY(hf_der_next(&inside, &text));
        HF_TRY(hf_read_end(&inside));
        if (view->n_attrs == HF_LINT_ATTRS_MAX) {
            return hf_fail(HF_E_MALFORMED, "a subject of more than %d attributes",
                           HF_LINT_ATTRS_MAX);
        }
        view->attr[view->n_attrs++] = (struct hf_lint_attr){oid.value, text.tag, text.value, false};
    }
    for (size_t i = first; view->n_attrs - first > 1 && i < view->n_attrs; i++) {
        view->attr[i].shared = true;
    }
    return HF_OK;
}

static enum hf_err read_subject(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->subject);
    struct hf_der list, set;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    reader = hf_reader_of(list.value);
    while (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_ASN1_SET, &set));
        HF_TRY(read_rdn(view, set.value));
    }
    return HF_OK;
}

static enum hf_err read_key(struct hf_lint_view *view)
{
    enum hf_err err = hf_public_key_parse(view->spki, &view->key);
    if (err == HF_OK) {
        view->is |= HF_LINT_KEY | (view->key->modulus.len ? HF_LINT_RSA : 0);
        return HF_OK;
    }
    snprintf(view->key_problem, sizeof(view->key_problem), "%s", hf_err_text());
    return err == HF_E_NOMEM ? err : HF_OK;
}

static void read_dates(struct hf_lint_view *view)
{
    if (hf_der_time(&view->not_before_der, &view->not_before) == HF_OK &&
        hf_der_time(&view->not_after_der, &view->not_after) == HF_OK) {
        view->is |= HF_LINT_DATES;
    }
}

/* --- Structure --------------------------------------------------------------------------------*/

static enum hf_err read_extension(struct hf_lint_view *view, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der oid, critical = {0}, value;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    if (hf_der_peek(&reader) == HF_DER_BOOLEAN) {
        HF_TRY(hf_der_next(&reader, &critical));
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_OCTET_STRING, &value));
    HF_TRY(hf_read_end(&reader));
    if (view->n_extensions == HF_LINT_EXTENSIONS_MAX) {
        return hf_fail(HF_E_MALFORMED, "more than %d extensions", HF_LINT_EXTENSIONS_MAX);
    }
    struct hf_lint_extension *extension = &view->extension[view->n_extensions++];
    *extension = (struct hf_lint_extension){.oid = oid.value, .known = -1, .value = value.value};
    extension->critical = critical.value.len && critical.value.ptr[0];
    extension->false_written = critical.value.len && !critical.value.ptr[0];
    for (size_t i = 0; i < HF_N_ELEMENTS(known); i++) {
        if (!hf_bytes_eq(known[i].oid, oid.value)) {
            continue;
        }
        extension->known = (int)known[i].ext;
        view->ext[known[i].ext] = view->ext[known[i].ext] ? view->ext[known[i].ext] : extension;
        view->is |= known[i].when;
    }
    return HF_OK;
}

static enum hf_err read_extensions(struct hf_lint_view *view, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der list, one;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    do {
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &one));
        HF_TRY(read_extension(view, one.value));
    } while (reader.rest.len);
    return HF_OK;
}

static enum hf_err read_version(struct hf_lint_view *view, struct hf_reader *reader)
{
    struct hf_der wrapped, number;
    view->version = 1;
    if (hf_der_peek(reader) != HF_DER_CONTEXT_0) {
        return HF_OK;
    }
    HF_TRY(hf_der_next(reader, &wrapped));
    struct hf_reader inside = hf_reader_of(wrapped.value);
    HF_TRY(hf_der_expect(&inside, HF_DER_INTEGER, &number));
    HF_TRY(hf_read_end(&inside));
    bool sane = number.value.len == 1 && number.value.ptr[0] <= 2;
    view->version = sane ? number.value.ptr[0] + 1u : 0;
    return HF_OK;
}

static enum hf_err read_validity(struct hf_lint_view *view, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    HF_TRY(hf_der_next(&reader, &view->not_before_der));
    HF_TRY(hf_der_next(&reader, &view->not_after_der));
    return hf_read_end(&reader);
}

static enum hf_err read_tail(struct hf_lint_view *view, struct hf_reader *reader)
{
    struct hf_der element;
    while (reader->rest.len && hf_der_peek(reader) != HF_ASN1_CONTEXT_CONSTRUCTED(3)) {
        HF_TRY(hf_der_next(reader, &element));
        if (element.tag != HF_ASN1_CONTEXT(1) && element.tag != HF_ASN1_CONTEXT(2)) {
            return hf_fail(HF_E_MALFORMED, "an element (tag %02x) that doesn't belong there",
                           element.tag);
        }
        view->has_unique_id = true;
    }
    if (reader->rest.len) {
        HF_TRY(hf_der_next(reader, &element));
        HF_TRY(read_extensions(view, element.value));
    }
    return hf_read_end(reader);
}

static enum hf_err read_structure(struct hf_lint_view *view)
{
    struct hf_reader reader = hf_reader_of(view->tbs);
    struct hf_der list, serial, algorithm, issuer, validity, subject, spki;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    HF_TRY(read_version(view, &reader));
    HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &serial));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &issuer));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &validity));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &subject));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &spki));
    view->serial = serial.value;
    view->algorithm = algorithm.whole;
    view->issuer = issuer.whole;
    view->subject = subject.whole;
    view->spki = spki.whole;
    HF_TRY(read_validity(view, validity.value));
    HF_TRY(read_subject(view));
    return read_tail(view, &reader);
}

/* What the certificate is, for the rows of the tables. */
static void classify(struct hf_lint_view *view)
{
    const struct hf_lint_against *against = view->against;
    bool self = hf_bytes_eq(view->issuer, view->subject) && !against->issuer;
    if (against->issuer && hf_bytes_eq(view->issuer, view->subject) && view->key) {
        self = memcmp(view->key->spki_sha256, against->issuer->spki_sha256,
                      sizeof(view->key->spki_sha256)) == 0;
    }
    view->is |= view->is_ca ? HF_LINT_CA : HF_LINT_LEAF;
    view->is |= self ? 0 : HF_LINT_NOT_SELF;
    view->is |= against->issuer ? HF_LINT_ISSUER : 0;
    view->is |= against->profile ? HF_LINT_PROFILE : 0;
    view->is |= against->now ? HF_LINT_NOW : 0;
    view->is |= hf_lint_has_eku(view, "server-auth") ? HF_LINT_SERVER : 0;
    view->is |= hf_lint_has_eku(view, "ocsp-signing") ? HF_LINT_OCSP : 0;
}

enum hf_err hf_lint_view_read(struct hf_bytes tbs, struct hf_lint_view *view)
{
    static const struct {
        enum hf_lint_ext ext;
        void (*read)(struct hf_lint_view *view);
    } readers[] = {
        {HF_EXT_KU, read_key_usage},
        {HF_EXT_BC, read_basic_constraints},
        {HF_EXT_EKU, read_eku},
        {HF_EXT_SAN, read_names},
    };
    view->tbs = tbs;
    view->path_len = -1;
    HF_TRY(read_structure(view));
    HF_TRY(read_key(view));
    read_dates(view);
    for (size_t i = 0; i < HF_N_ELEMENTS(readers); i++) {
        if (view->ext[readers[i].ext]) {
            readers[i].read(view);
        }
    }
    HF_TRY(keep_names(view));
    classify(view);
    return HF_OK;
}

void hf_lint_view_done(struct hf_lint_view *view)
{
    hf_public_key_free(view->key);
    hf_alt_names_done(&view->names);
}
