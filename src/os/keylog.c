// SPDX-License-Identifier: Apache-2.0
#include "os/keylog.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/secret.h"

enum { LINE_MAX_SIZE = 512 }; /* label, 64 digits, at most 128 digits: 260 */

enum hf_err hf_keylog_open(struct hf_keylog *keylog, const char *path)
{
    keylog->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return keylog->fd >= 0 ? HF_OK : hf_fail_errno("key log %s", path);
}

void hf_keylog_done(struct hf_keylog *keylog)
{
    if (keylog->fd >= 0) {
        close(keylog->fd);
    }
    *keylog = HF_KEYLOG_OFF;
}

void hf_keylog_line(void *ctx, const char *line)
{
    const struct hf_keylog *keylog = ctx;
    char text[LINE_MAX_SIZE];
    int len = snprintf(text, sizeof(text), "%s\n", line);
    if (keylog->fd >= 0 && len > 0 && (size_t)len < sizeof(text)) {
        ssize_t written = write(keylog->fd, text, (size_t)len);
        (void)written;
    }
    hf_wipe(text, sizeof(text));
}
