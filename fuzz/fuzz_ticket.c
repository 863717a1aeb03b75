// SPDX-License-Identifier: Apache-2.0
/* What a ticket of ours carries: whatever decodes must encode to the same bytes. */
#include <stdlib.h>

#include "fuzz.h"
#include "tls/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_ticket ticket;
    if (hf_ticket_decode(hf_bytes_of(data, size), &ticket) != HF_OK) {
        return 0;
    }
    struct hf_buf again HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(size);
    enum hf_err err = hf_ticket_encode(&ticket, &again);
    if (err == HF_OK && !hf_bytes_eq(hf_buf_bytes(&again), hf_bytes_of(data, size))) {
        abort();
    }
    if (err != HF_OK && err != HF_E_TOO_LARGE) {
        abort();
    }
    return 0;
}
