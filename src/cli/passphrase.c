// SPDX-License-Identifier: Apache-2.0
#include "cli/passphrase.h"

#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum { FILE_CAP = 4096 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err read_file(const char *path, struct hf_secret_text *out)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_file_read_private(path, &text));
    struct hf_bytes line = hf_buf_bytes(&text);
    const uint8_t *end = line.len ? memchr(line.ptr, '\n', line.len) : NULL;
    line.len = end ? (size_t)(end - line.ptr) : line.len;
    line.len -= line.len && line.ptr[line.len - 1] == '\r';
    return hf_secret_text_set(out, line);
}

enum hf_err hf_passphrase_read(const struct hf_passphrase_from *from, struct hf_secret_text *out)
{
    *out = (struct hf_secret_text){0};
    if (from->file && from->env) {
        return hf_fail(HF_E_USAGE, "a passphrase comes from a file or from a variable, not from "
                                   "both");
    }
    if (from->file) {
        return read_file(from->file, out);
    }
    if (!from->env) {
        return HF_OK;
    }
    const char *value = getenv(from->env);
    if (!value) {
        return hf_fail(HF_E_USAGE, "the environment variable %s is not set", from->env);
    }
    return hf_secret_text_set(out, hf_bytes_str(value));
}
