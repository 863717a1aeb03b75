// SPDX-License-Identifier: Apache-2.0
#include "os/activation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { FIRST_FD = 3 };

static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                        "LISTEN_PIDFDID"};

/* How many descriptors are meant for us. */
static enum hf_err count(size_t *out_n)
{
    const char *pid_text = getenv("LISTEN_PID");
    const char *n_text = getenv("LISTEN_FDS");
    uint64_t pid, n;
    *out_n = 0;
    if (!pid_text || !n_text) {
        return HF_OK;
    }
    if (hf_parse_uint(pid_text, INT32_MAX, &pid) != HF_OK ||
        hf_parse_uint(n_text, HF_ACTIVATION_MAX, &n) != HF_OK) {
        return hf_fail_context(HF_E_INVALID, "socket activation: LISTEN_PID or LISTEN_FDS");
    }
    *out_n = (pid_t)pid == getpid() ? n : 0;
    return HF_OK;
}

static bool is_listening_stream(int fd)
{
    int type = 0, listening = 0;
    socklen_t len = sizeof(int);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

static enum hf_err adopt(struct hf_activated *item, int fd)
{
    if (!is_listening_stream(fd)) {
        return hf_fail(HF_E_INVALID,
                       "socket activation: descriptor %d (%s) is no listening stream socket; use "
                       "ListenStream= and Accept=no in the socket unit",
                       fd, item->name);
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return hf_fail_errno("socket activation: descriptor %d", fd);
    }
    HF_TRY(hf_sock_local(fd, &item->addr));
    item->fd = fd;
    return HF_OK;
}

/* The next name of the colon-separated list. */
static char *take_name(const char **names)
{
    size_t len = *names ? strcspn(*names, ":") : 0;
    char *name = len ? hf_strndup(*names, len) : hf_strdup("unknown");
    if (*names) {
        *names += len + ((*names)[len] == ':');
    }
    return name;
}

static enum hf_err adopt_all(struct hf_activation *activation, size_t n)
{
    const char *names = getenv("LISTEN_FDNAMES");
    activation->item = hf_alloc_zero(n, sizeof(*activation->item));
    if (!activation->item) {
        return HF_E_NOMEM;
    }
    for (; activation->n < n; activation->n++) {
        struct hf_activated *item = &activation->item[activation->n];
        item->fd = -1;
        item->name = take_name(&names);
        enum hf_err err = item->name ? adopt(item, FIRST_FD + (int)activation->n) : HF_E_NOMEM;
        if (err != HF_OK) {
            activation->n++; /* done frees this one too */
            return err;
        }
    }
    return HF_OK;
}

enum hf_err hf_activation_open(struct hf_activation *out)
{
    size_t n;
    *out = (struct hf_activation){0};
    enum hf_err err = count(&n);
    if (err == HF_OK && n) {
        err = adopt_all(out, n);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(variables); i++) {
        (void)unsetenv(variables[i]);
    }
    if (err != HF_OK) {
        hf_activation_done(out);
    }
    return err;
}

static struct hf_activated *find(const struct hf_activation *activation, const struct hf_addr *addr)
{
    for (size_t i = 0; i < activation->n; i++) {
        struct hf_activated *item = &activation->item[i];
        if (item->fd >= 0 && hf_addr_eq(&item->addr, addr)) {
            return item;
        }
    }
    return NULL;
}

bool hf_activation_has(const struct hf_activation *activation, const struct hf_addr *addr)
{
    return find(activation, addr) != NULL;
}

int hf_activation_take(struct hf_activation *activation, const struct hf_addr *addr)
{
    struct hf_activated *item = find(activation, addr);
    if (!item) {
        return -1;
    }
    int fd = item->fd;
    item->fd = -1;
    hf_sock_no_delay(fd, addr); /* as hf_sock_listen does */
    return fd;
}

void hf_activation_done(struct hf_activation *activation)
{
    for (size_t i = 0; i < activation->n; i++) {
        hf_closep(&activation->item[i].fd);
        hf_free(activation->item[i].name);
    }
    hf_free(activation->item);
    *activation = (struct hf_activation){0};
}
