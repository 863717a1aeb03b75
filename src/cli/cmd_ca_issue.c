// SPDX-License-Identifier: Apache-2.0
/*
 * Issues a certificate and writes the files around it. The order is what matters:
 *
 *     sign        in memory
 *     outputs     written and synced under temporary names: a full disk ends here, nothing issued
 *     record      in the CA's journal: from here on it is issued
 *     publish     the outputs take their names
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/ca.h"
#include "ca/outputs.h"
#include "cli/ca_commands.h"
#include "cli/passphrase.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/write.h"

enum { FILE_CAP = 1 << 20, DAYS_STANDARD = 90, DAYS_MAX = 3650 };

struct values {
    const char *dir, *server, *client;
    struct hf_texts sans;
    unsigned days;
    const char *not_before, *not_after;
    const char *out;
    const char *key_type;
    const char *csr;
    struct hf_passphrase_from passphrase, p12_passphrase;
    bool p12_legacy, no_p12, force, json;
};

#define OPTION(name_, kind_, value_, member, ...) \
    { \
        .name = (name_), .kind = (kind_), .value = (value_), \
        .offset = offsetof(struct values, member), __VA_ARGS__ \
    }

static const struct hf_option options[] = {
    OPTION("dir", HF_OPT_TEXT, "DIR", dir, .doc = "the folder of the CA", .required = true),
    OPTION("server", HF_OPT_TEXT, "NAME", server,
           .doc = "a server's certificate, for this DNS name or IP address"),
    OPTION("client", HF_OPT_TEXT, "NAME", client,
           .doc = "a client's certificate, with this common name"),
    OPTION("san", HF_OPT_TEXTS, "KIND:NAME", sans,
           .doc = "a further name: DNS:host, URI:uri (spiffe://... too), IP:address, "
                  "email:address; may be given several times"),
    OPTION("days", HF_OPT_UINT, "N", days,
           .doc = "how long it is valid, at most as long as the CA (default: 90)", .min = 1,
           .max = DAYS_MAX),
    OPTION("not-before", HF_OPT_TEXT, "TIME", not_before,
           .doc = "when it begins, as 2026-11-20T23:06:00Z or 2026-11-20 (default: 5 minutes ago)"),
    OPTION("not-after", HF_OPT_TEXT, "TIME", not_after,
           .doc = "when it ends, in place of --days; may lie in the past, to test with"),
    OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type,
           .doc = "p256 (the default), p384, ed25519, rsa2048 or rsa3072"),
    OPTION("csr", HF_OPT_TEXT, "FILE", csr,
           .doc = "certify the key of this request, whose holder keeps it; the names in it are not "
                  "copied"),
    OPTION("out", HF_OPT_TEXT, "PREFIX", out,
           .doc = "write PREFIX.pem, PREFIX.key and PREFIX.p12 (default: the name)"),
    OPTION("p12-passphrase-file", HF_OPT_TEXT, "FILE", p12_passphrase.file,
           .doc = "protect PREFIX.p12 with the first line of FILE, not with a generated "
                  "passphrase in PREFIX.p12.pass"),
    OPTION("p12-passphrase-env", HF_OPT_TEXT, "VARIABLE", p12_passphrase.env,
           .doc = "protect PREFIX.p12 with what the environment variable holds"),
    OPTION("p12-legacy", HF_OPT_SWITCH, NULL, p12_legacy,
           .doc = "protect PREFIX.p12 with 3DES, for programs from before 2019"),
    OPTION("no-p12", HF_OPT_SWITCH, NULL, no_p12, .doc = "write no PREFIX.p12"),
    OPTION("passphrase-file", HF_OPT_TEXT, "FILE", passphrase.file,
           .doc = "the passphrase of the CA's key: the first line of FILE"),
    OPTION("passphrase-env", HF_OPT_TEXT, "VARIABLE", passphrase.env,
           .doc = "the passphrase of the CA's key: what the environment variable holds"),
    OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace output files that exist"),
    OPTION("json", HF_OPT_SWITCH, NULL, json, .doc = "print what was issued as JSON"),
};

/* Everything on the way from the flags to the files. */
struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca *ca;
    struct hf_ca_request request;
    struct hf_buf csr;
    struct hf_ca_leaf leaf;
    struct hf_outputs outputs;
    char *prefix;
    struct hf_secret_text ca_passphrase, p12_passphrase;
    bool p12_generated;
};

static void work_done(struct work *work)
{
    hf_outputs_done(&work->outputs);
    hf_ca_leaf_done(&work->leaf);
    hf_ca_close(work->ca);
    hf_buf_done(&work->csr);
    hf_free(work->prefix);
    hf_secret_text_done(&work->ca_passphrase);
    hf_secret_text_done(&work->p12_passphrase);
}

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* --- Flags -------------------------------------------------------------------------------------
 */

static enum hf_err check_flags(const struct values *values)
{
    static const char both[] = "--%s and --%s exclude each other";
    const struct {
        bool first, second;
        const char *first_name, *second_name;
    } pairs[] = {
        {values->server, values->client, "server", "client"},
        {values->csr, values->key_type, "csr", "key-type"},
        {values->csr, values->p12_legacy, "csr", "p12-legacy"},
        {values->csr, values->p12_passphrase.file, "csr", "p12-passphrase-file"},
        {values->csr, values->p12_passphrase.env, "csr", "p12-passphrase-env"},
        {values->csr, values->no_p12, "csr", "no-p12"},
        {values->no_p12, values->p12_legacy, "no-p12", "p12-legacy"},
        {values->no_p12, values->p12_passphrase.file, "no-p12", "p12-passphrase-file"},
        {values->no_p12, values->p12_passphrase.env, "no-p12", "p12-passphrase-env"},
        {values->days, values->not_after, "days", "not-after"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(pairs); i++) {
        if (pairs[i].first && pairs[i].second) {
            return hf_fail(HF_E_USAGE, both, pairs[i].first_name, pairs[i].second_name);
        }
    }
    if (!values->server && !values->client) {
        return hf_fail(HF_E_USAGE, "say --server NAME or --client NAME");
    }
    return HF_OK;
}

/* The default prefix: the name, with what is awkward in a file's name replaced. */
static char *prefix_of(const struct values *values)
{
    char *prefix = hf_strdup(values->out      ? values->out
                             : values->server ? values->server
                                              : values->client);
    for (char *c = values->out ? NULL : prefix; c && *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
                     (*c >= 'A' && *c <= 'Z') || strchr("-_@", *c) || (*c == '.' && c != prefix);
        *c = plain ? *c : '_';
    }
    return prefix;
}

static enum hf_err read_flags(struct work *work)
{
    const struct values *values = work->values;
    struct hf_ca_request *request = &work->request;
    HF_TRY(check_flags(values));
    request->profile = values->server ? HF_CA_SERVER : HF_CA_CLIENT;
    request->name = values->server ? values->server : values->client;
    request->sans = (const char *const *)values->sans.item;
    request->n_sans = values->sans.n;
    request->key_type = values->key_type ? values->key_type : "p256";
    request->days = values->not_after ? 0 : values->days ? values->days : DAYS_STANDARD;
    if (values->not_before) {
        HF_TRY(hf_ca_parse_time(values->not_before, &request->not_before));
    }
    if (values->not_after) {
        HF_TRY(hf_ca_parse_time(values->not_after, &request->not_after));
    }
    if (values->csr) {
        HF_TRY(hf_file_read(values->csr, &work->csr));
        request->csr = hf_buf_bytes(&work->csr);
        request->csr_label = values->csr;
        request->key_type = NULL;
    }
    HF_TRY(hf_passphrase_read(&values->passphrase, &work->ca_passphrase));
    HF_TRY(hf_passphrase_read(&values->p12_passphrase, &work->p12_passphrase));
    work->prefix = prefix_of(values);
    work->outputs.replace = values->force;
    return work->prefix ? HF_OK : HF_E_NOMEM;
}

/* --- Outputs -----------------------------------------------------------------------------------
 */

static enum hf_err add_output(struct work *work, const char *suffix, struct hf_bytes bytes,
                              unsigned mode)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf path = HF_BUF_INIT(8192);
    HF_TRY(hf_buf_printf(&path, "%s%s", work->prefix, suffix));
    const char *text = hf_buf_cstr(&path);
    return text ? hf_outputs_add(&work->outputs, text, bytes, mode) : HF_E_NOMEM;
}

static enum hf_err add_chain(struct work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_chain_write_pem(work->leaf.chain, &pem));
    return add_output(work, ".pem", hf_buf_bytes(&pem), 0644);
}

static enum hf_err add_key(struct work *work)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_TRY(hf_key_write_pem(work->leaf.key, hf_bytes_of(NULL, 0), &pem));
    return add_output(work, ".key", hf_buf_bytes(&pem), 0600);
}

/* 25 letters and digits without those that look alike: 124 bits, in groups to type. */
static enum hf_err generate_passphrase(struct work *work)
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
    enum hf_err err = hf_secret_text_set(&work->p12_passphrase, hf_bytes_of(text, n));
    hf_wipe(text, sizeof(text));
    return err;
}

static enum hf_err add_passphrase(struct work *work)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf line = HF_BUF_INIT(256);
    HF_TRY(hf_buf_append(&line, hf_passphrase_bytes(&work->p12_passphrase)));
    HF_TRY(hf_buf_u8(&line, '\n'));
    return add_output(work, ".p12.pass", hf_buf_bytes(&line), 0600);
}

static enum hf_err add_p12(struct work *work)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf p12 = HF_BUF_INIT(FILE_CAP);
    work->p12_generated = !work->p12_passphrase.ptr;
    if (work->p12_generated) {
        HF_TRY(generate_passphrase(work));
    }
    struct hf_pkcs12_what what = {
        .key = work->leaf.key,
        .chain = work->leaf.chain,
        .root = hf_ca_root(work->ca),
        .friendly_name = work->request.name,
        .passphrase = work->p12_passphrase.ptr,
        .old_ciphers = work->values->p12_legacy,
    };
    HF_TRY(hf_pkcs12_write(&what, &p12));
    HF_TRY(add_output(work, ".p12", hf_buf_bytes(&p12), 0600));
    return work->p12_generated ? add_passphrase(work) : HF_OK;
}

static enum hf_err add_outputs(struct work *work)
{
    HF_TRY(add_chain(work));
    if (!work->leaf.key) {
        return HF_OK;
    }
    HF_TRY(add_key(work));
    return work->values->no_p12 ? HF_OK : add_p12(work);
}

/* --- Telling -----------------------------------------------------------------------------------
 */

static void print_text(const struct work *work)
{
    const struct hf_identity *id = work->leaf.identity;
    FILE *out = work->cli->out;
    char when[HF_CLI_WHEN_SIZE];
    hf_cli_when(id->not_after, hf_clock_wall_s(&hf_os_clock), when);
    fprintf(out, "issued a %s certificate for %s\n", work->values->server ? "server" : "client",
            hf_identity_display(id));
    fprintf(out, "  serial  %s\n", id->serial);
    fprintf(out, "  ends    %s\n", when);
    for (size_t i = 0; i < work->outputs.n; i++) {
        fprintf(out, "  wrote   %s\n", work->outputs.file[i].path);
    }
}

static enum hf_err print_json(const struct work *work)
{
    const struct hf_identity *id = work->leaf.identity;
    char when[HF_TIME_TEXT_SIZE];
    hf_format_time(id->not_after, when);
    json_t *files = json_array();
    for (size_t i = 0; i < work->outputs.n; i++) {
        (void)json_array_append_new(files, json_string(work->outputs.file[i].path));
    }
    json_t *what =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "serial", id->serial, "profile",
                  work->values->server ? "server" : "client", "subject", id->subject, "not_after",
                  when, "sha256", id->sha256, "capped", (int)work->leaf.capped, "files", files);
    int result = what ? json_dumpf(what, work->cli->out, JSON_INDENT(2)) : -1;
    json_decref(what);
    fputc('\n', work->cli->out);
    return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
}

static enum hf_err print(const struct work *work)
{
    if (work->leaf.capped) {
        hf_cli_say(work->cli, "note: it ends with the CA, earlier than asked");
    }
    if (work->leaf.n_names_in_csr) {
        hf_cli_say(work->cli, "note: the %u names in %s were not copied; --san adds names",
                   work->leaf.n_names_in_csr, work->values->csr);
    }
    if (work->values->json) {
        return print_json(work);
    }
    print_text(work);
    return HF_OK;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

/* Several at once wait for each other; the words are for somebody who wonders. */
static enum hf_err unlock(struct work *work)
{
    struct hf_bytes passphrase = hf_passphrase_bytes(&work->ca_passphrase);
    enum hf_err err = hf_ca_unlock(work->ca, passphrase, false);
    if (err != HF_E_BUSY) {
        return err;
    }
    hf_cli_say(work->cli, "waiting: %s", hf_err_text());
    return hf_ca_unlock(work->ca, passphrase, true);
}

static enum hf_err issue(struct work *work)
{
    struct hf_ca_world world = {&hf_os_clock, &hf_os_rng};
    HF_TRY(read_flags(work));
    HF_TRY(hf_ca_open(work->values->dir, world, &work->ca));
    HF_TRY(unlock(work));
    HF_TRY(hf_ca_sign(work->ca, &work->request, &work->leaf));
    HF_TRY(add_outputs(work));
    HF_TRY(hf_ca_record(work->ca, &work->request, &work->leaf));
    HF_TRY(hf_outputs_publish(&work->outputs));
    return print(work);
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done)
    struct work work = {.cli = cli, .values = given, .csr = HF_BUF_INIT(FILE_CAP)};
    enum hf_err err = issue(&work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_issue = {
    .name = "issue",
    .summary = "issue a certificate",
    .about =
        "Issues a certificate for a server or for a client and writes PREFIX.pem (with the "
        "issuing CA's), PREFIX.key (mode 0600) and PREFIX.p12, which browsers import. What was "
        "issued is in the CA's journal, on the disk, before the command ends; when something "
        "fails, such as a full disk, nothing was issued.\n\n"
        "A certificate that has expired, to try things with, is made by --not-before and "
        "--not-after with times in the past.",
    .example =
        "handfast ca issue --dir ca --server api.example.org --san IP:192.0.2.1 --out server\n"
        "handfast ca issue --dir ca --client alice --san URI:spiffe://example.org/ops/alice\n"
        "handfast ca issue --dir ca --client bob --csr bob.csr --days 30\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
