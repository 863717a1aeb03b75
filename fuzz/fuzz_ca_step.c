// SPDX-License-Identifier: Apache-2.0
/* What `step-ca export` writes. */
#include "ca/store_import.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_step_export step;
    if (hf_step_export_parse(hf_bytes_of(data, size), "step.json", &step) == HF_OK) {
        hf_step_export_done(&step);
    }
    return 0;
}
