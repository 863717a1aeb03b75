// SPDX-License-Identifier: Apache-2.0
/* What no single value shows of tokens, passwords and limits. */
#include <string.h>

#include "config/semantics_impl.h"

/* The list as policy wants it; empty when out of memory, noted. */
static const char *const *texts_of(struct hf_decoder *decoder, const struct hf_cfg_strings *list)
{
    const char **texts = list->n ? hf_arena_alloc(decoder->arena, list->n, sizeof(*texts)) : NULL;
    if (list->n && !texts) {
        decoder->err = HF_E_NOMEM;
    }
    for (size_t i = 0; texts && i < list->n; i++) {
        texts[i] = list->item[i].value ? list->item[i].value : "";
    }
    return texts;
}

static void make_rules(struct hf_decoder *decoder, struct hf_cfg_jwt *jwt)
{
    jwt->rules = (struct hf_jwt_rules){
        .issuers = texts_of(decoder, &jwt->issuer),
        .n_issuers = jwt->issuer.n,
        .audiences = texts_of(decoder, &jwt->audience),
        .n_audiences = jwt->audience.n,
        .types = texts_of(decoder, &jwt->types),
        .n_types = jwt->types.n,
        .scopes = texts_of(decoder, &jwt->scopes),
        .n_scopes = jwt->scopes.n,
        .claims = jwt->claims.item,
        .n_claims = jwt->claims.n,
        .leeway_s = jwt->leeway_ms / 1000,
        .max_age_s = (jwt->max_age_ms + 999) / 1000,
        .bound = jwt->bound,
    };
    for (size_t i = 0; i < jwt->n_algorithms; i++) {
        jwt->algs |= hf_jws_bit((enum hf_jws_alg)jwt->algorithms[i]);
    }
}

static void check_audience(struct hf_decoder *decoder, const struct hf_node *node,
                           const struct hf_cfg_jwt *jwt)
{
    bool given = hf_is_given(node, "audience");
    if (!given && !jwt->unsafe_any_audience) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, hf_key_mark(node, "jwks"),
                        "jwt has no audience, so a token for any other service would do; add "
                        "audience, such as https://api.example.org");
    } else if (given && jwt->unsafe_any_audience) {
        hf_conflict(decoder, jwt->unsafe_any_audience_mark,
                    "there is an audience, so unsafe-any-audience contradicts it; remove one of "
                    "them");
    }
}

void hf_check_jwt(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    struct hf_cfg_jwt *jwt = object;
    jwt->jwks_is_url = jwt->jwks.value && strstr(jwt->jwks.value, "://");
    check_audience(decoder, node, jwt);
    static const char *const url_keys[] = {"jwks-trust", "refresh"};
    for (size_t i = 0; i < HF_N_ELEMENTS(url_keys); i++) {
        if (jwt->jwks.value && !jwt->jwks_is_url && hf_is_given(node, url_keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, url_keys[i]),
                        "jwks is a file, which nobody fetches, so %s has no effect; remove it",
                        url_keys[i]);
        }
    }
    make_rules(decoder, jwt);
}

void hf_check_auth(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_auth *auth = object;
    if (auth->jwt_on && auth->basic_on) {
        hf_conflict(decoder, hf_key_mark(node, "basic"),
                    "auth \"%s\" has jwt and basic; give each a name of its own, and let routes "
                    "ask for {any: [...]}",
                    auth->name);
    } else if (!auth->jwt_on && !auth->basic_on) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, auth->mark,
                        "auth \"%s\" says nothing; add jwt or basic", auth->name);
    }
}

void hf_check_limits(struct hf_decoder *decoder, const struct hf_cfg_listener *listener)
{
    const struct hf_cfg_limits *limits = &listener->limits;
    const struct {
        const char *key;
        const struct hf_cfg_rate *rate;
    } rates[] = {{"per-identity", &limits->per_identity}, {"per-address", &limits->per_address}};
    for (size_t i = 0; i < HF_N_ELEMENTS(rates); i++) {
        if (rates[i].rate->mark.line && listener->mode != HF_MODE_HTTP) {
            hf_conflict(decoder, rates[i].rate->mark,
                        "%s counts requests, and listener \"%s\" only relays bytes; remove it, or "
                        "set mode: http",
                        rates[i].key, listener->name);
        }
    }
    if (limits->connections_per_identity && listener->client == HF_CLIENT_NONE &&
        listener->n_sni == 0) {
        hf_conflict(decoder, limits->connections_per_identity_mark,
                    "clients of listener \"%s\" show no certificate, so connections-per-identity "
                    "has no effect; remove it",
                    listener->name);
    }
}
