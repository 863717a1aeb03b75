// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REQUEST_H
#define HF_POLICY_REQUEST_H

/*
 * The one verdict on requests: may this client of this connection have that? Every version of HTTP
 * asks here, and `handfast simulate` does, and nothing else decides. A pure function of its input.
 * The steps, each of which may refuse:
 *
 *     probe       a question after our own health, by somebody whom it is meant for; who came in
 *                 without a certificate for that alone gets nothing else
 *     authority   the host belongs to another door of the listener, whose clients are asked or
 *                 judged otherwise: 421
 *     route       none fits: 404
 *     deny        the client is among those that the route denies
 *     allow       the client is not among those that the route allows; or the route says nothing,
 *                 and some route of the listener does
 *     auth        the route asks for more than a certificate, and it wasn't shown
 *     report      on trial: what would have been refused is told, and let through
 */

#include "pki/reason.h"
#include "policy/route.h"
#include "policy/vital.h"

/* What was found of the other credentials that a route asks for. */
enum hf_auth_state {
    HF_AUTH_NOT_LOOKED, /* nobody has looked yet */
    HF_AUTH_PASSED,
    HF_AUTH_FAILED,
};

struct hf_request_input {
    const struct hf_route_table *table;
    const struct hf_requester *requester;
    const struct hf_request *request;
    size_t door; /* of the connection: hf_pick.policy_index, 0 without TLS */
    const struct hf_vital_paths *vitals; /* NULL: they aren't for this client's address */
    bool vitals_only;                    /* hf_verdict.vitals_only of its connection */
    enum hf_auth_state auth;
    enum hf_reason auth_reason; /* with HF_AUTH_FAILED: why */
};

struct hf_request_verdict {
    bool allow;
    bool wants_auth;   /* refused only because nobody has looked at the other credentials yet: do,
                          and judge again */
    bool would_refuse; /* allowed, but the trial rule would not have */
    enum hf_reason reason;
    enum hf_rule rule;        /* that decided; HF_RULE_MATCH: none did */
    uint16_t status;          /* that a refusal becomes; 0 with allow */
    size_t path_len;          /* as in hf_route_choice */
    size_t route;             /* HF_ROUTE_NONE: none was found */
    enum hf_vital vital;      /* allowed, and for the daemon itself to answer; route is NONE */
    struct hf_bytes vital_of; /* with HF_VITAL_UPSTREAM: its name, a view of the path */
};

void hf_request_judge(const struct hf_request_input *input, struct hf_request_verdict *out);

/* hf_request_judge_vital takes the step `probe` alone, for who must know before limits count the
 * request. False: it decides nothing, and *out isn't touched. */
bool hf_request_judge_vital(const struct hf_request_input *input, struct hf_request_verdict *out);

/* hf_request_status is the status that a refusal for this reason becomes. */
uint16_t hf_request_status(enum hf_reason reason);

/* hf_request_rule_name writes what decided, "admin/allow", "probe/ready", or the route alone, or
 * "".
 */
#define HF_REQUEST_RULE_MAX 96
void hf_request_rule_name(const struct hf_route_table *table,
                          const struct hf_request_verdict *verdict,
                          char out[static HF_REQUEST_RULE_MAX]);

/* hf_request_verdict_text writes one sentence for people; for logs, never for the client. Cut to
 * out_size. */
void hf_request_verdict_text(const struct hf_route_table *table,
                             const struct hf_request_verdict *verdict, char *out, size_t out_size);

#endif
