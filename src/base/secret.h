// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_SECRET_H
#define HF_BASE_SECRET_H

/*
 * Secrets: memory that wipes itself and that no formatter accepts. memcmp on secrets doesn't exist;
 * hf_ct_eq is the one comparison, and takes time that depends on the length alone.
 */

#include "base/bytes.h"

/* hf_wipe clears memory in a way that the compiler keeps. */
void hf_wipe(void *ptr, size_t len);

/* hf_ct_eq compares in constant time; views of different length are unequal at once. */
bool hf_ct_eq(struct hf_bytes a, struct hf_bytes b);

#define HF_SECRET_MAX 64

/* struct hf_secret is a short secret, such as a traffic secret or a MAC key. */
struct hf_secret {
    uint8_t byte[HF_SECRET_MAX];
    size_t len; /* at most HF_SECRET_MAX */
};

static inline struct hf_bytes hf_secret_bytes(const struct hf_secret *secret)
{
    return hf_bytes_of(secret->byte, secret->len);
}

void hf_secret_done(struct hf_secret *secret);

/* struct hf_secret_text is a passphrase or other secret of any length, with a NUL behind it. */
struct hf_secret_text {
    char *ptr;
    size_t len;
};

/* hf_secret_text_set copies the text in. On failure the secret is empty. */
enum hf_err hf_secret_text_set(struct hf_secret_text *secret, struct hf_bytes text) HF_MUST_CHECK;
void hf_secret_text_done(struct hf_secret_text *secret);

#endif
