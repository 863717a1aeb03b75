// SPDX-License-Identifier: Apache-2.0
/* The keys of a listener's `http`: limits and what is done with paths. */
#include "config/keys_impl.h"

#define KIB INT64_C(1024)
#define GIB (KIB * KIB * KIB)

static const struct hf_word dot_words[] = {
    {"resolve", HF_PATH_RESOLVE}, {"refuse", HF_PATH_REFUSE}, {NULL, 0}};
static const struct hf_word encoded_words[] = {
    {"refuse", HF_PATH_REFUSE}, {"keep", HF_PATH_KEEP}, {NULL, 0}};
static const struct hf_word double_words[] = {
    {"merge", HF_PATH_RESOLVE}, {"refuse", HF_PATH_REFUSE}, {"keep", HF_PATH_KEEP}, {NULL, 0}};

static const struct hf_key paths_keys[] = {
    {.name = "dot-segments",
     .kind = HF_KIND_ENUM,
     .words = dot_words,
     .standard = "resolve",
     .doc = "What becomes of `.` and `..` as segments of a path, encoded or not: `resolve` takes "
            "them out as RFC 3986 says, `refuse` answers 400.",
     .example = "refuse",
     HF_KEY_FIELD(hf_http_path_rules, dots)},
    {.name = "encoded-slashes",
     .kind = HF_KIND_ENUM,
     .words = encoded_words,
     .standard = "refuse",
     .doc = "What becomes of `%2F`, `%5C` and a bare backslash, which some backends read as a "
            "slash and others don't: `refuse` answers 400, `keep` passes them on, as part of a "
            "segment.",
     .example = "keep",
     HF_KEY_FIELD(hf_http_path_rules, encoded_slashes)},
    {.name = "double-slashes",
     .kind = HF_KIND_ENUM,
     .words = double_words,
     .standard = "merge",
     .doc = "What becomes of `//` in a path: `merge` makes it one slash, `refuse` answers 400, "
            "`keep` leaves it as an empty segment.",
     .example = "refuse",
     HF_KEY_FIELD(hf_http_path_rules, double_slashes)},
};

static const struct hf_section section_paths = {
    .noun = "paths",
    .doc = "How paths are brought into the one form that routes match and backends get. "
           "Percent-encoding of letters, digits and `-._~` is always taken away.",
    .size = sizeof(struct hf_http_path_rules),
    HF_SECTION_KEYS(paths_keys)};

static const struct hf_key h2_keys[] = {
    {.name = "max-streams",
     .kind = HF_KIND_UINT,
     .min = 1,
     .max = 10000,
     .standard = "100",
     .doc = "How many requests one connection may have open at a time.",
     .example = "250",
     HF_KEY_FIELD(hf_cfg_h2, max_streams)},
    {.name = "stream-window",
     .kind = HF_KIND_SIZE,
     .min = 16 * KIB,
     .max = 16 * KIB * KIB,
     .standard = "64KiB",
     .doc = "How many bytes of a request's body may wait here for the backend.",
     .example = "256KiB",
     HF_KEY_FIELD(hf_cfg_h2, stream_window)},
};

static const struct hf_section section_h2 = {.noun = "h2",
                                             .doc = "What is special to HTTP/2.",
                                             .size = sizeof(struct hf_cfg_h2),
                                             HF_SECTION_KEYS(h2_keys)};

static const struct hf_key http_keys[] = {
    {.name = "max-header-size",
     .kind = HF_KIND_SIZE,
     .min = KIB,
     .max = 256 * KIB,
     .standard = "32KiB",
     .doc = "The largest request head; more is answered 431.",
     .example = "64KiB",
     HF_KEY_FIELD(hf_cfg_http, max_header_size)},
    {.name = "max-headers",
     .kind = HF_KIND_UINT,
     .min = 1,
     .max = 1000,
     .standard = "100",
     .doc = "The most header fields of a request; more is answered 431.",
     .example = "200",
     HF_KEY_FIELD(hf_cfg_http, max_headers)},
    {.name = "max-body",
     .kind = HF_KIND_SIZE,
     .min = 0,
     .max = INT64_MAX / 2,
     .standard = "0",
     .doc = "The largest request body; more is answered 413. Bodies are passed on as they come "
            "and don't take memory; `0`: no limit.",
     .example = "10MiB",
     HF_KEY_FIELD(hf_cfg_http, max_body)},
    {.name = "header-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * HF_MINUTE_MS,
     .standard = "10s",
     .doc = "How long a client may take for a request's head, from its first byte.",
     .example = "5s",
     HF_KEY_FIELD(hf_cfg_http, header_timeout_ms)},
    {.name = "body-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = HF_DAY_MS,
     .standard = "30s",
     .doc = "How long a client may be silent within a request's body that we wait for.",
     .example = "1m",
     HF_KEY_FIELD(hf_cfg_http, body_timeout_ms)},
    {.name = "keep-alive-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 7 * HF_DAY_MS,
     .standard = "75s",
     .doc = "How long a connection may be without a request before it is closed.",
     .example = "5m",
     HF_KEY_FIELD(hf_cfg_http, keep_alive_timeout_ms)},
    {.name = "keep-alive-requests",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 1000000000,
     .standard = "0",
     .doc = "How many requests a connection may carry before it is closed; `0`: no limit.",
     .example = "10000",
     HF_KEY_FIELD(hf_cfg_http, keep_alive_requests)},
    {.name = "paths",
     .kind = HF_KIND_SECTION,
     .section = &section_paths,
     .doc = "How paths are brought into one form.",
     HF_KEY_FIELD(hf_cfg_http, paths)},
    {.name = "h2",
     .kind = HF_KIND_SECTION,
     .section = &section_h2,
     .doc = "What is special to HTTP/2.",
     HF_KEY_FIELD(hf_cfg_http, h2)},
};

const struct hf_section hf_section_http = {
    .noun = "http",
    .doc = "Limits on requests. They bound what a client can make us hold or wait for.",
    .size = sizeof(struct hf_cfg_http),
    HF_SECTION_KEYS(http_keys)};
