// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/fetch_impl.h"

void hf_fetch_url_done(struct hf_fetch_url *url)
{
    curl_free(url->scheme);
    curl_free(url->host);
    *url = (struct hf_fetch_url){0};
}

static enum hf_err take_parts(CURLU *parts, const char *text, struct hf_fetch_url *out)
{
    char *port = NULL;
    char *user = NULL;
    bool named = curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK;
    curl_free(user);
    if (named) {
        return hf_fail(HF_E_INVALID, "the URL holds a user name; URLs end up in logs");
    }
    if (curl_url_get(parts, CURLUPART_SCHEME, &out->scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &out->host, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        return hf_fail(HF_E_INVALID, "%s has not the parts of a URL", text);
    }
    out->port = (uint16_t)strtoul(port, NULL, 10);
    curl_free(port);
    return HF_OK;
}

enum hf_err hf_fetch_url_parse(const char *text, bool allow_plain, struct hf_fetch_url *out)
{
    HF_CLEANUP(hf_fetch_url_done) struct hf_fetch_url made = {0};
    CURLU *parts = curl_url();
    if (!parts) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    CURLUcode code = curl_url_set(parts, CURLUPART_URL, text, 0);
    enum hf_err err = code == CURLUE_OK ? take_parts(parts, text, &made)
                      : code == CURLUE_OUT_OF_MEMORY
                          ? hf_fail(HF_E_NOMEM, "out of memory")
                          : hf_fail(HF_E_INVALID, "%s is not a URL", text);
    curl_url_cleanup(parts);
    HF_TRY(err);
    bool secure = strcmp(made.scheme, "https") == 0;
    if (!secure && !(allow_plain && strcmp(made.scheme, "http") == 0)) {
        return hf_fail(HF_E_INVALID, "%s must begin with https://%s", text,
                       allow_plain ? " or http://" : "");
    }
    *out = made;
    made = (struct hf_fetch_url){0};
    return HF_OK;
}

bool hf_fetch_is_at(const char *url, const char *origin)
{
    HF_CLEANUP(hf_fetch_url_done) struct hf_fetch_url a = {0}, b = {0};
    return hf_fetch_url_parse(url, true, &a) == HF_OK &&
           hf_fetch_url_parse(origin, true, &b) == HF_OK && hf_fetch_url_same_place(&a, &b);
}

enum hf_err hf_fetch_check_url(const char *url, bool allow_plain)
{
    HF_CLEANUP(hf_fetch_url_done) struct hf_fetch_url parts = {0};
    return hf_fetch_url_parse(url, allow_plain, &parts);
}

bool hf_fetch_url_same_place(const struct hf_fetch_url *a, const struct hf_fetch_url *b)
{
    return strcmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
           a->port == b->port;
}
