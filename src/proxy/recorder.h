// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_RECORDER_H
#define HF_PROXY_RECORDER_H

/*
 * struct hf_recorder takes verdicts from all threads and keeps the newest, in a thread of its own:
 *
 *     workers -- hf_recorder_give --> inbox of each kind --> thread: text --> watch/verdict_file.h
 *
 * Giving never waits: an inbox is a ring of pointers in which the newest takes the place of the
 * oldest. Refusals are written at once; where many come together, one every few milliseconds, so
 * that a flood of them takes a small share of a core. Admissions, of which there may be very many,
 * are written the same way, begun at most once a second. Whoever asks is told all.
 */

#include "base/log.h"
#include "proxy/account.h"

struct hf_recorder;

/* hf_recorder_new opens the file of verdicts in a folder (NULL: in memory) and starts the thread.
 * Where the file can't be used that is logged, and verdicts are kept in memory. Errors: HF_E_NOMEM,
 * HF_E_BUSY, HF_E_IO. */
enum hf_err hf_recorder_new(const char *folder, struct hf_log *log,
                            struct hf_recorder **out) HF_MUST_CHECK;

/* hf_recorder_free writes what was given, and ends the thread. */
void hf_recorder_free(struct hf_recorder *recorder);

/* hf_recorder_give takes the account. Any thread; never waits. NULL recorder: it is dropped. */
void hf_recorder_give(struct hf_recorder *recorder, struct hf_account *account);

/* hf_recorder_each tells all verdicts, also those that were given just now, the newest first. For
 * the control thread: it waits for the disk. */
enum hf_err hf_recorder_each(struct hf_recorder *recorder, hf_verdict_found_fn *found,
                             void *ctx) HF_MUST_CHECK;

/* hf_recorder_path gives "FOLDER/verdicts". NULL: out of memory. */
char *hf_recorder_path(const char *folder) HF_MUST_CHECK;

#endif
