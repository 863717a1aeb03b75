// SPDX-License-Identifier: Apache-2.0
/*
 * The server_name extension, as a client sends it: either refused, or the name lies within it and
 * the rest is what a well-made extension says.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "tls/pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes name;
    enum hf_err err = hf_sni_parse(hf_bytes_of(data, size), &name);
    if (err) {
        name.len == 0 ? (void)0 : abort();
        return 0;
    }
    enum { BEFORE = 5 }; /* length of the list, type, length of the name */
    if (name.ptr != data + BEFORE || name.len != size - BEFORE || name.len == 0) {
        abort();
    }
    return 0;
}
