// SPDX-License-Identifier: Apache-2.0
/* What costs a client little and a server something ends its connection once it is too much, and
 * not before; and what piles up stays bounded. */
#include "h2_side.h"

#define REQUEST(id) "headers " id " eh :method=GET :scheme=https :path=/ :authority=a\n"

struct fixture {
    struct h2_side side;
    struct hf_buf in;
};

static void start(struct fixture *f)
{
    h2_side_init(&f->side, true);
    f->side.quiet = true;
    f->in = HF_BUF_INIT(H2_LOG_MAX);
    f->side.config.limits.n_resets_max = 10;
    f->side.config.limits.n_errors_max = 10;
    f->side.config.limits.n_settings_max = 10;
    f->side.config.limits.n_pings_max = 10;
    f->side.config.limits.n_priorities_max = 10;
    f->side.config.limits.n_window_updates_max = 10;
    f->side.config.limits.n_empty_max = 10;
    f->side.config.limits.interval_ms = 1000;
    h2_side_start(&f->side);
    h2_write_script(&f->in, "bytes 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a\n");
    h2_write_script(&f->in, "settings 0 -");
    assert_int_equal(hf_h2_feed(f->side.h2, hf_buf_bytes(&f->in), 0), HF_OK);
    hf_buf_reset(&f->in);
}

static void stop(struct fixture *f)
{
    hf_buf_done(&f->in);
    h2_side_done(&f->side);
}

static enum hf_err feed(struct fixture *f, const char *script)
{
    hf_buf_reset(&f->in);
    h2_write_script(&f->in, script);
    enum hf_err err = hf_h2_feed(f->side.h2, hf_buf_bytes(&f->in), f->side.now_ms);
    h2_flush(&f->side, 40000);
    hf_buf_reset(&f->side.sent);
    return err;
}

struct flood {
    const char *name;
    const char *before;
    const char *frame; /* %u: a new stream */
    unsigned n_allowed;
    const char *text;
};

static const struct flood floods[] = {
    {"CVE-2023-44487 rapid reset", NULL,
     "headers %u h :method=GET :scheme=https :path=/ :authority=a\nrst %u - 8", 10,
     "too many streams opened and reset"},
    {"malformed streams", NULL, "headers %u eh :method=GET", 10, "too many malformed streams"},
    {"CVE-2025-8671 made you reset", NULL,
     "headers %u eh :method=GET :scheme=https :path=/ :authority=a\nheaders %u eh a=b", 10,
     "too many malformed streams"},
    {"CVE-2019-9515 SETTINGS", NULL, "settings 0 - 3=1", 9, "too many SETTINGS frames"},
    {"CVE-2019-9512 PING", NULL, "ping 0 - 01234567", 10, "too many PING frames"},
    {"CVE-2019-9513 PRIORITY", NULL, "priority 1 - 3", 10, "too many PRIORITY or unknown frames"},
    {"unknown frames", NULL, "raw ee 0 0 00", 10, "too many PRIORITY or unknown frames"},
    {"WINDOW_UPDATE", NULL, "window 0 - 1", 10, "too many WINDOW_UPDATE frames"},
    {"CVE-2019-9518 empty DATA", "headers 1 h :method=POST :scheme=https :path=/ :authority=a",
     "data 1 -", 10, "too many empty frames"},
    {"padding alone", "headers 1 h :method=POST :scheme=https :path=/ :authority=a",
     "data 1 p 01 .", 10, "too many empty frames"},
};

static void print_frame(char *out, size_t size, const char *frame, unsigned id)
{
    char number[16];
    size_t len = 0;
    snprintf(number, sizeof(number), "%u", id);
    for (; *frame && len + 12 < size; frame++) {
        if (frame[0] == '%') {
            len += (size_t)snprintf(out + len, size - len, "%s", number);
            frame++;
        } else {
            out[len++] = *frame;
        }
    }
    out[len] = '\0';
}

/* Sends n; false once the connection has failed. */
static bool send_many(struct fixture *f, const struct flood *flood, unsigned n, unsigned *id)
{
    char script[300];
    for (unsigned i = 0; i < n; i++) {
        *id += 2;
        print_frame(script, sizeof(script), flood->frame, *id);
        if (feed(f, script) != HF_OK) {
            return false;
        }
    }
    return true;
}

static void floods_end_the_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(floods); i++) {
        struct fixture f;
        unsigned id = 1;
        start(&f);
        f.side.answers = false;
        assert_true(!floods[i].before || feed(&f, floods[i].before) == HF_OK);
        assert_true(send_many(&f, &floods[i], floods[i].n_allowed, &id));
        f.side.now_ms += 1000; /* a new interval */
        assert_true(send_many(&f, &floods[i], 10, &id));
        f.side.now_ms += 999;
        assert_false(send_many(&f, &floods[i], 1, &id));
        assert_int_equal(hf_h2_fault(f.side.h2).code, HF_H2_ENHANCE_YOUR_CALM);
        assert_string_equal(hf_h2_fault(f.side.h2).text, floods[i].text);
        assert_false(hf_h2_fault(f.side.h2).by_peer);
        stop(&f);
    }
}

/* Who gets answers may ping and open windows, as bandwidth probes do. */
static void what_we_send_earns_pings_and_windows(void **state)
{
    struct fixture f;
    char script[300];
    (void)state;
    start(&f);
    for (unsigned id = 1; id < 200; id += 2) {
        print_frame(script, sizeof(script),
                    "headers %u eh :method=GET :scheme=https :path=/ :authority=a\n"
                    "ping 0 - 01234567\nwindow 0 - 2",
                    id);
        assert_int_equal(feed(&f, script), HF_OK);
    }
    assert_int_equal(f.side.n_closed, 100);
    stop(&f);
}

static void continuations_are_counted(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    f.side.config.limits.n_continuations_max = 3;
    assert_int_equal(feed(&f, "headers 1 e :method=GET\ncontinuation 1 - a=b\n"
                              "continuation 1 - a=b\ncontinuation 1 - a=b"),
                     HF_OK);
    assert_int_equal(feed(&f, "continuation 1 -"), HF_E_PEER);
    assert_string_equal(hf_h2_fault(f.side.h2).text, "too many CONTINUATION frames");
    stop(&f);
}

/* A large entry of the table, named again and again: an answer of 431, and then the end. */
static void a_compression_bomb_is_defused(void **state)
{
    static char script[40000];
    struct fixture f;
    (void)state;
    start(&f);
    f.side.config.limits.head_max = 16 << 10;
    f.side.quiet = false;
    strcpy(script, "headers 1 eh :method=GET :scheme=https :path=/ :authority=a #400162"); /* b: */
    strcat(script, "7fa11e"); /* 4000 bytes */
    for (unsigned i = 0; i < 4000; i++) {
        strcat(script, "78");
    }
    for (unsigned i = 0; i < 4; i++) {
        strcat(script, "be");
    }
    assert_int_equal(feed(&f, script), HF_OK);
    h2_expect_log(&f.side, "bad 1 head-too-large\nclose 1 no-error\n");
    strcpy(script, "headers 3 eh #");
    for (unsigned i = 0; i < 1000; i++) {
        strcat(script, "be");
    }
    assert_int_equal(feed(&f, script), HF_E_PEER);
    assert_string_equal(hf_h2_fault(f.side.h2).text, "a field section far beyond the limit");
    assert_int_equal(hf_h2_fault(f.side.h2).code, HF_H2_ENHANCE_YOUR_CALM);
    stop(&f);
}

static void too_many_settings_in_one_frame(void **state)
{
    struct fixture f;
    char script[1000] = "settings 0 -";
    (void)state;
    start(&f);
    for (unsigned i = 0; i < 33; i++) {
        strcat(script, " 3=1");
    }
    assert_int_equal(feed(&f, script), HF_E_PEER);
    assert_int_equal(hf_h2_fault(f.side.h2).code, HF_H2_ENHANCE_YOUR_CALM);
    stop(&f);
}

static void too_many_fields(void **state)
{
    struct fixture f;
    char script[2000] = "headers 1 eh :method=GET :scheme=https :path=/ :authority=a";
    (void)state;
    start(&f);
    f.side.quiet = false;
    for (unsigned i = 0; i < 97; i++) {
        strcat(script, " cookie=a");
    }
    assert_int_equal(feed(&f, script), HF_OK);
    h2_expect_log(&f.side, "bad 1 too-many-fields\nclose 1 no-error\n");
    stop(&f);
}

/* A client that sends and never reads: what waits for it is bounded, as long as we stop feeding
 * when we are told to. */
static void answers_that_nobody_reads_stay_bounded(void **state)
{
    struct fixture f;
    unsigned n = 0;
    (void)state;
    start(&f);
    f.side.config.limits.n_pings_max = UINT32_MAX;
    hf_buf_reset(&f.in);
    h2_write_script(&f.in, "ping 0 - 01234567");
    while (hf_h2_wants_read(f.side.h2)) {
        assert_int_equal(hf_h2_feed(f.side.h2, hf_buf_bytes(&f.in), 0), HF_OK);
        assert_true(++n < 5000);
    }
    assert_in_range(n, 3000, 4500);
    h2_flush(&f.side, 40000);
    assert_true(hf_h2_wants_read(f.side.h2));
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floods_end_the_connection),
        cmocka_unit_test(what_we_send_earns_pings_and_windows),
        cmocka_unit_test(continuations_are_counted),
        cmocka_unit_test(a_compression_bomb_is_defused),
        cmocka_unit_test(too_many_settings_in_one_frame),
        cmocka_unit_test(too_many_fields),
        cmocka_unit_test(answers_that_nobody_reads_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
