// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/folder.h"
#include "ca/init.h"
#include "cli/ca_authority.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/write.h"

enum { CSR_MAX = 64 << 10 };

struct values {
    struct hf_ca_values ca;
    const char *name, *key_type, *root_pkcs11, *issuing_pkcs11;
    int64_t root_lifetime_ms, issuing_lifetime_ms;
    struct hf_texts permit, exclude, crl_url, ocsp_url, issuer_url;
    unsigned shards;
    bool root_only, issuing_only;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option options[] = {
    OPTION("dir", HF_OPT_TEXT, "DIR", ca.dir,
           .doc = "the folder to make; it must not exist, or be empty"),
    OPTION("store", HF_OPT_TEXT, "URL", ca.store,
           .doc = "a database in place of a folder: postgres://...; it must have no CA in it"),
    OPTION("name", HF_OPT_TEXT, "NAME", name,
           .doc = "whose CA it is: the organization in its certificates, at most 48 bytes",
           .required = true),
    OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type,
           .doc = "of both CAs' keys: p256 (the default), p384, ed25519, rsa3072, rsa4096"),
    OPTION("root-lifetime", HF_OPT_DURATION, "TIME", root_lifetime_ms,
           .doc = "how long the root is valid (default: 3650d)"),
    OPTION("issuing-lifetime", HF_OPT_DURATION, "TIME", issuing_lifetime_ms,
           .doc = "how long the issuing CA is valid (default: 1095d)"),
    OPTION("permit", HF_OPT_TEXTS, "KIND:NAME", permit,
           .doc = "a name constraint: the issuing CA issues for names below this only, as "
                  "DNS:example.org, URI:example.org, IP:10.0.0.0/8; may be given several times"),
    OPTION("exclude", HF_OPT_TEXTS, "KIND:NAME", exclude,
           .doc = "a name constraint: never for names below this"),
    OPTION("crl-url", HF_OPT_TEXTS, "URL", crl_url,
           .doc = "where CRLs are, put into certificates; {authority} and {shard} are filled in"),
    OPTION("ocsp-url", HF_OPT_TEXTS, "URL", ocsp_url,
           .doc = "where the OCSP responder is, put into certificates"),
    OPTION("issuer-url", HF_OPT_TEXTS, "URL", issuer_url,
           .doc = "where the issuer's certificate is, put into certificates"),
    OPTION("shards", HF_OPT_UINT, "N", shards,
           .doc = "into how many lists CRLs are divided; --crl-url must have {shard}",
           .max = 65536),
    OPTION("root-only", HF_OPT_SWITCH, NULL, root_only,
           .doc = "make a root alone, to be kept offline"),
    OPTION("issuing-only", HF_OPT_SWITCH, NULL, issuing_only,
           .doc = "make an issuing CA alone, and a request for the root, which is elsewhere"),
    OPTION("root-pkcs11", HF_OPT_TEXT, "URI", root_pkcs11,
           .doc = "the root's key is in this token (PKCS#11); the passphrase is its PIN"),
    OPTION("issuing-pkcs11", HF_OPT_TEXT, "URI", issuing_pkcs11,
           .doc = "the issuing CA's key is in this token"),
    OPTION("passphrase-file", HF_OPT_TEXT, "FILE", ca.passphrase.file,
           .doc = "encrypt the CA's keys with the first line of FILE"),
    OPTION("passphrase-env", HF_OPT_TEXT, "VARIABLE", ca.passphrase.env,
           .doc = "encrypt the CA's keys with what the environment variable holds"),
    OPTION("passphrase-credential", HF_OPT_TEXT, "NAME", ca.passphrase.credential,
           .doc = "encrypt the CA's keys with the systemd credential of this name"),
};

static enum hf_err check_flags(const struct values *values)
{
    if (!values->ca.dir == !values->ca.store) {
        return hf_fail(HF_E_USAGE, values->ca.dir ? "--dir and --store exclude each other"
                                                  : "say where, with --dir or --store");
    }
    if (values->root_only && values->issuing_only) {
        return hf_fail(HF_E_USAGE, "--root-only and --issuing-only exclude each other");
    }
    if (values->issuing_only && (values->permit.n || values->exclude.n)) {
        return hf_fail(HF_E_USAGE, "name constraints are given where the root signs: `handfast ca "
                                   "authority sign`");
    }
    return hf_ca_name_check(values->name);
}

static enum hf_err fill_new(const struct values *values, struct hf_ca_new *out)
{
    *out = (struct hf_ca_new){
        .name = values->name,
        .key_type = values->key_type,
        .root_pkcs11 = values->root_pkcs11,
        .issuing_pkcs11 = values->issuing_pkcs11,
        .root_lifetime_s = values->root_lifetime_ms / 1000,
        .issuing_lifetime_s = values->issuing_lifetime_ms / 1000,
        .constraints = {.permitted = values->permit.item,
                        .n_permitted = values->permit.n,
                        .excluded = values->exclude.item,
                        .n_excluded = values->exclude.n},
        .settings = {.shards = values->shards},
        .root_only = values->root_only,
        .issuing_only = values->issuing_only,
    };
    HF_TRY(hf_authority_fill_urls("crl-url", &values->crl_url, out->settings.crl_url));
    HF_TRY(hf_authority_fill_urls("ocsp-url", &values->ocsp_url, out->settings.ocsp_url));
    HF_TRY(hf_authority_fill_urls("issuer-url", &values->issuer_url, out->settings.issuer_url));
    if (values->shards && (!values->crl_url.n || !strstr(values->crl_url.item[0], "{shard}"))) {
        return hf_fail(HF_E_USAGE, "--shards wants a --crl-url with {shard} in it");
    }
    return HF_OK;
}

/* --- Into a folder or a database ---------------------------------------------------------------
 */

struct making {
    const struct values *values;
    struct hf_ca_new what;
    struct hf_secret_text passphrase;
    struct hf_folder folder;
    struct hf_buf csr;
};

static void making_done(struct making *making)
{
    hf_secret_text_done(&making->passphrase);
    hf_folder_done(&making->folder);
    hf_buf_done(&making->csr);
}

static enum hf_err fill_store(struct making *making, const char *url,
                              const struct hf_ca_values *where)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    char actor[HF_CA_ACTOR_SIZE];
    struct hf_ca_service_options service_options = {
        .store = url,
        .passphrase = hf_bytes_of(making->passphrase.ptr, making->passphrase.len),
        .clock = &hf_os_clock,
        .rng = &hf_os_rng,
        .create = true,
    };
    hf_ca_actor(actor);
    HF_TRY(hf_ca_service_open(&service_options, &service));
    HF_TRY(hf_ca_init(service, actor, &making->what, &making->csr));
    return making->what.issuing_only ? HF_OK : hf_ca_folder_roots(where, service);
}

static enum hf_err write_csr(struct making *making, const char *dir)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(2 * CSR_MAX);
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, "issuing.csr");
    HF_TRY(hf_csr_write_pem(hf_buf_bytes(&making->csr), &pem));
    return path ? hf_file_create(path, hf_buf_bytes(&pem), 0644) : HF_E_NOMEM;
}

static enum hf_err into_folder(struct making *making)
{
    HF_TRY(hf_folder_begin(making->values->ca.dir, &making->folder));
    struct hf_ca_values where = {.dir = making->folder.part};
    size_t size = strlen(making->folder.part) + sizeof("sqlite:/ca.db");
    HF_CLEANUP(hf_freep) char *url = hf_alloc(size);
    if (!url) {
        return HF_E_NOMEM;
    }
    snprintf(url, size, "sqlite:%s/ca.db", making->folder.part);
    HF_TRY(fill_store(making, url, &where));
    if (making->what.issuing_only) {
        HF_TRY(write_csr(making, making->folder.part));
    }
    return hf_folder_publish(&making->folder);
}

static enum hf_err make(struct making *making)
{
    HF_TRY(check_flags(making->values));
    HF_TRY(fill_new(making->values, &making->what));
    HF_TRY(hf_store_passphrase_read(&making->values->ca.passphrase, &making->passphrase));
    return making->values->ca.dir
               ? into_folder(making)
               : fill_store(making, making->values->ca.store, &making->values->ca);
}

/* --- Telling -----------------------------------------------------------------------------------
 */

static enum hf_err tell(struct hf_cli *cli, struct making *making)
{
    const char *dir = making->values->ca.dir;
    fprintf(cli->out, "made the CA \"%s\" in %s\n", making->values->name,
            dir ? dir : making->values->ca.store);
    if (making->what.issuing_only) {
        if (!dir) {
            HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(2 * CSR_MAX);
            HF_TRY(hf_csr_write_pem(hf_buf_bytes(&making->csr), &pem));
            fwrite(hf_buf_bytes(&pem).ptr, 1, hf_buf_len(&pem), cli->out);
            return HF_OK;
        }
        fprintf(cli->out,
                "  %s/issuing.csr  for the root: handfast ca authority sign --csr issuing.csr\n"
                "  then: handfast ca authority install issuing --cert FILE\n",
                dir);
    } else if (dir) {
        fprintf(cli->out,
                "  %s/root.pem  the root certificate, to hand out to both sides\n"
                "  %s/ca.db     everything else; the root's key can be moved away: handfast ca "
                "authority take-key root\n",
                dir, dir);
    }
    if (!making->passphrase.ptr && !making->values->root_pkcs11) {
        hf_cli_say(cli, "the keys are not encrypted; --passphrase-file encrypts them");
    }
    return HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(making_done)
    struct making making = {.values = given, .folder = HF_FOLDER_NONE, .csr = HF_BUF_INIT(CSR_MAX)};
    enum hf_err err = make(&making);
    err = err == HF_OK ? tell(cli, &making) : err;
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_init = {
    .name = "init",
    .summary = "make a new CA",
    .about = "Makes a root and an issuing CA below it, in a folder with an SQLite database or in a "
             "PostgreSQL database. The folder appears whole or not at all, and one that has "
             "something in it is never touched.",
    .example = "handfast ca init --dir ca --name Example\n"
               "handfast ca init --dir /var/lib/ca --name Example --passphrase-file ca.pass\n"
               "handfast ca init --store postgres://ca@db/ca --name Example\n"
               "handfast ca init --dir root --name Example --root-only --key-type p384\n"
               "handfast ca init --dir ca --name Example --issuing-only\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
