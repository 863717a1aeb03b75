// SPDX-License-Identifier: Apache-2.0
/*
 * Files of lists. They begin without a name (O_TMPFILE, or one that is removed at once), so that
 * what is not finished goes by itself, whatever ends the process.
 */
#include "ca/crl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"

enum { PIECE = 256 << 10, PATH_SIZE = 4096 };

enum hf_err hf_crl_file_open(const char *folder, int *out_fd)
{
    char path[PATH_SIZE];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        int n = snprintf(path, sizeof(path), "%s/.crl.XXXXXX", folder);
        fd = n < (int)sizeof(path) ? mkostemp(path, O_CLOEXEC) : -1;
        if (fd >= 0) {
            unlink(path);
        }
    }
    if (fd < 0) {
        return errno == ENOENT
                   ? hf_fail(HF_E_NOT_FOUND, "there is no folder %s for revocation lists; make it",
                             folder)
                   : hf_fail_errno("a file for a revocation list in %s", folder);
    }
    *out_fd = fd;
    return HF_OK;
}

enum hf_err hf_crl_file_write(int fd, struct hf_bytes bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return hf_fail_errno("a revocation list can't be written");
        }
        bytes = hf_bytes_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return HF_OK;
}

void hf_crl_file_done(struct hf_crl_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
}

/* --- Publishing ---------------------------------------------------------------------------------
 */

static enum hf_err copy(const struct hf_crl_file *file, int to_fd)
{
    HF_CLEANUP(hf_freep) uint8_t *piece = hf_alloc(PIECE);
    if (!piece) {
        return HF_E_NOMEM;
    }
    for (uint64_t at = 0; at < file->size;) {
        ssize_t n = pread(file->fd, piece, PIECE, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? hf_fail_errno("a revocation list can't be read")
                         : hf_fail(HF_E_IO, "a revocation list was cut short");
        }
        HF_TRY(hf_crl_file_write(to_fd, hf_bytes_of(piece, (size_t)n)));
        at += (uint64_t)n;
    }
    if (fchmod(to_fd, 0644) != 0 || fsync(to_fd) != 0) {
        return hf_fail_errno("a revocation list can't be brought to the disk");
    }
    return HF_OK;
}

static enum hf_err sync_folder_of(const char *path)
{
    HF_CLEANUP(hf_freep) char *folder = hf_path_dir(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return folder ? hf_fail_errno("the folder %s", folder) : HF_E_NOMEM;
    }
    bool good = fsync(fd) == 0 || errno == EINVAL;
    enum hf_err err = good ? HF_OK : hf_fail_errno("the folder %s", folder);
    close(fd);
    return err;
}

enum hf_err hf_crl_file_publish(const struct hf_crl_file *file, const char *path)
{
    char beside[PATH_SIZE];
    int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    int fd = n < (int)sizeof(beside) ? mkostemp(beside, O_CLOEXEC) : -1;
    if (fd < 0) {
        return hf_fail_errno("%s", path);
    }
    enum hf_err err = copy(file, fd);
    close(fd);
    if (err == HF_OK && rename(beside, path) != 0) {
        err = hf_fail_errno("it can't be put in place");
    }
    if (err != HF_OK) {
        unlink(beside);
        return hf_fail_context(err, "%s", path);
    }
    return sync_folder_of(path);
}

enum hf_err hf_crl_file_map(const struct hf_crl_file *file, struct hf_blob **out)
{
    void *at = mmap(NULL, (size_t)file->size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (at == MAP_FAILED) {
        return hf_fail_errno("a revocation list can't be mapped");
    }
    enum hf_err err = hf_blob_mapped(hf_bytes_of(at, (size_t)file->size), out);
    if (err != HF_OK) {
        munmap(at, (size_t)file->size);
    }
    return err;
}
