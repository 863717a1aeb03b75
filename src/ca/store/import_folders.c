// SPDX-License-Identifier: Apache-2.0
/* Where each of the others keeps its things. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/store/import_impl.h"
#include "ca/store_backup.h"
#include "os/file.h"
#include "pki/pem.h"

enum { SMALL_CAP = 1 << 20 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* Reads the first of these files that is there. */
static enum hf_err read_first(const char *dir, const char *const *names, struct hf_buf *out,
                              const char **out_name)
{
    *out_name = NULL;
    for (; *names && !*out_name; names++) {
        bool found;
        HF_TRY(hf_import_read(dir, *names, out, &found));
        *out_name = found ? *names : NULL;
    }
    return HF_OK;
}

/* --- index.txt: easy-rsa and openssl -----------------------------------------------------------
 */

struct index_folder {
    struct hf_importing *importing;
    const char *dir;
    int64_t authority;
    struct hf_cert *ca;
};

/* Where the certificate of a serial may be; openssl names it in the index in some set-ups. */
static enum hf_err read_cert(const struct index_folder *folder, const struct hf_index_line *line,
                             struct hf_chain **out)
{
    static const struct {
        const char *folder, *end;
    } places[] = {
        {"certs_by_serial/", ".pem"},
        {"revoked/certs_by_serial/", ".crt"},
        {"revoked/certs_by_serial/", ".pem"},
        {"renewed/certs_by_serial/", ".crt"},
        {"newcerts/", ".pem"},
        {"certs/", ".pem"},
    };
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SMALL_CAP);
    char hex[2 * HF_STORE_SERIAL_MAX + 1];
    char name[128];
    bool found = false;
    hf_hex(hf_bytes_of(line->serial, line->serial_len), hex);
    for (char *c = hex; *c; c++) {
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(places) && !found; i++) {
        snprintf(name, sizeof(name), "%s%s%s", places[i].folder, hex, places[i].end);
        HF_TRY(hf_import_read(folder->dir, name, &text, &found));
    }
    *out = NULL;
    return found ? hf_certs_parse(hf_buf_bytes(&text), name, HF_CHAIN_MAX, out) : HF_OK;
}

/* Of a certificate without its file, number, subject and end are known. */
static enum hf_err import_number(struct index_folder *folder, const struct hf_index_line *line)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf subject = HF_BUF_INIT(SMALL_CAP);
    HF_TRY(hf_append_printable(&subject, line->subject, 2048));
    const char *text = hf_buf_cstr(&subject);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE,
               .actor = folder->importing->what->actor,
               .detail = "imported by number alone"},
        .cert = {.authority = folder->authority,
                 .serial = hf_bytes_of(line->serial, line->serial_len),
                 .profile = "imported",
                 .identity = text,
                 .subject = text,
                 .not_after = line->not_after},
    };
    folder->importing->result.without_file++;
    return text ? hf_bulk_issue(&folder->importing->bulk, &issue) : HF_E_NOMEM;
}

static enum hf_err import_certificate(struct index_folder *folder, const struct hf_index_line *line)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_TRY(read_cert(folder, line, &chain));
    return chain ? hf_import_cert(folder->importing, folder->authority, folder->ca, chain->certs[0],
                                  NULL, 0)
                 : import_number(folder, line);
}

static enum hf_err import_line(void *ctx, const struct hf_index_line *line)
{
    struct index_folder *folder = ctx;
    HF_TRY(import_certificate(folder, line));
    if (line->state != 'R') {
        return HF_OK;
    }
    bool held = line->reason == 6;
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE,
               .actor = folder->importing->what->actor,
               .detail = "imported"},
        .act = held ? HF_ACT_HOLD : HF_ACT_REVOKE,
        .authority = folder->authority,
        .serial = hf_bytes_of(line->serial, line->serial_len),
        .reason = held ? 0 : line->reason,
        .at = line->revoked_at,
        .unknown = true,
        .not_after = line->not_after,
    };
    return hf_bulk_revoke(&folder->importing->bulk, &revoke);
}

/* crlnumber has the next one, in hex. */
static enum hf_err raise_number(struct index_folder *folder)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(SMALL_CAP);
    bool found;
    HF_TRY(hf_import_read(folder->dir, "crlnumber", &text, &found));
    const char *hex = found ? hf_buf_cstr(&text) : "";
    char *end = NULL;
    errno = 0;
    long long next = hex ? strtoll(hex, &end, 16) : 0;
    if (next <= 0 || errno != 0 || (*end && *end != '\n' && *end != '\r')) {
        return HF_OK; /* it has none, or none that could be gone on from */
    }
    struct hf_store_crl_number take = {
        .op = {.kind = HF_STORE_CRL_NUMBER, .actor = folder->importing->what->actor},
        .authority = folder->authority,
        .at_least = next,
    };
    return hf_store_do(folder->importing->store, &take.op);
}

static enum hf_err adopt(struct index_folder *folder)
{
    static const char *const names[] = {"crl.pem", "crl/crl.pem", NULL};
    HF_CLEANUP(hf_buf_done) struct hf_buf crl = HF_BUF_INIT(HF_IMPORT_FILE_CAP);
    const char *name;
    int64_t n;
    HF_TRY(read_first(folder->dir, names, &crl, &name));
    if (name) {
        HF_TRY(hf_store_adopt_crl(folder->importing->store, hf_buf_bytes(&crl), name, 0,
                                  folder->importing->what->actor, &n));
        folder->importing->result.revocations += n;
    }
    return HF_OK;
}

static enum hf_err make_authority(struct index_folder *folder)
{
    static const char *const certs[] = {"ca.crt", "cacert.pem", "ca.pem", "certs/ca.crt", NULL};
    static const char *const keys[] = {"private/ca.key", "private/cakey.pem", "ca.key", NULL};
    HF_CLEANUP(hf_buf_done) struct hf_buf cert = HF_BUF_INIT(SMALL_CAP);
    HF_CLEANUP(wiped_buf_done) struct hf_buf key = HF_BUF_INIT(SMALL_CAP);
    struct hf_import_authority from = {.name = folder->importing->what->name};
    HF_TRY(read_first(folder->dir, certs, &cert, &from.cert_label));
    if (!from.cert_label) {
        return hf_fail(HF_E_NOT_FOUND, "%s has an index.txt, but no ca.crt or cacert.pem",
                       folder->dir);
    }
    if (!folder->importing->what->without_key) {
        HF_TRY(read_first(folder->dir, keys, &key, &from.key_label));
    }
    folder->importing->result.format =
        strcmp(from.cert_label, "ca.crt") == 0 ? "easy-rsa" : "openssl";
    from.cert = hf_buf_bytes(&cert);
    from.key = hf_buf_bytes(&key);
    return hf_import_authority_add(folder->importing, &from, &folder->authority, &folder->ca);
}

static enum hf_err import_index(struct index_folder *folder, struct hf_bytes index)
{
    HF_TRY(make_authority(folder));
    HF_TRY(hf_index_parse(index, "index.txt", import_line, folder));
    /* What is in flight first: a CRL may name certificates that the index has. */
    HF_TRY(hf_bulk_wait(&folder->importing->bulk));
    HF_TRY(adopt(folder));
    return raise_number(folder);
}

enum hf_err hf_import_index_folder(struct hf_importing *importing, bool *out_is)
{
    static const char *const names[] = {"index.txt", "pki/index.txt", NULL};
    HF_CLEANUP(hf_buf_done) struct hf_buf index = HF_BUF_INIT(HF_IMPORT_FILE_CAP);
    const char *name;
    HF_TRY(read_first(importing->what->path, names, &index, &name));
    *out_is = name != NULL;
    if (!name) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep)
    char *dir = hf_path_join(importing->what->path, name == names[0] ? "." : "pki");
    struct index_folder folder = {.importing = importing, .dir = dir};
    if (!dir) {
        return HF_E_NOMEM;
    }
    enum hf_err err = import_index(&folder, hf_buf_bytes(&index));
    hf_cert_unref(folder.ca);
    return err;
}

/* --- step-ca -----------------------------------------------------------------------------------
 */

static enum hf_err import_step(struct hf_importing *importing, const struct hf_step_export *step)
{
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *root = NULL;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *issuing = NULL;
    struct hf_import_authority from = {.cert = hf_buf_bytes(&step->root), .cert_label = "the root"};
    int64_t id;
    HF_TRY(hf_import_authority_add(importing, &from, &from.parent, &root));
    from.name = importing->what->name;
    from.cert = hf_buf_bytes(&step->intermediate);
    from.cert_label = "the intermediate";
    from.key = hf_buf_bytes(&step->key);
    from.key_label = "the intermediate's key";
    return hf_import_authority_add(importing, &from, &id, &issuing);
}

enum hf_err hf_import_step_file(struct hf_importing *importing)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(HF_IMPORT_FILE_CAP);
    struct hf_step_export step;
    importing->result.format = "step-ca";
    HF_TRY(hf_file_read(importing->what->path, &text));
    HF_TRY(hf_step_export_parse(hf_buf_bytes(&text), importing->what->path, &step));
    enum hf_err err = import_step(importing, &step);
    hf_step_export_done(&step);
    return err;
}

/* --- A folder of handfast's own ----------------------------------------------------------------
 */

struct own_folder {
    struct hf_importing *importing;
    int64_t root_id;
    int64_t issuing_id;
    struct hf_cert *root;
    struct hf_cert *issuing;
};

static enum hf_err own_authority(struct own_folder *folder, const char *name, const char *cert_name,
                                 const char *key_name, int64_t parent, int64_t *out_id,
                                 struct hf_cert **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf cert = HF_BUF_INIT(SMALL_CAP);
    HF_CLEANUP(wiped_buf_done) struct hf_buf key = HF_BUF_INIT(SMALL_CAP);
    const char *dir = folder->importing->what->path;
    struct hf_import_authority from = {
        .name = name, .cert_label = cert_name, .key_label = key_name, .parent = parent};
    bool found;
    HF_TRY(hf_import_read(dir, cert_name, &cert, &found));
    if (!found) {
        return hf_fail(HF_E_NOT_FOUND, "%s/%s is missing", dir, cert_name);
    }
    HF_TRY(hf_import_read(dir, key_name, &key, &found)); /* a root's may have been moved away */
    from.cert = hf_buf_bytes(&cert);
    from.key = hf_buf_bytes(&key);
    return hf_import_authority_add(folder->importing, &from, out_id, out);
}

static enum hf_err own_cert(void *ctx, const struct hf_old_issue *issue)
{
    struct own_folder *folder = ctx;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    HF_TRY(hf_cert_from_der(issue->der, &cert));
    return hf_import_cert(folder->importing, folder->issuing_id, folder->issuing, cert,
                          strcmp(issue->profile, "client") == 0 ? "user" : issue->profile,
                          issue->issued_at);
}

static enum hf_err own_journal(struct own_folder *folder)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_IMPORT_FILE_CAP);
    bool found;
    HF_TRY(hf_import_read(folder->importing->what->path, "journal.jsonl", &text, &found));
    return hf_old_journal_parse(hf_buf_bytes(&text), "journal.jsonl", own_cert, folder);
}

static enum hf_err import_own(struct own_folder *folder)
{
    HF_TRY(own_authority(folder, "root", "root/cert.pem", "root/key.pem", 0, &folder->root_id,
                         &folder->root));
    HF_TRY(own_authority(folder, "issuing", "issuing/cert.pem", "issuing/key.pem", folder->root_id,
                         &folder->issuing_id, &folder->issuing));
    return own_journal(folder);
}

enum hf_err hf_import_handfast_folder(struct hf_importing *importing, bool *out_is)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf info = HF_BUF_INIT(SMALL_CAP);
    struct own_folder folder = {.importing = importing};
    HF_TRY(hf_import_read(importing->what->path, "ca.json", &info, out_is));
    if (!*out_is) {
        return HF_OK;
    }
    importing->result.format = "handfast";
    enum hf_err err = import_own(&folder);
    hf_cert_unref(folder.root);
    hf_cert_unref(folder.issuing);
    return err;
}
