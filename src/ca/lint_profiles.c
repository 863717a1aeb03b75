// SPDX-License-Identifier: Apache-2.0
/* Checks against the profile: what was made is what was meant. */
#include "ca/lint_impl.h"

#define DAY_S INT64_C(86400)

static void kind(struct hf_lint_view *view)
{
    bool wants_ca = view->against->profile->kind == HF_PROFILE_KIND_CA;
    if (view->is_ca != wants_ca) {
        hf_lint_found(view, "it is %s, and the profile %s says otherwise",
                      view->is_ca ? "a CA" : "no CA", view->against->profile->name);
    }
}

static void key(struct hf_lint_view *view)
{
    enum hf_refusal why;
    if (hf_cert_profile_check_key(view->against->profile, view->key, &why) != HF_OK) {
        hf_lint_found(view, "%s", hf_err_text());
    }
}

static void usage(struct hf_lint_view *view)
{
    uint32_t wanted = hf_cert_profile_usage(view->against->profile, view->key->kind);
    if (view->key_usage != wanted) {
        hf_lint_found(view, "keyUsage is %03x, and %03x by the profile", view->key_usage, wanted);
    }
}

static bool has(const struct hf_bytes *list, size_t n, struct hf_bytes oid)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_bytes_eq(list[i], oid)) {
            return true;
        }
    }
    return false;
}

static void eku(struct hf_lint_view *view)
{
    const struct hf_cert_profile *profile = view->against->profile;
    size_t n_same = 0;
    for (size_t i = 0; i < view->n_eku; i++) {
        n_same += has(profile->eku, profile->n_eku, view->eku[i]);
    }
    if (n_same != view->n_eku || view->n_eku != profile->n_eku) {
        hf_lint_found(view, "extKeyUsage is not what the profile %s says", profile->name);
    }
}

static void names(struct hf_lint_view *view)
{
    enum hf_refusal why;
    if (view->names.n != view->n_names) {
        hf_lint_found(view, "there are names that no profile can allow");
    } else if (hf_cert_profile_check_names(view->against->profile, &view->names, &why) != HF_OK) {
        hf_lint_found(view, "%s", hf_err_text());
    }
}

/* A warning: the operator may give dates of their own. */
static void lifetime(struct hf_lint_view *view)
{
    const struct hf_cert_profile *profile = view->against->profile;
    int64_t life = view->not_after - view->not_before;
    int64_t most = profile->lifetime_max_s + profile->backdate_s;
    if (life > most) {
        hf_lint_found(view, "it lasts %lld days, more than the profile's %lld",
                      (long long)(life / DAY_S), (long long)(profile->lifetime_max_s / DAY_S));
    }
}

static void path_len(struct hf_lint_view *view)
{
    int wanted = view->against->profile->path_len;
    if (wanted >= 0 && (view->path_len < 0 || view->path_len > wanted)) {
        hf_lint_found(view, "its path length is more than the profile's, %d", wanted);
    }
}

static void staple(struct hf_lint_view *view)
{
    if (view->against->profile->must_staple && !view->ext[HF_EXT_TLS_FEATURE]) {
        hf_lint_found(view, "the profile wants the TLS feature extension");
    }
}

static const struct hf_lint_row rows[] = {
    {{"profile-kind", HF_LINT_ERROR, "profile kind", "It is a CA, or none, as the profile says"},
     HF_LINT_PROFILE,
     kind},
    {{"profile-key", HF_LINT_ERROR, "profile keys", "The key is of a type that the profile takes"},
     HF_LINT_PROFILE | HF_LINT_KEY,
     key},
    {{"profile-key-usage", HF_LINT_ERROR, "profile key-usage", "keyUsage is the profile's"},
     HF_LINT_PROFILE | HF_LINT_KEY,
     usage},
    {{"profile-extended-key-usage", HF_LINT_ERROR, "profile extended-key-usage",
      "extKeyUsage is the profile's"},
     HF_LINT_PROFILE,
     eku},
    {{"profile-names", HF_LINT_ERROR, "profile names",
      "The names are those that the profile allows"},
     HF_LINT_PROFILE,
     names},
    {{"profile-lifetime", HF_LINT_WARNING, "profile max-lifetime",
      "It lasts no longer than the profile allows"},
     HF_LINT_PROFILE | HF_LINT_DATES,
     lifetime},
    {{"profile-path-length", HF_LINT_WARNING, "profile path-length",
      "A CA's path length is at most the profile's"},
     HF_LINT_PROFILE | HF_LINT_CA,
     path_len},
    {{"profile-must-staple", HF_LINT_ERROR, "profile must-staple, RFC 7633 4",
      "The TLS feature extension is there where the profile wants it"},
     HF_LINT_PROFILE,
     staple},
};

const struct hf_lint_table hf_lint_profiles = {rows, HF_N_ELEMENTS(rows)};
