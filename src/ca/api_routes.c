// SPDX-License-Identifier: Apache-2.0
/* The API as a table: method, path, what may be said, what it becomes. docs/ca-openapi.yaml says
 * the same for others, and a test holds the two together. */
#include <string.h>

#include "ca/api_impl.h"

#define BIT(field) (1u << HF_API_##field)

/* --- From input to operation --------------------------------------------------------------------
 */

/* "self" is the certificate of who asks. `authority` says who issued it; who signs a new one is the
 * CA's to say. */
static enum hf_err prepare_one(struct hf_api_job *job)
{
    job->op.ask.authority = NULL;
    struct hf_ca_which *which = &job->op.which;
    which->authority = job->input.authority;
    which->serial = job->param;
    if (strcmp(job->param, "self") != 0) {
        return HF_OK;
    }
    const struct hf_identity *identity = job->call->request.identity;
    if (!job->cert || !identity) {
        return hf_api_fail(job, HF_CA_FORBIDDEN, "you came without a certificate");
    }
    which->serial = identity->serial;
    return HF_OK;
}

static enum hf_err prepare_many(struct hf_api_job *job)
{
    const struct hf_api_input *in = &job->input;
    job->op.which = (struct hf_ca_which){
        .authority = in->authority,
        .identity = in->identity,
        .profile = in->profile,
        .requester = in->requester,
        .text = in->text,
        .expires_before = in->expires_before,
        .never_seen = in->never_seen,
        .valid = true,
    };
    if (!in->authority && !in->identity && !in->profile && !in->requester && !in->text &&
        !in->expires_before && !in->never_seen) {
        return hf_api_fail(job, HF_CA_INVALID,
                           "nothing says which certificates: give identity, profile, requester, "
                           "authority, text, expires_before or never_seen");
    }
    return HF_OK;
}

static enum hf_err prepare_request(struct hf_api_job *job)
{
    job->op.request = job->param;
    return HF_OK;
}

static enum hf_err prepare_token(struct hf_api_job *job)
{
    job->op.token_lifetime_s = job->input.lifetime_s;
    job->op.token_uses = (unsigned)job->input.uses;
    return HF_OK;
}

/* --- The table ----------------------------------------------------------------------------------
 */

#define ASKED (BIT(PROFILE) | BIT(AUTHORITY) | BIT(LIFETIME) | BIT(TOKEN))
#define ONE   (BIT(AUTHORITY) | BIT(NOTE))

#define DO(method_, path_, fields_, required_, verb_, prepare_) \
    { \
        .method = HF_METHOD_##method_, .path = path_, .fields = fields_, .required = required_, \
        .verb = HF_CA_VERB_##verb_, .prepare = prepare_ \
    }
#define SEE(path_, rights_, read_) \
    { \
        .method = HF_METHOD_GET, .path = path_, .rights = rights_, .read = read_ \
    }

const struct hf_api_route hf_api_routes[] = {
    SEE("/v1", 0, hf_api_info),
    SEE("/v1/roots", 0, hf_api_roots),
    SEE("/v1/authorities", 0, hf_api_authorities),
    SEE("/v1/profiles", HF_CA_MAY_READ, hf_api_profiles),

    SEE("/v1/certificates", HF_CA_MAY_READ, hf_api_certs),
    SEE("/v1/certificates/{}", 0, hf_api_cert), /* one's own, without the right */
    DO(POST, "/v1/certificates", ASKED | BIT(NAME) | BIT(NAMES) | BIT(KEY_TYPE) | BIT(CSR),
       BIT(PROFILE) | BIT(NAME), ISSUE, NULL),
    DO(POST, "/v1/sign", ASKED | BIT(CSR), BIT(PROFILE) | BIT(CSR), SIGN, NULL),
    DO(POST, "/v1/certificates/{}/renew", BIT(AUTHORITY) | BIT(LIFETIME) | BIT(CSR), 0, RENEW,
       prepare_one),
    DO(POST, "/v1/certificates/{}/rekey",
       BIT(AUTHORITY) | BIT(LIFETIME) | BIT(CSR) | BIT(KEY_TYPE) | BIT(REVOKE_OLD), 0, REKEY,
       prepare_one),
    DO(POST, "/v1/certificates/{}/revoke", ONE | BIT(REASON), BIT(REASON), REVOKE, prepare_one),
    DO(POST, "/v1/certificates/{}/hold", ONE, 0, HOLD, prepare_one),
    DO(POST, "/v1/certificates/{}/release", ONE, 0, RELEASE, prepare_one),

    SEE("/v1/revocations", HF_CA_MAY_READ, hf_api_journal),
    DO(POST, "/v1/revocations",
       ONE | BIT(REASON) | BIT(DRY_RUN) | BIT(IDENTITY) | BIT(PROFILE) | BIT(REQUESTER) |
           BIT(TEXT) | BIT(EXPIRES_BEFORE) | BIT(NEVER_SEEN),
       BIT(REASON), REVOKE, prepare_many),

    SEE("/v1/requests", HF_CA_MAY_READ, hf_api_requests),
    DO(GET, "/v1/requests/{}", 0, 0, PICK_UP, prepare_request),
    DO(POST, "/v1/requests/{}/approve", BIT(NOTE), 0, APPROVE, prepare_request),
    DO(POST, "/v1/requests/{}/deny", BIT(NOTE), 0, DENY, prepare_request),

    SEE("/v1/tokens", HF_CA_MAY_READ, hf_api_tokens),
    DO(POST, "/v1/tokens", BIT(PROFILE) | BIT(NAME) | BIT(NOTE) | BIT(USES) | BIT(LIFETIME),
       BIT(PROFILE), TOKEN, prepare_token),
    DO(DELETE, "/v1/tokens/{}", 0, 0, UNTOKEN, prepare_request),

    SEE("/v1/audit", HF_CA_MAY_READ, hf_api_audit),
};
const size_t hf_api_n_routes = HF_N_ELEMENTS(hf_api_routes);
