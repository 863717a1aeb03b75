// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_COPY_H
#define HF_CA_STORE_COPY_H

/* Whole tables from one database to another, within transactions of the caller's. */

#include "ca/store/db.h"

/* hf_copy_tables fills empty tables and replaces heads and the store's id. */
enum hf_err hf_copy_tables(struct hf_db *from, struct hf_db *to) HF_MUST_CHECK;

/* hf_copy_meta copies the store's id alone. */
enum hf_err hf_copy_meta(struct hf_db *from, struct hf_db *to) HF_MUST_CHECK;

#endif
