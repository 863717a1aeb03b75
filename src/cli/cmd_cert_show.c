// SPDX-License-Identifier: Apache-2.0
/* Prints the tree that src/pki/describe.h makes of a file: as JSON, or as lines by the table below.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/cert_commands.h"
#include "cli/passphrase.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/describe.h"

struct values {
    struct hf_passphrase_from passphrase;
    bool json;
};

static const struct hf_option options[] = {
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print it as JSON",
     .offset = offsetof(struct values, json)},
    {.name = "passphrase-file",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "open encrypted keys and PKCS#12 with the first line of FILE",
     .offset = offsetof(struct values, passphrase.file)},
    {.name = "passphrase-env",
     .kind = HF_OPT_TEXT,
     .value = "VARIABLE",
     .doc = "open them with what the environment variable holds",
     .offset = offsetof(struct values, passphrase.env)},
};

/* --- Text --------------------------------------------------------------------------------------
 */

/* What is printed of an object, in this order, where it is there. */
static const struct {
    const char *key, *label;
} rows[] = {
    {"subject", "subject"},
    {"issuer", "issuer"},
    {"serial", "serial"},
    {"number", "number"},
    {"status", "status"},
    {"revoked_at", "revoked at"},
    {"reason", "because"},
    {"responder", "by"},
    {"responder_key_sha1", "by key"},
    {"not_before", "begins"},
    {"not_after", "ends"},
    {"this_update", "made"},
    {"next_update", "next"},
    {"entries", "revoked"},
    {"names", "names"},
    {"path_length", "CAs below"},
    {"key_usage", "usage"},
    {"extended_key_usage", "for"},
    {"permitted_names", "only names"},
    {"excluded_names", "no names"},
    {"crl_urls", "CRL at"},
    {"ocsp_urls", "OCSP at"},
    {"issuer_urls", "issuer at"},
    {"key_type", "key"},
    {"signature_algorithm", "signed with"},
    {"sha256", "sha256"},
    {"key_sha256", "key sha256"},
};

static void print_list(FILE *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        fprintf(out, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    }
    fputs(json_array_size(list) ? "\n" : "none\n", out);
}

/* " (expires in 12 d)" behind the date that a certificate or CRL ends with. */
static void print_gap(FILE *out, const json_t *object, const char *key)
{
    const json_t *left = json_object_get(object, "seconds_left");
    bool cert = strcmp(key, "not_after") == 0;
    char gap[48];
    if (!left || (!cert && strcmp(key, "next_update") != 0)) {
        return;
    }
    int64_t gap_s = json_integer_value(left);
    bool over = gap_s < 0;
    hf_format_duration((over ? -gap_s : gap_s) * 1000, gap, sizeof(gap));
    if (over) {
        fprintf(out, " (%s %s ago)", cert ? "expired" : "was due", gap);
    } else {
        fprintf(out, " (%s in %s)", cert ? "expires" : "due", gap);
    }
}

static void print_value(FILE *out, const json_t *object, const char *key, const json_t *value)
{
    if (json_is_array(value)) {
        print_list(out, value);
        return;
    }
    if (json_is_integer(value)) {
        fprintf(out, "%lld\n", (long long)json_integer_value(value));
        return;
    }
    const char *text = json_string_value(value);
    fputs(text && *text ? text : "(empty)", out);
    print_gap(out, object, key);
    fputc('\n', out);
}

static bool is_shown(const json_t *value)
{
    return value && (!json_is_array(value) || json_array_size(value));
}

static void print_object(FILE *out, const json_t *object, size_t number)
{
    fprintf(out, "\n%s %zu: %s\n", json_string_value(json_object_get(object, "kind")), number,
            json_string_value(json_object_get(object, "what")));
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        const json_t *value = json_object_get(object, rows[i].key);
        if (is_shown(value)) {
            fprintf(out, "  %-12s", rows[i].label);
            print_value(out, object, rows[i].key, value);
        }
    }
}

/* Numbers count within a kind: "certificate 2", as the problems have it. */
static size_t number_of(const json_t *objects, size_t at)
{
    const char *kind = json_string_value(json_object_get(json_array_get(objects, at), "kind"));
    size_t n = 1;
    for (size_t i = 0; i < at; i++) {
        n += strcmp(json_string_value(json_object_get(json_array_get(objects, i), "kind")), kind) ==
             0;
    }
    return n;
}

static void print_text(FILE *out, const json_t *tree)
{
    const json_t *objects = json_object_get(tree, "objects");
    const json_t *problems = json_object_get(tree, "problems");
    const json_t *chain = json_object_get(tree, "chain");
    fprintf(out, "%s: %s in %s\n", json_string_value(json_object_get(tree, "file")),
            json_string_value(json_object_get(tree, "what")),
            json_string_value(json_object_get(tree, "format")));
    for (size_t i = 0; i < json_array_size(objects); i++) {
        print_object(out, json_array_get(objects, i), number_of(objects, i));
    }
    if (chain) {
        fprintf(out, "\nchain: %s\n", json_string_value(chain));
    }
    for (size_t i = 0; i < json_array_size(problems); i++) {
        fprintf(out, "%sproblem: %s\n", i || chain ? "" : "\n",
                json_string_value(json_object_get(json_array_get(problems, i), "text")));
    }
}

/* --- The command -------------------------------------------------------------------------------
 */

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err describe(const char *path, const struct values *values, json_t **out)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FILE_MAX);
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_TRY(hf_passphrase_read(&values->passphrase, &passphrase));
    HF_TRY(hf_file_read(path, &text));
    struct hf_describe_input input = {
        .text = hf_buf_bytes(&text),
        .label = path,
        .passphrase = hf_passphrase_bytes(&passphrase),
        .now_s = hf_clock_wall_s(&hf_os_clock),
    };
    return hf_describe(&input, out);
}

/* Something in the file could not be read, though something else could. */
static bool is_partial(const json_t *tree)
{
    const json_t *problems = json_object_get(tree, "problems");
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const json_t *id = json_object_get(json_array_get(problems, i), "id");
        if (strcmp(json_string_value(id), "unreadable") == 0) {
            return true;
        }
    }
    return false;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    json_t *tree = NULL;
    enum hf_err err = describe(cli->args[0], values, &tree);
    if (err != HF_OK) {
        enum hf_exit status = hf_cli_fail(cli, err);
        if (err == HF_E_PASSPHRASE && !values->passphrase.file && !values->passphrase.env) {
            hf_cli_say(cli, "--passphrase-file gives it");
        }
        return status;
    }
    if (values->json) {
        json_dumpf(tree, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
    } else {
        print_text(cli->out, tree);
    }
    enum hf_exit status = is_partial(tree) ? HF_EXIT_PROBLEM : HF_EXIT_OK;
    json_decref(tree);
    return status;
}

const struct hf_command hf_cmd_cert_show = {
    .name = "show",
    .summary = "say what is in a file",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .about =
        "Says in words what is in a file: certificates, chains, private keys (what their "
        "public half tells, never more), public keys, certificate requests, CRLs, PKCS#7 and "
        "PKCS#12, in PEM or DER; the contents decide, not the name. Says what is wrong with "
        "them, too: expired, weak, out of order, a key that belongs to another certificate.\n\n"
        "Exit status 1 means that the file, or a part of it, could not be read. That a "
        "certificate has expired does not change the exit status: it was shown. To check "
        "files before they are used there is 'handfast check'.",
    .example = "handfast cert show server.pem\n"
               "handfast cert show alice.p12 --passphrase-file alice.p12.pass\n"
               "handfast cert show bundle.pem --json | jq -r '.objects[].not_after'\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
