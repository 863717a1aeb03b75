// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_NOTES_H
#define HF_POLICY_NOTES_H

/*
 * struct hf_notes is what the sources of revocation said while a verdict was made, for whoever
 * explains it later: which source was asked about which certificate, what it answered, and how old
 * that was. Notes decide nothing. Whoever wants them gives room in hf_judge_input.notes; nothing is
 * formatted until they are told, so that taking them costs next to nothing.
 *
 *     hf_note_add(input->notes, (struct hf_note){.source = "ocsp", .answer = "good", .depth = 0,
 *                                                .age_s = 40, .by = "http://ocsp.example/"});
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pki/crl.h"

#define HF_NOTES_MAX     12
#define HF_NOTE_TEXT_MAX 96

struct hf_note {
    const char *source;        /* static: "deny-list", "ca", "crl", "staple", "ocsp" */
    const char *answer;        /* static: "good", "revoked", "on-hold", "stale", "missing" ... */
    int depth;                 /* of the certificate that was asked about; 0: the leaf */
    int64_t age_s;             /* of the answer; -1: unknown, or it has none */
    const struct hf_crl *crl;  /* that answered, for as long as its set lives; NULL: none */
    char by[HF_NOTE_TEXT_MAX]; /* who answered, where it isn't a list: a responder; "": nobody */
    char number[48];           /* of the answer or entry; "": none */
    bool passed;               /* it did not refuse, by itself or by a fallback of the trust */
};

struct hf_notes {
    size_t n;
    struct hf_note note[HF_NOTES_MAX];
};

/* hf_note_add keeps a note; to keep none (NULL), or one more than there is room for, is fine. */
void hf_note_add(struct hf_notes *notes, struct hf_note note);

#endif
