// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_IDENTITY_H
#define HF_PKI_IDENTITY_H

/*
 * struct hf_identity is who a certificate says its holder is, as text that is safe to print, to log
 * and to put in a header: every string went through hf_append_printable and is at most
 * HF_IDENTITY_TEXT_MAX bytes. A name that held a NUL, was cut or escaped sets `mangled`, and is
 * never used for matching. Immutable, counted by references, any thread.
 */

#include "pki/cert.h"

#define HF_IDENTITY_TEXT_MAX  2048 /* of one name; a SPIFFE ID may be that long */
#define HF_IDENTITY_NAMES_MAX 256  /* SANs kept per kind; more set `mangled` */

struct hf_names_list {
    char **name;
    size_t n;
};

struct hf_identity {
    atomic_uint refs;
    char *subject; /* RFC 4514, "" when empty */
    char *issuer;  /* RFC 4514 */
    char *cn;      /* the most specific CN; NULL when there is none; likewise o and ou */
    char *o;
    char *ou;
    char *serial;             /* lower-case hex, no leading zeros ("0" for zero) */
    struct hf_names_list dns; /* lower case */
    struct hf_names_list uri;
    struct hf_names_list email;
    struct hf_names_list ip; /* RFC 5952 text */
    struct hf_names_list
        other;      /* "upn:alice@example.org", "dn:CN=...", "rid:1.2.3", "1.2.3:#0c..." */
    char *spiffe;   /* the one valid SPIFFE ID; NULL otherwise */
    char *key_type; /* "EC P-256", "RSA 2048", "Ed25519" ... */
    char sha256[2 * HF_SHA256_SIZE + 1];
    char spki_sha256[2 * HF_SHA256_SIZE + 1];
    int64_t not_before;
    int64_t not_after;
    bool mangled;
};

/* hf_identity_new reads all names out of cert, at the first call; later ones give the same object,
 * which the certificate keeps. Any thread. A subjectAltName that can't be parsed gives none and
 * sets `mangled`: such a certificate must still be nameable in a log line. Errors: HF_E_NOMEM,
 * HF_E_MALFORMED. */
enum hf_err hf_identity_new(const struct hf_cert *cert, struct hf_identity **out) HF_MUST_CHECK;
struct hf_identity *hf_identity_ref(struct hf_identity *identity);
void hf_identity_unref(struct hf_identity *identity);

/* struct hf_identity_parts is what the maker of a certificate knows of it. All is borrowed. */
struct hf_identity_parts {
    struct hf_bytes subject, issuer; /* Names in DER */
    struct hf_bytes serial;          /* big-endian magnitude */
    struct hf_bytes alt_names;       /* GeneralNames in DER; empty: none */
    const EVP_PKEY *key;             /* the certificate's */
    const uint8_t *sha256;           /* of the certificate's DER; HF_SHA256_SIZE bytes */
    const uint8_t *spki_sha256;
    int64_t not_before, not_after;
};

/* hf_identity_of_parts gives what hf_identity_new would give of the certificate, without parsing
 * it: libcrypto takes longer for that than for the signature in it. Errors: HF_E_NOMEM,
 * HF_E_MALFORMED. */
enum hf_err hf_identity_of_parts(const struct hf_identity_parts *from,
                                 struct hf_identity **out) HF_MUST_CHECK;

/* hf_identity_display picks the name that people know the peer by: SPIFFE ID, CN, first DNS name,
 * first email, first URI, subject, or the fingerprint. Never NULL; lives as long as identity. */
const char *hf_identity_display(const struct hf_identity *identity);

/* hf_spiffe_check applies the SPIFFE ID rules (spiffe:// scheme, trust domain and path characters,
 * no empty, "." or ".." segments, 2048 bytes). Errors: HF_E_INVALID in words. */
enum hf_err hf_spiffe_check(struct hf_bytes uri) HF_MUST_CHECK;

/* hf_host_match: does the pattern (exact, or "*.example.org" for exactly one label; RFC 9525) cover
 * the host? Both ASCII, any case; a trailing dot of host is ignored. */
bool hf_host_match(const char *pattern, const char *host);

/* hf_is_address: is host an IPv4 or IPv6 address (without brackets)? */
bool hf_is_address(const char *host);

/* hf_cert_names_host checks SAN DNS names, or SAN IPs when host is an address; never CN. */
bool hf_cert_names_host(const struct hf_identity *identity, const char *host);

#endif
