// SPDX-License-Identifier: Apache-2.0
/* Paths: joined with the config's folder, and looked at (but not opened) at once, so that a missing
 * file is told with the line that names it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/value.h"
#include "os/file.h"

/* The path joined with the config's folder, in the arena; NULL when out of memory, noted. */
static char *join(struct hf_decoder *decoder, const char *path)
{
    if (strcmp(decoder->dir, ".") == 0) {
        return hf_value_keep(decoder, path);
    }
    HF_CLEANUP(hf_freep) char *joined = hf_path_join(decoder->dir, path);
    if (!joined) {
        decoder->err = HF_E_NOMEM;
        return NULL;
    }
    return hf_value_keep(decoder, joined);
}

static bool check_file(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, const char *path)
{
    struct stat info;
    const char *why = NULL, *advice = "name a file that can be read";
    bool may_be_folder = key->kind == HF_KIND_SOURCE;
    if (stat(path, &info) != 0) {
        why = errno == ENOENT ? "does not exist" : strerror(errno);
        advice = may_be_folder ? "make it or name another" : advice;
    } else if (S_ISDIR(info.st_mode) && !may_be_folder) {
        why = "is a folder";
    } else if (access(path, R_OK) != 0) {
        why = "can't be read by this user";
        advice = may_be_folder ? "name one that can be read" : advice;
    }
    if (why) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark, "%s %s; %s", path, why, advice);
    }
    return !why;
}

void hf_decode_file(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    if (!*node->text) {
        hf_decode_text(decoder, key, node, at);
        return;
    }
    char *path = join(decoder, node->text);
    if (path && check_file(decoder, key, node, path)) {
        *(struct hf_cfg_string *)at = (struct hf_cfg_string){path, node->mark};
    }
}

/* A file that we'll write: its folder must be there. */
void hf_decode_path(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    struct stat info;
    if (!*node->text || hf_word_find(key->words, node->text)) {
        hf_decode_text(decoder, key, node, at);
        return;
    }
    char *path = join(decoder, node->text);
    HF_CLEANUP(hf_freep) char *dir = path ? hf_path_dir(path) : NULL;
    if (!dir) {
        decoder->err = HF_E_NOMEM;
    } else if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode)) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark,
                    "the folder %s does not exist; make it or name another", dir);
    } else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark, "%s is a folder; name a file", path);
    } else {
        *(struct hf_cfg_string *)at = (struct hf_cfg_string){path, node->mark};
    }
}

static bool exists(struct hf_decoder *decoder, const char *name)
{
    struct stat info;
    char *path = join(decoder, name);
    return path && stat(path, &info) == 0;
}

void hf_decode_names(struct hf_decoder *decoder, const struct hf_key *key,
                     const struct hf_node *node, void *at)
{
    struct hf_cfg_trust *trust = at;
    const struct hf_word *word = hf_word_find(key->words, node->text);
    if (word) {
        trust->names = (enum hf_trust_names)word->value;
        trust->names_file = (struct hf_cfg_string){NULL, node->mark};
        return;
    }
    if (!strpbrk(node->text, "./") && !exists(decoder, node->text)) { /* likely a misspelling */
        hf_value_refuse_word(decoder, key, node, "a PEM file");
        return;
    }
    trust->names = HF_TRUST_NAMES_FILE;
    hf_decode_file(decoder, key, node, &trust->names_file);
}
