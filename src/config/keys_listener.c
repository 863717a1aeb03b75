// SPDX-License-Identifier: Apache-2.0
/* The keys of one listener. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_word client_words[] = {
    {"require", HF_CLIENT_REQUIRE},
    {"request", HF_CLIENT_REQUEST},
    {"request-unverified", HF_CLIENT_REQUEST_UNVERIFIED},
    {"none", HF_CLIENT_NONE},
    {NULL, 0},
};
static const struct hf_word mode_words[] = {
    {"tcp", HF_MODE_TCP}, {"http", HF_MODE_HTTP}, {NULL, 0}};

static const struct hf_word refuse_words[] = {
    {"alert", HF_REFUSE_ALERT}, {"page", HF_REFUSE_PAGE}, {NULL, 0}};

static const struct hf_key sni_keys[] = {
    {.name = "name",
     .kind = HF_KIND_PATTERN,
     .required = true,
     .doc = "The server name asked for: exact, or `*.example.org` for exactly one label.",
     .example = "\"*.example.org\"",
     HF_KEY_FIELD(hf_cfg_sni, pattern)},
    {.name = "client",
     .kind = HF_KIND_ENUM,
     .words = client_words,
     .doc = "As in the listener. Default: the listener's.",
     .example = "request",
     HF_KEY_FIELD(hf_cfg_sni, client)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "As in the listener. Default: the listener's.",
     .example = "partners",
     HF_KEY_FIELD(hf_cfg_sni, trust)},
};

static const struct hf_section section_sni = {
    .noun = "sni rule",
    .doc = "How clients are asked when they want one of these server names; exact names before "
           "patterns.",
    .size = sizeof(struct hf_cfg_sni),
    HF_SECTION_KEYS(sni_keys)};

static const struct hf_key listener_keys[] = {
    {.name = "listen",
     .kind = HF_KIND_ADDRESS,
     .required = true,
     .doc = "The addresses to listen on: `address:port`, `[address]:port`, `:port` for all "
            "addresses, or `unix:/path`.",
     .example = "[\"0.0.0.0:8443\"]",
     HF_KEY_ARRAY(hf_cfg_listener, listen)},
    {.name = "to",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_upstream,
     .doc = "The upstream that connections are relayed to; with `mode: http`, that all requests "
            "go to, in place of `routes`.",
     .example = "app",
     HF_KEY_FIELD(hf_cfg_listener, to)},
    {.name = "mode",
     .kind = HF_KIND_ENUM,
     .words = mode_words,
     .standard = "tcp",
     .doc = "What is relayed: `tcp` passes the bytes inside TLS on as they are, `http` understands "
            "HTTP/1.1 and HTTP/2, and sends each request along its route.",
     .example = "http",
     HF_KEY_FIELD(hf_cfg_listener, mode)},
    {.name = "routes",
     .kind = HF_KIND_OBJECTS,
     .section = &hf_section_route,
     .doc = "Where requests go and who may make them, with `mode: http`.",
     HF_KEY_FIELD(hf_cfg_listener, routes),
     .n_offset = offsetof(struct hf_cfg_listener, n_routes)},
    {.name = "http",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_http,
     .doc = "Limits on requests, with `mode: http`.",
     HF_KEY_FIELD(hf_cfg_listener, http)},
    {.name = "trusted-proxies",
     .kind = HF_KIND_CIDR,
     .doc = "Networks of proxies whose word about their clients is believed, with `mode: http`: "
            "what they send in `x-forwarded-for` and the like passes. From everybody else such "
            "headers are taken out.",
     .example = "[10.0.0.0/8]",
     HF_KEY_ARRAY(hf_cfg_listener, trusted_proxies)},
    {.name = "trusted-clients",
     .kind = HF_KIND_WHO,
     .doc = "The same by certificate: roles and selectors of clients that are such proxies.",
     .example = "[\"spiffe://example.org/edge\"]",
     .list = true,
     .offset = offsetof(struct hf_cfg_listener, trusted_clients.item),
     .n_offset = offsetof(struct hf_cfg_listener, trusted_clients.n)},
    {.name = "jwks-path",
     .kind = HF_KIND_PLAIN_PATH,
     .doc = "Where the keys are served that check the tokens of `forward`, to everybody that the "
            "listener lets in, with `mode: http`. Default: nowhere.",
     .example = "/.well-known/jwks.json",
     HF_KEY_FIELD(hf_cfg_listener, jwks_path)},
    {.name = "probes",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_probes,
     .doc = "Health, told to load balancers that have no certificate, with `mode: http`.",
     .set_offset = offsetof(struct hf_cfg_listener, probes_on),
     HF_KEY_FIELD(hf_cfg_listener, probes)},
    {.name = "access-log",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_access,
     .doc = "One line for each request, with `mode: http`.",
     HF_KEY_FIELD(hf_cfg_listener, access)},
    {.name = "plain",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Accept plain text, no TLS: for the client side of a tunnel, on loopback.",
     .example = "true",
     .mark_offset = offsetof(struct hf_cfg_listener, plain_mark),
     HF_KEY_FIELD(hf_cfg_listener, plain)},
    {.name = "identities",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_identity,
     .doc = "The identities to show, chosen by the name that the client asks for: exact before "
            "wildcard, and the first for all others. Must be given unless `plain` is on.",
     .example = "[web, wild]",
     HF_KEY_ARRAY(hf_cfg_listener, identities)},
    {.name = "client",
     .kind = HF_KIND_ENUM,
     .words = client_words,
     .standard = "require",
     .doc = "Whether clients must show a certificate. `require`: yes, a good one. `request`: none "
            "is fine, a bad one is refused. `request-unverified`: everything passes, but what was "
            "wrong is logged. `none`: they are not asked.",
     .example = "require",
     .mark_offset = offsetof(struct hf_cfg_listener, client_mark),
     HF_KEY_FIELD(hf_cfg_listener, client)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that clients' certificates are verified against. Must be given for "
            "`client: require` and `client: request`.",
     .example = "partners",
     HF_KEY_FIELD(hf_cfg_listener, trust)},
    {.name = "sni",
     .kind = HF_KIND_OBJECTS,
     .section = &section_sni,
     .doc = "Other rules for some server names.",
     HF_KEY_FIELD(hf_cfg_listener, sni),
     .n_offset = offsetof(struct hf_cfg_listener, n_sni)},
    {.name = "strict-sni",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Refuse clients that ask for no name, or for one that no identity has.",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_listener, strict_sni)},
    {.name = "refuse",
     .kind = HF_KIND_ENUM,
     .words = refuse_words,
     .standard = "alert",
     .doc =
         "What a client sees that is refused for its certificate: `alert`, the alert of TLS; or, "
         "with `mode: http`, `page`: the handshake completes, and every request is answered 403 "
         "(gRPC status 7) with the code of the refusal and its id. Nothing else can be reached.",
     .example = "page",
     HF_KEY_FIELD(hf_cfg_listener, refuse)},
    {.name = "report-only",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Let in whom the certificate would keep out, and say so: in the log, in metrics, in "
            "`handfast reports`. For the time in which mutual TLS is being turned on. Such a "
            "client has no role; the deny list of `handfast revoke` holds all the same.",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_listener, report_only),
     .mark_offset = offsetof(struct hf_cfg_listener, report_only_mark)},
    {.name = "tls",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_listener_tls,
     .doc = "Versions, ciphers and the like.",
     HF_KEY_FIELD(hf_cfg_listener, tls)},
    {.name = "limits",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_limits,
     .doc = "How much one client may take.",
     HF_KEY_FIELD(hf_cfg_listener, limits)},
    {.name = "proxy-protocol-from",
     .kind = HF_KIND_CIDR,
     .doc = "Networks whose connections must begin with a PROXY protocol header (v1 or v2), which "
            "is believed. From anywhere else it is no header: TLS refuses such bytes, a plain "
            "listener passes them on.",
     .example = "[10.0.0.0/8]",
     .list = true,
     HF_KEY_FIELD(hf_cfg_listener, proxy_from),
     .n_offset = offsetof(struct hf_cfg_listener, n_proxy_from)},
    {.name = "handshake-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * HF_MINUTE_MS,
     .standard = "10s",
     .doc = "How long a client may take for the PROXY header and the TLS handshake.",
     .example = "5s",
     HF_KEY_FIELD(hf_cfg_listener, handshake_timeout_ms)},
    {.name = "idle-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .standard = "1h",
     .doc = "How long a connection may be silent both ways before it is closed; `0`: for ever.",
     .example = "5m",
     HF_KEY_FIELD(hf_cfg_listener, idle_timeout_ms)},
    {.name = "total-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .standard = "0",
     .doc = "How long a connection may last at all; `0`: for ever.",
     .example = "24h",
     HF_KEY_FIELD(hf_cfg_listener, total_timeout_ms)},
    {.name = "max-connections",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many connections may be open at once, over all workers; `0`: no limit of its "
            "own.",
     .example = "10000",
     HF_KEY_FIELD(hf_cfg_listener, max_connections)},
};

const struct hf_section hf_section_listener = {
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
    HF_SECTION_KEYS(listener_keys)};
