// SPDX-License-Identifier: Apache-2.0
#include "pki/reason.h"

#include <string.h>

#include "base/attr.h"

static const struct {
    const char *code;
    const char *text;
    const char *todo;
    enum hf_step step;
    uint8_t alert;
} reasons[HF_REASON_N] = {
#define REASON_ROW(id, code, step, alert, text, todo) \
    [HF_REASON_##id] = {code, text, todo, HF_STEP_##step, HF_ALERT_##alert},
    HF_REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

static const char *const step_names[HF_STEP_N] = {
#define STEP_NAME(id, name) [HF_STEP_##id] = name,
    HF_STEP_TABLE(STEP_NAME)
#undef STEP_NAME
};

/* A number outside the table is our bug; it is told as one rather than read past the end. */
static enum hf_reason known(enum hf_reason reason)
{
    return (unsigned)reason < HF_REASON_N ? reason : HF_REASON_INTERNAL;
}

const char *hf_reason_code(enum hf_reason reason)
{
    return reasons[known(reason)].code;
}

const char *hf_reason_text(enum hf_reason reason)
{
    return reasons[known(reason)].text;
}

const char *hf_reason_todo(enum hf_reason reason)
{
    return reasons[known(reason)].todo;
}

enum hf_step hf_reason_step(enum hf_reason reason)
{
    return reasons[known(reason)].step;
}

uint8_t hf_reason_alert(enum hf_reason reason)
{
    return reasons[known(reason)].alert;
}

const char *hf_step_name(enum hf_step step)
{
    return (unsigned)step < HF_STEP_N ? step_names[step] : "unknown";
}

enum hf_reason hf_reason_of_peer_alert(uint8_t alert)
{
    return hf_alert_is_about_certificate(alert) ? HF_REASON_CERTIFICATE_REJECTED
                                                : HF_REASON_PEER_ALERT;
}

bool hf_reason_find(const char *code, enum hf_reason *out)
{
    for (int i = 0; i < HF_REASON_N; i++) {
        if (strcmp(reasons[i].code, code) == 0) {
            *out = (enum hf_reason)i;
            return true;
        }
    }
    return false;
}
