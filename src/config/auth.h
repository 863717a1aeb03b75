// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_AUTH_H
#define HF_CONFIG_AUTH_H

/*
 * The typed configuration of credentials beside the certificate, and of limits. Part of
 * config/config.h, whose rules hold here too.
 */

#include "config/parts.h"
#include "policy/jwt.h"
#include "policy/rate.h"

struct hf_cfg_trust;

/* What a claim must be, as policy/jwt.h has it. */
struct hf_cfg_claims {
    struct hf_jwt_claim *item;
    size_t n;
};

struct hf_cfg_jwt {
    struct hf_cfg_string jwks; /* a file, or a URL */
    bool jwks_is_url;
    struct hf_cfg_trust *jwks_trust; /* borrowed; NULL: the system's roots */
    int64_t refresh_ms;
    struct hf_cfg_strings issuer;
    struct hf_cfg_strings audience;
    bool unsafe_any_audience;
    struct hf_mark unsafe_any_audience_mark;
    int *algorithms; /* enum hf_jws_alg */
    size_t n_algorithms;
    struct hf_cfg_strings types;
    struct hf_cfg_strings scopes;
    struct hf_cfg_claims claims;
    int64_t leeway_ms;
    int64_t max_age_ms;
    enum hf_jwt_bound bound;
    struct hf_cfg_string header; /* lower case */
    struct hf_cfg_string realm;
    bool forward;

    /* made of the above */
    uint32_t algs;
    struct hf_jwt_rules rules;
};

/* How often: at most `burst` at once, then the rate. interval_ns 0: no limit. */
struct hf_cfg_rate {
    struct hf_rate_rule rule;
    struct hf_mark mark;
};

struct hf_cfg_basic {
    struct hf_cfg_string htpasswd;
    struct hf_cfg_string realm;
    int64_t cache_ms;
    struct hf_cfg_rate failures; /* from one address */
    bool forward;
};

/* A verifier: a name for a way to show who one is. Exactly one of jwt and basic. */
struct hf_cfg_auth {
    char *name;
    struct hf_mark mark;
    bool jwt_on;
    struct hf_cfg_jwt jwt;
    bool basic_on;
    struct hf_cfg_basic basic;
};

enum hf_cfg_auth_op {
    HF_AUTH_USE, /* what `verifier` checks, and what it finds is as asked here */
    HF_AUTH_ANY, /* of the parts, at least one */
    HF_AUTH_ALL, /* of the parts, each */
};

/* What a route asks for. */
struct hf_cfg_auth_expr {
    enum hf_cfg_auth_op op;
    struct hf_mark mark;
    struct hf_cfg_auth *verifier; /* USE: borrowed from the config */
    const char *const *users;     /* names; "sub" of a token. Empty: anybody */
    size_t n_users;
    const char *const *scopes; /* all of them */
    size_t n_scopes;
    struct hf_cfg_claims claims; /* all of them */
    struct hf_cfg_auth_expr *parts;
    size_t n_parts;
};

#define HF_CFG_AUTH_DEPTH_MAX 4
#define HF_CFG_AUTH_USES_MAX  8 /* verifiers in one route */

/* Limits of a listener, for each client by itself. */
struct hf_cfg_limits {
    struct hf_cfg_rate per_identity; /* requests */
    struct hf_cfg_rate per_address;
    unsigned connections_per_identity; /* 0: no limit */
    unsigned connections_per_address;
    struct hf_mark connections_per_identity_mark;
};

#endif
