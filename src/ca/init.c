// SPDX-License-Identifier: Apache-2.0
/*
 * A new CA. Everything is made in DIR.part and synced; one rename makes it DIR. Whatever stops us
 * before that leaves no DIR, and the next attempt, once it holds the lock in DIR.part and so knows
 * that nobody is at work there, clears it away.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/folder.h"
#include "ca/profile.h"
#include "os/file.h"
#include "os/sock.h"
#include "pki/ossl.h"
#include "pki/write.h"

enum {
    ROOT_YEARS = 10,
    ISSUING_YEARS = 3,
    BACKDATE_S = 5 * 60, /* for clients whose clock is a little behind */
    FILE_CAP = 64 << 10,
};

static const int64_t year_s = INT64_C(31556952); /* mean Gregorian */

/* What is made, and where. */
struct making {
    const struct hf_ca_new *what;
    char *part; /* DIR.part */
    struct hf_cert *root, *issuing;
    EVP_PKEY *root_key, *issuing_key;
};

static void making_done(struct making *making)
{
    EVP_PKEY_free(making->root_key);
    EVP_PKEY_free(making->issuing_key);
    hf_cert_unref(making->root);
    hf_cert_unref(making->issuing);
    hf_free(making->part);
}

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* --- Certificates ------------------------------------------------------------------------------
 */

static enum hf_err make_key(EVP_PKEY **out)
{
    *out = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    return *out ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "a key could not be made");
}

static enum hf_err make_certificates(struct making *making)
{
    const struct hf_ca_new *what = making->what;
    int64_t now = hf_clock_wall_s(what->world.clock);
    char root_name[HF_CA_NAME_MAX + 16];
    char issuing_name[HF_CA_NAME_MAX + 16];
    snprintf(root_name, sizeof(root_name), "%s Root CA", what->name);
    snprintf(issuing_name, sizeof(issuing_name), "%s Issuing CA", what->name);
    HF_TRY(make_key(&making->root_key));
    HF_TRY(make_key(&making->issuing_key));
    struct hf_certificate_plan root = {
        .profile = HF_PROFILE_ROOT,
        .cn = root_name,
        .organization = what->name,
        .not_before = now - BACKDATE_S,
        .not_after = now + ROOT_YEARS * year_s,
        .subject_key = making->root_key,
        .issuer_key = making->root_key,
        .rng = what->world.rng,
    };
    HF_TRY(hf_certificate_make(&root, &making->root));
    struct hf_certificate_plan issuing = {
        .profile = HF_PROFILE_ISSUING,
        .cn = issuing_name,
        .organization = what->name,
        .not_before = now - BACKDATE_S,
        .not_after = now + ISSUING_YEARS * year_s,
        .subject_key = making->issuing_key,
        .issuer = making->root->x509,
        .issuer_key = making->root_key,
        .rng = what->world.rng,
    };
    return hf_certificate_make(&issuing, &making->issuing);
}

/* --- Files -------------------------------------------------------------------------------------
 */

static enum hf_err put_file(const struct making *making, const char *name, struct hf_bytes bytes,
                            unsigned mode)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(making->part, name);
    return path ? hf_file_create(path, bytes, mode) : HF_E_NOMEM;
}

static enum hf_err put_cert(const struct making *making, const char *name,
                            const struct hf_cert *cert)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_cert_write_pem(cert, &pem));
    return put_file(making, name, hf_buf_bytes(&pem), 0644);
}

static enum hf_err put_key(const struct making *making, const char *name, const EVP_PKEY *key)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_key_write_pem(key, making->what->passphrase, &pem));
    return put_file(making, name, hf_buf_bytes(&pem), 0600);
}

static enum hf_err put_info(const struct making *making)
{
    char now[HF_TIME_TEXT_SIZE];
    hf_format_time(hf_clock_wall_s(making->what->world.clock), now);
    json_t *info = json_pack("{s:i, s:s, s:s}", "format", HF_CA_FORMAT, "name", making->what->name,
                             "made", now);
    char *text = info ? json_dumps(info, JSON_INDENT(2)) : NULL;
    json_decref(info);
    if (!text) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    enum hf_err err = put_file(making, HF_CA_FILE_INFO, hf_bytes_str(text), 0644);
    free(text);
    return err;
}

static enum hf_err make_dir(const struct making *making, const char *name, mode_t mode)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(making->part, name);
    if (!path) {
        return HF_E_NOMEM;
    }
    return mkdir(path, mode) == 0 ? HF_OK : hf_fail_errno("%s", path);
}

static enum hf_err fill_folder(const struct making *making)
{
    HF_TRY(make_dir(making, "root", 0700));
    HF_TRY(make_dir(making, "issuing", 0700));
    HF_TRY(make_dir(making, HF_CA_DIR_ISSUED, 0755));
    HF_TRY(put_cert(making, HF_CA_FILE_ROOT_CERT, making->root));
    HF_TRY(put_key(making, HF_CA_FILE_ROOT_KEY, making->root_key));
    HF_TRY(put_cert(making, HF_CA_FILE_ISSUING_CERT, making->issuing));
    HF_TRY(put_key(making, HF_CA_FILE_ISSUING_KEY, making->issuing_key));
    HF_TRY(put_cert(making, HF_CA_FILE_ROOT, making->root));
    HF_TRY(put_file(making, HF_CA_FILE_JOURNAL, hf_bytes_of(NULL, 0), 0644));
    HF_TRY(put_info(making));
    return hf_dir_sync(making->part);
}

/* Removes the files of one folder but for `keep`; what isn't a file stays. */
static void remove_files(const char *path, const char *keep)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (!keep || strcmp(entry->d_name, keep) != 0) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* Empties DIR.part of all but its lock. Files that were being written when an attempt was killed
 * have names of their own, so all files go; they are ours, as the lock beside them shows. */
static void clear_folder(const char *part)
{
    static const char *const names[] = {"root", "issuing", HF_CA_DIR_ISSUED};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        char *path = hf_ca_path(part, names[i]);
        if (path) {
            remove_files(path, NULL);
            (void)rmdir(path);
        }
        hf_free(path);
    }
    remove_files(part, HF_CA_FILE_LOCK);
}

static void remove_folder(const char *part)
{
    clear_folder(part);
    remove_files(part, NULL);
    (void)rmdir(part);
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err check_name(const char *name)
{
    struct hf_bytes rest = hf_bytes_str(name);
    bool good = rest.len != 0 && rest.len <= HF_CA_NAME_MAX && name[0] != ' ';
    while (good && rest.len) {
        size_t n = hf_printable_len(rest);
        good = n != 0;
        rest = hf_bytes_from(rest, n);
    }
    if (!good) {
        return hf_fail(HF_E_INVALID, "the name of a CA is 1 to %d bytes of printable text",
                       HF_CA_NAME_MAX);
    }
    return HF_OK;
}

/* DIR without slashes at its end; it must name a folder that rename(2) can make. */
static enum hf_err part_name(const char *dir, char **out_dir, char **out_part)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/') {
        len--;
    }
    *out_dir = hf_strndup(dir, len);
    *out_part = hf_alloc(len + sizeof(".part"));
    if (!*out_dir || !*out_part) {
        return HF_E_NOMEM;
    }
    snprintf(*out_part, len + sizeof(".part"), "%s.part", *out_dir);
    const char *slash = strrchr(*out_dir, '/');
    const char *last = slash ? slash + 1 : *out_dir;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        return hf_fail(HF_E_INVALID, "\"%s\" can't become a CA; name a new folder", dir);
    }
    return HF_OK;
}

/* Only says it early and in better words: the rename at the end is what decides. */
static enum hf_err check_free(const char *dir)
{
    HF_CLEANUP(hf_freep) char *info = hf_ca_path(dir, HF_CA_FILE_INFO);
    struct stat st;
    if (!info) {
        return HF_E_NOMEM;
    }
    if (stat(info, &st) == 0) {
        return hf_fail(HF_E_EXISTS, "%s is a CA already; nothing was changed", dir);
    }
    return HF_OK;
}

/* A folder of that name without a lock in it is none of ours, unless it is empty. */
static enum hf_err check_ours(const char *part)
{
    HF_CLEANUP(hf_freep) char *lock = hf_ca_path(part, HF_CA_FILE_LOCK);
    if (!lock) {
        return HF_E_NOMEM;
    }
    if (access(lock, F_OK) == 0 || (rmdir(part) == 0 && mkdir(part, 0755) == 0)) {
        return HF_OK;
    }
    return hf_fail(HF_E_EXISTS, "%s is in the way: it is not what an interrupted init leaves",
                   part);
}

/* The lock in DIR.part becomes the CA's own with the rename. */
static enum hf_err claim_part(const struct making *making, int *out_lock_fd)
{
    if (mkdir(making->part, 0755) != 0) {
        if (errno == ENOENT) {
            return hf_fail(HF_E_NOT_FOUND, "%s: the folder above it does not exist",
                           making->what->dir);
        }
        if (errno != EEXIST) {
            return hf_fail_errno("%s", making->part);
        }
        HF_TRY(check_ours(making->part));
    }
    HF_TRY(hf_ca_lock(making->part, false, out_lock_fd));
    clear_folder(making->part); /* what an interrupted attempt left */
    return HF_OK;
}

static enum hf_err publish(const struct making *making, const char *dir)
{
    HF_CLEANUP(hf_freep) char *parent = hf_path_dir(dir);
    if (!parent) {
        return HF_E_NOMEM;
    }
    if (rename(making->part, dir) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) {
            return hf_fail(HF_E_EXISTS, "%s exists and is not empty; name a new folder", dir);
        }
        return hf_fail_errno("%s", dir);
    }
    return hf_dir_sync(parent);
}

static enum hf_err make(struct making *making, const char *dir)
{
    HF_CLEANUP(hf_closep) int lock_fd = -1;
    HF_TRY(make_certificates(making));
    HF_TRY(claim_part(making, &lock_fd));
    enum hf_err err = fill_folder(making);
    if (err == HF_OK) {
        err = publish(making, dir);
    }
    if (err != HF_OK) {
        remove_folder(making->part);
    }
    return err;
}

enum hf_err hf_ca_init(const struct hf_ca_new *what)
{
    HF_TRY(check_name(what->name));
    HF_CLEANUP(making_done) struct making making = {.what = what};
    HF_CLEANUP(hf_freep) char *dir = NULL;
    HF_TRY(part_name(what->dir, &dir, &making.part));
    HF_TRY(check_free(dir));
    return make(&making, dir);
}
