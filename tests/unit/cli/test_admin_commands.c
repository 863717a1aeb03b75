// SPDX-License-Identifier: Apache-2.0
/* status, sessions, reload and drain, against a daemon that gives the answers of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "cli/commands.h"
#include "os/clock.h"
#include "watch/httpd.h"

struct fake {
    char dir[32];
    char path[64];
    struct hf_addr addr;
    int listen_fd;
    struct hf_loop *loop;
    struct hf_httpd *httpd;
    struct hf_task stop;
    pthread_t thread;
    unsigned status;
    const char *body;
    char asked[200];
};

static struct fake fake;

static void on_any(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    const struct hf_httpd_request *request = hf_httpd_request(call);
    snprintf(fake.asked, sizeof(fake.asked), "%s %.*s?%.*s", hf_http_method_text(request->method),
             (int)request->path.len, (const char *)request->path.ptr, (int)request->query.len,
             (const char *)request->query.ptr);
    hf_httpd_text(call, fake.status, "application/json", hf_bytes_str(fake.body));
}

static const struct hf_httpd_route routes[] = {
    {HF_METHOD_GET, "/*", on_any},
    {HF_METHOD_POST, "/*", on_any},
};

static void *run_loop(void *arg)
{
    (void)arg;
    assert_int_equal(hf_loop_run(fake.loop), HF_OK);
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    char text[100];
    memset(&fake, 0, sizeof(fake));
    strcpy(fake.dir, "/tmp/hf-admin-XXXXXX");
    if (!mkdtemp(fake.dir)) {
        return -1;
    }
    snprintf(fake.path, sizeof(fake.path), "%s/s", fake.dir);
    snprintf(text, sizeof(text), "unix:%s", fake.path);
    struct hf_httpd_config config = {.routes = routes, .n_routes = 2};
    if (hf_addr_parse(text, &fake.addr) != HF_OK ||
        hf_sock_listen(&fake.addr, 5, 0600, &fake.listen_fd) != HF_OK ||
        hf_loop_new(&hf_os_clock, &fake.loop) != HF_OK) {
        return -1;
    }
    config.loop = fake.loop;
    return hf_httpd_new(&config, &fake.httpd) == HF_OK &&
                   hf_httpd_listen(fake.httpd, fake.listen_fd) == HF_OK &&
                   pthread_create(&fake.thread, NULL, run_loop, NULL) == 0
               ? 0
               : -1;
}

static void stop(struct hf_task *task)
{
    (void)task;
    hf_httpd_free(fake.httpd);
    hf_loop_stop(fake.loop);
}

static int tear_down(void **state)
{
    (void)state;
    fake.stop.run = stop;
    hf_loop_post(fake.loop, &fake.stop);
    pthread_join(fake.thread, NULL);
    hf_loop_free(fake.loop);
    close(fake.listen_fd);
    unlink(fake.path);
    rmdir(fake.dir);
    return 0;
}

/* What a command wrote; both are freed by the next run. */
static char *out_text;
static char *err_text;

static enum hf_exit run(unsigned status, const char *body, const char *const *words, size_t n)
{
    size_t out_len;
    size_t err_len;
    const char *argv[16] = {"handfast"};
    memcpy(argv + 1, words, n * sizeof(*words));
    fake.status = status;
    fake.body = body;
    free(out_text);
    free(err_text);
    FILE *out = open_memstream(&out_text, &out_len);
    FILE *err = open_memstream(&err_text, &err_len);
    enum hf_exit ended = hf_cli_run(&hf_cmd_root, (int)n + 1, argv, out, err);
    fclose(out);
    fclose(err);
    return ended;
}

#define RUN(status, body, ...) \
    run(status, body, (const char *const[]){__VA_ARGS__}, \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void status_is_a_table(void **state)
{
    (void)state;
    static const char body[] =
        "{\"version\":\"1.2.3\",\"pid\":42,\"uptime_s\":3700,\"state\":\"running\",\"workers\":2,"
        "\"config\":{\"file\":\"/etc/h.yaml\",\"loaded_at\":\"2026-01-01T00:00:00Z\","
        "\"generation\":3},\"listeners\":[{\"name\":\"api\",\"addresses\":[\"127.0.0.1:1\","
        "\"[::1]:1\"],\"connections\":{\"open\":5,\"total\":10000},\"handshakes\":{\"accepted\":"
        "9990,\"resumed\":7,\"refused\":{\"expired\":8,\"unknown-ca\":2}}}],\"upstreams\":["
        "{\"name\":\"app\",\"servers\":[{\"address\":\"a:1\",\"state\":\"up\",\"open\":5,\"total\":"
        "9990,"
        "\"failures\":0},{\"address\":\"b:1\",\"state\":\"drained\",\"open\":0,\"failures\":12}]}],"
        "\"log\":{\"dropped\":4}}";
    assert_int_equal(RUN(200, body, "status", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text,
                        "handfast 1.2.3, running for 1 h 1 min, pid 42, 2 workers\n"
                        "config /etc/h.yaml, generation 3, loaded 2026-01-01T00:00:00Z\n"
                        "log: 4 lines were dropped, for they could not be written in time\n"
                        "\n"
                        "LISTENER  ADDRESS               OPEN  TOTAL  ACCEPTED  RESUMED  REFUSED\n"
                        "api       127.0.0.1:1, [::1]:1     5  10000      9990        7       10\n"
                        "\n"
                        "REFUSED AT  REASON      TIMES\n"
                        "api         expired         8\n"
                        "api         unknown-ca      2\n"
                        "\n"
                        "UPSTREAM  SERVER  STATE    OPEN  TOTAL  FAILURES\n"
                        "app       a:1     up          5   9990         0\n"
                        "app       b:1     drained     0      0        12\n");
    assert_string_equal(err_text, "");
    assert_string_equal(fake.asked, "GET /status?");
}

static void status_of_an_idle_daemon(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "{}", "status", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text, "handfast -, - for 0 ms, pid 0, 0 workers\n"
                                  "config -, generation 0, loaded -\n");
}

static void json_is_the_answer(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "{\"a\":1}", "status", "--json", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text, "{\n  \"a\": 1\n}\n");
    assert_int_equal(RUN(503, "{\"a\":1}", "drain", "--json", "--admin", fake.path),
                     HF_EXIT_PROBLEM);
    assert_string_equal(out_text, "{\n  \"a\": 1\n}\n");
}

static void sessions_are_a_table(void **state)
{
    (void)state;
    static const char body[] =
        "{\"sessions\":[{\"id\":\"01\",\"listener\":\"api\",\"peer\":\"1.2.3.4:5\",\"identity\":"
        "\"\\u001b[1m\",\"version\":\"TLSv1.3\",\"since\":\"then\",\"bytes_in\":1,"
        "\"bytes_out\":22,\"upstream\":\"a:1\",\"state\":\"relay\"},{\"id\":\"02\"}],\"total\":3}";
    assert_int_equal(
        RUN(200, body, "sessions", "--admin", fake.path, "--listener", "a&b", "--limit", "2"),
        HF_EXIT_OK);
    assert_string_equal(
        out_text, "ID  LISTENER  PEER       IDENTITY  TLS      UPSTREAM  SINCE  IN  OUT  STATE\n"
                  "01  api       1.2.3.4:5  \\x1b[1m   TLSv1.3  a:1       then    1   22  relay\n"
                  "02  -         -          -         -        -         -       0    0  -\n");
    assert_string_equal(err_text, "handfast sessions: 2 of 3 sessions; --limit shows more\n");
    assert_string_equal(fake.asked, "GET /sessions?limit=2&listener=a%26b");
}

static void reload_says_what_it_did(void **state)
{
    (void)state;
    static const char body[] =
        "{\"generation\":4,\"findings\":[{\"file\":\"h.yaml\",\"line\":2,\"column\":3,"
        "\"level\":\"warning\",\"id\":\"expiring\",\"text\":\"soon\"}]}";
    assert_int_equal(RUN(200, body, "reload", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text, "reloaded: generation 4\n");
    assert_string_equal(err_text, "h.yaml:2:3: warning: soon\n");
    assert_string_equal(fake.asked, "POST /reload?");
    assert_int_equal(RUN(200, "{}", "reload", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text, "reloaded\n");
}

static void a_refused_reload_prints_the_findings(void **state)
{
    (void)state;
    static const char body[] =
        "{\"error\":\"config\",\"message\":\"2 errors\",\"findings\":[{\"file\":\"h.yaml\","
        "\"line\":2,\"column\":3,\"level\":\"error\",\"id\":\"unknown-key\",\"text\":\"no\\u0007\"}"
        ","
        "{\"file\":\"h.yaml\",\"level\":\"error\",\"text\":\"gone\"}]}";
    assert_int_equal(RUN(409, body, "reload", "--admin", fake.path), HF_EXIT_PROBLEM);
    assert_string_equal(out_text, "");
    assert_string_equal(err_text,
                        "h.yaml:2:3: error: no\\x07\nh.yaml: error: gone\n"
                        "handfast reload: error: the reload was refused, the old config stays in "
                        "force: 2 errors\n");
    assert_int_equal(RUN(409, body, "reload", "--json", "--admin", fake.path), HF_EXIT_PROBLEM);
    assert_int_equal(out_text[0], '{');
}

static void drain_says_what_will_happen(void **state)
{
    (void)state;
    assert_int_equal(RUN(202, "{\"draining\":true,\"open\":3,\"timeout_ms\":90000}", "drain",
                         "--admin", fake.path),
                     HF_EXIT_OK);
    assert_string_equal(out_text, "draining: 3 connections are open and have 1 min 30 s to "
                                  "finish\n");
}

static void servers_of_upstreams_are_a_table(void **state)
{
    (void)state;
    static const char body[] =
        "{\"upstreams\":[{\"name\":\"app\",\"servers\":[{\"address\":\"a:1\",\"state\":\"up\","
        "\"weight\":3,\"open\":5,\"active\":2,\"total\":99,\"failures\":1,\"ejections\":0,"
        "\"latency_us\":1234},{\"address\":\"b:1\",\"state\":\"ejected\",\"weight\":1}]}]}";
    assert_int_equal(RUN(200, body, "upstream", "status", "app", "--admin", fake.path), HF_EXIT_OK);
    assert_string_equal(out_text, "UPSTREAM  SERVER  STATE    WEIGHT  OPEN  ACTIVE  TOTAL  "
                                  "FAILURES  EJECTIONS  LATENCY\n"
                                  "app       a:1     up            3     5       2     99         1"
                                  "          0  1.234ms\n"
                                  "app       b:1     ejected       1     0       0      0         0"
                                  "          0  0.000ms\n");
    assert_string_equal(fake.asked, "GET /upstreams?upstream=app");
}

static void one_server_is_drained_and_enabled(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "{\"address\":\"[::1]:80\",\"state\":\"drained\",\"open\":3}",
                         "upstream", "drain", "app", "[::1]:80", "--admin", fake.path),
                     HF_EXIT_OK);
    assert_string_equal(out_text, "[::1]:80 is drained; 3 connections are open\n");
    assert_string_equal(fake.asked, "POST /upstreams/drain?upstream=app&server=%5B%3A%3A1%5D%3A80");
    assert_int_equal(RUN(200, "{\"address\":\"a:1\",\"state\":\"returning\"}", "upstream", "enable",
                         "app", "a:1", "--admin", fake.path),
                     HF_EXIT_OK);
    assert_string_equal(out_text, "a:1 is returning; 0 connections are open\n");
    assert_int_equal(RUN(404, "{\"message\":\"there is no upstream \\\"x\\\"\"}", "upstream",
                         "enable", "x", "a:1", "--admin", fake.path),
                     HF_EXIT_PROBLEM);
    assert_string_equal(err_text, "handfast upstream enable: error: the daemon refuses: there is "
                                  "no upstream \"x\"\n");
    assert_int_equal(RUN(200, "", "upstream", "drain", "app"), HF_EXIT_USAGE);
}

static void a_refusal_is_told_in_the_daemons_words(void **state)
{
    (void)state;
    assert_int_equal(
        RUN(503, "{\"error\":\"busy\",\"message\":\"not now\"}", "status", "--admin", fake.path),
        HF_EXIT_PROBLEM);
    assert_string_equal(err_text, "handfast status: error: the daemon refuses: not now\n");
    assert_int_equal(RUN(409, "{\"message\":\"no\"}", "drain", "--admin", fake.path),
                     HF_EXIT_PROBLEM);
    assert_string_equal(err_text, "handfast drain: error: the daemon refuses: no\n");
}

static void something_else_that_answers_is_told(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "<html>", "status", "--admin", fake.path), HF_EXIT_PROBLEM);
    assert_non_null(strstr(err_text, "is not handfast: status 200, and no JSON"));
    assert_int_equal(RUN(200, "[]", "status", "--admin", fake.path), HF_EXIT_PROBLEM);
    assert_non_null(strstr(err_text, "is not handfast"));
}

static void no_daemon_is_told(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "", "status", "--admin", "/nowhere/s"), HF_EXIT_PROBLEM);
    assert_string_equal(err_text,
                        "handfast status: error: is the daemon running? there is no socket "
                        "unix:/nowhere/s; --admin or --config says where it is\n");
}

static void wrong_usage_is_told(void **state)
{
    (void)state;
    assert_int_equal(RUN(200, "", "status", "--admin", "127.0.0.1:80"), HF_EXIT_USAGE);
    assert_int_equal(RUN(200, "", "status", "--admin", "x"), HF_EXIT_USAGE);
    assert_int_equal(RUN(200, "", "status", "--admin", "/x", "-c", "y"), HF_EXIT_USAGE);
    assert_int_equal(RUN(200, "", "status", "extra"), HF_EXIT_USAGE);
}

static void write_config(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "admin: unix:%s\n%s", fake.path, text);
    fclose(file);
}

static void the_socket_may_come_from_the_config(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof(path), "%s/c.yaml", fake.dir);
    write_config(path, "listeners: {l: {listen: [\"127.0.0.1:1\"], "
                       "plain: true, to: u}}\nupstreams: {u: {servers: [\"127.0.0.1:2\"]}}\n");
    if (RUN(200, "{}", "status", "-c", path) != HF_EXIT_OK) {
        fail_msg("%s", err_text);
    }
    write_config(path, "nonsense: 1\n");
    assert_int_equal(RUN(200, "{}", "reload", "-c", path), HF_EXIT_PROBLEM);
    assert_non_null(strstr(err_text, "c.yaml:2:1: error: "));
    assert_non_null(strstr(err_text, "the daemon was not asked"));
    unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_is_a_table),
        TEST(status_of_an_idle_daemon),
        TEST(json_is_the_answer),
        TEST(sessions_are_a_table),
        TEST(reload_says_what_it_did),
        TEST(a_refused_reload_prints_the_findings),
        TEST(drain_says_what_will_happen),
        TEST(servers_of_upstreams_are_a_table),
        TEST(one_server_is_drained_and_enabled),
        TEST(a_refusal_is_told_in_the_daemons_words),
        TEST(something_else_that_answers_is_told),
        TEST(no_daemon_is_told),
        TEST(wrong_usage_is_told),
        TEST(the_socket_may_come_from_the_config),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(out_text);
    free(err_text);
    return failed;
}
