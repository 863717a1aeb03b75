// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_VERDICT_H
#define HF_POLICY_VERDICT_H

/*
 * The one verdict: may this peer come in? Every door asks here - server and client role, full and
 * resumed handshakes, every TLS version - and nothing else decides. A pure function of its input.
 */

#include "pki/trust.h"

/* How a listener asks for a client certificate. */
enum hf_client_mode {
    HF_CLIENT_REQUIRE,            /* ask; refuse without a good one */
    HF_CLIENT_REQUEST,            /* ask; none is fine, a bad one is refused */
    HF_CLIENT_REQUEST_UNVERIFIED, /* ask; let everything pass, but say what was wrong */
    HF_CLIENT_NONE,               /* don't ask */
};

struct hf_revocation; /* policy/revocation.h */
struct hf_notes;      /* policy/notes.h */
struct hf_judge_ocsp; /* policy/ocsp_policy.h */

struct hf_judge_input {
    enum hf_client_mode mode;     /* HF_CLIENT_REQUIRE when the peer is a server */
    const struct hf_trust *trust; /* may be NULL only with REQUEST_UNVERIFIED and NONE */
    const struct hf_chain *chain; /* NULL: the peer sent none */
    enum hf_usage usage;          /* what the peer's certificate must be good for */
    const char *name;             /* that it must carry, or NULL */
    int64_t now_s;
    bool vitals; /* its address may ask after our health (policy/vital.h), without a certificate */
    bool report_only; /* let pass whom a certificate would keep out, but for the deny list */
    const struct hf_revocation *revocation; /* NULL: nothing is known of revocation */
    struct hf_judge_ocsp *ocsp;             /* what is known by OCSP; NULL: nothing */
    struct hf_notes *notes; /* where sources of revocation leave notes; NULL: nobody asks */
    /* NULL, or where a reference goes to the path from leaf to root that was verified, revoked or
     * not; untouched where there is none. */
    struct hf_chain **out_path;
};

struct hf_verdict {
    bool allow;
    bool verified;         /* the chain was checked and good: identity may be relied on */
    bool vitals_only;      /* allowed to ask after our health, and nothing else */
    bool reported;         /* allowed by report_only alone: reason says why it would be refused */
    enum hf_reason reason; /* with allow: what would have refused it, had REQUEST_UNVERIFIED or
                              vitals_only not let it in */
    enum hf_step step;     /* that decided */
    enum hf_reason lapse;  /* with allow: a revocation list that failed, and was let pass; or OK */
    bool pending;          /* a refusal that an answer to hf_judge_ocsp.wants may change */
    uint8_t alert;         /* that a refusal becomes; HF_ALERT_NONE otherwise */
    int depth;             /* of the certificate concerned, -1: none */
    int64_t not_after;     /* the verdict must be made again after this; 0: no limit */
    int64_t expires_at;    /* with verified: the first certificate of the chain does */
    char concerns[256];    /* subject of the certificate concerned, or "" */
    char text[HF_VERIFY_TEXT_MAX]; /* one sentence for people */
};

/* hf_verdict_is_about_certificate: it refuses for what the peer showed, or didn't show; not for a
 * failure of ours, nor for a limit. */
bool hf_verdict_is_about_certificate(const struct hf_verdict *verdict);

void hf_verdict_judge(const struct hf_judge_input *input, struct hf_verdict *out);

const char *hf_client_mode_name(enum hf_client_mode mode); /* as in the config */

#endif
