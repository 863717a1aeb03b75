// SPDX-License-Identifier: Apache-2.0
/*
 * Tokens, against a fixed key set. The first byte chooses which checks are asked for; the rest is
 * the token. What has no good signature must never open, and since no fuzzer makes one, the only
 * tokens that may are those of the corpus: RFC 7515's examples, whose claims are known.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "policy/jwt.h"

static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                           "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
                           "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\","
                           "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static void check(const struct hf_jwt *jwt, uint8_t choice)
{
    static const char *const words[] = {"joe", "api", "read"};
    static const struct hf_jwt_claim claim = {"/a/0/b~1c", words, 3};
    const struct hf_jwt_rules rules = {
        .issuers = words,
        .n_issuers = choice & 1,
        .audiences = words,
        .n_audiences = (choice & 2) ? 3 : 0,
        .types = words,
        .n_types = (choice & 4) ? 1 : 0,
        .scopes = words,
        .n_scopes = (choice & 8) ? 1 : 0,
        .claims = &claim,
        .n_claims = (choice & 16) ? 1 : 0,
        .max_age_s = (choice & 32) ? 100 : 0,
        .bound = (enum hf_jwt_bound)(choice >> 6 & 1),
    };
    const uint8_t cert[32] = {0};
    (void)hf_jwt_check(jwt, &rules, 1300819300, cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_jwks *set;
    struct hf_jwt_result result;
    struct hf_jwt *jwt;
    if (!set && hf_jwks_new(hf_bytes_str(keys), &set) != HF_OK) {
        abort();
    }
    if (size < 1) {
        return 0;
    }
    hf_jwt_open(hf_bytes_of(data + 1, size - 1), set, UINT32_MAX, NULL, &result, &jwt);
    if ((result.reason == HF_REASON_OK) != (jwt != NULL)) {
        abort();
    }
    if (jwt) {
        check(jwt, data[0]);
    }
    /* claims are checked as they come, too: with nothing signed, their parser would rest */
    struct hf_jwt loose = {
        .claims = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL)};
    if (json_is_object(loose.claims)) {
        check(&loose, data[0]);
    }
    json_decref(loose.claims);
    hf_jwt_unref(jwt);
    return 0;
}
