// SPDX-License-Identifier: Apache-2.0
/* The server: listening sockets, the count of connections, who may connect. */
#include "watch/httpd.h"

#include <unistd.h>

#include "base/mem.h"
#include "watch/httpd_conn.h"

enum { ACCEPT_BATCH = 16, RETRY_MS = 100 };

/* One listening socket. */
struct port {
    struct hf_link link;
    struct hf_watch watch;
    struct hf_httpd *httpd;
};

const struct hf_httpd_limits hf_httpd_limits_default = {
    .n_connections = 64,
    .body_max = 64 << 10,
    .idle_ms = 60000,
    .request_ms = 10000,
    .answer_ms = 60000,
    .write_ms = 30000,
};

size_t hf_httpd_n_connections(const struct hf_httpd *httpd)
{
    return httpd->n_conns;
}

static void say(struct hf_httpd *httpd, const char *what)
{
    if (httpd->config.log) {
        hf_log_say(httpd->config.log, HF_LOG_WARN, "http-server", "%s: %s", what, hf_err_text());
    }
}

static void want_all(struct hf_httpd *httpd, unsigned wanted)
{
    HF_LIST_FOREACH (&httpd->ports, link) {
        struct port *port = HF_CONTAINER_OF(link, struct port, link);
        hf_watch_want(httpd->config.loop, &port->watch, wanted);
    }
}

static void on_retry(struct hf_timer *timer)
{
    want_all(HF_CONTAINER_OF(timer, struct hf_httpd, retry), HF_LOOP_READ);
}

/* Out of descriptors or memory: the socket stays readable, so look away for a moment. */
static void pause_accepting(struct hf_httpd *httpd)
{
    say(httpd, "connections can't be accepted for a moment");
    want_all(httpd, 0);
    hf_timer_set(httpd->config.loop, &httpd->retry, RETRY_MS);
}

static bool same_user(int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && len == sizeof(cred) &&
           (cred.uid == 0 || cred.uid == geteuid());
}

/* Closes the connection that has been idle longest; false when none is idle. */
static bool make_room(struct hf_httpd *httpd)
{
    HF_LIST_FOREACH (&httpd->conns, link) {
        struct hf_httpd_conn *conn = HF_CONTAINER_OF(link, struct hf_httpd_conn, link);
        if (hf_conn_phase(conn) == HF_CONN_IDLE) {
            hf_conn_close(conn);
            hf_conn_reap(conn);
            return true;
        }
    }
    return false;
}

static void take(struct hf_httpd *httpd, int fd, const struct hf_addr *peer)
{
    if (httpd->config.same_user_only && peer->sa.sa_family == AF_UNIX && !same_user(fd)) {
        (void)hf_fail(HF_E_PERMISSION, "the peer is another user");
        say(httpd, "connection refused");
        hf_closep(&fd);
        return;
    }
    if (httpd->n_conns >= httpd->limits.n_connections && !make_room(httpd)) {
        (void)hf_fail(HF_E_BUSY, "%zu connections are open and busy", httpd->n_conns);
        say(httpd, "connection refused");
        hf_closep(&fd);
        return;
    }
    if (hf_conn_new(httpd, fd, peer) != HF_OK) {
        say(httpd, "connection refused");
    }
}

static void on_connection(struct hf_watch *watch, unsigned events)
{
    struct port *port = HF_CONTAINER_OF(watch, struct port, watch);
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = -1;
        struct hf_addr peer;
        if (hf_sock_accept(watch->fd, &fd, &peer) != HF_OK) {
            pause_accepting(port->httpd);
            return;
        }
        if (fd < 0) {
            return;
        }
        take(port->httpd, fd, &peer);
    }
}

enum hf_err hf_httpd_listen(struct hf_httpd *httpd, int listen_fd)
{
    struct port *port = HF_NEW(struct port);
    if (!port) {
        return HF_E_NOMEM;
    }
    port->httpd = httpd;
    port->watch =
        (struct hf_watch){.fd = listen_fd, .wanted = HF_LOOP_READ, .on_event = on_connection};
    enum hf_err err = hf_watch_add(httpd->config.loop, &port->watch);
    if (err != HF_OK) {
        hf_free(port);
        return err;
    }
    hf_list_push(&httpd->ports, &port->link);
    return HF_OK;
}

enum hf_err hf_httpd_new(const struct hf_httpd_config *config, struct hf_httpd **out)
{
    struct hf_httpd *httpd = HF_NEW(struct hf_httpd);
    *out = httpd;
    if (!httpd) {
        return HF_E_NOMEM;
    }
    httpd->config = *config;
    httpd->limits = config->limits ? *config->limits : hf_httpd_limits_default;
    httpd->h1_limits = hf_h1_limits_default;
    httpd->h1_limits.body_max = httpd->limits.body_max;
    httpd->h1_limits.n_fields_max = HF_CONN_FIELDS;
    httpd->retry.on_due = on_retry;
    httpd->piece = HF_BUF_INIT(2 * HF_HTTPD_PIECE);
    hf_list_init(&httpd->conns);
    hf_list_init(&httpd->ports);
    return HF_OK;
}

void hf_httpd_free(struct hf_httpd *httpd)
{
    if (!httpd) {
        return;
    }
    HF_LIST_FOREACH (&httpd->ports, link) {
        struct port *port = HF_CONTAINER_OF(link, struct port, link);
        hf_watch_remove(httpd->config.loop, &port->watch);
        hf_free(port);
    }
    HF_LIST_FOREACH (&httpd->conns, link) {
        struct hf_httpd_conn *conn = HF_CONTAINER_OF(link, struct hf_httpd_conn, link);
        hf_conn_close(conn);
        hf_conn_reap(conn);
    }
    hf_timer_cancel(&httpd->retry);
    hf_buf_done(&httpd->piece);
    hf_free(httpd);
}
