// SPDX-License-Identifier: Apache-2.0
/* Requests to our OCSP responder: what is read lies within what was given. */
#include <stdlib.h>

#include "ca/ocsp_ask.h"
#include "fuzz.h"

static void within(struct hf_bytes part, struct hf_bytes whole)
{
    if (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes der = hf_bytes_of(data, size);
    struct hf_ocsp_ask ask;
    if (hf_ocsp_ask_read(der, &ask) != HF_OK) {
        return 0;
    }
    if (ask.n == 0 || ask.n > HF_OCSP_SERIALS_MAX || ask.nonce.len > HF_OCSP_NONCE_MAX) {
        abort();
    }
    for (size_t i = 0; i < ask.n; i++) {
        within(ask.one[i].whole, der);
    }
    if (ask.nonce.ptr) {
        within(ask.nonce, der);
    }
    return 0;
}
