// SPDX-License-Identifier: Apache-2.0
/*
 * Finds out what a file is by its contents and hands each part to the describer of its kind. A part
 * that can't be read is a problem in the answer; only a file without any readable part is an error.
 */
#include "pki/describe.h"

#include <openssl/pkcs7.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/der.h"
#include "pki/describe_impl.h"
#include "pki/key.h"
#include "pki/ossl.h"

enum { DER_CAP = 64 << 20 };

/* --- The tree ----------------------------------------------------------------------------------
 */

void hf_put(struct hf_describer *d, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0) {
        d->failed = true;
    }
}

void hf_put_text(struct hf_describer *d, json_t *object, const char *key, const char *value)
{
    if (value) {
        hf_put(d, object, key, json_string(value));
    }
}

void hf_put_time(struct hf_describer *d, json_t *object, const char *key, int64_t when)
{
    char text[HF_TIME_TEXT_SIZE] = "never";
    if (when != INT64_MAX) {
        hf_format_time(when, text);
    }
    hf_put_text(d, object, key, text);
}

void hf_put_hex(struct hf_describer *d, json_t *object, const char *key, struct hf_bytes bytes)
{
    char *text = hf_alloc(2 * bytes.len + 1);
    if (!text) {
        d->failed = true;
        return;
    }
    hf_hex(bytes, text);
    hf_put_text(d, object, key, text);
    hf_free(text);
}

void hf_append(struct hf_describer *d, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0) {
        d->failed = true;
    }
}

json_t *hf_printable(struct hf_describer *d, struct hf_bytes text)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf buf = HF_BUF_INIT(2 * HF_IDENTITY_TEXT_MAX);
    if (hf_append_printable(&buf, text, HF_IDENTITY_TEXT_MAX) != HF_OK) {
        d->failed = true;
        return NULL;
    }
    struct hf_bytes made = hf_buf_bytes(&buf);
    return json_stringn((const char *)made.ptr, made.len);
}

void hf_add_problem(struct hf_describer *d, const char *id, const char *format, ...)
{
    char text[HF_ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hf_append(d, d->problems, json_pack("{s:s, s:s}", "id", id, "text", text));
}

static void describer_done(struct hf_describer *d)
{
    for (size_t i = 0; i < d->n_certs; i++) {
        hf_cert_unref(d->certs[i]);
    }
    hf_free(d->certs);
    EVP_PKEY_free(d->key);
    json_decref(d->objects);
    json_decref(d->problems);
}

/* --- PKCS#7 and PKCS#12 ------------------------------------------------------------------------
 */

static enum hf_err describe_x509(struct hf_describer *d, X509 *x509)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "a certificate can't be encoded");
    }
    enum hf_err err = hf_describe_cert(d, hf_bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return err;
}

static enum hf_err describe_pkcs7(struct hf_describer *d, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);
    STACK_OF(X509) *certs = NULL;
    if (p7 && PKCS7_type_is_signed(p7) && p7->d.sign) {
        certs = p7->d.sign->cert;
    }
    enum hf_err err = certs && sk_X509_num(certs) > 0
                          ? HF_OK
                          : hf_fail_ossl(HF_E_MALFORMED, "PKCS#7 without certificates");
    for (int i = 0; err == HF_OK && i < sk_X509_num(certs); i++) {
        err = describe_x509(d, sk_X509_value(certs, i));
    }
    PKCS7_free(p7);
    return err;
}

static enum hf_err describe_pkcs12(struct hf_describer *d)
{
    struct hf_locked from = {d->input->text, d->input->label, d->input->passphrase};
    HF_CLEANUP(hf_pkcs12_done) struct hf_pkcs12 pkcs12 = {0};
    HF_TRY(hf_pkcs12_parse(&from, &pkcs12));
    const struct hf_chain *const chains[] = {pkcs12.chain, pkcs12.others};
    for (size_t c = 0; c < HF_N_ELEMENTS(chains); c++) {
        for (size_t i = 0; chains[c] && i < chains[c]->n_certs; i++) {
            HF_TRY(hf_describe_cert(d, chains[c]->certs[i]->der));
        }
    }
    if (pkcs12.key) {
        hf_describe_key_object(d, pkcs12.key, true);
        d->key = HF_TAKE(pkcs12.key);
    }
    if (pkcs12.old_ciphers) {
        hf_add_problem(d, "old-cipher",
                       "the file is encrypted with RC2, which current programs no longer read; "
                       "export it anew");
    }
    return HF_OK;
}

/* --- PEM ---------------------------------------------------------------------------------------
 */

/* An OpenSSL "TRUSTED CERTIFICATE" is a certificate with settings behind it. */
static enum hf_err describe_trusted(struct hf_describer *d, struct hf_bytes der)
{
    struct hf_reader reader = hf_reader_of(der);
    struct hf_der cert;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &cert));
    HF_TRY(hf_describe_cert(d, cert.whole));
    hf_add_problem(d, "trusted-certificate",
                   "an OpenSSL \"TRUSTED CERTIFICATE\": its trust settings are ignored by handfast "
                   "and by most programs");
    return HF_OK;
}

typedef enum hf_err der_describer(struct hf_describer *d, struct hf_bytes der);

static const struct {
    const char *type;
    der_describer *describe; /* NULL: nothing to say */
} blocks[] = {
    {"CERTIFICATE", hf_describe_cert},
    {"X509 CERTIFICATE", hf_describe_cert},
    {"TRUSTED CERTIFICATE", describe_trusted},
    {"CERTIFICATE REQUEST", hf_describe_request},
    {"NEW CERTIFICATE REQUEST", hf_describe_request},
    {"X509 CRL", hf_describe_crl},
    {"OCSP RESPONSE", hf_describe_ocsp},
    {"PUBLIC KEY", hf_describe_public_key},
    {"PKCS7", describe_pkcs7},
    {"EC PARAMETERS", NULL},
};

static bool ends_with(struct hf_bytes text, const char *suffix)
{
    size_t len = strlen(suffix);
    return text.len >= len && hf_bytes_eq_str(hf_bytes_from(text, text.len - len), suffix);
}

static enum hf_err describe_block(struct hf_describer *d, const struct hf_pem_block *block)
{
    if (ends_with(block->type, "PRIVATE KEY")) {
        return hf_describe_key(d, block->text);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(blocks); i++) {
        if (!hf_bytes_eq_str(block->type, blocks[i].type)) {
            continue;
        }
        if (!blocks[i].describe) {
            return HF_OK;
        }
        HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(DER_CAP);
        HF_TRY(hf_pem_decode(block, d->input->label, &der));
        return blocks[i].describe(d, hf_buf_bytes(&der));
    }
    return hf_fail(HF_E_UNSUPPORTED, "a PEM block \"%.*s\" is not known here", (int)block->type.len,
                   (const char *)block->type.ptr);
}

static enum hf_err describe_pem(struct hf_describer *d)
{
    struct hf_pem_reader reader = hf_pem_reader_of(d->input->text, d->input->label);
    for (;;) {
        struct hf_pem_block block;
        enum hf_err err = hf_pem_next(&reader, &block);
        if (err == HF_OK && block.type.len == 0) {
            return HF_OK;
        }
        bool scanner_failed = err != HF_OK;
        int line = scanner_failed ? reader.line : block.line;
        if (!scanner_failed) {
            err = json_array_size(d->objects) < HF_DESCRIBE_OBJECTS_MAX
                      ? describe_block(d, &block)
                      : hf_fail(HF_E_TOO_LARGE, "more than %d things in one file",
                                HF_DESCRIBE_OBJECTS_MAX);
        }
        if (err == HF_E_NOMEM || err == HF_E_TOO_LARGE) {
            return err;
        }
        if (err != HF_OK) {
            hf_add_problem(d, "unreadable", "line %d: %s", line, hf_err_text());
        }
        if (scanner_failed) {
            return HF_OK;
        }
    }
}

/* --- DER ---------------------------------------------------------------------------------------
 */

static enum hf_err describe_key_der(struct hf_describer *d, struct hf_bytes der)
{
    return hf_describe_key(d, der);
}

/* Of what is signed, the fourth element inside tells a v1 certificate, a request and a CRL apart.
 */
static der_describer *kind_of_signed(struct hf_bytes to_be_signed)
{
    struct hf_reader reader = hf_reader_of(to_be_signed);
    struct hf_der element;
    if (hf_der_peek(&reader) == HF_DER_CONTEXT_0) {
        return hf_describe_cert;
    }
    if (hf_der_peek(&reader) == HF_DER_SEQUENCE) {
        return hf_describe_crl; /* of version 1 */
    }
    for (int i = 0; i < 3; i++) {
        if (hf_der_next(&reader, &element) != HF_OK) {
            return NULL;
        }
    }
    switch (hf_der_peek(&reader)) {
    case HF_DER_UTC_TIME:
    case HF_DER_GENERALIZED_TIME:
        return hf_describe_crl;
    case HF_DER_SEQUENCE:
        return hf_describe_cert;
    default:
        return hf_describe_request;
    }
}

static der_describer *kind_of(struct hf_bytes text)
{
    enum { BIT_STRING = 0x03, OCTET_STRING = 0x04, OID = 0x06 };
    struct hf_reader outer = hf_reader_of(text);
    struct hf_der all;
    struct hf_der first;
    if (hf_der_expect(&outer, HF_DER_SEQUENCE, &all) != HF_OK) {
        return NULL;
    }
    struct hf_reader inner = hf_reader_of(all.value);
    if (hf_der_next(&inner, &first) != HF_OK) {
        return NULL;
    }
    switch (first.tag) {
    case HF_DER_INTEGER:
        return describe_key_der;
    case HF_DER_ENUMERATED:
        return hf_describe_ocsp;
    case OID:
        return describe_pkcs7;
    case HF_DER_SEQUENCE:
        break;
    default:
        return NULL;
    }
    switch (hf_der_peek(&inner)) {
    case BIT_STRING:
        return hf_describe_public_key;
    case OCTET_STRING:
        return describe_key_der; /* an encrypted one */
    default:
        return kind_of_signed(first.value);
    }
}

static enum hf_err describe_der(struct hf_describer *d)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *what;
    } others[] = {
        {"\xfe\xed\xfe\xed", 4, "a Java keystore (JKS)"},
        {"\xce\xce\xce\xce", 4, "a Java keystore (JCEKS)"},
        {"ssh-", 4, "an OpenSSH public key"},
        {"ecdsa-sha2-", 11, "an OpenSSH public key"},
    };
    struct hf_bytes text = d->input->text;
    der_describer *describe = kind_of(text);
    if (describe) {
        return describe(d, text);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(others); i++) {
        if (text.len >= others[i].len && memcmp(text.ptr, others[i].magic, others[i].len) == 0) {
            return hf_fail(HF_E_UNSUPPORTED, "this is %s, which handfast does not read",
                           others[i].what);
        }
    }
    return hf_fail(HF_E_MALFORMED, "%s",
                   text.len ? "neither PEM nor a certificate, key, request, CRL, OCSP answer, "
                              "PKCS#7 or PKCS#12 file in DER"
                            : "the file is empty");
}

/* --- The whole ---------------------------------------------------------------------------------
 */

/* "2 certificates, 1 private key" */
static void put_summary(struct hf_describer *d, json_t *tree)
{
    static const struct {
        const char *kind, *many;
    } kinds[] = {
        {"certificate", "certificates"},
        {"private key", "private keys"},
        {"public key", "public keys"},
        {"certificate request", "certificate requests"},
        {"CRL", "CRLs"},
        {"OCSP answer", "OCSP answers"},
    };
    char text[160] = "";
    size_t len = 0;
    for (size_t k = 0; k < HF_N_ELEMENTS(kinds); k++) {
        size_t n = 0;
        for (size_t i = 0; i < json_array_size(d->objects); i++) {
            const json_t *kind = json_object_get(json_array_get(d->objects, i), "kind");
            n += kind && strcmp(json_string_value(kind), kinds[k].kind) == 0;
        }
        if (n) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%zu %s", len ? ", " : "", n,
                                    n == 1 ? kinds[k].kind : kinds[k].many);
        }
    }
    hf_put_text(d, tree, "what", text);
}

static enum hf_err describe_file(struct hf_describer *d, const char **out_format)
{
    if (hf_looks_like_pem(d->input->text)) {
        *out_format = "PEM";
        return describe_pem(d);
    }
    if (hf_looks_like_pkcs12(d->input->text)) {
        *out_format = "PKCS#12";
        return describe_pkcs12(d);
    }
    *out_format = "DER";
    return describe_der(d);
}

static enum hf_err finish(struct hf_describer *d, const char *format, json_t **out)
{
    HF_CLEANUP(hf_freep) char *chain = hf_describe_chain(d);
    json_t *tree = json_object();
    hf_put(d, tree, "file", hf_printable(d, hf_bytes_str(d->input->label)));
    hf_put_text(d, tree, "format", format);
    put_summary(d, tree);
    hf_put_text(d, tree, "chain", chain);
    hf_put(d, tree, "objects", json_incref(d->objects));
    hf_put(d, tree, "problems", json_incref(d->problems));
    if (d->failed) {
        json_decref(tree);
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    *out = tree;
    return HF_OK;
}

enum hf_err hf_describe(const struct hf_describe_input *input, json_t **out)
{
    *out = NULL;
    HF_CLEANUP(describer_done)
    struct hf_describer d = {.input = input, .objects = json_array(), .problems = json_array()};
    const char *format = NULL;
    enum hf_err err = describe_file(&d, &format);
    hf_ossl_forget();
    if (err == HF_OK && !d.failed && json_array_size(d.objects) == 0) {
        const json_t *first = json_object_get(json_array_get(d.problems, 0), "text");
        err = hf_fail(HF_E_MALFORMED, "%s",
                      first ? json_string_value(first) : "nothing in it that can be described");
    }
    if (err != HF_OK) {
        bool named = strncmp(hf_err_text(), input->label, strlen(input->label)) == 0;
        return named ? err : hf_fail_context(err, "%s", input->label);
    }
    return finish(&d, format, out);
}
