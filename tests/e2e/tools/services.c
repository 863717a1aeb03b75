// SPDX-License-Identifier: Apache-2.0
/*
 * services HANDFAST run -c FILE: the daemon with services that only tests have.
 *
 * Every `service:` of the config leads to one service (as NAME/feed one that must answer within
 * half a second), whose paths are:
 *
 *     /echo      answers what it was shown, as "name: value" lines and the body
 *     /later     the same, from another thread
 *     /big/N     N bytes, the bytes of 0 to 250 over and over, from another thread
 *     /hold      answers when somebody asks for /release, or when the daemon drains
 *     /release   answers those that are held, and says how many and how many of them had gone
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/service.h"
#include "os/thread.h"
#include "proxy/daemon.h"

#define HELD_MAX   64
#define BIG_PERIOD 251

struct tests_service {
    struct hf_service service;
    struct hf_service hasty; /* the same, whose answers must come within half a second */
    struct hf_thread thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct hf_service_call *queue[HELD_MAX], *held[HELD_MAX];
    size_t n_queue, n_held;
    bool stop;
};

static struct tests_service shared = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                                      .wake = PTHREAD_COND_INITIALIZER};

static void must(enum hf_err err)
{
    if (err != HF_OK) {
        abort();
    }
}

static void put_header(struct hf_buf *out, const struct hf_service_call *call, const char *name)
{
    struct hf_bytes value;
    for (size_t i = 0; hf_service_header(call, name, i, &value); i++) {
        must(hf_buf_printf(out, "%s: %.*s\n", name, (int)value.len, (const char *)value.ptr));
    }
}

static void put(struct hf_buf *out, const char *name, struct hf_bytes value)
{
    must(hf_buf_printf(out, "%s: %.*s\n", name, (int)value.len, (const char *)value.ptr));
}

static void echo(struct hf_service_call *call)
{
    const struct hf_service_request *request = &call->request;
    struct hf_service_answer answer = {.status = 200, .content_type = "text/plain"};
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    put(&out, "method", request->method_text);
    put(&out, "host", request->host);
    put(&out, "path", request->path);
    put(&out, "full-path", request->full_path);
    put(&out, "raw-path", request->raw_path);
    put(&out, "query", request->query);
    put_header(&out, call, "x-test");
    must(hf_buf_printf(&out, "listener: %s\nplain: %d\nclient: %s\nverified: %d\npeer: %s\n",
                       request->listener, request->plain, request->client_address,
                       request->verified,
                       request->identity ? hf_identity_display(request->identity) : "-"));
    must(hf_buf_printf(&out, "chain: %u\n", request->chain ? request->chain->n_ders : 0));
    must(hf_buf_append_str(&out, "\n"));
    must(hf_buf_append(&out, request->body));
    if (hf_service_field(&answer, "x-answered", "%s", "yes") != HF_OK ||
        hf_service_body_buf(&answer, &out) != HF_OK) {
        abort();
    }
    hf_service_answer(call, &answer);
}

static void big(struct hf_service_call *call)
{
    size_t n = strtoul((const char *)call->request.path.ptr + strlen("/big/"), NULL, 10);
    struct hf_service_answer answer = {.status = 200, .content_type = "application/octet-stream"};
    uint8_t *bytes = malloc(n ? n : 1);
    if (!bytes) {
        abort();
    }
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(i % BIG_PERIOD);
    }
    answer.body = hf_bytes_of(bytes, n);
    answer.release = free;
    answer.ctx = bytes;
    hf_service_answer(call, &answer);
}

static void work(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&shared.mutex);
    while (!shared.stop || shared.n_queue) {
        if (!shared.n_queue) {
            pthread_cond_wait(&shared.wake, &shared.mutex);
            continue;
        }
        struct hf_service_call *call = shared.queue[--shared.n_queue];
        pthread_mutex_unlock(&shared.mutex);
        bool is_big = call->request.path.len > 5 && !memcmp(call->request.path.ptr, "/big/", 5);
        (is_big ? big : echo)(call);
        pthread_mutex_lock(&shared.mutex);
    }
    pthread_mutex_unlock(&shared.mutex);
}

static bool keep(struct hf_service_call **list, size_t *n, struct hf_service_call *call)
{
    pthread_mutex_lock(&shared.mutex);
    bool room = *n < HELD_MAX && !shared.stop;
    if (room) {
        list[(*n)++] = call;
        pthread_cond_signal(&shared.wake);
    }
    pthread_mutex_unlock(&shared.mutex);
    return room;
}

static void release(char *text, size_t size)
{
    struct hf_service_call *held[HELD_MAX];
    size_t n_gone = 0;
    pthread_mutex_lock(&shared.mutex);
    size_t n = shared.n_held;
    memcpy(held, shared.held, n * sizeof(held[0]));
    shared.n_held = 0;
    pthread_mutex_unlock(&shared.mutex);
    for (size_t i = 0; i < n; i++) {
        n_gone += hf_service_gone(held[i]);
        hf_service_say(held[i], 200, "released");
    }
    snprintf(text, size, "%zu held, %zu gone", n, n_gone);
}

static void serve(struct hf_service *service, struct hf_service_call *call)
{
    (void)service;
    struct hf_bytes path = call->request.path;
    char text[64];
    bool kept = true;
    if (hf_bytes_eq_str(path, "/echo")) {
        echo(call);
    } else if (hf_bytes_eq_str(path, "/release")) {
        release(text, sizeof(text));
        hf_service_say(call, 200, text);
    } else if (hf_bytes_eq_str(path, "/hold")) {
        kept = keep(shared.held, &shared.n_held, call);
    } else if (hf_bytes_eq_str(path, "/later") || (path.len > 5 && !memcmp(path.ptr, "/big/", 5))) {
        kept = keep(shared.queue, &shared.n_queue, call);
    } else {
        hf_service_say(call, 404, "no such path");
    }
    if (!kept) {
        hf_service_say(call, 503, "too many");
    }
}

static void nothing(struct hf_service *service)
{
    (void)service;
}

static const struct hf_service_ops ops = {serve, nothing};

/* --- For the daemon -----------------------------------------------------------------------------
 */

static const struct hf_services_source source;

static enum hf_err open_services(void *ctx, const struct hf_config *config,
                                 const struct hf_materials *materials, struct hf_log *log,
                                 struct hf_findings *findings, struct hf_services **out)
{
    (void)ctx;
    (void)config;
    (void)materials;
    (void)log;
    (void)findings;
    *out = HF_NEW(struct hf_services);
    if (!*out) {
        return HF_E_NOMEM;
    }
    (*out)->source = &source;
    return HF_OK;
}

static struct hf_service *find(struct hf_services *services, const struct hf_cfg_service *cfg)
{
    (void)services;
    bool hasty = cfg->part == HF_CA_PART_FEED;
    return hf_service_ref(hasty ? &shared.hasty : &shared.service);
}

static struct hf_live *live(struct hf_services *services, const struct hf_cfg_ca *cfg)
{
    (void)services;
    (void)cfg;
    return NULL;
}

static void obeyed(struct hf_services *services, const struct hf_cfg_ca *cfg, int64_t seq)
{
    (void)services;
    (void)cfg;
    (void)seq;
}

static void attach(void *ctx, void (*changed)(void *daemon), void *daemon)
{
    (void)ctx;
    (void)changed;
    (void)daemon;
}

static void close_services(struct hf_services *services)
{
    hf_free(services);
}

static void drain(void *ctx)
{
    (void)ctx;
    char text[64];
    release(text, sizeof(text));
}

static void stop(void *ctx)
{
    (void)ctx;
    char text[64];
    pthread_mutex_lock(&shared.mutex);
    shared.stop = true;
    pthread_cond_signal(&shared.wake);
    pthread_mutex_unlock(&shared.mutex);
    hf_thread_join(&shared.thread);
    release(text, sizeof(text));
}

static const struct hf_services_source source = {.open = open_services,
                                                 .find = find,
                                                 .live = live,
                                                 .obeyed = obeyed,
                                                 .attach = attach,
                                                 .close = close_services,
                                                 .drain = drain,
                                                 .stop = stop};

int main(int argc, char **argv)
{
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    if (argc != 5 || hf_config_load(argv[4], &findings, &config) != HF_OK) {
        fprintf(stderr, "services: %s\n", argc == 5 ? hf_err_text() : "HANDFAST run -c FILE");
        return 2;
    }
    hf_findings_done(&findings);
    hf_service_init(&shared.service, &ops, 1000, 60000);
    hf_service_init(&shared.hasty, &ops, 1000, 500);
    if (hf_thread_start(&shared.thread, "services", work, NULL) != HF_OK) {
        return 1;
    }
    struct hf_daemon_options options = {.config_path = argv[4], .services = &source};
    return hf_daemon_run(config, &options) == HF_OK ? 0 : 1;
}
