// SPDX-License-Identifier: Apache-2.0
#include "http/fault.h"

static const struct {
    const char *code;
    const char *text;
    uint16_t status;
} faults[HF_HTTP_FAULT_N] = {
#define FAULT_ROW(id, code, status, text) [HF_HTTP_FAULT_##id] = {code, text, status},
    HF_HTTP_FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

const char *hf_http_fault_code(enum hf_http_fault fault)
{
    return (unsigned)fault < HF_HTTP_FAULT_N ? faults[fault].code : "unknown";
}

const char *hf_http_fault_text(enum hf_http_fault fault)
{
    return (unsigned)fault < HF_HTTP_FAULT_N ? faults[fault].text : "unknown";
}

uint16_t hf_http_fault_status(enum hf_http_fault fault)
{
    return (unsigned)fault < HF_HTTP_FAULT_N ? faults[fault].status : 500;
}
