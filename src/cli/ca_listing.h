// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_LISTING_H
#define HF_CLI_CA_LISTING_H

/* What commands list of a CA's store by id: all pages of it, as one table or one JSON array. */

#include <jansson.h>

#include "cli/ca_open.h"
#include "cli/table.h"

struct hf_ca_listing {
    struct hf_table table;
    json_t *array;
    int64_t last;     /* id of the last row */
    size_t n, n_page; /* rows: of all, of this page */
    const void *values;
};

struct hf_ca_listing_kind {
    const struct hf_column *columns;
    size_t n_columns;
    const char *none; /* what is said where there are no rows */

    /* The page behind `last`, of at most `limit` rows: for each, hf_ca_listing_add, then its cells
     * into the table. */
    enum hf_err (*page)(struct hf_ca_listing *listing, struct hf_store *store, size_t limit);
};

/* hf_ca_listing_add counts a row, and takes its JSON, which may be NULL: out of memory. */
enum hf_err hf_ca_listing_add(struct hf_ca_listing *listing, int64_t id, json_t *row) HF_MUST_CHECK;

/* hf_ca_listing_run is the command; values are its own, of which ca are those of all. */
enum hf_exit hf_ca_listing_run(struct hf_cli *cli, const struct hf_ca_listing_kind *kind,
                               const struct hf_ca_values *ca, const void *values);

#endif
