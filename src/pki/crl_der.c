// SPDX-License-Identifier: Apache-2.0
/*
 * A CertificateList, element by element (RFC 5280 5.1):
 *
 *      SEQUENCE { tbs SEQUENCE { version, algorithm, issuer, thisUpdate, nextUpdate,
 *                                SEQUENCE OF entry, [0] extensions },
 *                 algorithm, BIT STRING }
 *
 * The four big ones are entered, all others are taken whole, at most HF_CRL_ELEMENT_MAX bytes. What
 * isn't yet whole waits in `rest`, so that any pieces give the same result. Lengths of the entered
 * ones are held against each other and against what was taken.
 */
#include <string.h>

#include "base/mem.h"
#include "pki/crl_impl.h"
#include "pki/dn.h"
#include "pki/identity.h"

enum { HEADER_MAX = 6, PREFIX_MAX = 1024 };

enum state {
    LIST,
    TBS,
    VERSION,
    ALGORITHM,
    ISSUER,
    THIS_UPDATE,
    NEXT_UPDATE,
    ENTRIES,
    ENTRY,
    EXTENSIONS,
    OUTER_ALGORITHM,
    SIGNATURE,
    DONE,
    FAILED,
};

struct hf_crl_der {
    const struct hf_crl_limits *limits;
    enum state state;
    struct hf_crl *crl;
    struct hf_serials_builder builder;
    struct hf_buf rest;
    struct hf_hash whole;     /* of the list */
    struct hf_span algorithm; /* owned: the inner one, for comparing */
    uint64_t list_left;       /* bytes of the list that have not been taken */
    uint64_t tbs_left;
    uint64_t entries_left;
    bool in_tbs;
    uint8_t prefix[PREFIX_MAX]; /* of tbs, until the algorithm is known that hashes it */
    size_t prefix_len;
    uint8_t version;
};

const struct hf_crl_limits hf_crl_limits_default = {
    .size_max = UINT64_C(512) << 20,
    .n_max = 12000000,
    .n_lists_max = 4096,
};

/* --- Elements -----------------------------------------------------------------------------------
 */

/* Looks at the header of the element at the front. *out_header 0: it isn't all there yet. */
static enum hf_err peek(struct hf_bytes in, uint8_t *out_tag, size_t *out_header, uint64_t *out_len)
{
    *out_header = 0;
    if (in.len < 2) {
        return HF_OK;
    }
    size_t n = in.ptr[1] < 0x80 ? 0 : in.ptr[1] & 0x7fu;
    if ((in.ptr[0] & 0x1f) == 0x1f || in.ptr[1] == 0x80 || n > 4) {
        return hf_fail(HF_E_MALFORMED, "an element that is not DER");
    }
    if (in.len < 2 + n) {
        return HF_OK;
    }
    uint64_t len = n ? 0 : in.ptr[1];
    for (size_t i = 0; i < n; i++) {
        len = len << 8 | in.ptr[2 + i];
    }
    if (n && (len < 0x80 || in.ptr[2] == 0)) {
        return hf_fail(HF_E_MALFORMED, "a DER length that is not in its shortest form");
    }
    *out_tag = in.ptr[0];
    *out_header = 2 + n;
    *out_len = len;
    return HF_OK;
}

/* Counts what was taken against the lengths that hold it, and hashes it. */
static enum hf_err taken(struct hf_crl_der *der, struct hf_bytes bytes)
{
    if (bytes.len > der->list_left || (der->in_tbs && bytes.len > der->tbs_left)) {
        return hf_fail(HF_E_MALFORMED, "an element that reaches beyond the one that holds it");
    }
    der->list_left -= bytes.len;
    hf_hash_update(&der->whole, bytes);
    if (!der->in_tbs) {
        return HF_OK;
    }
    der->tbs_left -= bytes.len;
    if (der->crl->signature) {
        return hf_crl_signature_feed(der->crl->signature, bytes);
    }
    if (bytes.len > sizeof(der->prefix) - der->prefix_len) {
        return hf_fail(HF_E_TOO_LARGE, "a signature algorithm of more than %d bytes", PREFIX_MAX);
    }
    memcpy(der->prefix + der->prefix_len, bytes.ptr, bytes.len);
    der->prefix_len += bytes.len;
    return HF_OK;
}

static enum hf_err want_tag(uint8_t tag, uint8_t wanted, const char *what)
{
    return tag == wanted ? HF_OK : hf_fail(HF_E_MALFORMED, "%s is missing or malformed", what);
}

/* --- The four that are entered ------------------------------------------------------------------
 */

static enum hf_err enter_list(struct hf_crl_der *der, uint8_t tag, struct hf_bytes header,
                              uint64_t len)
{
    HF_TRY(want_tag(tag, HF_DER_SEQUENCE, "the list"));
    if (len > der->limits->size_max) {
        return hf_fail(HF_E_TOO_LARGE, "a list of %llu bytes; the limit is %llu",
                       (unsigned long long)len, (unsigned long long)der->limits->size_max);
    }
    der->list_left = len + header.len;
    der->crl->size = der->list_left;
    der->state = TBS;
    return taken(der, header);
}

static enum hf_err enter_tbs(struct hf_crl_der *der, uint8_t tag, struct hf_bytes header,
                             uint64_t len)
{
    HF_TRY(want_tag(tag, HF_DER_SEQUENCE, "the part that is signed"));
    der->in_tbs = true;
    der->tbs_left = len + header.len;
    if (der->tbs_left > der->list_left) {
        return hf_fail(HF_E_MALFORMED, "an element that reaches beyond the one that holds it");
    }
    der->state = VERSION;
    return taken(der, header);
}

static enum hf_err enter_entries(struct hf_crl_der *der, struct hf_bytes header, uint64_t len)
{
    HF_TRY(taken(der, header));
    if (len > der->tbs_left) {
        return hf_fail(HF_E_MALFORMED, "an element that reaches beyond the one that holds it");
    }
    der->entries_left = len;
    der->state = len ? ENTRY : EXTENSIONS;
    return HF_OK;
}

/* --- Those that are taken whole -----------------------------------------------------------------
 */

static enum hf_err on_version(struct hf_crl_der *der, const struct hf_der *element)
{
    if (element->value.len != 1 || element->value.ptr[0] != 1) {
        return hf_fail(HF_E_UNSUPPORTED, "a list of a version that is not 2");
    }
    der->version = 2;
    der->state = ALGORITHM;
    return taken(der, element->whole);
}

static enum hf_err on_algorithm(struct hf_crl_der *der, const struct hf_der *element)
{
    HF_TRY(want_tag(element->tag, HF_DER_SEQUENCE, "the signature algorithm"));
    HF_TRY(taken(der, element->whole));
    HF_TRY(hf_crl_signature_new(element->whole, &der->crl->signature));
    der->state = ISSUER;
    return hf_crl_signature_feed(der->crl->signature, hf_bytes_of(der->prefix, der->prefix_len));
}

static enum hf_err on_issuer(struct hf_crl_der *der, const struct hf_der *element)
{
    const uint8_t *at = element->whole.ptr;
    HF_TRY(want_tag(element->tag, HF_DER_SEQUENCE, "the issuer"));
    der->crl->issuer = d2i_X509_NAME(NULL, &at, (long)element->whole.len);
    if (!der->crl->issuer || at != element->whole.ptr + element->whole.len) {
        return hf_fail(HF_E_MALFORMED, "the issuer's name can't be parsed");
    }
    char text[HF_IDENTITY_TEXT_MAX];
    hf_dn_text(der->crl->issuer, text, sizeof(text));
    der->crl->issuer_text = hf_strdup(text);
    if (!der->crl->issuer_text) {
        return HF_E_NOMEM;
    }
    der->state = THIS_UPDATE;
    return taken(der, element->whole);
}

static enum hf_err on_this_update(struct hf_crl_der *der, const struct hf_der *element)
{
    HF_TRY(hf_der_time(element, &der->crl->this_update));
    der->state = NEXT_UPDATE;
    return taken(der, element->whole);
}

static enum hf_err on_next_update(struct hf_crl_der *der, const struct hf_der *element)
{
    HF_TRY(hf_der_time(element, &der->crl->next_update));
    if (der->crl->next_update < der->crl->this_update) {
        return hf_fail(HF_E_MALFORMED, "the next update is before this one");
    }
    der->state = ENTRIES;
    return taken(der, element->whole);
}

static enum hf_err on_entry(struct hf_crl_der *der, const struct hf_der *element)
{
    struct hf_reader reader = hf_reader_of(element->value);
    struct hf_der serial_der, date_der, extensions;
    struct hf_serial serial;
    struct hf_revocation_entry entry = {.why = HF_REVOKED_FOR_UNSPECIFIED};
    HF_TRY(want_tag(element->tag, HF_DER_SEQUENCE, "an entry"));
    if (element->whole.len > der->entries_left) {
        return hf_fail(HF_E_MALFORMED, "an element that reaches beyond the one that holds it");
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &serial_der));
    HF_TRY(hf_serial_from_der(serial_der.value, &serial));
    HF_TRY(hf_der_next(&reader, &date_der));
    HF_TRY(hf_der_time(&date_der, &entry.at));
    if (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &extensions));
        HF_TRY(hf_read_end(&reader));
        if (der->version != 2) {
            return hf_fail(HF_E_MALFORMED, "an entry with extensions in a list of version 1");
        }
        HF_TRY(hf_crl_entry_reason(extensions.value, &entry.why));
    }
    HF_TRY(hf_serials_add(&der->builder, &serial, entry));
    der->entries_left -= element->whole.len;
    der->state = der->entries_left ? ENTRY : EXTENSIONS;
    return taken(der, element->whole);
}

static enum hf_err on_extensions(struct hf_crl_der *der, const struct hf_der *element)
{
    HF_TRY(want_tag(element->tag, HF_DER_CONTEXT_0, "the extensions"));
    if (der->version != 2) {
        return hf_fail(HF_E_MALFORMED, "extensions in a list of version 1");
    }
    HF_TRY(hf_crl_extensions(element->value, der->crl));
    HF_TRY(taken(der, element->whole));
    if (der->tbs_left) {
        return hf_fail(HF_E_MALFORMED, "something follows the extensions");
    }
    return HF_OK;
}

static enum hf_err on_outer_algorithm(struct hf_crl_der *der, const struct hf_der *element)
{
    uint8_t *copy = hf_alloc(element->whole.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, element->whole.ptr, element->whole.len);
    der->algorithm = hf_span_of(copy, element->whole.len);
    der->state = SIGNATURE;
    return taken(der, element->whole);
}

static enum hf_err on_signature(struct hf_crl_der *der, const struct hf_der *element)
{
    HF_TRY(want_tag(element->tag, HF_DER_BIT_STRING, "the signature"));
    HF_TRY(taken(der, element->whole));
    if (der->list_left) {
        return hf_fail(HF_E_MALFORMED, "something follows the signature");
    }
    HF_TRY(
        hf_crl_signature_seal(der->crl->signature, hf_span_bytes(der->algorithm), element->value));
    HF_TRY(hf_serials_build(&der->builder, &der->crl->serials));
    hf_hash_peek(&der->whole, der->crl->sha256);
    der->state = DONE;
    return HF_OK;
}

/* --- Driving ------------------------------------------------------------------------------------
 */

/* An optional element that isn't there leaves the turn to the next state. */
static void pass_over(struct hf_crl_der *der, uint8_t tag)
{
    if (der->state == VERSION && tag != HF_DER_INTEGER) {
        der->version = 1;
        der->state = ALGORITHM;
    }
    if (der->state == NEXT_UPDATE && tag != HF_DER_UTC_TIME && tag != HF_DER_GENERALIZED_TIME) {
        der->state = ENTRIES;
    }
    if (der->state == ENTRIES && tag != HF_DER_SEQUENCE) {
        der->state = EXTENSIONS;
    }
}

/* The end of tbs comes before an element, not with one. */
static enum hf_err leave_tbs(struct hf_crl_der *der)
{
    if (!der->in_tbs || der->tbs_left) {
        return HF_OK;
    }
    bool may_end = der->state == NEXT_UPDATE || der->state == ENTRIES || der->state == EXTENSIONS;
    if (!may_end) {
        return hf_fail(HF_E_MALFORMED, "the part that is signed ends too soon");
    }
    der->in_tbs = false;
    der->state = OUTER_ALGORITHM;
    return HF_OK;
}

static enum hf_err take_whole(struct hf_crl_der *der, const struct hf_der *element)
{
    static enum hf_err (*const takers[])(struct hf_crl_der *, const struct hf_der *) = {
        [VERSION] = on_version,         [ALGORITHM] = on_algorithm,
        [ISSUER] = on_issuer,           [THIS_UPDATE] = on_this_update,
        [NEXT_UPDATE] = on_next_update, [ENTRY] = on_entry,
        [EXTENSIONS] = on_extensions,   [OUTER_ALGORITHM] = on_outer_algorithm,
        [SIGNATURE] = on_signature,
    };
    return takers[der->state](der, element);
}

/* Takes one element, or only its header, off the front. *out_used 0: more bytes are needed. */
static enum hf_err step(struct hf_crl_der *der, struct hf_bytes in, size_t *out_used)
{
    uint8_t tag = 0;
    size_t header = 0;
    uint64_t len = 0;
    *out_used = 0;
    HF_TRY(leave_tbs(der));
    HF_TRY(peek(in, &tag, &header, &len));
    if (!header) {
        return HF_OK;
    }
    pass_over(der, tag);
    if (der->state == LIST || der->state == TBS || der->state == ENTRIES) {
        *out_used = header;
        struct hf_bytes bytes = hf_bytes_of(in.ptr, header);
        return der->state == LIST  ? enter_list(der, tag, bytes, len)
               : der->state == TBS ? enter_tbs(der, tag, bytes, len)
                                   : enter_entries(der, bytes, len);
    }
    if (len > HF_CRL_ELEMENT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "an element of %llu bytes; the limit is %u",
                       (unsigned long long)len, HF_CRL_ELEMENT_MAX);
    }
    if (in.len < header + len) {
        return HF_OK;
    }
    struct hf_der element = {
        .tag = tag,
        .value = hf_bytes_of(in.ptr + header, len),
        .whole = hf_bytes_of(in.ptr, header + len),
    };
    *out_used = header + len;
    return take_whole(der, &element);
}

static enum hf_err run(struct hf_crl_der *der, struct hf_bytes *in)
{
    while (der->state != DONE) {
        size_t used = 0;
        HF_TRY(step(der, *in, &used));
        if (!used) {
            return HF_OK;
        }
        *in = hf_bytes_from(*in, used);
    }
    return in->len ? hf_fail(HF_E_MALFORMED, "something follows the list") : HF_OK;
}

/* Goes on from what waits, with the new bytes behind it. */
static enum hf_err feed(struct hf_crl_der *der, struct hf_bytes bytes)
{
    if (hf_buf_len(&der->rest) == 0) {
        HF_TRY(run(der, &bytes));
        return hf_buf_append(&der->rest, bytes);
    }
    HF_TRY(hf_buf_append(&der->rest, bytes));
    struct hf_bytes in = hf_buf_bytes(&der->rest);
    size_t before = in.len;
    HF_TRY(run(der, &in));
    hf_buf_consume(&der->rest, before - in.len);
    return HF_OK;
}

enum hf_err hf_crl_der_feed(struct hf_crl_der *der, struct hf_bytes bytes, struct hf_crl **out)
{
    enum { PIECE = 64 << 10 };
    *out = NULL;
    while (bytes.len) {
        struct hf_bytes piece = hf_bytes_of(bytes.ptr, bytes.len < PIECE ? bytes.len : PIECE);
        bytes = hf_bytes_from(bytes, piece.len);
        enum hf_err err = der->state == FAILED
                              ? hf_fail(HF_E_MALFORMED, "the list was found to be malformed before")
                              : feed(der, piece);
        if (err != HF_OK) {
            der->state = FAILED;
            return err;
        }
    }
    if (der->state == DONE) {
        *out = HF_TAKE(der->crl);
        der->state = FAILED; /* nothing more may come */
    }
    return HF_OK;
}

enum hf_err hf_crl_der_new(const struct hf_crl_limits *limits, const char *label,
                           struct hf_crl_der **out)
{
    struct hf_crl_der *der = HF_NEW(struct hf_crl_der);
    struct hf_crl *crl = HF_NEW(struct hf_crl);
    if (!der || !crl) {
        hf_free(der);
        hf_free(crl);
        return HF_E_NOMEM;
    }
    atomic_init(&crl->refs, 1);
    crl->reasons = HF_CRL_ALL_REASONS;
    der->crl = crl;
    der->limits = limits;
    der->builder.max = limits->n_max;
    der->rest = HF_BUF_INIT(2 * HF_CRL_ELEMENT_MAX + HEADER_MAX + (64u << 10));
    der->list_left = UINT64_MAX;
    hf_hash_init(&der->whole, HF_HASH_SHA256);
    crl->label = hf_strdup(label);
    if (!crl->label) {
        hf_crl_der_free(der);
        return HF_E_NOMEM;
    }
    *out = der;
    return HF_OK;
}

void hf_crl_der_free(struct hf_crl_der *der)
{
    if (!der) {
        return;
    }
    hf_crl_unref(der->crl);
    hf_serials_builder_done(&der->builder);
    hf_buf_done(&der->rest);
    hf_hash_done(&der->whole);
    hf_free(der->algorithm.ptr);
    hf_free(der);
}
