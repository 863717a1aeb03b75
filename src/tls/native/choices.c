// SPDX-License-Identifier: Apache-2.0
#include "tls/native/compress.h"
#include "tls/native/ctx.h"

#include <string.h>
#include <strings.h>

/*
 * What may be chosen in a handshake: the lists of a config become arrays of numbers in order of
 * preference. One small parser for all lists; each kind has a function from a name to a number.
 */

/* Every scheme of RFC 8446 4.2.3 that may stand in a certificate or a handshake. A scheme's place
 * is its bit. */
static const uint16_t schemes[] = {
    HF_SCHEME_ECDSA_SECP256R1_SHA256,
    HF_SCHEME_ECDSA_SECP384R1_SHA384,
    HF_SCHEME_ECDSA_SECP521R1_SHA512,
    HF_SCHEME_ED25519,
    HF_SCHEME_RSA_PSS_RSAE_SHA256,
    HF_SCHEME_RSA_PSS_RSAE_SHA384,
    HF_SCHEME_RSA_PSS_RSAE_SHA512,
    HF_SCHEME_RSA_PSS_PSS_SHA256,
    HF_SCHEME_RSA_PSS_PSS_SHA384,
    HF_SCHEME_RSA_PSS_PSS_SHA512,
    HF_SCHEME_RSA_PKCS1_SHA256,
    HF_SCHEME_RSA_PKCS1_SHA384,
    HF_SCHEME_RSA_PKCS1_SHA512,
    HF_SCHEME_RSA_PKCS1_SHA1,
    HF_SCHEME_ECDSA_SHA1,
    HF_SCHEME_ED448,
};

static const uint16_t default_schemes[] = {
    HF_SCHEME_ECDSA_SECP256R1_SHA256, HF_SCHEME_ED25519,
    HF_SCHEME_ECDSA_SECP384R1_SHA384, HF_SCHEME_ECDSA_SECP521R1_SHA512,
    HF_SCHEME_RSA_PSS_RSAE_SHA256,    HF_SCHEME_RSA_PSS_RSAE_SHA384,
    HF_SCHEME_RSA_PSS_RSAE_SHA512,    HF_SCHEME_RSA_PSS_PSS_SHA256,
    HF_SCHEME_RSA_PSS_PSS_SHA384,     HF_SCHEME_RSA_PSS_PSS_SHA512,
};

static const uint16_t default_groups[] = {HF_KEX_X25519, HF_KEX_P256, HF_KEX_P384};

static const uint16_t default_suites[] = {HF_SUITE_AES_128_GCM_SHA256, HF_SUITE_AES_256_GCM_SHA384,
                                          HF_SUITE_CHACHA20_POLY1305_SHA256};

/* Groups by the names that people write; IANA's and NIST's are the same curve. */
static const struct {
    const char *name;
    uint16_t group;
} group_names[] = {
    {"X25519", HF_KEX_X25519},   {"P-256", HF_KEX_P256}, {"secp256r1", HF_KEX_P256},
    {"prime256v1", HF_KEX_P256}, {"P-384", HF_KEX_P384}, {"secp384r1", HF_KEX_P384},
};

uint32_t hf_native_scheme_bit(uint16_t scheme)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        if (schemes[i] == scheme) {
            return 1u << i;
        }
    }
    return 0;
}

static bool same_name(struct hf_bytes name, const char *known)
{
    return strlen(known) == name.len && strncasecmp((const char *)name.ptr, known, name.len) == 0;
}

static uint16_t suite_number(struct hf_bytes name)
{
    const struct hf_suite *suite = hf_suite_named(name);
    return suite ? suite->id : 0;
}

static uint16_t group_number(struct hf_bytes name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(group_names); i++) {
        if (same_name(name, group_names[i].name)) {
            return group_names[i].group;
        }
    }
    return 0;
}

/* Only schemes that may sign a handshake have a name here. */
static uint16_t scheme_number(struct hf_bytes name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        const struct hf_scheme *scheme = hf_scheme_find(schemes[i]);
        if (scheme && same_name(name, scheme->name)) {
            return schemes[i];
        }
    }
    return 0;
}

struct list {
    const char *what; /* for messages */
    const char *text; /* names with ':' between */
    uint16_t (*number)(struct hf_bytes name);
    uint16_t *out;
    size_t max;
};

static enum hf_err add(const struct list *list, struct hf_bytes name, size_t *n)
{
    uint16_t number = list->number(name);
    if (number == 0) {
        return hf_fail(HF_E_INVALID, "%s \"%.*s\" is not one that the native TLS engine knows",
                       list->what, (int)name.len, (const char *)name.ptr);
    }
    for (size_t i = 0; i < *n; i++) {
        if (list->out[i] == number) {
            return hf_fail(HF_E_INVALID, "%s \"%.*s\" is listed twice", list->what, (int)name.len,
                           (const char *)name.ptr);
        }
    }
    if (*n == list->max) {
        return hf_fail(HF_E_INVALID, "the list of %ss is too long", list->what);
    }
    list->out[(*n)++] = number;
    return HF_OK;
}

static enum hf_err read_list(const struct list *list, size_t *out_n)
{
    size_t n = 0;
    for (const char *at = list->text;; at++) {
        size_t len = strcspn(at, ":");
        HF_TRY(add(list, hf_bytes_of(at, len), &n));
        at += len;
        if (*at == '\0') {
            break;
        }
    }
    *out_n = n;
    return HF_OK;
}

static enum hf_err read_or_default(const struct list *list, const uint16_t *defaults,
                                   size_t n_defaults, size_t *out_n)
{
    if (list->text) {
        return read_list(list, out_n);
    }
    if (n_defaults) {
        memcpy(list->out, defaults, n_defaults * sizeof(*defaults));
    }
    *out_n = n_defaults;
    return HF_OK;
}

static enum hf_err read_suites(struct hf_native_ctx *ctx, const char *text)
{
    uint16_t numbers[HF_NATIVE_SUITES];
    const struct list list = {"cipher suite", text, suite_number, numbers, HF_NATIVE_SUITES};
    HF_TRY(read_or_default(&list, default_suites, HF_N_ELEMENTS(default_suites), &ctx->n_suites));
    for (size_t i = 0; i < ctx->n_suites; i++) {
        ctx->suites[i] = hf_suite_find(numbers[i]);
    }
    return HF_OK;
}

enum hf_err hf_native_choices(struct hf_native_ctx *ctx, const struct hf_tls_common *common)
{
    const struct list groups = {"group", common->groups, group_number, ctx->groups,
                                HF_NATIVE_GROUPS};
    const struct list accept = {"signature scheme", common->signatures, scheme_number, ctx->accept,
                                HF_NATIVE_SCHEMES};
    const struct list sign = {"signature scheme", common->own_signatures, scheme_number, ctx->sign,
                              HF_NATIVE_SCHEMES};
    const struct list compressions = {"compression", common->cert_compression, hf_compression_find,
                                      ctx->compressions, HF_NATIVE_COMPRESSIONS};
    HF_TRY(read_suites(ctx, common->suites));
    HF_TRY(read_or_default(&groups, default_groups, HF_N_ELEMENTS(default_groups), &ctx->n_groups));
    HF_TRY(
        read_or_default(&accept, default_schemes, HF_N_ELEMENTS(default_schemes), &ctx->n_accept));
    HF_TRY(read_or_default(&sign, default_schemes, HF_N_ELEMENTS(default_schemes), &ctx->n_sign));
    return read_or_default(&compressions, NULL, 0, &ctx->n_compressions);
}
