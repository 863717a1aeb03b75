// SPDX-License-Identifier: Apache-2.0
#include "ca/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/sock.h"

static const char lock_name[] = ".lock";

enum hf_err hf_dir_sync(const char *dir)
{
    HF_CLEANUP(hf_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        return hf_fail_errno("%s", dir);
    }
    return HF_OK;
}

/* --- The lock ----------------------------------------------------------------------------------
 */

static enum hf_err take_lock(const char *part, int *out_fd)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(part, lock_name);
    HF_CLEANUP(hf_closep) int fd = -1;
    if (!path) {
        return HF_E_NOMEM;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return hf_fail_errno("%s", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? hf_fail(HF_E_BUSY, "%s: another process is making this folder", part)
                   : hf_fail_errno("%s", path);
    }
    *out_fd = fd;
    fd = -1;
    return HF_OK;
}

/* --- Clearing ----------------------------------------------------------------------------------
 */

/* Removes the files of the folder but for the lock; what isn't a file stays, and rmdir then says
 * so. */
static void clear(const char *part)
{
    DIR *dir = opendir(part);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, lock_name) != 0) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static void remove_lock(const char *dir)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, lock_name);
    if (path) {
        (void)unlink(path);
    }
}

/* A folder of that name without a lock in it is none of ours, unless it is empty. */
static enum hf_err check_ours(const char *part)
{
    HF_CLEANUP(hf_freep) char *lock = hf_path_join(part, lock_name);
    if (!lock) {
        return HF_E_NOMEM;
    }
    if (access(lock, F_OK) == 0 || (rmdir(part) == 0 && mkdir(part, 0755) == 0)) {
        return HF_OK;
    }
    return hf_fail(HF_E_EXISTS, "%s is in the way: it is not what an interrupted attempt leaves",
                   part);
}

/* --- Making ------------------------------------------------------------------------------------
 */

/* DIR without slashes at its end; it must name a folder that rename(2) can make. */
static enum hf_err name_part(const char *dir, struct hf_folder *folder)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/') {
        len--;
    }
    folder->dir = hf_strndup(dir, len);
    folder->part = hf_alloc(len + sizeof(".part"));
    if (!folder->dir || !folder->part) {
        return HF_E_NOMEM;
    }
    snprintf(folder->part, len + sizeof(".part"), "%s.part", folder->dir);
    const char *slash = strrchr(folder->dir, '/');
    const char *last = slash ? slash + 1 : folder->dir;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        return hf_fail(HF_E_INVALID, "\"%s\" can't be made; name a new folder", dir);
    }
    return HF_OK;
}

/* Only says it early and in better words: the rename at the end is what decides. */
static enum hf_err check_free(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return HF_OK;
    }
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool empty = dir != NULL;
    while (dir && (entry = readdir(dir))) {
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    }
    if (dir) {
        closedir(dir);
    }
    return empty ? HF_OK
                 : hf_fail(HF_E_EXISTS,
                           "%s exists and is not empty; name a new folder. Nothing "
                           "was changed",
                           path);
}

static enum hf_err begin(const char *dir, struct hf_folder *folder)
{
    HF_TRY(name_part(dir, folder));
    HF_TRY(check_free(folder->dir));
    if (mkdir(folder->part, 0755) != 0) {
        if (errno == ENOENT) {
            return hf_fail(HF_E_NOT_FOUND, "%s: the folder above it does not exist", folder->dir);
        }
        if (errno != EEXIST) {
            return hf_fail_errno("%s", folder->part);
        }
        HF_TRY(check_ours(folder->part));
    }
    HF_TRY(take_lock(folder->part, &folder->lock_fd));
    clear(folder->part); /* what an interrupted attempt left */
    return HF_OK;
}

enum hf_err hf_folder_begin(const char *dir, struct hf_folder *out)
{
    *out = HF_FOLDER_NONE;
    enum hf_err err = begin(dir, out);
    if (err != HF_OK) {
        if (out->lock_fd < 0) {
            hf_free(HF_TAKE(out->part)); /* it isn't ours to remove */
        }
        hf_folder_done(out);
    }
    return err;
}

enum hf_err hf_folder_publish(struct hf_folder *folder)
{
    HF_CLEANUP(hf_freep) char *parent = hf_path_dir(folder->dir);
    if (!parent) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_dir_sync(folder->part));
    if (rename(folder->part, folder->dir) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) {
            return hf_fail(HF_E_EXISTS, "%s exists and is not empty; name a new folder",
                           folder->dir);
        }
        return hf_fail_errno("%s", folder->dir);
    }
    hf_free(HF_TAKE(folder->part));
    remove_lock(folder->dir);
    return hf_dir_sync(parent);
}

void hf_folder_done(struct hf_folder *folder)
{
    if (folder->part) {
        clear(folder->part);
        remove_lock(folder->part);
        (void)rmdir(folder->part);
    }
    hf_closep(&folder->lock_fd);
    hf_free(folder->part);
    hf_free(folder->dir);
    *folder = HF_FOLDER_NONE;
}
