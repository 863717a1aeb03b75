// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BENCH_SUPPORT_H
#define HF_BENCH_SUPPORT_H

#include "tls/tls.h"

/* bench_credential reads a certificate chain and its key, both in PEM. */
enum hf_err bench_credential(const char *cert_path, const char *key_path,
                             struct hf_credential **out) HF_MUST_CHECK;

/* bench_engine reads "auto", "libssl" or "native". */
enum hf_err bench_engine(const char *name, enum hf_tls_engine *out) HF_MUST_CHECK;

/* The judge of a load generator: it measures the others' verdicts, not its own. */
struct hf_tls_answer bench_admit(void *conn_ctx, const struct hf_tls_peer *peer);

#endif
