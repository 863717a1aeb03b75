// SPDX-License-Identifier: Apache-2.0
#include "os/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/mem.h"

enum { MESSAGE_MAX = 512 };

enum hf_err hf_notify_open(struct hf_notify *out)
{
    *out = (struct hf_notify){0};
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || !name[0]) {
        return HF_OK;
    }
    char text[HF_ADDR_TEXT_SIZE];
    int n = snprintf(text, sizeof(text), "unix:%s", name);
    if ((name[0] != '/' && name[0] != '@') || n >= (int)sizeof(text)) {
        return hf_fail(HF_E_INVALID, "NOTIFY_SOCKET is \"%.100s\", neither a path nor @name", name);
    }
    HF_TRY(hf_addr_parse(text, &out->addr));
    (void)unsetenv("NOTIFY_SOCKET");
    return HF_OK;
}

static enum hf_err send_message(const struct hf_notify *notify, const char *message)
{
    HF_CLEANUP(hf_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval second = {.tv_sec = 1};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second)) != 0 ||
        sendto(fd, message, strlen(message), MSG_NOSIGNAL, &notify->addr.sa, notify->addr.len) <
            0) {
        return hf_fail_errno("telling systemd");
    }
    return HF_OK;
}

/* Sends the fields, and the status behind them as far as it fits. */
static enum hf_err tell(const struct hf_notify *notify, const char *fields, const char *status)
{
    if (notify->addr.len == 0) {
        return HF_OK;
    }
    char message[MESSAGE_MAX];
    int n = snprintf(message, sizeof(message), "%s%s", fields, status ? "STATUS=" : "");
    for (; status && *status && n < MESSAGE_MAX - 1; status++) {
        unsigned char c = (unsigned char)*status;
        message[n++] = c < ' ' || c == 0x7f ? ' ' : (char)c;
    }
    message[n] = '\0';
    return send_message(notify, message);
}

enum hf_err hf_notify_ready(const struct hf_notify *notify, const char *status)
{
    return tell(notify, "READY=1\n", status);
}

/* systemd compares the time with that of its own request, to know that this reload answers it. */
enum hf_err hf_notify_reloading(const struct hf_notify *notify, const struct hf_clock *clock,
                                const char *status)
{
    char fields[64];
    snprintf(fields, sizeof(fields), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
             (long long)(hf_clock_mono_ns(clock) / 1000));
    return tell(notify, fields, status);
}

enum hf_err hf_notify_stopping(const struct hf_notify *notify, const char *status)
{
    return tell(notify, "STOPPING=1\n", status);
}

enum hf_err hf_notify_status(const struct hf_notify *notify, const char *status)
{
    return tell(notify, "", status);
}
