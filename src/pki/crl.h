// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CRL_H
#define HF_PKI_CRL_H

/*
 * struct hf_crl is one certificate revocation list (RFC 5280 5): full, delta or a shard of one,
 * read in a single pass from bytes that come in pieces. Only what a verdict needs is kept: a list
 * of a million entries costs 18 MB, and no moment of its loading much more.
 *
 * The signature is checked over the same pass: the bytes are hashed as they go by, and the digest
 * is checked against the key of an issuer when that is known, which may be later, when a chain
 * shows it. An unchecked list decides nothing.
 *
 * Immutable but for the memory of that check; counted by references; any thread.
 */

#include "base/buf.h"
#include "crypto/hash.h"
#include "pki/cert.h"
#include "pki/serials.h"

#define HF_CRL_ELEMENT_MAX (64u << 10) /* one element of a list: an entry, the extensions ... */
#define HF_CRL_NAMES_MAX   32          /* names of a distribution point, of freshest CRLs */
#define HF_CRL_URI_MAX     2048

struct hf_crl_limits {
    uint64_t size_max;  /* bytes of one list in DER */
    size_t n_max;       /* entries of one list */
    size_t n_lists_max; /* lists in one file */
};

/* 512 MiB, 12 million entries, 4096 lists. */
extern const struct hf_crl_limits hf_crl_limits_default;

/* Reasons that a list covers (IssuingDistributionPoint.onlySomeReasons). */
#define HF_CRL_ALL_REASONS 0x1ffu

struct hf_crl_signature; /* what remains to be checked, and what was */

struct hf_crl {
    atomic_uint refs;
    char *label;           /* of the file or URL it came from */
    X509_NAME *issuer;     /* owned */
    char *issuer_text;     /* RFC 4514 */
    struct hf_span key_id; /* owned; authorityKeyIdentifier's; empty: none */
    bool has_number;
    struct hf_serial number;
    bool is_delta;
    struct hf_serial base; /* of a delta: the number of the list that it adds to */
    int64_t this_update;   /* Unix seconds */
    int64_t next_update;   /* 0: the list doesn't say */

    /* issuingDistributionPoint (5.2.5) */
    bool has_point;
    char *point[HF_CRL_NAMES_MAX]; /* URIs of its full name; owned */
    size_t n_points;
    bool only_users, only_cas;
    unsigned reasons; /* bits as in ReasonFlags, HF_CRL_ALL_REASONS when it doesn't say */

    char *freshest[HF_CRL_NAMES_MAX]; /* where deltas are, owned */
    size_t n_freshest;

    struct hf_serials *serials;
    struct hf_crl_signature *signature;
    uint64_t size;                  /* bytes of its DER */
    uint8_t sha256[HF_SHA256_SIZE]; /* of its DER */
};

struct hf_crl *hf_crl_ref(struct hf_crl *crl);
void hf_crl_unref(struct hf_crl *crl);

/* hf_crl_number_text writes the number in hex, or "-" where there is none. */
#define HF_CRL_NUMBER_TEXT (2 * HF_SERIAL_MAX + 1)
void hf_crl_number_text(const struct hf_crl *crl, char out[static HF_CRL_NUMBER_TEXT]);

/* hf_crl_number_order compares two numbers: negative, 0, positive. */
int hf_crl_number_order(const struct hf_serial *a, const struct hf_serial *b);

/* hf_crl_newer: was a made after b? By number where both have one, else by date. */
bool hf_crl_newer(const struct hf_crl *a, const struct hf_crl *b);

/* hf_crl_same_scope: are both lists for the same certificates (issuer, point, kinds, reasons), so
 * that the one with the higher number replaces the other, and a delta of it adds to it? */
bool hf_crl_same_scope(const struct hf_crl *a, const struct hf_crl *b);

/*
 * hf_crl_verified: is it signed by this issuer? The answer is remembered by the issuer's key, so
 * that a handshake asks for nothing twice. The issuer's name must be the list's, and its key usage
 * must allow to sign lists. Any thread.
 */
bool hf_crl_verified(const struct hf_crl *crl, const struct hf_cert *issuer);

/* --- Reading ------------------------------------------------------------------------------------
 *
 *     hf_crl_reader_new(&limits, "partners.crl", &reader)
 *     hf_crl_reader_feed(reader, bytes)          any number of times, any pieces
 *     hf_crl_reader_end(reader, &lists)          the file is over
 *
 * PEM with any number of lists (other blocks are skipped), or DER with one.
 */

struct hf_crl_reader;

struct hf_crl_lists {
    struct hf_crl **item; /* owned references */
    size_t n;
};

enum hf_err hf_crl_reader_new(const struct hf_crl_limits *limits, const char *label,
                              struct hf_crl_reader **out) HF_MUST_CHECK;

/* Errors, all in words: HF_E_MALFORMED, HF_E_TOO_LARGE, HF_E_UNSUPPORTED (an indirect list, an
 * unknown critical extension, a signature algorithm that is weak or unknown), HF_E_NOMEM. After one
 * the reader stays failed. */
enum hf_err hf_crl_reader_feed(struct hf_crl_reader *reader, struct hf_bytes bytes) HF_MUST_CHECK;

/* hf_crl_reader_end hands the lists over. Errors also: HF_E_TRUNCATED, HF_E_NOT_FOUND (no list). */
enum hf_err hf_crl_reader_end(struct hf_crl_reader *reader, struct hf_crl_lists *out) HF_MUST_CHECK;
void hf_crl_reader_free(struct hf_crl_reader *reader);
void hf_crl_lists_done(struct hf_crl_lists *lists);

#endif
