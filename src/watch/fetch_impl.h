// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_FETCH_IMPL_H
#define HF_WATCH_FETCH_IMPL_H

/* The inside of fetch.c and fetch_url.c. */

#include "watch/fetch.h"

/* struct hf_fetch_url is where a URL leads to. The texts are libcurl's. */
struct hf_fetch_url {
    char *scheme;
    char *host; /* IPv6 with brackets */
    uint16_t port;
};

void hf_fetch_url_done(struct hf_fetch_url *url);
enum hf_err hf_fetch_url_parse(const char *text, bool allow_plain,
                               struct hf_fetch_url *out) HF_MUST_CHECK;
bool hf_fetch_url_same_place(const struct hf_fetch_url *a, const struct hf_fetch_url *b);

#endif
