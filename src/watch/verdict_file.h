// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_VERDICT_FILE_H
#define HF_WATCH_VERDICT_FILE_H

/*
 * struct hf_verdict_file keeps the newest verdicts, each as a text of at most HF_VERDICT_MAX bytes,
 * in a file of fixed size: slots of 4096 bytes, used in turn, one row of slots for each kind, so
 * that a thousand admissions don't push out the one refusal that somebody asks about.
 *
 * All room is taken when the file is made: a disk that fills up later doesn't matter. A slot is
 * written with one call and carries its length, number and checksum: one that was torn by a crash
 * is passed over when the file is read, and so is anything else that isn't as it was written.
 *
 * One process writes (it holds a lock on the file); any number read, also while that goes on. One
 * thread at a time.
 */

#include "base/bytes.h"
#include "base/err.h"

#define HF_VERDICT_SLOT 4096
#define HF_VERDICT_HEAD 32
#define HF_VERDICT_MAX  (HF_VERDICT_SLOT - HF_VERDICT_HEAD)

/* Each kind has its own slots. */
enum hf_verdict_kind {
    HF_VERDICT_REFUSED,  /* somebody was refused, or cut */
    HF_VERDICT_ADMITTED, /* somebody came in */
    HF_VERDICT_NOISE,    /* somebody connected and said nothing of use */
    HF_VERDICT_KINDS,
};

struct hf_verdict_file;

/*
 * hf_verdict_file_open opens a file for writing, or makes it; path NULL: it is in memory alone, and
 * gone with the process. A file of another version or size is made anew. Errors: HF_E_BUSY (another
 * process writes it), HF_E_PERMISSION, HF_E_IO (there is no room for it, among others), HF_E_NOMEM.
 */
enum hf_err hf_verdict_file_open(const char *path, struct hf_verdict_file **out) HF_MUST_CHECK;

/* hf_verdict_file_read opens one for reading alone. Errors: HF_E_NOT_FOUND, HF_E_PERMISSION,
 * HF_E_IO, HF_E_MALFORMED: it is no such file. */
enum hf_err hf_verdict_file_read(const char *path, struct hf_verdict_file **out) HF_MUST_CHECK;
void hf_verdict_file_free(struct hf_verdict_file *file);

/* hf_verdict_file_put writes text into the next slot of its kind. Errors: HF_E_TOO_LARGE, HF_E_IO:
 * what was in that slot may be gone. */
enum hf_err hf_verdict_file_put(struct hf_verdict_file *file, enum hf_verdict_kind kind,
                                struct hf_bytes text) HF_MUST_CHECK;

/* What is told of each verdict that is found; text is valid for the call. False ends the walk. */
typedef bool hf_verdict_found_fn(void *ctx, enum hf_verdict_kind kind, uint64_t number,
                                 struct hf_bytes text);

/* hf_verdict_file_each tells all verdicts, the newest first. Errors: HF_E_IO. */
enum hf_err hf_verdict_file_each(struct hf_verdict_file *file, hf_verdict_found_fn *found,
                                 void *ctx) HF_MUST_CHECK;

/* hf_verdict_slot_read reads one slot as it stands in a file. False: it is empty, torn or foreign.
 * For the file itself, and for whoever feeds it anything at all. */
bool hf_verdict_slot_read(struct hf_bytes slot, uint64_t *out_number, struct hf_bytes *out_text);

#endif
