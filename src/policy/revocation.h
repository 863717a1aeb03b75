// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REVOCATION_H
#define HF_POLICY_REVOCATION_H

/*
 * Revocation as the verdict asks for it: each certificate of a verified path, the leaf and every
 * CA under the root, against the deny list, the revocation lists of the trust, and OCSP. What is
 * done where no list answers is the trust's to say; silence never admits by itself.
 */

#include "pki/live.h"
#include "pki/revoked.h"
#include "policy/denylist.h"
#include "policy/notes.h"
#include "policy/ocsp_policy.h"
#include "policy/verdict.h"

/* struct hf_revocation is what one trust knows of revocation. Borrowed by a judge's input. */
struct hf_revocation {
    const struct hf_denylist *deny; /* NULL: nothing is denied here */
    const struct hf_live *live;     /* of a CA that tells at once; NULL: there is none */
    const struct hf_revoked *lists; /* NULL: the trust has no lists, and asks for none */
    enum hf_revoked_fallback when_stale;
    enum hf_revoked_fallback when_missing;
    int64_t stale_grace_s;             /* with GRACE: after the list went stale */
    int64_t missing_grace_s;           /* with GRACE: after since_s */
    int64_t since_s;                   /* when the trust began to ask for lists, Unix seconds */
    const struct hf_ocsp_policy *ocsp; /* NULL: the trust doesn't ask by OCSP */
    bool fetches;    /* who looks for lists wants to see the paths that were verified */
    int64_t wait_ms; /* how long a handshake waits for lists that are on their way; 0: it doesn't */
};

/* hf_revocation_wait_ms is how long who is judged by it may wait for lists and answers; NULL: 0. */
int64_t hf_revocation_wait_ms(const struct hf_revocation *revocation);

/*
 * hf_revocation_judge looks at a path, leaf first and root last. False: refused, and *out says why.
 * True: *out is as it was, but for not_after, which comes down to when the answer must be asked
 * for again, and for `lapse`, the reason that would have refused it where a fallback let it pass.
 * ocsp is what is known by OCSP, and gets what should be asked; NULL: nothing is known, and nobody
 * can be asked. A refusal that is `pending` is one for as long as its wants have no answer, or the
 * lists that it lacks have not been looked for.
 * notes (or NULL) get what each source said.
 */
bool hf_revocation_judge(const struct hf_revocation *revocation, const struct hf_chain *path,
                         int64_t now_s, struct hf_judge_ocsp *ocsp, struct hf_notes *notes,
                         struct hf_verdict *out);

#endif
