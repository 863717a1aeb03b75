// SPDX-License-Identifier: Apache-2.0
/* Reading everything but certificates and revocations: one statement and one struct each. */
#include <stdio.h>
#include <string.h>

#include "ca/store/store_impl.h"

enum { LIMIT = 100 };

static int64_t limit_of(size_t limit)
{
    return limit ? (int64_t)limit : LIMIT;
}

static enum hf_err found(enum hf_err err, size_t n, const char *what)
{
    return err == HF_OK && n == 0 ? hf_fail(HF_E_NOT_FOUND, "there is no such %s", what) : err;
}

/* --- Authorities and keys ----------------------------------------------------------------------
 */

struct authority_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_authority *a);
    void *ctx;
};

static enum hf_err give_authority(void *ctx, const struct hf_rows *rows)
{
    const struct authority_ctx *to = ctx;
    struct hf_store_authority a = {
        .id = hf_db_number(rows, 0),
        .name = hf_db_string(rows, 1),
        .state = (enum hf_store_authority_state)hf_db_number(rows, 2),
        .parent = hf_db_number(rows, 3),
        .key = hf_db_number(rows, 4),
        .cert = hf_db_bytes(rows, 5),
        .csr = hf_db_bytes(rows, 6),
        .subject = hf_db_string(rows, 7),
        .not_before = hf_db_number(rows, 8),
        .not_after = hf_db_number(rows, 9),
        .created_at = hf_db_number(rows, 10),
        .settings = hf_db_string(rows, 11),
    };
    return to->fn(to->ctx, &a);
}

enum hf_err hf_store_authorities(struct hf_store *store,
                                 enum hf_err (*fn)(void *ctx, const struct hf_store_authority *a),
                                 void *ctx)
{
    struct authority_ctx to = {fn, ctx};
    return hf_store_read(store,
                         "SELECT id, name, state, parent, key, cert, csr, subject, not_before,"
                         " not_after, created_at, settings FROM authorities ORDER BY id",
                         HF_DB_NONE, give_authority, &to, NULL);
}

struct bytes_ctx {
    enum hf_err (*fn)(void *ctx, struct hf_bytes der);
    void *ctx;
};

static enum hf_err give_bytes(void *ctx, const struct hf_rows *rows)
{
    const struct bytes_ctx *to = ctx;
    return to->fn(to->ctx, hf_db_bytes(rows, 0));
}

enum hf_err hf_store_authority_certs(struct hf_store *store, int64_t authority,
                                     enum hf_err (*fn)(void *ctx, struct hf_bytes der), void *ctx)
{
    struct bytes_ctx to = {fn, ctx};
    return hf_store_read(store,
                         "SELECT cert FROM authority_certs WHERE authority = $1"
                         " ORDER BY added_at, sha256",
                         HF_DB_ARGS(hf_db_int(authority)), give_bytes, &to, NULL);
}

struct key_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_key *key);
    void *ctx;
};

static enum hf_err give_key(void *ctx, const struct hf_rows *rows)
{
    const struct key_ctx *to = ctx;
    struct hf_store_key key = {
        .id = hf_db_number(rows, 0),
        .form = (enum hf_store_key_form)hf_db_number(rows, 1),
        .type = hf_db_string(rows, 2),
        .data = hf_db_bytes(rows, 3),
        .created_at = hf_db_number(rows, 5),
    };
    hf_db_hash(rows, 4, key.spki_sha256);
    return to->fn(to->ctx, &key);
}

enum hf_err hf_store_key(struct hf_store *store, int64_t id,
                         enum hf_err (*fn)(void *ctx, const struct hf_store_key *key), void *ctx)
{
    struct key_ctx to = {fn, ctx};
    size_t n;
    enum hf_err err = hf_store_read(
        store, "SELECT id, form, type, data, spki, created_at FROM keys WHERE id = $1",
        HF_DB_ARGS(hf_db_int(id)), give_key, &to, &n);
    return found(err, n, "key");
}

/* --- Requests ----------------------------------------------------------------------------------
 */

#define REQUEST_COLUMNS \
    "SELECT id, state, authority, profile, identity, csr, wish, requester, replaces," \
    " created_at, expires_at, decider, decided_at, reason, certificate FROM requests"

struct request_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_request *request);
    void *ctx;
};

static enum hf_err give_request(void *ctx, const struct hf_rows *rows)
{
    const struct request_ctx *to = ctx;
    struct hf_store_request request = {
        .id = hf_db_number(rows, 0),
        .state = (enum hf_store_request_state)hf_db_number(rows, 1),
        .authority = hf_db_number(rows, 2),
        .profile = hf_db_string(rows, 3),
        .identity = hf_db_string(rows, 4),
        .csr = hf_db_bytes(rows, 5),
        .wish = hf_db_string(rows, 6),
        .requester = hf_db_string(rows, 7),
        .replaces = hf_db_number(rows, 8),
        .created_at = hf_db_number(rows, 9),
        .expires_at = hf_db_number(rows, 10),
        .decider = hf_db_string(rows, 11),
        .decided_at = hf_db_number(rows, 12),
        .reason = hf_db_string(rows, 13),
        .cert = hf_db_number(rows, 14),
    };
    return to->fn(to->ctx, &request);
}

enum hf_err hf_store_requests(struct hf_store *store, int state, int64_t after, size_t limit,
                              enum hf_err (*fn)(void *ctx, const struct hf_store_request *request),
                              void *ctx)
{
    struct request_ctx to = {fn, ctx};
    if (state < 0) {
        return hf_store_read(store, REQUEST_COLUMNS " WHERE id > $1 ORDER BY id LIMIT $2",
                             HF_DB_ARGS(hf_db_int(after), hf_db_int(limit_of(limit))), give_request,
                             &to, NULL);
    }
    return hf_store_read(store,
                         REQUEST_COLUMNS " WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3",
                         HF_DB_ARGS(hf_db_int(state), hf_db_int(after), hf_db_int(limit_of(limit))),
                         give_request, &to, NULL);
}

enum hf_err hf_store_request(struct hf_store *store, int64_t id,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_request *request),
                             void *ctx)
{
    struct request_ctx to = {fn, ctx};
    size_t n;
    enum hf_err err = hf_store_read(store, REQUEST_COLUMNS " WHERE id = $1",
                                    HF_DB_ARGS(hf_db_int(id)), give_request, &to, &n);
    return found(err, n, "request");
}

/* --- Profiles and tokens -----------------------------------------------------------------------
 */

struct profile_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_profile *profile);
    void *ctx;
};

static enum hf_err give_profile(void *ctx, const struct hf_rows *rows)
{
    const struct profile_ctx *to = ctx;
    struct hf_store_profile profile = {
        .name = hf_db_string(rows, 0),
        .yaml = hf_db_string(rows, 1),
        .version = hf_db_number(rows, 2),
        .updated_at = hf_db_number(rows, 3),
    };
    return to->fn(to->ctx, &profile);
}

enum hf_err hf_store_profiles(struct hf_store *store,
                              enum hf_err (*fn)(void *ctx, const struct hf_store_profile *profile),
                              void *ctx)
{
    struct profile_ctx to = {fn, ctx};
    return hf_store_read(store,
                         "SELECT name, yaml, version, updated_at FROM profiles ORDER BY name",
                         HF_DB_NONE, give_profile, &to, NULL);
}

enum hf_err hf_store_profile(struct hf_store *store, const char *name,
                             enum hf_err (*fn)(void *ctx, const struct hf_store_profile *profile),
                             void *ctx)
{
    struct profile_ctx to = {fn, ctx};
    size_t n;
    enum hf_err err =
        hf_store_read(store, "SELECT name, yaml, version, updated_at FROM profiles WHERE name = $1",
                      HF_DB_ARGS(hf_db_text(name)), give_profile, &to, &n);
    return found(err, n, "profile");
}

#define TOKEN_COLUMNS \
    "SELECT id, hash, authority, profile, limits, note, creator, uses_left, expires_at," \
    " created_at, used_at FROM tokens"

struct token_ctx {
    enum hf_err (*fn)(void *ctx, const struct hf_store_token *token);
    void *ctx;
};

static enum hf_err give_token(void *ctx, const struct hf_rows *rows)
{
    const struct token_ctx *to = ctx;
    struct hf_store_token token = {
        .id = hf_db_number(rows, 0),
        .authority = hf_db_number(rows, 2),
        .profile = hf_db_string(rows, 3),
        .limits = hf_db_string(rows, 4),
        .note = hf_db_string(rows, 5),
        .creator = hf_db_string(rows, 6),
        .uses_left = hf_db_number(rows, 7),
        .expires_at = hf_db_number(rows, 8),
        .created_at = hf_db_number(rows, 9),
        .used_at = hf_db_number(rows, 10),
    };
    hf_db_hash(rows, 1, token.hash);
    return to->fn(to->ctx, &token);
}

enum hf_err hf_store_token_find(struct hf_store *store, struct hf_bytes hash,
                                enum hf_err (*fn)(void *ctx, const struct hf_store_token *token),
                                void *ctx)
{
    struct token_ctx to = {fn, ctx};
    size_t n;
    enum hf_err err = hf_store_read(store, TOKEN_COLUMNS " WHERE hash = $1",
                                    HF_DB_ARGS(hf_db_blob(hash)), give_token, &to, &n);
    return found(err, n, "token");
}

enum hf_err hf_store_tokens(struct hf_store *store, int64_t after, size_t limit,
                            enum hf_err (*fn)(void *ctx, const struct hf_store_token *token),
                            void *ctx)
{
    struct token_ctx to = {fn, ctx};
    return hf_store_read(store, TOKEN_COLUMNS " WHERE id > $1 ORDER BY id LIMIT $2",
                         HF_DB_ARGS(hf_db_int(after), hf_db_int(limit_of(limit))), give_token, &to,
                         NULL);
}

/* --- Heads -------------------------------------------------------------------------------------
 */

static enum hf_err give_heads(void *ctx, const struct hf_rows *rows)
{
    *(struct hf_store_heads *)ctx = (struct hf_store_heads){
        .change = hf_db_number(rows, 0),
        .journal = hf_db_number(rows, 1),
        .audit = hf_db_number(rows, 2),
    };
    return HF_OK;
}

enum hf_err hf_store_heads(struct hf_store *store, struct hf_store_heads *out)
{
    size_t n;
    enum hf_err err = hf_store_read(store, "SELECT change, journal, audit FROM heads WHERE one = 1",
                                    HF_DB_NONE, give_heads, out, &n);
    return found(err, n, "store");
}
