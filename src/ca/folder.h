// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_FOLDER_H
#define HF_CA_FOLDER_H

/*
 * The folder of a CA:
 *
 *     ca.json               format number, name, when it was made
 *     root.pem              the root certificate, to hand out
 *     root/cert.pem         the same
 *     root/key.pem   0600   may be moved to a safe place: issuing doesn't need it
 *     issuing/cert.pem
 *     issuing/key.pem 0600
 *     issued/<serial>.pem   each certificate issued
 *     journal.jsonl         one line of JSON for each, with the certificate; only ever appended to
 *     lock                  held by who issues
 */

#include "ca/ca.h"

#define HF_CA_FORMAT 1

#define HF_CA_FILE_INFO         "ca.json"
#define HF_CA_FILE_ROOT         "root.pem"
#define HF_CA_FILE_ROOT_CERT    "root/cert.pem"
#define HF_CA_FILE_ROOT_KEY     "root/key.pem"
#define HF_CA_FILE_ISSUING_CERT "issuing/cert.pem"
#define HF_CA_FILE_ISSUING_KEY  "issuing/key.pem"
#define HF_CA_FILE_JOURNAL      "journal.jsonl"
#define HF_CA_FILE_LOCK         "lock"
#define HF_CA_DIR_ISSUED        "issued"

struct hf_ca {
    char *dir;
    char *name;
    struct hf_ca_world world;
    struct hf_cert *root;
    struct hf_cert *issuing;
    struct hf_credential *signer; /* NULL until it is unlocked */
    int lock_fd;                  /* -1 until then */
};

/* hf_ca_path gives dir/name for printing and opening. NULL when out of memory. */
char *hf_ca_path(const char *dir, const char *name) HF_MUST_CHECK;

/* hf_ca_lock takes dir/lock, or waits for it. Errors: HF_E_BUSY when it isn't to wait. */
enum hf_err hf_ca_lock(const char *dir, bool wait, int *out_fd) HF_MUST_CHECK;

/* hf_dir_sync makes the names in a folder durable. */
enum hf_err hf_dir_sync(const char *dir) HF_MUST_CHECK;

/* --- The journal -------------------------------------------------------------------------------
 */

/* hf_journal_append writes one line and syncs it; on failure the file is as before. */
enum hf_err hf_journal_append(const char *dir, struct hf_bytes line) HF_MUST_CHECK;

/* hf_journal_repair cuts off a last line without an end, which no answer was ever based on. */
enum hf_err hf_journal_repair(const char *dir) HF_MUST_CHECK;

#endif
