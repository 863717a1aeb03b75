// SPDX-License-Identifier: Apache-2.0
/*
 * What was issued, for ever. A line holds the whole certificate, so that the journal alone says
 * everything; issued/ is for people and for shell scripts.
 *
 * A certificate is on the disk in both places before anybody is told of it. The file in issued/ is
 * first and is taken away again when the line can't be written; a crash between the two leaves a
 * file that no line names and that nobody was given.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/folder.h"
#include "os/file.h"
#include "pki/write.h"

enum { JOURNAL_MAX = 1 << 30, FILE_CAP = 256 << 10 };

/* --- Writing -----------------------------------------------------------------------------------
 */

static json_t *time_value(int64_t when)
{
    char text[HF_TIME_TEXT_SIZE];
    hf_format_time(when, text);
    return json_string(text);
}

static json_t *base64_value(struct hf_bytes der)
{
    char *text = hf_alloc(der.len / 3 * 4 + 5);
    if (!text) {
        return NULL;
    }
    EVP_EncodeBlock((unsigned char *)text, der.ptr, (int)der.len);
    json_t *value = json_string(text);
    hf_free(text);
    return value;
}

static void add_names(json_t *array, const char *kind, const struct hf_names_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        (void)json_array_append_new(array, json_sprintf("%s:%s", kind, names->name[i]));
    }
}

static json_t *sans_value(const struct hf_identity *id)
{
    json_t *array = json_array();
    add_names(array, "DNS", &id->dns);
    add_names(array, "URI", &id->uri);
    add_names(array, "IP", &id->ip);
    add_names(array, "email", &id->email);
    return array;
}

static json_t *entry_value(const struct hf_ca *ca, const struct hf_ca_request *request,
                           const struct hf_ca_leaf *leaf)
{
    const struct hf_identity *id = leaf->identity;
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "event",
                     "issue", "at", time_value(hf_clock_wall_s(ca->world.clock)), "serial",
                     id->serial, "profile", request->profile == HF_CA_SERVER ? "server" : "client",
                     "name", request->name, "subject", id->subject, "sans", sans_value(id),
                     "not_before", time_value(id->not_before), "not_after",
                     time_value(id->not_after), "key_type", id->key_type, "sha256", id->sha256,
                     "der", base64_value(leaf->cert->der));
}

static enum hf_err append_entry(const struct hf_ca *ca, const struct hf_ca_request *request,
                                const struct hf_ca_leaf *leaf)
{
    json_t *entry = entry_value(ca, request, leaf);
    char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;
    json_decref(entry);
    HF_CLEANUP(hf_buf_done) struct hf_buf line = HF_BUF_INIT(FILE_CAP);
    enum hf_err err = text ? hf_buf_append_str(&line, text) : hf_fail(HF_E_NOMEM, "out of memory");
    free(text);
    if (err == HF_OK) {
        err = hf_buf_u8(&line, '\n');
    }
    return err == HF_OK ? hf_journal_append(ca->dir, hf_buf_bytes(&line)) : err;
}

static char *issued_path(const struct hf_ca *ca, const char *serial)
{
    char name[128];
    snprintf(name, sizeof(name), HF_CA_DIR_ISSUED "/%.64s.pem", serial);
    return hf_ca_path(ca->dir, name);
}

enum hf_err hf_ca_record(struct hf_ca *ca, const struct hf_ca_request *request,
                         const struct hf_ca_leaf *leaf)
{
    HF_CLEANUP(hf_freep) char *path = issued_path(ca, leaf->identity->serial);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(FILE_CAP);
    if (!path) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_cert_write_pem(leaf->cert, &pem));
    HF_TRY(hf_file_create(path, hf_buf_bytes(&pem), 0644));
    enum hf_err err = append_entry(ca, request, leaf);
    if (err != HF_OK) {
        (void)unlink(path);
    }
    return err;
}

/* --- Reading -----------------------------------------------------------------------------------
 */

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

static enum hf_err give(const json_t *line, const struct hf_ca_entry *dates,
                        enum hf_err (*fn)(void *, const struct hf_ca_entry *), void *ctx)
{
    const char *sans[HF_CA_SANS_MAX];
    const json_t *array = json_object_get(line, "sans");
    struct hf_ca_entry entry = *dates;
    entry.serial = text_of(line, "serial");
    entry.profile = text_of(line, "profile");
    entry.name = text_of(line, "name");
    entry.subject = text_of(line, "subject");
    entry.key_type = text_of(line, "key_type");
    entry.sha256 = text_of(line, "sha256");
    entry.sans = sans;
    for (size_t i = 0; i < json_array_size(array) && entry.n_sans < HF_CA_SANS_MAX; i++) {
        const char *san = json_string_value(json_array_get(array, i));
        if (san) {
            sans[entry.n_sans++] = san;
        }
    }
    return fn(ctx, &entry);
}

/* Lines of other events belong to later versions; they are for those to read. */
static enum hf_err read_line(struct hf_bytes text,
                             enum hf_err (*fn)(void *, const struct hf_ca_entry *), void *ctx)
{
    json_error_t where;
    json_t *line = json_loadb((const char *)text.ptr, text.len, 0, &where);
    if (!line) {
        return hf_fail(HF_E_MALFORMED, "%s", where.text);
    }
    struct hf_ca_entry dates = {0};
    enum hf_err err = HF_OK;
    if (strcmp(text_of(line, "event"), "issue") == 0) {
        if (hf_ca_parse_time(text_of(line, "at"), &dates.issued_at) != HF_OK ||
            hf_ca_parse_time(text_of(line, "not_before"), &dates.not_before) != HF_OK ||
            hf_ca_parse_time(text_of(line, "not_after"), &dates.not_after) != HF_OK) {
            err = HF_E_MALFORMED;
        } else {
            err = give(line, &dates, fn, ctx);
        }
    }
    json_decref(line);
    return err;
}

enum hf_err hf_ca_each(const struct hf_ca *ca,
                       enum hf_err (*fn)(void *ctx, const struct hf_ca_entry *entry), void *ctx)
{
    HF_CLEANUP(hf_freep) char *path = hf_ca_path(ca->dir, HF_CA_FILE_JOURNAL);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(JOURNAL_MAX);
    if (!path) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_file_read(path, &text));
    struct hf_bytes rest = hf_buf_bytes(&text);
    for (int number = 1; rest.len; number++) {
        const uint8_t *lf = memchr(rest.ptr, '\n', rest.len);
        if (!lf) {
            return HF_OK; /* a line that is being written, or was cut: not issued (yet) */
        }
        size_t n = (size_t)(lf - rest.ptr);
        enum hf_err err = read_line(hf_bytes_of(rest.ptr, n), fn, ctx);
        if (err != HF_OK) {
            return hf_fail_context(err, "%s:%d", path, number);
        }
        rest = hf_bytes_from(rest, n + 1);
    }
    return HF_OK;
}
