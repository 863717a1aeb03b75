// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_OCSP_H
#define HF_TEST_OCSP_H

/* OCSP answers for tests, made by libcrypto: nothing of ours writes what ours reads here. */

#include "pki/ocsp_answer.h"
#include "testpki.h"

struct testocsp_spec {
    const struct testpki *about;  /* certificates, issued by issuer */
    const struct testpki *about2; /* a second one; NULL: none */
    const struct testpki *issuer; /* of the CertIDs */
    const struct testpki *signer; /* NULL: issuer */
    int status;                   /* V_OCSP_CERTSTATUS_GOOD ... */
    int reason;                   /* of revocation; -1: none said */
    const char *hash;             /* of the CertID; NULL: "SHA1" */
    const char *md;               /* of the signature; NULL: "SHA256" */
    int64_t this_update;          /* 0: TESTPKI_NOW - 1 hour */
    int64_t next_update;          /* 0: TESTPKI_NOW + 1 day; -1: none */
    int64_t produced_at;          /* 0: now */
    const char *nonce;            /* NULL: none */
    bool by_key;
    bool no_certs;
};

/* testocsp_make appends the DER of an answer. */
void testocsp_make(const struct testocsp_spec *spec, struct hf_buf *out);

/* testocsp_read makes it and reads it back. */
struct hf_ocsp_answer *testocsp_read(const struct testocsp_spec *spec);

/* testocsp_signer makes a delegated signer; no_check: with ocsp-nocheck. */
struct testpki *testocsp_signer(const struct testpki *issuer, const char *eku, bool no_check);

#endif
