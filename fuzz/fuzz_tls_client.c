// SPDX-License-Identifier: Apache-2.0
/*
 * What a server may send to a client: the first byte says whether the client offers a ticket, and
 * how many records of an honest server come before the rest of the input.
 */
#include "fuzz.h"
#include "tls_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_side client, server;
    if (size < 2 || size > 20000) {
        return 0;
    }
    fuzz_server_init(&server, false);
    fuzz_client_init(&client, data[0] & 1);
    fuzz_side_step(&client);
    (void)fuzz_pass_records(&client, &server, SIZE_MAX);
    fuzz_side_step(&server);
    (void)fuzz_pass_records(&server, &client, data[0] >> 1 & 3);
    fuzz_need(hf_buf_append(&client.in, hf_bytes_of(data + 1, size - 1)) == HF_OK);
    fuzz_side_step(&client);
    fuzz_side_done(&client);
    fuzz_side_done(&server);
    return 0;
}
