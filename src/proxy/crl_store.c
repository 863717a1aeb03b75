// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of an answer are kept as they came, so that a start verifies them as a fetch does: the
 * reader hashes what was signed, and who signed is asked when a chain is judged.
 */
#include "proxy/crl_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "os/file.h"
#include "os/sock.h"

enum { PIECE = 64 << 10, NOTE_MAX = 1 << 20, MODE = 0600 };

static const char folder_name[] = "crls";

/* STATE/crls/HASH and an ending. NULL: out of memory. */
static char *path_of(const char *state, const char *url, const char *ending)
{
    uint8_t hash[HF_SHA256_SIZE];
    char name[sizeof(folder_name) + 1 + 2 * HF_SHA256_SIZE + 16];
    char hex[2 * HF_SHA256_SIZE + 1];
    hf_hash_once(HF_HASH_SHA256, hf_bytes_str(url), hash);
    hf_hex(hf_bytes_of(hash, sizeof(hash)), hex);
    snprintf(name, sizeof(name), "%s/%s%s", folder_name, hex, ending);
    return hf_path_join(state, name);
}

enum hf_err hf_crl_store_make(const char *state)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(state, folder_name);
    struct stat info;
    if (!path) {
        return HF_E_NOMEM;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return hf_fail_errno("%s", path);
    }
    if (stat(path, &info) != 0) {
        return hf_fail_errno("%s", path);
    }
    if (!S_ISDIR(info.st_mode)) {
        return hf_fail(HF_E_INVALID, "%s is not a folder", path);
    }
    return info.st_mode & 022
               ? hf_fail(HF_E_PERMISSION, "others can write in %s: chmod go-w it", path)
               : HF_OK;
}

/* --- Notes --------------------------------------------------------------------------------------
 */

void hf_crl_note_done(struct hf_crl_note *note)
{
    for (size_t i = 0; i < note->n_provers; i++) {
        hf_cert_unref(note->prover[i]);
    }
    *note = (struct hf_crl_note){0};
}

static json_t *provers_json(const struct hf_crl_note *note)
{
    json_t *array = json_array();
    for (size_t i = 0; i < note->n_provers && array; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * HF_CERT_DER_MAX);
        if (hf_base64_encode(note->prover[i]->der, &text) != HF_OK ||
            json_array_append_new(array, json_stringn((const char *)hf_buf_bytes(&text).ptr,
                                                      hf_buf_len(&text))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *note_json(const char *url, const struct hf_crl_note *note)
{
    char hash[2 * HF_SHA256_SIZE + 1];
    hf_hex(hf_bytes_of(note->sha256, sizeof(note->sha256)), hash);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "url", url, "sha256", hash, "etag",
                     note->etag, "last_modified", note->last_modified, "fetched_at",
                     (json_int_t)note->fetched_at, "provers", provers_json(note));
}

enum hf_err hf_crl_store_note(const char *state, const char *url, const struct hf_crl_note *note)
{
    HF_CLEANUP(hf_freep) char *path = path_of(state, url, ".json");
    json_t *json = note_json(url, note);
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    json_decref(json);
    enum hf_err err = path && text ? hf_file_write_atomic(path, hf_bytes_str(text), MODE)
                                   : hf_fail(HF_E_NOMEM, "out of memory");
    free(text); /* jansson's own */
    return err;
}

/* NULL: there is none, or none that can be read. */
static json_t *load_note(const char *path)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(NOTE_MAX);
    if (hf_file_read(path, &text) != HF_OK) {
        return NULL;
    }
    return json_loadb((const char *)hf_buf_bytes(&text).ptr, hf_buf_len(&text),
                      JSON_REJECT_DUPLICATES, NULL);
}

static void read_provers(json_t *array, struct hf_crl_note *out)
{
    size_t at;
    json_t *value;
    json_array_foreach(array, at, value)
    {
        HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(HF_CERT_DER_MAX);
        struct hf_cert *cert = NULL;
        const char *text = json_string_value(value);
        if (text && out->n_provers < HF_CRL_PROVERS_MAX &&
            hf_base64_decode(hf_bytes_str(text), &der) == HF_OK &&
            hf_cert_from_der(hf_buf_bytes(&der), &cert) == HF_OK) {
            out->prover[out->n_provers++] = cert;
        }
    }
}

/* Keeps the hash of what was read; the rest only where it is said of that. */
static void read_note(const char *path, struct hf_crl_note *out)
{
    json_t *json = load_note(path);
    const char *hash = "", *etag = "", *modified = "";
    json_int_t at = 0;
    json_t *provers = NULL;
    char is[2 * HF_SHA256_SIZE + 1];
    hf_hex(hf_bytes_of(out->sha256, sizeof(out->sha256)), is);
    if (json &&
        json_unpack(json, "{s:s, s:s, s:s, s:I, s:o}", "sha256", &hash, "etag", &etag,
                    "last_modified", &modified, "fetched_at", &at, "provers", &provers) == 0) {
        read_provers(provers, out); /* whoever has proved a list of this URL may prove another */
        if (strcmp(hash, is) == 0) {
            snprintf(out->etag, sizeof(out->etag), "%s", etag);
            snprintf(out->last_modified, sizeof(out->last_modified), "%s", modified);
            out->fetched_at = at;
        }
    }
    json_decref(json);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static enum hf_err feed_all(int fd, const char *path, struct hf_crl_reader *reader,
                            struct hf_hash *hash)
{
    HF_CLEANUP(hf_freep) uint8_t *piece = hf_alloc(PIECE);
    if (!piece) {
        return HF_E_NOMEM;
    }
    for (;;) {
        ssize_t n = read(fd, piece, PIECE);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return hf_fail_errno("%s", path);
        }
        if (n == 0) {
            return HF_OK;
        }
        hf_hash_update(hash, hf_bytes_of(piece, (size_t)n));
        HF_TRY(hf_crl_reader_feed(reader, hf_bytes_of(piece, (size_t)n)));
    }
}

static enum hf_err read_lists(const char *path, const char *url, const struct hf_crl_limits *limits,
                              struct hf_crl_lists *out, uint8_t out_sha256[static HF_SHA256_SIZE])
{
    int fd HF_CLEANUP(hf_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct hf_crl_reader *reader = NULL;
    struct hf_hash hash;
    if (fd < 0) {
        return hf_fail_errno("%s", path);
    }
    HF_TRY(hf_crl_reader_new(limits, url, &reader));
    hf_hash_init(&hash, HF_HASH_SHA256);
    enum hf_err err = feed_all(fd, path, reader, &hash);
    if (err == HF_OK) {
        err = hf_crl_reader_end(reader, out);
    }
    if (err == HF_E_NOT_FOUND) { /* the file is there all the same, and was once more than that */
        err = hf_fail(HF_E_TRUNCATED, "%s: there is no list in it", path);
    }
    hf_hash_final(&hash, out_sha256);
    hf_crl_reader_free(reader);
    return err;
}

enum hf_err hf_crl_store_read(const char *state, const char *url,
                              const struct hf_crl_limits *limits, struct hf_crl_lists *out,
                              struct hf_crl_note *out_note)
{
    HF_CLEANUP(hf_freep) char *list = path_of(state, url, ".crl");
    HF_CLEANUP(hf_freep) char *note = path_of(state, url, ".json");
    *out_note = (struct hf_crl_note){0};
    if (!list || !note) {
        return HF_E_NOMEM;
    }
    HF_TRY(read_lists(list, url, limits, out, out_note->sha256));
    read_note(note, out_note);
    return HF_OK;
}

static int is_note(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static enum hf_err tell(const char *folder, const char *name, hf_crl_store_url_fn *fn, void *ctx)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(folder, name);
    if (!path) {
        return HF_E_NOMEM;
    }
    json_t *json = load_note(path);
    const char *url = json_string_value(json_object_get(json, "url"));
    enum hf_err err = url ? fn(ctx, url) : HF_OK;
    json_decref(json);
    return err;
}

enum hf_err hf_crl_store_urls(const char *state, hf_crl_store_url_fn *fn, void *ctx)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(state, folder_name);
    struct dirent **found = NULL;
    int n = path ? scandir(path, &found, is_note, alphasort) : 0;
    if (n < 0) {
        return errno == ENOENT ? HF_OK : hf_fail_errno("%s", path);
    }
    enum hf_err err = path ? HF_OK : HF_E_NOMEM;
    for (int i = 0; i < n; i++) {
        err = err == HF_OK ? tell(path, found[i]->d_name, fn, ctx) : err;
        free(found[i]); /* scandir's own */
    }
    free(found);
    return err;
}

void hf_crl_store_drop(const char *state, const char *url)
{
    static const char *const endings[] = {".json", ".crl"};
    for (size_t i = 0; i < HF_N_ELEMENTS(endings); i++) {
        HF_CLEANUP(hf_freep) char *path = path_of(state, url, endings[i]);
        if (path) {
            (void)unlink(path); /* what stays is read again, and judged again */
        }
    }
}

/* --- Drafts -------------------------------------------------------------------------------------
 */

struct hf_crl_draft {
    char *state, *url, *path, *temporary;
    int fd;
    int failed; /* errno of the write that failed; 0: none */
    struct hf_hash hash;
};

enum hf_err hf_crl_draft_new(const char *state, const char *url, struct hf_crl_draft **out)
{
    struct hf_crl_draft *draft = HF_NEW(struct hf_crl_draft);
    if (!draft) {
        return HF_E_NOMEM;
    }
    hf_hash_init(&draft->hash, HF_HASH_SHA256);
    draft->fd = -1;
    draft->state = hf_strdup(state);
    draft->url = hf_strdup(url);
    draft->path = path_of(state, url, ".crl");
    draft->temporary = path_of(state, url, ".new");
    if (!draft->state || !draft->url || !draft->path || !draft->temporary) {
        hf_crl_draft_free(draft);
        return HF_E_NOMEM;
    }
    *out = draft;
    return HF_OK;
}

/* The file is made when the first byte comes: an answer that nothing has changed makes none. */
static void open_draft(struct hf_crl_draft *draft)
{
    if (draft->fd < 0 && !draft->failed) {
        draft->fd =
            open(draft->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MODE);
        draft->failed = draft->fd < 0 ? errno : 0;
    }
}

void hf_crl_draft_add(struct hf_crl_draft *draft, struct hf_bytes piece)
{
    hf_hash_update(&draft->hash, piece);
    open_draft(draft);
    while (piece.len && !draft->failed) {
        ssize_t n = write(draft->fd, piece.ptr, piece.len);
        if (n < 0 && errno != EINTR) {
            draft->failed = errno;
        }
        piece = hf_bytes_from(piece, n > 0 ? (size_t)n : 0);
    }
}

void hf_crl_draft_hash(struct hf_crl_draft *draft, uint8_t out[static HF_SHA256_SIZE])
{
    hf_hash_final(&draft->hash, out);
}

static enum hf_err sync_folder(const struct hf_crl_draft *draft)
{
    HF_CLEANUP(hf_freep) char *folder = hf_path_join(draft->state, folder_name);
    int fd HF_CLEANUP(hf_closep) = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) {
        return hf_fail_errno("%s", draft->path);
    }
    return HF_OK;
}

enum hf_err hf_crl_draft_keep(struct hf_crl_draft *draft, const struct hf_crl_note *note)
{
    if (draft->failed || draft->fd < 0) {
        errno = draft->failed;
        return hf_fail_errno("%s", draft->path);
    }
    if (fsync(draft->fd) != 0 || rename(draft->temporary, draft->path) != 0) {
        return hf_fail_errno("%s", draft->path);
    }
    hf_closep(&draft->fd);
    HF_TRY(sync_folder(draft));
    return hf_crl_store_note(draft->state, draft->url, note);
}

void hf_crl_draft_free(struct hf_crl_draft *draft)
{
    if (draft) {
        if (draft->fd >= 0) {
            (void)unlink(draft->temporary);
        }
        hf_closep(&draft->fd);
        hf_hash_done(&draft->hash);
        hf_free(draft->state);
        hf_free(draft->url);
        hf_free(draft->path);
        hf_free(draft->temporary);
        hf_free(draft);
    }
}
