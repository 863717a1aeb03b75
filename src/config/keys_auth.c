// SPDX-License-Identifier: Apache-2.0
/* Tokens and passwords, and limits. */
#include "config/keys_impl.h"
#include "config/semantics.h"

#define STRINGS(type, member) \
    .list = true, HF_KEY_FIELD(type, member.item), .n_offset = offsetof(struct type, member.n)

static const struct hf_word alg_words[] = {
#define ALG_WORD(id, name, key, hash) {name, HF_JWS_##id},
    HF_JWS_TABLE(ALG_WORD)
#undef ALG_WORD
        {NULL, 0},
};
static const struct hf_word bound_words[] = {{"if-present", HF_JWT_BOUND_IF_PRESENT},
                                             {"require", HF_JWT_BOUND_REQUIRE},
                                             {"off", HF_JWT_BOUND_OFF},
                                             {NULL, 0}};

/* --- jwt ---------------------------------------------------------------------------------------*/

static const struct hf_key jwt_keys[] = {
    {.name = "jwks",
     .kind = HF_KIND_KEYSET,
     .required = true,
     .doc = "The issuer's public keys, a JSON Web Key Set: an `https://` URL that is fetched and "
            "kept fresh, or a file that is read at start and reload.",
     .example = "https://idp.example.org/keys",
     HF_KEY_FIELD(hf_cfg_jwt, jwks)},
    {.name = "jwks-trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that the server of the URL is verified against. Default: the system's "
            "roots.",
     .example = "internal",
     HF_KEY_FIELD(hf_cfg_jwt, jwks_trust)},
    {.name = "refresh",
     .kind = HF_KIND_DURATION,
     .min = 10 * 1000,
     .max = 7 * HF_DAY_MS,
     .standard = "15m",
     .doc = "How often the URL is asked again. A token with an unknown key makes it be asked at "
            "once, at most every ten seconds. When it doesn't answer, the last good keys stay.",
     .example = "1h",
     HF_KEY_FIELD(hf_cfg_jwt, refresh_ms)},
    {.name = "issuer",
     .kind = HF_KIND_TEXT,
     .required = true,
     .doc = "Who must have issued the token: its `iss` is one of these, to the letter.",
     .example = "https://idp.example.org/",
     STRINGS(hf_cfg_jwt, issuer)},
    {.name = "audience",
     .kind = HF_KIND_TEXT,
     .doc = "Whom the token must be for: its `aud` has one of these.",
     .example = "https://api.example.org",
     STRINGS(hf_cfg_jwt, audience)},
    {.name = "unsafe-any-audience",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Take tokens that are for anybody. Whoever gets a token for another service can then "
            "use it here.",
     .example = "true",
     .mark_offset = offsetof(struct hf_cfg_jwt, unsafe_any_audience_mark),
     HF_KEY_FIELD(hf_cfg_jwt, unsafe_any_audience)},
    {.name = "algorithms",
     .kind = HF_KIND_ENUM,
     .words = alg_words,
     .standard = "[RS256, PS256, ES256, ES384, EdDSA]",
     .doc = "The signature algorithms that are accepted. Neither `none` nor those with a shared "
            "secret (`HS256`) can be.",
     .example = "[ES256]",
     HF_KEY_ARRAY(hf_cfg_jwt, algorithms)},
    {.name = "types",
     .kind = HF_KIND_TEXT,
     .doc = "What the token's `typ` must be, such as `at+jwt` for access tokens by RFC 9068. "
            "Default: not looked at.",
     .example = "[at+jwt]",
     STRINGS(hf_cfg_jwt, types)},
    {.name = "scopes",
     .kind = HF_KIND_TEXT,
     .doc = "Scopes that the token must have, all of them, in `scope` or `scp`.",
     .example = "[orders.read]",
     STRINGS(hf_cfg_jwt, scopes)},
    {.name = "claims",
     .kind = HF_KIND_CLAIMS,
     .doc = "Claims that the token must have, all of them, and for each the values of which it "
            "must be, or as a list must hold, one. A name that begins with `/` is a JSON pointer.",
     .example = "{tenant: acme, /realm_access/roles: [admin, auditor]}",
     HF_KEY_FIELD(hf_cfg_jwt, claims)},
    {.name = "leeway",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 5 * HF_MINUTE_MS,
     .standard = "30s",
     .doc = "How far the issuer's clock may be off.",
     .example = "1m",
     HF_KEY_FIELD(hf_cfg_jwt, leeway_ms)},
    {.name = "max-age",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .standard = "0",
     .doc = "How long ago the token may have been issued (`iat`); `0`: until it expires. Every "
            "token must have an `exp`.",
     .example = "8h",
     HF_KEY_FIELD(hf_cfg_jwt, max_age_ms)},
    {.name = "bound",
     .kind = HF_KIND_ENUM,
     .words = bound_words,
     .standard = "if-present",
     .doc = "Must the token be bound to the client's certificate (RFC 8705)? `require`: each must "
            "be; `if-present`: those that say so are held to it, and those that are bound in "
            "another way are refused; `off`: it isn't looked at.",
     .example = "require",
     HF_KEY_FIELD(hf_cfg_jwt, bound)},
    {.name = "header",
     .kind = HF_KIND_FIELD,
     .standard = "authorization",
     .doc = "The header field with the token: after `Bearer ` in `authorization`, alone in any "
            "other.",
     .example = "x-id-token",
     HF_KEY_FIELD(hf_cfg_jwt, header)},
    {.name = "realm",
     .kind = HF_KIND_TEXT,
     .doc = "What a refusal's `WWW-Authenticate` says as realm. Default: nothing.",
     .example = "orders",
     HF_KEY_FIELD(hf_cfg_jwt, realm)},
    {.name = "forward",
     .kind = HF_KIND_BOOL,
     .standard = "true",
     .doc = "Pass the token on to the backend.",
     .example = "false",
     HF_KEY_FIELD(hf_cfg_jwt, forward)},
};

static const struct hf_section section_jwt = {
    .noun = "jwt",
    .doc = "Bearer tokens that are JSON Web Tokens, signed by an issuer.",
    .size = sizeof(struct hf_cfg_jwt),
    .check = hf_check_jwt,
    HF_SECTION_KEYS(jwt_keys)};

/* --- basic -------------------------------------------------------------------------------------*/

static const struct hf_key basic_keys[] = {
    {.name = "htpasswd",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The file of users, lines of `user:hash`, with hashes by bcrypt, yescrypt or "
            "sha512-crypt. Weaker ones are refused, and so is a file that everybody can read. Read "
            "at start and reload.",
     .example = "users.htpasswd",
     HF_KEY_FIELD(hf_cfg_basic, htpasswd)},
    {.name = "realm",
     .kind = HF_KIND_TEXT,
     .standard = "restricted",
     .doc = "What the browser's password window says.",
     .example = "staff",
     HF_KEY_FIELD(hf_cfg_basic, realm)},
    {.name = "cache",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = HF_DAY_MS,
     .standard = "5m",
     .doc = "How long a right password is remembered, by a keyed hash, before it is hashed anew; "
            "`0`: not at all.",
     .example = "1m",
     HF_KEY_FIELD(hf_cfg_basic, cache_ms)},
    {.name = "failures",
     .kind = HF_KIND_RATE,
     .standard = "10/m burst 10",
     .doc = "How many wrong passwords one address may try. Beyond, it is refused with 429 without "
            "looking at the password.",
     .example = "5/m burst 20",
     HF_KEY_FIELD(hf_cfg_basic, failures)},
    {.name = "forward",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Pass the password on to the backend.",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_basic, forward)},
};

static const struct hf_section section_basic = {
    .noun = "basic",
    .doc = "User and password (HTTP Basic) against a file.",
    .size = sizeof(struct hf_cfg_basic),
    HF_SECTION_KEYS(basic_keys)};

/* --- auth --------------------------------------------------------------------------------------*/

static const struct hf_key auth_keys[] = {
    {.name = "jwt",
     .kind = HF_KIND_SECTION,
     .section = &section_jwt,
     .doc = "Bearer tokens. Each has either this or `basic`.",
     .set_offset = offsetof(struct hf_cfg_auth, jwt_on),
     HF_KEY_FIELD(hf_cfg_auth, jwt)},
    {.name = "basic",
     .kind = HF_KIND_SECTION,
     .section = &section_basic,
     .doc = "User and password.",
     .set_offset = offsetof(struct hf_cfg_auth, basic_on),
     HF_KEY_FIELD(hf_cfg_auth, basic)},
};

const struct hf_section hf_section_auth = {
    .noun = "auth",
    .doc = "What a client may have to show beside its certificate. Routes ask for it by name, with "
           "their key `auth`.",
    .sample = "auth:\n"
              "  idp:\n"
              "    jwt:\n"
              "      jwks: https://idp.example.org/keys\n"
              "      issuer: https://idp.example.org/\n"
              "      audience: https://api.example.org\n"
              "      bound: require\n",
    .size = sizeof(struct hf_cfg_auth),
    .check = hf_check_auth,
    HF_SECTION_KEYS(auth_keys)};

/* --- limits ------------------------------------------------------------------------------------*/

static const struct hf_key limits_keys[] = {
    {.name = "per-identity",
     .kind = HF_KIND_RATE,
     .doc = "How many requests one client may make, with `mode: http`: by the name in its verified "
            "certificate, or else by issuer and `sub` of its token, or its user name. Default: no "
            "limit.",
     .example = "100/s burst 200",
     HF_KEY_FIELD(hf_cfg_limits, per_identity)},
    {.name = "per-address",
     .kind = HF_KIND_RATE,
     .doc = "How many requests may come from one address (IPv6: one /64). Default: no limit.",
     .example = "1000/s",
     HF_KEY_FIELD(hf_cfg_limits, per_address)},
    {.name = "connections-per-identity",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many connections one client may have open, by the name in its verified "
            "certificate, over all workers; `0`: no limit.",
     .example = "100",
     .mark_offset = offsetof(struct hf_cfg_limits, connections_per_identity_mark),
     HF_KEY_FIELD(hf_cfg_limits, connections_per_identity)},
    {.name = "connections-per-address",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many connections one address (IPv6: one /64) may have open, over all workers; "
            "`0`: no limit.",
     .example = "1000",
     HF_KEY_FIELD(hf_cfg_limits, connections_per_address)},
};

const struct hf_section hf_section_limits = {
    .noun = "limits",
    .doc = "How much one client may take, so that the others get theirs.",
    .size = sizeof(struct hf_cfg_limits),
    HF_SECTION_KEYS(limits_keys)};
