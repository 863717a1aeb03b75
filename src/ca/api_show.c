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
 */

static json_t *show_names(const struct hf_identity *identity)
{
    const struct {
        const char *prefix;
        const struct hf_names_list *list;
    } kinds[] = {{"DNS:", &identity->dns},
                 {"URI:", &identity->uri},
                 {"email:", &identity->email},
                 {"IP:", &identity->ip}};
    json_t *names = json_array();
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        for (size_t at = 0; at < kinds[i].list->n; at++) {
            (void)json_array_append_new(
                names, json_sprintf("%s%s", kinds[i].prefix, kinds[i].list->name[at]));
        }
    }
    return names;
}

static void add(json_t *to, const char *name, json_t *value)
{
    if (value) {
        (void)json_object_set_new(to, name, value);
    }
}

static json_t *show_chain(const struct hf_ca_op *op)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    bool good = hf_pem_block("CERTIFICATE", op->der, &pem) == HF_OK &&
                (!op->above || hf_chain_write_pem(op->above, &pem) == HF_OK);
    return good ? show_text(hf_buf_cstr(&pem)) : NULL;
}

static json_t *show_key(const EVP_PKEY *key)
{
    HF_CLEANUP(hf_api_forget) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    return key && hf_key_write_pem(key, hf_bytes_of(NULL, 0), &pem) == HF_OK
               ? show_text(hf_buf_cstr(&pem))
               : NULL;
}

static void add_issued(json_t *to, const struct hf_ca_op *op)
{
    const struct hf_identity *identity = op->identity;
    add(to, "serial", json_string(identity->serial));
    add(to, "profile", show_text(op->profile));
    add(to, "identity", json_string(hf_identity_display(identity)));
    add(to, "subject", show_text(identity->subject));
    add(to, "names", show_names(identity));
    add(to, "not_before", hf_api_show_time(identity->not_before));
    add(to, "not_after", hf_api_show_time(identity->not_after));
    add(to, "sha256", json_string(identity->sha256));
    add(to, "certificate", show_pem(op->der));
    add(to, "chain", show_chain(op));
    add(to, "root", op->root ? show_pem(op->root->der) : NULL);
    add(to, "private_key", show_key(op->key));
    add(to, "ends_with_ca", json_boolean(op->capped));
    add(to, "names_left_out", json_integer(op->n_names_left_out));
}

json_t *hf_api_show_op(const struct hf_ca_op *op)
{
    json_t *to = json_object();
    bool many = op->verb == HF_CA_VERB_REVOKE && !op->which.serial;
    add(to, "result", json_string(hf_ca_outcome_name(op->outcome)));
    add(to, "text", show_text(op->text));
    if (op->outcome == HF_CA_PENDING) {
        add(to, "request", show_text(op->id));
    }
    if (op->identity) {
        add_issued(to, op);
    }
    if (op->token) {
        add(to, "id", show_text(op->id));
        add(to, "token", json_string(op->token));
    }
    if (many) {
        add(to, "matched", json_integer((json_int_t)op->n_matched));
        add(to, "revoked", json_integer((json_int_t)op->n_changed));
    }
    return to;
}
