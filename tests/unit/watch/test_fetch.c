// SPDX-License-Identifier: Apache-2.0
/* The fetcher against the small HTTP server, both on one loop. TLS is proved end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/sock.h"
#include "watch/fetch.h"
#include "watch/httpd.h"

static struct hf_loop *loop;
static struct hf_httpd *httpd;
static struct hf_fetcher *fetcher;
static int listen_fd;
static int port;

/* What the last fetch gave. */
static struct {
    unsigned n;
    enum hf_err err;
    bool unchanged;
    char body[256], etag[64], last_modified[64], words[512];
    int64_t fresh_s;
} got;

static void keep(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static void on_answer(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    (void)ctx;
    got.n++;
    got.err = err;
    keep(got.words, sizeof(got.words), err == HF_OK ? "" : hf_err_text());
    if (answer) {
        got.unchanged = answer->unchanged;
        got.fresh_s = answer->fresh_s;
        snprintf(got.body, sizeof(got.body), "%.*s", (int)answer->body.len,
                 (const char *)answer->body.ptr);
        keep(got.etag, sizeof(got.etag), answer->etag);
        keep(got.last_modified, sizeof(got.last_modified), answer->last_modified);
    }
    hf_loop_stop(loop);
}

/* --- The server --------------------------------------------------------------------------------
 */

static void on_keys(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_field(call, "ETag", "\"v1\"");
    hf_httpd_field(call, "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    hf_httpd_field(call, "Cache-Control", "public, Max-Age=90, must-revalidate");
    hf_httpd_text(call, 200, "application/json", hf_bytes_str("{}"));
}

static void on_echo(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_text(call, 200, "text/plain", hf_httpd_request(call)->body);
}

static void to_place(struct hf_httpd_call *call, const char *place)
{
    hf_httpd_field(call, "Location", place);
    hf_httpd_text(call, 302, "text/plain", hf_bytes_str("elsewhere"));
}

static void on_here(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    to_place(call, "/keys");
}

static void on_round(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    to_place(call, "/round");
}

static void on_away(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    to_place(call, "http://127.0.0.2/keys");
}

static void on_large(void *ctx, struct hf_httpd_call *call)
{
    static const char text[5000];
    (void)ctx;
    hf_httpd_text(call, 200, "text/plain", hf_bytes_of(text, sizeof(text)));
}

static struct hf_httpd_call *held;

static void on_hold(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    held = call;
}

static int set_up(void **state)
{
    static const struct hf_httpd_route routes[] = {
        {HF_METHOD_GET, "/keys", on_keys}, {HF_METHOD_POST, "/echo", on_echo},
        {HF_METHOD_GET, "/here", on_here}, {HF_METHOD_GET, "/round", on_round},
        {HF_METHOD_GET, "/away", on_away}, {HF_METHOD_GET, "/large", on_large},
        {HF_METHOD_GET, "/hold", on_hold},
    };
    (void)state;
    struct hf_addr addr;
    assert_int_equal(hf_loop_new(&hf_os_clock, &loop), HF_OK);
    struct hf_httpd_config config = {
        .loop = loop, .routes = routes, .n_routes = HF_N_ELEMENTS(routes)};
    assert_int_equal(hf_addr_parse("127.0.0.1:0", &addr), HF_OK);
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &listen_fd), HF_OK);
    addr.len = sizeof(addr.storage);
    assert_int_equal(getsockname(listen_fd, &addr.sa, &addr.len), 0);
    port = hf_addr_port(&addr);
    assert_int_equal(hf_httpd_new(&config, &httpd), HF_OK);
    assert_int_equal(hf_httpd_listen(httpd, listen_fd), HF_OK);
    assert_int_equal(hf_fetcher_new(loop, &fetcher), HF_OK);
    memset(&got, 0, sizeof(got));
    held = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_fetcher_free(fetcher);
    if (held) {
        hf_httpd_text(held, 200, "text/plain", hf_bytes_str(""));
    }
    hf_httpd_free(httpd);
    close(listen_fd);
    hf_loop_free(loop);
    return 0;
}

static struct hf_fetch_ask ask_of(const char *host, const char *path)
{
    static char url[256];
    snprintf(url, sizeof(url), "http://%s:%d%s", host, port, path);
    return (struct hf_fetch_ask){
        .url = url, .allow_plain = true, .max_bytes = 1000, .timeout_ms = 60000};
}

static void fetch(const struct hf_fetch_ask *ask)
{
    struct hf_fetch *started;
    assert_int_equal(hf_fetch_start(fetcher, ask, on_answer, NULL, &started), HF_OK);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

/* --- Tests -------------------------------------------------------------------------------------
 */

static void what_is_there_is_fetched(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("127.0.0.1", "/keys");
    fetch(&ask);
    assert_int_equal(got.err, HF_OK);
    assert_false(got.unchanged);
    assert_string_equal(got.body, "{}");
    assert_string_equal(got.etag, "\"v1\"");
    assert_string_equal(got.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_int_equal(got.fresh_s, 0); /* the server adds no-store, which wins */
    ask.etag = "\"v0\"";
    fetch(&ask);
    assert_int_equal(got.err, HF_OK);
    assert_false(got.unchanged);
    assert_int_equal(got.n, 2);
}

static void names_are_looked_up(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("localhost", "/keys");
    fetch(&ask);
    assert_string_equal(got.words, "");
    assert_int_equal(got.err, HF_OK);
    ask = ask_of("no-such-name.invalid", "/keys");
    fetch(&ask);
    assert_int_equal(got.err, HF_E_NOT_FOUND);
}

static void things_are_posted(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("127.0.0.1", "/echo");
    ask.post = hf_bytes_str("hello");
    ask.post_type = "text/plain";
    fetch(&ask);
    assert_int_equal(got.err, HF_OK);
    assert_string_equal(got.body, "hello");
}

static void redirects_stay_at_their_place(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("127.0.0.1", "/here");
    fetch(&ask);
    assert_int_equal(got.err, HF_OK);
    assert_string_equal(got.body, "{}");
    ask = ask_of("127.0.0.1", "/away");
    fetch(&ask);
    assert_int_equal(got.err, HF_E_PEER);
    assert_non_null(strstr(got.words, "another place"));
    ask = ask_of("127.0.0.1", "/round");
    fetch(&ask);
    assert_int_equal(got.err, HF_E_PEER);
    assert_non_null(strstr(got.words, "redirected too often"));
}

static void failures_are_told(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("127.0.0.1", "/none");
    fetch(&ask);
    assert_int_equal(got.err, HF_E_PEER);
    assert_non_null(strstr(got.words, "/none: the server answered 404"));
    ask = ask_of("127.0.0.1", "/large");
    fetch(&ask);
    assert_int_equal(got.err, HF_E_TOO_LARGE);
    assert_non_null(strstr(got.words, "larger than 1000 bytes"));
    ask = ask_of("127.0.0.1", "/hold");
    ask.timeout_ms = 50;
    fetch(&ask);
    assert_int_equal(got.err, HF_E_TIMEOUT);
    ask.url = "http://127.0.0.1:1/";
    fetch(&ask);
    assert_int_equal(got.err, HF_E_IO);
}

static char sunk[64];

static enum hf_err on_piece(void *ctx, struct hf_bytes piece)
{
    (void)ctx;
    size_t len = strlen(sunk);
    if (piece.len > sizeof(sunk) - 1 - len) {
        return hf_fail(HF_E_MALFORMED, "more than this sink can hold");
    }
    memcpy(sunk + len, piece.ptr, piece.len);
    return HF_OK;
}

static void a_sink_takes_the_body_of_a_good_answer(void **state)
{
    (void)state;
    struct hf_fetch_ask ask = ask_of("127.0.0.1", "/here"); /* not that of the redirect */
    ask.sink = on_piece;
    memset(sunk, 0, sizeof(sunk));
    fetch(&ask);
    assert_int_equal(got.err, HF_OK);
    assert_string_equal(sunk, "{}");
    assert_string_equal(got.body, "");
    ask = ask_of("127.0.0.1", "/large");
    ask.sink = on_piece;
    ask.max_bytes = 1 << 20;
    fetch(&ask);
    assert_int_equal(got.err, HF_E_MALFORMED);
    assert_string_equal(got.words, "more than this sink can hold");
    ask.max_bytes = 1000;
    fetch(&ask);
    assert_int_equal(got.err, HF_E_TOO_LARGE);
    ask = ask_of("127.0.0.1", "/none");
    ask.sink = on_piece;
    fetch(&ask);
    assert_int_equal(got.err, HF_E_PEER);
    assert_string_equal(sunk, "{}");
}

static void places_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *url, *origin;
        bool same;
    } table[] = {
        {"http://crl.example/a.crl", "http://crl.example", true},
        {"http://CRL.example:80/a.crl", "http://crl.example", true},
        {"http://crl.example:8080/a.crl", "http://crl.example", false},
        {"https://crl.example/a.crl", "http://crl.example", false},
        {"http://crl.example.evil/a.crl", "http://crl.example", false},
        {"http://crl.example@evil/a.crl", "http://crl.example", false},
        {"http://evil/http://crl.example", "http://crl.example", false},
        {"http://evil#@crl.example/", "http://crl.example", false},
        {"http://evil\\@crl.example/", "http://crl.example", false},
        {"ldap://crl.example/a", "http://crl.example", false},
        {"", "http://crl.example", false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_fetch_is_at(table[i].url, table[i].origin), table[i].same);
    }
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool allow_plain;
        enum hf_err err;
    } table[] = {
        {"https://idp.example/jwks.json", false, HF_OK},
        {"http://idp.example/jwks.json", false, HF_E_INVALID},
        {"http://idp.example/jwks.json", true, HF_OK},
        {"https://[2001:db8::1]:8443/", false, HF_OK},
        {"https://user:pass@idp.example/", false, HF_E_INVALID},
        {"file:///etc/passwd", true, HF_E_INVALID},
        {"ftp://idp.example/", true, HF_E_INVALID},
        {"idp.example", true, HF_E_INVALID},
        {"https://", true, HF_E_INVALID},
        {"", true, HF_E_INVALID},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_fetch_check_url(table[i].url, table[i].allow_plain), table[i].err);
    }
}

static void what_is_cancelled_is_never_told(void **state)
{
    (void)state;
    struct hf_fetch *one, *two;
    struct hf_fetch_ask ask = ask_of("localhost", "/hold");
    assert_int_equal(hf_fetch_start(fetcher, &ask, on_answer, NULL, &one), HF_OK);
    hf_fetch_cancel(one);
    ask = ask_of("127.0.0.1", "/hold");
    assert_int_equal(hf_fetch_start(fetcher, &ask, on_answer, NULL, &one), HF_OK);
    ask = ask_of("127.0.0.1", "/keys");
    assert_int_equal(hf_fetch_start(fetcher, &ask, on_answer, NULL, &two), HF_OK);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    hf_fetch_cancel(one);
    hf_fetch_cancel(NULL);
    assert_int_equal(got.n, 1);
    /* and hf_fetcher_free cancels what is still under way */
    ask = ask_of("127.0.0.1", "/hold");
    assert_int_equal(hf_fetch_start(fetcher, &ask, on_answer, NULL, &one), HF_OK);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_fetch *started;
        struct hf_fetch_ask ask = ask_of("127.0.0.1", "/keys");
        hf_alloc_fail_after(n);
        err = hf_fetch_start(fetcher, &ask, on_answer, NULL, &started);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_true(n < 50);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(got.err, HF_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_is_fetched),
        TEST(names_are_looked_up),
        TEST(things_are_posted),
        TEST(redirects_stay_at_their_place),
        TEST(failures_are_told),
        TEST(a_sink_takes_the_body_of_a_good_answer),
        TEST(places_are_compared),
        TEST(bad_urls_are_refused),
        TEST(what_is_cancelled_is_never_told),
        TEST(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
