// SPDX-License-Identifier: Apache-2.0
/*
 * From a token's text to its claims, the signature between the two checked. In this order, so that
 * the cheap comes first and nothing is believed too early:
 *
 *     three parts of base64url -> header -> is the algorithm accepted? -> has the set such a key?
 *     -> signature over the text as it came -> claims
 *
 * The header is read before anything is proved, hence it only ever chooses: an algorithm among
 * those that the config accepts, and a key among those that are for that algorithm. Claims are
 * parsed after the signature was found good.
 *
 * What is remembered is (key set, token text) -> claims. It says nothing about dates or who shows
 * the token: those are looked at each time.
 */
#include "policy/jwt.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "policy/json_text.h"

enum { HEADER_MAX = 4096, SIGNATURE_MAX = 1024, KID_MAX = 512 };

/* A token taken apart. Views are into the token. */
struct parts {
    struct hf_bytes signed_text; /* header "." claims, as they came */
    struct hf_bytes header, claims;
    struct hf_buf signature;
};

struct header {
    enum hf_jws_alg alg;
    json_t *json; /* owns the texts */
    const char *kid, *typ;
};

static void parts_done(struct parts *parts)
{
    hf_buf_done(&parts->signature);
}

static void header_done(struct header *header)
{
    json_decref(header->json);
}

/* --- Counting ----------------------------------------------------------------------------------
 */

struct hf_jwt *hf_jwt_ref(struct hf_jwt *jwt)
{
    atomic_fetch_add_explicit(&jwt->refs, 1, memory_order_relaxed);
    return jwt;
}

void hf_jwt_unref(struct hf_jwt *jwt)
{
    if (jwt && atomic_fetch_sub_explicit(&jwt->refs, 1, memory_order_acq_rel) == 1) {
        json_decref(jwt->claims);
        hf_free(jwt->typ);
        hf_free(jwt);
    }
}

static void jwt_unrefp(struct hf_jwt **jwt)
{
    hf_jwt_unref(*jwt);
}

static void cached_ref(void *value)
{
    hf_jwt_ref(value);
}

static void cached_unref(void *value)
{
    hf_jwt_unref(value);
}

static const struct hf_cache_ops cached_ops = {cached_ref, cached_unref};

enum hf_err hf_jwt_cache_new(size_t n_tokens, struct hf_cache **out)
{
    return hf_cache_new(n_tokens, &cached_ops, out);
}

/* --- Taking apart ------------------------------------------------------------------------------
 */

static enum hf_reason reason_of(enum hf_err err)
{
    return err == HF_OK        ? HF_REASON_OK
           : err == HF_E_NOMEM ? HF_REASON_INTERNAL
                               : HF_REASON_TOKEN_MALFORMED;
}

static enum hf_reason split(struct hf_bytes token, struct parts *out)
{
    const uint8_t *end = token.ptr + token.len;
    const uint8_t *first = token.len ? memchr(token.ptr, '.', token.len) : NULL;
    const uint8_t *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1))) {
        return HF_REASON_TOKEN_MALFORMED; /* five parts are a JWE: nothing that we could check */
    }
    struct hf_bytes signature = hf_bytes_of(second + 1, (size_t)(end - second - 1));
    out->header = hf_bytes_of(token.ptr, (size_t)(first - token.ptr));
    out->claims = hf_bytes_of(first + 1, (size_t)(second - first - 1));
    out->signed_text = hf_bytes_of(token.ptr, (size_t)(second - token.ptr));
    out->signature = HF_BUF_INIT(SIGNATURE_MAX);
    if (!out->header.len || !out->claims.len || !signature.len) {
        return HF_REASON_TOKEN_MALFORMED;
    }
    return reason_of(hf_base64url_decode(signature, &out->signature));
}

/* base64url of a JSON object. */
static enum hf_reason decode_object(struct hf_bytes text, size_t max, json_t **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(max);
    enum hf_err err = hf_base64url_decode(text, &bytes);
    return reason_of(err == HF_OK ? hf_json_object(hf_buf_bytes(&bytes), out) : err);
}

/* A member that is absent or a string; false: it is something else. */
static bool text_or_none(const json_t *json, const char *name, const char **out)
{
    const json_t *member = json_object_get(json, name);
    *out = json_string_value(member);
    return !member || *out;
}

static enum hf_reason read_header(struct hf_bytes text, struct header *out)
{
    const char *alg = NULL;
    enum hf_reason reason = decode_object(text, HEADER_MAX, &out->json);
    if (reason != HF_REASON_OK) {
        return reason;
    }
    if (!text_or_none(out->json, "alg", &alg) || !alg ||
        !text_or_none(out->json, "kid", &out->kid) || !text_or_none(out->json, "typ", &out->typ) ||
        (out->kid && strlen(out->kid) > KID_MAX)) {
        return HF_REASON_TOKEN_MALFORMED;
    }
    if (json_object_get(out->json, "crit") || json_object_get(out->json, "b64")) {
        return HF_REASON_TOKEN_CRITICAL;
    }
    out->alg = hf_jws_find(hf_bytes_str(alg));
    return HF_REASON_OK;
}

/* --- The signature -----------------------------------------------------------------------------
 */

static bool is_candidate(const struct hf_jwk *key, const struct header *header)
{
    bool fits = (key->algs & hf_jws_bit(header->alg)) != 0;
    return fits && (!header->kid || (key->kid && strcmp(key->kid, header->kid) == 0));
}

static enum hf_reason check_signature(const struct parts *parts, const struct header *header,
                                      const struct hf_jwks *set)
{
    size_t n_tried = 0;
    for (size_t i = 0; i < set->n_keys && n_tried < HF_JWT_TRIES_MAX; i++) {
        if (!is_candidate(&set->keys[i], header)) {
            continue;
        }
        n_tried++;
        enum hf_err err = hf_jwk_verify(&set->keys[i], header->alg, parts->signed_text,
                                        hf_buf_bytes(&parts->signature));
        if (err == HF_OK) {
            return HF_REASON_OK;
        }
        if (err != HF_E_MISMATCH) {
            return HF_REASON_INTERNAL;
        }
    }
    return n_tried ? HF_REASON_TOKEN_SIGNATURE : HF_REASON_TOKEN_KEY;
}

static enum hf_reason make(const struct parts *parts, const struct header *header,
                           struct hf_jwt **out)
{
    HF_CLEANUP(jwt_unrefp) struct hf_jwt *jwt = HF_NEW(struct hf_jwt);
    if (!jwt) {
        return HF_REASON_INTERNAL;
    }
    atomic_init(&jwt->refs, 1);
    jwt->alg = header->alg;
    jwt->typ = header->typ ? hf_strdup(header->typ) : NULL;
    if (header->typ && !jwt->typ) {
        return HF_REASON_INTERNAL;
    }
    enum hf_reason reason = decode_object(parts->claims, HF_JWT_MAX, &jwt->claims);
    if (reason == HF_REASON_OK) {
        *out = HF_TAKE(jwt);
    }
    return reason;
}

static void open_new(struct hf_bytes token, const struct hf_jwks *set, uint32_t algs,
                     struct hf_jwt_result *out_result, struct hf_jwt **out)
{
    HF_CLEANUP(parts_done) struct parts parts = {0};
    HF_CLEANUP(header_done) struct header header = {0};
    out_result->reason = token.len > HF_JWT_MAX ? HF_REASON_TOKEN_MALFORMED : split(token, &parts);
    if (out_result->reason == HF_REASON_OK) {
        out_result->reason = read_header(parts.header, &header);
    }
    if (out_result->reason != HF_REASON_OK) {
        return;
    }
    if (header.alg == HF_JWS_N || !(algs & hf_jws_bit(header.alg))) {
        out_result->reason = HF_REASON_TOKEN_ALGORITHM;
        return;
    }
    out_result->reason = check_signature(&parts, &header, set);
    if (out_result->reason == HF_REASON_OK) {
        out_result->reason = make(&parts, &header, out);
        return;
    }
    out_result->newer_keys = out_result->reason == HF_REASON_TOKEN_KEY ||
                             (out_result->reason == HF_REASON_TOKEN_SIGNATURE && !header.kid);
}

void hf_jwt_open(struct hf_bytes token, const struct hf_jwks *set, uint32_t algs,
                 struct hf_cache *cache, struct hf_jwt_result *out_result, struct hf_jwt **out)
{
    uint8_t key[HF_CACHE_KEY_LEN];
    struct hf_hash hash;
    *out = NULL;
    *out_result = (struct hf_jwt_result){.reason = HF_REASON_OK};
    if (cache && token.len <= HF_JWT_MAX) {
        hf_hash_init(&hash, HF_HASH_SHA256);
        hf_hash_update(&hash, hf_bytes_of(set->id, sizeof(set->id)));
        hf_hash_update(&hash, token);
        hf_hash_final(&hash, key);
        struct hf_jwt *known = hf_cache_get(cache, key);
        if (known && (algs & hf_jws_bit(known->alg))) {
            *out = known;
            return;
        }
        hf_jwt_unref(known);
    }
    open_new(token, set, algs, out_result, out);
    if (*out && cache) {
        hf_cache_put(cache, key, *out);
    }
}
