// SPDX-License-Identifier: Apache-2.0
/* index.txt of openssl and easy-rsa: whatever is read fits where it goes. */
#include <stdlib.h>

#include "ca/store_import.h"
#include "fuzz.h"

static enum hf_err look(void *ctx, const struct hf_index_line *line)
{
    const struct hf_bytes *all = ctx;
    bool within =
        line->subject.len == 0 || (line->subject.ptr >= all->ptr &&
                                   line->subject.ptr + line->subject.len <= all->ptr + all->len);
    if (!within || line->serial_len < 1 || line->serial_len > HF_STORE_SERIAL_MAX ||
        (line->serial_len > 1 && line->serial[0] == 0) || line->reason < 0 || line->reason > 6) {
        abort();
    }
    return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes all = hf_bytes_of(data, size);
    (void)!hf_index_parse(all, "index.txt", look, &all);
    return 0;
}
