// SPDX-License-Identifier: Apache-2.0
/* The API as its callers meet it, over a CA in SQLite; the HTTP around it is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/api.h"
#include "ca/authority_make.h"
#include "os/clock.h"
#include "pki/ders.h"
#include "pki/key.h"
#include "pki/write.h"
#include "tree.h"

/* --- The world ----------------------------------------------------------------------------------
 */

static struct hf_ca_service *ca;
static struct hf_service *api;

/* Somebody with a certificate, or nobody. */
struct client {
    struct hf_chain *chain;
    struct hf_ders *ders;
    struct hf_identity *identity;
};
static struct client alice, bob, nobody;

static void make_authority(const char *name, const char *parent)
{
    struct hf_subject subject = {0};
    char dn[64];
    snprintf(dn, sizeof(dn), "CN=Test %s", name);
    assert_int_equal(hf_subject_parse(dn, &subject), HF_OK);
    const struct hf_authority_new what = {
        .name = name, .subject = &subject, .parent = parent, .path_len = HF_PATH_LEN_STANDARD};
    assert_int_equal(hf_authority_make(ca, "test", &what), HF_OK);
    hf_subject_done(&subject);
}

static void put_profile(const char *name, const char *yaml)
{
    struct hf_store_profile_put put = {.op = {.kind = HF_STORE_PROFILE_PUT, .actor = "test"},
                                       .profile = {.name = name, .yaml = yaml}};
    assert_int_equal(hf_store_do(hf_ca_store(ca), &put.op), HF_OK);
}

static void nothing(struct hf_ca_op *op)
{
    (void)op;
}

static struct client make_client(const char *name)
{
    struct client made = {0};
    struct hf_ca_op op = {.verb = HF_CA_VERB_ISSUE,
                          .caller = {.name = "test", .local = true, .rights = HF_CA_MAY_ALL},
                          .done = nothing,
                          .ask = {.profile = "user", .name = name}};
    hf_ca_run(ca, &op);
    if (op.outcome != HF_CA_DONE) {
        fail_msg("%s: %s", hf_ca_outcome_name(op.outcome), op.text);
    }
    const struct hf_chain *chain;
    assert_int_equal(hf_ca_op_chain(&op, &chain), HF_OK);
    made.chain = hf_chain_ref((struct hf_chain *)(uintptr_t)chain);
    assert_int_equal(hf_chain_ders(made.chain, &made.ders), HF_OK);
    assert_int_equal(hf_identity_new(made.chain->certs[0], &made.identity), HF_OK);
    hf_ca_op_done(&op);
    return made;
}

static void client_done(struct client *client)
{
    hf_identity_unref(client->identity);
    hf_ders_unref(client->ders);
    hf_chain_unref(client->chain);
    *client = (struct client){0};
}

static void make_api(void)
{
    static const char *const ops[] = {"ops"};
    static const char *const approvers[] = {"cn:bob", "cn:alice"};
    const struct hf_role_source roles[] = {
        {.name = "ops", .expr = {.op = HF_ROLE_SELECTOR, .text = "cn:alice"}}};
    const struct hf_ca_api_options options = {
        .service = ca,
        .roles = roles,
        .n_roles = 1,
        .rights = {{ops, 1}, {ops, 1}, {approvers, 2}, {ops, 1}},
    };
    assert_int_equal(hf_ca_api_new(&options, &api), HF_OK);
}

static int set_up(void **state)
{
    char url[128];
    if (tree_set_up(state) != 0) {
        return -1;
    }
    snprintf(url, sizeof(url), "sqlite:%s", tree("ca.db"));
    const struct hf_ca_service_options options = {
        .store = url, .clock = &hf_os_clock, .rng = &hf_os_rng, .n_threads = 2, .create = true};
    assert_int_equal(hf_ca_service_open(&options, &ca), HF_OK);
    make_authority("root", NULL);
    make_authority("issuing", "root");
    put_profile("laptop", "name: laptop\nextends: service\nask: [ops]\napproval: none\n");
    put_profile("badge", "name: badge\nextends: user\nask: [\"cn:*\"]\napproval: always\n");
    hf_ca_reload(ca);
    alice = make_client("alice");
    bob = make_client("bob");
    make_api();
    return 0;
}

static int tear_down(void **state)
{
    hf_service_unref(api);
    client_done(&alice);
    client_done(&bob);
    hf_ca_service_close(ca);
    return tree_tear_down(state);
}

/* --- One request --------------------------------------------------------------------------------
 */

struct asked {
    struct hf_service_call call;
    struct hf_http_field fields[2];
    sem_t done;
    unsigned status;
    char type[64];
    char location[256];
    char allow[64];
    json_t *json;
    char *text;
};

static enum hf_err take_field(void *ctx, struct hf_bytes name, struct hf_bytes value)
{
    struct asked *asked = ctx;
    char *to = hf_bytes_eq_str(name, "location") ? asked->location
               : hf_bytes_eq_str(name, "allow")  ? asked->allow
                                                 : NULL;
    if (to) {
        memcpy(to, value.ptr, value.len);
        to[value.len] = '\0';
    }
    return HF_OK;
}

static void on_answer(struct hf_service_call *call, struct hf_service_answer *answer)
{
    struct asked *asked = HF_CONTAINER_OF(call, struct asked, call);
    asked->status = answer->status;
    snprintf(asked->type, sizeof(asked->type), "%s",
             answer->content_type ? answer->content_type : "");
    assert_int_equal(hf_service_each_field(answer, asked, take_field), HF_OK);
    asked->text = hf_strndup((const char *)answer->body.ptr, answer->body.len);
    asked->json = json_loads(asked->text ? asked->text : "", 0, NULL);
    hf_service_answer_done(answer);
    sem_post(&asked->done);
}

static void asked_done(struct asked *asked)
{
    json_decref(asked->json);
    hf_free(asked->text);
    sem_destroy(&asked->done);
    hf_free(asked);
}

/* "GET /v1/certificates?limit=1"; body NULL: none. The caller ends it with asked_done. */
static struct asked *ask(const struct client *who, const char *line, const char *body)
{
    static const char head[] = "content-typeapplication/json";
    char path[512];
    struct asked *asked = HF_NEW(struct asked);
    assert_non_null(asked);
    sem_init(&asked->done, 0, 0);
    size_t method_len = strcspn(line, " ");
    struct hf_bytes method = hf_bytes_of(line, method_len);
    const char *target = line + method_len + 1;
    size_t path_len = strcspn(target, "?");
    snprintf(path, sizeof(path), "/ca%.*s", (int)path_len, target);
    asked->fields[0] =
        (struct hf_http_field){.name_at = 0, .name_len = 12, .value_at = 12, .value_len = 16};
    asked->call = (struct hf_service_call){
        .request = {.method = hf_http_method_find(method),
                    .method_text = method,
                    .full_path = hf_bytes_str(path),
                    .path = hf_bytes_of(target, path_len),
                    .query = hf_bytes_str(target[path_len] ? target + path_len + 1 : ""),
                    .body = hf_bytes_str(body ? body : ""),
                    .id = "0123456789abcdef",
                    .listener = "in",
                    .client_address = "192.0.2.7",
                    .identity = who->identity,
                    .chain = who->ders,
                    .verified = who->identity != NULL,
                    .headers = {hf_bytes_str(head), asked->fields, body ? 1 : 0}},
        .answer = on_answer,
    };
    api->ops->serve(api, &asked->call);
    while (sem_wait(&asked->done) != 0) {
    }
    return asked;
}

static const char *text(const struct asked *asked, const char *name)
{
    const char *value = json_string_value(json_object_get(asked->json, name));
    return value ? value : "";
}

static json_int_t number(const struct asked *asked, const char *name)
{
    return json_integer_value(json_object_get(asked->json, name));
}

/* Asks, and holds the answer to a status and, with a problem, its kind. */
static struct asked *expect(const struct client *who, const char *line, const char *body,
                            unsigned status, const char *problem)
{
    char type[96];
    struct asked *asked = ask(who, line, body);
    if (asked->status != status) {
        fail_msg("%s: %u, not %u: %s", line, asked->status, status, asked->text);
    }
    if (problem) {
        snprintf(type, sizeof(type), "urn:handfast:problem:%s", problem);
        assert_string_equal(asked->type, "application/problem+json");
        assert_string_equal(text(asked, "type"), type);
        assert_string_equal(text(asked, "request_id"), "0123456789abcdef");
        assert_int_equal(number(asked, "status"), status);
        assert_true(*text(asked, "title") != '\0');
    }
    return asked;
}

static void refused(const struct client *who, const char *line, const char *body, unsigned status,
                    const char *problem, const char *detail)
{
    struct asked *asked = expect(who, line, body, status, problem);
    if (!strstr(text(asked, "detail"), detail)) {
        fail_msg("%s: \"%s\" is not in: %s", line, detail, asked->text);
    }
    asked_done(asked);
}

/* --- Reading requests ---------------------------------------------------------------------------
 */

static void test_unknown_places_and_methods_are_told_apart(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET /",
                                        "GET /v2",
                                        "GET /v1/",
                                        "GET /v1/certificates/",
                                        "GET /v1/certificates/1/2/3",
                                        "POST /v1/certificates/1/x"};
    for (size_t i = 0; i < HF_N_ELEMENTS(lines); i++) {
        asked_done(expect(&alice, lines[i], NULL, 404, "not-found"));
    }
    struct asked *asked = expect(&alice, "PUT /v1/certificates", NULL, 405, "method");
    assert_string_equal(asked->allow, "GET, POST");
    asked_done(asked);
}

static void test_a_body_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *body, *detail;
        unsigned status;
    } cases[] = {
        {"", "\"profile\" is missing", 400},
        {"[]", "must be a JSON object", 400},
        {"{", "the body is no JSON: line 1", 400},
        {"{\"profile\":\"a\",\"profile\":\"b\"}", "the body is no JSON", 400},
        {"{\"profile\":\"laptop\"}", "\"name\" is missing", 400},
        {"{\"profile\":1,\"name\":\"a\"}", "\"profile\" must be a string", 400},
        {"{\"profile\":\"laptop\",\"nmae\":\"a\"}", "did you mean \"name\"?", 400},
        {"{\"profile\":\"laptop\",\"reason\":\"x\",\"name\":\"a\"}",
         "\"reason\" is nothing that can be said here", 400},
        {"{\"profile\":\"laptop\",\"name\":\"a\",\"names\":\"DNS:a\"}", "must be a list", 400},
        {"{\"profile\":\"laptop\",\"name\":\"a\",\"names\":[1]}", "a list of strings", 400},
        {"{\"profile\":\"laptop\",\"name\":\"a\",\"lifetime\":\"30\"}", "must be a duration", 400},
        {"{\"profile\":\"laptop\",\"name\":\"a\",\"csr\":\"nonsense\"}", "", 400},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        refused(&alice, "POST /v1/certificates", cases[i].body, cases[i].status, "malformed",
                cases[i].detail);
    }
    refused(&alice, "POST /v1/certificates/1/revoke", "{\"reason\":\"becauseIsay\"}", 422,
            "invalid", "is no reason");
    refused(&alice, "POST /v1/certificates", NULL, 400, "malformed", "is missing");
    refused(&alice, "GET /v1/certificates?limt=3", NULL, 400, "malformed", "\"limt\"");
    refused(&alice, "GET /v1/certificates?limit=1001", NULL, 400, "malformed", "up to 1000");
    refused(&alice, "GET /v1/certificates?valid=yes", NULL, 400, "malformed", "true or false");
    refused(&alice, "GET /v1/certificates?text=%zz", NULL, 400, "malformed", "");
    refused(&alice, "GET /v1/certificates?cursor=none", NULL, 422, "invalid", "");
}

/* --- Who may ------------------------------------------------------------------------------------
 */

static void test_rights_are_those_of_the_configuration(void **state)
{
    (void)state;
    static const char *const reads[] = {"GET /v1/certificates", "GET /v1/profiles",
                                        "GET /v1/revocations",  "GET /v1/requests",
                                        "GET /v1/tokens",       "GET /v1/audit"};
    for (size_t i = 0; i < HF_N_ELEMENTS(reads); i++) {
        refused(&bob, reads[i], NULL, 403, "forbidden", "may not read this");
        refused(&nobody, reads[i], NULL, 403, "forbidden", "anonymous may not read this");
        asked_done(expect(&alice, reads[i], NULL, 200, NULL));
    }
    refused(&bob, "POST /v1/tokens", "{\"profile\":\"laptop\"}", 403, "forbidden", "");
    char line[128];
    snprintf(line, sizeof(line), "POST /v1/certificates/%s/revoke", alice.identity->serial);
    refused(&bob, line, "{\"reason\":\"superseded\"}", 403, "forbidden", "");
    refused(&bob, "POST /v1/certificates", "{\"profile\":\"laptop\",\"name\":\"x\"}", 403,
            "forbidden", "");
    refused(&nobody, "POST /v1/certificates/self/renew", NULL, 403, "forbidden",
            "without a certificate");
    struct asked *asked = expect(&alice, "GET /v1", NULL, 200, NULL);
    assert_string_equal(text(asked, "you"), "dn:CN=alice");
    assert_int_equal(json_array_size(json_object_get(asked->json, "rights")), 4);
    asked_done(asked);
    asked = expect(&nobody, "GET /v1", NULL, 200, NULL);
    assert_string_equal(text(asked, "you"), "anonymous");
    assert_int_equal(json_array_size(json_object_get(asked->json, "rights")), 0);
    asked_done(asked);
}

static void test_everybody_may_see_their_own_certificate_and_the_roots(void **state)
{
    (void)state;
    char line[128];
    snprintf(line, sizeof(line), "GET /v1/certificates/%s", bob.identity->serial);
    struct asked *asked = expect(&bob, line, NULL, 200, NULL);
    assert_string_equal(text(asked, "serial"), bob.identity->serial);
    assert_string_equal(text(asked, "subject"), "CN=bob");
    assert_string_equal(text(asked, "status"), "good");
    assert_string_equal(text(asked, "authority"), "issuing");
    asked_done(asked);
    refused(&nobody, line, NULL, 403, "forbidden", "");
    asked_done(expect(&alice, line, NULL, 200, NULL));
    snprintf(line, sizeof(line), "GET /v1/certificates/%s", alice.identity->serial);
    refused(&bob, line, NULL, 403, "forbidden", "");
    refused(&bob, "GET /v1/certificates/abcdef", NULL, 403, "forbidden", "");
    refused(&alice, "GET /v1/certificates/abcdef", NULL, 404, "not-found", "abcdef");

    asked = expect(&nobody, "GET /v1/roots", NULL, 200, NULL);
    assert_string_equal(asked->type, "application/pem-certificate-chain");
    assert_non_null(strstr(asked->text, "BEGIN CERTIFICATE"));
    asked_done(asked);
    asked = expect(&nobody, "GET /v1/authorities", NULL, 200, NULL);
    assert_int_equal(json_array_size(json_object_get(asked->json, "authorities")), 2);
    asked_done(asked);
}

/* --- Issuing ------------------------------------------------------------------------------------
 */

static void test_a_certificate_is_issued_shown_and_listed(void **state)
{
    (void)state;
    char line[256];
    struct asked *asked =
        expect(&alice, "POST /v1/certificates",
               "{\"profile\":\"laptop\",\"name\":\"lap-1\",\"names\":[\"DNS:lap-1.example\"],"
               "\"lifetime\":\"2d\"}",
               201, NULL);
    assert_string_equal(text(asked, "result"), "done");
    assert_string_equal(text(asked, "profile"), "laptop");
    assert_non_null(strstr(text(asked, "private_key"), "BEGIN PRIVATE KEY"));
    assert_non_null(strstr(text(asked, "certificate"), "BEGIN CERTIFICATE"));
    assert_true(strlen(text(asked, "chain")) > strlen(text(asked, "certificate")));
    assert_non_null(strstr(text(asked, "root"), "BEGIN CERTIFICATE"));
    snprintf(line, sizeof(line), "/ca/v1/certificates/%s", text(asked, "serial"));
    assert_string_equal(asked->location, line);

    snprintf(line, sizeof(line), "GET /v1/certificates/%s", text(asked, "serial"));
    struct asked *again = expect(&alice, line, NULL, 200, NULL);
    assert_string_equal(text(again, "certificate"), text(asked, "certificate"));
    assert_string_equal(text(again, "requester"), "dn:CN=alice");
    assert_string_equal(text(again, "not_after"), text(asked, "not_after"));
    asked_done(again);
    strcat(line, "?format=pem");
    again = expect(&alice, line, NULL, 200, NULL);
    assert_string_equal(again->text, text(asked, "certificate"));
    asked_done(again);

    again = expect(&alice, "GET /v1/certificates?profile=laptop&text=lap-1&valid=true", NULL, 200,
                   NULL);
    assert_int_equal(json_array_size(json_object_get(again->json, "certificates")), 1);
    asked_done(again);
    asked_done(asked);
    again = expect(&alice, "GET /v1/certificates?limit=1", NULL, 200, NULL);
    assert_int_equal(json_array_size(json_object_get(again->json, "certificates")), 1);
    snprintf(line, sizeof(line), "GET /v1/certificates?limit=1&cursor=%.180s", text(again, "next"));
    assert_true(*text(again, "next") != '\0');
    asked_done(again);
    asked_done(expect(&alice, line, NULL, 200, NULL));
}

static void test_one_renews_with_the_certificate_of_the_connection(void **state)
{
    (void)state;
    struct client carol = make_client("carol");
    struct asked *asked = ask(&carol, "POST /v1/certificates/self/renew", NULL);
    /* Long before the profile's window: a refusal in words, and nothing is issued. */
    assert_int_equal(asked->status, 409);
    assert_string_equal(text(asked, "type"), "urn:handfast:problem:window");
    asked_done(asked);
    client_done(&carol);
}

static void test_a_token_enrols_once(void **state)
{
    (void)state;
    char body[256];
    struct asked *asked =
        expect(&alice, "POST /v1/tokens", "{\"profile\":\"laptop\",\"uses\":1,\"lifetime\":\"1h\"}",
               201, NULL);
    snprintf(body, sizeof(body), "{\"profile\":\"laptop\",\"name\":\"lap-2\",\"token\":\"%.64s\"}",
             text(asked, "token"));
    struct asked *list = expect(&alice, "GET /v1/tokens", NULL, 200, NULL);
    assert_null(strstr(list->text, text(asked, "token")));
    asked_done(list);
    asked_done(asked);
    asked_done(expect(&nobody, "POST /v1/certificates", body, 201, NULL));
    refused(&nobody, "POST /v1/certificates", body, 403, "bad-token", "");

    asked = expect(&alice, "POST /v1/tokens", "{\"profile\":\"laptop\"}", 201, NULL);
    snprintf(body, sizeof(body), "DELETE /v1/tokens/%.20s", text(asked, "id"));
    asked_done(asked);
    refused(&bob, body, NULL, 403, "forbidden", "");
    asked_done(expect(&alice, body, NULL, 200, NULL));
    refused(&alice, body, NULL, 404, "not-found", "");
}

static char *csr_of(const char *name)
{
    struct hf_subject subject = {0};
    char dn[64];
    EVP_PKEY *key = NULL;
    struct hf_buf der = HF_BUF_INIT(4096);
    struct hf_buf pem = HF_BUF_INIT(16384);
    snprintf(dn, sizeof(dn), "CN=%s", name);
    assert_int_equal(hf_subject_parse(dn, &subject), HF_OK);
    assert_int_equal(hf_key_kind_make(HF_KEY_KIND_P256, &key), HF_OK);
    assert_int_equal(hf_csr_make(&subject, NULL, false, key, &der), HF_OK);
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct hf_bytes all = hf_buf_bytes(&der);
    assert_int_equal(hf_buf_append_str(&pem, "-----BEGIN CERTIFICATE REQUEST-----\\n"), HF_OK);
    for (size_t i = 0; i < all.len; i += 3) {
        uint32_t three = 0;
        for (size_t j = 0; j < 3; j++) {
            three = three << 8 | (i + j < all.len ? all.ptr[i + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            char c = i + j > all.len ? '=' : digits[three >> (18 - 6 * j) & 63];
            assert_int_equal(hf_buf_u8(&pem, (uint8_t)c), HF_OK);
        }
        if (i % 48 == 45) {
            assert_int_equal(hf_buf_append_str(&pem, "\\n"), HF_OK);
        }
    }
    assert_int_equal(hf_buf_append_str(&pem, "\\n-----END CERTIFICATE REQUEST-----\\n"), HF_OK);
    char *out = hf_strdup(hf_buf_cstr(&pem));
    hf_buf_done(&pem);
    hf_buf_done(&der);
    EVP_PKEY_free(key);
    hf_subject_done(&subject);
    return out;
}

static void test_a_request_waits_for_somebody_else(void **state)
{
    (void)state;
    char body[2048];
    char pick[256];
    char decide[128];
    char *csr = csr_of("alice");
    snprintf(body, sizeof(body), "{\"profile\":\"badge\",\"csr\":\"%s\"}", csr);
    struct asked *asked = expect(&alice, "POST /v1/sign", body, 202, NULL);
    assert_string_equal(text(asked, "result"), "pending");
    snprintf(pick, sizeof(pick), "GET /v1/requests/%.120s", text(asked, "request"));
    snprintf(decide, sizeof(decide), "POST /v1/requests/%d/approve", atoi(text(asked, "request")));
    assert_int_equal(strncmp(asked->location, "/ca/v1/requests/", 16), 0);
    asked_done(asked);
    asked_done(expect(&nobody, pick, NULL, 202, NULL));
    refused(&alice, decide, NULL, 403, "forbidden", "themselves");
    refused(&nobody, decide, NULL, 403, "forbidden", "");
    asked_done(expect(&bob, decide, "{\"note\":\"seen\"}", 201, NULL));
    asked = expect(&nobody, pick, NULL, 201, NULL);
    assert_non_null(strstr(text(asked, "certificate"), "BEGIN CERTIFICATE"));
    assert_string_equal(text(asked, "private_key"), "");
    asked_done(asked);
    refused(&bob, decide, NULL, 409, "conflict", "");
    asked = expect(&alice, "GET /v1/requests?state=issued", NULL, 200, NULL);
    assert_int_equal(json_array_size(json_object_get(asked->json, "requests")), 1);
    asked_done(asked);
    refused(&alice, "GET /v1/requests?state=gone", NULL, 422, "invalid", "");
    hf_free(csr);
}

/* --- Revoking -----------------------------------------------------------------------------------
 */

static void test_certificates_are_held_released_and_revoked(void **state)
{
    (void)state;
    char line[160];
    struct client dave = make_client("dave");
    const char *serial = dave.identity->serial;
    snprintf(line, sizeof(line), "POST /v1/certificates/%s/hold", serial);
    asked_done(expect(&alice, line, NULL, 200, NULL));
    refused(&alice, line, NULL, 409, "conflict", "");
    snprintf(line, sizeof(line), "POST /v1/certificates/%s/release", serial);
    asked_done(expect(&alice, line, NULL, 200, NULL));
    snprintf(line, sizeof(line), "POST /v1/certificates/%s/revoke", serial);
    refused(&alice, line, NULL, 400, "malformed", "\"reason\" is missing");
    asked_done(expect(&alice, line, "{\"reason\":\"keyCompromise\",\"note\":\"lost\"}", 200, NULL));
    refused(&alice, line, "{\"reason\":\"keyCompromise\"}", 409, "conflict", "");
    snprintf(line, sizeof(line), "GET /v1/certificates/%s", serial);
    struct asked *asked = expect(&alice, line, NULL, 200, NULL);
    assert_string_equal(text(asked, "status"), "revoked");
    assert_string_equal(text(asked, "reason"), "keyCompromise");
    asked_done(asked);
    asked = expect(&alice, "GET /v1/revocations", NULL, 200, NULL);
    assert_int_equal(json_array_size(json_object_get(asked->json, "revocations")), 3);
    asked_done(asked);
    client_done(&dave);
}

static void test_many_are_revoked_after_a_dry_run(void **state)
{
    (void)state;
    static const char dry[] =
        "{\"identity\":\"erin\",\"reason\":\"cessationOfOperation\",\"dry_run\":true}";
    static const char wet[] = "{\"identity\":\"erin\",\"reason\":\"cessationOfOperation\"}";
    for (int i = 0; i < 3; i++) {
        struct client erin = make_client("erin");
        client_done(&erin);
    }
    refused(&alice, "POST /v1/revocations", "{\"reason\":\"superseded\"}", 422, "invalid",
            "nothing says which certificates");
    struct asked *asked = expect(&alice, "POST /v1/revocations", dry, 200, NULL);
    assert_int_equal(number(asked, "matched"), 3);
    assert_int_equal(number(asked, "revoked"), 0);
    asked_done(asked);
    asked = expect(&alice, "POST /v1/revocations", wet, 200, NULL);
    assert_int_equal(number(asked, "matched"), 3);
    assert_int_equal(number(asked, "revoked"), 3);
    asked_done(asked);
    asked = expect(&alice, "POST /v1/revocations", wet, 200, NULL);
    assert_int_equal(number(asked, "matched"), 0);
    asked_done(asked);
    asked = expect(&alice, "GET /v1/audit?limit=1000", NULL, 200, NULL);
    assert_non_null(strstr(asked->text, "dn:CN=alice"));
    assert_non_null(strstr(asked->text, "192.0.2.7"));
    asked_done(asked);
}

static void test_a_profile_that_can_not_be_read_is_nobodys_and_in_nobodys_way(void **state)
{
    (void)state;
    static const char wish[] = "{\"profile\":\"laptop\",\"name\":\"lap-9\"}";
    put_profile("server", "name: server\nnonsense: 1\n"); /* in place of the one built in */
    put_profile("laptop", "name: laptop\nextends: service\nask: [\"cn:bob\"]\n");
    hf_ca_reload(ca);
    refused(&alice, "POST /v1/certificates", "{\"profile\":\"server\",\"name\":\"a.example\"}", 409,
            "conflict", "can't be read");
    refused(&alice, "POST /v1/certificates", wish, 403, "forbidden", "");
    asked_done(expect(&bob, "POST /v1/certificates", wish, 201, NULL));
}

static void test_rules_that_can_not_be_compiled_are_refused(void **state)
{
    (void)state;
    static const char *const who[] = {"no-such-role"};
    struct hf_service *made = NULL;
    const struct hf_ca_api_options options = {.service = ca, .rights = {{who, 1}}};
    assert_int_equal(hf_ca_api_new(&options, &made), HF_E_INVALID);
    assert_null(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_places_and_methods_are_told_apart),
        cmocka_unit_test(test_a_body_is_read_strictly),
        cmocka_unit_test(test_rights_are_those_of_the_configuration),
        cmocka_unit_test(test_everybody_may_see_their_own_certificate_and_the_roots),
        cmocka_unit_test(test_a_certificate_is_issued_shown_and_listed),
        cmocka_unit_test(test_one_renews_with_the_certificate_of_the_connection),
        cmocka_unit_test(test_a_token_enrols_once),
        cmocka_unit_test(test_a_request_waits_for_somebody_else),
        cmocka_unit_test(test_certificates_are_held_released_and_revoked),
        cmocka_unit_test(test_many_are_revoked_after_a_dry_run),
        cmocka_unit_test(test_a_profile_that_can_not_be_read_is_nobodys_and_in_nobodys_way),
        cmocka_unit_test(test_rules_that_can_not_be_compiled_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
