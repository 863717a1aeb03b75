// SPDX-License-Identifier: Apache-2.0
#include "ca/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/sock.h"

char *hf_ca_path(const char *dir, const char *name)
{
    return hf_path_join(dir, name);
}

enum hf_err hf_dir_sync(const char *dir)
{
    HF_CLEANUP(hf_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        return hf_fail_errno("%s", dir);
    }
    return HF_OK;
}

/* --- Lock --------------------------------------------------------------------------------------
 */

/* Whose process id is in the file; for words only, the lock itself is the kernel's. */
static long holder_of(int fd)
{
    char text[32] = "";
    return pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
}

static void sign_lock(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0) {
        (void)!pwrite(fd, text, (size_t)n, 0);
    }
}

enum hf_err hf_ca_lock(const char *dir, bool wait, int *out_fd)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(dir, HF_CA_FILE_LOCK);
    if (!path) {
        return HF_E_NOMEM;
    }
    HF_CLEANUP(hf_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return hf_fail_errno("%s", path);
    }
    while (flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return hf_fail(HF_E_BUSY, "%s: another process (%ld) is at work on this CA", path,
                           holder_of(fd));
        }
        if (errno != EINTR) {
            return hf_fail_errno("%s", path);
        }
    }
    sign_lock(fd);
    *out_fd = fd;
    fd = -1;
    return HF_OK;
}

/* --- Journal -----------------------------------------------------------------------------------
 */

static enum hf_err open_journal(const char *dir, char **out_path, int *out_fd)
{
    *out_path = hf_ca_path(dir, HF_CA_FILE_JOURNAL);
    if (!*out_path) {
        return HF_E_NOMEM;
    }
    *out_fd = open(*out_path, O_RDWR | O_CLOEXEC);
    return *out_fd < 0 ? hf_fail_errno("%s", *out_path) : HF_OK;
}

static bool write_all(int fd, struct hf_bytes bytes, off_t at)
{
    while (bytes.len) {
        ssize_t n = pwrite(fd, bytes.ptr, bytes.len, at);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        at += n > 0 ? n : 0;
        bytes = hf_bytes_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

enum hf_err hf_journal_append(const char *dir, struct hf_bytes line)
{
    HF_CLEANUP(hf_freep) char *path = NULL;
    HF_CLEANUP(hf_closep) int fd = -1;
    HF_TRY(open_journal(dir, &path, &fd));
    off_t end = lseek(fd, 0, SEEK_END);
    if (end >= 0 && write_all(fd, line, end) && fsync(fd) == 0) {
        return HF_OK;
    }
    enum hf_err err = hf_fail_errno("%s", path);
    if (end >= 0 && (ftruncate(fd, end) != 0 || fsync(fd) != 0)) {
        /* The half line stays; it has no end, so hf_journal_repair will take it away. */
        return hf_fail_context(err, "the journal could not be restored");
    }
    return err;
}

/* Where the last whole line ends. */
static off_t whole_lines(int fd, off_t end)
{
    char block[4096];
    while (end > 0) {
        size_t n = end < (off_t)sizeof(block) ? (size_t)end : sizeof(block);
        if (pread(fd, block, n, end - (off_t)n) != (ssize_t)n) {
            return -1;
        }
        const char *lf = memrchr(block, '\n', n);
        if (lf) {
            return end - (off_t)n + (lf - block) + 1;
        }
        end -= (off_t)n;
    }
    return 0;
}

enum hf_err hf_journal_repair(const char *dir)
{
    HF_CLEANUP(hf_freep) char *path = NULL;
    HF_CLEANUP(hf_closep) int fd = -1;
    HF_TRY(open_journal(dir, &path, &fd));
    off_t end = lseek(fd, 0, SEEK_END);
    off_t whole = end < 0 ? -1 : whole_lines(fd, end);
    if (whole < 0 || (whole < end && (ftruncate(fd, whole) != 0 || fsync(fd) != 0))) {
        return hf_fail_errno("%s", path);
    }
    return HF_OK;
}
