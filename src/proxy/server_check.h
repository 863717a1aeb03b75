// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SERVER_CHECK_H
#define HF_PROXY_SERVER_CHECK_H

/*
 * struct hf_server_check is what TLS toward an upstream server is judged with: the conn_ctx of its
 * client contexts. Needed until the handshake has ended.
 */

#include "policy/notes.h"
#include "policy/verdict.h"
#include "proxy/crl_desk.h"
#include "proxy/ocsp_desk.h"
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
    struct hf_notes notes; /* of the sources of revocation that were asked */

    /* for answers by OCSP, and lists: without a desk and a resume nobody is asked */
    struct hf_ocsp_desk *desk;
    struct hf_crl_desk *crl_desk;
    struct hf_loop *loop;
    void (*resume)(struct hf_server_check *check); /* goes on with the handshake */
    void *owner;                                   /* of the check; resume's */
    struct hf_desk_wait wait;
    bool asked_responders, asked_for_lists; /* once is enough: what is known then decides */
};

/* hf_server_check_waits: is the handshake waiting for an answer, or a list? */
static inline bool hf_server_check_waits(const struct hf_server_check *check)
{
    return check->wait.call != NULL;
}

/* hf_server_check_done: the handshake is over, or given up; resume won't be called. */
void hf_server_check_done(struct hf_server_check *check);

/* hf_server_check_again judges a server that is connected, by what is known now; what is no longer
 * known is asked for. may_wait: the verdict may be pending on that; it is good meanwhile, and to be
 * judged again by hf_server_check_timeout_ms at the latest, without. */
void hf_server_check_again(struct hf_worker *worker, const struct hf_server *server,
                           const struct hf_chain *chain, bool may_wait, struct hf_verdict *out);
int64_t hf_server_check_timeout_ms(const struct hf_ledger *ledger, const struct hf_server *server);

extern const struct hf_tls_judge hf_server_check_judge;

#endif
