// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "http/query.h"

struct values {
    struct hf_admin_values admin;
    const char *whom[5]; /* in the order of `kinds` */
    const char *reason;
    const char *until;
    const char *undo;
    bool list;
};

/* What names a peer, and how the deny list spells it. */
static const char *const kinds[] = {"serial:", "", "spki-sha256:", "issuer:", "cert-sha256:"};

#define WHOM(name_, value_, doc_, at_) \
    { \
        .name = name_, .kind = HF_OPT_TEXT, .value = value_, .doc = doc_, \
        .offset = offsetof(struct values, whom[at_]) \
    }

static const struct hf_option options[] = {
    WHOM("serial", "HEX", "the certificate with this serial number", 0),
    WHOM("identity", "SELECTOR",
         "all certificates with this name: spiffe://..., dns:, email:, cn:, dn: ...; as in roles",
         1),
    WHOM("spki", "HEX", "all certificates with this key, by the SHA-256 of its SPKI", 2),
    WHOM("issuer", "DN", "all certificates whose issuer has these attributes", 3),
    WHOM("cert", "HEX", "the certificate with this SHA-256 fingerprint", 4),
    {.name = "reason",
     .kind = HF_OPT_TEXT,
     .value = "TEXT",
     .doc = "kept in the list and told in the log",
     .offset = offsetof(struct values, reason)},
    {.name = "until",
     .kind = HF_OPT_TEXT,
     .value = "TIME",
     .doc = "when it ends: a duration from now (12h), or 2027-01-31T12:00:00Z; default: never",
     .offset = offsetof(struct values, until)},
    {.name = "undo",
     .kind = HF_OPT_TEXT,
     .value = "ID",
     .doc = "take the entry with this number back",
     .offset = offsetof(struct values, undo)},
    {.name = "list",
     .kind = HF_OPT_SWITCH,
     .doc = "show the deny list",
     .offset = offsetof(struct values, list)},
    HF_ADMIN_OPTIONS(struct values, admin),
};

/* --- What is asked ------------------------------------------------------------------------------
 */

static enum hf_err read_until(const char *text, int64_t *out)
{
    int64_t ms = 0;
    if (hf_parse_duration(text, &ms) == HF_OK) {
        *out = (int64_t)time(NULL) + ms / 1000;
        return HF_OK;
    }
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (!end || *end) {
        return hf_fail(HF_E_USAGE,
                       "--until: \"%s\" is neither a duration such as 12h nor a time "
                       "such as 2027-01-31T12:00:00Z",
                       text);
    }
    *out = (int64_t)timegm(&parts);
    return HF_OK;
}

static enum hf_err add_param(const char *name, const char *value, struct hf_buf *out)
{
    bool first = !memchr(hf_buf_bytes(out).ptr, '?', hf_buf_len(out));
    HF_TRY(hf_buf_printf(out, "%s%s=", first ? "?" : "&", name));
    return hf_http_percent_encode(hf_bytes_str(value), out);
}

/* The selector of what was given: exactly one of --serial, --identity ... */
static enum hf_err make_selector(const struct values *values, struct hf_buf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (values->whom[i]) {
            n++;
            HF_TRY(hf_buf_printf(out, "%s%s", kinds[i], values->whom[i]));
        }
    }
    return n == 1 ? HF_OK
                  : hf_fail(HF_E_USAGE, "say whom with one of --serial, --identity, --spki, "
                                        "--issuer and --cert");
}

static enum hf_err make_target(const struct values *values, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf selector = HF_BUF_INIT(8192);
    if (values->undo) {
        HF_TRY(hf_buf_append_str(out, "/revocations/undo"));
        return add_param("id", values->undo, out);
    }
    HF_TRY(make_selector(values, &selector));
    const char *text = hf_buf_cstr(&selector);
    HF_TRY(hf_buf_append_str(out, "/revocations"));
    HF_TRY(text ? add_param("selector", text, out) : HF_E_NOMEM);
    if (values->reason) {
        HF_TRY(add_param("reason", values->reason, out));
    }
    if (values->until) {
        char number[24];
        int64_t until = 0;
        HF_TRY(read_until(values->until, &until));
        snprintf(number, sizeof(number), "%lld", (long long)until);
        HF_TRY(add_param("until", number, out));
    }
    return HF_OK;
}

/* --- What is answered ---------------------------------------------------------------------------
 */

static void time_cell(struct hf_table *table, long long at)
{
    char text[32] = "-";
    time_t seconds = (time_t)at;
    struct tm parts;
    if (at && gmtime_r(&seconds, &parts)) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    }
    hf_table_cell(table, text);
}

static enum hf_err print_list(struct hf_cli *cli, const json_t *answer)
{
    static const struct hf_column columns[] = {{"ID", HF_COLUMN_RIGHT},
                                               {"WHOM", HF_COLUMN_LEFT},
                                               {"SINCE", HF_COLUMN_LEFT},
                                               {"UNTIL", HF_COLUMN_LEFT},
                                               {"REASON", HF_COLUMN_LEFT}};
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t at;
    const json_t *entry;
    hf_table_init(&table, columns, HF_N_ELEMENTS(columns));
    json_array_foreach(json_object_get(answer, "entries"), at, entry)
    {
        hf_table_cell_fmt(&table, "%lld", hf_json_number(entry, "id"));
        hf_table_cell(&table, hf_json_text(entry, "selector"));
        time_cell(&table, hf_json_number(entry, "created_at"));
        time_cell(&table, hf_json_number(entry, "until"));
        hf_table_cell(&table, hf_json_text(entry, "reason"));
    }
    return hf_table_print(&table, cli->out);
}

static enum hf_err ask(struct hf_cli *cli, const struct values *values, struct hf_admin_answer *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf target = HF_BUF_INIT(64u << 10);
    if (values->list) {
        return hf_admin_ask(cli, &values->admin, "GET", "/revocations", out);
    }
    HF_TRY(make_target(values, &target));
    const char *text = hf_buf_cstr(&target);
    return text ? hf_admin_ask(cli, &values->admin, "POST", text, out) : HF_E_NOMEM;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    enum hf_err err = ask(cli, values, &answer);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    if (values->admin.json) {
        return hf_admin_print(cli, &answer);
    }
    if (answer.status / 100 != 2) {
        hf_cli_say(cli, "error: %s", hf_json_text(answer.json, "message"));
        return HF_EXIT_PROBLEM;
    }
    if (values->list) {
        err = print_list(cli, answer.json);
        return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
    }
    if (values->undo) {
        fprintf(cli->out, "entry %lld is taken back\n", hf_json_number(answer.json, "id"));
        return HF_EXIT_OK;
    }
    fprintf(cli->out, "entry %lld: %s may no longer come in; %lld sessions were closed\n",
            hf_json_number(answer.json, "id"), hf_json_text(answer.json, "selector"),
            hf_json_number(answer.json, "closed"));
    return HF_EXIT_OK;
}

const struct hf_command hf_cmd_revoke = {
    .name = "revoke",
    .summary = "shut somebody out of a running daemon, at once and without a CA",
    .about = "Adds an entry to the daemon's own deny list. When the answer comes, the entry is on "
             "the disk, nobody it names can come in any more, on a ticket neither, and their live "
             "sessions have been closed. It holds in every trust, for clients and for upstream "
             "servers, and for the CA certificates of a chain. The config must name a folder to "
             "keep the list in (`state`).",
    .example = "handfast revoke --serial 1f:2e:3d --reason 'lost laptop'\n"
               "handfast revoke --identity 'spiffe://example.org/ops/*' --until 12h\n"
               "handfast revoke --list\n"
               "handfast revoke --undo 7\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
