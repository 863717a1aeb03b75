// SPDX-License-Identifier: Apache-2.0
/* Pages are read until one isn't full; a table needs all rows for the width of its columns. */
#include "cli/ca_listing.h"

enum { PAGE = 500 };

enum hf_err hf_ca_listing_add(struct hf_ca_listing *listing, int64_t id, json_t *row)
{
    listing->last = id;
    listing->n++;
    listing->n_page++;
    return json_array_append_new(listing->array, row) == 0 ? HF_OK
                                                           : hf_fail(HF_E_NOMEM, "out of memory");
}

static enum hf_err list(struct hf_cli *cli, const struct hf_ca_listing_kind *kind,
                        const struct hf_ca_values *ca, struct hf_ca_listing *listing)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    HF_TRY(hf_ca_store_open(ca, &store));
    do {
        listing->n_page = 0;
        HF_TRY(kind->page(listing, store, PAGE));
    } while (listing->n_page == PAGE);
    if (ca->json) {
        return hf_cli_json(cli, HF_TAKE(listing->array));
    }
    if (listing->n == 0) {
        hf_cli_say(cli, "%s", kind->none);
        return HF_OK;
    }
    return hf_table_print(&listing->table, cli->out);
}

enum hf_exit hf_ca_listing_run(struct hf_cli *cli, const struct hf_ca_listing_kind *kind,
                               const struct hf_ca_values *ca, const void *values)
{
    struct hf_ca_listing listing = {.array = json_array(), .values = values};
    hf_table_init(&listing.table, kind->columns, kind->n_columns);
    enum hf_err err = list(cli, kind, ca, &listing);
    hf_table_done(&listing.table);
    json_decref(listing.array);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}
