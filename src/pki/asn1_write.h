// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_ASN1_WRITE_H
#define HF_PKI_ASN1_WRITE_H

/*
 * Long DER (X.690) in short lines: pki/der_write.h with what certificates are made of, and with one
 * check at the end.
 *
 *     struct hf_asn1 der = hf_asn1_writer(&buf);
 *     hf_asn1_open(&der, HF_DER_SEQUENCE);
 *     hf_asn1_oid(&der, HF_OID("\x55\x04\x03"));
 *     hf_asn1_text(&der, HF_ASN1_UTF8_STRING, "alice");
 *     hf_asn1_close(&der);
 *     HF_TRY(hf_asn1_end(&der));
 *
 * The first failure sticks, and what follows it does nothing: hf_asn1_end tells of it. The buffer
 * then holds a part of what was meant.
 */

#include "base/buf.h"
#include "pki/der_write.h"

#define HF_ASN1_DEPTH_MAX 16

struct hf_asn1 {
    struct hf_buf *buf;
    enum hf_err err;
    unsigned depth;
    size_t open[HF_ASN1_DEPTH_MAX]; /* of hf_der_open */
};

enum {
    HF_ASN1_UTF8_STRING = 0x0c,
    HF_ASN1_PRINTABLE_STRING = 0x13,
    HF_ASN1_IA5_STRING = 0x16,
    HF_ASN1_SET = 0x31,
};

/* The tag of [n], n at most 30. */
#define HF_ASN1_CONTEXT(n)             ((uint8_t)(0x80 | (n)))
#define HF_ASN1_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n)))

/* The contents of an object identifier, or any DER, written as a string: in initializers of static
 * tables, and in expressions. */
#define HF_OID_INIT(bytes_) \
    { \
        (const uint8_t *)(bytes_), sizeof(bytes_) - 1 \
    }
#define HF_OID(bytes_) ((struct hf_bytes)HF_OID_INIT(bytes_))

static inline struct hf_asn1 hf_asn1_writer(struct hf_buf *buf)
{
    return (struct hf_asn1){.buf = buf};
}

/* hf_asn1_open begins a constructed element, or an OCTET STRING that holds others; hf_asn1_close
 * ends the last one opened. hf_asn1_open_bits begins a BIT STRING without unused bits. */
void hf_asn1_open(struct hf_asn1 *der, uint8_t tag);
void hf_asn1_open_bits(struct hf_asn1 *der);
void hf_asn1_close(struct hf_asn1 *der);

/* hf_asn1_put appends one element; hf_asn1_raw appends bytes that are DER already. */
void hf_asn1_put(struct hf_asn1 *der, uint8_t tag, struct hf_bytes value);
void hf_asn1_raw(struct hf_asn1 *der, struct hf_bytes whole);

void hf_asn1_text(struct hf_asn1 *der, uint8_t tag, const char *text);
void hf_asn1_oid(struct hf_asn1 *der, struct hf_bytes oid);
void hf_asn1_null(struct hf_asn1 *der);
void hf_asn1_true(struct hf_asn1 *der); /* false is the default wherever we write one */
void hf_asn1_uint(struct hf_asn1 *der, uint64_t value);

/* hf_asn1_magnitude is an INTEGER that is not negative, from big-endian bytes. */
void hf_asn1_magnitude(struct hf_asn1 *der, struct hf_bytes bytes);

/* hf_asn1_flags is a BIT STRING of named bits, bit 0 of X.680 being the lowest of `flags`; zeros at
 * its end are left out. */
void hf_asn1_flags(struct hf_asn1 *der, uint32_t flags);

/* hf_asn1_time is UTCTime through 2049 and GeneralizedTime from then on (RFC 5280 4.1.2.5). Errors:
 * HF_E_INVALID outside of the years 1950 to 9999. hf_asn1_general_time is always the latter. */
void hf_asn1_time(struct hf_asn1 *der, int64_t unix_s);
void hf_asn1_general_time(struct hf_asn1 *der, int64_t unix_s);

/* hf_asn1_end gives the first failure, also HF_E_INTERNAL when something is still open. */
enum hf_err hf_asn1_end(const struct hf_asn1 *der) HF_MUST_CHECK;

#endif
