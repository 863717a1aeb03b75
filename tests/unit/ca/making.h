// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_MAKING_H
#define HF_TEST_MAKING_H

/* A CA in memory, for tests of what is made: by the code under test itself, at a fixed time. A
 * failure ends the test program with a message. */

#include "ca/cert_make.h"
#include "os/clock.h"

#define MAKING_NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */

/* When the CAs are made: MAKING_NOW, unless a program that others look at changes it. */
extern int64_t making_now;

struct making_ca {
    EVP_PKEY *key;
    struct hf_public_key *public;
    struct hf_cert *cert;
    struct hf_issuer *issuer;
};

struct hf_cert_profile *making_builtin(const char *name);
EVP_PKEY *making_key(enum hf_key_kind kind);
struct hf_public_key *making_public(const EVP_PKEY *key);

/* making_root makes a root, making_below a CA below it that has a path length of `path_len`. */
struct making_ca making_root(enum hf_key_kind kind);
struct making_ca making_below(const struct making_ca *above, enum hf_key_kind kind,
                              const struct hf_cert_facts *more);
void making_ca_done(struct making_ca *ca);

#endif
