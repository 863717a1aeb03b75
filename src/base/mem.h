// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_MEM_H
#define HF_BASE_MEM_H

/*
 * Allocation. Everything of ours allocates here, so that tests can make the n-th allocation fail.
 * NULL means out of memory; the failure is recorded (HF_E_NOMEM), so callers may just return it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

void *hf_alloc(size_t size) HF_MUST_CHECK;
void *hf_alloc_zero(size_t n, size_t size) HF_MUST_CHECK;
void *hf_realloc(void *old, size_t size) HF_MUST_CHECK;
char *hf_strdup(const char *text) HF_MUST_CHECK;
char *hf_strndup(const char *text, size_t len) HF_MUST_CHECK;
void hf_free(void *block);

/* hf_freep is hf_free for HF_CLEANUP: it takes the address of the pointer. */
void hf_freep(void *pointer_to_block);

/* HF_NEW(type) is one zeroed object of that type. */
#define HF_NEW(type) ((type *)hf_alloc_zero(1, sizeof(type)))

/* hf_alloc_fail_after makes the n-th next allocation of this thread fail; 0 switches it off.
 * Tests only. */
void hf_alloc_fail_after(size_t n);

/* For allocators of ours that don't come here for each block: hf_alloc_fails says whether this one
 * must fail, hf_alloc_checked passes the block on and records the failure when it's NULL. */
bool hf_alloc_fails(void);
void *hf_alloc_checked(void *block, size_t size) HF_MUST_CHECK;

#endif
