// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <string.h>

#include "base/mem.h"

void hf_wipe(void *ptr, size_t len)
{
    if (len) {
        explicit_bzero(ptr, len);
    }
}

bool hf_ct_eq(struct hf_bytes a, struct hf_bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (uint8_t)(difference | (a.ptr[i] ^ b.ptr[i]));
    }
    return difference == 0;
}

void hf_secret_done(struct hf_secret *secret)
{
    hf_wipe(secret->byte, sizeof(secret->byte));
    secret->len = 0;
}

enum hf_err hf_secret_text_set(struct hf_secret_text *secret, struct hf_bytes text)
{
    hf_secret_text_done(secret);
    secret->ptr = hf_strndup((const char *)text.ptr, text.len);
    if (!secret->ptr) {
        return HF_E_NOMEM;
    }
    secret->len = text.len;
    return HF_OK;
}

void hf_secret_text_done(struct hf_secret_text *secret)
{
    if (secret->ptr) {
        hf_wipe(secret->ptr, secret->len);
        hf_free(secret->ptr);
    }
    *secret = (struct hf_secret_text){0};
}
