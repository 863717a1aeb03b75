// SPDX-License-Identifier: Apache-2.0
/*
 * An OCSPResponse, read in one pass (RFC 6960 4.2.1):
 *
 *     SEQUENCE { responseStatus ENUMERATED,
 *                [0] SEQUENCE { OID basic, OCTET STRING
 *                    SEQUENCE { tbs SEQUENCE { [0] version, responderID, producedAt,
 *                                              SEQUENCE OF single, [1] extensions },
 *                               algorithm, BIT STRING, [0] SEQUENCE OF Certificate } } }
 *
 * What isn't of this form is refused as a whole. Extensions that aren't known are passed over
 * unless they are critical.
 */
#include "pki/ocsp_answer.h"

#include <string.h>

#include "base/mem.h"
#include "pki/der.h"

enum { CONTEXT_1 = 0xa1, CONTEXT_2 = 0xa2, IMPLICIT_GOOD = 0x80, IMPLICIT_UNKNOWN = 0x82 };
enum { REVOKED_INFO = 0xa1, SHA1_SIZE = 20 };

/* Takes an optional element with this tag off the front; *out_there says whether it was. */
static enum hf_err take_optional(struct hf_reader *reader, uint8_t tag, struct hf_der *out,
                                 bool *out_there)
{
    *out_there = hf_der_peek(reader) == tag;
    return *out_there ? hf_der_expect(reader, tag, out) : HF_OK;
}

/* The one element within an explicit tag. */
static enum hf_err unwrap(struct hf_bytes content, uint8_t tag, struct hf_der *out)
{
    struct hf_reader reader = hf_reader_of(content);
    HF_TRY(hf_der_expect(&reader, tag, out));
    return hf_read_end(&reader);
}

/* RFC 6960 4.2.2.1 has GeneralizedTime only. */
static enum hf_err read_time(const struct hf_der *der, int64_t *out)
{
    if (der->tag != HF_DER_GENERALIZED_TIME) {
        return hf_fail(HF_E_MALFORMED, "a date that is not a GeneralizedTime");
    }
    return hf_der_time(der, out);
}

static enum hf_err take_time(struct hf_reader *reader, int64_t *out)
{
    struct hf_der der;
    HF_TRY(hf_der_next(reader, &der));
    return read_time(&der, out);
}

/* --- Extensions ---------------------------------------------------------------------------------
 */

struct extension {
    struct hf_bytes oid;
    bool critical;
    struct hf_bytes value;
};

static enum hf_err read_extension(struct hf_bytes content, struct extension *out)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der oid, critical, value;
    bool there;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    HF_TRY(take_optional(&reader, HF_DER_BOOLEAN, &critical, &there));
    if (there && (critical.value.len != 1 || critical.value.ptr[0] != 0xff)) {
        return hf_fail(HF_E_MALFORMED, "a BOOLEAN that is not DER");
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_OCTET_STRING, &value));
    HF_TRY(hf_read_end(&reader));
    *out = (struct extension){oid.value, there, value.value};
    return HF_OK;
}

static enum hf_err take_nonce(struct hf_bytes value, struct hf_bytes *out)
{
    struct hf_der nonce;
    HF_TRY(unwrap(value, HF_DER_OCTET_STRING, &nonce));
    if (out->len || nonce.value.len == 0 || nonce.value.len > HF_OCSP_NONCE_MAX) {
        return hf_fail(HF_E_MALFORMED, "a second nonce, or one that has not 1 to %d bytes",
                       HF_OCSP_NONCE_MAX);
    }
    *out = nonce.value;
    return HF_OK;
}

/* nonce: where it may be; NULL: it is an extension like all others here. */
static enum hf_err read_extensions(struct hf_bytes content, struct hf_bytes *nonce)
{
    struct hf_der list, item;
    struct extension extension;
    HF_TRY(unwrap(content, HF_DER_SEQUENCE, &list));
    struct hf_reader reader = hf_reader_of(list.value);
    if (reader.rest.len == 0) {
        return hf_fail(HF_E_MALFORMED, "a list of extensions that is empty");
    }
    while (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &item));
        HF_TRY(read_extension(item.value, &extension));
        if (nonce && hf_bytes_eq(extension.oid, hf_ocsp_oid_nonce)) {
            HF_TRY(take_nonce(extension.value, nonce));
        } else if (extension.critical) {
            return hf_fail(HF_E_UNSUPPORTED, "a critical extension that is not known here");
        }
    }
    return HF_OK;
}

/* --- What is said of one certificate ------------------------------------------------------------
 */

static enum hf_err read_revoked(struct hf_bytes content, struct hf_ocsp_said *out)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der tagged, reason;
    out->status = HF_OCSP_REVOKED;
    HF_TRY(take_time(&reader, &out->revoked_at));
    HF_TRY(take_optional(&reader, HF_DER_CONTEXT_0, &tagged, &out->gives_why));
    HF_TRY(hf_read_end(&reader));
    if (!out->gives_why) {
        return HF_OK;
    }
    HF_TRY(unwrap(tagged.value, HF_DER_ENUMERATED, &reason));
    if (reason.value.len != 1 || !hf_revoked_for_name(reason.value.ptr[0])) {
        return hf_fail(HF_E_MALFORMED, "a reason for revocation that RFC 5280 doesn't know");
    }
    out->why = (enum hf_revoked_for)reason.value.ptr[0];
    return HF_OK;
}

static enum hf_err read_status(const struct hf_der *der, struct hf_ocsp_said *out)
{
    switch (der->tag) {
    case IMPLICIT_GOOD:
    case IMPLICIT_UNKNOWN:
        out->status = der->tag == IMPLICIT_GOOD ? HF_OCSP_GOOD : HF_OCSP_UNKNOWN;
        return der->value.len == 0 ? HF_OK : hf_fail(HF_E_MALFORMED, "a NULL with content");
    case REVOKED_INFO:
        return read_revoked(der->value, out);
    default:
        return hf_fail(HF_E_MALFORMED, "a status that is not good, revoked or unknown");
    }
}

static enum hf_err read_dates(struct hf_reader *reader, struct hf_ocsp_said *out)
{
    struct hf_der tagged, inner;
    bool there;
    HF_TRY(take_time(reader, &out->this_update));
    HF_TRY(take_optional(reader, HF_DER_CONTEXT_0, &tagged, &there));
    if (!there) {
        return HF_OK;
    }
    HF_TRY(unwrap(tagged.value, HF_DER_GENERALIZED_TIME, &inner));
    HF_TRY(read_time(&inner, &out->next_update));
    if (out->next_update < out->this_update) {
        return hf_fail(HF_E_MALFORMED, "the next update is before this one");
    }
    return HF_OK;
}

static enum hf_err read_single(struct hf_bytes content, struct hf_ocsp_answer *answer)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_ocsp_single single = {0};
    struct hf_der status, extensions;
    bool there;
    enum hf_err named = hf_ocsp_id_read(&reader, &single.id);
    if (named != HF_OK && named != HF_E_UNSUPPORTED) {
        return named;
    }
    HF_TRY(hf_der_next(&reader, &status));
    HF_TRY(read_status(&status, &single.said));
    HF_TRY(read_dates(&reader, &single.said));
    HF_TRY(take_optional(&reader, CONTEXT_1, &extensions, &there));
    if (there) {
        HF_TRY(read_extensions(extensions.value, NULL));
    }
    HF_TRY(hf_read_end(&reader));
    if (named != HF_OK) {
        answer->n_strange++;
    } else if (answer->n_singles == HF_OCSP_SERIALS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "an answer about more than %d certificates",
                       HF_OCSP_SERIALS_MAX);
    } else {
        answer->single[answer->n_singles++] = single;
    }
    return HF_OK;
}

/* --- The whole ----------------------------------------------------------------------------------
 */

static enum hf_err read_responder(struct hf_reader *reader, struct hf_ocsp_answer *answer)
{
    struct hf_der id, inner;
    HF_TRY(hf_der_next(reader, &id));
    if (id.tag == CONTEXT_1) {
        HF_TRY(unwrap(id.value, HF_DER_SEQUENCE, &inner));
        answer->by_name = inner.whole;
        return HF_OK;
    }
    if (id.tag != CONTEXT_2) {
        return hf_fail(HF_E_MALFORMED, "a responder that has neither a name nor a key");
    }
    HF_TRY(unwrap(id.value, HF_DER_OCTET_STRING, &inner));
    answer->by_key = inner.value;
    return inner.value.len == SHA1_SIZE
               ? HF_OK
               : hf_fail(HF_E_MALFORMED, "a responder's key hash of %zu bytes", inner.value.len);
}

static enum hf_err read_data(struct hf_bytes content, struct hf_ocsp_answer *answer)
{
    struct hf_reader reader = hf_reader_of(content);
    struct hf_der part, version;
    bool there;
    HF_TRY(take_optional(&reader, HF_DER_CONTEXT_0, &part, &there));
    if (there) {
        HF_TRY(unwrap(part.value, HF_DER_INTEGER, &version));
        if (version.value.len != 1 || version.value.ptr[0] != 0) {
            return hf_fail(HF_E_UNSUPPORTED, "an answer of a version that is not 1");
        }
    }
    HF_TRY(read_responder(&reader, answer));
    HF_TRY(take_time(&reader, &answer->produced_at));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &part));
    struct hf_reader singles = hf_reader_of(part.value);
    while (singles.rest.len) {
        struct hf_der single;
        HF_TRY(hf_der_expect(&singles, HF_DER_SEQUENCE, &single));
        HF_TRY(read_single(single.value, answer));
    }
    HF_TRY(take_optional(&reader, CONTEXT_1, &part, &there));
    if (there) {
        HF_TRY(read_extensions(part.value, &answer->nonce));
    }
    return hf_read_end(&reader);
}

static enum hf_err read_certs(struct hf_bytes content, struct hf_ocsp_answer *answer)
{
    struct hf_der list, cert;
    HF_TRY(unwrap(content, HF_DER_SEQUENCE, &list));
    struct hf_reader reader = hf_reader_of(list.value);
    while (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &cert));
        if (answer->n_certs == HF_OCSP_CERTS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "an answer with more than %d certificates",
                           HF_OCSP_CERTS_MAX);
        }
        HF_TRY(hf_cert_from_der(cert.whole, &answer->cert[answer->n_certs]));
        answer->n_certs++;
    }
    return HF_OK;
}

static enum hf_err read_basic(struct hf_bytes content, struct hf_ocsp_answer *answer)
{
    struct hf_der whole, data, algorithm, bits, certs;
    bool there;
    HF_TRY(unwrap(content, HF_DER_SEQUENCE, &whole));
    struct hf_reader reader = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &data));
    HF_TRY(read_data(data.value, answer));
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(hf_der_expect(&reader, HF_DER_BIT_STRING, &bits));
    HF_TRY(hf_crl_signature_new(algorithm.whole, &answer->signature));
    HF_TRY(hf_crl_signature_feed(answer->signature, data.whole));
    HF_TRY(hf_crl_signature_seal(answer->signature, algorithm.whole, bits.value));
    HF_TRY(take_optional(&reader, HF_DER_CONTEXT_0, &certs, &there));
    if (there) {
        HF_TRY(read_certs(certs.value, answer));
    }
    return hf_read_end(&reader);
}

/* Why the responder doesn't answer; any other number is nobody's. */
static enum hf_err check_response(const struct hf_der *status)
{
    unsigned number = status->value.len == 1 ? status->value.ptr[0] : 0x100;
    const char *name = hf_ocsp_response_name(number);
    if (!name) {
        return hf_fail(HF_E_MALFORMED, "an OCSP answer with a status that RFC 6960 doesn't know");
    }
    return number == HF_OCSP_RESPONSE_SUCCESSFUL
               ? HF_OK
               : hf_fail(HF_E_PEER, "the responder doesn't answer: %s", name);
}

static enum hf_err read_response(struct hf_bytes der, struct hf_ocsp_answer *answer)
{
    struct hf_der whole, status, tagged, bytes, type, basic;
    HF_TRY(unwrap(der, HF_DER_SEQUENCE, &whole));
    struct hf_reader reader = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_ENUMERATED, &status));
    HF_TRY(check_response(&status));
    HF_TRY(hf_der_expect(&reader, HF_DER_CONTEXT_0, &tagged));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(unwrap(tagged.value, HF_DER_SEQUENCE, &bytes));
    reader = hf_reader_of(bytes.value);
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &type));
    HF_TRY(hf_der_expect(&reader, HF_DER_OCTET_STRING, &basic));
    HF_TRY(hf_read_end(&reader));
    if (!hf_bytes_eq(type.value, hf_ocsp_oid_basic)) {
        return hf_fail(HF_E_UNSUPPORTED, "an OCSP answer of a type that is not basic");
    }
    HF_TRY(read_basic(basic.value, answer));
    return answer->n_singles + answer->n_strange
               ? HF_OK
               : hf_fail(HF_E_MALFORMED, "an OCSP answer about no certificate");
}

enum hf_err hf_ocsp_answer_read(struct hf_bytes der, struct hf_ocsp_answer **out)
{
    *out = NULL;
    if (der.len > HF_OCSP_ANSWER_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "an OCSP answer of %zu bytes; the limit is %u", der.len,
                       HF_OCSP_ANSWER_MAX);
    }
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = HF_NEW(struct hf_ocsp_answer);
    if (!answer) {
        return HF_E_NOMEM;
    }
    atomic_init(&answer->refs, 1);
    answer->der = hf_span_of(hf_alloc(der.len + 1), der.len);
    if (!answer->der.ptr) {
        return HF_E_NOMEM;
    }
    if (der.len) {
        memcpy(answer->der.ptr, der.ptr, der.len);
    }
    HF_TRY(read_response(hf_span_bytes(answer->der), answer));
    *out = HF_TAKE(answer);
    return HF_OK;
}

struct hf_ocsp_answer *hf_ocsp_answer_ref(struct hf_ocsp_answer *answer)
{
    atomic_fetch_add_explicit(&answer->refs, 1, memory_order_relaxed);
    return answer;
}

void hf_ocsp_answer_unref(struct hf_ocsp_answer *answer)
{
    if (!answer || atomic_fetch_sub_explicit(&answer->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < answer->n_certs; i++) {
        hf_cert_unref(answer->cert[i]);
    }
    hf_crl_signature_free(answer->signature);
    hf_free(answer->der.ptr);
    hf_free(answer);
}

void hf_ocsp_answer_unrefp(struct hf_ocsp_answer **answer)
{
    hf_ocsp_answer_unref(*answer);
}
