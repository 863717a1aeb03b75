// SPDX-License-Identifier: Apache-2.0
/*
 * Setting O_NONBLOCK on stderr would set it for the shell that we share it with. So, by kind:
 *
 *   file    write; the disk's pace is the only wait
 *   stream  (pipe, terminal) poll says that PIPE_BUF bytes go in; write that many and no more
 *   socket  (systemd's journal) send with MSG_DONTWAIT
 */
#include "os/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/sock.h"

static enum hf_output_kind kind_of(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)) {
        return HF_OUTPUT_STREAM;
    }
    return S_ISSOCK(info.st_mode) ? HF_OUTPUT_SOCKET : HF_OUTPUT_FILE;
}

static enum hf_err open_path(const char *path, int *out_fd)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0) {
        return hf_fail_errno("the log file %s can't be opened", path);
    }
    *out_fd = fd;
    return HF_OK;
}

enum hf_err hf_output_open(struct hf_output *output, const char *to)
{
    *output = (struct hf_output){.fd = -1};
    if (strcmp(to, "stderr") == 0 || strcmp(to, "stdout") == 0) {
        output->fd = to[3] == 'e' ? STDERR_FILENO : STDOUT_FILENO;
        output->kind = kind_of(output->fd);
        return HF_OK;
    }
    HF_CLEANUP(hf_freep) char *path = hf_strdup(to);
    if (!path) {
        return HF_E_NOMEM;
    }
    HF_TRY(open_path(path, &output->fd));
    output->kind = kind_of(output->fd);
    output->path = HF_TAKE(path);
    return HF_OK;
}

void hf_output_done(struct hf_output *output)
{
    if (output->path) {
        hf_closep(&output->fd);
        hf_free(output->path);
    }
    *output = (struct hf_output){.fd = -1};
}

enum hf_err hf_output_reopen(struct hf_output *output)
{
    if (!output->path) {
        return HF_OK;
    }
    int fd;
    HF_TRY(open_path(output->path, &fd));
    hf_closep(&output->fd);
    output->fd = fd;
    output->kind = kind_of(fd);
    return HF_OK;
}

static ssize_t write_stream(int fd, struct hf_bytes bytes)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    int n = poll(&room, 1, 0);
    if (n <= 0) {
        errno = n == 0 ? EAGAIN : errno;
        return -1;
    }
    return write(fd, bytes.ptr, bytes.len < PIPE_BUF ? bytes.len : PIPE_BUF);
}

static ssize_t write_once(const struct hf_output *output, struct hf_bytes bytes)
{
    switch (output->kind) {
    case HF_OUTPUT_STREAM:
        return write_stream(output->fd, bytes);
    case HF_OUTPUT_SOCKET:
        return send(output->fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    default:
        return write(output->fd, bytes.ptr, bytes.len);
    }
}

enum hf_output_step hf_output_write(struct hf_output *output, struct hf_bytes bytes, size_t *out_n)
{
    ssize_t n;
    do {
        n = write_once(output, bytes);
    } while (n < 0 && errno == EINTR);
    *out_n = n > 0 ? (size_t)n : 0;
    if (n > 0) {
        return HF_OUTPUT_MOVED;
    }
    if (n == 0) {
        errno = ENOSPC;
    }
    return n < 0 && errno == EAGAIN ? HF_OUTPUT_BLOCKED : HF_OUTPUT_FAILED;
}
