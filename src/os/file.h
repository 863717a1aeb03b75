// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_FILE_H
#define HF_OS_FILE_H

#include "base/buf.h"

/* The most that any configured file (certificate, key, roots, config) may hold. */
#define HF_FILE_MAX (64u << 20)

/* hf_file_read appends a whole regular file. Errors: HF_E_NOT_FOUND, HF_E_PERMISSION, HF_E_IO,
 * HF_E_INVALID for a folder or pipe, HF_E_TOO_LARGE beyond the buffer's cap; the sentence names the
 * path. */
enum hf_err hf_file_read(const char *path, struct hf_buf *out) HF_MUST_CHECK;

/* hf_file_read_private is the same for secrets: HF_E_PERMISSION when group or others can read or
 * write the very file that was opened. */
enum hf_err hf_file_read_private(const char *path, struct hf_buf *out) HF_MUST_CHECK;

/*
 * hf_file_write_atomic replaces path with bytes: a temporary file beside it, fsync, rename, fsync
 * of the directory. A reader sees the old or the new file, never half; so does the disk after a
 * crash. On failure the old file is untouched and the temporary one removed.
 */
enum hf_err hf_file_write_atomic(const char *path, struct hf_bytes bytes,
                                 unsigned mode) HF_MUST_CHECK;

/* hf_file_create is the same but refuses to replace: HF_E_EXISTS. */
enum hf_err hf_file_create(const char *path, struct hf_bytes bytes, unsigned mode) HF_MUST_CHECK;

/* hf_file_check_private fails with HF_E_PERMISSION when group or others can read or write path;
 * the sentence has the chmod to run. */
enum hf_err hf_file_check_private(const char *path) HF_MUST_CHECK;

/* hf_path_join gives dir/name, or name when it's absolute. NULL when out of memory. */
char *hf_path_join(const char *dir, const char *name) HF_MUST_CHECK;

/* hf_path_dir gives the folder part of path ("." when there is none). */
char *hf_path_dir(const char *path) HF_MUST_CHECK;

#endif
