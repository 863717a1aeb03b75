// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_BACKUP_H
#define HF_CA_STORE_BACKUP_H

/*
 * Copies of a store, and the way back.
 *
 * A backup is one SQLite file, whatever the store is in, so one made of SQLite may be restored into
 * PostgreSQL. It holds the keys as the store does: sealed ones stay sealed.
 */

#include "ca/store.h"

/* hf_store_backup copies the store as of one moment, while it is in use, into a new file (0600).
 * The file is whole or not there. Errors: HF_E_EXISTS, HF_E_IO. */
enum hf_err hf_store_backup(struct hf_store *store, const char *path) HF_MUST_CHECK;

struct hf_store_restored {
    bool merged;          /* the store wasn't empty: what it knew was kept, see below */
    int64_t certificates; /* that came from the backup */
    int64_t revocations;  /* likewise */
    int64_t kept;         /* certificates that the backup didn't know */
};

/* By how much CRL numbers rise when a backup is restored into an empty store: what was published
 * after the backup has lower ones. */
#define HF_STORE_RESTORE_GAP (1 << 20)

/*
 * hf_store_restore takes a backup back, in one transaction.
 *
 * Into an empty store: everything, and each CRL number rises by HF_STORE_RESTORE_GAP. Whoever has a
 * CRL that was published after the backup gives it to hf_store_adopt_crl, so that its revocations
 * aren't forgotten.
 *
 * Into the store that it was made of (the same hf_store_id): nothing that the store knows is taken
 * back. Certificates and authorities that it lacks are added, revocations that it lacks are made
 * again, CRL numbers are the higher of both; profiles, tokens and requests stay as they are.
 *
 * Errors: HF_E_MISMATCH (another CA's backup), HF_E_MALFORMED, HF_E_UNSUPPORTED, HF_E_NOT_FOUND;
 * the store is then as before.
 */
enum hf_err hf_store_restore(struct hf_store *store, const char *path, const char *actor,
                             struct hf_store_restored *out) HF_MUST_CHECK;

/*
 * hf_store_adopt_crl learns from a CRL that an authority of this store has published (PEM or DER;
 * its signature is checked): every serial on it is revoked, known or not, and the next CRL number
 * is above its own. *out_n: how many are newly revoked. Errors: HF_E_MISMATCH (no authority here
 * signed it), HF_E_MALFORMED.
 */
enum hf_err hf_store_adopt_crl(struct hf_store *store, struct hf_bytes crl, const char *label,
                               unsigned shard, const char *actor, int64_t *out_n) HF_MUST_CHECK;

#endif
