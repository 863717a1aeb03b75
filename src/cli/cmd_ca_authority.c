// SPDX-License-Identifier: Apache-2.0
/* `ca authority ...` and `ca cross-sign`: the CAs themselves. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make.h"
#include "ca/outputs.h"
#include "cli/ca_open.h"
#include "cli/passphrase.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/key.h"
#include "pki/pem.h"
#include "pki/write.h"

enum { FILE_CAP = 1 << 20 };

struct values {
    struct hf_ca_values ca;
    const char *subject, *parent, *key_type, *pkcs11, *successor_of;
    const char *by, *csr, *cert, *key, *out, *root_name;
    struct hf_passphrase_from key_passphrase;
    int64_t lifetime_ms;
    const char *path_len;
    struct hf_texts permit, exclude, crl_url, ocsp_url, issuer_url;
    bool force;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

#define OPTIONS_CA \
    HF_CA_OPTIONS_WHERE(struct values, ca), HF_CA_OPTIONS_KEYS(struct values, ca), \
        HF_CA_OPTIONS_JSON(struct values, ca)

#define OPTIONS_CONTENTS \
    OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms, .doc = "how long it is valid"), \
        OPTION("path-length", HF_OPT_TEXT, "N", path_len, \
               .doc = "how many CAs there may be below it, or \"none\" for no limit"), \
        OPTION("permit", HF_OPT_TEXTS, "KIND:NAME", permit, \
               .doc = "a name constraint: only names below this, as DNS:example.org, " \
                      "IP:10.0.0.0/8"), \
        OPTION("exclude", HF_OPT_TEXTS, "KIND:NAME", exclude, \
               .doc = "a name constraint: no names below this")

#define OPTIONS_URLS \
    OPTION("crl-url", HF_OPT_TEXTS, "URL", crl_url, \
           .doc = "where its CRL is, put into what it issues; {authority} and {shard} are filled " \
                  "in"), \
        OPTION("ocsp-url", HF_OPT_TEXTS, "URL", ocsp_url, .doc = "where the OCSP responder is"), \
        OPTION("issuer-url", HF_OPT_TEXTS, "URL", issuer_url, .doc = "where its certificate is")

#define OPTIONS_KEY_MADE \
    OPTION("subject", HF_OPT_TEXT, "DN", subject, \
           .doc = "its name, as \"CN=Example Issuing CA 2,O=Example\"", .required = true), \
        OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type, \
               .doc = "p256 (the default), p384, ed25519, rsa3072, rsa4096"), \
        OPTION("pkcs11", HF_OPT_TEXT, "URI", pkcs11, \
               .doc = "its key is in this token (PKCS#11); the passphrase is the PIN")

static const struct hf_option plain_options[] = {OPTIONS_CA};

static const struct hf_option make_options[] = {
    OPTIONS_KEY_MADE,
    OPTION("parent", HF_OPT_TEXT, "NAME", parent,
           .doc = "the CA here that signs it (default: itself, a new root)"),
    OPTION("successor-of", HF_OPT_TEXT, "NAME", successor_of,
           .doc = "the CA whose place it takes, for `handfast ca rotate status`"),
    OPTIONS_CONTENTS,
    OPTIONS_URLS,
    OPTIONS_CA,
};

static const struct hf_option request_options[] = {
    OPTIONS_KEY_MADE,
    OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "write the request to FILE", .required = true),
    OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    OPTIONS_URLS,
    OPTIONS_CA,
};

static const struct hf_option sign_options[] = {
    OPTION("csr", HF_OPT_TEXT, "FILE", csr, .doc = "the other CA's request", .required = true),
    OPTION("by", HF_OPT_TEXT, "NAME", by, .doc = "the CA here that signs", .standard = "root"),
    OPTION("out", HF_OPT_TEXT, "FILE", out,
           .doc = "write the certificate, and those above it, to FILE", .required = true),
    OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    OPTIONS_CONTENTS,
    OPTIONS_CA,
};

static const struct hf_option install_options[] = {
    OPTION("cert", HF_OPT_TEXT, "FILE", cert,
           .doc = "the certificate that was signed, with the root that signed it",
           .required = true),
    OPTION("root-name", HF_OPT_TEXT, "NAME", root_name,
           .doc = "what the root is called here, when it is new", .standard = "root"),
    OPTIONS_CA,
};

static const struct hf_option take_options[] = {
    OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "write the key to FILE (PKCS#8, mode 0600)",
           .required = true),
    OPTION("key-passphrase-file", HF_OPT_TEXT, "FILE", key_passphrase.file,
           .doc = "encrypt it with the first line of FILE"),
    OPTION("key-passphrase-env", HF_OPT_TEXT, "VARIABLE", key_passphrase.env,
           .doc = "encrypt it with what the environment variable holds"),
    OPTIONS_CA,
};

static const struct hf_option add_key_options[] = {
    OPTION("key", HF_OPT_TEXT, "FILE", key, .doc = "the key, PEM", .required = true),
    OPTION("key-passphrase-file", HF_OPT_TEXT, "FILE", key_passphrase.file,
           .doc = "open it with the first line of FILE"),
    OPTION("key-passphrase-env", HF_OPT_TEXT, "VARIABLE", key_passphrase.env,
           .doc = "open it with what the environment variable holds"),
    OPTIONS_CA,
};

static const struct hf_option add_cert_options[] = {
    OPTION("cert", HF_OPT_TEXT, "FILE", cert, .doc = "the certificate", .required = true),
    OPTIONS_CA,
};

static const struct hf_option set_options[] = {OPTIONS_URLS, OPTIONS_CA};

static const struct hf_option cross_options[] = {
    OPTION("by", HF_OPT_TEXT, "NAME", by, .doc = "the CA here that signs", .required = true),
    OPTION("cert", HF_OPT_TEXT, "FILE", cert,
           .doc = "the certificate of the other CA, in place of the NAME of one here"),
    OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "write the new certificate to FILE"),
    OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    OPTIONS_CONTENTS,
    OPTIONS_CA,
};

/* --- What the commands have in common ----------------------------------------------------------
 */

struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_authorities *set;
    char actor[HF_CA_ACTOR_SIZE];
};

static void work_done(struct work *work)
{
    hf_authorities_unref(work->set);
    hf_ca_service_close(work->service);
}

static enum hf_err open_service(struct work *work)
{
    hf_ca_actor(work->actor);
    HF_TRY(hf_ca_cli_open(&work->values->ca, &work->service));
    work->set = hf_ca_authorities(work->service);
    return HF_OK;
}

static enum hf_err find(const struct work *work, const char *name, const struct hf_authority **out)
{
    *out = hf_authorities_find(work->set, name);
    return *out ? HF_OK : hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
}

static enum hf_err tell(struct work *work, const char *name, const char *did)
{
    if (work->values->ca.json) {
        hf_ca_reload(work->service);
        hf_authorities_unref(work->set);
        work->set = hf_ca_authorities(work->service);
        const struct hf_authority *one = NULL;
        HF_TRY(find(work, name, &one));
        return hf_cli_json(work->cli, hf_row_authority(one));
    }
    fprintf(work->cli->out, "%s \"%s\"\n", did, name);
    return HF_OK;
}

static enum hf_err fill_urls(const char *flag, const struct hf_texts *from, char **out)
{
    if (from->n > HF_AUTHORITY_URLS_MAX) {
        return hf_fail(HF_E_USAGE, "--%s: at most %d", flag, HF_AUTHORITY_URLS_MAX);
    }
    for (size_t i = 0; i < from->n; i++) {
        out[i] = (char *)(uintptr_t)from->item[i]; /* only read */
    }
    return HF_OK;
}

static enum hf_err fill_settings(const struct values *values, struct hf_authority_settings *out)
{
    out->successor_of = (char *)(uintptr_t)values->successor_of;
    HF_TRY(fill_urls("crl-url", &values->crl_url, out->crl_url));
    HF_TRY(fill_urls("ocsp-url", &values->ocsp_url, out->ocsp_url));
    return fill_urls("issuer-url", &values->issuer_url, out->issuer_url);
}

static enum hf_err read_path_len(const char *text, int *out)
{
    if (!text || strcmp(text, "none") == 0) {
        *out = text ? -1 : HF_PATH_LEN_STANDARD;
        return HF_OK;
    }
    if (strlen(text) != 1 || text[0] < '0' || text[0] > '9') {
        return hf_fail(HF_E_USAGE, "--path-length is 0 to 9, or \"none\"");
    }
    *out = text[0] - '0';
    return HF_OK;
}

static struct hf_made_constraints constraints_of(const struct values *values)
{
    return (struct hf_made_constraints){
        .permitted = values->permit.item,
        .n_permitted = values->permit.n,
        .excluded = values->exclude.item,
        .n_excluded = values->exclude.n,
    };
}

static enum hf_err read_chain(const char *path, struct hf_chain **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_file_read(path, &text));
    return hf_certs_parse(hf_buf_bytes(&text), path, HF_CHAIN_MAX, out);
}

static enum hf_err write_out(const struct values *values, struct hf_bytes bytes, unsigned mode)
{
    return values->force ? hf_file_write_atomic(values->out, bytes, mode)
                         : hf_file_create(values->out, bytes, mode);
}

/* --- Show --------------------------------------------------------------------------------------
 */

static enum hf_err list(struct work *work)
{
    json_t *array = json_array();
    HF_TRY(open_service(work));
    for (size_t i = 0; i < work->set->n; i++) {
        const struct hf_authority *one = work->set->item[i];
        (void)json_array_append_new(array, hf_row_authority(one));
        if (!work->values->ca.json) {
            fprintf(work->cli->out, "%-16s %-8s %s\n", one->name,
                    hf_store_authority_state_name(one->state),
                    one->is_root && one->settings.distrusted ? "root, not handed out"
                    : one->is_root                           ? "root"
                    : one->key_id                            ? "key in the store"
                                                             : "key kept elsewhere");
        }
    }
    if (work->values->ca.json) {
        return hf_cli_json(work->cli, array);
    }
    json_decref(array);
    return HF_OK;
}

static enum hf_err show(struct work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    const struct hf_authority *one = NULL;
    HF_TRY(open_service(work));
    HF_TRY(find(work, work->cli->args[0], &one));
    if (work->values->ca.json) {
        return hf_cli_json(work->cli, hf_row_authority(one));
    }
    if (!one->cert) {
        return hf_fail(HF_E_NOT_FOUND, "\"%s\" waits for its certificate", one->name);
    }
    HF_TRY(one->is_root ? hf_cert_write_pem(one->cert, &pem)
                        : hf_chain_write_pem(one->chain, &pem));
    fwrite(hf_buf_bytes(&pem).ptr, 1, hf_buf_len(&pem), work->cli->out);
    return HF_OK;
}

static enum hf_err roots(struct work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(open_service(work));
    HF_TRY(hf_authorities_roots(work->set, &pem));
    if (work->values->ca.json) {
        const char *text = hf_buf_cstr(&pem);
        return hf_cli_json(work->cli, json_pack("{s:s}", "roots", text ? text : ""));
    }
    fwrite(hf_buf_bytes(&pem).ptr, 1, hf_buf_len(&pem), work->cli->out);
    return HF_OK;
}

/* --- Make --------------------------------------------------------------------------------------
 */

static enum hf_err fill_new(const struct work *work, struct hf_subject *subject,
                            struct hf_authority_new *out)
{
    const struct values *values = work->values;
    HF_TRY(hf_subject_parse(values->subject, subject));
    *out = (struct hf_authority_new){
        .name = work->cli->args[0],
        .subject = subject,
        .parent = values->parent,
        .key_type = values->key_type,
        .pkcs11 = values->pkcs11,
        .lifetime_s = values->lifetime_ms / 1000,
        .constraints = constraints_of(values),
    };
    HF_TRY(read_path_len(values->path_len, &out->path_len));
    return fill_settings(values, &out->settings);
}

static enum hf_err make(struct work *work)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    struct hf_authority_new what;
    HF_TRY(fill_new(work, &subject, &what));
    HF_TRY(open_service(work));
    HF_TRY(hf_authority_make(work->service, work->actor, &what));
    HF_TRY(hf_ca_folder_roots(&work->values->ca, work->service));
    return tell(work, what.name, "made");
}

static enum hf_err request(struct work *work)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_outputs_done)
    struct hf_outputs outputs = {.replace = work->values->force};
    struct hf_authority_new what;
    HF_TRY(fill_new(work, &subject, &what));
    HF_TRY(open_service(work));
    HF_TRY(hf_outputs_add(&outputs, work->values->out, hf_bytes_str(""), 0644)); /* may we? */
    HF_TRY(hf_authority_request(work->service, work->actor, &what, &csr));
    HF_TRY(hf_csr_write_pem(hf_buf_bytes(&csr), &pem));
    HF_TRY(write_out(work->values, hf_buf_bytes(&pem), 0644));
    return tell(work, what.name, "wrote a request for");
}

static enum hf_err install(struct work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    const char *name = work->cli->args[0];
    HF_TRY(read_chain(work->values->cert, &chain));
    HF_TRY(open_service(work));
    HF_TRY(hf_authority_install(work->service, work->actor, name, chain, work->values->root_name));
    HF_TRY(hf_ca_folder_roots(&work->values->ca, work->service));
    return tell(work, name, "installed the certificate of");
}

/* --- Sign --------------------------------------------------------------------------------------
 */

static enum hf_err fill_sign(const struct values *values, struct hf_authority_sign *out)
{
    out->by = values->by;
    out->lifetime_s = values->lifetime_ms / 1000;
    out->constraints = constraints_of(values);
    return read_path_len(values->path_len, &out->path_len);
}

/* The certificate, then those above it, the root as well: all that `install` wants. */
static enum hf_err write_signed(const struct work *work, const struct hf_cert *cert,
                                bool with_above)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    const struct hf_authority *by = NULL;
    HF_TRY(find(work, work->values->by, &by));
    HF_TRY(hf_cert_write_pem(cert, &pem));
    if (with_above && by->chain) {
        HF_TRY(hf_chain_write_pem(by->chain, &pem));
    }
    if (with_above && by->root) {
        HF_TRY(hf_cert_write_pem(by->root, &pem));
    }
    return write_out(work->values, hf_buf_bytes(&pem), 0644);
}

static enum hf_err tell_signed(const struct work *work, const struct hf_cert *cert)
{
    struct hf_identity *id = NULL;
    char when[HF_CLI_WHEN_SIZE];
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id); /* the certificate keeps it */
    if (work->values->ca.json) {
        return hf_cli_json(work->cli,
                           json_pack("{s:s, s:s, s:o}", "serial", id->serial, "subject",
                                     id->subject, "not_after", hf_row_when(id->not_after)));
    }
    hf_cli_when(id->not_after, hf_clock_wall_s(&hf_os_clock), when);
    fprintf(work->cli->out, "signed %s\n  serial  %s\n  ends    %s\n", id->subject, id->serial,
            when);
    if (work->values->out) {
        fprintf(work->cli->out, "  wrote   %s\n", work->values->out);
    }
    return HF_OK;
}

static enum hf_err sign(struct work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    struct hf_authority_sign what = {.label = work->values->csr};
    HF_TRY(fill_sign(work->values, &what));
    HF_TRY(hf_file_read(work->values->csr, &csr));
    what.csr = hf_buf_bytes(&csr);
    HF_TRY(open_service(work));
    HF_TRY(hf_authority_sign(work->service, work->actor, &what, &cert));
    HF_TRY(write_signed(work, cert, true));
    return tell_signed(work, cert);
}

static enum hf_err cross(struct work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    struct hf_authority_sign what = {0};
    const struct hf_authority *whom = NULL;
    if ((work->cli->n_args != 0) == (work->values->cert != NULL)) {
        return hf_fail(HF_E_USAGE, "say whose certificate: the NAME of a CA here, or --cert FILE");
    }
    if (work->values->cert && !work->values->out) {
        return hf_fail(HF_E_USAGE, "--cert wants an --out FILE for the new certificate");
    }
    HF_TRY(fill_sign(work->values, &what));
    HF_TRY(open_service(work));
    if (work->values->cert) {
        HF_TRY(read_chain(work->values->cert, &chain));
        what.cert = chain->certs[0];
        what.label = work->values->cert;
    } else {
        HF_TRY(find(work, work->cli->args[0], &whom));
        what.cert = whom->cert;
        what.label = whom->name;
        HF_TRY(what.cert ? HF_OK
                         : hf_fail(HF_E_NOT_FOUND, "\"%s\" has no certificate yet", whom->name));
    }
    HF_TRY(hf_authority_sign(work->service, work->actor, &what, &cert));
    if (work->values->out) {
        HF_TRY(write_signed(work, cert, false));
    }
    return tell_signed(work, cert);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* The file is on the disk before the key leaves the store. */
static enum hf_err take_key(struct work *work)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    const char *name = work->cli->args[0];
    HF_TRY(hf_passphrase_read(&work->values->key_passphrase, &passphrase));
    HF_TRY(open_service(work));
    HF_TRY(hf_authority_key_pem(work->service, name, hf_passphrase_bytes(&passphrase), &pem));
    HF_TRY(hf_file_create(work->values->out, hf_buf_bytes(&pem), 0600));
    HF_TRY(hf_authority_drop_key(work->service, work->actor, name));
    if (!passphrase.ptr) {
        hf_cli_say(work->cli, "the key in %s is not encrypted; --key-passphrase-file encrypts it",
                   work->values->out);
    }
    return tell(work, name, "took out the key of");
}

static enum hf_err add_key(struct work *work)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    const char *name = work->cli->args[0];
    EVP_PKEY *key = NULL;
    HF_TRY(hf_passphrase_read(&work->values->key_passphrase, &passphrase));
    HF_TRY(hf_file_read_private(work->values->key, &pem));
    const struct hf_locked locked = {
        .text = hf_buf_bytes(&pem),
        .label = work->values->key,
        .passphrase = hf_passphrase_bytes(&passphrase),
    };
    HF_TRY(hf_key_parse(&locked, &key));
    enum hf_err err = open_service(work);
    err = err == HF_OK ? hf_authority_add_key(work->service, work->actor, name, key) : err;
    EVP_PKEY_free(key);
    HF_TRY(err);
    return tell(work, name, "put in the key of");
}

/* --- Changes -----------------------------------------------------------------------------------
 */

static enum hf_err add_cert(struct work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_TRY(read_chain(work->values->cert, &chain));
    HF_TRY(open_service(work));
    HF_TRY(hf_authority_add_cert(work->service, work->actor, chain->certs[0]));
    return tell_signed(work, chain->certs[0]);
}

static enum hf_err retire(struct work *work)
{
    const struct hf_authority *one = NULL;
    HF_TRY(open_service(work));
    HF_TRY(find(work, work->cli->args[0], &one));
    if (one->state != HF_AUTHORITY_ACTIVE) {
        return hf_fail(HF_E_INVALID, "\"%s\" is %s", one->name,
                       hf_store_authority_state_name(one->state));
    }
    HF_TRY(
        hf_authority_change(work->service, work->actor, one, HF_AUTHORITY_RETIRED, &one->settings));
    return tell(work, work->cli->args[0], "retired");
}

static void replace_urls(char *const *from, char **list)
{
    for (size_t i = 0; from[0] && i < HF_AUTHORITY_URLS_MAX; i++) {
        list[i] = from[i];
    }
}

static enum hf_err set(struct work *work)
{
    struct hf_authority_settings given = {0};
    const struct hf_authority *one = NULL;
    HF_TRY(fill_settings(work->values, &given));
    HF_TRY(open_service(work));
    HF_TRY(find(work, work->cli->args[0], &one));
    struct hf_authority_settings merged = one->settings; /* views */
    replace_urls(given.crl_url, merged.crl_url);
    replace_urls(given.ocsp_url, merged.ocsp_url);
    replace_urls(given.issuer_url, merged.issuer_url);
    HF_TRY(hf_authority_change(work->service, work->actor, one, one->state, &merged));
    return tell(work, work->cli->args[0], "changed");
}

/* --- The commands ------------------------------------------------------------------------------
 */

#define RUN(verb) \
    static enum hf_exit run_##verb(struct hf_cli *cli, const void *given) \
    { \
        HF_CLEANUP(work_done) struct work work = {.cli = cli, .values = given}; \
        enum hf_err err = verb(&work); \
        return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err); \
    }

RUN(list)
RUN(show)
RUN(roots)
RUN(make)
RUN(request)
RUN(install)
RUN(sign)
RUN(cross)
RUN(take_key)
RUN(add_key)
RUN(add_cert)
RUN(retire)
RUN(set)

#define COMMAND(variable, name_, summary_, options_, run_, args_, n_args_, ...) \
    static const struct hf_command variable = {.name = (name_), \
                                               .summary = (summary_), \
                                               HF_OPTIONS(options_), \
                                               .values_size = sizeof(struct values), \
                                               .run = (run_), \
                                               .args = (args_), \
                                               .min_args = (n_args_), \
                                               .max_args = (n_args_), \
                                               __VA_ARGS__}

COMMAND(list_command, "list", "list the CAs", plain_options, run_list, NULL, 0,
        .example = "handfast ca authority list --dir ca\n");
COMMAND(show_command, "show", "print the certificate of a CA and those above it", plain_options,
        run_show, "NAME", 1, .example = "handfast ca authority show --dir ca issuing\n");
COMMAND(roots_command, "roots", "print the roots that are to be handed out", plain_options,
        run_roots, NULL, 0,
        .example = "handfast ca authority roots --store postgres://ca@db/ca > roots.pem\n");
COMMAND(make_command, "make", "make a CA, below another one here or a root", make_options, run_make,
        "NAME", 1,
        .example = "handfast ca authority make --dir ca branch --parent root --subject "
                   "'CN=Branch CA,O=Example' --permit DNS:branch.example.org\n");
COMMAND(request_command, "request", "make the key of a CA, and a request for a root elsewhere",
        request_options, run_request, "NAME", 1,
        .example = "handfast ca authority request --dir ca issuing-2 --subject 'CN=Example Issuing "
                   "CA G2,O=Example' --out issuing-2.csr\n");
COMMAND(sign_command, "sign", "sign the request of a CA that is elsewhere", sign_options, run_sign,
        NULL, 0,
        .example = "handfast ca authority sign --dir root --csr issuing.csr --out issuing.pem\n");
COMMAND(install_command, "install", "install the certificate that a request was answered with",
        install_options, run_install, "NAME", 1,
        .example = "handfast ca authority install --dir ca issuing --cert issuing.pem\n");
COMMAND(take_command, "take-key", "take a key out of the store, to keep it elsewhere", take_options,
        run_take_key, "NAME", 1,
        .example = "handfast ca authority take-key --dir ca root --out /media/safe/root.key\n");
COMMAND(add_key_command, "add-key", "put a key back into the store", add_key_options, run_add_key,
        "NAME", 1,
        .example = "handfast ca authority add-key --dir ca root --key /media/safe/root.key\n");
COMMAND(add_cert_command, "add-cert", "keep a certificate that others signed for a CA here",
        add_cert_options, run_add_cert, NULL, 0,
        .about = "Keeps a cross-signed certificate and sends it with the chain of the CA whose key "
                 "it is for.",
        .example = "handfast ca authority add-cert --dir ca --cert cross.pem\n");
COMMAND(retire_command, "retire", "have a CA issue nothing any more", plain_options, run_retire,
        "NAME", 1,
        .about = "A CA that is retired signs CRLs and OCSP answers until its last certificate "
                 "ends, and issues nothing.",
        .example = "handfast ca authority retire --dir ca issuing\n");
COMMAND(set_command, "set", "change the addresses that a CA puts into certificates", set_options,
        run_set, "NAME", 1,
        .example = "handfast ca authority set --dir ca issuing --crl-url "
                   "http://ca.example.org/{authority}.crl\n");

static const struct hf_command *const below[] = {
    &list_command,   &show_command,    &roots_command, &make_command,    &request_command,
    &sign_command,   &install_command, &take_command,  &add_key_command, &add_cert_command,
    &retire_command, &set_command,     NULL,
};

const struct hf_command hf_cmd_ca_authority = {
    .name = "authority",
    .summary = "the CAs themselves: roots, issuing CAs, their keys",
    .example = "handfast ca authority list --dir ca\n"
               "handfast ca authority take-key --dir ca root --out /media/safe/root.key\n",
    .below = below,
};

const struct hf_command hf_cmd_ca_cross_sign = {
    .name = "cross-sign",
    .summary = "sign the certificate of another root or CA once more",
    .args = "[NAME]",
    .max_args = 1,
    .about = "Makes a certificate for the name and the key of another CA, so that who trusts this "
             "one accepts what that one issues. For a CA in the same store it is kept, and sent "
             "with its chain.",
    .example = "handfast ca cross-sign --dir ca --by root root-2\n"
               "handfast ca cross-sign --dir ca --by root --cert partner-root.pem --permit "
               "DNS:partner.example --out partner-cross.pem\n",
    HF_OPTIONS(cross_options),
    .values_size = sizeof(struct values),
    .run = run_cross,
};
