// SPDX-License-Identifier: Apache-2.0
/*
 * The resolver against a name server of the test's own: a thread on a loopback UDP socket that
 * knows a few names and counts what it is asked.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/resolve.h"
#include "os/thread.h"

/* --- A name server ------------------------------------------------------------------------------
 */

struct name_server {
    int fd;
    uint16_t port;
    atomic_uint asked;  /* A questions for ttl.test */
    atomic_bool broken; /* answers SERVFAIL */
    atomic_bool silent;
    atomic_uint address; /* last byte of 192.0.2.x that ttl.test has */
    struct hf_thread thread;
};

/* The question's name in lower case with dots, for comparing; gives the offset behind it. */
static size_t read_name(const uint8_t *query, size_t len, char *out)
{
    size_t at = 12;
    char *p = out;
    while (at < len && query[at]) {
        size_t n = query[at++];
        memcpy(p, query + at, n);
        p += n;
        *p++ = '.';
        at += n;
    }
    *p = '\0';
    return at + 1;
}

static size_t add_a(uint8_t *out, uint32_t ttl, uint8_t last)
{
    const uint8_t record[] = {0xc0,
                              12,
                              0,
                              1,
                              0,
                              1,
                              (uint8_t)(ttl >> 24),
                              (uint8_t)(ttl >> 16),
                              (uint8_t)(ttl >> 8),
                              (uint8_t)ttl,
                              0,
                              4,
                              192,
                              0,
                              2,
                              last};
    memcpy(out, record, sizeof(record));
    return sizeof(record);
}

static size_t answer(struct name_server *server, uint8_t *message, size_t len)
{
    char name[256];
    size_t end = read_name(message, len, name);
    bool is_a = message[end + 1] == 1;
    size_t size = end + 4;
    message[2] = 0x81;
    message[3] = 0x80;
    memset(message + 6, 0, 6);
    if (atomic_load(&server->broken)) {
        message[3] |= 2;
        return size;
    }
    if (strcmp(name, "ttl.test.") == 0 || strcmp(name, "two.test.") == 0) {
        bool two = name[1] == 'w';
        if (is_a) {
            atomic_fetch_add(&server->asked, 1);
            message[7] = two ? 2 : 1;
            size += add_a(message + size, two ? 300 : 1, (uint8_t)atomic_load(&server->address));
            size += two ? add_a(message + size, 300, 77) : 0;
        }
        return size;
    }
    message[3] |= 3; /* NXDOMAIN */
    return size;
}

static void serve(void *arg)
{
    struct name_server *server = arg;
    uint8_t message[1024];
    for (;;) {
        struct sockaddr_in peer;
        socklen_t peer_len = sizeof(peer);
        ssize_t n = recvfrom(server->fd, message, 512, 0, (struct sockaddr *)&peer, &peer_len);
        if (n < 17) {
            return; /* one byte: the test is over */
        }
        if (!atomic_load(&server->silent)) {
            size_t size = answer(server, message, (size_t)n);
            (void)!sendto(server->fd, message, size, 0, (struct sockaddr *)&peer, peer_len);
        }
    }
}

/* --- Fixture ------------------------------------------------------------------------------------
 */

struct fixture {
    struct name_server server;
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    struct hf_resolve *lookup;
    struct hf_timer wait;
    unsigned calls;
    unsigned calls_wanted;
    enum hf_err err;
    size_t n;
    struct hf_addr first;
    char text[HF_ERR_TEXT_MAX];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(addr);
    char servers[32];
    assert_non_null(f);
    f->server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->server.fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(getsockname(f->server.fd, (struct sockaddr *)&addr, &len), 0);
    f->server.port = ntohs(addr.sin_port);
    atomic_store(&f->server.address, 1);
    assert_int_equal(hf_thread_start(&f->server.thread, "dns", serve, &f->server), HF_OK);
    assert_int_equal(hf_loop_new(&hf_os_clock, &f->loop), HF_OK);
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", f->server.port);
    struct hf_resolver_options options = {.servers = servers, .timeout_ms = 100};
    assert_int_equal(hf_resolver_new(f->loop, &options, &f->resolver), HF_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)},
                               .sin_port = htons(f->server.port)};
    hf_resolver_free(f->resolver);
    hf_loop_free(f->loop);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof(addr)), 1);
    close(fd);
    hf_thread_join(&f->server.thread);
    close(f->server.fd);
    free(f);
    return 0;
}

static void on_resolved(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct fixture *f = ctx;
    f->err = err;
    f->n = n;
    f->lookup = NULL;
    snprintf(f->text, sizeof(f->text), "%s", hf_err_text());
    if (n) {
        f->first = addrs[0];
    }
    if (++f->calls == f->calls_wanted) {
        hf_loop_stop(f->loop);
    }
}

static void lookup(struct fixture *f, const char *host)
{
    f->calls = 0;
    f->calls_wanted = 1;
    assert_int_equal(hf_resolve(f->resolver, host, 8443, on_resolved, f, &f->lookup), HF_OK);
    assert_int_equal(f->calls, 0); /* never from within */
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal(f->calls, 1);
}

static void on_wait_over(struct hf_timer *timer)
{
    hf_loop_stop(HF_CONTAINER_OF(timer, struct fixture, wait)->loop);
}

static void wait_ms(struct fixture *f, int64_t ms)
{
    f->wait.on_due = on_wait_over;
    hf_timer_set(f->loop, &f->wait, ms);
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
}

static void assert_first(struct fixture *f, const char *wanted)
{
    char text[HF_ADDR_TEXT_SIZE];
    assert_int_equal(f->err, HF_OK);
    hf_addr_format(&f->first, text);
    assert_string_equal(text, wanted);
}

/* --- Cases --------------------------------------------------------------------------------------
 */

static void test_a_name_gets_its_addresses_and_the_port(void **state)
{
    struct fixture *f = *state;
    lookup(f, "two.test");
    assert_int_equal(f->err, HF_OK);
    assert_int_equal(f->n, 2);
    assert_int_equal(hf_addr_port(&f->first), 8443);
}

static void test_an_answer_is_asked_for_once(void **state)
{
    struct fixture *f = *state;
    struct hf_addr addrs[4];
    lookup(f, "two.test");
    lookup(f, "two.test");
    assert_int_equal(atomic_load(&f->server.asked), 1);
    assert_int_equal(hf_resolve_cached(f->resolver, "two.test", 1, addrs, 4), 2);
    assert_int_equal(hf_resolve_cached(f->resolver, "other.test", 1, addrs, 4), 0);
}

static void test_those_who_wait_share_one_question(void **state)
{
    struct fixture *f = *state;
    struct hf_resolve *other;
    f->calls_wanted = 2;
    assert_int_equal(hf_resolve(f->resolver, "two.test", 1, on_resolved, f, &f->lookup), HF_OK);
    assert_int_equal(hf_resolve(f->resolver, "two.test", 2, on_resolved, f, &other), HF_OK);
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal(f->calls, 2);
    assert_int_equal(atomic_load(&f->server.asked), 1);
}

static void test_after_its_ttl_a_name_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    lookup(f, "ttl.test");
    assert_first(f, "192.0.2.1:8443");
    atomic_store(&f->server.address, 9);
    wait_ms(f, HF_RESOLVE_TTL_MIN_MS + 50);
    lookup(f, "ttl.test"); /* the old answer serves while the new one is fetched */
    assert_first(f, "192.0.2.1:8443");
    wait_ms(f, 200);
    lookup(f, "ttl.test");
    assert_first(f, "192.0.2.9:8443");
}

static void test_the_last_good_answer_outlives_a_broken_server(void **state)
{
    struct fixture *f = *state;
    lookup(f, "ttl.test");
    atomic_store(&f->server.broken, true);
    wait_ms(f, HF_RESOLVE_TTL_MIN_MS + 50);
    lookup(f, "ttl.test");
    wait_ms(f, 300);
    lookup(f, "ttl.test");
    assert_first(f, "192.0.2.1:8443");
}

static void test_an_unknown_name_is_said_by_name(void **state)
{
    struct fixture *f = *state;
    lookup(f, "nowhere.test");
    assert_int_equal(f->err, HF_E_NOT_FOUND);
    assert_non_null(strstr(f->text, "nowhere.test"));
    lookup(f, "nowhere.test"); /* remembered for a moment */
    assert_int_equal(f->err, HF_E_NOT_FOUND);
}

static void test_a_silent_server_times_out(void **state)
{
    struct fixture *f = *state;
    atomic_store(&f->server.silent, true);
    lookup(f, "two.test");
    assert_int_equal(f->err, HF_E_TIMEOUT);
}

static void test_localhost_needs_no_server(void **state)
{
    struct fixture *f = *state;
    atomic_store(&f->server.silent, true);
    lookup(f, "localhost");
    assert_int_equal(f->err, HF_OK);
}

static void test_a_cancelled_lookup_is_never_told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hf_resolve(f->resolver, "two.test", 1, on_resolved, f, &f->lookup), HF_OK);
    hf_resolve_cancel(f->lookup);
    wait_ms(f, 100);
    assert_int_equal(f->calls, 0);
    assert_int_equal(hf_resolve(f->resolver, "two.test", 1, on_resolved, f, &f->lookup), HF_OK);
    hf_resolve_cancel(f->lookup); /* already known, not yet told */
    wait_ms(f, 50);
    assert_int_equal(f->calls, 0);
}

static void test_freeing_drops_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hf_resolve(f->resolver, "two.test", 1, on_resolved, f, &f->lookup), HF_OK);
    hf_resolver_free(f->resolver);
    f->resolver = NULL;
    assert_int_equal(f->calls, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_a_name_gets_its_addresses_and_the_port),
        CASE(test_an_answer_is_asked_for_once),
        CASE(test_those_who_wait_share_one_question),
        CASE(test_after_its_ttl_a_name_is_asked_for_again),
        CASE(test_the_last_good_answer_outlives_a_broken_server),
        CASE(test_an_unknown_name_is_said_by_name),
        CASE(test_a_silent_server_times_out),
        CASE(test_localhost_needs_no_server),
        CASE(test_a_cancelled_lookup_is_never_told),
        CASE(test_freeing_drops_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
