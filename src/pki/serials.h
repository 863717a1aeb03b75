// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_SERIALS_H
#define HF_PKI_SERIALS_H

/*
 * struct hf_serials is the set of serial numbers on one revocation list, with when and why each was
 * revoked: compact, read-only, any thread.
 *
 * A million random 128-bit serials take 18.3 MB: 14 bytes of the serial, 4 for date and reason, and
 * one index of 256 KiB. A lookup waits for memory about once, whatever the serials look like.
 */

#include <openssl/asn1.h>

#include "base/bytes.h"
#include "base/pages.h"

/* RFC 5280 4.1.2.2 allows 20 octets; some CAs pass it. */
#define HF_SERIAL_MAX 23

/* A serial number: magnitude, big-endian, without leading zeros. Zero has len 0. */
struct hf_serial {
    uint8_t byte[HF_SERIAL_MAX];
    uint8_t len;
    bool negative; /* outside RFC 5280, and seen in the wild: then byte is the two's complement */
};

/* hf_serial_from_der reads the content of a DER INTEGER. Errors: HF_E_MALFORMED (empty, or not in
 * its shortest form), HF_E_TOO_LARGE. */
enum hf_err hf_serial_from_der(struct hf_bytes content, struct hf_serial *out) HF_MUST_CHECK;

/* hf_serial_from_hex reads what people write: hex digits, either case, colons anywhere between two
 * of them. Errors: HF_E_MALFORMED, HF_E_TOO_LARGE. */
enum hf_err hf_serial_from_hex(const char *text, struct hf_serial *out) HF_MUST_CHECK;

/* hf_serial_of_x509 takes it from libcrypto's form, as X509_get0_serialNumber gives it. Errors:
 * HF_E_TOO_LARGE. */
enum hf_err hf_serial_of_x509(const ASN1_INTEGER *integer, struct hf_serial *out) HF_MUST_CHECK;
bool hf_serial_eq(const struct hf_serial *a, const struct hf_serial *b);

/* Why a certificate was revoked (RFC 5280 5.3.1): number, name as in the RFC. */
#define HF_REVOKED_FOR_TABLE(X) \
    X(UNSPECIFIED, 0, "unspecified") \
    X(KEY_COMPROMISE, 1, "keyCompromise") \
    X(CA_COMPROMISE, 2, "cACompromise") \
    X(AFFILIATION_CHANGED, 3, "affiliationChanged") \
    X(SUPERSEDED, 4, "superseded") \
    X(CESSATION, 5, "cessationOfOperation") \
    X(HOLD, 6, "certificateHold") \
    X(REMOVED, 8, "removeFromCRL") \
    X(PRIVILEGE_WITHDRAWN, 9, "privilegeWithdrawn") \
    X(AA_COMPROMISE, 10, "aACompromise")

#define HF_REVOKED_FOR_ENUM(id, number, name) HF_REVOKED_FOR_##id = (number),
enum hf_revoked_for { HF_REVOKED_FOR_TABLE(HF_REVOKED_FOR_ENUM) };
#undef HF_REVOKED_FOR_ENUM

/* hf_revoked_for_name gives NULL for a number that the RFC doesn't define. */
const char *hf_revoked_for_name(unsigned number);

struct hf_revocation_entry {
    int64_t at; /* Unix seconds, to the minute; dates before 1970 count as 1970 */
    enum hf_revoked_for why;
};

struct hf_serials;

/* --- Making one ---------------------------------------------------------------------------------
 * A zeroed builder is valid and empty; max bounds how many it takes (0: none).
 */

enum { HF_SERIALS_CLASSES = 3 };

struct hf_serials_builder {
    struct {
        struct hf_pages pages;
        size_t n;
    } of[HF_SERIALS_CLASSES]; /* by length of the serial: up to 8 bytes, 16, and all others */
    size_t max;
};

/* Errors: HF_E_TOO_LARGE beyond max, HF_E_NOMEM. */
enum hf_err hf_serials_add(struct hf_serials_builder *builder, const struct hf_serial *serial,
                           struct hf_revocation_entry entry) HF_MUST_CHECK;

/* hf_serials_build sorts in place and takes the builder's memory, which is then empty. Of a serial
 * that was given twice, an entry that revokes counts before one that takes back. Errors:
 * HF_E_NOMEM. */
enum hf_err hf_serials_build(struct hf_serials_builder *builder,
                             struct hf_serials **out) HF_MUST_CHECK;
void hf_serials_builder_done(struct hf_serials_builder *builder);
void hf_serials_free(struct hf_serials *serials);

/* --- Asking -------------------------------------------------------------------------------------
 */

/* hf_serials_find: is it there? out may be NULL. */
bool hf_serials_find(const struct hf_serials *serials, const struct hf_serial *serial,
                     struct hf_revocation_entry *out);
size_t hf_serials_count(const struct hf_serials *serials);
size_t hf_serials_memory(const struct hf_serials *serials); /* bytes */

#endif
