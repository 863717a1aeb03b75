// SPDX-License-Identifier: Apache-2.0
/*
 * Extensions of lists and of their entries (RFC 5280 5.2, 5.3). One table each; a critical one that
 * isn't in the table refuses the list, as the RFC demands. Indirect lists are refused: they speak
 * for other issuers, which is a trust of its own that nobody asked for.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/crl_impl.h"

enum {
    OID = 0x06,
    BOOLEAN = 0x01,
    OCTET_STRING = 0x04,
    ENUMERATED = 0x0a,
    CONTEXT = 0x80,
    CONSTRUCTED = 0x20,
    URI = CONTEXT | 6,
};

struct extension {
    struct hf_bytes oid;
    bool critical;
    struct hf_bytes value;
};

struct known {
    const char *name;
    uint8_t oid[10];
    size_t oid_len;
    enum hf_err (*read)(struct hf_bytes value, void *ctx);
};

static enum hf_err read_bool(const struct hf_der *der, bool *out)
{
    if (der->value.len != 1 || (der->value.ptr[0] != 0 && der->value.ptr[0] != 0xff)) {
        return hf_fail(HF_E_MALFORMED, "a BOOLEAN that is not DER");
    }
    *out = der->value.ptr[0] != 0;
    return HF_OK;
}

static enum hf_err read_extension(struct hf_reader *reader, struct extension *out)
{
    struct hf_der whole, part;
    HF_TRY(hf_der_expect(reader, HF_DER_SEQUENCE, &whole));
    struct hf_reader inner = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&inner, OID, &part));
    *out = (struct extension){.oid = part.value};
    HF_TRY(hf_der_next(&inner, &part));
    if (part.tag == BOOLEAN) {
        HF_TRY(read_bool(&part, &out->critical));
        HF_TRY(hf_der_next(&inner, &part));
    }
    if (part.tag != OCTET_STRING) {
        return hf_fail(HF_E_MALFORMED, "an extension without its OCTET STRING");
    }
    out->value = part.value;
    return hf_read_end(&inner);
}

static const struct known *find(const struct known *table, size_t n, struct hf_bytes oid)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_bytes_eq(oid, hf_bytes_of(table[i].oid, table[i].oid_len))) {
            return &table[i];
        }
    }
    return NULL;
}

/* Reads the extensions of a list or entry by its table; each at most once (4.2). */
static enum hf_err read_all(struct hf_bytes content, const struct known *table, size_t n,
                            const char *what, void *ctx)
{
    struct hf_reader reader = hf_reader_of(content);
    unsigned seen = 0;
    if (!content.len) {
        return hf_fail(HF_E_MALFORMED, "%s has an empty list of extensions", what);
    }
    while (reader.rest.len) {
        struct extension extension;
        HF_TRY(read_extension(&reader, &extension));
        const struct known *known = find(table, n, extension.oid);
        if (!known && extension.critical) {
            char oid[64];
            hf_hex(hf_bytes_of(extension.oid.ptr, extension.oid.len < 30 ? extension.oid.len : 30),
                   oid);
            return hf_fail(HF_E_UNSUPPORTED,
                           "%s has a critical extension that isn't known here: "
                           "OID %s (in DER)",
                           what, oid);
        }
        if (!known) {
            continue;
        }
        unsigned bit = 1u << (known - table);
        if (seen & bit) {
            return hf_fail(HF_E_MALFORMED, "%s has two extensions %s", what, known->name);
        }
        seen |= bit;
        enum hf_err err = known->read ? known->read(extension.value, ctx) : HF_OK;
        if (err != HF_OK) {
            return hf_fail_context(err, "extension %s", known->name);
        }
    }
    return HF_OK;
}

/* --- Of a list ----------------------------------------------------------------------------------
 */

static enum hf_err integer(struct hf_bytes value, struct hf_serial *out)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der der;
    HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &der));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(hf_serial_from_der(der.value, out));
    return out->negative ? hf_fail(HF_E_MALFORMED, "a negative number") : HF_OK;
}

static enum hf_err on_number(struct hf_bytes value, void *ctx)
{
    struct hf_crl *crl = ctx;
    crl->has_number = true;
    return integer(value, &crl->number);
}

static enum hf_err on_delta(struct hf_bytes value, void *ctx)
{
    struct hf_crl *crl = ctx;
    crl->is_delta = true;
    return integer(value, &crl->base);
}

static enum hf_err on_key_id(struct hf_bytes value, void *ctx)
{
    struct hf_crl *crl = ctx;
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der whole, part;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &whole));
    HF_TRY(hf_read_end(&reader));
    struct hf_reader inner = hf_reader_of(whole.value);
    if (hf_der_peek(&inner) != CONTEXT) {
        return HF_OK; /* by issuer and serial number only: the signature decides anyway */
    }
    HF_TRY(hf_der_next(&inner, &part));
    uint8_t *copy = hf_alloc(part.value.len + 1);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, part.value.ptr, part.value.len);
    crl->key_id = hf_span_of(copy, part.value.len);
    return HF_OK;
}

/* GeneralNames: keeps the URIs. */
static enum hf_err read_uris(struct hf_bytes names, char **out, size_t *n)
{
    struct hf_reader reader = hf_reader_of(names);
    while (reader.rest.len) {
        struct hf_der name;
        HF_TRY(hf_der_next(&reader, &name));
        if (name.tag != URI) {
            continue;
        }
        if (*n == HF_CRL_NAMES_MAX || name.value.len > HF_CRL_URI_MAX ||
            memchr(name.value.ptr, 0, name.value.len)) {
            return hf_fail(HF_E_TOO_LARGE, "too many names, or too long a name");
        }
        out[*n] = hf_strndup((const char *)name.value.ptr, name.value.len);
        if (!out[*n]) {
            return HF_E_NOMEM;
        }
        ++*n;
    }
    return HF_OK;
}

/* DistributionPointName: fullName [0]; a name relative to the issuer, [1], is nowhere in use. */
static enum hf_err read_point_name(struct hf_bytes value, char **out, size_t *n)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der name;
    HF_TRY(hf_der_next(&reader, &name));
    HF_TRY(hf_read_end(&reader));
    if (name.tag != (CONTEXT | CONSTRUCTED)) {
        return hf_fail(HF_E_UNSUPPORTED, "a distribution point named relative to the issuer");
    }
    return read_uris(name.value, out, n);
}

/* ReasonFlags: bit 0, the first, is unused; the RFC numbers them from the top of the first byte. */
static enum hf_err read_reasons(struct hf_bytes value, unsigned *out)
{
    if (value.len < 2 || value.len > 3 || value.ptr[0] > 7) {
        return hf_fail(HF_E_MALFORMED, "reason flags that are not DER");
    }
    *out = 0;
    for (unsigned i = 0; i < 9; i++) {
        size_t byte = 1 + i / 8;
        if (byte < value.len && value.ptr[byte] & (0x80u >> i % 8)) {
            *out |= 1u << i;
        }
    }
    return HF_OK;
}

/* issuingDistributionPoint (5.2.5). */
static enum hf_err on_point(struct hf_bytes value, void *ctx)
{
    enum {
        NAME = 0xa0,
        ONLY_USERS = 0x81,
        ONLY_CAS = 0x82,
        REASONS = 0x83,
        INDIRECT = 0x84,
        ONLY_ATTRIBUTES = 0x85
    };
    struct hf_crl *crl = ctx;
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der whole;
    bool only_attributes = false, indirect = false;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &whole));
    HF_TRY(hf_read_end(&reader));
    struct hf_reader inner = hf_reader_of(whole.value);
    uint8_t last = 0;
    while (inner.rest.len) {
        struct hf_der part;
        HF_TRY(hf_der_next(&inner, &part));
        if ((part.tag & 0x1f) < last) {
            return hf_fail(HF_E_MALFORMED, "its parts are out of order");
        }
        last = (part.tag & 0x1f) + 1;
        switch (part.tag) {
        case NAME:
            crl->has_point = true;
            HF_TRY(read_point_name(part.value, crl->point, &crl->n_points));
            break;
        case ONLY_USERS:
            HF_TRY(read_bool(&part, &crl->only_users));
            break;
        case ONLY_CAS:
            HF_TRY(read_bool(&part, &crl->only_cas));
            break;
        case REASONS:
            HF_TRY(read_reasons(part.value, &crl->reasons));
            break;
        case INDIRECT:
            HF_TRY(read_bool(&part, &indirect));
            break;
        case ONLY_ATTRIBUTES:
            HF_TRY(read_bool(&part, &only_attributes));
            break;
        default:
            return hf_fail(HF_E_MALFORMED, "a part that the RFC doesn't define");
        }
    }
    if (indirect) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "an indirect list, which speaks for other issuers than "
                       "the one that signs it, is not taken: have each CA publish its own");
    }
    if (only_attributes) {
        return hf_fail(HF_E_UNSUPPORTED, "a list for attribute certificates only");
    }
    return crl->only_users && crl->only_cas
               ? hf_fail(HF_E_MALFORMED, "it is for users only and for CAs only")
               : HF_OK;
}

/* freshestCRL (5.2.6): distribution points of deltas. */
static enum hf_err on_freshest(struct hf_bytes value, void *ctx)
{
    struct hf_crl *crl = ctx;
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der points;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &points));
    HF_TRY(hf_read_end(&reader));
    struct hf_reader inner = hf_reader_of(points.value);
    while (inner.rest.len) {
        struct hf_der point, name;
        HF_TRY(hf_der_expect(&inner, HF_DER_SEQUENCE, &point));
        struct hf_reader parts = hf_reader_of(point.value);
        if (hf_der_peek(&parts) == HF_DER_CONTEXT_0) {
            HF_TRY(hf_der_next(&parts, &name));
            HF_TRY(read_point_name(name.value, crl->freshest, &crl->n_freshest));
        }
    }
    return HF_OK;
}

#define CE(number) {0x55, 0x1d, (number)}, 3

static const struct known of_list[] = {
    {"authorityKeyIdentifier", CE(35), on_key_id}, {"cRLNumber", CE(20), on_number},
    {"deltaCRLIndicator", CE(27), on_delta},       {"issuingDistributionPoint", CE(28), on_point},
    {"freshestCRL", CE(46), on_freshest},          {"issuerAltName", CE(18), NULL},
};

enum hf_err hf_crl_extensions(struct hf_bytes content, struct hf_crl *crl)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der all;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &all));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(read_all(all.value, of_list, HF_N_ELEMENTS(of_list), "the list", crl));
    if (crl->is_delta && (!crl->has_number || hf_crl_number_order(&crl->number, &crl->base) <= 0)) {
        return hf_fail(HF_E_MALFORMED, "a delta list must have a number above that of its base");
    }
    return HF_OK;
}

/* --- Of an entry --------------------------------------------------------------------------------
 */

static enum hf_err on_reason(struct hf_bytes value, void *ctx)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der der;
    HF_TRY(hf_der_expect(&reader, ENUMERATED, &der));
    HF_TRY(hf_read_end(&reader));
    if (der.value.len != 1 || !hf_revoked_for_name(der.value.ptr[0])) {
        return hf_fail(HF_E_MALFORMED, "a reason that the RFC doesn't define");
    }
    *(enum hf_revoked_for *)ctx = der.value.ptr[0];
    return HF_OK;
}

static enum hf_err on_entry_issuer(struct hf_bytes value, void *ctx)
{
    (void)value;
    (void)ctx;
    return hf_fail(HF_E_UNSUPPORTED, "an entry of another issuer: an indirect list is not taken");
}

static const struct known of_entry[] = {
    {"reasonCode", CE(21), on_reason},
    {"invalidityDate", CE(24), NULL},
    {"certificateIssuer", CE(29), on_entry_issuer},
};

enum hf_err hf_crl_entry_reason(struct hf_bytes content, enum hf_revoked_for *out)
{
    return read_all(content, of_entry, HF_N_ELEMENTS(of_entry), "an entry", out);
}
