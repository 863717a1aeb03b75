// SPDX-License-Identifier: Apache-2.0
#include "ca/subject.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

/* DC and UID are 0.9.2342.19200300.100.1.n, emailAddress is PKCS#9's. */
#define OID_PILOT "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01"
#define OID_EMAIL "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

static const uint8_t arcs[HF_ATTR_N][3] = {
#define ARC(id, word, max, arc) [HF_ATTR_##id] = {0x55, 0x04, arc},
    HF_ATTR_TABLE(ARC)
#undef ARC
};

static const struct {
    const char *word;
    size_t max;
} attrs[] = {
#define ROW(id, word, max, arc) [HF_ATTR_##id] = {word, max},
    HF_ATTR_TABLE(ROW)
#undef ROW
};

static struct hf_bytes oid_of(enum hf_attr attr)
{
    switch (attr) {
    case HF_ATTR_DC:
        return hf_bytes_of(OID_PILOT "\x19", sizeof(OID_PILOT));
    case HF_ATTR_UID:
        return hf_bytes_of(OID_PILOT "\x01", sizeof(OID_PILOT));
    case HF_ATTR_EMAIL:
        return hf_bytes_of(OID_EMAIL, sizeof(OID_EMAIL) - 1);
    default:
        return hf_bytes_of(arcs[attr], sizeof(arcs[attr]));
    }
}

static uint8_t tag_of(enum hf_attr attr)
{
    switch (attr) {
    case HF_ATTR_C:
    case HF_ATTR_SERIAL_NUMBER:
    case HF_ATTR_DN_QUALIFIER:
        return HF_ASN1_PRINTABLE_STRING;
    case HF_ATTR_DC:
    case HF_ATTR_EMAIL:
        return HF_ASN1_IA5_STRING;
    default:
        return HF_ASN1_UTF8_STRING;
    }
}

const char *hf_attr_word(enum hf_attr attr)
{
    return attrs[attr].word;
}

size_t hf_attr_max(enum hf_attr attr)
{
    return attrs[attr].max;
}

enum hf_attr hf_attr_by_word(struct hf_bytes word)
{
    for (size_t i = 0; i < HF_ATTR_N; i++) {
        if (strlen(attrs[i].word) == word.len &&
            strncasecmp(attrs[i].word, (const char *)word.ptr, word.len) == 0) {
            return (enum hf_attr)i;
        }
    }
    return HF_ATTR_N;
}

enum hf_attr hf_attr_by_oid(struct hf_bytes oid)
{
    for (size_t i = 0; i < HF_ATTR_N; i++) {
        if (hf_bytes_eq(oid_of((enum hf_attr)i), oid)) {
            return (enum hf_attr)i;
        }
    }
    return HF_ATTR_N;
}

void hf_subject_done(struct hf_subject *subject)
{
    for (size_t i = 0; i < subject->n; i++) {
        hf_free(subject->part[i].text);
    }
    subject->n = 0;
}

const char *hf_subject_get(const struct hf_subject *subject, enum hf_attr attr, size_t n)
{
    for (size_t i = 0; i < subject->n; i++) {
        if (subject->part[i].attr == attr && n-- == 0) {
            return subject->part[i].text;
        }
    }
    return NULL;
}

/* --- Checking ---------------------------------------------------------------------------------*/

/* Characters of the text; 0 when it is empty or one of them isn't printable. */
static size_t count_printable(struct hf_bytes text)
{
    size_t n = 0;
    while (text.len) {
        size_t len = hf_printable_len(text);
        if (len == 0) {
            return 0;
        }
        text = hf_bytes_from(text, len);
        n++;
    }
    return n;
}

/* PrintableString of X.680 41.4. */
static bool is_printable_string(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && !hf_byte_in(c, " '()+,-./:=?")) {
            return false;
        }
    }
    return true;
}

static bool is_ascii(struct hf_bytes text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] < 0x80) {
        n++;
    }
    return n == text.len;
}

static bool fits_tag(enum hf_attr attr, struct hf_bytes text)
{
    switch (tag_of(attr)) {
    case HF_ASN1_PRINTABLE_STRING:
        return is_printable_string(text);
    case HF_ASN1_IA5_STRING:
        return is_ascii(text);
    default:
        return true;
    }
}

static enum hf_err check(enum hf_attr attr, struct hf_bytes text)
{
    const char *word = attrs[attr].word;
    size_t n = count_printable(text);
    if (n == 0) {
        return hf_fail(HF_E_INVALID, "the subject's %s is empty or has unprintable characters",
                       word);
    }
    if (n > attrs[attr].max) {
        return hf_fail(HF_E_INVALID, "the subject's %s has %zu characters; RFC 5280 allows %zu",
                       word, n, attrs[attr].max);
    }
    if (attr == HF_ATTR_C && n != 2) {
        return hf_fail(HF_E_INVALID, "the subject's C is a country's two letters, such as DE");
    }
    if (!fits_tag(attr, text)) {
        return hf_fail(HF_E_INVALID, "the subject's %s has characters that it may not have", word);
    }
    return HF_OK;
}

static enum hf_err append(struct hf_subject *subject, enum hf_attr attr, struct hf_bytes text)
{
    if (subject->n == HF_SUBJECT_PARTS_MAX) {
        return hf_fail(HF_E_INVALID, "a subject of more than %d parts", HF_SUBJECT_PARTS_MAX);
    }
    char *copy = hf_strndup((const char *)text.ptr, text.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    subject->part[subject->n++] = (struct hf_subject_part){attr, copy};
    return HF_OK;
}

enum hf_err hf_subject_add(struct hf_subject *subject, enum hf_attr attr, struct hf_bytes text)
{
    HF_TRY(check(attr, text));
    return append(subject, attr, text);
}

enum hf_err hf_subject_copy(struct hf_subject *subject, const struct hf_subject *from)
{
    for (size_t i = 0; i < from->n; i++) {
        HF_TRY(append(subject, from->part[i].attr, hf_bytes_str(from->part[i].text)));
    }
    return HF_OK;
}

/* --- RFC 4514 ---------------------------------------------------------------------------------*/

enum { VALUE_MAX = 1024 };

/* Takes a value up to a comma or the end, without its escapes; blanks around it don't count. */
static enum hf_err take_value(const char **at, char *out, size_t *out_len)
{
    size_t len = 0, solid = 0; /* up to the last character that counts */
    while (**at == ' ') {
        ++*at;
    }
    for (; **at && **at != ','; ++*at) {
        char c = **at;
        uint8_t byte;
        if (strchr("+\"<>;", c) || (c == '#' && len == 0)) {
            return hf_fail(HF_E_INVALID, "\"%c\" is written \"\\%c\" in a subject", c, c);
        }
        if (len == VALUE_MAX) {
            return hf_fail(HF_E_INVALID, "a part of the subject is too long");
        }
        bool escaped = c == '\\';
        if (escaped && strlen(*at) >= 3 &&
            hf_unhex((char[]){(*at)[1], (*at)[2], '\0'}, hf_span_of(&byte, 1)) == HF_OK) {
            c = (char)byte;
            *at += 2;
        } else if (escaped) {
            c = *++*at;
            if (!c || !strchr(" \"#+,;<=>\\", c)) {
                return hf_fail(HF_E_INVALID, "a backslash stands before one of \"#+,;<=>\\, a "
                                             "blank, or two hex digits");
            }
        }
        out[len++] = c;
        solid = c == ' ' && !escaped ? solid : len;
    }
    *out_len = solid;
    return HF_OK;
}

static enum hf_err parse_part(const char **at, bool template, struct hf_subject *out)
{
    char value[VALUE_MAX];
    size_t value_len = 0;
    while (**at == ' ') {
        ++*at;
    }
    size_t len = strcspn(*at, "=,");
    if ((*at)[len] != '=') {
        return hf_fail(HF_E_INVALID,
                       "\"%.*s\" in a subject has no \"=\"; write it like "
                       "CN=alice,O=Example",
                       (int)len, *at);
    }
    enum hf_attr attr = hf_attr_by_word(hf_bytes_of(*at, len));
    if (attr == HF_ATTR_N) {
        return hf_fail(
            HF_E_INVALID,
            "\"%.*s\" is no attribute of a subject that is known; write CN, O, OU, L, ST, C, "
            "DC, UID, emailAddress, serialNumber ...",
            (int)(len < 40 ? len : 40), *at);
    }
    *at += len + 1;
    HF_TRY(take_value(at, value, &value_len));
    struct hf_bytes text = hf_bytes_of(value, value_len);
    bool has_field = template && memchr(value, '{', value_len);
    return has_field ? append(out, attr, text) : hf_subject_add(out, attr, text);
}

static enum hf_err parse(const char *text, bool template, struct hf_subject *out)
{
    struct hf_subject subject = {0};
    enum hf_err err = HF_OK;
    while (err == HF_OK && *text) {
        err = parse_part(&text, template, &subject);
        if (err == HF_OK && *text == ',' && *++text == '\0') {
            err = hf_fail(HF_E_INVALID, "a subject that ends with a comma");
        }
    }
    if (err != HF_OK) {
        hf_subject_done(&subject);
        return err;
    }
    *out = subject;
    return HF_OK;
}

enum hf_err hf_subject_parse(const char *text, struct hf_subject *out)
{
    return parse(text, false, out);
}

enum hf_err hf_subject_parse_template(const char *text, struct hf_subject *out)
{
    return parse(text, true, out);
}

static enum hf_err append_value(struct hf_buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool edge = (*c == ' ' && (c == text || !c[1])) || (*c == '#' && c == text);
        if (edge || strchr("\"+,;<>\\", *c)) {
            HF_TRY(hf_buf_u8(out, '\\'));
        }
        HF_TRY(hf_buf_u8(out, (uint8_t)*c));
    }
    return HF_OK;
}

enum hf_err hf_subject_append(const struct hf_subject *subject, struct hf_buf *out)
{
    for (size_t i = 0; i < subject->n; i++) {
        HF_TRY(hf_buf_printf(out, "%s%s=", i ? "," : "", attrs[subject->part[i].attr].word));
        HF_TRY(append_value(out, subject->part[i].text));
    }
    return HF_OK;
}

/* --- DER --------------------------------------------------------------------------------------*/

/* Strings of which the bytes are UTF-8 already; TeletexString and BMPString are not (RFC 5280
 * 4.1.2.4 keeps them for old names only). */
static bool is_text_tag(uint8_t tag)
{
    return tag == HF_ASN1_UTF8_STRING || tag == HF_ASN1_PRINTABLE_STRING ||
           tag == HF_ASN1_IA5_STRING;
}

static enum hf_err read_rdn(struct hf_bytes set, struct hf_subject *out)
{
    struct hf_reader reader = hf_reader_of(set);
    struct hf_der pair, oid, text;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &pair));
    if (reader.rest.len) {
        return hf_fail(HF_E_UNSUPPORTED, "a subject with several attributes in one part");
    }
    reader = hf_reader_of(pair.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    HF_TRY(hf_der_next(&reader, &text));
    HF_TRY(hf_read_end(&reader));
    enum hf_attr attr = hf_attr_by_oid(oid.value);
    if (attr == HF_ATTR_N) {
        return hf_fail(HF_E_UNSUPPORTED, "a subject with an attribute that isn't known");
    }
    if (!is_text_tag(text.tag)) {
        return hf_fail(HF_E_UNSUPPORTED, "the subject's %s is in an old kind of string",
                       attrs[attr].word);
    }
    return hf_subject_add(out, attr, text.value);
}

static void reverse(struct hf_subject *subject)
{
    for (size_t i = 0; i < subject->n / 2; i++) {
        struct hf_subject_part kept = subject->part[i];
        subject->part[i] = subject->part[subject->n - 1 - i];
        subject->part[subject->n - 1 - i] = kept;
    }
}

enum hf_err hf_subject_from_der(struct hf_bytes name, struct hf_subject *out)
{
    struct hf_reader reader = hf_reader_of(name);
    struct hf_der list, set;
    struct hf_subject subject = {0};
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    enum hf_err err = HF_OK;
    while (err == HF_OK && reader.rest.len) {
        err = hf_der_expect(&reader, HF_ASN1_SET, &set);
        if (err == HF_OK) {
            err = read_rdn(set.value, &subject);
        }
    }
    if (err != HF_OK) {
        hf_subject_done(&subject);
        return err;
    }
    reverse(&subject);
    *out = subject;
    return HF_OK;
}

void hf_subject_write(const struct hf_subject *subject, struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = subject->n; i-- > 0;) {
        const struct hf_subject_part *part = &subject->part[i];
        hf_asn1_open(der, HF_ASN1_SET);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, oid_of(part->attr));
        hf_asn1_text(der, tag_of(part->attr), part->text);
        hf_asn1_close(der);
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
}
