// SPDX-License-Identifier: Apache-2.0
/* The table itself. Wording: `doc` is for the reference page, so it's Markdown and says what the
 * key does for its user, not how. */
#include "config/keys.h"

#include "base/log.h"
#include "config/semantics.h"

#define FIELD(type, member) .offset = offsetof(struct type, member)
#define ARRAY(type, member) \
    .list = true, FIELD(type, member), .n_offset = offsetof(struct type, n_##member)
#define SECTION_OF(keys_) .keys = (keys_), .n_keys = HF_N_ELEMENTS(keys_)

#define MINUTE (60 * (int64_t)1000)
#define DAY    (24 * 60 * MINUTE)

const struct hf_ref hf_ref_identity = {
    "identity", "identities", offsetof(struct hf_config, identities),
    offsetof(struct hf_config, n_identities), sizeof(struct hf_cfg_identity)};
const struct hf_ref hf_ref_trust = {"trust", "trust", offsetof(struct hf_config, trusts),
                                    offsetof(struct hf_config, n_trusts),
                                    sizeof(struct hf_cfg_trust)};
const struct hf_ref hf_ref_upstream = {
    "upstream", "upstreams", offsetof(struct hf_config, upstreams),
    offsetof(struct hf_config, n_upstreams), sizeof(struct hf_cfg_upstream)};

static const struct hf_word client_words[] = {
    {"require", HF_CLIENT_REQUIRE},
    {"request", HF_CLIENT_REQUEST},
    {"request-unverified", HF_CLIENT_REQUEST_UNVERIFIED},
    {"none", HF_CLIENT_NONE},
    {NULL, 0},
};
static const struct hf_word version_words[] = {{"1.2", HF_TLS_1_2}, {"1.3", HF_TLS_1_3}, {NULL, 0}};
static const struct hf_word mode_words[] = {{"tcp", HF_MODE_TCP}, {NULL, 0}};
static const struct hf_word format_words[] = {
    {"text", HF_LOG_TEXT}, {"json", HF_LOG_JSON}, {NULL, 0}};
static const struct hf_word level_words[] = {{"error", HF_LOG_ERROR},
                                             {"warn", HF_LOG_WARN},
                                             {"info", HF_LOG_INFO},
                                             {"debug", HF_LOG_DEBUG},
                                             {NULL, 0}};
static const struct hf_word log_words[] = {{"stderr", 0}, {"stdout", 0}, {NULL, 0}};
static const struct hf_word auto_words[] = {{"auto", 0}, {NULL, 0}};
static const struct hf_word names_words[] = {
    {"from-roots", HF_TRUST_NAMES_FROM_ROOTS}, {"none", HF_TRUST_NAMES_NONE}, {NULL, 0}};
static const struct hf_word balance_words[] = {{"round-robin", HF_BALANCE_ROUND_ROBIN},
                                               {"least-connections", HF_BALANCE_LEAST_CONNECTIONS},
                                               {NULL, 0}};
static const struct hf_word engine_words[] = {{"auto", HF_TLS_ENGINE_AUTO},
                                              {"native", HF_TLS_ENGINE_NATIVE},
                                              {"libssl", HF_TLS_ENGINE_LIBSSL},
                                              {NULL, 0}};
static const struct hf_word proxy_words[] = {{"none", HF_PROXY_OUT_NONE},
                                             {"v1", HF_PROXY_OUT_V1},
                                             {"v2", HF_PROXY_OUT_V2},
                                             {"v2-tls", HF_PROXY_OUT_V2_TLS},
                                             {NULL, 0}};

/* --- log ---------------------------------------------------------------------------------------*/

static const struct hf_key log_keys[] = {
    {.name = "format",
     .kind = HF_KIND_ENUM,
     .words = format_words,
     .standard = "text",
     .doc = "How a log line is written: `text` for people, `json` for collectors.",
     .example = "json",
     FIELD(hf_cfg_log, format)},
    {.name = "level",
     .kind = HF_KIND_ENUM,
     .words = level_words,
     .standard = "info",
     .doc = "The least important lines that are still written.",
     .example = "info",
     FIELD(hf_cfg_log, level)},
    {.name = "to",
     .kind = HF_KIND_PATH,
     .words = log_words,
     .standard = "stderr",
     .doc = "Where log lines go: `stderr`, `stdout`, or a file, which is appended to.",
     .example = "/var/log/handfast.log",
     FIELD(hf_cfg_log, to)},
};

static const struct hf_section section_log = {
    .noun = "log",
    .doc = "What is written about connections and about the daemon itself.",
    .sample = "log: {format: json, level: info, to: stderr}\n",
    .size = sizeof(struct hf_cfg_log),
    SECTION_OF(log_keys)};

/* --- identities --------------------------------------------------------------------------------*/

static const struct hf_key identity_keys[] = {
    {.name = "cert",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The certificate, with the CA certificates to send behind it, in PEM; or one "
            "certificate in DER; or a PKCS#12 file with certificate and key.",
     .example = "server.pem",
     FIELD(hf_cfg_identity, cert)},
    {.name = "key",
     .kind = HF_KIND_FILE,
     .doc = "The private key in PEM, encrypted or not. Left out where it is in the file of `cert`. "
            "A key that others can read is refused.",
     .example = "server.key",
     FIELD(hf_cfg_identity, key)},
    {.name = "chain",
     .kind = HF_KIND_FILE,
     .doc = "More CA certificates to send, in PEM, where `cert` holds the leaf alone.",
     .example = "intermediate.pem",
     FIELD(hf_cfg_identity, chain)},
    {.name = "passphrase-file",
     .kind = HF_KIND_FILE,
     .doc = "A file whose first line decrypts the key or the PKCS#12 file. Refused where others "
            "can read it.",
     .example = "server.pass",
     FIELD(hf_cfg_identity, passphrase_file)},
    {.name = "passphrase-env",
     .kind = HF_KIND_ENV,
     .doc = "The name of the environment variable that holds the passphrase.",
     .example = "SERVER_KEY_PASSPHRASE",
     FIELD(hf_cfg_identity, passphrase_env)},
};

static const struct hf_section section_identity = {
    .noun = "identity",
    .doc = "Who we are: a certificate with its private key. Listeners show theirs to clients, "
           "upstreams show theirs to TLS backends.",
    .sample = "identities:\n  web: {cert: server.pem, key: server.key}\n",
    .size = sizeof(struct hf_cfg_identity),
    .check = hf_check_identity,
    SECTION_OF(identity_keys)};

/* --- trust -------------------------------------------------------------------------------------*/

static const struct hf_key trust_keys[] = {
    {.name = "roots",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The CA certificates, in PEM, that a peer's chain must lead to.",
     .example = "partners-ca.pem",
     FIELD(hf_cfg_trust, roots)},
    {.name = "names",
     .kind = HF_KIND_NAMES,
     .words = names_words,
     .standard = "from-roots",
     .doc = "The CA names told to clients, so that they pick a fitting certificate: `from-roots`, "
            "`none`, or a PEM file of certificates whose subjects are told. A list over 16 KiB is "
            "not sent, with a warning, because many clients fail on it.",
     .example = "from-roots",
     .offset = 0},
    {.name = "depth",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 14,
     .standard = "3",
     .doc = "How many CA certificates may stand between a peer's certificate and the root.",
     .example = "1",
     FIELD(hf_cfg_trust, depth)},
};

static const struct hf_section section_trust = {
    .noun = "trust",
    .doc = "Whom we believe: the roots that a peer's certificate is verified against.",
    .sample = "trust:\n  partners: {roots: partners-ca.pem, depth: 1}\n",
    .size = sizeof(struct hf_cfg_trust),
    SECTION_OF(trust_keys)};

/* --- tls, in both roles ------------------------------------------------------------------------*/

/* Rows that listeners and upstreams share; TLS_(field) says where. */
#define TLS_COMMON_KEYS(TLS_, TLS_WHOLE_) \
    {.name = "versions", \
     .kind = HF_KIND_VERSIONS, \
     .words = version_words, \
     .standard = "[\"1.3\", \"1.2\"]", \
     .doc = "The TLS versions to speak: `1.3`, `1.2`, or both.", \
     .example = "[\"1.3\"]", \
     TLS_WHOLE_}, \
        {.name = "engine", \
         .kind = HF_KIND_ENUM, \
         .words = engine_words, \
         .standard = "auto", \
         .doc = "Who speaks TLS 1.3: `native`, our own engine, or `libssl`. TLS 1.2 is always " \
                "libssl's. `auto` takes the faster of those that can do what is asked.", \
         .example = "libssl", \
         TLS_(engine)}, \
        {.name = "suites", \
         .kind = HF_KIND_TLS_WORD, \
         .doc = "The TLS 1.3 cipher suites in order of preference. Default: AES-128-GCM, " \
                "AES-256-GCM, " \
                "ChaCha20-Poly1305.", \
         .example = "[TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256]", \
         TLS_(suites)}, \
        {.name = "ciphers", \
         .kind = HF_KIND_TLS_WORD, \
         .doc = "The TLS 1.2 ciphers in OpenSSL's spelling. Default: ECDHE with an AEAD only.", \
         .example = "[ECDHE-ECDSA-AES128-GCM-SHA256]", \
         TLS_(ciphers)}, \
    { \
        .name = "groups", .kind = HF_KIND_TLS_WORD, \
        .doc = "The key exchange groups in order of preference. Default: X25519, P-256, P-384.", \
        .example = "[X25519, P-256]", TLS_(groups) \
    }

#define TLS_ALPN_DOC(more) "The application protocols (ALPN), in order of preference. " more

#define LISTENER_TLS(member) FIELD(hf_cfg_tls, member)

static const struct hf_key listener_tls_keys[] = {
    TLS_COMMON_KEYS(LISTENER_TLS, .offset = 0),
    {.name = "alpn",
     .kind = HF_KIND_ALPN,
     .list = true,
     .doc = TLS_ALPN_DOC("A client that offers others only is refused. Default: none is agreed."),
     .example = "[http/1.1]",
     .offset = offsetof(struct hf_cfg_tls, alpn.item),
     .n_offset = offsetof(struct hf_cfg_tls, alpn.n)},
    {.name = "tickets",
     .kind = HF_KIND_BOOL,
     .standard = "true",
     .doc = "Whether clients may resume sessions. A resumed session is judged again like a new "
            "one.",
     .example = "false",
     LISTENER_TLS(tickets)},
    {.name = "ticket-lifetime",
     .kind = HF_KIND_DURATION,
     .min = MINUTE,
     .max = 7 * DAY,
     .standard = "2h",
     .doc = "How long after the handshake a session may be resumed; at most 7 days (RFC 8446).",
     .example = "30m",
     LISTENER_TLS(ticket_lifetime_ms)},
    {.name = "unsafe-keylog",
     .kind = HF_KIND_PATH,
     .doc = "A file to append session keys to, for Wireshark. Whoever reads it reads the traffic.",
     .example = "/tmp/keys.log",
     LISTENER_TLS(unsafe_keylog)},
};

static const struct hf_section section_listener_tls = {
    .noun = "listener's tls",
    .doc = "How TLS is spoken with clients. Renegotiation, compression and 0-RTT are always off.",
    .size = sizeof(struct hf_cfg_tls),
    SECTION_OF(listener_tls_keys)};

/* An upstream's keys sit in one section of the file but in two structs, so offsets are from the
 * upstream. */
#define UPSTREAM_TLS(member) FIELD(hf_cfg_upstream, tls.member)

static const struct hf_key upstream_tls_keys[] = {
    {.name = "identity",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_identity,
     .doc = "The identity to show when the backend asks for a client certificate.",
     .example = "web",
     FIELD(hf_cfg_upstream, tls_identity)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that the backend's certificate is verified against. Must be given unless "
            "`unsafe-skip-verify` is on.",
     .example = "backends",
     FIELD(hf_cfg_upstream, tls_trust)},
    {.name = "name",
     .kind = HF_KIND_HOST,
     .doc = "The host name or address that the backend's certificate must carry. Default: the "
            "host of the server connected to.",
     .example = "db.internal.example",
     FIELD(hf_cfg_upstream, tls_name)},
    {.name = "sni",
     .kind = HF_KIND_SNI,
     .doc = "The server name to ask for. Default: `name`, or the server's host; none for an "
            "address.",
     .example = "db.internal.example",
     FIELD(hf_cfg_upstream, tls_sni)},
    TLS_COMMON_KEYS(UPSTREAM_TLS, FIELD(hf_cfg_upstream, tls)),
    {.name = "alpn",
     .kind = HF_KIND_ALPN,
     .list = true,
     .doc = TLS_ALPN_DOC("Default: none is offered."),
     .example = "[http/1.1]",
     .offset = offsetof(struct hf_cfg_upstream, tls.alpn.item),
     .n_offset = offsetof(struct hf_cfg_upstream, tls.alpn.n)},
    {.name = "unsafe-keylog",
     .kind = HF_KIND_PATH,
     .doc = "A file to append session keys to, for Wireshark. Whoever reads it reads the traffic.",
     .example = "/tmp/keys.log",
     UPSTREAM_TLS(unsafe_keylog)},
    {.name = "unsafe-skip-verify",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Believe any backend. Whoever can stand between us and it can read and change "
            "everything.",
     .example = "true",
     .mark_offset = offsetof(struct hf_cfg_upstream, unsafe_skip_verify_mark),
     FIELD(hf_cfg_upstream, unsafe_skip_verify)},
};

static const struct hf_section section_upstream_tls = {
    .noun = "upstream's tls",
    .doc = "How TLS is spoken with the backend. Without this section it is reached in plain text.",
    .size = sizeof(struct hf_cfg_upstream),
    SECTION_OF(upstream_tls_keys)};

/* --- upstreams ---------------------------------------------------------------------------------*/

static const struct hf_key upstream_keys[] = {
    {.name = "servers",
     .kind = HF_KIND_SERVER,
     .required = true,
     .doc = "The backend's servers: `host:port`, `address:port`, `[address]:port` or "
            "`unix:/path`. Names are looked up when they are needed, and again by their TTL.",
     .example = "[\"127.0.0.1:8080\"]",
     ARRAY(hf_cfg_upstream, servers)},
    {.name = "balance",
     .kind = HF_KIND_ENUM,
     .words = balance_words,
     .standard = "round-robin",
     .doc = "How a server is chosen for a connection.",
     .example = "least-connections",
     FIELD(hf_cfg_upstream, balance)},
    {.name = "connect-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * MINUTE,
     .standard = "5s",
     .doc = "How long to wait for one server before the next is tried.",
     .example = "2s",
     FIELD(hf_cfg_upstream, connect_timeout_ms)},
    {.name = "proxy-protocol",
     .kind = HF_KIND_ENUM,
     .words = proxy_words,
     .standard = "none",
     .doc = "The PROXY protocol header to send first: `v1`, `v2`, or `v2-tls`, which also tells "
            "TLS version, cipher and the client's certificate.",
     .example = "v2-tls",
     FIELD(hf_cfg_upstream, proxy_out)},
    {.name = "tls",
     .kind = HF_KIND_SECTION,
     .section = &section_upstream_tls,
     .doc = "Speak TLS with the backend.",
     .set_offset = offsetof(struct hf_cfg_upstream, tls_on),
     .offset = 0},
};

static const struct hf_section section_upstream = {
    .noun = "upstream",
    .doc = "A backend that listeners relay to.",
    .sample = "upstreams:\n  app:\n    servers: [\"127.0.0.1:8080\"]\n",
    .size = sizeof(struct hf_cfg_upstream),
    .check = hf_check_upstream,
    SECTION_OF(upstream_keys)};

/* --- listeners ---------------------------------------------------------------------------------*/

static const struct hf_key sni_keys[] = {
    {.name = "name",
     .kind = HF_KIND_PATTERN,
     .required = true,
     .doc = "The server name asked for: exact, or `*.example.org` for exactly one label.",
     .example = "\"*.example.org\"",
     FIELD(hf_cfg_sni, pattern)},
    {.name = "client",
     .kind = HF_KIND_ENUM,
     .words = client_words,
     .doc = "As in the listener. Default: the listener's.",
     .example = "request",
     FIELD(hf_cfg_sni, client)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "As in the listener. Default: the listener's.",
     .example = "partners",
     FIELD(hf_cfg_sni, trust)},
};

static const struct hf_section section_sni = {
    .noun = "sni rule",
    .doc = "How clients are asked when they want one of these server names; exact names before "
           "patterns.",
    .size = sizeof(struct hf_cfg_sni),
    SECTION_OF(sni_keys)};

static const struct hf_key listener_keys[] = {
    {.name = "listen",
     .kind = HF_KIND_ADDRESS,
     .required = true,
     .doc = "The addresses to listen on: `address:port`, `[address]:port`, `:port` for all "
            "addresses, or `unix:/path`.",
     .example = "[\"0.0.0.0:8443\"]",
     ARRAY(hf_cfg_listener, listen)},
    {.name = "to",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_upstream,
     .required = true,
     .doc = "The upstream that connections are relayed to.",
     .example = "app",
     FIELD(hf_cfg_listener, to)},
    {.name = "mode",
     .kind = HF_KIND_ENUM,
     .words = mode_words,
     .standard = "tcp",
     .hint = "this version relays bytes as they are, HTTP among them, and has no HTTP routes",
     .doc = "What is relayed: `tcp` passes the bytes inside TLS on as they are.",
     .example = "tcp",
     FIELD(hf_cfg_listener, mode)},
    {.name = "plain",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Accept plain text, no TLS: for the client side of a tunnel, on loopback.",
     .example = "true",
     .mark_offset = offsetof(struct hf_cfg_listener, plain_mark),
     FIELD(hf_cfg_listener, plain)},
    {.name = "identities",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_identity,
     .doc = "The identities to show, chosen by the name that the client asks for: exact before "
            "wildcard, and the first for all others. Must be given unless `plain` is on.",
     .example = "[web, wild]",
     ARRAY(hf_cfg_listener, identities)},
    {.name = "client",
     .kind = HF_KIND_ENUM,
     .words = client_words,
     .standard = "require",
     .doc = "Whether clients must show a certificate. `require`: yes, a good one. `request`: none "
            "is fine, a bad one is refused. `request-unverified`: everything passes, but what was "
            "wrong is logged. `none`: they are not asked.",
     .example = "require",
     .mark_offset = offsetof(struct hf_cfg_listener, client_mark),
     FIELD(hf_cfg_listener, client)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that clients' certificates are verified against. Must be given for "
            "`client: require` and `client: request`.",
     .example = "partners",
     FIELD(hf_cfg_listener, trust)},
    {.name = "sni",
     .kind = HF_KIND_OBJECTS,
     .section = &section_sni,
     .doc = "Other rules for some server names.",
     FIELD(hf_cfg_listener, sni),
     .n_offset = offsetof(struct hf_cfg_listener, n_sni)},
    {.name = "strict-sni",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Refuse clients that ask for no name, or for one that no identity has.",
     .example = "true",
     FIELD(hf_cfg_listener, strict_sni)},
    {.name = "tls",
     .kind = HF_KIND_SECTION,
     .section = &section_listener_tls,
     .doc = "Versions, ciphers and the like.",
     FIELD(hf_cfg_listener, tls)},
    {.name = "proxy-protocol-from",
     .kind = HF_KIND_CIDR,
     .doc = "Networks whose connections must begin with a PROXY protocol header (v1 or v2), which "
            "is believed. From anywhere else it is no header: TLS refuses such bytes, a plain "
            "listener passes them on.",
     .example = "[10.0.0.0/8]",
     .list = true,
     FIELD(hf_cfg_listener, proxy_from),
     .n_offset = offsetof(struct hf_cfg_listener, n_proxy_from)},
    {.name = "handshake-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * MINUTE,
     .standard = "10s",
     .doc = "How long a client may take for the PROXY header and the TLS handshake.",
     .example = "5s",
     FIELD(hf_cfg_listener, handshake_timeout_ms)},
    {.name = "idle-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 365 * DAY,
     .standard = "1h",
     .doc = "How long a connection may be silent both ways before it is closed; `0`: for ever.",
     .example = "5m",
     FIELD(hf_cfg_listener, idle_timeout_ms)},
    {.name = "total-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 365 * DAY,
     .standard = "0",
     .doc = "How long a connection may last at all; `0`: for ever.",
     .example = "24h",
     FIELD(hf_cfg_listener, total_timeout_ms)},
    {.name = "max-connections",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many connections may be open at once, over all workers; `0`: no limit of its "
            "own.",
     .example = "10000",
     FIELD(hf_cfg_listener, max_connections)},
};

static const struct hf_section section_listener = {
    .noun = "listener",
    .doc = "A door: where clients connect, how they are checked, and where they are relayed to.",
    .sample = "listeners:\n"
              "  api:\n"
              "    listen: [\"0.0.0.0:8443\"]\n"
              "    identities: [web]\n"
              "    client: require\n"
              "    trust: partners\n"
              "    to: app\n",
    .size = sizeof(struct hf_cfg_listener),
    .check = hf_check_listener,
    SECTION_OF(listener_keys)};

/* --- the top -----------------------------------------------------------------------------------*/

#define NAMED(member) FIELD(hf_config, member), .n_offset = offsetof(struct hf_config, n_##member)

static const struct hf_key config_keys[] = {
    {.name = "admin",
     .kind = HF_KIND_UNIX,
     .doc = "The admin socket (HTTP and JSON, mode 0600) that `handfast status`, `reload`, "
            "`drain` and `sessions` talk to. Default: none.",
     .example = "unix:/run/handfast/admin.sock",
     FIELD(hf_config, admin)},
    {.name = "metrics",
     .kind = HF_KIND_ADDRESS,
     .doc = "Where Prometheus metrics are served, over plain HTTP. Default: nowhere.",
     .example = "127.0.0.1:9464",
     FIELD(hf_config, metrics)},
    {.name = "log",
     .kind = HF_KIND_SECTION,
     .section = &section_log,
     .doc = "What is logged, and where to.",
     FIELD(hf_config, log)},
    {.name = "workers",
     .kind = HF_KIND_UINT,
     .words = auto_words,
     .min = 1,
     .max = 256,
     .standard = "auto",
     .doc = "How many threads serve connections; `auto`: one for each core.",
     .example = "4",
     FIELD(hf_config, workers)},
    {.name = "drain-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 7 * DAY,
     .standard = "30s",
     .doc = "How long open connections may go on after SIGTERM or `handfast drain`.",
     .example = "5m",
     FIELD(hf_config, drain_timeout_ms)},
    {.name = "identities",
     .kind = HF_KIND_NAMED,
     .section = &section_identity,
     .doc = "Certificates with their keys, by name.",
     NAMED(identities)},
    {.name = "trust",
     .kind = HF_KIND_NAMED,
     .section = &section_trust,
     .doc = "Roots to verify peers against, by name.",
     NAMED(trusts)},
    {.name = "upstreams",
     .kind = HF_KIND_NAMED,
     .section = &section_upstream,
     .doc = "Backends, by name.",
     NAMED(upstreams)},
    {.name = "listeners",
     .kind = HF_KIND_NAMED,
     .required = true,
     .section = &section_listener,
     .doc = "Where clients connect, by name.",
     NAMED(listeners)},
};

const struct hf_section hf_section_config = {.noun = "config",
                                             .doc = "",
                                             .size = sizeof(struct hf_config),
                                             .check = hf_check_config,
                                             SECTION_OF(config_keys)};
