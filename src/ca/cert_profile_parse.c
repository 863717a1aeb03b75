// SPDX-License-Identifier: Apache-2.0
/*
 * YAML to a profile: decoded by the key table into struct hf_profile_raw, with places; compiled
 * from there over a copy of what it extends, so that a key that isn't given keeps its value.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/cert_profile_impl.h"
#include "ca/oid.h"
#include "config/decode.h"
#include "policy/glob.h"

enum { MS = 1000, GLOB_CAP = 2 * HF_ALT_TEXT_MAX };

static char *keep(struct hf_cert_profile *profile, const char *text)
{
    return hf_arena_strdup(&profile->arena, text);
}

static struct hf_bytes keep_bytes(struct hf_arena *arena, struct hf_bytes bytes)
{
    return hf_bytes_of(hf_arena_strndup(arena, (const char *)bytes.ptr, bytes.len), bytes.len);
}

/* --- Patterns ---------------------------------------------------------------------------------*/

enum hf_err hf_name_pattern_new(enum hf_alt_kind kind, const char *text, struct hf_arena *arena,
                                struct hf_name_pattern *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf compiled = HF_BUF_INIT(GLOB_CAP);
    struct hf_name_pattern made = {.text = hf_arena_strdup(arena, text)};
    if (!made.text) {
        return HF_E_NOMEM;
    }
    if (kind == HF_ALT_IP) {
        HF_TRY(hf_cidr_parse(text, &made.network));
        *out = made;
        return made.network.family == AF_UNIX
                   ? hf_fail(HF_E_INVALID, "\"%.60s\" is no network of addresses", text)
                   : HF_OK;
    }
    HF_TRY(hf_glob_compile(hf_bytes_str(text), &compiled));
    if ((kind == HF_ALT_EMAIL || kind == HF_ALT_UPN) && !strchr(text, '@')) {
        return hf_fail(HF_E_INVALID, "\"%.60s\" has no \"@\"; write *@example.org", text);
    }
    made.compiled = keep_bytes(arena, hf_buf_bytes(&compiled));
    *out = made;
    return made.compiled.ptr ? HF_OK : HF_E_NOMEM;
}

static bool match_network(const struct hf_cidr *network, struct hf_bytes address)
{
    size_t size = network->family == AF_INET ? 4 : 16;
    size_t whole = network->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> (network->bits % 8));
    return address.len == size && memcmp(network->prefix, address.ptr, whole) == 0 &&
           (network->bits % 8 == 0 ||
            (address.ptr[whole] & mask) == (network->prefix[whole] & mask));
}

/* Local part and domain apart: a dot in the local part separates nothing. */
static bool match_address(struct hf_bytes pattern, struct hf_bytes name, unsigned flags)
{
    const uint8_t *a = memrchr(pattern.ptr, '@', pattern.len);
    const uint8_t *b = memrchr(name.ptr, '@', name.len);
    if (!a || !b) {
        return false;
    }
    size_t a_len = (size_t)(a - pattern.ptr), b_len = (size_t)(b - name.ptr);
    return hf_glob_match(hf_bytes_of(pattern.ptr, a_len), hf_bytes_of(name.ptr, b_len), flags) &&
           hf_glob_match_segments(hf_bytes_from(pattern, a_len + 1), hf_bytes_from(name, b_len + 1),
                                  ".", HF_GLOB_FOLD);
}

bool hf_name_pattern_match(enum hf_alt_kind kind, const struct hf_name_pattern *pattern,
                           struct hf_bytes name, bool deny)
{
    switch (kind) {
    case HF_ALT_IP:
        return match_network(&pattern->network, name);
    case HF_ALT_DNS:
        return hf_glob_match_segments(pattern->compiled, name, ".", HF_GLOB_FOLD);
    case HF_ALT_URI:
        return hf_glob_match_segments(pattern->compiled, name, "/?#", 0);
    default:
        return match_address(pattern->compiled, name, deny ? HF_GLOB_FOLD : 0);
    }
}

/* --- Compiling --------------------------------------------------------------------------------*/

struct compiling {
    const struct hf_profile_raw *raw;
    struct hf_findings *findings;
    struct hf_cert_profile *profile;
};

/* A finding with the sentence of this thread's last failure; out of memory passes through. */
static enum hf_err complain(struct compiling *c, const char *key, struct hf_mark mark,
                            enum hf_err err)
{
    if (err == HF_E_NOMEM) {
        return err;
    }
    hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, mark, "%s: %s", key, hf_err_text());
    return HF_OK;
}

static enum hf_err compile_patterns(struct compiling *c, enum hf_alt_kind kind,
                                    const struct hf_cfg_string *from, size_t n,
                                    struct hf_name_pattern **out, size_t *out_n)
{
    struct hf_name_pattern *made = n ? hf_arena_alloc(&c->profile->arena, n, sizeof(*made)) : NULL;
    if (n && !made) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        enum hf_err err =
            from[i].value ? hf_name_pattern_new(kind, from[i].value, &c->profile->arena, &made[i])
                          : HF_OK;
        if (err != HF_OK) {
            HF_TRY(complain(c, hf_alt_word(kind), from[i].mark, err));
        }
    }
    *out = made;
    *out_n = n;
    return HF_OK;
}

static enum hf_err compile_rule(struct compiling *c, enum hf_alt_kind kind)
{
    const struct hf_profile_raw_rule *raw = &c->raw->names[kind];
    struct hf_name_rule *rule = &c->profile->names[kind];
    if (!raw->given) {
        return HF_OK;
    }
    *rule = (struct hf_name_rule){
        .min = raw->min,
        .max = raw->max_given ? raw->max : HF_ALT_NAMES_MAX,
        .wildcard = raw->wildcard,
    };
    rule->allowed = rule->max > 0;
    if (rule->min > rule->max) {
        hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, (struct hf_mark){0},
                        "names.%s: min is %u, which is more than max, %u", hf_alt_word(kind),
                        rule->min, rule->max);
    }
    HF_TRY(compile_patterns(c, kind, raw->allow, raw->n_allow, &rule->allow, &rule->n_allow));
    return compile_patterns(c, kind, raw->deny, raw->n_deny, &rule->deny, &rule->n_deny);
}

static enum hf_err parse_eku(const char *text, uint8_t *out, size_t *out_len)
{
    struct hf_bytes known = hf_eku_by_word(text);
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    if (known.ptr) {
        memcpy(out, known.ptr, known.len);
        *out_len = known.len;
        return HF_OK;
    }
    if (text[0] < '0' || text[0] > '9') {
        const char *closest = hf_closest(text, hf_eku_words);
        return hf_fail(HF_E_INVALID,
                       "\"%.40s\" is no usage%s%s%s; write client-auth, server-auth "
                       "or an object identifier",
                       text, closest ? "; did you mean \"" : "", closest ? closest : "",
                       closest ? "\"?" : "");
    }
    HF_TRY(hf_oid_parse(text, out, out_len));
    if (*out_len == sizeof(any) && memcmp(out, any, sizeof(any)) == 0) {
        return hf_fail(HF_E_INVALID, "anyExtendedKeyUsage would make the key good for everything; "
                                     "say what it is for");
    }
    return HF_OK;
}

static enum hf_err parse_policy(const char *text, uint8_t *out, size_t *out_len)
{
    return hf_oid_parse(text, out, out_len);
}

static enum hf_err compile_oids(struct compiling *c, const char *key,
                                const struct hf_cfg_string *from, size_t n,
                                enum hf_err (*parse)(const char *, uint8_t *, size_t *),
                                struct hf_bytes **out, size_t *out_n)
{
    if (n == 0) {
        return HF_OK;
    }
    struct hf_bytes *made = hf_arena_alloc(&c->profile->arena, n, sizeof(*made));
    if (!made) {
        return HF_E_NOMEM;
    }
    size_t n_made = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t oid[HF_OID_MAX];
        size_t len = 0;
        enum hf_err err = from[i].value ? parse(from[i].value, oid, &len) : HF_OK;
        for (size_t j = 0; err == HF_OK && j < n_made; j++) {
            if (hf_bytes_eq(made[j], hf_bytes_of(oid, len))) {
                err = hf_fail(HF_E_INVALID, "\"%.60s\" is there two times", from[i].value);
            }
        }
        if (err != HF_OK) {
            HF_TRY(complain(c, key, from[i].mark, err));
            continue;
        }
        made[n_made] = keep_bytes(&c->profile->arena, hf_bytes_of(oid, len));
        if (!made[n_made++].ptr) {
            return HF_E_NOMEM;
        }
    }
    *out = made;
    *out_n = n_made;
    return HF_OK;
}

/* Whether the store has them is asked when one is to sign: they come and go. */
static enum hf_err compile_authorities(struct compiling *c)
{
    const struct hf_profile_raw *raw = c->raw;
    const char **made = raw->n_authorities
                            ? hf_arena_alloc(&c->profile->arena, raw->n_authorities, sizeof(*made))
                            : NULL;
    c->profile->authorities = made;
    c->profile->n_authorities = made ? raw->n_authorities : 0;
    for (size_t i = 0; i < c->profile->n_authorities; i++) {
        made[i] = keep(c->profile, raw->authorities[i].value ? raw->authorities[i].value : "");
        if (!made[i]) {
            return HF_E_NOMEM;
        }
    }
    return made || !raw->n_authorities ? HF_OK : HF_E_NOMEM;
}

static enum hf_err compile_ask(struct compiling *c)
{
    const struct hf_profile_raw *raw = c->raw;
    if (raw->n_ask == 0) {
        return HF_OK;
    }
    struct hf_profile_ask *made = hf_arena_alloc(&c->profile->arena, raw->n_ask, sizeof(*made));
    if (!made) {
        return HF_E_NOMEM;
    }
    c->profile->ask = made;
    c->profile->n_ask = raw->n_ask;
    for (size_t i = 0; i < raw->n_ask; i++) {
        const char *text = raw->ask[i].value ? raw->ask[i].value : "";
        made[i].text = keep(c->profile, text);
        if (!made[i].text) {
            return HF_E_NOMEM;
        }
        if (hf_selector_is(hf_bytes_str(text))) {
            enum hf_err err = hf_selector_new(hf_bytes_str(text), &made[i].selector);
            if (err != HF_OK) {
                HF_TRY(complain(c, "ask", raw->ask[i].mark, err));
            }
        }
    }
    return HF_OK;
}

/* Every "{field}" in the template must be known. */
static enum hf_err check_fields(const struct hf_subject *subject)
{
    for (size_t i = 0; i < subject->n; i++) {
        const char *at = subject->part[i].text;
        while ((at = strpbrk(at, "{}"))) {
            const char *end = *at == '{' ? strchr(at, '}') : NULL;
            size_t len = end ? (size_t)(end - at - 1) : 0;
            struct hf_bytes field = hf_bytes_of(at + 1, len && at[len] == '!' ? len - 1 : len);
            if (!end || !hf_profile_field_known(field)) {
                return hf_fail(HF_E_INVALID,
                               "\"%.40s\" is no field; write {cn}, {o}, {ou} and the "
                               "other attributes, {dns}, {email}, {uri}, {ip}, {upn}; "
                               "{cn!} where it must be given",
                               at);
            }
            at = end + 1;
        }
    }
    return HF_OK;
}

static enum hf_err compile_subject(struct compiling *c)
{
    const char *text = c->raw->subject.value;
    struct hf_subject subject = {0};
    if (!text) {
        return HF_OK;
    }
    hf_subject_done(&c->profile->subject);
    c->profile->subject_any = strcmp(text, "any") == 0;
    if (c->profile->subject_any || strcmp(text, "none") == 0) {
        return HF_OK;
    }
    enum hf_err err = hf_subject_parse_template(text, &subject);
    if (err == HF_OK) {
        err = check_fields(&subject);
    }
    if (err != HF_OK) {
        hf_subject_done(&subject);
        return complain(c, "subject", c->raw->subject.mark, err);
    }
    c->profile->subject = subject;
    return HF_OK;
}

static uint32_t join(const int *bits, size_t n, bool shift)
{
    uint32_t all = 0;
    for (size_t i = 0; i < n; i++) {
        all |= shift ? UINT32_C(1) << bits[i] : (uint32_t)bits[i];
    }
    return all;
}

static void compile_numbers(struct compiling *c)
{
    const struct hf_profile_raw *raw = c->raw;
    struct hf_cert_profile *profile = c->profile;
    struct {
        const struct hf_mark *mark;
        int64_t from_ms;
        int64_t *to;
    } durations[] = {
        {&raw->lifetime_mark, raw->lifetime_ms, &profile->lifetime_s},
        {&raw->lifetime_max_mark, raw->lifetime_max_ms, &profile->lifetime_max_s},
        {&raw->backdate_mark, raw->backdate_ms, &profile->backdate_s},
        {&raw->renew_before_mark, raw->renew_before_ms, &profile->renew_before_s},
        {&raw->renew_after_mark, raw->renew_after_ms, &profile->renew_after_s},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(durations); i++) {
        if (durations[i].mark->line) {
            *durations[i].to = durations[i].from_ms / MS;
        }
    }
    if (raw->n_keys) {
        profile->keys = join(raw->keys, raw->n_keys, true);
        profile->key_default = (enum hf_key_kind)raw->keys[0];
    }
    if (raw->n_key_usage) {
        profile->key_usage = join(raw->key_usage, raw->n_key_usage, false);
    }
    profile->kind = raw->kind_given ? (enum hf_profile_kind)raw->kind : profile->kind;
    profile->approval =
        raw->approval_given ? (enum hf_profile_approval)raw->approval : profile->approval;
    profile->host_name = raw->host_name_given ? raw->host_name : profile->host_name;
    profile->must_staple = raw->must_staple_given ? raw->must_staple : profile->must_staple;
    profile->path_len = raw->path_len_mark.line ? (int)raw->path_len : profile->path_len;
}

/* --- What must hold of the whole --------------------------------------------------------------*/

static void check_usage(struct compiling *c)
{
    const struct hf_cert_profile *profile = c->profile;
    const uint32_t of_cas = HF_KEY_USAGE_CERT_SIGN;
    bool ca = profile->kind == HF_PROFILE_KIND_CA;
    if (ca && !(profile->key_usage & of_cas)) {
        hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, c->raw->key_usage_mark,
                        "key-usage: a CA needs cert-sign");
    }
    if (!ca && profile->key_usage & of_cas) {
        hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, c->raw->key_usage_mark,
                        "key-usage: cert-sign is for profiles with kind: ca");
    }
    if (!profile->key_usage) {
        hf_findings_add(c->findings, HF_FINDING_MISSING_KEY,
                        (struct hf_mark){.line = 1, .column = 1},
                        "the profile has no key-usage; add key-usage: [digital-signature]");
    }
    if (!ca && profile->n_eku == 0) {
        hf_findings_add(c->findings, HF_FINDING_MISSING_KEY,
                        (struct hf_mark){.line = 1, .column = 1},
                        "the profile has no extended-key-usage; add extended-key-usage: "
                        "[client-auth], or extend a profile that has");
    }
}

/* Nothing said, or said by what it extends of another life: a third of the life. */
static void check_window(struct compiling *c)
{
    struct hf_cert_profile *profile = c->profile;
    bool given = c->raw->renew_before_mark.line && profile->renew_before_s;
    if (given && profile->renew_before_s >= profile->lifetime_s) {
        hf_findings_add(
            c->findings, HF_FINDING_BAD_VALUE, c->raw->renew_before_mark,
            "renew-before: is as long as lifetime; the certificate would always be due");
    }
    if (!given && (profile->renew_before_s == 0 || c->raw->lifetime_mark.line)) {
        profile->renew_before_s = profile->lifetime_s / 3;
    }
}

static void check_whole(struct compiling *c)
{
    struct hf_cert_profile *profile = c->profile;
    struct hf_mark top = {.line = 1, .column = 1};
    check_usage(c);
    if (profile->keys == 0) {
        hf_findings_add(c->findings, HF_FINDING_MISSING_KEY, top,
                        "the profile has no keys; add keys: [p256]");
    }
    if (profile->lifetime_s == 0) {
        hf_findings_add(c->findings, HF_FINDING_MISSING_KEY, top,
                        "the profile has no lifetime; add lifetime: 90d");
    }
    if (profile->lifetime_max_s == 0 ||
        (!c->raw->lifetime_max_mark.line && profile->lifetime_max_s < profile->lifetime_s)) {
        profile->lifetime_max_s = profile->lifetime_s;
    }
    if (profile->lifetime_max_s < profile->lifetime_s) {
        hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, c->raw->lifetime_max_mark,
                        "max-lifetime: is less than lifetime");
    }
    if (c->raw->path_len_mark.line && profile->kind != HF_PROFILE_KIND_CA) {
        hf_findings_add(c->findings, HF_FINDING_BAD_VALUE, c->raw->path_len_mark,
                        "path-length: is for profiles with kind: ca");
    }
    check_window(c);
}

enum hf_err hf_profile_compile(const struct hf_profile_raw *raw, struct hf_findings *findings,
                               struct hf_cert_profile *profile)
{
    struct compiling c = {raw, findings, profile};
    if (raw->name.value && !(profile->name = keep(profile, raw->name.value))) {
        return HF_E_NOMEM;
    }
    if (raw->about.value && !(profile->about = keep(profile, raw->about.value))) {
        return HF_E_NOMEM;
    }
    compile_numbers(&c);
    for (size_t kind = 0; kind < HF_ALT_N; kind++) {
        HF_TRY(compile_rule(&c, (enum hf_alt_kind)kind));
    }
    HF_TRY(compile_oids(&c, "extended-key-usage", raw->eku, raw->n_eku, parse_eku, &profile->eku,
                        &profile->n_eku));
    HF_TRY(compile_oids(&c, "policies", raw->policies, raw->n_policies, parse_policy,
                        &profile->policies, &profile->n_policies));
    HF_TRY(compile_subject(&c));
    HF_TRY(compile_authorities(&c));
    HF_TRY(compile_ask(&c));
    check_whole(&c);
    return HF_OK;
}

/* --- Inheriting -------------------------------------------------------------------------------*/

static enum hf_err copy_patterns(struct hf_arena *arena, enum hf_alt_kind kind,
                                 struct hf_name_pattern **patterns, size_t n)
{
    const struct hf_name_pattern *from = *patterns;
    struct hf_name_pattern *made = n ? hf_arena_alloc(arena, n, sizeof(*made)) : NULL;
    *patterns = made;
    if (n && !made) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        HF_TRY(hf_name_pattern_new(kind, from[i].text, arena, &made[i]));
    }
    return HF_OK;
}

static enum hf_err copy_oids(struct hf_arena *arena, struct hf_bytes **oids, size_t n)
{
    const struct hf_bytes *from = *oids;
    struct hf_bytes *made = n ? hf_arena_alloc(arena, n, sizeof(*made)) : NULL;
    *oids = made;
    if (n && !made) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        made[i] = keep_bytes(arena, from[i]);
        if (!made[i].ptr) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

/* Who may ask is not inherited: those built in let nobody ask. */
enum hf_err hf_profile_inherit(const struct hf_cert_profile *base, struct hf_cert_profile *profile)
{
    struct hf_arena arena = profile->arena;
    const char *yaml = profile->yaml;
    unsigned refs = atomic_load(&profile->refs);
    memcpy(profile, base, sizeof(*profile));
    atomic_init(&profile->refs, refs);
    profile->arena = arena;
    profile->yaml = yaml;
    profile->ask = NULL;
    profile->n_ask = 0;
    profile->subject.n = 0;
    profile->name = profile->about = "";
    HF_TRY(hf_subject_copy(&profile->subject, &base->subject));
    for (size_t kind = 0; kind < HF_ALT_N; kind++) {
        struct hf_name_rule *rule = &profile->names[kind];
        HF_TRY(copy_patterns(&profile->arena, (enum hf_alt_kind)kind, &rule->allow, rule->n_allow));
        HF_TRY(copy_patterns(&profile->arena, (enum hf_alt_kind)kind, &rule->deny, rule->n_deny));
    }
    HF_TRY(copy_oids(&profile->arena, &profile->eku, profile->n_eku));
    return copy_oids(&profile->arena, &profile->policies, profile->n_policies);
}

static enum hf_err inherit(const struct hf_profile_raw *raw, struct hf_findings *findings,
                           struct hf_cert_profile *profile)
{
    HF_CLEANUP(hf_cert_profile_unrefp) struct hf_cert_profile *base = NULL;
    if (!raw->extends.value) {
        return HF_OK;
    }
    enum hf_err err = hf_cert_profile_builtin(raw->extends.value, &base);
    if (err == HF_E_NOT_FOUND) {
        hf_findings_add(findings, HF_FINDING_BAD_VALUE, raw->extends.mark,
                        "extends: \"%.60s\" is none of user, service, device, server, ca, root and "
                        "ocsp-signer",
                        raw->extends.value);
        return HF_OK;
    }
    HF_TRY(err);
    return hf_profile_inherit(base, profile);
}

/* --- The whole --------------------------------------------------------------------------------*/

static enum hf_err decode(struct hf_bytes yaml, struct hf_findings *findings,
                          struct hf_cert_profile *profile, struct hf_profile_raw *raw)
{
    static const struct hf_node nothing = {.kind = HF_NODE_MAP};
    struct hf_node *root = NULL;
    struct hf_decoder decoder = {.arena = &profile->arena, .findings = findings, .dir = "."};
    HF_TRY(hf_tree_parse_plain(yaml, &profile->arena, findings, &root));
    if (findings->n_errors) {
        return HF_OK;
    }
    hf_decode_section(&decoder, &hf_section_cert_profile, root ? root : &nothing, raw);
    return decoder.err;
}

static enum hf_err parse(struct hf_bytes yaml, const char *file, struct hf_findings *findings,
                         struct hf_cert_profile *profile)
{
    struct hf_profile_raw raw = {0};
    HF_TRY(hf_findings_file(findings, file));
    profile->yaml = hf_arena_strndup(&profile->arena, (const char *)yaml.ptr, yaml.len);
    if (!profile->yaml) {
        return HF_E_NOMEM;
    }
    HF_TRY(decode(yaml, findings, profile, &raw));
    if (findings->n_errors == 0) {
        HF_TRY(inherit(&raw, findings, profile));
    }
    if (findings->n_errors == 0) {
        HF_TRY(hf_profile_compile(&raw, findings, profile));
    }
    if (findings->n_errors) {
        return hf_fail(HF_E_CONFIG, "%s: %zu error%s", file, findings->n_errors,
                       findings->n_errors == 1 ? "" : "s");
    }
    return HF_OK;
}

enum hf_err hf_cert_profile_parse(struct hf_bytes yaml, const char *file,
                                  struct hf_findings *findings, struct hf_cert_profile **out)
{
    *out = NULL;
    if (yaml.len > HF_PROFILE_YAML_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%s: a profile of %zu bytes; the limit is %u", file,
                       yaml.len, HF_PROFILE_YAML_MAX);
    }
    struct hf_cert_profile *profile = HF_NEW(struct hf_cert_profile);
    if (!profile) {
        return HF_E_NOMEM;
    }
    atomic_init(&profile->refs, 1);
    profile->name = profile->about = "";
    profile->path_len = -1;
    profile->backdate_s = 300;
    enum hf_err err = parse(yaml, file, findings, profile);
    if (err != HF_OK) {
        hf_cert_profile_unref(profile);
        return err;
    }
    *out = profile;
    return HF_OK;
}
