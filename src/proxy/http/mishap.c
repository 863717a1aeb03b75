// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/mishap.h"

static const struct {
    const char *code;
    unsigned status;
    const char *text;
    const char *todo;
} mishaps[] = {
#define MISHAP(id, code, status, text, todo) [HF_MISHAP_##id] = {code, status, text, todo},
    HF_MISHAP_TABLE(MISHAP)
#undef MISHAP
};

const char *hf_mishap_code(enum hf_mishap mishap)
{
    return mishaps[mishap].code;
}

const char *hf_mishap_text(enum hf_mishap mishap)
{
    return mishaps[mishap].text;
}

const char *hf_mishap_todo(enum hf_mishap mishap)
{
    return mishaps[mishap].todo;
}

unsigned hf_mishap_status(enum hf_mishap mishap)
{
    return mishaps[mishap].status;
}
