// SPDX-License-Identifier: Apache-2.0
/*
 * What routes are matched by. The lines: two path patterns, a path, a query, the name of a
 * parameter, a pattern of its value, the target of a redirect, a host pattern, a host.
 *
 * What a pattern covers it matches; what stands before a subtree is part of the path; a rewritten
 * path is a path; a redirect leads to no host that its target doesn't name.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/glob.h"
#include "policy/hosts.h"
#include "policy/params.h"
#include "policy/rewrite.h"

enum { LINE_MAX_LEN = 600, BUF_MAX = 1 << 16 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* The line as a string of its own, without its zero bytes. */
static void take_line(struct hf_bytes *rest, char out[static LINE_MAX_LEN + 1])
{
    size_t n = 0;
    size_t used = 0;
    while (used < rest->len && rest->ptr[used] != '\n') {
        uint8_t byte = rest->ptr[used++];
        if (byte != '\0' && n < LINE_MAX_LEN) {
            out[n++] = (char)byte;
        }
    }
    out[n] = '\0';
    *rest = hf_bytes_from(*rest, used + 1);
}

static void try_rewrite(struct hf_bytes path, size_t len)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(BUF_MAX);
    need(len == HF_PATH_WHOLE || len <= path.len);
    need(hf_rewrite_path(hf_bytes_str("/x/"), path, len, &out) == HF_OK);
    need(hf_buf_len(&out) && hf_buf_bytes(&out).ptr[0] == '/');
}

static void try_paths(const char *first, const char *second, const char *text)
{
    struct hf_path_pattern a;
    struct hf_path_pattern b = {0};
    struct hf_bytes path = hf_bytes_str(text);
    size_t len_a = 0;
    size_t len_b = 0;
    bool good_a = hf_path_pattern_init(&a, hf_bytes_str(first)) == HF_OK;
    bool good_b = hf_path_pattern_init(&b, hf_bytes_str(second)) == HF_OK;
    bool by_a = good_a && hf_path_pattern_match(&a, path, &len_a);
    bool by_b = good_b && hf_path_pattern_match(&b, path, &len_b);
    if (by_a) {
        try_rewrite(path, len_a);
    }
    if (by_b && good_a && hf_path_pattern_covers(&a, &b)) {
        need(by_a);
    }
    if (good_a && !a.stars && !strchr(first, '\\')) {
        need(hf_path_pattern_match(&a, hf_bytes_str(first), &len_a));
    }
    hf_path_pattern_done(&a);
    hf_path_pattern_done(&b);
}

static void try_params(const char *query, const char *name, const char *value)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pattern = HF_BUF_INIT(BUF_MAX);
    uint8_t star = HF_GLOB_STAR;
    if (hf_glob_compile(hf_bytes_str(value), &pattern) == HF_OK &&
        hf_params_match(hf_bytes_str(query), hf_bytes_str(name), hf_buf_bytes(&pattern))) {
        need(hf_params_match(hf_bytes_str(query), hf_bytes_str(name), hf_bytes_of(&star, 1)));
    }
}

static void try_location(const char *target, const char *path, const char *query)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(BUF_MAX);
    struct hf_bytes to = hf_bytes_str(target);
    const struct hf_request request = {.host = hf_bytes_str("h.example"),
                                       .path = hf_bytes_str(path[0] == '/' ? path : "/"),
                                       .query = hf_bytes_str(query)};
    if (hf_location_check(to) != HF_OK) {
        return;
    }
    enum hf_err err = hf_location_make(to, &request, &out);
    need(err == HF_OK || err == HF_E_TOO_LARGE);
    struct hf_bytes made = hf_buf_bytes(&out);
    need(made.len < 2 || made.ptr[0] != '/' || made.ptr[1] != '/');
}

static void try_hosts(const char *pattern, const char *host)
{
    struct hf_hosts hosts = {0};
    need(hf_hosts_put(&hosts, pattern, &hosts) == HF_OK);
    void *found = hf_hosts_get(&hosts, hf_bytes_str(host));
    bool lower = !strpbrk(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strlen(host) <= HF_HOSTS_NAME_MAX;
    if (lower && *host && host[strlen(host) - 1] != '.' && hf_hosts_covers(pattern, host)) {
        need(found == &hosts);
    }
    hf_hosts_done(&hosts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char line[9][LINE_MAX_LEN + 1];
    struct hf_bytes rest = hf_bytes_of(data, size);
    for (size_t i = 0; i < HF_N_ELEMENTS(line); i++) {
        take_line(&rest, line[i]);
    }
    try_paths(line[0], line[1], line[2]);
    try_params(line[3], line[4], line[5]);
    try_location(line[6], line[2], line[3]);
    try_hosts(line[7], line[8]);
    return 0;
}
