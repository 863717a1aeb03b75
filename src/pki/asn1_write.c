// SPDX-License-Identifier: Apache-2.0
#include "pki/asn1_write.h"

#include <stdio.h>
#include <time.h>

static bool failed(struct hf_asn1 *der, enum hf_err err)
{
    if (der->err == HF_OK) {
        der->err = err;
    }
    return der->err != HF_OK;
}

void hf_asn1_open(struct hf_asn1 *der, uint8_t tag)
{
    if (failed(der, HF_OK)) {
        return;
    }
    if (der->depth == HF_ASN1_DEPTH_MAX) {
        der->err = hf_fail(HF_E_INTERNAL, "DER deeper than %d", HF_ASN1_DEPTH_MAX);
    } else if (!failed(der, hf_der_open(der->buf, tag, &der->open[der->depth]))) {
        der->depth++;
    }
}

void hf_asn1_open_bits(struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_BIT_STRING);
    hf_asn1_raw(der, hf_bytes_of("", 1)); /* no unused bits */
}

void hf_asn1_close(struct hf_asn1 *der)
{
    if (!failed(der, der->depth ? HF_OK : hf_fail(HF_E_INTERNAL, "DER closed too often"))) {
        failed(der, hf_der_close(der->buf, der->open[--der->depth]));
    }
}

void hf_asn1_put(struct hf_asn1 *der, uint8_t tag, struct hf_bytes value)
{
    if (!failed(der, HF_OK)) {
        failed(der, hf_der_put(der->buf, tag, value));
    }
}

void hf_asn1_raw(struct hf_asn1 *der, struct hf_bytes whole)
{
    if (!failed(der, HF_OK) && whole.len) {
        failed(der, hf_buf_append(der->buf, whole));
    }
}

void hf_asn1_text(struct hf_asn1 *der, uint8_t tag, const char *text)
{
    hf_asn1_put(der, tag, hf_bytes_str(text));
}

void hf_asn1_oid(struct hf_asn1 *der, struct hf_bytes oid)
{
    hf_asn1_put(der, HF_DER_OID, oid);
}

void hf_asn1_null(struct hf_asn1 *der)
{
    hf_asn1_put(der, HF_DER_NULL, hf_bytes_of(NULL, 0));
}

void hf_asn1_true(struct hf_asn1 *der)
{
    hf_asn1_put(der, HF_DER_BOOLEAN, hf_bytes_of("\xff", 1));
}

void hf_asn1_uint(struct hf_asn1 *der, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(value >> (8 * (sizeof(bytes) - 1 - i)));
    }
    hf_asn1_magnitude(der, hf_bytes_of(bytes, sizeof(bytes)));
}

void hf_asn1_magnitude(struct hf_asn1 *der, struct hf_bytes bytes)
{
    while (bytes.len > 1 && bytes.ptr[0] == 0) {
        bytes = hf_bytes_from(bytes, 1);
    }
    if (bytes.len == 0 || bytes.ptr[0] < 0x80) {
        hf_asn1_put(der, HF_DER_INTEGER, bytes.len ? bytes : hf_bytes_of("", 1));
        return;
    }
    hf_asn1_open(der, HF_DER_INTEGER);
    hf_asn1_raw(der, hf_bytes_of("", 1)); /* or the number would be negative */
    hf_asn1_raw(der, bytes);
    hf_asn1_close(der);
}

void hf_asn1_flags(struct hf_asn1 *der, uint32_t flags)
{
    uint8_t value[5] = {0};
    size_t n_bits = 0;
    for (size_t i = 0; i < 32; i++) {
        if (flags >> i & 1) {
            value[1 + i / 8] |= (uint8_t)(0x80 >> (i % 8));
            n_bits = i + 1;
        }
    }
    size_t n_bytes = (n_bits + 7) / 8;
    value[0] = (uint8_t)(n_bytes * 8 - n_bits);
    hf_asn1_put(der, HF_DER_BIT_STRING, hf_bytes_of(value, 1 + n_bytes));
}

static void put_time(struct hf_asn1 *der, int64_t unix_s, bool general)
{
    char text[32];
    struct tm tm;
    time_t when = (time_t)unix_s;
    int year = gmtime_r(&when, &tm) ? tm.tm_year + 1900 : 0;
    if (year < 1950 || year > 9999) {
        failed(der, hf_fail(HF_E_INVALID, "a date outside of the years 1950 to 9999"));
        return;
    }
    general = general || year >= 2050;
    int n = general ? snprintf(text, sizeof(text), "%04d", year)
                    : snprintf(text, sizeof(text), "%02d", year % 100);
    snprintf(text + n, sizeof(text) - (size_t)n, "%02d%02d%02d%02d%02dZ", tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
    hf_asn1_text(der, general ? HF_DER_GENERALIZED_TIME : HF_DER_UTC_TIME, text);
}

void hf_asn1_time(struct hf_asn1 *der, int64_t unix_s)
{
    put_time(der, unix_s, false);
}

void hf_asn1_general_time(struct hf_asn1 *der, int64_t unix_s)
{
    put_time(der, unix_s, true);
}

enum hf_err hf_asn1_end(const struct hf_asn1 *der)
{
    if (der->err == HF_OK && der->depth) {
        return hf_fail(HF_E_INTERNAL, "DER with %u elements still open", der->depth);
    }
    return der->err;
}
