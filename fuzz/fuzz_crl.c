// SPDX-License-Identifier: Apache-2.0
/*
 * Revocation lists: the first byte chooses how the rest is cut into pieces. Any cutting gives the
 * same answer, and a list that is taken can be asked.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "pki/crl.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static const struct hf_crl_limits limits = {.size_max = 1 << 20, .n_max = 1000, .n_lists_max = 4};

static enum hf_err parse(struct hf_bytes bytes, size_t piece, struct hf_crl_lists *out)
{
    struct hf_crl_reader *reader = NULL;
    enum hf_err err = hf_crl_reader_new(&limits, "fuzz", &reader);
    while (err == HF_OK && bytes.len) {
        size_t n = piece < bytes.len ? piece : bytes.len;
        err = hf_crl_reader_feed(reader, hf_bytes_of(bytes.ptr, n));
        bytes = hf_bytes_from(bytes, n);
    }
    if (err == HF_OK) {
        err = hf_crl_reader_end(reader, out);
    }
    hf_crl_reader_free(reader);
    return err;
}

static void ask(const struct hf_crl *crl)
{
    struct hf_serial one = {.byte = {1}, .len = 1};
    char number[HF_CRL_NUMBER_TEXT];
    hf_crl_number_text(crl, number);
    need(hf_serials_count(crl->serials) <= limits.n_max);
    need(hf_crl_same_scope(crl, crl));
    (void)hf_serials_find(crl->serials, &one, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_crl_lists whole = {0}, pieces = {0};
    if (size == 0) {
        return 0;
    }
    struct hf_bytes bytes = hf_bytes_of(data + 1, size - 1);
    bool good = parse(bytes, size, &whole) == HF_OK;
    bool again = parse(bytes, 1 + data[0], &pieces) == HF_OK;
    need(good == again && whole.n == pieces.n);
    for (size_t i = 0; i < whole.n; i++) {
        ask(whole.item[i]);
    }
    hf_crl_lists_done(&whole);
    hf_crl_lists_done(&pieces);
    return 0;
}
