// SPDX-License-Identifier: Apache-2.0
/*
 * Loading is by file: each is parsed once, found again by path and stamp in the ledger before, and
 * its lists are shared by all trusts that name it.
 */
#include "config/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/sock.h"

enum { PIECE = 64 << 10, FILES_MAX = 4096 };

/* What tells that a file is still the one that was read. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
};

struct file {
    char *path;
    struct stamp stamp;
    struct hf_crl_lists lists;
};

struct entry {
    char *name;
    struct hf_revoked *lists; /* owned; NULL: the trust asks for none */
    struct hf_revoked *filed; /* those of them that are from files; owned */
    char *ca;                 /* whose view it asks; NULL: none's */
    struct hf_live *live;     /* owned; NULL: none */
    struct hf_revocation revocation;
    struct hf_ocsp_policy ocsp; /* that revocation points at where the trust asks */
};

struct hf_ledger {
    atomic_uint refs;
    struct hf_denylist *deny; /* owned, or NULL */
    struct file *file;
    size_t n_files;
    struct entry *entry;
    size_t n_entries;
    struct hf_revocation plain; /* of a trust that isn't here any more */
};

/* --- Files --------------------------------------------------------------------------------------
 */

struct paths {
    char **item;
    size_t n;
};

static void paths_done(struct paths *paths)
{
    for (size_t i = 0; i < paths->n; i++) {
        hf_free(paths->item[i]);
    }
    hf_free(paths->item);
    *paths = (struct paths){0};
}

/* Takes ownership of path. */
static enum hf_err add_path(struct paths *paths, char *path)
{
    char **item = path ? hf_realloc(paths->item, (paths->n + 1) * sizeof(*paths->item)) : NULL;
    if (!item || paths->n >= FILES_MAX) {
        hf_free(path);
        paths->item = item ? item : paths->item;
        return item ? hf_fail(HF_E_TOO_LARGE, "more than %d files of lists", FILES_MAX)
                    : HF_E_NOMEM;
    }
    item[paths->n] = path;
    *paths = (struct paths){item, paths->n + 1};
    return HF_OK;
}

static int is_list(const struct dirent *entry)
{
    static const char *const ends[] = {".crl", ".pem", ".der"};
    size_t len = strlen(entry->d_name);
    for (size_t i = 0; i < HF_N_ELEMENTS(ends); i++) {
        if (len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ends[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A folder becomes the lists in it, by name; a file itself. */
static enum hf_err expand(const char *path, struct paths *out)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return add_path(out, hf_strdup(path));
    }
    struct dirent **found = NULL;
    int n = scandir(path, &found, is_list, alphasort);
    if (n < 0) {
        return hf_fail_errno("%s", path);
    }
    enum hf_err err = HF_OK;
    for (int i = 0; i < n; i++) {
        err = err == HF_OK ? add_path(out, hf_path_join(path, found[i]->d_name)) : err;
        free(found[i]); /* scandir's own */
    }
    free(found);
    return err;
}

static struct stamp stamp_of(const struct stat *info)
{
    return (struct stamp){info->st_dev, info->st_ino, info->st_size, info->st_mtim};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static const struct file *find_file(const struct hf_ledger *ledger, const char *path)
{
    for (size_t i = 0; ledger && i < ledger->n_files; i++) {
        if (strcmp(ledger->file[i].path, path) == 0) {
            return &ledger->file[i];
        }
    }
    return NULL;
}

static enum hf_err feed_all(int fd, const char *path, struct hf_crl_reader *reader)
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
        HF_TRY(hf_crl_reader_feed(reader, hf_bytes_of(piece, (size_t)n)));
    }
}

static enum hf_err read_file(const char *path, struct stamp *out_stamp, struct hf_crl_lists *out)
{
    int fd HF_CLEANUP(hf_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    struct hf_crl_reader *reader = NULL;
    if (fd < 0 || fstat(fd, &info) != 0) {
        return hf_fail_errno("%s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return hf_fail(HF_E_INVALID, "%s is not a file", path);
    }
    HF_TRY(hf_crl_reader_new(&hf_crl_limits_default, path, &reader));
    enum hf_err err = feed_all(fd, path, reader);
    if (err == HF_OK) {
        err = hf_crl_reader_end(reader, out);
    }
    hf_crl_reader_free(reader);
    *out_stamp = stamp_of(&info);
    return err;
}

static enum hf_err share_lists(const struct hf_crl_lists *from, struct hf_crl_lists *out)
{
    struct hf_crl **item = hf_alloc_zero(from->n + 1, sizeof(*item));
    if (!item) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < from->n; i++) {
        item[i] = hf_crl_ref(from->item[i]);
    }
    *out = (struct hf_crl_lists){item, from->n};
    return HF_OK;
}

/* The file of this path in the ledger that is being made: found there, lent by the one before, or
 * read now. */
static enum hf_err get_file(struct hf_ledger *ledger, const struct hf_ledger *previous,
                            const char *path, const struct file **out)
{
    struct stat info;
    struct file next = {0};
    *out = find_file(ledger, path);
    if (*out) {
        return HF_OK;
    }
    const struct file *old = find_file(previous, path);
    struct stamp now = {0};
    if (stat(path, &info) == 0) {
        now = stamp_of(&info);
    }
    if (old && same_stamp(&old->stamp, &now)) {
        next.stamp = now;
        HF_TRY(share_lists(&old->lists, &next.lists));
    } else {
        HF_TRY(read_file(path, &next.stamp, &next.lists));
    }
    struct file *file = hf_realloc(ledger->file, (ledger->n_files + 1) * sizeof(*file));
    ledger->file = file ? file : ledger->file;
    next.path = file ? hf_strdup(path) : NULL;
    if (!next.path) {
        hf_crl_lists_done(&next.lists);
        return HF_E_NOMEM;
    }
    file[ledger->n_files] = next;
    *out = &file[ledger->n_files++];
    return HF_OK;
}

/* --- Trusts -------------------------------------------------------------------------------------
 */

static const struct entry *find_entry(const struct hf_ledger *ledger, const char *name)
{
    for (size_t i = 0; ledger && i < ledger->n_entries; i++) {
        if (strcmp(ledger->entry[i].name, name) == 0) {
            return &ledger->entry[i];
        }
    }
    return NULL;
}

struct load {
    struct hf_ledger *ledger;
    const struct hf_ledger *previous;
    const struct hf_ledger_known *known;
    struct hf_findings *findings;
    enum hf_ledger_mode mode;
};

static enum hf_err append(const struct hf_crl_lists *lists, struct hf_crl_lists *all)
{
    struct hf_crl **item = hf_realloc(all->item, (all->n + lists->n + 1) * sizeof(*item));
    if (!item) {
        return HF_E_NOMEM;
    }
    all->item = item;
    for (size_t i = 0; i < lists->n; i++) {
        all->item[all->n++] = hf_crl_ref(lists->item[i]);
    }
    return HF_OK;
}

/* All lists of one file or folder of a trust are appended to `all`. */
static enum hf_err gather(const struct load *load, const struct hf_cfg_string *source,
                          struct hf_crl_lists *all)
{
    HF_CLEANUP(paths_done) struct paths paths = {0};
    HF_TRY(expand(source->value, &paths));
    for (size_t i = 0; i < paths.n; i++) {
        const struct file *file = NULL;
        HF_TRY(get_file(load->ledger, load->previous, paths.item[i], &file));
        HF_TRY(append(&file->lists, all));
    }
    return HF_OK;
}

/* What was fetched for a trust is appended to `all`. */
static enum hf_err gather_fetched(const struct load *load, const char *trust,
                                  struct hf_crl_lists *all)
{
    for (size_t i = 0; i < load->known->n_fetched; i++) {
        const struct hf_ledger_fetched *fetched = &load->known->fetched[i];
        if (strcmp(fetched->trust, trust) == 0) {
            HF_TRY(append(fetched->lists, all));
        }
    }
    return HF_OK;
}

static void complain(const struct load *load, struct hf_mark mark, const char *trust)
{
    const char *after = load->mode == HF_LEDGER_KEEP ? "; the lists from before stay in force" : "";
    hf_findings_add(load->findings,
                    load->mode == HF_LEDGER_KEEP ? HF_FINDING_CRL_KEPT : HF_FINDING_CRL, mark,
                    "trust \"%s\": %s%s", trust, hf_err_text(), after);
}

/* A file that was set back. What is fetched is held to its own URL, where it is fetched. */
static enum hf_err check_replay(const struct hf_revoked *was, const struct hf_revoked *is)
{
    size_t replay = hf_revoked_replay(was, is);
    if (replay == SIZE_MAX) {
        return HF_OK;
    }
    const struct hf_crl *crl = hf_revoked_list(is, replay);
    char number[HF_CRL_NUMBER_TEXT];
    hf_crl_number_text(crl, number);
    return hf_fail(HF_E_MISMATCH, "%s: list number %s of %s is older than the one in force",
                   crl->label, number, crl->issuer_text);
}

static enum hf_err make_sets(const struct load *load, const struct hf_cfg_trust *trust,
                             const struct entry *old, struct hf_crl_lists *all, struct entry *out)
{
    size_t dropped = 0;
    HF_TRY(hf_revoked_new(all->item, all->n, &out->filed, &dropped));
    HF_TRY(check_replay(old ? old->filed : NULL, out->filed));
    HF_TRY(gather_fetched(load, trust->name, all));
    return hf_revoked_new(all->item, all->n, &out->lists, &dropped);
}

/* Fills in the lists of out. Errors other than of memory have been said. */
static enum hf_err load_lists(const struct load *load, const struct hf_cfg_trust *trust,
                              const struct entry *old, struct entry *out)
{
    HF_CLEANUP(hf_crl_lists_done) struct hf_crl_lists all = {0};
    struct hf_mark mark = trust->mark;
    enum hf_err err = HF_OK;
    for (size_t i = 0; i < trust->crl.n_files && err == HF_OK; i++) {
        mark = trust->crl.files[i].mark;
        err = gather(load, &trust->crl.files[i], &all);
    }
    err = err == HF_OK ? make_sets(load, trust, old, &all, out) : err;
    if (err != HF_OK) {
        hf_revoked_unref(HF_TAKE(out->filed));
        hf_revoked_unref(HF_TAKE(out->lists));
    }
    if (err != HF_OK && err != HF_E_NOMEM) {
        complain(load, mark, trust->name);
    }
    return err;
}

/* The files can't be used: those from before, and what has been fetched since. */
static enum hf_err keep_lists(const struct load *load, const char *trust, const struct entry *old,
                              struct entry *out)
{
    HF_CLEANUP(hf_crl_lists_done) struct hf_crl_lists all = {0};
    size_t dropped = 0, n = hf_revoked_count(old->filed);
    all.item = hf_alloc_zero(n + 1, sizeof(struct hf_crl *));
    if (!all.item) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct hf_crl *crl = hf_revoked_list(old->filed, i);
        all.item[all.n++] = hf_crl_ref((struct hf_crl *)(uintptr_t)crl); /* only counted */
    }
    HF_TRY(gather_fetched(load, trust, &all));
    out->filed = hf_revoked_ref(old->filed);
    return hf_revoked_new(all.item, all.n, &out->lists, &dropped);
}

/* The view of the trust's CA. Without one nobody may be let in by it. */
static enum hf_err find_live(const struct load *load, const struct hf_cfg_trust *trust,
                             struct entry *out)
{
    const struct hf_ledger_known *known = load->known;
    if (!trust->ca || !known->lives) {
        return HF_OK;
    }
    for (size_t i = 0; i < known->n_lives; i++) {
        if (strcmp(known->lives[i].ca, trust->ca->name) == 0) {
            out->ca = hf_strdup(trust->ca->name);
            out->live = hf_live_ref(known->lives[i].live);
            return out->ca ? HF_OK : HF_E_NOMEM;
        }
    }
    (void)hf_fail(HF_E_NOT_FOUND, "the ca \"%s\" isn't open", trust->ca->name);
    complain(load, trust->mark, trust->name);
    return HF_E_NOT_FOUND;
}

static void set_ocsp(const struct hf_cfg_ocsp *cfg, const struct entry *old, int64_t now_s,
                     struct entry *out)
{
    bool had = old && old->revocation.ocsp;
    out->ocsp = (struct hf_ocsp_policy){
        .staple = cfg->staple,
        .asks = hf_cfg_ocsp_asks(cfg),
        .leaf_only = cfg->leaf_only,
        .needs_nonce = cfg->nonce == HF_CFG_NONCE_REQUIRE,
        .dates = {.skew_s = cfg->skew_ms / 1000, .open_s = cfg->max_age_ms / 1000},
        .timeout_ms = cfg->timeout_ms,
        .refresh_s = cfg->refresh_ms / 1000,
        .when_stale = cfg->when_stale.what,
        .when_missing = cfg->when_missing.what,
        .stale_grace_s = cfg->when_stale.grace_ms / 1000,
        .missing_grace_s = cfg->when_missing.grace_ms / 1000,
        .since_s = had ? old->ocsp.since_s : now_s,
    };
    out->revocation.ocsp = cfg->given ? &out->ocsp : NULL;
}

static enum hf_err make_entry(const struct load *load, const struct hf_cfg_trust *trust,
                              int64_t now_s, struct entry *out)
{
    const struct entry *old = find_entry(load->previous, trust->name);
    const struct hf_cfg_crl *crl = &trust->crl;
    out->name = hf_strdup(trust->name);
    if (!out->name) {
        return HF_E_NOMEM;
    }
    enum hf_err err = crl->given ? load_lists(load, trust, old, out) : HF_OK;
    if (err != HF_OK && err != HF_E_NOMEM && load->mode == HF_LEDGER_KEEP && old && old->filed) {
        err = keep_lists(load, trust->name, old, out);
    }
    err = err == HF_OK ? find_live(load, trust, out) : err;
    bool had = old && old->lists;
    out->revocation = (struct hf_revocation){
        .deny = load->ledger->deny,
        .lists = out->lists,
        .live = out->live,
        .when_stale = crl->when_stale.what,
        .when_missing = crl->when_missing.what,
        .stale_grace_s = crl->when_stale.grace_ms / 1000,
        .missing_grace_s = crl->when_missing.grace_ms / 1000,
        .since_s = had ? old->revocation.since_s : now_s,
        .fetches = crl->from.n > 0 || crl->urls.n > 0,
        .wait_ms = crl->wait_ms,
    };
    set_ocsp(&trust->ocsp, old, now_s, out);
    return err;
}

enum hf_err hf_ledger_load(const struct hf_config *config, const struct hf_ledger *previous,
                           const struct hf_ledger_known *known, enum hf_ledger_mode mode,
                           int64_t now_s, struct hf_findings *findings, struct hf_ledger **out)
{
    struct hf_ledger *ledger = HF_NEW(struct hf_ledger);
    struct load load = {ledger, previous, known, findings, mode};
    *out = NULL;
    if (!ledger) {
        return HF_E_NOMEM;
    }
    atomic_init(&ledger->refs, 1);
    ledger->deny = known->deny ? hf_denylist_ref(known->deny) : NULL;
    ledger->plain.deny = ledger->deny;
    ledger->entry = hf_alloc_zero(config->n_trusts + 1, sizeof(*ledger->entry));
    enum hf_err result = ledger->entry ? HF_OK : HF_E_NOMEM;
    for (size_t i = 0; i < config->n_trusts && result != HF_E_NOMEM; i++) {
        ledger->n_entries++;
        enum hf_err err = make_entry(&load, &config->trusts[i], now_s, &ledger->entry[i]);
        result = err != HF_OK ? err : result;
    }
    if (result != HF_OK) {
        hf_ledger_unref(ledger);
        return result == HF_E_NOMEM
                   ? result
                   : hf_fail(HF_E_CONFIG, "%s names revocation lists that can't be used",
                             config->path);
    }
    *out = ledger;
    return HF_OK;
}

static enum hf_err copy_files(const struct hf_ledger *from, struct hf_ledger *to)
{
    to->file = hf_alloc_zero(from->n_files + 1, sizeof(*to->file));
    if (!to->file) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < from->n_files; i++, to->n_files++) {
        to->file[i].stamp = from->file[i].stamp;
        to->file[i].path = hf_strdup(from->file[i].path);
        if (!to->file[i].path) {
            return HF_E_NOMEM;
        }
        HF_TRY(share_lists(&from->file[i].lists, &to->file[i].lists));
    }
    return HF_OK;
}

static enum hf_err copy_entries(const struct hf_ledger *from, struct hf_ledger *to)
{
    to->entry = hf_alloc_zero(from->n_entries + 1, sizeof(*to->entry));
    if (!to->entry) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < from->n_entries; i++, to->n_entries++) {
        const struct entry *old = &from->entry[i];
        struct entry *entry = &to->entry[i];
        entry->name = hf_strdup(old->name);
        if (!entry->name) {
            return HF_E_NOMEM;
        }
        entry->lists = old->lists ? hf_revoked_ref(old->lists) : NULL;
        entry->filed = old->filed ? hf_revoked_ref(old->filed) : NULL;
        entry->live = old->live ? hf_live_ref(old->live) : NULL;
        entry->ca = old->ca ? hf_strdup(old->ca) : NULL;
        if (old->ca && !entry->ca) {
            return HF_E_NOMEM;
        }
        entry->revocation = old->revocation;
        entry->revocation.deny = to->deny;
        entry->ocsp = old->ocsp;
        entry->revocation.ocsp = old->revocation.ocsp ? &entry->ocsp : NULL;
    }
    return HF_OK;
}

static enum hf_err copy_ledger(const struct hf_ledger *ledger, struct hf_denylist *deny,
                               struct hf_ledger **out)
{
    struct hf_ledger *next = HF_NEW(struct hf_ledger);
    if (!next) {
        return HF_E_NOMEM;
    }
    atomic_init(&next->refs, 1);
    next->deny = deny ? hf_denylist_ref(deny) : NULL;
    next->plain.deny = next->deny;
    enum hf_err err = copy_files(ledger, next);
    err = err == HF_OK ? copy_entries(ledger, next) : err;
    if (err != HF_OK) {
        hf_ledger_unref(next);
        return err;
    }
    *out = next;
    return HF_OK;
}

enum hf_err hf_ledger_deny(const struct hf_ledger *ledger, struct hf_denylist *deny,
                           struct hf_ledger **out)
{
    return copy_ledger(ledger, deny, out);
}

enum hf_err hf_ledger_live(const struct hf_ledger *ledger, const struct hf_ledger_live *live,
                           struct hf_ledger **out)
{
    struct hf_ledger *next = NULL;
    HF_TRY(copy_ledger(ledger, ledger->deny, &next));
    for (size_t i = 0; i < next->n_entries; i++) {
        struct entry *entry = &next->entry[i];
        if (entry->ca && strcmp(entry->ca, live->ca) == 0) {
            hf_live_unref(entry->live);
            entry->live = hf_live_ref(live->live);
            entry->revocation.live = entry->live;
        }
    }
    *out = next;
    return HF_OK;
}

const struct hf_live *hf_ledger_live_of(const struct hf_ledger *ledger, const char *ca)
{
    for (size_t i = 0; i < ledger->n_entries; i++) {
        if (ledger->entry[i].ca && strcmp(ledger->entry[i].ca, ca) == 0) {
            return ledger->entry[i].live;
        }
    }
    return NULL;
}

struct hf_ledger *hf_ledger_ref(struct hf_ledger *ledger)
{
    atomic_fetch_add_explicit(&ledger->refs, 1, memory_order_relaxed);
    return ledger;
}

void hf_ledger_unref(struct hf_ledger *ledger)
{
    if (!ledger || atomic_fetch_sub_explicit(&ledger->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < ledger->n_entries; i++) {
        hf_free(ledger->entry[i].name);
        hf_revoked_unref(ledger->entry[i].lists);
        hf_revoked_unref(ledger->entry[i].filed);
        hf_live_unref(ledger->entry[i].live);
        hf_free(ledger->entry[i].ca);
    }
    for (size_t i = 0; i < ledger->n_files; i++) {
        hf_free(ledger->file[i].path);
        hf_crl_lists_done(&ledger->file[i].lists);
    }
    hf_denylist_unref(ledger->deny);
    hf_free(ledger->entry);
    hf_free(ledger->file);
    hf_free(ledger);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

void hf_ledger_fingerprint(const struct hf_config *config, uint8_t out[static HF_SHA256_SIZE])
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    HF_CLEANUP(paths_done) struct paths paths = {0};
    for (size_t i = 0; i < config->n_trusts; i++) {
        const struct hf_cfg_crl *crl = &config->trusts[i].crl;
        for (size_t k = 0; k < crl->n_files; k++) {
            (void)expand(crl->files[k].value, &paths); /* loading says what is wrong */
        }
    }
    for (size_t i = 0; i < paths.n; i++) {
        struct stat info = {0};
        (void)stat(paths.item[i], &info); /* all zero: it is gone */
        const int64_t parts[] = {(int64_t)info.st_dev, (int64_t)info.st_ino, info.st_size,
                                 info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
        hf_hash_update(&hash, hf_bytes_of(paths.item[i], strlen(paths.item[i]) + 1));
        hf_hash_update(&hash, hf_bytes_of(parts, sizeof(parts)));
    }
    hf_hash_final(&hash, out);
}

const struct hf_revocation *hf_ledger_of(const struct hf_ledger *ledger, const char *trust)
{
    const struct entry *entry = find_entry(ledger, trust);
    return entry ? &entry->revocation : &ledger->plain;
}

const struct hf_revoked *hf_ledger_lists(const struct hf_ledger *ledger, const char *trust)
{
    const struct entry *entry = find_entry(ledger, trust);
    return entry ? entry->lists : NULL;
}

struct hf_denylist *hf_ledger_denylist(const struct hf_ledger *ledger)
{
    return ledger->deny;
}
