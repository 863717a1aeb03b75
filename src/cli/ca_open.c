// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_open.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"

enum { ROOTS_MAX = 1 << 20 };

static bool is_there(const char *dir, const char *name)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, name);
    return path && access(path, F_OK) == 0;
}

static enum hf_err check_folder(const char *dir)
{
    if (is_there(dir, "ca.db")) {
        return HF_OK;
    }
    if (is_there(dir, "journal.jsonl")) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s is a CA of an older version of handfast; take it over with: handfast ca "
                       "import --dir NEW --from %s",
                       dir, dir);
    }
    return hf_fail(HF_E_NOT_FOUND,
                   "there is no CA in %s; make one with: handfast ca init --dir %s --name NAME",
                   dir, dir);
}

enum hf_err hf_ca_where(const struct hf_ca_values *values, char **out)
{
    *out = NULL;
    if (!values->dir == !values->store) {
        return hf_fail(HF_E_USAGE, values->dir ? "--dir and --store exclude each other"
                                               : "say where the CA is, with --dir or --store");
    }
    if (values->store) {
        *out = hf_strdup(values->store);
        return *out ? HF_OK : HF_E_NOMEM;
    }
    HF_TRY(check_folder(values->dir));
    size_t size = strlen(values->dir) + sizeof("sqlite:/ca.db");
    *out = hf_alloc(size);
    if (*out) {
        snprintf(*out, size, "sqlite:%s/ca.db", values->dir);
    }
    return *out ? HF_OK : HF_E_NOMEM;
}

enum hf_err hf_ca_cli_open(const struct hf_ca_values *values, struct hf_ca_service **out)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_CLEANUP(hf_freep) char *url = NULL;
    *out = NULL;
    HF_TRY(hf_ca_where(values, &url));
    HF_TRY(hf_store_passphrase_read(&values->passphrase, &passphrase));
    struct hf_ca_service_options options = {
        .store = url,
        .passphrase = hf_bytes_of(passphrase.ptr, passphrase.len),
        .clock = &hf_os_clock,
        .rng = &hf_os_rng,
        .key_lists = values->known_keys.item,
        .n_key_lists = values->known_keys.n,
    };
    return hf_ca_service_open(&options, out);
}

void hf_ca_service_closep(struct hf_ca_service **service)
{
    hf_ca_service_close(*service);
}

enum hf_err hf_ca_store_open(const struct hf_ca_values *values, struct hf_store **out)
{
    HF_CLEANUP(hf_freep) char *url = NULL;
    *out = NULL;
    HF_TRY(hf_ca_where(values, &url));
    struct hf_store_options options = {.url = url, .clock = &hf_os_clock};
    return hf_store_open(&options, out);
}

void hf_store_closep(struct hf_store **store)
{
    hf_store_close(*store);
}

void hf_ca_actor(char out[static HF_CA_ACTOR_SIZE])
{
    struct passwd entry, *found = NULL;
    char room[4096];
    uid_t uid = getuid();
    bool named = getpwuid_r(uid, &entry, room, sizeof(room), &found) == 0 && found;
    snprintf(out, HF_CA_ACTOR_SIZE, "%.90s (uid %lu)", named ? found->pw_name : "somebody",
             (unsigned long)uid);
}

enum hf_err hf_ca_cli_run(struct hf_ca_service *service, struct hf_ca_op *op)
{
    char actor[HF_CA_ACTOR_SIZE];
    hf_ca_actor(actor);
    op->caller = (struct hf_ca_caller){.name = actor, .rights = HF_CA_MAY_ALL, .local = true};
    hf_ca_run(service, op);
    op->caller.name = NULL;
    return op->outcome == HF_CA_DONE || op->outcome == HF_CA_PENDING
               ? HF_OK
               : hf_fail(HF_E_DENIED, "%s", op->text);
}

enum hf_err hf_ca_folder_roots(const struct hf_ca_values *values, struct hf_ca_service *service)
{
    HF_CLEANUP(hf_freep) char *path = values->dir ? hf_path_join(values->dir, "root.pem") : NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf now = HF_BUF_INIT(ROOTS_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf before = HF_BUF_INIT(ROOTS_MAX);
    if (!path) {
        return values->dir ? HF_E_NOMEM : HF_OK;
    }
    struct hf_authorities *set = hf_ca_authorities(service);
    enum hf_err err = hf_authorities_roots(set, &now);
    hf_authorities_unref(set);
    HF_TRY(err);
    if (hf_buf_len(&now) == 0) {
        return HF_OK; /* an issuing CA whose root isn't known here */
    }
    if (hf_file_read(path, &before) == HF_OK &&
        hf_bytes_eq(hf_buf_bytes(&before), hf_buf_bytes(&now))) {
        return HF_OK;
    }
    return hf_file_write_atomic(path, hf_buf_bytes(&now), 0644);
}

enum hf_err hf_cli_json(struct hf_cli *cli, json_t *value)
{
    int result = value ? json_dumpf(value, cli->out, JSON_INDENT(2)) : -1;
    json_decref(value);
    fputc('\n', cli->out);
    return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
}

enum hf_err hf_csr_write_pem(struct hf_bytes der, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf base64 = HF_BUF_INIT(2 * HF_STORE_TEXT_MAX);
    struct hf_span room;
    HF_TRY(hf_buf_reserve(&base64, der.len / 3 * 4 + 5, &room));
    int n = EVP_EncodeBlock(room.ptr, der.ptr, (int)der.len);
    hf_buf_commit(&base64, (size_t)n);
    HF_TRY(hf_buf_append_str(out, "-----BEGIN CERTIFICATE REQUEST-----\n"));
    for (struct hf_bytes rest = hf_buf_bytes(&base64); rest.len;) {
        size_t line = rest.len < 64 ? rest.len : 64;
        HF_TRY(hf_buf_append(out, hf_bytes_of(rest.ptr, line)));
        HF_TRY(hf_buf_u8(out, '\n'));
        rest = hf_bytes_from(rest, line);
    }
    return hf_buf_append_str(out, "-----END CERTIFICATE REQUEST-----\n");
}
