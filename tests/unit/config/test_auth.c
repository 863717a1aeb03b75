// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/mem.h"
#include "config/lint.h"
#include "config/materials.h"
#include "support.h"

#define IDP "auth:\n  idp: {jwt: {jwks: \"https://idp.example/keys\", issuer: i, audience: a}}\n"
#define HTTP \
    "listeners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, mode: http,\n" \
    "        routes: ["
#define ROUTE(auth) HTTP "{to: app, auth: " auth "}]}\n"

static void rules_are_made_of_what_is_written(void **state)
{
    (void)state;
    struct hf_config *config = NULL;
    const char *found = findings_of(
        HEAD "auth:\n"
             "  idp:\n"
             "    jwt:\n"
             "      jwks: https://idp.example:8443/keys?a=b\n"
             "      jwks-trust: partners\n"
             "      issuer: [one, two]\n"
             "      audience: api\n"
             "      algorithms: [ES256, EdDSA]\n"
             "      scopes: [read, write]\n"
             "      claims: {tenant: acme, /roles: [a, b]}\n"
             "      leeway: 1m\n"
             "      max-age: 1500ms\n"
             "      bound: require\n"
             "      header: X-Token\n"
             "  staff: {basic: {htpasswd: pass, failures: 6/m burst 3}}\n" ROUTE(
                 "{any: [staff, {all: [idp, {use: idp, users: u, scopes: [x], claims: {t: [1, "
                 "true]}}]}]}"),
        &config);
    assert_string_equal(found, "");
    const struct hf_cfg_jwt *jwt = &config->auth[0].jwt;
    assert_true(config->auth[0].jwt_on && !config->auth[0].basic_on && jwt->jwks_is_url);
    assert_int_equal(jwt->algs, 1u << HF_JWS_ES256 | 1u << HF_JWS_EDDSA);
    assert_int_equal(jwt->rules.n_issuers, 2);
    assert_string_equal(jwt->rules.issuers[1], "two");
    assert_string_equal(jwt->rules.audiences[0], "api");
    assert_string_equal(jwt->rules.claims[1].name, "/roles");
    assert_string_equal(jwt->rules.claims[1].values[1], "b");
    assert_int_equal(jwt->rules.leeway_s, 60);
    assert_int_equal(jwt->rules.max_age_s, 2);
    assert_int_equal(jwt->rules.bound, HF_JWT_BOUND_REQUIRE);
    assert_string_equal(jwt->header.value, "x-token");
    assert_true(jwt->forward);
    assert_int_equal(config->auth[1].basic.failures.rule.interval_ns, INT64_C(10000000000));
    assert_int_equal(config->auth[1].basic.failures.rule.burst, 3);
    assert_false(config->auth[1].basic.forward);
    const struct hf_cfg_auth_expr *expr = config->listeners[0].routes[0].auth;
    assert_int_equal(expr->op, HF_AUTH_ANY);
    assert_ptr_equal(expr->parts[0].verifier, &config->auth[1]);
    assert_int_equal(expr->parts[1].op, HF_AUTH_ALL);
    const struct hf_cfg_auth_expr *use = &expr->parts[1].parts[1];
    assert_ptr_equal(use->verifier, &config->auth[0]);
    assert_string_equal(use->users[0], "u");
    assert_string_equal(use->scopes[0], "x");
    assert_string_equal(use->claims.item[0].values[1], "true");
    hf_config_free(config);
}

static void mistakes_are_told_where_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } table[] = {
        {HEAD IDP ROUTE("idq"), "there is no auth \"idq\"; did you mean \"idp\"?"},
        {HEAD IDP ROUTE("{one: [idp]}"), "write the name of an auth, {any: [...]}"},
        {HEAD IDP ROUTE("{any: []}"), "any and all take a list with at least one name"},
        {HEAD IDP ROUTE("{use: idp, roles: [x]}"),
         "unknown key \"roles\"; beside use there can be"},
        {HEAD IDP ROUTE("{any: [{any: [{any: [{any: [{any: [idp]}]}]}]}]}"),
         "lists within lists, deeper than 4"},
        {HEAD IDP ROUTE("[idp, idp, idp, idp, idp, idp, idp, idp, idp]"),
         "more than 8 names in one route"},
        {HEAD "auth: {s: {basic: {htpasswd: pass}}}\n" ROUTE("{use: s, scopes: [x]}"),
         "a password has neither scopes nor claims"},
        {HEAD "auth: {x: {}}\n" ROUTE("x"), "auth \"x\" says nothing; add jwt or basic"},
        {HEAD "auth: {x: {jwt: {jwks: \"https://i/k\", issuer: i, audience: a}, basic: {htpasswd: "
              "pass}}}\n" ROUTE("x"),
         "auth \"x\" has jwt and basic"},
        {HEAD "auth: {x: {jwt: {jwks: \"https://i/k\", issuer: i}}}\n" ROUTE("x"),
         "jwt has no audience"},
        {HEAD "auth: {x: {jwt: {jwks: \"https://i/k\", audience: a}}}\n" ROUTE("x"),
         "has no issuer; add issuer"},
        {HEAD "auth: {x: {jwt: {jwks: \"https://i/k\", issuer: i, audience: a, "
              "unsafe-any-audience: true}}}\n" ROUTE("x"),
         "unsafe-any-audience contradicts it"},
        {HEAD "auth: {x: {jwt: {jwks: \"http://i/k\", issuer: i, audience: a}}}\n" ROUTE("x"),
         "neither a file nor a URL that begins with https://"},
        {HEAD "auth: {x: {jwt: {jwks: \"https://u:p@i/k\", issuer: i, audience: a}}}\n" ROUTE("x"),
         "the URL has a user name or white space"},
        {HEAD "auth: {x: {jwt: {jwks: none.json, issuer: i, audience: a}}}\n" ROUTE("x"),
         "none.json does not exist"},
        {HEAD "auth: {x: {jwt: {jwks: pass, issuer: i, audience: a, refresh: 1h}}}\n" ROUTE("x"),
         "jwks is a file, which nobody fetches, so refresh has no effect"},
        {HEAD
         "auth: {x: {jwt: {jwks: pass, issuer: i, audience: a, algorithms: [HS256]}}}\n" ROUTE("x"),
         "HS256"},
        {HEAD "auth: {x: {basic: {htpasswd: pass, failures: 10}}}\n" ROUTE("x"),
         "\"10\" is no rate; write it like 100/s"},
        {HEAD "auth: {x: {basic: {htpasswd: pass, failures: 0/s}}}\n" ROUTE("x"), "is no rate"},
        {HEAD "auth: {x: {basic: {htpasswd: pass, failures: 1/s burst 0}}}\n" ROUTE("x"),
         "is no rate"},
        {HEAD "auth: {x: {basic: {htpasswd: pass, failures: 1/s burst 9x}}}\n" ROUTE("x"),
         "is no rate"},
        {HEAD "listeners:\n  api: {listen: [\"127.0.0.1:1\"], identities: [web], trust: partners, "
              "to: app, limits: {per-address: 1/s}}\n",
         "per-address counts requests, and listener \"api\" only relays bytes"},
        {HEAD "listeners:\n  api: {listen: [\"127.0.0.1:1\"], identities: [web], client: none, "
              "to: app, limits: {connections-per-identity: 1}}\n",
         "clients of listener \"api\" show no certificate"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        const char *found = findings_of(table[i].text, NULL);
        if (!strstr(found, table[i].said)) {
            fail_msg("%s\n%s", table[i].text, found);
        }
    }
}

static const char *loaded(const char *text, enum hf_err *out_err)
{
    static char said[1024];
    struct hf_config *config = NULL;
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 16);
    assert_string_equal(findings_of(text, &config), "");
    *out_err = hf_materials_load(config, &findings, &materials);
    assert_int_equal(hf_findings_format(&findings, &out), HF_OK);
    snprintf(said, sizeof(said), "%s", hf_buf_cstr(&out));
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
    return said;
}

/* No identities and roots here: these are looked at elsewhere. */
#define FILES(auth) \
    "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\nauth: {x: " auth "}\nlisteners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], plain: true, mode: http, routes: [{to: app, auth: " \
    "x}]}\n"
#define BCRYPT "alice:$2y$04$abcdefghijklmnopqrstuuLuVbZpHzZ3Jj6FfzdC5M1QWZr5hC7MO\n"

static void files_of_users_and_keys_are_looked_into(void **state)
{
    (void)state;
    enum hf_err err;
    put_file("users", BCRYPT);
    assert_string_equal(loaded(FILES("{basic: {htpasswd: users}}"), &err), "");
    assert_int_equal(err, HF_OK);
    set_mode("users", 0640);
    assert_string_equal(loaded(FILES("{basic: {htpasswd: users}}"), &err), "");
    set_mode("users", 0644);
    assert_non_null(strstr(loaded(FILES("{basic: {htpasswd: users}}"), &err), "run: chmod 640"));
    assert_int_equal(err, HF_E_CONFIG);
    put_file("md5", "alice:$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx\n");
    set_mode("md5", 0600);
    assert_non_null(strstr(loaded(FILES("{basic: {htpasswd: md5}}"), &err),
                           "md5:1: the hash is MD5, which is no protection"));
    assert_int_equal(err, HF_E_CONFIG);
    put_file("keys", "{\"keys\":[]}");
    assert_non_null(
        strstr(loaded(FILES("{jwt: {jwks: keys, issuer: i, audience: a}}"), &err), "is empty"));
    assert_int_equal(err, HF_E_CONFIG);
    put_file("keys", "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
                     "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");
    assert_string_equal(loaded(FILES("{jwt: {jwks: keys, issuer: i, audience: a}}"), &err), "");
    assert_int_equal(err, HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_made_of_what_is_written),
        cmocka_unit_test(mistakes_are_told_where_they_are),
        cmocka_unit_test(files_of_users_and_keys_are_looked_into),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
