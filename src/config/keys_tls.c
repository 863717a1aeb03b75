// SPDX-License-Identifier: Apache-2.0
/* The keys of `tls`, in both roles. */
#include "config/keys_impl.h"

static const struct hf_word version_words[] = {{"1.2", HF_TLS_1_2}, {"1.3", HF_TLS_1_3}, {NULL, 0}};
static const struct hf_word engine_words[] = {{"auto", HF_TLS_ENGINE_AUTO},
                                              {"native", HF_TLS_ENGINE_NATIVE},
                                              {"libssl", HF_TLS_ENGINE_LIBSSL},
                                              {NULL, 0}};

static const struct hf_word limit_words[] = {{"none", 0}, {NULL, 0}};

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
        {.name = "signatures", \
         .kind = HF_KIND_TLS_WORD, \
         .doc = "The signature schemes taken from peers in TLS 1.3, by their names in RFC 8446 " \
                "4.2.3. Default: all that the engine knows.", \
         .example = "[ecdsa_secp256r1_sha256, ed25519]", \
         TLS_(signatures)}, \
        {.name = "own-signatures", \
         .kind = HF_KIND_TLS_WORD, \
         .doc = "The signature schemes that we sign with in TLS 1.3, in order of preference. " \
                "Default: all that fit the key.", \
         .example = "[rsa_pss_rsae_sha384]", \
         TLS_(own_signatures)}, \
        {.name = "cert-compression", \
         .kind = HF_KIND_TLS_WORD, \
         .doc = "How certificates may be compressed (RFC 8879), in order of preference: `zlib`, " \
                "`brotli`, `zstd`. Default: not at all.", \
         .example = "[brotli, zlib]", \
         TLS_(cert_compression)}, \
        {.name = "record-padding", \
         .kind = HF_KIND_UINT, \
         .min = 0, \
         .max = 16384, \
         .standard = "0", \
         .doc = "Pad what is in each TLS 1.3 record to a multiple of so many bytes, so that its " \
                "length tells less; `0`: not.", \
         .example = "256", \
         TLS_(record_padding)}, \
        {.name = "record-size-limit", \
         .kind = HF_KIND_UINT, \
         .min = 64, \
         .max = 16385, \
         .words = limit_words, \
         .standard = "none", \
         .doc = "The longest TLS 1.3 record that the peer may send (RFC 8449), counted with the " \
                "byte for its type; `none`: as TLS has it.", \
         .example = "4096", \
         TLS_(record_size_limit)}, \
    { \
        .name = "groups", .kind = HF_KIND_TLS_WORD, \
        .doc = "The key exchange groups in order of preference. Default: X25519, P-256, P-384.", \
        .example = "[X25519, P-256]", TLS_(groups) \
    }

#define TLS_ALPN_DOC(more) "The application protocols (ALPN), in order of preference. " more

#define LISTENER_TLS(member) HF_KEY_FIELD(hf_cfg_tls, member)

static const struct hf_key listener_tls_keys[] = {
    TLS_COMMON_KEYS(LISTENER_TLS, .offset = 0),
    {.name = "alpn",
     .kind = HF_KIND_ALPN,
     .list = true,
     .doc = TLS_ALPN_DOC("A client that offers others only is refused. Default: none is agreed."),
     .example = "[http/1.1]",
     .offset = offsetof(struct hf_cfg_tls, alpn.item),
     .n_offset = offsetof(struct hf_cfg_tls, alpn.n)},
    {.name = "cookie",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Where a client's first TLS 1.3 hello has to be answered by a HelloRetryRequest, keep "
            "nothing of it until the second comes: the state travels in a cookie.",
     .example = "true",
     LISTENER_TLS(cookie)},
    {.name = "tickets",
     .kind = HF_KIND_BOOL,
     .standard = "true",
     .doc = "Whether clients may resume sessions. A resumed session is judged again like a new "
            "one.",
     .example = "false",
     LISTENER_TLS(tickets)},
    {.name = "ticket-lifetime",
     .kind = HF_KIND_DURATION,
     .min = HF_MINUTE_MS,
     .max = 7 * HF_DAY_MS,
     .standard = "2h",
     .doc = "How long after the handshake a session may be resumed; at most 7 days (RFC 8446).",
     .example = "30m",
     LISTENER_TLS(ticket_lifetime_ms)},
    {.name = "ticket-keys",
     .kind = HF_KIND_FILE,
     .doc =
         "A file of ticket keys, made by `handfast tickets new`, so that several nodes resume each "
         "other's sessions: those of listeners with the same name, client mode and trust. Read "
         "again at each reload; refused where others can read it. Default: keys of the daemon's "
         "own, rotated every half `ticket-lifetime`.",
     .example = "/etc/handfast/tickets.keys",
     LISTENER_TLS(ticket_keys)},
    {.name = "unsafe-keylog",
     .kind = HF_KIND_PATH,
     .doc = "A file to append session keys to, for Wireshark. Whoever reads it reads the traffic.",
     .example = "/tmp/keys.log",
     LISTENER_TLS(unsafe_keylog)},
};

const struct hf_section hf_section_listener_tls = {
    .noun = "listener's tls",
    .doc = "How TLS is spoken with clients. Renegotiation, compression and 0-RTT are always off.",
    .size = sizeof(struct hf_cfg_tls),
    HF_SECTION_KEYS(listener_tls_keys)};

/* An upstream's keys sit in one section of the file but in two structs, so offsets are from the
 * upstream. */
#define UPSTREAM_TLS(member) HF_KEY_FIELD(hf_cfg_upstream, tls.member)

static const struct hf_key upstream_tls_keys[] = {
    {.name = "identity",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_identity,
     .doc = "The identity to show when the backend asks for a client certificate; of several, the "
            "first that fits what it asks for (signatures and CA names), or the first of all.",
     .example = "web",
     HF_KEY_ARRAY(hf_cfg_upstream, tls_identities)},
    {.name = "trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that the backend's certificate is verified against. Must be given unless "
            "`unsafe-skip-verify` is on.",
     .example = "backends",
     HF_KEY_FIELD(hf_cfg_upstream, tls_trust)},
    {.name = "name",
     .kind = HF_KIND_HOST,
     .doc = "The host name or address that the backend's certificate must carry. Default: the "
            "host of the server connected to.",
     .example = "db.internal.example",
     HF_KEY_FIELD(hf_cfg_upstream, tls_name)},
    {.name = "sni",
     .kind = HF_KIND_SNI,
     .doc = "The server name to ask for. Default: `name`, or the server's host; none for an "
            "address.",
     .example = "db.internal.example",
     HF_KEY_FIELD(hf_cfg_upstream, tls_sni)},
    TLS_COMMON_KEYS(UPSTREAM_TLS, HF_KEY_FIELD(hf_cfg_upstream, tls)),
    {.name = "alpn",
     .kind = HF_KIND_ALPN,
     .list = true,
     .doc = TLS_ALPN_DOC("Default: none is offered."),
     .example = "[http/1.1]",
     .offset = offsetof(struct hf_cfg_upstream, tls.alpn.item),
     .n_offset = offsetof(struct hf_cfg_upstream, tls.alpn.n)},
    {.name = "send-names",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Tell the backend the CA names of `trust`, so that one with several certificates picks "
            "the fitting one (RFC 8446 4.2.4).",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_upstream, tls_send_names)},
    {.name = "post-handshake-auth",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Offer the backend to ask for our certificate later than in the handshake (RFC 8446 "
            "4.6.2), as some do for single paths.",
     .example = "true",
     UPSTREAM_TLS(post_handshake_auth)},
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
     HF_KEY_FIELD(hf_cfg_upstream, unsafe_skip_verify)},
};

const struct hf_section hf_section_upstream_tls = {
    .noun = "upstream's tls",
    .doc = "How TLS is spoken with the backend. Without this section it is reached in plain text.",
    .size = sizeof(struct hf_cfg_upstream),
    HF_SECTION_KEYS(upstream_tls_keys)};
