// SPDX-License-Identifier: Apache-2.0
#include "ca/oid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/asn1_write.h"

#define KP "\x2b\x06\x01\x05\x05\x07\x03"

static const struct {
    const char *word;
    struct hf_bytes oid;
} ekus[] = {
    {"server-auth", HF_OID_INIT(KP "\x01")},
    {"client-auth", HF_OID_INIT(KP "\x02")},
    {"code-signing", HF_OID_INIT(KP "\x03")},
    {"email-protection", HF_OID_INIT(KP "\x04")},
    {"time-stamping", HF_OID_INIT(KP "\x08")},
    {"ocsp-signing", HF_OID_INIT(KP "\x09")},
    {"ipsec-ike", HF_OID_INIT(KP "\x11")},
    {"smartcard-logon", HF_OID_INIT("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02")},
    {"kerberos-client", HF_OID_INIT("\x2b\x06\x01\x05\x02\x03\x04")},
};

const char *const hf_eku_words[] = {
    "server-auth",  "client-auth", "code-signing",    "email-protection", "time-stamping",
    "ocsp-signing", "ipsec-ike",   "smartcard-logon", "kerberos-client",  NULL};

struct hf_bytes hf_eku_by_word(const char *word)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(ekus); i++) {
        if (strcmp(ekus[i].word, word) == 0) {
            return ekus[i].oid;
        }
    }
    return hf_bytes_of(NULL, 0);
}

const char *hf_eku_word(struct hf_bytes oid)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(ekus); i++) {
        if (hf_bytes_eq(ekus[i].oid, oid)) {
            return ekus[i].word;
        }
    }
    return NULL;
}

/* An arc in base 128, all bytes but the last with the top bit. */
static bool put_arc(uint64_t arc, uint8_t *out, size_t *len)
{
    size_t n = 1;
    for (uint64_t left = arc >> 7; left; left >>= 7) {
        n++;
    }
    if (*len + n > HF_OID_MAX) {
        return false;
    }
    for (size_t i = n; i-- > 0;) {
        out[(*len)++] = (uint8_t)(((arc >> (7 * i)) & 0x7f) | (i ? 0x80 : 0));
    }
    return true;
}

static bool take_arc(const char **text, uint64_t *out)
{
    const char *at = *text;
    char *end;
    if (*at < '0' || *at > '9' || (*at == '0' && at[1] >= '0' && at[1] <= '9')) {
        return false;
    }
    unsigned long long arc = strtoull(at, &end, 10);
    if (end - at > 18 || (*end && (*end != '.' || !end[1]))) {
        return false;
    }
    *text = *end ? end + 1 : end;
    *out = arc;
    return true;
}

enum hf_err hf_oid_parse(const char *text, uint8_t out[static HF_OID_MAX], size_t *out_len)
{
    const char *at = text;
    uint64_t first = 0, second = 0, arc;
    size_t len = 0;
    bool good = take_arc(&at, &first) && *at && take_arc(&at, &second) && first <= 2 &&
                (first == 2 || second < 40) && put_arc(first * 40 + second, out, &len);
    while (good && *at) {
        good = take_arc(&at, &arc) && put_arc(arc, out, &len);
    }
    if (!good) {
        return hf_fail(HF_E_INVALID, "\"%.60s\" is no object identifier such as 1.3.6.1.5.5.7.3.2",
                       text);
    }
    *out_len = len;
    return HF_OK;
}

void hf_oid_text(struct hf_bytes oid, char out[static HF_OID_TEXT_SIZE])
{
    size_t len = 0;
    uint64_t arc = 0;
    bool open = true; /* the last byte said that more follows */
    for (size_t i = 0; i < oid.len && oid.len <= HF_OID_MAX; i++) {
        if (arc >> 56 || (arc == 0 && oid.ptr[i] == 0x80)) {
            break;
        }
        arc = arc << 7 | (oid.ptr[i] & 0x7f);
        open = oid.ptr[i] & 0x80;
        if (open) {
            continue;
        }
        uint64_t first = arc < 80 ? arc / 40 : 2;
        int n = len == 0
                    ? snprintf(out, HF_OID_TEXT_SIZE, "%d.%llu", (int)first,
                               (unsigned long long)(arc - first * 40))
                    : snprintf(out + len, HF_OID_TEXT_SIZE - len, ".%llu", (unsigned long long)arc);
        len += (size_t)n < HF_OID_TEXT_SIZE - len ? (size_t)n : 0;
        arc = 0;
    }
    if (open) {
        snprintf(out, HF_OID_TEXT_SIZE, "?");
    }
}
