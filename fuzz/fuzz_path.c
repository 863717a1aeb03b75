// SPDX-License-Identifier: Apache-2.0
/*
 * Paths: the first byte picks the rules. The normal form is a valid path, is its own normal form,
 * and holds nothing that the rules refuse.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/chars.h"
#include "http/path.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool holds(struct hf_bytes text, const char *part)
{
    return text.ptr && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* Bytes of a path, and percent signs. */
static bool is_path(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!hf_http_is(text.ptr[i], HF_CHAR_PATH) && text.ptr[i] != '%') {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    const struct hf_http_path_rules rules = {
        .dots = data[0] & 1 ? HF_PATH_RESOLVE : HF_PATH_REFUSE,
        .encoded_slashes = data[0] & 2 ? HF_PATH_KEEP : HF_PATH_REFUSE,
        .double_slashes = (enum hf_http_path_choice)(data[0] / 4 % 3),
    };
    struct hf_bytes path = hf_bytes_of(data + 1, size - 1);
    struct hf_buf once = HF_BUF_INIT(3 * size + 3), twice = once;
    enum hf_err err = hf_http_path_normalise(path, &rules, &once);
    struct hf_bytes normal = hf_buf_bytes(&once);
    need(err == HF_OK || err == HF_E_INVALID);
    need(err == HF_OK || !hf_http_path_is_normal(path));
    if (err == HF_OK) {
        need(normal.len > 0 && normal.ptr[0] == '/');
        need(is_path(normal));
        need(hf_http_path_normalise(normal, &rules, &twice) == HF_OK);
        need(hf_bytes_eq(normal, hf_buf_bytes(&twice)));
        need(!holds(normal, "/../") && !holds(normal, "/./") && !holds(normal, "/..;"));
        need(rules.double_slashes == HF_PATH_KEEP || !holds(normal, "//"));
        need(rules.encoded_slashes == HF_PATH_KEEP || !holds(normal, "%2F"));
        need(!holds(normal, "\\") && !holds(normal, "%00") && !holds(normal, "%2E"));
        if (hf_http_path_is_normal(path)) {
            need(hf_bytes_eq(normal, path));
        }
    }
    hf_buf_done(&once);
    hf_buf_done(&twice);
    return 0;
}
