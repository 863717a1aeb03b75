// SPDX-License-Identifier: Apache-2.0
/* What a profile says of one request. */
#include "ca/cert_profile.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "ca/cert_profile_impl.h"

struct hf_cert_profile *hf_cert_profile_ref(struct hf_cert_profile *profile)
{
    atomic_fetch_add_explicit(&profile->refs, 1, memory_order_relaxed);
    return profile;
}

void hf_cert_profile_unref(struct hf_cert_profile *profile)
{
    if (profile && atomic_fetch_sub_explicit(&profile->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < profile->n_ask; i++) {
            hf_selector_free(profile->ask[i].selector);
        }
        hf_subject_done(&profile->subject);
        hf_arena_done(&profile->arena);
        hf_free(profile);
    }
}

void hf_cert_profile_unrefp(struct hf_cert_profile **profile)
{
    hf_cert_profile_unref(*profile);
}

static enum hf_err refuse(enum hf_refusal *out_why, enum hf_refusal why, enum hf_err err)
{
    *out_why = why;
    return err;
}

/* --- Who ---------------------------------------------------------------------------------------*/

static bool has_role(const char *const *roles, size_t n, const char *role)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(roles[i], role) == 0) {
            return true;
        }
    }
    return false;
}

enum hf_err hf_cert_profile_may_ask(const struct hf_cert_profile *profile,
                                    const struct hf_identity *identity, const char *const *roles,
                                    size_t n_roles, enum hf_match *out)
{
    struct hf_selector_view *view = NULL;
    *out = HF_MATCH_NO;
    if (identity) {
        view = hf_alloc(sizeof(*view));
        if (!view) {
            *out = HF_MATCH_UNKNOWN;
            return HF_E_NOMEM;
        }
        hf_selector_view_init(view, identity);
    }
    for (size_t i = 0; i < profile->n_ask && *out != HF_MATCH_YES; i++) {
        const struct hf_profile_ask *ask = &profile->ask[i];
        enum hf_match match = HF_MATCH_NO;
        if (!ask->selector) {
            match = has_role(roles, n_roles, ask->text) ? HF_MATCH_YES : HF_MATCH_NO;
        } else if (view) {
            match = hf_selector_match(ask->selector, view);
        }
        *out = match == HF_MATCH_NO ? *out : match;
    }
    hf_free(view);
    return HF_OK;
}

/* --- Keys --------------------------------------------------------------------------------------*/

/* RSA keys between the sizes that are named count as the one below. */
enum hf_err hf_cert_profile_check_key(const struct hf_cert_profile *profile,
                                      const struct hf_public_key *key, enum hf_refusal *out_why)
{
    char all[128] = "";
    size_t len = 0;
    if (profile->keys >> key->kind & 1 && (key->modulus.len == 0 || key->bits >= 2048)) {
        return HF_OK;
    }
    for (size_t i = 0; i < HF_KEY_KIND_N; i++) {
        if (profile->keys >> i & 1) {
            int n = snprintf(all + len, sizeof(all) - len, "%s%s", len ? ", " : "",
                             hf_key_kind_word((enum hf_key_kind)i));
            len += n > 0 && (size_t)n < sizeof(all) - len ? (size_t)n : 0;
        }
    }
    return refuse(out_why, HF_REFUSAL_KEY_TYPE,
                  hf_fail(HF_E_INVALID, "the profile %s takes no %s key of %u bits; it takes %s",
                          profile->name, key->modulus.len ? "RSA" : hf_key_kind_text(key->kind),
                          key->bits, all));
}

uint32_t hf_cert_profile_usage(const struct hf_cert_profile *profile, enum hf_key_kind kind)
{
    const uint32_t signing = HF_KEY_USAGE_DIGITAL_SIGNATURE | HF_KEY_USAGE_CONTENT_COMMITMENT |
                             HF_KEY_USAGE_CERT_SIGN | HF_KEY_USAGE_CRL_SIGN;
    const uint32_t agreeing =
        HF_KEY_USAGE_KEY_AGREEMENT | HF_KEY_USAGE_ENCIPHER_ONLY | HF_KEY_USAGE_DECIPHER_ONLY;
    const uint32_t enciphering = HF_KEY_USAGE_KEY_ENCIPHERMENT | HF_KEY_USAGE_DATA_ENCIPHERMENT;
    switch (kind) {
    case HF_KEY_KIND_ED25519:
        return profile->key_usage & signing;
    case HF_KEY_KIND_P256:
    case HF_KEY_KIND_P384:
    case HF_KEY_KIND_P521:
        return profile->key_usage & (signing | agreeing);
    default:
        return profile->key_usage & (signing | enciphering);
    }
}

/* --- Names -------------------------------------------------------------------------------------*/

static bool match_any(enum hf_alt_kind kind, const struct hf_name_pattern *patterns, size_t n,
                      struct hf_bytes name, bool deny)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_name_pattern_match(kind, &patterns[i], name, deny)) {
            return true;
        }
    }
    return false;
}

/* NULL: the name is allowed. */
static const char *why_not(const struct hf_name_rule *rule, const struct hf_alt_name *name)
{
    bool wildcard = name->kind == HF_ALT_DNS && name->value.len && name->value.ptr[0] == '*';
    if (!rule->allowed) {
        return "names of its kind are not allowed";
    }
    if (wildcard && !rule->wildcard) {
        return "wildcards are not allowed";
    }
    if (match_any(name->kind, rule->deny, rule->n_deny, name->value, true)) {
        return "it is denied";
    }
    if (rule->n_allow && !match_any(name->kind, rule->allow, rule->n_allow, name->value, false)) {
        return "it fits none of the patterns that are allowed";
    }
    return NULL;
}

enum hf_err hf_cert_profile_allows(const struct hf_cert_profile *profile,
                                   const struct hf_alt_name *name)
{
    const char *why = why_not(&profile->names[name->kind], name);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4 * HF_ALT_TEXT_MAX);
    if (!why) {
        return HF_OK;
    }
    HF_TRY(hf_alt_name_append(name, &text));
    const char *shown = hf_buf_cstr(&text);
    return hf_fail(shown ? HF_E_INVALID : HF_E_NOMEM, "%.300s: %s by the profile %s",
                   shown ? shown : "", why, profile->name);
}

static enum hf_err check_counts(const struct hf_cert_profile *profile,
                                const struct hf_alt_names *names, enum hf_refusal *out_why)
{
    unsigned count[HF_ALT_N] = {0};
    for (size_t i = 0; i < names->n; i++) {
        count[names->item[i].kind]++;
    }
    for (size_t kind = 0; kind < HF_ALT_N; kind++) {
        const struct hf_name_rule *rule = &profile->names[kind];
        if (count[kind] > rule->max) {
            return refuse(out_why, HF_REFUSAL_NAME_DENIED,
                          hf_fail(HF_E_INVALID, "%u names of the kind %s; the profile %s allows %u",
                                  count[kind], hf_alt_word((enum hf_alt_kind)kind), profile->name,
                                  rule->max));
        }
        if (count[kind] < rule->min) {
            return refuse(out_why, HF_REFUSAL_NAME_MISSING,
                          hf_fail(HF_E_INVALID, "%u names of the kind %s; the profile %s wants %u",
                                  count[kind], hf_alt_word((enum hf_alt_kind)kind), profile->name,
                                  rule->min));
        }
    }
    if (profile->host_name && count[HF_ALT_DNS] + count[HF_ALT_IP] == 0) {
        return refuse(out_why, HF_REFUSAL_NAME_MISSING,
                      hf_fail(HF_E_INVALID,
                              "the profile %s wants a DNS name or an IP address: "
                              "clients look at nothing else",
                              profile->name));
    }
    return HF_OK;
}

/* X509-SVID 2: exactly one URI where one is a SPIFFE ID. */
static enum hf_err check_spiffe(const struct hf_alt_names *names)
{
    size_t n_uris = 0, n_spiffe = 0;
    for (size_t i = 0; i < names->n; i++) {
        const struct hf_alt_name *name = &names->item[i];
        n_uris += name->kind == HF_ALT_URI;
        n_spiffe += name->kind == HF_ALT_URI && name->value.len > 7 &&
                    strncasecmp((const char *)name->value.ptr, "spiffe:", 7) == 0;
    }
    return n_spiffe && n_uris > 1
               ? hf_fail(HF_E_INVALID,
                         "a certificate with a SPIFFE ID may carry no other URI (X509-SVID 2)")
               : HF_OK;
}

enum hf_err hf_cert_profile_check_names(const struct hf_cert_profile *profile,
                                        const struct hf_alt_names *names, enum hf_refusal *out_why)
{
    for (size_t i = 0; i < names->n; i++) {
        enum hf_err err = hf_cert_profile_allows(profile, &names->item[i]);
        if (err != HF_OK) {
            return refuse(out_why, err == HF_E_INVALID ? HF_REFUSAL_NAME_DENIED : HF_REFUSAL_NONE,
                          err);
        }
    }
    if (check_spiffe(names) != HF_OK) {
        return refuse(out_why, HF_REFUSAL_NAME_INVALID, HF_E_INVALID);
    }
    return check_counts(profile, names, out_why);
}

/* --- Subject -----------------------------------------------------------------------------------*/

static const struct {
    const char *field;
    enum hf_alt_kind kind;
} name_fields[] = {
    {"dns", HF_ALT_DNS}, {"uri", HF_ALT_URI},     {"ip", HF_ALT_IP},
    {"upn", HF_ALT_UPN}, {"email", HF_ALT_EMAIL},
};

bool hf_profile_field_known(struct hf_bytes field)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(name_fields); i++) {
        if (hf_bytes_eq_str(field, name_fields[i].field)) {
            return true;
        }
    }
    return hf_attr_by_word(field) != HF_ATTR_N;
}

/* What a template is filled from. */
struct filling {
    const struct hf_subject *wanted;
    const struct hf_alt_names *names;
    struct hf_buf text;
    bool missing;  /* a field of this part had no value */
    bool required; /* and was written with "!" */
};

static enum hf_err append_name(struct filling *in, enum hf_alt_kind kind)
{
    const struct hf_alt_name *name = in->names ? hf_alt_names_first(in->names, kind) : NULL;
    char address[INET6_ADDRSTRLEN];
    if (!name) {
        in->missing = true;
        return HF_OK;
    }
    if (kind == HF_ALT_IP) {
        inet_ntop(name->value.len == 4 ? AF_INET : AF_INET6, name->value.ptr, address,
                  sizeof(address));
        return hf_buf_append_str(&in->text, address);
    }
    return hf_buf_append(&in->text, name->value);
}

static enum hf_err append_field(struct filling *in, struct hf_bytes field)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(name_fields); i++) {
        if (hf_bytes_eq_str(field, name_fields[i].field)) {
            return append_name(in, name_fields[i].kind);
        }
    }
    const char *text = in->wanted ? hf_subject_get(in->wanted, hf_attr_by_word(field), 0) : NULL;
    if (!text) {
        in->missing = true;
        return HF_OK;
    }
    return hf_buf_append_str(&in->text, text);
}

static enum hf_err fill_part(struct filling *in, const char *at)
{
    hf_buf_reset(&in->text);
    in->missing = in->required = false;
    while (*at) {
        size_t plain = strcspn(at, "{");
        HF_TRY(hf_buf_append(&in->text, hf_bytes_of(at, plain)));
        at += plain;
        const char *end = *at ? strchr(at, '}') : NULL;
        if (!end) {
            break;
        }
        bool must = end[-1] == '!';
        bool before = in->missing;
        in->missing = false;
        HF_TRY(append_field(in, hf_bytes_of(at + 1, (size_t)(end - at - 1) - must)));
        in->required = in->required || (must && in->missing);
        in->missing = in->missing || before;
        at = end + 1;
    }
    return HF_OK;
}

static enum hf_err fill_subject(const struct hf_cert_profile *profile, struct filling *in,
                                struct hf_subject *out, enum hf_refusal *out_why)
{
    for (size_t i = 0; i < profile->subject.n; i++) {
        const struct hf_subject_part *part = &profile->subject.part[i];
        HF_TRY(fill_part(in, part->text));
        if (in->required) {
            return refuse(out_why, HF_REFUSAL_SUBJECT,
                          hf_fail(HF_E_INVALID,
                                  "the profile %s makes the subject's %s of \"%s\", "
                                  "and something of that was not given",
                                  profile->name, hf_attr_word(part->attr), part->text));
        }
        if (in->missing) {
            continue;
        }
        enum hf_err err = hf_subject_add(out, part->attr, hf_buf_bytes(&in->text));
        if (err != HF_OK) {
            return refuse(out_why, err == HF_E_INVALID ? HF_REFUSAL_SUBJECT : HF_REFUSAL_NONE, err);
        }
    }
    return HF_OK;
}

enum hf_err hf_cert_profile_subject(const struct hf_cert_profile *profile,
                                    const struct hf_subject *wanted,
                                    const struct hf_alt_names *names, struct hf_subject *out,
                                    enum hf_refusal *out_why)
{
    struct hf_subject made = {0};
    struct filling in = {wanted, names, HF_BUF_INIT(HF_ALT_TEXT_MAX + 1024), false, false};
    *out_why = HF_REFUSAL_NONE;
    enum hf_err err = profile->subject_any ? wanted ? hf_subject_copy(&made, wanted) : HF_OK
                                           : fill_subject(profile, &in, &made, out_why);
    hf_buf_done(&in.text);
    if (err != HF_OK) {
        hf_subject_done(&made);
        return err;
    }
    *out = made;
    return HF_OK;
}

/* --- Renewal -----------------------------------------------------------------------------------*/

bool hf_cert_profile_renewable(const struct hf_cert_profile *profile, int64_t not_after,
                               int64_t now, bool *out_late)
{
    *out_late = now > not_after;
    return *out_late ? now - not_after <= profile->renew_after_s
                     : not_after - now <= profile->renew_before_s;
}
