// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_SUBJECT_H
#define HF_CA_SUBJECT_H

/*
 * A subject as a CA handles it: attributes with text, one to an RDN, written as RFC 4514 has them,
 * most specific first ("CN=alice,O=Example"), and put into certificates the other way round.
 */

#include "pki/asn1_write.h"

/* id, RFC 4514 keyword, most characters (RFC 5280 A.1), the last byte of 2.5.4.x; 0: another OID */
#define HF_ATTR_TABLE(X) \
    X(CN, "CN", 64, 3) \
    X(SURNAME, "SN", 64, 4) \
    X(SERIAL_NUMBER, "serialNumber", 64, 5) \
    X(C, "C", 2, 6) \
    X(L, "L", 128, 7) \
    X(ST, "ST", 128, 8) \
    X(STREET, "STREET", 128, 9) \
    X(O, "O", 64, 10) \
    X(OU, "OU", 64, 11) \
    X(TITLE, "title", 64, 12) \
    X(BUSINESS_CATEGORY, "businessCategory", 128, 15) \
    X(POSTAL_CODE, "postalCode", 40, 17) \
    X(GIVEN_NAME, "GN", 64, 42) \
    X(INITIALS, "initials", 64, 43) \
    X(GENERATION, "generationQualifier", 64, 44) \
    X(DN_QUALIFIER, "dnQualifier", 64, 46) \
    X(PSEUDONYM, "pseudonym", 128, 65) \
    X(ORGANIZATION_ID, "organizationIdentifier", 256, 97) \
    X(DC, "DC", 63, 0) \
    X(UID, "UID", 256, 0) \
    X(EMAIL, "emailAddress", 255, 0)

#define HF_ATTR_ENUM(id, word, max, arc) HF_ATTR_##id,
enum hf_attr { HF_ATTR_TABLE(HF_ATTR_ENUM) HF_ATTR_N };
#undef HF_ATTR_ENUM

const char *hf_attr_word(enum hf_attr attr);
size_t hf_attr_max(enum hf_attr attr); /* characters */

/* hf_attr_by_word finds by keyword, any case; HF_ATTR_N: there is none. hf_attr_by_oid likewise by
 * the contents of the identifier. */
enum hf_attr hf_attr_by_word(struct hf_bytes word);
enum hf_attr hf_attr_by_oid(struct hf_bytes oid);

#define HF_SUBJECT_PARTS_MAX 16

struct hf_subject_part {
    enum hf_attr attr;
    char *text; /* UTF-8, printable; owned */
};

/* A zeroed one is valid and empty. Parts are in RFC 4514's order. */
struct hf_subject {
    struct hf_subject_part part[HF_SUBJECT_PARTS_MAX];
    size_t n;
};

void hf_subject_done(struct hf_subject *subject);

/* hf_subject_add checks and appends a part at the end (the least specific). Errors: HF_E_INVALID in
 * words (empty, too long, unprintable, C not of two letters, DC or emailAddress not ASCII). */
enum hf_err hf_subject_add(struct hf_subject *subject, enum hf_attr attr,
                           struct hf_bytes text) HF_MUST_CHECK;

/* hf_subject_copy appends the parts of another, checked when they came. */
enum hf_err hf_subject_copy(struct hf_subject *subject,
                            const struct hf_subject *from) HF_MUST_CHECK;

/* hf_subject_parse reads "CN=alice,O=Example\, Inc." (RFC 4514 without "+" and "#"). An empty text
 * is an empty subject. Errors: HF_E_INVALID in words. */
enum hf_err hf_subject_parse(const char *text, struct hf_subject *out) HF_MUST_CHECK;

/* hf_subject_parse_template is the same for texts with {fields} in them, whose values are checked
 * when they are known. */
enum hf_err hf_subject_parse_template(const char *text, struct hf_subject *out) HF_MUST_CHECK;

/* hf_subject_from_der reads a Name. Errors: HF_E_MALFORMED, HF_E_UNSUPPORTED (several attributes in
 * one RDN, an attribute that is not in the table), HF_E_INVALID. */
enum hf_err hf_subject_from_der(struct hf_bytes name, struct hf_subject *out) HF_MUST_CHECK;

/* hf_subject_get gives the text of the n-th part of that kind, from 0; NULL: there is none. */
const char *hf_subject_get(const struct hf_subject *subject, enum hf_attr attr, size_t n);

/* hf_subject_write appends the Name: PrintableString for C, serialNumber and dnQualifier, IA5String
 * for DC and emailAddress, UTF8String for the others (RFC 5280 4.1.2.4). */
void hf_subject_write(const struct hf_subject *subject, struct hf_asn1 *der);

/* hf_subject_append appends RFC 4514 text. */
enum hf_err hf_subject_append(const struct hf_subject *subject, struct hf_buf *out) HF_MUST_CHECK;

#endif
