// SPDX-License-Identifier: Apache-2.0
/*
 * Files in, one file out: whatever certificates and key are in the files given, in PEM, DER or
 * PKCS#12, written in another format. The file appears whole, with mode 0600 where it has a key.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cert_commands.h"
#include "cli/passphrase.h"
#include "os/file.h"
#include "pki/bundle.h"
#include "pki/key.h"
#include "pki/pem.h"

enum { CERTS_MAX = HF_CHAIN_MAX, OUT_MAX = 8 << 20 };

struct values {
    const char *to, *out, *name, *root;
    struct hf_passphrase_from in, for_out;
    bool replace;
};

static const struct hf_option options[] = {
    {.name = "to",
     .kind = HF_OPT_TEXT,
     .value = "FORMAT",
     .doc = "pem, der, pkcs12, pkcs12-legacy, pkcs7, pkcs7-pem, truststore, openssh or kubernetes",
     .required = true,
     .offset = offsetof(struct values, to)},
    {.name = "out",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "write to FILE; otherwise to stdout",
     .offset = offsetof(struct values, out)},
    {.name = "replace",
     .kind = HF_OPT_SWITCH,
     .doc = "replace FILE if it exists",
     .offset = offsetof(struct values, replace)},
    {.name = "root",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "put this root in too (pkcs12, pkcs7, kubernetes)",
     .offset = offsetof(struct values, root)},
    {.name = "name",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "alias, comment, or name of the Secret",
     .offset = offsetof(struct values, name)},
    {.name = "passphrase-file",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "open encrypted keys and PKCS#12 with the first line of FILE",
     .offset = offsetof(struct values, in.file)},
    {.name = "passphrase-env",
     .kind = HF_OPT_TEXT,
     .value = "VARIABLE",
     .doc = "open them with what the environment variable holds",
     .offset = offsetof(struct values, in.env)},
    {.name = "out-passphrase-file",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "protect what is written with the first line of FILE",
     .offset = offsetof(struct values, for_out.file)},
    {.name = "out-passphrase-env",
     .kind = HF_OPT_TEXT,
     .value = "VARIABLE",
     .doc = "protect it with what the environment variable holds",
     .offset = offsetof(struct values, for_out.env)},
};

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* --- Gathering --------------------------------------------------------------------------------*/

struct gathered {
    struct hf_cert *cert[CERTS_MAX];
    size_t n;
    EVP_PKEY *key;
    const char *key_from;
};

static void gathered_done(struct gathered *g)
{
    for (size_t i = 0; i < g->n; i++) {
        hf_cert_unref(g->cert[i]);
    }
    EVP_PKEY_free(g->key);
}

static enum hf_err add_chain(struct gathered *g, const struct hf_chain *chain)
{
    for (size_t i = 0; chain && i < chain->n_certs; i++) {
        bool there = false;
        for (size_t j = 0; j < g->n; j++) {
            there =
                there || memcmp(g->cert[j]->sha256, chain->certs[i]->sha256, HF_SHA256_SIZE) == 0;
        }
        if (there) {
            continue;
        }
        if (g->n == CERTS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "more than %d certificates", CERTS_MAX);
        }
        g->cert[g->n++] = hf_cert_ref(chain->certs[i]);
    }
    return HF_OK;
}

static enum hf_err add_key(struct gathered *g, EVP_PKEY *key, const char *path)
{
    if (g->key && EVP_PKEY_eq(g->key, key) != 1) {
        EVP_PKEY_free(key);
        return hf_fail(HF_E_INVALID, "there are two private keys, in %s and in %s", g->key_from,
                       path);
    }
    EVP_PKEY_free(g->key);
    g->key = key;
    g->key_from = path;
    return HF_OK;
}

static enum hf_err add_pkcs12(struct gathered *g, const struct hf_locked *locked)
{
    struct hf_pkcs12 p12 = {0};
    HF_TRY(hf_pkcs12_parse(locked, &p12));
    enum hf_err err = add_chain(g, p12.chain);
    err = err == HF_OK ? add_chain(g, p12.others) : err;
    if (err == HF_OK && p12.key) {
        EVP_PKEY_up_ref(p12.key);
        err = add_key(g, p12.key, locked->label);
    }
    hf_pkcs12_done(&p12);
    return err;
}

/* A file may have certificates, a key, or both; one that has neither is refused. */
static enum hf_err add_plain(struct gathered *g, const struct hf_locked *locked)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    EVP_PKEY *key = NULL;
    bool has_certs = hf_certs_parse(locked->text, locked->label, CERTS_MAX, &chain) == HF_OK;
    if (has_certs) {
        HF_TRY(add_chain(g, chain));
    }
    enum hf_err err = hf_key_parse(locked, &key);
    if (err == HF_OK) {
        return add_key(g, key, locked->label);
    }
    bool no_key = err == HF_E_NOT_FOUND || err == HF_E_MALFORMED;
    if (no_key && has_certs) {
        return HF_OK;
    }
    return no_key ? hf_fail(HF_E_MALFORMED, "%s: there is no certificate and no private key in it",
                            locked->label)
                  : err;
}

static enum hf_err add_file(struct gathered *g, const char *path,
                            const struct hf_secret_text *passphrase)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    HF_TRY(hf_file_read(path, &text));
    const struct hf_locked locked = {hf_buf_bytes(&text), path, hf_passphrase_bytes(passphrase)};
    return hf_looks_like_pkcs12(locked.text) ? add_pkcs12(g, &locked) : add_plain(g, &locked);
}

/* The certificate of the key first, then each one's issuer; the others stay as they came. */
static void put_in_order(struct gathered *g)
{
    for (size_t i = 0; g->key && i < g->n; i++) {
        EVP_PKEY *public = X509_get0_pubkey(g->cert[i]->x509);
        if (public && EVP_PKEY_eq(public, g->key) == 1) {
            struct hf_cert *first = g->cert[i];
            memmove(&g->cert[1], &g->cert[0], i * sizeof(first));
            g->cert[0] = first;
            break;
        }
    }
    for (size_t i = 0; i + 1 < g->n; i++) {
        const X509_NAME *issuer = X509_get_issuer_name(g->cert[i]->x509);
        for (size_t j = i + 1; j < g->n; j++) {
            if (X509_NAME_cmp(issuer, X509_get_subject_name(g->cert[j]->x509)) == 0) {
                struct hf_cert *next = g->cert[j];
                memmove(&g->cert[i + 2], &g->cert[i + 1], (j - i - 1) * sizeof(next));
                g->cert[i + 1] = next;
                break;
            }
        }
    }
}

static enum hf_err check_pair(const struct gathered *g)
{
    EVP_PKEY *public = g->key && g->n ? X509_get0_pubkey(g->cert[0]->x509) : NULL;
    if (g->key && (!public || EVP_PKEY_eq(public, g->key) != 1)) {
        return hf_fail(HF_E_MISMATCH, "the private key in %s belongs to none of the certificates",
                       g->key_from);
    }
    return HF_OK;
}

/* --- Writing ----------------------------------------------------------------------------------*/

static enum hf_err put_out(struct hf_cli *cli, const struct values *values, struct hf_bytes bytes,
                           bool secret)
{
    if (!values->out) {
        return fwrite(bytes.ptr, 1, bytes.len, cli->out) == bytes.len
                   ? HF_OK
                   : hf_fail_errno("standard output");
    }
    unsigned mode = secret ? 0600 : 0644;
    enum hf_err err = values->replace ? hf_file_write_atomic(values->out, bytes, mode)
                                      : hf_file_create(values->out, bytes, mode);
    return err == HF_E_EXISTS ? hf_fail(err, "%s exists; --replace replaces it", values->out) : err;
}

static enum hf_err read_root(const char *path, struct hf_chain **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    HF_TRY(hf_file_read(path, &text));
    return hf_certs_parse(hf_buf_bytes(&text), path, 1, out);
}

static enum hf_err convert(struct hf_cli *cli, const struct values *values, struct gathered *g)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text in = {0};
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text for_out = {0};
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL, *root = NULL;
    HF_CLEANUP(wiped_buf_done) struct hf_buf bytes = HF_BUF_INIT(OUT_MAX);
    enum hf_bundle_format format = hf_bundle_by_word(values->to);
    if (format == HF_BUNDLE_N) {
        return hf_fail(HF_E_USAGE,
                       "--to: \"%.30s\" is none of pem, der, pkcs12, pkcs12-legacy, "
                       "pkcs7, pkcs7-pem, truststore, openssh and kubernetes",
                       values->to);
    }
    HF_TRY(hf_passphrase_read(&values->in, &in));
    HF_TRY(hf_passphrase_read(&values->for_out, &for_out));
    for (size_t i = 0; i < cli->n_args; i++) {
        HF_TRY(add_file(g, cli->args[i], &in));
    }
    put_in_order(g);
    HF_TRY(check_pair(g));
    HF_TRY(hf_chain_new(g->cert, g->n, &chain));
    if (values->root) {
        HF_TRY(read_root(values->root, &root));
    }
    const struct hf_bundle bundle = {.key = g->key,
                                     .chain = chain,
                                     .root = root ? root->certs[0] : NULL,
                                     .name = values->name,
                                     .passphrase = for_out.ptr};
    HF_TRY(hf_bundle_write(format, &bundle, &bytes));
    return put_out(cli, values, hf_buf_bytes(&bytes), hf_bundle_is_secret(format, &bundle));
}

static enum hf_exit run(struct hf_cli *cli, const void *opaque)
{
    const struct values *values = opaque;
    struct gathered gathered = {0};
    enum hf_err err = convert(cli, values, &gathered);
    gathered_done(&gathered);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_cert_convert = {
    .name = "convert",
    .summary = "write certificates and keys in another format",
    .args = "FILE...",
    .min_args = 1,
    .max_args = HF_ARGS_ANY,
    .about =
        "Takes the certificates and the private key out of the files, PEM, DER or PKCS#12, and "
        "writes them in the format of --to. The certificate of the key comes first, then those "
        "that issued it.\n\n"
        "pem: the key, encrypted if there is a passphrase for it, and the chain. der: the first "
        "certificate. pkcs12: key and chain for browsers, Java and Windows; pkcs12-legacy for "
        "programs from before 2019. pkcs7: the certificates. truststore: the certificates as "
        "trusted ones, for Java. openssh: the private key for ssh, or without one the public "
        "key. kubernetes: a Secret of type kubernetes.io/tls.",
    .example = "handfast cert convert server.pem server.key --to pkcs12 --out server.p12 "
               "--out-passphrase-file pass\n"
               "handfast cert convert root.pem --to truststore --name example "
               "--out trust.p12 --out-passphrase-env PASS\n"
               "handfast cert convert server.pem server.key --to kubernetes --name web | kubectl "
               "apply -f -\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
