// SPDX-License-Identifier: Apache-2.0
#include "cli/codes.h"

#include <string.h>

#include "http/fault.h"
#include "policy/request.h"
#include "proxy/http/mishap.h"

static struct hf_code of_reason(enum hf_reason reason)
{
    enum hf_step step = hf_reason_step(reason);
    uint8_t alert = hf_reason_alert(reason);
    bool asks = step >= HF_STEP_ROLE; /* what only requests are refused for */
    return (struct hf_code){
        .code = hf_reason_code(reason),
        .family = "verdict",
        .step = hf_step_name(step),
        .alert = alert == HF_ALERT_NONE ? NULL : hf_alert_name(alert),
        .status = asks && alert == HF_ALERT_NONE ? hf_request_status(reason) : 0,
        .text = hf_reason_text(reason),
        .todo = hf_reason_todo(reason),
    };
}

static struct hf_code of_mishap(enum hf_mishap mishap)
{
    return (struct hf_code){
        .code = hf_mishap_code(mishap),
        .family = "request",
        .status = hf_mishap_status(mishap),
        .text = hf_mishap_text(mishap),
        .todo = hf_mishap_todo(mishap),
    };
}

/* What is well-formed, but too much, a limit can be raised for. */
static const char *todo_of_fault(enum hf_http_fault fault)
{
    switch (hf_http_fault_status(fault)) {
    case 413:
        return "send less, or raise max-body of the listener's http, or of the route";
    case 414:
    case 431:
        return "send less there (cookies grow most), or raise max-header-size or max-headers of "
               "the listener's http";
    default:
        return "correct what sends the message, or what changes it on its way";
    }
}

static struct hf_code of_fault(enum hf_http_fault fault)
{
    return (struct hf_code){
        .code = hf_http_fault_code(fault),
        .family = "message",
        .status = hf_http_fault_status(fault),
        .text = hf_http_fault_text(fault),
        .todo = todo_of_fault(fault),
    };
}

/* The first of each table means that nothing is wrong, and isn't listed. */
bool hf_code_at(size_t at, struct hf_code *out)
{
    enum { REASONS = HF_REASON_N - 1, MISHAPS = HF_MISHAP_N - 1, FAULTS = HF_HTTP_FAULT_N - 1 };
    if (at < REASONS) {
        *out = of_reason((enum hf_reason)(at + 1));
        return true;
    }
    at -= REASONS;
    if (at < MISHAPS) {
        *out = of_mishap((enum hf_mishap)(at + 1));
        return true;
    }
    at -= MISHAPS;
    if (at < FAULTS) {
        *out = of_fault((enum hf_http_fault)(at + 1));
        return true;
    }
    return false;
}

bool hf_code_find(const char *code, struct hf_code *out)
{
    struct hf_code found;
    for (size_t i = 0; hf_code_at(i, &found); i++) {
        if (strcmp(found.code, code) == 0) {
            *out = found;
            return true;
        }
    }
    return false;
}
