// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_CRL_H
#define HF_TEST_CRL_H

/* Revocation lists for tests, made by libcrypto: nothing of ours writes what ours reads here. */

#include "pki/revoked.h"
#include "testpki.h"

struct testcrl_entry {
    const char *serial; /* hex */
    int reason;         /* -1: none said */
    int64_t at;         /* 0: TESTPKI_NOW - 1 day */
};

struct testcrl_spec {
    const struct testcrl_entry *entries;
    size_t n_entries;
    const char *number;   /* decimal; NULL: none */
    const char *base;     /* deltaCRLIndicator, decimal; NULL: a full list */
    const char *point;    /* as in openssl.cnf: "fullname:URI:http://a/1,onlyuser:TRUE" */
    const char *freshest; /* "URI:http://a/delta" */
    const char *critical; /* OID of a made-up critical extension */
    const char *md;       /* "SHA256"; ignored for Ed25519 */
    bool pss;
    bool v1;
    bool no_key_id;
    int64_t this_update; /* 0: TESTPKI_NOW - 1 hour */
    int64_t next_update; /* 0: TESTPKI_NOW + 1 day; -1: none */
    bool generalized;    /* GeneralizedTime where UTCTime would do */
    EVP_PKEY *with_key;  /* sign with this one; borrowed */
};

/* testcrl_make appends the DER of a list of this issuer. */
void testcrl_make(const struct testpki *issuer, const struct testcrl_spec *spec,
                  struct hf_buf *out);

/* testcrl_read makes it and reads it back: one list. */
struct hf_crl *testcrl_read(const struct testpki *issuer, const struct testcrl_spec *spec);

/* testcrl_parse reads bytes, in pieces of this size (0: at once). */
enum hf_err testcrl_parse(struct hf_bytes bytes, size_t piece, struct hf_crl_lists *out);

/* testcrl_pem appends the list in PEM. */
void testcrl_pem(struct hf_bytes der, struct hf_buf *out);

#endif
