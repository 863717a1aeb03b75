// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_TABLE_H
#define HF_CLI_TABLE_H

/* Columns of text for a terminal, as wide as they need to be. Cells are copied, and made safe to
 * print: they hold names that peers chose. */

#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"

enum hf_column_side { HF_COLUMN_LEFT, HF_COLUMN_RIGHT };

struct hf_column {
    const char *title;
    enum hf_column_side side;
};

struct hf_table {
    const struct hf_column *columns;
    size_t n_columns;
    char **cells; /* row after row */
    size_t n_cells;
    enum hf_err err; /* the first failure; later calls do nothing */
};

void hf_table_init(struct hf_table *table, const struct hf_column *columns, size_t n_columns);
void hf_table_done(struct hf_table *table);

/* hf_table_cell appends a cell; NULL is "-". A row is full after n_columns of them. */
void hf_table_cell(struct hf_table *table, const char *text);
void hf_table_cell_fmt(struct hf_table *table, const char *format, ...) HF_PRINTF(2, 3);

/* hf_table_print writes titles and rows. Errors: HF_E_NOMEM of an earlier call. */
enum hf_err hf_table_print(const struct hf_table *table, FILE *out) HF_MUST_CHECK;

#endif
