// SPDX-License-Identifier: Apache-2.0
/* The keys about what is told of clients: an upstream's `forward`, a listener's `access-log`, and
 * `token-signing`. */
#include "base/log.h"
#include "config/keys_impl.h"
#include "config/semantics.h"

#define WORD(id, word, ...) {word, HF_SPELL_##id},
static const struct hf_word identity_words[] = {HF_SPELLING_TABLE(WORD){"none", HF_CFG_NOTHING},
                                                {NULL, 0}};
#undef WORD
#define WORD(id, word) {word, HF_ADDRESS_##id},
static const struct hf_word address_words[] = {HF_ADDRESS_TABLE(WORD){"none", HF_CFG_NOTHING},
                                               {NULL, 0}};
#undef WORD
#define WORD(id, word) {word, HF_XFCC_PART_##id},
static const struct hf_word xfcc_words[] = {HF_XFCC_TABLE(WORD){NULL, 0}};
#undef WORD
static const struct hf_word mode_words[] = {
    {"set", HF_XFCC_SET}, {"append", HF_XFCC_APPEND}, {"sanitize", HF_XFCC_SANITIZE}, {NULL, 0}};
static const struct hf_word trace_words[] = {
    {"span", HF_TRACE_SPAN}, {"pass", HF_TRACE_PASS}, {"off", HF_TRACE_OFF}, {NULL, 0}};
static const struct hf_word access_words[] = {
    {"log", HF_CFG_ACCESS_LOG},   {"json", HF_CFG_ACCESS_JSON},
    {"text", HF_CFG_ACCESS_TEXT}, {"combined", HF_CFG_ACCESS_COMBINED},
    {"off", HF_CFG_ACCESS_OFF},   {NULL, 0}};
static const struct hf_word place_words[] = {{"stderr", 0}, {"stdout", 0}, {NULL, 0}};

#define WORDS_ARRAY(type, member) \
    .list = true, .offset = offsetof(struct type, member.item), \
    .n_offset = offsetof(struct type, member.n)

/* --- An upstream's ------------------------------------------------------------------------------
 */

static const struct hf_key token_keys[] = {
    {.name = "header",
     .kind = HF_KIND_FIELD,
     .standard = HF_TOKEN_HEADER,
     .doc = "The header that carries the token. In `authorization` it is a bearer token, and takes "
            "the place of what the client sent there.",
     .example = "authorization",
     HF_KEY_FIELD(hf_cfg_token, header)},
    {.name = "audience",
     .kind = HF_KIND_TEXT,
     .doc = "The `aud` of the token. Default: the name of the upstream.",
     .example = "orders",
     HF_KEY_FIELD(hf_cfg_token, audience)},
};

static const struct hf_section section_token = {
    .noun = "token",
    .doc = "The signed token, where `identity` has `token`.",
    .size = sizeof(struct hf_cfg_token),
    HF_SECTION_KEYS(token_keys)};

static const struct hf_key forward_keys[] = {
    {.name = "identity",
     .kind = HF_KIND_ENUM,
     .words = identity_words,
     .standard = "x-forwarded-client-cert",
     .doc = "How the backend is told of the client's certificate: in `x-forwarded-client-cert` "
            "(Envoy's format), `client-cert` and `client-cert-chain` (RFC 9440), in a signed "
            "`token`, or by `none` of them.",
     .example = "[client-cert, token]",
     WORDS_ARRAY(hf_cfg_forward, identity)},
    {.name = "xfcc",
     .kind = HF_KIND_ENUM,
     .words = mode_words,
     .standard = "append",
     .doc = "What becomes of the `x-forwarded-client-cert` that a listed proxy sent: `set` puts "
            "ours in its place, `append` puts ours behind it, `sanitize` sends none at all. That "
            "of others never passes.",
     .example = "set",
     .mark_offset = offsetof(struct hf_cfg_forward, xfcc_mark),
     HF_KEY_FIELD(hf_cfg_forward, xfcc_mode)},
    {.name = "xfcc-parts",
     .kind = HF_KIND_ENUM,
     .words = xfcc_words,
     .standard = "[by, hash, subject, uri, dns]",
     .doc = "What `x-forwarded-client-cert` tells.",
     .example = "[hash, cert]",
     .mark_offset = offsetof(struct hf_cfg_forward, xfcc_parts_mark),
     WORDS_ARRAY(hf_cfg_forward, xfcc_parts)},
    {.name = "address",
     .kind = HF_KIND_ENUM,
     .words = address_words,
     .standard = "x-forwarded",
     .doc = "How the backend is told of the client's address: `x-forwarded` (X-Forwarded-For, "
            "-Proto, -Host and -Port), `forwarded` (RFC 7239), `x-real-ip`, or by `none`.",
     .example = "[x-forwarded, forwarded]",
     WORDS_ARRAY(hf_cfg_forward, address)},
    {.name = "headers",
     .kind = HF_KIND_FIELDS,
     .doc = "Headers of your own, each with a template for its value; see [variables of "
            "templates](#variables-of-templates). A header of which nothing is known is left out.",
     .example = "{x-client-dn: \"{peer.dn}\", ssl-client-verify: \"{peer.verify}\"}",
     HF_KEY_FIELD(hf_cfg_forward, headers)},
    {.name = "strip",
     .kind = HF_KIND_TEXT,
     .doc = "More headers that are taken out of what clients send, whichever upstream it goes to, "
            "such as those in which another proxy told this backend who the client is; `*` at the "
            "end stands for any rest. All that are set here or are [known from other "
            "proxies](#headers-that-clients-may-not-send) are taken out anyhow.",
     .example = "[x-acme-user, \"x-acme-auth-*\"]",
     WORDS_ARRAY(hf_cfg_forward, strip)},
    {.name = "token",
     .kind = HF_KIND_SECTION,
     .section = &section_token,
     .doc = "Where the signed token goes.",
     .mark_offset = offsetof(struct hf_cfg_forward, token_mark),
     HF_KEY_FIELD(hf_cfg_forward, token)},
    {.name = "trace",
     .kind = HF_KIND_ENUM,
     .words = trace_words,
     .standard = "span",
     .doc =
         "W3C trace context. `span`: a valid `traceparent` goes on with a span of ours, which "
         "the access log has; without one a trace begins here. `pass`: a valid one goes on as it "
         "is, none is made. `off`: none goes on.",
     .example = "pass",
     HF_KEY_FIELD(hf_cfg_forward, trace)},
    {.name = "request-id",
     .kind = HF_KIND_BOOL,
     .standard = "true",
     .doc = "Tell the request's id, by which the log has it, as `x-request-id`.",
     .example = "false",
     HF_KEY_FIELD(hf_cfg_forward, request_id)},
    {.name = "max-value",
     .kind = HF_KIND_SIZE,
     .min = 256,
     .max = 64 << 10,
     .standard = "16KiB",
     .doc = "The longest value that is told, such as a certificate chain. A request that would "
            "need more is answered 431.",
     .example = "8KiB",
     HF_KEY_FIELD(hf_cfg_forward, value_max)},
    {.name = "unsafe-unverified",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Tell of certificates that were not verified (`client: request-unverified`), too. The "
            "backend must verify them itself. The token never does.",
     .example = "true",
     .mark_offset = offsetof(struct hf_cfg_forward, unsafe_unverified_mark),
     HF_KEY_FIELD(hf_cfg_forward, unsafe_unverified)},
};

const struct hf_section hf_section_forward = {
    .noun = "forward",
    .doc = "What the backend is told of clients, with `mode: http`; [telling the backend who the "
           "client is](http-identity.md) has examples.",
    .size = sizeof(struct hf_cfg_forward),
    .check = hf_check_forward,
    HF_SECTION_KEYS(forward_keys)};

/* --- A listener's -------------------------------------------------------------------------------
 */

static const struct hf_key access_keys[] = {
    {.name = "format",
     .kind = HF_KIND_ENUM,
     .words = access_words,
     .standard = "log",
     .doc = "How the line of a request is written: like the other lines of the `log`, as `json`, "
            "as `text`, or as Apache's and nginx's `combined`; `off`: there is none.",
     .example = "combined",
     HF_KEY_FIELD(hf_cfg_access, format)},
    {.name = "template",
     .kind = HF_KIND_TEXT,
     .doc = "A line of your own in place of `format`; see [variables of "
            "templates](#variables-of-templates).",
     .example = "\"{time} {peer.name} {request.method} {request.target} {status} {took.us}\"",
     HF_KEY_FIELD(hf_cfg_access, tmpl)},
    {.name = "to",
     .kind = HF_KIND_PATH,
     .words = place_words,
     .doc = "Where the lines go: `stderr`, `stdout`, or a file, which is appended to. Default: "
            "where the log goes.",
     .example = "/var/log/handfast-access.log",
     HF_KEY_FIELD(hf_cfg_access, to)},
};

const struct hf_section hf_section_access = {
    .noun = "access-log",
    .doc = "One line for each request, with `mode: http`. It is written whatever the level of the "
           "log.",
    .size = sizeof(struct hf_cfg_access),
    .check = hf_check_access,
    HF_SECTION_KEYS(access_keys)};

/* --- The top's ----------------------------------------------------------------------------------
 */

static const struct hf_key signing_keys[] = {
    {.name = "keys",
     .kind = HF_KIND_FILE,
     .doc = "Files with P-256 private keys in PEM. The first signs; all are published, so that a "
            "new key can be put before the old one, and the old one taken away later. Default: a "
            "key is made at the start, and lives as long as the process.",
     .example = "[token.key]",
     WORDS_ARRAY(hf_cfg_signing, keys)},
    {.name = "issuer",
     .kind = HF_KIND_TEXT,
     .standard = "handfast",
     .doc = "The `iss` of tokens.",
     .example = "https://edge.example.org",
     HF_KEY_FIELD(hf_cfg_signing, issuer)},
    {.name = "lifetime",
     .kind = HF_KIND_DURATION,
     .min = 5000,
     .max = 24 * 60 * HF_MINUTE_MS,
     .standard = "1m",
     .doc = "How long a token is good for. One is used again for the requests of a connection "
            "until a quarter of this is left.",
     .example = "5m",
     HF_KEY_FIELD(hf_cfg_signing, lifetime_ms)},
};

const struct hf_section hf_section_signing = {
    .noun = "token-signing",
    .doc = "How the tokens are signed that tell upstreams of clients; see `forward`.",
    .size = sizeof(struct hf_cfg_signing),
    HF_SECTION_KEYS(signing_keys)};
