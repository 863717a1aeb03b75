// SPDX-License-Identifier: Apache-2.0
/*
 * A certificate request, element by element (RFC 2986 4):
 *
 *      SEQUENCE { info SEQUENCE { version 0, subject, key, [0] attributes },
 *                 algorithm, BIT STRING signature }
 *
 * Whatever isn't understood and matters is refused: an extension that is critical and unknown, a
 * kind of name that we would have to drop. What is unknown and doesn't matter is counted. The
 * signature is checked last: it costs most, and what it covers is read the same way before.
 */
#include "ca/csr.h"

#include <string.h>

#include "base/mem.h"
#include "ca/sig_alg.h"
#include "pki/pem.h"

#define OID_PKCS9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define OID_CE    "\x55\x1d"

enum { EXTENSIONS_MAX = 32, ATTRIBUTES_MAX = 16, CHALLENGE_MAX = 255 };

/* What is read of a request, and where. */
struct reading {
    struct hf_csr *csr;
    enum hf_refusal why;
    struct hf_bytes seen[EXTENSIONS_MAX]; /* OIDs of extensions, or of attributes */
    size_t n_seen;
};

static enum hf_err refuse(struct reading *in, enum hf_refusal why, enum hf_err err)
{
    in->why = why;
    return err;
}

/* Fails when the identifier was there before, or too many were. */
static enum hf_err see(struct reading *in, struct hf_bytes oid, size_t max, const char *what)
{
    for (size_t i = 0; i < in->n_seen; i++) {
        if (hf_bytes_eq(in->seen[i], oid)) {
            return hf_fail(HF_E_MALFORMED, "the same %s two times", what);
        }
    }
    if (in->n_seen == max) {
        return hf_fail(HF_E_TOO_LARGE, "more than %zu %ss", max, what);
    }
    in->seen[in->n_seen++] = oid;
    return HF_OK;
}

/* --- Extensions -------------------------------------------------------------------------------*/

static enum hf_err on_san(struct reading *in, struct hf_bytes value)
{
    enum hf_err err = hf_alt_names_add_der(&in->csr->names, value);
    if (err == HF_E_INVALID) {
        return refuse(in, HF_REFUSAL_NAME_INVALID, err);
    }
    return err == HF_E_UNSUPPORTED ? refuse(in, HF_REFUSAL_CSR_UNSUPPORTED, err) : err;
}

static enum hf_err on_key_usage(struct reading *in, struct hf_bytes value)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der bits;
    HF_TRY(hf_der_expect(&reader, HF_DER_BIT_STRING, &bits));
    HF_TRY(hf_read_end(&reader));
    if (bits.value.len < 2 || bits.value.len > 3 || bits.value.ptr[0] > 7) {
        return hf_fail(HF_E_MALFORMED, "a keyUsage of %zu bytes", bits.value.len);
    }
    for (size_t i = 0; i < (bits.value.len - 1) * 8; i++) {
        if (bits.value.ptr[1 + i / 8] & (0x80 >> (i % 8))) {
            in->csr->key_usage |= UINT32_C(1) << i;
        }
    }
    return HF_OK;
}

static enum hf_err on_basic_constraints(struct reading *in, struct hf_bytes value)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der list, element;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    if (hf_der_peek(&reader) == HF_DER_BOOLEAN) {
        HF_TRY(hf_der_expect(&reader, HF_DER_BOOLEAN, &element));
        in->csr->wants_ca = element.value.len == 1 && element.value.ptr[0];
    }
    if (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &element));
        if (element.value.len != 1 || element.value.ptr[0] > 0x7f) {
            return hf_fail(HF_E_MALFORMED, "a path length outside of 0 to 127");
        }
        in->csr->path_len = element.value.ptr[0];
    }
    return hf_read_end(&reader);
}

static enum hf_err on_eku(struct reading *in, struct hf_bytes value)
{
    struct hf_reader reader = hf_reader_of(value);
    struct hf_der list, oid;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    do {
        HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
        if (in->csr->n_eku == HF_CSR_EKU_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "more than %d extended key usages", HF_CSR_EKU_MAX);
        }
        in->csr->eku[in->csr->n_eku++] = oid.value;
    } while (reader.rest.len);
    return HF_OK;
}

/* The identifier of the key: ours is made from the key itself. */
static enum hf_err on_key_id(struct reading *in, struct hf_bytes value)
{
    (void)value;
    in->csr->n_ignored++;
    return HF_OK;
}

static const struct {
    struct hf_bytes oid;
    const char *name;
    enum hf_err (*read)(struct reading *in, struct hf_bytes value);
} extensions[] = {
    {HF_OID_INIT(OID_CE "\x11"), "subjectAltName", on_san},
    {HF_OID_INIT(OID_CE "\x0f"), "keyUsage", on_key_usage},
    {HF_OID_INIT(OID_CE "\x13"), "basicConstraints", on_basic_constraints},
    {HF_OID_INIT(OID_CE "\x25"), "extKeyUsage", on_eku},
    {HF_OID_INIT(OID_CE "\x0e"), "subjectKeyIdentifier", on_key_id},
};

static enum hf_err read_extension(struct reading *in, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der oid, critical = {0}, value;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    if (hf_der_peek(&reader) == HF_DER_BOOLEAN) {
        HF_TRY(hf_der_expect(&reader, HF_DER_BOOLEAN, &critical));
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_OCTET_STRING, &value));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(see(in, oid.value, EXTENSIONS_MAX, "extension"));
    for (size_t i = 0; i < HF_N_ELEMENTS(extensions); i++) {
        if (hf_bytes_eq(extensions[i].oid, oid.value)) {
            enum hf_err err = extensions[i].read(in, value.value);
            return err == HF_OK ? HF_OK : hf_fail_context(err, "%s", extensions[i].name);
        }
    }
    if (critical.value.len && critical.value.ptr[0]) {
        return refuse(in, HF_REFUSAL_CSR_UNSUPPORTED,
                      hf_fail(HF_E_UNSUPPORTED, "a critical extension that isn't known"));
    }
    in->csr->n_ignored++;
    return HF_OK;
}

static enum hf_err read_extensions(struct reading *in, const struct hf_der *list)
{
    struct reading inside = {.csr = in->csr, .why = in->why};
    struct hf_reader reader = hf_reader_of(list->value);
    enum hf_err err = list->tag == HF_DER_SEQUENCE
                          ? HF_OK
                          : hf_fail(HF_E_MALFORMED, "extensions that are no list");
    while (err == HF_OK && reader.rest.len) {
        struct hf_der one;
        err = hf_der_expect(&reader, HF_DER_SEQUENCE, &one);
        if (err == HF_OK) {
            err = read_extension(&inside, one.value);
        }
    }
    in->why = inside.why;
    return err;
}

/* --- Attributes -------------------------------------------------------------------------------*/

static enum hf_err on_challenge(struct reading *in, const struct hf_der *value)
{
    if (value->tag != HF_ASN1_UTF8_STRING && value->tag != HF_ASN1_PRINTABLE_STRING &&
        value->tag != HF_ASN1_IA5_STRING) {
        in->csr->n_ignored++;
        return HF_OK;
    }
    if (value->value.len > CHALLENGE_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a challengePassword of more than %d bytes", CHALLENGE_MAX);
    }
    in->csr->challenge = value->value;
    return HF_OK;
}

static const struct {
    struct hf_bytes oid;
    enum hf_err (*read)(struct reading *in, const struct hf_der *value);
} attributes[] = {
    {HF_OID_INIT(OID_PKCS9 "\x0e"), read_extensions},
    {HF_OID_INIT(OID_PKCS9 "\x07"), on_challenge},
};

/* Attribute ::= SEQUENCE { type, SET OF value }; those that we know have one value. */
static enum hf_err read_attribute(struct reading *in, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der oid, set, value;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    HF_TRY(hf_der_expect(&reader, HF_ASN1_SET, &set));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(see(in, oid.value, ATTRIBUTES_MAX, "attribute"));
    for (size_t i = 0; i < HF_N_ELEMENTS(attributes); i++) {
        if (hf_bytes_eq(attributes[i].oid, oid.value)) {
            reader = hf_reader_of(set.value);
            HF_TRY(hf_der_next(&reader, &value));
            HF_TRY(hf_read_end(&reader));
            return attributes[i].read(in, &value);
        }
    }
    in->csr->n_ignored++;
    return HF_OK;
}

/* Some makers leave the empty set out. */
static enum hf_err read_attributes(struct reading *in, struct hf_reader *reader)
{
    struct hf_der set, one;
    if (!reader->rest.len) {
        return HF_OK;
    }
    HF_TRY(hf_der_expect(reader, HF_DER_CONTEXT_0, &set));
    struct hf_reader inside = hf_reader_of(set.value);
    while (inside.rest.len) {
        HF_TRY(hf_der_expect(&inside, HF_DER_SEQUENCE, &one));
        HF_TRY(read_attribute(in, one.value));
    }
    return HF_OK;
}

/* --- The whole --------------------------------------------------------------------------------*/

static enum hf_err read_subject(struct reading *in, struct hf_bytes whole)
{
    enum hf_err err = hf_subject_from_der(whole, &in->csr->subject);
    if (err == HF_E_UNSUPPORTED || err == HF_E_INVALID) {
        return refuse(in, HF_REFUSAL_SUBJECT, err);
    }
    return err;
}

static enum hf_err read_key(struct reading *in, struct hf_bytes whole)
{
    enum hf_err err = hf_public_key_parse(whole, &in->csr->key);
    if (err == HF_E_UNSUPPORTED) {
        return refuse(in, HF_REFUSAL_KEY_TYPE, err);
    }
    return err == HF_E_INVALID ? refuse(in, HF_REFUSAL_WEAK_KEY, err) : err;
}

static enum hf_err read_info(struct reading *in, struct hf_bytes content)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der version, subject, key;
    HF_TRY(hf_der_expect(&reader, HF_DER_INTEGER, &version));
    if (version.value.len != 1 || version.value.ptr[0] != 0) {
        return hf_fail(HF_E_MALFORMED, "a request of a version that is not 1");
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &subject));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &key));
    HF_TRY(read_subject(in, subject.whole));
    HF_TRY(read_key(in, key.whole));
    HF_TRY(read_attributes(in, &reader));
    return hf_read_end(&reader);
}

static enum hf_err check_signature(struct reading *in, const struct hf_der *info,
                                   const struct hf_der *algorithm, const struct hf_der *bits)
{
    const struct hf_sig_alg *alg = hf_sig_alg_find(algorithm->whole);
    if (!alg) {
        return refuse(in, HF_REFUSAL_CSR_UNSUPPORTED,
                      hf_fail(HF_E_UNSUPPORTED, "signed by an algorithm that isn't handled"));
    }
    if (bits->value.len < 2 || bits->value.ptr[0] != 0) {
        return hf_fail(HF_E_MALFORMED, "a signature that is not a whole number of bytes");
    }
    enum hf_err err =
        hf_sig_alg_verify(alg, in->csr->key, info->whole, hf_bytes_from(bits->value, 1));
    if (err == HF_E_UNSUPPORTED) {
        return refuse(in, HF_REFUSAL_CSR_UNSUPPORTED, err);
    }
    if (err == HF_E_MISMATCH) {
        return refuse(in, HF_REFUSAL_CSR_SIGNATURE,
                      hf_fail(HF_E_INVALID, "the request's own signature is wrong: it was changed, "
                                            "or made without the private key"));
    }
    return err;
}

static enum hf_err read_request(struct reading *in)
{
    struct hf_reader reader = hf_reader_of(in->csr->der);
    struct hf_der list, info, algorithm, bits;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &list));
    HF_TRY(hf_read_end(&reader));
    reader = hf_reader_of(list.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &info));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(hf_der_expect(&reader, HF_DER_BIT_STRING, &bits));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(read_info(in, info.value));
    return check_signature(in, &info, &algorithm, &bits);
}

static enum hf_err decode_pem(struct hf_bytes text, const char *label, struct hf_buf *out)
{
    struct hf_pem_reader reader = hf_pem_reader_of(text, label);
    for (;;) {
        struct hf_pem_block block;
        HF_TRY(hf_pem_next(&reader, &block));
        if (block.type.len == 0) {
            return hf_fail(HF_E_MALFORMED, "there is no CERTIFICATE REQUEST in it");
        }
        if (hf_bytes_eq_str(block.type, "CERTIFICATE REQUEST") ||
            hf_bytes_eq_str(block.type, "NEW CERTIFICATE REQUEST")) {
            return hf_pem_decode(&block, label, out);
        }
    }
}

static enum hf_err take_der(struct hf_csr *csr, struct hf_bytes text, const char *label)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf decoded = HF_BUF_INIT(HF_CSR_TEXT_MAX);
    struct hf_bytes der = text;
    if (text.len > HF_CSR_TEXT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a request of %zu bytes; the limit is %u", text.len,
                       HF_CSR_TEXT_MAX);
    }
    if (hf_looks_like_pem(text)) {
        HF_TRY(decode_pem(text, label, &decoded));
        der = hf_buf_bytes(&decoded);
    }
    if (der.len > HF_CSR_DER_MAX || der.len == 0) {
        return hf_fail(der.len ? HF_E_TOO_LARGE : HF_E_MALFORMED,
                       "a request of %zu bytes in DER; the limit is %u", der.len, HF_CSR_DER_MAX);
    }
    uint8_t *copy = hf_alloc(der.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, der.ptr, der.len);
    csr->der = hf_bytes_of(copy, der.len);
    return HF_OK;
}

enum hf_err hf_csr_parse(struct hf_bytes text, const char *label, struct hf_csr **out,
                         enum hf_refusal *out_why)
{
    *out = NULL;
    struct hf_csr *csr = HF_NEW(struct hf_csr);
    struct reading in = {.csr = csr, .why = HF_REFUSAL_CSR_MALFORMED};
    if (!csr) {
        *out_why = HF_REFUSAL_NONE;
        return HF_E_NOMEM;
    }
    csr->path_len = -1;
    enum hf_err err = take_der(csr, text, label);
    if (err == HF_OK) {
        err = read_request(&in);
    }
    if (err == HF_OK) {
        *out = csr;
        return HF_OK;
    }
    hf_csr_free(csr);
    if (err == HF_E_NOMEM || err == HF_E_CRYPTO) {
        in.why = HF_REFUSAL_NONE;
    }
    *out_why = in.why;
    err = err == HF_E_TRUNCATED ? hf_fail(HF_E_MALFORMED, "cut off, or with a wrong length") : err;
    return hf_fail_context(err, "%s: not a good certificate request", label);
}

void hf_csr_free(struct hf_csr *csr)
{
    if (csr) {
        hf_public_key_free(csr->key);
        hf_subject_done(&csr->subject);
        hf_alt_names_done(&csr->names);
        hf_free((void *)(uintptr_t)csr->der.ptr);
        hf_free(csr);
    }
}

void hf_csr_freep(struct hf_csr **csr)
{
    hf_csr_free(*csr);
}
