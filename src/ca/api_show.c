// SPDX-License-Identifier: Apache-2.0
/* Things of the CA as JSON. Members without a value are left out; times are RFC 3339 in UTC;
 * numbers of certificates are lower-case hex, as everywhere in Handfast. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/api_impl.h"
#include "pki/describe.h"
#include "pki/serials.h"
#include "pki/write.h"

enum { PEM_MAX = 2 << 20 };

json_t *hf_api_show_time(int64_t unix_s)
{
    char text[HF_TIME_TEXT_SIZE];
    if (!unix_s || unix_s == INT64_MAX) {
        return NULL;
    }
    hf_format_time(unix_s, text);
    return json_string(text);
}

static json_t *show_hex(struct hf_bytes bytes)
{
    char text[2 * HF_STORE_HASH_SIZE + 1];
    if (!bytes.len || bytes.len > HF_STORE_HASH_SIZE) {
        return NULL;
    }
    hf_hex(bytes, text);
    return json_string(text[0] == '0' && bytes.len <= HF_STORE_SERIAL_MAX && text[1] ? text + 1
                                                                                     : text);
}

static json_t *show_hash(const uint8_t *hash)
{
    char text[2 * HF_STORE_HASH_SIZE + 1];
    hf_hex(hf_bytes_of(hash, HF_STORE_HASH_SIZE), text);
    return json_string(text);
}

/* NULL and "" are left out. */
static json_t *show_text(const char *text)
{
    return text && *text ? json_string(text) : NULL;
}

/* "a\nb" as a list. */
static json_t *show_lines(const char *lines)
{
    json_t *list = json_array();
    while (lines && *lines) {
        size_t n = strcspn(lines, "\n");
        (void)json_array_append_new(list, json_stringn(lines, n));
        lines += n + (lines[n] != '\0');
    }
    return list;
}

/* --- Certificates -------------------------------------------------------------------------------
 */

static json_t *show_pem(struct hf_bytes der)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    return der.len && hf_pem_block("CERTIFICATE", der, &pem) == HF_OK ? show_text(hf_buf_cstr(&pem))
                                                                      : NULL;
}

static const char *status_of(const struct hf_store_cert *row)
{
    static const char *const names[HF_STATUS_N] = {
        [HF_STATUS_GOOD] = "good", [HF_STATUS_HELD] = "held", [HF_STATUS_REVOKED] = "revoked"};
    return names[row->status];
}

json_t *hf_api_show_cert(const struct hf_authorities *set, const struct hf_store_cert *row)
{
    const struct hf_authority *authority = hf_authorities_by_id(set, row->authority);
    bool revoked = row->status != HF_STATUS_GOOD;
    return json_pack(
        "{s:o*, s:s*, s:s, s:s*, s:s*, s:s*, s:o, s:s*, s:o*, s:o*, s:o*, s:s*, s:o*, s:s*, s:o*, "
        "s:b, s:o, s:o*}",
        "serial", show_hex(row->serial), "authority", authority ? authority->name : NULL, "status",
        status_of(row), "profile", row->profile, "identity", row->identity, "subject", row->subject,
        "names", show_lines(row->sans), "key_type", row->key_type, "not_before",
        hf_api_show_time(row->not_before), "not_after", hf_api_show_time(row->not_after),
        "issued_at", hf_api_show_time(row->issued_at), "requester", row->requester, "revoked_at",
        revoked ? hf_api_show_time(row->revoked_at) : NULL, "reason",
        revoked ? hf_revoked_for_name((unsigned)row->reason) : NULL, "last_seen",
        hf_api_show_time(row->last_seen), "replaced", (int)(row->replaced_by != 0), "sha256",
        show_hash(row->sha256), "certificate", show_pem(row->der));
}

/* --- What an operation gave ---------------------------------------------------------------------
 *
 * Written by hand, unlike the rest: it is the answer to whoever issues thousands, and jansson takes
 * as long to copy the PEM in it, character by character, as the signature took. */

struct object {
    struct hf_buf *out;
    char before; /* what stands before the next member */
    enum hf_err err;
};

static void put_name(struct object *to, const char *name)
{
    to->err = to->err ? to->err : hf_buf_u8(to->out, (uint8_t)to->before);
    to->err = to->err ? to->err : hf_append_json_string(to->out, hf_bytes_str(name));
    to->err = to->err ? to->err : hf_buf_u8(to->out, ':');
    to->before = ',';
}

static void put_bytes(struct object *to, const char *name, struct hf_bytes text)
{
    put_name(to, name);
    to->err = to->err ? to->err : hf_append_json_string(to->out, text);
}

/* NULL and "" are left out. */
static void put_text(struct object *to, const char *name, const char *text)
{
    if (text && *text) {
        put_bytes(to, name, hf_bytes_str(text));
    }
}

static void put_plain(struct object *to, const char *name, const char *value)
{
    put_name(to, name);
    to->err = to->err ? to->err : hf_buf_append_str(to->out, value);
}

static void put_number(struct object *to, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    put_plain(to, name, text);
}

static void put_time(struct object *to, const char *name, int64_t unix_s)
{
    char text[HF_TIME_TEXT_SIZE];
    if (unix_s && unix_s != INT64_MAX) {
        hf_format_time(unix_s, text);
        put_text(to, name, text);
    }
}

static void put_names(struct object *to, const struct hf_identity *identity)
{
    const struct {
        const char *prefix;
        const struct hf_names_list *list;
    } kinds[] = {{"DNS:", &identity->dns},
                 {"URI:", &identity->uri},
                 {"email:", &identity->email},
                 {"IP:", &identity->ip}};
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_IDENTITY_TEXT_MAX + 16);
    const char *before = "[";
    put_name(to, "names");
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        for (size_t at = 0; at < kinds[i].list->n; at++) {
            hf_buf_reset(&text);
            to->err = to->err ? to->err : hf_buf_append_str(to->out, before);
            to->err = to->err ? to->err : hf_buf_append_str(&text, kinds[i].prefix);
            to->err = to->err ? to->err : hf_buf_append_str(&text, kinds[i].list->name[at]);
            to->err = to->err ? to->err : hf_append_json_string(to->out, hf_buf_bytes(&text));
            before = ",";
        }
    }
    to->err = to->err ? to->err : hf_buf_append_str(to->out, *before == '[' ? "[]" : "]");
}

/* The certificate, then what is to be sent behind it. */
static void put_certs(struct object *to, const struct hf_ca_op *op)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    to->err = to->err ? to->err : hf_pem_block("CERTIFICATE", op->der, &pem);
    put_bytes(to, "certificate", hf_buf_bytes(&pem));
    if (op->above) {
        to->err = to->err ? to->err : hf_chain_write_pem(op->above, &pem);
    }
    put_bytes(to, "chain", hf_buf_bytes(&pem));
    if (op->root) {
        hf_buf_reset(&pem);
        to->err = to->err ? to->err : hf_cert_write_pem(op->root, &pem);
        put_bytes(to, "root", hf_buf_bytes(&pem));
    }
}

static void put_key(struct object *to, const EVP_PKEY *key)
{
    HF_CLEANUP(hf_api_forget) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    if (key) {
        to->err = to->err ? to->err : hf_key_write_pem(key, hf_bytes_of(NULL, 0), &pem);
        put_bytes(to, "private_key", hf_buf_bytes(&pem));
    }
}

static void put_issued(struct object *to, const struct hf_ca_op *op)
{
    const struct hf_identity *identity = op->identity;
    put_text(to, "serial", identity->serial);
    put_text(to, "profile", op->profile);
    put_text(to, "identity", hf_identity_display(identity));
    put_text(to, "subject", identity->subject);
    put_names(to, identity);
    put_time(to, "not_before", identity->not_before);
    put_time(to, "not_after", identity->not_after);
    put_text(to, "sha256", identity->sha256);
    put_certs(to, op);
    put_key(to, op->key);
    put_plain(to, "ends_with_ca", op->capped ? "true" : "false");
    put_number(to, "names_left_out", op->n_names_left_out);
}

enum hf_err hf_api_write_op(const struct hf_ca_op *op, struct hf_buf *out)
{
    struct object to = {.out = out, .before = '{'};
    bool many = op->verb == HF_CA_VERB_REVOKE && !op->which.serial;
    put_text(&to, "result", hf_ca_outcome_name(op->outcome));
    put_text(&to, "text", op->text);
    if (op->outcome == HF_CA_PENDING) {
        put_text(&to, "request", op->id);
    }
    if (op->identity) {
        put_issued(&to, op);
    }
    if (op->token) {
        put_text(&to, "id", op->id);
        put_text(&to, "token", op->token);
    }
    if (many) {
        put_number(&to, "matched", op->n_matched);
        put_number(&to, "revoked", op->n_changed);
    }
    return to.err ? to.err : hf_buf_u8(out, '}');
}
