// SPDX-License-Identifier: Apache-2.0
/* Opening the folder, and taking it over for issuing. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "ca/folder.h"
#include "os/file.h"
#include "os/sock.h"
#include "pki/pem.h"

enum { FILE_CAP = 1 << 20 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err read_info(struct hf_ca *ca, struct hf_bytes text, const char *path)
{
    json_error_t where;
    json_t *info = json_loadb((const char *)text.ptr, text.len, 0, &where);
    if (!info) {
        return hf_fail(HF_E_MALFORMED, "%s:%d: %s", path, where.line, where.text);
    }
    json_int_t format = json_integer_value(json_object_get(info, "format"));
    const char *name = json_string_value(json_object_get(info, "name"));
    enum hf_err err = HF_OK;
    if (format > HF_CA_FORMAT) {
        err = hf_fail(HF_E_UNSUPPORTED,
                      "%s: this CA is of format %lld, made by a later version of handfast", path,
                      (long long)format);
    } else if (format < 1 || !name) {
        err = hf_fail(HF_E_MALFORMED, "%s: not the description of a CA", path);
    } else {
        ca->name = hf_strdup(name);
        err = ca->name ? HF_OK : HF_E_NOMEM;
    }
    json_decref(info);
    return err;
}

static enum hf_err load_info(struct hf_ca *ca)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(ca->dir, HF_CA_FILE_INFO);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    if (!path) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_file_read(path, &text);
    if (err == HF_E_NOT_FOUND) {
        return hf_fail(err,
                       "there is no CA in %s; make one with: handfast ca init --dir %s --name NAME",
                       ca->dir, ca->dir);
    }
    HF_TRY(err);
    return read_info(ca, hf_buf_bytes(&text), path);
}

static enum hf_err load_cert(const struct hf_ca *ca, const char *name, struct hf_cert **out)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(ca->dir, name);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    if (!path) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_file_read(path, &text));
    HF_TRY(hf_certs_parse(hf_buf_bytes(&text), path, 1, &chain));
    *out = hf_cert_ref(chain->certs[0]);
    return HF_OK;
}

/* The root in the folder must be the one that signed the issuing CA: what is handed out as root.pem
 * is what clients will check against. */
static enum hf_err check_pair(const struct hf_ca *ca)
{
    if (X509_verify(ca->issuing->x509, X509_get0_pubkey(ca->root->x509)) != 1) {
        return hf_fail(HF_E_MISMATCH, "%s: %s was not signed by %s", ca->dir,
                       HF_CA_FILE_ISSUING_CERT, HF_CA_FILE_ROOT_CERT);
    }
    return HF_OK;
}

static enum hf_err load(struct hf_ca *ca, const char *dir)
{
    ca->dir = hf_strdup(dir);
    if (!ca->dir) {
        return HF_E_NOMEM;
    }
    HF_TRY(load_info(ca));
    HF_TRY(load_cert(ca, HF_CA_FILE_ROOT_CERT, &ca->root));
    HF_TRY(load_cert(ca, HF_CA_FILE_ISSUING_CERT, &ca->issuing));
    return check_pair(ca);
}

enum hf_err hf_ca_open(const char *dir, struct hf_ca_world world, struct hf_ca **out)
{
    *out = NULL;
    struct hf_ca *ca = HF_NEW(struct hf_ca);
    if (!ca) {
        return HF_E_NOMEM;
    }
    ca->world = world;
    ca->lock_fd = -1;
    enum hf_err err = load(ca, dir);
    if (err != HF_OK) {
        hf_ca_close(ca);
        return err;
    }
    *out = ca;
    return HF_OK;
}

static enum hf_err load_signer(struct hf_ca *ca, struct hf_bytes passphrase)
{
    HF_CLEANUP(hf_freep) char *cert_path = hf_ca_path(ca->dir, HF_CA_FILE_ISSUING_CERT);
    HF_CLEANUP(hf_freep) char *key_path = hf_ca_path(ca->dir, HF_CA_FILE_ISSUING_KEY);
    HF_CLEANUP(wiped_buf_done) struct hf_buf key = HF_BUF_INIT(FILE_CAP);
    if (!cert_path || !key_path) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_file_read_private(key_path, &key));
    struct hf_credential_source source = {
        .cert = ca->issuing->der,
        .cert_label = cert_path,
        .key = hf_buf_bytes(&key),
        .key_label = key_path,
        .passphrase = passphrase,
    };
    return hf_credential_new(&source, &ca->signer);
}

enum hf_err hf_ca_unlock(struct hf_ca *ca, struct hf_bytes passphrase, bool wait)
{
    if (ca->signer) {
        return HF_OK;
    }
    if (ca->lock_fd < 0) {
        HF_TRY(hf_ca_lock(ca->dir, wait, &ca->lock_fd));
    }
    HF_TRY(hf_journal_repair(ca->dir));
    return load_signer(ca, passphrase);
}

void hf_ca_close(struct hf_ca *ca)
{
    if (ca) {
        hf_closep(&ca->lock_fd);
        hf_credential_unref(ca->signer);
        hf_cert_unref(ca->issuing);
        hf_cert_unref(ca->root);
        hf_free(ca->name);
        hf_free(ca->dir);
        hf_free(ca);
    }
}

const char *hf_ca_name(const struct hf_ca *ca)
{
    return ca->name;
}

const struct hf_cert *hf_ca_root(const struct hf_ca *ca)
{
    return ca->root;
}

const struct hf_cert *hf_ca_issuing(const struct hf_ca *ca)
{
    return ca->issuing;
}
