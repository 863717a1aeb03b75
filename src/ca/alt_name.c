// SPDX-License-Identifier: Apache-2.0
#include "ca/alt_name.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "pki/identity.h"

/* The alternatives of GeneralName that we know (RFC 5280 4.2.1.6). */
enum { TAG_OTHER = 0xa0, TAG_EMAIL = 0x81, TAG_DNS = 0x82, TAG_URI = 0x86, TAG_IP = 0x87 };

static const uint8_t tags[] = {
    [HF_ALT_DNS] = TAG_DNS, [HF_ALT_EMAIL] = TAG_EMAIL, [HF_ALT_URI] = TAG_URI,
    [HF_ALT_IP] = TAG_IP,   [HF_ALT_UPN] = TAG_OTHER,
};

/* 1.3.6.1.4.1.311.20.2.3 */
static const struct hf_bytes oid_upn = {(const uint8_t *)"\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03",
                                        10};

static const struct {
    const char *word, *prefix, *noun;
} kinds[] = {
#define ROW(id, word, prefix, noun) [HF_ALT_##id] = {word, prefix, noun},
    HF_ALT_TABLE(ROW)
#undef ROW
};

const char *hf_alt_word(enum hf_alt_kind kind)
{
    return kinds[kind].word;
}

const char *hf_alt_noun(enum hf_alt_kind kind)
{
    return kinds[kind].noun;
}

void hf_alt_names_done(struct hf_alt_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        hf_free((void *)(uintptr_t)names->item[i].value.ptr);
    }
    hf_free(names->item);
    *names = (struct hf_alt_names){0};
}

/* --- Adding -----------------------------------------------------------------------------------*/

static bool same(const struct hf_alt_name *a, enum hf_alt_kind kind, struct hf_bytes value)
{
    if (a->kind != kind || a->value.len != value.len) {
        return false;
    }
    return kind == HF_ALT_DNS
               ? strncasecmp((const char *)a->value.ptr, (const char *)value.ptr, value.len) == 0
               : hf_bytes_eq(a->value, value);
}

bool hf_alt_names_have(const struct hf_alt_names *names, enum hf_alt_kind kind,
                       struct hf_bytes value)
{
    for (size_t i = 0; i < names->n; i++) {
        if (same(&names->item[i], kind, value)) {
            return true;
        }
    }
    return false;
}

const struct hf_alt_name *hf_alt_names_first(const struct hf_alt_names *names,
                                             enum hf_alt_kind kind)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->item[i].kind == kind) {
            return &names->item[i];
        }
    }
    return NULL;
}

static enum hf_err make_room(struct hf_alt_names *names)
{
    if (names->n == HF_ALT_NAMES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d alternative names", HF_ALT_NAMES_MAX);
    }
    if (names->n == names->size) {
        size_t size = names->size ? 2 * names->size : 4;
        struct hf_alt_name *item = hf_realloc(names->item, size * sizeof(*item));
        if (!item) {
            return HF_E_NOMEM;
        }
        names->item = item;
        names->size = size;
    }
    return HF_OK;
}

enum hf_err hf_alt_names_add(struct hf_alt_names *names, enum hf_alt_kind kind,
                             struct hf_bytes value)
{
    HF_TRY(hf_alt_name_check(kind, value));
    HF_TRY(hf_alt_name_check_normal(kind, value));
    if (hf_alt_names_have(names, kind, value)) {
        return HF_OK;
    }
    HF_TRY(make_room(names));
    uint8_t *copy = hf_alloc(value.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < value.len; i++) {
        copy[i] = kind == HF_ALT_DNS ? (uint8_t)tolower(value.ptr[i]) : value.ptr[i];
    }
    names->item[names->n++] = (struct hf_alt_name){kind, hf_bytes_of(copy, value.len)};
    return HF_OK;
}

static enum hf_err add_ip(struct hf_alt_names *names, const char *text)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        return hf_alt_names_add(names, HF_ALT_IP, hf_bytes_of(bytes, 4));
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        return hf_alt_names_add(names, HF_ALT_IP, hf_bytes_of(bytes, 16));
    }
    return hf_fail(HF_E_INVALID, "\"%.60s\" is not an IP address", text);
}

enum hf_err hf_alt_names_add_text(struct hf_alt_names *names, const char *text)
{
    for (size_t kind = 0; kind < HF_ALT_N; kind++) {
        size_t len = strlen(kinds[kind].prefix);
        if (strncasecmp(text, kinds[kind].prefix, len) != 0 || text[len] != ':') {
            continue;
        }
        text += len + 1;
        return kind == HF_ALT_IP
                   ? add_ip(names, text)
                   : hf_alt_names_add(names, (enum hf_alt_kind)kind, hf_bytes_str(text));
    }
    return hf_fail(HF_E_INVALID,
                   "\"%.80s\" has no kind; write DNS:name, email:address, URI:uri, IP:address or "
                   "UPN:user@realm",
                   text);
}

enum hf_err hf_alt_names_add_host(struct hf_alt_names *names, const char *host)
{
    return hf_is_address(host) ? add_ip(names, host)
                               : hf_alt_names_add(names, HF_ALT_DNS, hf_bytes_str(host));
}

enum hf_err hf_alt_names_copy(struct hf_alt_names *names, const struct hf_alt_names *from)
{
    for (size_t i = 0; i < from->n; i++) {
        HF_TRY(hf_alt_names_add(names, from->item[i].kind, from->item[i].value));
    }
    return HF_OK;
}

/* --- DER --------------------------------------------------------------------------------------*/

/* OtherName ::= SEQUENCE { type-id, value [0] EXPLICIT ANY }; its own tag is [0] IMPLICIT. */
static enum hf_err read_other(struct hf_bytes content, struct hf_bytes *out)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der oid, value, text;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    HF_TRY(hf_der_expect(&reader, HF_DER_CONTEXT_0, &value));
    HF_TRY(hf_read_end(&reader));
    if (!hf_bytes_eq(oid.value, oid_upn)) {
        return hf_fail(HF_E_UNSUPPORTED, "an otherName that is not a user principal name");
    }
    reader = hf_reader_of(value.value);
    HF_TRY(hf_der_expect(&reader, HF_ASN1_UTF8_STRING, &text));
    HF_TRY(hf_read_end(&reader));
    *out = text.value;
    return HF_OK;
}

static enum hf_err add_der(struct hf_alt_names *names, const struct hf_der *name)
{
    struct hf_bytes value = name->value;
    for (size_t kind = 0; kind < HF_ALT_N; kind++) {
        if (tags[kind] != name->tag) {
            continue;
        }
        if (kind == HF_ALT_UPN) {
            HF_TRY(read_other(name->value, &value));
        }
        return hf_alt_names_add(names, (enum hf_alt_kind)kind, value);
    }
    return hf_fail(HF_E_UNSUPPORTED, "an alternative name of a kind (tag %02x) that isn't handled",
                   name->tag);
}

enum hf_err hf_alt_names_add_der(struct hf_alt_names *names, struct hf_bytes general_names)
{
    struct hf_reader reader = hf_reader_of(general_names);
    struct hf_der list, name;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    do {
        HF_TRY(hf_der_next(&reader, &name));
        HF_TRY(add_der(names, &name));
    } while (reader.rest.len);
    return HF_OK;
}

void hf_alt_names_write(const struct hf_alt_names *names, struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < names->n; i++) {
        const struct hf_alt_name *name = &names->item[i];
        if (name->kind != HF_ALT_UPN) {
            hf_asn1_put(der, tags[name->kind], name->value);
            continue;
        }
        hf_asn1_open(der, TAG_OTHER);
        hf_asn1_oid(der, oid_upn);
        hf_asn1_open(der, HF_DER_CONTEXT_0);
        hf_asn1_put(der, HF_ASN1_UTF8_STRING, name->value);
        hf_asn1_close(der);
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
}

enum hf_err hf_alt_name_append(const struct hf_alt_name *name, struct hf_buf *out)
{
    char address[INET6_ADDRSTRLEN] = "";
    struct hf_bytes text = name->value;
    if (name->kind == HF_ALT_IP) {
        inet_ntop(name->value.len == 4 ? AF_INET : AF_INET6, name->value.ptr, address,
                  sizeof(address));
        text = hf_bytes_str(address);
    }
    HF_TRY(hf_buf_printf(out, "%s:", kinds[name->kind].prefix));
    return hf_append_printable(out, text, 2 * HF_ALT_TEXT_MAX);
}
