// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_SCRATCH_H
#define HF_TEST_SCRATCH_H

/* A folder of the test's own, removed with its files at the end. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_dir[64];

static inline int scratch_set_up(void **state)
{
    (void)state;
    strcpy(scratch_dir, "/tmp/hf-test-XXXXXX");
    return mkdtemp(scratch_dir) ? 0 : -1;
}

/* The path of a name in the folder; valid until the eighth next call. */
static inline const char *scratch(const char *name)
{
    static char paths[8][128];
    static unsigned at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof(paths[0]), "%.60s/%.60s", scratch_dir, name);
    return path;
}

static inline int scratch_n_files(void)
{
    DIR *dir = opendir(scratch_dir);
    int n = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    if (dir) {
        closedir(dir);
    }
    return n;
}

static inline int scratch_tear_down(void **state)
{
    (void)state;
    DIR *dir = opendir(scratch_dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
            (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return rmdir(scratch_dir);
}

#endif
