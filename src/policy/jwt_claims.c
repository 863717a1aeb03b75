// SPDX-License-Identifier: Apache-2.0
/* What a token says, held against what is asked. Nothing here has a default that lets pass: a claim
 * that is asked for and missing, or of another type than its specification says, refuses. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/secret.h"
#include "pki/cert.h"
#include "policy/jwt.h"

/* --- Members -----------------------------------------------------------------------------------
 */

const char *hf_jwt_text(const struct hf_jwt *jwt, const char *name)
{
    const char *text = json_string_value(json_object_get(jwt->claims, name));
    return text;
}

static bool is_among(const char *text, const char *const *list, size_t n)
{
    bool found = false;
    for (size_t i = 0; text && i < n && !found; i++) {
        found = strcmp(text, list[i]) == 0;
    }
    return found;
}

/* One step of a JSON pointer: the member or index that the token names, "~1" and "~0" decoded. */
static const json_t *step_into(const json_t *json, const char *token, size_t len)
{
    char name[256];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        bool escape =
            token[i] == '~' && i + 1 < len && (token[i + 1] == '0' || token[i + 1] == '1');
        if (n == sizeof(name) - 1) {
            return NULL;
        }
        name[n++] = !escape ? token[i] : token[i + 1] == '1' ? '/' : '~';
        i += escape;
    }
    name[n] = 0;
    if (json_is_array(json)) {
        bool number = n > 0 && n < 6 && strspn(name, "0123456789") == n && (n == 1 || *name != '0');
        size_t index = 0;
        for (size_t i = 0; number && i < n; i++) {
            index = index * 10 + (size_t)(name[i] - '0');
        }
        return number ? json_array_get(json, index) : NULL;
    }
    return json_object_get(json, name);
}

/* The claim of a name, or where a JSON pointer leads to; NULL: nothing is there. */
static const json_t *find(const json_t *claims, const char *name)
{
    const json_t *at = claims;
    if (*name != '/') {
        return json_object_get(claims, name);
    }
    while (at && *name == '/') {
        size_t len = strcspn(name + 1, "/");
        at = step_into(at, name + 1, len);
        name += 1 + len;
    }
    return at;
}

static bool scalar_is(const json_t *value, const char *wanted)
{
    char number[32];
    switch (json_typeof(value)) {
    case JSON_STRING:
        return strcmp(json_string_value(value), wanted) == 0;
    case JSON_INTEGER:
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        return strcmp(number, wanted) == 0;
    case JSON_TRUE:
        return strcmp(wanted, "true") == 0;
    case JSON_FALSE:
        return strcmp(wanted, "false") == 0;
    default:
        return false;
    }
}

static bool value_is_one_of(const json_t *value, const struct hf_jwt_claim *claim)
{
    bool found = false;
    for (size_t i = 0; i < claim->n_values && !found; i++) {
        found = scalar_is(value, claim->values[i]);
    }
    return found;
}

bool hf_jwt_has_claim(const struct hf_jwt *jwt, const struct hf_jwt_claim *claim)
{
    const json_t *value = find(jwt->claims, claim->name);
    bool found = value && !json_is_array(value) && value_is_one_of(value, claim);
    size_t i;
    json_t *member;
    json_array_foreach(value, i, member)
    {
        found = found || value_is_one_of(member, claim);
    }
    return found;
}

/* --- Scopes ------------------------------------------------------------------------------------
 */

/* Is the word in a list that is separated by spaces (RFC 6749 3.3)? */
static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    while (words && *words) {
        size_t n = strcspn(words, " ");
        if (n == len && memcmp(words, word, len) == 0) {
            return true;
        }
        words += n + (words[n] == ' ');
    }
    return false;
}

/* RFC 8693's "scope" is a text; "scp" is a list with some issuers and a text with others. */
static bool has_scope(const json_t *claim, const char *scope)
{
    bool found = has_word(json_string_value(claim), scope);
    size_t i;
    json_t *member;
    json_array_foreach(claim, i, member)
    {
        const char *text = json_string_value(member);
        found = found || (text && strcmp(text, scope) == 0);
    }
    return found;
}

bool hf_jwt_has_scopes(const struct hf_jwt *jwt, const char *const *scopes, size_t n_scopes)
{
    const json_t *scope = json_object_get(jwt->claims, "scope");
    const json_t *scp = json_object_get(jwt->claims, "scp");
    bool all = true;
    for (size_t i = 0; i < n_scopes; i++) {
        all = all && (has_scope(scope, scopes[i]) || has_scope(scp, scopes[i]));
    }
    return all;
}

/* --- Dates -------------------------------------------------------------------------------------
 */

enum date { DATE_ABSENT, DATE_GOOD, DATE_BAD };

/* A NumericDate (RFC 7519 2), which may have a fraction: whole seconds, rounded down. */
static enum date read_date(const json_t *claims, const char *name, int64_t *out)
{
    static const double limit = 9007199254740992.0; /* beyond, seconds can't be told apart */
    const json_t *date = json_object_get(claims, name);
    if (!date) {
        return DATE_ABSENT;
    }
    double value = json_number_value(date);
    if (!json_is_number(date) || !(fabs(value) < limit)) {
        return DATE_BAD;
    }
    *out = json_is_integer(date) ? (int64_t)json_integer_value(date) : (int64_t)floor(value);
    return DATE_GOOD;
}

static enum hf_reason check_dates(const json_t *claims, const struct hf_jwt_rules *rules,
                                  int64_t now_s)
{
    int64_t exp = 0, nbf = 0, iat = 0;
    enum date has_nbf = read_date(claims, "nbf", &nbf);
    enum date has_iat = read_date(claims, "iat", &iat);
    if (read_date(claims, "exp", &exp) != DATE_GOOD || has_nbf == DATE_BAD || has_iat == DATE_BAD ||
        (rules->max_age_s && has_iat == DATE_ABSENT)) {
        return HF_REASON_TOKEN_DATES;
    }
    bool old = rules->max_age_s && now_s - rules->leeway_s > iat + rules->max_age_s;
    if (now_s - rules->leeway_s >= exp || old) {
        return HF_REASON_TOKEN_EXPIRED;
    }
    bool early = (has_nbf == DATE_GOOD && now_s + rules->leeway_s < nbf) ||
                 (has_iat == DATE_GOOD && now_s + rules->leeway_s < iat);
    return early ? HF_REASON_TOKEN_EARLY : HF_REASON_OK;
}

/* --- For whom, from whom -----------------------------------------------------------------------
 */

/* "aud" is a text or a list of texts (RFC 7519 4.1.3). */
static bool audience_fits(const json_t *claims, const struct hf_jwt_rules *rules)
{
    const json_t *aud = json_object_get(claims, "aud");
    bool found = is_among(json_string_value(aud), rules->audiences, rules->n_audiences);
    size_t i;
    json_t *member;
    json_array_foreach(aud, i, member)
    {
        const char *text = json_string_value(member);
        if (!text) {
            return false;
        }
        found = found || is_among(text, rules->audiences, rules->n_audiences);
    }
    return found;
}

/* RFC 7515 4.1.9: "application/" may be left out, and case doesn't count. */
static bool type_fits(const char *typ, const struct hf_jwt_rules *rules)
{
    static const char prefix[] = "application/";
    bool found = false;
    if (!typ) {
        return false;
    }
    typ += strncasecmp(typ, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    for (size_t i = 0; i < rules->n_types && !found; i++) {
        found = strcasecmp(typ, rules->types[i]) == 0;
    }
    return found;
}

/* RFC 8705 3.1. A token that is bound in another way (RFC 7800, RFC 9449) is no bearer token, and
 * we can't check the proof. */
static enum hf_reason check_binding(const json_t *claims, enum hf_jwt_bound bound,
                                    const uint8_t *cert_sha256)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf hash = HF_BUF_INIT(HF_SHA256_SIZE);
    const json_t *cnf = json_object_get(claims, "cnf");
    if (bound == HF_JWT_BOUND_OFF) {
        return HF_REASON_OK;
    }
    if (!cnf) {
        return bound == HF_JWT_BOUND_REQUIRE ? HF_REASON_TOKEN_UNBOUND : HF_REASON_OK;
    }
    const char *text = json_string_value(json_object_get(cnf, "x5t#S256"));
    if (!text) {
        return HF_REASON_TOKEN_UNBOUND;
    }
    enum hf_err err = hf_base64url_decode(hf_bytes_str(text), &hash);
    if (err == HF_E_NOMEM) {
        return HF_REASON_INTERNAL;
    }
    bool same = err == HF_OK && cert_sha256 &&
                hf_ct_eq(hf_buf_bytes(&hash), hf_bytes_of(cert_sha256, HF_SHA256_SIZE));
    return same ? HF_REASON_OK : HF_REASON_TOKEN_BINDING;
}

enum hf_reason hf_jwt_check(const struct hf_jwt *jwt, const struct hf_jwt_rules *rules,
                            int64_t now_s, const uint8_t *cert_sha256)
{
    const json_t *claims = jwt->claims;
    if (rules->n_types && !type_fits(jwt->typ, rules)) {
        return HF_REASON_TOKEN_TYPE;
    }
    if (rules->n_issuers && !is_among(hf_jwt_text(jwt, "iss"), rules->issuers, rules->n_issuers)) {
        return HF_REASON_TOKEN_ISSUER;
    }
    if (rules->n_audiences && !audience_fits(claims, rules)) {
        return HF_REASON_TOKEN_AUDIENCE;
    }
    enum hf_reason reason = check_dates(claims, rules, now_s);
    if (reason == HF_REASON_OK) {
        reason = check_binding(claims, rules->bound, cert_sha256);
    }
    if (reason != HF_REASON_OK) {
        return reason;
    }
    for (size_t i = 0; i < rules->n_claims; i++) {
        if (!hf_jwt_has_claim(jwt, &rules->claims[i])) {
            return HF_REASON_TOKEN_CLAIM;
        }
    }
    return hf_jwt_has_scopes(jwt, rules->scopes, rules->n_scopes) ? HF_REASON_OK
                                                                  : HF_REASON_TOKEN_SCOPE;
}
