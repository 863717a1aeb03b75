// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The runner listens on ::1, or on 127.0.0.1 where there is no IPv6. */
static int try_connect(int family, uint16_t port)
{
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    const struct sockaddr *to = family == AF_INET6 ? (void *)&six : (void *)&four;
    if (connect(fd, to, family == AF_INET6 ? sizeof(six) : sizeof(four)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void shim_connect(struct shim *shim)
{
    int on = 1;
    shim->fd = try_connect(AF_INET6, (uint16_t)shim->flags->port);
    if (shim->fd < 0) {
        shim->fd = try_connect(AF_INET, (uint16_t)shim->flags->port);
    }
    if (shim->fd < 0) {
        die("can't connect to the runner");
    }
    (void)setsockopt(shim->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    shim->in = HF_BUF_INIT(1u << 20);
    shim->out = HF_BUF_INIT(1u << 20);
}

/* Closes our half and drains, so that the runner reads what we sent last. */
void shim_disconnect(struct shim *shim)
{
    char rest[4096];
    (void)shutdown(shim->fd, SHUT_WR);
    while (recv(shim->fd, rest, sizeof(rest), 0) > 0) {
    }
    close(shim->fd);
    hf_buf_done(&shim->in);
    hf_buf_done(&shim->out);
}

static void send_all(struct shim *shim, size_t max)
{
    while (hf_buf_len(&shim->out) && max) {
        struct hf_bytes bytes = hf_buf_bytes(&shim->out);
        size_t len = bytes.len < max ? bytes.len : max;
        ssize_t n = send(shim->fd, bytes.ptr, len, MSG_NOSIGNAL);
        if (n <= 0) {
            hf_buf_reset(&shim->out); /* the runner has gone; what we have to say comes after */
            return;
        }
        hf_buf_consume(&shim->out, (size_t)n);
        max -= (size_t)n;
    }
}

void shim_flush(struct shim *shim)
{
    if (shim->hold && !shim->held_first) {
        send_all(shim, 1);
        shim->held_first = true;
    } else if (!shim->hold) {
        send_all(shim, SIZE_MAX);
    }
}

bool shim_fill(struct shim *shim)
{
    uint8_t bytes[16384];
    size_t len = shim->flags->async ? 1 : sizeof(bytes);
    shim_flush(shim);
    ssize_t n = recv(shim->fd, bytes, len, 0);
    if (n <= 0) {
        shim->eof = true;
        return false;
    }
    if (hf_buf_append(&shim->in, hf_bytes_of(bytes, (size_t)n)) != HF_OK) {
        die("input buffer: %s", hf_err_text());
    }
    return true;
}
