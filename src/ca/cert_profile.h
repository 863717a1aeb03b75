// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CERT_PROFILE_H
#define HF_CA_CERT_PROFILE_H

/*
 * struct hf_cert_profile is what certificates of one kind look like, and who may have them: plain
 * data out of YAML, which docs/ca-profiles.md describes. Immutable, counted by references, any
 * thread.
 *
 *     name: laptop
 *     extends: device
 *     keys: [p256, ed25519]
 *     subject: "CN={cn},OU=Laptops,O=Example"
 *     names:
 *       dns: {allow: ["*.laptops.example.org"], required: true}
 *     lifetime: 30d
 *     ask: [ops, "spiffe://example.org/mdm-*"]
 */

#include <stdatomic.h>

#include "ca/alt_name.h"
#include "ca/public_key.h"
#include "ca/refusal.h"
#include "ca/subject.h"
#include "config/arena.h"
#include "config/config.h"
#include "policy/selector.h"

/* Bits of KeyUsage (RFC 5280 4.2.1.3): id, number, word in profiles. */
#define HF_KEY_USAGE_TABLE(X) \
    X(DIGITAL_SIGNATURE, 0, "digital-signature") \
    X(CONTENT_COMMITMENT, 1, "content-commitment") \
    X(KEY_ENCIPHERMENT, 2, "key-encipherment") \
    X(DATA_ENCIPHERMENT, 3, "data-encipherment") \
    X(KEY_AGREEMENT, 4, "key-agreement") \
    X(CERT_SIGN, 5, "cert-sign") \
    X(CRL_SIGN, 6, "crl-sign") \
    X(ENCIPHER_ONLY, 7, "encipher-only") \
    X(DECIPHER_ONLY, 8, "decipher-only")

#define HF_KEY_USAGE_ENUM(id, bit, word) HF_KEY_USAGE_##id = 1 << (bit),
enum hf_key_usage { HF_KEY_USAGE_TABLE(HF_KEY_USAGE_ENUM) };
#undef HF_KEY_USAGE_ENUM

enum hf_profile_approval {
    HF_APPROVAL_NONE,  /* issued at once */
    HF_APPROVAL_FIRST, /* a person approves the first; renewals are issued at once */
    HF_APPROVAL_ALWAYS,
};

enum hf_profile_kind {
    HF_PROFILE_KIND_LEAF,
    HF_PROFILE_KIND_CA,   /* signed by another CA; also the root where it signs itself */
    HF_PROFILE_KIND_OCSP, /* a delegated OCSP signer (RFC 6960 4.2.2.2), with ocsp-nocheck */
};

/* Patterns: policy/glob.h for text, where "*" stays within a label or segment; networks for IP. */
struct hf_name_pattern {
    const char *text; /* as written */
    struct hf_bytes compiled;
    struct hf_cidr network; /* IP */
};

/* What is allowed of one kind of alternative names. */
struct hf_name_rule {
    bool allowed;
    unsigned min, max;                    /* how many; max at most HF_ALT_NAMES_MAX */
    bool wildcard;                        /* DNS: may names begin with "*."? */
    struct hf_name_pattern *allow, *deny; /* no `allow`: everything. `deny` wins */
    size_t n_allow, n_deny;
};

/* What may ask for certificates: roles by name, and selectors (policy/selector.h). */
struct hf_profile_ask {
    const char *text;
    struct hf_selector *selector; /* NULL: text is a role */
};

struct hf_cert_profile {
    atomic_uint refs;
    const char *name;
    const char *about; /* one line; "" when there is none */
    enum hf_profile_kind kind;
    uint32_t keys;                /* bits 1 << enum hf_key_kind */
    enum hf_key_kind key_default; /* the first that was written */
    uint32_t key_usage;           /* bits of enum hf_key_usage; see hf_cert_profile_usage */
    struct hf_bytes *eku;         /* contents of OIDs; at least one but for CAs */
    size_t n_eku;
    struct hf_bytes *policies; /* certificatePolicies; contents of OIDs */
    size_t n_policies;
    struct hf_subject subject; /* texts may hold {fields}; see hf_cert_profile_subject */
    bool subject_any;          /* no template: the subject that was asked for */
    struct hf_name_rule names[HF_ALT_N];
    bool host_name;         /* a certificate without a DNS name or address is refused */
    bool must_staple;       /* TLS feature status_request (RFC 7633) */
    int path_len;           /* CA: -1 none */
    int64_t lifetime_s;     /* what is given when nobody asks for another */
    int64_t lifetime_max_s; /* the most that may be asked for */
    int64_t backdate_s;     /* notBefore lies that much before now */
    int64_t renew_before_s; /* renewal is allowed from that long before the end */
    int64_t renew_after_s;  /* ... until that long after it; 0: not after */
    enum hf_profile_approval approval;
    const char *const *authorities; /* who may sign, the first of them where nobody is named; none:
                                       the one that issues */
    size_t n_authorities;
    struct hf_profile_ask *ask; /* none: nobody but the operator */
    size_t n_ask;
    const char *yaml;      /* as it was written */
    struct hf_arena arena; /* of all that is pointed to; private */
};

/* hf_cert_profile_words is the names of those built in, ending with NULL: "user", "service",
 * "device", "server", "ca", "root" and "ocsp-signer". */
extern const char *const hf_cert_profile_words[];

/* hf_cert_profile_builtin gives a reference. Errors: HF_E_NOT_FOUND (no such name), HF_E_NOMEM. */
enum hf_err hf_cert_profile_builtin(const char *name, struct hf_cert_profile **out) HF_MUST_CHECK;

/* hf_cert_profile_builtin_yaml is the text of one built in, for people to begin with; NULL: there
 * is none. */
const char *hf_cert_profile_builtin_yaml(const char *name);

#define HF_PROFILE_YAML_MAX (64u << 10)

/*
 * hf_cert_profile_parse reads one profile. All that is wrong goes to findings with line and column;
 * the result is then HF_E_CONFIG with a sentence that counts them. `extends` takes names of those
 * built in. Nothing is put in from the environment. file names the text in messages. Errors also:
 * HF_E_TOO_LARGE, HF_E_NOMEM.
 */
enum hf_err hf_cert_profile_parse(struct hf_bytes yaml, const char *file,
                                  struct hf_findings *findings,
                                  struct hf_cert_profile **out) HF_MUST_CHECK;
struct hf_cert_profile *hf_cert_profile_ref(struct hf_cert_profile *profile);
void hf_cert_profile_unref(struct hf_cert_profile *profile);
void hf_cert_profile_unrefp(struct hf_cert_profile **profile);

/* hf_cert_profile_may_ask: may the one with this identity, which was verified (NULL: none), and
 * these roles ask for it? UNKNOWN where names can't be relied on; only YES lets in. Errors:
 * HF_E_NOMEM. */
enum hf_err hf_cert_profile_may_ask(const struct hf_cert_profile *profile,
                                    const struct hf_identity *identity, const char *const *roles,
                                    size_t n_roles, enum hf_match *out) HF_MUST_CHECK;

/* The checks of one wish; each gives HF_E_INVALID in words and sets *out_why. */
enum hf_err hf_cert_profile_check_key(const struct hf_cert_profile *profile,
                                      const struct hf_public_key *key,
                                      enum hf_refusal *out_why) HF_MUST_CHECK;
enum hf_err hf_cert_profile_check_names(const struct hf_cert_profile *profile,
                                        const struct hf_alt_names *names,
                                        enum hf_refusal *out_why) HF_MUST_CHECK;

/* hf_cert_profile_allows holds one name to the rule of its kind, without counting. */
enum hf_err hf_cert_profile_allows(const struct hf_cert_profile *profile,
                                   const struct hf_alt_name *name) HF_MUST_CHECK;

/*
 * hf_cert_profile_subject makes the subject: each part of the template, where the fields {cn}, {o},
 * {ou} are the attributes asked for, {dns}, {email}, {uri}, {upn}, {ip} the first such name. A part
 * with a field that has no value is left out; {cn!} refuses instead. Without a template it is what
 * was asked for.
 */
enum hf_err hf_cert_profile_subject(const struct hf_cert_profile *profile,
                                    const struct hf_subject *wanted,
                                    const struct hf_alt_names *names, struct hf_subject *out,
                                    enum hf_refusal *out_why) HF_MUST_CHECK;

/* hf_cert_profile_usage is the profile's key usage without what a key of that kind can't do (RFC
 * 5480 3, RFC 8410 5): an EC key enciphers no keys, an RSA key agrees on none. */
uint32_t hf_cert_profile_usage(const struct hf_cert_profile *profile, enum hf_key_kind kind);

/* hf_cert_profile_renewable: may a certificate with this end be renewed now? *out_late: only after
 * its end, which wants proof of the old key and approval. */
bool hf_cert_profile_renewable(const struct hf_cert_profile *profile, int64_t not_after,
                               int64_t now, bool *out_late);

#endif
