// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BENCH_FLEET_H
#define HF_BENCH_FLEET_H

#include "tls/tls.h"

/*
 * A fleet of clients, each with a certificate of its own: the template's, under another serial and
 * common name, signed by the CA that issued it. The keys are all one: nobody but the client could
 * tell.
 */
struct fleet {
    struct hf_credential *template;
    EVP_PKEY *ca_key; /* of the template's issuer, which is its chain's second certificate */
};

/* fleet_open takes over a reference to template, also on failure. */
enum hf_err fleet_open(struct fleet *fleet, struct hf_credential *template,
                       const char *ca_key_path) HF_MUST_CHECK;

/* fleet_member makes the number-th credential. */
enum hf_err fleet_member(const struct fleet *fleet, unsigned number,
                         struct hf_credential **out) HF_MUST_CHECK;
void fleet_done(struct fleet *fleet);

#endif
