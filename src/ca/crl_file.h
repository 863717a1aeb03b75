// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CRL_FILE_H
#define HF_CA_CRL_FILE_H

/*
 * struct hf_crl_file is a list that was made: an open file without a name, and what it is. A zeroed
 * one isn't none: that is HF_CRL_FILE_NONE.
 */

#include "ca/blob.h"
#include "crypto/hash.h"
#include "pki/cert.h"

struct hf_crl_file {
    int fd;
    uint64_t size;
    uint64_t n_entries;
    uint8_t sha256[HF_SHA256_SIZE];
};
#define HF_CRL_FILE_NONE ((struct hf_crl_file){.fd = -1})

/* hf_crl_file_publish puts a copy at path, DER, mode 0644: written beside it, brought to the disk,
 * and renamed, so that readers see the old list or the new one, whole. */
enum hf_err hf_crl_file_publish(const struct hf_crl_file *file, const char *path) HF_MUST_CHECK;
void hf_crl_file_done(struct hf_crl_file *file);

/* hf_crl_file_open opens an empty file without a name in the folder. */
enum hf_err hf_crl_file_open(const char *folder, int *out_fd) HF_MUST_CHECK;
enum hf_err hf_crl_file_write(int fd, struct hf_bytes bytes) HF_MUST_CHECK;

/* hf_crl_file_map gives the list as a blob, in memory that the kernel may take back at any time. */
enum hf_err hf_crl_file_map(const struct hf_crl_file *file, struct hf_blob **out) HF_MUST_CHECK;

#endif
