// SPDX-License-Identifier: Apache-2.0
/*
 * Each line of the journal is one change:
 *
 *      {"deny": 7, "selector": "serial:1f2e", "reason": "lost", "at": 1800000000, "until": 0}
 *      {"undo": 7}
 *
 * A change is appended, flushed, and only then made in memory. When an append fails half way, the
 * journal is cut back to where it was; when even that fails, nothing more is written to it.
 */
#include "proxy/denials.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/sock.h"

#define JOURNAL_MAX (64u << 20)

static const char journal_name[] = "deny-list.jsonl";

struct hf_denials {
    char *path;
    int fd;
    off_t size;    /* of what is good of the journal: whole lines */
    bool broken;   /* a failed append could not be cut away */
    uint64_t last; /* id */
    struct hf_denylist *list;
};

/* Entries while a list is put together. Texts are the JSON's. */
struct draft {
    struct hf_deny_source *item;
    size_t n;
};

static enum hf_err draft_add(struct draft *draft, struct hf_deny_source source)
{
    struct hf_deny_source *item = hf_realloc(draft->item, (draft->n + 1) * sizeof(*draft->item));
    if (!item) {
        return HF_E_NOMEM;
    }
    item[draft->n] = source;
    *draft = (struct draft){item, draft->n + 1};
    return HF_OK;
}

static void draft_remove(struct draft *draft, uint64_t id)
{
    for (size_t i = 0; i < draft->n; i++) {
        if (draft->item[i].id == id) {
            draft->item[i] = draft->item[--draft->n];
            return;
        }
    }
}

static enum hf_err draft_of(const struct hf_denylist *list, struct draft *out)
{
    for (size_t i = 0; list && i < hf_denylist_count(list); i++) {
        const struct hf_deny_entry *entry = hf_denylist_at(list, i);
        struct hf_deny_source source = {entry->id, entry->selector, entry->reason,
                                        entry->created_at, entry->until};
        HF_TRY(draft_add(out, source));
    }
    return HF_OK;
}

static void draft_done(struct draft *draft)
{
    hf_free(draft->item);
}

/* --- Lines --------------------------------------------------------------------------------------
 */

static enum hf_err put_line(json_t *value, struct hf_buf *out)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    if (!text) {
        return hf_fail(HF_E_NOMEM, "there is no memory for a line of the deny list");
    }
    enum hf_err err = hf_buf_append_str(out, text);
    free(text); /* jansson's own */
    return err == HF_OK ? hf_buf_append_str(out, "\n") : err;
}

static enum hf_err put_deny(const struct hf_deny_source *source, struct hf_buf *out)
{
    return put_line(json_pack("{s:I, s:s, s:s, s:I, s:I}", "deny", (json_int_t)source->id,
                              "selector", source->selector, "reason", source->reason, "at",
                              (json_int_t)source->created_at, "until", (json_int_t)source->until),
                    out);
}

/* One change. The JSON is kept until the list has been made of the draft. */
static enum hf_err read_line(struct hf_denials *denials, struct hf_bytes line, json_t *keep,
                             struct draft *draft)
{
    json_t *value = json_loadb((const char *)line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
    json_int_t id = 0, at = 0, until = 0;
    const char *selector = NULL, *reason = NULL;
    if (!value || json_array_append_new(keep, value) != 0) {
        return hf_fail(HF_E_MALFORMED, "it is not JSON");
    }
    if (json_unpack(value, "{s:I!}", "undo", &id) == 0) {
        draft_remove(draft, (uint64_t)id);
        return HF_OK;
    }
    if (json_unpack(value, "{s:I, s:s, s:s, s:I, s:I!}", "deny", &id, "selector", &selector,
                    "reason", &reason, "at", &at, "until", &until) != 0 ||
        id <= 0) {
        return hf_fail(HF_E_MALFORMED, "it is neither an entry nor the undoing of one");
    }
    denials->last = (uint64_t)id > denials->last ? (uint64_t)id : denials->last;
    return draft_add(draft, (struct hf_deny_source){(uint64_t)id, selector, reason, at, until});
}

static enum hf_err read_all(struct hf_denials *denials, struct hf_bytes text, json_t *keep,
                            struct draft *draft)
{
    for (size_t number = 1; text.len; number++) {
        const uint8_t *newline = memchr(text.ptr, '\n', text.len);
        if (!newline) {
            return HF_OK; /* cut short by a crash: never acknowledged */
        }
        denials->size += newline + 1 - text.ptr;
        struct hf_bytes line = hf_bytes_of(text.ptr, (size_t)(newline - text.ptr));
        enum hf_err err = read_line(denials, line, keep, draft);
        if (err != HF_OK) {
            return hf_fail_context(err, "%s: line %zu", denials->path, number);
        }
        text = hf_bytes_from(text, line.len + 1);
    }
    return HF_OK;
}

/* --- The journal --------------------------------------------------------------------------------
 */

/* Writes the journal anew, with what is in force. An id that was used is never used again: the last
 * one stays on record by a change that changes nothing. */
static enum hf_err rewrite(struct hf_denials *denials, const struct draft *draft)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(JOURNAL_MAX);
    for (size_t i = 0; i < draft->n; i++) {
        HF_TRY(put_deny(&draft->item[i], &text));
    }
    if (denials->last) {
        struct hf_deny_source last = {denials->last, "serial:0", "", 0, 1};
        HF_TRY(put_deny(&last, &text));
        HF_TRY(put_line(json_pack("{s:I}", "undo", (json_int_t)denials->last), &text));
        for (size_t i = 0; i < draft->n; i++) { /* unless it is in force */
            if (draft->item[i].id == denials->last) {
                HF_TRY(put_deny(&draft->item[i], &text));
            }
        }
    }
    HF_TRY(hf_file_write_atomic(denials->path, hf_buf_bytes(&text), 0600));
    denials->size = (off_t)hf_buf_len(&text);
    return HF_OK;
}

/* Reads the journal and makes the list of it. */
static enum hf_err load(struct hf_denials *denials, int64_t now_s)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(JOURNAL_MAX);
    HF_CLEANUP(draft_done) struct draft draft = {0};
    enum hf_err err = hf_file_read(denials->path, &text);
    if (err != HF_OK && err != HF_E_NOT_FOUND) {
        return err;
    }
    json_t *keep = json_array();
    err = keep ? read_all(denials, hf_buf_bytes(&text), keep, &draft)
               : hf_fail(HF_E_NOMEM, "there is no memory for the deny list");
    for (size_t i = 0; i < draft.n && err == HF_OK;) {
        if (draft.item[i].until && draft.item[i].until <= now_s) {
            draft.item[i] = draft.item[--draft.n];
        } else {
            i++;
        }
    }
    if (err == HF_OK) {
        err = hf_denylist_new(draft.item, draft.n, &denials->list);
    }
    json_decref(keep);
    return err;
}

/* Writes the journal without what is over. Where there is no room for that, it is as good as it
 * stands, but for a last line that was cut short. */
static enum hf_err begin(struct hf_denials *denials)
{
    HF_CLEANUP(draft_done) struct draft draft = {0};
    HF_TRY(draft_of(denials->list, &draft));
    enum hf_err err = rewrite(denials, &draft);
    if (err != HF_OK && (err != HF_E_IO || access(denials->path, F_OK) != 0)) {
        return err;
    }
    denials->fd = open(denials->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool ready = denials->fd >= 0 && (err == HF_OK || ftruncate(denials->fd, denials->size) == 0);
    return ready ? HF_OK : hf_fail_errno("%s", denials->path);
}

enum hf_err hf_denials_open(const char *folder, int64_t now_s, struct hf_denials **out)
{
    struct stat info;
    if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode) && info.st_mode & 022) {
        return hf_fail(HF_E_PERMISSION, "others can write in %s: chmod go-w it", folder);
    }
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return hf_fail(HF_E_NOT_FOUND, "%s is not a folder; make it, for this user alone", folder);
    }
    struct hf_denials *denials = HF_NEW(struct hf_denials);
    if (!denials) {
        return HF_E_NOMEM;
    }
    denials->fd = -1;
    denials->path = hf_path_join(folder, journal_name);
    enum hf_err err = denials->path ? load(denials, now_s) : HF_E_NOMEM;
    err = err == HF_OK ? begin(denials) : err;
    if (err != HF_OK) {
        hf_denials_free(denials);
        return err;
    }
    *out = denials;
    return HF_OK;
}

enum hf_err hf_denials_read(const char *folder, int64_t now_s, struct hf_denylist **out)
{
    struct hf_denials denials = {.fd = -1, .path = hf_path_join(folder, journal_name)};
    enum hf_err err = denials.path ? load(&denials, now_s) : HF_E_NOMEM;
    *out = denials.list;
    hf_free(denials.path);
    return err;
}

void hf_denials_free(struct hf_denials *denials)
{
    if (denials) {
        hf_closep(&denials->fd);
        hf_denylist_unref(denials->list);
        hf_free(denials->path);
        hf_free(denials);
    }
}

struct hf_denylist *hf_denials_list(const struct hf_denials *denials)
{
    return denials->list;
}

static enum hf_err append(struct hf_denials *denials, struct hf_bytes line)
{
    if (denials->broken) {
        return hf_fail(HF_E_IO,
                       "%s could not be mended after a write that failed; restart the "
                       "daemon",
                       denials->path);
    }
    size_t done = 0;
    while (done < line.len) {
        ssize_t n = write(denials->fd, line.ptr + done, line.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    if (done == line.len && fdatasync(denials->fd) == 0) {
        denials->size += (off_t)line.len;
        return HF_OK;
    }
    enum hf_err err = hf_fail_errno("%s", denials->path);
    denials->broken = ftruncate(denials->fd, denials->size) != 0;
    return err;
}

static void take_list(struct hf_denials *denials, struct hf_denylist *list)
{
    hf_denylist_unref(denials->list);
    denials->list = list;
}

enum hf_err hf_denials_add(struct hf_denials *denials, const char *selector, const char *reason,
                           int64_t until, int64_t now_s, uint64_t *out_id)
{
    HF_CLEANUP(draft_done) struct draft draft = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(64u << 10);
    struct hf_deny_source source = {denials->last + 1, selector, reason, now_s, until};
    struct hf_denylist *list = NULL;
    if (until && until <= now_s) {
        return hf_fail(HF_E_INVALID, "its end is in the past");
    }
    HF_TRY(draft_of(denials->list, &draft));
    HF_TRY(draft_add(&draft, source));
    HF_TRY(put_deny(&source, &line));
    HF_TRY(hf_denylist_new(draft.item, draft.n, &list));
    enum hf_err err = append(denials, hf_buf_bytes(&line));
    if (err != HF_OK) {
        hf_denylist_unref(list);
        return err;
    }
    denials->last = *out_id = source.id;
    take_list(denials, list);
    return HF_OK;
}

enum hf_err hf_denials_undo(struct hf_denials *denials, uint64_t id)
{
    HF_CLEANUP(draft_done) struct draft draft = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(256);
    struct hf_denylist *list = NULL;
    HF_TRY(draft_of(denials->list, &draft));
    size_t before = draft.n;
    draft_remove(&draft, id);
    if (draft.n == before) {
        return hf_fail(HF_E_NOT_FOUND, "the deny list has no entry %llu", (unsigned long long)id);
    }
    HF_TRY(put_line(json_pack("{s:I}", "undo", (json_int_t)id), &line));
    HF_TRY(hf_denylist_new(draft.item, draft.n, &list));
    enum hf_err err = append(denials, hf_buf_bytes(&line));
    if (err != HF_OK) {
        hf_denylist_unref(list);
        return err;
    }
    take_list(denials, list);
    return HF_OK;
}
