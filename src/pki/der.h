// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DER_H
#define HF_PKI_DER_H

#include "base/bytes.h"

/* One element of DER (X.690): definite lengths in their shortest form, one-byte tags. */
struct hf_der {
    uint8_t tag;
    struct hf_bytes value;
    struct hf_bytes whole; /* with tag and length */
};

enum {
    HF_DER_BOOLEAN = 0x01,
    HF_DER_INTEGER = 0x02,
    HF_DER_BIT_STRING = 0x03,
    HF_DER_OCTET_STRING = 0x04,
    HF_DER_NULL = 0x05,
    HF_DER_OID = 0x06,
    HF_DER_ENUMERATED = 0x0a,
    HF_DER_UTC_TIME = 0x17,
    HF_DER_GENERALIZED_TIME = 0x18,
    HF_DER_SEQUENCE = 0x30,
    HF_DER_CONTEXT_0 = 0xa0, /* constructed; [1] to [30] follow */
};

/* hf_der_next takes one element off the front. Errors: HF_E_TRUNCATED, HF_E_MALFORMED. */
enum hf_err hf_der_next(struct hf_reader *reader, struct hf_der *out) HF_MUST_CHECK;

/* hf_der_expect is the same and wants this tag. Errors also: HF_E_MALFORMED for another. */
enum hf_err hf_der_expect(struct hf_reader *reader, uint8_t tag, struct hf_der *out) HF_MUST_CHECK;

/* hf_der_time reads the content of a date of RFC 5280 4.1.2.5: YYMMDDHHMMSSZ as UTCTime, or
 * YYYYMMDDHHMMSSZ as GeneralizedTime; Unix seconds. Errors: HF_E_MALFORMED. */
enum hf_err hf_der_time(const struct hf_der *der, int64_t *out) HF_MUST_CHECK;

/* hf_der_peek gives the tag of the next element, 0 at the end. */
uint8_t hf_der_peek(const struct hf_reader *reader);

#endif
