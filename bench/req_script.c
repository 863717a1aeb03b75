// SPDX-License-Identifier: Apache-2.0
/* Requests out of a file, for what isn't a plain GET: a certificate request is a POST, and a
 * revocation can't be asked for twice. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "req.h"

enum { SCRIPT_MAX = 512 << 20 };

static bool take(struct hf_bytes *rest, struct hf_bytes *out)
{
    char *end = NULL;
    size_t len = rest->len ? strtoull((const char *)rest->ptr, &end, 10) : 0;
    size_t line = end ? (size_t)(end - (const char *)rest->ptr) + 1 : 0;
    if (!len || line + len > rest->len) {
        return false;
    }
    *out = hf_bytes_of(rest->ptr + line, len);
    *rest = hf_bytes_from(*rest, line + len);
    return true;
}

enum hf_err req_script_read(const char *path, struct req_script *out)
{
    struct hf_bytes one;
    out->text = HF_BUF_INIT(SCRIPT_MAX);
    HF_TRY(hf_file_read(path, &out->text));
    if (!hf_buf_cstr(&out->text)) { /* strtoull wants an end */
        return HF_E_NOMEM;
    }
    size_t n = 0;
    for (struct hf_bytes rest = hf_buf_bytes(&out->text); take(&rest, &one);) {
        n++;
    }
    out->item = hf_alloc_zero(n + 1, sizeof(*out->item));
    if (!out->item || !n) {
        return hf_fail(n ? HF_E_NOMEM : HF_E_MALFORMED, "%s has no requests", path);
    }
    for (struct hf_bytes rest = hf_buf_bytes(&out->text); take(&rest, &one);) {
        out->item[out->n++] = one;
    }
    return HF_OK;
}

void req_script_done(struct req_script *script)
{
    hf_free(script->item);
    hf_buf_done(&script->text);
}

struct hf_bytes req_script_next(struct req_script *script)
{
    return script->item[script->at++ % script->n];
}
