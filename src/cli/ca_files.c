// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_files.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "pki/write.h"

enum { FILE_CAP = 1 << 20 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err check_formats(const struct hf_texts *formats);

/* --- Flags -------------------------------------------------------------------------------------
 */

/* The default prefix: the name, with what is awkward in a file's name replaced. */
static char *prefix_of(const char *out, const char *name)
{
    char *prefix = hf_strdup(out ? out : name);
    for (char *c = out ? NULL : prefix; c && *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || hf_byte_in((uint8_t)*c, "-_@") ||
                     (*c == '.' && c != prefix);
        *c = plain ? *c : '_';
    }
    return prefix;
}

enum hf_err hf_ca_files_init(struct hf_ca_files *files, const struct hf_ca_file_values *values,
                             const char *name)
{
    *files = (struct hf_ca_files){.values = values, .friendly_name = name};
    if (values->no_p12 &&
        (values->p12_legacy || values->p12_passphrase.file || values->p12_passphrase.env)) {
        return hf_fail(HF_E_USAGE, "--no-p12 and --%s exclude each other",
                       values->p12_legacy            ? "p12-legacy"
                       : values->p12_passphrase.file ? "p12-passphrase-file"
                                                     : "p12-passphrase-env");
    }
    HF_TRY(check_formats(&values->formats));
    files->outputs.replace = values->force;
    files->prefix = prefix_of(values->out, name);
    HF_TRY(files->prefix ? HF_OK : HF_E_NOMEM);
    return hf_passphrase_read(&values->p12_passphrase, &files->p12_passphrase);
}

void hf_ca_files_done(struct hf_ca_files *files)
{
    hf_outputs_done(&files->outputs);
    hf_free(files->prefix);
    hf_secret_text_done(&files->p12_passphrase);
}

/* --- Files -------------------------------------------------------------------------------------
 */

static enum hf_err add_output(struct hf_ca_files *files, const char *suffix, struct hf_bytes bytes,
                              unsigned mode)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf path = HF_BUF_INIT(8192);
    HF_TRY(hf_buf_printf(&path, "%s%s", files->prefix, suffix));
    const char *text = hf_buf_cstr(&path);
    return text ? hf_outputs_add(&files->outputs, text, bytes, mode) : HF_E_NOMEM;
}

static enum hf_err add_chain(struct hf_ca_files *files, struct hf_ca_op *op)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    const struct hf_chain *chain;
    HF_TRY(hf_ca_op_chain(op, &chain));
    HF_TRY(hf_chain_write_pem(chain, &pem));
    return add_output(files, ".pem", hf_buf_bytes(&pem), 0644);
}

static enum hf_err add_key(struct hf_ca_files *files, const struct hf_ca_op *op)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_key_write_pem(op->key, hf_bytes_of(NULL, 0), &pem));
    return add_output(files, ".key", hf_buf_bytes(&pem), 0600);
}

/* 25 letters and digits without those that look alike: 124 bits, in groups to type. */
static enum hf_err generate_passphrase(struct hf_secret_text *out)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789-";
    enum { N = 25, GROUP = 5, BASE = sizeof(letters) - 2 };
    char text[N + N / GROUP];
    size_t n = 0;
    for (size_t i = 0; i < N;) {
        uint8_t byte;
        HF_TRY(hf_rng_fill(&hf_os_rng, hf_span_of(&byte, 1)));
        if (byte >= 256 / BASE * BASE) {
            continue; /* or some letters would come more often */
        }
        if (i && i % GROUP == 0) {
            text[n++] = '-';
        }
        text[n++] = letters[byte % BASE];
        i++;
    }
    enum hf_err err = hf_secret_text_set(out, hf_bytes_of(text, n));
    hf_wipe(text, sizeof(text));
    return err;
}

static enum hf_err add_passphrase(struct hf_ca_files *files)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf line = HF_BUF_INIT(256);
    HF_TRY(hf_buf_append(&line, hf_passphrase_bytes(&files->p12_passphrase)));
    HF_TRY(hf_buf_u8(&line, '\n'));
    return add_output(files, ".p12.pass", hf_buf_bytes(&line), 0600);
}

/* The passphrase of all PKCS#12 files: given, or drawn at the first of them. */
static enum hf_err want_passphrase(struct hf_ca_files *files)
{
    if (files->p12_passphrase.ptr) {
        return HF_OK;
    }
    files->p12_generated = true;
    HF_TRY(generate_passphrase(&files->p12_passphrase));
    return add_passphrase(files);
}

static enum hf_err add_p12(struct hf_ca_files *files, struct hf_ca_op *op)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf p12 = HF_BUF_INIT(FILE_CAP);
    const struct hf_chain *chain;
    HF_TRY(hf_ca_op_chain(op, &chain));
    HF_TRY(want_passphrase(files));
    struct hf_pkcs12_what what = {
        .key = op->key,
        .chain = chain,
        .root = op->root,
        .friendly_name = files->friendly_name,
        .passphrase = files->p12_passphrase.ptr,
        .old_ciphers = files->values->p12_legacy,
    };
    HF_TRY(hf_pkcs12_write(&what, &p12));
    return add_output(files, ".p12", hf_buf_bytes(&p12), 0600);
}

/* --- Further formats ---------------------------------------------------------------------------
 */

/* PEM and PKCS#12 have options of their own. NULL: not one of those. */
static const char *suffix_of(enum hf_bundle_format format)
{
    switch (format) {
    case HF_BUNDLE_DER:
    case HF_BUNDLE_PKCS7:
    case HF_BUNDLE_PKCS7_PEM:
    case HF_BUNDLE_KUBERNETES:
        return hf_bundle_end(format);
    case HF_BUNDLE_TRUSTSTORE:
        return ".truststore.p12";
    case HF_BUNDLE_OPENSSH:
        return ".ssh";
    default:
        return NULL;
    }
}

static enum hf_err check_formats(const struct hf_texts *formats)
{
    for (size_t i = 0; i < formats->n; i++) {
        enum hf_bundle_format format = hf_bundle_by_word(formats->item[i]);
        if (format == HF_BUNDLE_N || !suffix_of(format)) {
            return hf_fail(HF_E_USAGE,
                           "--format: \"%.30s\" is none of der, pkcs7, pkcs7-pem, truststore, "
                           "openssh, kubernetes",
                           formats->item[i]);
        }
    }
    return HF_OK;
}

static enum hf_err add_format(struct hf_ca_files *files, struct hf_ca_op *op,
                              enum hf_bundle_format format)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *roots = NULL;
    const struct hf_chain *chain;
    HF_TRY(hf_ca_op_chain(op, &chain));
    struct hf_bundle bundle = {
        .key = op->key,
        .chain = chain,
        .root = op->root,
        .name = files->friendly_name,
    };
    if (format == HF_BUNDLE_TRUSTSTORE) {
        if (!op->root) {
            return hf_fail(HF_E_NOT_FOUND, "the root isn't in the store: no truststore is made");
        }
        HF_TRY(hf_chain_new((struct hf_cert *const *)&op->root, 1, &roots));
        HF_TRY(want_passphrase(files));
        bundle.chain = roots;
        bundle.key = NULL;
        bundle.root = NULL;
        bundle.passphrase = files->p12_passphrase.ptr;
    }
    HF_TRY(hf_bundle_write(format, &bundle, &text));
    return add_output(files, suffix_of(format), hf_buf_bytes(&text),
                      hf_bundle_is_secret(format, &bundle) ? 0600 : 0644);
}

enum hf_err hf_ca_files_add(struct hf_ca_files *files, struct hf_ca_op *op)
{
    const struct hf_texts *formats = &files->values->formats;
    HF_TRY(add_chain(files, op));
    if (op->key) {
        HF_TRY(add_key(files, op));
        HF_TRY(files->values->no_p12 ? HF_OK : add_p12(files, op));
    }
    for (size_t i = 0; i < formats->n; i++) {
        HF_TRY(add_format(files, op, hf_bundle_by_word(formats->item[i])));
    }
    return HF_OK;
}

/* --- Telling -----------------------------------------------------------------------------------
 */

static void tell_text(struct hf_cli *cli, const struct hf_ca_files *files,
                      const struct hf_ca_op *op, const struct hf_identity *id)
{
    char when[HF_CLI_WHEN_SIZE];
    hf_cli_when(id->not_after, hf_clock_wall_s(&hf_os_clock), when);
    fprintf(cli->out, "issued a %s certificate for %s\n", op->profile, hf_identity_display(id));
    fprintf(cli->out, "  serial  %s\n", id->serial);
    fprintf(cli->out, "  ends    %s\n", when);
    for (size_t i = 0; i < files->outputs.n; i++) {
        fprintf(cli->out, "  wrote   %s\n", files->outputs.file[i].path);
    }
}

static enum hf_err tell_json(struct hf_cli *cli, const struct hf_ca_files *files,
                             const struct hf_ca_op *op, const struct hf_identity *id)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < files->outputs.n; i++) {
        (void)json_array_append_new(paths, json_string(files->outputs.file[i].path));
    }
    return hf_cli_json(cli,
                       json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b, s:o}", "serial", id->serial,
                                 "profile", op->profile, "identity", hf_identity_display(id),
                                 "subject", id->subject, "not_after", hf_row_when(id->not_after),
                                 "sha256", id->sha256, "capped", (int)op->capped, "files", paths));
}

enum hf_err hf_ca_files_tell(struct hf_cli *cli, const struct hf_ca_files *files,
                             const struct hf_ca_op *op, bool json)
{
    if (op->capped) {
        hf_cli_say(cli, "note: it ends with the CA, earlier than asked");
    }
    if (json) {
        return tell_json(cli, files, op, op->identity);
    }
    tell_text(cli, files, op, op->identity);
    return HF_OK;
}
