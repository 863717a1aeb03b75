// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { CELL_MAX = 256, COLUMNS_MAX = 16, GAP = 2 };

void hf_table_init(struct hf_table *table, const struct hf_column *columns, size_t n_columns)
{
    *table = (struct hf_table){.columns = columns, .n_columns = n_columns};
}

void hf_table_done(struct hf_table *table)
{
    for (size_t i = 0; i < table->n_cells; i++) {
        hf_free(table->cells[i]);
    }
    hf_free(table->cells);
    *table = (struct hf_table){0};
}

static enum hf_err add(struct hf_table *table, struct hf_bytes text)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(2 * CELL_MAX);
    HF_TRY(hf_append_printable(&safe, text, CELL_MAX));
    const char *printable = hf_buf_cstr(&safe);
    char *copy = printable ? hf_strdup(printable) : NULL;
    if (!copy) {
        return HF_E_NOMEM;
    }
    char **cells = hf_realloc(table->cells, (table->n_cells + 1) * sizeof(*cells));
    if (!cells) {
        hf_free(copy);
        return HF_E_NOMEM;
    }
    cells[table->n_cells++] = copy;
    table->cells = cells;
    return HF_OK;
}

void hf_table_cell(struct hf_table *table, const char *text)
{
    if (table->err == HF_OK) {
        table->err = add(table, hf_bytes_str(text ? text : "-"));
    }
}

void hf_table_cell_fmt(struct hf_table *table, const char *format, ...)
{
    char text[CELL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hf_table_cell(table, text);
}

/* Characters, not bytes. Wide and combining ones are counted as one, which is near enough. */
static size_t text_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static void print_cell(const struct hf_table *table, size_t column, const char *text, size_t width,
                       FILE *out)
{
    bool last = column + 1 == table->n_columns;
    int pad = (int)(width - text_width(text));
    bool right = table->columns[column].side == HF_COLUMN_RIGHT;
    fprintf(out, "%*s%s%*s%s", right ? pad : 0, "", text, right || last ? 0 : pad + GAP, "",
            last    ? "\n"
            : right ? "  "
                    : "");
}

enum hf_err hf_table_print(const struct hf_table *table, FILE *out)
{
    size_t widths[COLUMNS_MAX] = {0};
    if (table->err != HF_OK) {
        return table->err;
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        widths[i] = text_width(table->columns[i].title);
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t width = text_width(table->cells[i]);
        size_t *widest = &widths[i % table->n_columns];
        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < table->n_columns; i++) {
        print_cell(table, i, table->columns[i].title, widths[i], out);
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;
        print_cell(table, column, table->cells[i], widths[column], out);
    }
    return HF_OK;
}
