// SPDX-License-Identifier: Apache-2.0
#include "policy/basic.h"

#include <string.h>

#include "base/base64.h"

void hf_basic_done(struct hf_basic *basic)
{
    hf_secret_text_done(&basic->user);
    hf_secret_text_done(&basic->password);
}

static void wipe(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* RFC 7617 2: neither may hold control characters. */
static bool is_clean(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < ' ' || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

enum hf_err hf_basic_parse(struct hf_bytes credentials, struct hf_basic *out)
{
    HF_CLEANUP(wipe) struct hf_buf text = HF_BUF_INIT(HF_BASIC_MAX);
    HF_CLEANUP(hf_basic_done) struct hf_basic made = {0};
    if (credentials.len > 2 * HF_BASIC_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "user and password are longer than %d bytes", HF_BASIC_MAX);
    }
    HF_TRY(hf_base64_decode(credentials, &text));
    struct hf_bytes both = hf_buf_bytes(&text);
    const uint8_t *colon = both.len ? memchr(both.ptr, ':', both.len) : NULL;
    if (!colon || !is_clean(both)) {
        return hf_fail(HF_E_MALFORMED, "not a user and a password with \":\" between them");
    }
    size_t user_len = (size_t)(colon - both.ptr);
    if (user_len > HF_BASIC_USER_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "the user's name is longer than %d bytes",
                       HF_BASIC_USER_MAX);
    }
    HF_TRY(hf_secret_text_set(&made.user, hf_bytes_of(both.ptr, user_len)));
    HF_TRY(hf_secret_text_set(&made.password, hf_bytes_from(both, user_len + 1)));
    *out = made;
    made = (struct hf_basic){0};
    return HF_OK;
}
