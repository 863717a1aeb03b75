// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <stdio.h>

#include "base/text.h"
#include "ca/ca.h"
#include "cli/ca_commands.h"
#include "os/clock.h"

struct values {
    const char *dir;
    bool json;
};

static const struct hf_option options[] = {
    {.name = "dir",
     .kind = HF_OPT_TEXT,
     .value = "DIR",
     .doc = "the folder of the CA",
     .required = true,
     .offset = offsetof(struct values, dir)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print it as JSON",
     .offset = offsetof(struct values, json)},
};

struct counts {
    int64_t now_s;
    size_t servers, clients, expired;
};

static enum hf_err count(void *ctx, const struct hf_ca_entry *entry)
{
    struct counts *counts = ctx;
    if (entry->profile[0] == 's') {
        counts->servers++;
    } else {
        counts->clients++;
    }
    counts->expired += entry->not_after <= counts->now_s;
    return HF_OK;
}

static void print_text(struct hf_cli *cli, const struct hf_ca *ca, const struct counts *counts,
                       const struct hf_identity *root, const struct hf_identity *issuing)
{
    char root_ends[HF_CLI_WHEN_SIZE];
    char issuing_ends[HF_CLI_WHEN_SIZE];
    hf_cli_when(root->not_after, counts->now_s, root_ends);
    hf_cli_when(issuing->not_after, counts->now_s, issuing_ends);
    fprintf(cli->out,
            "CA       %s\n"
            "root     %s\n"
            "  ends   %s\n"
            "  sha256 %s\n"
            "issuing  %s\n"
            "  ends   %s\n"
            "  sha256 %s\n"
            "issued   %zu server and %zu client certificates, %zu of them expired\n",
            hf_ca_name(ca), root->subject, root_ends, root->sha256, issuing->subject, issuing_ends,
            issuing->sha256, counts->servers, counts->clients, counts->expired);
}

static json_t *cert_value(const struct hf_identity *id)
{
    char from[HF_TIME_TEXT_SIZE];
    char until[HF_TIME_TEXT_SIZE];
    hf_format_time(id->not_before, from);
    hf_format_time(id->not_after, until);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "subject", id->subject, "serial", id->serial,
                     "key_type", id->key_type, "not_before", from, "not_after", until, "sha256",
                     id->sha256);
}

static enum hf_err print_json(struct hf_cli *cli, const struct hf_ca *ca,
                              const struct counts *counts, const struct hf_identity *root,
                              const struct hf_identity *issuing)
{
    json_t *what = json_pack("{s:s, s:o, s:o, s:{s:I, s:I, s:I}}", "name", hf_ca_name(ca), "root",
                             cert_value(root), "issuing", cert_value(issuing), "issued", "server",
                             (json_int_t)counts->servers, "client", (json_int_t)counts->clients,
                             "expired", (json_int_t)counts->expired);
    int result = what ? json_dumpf(what, cli->out, JSON_INDENT(2)) : -1;
    json_decref(what);
    fputc('\n', cli->out);
    return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
}

static enum hf_err show(struct hf_cli *cli, const struct hf_ca *ca, bool json)
{
    struct counts counts = {.now_s = hf_clock_wall_s(&hf_os_clock)};
    struct hf_identity *root = NULL;
    struct hf_identity *issuing = NULL;
    HF_TRY(hf_ca_each(ca, count, &counts));
    enum hf_err err = hf_identity_new(hf_ca_root(ca), &root);
    if (err == HF_OK) {
        err = hf_identity_new(hf_ca_issuing(ca), &issuing);
    }
    if (err == HF_OK && json) {
        err = print_json(cli, ca, &counts, root, issuing);
    } else if (err == HF_OK) {
        print_text(cli, ca, &counts, root, issuing);
    }
    hf_identity_unref(issuing);
    hf_identity_unref(root);
    return err;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    struct hf_ca *ca = NULL;
    enum hf_err err = hf_ca_open(values->dir, (struct hf_ca_world){&hf_os_clock, &hf_os_rng}, &ca);
    if (err == HF_OK) {
        err = show(cli, ca, values->json);
    }
    hf_ca_close(ca);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_show = {
    .name = "show",
    .summary = "show the CA itself",
    .about = "Shows the CA's root and issuing certificate and how much it has issued.",
    .example = "handfast ca show --dir ca\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
