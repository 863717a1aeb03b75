// SPDX-License-Identifier: Apache-2.0
#include "ca/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/folder.h"
#include "os/file.h"
#include "os/sock.h"

void hf_outputs_done(struct hf_outputs *outputs)
{
    for (size_t i = 0; i < outputs->n; i++) {
        if (outputs->file[i].temporary) {
            (void)unlink(outputs->file[i].temporary);
        }
        hf_free(outputs->file[i].temporary);
        hf_free(outputs->file[i].path);
    }
    *outputs = (struct hf_outputs){0};
}

static enum hf_err write_synced(int fd, struct hf_bytes bytes, unsigned mode)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return hf_fail_errno("write");
        }
        bytes = hf_bytes_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return fchmod(fd, mode) == 0 && fsync(fd) == 0 ? HF_OK : hf_fail_errno("write");
}

enum hf_err hf_outputs_add(struct hf_outputs *outputs, const char *path, struct hf_bytes bytes,
                           unsigned mode)
{
    if (outputs->n == HF_OUTPUTS_MAX) {
        return hf_fail(HF_E_INTERNAL, "more than %d outputs", HF_OUTPUTS_MAX);
    }
    if (!outputs->replace && access(path, F_OK) == 0) {
        return hf_fail(HF_E_EXISTS, "%s exists; name another --out, or give --force to replace it",
                       path);
    }
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *name = hf_strdup(path);
    char *temporary = hf_alloc(size);
    if (!name || !temporary) {
        hf_free(name);
        hf_free(temporary);
        return HF_E_NOMEM;
    }
    snprintf(temporary, size, "%s.XXXXXX", path);
    HF_CLEANUP(hf_closep) int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        enum hf_err err = hf_fail_errno("%s", path);
        hf_free(name);
        hf_free(temporary);
        return err;
    }
    outputs->file[outputs->n].path = name;
    outputs->file[outputs->n].temporary = temporary;
    outputs->n++;
    enum hf_err err = write_synced(fd, bytes, mode);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "%s", path);
}

static enum hf_err publish_one(const char *temporary, const char *path, bool replace)
{
    int result = replace ? rename(temporary, path)
                         : renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
    if (result != 0 && !replace && errno == EINVAL) {
        /* a file system without that flag; a link refuses to replace, too */
        result = link(temporary, path);
        if (result == 0) {
            (void)unlink(temporary);
        }
    }
    if (result != 0) {
        enum hf_err err = hf_fail_errno("%s", path);
        return hf_fail_context(err, "what was to go there is in %s", temporary);
    }
    return HF_OK;
}

static enum hf_err sync_folder_of(const char *path)
{
    HF_CLEANUP(hf_freep) char *dir = hf_path_dir(path);
    return dir ? hf_dir_sync(dir) : HF_E_NOMEM;
}

enum hf_err hf_outputs_publish(struct hf_outputs *outputs)
{
    enum hf_err first = HF_OK;
    for (size_t i = 0; i < outputs->n; i++) {
        enum hf_err err =
            publish_one(outputs->file[i].temporary, outputs->file[i].path, outputs->replace);
        first = first == HF_OK ? err : first;
        /* Published or not, the temporary file is no longer ours to remove. */
        hf_free(outputs->file[i].temporary);
        outputs->file[i].temporary = NULL;
    }
    HF_TRY(first);
    return outputs->n ? sync_folder_of(outputs->file[0].path) : HF_OK;
}
