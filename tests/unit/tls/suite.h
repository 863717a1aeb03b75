// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_TLS_SUITE_H
#define HF_TEST_TLS_SUITE_H

/*
 * The behaviour that every engine of the seam owes, as one suite that is run per pair of engines:
 * test_libssl.c is this and a main. Cases outside the versions given are left out.
 */

#include "tlspair.h"

struct suite {
    enum hf_tls_engine server, client;
    enum hf_tls_version min_version, max_version;
};

/* suite_run gives the exit status of the test program. */
int suite_run(const struct suite *suite);

#endif
