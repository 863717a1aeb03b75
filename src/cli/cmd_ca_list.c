// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/ca_open.h"
#include "cli/table.h"
#include "os/clock.h"

struct values {
    struct hf_ca_values ca;
    struct hf_ca_which_values which;
    bool revoked, valid;
    unsigned limit;
    const char *cursor;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option options[] = {
    HF_CA_OPTIONS_WHICH(struct values, which),
    OPTION("revoked", HF_OPT_SWITCH, NULL, revoked, .doc = "those revoked or on hold"),
    OPTION("valid", HF_OPT_SWITCH, NULL, valid, .doc = "those neither revoked nor past their end"),
    OPTION("limit", HF_OPT_UINT, "N", limit,
           .doc = "at most so many; where there are more, --cursor goes on", .min = 1,
           .max = HF_STORE_PAGE_MAX),
    OPTION("cursor", HF_OPT_TEXT, "TEXT", cursor, .doc = "go on from where a list stopped"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* A list is printed page by page, so that a million of them take no memory. */
struct listing {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_authorities *set;
    int64_t now_s;
    size_t n;
};

static void listing_done(struct listing *listing)
{
    hf_authorities_unref(listing->set);
    hf_ca_service_close(listing->service);
}

static enum hf_err print_line(void *ctx, const struct hf_store_cert *row)
{
    struct listing *listing = ctx;
    FILE *out = listing->cli->out;
    char serial[2 * HF_STORE_SERIAL_MAX + 1];
    char when[HF_CLI_WHEN_SIZE];
    hf_row_serial(row->serial, serial);
    hf_cli_when(row->not_after, listing->now_s, when);
    if (listing->n++ == 0) {
        fprintf(out, "%-32s  %-8s  %-7s  %-24s  %s\n", "SERIAL", "PROFILE", "STATUS", "NAME",
                "ENDS");
    }
    fprintf(out, "%-32s  %-8s  %-7s  %-24s  %s\n", serial, row->profile,
            hf_store_status_name(row->status), row->identity, when);
    return HF_OK;
}

static enum hf_err print_object(void *ctx, const struct hf_store_cert *row)
{
    struct listing *listing = ctx;
    json_t *object = hf_row_cert(row, listing->set, listing->now_s);
    fputs(listing->n++ ? ",\n" : "", listing->cli->out);
    int result = object ? json_dumpf(object, listing->cli->out, JSON_COMPACT) : -1;
    json_decref(object);
    return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
}

/* With a limit a page that the store made short is filled up by the next. */
static enum hf_err list_pages(struct listing *listing, struct hf_store_query *query,
                              struct hf_store_page *page)
{
    const struct values *values = listing->values;
    size_t limit = values->limit ? values->limit : SIZE_MAX;
    page->more = true;
    while (page->more && listing->n < limit) {
        size_t left = limit - listing->n;
        query->limit = left < HF_STORE_PAGE_MAX ? left : HF_STORE_PAGE_MAX;
        HF_TRY(hf_store_certs(hf_ca_store(listing->service), query,
                              values->ca.json ? print_object : print_line, listing, page));
        query->cursor = page->cursor;
    }
    return HF_OK;
}

static enum hf_err list(struct listing *listing)
{
    const struct values *values = listing->values;
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_ca_which which;
    struct hf_store_query query;
    struct hf_store_page page = {0};
    HF_TRY(hf_ca_which_read(&values->which, &which));
    which.revoked = values->revoked;
    which.valid = values->valid;
    HF_TRY(hf_ca_cli_open(&values->ca, &listing->service));
    HF_TRY(hf_ca_query(listing->service, &which, serial, &query));
    listing->set = hf_ca_authorities(listing->service);
    query.cursor = values->cursor;
    fputs(!values->ca.json ? ""
          : values->limit  ? "{\"certificates\": [\n"
                           : "[\n",
          listing->cli->out);
    HF_TRY(list_pages(listing, &query, &page));
    fputs(values->ca.json && listing->n ? "\n]" : values->ca.json ? "]" : "", listing->cli->out);
    if (values->ca.json && values->limit) {
        fprintf(listing->cli->out, ", \"next\": %s%s%s}", page.more ? "\"" : "",
                page.more ? page.cursor : "null", page.more ? "\"" : "");
    } else if (page.more) {
        hf_cli_say(listing->cli, "there are more: --cursor %s", page.cursor);
    }
    fputs(values->ca.json ? "\n" : "", listing->cli->out);
    return HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(listing_done)
    struct listing listing = {.cli = cli, .values = given, .now_s = hf_clock_wall_s(&hf_os_clock)};
    if (listing.values->revoked && listing.values->valid) {
        return hf_cli_usage(cli, "--revoked and --valid exclude each other");
    }
    enum hf_err err = list(&listing);
    if (err == HF_OK && listing.n == 0) {
        hf_cli_say(cli, "there are none");
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_list = {
    .name = "list",
    .summary = "list and search the certificates that were issued",
    .about = "Lists certificates, the newest first, or those that end soonest first with "
             "--expiring. Everything that is given must hold.",
    .example = "handfast ca list --dir ca\n"
               "handfast ca list --dir ca --expiring 30d --valid\n"
               "handfast ca list --dir ca --text billing --limit 20\n"
               "handfast ca list --dir ca --json | jq '.[] | select(.expired)'\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
