// SPDX-License-Identifier: Apache-2.0
#include "policy/hosts.h"

#include <string.h>

void hf_hosts_done(struct hf_hosts *hosts)
{
    hf_map_done(&hosts->by_pattern);
}

enum hf_err hf_hosts_put(struct hf_hosts *hosts, const char *pattern, void *value)
{
    if (hf_hosts_exact(hosts, pattern)) {
        return hf_fail(HF_E_EXISTS, "the host \"%.255s\" is there already", pattern);
    }
    return hf_map_put(&hosts->by_pattern, hf_bytes_str(pattern), value);
}

void *hf_hosts_exact(const struct hf_hosts *hosts, const char *pattern)
{
    return hf_map_get(&hosts->by_pattern, hf_bytes_str(pattern));
}

/* The name in lower case without its last dot; what is too long for a name is none. */
static struct hf_bytes normal(struct hf_bytes name, uint8_t out[static HF_HOSTS_NAME_MAX])
{
    size_t len = name.len && name.ptr[name.len - 1] == '.' ? name.len - 1 : name.len;
    if (len > HF_HOSTS_NAME_MAX) {
        return hf_bytes_of(out, 0);
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = name.ptr[i];
        out[i] = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
    }
    return hf_bytes_of(out, len);
}

void *hf_hosts_get(const struct hf_hosts *hosts, struct hf_bytes name)
{
    uint8_t storage[1 + HF_HOSTS_NAME_MAX]; /* one byte of room for the star */
    if (hosts->by_pattern.n_entries == 0) {
        return NULL;
    }
    struct hf_bytes host = normal(name, storage + 1);
    void *found = host.len ? hf_map_get(&hosts->by_pattern, host) : NULL;
    uint8_t *dot = host.len ? memchr(storage + 1, '.', host.len) : NULL;
    if (found || !dot || dot == storage + 1) {
        return found;
    }
    size_t rest = host.len - (size_t)(dot - (storage + 1));
    dot[-1] = '*';
    return hf_map_get(&hosts->by_pattern, hf_bytes_of(dot - 1, rest + 1));
}

bool hf_hosts_covers(const char *a, const char *b)
{
    if (strcmp(a, b) == 0) {
        return true;
    }
    const char *dot = strchr(b, '.');
    return a[0] == '*' && b[0] != '*' && dot && dot != b && strcmp(a + 1, dot) == 0;
}
