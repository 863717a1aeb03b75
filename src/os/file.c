// SPDX-License-Identifier: Apache-2.0
/*
 * Files, read whole and written whole. A new file is made under a temporary name in the same
 * folder, with mode 0600 until it is complete and synced, and only then takes its name.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/sock.h"

enum { READ_STEP = 65536 };

/* O_NONBLOCK: opening a pipe that nobody writes to must not hang. It changes nothing for files. */
static enum hf_err open_regular(const char *path, int *out_fd, struct stat *out_info)
{
    HF_CLEANUP(hf_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, out_info) != 0) {
        return hf_fail_errno("%s", path);
    }
    if (!S_ISREG(out_info->st_mode)) {
        return hf_fail(HF_E_INVALID, "%s is %s, not a file", path,
                       S_ISDIR(out_info->st_mode) ? "a folder" : "a device or pipe");
    }
    *out_fd = fd;
    fd = -1;
    return HF_OK;
}

static enum hf_err read_step(int fd, struct hf_buf *out, size_t want, bool *end)
{
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, want, &room));
    ssize_t n;
    do {
        n = read(fd, room.ptr, room.len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        (void)hf_fail_errno("read");
        return HF_E_IO;
    }
    hf_buf_commit(out, (size_t)n);
    *end = n == 0;
    return HF_OK;
}

/* At the cap one more byte decides between a file that just fits and one that doesn't. */
static enum hf_err expect_end(int fd, size_t cap)
{
    char more;
    return read(fd, &more, 1) <= 0
               ? HF_OK
               : hf_fail(HF_E_TOO_LARGE, "larger than the limit of %zu bytes", cap);
}

/* size is a hint: room for the whole file is made at once, so that growing leaves no copies of a
 * key in freed memory. Files in /proc say 0. */
static enum hf_err read_all(int fd, size_t size, struct hf_buf *out)
{
    bool end = false;
    if (size > hf_buf_room(out)) {
        return hf_fail(HF_E_TOO_LARGE, "%zu bytes, where the limit is %zu", size, out->cap);
    }
    size_t want = size ? size + 1 : READ_STEP;
    while (!end) {
        size_t room = hf_buf_room(out);
        if (room == 0) {
            return expect_end(fd, out->cap);
        }
        HF_TRY(read_step(fd, out, want < room ? want : room, &end));
        want = out->size - out->end ? out->size - out->end : READ_STEP;
    }
    return HF_OK;
}

static enum hf_err check_mode(const char *path, const struct stat *info)
{
    if (info->st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) {
        return hf_fail(HF_E_PERMISSION,
                       "%s can be read or written by others (mode %04o); run: chmod 600 %s", path,
                       (unsigned)(info->st_mode & 07777), path);
    }
    return HF_OK;
}

static enum hf_err read_file(const char *path, bool private, struct hf_buf *out)
{
    HF_CLEANUP(hf_closep) int fd = -1;
    struct stat info;
    HF_TRY(open_regular(path, &fd, &info));
    if (private) {
        HF_TRY(check_mode(path, &info));
    }
    size_t before = hf_buf_len(out);
    enum hf_err err = read_all(fd, (size_t)info.st_size, out);
    if (err != HF_OK) {
        out->end = out->start + before;
        return hf_fail_context(err, "%s", path);
    }
    return HF_OK;
}

enum hf_err hf_file_read(const char *path, struct hf_buf *out)
{
    return read_file(path, false, out);
}

enum hf_err hf_file_read_private(const char *path, struct hf_buf *out)
{
    return read_file(path, true, out);
}

enum hf_err hf_file_check_private(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return hf_fail_errno("%s", path);
    }
    return check_mode(path, &info);
}

static enum hf_err write_all(int fd, struct hf_bytes bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return hf_fail_errno("write");
        }
        bytes = hf_bytes_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return HF_OK;
}

static enum hf_err open_dir_of(const char *path, int *out_fd)
{
    HF_CLEANUP(hf_freep) char *dir = hf_path_dir(path);
    if (!dir) {
        return HF_E_NOMEM;
    }
    *out_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_fd < 0) {
        return hf_fail_errno("the folder %s", dir);
    }
    return HF_OK;
}

/* Some file systems don't sync folders and say EINVAL. */
static enum hf_err sync_dir(int dir_fd, const char *path)
{
    if (fsync(dir_fd) != 0 && errno != EINVAL) {
        return hf_fail_errno("%s is in place, but its folder can't be synced to disk", path);
    }
    return HF_OK;
}

static enum hf_err fill(int fd, struct hf_bytes bytes, unsigned mode)
{
    HF_TRY(write_all(fd, bytes));
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
        return hf_fail_errno("sync");
    }
    return HF_OK;
}

/* RENAME_NOREPLACE where the file system has it; a hard link refuses to replace on the others. */
static int rename_new(const char *from, const char *to)
{
    int result = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS)) {
        return result;
    }
    result = link(from, to);
    return result == 0 ? unlink(from) : result;
}

static enum hf_err write_via(const char *temporary, int fd, const char *path, struct hf_bytes bytes,
                             unsigned mode, bool replace)
{
    HF_TRY(fill(fd, bytes, mode));
    int result = replace ? rename(temporary, path) : rename_new(temporary, path);
    if (result != 0) {
        return hf_fail_errno("can't be put in place");
    }
    return HF_OK;
}

/* path with a suffix for mkostemp. */
static char *temporary_for(const char *path)
{
    static const char suffix[] = ".XXXXXX";
    size_t len = strlen(path);
    char *temporary = hf_alloc(len + sizeof(suffix));
    if (temporary) {
        memcpy(temporary, path, len);
        memcpy(temporary + len, suffix, sizeof(suffix));
    }
    return temporary;
}

/* All that can run out is taken before the file gets its name: nothing but the last sync can fail
 * once the old file is gone. */
static enum hf_err write_file(const char *path, struct hf_bytes bytes, unsigned mode, bool replace)
{
    HF_CLEANUP(hf_closep) int dir_fd = -1;
    HF_TRY(open_dir_of(path, &dir_fd));
    HF_CLEANUP(hf_freep) char *temporary = temporary_for(path);
    if (!temporary) {
        return HF_E_NOMEM;
    }
    HF_CLEANUP(hf_closep) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return hf_fail_errno("%s can't be written", path);
    }
    enum hf_err err = write_via(temporary, fd, path, bytes, mode, replace);
    if (err != HF_OK) {
        (void)unlink(temporary);
        return hf_fail_context(err, "%s", path);
    }
    return sync_dir(dir_fd, path);
}

enum hf_err hf_file_write_atomic(const char *path, struct hf_bytes bytes, unsigned mode)
{
    return write_file(path, bytes, mode, true);
}

enum hf_err hf_file_create(const char *path, struct hf_bytes bytes, unsigned mode)
{
    return write_file(path, bytes, mode, false);
}

char *hf_path_join(const char *dir, const char *name)
{
    if (name[0] == '/' || dir[0] == '\0') {
        return hf_strdup(name);
    }
    size_t len = strlen(dir);
    const char *between = dir[len - 1] == '/' ? "" : "/";
    size_t size = len + strlen(between) + strlen(name) + 1;
    char *path = hf_alloc(size);
    if (path) {
        snprintf(path, size, "%s%s%s", dir, between, name);
    }
    return path;
}

char *hf_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return hf_strdup(".");
    }
    return slash == path ? hf_strdup("/") : hf_strndup(path, (size_t)(slash - path));
}
