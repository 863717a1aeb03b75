// SPDX-License-Identifier: Apache-2.0
/*
 * Tickets: as they come, under a known key's name, sealed as contents, and sealed with one byte
 * changed. Only the second last may open.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tls/native/ticket_seal.h"

enum { TICKET_MAX = 1 << 16 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static enum hf_err fill(void *ctx, struct hf_span out)
{
    (void)ctx;
    memset(out.ptr, 0x5a, out.len);
    return HF_OK;
}

static enum hf_err try_open(const struct hf_ticket_seal *seal, struct hf_bytes ticket,
                            struct hf_buf *plain)
{
    bool old_key;
    hf_buf_reset(plain);
    enum hf_err err = hf_ticket_seal_open(seal, hf_crypto_here(), ticket, plain, &old_key);
    need(err == HF_OK || hf_buf_len(plain) == 0);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_tls_ticket_keys keys = {.key = {{.name = "a name", .secret = {.len = 32}}},
                                      .n_keys = 1};
    struct hf_rng rng = {.fill = fill};
    struct hf_ticket_seal seal;
    struct hf_buf ticket = HF_BUF_INIT(2 * TICKET_MAX), plain = HF_BUF_INIT(2 * TICKET_MAX);
    if (size == 0 || size > TICKET_MAX || !hf_crypto_here()) {
        return 0;
    }
    struct hf_bytes bytes = hf_bytes_of(data, size);
    need(hf_ticket_seal_init(&seal, &keys) == HF_OK);
    need(try_open(&seal, bytes, &plain) != HF_OK);
    need(hf_buf_append(&ticket, hf_bytes_of(keys.key[0].name, HF_TICKET_NAME_LEN)) == HF_OK);
    need(hf_buf_append(&ticket, bytes) == HF_OK);
    need(try_open(&seal, hf_buf_bytes(&ticket), &plain) != HF_OK);

    hf_buf_reset(&ticket);
    need(hf_ticket_seal_make(&seal, hf_crypto_here(), &rng, bytes, &ticket) == HF_OK);
    need(try_open(&seal, hf_buf_bytes(&ticket), &plain) == HF_OK);
    need(hf_bytes_eq(hf_buf_bytes(&plain), bytes));
    ticket.mem[ticket.start + data[0] * 257u % hf_buf_len(&ticket)] ^=
        (uint8_t)(data[size - 1] | 1);
    need(try_open(&seal, hf_buf_bytes(&ticket), &plain) != HF_OK);
    hf_ticket_seal_done(&seal);
    hf_buf_done(&ticket);
    hf_buf_done(&plain);
    return 0;
}
