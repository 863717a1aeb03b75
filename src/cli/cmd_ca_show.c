// SPDX-License-Identifier: Apache-2.0
/* `ca show`: the CA itself, or one certificate. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/outputs.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "pki/serials.h"
#include "pki/write.h"

enum { FILE_CAP = 1 << 20 };

struct values {
    struct hf_ca_values ca;
    const char *cert, *authority, *out;
    bool force;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option options[] = {
    OPTION("cert", HF_OPT_TEXT, "FILE", cert,
           .doc = "what the CA knows of this certificate, in place of a SERIAL"),
    OPTION("authority", HF_OPT_TEXT, "NAME", authority,
           .doc = "the CA that issued it, where two used the same number"),
    OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "write it, and its chain, to FILE (PEM)"),
    OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

struct showing {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_authorities *set;
    int64_t now_s;
    size_t n;
};

static void showing_done(struct showing *showing)
{
    hf_authorities_unref(showing->set);
    hf_ca_service_close(showing->service);
}

/* --- The CA ------------------------------------------------------------------------------------
 */

static const char *what_is(const struct hf_authority *one)
{
    return one->state == HF_AUTHORITY_PENDING         ? "waits for its certificate"
           : one->is_root && one->settings.distrusted ? "root, not handed out any more"
           : one->is_root                             ? "root"
           : one->state == HF_AUTHORITY_RETIRED       ? "retired: signs CRLs and OCSP answers only"
                                                      : "issues";
}

static void show_authority(struct showing *showing, const struct hf_authority *one)
{
    FILE *out = showing->cli->out;
    struct hf_identity *id = NULL;
    char ends[HF_CLI_WHEN_SIZE];
    fprintf(out, "%-8s %s\n", one->name, what_is(one));
    if (one->cert && hf_identity_new(one->cert, &id) == HF_OK) {
        hf_cli_when(id->not_after, showing->now_s, ends);
        fprintf(out, "  name   %s\n  key    %s, %s\n  ends   %s\n  sha256 %s\n", id->subject,
                id->key_type, one->key_id ? "in the store" : "kept elsewhere", ends, id->sha256);
        hf_identity_unref(id);
    }
}

static enum hf_err show_ca(struct showing *showing)
{
    struct hf_store_counts counts;
    struct hf_store *store = hf_ca_store(showing->service);
    HF_TRY(hf_store_count(store, 0, showing->now_s, &counts));
    if (showing->values->ca.json) {
        json_t *authorities = json_array();
        for (size_t i = 0; i < showing->set->n; i++) {
            (void)json_array_append_new(authorities, hf_row_authority(showing->set->item[i]));
        }
        return hf_cli_json(
            showing->cli,
            json_pack("{s:s, s:s, s:o, s:{s:I, s:I, s:I, s:I}}", "store", hf_store_url(store), "id",
                      hf_store_id(store), "authorities", authorities, "issued", "certificates",
                      (json_int_t)counts.certificates, "unexpired", (json_int_t)counts.unexpired,
                      "revoked", (json_int_t)counts.revoked, "renewed",
                      (json_int_t)counts.replaced));
    }
    fprintf(showing->cli->out, "store    %s\n", hf_store_url(store));
    for (size_t i = 0; i < showing->set->n; i++) {
        show_authority(showing, showing->set->item[i]);
    }
    fprintf(showing->cli->out,
            "issued   %lld certificates; %lld have not ended, %lld of those are revoked\n",
            (long long)counts.certificates, (long long)counts.unexpired, (long long)counts.revoked);
    return HF_OK;
}

/* --- One certificate ---------------------------------------------------------------------------
 */

static enum hf_err write_pem(const struct showing *showing, const struct hf_store_cert *row)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_outputs_done)
    struct hf_outputs outputs = {.replace = showing->values->force};
    struct hf_cert *cert = NULL;
    const struct hf_authority *by = hf_authorities_by_id(showing->set, row->authority);
    HF_TRY(hf_cert_from_der(row->der, &cert));
    enum hf_err err = hf_cert_write_pem(cert, &pem);
    hf_cert_unref(cert);
    HF_TRY(err);
    if (by && by->chain) {
        HF_TRY(hf_chain_write_pem(by->chain, &pem));
    }
    HF_TRY(hf_outputs_add(&outputs, showing->values->out, hf_buf_bytes(&pem), 0644));
    return hf_outputs_publish(&outputs);
}

static void line(FILE *out, const char *label, const char *value)
{
    if (value && *value) {
        fprintf(out, "%-10s %s\n", label, value);
    }
}

static void when_line(FILE *out, const char *label, int64_t at)
{
    char text[HF_TIME_TEXT_SIZE];
    if (at) {
        hf_format_time(at, text);
        line(out, label, text);
    }
}

static void print_row(struct showing *showing, const struct hf_store_cert *row)
{
    FILE *out = showing->cli->out;
    char serial[2 * HF_STORE_SERIAL_MAX + 1];
    char ends[HF_CLI_WHEN_SIZE];
    const struct hf_authority *by = hf_authorities_by_id(showing->set, row->authority);
    hf_row_serial(row->serial, serial);
    hf_cli_when(row->not_after, showing->now_s, ends);
    line(out, "serial", serial);
    line(out, "name", row->identity);
    line(out, "subject", row->subject);
    for (const char *at = row->sans; at && *at;
         at += strcspn(at, "\n") + (strchr(at, '\n') != NULL)) {
        fprintf(out, "%-10s %.*s\n", "also", (int)strcspn(at, "\n"), at);
    }
    line(out, "profile", row->profile);
    line(out, "key", row->key_type);
    line(out, "issued by", by ? by->name : NULL);
    line(out, "asked by", row->requester);
    when_line(out, "issued at", row->issued_at);
    line(out, "ends", ends);
    line(out, "status", hf_store_status_name(row->status));
    if (row->status != HF_STATUS_GOOD) {
        when_line(out, "since", row->revoked_at);
        line(out, "reason", hf_revoked_for_name((unsigned)row->reason));
    }
    line(out, "renewed", row->replaced_by ? "yes" : NULL);
    when_line(out, "last seen", row->last_seen);
}

static enum hf_err show_row(void *ctx, const struct hf_store_cert *row)
{
    struct showing *showing = ctx;
    showing->n++;
    if (showing->values->out) {
        HF_TRY(write_pem(showing, row));
    }
    if (showing->values->ca.json) {
        return hf_cli_json(showing->cli, hf_row_cert(row, showing->set, showing->now_s));
    }
    print_row(showing, row);
    return HF_OK;
}

static enum hf_err show_cert(struct showing *showing)
{
    HF_CLEANUP(hf_freep) char *from_file = NULL;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_ca_which which = {.authority = showing->values->authority};
    struct hf_store_query query;
    struct hf_store_page page = {.more = true};
    if (showing->values->cert) {
        HF_TRY(hf_ca_serial_of_file(showing->values->cert, &from_file));
    }
    which.serial = from_file ? from_file : showing->cli->args[0];
    HF_TRY(hf_ca_query(showing->service, &which, serial, &query));
    query.with_der = true;
    while (page.more) {
        query.cursor = page.cursor;
        HF_TRY(hf_store_certs(hf_ca_store(showing->service), &query, show_row, showing, &page));
    }
    return showing->n ? HF_OK
                      : hf_fail(HF_E_NOT_FOUND, "there is no certificate with the serial %.64s",
                                which.serial);
}

static enum hf_err show(struct showing *showing)
{
    bool one = showing->values->cert || showing->cli->n_args;
    if (showing->values->cert && showing->cli->n_args) {
        return hf_fail(HF_E_USAGE, "a SERIAL and --cert exclude each other");
    }
    if (showing->values->out && !one) {
        return hf_fail(HF_E_USAGE, "--out wants a SERIAL or --cert");
    }
    HF_TRY(hf_ca_cli_open(&showing->values->ca, &showing->service));
    showing->set = hf_ca_authorities(showing->service);
    return one ? show_cert(showing) : show_ca(showing);
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(showing_done)
    struct showing showing = {.cli = cli, .values = given, .now_s = hf_clock_wall_s(&hf_os_clock)};
    enum hf_err err = show(&showing);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_show = {
    .name = "show",
    .summary = "show the CA itself, or one certificate",
    .args = "[SERIAL]",
    .max_args = 1,
    .about = "Without a SERIAL shows the CA: its authorities, and how much they have issued. With "
             "one, or --cert, what the CA knows of that certificate.",
    .example = "handfast ca show --dir ca\n"
               "handfast ca show --dir ca 5f1c0a... --out again.pem\n"
               "handfast ca show --dir ca --cert server.pem --json\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
