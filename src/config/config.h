// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_CONFIG_H
#define HF_CONFIG_CONFIG_H

/*
 * The typed configuration: what the key table (config/keys_*.c) makes of a YAML file. Plain data,
 * no file named in it is opened here (but that it exists is checked); relative paths have been
 * joined with the config file's folder. Every value that a later stage may complain about carries
 * its mark, so that a wrong certificate is reported with the line that names it.
 *
 * Strings are owned by the config and live until hf_config_free. Absent strings are NULL in
 * `value`. All sub-objects are in file order. Immutable once made: any thread may read it.
 */

#include "base/buf.h"
#include "config/ca.h"
#include "config/forward.h"
#include "config/http.h"
#include "config/ocsp.h"
#include "config/parts.h"
#include "os/sock.h"
#include "policy/revocation.h"
#include "tls/tls.h"

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
    struct hf_cfg_string passphrase_file;  /* first line of it */
    struct hf_cfg_string passphrase_env;   /* name of the variable */
    struct hf_cfg_string staple;           /* OCSP response in DER; absent: none */
    bool fetch_staple;                     /* ask a responder for it */
    struct hf_cfg_string staple_responder; /* URL; absent: the one that the certificate names */
};

struct hf_cfg_trust;

struct hf_cfg_crl {
    bool given;
    struct hf_mark mark;
    struct hf_cfg_string *files; /* files and folders */
    size_t n_files;
    struct hf_cfg_strings urls; /* fetched */
    struct hf_cfg_strings from; /* scheme://host:port whose lists are fetched as certificates say */
    struct hf_cfg_trust *url_trust; /* borrowed; for https; NULL: the system's roots */
    int64_t refresh_ms;
    uint64_t max_size; /* bytes of what is fetched */
    int64_t fetch_timeout_ms;
    int64_t wait_ms; /* of a handshake, for a list that is on its way; 0: it doesn't */
    struct hf_cfg_fallback when_stale, when_missing;
};

struct hf_cfg_trust {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_string roots;
    enum hf_trust_names names;
    struct hf_cfg_string names_file; /* with HF_TRUST_NAMES_FILE */
    unsigned depth;
    struct hf_cfg_ca *ca; /* borrowed: asked at once; NULL: none */
    struct hf_cfg_crl crl;
    struct hf_cfg_ocsp ocsp;
};

struct hf_cfg_tls {
    enum hf_tls_engine engine;
    enum hf_tls_version min_version, max_version;
    struct hf_cfg_string suites, ciphers, groups; /* joined with ":"; absent: default */
    struct hf_cfg_strings alpn;
    struct hf_cfg_string signatures, own_signatures; /* likewise joined */
    struct hf_cfg_string cert_compression;           /* likewise; absent: off */
    unsigned record_padding;                         /* 0: none */
    unsigned record_size_limit;                      /* 0: not announced */
    bool cookie;                                     /* listeners */
    bool post_handshake_auth;                        /* upstreams */
    bool tickets;
    int64_t ticket_lifetime_ms;
    struct hf_cfg_string ticket_keys; /* absent: drawn and rotated in memory */
    struct hf_cfg_string unsafe_keylog;
};

/* Client mode and trust for one SNI pattern of a listener. */
struct hf_cfg_sni {
    struct hf_cfg_string pattern; /* lower case; exact or "*.example.org" */
    enum hf_client_mode client;   /* the listener's where the file says nothing; trust likewise */
    struct hf_cfg_trust *trust;   /* borrowed from the config; NULL: none */
    struct hf_mark mark;
};

enum hf_cfg_proxy_out {
    HF_PROXY_OUT_NONE,
    HF_PROXY_OUT_V1,
    HF_PROXY_OUT_V2,
    HF_PROXY_OUT_V2_TLS, /* with the TLS TLVs */
};

enum hf_cfg_balance {
    HF_BALANCE_ROUND_ROBIN,
    HF_BALANCE_LEAST_CONNECTIONS,
    HF_BALANCE_LEAST_LATENCY, /* the better of two chosen by chance */
    HF_BALANCE_HASH,          /* by hash_by: the same to the same server */
};

/* What of a request or connection is hashed. */
enum hf_cfg_hash_by {
    HF_HASH_BY_ADDRESS,
    HF_HASH_BY_IDENTITY,
    HF_HASH_BY_HEADER, /* hash_name says which */
    HF_HASH_BY_COOKIE,
};

/* Which answers count as failures of the server, besides connections that fail, break or time out.
 */
enum hf_cfg_eject_answers { HF_EJECT_ANSWERS_NONE, HF_EJECT_ANSWERS_GATEWAY, HF_EJECT_ANSWERS_5XX };

/* Passive ejection: what comes of traffic takes a server out for a while. */
struct hf_cfg_eject {
    unsigned after; /* failures in a row; 0: never */
    int64_t within_ms;
    int64_t time_ms; /* of the first ejection; each in near succession lasts twice as long ... */
    int64_t max_time_ms;  /* ... up to this */
    unsigned max_percent; /* of the servers that may be out at once */
    enum hf_cfg_eject_answers answers;
};

struct hf_cfg_statuses {
    uint16_t first, last;
};

enum hf_cfg_check_type { HF_CHECK_TCP, HF_CHECK_TLS, HF_CHECK_HTTP, HF_CHECK_GRPC };

/* Active checks of an upstream's servers. */
struct hf_cfg_check {
    enum hf_cfg_check_type type;
    struct hf_cfg_string path;    /* HTTP */
    struct hf_cfg_string host;    /* HTTP, gRPC; absent: the server's name or address */
    struct hf_cfg_string service; /* gRPC; absent: the server as a whole */
    struct hf_cfg_statuses *expect;
    size_t n_expect;
    unsigned port; /* 0: the server's */
    int64_t interval_ms;
    int64_t timeout_ms;
    unsigned rise, fall; /* checks in a row that bring a server up, and down */
};

#define HF_UPSTREAM_SERVERS_MAX 256
#define HF_SERVER_WEIGHT_MAX    1000

struct hf_cfg_server {
    char *text; /* "db.example:5432", "127.0.0.1:80", "unix:/run/db.sock" */
    char *host; /* name or address without brackets; NULL for unix */
    uint16_t port;
    bool is_address; /* addr is set: nothing to look up */
    struct hf_addr addr;
    struct hf_mark mark;
    unsigned weight;          /* 1 to HF_SERVER_WEIGHT_MAX; 0 is 1 */
    unsigned max_connections; /* over all workers; 0: no limit; max_requests likewise */
    unsigned max_requests;
};

struct hf_cfg_upstream {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_server *servers;
    size_t n_servers;
    enum hf_cfg_balance balance;
    enum hf_cfg_hash_by hash_by;
    char *hash_name;          /* of the header or cookie, lower case for headers; NULL: neither */
    unsigned hash_load_limit; /* percent of the average load that a server may have; 0: any */
    int64_t slow_start_ms;    /* how long a server that returns takes to its full share; 0: none */
    struct hf_cfg_eject eject;
    bool check_on;
    struct hf_cfg_check check;
    unsigned max_queue; /* of each worker, for when all servers are at their caps; 0: none */
    int64_t queue_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t response_timeout_ms;
    unsigned retry_budget; /* percent */
    enum hf_cfg_proxy_out proxy_out;
    enum hf_cfg_protocol protocol;
    struct hf_mark protocol_mark; /* line 0: the default */
    struct hf_cfg_forward forward;
    struct hf_mark forward_mark; /* line 0: the default */
    bool tls_on;
    struct hf_cfg_tls tls;
    struct hf_cfg_identity **tls_identities; /* borrowed; none: no client certificate */
    size_t n_tls_identities;
    bool tls_send_names;
    struct hf_cfg_trust *tls_trust; /* borrowed; NULL only with unsafe_skip_verify */
    struct hf_cfg_string tls_name;  /* to check; absent: the server's host */
    struct hf_cfg_string tls_sni;   /* absent: tls_name or the host, none for an address */
    bool unsafe_skip_verify;
    struct hf_mark unsafe_skip_verify_mark;
};

/* What a listener does with the bytes inside TLS. */
enum hf_cfg_mode { HF_MODE_TCP, HF_MODE_HTTP };

/* Paths that the daemon answers by itself, to those whom `from` names. */
struct hf_cfg_probes {
    struct hf_cidr *from; /* at least one */
    size_t n_from;
    struct hf_cfg_string live;
    struct hf_cfg_string ready;
    struct hf_cfg_string upstreams; /* absent: not served */
    struct hf_cfg_upstream **needs; /* borrowed; without which it isn't ready */
    size_t n_needs;
};

/* What a client that is refused for its certificate gets to see. */
enum hf_cfg_refuse {
    HF_REFUSE_ALERT,
    HF_REFUSE_PAGE, /* HTTP mode: the handshake completes, and every request is answered 403 */
};

struct hf_cfg_listener {
    char *name;
    struct hf_mark mark;
    struct hf_cfg_addr *listen;
    size_t n_listen;
    bool plain; /* no TLS toward the client: client is NONE, trust NULL, no identities */
    struct hf_mark plain_mark;
    struct hf_cfg_identity **identities; /* borrowed; the first is the default */
    size_t n_identities;
    enum hf_client_mode client;
    struct hf_mark client_mark; /* line 0: the default */
    struct hf_cfg_trust *trust; /* borrowed; NULL: none */
    struct hf_cfg_sni *sni;
    size_t n_sni;
    bool strict_sni;
    enum hf_cfg_refuse refuse;
    bool report_only;
    struct hf_mark report_only_mark;
    struct hf_cfg_tls tls;
    enum hf_cfg_mode mode;
    struct hf_cfg_upstream *to; /* borrowed; NULL in HTTP mode */
    struct hf_cfg_http http;
    struct hf_cfg_route *routes; /* at least one in HTTP mode */
    size_t n_routes;
    struct hf_route_table *route_table; /* of the same routes; NULL unless mode is HTTP */
    struct hf_cidr *trusted_proxies;    /* whose headers about their clients are believed */
    size_t n_trusted_proxies;
    struct hf_cfg_strings trusted_clients; /* roles and selectors of such */
    struct hf_route_table *trusted_table;  /* the rule `allow` of its one route; NULL: nobody */
    struct hf_cfg_string jwks_path;        /* absent: not served */
    struct hf_cfg_probes probes;
    bool probes_on;
    struct hf_cfg_access access;
    struct hf_cidr *proxy_from; /* sources whose PROXY header is required and believed */
    size_t n_proxy_from;
    struct hf_cfg_limits limits;
    int64_t handshake_timeout_ms;
    int64_t idle_timeout_ms;  /* 0: none */
    int64_t total_timeout_ms; /* 0: none */
    unsigned max_connections; /* over all workers; 0: no limit of its own */
};

struct hf_cfg_log {
    int level;               /* enum hf_log_level */
    int format;              /* enum hf_log_format */
    struct hf_cfg_string to; /* "stderr", "stdout" or a path */
};

struct hf_config {
    char *path;                 /* as given; "command line" for a tunnel */
    char *dir;                  /* that relative paths were joined with */
    struct hf_cfg_string state; /* folder; absent: nothing is kept */
    struct hf_cfg_addr admin;   /* text NULL: none; unix only */
    struct hf_cfg_addr metrics; /* text NULL: none */
    struct hf_cfg_log log;
    struct hf_cfg_signing signing;
    unsigned workers;       /* 0: one per core */
    int64_t drain_delay_ms; /* how long it says that it isn't ready before it stops accepting */
    int64_t drain_timeout_ms;
    struct hf_cfg_identity *identities;
    size_t n_identities;
    struct hf_cfg_trust *trusts;
    size_t n_trusts;
    struct hf_cfg_upstream *upstreams;
    size_t n_upstreams;
    struct hf_cfg_ca *cas;
    size_t n_cas;
    struct hf_cfg_role *roles;
    size_t n_roles;
    struct hf_cfg_auth *auth;
    size_t n_auth;
    struct hf_cfg_listener *listeners;
    size_t n_listeners;
    struct hf_arena *arena; /* owns all of the above, and this struct */
};

/* --- Findings: everything wrong with a config, all at once --------------------------------------
 */

enum hf_finding_level { HF_FINDING_ERROR, HF_FINDING_WARNING };

/* The kinds of findings: id, stable name (JSON, suppression lists), level, who says it, when. */
#define HF_FINDING_TABLE(X) \
    X(YAML, "yaml", ERROR, "`run`, `check`", \
      "the file is not YAML, or uses a part of YAML that is refused here") \
    X(LIMIT, "limit", ERROR, "`run`, `check`", \
      "the file passes a limit: size, depth or number of values") \
    X(DUPLICATE_KEY, "duplicate-key", ERROR, "`run`, `check`", "a key or name is given twice") \
    X(UNKNOWN_KEY, "unknown-key", ERROR, "`run`, `check`", \
      "a key that doesn't exist, often a misspelling") \
    X(MISSING_KEY, "missing-key", ERROR, "`run`, `check`", "a key that must be given is not") \
    X(WRONG_TYPE, "wrong-type", ERROR, "`run`, `check`", \
      "a mapping where a list is wanted, or the like") \
    X(BAD_VALUE, "bad-value", ERROR, "`run`, `check`", "a value that the key does not accept") \
    X(BAD_NAME, "bad-name", ERROR, "`run`, `check`", \
      "the name of a listener, upstream ... has a wrong form") \
    X(UNSET_VARIABLE, "unset-variable", ERROR, "`run`, `check`", \
      "`${VAR}` names a variable that is not set") \
    X(UNKNOWN_REFERENCE, "unknown-reference", ERROR, "`run`, `check`", \
      "a name that nothing in the file has") \
    X(CONFLICT, "conflict", ERROR, "`run`, `check`", \
      "two settings contradict each other, or one has no effect") \
    X(UNREACHABLE_ROUTE, "unreachable-route", ERROR, "`run`, `check`", \
      "a route before this one takes all of its requests") \
    X(DUPLICATE_ADDRESS, "duplicate-address", ERROR, "`run`, `check`", \
      "two listeners have the same address") \
    X(FILE, "file", ERROR, "`run`, `check`", \
      "a file named in the config is missing or can't be read") \
    X(CERTIFICATE, "certificate", ERROR, "`run`, `check`", \
      "a certificate, key or roots file can't be used") \
    X(KEY_MISMATCH, "key-mismatch", ERROR, "`run`, `check`", \
      "the key does not belong to the certificate") \
    X(KEY_PERMISSIONS, "key-permissions", ERROR, "`run`, `check`", \
      "others can read a key or a passphrase") \
    X(PASSPHRASE, "passphrase", ERROR, "`run`, `check`", "a passphrase is missing or wrong") \
    X(NO_CA, "no-ca", ERROR, "`run`, `check`", "a roots file has no CA certificate in it") \
    X(CRL, "crl", ERROR, "`run`, `check`", "a file of revocation lists can't be used") \
    X(CA, "ca", ERROR, "`run`", "a CA that the config names can't be opened") \
    X(CRL_KEPT, "crl-kept", WARNING, "log of `run`", \
      "a changed file of revocation lists can't be used; the old lists stay in force") \
    X(CRL_STALE, "crl-stale", WARNING, "`check`, log of `run`", \
      "a revocation list is out of date") \
    X(CRL_UNCOVERED, "crl-uncovered", WARNING, "`check`, log of `run`", \
      "a root of a trust with revocation lists has none") \
    X(CRL_ALLOW, "crl-allow", WARNING, "`check`, log of `run`", \
      "`allow` lets peers in whose revocation is unknown") \
    X(OCSP_STAPLE_ONLY, "ocsp-staple-only", WARNING, "`check`, log of `run`", \
      "peers that show no OCSP answer are refused, as nobody is asked") \
    X(TLS_SETTINGS, "tls-settings", ERROR, "`run`, `check`", \
      "an unknown suite, cipher or group, or the like") \
    X(LISTEN, "listen", ERROR, "`run`", "an address can't be listened on") \
    X(EXPIRED, "expired", ERROR, "`check`, log of `run`", "a certificate of ours has expired") \
    X(NOT_YET_VALID, "not-yet-valid", ERROR, "`check`, log of `run`", \
      "a certificate isn't valid yet") \
    X(EXPIRING, "expiring", WARNING, "`check`, log of `run`", \
      "a certificate expires within 30 days") \
    X(ROOT_EXPIRED, "root-expired", WARNING, "`check`, log of `run`", \
      "a CA certificate among the roots has expired") \
    X(CHAIN_ORDER, "chain-order", ERROR, "`check`, log of `run`", \
      "the chain is in the wrong order") \
    X(CHAIN_INCOMPLETE, "chain-incomplete", WARNING, "`check`, log of `run`", \
      "an intermediate seems to be missing") \
    X(WRONG_USAGE, "wrong-usage", ERROR, "`check`, log of `run`", \
      "a certificate is for another use than it is put to") \
    X(NO_SAN, "no-san", WARNING, "`check`, log of `run`", \
      "a server's certificate has no host name that clients read") \
    X(NAMES_TOO_LONG, "names-too-long", WARNING, "`check`, log of `run`", \
      "the list of CA names is too long to be sent") \
    X(STAPLE, "staple", WARNING, "`check`, log of `run`", \
      "an OCSP response of ours has ended, or says that we are revoked") \
    X(MUST_STAPLE, "must-staple", WARNING, "`check`, log of `run`", \
      "a certificate of ours must be shown with an OCSP response, and there is none") \
    X(UNSAFE, "unsafe", WARNING, "`check`, log of `run`", "an `unsafe-...` key is on") \
    X(UNVERIFIED, "unverified", WARNING, "`check`, log of `run`", \
      "`client: request-unverified` lets everybody in") \
    X(REQUEST_UNUSED, "request-unused", WARNING, "`check`, log of `run`", \
      "`client: request`, and nothing looks at it") \
    X(RULE_MISSING, "rule-missing", ERROR, "`check`, log of `run`", \
      "clients without a good certificate are let in, and a route has no rule") \
    X(REFUSES_ALL, "refuses-all", WARNING, "`check`, log of `run`", \
      "a route without a rule, beside routes with rules, lets nobody in") \
    X(NOBODY, "nobody", WARNING, "`check`, log of `run`", \
      "a role that nobody can have, or a rule that lets nobody in") \
    X(ROLE_IDLE, "role-idle", WARNING, "`check`, log of `run`", \
      "roles that make no difference beside `anyone`") \
    X(TRIAL, "trial", WARNING, "`check`, log of `run`", \
      "a route has `report` and no `allow`: everybody is let in") \
    X(KEY_REUSED, "key-reused", WARNING, "`check`, log of `run`", \
      "one key serves where two should: who gets it has both") \
    X(REPORT_ONLY, "report-only", WARNING, "`check`, log of `run`", \
      "a listener lets in whom it would refuse") \
    X(SNI_OVERLAP, "sni-overlap", WARNING, "`check`, log of `run`", \
      "a server name is asked for less than the others under the same pattern") \
    X(IDENTITY_FORGED, "identity-forged", ERROR, "`check`, log of `run`", \
      "clients can write the headers that tell a backend who they are") \
    X(PLAIN_EXPOSED, "plain-exposed", WARNING, "`check`, log of `run`", \
      "plain text is accepted from the network") \
    X(UNUSED, "unused", WARNING, "`check`, log of `run`", \
      "an identity, trust or upstream that nothing uses") \
    X(NEEDS_RESTART, "needs-restart", WARNING, "reload", \
      "a changed setting that a reload can't apply")

#define HF_FINDING_ENUM(id, name, level, by, doc) HF_FINDING_##id,
enum hf_finding_id { HF_FINDING_TABLE(HF_FINDING_ENUM) HF_FINDING_N };
#undef HF_FINDING_ENUM

const char *hf_finding_name(enum hf_finding_id id);
enum hf_finding_level hf_finding_level(enum hf_finding_id id);
const char *hf_finding_by(enum hf_finding_id id); /* which commands say it, in Markdown */
const char *hf_finding_doc(enum hf_finding_id id);

struct hf_finding {
    enum hf_finding_id id;
    struct hf_mark mark;
    char *text; /* what is wrong; what to do. Printable. */
};

/* A zeroed one is valid and empty. */
struct hf_findings {
    char *file; /* name in messages */
    struct hf_finding *item;
    size_t n;
    size_t n_errors;
    bool out_of_memory; /* at least one is lost; counted among the errors */
};

void hf_findings_done(struct hf_findings *findings);

/* hf_findings_file sets the name of the file that marks refer to. Errors: HF_E_NOMEM. */
enum hf_err hf_findings_file(struct hf_findings *findings, const char *file) HF_MUST_CHECK;

/* hf_findings_add records one; out of memory is remembered as an error too. */
void hf_findings_add(struct hf_findings *findings, enum hf_finding_id id, struct hf_mark mark,
                     const char *format, ...) HF_PRINTF(4, 5);

/* hf_findings_sort puts them in the order of the file; those without a line first. */
void hf_findings_sort(struct hf_findings *findings);

/* hf_findings_format sorts and appends "file:line:column: error: text\n" for each; "--flag: error:
 * text" where a flag said it. hf_findings_json appends an array of objects. */
enum hf_err hf_findings_format(struct hf_findings *findings, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_findings_json(struct hf_findings *findings, struct hf_buf *out) HF_MUST_CHECK;

/* --- Reading ------------------------------------------------------------------------------------
 */

/*
 * hf_config_load reads a file; hf_config_parse text already in memory, with file as its name in
 * messages and dir for relative paths. Every error is added to findings; *out is NULL and the
 * result HF_E_CONFIG when there was at least one, with a sentence that counts them. Environment:
 * "${VAR}" and "${VAR:-default}" in values; "$${" is a literal "${". Other errors of load: those of
 * hf_file_read, and nothing is added to findings.
 */
enum hf_err hf_config_load(const char *path, struct hf_findings *findings,
                           struct hf_config **out) HF_MUST_CHECK;
enum hf_err hf_config_parse(struct hf_bytes text, const char *file, const char *dir,
                            struct hf_findings *findings, struct hf_config **out) HF_MUST_CHECK;
void hf_config_free(struct hf_config *config);

/* hf_config_from_tree does the same from a tree that was made by other means, such as flags. root
 * NULL is an empty file. */
struct hf_node;
enum hf_err hf_config_from_tree(const struct hf_node *root, const char *name, const char *dir,
                                struct hf_findings *findings, struct hf_config **out) HF_MUST_CHECK;

/* hf_config_schema appends the JSON Schema, hf_config_reference the Markdown reference; both from
 * the key table. */
enum hf_err hf_config_schema(struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_config_reference(struct hf_buf *out) HF_MUST_CHECK;

#endif
