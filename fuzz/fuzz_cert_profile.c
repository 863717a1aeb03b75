// SPDX-License-Identifier: Apache-2.0
/* Profiles in YAML: what is taken keeps its promises, what is refused says where. */
#include <stdlib.h>

#include "ca/cert_profile.h"
#include "fuzz.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void look_at(const struct hf_cert_profile *profile)
{
    struct hf_subject wanted = {0}, made = {0};
    struct hf_alt_names names = {0};
    enum hf_refusal why;
    need(profile->keys >> profile->key_default & 1);
    need(profile->lifetime_s > 0 && profile->lifetime_s <= profile->lifetime_max_s);
    need(profile->kind == HF_PROFILE_KIND_CA || profile->n_eku > 0);
    need(hf_subject_parse("CN=a,O=b", &wanted) == HF_OK);
    need(hf_alt_names_add_text(&names, "DNS:a.example") == HF_OK);
    need(hf_alt_names_add_text(&names, "email:a@b.example") == HF_OK);
    need(hf_alt_names_add_text(&names, "URI:urn:a:b") == HF_OK);
    need(hf_alt_names_add_text(&names, "IP:10.0.0.1") == HF_OK);
    (void)!hf_cert_profile_check_names(profile, &names, &why);
    if (hf_cert_profile_subject(profile, &wanted, &names, &made, &why) == HF_OK) {
        hf_subject_done(&made);
    }
    hf_subject_done(&wanted);
    hf_alt_names_done(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_findings findings = {0};
    struct hf_cert_profile *profile = NULL;
    enum hf_err err = hf_cert_profile_parse(hf_bytes_of(data, size), "fuzz", &findings, &profile);
    need((err == HF_OK) == (profile != NULL));
    need(err != HF_E_CONFIG || findings.n_errors > 0);
    if (profile) {
        look_at(profile);
    }
    hf_cert_profile_unref(profile);
    hf_findings_done(&findings);
    return 0;
}
