// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_CA_H
#define HF_CONFIG_CA_H

/*
 * The typed configuration of CAs that the daemon serves, and of the routes that lead to them. Part
 * of config/config.h, whose rules hold here too.
 */

#include <stdint.h>

#include "config/parts.h"

/* Who may do what over the API: roles, selectors, "verified"; n 0: nobody. */
struct hf_cfg_ca_rights {
    struct hf_cfg_strings read;
    struct hf_cfg_strings revoke;
    struct hf_cfg_strings approve;
    struct hf_cfg_strings token;
};

struct hf_cfg_identity;

struct hf_cfg_ca {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_string store;                 /* folder, sqlite:PATH or postgres://...; absent: */
    struct hf_cfg_string feed;                  /* URL of the feed of a CA elsewhere */
    struct hf_cfg_identity *identity;           /* shown to it; borrowed; NULL: none */
    struct hf_cfg_string roots;                 /* that its server is verified against */
    int64_t when_lost_ms;                       /* its silence after which nobody is let in */
    struct hf_cfg_string passphrase_file;       /* first line of it; of the CA's keys */
    struct hf_cfg_string passphrase_env;        /* name of the variable */
    struct hf_cfg_string passphrase_credential; /* name of a systemd credential */
    struct hf_cfg_string *known_keys;           /* files of keys known to others */
    size_t n_known_keys;
    int64_t crl_lifetime_ms;
    int64_t crl_delay_ms;
    int64_t delta_lifetime_ms;       /* 0: no deltas */
    struct hf_cfg_string crl_folder; /* absent: lists aren't put into files */
    int64_t ocsp_lifetime_ms;
    struct hf_cfg_ca_rights rights;
};

/* What of a CA is served. */
#define HF_CA_PART_TABLE(X) \
    X(PUBLIC, "public", "CRLs, CA certificates and OCSP, for everybody") \
    X(FEED, "feed", "revocations, as they happen, for other nodes") \
    X(API, "api", "issue, renew, revoke and look, in JSON")

#define HF_CA_PART_ENUM(id, name, doc) HF_CA_PART_##id,
enum hf_ca_part { HF_CA_PART_TABLE(HF_CA_PART_ENUM) HF_CA_PART_N };
#undef HF_CA_PART_ENUM

/* hf_ca_part_name gives "public" ... */
const char *hf_ca_part_name(enum hf_ca_part part);

/* A service as a route names it: "main/public". */
struct hf_cfg_service {
    struct hf_cfg_ca *ca; /* borrowed; NULL: the route has none */
    enum hf_ca_part part;
    char *text;
    struct hf_mark mark;
};

#endif
