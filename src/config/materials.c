// SPDX-License-Identifier: Apache-2.0
/*
 * From file names to credentials and trusts, for the daemon and for `check` alike. This is the one
 * place where private keys and passphrases are read from disk: their buffers are wiped before they
 * go, and a file of theirs that others can read is refused however good its contents are.
 */
#include "config/materials.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "crypto/scheme.h"
#include "os/file.h"
#include "pki/key.h"
#include "pki/staple.h"
#include "tls/ticket_keys.h"

enum { SECRET_FILE_MAX = 1 << 20, PASSPHRASE_FILE_MAX = 4096 };

/* What the file of one `auth` holds. */
struct auth_material {
    struct hf_htpasswd *users;
    struct hf_jwks *keys;
};

struct hf_materials {
    atomic_uint refs;
    const struct hf_cfg_identity *identities; /* of the config; only to count from */
    const struct hf_cfg_trust *trusts;
    struct hf_credential **credentials; /* by the identity's place; NULL: could not be loaded */
    struct hf_buf *staples;             /* likewise; empty: none */
    const struct hf_cfg_listener *listeners;
    struct hf_tls_ticket_keys *ticket_keys; /* by the listener's place; none: no file */
    size_t n_listeners;
    size_t n_credentials;
    struct hf_trust **loaded_trusts;
    size_t n_trusts;
    const struct hf_cfg_strings *token_files; /* of the config, likewise */
    EVP_PKEY **token_keys;                    /* by the file's place; NULL: could not be loaded */
    size_t n_token_keys;
    const struct hf_cfg_auth *auth;
    struct auth_material *auth_materials;
    size_t n_auth;
};

/* Everything that is read for one identity. */
struct files {
    struct hf_buf cert;
    struct hf_buf key;
    struct hf_buf chain;
    struct hf_secret_text passphrase;
};

static void files_done(struct files *files)
{
    struct hf_buf *all[] = {&files->cert, &files->key, &files->chain};
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        hf_buf_wipe(all[i]);
        hf_buf_done(all[i]);
    }
    hf_secret_text_done(&files->passphrase);
}

static void wipe_buf(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* --- Reading -----------------------------------------------------------------------------------
 */

/* Turns this thread's last failure into a finding; passes out-of-memory on. */
static enum hf_err report(struct hf_findings *findings, enum hf_finding_id id, struct hf_mark mark,
                          enum hf_err err)
{
    if (err != HF_E_NOMEM) {
        hf_findings_add(findings, id, mark, "%s", hf_err_text());
        err = HF_E_CONFIG;
    }
    return err;
}

static enum hf_err read_file(const struct hf_cfg_string *file, bool is_secret,
                             struct hf_findings *findings, struct hf_buf *out)
{
    *out = HF_BUF_INIT(is_secret ? SECRET_FILE_MAX : HF_FILE_MAX);
    enum hf_err err =
        is_secret ? hf_file_read_private(file->value, out) : hf_file_read(file->value, out);
    if (err == HF_OK && hf_buf_len(out) == 0) {
        err = hf_fail(HF_E_MALFORMED, "%s is empty", file->value);
    }
    if (err == HF_OK) {
        return HF_OK;
    }
    bool open_to_others = is_secret && hf_file_check_private(file->value) == HF_E_PERMISSION;
    return report(findings, open_to_others ? HF_FINDING_KEY_PERMISSIONS : HF_FINDING_FILE,
                  file->mark, err);
}

/* The first line of the file, without its end. */
static enum hf_err read_passphrase_file(const struct hf_cfg_string *file,
                                        struct hf_findings *findings, struct hf_secret_text *out)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(0);
    HF_TRY(read_file(file, true, findings, &text));
    struct hf_bytes line = hf_buf_bytes(&text);
    const uint8_t *end = memchr(line.ptr, '\n', line.len);
    line.len = end ? (size_t)(end - line.ptr) : line.len;
    line.len -= line.len && line.ptr[line.len - 1] == '\r';
    return hf_secret_text_set(out, line);
}

static enum hf_err read_passphrase(const struct hf_cfg_identity *identity,
                                   struct hf_findings *findings, struct hf_secret_text *out)
{
    if (identity->passphrase_file.value) {
        return read_passphrase_file(&identity->passphrase_file, findings, out);
    }
    if (!identity->passphrase_env.value) {
        return HF_OK;
    }
    const char *value = getenv(identity->passphrase_env.value);
    if (!value) {
        hf_findings_add(findings, HF_FINDING_UNSET_VARIABLE, identity->passphrase_env.mark,
                        "the environment variable %s, which passphrase-env names, is not set; "
                        "set it for this process",
                        identity->passphrase_env.value);
        return HF_E_CONFIG;
    }
    return hf_secret_text_set(out, hf_bytes_str(value));
}

/* Reads all files of an identity, so that each that is wrong is told. */
static enum hf_err read_files(const struct hf_cfg_identity *identity, struct hf_findings *findings,
                              struct files *out)
{
    bool key_inside = !identity->key.value;
    enum hf_err errs[4] = {HF_OK};
    errs[0] = read_file(&identity->cert, key_inside, findings, &out->cert);
    if (identity->key.value) {
        errs[1] = read_file(&identity->key, true, findings, &out->key);
    }
    if (identity->chain.value) {
        errs[2] = read_file(&identity->chain, false, findings, &out->chain);
    }
    errs[3] = read_passphrase(identity, findings, &out->passphrase);
    for (size_t i = 0; i < HF_N_ELEMENTS(errs); i++) {
        HF_TRY(errs[i]);
    }
    return HF_OK;
}

/* --- Identities --------------------------------------------------------------------------------
 */

/* True when the last failure's sentence is about this file: such sentences begin with its name. */
static bool concerns(const struct hf_cfg_string *file)
{
    size_t len = file->value ? strlen(file->value) : 0;
    return len && strncmp(hf_err_text(), file->value, len) == 0 && strchr(": ", hf_err_text()[len]);
}

/* The mark of the key in the config that the failure is about. */
static struct hf_mark blame(const struct hf_cfg_identity *identity, enum hf_err err)
{
    const struct hf_cfg_string *key = identity->key.value ? &identity->key : &identity->cert;
    if (err == HF_E_PASSPHRASE) {
        return identity->passphrase_file.value  ? identity->passphrase_file.mark
               : identity->passphrase_env.value ? identity->passphrase_env.mark
                                                : key->mark;
    }
    if (err == HF_E_MISMATCH || concerns(key)) {
        return key->mark;
    }
    return concerns(&identity->chain) ? identity->chain.mark : identity->cert.mark;
}

static enum hf_finding_id finding_of(enum hf_err err)
{
    return err == HF_E_PASSPHRASE ? HF_FINDING_PASSPHRASE
           : err == HF_E_MISMATCH ? HF_FINDING_KEY_MISMATCH
                                  : HF_FINDING_CERTIFICATE;
}

static enum hf_err load_identity(const struct hf_cfg_identity *identity,
                                 struct hf_findings *findings, struct hf_credential **out)
{
    HF_CLEANUP(files_done) struct files files = {0};
    HF_TRY(read_files(identity, findings, &files));
    struct hf_credential_source source = {
        .cert = hf_buf_bytes(&files.cert),
        .cert_label = identity->cert.value,
        .key = hf_buf_bytes(&files.key),
        .key_label = identity->key.value,
        .chain = hf_buf_bytes(&files.chain),
        .chain_label = identity->chain.value,
        .passphrase = hf_bytes_of(files.passphrase.ptr, files.passphrase.len),
    };
    enum hf_err err = hf_credential_new(&source, out);
    if (err == HF_E_NOT_FOUND && !identity->key.value) {
        err = hf_fail(err, "%s holds no private key; name the file of the key as key",
                      identity->cert.value);
    }
    return err == HF_OK ? HF_OK : report(findings, finding_of(err), blame(identity, err), err);
}

/* About this very certificate, or clients that look at it would refuse us. */
static enum hf_err load_staple(const struct hf_cfg_identity *identity,
                               const struct hf_credential *credential, struct hf_findings *findings,
                               struct hf_buf *out)
{
    struct hf_staple staple;
    if (!identity->staple.value || !credential) {
        return HF_OK;
    }
    HF_TRY(read_file(&identity->staple, false, findings, out));
    enum hf_err err = hf_staple_read(hf_buf_bytes(out), credential->chain, &staple);
    if (err == HF_OK) {
        return HF_OK;
    }
    err = hf_fail_context(err, "%s", identity->staple.value);
    return report(findings, HF_FINDING_CERTIFICATE, identity->staple.mark, err);
}

/* --- Ticket keys -------------------------------------------------------------------------------
 */

static enum hf_err load_ticket_keys(const struct hf_cfg_string *file, struct hf_findings *findings,
                                    struct hf_tls_ticket_keys *out)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(0);
    if (!file->value) {
        return HF_OK;
    }
    HF_TRY(read_file(file, true, findings, &text));
    enum hf_err err = hf_ticket_keys_decode(hf_buf_bytes(&text), out);
    if (err == HF_OK) {
        return HF_OK;
    }
    err = hf_fail_context(err, "%s", file->value);
    return report(findings, HF_FINDING_BAD_VALUE, file->mark, err);
}

/* --- Trusts ------------------------------------------------------------------------------------
 */

static enum hf_err load_trust(const struct hf_cfg_trust *trust, struct hf_findings *findings,
                              struct hf_trust **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf roots = HF_BUF_INIT(0);
    HF_CLEANUP(hf_buf_done) struct hf_buf names = HF_BUF_INIT(0);
    enum hf_err roots_err = read_file(&trust->roots, false, findings, &roots);
    if (trust->names == HF_TRUST_NAMES_FILE) {
        HF_TRY(read_file(&trust->names_file, false, findings, &names));
    }
    HF_TRY(roots_err);
    struct hf_trust_source source = {
        .name = trust->name,
        .roots = hf_buf_bytes(&roots),
        .roots_label = trust->roots.value,
        .names = trust->names,
        .names_file = hf_buf_bytes(&names),
        .names_label = trust->names_file.value,
        .depth = trust->depth,
    };
    enum hf_err err = hf_trust_new(&source, out);
    if (err == HF_OK) {
        return HF_OK;
    }
    bool is_names = concerns(&trust->names_file) && !concerns(&trust->roots);
    return report(findings, err == HF_E_INVALID ? HF_FINDING_NO_CA : HF_FINDING_CERTIFICATE,
                  is_names ? trust->names_file.mark : trust->roots.mark, err);
}

/* --- Keys of tokens -----------------------------------------------------------------------------
 */

static enum hf_err load_token_key(const struct hf_cfg_string *file, struct hf_findings *findings,
                                  EVP_PKEY **out)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(0);
    HF_TRY(read_file(file, true, findings, &text));
    struct hf_locked locked = {.text = hf_buf_bytes(&text), .label = file->value};
    enum hf_err err = hf_key_parse(&locked, out);
    if (err == HF_OK && hf_key_type_of(*out) != HF_KEY_P256) {
        err = hf_fail(HF_E_INVALID,
                      "%s holds no P-256 key, which tokens are signed with; make one: openssl "
                      "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out %s",
                      file->value, file->value);
    }
    return err == HF_OK ? HF_OK : report(findings, HF_FINDING_CERTIFICATE, file->mark, err);
}

/* --- Users and key sets -------------------------------------------------------------------------
 */

/* Hashes are not secrets, but they are what guessing starts from. */
static enum hf_err check_readers(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && (info.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))) {
        return hf_fail(HF_E_PERMISSION,
                       "%s can be read by everybody, or written by others; run: chmod 640 %s", path,
                       path);
    }
    return HF_OK;
}

static enum hf_err load_users(const struct hf_cfg_basic *basic, struct hf_findings *findings,
                              struct hf_htpasswd **out)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(0);
    const struct hf_cfg_string *file = &basic->htpasswd;
    HF_TRY(read_file(file, false, findings, &text));
    enum hf_err err = check_readers(file->value);
    if (err != HF_OK) {
        return report(findings, HF_FINDING_KEY_PERMISSIONS, file->mark, err);
    }
    err = hf_htpasswd_new(hf_buf_bytes(&text), file->value, out);
    return err == HF_OK ? HF_OK : report(findings, HF_FINDING_FILE, file->mark, err);
}

static enum hf_err load_keys(const struct hf_cfg_jwt *jwt, struct hf_findings *findings,
                             struct hf_jwks **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(0);
    HF_TRY(read_file(&jwt->jwks, false, findings, &text));
    enum hf_err err = hf_jwks_new(hf_buf_bytes(&text), out);
    return err == HF_OK ? HF_OK
                        : report(findings, HF_FINDING_FILE, jwt->jwks.mark,
                                 hf_fail_context(err, "%s", jwt->jwks.value));
}

static enum hf_err load_one_auth(const struct hf_cfg_auth *auth, struct hf_findings *findings,
                                 struct auth_material *out)
{
    if (auth->basic_on) {
        return load_users(&auth->basic, findings, &out->users);
    }
    return auth->jwt.jwks_is_url ? HF_OK : load_keys(&auth->jwt, findings, &out->keys);
}

static enum hf_err load_auth(struct hf_materials *materials, const struct hf_config *config,
                             struct hf_findings *findings)
{
    enum hf_err result = HF_OK;
    materials->auth_materials = hf_alloc_zero(config->n_auth, sizeof(struct auth_material));
    if (!materials->auth_materials) {
        return HF_E_NOMEM;
    }
    materials->auth = config->auth;
    materials->n_auth = config->n_auth;
    for (size_t i = 0; i < config->n_auth; i++) {
        enum hf_err err = load_one_auth(&config->auth[i], findings, &materials->auth_materials[i]);
        result = err != HF_OK ? err : result;
        if (err == HF_E_NOMEM) {
            return err;
        }
    }
    return result;
}

/* --- All of them -------------------------------------------------------------------------------
 */

/* Loads each; HF_E_CONFIG when at least one could not be. */
static enum hf_err load_all(struct hf_materials *materials, struct hf_findings *findings)
{
    enum hf_err result = HF_OK;
    for (size_t i = 0; i < materials->n_credentials; i++) {
        enum hf_err err =
            load_identity(&materials->identities[i], findings, &materials->credentials[i]);
        err = err ? err
                  : load_staple(&materials->identities[i], materials->credentials[i], findings,
                                &materials->staples[i]);
        result = err != HF_OK ? err : result;
        if (err == HF_E_NOMEM) {
            return err;
        }
    }
    for (size_t i = 0; i < materials->n_listeners; i++) {
        enum hf_err err = load_ticket_keys(&materials->listeners[i].tls.ticket_keys, findings,
                                           &materials->ticket_keys[i]);
        result = err != HF_OK ? err : result;
        if (err == HF_E_NOMEM) {
            return err;
        }
    }
    for (size_t i = 0; i < materials->n_trusts; i++) {
        enum hf_err err = load_trust(&materials->trusts[i], findings, &materials->loaded_trusts[i]);
        result = err != HF_OK ? err : result;
        if (err == HF_E_NOMEM) {
            return err;
        }
    }
    for (size_t i = 0; i < materials->token_files->n; i++) {
        enum hf_err err =
            load_token_key(&materials->token_files->item[i], findings, &materials->token_keys[i]);
        result = err != HF_OK ? err : result;
        if (err == HF_E_NOMEM) {
            return err;
        }
    }
    return result;
}

static void materials_free(struct hf_materials *materials)
{
    for (size_t i = 0; materials->credentials && i < materials->n_credentials; i++) {
        hf_credential_unref(materials->credentials[i]);
    }
    for (size_t i = 0; materials->staples && i < materials->n_credentials; i++) {
        hf_buf_done(&materials->staples[i]);
    }
    hf_free(materials->staples);
    for (size_t i = 0; materials->ticket_keys && i < materials->n_listeners; i++) {
        hf_ticket_keys_wipe(&materials->ticket_keys[i]);
    }
    hf_free(materials->ticket_keys);
    for (size_t i = 0; materials->loaded_trusts && i < materials->n_trusts; i++) {
        hf_trust_unref(materials->loaded_trusts[i]);
    }
    for (size_t i = 0; materials->token_keys && i < materials->n_token_keys; i++) {
        EVP_PKEY_free(materials->token_keys[i]);
    }
    hf_free(materials->token_keys);
    for (size_t i = 0; materials->auth_materials && i < materials->n_auth; i++) {
        hf_htpasswd_unref(materials->auth_materials[i].users);
        hf_jwks_unref(materials->auth_materials[i].keys);
    }
    hf_free(materials->auth_materials);
    hf_free(materials->credentials);
    hf_free(materials->loaded_trusts);
    hf_free(materials);
}

enum hf_err hf_materials_load(const struct hf_config *config, struct hf_findings *findings,
                              struct hf_materials **out)
{
    *out = NULL;
    struct hf_materials *materials = HF_NEW(struct hf_materials);
    if (!materials) {
        return HF_E_NOMEM;
    }
    atomic_init(&materials->refs, 1);
    materials->identities = config->identities;
    materials->trusts = config->trusts;
    materials->n_credentials = config->n_identities;
    materials->n_trusts = config->n_trusts;
    materials->credentials = hf_alloc_zero(config->n_identities, sizeof(struct hf_credential *));
    materials->listeners = config->listeners;
    materials->n_listeners = config->n_listeners;
    materials->ticket_keys = hf_alloc_zero(config->n_listeners, sizeof(struct hf_tls_ticket_keys));
    materials->staples = hf_alloc_zero(config->n_identities, sizeof(struct hf_buf));
    materials->loaded_trusts = hf_alloc_zero(config->n_trusts, sizeof(struct hf_trust *));
    materials->token_files = &config->signing.keys;
    materials->n_token_keys = config->signing.keys.n;
    materials->token_keys = hf_alloc_zero(config->signing.keys.n + 1, sizeof(EVP_PKEY *));
    bool roomy = materials->credentials && materials->staples && materials->ticket_keys &&
                 materials->loaded_trusts && materials->token_keys;
    enum hf_err err = roomy ? load_all(materials, findings) : HF_E_NOMEM;
    if (err != HF_E_NOMEM) {
        enum hf_err auth_err = load_auth(materials, config, findings);
        err = auth_err != HF_OK ? auth_err : err;
    }
    if (err == HF_E_NOMEM) {
        materials_free(materials);
        return err;
    }
    *out = materials;
    return err == HF_OK ? HF_OK
                        : hf_fail(HF_E_CONFIG, "%s names files that can't be used", config->path);
}

struct hf_materials *hf_materials_ref(struct hf_materials *materials)
{
    atomic_fetch_add_explicit(&materials->refs, 1, memory_order_relaxed);
    return materials;
}

void hf_materials_unref(struct hf_materials *materials)
{
    if (materials && atomic_fetch_sub_explicit(&materials->refs, 1, memory_order_acq_rel) == 1) {
        materials_free(materials);
    }
}

struct hf_credential *hf_materials_identity(const struct hf_materials *materials,
                                            const struct hf_cfg_identity *identity)
{
    return materials->credentials[identity - materials->identities];
}

struct hf_bytes hf_materials_staple(const struct hf_materials *materials,
                                    const struct hf_cfg_identity *identity)
{
    return hf_buf_bytes(&materials->staples[identity - materials->identities]);
}

const struct hf_tls_ticket_keys *hf_materials_ticket_keys(const struct hf_materials *materials,
                                                          const struct hf_cfg_listener *listener)
{
    const struct hf_tls_ticket_keys *keys =
        &materials->ticket_keys[listener - materials->listeners];
    return keys->n_keys ? keys : NULL;
}

struct hf_trust *hf_materials_trust(const struct hf_materials *materials,
                                    const struct hf_cfg_trust *trust)
{
    return materials->loaded_trusts[trust - materials->trusts];
}

size_t hf_materials_token_keys(const struct hf_materials *materials, EVP_PKEY *const **out)
{
    *out = materials->token_keys;
    return materials->n_token_keys;
}

struct hf_htpasswd *hf_materials_users(const struct hf_materials *materials,
                                       const struct hf_cfg_auth *auth)
{
    return materials->auth_materials[auth - materials->auth].users;
}

struct hf_jwks *hf_materials_keys(const struct hf_materials *materials,
                                  const struct hf_cfg_auth *auth)
{
    return materials->auth_materials[auth - materials->auth].keys;
}
