// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/mishap.h"

static const struct {
    const char *code;
    unsigned status;
    const char *text;
} mishaps[] = {
#define MISHAP(id, code, status, text) [HF_MISHAP_##id] = {code, status, text},
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

unsigned hf_mishap_status(enum hf_mishap mishap)
{
    return mishaps[mishap].status;
}
