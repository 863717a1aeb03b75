// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_SCHEMA_H
#define HF_CA_STORE_SCHEMA_H

#include "ca/store/db.h"

/* hf_schema_version is what this program makes of a store. */
int64_t hf_schema_version(void);

/* What backups hold (hf_schema_tables) has looked the same since this version. */
enum { HF_SCHEMA_COPIED_SINCE = 1 };

/*
 * hf_schema_prepare makes the tables (with `create`), or takes an older store's through the
 * migrations that it lacks, all in one transaction; several nodes may try at once.
 * Errors: HF_E_NOT_FOUND (an empty database and no `create`), HF_E_UNSUPPORTED (a later version's),
 * HF_E_MALFORMED (somebody else's).
 */
enum hf_err hf_schema_prepare(struct hf_db *db, bool create) HF_MUST_CHECK;

/* The tables, in an order in which each may refer to those before it; ends with NULL. For backups.
 */
struct hf_schema_table {
    const char *name;
    const char *columns; /* all of them, with commas; letters as in `types` */
    const char *types;   /* one letter a column: i, t, b */
    const char *order;   /* the columns of its key */
};
extern const struct hf_schema_table hf_schema_tables[];

#endif
