// SPDX-License-Identifier: Apache-2.0
/*
 * Sockets. What the kernel can answer is sorted here, once, into what callers act on: nothing now,
 * closed by the peer, out of descriptors, broken.
 */
#include "os/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_tcp(const struct hf_addr *addr)
{
    return addr->sa.sa_family == AF_INET || addr->sa.sa_family == AF_INET6;
}

static bool is_any_v6(const struct hf_addr *addr)
{
    return addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

static bool is_unix_path(const struct hf_addr *addr)
{
    return addr->sa.sa_family == AF_UNIX && addr->un.sun_path[0] != '\0';
}

static void set_option(int fd, int level, int option, int value)
{
    /* Options of ours can't fail on a socket of the right kind, and no caller could do better. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static enum hf_err open_socket(const struct hf_addr *addr, int *out_fd)
{
    *out_fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*out_fd < 0) {
        return hf_fail_errno("socket");
    }
    return HF_OK;
}

static enum hf_err fail_addr(const char *what, const struct hf_addr *addr)
{
    int error = errno;
    char text[HF_ADDR_TEXT_SIZE];
    hf_addr_format(addr, text);
    errno = error;
    return hf_fail_errno("%s %s", what, text);
}

/* --- Listening ------------------------------------------------------------------------------ */

/*
 * Removes a socket file that nobody answers on, as a daemon that was killed leaves behind. Anything
 * that isn't a socket stays: binding then fails and says so.
 */
static enum hf_err clear_stale_path(const struct hf_addr *addr)
{
    struct stat info;
    const char *path = addr->un.sun_path;
    if (lstat(path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return HF_OK;
    }
    HF_CLEANUP(hf_closep) int fd = -1;
    HF_TRY(open_socket(addr, &fd));
    if (connect(fd, &addr->sa, addr->len) == 0 || errno == EAGAIN) {
        return hf_fail(HF_E_BUSY, "%s is in use by another program", path);
    }
    if (errno != ECONNREFUSED) {
        return hf_fail_errno("%s can't be tried", path);
    }
    if (unlink(path) != 0) {
        return hf_fail_errno("the stale socket %s can't be removed", path);
    }
    return HF_OK;
}

/*
 * The mode set on the socket before bind is the one the file is made with, less the umask: so it is
 * never wider than asked, not even for a moment. The chmod afterwards undoes the umask.
 */
static enum hf_err bind_path(int fd, const struct hf_addr *addr, unsigned mode)
{
    HF_TRY(clear_stale_path(addr));
    if (fchmod(fd, mode) != 0 || bind(fd, &addr->sa, addr->len) != 0 ||
        chmod(addr->un.sun_path, mode) != 0) {
        return fail_addr("can't listen on", addr);
    }
    return HF_OK;
}

static enum hf_err bind_tcp(int fd, const struct hf_addr *addr, bool share_port)
{
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (share_port) {
        set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (addr->sa.sa_family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_any_v6(addr));
    }
    if (bind(fd, &addr->sa, addr->len) != 0) {
        return fail_addr("can't listen on", addr);
    }
    return HF_OK;
}

/* Where the kernel has no IPv6, "every address" is every IPv4 address. */
static enum hf_err open_listener(const struct hf_addr *addr, struct hf_addr *out_used, int *out_fd)
{
    *out_used = *addr;
    enum hf_err err = open_socket(addr, out_fd);
    if (err != HF_OK && errno == EAFNOSUPPORT && is_any_v6(addr)) {
        *out_used = (struct hf_addr){.len = sizeof(out_used->in)};
        out_used->in.sin_family = AF_INET;
        out_used->in.sin_port = addr->in6.sin6_port;
        err = open_socket(out_used, out_fd);
    }
    return err;
}

void hf_sock_no_delay(int fd, const struct hf_addr *addr)
{
    if (is_tcp(addr)) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
}

enum hf_err hf_sock_listen(const struct hf_addr *addr, int backlog, unsigned mode, int *out_fd)
{
    HF_CLEANUP(hf_closep) int fd = -1;
    struct hf_addr used;
    HF_TRY(open_listener(addr, &used, &fd));
    if (is_unix_path(&used)) {
        HF_TRY(bind_path(fd, &used, mode));
    } else if (is_tcp(&used)) {
        HF_TRY(bind_tcp(fd, &used, true));
        hf_sock_no_delay(fd, &used);
    } else if (bind(fd, &used.sa, used.len) != 0) {
        return fail_addr("can't listen on", &used);
    }
    if (listen(fd, backlog) != 0) {
        return fail_addr("can't listen on", &used);
    }
    *out_fd = fd;
    fd = -1;
    return HF_OK;
}

enum hf_err hf_sock_check_free(const struct hf_addr *addr)
{
    if (!is_tcp(addr)) {
        return HF_OK;
    }
    HF_CLEANUP(hf_closep) int fd = -1;
    struct hf_addr used;
    HF_TRY(open_listener(addr, &used, &fd));
    return bind_tcp(fd, &used, false);
}

/* --- Accepting ------------------------------------------------------------------------------ */

enum accept_error { ACCEPT_NONE, ACCEPT_AGAIN, ACCEPT_BUSY, ACCEPT_BROKEN };

/* accept(2): Linux passes pending network errors of the new connection on as errors of accept. */
static enum accept_error sort_accept_error(int error)
{
    static const struct {
        int error;
        enum accept_error sort;
    } table[] = {
        {EAGAIN, ACCEPT_NONE},        {EINTR, ACCEPT_AGAIN},      {ECONNABORTED, ACCEPT_AGAIN},
        {EPROTO, ACCEPT_AGAIN},       {EPERM, ACCEPT_AGAIN},      {ENETDOWN, ACCEPT_AGAIN},
        {ENOPROTOOPT, ACCEPT_AGAIN},  {EHOSTDOWN, ACCEPT_AGAIN},  {ENONET, ACCEPT_AGAIN},
        {EHOSTUNREACH, ACCEPT_AGAIN}, {EOPNOTSUPP, ACCEPT_AGAIN}, {ENETUNREACH, ACCEPT_AGAIN},
        {ETIMEDOUT, ACCEPT_AGAIN},    {ECONNRESET, ACCEPT_AGAIN}, {EMFILE, ACCEPT_BUSY},
        {ENFILE, ACCEPT_BUSY},        {ENOBUFS, ACCEPT_BUSY},     {ENOMEM, ACCEPT_BUSY},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (table[i].error == error) {
            return table[i].sort;
        }
    }
    return ACCEPT_BROKEN;
}

static enum hf_err accept_failed(enum accept_error sort)
{
    if (sort == ACCEPT_NONE) {
        return HF_OK;
    }
    (void)hf_fail_errno("accept");
    return sort == ACCEPT_BUSY ? HF_E_BUSY : HF_E_IO;
}

enum hf_err hf_sock_accept(int listen_fd, int *out_fd, struct hf_addr *out_peer)
{
    enum accept_error sort;
    *out_fd = -1;
    do {
        *out_peer = (struct hf_addr){.len = sizeof(out_peer->storage)};
        int fd = accept4(listen_fd, &out_peer->sa, &out_peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hf_addr_unmap(out_peer);
            *out_fd = fd;
            return HF_OK;
        }
        sort = sort_accept_error(errno);
    } while (sort == ACCEPT_AGAIN);
    return accept_failed(sort);
}

/* --- Connecting ----------------------------------------------------------------------------- */

enum hf_err hf_sock_connect(const struct hf_addr *addr, int *out_fd)
{
    HF_CLEANUP(hf_closep) int fd = -1;
    HF_TRY(open_socket(addr, &fd));
    hf_sock_no_delay(fd, addr);
    if (connect(fd, &addr->sa, addr->len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        /* A unix socket's EAGAIN isn't "in progress": the listener's queue is full. */
        bool queue_full = errno == EAGAIN;
        enum hf_err err = fail_addr("connecting to", addr);
        return queue_full ? HF_E_BUSY : err;
    }
    *out_fd = fd;
    fd = -1;
    return HF_OK;
}

/*
 * A connect to a port of this machine's ephemeral range where nobody listens may pick that very
 * port for its own end, and TCP's simultaneous open then connects the socket to itself.
 */
static enum hf_err refuse_self(int fd, const struct hf_addr *to)
{
    struct hf_addr ours = {.len = sizeof(ours.storage)};
    if (!is_tcp(to) || getsockname(fd, &ours.sa, &ours.len) != 0 || !hf_addr_eq(&ours, to)) {
        return HF_OK;
    }
    hf_sock_reset(fd);
    errno = ECONNREFUSED;
    return hf_fail_errno("connect");
}

static enum hf_err pending_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return hf_fail_errno("SO_ERROR");
    }
    if (error != 0) {
        errno = error;
        return hf_fail_errno("connect");
    }
    return HF_OK;
}

enum hf_err hf_sock_connect_result(int fd)
{
    struct hf_addr to = {.len = sizeof(to.storage)};
    HF_TRY(pending_error(fd));
    return getpeername(fd, &to.sa, &to.len) == 0 ? refuse_self(fd, &to) : HF_OK;
}

enum hf_err hf_sock_connected(int fd, const struct hf_addr *to, bool error)
{
    if (error) {
        HF_TRY(pending_error(fd));
    }
    return refuse_self(fd, to);
}

enum hf_err hf_sock_local(int fd, struct hf_addr *out)
{
    struct hf_addr addr = {.len = sizeof(addr.storage)};
    if (getsockname(fd, &addr.sa, &addr.len) != 0) {
        return hf_fail_errno("getsockname");
    }
    hf_addr_unmap(&addr);
    *out = addr;
    return HF_OK;
}

/* --- Bytes ---------------------------------------------------------------------------------- */

/* Sorts the result of a read or write. */
static enum hf_err moved(const char *what, ssize_t n, size_t *out_n, bool *would_block)
{
    *out_n = n > 0 ? (size_t)n : 0;
    *would_block = n < 0 && errno == EAGAIN;
    if (n >= 0 || *would_block) {
        return HF_OK;
    }
    enum hf_err err = errno == ECONNRESET || errno == EPIPE ? HF_E_CLOSED : HF_E_IO;
    (void)hf_fail_errno("%s", what);
    return err;
}

enum hf_err hf_sock_read(int fd, struct hf_span into, size_t *out_n, bool *would_block)
{
    ssize_t n;
    do {
        n = recv(fd, into.ptr, into.len, 0);
    } while (n < 0 && errno == EINTR);
    return moved("read", n, out_n, would_block);
}

static enum hf_err write_with(int flags, int fd, struct hf_bytes bytes, size_t *out_n,
                              bool *would_block)
{
    ssize_t n;
    do {
        n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | flags);
    } while (n < 0 && errno == EINTR);
    return moved("write", n, out_n, would_block);
}

enum hf_err hf_sock_write(int fd, struct hf_bytes bytes, size_t *out_n, bool *would_block)
{
    return write_with(0, fd, bytes, out_n, would_block);
}

enum hf_err hf_sock_write_last(int fd, struct hf_bytes bytes, size_t *out_n, bool *would_block)
{
    return write_with(MSG_MORE, fd, bytes, out_n, would_block);
}

void hf_sock_shut_write(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void hf_sock_reset(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void hf_closep(int *fd)
{
    if (*fd >= 0) {
        int error = errno; /* a cleanup must not change what the function reports */
        (void)close(*fd);
        *fd = -1;
        errno = error;
    }
}
