// SPDX-License-Identifier: Apache-2.0
#include "tls/offer.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/escape.h"

struct name {
    uint16_t number;
    const char *text;
};

static const struct name versions[] = {
    {0x0300, "SSL 3.0"}, {0x0301, "TLS 1.0"}, {0x0302, "TLS 1.1"},
    {0x0303, "TLS 1.2"}, {0x0304, "TLS 1.3"},
};

static const struct name suites[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256"},
    {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0x1304, "TLS_AES_128_CCM_SHA256"},
    {0x1305, "TLS_AES_128_CCM_8_SHA256"},
    {0x0004, "TLS_RSA_WITH_RC4_128_MD5"},
    {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
    {0x5600, "TLS_FALLBACK_SCSV"},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
    {0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};

static const struct name groups[] = {
    {19, "secp192r1"},
    {21, "secp224r1"},
    {22, "secp256k1"},
    {23, "secp256r1"},
    {24, "secp384r1"},
    {25, "secp521r1"},
    {26, "brainpoolP256r1"},
    {27, "brainpoolP384r1"},
    {28, "brainpoolP512r1"},
    {29, "x25519"},
    {30, "x448"},
    {256, "ffdhe2048"},
    {257, "ffdhe3072"},
    {258, "ffdhe4096"},
    {259, "ffdhe6144"},
    {260, "ffdhe8192"},
    {0x11eb, "SecP256r1MLKEM768"},
    {0x11ec, "X25519MLKEM768"},
    {0x11ed, "SecP384r1MLKEM1024"},
    {0x6399, "X25519Kyber768Draft00"},
};

static const struct name schemes[] = {
    {0x0201, "rsa_pkcs1_sha1"},
    {0x0203, "ecdsa_sha1"},
    {0x0301, "rsa_pkcs1_sha224"},
    {0x0303, "ecdsa_sha224"},
    {0x0401, "rsa_pkcs1_sha256"},
    {0x0403, "ecdsa_secp256r1_sha256"},
    {0x0501, "rsa_pkcs1_sha384"},
    {0x0503, "ecdsa_secp384r1_sha384"},
    {0x0601, "rsa_pkcs1_sha512"},
    {0x0603, "ecdsa_secp521r1_sha512"},
    {0x0804, "rsa_pss_rsae_sha256"},
    {0x0805, "rsa_pss_rsae_sha384"},
    {0x0806, "rsa_pss_rsae_sha512"},
    {0x0807, "ed25519"},
    {0x0808, "ed448"},
    {0x0809, "rsa_pss_pss_sha256"},
    {0x080a, "rsa_pss_pss_sha384"},
    {0x080b, "rsa_pss_pss_sha512"},
    {0x0904, "mldsa44"},
    {0x0905, "mldsa65"},
    {0x0906, "mldsa87"},
};

static const struct {
    const struct name *names;
    size_t n;
} registries[] = {
    [HF_OFFER_VERSION] = {versions, HF_N_ELEMENTS(versions)},
    [HF_OFFER_SUITE] = {suites, HF_N_ELEMENTS(suites)},
    [HF_OFFER_GROUP] = {groups, HF_N_ELEMENTS(groups)},
    [HF_OFFER_SCHEME] = {schemes, HF_N_ELEMENTS(schemes)},
};

static const char *name_of(enum hf_offer_kind kind, uint16_t number, char room[static 8])
{
    for (size_t i = 0; i < registries[kind].n; i++) {
        if (registries[kind].names[i].number == number) {
            return registries[kind].names[i].text;
        }
    }
    snprintf(room, 8, "0x%04x", number);
    return room;
}

static bool is_grease(uint16_t number)
{
    return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

/* --- A list that is as long as it may be -------------------------------------------------------
 */

enum { TAIL = 16 /* room for " and 65535 more" */ };

struct words {
    char *out;
    size_t len;
    size_t n_left_out;
};

static void add(struct words *words, const char *text)
{
    size_t need = strlen(text) + 2;
    if (words->n_left_out || words->len + need + TAIL > HF_OFFER_TEXT) {
        words->n_left_out++;
        return;
    }
    words->len += (size_t)snprintf(words->out + words->len, HF_OFFER_TEXT - words->len, "%s%s",
                                   words->len ? ", " : "", text);
}

static void end(struct words *words)
{
    if (words->n_left_out && words->len) {
        snprintf(words->out + words->len, HF_OFFER_TEXT - words->len, " and %zu more",
                 words->n_left_out);
    } else if (words->len == 0) {
        snprintf(words->out, HF_OFFER_TEXT, words->n_left_out ? "names too long to tell" : "none");
    }
}

void hf_offer_text(enum hf_offer_kind kind, const uint16_t *list, size_t n,
                   char out[static HF_OFFER_TEXT])
{
    struct words words = {.out = out};
    char room[8];
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (!is_grease(list[i])) {
            add(&words, name_of(kind, list[i], room));
        }
    }
    end(&words);
}

size_t hf_offer_numbers(struct hf_bytes list, uint16_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < list.len && n < max; i += 2) {
        out[n++] = (uint16_t)(list.ptr[i] << 8 | list.ptr[i + 1]);
    }
    return n;
}

void hf_offer_wire_text(enum hf_offer_kind kind, struct hf_bytes list,
                        char out[static HF_OFFER_TEXT])
{
    uint16_t numbers[HF_OFFER_WIRE_MAX];
    size_t n = hf_offer_numbers(list, numbers, HF_N_ELEMENTS(numbers));
    hf_offer_text(kind, numbers, n, out);
}

void hf_offer_alpn_text(struct hf_bytes list, char out[static HF_OFFER_TEXT])
{
    struct words words = {.out = out};
    struct hf_reader reader = hf_reader_of(list);
    struct hf_bytes name;
    out[0] = '\0';
    while (reader.rest.len && hf_read_vec8(&reader, &name) == HF_OK) {
        HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_OFFER_TEXT * 4);
        if (hf_append_printable(&text, name, HF_OFFER_TEXT) == HF_OK &&
            hf_buf_u8(&text, '\0') == HF_OK) {
            add(&words, (const char *)hf_buf_bytes(&text).ptr);
        }
    }
    end(&words);
}
