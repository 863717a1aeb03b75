// SPDX-License-Identifier: Apache-2.0
/* `ca audit list|verify`: what was done, and whether the record of it is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/text.h"
#include "cli/ca_open.h"

enum { PAGE = 500, LINE_CAP = 1 << 20 };

struct values {
    struct hf_ca_values ca;
    const char *head;
    unsigned after, limit;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option list_options[] = {
    OPTION("after", HF_OPT_UINT, "SEQ", after, .doc = "only lines behind this one"),
    OPTION("limit", HF_OPT_UINT, "N", limit, .doc = "at most so many lines", .min = 1),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

static const struct hf_option verify_options[] = {
    OPTION("head", HF_OPT_TEXT, "SEQ:HASH", head,
           .doc = "a head that was noted earlier, which must still be in the chain"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

/* --- List --------------------------------------------------------------------------------------
 */

struct listing {
    struct hf_cli *cli;
    bool json;
    int64_t last;
    size_t n, n_page;
};

/* What an older version, or an import, brought in may hold anything. */
static enum hf_err put(struct hf_buf *line, const char *text, const char *behind)
{
    HF_TRY(hf_append_shown(line, hf_bytes_str(text)));
    return hf_buf_append_str(line, behind);
}

static enum hf_err print_row(void *ctx, const struct hf_store_audit *row)
{
    struct listing *listing = ctx;
    FILE *out = listing->cli->out;
    char when[HF_TIME_TEXT_SIZE];
    listing->last = row->seq;
    listing->n_page++;
    if (listing->json) {
        json_t *object = hf_row_audit(row);
        fputs(listing->n++ ? ",\n" : "", out);
        int result = object ? json_dumpf(object, out, JSON_COMPACT) : -1;
        json_decref(object);
        return result == 0 ? HF_OK : hf_fail(HF_E_NOMEM, "the JSON could not be written");
    }
    listing->n++;
    hf_format_time(row->at, when);
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(LINE_CAP);
    HF_TRY(put(&line, row->actor, "  "));
    HF_TRY(put(&line, row->action, "  "));
    HF_TRY(put(&line, row->target, *row->detail ? "  -- " : ""));
    HF_TRY(put(&line, row->detail, ""));
    const char *text = hf_buf_cstr(&line);
    fprintf(out, "%6lld  %s  %s\n", (long long)row->seq, when, text ? text : "");
    return text ? HF_OK : HF_E_NOMEM;
}

static enum hf_err list(struct listing *listing, const struct values *values)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    size_t limit = values->limit ? values->limit : SIZE_MAX;
    size_t want = 0;
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    fputs(values->ca.json ? "[\n" : "", listing->cli->out);
    do {
        want = limit - listing->n < PAGE ? limit - listing->n : PAGE;
        listing->n_page = 0;
        if (want) {
            HF_TRY(hf_store_audits(store, listing->last, want, print_row, listing));
        }
    } while (want && listing->n_page == want);
    fputs(values->ca.json ? "\n]\n" : "", listing->cli->out);
    return HF_OK;
}

static enum hf_exit run_list(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    struct listing listing = {.cli = cli, .json = values->ca.json, .last = values->after};
    enum hf_err err = list(&listing, values);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

/* --- Verify ------------------------------------------------------------------------------------
 */

static enum hf_err read_head(const char *text, int64_t *out_seq,
                             uint8_t out_hash[static HF_STORE_HASH_SIZE])
{
    char *colon = NULL;
    *out_seq = text ? strtoll(text, &colon, 10) : 0;
    if (!text) {
        return HF_OK;
    }
    if (*out_seq <= 0 || *colon != ':' || strlen(colon + 1) != 2 * HF_STORE_HASH_SIZE ||
        hf_unhex(colon + 1, hf_span_of(out_hash, HF_STORE_HASH_SIZE)) != HF_OK) {
        return hf_fail(HF_E_USAGE, "--head is written as verify prints it: SEQ:HASH");
    }
    return HF_OK;
}

static enum hf_err verify(struct hf_cli *cli, const struct values *values, bool *out_whole)
{
    HF_CLEANUP(hf_store_closep) struct hf_store *store = NULL;
    uint8_t hash[HF_STORE_HASH_SIZE];
    char head[2 * HF_STORE_HASH_SIZE + 1];
    int64_t seq = 0;
    struct hf_store_verified found = {0};
    HF_TRY(read_head(values->head, &seq, hash));
    HF_TRY(hf_ca_store_open(&values->ca, &store));
    HF_TRY(hf_store_audit_verify(store, seq, hash, &found));
    hf_hex(hf_bytes_of(found.head, sizeof(found.head)), head);
    *out_whole = found.bad_seq == 0;
    if (values->ca.json) {
        return hf_cli_json(cli, json_pack("{s:b, s:I, s:s, s:I, s:s}", "whole", (int)*out_whole,
                                          "lines", (json_int_t)found.lines, "head", head, "bad_seq",
                                          (json_int_t)found.bad_seq, "what", found.what));
    }
    if (*out_whole) {
        fprintf(cli->out, "the audit log is whole: %lld lines\nhead %lld:%s\n",
                (long long)found.lines, (long long)found.lines, head);
    } else {
        fprintf(cli->out,
                "the audit log is not whole: %s\nSomething other than handfast has changed the "
                "store, or damaged it; compare it with a backup, or with the lists that were "
                "published\n",
                found.what);
    }
    return HF_OK;
}

static enum hf_exit run_verify(struct hf_cli *cli, const void *given)
{
    bool whole = false;
    enum hf_err err = verify(cli, given, &whole);
    return err != HF_OK ? hf_cli_fail(cli, err) : whole ? HF_EXIT_OK : HF_EXIT_PROBLEM;
}

/* --- The commands ------------------------------------------------------------------------------
 */

static const struct hf_command list_command = {
    .name = "list",
    .summary = "list what was done, oldest first",
    .example = "handfast ca audit list --dir ca --after 100\n",
    HF_OPTIONS(list_options),
    .values_size = sizeof(struct values),
    .run = run_list,
};

static const struct hf_command verify_command = {
    .name = "verify",
    .summary = "check that nothing was changed or taken out",
    .about = "Walks the chain of hashes, and holds certificates and revocations against it. The "
             "head that it prints, noted in another place, pins everything up to it: give it back "
             "with --head.",
    .example = "handfast ca audit verify --dir ca\n"
               "handfast ca audit verify --dir ca --head 412:9f86d081...\n",
    HF_OPTIONS(verify_options),
    .values_size = sizeof(struct values),
    .run = run_verify,
};

static const struct hf_command *const below[] = {&list_command, &verify_command, NULL};

const struct hf_command hf_cmd_ca_audit = {
    .name = "audit",
    .summary = "the record of all that was done",
    .example = "handfast ca audit verify --dir ca\n",
    .below = below,
};
