// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_CA_TREE_H
#define HF_TEST_CA_TREE_H

/* A folder of the test's own with folders in it, and what is in it. */

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree_dir[64];

static inline int tree_set_up(void **state)
{
    (void)state;
    strcpy(tree_dir, "/tmp/hf-ca-XXXXXX");
    return mkdtemp(tree_dir) ? 0 : -1;
}

static inline int tree_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int tree_tear_down(void **state)
{
    (void)state;
    return nftw(tree_dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder; valid until the eighth next call. */
static inline const char *tree(const char *name)
{
    static char paths[8][512];
    static unsigned at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", tree_dir, name);
    return path;
}

static inline bool tree_has(const char *name)
{
    return access(tree(name), F_OK) == 0;
}

static inline unsigned tree_mode(const char *name)
{
    struct stat st;
    return stat(tree(name), &st) == 0 ? st.st_mode & 07777 : 0;
}

static inline long tree_size(const char *name)
{
    struct stat st;
    return stat(tree(name), &st) == 0 ? (long)st.st_size : -1;
}

static inline void tree_append(const char *name, const char *text)
{
    FILE *file = fopen(tree(name), "a");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}

#endif
