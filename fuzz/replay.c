// SPDX-License-Identifier: Apache-2.0
/*
 * Feeds a target its corpus without libFuzzer: every file whole, and cut at every byte (files over
 * CUTS_MAX at CUTS_MAX places). Each input is in a block of exactly its size, so that a sanitizer
 * sees any read behind its end. Speaks TAP, one line a file.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { CUTS_MAX = 4096, PATH_SIZE = 4096 };

static int feed(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact) {
        return -1;
    }
    if (len) {
        memcpy(exact, bytes, len);
    }
    int result = LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return result;
}

static int feed_cuts(const uint8_t *bytes, size_t len)
{
    size_t step = len / CUTS_MAX + 1;
    for (size_t cut = 0; cut < len; cut += step) {
        if (feed(bytes, cut) != 0) {
            return -1;
        }
    }
    return feed(bytes, len);
}

static int replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (!file) {
        return -1;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return feed_cuts(bytes, len);
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    int n = 0;
    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir))) {
        char path[PATH_SIZE];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        printf("%s %d - %s\n", replay(path) == 0 ? "ok" : "not ok", ++n, entry->d_name);
        fflush(stdout);
    }
    closedir(dir);
    printf("1..%d\n", n);
    return n ? 0 : 1;
}
