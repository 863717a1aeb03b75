// SPDX-License-Identifier: Apache-2.0
/* The linter on any bytes: it always ends with a result, and its texts are printable. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "ca/cert_profile.h"
#include "ca/lint.h"
#include "fuzz.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void look_at(const struct hf_lint_result *result)
{
    need(result->n <= HF_LINT_FINDINGS_MAX && result->n_run >= 1);
    for (size_t i = 0; i < result->n; i++) {
        struct hf_bytes text = hf_bytes_str(result->finding[i].text);
        while (text.len) {
            size_t len = hf_printable_len(text);
            need(len != 0);
            text = hf_bytes_from(text, len);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_lint_result result;
    struct hf_cert_profile *profile = NULL;
    need(hf_cert_profile_builtin("server", &profile) == HF_OK);
    const struct hf_lint_against against = {.profile = profile, .now = 1800000000};
    need(hf_lint_cert(hf_bytes_of(data, size), &against, &result) == HF_OK);
    look_at(&result);
    need(hf_lint_tbs(hf_bytes_of(data, size), &against, &result) == HF_OK);
    look_at(&result);
    hf_cert_profile_unref(profile);
    return 0;
}
