// SPDX-License-Identifier: Apache-2.0
/*
 * A server's frames to the HTTP/2 client, which has sent a POST, a HEAD and a GET. The first byte
 * says in which portions; the result must not depend on it.
 */
#include "fuzz.h"
#include "h2_owner.h"

static void run(struct h2_owner *owner, struct hf_bytes in, size_t portion, bool answers)
{
    static const char settings[] = "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0";
    h2_owner_init(owner, false, answers);
    h2_owner_ask(owner, "POST");
    h2_owner_ask(owner, "HEAD");
    h2_owner_ask(owner, "GET");
    need(hf_h2_feed(owner->h2, hf_bytes_of(settings, sizeof(settings) - 1), 0) == HF_OK);
    h2_owner_feed(owner, in, portion, answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct h2_owner whole, cut;
    if (size < 1) {
        return 0;
    }
    struct hf_bytes in = hf_bytes_of(data + 1, size - 1);
    size_t portion = 1u + data[0] % 32u;
    run(&whole, in, SIZE_MAX, false);
    run(&cut, in, portion, false);
    need(hf_bytes_eq(hf_buf_bytes(&whole.events), hf_buf_bytes(&cut.events)));
    need(hf_bytes_eq(hf_buf_bytes(&whole.bodies), hf_buf_bytes(&cut.bodies)));
    need(hf_bytes_eq(hf_buf_bytes(&whole.out), hf_buf_bytes(&cut.out)));
    h2_owner_done(&whole);
    h2_owner_done(&cut);
    run(&cut, in, portion, true);
    h2_owner_done(&cut);
    return 0;
}
