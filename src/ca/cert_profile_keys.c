// SPDX-License-Identifier: Apache-2.0
/* The keys of a profile, read by the same decoder as the configuration. docs/ca-profiles.md tells
 * of each; a test holds that page against this table. */
#include "ca/cert_profile_impl.h"
#include "config/keys_impl.h"

#define RAW(member)      .offset = offsetof(struct hf_profile_raw, member)
#define RAW_MARK(member) .mark_offset = offsetof(struct hf_profile_raw, member)
#define RAW_LIST(member) \
    .list = true, RAW(member), .n_offset = offsetof(struct hf_profile_raw, n_##member)
#define RULE(member) .offset = offsetof(struct hf_profile_raw_rule, member)
#define RULE_LIST(member) \
    .list = true, RULE(member), .n_offset = offsetof(struct hf_profile_raw_rule, n_##member)

#define DAY_MS   HF_DAY_MS
#define LIFE_MAX (40 * 366 * DAY_MS)

static const struct hf_word kind_words[] = {{"leaf", HF_PROFILE_KIND_LEAF},
                                            {"ca", HF_PROFILE_KIND_CA},
                                            {"ocsp-signer", HF_PROFILE_KIND_OCSP},
                                            {NULL, 0}};
static const struct hf_word key_words[] = {
#define KEY_WORD(id, word, text, bits) {word, HF_KEY_KIND_##id},
    HF_KEY_KIND_TABLE(KEY_WORD)
#undef KEY_WORD
        {NULL, 0}};
static const struct hf_word usage_words[] = {
#define USAGE_WORD(id, bit, word) {word, HF_KEY_USAGE_##id},
    HF_KEY_USAGE_TABLE(USAGE_WORD)
#undef USAGE_WORD
        {NULL, 0}};
static const struct hf_word approval_words[] = {{"none", HF_APPROVAL_NONE},
                                                {"first", HF_APPROVAL_FIRST},
                                                {"always", HF_APPROVAL_ALWAYS},
                                                {NULL, 0}};

static const struct hf_key rule_keys[] = {
    {.name = "allow",
     .kind = HF_KIND_TEXT,
     .doc = "Patterns of which a name must fit one. Default: any name.",
     .example = "[\"*.example.org\"]",
     RULE_LIST(allow)},
    {.name = "deny",
     .kind = HF_KIND_TEXT,
     .doc = "Patterns of which a name may fit none.",
     .example = "[\"*.internal.example.org\"]",
     RULE_LIST(deny)},
    {.name = "min",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = HF_ALT_NAMES_MAX,
     .doc = "How many there must be.",
     .example = "1",
     RULE(min)},
    {.name = "max",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = HF_ALT_NAMES_MAX,
     .doc = "How many there may be.",
     .example = "3",
     .set_offset = offsetof(struct hf_profile_raw_rule, max_given),
     RULE(max)},
    {.name = "wildcards",
     .kind = HF_KIND_BOOL,
     .doc = "May a DNS name begin with `*.`?",
     .example = "true",
     RULE(wildcard)},
};

static const struct hf_section section_rule = {
    .noun = "rule for names",
    .doc = "What is allowed of one kind of alternative names.",
    .size = sizeof(struct hf_profile_raw_rule),
    HF_SECTION_KEYS(rule_keys)};

#define NAMES_KEY(id, word, doc_) \
    { \
        .name = (word), .kind = HF_KIND_SECTION, .section = &section_rule, .doc = (doc_), \
        .set_offset = offsetof(struct hf_profile_raw, names[HF_ALT_##id].given), \
        .offset = offsetof(struct hf_profile_raw, names[HF_ALT_##id]) \
    }

static const struct hf_key names_keys[] = {
    NAMES_KEY(DNS, "dns", "DNS names; `*` in a pattern is one label."),
    NAMES_KEY(EMAIL, "email", "Email addresses; `*` is the local part or one label."),
    NAMES_KEY(URI, "uri", "URIs, SPIFFE IDs among them; `*` stays between slashes."),
    NAMES_KEY(IP, "ip", "IP addresses; patterns are networks."),
    NAMES_KEY(UPN, "upn", "User principal names, for Windows; patterns as for email."),
};

/* Its object is the whole profile: the names are members of it. */
static const struct hf_section section_names = {.noun = "names",
                                                .doc = "Alternative names, by kind.",
                                                .size = sizeof(struct hf_profile_raw),
                                                HF_SECTION_KEYS(names_keys)};

static const struct hf_key profile_keys[] = {
    {.name = "name",
     .kind = HF_KIND_LABEL,
     .doc = "What the profile is called.",
     .example = "laptop",
     RAW(name)},
    {.name = "about",
     .kind = HF_KIND_TEXT,
     .doc = "A line for people.",
     .example = "Laptops of the staff",
     RAW(about)},
    {.name = "extends",
     .kind = HF_KIND_TEXT,
     .doc = "A profile that comes with handfast; what isn't said here is as it is there.",
     .example = "device",
     RAW(extends)},
    {.name = "kind",
     .kind = HF_KIND_ENUM,
     .words = kind_words,
     .doc = "`leaf`, `ca`, or `ocsp-signer`.",
     .example = "leaf",
     .set_offset = offsetof(struct hf_profile_raw, kind_given),
     RAW(kind)},
    {.name = "keys",
     .kind = HF_KIND_ENUM,
     .words = key_words,
     .doc = "Types of keys that are accepted; the first is made where nobody asks for another.",
     .example = "[p256, ed25519]",
     RAW_LIST(keys)},
    {.name = "key-usage",
     .kind = HF_KIND_ENUM,
     .words = usage_words,
     .doc = "Bits of keyUsage; those that a key can't have are left out.",
     .example = "[digital-signature]",
     RAW_MARK(key_usage_mark),
     RAW_LIST(key_usage)},
    {.name = "extended-key-usage",
     .kind = HF_KIND_TEXT,
     .doc = "What the key is for: words such as `client-auth`, or object identifiers.",
     .example = "[client-auth]",
     RAW_LIST(eku)},
    {.name = "policies",
     .kind = HF_KIND_TEXT,
     .doc = "Object identifiers for certificatePolicies.",
     .example = "[1.3.6.1.4.1.99999.1]",
     RAW_LIST(policies)},
    {.name = "subject",
     .kind = HF_KIND_TEXT,
     .doc = "A template, `any` (what was asked for) or `none`.",
     .example = "\"CN={cn},O=Example\"",
     RAW(subject)},
    {.name = "names",
     .kind = HF_KIND_SECTION,
     .section = &section_names,
     .doc = "Alternative names, by kind. A kind that isn't here is not allowed.",
     .offset = 0},
    {.name = "host-name",
     .kind = HF_KIND_BOOL,
     .doc = "Must there be a DNS name or an address?",
     .example = "true",
     .set_offset = offsetof(struct hf_profile_raw, host_name_given),
     RAW(host_name)},
    {.name = "must-staple",
     .kind = HF_KIND_BOOL,
     .doc = "Put the TLS feature extension in: the server must staple an OCSP answer.",
     .example = "true",
     .set_offset = offsetof(struct hf_profile_raw, must_staple_given),
     RAW(must_staple)},
    {.name = "path-length",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 16,
     .doc = "How many CAs may follow below a CA. Default: no limit.",
     .example = "0",
     RAW_MARK(path_len_mark),
     RAW(path_len)},
    {.name = "lifetime",
     .kind = HF_KIND_DURATION,
     .min = 60 * 1000,
     .max = LIFE_MAX,
     .doc = "How long a certificate is good for, from now on.",
     .example = "90d",
     RAW_MARK(lifetime_mark),
     RAW(lifetime_ms)},
    {.name = "max-lifetime",
     .kind = HF_KIND_DURATION,
     .min = 60 * 1000,
     .max = LIFE_MAX,
     .doc = "The longest that may be asked for.",
     .example = "365d",
     RAW_MARK(lifetime_max_mark),
     RAW(lifetime_max_ms)},
    {.name = "backdate",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 2 * DAY_MS,
     .doc = "How long before now a certificate begins, for clocks that are behind.",
     .example = "5m",
     RAW_MARK(backdate_mark),
     RAW(backdate_ms)},
    {.name = "renew-before",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = LIFE_MAX,
     .doc = "How long before its end a certificate may be renewed; 0: a third of its life.",
     .example = "30d",
     RAW_MARK(renew_before_mark),
     RAW(renew_before_ms)},
    {.name = "renew-after-expiry",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 366 * DAY_MS,
     .doc = "How long after its end it may be renewed, with proof of its key and approval.",
     .example = "30d",
     RAW_MARK(renew_after_mark),
     RAW(renew_after_ms)},
    {.name = "approval",
     .kind = HF_KIND_ENUM,
     .words = approval_words,
     .doc = "Must a person approve? `none`, `first` (renewals need none) or `always`.",
     .example = "first",
     .set_offset = offsetof(struct hf_profile_raw, approval_given),
     RAW(approval)},
    {.name = "authorities",
     .kind = HF_KIND_TEXT,
     .doc = "Which CAs of the store may sign; the first does where nobody names another. Default: "
            "the one that issues.",
     .example = "[branch]",
     RAW_LIST(authorities)},
    {.name = "ask",
     .kind = HF_KIND_TEXT,
     .doc = "Who may ask: roles, and selectors of identities. Default: only the operator.",
     .example = "[ops, \"spiffe://example.org/enroll-*\"]",
     RAW_LIST(ask)},
};

const struct hf_section hf_section_cert_profile = {.noun = "profile",
                                                   .doc =
                                                       "What certificates of one kind look like.",
                                                   .size = sizeof(struct hf_profile_raw),
                                                   HF_SECTION_KEYS(profile_keys)};
