// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_OSSL_H
#define HF_PKI_OSSL_H

/*
 * Where libcrypto's dialect of failing becomes ours. libcrypto keeps a queue of errors per thread;
 * whoever calls it and fails must empty the queue, or a later, unrelated call would seem to fail.
 */

#include "base/err.h"

/* hf_fail_ossl(HF_E_x, "format", ...) is hf_fail with ": " and libcrypto's reason behind it.
 * Empties the queue. Yields HF_E_NOMEM instead when that was the reason. */
#define hf_fail_ossl(err, ...) hf_fail_ossl_at(__FILE__, __LINE__, (err), __VA_ARGS__)
enum hf_err hf_fail_ossl_at(const char *file, int line, enum hf_err err, const char *format, ...)
    HF_PRINTF(4, 5);

/* hf_ossl_forget empties the queue after a failure that is no error, such as "no more". */
void hf_ossl_forget(void);

#endif
