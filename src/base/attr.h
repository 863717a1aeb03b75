// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_ATTR_H
#define HF_BASE_ATTR_H

/* Compiler attributes in one place, so that the rest of the tree reads as C. */

#define HF_MUST_CHECK   __attribute__((warn_unused_result))
#define HF_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define HF_NONNULL      __attribute__((nonnull))
#define HF_UNUSED       __attribute__((unused))

/* HF_CLEANUP(fn) runs fn(&variable) when the variable leaves its scope; hand over with HF_TAKE. */
#define HF_CLEANUP(fn) __attribute__((cleanup(fn)))

/* HF_TAKE(p) yields the pointer p and leaves NULL behind: ownership moves to the reader. */
#define HF_TAKE(p) \
    __extension__({ \
        __typeof__(p) taken_ = (p); \
        (p) = NULL; \
        taken_; \
    })

#define HF_N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* HF_CONTAINER_OF(ptr, type, member): the struct that holds the member that ptr points at. */
#define HF_CONTAINER_OF(ptr, type, member) \
    ((type *)(void *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif
