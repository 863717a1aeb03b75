// SPDX-License-Identifier: Apache-2.0
/*
 * Only where a record stands is kept in memory: forty bytes a certificate. Records are appended
 * with one write each and not flushed one by one: a process that is killed loses nothing, a machine
 * that loses its power the last seconds, which are asked for again.
 *
 * When new is full it takes the place of old, and what stood there is gone: but for the revoked,
 * whose records are written into new once more before. So they outlive any number of others.
 */
#include "proxy/ocsp_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "os/file.h"
#include "proxy/ocsp_record.h"

enum {
    OLD,
    NEW,
    FILES,
    MODE = 0600,
};

static const char *const names[FILES] = {"answers/old", "answers/new"};

/* Where the newest record about a certificate stands. */
struct place {
    struct hf_ocsp_key key;
    uint8_t file; /* OLD or NEW */
    bool revoked;
    uint32_t at, len; /* of the body */
};

struct hf_ocsp_kept {
    struct hf_log *log;
    size_t max; /* bytes of a file */
    char *path[FILES];
    int fd[FILES]; /* -1: there is none */
    size_t len[FILES];
    struct hf_map places; /* by key, owned */
    bool dirty;           /* written to since it was opened */
    bool failing;         /* and it was said */
};

/* --- Places -------------------------------------------------------------------------------------
 */

static struct hf_bytes bytes_of(const struct hf_ocsp_key *key)
{
    return hf_bytes_of(key->hash, sizeof(key->hash));
}

static void forget(struct hf_ocsp_kept *kept, const struct hf_ocsp_key *key)
{
    struct place *place = hf_map_remove(&kept->places, bytes_of(key));
    hf_free(place);
}

static enum hf_err note_place(struct hf_ocsp_kept *kept, const struct place *place)
{
    struct place *mine = hf_map_get(&kept->places, bytes_of(&place->key));
    if (mine) {
        *mine = *place;
        return HF_OK;
    }
    mine = HF_NEW(struct place);
    if (!mine) {
        return HF_E_NOMEM;
    }
    *mine = *place;
    enum hf_err err = hf_map_put(&kept->places, bytes_of(&mine->key), mine);
    if (err != HF_OK) {
        hf_free(mine);
    }
    return err;
}

/* new has become old: what stood in old is gone. */
static void age_places(struct hf_ocsp_kept *kept)
{
    size_t at = 0;
    for (struct place *place; (place = hf_map_next(&kept->places, &at));) {
        if (place->file == NEW) {
            place->file = OLD;
        } else {
            (void)hf_map_remove(&kept->places, bytes_of(&place->key));
            hf_free(place);
        }
    }
}

/* --- Looking through a file ---------------------------------------------------------------------
 */

static enum hf_err load(int fd, size_t len, struct hf_buf *out)
{
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, len, &room));
    for (size_t got = 0; got < len;) {
        ssize_t n = pread(fd, room.ptr + got, len - got, (off_t)got);
        if (n == 0) {
            return hf_fail(HF_E_IO, "it became shorter while it was read");
        }
        if (n < 0 && errno != EINTR) {
            return hf_fail_errno("it can't be read");
        }
        got += n > 0 ? (size_t)n : 0;
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

static enum hf_err load_body(const struct hf_ocsp_kept *kept, const struct place *place,
                             struct hf_buf *out)
{
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, place->len, &room));
    ssize_t n = pread(kept->fd[place->file], room.ptr, place->len, (off_t)place->at);
    if (n != (ssize_t)place->len) {
        return n < 0 ? hf_fail_errno("%s", kept->path[place->file])
                     : hf_fail(HF_E_TRUNCATED, "%s became shorter", kept->path[place->file]);
    }
    hf_buf_commit(out, place->len);
    return HF_OK;
}

/* *out_good: so many bytes from its beginning are as they were written. */
static enum hf_err scan(struct hf_ocsp_kept *kept, int file, struct hf_bytes all, size_t *out_good)
{
    struct hf_reader reader = hf_reader_of(all);
    struct hf_bytes body;
    struct hf_ocsp_record record;
    *out_good = 0;
    while (reader.rest.len) {
        HF_TRY(hf_ocsp_record_next(&reader, &body));
        HF_TRY(hf_ocsp_record_read(body, &record));
        const struct place place = {.key = record.key,
                                    .file = (uint8_t)file,
                                    .revoked = record.revoked,
                                    .at = (uint32_t)(body.ptr - all.ptr),
                                    .len = (uint32_t)body.len};
        HF_TRY(note_place(kept, &place));
        *out_good = all.len - reader.rest.len;
    }
    return HF_OK;
}

static enum hf_err look_through(struct hf_ocsp_kept *kept, int file)
{
    struct stat info;
    if (fstat(kept->fd[file], &info) != 0) {
        return hf_fail_errno("%s", kept->path[file]);
    }
    size_t len = info.st_size < 2 * (off_t)HF_OCSP_KEPT_MAX ? (size_t)info.st_size : 0;
    HF_CLEANUP(hf_buf_done) struct hf_buf all = HF_BUF_INIT(2 * HF_OCSP_KEPT_MAX);
    enum hf_err err = load(kept->fd[file], len, &all);
    err = err == HF_OK ? scan(kept, file, hf_buf_bytes(&all), &kept->len[file]) : err;
    if (err == HF_E_NOMEM) {
        return err;
    }
    if (kept->len[file] < (size_t)info.st_size) {
        hf_log_say(kept->log, HF_LOG_WARN, "ocsp-not-kept",
                   "%s is damaged after %zu of %lld bytes: what stands there is asked for again",
                   kept->path[file], kept->len[file], (long long)info.st_size);
        if (file == NEW && ftruncate(kept->fd[file], (off_t)kept->len[file]) != 0) {
            return hf_fail_errno("%s", kept->path[file]);
        }
    }
    return HF_OK;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static enum hf_err write_all(int fd, size_t at, struct hf_bytes bytes)
{
    while (bytes.len) {
        ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)at);
        if (n < 0 && errno != EINTR) {
            return hf_fail_errno("it can't be written");
        }
        size_t done = n > 0 ? (size_t)n : 0;
        bytes = hf_bytes_of(bytes.ptr + done, bytes.len - done);
        at += done;
    }
    return HF_OK;
}

static enum hf_err open_file(struct hf_ocsp_kept *kept, int file, int flags)
{
    kept->fd[file] = open(kept->path[file], flags | O_CLOEXEC | O_NOFOLLOW, MODE);
    return kept->fd[file] >= 0 || (errno == ENOENT && !(flags & O_CREAT))
               ? HF_OK
               : hf_fail_errno("%s", kept->path[file]);
}

static void close_file(struct hf_ocsp_kept *kept, int file)
{
    if (kept->fd[file] >= 0) {
        (void)close(kept->fd[file]);
    }
    kept->fd[file] = -1;
    kept->len[file] = 0;
}

/* A record whose body is this, at the end of new. */
static enum hf_err put(struct hf_ocsp_kept *kept, struct hf_bytes body, struct place *out)
{
    HF_CLEANUP(hf_buf_done)
    struct hf_buf text = HF_BUF_INIT(HF_OCSP_RECORD_HEAD + HF_OCSP_RECORD_MAX);
    HF_TRY(hf_ocsp_record_frame(body, &text));
    kept->dirty = true;
    enum hf_err err = write_all(kept->fd[NEW], kept->len[NEW], hf_buf_bytes(&text));
    if (err != HF_OK) { /* nothing torn stays, if that can be had */
        (void)!ftruncate(kept->fd[NEW], (off_t)kept->len[NEW]);
        return err;
    }
    out->file = NEW;
    out->at = (uint32_t)(kept->len[NEW] + HF_OCSP_RECORD_HEAD);
    out->len = (uint32_t)body.len;
    kept->len[NEW] += hf_buf_len(&text);
    return HF_OK;
}

static bool is_over(struct hf_bytes cert_der, int64_t now_s)
{
    struct hf_cert *cert = NULL;
    bool over = hf_cert_from_der(cert_der, &cert) == HF_OK && cert->not_after < now_s;
    hf_cert_unref(cert);
    return over;
}

/* One of old, into new. What can't be read any more is lost anyway. */
static enum hf_err carry(struct hf_ocsp_kept *kept, struct place *place, int64_t now_s)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_OCSP_RECORD_MAX);
    struct hf_ocsp_record record;
    enum hf_err err = load_body(kept, place, &body);
    err = err == HF_OK ? hf_ocsp_record_read(hf_buf_bytes(&body), &record) : err;
    if (err != HF_OK) {
        return err == HF_E_NOMEM ? err : HF_OK;
    }
    return is_over(record.cert, now_s) ? HF_OK : put(kept, hf_buf_bytes(&body), place);
}

static enum hf_err carry_revoked(struct hf_ocsp_kept *kept, int64_t now_s)
{
    size_t at = 0, n_left = 0, most = kept->max + kept->max / 2;
    for (struct place *place; (place = hf_map_next(&kept->places, &at));) {
        if (place->file != OLD || !place->revoked) {
            continue;
        }
        if (kept->len[NEW] + HF_OCSP_RECORD_HEAD + place->len > most) {
            n_left++;
        } else {
            HF_TRY(carry(kept, place, now_s));
        }
    }
    if (n_left) {
        hf_log_say(kept->log, HF_LOG_WARN, "ocsp-not-kept",
                   "%s has no room for all who are revoked: after a restart %zu of them are asked "
                   "about anew",
                   kept->path[NEW], n_left);
    }
    return HF_OK;
}

static enum hf_err turn_over(struct hf_ocsp_kept *kept, int64_t now_s)
{
    HF_TRY(carry_revoked(kept, now_s));
    if (fdatasync(kept->fd[NEW]) != 0 || rename(kept->path[NEW], kept->path[OLD]) != 0) {
        return hf_fail_errno("%s", kept->path[NEW]);
    }
    close_file(kept, OLD);
    kept->fd[OLD] = kept->fd[NEW];
    kept->len[OLD] = kept->len[NEW];
    kept->fd[NEW] = -1;
    kept->len[NEW] = 0;
    age_places(kept);
    return open_file(kept, NEW, O_RDWR | O_CREAT | O_TRUNC);
}

static enum hf_err append(struct hf_ocsp_kept *kept, const struct hf_ocsp_record *record)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_OCSP_RECORD_MAX);
    struct place place = {.key = record->key, .revoked = record->revoked};
    HF_TRY(hf_ocsp_record_write(record, &body));
    if (kept->fd[NEW] < 0) { /* the last turn failed half way */
        HF_TRY(open_file(kept, NEW, O_RDWR | O_CREAT | O_TRUNC));
    }
    if (kept->len[NEW] + HF_OCSP_RECORD_HEAD + hf_buf_len(&body) > kept->max) {
        HF_TRY(turn_over(kept, record->got_at));
    }
    HF_TRY(put(kept, hf_buf_bytes(&body), &place));
    return note_place(kept, &place);
}

void hf_ocsp_kept_add(struct hf_ocsp_kept *kept, const struct hf_ocsp_key *key,
                      const struct hf_cert *cert, const struct hf_cert *issuer,
                      const struct hf_ocsp_known *known, struct hf_bytes answer)
{
    const struct hf_ocsp_record record = {
        .key = *key,
        .nonce = known->nonce,
        .revoked = known->said.status == HF_OCSP_REVOKED,
        .got_at = known->got_at,
        .from = hf_bytes_str(known->from),
        .cert = cert->der,
        .issuer = issuer->der,
        .answer = answer,
    };
    enum hf_err err = append(kept, &record);
    if (err == HF_OK) {
        kept->failing = false;
        return;
    }
    if (!kept->failing) {
        hf_log_say(kept->log, HF_LOG_ERROR, "ocsp-not-kept",
                   "answers are in force, but can't be kept in %s for the next start: %s; make "
                   "room, and the next ones are",
                   kept->path[NEW], hf_err_text());
    }
    kept->failing = true;
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static enum hf_err find(const struct hf_ocsp_kept *kept, const struct place *place, int64_t now_s,
                        struct hf_ocsp_known **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_OCSP_RECORD_MAX);
    struct hf_ocsp_record record;
    HF_TRY(load_body(kept, place, &body));
    HF_TRY(hf_ocsp_record_read(hf_buf_bytes(&body), &record));
    return hf_ocsp_record_believe(&record, now_s, out);
}

enum hf_err hf_ocsp_kept_find(struct hf_ocsp_kept *kept, const struct hf_ocsp_key *key,
                              int64_t now_s, struct hf_ocsp_known **out)
{
    const struct place *place = hf_map_get(&kept->places, bytes_of(key));
    *out = NULL;
    if (!place) {
        return HF_E_NOT_FOUND;
    }
    enum hf_err err = find(kept, place, now_s, out);
    if (err != HF_OK && err != HF_E_NOMEM) {
        forget(kept, key);
    }
    return err;
}

/* What can't be believed is told, and forgotten. */
static enum hf_err restore(struct hf_ocsp_kept *kept, const struct place *place, int64_t now_s,
                           struct hf_ocsp_memory *memory)
{
    struct hf_ocsp_known *known HF_CLEANUP(hf_ocsp_known_unrefp) = NULL;
    bool changed;
    enum hf_err err = find(kept, place, now_s, &known);
    if (err == HF_OK) {
        err = hf_ocsp_memory_put(memory, &place->key, known, &changed);
    } else if (err != HF_E_NOMEM) {
        hf_log_say(kept->log, HF_LOG_WARN, "ocsp-not-kept",
                   "that a certificate was revoked can't be believed any more, and is asked for "
                   "again: %s",
                   hf_err_text());
        forget(kept, &place->key);
    }
    return err == HF_E_NOMEM ? err : HF_OK;
}

enum hf_err hf_ocsp_kept_restore(struct hf_ocsp_kept *kept, int64_t now_s,
                                 struct hf_ocsp_memory *memory, size_t *out_n)
{
    size_t at = 0;
    for (const struct place *place; (place = hf_map_next(&kept->places, &at));) {
        if (place->revoked) {
            HF_TRY(restore(kept, place, now_s, memory));
        }
    }
    *out_n = kept->places.n_entries;
    return HF_OK;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static enum hf_err make_folder(const char *state)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(state, "answers");
    struct stat info;
    if (!path) {
        return HF_E_NOMEM;
    }
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || stat(path, &info) != 0) {
        return hf_fail_errno("%s", path);
    }
    return !S_ISDIR(info.st_mode) ? hf_fail(HF_E_INVALID, "%s is not a folder", path)
           : info.st_mode & 022
               ? hf_fail(HF_E_PERMISSION, "others can write in %s; run: chmod go-w %s", path, path)
               : HF_OK;
}

static enum hf_err open_files(struct hf_ocsp_kept *kept, const char *state)
{
    static const int flags[FILES] = {[OLD] = O_RDONLY, [NEW] = O_RDWR | O_CREAT};
    HF_TRY(make_folder(state));
    for (int i = 0; i < FILES; i++) {
        kept->path[i] = hf_path_join(state, names[i]);
        if (!kept->path[i]) {
            return HF_E_NOMEM;
        }
        HF_TRY(open_file(kept, i, flags[i]));
        if (kept->fd[i] >= 0) {
            HF_TRY(look_through(kept, i));
        }
    }
    return HF_OK;
}

enum hf_err hf_ocsp_kept_open(const char *state, size_t max, struct hf_log *log,
                              struct hf_ocsp_kept **out)
{
    struct hf_ocsp_kept *kept = HF_NEW(struct hf_ocsp_kept);
    *out = NULL;
    if (!kept) {
        return HF_E_NOMEM;
    }
    kept->log = log;
    kept->max = max;
    kept->fd[OLD] = kept->fd[NEW] = -1;
    enum hf_err err = open_files(kept, state);
    if (err != HF_OK) {
        hf_ocsp_kept_free(kept);
        return err;
    }
    *out = kept;
    return HF_OK;
}

void hf_ocsp_kept_free(struct hf_ocsp_kept *kept)
{
    size_t at = 0;
    if (!kept) {
        return;
    }
    if (kept->fd[NEW] >= 0 && kept->dirty) {
        (void)fdatasync(kept->fd[NEW]);
    }
    for (int i = 0; i < FILES; i++) {
        close_file(kept, i);
        hf_free(kept->path[i]);
    }
    for (struct place *place; (place = hf_map_next(&kept->places, &at));) {
        hf_free(place);
    }
    hf_map_done(&kept->places);
    hf_free(kept);
}
