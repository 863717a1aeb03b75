// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SERVER_CHECK_H
#define HF_PROXY_SERVER_CHECK_H

/*
 * struct hf_server_check is what TLS toward an upstream server is judged with: the conn_ctx of its
 * client contexts. Needed until the handshake has ended.
 */

#include "policy/verdict.h"
#include "tls/tls.h"

struct hf_ledger;
struct hf_server;
struct hf_worker;

struct hf_server_check {
    const struct hf_clock *clock;
    struct hf_ledger *const *ledger; /* where the thread has what is known of revocation now */
    struct hf_worker *worker; /* that tells of the certificates it meets; NULL: nobody does */
    const struct hf_server *server;
    bool judged;
    struct hf_verdict verdict;
};

/* hf_server_check_chain judges a server by its chain, by what is known now. */
void hf_server_check_chain(const struct hf_clock *clock, const struct hf_ledger *ledger,
                           const struct hf_server *server, const struct hf_chain *chain,
                           struct hf_verdict *out);

extern const struct hf_tls_judge hf_server_check_judge;

#endif
