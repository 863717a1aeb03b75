// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_PKI_H
#define HF_TEST_PKI_H

/*
 * A throw-away PKI for tests, made in memory by libcrypto: good certificates by default, and any
 * single thing wrong with them on request. Nothing here returns an error: a failure ends the test
 * program with a message.
 *
 *     struct testpki *root = testpki_root("Root");
 *     struct testpki *leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, "DNS:a.example");
 *     struct hf_chain *chain = testpki_chain(leaf);
 *     struct hf_trust *trust = testpki_trust(root, 3);
 *     ...
 *     testpki_free(leaf); testpki_free(root);
 */

#include "pki/credential.h"
#include "pki/trust.h"

/* All certificates are made around this instant, so that tests don't depend on the clock. */
#define TESTPKI_NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define TESTPKI_DAY INT64_C(86400)

struct testpki {
    X509 *x509;
    EVP_PKEY *key;
    struct hf_cert *cert;
    const struct testpki *issuer; /* borrowed; NULL: signed by itself */
};

struct testpki_spec {
    const char *cn; /* NULL: no CN */
    const char *o;
    struct hf_bytes cn_raw; /* in place of cn: any bytes ... */
    int cn_type;            /* ... as this type, V_ASN1_UTF8STRING when 0 */
    bool ca;
    int path_len;          /* of a CA; 0 means none, so give 1 for "0", 2 for "1" ... */
    const char *san;       /* as in openssl.cnf: "DNS:a,URI:b,IP:127.0.0.1"; NULL: none */
    const char *eku;       /* "clientAuth,serverAuth"; NULL: none */
    const char *ku;        /* NULL: what fits; "": none */
    const char *bc;        /* basicConstraints; NULL: what fits; "": none */
    const char *nc;        /* nameConstraints: "permitted;DNS:.example" */
    const char *cdp;       /* crlDistributionPoints: "URI:http://ca/1.crl" */
    const char *aia;       /* authorityInfoAccess: "OCSP;URI:http://ca/ocsp" */
    bool no_check;         /* ocsp-nocheck, of those who sign OCSP answers */
    bool must_staple;      /* tlsfeature: status_request */
    bool san_twice;        /* the subjectAltName extension is there two times */
    const char *critical;  /* OID of a made-up critical extension */
    const char *key;       /* "P-256" (default), "P-384", "ED25519", "RSA-2048", "RSA-1024" ... */
    const char *md;        /* "SHA256" by default */
    int64_t not_before;    /* 0: ten days before TESTPKI_NOW */
    int64_t not_after;     /* 0: a hundred days after it, ten years for a CA */
    bool v1;               /* version 1, no extensions at all */
    bool no_key_ids;       /* leave out subject and authority key identifiers */
    EVP_PKEY *with_key;    /* use this key; borrowed */
    const X509_NAME *name; /* use this subject; borrowed */
};

/* testpki_make makes one certificate; issuer NULL: signed by itself. */
struct testpki *testpki_make(const struct testpki *issuer, const struct testpki_spec *spec);
struct testpki *testpki_root(const char *cn);
struct testpki *testpki_intermediate(const struct testpki *issuer, const char *cn);
struct testpki *testpki_leaf(const struct testpki *issuer, const char *cn, enum hf_usage usage,
                             const char *san);
void testpki_free(struct testpki *pki);

/* testpki_chain holds leaf and its issuers without the root (unless leaf is one). */
struct hf_chain *testpki_chain(const struct testpki *leaf);

/* testpki_chain_of holds exactly these, in this order; ends with NULL. */
struct hf_chain *testpki_chain_of(const struct testpki *first, ...);

struct hf_trust *testpki_trust(const struct testpki *root, unsigned depth);

/* testpki_credential is leaf's chain with its key. */
struct hf_credential *testpki_credential(const struct testpki *leaf);

/* PEM as C strings, freed with testpki_text_free. passphrase NULL: not encrypted. */
char *testpki_cert_pem(const struct testpki *pki);
char *testpki_chain_pem(const struct testpki *leaf);
char *testpki_key_pem(const EVP_PKEY *key, const char *passphrase);
void testpki_text_free(char *text);

/* testpki_key makes a key as testpki_spec.key says. */
EVP_PKEY *testpki_key(const char *kind);

#endif
