// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static _Thread_local size_t fail_countdown;

bool hf_alloc_fails(void)
{
    return fail_countdown != 0 && --fail_countdown == 0;
}

void *hf_alloc_checked(void *block, size_t size)
{
    if (!block) {
        (void)hf_fail(HF_E_NOMEM, "out of memory (%zu bytes wanted)", size);
    }
    return block;
}

void hf_alloc_fail_after(size_t n)
{
    fail_countdown = n;
}

void *hf_alloc(size_t size)
{
    return hf_alloc_checked(hf_alloc_fails() ? NULL : malloc(size ? size : 1), size);
}

void *hf_alloc_zero(size_t n, size_t size)
{
    size_t total;
    bool fails = hf_alloc_fails();
    if (__builtin_mul_overflow(n, size, &total)) {
        return hf_alloc_checked(NULL, SIZE_MAX);
    }
    return hf_alloc_checked(fails ? NULL : calloc(n ? n : 1, size ? size : 1), total);
}

void *hf_realloc(void *old, size_t size)
{
    return hf_alloc_checked(hf_alloc_fails() ? NULL : realloc(old, size ? size : 1), size);
}

char *hf_strndup(const char *text, size_t len)
{
    char *copy = hf_alloc(len + 1);
    if (copy) {
        if (len) {
            memcpy(copy, text, len);
        }
        copy[len] = '\0';
    }
    return copy;
}

char *hf_strdup(const char *text)
{
    return hf_strndup(text, strlen(text));
}

void hf_free(void *block)
{
    free(block);
}

void hf_freep(void *pointer_to_block)
{
    void *block;
    memcpy(&block, pointer_to_block, sizeof(block));
    free(block);
}
