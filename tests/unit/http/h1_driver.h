// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_H1_DRIVER_H
#define HF_TESTS_H1_DRIVER_H

/*
 * Runs a stream of bytes through the HTTP/1.1 reader and writes down what it saw, one item a line:
 *
 *     GET /a?b HTTP/1.1 host=example.com keep length=5
 *     body=hello
 *     x: trailer
 *     end
 *     fault=bare-lf
 *
 * h1_expect does so for the whole, one byte at a time, and cut in two at every place; all must give
 * the text that is expected.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/h1.h"

struct h1_case {
    const char *name;
    const char *in;
    size_t in_len; /* 0: strlen */
    const char *expected;
};

struct h1_setup {
    enum hf_h1_role role;
    const struct hf_h1_limits *limits;
    enum hf_http_method asked; /* responses: to every one of them */
    bool asked_upgrade;
    bool fields; /* write every field down as well */
};

static inline void h1_say(struct hf_buf *out, const char *text)
{
    assert_int_equal(hf_buf_append_str(out, text), HF_OK);
}

static inline void h1_say_fields(struct hf_buf *out, const struct hf_h1 *h1, struct hf_bytes in)
{
    for (size_t i = 0; i < h1->n_fields; i++) {
        const struct hf_http_field *field = &h1->fields[i];
        assert_int_equal(hf_buf_append(out, hf_http_field_name(in, field)), HF_OK);
        h1_say(out, field->traits & HF_FIELD_HOP ? "(hop): " : ": ");
        assert_int_equal(hf_buf_append(out, hf_http_field_value(in, field)), HF_OK);
        h1_say(out, "\n");
    }
}

static inline void h1_say_head(struct hf_buf *out, const struct hf_h1 *h1, struct hf_bytes in)
{
    static const char *const framings[] = {"none", "length", "chunked", "until-close", "tunnel"};
    const struct hf_h1_head *head = &h1->head;
    if (h1->role == HF_H1_REQUESTS) {
        assert_int_equal(hf_buf_append(out, hf_http_slice_bytes(in, head->method_text)), HF_OK);
        h1_say(out, " ");
        assert_int_equal(hf_buf_append(out, hf_http_slice_bytes(in, head->target)), HF_OK);
        h1_say(out, " host=");
        assert_int_equal(hf_buf_append(out, hf_http_slice_bytes(in, head->authority)), HF_OK);
    } else {
        assert_int_equal(hf_buf_printf(out, "%u ", head->status), HF_OK);
        assert_int_equal(hf_buf_append(out, hf_http_slice_bytes(in, head->reason)), HF_OK);
    }
    assert_int_equal(hf_buf_printf(out, " 1.%u %s %s%s%s", head->minor,
                                   head->keep_alive ? "keep" : "close", framings[head->framing],
                                   head->expect_continue ? " expect" : "",
                                   head->upgrade ? " upgrade" : ""),
                     HF_OK);
    if (head->has_length) {
        assert_int_equal(hf_buf_printf(out, "=%llu", (unsigned long long)head->length), HF_OK);
    }
    h1_say(out, "\n");
}

enum { H1_FIELDS = 200 };

struct h1_run {
    const struct h1_setup *setup;
    struct hf_h1 h1;
    struct hf_http_field fields[H1_FIELDS];
    struct hf_buf in;
    struct hf_buf out;
    bool in_body;
    bool body_line;
    bool failed;
};

/* One call of the reader; false when it wants more input. */
static inline bool h1_step(struct h1_run *run)
{
    struct hf_bytes in = hf_buf_bytes(&run->in);
    size_t used = 0;
    struct hf_bytes data = {0};
    enum hf_h1_step step =
        run->in_body ? hf_h1_body(&run->h1, in, &used, &data) : hf_h1_head(&run->h1, in);
    if (run->body_line && step != HF_H1_DATA && step != HF_H1_MORE) {
        h1_say(&run->out, "\n");
        run->body_line = false;
    }
    switch (step) {
    case HF_H1_HEAD:
        h1_say_head(&run->out, &run->h1, in);
        if (run->setup->fields) {
            h1_say_fields(&run->out, &run->h1, in);
        }
        used = run->h1.head.len;
        run->in_body = true;
        break;
    case HF_H1_DATA:
        h1_say(&run->out, run->body_line ? "" : "body=");
        assert_true(data.len > 0);
        assert_int_equal(hf_buf_append(&run->out, data), HF_OK);
        run->body_line = true;
        break;
    case HF_H1_END:
        if (run->h1.head.framing == HF_H1_CHUNKED) {
            h1_say_fields(&run->out, &run->h1, in);
        }
        h1_say(&run->out, "end\n");
        run->in_body = false;
        hf_h1_next(&run->h1);
        hf_h1_expect(&run->h1, run->setup->asked, run->setup->asked_upgrade);
        assert_true(hf_h1_idle(&run->h1));
        break;
    case HF_H1_FAILED:
        run->failed = true;
        h1_say(&run->out, "fault=");
        h1_say(&run->out, hf_http_fault_code(run->h1.fault));
        h1_say(&run->out, "\n");
        break;
    case HF_H1_MORE:
        break;
    }
    hf_buf_consume(&run->in, used);
    return step != HF_H1_MORE && !run->failed;
}

static inline void h1_feed(struct h1_run *run, const char *bytes, size_t len)
{
    if (run->failed) {
        return;
    }
    assert_int_equal(hf_buf_append(&run->in, hf_bytes_of(bytes, len)), HF_OK);
    while (h1_step(run)) {
    }
}

static inline void h1_finish(struct h1_run *run)
{
    if (run->failed) {
        return;
    }
    bool idle = hf_h1_idle(&run->h1);
    enum hf_h1_step step = hf_h1_eof(&run->h1);
    h1_say(&run->out, run->body_line ? "\n" : "");
    if (step == HF_H1_FAILED) {
        h1_say(&run->out, "fault=");
        h1_say(&run->out, hf_http_fault_code(run->h1.fault));
        h1_say(&run->out, "\n");
    } else {
        assert_int_equal(step, HF_H1_END);
        h1_say(&run->out, idle ? "" : "end at close\n");
    }
}

static inline void h1_begin(struct h1_run *run, const struct h1_setup *setup)
{
    memset(run, 0, sizeof(*run));
    run->setup = setup;
    run->in = HF_BUF_INIT(4 << 20);
    run->out = HF_BUF_INIT(4 << 20);
    hf_h1_init(&run->h1, setup->role, setup->limits ? setup->limits : &hf_h1_limits_default,
               run->fields, H1_FIELDS);
    hf_h1_expect(&run->h1, setup->asked, setup->asked_upgrade);
}

static inline void h1_done(struct h1_run *run, const char *expected, const char *name, long cut)
{
    h1_finish(run);
    const char *text = hf_buf_cstr(&run->out);
    if (strcmp(text, expected) != 0) {
        print_error("case \"%s\", cut at %ld:\n--- expected\n%s--- got\n%s---\n", name, cut,
                    expected, text);
        fail();
    }
    hf_buf_done(&run->in);
    hf_buf_done(&run->out);
}

static inline void h1_expect_case(const struct h1_setup *setup, const struct h1_case *c)
{
    static struct h1_run run;
    size_t len = c->in_len ? c->in_len : strlen(c->in);
    for (size_t cut = 0; cut <= len && len < 3000; cut++) {
        h1_begin(&run, setup);
        h1_feed(&run, c->in, cut);
        h1_feed(&run, c->in + cut, len - cut);
        h1_done(&run, c->expected, c->name, (long)cut);
    }
    for (size_t step = 1; step <= len; step = step * 5 + 2) {
        h1_begin(&run, setup);
        for (size_t at = 0; at < len; at += step) {
            h1_feed(&run, c->in + at, len - at < step ? len - at : step);
        }
        h1_done(&run, c->expected, c->name, -(long)step);
    }
}

static inline void h1_expect_all(const struct h1_setup *setup, const struct h1_case *cases,
                                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h1_expect_case(setup, &cases[i]);
    }
}

#endif
