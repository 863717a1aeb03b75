// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_DENIALS_H
#define HF_PROXY_DENIALS_H

/*
 * The deny list on disk: a journal of JSON lines in the state folder, written and flushed to the
 * disk before anybody is told that an entry counts. On the control thread.
 */

#include "policy/denylist.h"

struct hf_denials;

/* hf_denials_open reads the journal of a folder, or begins one. A last line that was cut short by a
 * crash was never acknowledged and is dropped; anything else that can't be read is HF_E_MALFORMED
 * in words, as guessing would let somebody in. Entries that are over or were taken back are left
 * out, and the journal is written anew without them. */
enum hf_err hf_denials_open(const char *folder, int64_t now_s,
                            struct hf_denials **out) HF_MUST_CHECK;
/* hf_denials_read only reads: what a daemon with this folder would deny at that time. */
enum hf_err hf_denials_read(const char *folder, int64_t now_s,
                            struct hf_denylist **out) HF_MUST_CHECK;
void hf_denials_free(struct hf_denials *denials);

/* hf_denials_list gives the list as it is now, borrowed; a change makes a new one. */
struct hf_denylist *hf_denials_list(const struct hf_denials *denials);

/* hf_denials_add: when it returns HF_OK the entry is on the disk. Errors: HF_E_INVALID (the
 * selector, in words), HF_E_TOO_LARGE, HF_E_IO; nothing has changed then. */
enum hf_err hf_denials_add(struct hf_denials *denials, const char *selector, const char *reason,
                           int64_t until, int64_t now_s, uint64_t *out_id) HF_MUST_CHECK;

/* hf_denials_undo takes an entry back. Errors: HF_E_NOT_FOUND, HF_E_IO. */
enum hf_err hf_denials_undo(struct hf_denials *denials, uint64_t id) HF_MUST_CHECK;

#endif
