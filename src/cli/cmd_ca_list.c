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
     .doc = "print an array of certificates as JSON",
     .offset = offsetof(struct values, json)},
};

struct listing {
    struct hf_cli *cli;
    int64_t now_s;
    size_t n;
};

static enum hf_err print_line(void *ctx, const struct hf_ca_entry *entry)
{
    struct listing *listing = ctx;
    FILE *out = listing->cli->out;
    char when[HF_CLI_WHEN_SIZE];
    hf_cli_when(entry->not_after, listing->now_s, when);
    if (listing->n++ == 0) {
        fprintf(out, "%-32s  %-6s  %-24s  %s\n", "SERIAL", "KIND", "NAME", "ENDS");
    }
    fprintf(out, "%-32s  %-6s  %-24s  %s\n", entry->serial, entry->profile, entry->name, when);
    return HF_OK;
}

static void set_time(json_t *object, const char *key, int64_t when)
{
    char text[HF_TIME_TEXT_SIZE];
    hf_format_time(when, text);
    (void)json_object_set_new(object, key, json_string(text));
}

static enum hf_err print_object(void *ctx, const struct hf_ca_entry *entry)
{
    struct listing *listing = ctx;
    json_t *sans = json_array();
    for (size_t i = 0; i < entry->n_sans; i++) {
        (void)json_array_append_new(sans, json_string(entry->sans[i]));
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:b}", "serial", entry->serial,
                               "profile", entry->profile, "name", entry->name, "subject",
                               entry->subject, "sans", sans, "key_type", entry->key_type, "sha256",
                               entry->sha256, "expired", (int)(entry->not_after <= listing->now_s));
    if (!object) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    set_time(object, "issued_at", entry->issued_at);
    set_time(object, "not_before", entry->not_before);
    set_time(object, "not_after", entry->not_after);
    fputs(listing->n++ ? ",\n" : "", listing->cli->out);
    int result = json_dumpf(object, listing->cli->out, JSON_COMPACT);
    json_decref(object);
    return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
}

static enum hf_err list(struct listing *listing, const struct hf_ca *ca, bool json)
{
    if (!json) {
        return hf_ca_each(ca, print_line, listing);
    }
    fputs("[\n", listing->cli->out);
    HF_TRY(hf_ca_each(ca, print_object, listing));
    fputs(listing->n ? "\n]\n" : "]\n", listing->cli->out);
    return HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    struct listing listing = {cli, hf_clock_wall_s(&hf_os_clock), 0};
    struct hf_ca *ca = NULL;
    enum hf_err err = hf_ca_open(values->dir, (struct hf_ca_world){&hf_os_clock, &hf_os_rng}, &ca);
    if (err == HF_OK) {
        err = list(&listing, ca, values->json);
    }
    hf_ca_close(ca);
    if (err == HF_OK && listing.n == 0) {
        hf_cli_say(cli, "nothing was issued yet");
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_list = {
    .name = "list",
    .summary = "list the certificates that were issued",
    .about = "Lists every certificate that the CA has issued, oldest first, out of its journal.",
    .example = "handfast ca list --dir ca\n"
               "handfast ca list --dir ca --json | jq '.[] | select(.expired)'\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
