// SPDX-License-Identifier: Apache-2.0
#include "making.h"

#include <stdio.h>
#include <stdlib.h>

int64_t making_now = MAKING_NOW;

static void need(enum hf_err err, const char *what)
{
    if (err != HF_OK) {
        fprintf(stderr, "# %s: %s\n", what, hf_err_text());
        abort();
    }
}

struct hf_cert_profile *making_builtin(const char *name)
{
    struct hf_cert_profile *profile = NULL;
    need(hf_cert_profile_builtin(name, &profile), name);
    return profile;
}

EVP_PKEY *making_key(enum hf_key_kind kind)
{
    EVP_PKEY *key = NULL;
    need(hf_key_kind_make(kind, &key), "a key");
    return key;
}

struct hf_public_key *making_public(const EVP_PKEY *key)
{
    struct hf_public_key *public = NULL;
    need(hf_public_key_of(key, &public), "a public key");
    return public;
}

static struct making_ca make(const struct making_ca *above, enum hf_key_kind kind,
                             const struct hf_cert_facts *more, const char *cn)
{
    struct making_ca ca = {.key = making_key(kind)};
    struct hf_cert_profile *profile = making_builtin(above ? "ca" : "root");
    struct hf_subject subject = {0};
    struct hf_made_cert made;
    enum hf_refusal why;
    ca.public = making_public(ca.key);
    need(hf_subject_parse(cn, &subject), cn);
    struct hf_cert_facts facts = more ? *more : (struct hf_cert_facts){0};
    facts.key = ca.public;
    facts.subject = &subject;
    need(above ? hf_cert_make(profile, &facts, above->issuer, making_now, &hf_os_rng, &made, &why)
               : hf_cert_make_root(profile, &facts, ca.key, making_now, &hf_os_rng, &made, &why),
         cn);
    need(hf_cert_from_der(hf_buf_bytes(&made.der), &ca.cert), cn);
    need(hf_issuer_new(ca.cert, ca.key, &ca.issuer), cn);
    if (above) {
        need(hf_issuer_under(ca.issuer, above->cert), cn);
    }
    hf_made_cert_done(&made);
    hf_subject_done(&subject);
    hf_cert_profile_unref(profile);
    return ca;
}

struct making_ca making_root(enum hf_key_kind kind)
{
    return make(NULL, kind, NULL, "CN=Test Root,O=Example");
}

struct making_ca making_below(const struct making_ca *above, enum hf_key_kind kind,
                              const struct hf_cert_facts *more)
{
    return make(above, kind, more, "CN=Test Issuing,O=Example");
}

void making_ca_done(struct making_ca *ca)
{
    hf_issuer_unref(ca->issuer);
    hf_cert_unref(ca->cert);
    hf_public_key_free(ca->public);
    EVP_PKEY_free(ca->key);
    *ca = (struct making_ca){0};
}
