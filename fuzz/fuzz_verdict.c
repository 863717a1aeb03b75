// SPDX-License-Identifier: Apache-2.0
/* A slot of the file of verdicts, and the text in it as `handfast explain` prints it: whatever a
 * file may hold. Input that is no slot is taken for a text. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/explain_text.h"
#include "fuzz.h"
#include "proxy/explain_admin.h"

static bool is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_verdict_query everything = {.all = true};
    static const struct hf_verdict_query somebody = {.peer = "192.0.2.7", .id = "1"};
    struct hf_bytes text = hf_bytes_of(data, size);
    struct hf_bytes within;
    uint64_t number = 1;
    if (hf_verdict_slot_read(text, &number, &within)) {
        text = within;
    }
    struct hf_verdict_search search = {&everything, json_array()};
    struct hf_verdict_search picky = {&somebody, json_array()};
    (void)hf_verdict_query_found(&search, HF_VERDICT_REFUSED, number, text);
    (void)hf_verdict_query_found(&picky, HF_VERDICT_REFUSED, number, text);
    char *shown = NULL;
    size_t shown_len = 0;
    FILE *out = open_memstream(&shown, &shown_len);
    if (!out) {
        abort();
    }
    hf_explain_print_list(search.found, out);
    if (json_array_size(search.found)) {
        hf_explain_print(json_array_get(search.found, 0), 1800000000, out);
    }
    fclose(out);
    if (!is_printable(shown, shown_len)) {
        abort();
    }
    free(shown);
    json_decref(search.found);
    json_decref(picky.found);
    return 0;
}
