// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_FOLDER_H
#define HF_CA_FOLDER_H

/*
 * A folder that appears whole or not at all: everything is made in DIR.part and synced; one rename
 * makes it DIR. Whatever stops us before that leaves no DIR, and the next attempt, once it holds
 * the lock in DIR.part and so knows that nobody is at work there, clears it away.
 *
 *     hf_folder_begin, files into folder.part ..., hf_folder_publish, hf_folder_done
 */

#include "base/bytes.h"

struct hf_folder {
    char *dir;  /* without slashes at its end */
    char *part; /* DIR.part; NULL: published */
    int lock_fd;
};
#define HF_FOLDER_NONE ((struct hf_folder){.lock_fd = -1})

/* hf_folder_begin makes DIR.part. Errors: HF_E_EXISTS (DIR has something in it, or DIR.part isn't
 * ours), HF_E_BUSY (somebody else is making DIR), HF_E_NOT_FOUND (the folder above), HF_E_INVALID.
 */
enum hf_err hf_folder_begin(const char *dir, struct hf_folder *out) HF_MUST_CHECK;

/* hf_folder_publish gives it its name. Errors: HF_E_EXISTS, those of files. */
enum hf_err hf_folder_publish(struct hf_folder *folder) HF_MUST_CHECK;

/* hf_folder_done removes what was not published. */
void hf_folder_done(struct hf_folder *folder);

/* hf_dir_sync makes the names in a folder durable. */
enum hf_err hf_dir_sync(const char *dir) HF_MUST_CHECK;

#endif
