// SPDX-License-Identifier: Apache-2.0
/*
 * Read aloud, the output says: what happened to whom and when, why, what to do; then who it was,
 * the certificates from root to leaf, the steps, and what each source of revocation said.
 */
#include "cli/explain_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/table.h"
#include "pki/reason.h"

enum { LABEL = 12, TEXT_MAX = 2048 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool has(const json_t *object, const char *key)
{
    return text_of(object, key)[0] != '\0';
}

static bool is(const json_t *object, const char *key, const char *wanted)
{
    return strcmp(text_of(object, key), wanted) == 0;
}

/* Prints text that somebody else made; a terminal takes nothing from it but letters. */
static void put(FILE *out, const char *text)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf safe = HF_BUF_INIT(TEXT_MAX * 4 + 8);
    const char *first = text;
    for (const char *at = text;; at++) { /* it was escaped once: a backslash stays one */
        if (*at && *at != '\\') {
            continue;
        }
        if (hf_append_printable(&safe, hf_bytes_of(first, (size_t)(at - first)), TEXT_MAX) !=
                HF_OK ||
            !*at || hf_buf_u8(&safe, '\\') != HF_OK) {
            break;
        }
        first = at + 1;
    }
    struct hf_bytes bytes = hf_buf_bytes(&safe);
    fwrite(bytes.ptr ? bytes.ptr : (const uint8_t *)"", 1, bytes.len, out);
}

static void label(FILE *out, const char *name)
{
    fprintf(out, "  %-*s", LABEL, name);
}

static void row(FILE *out, const char *name, const char *text)
{
    if (*text) {
        label(out, name);
        put(out, text);
        fputc('\n', out);
    }
}

/* --- What happened ------------------------------------------------------------------------------
 */

static void put_ago(FILE *out, const json_t *verdict, int64_t now_s)
{
    char ago[48];
    int64_t at_s = json_integer_value(json_object_get(verdict, "at_ms")) / 1000;
    int64_t gap = now_s - at_s;
    fputs(", ", out);
    put(out, text_of(verdict, "at"));
    if (gap >= 0 && gap < INT32_MAX) {
        hf_format_duration(gap ? gap * 1000 : 1, ago, sizeof(ago));
        fprintf(out, gap ? " (%s ago)" : " (%s)", gap ? ago : "just now");
    }
}

static void put_headline(FILE *out, const json_t *verdict, int64_t now_s)
{
    static const struct {
        const char *result, *word;
    } words[] = {
        {"refused", "Refused"},
        {"admitted", "Admitted"},
        {"cut", "Cut off"},
        {"reported", "Let in, on report only"},
    };
    const char *word = "Judged";
    for (size_t i = 0; i < HF_N_ELEMENTS(words); i++) {
        word = is(verdict, "result", words[i].result) ? words[i].word : word;
    }
    fprintf(out, "%s: ", word);
    const json_t *request = json_object_get(verdict, "request");
    if (request && has(request, "method")) {
        put(out, text_of(request, "method"));
        fputs(" https://", out);
        put(out, text_of(request, "host"));
        put(out, text_of(request, "path"));
        fputs(" of ", out);
    }
    fputs(is(verdict, "about", "upstream") ? "upstream server " : "client ", out);
    put(out, has(verdict, "peer") ? text_of(verdict, "peer") : "(unknown)");
    if (has(verdict, "listener")) {
        fputs(" at listener ", out);
        put(out, text_of(verdict, "listener"));
    }
    if (has(verdict, "at")) {
        put_ago(out, verdict, now_s);
    }
    fputc('\n', out);
}

static void put_code(FILE *out, const json_t *verdict)
{
    long long status = json_integer_value(json_object_get(verdict, "status"));
    if (!has(verdict, "code")) {
        return;
    }
    label(out, "code");
    put(out, text_of(verdict, "code"));
    if (has(verdict, "step") && !is(verdict, "step", "none")) {
        fputs(", at the step ", out);
        put(out, text_of(verdict, "step"));
    }
    if (status) {
        fprintf(out, "; answered %lld", status);
    }
    if (has(verdict, "alert_sent")) {
        fputs("; the alert sent was ", out);
        put(out, text_of(verdict, "alert_sent"));
    }
    if (has(verdict, "alert_received")) {
        fputs("; the alert that came was ", out);
        put(out, text_of(verdict, "alert_received"));
    }
    fputc('\n', out);
}

static void put_tls(FILE *out, const json_t *verdict)
{
    static const char *const keys[] = {"version", "suite", "group", "alpn"};
    const char *between = "";
    if (!has(verdict, "version") && !has(verdict, "sni")) {
        return;
    }
    label(out, "tls");
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        if (has(verdict, keys[i])) {
            fputs(between, out);
            put(out, text_of(verdict, keys[i]));
            between = ", ";
        }
    }
    if (json_is_true(json_object_get(verdict, "resumed"))) {
        fprintf(out, "%sresumed", between);
        between = ", ";
    }
    if (has(verdict, "sni")) {
        fprintf(out, "%sname asked for: ", between);
        put(out, text_of(verdict, "sni"));
    }
    fputc('\n', out);
}

static void put_who(FILE *out, const json_t *verdict)
{
    const json_t *request = json_object_get(verdict, "request");
    row(out, "client", text_of(verdict, "identity"));
    row(out, "id", text_of(verdict, "id"));
    row(out, "on", text_of(verdict, "connection"));
    row(out, "request", text_of(request, "id"));
    row(out, "route", text_of(request, "route"));
    row(out, "rule", text_of(request, "rule"));
    row(out, "asked", text_of(verdict, "asked"));
    row(out, "trust", text_of(verdict, "trust"));
    put_tls(out, verdict);
}

/* --- The certificates, root first ---------------------------------------------------------------
 */

static void put_indent(FILE *out, size_t depth)
{
    fprintf(out, "  %*s%s", (int)(3 * depth), "", "");
}

static void put_cert(FILE *out, const json_t *cert, size_t depth, bool at_fault)
{
    put_indent(out, depth);
    fputs(depth ? "`- " : "", out);
    put(out, has(cert, "subject") ? text_of(cert, "subject") : "(no subject)");
    fputs(is(cert, "from", "trust") ? "  [root of the trust]" : "", out);
    fputs(at_fault ? "  <-- this one\n" : "\n", out);
    put_indent(out, depth);
    fputs(depth ? "   " : "", out);
    fputs("  serial ", out);
    put(out, text_of(cert, "serial"));
    fputs(", ", out);
    put(out, text_of(cert, "not_before"));
    fputs(" to ", out);
    put(out, has(cert, "not_after") ? text_of(cert, "not_after") : "no end");
    if (has(cert, "key_id")) {
        fputs(", key id ", out);
        put(out, text_of(cert, "key_id"));
    }
    fputc('\n', out);
}

/* The topmost certificate was neither a root nor signed by itself: who is missing? */
static size_t put_missing(FILE *out, const json_t *top)
{
    if (is(top, "from", "trust") || is(top, "subject", text_of(top, "issuer"))) {
        return 0;
    }
    fputs("  ", out);
    put(out, text_of(top, "issuer"));
    fputs("  [neither sent nor in the trust]\n", out);
    if (has(top, "issuer_key_id")) {
        fputs("    key id ", out);
        put(out, text_of(top, "issuer_key_id"));
        fputc('\n', out);
    }
    return 1;
}

static void put_chain(FILE *out, const json_t *verdict)
{
    const json_t *chain = json_object_get(verdict, "chain");
    size_t n = json_array_size(chain);
    const json_t *depth = json_object_get(verdict, "depth");
    if (n == 0) {
        return;
    }
    fputs("\nCertificates, from the root to the peer's own:\n", out);
    size_t shift = put_missing(out, json_array_get(chain, n - 1));
    for (size_t i = n; i-- > 0;) {
        bool at_fault = json_is_integer(depth) && json_integer_value(depth) == (json_int_t)i;
        put_cert(out, json_array_get(chain, i), n - 1 - i + shift, at_fault);
    }
}

/* --- Steps and sources --------------------------------------------------------------------------
 */

static void put_steps(FILE *out, const json_t *verdict)
{
    size_t index;
    const json_t *step;
    const json_t *steps = json_object_get(verdict, "steps");
    if (json_array_size(steps) == 0) {
        return;
    }
    fputs("\nSteps:\n", out);
    json_array_foreach(steps, index, step)
    {
        bool failed = is(step, "result", "failed");
        bool passes = is(verdict, "result", "admitted") || is(verdict, "result", "reported");
        size_t len = strlen(text_of(step, "step"));
        fputs("  ", out);
        put(out, text_of(step, "step"));
        fprintf(out, "%*s", len < LABEL ? (int)(LABEL - len) : 1, "");
        put(out, failed ? "FAILED" : text_of(step, "result"));
        fputs(failed && passes ? ", and let pass\n" : "\n", out);
    }
}

static const char *whose(const json_t *verdict, const json_t *note)
{
    size_t depth = (size_t)json_integer_value(json_object_get(note, "depth"));
    const json_t *cert = json_array_get(json_object_get(verdict, "chain"), depth);
    return has(cert, "subject") ? text_of(cert, "subject") : depth ? "a CA" : "the certificate";
}

/* A source as people call it; one that this program doesn't know keeps its name. */
static const char *source_text(const char *source)
{
    static const struct {
        const char *source, *text;
    } texts[] = {
        {"deny-list", "the deny list"},
        {"ca", "the CA of this daemon"},
        {"crl", "the revocation list"},
        {"staple", "the OCSP response that it brought"},
        {"ocsp", "OCSP"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(texts); i++) {
        if (strcmp(texts[i].source, source) == 0) {
            return texts[i].text;
        }
    }
    return source;
}

static void put_note(FILE *out, const json_t *verdict, const json_t *note)
{
    char age[48];
    const json_t *age_s = json_object_get(note, "age_s");
    fputs("  ", out);
    put(out, whose(verdict, note));
    fputs(": ", out);
    put(out, text_of(note, "answer"));
    fputs(", says ", out);
    put(out, source_text(text_of(note, "source")));
    if (has(note, "issuer")) {
        fputs(" of ", out);
        put(out, text_of(note, "issuer"));
    }
    if (has(note, "number")) {
        fputs(", number ", out);
        put(out, text_of(note, "number"));
    }
    if (has(note, "from") || has(note, "by")) {
        fputs(" (", out);
        put(out, has(note, "from") ? text_of(note, "from") : text_of(note, "by"));
        fputs(")", out);
    }
    json_int_t seconds = json_integer_value(age_s);
    if (json_is_integer(age_s) && seconds > 0 && seconds < INT32_MAX) {
        hf_format_duration(seconds * 1000, age, sizeof(age));
        fprintf(out, ", %s old", age);
    }
    if (has(note, "next_update")) {
        fputs(", good until ", out);
        put(out, text_of(note, "next_update"));
    }
    fputc('\n', out);
}

static void put_notes(FILE *out, const json_t *verdict)
{
    size_t index;
    const json_t *note;
    const json_t *notes = json_object_get(verdict, "revocation");
    if (json_array_size(notes) == 0) {
        return;
    }
    fputs("\nWho was asked about revocation:\n", out);
    json_array_foreach(notes, index, note)
    {
        put_note(out, verdict, note);
    }
}

/* A lapse is told though the client came in: somebody wants to hear of it. */
static void put_lapse(FILE *out, const json_t *verdict)
{
    enum hf_reason reason;
    const char *code = text_of(verdict, "lapse");
    if (*code) {
        label(out, "but");
        put(out, code);
        fputs(hf_reason_find(code, &reason) ? ": " : "", out);
        put(out, hf_reason_find(code, &reason) ? hf_reason_text(reason) : "");
        fputs("; the trust's settings let that pass\n", out);
    }
}

void hf_explain_print_evidence(const json_t *verdict, FILE *out)
{
    put_chain(out, verdict);
    put_steps(out, verdict);
    put_notes(out, verdict);
}

void hf_explain_print_brief(const json_t *verdict, int64_t now_s, FILE *out)
{
    put_headline(out, verdict, now_s);
    row(out, "because", text_of(verdict, "text"));
}

void hf_explain_print(const json_t *verdict, int64_t now_s, FILE *out)
{
    bool fine = is(verdict, "code", "ok");
    put_headline(out, verdict, now_s);
    row(out, "because", text_of(verdict, "text"));
    if (!fine) {
        row(out, "do", text_of(verdict, "do"));
        put_code(out, verdict);
    }
    put_lapse(out, verdict);
    put_who(out, verdict);
    hf_explain_print_evidence(verdict, out);
}

/* --- Many ---------------------------------------------------------------------------------------
 */

void hf_explain_print_list(const json_t *verdicts, FILE *out)
{
    static const struct hf_column columns[] = {
        {"AT", HF_COLUMN_LEFT},       {"ID", HF_COLUMN_LEFT},   {"RESULT", HF_COLUMN_LEFT},
        {"LISTENER", HF_COLUMN_LEFT}, {"PEER", HF_COLUMN_LEFT}, {"CLIENT", HF_COLUMN_LEFT},
        {"CODE", HF_COLUMN_LEFT},
    };
    static const char *const keys[] = {"at",   "id",       "result", "listener",
                                       "peer", "identity", "code"};
    HF_CLEANUP(hf_table_done) struct hf_table table;
    size_t index;
    const json_t *verdict;
    hf_table_init(&table, columns, HF_N_ELEMENTS(columns));
    json_array_foreach(verdicts, index, verdict)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
            hf_table_cell(&table, has(verdict, keys[i]) ? text_of(verdict, keys[i]) : NULL);
        }
    }
    if (hf_table_print(&table, out) != HF_OK) {
        fputs("there is no memory for the table\n", out);
    }
}
