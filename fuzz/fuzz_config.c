// SPDX-License-Identifier: Apache-2.0
/* Config files: whatever the bytes, the result is a config without findings of level error, or
 * findings and no config; and what is said of them is printable. */
#include <stdlib.h>

#include "config/config.h"
#include "fuzz.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_printable(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((text.ptr[i] < 0x20 && text.ptr[i] != '\n') || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    struct hf_buf text = HF_BUF_INIT(16u << 20);
    enum hf_err err =
        hf_config_parse(hf_bytes_of(data, size), "fuzz.yaml", "/nonexistent", &findings, &config);
    need(err == HF_OK || err == HF_E_CONFIG);
    need((err == HF_OK) == (config != NULL) && (err == HF_OK) == (findings.n_errors == 0));
    need(hf_findings_format(&findings, &text) == HF_OK && is_printable(hf_buf_bytes(&text)));
    hf_buf_reset(&text);
    need(hf_findings_json(&findings, &text) == HF_OK && is_printable(hf_buf_bytes(&text)));
    hf_buf_done(&text);
    hf_config_free(config);
    hf_findings_done(&findings);
    return 0;
}
