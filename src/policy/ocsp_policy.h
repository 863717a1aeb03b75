// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_OCSP_POLICY_H
#define HF_POLICY_OCSP_POLICY_H

/*
 * OCSP as the verdict meets it: how a trust takes answers, what is known when a peer is judged, and
 * what should be asked. Asking itself is somebody else's (proxy/ocsp_desk.h).
 */

#include "pki/ocsp_memory.h"
#include "pki/revoked.h"

enum hf_staple_use {
    HF_STAPLE_USE,     /* an answer that the peer shows is looked at first */
    HF_STAPLE_REQUIRE, /* the peer must show one, at every full handshake */
    HF_STAPLE_IGNORE,
};

/* struct hf_ocsp_policy is how one trust takes answers. */
struct hf_ocsp_policy {
    enum hf_staple_use staple;
    bool asks;        /* somebody may be asked: a responder, or those that certificates name */
    bool leaf_only;   /* CA certificates are left to lists */
    bool needs_nonce; /* answers that we asked for must be to our question and no other */
    struct hf_ocsp_dates dates;
    int64_t timeout_ms; /* how long a handshake waits */
    int64_t refresh_s;  /* a certificate in use is asked about again after so long */
    enum hf_revoked_fallback when_stale;
    enum hf_revoked_fallback when_missing;
    int64_t stale_grace_s;   /* with GRACE: after the answer went stale */
    int64_t missing_grace_s; /* with GRACE: after since_s */
    int64_t since_s;         /* when the trust began to ask, Unix seconds */
};

#define HF_OCSP_WANTS_MAX 16 /* HF_CHAIN_MAX */

/* A question that should be asked. */
struct hf_ocsp_want {
    struct hf_ocsp_key key;
    struct hf_cert *cert, *issuer; /* references */
    uint64_t
        seen; /* hf_ocsp_recall.stamp of what the verdict knew; what came later needs no asking */
};

struct hf_ocsp_wants {
    struct hf_ocsp_want want[HF_OCSP_WANTS_MAX];
    size_t n;
};

void hf_ocsp_wants_done(struct hf_ocsp_wants *wants);

/* struct hf_judge_ocsp is what a judge brings along, and where it finds what to ask, and which
 * lists to look for. */
struct hf_judge_ocsp {
    struct hf_ocsp_memory *memory; /* NULL: nothing is known */
    struct hf_bytes staple;        /* that came with the leaf; empty: none */
    const struct hf_chain *sent;   /* what the peer sent, and ... */
    const struct hf_bytes
        *ca_staples; /* ... what came with each of it above the leaf; NULL: none */
    bool first;      /* a full handshake: a staple would have come now */
    bool may_wait;   /* the judge is asked again when `wants` are answered */
    bool may_fetch;  /* likewise when lists that certificates name, or a trust, have been fetched */
    bool lacks_list; /* out: with a verdict that is `pending`: no fresh list speaks ... */
    struct hf_chain *unlisted;  /* ... for all of this path, a reference */
    bool learnt;                /* out: the staple changed what was known of the leaf */
    struct hf_ocsp_wants wants; /* out: with a verdict that is `pending`, must be asked before the
                                   next; otherwise soon, and nobody waits */
};

/* hf_judge_ocsp_reset drops what a verdict wanted and lacked; what is brought along stays. */
void hf_judge_ocsp_reset(struct hf_judge_ocsp *ocsp);

#endif
