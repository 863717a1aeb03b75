// SPDX-License-Identifier: Apache-2.0
/*
 * The fields of the line "request" are part of the interface: docs/http-identity.md lists them, and
 * tools parse them. What tells who and whether comes before what the client can make long.
 */
#include "http/access.h"

#include <string.h>

#include "base/mem.h"
#include "http/field.h"
#include "http/msg.h"
#include "http/template.h"

enum { TEXT_MAX = 1024 };

/* Apache's "combined", with the identity where it has the name of the remote user. */
static const char combined[] = "{client.address} - {peer.name} [{time.clf}] \"{request.method} "
                               "{request.target} {request.protocol}\" {status} {bytes.out} "
                               "\"{request.header.referer}\" \"{request.header.user-agent}\"";

struct hf_access {
    enum hf_access_format format;
    struct hf_template *tmpl;
};

enum hf_err hf_access_new(enum hf_access_format format, const char *tmpl, struct hf_access **out)
{
    *out = NULL;
    struct hf_access *access = HF_NEW(struct hf_access);
    if (!access) {
        return HF_E_NOMEM;
    }
    access->format = format;
    const char *text = format == HF_ACCESS_COMBINED ? combined : tmpl;
    bool wanted = format == HF_ACCESS_COMBINED || format == HF_ACCESS_TEMPLATE;
    enum hf_err err = wanted ? hf_template_new(text, HF_TEMPLATE_LOG, &access->tmpl) : HF_OK;
    if (err != HF_OK) {
        hf_access_free(access);
        return err;
    }
    *out = access;
    return HF_OK;
}

void hf_access_free(struct hf_access *access)
{
    if (access) {
        hf_template_free(access->tmpl);
        hf_free(access);
    }
}

bool hf_access_wants_chain(const struct hf_access *access)
{
    return access && access->tmpl && hf_template_wants_chain(access->tmpl);
}

/* --- A line of text ----------------------------------------------------------------------------*/

static void write_text(const struct hf_access *access, const struct hf_log *log,
                       const struct hf_facts *facts)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_ACCESS_LINE_MAX);
    bool known;
    enum hf_err err = hf_template_render(access->tmpl, facts, &line, &known);
    if (err != HF_OK && err != HF_E_TOO_LARGE) {
        return; /* out of memory: there will be other lines to tell of that */
    }
    if (hf_buf_room(&line) < 4) {
        line.end -= 4;
        err = HF_E_TOO_LARGE;
    }
    if (hf_buf_append_str(&line, err == HF_OK ? "\n" : "...\n") == HF_OK) {
        log->write(log->ctx, hf_buf_bytes(&line));
    }
}

/* --- Fields ------------------------------------------------------------------------------------*/

/* Peers' text, of which a field takes so much. */
static void add_text(struct hf_log_line *line, const char *key, struct hf_bytes text)
{
    char cut[TEXT_MAX + 4];
    if (!text.len) {
        return;
    }
    if (text.len > TEXT_MAX) {
        memcpy(cut, text.ptr, TEXT_MAX);
        memcpy(cut + TEXT_MAX, "...", 4);
        text = hf_bytes_str(cut);
    }
    hf_log_bytes(line, key, text);
}

static size_t put_some(char *out, size_t len, struct hf_bytes text)
{
    size_t room = TEXT_MAX + 1 - len;
    size_t n = text.len < room ? text.len : room;
    memcpy(out + len, text.ptr, n);
    return len + n;
}

/* One byte more than a field takes, so that it is seen to be cut. */
static void add_target(struct hf_log_line *line, const struct hf_facts *facts)
{
    char target[TEXT_MAX + 1];
    size_t len = 0;
    if (facts->path.len) {
        len = put_some(target, len, facts->path);
        len = put_some(target, len, hf_bytes_str(facts->has_query ? "?" : ""));
    }
    if (facts->query.len) {
        len = put_some(target, len, facts->query);
    }
    add_text(line, "target", hf_bytes_of(target, len));
}

static void add_known(struct hf_log_line *line, const char *key, int64_t number)
{
    if (number >= 0) {
        hf_log_int(line, key, number);
    }
}

static void add_connection(struct hf_log_line *line, const struct hf_facts *facts)
{
    hf_log_str(line, "id", facts->ids ? facts->ids->request : NULL);
    hf_log_str(line, "connection", facts->connection_id);
    hf_log_str(line, "listener", facts->listener);
    hf_log_str(line, "client", facts->client_address);
    if (facts->trusted) {
        hf_log_str(line, "by", facts->peer_address);
    }
    hf_log_str(line, "user", facts->user);
    if (facts->identity) {
        hf_log_str(line, "identity", hf_identity_display(facts->identity));
        hf_log_str(line, "serial", facts->identity->serial);
        hf_log_bool(line, "verified", facts->verified);
    }
}

static void add_verdict(struct hf_log_line *line, const struct hf_facts *facts)
{
    const struct hf_ending *outcome = facts->outcome;
    hf_log_str(line, "verdict", hf_reason_code(outcome->verdict));
    hf_log_str(line, "rule", outcome->rule);
    hf_log_str(line, "route", facts->route);
    if (outcome->status) {
        hf_log_int(line, "status", outcome->status);
    }
    hf_log_str(line, "cause", outcome->cause);
    hf_log_str(line, "would_refuse", outcome->would_refuse);
    hf_log_str(line, "detail", outcome->detail);
}

static void add_upstream(struct hf_log_line *line, const struct hf_ending *outcome)
{
    hf_log_str(line, "upstream", outcome->upstream);
    hf_log_str(line, "server", outcome->server);
    if (outcome->upstream_status) {
        hf_log_int(line, "upstream_status", outcome->upstream_status);
    }
    if (outcome->tries > 1) {
        hf_log_int(line, "tries", outcome->tries);
    }
}

static void add_sizes(struct hf_log_line *line, const struct hf_ending *outcome)
{
    hf_log_int(line, "bytes_in", (int64_t)outcome->bytes_in);
    hf_log_int(line, "bytes_out", (int64_t)outcome->bytes_out);
    add_known(line, "took_us", outcome->total_us);
    add_known(line, "connect_us", outcome->connect_us);
    add_known(line, "first_byte_us", outcome->first_byte_us);
}

static void add_header(struct hf_log_line *line, const struct hf_facts *facts, const char *key,
                       const char *name)
{
    struct hf_bytes value;
    if (facts->request && hf_http_msg_get_str(facts->request, name, &value)) {
        add_text(line, key, value);
    }
}

static void add_request(struct hf_log_line *line, const struct hf_facts *facts)
{
    hf_log_str(line, "trace", facts->ids ? facts->ids->trace : NULL);
    hf_log_str(line, "span", facts->ids ? facts->ids->span : NULL);
    if (facts->ids && *facts->ids->parent) {
        hf_log_str(line, "parent", facts->ids->parent);
    }
    hf_log_str(line, "protocol", facts->protocol);
    add_text(line, "method", facts->method);
    add_text(line, "host", facts->host);
    add_target(line, facts);
    add_header(line, facts, "user_agent", "user-agent");
    add_header(line, facts, "referer", "referer");
}

static void write_fields(const struct hf_log *log, const struct hf_facts *facts)
{
    struct hf_log always = *log;
    struct hf_log_line line;
    always.level = HF_LOG_INFO;
    hf_log_begin(&line, &always, HF_LOG_INFO, "request");
    add_connection(&line, facts);
    add_verdict(&line, facts);
    add_upstream(&line, facts->outcome);
    add_sizes(&line, facts->outcome);
    add_request(&line, facts);
    hf_log_end(&line);
}

bool hf_access_is_on(const struct hf_access *access)
{
    return access && access->format != HF_ACCESS_OFF;
}

void hf_access_write(const struct hf_access *access, const struct hf_log *log,
                     const struct hf_facts *facts)
{
    if (!hf_access_is_on(access)) {
        return;
    }
    if (access->format == HF_ACCESS_FIELDS) {
        write_fields(log, facts);
    } else {
        write_text(access, log, facts);
    }
}
