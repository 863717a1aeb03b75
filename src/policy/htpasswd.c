// SPDX-License-Identifier: Apache-2.0
/*
 * A file of users and hashes, as htpasswd(1) and mkpasswd(1) write it. Read once, all or nothing: a
 * line that would let nobody in, or anybody with a fast enough machine, is told with its number and
 * the file isn't used.
 *
 * A hash names its own cost. One that nobody could wait for, or that would take more memory than
 * the machine has, is refused here, for otherwise each attempt to guess would cost that much.
 */
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "policy/basic.h"

enum {
    BCRYPT_COST_MAX = 15,        /* about a second */
    SHA512_ROUNDS_MAX = 2000000, /* about a second */
    YESCRYPT_N_MAX = 16,         /* 2^16 blocks of 4 KiB: 256 MiB */
    HASH_MAX = 384,
};

struct user {
    char *hash;
    char name[];
};

struct hf_htpasswd {
    atomic_uint refs;
    struct hf_map by_name;
    struct user **users;
    size_t n_users;
};

static void free_users(struct hf_htpasswd *users)
{
    for (size_t i = 0; i < users->n_users; i++) {
        hf_free(users->users[i]);
    }
    hf_free(users->users);
    hf_map_done(&users->by_name);
    hf_free(users);
}

struct hf_htpasswd *hf_htpasswd_ref(struct hf_htpasswd *users)
{
    atomic_fetch_add_explicit(&users->refs, 1, memory_order_relaxed);
    return users;
}

void hf_htpasswd_unref(struct hf_htpasswd *users)
{
    if (users && atomic_fetch_sub_explicit(&users->refs, 1, memory_order_acq_rel) == 1) {
        free_users(users);
    }
}

static void unrefp(struct hf_htpasswd **users)
{
    hf_htpasswd_unref(*users);
}

/* --- Kinds of hashes ---------------------------------------------------------------------------
 */

static const char crypt_digits[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static unsigned digit_value(char digit)
{
    const char *at = digit ? strchr(crypt_digits, digit) : NULL;
    return at ? (unsigned)(at - crypt_digits) : 64;
}

/* The digits of crypt(3) at the end must be this many. */
static bool ends_in_digits(const char *hash, size_t n)
{
    const char *dollar = strrchr(hash, '$');
    return dollar && strlen(dollar + 1) == n && strspn(dollar + 1, crypt_digits) == n;
}

/* "$2y$10$" and 53 digits. */
static const char *check_bcrypt(const char *hash)
{
    bool form = strspn(hash + 4, "0123456789") == 2 && ends_in_digits(hash, 53);
    long cost = form ? strtol(hash + 4, NULL, 10) : 0;
    return !form || hash[6] != '$' || cost < 4 ? "is not well-formed bcrypt"
           : cost > BCRYPT_COST_MAX            ? "costs too much to check (bcrypt beyond 15)"
                                               : NULL;
}

/* "$6$", perhaps "rounds=N$", salt "$" and 86 digits. */
static const char *check_sha512(const char *hash)
{
    static const char rounds[] = "rounds=";
    char *end = NULL;
    unsigned long n = strncmp(hash + 3, rounds, strlen(rounds)) == 0
                          ? strtoul(hash + 3 + strlen(rounds), &end, 10)
                          : 5000;
    return !ends_in_digits(hash, 86) || (end && *end != '$') ? "is not well-formed sha512-crypt"
           : n > SHA512_ROUNDS_MAX ? "costs too much to check (sha512-crypt beyond 2000000 rounds)"
                                   : NULL;
}

/* "$y$jNr$salt$" and 43 digits; N and r are what they are a power of two, and a multiple of. */
static const char *check_yescrypt(const char *hash)
{
    bool form = hash[3] == 'j' && digit_value(hash[4]) < 64 && digit_value(hash[5]) < 64 &&
                hash[6] == '$' && ends_in_digits(hash, 43);
    return !form ? "is not yescrypt of the usual form ($y$j...)"
           : digit_value(hash[4]) + 1 > YESCRYPT_N_MAX || digit_value(hash[5]) > 31
               ? "costs too much to check (yescrypt beyond 256 MiB)"
               : NULL;
}

static const struct kind {
    const char *prefix;
    const char *(*check)(const char *hash); /* NULL: never accepted */
    const char *name;
} kinds[] = {
    {"$2a$", check_bcrypt, "bcrypt"},
    {"$2b$", check_bcrypt, "bcrypt"},
    {"$2y$", check_bcrypt, "bcrypt"},
    {"$y$", check_yescrypt, "yescrypt"},
    {"$6$", check_sha512, "sha512-crypt"},
    {"$apr1$", NULL, "MD5"},
    {"$1$", NULL, "MD5"},
    {"{SHA}", NULL, "SHA-1 without a salt"},
    {"{SSHA}", NULL, "SHA-1"},
    {"$5$", NULL, "sha256-crypt"},
    {"$2x$", NULL, "bcrypt of a broken version"},
    {"", NULL, "DES, plain text, or unknown"},
};

static enum hf_err check_hash(const char *hash, const char *label, unsigned line)
{
    const struct kind *kind = kinds;
    while (strncmp(hash, kind->prefix, strlen(kind->prefix)) != 0) {
        kind++;
    }
    if (!kind->check) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s:%u: the hash is %s, which is no protection; make a new one with: "
                       "htpasswd -B FILE USER",
                       label, line, kind->name);
    }
    const char *fault = kind->check(hash);
    if (!fault && crypt_checksalt(hash) == CRYPT_SALT_INVALID) {
        fault = "is of a kind that this system's crypt(3) doesn't know";
    }
    return fault ? hf_fail(HF_E_UNSUPPORTED,
                           "%s:%u: the hash %s; make a new one with: "
                           "htpasswd -B FILE USER",
                           label, line, fault)
                 : HF_OK;
}

/* --- Lines -------------------------------------------------------------------------------------
 */

static enum hf_err add_user(struct hf_htpasswd *users, struct hf_bytes name, struct hf_bytes hash,
                            const char *label, unsigned line)
{
    if (users->n_users == HF_HTPASSWD_USERS) {
        return hf_fail(HF_E_TOO_LARGE, "%s:%u: more than %d users", label, line, HF_HTPASSWD_USERS);
    }
    if (hf_map_get(&users->by_name, name)) {
        return hf_fail(HF_E_EXISTS, "%s:%u: this user is there already; remove one of the lines",
                       label, line);
    }
    if ((users->n_users & (users->n_users + 1)) == 0) {
        struct user **more =
            hf_realloc(users->users, (2 * users->n_users + 2) * sizeof(struct user *));
        if (!more) {
            return HF_E_NOMEM;
        }
        users->users = more;
    }
    struct user *user = hf_alloc_zero(1, sizeof(*user) + name.len + hash.len + 2);
    if (!user) {
        return HF_E_NOMEM;
    }
    memcpy(user->name, name.ptr, name.len);
    user->hash = user->name + name.len + 1;
    memcpy(user->hash, hash.ptr, hash.len);
    users->users[users->n_users++] = user;
    HF_TRY(check_hash(user->hash, label, line));
    return hf_map_put(&users->by_name, name, user);
}

static enum hf_err add_line(struct hf_htpasswd *users, struct hf_bytes text, const char *label,
                            unsigned line)
{
    const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    if (text.len == 0 || text.ptr[0] == '#') {
        return HF_OK;
    }
    size_t name_len = colon ? (size_t)(colon - text.ptr) : 0;
    struct hf_bytes hash = hf_bytes_from(text, name_len + 1);
    const uint8_t *more = hash.len ? memchr(hash.ptr, ':', hash.len) : NULL;
    hash.len = more ? (size_t)(more - hash.ptr) : hash.len; /* "user:hash:comment", as some do */
    if (name_len == 0 || name_len > HF_BASIC_USER_MAX || hash.len == 0 || hash.len > HASH_MAX ||
        memchr(text.ptr, 0, text.len)) {
        return hf_fail(HF_E_MALFORMED, "%s:%u: not \"user:hash\"", label, line);
    }
    return add_user(users, hf_bytes_of(text.ptr, name_len), hash, label, line);
}

enum hf_err hf_htpasswd_new(struct hf_bytes text, const char *label, struct hf_htpasswd **out)
{
    *out = NULL;
    HF_CLEANUP(unrefp) struct hf_htpasswd *users = HF_NEW(struct hf_htpasswd);
    if (!users) {
        return HF_E_NOMEM;
    }
    atomic_init(&users->refs, 1);
    if (text.len > HF_HTPASSWD_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%s: more than %u bytes", label, HF_HTPASSWD_MAX);
    }
    for (unsigned line = 1; text.len; line++) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        struct hf_bytes one = hf_bytes_of(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        text = hf_bytes_from(text, one.len + 1);
        one.len -= one.len && one.ptr[one.len - 1] == '\r';
        HF_TRY(add_line(users, one, label, line));
    }
    if (users->n_users == 0) {
        return hf_fail(HF_E_INVALID, "%s: no user in it; add one with: htpasswd -B %s USER", label,
                       label);
    }
    *out = HF_TAKE(users);
    return HF_OK;
}

/* --- Checking ----------------------------------------------------------------------------------
 */

const char *hf_htpasswd_find(const struct hf_htpasswd *users, const char *user, bool *out_known)
{
    struct hf_bytes name = hf_bytes_str(user);
    const struct user *found = hf_map_get(&users->by_name, name);
    *out_known = found != NULL;
    return found ? found->hash : users->users[hf_hash64(name) % users->n_users]->hash;
}

enum hf_err hf_password_check(const char *hash, const char *password)
{
    struct crypt_data *data = hf_alloc_zero(1, sizeof(*data));
    if (!data) {
        return HF_E_NOMEM;
    }
    const char *made = crypt_r(password, hash, data);
    enum hf_err err = !made || made[0] == '*'
                          ? hf_fail(HF_E_CRYPTO, "crypt(3) can't check this password")
                      : hf_ct_eq(hf_bytes_str(made), hf_bytes_str(hash))
                          ? HF_OK
                          : hf_fail(HF_E_MISMATCH, "the password is wrong");
    hf_wipe(data, sizeof(*data));
    hf_free(data);
    return err;
}
