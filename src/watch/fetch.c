// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl's multi interface under our loop: its sockets are watches, its timer is ours, and each
 * event goes to curl_multi_socket_action. One fetch is one easy handle:
 *
 *     start -> resolve the host -> add to the multi -> done -> (same place? again, at most 3) -> fn
 *
 * Names are resolved here and pinned (CURLOPT_RESOLVE). libcurl's own resolver is a thread that it
 * joins when a fetch is cancelled: the loop would stand still for as long as DNS does.
 */
#include "watch/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "http/chars.h"
#include "watch/fetch_impl.h"

enum { REDIRECTS_MAX = 3, FIELD_MAX = 256, URL_MAX = 4096, PINS_MAX = 8 };

struct hf_fetcher {
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    CURLM *multi;
    struct hf_timer timer;
    struct hf_link fetches;
};

/* One of libcurl's sockets. */
struct sock {
    struct hf_watch watch;
    struct hf_fetcher *fetcher;
    struct hf_task free_task;
};

struct hf_fetch {
    struct hf_link link;
    struct hf_fetcher *fetcher;
    struct hf_fetch_url place;
    struct hf_resolve *resolving;
    CURL *easy;
    bool running; /* the multi has it */
    struct curl_slist *headers;
    struct curl_slist *pins;
    struct hf_buf post;
    struct hf_buf body;
    char *url;
    bool allow_plain;
    bool too_large;
    bool conditional; /* asked for what has changed */
    unsigned n_redirects;
    char etag[FIELD_MAX];
    char last_modified[FIELD_MAX];
    int64_t fresh_s;
    size_t max_bytes;
    size_t n_body;
    hf_fetch_sink_fn *sink;
    enum hf_err sink_err;
    char sink_words[HF_ERR_TEXT_MAX];
    hf_fetch_fn *fn;
    void *ctx;
    char words[CURL_ERROR_SIZE];
};

/* --- Ends --------------------------------------------------------------------------------------
 */

static void stop(struct hf_fetch *fetch)
{
    if (fetch->running) {
        curl_multi_remove_handle(fetch->fetcher->multi, fetch->easy);
        fetch->running = false;
    }
}

static void fetch_free(struct hf_fetch *fetch)
{
    hf_link_remove(&fetch->link);
    if (fetch->resolving) {
        hf_resolve_cancel(fetch->resolving);
    }
    stop(fetch);
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    curl_slist_free_all(fetch->pins);
    hf_fetch_url_done(&fetch->place);
    hf_buf_done(&fetch->post);
    hf_buf_done(&fetch->body);
    hf_free(fetch->url);
    hf_free(fetch);
}

static void fetch_freep(struct hf_fetch **fetch)
{
    if (*fetch) {
        fetch_free(*fetch);
    }
}

void hf_fetch_cancel(struct hf_fetch *fetch)
{
    if (fetch) {
        fetch_free(fetch);
    }
}

/* Tells the asker, who may start others from within. */
static void finish(struct hf_fetch *fetch, enum hf_err err)
{
    struct hf_fetch_answer answer = {
        .body = hf_buf_bytes(&fetch->body),
        .etag = fetch->etag[0] ? fetch->etag : NULL,
        .last_modified = fetch->last_modified[0] ? fetch->last_modified : NULL,
        .fresh_s = fetch->fresh_s,
    };
    long status = 0;
    stop(fetch);
    hf_link_remove(&fetch->link);
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.unchanged = status == 304;
    fetch->fn(fetch->ctx, err, err == HF_OK ? &answer : NULL);
    fetch_free(fetch);
}

/* --- What comes --------------------------------------------------------------------------------
 */

static bool is_good(const struct hf_fetch *fetch)
{
    long status = 0;
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

/* The sink's own words are kept: libcurl has none for it. */
static enum hf_err sink(struct hf_fetch *fetch, struct hf_bytes piece)
{
    enum hf_err err = is_good(fetch) ? fetch->sink(fetch->ctx, piece) : HF_OK;
    if (err != HF_OK) {
        fetch->sink_err = err;
        snprintf(fetch->sink_words, sizeof(fetch->sink_words), "%s", hf_err_text());
    }
    return err;
}

static size_t on_body(char *ptr, size_t size, size_t n, void *ctx)
{
    struct hf_fetch *fetch = ctx;
    struct hf_bytes piece = hf_bytes_of(ptr, size * n);
    fetch->too_large = piece.len > fetch->max_bytes - fetch->n_body;
    if (fetch->too_large) {
        return 0;
    }
    fetch->n_body += piece.len;
    enum hf_err err = fetch->sink ? sink(fetch, piece) : hf_buf_append(&fetch->body, piece);
    return err == HF_OK ? piece.len : 0;
}

static void keep_field(struct hf_bytes value, char *out)
{
    out[0] = '\0';
    if (value.len < FIELD_MAX && hf_http_value_span(value) == value.len) {
        memcpy(out, value.ptr, value.len);
        out[value.len] = '\0';
    }
}

static void read_cache_control(struct hf_fetch *fetch, struct hf_bytes value)
{
    static const char max_age[] = "max-age=";
    struct hf_bytes element;
    while (hf_http_list_next(&value, &element)) {
        char text[32];
        snprintf(text, sizeof(text), "%.*s", (int)(element.len < 31 ? element.len : 31),
                 (const char *)element.ptr);
        if (fetch->fresh_s != 0 && strncasecmp(text, max_age, strlen(max_age)) == 0) {
            long long seconds = strtoll(text + strlen(max_age), NULL, 10);
            fetch->fresh_s = seconds < 0 ? 0 : seconds;
        } else if (strcasecmp(text, "no-cache") == 0 || strcasecmp(text, "no-store") == 0) {
            fetch->fresh_s = 0;
            return;
        }
    }
}

static size_t on_field(char *ptr, size_t size, size_t n, void *ctx)
{
    struct hf_fetch *fetch = ctx;
    struct hf_bytes line = hf_bytes_of(ptr, size * n);
    const uint8_t *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
    while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r')) {
        line.len--;
    }
    if (line.len > 5 && memcmp(line.ptr, "HTTP/", 5) == 0) { /* another head: forget the last */
        fetch->etag[0] = fetch->last_modified[0] = '\0';
        fetch->fresh_s = -1;
    } else if (colon) {
        struct hf_bytes name = hf_bytes_of(line.ptr, (size_t)(colon - line.ptr));
        struct hf_bytes value = hf_http_trim(hf_bytes_from(line, name.len + 1));
        if (hf_http_eq_str(name, "etag")) {
            keep_field(value, fetch->etag);
        } else if (hf_http_eq_str(name, "last-modified")) {
            keep_field(value, fetch->last_modified);
        } else if (hf_http_eq_str(name, "cache-control")) {
            read_cache_control(fetch, value);
        }
    }
    return size * n;
}

/* --- Outcome -----------------------------------------------------------------------------------
 */

static enum hf_err err_of(const struct hf_fetch *fetch, CURLcode code)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return HF_E_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return HF_E_DENIED;
    case CURLE_WRITE_ERROR:
        return fetch->too_large ? HF_E_TOO_LARGE : HF_E_NOMEM;
    case CURLE_FILESIZE_EXCEEDED:
        return HF_E_TOO_LARGE;
    case CURLE_OUT_OF_MEMORY:
        return HF_E_NOMEM;
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return HF_E_IO;
    default:
        return HF_E_PEER;
    }
}

static enum hf_err explain(struct hf_fetch *fetch, CURLcode code)
{
    enum hf_err err = err_of(fetch, code);
    if (fetch->sink_err != HF_OK) {
        return hf_fail(fetch->sink_err, "%s", fetch->sink_words);
    }
    if (err == HF_E_TOO_LARGE) {
        return hf_fail(err, "%s: the answer is larger than %zu bytes", fetch->url,
                       fetch->max_bytes);
    }
    return hf_fail(err, "%s: %s", fetch->url,
                   fetch->words[0] ? fetch->words : curl_easy_strerror(code));
}

/* Goes where the server points to, when that is the same place. */
static enum hf_err redirect(struct hf_fetch *fetch)
{
    char *to = NULL;
    HF_CLEANUP(hf_fetch_url_done) struct hf_fetch_url place = {0};
    curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to || fetch->n_redirects++ == REDIRECTS_MAX) {
        return hf_fail(HF_E_PEER, "%s: %s", fetch->url,
                       to ? "redirected too often" : "redirected to nowhere");
    }
    if (hf_fetch_url_parse(to, fetch->allow_plain, &place) != HF_OK ||
        !hf_fetch_url_same_place(&place, &fetch->place)) {
        return hf_fail(HF_E_PEER,
                       "%s: redirected to %.200s, which is another place; configure the URL that "
                       "is meant",
                       fetch->url, to);
    }
    bool set = curl_easy_setopt(fetch->easy, CURLOPT_URL, to) == CURLE_OK;
    stop(fetch);
    hf_buf_reset(&fetch->body);
    fetch->n_body = 0;
    fetch->running = set && curl_multi_add_handle(fetch->fetcher->multi, fetch->easy) == CURLM_OK;
    return fetch->running ? HF_OK : hf_fail(HF_E_NOMEM, "%s: out of memory", fetch->url);
}

static void conclude(struct hf_fetch *fetch, CURLcode code)
{
    long status = 0;
    enum hf_err err = HF_OK;
    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        err = explain(fetch, code);
    } else if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) {
        err = fetch->post.cap ? hf_fail(HF_E_PEER, "%s: redirected", fetch->url) : redirect(fetch);
        if (err == HF_OK) {
            return;
        }
    } else if (status != 200 && !(status == 304 && fetch->conditional)) {
        err = hf_fail(HF_E_PEER, "%s: the server answered %ld", fetch->url, status);
    }
    finish(fetch, err);
}

static void conclude_all(struct hf_fetcher *fetcher)
{
    CURLMsg *message;
    int n_left;
    while ((message = curl_multi_info_read(fetcher->multi, &n_left)) != NULL) {
        struct hf_fetch *fetch = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)(void *)&fetch);
        if (message->msg == CURLMSG_DONE) {
            conclude(fetch, message->data.result);
        }
    }
}

/* --- Under the loop ----------------------------------------------------------------------------
 */

static void act(struct hf_fetcher *fetcher, curl_socket_t fd, int events)
{
    int n_running;
    curl_multi_socket_action(fetcher->multi, fd, events, &n_running);
    conclude_all(fetcher);
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct sock *sock = HF_CONTAINER_OF(watch, struct sock, watch);
    int bits = (events & HF_LOOP_READ ? CURL_CSELECT_IN : 0) |
               (events & HF_LOOP_WRITE ? CURL_CSELECT_OUT : 0) |
               (events & HF_LOOP_HANGUP ? CURL_CSELECT_ERR : 0);
    act(sock->fetcher, watch->fd, bits);
}

static void on_due(struct hf_timer *timer)
{
    act(HF_CONTAINER_OF(timer, struct hf_fetcher, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long delay_ms, void *ctx)
{
    struct hf_fetcher *fetcher = ctx;
    (void)multi;
    if (delay_ms < 0) {
        hf_timer_cancel(&fetcher->timer);
    } else {
        hf_timer_set(fetcher->loop, &fetcher->timer, delay_ms);
    }
    return 0;
}

static void free_sock(struct hf_task *task)
{
    hf_free(HF_CONTAINER_OF(task, struct sock, free_task));
}

static int forget_socket(struct hf_fetcher *fetcher, curl_socket_t fd, struct sock *sock)
{
    if (sock) {
        hf_watch_remove(fetcher->loop, &sock->watch);
        sock->free_task.run = free_sock;
        hf_loop_defer(fetcher->loop, &sock->free_task);
        curl_multi_assign(fetcher->multi, fd, NULL);
    }
    return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct hf_fetcher *fetcher = ctx;
    struct sock *sock = socket_ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        return forget_socket(fetcher, fd, sock);
    }
    unsigned wanted =
        (what & CURL_POLL_IN ? HF_LOOP_READ : 0u) | (what & CURL_POLL_OUT ? HF_LOOP_WRITE : 0u);
    if (sock) {
        hf_watch_want(fetcher->loop, &sock->watch, wanted);
        return 0;
    }
    sock = HF_NEW(struct sock);
    if (!sock) {
        return -1;
    }
    sock->fetcher = fetcher;
    sock->watch = (struct hf_watch){.fd = fd, .wanted = wanted, .on_event = on_event};
    if (hf_watch_add(fetcher->loop, &sock->watch) != HF_OK) {
        hf_free(sock);
        return -1;
    }
    curl_multi_assign(fetcher->multi, fd, sock);
    return 0;
}

static void init_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum hf_err hf_fetcher_new(struct hf_loop *loop, struct hf_fetcher **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    pthread_once(&once, init_library);
    struct hf_fetcher *fetcher = HF_NEW(struct hf_fetcher);
    if (!fetcher) {
        return HF_E_NOMEM;
    }
    fetcher->loop = loop;
    fetcher->timer.on_due = on_due;
    hf_list_init(&fetcher->fetches);
    fetcher->multi = curl_multi_init();
    enum hf_err err = fetcher->multi ? hf_resolver_new(loop, NULL, &fetcher->resolver)
                                     : hf_fail(HF_E_NOMEM, "out of memory");
    if (err != HF_OK) {
        hf_fetcher_free(fetcher);
        return err;
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    *out = fetcher;
    return HF_OK;
}

void hf_fetcher_free(struct hf_fetcher *fetcher)
{
    if (!fetcher) {
        return;
    }
    HF_LIST_FOREACH (&fetcher->fetches, link) {
        fetch_free(HF_CONTAINER_OF(link, struct hf_fetch, link));
    }
    if (fetcher->multi) {
        curl_multi_cleanup(fetcher->multi);
    }
    hf_timer_cancel(&fetcher->timer);
    hf_resolver_free(fetcher->resolver);
    hf_free(fetcher);
}

/* --- Asking ------------------------------------------------------------------------------------
 */

static bool add_header(struct hf_fetch *fetch, const char *name, const char *value)
{
    char line[FIELD_MAX + 64];
    if (!value) {
        return true;
    }
    snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *list = curl_slist_append(fetch->headers, line);
    fetch->headers = list ? list : fetch->headers;
    return list != NULL;
}

static bool set_headers(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    return add_header(fetch, "If-None-Match", ask->etag) &&
           add_header(fetch, "If-Modified-Since", ask->last_modified) &&
           add_header(fetch, "Accept", ask->accept) &&
           add_header(fetch, "Content-Type", ask->post_type) &&
           curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK;
}

static bool set_trust(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    if (ask->roots_pem.len == 0) {
        return true;
    }
    struct curl_blob blob = {(void *)(uintptr_t)ask->roots_pem.ptr, ask->roots_pem.len,
                             CURL_BLOB_COPY};
    return curl_easy_setopt(fetch->easy, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
           curl_easy_setopt(fetch->easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

static bool set_identity(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    if (ask->cert_pem.len == 0) {
        return true;
    }
    struct curl_blob cert = {(void *)(uintptr_t)ask->cert_pem.ptr, ask->cert_pem.len,
                             CURL_BLOB_COPY};
    struct curl_blob key = {(void *)(uintptr_t)ask->key_pem.ptr, ask->key_pem.len, CURL_BLOB_COPY};
    return curl_easy_setopt(fetch->easy, CURLOPT_SSLCERT_BLOB, &cert) == CURLE_OK &&
           curl_easy_setopt(fetch->easy, CURLOPT_SSLKEY_BLOB, &key) == CURLE_OK;
}

static bool set_post(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    if (!ask->post_type) {
        return true;
    }
    fetch->post = HF_BUF_INIT(ask->post.len + 1);
    struct hf_bytes bytes = hf_buf_append(&fetch->post, ask->post) == HF_OK
                                ? hf_buf_bytes(&fetch->post)
                                : hf_bytes_of(NULL, 0);
    return bytes.len == ask->post.len &&
           curl_easy_setopt(fetch->easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(fetch->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.len) ==
               CURLE_OK &&
           curl_easy_setopt(fetch->easy, CURLOPT_POSTFIELDS, (const char *)bytes.ptr) == CURLE_OK;
}

static bool set_limits(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    const struct {
        CURLoption option;
        long value;
    } longs[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_FORBID_REUSE, 1},
        {CURLOPT_SSL_VERIFYPEER, 1},
        {CURLOPT_SSL_VERIFYHOST, 2},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_MAXFILESIZE, (long)ask->max_bytes},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    };
    bool good = true;
    for (size_t i = 0; i < HF_N_ELEMENTS(longs); i++) {
        good = good && curl_easy_setopt(fetch->easy, longs[i].option, longs[i].value) == CURLE_OK;
    }
    return good;
}

static bool set_up(struct hf_fetch *fetch, const struct hf_fetch_ask *ask)
{
    CURL *easy = fetch->easy;
    return easy && curl_easy_setopt(easy, CURLOPT_URL, ask->url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                            ask->allow_plain ? "https,http" : "https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_USERAGENT, "handfast/" HF_VERSION) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->words) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_field) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch) == CURLE_OK &&
           set_limits(fetch, ask) && set_trust(fetch, ask) && set_identity(fetch, ask) &&
           set_post(fetch, ask) && set_headers(fetch, ask);
}

/* "host:port:address,address" */
static bool pin(struct hf_fetch *fetch, const struct hf_addr *addrs, size_t n)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    bool good =
        hf_buf_printf(&text, "%s:%u:", fetch->place.host, (unsigned)fetch->place.port) == HF_OK;
    for (size_t i = 0; i < n && i < PINS_MAX; i++) {
        char host[HF_ADDR_TEXT_SIZE];
        bool v6 = addrs[i].sa.sa_family == AF_INET6;
        hf_addr_format_ip(&addrs[i], host);
        good = good && hf_buf_printf(&text, "%s%s%s%s", i ? "," : "", v6 ? "[" : "", host,
                                     v6 ? "]" : "") == HF_OK;
    }
    const char *line = good ? hf_buf_cstr(&text) : NULL;
    fetch->pins = line ? curl_slist_append(NULL, line) : NULL;
    return fetch->pins && curl_easy_setopt(fetch->easy, CURLOPT_RESOLVE, fetch->pins) == CURLE_OK;
}

static void on_resolved(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct hf_fetch *fetch = ctx;
    fetch->resolving = NULL;
    if (err == HF_OK && !pin(fetch, addrs, n)) {
        err = hf_fail(HF_E_NOMEM, "out of memory");
    }
    if (err == HF_OK) {
        fetch->running = curl_multi_add_handle(fetch->fetcher->multi, fetch->easy) == CURLM_OK;
        err = fetch->running ? HF_OK : hf_fail(HF_E_NOMEM, "out of memory");
    }
    if (err != HF_OK) {
        finish(fetch, hf_fail_context(err, "%s", fetch->url));
    }
}

static enum hf_err prepare(struct hf_fetcher *fetcher, const struct hf_fetch_ask *ask,
                           struct hf_fetch *fetch)
{
    *fetch = (struct hf_fetch){.fetcher = fetcher,
                               .allow_plain = ask->allow_plain,
                               .conditional = ask->etag || ask->last_modified,
                               .fresh_s = -1,
                               .max_bytes = ask->max_bytes,
                               .sink = ask->sink,
                               .body = HF_BUF_INIT(ask->max_bytes)};
    if (strlen(ask->url) > URL_MAX) {
        return hf_fail(HF_E_INVALID, "the URL is longer than %d bytes", URL_MAX);
    }
    HF_TRY(hf_fetch_url_parse(ask->url, ask->allow_plain, &fetch->place));
    fetch->url = hf_strdup(ask->url);
    fetch->easy = curl_easy_init();
    return fetch->url && set_up(fetch, ask) ? HF_OK : hf_fail(HF_E_NOMEM, "out of memory");
}

enum hf_err hf_fetch_start(struct hf_fetcher *fetcher, const struct hf_fetch_ask *ask,
                           hf_fetch_fn *fn, void *ctx, struct hf_fetch **out)
{
    *out = NULL;
    HF_CLEANUP(fetch_freep) struct hf_fetch *fetch = HF_NEW(struct hf_fetch);
    if (!fetch) {
        return HF_E_NOMEM;
    }
    HF_TRY(prepare(fetcher, ask, fetch));
    fetch->fn = fn;
    fetch->ctx = ctx;
    struct hf_fetch_url *place = &fetch->place;
    struct hf_addr addr;
    if (place->host[0] == '[' || hf_addr_parse_ip(place->host, 0, &addr) == HF_OK) {
        fetch->running = curl_multi_add_handle(fetcher->multi, fetch->easy) == CURLM_OK;
        if (!fetch->running) {
            return hf_fail(HF_E_NOMEM, "%s: out of memory", ask->url);
        }
    } else {
        HF_TRY(hf_resolve(fetcher->resolver, place->host, place->port, on_resolved, fetch,
                          &fetch->resolving));
    }
    hf_list_push(&fetcher->fetches, &fetch->link);
    *out = HF_TAKE(fetch);
    return HF_OK;
}
