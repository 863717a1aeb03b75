// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_CONFIG_H
#define HF_CONFIG_CONFIG_H

/*
 * The typed configuration: what the key table (config/keys.c) makes of a YAML file. Plain data, no
 * file named in it is opened here (but that it exists is checked); relative paths have been joined
 * with the config file's folder. Every value that a later stage may complain about carries its
 * mark, so that a wrong certificate is reported with the line that names it.
 *
 * Strings are owned by the config and live until hf_config_free. Absent strings are NULL in
 * `value`. All sub-objects are in file order.
 */

#include "base/buf.h"
#include "os/sock.h"
#include "policy/verdict.h"
#include "tls/tls.h"

struct hf_mark {
    int line; /* from 1; 0: not from a file (a default, or a flag) */
    int column;
};

struct hf_cfg_string {
    char *value;
    struct hf_mark mark;
};

struct hf_cfg_strings {
    struct hf_cfg_string *item;
    size_t n;
};

struct hf_cfg_addr {
    struct hf_addr addr;
    char *text;
    struct hf_mark mark;
};

struct hf_cfg_identity {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_string cert; /* PEM, DER or PKCS#12 */
    struct hf_cfg_string key;  /* absent: in cert's file */
    struct hf_cfg_string chain;
    struct hf_cfg_string passphrase_file; /* first line of it */
    struct hf_cfg_string passphrase_env;  /* name of the variable */
};

struct hf_cfg_trust {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_string roots;
    enum hf_trust_names names;
    struct hf_cfg_string names_file;
    unsigned depth;
};

struct hf_cfg_tls {
    enum hf_tls_version min_version, max_version;
    struct hf_cfg_string suites, ciphers, groups; /* joined with ":"; absent: default */
    struct hf_cfg_strings alpn;
    bool tickets;
    int64_t ticket_lifetime_ms;
    struct hf_cfg_string unsafe_keylog;
};

/* Client mode and trust for one SNI pattern of a listener. */
struct hf_cfg_sni {
    struct hf_cfg_string pattern;
    enum hf_client_mode client;
    struct hf_cfg_trust *trust; /* borrowed from the config; NULL: none */
};

enum hf_cfg_proxy_out {
    HF_PROXY_OUT_NONE,
    HF_PROXY_OUT_V1,
    HF_PROXY_OUT_V2,
    HF_PROXY_OUT_V2_TLS, /* with the TLS TLVs */
};

enum hf_cfg_balance { HF_BALANCE_ROUND_ROBIN, HF_BALANCE_LEAST_CONNECTIONS };

struct hf_cfg_server {
    char *text; /* "db.example:5432", "127.0.0.1:80", "unix:/run/db.sock" */
    char *host; /* name or address without brackets; NULL for unix */
    uint16_t port;
    bool is_address; /* addr is set: nothing to look up */
    struct hf_addr addr;
    struct hf_mark mark;
};

struct hf_cfg_upstream {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_server *servers;
    size_t n_servers;
    enum hf_cfg_balance balance;
    int64_t connect_timeout_ms;
    enum hf_cfg_proxy_out proxy_out;
    bool tls_on;
    struct hf_cfg_tls tls;
    struct hf_cfg_identity *tls_identity; /* borrowed; NULL: no client certificate */
    struct hf_cfg_trust *tls_trust;       /* borrowed; NULL only with unsafe_skip_verify */
    struct hf_cfg_string tls_name;        /* to check; absent: the server's host */
    struct hf_cfg_string tls_sni;         /* absent: tls_name or the host, none for an address */
    bool unsafe_skip_verify;
};

struct hf_cfg_listener {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_addr *listen;
    size_t n_listen;
    bool plain;                          /* no TLS toward the client */
    struct hf_cfg_identity **identities; /* borrowed; the first is the default */
    size_t n_identities;
    enum hf_client_mode client;
    struct hf_cfg_trust *trust; /* borrowed; NULL: none */
    struct hf_cfg_sni *sni;
    size_t n_sni;
    bool strict_sni;
    struct hf_cfg_tls tls;
    struct hf_cfg_upstream *to; /* borrowed */
    struct hf_cidr *proxy_from; /* sources whose PROXY header is required and believed */
    size_t n_proxy_from;
    int64_t handshake_timeout_ms;
    int64_t idle_timeout_ms;  /* 0: none */
    int64_t total_timeout_ms; /* 0: none */
    uint64_t max_connections; /* over all workers; 0: no limit of its own */
};

struct hf_cfg_log {
    int level;               /* enum hf_log_level */
    int format;              /* enum hf_log_format */
    struct hf_cfg_string to; /* "stderr", "stdout" or a path */
};

struct hf_config {
    char *path; /* as given; "command line" for a tunnel */
    char *dir;
    struct hf_cfg_addr admin;   /* text NULL: none; unix only */
    struct hf_cfg_addr metrics; /* text NULL: none */
    struct hf_cfg_log log;
    unsigned workers; /* 0: one per core */
    int64_t drain_timeout_ms;
    struct hf_cfg_identity *identities;
    size_t n_identities;
    struct hf_cfg_trust *trusts;
    size_t n_trusts;
    struct hf_cfg_upstream *upstreams;
    size_t n_upstreams;
    struct hf_cfg_listener *listeners;
    size_t n_listeners;
};

/* --- Findings: everything wrong with a config, all at once --------------------------------------
 */

enum hf_finding_level { HF_FINDING_ERROR, HF_FINDING_WARNING };

struct hf_finding {
    enum hf_finding_level level;
    const char *id; /* stable: "unknown-key", "expiring" ... */
    struct hf_mark mark;
    char *text; /* what is wrong; what to do */
};

struct hf_findings {
    char *file;
    struct hf_finding *item;
    size_t n;
    size_t n_errors;
};

void hf_findings_done(struct hf_findings *findings);

/* hf_findings_add records one; out of memory is remembered as an error too. */
void hf_findings_add(struct hf_findings *findings, enum hf_finding_level level, const char *id,
                     struct hf_mark mark, const char *format, ...) HF_PRINTF(5, 6);

/* hf_findings_format appends "file:line:column: error: text\n" for each, in line order. */
enum hf_err hf_findings_format(const struct hf_findings *findings,
                               struct hf_buf *out) HF_MUST_CHECK;

/* --- Reading ------------------------------------------------------------------------------------
 */

/*
 * hf_config_load reads a file; hf_config_parse text already in memory, with file as its name in
 * messages and dir for relative paths. Every error is added to findings; *out is NULL and the
 * result HF_E_CONFIG when there was at least one. Environment: "${VAR}" and "${VAR:-default}" in
 * values;
 * "$${" is a literal "${".
 */
enum hf_err hf_config_load(const char *path, struct hf_findings *findings,
                           struct hf_config **out) HF_MUST_CHECK;
enum hf_err hf_config_parse(struct hf_bytes text, const char *file, const char *dir,
                            struct hf_findings *findings, struct hf_config **out) HF_MUST_CHECK;
void hf_config_free(struct hf_config *config);

/* hf_config_schema appends the JSON Schema, hf_config_reference the Markdown reference; both from
 * the key table. */
enum hf_err hf_config_schema(struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_config_reference(struct hf_buf *out) HF_MUST_CHECK;

#endif
